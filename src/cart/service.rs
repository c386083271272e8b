//! What can be done with a cart. Pages, server functions and the REST interface are doors to these functions.

use super::{
    cookie::{CartCookie, SendCookie},
    model::{CartView, Quantity},
    queries::{self, Owner},
};
use crate::{
    error::{AppError, Refusal},
    ids::{CartId, CartLineId, VariantId},
    server::{auth::MaybeCustomer, state::App, token::Token},
    vendors::model::holiday_sentence,
};
use sqlx::PgConnection;

/// What adding did.
#[derive(Debug)]
pub struct Changed {
    /// For a browser that had no cart; send it with the answer.
    pub cookie: SendCookie,
    /// The token of a signed-out shopper's cart, new or known.
    pub token: Option<Token>,
    /// The product that was added.
    pub title: String,
    /// How many things are in the cart now.
    pub count: i64,
}

/// How many things are in the cart.
pub async fn count(app: &App, who: &MaybeCustomer, token: Option<&Token>) -> Result<i64, AppError> {
    match Owner::of(who, token) {
        Some(owner) => Ok(queries::count(&app.pool, &owner).await?),
        None => Ok(0),
    }
}

/// The whole cart as it stands now. Three queries.
pub async fn view(app: &App, who: &MaybeCustomer, token: Option<&Token>) -> Result<CartView, AppError> {
    let currency = app.config.currency;
    let cart = match Owner::of(who, token) {
        Some(owner) => queries::find(&app.pool, &owner).await?,
        None => None,
    };
    let Some(cart) = cart else { return Ok(CartView::group(None, currency, vec![], vec![])) };
    let lines = queries::lines(&app.pool, cart, currency.code()).await?;
    let methods = queries::shipping_methods(&app.pool, cart).await?;
    Ok(CartView::group(Some(cart), currency, lines, methods))
}

/// Puts a variant into the cart; the same variant again adds up. More than there is, is refused with what is left.
pub async fn add(
    app: &App,
    who: &MaybeCustomer,
    cookie: &CartCookie,
    variant: VariantId,
    quantity: Quantity,
) -> Result<Changed, AppError> {
    let currency = app.config.currency.code();
    let (owner, cookie, token) = owner_or_new(app, who, cookie);
    let mut tx = app.pool.begin().await?;
    let cart = queries::find_or_create(&mut *tx, &owner).await?;
    let Some(title) = queries::add(&mut tx, cart, variant, quantity, currency).await? else {
        return Err(why_not(&mut tx, variant, currency).await?.into());
    };
    let count = queries::count(&mut *tx, &owner).await?;
    tx.commit().await?;
    Ok(Changed { cookie, token, title, count })
}

/// Whose cart things go into, with the cookie to send and the token of a signed-out shopper, new or known.
fn owner_or_new(app: &App, who: &MaybeCustomer, cookie: &CartCookie) -> (Owner, SendCookie, Option<Token>) {
    match (who.id(), cookie.token()) {
        (Some(user), _) => (Owner::user(user), SendCookie::default(), None),
        (None, token) => {
            let token = token.cloned().unwrap_or_else(Token::random);
            (Owner::browser(&token), SendCookie(CartCookie::header(&token, &app.config)), Some(token))
        }
    }
}

/// Puts several variants into the cart, each as far as there is some of it, and says of each that is not there in full
/// why. A variant that is not known is passed over.
pub async fn add_all(
    app: &App,
    who: &MaybeCustomer,
    cookie: &CartCookie,
    items: &[(VariantId, Quantity)],
) -> Result<(SendCookie, Vec<Refusal>), AppError> {
    let currency = app.config.currency.code();
    let (owner, cookie, _) = owner_or_new(app, who, cookie);
    let mut missing = Vec::new();
    let mut tx = app.pool.begin().await?;
    let cart = queries::find_or_create(&mut *tx, &owner).await?;
    for (variant, quantity) in items {
        if queries::add(&mut tx, cart, *variant, *quantity, currency).await?.is_some() {
            continue;
        }
        match why_not(&mut tx, *variant, currency).await {
            Ok(refusal) => {
                if let Refusal::SoldOut { left, .. } = refusal
                    && let Ok(rest) = Quantity::try_from(left)
                {
                    queries::add(&mut tx, cart, *variant, rest, currency).await?;
                }
                missing.push(refusal);
            }
            Err(AppError::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    tx.commit().await?;
    Ok((cookie, missing))
}

async fn why_not(db: &mut PgConnection, variant: VariantId, currency: &str) -> Result<Refusal, AppError> {
    let stand = queries::stand(db, variant, currency).await?.ok_or(AppError::NotFound)?;
    Ok(match stand.holiday_until {
        _ if !stand.for_sale => Refusal::Unavailable { title: stand.title },
        Some(until) => Refusal::OnHoliday { sentence: holiday_sentence(&stand.vendor_name, until) },
        None => Refusal::SoldOut { title: stand.title, left: stand.available },
    })
}

/// As islands are told: of [`Refusal::OnHoliday`] they know only the words.
pub fn in_words(error: AppError) -> AppError {
    match error {
        AppError::Conflict(refusal @ Refusal::OnHoliday { .. }) => AppError::BadRequest(refusal.to_string()),
        other => other,
    }
}

/// Sets how many of a line are wanted; `None` takes it out. More than there is, is refused with what is left.
pub async fn set_quantity(
    app: &App,
    who: &MaybeCustomer,
    token: Option<&Token>,
    line: CartLineId,
    quantity: Option<Quantity>,
) -> Result<(), AppError> {
    let Some(quantity) = quantity else {
        remove(app, who, token, line).await?;
        return Ok(());
    };
    let (owner, cart) = own_line(app, who, token, line).await?;
    let lines = queries::lines(&app.pool, cart, app.config.currency.code()).await?;
    let now = lines.into_iter().find(|l| l.id == line).ok_or(AppError::NotFound)?;
    if !now.for_sale {
        return Err(Refusal::Unavailable { title: now.title }.into());
    }
    if let Some(until) = now.holiday_until {
        return Err(Refusal::OnHoliday { sentence: holiday_sentence(&now.vendor_name, until) }.into());
    }
    if now.available < quantity.get() {
        return Err(Refusal::SoldOut { title: now.title, left: now.available.max(0) }.into());
    }
    // The stock may change after this look; the cart says so when it is shown, and the checkout holds it for good.
    match queries::set_quantity(&app.pool, &owner, line, quantity).await? {
        true => Ok(()),
        false => Err(AppError::NotFound),
    }
}

/// Whose line it is and in which cart; not found for everyone else.
pub(super) async fn own_line(
    app: &App,
    who: &MaybeCustomer,
    token: Option<&Token>,
    line: CartLineId,
) -> Result<(Owner, CartId), AppError> {
    let owner = Owner::of(who, token).ok_or(AppError::NotFound)?;
    let cart = queries::cart_of(&app.pool, &owner, line).await?.ok_or(AppError::NotFound)?;
    Ok((owner, cart))
}

/// Takes a line out; the title of what it was.
pub async fn remove(app: &App, who: &MaybeCustomer, token: Option<&Token>, line: CartLineId) -> Result<String, AppError> {
    let owner = Owner::of(who, token).ok_or(AppError::NotFound)?;
    queries::remove(&app.pool, &owner, line).await?.ok_or(AppError::NotFound)
}

/// Accepts the price that was shown, in minor units of one piece. Where it changed again meanwhile, the cart shows the newer one.
pub async fn accept_price(
    app: &App,
    who: &MaybeCustomer,
    token: Option<&Token>,
    line: CartLineId,
    price_minor: i64,
) -> Result<(), AppError> {
    let (owner, _) = own_line(app, who, token, line).await?;
    queries::accept_price(&app.pool, &owner, line, price_minor).await?;
    Ok(())
}

/// Takes everything out.
pub async fn clear(app: &App, who: &MaybeCustomer, token: Option<&Token>) -> Result<(), AppError> {
    match Owner::of(who, token) {
        Some(owner) => Ok(queries::clear(&app.pool, &owner).await?),
        None => Ok(()),
    }
}
