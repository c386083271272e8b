//! A product for those of the team who do not work on it: what it is, what is in stock, how it looks.

use super::products::status_words;
use crate::{
    catalog::{
        editing::queries::{EditableProduct, EditableVariant},
        pictures::ProductPicture,
    },
    ui::{Badge, Breadcrumbs, Price, TableFrame, picture_url},
};
use leptos::prelude::*;

#[component]
pub fn ProductFacts(product: EditableProduct, variants: Vec<EditableVariant>, pictures: Vec<ProductPicture>) -> impl IntoView {
    let trail = vec![("/vendor/products".to_owned(), "Products".to_owned()), (String::new(), product.title.clone())];
    let (tone, label) = status_words(product.status);
    let pictures = pictures
        .into_iter()
        .map(|p| {
            view! {
                <li><img src=picture_url(p.id, 320) alt=p.alt width=p.width height=p.height loading="lazy" decoding="async"/></li>
            }
        })
        .collect_view();
    let rows = variants
        .into_iter()
        .map(|v| {
            let name = if v.option_values.is_empty() { "One kind".to_owned() } else { v.option_values.join(", ") };
            let held =
                (v.held > 0).then(|| view! { <span class="soft below">{format!("{} held for open orders", v.held)}</span> });
            let price = v.price();
            view! {
                <tr>
                    <th scope="row">{name}</th>
                    <td>{v.sku}</td>
                    <td class="number"><Price money=price/></td>
                    <td class="number">{v.on_hand} {held}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Breadcrumbs trail=trail/>
        <div class="product-head"><h1>{product.title}</h1> <Badge tone=tone label=label/></div>
        <p class="prose">{product.description}</p>
        <TableFrame label="Variants">
            <table>
                <thead><tr>
                    <th scope="col">"What"</th> <th scope="col">"SKU"</th> <th scope="col" class="number">"Price"</th>
                    <th scope="col" class="number">"In stock"</th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </TableFrame>
        <ul class="product-facts">{pictures}</ul>
        <p class="hint">"Managers and owners can change it."</p>
    }
}
