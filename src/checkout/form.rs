//! The checkout form as a browser sends it: kept as typed, so that a refused form comes back whole.

use super::{model::Quote, place::CheckoutRequest};
use crate::{
    accounts::{Address, AddressForm, Country, Email, PostalAddress},
    cart::model::{CartLine, HOME},
    coupons::model::{CouponCode, NoDiscount},
    error::{AppError, FieldErrors},
    ids::{AddressId, CartLineId, VariantId},
    server::auth::MaybeCustomer,
};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The value of `address_id` for an address that is typed in.
pub const NEW_ADDRESS: &str = "new";

/// What was typed and chosen, and what the page had shown.
#[derive(Debug, Clone)]
pub struct CheckoutForm {
    pub key: Uuid,
    pub email: String,
    /// An entry of the address book, or [`NEW_ADDRESS`].
    pub address_id: String,
    pub address: AddressForm,
    pub save_address: bool,
    /// Vendor's slug to the code of a method.
    pub shipping: BTreeMap<String, String>,
    /// A coupon's code; empty for none.
    pub coupon: String,
    /// The total that was shown.
    pub expected_total_minor: Option<i64>,
    /// What was shown as theirs to order.
    pub lines: Vec<(VariantId, i32)>,
    /// "Take what is left" of this line was pressed.
    pub take: Option<CartLineId>,
}

impl CheckoutForm {
    /// A form that nobody has typed into; a signed-in person finds it filled in.
    pub fn fresh(who: &MaybeCustomer, book: &[Address]) -> Self {
        let customer = who.customer();
        Self {
            key: Uuid::new_v4(),
            email: customer.map(|c| c.email().to_owned()).unwrap_or_default(),
            address_id: book.first().map_or_else(|| NEW_ADDRESS.to_owned(), |a| a.id.to_string()),
            address: AddressForm {
                name: customer.map(|c| c.name().to_owned()).unwrap_or_default(),
                country: HOME.into(),
                ..AddressForm::default()
            },
            save_address: false,
            shipping: BTreeMap::new(),
            coupon: String::new(),
            expected_total_minor: None,
            lines: Vec::new(),
            take: None,
        }
    }

    /// Reads the fields of a form. What the page itself wrote into hidden fields must come back well formed.
    pub fn read(fields: Vec<(String, String)>) -> Result<Self, AppError> {
        let garbled = || AppError::BadRequest("The form came back garbled. Please open the checkout again.".into());
        let mut form = Self {
            key: Uuid::nil(),
            email: String::new(),
            address_id: NEW_ADDRESS.into(),
            address: AddressForm::default(),
            save_address: false,
            shipping: BTreeMap::new(),
            coupon: String::new(),
            expected_total_minor: None,
            lines: Vec::new(),
            take: None,
        };
        for (name, value) in fields {
            match name.as_str() {
                "checkout_key" => form.key = Uuid::try_parse(&value).map_err(|_| garbled())?,
                "expected_total" => form.expected_total_minor = Some(value.parse().map_err(|_| garbled())?),
                "lines" => form.lines = read_lines(&value).ok_or_else(garbled)?,
                "take" => form.take = Some(value.parse().map_err(|_| garbled())?),
                "email" => form.email = value,
                "address_id" => form.address_id = value,
                "name" => form.address.name = value,
                "line1" => form.address.line1 = value,
                "line2" => form.address.line2 = value,
                "city" => form.address.city = value,
                "postal_code" => form.address.postal_code = value,
                "country" => form.address.country = value,
                "coupon" => form.coupon = value,
                "save_address" => form.save_address = true,
                name => {
                    if let Some(slug) = name.strip_prefix("shipping-") {
                        form.shipping.insert(slug.to_owned(), value);
                    }
                }
            }
        }
        // Without a key of its own every press of the button would be another order.
        if form.key.is_nil() { Err(garbled()) } else { Ok(form) }
    }

    /// Only what the price depends on, as an island sends it: `shipping` is `vendor:method` pairs, `lines` as in the form.
    pub fn choices(address: String, country: String, shipping: &str, lines: &str, coupon: String) -> Result<Self, AppError> {
        let shipping = shipping.split_ascii_whitespace().filter_map(|pair| pair.split_once(':'));
        Ok(Self {
            key: Uuid::nil(),
            email: String::new(),
            address_id: address,
            address: AddressForm { country, ..AddressForm::default() },
            save_address: false,
            shipping: shipping.map(|(slug, code)| (slug.to_owned(), code.to_owned())).collect(),
            coupon,
            expected_total_minor: None,
            lines: read_lines(lines).ok_or_else(|| AppError::BadRequest("The lines could not be read.".into()))?,
            take: None,
        })
    }

    /// The country that VAT is reckoned for as the form stands.
    pub fn country(&self, book: &[Address], countries: &[Country]) -> String {
        let wanted = self.entry(book).map_or(&self.address.country, |a| &a.country);
        countries.iter().find(|c| c.code == *wanted).map_or_else(|| HOME.to_owned(), |c| c.code.clone())
    }

    /// The entry of the address book that was chosen.
    pub fn entry<'a>(&self, book: &'a [Address]) -> Option<&'a Address> {
        let id: AddressId = self.address_id.parse().ok()?;
        book.iter().find(|a| a.id == id)
    }

    /// The coupon that was typed, if one was. A text that is no code is that of no coupon.
    pub fn coupon(&self) -> Option<Result<CouponCode, NoDiscount>> {
        let typed = self.coupon.trim();
        (!typed.is_empty()).then(|| typed.parse().map_err(|_| NoDiscount::Unknown))
    }

    /// Whether the line was shown as theirs to order.
    pub fn showed(&self, line: &CartLine) -> bool {
        self.lines.iter().any(|(variant, _)| *variant == line.variant_id)
    }

    /// Checks every field.
    pub fn parse(&self, book: &[Address], countries: &[Country]) -> Result<CheckoutRequest, FieldErrors> {
        let mut errors = FieldErrors::default();
        let email = errors.take("email", self.email.parse::<Email>());
        let address = self.parse_address(book, countries, &mut errors);
        let coupon = self.coupon().and_then(|code| errors.take("coupon", code));
        match (email, address) {
            (Some(email), Some(address)) if errors.is_empty() => Ok(CheckoutRequest {
                key: self.key,
                email,
                address,
                shipping: self.shipping.clone(),
                coupon,
                expected_total_minor: self.expected_total_minor,
                lines: Some(self.lines.clone()),
            }),
            _ => Err(errors),
        }
    }

    fn parse_address(&self, book: &[Address], countries: &[Country], errors: &mut FieldErrors) -> Option<PostalAddress> {
        if self.address_id == NEW_ADDRESS {
            return self.address.parse(countries, errors);
        }
        let Some(entry) = self.entry(book) else {
            errors.add("address_id", "Please choose an address.");
            return None;
        };
        // It was checked when it was kept, but countries come and go.
        let mut stale = FieldErrors::default();
        let address = AddressForm::from(entry).parse(countries, &mut stale);
        if address.is_none() {
            errors.add("address_id", "We can no longer send there. Please choose another address.");
        }
        address
    }
}

/// What a quote's lines look like in the form: `variant:quantity`, with spaces between.
pub fn write_lines(quote: &Quote) -> String {
    quote.lines().map(|l| format!("{}:{}", l.variant_id, l.quantity)).collect::<Vec<_>>().join(" ")
}

/// Reads what [`write_lines`] wrote.
pub fn read_lines(text: &str) -> Option<Vec<(VariantId, i32)>> {
    text.split_ascii_whitespace()
        .map(|pair| {
            let (variant, quantity) = pair.split_once(':')?;
            Some((variant.parse().ok()?, quantity.parse().ok()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_without_a_key_or_with_garbled_hidden_fields_is_refused() {
        let read =
            |fields: &[(&str, &str)]| CheckoutForm::read(fields.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect());
        let key = Uuid::new_v4().to_string();
        assert!(read(&[]).is_err());
        assert!(read(&[("checkout_key", "1")]).is_err());
        for (name, value) in [("expected_total", "lots"), ("lines", "a:b"), ("lines", "x"), ("take", "9")] {
            assert!(read(&[("checkout_key", &key), (name, value)]).is_err(), "{name}={value}");
        }
        let form = read(&[("checkout_key", &key), ("shipping-mill", "express"), ("city", "Hull"), ("unknown", "x")]).unwrap();
        assert_eq!((form.shipping["mill"].as_str(), form.address.city.as_str()), ("express", "Hull"));
    }

    #[test]
    fn lines_survive_the_form() {
        let variant = VariantId::new();
        assert_eq!(read_lines(&format!("{variant}:3")), Some(vec![(variant, 3)]));
        assert_eq!(read_lines(""), Some(vec![]));
        assert_eq!(read_lines("nonsense"), None);
    }
}
