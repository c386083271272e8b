//! Both sides of a paper, as they are called on the day when it is issued; what is issued keeps them.

use super::model::Party;
use crate::{ids::VendorId, post::address_lines, server::config::Config};
use sqlx::PgConnection;

/// The platform, as it is configured.
pub(super) fn platform(config: &Config) -> Party {
    let company = &config.company;
    Party { name: company.name.clone(), address: company.address.clone(), vat_number: company.vat_number.clone() }
}

/// A vendor: by its legal name and address, or by the shop's name and country where it told none.
pub(super) async fn vendor(tx: &mut PgConnection, vendor: VendorId) -> sqlx::Result<Party> {
    let row = sqlx::query!(
        r#"select v.name, v.legal_name, v.legal_line1, v.legal_line2, v.legal_city, v.legal_postal_code, v.vat_number,
                  v.country, coalesce(c.name, v.country) as "country_name!"
           from vendors v left join countries c on c.code = v.country where v.id = $1"#,
        vendor.uuid()
    )
    .fetch_one(tx)
    .await?;
    let name = if row.legal_name.is_empty() { &row.name } else { &row.legal_name };
    let street = [row.legal_line1.as_str(), row.legal_line2.as_str()];
    let mut lines =
        address_lines(name, street, &row.legal_city, &row.legal_postal_code, &row.country, &row.country_name).into_iter();
    let mut party = Party { name: lines.next().unwrap_or_default(), address: lines.collect(), vat_number: row.vat_number };
    if !row.legal_name.is_empty() && row.legal_name != row.name {
        party.address.insert(0, format!("trading as {}", row.name));
    }
    Ok(party)
}
