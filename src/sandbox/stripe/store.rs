//! Objects of Stripe's in PostgreSQL: load, lock, write, list. Every statement names its schema, so any pool will do.

use serde_json::{Value, json};
use sqlx::{PgConnection, PgPool, QueryBuilder, Row, postgres::PgRow};

use super::error::ApiError;
use super::ids;
use super::params::Params;

/// Creates the schema if it is missing. Two programs that start at once take turns.
pub async fn create_schema(pool: &PgPool) -> sqlx::Result<()> {
    let mut tx = pool.begin().await?;
    sqlx::query("select pg_advisory_xact_lock(4242424242424242)").execute(&mut *tx).await?;
    sqlx::raw_sql(include_str!("schema.sql")).execute(&mut *tx).await?;
    tx.commit().await
}

/// An object as the API answers it, and what Stripe keeps to itself about it.
#[derive(Debug, Clone)]
pub struct Stored {
    pub doc: Value,
    pub hidden: Value,
}

impl Stored {
    pub fn new(doc: Value) -> Self {
        Self { doc, hidden: json!({}) }
    }

    pub fn id(&self) -> &str {
        self.doc["id"].as_str().unwrap_or_default()
    }

    pub fn text(&self, field: &str) -> &str {
        self.doc[field].as_str().unwrap_or_default()
    }

    pub fn amount(&self, field: &str) -> i64 {
        self.doc[field].as_i64().unwrap_or_default()
    }

    /// The connected account it belongs to; none: the platform's.
    pub fn owner(&self) -> Option<&str> {
        self.hidden["account"].as_str()
    }

    /// When Stripe does by itself what comes next.
    pub fn due_at(&self) -> Option<i64> {
        self.hidden["due_at"].as_i64()
    }

    fn read(row: &PgRow) -> sqlx::Result<Self> {
        let mut doc = row.try_get("doc")?;
        mature(&mut doc);
        Ok(Self { doc, hidden: row.try_get("hidden")? })
    }
}

/// An entry of the balance is pending until its time has come; nothing is written when it comes.
fn mature(doc: &mut Value) {
    match doc["object"].as_str() {
        Some("balance_transaction") => {
            let available = doc["available_on"].as_i64().is_some_and(|at| at <= ids::now());
            doc["status"] = json!(if available { "available" } else { "pending" });
        }
        Some("dispute") => doc["balance_transactions"].as_array_mut().into_iter().flatten().for_each(mature),
        _ => {}
    }
}

/// The kinds that have a row, and the prefix of their ids.
const KINDS: &[(&str, &str)] = &[
    ("cs_", "checkout.session"),
    ("pi_", "payment_intent"),
    ("ch_", "charge"),
    ("py_", "charge"),
    ("re_", "refund"),
    ("pyr_", "refund"),
    ("txn_", "balance_transaction"),
    ("pm_", "payment_method"),
    ("prod_", "product"),
    ("price_", "price"),
    ("acct_", "account"),
    ("ba_", "bank_account"),
    ("tr_", "transfer"),
    ("trr_", "transfer_reversal"),
    ("po_", "payout"),
    ("du_", "dispute"),
    ("file_", "file"),
];

/// The kind an id is of, by its prefix.
pub fn kind_of(id: &str) -> Option<&'static str> {
    KINDS.iter().find(|(prefix, _)| id.starts_with(prefix)).map(|(_, kind)| *kind)
}

/// An id as PostgreSQL takes it: one with a NUL byte names nothing, as nothing has an empty id.
pub fn bindable(id: &str) -> &str {
    if id.contains('\0') { "" } else { id }
}

pub async fn find(conn: &mut PgConnection, kind: &str, id: &str) -> sqlx::Result<Option<Stored>> {
    sqlx::query("select doc, hidden from stripe_sandbox.objects where id = $1 and kind = $2")
        .bind(bindable(id))
        .bind(kind)
        .fetch_optional(conn)
        .await?
        .as_ref()
        .map(Stored::read)
        .transpose()
}

/// Loads an object or answers Stripe's 404.
pub async fn load(conn: &mut PgConnection, kind: &str, id: &str, param: &str) -> Result<Stored, ApiError> {
    find(conn, kind, id).await?.ok_or_else(|| ApiError::missing(kind, id, param))
}

/// Like [`load`], for what belongs to one account, the platform's (none) or a connected one. Another's is not found.
pub async fn load_of(
    conn: &mut PgConnection,
    owner: Option<&str>,
    kind: &str,
    id: &str,
    param: &str,
) -> Result<Stored, ApiError> {
    let found = find(conn, kind, id).await?.filter(|object| object.owner() == owner);
    found.ok_or_else(|| ApiError::missing(kind, id, param))
}

/// Like [`load`], holding the row until the transaction ends.
pub async fn lock(conn: &mut PgConnection, kind: &str, id: &str, param: &str) -> Result<Stored, ApiError> {
    sqlx::query("select doc, hidden from stripe_sandbox.objects where id = $1 and kind = $2 for update")
        .bind(bindable(id))
        .bind(kind)
        .fetch_optional(conn)
        .await?
        .as_ref()
        .map(Stored::read)
        .transpose()?
        .ok_or_else(|| ApiError::missing(kind, id, param))
}

/// Writes an object, new or changed. The indexed columns follow the document.
pub async fn save(conn: &mut PgConnection, object: &Stored) -> sqlx::Result<()> {
    let doc = &object.doc;
    // an expanded field would hide its id; documents are always kept flat
    let text = |field: &str| doc[field].as_str().map(str::to_owned);
    let session = object.hidden["session"].as_str().map(str::to_owned);
    sqlx::query(
        "insert into stripe_sandbox.objects (id, kind, created, session, payment_intent, charge, status, expires_at, doc, hidden)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         on conflict (id) do update set session = excluded.session, payment_intent = excluded.payment_intent, charge = excluded.charge,
             status = excluded.status, expires_at = excluded.expires_at, doc = excluded.doc, hidden = excluded.hidden",
    )
    .bind(object.id())
    .bind(text("object"))
    .bind(doc["created"].as_i64().unwrap_or_default())
    .bind(session)
    .bind(text("payment_intent"))
    .bind(text("charge"))
    .bind(text("status"))
    .bind(doc["expires_at"].as_i64())
    .bind(doc)
    .bind(&object.hidden)
    .execute(conn)
    .await?;
    Ok(())
}

/// Which page of a list is asked for.
#[derive(Debug, Default)]
pub struct Page {
    pub limit: i64,
    pub after: Option<String>,
    pub before: Option<String>,
}

impl Page {
    pub fn read(params: &mut Params) -> Result<Self, ApiError> {
        let limit = params.integer("limit")?.unwrap_or(10);
        if !(1..=100).contains(&limit) {
            let bound = if limit < 1 { "greater than or equal to 1" } else { "less than or equal to 100" };
            return Err(ApiError::param(
                "limit",
                Some("parameter_invalid_integer"),
                format!("This value must be {bound} (it currently is '{limit}')."),
            ));
        }
        let (after, before) = (params.text("starting_after")?, params.text("ending_before")?);
        if after.is_some() && before.is_some() {
            return Err(ApiError::invalid("You can only pass one of starting_after and ending_before."));
        }
        Ok(Self { limit, after, before })
    }

    /// Cuts a page out of a slice that is in order, newest first.
    pub fn cut(&self, all: &[Value], url: &str) -> Result<Value, ApiError> {
        let place = |id: &str, param: &str| {
            all.iter()
                .position(|v| v["id"] == id)
                .ok_or_else(|| ApiError::param(param, Some("resource_missing"), format!("No such object: '{id}'")))
        };
        let limit = usize::try_from(self.limit).unwrap_or(10);
        let (start, end, more) = if let Some(before) = &self.before {
            let end = place(before, "ending_before")?;
            let start = end.saturating_sub(limit);
            (start, end, start > 0)
        } else {
            let start = self.after.as_deref().map(|id| place(id, "starting_after")).transpose()?.map_or(0, |at| at + 1);
            let end = (start + limit).min(all.len());
            (start, end, end < all.len())
        };
        Ok(list(url, all[start..end].to_vec(), more))
    }
}

/// Stripe's list object.
pub fn list(url: &str, data: Vec<Value>, has_more: bool) -> Value {
    json!({ "object": "list", "data": data, "has_more": has_more, "url": url })
}

/// What a list is narrowed to: a column of ours and the value it must have.
pub type Filter<'a> = (&'a str, String);

/// A page of objects (or events), newest first. `created` narrows by time: `created=…`, `created[gte]=…`.
pub async fn page(
    conn: &mut PgConnection,
    table: &str,
    url: &str,
    filters: &[Filter<'_>],
    types: Option<Vec<String>>,
    params: &mut Params,
) -> Result<Value, ApiError> {
    let page = Page::read(params)?;
    let mut sql = QueryBuilder::new(format!("select doc from stripe_sandbox.{table} where true"));
    for (column, value) in filters {
        sql.push(format!(" and {column} = ")).push_bind(value.clone());
    }
    if let Some(types) = types {
        sql.push(" and type = any(").push_bind(types).push(")");
    }
    for (operator, moment) in created(params)? {
        sql.push(format!(" and created {operator} ")).push_bind(moment);
    }
    for (cursor, param, comparison) in [(&page.after, "starting_after", "<"), (&page.before, "ending_before", ">")] {
        if let Some(id) = cursor {
            let mut found = QueryBuilder::new(format!("select seq from stripe_sandbox.{table} where id = "));
            let seq: Option<i64> = found.push_bind(id.clone()).build_query_scalar().fetch_optional(&mut *conn).await?;
            let seq = seq.ok_or_else(|| {
                ApiError::param(param, Some("resource_missing"), format!("No such {}: '{id}'", kind_of(id).unwrap_or("object")))
            })?;
            sql.push(format!(" and seq {comparison} ")).push_bind(seq);
        }
    }
    let order = if page.before.is_some() { "asc" } else { "desc" };
    sql.push(format!(" order by seq {order} limit ")).push_bind(page.limit + 1);
    let mut data: Vec<Value> = sql.build_query_scalar().fetch_all(conn).await?;
    data.iter_mut().for_each(mature);
    let wanted = usize::try_from(page.limit).unwrap_or(10);
    let more = data.len() > wanted;
    data.truncate(wanted);
    if page.before.is_some() {
        data.reverse();
    }
    Ok(list(url, data, more))
}

/// The bounds on `created`, as operators of SQL.
fn created(params: &mut Params) -> Result<Vec<(&'static str, i64)>, ApiError> {
    if let Ok(Some(moment)) = params.clone().integer("created") {
        params.ignore(&["created"]);
        return Ok(vec![("=", moment)]);
    }
    let mut bounds = Vec::new();
    if let Some(mut range) = params.below("created")? {
        for (field, operator) in [("gt", ">"), ("gte", ">="), ("lt", "<"), ("lte", "<=")] {
            if let Some(moment) = range.integer(field)? {
                bounds.push((operator, moment));
            }
        }
        range.finish()?;
    }
    Ok(bounds)
}
