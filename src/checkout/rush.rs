//! What many want at once (`migrations/0021_rush.sql`): of a thing that buyers wait for, pieces are set aside, so that its orders
//! need not be made one after the other. Things that nobody waits for never come here.

use crate::{
    ids::{OrderId, VariantId},
    server::state::App,
};
use sqlx::{PgExecutor, PgPool};

/// So many are set aside at a time, while twice as many are free.
const PIECES: i32 = 256;
/// When fewer stand aside, more are fetched.
const FEW: i64 = 128;

/// What a buyer found standing aside.
pub struct Found {
    /// The order holds what it wants.
    pub enough: bool,
    /// It is time to set more aside.
    pub few_left: bool,
}

/// Holds pieces that stand aside for an order: all that it wants, or none. Waits for nobody.
pub async fn take(db: impl PgExecutor<'_>, order: OrderId, variant: VariantId, quantity: i32) -> sqlx::Result<Found> {
    sqlx::query_as!(
        Found,
        r#"with idle as materialized (
               select id from stock_pieces where variant_id = $2 order by id limit $3 for update skip locked
           ), taken as (
               delete from stock_pieces where variant_id = $2 and id in (select id from idle)
                   and (select count(*) from idle) = $3 returning 1
           ), held as (
               insert into stock_holds (order_id, variant_id, quantity)
               select $1, $2, $4 from taken having count(*) = $3 returning 1
           )
           select exists (select from held) as "enough!",
                  (select count(*) from (select from stock_pieces where variant_id = $2 limit $5) n) < $5 as "few_left!""#,
        order.uuid(),
        variant.uuid(),
        i64::from(quantity),
        quantity,
        FEW
    )
    .fetch_one(db)
    .await
}

/// Whether pieces of it stand aside, taken by somebody at this moment or not.
pub async fn stands_aside(db: impl PgExecutor<'_>, variant: VariantId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select exists (select from stock_pieces where variant_id = $1) as "there!""#, variant.uuid())
        .fetch_one(db)
        .await
}

/// Sets pieces of what buyers wait for aside, soon and beside the request: the order of the one who found out is not kept waiting.
/// Failing costs speed and nothing else.
pub fn set_aside(app: &App, variants: Vec<VariantId>) {
    if variants.is_empty() {
        return;
    }
    let pool = app.pool.clone();
    tokio::spawn(async move {
        for variant in variants {
            let done = sqlx::query!("select set_pieces_aside($1, $2)", variant.uuid(), PIECES).execute(&pool).await;
            if let Err(error) = done {
                tracing::warn!(%variant, %error, "nothing could be set aside");
            }
        }
    });
}

/// Puts what stands aside of one thing back: somebody wants more than is left beside it.
pub async fn put_back(pool: &PgPool, variant: VariantId) -> sqlx::Result<()> {
    sqlx::query!("select put_pieces_back($1)", variant.uuid()).execute(pool).await?;
    Ok(())
}

/// The sweeper's part: everything that stands aside goes back. Where the rush goes on, the next who waits sets aside anew.
pub async fn sweep(app: &App) -> anyhow::Result<()> {
    let variants = sqlx::query_scalar!(r#"select variant_id as "id: VariantId" from stock where set_aside"#);
    for variant in variants.fetch_all(&app.pool).await? {
        put_back(&app.pool, variant).await?;
    }
    Ok(())
}
