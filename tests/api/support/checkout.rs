//! The checkout's form, as a guest fills it.

use super::Answer;
use std::collections::BTreeMap;

/// What is typed into the form.
pub const ADDRESS: [(&str, &str); 6] = [
    ("name", "Grace Guest"),
    ("line1", "1 Harbour Row"),
    ("line2", ""),
    ("city", "Hull"),
    ("postal_code", "HU1 1AA"),
    ("country", "GB"),
];

/// The form as the page shows it, as a browser would send it, with an e-mail address and a postal address typed in.
pub fn checkout_form(page: &Answer) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    let selector = scraper::Selector::parse("#checkout input").expect("a selector");
    for input in page.html().select(&selector) {
        let (name, kind) = (input.attr("name").unwrap_or_default(), input.attr("type").unwrap_or_default());
        if kind == "radio" && input.attr("checked").is_none() || kind == "checkbox" {
            continue;
        }
        fields.insert(name.to_owned(), input.attr("value").unwrap_or_default().to_owned());
    }
    fields.insert("email".into(), "grace@example.com".into());
    fields.extend(ADDRESS.map(|(n, v)| (n.to_owned(), v.to_owned())));
    fields
}
