//! What shoppers read of the catalogue. Lists and search read `listings` only; a list page and a product page take at most
//! four queries each, however much they show.

mod list;
mod product;
mod shops;
mod suggest;

pub use list::{Choices, Goods, VendorChoice, choices, closest, list, list_counted, narrower, related};
pub use product::{Key, gallery, pictures, product};
pub use shops::{Department, ShopsPage, departments, shop, shops, shops_with_character, tree};
pub use suggest::suggest;
