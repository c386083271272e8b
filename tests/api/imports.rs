//! Imports at the vendor's desk: a file is brought, its columns chosen, checked, imported, stopped and gone on with.

use crate::{
    exports::export,
    support::{
        Answer, Client, TestApp,
        purchase::{assert_laws_hold, count},
    },
};
use http::StatusCode;
use souk::{ids::ImportId, imports, server::jobs};
use std::{collections::BTreeMap, io::Write, time::Duration};
use uuid::Uuid;

const HERE: &str = "/vendor/imports";
pub const HEAD: &str = "sku,title,description,category,price,currency,stock,options\n";

/// Brings a file, and answers where its page is.
pub async fn bring(who: &mut Client, name: &str, content: impl AsRef<[u8]>) -> String {
    let answer = who.post_multipart(HERE, &[], &[("file", name, "text/csv", content.as_ref())]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    answer.location().to_owned()
}

/// What the form of the columns has chosen, as a browser would send it.
pub fn chosen(page: &Answer) -> BTreeMap<String, String> {
    let html = page.html();
    let select = scraper::Selector::parse("form.mapping select").expect("a selector");
    let selected = scraper::Selector::parse("option[selected]").expect("a selector");
    let fields = html.select(&select).map(|field| {
        let value = field.select(&selected).next().and_then(|o| o.attr("value")).unwrap_or_default();
        (field.attr("name").unwrap_or_default().to_owned(), value.to_owned())
    });
    fields.collect()
}

pub async fn choose(who: &mut Client, path: &str, fields: &BTreeMap<String, String>) -> Answer {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    who.post_form(&format!("{path}/columns"), &fields).await
}

/// Brings a file and has it checked with the columns that the page proposes; answers its page.
pub async fn checked(test: &TestApp, who: &mut Client, content: impl AsRef<[u8]>) -> String {
    let path = bring(who, "goods.csv", content).await;
    let fields = chosen(&who.get(&path).await);
    let answer = choose(who, &path, &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    jobs::drain(&test.app).await.expect("the jobs run");
    path
}

pub async fn import(test: &TestApp, who: &mut Client, path: &str) {
    let answer = who.post_form(&format!("{path}/start"), &[]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    jobs::drain(&test.app).await.expect("the jobs run");
}

/// New, changed, as they are, errors.
pub async fn numbers(who: &mut Client, path: &str) -> [String; 4] {
    let page = who.get(path).await;
    assert_eq!(page.status, StatusCode::OK);
    page.texts(".import-numbers dd").try_into().unwrap_or_else(|n| panic!("{n:?}: {}", page.text()))
}

/// Line, column and sentence of each error that the page shows.
pub async fn shown(who: &mut Client, path: &str) -> Vec<(String, String, String)> {
    let cells = who.get(path).await.texts(".import-errors tbody td");
    cells.chunks(3).map(|row| (row[0].clone(), row[1].clone(), row[2].clone())).collect()
}

async fn state(test: &TestApp) -> String {
    sqlx::query_scalar("select state from imports order by created_at desc limit 1")
        .fetch_one(&test.app.pool)
        .await
        .expect("a state")
}

/// Everything that a file of products can change.
pub async fn goods(test: &TestApp, vendor: Uuid) -> Vec<(String, String, String, String, i64, i32, Vec<String>, Uuid)> {
    sqlx::query_as(
        "select v.sku, p.title, p.description, p.status, v.price_minor, s.on_hand, v.option_values, p.category_id
         from variants v join products p on p.id = v.product_id join stock s on s.variant_id = v.id
         where v.vendor_id = $1 order by v.sku",
    )
    .bind(vendor)
    .fetch_all(&test.app.pool)
    .await
    .expect("the goods")
}

#[tokio::test]
async fn another_vendors_import_is_not_found() {
    let (test, _) = TestApp::with_services().await;
    let mut mill = test.vendor("mill").await;
    let path = checked(&test, &mut mill, format!("{HEAD}A-1,Bowl,,attic,1.00,GBP,1,\nA-2,Bowl,,kitchen,1.00,GBP,1,\n")).await;
    let reads = ["", "/columns", "/start", "/cancel", "/errors.csv"].map(|end| format!("{path}{end}"));
    let writes = ["/columns", "/start", "/cancel"].map(|end| format!("{path}{end}"));
    let (mut kiln, mut ada, mut guest) = (test.vendor("kiln").await, test.customer("ada").await, test.guest());
    for read in &reads {
        assert_eq!(kiln.get(read).await.status, StatusCode::NOT_FOUND, "{read}");
        assert_eq!(ada.get(read).await.status, StatusCode::FORBIDDEN, "{read}");
        assert!(guest.get(read).await.location().starts_with("/sign-in"), "{read}");
        assert_ne!(mill.get(read).await.status, StatusCode::NOT_FOUND, "{read}");
    }
    for write in &writes {
        assert_eq!(kiln.post_form(write, &[("sku", "0")]).await.status, StatusCode::NOT_FOUND, "{write}");
        assert_eq!(ada.post_form(write, &[]).await.status, StatusCode::FORBIDDEN, "{write}");
        assert!(guest.post_form(write, &[]).await.location().starts_with("/sign-in"), "{write}");
    }
    for who in [&mut ada, &mut guest] {
        let answer = who.post_multipart(HERE, &[], &[("file", "a.csv", "text/csv", HEAD.as_bytes())]).await;
        assert_ne!(answer.status, StatusCode::OK);
        for list in [HERE, "/vendor/products.csv", "/vendor/orders.csv"] {
            assert_ne!(who.get(list).await.status, StatusCode::OK, "{list}");
        }
    }
    assert_eq!(mill.get(&format!("{HERE}/{}", Uuid::now_v7())).await.status, StatusCode::NOT_FOUND);
    assert_eq!(mill.get(&format!("{HERE}/42")).await.status, StatusCode::NOT_FOUND);
    assert!(kiln.get(HERE).await.text().contains("No imports yet"));
    assert!(!export(&mut kiln, "/vendor/products.csv").await.contains("MILL"));
    assert_eq!(state(&test).await, "checked");
    assert_eq!(count(&test.app, "select count(*) from imports").await, 1);
}

#[tokio::test]
async fn a_file_is_checked_then_imported_and_its_errors_are_named() {
    let (test, world) = TestApp::with_services().await;
    let mut mill = test.vendor("mill").await;
    let before = goods(&test, world.vendors["mill"].id).await;
    // As Excel writes it: a byte order mark, semicolons, a comma in the price; its own names, and a column nobody asked for.
    let file = "\u{feff}Article number;Product name;Colour of the box;Categories;Unit price;Quantity\r\n\
                N-1;Oak bowl;red;kitchen;12,50;7\r\n\
                N-2;\"Two\nlines\";;kitchen;1;1\r\n\
                N-3;No such place;;attic;1;1\r\n\
                N-4;Price;;kitchen;a lot;1\r\n\
                N-5;Stock;;kitchen;1;-3\r\n\
                MILL-PLAIN;The mill's plain bowl;;kitchen;11,00;100\r\n\
                MILL-LAST;The mill's last bowl;;kitchen;7,77;1\r\n";
    let path = bring(&mut mill, "Preise März.csv", file).await;
    let page = mill.get(&path).await;
    assert!(page.text().contains("Preise März.csv, 7 rows and 6 columns."), "{}", page.text());
    let fields = chosen(&page);
    let expected = [("sku", "0"), ("title", "1"), ("description", ""), ("category", "3"), ("price", "4"), ("stock", "5")];
    for (name, value) in expected {
        assert_eq!(fields[name], value, "{name}");
    }
    assert!(page.texts("#f-price option").contains(&"Unit price — 12,50".to_owned()), "{:?}", page.texts("#f-price option"));

    // Without a column that is needed nothing begins, and what was chosen stays.
    let mut wrong = fields.clone();
    wrong.insert("price".into(), String::new());
    wrong.insert("category".into(), String::new());
    wrong.insert("stock".into(), "99".into());
    let answer = choose(&mut mill, &path, &wrong).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer.texts("#f-price-error"), ["Choose a column: this one is needed."]);
    assert_eq!(answer.texts("#f-category-error"), ["Choose a column, or one category for all rows."]);
    assert_eq!(answer.texts("#f-stock-error"), ["This file has no such column."]);
    assert_eq!(chosen(&answer)["sku"], "0");

    assert_eq!(choose(&mut mill, &path, &fields).await.status, StatusCode::SEE_OTHER);
    let page = mill.get(&path).await;
    assert_eq!(
        (page.texts("#live-import progress").len(), page.texts("#live-actions button")),
        (1, vec!["Cancel the check".into()])
    );
    jobs::drain(&test.app).await.expect("the jobs run");
    assert_eq!(numbers(&mut mill, &path).await, ["1", "1", "1", "4"]);
    assert_eq!(goods(&test, world.vendors["mill"].id).await, before, "a check changes nothing");
    assert_eq!(count(&test.app, "select count(*) from import_made").await, 0);
    let errors = shown(&mut mill, &path).await;
    let places: Vec<(&str, &str)> = errors.iter().map(|(line, column, _)| (line.as_str(), column.as_str())).collect();
    assert_eq!(places, [("3", "title"), ("5", "category"), ("6", "price"), ("7", "stock")]);
    assert_eq!(errors[1].2, "there is no category \"attic\".");
    let page = mill.get(&path).await;
    assert_eq!(page.texts("#live-actions button"), ["Import 2 rows"]);

    // The rows as they were, and why.
    let answer = mill.get(&format!("{path}/errors.csv")).await;
    assert!(answer.header("content-disposition").is_some_and(|d| d.contains("Preise-M-rz-errors.csv")));
    let mut reader = csv::ReaderBuilder::new().delimiter(b';').from_reader(answer.body.trim_start_matches('\u{feff}').as_bytes());
    assert_eq!(reader.headers().expect("names").iter().next_back(), Some("error"));
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[0].iter().collect::<Vec<_>>()[..2], ["N-2", "Two\nlines"]);
    assert_eq!(&rows[3][5], "-3");
    assert_eq!(&rows[1][6], "category: there is no category \"attic\".");

    import(&test, &mut mill, &path).await;
    assert_eq!(numbers(&mut mill, &path).await, ["1", "1", "1", "4"]);
    let page = mill.get(&path).await;
    assert!(page.text().contains("The import is done."));
    let plain =
        "select count(*) from variants v join products p on p.id = v.product_id where sku = 'MILL-PLAIN' and price_minor = 1100
                 and p.description = 'Turned from one piece.'";
    assert_eq!(count(&test.app, plain).await, 1, "what no column says stays");
    assert_eq!(count(&test.app, "select count(*) from listings where slug = 'oak-bowl' and price_minor = 1250").await, 1);
    let who = "select count(*) from audit_log a join users u on u.id = a.actor_id where a.action = 'product.repriced' and u.handle = 'mill'";
    assert_eq!(count(&test.app, who).await, 1);
    let list = mill.get(HERE).await;
    assert_eq!(list.texts("#live-imports tbody td").get(..5).expect("a row"), ["done", "7", "1", "1", "4"]);

    // The file of errors, mended and brought again, is known by its names: what was chosen is chosen, its last column set aside.
    let mended =
        answer.body.replace("attic", "kitchen").replace("a lot", "3").replace("-3", "3").replace("Two\nlines", "Two lines");
    let path = bring(&mut mill, "mended.csv", &mended).await;
    let page = mill.get(&path).await;
    assert!(page.text().contains("As you chose last time"));
    assert_eq!(chosen(&page), fields);
    let path = checked(&test, &mut mill, &mended).await;
    assert_eq!(numbers(&mut mill, &path).await, ["4", "0", "0", "0"]);
    assert_laws_hold(&test.app).await;
}

/// As a kill would leave it: whatever runs is dropped once some rows are done.
async fn killed(test: &TestApp, done: i64) -> i64 {
    let app = test.app.clone();
    let task = tokio::spawn(async move { jobs::drain(&app).await });
    loop {
        let now: i64 = sqlx::query_scalar("select rows_done from imports order by created_at desc limit 1")
            .fetch_one(&test.app.pool)
            .await
            .expect("the import");
        if now > done || task.is_finished() {
            task.abort();
            let _ = task.await;
            // What it was about to commit may have been committed.
            tokio::time::sleep(Duration::from_millis(100)).await;
            return sqlx::query_scalar("select rows_done from imports order by created_at desc limit 1")
                .fetch_one(&test.app.pool)
                .await
                .expect("the import");
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn many(rows: usize) -> String {
    let mut file = HEAD.to_owned();
    for n in 1..=rows {
        let stock = if n % 100 == 0 { "some".to_owned() } else { n.to_string() };
        file.push_str(&format!("B-{n},Thing {n},,kitchen,{n}.00,GBP,{stock},\n"));
    }
    file
}

#[tokio::test]
async fn a_node_that_dies_leaves_a_place_at_which_another_goes_on() {
    let (test, _) = TestApp::with_services().await;
    let mut mill = test.vendor("mill").await;
    let path = checked(&test, &mut mill, many(1203)).await;
    assert_eq!(numbers(&mut mill, &path).await, ["1,191", "0", "0", "12"]);
    assert_eq!(mill.post_form(&format!("{path}/start"), &[]).await.status, StatusCode::SEE_OTHER);
    // One is at it already: it can neither be started twice nor checked anew, nor can another one begin.
    assert_eq!(mill.post_form(&format!("{path}/start"), &[]).await.status, StatusCode::CONFLICT);
    assert_eq!(
        choose(&mut mill, &path, &BTreeMap::from([("sku".into(), "0".into())])).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let other = bring(&mut mill, "other.csv", format!("{HEAD}O-1,Other,,kitchen,1,,1,\n")).await;
    let fields = chosen(&mill.get(&other).await);
    let answer = choose(&mut mill, &other, &fields).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text().contains("Another import of yours is under way."), "{}", answer.text());
    sqlx::query("delete from imports where file_name = 'other.csv'").execute(&test.app.pool).await.expect("it goes");

    let done = killed(&test, 0).await;
    assert!(done > 0 && done % 200 == 0, "{done}");
    let on_shelf = count(&test.app, "select count(*) from variants where sku like 'B-%'").await;
    assert_eq!(on_shelf, done - done / 100, "as many goods as rows were done");
    let page = mill.get(&path).await;
    assert!(page.text().contains("of 1,203 rows"), "{}", page.text());

    // Until the lease of the one that died has ended, nobody takes its work.
    jobs::drain(&test.app).await.expect("the jobs run");
    if done < 1203 {
        assert_eq!(state(&test).await, "importing");
    }
    sqlx::query("update jobs set lease_until = now() where state = 'running'").execute(&test.app.pool).await.expect("it ends");
    jobs::drain(&test.app).await.expect("the jobs run");
    assert_eq!(numbers(&mut mill, &path).await, ["1,191", "0", "0", "12"]);
    assert_eq!(count(&test.app, "select count(*) from variants where sku like 'B-%'").await, 1191);
    assert_eq!(count(&test.app, "select count(*) from import_errors").await, 12);
    // The same once more by a second node that thought it was its turn: nothing.
    let id: ImportId = path.rsplit('/').next().and_then(|id| id.parse().ok()).expect("an id");
    imports::go_on(&test.app, id).await.expect("it is done");
    assert_eq!(numbers(&mut mill, &path).await, ["1,191", "0", "0", "12"]);
    assert_laws_hold(&test.app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_at_one_import_do_each_row_once() {
    let (test, _) = TestApp::with_services().await;
    let mut mill = test.vendor("mill").await;
    let path = checked(&test, &mut mill, many(900)).await;
    assert_eq!(mill.post_form(&format!("{path}/start"), &[]).await.status, StatusCode::SEE_OTHER);
    let id: ImportId = path.rsplit('/').next().and_then(|id| id.parse().ok()).expect("an id");
    let both = (0..2).map(|_| {
        let app = test.app.clone();
        tokio::spawn(async move { imports::go_on(&app, id).await })
    });
    for node in futures::future::join_all(both).await {
        node.expect("no panic").expect("no error");
    }
    jobs::drain(&test.app).await.expect("the jobs run");
    assert_eq!(numbers(&mut mill, &path).await, ["891", "0", "0", "9"]);
    assert_eq!(count(&test.app, "select count(*) from audit_log where action = 'product.repriced'").await, 0);
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn an_import_can_be_cancelled_and_gone_on_with() {
    let (test, _) = TestApp::with_services().await;
    let mut mill = test.vendor("mill").await;
    let file = many(700);
    let path = bring(&mut mill, "goods.csv", &file).await;
    let fields = chosen(&mill.get(&path).await);
    assert_eq!(choose(&mut mill, &path, &fields).await.status, StatusCode::SEE_OTHER);
    // A check that was cancelled leaves the file as it came, and what was chosen.
    assert_eq!(mill.post_form(&format!("{path}/cancel"), &[]).await.status, StatusCode::SEE_OTHER);
    jobs::drain(&test.app).await.expect("the jobs run");
    assert_eq!(state(&test).await, "received");
    assert_eq!(chosen(&mill.get(&path).await), fields);
    assert_eq!(mill.post_form(&format!("{path}/cancel"), &[]).await.status, StatusCode::CONFLICT);
    assert_eq!(choose(&mut mill, &path, &fields).await.status, StatusCode::SEE_OTHER);
    jobs::drain(&test.app).await.expect("the jobs run");
    assert_eq!(mill.post_form(&format!("{path}/start"), &[]).await.status, StatusCode::SEE_OTHER);
    let done = killed(&test, 0).await;
    assert_eq!(mill.post_form(&format!("{path}/cancel"), &[]).await.status, StatusCode::SEE_OTHER);
    sqlx::query("update jobs set lease_until = now() where state = 'running'").execute(&test.app.pool).await.expect("it ends");
    jobs::drain(&test.app).await.expect("the jobs run");
    let page = mill.get(&path).await;
    assert!(page.text().contains(&format!("Cancelled after {done} of 700 rows. What was done stays.")), "{}", page.text());
    assert_eq!(count(&test.app, "select count(*) from variants where sku like 'B-%'").await, done - done / 100);
    assert_eq!(page.texts("#live-actions button"), ["Go on with it"]);
    import(&test, &mut mill, &path).await;
    assert_eq!(numbers(&mut mill, &path).await, ["693", "0", "0", "7"]);
}

#[tokio::test]
async fn what_is_no_file_of_products_is_refused_with_a_sentence() {
    let (test, _) = TestApp::with_services().await;
    let mut mill = test.vendor("mill").await;
    let wide = vec!["c"; 201].join(",");
    let mut cut = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    cut.write_all(many(50).as_bytes()).expect("a file");
    let mut cut = cut.finish().expect("a file");
    cut.truncate(cut.len() / 2);
    let cases: [(&str, &[u8], &str); 10] = [
        ("", b"", "Please choose a file."),
        ("a.csv", b"", "This file is empty."),
        ("a.csv", b"\n\n", "This file is empty."),
        ("a.csv", b"sku,title\n", "There is no row below the names of the columns."),
        ("a.csv", b",,\n1,2,3\n", "The first row must name the columns."),
        ("a.xlsx", b"PK\x03\x04 and so on", "This is a spreadsheet, not CSV."),
        ("a.csv", b"\xff\xfes\0k\0u\0", "This file is UTF-16."),
        ("a.bin", b"\x00\x01\x02\n\x00", "This is no CSV file."),
        ("a.csv", wide.as_bytes(), "This file has 201 columns; at most 200 can be read."),
        ("a.csv.gz", &cut, "This gzip file is damaged"),
    ];
    for (name, content, sentence) in cases {
        let answer = mill.post_multipart(HERE, &[], &[("file", name, "text/csv", content)]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{name} {sentence}");
        let said = answer.texts("#f-file-error").join(" ");
        assert!(said.contains(sentence), "{name}: {said}");
    }
    let large = vec![b'x'; 64 * 1024 * 1024 + 1];
    let answer = mill.post_multipart(HERE, &[], &[("file", "a.csv", "text/csv", &large)]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text().contains("This file is larger than 64 MB."), "{}", answer.text());
    let answer = mill.post_multipart(HERE, &[("other", "1")], &[]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(count(&test.app, "select count(*) from imports").await, 0);

    test.services().close_store().await;
    let answer = mill.post_multipart(HERE, &[], &[("file", "a.csv", "text/csv", many(3).as_bytes())]).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.text().contains("the picture store is away"), "{}", answer.text());
    assert_eq!(count(&test.app, "select count(*) from imports").await, 0);
    test.services().open_store().await;

    // Hostile rows harm nobody but themselves.
    let mut file = format!("{HEAD}A-1,Good,,kitchen,1,,1,\nA-2,{},,kitchen,1,,1,\n", "y".repeat(200_000)).into_bytes();
    file.extend_from_slice(
        b"A-3,N\x00L,,kitchen,1,,1,\nA-4,\xff\xfe,,kitchen,1,,1,\nA-5\nA-6,<script>alert(1)</script>,,kitchen,x,,1,\n",
    );
    file.extend_from_slice(b"A-7,Last,,kitchen,1,,1,");
    let path = checked(&test, &mut mill, &file).await;
    assert_eq!(numbers(&mut mill, &path).await, ["2", "0", "0", "5"]);
    let lines: Vec<String> = shown(&mut mill, &path).await.into_iter().map(|(line, ..)| line).collect();
    assert_eq!(lines, ["3", "4", "5", "6", "7"]);
    let errors = mill.get(&format!("{path}/errors.csv")).await;
    assert_eq!((errors.status, errors.body.lines().count()), (StatusCode::OK, 6));
}

#[tokio::test]
async fn a_large_packed_file_goes_through_in_parts() {
    let (test, _) = TestApp::with_services().await;
    let mut mill = test.vendor("mill").await;
    // More than one part of the store, less than a second of packing.
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(b"sku,title,category,price,stock,note\n").expect("a file");
    let note = "z".repeat(40_000);
    for n in 0..500 {
        packed.write_all(format!("L-{n},Thing {n},kitchen,1.00,1,{note}\n").as_bytes()).expect("a file");
    }
    let path = checked(&test, &mut mill, packed.finish().expect("a file")).await;
    assert_eq!(count(&test.app, "select bytes_total / 1000000 from imports").await, 20);
    assert_eq!(numbers(&mut mill, &path).await, ["500", "0", "0", "0"]);
    import(&test, &mut mill, &path).await;
    assert_eq!(numbers(&mut mill, &path).await, ["500", "0", "0", "0"]);
}

#[tokio::test]
async fn old_imports_are_forgotten_with_their_files() {
    let (test, _) = TestApp::with_services().await;
    let mut mill = test.vendor("mill").await;
    let (old, young) = (checked(&test, &mut mill, many(3)).await, checked(&test, &mut mill, many(3)).await);
    let id: ImportId = old.rsplit('/').next().and_then(|id| id.parse().ok()).expect("an id");
    let key = format!("imports/{id}");
    assert!(test.app.storage.get(&key).await.expect("the store").is_some());
    sqlx::query("update imports set created_at = now() - interval '31 days' where id = $1")
        .bind(id.uuid())
        .execute(&test.app.pool)
        .await
        .expect("old");
    imports::sweep(&test.app).await.expect("it is swept");
    assert_eq!(mill.get(&old).await.status, StatusCode::NOT_FOUND);
    assert_eq!(mill.get(&young).await.status, StatusCode::OK);
    assert!(test.app.storage.get(&key).await.expect("the store").is_none());

    // A file that is gone before its time is said to be.
    let id: ImportId = young.rsplit('/').next().and_then(|id| id.parse().ok()).expect("an id");
    test.app.storage.delete(&format!("imports/{id}")).await.expect("it goes");
    import(&test, &mut mill, &young).await;
    assert!(mill.get(&young).await.text().contains("The file is no longer there. Please send it again."));
    // No page of ours serves what lies there.
    assert_eq!(mill.get(&format!("/media/imports/{id}")).await.status, StatusCode::NOT_FOUND);
}
