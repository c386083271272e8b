//! The vendor's desk. Every page here has one guard, [`Desk`], and finds everything through its vendor.

mod coupons;
mod earnings;
mod legal;
mod order_history;
mod orders;
mod pictures;
mod product;
mod product_form;
mod product_view;
mod products;
mod sales;
mod ship_form;
mod shop;
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
        .route("/vendor/products/{product}", get(product::show).post(product::save))
        .route("/vendor/products/{product}/status", post(product::set_status))
        .route(
            "/vendor/products/{product}/pictures",
            get(pictures::show).post(pictures::upload).layer(DefaultBodyLimit::max(UPLOAD_LIMIT)),
        )
        .route("/vendor/products/{product}/pictures/{picture}", post(pictures::change))
        .route("/vendor/orders", get(orders::list))
        .route("/vendor/orders.csv", get(orders::export))
        .route("/vendor/orders/{order}", get(orders::show))
        .route("/vendor/orders/{order}/shipments", get(orders::back).post(orders::ship))
        .route("/vendor/orders/{order}/refunds", get(orders::back).post(orders::refund))
        .route("/vendor/sales", get(sales::show))
        .route("/vendor/coupons", get(coupons::list).post(coupons::add))
        .route("/vendor/coupons/{coupon}", post(coupons::end))
        .route("/vendor/shop", get(shop::show).post(shop::describe))
        .route("/vendor/shop/invoices", get(shop::back).post(legal::save))
        .route("/vendor/shop/shipping", get(shop::back).post(shop::add_method))
        .route("/vendor/shop/shipping/{method}", get(shop::back_from_method).post(shop::edit_method))
}
