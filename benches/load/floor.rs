//! The floors: what axum costs that says a word, and what it costs to select and say 24 rows.

use axum::{Json, Router, extract::State, routing::get};
use serde::Serialize;
use sqlx::PgPool;
use std::net::SocketAddr;

#[derive(Serialize, sqlx::FromRow)]
struct Listing {
    slug: String,
    title: String,
    vendor_name: String,
    price_minor: i64,
    currency: String,
    in_stock: bool,
}

pub async fn serve(address: SocketAddr, database: &str) -> anyhow::Result<()> {
    let pool = sqlx::postgres::PgPoolOptions::new().max_connections(20).connect(database).await?;
    let routes =
        Router::new().route("/bare", get(|| async { "Everything is fine." })).route("/select", get(select)).with_state(pool);
    axum::serve(tokio::net::TcpListener::bind(address).await?, routes).await?;
    Ok(())
}

async fn select(State(pool): State<PgPool>) -> Result<Json<Vec<Listing>>, String> {
    let rows = sqlx::query_as(
        "select slug, title, vendor_name, price_minor, currency, in_stock from listings order by published_at desc, product_id desc limit 24",
    );
    rows.fetch_all(&pool).await.map(Json).map_err(|e| e.to_string())
}
