//! The shop that sells what stands in the invoices: twelve vendors, one category, free shipping, goods by the ordinary import.

use super::Retail;
use crate::{
    catalog::import::{self, Import, Told},
    demo::PASSWORD,
    server::state::App,
    stall,
};
use anyhow::Context;
use std::path::Path;
use uuid::Uuid;

/// How many vendors share the goods.
pub const VENDORS: usize = 12;
const CATEGORY: &str = "wholesale-gifts";
const DESCRIPTION: &str = "From the books of a gift wholesaler. Sold at the price list of your choice.";

/// `stall-01` … `stall-12`; owners sign in as `stall-01@example.com`.
pub fn vendor_slug(vendor: usize) -> String {
    format!("stall-{:02}", vendor + 1)
}

/// Opens the stalls and fills their shelves by one import each, from files in `folder`. Once only: a shop in which they stand keeps its
/// stock as it is.
///
/// # Errors
/// In production; when the database does not answer; when the import refuses a row.
pub async fn open(app: &App, retail: &Retail, folder: &Path) -> anyhow::Result<()> {
    anyhow::ensure!(!app.config.production(), "stalls of real invoices are not for production");
    let filled = sqlx::query_scalar!(
        r#"select count(*) as "n!" from variants x join vendors v on v.id = x.vendor_id where v.slug like 'stall-__'"#
    );
    if usize::try_from(filled.fetch_one(&app.pool).await?)? == retail.goods.len() {
        return Ok(());
    }
    let password = app.passwords.hash(PASSWORD.to_owned()).await?;
    let mut tx = app.pool.begin().await?;
    sqlx::query!(
        "insert into categories (id, slug, name) values ($1, $2, 'Wholesale gifts') on conflict (slug) do nothing",
        Uuid::now_v7(),
        CATEGORY
    )
    .execute(&mut *tx)
    .await?;
    for vendor in 0..VENDORS {
        let slug = vendor_slug(vendor);
        stall::open(&mut tx, &slug, &format!("Stall {}", vendor + 1), "Gifts by the box", &password).await?;
    }
    tx.commit().await?;
    for vendor in 0..VENDORS {
        fill(app, retail, folder, vendor).await.with_context(|| format!("the goods of {}", vendor_slug(vendor)))?;
    }
    sqlx::query!("analyze products, variants, stock, listings").execute(&app.pool).await?;
    Ok(())
}

async fn fill(app: &App, retail: &Retail, folder: &Path, vendor: usize) -> anyhow::Result<()> {
    let file = folder.join(format!("{}.csv", vendor_slug(vendor)));
    let mut csv = csv::Writer::from_path(&file).with_context(|| format!("{} cannot be written", file.display()))?;
    csv.write_record(import::COLUMNS)?;
    for goods in retail.goods.iter().filter(|g| g.vendor == vendor) {
        let price = crate::money::Money::new(goods.price_minor, app.config.currency).plain();
        let options = format!("Price list={price}");
        let stock = goods.stock.to_string();
        let row = [&goods.sku(), &goods.title, DESCRIPTION, CATEGORY, &price, app.config.currency.code(), &stock, &options, ""];
        csv.write_record(row)?;
    }
    csv.flush()?;
    let mut refused = Vec::new();
    let what = Import { file, vendor: vendor_slug(vendor), dry_run: false };
    import::import(app, &what, |told| {
        if let Told::Refused { line, why } = told {
            refused.push(format!("line {line}: {why}"));
        }
    })
    .await?;
    anyhow::ensure!(refused.is_empty(), "refused: {}", refused.join("; "));
    Ok(())
}
