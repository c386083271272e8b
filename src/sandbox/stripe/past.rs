//! Payments that were made before this sandbox was there: the demo world's. They can be looked up and refunded like any other;
//! no events tell of them.

use serde_json::{Value, json};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

use super::cards::Card;
use super::objects::charge::{self, Ending, Instrument};
use super::objects::entry::{self, NewEntry};
use super::objects::{Billing, intent, method, refund, session};
use super::store::{self, Stored};

/// A Checkout Session that ended: paid, or declined and then closed.
#[derive(Debug, Clone)]
pub struct PastPayment {
    /// What its objects' ids end in: `cs_…`, `pi_…`, `ch_…`, `re_…`.
    pub mark: String,
    pub paid: bool,
    /// Minor units.
    pub amount: i64,
    /// ISO 4217, lower case.
    pub currency: String,
    pub email: String,
    pub name: String,
    pub metadata: Value,
    pub at: OffsetDateTime,
    /// Minor units that went back, and when.
    pub refunded: Option<(i64, OffsetDateTime)>,
}

/// Makes the state of a sandbox that is not running, so that [`remember`] finds its tables.
pub async fn prepare(pool: &PgPool) -> sqlx::Result<()> {
    store::create_schema(pool).await
}

/// Writes the objects of a past payment as they would be today.
pub async fn remember(conn: &mut PgConnection, past: &PastPayment) -> sqlx::Result<()> {
    let at = past.at.unix_timestamp();
    let id = |prefix: &str| json!(format!("{prefix}_{}", past.mark));
    let billing = Billing { email: Some(past.email.clone()), name: Some(past.name.clone()) };
    let mut page = session::document(&session::NewSession {
        id: format!("cs_{}", past.mark),
        url: String::new(),
        created: at,
        expires_at: at + 3600,
        amount: past.amount,
        currency: past.currency.clone(),
        success_url: String::new(),
        cancel_url: None,
        client_reference_id: None,
        customer_email: Some(past.email.clone()),
        metadata: past.metadata.clone(),
        payment_method_types: vec!["card".into()],
        locale: None,
        submit_type: None,
        billing_address_collection: None,
        integration_identifier: None,
    });
    let mut wish = intent::document(&intent::NewIntent {
        amount: past.amount,
        currency: past.currency.clone(),
        capture_method: "automatic_async",
        payment_method_types: vec!["card".into()],
        metadata: past.metadata.clone(),
        ..intent::NewIntent::default()
    });
    wish["id"] = id("pi");
    wish["created"] = json!(at);
    page["payment_intent"] = id("pi");
    page["url"] = Value::Null;
    page["status"] = json!(if past.paid { "complete" } else { "expired" });
    wish["status"] = json!(if past.paid { "succeeded" } else { "canceled" });
    if past.paid {
        page["payment_status"] = json!("paid");
        page["customer_details"] = session::customer(&billing, true);
        wish["amount_received"] = json!(past.amount);
        wish["latest_charge"] = id("ch");
        let card = Card::new("4242424242424242", 12, i64::from(past.at.year()) + 2);
        let chosen = Stored::new(method::card(&card, &billing));
        wish["payment_method"] = json!(chosen.id());
        let instrument = Instrument::Card { card: &card, authenticated: false };
        let mut taken = charge::document(&wish, chosen.id(), &instrument, &billing, &Ending::Succeeded);
        taken["id"] = id("ch");
        taken["created"] = json!(at);
        let fee = Some(entry::processing_fee(past.amount));
        let entry = entry_of(&taken, NewEntry { fee, ..NewEntry::now("charge", past.amount, &past.currency, "") }, at);
        taken["balance_transaction"] = json!(entry.id());
        store::save(conn, &chosen).await?;
        store::save(conn, &entry).await?;
        if let Some((amount, when)) = past.refunded {
            let when = when.unix_timestamp();
            let mut back = refund::document(&taken, amount, Some("requested_by_customer"), &json!({}));
            back["id"] = id("re");
            back["created"] = json!(when);
            let entry = entry_of(&back, NewEntry::now("refund", -amount, &past.currency, ""), when);
            back["balance_transaction"] = json!(entry.id());
            taken["amount_refunded"] = json!(amount);
            taken["refunded"] = json!(amount == past.amount);
            store::save(conn, &entry).await?;
            store::save(conn, &Stored::new(back)).await?;
        }
        store::save(conn, &Stored::new(taken)).await?;
    }
    store::save(conn, &Stored { hidden: json!({ "session": page["id"] }), doc: wish }).await?;
    store::save(conn, &Stored { hidden: json!({ "line_items": [], "payment_intent_data": {} }), doc: page }).await
}

/// The entry in the platform's balance that an object made at its time; it has long been available.
fn entry_of(source: &Value, new: NewEntry<'_>, at: i64) -> Stored {
    let source = source["id"].as_str().unwrap_or_default();
    Stored::new(entry::document(&NewEntry { source, created: at, available_on: at, ..new }))
}
