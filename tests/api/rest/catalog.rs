//! Goods: read by everybody, written by their vendor.

use super::*;
use crate::support::TestApp;
use std::collections::BTreeSet;

#[tokio::test]
async fn a_stranger_may_not_touch_goods() {
    let (test, world) = TestApp::new().await;
    let id = world.vendors["mill"].products["mill-plain"];
    let path = format!("/products/{id}");
    let change = json!({ "title": "Mine now" });
    problem(&patch(&mut test.guest(), &path, &change).await, StatusCode::UNAUTHORIZED, "unauthenticated");
    problem(&patch(&mut test.customer("ada").await, &path, &change).await, StatusCode::FORBIDDEN, "forbidden");
    let mut kiln = test.vendor("kiln").await;
    problem(&patch(&mut kiln, &path, &change).await, StatusCode::NOT_FOUND, "not-found");
    problem(&delete(&mut kiln, &path).await, StatusCode::NOT_FOUND, "not-found");
    assert_eq!(get(&mut kiln, &path).await.json()["title"], "The mill's plain bowl");
}

#[tokio::test]
async fn a_list_is_filtered_and_says_what_could_narrow_it() {
    let (test, _) = TestApp::new().await;
    let mut guest = test.guest();
    let all = get(&mut guest, "/products?facets=true").await.json();
    assert_eq!((all["total"].as_i64(), all["total_capped"].as_bool()), (Some(9), Some(false)));
    assert_eq!(all["data"].as_array().map(Vec::len), Some(9));
    let one = &all["data"][0];
    for member in ["id", "slug", "title", "vendor", "category", "price", "was", "rating", "review_count", "in_stock", "image"] {
        assert!(one.get(member).is_some(), "{member} in {one}");
    }
    assert!(one["was"].is_null() && one["rating"].is_null() && one["review_count"] == 0);
    assert_eq!(one["price"]["currency"], "GBP");
    let facets = &all["facets"];
    assert_eq!(facets["vendors"].as_array().map(Vec::len), Some(3));
    assert!(facets["categories"].as_array().is_some_and(|c| c.iter().any(|c| c["slug"] == "kitchen" && c["count"] == 9)));
    assert_eq!((facets["price"]["min"]["amount"].as_i64(), facets["price"]["max"]["amount"].as_i64()), (Some(777), Some(1250)));

    for (query, slugs) in [
        ("vendor=mill&sort=price", vec!["mill-last", "mill-plain", "mill-choice"]),
        ("vendor=mill&sort=-price", vec!["mill-choice", "mill-plain", "mill-last"]),
        ("vendor=mill&min_price=1000&max_price=1000", vec!["mill-plain"]),
        ("q=kiln+plain", vec!["kiln-plain"]),
        ("category=nothing-here", vec![]),
        ("vendor=mill&in_stock=true&sort=price&limit=1", vec!["mill-last"]),
    ] {
        let found = get(&mut guest, &format!("/products?{query}")).await.json();
        let found: Vec<_> = found["data"].as_array().expect("data").iter().map(|p| p["slug"].as_str().expect("slug")).collect();
        assert_eq!(found, slugs, "{query}");
    }
    assert_eq!(get(&mut guest, "/products?sort=rating&vendor=mill").await.json()["total"], 3);
    for bad in [
        "colour=red",
        "sort=cheap",
        "limit=0",
        "limit=101",
        "limit=x",
        "limit=",
        "min_price=-1",
        "min_price=20&max_price=10",
        "category=No+Slug",
        "category=",
        "in_stock=1",
        "in_stock=maybe",
        "facets=yes",
        "after=forged",
        "limit=1&limit=2",
    ] {
        problem(&get(&mut guest, &format!("/products?{bad}")).await, StatusCode::BAD_REQUEST, "bad-request");
    }
}

#[tokio::test]
async fn cursors_walk_the_whole_list_in_every_order() {
    let (test, _) = TestApp::new().await;
    let mut guest = test.guest();
    for sort in ["newest", "price", "-price", "rating", "relevance&q=bowl"] {
        let (mut seen, mut after, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let page = get(&mut guest, &format!("/products?sort={sort}&limit=2{after}")).await.json();
            seen.extend(page["data"].as_array().expect("data").iter().map(|p| p["id"].as_str().expect("id").to_owned()));
            pages += 1;
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        assert_eq!((seen.len(), seen.iter().collect::<BTreeSet<_>>().len(), pages), (9, 9, 5), "{sort}");
    }
    let next = get(&mut guest, "/products?sort=price&limit=2").await.json()["next"].as_str().expect("next").to_owned();
    problem(&get(&mut guest, &format!("/products?sort=-price&after={next}")).await, StatusCode::BAD_REQUEST, "bad-request");
    problem(&get(&mut guest, &format!("/products?sort=price&q=tea&after={next}")).await, StatusCode::BAD_REQUEST, "bad-request");
}

#[tokio::test]
async fn a_product_is_whole_and_is_not_sent_twice() {
    let (test, world) = TestApp::new().await;
    let mut guest = test.guest();
    let answer = get(&mut guest, "/products/mill-choice").await;
    let product = answer.json();
    assert_eq!(product["id"], world.vendors["mill"].products["mill-choice"].to_string());
    assert_eq!(product["categories"][0]["slug"], "home");
    assert_eq!(product["category"]["slug"], "kitchen");
    assert_eq!(product["vendor"], json!({ "slug": "mill", "name": "The mill" }));
    assert_eq!(product["price"], json!({ "amount": 1250, "currency": "GBP" }));
    assert_eq!(product["variants"][1]["options"], json!({ "Size": "Large" }));
    assert_eq!(product["variants"][1]["available"], 3);
    let tag = answer.header("etag").expect("an ETag").to_owned();
    assert!(tag.starts_with('"'), "strong: {tag}");
    let by_id = get(&mut guest, &format!("/products/{}", product["id"].as_str().expect("id"))).await;
    assert_eq!(by_id.header("etag"), Some(tag.as_str()));
    for path in ["/products/mill-choice", "/products", "/categories", "/vendors/mill"] {
        let path = format!("/api/v1{path}");
        let tag = guest.call(Method::GET, &path, None, &[]).await.header("etag").expect("an ETag").to_owned();
        let again = guest.call(Method::GET, &path, None, &[("if-none-match", &tag)]).await;
        assert_eq!((again.status, again.body.as_str()), (StatusCode::NOT_MODIFIED, ""), "{path}");
        assert_eq!(again.header("etag"), Some(tag.as_str()));
    }
    sqlx::query("update stock set held = 3 where variant_id = $1")
        .bind(world.variant("MILL-LARGE"))
        .execute(&test.app.pool)
        .await
        .expect("held");
    let path = "/api/v1/products/mill-choice";
    let changed = guest.call(Method::GET, path, None, &[("if-none-match", &tag)]).await;
    assert_eq!((changed.status, changed.json()["variants"][1]["available"].as_i64()), (StatusCode::OK, Some(0)));
    problem(&get(&mut guest, "/products/nothing").await, StatusCode::NOT_FOUND, "not-found");
}

#[tokio::test]
async fn categories_are_a_tree_and_shops_are_public() {
    let (test, _) = TestApp::new().await;
    let mut guest = test.guest();
    let tree = get(&mut guest, "/categories").await.json();
    assert_eq!(tree["data"][0]["slug"], "home");
    assert_eq!(tree["data"][0]["children"][0]["slug"], "kitchen");
    let shop = get(&mut guest, "/vendors/mill").await.json();
    assert_eq!((shop["name"].as_str(), shop["delivery"]["price"]["amount"].as_i64()), (Some("The mill"), Some(395)));
    sqlx::query("update vendors set status = 'suspended' where slug = 'mill'").execute(&test.app.pool).await.expect("suspended");
    problem(&get(&mut guest, "/vendors/mill").await, StatusCode::NOT_FOUND, "not-found");
}

fn new_product() -> Value {
    json!({
        "title": "Oak spoon", "description": "Carved.\n\nOiled.", "category": "kitchen", "options": ["Size"], "status": "draft",
        "variants": [
            { "sku": "SPOON-S", "options": { "Size": "Small" }, "price": { "amount": 900, "currency": "GBP" }, "stock": 4 },
            { "sku": "SPOON-L", "options": { "Size": "Large" }, "price": { "amount": 1200, "currency": "GBP" }, "stock": 2 },
        ],
    })
}

#[tokio::test]
async fn goods_are_written_changed_and_archived() {
    let (test, _) = TestApp::new().await;
    let (mut mill, mut guest) = (test.vendor("mill").await, test.guest());
    let made = post(&mut mill, "/products", &new_product()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let id = made.json()["id"].as_str().expect("id").to_owned();
    let path = format!("/products/{id}");
    assert_eq!(made.header("location"), Some(format!("/api/v1{path}").as_str()));
    assert_eq!(made.json()["status"], "draft");
    problem(&get(&mut guest, &path).await, StatusCode::NOT_FOUND, "not-found");
    problem(&get(&mut test.vendor("kiln").await, &path).await, StatusCode::NOT_FOUND, "not-found");
    assert_eq!(get(&mut mill, &path).await.json()["title"], "Oak spoon");

    let published = patch(&mut mill, &path, &json!({ "status": "published" })).await;
    assert_eq!((published.status, published.json()["status"].as_str()), (StatusCode::OK, Some("published")));
    let before = get(&mut guest, &path).await.json();
    let changed = patch(&mut mill, &path, &json!({ "title": "Ash spoon" })).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.body);
    let after = get(&mut guest, &path).await.json();
    assert_eq!((after["title"].as_str(), &after["variants"]), (Some("Ash spoon"), &before["variants"]));
    let fewer = json!({ "variants": [
        { "sku": "SPOON-L", "options": { "Size": "Large" }, "price": { "amount": 1100, "currency": "GBP" }, "stock": 7 } ] });
    let fewer = patch(&mut mill, &path, &fewer).await.json();
    assert_eq!(fewer["variants"].as_array().map(Vec::len), Some(1));
    assert_eq!(fewer["variants"][0]["id"], before["variants"][1]["id"], "the same SKU is the same variant");
    assert_eq!(fewer["variants"][0]["available"], 7);

    assert_eq!(delete(&mut mill, &path).await.status, StatusCode::NO_CONTENT);
    for answer in
        [get(&mut mill, &path).await, patch(&mut mill, &path, &json!({ "title": "x" })).await, delete(&mut mill, &path).await]
    {
        problem(&answer, StatusCode::NOT_FOUND, "not-found");
    }
}

#[tokio::test]
async fn what_contradicts_itself_is_said_at_its_field() {
    let (test, _) = TestApp::new().await;
    let mut mill = test.vendor("mill").await;
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut body = new_product();
        change(&mut body);
        body
    };
    for (body, field) in [
        (changed(&|b| b["title"] = json!("  ")), "title"),
        (changed(&|b| b["category"] = json!("no-such-thing")), "category"),
        (changed(&|b| b["variants"][1]["sku"] = json!("SPOON-S")), "variants[1].sku"),
        (changed(&|b| b["variants"][1]["sku"] = json!("MILL-PLAIN")), "variants[1].sku"),
        (changed(&|b| b["variants"][1]["options"] = json!({ "Size": "Small" })), "variants[1].options"),
        (changed(&|b| b["variants"][1]["options"] = json!({ "Colour": "Red" })), "variants[1].options"),
        (changed(&|b| b["variants"][0]["price"]["currency"] = json!("EUR")), "variants[0].price"),
        (changed(&|b| b["variants"][0]["price"]["amount"] = json!(-1)), "variants[0].price"),
        (changed(&|b| b["variants"][0]["stock"] = json!(-1)), "variants[0].stock"),
        (
            changed(&|b| {
                b["options"] = json!(["Size", "size"]);
                b["variants"] = json!([]);
            }),
            "options[1]",
        ),
        (changed(&|b| b["status"] = json!("archived")), "status"),
    ] {
        let refused = problem(&post(&mut mill, "/products", &body).await, StatusCode::UNPROCESSABLE_ENTITY, "invalid");
        assert!(refused["errors"].get(field).is_some(), "{field}: {refused}");
    }
    let empty = json!({ "title": "Nothing yet", "category": "kitchen", "status": "published" });
    problem(&post(&mut mill, "/products", &empty).await, StatusCode::CONFLICT, "nothing-to-publish");
}
