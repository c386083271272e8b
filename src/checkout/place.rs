//! Making an order: one transaction that checks, writes and holds, or changes nothing. The network comes after.

use super::{
    model::{Quote, QuotedLine, quote},
    queries::{self, Earlier, NewOrder},
    rush,
};
use crate::{
    accounts::{Email, PostalAddress},
    cart::{
        model::{CartLine, CartView, Problem},
        queries as carts,
        queries::Owner,
    },
    coupons::{
        self,
        model::{Coupon, CouponCode, NoDiscount},
    },
    error::{AppError, FieldErrors, Refusal},
    ids::{CartId, OrderId, VariantId},
    ledger::commission::{self, Fees, Goods, Parcel, Rule},
    money::BasisPoints,
    orders, payments,
    server::{auth::MaybeCustomer, state::App, token::Token},
    vendors::model::holiday_sentence,
};
use serde_json::json;
use sqlx::PgConnection;
use std::collections::BTreeMap;
use time::OffsetDateTime;
use uuid::Uuid;

/// What a shopper orders. Parsed at the door: by the page's form, and by the REST interface.
#[derive(Debug, Clone)]
pub struct CheckoutRequest {
    /// One per checkout form or idempotency key; sent again, it finds the order that it made.
    pub key: Uuid,
    pub email: Email,
    pub address: PostalAddress,
    /// Vendor's slug to the code of its shipping method; the vendor's first method where none is named.
    pub shipping: BTreeMap<String, String>,
    pub coupon: Option<CouponCode>,
    /// The total that the shopper was shown, in minor units. A higher one is refused, a lower one passes on. Where `None`, the
    /// prices that the cart's lines were last seen at count.
    pub expected_total_minor: Option<i64>,
    /// What the shopper was shown as theirs to order; `None` for all that is in the cart.
    pub lines: Option<Vec<(VariantId, i32)>>,
}

/// The order that was made, or had been made by the same request before.
#[derive(Debug, Clone)]
pub struct Placed {
    pub order_id: OrderId,
    /// What people call it by.
    pub number: i64,
    /// Lets a guest read it.
    pub token: Token,
}

/// Makes the order of a cart: pending, its totals frozen, its stock held until `config.hold` from now. The cart stays full until
/// the order is paid, so that a shopper who turns back finds it as it was; an unpaid order that the same cart made before is
/// cancelled, for its stock is needed here.
///
/// # Errors
/// [`Refusal::CartEmpty`]; [`Refusal::Unavailable`], [`Refusal::OnHoliday`] and [`Refusal::SoldOut`] for the first line that cannot be bought;
/// [`Refusal::PriceChanged`] when the total rose; [`Refusal::Stale`] when the cart no longer holds what was shown; field errors
/// `country`, `shipping-{vendor}` and `coupon`. Nothing is changed by any of them.
pub async fn place(
    app: &App,
    who: &MaybeCustomer,
    cart_token: Option<&Token>,
    request: CheckoutRequest,
) -> Result<Placed, AppError> {
    let mut last = false;
    loop {
        match attempt(app, who, cart_token, &request, last).await? {
            Attempt::Placed(placed) => return Ok(placed),
            Attempt::StandsAside(variant) => rush::put_back(&app.pool, variant).await?,
        }
        last = true;
    }
}

/// What became of a transaction that makes an order.
enum Attempt {
    Placed(Placed),
    /// Nothing was changed: there is too little of this on its shelf, and more of it stands aside.
    StandsAside(VariantId),
}

async fn attempt(
    app: &App,
    who: &MaybeCustomer,
    cart_token: Option<&Token>,
    request: &CheckoutRequest,
    last: bool,
) -> Result<Attempt, AppError> {
    let token = orders::order_token(app, request.key)?;
    let owner = Owner::of(who, cart_token).ok_or(Refusal::CartEmpty)?;
    let mut tx = app.pool.begin().await?;
    let cart_id = carts::lock(&mut *tx, &owner).await?.ok_or(Refusal::CartEmpty)?;
    // After the lock: of two requests at once, the second one sees here what the first one made.
    let person = coupons::person(who, Some(&request.email));
    let known = queries::known(&mut *tx, request, cart_id, &person).await?;
    if let Some(earlier) = known.earlier {
        return made_before(earlier, who, cart_id, &token).map(Attempt::Placed);
    }
    let rate = known.rate.ok_or_else(|| AppError::field("country", "We do not ship there."))?;
    let lines = carts::lines(&mut *tx, cart_id, app.config.currency.code()).await?;
    let methods = carts::shipping_methods(&mut *tx, cart_id).await?;
    let cart = CartView::group(Some(cart_id), app.config.currency, lines, methods);
    let offer = known.offer.ok_or(NoDiscount::Unknown).and_then(|offer| offer.usable(app.config.currency));
    let quote = check(&cart, request, rate, request.coupon.as_ref().map(|_| offer))?;

    let fees = commission(&quote, &known.rules);
    let order = OrderId::new();
    let replaced = queries::replaced(&mut *tx, cart_id).await?;
    if !replaced.is_empty() {
        let variants: Vec<VariantId> = quote.lines().map(|l| l.variant_id).collect();
        queries::lock_stock(&mut *tx, &replaced, &variants).await?;
        if let Some(discount) = quote.discount() {
            coupons::lock(&mut *tx, &replaced, discount.coupon.id).await?;
        }
        for earlier in replaced {
            payments::replace(&mut tx, earlier, who.id()).await?;
        }
    }
    let new = NewOrder { id: order, user: who.id(), cart: cart_id, token: &token, hold: app.config.hold, fees: &fees };
    let number = queries::insert_order(&mut *tx, new, request, &quote, rate).await?;
    let Some(number) = number else {
        // The same key from another cart at the same moment.
        tx.rollback().await?;
        let known = queries::known(&app.pool, request, cart_id, &person).await?;
        return made_before(known.earlier.ok_or(AppError::NotFound)?, who, cart_id, &token).map(Attempt::Placed);
    };
    let detail = json!({ "total": quote.sums.total_minor, "currency": quote.currency.code() });
    orders::record(&mut tx, order, None, "created", detail, who.id()).await?;
    // Last, so that the stock of what everybody wants is locked for as short as can be.
    match hold_all(&mut tx, order, &quote, last).await? {
        Holding::All { rushed } => {
            if let Some(discount) = quote.discount() {
                coupons::claim(&mut tx, order, discount, who.id(), &request.email).await?;
            }
            tx.commit().await?;
            rush::set_aside(app, rushed);
            Ok(Attempt::Placed(Placed { order_id: order, number, token }))
        }
        Holding::StandsAside(variant) => {
            tx.rollback().await?;
            Ok(Attempt::StandsAside(variant))
        }
    }
}

/// What the market keeps of each parcel, by the rules in force today: frozen on what is sold.
fn commission<'r>(quote: &Quote, rules: &'r [Rule]) -> Vec<Fees<'r>> {
    let today = OffsetDateTime::now_utc().date();
    let parcels = quote.parcels.iter().map(|parcel| {
        let goods = |l: &QuotedLine| Goods {
            product: Some(l.line.product_id),
            categories: l.line.categories.clone(),
            quantity: l.line.quantity,
            // What the market pays of a discount is the vendor's as if the shopper had paid it.
            gross_minor: l.total_minor + l.platform_discount_minor,
        };
        let sold = Parcel {
            vendor: parcel.vendor_id,
            vat: BasisPoints(parcel.lines.first().map_or(0, |l| l.line.vendor_vat_bp)),
            shipping_minor: parcel.sums.shipping_minor,
            lines: parcel.lines.iter().map(goods).collect(),
        };
        commission::fees(rules, &sold, today)
    });
    parcels.collect()
}

/// The order that this key made before, if it is the asker's. Somebody else's is not found: a key opens nothing.
fn made_before(earlier: Earlier, who: &MaybeCustomer, cart: CartId, token: &Token) -> Result<Placed, AppError> {
    let same_person = earlier.user.is_some() && earlier.user == who.id();
    if same_person || earlier.cart == Some(cart) {
        Ok(Placed { order_id: earlier.id, number: earlier.number, token: token.clone() })
    } else {
        Err(AppError::NotFound)
    }
}

/// Everything that can be said against the order without touching the stock. The stock itself has the last word.
fn check(
    cart: &CartView,
    request: &CheckoutRequest,
    rate: BasisPoints,
    coupon: Option<Result<Coupon, NoDiscount>>,
) -> Result<Quote, AppError> {
    let chosen = chosen(cart, request)?;
    let mut errors = FieldErrors::default();
    for parcel in &cart.parcels {
        if let Some(code) = request.shipping.get(&parcel.vendor_slug)
            && !parcel.methods.iter().any(|m| m.code == *code)
        {
            errors.add(&format!("shipping-{}", parcel.vendor_slug), "Please choose one of the ways of shipping.");
        }
    }
    errors.check()?;
    for line in &chosen {
        let title = line.title.clone();
        match line.problem() {
            Some(Problem::Unavailable) => return Err(Refusal::Unavailable { title }.into()),
            Some(Problem::OnHoliday { until }) => {
                return Err(Refusal::OnHoliday { sentence: holiday_sentence(&line.vendor_name, until) }.into());
            }
            Some(Problem::SoldOut | Problem::FewerLeft { .. }) => {
                return Err(Refusal::SoldOut { title, left: line.available.max(0) }.into());
            }
            Some(Problem::PriceRose { .. } | Problem::PriceFell { .. }) | None => {}
        }
    }
    let wanted = |line: &CartLine| chosen.iter().any(|c| c.id == line.id);
    let method = |slug: &str| request.shipping.get(slug).cloned();
    let quote = quote(cart, wanted, method, rate, coupon);
    if let Some(why) = quote.no_discount() {
        return Err(AppError::field("coupon", why.to_string()));
    }
    let expected = request.expected_total_minor.unwrap_or_else(|| {
        let rises: i64 = chosen.iter().map(|l| i64::from(l.quantity) * (l.price_minor - l.seen_price_minor).max(0)).sum();
        quote.sums.total_minor - rises
    });
    if quote.sums.total_minor > expected {
        return Err(Refusal::PriceChanged { was: quote.money(expected), now: quote.total() }.into());
    }
    Ok(quote)
}

/// The cart's lines that the shopper was shown, as they stand now.
fn chosen<'a>(cart: &'a CartView, request: &CheckoutRequest) -> Result<Vec<&'a CartLine>, Refusal> {
    let lines: Vec<&CartLine> = match &request.lines {
        None => cart.lines().collect(),
        Some(shown) => shown
            .iter()
            .map(|(variant, quantity)| {
                cart.lines().find(|l| l.variant_id == *variant && l.quantity == *quantity).ok_or(Refusal::Stale)
            })
            .collect::<Result<_, _>>()?,
    };
    if lines.is_empty() { Err(Refusal::CartEmpty) } else { Ok(lines) }
}

/// What an order got of the stock.
enum Holding {
    /// All that it wants. Of `rushed` pieces should be set aside: its buyers wait for each other.
    All { rushed: Vec<VariantId> },
    /// Too little on the shelf, and more of this stands aside.
    StandsAside(VariantId),
}

/// Holds the stock of every line; refuses with the first that is short. What stands aside is taken first, because nobody waits
/// for it; where `last`, what stands aside of a thing that is short is left to those who are taking it.
async fn hold_all(tx: &mut PgConnection, order: OrderId, quote: &Quote, last: bool) -> Result<Holding, AppError> {
    let (mut rushed, mut wanted) = (Vec::new(), Vec::new());
    for line in quote.lines() {
        if line.set_aside {
            let found = rush::take(&mut *tx, order, line.variant_id, line.quantity).await?;
            if found.few_left {
                rushed.push(line.variant_id);
            }
            if found.enough {
                continue;
            }
        }
        wanted.push((line.variant_id, line.quantity));
    }
    if let [(variant, quantity)] = wanted[..] {
        // Of a single row it can be told whether it must be waited for.
        if queries::hold_if_idle(&mut *tx, order, variant, quantity).await? {
            return Ok(Holding::All { rushed });
        }
        rushed.push(variant);
    }
    let held = queries::hold(&mut *tx, order, &wanted).await?;
    let Some((short, _)) = wanted.into_iter().find(|(variant, _)| !held.contains(variant)) else {
        return Ok(Holding::All { rushed });
    };
    if !last && rush::stands_aside(&mut *tx, short).await? {
        return Ok(Holding::StandsAside(short));
    }
    let left = queries::left(&mut *tx, short).await?;
    let title = quote.lines().find(|line| line.variant_id == short).map(|line| line.title.clone()).unwrap_or_default();
    Err(Refusal::SoldOut { title, left }.into())
}
