//! Giving back part of what was paid for a parcel: pieces, shipping. By its vendor, or by an operator, under the order's lock.

use super::{
    letters,
    parts::{SoldParcel, TooMuch, Wanted},
    refunds::{NewRefund, book_refund},
    sold,
};
use crate::{
    error::{AppError, FieldErrors, Refusal},
    ids::{OrderId, PaymentId, RefundId, UserId, VendorOrderId},
    money::Currency,
    orders::{derive_statuses, record},
    server::{
        auth::{Manager, Operator},
        errors::violates,
        state::App,
    },
    texts,
};
use serde_json::json;
use sqlx::{PgConnection, PgPool};

texts!(
    /// Why money goes back, in words that the shopper reads.
    RefundNote: line, 1, 300;
);

/// Who gives back, and of which parcels they may.
#[derive(Debug, Clone, Copy)]
pub enum Giver<'a> {
    /// Of its own parcels.
    Vendor(&'a Manager),
    /// Of all.
    Operator(&'a Operator),
}

impl Giver<'_> {
    fn person(self) -> UserId {
        match self {
            Self::Vendor(vendor) => vendor.customer().id(),
            Self::Operator(operator) => operator.id(),
        }
    }

    fn vendor(self) -> Option<uuid::Uuid> {
        match self {
            Self::Vendor(vendor) => Some(vendor.id().uuid()),
            Self::Operator(_) => None,
        }
    }

    fn reason(self) -> &'static str {
        match self {
            Self::Vendor(_) => "vendor",
            Self::Operator(_) => "operator",
        }
    }
}

/// A parcel of which something can still be given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refundable {
    pub parcel: SoldParcel,
    pub currency: Currency,
}

/// What can still go back of a parcel, as it stands now; `None` where it was never paid or all went back. Of a parcel that is not
/// the giver's there is none either.
pub async fn refundable(pool: &PgPool, by: Giver<'_>, parcel: VendorOrderId) -> Result<Option<Refundable>, AppError> {
    let mut db = pool.acquire().await?;
    let place = sqlx::query!(
        r#"select o.id as "order: OrderId", o.currency as "currency: Currency" from vendor_orders v join orders o on o.id = v.order_id
           where v.id = $1 and ($2::uuid is null or v.vendor_id = $2)
             and exists (select 1 from payments p where p.order_id = o.id and p.state = 'paid')"#,
        parcel.uuid(),
        by.vendor()
    )
    .fetch_optional(&mut *db)
    .await?;
    let Some(place) = place else { return Ok(None) };
    let parcel = sold::parcels(&mut db, place.order, Some(parcel)).await?.pop();
    let parcel = parcel.filter(|p| p.left().amount > 0);
    Ok(parcel.map(|parcel| Refundable { parcel, currency: place.currency }))
}

/// Gives this back: booked now, asked of Stripe by a job, told to the shopper, and to the vendor where an operator did it.
///
/// # Errors
/// `NotFound` for a parcel or a line that is not the giver's, `NotPaidYet`, `Disputed`, `RefundsTooMuch` for more than is left; `Invalid` without
/// a reason or without anything to give back.
pub async fn give_back(
    app: &App,
    by: Giver<'_>,
    parcel: VendorOrderId,
    wanted: &Wanted,
    note: &str,
) -> Result<RefundId, AppError> {
    let mut errors = FieldErrors::default();
    let note = errors.take("reason", note.parse::<RefundNote>());
    if wanted.lines.is_empty() && wanted.shipping_minor == 0 {
        errors.add("", "Say what goes back: pieces, or shipping.");
    }
    let (Some(note), true) = (note, errors.is_empty()) else { return Err(errors.into()) };

    let mut tx = app.pool.begin().await?;
    let order = sqlx::query_scalar!(
        r#"select o.id as "order: OrderId" from vendor_orders v join orders o on o.id = v.order_id
           where v.id = $1 and ($2::uuid is null or v.vendor_id = $2) for update of o"#,
        parcel.uuid(),
        by.vendor()
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(AppError::NotFound)?;
    let payment = paid_payment(&mut tx, order).await?.ok_or(Refusal::NotPaidYet)?;
    refuse_disputed(&mut tx, payment).await?;
    let sold = sold::parcels(&mut tx, order, Some(parcel)).await?.pop().ok_or(AppError::NotFound)?;
    let parts = sold.parts(wanted).map_err(|no| match no {
        TooMuch::NoSuchLine => AppError::NotFound,
        TooMuch::Pieces { .. } | TooMuch::Shipping { .. } => Refusal::RefundsTooMuch.into(),
    })?;
    let amount: i64 = parts.iter().map(|p| p.figures.amount).sum();
    if amount == 0 {
        return Err(Refusal::RefundsTooMuch.into());
    }
    let new = NewRefund { payment, reason: by.reason(), note: note.as_str(), actor: Some(by.person()), parts: &parts };
    let refund = book_refund(&mut tx, new).await.map_err(too_much)?;
    derive_statuses(&mut tx, order).await?;
    let contents = sold.contents(&parts);
    let detail =
        json!({ "amount": amount, "contents": contents, "note": note.as_str(), "vendor": sold.vendor_name, "by": by.reason() });
    record(&mut tx, order, Some(parcel), "refund_booked", detail, Some(by.person())).await?;
    letters::giving_back(app, &mut tx, order, &sold.vendor_name, amount, &contents, note.as_str()).await?;
    if let Giver::Operator(_) = by {
        letters::given_by_operator(app, &mut tx, refund, &contents, note.as_str()).await?;
    }
    tx.commit().await?;
    Ok(refund)
}

/// The payment that an order was paid with.
pub(crate) async fn paid_payment(tx: &mut PgConnection, order: OrderId) -> sqlx::Result<Option<PaymentId>> {
    sqlx::query_scalar!(r#"select id as "id: PaymentId" from payments where order_id = $1 and state = 'paid'"#, order.uuid())
        .fetch_optional(tx)
        .await
}

/// While a bank decides about a payment nothing of it is given back: the shopper would have it twice. Under the order's lock.
pub(crate) async fn refuse_disputed(tx: &mut PgConnection, payment: PaymentId) -> Result<(), AppError> {
    let open = sqlx::query_scalar!(
        r#"select exists (select 1 from disputes where payment_id = $1 and not refundable and status in ('needs_response', 'under_review'))
           as "open!""#,
        payment.uuid()
    )
    .fetch_one(tx)
    .await?;
    if open { Err(Refusal::Disputed.into()) } else { Ok(()) }
}

/// The database's own no: the payment is disputed, or a refund from before parts stands in the way.
pub(crate) fn too_much(error: sqlx::Error) -> AppError {
    if violates(&error, "refunds_not_disputed") {
        Refusal::Disputed.into()
    } else if violates(&error, "refunds_within") || violates(&error, "refund_parts_within") {
        Refusal::RefundsTooMuch.into()
    } else {
        error.into()
    }
}
