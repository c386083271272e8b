//! The checkout's page: shown, computed anew, and sent. Whatever is refused comes back with everything typed kept.

use super::{
    form::CheckoutForm,
    model::{Quote, quote},
    place::{Placed, place},
    views::{CheckoutPage, CheckoutView},
};
use crate::{
    accounts::{self, Address, Country, PostalAddress},
    cart::{
        self, CartCookie,
        model::{CartLine, CartView, Problem, Quantity},
    },
    coupons::{self, model::NoDiscount},
    error::{AppError, FieldErrors, Refusal},
    money::BasisPoints,
    payments,
    server::{auth::MaybeCustomer, flash, page::Page, state::App, token::Token},
};
use axum::{
    Form, Router,
    extract::State,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use http::StatusCode;
use leptos::prelude::*;
use tower_sessions::Session;

/// The addresses of this slice.
pub fn routes() -> Router<App> {
    Router::new().route("/checkout", get(checkout).post(order)).route("/checkout/update", post(update))
}

/// Where to could be sent.
struct Places {
    book: Vec<Address>,
    countries: Vec<Country>,
}

impl Places {
    async fn of(app: &App, who: &MaybeCustomer) -> Result<Self, AppError> {
        let book = match who.customer() {
            Some(customer) => accounts::queries::addresses(&app.pool, customer).await?,
            None => vec![],
        };
        Ok(Self { book, countries: accounts::queries::countries(&app.pool).await? })
    }
}

/// What the page is made from.
pub(super) struct Loaded {
    places: Places,
    cart: CartView,
    pub quote: Quote,
}

/// Reads the cart and prices what the form stands for. A line whose price rose is in the order only where the form had it: then the
/// shopper has seen it there, and sees both prices now.
pub(super) async fn load(app: &App, who: &MaybeCustomer, token: Option<&Token>, form: &CheckoutForm) -> Result<Loaded, AppError> {
    load_with(app, who, token, form, Places::of(app, who).await?).await
}

async fn load_with(
    app: &App,
    who: &MaybeCustomer,
    token: Option<&Token>,
    form: &CheckoutForm,
    places: Places,
) -> Result<Loaded, AppError> {
    let cart = cart::view(app, who, token).await?;
    let country = form.country(&places.book, &places.countries);
    let rate = cart::queries::vat_rate(&app.pool, &country).await?.unwrap_or(BasisPoints(0));
    let wanted = |line: &CartLine| match line.problem() {
        Some(Problem::PriceRose { .. }) => form.showed(line),
        _ => line.buyable(),
    };
    let coupon = match form.coupon() {
        None => None,
        Some(Err(none)) => Some(Err(none)),
        Some(Ok(code)) => {
            let person = coupons::person(who, form.email.parse().ok().as_ref());
            let offer = coupons::offered(&app.pool, &code, &person, cart.id).await?;
            Some(offer.ok_or(NoDiscount::Unknown).and_then(|offer| offer.usable(app.config.currency)))
        }
    };
    let quote = quote(&cart, wanted, |slug| form.shipping.get(slug).cloned(), rate, coupon);
    Ok(Loaded { places, cart, quote })
}

/// Why the page is shown again.
#[derive(Default)]
struct Refused {
    errors: FieldErrors,
    refusal: Option<String>,
    status: StatusCode,
}

fn show(app: &App, who: &MaybeCustomer, form: CheckoutForm, loaded: Loaded, mut refused: Refused) -> Response {
    let Loaded { places: Places { book, countries }, cart, quote } = loaded;
    if let Some(why) = quote.no_discount()
        && refused.errors.get("coupon").is_none()
    {
        refused.errors.add("coupon", why.to_string());
    }
    if !refused.errors.is_empty() && refused.status == StatusCode::OK {
        refused.status = StatusCode::UNPROCESSABLE_ENTITY;
    }
    if quote.parcels.is_empty() {
        // The cart says why.
        return Redirect::to("/cart").into_response();
    }
    let left_out = cart.lines().filter(|l| !quote.lines().any(|q| q.id == l.id)).cloned().collect();
    let view = CheckoutView {
        form,
        quote,
        left_out,
        book,
        countries,
        signed_in: who.customer().is_some(),
        errors: refused.errors,
        refusal: refused.refusal,
        hold_minutes: app.config.hold.as_secs() / 60,
    };
    Page::new("Checkout", move || view! { <CheckoutPage view=view/> }).status(refused.status).into_response()
}

async fn checkout(State(app): State<App>, who: MaybeCustomer, cookie: CartCookie) -> Result<Response, AppError> {
    let places = Places::of(&app, &who).await?;
    let form = CheckoutForm::fresh(&who, &places.book);
    let loaded = load_with(&app, &who, cookie.token(), &form, places).await?;
    Ok(show(&app, &who, form, loaded, Refused::default()))
}

/// "Update totals", and "take what is left" of a line.
async fn update(
    State(app): State<App>,
    who: MaybeCustomer,
    cookie: CartCookie,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, AppError> {
    let form = CheckoutForm::read(fields)?;
    if let Some(id) = form.take {
        let cart = cart::view(&app, &who, cookie.token()).await?;
        let left = cart.lines().find(|l| l.id == id).ok_or(AppError::NotFound)?.available;
        if let Ok(left) = Quantity::try_from(left.min(cart::model::MAX_QUANTITY)) {
            cart::set_quantity(&app, &who, cookie.token(), id, Some(left)).await?;
        }
    }
    let loaded = load(&app, &who, cookie.token(), &form).await?;
    Ok(show(&app, &who, form, loaded, Refused::default()))
}

async fn order(
    State(app): State<App>,
    who: MaybeCustomer,
    cookie: CartCookie,
    session: Session,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, AppError> {
    let form = CheckoutForm::read(fields)?;
    // What the page shows is read only where it is shown again.
    let places = Places::of(&app, &who).await?;
    let request = match form.parse(&places.book, &places.countries) {
        Ok(request) => request,
        Err(errors) => {
            let loaded = load_with(&app, &who, cookie.token(), &form, places).await?;
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return Ok(show(&app, &who, form, loaded, Refused { errors, status, refusal: None }));
        }
    };
    let address = request.address.clone();
    let refused = match place(&app, &who, cookie.token(), request).await {
        Ok(placed) => {
            keep_address(&app, &who, &form, &address).await;
            return pay(&app, &session, &placed).await;
        }
        Err(AppError::Conflict(Refusal::CartEmpty)) => return Ok(Redirect::to("/cart").into_response()),
        Err(AppError::Conflict(refusal)) => {
            Refused { refusal: Some(refusal.to_string()), status: StatusCode::CONFLICT, errors: FieldErrors::default() }
        }
        Err(AppError::Invalid(errors)) => Refused { errors, status: StatusCode::UNPROCESSABLE_ENTITY, refusal: None },
        Err(error) => return Err(error),
    };
    // As it stands now, which is why it was refused.
    let loaded = load(&app, &who, cookie.token(), &form).await?;
    Ok(show(&app, &who, form, loaded, refused))
}

/// To the page where the order is paid; to the order's own page where that cannot be had now.
async fn pay(app: &App, session: &Session, placed: &Placed) -> Result<Response, AppError> {
    match payments::open(app, placed.order_id).await {
        Ok(url) => Ok(Redirect::to(&url).into_response()),
        Err(AppError::Conflict(refusal)) => {
            if refusal == Refusal::PaymentUnavailable {
                flash::put(session, &refusal.to_string()).await?;
            }
            Ok(Redirect::to(&format!("/orders/{}?token={}", placed.order_id, placed.token)).into_response())
        }
        Err(error) => Err(error),
    }
}

/// The order is made by now: an address that cannot be kept must not undo it.
async fn keep_address(app: &App, who: &MaybeCustomer, form: &CheckoutForm, address: &PostalAddress) {
    let Some(customer) = who.customer().filter(|_| form.save_address && form.address_id == super::form::NEW_ADDRESS) else {
        return;
    };
    let kept = async {
        let mut tx = app.pool.begin().await?;
        // The form sent twice keeps it once.
        let known = accounts::queries::addresses(&mut *tx, customer).await?;
        let same = |a: &Address| {
            a.name == address.name.as_str() && a.line1 == address.line1.as_str() && a.postal_code == address.postal_code.as_str()
        };
        if !known.iter().any(same) {
            accounts::queries::add_address(&mut tx, customer, address, false).await?;
        }
        tx.commit().await
    };
    if let Err(error) = kept.await {
        tracing::warn!(%error, "an address was not kept");
    }
}
