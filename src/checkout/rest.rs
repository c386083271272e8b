//! The checkout for programs: one call makes the order of the cart and opens its payment.

use super::{CheckoutRequest, Placed, place};
use crate::{
    accounts::{self, AddressForm, AddressLine, City, Email, PersonName, PostalCode},
    cart::CartCookie,
    coupons::model::NoDiscount,
    error::{AppError, FieldErrors},
    ids::PaymentId,
    money::Money,
    orders::{self, queries::Reader, rest::Order},
    payments,
    server::{
        auth::MaybeCustomer,
        rest::{Body, IdempotencyKey, OnceKey, created},
        state::App,
    },
};
use axum::{Extension, Json, extract::State, response::Response};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use time::OffsetDateTime;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

/// The calls of this slice.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(checkout))
}

/// What to order: all that is in the cart, to this address.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Checkout {
    /// Where news of the order go; of someone signed in, the account's address unless told.
    #[serde(default)]
    email: Option<Email>,
    shipping_address: ShippingAddress,
    /// How each vendor sends: its slug to the code of one of its methods; the first one where none is named.
    #[serde(default)]
    shipping: BTreeMap<String, String>,
    /// The code of a coupon, in capitals or not. One that takes nothing off is refused as a field.
    #[serde(default)]
    #[schema(max_length = 32)]
    coupon: Option<String>,
    /// The total that was shown. Where the order would cost more it is refused with `/problems/price-changed`.
    #[serde(default)]
    expected_total: Option<Money>,
}

/// Where the parcels go.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShippingAddress {
    name: PersonName,
    line1: AddressLine,
    #[serde(default)]
    #[schema(max_length = 120)]
    line2: Option<String>,
    city: City,
    postal_code: PostalCode,
    /// ISO 3166-1 alpha-2, one of those that we send to.
    #[schema(pattern = "^[A-Z]{2}$")]
    country: String,
}

/// The order that was made, and where it is paid.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckedOut {
    order: NewOrder,
    payment: Payment,
}

/// An order with the token of its link.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewOrder {
    #[serde(flatten)]
    order: Order,
    /// Lets a guest read the order and call it off: `?token=`.
    token: String,
}

/// An attempt to pay.
#[derive(Debug, Serialize, ToSchema)]
pub struct Payment {
    #[schema(required)]
    id: Option<PaymentId>,
    /// Where a person pays; the order's own page where nothing is left to pay.
    url: String,
    /// Until then the goods are held.
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
}

/// Order what is in the cart
///
/// One transaction: prices are compared, stock is held, the order is written. With an `Idempotency-Key` it happens once, however
/// often it is sent. Refusals: `/problems/cart-empty`, `/problems/sold-out` with what is `left`, `/problems/unavailable`, `/problems/on-holiday`,
/// `/problems/price-changed` with both totals (`was`, `now`).
#[utoipa::path(post, path = "/checkout", tag = "cart", operation_id = "checkout", params(IdempotencyKey), request_body = Checkout,
    responses((status = 201, body = CheckedOut), (status = 409),
        (status = 503, description = "The payment service does not answer. The order is kept: send the request again with the same key.")),
    security((), ("bearer" = []), ("session" = [])))]
pub async fn checkout(
    State(app): State<App>,
    who: MaybeCustomer,
    cookie: CartCookie,
    once: Option<Extension<OnceKey>>,
    Body(wanted): Body<Checkout>,
) -> Result<Response, AppError> {
    let key = once.map_or_else(Uuid::new_v4, |Extension(OnceKey(key))| key);
    let request = parse(&app, &who, key, wanted).await?;
    let placed = place(&app, &who, cookie.token(), request).await.map_err(in_json)?;
    let url = payments::open(&app, placed.order_id).await?;
    let answer = answer(&app, &placed, url).await?;
    Ok(created(&format!("/api/v1/orders/{}", placed.order_id), Json(answer)))
}

async fn answer(app: &App, placed: &Placed, url: String) -> Result<CheckedOut, AppError> {
    let link = Reader::link(&placed.token);
    let may = orders::queries::may_read(&mut *app.pool.acquire().await?, placed.order_id, &link).await?;
    let order = orders::queries::detail(&app.pool, may).await?;
    let payment = Payment { id: payments::latest(app, placed.order_id).await?, url, expires_at: order.head.hold_expires_at };
    Ok(CheckedOut { order: NewOrder { order: Order::of(order), token: placed.token.to_string() }, payment })
}

async fn parse(app: &App, who: &MaybeCustomer, key: Uuid, wanted: Checkout) -> Result<CheckoutRequest, AppError> {
    let mut errors = FieldErrors::default();
    let email = match (wanted.email, who.customer()) {
        (Some(email), _) => Some(email),
        (None, Some(customer)) => errors.take("email", customer.email().parse()),
        (None, None) => {
            errors.add("email", "Write where news of the order go.");
            None
        }
    };
    let coupon = wanted.coupon.filter(|code| !code.is_empty());
    let coupon = coupon.and_then(|code| errors.take("coupon", code.parse().map_err(|_| NoDiscount::Unknown)));
    let currency = app.config.currency;
    if wanted.expected_total.is_some_and(|total| total.currency != currency) {
        errors.add("expected_total", format!("Prices are in {}.", currency.code()));
    }
    let to = wanted.shipping_address;
    let form = AddressForm {
        name: to.name.into(),
        line1: to.line1.into(),
        line2: to.line2.unwrap_or_default(),
        city: to.city.into(),
        postal_code: to.postal_code.into(),
        country: to.country,
    };
    let countries = accounts::queries::countries(&app.pool).await?;
    let mut unfit = FieldErrors::default();
    let address = form.parse(&countries, &mut unfit);
    for (field, message) in unfit.iter() {
        errors.add(&format!("shipping_address.{field}"), message);
    }
    errors.check()?;
    match (email, address) {
        (Some(email), Some(address)) => Ok(CheckoutRequest {
            key,
            email,
            address,
            shipping: wanted.shipping,
            coupon,
            expected_total_minor: wanted.expected_total.map(|total| total.minor),
            lines: None,
        }),
        _ => Err(AppError::Internal),
    }
}

/// The fields of the page's form, named as they stand in the JSON: `shipping-mill` is `shipping.mill`.
fn in_json(error: AppError) -> AppError {
    let AppError::Invalid(errors) = error else { return error };
    let mut renamed = FieldErrors::default();
    for (field, message) in errors.iter() {
        match field.strip_prefix("shipping-") {
            Some(vendor) => renamed.add(&format!("shipping.{vendor}"), message),
            None if field == "coupon" => renamed.add(field, message),
            None => renamed.add(&format!("shipping_address.{field}"), message),
        }
    }
    renamed.into()
}
