//! Writing a message: a fact and a mail, in one transaction.

use crate::{
    error::AppError,
    ids::{OrderId, VendorOrderId},
    orders::{
        order_url,
        queries::{MayRead, Reader},
        record,
    },
    server::{
        auth::Vendor,
        mail::{self, Mail},
        state::App,
    },
    texts,
};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

texts!(
    /// What somebody writes.
    MessageText: paragraphs, 1, 2000;
);

/// So many may be written about one parcel in an hour, by each side: nobody's mailbox is filled from here.
const AN_HOUR: i64 = 20;

/// The parcel that a message is about, its row locked.
struct About {
    order: OrderId,
    number: i64,
    email: String,
    checkout_key: Uuid,
    ship_name: String,
    vendor_name: String,
    /// Whom letters about the shop go to.
    vendor_email: String,
}

async fn about(
    tx: &mut PgConnection,
    parcel: VendorOrderId,
    order: Option<OrderId>,
    vendor: Option<&Vendor>,
) -> Result<About, AppError> {
    sqlx::query_as!(
        About,
        r#"select o.id as "order: OrderId", o.number, o.email, o.checkout_key, o.ship_name, v.vendor_name, u.email as vendor_email
           from vendor_orders v join orders o on o.id = v.order_id join vendors s on s.id = v.vendor_id join users u on u.id = s.owner_id
           where v.id = $1 and ($2::uuid is null or o.id = $2) and ($3::uuid is null or v.vendor_id = $3) and o.placed_at is not null
           for no key update of v"#,
        parcel.uuid(),
        order.map(OrderId::uuid),
        vendor.map(|vendor| vendor.id().uuid())
    )
    .fetch_optional(tx)
    .await?
    .ok_or(AppError::NotFound)
}

/// The shopper writes to the vendor of one of its parcels.
///
/// # Errors
/// `NotFound` where the parcel is not of this order or was never paid; a field error of `text` where too much was written lately.
pub async fn from_shopper(
    app: &App,
    may: MayRead,
    reader: &Reader,
    parcel: VendorOrderId,
    text: &MessageText,
) -> Result<(), AppError> {
    let mut tx = app.pool.begin().await?;
    let about = about(&mut tx, parcel, Some(may.order()), None).await?;
    not_too_much(&mut tx, parcel, "message_from_shopper").await?;
    record(&mut tx, about.order, Some(parcel), "message_from_shopper", json!({ "text": text.as_str() }), reader.user()).await?;
    let letter = Mail {
        to: about.vendor_email,
        subject: format!("A message about order {}", about.number),
        paragraphs: told(&about.ship_name, about.number, text),
        link: Some(("Answer".into(), format!("{}/vendor/orders/{parcel}/messages", app.config.base_url))),
    };
    mail::enqueue(&mut tx, &letter).await?;
    tx.commit().await?;
    Ok(())
}

/// Somebody of the shop writes to the shopper.
///
/// # Errors
/// `NotFound` where the parcel is another's; a field error of `text` where too much was written lately.
pub async fn from_vendor(app: &App, vendor: &Vendor, parcel: VendorOrderId, text: &MessageText) -> Result<(), AppError> {
    let mut tx = app.pool.begin().await?;
    let about = about(&mut tx, parcel, None, Some(vendor)).await?;
    not_too_much(&mut tx, parcel, "message_from_vendor").await?;
    let actor = vendor.customer().id();
    record(&mut tx, about.order, Some(parcel), "message_from_vendor", json!({ "text": text.as_str() }), Some(actor)).await?;
    let page = order_url(app, about.order, about.checkout_key)?;
    let letter = Mail {
        to: about.email,
        subject: format!("{} wrote to you about order {}", about.vendor_name, about.number),
        paragraphs: told(&about.vendor_name, about.number, text),
        link: Some(("Read it and answer".into(), page.replacen('?', &format!("/messages?parcel={parcel}&"), 1))),
    };
    mail::enqueue(&mut tx, &letter).await?;
    tx.commit().await?;
    Ok(())
}

/// The shop says that nothing is left to answer.
///
/// # Errors
/// `NotFound` where the parcel is another's.
pub async fn settle(app: &App, vendor: &Vendor, parcel: VendorOrderId) -> Result<(), AppError> {
    let mut tx = app.pool.begin().await?;
    let about = about(&mut tx, parcel, None, Some(vendor)).await?;
    record(&mut tx, about.order, Some(parcel), "message_settled", json!({}), Some(vendor.customer().id())).await?;
    tx.commit().await?;
    Ok(())
}

fn told(who: &str, number: i64, text: &MessageText) -> Vec<String> {
    let mut paragraphs = vec![format!("{who} wrote about order {number}:")];
    paragraphs.extend(text.as_str().split("\n\n").map(|paragraph| paragraph.trim().to_owned()).filter(|p| !p.is_empty()));
    paragraphs.push("Please answer on the page, not to this mail.".into());
    paragraphs
}

async fn not_too_much(tx: &mut PgConnection, parcel: VendorOrderId, kind: &str) -> Result<(), AppError> {
    let written = sqlx::query_scalar!(
        r#"select count(*) as "n!" from order_events e join vendor_orders v on v.order_id = e.order_id
           where v.id = $1 and e.vendor_order_id = v.id and e.kind = $2 and e.at > now() - interval '1 hour'"#,
        parcel.uuid(),
        kind
    )
    .fetch_one(tx)
    .await?;
    if written < AN_HOUR {
        return Ok(());
    }
    Err(AppError::field("text", "That are many messages in an hour. Please wait for an answer before you write again."))
}
