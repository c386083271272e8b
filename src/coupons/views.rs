//! How coupons look at both desks: the table of them, and the form that makes one.

use super::{
    form::{CouponForm, CouponName},
    model::{CouponCode, giver},
    queries::CouponRow,
};
use crate::{
    error::FieldErrors,
    ids::CategoryId,
    money::Currency,
    ui::{Badge, Empty, Field, Select, TableFrame, Tone},
};
use leptos::prelude::*;
use time::{Date, OffsetDateTime};

/// Coupons with what they take, for what, until when, and how often they were used. `desk` is the address of the list; `all` where it
/// holds everybody's.
#[component]
pub fn CouponTable(rows: Vec<CouponRow>, desk: &'static str, all: bool) -> impl IntoView {
    if rows.is_empty() {
        return view! {
            <Empty title="No coupon yet"><p>"Make one below, and tell people its code: they type it at the checkout."</p></Empty>
        }
        .into_any();
    }
    let today = OffsetDateTime::now_utc().date();
    let rows = rows.into_iter().map(|row| view! { <CouponLine row=row desk=desk all=all today=today/> }).collect_view();
    view! {
        <TableFrame label="Coupons">
            <table class="coupons">
                <thead><tr>
                    <th scope="col">"Code"</th>
                    {all.then(|| view! { <th scope="col">"From"</th> })}
                    <th scope="col">"Takes off"</th>
                    <th scope="col">"For"</th>
                    <th scope="col">"When"</th>
                    <th scope="col" class="number">"Uses"</th>
                    <th scope="col" class="number">"Given"</th>
                    {all.then(|| view! { <th scope="col">"Paid by"</th> })}
                    <th scope="col">"State"</th>
                    <th scope="col"><span class="visually-hidden">"What to do with it"</span></th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </TableFrame>
    }
    .into_any()
}

#[component]
fn CouponLine(row: CouponRow, desk: &'static str, all: bool, today: Date) -> impl IntoView {
    let state = row.state(today);
    let tone = match state {
        "good" => Tone::Good,
        "to come" => Tone::Warn,
        _ => Tone::Neutral,
    };
    let uses = match row.limit_total {
        Some(most) => format!("{} of {most}", row.uses),
        None => row.uses.to_string(),
    };
    let each = row.limit_person.map(|most| view! { <span class="soft below">{format!("at most {most} a person")}</span> });
    let paid_by = all.then(|| {
        let share = (row.platform_minor > 0).then(|| format!("{} by us", row.money(row.platform_minor)));
        view! { <td class="wrap">{row.paid_by()} <span class="soft below">{share}</span></td> }
    });
    let end = row.archived_at.is_none().then(|| {
        view! {
            <form method="post" action=format!("{desk}/{}", row.id)>
                <button class="button-quiet" name="action" value="end" aria-label=format!("End: {}", row.code)>"End"</button>
            </form>
        }
    });
    view! {
        <tr>
            <th scope="row"><code>{row.code.clone()}</code> <span class="soft below">{row.name.clone()}</span></th>
            {all.then(|| view! { <td>{giver(row.vendor.as_deref()).to_owned()}</td> })}
            <td class="wrap">{row.takes()}</td>
            <td class="wrap">{row.scope()}</td>
            <td>{window(row.starts_on, row.ends_on)}</td>
            <td class="number">{uses} {each}</td>
            <td class="number">{row.money(row.given_minor).to_string()}</td>
            {paid_by}
            <td><Badge tone=tone label=state/></td>
            <td>{end}</td>
        </tr>
    }
}

fn window(from: Option<Date>, until: Option<Date>) -> String {
    let day = |date: Date| format!("{} {} {}", date.day(), date.month(), date.year());
    match (from, until) {
        (None, None) => "always".into(),
        (Some(from), None) => format!("from {}", day(from)),
        (None, Some(until)) => format!("until {}", day(until)),
        (Some(from), Some(until)) => format!("{} to {}", day(from), day(until)),
    }
}

/// The form that makes a coupon. The operator also says whose goods it is for, and who pays.
#[component]
pub fn CouponFields(
    form: CouponForm,
    errors: FieldErrors,
    categories: Vec<(CategoryId, String)>,
    currency: Currency,
    action: &'static str,
    operator: bool,
) -> impl IntoView {
    let money = |label: &str| format!("{label}, {}", currency.code());
    let mut choices = vec![(String::new(), "Every category".to_owned())];
    choices.extend(categories.into_iter().map(|(id, label)| (id.to_string(), label)));
    let vendor = operator.then(|| {
        view! {
            <Field label="Shop" name="vendor" value=form.vendor.clone() errors=errors.clone() maxlength=200
                hint="Its address: mill of /vendors/mill. Empty for the goods of all shops."/>
        }
    });
    let payer = operator.then(|| {
        view! {
            <Field label="We pay, percent" name="platform" value=form.platform.clone() errors=errors.clone() inputmode="decimal"
                hint="Of the discount; the vendors of the goods pay the rest."/>
        }
    });
    view! {
        <form method="post" action=action class="rule-form">
            <div class="field-row">
                <Field label="Code" name="code" value=form.code errors=errors.clone() required=true maxlength=CouponCode::MAX autocomplete="off"
                    hint="What shoppers type: letters, digits and dashes."/>
                <Field label="Name" name="name" value=form.name errors=errors.clone() required=true maxlength=CouponName::MAX
                    hint="To know it by. Shoppers do not see it."/>
            </div>
            <fieldset>
                <legend>"What it takes off"</legend>
                <p class="hint">"A percentage or an amount, off the goods that it is for. Shipping stays as it is."</p>
                <div class="field-row">
                    <Field label="Percent" name="percent" value=form.percent errors=errors.clone() inputmode="decimal"/>
                    <Field label=money("Amount") name="amount" value=form.amount errors=errors.clone() inputmode="decimal"/>
                    <Field label=money("For goods of at least") name="minimum" value=form.minimum errors=errors.clone() inputmode="decimal"/>
                    {payer}
                </div>
            </fieldset>
            <fieldset>
                <legend>"What it is for"</legend>
                <p class="hint">"What you leave empty is no condition."</p>
                <div class="field-row">
                    {vendor}
                    <Select label="Category, and all below it" name="category" options=choices value=form.category errors=errors.clone()/>
                </div>
                <div class="field-row">
                    <Field label="First day" name="starts_on" kind="date" value=form.starts_on errors=errors.clone()/>
                    <Field label="Last day" name="ends_on" kind="date" value=form.ends_on errors=errors.clone()/>
                </div>
                <div class="field-row">
                    <Field label="Uses in all" name="limit_total" value=form.limit_total errors=errors.clone() inputmode="numeric"/>
                    <Field label="Uses by one person" name="limit_person" value=form.limit_person errors=errors.clone() inputmode="numeric"
                        hint="By account, or by e-mail address where somebody has none."/>
                </div>
            </fieldset>
            <button class="button-main">"Make it"</button>
        </form>
    }
}
