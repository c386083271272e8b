//! How shared types stand in the document. Kept here, so that the types themselves stay free of it.

use crate::{
    accounts::{AddressLine, City, Email, Handle, PersonName, PostalCode},
    catalog::{
        limits::{Description, OptionName, OptionValue, Sku, StockLevel, Title},
        slug::Slug,
    },
    ids::*,
    money::{Currency, MAX_PRICE_MINOR, Money},
    server::errors::Problem,
    vendors::model::{About, ShopName, Tagline},
};
use serde::Deserialize;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, Object, ObjectBuilder, Ref, RefOr, Schema, SchemaFormat, Type},
};

/// The characters that no text may have: controls, and what broken UTF-8 was decoded to.
const CONTROLS: &str = r"\u0000-\u001F\u007F-\u009F\uFFFD";

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn sized(least: u32, most: u32) -> ObjectBuilder {
    text().min_length(Some(least as usize)).max_length(Some(most as usize))
}

/// One of the kinds of text that [`crate::texts`] declares.
fn typed(shape: &str, least: u32, most: u32) -> ObjectBuilder {
    let kept = match shape {
        "paragraphs" => r"\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\uFFFD",
        _ => CONTROLS,
    };
    let pattern = match least {
        0 => format!("^[^{kept}]*$"),
        // Blanks at the ends do not count.
        _ => format!(r"^[^{kept}]*[^\s{kept}][^{kept}]*$"),
    };
    sized(least, most).pattern(Some(pattern))
}

fn amount(range: bool) -> ObjectBuilder {
    let amount = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .description(Some("Minor units: pence, cents"));
    if range { amount.minimum(Some(0i64)).maximum(Some(MAX_PRICE_MINOR)) } else { amount }
}

fn money(range: bool) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("amount", amount(range))
        .required("amount")
        .property("currency", RefOr::Ref(Ref::from_schema_name("Currency")))
        .required("currency")
        .additional_properties(Some(utoipa::openapi::schema::AdditionalProperties::<Schema>::FreeForm(false)))
}

macro_rules! in_document {
    ($($name:ident: $schema:expr;)+) => {$(
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                RefOr::T(Schema::Object(Object::from($schema)))
            }
        }
        impl ToSchema for $name {}
    )+};
}

macro_rules! texts_in_document {
    ($($name:ident)+) => { in_document!($($name: typed($name::SHAPE, $name::MIN, $name::MAX);)+); };
}

macro_rules! ids_in_document {
    ($($name:ident)+) => {
        in_document!($($name: text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)));)+);
    };
}

texts_in_document!(PersonName AddressLine City PostalCode Title Description Sku OptionName OptionValue ShopName Tagline About);
ids_in_document!(UserId CartId CartLineId ProductId VariantId OrderId VendorOrderId OrderLineId PaymentId RefundId ShipmentId VendorId PayoutId
    CategoryId ApiTokenId);

in_document!(
    Currency: text().pattern(Some("^[A-Z]{3}$")).description(Some("ISO 4217"));
    Email: sized(5, Email::MAX).pattern(Some(
        r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,31}(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,10}){0,2}@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$"
    ));
    Handle: sized(3, Handle::MAX).pattern(Some("^[a-z0-9][a-z0-9-]*[a-z0-9]$"));
    Slug: sized(2, Slug::MAX as u32).pattern(Some("^[a-z0-9][a-z0-9-]*[a-z0-9]$"));
    StockLevel: ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).maximum(Some(StockLevel::MAX))
        .description(Some("Units on hand"));
);

impl PartialSchema for Money {
    fn schema() -> RefOr<Schema> {
        RefOr::T(Schema::Object(money(false).build()))
    }
}

impl ToSchema for Money {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Currency::name().into(), Currency::schema()));
    }
}

/// A price that someone asks: from nothing to ten million. Its currency is still to be compared with the shop's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Money")]
pub struct Price(pub Money);

impl TryFrom<Money> for Price {
    type Error = crate::money::BadMoney;
    fn try_from(money: Money) -> Result<Self, Self::Error> {
        if (0..=MAX_PRICE_MINOR).contains(&money.minor) { Ok(Self(money)) } else { Err(crate::money::BadMoney::Range) }
    }
}

impl PartialSchema for Price {
    fn schema() -> RefOr<Schema> {
        RefOr::T(Schema::Object(money(true).build()))
    }
}

impl ToSchema for Price {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Money::schemas(schemas);
    }
}

/// The problem's own schema, which no call names by itself.
pub(super) fn of_problems() -> (String, RefOr<Schema>) {
    (Problem::name().into(), Problem::schema())
}
