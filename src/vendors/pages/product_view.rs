//! How the product form looks: one form for everything, the variants as rows of a table that becomes cards on a phone.

use super::{
    product_form::{ProductForm, VariantRow},
    products::status_words,
};
use crate::{
    catalog::{
        editing::ProductStatus,
        limits::{Description, OptionName, Sku, Title},
    },
    error::FieldErrors,
    ids::{CategoryId, ProductId},
    ui::{Badge, Breadcrumbs, ErrorSummary, Field, Notice, Select, TextArea, Tone},
};
use leptos::prelude::*;

/// The product behind the form, where there is one.
#[derive(Clone)]
pub struct Standing {
    pub id: ProductId,
    pub slug: String,
    pub title: String,
    pub status: ProductStatus,
    pub pictures: i64,
}

#[component]
pub fn ProductView(
    standing: Option<Standing>,
    form: ProductForm,
    errors: FieldErrors,
    categories: Vec<(CategoryId, String)>,
    note: Option<String>,
    differs: Vec<(String, String)>,
) -> impl IntoView {
    let status = standing.as_ref().map(|s| s.status);
    let action = standing.as_ref().map_or_else(|| "/vendor/products".to_owned(), |s| format!("/vendor/products/{}", s.id));
    let mut choices = vec![(String::new(), "Choose a category".to_owned())];
    choices.extend(categories.into_iter().map(|(id, label)| (id.to_string(), label)));
    let tone = if differs.is_empty() { Tone::Neutral } else { Tone::Warn };
    let note = note.map(|n| {
        let stands = differs.into_iter().map(|(label, now)| view! { <dt>{label}</dt> <dd>{now}</dd> }).collect_view();
        view! {
            <Notice tone=tone>
                <p>{n}</p>
                {(tone == Tone::Warn).then(|| view! {
                    <dl class="facts">{stands}</dl>
                    <p>"Below is what you typed. Saving again replaces what stands."</p>
                })}
            </Notice>
        }
    });
    let options = form
        .options
        .iter()
        .enumerate()
        .map(|(i, option)| {
            view! {
                <div class="option-row">
                    <Field label=format!("Option {}", i + 1) name=format!("options[{i}][name]") value=option.name.clone()
                        errors=errors.clone() maxlength=OptionName::MAX/>
                    <Field label="Its values, with commas between them" name=format!("options[{i}][values]")
                        value=option.values.clone() errors=errors.clone()/>
                </div>
            }
        })
        .collect_view();
    let variant_error = errors.get("variants").map(|e| view! { <p class="field-error" id="f-variants-error">{e.to_owned()}</p> });
    let buttons = match status {
        Some(ProductStatus::Published) => {
            view! { <button class="button-main" name="action" value="save">"Save"</button> }.into_any()
        }
        Some(ProductStatus::Archived) => {
            view! { <button class="button-main" name="action" value="save">"Save"</button> }.into_any()
        }
        _ => view! {
            <button class="button-main" name="action" value="publish">"Save and put on sale"</button>
            <button name="action" value="save">"Save as draft"</button>
        }
        .into_any(),
    };
    view! {
        <ProductHead standing=standing.clone() here=""/>
        <ErrorSummary errors=errors.clone()/>
        {note}
        <form method="post" action=action class="product-form">
            // What Enter presses: a form's first button. It saves, and never publishes or makes rows.
            <button class="visually-hidden" name="action" value="save" tabindex="-1" aria-hidden="true">"Save"</button>
            <input type="hidden" name="stamp" value=form.stamp.clone()/>
            <div class="product-columns">
                <div>
                    <Field label="Title" name="title" value=form.title.clone() errors=errors.clone() required=true maxlength=Title::MAX/>
                    <TextArea label="Description" name="description" value=form.description.clone() errors=errors.clone() rows=8
                        maxlength=Description::MAX
                        hint="What it is made of, how big it is, how it is looked after. An empty line starts a new paragraph."/>
                </div>
                <div>
                    <Select label="Category" name="category" options=choices value=form.category.clone() errors=errors.clone()/>
                    <fieldset class="options">
                        <legend>"Options"</legend>
                        <p class="hint">"Only if there is something to choose, such as Size: Small, Large."</p>
                        {options}
                        <button name="action" value="generate">"Generate variants"</button>
                    </fieldset>
                </div>
            </div>
            <fieldset class="variants" id="f-variants" tabindex="-1">
                <legend>"Variants, prices and stock"</legend>
                {variant_error}
                <Variants rows=form.variants.clone() names=form.options.iter().map(|o| o.name.clone()).collect() errors=errors.clone()/>
            </fieldset>
            <div class="actions form-foot">{buttons}</div>
        </form>
        {standing.map(|s| view! { <StatusButtons id=s.id status=s.status/> })}
    }
}

/// The title of a product with its status and the ways to its pages.
#[component]
pub fn ProductHead(standing: Option<Standing>, here: &'static str) -> impl IntoView {
    let title = standing.as_ref().map_or_else(|| "New product".to_owned(), |s| s.title.clone());
    let trail = vec![("/vendor/products".to_owned(), "Products".to_owned()), (String::new(), title.clone())];
    let tabs = standing.map(|s| {
        let (tone, label) = status_words(s.status);
        let base = format!("/vendor/products/{}", s.id);
        let count = s.pictures;
        let shop = (s.status == ProductStatus::Published).then(|| {
            view! {
                <li><a href=format!("/vendor/promotions?product={}#new-promotion", s.id)>"Reduce its price"</a></li>
                <li><a href=format!("/products/{}", s.slug)>"See it in the shop"</a></li>
            }
        });
        view! {
            <Badge tone=tone label=label/>
            <nav class="tabs" aria-label="Product"><ul>
                <li><a href=base.clone() aria-current=here.is_empty().then_some("page")>"Details"</a></li>
                <li><a href=format!("{base}/pictures") aria-current=(here == "pictures").then_some("page")>
                    "Pictures " <span class="count">{count}</span>
                </a></li>
                {shop}
            </ul></nav>
        }
    });
    view! {
        <Breadcrumbs trail=trail/>
        <div class="product-head"><h1>{title}</h1> {tabs}</div>
    }
}

#[component]
fn Variants(rows: Vec<VariantRow>, names: Vec<String>, errors: FieldErrors) -> impl IntoView {
    let depth = rows.iter().map(|r| r.values.len()).max().unwrap_or(0);
    let head = (0..depth)
        .map(|i| view! { <th scope="col">{names.get(i).filter(|n| !n.trim().is_empty()).cloned().unwrap_or_else(|| format!("Option {}", i + 1))}</th> })
        .collect_view();
    let body = rows
        .into_iter()
        .enumerate()
        .map(|(i, row)| view! { <Row i=i row=row depth=depth names=names.clone() errors=errors.clone()/> })
        .collect_view();
    view! {
        <table class="variants-table">
            <thead><tr>
                {head}
                <th scope="col">"SKU"</th>
                <th scope="col">"Price, VAT included"</th>
                <th scope="col">"In stock"</th>
                {(depth > 0).then(|| view! { <th scope="col">"Leave out"</th> })}
            </tr></thead>
            <tbody>{body}</tbody>
        </table>
    }
}

#[component]
fn Row(i: usize, row: VariantRow, depth: usize, names: Vec<String>, errors: FieldErrors) -> impl IntoView {
    let field = |name: &str| format!("variants[{i}][{name}]");
    let of = if row.values.is_empty() { String::new() } else { format!(" of {}", row.values.join(", ")) };
    let values = (0..depth)
        .map(|at| {
            let value = row.values.get(at).cloned();
            let hidden =
                value.clone().map(|v| view! { <input type="hidden" name=format!("variants[{i}][values][{at}]") value=v/> });
            view! { <td class="value" data-label=names.get(at).cloned()>{value} {hidden}</td> }
        })
        .collect_view();
    let wrong = errors.get(&field("values")).map(|e| {
        view! { <tr class="row-error"><td colspan=depth + 4><p class="field-error" id=format!("f-{}", field("values"))>{e.to_owned()}</p></td></tr> }
    });
    let held = (row.held > 0).then(|| view! { <span class="soft">{format!("{} held for open orders", row.held)}</span> });
    let net = (!row.net.is_empty()).then(|| view! { <span class="soft">{row.net.clone()}</span> });
    let remove = (depth > 0).then(|| {
        view! {
            <td data-label="Leave out">
                <input type="checkbox" name=field("remove") checked=row.remove aria-label=format!("Leave out{of}")/>
            </td>
        }
    });
    view! {
        <tr>
            {values}
            <td data-label="SKU">
                <input type="hidden" name=field("id") value=row.id.clone()/>
                <input type="hidden" name=field("seen") value=row.seen.clone()/>
                <Cell label=format!("SKU{of}") name=field("sku") value=row.sku.clone() errors=errors.clone() maxlength=Sku::MAX/>
            </td>
            <td data-label="Price">
                <Cell label=format!("Price{of}") name=field("price") value=row.price.clone() errors=errors.clone() inputmode="decimal" sign="£"/>
                {net}
            </td>
            <td data-label="In stock">
                <Cell label=format!("In stock{of}") name=field("stock") value=row.stock.clone() errors=errors.clone() inputmode="numeric"/>
                {held}
            </td>
            {remove}
        </tr>
        {wrong}
    }
}

/// An input in a cell: its label is the column's, said again for those who hear the page.
#[component]
fn Cell(
    label: String,
    name: String,
    value: String,
    errors: FieldErrors,
    #[prop(default = "text")] inputmode: &'static str,
    #[prop(optional)] maxlength: u32,
    #[prop(optional)] sign: &'static str,
) -> impl IntoView {
    let id = format!("f-{name}");
    let error = errors.get(&name).map(str::to_owned);
    let about = error.as_ref().map(|_| format!("{id}-error"));
    let shown = error.clone().map(|e| view! { <p class="field-error" id=format!("{id}-error")>{e}</p> });
    view! {
        <span class="cell-input" data-sign=(!sign.is_empty()).then_some(sign)>
            <input id=id.clone() name=name value=value aria-label=label inputmode=inputmode required=true autocomplete="off"
                maxlength=(maxlength > 0).then_some(maxlength)
                aria-invalid=error.as_ref().map(|_| "true") aria-describedby=about/>
        </span>
        {shown}
    }
}

/// What can be done with the whole product; each can be undone by another.
#[component]
fn StatusButtons(id: ProductId, status: ProductStatus) -> impl IntoView {
    let button = move |to: ProductStatus, label: &'static str, hint: &'static str| {
        view! {
            <form method="post" action=format!("/vendor/products/{id}/status")>
                <button class="button-quiet" name="status" value=to.as_str()>{label}</button>
                <span class="soft">{hint}</span>
            </form>
        }
    };
    let draft = move |label| button(ProductStatus::Draft, label, "Only you see it.");
    let archive = move || button(ProductStatus::Archived, "Archive", "Off sale and out of your list. Orders keep their copy.");
    view! {
        <section class="product-status" aria-label="Status">
            {match status {
                ProductStatus::Draft => archive().into_any(),
                ProductStatus::Published => view! { {draft("Take off sale")} {archive()} }.into_any(),
                ProductStatus::Archived => draft("Bring back as a draft").into_any(),
            }}
        </section>
    }
}
