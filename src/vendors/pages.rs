//! The vendor's desk. Every page here has one guard, [`Desk`](super::desk::Desk) with the least role that is enough, and finds everything
//! through its vendor.

mod bulk;
mod coupons;
mod earnings;
mod holiday;
mod legal;
mod orders;
mod pictures;
mod product;
mod product_facts;
mod product_form;
mod product_view;
mod products;
mod promotions;
mod sales;
mod ship_form;
mod ship_many;
mod shop;
mod stock;
mod team;
mod today;

use crate::server::state::App;
use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};

/// One upload: the largest picture and the form around it. Several smaller ones fit together.
pub const UPLOAD_LIMIT: usize = 11 * 1024 * 1024;

/// The addresses of this slice.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/vendor", get(today::today))
        .route("/vendor/products", get(products::list).post(product::create))
        .route("/vendor/products.csv", get(products::export))
        .route("/vendor/products/new", get(product::blank))
        .route("/vendor/products/bulk", get(bulk::back).post(bulk::change))
        .route("/vendor/products/undo/{change}", post(bulk::undo))
        .route("/vendor/stock", get(stock::show).post(stock::save))
        .route("/vendor/products/{product}", get(product::show).post(product::save))
        .route("/vendor/products/{product}/status", post(product::set_status))
        .route(
            "/vendor/products/{product}/pictures",
            get(pictures::show).post(pictures::upload).layer(DefaultBodyLimit::max(UPLOAD_LIMIT)),
        )
        .route("/vendor/products/{product}/pictures/{picture}", post(pictures::change))
        .route("/vendor/orders", get(orders::list))
        .route("/vendor/orders/ship", get(ship_many::blank).post(ship_many::ship))
        .route("/vendor/orders.csv", get(orders::export))
        .route("/vendor/orders/{order}", get(orders::show))
        .route("/vendor/orders/{order}/shipments", get(orders::back).post(orders::ship))
        .route("/vendor/orders/{order}/refunds", get(orders::back).post(orders::refund))
        .route("/vendor/sales", get(sales::show))
        .route("/vendor/team", get(team::show).post(team::invite))
        .route("/vendor/team/leave", post(team::leave))
        .route("/vendor/team/invitations/{invitation}", post(team::invitation))
        .route("/vendor/team/{member}", post(team::change_role))
        .route("/vendor/team/{member}/remove", post(team::remove))
        .route("/vendor/coupons", get(coupons::list).post(coupons::add))
        .route("/vendor/coupons/{coupon}", post(coupons::end))
        .route("/vendor/promotions", get(promotions::list).post(promotions::add))
        .route("/vendor/promotions/{promotion}", post(promotions::end))
        .route("/vendor/shop", get(shop::show).post(shop::describe))
        .route("/vendor/shop/invoices", get(shop::back).post(legal::save))
        .route("/vendor/shop/holiday", get(shop::back).post(holiday::save))
        .route("/vendor/shop/shipping", get(shop::back).post(shop::add_method))
        .route("/vendor/shop/shipping/{method}", get(shop::back_from_method).post(shop::edit_method))
}
