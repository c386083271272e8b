//! Faults of others: the database restarts, the store is away or full, the mail server is away. People get a true sentence, nothing
//! is lost, and it heals by itself. Stripe's faults are in `payments` and `webhooks`.

use crate::support::{
    Client, TestApp, World,
    purchase::{assert_laws_hold, count},
};
use http::StatusCode;
use souk::{
    sandbox::postgres,
    server::{jobs, start::MIGRATIONS},
    shopper::{Basket, Shop, Step},
};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

/// A folder that is gone with the value.
struct Folder(std::path::PathBuf);

impl Folder {
    fn make() -> Self {
        let path = std::env::temp_dir().join(format!("souk-faults-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_go_on_buying_after_the_database_lost_its_power() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = Folder::make();
    let database = postgres::start(&folder.0).await.expect("a PostgreSQL of its own");
    let pool = souk::server::start::connect(database.url()).await.expect("a pool");
    MIGRATIONS.run(&pool).await.expect("the migrations");
    let world = World::build(&pool).await;
    let (app, services) = crate::support::Services::start(pool.clone()).await;
    let stop = tokio_util::sync::CancellationToken::new();
    let worker = tokio::spawn(jobs::work(app.clone(), stop.clone()));

    let shop = Shop::at(&format!("http://{}", services.shop)).expect("a shop").patient(Duration::from_secs(60));
    let (begun, paid) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let buyers = async {
        for number in 0..24 {
            begun.fetch_add(1, Ordering::Relaxed);
            let lines = vec![(world.variant("MILL-PLAIN"), 1), (world.variant("KILN-PLAIN"), 1)];
            let basket = Basket { lines, email: format!("buyer-{number}@example.com"), total_minor: 1_000_000 };
            assert_eq!(shop.buy(&basket).await.expect("a purchase"), Step::Done(()), "buyer {number}");
            paid.fetch_add(1, Ordering::Relaxed);
        }
    };
    let trouble = async {
        for after in [5, 12, 18] {
            while begun.load(Ordering::Relaxed) < after {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            database.crash_and_recover().await.expect("the database comes back");
        }
    };
    tokio::join!(buyers, trouble);
    assert_eq!(paid.load(Ordering::Relaxed), 24);

    // What a lost connection left for later is done later.
    let until = std::time::Instant::now() + Duration::from_secs(60);
    loop {
        for lease in [
            "update jobs set run_at = now() where state = 'queued'",
            "update jobs set lease_until = now() where state = 'running'",
        ] {
            sqlx::query(lease).execute(&pool).await.expect("time passes");
        }
        let busy = count(&app, "select count(*) from jobs where state in ('queued', 'running')").await;
        if busy == 0 || std::time::Instant::now() > until {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    for (statement, number) in [
        ("select count(*) from orders where status = 'placed'", 24),
        ("select count(distinct email) from orders where status = 'placed'", 24),
        ("select count(*) from jobs where state <> 'done'", 0),
        ("select on_hand from stock join variants v on v.id = variant_id where sku = 'MILL-PLAIN'", 76),
    ] {
        let found: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("select ({statement})::bigint")))
            .fetch_one(&pool)
            .await
            .expect(statement);
        assert_eq!(found, number, "{statement}");
    }
    assert_laws_hold(&app).await;

    // While it is away nobody gets a half page: the sentence is true.
    stop.cancel();
    worker.await.expect("the worker ends");
    let guest = souk::server::router::router(app.clone());
    drop(services);
    database.stop().await.expect("the database ends");
    let answer = Client::new(guest).get("/vendors/mill?q=bowl").await;
    assert!(answer.status.is_server_error(), "{}", answer.status);
    assert!(answer.text().contains("our side"), "{}", answer.text());
}

fn picture() -> Vec<u8> {
    let pixels = image::RgbImage::from_fn(400, 300, |x, y| image::Rgb([(x % 256) as u8, (y % 256) as u8, 90]));
    let mut out = std::io::Cursor::new(Vec::new());
    pixels.write_to(&mut out, image::ImageFormat::Jpeg).expect("an in-memory sample");
    out.into_inner()
}

async fn upload(client: &mut Client, world: &World) -> crate::support::Answer {
    let path = format!("/vendor/products/{}/pictures", world.vendors["mill"].products["mill-plain"]);
    client.post_multipart(&path, &[], &[("pictures", "bowl.jpg", "image/jpeg", &picture())]).await
}

#[tokio::test]
async fn without_the_store_nothing_is_half_kept_and_it_heals() {
    let (test, world) = TestApp::with_services().await;
    let mut mill = test.vendor("mill").await;
    for full in [false, true] {
        if full {
            test.services().fill_store(true).await;
        } else {
            test.services().close_store().await;
        }
        let answer = upload(&mut mill, &world).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.text());
        assert!(answer.text().contains("bowl.jpg") && answer.text().contains("could not be kept"), "{}", answer.text());
        assert_eq!(count(&test.app, "select count(*) from pictures").await, 0);
        // The shop stays open meanwhile.
        assert_eq!(test.guest().get("/products/mill-plain").await.status, StatusCode::OK);
        if full {
            test.services().fill_store(false).await;
        } else {
            test.services().open_store().await;
        }
        assert_eq!(upload(&mut mill, &world).await.status, StatusCode::SEE_OTHER);
        let id: uuid::Uuid = sqlx::query_scalar("select id from pictures").fetch_one(&test.app.pool).await.expect("a picture");
        let address = format!("/media/pictures/{id}/320.webp");
        assert_eq!(test.guest().get(&address).await.status, StatusCode::OK);
        if full {
            break;
        }
        // A picture that is deleted while the store is away is gone when it is back.
        test.services().close_store().await;
        let answer = test.guest().get(&address).await;
        assert!(answer.status.is_server_error(), "{}", answer.status);
        let place = format!("/vendor/products/{}/pictures/{id}", world.vendors["mill"].products["mill-plain"]);
        assert_eq!(mill.post_form(&place, &[("action", "delete")]).await.status, StatusCode::SEE_OTHER);
        jobs::drain(&test.app).await.expect("jobs run");
        // This one's, and that of what the failed upload may have left.
        assert_eq!(count(&test.app, "select count(*) from jobs where kind = 'delete_picture' and state = 'queued'").await, 2);
        test.services().open_store().await;
        sqlx::query("update jobs set run_at = now()").execute(&test.app.pool).await.expect("time passes");
        jobs::drain(&test.app).await.expect("jobs run");
        assert_eq!(test.guest().get(&address).await.status, StatusCode::NOT_FOUND);
    }
}

/// A mail server that takes one mail and says what it was sent (RFC 5321).
async fn take_one_mail(listener: tokio::net::TcpListener) -> String {
    let (stream, _) = listener.accept().await.expect("a client");
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 mail.example.com\r\n").await.expect("a greeting");
    let (mut mail, mut in_data) = (String::new(), false);
    while let Some(line) = lines.next_line().await.expect("a line") {
        let answer: &[u8] = match line.as_str() {
            "." if in_data => {
                in_data = false;
                b"250 kept\r\n"
            }
            _ if in_data => {
                mail.push_str(&line);
                mail.push('\n');
                continue;
            }
            "DATA" => {
                in_data = true;
                b"354 go on\r\n"
            }
            "QUIT" => break,
            _ => b"250 fine\r\n",
        };
        write.write_all(answer).await.expect("an answer");
        if !mail.is_empty() && !in_data {
            break;
        }
    }
    mail
}

#[tokio::test]
async fn mail_waits_for_a_mail_server_that_is_away() {
    let address = souk::prove::stand::free_address().expect("a port");
    let (test, _) = TestApp::with_services_and(|config| config.smtp_url = Some(format!("smtp://{address}"))).await;
    let fields = [("name", "Grace Guest"), ("email", "grace@example.com"), ("password", "a long enough password")];
    assert_eq!(test.guest().post_form("/register", &fields).await.status, StatusCode::SEE_OTHER, "nobody waits for mail");
    assert!(count(&test.app, "select count(*) from outbox where recipient = 'grace@example.com'").await > 0);
    jobs::drain(&test.app).await.expect("jobs run");
    assert_eq!(count(&test.app, "select count(*) from outbox where sent_at is not null").await, 0);
    assert_eq!(count(&test.app, "select count(*) from jobs where state = 'queued' and last_error is not null").await, 1);

    let server = tokio::spawn(take_one_mail(tokio::net::TcpListener::bind(address).await.expect("the port is still free")));
    sqlx::query("update jobs set run_at = now()").execute(&test.app.pool).await.expect("time passes");
    jobs::drain(&test.app).await.expect("jobs run");
    let mail = server.await.expect("the mail server");
    assert!(mail.contains("To: grace@example.com"), "{mail}");
    assert_eq!(count(&test.app, "select count(*) from outbox where sent_at is null").await, 0);
    assert_eq!(count(&test.app, "select count(*) from jobs where state <> 'done'").await, 0);
    assert_laws_hold(&test.app).await;
}
