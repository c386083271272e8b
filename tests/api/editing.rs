//! What a vendor does with products, through the pages: nobody else may, nothing is oversold, nothing typed is lost.

use crate::support::{Answer, Client, TestApp, World};
use http::StatusCode;
use sqlx::PgPool;
use uuid::Uuid;

/// The fields of a page's product form, as a browser would send them, before anything is typed.
fn fields(page: &Answer) -> Vec<(String, String)> {
    let html = page.html();
    let select = |s: &str| scraper::Selector::parse(s).expect("a selector");
    let form = html.select(&select("form.product-form")).next().expect("a product form");
    let mut fields = Vec::new();
    for input in form.select(&select("input")) {
        if input.attr("type") != Some("checkbox") {
            fields.push((input.attr("name").unwrap_or_default().to_owned(), input.attr("value").unwrap_or_default().to_owned()));
        }
    }
    for area in form.select(&select("textarea")) {
        fields.push((area.attr("name").unwrap_or_default().to_owned(), area.text().collect()));
    }
    for choice in form.select(&select("select")) {
        let chosen = choice.select(&select("option[selected]")).next().and_then(|o| o.attr("value")).unwrap_or_default();
        fields.push((choice.attr("name").unwrap_or_default().to_owned(), chosen.to_owned()));
    }
    fields
}

/// Types into the form: replaces a field, or adds one.
fn typed(fields: &[(String, String)], changes: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut fields = fields.to_vec();
    for (name, value) in changes {
        match fields.iter_mut().find(|(n, _)| n == name) {
            Some(field) => field.1 = (*value).to_owned(),
            None => fields.push(((*name).to_owned(), (*value).to_owned())),
        }
    }
    fields
}

async fn post(client: &mut Client, path: &str, fields: &[(String, String)]) -> Answer {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    client.post_form(path, &fields).await
}

fn product(world: &World, vendor: &str, name: &str) -> String {
    format!("/vendor/products/{}", world.vendors[vendor].products[&format!("{vendor}-{name}")])
}

/// Fills the empty form with a bowl and presses a button.
async fn create(client: &mut Client, world: &World, changes: &[(&str, &str)]) -> Answer {
    let empty = client.get("/vendor/products/new").await;
    let category = world.category.to_string();
    let bowl = [
        ("title", "Ash bowl"),
        ("description", "Turned on a pole lathe."),
        ("category", category.as_str()),
        ("variants[0][sku]", "ASH"),
        ("variants[0][price]", "24.50"),
        ("variants[0][stock]", "7"),
    ];
    let fields = typed(&typed(&fields(&empty), &bowl), changes);
    post(client, "/vendor/products", &fields).await
}

async fn stock(pool: &PgPool, variant: Uuid) -> (i32, i32) {
    sqlx::query_as("select on_hand, held from stock where variant_id = $1").bind(variant).fetch_one(pool).await.expect("stock")
}

#[tokio::test]
async fn someone_else_may_not_edit() {
    let (test, world) = TestApp::new().await;
    let path = product(&world, "mill", "plain");
    let mut mill = test.vendor("mill").await;
    let form = fields(&mill.get(&path).await);
    let form = typed(&form, &[("title", "Stolen bowl")]);

    let mut kiln = test.vendor("kiln").await;
    assert_eq!(post(&mut kiln, &path, &form).await.status, StatusCode::NOT_FOUND);
    assert_eq!(kiln.post_form(&format!("{path}/status"), &[("status", "archived")]).await.status, StatusCode::NOT_FOUND);
    let mut ada = test.customer("ada").await;
    assert_eq!(post(&mut ada, &path, &form).await.status, StatusCode::FORBIDDEN);
    let mut guest = test.guest();
    assert!(guest.get(&path).await.location().starts_with("/sign-in"));

    // A variant of another vendor in one's own form is not found either, and nothing changes.
    let own = product(&world, "kiln", "plain");
    let theirs = world.variant("MILL-PLAIN").to_string();
    let form = fields(&kiln.get(&own).await);
    let answer = post(&mut kiln, &own, &typed(&form, &[("variants[0][id]", &theirs), ("variants[0][stock]", "0")])).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(stock(&test.app.pool, world.variant("MILL-PLAIN")).await, (100, 0));
    let title: String = sqlx::query_scalar("select title from products where slug = 'mill-plain'")
        .fetch_one(&test.app.pool)
        .await
        .expect("the product");
    assert_eq!(title, "The mill's plain bowl");
}

#[tokio::test]
async fn a_product_is_written_published_and_listed() {
    let (test, world) = TestApp::new().await;
    let mut mill = test.vendor("mill").await;
    let answer = create(&mut mill, &world, &[("action", "publish")]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    assert!(answer.location().ends_with("/pictures"));
    let (slug, price, in_stock): (String, i64, bool) =
        sqlx::query_as("select slug, price_minor, in_stock from listings where title = 'Ash bowl'")
            .fetch_one(&test.app.pool)
            .await
            .expect("it is listed");
    assert_eq!((slug.as_str(), price, in_stock), ("ash-bowl", 2450, true));

    // The same title again: another address.
    create(&mut mill, &world, &[("variants[0][sku]", "ASH-2")]).await;
    let slugs: Vec<String> = sqlx::query_scalar("select slug from products where title = 'Ash bowl' order by created_at")
        .fetch_all(&test.app.pool)
        .await
        .expect("slugs");
    assert!(slugs[1].starts_with("ash-bowl-") && slugs.len() == 2);

    // Off sale, archived, and back; each is one press.
    let id: Uuid = sqlx::query_scalar("select id from products where slug = 'ash-bowl'").fetch_one(&test.app.pool).await.unwrap();
    for (status, listed) in [("draft", 0i64), ("archived", 0), ("draft", 0), ("published", 1), ("published", 1)] {
        let answer = mill.post_form(&format!("/vendor/products/{id}/status"), &[("status", status)]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{status}");
        let count: i64 =
            sqlx::query_scalar("select count(*) from listings where slug = 'ash-bowl'").fetch_one(&test.app.pool).await.unwrap();
        assert_eq!(count, listed, "{status}");
    }
    assert_eq!(
        mill.post_form(&format!("/vendor/products/{id}/status"), &[("status", "sold")]).await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn what_is_wrong_stands_at_its_field_and_what_was_typed_stays() {
    let (test, world) = TestApp::new().await;
    let mut mill = test.vendor("mill").await;
    let long = "x".repeat(201);
    for (changes, field, words) in [
        (vec![("title", "")], "title", "fill this in"),
        (vec![("title", long.as_str())], "title", "200"),
        (vec![("title", "a\0b")], "title", "cannot be kept"),
        (vec![("category", "")], "category", "choose a category"),
        (vec![("category", "00000000-0000-7000-8000-000000000000")], "category", "choose a category"),
        (vec![("variants[0][price]", "cheap")], "variants[0][price]", "12.50"),
        (vec![("variants[0][price]", "10000000.01")], "variants[0][price]", "between 0"),
        (vec![("variants[0][stock]", "-1")], "variants[0][stock]", "whole number"),
        (vec![("variants[0][stock]", "99999999999999999999")], "variants[0][stock]", "whole number"),
        (vec![("variants[0][sku]", "MILL-LAST")], "variants[0][sku]", "already the SKU of “The mill's last bowl”"),
    ] {
        let mut changes = changes;
        changes.push(("description", "<script>alert(1)</script></textarea>"));
        let answer = create(&mut mill, &world, &changes).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
        let error = answer.texts(&format!("[id='f-{field}-error']")).join(" ");
        assert!(error.contains(words), "{field}: {error:?}");
        assert!(answer.texts(".error-summary a").iter().any(|link| link.contains(words)), "{field}");
        assert_eq!(answer.texts("textarea"), ["<script>alert(1)</script></textarea>"], "kept, and harmless");
    }
    let count: i64 = sqlx::query_scalar("select count(*) from products").fetch_one(&test.app.pool).await.unwrap();
    assert_eq!(count, 9, "nothing was written");
}

#[tokio::test]
async fn options_make_variants_without_script() {
    let (test, world) = TestApp::new().await;
    let mut mill = test.vendor("mill").await;
    let options = [
        ("options[0][name]", "Size"),
        ("options[0][values]", "Small, Large"),
        ("options[1][name]", "Wood"),
        ("options[1][values]", "Oak, Ash"),
    ];
    let mut changes = options.to_vec();
    changes.push(("action", "generate"));
    let answer = create(&mut mill, &world, &changes).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.texts(".variants-table tbody tr").len(), 4);
    // The rows as made; one combination does not exist.
    let mut form = fields(&answer);
    for (i, stock) in ["1", "2", "3", "0"].iter().enumerate() {
        form = typed(&form, &[(&format!("variants[{i}][stock]"), stock)]);
    }
    let form = typed(&form, &[("variants[3][remove]", "on"), ("action", "publish")]);
    let answer = post(&mut mill, "/vendor/products", &form).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let rows: Vec<(String, Vec<String>, i64, i32)> = sqlx::query_as(
        "select v.sku, v.option_values, v.price_minor, s.on_hand from variants v join stock s on s.variant_id = v.id
         join products p on p.id = v.product_id where p.title = 'Ash bowl' order by v.position",
    )
    .fetch_all(&test.app.pool)
    .await
    .expect("the variants");
    let row = |sku: &str, a: &str, b: &str, stock| (sku.to_owned(), vec![a.to_owned(), b.to_owned()], 2450, stock);
    assert_eq!(
        rows,
        [
            row("ASH-SMALL-OAK", "Small", "Oak", 1),
            row("ASH-SMALL-ASH", "Small", "Ash", 2),
            row("ASH-LARGE-OAK", "Large", "Oak", 3)
        ]
    );
    // Too many are never made.
    let list = (0..11).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    let many = [
        ("options[0][name]", "A"),
        ("options[0][values]", list.as_str()),
        ("options[1][name]", "B"),
        ("options[1][values]", &list),
        ("action", "generate"),
    ];
    assert_eq!(create(&mut mill, &world, &many).await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn two_variants_may_swap_their_numbers_and_a_sold_one_is_kept() {
    let (test, world) = TestApp::new().await;
    let pool = &test.app.pool;
    let path = product(&world, "mill", "choice");
    let mut mill = test.vendor("mill").await;
    let form = fields(&mill.get(&path).await);
    let swapped = typed(&form, &[("variants[0][sku]", "MILL-LARGE"), ("variants[1][sku]", "MILL-SMALL")]);
    let answer = post(&mut mill, &path, &swapped).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let sku: String = sqlx::query_scalar("select sku from variants where id = $1")
        .bind(world.variant("MILL-SMALL"))
        .fetch_one(pool)
        .await
        .unwrap();
    assert_eq!(sku, "MILL-LARGE");

    // One was ordered once: it leaves the form, and stays in the database.
    let small = world.variant("MILL-SMALL");
    crate::vendors::paid_order(pool, &world, "mill", small, 1).await;
    let form = fields(&mill.get(&path).await);
    let less = typed(&form, &[("options[0][values]", "Large"), ("action", "generate")]);
    let rest = post(&mut mill, &path, &less).await;
    assert!(rest.text().contains("One variant no longer fits"));
    assert_eq!(post(&mut mill, &path, &fields(&rest)).await.status, StatusCode::SEE_OTHER);
    let archived: bool =
        sqlx::query_scalar("select archived from variants where id = $1").bind(small).fetch_one(pool).await.unwrap();
    assert!(archived);

    // Written again with its number, it is the same one.
    let form = fields(&mill.get(&path).await);
    let more = typed(&form, &[("options[0][values]", "Large, Small"), ("action", "generate")]);
    let rows = fields(&post(&mut mill, &path, &more).await);
    let rows = typed(&rows, &[("variants[1][sku]", "MILL-LARGE"), ("variants[1][stock]", "5")]);
    assert_eq!(post(&mut mill, &path, &rows).await.status, StatusCode::SEE_OTHER);
    assert_eq!(stock(pool, small).await.0, 5);
}

#[tokio::test]
async fn stock_keeps_what_is_held_and_what_was_sold_meanwhile() {
    let (test, world) = TestApp::new().await;
    let pool = &test.app.pool;
    let (path, variant) = (product(&world, "mill", "plain"), world.variant("MILL-PLAIN"));
    let mut mill = test.vendor("mill").await;
    let form = fields(&mill.get(&path).await);

    sqlx::query("update stock set held = 3 where variant_id = $1").bind(variant).execute(pool).await.unwrap();
    let answer = post(&mut mill, &path, &typed(&form, &[("variants[0][stock]", "2")])).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let error = answer.texts("[id='f-variants[0][stock]-error']").join("");
    assert!(error.contains("3 of the 100 on hand are held"), "{error}");
    assert_eq!(answer.attribute("input[name='variants[0][stock]']", "value").as_deref(), Some("2"));

    // Ten were sold while the vendor typed "110 instead of 100": ten were added, so 100 stand.
    sqlx::query("update stock set on_hand = 90, held = 0 where variant_id = $1").bind(variant).execute(pool).await.unwrap();
    let answer = post(&mut mill, &path, &typed(&form, &[("variants[0][stock]", "110")])).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    assert_eq!(stock(pool, variant).await, (100, 0));

    // A form that does not touch the stock leaves it to the sales.
    let form = fields(&mill.get(&path).await);
    sqlx::query("update stock set on_hand = 98 where variant_id = $1").bind(variant).execute(pool).await.unwrap();
    assert_eq!(post(&mut mill, &path, &typed(&form, &[("title", "Plain")])).await.status, StatusCode::SEE_OTHER);
    assert_eq!(stock(pool, variant).await, (98, 0));
}

#[tokio::test]
async fn nobody_overwrites_what_they_have_not_seen() {
    let (test, world) = TestApp::new().await;
    let path = product(&world, "mill", "plain");
    let mut mill = test.vendor("mill").await;
    let form = fields(&mill.get(&path).await);
    assert_eq!(post(&mut mill, &path, &typed(&form, &[("title", "First")])).await.status, StatusCode::SEE_OTHER);

    let late = post(&mut mill, &path, &typed(&form, &[("title", "Second")])).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(late.text().contains("Someone changed this") && late.texts(".notice dd").contains(&"First".to_owned()));
    assert_eq!(late.attribute("input[name=title]", "value").as_deref(), Some("Second"), "what was typed stays");
    let title = |pool: PgPool| async move {
        sqlx::query_scalar::<_, String>("select title from products where slug = 'mill-plain'").fetch_one(&pool).await.unwrap()
    };
    assert_eq!(title(test.app.pool.clone()).await, "First");

    // Having seen it, saving again is meant. A published product keeps its address.
    assert_eq!(post(&mut mill, &path, &fields(&late)).await.status, StatusCode::SEE_OTHER);
    assert_eq!(title(test.app.pool.clone()).await, "Second");
    // A stamp that nobody was given is as stale as an old one.
    assert_eq!(post(&mut mill, &path, &typed(&form, &[("stamp", "now")])).await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn the_list_is_filtered_and_paged() {
    let (test, world) = TestApp::new().await;
    let mut mill = test.vendor("mill").await;
    for i in 0..55 {
        let answer =
            create(&mut mill, &world, &[("title", &format!("Spoon {i:02}")), ("variants[0][sku]", &format!("SP-{i:02}"))]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
    }
    let titles = |answer: &Answer| answer.texts("tbody th");
    let first = mill.get("/vendor/products").await;
    let next = first.attribute("a[rel=next]", "href").expect("there is more");
    let second = mill.get(&next).await;
    assert_eq!((titles(&first).len(), titles(&second).len()), (50, 8));
    assert!(second.attribute("a[rel=next]", "href").is_none());
    assert!(titles(&first).iter().all(|t| !titles(&second).contains(t)));
    assert_eq!(titles(&mill.get("/vendor/products?q=spoon+07").await), ["Spoon 07"]);
    assert_eq!(titles(&mill.get("/vendor/products?q=sp-31").await), ["Spoon 31"], "by SKU");
    assert_eq!(titles(&mill.get("/vendor/products?status=published").await).len(), 3);
    assert!(mill.get("/vendor/products?q=%25").await.text().contains("Nothing here fits"), "a wildcard is only a character");
    for bad in ["?status=gone", "?after=1.x", "?after=x", "?q=%00"] {
        let status = mill.get(&format!("/vendor/products{bad}")).await.status;
        assert!(status.is_client_error(), "{bad}: {status}");
    }
}
