//! The rules of the commission as they stand in the database: read in their order, and changed by the operator. A rule is never
//! changed in place: what was sold keeps the one that it was sold under.

use super::commission::Rule;
use crate::{
    audit,
    error::{AppError, Refusal},
    ids::{CategoryId, CommissionRuleId, ProductId, VendorId},
    money::{BasisPoints, Currency, Money},
    server::auth::{Manager, Operator},
    texts,
};
use serde_json::json;
use sqlx::{PgConnection, PgExecutor, PgPool};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

/// Who changes rules waits for who is changing them.
const LOCK: i64 = 23;

texts!(
    /// What a rule is called, on every sale that it decided.
    RuleName: line, 1, 80;
);

/// A rule with the names of what it matches.
#[derive(Debug, Clone)]
pub struct NamedRule {
    pub id: CommissionRuleId,
    pub name: String,
    pub vendor_id: Option<VendorId>,
    pub vendor_slug: Option<String>,
    pub vendor_name: Option<String>,
    pub category_id: Option<CategoryId>,
    pub category_name: Option<String>,
    pub product_id: Option<ProductId>,
    pub product_slug: Option<String>,
    pub product_title: Option<String>,
    pub starts_on: Option<Date>,
    pub ends_on: Option<Date>,
    pub percent_bp: i32,
    pub fixed_minor: i64,
    pub minimum_minor: i64,
    pub cap_minor: Option<i64>,
    pub on_shipping: bool,
    /// Matches everything, is asked last, and cannot go.
    pub fallback: bool,
    pub archived_at: Option<OffsetDateTime>,
}

impl NamedRule {
    pub fn percent(&self) -> BasisPoints {
        BasisPoints(self.percent_bp)
    }

    /// What it takes: `8 % + £0.20 a piece, at least £1.00 a piece, also of shipping`.
    pub fn takes(&self, currency: Currency) -> String {
        let money = |minor: i64| Money::new(minor, currency);
        let mut words = self.percent().to_string();
        if self.fixed_minor > 0 {
            words.push_str(&format!(" + {} a piece", money(self.fixed_minor)));
        }
        if self.minimum_minor > 0 {
            words.push_str(&format!(", at least {} a piece", money(self.minimum_minor)));
        }
        if let Some(cap) = self.cap_minor {
            words.push_str(&format!(", at most {} a piece", money(cap)));
        }
        if self.on_shipping {
            words.push_str(", also of shipping");
        }
        words
    }

    /// What it matches: `goods in Kitchen, sold by Mill & Loaf, until 30 November 2026`.
    pub fn scope(&self) -> String {
        let mut parts = Vec::new();
        match (&self.product_title, &self.category_name) {
            (Some(title), Some(category)) => parts.push(format!("{title} while it is in {category}")),
            (Some(title), None) => parts.push(title.clone()),
            (None, Some(category)) => parts.push(format!("goods in {category}")),
            (None, None) => {}
        }
        parts.extend(self.vendor_name.as_ref().map(|name| format!("sold by {name}")));
        match (self.starts_on, self.ends_on) {
            (Some(from), Some(until)) => parts.push(format!("from {} to {}", day(from), day(until))),
            (Some(from), None) => parts.push(format!("from {}", day(from))),
            (None, Some(until)) => parts.push(format!("until {}", day(until))),
            (None, None) => {}
        }
        if parts.is_empty() { "everything".into() } else { parts.join(", ") }
    }

    /// Why it decided, in a sentence.
    pub fn why(&self) -> String {
        if self.fallback { "No other rule matched.".into() } else { format!("It was the first to match: {}.", self.scope()) }
    }

    /// As it is reckoned with.
    pub fn rule(&self) -> Rule {
        Rule {
            id: Some(self.id),
            name: self.name.clone(),
            vendor_id: self.vendor_id,
            category_id: self.category_id,
            product_id: self.product_id,
            starts_on: self.starts_on,
            ends_on: self.ends_on,
            percent_bp: self.percent_bp,
            fixed_minor: self.fixed_minor,
            minimum_minor: self.minimum_minor,
            cap_minor: self.cap_minor,
            on_shipping: self.on_shipping,
        }
    }
}

/// The rules that are asked, in their order; the last one matches everything.
pub async fn in_order(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<NamedRule>> {
    named(db, None).await
}

/// Rules by their ids, archived or not.
pub async fn by_id(db: impl PgExecutor<'_>, ids: &[CommissionRuleId]) -> sqlx::Result<Vec<NamedRule>> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    named(db, Some(&ids)).await
}

/// A rule that is asked; `None` for one that is archived too.
pub async fn find(db: impl PgExecutor<'_>, id: CommissionRuleId) -> sqlx::Result<Option<NamedRule>> {
    Ok(by_id(db, &[id]).await?.pop().filter(|r| r.archived_at.is_none()))
}

async fn named(db: impl PgExecutor<'_>, ids: Option<&[Uuid]>) -> sqlx::Result<Vec<NamedRule>> {
    sqlx::query_as!(
        NamedRule,
        r#"select r.id as "id: CommissionRuleId", r.name, r.vendor_id as "vendor_id: VendorId", v.slug as "vendor_slug?",
                  v.name as "vendor_name?", r.category_id as "category_id: CategoryId", c.name as "category_name?",
                  r.product_id as "product_id: ProductId", p.slug as "product_slug?", p.title as "product_title?", r.starts_on, r.ends_on,
                  r.percent_bp, r.fixed_minor, r.minimum_minor, r.cap_minor, r.on_shipping, r.fallback, r.archived_at
           from commission_rules r left join vendors v on v.id = r.vendor_id left join categories c on c.id = r.category_id
           left join products p on p.id = r.product_id
           where case when $1::uuid[] is null then r.archived_at is null else r.id = any($1) end order by r.position"#,
        ids
    )
    .fetch_all(db)
    .await
}

/// `26 November 2026`
fn day(date: Date) -> String {
    format!("{} {} {}", date.day(), date.month(), date.year())
}

/// What decides over a vendor's prices today: the rules, the VAT on a fee of this vendor, and the category with all above it.
pub struct Terms {
    pub rules: Vec<Rule>,
    pub vat: BasisPoints,
    pub categories: Vec<CategoryId>,
}

/// The terms for goods of a category; `None`: in none yet.
pub async fn terms(pool: &PgPool, vendor: &Manager, category: Option<CategoryId>) -> sqlx::Result<Terms> {
    let rules = in_order(pool).await?.iter().map(NamedRule::rule).collect();
    let row = sqlx::query!(
        r#"select coalesce((select n.vat_rate_bp from vendors v join countries n on n.code = v.country where v.id = $1), 0) as "vat!",
                  (select path from categories where id = $2) as "path: Vec<CategoryId>""#,
        vendor.id().uuid(),
        category.map(|c| c.uuid())
    )
    .fetch_one(pool)
    .await?;
    Ok(Terms { rules, vat: BasisPoints(row.vat), categories: row.path.unwrap_or_default() })
}

/// A rule as the operator wants it. `rule.id` says nothing here.
#[derive(Debug, Clone)]
pub struct Draft {
    pub rule: Rule,
    /// Which rule it is asked before; `None`: as late as can be. Not read where it takes the place of another.
    pub before: Option<CommissionRuleId>,
}

impl Draft {
    /// The list of rules as it would be with this draft in it: in the place of `edited`, or before the one that it names.
    pub fn among(&self, rules: &[NamedRule], edited: Option<CommissionRuleId>) -> Vec<Rule> {
        let mut list: Vec<Rule> = Vec::with_capacity(rules.len() + 1);
        let mut in_place = false;
        for rule in rules {
            if edited == Some(rule.id) {
                list.push(self.rule.clone());
                in_place = true;
                continue;
            }
            if edited.is_none() && !in_place && (self.before == Some(rule.id) || rule.fallback) {
                list.push(self.rule.clone());
                in_place = true;
            }
            list.push(rule.rule());
        }
        list
    }
}

/// Adds a rule.
pub async fn add(pool: &PgPool, by: &Operator, draft: &Draft) -> Result<CommissionRuleId, AppError> {
    let mut tx = pool.begin().await?;
    lock(&mut tx).await?;
    let position = sqlx::query_scalar!(
        r#"select coalesce((select position from commission_rules where id = $1 and archived_at is null and not fallback),
                           (select position from commission_rules where fallback and archived_at is null)) as "position!""#,
        draft.before.map(|b| b.uuid())
    )
    .fetch_one(&mut *tx)
    .await?;
    sqlx::query!("update commission_rules set position = position + 1 where position >= $1", position).execute(&mut *tx).await?;
    let id = insert(&mut tx, by, draft, position, None).await?;
    tx.commit().await?;
    Ok(id)
}

/// Puts a changed rule in the place of another.
///
/// # Errors
/// [`Refusal::Stale`] where that one was replaced or archived meanwhile.
pub async fn change(pool: &PgPool, by: &Operator, id: CommissionRuleId, draft: &Draft) -> Result<CommissionRuleId, AppError> {
    let mut tx = pool.begin().await?;
    lock(&mut tx).await?;
    let was = sqlx::query!(
        r#"with old as (select id, position, fallback from commission_rules where id = $1 and archived_at is null)
           update commission_rules r set position = null, archived_at = now(), archived_by = $2 from old where r.id = old.id
           returning old.position as "position!", old.fallback"#,
        id.uuid(),
        by.id().uuid()
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(was) = was else { return Err(Refusal::Stale.into()) };
    let new = insert(&mut tx, by, draft, was.position, Some((id, was.fallback))).await?;
    tx.commit().await?;
    Ok(new)
}

async fn insert(
    tx: &mut PgConnection,
    by: &Operator,
    draft: &Draft,
    position: i32,
    instead: Option<(CommissionRuleId, bool)>,
) -> sqlx::Result<CommissionRuleId> {
    let (id, rule) = (CommissionRuleId::new(), &draft.rule);
    let fallback = instead.is_some_and(|(_, fallback)| fallback);
    sqlx::query!(
        "insert into commission_rules (id, position, name, vendor_id, category_id, product_id, starts_on, ends_on, percent_bp, fixed_minor,
                                       minimum_minor, cap_minor, on_shipping, fallback, replaces, created_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        id.uuid(),
        position,
        rule.name,
        rule.vendor_id.map(|v| v.uuid()),
        rule.category_id.map(|c| c.uuid()),
        rule.product_id.map(|p| p.uuid()),
        rule.starts_on,
        rule.ends_on,
        rule.percent_bp,
        rule.fixed_minor,
        rule.minimum_minor,
        rule.cap_minor,
        rule.on_shipping,
        fallback,
        instead.map(|(old, _)| old.uuid()),
        by.id().uuid()
    )
    .execute(&mut *tx)
    .await?;
    let action = if instead.is_some() { "commission_rule.changed" } else { "commission_rule.added" };
    let detail = json!({
        "replaces": instead.map(|(old, _)| old), "name": rule.name, "position": position, "fallback": fallback,
        "vendor": rule.vendor_id, "category": rule.category_id, "product": rule.product_id,
        "starts_on": rule.starts_on.map(|day| day.to_string()), "ends_on": rule.ends_on.map(|day| day.to_string()),
        "percent_bp": rule.percent_bp, "fixed": rule.fixed_minor, "minimum": rule.minimum_minor, "cap": rule.cap_minor,
        "on_shipping": rule.on_shipping,
    });
    audit::record(tx, Some(by.id()), action, ("commission_rule", id), detail).await?;
    Ok(id)
}

/// Asks a rule one place earlier or later. Nothing happens at the ends: the one that matches everything stays the last.
pub async fn step(pool: &PgPool, by: &Operator, id: CommissionRuleId, earlier: bool) -> Result<(), AppError> {
    let mut tx = pool.begin().await?;
    lock(&mut tx).await?;
    let here = sqlx::query_scalar!(
        r#"select position as "position!" from commission_rules where id = $1 and archived_at is null and not fallback"#,
        id.uuid()
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(AppError::NotFound)?;
    let there = sqlx::query_scalar!(
        r#"select position as "position!" from commission_rules
           where not fallback and archived_at is null and case when $2 then position < $1 else position > $1 end
           order by abs(position - $1) limit 1"#,
        here,
        earlier
    )
    .fetch_optional(&mut *tx)
    .await?;
    if let Some(there) = there {
        sqlx::query!(
            "update commission_rules set position = case position when $1 then $2 else $1 end where position in ($1, $2)",
            here,
            there
        )
        .execute(&mut *tx)
        .await?;
        let detail = json!({ "was": here, "now": there });
        audit::record(&mut tx, Some(by.id()), "commission_rule.moved", ("commission_rule", id), detail).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Takes a rule out of the list; what it decided keeps it. The one that matches everything cannot go.
pub async fn archive(pool: &PgPool, by: &Operator, id: CommissionRuleId) -> Result<(), AppError> {
    let mut tx = pool.begin().await?;
    lock(&mut tx).await?;
    let done = sqlx::query!(
        "update commission_rules set position = null, archived_at = now(), archived_by = $2
         where id = $1 and archived_at is null and not fallback",
        id.uuid(),
        by.id().uuid()
    )
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 0 {
        return Err(AppError::NotFound);
    }
    audit::record(&mut tx, Some(by.id()), "commission_rule.archived", ("commission_rule", id), json!({})).await?;
    tx.commit().await?;
    Ok(())
}

async fn lock(tx: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("select pg_advisory_xact_lock($1)", LOCK).execute(tx).await?;
    Ok(())
}

/// The shop with this address.
pub async fn vendor_of(pool: &PgPool, _proof: &Operator, slug: &str) -> sqlx::Result<Option<VendorId>> {
    sqlx::query_scalar!(r#"select id as "id: VendorId" from vendors where slug = $1"#, slug).fetch_optional(pool).await
}

/// The product with this address.
pub async fn product_of(pool: &PgPool, _proof: &Operator, slug: &str) -> sqlx::Result<Option<ProductId>> {
    sqlx::query_scalar!(r#"select id as "id: ProductId" from products where slug = $1"#, slug).fetch_optional(pool).await
}
