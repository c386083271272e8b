//! The mails of a return, put into the outbox with the step that they tell of.

use crate::{
    ids::{OrderId, ReturnId, VendorOrderId},
    orders::order_token,
    server::{
        mail::{self, Mail},
        state::App,
    },
};
use sqlx::PgConnection;
use uuid::Uuid;

/// What every letter of a return names.
pub struct About {
    pub id: ReturnId,
    pub order: OrderId,
    pub number: i64,
    pub parcel: VendorOrderId,
    pub vendor_name: String,
    pub email: String,
    pub checkout_key: Uuid,
}

/// To the shopper, with the way to the return, for guests too.
pub async fn to_shopper(
    app: &App,
    tx: &mut PgConnection,
    about: &About,
    subject: String,
    paragraphs: Vec<String>,
) -> anyhow::Result<()> {
    let token = order_token(app, about.checkout_key)?;
    let link = format!("{}/orders/{}/returns/{}?token={token}", app.config.base_url, about.order, about.id);
    let letter = Mail { to: about.email.clone(), subject, paragraphs, link: Some(("See your return".into(), link)) };
    mail::enqueue(tx, &letter).await?;
    Ok(())
}

/// To the owner of the shop.
pub async fn to_vendor(
    app: &App,
    tx: &mut PgConnection,
    about: &About,
    subject: String,
    paragraphs: Vec<String>,
) -> anyhow::Result<()> {
    let to = sqlx::query_scalar!(
        "select u.email from vendor_orders v join vendors s on s.id = v.vendor_id join users u on u.id = s.owner_id where v.id = $1",
        about.parcel.uuid()
    )
    .fetch_one(&mut *tx)
    .await?;
    let link = format!("{}/vendor/returns/{}", app.config.base_url, about.id);
    mail::enqueue(tx, &Mail { to, subject, paragraphs, link: Some(("Open the return".into(), link)) }).await?;
    Ok(())
}

/// To everybody who answers for the shop.
pub async fn to_operators(
    app: &App,
    tx: &mut PgConnection,
    about: &About,
    subject: String,
    paragraphs: Vec<String>,
) -> anyhow::Result<()> {
    let operators = sqlx::query_scalar!("select email from users where operator order by id").fetch_all(&mut *tx).await?;
    for to in operators {
        let link = format!("{}/operator/returns/{}", app.config.base_url, about.id);
        let letter =
            Mail { to, subject: subject.clone(), paragraphs: paragraphs.clone(), link: Some(("Open the return".into(), link)) };
        mail::enqueue(tx, &letter).await?;
    }
    Ok(())
}
