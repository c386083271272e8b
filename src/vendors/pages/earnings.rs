//! What a vendor gets: of a sale, line by line, and of a price while it is set.

use super::product_form::ProductForm;
use crate::{
    error::AppError,
    ledger::{
        commission::{Goods, of_one},
        explain::{Explanation, Share},
        rules::{self, Terms},
    },
    money::Money,
    server::{auth::Manager, state::App},
    ui::TableFrame,
    vendors::model::CURRENCY,
};
use leptos::prelude::*;
use time::OffsetDateTime;

/// What became of a sale's money.
#[component]
pub fn Earnings(explanation: Explanation) -> impl IntoView {
    let currency = explanation.currency;
    let money = move |minor: i64| Money::new(minor, currency).to_string();
    let stripe = explanation.stripe_minor();
    let known = stripe.is_some();
    let rows = explanation
        .shares
        .iter()
        .map(|share| view! { <ShareRow share=share.clone() known=known currency=currency/> })
        .collect_view();
    let fee = explanation.fee();
    view! {
        <section class="earnings" aria-labelledby="earnings">
            <h2 id="earnings">"What you get"</h2>
            <TableFrame label="What you get, line by line">
                <table>
                    <thead><tr>
                        <th scope="col">"For, and why so"</th>
                        <th scope="col" class="number">"Sold for"</th>
                        <th scope="col" class="number">"Fee"</th>
                        <th scope="col" class="number">"VAT on it"</th>
                        {known.then(|| view! { <th scope="col" class="number minor">"Stripe's part"</th> })}
                        <th scope="col" class="number">"You get"</th>
                    </tr></thead>
                    <tbody>{rows}</tbody>
                    <tfoot><tr>
                        <th scope="row">"In all"</th>
                        <td class="number">{money(explanation.gross_minor())}</td>
                        <td class="number">{money(fee.fee_minor)}</td>
                        <td class="number">{money(fee.vat_minor)}</td>
                        {stripe.map(|minor| view! { <td class="number minor">{money(minor)}</td> })}
                        <td class="number"><strong>{money(explanation.net_minor())}</strong></td>
                    </tr></tfoot>
                </table>
            </TableFrame>
            {known.then(|| view! { <p class="hint minor">"Stripe's part is paid out of our fee, not by you."</p> })}
        </section>
    }
}

#[component]
fn ShareRow(share: Share, known: bool, currency: crate::money::Currency) -> impl IntoView {
    let money = move |minor: i64| Money::new(minor, currency).to_string();
    let net = money(share.net_minor());
    let rule = match (&share.line, share.fee.sum()) {
        (None, 0) => "No commission on shipping.".to_owned(),
        (None, _) => "By the rules of the lines that it falls to.".to_owned(),
        (Some(_), _) if share.rule.is_empty() => share.why,
        (Some(_), _) => format!("{}: {}. {}", share.rule, share.takes, share.why),
    };
    let stripe = share.stripe_minor.map(money).unwrap_or_default();
    view! {
        <tr>
            <th scope="row">{share.title} <span class="soft below">{rule}</span></th>
            <td class="number">{money(share.gross_minor)}</td>
            <td class="number">{money(share.fee.fee_minor)}</td>
            <td class="number">{money(share.fee.vat_minor)}</td>
            {known.then(|| view! { <td class="number minor">{stripe}</td> })}
            <td class="number">{net}</td>
        </tr>
    }
}

/// Says beside every price of the form that can be read what it leaves the vendor, by today's rules.
pub async fn show_net(
    app: &App,
    vendor: &Manager,
    form: &mut ProductForm,
    product: Option<crate::ids::ProductId>,
) -> Result<(), AppError> {
    let Terms { rules, vat, categories } = rules::terms(&app.pool, vendor, form.category.parse().ok()).await?;
    let today = OffsetDateTime::now_utc().date();
    for row in &mut form.variants {
        let Ok(price) = Money::parse(&row.price, CURRENCY) else { continue };
        let piece = Goods { product, categories: categories.clone(), quantity: 1, gross_minor: price.minor };
        let (_, fee) = of_one(&rules, vendor.id(), vat, piece, today);
        row.net = format!("You get {} of {price}", Money::new(price.minor - fee.sum(), CURRENCY));
    }
    Ok(())
}
