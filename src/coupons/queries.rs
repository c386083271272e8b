//! SQL of making, listing and ending coupons. A vendor sees and ends its own; the operator all of them.

use super::form::Draft;
use crate::{
    audit,
    error::AppError,
    ids::{CategoryId, CouponId, UserId, VendorId},
    money::{BasisPoints, Currency, Money},
    server::{
        auth::{Manager, Operator},
        errors::violates,
    },
};
use serde_json::json;
use sqlx::PgPool;
use time::{Date, OffsetDateTime};

/// How many coupons one page of a list holds.
pub const PAGE: i64 = 50;

/// A coupon with the names of what it is for, and what became of it.
#[derive(Debug, Clone)]
pub struct CouponRow {
    pub id: CouponId,
    pub code: String,
    pub name: String,
    /// The shop that gives it; `None`: the market.
    pub vendor: Option<String>,
    pub percent_bp: Option<i32>,
    pub amount_minor: Option<i64>,
    pub currency: Currency,
    pub minimum_minor: i64,
    pub only_vendor: Option<String>,
    pub category: Option<String>,
    pub starts_on: Option<Date>,
    pub ends_on: Option<Date>,
    pub limit_total: Option<i32>,
    pub limit_person: Option<i32>,
    pub platform_bp: i32,
    /// By orders that are paid, or may still be.
    pub uses: i64,
    /// What these have off, and what of that the market pays.
    pub given_minor: i64,
    pub platform_minor: i64,
    pub archived_at: Option<OffsetDateTime>,
}

impl CouponRow {
    pub fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.currency)
    }

    /// What it takes off: `10 %, of goods for £20.00 or more`.
    pub fn takes(&self) -> String {
        let worth = match self.percent_bp {
            Some(bp) => BasisPoints(bp).to_string(),
            None => self.money(self.amount_minor.unwrap_or_default()).to_string(),
        };
        match self.minimum_minor {
            0 => worth,
            minimum => format!("{worth}, of goods for {} or more", self.money(minimum)),
        }
    }

    /// What it is for: `goods in Kitchen, sold by The mill`.
    pub fn scope(&self) -> String {
        match (&self.category, &self.only_vendor) {
            (None, None) => "everything".into(),
            (Some(category), None) => format!("goods in {category}"),
            (None, Some(vendor)) => format!("goods of {vendor}"),
            (Some(category), Some(vendor)) => format!("goods in {category}, sold by {vendor}"),
        }
    }

    /// Who pays for it.
    pub fn paid_by(&self) -> String {
        match self.platform_bp {
            0 => "the vendors".into(),
            10_000 => "Souk".into(),
            share => format!("Souk {}, the vendors the rest", BasisPoints(share)),
        }
    }

    /// Whether it can be used on that day, or why not: in one word.
    pub fn state(&self, today: Date) -> &'static str {
        if self.archived_at.is_some() || self.ends_on.is_some_and(|day| day < today) {
            "ended"
        } else if self.starts_on.is_some_and(|day| today < day) {
            "to come"
        } else if self.limit_total.is_some_and(|most| self.uses >= i64::from(most)) {
            "used up"
        } else {
            "good"
        }
    }
}

/// A page of the vendor's coupons, the newest first; `page` counts from 0. The flag says whether there are more.
pub async fn own(pool: &PgPool, vendor: &Manager, page: u32) -> sqlx::Result<(Vec<CouponRow>, bool)> {
    rows(pool, Some(vendor.id()), page).await
}

/// A page of everybody's.
pub async fn all(pool: &PgPool, _proof: &Operator, page: u32) -> sqlx::Result<(Vec<CouponRow>, bool)> {
    rows(pool, None, page).await
}

async fn rows(pool: &PgPool, maker: Option<VendorId>, page: u32) -> sqlx::Result<(Vec<CouponRow>, bool)> {
    let mut rows = sqlx::query_as!(
        CouponRow,
        r#"select c.id as "id: CouponId", c.code, c.name, v.name as "vendor?", c.percent_bp, c.amount_minor, c.currency as "currency: Currency",
                  c.minimum_minor, o.name as "only_vendor?", g.name as "category?", c.starts_on, c.ends_on, c.limit_total, c.limit_person,
                  c.platform_bp, k.uses as "uses!", k.given as "given_minor!", k.platform as "platform_minor!", c.archived_at
           from coupons c left join vendors v on v.id = c.vendor_id left join vendors o on o.id = c.only_vendor_id
           left join categories g on g.id = c.category_id
           cross join lateral (
               select count(*) as uses, coalesce(sum(amount_minor), 0)::bigint as given, coalesce(sum(platform_minor), 0)::bigint as platform
               from coupon_claims where coupon_id = c.id and state <> 'released') k
           where $1::uuid is null or c.vendor_id = $1
           order by c.archived_at is not null, c.created_at desc, c.id desc limit $2 offset $3"#,
        maker.map(VendorId::uuid),
        PAGE + 1,
        i64::from(page) * PAGE
    )
    .fetch_all(pool)
    .await?;
    let more = rows.len() > PAGE as usize;
    rows.truncate(PAGE as usize);
    Ok((rows, more))
}

/// Makes a vendor's coupon: for its own goods, and paid by it.
///
/// # Errors
/// A field error of `code` where that is taken, by anybody.
pub async fn add_own(pool: &PgPool, vendor: &Manager, draft: &Draft) -> Result<CouponId, AppError> {
    let own = Draft { only_vendor_id: Some(vendor.id()), platform_bp: 0, ..draft.clone() };
    insert(pool, Some(vendor.id()), vendor.customer().id(), &own).await
}

/// Makes a coupon of the market.
///
/// # Errors
/// As [`add_own`].
pub async fn add(pool: &PgPool, by: &Operator, draft: &Draft) -> Result<CouponId, AppError> {
    insert(pool, None, by.id(), draft).await
}

async fn insert(pool: &PgPool, vendor: Option<VendorId>, by: UserId, draft: &Draft) -> Result<CouponId, AppError> {
    let id = CouponId::new();
    let mut tx = pool.begin().await?;
    let made = sqlx::query!(
        "insert into coupons (id, code, name, vendor_id, percent_bp, amount_minor, currency, minimum_minor, only_vendor_id, category_id,
                              starts_on, ends_on, limit_total, limit_person, platform_bp, created_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        id.uuid(),
        draft.code.as_str(),
        draft.name.as_str(),
        vendor.map(VendorId::uuid),
        draft.percent_bp,
        draft.amount_minor,
        draft.currency.code(),
        draft.minimum_minor,
        draft.only_vendor_id.map(VendorId::uuid),
        draft.category_id.map(CategoryId::uuid),
        draft.starts_on,
        draft.ends_on,
        draft.limit_total,
        draft.limit_person,
        draft.platform_bp,
        by.uuid()
    )
    .execute(&mut *tx)
    .await;
    match made {
        Err(error) if violates(&error, "coupons_code_key") => {
            return Err(AppError::field("code", "There is a coupon with this code already, of today or of old."));
        }
        made => made?,
    };
    let detail = json!({
        "code": draft.code.as_str(), "vendor": vendor, "percent_bp": draft.percent_bp, "amount": draft.amount_minor,
        "currency": draft.currency, "minimum": draft.minimum_minor, "only_vendor": draft.only_vendor_id, "category": draft.category_id,
        "starts_on": draft.starts_on.map(|day| day.to_string()), "ends_on": draft.ends_on.map(|day| day.to_string()),
        "limit_total": draft.limit_total, "limit_person": draft.limit_person, "platform_bp": draft.platform_bp,
    });
    audit::record(&mut tx, Some(by), "coupon.made", ("coupon", id), detail).await?;
    tx.commit().await?;
    Ok(id)
}

/// Ends a coupon of the vendor's. Orders that have used it keep their discount. Another's is not found.
pub async fn end_own(pool: &PgPool, vendor: &Manager, id: CouponId) -> Result<(), AppError> {
    archive(pool, id, Some(vendor.id()), vendor.customer().id()).await
}

/// Ends anybody's coupon.
pub async fn end(pool: &PgPool, by: &Operator, id: CouponId) -> Result<(), AppError> {
    archive(pool, id, None, by.id()).await
}

async fn archive(pool: &PgPool, id: CouponId, maker: Option<VendorId>, by: UserId) -> Result<(), AppError> {
    let mut tx = pool.begin().await?;
    let coupon = sqlx::query!(
        r#"select code, archived_at is not null as "ended!" from coupons
           where id = $1 and ($2::uuid is null or vendor_id = $2) for update"#,
        id.uuid(),
        maker.map(VendorId::uuid)
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(AppError::NotFound)?;
    if coupon.ended {
        return Ok(());
    }
    sqlx::query!("update coupons set archived_at = now(), archived_by = $2 where id = $1", id.uuid(), by.uuid())
        .execute(&mut *tx)
        .await?;
    audit::record(&mut tx, Some(by), "coupon.ended", ("coupon", id), json!({ "code": coupon.code })).await?;
    tx.commit().await?;
    Ok(())
}
