//! The mails of a dispute, put into the outbox with the fact that they tell of.

use super::{gateway::Dispute, model::DisputeStatus, model::reason_words, sync::Concerned};
use crate::{
    ids::{DisputeId, OrderId, PaymentId, VendorId},
    money::{Currency, Money},
    server::{
        mail::{self, Mail},
        state::App,
    },
};
use sqlx::PgConnection;
use time::OffsetDateTime;

/// What every letter names.
pub(super) struct About {
    pub id: DisputeId,
    pub order: OrderId,
    pub payment: PaymentId,
    pub number: i64,
    pub amount_minor: i64,
    pub currency: Currency,
    pub reason: String,
    pub due: Option<OffsetDateTime>,
    pub vendors: Vec<Concerned>,
}

pub(super) async fn about(tx: &mut PgConnection, id: DisputeId) -> sqlx::Result<About> {
    let row = sqlx::query!(
        r#"select d.order_id as "order: OrderId", d.payment_id as "payment: PaymentId", o.number, d.amount_minor,
                  d.currency as "currency: Currency", d.reason, d.evidence_due_at as due
           from disputes d join orders o on o.id = d.order_id where d.id = $1"#,
        id.uuid()
    )
    .fetch_one(&mut *tx)
    .await?;
    let vendors = sqlx::query_as!(
        Concerned,
        r#"select s.id as "id: VendorId", u.email, sum(p.amount_minor)::bigint as "amount_minor!"
           from dispute_parts p join vendor_orders v on v.id = p.vendor_order_id join vendors s on s.id = v.vendor_id
           join users u on u.id = s.owner_id where p.dispute_id = $1 group by s.id, u.email order by s.id"#,
        id.uuid()
    )
    .fetch_all(tx)
    .await?;
    Ok(About {
        id,
        order: row.order,
        payment: row.payment,
        number: row.number,
        amount_minor: row.amount_minor,
        currency: row.currency,
        reason: row.reason,
        due: row.due,
        vendors,
    })
}

/// `21 November 2026`
fn day(at: OffsetDateTime) -> String {
    format!("{} {} {}", at.day(), at.month(), at.year())
}

async fn to_vendors(
    app: &App,
    tx: &mut PgConnection,
    about: &About,
    write: impl Fn(Money) -> (String, Vec<String>),
) -> sqlx::Result<()> {
    for vendor in &about.vendors {
        let (subject, paragraphs) = write(Money::new(vendor.amount_minor, about.currency));
        let link = format!("{}/vendor/disputes/{}", app.config.base_url, about.id);
        let letter = Mail { to: vendor.email.clone(), subject, paragraphs, link: Some(("Open the dispute".into(), link)) };
        mail::enqueue(tx, &letter).await?;
    }
    Ok(())
}

/// To everybody who answers for the shop.
async fn to_operators(
    app: &App,
    tx: &mut PgConnection,
    (label, path): (&str, String),
    subject: String,
    paragraphs: Vec<String>,
) -> sqlx::Result<()> {
    let operators = sqlx::query_scalar!("select email from users where operator order by id").fetch_all(&mut *tx).await?;
    for to in operators {
        let link = Some((label.to_owned(), format!("{}{path}", app.config.base_url)));
        let letter = Mail { to, subject: subject.clone(), paragraphs: paragraphs.clone(), link };
        mail::enqueue(tx, &letter).await?;
    }
    Ok(())
}

fn page(about: &About) -> (&'static str, String) {
    ("Open the dispute", format!("/operator/disputes/{}", about.id))
}

/// A bank asks for money back that Stripe reckons in another currency than the payment.
pub(super) async fn foreign(app: &App, tx: &mut PgConnection, order: OrderId, truth: &Dispute) -> sqlx::Result<()> {
    let number = sqlx::query_scalar!("select number from orders where id = $1", order.uuid()).fetch_one(&mut *tx).await?;
    let mut text = vec![
        format!("A bank was asked to take money of order {number} back, and Stripe reckons it in {}.", truth.currency),
        format!("The bank's reason: {}.", reason_words(&truth.reason)),
    ];
    text.extend(truth.due.map(|at| format!("The bank wants evidence by {}.", day(at))));
    text.push(format!(
        "Our books cannot hold another currency than that of the payment. Please answer it in Stripe's dashboard, where it is {}.",
        truth.id
    ));
    let order = ("Open the order", format!("/operator/orders/{order}"));
    to_operators(app, tx, order, format!("Order {number} is disputed in another currency"), text).await
}

/// A bank asks for money back.
pub(super) async fn opened(app: &App, tx: &mut PgConnection, about: &About) -> sqlx::Result<()> {
    let number = about.number;
    let why = format!("The bank's reason: {}.", reason_words(&about.reason));
    let by = about.due.map(|at| format!("The bank wants evidence by {}.", day(at)));
    let amount = Money::new(about.amount_minor, about.currency);
    let mut text = vec![format!("A bank was asked to take {amount} of order {number} back."), why.clone()];
    text.extend(by.clone());
    to_operators(app, tx, page(about), format!("Order {number} is disputed: {amount}"), text).await?;
    to_vendors(app, tx, about, |amount| {
        let mut text = vec![
            format!(
                "A bank was asked to take money of order {number} back; {amount} of it are of what you sold. While the bank decides, that is held from your balance."
            ),
            why.clone(),
        ];
        text.extend(by.as_ref().map(|by| {
            format!("{by} If you have proof that the parcel was sent or arrived, or wrote with the shopper, add it soon: we send it to the bank.")
        }));
        (format!("Order {number} is disputed"), text)
    })
    .await
}

/// The bank has decided, or asks no more.
pub(super) async fn ended(app: &App, tx: &mut PgConnection, about: &About, now: DisputeStatus) -> sqlx::Result<()> {
    let number = about.number;
    let (title, says): (String, fn(Money) -> String) = match now {
        DisputeStatus::Won => (format!("The dispute of order {number} is won"), |amount| {
            format!("The bank decided for us: {amount} are back on the balance.")
        }),
        DisputeStatus::Lost => (format!("The dispute of order {number} is lost"), |amount| {
            format!(
                "The bank decided for the shopper: {amount} went back, as a refund would have. Our fee goes back in proportion."
            )
        }),
        _ => (format!("The dispute of order {number} is closed"), |_| "The bank asks no more, and took nothing.".into()),
    };
    to_operators(app, tx, page(about), title.clone(), vec![says(Money::new(about.amount_minor, about.currency))]).await?;
    to_vendors(app, tx, about, |amount| (title.clone(), vec![says(amount)])).await
}

/// Stripe did not take the evidence.
pub(super) async fn refused(app: &App, tx: &mut PgConnection, about: &About, why: &str) -> sqlx::Result<()> {
    let text = vec![
        format!("The evidence for order {} was not taken: {why}", about.number),
        "It is a draft again. Please look at it and send it once more, while there is time.".into(),
    ];
    to_operators(app, tx, page(about), format!("The evidence for order {} was not sent", about.number), text).await
}
