//! Sales: whole checkouts over HTTP, and orders placed for one variant or for many.

use crate::{MANY, machine::Meter, report::Row, world};
use anyhow::Context;
use futures::future::try_join_all;
use souk::{
    accounts::AddressForm,
    checkout::{CheckoutRequest, place},
    error::FieldErrors,
    prove::stand::Stand,
    server::{auth::MaybeCustomer, start, state::App, token::Token},
    shopper::{Basket, Shop, Step},
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};
use uuid::Uuid;

/// So many people buy at once over HTTP.
const SHOPPERS: usize = 8;
/// They buy for so long before it counts: PostgreSQL plans a statement anew for the first five times on each connection, and a
/// sale has a hundred statements.
const WARM: Duration = Duration::from_secs(20);

/// From an empty cart to paid and back, over HTTP; the hosted page and Stripe's side run in this process.
pub async fn checkouts(stand: &Stand, meter: &Meter, period: Duration) -> anyhow::Result<Row> {
    let shop = Shop::at(&stand.config.base_url)?;
    let goods = world::goods(&stand.pool, 1000).await?;
    let prices: HashMap<Uuid, i64> = sqlx::query_as("select id, price_minor + 395 from variants where id = any($1)")
        .bind(&goods)
        .fetch_all(&stand.pool)
        .await?
        .into_iter()
        .collect();
    let begun = AtomicUsize::new(0);
    let buy = async |until: Instant| {
        let mut bought = 0;
        while Instant::now() < until {
            let number = begun.fetch_add(1, Ordering::Relaxed);
            let variant = goods[number % goods.len()];
            let email = format!("shopper-{number}@example.com");
            let basket = Basket { lines: vec![(variant, 1)], email, total_minor: prices[&variant] };
            anyhow::ensure!(shop.buy(&basket).await? == Step::Done(()), "sold out");
            bought += 1;
        }
        anyhow::Ok(bought)
    };
    // A shop that has sold before: PostgreSQL knows its tables, as it does an hour after the opening of any shop.
    let until = Instant::now() + WARM;
    try_join_all((0..SHOPPERS).map(|_| buy(until))).await?;
    sqlx::query("analyze").execute(&stand.pool).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;

    let before = meter.read()?;
    let began = Instant::now();
    let until = began + period;
    let bought: usize = try_join_all((0..SHOPPERS).map(|_| buy(until))).await?.into_iter().sum();
    let took = began.elapsed();
    let used = meter.read()? - before;
    Ok(Row::sales("checkout to paid, 8 at once", bought as f64 / took.as_secs_f64(), used, bought))
}

/// Orders placed each second by 32 who want one each of `variants` variants, in this process.
pub async fn flash(stand: &Stand, variants: i64, period: Duration) -> anyhow::Result<f64> {
    let pool = &stand.pool;
    let goods = match variants {
        1 => stand.variants.clone(),
        many => world::goods(pool, many).await?,
    };
    let tokens: Vec<Token> = (0..30_000).map(|_| Token::random()).collect();
    let hashes: Vec<Vec<u8>> = tokens.iter().map(Token::hash).collect();
    sqlx::query(
        "with made as (insert into carts (id, token_hash) select gen_random_uuid(), h from unnest($1) as h returning id),
         numbered as (select id, row_number() over () as n from made),
         goods as (select v, row_number() over () - 1 as n from unnest($2) as v)
         insert into cart_lines (id, cart_id, variant_id, quantity, seen_price_minor)
         select gen_random_uuid(), c.id, x.id, 1, x.price_minor from numbered c
         join goods g on g.n = c.n % $3 join variants x on x.id = g.v",
    )
    .bind(&hashes)
    .bind(&goods)
    .bind(i64::try_from(goods.len())?)
    .execute(pool)
    .await?;
    // As many connections as buyers, so that nobody waits for anything but the stock.
    let own = sqlx::postgres::PgPoolOptions::new()
        .max_connections(u32::try_from(MANY)?)
        .min_connections(u32::try_from(MANY)?)
        .connect_with(start::options(stand.config.database_url.as_deref().context("no database")?)?)
        .await?;
    let app = App::new(stand.config.clone(), own.clone(), None)?;
    let countries = souk::accounts::queries::countries(pool).await?;
    let typed = AddressForm {
        name: "Grace Guest".into(),
        line1: "1 Harbour Row".into(),
        line2: String::new(),
        city: "Hull".into(),
        postal_code: "HU1 1AA".into(),
        country: "GB".into(),
    };
    let address = typed.parse(&countries, &mut FieldErrors::default()).ok_or_else(|| anyhow::anyhow!("an address"))?;
    let (next, placed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let until = Instant::now() + period;
    let buyer = async || {
        let who = MaybeCustomer::guest();
        while Instant::now() < until {
            let Some(token) = tokens.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
            let request = CheckoutRequest {
                key: Uuid::new_v4(),
                email: "grace@example.com".parse().map_err(|_| anyhow::anyhow!("an address"))?,
                address: address.clone(),
                shipping: BTreeMap::new(),
                coupon: None,
                expected_total_minor: None,
                lines: None,
            };
            place(&app, &who, Some(token), request).await?;
            placed.fetch_add(1, Ordering::Relaxed);
        }
        anyhow::Ok(())
    };
    let began = Instant::now();
    try_join_all((0..MANY).map(|_| buyer())).await?;
    let rate = placed.into_inner() as f64 / began.elapsed().as_secs_f64();
    own.close().await;
    Ok(rate)
}
