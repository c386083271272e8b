//! How often each address asks the database.

use crate::support::{TestApp, asked, counted};
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
        println!("{asked:>3} {path}");
        assert!((1..=4).contains(&asked), "{path} asked {asked} times");
    }
}

/// What the steps of a purchase from two vendors may ask. Of the 26 of an order 6 read the form's page, 8 are the order's own
/// transaction, and 12 open the payment before and after Stripe is asked; a session's two are of the sentence that is shown next.
#[tokio::test]
async fn the_steps_of_a_purchase_ask_seldom() {
    let (test, world) = TestApp::with_services().await;
    let mut guest = test.guest();
    let mut steps = Vec::new();
    for sku in ["MILL-PLAIN", "KILN-PLAIN", "MILL-SMALL"] {
        let variant = world.variant(sku).to_string();
        let (answer, asked) = asked(guest.post_form("/cart/items", &[("variant_id", &variant), ("quantity", "1")])).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        steps.push(("POST /cart/items", 5, asked));
    }
    let (page, of_cart) = asked(guest.get("/cart")).await;
    assert_eq!(page.status, StatusCode::OK);
    steps.push(("GET /cart", 5, of_cart));
    let (page, of_checkout) = asked(guest.get("/checkout")).await;
    assert_eq!(page.status, StatusCode::OK);
    steps.push(("GET /checkout", 8, of_checkout));
    let form = crate::support::checkout_form(&page);
    let fields: Vec<(&str, &str)> = form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let (answer, of_order) = asked(guest.post_form("/checkout", &fields)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    steps.push(("POST /checkout", 26, of_order));
    for (step, most, asked) in &steps {
        let list = format!("{:>3} of {most} {step}\n      {}", asked.len(), asked.join("\n      "));
        println!("{list}");
        assert!(asked.len() <= *most, "{list}");
    }
}
