//! What moves a return on: asked for, answered, sent, received. Each is one transaction under the order's lock, with its place in the
//! timeline and its mail; what came is paid back in the transaction that says so.

use super::{
    letters::{self, About},
    model::{Act, BackCarrier, BackTracking, MAX_PICTURES, Party, ReturnReason, ReturnState, ReturnWords, Said, next},
    pictures,
    queries::{self, Scope},
};
use crate::{
    audit,
    error::{AppError, FieldErrors, Refusal},
    ids::{OrderId, OrderLineId, ReturnId, UserId, VendorOrderId},
    money::{Currency, Money},
    orders::{derive_statuses, queries::MayRead, record},
    payments::{self, NewRefund, parts::Wanted},
    server::{
        auth::{Operator, Vendor},
        errors::violates,
        state::App,
    },
};
use bytes::Bytes;
use serde_json::{Value, json};
use sqlx::PgConnection;
use std::collections::BTreeMap;

/// What a shopper asks to send back.
pub struct Asked {
    pub parcel: VendorOrderId,
    /// Pieces, above zero.
    pub lines: BTreeMap<OrderLineId, i32>,
    pub reason: ReturnReason,
    pub words: ReturnWords,
    /// File name and content, at most [`MAX_PICTURES`].
    pub pictures: Vec<(String, Bytes)>,
}

/// Asks the vendor to take something back.
///
/// # Errors
/// `Invalid` at `lines[{id}]` for more than may come back, at `pictures` for what is no picture, and without any pieces; `NotFound`
/// for another order's line.
pub async fn ask(app: &App, may: MayRead, by: Option<UserId>, asked: Asked) -> Result<ReturnId, AppError> {
    if asked.pictures.len() > MAX_PICTURES {
        return Err(AppError::field("pictures", format!("At most {MAX_PICTURES} pictures.")));
    }
    // Before the expensive part.
    fits(app, &mut *app.pool.acquire().await?, may.order(), &asked).await?;
    let Asked { parcel, lines, reason, words, pictures: uploads } = asked;
    let kept = pictures::keep(app, uploads).await?;
    let asked = Asked { parcel, lines, reason, words, pictures: Vec::new() };
    let done = insert(app, may, by, &asked, &kept).await;
    if done.is_err() {
        pictures::forget(app, &kept).await;
    }
    done
}

/// Whether so much may come back of this parcel; answers `2 × Oak bowl`.
async fn fits(app: &App, db: &mut PgConnection, order: OrderId, asked: &Asked) -> Result<String, AppError> {
    if asked.lines.is_empty() {
        return Err(AppError::field("", "Say how many pieces you send back, at least one."));
    }
    let returnable = queries::returnable(db, order, app.config.return_days).await?;
    let mut errors = FieldErrors::default();
    let mut contents = Vec::new();
    for (line, quantity) in &asked.lines {
        match returnable.iter().find(|r| r.line == *line && r.parcel == asked.parcel) {
            Some(found) if found.left >= *quantity => contents.push(format!("{quantity} × {}", found.title)),
            Some(found) => errors.add(&format!("lines[{line}]"), format!("At most {} can still come back.", found.left)),
            None => {
                let ours = sqlx::query_scalar!(
                    "select 1 from order_lines where id = $1 and order_id = $2 and vendor_order_id = $3",
                    line.uuid(),
                    order.uuid(),
                    asked.parcel.uuid()
                );
                if ours.fetch_optional(&mut *db).await?.is_none() {
                    return Err(AppError::NotFound);
                }
                errors.add("", "None of it can come back any more.");
            }
        }
    }
    errors.check()?;
    Ok(contents.join(", "))
}

async fn insert(
    app: &App,
    may: MayRead,
    by: Option<UserId>,
    asked: &Asked,
    kept: &[pictures::Kept],
) -> Result<ReturnId, AppError> {
    let order = may.order();
    let mut tx = app.pool.begin().await?;
    lock(&mut tx, order).await?;
    let contents = fits(app, &mut tx, order, asked).await?;
    let id = ReturnId::new();
    sqlx::query!(
        "insert into returns (id, vendor_order_id, reason, words) values ($1, $2, $3, $4)",
        id.uuid(),
        asked.parcel.uuid(),
        asked.reason.as_str(),
        asked.words.as_str()
    )
    .execute(&mut *tx)
    .await?;
    for (line, quantity) in &asked.lines {
        sqlx::query!(
            "insert into return_lines (return_id, line_id, quantity) values ($1, $2, $3)",
            id.uuid(),
            line.uuid(),
            quantity
        )
        .execute(&mut *tx)
        .await
        .map_err(too_much)?;
    }
    for (position, picture) in (0i32..).zip(kept) {
        sqlx::query!(
            "insert into return_pictures (id, return_id, position, width, height) values ($1, $2, $3, $4, $5)",
            picture.id.uuid(),
            id.uuid(),
            position,
            picture.width,
            picture.height
        )
        .execute(&mut *tx)
        .await?;
    }
    let about = about(&mut tx, id).await?;
    let words = asked.words.as_str();
    let detail = json!({ "return": id, "contents": contents, "words": words, "vendor": about.vendor_name });
    record(&mut tx, order, Some(asked.parcel), "return_asked", detail, by).await?;
    let mut text = vec![
        format!("The shopper of order {} wants to send back {contents}.", about.number),
        format!("The reason: {}.", asked.reason.label()),
    ];
    text.extend((!words.is_empty()).then(|| words.to_owned()));
    text.push("Please accept it, refuse it with a reason, or ask.".into());
    letters::to_vendor(app, &mut tx, &about, format!("A return of order {}", about.number), text).await?;
    let text = vec![
        format!("We have asked {} to take back {contents} of your order {}.", about.vendor_name, about.number),
        "Please keep the goods until you hear where to send them. We write to you as soon as there is an answer.".into(),
    ];
    letters::to_shopper(app, &mut tx, &about, format!("Your return of order {}", about.number), text).await?;
    tx.commit().await?;
    Ok(id)
}

fn too_much(error: sqlx::Error) -> AppError {
    if violates(&error, "return_lines_within") { Refusal::ReturnsTooMuch.into() } else { error.into() }
}

/// Locks an order; what is read after that is as it stands.
async fn lock(tx: &mut PgConnection, order: OrderId) -> sqlx::Result<()> {
    sqlx::query_scalar!("select 1 from orders where id = $1 for update", order.uuid()).fetch_one(tx).await?;
    Ok(())
}

async fn about(tx: &mut PgConnection, id: ReturnId) -> sqlx::Result<About> {
    sqlx::query_as!(
        About,
        r#"select t.id as "id: ReturnId", o.id as "order: OrderId", o.number, v.id as "parcel: VendorOrderId", v.vendor_name, o.email,
                  o.checkout_key
           from returns t join vendor_orders v on v.id = t.vendor_order_id join orders o on o.id = v.order_id where t.id = $1"#,
        id.uuid()
    )
    .fetch_one(tx)
    .await
}

/// Who moves a return on, and the proof that it is theirs to.
#[derive(Debug, Clone, Copy)]
pub enum Actor<'a> {
    /// Whoever may read the order; signed in or not.
    Shopper(MayRead, Option<UserId>),
    Vendor(&'a Vendor),
    Operator(&'a Operator),
}

impl Actor<'_> {
    pub fn party(self) -> Party {
        match self {
            Self::Shopper(..) => Party::Shopper,
            Self::Vendor(_) => Party::Vendor,
            Self::Operator(_) => Party::Operator,
        }
    }

    pub fn scope(self) -> Scope {
        match self {
            Self::Shopper(may, _) => Scope::order(may),
            Self::Vendor(vendor) => Scope::vendor(vendor),
            Self::Operator(operator) => Scope::operator(operator),
        }
    }

    fn person(self) -> Option<UserId> {
        match self {
            Self::Shopper(_, person) => person,
            Self::Vendor(vendor) => Some(vendor.customer().id()),
            Self::Operator(operator) => Some(operator.id()),
        }
    }

    /// As letters and timeline call them.
    fn name(self, vendor_name: &str) -> String {
        match self {
            Self::Shopper(..) => "The shopper".into(),
            Self::Vendor(_) => vendor_name.to_owned(),
            Self::Operator(_) => "Souk".into(),
        }
    }
}

/// What can be done with a return, apart from receiving it.
#[derive(Debug, Clone)]
pub enum Deed {
    /// With the address to send it to.
    Accept(Said),
    Refuse(Said),
    Ask(Said),
    Answer(Said),
    Send {
        carrier: BackCarrier,
        tracking: BackTracking,
    },
    Withdraw,
    /// Why the operator should think otherwise.
    Appeal(Said),
}

impl Deed {
    fn act(&self) -> Act {
        match self {
            Self::Accept(_) => Act::Accept,
            Self::Refuse(_) => Act::Refuse,
            Self::Ask(_) => Act::Ask,
            Self::Answer(_) => Act::Answer,
            Self::Send { .. } => Act::Send,
            Self::Withdraw => Act::Withdraw,
            Self::Appeal(_) => Act::Appeal,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Accept(_) => "return_accepted",
            Self::Refuse(_) => "return_refused",
            Self::Ask(_) => "return_questioned",
            Self::Answer(_) => "return_answered",
            Self::Send { .. } => "return_sent",
            Self::Withdraw => "return_withdrawn",
            Self::Appeal(_) => "return_appealed",
        }
    }

    fn words(&self) -> &str {
        match self {
            Self::Accept(words) | Self::Refuse(words) | Self::Ask(words) | Self::Answer(words) | Self::Appeal(words) => {
                words.as_str()
            }
            Self::Send { .. } | Self::Withdraw => "",
        }
    }
}

/// A return of the actor's, under its order's lock, and where this act leads.
async fn step(tx: &mut PgConnection, by: Actor<'_>, id: ReturnId, act: Act) -> Result<(About, ReturnState), AppError> {
    let scope = by.scope();
    let order = sqlx::query_scalar!(
        r#"select v.order_id as "order: OrderId" from returns t join vendor_orders v on v.id = t.vendor_order_id
           where t.id = $1 and ($2::uuid is null or v.order_id = $2) and ($3::uuid is null or v.vendor_id = $3)"#,
        id.uuid(),
        scope.order_id(),
        scope.vendor_id()
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(AppError::NotFound)?;
    lock(tx, order).await?;
    let now = sqlx::query!(r#"select state as "state: ReturnState", appealed from returns where id = $1"#, id.uuid())
        .fetch_one(&mut *tx)
        .await?;
    let to = next(now.state, by.party(), act, now.appealed).ok_or(Refusal::Stale)?;
    Ok((about(tx, id).await?, to))
}

/// Does it, tells those whom it concerns, and writes it into the timeline. `Stale` where it is not theirs to do (any more).
pub async fn act(app: &App, by: Actor<'_>, id: ReturnId, deed: &Deed) -> Result<(), AppError> {
    let mut tx = app.pool.begin().await?;
    let (about, to) = step(&mut tx, by, id, deed.act()).await?;
    let send_to = if let Deed::Accept(send_to) = deed { Some(send_to.as_str()) } else { None };
    let (carrier, tracking) = match deed {
        Deed::Send { carrier, tracking } => (carrier.as_str(), tracking.as_str()),
        _ => ("", ""),
    };
    sqlx::query!(
        "update returns set state = $2, send_to = coalesce($3, send_to), carrier = $4, tracking = $5,
                appealed = appealed or $2 = 'appealed', changed_at = now() where id = $1",
        id.uuid(),
        to.as_str(),
        send_to,
        carrier,
        tracking
    )
    .execute(&mut *tx)
    .await
    .map_err(too_much)?;
    let who = by.name(&about.vendor_name);
    let detail = json!({
        "return": id, "words": deed.words(), "by": who, "vendor": about.vendor_name, "carrier": carrier, "tracking": tracking
    });
    record(&mut tx, about.order, Some(about.parcel), deed.kind(), detail, by.person()).await?;
    let action = match deed {
        Deed::Accept(_) => Some("return.accepted"),
        Deed::Refuse(_) => Some("return.refused"),
        // Talk, and what moves goods alone.
        Deed::Ask(_) | Deed::Answer(_) | Deed::Send { .. } | Deed::Withdraw | Deed::Appeal(_) => None,
    };
    if let Some(action) = action {
        audit_of(&mut tx, by, &about, action, json!({ "words": deed.words() })).await?;
    }
    tell(app, &mut tx, by, &about, deed, &who).await?;
    tx.commit().await?;
    Ok(())
}

/// Into the audit log: a step that decides about money, and as whom somebody took it. Where an operator decides what the vendor had
/// decided, the one entry follows the other.
async fn audit_of(tx: &mut PgConnection, by: Actor<'_>, about: &About, action: &str, mut detail: Value) -> sqlx::Result<()> {
    detail["order"] = json!(about.order);
    detail["parcel"] = json!(about.parcel);
    detail["as"] = json!(by.party().as_str());
    audit::record(tx, by.person(), action, ("return", about.id), detail).await
}

async fn tell(app: &App, tx: &mut PgConnection, by: Actor<'_>, about: &About, deed: &Deed, who: &str) -> anyhow::Result<()> {
    let number = about.number;
    let words = deed.words().to_owned();
    match deed {
        Deed::Accept(_) => {
            let text = vec![
                format!("{who} takes back what you asked to return of order {number}. Please send it to:"),
                words,
                "When it is on its way, please say so on the return's page. Your money goes back as soon as it has come.".into(),
            ];
            letters::to_shopper(app, tx, about, format!("Your return of order {number} is accepted"), text).await?;
        }
        Deed::Refuse(_) => {
            let text = vec![
                format!("{who} does not take back what you asked to return of order {number}:"),
                words,
                "If you think otherwise, the return's page says what you can do.".into(),
            ];
            letters::to_shopper(app, tx, about, format!("Your return of order {number} was refused"), text).await?;
        }
        Deed::Ask(_) => {
            let text = vec![format!("{who} asks about what you want to return of order {number}:"), words];
            letters::to_shopper(app, tx, about, format!("A question about your return of order {number}"), text).await?;
        }
        Deed::Answer(_) => {
            let text = vec!["The shopper answers:".to_owned(), words];
            letters::to_vendor(app, tx, about, format!("An answer about a return of order {number}"), text).await?;
        }
        Deed::Send { carrier, tracking } => {
            let with = [carrier.as_str(), tracking.as_str()].into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join(", ");
            let with = if with.is_empty() { String::new() } else { format!(" with {with}") };
            let text = vec![
                format!("The shopper of order {number} has sent it back{with}."),
                "When it is there, please say what came: that pays the shopper back.".into(),
            ];
            letters::to_vendor(app, tx, about, format!("A return of order {number} is on its way"), text).await?;
        }
        Deed::Withdraw => {
            let text = vec![format!("The shopper of order {number} keeps the goods. There is nothing to do.")];
            letters::to_vendor(app, tx, about, format!("A return of order {number} was withdrawn"), text).await?;
        }
        Deed::Appeal(_) => {
            let text = vec![
                format!("{} refused a return of order {number}, and the shopper asks you to look at it:", about.vendor_name),
                words,
            ];
            letters::to_operators(app, tx, about, format!("A refused return of order {number}"), text).await?;
        }
    }
    // What the operator decides, the vendor reads too.
    if let (Actor::Operator(_), Deed::Accept(_) | Deed::Refuse(_)) = (by, deed) {
        let done = if matches!(deed, Deed::Accept(_)) { "accepted" } else { "refused" };
        let text = vec![format!("We have {done} the return of order {number}, and told the shopper:"), deed.words().to_owned()];
        letters::to_vendor(app, tx, about, format!("We have {done} a return of order {number}"), text).await?;
    }
    Ok(())
}

/// What came of one line: pieces, and how many of them go back on the shelf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    pub received: i32,
    pub restocked: i32,
}

/// Says what came, pays it back, and puts on the shelf what can be sold again: all in one transaction. The shipping goes back, too,
/// when with this the whole parcel did.
///
/// # Errors
/// `Invalid` at `received[{line}]` and `restock[{line}]`; `Stale` where it was not accepted, or is done.
pub async fn receive(app: &App, by: Actor<'_>, id: ReturnId, receipts: &BTreeMap<OrderLineId, Receipt>) -> Result<(), AppError> {
    let mut tx = app.pool.begin().await?;
    let (about, to) = step(&mut tx, by, id, Act::Receive).await?;
    let lines =
        sqlx::query!(r#"select line_id as "line: OrderLineId", quantity from return_lines where return_id = $1"#, id.uuid())
            .fetch_all(&mut *tx)
            .await?;
    check(receipts, &lines.iter().map(|l| (l.line, l.quantity)).collect())?;
    for (line, receipt) in receipts {
        sqlx::query!(
            "update return_lines set received = $3, restocked = $4 where return_id = $1 and line_id = $2",
            id.uuid(),
            line.uuid(),
            receipt.received,
            receipt.restocked
        )
        .execute(&mut *tx)
        .await?;
    }
    restock(&mut tx, id).await?;

    let payment = payments::paid_payment(&mut tx, about.order).await?;
    if let Some(payment) = payment {
        payments::refuse_disputed(&mut tx, payment).await?;
    }
    let sold = payments::sold_parcels(&mut tx, about.order, Some(about.parcel)).await?.pop().ok_or(AppError::NotFound)?;
    // What was paid back before is not paid back again.
    let lines: BTreeMap<_, _> = sold
        .lines
        .iter()
        .filter_map(|l| receipts.get(&l.id).map(|r| (l.id, r.received.min(l.left()))))
        .filter(|(_, quantity)| *quantity > 0)
        .collect();
    let goods = sold.parts(&Wanted { lines: lines.clone(), shipping_minor: 0 }).unwrap_or_default();
    let left: i64 = sold.left().amount - goods.iter().map(|p| p.figures.amount).sum::<i64>();
    let shipping_minor = if sold.complete_with(&lines) { sold.shipping_left().min(left) } else { 0 };
    let parts = sold.parts(&Wanted { lines, shipping_minor }).map_err(|_| Refusal::RefundsTooMuch)?;
    let amount: i64 = parts.iter().map(|p| p.figures.amount).sum();
    let mut refund = None;
    if amount > 0 {
        let payment = payment.ok_or(Refusal::NotPaidYet)?;
        let new = NewRefund { payment, reason: "returned", note: "", actor: by.person(), parts: &parts };
        refund = Some(payments::book_refund(&mut tx, new).await.map_err(payments::too_much)?);
        derive_statuses(&mut tx, about.order).await?;
    }
    sqlx::query!(
        "update returns set state = $2, refund_id = $3, changed_at = now() where id = $1",
        id.uuid(),
        to.as_str(),
        refund.map(|r| r.uuid())
    )
    .execute(&mut *tx)
    .await?;
    let contents = sold.contents(&parts);
    let who = by.name(&about.vendor_name);
    let detail = json!({ "return": id, "amount": amount, "contents": contents, "by": who, "vendor": about.vendor_name });
    record(&mut tx, about.order, Some(about.parcel), "return_received", detail, by.person()).await?;
    let pieces: i32 = receipts.values().map(|r| r.received).sum();
    let detail = json!({ "amount": amount, "refund": refund, "pieces": pieces });
    audit_of(&mut tx, by, &about, "return.received", detail).await?;
    tell_received(app, &mut tx, &about, amount, &contents).await?;
    tx.commit().await?;
    Ok(())
}

/// A receipt names every line of the return at most once, no more pieces than were to come, and at least one that came.
fn check(receipts: &BTreeMap<OrderLineId, Receipt>, lines: &BTreeMap<OrderLineId, i32>) -> Result<(), AppError> {
    let mut errors = FieldErrors::default();
    for (line, receipt) in receipts {
        let Some(quantity) = lines.get(line) else { return Err(AppError::NotFound) };
        if !(0..=*quantity).contains(&receipt.received) {
            errors.add(&format!("received[{line}]"), format!("From 0 to {quantity} can have come."));
        } else if !(0..=receipt.received).contains(&receipt.restocked) {
            errors.add(&format!("restock[{line}]"), "No more than what came can go back on the shelf.");
        }
    }
    if receipts.values().all(|r| r.received == 0) {
        errors.add("", "Say what came, at least one piece.");
    }
    errors.check()
}

/// Puts what can be sold again on the shelf, in the order in which everybody takes stock rows.
async fn restock(tx: &mut PgConnection, id: ReturnId) -> sqlx::Result<()> {
    sqlx::query!(
        "with back as (
             select l.variant_id, sum(x.restocked)::int as pieces from return_lines x join order_lines l on l.id = x.line_id
             where x.return_id = $1 and x.restocked > 0 and l.variant_id is not null group by 1
         ), locked as (
             select s.variant_id, b.pieces from stock s join back b on b.variant_id = s.variant_id order by s.variant_id for update of s
         )
         update stock s set on_hand = s.on_hand + l.pieces from locked l where s.variant_id = l.variant_id",
        id.uuid()
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn tell_received(app: &App, tx: &mut PgConnection, about: &About, amount: i64, contents: &str) -> anyhow::Result<()> {
    let currency =
        sqlx::query_scalar!(r#"select currency as "currency: Currency" from orders where id = $1"#, about.order.uuid())
            .fetch_one(&mut *tx)
            .await?;
    let mut text = vec![format!("{} has what you sent back of order {}.", about.vendor_name, about.number)];
    if amount > 0 {
        let money = Money::new(amount, currency);
        text.push(format!("You get {money} back for {contents}. It goes back to the card you paid with."));
    } else {
        text.push("It was paid back before, so nothing more follows.".into());
    }
    letters::to_shopper(app, tx, about, format!("Your return of order {} has come", about.number), text).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_says_what_came_and_no_more() {
        let (line, other) = (OrderLineId::new(), OrderLineId::new());
        let lines = [(line, 2)].into();
        let one = |received, restocked| [(line, Receipt { received, restocked })].into();
        assert_eq!(check(&one(2, 1), &lines), Ok(()));
        for (receipts, field) in [
            (one(3, 0), format!("received[{line}]")),
            (one(-1, 0), format!("received[{line}]")),
            (one(1, 2), format!("restock[{line}]")),
            (one(0, 0), String::new()),
        ] {
            match check(&receipts, &lines) {
                Err(AppError::Invalid(errors)) => assert!(errors.get(&field).is_some(), "{errors:?}"),
                other => panic!("{other:?}"),
            }
        }
        let stranger = [(other, Receipt { received: 1, restocked: 0 })].into();
        assert_eq!(check(&stranger, &lines), Err(AppError::NotFound));
    }
}
