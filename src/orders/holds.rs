//! What an order holds of the stock. Every function here is called under the order's row lock and touches stock rows in
//! variant id order, as `checkout` does when it makes the holds, so that two orders never wait for each other in a circle.

use crate::ids::{OrderId, VariantId};
use sqlx::{Connection, PgConnection};

struct Hold {
    variant: VariantId,
    quantity: i32,
}

async fn holds_in_state(tx: &mut PgConnection, order: OrderId, state: &str) -> sqlx::Result<Vec<Hold>> {
    sqlx::query_as!(
        Hold,
        r#"select variant_id as "variant: VariantId", quantity from stock_holds
           where order_id = $1 and state = $2 order by variant_id"#,
        order.uuid(),
        state
    )
    .fetch_all(tx)
    .await
}

async fn set_state(tx: &mut PgConnection, order: OrderId, from: &str, to: &str) -> sqlx::Result<()> {
    sqlx::query!("update stock_holds set state = $3 where order_id = $1 and state = $2", order.uuid(), from, to)
        .execute(tx)
        .await?;
    Ok(())
}

/// Gives back what an unpaid order held; repeating it changes nothing.
pub async fn release_holds(tx: &mut PgConnection, order: OrderId) -> sqlx::Result<()> {
    for hold in holds_in_state(tx, order, "held").await? {
        sqlx::query!("update stock set held = held - $2 where variant_id = $1", hold.variant.uuid(), hold.quantity)
            .execute(&mut *tx)
            .await?;
    }
    set_state(tx, order, "held", "released").await
}

/// Holds again what was released, for a payment that arrived late: everything, or nothing and `false` where something of
/// it is gone. An order whose holds were never released already has them, which is `true`.
pub async fn retake_holds(tx: &mut PgConnection, order: OrderId) -> sqlx::Result<bool> {
    let mut all = tx.begin().await?;
    for hold in holds_in_state(&mut all, order, "released").await? {
        let taken = sqlx::query!(
            "update stock set held = held + $2 where variant_id = $1 and on_hand - held >= $2",
            hold.variant.uuid(),
            hold.quantity
        )
        .execute(&mut *all)
        .await?;
        if taken.rows_affected() == 0 {
            all.rollback().await?;
            return Ok(false);
        }
    }
    set_state(&mut all, order, "released", "held").await?;
    all.commit().await?;
    Ok(true)
}

/// Turns held stock into sold stock: it leaves the shelf. Repeating it changes nothing.
pub async fn take_holds(tx: &mut PgConnection, order: OrderId) -> sqlx::Result<()> {
    for hold in holds_in_state(tx, order, "held").await? {
        sqlx::query!(
            "update stock set on_hand = on_hand - $2, held = held - $2 where variant_id = $1",
            hold.variant.uuid(),
            hold.quantity
        )
        .execute(&mut *tx)
        .await?;
    }
    set_state(tx, order, "held", "taken").await
}

/// Puts sold stock back on the shelf when a paid order is cancelled before anything was shipped.
pub async fn return_taken(tx: &mut PgConnection, order: OrderId) -> sqlx::Result<()> {
    for hold in holds_in_state(tx, order, "taken").await? {
        sqlx::query!("update stock set on_hand = on_hand + $2 where variant_id = $1", hold.variant.uuid(), hold.quantity)
            .execute(&mut *tx)
            .await?;
    }
    set_state(tx, order, "taken", "released").await
}
