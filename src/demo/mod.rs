//! Owns the demo world: a market to look at, the same for the same number, written from the files of `demo/`.
//! It never runs in production, and never touches a database in which its people already live.

mod catalogue;
pub mod cli;
mod dice;
mod ledger;
mod orders;
mod people;
mod pictures;
mod world;

pub use dice::Dice;

use crate::server::state::App;
use anyhow::Context;
use sqlx::PgConnection;
use time::OffsetDateTime;
use world::World;

/// The password of everyone in the demo world.
pub const PASSWORD: &str = "market day";
/// Accounts worth naming when the shop opens: what they are, and where they sign in.
pub const ACCOUNTS: [(&str, &str); 3] =
    [("Shopper", "ada@example.com"), ("Vendor", "mill@example.com"), ("Operator", "operator@example.com")];

/// Told what is being done, how far it is, and of how many.
pub type Progress<'a> = dyn Fn(&'static str, usize, usize) + Send + Sync + 'a;

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// The demo world was there before; nothing was written.
    pub already: bool,
    pub vendors: usize,
    pub products: usize,
    pub variants: usize,
    pub pictures: usize,
    pub customers: usize,
    pub orders: usize,
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.already {
            return f.write_str("The demo world is already there; nothing was changed.");
        }
        let Self { vendors, products, variants, pictures, customers, orders, .. } = self;
        write!(
            f,
            "The demo world is there: {vendors} vendors, {products} products in {variants} variants with {pictures} pictures, \
             {customers} customers, {orders} orders."
        )
    }
}

/// Writes the demo world, with `seed` for everything that is left to chance and dates that lead up to now. Pictures go
/// to the store first and all rows follow in one transaction, so that an interrupted run leaves no half market behind
/// and can simply be repeated.
pub async fn seed(app: &App, seed: u64, progress: &Progress<'_>) -> anyhow::Result<Summary> {
    anyhow::ensure!(!app.config.production(), "the demo world is not for production");
    let folder = app.config.demo_dir.clone();
    let world = tokio::task::spawn_blocking(move || World::read(&folder)).await??;
    if there(&mut *app.pool.acquire().await?, &world).await? {
        return Ok(Summary { already: true, ..Summary::default() });
    }
    pictures::store(app, &world, seed, progress).await?;

    progress("rows", 0, 1);
    crate::sandbox::stripe::past::prepare(&app.pool).await?;
    let now = OffsetDateTime::now_utc();
    let password = app.passwords.hash(PASSWORD.to_owned()).await?;
    let mut tx = app.pool.begin().await?;
    // Two seeds at once: the second waits here and then meets the people of the first.
    sqlx::query!("select pg_advisory_xact_lock(hashtext('souk demo world'))").execute(&mut *tx).await?;
    if there(&mut tx, &world).await? {
        return Ok(Summary { already: true, ..Summary::default() });
    }
    let people = people::write(&mut tx, &world, seed, now, &password).await.context("people and vendors")?;
    let goods = catalogue::write(&mut tx, &world, &people, seed, now, app.config.currency).await.context("the catalogue")?;
    let rates = sqlx::query!("select code, vat_rate_bp from countries").fetch_all(&mut *tx).await?;
    let rates = rates.into_iter().map(|r| (r.code, r.vat_rate_bp)).collect();
    let orders = orders::plan(&world, &people, &goods, &rates, seed, now, app.config.hold);
    ledger::write(app, &mut tx, &orders).await.context("orders")?;
    tx.commit().await.context("the demo world")?;
    while crate::ledger::sales::catch_up(app).await? > 0 {}
    crate::payments::catch_up(&app.pool).await?;
    // Searching well needs to know what is in the tables now, not at the next round of the autovacuum.
    sqlx::query!("analyze products, variants, stock, listings, orders, order_lines, vendor_orders").execute(&app.pool).await?;
    progress("rows", 1, 1);
    Ok(Summary {
        already: false,
        vendors: world.vendors.len(),
        products: goods.products,
        variants: goods.variants.len(),
        pictures: goods.pictures,
        customers: world.people.customers.len(),
        orders: orders.len(),
    })
}

async fn there(db: &mut PgConnection, world: &World) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select exists (select 1 from users where email = $1) as "there!""#, world.people.operator.email)
        .fetch_one(db)
        .await
}

/// Whether the shop is empty: nobody has an account yet.
pub async fn wanted(app: &App) -> sqlx::Result<bool> {
    let people = sqlx::query_scalar!(r#"select exists (select 1 from users) as "some!""#).fetch_one(&app.pool).await?;
    Ok(!people)
}
