//! What a shopper sees of the goods, and the rules that need no database.

use crate::{
    ids::{CategoryId, PictureId, ProductId, VariantId, VendorId},
    money::{Currency, Money},
    post::Days,
    vendors::model::Holiday,
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// One product as a list shows it: a row of `listings`. Only what is published by an approved vendor has one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ssr", derive(sqlx::FromRow))]
pub struct Listing {
    pub product_id: ProductId,
    pub slug: String,
    pub title: String,
    pub vendor_slug: String,
    pub vendor_name: String,
    pub category_slug: String,
    pub category_name: String,
    /// The lowest price of its variants, and the highest.
    pub price_minor: i64,
    pub price_max: i64,
    /// Where all of them are reduced and cost the same: their lowest price in the thirty days before.
    pub prior_minor: Option<i64>,
    pub currency: Currency,
    pub in_stock: bool,
    pub picture_id: Option<PictureId>,
    pub picture_alt: Option<String>,
    pub second_picture_id: Option<PictureId>,
    pub published_at: OffsetDateTime,
}

impl Listing {
    /// The lowest price.
    pub fn price(&self) -> Money {
        Money::new(self.price_minor, self.currency)
    }

    /// What it cost at least in the thirty days before it was reduced (Directive 98/6/EC, Article 6a); `None` where it is not.
    pub fn was(&self) -> Option<Money> {
        self.prior_minor.map(|minor| Money::new(minor, self.currency))
    }

    /// Whether its variants cost differently, so that the price reads "from".
    pub fn varies(&self) -> bool {
        self.price_max > self.price_minor
    }

    pub fn href(&self) -> String {
        format!("/products/{}", self.slug)
    }
}

/// What is bought: one SKU of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    pub id: VariantId,
    pub sku: String,
    /// One value for each option of the product, in their order.
    pub option_values: Vec<String>,
    pub price_minor: i64,
    /// What it cost at least in the thirty days before it was reduced (Directive 98/6/EC, Article 6a); `None` where it is not, or was
    /// not dearer then.
    pub prior_minor: Option<i64>,
    pub currency: Currency,
    /// How many can be bought now: on hand and not held for anyone.
    pub available: i32,
    /// The picture that shows it best; `None` where the product has none.
    pub picture_id: Option<PictureId>,
}

impl Variant {
    pub fn price(&self) -> Money {
        Money::new(self.price_minor, self.currency)
    }

    pub fn was(&self) -> Option<Money> {
        self.prior_minor.map(|minor| Money::new(minor, self.currency))
    }
}

/// A picture of a product, in the order of the gallery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureOf {
    pub id: PictureId,
    pub alt: String,
    pub width: i32,
    pub height: i32,
}

/// A node of the category tree, as a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct CategoryLink {
    pub slug: String,
    pub name: String,
}

/// How a vendor usually sends: the first of its shipping methods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Delivery {
    pub name: String,
    pub price: Money,
    /// Goods of this vendor worth at least this ship free.
    pub free_over: Option<Money>,
    pub min_days: i32,
    pub max_days: i32,
}

impl Delivery {
    /// How long it takes.
    pub fn days(&self) -> Days {
        Days::new(self.min_days, self.max_days)
    }
}

/// Everything that the page of a product tells, apart from what is related.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProductPage {
    pub id: ProductId,
    pub slug: String,
    pub title: String,
    pub description: String,
    pub vendor_id: VendorId,
    pub vendor_slug: String,
    pub vendor_name: String,
    pub vendor_tagline: String,
    pub vendor_country: String,
    pub category_id: CategoryId,
    /// Root first; the product's own category last.
    pub categories: Vec<CategoryLink>,
    pub option_names: Vec<String>,
    pub delivery: Option<Delivery>,
    /// While the shop is on one, nothing of it can be bought.
    pub holiday: Option<Holiday>,
    /// In the vendor's order; never empty for a published product.
    pub variants: Vec<Variant>,
    pub pictures: Vec<PictureOf>,
    pub updated_at: OffsetDateTime,
}

impl ProductPage {
    /// The values of each option, in the order in which the variants bring them up.
    pub fn options(&self) -> Vec<(String, Vec<String>)> {
        self.option_names
            .iter()
            .enumerate()
            .map(|(i, name)| {
                let mut values: Vec<String> = Vec::new();
                for value in self.variants.iter().filter_map(|v| v.option_values.get(i)) {
                    if !values.contains(value) {
                        values.push(value.clone());
                    }
                }
                (name.clone(), values)
            })
            .collect()
    }
}

/// A vendor's shop as everyone may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shop {
    pub id: VendorId,
    pub slug: String,
    pub name: String,
    pub tagline: String,
    pub description: String,
    pub country: String,
    pub delivery: Option<Delivery>,
    /// The one that it is on now.
    pub holiday: Option<Holiday>,
}

/// A vendor among others: a name, a sentence and a taste of the goods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShopCard {
    pub id: VendorId,
    pub slug: String,
    pub name: String,
    pub tagline: String,
    pub country: String,
    pub goods: i64,
    /// At most three, the newest first.
    pub pictures: Vec<PictureId>,
}

/// A node of the category tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Category {
    pub id: CategoryId,
    pub parent_id: Option<CategoryId>,
    pub slug: String,
    pub name: String,
}

/// All categories; siblings stand in their order.
#[derive(Debug, Clone, Default)]
pub struct CategoryTree(pub Vec<Category>);

impl CategoryTree {
    pub fn find(&self, slug: &str) -> Option<&Category> {
        self.0.iter().find(|c| c.slug == slug)
    }

    pub fn by_id(&self, id: CategoryId) -> Option<&Category> {
        self.0.iter().find(|c| c.id == id)
    }

    /// The departments.
    pub fn roots(&self) -> impl Iterator<Item = &Category> {
        self.0.iter().filter(|c| c.parent_id.is_none())
    }

    pub fn below(&self, id: CategoryId) -> impl Iterator<Item = &Category> {
        self.0.iter().filter(move |c| c.parent_id == Some(id))
    }

    /// From the root to the category itself.
    pub fn trail(&self, id: CategoryId) -> Vec<&Category> {
        let mut trail = Vec::new();
        let mut at = self.by_id(id);
        while let Some(category) = at {
            trail.push(category);
            // A tree has at most six levels; anything longer would be a circle.
            at = category.parent_id.filter(|_| trail.len() < 6).and_then(|p| self.by_id(p));
        }
        trail.reverse();
        trail
    }
}

/// A line offered while someone types into the search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    pub label: String,
    /// `Category`, `Vendor`, or the vendor of the goods.
    pub detail: String,
    pub href: String,
}

/// The variant shown first: the one asked for, else the first that can be bought, else the first.
pub fn first_choice(variants: &[Variant], asked: Option<VariantId>) -> Option<&Variant> {
    asked
        .and_then(|id| variants.iter().find(|v| v.id == id))
        .or_else(|| variants.iter().find(|v| v.available > 0))
        .or_else(|| variants.first())
}

/// Where choosing `value` for option number `option` leads from the variant now shown: the other options are kept if that
/// combination exists; else the nearest one that has the value, rather one that can be bought.
pub fn choose<'a>(variants: &'a [Variant], now: &Variant, option: usize, value: &str) -> Option<&'a Variant> {
    let kept = |v: &Variant| {
        v.option_values.iter().zip(&now.option_values).enumerate().filter(|(i, (a, b))| *i != option && a == b).count()
    };
    let others = now.option_values.len().saturating_sub(1);
    variants
        .iter()
        .filter(|v| v.option_values.get(option).is_some_and(|x| x == value))
        // the first of the best: max_by_key would take the last
        .rev()
        .max_by_key(|v| (kept(v) == others, v.available > 0, kept(v)))
}

/// Where a picture stands on its product's page.
pub fn picture_anchor(id: PictureId) -> String {
    format!("picture-{id}")
}

/// The stock of a variant as a sentence that is true.
pub fn stock_words(available: i32) -> String {
    match available {
        ..=0 => "Sold out".into(),
        1 => "The last one".into(),
        2..=5 => format!("{available} left"),
        _ => "In stock".into(),
    }
}

/// The paragraphs of a description: divided by empty lines.
pub fn paragraphs(text: &str) -> Vec<String> {
    text.split("\n\n").map(str::trim).filter(|p| !p.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variant(values: &[&str], available: i32) -> Variant {
        Variant {
            id: VariantId::new(),
            sku: values.join("-"),
            option_values: values.iter().map(|v| v.to_string()).collect(),
            price_minor: 100,
            prior_minor: None,
            currency: Currency::GBP,
            available,
            picture_id: None,
        }
    }

    #[test]
    fn choosing_an_option_keeps_the_others_where_it_can() {
        let all = [
            variant(&["S", "Blue"], 0),
            variant(&["S", "Red"], 3),
            variant(&["M", "Blue"], 2),
            variant(&["L", "Red"], 0),
            variant(&["L", "Green"], 1),
        ];
        let sku = |from: usize, option, value| choose(&all, &all[from], option, value).map(|v| v.sku.as_str());
        assert_eq!(sku(2, 0, "S"), Some("S-Blue"), "sold out, but it is what was asked for");
        assert_eq!(sku(2, 1, "Red"), Some("S-Red"), "no M in red: one that can be bought");
        assert_eq!(sku(1, 0, "L"), Some("L-Red"));
        assert_eq!(sku(0, 0, "L"), Some("L-Green"), "no L in blue");
        assert_eq!(sku(0, 0, "XL"), None);
    }

    #[test]
    fn the_first_choice_can_be_bought() {
        let all = [variant(&["S"], 0), variant(&["M"], 1)];
        assert_eq!(first_choice(&all, None).map(|v| v.id), Some(all[1].id));
        assert_eq!(first_choice(&all, Some(all[0].id)).map(|v| v.id), Some(all[0].id));
        assert_eq!(first_choice(&all, Some(VariantId::new())).map(|v| v.id), Some(all[1].id));
        assert_eq!(first_choice(&[], None), None);
    }

    #[test]
    fn stock_is_told_truthfully() {
        assert_eq!(stock_words(0), "Sold out");
        assert_eq!(stock_words(1), "The last one");
        assert_eq!(stock_words(3), "3 left");
        assert_eq!(stock_words(300), "In stock");
    }

    #[test]
    fn a_trail_ends_even_in_a_circle() {
        let (a, b) = (CategoryId::from(uuid::Uuid::from_u128(1)), CategoryId::from(uuid::Uuid::from_u128(2)));
        let node = |id, parent_id| Category { id, parent_id, slug: String::new(), name: String::new() };
        assert_eq!(CategoryTree(vec![node(a, Some(b)), node(b, Some(a))]).trail(a).len(), 6);
        assert_eq!(CategoryTree(vec![node(a, None), node(b, Some(a))]).trail(b).len(), 2);
    }
}
