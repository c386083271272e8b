//! What needs a person now, first things first.

use super::{jobs, list::Table, webhooks, words};
use crate::{
    disputes::{self, model::reason_words},
    error::AppError,
    operator::queries::{self, Inbox},
    payouts::{self, pages::failed},
    reconciliation,
    returns::{self, model::Party},
    server::{
        auth::Operator,
        flash,
        page::{Layout, Page},
        state::App,
    },
    ui::{Empty, Price, When},
};
use axum::extract::State;
use leptos::prelude::*;
use tower_sessions::Session;

/// `GET /operator`
pub async fn page(State(app): State<App>, by: Operator, session: Session) -> Result<Page, AppError> {
    let inbox = queries::inbox(&app.pool, &by).await?;
    let returns = returns::queries::for_operator(&app.pool, &by).await?;
    let disputes = disputes::queries::for_operator(&app.pool, &by).await?;
    let foreign = disputes::queries::foreign(&app.pool, &by).await?;
    let payouts = payouts::queries::stopped(&app.pool, &by).await?;
    let differences = reconciliation::queries::open_count(&app.pool, &by).await?;
    let notice = flash::take(&session).await?;
    Ok(Page::new("Inbox", move || {
        let disputed = !disputes.is_empty() || !foreign.is_empty();
        let quiet = inbox.is_empty() && returns.is_empty() && !disputed && payouts.is_empty() && differences == 0;
        let Inbox { vendors, webhooks: events, jobs, payments, refunds } = inbox;
        view! {
            <h1>"Inbox"</h1>
            {quiet.then(|| view! {
                <Empty title="Nothing needs you now">
                    <p>"Applications, stuck payments and work that failed will stand here."</p>
                </Empty>
            })}
            <Part title="Disputes that need evidence" rows=disputes.into_iter().map(|d| {
                let amount = d.amount();
                view! {
                    <tr>
                        <td><a href=format!("/operator/disputes/{}", d.id)>"Order " {d.number}</a></td>
                        <td class="number"><Price money=amount/></td>
                        <td class="wrap">{reason_words(&d.reason)}</td>
                        <td>{d.evidence_due_at.map(|at| view! { "evidence by " <When at=at day_only=true/> })}</td>
                    </tr>
                }.into_any()
            }).collect()/>
            <Part title="Disputes in another currency, to be answered in Stripe's dashboard" rows=foreign.into_iter().map(|d| {
                let amount = d.amount();
                view! {
                    <tr>
                        <td><a href=format!("/operator/orders/{}", d.order)>"Order " {d.number}</a></td>
                        <td class="number"><Price money=amount/></td>
                        <td class="wrap">{reason_words(&d.reason)}</td>
                        <td>{d.evidence_due_at.map(|at| view! { "evidence by " <When at=at day_only=true/> })}</td>
                        <td class="minor"><code>{d.stripe_dispute_id}</code></td>
                    </tr>
                }.into_any()
            }).collect()/>
            <Part title="Shops that wait for a decision" rows=vendors.into_iter().map(|v| view! {
                <tr>
                    <td><a href=format!("/operator/vendors/{}", v.id)>{v.name}</a></td>
                    <td>"applied " <When at=v.applied_at/></td>
                </tr>
            }.into_any()).collect()/>
            <Part title="Payments that do not end" rows=payments.into_iter().map(|p| view! {
                <tr>
                    <td><a href=format!("/operator/orders/{}", p.order_id)>"Order " {p.number}</a></td>
                    <td>{words(&p.state)}</td>
                    <td class="number"><Price money=p.amount()/></td>
                    <td>"since " <When at=p.created_at/></td>
                </tr>
            }.into_any()).collect()/>
            <Part title="Refunds that failed" rows=refunds.into_iter().map(|r| view! {
                <tr>
                    <td><a href=format!("/operator/orders/{}", r.order_id)>"Order " {r.number}</a></td>
                    <td class="number"><Price money=r.amount()/></td>
                    <td><When at=r.created_at/></td>
                </tr>
            }.into_any()).collect()/>
            <Part title="Payouts that failed" rows=payouts.into_iter().map(|p| {
                let (amount, why) = (p.amount(), failed(&p));
                view! {
                    <tr>
                        <td><a href=format!("/operator/vendors/{}", p.vendor_id)>{p.vendor_name}</a></td>
                        <td class="number"><Price money=amount/></td>
                        <td class="wrap">{why}</td>
                        <td><When at=p.created_at/></td>
                    </tr>
                }.into_any()
            }).collect()/>
            <Part title="Books and Stripe differ" rows=(differences > 0).then(|| view! {
                <tr>
                    <td><a href="/operator/reconciliation">{if differences == 1 { "One difference".to_owned() } else { format!("{differences} differences") }}</a></td>
                </tr>
            }.into_any()).into_iter().collect()/>
            <Part title="Returns that need you" rows=returns.into_iter().map(|r| view! {
                <tr>
                    <td><a href=format!("/operator/returns/{}", r.id)>"Order " {r.number}</a></td>
                    <td>{r.vendor_name} ": " {r.title}</td>
                    <td>{returns::pages::state_words(r.state, Party::Operator).1}</td>
                    <td>"since " <When at=r.changed_at/></td>
                </tr>
            }.into_any()).collect()/>
            <Part title="Webhooks that could not be handled" rows=events.into_iter().map(|w| view! {
                <tr>
                    <td><a href=webhooks::address(&w.id)>{webhooks::kind_words(&w.kind)}</a></td>
                    <td class="wrap">{w.last_error.unwrap_or_default()}</td>
                    <td><When at=w.received_at/></td>
                </tr>
            }.into_any()).collect()/>
            <Part title="Work that was given up" rows=jobs.into_iter().map(|j| view! {
                <tr>
                    <td><a href="/operator/jobs?state=failed">{jobs::kind_words(&j.kind)}</a></td>
                    <td class="wrap">{j.last_error.unwrap_or_default()}</td>
                    <td><When at=j.created_at/></td>
                </tr>
            }.into_any()).collect()/>
        }
    })
    .layout(Layout::Operator("/operator"))
    .notice(notice))
}

/// A part of the inbox; nothing of it is shown when nothing is in it.
#[component]
fn Part(title: &'static str, rows: Vec<AnyView>) -> impl IntoView {
    (!rows.is_empty()).then(|| {
        view! {
            <section>
                <h2>{title} " " <span class="count">{rows.len()}</span></h2>
                <Table label=title>{rows}</Table>
            </section>
        }
    })
}
