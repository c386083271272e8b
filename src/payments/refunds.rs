//! Money back: booked in the transaction that decided it, asked for by a job, and read back from Stripe, where people
//! also make refunds by hand.

use super::{
    gateway::{self, GatewayError, RefundStanding},
    letters,
    partial::refuse_disputed,
    parts::{self, Of, Part},
    settle::lock_order_of,
    sold,
};
use crate::{
    audit,
    ids::{OrderId, PaymentId, RefundId, UserId, VendorOrderId},
    ledger,
    orders::{derive_statuses, record},
    server::{
        errors::violates,
        jobs::{self, Job},
        state::App,
    },
};
use anyhow::Context;
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, PgPool};
use uuid::Uuid;

/// A refund that somebody, or the shop by itself, has decided on.
#[derive(Debug, Clone)]
pub struct NewRefund<'a> {
    pub payment: PaymentId,
    /// `cancelled`, `sold_out`, `coupon_used_up`, `paid_twice`, `mismatch`, or of a parcel that was sent or is to be: `vendor`, `operator`, `returned`
    pub reason: &'a str,
    /// In words for the shopper, where a person gave some.
    pub note: &'a str,
    pub actor: Option<UserId>,
    /// What it gives back; together worth something.
    pub parts: &'a [Part],
}

/// Books a refund of part or all of a payment, in the caller's transaction and under the order's lock: its parts, its place in the
/// ledger, and the job that asks Stripe for it. The database refuses more than was paid (`refunds_within`) or sold (`refund_parts_within`).
pub async fn book_refund(tx: &mut PgConnection, new: NewRefund<'_>) -> sqlx::Result<RefundId> {
    let id = RefundId::new();
    let amount: i64 = new.parts.iter().map(|p| p.figures.amount).sum();
    sqlx::query!(
        "insert into refunds (id, payment_id, amount_minor, reason, note, actor_id, idempotency_key) values ($1, $2, $3, $4, $5, $6, $7)",
        id.uuid(),
        new.payment.uuid(),
        amount,
        new.reason,
        new.note,
        new.actor.map(UserId::uuid),
        format!("souk-refund-{id}")
    )
    .execute(&mut *tx)
    .await?;
    insert_parts(tx, id, new.parts).await?;
    ledger::refunds::booked(tx, id).await?;
    let detail = json!({ "payment": new.payment, "amount": amount, "reason": new.reason });
    audit::record(&mut *tx, new.actor, "refund.booked", ("refund", id), detail).await?;
    jobs::enqueue(tx, &Job::Refund { refund: id }, Some(&job_key(id))).await?;
    Ok(id)
}

/// One part as the statement below reads it.
#[derive(Serialize)]
struct Row {
    id: Uuid,
    kind: &'static str,
    vendor_order_id: Option<Uuid>,
    line_id: Option<Uuid>,
    quantity: Option<i32>,
    amount_minor: i64,
    tax_minor: i64,
    fee_minor: i64,
    fee_vat_minor: i64,
    platform_discount_minor: i64,
}

/// Writes what a refund is made of. Together they sum to it, or the transaction does not end well.
async fn insert_parts(tx: &mut PgConnection, refund: RefundId, parts: &[Part]) -> sqlx::Result<()> {
    let rows: Vec<Row> = parts
        .iter()
        .map(|part| {
            let (kind, line, quantity) = match part.of {
                Of::Line { line, quantity } => ("line", Some(line.uuid()), Some(quantity)),
                Of::Shipping => ("shipping", None, None),
                Of::Amount => ("amount", None, None),
                Of::Surplus => ("surplus", None, None),
            };
            Row {
                id: Uuid::now_v7(),
                kind,
                vendor_order_id: part.parcel.map(VendorOrderId::uuid),
                line_id: line,
                quantity,
                amount_minor: part.figures.amount,
                tax_minor: part.figures.tax,
                fee_minor: part.figures.fee,
                fee_vat_minor: part.figures.fee_vat,
                platform_discount_minor: part.figures.platform_discount,
            }
        })
        .collect();
    let rows: Value = serde_json::to_value(rows).map_err(|e| sqlx::Error::Encode(e.into()))?;
    sqlx::query!(
        "insert into refund_parts (id, refund_id, kind, vendor_order_id, line_id, quantity, amount_minor, tax_minor, fee_minor,
                                   fee_vat_minor, platform_discount_minor)
         select p.id, $1, p.kind, p.vendor_order_id, p.line_id, p.quantity, p.amount_minor, p.tax_minor, p.fee_minor, p.fee_vat_minor,
                p.platform_discount_minor
         from jsonb_to_recordset($2) as p (id uuid, kind text, vendor_order_id uuid, line_id uuid, quantity int, amount_minor bigint,
             tax_minor bigint, fee_minor bigint, fee_vat_minor bigint, platform_discount_minor bigint)",
        refund.uuid(),
        rows
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The job of one refund never waits twice.
pub(super) fn job_key(refund: RefundId) -> String {
    format!("refund:{refund}")
}

/// Asks Stripe for a booked refund, or how it stands, and writes the answer down. Safe to repeat.
pub async fn refund(app: &App, refund: RefundId) -> anyhow::Result<()> {
    let row = sqlx::query!(
        r#"select r.state, r.amount_minor, r.idempotency_key, r.stripe_refund_id, r.payment_id as "payment: PaymentId", p.stripe_intent_id
           from refunds r join payments p on p.id = r.payment_id where r.id = $1"#,
        refund.uuid()
    )
    .fetch_one(&app.pool)
    .await?;
    if row.state != "pending" {
        return Ok(());
    }
    let intent = row.stripe_intent_id.context("the payment has no PaymentIntent")?;
    let answer = match &row.stripe_refund_id {
        Some(id) => gateway::refund(app, id).await,
        None => gateway::create_refund(app, &intent, row.amount_minor, refund, &row.idempotency_key).await,
    };
    match answer {
        Ok(answer) => note(app, row.payment, Some(refund), &answer).await,
        Err(GatewayError::Refused { code, message, .. }) => {
            tracing::warn!(%refund, code, message, "Stripe refuses a refund");
            // Most likely someone was quicker in Stripe's dashboard: what is there counts.
            sync_refunds(app, &intent).await?;
            let mut tx = app.pool.begin().await?;
            let order = lock_order_of(&mut tx, row.payment).await?;
            if call_off(app, &mut tx, order, refund, json!({ "operator": true, "message": message })).await? {
                derive_statuses(&mut tx, order).await?;
            }
            tx.commit().await?;
            Ok(())
        }
        Err(away) => Err(away.into()),
    }
}

/// Reads every refund of a PaymentIntent from Stripe and books those that were made elsewhere, as in its dashboard.
pub async fn sync_refunds(app: &App, intent: &str) -> anyhow::Result<()> {
    let payment = sqlx::query_scalar!(r#"select id as "id: PaymentId" from payments where stripe_intent_id = $1"#, intent)
        .fetch_optional(&app.pool)
        .await?;
    let payment = match payment {
        Some(payment) => payment,
        // Not yet known by its intent: the webhook of the refund overtook the one of the payment.
        None => match gateway::payment_of_intent(app, intent).await? {
            Some(payment) => {
                super::settle(app, payment).await?;
                payment
            }
            None => return Ok(()),
        },
    };
    for refund in gateway::refunds(app, intent).await? {
        note(app, payment, refund.booked, &refund).await?;
    }
    Ok(())
}

/// As [`sync_refunds`], for a refund of which only its own id at Stripe is known.
pub async fn sync_refund(app: &App, id: &str) -> anyhow::Result<()> {
    match gateway::intent_of_refund(app, id).await? {
        Some(intent) => sync_refunds(app, &intent).await,
        None => Ok(()),
    }
}

/// Writes down how a refund stands: of our booking, or as a new one that was made in Stripe's dashboard.
async fn note(app: &App, payment: PaymentId, booked: Option<RefundId>, truth: &gateway::Refund) -> anyhow::Result<()> {
    let mut tx = app.pool.begin().await?;
    let order = lock_order_of(&mut tx, payment).await?;
    let row = sqlx::query!(
        r#"select id as "id: RefundId", state from refunds
           where payment_id = $1 and (stripe_refund_id = $2 or id = $3) order by stripe_refund_id = $2 desc nulls last limit 1"#,
        payment.uuid(),
        truth.id,
        booked.map(RefundId::uuid)
    )
    .fetch_optional(&mut *tx)
    .await?;
    let (id, was) = match row {
        Some(row) => (row.id, row.state),
        None if truth.standing == RefundStanding::Failed => return Ok(()),
        None => (book_foreign(app, &mut tx, order, payment, truth).await?, "pending".to_owned()),
    };
    sqlx::query!("update refunds set stripe_refund_id = $2 where id = $1 and stripe_refund_id is null", id.uuid(), truth.id)
        .execute(&mut *tx)
        .await?;
    let now = truth.standing.as_str();
    // Failed is the end: a bank that sent the money back does not change its mind. Succeeded may still fail.
    let moves = was != now && was != "failed" && !(was == "succeeded" && now == "pending");
    match truth.standing {
        RefundStanding::Failed if moves => {
            call_off(app, &mut tx, order, id, json!({})).await?;
        }
        _ if moves && set_state(&mut tx, id, now).await?.is_some() => {
            let parcel = only_parcel(&mut tx, id).await?;
            record(&mut tx, order, parcel, "refunded", json!({ "amount": truth.amount_minor }), None).await?;
            letters::refunded(app, &mut tx, order, truth.amount_minor).await?;
            jobs::enqueue(&mut *tx, &Job::IssueCreditNotes { refund: id }, Some(&format!("credit-notes:{id}"))).await?;
        }
        _ => {}
    }
    derive_statuses(&mut tx, order).await?;
    tx.commit().await?;
    Ok(())
}

/// Books a refund that was not made by us. Where it takes money that we meant to send back ourselves and have not asked
/// for yet, our booking gives way: the parts never exceed the whole. What the shopper has a right to all the same is booked anew.
async fn book_foreign(
    app: &App,
    tx: &mut PgConnection,
    order: OrderId,
    payment: PaymentId,
    truth: &gateway::Refund,
) -> anyhow::Result<RefundId> {
    let id = RefundId::new();
    let mut attempt = tx.begin().await?;
    let first = insert_foreign(&mut attempt, id, order, payment, truth).await;
    let mut gave_way = Vec::new();
    match first {
        Ok(()) => attempt.commit().await?,
        Err(error) if violates(&error, "refunds_within") => {
            attempt.rollback().await?;
            gave_way = sqlx::query!(
                r#"select id as "id: RefundId", reason from refunds
                   where payment_id = $1 and state = 'pending' and stripe_refund_id is null order by created_at, id"#,
                payment.uuid()
            )
            .fetch_all(&mut *tx)
            .await?;
            for ours in &gave_way {
                let why = "Money of this order was sent back in Stripe's dashboard first.";
                call_off(app, tx, order, ours.id, json!({ "operator": true, "message": why })).await?;
            }
            insert_foreign(tx, id, order, payment, truth).await?;
        }
        Err(error) => return Err(error.into()),
    }
    ledger::refunds::booked(tx, id).await?;
    let parcel = only_parcel(tx, id).await?;
    let detail = json!({ "payment": payment, "amount": truth.amount_minor, "by": "Stripe's dashboard" });
    audit::record(tx, None, "refund.booked", ("refund", id), detail).await?;
    let detail = json!({ "amount": truth.amount_minor, "operator": true });
    record(tx, order, parcel, "refunded_in_dashboard", detail, None).await?;
    if let Some(whole) = gave_way.iter().map(|r| r.reason.as_str()).find(|r| !["vendor", "operator", "returned"].contains(r)) {
        let rest = rest_of(tx, order, payment).await?;
        if rest.iter().any(|p| p.figures.amount > 0) && refuse_disputed(tx, payment).await.is_ok() {
            book_refund(tx, NewRefund { payment, reason: whole, note: "", actor: None, parts: &rest }).await?;
        }
    }
    Ok(id)
}

/// All that is left of a payment, in parts.
pub(crate) async fn rest_of(tx: &mut PgConnection, order: OrderId, payment: PaymentId) -> sqlx::Result<Vec<Part>> {
    let paid = sqlx::query!(
        r#"select state = 'surplus' as "surplus!",
                  (amount_minor - coalesce((select sum(amount_minor) from refunds r where r.payment_id = p.id and r.state <> 'failed'), 0)
                   - coalesce((select sum(amount_minor) from disputes d where d.payment_id = p.id
                               and d.status in ('needs_response', 'under_review', 'lost')), 0))::bigint as "left!"
           from payments p where p.id = $1"#,
        payment.uuid()
    )
    .fetch_one(&mut *tx)
    .await?;
    Ok(match (paid.surplus, paid.left) {
        (_, ..=0) => Vec::new(),
        (true, left) => parts::surplus(left),
        (false, _) => sold::parcels(tx, order, None).await?.iter().flat_map(|parcel| parcel.rest()).collect(),
    })
}

/// A bank takes so much of a payment. Refunds that we meant to make and have not asked for yet give way, the last one first: Stripe
/// would refuse them now. Under the order's lock.
pub(crate) async fn make_room(
    app: &App,
    tx: &mut PgConnection,
    order: OrderId,
    payment: PaymentId,
    amount: i64,
) -> anyhow::Result<()> {
    let mut left = sqlx::query_scalar!(
        r#"select (amount_minor - coalesce((select sum(amount_minor) from refunds r where r.payment_id = p.id and r.state <> 'failed'), 0))::bigint
           as "left!" from payments p where p.id = $1"#,
        payment.uuid()
    )
    .fetch_one(&mut *tx)
    .await?;
    let waiting = sqlx::query!(
        r#"select id as "id: RefundId", amount_minor from refunds
           where payment_id = $1 and state = 'pending' and stripe_refund_id is null order by created_at desc, id desc"#,
        payment.uuid()
    )
    .fetch_all(&mut *tx)
    .await?;
    for refund in waiting {
        if left >= amount {
            break;
        }
        let why = "The bank was asked to take this money back first.";
        call_off(app, tx, order, refund.id, json!({ "operator": true, "message": why })).await?;
        left += refund.amount_minor;
    }
    Ok(())
}

async fn insert_foreign(
    tx: &mut PgConnection,
    id: RefundId,
    order: OrderId,
    payment: PaymentId,
    truth: &gateway::Refund,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into refunds (id, payment_id, amount_minor, reason, idempotency_key, stripe_refund_id)
         values ($1, $2, $3, 'stripe_dashboard', $4, $5)",
        id.uuid(),
        payment.uuid(),
        truth.amount_minor,
        format!("stripe:{}", truth.id),
        truth.id
    )
    .execute(&mut *tx)
    .await?;
    let parts = parts_of_amount(tx, order, payment, truth.amount_minor).await?;
    insert_parts(tx, id, &parts).await
}

/// The parts of an amount of which nobody said what it is for.
async fn parts_of_amount(tx: &mut PgConnection, order: OrderId, payment: PaymentId, amount: i64) -> sqlx::Result<Vec<Part>> {
    let surplus = sqlx::query_scalar!(r#"select state = 'surplus' as "surplus!" from payments where id = $1"#, payment.uuid())
        .fetch_one(&mut *tx)
        .await?;
    Ok(if surplus { parts::surplus(amount) } else { parts::spread(&sold::parcels(tx, order, None).await?, amount) })
}

/// Gives parts to refunds that have none: those of the demo world, and those from before refunds had parts. One that gave back all
/// that was left gives back every line; any other is an amount of nothing in particular. Answers how many there were.
pub async fn give_parts(tx: &mut PgConnection) -> sqlx::Result<usize> {
    let bare = sqlx::query!(
        r#"select r.id as "id: RefundId", r.amount_minor, r.state, p.id as "payment: PaymentId", p.state = 'surplus' as "surplus!",
                  p.order_id as "order: OrderId"
           from refunds r join payments p on p.id = r.payment_id
           where not exists (select 1 from refund_parts x where x.refund_id = r.id) order by r.created_at, r.id"#
    )
    .fetch_all(&mut *tx)
    .await?;
    let count = bare.len();
    for refund in bare {
        let parcels = sold::parcels(tx, refund.order, None).await?;
        let left: i64 = parcels.iter().map(|p| p.left().amount).sum();
        let parts = match refund.amount_minor {
            amount if refund.surplus => parts::surplus(amount),
            amount if amount == left => parcels.iter().flat_map(|parcel| parcel.rest()).collect(),
            amount => parts::spread(&parcels, amount),
        };
        // What failed moved nothing, and may be more than is left.
        let parts = if parts.iter().map(|p| p.figures.amount).sum::<i64>() == refund.amount_minor {
            parts
        } else {
            parts::surplus(refund.amount_minor)
        };
        insert_parts(tx, refund.id, &parts).await?;
    }
    Ok(count)
}

/// Brings refunds from before there were parts and books up to date: when the program starts, after the sales are in the books.
/// Several nodes may start at once.
pub async fn catch_up(pool: &PgPool) -> anyhow::Result<()> {
    let mut tx = pool.begin().await?;
    sqlx::query!("select pg_advisory_xact_lock(hashtext('souk refunds'))").execute(&mut *tx).await?;
    let parts = give_parts(&mut tx).await?;
    let steps = ledger::refunds::catch_up(&mut tx).await?;
    tx.commit().await?;
    if parts + steps > 0 {
        tracing::info!(parts, steps, "older refunds have their parts and their place in the books");
    }
    Ok(())
}

/// The parcel that a refund gives back of, where it is one alone.
async fn only_parcel(tx: &mut PgConnection, refund: RefundId) -> sqlx::Result<Option<VendorOrderId>> {
    let parcels = sqlx::query_scalar!(
        r#"select distinct vendor_order_id as "parcel!: VendorOrderId" from refund_parts
           where refund_id = $1 and vendor_order_id is not null limit 2"#,
        refund.uuid()
    )
    .fetch_all(tx)
    .await?;
    Ok(match parcels[..] {
        [only] => Some(only),
        _ => None,
    })
}

/// A refund is off: booked back, and everybody whose matter it is told. `false` where it was off before.
async fn call_off(app: &App, tx: &mut PgConnection, order: OrderId, refund: RefundId, mut detail: Value) -> anyhow::Result<bool> {
    if set_state(tx, refund, "failed").await?.is_none() {
        return Ok(false);
    }
    let amount = sqlx::query_scalar!("select amount_minor from refunds where id = $1", refund.uuid()).fetch_one(&mut *tx).await?;
    detail["amount"] = json!(amount);
    let parcel = only_parcel(tx, refund).await?;
    record(tx, order, parcel, "refund_failed", detail, None).await?;
    letters::refund_failed(app, tx, order, refund).await?;
    Ok(true)
}

/// Writes the state of a refund, and what it means for the books. Answers the state before, `None` where it is the same.
async fn set_state(tx: &mut PgConnection, refund: RefundId, to: &str) -> sqlx::Result<Option<String>> {
    let was = sqlx::query_scalar!(
        "update refunds r set state = $2, settled_at = case when $2 = 'pending' then null else now() end
         from (select id, state from refunds where id = $1 for update) o where r.id = o.id and o.state <> $2 returning o.state",
        refund.uuid(),
        to
    )
    .fetch_optional(&mut *tx)
    .await?;
    match (was.as_deref(), to) {
        (Some(was), "succeeded") => {
            ledger::refunds::paid(tx, refund).await?;
            audit::record(tx, None, "refund.succeeded", ("refund", refund), json!({ "was": was })).await?;
        }
        (Some(was), "failed") => {
            ledger::refunds::returned(tx, refund).await?;
            ledger::refunds::failed(tx, refund).await?;
            audit::record(tx, None, "refund.failed", ("refund", refund), json!({ "was": was })).await?;
        }
        _ => {}
    }
    Ok(was)
}
