//! The product form: what is typed into it, kept as typed; the matrix of variants that its options make; and the way from
//! there to a draft. Pure, so that it is tested without a database.

use crate::{
    catalog::{
        editing::{
            ProductDraft, VariantDraft,
            queries::{EditableProduct, EditableVariant},
        },
        limits::{MAX_OPTIONS, MAX_VARIANTS, OptionName, OptionValue, Sku},
    },
    error::{AppError, FieldErrors},
    ids::{CategoryId, VariantId},
    money::Money,
    text::slugify,
    vendors::model::CURRENCY,
};
use std::collections::BTreeMap;

/// Which of the form's buttons was pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Action {
    #[default]
    Save,
    Publish,
    /// Make the rows of variants from the options; nothing is saved.
    Generate,
}

/// The form, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProductForm {
    pub title: String,
    pub description: String,
    pub category: String,
    /// Always [`MAX_OPTIONS`]; those in use come first.
    pub options: Vec<OptionRow>,
    /// Those to be kept first, then those to be removed.
    pub variants: Vec<VariantRow>,
    /// The version that the form was made from.
    pub stamp: String,
    pub action: Action,
}

/// `Size`: `Small, Large`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OptionRow {
    pub name: String,
    pub values: String,
}

impl OptionRow {
    fn is_blank(&self) -> bool {
        self.name.trim().is_empty() && self.values.trim().is_empty()
    }

    /// The values, each once.
    fn list(&self) -> Vec<String> {
        let mut list: Vec<String> = Vec::new();
        for value in self.values.split(',').map(str::trim).filter(|v| !v.is_empty()) {
            if !list.iter().any(|v| v == value) {
                list.push(value.to_owned());
            }
        }
        list
    }
}

/// One variant, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VariantRow {
    /// Empty for a new one.
    pub id: String,
    pub values: Vec<String>,
    pub sku: String,
    pub price: String,
    pub stock: String,
    /// The stock that the form was made with.
    pub seen: String,
    /// Not sent; shown beside the stock.
    pub held: i32,
    /// Not sent; shown beside the price: what it leaves the vendor.
    pub net: String,
    pub remove: bool,
}

impl ProductForm {
    /// An empty form: one variant, no options.
    pub fn blank() -> Self {
        Self { options: vec![OptionRow::default(); MAX_OPTIONS], variants: vec![VariantRow::default()], ..Self::default() }
    }

    /// The form of a product as it stands.
    pub fn of(product: &EditableProduct, variants: &[EditableVariant]) -> Self {
        let mut options: Vec<OptionRow> = product
            .option_names
            .iter()
            .enumerate()
            .map(|(i, name)| {
                let mut values: Vec<&str> = Vec::new();
                for value in variants.iter().filter_map(|v| v.option_values.get(i)) {
                    if !values.contains(&value.as_str()) {
                        values.push(value);
                    }
                }
                OptionRow { name: name.clone(), values: values.join(", ") }
            })
            .collect();
        options.resize(MAX_OPTIONS, OptionRow::default());
        let variants: Vec<VariantRow> = variants.iter().map(VariantRow::of).collect();
        Self {
            title: product.title.clone(),
            description: product.description.clone(),
            category: product.category_id.to_string(),
            options,
            variants: if variants.is_empty() { vec![VariantRow::default()] } else { variants },
            stamp: crate::catalog::editing::Stamp::of(product.updated_at).to_string(),
            action: Action::Save,
        }
    }

    /// Reads what a browser sent: `title`, `options[0][name]`, `variants[3][values][1]`. Unknown names are left aside.
    pub fn from_pairs(pairs: Vec<(String, String)>) -> Self {
        let mut form = Self::default();
        let mut options: BTreeMap<usize, OptionRow> = BTreeMap::new();
        let mut variants: BTreeMap<usize, VariantRow> = BTreeMap::new();
        for (name, value) in pairs {
            let parts: Vec<&str> = name.split(['[', ']']).filter(|p| !p.is_empty()).collect();
            match parts[..] {
                ["title"] => form.title = value,
                ["description"] => form.description = value,
                ["category"] => form.category = value,
                ["stamp"] => form.stamp = value,
                ["action"] => {
                    form.action = match value.as_str() {
                        "publish" => Action::Publish,
                        "generate" => Action::Generate,
                        _ => Action::Save,
                    }
                }
                ["options", at, field] => {
                    let Some(row) = at.parse().ok().map(|at| options.entry(at).or_default()) else { continue };
                    match field {
                        "name" => row.name = value,
                        "values" => row.values = value,
                        _ => {}
                    }
                }
                ["variants", at, field] => {
                    let Some(row) = at.parse().ok().map(|at| variants.entry(at).or_default()) else { continue };
                    match field {
                        "id" => row.id = value,
                        "sku" => row.sku = value,
                        "price" => row.price = value,
                        "stock" => row.stock = value,
                        "seen" => row.seen = value,
                        "remove" => row.remove = true,
                        _ => {}
                    }
                }
                // The values come in their order; their number is only for the reader.
                ["variants", at, "values", _] => {
                    if let Ok(at) = at.parse() {
                        variants.entry(at).or_default().values.push(value);
                    }
                }
                _ => {}
            }
        }
        form.options = options.into_values().filter(|o| !o.is_blank()).take(MAX_OPTIONS).collect();
        form.options.resize(MAX_OPTIONS, OptionRow::default());
        form.variants = variants.into_values().collect();
        form.variants.sort_by_key(|v| v.remove);
        form
    }

    fn used_options(&self) -> impl Iterator<Item = &OptionRow> {
        self.options.iter().filter(|o| !o.is_blank())
    }

    /// The rows that are to stay.
    fn kept(&self) -> impl Iterator<Item = &VariantRow> {
        self.variants.iter().filter(|v| !v.remove)
    }

    /// Makes one row for each combination of the options. Rows that fit stay as they were typed; a new one takes the
    /// price of the row most like it. Rows that no longer fit go: the saved variants among them are counted in the answer.
    pub fn generate(&mut self) -> Result<usize, FieldErrors> {
        let mut errors = FieldErrors::default();
        let mut combinations: Vec<Vec<String>> = vec![vec![]];
        for (i, option) in self.used_options().enumerate() {
            errors.take(&format!("options[{i}][name]"), option.name.parse::<OptionName>());
            let values = option.list();
            if values.is_empty() {
                errors.add(&format!("options[{i}][values]"), "Write the values with commas between them.");
            }
            // Bounded before it is built: three lists of a thousand would be a billion rows.
            if combinations.len() * values.len() > MAX_VARIANTS {
                errors.add(
                    "variants",
                    format!("These options make more than {MAX_VARIANTS} variants; a product has at most that many."),
                );
                return Err(errors);
            }
            combinations =
                combinations.iter().flat_map(|c| values.iter().map(move |v| [c.clone(), vec![v.clone()]].concat())).collect();
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let before = std::mem::take(&mut self.variants);
        self.variants = combinations.into_iter().map(|values| row_for(values, &before, &self.title)).collect();
        let stays = |row: &VariantRow| self.variants.iter().any(|v| v.id == row.id);
        Ok(before.iter().filter(|row| !row.id.is_empty() && !stays(row)).count())
    }

    /// Whether the rows are those that the options make (some may be left out, but no value is without a row).
    fn rows_fit(&self) -> bool {
        let lists: Vec<Vec<String>> = self.used_options().map(OptionRow::list).collect();
        let fits = |row: &VariantRow| {
            row.values.len() == lists.len() && row.values.iter().zip(&lists).all(|(value, list)| list.contains(value))
        };
        let shown = |i: usize, value: &String| self.variants.iter().any(|row| row.values.get(i) == Some(value));
        self.kept().all(fits) && lists.iter().enumerate().all(|(i, list)| list.iter().all(|value| shown(i, value)))
    }

    /// The draft that the form describes, or what is wrong with it, field by field. Where the options were changed without
    /// making their rows, the rows are made here and shown first.
    pub fn read(&mut self) -> Result<ProductDraft, AppError> {
        if !self.rows_fit() {
            self.generate()?;
            return Err(AppError::field("variants", "These are the variants that your options make. Check them, then save."));
        }
        let mut errors = FieldErrors::default();
        let title = errors.take("title", self.title.parse());
        let description = errors.take("description", self.description.parse());
        let category = self.category.parse::<CategoryId>().map_err(|_| "Please choose a category.");
        let category = errors.take("category", category);
        let mut options = Vec::new();
        for (i, option) in self.used_options().enumerate() {
            options.extend(errors.take(&format!("options[{i}][name]"), option.name.parse::<OptionName>()));
        }
        let mut variants = Vec::new();
        for (i, row) in self.kept().enumerate() {
            variants.extend(row.read(i, &mut errors));
        }
        let (Some(title), Some(description), Some(category)) = (title, description, category) else {
            return Err(errors.into());
        };
        errors.check()?;
        Ok(ProductDraft { title, description, category, options, variants })
    }

    /// Where the product as it stands differs from the form: label and what stands.
    pub fn differences(&self, standing: &ProductForm, category_name: &str) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut note = |label: &str, typed: &str, stands: &str, shown: &str| {
            if typed.trim() != stands.trim() {
                found.push((label.to_owned(), if shown.is_empty() { "empty".to_owned() } else { shown.to_owned() }));
            }
        };
        note("Title", &self.title, &standing.title, &standing.title);
        note("Description", &self.description.replace("\r\n", "\n"), &standing.description, &standing.description);
        note("Category", &self.category, &standing.category, category_name);
        let options = |form: &ProductForm| {
            form.used_options().map(|o| format!("{}: {}", o.name.trim(), o.list().join(", "))).collect::<Vec<_>>().join("; ")
        };
        note("Options", &options(self), &options(standing), &options(standing));
        for row in &standing.variants {
            let label = if row.values.is_empty() { "Variant".to_owned() } else { row.values.join(", ") };
            let words = |r: &VariantRow| format!("SKU {}, price {}, stock {}", r.sku.trim(), r.price.trim(), r.stock.trim());
            let typed = self.kept().find(|r| r.id == row.id).map(words).unwrap_or_default();
            note(&label, &typed, &words(row), &words(row));
        }
        found
    }
}

/// The row of one combination: the one that was there, or a new one modelled on the nearest.
fn row_for(values: Vec<String>, before: &[VariantRow], title: &str) -> VariantRow {
    if let Some(row) = before.iter().find(|row| row.values == values) {
        return VariantRow { remove: false, ..row.clone() };
    }
    let alike = |row: &&VariantRow| row.values.iter().filter(|v| values.contains(v)).count();
    // The first of those most alike: `max_by_key` would take the last.
    let model = before.iter().rev().max_by_key(alike);
    let stem = match model.map(|row| (row.sku.trim(), row.values.is_empty())) {
        // The number of what had no options becomes the stem of theirs.
        Some((sku, true)) if !sku.is_empty() => sku.to_owned(),
        _ => slugify(title, 24).to_uppercase(),
    };
    let parts: Vec<String> = std::iter::once(stem)
        .chain(values.iter().map(|v| slugify(v, 20).to_uppercase()))
        .filter(|part| !part.is_empty())
        .collect();
    VariantRow {
        sku: parts.join("-").chars().take(Sku::MAX as usize).collect(),
        price: model.map(|row| row.price.clone()).unwrap_or_default(),
        stock: "0".into(),
        values,
        ..VariantRow::default()
    }
}

impl VariantRow {
    fn of(variant: &EditableVariant) -> Self {
        Self {
            id: variant.id.to_string(),
            values: variant.option_values.clone(),
            sku: variant.sku.clone(),
            price: variant.price().plain(),
            stock: variant.on_hand.to_string(),
            seen: variant.on_hand.to_string(),
            held: variant.held,
            net: String::new(),
            remove: false,
        }
    }

    fn read(&self, i: usize, errors: &mut FieldErrors) -> Option<VariantDraft> {
        let field = |name: &str| format!("variants[{i}][{name}]");
        let sku = errors.take(&field("sku"), self.sku.parse());
        let price = errors.take(&field("price"), Money::parse(&self.price, CURRENCY));
        let stock = errors.take(&field("stock"), self.stock.parse());
        let values: Vec<OptionValue> =
            self.values.iter().filter_map(|v| errors.take(&field("values"), v.parse::<OptionValue>())).collect();
        let id = match self.id.as_str() {
            "" => None,
            id => Some(errors.take(&field("sku"), id.parse::<VariantId>())?),
        };
        Some(VariantDraft { id, sku: sku?, values, price: price?, stock: stock?, seen: self.seen.parse().ok() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(pairs: &[(&str, &str)]) -> ProductForm {
        ProductForm::from_pairs(pairs.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect())
    }

    fn bowl() -> ProductForm {
        form(&[
            ("title", "Oak bowl"),
            ("category", "01890000-0000-7000-8000-000000000001"),
            ("variants[0][sku]", "BOWL"),
            ("variants[0][price]", "12.50"),
            ("variants[0][stock]", "4"),
        ])
    }

    fn with_options(mut form: ProductForm, options: &[(&str, &str)]) -> ProductForm {
        for (i, (name, values)) in options.iter().enumerate() {
            form.options[i] = OptionRow { name: name.to_string(), values: values.to_string() };
        }
        form
    }

    #[test]
    fn a_plain_product_is_read() {
        let draft = bowl().read().unwrap();
        assert_eq!(draft.title.as_str(), "Oak bowl");
        assert_eq!(draft.variants[0].price.minor, 1250);
        assert_eq!(draft.variants[0].seen, None);
        assert!(draft.check().is_empty());
    }

    #[test]
    fn errors_stand_at_their_fields_and_what_was_typed_stays() {
        let mut typed = form(&[
            ("title", ""),
            ("category", "x"),
            ("variants[0][sku]", ""),
            ("variants[0][price]", "cheap"),
            ("variants[0][stock]", "-1"),
        ]);
        let Err(AppError::Invalid(errors)) = typed.read() else { panic!("this is not a product") };
        let fields: Vec<_> = errors.iter().map(|(f, _)| f.to_owned()).collect();
        assert_eq!(fields, ["title", "category", "variants[0][sku]", "variants[0][price]", "variants[0][stock]"]);
        assert_eq!(typed.variants[0].price, "cheap");
    }

    #[test]
    fn options_make_the_matrix() {
        let mut typed = with_options(bowl(), &[("Size", "Small, Large , Small"), ("Wood", "Oak, Ash")]);
        assert_eq!(typed.generate(), Ok(0));
        let rows: Vec<_> = typed.variants.iter().map(|v| (v.sku.as_str(), v.price.as_str(), v.stock.as_str())).collect();
        assert_eq!(
            rows,
            [
                ("BOWL-SMALL-OAK", "12.50", "0"),
                ("BOWL-SMALL-ASH", "12.50", "0"),
                ("BOWL-LARGE-OAK", "12.50", "0"),
                ("BOWL-LARGE-ASH", "12.50", "0")
            ]
        );
        assert!(typed.read().is_ok_and(|d| d.check().is_empty() && d.options.len() == 2));
    }

    #[test]
    fn rows_that_fit_keep_what_was_typed_and_saved_ones_that_leave_are_counted() {
        let mut typed = with_options(bowl(), &[("Size", "S, M")]);
        typed.generate().unwrap();
        typed.variants[0] =
            VariantRow { id: "a".into(), sku: "MINE".into(), price: "3".into(), stock: "9".into(), ..typed.variants[0].clone() };
        typed.variants[1].id = "b".into();
        typed.options[0].values = "S, L".into();
        assert_eq!(typed.generate(), Ok(1));
        assert_eq!((typed.variants[0].sku.as_str(), typed.variants[0].stock.as_str()), ("MINE", "9"));
        assert_eq!((typed.variants[1].id.as_str(), typed.variants[1].values[0].as_str()), ("", "L"));
    }

    #[test]
    fn changed_options_are_shown_before_they_are_saved() {
        let mut typed = with_options(bowl(), &[("Size", "S, M")]);
        assert!(matches!(typed.read(), Err(AppError::Invalid(e)) if e.get("variants").is_some()));
        assert_eq!(typed.variants.len(), 2);
        assert!(typed.read().is_ok(), "the second time they have been seen");
        typed.options[0].values = "S, M, L".into();
        assert!(typed.read().is_err());
        typed.variants[2].remove = true;
        assert!(typed.read().is_ok_and(|d| d.variants.len() == 2), "a combination may be left out");
    }

    #[test]
    fn too_many_combinations_are_never_built() {
        let list = (0..1000).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
        let mut typed = with_options(bowl(), &[("A", &list), ("B", &list), ("C", &list)]);
        assert!(typed.generate().is_err_and(|e| e.get("variants").is_some()));
    }

    #[test]
    fn odd_names_are_left_aside() {
        let typed = form(&[
            ("variants[x][sku]", "A"),
            ("variants[-1][sku]", "A"),
            ("variants[]", ""),
            ("[[", ""),
            ("options[9][name]", "Size"),
        ]);
        assert!(typed.variants.is_empty());
        assert_eq!(typed.options[0].name, "Size");
    }

    #[test]
    fn what_stands_is_told_where_it_differs() {
        let (mut typed, stands) = (bowl(), bowl());
        assert!(typed.differences(&stands, "Bowls").is_empty());
        typed.title = "Ash bowl".into();
        typed.variants[0].stock = "5".into();
        let found = typed.differences(&stands, "Bowls");
        assert_eq!(found[0], ("Title".to_owned(), "Oak bowl".to_owned()));
        assert_eq!(found[1].1, "SKU BOWL, price 12.50, stock 4");
    }
}
