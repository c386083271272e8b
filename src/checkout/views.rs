//! How the checkout looks: one form in four short steps, the order beside it, and a button that says the amount.

use super::{
    form::{CheckoutForm, NEW_ADDRESS, write_lines},
    islands::LiveTotals,
    model::{Quote, QuotedParcel, free_or, pay_label},
};
use crate::{
    accounts::{Address, AddressForm, AddressLine, City, Country, Email, PersonName, PostalCode},
    cart::model::{CartLine, Problem, ShippingMethod},
    coupons::model::{CouponCode, label},
    error::FieldErrors,
    ui::{Checkbox, ErrorSummary, Field, Notice, Picture, Select, Tone},
    vendors::model::holiday_sentence,
};
use leptos::prelude::*;

/// Everything that the page shows.
#[derive(Debug, Clone)]
pub struct CheckoutView {
    pub form: CheckoutForm,
    pub quote: Quote,
    /// Lines of the cart that this order leaves out.
    pub left_out: Vec<CartLine>,
    pub book: Vec<Address>,
    pub countries: Vec<Country>,
    pub signed_in: bool,
    pub errors: FieldErrors,
    /// Why the order was not made.
    pub refusal: Option<String>,
    pub hold_minutes: u64,
}

/// The whole page below its frame. The form is checked by us, not by the browser: so its errors stand together above it too.
#[component]
pub fn CheckoutPage(view: CheckoutView) -> impl IntoView {
    let CheckoutView { form, quote, left_out, book, countries, signed_in, errors, refusal, hold_minutes } = view;
    let coupon = quote.discount().map(|d| d.coupon.code.clone()).unwrap_or_default();
    let slugs: Vec<String> = quote.parcels.iter().map(|p| p.vendor_slug.clone()).collect();
    let refusal = refusal.map(|text| {
        view! {
            <div tabindex="-1" data-autofocus>
                <Notice tone=Tone::Bad>{text}</Notice>
            </div>
        }
    });
    let shipping = quote
        .parcels
        .iter()
        .map(|p| view! { <ShippingChoice quote=quote.clone() parcel=p.clone() errors=errors.clone()/> })
        .collect_view();
    let review = view! {
        <Review quote=quote.clone() left_out=left_out coupon=form.coupon.clone() errors=errors.clone() hold_minutes=hold_minutes/>
    };
    view! {
        <h1>"Checkout"</h1>
        {refusal}
        <ErrorSummary errors=errors.clone()/>
        <form class="checkout" id="checkout" method="post" action="/checkout" novalidate>
            <input type="hidden" name="checkout_key" value=form.key.to_string()/>
            <input type="hidden" name="expected_total" id="expected-total" value=quote.sums.total_minor/>
            <input type="hidden" name="lines" value=write_lines(&quote)/>
            <LiveTotals slugs=slugs lines=write_lines(&quote) coupon=coupon>
                <section class="checkout-step" aria-labelledby="step-contact">
                    <h2 id="step-contact">"1. Contact"</h2>
                    <Field
                        label="E-mail address"
                        name="email"
                        kind="email"
                        value=form.email.clone()
                        errors=errors.clone()
                        hint="The confirmation goes there, with a link to your order."
                        autocomplete="email"
                        inputmode="email"
                        required=true
                        maxlength=Email::MAX
                    />
                    {(!signed_in).then(|| view! {
                        <p class="hint">"You can order without an account. Have one? " <a href="/sign-in?next=%2Fcheckout">"Sign in"</a></p>
                    })}
                </section>
                <section class="checkout-step" aria-labelledby="step-address">
                    <h2 id="step-address">"2. Address"</h2>
                    <AddressChoice form=form.clone() book=book countries=countries errors=errors.clone() signed_in=signed_in/>
                </section>
                <section class="checkout-step" aria-labelledby="step-shipping">
                    <h2 id="step-shipping">"3. Shipping"</h2>
                    {shipping}
                </section>
            </LiveTotals>
            {review}
            <a class="checkout-bar no-print" href="#step-review">
                "Your order: " <strong id="bar-total">{quote.total().to_string()}</strong>
            </a>
        </form>
    }
}

#[component]
fn AddressChoice(
    form: CheckoutForm,
    book: Vec<Address>,
    countries: Vec<Country>,
    errors: FieldErrors,
    signed_in: bool,
) -> impl IntoView {
    let known = !book.is_empty();
    let entries = book
        .into_iter()
        .map(|a| {
            let value = a.id.to_string();
            let checked = value == form.address_id;
            let text = a.lines(&countries)[1..].join(", ");
            view! {
                <Choice name="address_id" value=value checked=checked>
                    <span><strong>{a.name}</strong><br/>{text}</span>
                </Choice>
            }
        })
        .collect_view();
    let choices = known.then(|| {
        view! {
            <Choices name="address_id" legend="Where to" errors=errors.clone()>
                {entries}
                <Choice name="address_id" value=NEW_ADDRESS checked=form.address_id == NEW_ADDRESS>
                    <span>"Another address"</span>
                </Choice>
            </Choices>
        }
    });
    let options: Vec<(String, String)> = countries.into_iter().map(|c| (c.code, c.name)).collect();
    let AddressForm { name, line1, line2, city, postal_code, country } = form.address;
    view! {
        {choices}
        <div class="checkout-new-address">
            <Field label="Name" name="name" value=name errors=errors.clone() autocomplete="shipping name" required=true maxlength=PersonName::MAX/>
            <Field
                label="Street and house"
                name="line1"
                value=line1
                errors=errors.clone()
                autocomplete="shipping address-line1"
                required=true
                maxlength=AddressLine::MAX
            />
            <Field
                label="Second line"
                name="line2"
                value=line2
                errors=errors.clone()
                autocomplete="shipping address-line2"
                maxlength=AddressLine::MAX
            />
            <div class="field-row">
                <Field
                    label="Town or city"
                    name="city"
                    value=city
                    errors=errors.clone()
                    autocomplete="shipping address-level2"
                    required=true
                    maxlength=City::MAX
                />
                <Field
                    label="Postcode"
                    name="postal_code"
                    value=postal_code
                    errors=errors.clone()
                    autocomplete="shipping postal-code"
                    required=true
                    maxlength=PostalCode::MAX
                />
            </div>
            <Select label="Country" name="country" options=options value=country errors=errors autocomplete="shipping country"/>
            {signed_in.then(|| view! { <Checkbox label="Keep it in my address book" name="save_address" checked=form.save_address/> })}
        </div>
    }
}

#[component]
fn ShippingChoice(quote: Quote, parcel: QuotedParcel, errors: FieldErrors) -> impl IntoView {
    let name = format!("shipping-{}", parcel.vendor_slug);
    let choices = parcel
        .methods
        .iter()
        .map(|m| {
            let price = free_or(quote.money(m.price_for(parcel.sums.items_minor)));
            let (method, about) = (m.name.clone(), (m.days().to_string(), free_over(&quote, m)));
            view! {
                <Choice name=name.clone() value=m.code.clone() checked=m.code == parcel.method.code>
                    <span><strong>{method}</strong>", "{about}</span>
                    <span class="choice-price">{price}</span>
                </Choice>
            }
        })
        .collect_view();
    view! {
        <Choices name=name legend=format!("Parcel from {}", parcel.vendor_name) errors=errors>{choices}</Choices>
    }
}

/// A group of [`Choice`]s with its error; the error's link in the summary leads here.
#[component]
fn Choices(#[prop(into)] name: String, #[prop(into)] legend: String, errors: FieldErrors, children: Children) -> impl IntoView {
    let error = errors.get(&name).map(|e| view! { <p class="field-error">{e.to_owned()}</p> });
    view! {
        <fieldset id=format!("f-{name}") tabindex="-1">
            <legend>{legend}</legend>
            {error}
            {children()}
        </fieldset>
    }
}

#[component]
fn Choice(#[prop(into)] name: String, #[prop(into)] value: String, checked: bool, children: Children) -> impl IntoView {
    view! { <label class="choice"><input type="radio" name=name value=value checked=checked/> {children()}</label> }
}

fn free_over(quote: &Quote, method: &ShippingMethod) -> Option<AnyView> {
    let free = method.free_over_minor.filter(|_| method.price_minor > 0)?;
    Some(view! { <br/> <span class="soft">{format!("Free from {}", quote.money(free))}</span> }.into_any())
}

/// The fourth step: what is ordered, what it costs, and the button.
#[component]
fn Review(quote: Quote, left_out: Vec<CartLine>, coupon: String, errors: FieldErrors, hold_minutes: u64) -> impl IntoView {
    let parcels = quote.parcels.iter().map(|p| view! { <ReviewParcel quote=quote.clone() parcel=p.clone()/> }).collect_view();
    let left_out = left_out.into_iter().map(|line| view! { <LeftOut line=line/> }).collect_view();
    let sums = quote.sums;
    let discount = quote.discount().map(|d| {
        view! {
            <dt>{label(&d.coupon.code, d.coupon.vendor.as_deref())}</dt>
            <dd id="order-discount">{quote.money(-d.amount_minor).to_string()}</dd>
        }
    });
    view! {
        <section class="checkout-review" aria-labelledby="step-review">
            <h2 id="step-review">"4. Your order"</h2>
            {parcels}
            {left_out}
            <div class="coupon-field">
                <Field label="Coupon" name="coupon" value=coupon errors=errors autocomplete="off" maxlength=CouponCode::MAX/>
                <button type="submit" formaction="/checkout/update#step-review" class="button-quiet">"Use it"</button>
            </div>
            <dl class="totals">
                <dt>"Items"</dt>
                <dd>{quote.money(sums.items_minor).to_string()}</dd>
                {discount}
                <dt>"Shipping"</dt>
                <dd id="order-shipping">{free_or(quote.money(sums.shipping_minor))}</dd>
                <dt class="total">"Total"</dt>
                <dd class="total" id="order-total" aria-live="polite">{quote.total().to_string()}</dd>
                <dt class="soft" id="order-tax-label">{format!("VAT included ({})", quote.rate)}</dt>
                <dd class="soft" id="order-tax">{quote.money(sums.tax_minor).to_string()}</dd>
            </dl>
            <button class="button-main checkout-pay" id="pay" type="submit">{pay_label(quote.total())}</button>
            <p class="hint">
                {format!("You pay on the next page, by card, at Stripe. From then on your goods are held for {hold_minutes} minutes.")}
            </p>
            <p class="hint"><a href="/cart">"Back to your cart"</a></p>
        </section>
    }
}

#[component]
fn ReviewParcel(quote: Quote, parcel: QuotedParcel) -> impl IntoView {
    let lines = parcel
        .lines
        .iter()
        .map(|l| {
            let line = &l.line;
            let options = line.options().map(|(_, v)| v.to_owned()).collect::<Vec<_>>().join(", ");
            let note = match line.problem() {
                Some(Problem::PriceRose { was, now }) => {
                    Some(format!("The price rose from {} to {}.", quote.money(was), quote.money(now)))
                }
                Some(Problem::PriceFell { was, now }) => {
                    Some(format!("The price fell from {} to {}.", quote.money(was), quote.money(now)))
                }
                _ => None,
            };
            view! {
                <li>
                    <span class="review-picture"><Picture id=line.picture_id alt="" sizes="3rem"/></span>
                    <span>
                        {format!("{} × {}", line.quantity, line.title)}
                        {(!options.is_empty()).then(|| view! { <span class="soft">{format!(", {options}")}</span> })}
                        {note.map(|n| view! { <br/> <strong>{n}</strong> })}
                    </span>
                    <span class="review-price">{quote.money(line.total_minor()).to_string()}</span>
                </li>
            }
        })
        .collect_view();
    view! {
        <h3>{parcel.vendor_name.clone()}</h3>
        <ul class="review-lines">
            {lines}
            <li class="soft">
                <span class="review-picture"></span>
                <span>"Shipping"</span>
                <span class="review-price" id=format!("order-{}-shipping", parcel.vendor_slug)>
                    {free_or(quote.money(parcel.sums.shipping_minor))}
                </span>
            </li>
        </ul>
    }
}

/// A line that cannot be ordered as it stands: said here too, and never in the way of the rest.
#[component]
fn LeftOut(line: CartLine) -> impl IntoView {
    let title = line.title.clone();
    let (text, take) = match line.problem() {
        Some(Problem::FewerLeft { left }) => {
            let are = if left == 1 { "is" } else { "are" };
            (format!("Not in this order: {title}. You wanted {}, and only {left} {are} left.", line.quantity), Some(left))
        }
        Some(Problem::OnHoliday { until }) => {
            (format!("Not in this order: {title}. {}", holiday_sentence(&line.vendor_name, until)), None)
        }
        Some(Problem::SoldOut) => (format!("Not in this order: {title} is sold out."), None),
        Some(Problem::PriceRose { .. }) => {
            (format!("Not in this order: the price of {title} rose. Accept it in your cart."), None)
        }
        _ => (format!("Not in this order: {title} is no longer for sale."), None),
    };
    let take = take.map(|left| {
        view! {
            <button type="submit" formaction="/checkout/update" name="take" value=line.id.to_string()>{format!("Take {left}")}</button>
        }
    });
    view! { <div class="line-note line-note-warn"><p>{text}</p> {take}</div> }
}
