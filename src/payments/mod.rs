//! Owns payments, refunds, the webhook inbox and the sweeper, and with them the ends of an order that move money: paid,
//! cancelled, expired. It believes nothing that it did not ask Stripe, and asks Stripe in no open transaction of an order.

#[cfg(feature = "ssr")]
mod cancel;
#[cfg(feature = "ssr")]
mod fees;
#[cfg(feature = "ssr")]
mod gateway;
#[cfg(feature = "ssr")]
mod letters;
#[cfg(feature = "ssr")]
mod open;
#[cfg(feature = "ssr")]
mod partial;
#[cfg(feature = "ssr")]
pub mod parts;
#[cfg(feature = "ssr")]
pub mod refund_form;
#[cfg(feature = "ssr")]
mod refunds;
#[cfg(feature = "ssr")]
mod settle;
#[cfg(feature = "ssr")]
mod sold;
#[cfg(feature = "ssr")]
mod sweep;
#[cfg(feature = "ssr")]
pub mod webhook;

#[cfg(feature = "ssr")]
pub use cancel::{cancel, replace};
#[cfg(feature = "ssr")]
pub use fees::{read_anew, sweep as learn_fees};
#[cfg(feature = "ssr")]
pub use gateway::{GatewayError, idempotent};
#[cfg(feature = "ssr")]
pub use open::{latest, open};
#[cfg(feature = "ssr")]
pub use partial::{Giver, RefundNote, Refundable, give_back, refundable};
#[cfg(feature = "ssr")]
pub(crate) use partial::{paid_payment, refuse_disputed, too_much};
#[cfg(feature = "ssr")]
pub use refunds::{NewRefund, book_refund, catch_up, give_parts, refund, sync_refund, sync_refunds};
#[cfg(feature = "ssr")]
pub(crate) use refunds::{make_room, rest_of};
#[cfg(feature = "ssr")]
pub(crate) use settle::lock_order_of;
#[cfg(feature = "ssr")]
pub use settle::{settle, settle_order, settle_session};
#[cfg(feature = "ssr")]
pub use sold::parcels as sold_parcels;
#[cfg(feature = "ssr")]
pub use sweep::{expire_session, sweep};
#[cfg(feature = "ssr")]
pub(crate) use webhook::payment_of as payment_of_intent;
