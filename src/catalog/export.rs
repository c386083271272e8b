//! A vendor's goods as CSV, in the columns that the import reads: what is exported and imported again changes nothing.

use super::{
    editing::ProductStatus,
    import::{COLUMNS, cell},
};
use crate::{
    money::{Currency, Money},
    server::{
        auth::Vendor,
        csv::{self, Piece},
        state::App,
    },
};
use axum::response::Response;
use futures::stream;
use sqlx::PgPool;
use uuid::Uuid;

/// Variants that are read and written at a time.
const PAGE: i64 = 500;

/// Which goods: as in the vendor's list of products.
#[derive(Debug, Clone)]
pub struct Which {
    /// Looked for in titles and SKUs.
    pub text: String,
    /// `None`: all but the archived.
    pub status: Option<ProductStatus>,
}

/// Where the next page begins: behind this product, position and variant.
type Place = (Uuid, i32, Uuid);

struct Goods {
    place: Place,
    cells: [String; COLUMNS.len() - 1],
}

/// A file of the vendor's goods, one row for a variant. No connection is held while the answer waits for who reads it.
pub fn products(app: App, vendor: Vendor, which: Which) -> Response {
    let name = format!("products-{}.csv", vendor.slug());
    let pages = stream::try_unfold(Some((Uuid::nil(), i32::MIN, Uuid::nil())), move |after| {
        let (app, vendor, which) = (app.clone(), vendor.clone(), which.clone());
        async move {
            let Some(after) = after else { return Ok(None) };
            let goods = page(&app.pool, &vendor, &which, after).await?;
            let mut piece = if after.0.is_nil() { Piece::first(b',', &COLUMNS[..COLUMNS.len() - 1])? } else { Piece::new(b',') };
            for one in &goods {
                piece.row(one.cells.iter().map(|text| cell::guarded(text).into_owned()))?;
            }
            let next = goods.last().filter(|_| goods.len() as i64 == PAGE).map(|last| last.place);
            anyhow::Ok(Some((piece.done()?, next)))
        }
    });
    csv::answer(&name, pages)
}

async fn page(pool: &PgPool, vendor: &Vendor, which: &Which, after: Place) -> sqlx::Result<Vec<Goods>> {
    let rows = sqlx::query!(
        r#"select v.id, v.product_id, v.position, v.sku, p.title, p.description, c.slug as category, v.regular_minor as price_minor,
                  v.currency as "currency: Currency", s.on_hand, p.option_names, v.option_values
           from variants v join products p on p.id = v.product_id join categories c on c.id = p.category_id
           join stock s on s.variant_id = v.id
           where v.vendor_id = $1 and not v.archived and (v.product_id, v.position, v.id) > ($2, $3, $4)
             and ($5 = '' or position(lower($5) in lower(p.title)) > 0 or exists (
                     select 1 from variants o where o.product_id = p.id and not o.archived and position(lower($5) in lower(o.sku)) > 0))
             and case when $6::text is null then p.status <> 'archived' else p.status = $6 end
           order by v.product_id, v.position, v.id limit $7"#,
        vendor.id().uuid(),
        after.0,
        after.1,
        after.2,
        which.text,
        which.status.map(ProductStatus::as_str),
        PAGE
    )
    .fetch_all(pool)
    .await?;
    let goods = rows.into_iter().map(|row| Goods {
        place: (row.product_id, row.position, row.id),
        cells: [
            row.sku,
            row.title,
            row.description,
            row.category,
            Money::new(row.price_minor, row.currency).plain(),
            row.currency.code().to_owned(),
            row.on_hand.to_string(),
            cell::options(&row.option_names, &row.option_values),
        ],
    });
    Ok(goods.collect())
}
