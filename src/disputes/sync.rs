//! From what Stripe says of a dispute to rows and books. Every event of a dispute ends here: it is read anew, and every fact is compared
//! with what is known, under the order's lock; so order and number of calls do not matter.

use super::{
    gateway,
    letters::{self, About},
    model::DisputeStatus,
};
use crate::{
    audit,
    ids::{DisputeId, OrderId, PaymentId, VendorId, VendorOrderId},
    ledger,
    money::Currency,
    orders::{derive_statuses, record},
    payments::{self, NewRefund, lock_order_of, make_room, parts, rest_of, sold_parcels},
    payouts,
    server::state::App,
};
use anyhow::Context;
use serde_json::{Value, json};
use sqlx::PgConnection;
use time::OffsetDateTime;

/// Reads a dispute from Stripe and acts on it. Nothing happens for one that is not about a payment of ours.
pub async fn sync_dispute(app: &App, id: &str) -> anyhow::Result<()> {
    let truth = gateway::dispute(app, id).await?;
    note(app, &truth).await
}

/// Writes down how a dispute stands.
pub(super) async fn note(app: &App, truth: &gateway::Dispute) -> anyhow::Result<()> {
    let Some(intent) = &truth.intent else { return Ok(()) };
    let Some(payment) = payments::payment_of_intent(app, intent).await? else { return Ok(()) };
    let status = truth.status.with_context(|| format!("dispute {} has a status that we do not know", truth.id))?;
    // The dispute's event may overtake that of the payment itself.
    payments::settle(app, payment).await?;
    let mut tx = app.pool.begin().await?;
    let order = lock_order_of(&mut tx, payment).await?;
    let paid = sqlx::query!(
        r#"select currency as "currency: Currency", state = 'surplus' as "surplus!", state in ('paid', 'surplus') as "came!"
           from payments where id = $1"#,
        payment.uuid()
    )
    .fetch_one(&mut *tx)
    .await?;
    anyhow::ensure!(paid.came, "payment {payment} is disputed and did not come in");
    if truth.currency != paid.currency.code() || truth.foreign {
        // Our balance at Stripe is kept in another currency than we sell in: these books cannot hold that.
        tracing::error!(%payment, dispute = truth.id, currency = truth.currency, "a dispute is reckoned in another currency");
        foreign(app, &mut tx, order, payment, truth, status).await?;
        tx.commit().await?;
        return Ok(());
    }
    ledger::sales::sold(&mut tx, payment).await?;
    ledger::sales::surplus(&mut tx, payment).await?;
    let known = sqlx::query!(
        r#"select id as "id: DisputeId", status as "status: DisputeStatus", withdrawn_minor, reinstated_minor from disputes
           where stripe_dispute_id = $1"#,
        truth.id
    )
    .fetch_optional(&mut *tx)
    .await?;
    let (id, was) = match &known {
        Some(row) => (row.id, Some(row.status)),
        None => (open(app, &mut tx, order, payment, paid.surplus, truth, status).await?, None),
    };
    let now = was.map_or(status, |was| was.then(status));
    sqlx::query!(
        "update disputes set status = $2, evidence_due_at = $3, refundable = $4,
                withdrawn_minor = coalesce(withdrawn_minor, $5), withdrawn_at = coalesce(withdrawn_at, $6),
                fee_minor = case when withdrawn_minor is null then $7 else fee_minor end,
                reinstated_minor = coalesce(reinstated_minor, $8), reinstated_at = coalesce(reinstated_at, $9),
                closed_at = case when $10 then closed_at else coalesce(closed_at, now()) end
         where id = $1",
        id.uuid(),
        now.as_str(),
        truth.due,
        // An older answer must not take back what a newer one said.
        truth.refundable || now == DisputeStatus::Won,
        truth.withdrawn.map(|m| m.amount_minor),
        truth.withdrawn.map(|m| m.at),
        truth.fee_minor,
        truth.withdrawn.and(truth.reinstated).map(|m| m.amount_minor),
        truth.withdrawn.and(truth.reinstated).map(|m| m.at),
        now.is_open()
    )
    .execute(&mut *tx)
    .await?;
    let about = letters::about(&mut tx, id).await?;
    if was.is_none() {
        let detail = json!({ "dispute": id, "amount": truth.amount_minor, "reason": truth.reason });
        record(&mut tx, order, None, "disputed", detail, None).await?;
        audit_of(&mut tx, &about, "dispute.opened", json!({ "amount": truth.amount_minor, "reason": truth.reason })).await?;
        letters::opened(app, &mut tx, &about).await?;
    }
    let new = Facts {
        withdrawn: known.as_ref().is_none_or(|k| k.withdrawn_minor.is_none()) && truth.withdrawn.is_some(),
        reinstated: known.as_ref().is_none_or(|k| k.reinstated_minor.is_none())
            && truth.withdrawn.and(truth.reinstated).is_some(),
        ended: was != Some(now) && !now.is_open(),
    };
    book(&mut tx, &about, truth, now, &new).await?;
    if new.ended {
        ended(app, &mut tx, &about, now, paid.surplus).await?;
    }
    derive_statuses(&mut tx, order).await?;
    tx.commit().await?;
    Ok(())
}

/// Keeps what can be kept of a dispute that the books cannot hold, so that the operators see that a bank waits.
async fn foreign(
    app: &App,
    tx: &mut PgConnection,
    order: OrderId,
    payment: PaymentId,
    truth: &gateway::Dispute,
    status: DisputeStatus,
) -> anyhow::Result<()> {
    let was = sqlx::query_scalar!(
        r#"select status as "status: DisputeStatus" from foreign_disputes where stripe_dispute_id = $1"#,
        truth.id
    )
    .fetch_optional(&mut *tx)
    .await?;
    sqlx::query!(
        "insert into foreign_disputes (stripe_dispute_id, payment_id, order_id, amount_minor, currency, reason, status, evidence_due_at, opened_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (stripe_dispute_id) do update set status = excluded.status, evidence_due_at = excluded.evidence_due_at",
        truth.id,
        payment.uuid(),
        order.uuid(),
        truth.amount_minor,
        truth.currency,
        truth.reason,
        was.map_or(status, |was| was.then(status)).as_str(),
        truth.due,
        truth.opened_at
    )
    .execute(&mut *tx)
    .await?;
    if was.is_none() {
        let detail = json!({
            "order": order, "payment": payment, "amount": truth.amount_minor, "currency": truth.currency, "reason": truth.reason,
            "by": "Stripe",
        });
        audit::record(&mut *tx, None, "dispute.opened_elsewhere", ("dispute", &truth.id), detail).await?;
        letters::foreign(app, tx, order, truth).await?;
    }
    Ok(())
}

/// What this answer said first.
struct Facts {
    withdrawn: bool,
    reinstated: bool,
    ended: bool,
}

/// What moved comes into the books, and into the timeline; the vendors' money at Stripe follows.
async fn book(
    tx: &mut PgConnection,
    about: &About,
    truth: &gateway::Dispute,
    now: DisputeStatus,
    new: &Facts,
) -> anyhow::Result<()> {
    if let Some(moved) = truth.withdrawn {
        ledger::disputes::withdrawn(tx, about.id, moved.at).await?;
        if new.withdrawn {
            let detail = json!({ "dispute": about.id, "amount": moved.amount_minor, "fee": truth.fee_minor });
            record(tx, about.order, None, "dispute_withdrawn", detail, None).await?;
            let detail = json!({ "amount": moved.amount_minor, "fee": truth.fee_minor });
            audit_of(tx, about, "dispute.withdrawn", detail).await?;
        }
    }
    if let Some(moved) = truth.reinstated {
        ledger::disputes::won(tx, about.id, moved.at).await?;
        if new.reinstated {
            let detail = json!({ "dispute": about.id, "amount": moved.amount_minor });
            record(tx, about.order, None, "dispute_reinstated", detail, None).await?;
            audit_of(tx, about, "dispute.reinstated", json!({ "amount": moved.amount_minor })).await?;
        }
    }
    if now == DisputeStatus::Lost {
        ledger::disputes::lost(tx, about.id, OffsetDateTime::now_utc()).await?;
    }
    if new.withdrawn || new.reinstated || new.ended {
        for vendor in &about.vendors {
            payouts::level_later(&mut *tx, vendor.id).await?;
        }
    }
    Ok(())
}

/// It is decided: everybody whose matter it is reads how.
async fn ended(app: &App, tx: &mut PgConnection, about: &About, now: DisputeStatus, surplus: bool) -> anyhow::Result<()> {
    let (kind, action) = match now {
        DisputeStatus::Won => ("dispute_won", "dispute.won"),
        DisputeStatus::Lost => ("dispute_lost", "dispute.lost"),
        _ => ("dispute_closed", "dispute.closed"),
    };
    record(tx, about.order, None, kind, json!({ "dispute": about.id, "amount": about.amount_minor }), None).await?;
    audit_of(tx, about, action, json!({ "amount": about.amount_minor })).await?;
    letters::ended(app, tx, about, now).await?;
    if now == DisputeStatus::Won {
        give_back_what_waited(tx, about, surplus).await?;
    }
    Ok(())
}

/// What was to go back when the bank was asked and gave way to that goes back now, the way it would have gone without the bank: money that was
/// never ours, and all that is left of an order that was called off.
async fn give_back_what_waited(tx: &mut PgConnection, about: &About, surplus: bool) -> anyhow::Result<()> {
    let row = sqlx::query!(
        r#"select o.status = 'cancelled' as "called_off!",
                  (select r.reason from refunds r where r.payment_id = $2 and r.reason <> 'stripe_dashboard'
                   order by r.created_at desc limit 1) as reason
           from orders o where o.id = $1"#,
        about.order.uuid(),
        about.payment.uuid()
    )
    .fetch_one(&mut *tx)
    .await?;
    let reason = match (surplus, row.called_off) {
        (true, _) => row.reason.as_deref().unwrap_or("mismatch"),
        (false, true) => "cancelled",
        (false, false) => return Ok(()),
    };
    let rest = rest_of(tx, about.order, about.payment).await?;
    if rest.iter().any(|p| p.figures.amount > 0) {
        payments::book_refund(tx, NewRefund { payment: about.payment, reason, note: "", actor: None, parts: &rest }).await?;
    }
    Ok(())
}

/// Into the audit log, as Stripe's word; the detail goes with the order and the payment.
async fn audit_of(tx: &mut PgConnection, about: &About, action: &str, mut detail: Value) -> sqlx::Result<()> {
    detail["order"] = json!(about.order);
    detail["payment"] = json!(about.payment);
    detail["by"] = json!("Stripe");
    audit::record(tx, None, action, ("dispute", about.id), detail).await
}

/// A dispute that we did not know: its row, and whose money it is by what is left of each parcel.
async fn open(
    app: &App,
    tx: &mut PgConnection,
    order: OrderId,
    payment: PaymentId,
    surplus: bool,
    truth: &gateway::Dispute,
    status: DisputeStatus,
) -> anyhow::Result<DisputeId> {
    make_room(app, tx, order, payment, truth.amount_minor).await?;
    let mut split = if surplus { Vec::new() } else { parts::spread(&sold_parcels(tx, order, None).await?, truth.amount_minor) };
    let falls: i64 = split.iter().map(|p| p.figures.amount).sum();
    if falls < truth.amount_minor {
        split.extend(parts::surplus(truth.amount_minor - falls));
    }
    let id = DisputeId::new();
    sqlx::query!(
        "insert into disputes (id, stripe_dispute_id, payment_id, order_id, amount_minor, currency, reason, status, evidence_due_at,
                               refundable, opened_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        id.uuid(),
        truth.id,
        payment.uuid(),
        order.uuid(),
        truth.amount_minor,
        truth.currency,
        truth.reason,
        status.as_str(),
        truth.due,
        truth.refundable,
        truth.opened_at
    )
    .execute(&mut *tx)
    .await?;
    for part in split {
        sqlx::query!(
            "insert into dispute_parts (dispute_id, vendor_order_id, amount_minor, tax_minor, fee_minor, fee_vat_minor, platform_discount_minor)
             values ($1, $2, $3, $4, $5, $6, $7)",
            id.uuid(),
            part.parcel.map(VendorOrderId::uuid),
            part.figures.amount,
            part.figures.tax,
            part.figures.fee,
            part.figures.fee_vat,
            part.figures.platform_discount
        )
        .execute(&mut *tx)
        .await?;
    }
    Ok(id)
}

/// A vendor of a dispute, for those who level its money.
#[derive(Debug, Clone)]
pub(super) struct Concerned {
    pub id: VendorId,
    pub email: String,
    pub amount_minor: i64,
}
