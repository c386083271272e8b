//! The states of an order and the pure rules that derive them from facts; the read models that pages and mails show.

use crate::{
    coupons::model::label,
    ids::{OrderId, OrderLineId, PictureId, RefundId, ShipmentId, VariantId, VendorOrderId},
    money::{Currency, Money},
    post::address_lines,
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

macro_rules! text_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, sqlx::Type, utoipa::ToSchema)]
        #[serde(rename_all = "snake_case")]
        #[sqlx(type_name = "text", rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// As it stands in the database.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }
    };
}

pub(crate) use text_enum;

text_enum!(
    /// What people decided, or time did.
    OrderStatus {
        /// Unpaid; stock is held.
        Pending = "pending",
        /// Paid.
        Placed = "placed",
        /// Ended by a person before shipment.
        Cancelled = "cancelled",
        /// Not paid in time; stock was given back.
        Expired = "expired",
    }
);

text_enum!(
    /// Derived from payments and refunds.
    PaymentStatus {
        Unpaid = "unpaid",
        Processing = "processing",
        Failed = "failed",
        Paid = "paid",
        PartiallyRefunded = "partially_refunded",
        Refunded = "refunded",
    }
);

text_enum!(
    /// Derived from shipments.
    FulfilmentStatus {
        Unfulfilled = "unfulfilled",
        Partial = "partial",
        Fulfilled = "fulfilled",
    }
);

text_enum!(
    /// One attempt to pay, as Stripe told it; see the migration for what each means.
    PaymentState {
        Opening = "opening",
        Open = "open",
        Processing = "processing",
        Paid = "paid",
        Failed = "failed",
        Cancelled = "cancelled",
        Surplus = "surplus",
    }
);

impl PaymentState {
    /// The money is there, and nothing that Stripe says later of the session takes it back; refunds have their own way.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Paid | Self::Surplus)
    }
}

/// What the payment status of an order is derived from: one attempt, and what of it went back or is on its way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct PaymentFact {
    pub state: PaymentState,
    /// A card was refused in this attempt.
    pub refused: bool,
    pub amount_minor: i64,
    /// The sum of its refunds that did not fail, and of what banks took back for good.
    pub refunded_minor: i64,
}

/// The payment status of an order from its attempts, in order of time. The attempt that paid the order counts; without
/// one, money that arrived and could not be used (surplus); without any, the last attempt says how it went.
pub fn payment_status(facts: &[PaymentFact]) -> PaymentStatus {
    let of = |state| facts.iter().rev().find(|f| f.state == state);
    if let Some(paid) = of(PaymentState::Paid).or_else(|| of(PaymentState::Surplus)) {
        return if paid.refunded_minor == 0 {
            PaymentStatus::Paid
        } else if paid.refunded_minor < paid.amount_minor {
            PaymentStatus::PartiallyRefunded
        } else {
            PaymentStatus::Refunded
        };
    }
    if of(PaymentState::Processing).is_some() {
        return PaymentStatus::Processing;
    }
    match facts.last() {
        Some(last) if last.refused || last.state == PaymentState::Failed => PaymentStatus::Failed,
        _ => PaymentStatus::Unpaid,
    }
}

/// The fulfilment status of a vendor order from its lines: `(sold, shipped)` each.
pub fn parcel_status(lines: &[(i32, i32)]) -> FulfilmentStatus {
    if lines.iter().all(|(_, shipped)| *shipped == 0) {
        FulfilmentStatus::Unfulfilled
    } else if lines.iter().all(|(sold, shipped)| shipped >= sold) {
        FulfilmentStatus::Fulfilled
    } else {
        FulfilmentStatus::Partial
    }
}

/// The fulfilment status of an order from its vendor orders.
pub fn fulfilment_status(parcels: &[FulfilmentStatus]) -> FulfilmentStatus {
    use FulfilmentStatus::{Fulfilled, Partial, Unfulfilled};
    if parcels.iter().all(|p| *p == Unfulfilled) {
        Unfulfilled
    } else if parcels.iter().all(|p| *p == Fulfilled) {
        Fulfilled
    } else {
        Partial
    }
}

/// One line of a list of orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrderSummary {
    pub id: OrderId,
    /// What people say on the phone.
    pub number: i64,
    pub status: OrderStatus,
    pub payment_status: PaymentStatus,
    pub fulfilment_status: FulfilmentStatus,
    pub total_minor: i64,
    pub currency: Currency,
    /// Pieces, over all parcels.
    pub pieces: i64,
    /// The title of the first line, to recognise the order by.
    pub title: String,
    pub picture_id: Option<PictureId>,
    pub created_at: OffsetDateTime,
}

impl OrderSummary {
    pub fn total(&self) -> Money {
        Money::new(self.total_minor, self.currency)
    }
}

/// An order with everything its page shows. Amounts are in minor units of `currency` and contain VAT.
#[derive(Debug, Clone, Serialize)]
pub struct OrderDetail {
    #[serde(flatten)]
    pub head: OrderHead,
    pub parcels: Vec<Parcel>,
    pub timeline: Vec<Event>,
    /// The latest attempt to pay, if one was made.
    pub attempt: Option<Attempt>,
    pub refunds: Vec<RefundLine>,
}

/// What a person needs to know about an order first, in one word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Truth {
    /// Unpaid, and it can still be paid; why the last try failed, if it did.
    ToPay {
        failed: Option<String>,
    },
    /// Unpaid, its time is over, and it is about to be closed.
    Closing,
    /// The bank has not said yes or no.
    Processing,
    Paid,
    /// Paid, and everything left the vendors.
    Sent,
    /// Paid, kept open, and the money went back.
    Refunded,
    /// Never paid; `returned` is money that came too late and went back.
    Expired {
        returned: bool,
    },
    Cancelled {
        returned: bool,
    },
}

/// What is true of an order at `now`.
pub fn truth(order: &OrderDetail, now: OffsetDateTime) -> Truth {
    let head = &order.head;
    let returned = order.refunds.iter().any(|r| r.state != "failed");
    match (head.status, head.payment_status) {
        (OrderStatus::Cancelled, _) => Truth::Cancelled { returned },
        (OrderStatus::Expired, PaymentStatus::Processing) | (OrderStatus::Pending, PaymentStatus::Processing) => {
            Truth::Processing
        }
        (OrderStatus::Expired, _) => Truth::Expired { returned },
        (OrderStatus::Placed, PaymentStatus::Refunded) => Truth::Refunded,
        (OrderStatus::Placed, _) if head.fulfilment_status == FulfilmentStatus::Fulfilled => Truth::Sent,
        (OrderStatus::Placed, _) => Truth::Paid,
        (OrderStatus::Pending, _) if head.hold_expires_at <= now => Truth::Closing,
        (OrderStatus::Pending, _) => Truth::ToPay { failed: order.attempt.as_ref().and_then(|a| a.failure.clone()) },
    }
}

/// The row of an order.
#[derive(Debug, Clone, Serialize)]
pub struct OrderHead {
    pub id: OrderId,
    pub number: i64,
    pub email: String,
    pub status: OrderStatus,
    pub payment_status: PaymentStatus,
    pub fulfilment_status: FulfilmentStatus,
    pub currency: Currency,
    pub items_minor: i64,
    pub shipping_minor: i64,
    pub discount_minor: i64,
    pub tax_minor: i64,
    pub total_minor: i64,
    /// The code that the discount was had by.
    pub coupon: Option<String>,
    /// The shop that gave the coupon; `None` where the market did.
    pub coupon_vendor: Option<String>,
    pub ship_name: String,
    pub ship_line1: String,
    pub ship_line2: String,
    pub ship_city: String,
    pub ship_postal_code: String,
    pub ship_country: String,
    /// ISO 3166-1 alpha-2
    pub ship_country_code: String,
    pub hold_expires_at: OffsetDateTime,
    pub created_at: OffsetDateTime,
    pub placed_at: Option<OffsetDateTime>,
    pub closed_at: Option<OffsetDateTime>,
}

impl OrderHead {
    /// The lines of the address, as its country writes them.
    pub fn ship_to(&self) -> Vec<String> {
        let street = [self.ship_line1.as_str(), self.ship_line2.as_str()];
        let (town, code) = (&self.ship_city, &self.ship_postal_code);
        address_lines(&self.ship_name, street, town, code, &self.ship_country_code, &self.ship_country)
    }

    pub fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.currency)
    }

    /// What the discount is called.
    pub fn discount_label(&self) -> String {
        self.coupon.as_deref().map_or_else(|| "Discount".into(), |code| label(code, self.coupon_vendor.as_deref()))
    }

    /// Whether a person may still call it off: nothing was shipped, and it has not ended already.
    pub fn can_be_cancelled(&self) -> bool {
        matches!(self.status, OrderStatus::Pending | OrderStatus::Placed)
            && self.fulfilment_status == FulfilmentStatus::Unfulfilled
    }
}

/// The part of an order that one vendor sends.
#[derive(Debug, Clone, Serialize)]
pub struct Parcel {
    #[serde(flatten)]
    pub head: ParcelHead,
    pub lines: Vec<Line>,
    pub shipments: Vec<Shipment>,
}

/// The row of a vendor order.
#[derive(Debug, Clone, Serialize)]
pub struct ParcelHead {
    pub id: VendorOrderId,
    pub vendor_name: String,
    pub vendor_slug: String,
    pub shipping_name: String,
    /// Days from shipment to the door, at least and at most.
    pub min_days: i32,
    pub max_days: i32,
    pub fulfilment_status: FulfilmentStatus,
    pub items_minor: i64,
    pub shipping_minor: i64,
    pub discount_minor: i64,
    /// What of the discount the market pays.
    pub platform_discount_minor: i64,
    pub tax_minor: i64,
    pub total_minor: i64,
    /// Nothing of it is left to send: all was sent, or paid back before.
    pub complete: bool,
    /// When somebody said that it has arrived.
    pub delivered_at: Option<OffsetDateTime>,
    /// When its vendor's money was released.
    pub released_at: Option<OffsetDateTime>,
}

impl ParcelHead {
    /// All of it is on its way, and nobody has said yet that it arrived.
    pub fn arrives(&self) -> bool {
        self.complete && self.delivered_at.is_none() && self.fulfilment_status != FulfilmentStatus::Unfulfilled
    }
}

/// A line as it was sold.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    pub id: OrderLineId,
    pub vendor_order_id: VendorOrderId,
    /// `None` once the variant is gone from the shop
    pub variant_id: Option<VariantId>,
    pub product_slug: String,
    pub title: String,
    pub sku: String,
    /// `Size: M, Colour: Blue`; empty where there was nothing to choose
    pub options: String,
    pub picture_id: Option<PictureId>,
    pub quantity: i32,
    pub shipped: i32,
    /// pieces that were paid back, or are being
    pub refunded: i32,
    pub unit_price_minor: i64,
    /// After discounts.
    pub total_minor: i64,
    pub tax_minor: i64,
}

impl Line {
    /// Pieces that still have to leave: what was paid back before it left does not.
    pub fn left_to_ship(&self) -> i32 {
        (self.quantity - self.shipped - self.refunded).max(0)
    }

    /// What its pieces cost before any discount.
    pub fn goods_minor(&self) -> i64 {
        i64::from(self.quantity) * self.unit_price_minor
    }
}

/// What left the vendor in one go.
#[derive(Debug, Clone, Serialize)]
pub struct Shipment {
    pub id: ShipmentId,
    pub vendor_order_id: VendorOrderId,
    pub carrier: String,
    pub tracking: String,
    pub shipped_at: OffsetDateTime,
    /// `2 × Oak bowl, 1 × Linen towel`
    pub contents: String,
}

/// One fact of the timeline.
#[derive(Debug, Clone, Serialize)]
pub struct Event {
    pub vendor_order_id: Option<VendorOrderId>,
    pub kind: String,
    pub detail: serde_json::Value,
    /// Who did it, where the reader may read the name.
    pub actor: Option<String>,
    pub at: OffsetDateTime,
}

/// The latest attempt to pay.
#[derive(Debug, Clone, Serialize)]
pub struct Attempt {
    pub state: PaymentState,
    /// What the bank or Stripe said, in words for the shopper.
    pub failure: Option<String>,
}

/// Money on its way back, or back.
#[derive(Debug, Clone, Serialize)]
pub struct RefundLine {
    pub id: RefundId,
    /// of the whole order, or of the one parcel that is looked at
    pub amount_minor: i64,
    /// `cancelled`, `vendor`, `operator`, `returned`, `stripe_dashboard`, `sold_out`, `paid_twice`, `mismatch`
    pub reason: String,
    /// what the person who gave it said about it; may be empty
    pub note: String,
    /// `2 × Oak bowl, shipping`; empty where it was for nothing in particular
    pub contents: String,
    /// `pending`, `succeeded`, `failed`
    pub state: String,
    pub created_at: OffsetDateTime,
}

/// Which of a vendor's orders to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VendorOrderFilter {
    /// Paid, and something of it is still to be shipped.
    #[default]
    ToShip,
    Shipped,
    All,
}

/// One line of a vendor's list of orders.
#[derive(Debug, Clone, Serialize)]
pub struct VendorOrderSummary {
    pub id: VendorOrderId,
    pub number: i64,
    pub status: OrderStatus,
    pub payment_status: PaymentStatus,
    pub fulfilment_status: FulfilmentStatus,
    pub ship_name: String,
    pub ship_country: String,
    pub shipping_name: String,
    pub currency: Currency,
    pub total_minor: i64,
    pub pieces: i64,
    pub placed_at: Option<OffsetDateTime>,
    pub created_at: OffsetDateTime,
}

impl VendorOrderSummary {
    pub fn total(&self) -> Money {
        Money::new(self.total_minor, self.currency)
    }
}

/// An order's state in the vendor's words.
pub fn vendor_words(status: OrderStatus, payment: PaymentStatus, fulfilment: FulfilmentStatus) -> &'static str {
    match (status, payment, fulfilment) {
        (OrderStatus::Cancelled, ..) => "cancelled",
        (OrderStatus::Expired, ..) => "never paid",
        (OrderStatus::Pending, ..) => "not paid yet",
        (_, PaymentStatus::Refunded, _) => "paid back",
        (.., FulfilmentStatus::Fulfilled) => "shipped",
        (.., FulfilmentStatus::Partial) => "partly shipped",
        (.., FulfilmentStatus::Unfulfilled) => "to ship",
    }
}

/// A vendor's view of its part of an order: never the other vendors' lines, nor what the shopper paid them.
#[derive(Debug, Clone, Serialize)]
pub struct VendorOrderDetail {
    pub head: OrderHead,
    pub parcel: Parcel,
    pub timeline: Vec<Event>,
    /// Of this parcel.
    pub refunds: Vec<RefundLine>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fact(state: PaymentState, refunded_minor: i64) -> PaymentFact {
        PaymentFact { state, refused: false, amount_minor: 1000, refunded_minor }
    }

    #[test]
    fn the_attempt_that_paid_counts() {
        use PaymentState::*;
        for (facts, status) in [
            (vec![], PaymentStatus::Unpaid),
            (vec![fact(Open, 0)], PaymentStatus::Unpaid),
            (vec![PaymentFact { refused: true, ..fact(Open, 0) }], PaymentStatus::Failed),
            (vec![fact(Failed, 0), fact(Open, 0)], PaymentStatus::Unpaid),
            (vec![fact(Open, 0), fact(Failed, 0)], PaymentStatus::Failed),
            (vec![fact(Processing, 0), fact(Cancelled, 0)], PaymentStatus::Processing),
            (vec![fact(Paid, 0), fact(Failed, 0)], PaymentStatus::Paid),
            (vec![fact(Paid, 0), fact(Surplus, 1000)], PaymentStatus::Paid),
            (vec![fact(Paid, 400)], PaymentStatus::PartiallyRefunded),
            (vec![fact(Paid, 1000)], PaymentStatus::Refunded),
            (vec![fact(Surplus, 1000)], PaymentStatus::Refunded),
        ] {
            assert_eq!(payment_status(&facts), status, "{facts:?}");
        }
    }

    #[test]
    fn parcels_make_the_order() {
        use FulfilmentStatus::*;
        assert_eq!(parcel_status(&[(2, 0), (1, 0)]), Unfulfilled);
        assert_eq!(parcel_status(&[(2, 1), (1, 0)]), Partial);
        assert_eq!(parcel_status(&[(2, 2), (1, 0)]), Partial);
        assert_eq!(parcel_status(&[(2, 2), (1, 1)]), Fulfilled);
        assert_eq!(fulfilment_status(&[Fulfilled, Unfulfilled]), Partial);
        assert_eq!(fulfilment_status(&[Partial, Unfulfilled]), Partial);
        assert_eq!(fulfilment_status(&[Fulfilled, Fulfilled]), Fulfilled);
        assert_eq!(fulfilment_status(&[Unfulfilled]), Unfulfilled);
    }

    proptest! {
        #[test]
        fn an_order_is_fulfilled_exactly_when_every_piece_left(
            parcels in prop::collection::vec(prop::collection::vec((1i32..5).prop_flat_map(|sold| (Just(sold), 0..=sold)), 1..4), 1..4)
        ) {
            let each: Vec<_> = parcels.iter().map(|lines| parcel_status(lines)).collect();
            let left: i32 = parcels.iter().flatten().map(|(sold, shipped)| sold - shipped).sum();
            let gone: i32 = parcels.iter().flatten().map(|(_, shipped)| shipped).sum();
            let whole = fulfilment_status(&each);
            prop_assert_eq!(whole == FulfilmentStatus::Fulfilled, left == 0);
            prop_assert_eq!(whole == FulfilmentStatus::Unfulfilled, gone == 0);
        }
    }
}
