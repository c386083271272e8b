//! Opening a payment: decide under the order's row lock, commit, then ask Stripe. A reload, a double click and a retry
//! after a crash all find the same attempt, and Stripe's idempotency key makes them the same session.

use super::{
    gateway::{self, GatewayError, Item, NewSession},
    settle::place,
};
use crate::{
    error::{AppError, Refusal},
    ids::{OrderId, PaymentId},
    ledger,
    orders::{derive_statuses, model::OrderStatus, model::PaymentState, order_token, order_url},
    server::{errors::internal, state::App},
};
use sqlx::PgConnection;
use std::time::Duration;
use time::OffsetDateTime;

/// Stripe closes a session 30 minutes after its creation at the earliest, and a retry of the same attempt must carry the
/// same time. So a session is asked for until half an hour after the hold; when the hold ends, the sweeper closes it.
const SESSION_AFTER_HOLD: time::Duration = time::Duration::minutes(31);

/// The most lines of a Checkout Session in payment mode (Stripe API, `line_items`).
const MAX_ITEMS: usize = 100;

/// How often, and how far apart, an attempt that another request is opening at this moment is looked at again.
const LOOKS: u32 = 20;
const BETWEEN_LOOKS: Duration = Duration::from_millis(250);

/// What was decided under the lock.
enum Decision {
    /// There is a page to go to.
    Go(String),
    /// Stripe must be asked for a page for this attempt.
    Ask(PaymentId),
}

/// Where to send the shopper to pay this order.
///
/// Answers the hosted page of the one open attempt, or the order's own page when nothing is left to pay or the money is on
/// its way. Refuses with `AlreadyPaid`, `OrderClosed`, or `PaymentUnavailable` (the order is kept, the attempt is reused).
pub async fn open(app: &App, order: OrderId) -> Result<String, AppError> {
    for _ in 0..LOOKS {
        let payment = match decide(app, order).await? {
            Decision::Go(url) => return Ok(url),
            Decision::Ask(payment) => payment,
        };
        match ask(app, payment).await {
            Ok(Some(url)) => return Ok(url),
            // Settled or closed in between: decide again.
            Ok(None) => {}
            Err(AskError::Gateway(GatewayError::Busy)) => {}
            Err(AskError::Gateway(GatewayError::Away(why))) => {
                tracing::warn!(%payment, why, "no session was opened");
                return Err(Refusal::PaymentUnavailable.into());
            }
            Err(AskError::Gateway(refused @ GatewayError::Refused { .. })) => {
                tracing::error!(%payment, error = %refused, "Stripe refuses to open a session");
                give_up(app, payment, &refused.to_string()).await?;
                return Err(Refusal::PaymentUnavailable.into());
            }
            Err(AskError::Other(error)) => return Err(error.into()),
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    Err(Refusal::PaymentUnavailable.into())
}

/// The latest attempt to pay an order, for the answer of whoever opened it; `None` before the first.
pub async fn latest(app: &App, order: OrderId) -> sqlx::Result<Option<PaymentId>> {
    sqlx::query_scalar!(
        r#"select id as "id: PaymentId" from payments where order_id = $1 order by attempt desc limit 1"#,
        order.uuid()
    )
    .fetch_optional(&app.pool)
    .await
}

async fn decide(app: &App, order: OrderId) -> Result<Decision, AppError> {
    let mut tx = app.pool.begin().await?;
    let row = sqlx::query!(
        r#"select status as "status: OrderStatus", total_minor, currency, checkout_key, hold_expires_at from orders
           where id = $1 for update"#,
        order.uuid()
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(AppError::NotFound)?;
    match row.status {
        OrderStatus::Placed => return Err(Refusal::AlreadyPaid.into()),
        OrderStatus::Cancelled | OrderStatus::Expired => return Err(Refusal::OrderClosed.into()),
        OrderStatus::Pending => {}
    }
    let latest = sqlx::query!(
        r#"select id as "id: PaymentId", attempt, state as "state: PaymentState", url, expires_at from payments
           where order_id = $1 order by attempt desc limit 1"#,
        order.uuid()
    )
    .fetch_optional(&mut *tx)
    .await?;
    let page = || order_url(app, order, row.checkout_key).map_err(AppError::from);
    let now = OffsetDateTime::now_utc();
    match &latest {
        Some(p) if p.state == PaymentState::Processing => return Ok(Decision::Go(page()?)),
        // Its stock is about to go back: too late to start.
        _ if row.hold_expires_at <= now => return Err(Refusal::OrderClosed.into()),
        Some(p) if p.state == PaymentState::Open && p.expires_at > now => {
            if let Some(url) = &p.url {
                return Ok(Decision::Go(url.clone()));
            }
            return Ok(Decision::Ask(p.id));
        }
        Some(p) if p.state == PaymentState::Opening => return Ok(Decision::Ask(p.id)),
        _ => {}
    }
    let payment = PaymentId::new();
    let free = row.total_minor == 0;
    sqlx::query!(
        "insert into payments (id, order_id, attempt, state, amount_minor, currency, idempotency_key, expires_at, settled_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, case when $4 = 'paid' then now() end)",
        payment.uuid(),
        order.uuid(),
        latest.as_ref().map_or(1, |p| p.attempt + 1),
        if free { PaymentState::Paid.as_str() } else { PaymentState::Opening.as_str() },
        row.total_minor,
        row.currency,
        format!("souk-pay-{payment}"),
        row.hold_expires_at + SESSION_AFTER_HOLD
    )
    .execute(&mut *tx)
    .await?;
    let decision = if free {
        // Nothing to pay: Stripe is not part of it. Vendors have their shares where the market pays for the discount.
        ledger::sales::sold(&mut tx, payment).await?;
        place(app, &mut tx, order).await?;
        Decision::Go(page()?)
    } else {
        // The first attempt of an unpaid order changes nothing that is derived.
        if latest.is_some() {
            derive_statuses(&mut tx, order).await?;
        }
        Decision::Ask(payment)
    };
    tx.commit().await?;
    Ok(decision)
}

/// Why an attempt got no page.
#[derive(Debug, thiserror::Error)]
pub(super) enum AskError {
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

impl From<sqlx::Error> for AskError {
    fn from(error: sqlx::Error) -> Self {
        Self::Other(error.into())
    }
}

/// Asks Stripe for the attempt's session and writes it down with compare-and-set. `None` when the attempt is no longer
/// waiting for one. Also heals an attempt whose process died between asking and writing: the key finds the same session.
pub(super) async fn ask(app: &App, payment: PaymentId) -> Result<Option<String>, AskError> {
    let mut db = app.pool.acquire().await?;
    let Some(new) = read(app, &mut db, payment).await? else { return Ok(None) };
    // No connection is kept while Stripe thinks.
    drop(db);
    let session = gateway::create_session(app, new).await?;
    let stored = sqlx::query_scalar!(
        "update payments set state = 'open', stripe_session_id = $2, url = $3, stripe_intent_id = coalesce($4, stripe_intent_id)
         where id = $1 and state in ('opening', 'open') and (stripe_session_id is null or stripe_session_id = $2)
         returning url",
        payment.uuid(),
        session.id,
        session.url,
        session.intent
    )
    .fetch_optional(&app.pool)
    .await?;
    Ok(stored.flatten())
}

/// What the session is made from; only rows that never change while the attempt is open.
async fn read(app: &App, db: &mut PgConnection, payment: PaymentId) -> Result<Option<NewSession>, AskError> {
    let Some(row) = sqlx::query!(
        r#"select p.idempotency_key, p.currency, p.expires_at, o.id as "order: OrderId", o.number, o.email, o.checkout_key, o.discount_minor
           from payments p join orders o on o.id = p.order_id
           where p.id = $1 and p.state in ('opening', 'open')"#,
        payment.uuid()
    )
    .fetch_optional(&mut *db)
    .await?
    else {
        return Ok(None);
    };
    let items = items(db, row.order, row.number, row.discount_minor).await?;
    let token = order_token(app, row.checkout_key)?;
    let page = format!("{}/orders/{}", app.config.base_url, row.order);
    Ok(Some(NewSession {
        payment,
        order: row.order,
        number: row.number,
        idempotency_key: row.idempotency_key,
        email: row.email,
        currency: row.currency,
        items,
        expires_at: row.expires_at,
        success_url: format!("{page}/return?token={token}&session={{CHECKOUT_SESSION_ID}}"),
        cancel_url: format!("{page}?token={token}"),
    }))
}

/// What the hosted page lists. Stripe takes at most [`MAX_ITEMS`] lines and none below zero, so an order with more of them, or
/// with a discount, is one line per vendor; and one line in all where even the vendors are too many.
async fn items(db: &mut PgConnection, order: OrderId, number: i64, discount_minor: i64) -> sqlx::Result<Vec<Item>> {
    if discount_minor == 0 {
        let items = sqlx::query_as!(
            Item,
            r#"(select left(title, 200) as "name!", quantity as "quantity!", unit_price_minor as "unit_minor!" from order_lines
            where order_id = $1 order by position, id)
           union all
           (select 'Shipping: ' || vendor_name || ', ' || shipping_name, 1, shipping_minor from vendor_orders
            where order_id = $1 and shipping_minor > 0 order by vendor_name, id)"#,
            order.uuid()
        )
        .fetch_all(&mut *db)
        .await?;
        if items.len() <= MAX_ITEMS {
            return Ok(items);
        }
    }
    let mut items = sqlx::query_as!(
        Item,
        r#"select 'From ' || vendor_name as "name!", 1 as "quantity!", total_minor as unit_minor from vendor_orders
               where order_id = $1 and total_minor > 0 order by vendor_name, id"#,
        order.uuid()
    )
    .fetch_all(&mut *db)
    .await?;
    if items.len() > MAX_ITEMS {
        let unit_minor = items.iter().map(|item| item.unit_minor).sum();
        items = vec![Item { name: format!("Order {number}"), quantity: 1, unit_minor }];
    }
    Ok(items)
}

/// An attempt that Stripe will never open; the next one gets a key of its own.
async fn give_up(app: &App, payment: PaymentId, why: &str) -> Result<(), AppError> {
    let mut tx = app.pool.begin().await?;
    let order = super::settle::lock_order_of(&mut tx, payment).await?;
    sqlx::query!(
        "update payments set state = 'failed', failure = 'The payment page could not be opened.', settled_at = now()
         where id = $1 and state = 'opening'",
        payment.uuid()
    )
    .execute(&mut *tx)
    .await?;
    let detail = serde_json::json!({ "message": why, "operator": true });
    crate::orders::record(&mut tx, order, None, "payment_refused", detail, None).await.map_err(internal)?;
    derive_statuses(&mut tx, order).await?;
    tx.commit().await?;
    Ok(())
}
