//! The mails of paying, cancelling and refunding: put into the outbox in the transaction that made them true.

use crate::{
    ids::{OrderId, RefundId},
    money::{Currency, Money},
    orders::order_url,
    server::{
        mail::{self, Mail},
        state::App,
    },
};
use sqlx::PgConnection;
use uuid::Uuid;

struct Addressee {
    number: i64,
    email: String,
    checkout_key: Uuid,
    total_minor: i64,
    currency: Currency,
}

async fn addressee(tx: &mut PgConnection, order: OrderId) -> sqlx::Result<Addressee> {
    sqlx::query_as!(
        Addressee,
        r#"select number, email, checkout_key, total_minor, currency as "currency: Currency" from orders where id = $1"#,
        order.uuid()
    )
    .fetch_one(tx)
    .await
}

/// A mail to the shopper with the link to the order.
async fn to_shopper(
    app: &App,
    tx: &mut PgConnection,
    order: OrderId,
    write: impl FnOnce(&Addressee) -> (String, Vec<String>),
) -> anyhow::Result<()> {
    let who = addressee(tx, order).await?;
    let (subject, paragraphs) = write(&who);
    let link = Some(("See your order".to_owned(), order_url(app, order, who.checkout_key)?));
    mail::enqueue(tx, &Mail { to: who.email, subject, paragraphs, link }).await?;
    Ok(())
}

/// One vendor that has a part in an order.
struct Part {
    email: String,
    vendor_order: Uuid,
    contents: String,
    shipping_name: String,
}

/// The vendors of an order who want to hear of orders.
async fn parts(tx: &mut PgConnection, order: OrderId) -> sqlx::Result<Vec<Part>> {
    sqlx::query_as!(
        Part,
        r#"select u.email, v.id as vendor_order, v.shipping_name,
                  (select string_agg(l.quantity || ' × ' || l.title, ', ' order by l.position, l.id)
                   from order_lines l where l.vendor_order_id = v.id) as "contents!"
           from vendor_orders v join vendors s on s.id = v.vendor_id join users u on u.id = s.owner_id
           where v.order_id = $1 and u.notify_orders order by v.id"#,
        order.uuid()
    )
    .fetch_all(tx)
    .await
}

/// The order is paid: a confirmation for the shopper, and work for each vendor.
pub async fn placed(app: &App, tx: &mut PgConnection, order: OrderId) -> anyhow::Result<()> {
    let lines = sqlx::query_scalar!(
        r#"select v.vendor_name || ': ' || string_agg(l.quantity || ' × ' || l.title, ', ' order by l.position, l.id) as "text!"
           from vendor_orders v join order_lines l on l.vendor_order_id = v.id
           where v.order_id = $1 group by v.id, v.vendor_name order by v.vendor_name"#,
        order.uuid()
    )
    .fetch_all(&mut *tx)
    .await?;
    to_shopper(app, tx, order, |who| {
        let total = Money::new(who.total_minor, who.currency);
        let mut text = vec![format!("Thank you. Your order {} is paid: {total} in all, VAT included.", who.number)];
        text.extend(lines);
        text.push("Each vendor sends its own parcel. We write to you when one is on its way.".into());
        (format!("Order {} is paid", who.number), text)
    })
    .await?;
    let number = addressee(tx, order).await?.number;
    for part in parts(tx, order).await? {
        let letter = Mail {
            to: part.email,
            subject: format!("New order {number}"),
            paragraphs: vec![
                format!("Someone bought from you: {}.", part.contents),
                format!("They chose {}. The order is paid and waits to be shipped.", part.shipping_name),
            ],
            link: Some(("Open the order".into(), format!("{}/vendor/orders/{}", app.config.base_url, part.vendor_order))),
        };
        mail::enqueue(tx, &letter).await?;
    }
    Ok(())
}

/// Cancelled by a person; `refund_minor` is what goes back.
pub async fn cancelled(
    app: &App,
    tx: &mut PgConnection,
    order: OrderId,
    was_paid: bool,
    refund_minor: i64,
) -> anyhow::Result<()> {
    to_shopper(app, tx, order, |who| {
        let mut text = vec![format!("Your order {} is cancelled. Nothing will be sent.", who.number)];
        if refund_minor > 0 {
            let amount = Money::new(refund_minor, who.currency);
            text.push(format!("{amount} goes back to the card you paid with. Banks take 5 to 10 days to show it."));
        }
        (format!("Order {} is cancelled", who.number), text)
    })
    .await?;
    if was_paid {
        let number = addressee(tx, order).await?.number;
        for part in parts(tx, order).await? {
            let letter = Mail {
                to: part.email,
                subject: format!("Order {number} is cancelled: please do not send it"),
                paragraphs: vec![format!("The shopper cancelled before shipment. Back in your stock: {}.", part.contents)],
                link: Some(("Open the order".into(), format!("{}/vendor/orders/{}", app.config.base_url, part.vendor_order))),
            };
            mail::enqueue(tx, &letter).await?;
        }
    }
    Ok(())
}

/// Nobody paid in time.
pub async fn expired(app: &App, tx: &mut PgConnection, order: OrderId) -> anyhow::Result<()> {
    to_shopper(app, tx, order, |who| {
        let text = vec![
            format!(
                "We could not hold the goods of your order {} any longer, so it was closed. Nothing was charged.",
                who.number
            ),
            "If you still want them, they may be in the shop: your order shows them, and each leads to its page.".into(),
        ];
        (format!("Order {} was not paid in time", who.number), text)
    })
    .await
}

/// Money that came and goes back by itself.
pub async fn money_returned(
    app: &App,
    tx: &mut PgConnection,
    order: OrderId,
    amount_minor: i64,
    currency: &str,
    reason: &str,
) -> anyhow::Result<()> {
    let amount = match currency.parse::<Currency>() {
        Ok(currency) => Money::new(amount_minor, currency).to_string(),
        Err(_) => "The amount you paid".into(),
    };
    let why = match reason {
        "sold_out" => "Your payment reached us after the time for which we could hold the goods, and they have been sold since.",
        "coupon_used_up" => {
            "Your payment reached us after the time for which we could hold your order, and its coupon has been used up since."
        }
        "paid_twice" => "This order was already paid, so your second payment was not needed.",
        "cancelled" => "Your payment reached us after the order was cancelled.",
        _ => "Your payment did not fit the order.",
    };
    to_shopper(app, tx, order, |who| {
        let text =
            vec![why.to_owned(), format!("{amount} goes back to the card you paid with. Banks take 5 to 10 days to show it.")];
        (format!("Your payment for order {} goes back to you", who.number), text)
    })
    .await
}

/// Stripe has sent the money back.
pub async fn refunded(app: &App, tx: &mut PgConnection, order: OrderId, amount_minor: i64) -> anyhow::Result<()> {
    to_shopper(app, tx, order, |who| {
        let amount = Money::new(amount_minor, who.currency);
        let text = vec![
            format!("We have sent {amount} of order {} back to the card you paid with.", who.number),
            "Banks take 5 to 10 days to show it.".into(),
        ];
        (format!("{amount} of order {} is on its way back", who.number), text)
    })
    .await
}

/// Somebody decided to give money back; Stripe is asked next. `note` is what they say about it.
pub async fn giving_back(
    app: &App,
    tx: &mut PgConnection,
    order: OrderId,
    vendor: &str,
    amount_minor: i64,
    contents: &str,
    note: &str,
) -> anyhow::Result<()> {
    to_shopper(app, tx, order, |who| {
        let amount = Money::new(amount_minor, who.currency);
        let of = if contents.is_empty() { String::new() } else { format!(" for {contents}") };
        let text = vec![
            format!("You get {amount} back{of}, from {vendor}'s parcel of your order {}.", who.number),
            format!("The reason: {note}"),
            "It goes back to the card you paid with. We write once more when it is sent.".into(),
        ];
        (format!("You get {amount} of order {} back", who.number), text)
    })
    .await
}

/// A vendor whose money a refund moves.
struct Concerned {
    email: String,
    vendor_order: Uuid,
    number: i64,
    amount_minor: i64,
    currency: Currency,
}

async fn concerned(tx: &mut PgConnection, refund: RefundId) -> sqlx::Result<Vec<Concerned>> {
    sqlx::query_as!(
        Concerned,
        r#"select u.email, v.id as vendor_order, o.number, sum(p.amount_minor)::bigint as "amount_minor!", o.currency as "currency: Currency"
           from refund_parts p join vendor_orders v on v.id = p.vendor_order_id join orders o on o.id = v.order_id
           join vendors s on s.id = v.vendor_id join users u on u.id = s.owner_id
           where p.refund_id = $1 group by u.email, v.id, o.number, o.currency order by v.id"#,
        refund.uuid()
    )
    .fetch_all(tx)
    .await
}

async fn to_vendors(
    app: &App,
    tx: &mut PgConnection,
    refund: RefundId,
    write: impl Fn(&Concerned) -> (String, Vec<String>),
) -> anyhow::Result<()> {
    for who in concerned(tx, refund).await? {
        let (subject, paragraphs) = write(&who);
        let link = Some(("Open the order".into(), format!("{}/vendor/orders/{}", app.config.base_url, who.vendor_order)));
        mail::enqueue(tx, &Mail { to: who.email, subject, paragraphs, link }).await?;
    }
    Ok(())
}

/// An operator gave something of a vendor's parcel back.
pub async fn given_by_operator(
    app: &App,
    tx: &mut PgConnection,
    refund: RefundId,
    contents: &str,
    note: &str,
) -> anyhow::Result<()> {
    to_vendors(app, tx, refund, |who| {
        let amount = Money::new(who.amount_minor, who.currency);
        let text = vec![
            format!(
                "We gave the shopper of order {} {amount} back for {contents}. It comes off your balance, less our fee.",
                who.number
            ),
            format!("The reason: {note}"),
        ];
        (format!("{amount} of order {} went back", who.number), text)
    })
    .await
}

/// A refund did not reach the shopper: its vendors and the operators are told, for somebody has to find another way.
pub async fn refund_failed(app: &App, tx: &mut PgConnection, order: OrderId, refund: RefundId) -> anyhow::Result<()> {
    to_vendors(app, tx, refund, |who| {
        let amount = Money::new(who.amount_minor, who.currency);
        let text = vec![
            format!(
                "{amount} of order {} could not be sent back to the shopper, so it stands on your balance again.",
                who.number
            ),
            "If the shopper is still owed it, please give it back once more, or write to us for another way.".into(),
        ];
        (format!("A refund of order {} failed", who.number), text)
    })
    .await?;
    let number = addressee(tx, order).await?.number;
    let operators = sqlx::query_scalar!("select email from users where operator order by id").fetch_all(&mut *tx).await?;
    for to in operators {
        let letter = Mail {
            to,
            subject: format!("A refund of order {number} failed"),
            paragraphs: vec!["It was booked back. Its order says how much, and what is left to give back.".into()],
            link: Some(("Open the order".into(), format!("{}/operator/orders/{order}", app.config.base_url))),
        };
        mail::enqueue(tx, &letter).await?;
    }
    Ok(())
}
