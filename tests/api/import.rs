//! `souk import`: new and known goods, a dry run that keeps nothing, errors by line, going on, and hostile files.

use crate::support::TestApp;
use souk::catalog::import::{Import, Summary, Told, import};
use std::path::PathBuf;
use uuid::Uuid;

const HEAD: &str = "sku,title,description,category,price,currency,stock,options,image\n";

/// A CSV of its own in the system's folder for such things; gone when the test is.
struct Csv(PathBuf);

impl Csv {
    fn new(content: impl AsRef<[u8]>) -> Self {
        let path = std::env::temp_dir().join(format!("souk-import-{}.csv", Uuid::now_v7()));
        std::fs::write(&path, content).expect("a file");
        Self(path)
    }
}

impl Drop for Csv {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

async fn run(test: &TestApp, csv: &Csv, dry_run: bool) -> (Summary, Vec<(u64, String)>) {
    let mut refused = Vec::new();
    let what = Import { file: csv.0.clone(), vendor: "mill".into(), dry_run };
    let summary = import(&test.app, &what, |told| {
        if let Told::Refused { line, why } = told {
            refused.push((line, why));
        }
    })
    .await
    .expect("the import ends");
    (summary, refused)
}

async fn count(test: &TestApp, sql: &str) -> i64 {
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql.to_owned())).fetch_one(&test.app.pool).await.expect("a count")
}

fn summary(created: u64, updated: u64, refused: u64) -> Summary {
    Summary { resumed: 0, created, updated, unchanged: 0, refused }
}

fn unchanged(rows: u64) -> Summary {
    Summary { unchanged: rows, ..Summary::default() }
}

#[tokio::test]
async fn new_goods_are_published_and_known_ones_follow_the_file() {
    let (test, world) = TestApp::new().await;
    let first = Csv::new(format!(
        "{HEAD}N-1,Oak bowl,Turned.,kitchen,24.00,GBP,7,,\n\
         N-2,Linen cloth,Washed.,Kitchen,9.50,,3,Size=S; Colour=Flax,\n\
         N-3,Linen cloth,Washed.,kitchen,12.50,GBP,0,Colour=Flax; Size=L,\n\
         MILL-PLAIN,The mill's plain bowl,New words.,kitchen,11.00,GBP,55,,\n"
    ));
    assert_eq!(run(&test, &first, false).await, (summary(3, 1, 0), vec![]));
    let cloth = "select count(*) from variants v join products p on p.id = v.product_id
                 where p.title = 'Linen cloth' and p.status = 'published' and p.option_names = '{Size,Colour}'";
    assert_eq!(count(&test, cloth).await, 2);
    assert_eq!(count(&test, "select count(*) from variants where sku = 'N-3' and option_values = '{L,Flax}'").await, 1);
    assert_eq!(count(&test, "select count(*) from listings where slug = 'oak-bowl' and price_minor = 2400").await, 1);
    let plain = sqlx::query_as::<_, (i64, i32, String)>(
        "select v.price_minor, s.on_hand, p.description from variants v join stock s on s.variant_id = v.id
         join products p on p.id = v.product_id where v.id = $1",
    )
    .bind(world.variant("MILL-PLAIN"))
    .fetch_one(&test.app.pool)
    .await
    .expect("the variant");
    assert_eq!(plain, (1100, 55, "New words.".into()));

    // The same file once more changes nothing and makes nothing.
    let before = count(&test, "select count(*) from variants").await;
    assert_eq!(run(&test, &first, false).await, (unchanged(4), vec![]));
    assert_eq!(count(&test, "select count(*) from variants").await, before);
}

#[tokio::test]
async fn another_vendors_sku_is_another_sku() {
    let (test, world) = TestApp::new().await;
    let csv = Csv::new(format!("{HEAD}KILN-PLAIN,My own bowl,,kitchen,1.00,GBP,1,,\n"));
    assert_eq!(run(&test, &csv, false).await, (summary(1, 0, 0), vec![]));
    let kiln: i64 = sqlx::query_scalar("select price_minor from variants where id = $1")
        .bind(world.variant("KILN-PLAIN"))
        .fetch_one(&test.app.pool)
        .await
        .expect("the variant");
    assert_eq!(kiln, 1000);
    let nobody = Import { file: csv.0.clone(), vendor: "nobody".into(), dry_run: false };
    assert!(import(&test.app, &nobody, |_| {}).await.is_err());
}

#[tokio::test]
async fn a_dry_run_keeps_nothing() {
    let (test, _) = TestApp::new().await;
    let csv = Csv::new(format!(
        "{HEAD}N-1,Oak bowl,,kitchen,24.00,GBP,7,,\nMILL-PLAIN,Changed,,kitchen,1,GBP,1,,\nN-2,,,kitchen,1,GBP,1,,\n"
    ));
    let (done, refused) = run(&test, &csv, true).await;
    assert_eq!((done, refused.len()), (summary(1, 1, 1), 1));
    assert_eq!(count(&test, "select count(*) from products where title in ('Oak bowl', 'Changed')").await, 0);
    assert_eq!(count(&test, "select count(*) from import_runs").await, 0);
}

#[tokio::test]
async fn a_dry_run_counts_a_sku_once_however_far_apart_its_rows_are() {
    let (test, _) = TestApp::new().await;
    let mut file = HEAD.to_owned();
    for n in (1..=700).chain(100..=105).chain(690..=695) {
        file.push_str(&format!("C-{n},Thing {n},,kitchen,{n}.00,GBP,{n},,\n"));
    }
    let csv = Csv::new(&file);
    // More rows than one batch has. Of a SKU that an earlier batch would have made, a trial cannot say whether it is the same then.
    let tried = Summary { created: 700, updated: 6, unchanged: 6, ..Summary::default() };
    assert_eq!(run(&test, &csv, true).await, (tried, vec![]));
    assert_eq!(count(&test, "select count(*) from variants where sku like 'C-%'").await, 0);
    // A row of a SKU that an earlier row made finds it as it says.
    assert_eq!(run(&test, &csv, false).await, (Summary { created: 700, unchanged: 12, ..Summary::default() }, vec![]));
    assert_eq!(run(&test, &csv, true).await, (unchanged(712), vec![]));
}

#[tokio::test]
async fn errors_name_their_line_and_harm_no_other_row() {
    let (test, _) = TestApp::new().await;
    let long = "x".repeat(201);
    let mut file = format!(
        "{HEAD}A-1,Good,\"Two\nlines\",kitchen,1.00,GBP,1,,\n\
         A-2,No such place,,attic,1.00,GBP,1,,\n\
         A-3,Euros,,kitchen,1.00,EUR,1,,\n\
         A-4,Price,,kitchen,a lot,GBP,1,,\n\
         A-5,{long},,kitchen,1.00,GBP,1,,\n\
         A-6,Stock,,kitchen,1.00,GBP,-1,,\n\
         A-7,Picture,,kitchen,1.00,GBP,1,,not-there.png\n\
         A-8,Twice,,kitchen,1.00,GBP,1,Size=S,\n\
         A-9,Twice,,kitchen,1.00,GBP,1,Size=S,\n"
    )
    .into_bytes();
    file.extend_from_slice(b"A-10,N\x00L,,kitchen,1.00,GBP,1,,\n");
    file.extend_from_slice(b"A-11,\xff\xfe,,kitchen,1.00,GBP,1,,\n");
    file.extend_from_slice(format!("A-12,{},,kitchen,1.00,GBP,1,,\n", "y".repeat(200_000)).as_bytes());
    file.extend_from_slice(b"A-13\nA-14,Last,,kitchen,1.00,GBP,1,,");
    let (done, refused) = run(&test, &Csv::new(file), false).await;
    let lines: Vec<u64> = refused.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15], "{refused:?}");
    assert_eq!(done, summary(3, 0, 11));
    assert_eq!(count(&test, "select count(*) from variants where sku like 'A-%'").await, 3);
    // A refused row leaves no product without a variant.
    assert_eq!(
        count(&test, "select count(*) from products p where not exists (select 1 from variants where product_id = p.id)").await,
        0
    );
}

#[tokio::test]
async fn a_stopped_run_goes_on_after_its_last_batch() {
    let (test, _) = TestApp::new().await;
    let mut file = HEAD.to_owned();
    for n in 1..=1203 {
        file.push_str(&format!("B-{n},Thing {n},,kitchen,{n}.00,GBP,{n},,\n"));
    }
    let csv = Csv::new(&file);
    // Stopped as a kill would: whatever runs is dropped when the first batch was told.
    let stopped = {
        let what = Import { file: csv.0.clone(), vendor: "mill".into(), dry_run: false };
        let app = test.app.clone();
        let (tell, told) = tokio::sync::oneshot::channel();
        let mut tell = Some(tell);
        let task = tokio::spawn(async move {
            import(&app, &what, |t| {
                if let (Told::Progress { .. }, Some(tell)) = (t, tell.take()) {
                    let _ = tell.send(());
                }
            })
            .await
        });
        told.await.expect("a first batch");
        task.abort();
        task.await
    };
    let done = count(&test, "select rows_done from import_runs").await;
    assert!(done >= 200 && (done < 1203 || stopped.is_ok()), "{done}");
    assert_eq!(count(&test, "select count(*) from variants where sku like 'B-%'").await, done);
    let (rest, refused) = run(&test, &csv, false).await;
    assert!(refused.is_empty());
    if done < 1203 {
        assert_eq!(rest.resumed as i64, done);
        assert_eq!(rest.created, 1203);
    }
    assert_eq!(count(&test, "select count(*) from variants where sku like 'B-%'").await, 1203);
    assert_eq!(count(&test, "select count(*) from import_runs where finished_at is not null and rows_done = 1203").await, 1);
}

#[tokio::test]
async fn a_file_without_its_columns_is_refused_whole() {
    let (test, _) = TestApp::new().await;
    for content in [&b""[..], b"name,price\n1,2\n", b"\x00\xff\n"] {
        let csv = Csv::new(content);
        let what = Import { file: csv.0.clone(), vendor: "mill".into(), dry_run: false };
        assert!(import(&test.app, &what, |_| {}).await.is_err());
    }
    assert_eq!(count(&test, "select count(*) from import_runs where finished_at is not null").await, 0);
}
