//! How a shop comes to be: a person applies, an operator decides. Each step is a compare-and-set on the status, so two
//! operators who decide at once do not overwrite each other; the mail about it leaves in the same transaction.

use super::model::{About, ShopName, Tagline};
use crate::{
    audit,
    error::{AppError, FieldErrors, Refusal},
    ids::{ShippingMethodId, VendorId},
    server::{
        auth::{Customer, Operator},
        errors::violates,
        mail::{self, Mail},
        state::App,
    },
    text, texts,
};
use serde::Deserialize;
use serde_json::json;
use sqlx::PgConnection;
use std::str::FromStr;
use time::OffsetDateTime;

texts!(
    /// Why an application was refused or a shop closed; the vendor reads it.
    Reason: line, 3, 500;
);

/// The shop's name in addresses: `/vendors/{slug}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopSlug(String);

/// The text is no slug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Use 3 to 60 small letters, digits and hyphens, with a letter or digit at both ends")]
pub struct BadSlug;

impl ShopSlug {
    pub const MAX: u32 = 60;

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the name becomes when no slug was chosen.
    pub fn suggest(name: &ShopName) -> Result<Self, BadSlug> {
        text::slugify(name.as_str(), Self::MAX as usize).parse()
    }
}

impl FromStr for ShopSlug {
    type Err = BadSlug;
    fn from_str(text: &str) -> Result<Self, BadSlug> {
        let text = text.trim();
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let fits = (3..=Self::MAX as usize).contains(&text.len());
        if fits && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-') {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadSlug)
        }
    }
}

/// The application as typed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ApplicationForm {
    pub name: String,
    /// empty: made from the name
    pub slug: String,
    pub country: String,
    pub tagline: String,
    pub description: String,
}

/// A well-formed application.
#[derive(Debug, Clone)]
pub struct Application {
    pub name: ShopName,
    pub slug: ShopSlug,
    pub country: String,
    pub tagline: Tagline,
    pub description: About,
}

impl ApplicationForm {
    /// `countries`: codes of those we know the VAT of.
    pub fn parse(&self, countries: &[String]) -> Result<Application, FieldErrors> {
        let mut errors = FieldErrors::default();
        let name = errors.take("name", self.name.parse::<ShopName>());
        let slug = match (self.slug.trim(), &name) {
            ("", Some(name)) => errors.take("slug", ShopSlug::suggest(name)),
            ("", None) => None,
            (slug, _) => errors.take("slug", slug.parse()),
        };
        let country = countries.iter().find(|c| **c == self.country).cloned();
        let country = errors.take("country", country.ok_or("Please choose one of the list"));
        let tagline = errors.take("tagline", self.tagline.parse());
        let description = errors.take("description", self.description.parse());
        match (name, slug, country, tagline, description) {
            (Some(name), Some(slug), Some(country), Some(tagline), Some(description)) => {
                Ok(Application { name, slug, country, tagline, description })
            }
            _ => Err(errors),
        }
    }
}

/// Where an application or a shop stands.
#[derive(Debug, Clone)]
pub struct Standing {
    pub id: VendorId,
    pub slug: String,
    pub name: String,
    pub country: String,
    pub tagline: String,
    pub description: String,
    /// `pending`, `approved`, `refused`, `suspended`
    pub status: String,
    pub status_reason: String,
    pub applied_at: OffsetDateTime,
}

/// The application or shop that one owns.
pub async fn standing(app: &App, who: &Customer) -> sqlx::Result<Option<Standing>> {
    sqlx::query_as!(
        Standing,
        r#"select v.id as "id: VendorId", v.slug, v.name, v.country, v.tagline, v.description, v.status, v.status_reason, v.applied_at
           from vendors v join vendor_members m on m.vendor_id = v.id and m.role = 'owner' where m.user_id = $1"#,
        who.id().uuid()
    )
    .fetch_optional(&app.pool)
    .await
}

/// Applies to sell. One shop per person; who was refused may apply again with other words.
///
/// # Errors
/// [`Refusal::AlreadyApplied`], also for who is in the team of a shop; a field error at `slug` when another shop has it.
pub async fn apply(app: &App, who: &Customer, new: &Application) -> Result<VendorId, AppError> {
    let mut tx = app.pool.begin().await?;
    let made = sqlx::query_scalar!(
        r#"insert into vendors (id, owner_id, slug, name, tagline, description, country) values ($1, $2, $3, $4, $5, $6, $7)
           on conflict (owner_id) do update set slug = excluded.slug, name = excluded.name, tagline = excluded.tagline,
                  description = excluded.description, country = excluded.country, status = 'pending', status_reason = '',
                  applied_at = now(), decided_at = null, decided_by = null
           where vendors.status = 'refused'
           returning id as "id: VendorId""#,
        VendorId::new().uuid(),
        who.id().uuid(),
        new.slug.as_str(),
        new.name.as_str(),
        new.tagline.as_str(),
        new.description.as_str(),
        new.country
    )
    .fetch_optional(&mut *tx)
    .await;
    let vendor = match made {
        Ok(Some(vendor)) => vendor,
        Ok(None) => return Err(Refusal::AlreadyApplied.into()),
        Err(error) if violates(&error, "vendor_members_one_shop") => return Err(Refusal::AlreadyApplied.into()),
        Err(error) if violates(&error, "vendors_slug_key") => {
            return Err(AppError::field("slug", "Another shop has this address; please choose another"));
        }
        Err(error) => return Err(error.into()),
    };
    let paragraphs = vec![
        format!("Thank you for applying to sell at Souk with \"{}\".", new.name),
        "We read every application ourselves and write to you as soon as it is decided.".into(),
    ];
    let link = Some(("Your application".into(), format!("{}/account/vendor", app.config.base_url)));
    mail::enqueue(&mut tx, &Mail { to: who.email().into(), subject: "We have your application".into(), paragraphs, link })
        .await?;
    tx.commit().await?;
    Ok(vendor)
}

/// What an operator decides about a shop.
#[derive(Debug, Clone)]
pub enum Decision {
    /// pending to approved
    Approve,
    /// pending to refused
    Refuse(Reason),
    /// approved to suspended: the shop and its goods are hidden
    Suspend(Reason),
    /// suspended to approved
    Reinstate,
}

impl Decision {
    fn from(&self) -> &'static str {
        match self {
            Self::Approve | Self::Refuse(_) => "pending",
            Self::Suspend(_) => "approved",
            Self::Reinstate => "suspended",
        }
    }

    /// As it stands in the audit log.
    fn action(&self) -> &'static str {
        match self {
            Self::Approve => "vendor.approved",
            Self::Refuse(_) => "vendor.refused",
            Self::Suspend(_) => "vendor.suspended",
            Self::Reinstate => "vendor.reinstated",
        }
    }

    fn to(&self) -> &'static str {
        match self {
            Self::Approve | Self::Reinstate => "approved",
            Self::Refuse(_) => "refused",
            Self::Suspend(_) => "suspended",
        }
    }

    fn reason(&self) -> &str {
        match self {
            Self::Refuse(reason) | Self::Suspend(reason) => reason.as_str(),
            Self::Approve | Self::Reinstate => "",
        }
    }

    fn letter(&self, shop: &str) -> (String, Vec<String>) {
        match self {
            Self::Approve => (
                format!("{shop} is open"),
                vec![
                    format!("Good news: \"{shop}\" is approved. You can add your goods now."),
                    "We have set up a standard way of shipping for you; please check that its price suits you.".into(),
                ],
            ),
            Self::Refuse(reason) => (
                "Your application to sell at Souk".into(),
                vec![
                    format!("Thank you for applying with \"{shop}\". We cannot open it as it stands."),
                    format!("The reason: {reason}"),
                    "You are welcome to apply again.".into(),
                ],
            ),
            Self::Suspend(reason) => (
                format!("{shop} is closed for now"),
                vec![
                    format!("We have closed \"{shop}\" for now: its goods are not shown and cannot be bought."),
                    format!("The reason: {reason}"),
                    "Please answer this mail if you want to put it right.".into(),
                ],
            ),
            Self::Reinstate => {
                (format!("{shop} is open again"), vec![format!("\"{shop}\" is open again, and its goods are shown as before.")])
            }
        }
    }
}

/// Decides, tells the owner, and on approval makes sure that there is a way of shipping.
///
/// # Errors
/// [`Refusal::AlreadyDecided`] when the shop is no longer in the status that the decision starts from.
pub async fn decide(app: &App, by: &Operator, vendor: VendorId, decision: &Decision) -> Result<(), AppError> {
    let mut tx = app.pool.begin().await?;
    let decided = sqlx::query!(
        "update vendors v set status = $3, status_reason = $4, decided_at = now(), decided_by = $5
         from users u where v.id = $1 and v.status = $2 and u.id = v.owner_id returning v.name, u.email",
        vendor.uuid(),
        decision.from(),
        decision.to(),
        decision.reason(),
        by.id().uuid()
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(shop) = decided else {
        let known = sqlx::query_scalar!(r#"select exists (select 1 from vendors where id = $1) as "known!""#, vendor.uuid())
            .fetch_one(&mut *tx)
            .await?;
        return Err(if known { Refusal::AlreadyDecided.into() } else { AppError::NotFound });
    };
    let detail = json!({ "reason": decision.reason() });
    audit::record(&mut tx, Some(by.id()), decision.action(), ("vendor", vendor), detail).await?;
    let (subject, paragraphs) = decision.letter(&shop.name);
    let (label, path) = match decision {
        Decision::Approve | Decision::Reinstate => {
            add_standard_shipping(&mut tx, vendor).await?;
            ("Your shop", "/vendor")
        }
        Decision::Refuse(_) | Decision::Suspend(_) => ("Your application", "/account/vendor"),
    };
    let link = Some((label.to_owned(), format!("{}{path}", app.config.base_url)));
    mail::enqueue(&mut tx, &Mail { to: shop.email, subject, paragraphs, link }).await?;
    tx.commit().await?;
    Ok(())
}

/// A shop that cannot ship cannot sell: where there is no method yet, a usual one is made, for the vendor to change.
async fn add_standard_shipping(tx: &mut PgConnection, vendor: VendorId) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into shipping_methods (id, vendor_id, code, name, price_minor, free_over_minor, min_days, max_days)
         select $1, $2, 'standard', 'Standard', 395, 5000, 2, 5
         where not exists (select 1 from shipping_methods where vendor_id = $2)",
        ShippingMethodId::new().uuid(),
        vendor.uuid()
    )
    .execute(tx)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_made_from_the_name_unless_one_is_chosen() {
        let countries = ["GB".to_owned()];
        let form = |name: &str, slug: &str| ApplicationForm {
            name: name.into(),
            slug: slug.into(),
            country: "GB".into(),
            ..Default::default()
        };
        assert_eq!(form("The Old Mill", "").parse(&countries).unwrap().slug.as_str(), "the-old-mill");
        assert_eq!(form("The Old Mill", "mill").parse(&countries).unwrap().slug.as_str(), "mill");
        // Nothing of this name can stand in an address, so one must be chosen.
        assert!(form("متجر", "").parse(&countries).unwrap_err().get("slug").is_some());
        let errors = ApplicationForm { slug: "No Slug".into(), ..Default::default() }.parse(&countries).unwrap_err();
        assert_eq!(errors.iter().map(|(f, _)| f).collect::<Vec<_>>(), ["name", "slug", "country"]);
    }
}
