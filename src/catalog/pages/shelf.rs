//! Lists of goods: everything, a department, a search. The address is the state; the filters are a plain form.

use super::{address, moved, pairs, tidied};
use crate::{
    catalog::{
        CardGrid,
        filter::{ListFilter, Prices, Sort},
        model::{CategoryTree, Listing},
        queries::{self, Choices, Goods, Key},
    },
    error::{AppError, FieldErrors},
    money::{Currency, Money},
    server::{page::Page, state::App},
    ui::{Breadcrumbs, Empty, NextPage, Notice, Tone},
};
use axum::{
    extract::{Path, RawQuery, State},
    response::{IntoResponse, Response},
};
use leptos::prelude::*;

mod filters;
use filters::{Applied, FilterSheet, SortLinks};

/// Where a list stands: its address, and which filters that address already says.
#[derive(Debug, Clone, Default)]
pub struct Place {
    pub base: String,
    /// The address names the category.
    pub category: bool,
    /// The address names the vendor.
    pub vendor: bool,
}

/// What was asked for, and what of it could not be read.
pub struct Asked {
    filter: ListFilter,
    errors: FieldErrors,
    /// The query as it came: what could not be read is shown again as it was typed.
    pairs: Vec<(String, String)>,
}

impl Asked {
    /// Sets what the address itself says.
    pub fn with(mut self, set: impl FnOnce(&mut ListFilter)) -> Self {
        set(&mut self.filter);
        self
    }
}

/// Reads the query of a list. A form sends its empty fields too: such an address is answered with the way to its tidy form
/// (`Err`). What cannot be read is said beside its field; a sort or a page that is not ours is a bad request.
pub fn asked(
    app: &App,
    query: Option<String>,
    base: &str,
    strip: impl FnOnce(&mut ListFilter),
) -> Result<Result<Asked, Response>, AppError> {
    let pairs = pairs(query);
    let (mut filter, errors) = ListFilter::read(&pairs, Prices::Typed(app.config.currency));
    for name in ["sort", "limit"] {
        if let Some(message) = errors.get(name) {
            return Err(AppError::BadRequest(message.to_owned()));
        }
    }
    strip(&mut filter);
    let untidy = pairs.iter().any(|(name, value)| value.trim().is_empty() && name != "after");
    if untidy && errors.is_empty() && filter.after.is_none() {
        return Ok(Err(tidied(&address(base, &filter.query(app.config.currency)))));
    }
    Ok(Ok(Asked { filter, errors, pairs }))
}

/// A list, read and ready to be drawn.
pub struct Shelf {
    pub(self) place: Place,
    pub(self) filter: ListFilter,
    pub(self) errors: FieldErrors,
    pairs: Vec<(String, String)>,
    pub(self) choices: Choices,
    pub(self) tree: CategoryTree,
    pub(self) currency: Currency,
    goods: Goods,
    closest: Vec<Listing>,
}

impl Shelf {
    /// Three queries; four where a search found nothing.
    pub async fn load(app: &App, asked: Asked, place: Place) -> Result<Self, AppError> {
        let tree = queries::tree(&app.pool).await?;
        Self::load_with(app, asked, place, tree).await
    }

    async fn load_with(app: &App, asked: Asked, place: Place, tree: CategoryTree) -> Result<Self, AppError> {
        let Asked { filter, errors, pairs } = asked;
        let goods = queries::list(app, &filter).await?;
        // Where nothing was found and nothing narrows, there is nothing to choose.
        let nothing = goods.goods.is_empty() && filter.after.is_none() && !queries::narrower(&filter, place.vendor);
        let choices =
            if nothing { Choices::default() } else { queries::choices(&app.pool, &filter, place.vendor, &tree).await? };
        let closest = match &filter.q {
            Some(q) if goods.goods.is_empty() && !place.vendor => queries::closest(&app.pool, q).await?,
            _ => Vec::new(),
        };
        Ok(Self { place, filter, errors, pairs, choices, tree, currency: app.config.currency, goods, closest })
    }

    /// The address of this list with something changed; it begins at its first page again.
    pub(self) fn link(&self, change: impl FnOnce(&mut ListFilter)) -> String {
        let mut filter = ListFilter { after: None, ..self.filter.clone() };
        change(&mut filter);
        address(&self.place.base, &self.own(filter).query(self.currency))
    }

    /// Without what the address itself says.
    fn own(&self, mut filter: ListFilter) -> ListFilter {
        if self.place.category {
            filter.category = None;
        }
        if self.place.vendor {
            filter.vendor = None;
        }
        filter
    }

    fn next(&self) -> Option<String> {
        let cursor = self.goods.next.as_ref()?;
        let query = self.own(self.filter.clone()).query(self.currency);
        let and = if query.is_empty() { "" } else { "&" };
        Some(address(&self.place.base, &format!("{query}{and}after={cursor}")))
    }

    /// What was typed into a field of the filters.
    pub(self) fn typed(&self, name: &str) -> String {
        self.pairs.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value.clone()).unwrap_or_default()
    }

    pub(self) fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.currency)
    }
}

/// `/products`
pub async fn all(State(app): State<App>, RawQuery(query): RawQuery) -> Result<Response, AppError> {
    let asked = match asked(&app, query, "/products", |_| {})? {
        Ok(asked) => asked,
        Err(tidy) => return Ok(tidy),
    };
    let q = asked.filter.q.clone().unwrap_or_default();
    let shelf = Shelf::load(&app, asked, Place { base: "/products".into(), ..Place::default() }).await?;
    Ok(Page::new("All goods", move || {
        view! {
            <h1>"All goods"</h1>
            <ShelfView shelf=shelf/>
        }
    })
    .search(q)
    .public("Everything for sale on Souk, from every vendor.", "/products")
    .into_response())
}

/// `/search?q=`; without anything to look for it is the list of all goods.
pub async fn search(State(app): State<App>, RawQuery(query): RawQuery) -> Result<Response, AppError> {
    let asked = match asked(&app, query, "/search", |_| {})? {
        Ok(asked) if asked.filter.q.is_none() => return Ok(tidied("/products")),
        Ok(asked) => asked,
        Err(tidy) => return Ok(tidy),
    };
    let q = asked.filter.q.clone().unwrap_or_default();
    let shelf = Shelf::load(&app, asked, Place { base: "/search".into(), ..Place::default() }).await?;
    let heading = q.clone();
    Ok(Page::new(format!("{q} · Search"), move || {
        view! {
            <h1>"Goods for " <q dir="auto">{heading}</q></h1>
            <ShelfView shelf=shelf/>
        }
    })
    .search(q)
    .into_response())
}

/// `/categories/{name}`: this category and everything below it.
pub async fn category(State(app): State<App>, Path(name): Path<String>, RawQuery(query): RawQuery) -> Result<Response, AppError> {
    let key = Key::parse(&name).ok_or(AppError::NotFound)?;
    let tree = queries::tree(&app.pool).await?;
    let found = match &key {
        Key::Id(id) => tree.by_id((*id).into()),
        Key::Slug(slug) => tree.find(slug.as_str()),
    };
    let category = found.ok_or(AppError::NotFound)?.clone();
    let base = format!("/categories/{}", category.slug);
    if matches!(key, Key::Id(_)) {
        return moved(&address(&base, &query.unwrap_or_default()));
    }
    let slug = category.slug.parse().map_err(|_| AppError::NotFound)?;
    let asked = match asked(&app, query, &base, |f| f.category = None)? {
        Ok(asked) => asked.with(|f| f.category = Some(slug)),
        Err(tidy) => return Ok(tidy),
    };
    let mut trail = vec![("/products".to_owned(), "All goods".to_owned())];
    trail.extend(tree.trail(category.id).into_iter().map(|c| (format!("/categories/{}", c.slug), c.name.clone())));
    let place = Place { base: base.clone(), category: true, vendor: false };
    let q = asked.filter.q.clone().unwrap_or_default();
    let shelf = Shelf::load_with(&app, asked, place, tree).await?;
    Ok(Page::new(category.name.clone(), move || {
        view! {
            <Breadcrumbs trail=trail/>
            <h1 dir="auto">{category.name}</h1>
            <ShelfView shelf=shelf/>
        }
    })
    .search(q)
    .public(format!("{name} on Souk: goods from independent vendors.", name = name.replace('-', " ")), base)
    .into_response())
}

/// The list itself: how many, in which order, what narrows it, the goods, and the way on.
#[component]
pub fn ShelfView(shelf: Shelf) -> impl IntoView {
    let count = match shelf.choices.total() {
        (0, _) => "Nothing found".to_owned(),
        (1, _) => "1 thing".to_owned(),
        (_, true) => "More than 1,000 things".to_owned(),
        (1000, _) => "1,000 things".to_owned(),
        (n, _) => format!("{n} things"),
    };
    let next = shelf.next();
    let later = shelf.filter.after.is_some();
    let first_page = shelf.link(|_| {});
    let of_vendor = shelf.place.vendor;
    // On the phone the fields are folded away: what is wrong with them stands above the goods too.
    let wrong =
        ["min_price", "max_price"].iter().find_map(|name| shelf.errors.get(name)).map(|e| format!("The price filter: {e}"));
    let goods = shelf.goods.goods.clone();
    let none = goods.is_empty();
    let body = if none {
        view! { <NothingFound shelf=&shelf/> }.into_any()
    } else {
        view! { <CardGrid goods=goods first=true vendor=!of_vendor/> }.into_any()
    };
    view! {
        <div class="shelf">
            <div class="shelf-bar">
                <p class="shelf-count" role="status">{count}</p>
                <button class="shelf-open button-quiet" type="button" popovertarget="filters">"Filters"</button>
                {(!none).then(|| view! { <SortLinks shelf=&shelf/> })}
            </div>
            <FilterSheet shelf=&shelf/>
            <section class="shelf-goods" aria-labelledby="goods">
                <h2 id="goods" class="visually-hidden">"Goods"</h2>
                {wrong.map(|text| view! { <Notice tone=Tone::Bad><p>{text}</p></Notice> })}
                <Applied shelf=&shelf/>
                {later.then(|| view! { <p class="shelf-back"><a href=first_page>"Back to the first page"</a></p> })}
                {body}
                <NextPage href=next/>
            </section>
        </div>
    }
}

/// Says why there is nothing, and what to try.
#[component]
fn NothingFound<'a>(shelf: &'a Shelf) -> impl IntoView + use<> {
    let Shelf { filter, place, closest, tree, .. } = shelf;
    let narrowed =
        filter.narrowed() || (filter.vendor.is_some() && !place.vendor) || (filter.category.is_some() && !place.category);
    let widen = narrowed.then(|| {
        let all = shelf.link(|f| *f = ListFilter { q: f.q.take(), ..ListFilter::default() });
        view! { <p><a class="button" href=all>"Remove the filters"</a></p> }
    });
    let departments =
        tree.roots().map(|c| view! { <li><a href=format!("/categories/{}", c.slug)>{c.name.clone()}</a></li> }).collect_view();
    let searched = filter.q.is_some();
    let near = (!closest.is_empty()).then(|| {
        view! {
            <section class="shelf-near" aria-labelledby="near">
                <h2 id="near">"Did you mean one of these?"</h2>
                <CardGrid goods=closest.clone()/>
            </section>
        }
    });
    view! {
        <Empty title="Nothing here fits">
            {if narrowed {
                "The filters leave nothing over."
            } else if searched {
                "Try another word, or fewer of them; the beginning of a word is enough."
            } else {
                "Nothing has been set out here yet."
            }}
            {widen}
            <ul class="empty-links" aria-label="Departments">
                <li><a href="/products">"All goods"</a></li>
                {departments}
            </ul>
        </Empty>
        {near}
    }
}

/// How an order is called.
fn sort_label(sort: Sort) -> &'static str {
    match sort {
        Sort::Relevance => "Best match",
        Sort::Newest => "Newest",
        Sort::PriceUp => "Price, low to high",
        Sort::PriceDown => "Price, high to low",
    }
}
