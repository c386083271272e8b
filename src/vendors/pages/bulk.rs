//! Many products at once: chosen in the list, looked at, done, and taken back.

use crate::{
    catalog::editing::{
        ProductStatus, StockLevel,
        bulk::{self, Action, Change, Goods, Last, Plan, What},
        queries::category_choices,
    },
    error::{AppError, FieldErrors, Refusal},
    ids::{CatalogChangeId, CategoryId, ProductId},
    money::{BasisPoints, Money},
    server::{
        auth::Manager,
        flash,
        page::{Layout, Page},
        state::App,
    },
    ui::{Breadcrumbs, Empty, ErrorSummary, Field, Notice, Select, TableFrame, Tone},
    vendors::{
        desk::Desk,
        model::{CURRENCY, age},
    },
};
use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use http::StatusCode;
use leptos::prelude::*;
use time::OffsetDateTime;
use tower_sessions::Session;

/// Where the list of products sends what was chosen.
pub const HERE: &str = "/vendor/products/bulk";
const PRODUCTS: &str = "/vendor/products";
/// So many changes are shown; all of them are done.
const SHOWN: usize = 200;

/// What can be done, as forms name it.
const ACTIONS: [(&str, &str); 9] = [
    ("raise", "Raise prices by percent"),
    ("lower", "Lower prices by percent"),
    ("price", "Set prices to"),
    ("stock", "Set stock to"),
    ("add", "Add to stock"),
    ("category", "Move to a category"),
    ("publish", "Put on sale"),
    ("unpublish", "Take off sale"),
    ("archive", "Archive"),
];

/// The form, as typed.
#[derive(Debug, Clone, Default)]
struct BulkForm {
    /// All that the list finds, not only what was chosen.
    all: bool,
    products: Vec<ProductId>,
    q: String,
    status: String,
    action: String,
    value: String,
    category: String,
    /// The fingerprint of what was looked at; empty before that.
    seen: String,
}

impl BulkForm {
    fn of(pairs: Vec<(String, String)>) -> Self {
        let mut form = Self::default();
        for (name, value) in pairs {
            match name.as_str() {
                "all" => form.all = true,
                "product" => form.products.extend(value.parse::<ProductId>()),
                "q" => form.q = value.trim().to_owned(),
                "status" => form.status = value,
                "action" => form.action = value,
                "value" => form.value = value,
                "category" => form.category = value,
                "seen" => form.seen = value,
                _ => {}
            }
        }
        form
    }

    fn goods(&self) -> Result<Goods, AppError> {
        if !self.all {
            return Ok(Goods::These(self.products.clone()));
        }
        if self.q.contains('\0') {
            return Err(AppError::BadRequest("That cannot be searched for.".into()));
        }
        let status = match self.status.as_str() {
            "" => None,
            status => {
                Some(status.parse::<ProductStatus>().map_err(|()| AppError::BadRequest("There is no such status.".into()))?)
            }
        };
        Ok(Goods::Found { text: self.q.clone(), status })
    }

    fn action(&self, categories: &[(CategoryId, String)]) -> Result<Action, FieldErrors> {
        let mut errors = FieldErrors::default();
        let value = self.value.trim();
        let percent = |errors: &mut FieldErrors| match errors.take("value", value.parse::<BasisPoints>()) {
            Some(BasisPoints(0)) => {
                errors.add("value", "This changes nothing.");
                None
            }
            percent => percent,
        };
        let action = match self.action.as_str() {
            "raise" => percent(&mut errors).map(Action::Raise),
            "lower" => percent(&mut errors).map(Action::Lower),
            "price" => errors.take("value", Money::parse(value, CURRENCY)).map(Action::Price),
            "stock" => errors.take("value", value.parse::<StockLevel>()).map(Action::Stock),
            "add" => errors.take("value", value.parse::<StockLevel>()).map(Action::Add),
            "category" => match categories.iter().find(|(id, _)| id.to_string() == self.category) {
                Some((id, name)) => Some(Action::Category(*id, name.clone())),
                None => {
                    errors.add("category", "Please choose a category.");
                    None
                }
            },
            "publish" => Some(Action::Status(ProductStatus::Published)),
            "unpublish" => Some(Action::Status(ProductStatus::Draft)),
            "archive" => Some(Action::Status(ProductStatus::Archived)),
            _ => {
                errors.add("action", "Please say what to do.");
                None
            }
        };
        action.filter(|_| errors.is_empty()).ok_or(errors)
    }
}

/// A `GET` leads back: what was chosen is in no address.
pub async fn back(Desk(_): Desk<Manager>) -> Redirect {
    Redirect::to(PRODUCTS)
}

/// `POST /vendor/products/bulk`: shows what would happen; with what was looked at, does it.
pub async fn change(
    State(app): State<App>,
    Desk(vendor): Desk<Manager>,
    session: Session,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, AppError> {
    let form = BulkForm::of(pairs);
    let goods = form.goods()?;
    let categories = category_choices(&app.pool).await?;
    if matches!(&goods, Goods::These(ids) if ids.is_empty()) {
        flash::put(&session, "Choose some products first.").await?;
        return Ok(Redirect::to(PRODUCTS).into_response());
    }
    let action = match form.action(&categories) {
        Ok(action) => action,
        Err(errors) => {
            let page = preview_page(form, None, errors, categories, false);
            return Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response());
        }
    };
    let mut changed_meanwhile = false;
    if !form.seen.is_empty() {
        match bulk::apply(&app.pool, &vendor, &goods, &action, &form.seen).await {
            Ok(rows) => {
                let rows = if rows == 1 { "1 change".to_owned() } else { format!("{rows} changes") };
                flash::put(&session, &format!("{}: {rows}.", action.title())).await?;
                return Ok(Redirect::to(PRODUCTS).into_response());
            }
            Err(AppError::Conflict(Refusal::Stale)) => changed_meanwhile = true,
            Err(error) => return Err(error),
        }
    }
    let plan = bulk::preview(&app.pool, &vendor, &goods, &action).await?;
    let page = preview_page(form, Some((action, plan)), FieldErrors::default(), categories, changed_meanwhile);
    let status = if changed_meanwhile { StatusCode::CONFLICT } else { StatusCode::OK };
    Ok(page.status(status).into_response())
}

/// `POST /vendor/products/undo/{id}`
pub async fn undo(
    State(app): State<App>,
    Desk(vendor): Desk<Manager>,
    session: Session,
    Path(id): Path<CatalogChangeId>,
) -> Result<Redirect, AppError> {
    let said = match bulk::undo(&app.pool, &vendor, id).await {
        Ok((_, 0)) => "Taken back: everything is as it was.".to_owned(),
        Ok((back, left)) => format!("{back} taken back; {left} had been changed since, and stay as they are."),
        Err(AppError::Conflict(Refusal::Stale)) => "This was taken back already.".to_owned(),
        Err(error) => return Err(error),
    };
    flash::put(&session, &said).await?;
    Ok(Redirect::to(PRODUCTS))
}

/// Offers to take back what was done last.
#[component]
pub fn TakeBack(last: Option<Last>) -> impl IntoView {
    last.map(|last| {
        let ago = age((OffsetDateTime::now_utc() - last.at).whole_hours());
        let rows = if last.rows == 1 { "1 change".to_owned() } else { format!("{} changes", last.rows) };
        view! {
            <form class="take-back" method="post" action=format!("/vendor/products/undo/{}", last.id)>
                <span class="soft">{format!("{}: {rows}, {ago} ago.", last.title)}</span>
                <button class="button-quiet">"Take it back"</button>
            </form>
        }
    })
}

/// What to do with what was chosen. `found` is how many the list finds on all its pages.
#[component]
pub fn BulkFields(
    categories: Vec<(CategoryId, String)>,
    errors: FieldErrors,
    action: String,
    value: String,
    category: String,
) -> impl IntoView {
    let mut choices = vec![(String::new(), "No category".to_owned())];
    choices.extend(categories.into_iter().map(|(id, label)| (id.to_string(), label)));
    let actions = ACTIONS.map(|(name, label)| (name.to_owned(), label.to_owned())).to_vec();
    view! {
        <div class="field-row">
            <Select label="What to do" name="action" options=actions value=action errors=errors.clone()/>
            <Field label="Percent, price or number" name="value" value=value errors=errors.clone() inputmode="decimal" autocomplete="off"/>
            <Select label="Category, to move them to" name="category" options=choices value=category errors=errors/>
        </div>
    }
}

fn preview_page(
    form: BulkForm,
    plan: Option<(Action, Plan)>,
    errors: FieldErrors,
    categories: Vec<(CategoryId, String)>,
    changed_meanwhile: bool,
) -> Page {
    Page::new("Change many", move || {
        let trail = vec![(PRODUCTS.to_owned(), "Products".to_owned()), (String::new(), "Change many".to_owned())];
        let hidden = || {
            let chosen = form.products.iter().map(|id| view! { <input type="hidden" name="product" value=id.to_string()/> }).collect_view();
            view! {
                {form.all.then(|| view! { <input type="hidden" name="all" value="true"/> })}
                <input type="hidden" name="q" value=form.q.clone()/>
                <input type="hidden" name="status" value=form.status.clone()/>
                {chosen}
            }
        };
        let shown = plan.map(|(action, plan)| {
            let go = (!plan.changes.is_empty()).then(|| {
                view! {
                    <form method="post" action=HERE class="actions form-foot">
                        {hidden()}
                        <input type="hidden" name="action" value=form.action.clone()/>
                        <input type="hidden" name="value" value=form.value.clone()/>
                        <input type="hidden" name="category" value=form.category.clone()/>
                        <input type="hidden" name="seen" value=plan.fingerprint()/>
                        <button class="button-main">{match plan.changes.len() {
                            1 => "Make this change".to_owned(),
                            n => format!("Make these {n} changes"),
                        }}</button>
                        <a class="button" href=PRODUCTS>"Leave it"</a>
                    </form>
                }
            });
            view! { <Planned title=action.title() plan=plan categories=categories.clone()/> {go} }
        });
        view! {
            <Breadcrumbs trail=trail/>
            <div class="desk-head"><h1>"Change many"</h1></div>
            <ErrorSummary errors=errors.clone()/>
            {changed_meanwhile.then(|| view! {
                <Notice tone=Tone::Warn><p>"Something changed since you looked, so nothing was done. This is what would happen now."</p></Notice>
            })}
            {shown}
            <form method="post" action=HERE class="rule-form">
                {hidden()}
                <fieldset>
                    <legend>"Something else with the same goods"</legend>
                    <BulkFields categories=categories.clone() errors=errors action=form.action.clone() value=form.value.clone()
                        category=form.category.clone()/>
                    <button>"Look at it first"</button>
                </fieldset>
            </form>
        }
    })
    .layout(Layout::Vendor(PRODUCTS))
}

#[component]
fn Planned(title: String, plan: Plan, categories: Vec<(CategoryId, String)>) -> impl IntoView {
    let name =
        |id: &str| categories.iter().find(|(c, _)| c.to_string() == id).map_or_else(|| "another".to_owned(), |(_, n)| n.clone());
    let more = plan.changes.len().saturating_sub(SHOWN);
    let rows = plan
        .changes
        .iter()
        .take(SHOWN)
        .map(|change| {
            let Change { what, was, now, .. } = change;
            let say = |value: &str| match what {
                What::Price => Money::new(value.parse().unwrap_or_default(), CURRENCY).to_string(),
                What::Stock => value.to_owned(),
                What::Category => name(value),
                What::Status => match value {
                    "published" => "on sale".to_owned(),
                    other => other.to_owned(),
                },
            };
            view! {
                <tr>
                    <th scope="row">{change.label.clone()}</th>
                    <td class="number">{say(was)}</td>
                    <td class="number"><strong>{say(now)}</strong></td>
                </tr>
            }
        })
        .collect_view();
    let problems = plan.problems.iter().map(|(label, why)| view! { <li>{format!("{label}: {why}")}</li> }).collect_view();
    let changes = match plan.changes.len() {
        0 => view! { <Empty title="Nothing would change"><p>"All of them are so already, or cannot be."</p></Empty> }.into_any(),
        _ => view! {
            <TableFrame label="What would change">
                <table>
                    <thead><tr>
                        <th scope="col">"What"</th> <th scope="col" class="number">"Now"</th> <th scope="col" class="number">"Then"</th>
                    </tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableFrame>
        }
        .into_any(),
    };
    view! {
        <section aria-labelledby="planned">
            <h2 id="planned">{title}</h2>
            {(plan.unchanged > 0).then(|| view! { <p class="soft">{format!("{} are so already.", plan.unchanged)}</p> })}
            {(!plan.problems.is_empty()).then(|| view! {
                <Notice tone=Tone::Warn><p>"These stay as they are:"</p> <ul>{problems}</ul></Notice>
            })}
            {changes}
            {(more > 0).then(|| view! { <p class="soft">{format!("And {more} more.")}</p> })}
        </section>
    }
}
