//! The files of the demo world, as `demo/README.md` describes them.

use anyhow::Context;
use serde::{Deserialize, de::DeserializeOwned};
use std::path::Path;

/// A category and those below it.
#[derive(Debug, Deserialize)]
pub struct Category {
    pub slug: String,
    pub name: String,
    #[serde(default)]
    pub children: Vec<Category>,
}

/// Someone with an account.
#[derive(Debug, Clone, Deserialize)]
pub struct Person {
    pub name: String,
    pub email: String,
    pub handle: String,
}

/// Someone of a vendor's team, beside its owner.
#[derive(Debug, Clone, Deserialize)]
pub struct Member {
    #[serde(flatten)]
    pub person: Person,
    /// `manager`, `fulfiller`
    pub role: String,
}

/// `[line 1, line 2, city, postal code, country]`
pub type Address = [String; 5];

#[derive(Debug, Deserialize)]
pub struct Customer {
    #[serde(flatten)]
    pub person: Person,
    /// The first is preferred.
    pub addresses: Vec<Address>,
}

/// Someone who orders without an account.
#[derive(Debug, Deserialize)]
pub struct Guest {
    pub name: String,
    pub email: String,
    pub address: Address,
}

#[derive(Debug, Deserialize)]
pub struct ShippingMethod {
    pub code: String,
    pub name: String,
    /// Minor units.
    pub price: i64,
    /// Minor units; `null`: never free.
    pub free_over: Option<i64>,
    /// Least and most days.
    pub days: [i32; 2],
}

#[derive(Debug, Deserialize)]
pub struct Vendor {
    pub slug: String,
    pub name: String,
    pub country: String,
    pub owner: Person,
    #[serde(default)]
    pub team: Vec<Member>,
    pub tagline: String,
    pub description: String,
    pub carrier: String,
    pub shipping: Vec<ShippingMethod>,
    /// Of `products/{slug}.json`.
    #[serde(skip)]
    pub products: Vec<Product>,
}

/// A vendor who applied and does not sell.
#[derive(Debug, Deserialize)]
pub struct Applicant {
    pub slug: String,
    pub name: String,
    pub country: String,
    pub status: String,
    pub reason: String,
    pub owner: Person,
    pub tagline: String,
    pub description: String,
}

#[derive(Debug, Deserialize)]
pub struct Variant {
    pub sku: String,
    /// One value for each option of the product.
    pub options: Vec<String>,
    /// Minor units, VAT included.
    pub price: i64,
    pub stock: i32,
}

#[derive(Debug, Deserialize)]
pub struct Picture {
    /// In `pictures/`.
    pub file: String,
    pub alt: String,
    /// The option's value that it shows, where it shows one.
    #[serde(default)]
    pub shows: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Product {
    pub slug: String,
    pub title: String,
    pub description: String,
    pub category: String,
    pub options: Vec<String>,
    pub variants: Vec<Variant>,
    pub pictures: Vec<Picture>,
}

impl Product {
    /// As the database's `picture_of` finds it.
    pub fn picture_of(&self, variant: &Variant) -> Option<&Picture> {
        let chosen = |p: &&Picture| p.shows.as_ref().is_some_and(|value| variant.options.contains(value));
        let general = |p: &&Picture| p.shows.is_none();
        self.pictures.iter().find(chosen).or_else(|| self.pictures.iter().find(general)).or_else(|| self.pictures.first())
    }
}

#[derive(Debug, Deserialize)]
pub struct People {
    pub operator: Person,
    pub applicants: Vec<Applicant>,
    pub customers: Vec<Customer>,
    pub guests: Vec<Guest>,
}

/// Everything that is written down; what is thrown with [`super::dice`] comes on top.
#[derive(Debug)]
pub struct World {
    pub categories: Vec<Category>,
    pub vendors: Vec<Vendor>,
    pub people: People,
}

impl World {
    /// Reads the folder. Blocking, about one megabyte.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let mut vendors: Vec<Vendor> = read(&folder.join("vendors.json"))?;
        for vendor in &mut vendors {
            vendor.products = read(&folder.join("products").join(format!("{}.json", vendor.slug)))?;
        }
        Ok(Self { categories: read(&folder.join("categories.json"))?, vendors, people: read(&folder.join("people.json"))? })
    }

    pub fn products(&self) -> impl Iterator<Item = &Product> {
        self.vendors.iter().flat_map(|v| &v.products)
    }
}

fn read<T: DeserializeOwned>(file: &Path) -> anyhow::Result<T> {
    let text = std::fs::read(file)
        .with_context(|| format!("{} cannot be read; SOUK_DEMO_DIR names the folder of the demo world", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is not as it should be", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::limits::{AltText, Description, OptionValue, Sku, Title};
    use std::collections::HashSet;

    fn leaves(of: &[Category]) -> Vec<&str> {
        of.iter().flat_map(|c| if c.children.is_empty() { vec![c.slug.as_str()] } else { leaves(&c.children) }).collect()
    }

    /// What the schema and the pages would refuse is found here, by name.
    #[test]
    fn the_written_world_is_whole() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo");
        let world = World::read(&folder).unwrap();
        assert!(world.vendors.len() >= 12 && world.products().count() >= 400);
        let leaves = leaves(&world.categories);
        let (mut slugs, mut files, mut sold_out) = (HashSet::new(), HashSet::new(), 0);
        for product in world.products() {
            assert!(slugs.insert(&product.slug), "{} twice", product.slug);
            assert!(leaves.contains(&product.category.as_str()), "{}: category {}", product.slug, product.category);
            assert!(product.title.parse::<Title>().is_ok() && product.description.parse::<Description>().is_ok());
            assert!(product.description.len() > 50 && !product.description.contains('!'), "{}", product.slug);
            assert!(!product.variants.is_empty() && product.options.len() <= 3);
            let mut seen = HashSet::new();
            for variant in &product.variants {
                assert_eq!(variant.options.len(), product.options.len(), "{}", variant.sku);
                assert!(variant.sku.parse::<Sku>().is_ok() && variant.options.iter().all(|v| v.parse::<OptionValue>().is_ok()));
                assert!(seen.insert(&variant.options) && variant.price > 0 && variant.stock >= 0, "{}", variant.sku);
            }
            sold_out += usize::from(product.variants.iter().all(|v| v.stock == 0));
            for picture in &product.pictures {
                assert!(files.insert(&picture.file) && picture.alt.parse::<AltText>().is_ok(), "{}", picture.file);
                assert!(folder.join("pictures").join(&picture.file).is_file(), "{} is missing", picture.file);
                let of_a_choice = |value| product.variants.iter().any(|v| v.options.contains(value));
                assert!(picture.shows.as_ref().is_none_or(of_a_choice), "{} shows what is not sold", picture.file);
            }
            assert!(!product.pictures.is_empty(), "{} has no picture", product.slug);
            if let Some(colour) = product.options.iter().position(|o| o == "Colour") {
                for variant in &product.variants {
                    let picture = product.picture_of(variant).and_then(|p| p.shows.as_ref());
                    assert_eq!(picture, variant.options.get(colour), "{} in its colour", variant.sku);
                }
            }
        }
        assert!(sold_out > 0);
        for vendor in &world.vendors {
            let skus: HashSet<_> = vendor.products.iter().flat_map(|p| &p.variants).map(|v| &v.sku).collect();
            assert_eq!(skus.len(), vendor.products.iter().map(|p| p.variants.len()).sum::<usize>(), "{}", vendor.slug);
        }
    }
}
