//! What a list of goods was asked for: one reader of query strings for pages and programs, and one writer.

use crate::{
    catalog::{limits::SEARCH_MAX, slug::Slug},
    error::{AppError, FieldErrors},
    money::{Currency, MAX_PRICE_MINOR, Money},
};

/// In which order goods come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// The best matches first; without a search the same as newest.
    Relevance,
    Newest,
    PriceUp,
    PriceDown,
}

impl Sort {
    pub fn code(self) -> &'static str {
        match self {
            Sort::Relevance => "relevance",
            Sort::Newest => "newest",
            Sort::PriceUp => "price",
            Sort::PriceDown => "-price",
        }
    }

    fn read(text: &str) -> Option<Self> {
        [Sort::Relevance, Sort::Newest, Sort::PriceUp, Sort::PriceDown].into_iter().find(|s| s.code() == text)
    }
}

/// How prices are written in the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prices {
    /// As people type them: `12.50`.
    Typed(Currency),
    /// As programs send them: minor units, `1250`.
    Minor,
}

/// A list of goods as it was asked for. Empty means everything, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListFilter {
    /// What was searched for; never empty, without control characters.
    pub q: Option<String>,
    pub category: Option<Slug>,
    pub vendor: Option<Slug>,
    /// In minor units, both bounds inclusive.
    pub min_price: Option<i64>,
    pub max_price: Option<i64>,
    pub in_stock: bool,
    /// As asked for; see [`ListFilter::order`].
    pub sort: Option<Sort>,
    /// Where the page begins: a sealed cursor.
    pub after: Option<String>,
    /// 1 to 100.
    pub limit: i64,
}

impl Default for ListFilter {
    fn default() -> Self {
        Self {
            q: None,
            category: None,
            vendor: None,
            min_price: None,
            max_price: None,
            in_stock: false,
            sort: None,
            after: None,
            limit: Self::PAGE,
        }
    }
}

impl ListFilter {
    /// How many goods a page shows unless told otherwise.
    pub const PAGE: i64 = 24;
    pub const LIMIT_MAX: i64 = 100;

    /// Reads a query. What could not be read stands in the errors under its name, and is left out of the filter: a program is
    /// refused ([`ListFilter::strict`]), a person sees the list and the sentence. An empty value counts as not given.
    pub fn read(pairs: &[(String, String)], prices: Prices) -> (Self, FieldErrors) {
        let (mut filter, mut errors) = (Self::default(), FieldErrors::default());
        for (name, value) in pairs {
            let value = value.trim();
            if value.is_empty() && name != "after" {
                continue;
            }
            match name.as_str() {
                "q" => filter.q = search_text(value),
                "category" => filter.category = errors.take("category", value.parse()),
                "vendor" => filter.vendor = errors.take("vendor", value.parse()),
                "min_price" => filter.min_price = errors.take("min_price", prices.read(value)),
                "max_price" => filter.max_price = errors.take("max_price", prices.read(value)),
                "in_stock" => match value {
                    "true" | "1" | "on" => filter.in_stock = true,
                    "false" | "0" => filter.in_stock = false,
                    _ => errors.add("in_stock", "Write true or false."),
                },
                "sort" => match Sort::read(value) {
                    Some(sort) => filter.sort = Some(sort),
                    None => errors.add("sort", "Sort by relevance, newest, price or -price."),
                },
                "after" => filter.after = Some(value.to_owned()),
                "limit" => match value.parse::<i64>() {
                    Ok(limit) if (1..=Self::LIMIT_MAX).contains(&limit) => filter.limit = limit,
                    _ => errors.add("limit", "Ask for 1 to 100."),
                },
                other => errors.add(other, "This parameter is not known."),
            }
        }
        if let (Some(low), Some(high)) = (filter.min_price, filter.max_price)
            && low > high
        {
            errors.add("max_price", "The highest price is below the lowest one.");
        }
        (filter, errors)
    }

    /// For programs: anything that could not be read refuses the request.
    pub fn strict(pairs: &[(String, String)], prices: Prices) -> Result<Self, AppError> {
        let (filter, errors) = Self::read(pairs, prices);
        match errors.iter().next() {
            None => Ok(filter),
            Some((name, message)) => Err(AppError::BadRequest(format!("{name}: {message}"))),
        }
    }

    /// The order that holds: relevance needs a search, and is what a search gets by itself.
    pub fn order(&self) -> Sort {
        match (self.sort, &self.q) {
            (None | Some(Sort::Relevance), Some(_)) => Sort::Relevance,
            (None | Some(Sort::Relevance), None) => Sort::Newest,
            (Some(sort), _) => sort,
        }
    }

    /// Whether anything narrows the list besides the search and the place where it stands.
    pub fn narrowed(&self) -> bool {
        self.min_price.is_some() || self.max_price.is_some() || self.in_stock
    }

    /// The query that reads back to this filter, without its cursor, in one order; prices as people type them.
    pub fn query(&self, currency: Currency) -> String {
        let plain = |minor: i64| Money::new(minor, currency).plain();
        let mut pairs: Vec<(&str, String)> = Vec::new();
        let mut add = |name, value: Option<String>| pairs.extend(value.map(|v| (name, v)));
        add("q", self.q.clone());
        add("category", self.category.as_ref().map(Slug::to_string));
        add("vendor", self.vendor.as_ref().map(Slug::to_string));
        add("min_price", self.min_price.map(plain));
        add("max_price", self.max_price.map(plain));
        add("in_stock", self.in_stock.then(|| "true".to_owned()));
        add("sort", self.sort.map(|s| s.code().to_owned()));
        add("limit", (self.limit != Self::PAGE).then(|| self.limit.to_string()));
        // Pairs of texts always encode.
        serde_urlencoded::to_string(pairs).unwrap_or_default()
    }

    /// Names the list for its cursors: everything but where the page begins.
    pub fn fingerprint(&self) -> String {
        format!("goods {} {}", self.order().code(), Self { sort: None, limit: Self::PAGE, ..self.clone() }.query(Currency::GBP))
    }
}

impl Prices {
    fn read(self, text: &str) -> Result<i64, String> {
        match self {
            Prices::Typed(currency) => Money::parse(text, currency).map(|m| m.minor).map_err(|e| e.to_string()),
            Prices::Minor => match text.parse() {
                Ok(minor) if (0..=MAX_PRICE_MINOR).contains(&minor) => Ok(minor),
                _ => Err("Write minor units, such as 1250.".into()),
            },
        }
    }
}

/// What someone searches for, fit for the database: no control characters, one space between words, not over long.
pub fn search_text(text: &str) -> Option<String> {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SEARCH_MAX).collect();
    let clean = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    (!clean.is_empty()).then_some(clean)
}

/// Splits a search into what is complete and the word still being typed, so that `blue teap` also finds teapots.
/// No last word where it is quoted, excluded, or not made of letters and digits.
pub fn last_word(q: &str) -> (&str, Option<&str>) {
    let (head, last) = q.rsplit_once(' ').unwrap_or(("", q));
    let word = !last.is_empty() && last.chars().all(char::is_alphanumeric) && q.matches('"').count().is_multiple_of(2);
    if word { (head, Some(last)) } else { (q, None) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(query: &str) -> (ListFilter, FieldErrors) {
        ListFilter::read(&serde_urlencoded::from_str::<Vec<(String, String)>>(query).unwrap(), Prices::Typed(Currency::GBP))
    }

    #[test]
    fn a_program_is_refused_and_a_person_is_told() {
        for bad in ["colour=red", "sort=cheap", "limit=0", "limit=101", "min_price=-1", "category=No+Slug", "in_stock=maybe"] {
            let (filter, errors) = read(bad);
            assert_eq!(filter, ListFilter::default(), "{bad}");
            assert!(!errors.is_empty(), "{bad}");
            let pairs = serde_urlencoded::from_str::<Vec<(String, String)>>(bad).unwrap();
            assert!(matches!(ListFilter::strict(&pairs, Prices::Minor), Err(AppError::BadRequest(_))), "{bad}");
        }
        assert!(read("q=&vendor=&min_price=").1.is_empty(), "an empty form field says nothing");
        assert!(read("min_price=20&max_price=10").1.get("max_price").is_some());
    }

    #[test]
    fn relevance_needs_a_search() {
        assert_eq!(read("").0.order(), Sort::Newest);
        assert_eq!(read("sort=relevance").0.order(), Sort::Newest);
        assert_eq!(read("q=tea").0.order(), Sort::Relevance);
        assert_eq!(read("q=tea&sort=-price").0.order(), Sort::PriceDown);
    }

    #[test]
    fn searches_are_cleaned_and_split() {
        assert_eq!(search_text("  a\0b \n c "), Some("a b c".into()));
        assert_eq!(search_text(" \0 "), None);
        assert_eq!(last_word("blue teap"), ("blue", Some("teap")));
        assert_eq!(last_word("teap"), ("", Some("teap")));
        assert_eq!(last_word("tea -green"), ("tea -green", None));
        assert_eq!(last_word("\"green tea"), ("\"green tea", None));
        assert_eq!(last_word("إبريق"), ("", Some("إبريق")));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            q in proptest::option::of("[a-zäß &=+%]{1,20}"), low in proptest::option::of(0i64..=1000), in_stock: bool,
            sort in 0usize..5, limit in 1i64..=100,
        ) {
            let sorts = [None, Some(Sort::Relevance), Some(Sort::Newest), Some(Sort::PriceUp), Some(Sort::PriceDown)];
            let filter = ListFilter {
                q: q.as_deref().and_then(search_text), min_price: low, max_price: low.map(|l| l + 5), in_stock,
                sort: sorts[sort], limit, category: "tea-and-coffee".parse().ok(), ..ListFilter::default()
            };
            prop_assert_eq!(read(&filter.query(Currency::GBP)), (filter, FieldErrors::default()));
        }
    }
}
