//! The catalogue as shoppers see it: who sees what, paging, filters, search, addresses.

use crate::support::{Answer, Client, TestApp, World};
use http::StatusCode;
use sqlx::PgPool;
use std::collections::BTreeSet;
use uuid::Uuid;

/// Something more to sell.
struct Goods<'a> {
    slug: &'a str,
    title: &'a str,
    description: &'a str,
    price: i64,
    stock: i32,
    status: &'a str,
}

impl Default for Goods<'_> {
    fn default() -> Self {
        Self { slug: "thing", title: "A thing", description: "", price: 100, stock: 1, status: "published" }
    }
}

async fn sell(pool: &PgPool, world: &World, vendor: &str, goods: Goods<'_>) -> Uuid {
    let (product, variant) = (Uuid::now_v7(), Uuid::now_v7());
    let vendor = world.vendors[vendor].id;
    sqlx::query(
        "insert into products (id, vendor_id, category_id, slug, title, description, status, published_at)
         values ($1, $2, $3, $4, $5, $6, $7, '2026-01-01')",
    )
    .bind(product)
    .bind(vendor)
    .bind(world.category)
    .bind(goods.slug)
    .bind(goods.title)
    .bind(goods.description)
    .bind(goods.status)
    .execute(pool)
    .await
    .expect("a product");
    sqlx::query(
        "insert into variants (id, product_id, vendor_id, sku, price_minor, currency) values ($1, $2, $3, $4, $5, 'GBP')",
    )
    .bind(variant)
    .bind(product)
    .bind(vendor)
    .bind(goods.slug)
    .bind(goods.price)
    .execute(pool)
    .await
    .expect("a variant");
    sqlx::query("insert into stock (variant_id, on_hand) values ($1, $2)")
        .bind(variant)
        .bind(goods.stock)
        .execute(pool)
        .await
        .expect("stock");
    product
}

/// The addresses of the goods on a page, in their order.
fn goods_of(page: &Answer) -> Vec<String> {
    let selector = scraper::Selector::parse(".shelf .card-title a").expect("a selector");
    page.html().select(&selector).filter_map(|a| a.attr("href")).map(str::to_owned).collect()
}

/// Follows "Next page" to the end; every page must be there.
async fn walk(guest: &mut Client, start: &str) -> Vec<String> {
    let (mut seen, mut at) = (Vec::new(), start.to_owned());
    for _ in 0..100 {
        let page = guest.get(&at).await;
        assert_eq!(page.status, StatusCode::OK, "{at}");
        seen.extend(goods_of(&page));
        match page.attribute("a[rel=next]", "href") {
            Some(next) => at = next,
            None => return seen,
        }
    }
    panic!("the list does not end: {start}");
}

#[tokio::test]
async fn what_is_not_for_sale_is_seen_by_nobody() {
    let (app, world) = TestApp::new().await;
    let pool = &app.app.pool;
    sell(pool, &world, "mill", Goods { slug: "hidden-draft", title: "Hidden draft", status: "draft", ..Goods::default() }).await;
    sqlx::query("update vendors set status = 'suspended' where slug = 'kiln'").execute(pool).await.expect("suspended");
    // not even by its own vendor, here: the dashboard shows it to them
    for mut person in [app.guest(), app.vendor("mill").await, app.operator().await] {
        for path in ["/products/hidden-draft", "/products/kiln-plain", "/vendors/kiln"] {
            assert_eq!(person.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        for path in ["/", "/products", "/categories/kitchen", "/search?q=bowl", "/search?q=hidden", "/vendors"] {
            let page = person.get(path).await;
            assert_eq!(page.status, StatusCode::OK, "{path}");
            assert!(!page.body.contains("/products/hidden-draft") && !page.body.contains("kiln"), "{path}");
        }
        let offers = person.get("/sf/suggest_goods?q=kiln").await;
        assert!(!offers.body.contains("kiln"), "{}", offers.body);
    }
}

#[tokio::test]
async fn paging_shows_everything_once_in_every_order() {
    let (app, world) = TestApp::new().await;
    let pool = &app.app.pool;
    for i in 0..41 {
        let (slug, title) = (format!("jug-{i}"), format!("Jug number {i}"));
        // few different prices and one time of publication: ties everywhere
        let goods = Goods { slug: &slug, title: &title, price: 500 + i64::from(i % 3), ..Goods::default() };
        sell(pool, &world, ["mill", "kiln", "orchard"][i as usize % 3], goods).await;
    }
    let mut guest = app.guest();
    for (start, expected) in [
        ("/products?limit=7", 50),
        ("/products?limit=7&sort=price", 50),
        ("/products?limit=7&sort=-price", 50),
        ("/categories/home?limit=9&sort=price", 50),
        ("/search?q=jug&limit=6", 41),
        ("/search?q=jug&limit=6&sort=newest", 41),
        ("/search?q=ju&limit=40&sort=-price", 41),
        ("/vendors/mill?limit=5", 17),
        ("/products?limit=4&in_stock=true&max_price=5.01", 28),
    ] {
        let seen = walk(&mut guest, start).await;
        assert_eq!(seen.len(), expected, "{start}");
        assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), expected, "{start}: something came twice");
    }
}

#[tokio::test]
async fn filters_narrow_and_say_so() {
    let (app, world) = TestApp::new().await;
    sell(&app.app.pool, &world, "mill", Goods { slug: "gone", title: "Gone", stock: 0, price: 50, ..Goods::default() }).await;
    let mut guest = app.guest();
    let page = guest.get("/products?sort=price").await;
    assert_eq!(goods_of(&page)[0], "/products/gone");
    assert!(page.text().contains("Sold out"));
    assert_eq!(page.texts(".shelf-count"), ["10 things"]);

    assert!(!goods_of(&guest.get("/products?in_stock=true").await).contains(&"/products/gone".to_owned()));
    assert_eq!(goods_of(&guest.get("/products?vendor=kiln").await).len(), 3);
    assert_eq!(goods_of(&guest.get("/products?min_price=10&max_price=12.49").await).len(), 3, "three plain bowls at £10.00");

    let page = guest.get("/products?vendor=kiln&min_price=8&in_stock=true").await;
    let chips = page.texts(".chip");
    assert_eq!(chips, ["Remove filter: The kiln×", "Remove filter: From £8.00×", "Remove filter: In stock×"]);
    assert_eq!(page.attribute(".chip", "href").as_deref(), Some("/products?min_price=8.00&in_stock=true"));

    // a form sends its empty fields; the address it leads to is the tidy one
    let answer = guest.get("/products?min_price=&max_price=9&vendor=").await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/products?max_price=9.00"));
    // what cannot be read is said where it was written
    let page = guest.get("/products?min_price=cheap").await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.attribute("#f-min_price", "aria-invalid").as_deref(), Some("true"));
    assert_eq!(page.attribute("#f-min_price", "value").as_deref(), Some("cheap"), "as it was typed");
    assert!(page.texts(".notice").join(" ").starts_with("The price filter: "), "also where the fields are folded away");
    let page = guest.get("/products?min_price=20&max_price=9").await;
    assert_eq!(page.texts("#f-max_price-error"), ["The highest price is below the lowest one."]);
    assert_eq!(page.attribute("#f-max_price", "value").as_deref(), Some("9.00"));
    // nothing left: the way out is there
    let page = guest.get("/products?min_price=9999").await;
    assert!(page.text().contains("Remove the filters"), "{}", page.text());
}

#[tokio::test]
async fn search_ranks_reads_beginnings_and_forgives_accents() {
    let (app, world) = TestApp::new().await;
    let pool = &app.app.pool;
    for (slug, title, description) in [
        ("creme", "Crème brûlée dish", "Shallow stoneware."),
        ("torch", "Kitchen torch", "For sugar, for instance on a crème brûlée."),
        ("teapot", "Teapot in blue", "Pours without dripping."),
        ("arabic", "إبريق شاي", "A pot for mint."),
    ] {
        sell(pool, &world, "kiln", Goods { slug, title, description, ..Goods::default() }).await;
    }
    let mut guest = app.guest();
    let mut found = async |q: &str| {
        let page = guest.get(&format!("/search?{}", serde_urlencoded::to_string([("q", q)]).expect("a query"))).await;
        assert_eq!(page.status, StatusCode::OK, "{q}");
        goods_of(&page)
    };
    assert_eq!(found("creme brulee").await, ["/products/creme", "/products/torch"], "the title counts more");
    assert_eq!(found("Brûlée").await.len(), 2);
    assert_eq!(found("blue teap").await, ["/products/teapot"]);
    assert_eq!(found("creme -torch").await, ["/products/creme"]);
    assert_eq!(found("\"brulee dish\"").await, ["/products/creme"]);
    assert_eq!(found("شاي").await, ["/products/arabic"]);
    assert_eq!(found("KILN-LARGE").await, ["/products/kiln-choice"], "by SKU");
    for odd in ["'", "a:*", "& | !", "\\", "%", "the", "((", ":*'", "\u{202e}x"] {
        found(odd).await;
    }

    let page = guest.get("/search?q=tepot").await;
    assert!(page.text().contains("Did you mean"), "{}", page.text());
    assert!(page.body.contains("/products/teapot"));
    let offers = guest.get("/sf/suggest_goods?q=teap").await;
    assert_eq!(offers.status, StatusCode::OK);
    assert!(offers.body.contains("/products/teapot"), "{}", offers.body);
    assert!(guest.get("/sf/suggest_goods?q=kitc").await.body.contains("/categories/kitchen"));
    assert_eq!(guest.get("/sf/suggest_goods?q=%00").await.body, "[]");
}

#[tokio::test]
async fn addresses_that_are_wrong_get_their_answer() {
    let (app, world) = TestApp::new().await;
    let mut guest = app.guest();
    for path in [
        "/products/none",
        "/products/No%20Such",
        "/products/%00",
        "/products/%ff",
        "/categories/none",
        "/vendors/none",
        "/products/00000000-0000-7000-8000-000000000000",
    ] {
        assert_eq!(guest.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    for path in [
        "/products?after=x",
        "/products?after=",
        "/products?sort=cheapest",
        "/products?limit=0",
        "/products?limit=101",
        "/vendors?after=x",
    ] {
        let page = guest.get(path).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{path}");
        assert!(page.texts("h1").len() == 1, "{path} is a page");
    }
    // a cursor of one list opens no other
    let next = guest.get("/products?limit=3").await.attribute("a[rel=next]", "href").expect("a next page");
    let (_, cursor) = next.split_once("after=").expect("a cursor");
    assert_eq!(guest.get(&format!("/products?limit=5&after={cursor}")).await.status, StatusCode::OK);
    for path in ["/products?sort=price&after=", "/products?in_stock=true&after=", "/vendors/mill?after=", "/vendors?after="] {
        assert_eq!(guest.get(&format!("{path}{cursor}")).await.status, StatusCode::BAD_REQUEST, "{path}");
    }
    // unknown parameters of advertisements and the like do not break a page
    assert_eq!(guest.get("/products?utm_source=x&q=%00&vendor=No+Slug").await.status, StatusCode::OK);

    for (id, to) in [
        (world.vendors["mill"].products["mill-plain"], "/products/mill-plain"),
        (world.vendors["mill"].id, "/vendors/mill"),
        (world.category, "/categories/kitchen"),
    ] {
        let (folder, _) = to.rsplit_once('/').expect("a path");
        let answer = guest.get(&format!("{folder}/{id}?a=b")).await;
        assert_eq!((answer.status, answer.location()), (StatusCode::MOVED_PERMANENTLY, format!("{to}?a=b").as_str()));
    }
}

#[tokio::test]
async fn a_product_page_tells_the_truth_and_works_as_a_form() {
    let (app, world) = TestApp::new().await;
    let mut guest = app.guest();
    let page = guest.get("/products/mill-choice").await;
    let text = page.text();
    for part in
        ["The mill's choice bowl", "£12.50", "incl. VAT", "In stock", "in 2 to 4 working days", "£3.95", "30 days", "MILL-SMALL"]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert_eq!(page.texts(".breadcrumbs li"), ["Home", "Kitchen", "The mill's choice bowl"]);
    let small = world.variant("MILL-SMALL").to_string();
    let large = world.variant("MILL-LARGE").to_string();
    assert_eq!(page.attribute("input[name=variant_id]", "value"), Some(small));
    assert_eq!(page.attribute("form.buy-form", "action").as_deref(), Some("/cart/items"));

    // an option is a link to the page that shows it
    let page = guest.get(&format!("/products/mill-choice?variant={large}")).await;
    assert_eq!(page.attribute("input[name=variant_id]", "value"), Some(large));
    assert!(page.text().contains("£19.99") && page.text().contains("3 left"));
    // a variant of something else is not shown here
    let foreign = world.variant("KILN-LARGE");
    assert_eq!(guest.get(&format!("/products/mill-choice?variant={foreign}")).await.status, StatusCode::OK);

    sqlx::query("update stock set held = on_hand where variant_id = $1")
        .bind(world.variant("MILL-LAST"))
        .execute(&app.app.pool)
        .await
        .expect("all held");
    let page = guest.get("/products/mill-last").await;
    assert!(page.text().contains("Sold out"));
    assert!(page.attribute("form.buy-form button", "disabled").is_some());
}

#[tokio::test]
async fn what_vendors_write_is_text() {
    let (app, world) = TestApp::new().await;
    let evil = "<script>alert(1)</script><img src=x onerror=alert(1)> \"&amp;'";
    let pool = &app.app.pool;
    let goods = Goods { slug: "evil", title: evil, description: &format!("{evil}\n\n{evil}"), ..Goods::default() };
    sell(pool, &world, "mill", goods).await;
    sqlx::query("update vendors set name = $1, tagline = $1, description = $1 where slug = 'mill'")
        .bind(evil)
        .execute(pool)
        .await
        .expect("a name");
    let mut guest = app.guest();
    let search = format!("/search?{}", serde_urlencoded::to_string([("q", evil)]).expect("a query"));
    for path in ["/", "/products", "/products/evil", "/vendors", "/vendors/mill", "/search?q=script", &search] {
        let page = guest.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(!page.body.contains("<script>alert") && !page.body.contains("<img src=x"), "{path}");
    }
    assert_eq!(guest.get("/products/evil").await.texts("h1"), [evil]);
}

#[tokio::test]
async fn pages_stand_with_nothing_one_thing_and_long_titles() {
    let app = TestApp::empty().await;
    let mut guest = app.guest();
    for path in ["/", "/products", "/vendors", "/search?q=tea"] {
        assert_eq!(guest.get(path).await.status, StatusCode::OK, "{path} of an empty shop");
    }
    let (app, world) = TestApp::new().await;
    let long = "Donaudampfschifffahrtsgesellschaft ".repeat(6).chars().take(200).collect::<String>();
    sell(&app.app.pool, &world, "mill", Goods { slug: "long", title: long.trim(), ..Goods::default() }).await;
    let mut guest = app.guest();
    assert_eq!(guest.get("/products/long").await.texts("h1"), [long.trim()]);
    assert_eq!(guest.get("/search?q=donaudampf").await.texts(".shelf-count"), ["1 thing"]);
}
