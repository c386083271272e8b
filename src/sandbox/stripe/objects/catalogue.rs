//! Line items, and the price and product that Stripe makes of each `price_data`.

use serde_json::{Value, json};

use crate::sandbox::stripe::ids;

/// A product made for one line.
pub fn product(name: &str, description: Option<&str>, images: &[String], metadata: &Value) -> Value {
    let now = ids::now();
    json!({
        "id": ids::product(), "object": "product", "active": false, "created": now, "default_price": null, "description": description,
        "images": images, "livemode": false, "marketing_features": [], "metadata": metadata, "name": name, "package_dimensions": null,
        "shippable": null, "statement_descriptor": null, "tax_code": null, "type": "service", "unit_label": null, "updated": now, "url": null,
    })
}

/// A one-off price of that product.
pub fn price(product: &str, currency: &str, unit_amount: i64) -> Value {
    json!({
        "id": ids::object("price"), "object": "price", "active": false, "billing_scheme": "per_unit", "created": ids::now(), "currency": currency,
        "custom_unit_amount": null, "livemode": false, "lookup_key": null, "metadata": {}, "nickname": null, "product": product, "recurring": null,
        "tax_behavior": "unspecified", "tiers_mode": null, "transform_quantity": null, "type": "one_time", "unit_amount": unit_amount,
        "unit_amount_decimal": unit_amount.to_string(),
    })
}

/// A line of a Checkout Session.
pub fn line_item(description: &str, price: &Value, quantity: i64, total: i64) -> Value {
    json!({
        "id": ids::object("li"), "object": "item", "adjustable_quantity": null, "amount_discount": 0, "amount_subtotal": total, "amount_tax": 0,
        "amount_total": total, "currency": price["currency"], "description": description, "metadata": {}, "price": price, "quantity": quantity,
    })
}
