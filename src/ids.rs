//! One newtype per kind of id, from one macro. A `ProductId` never passes for a `VariantId`.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// The text was no UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid id")]
pub struct BadId;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "ssr", derive(sqlx::Type), sqlx(transparent))]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The bare UUID, for binding in SQL.
            pub fn uuid(self) -> Uuid {
                self.0
            }

            /// A new, time-ordered id (UUIDv7, RFC 9562). Made on the server only.
            #[cfg(feature = "ssr")]
            #[allow(clippy::new_without_default)]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                Uuid::try_parse(text).map(Self).map_err(|_| BadId)
            }
        }
    )+};
}

ids!(
    /// A person with an account.
    UserId,
    /// An entry of a person's address book.
    AddressId,
    /// A shop within the shop.
    VendorId,
    /// One way in which a vendor sends parcels.
    ShippingMethodId,
    /// A node of the category tree.
    CategoryId,
    /// What a page describes; its variants are what is bought.
    ProductId,
    /// What is bought: one SKU.
    VariantId,
    /// A picture of a product.
    PictureId,
    CartId,
    CartLineId,
    /// What the shopper pays once.
    OrderId,
    /// The part of an order that one vendor fulfils.
    VendorOrderId,
    OrderLineId,
    /// One attempt to pay an order.
    PaymentId,
    RefundId,
    ShipmentId,
    /// Goods on their way back.
    ReturnId,
    /// A picture that a shopper took of such goods.
    ReturnPictureId,
    /// Money that a shopper has asked the bank to take back.
    DisputeId,
    /// A file that is evidence in one.
    DisputeFileId,
    /// One comparison of the books with Stripe.
    ReconciliationId,
    /// Where the two disagree.
    DifferenceId,
    /// A mail in the outbox.
    MailId,
    /// A token with which a program speaks for a person.
    ApiTokenId,
    /// That somebody was asked into a shop's team.
    InvitationId,
    /// One transaction of the books.
    LedgerTransactionId,
    /// One rule of what the market keeps of a sale.
    CommissionRuleId,
    /// Money from the market to a vendor's account at Stripe.
    TransferId,
    /// Money back from there.
    TransferReversalId,
    /// Money from a vendor's account at Stripe to its bank.
    PayoutId,
    CouponId,
    /// What was changed for many goods at once.
    CatalogChangeId,
    /// Reduced prices for a time.
    PromotionId,
    /// An invoice, a credit note or another issued paper.
    DocumentId,
    /// A file of products that a vendor brought.
    ImportId,
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_text_and_refuses_other_text() {
        let id = UserId::new();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!("42".parse::<UserId>(), Err(BadId));
    }
}
