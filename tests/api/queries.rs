//! How often each address asks the database.

use crate::support::{TestApp, counted};
use http::StatusCode;

#[tokio::test]
async fn a_page_asks_the_database_at_most_four_times() {
    let (app, _) = TestApp::new().await;
    let mut guest = app.guest();
    for path in [
        "/",
        "/products",
        "/products?sort=price&in_stock=true&vendor=mill",
        "/categories/kitchen",
        "/search?q=bowl",
        "/search?q=nothinglikeit",
        "/vendors",
        "/vendors/mill",
        "/vendors/mill?q=nothinglikeit",
        "/products/mill-choice",
        "/api/v1/products",
        "/api/v1/products?facets=true&q=bowl&sort=price",
        "/api/v1/products/mill-choice",
        "/api/v1/categories",
        "/api/v1/vendors/mill",
        "/api/v1/cart",
    ] {
        let (answer, asked) = counted(guest.get(path)).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!((1..=4).contains(&asked), "{path} asked {asked} times");
    }
}
