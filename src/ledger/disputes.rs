//! What a dispute moves in the books: what a bank takes is held from the vendors whose goods it is about; won, it is theirs again; lost,
//! it is booked as a refund of the same parts. By frozen rows alone, each step once, under the order's lock.

use super::{
    book_at,
    model::{Account, Booking, Cause, Entries},
};
use crate::{
    ids::{DisputeId, OrderId, VendorId, VendorOrderId},
    money::Currency,
};
use sqlx::PgConnection;
use time::OffsetDateTime;

/// A dispute as the books need it.
struct Dispute {
    id: DisputeId,
    order: OrderId,
    currency: Currency,
    amount: i64,
    fee: i64,
    withdrawn: i64,
    reinstated: i64,
    /// Of money that no order took.
    surplus: bool,
    /// The payment is in the books.
    sold: bool,
    held: bool,
    parts: Vec<Part>,
}

/// What falls to a parcel of a vendor.
struct Part {
    parcel: VendorOrderId,
    vendor: VendorId,
    /// From then on its vendor could be paid.
    released: bool,
    amount: i64,
    fee: i64,
    fee_vat: i64,
    platform_discount: i64,
}

async fn read(tx: &mut PgConnection, id: DisputeId) -> sqlx::Result<Dispute> {
    let row = sqlx::query!(
        r#"select d.order_id as "order: OrderId", d.currency as "currency: Currency", d.amount_minor, d.fee_minor, d.withdrawn_minor,
                  d.reinstated_minor, p.state = 'surplus' as "surplus!",
                  exists (select 1 from ledger_transactions t where t.cause = 'payment' and t.cause_id = p.id
                          and t.step in ('sale', 'surplus')) as "sold!",
                  exists (select 1 from ledger_transactions t where t.cause = 'dispute' and t.cause_id = d.id
                          and t.step = 'withdrawn') as "held!"
           from disputes d join payments p on p.id = d.payment_id where d.id = $1"#,
        id.uuid()
    )
    .fetch_one(&mut *tx)
    .await?;
    let parts = sqlx::query_as!(
        Part,
        r#"select v.id as "parcel: VendorOrderId", v.vendor_id as "vendor: VendorId", p.amount_minor as amount, p.fee_minor as fee,
                  p.fee_vat_minor as fee_vat, p.platform_discount_minor as platform_discount,
                  exists (select 1 from ledger_transactions t where t.cause = 'release' and t.cause_id = v.id) as "released!"
           from dispute_parts p join vendor_orders v on v.id = p.vendor_order_id where p.dispute_id = $1 order by v.id"#,
        id.uuid()
    )
    .fetch_all(&mut *tx)
    .await?;
    Ok(Dispute {
        id,
        order: row.order,
        currency: row.currency,
        amount: row.amount_minor,
        fee: row.fee_minor,
        withdrawn: row.withdrawn_minor.unwrap_or_default(),
        reinstated: row.reinstated_minor.unwrap_or_default(),
        surplus: row.surplus,
        sold: row.sold,
        held: row.held,
        parts,
    })
}

impl Dispute {
    /// Where the amount is while the bank decides.
    fn held(&self) -> Entries {
        let mut entries = Entries::default();
        let mut ours = self.amount;
        for part in &self.parts {
            entries.debit(Account::DisputesHeld(part.vendor), part.amount, Some(part.parcel));
            ours -= part.amount;
        }
        // What is no vendor's: a shopper's own money that was due to go back, or our loss.
        entries.debit(if self.surplus { Account::RefundsDue } else { Account::Losses }, ours, None);
        entries
    }

    async fn book(&self, tx: &mut PgConnection, step: &str, entries: Entries, at: OffsetDateTime) -> sqlx::Result<()> {
        let booking =
            Booking { order: Some(self.order), ..Booking::of(Cause::Dispute, self.id.uuid(), step, self.currency, entries) };
        book_at(tx, booking, at).await?;
        Ok(())
    }
}

/// The bank has taken the money: held from the vendors. Stripe's fee is ours. Nothing for a payment that is not in the books yet.
pub async fn withdrawn(tx: &mut PgConnection, id: DisputeId, at: OffsetDateTime) -> sqlx::Result<()> {
    let dispute = read(tx, id).await?;
    if !dispute.sold || dispute.withdrawn == 0 {
        return Ok(());
    }
    let mut entries = dispute.held();
    entries
        .debit(Account::StripeFees, dispute.fee, None)
        .credit(Account::Cash, dispute.withdrawn + dispute.fee, None)
        // What Stripe moved is never another amount than is disputed; if it were, the operator has to look.
        .debit(Account::Suspense, dispute.withdrawn - dispute.amount, None);
    dispute.book(tx, "withdrawn", entries, at).await
}

/// The bank has decided for us and given the money back.
pub async fn won(tx: &mut PgConnection, id: DisputeId, at: OffsetDateTime) -> sqlx::Result<()> {
    let dispute = read(tx, id).await?;
    if !dispute.held || dispute.reinstated == 0 {
        return Ok(());
    }
    let mut entries = dispute.held().reversed();
    entries.debit(Account::Cash, dispute.reinstated, None).credit(Account::Suspense, dispute.reinstated - dispute.amount, None);
    dispute.book(tx, "won", entries, at).await
}

/// The bank has decided for the shopper: what was held is a refund that the bank has made, of the same parts.
pub async fn lost(tx: &mut PgConnection, id: DisputeId, at: OffsetDateTime) -> sqlx::Result<()> {
    let dispute = read(tx, id).await?;
    if !dispute.held {
        return Ok(());
    }
    let mut entries = Entries::default();
    for part in &dispute.parts {
        let of = Some(part.parcel);
        let vendor = if part.released { Account::VendorPayable(part.vendor) } else { Account::VendorPending(part.vendor) };
        entries
            .debit(vendor, part.amount + part.platform_discount - part.fee - part.fee_vat, of)
            .debit(Account::Commission, part.fee, of)
            .debit(Account::CommissionVat, part.fee_vat, of)
            .credit(Account::Discounts, part.platform_discount, of)
            .credit(Account::DisputesHeld(part.vendor), part.amount, of);
    }
    dispute.book(tx, "lost", entries, at).await
}
