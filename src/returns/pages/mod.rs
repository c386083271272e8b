//! The pages of returns: one file for each who reads them, what they share in `views` and `forms`.

mod forms;
mod operator;
mod shopper;
mod vendor;
mod views;

pub use views::{ReturnRows, state_words};

use crate::server::state::App;
use axum::{Router, extract::DefaultBodyLimit, routing::get};

/// The largest form with pictures, all together.
const UPLOAD_LIMIT: usize = 21 * 1024 * 1024;

/// The addresses of this slice.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/orders/{order}/returns", get(shopper::list).post(shopper::ask).layer(DefaultBodyLimit::max(UPLOAD_LIMIT)))
        .route("/orders/{order}/returns/{id}", get(shopper::show).post(shopper::act))
        .route("/orders/{order}/returns/{id}/pictures/{picture}/{width}", get(shopper::picture))
        .route("/vendor/returns", get(vendor::list))
        .route("/vendor/returns/{id}", get(vendor::show).post(vendor::act))
        .route("/vendor/returns/{id}/pictures/{picture}/{width}", get(vendor::picture))
        .route("/operator/returns", get(operator::list))
        .route("/operator/returns/{id}", get(operator::show).post(operator::act))
        .route("/operator/returns/{id}/pictures/{picture}/{width}", get(operator::picture))
}
