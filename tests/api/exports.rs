//! What vendors take away as CSV, and bring back: it comes back as it was, and real goods are changed in bulk.

use crate::{
    imports::{HEAD, bring, checked, choose, chosen, goods, import, numbers, shown},
    support::{
        Client, TestApp, World,
        purchase::{assert_laws_hold, count, paid, parcel_of},
    },
};
use http::StatusCode;
use souk::server::jobs;
use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

pub async fn export(who: &mut Client, path: &str) -> String {
    let answer = who.get(path).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8"));
    assert!(answer.header("content-disposition").is_some_and(|d| d.starts_with("attachment; filename=\"")));
    assert_eq!(answer.header("cache-control"), Some("private, no-store"));
    answer.body.strip_prefix('\u{feff}').expect("a byte order mark").to_owned()
}

fn table(file: &str) -> Vec<HashMap<String, String>> {
    csv::Reader::from_reader(file.as_bytes()).deserialize().map(|row| row.expect("a row")).collect()
}

#[tokio::test]
async fn what_is_exported_comes_back_as_it_was() {
    let (test, world) = TestApp::with_services().await;
    let mut mill = test.vendor("mill").await;
    // Whatever a cell can make hard.
    let file = format!(
        "{HEAD}F-1,'=SUM(A1:A9),\"He said \"\"no\"\", twice;\n\n'-- and -- 100 %\",kitchen,0.05,GBP,0,\n\
         F-2,''@mention,'+44 20 7946 0000,kitchen,9999999.99,GBP,10000000,Größe=M\\;L\\=XL; Colour\\\\=Flieder=lila\n\
         '-5,بيت,,home,1.00,GBP,5,\n"
    );
    let path = checked(&test, &mut mill, &file).await;
    assert_eq!(shown(&mut mill, &path).await, []);
    import(&test, &mut mill, &path).await;
    let titles = "select count(*) from products where title in ('=SUM(A1:A9)', '''@mention', 'بيت')";
    assert_eq!(count(&test.app, titles).await, 3);
    // Things that unpaid orders hold, that stand aside or are archived.
    let before = goods(&test, world.vendors["mill"].id).await;
    assert_eq!(before.len(), 7);

    let exported = export(&mut mill, "/vendor/products.csv").await;
    let rows = table(&exported);
    assert_eq!(rows.len(), 7);
    for row in &rows {
        assert!(!row.values().any(|cell| cell.starts_with(['=', '+', '-', '@'])), "{row:?}");
    }
    let path = checked(&test, &mut mill, &exported).await;
    assert_eq!(numbers(&mut mill, &path).await, ["0", "0", "7", "0"]);
    assert_eq!(mill.get(&path).await.texts("#live-actions button"), Vec::<String>::new(), "there is nothing to import");
    // Whoever asks all the same changes nothing either.
    import(&test, &mut mill, &path).await;
    assert_eq!(numbers(&mut mill, &path).await, ["0", "0", "7", "0"]);
    assert_eq!(goods(&test, world.vendors["mill"].id).await, before);
    assert_eq!(export(&mut mill, "/vendor/products.csv").await, exported);

    // The same filters as the list.
    let found = table(&export(&mut mill, "/vendor/products.csv?q=mill-small").await);
    assert_eq!(found.len(), 2, "the product with both its variants");
    assert_eq!(table(&export(&mut mill, "/vendor/products.csv?status=draft").await).len(), 0);
    assert_eq!(mill.get("/vendor/products.csv?status=lost").await.status, StatusCode::BAD_REQUEST);
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn orders_are_exported_as_the_list_shows_them() {
    let (test, _) = TestApp::with_services().await;
    let first = paid(&test, None, &[("MILL-PLAIN", 2), ("MILL-SMALL", 1), ("KILN-PLAIN", 1)]).await;
    let second = paid(&test, None, &[("MILL-LARGE", 1)]).await;
    let mut mill = test.vendor("mill").await;
    let rows = table(&export(&mut mill, "/vendor/orders.csv?show=all").await);
    assert_eq!(rows.len(), 3, "a row for each line of the mill's own");
    let of = |sku: &str| rows.iter().find(|row| row["sku"] == sku).unwrap_or_else(|| panic!("{sku}"));
    assert_eq!((of("MILL-PLAIN")["quantity"].as_str(), of("MILL-PLAIN")["line_total"].as_str()), ("2", "20.00"));
    assert_eq!(of("MILL-LARGE")["state"], "to ship");
    assert_eq!(rows[0]["sku"], "MILL-LARGE", "newest first");
    let (parcel, lines) = parcel_of(&test, &second, "mill").await;
    let field = format!("lines[{}]", lines[0]);
    let answer = mill.post_form(&format!("/vendor/orders/{parcel}/shipments"), &[(&field, "1"), ("carrier", "DPD")]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let shipped = table(&export(&mut mill, "/vendor/orders.csv?show=shipped").await);
    assert_eq!(
        shipped.iter().map(|row| (row["sku"].as_str(), row["state"].as_str())).collect::<Vec<_>>(),
        [("MILL-LARGE", "shipped")]
    );
    assert_eq!(table(&export(&mut mill, "/vendor/orders.csv").await).len(), 2);
    let numbers: Vec<String> = sqlx::query_scalar("select number::text from orders where id = $1")
        .bind(first.id.uuid())
        .fetch_all(&test.app.pool)
        .await
        .expect("it");
    assert_eq!(of("MILL-PLAIN")["order"], numbers[0]);
    assert!(
        mill.get("/vendor/orders")
            .await
            .attributes("a[download]", "href")
            .contains(&"/vendor/orders.csv?show=to_ship".to_owned())
    );
}

/// The goods of the real invoices, one row for each code: what is not sellable stands there too.
fn retail_goods(file: &Path) -> (String, usize) {
    let reader: Box<dyn std::io::Read> = {
        let file = std::fs::File::open(file).expect("the file");
        if file.metadata().is_ok_and(|m| m.len() > 1_000_000) {
            Box::new(flate2::read::MultiGzDecoder::new(file))
        } else {
            Box::new(file)
        }
    };
    // By code: the last description that is one, the last price, all pieces.
    let mut goods: BTreeMap<String, (String, String, i64)> = BTreeMap::new();
    for row in csv::ReaderBuilder::new().flexible(true).from_reader(reader).byte_records() {
        let row = row.expect("a row");
        let field = |at: usize| String::from_utf8_lossy(row.get(at).unwrap_or_default()).trim().to_owned();
        let one = goods.entry(field(1).to_uppercase()).or_default();
        if !field(2).is_empty() {
            one.0 = field(2);
        }
        if one.1.is_empty() || field(5).parse::<f64>().is_ok_and(|price| price > 0.0) {
            one.1 = field(5);
        }
        one.2 += field(3).parse::<i64>().unwrap_or_default();
    }
    let mut file = csv::Writer::from_writer(Vec::new());
    file.write_record(["StockCode", "Description", "UnitPrice", "Quantity"]).expect("names");
    let rows = goods.len();
    for (code, (title, price, stock)) in goods {
        file.write_record([&code, &title, &price, &stock.to_string()]).expect("a row");
    }
    (String::from_utf8(file.into_inner().expect("a file")).expect("text"), rows)
}

#[tokio::test]
async fn the_goods_of_real_invoices_are_one_vendors_and_changed_in_bulk() {
    let (test, world): (_, World) = TestApp::with_services().await;
    let mut mill = test.vendor("mill").await;
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let real = project.join("../shared/data/online-retail.csv.gz");
    let (file, rows) = retail_goods(&if real.exists() { real.clone() } else { project.join("tests/data/retail.csv") });
    let path = bring(&mut mill, "online-retail.csv", &file).await;
    let mut fields = chosen(&mill.get(&path).await);
    for (ours, theirs) in [("sku", "0"), ("title", "1"), ("price", "2"), ("stock", "3"), ("category", "")] {
        assert_eq!(fields[ours], theirs, "{ours} is guessed");
    }
    fields.insert("all_in".into(), world.category.to_string());
    assert_eq!(choose(&mut mill, &path, &fields).await.status, StatusCode::SEE_OTHER);
    jobs::drain(&test.app).await.expect("the jobs run");
    let told = numbers(&mut mill, &path).await.map(|n| n.replace(',', "").parse::<usize>().expect("a number"));
    let [created, 0, 0, refused] = told else { panic!("{told:?}") };
    assert_eq!(created + refused, rows);
    import(&test, &mut mill, &path).await;
    assert_eq!(
        count(
            &test.app,
            "select count(*) from variants where sku not like '%MILL%' and sku not like '%KILN%' and sku not like '%ORCHARD%'"
        )
        .await as usize,
        created
    );
    // Each row that is left out is named, once, with its line and the reason.
    let errors = mill.get(&format!("{path}/errors.csv")).await.body;
    let errors = table(errors.trim_start_matches('\u{feff}'));
    assert_eq!(errors.len(), refused);
    for row in &errors {
        let why = row["error"].as_str();
        assert!(
            why.starts_with("title: ") || why.starts_with("stock: ") || why.starts_with("price: ") || why.starts_with("sku: "),
            "{row:?}"
        );
    }
    println!("retail: {rows} codes, {created} taken, {refused} left out");
    if real.exists() {
        assert!((3_700..4_300).contains(&rows) && created > 3_500, "{rows} codes, {created} taken");
    }

    // A hundred are renamed and priced anew in what is exported; the rest stays to the letter.
    let exported = export(&mut mill, "/vendor/products.csv").await;
    let before = table(&exported);
    let mut reader = csv::Reader::from_reader(exported.as_bytes());
    let mut changed = csv::Writer::from_writer(Vec::new());
    changed.write_record(reader.headers().expect("names")).expect("names");
    let mut renamed = 0;
    for (n, row) in reader.records().enumerate() {
        let mut cells: Vec<String> = row.expect("a row").iter().map(str::to_owned).collect();
        if n % (before.len() / 100).max(1) == 0 && renamed < 100 && !cells[0].contains("MILL") {
            renamed += 1;
            cells[1] = format!("New name {n}");
            cells[4] = format!("{}.99", n + 1);
        }
        changed.write_record(&cells).expect("a row");
    }
    let changed = changed.into_inner().expect("a file");
    let path = checked(&test, &mut mill, &changed).await;
    let rest = before.len() - renamed;
    let expected = [0, renamed, rest, 0].map(|n| n.to_string());
    assert_eq!(numbers(&mut mill, &path).await.map(|n| n.replace(',', "")), expected);
    import(&test, &mut mill, &path).await;
    let after = export(&mut mill, "/vendor/products.csv").await;
    assert_eq!(table(&after), table(std::str::from_utf8(&changed).expect("text")));
    let repriced = count(&test.app, "select count(*) from audit_log where action = 'product.repriced'").await;
    assert_eq!(repriced as usize, renamed);
    assert_laws_hold(&test.app).await;
}
