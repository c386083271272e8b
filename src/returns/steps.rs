//! What moves a return on once it was asked for: answered, sent, withdrawn, put before the operator. Each is one transaction under the
//! order's lock, with its place in the timeline and its mail.

use super::{
    letters::{self, About},
    model::{Act, BackCarrier, BackTracking, Party, ReturnState, Said, next},
    queries::Scope,
};
use crate::{
    audit,
    error::{AppError, Refusal},
    ids::{OrderId, ReturnId, UserId, VendorOrderId},
    orders::{queries::MayRead, record},
    server::{
        auth::{Manager, Operator},
        errors::violates,
        state::App,
    },
};
use serde_json::{Value, json};
use sqlx::PgConnection;

/// Who moves a return on, and the proof that it is theirs to.
#[derive(Debug, Clone, Copy)]
pub enum Actor<'a> {
    /// Whoever may read the order; signed in or not.
    Shopper(MayRead, Option<UserId>),
    Vendor(&'a Manager),
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

    pub(super) fn person(self) -> Option<UserId> {
        match self {
            Self::Shopper(_, person) => person,
            Self::Vendor(vendor) => Some(vendor.customer().id()),
            Self::Operator(operator) => Some(operator.id()),
        }
    }

    /// As letters and timeline call them.
    pub(super) fn name(self, vendor_name: &str) -> String {
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
pub(super) async fn step(tx: &mut PgConnection, by: Actor<'_>, id: ReturnId, act: Act) -> Result<(About, ReturnState), AppError> {
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
pub(super) async fn audit_of(
    tx: &mut PgConnection,
    by: Actor<'_>,
    about: &About,
    action: &str,
    mut detail: Value,
) -> sqlx::Result<()> {
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

pub(super) fn too_much(error: sqlx::Error) -> AppError {
    if violates(&error, "return_lines_within") { Refusal::ReturnsTooMuch.into() } else { error.into() }
}

/// Locks an order; what is read after that is as it stands.
pub(super) async fn lock(tx: &mut PgConnection, order: OrderId) -> sqlx::Result<()> {
    sqlx::query_scalar!("select 1 from orders where id = $1 for update", order.uuid()).fetch_one(tx).await?;
    Ok(())
}

pub(super) async fn about(tx: &mut PgConnection, id: ReturnId) -> sqlx::Result<About> {
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
