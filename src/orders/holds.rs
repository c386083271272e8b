//! What an order holds of the stock. Every function here is called under the order's row lock and touches stock rows in
//! variant id order, as `checkout` does when it makes the holds, so that two orders never wait for each other in a circle.

use crate::ids::OrderId;
use sqlx::{Connection, PgConnection};

/// What moving holds from one state to another does to each piece.
struct Step {
    from: &'static str,
    to: &'static str,
    /// Pieces added to the shelf for each that is moved, and to what is held of it.
    on_hand: i32,
    held: i32,
}

/// Gives back what an unpaid order held; repeating it changes nothing.
pub async fn release_holds(tx: &mut PgConnection, order: OrderId) -> sqlx::Result<()> {
    go(tx, order, Step { from: "held", to: "released", on_hand: 0, held: -1 }).await.map(drop)
}

/// Holds again what was released, for a payment that arrived late: everything, or nothing and `false` where something of
/// it is gone. An order whose holds were never released already has them, which is `true`.
pub async fn retake_holds(tx: &mut PgConnection, order: OrderId) -> sqlx::Result<bool> {
    let mut all = tx.begin().await?;
    let complete = go(&mut all, order, Step { from: "released", to: "held", on_hand: 0, held: 1 }).await?;
    if complete {
        all.commit().await?
    } else {
        all.rollback().await?
    }
    Ok(complete)
}

/// Turns held stock into sold stock: it leaves the shelf. Repeating it changes nothing.
pub async fn take_holds(tx: &mut PgConnection, order: OrderId) -> sqlx::Result<()> {
    go(tx, order, Step { from: "held", to: "taken", on_hand: -1, held: -1 }).await.map(drop)
}

/// Puts sold stock back on the shelf when a paid order is cancelled before anything was shipped.
pub async fn return_taken(tx: &mut PgConnection, order: OrderId) -> sqlx::Result<()> {
    go(tx, order, Step { from: "taken", to: "released", on_hand: 1, held: 0 }).await.map(drop)
}

/// `false` where there was less of something than had to be held again; the caller undoes the step then.
async fn go(tx: &mut PgConnection, order: OrderId, step: Step) -> sqlx::Result<bool> {
    let Step { from, to, on_hand, held } = step;
    sqlx::query_scalar!(
        r#"with moved as (
               update stock_holds set state = $3 where order_id = $1 and state = $2 returning variant_id, quantity
           ), locked as (
               select s.variant_id, m.quantity from stock s join moved m on m.variant_id = s.variant_id
               where $5 <= 0 or s.on_hand - s.held >= m.quantity order by s.variant_id for update of s
           ), put as (
               update stock s set on_hand = s.on_hand + $4 * l.quantity, held = s.held + $5 * l.quantity
               from locked l where s.variant_id = l.variant_id returning 1
           )
           select (select count(*) from moved) = (select count(*) from put) as "complete!""#,
        order.uuid(),
        from,
        to,
        on_hand,
        held
    )
    .fetch_one(tx)
    .await
}
