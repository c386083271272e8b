//! What came back: it is paid back and put on the shelf in the transaction that says so.

use super::{
    letters::{self, About},
    model::Act,
    steps::{Actor, audit_of, step},
};
use crate::{
    error::{AppError, FieldErrors, Refusal},
    ids::{OrderLineId, ReturnId},
    money::{Currency, Money},
    orders::{derive_statuses, record},
    payments::{self, NewRefund, parts::Wanted},
    server::state::App,
};
use serde_json::json;
use sqlx::PgConnection;
use std::collections::BTreeMap;

/// What came of one line: pieces, and how many of them go back on the shelf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    pub received: i32,
    pub restocked: i32,
}

/// Says what came, pays it back, and puts on the shelf what can be sold again: all in one transaction. The shipping goes back, too,
/// when with this the whole parcel did.
///
/// # Errors
/// `Invalid` at `received[{line}]` and `restock[{line}]`; `Stale` where it was not accepted, or is done.
pub async fn receive(app: &App, by: Actor<'_>, id: ReturnId, receipts: &BTreeMap<OrderLineId, Receipt>) -> Result<(), AppError> {
    let mut tx = app.pool.begin().await?;
    let (about, to) = step(&mut tx, by, id, Act::Receive).await?;
    let lines =
        sqlx::query!(r#"select line_id as "line: OrderLineId", quantity from return_lines where return_id = $1"#, id.uuid())
            .fetch_all(&mut *tx)
            .await?;
    check(receipts, &lines.iter().map(|l| (l.line, l.quantity)).collect())?;
    for (line, receipt) in receipts {
        sqlx::query!(
            "update return_lines set received = $3, restocked = $4 where return_id = $1 and line_id = $2",
            id.uuid(),
            line.uuid(),
            receipt.received,
            receipt.restocked
        )
        .execute(&mut *tx)
        .await?;
    }
    restock(&mut tx, id).await?;

    let payment = payments::paid_payment(&mut tx, about.order).await?;
    if let Some(payment) = payment {
        payments::refuse_disputed(&mut tx, payment).await?;
    }
    let sold = payments::sold_parcels(&mut tx, about.order, Some(about.parcel)).await?.pop().ok_or(AppError::NotFound)?;
    // What was paid back before is not paid back again.
    let lines: BTreeMap<_, _> = sold
        .lines
        .iter()
        .filter_map(|l| receipts.get(&l.id).map(|r| (l.id, r.received.min(l.left()))))
        .filter(|(_, quantity)| *quantity > 0)
        .collect();
    let goods = sold.parts(&Wanted { lines: lines.clone(), shipping_minor: 0 }).unwrap_or_default();
    let left: i64 = sold.left().amount - goods.iter().map(|p| p.figures.amount).sum::<i64>();
    let shipping_minor = if sold.complete_with(&lines) { sold.shipping_left().min(left) } else { 0 };
    let parts = sold.parts(&Wanted { lines, shipping_minor }).map_err(|_| Refusal::RefundsTooMuch)?;
    let amount: i64 = parts.iter().map(|p| p.figures.amount).sum();
    let mut refund = None;
    if amount > 0 {
        let payment = payment.ok_or(Refusal::NotPaidYet)?;
        let new = NewRefund { payment, reason: "returned", note: "", actor: by.person(), parts: &parts };
        refund = Some(payments::book_refund(&mut tx, new).await.map_err(payments::too_much)?);
        derive_statuses(&mut tx, about.order).await?;
    }
    sqlx::query!(
        "update returns set state = $2, refund_id = $3, changed_at = now() where id = $1",
        id.uuid(),
        to.as_str(),
        refund.map(|r| r.uuid())
    )
    .execute(&mut *tx)
    .await?;
    let contents = sold.contents(&parts);
    let who = by.name(&about.vendor_name);
    let detail = json!({ "return": id, "amount": amount, "contents": contents, "by": who, "vendor": about.vendor_name });
    record(&mut tx, about.order, Some(about.parcel), "return_received", detail, by.person()).await?;
    let pieces: i32 = receipts.values().map(|r| r.received).sum();
    let detail = json!({ "amount": amount, "refund": refund, "pieces": pieces });
    audit_of(&mut tx, by, &about, "return.received", detail).await?;
    tell_received(app, &mut tx, &about, amount, &contents).await?;
    tx.commit().await?;
    Ok(())
}

/// A receipt names every line of the return at most once, no more pieces than were to come, and at least one that came.
fn check(receipts: &BTreeMap<OrderLineId, Receipt>, lines: &BTreeMap<OrderLineId, i32>) -> Result<(), AppError> {
    let mut errors = FieldErrors::default();
    for (line, receipt) in receipts {
        let Some(quantity) = lines.get(line) else { return Err(AppError::NotFound) };
        if !(0..=*quantity).contains(&receipt.received) {
            errors.add(&format!("received[{line}]"), format!("From 0 to {quantity} can have come."));
        } else if !(0..=receipt.received).contains(&receipt.restocked) {
            errors.add(&format!("restock[{line}]"), "No more than what came can go back on the shelf.");
        }
    }
    if receipts.values().all(|r| r.received == 0) {
        errors.add("", "Say what came, at least one piece.");
    }
    errors.check()
}

/// Puts what can be sold again on the shelf, in the order in which everybody takes stock rows.
async fn restock(tx: &mut PgConnection, id: ReturnId) -> sqlx::Result<()> {
    sqlx::query!(
        "with back as (
             select l.variant_id, sum(x.restocked)::int as pieces from return_lines x join order_lines l on l.id = x.line_id
             where x.return_id = $1 and x.restocked > 0 and l.variant_id is not null group by 1
         ), locked as (
             select s.variant_id, b.pieces from stock s join back b on b.variant_id = s.variant_id order by s.variant_id for update of s
         )
         update stock s set on_hand = s.on_hand + l.pieces from locked l where s.variant_id = l.variant_id",
        id.uuid()
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn tell_received(app: &App, tx: &mut PgConnection, about: &About, amount: i64, contents: &str) -> anyhow::Result<()> {
    let currency =
        sqlx::query_scalar!(r#"select currency as "currency: Currency" from orders where id = $1"#, about.order.uuid())
            .fetch_one(&mut *tx)
            .await?;
    let mut text = vec![format!("{} has what you sent back of order {}.", about.vendor_name, about.number)];
    if amount > 0 {
        let money = Money::new(amount, currency);
        text.push(format!("You get {money} back for {contents}. It goes back to the card you paid with."));
    } else {
        text.push("It was paid back before, so nothing more follows.".into());
    }
    letters::to_shopper(app, tx, about, format!("Your return of order {} has come", about.number), text).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_says_what_came_and_no_more() {
        let (line, other) = (OrderLineId::new(), OrderLineId::new());
        let lines = [(line, 2)].into();
        let one = |received, restocked| [(line, Receipt { received, restocked })].into();
        assert_eq!(check(&one(2, 1), &lines), Ok(()));
        for (receipts, field) in [
            (one(3, 0), format!("received[{line}]")),
            (one(-1, 0), format!("received[{line}]")),
            (one(1, 2), format!("restock[{line}]")),
            (one(0, 0), String::new()),
        ] {
            match check(&receipts, &lines) {
                Err(AppError::Invalid(errors)) => assert!(errors.get(&field).is_some(), "{errors:?}"),
                other => panic!("{other:?}"),
            }
        }
        let stranger = [(other, Receipt { received: 1, restocked: 0 })].into();
        assert_eq!(check(&stranger, &lines), Err(AppError::NotFound));
    }
}
