//! The timeline of an order: facts, written in the transaction that made them true, never edited.

use crate::ids::{OrderId, UserId, VendorOrderId};
use sqlx::PgConnection;

/// Writes one fact. `vendor_order` is `None` for what concerns the whole order; `actor` is `None` for what nobody signed in
/// did (a guest, Stripe, the sweeper). `kind` is a short past participle: `paid`, `shipped`, `cancelled`. In whose team the actor is now is
/// kept with it, for [`Names::Team`](super::queries::Names).
pub async fn record(
    tx: &mut PgConnection,
    order: OrderId,
    vendor_order: Option<VendorOrderId>,
    kind: &str,
    detail: serde_json::Value,
    actor: Option<UserId>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into order_events (order_id, vendor_order_id, kind, detail, actor_id, actor_vendor_id)
         values ($1, $2, $3, $4, $5, (select vendor_id from vendor_members where user_id = $5))",
        order.uuid(),
        vendor_order.map(VendorOrderId::uuid),
        kind,
        detail,
        actor.map(UserId::uuid)
    )
    .execute(tx)
    .await?;
    Ok(())
}
