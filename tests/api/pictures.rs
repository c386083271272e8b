//! Pictures through the upload form, into a real store and out again; and everything that is no picture.

use crate::support::{Client, TestApp, World};
use http::StatusCode;
use image::{ImageFormat, Rgb, RgbImage};
use std::io::Cursor;
use uuid::Uuid;

fn sample(format: ImageFormat, width: u32, height: u32) -> Vec<u8> {
    let pixels = RgbImage::from_fn(width, height, |x, y| Rgb([(x % 256) as u8, (y % 256) as u8, 90]));
    let mut out = Cursor::new(Vec::new());
    pixels.write_to(&mut out, format).expect("an in-memory sample");
    out.into_inner()
}

fn place(world: &World) -> String {
    format!("/vendor/products/{}/pictures", world.vendors["mill"].products["mill-plain"])
}

async fn ids(test: &TestApp) -> Vec<Uuid> {
    sqlx::query_scalar("select id from pictures order by position").fetch_all(&test.app.pool).await.expect("pictures")
}

async fn upload(client: &mut Client, path: &str, files: &[(&str, &[u8])]) -> crate::support::Answer {
    let files: Vec<_> = files.iter().map(|(name, bytes)| ("pictures", *name, "image/jpeg", *bytes)).collect();
    client.post_multipart(path, &[], &files).await
}

#[tokio::test]
async fn someone_else_may_not_upload() {
    let (test, world) = TestApp::with_services().await;
    let (jpeg, path) = (sample(ImageFormat::Jpeg, 300, 200), place(&world));
    assert_eq!(upload(&mut test.vendor("kiln").await, &path, &[("a.jpg", &jpeg)]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(upload(&mut test.customer("ada").await, &path, &[("a.jpg", &jpeg)]).await.status, StatusCode::FORBIDDEN);
    assert!(upload(&mut test.guest(), &path, &[("a.jpg", &jpeg)]).await.location().starts_with("/sign-in"));
    assert!(ids(&test).await.is_empty());
}

#[tokio::test]
async fn pictures_are_kept_ordered_described_and_removed() {
    let (test, world) = TestApp::with_services().await;
    let mut mill = test.vendor("mill").await;
    let path = place(&world);
    let files = [sample(ImageFormat::Jpeg, 1200, 900), sample(ImageFormat::Png, 500, 700), sample(ImageFormat::WebP, 100, 100)];
    let answer = upload(&mut mill, &path, &[("one.jpg", &files[0]), ("two.jpg", &files[1]), ("three.jpg", &files[2])]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let before = ids(&test).await;
    assert_eq!(before.len(), 3);
    for id in &before {
        for width in [320, 640, 960] {
            let media = test.guest().get(&format!("/media/pictures/{id}/{width}.webp")).await;
            assert_eq!(media.status, StatusCode::OK);
            assert_eq!(media.headers["content-type"], "image/webp");
            assert!(media.headers["content-security-policy"].to_str().is_ok_and(|p| p.contains("sandbox")));
        }
    }
    let main: Option<Uuid> = sqlx::query_scalar("select picture_id from listings where slug = 'mill-plain'")
        .fetch_one(&test.app.pool)
        .await
        .expect("the listing");
    assert_eq!(main, Some(before[0]), "the first one is shown in lists");

    let press = |id: Uuid, action: &'static str| (format!("{path}/{id}"), action);
    for ((path, action), order) in [
        (press(before[2], "first"), [2, 0, 1]),
        (press(before[2], "earlier"), [2, 0, 1]),
        (press(before[2], "later"), [0, 2, 1]),
        (press(before[1], "earlier"), [0, 1, 2]),
        (press(before[2], "later"), [0, 1, 2]),
    ] {
        assert_eq!(mill.post_form(&path, &[("action", action)]).await.status, StatusCode::SEE_OTHER);
        assert_eq!(ids(&test).await, order.map(|i| before[i]), "{action}");
    }
    let one = format!("{path}/{}", before[0]);
    assert_eq!(
        mill.post_form(&one, &[("action", "describe"), ("alt", "A bowl & its \"lid\"")]).await.status,
        StatusCode::SEE_OTHER
    );
    let page = mill.get(&path).await;
    assert_eq!(page.attribute(".picture-cards img", "alt").as_deref(), Some("A bowl & its \"lid\""));
    let long = "x".repeat(201);
    assert_eq!(mill.post_form(&one, &[("action", "describe"), ("alt", &long)]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(mill.post_form(&one, &[("action", "frame")]).await.status, StatusCode::BAD_REQUEST);

    assert_eq!(mill.post_form(&one, &[("action", "delete")]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(ids(&test).await, [before[1], before[2]]);
    souk::server::jobs::drain(&test.app).await.expect("the jobs run");
    assert_eq!(test.guest().get(&format!("/media/pictures/{}/640.webp", before[0])).await.status, StatusCode::NOT_FOUND);
    assert_eq!(mill.post_form(&one, &[("action", "delete")]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_picture_that_shows_a_choice_comes_first_where_that_is_chosen() {
    let (test, world) = TestApp::with_services().await;
    let mut mill = test.vendor("mill").await;
    let path = format!("/vendor/products/{}/pictures", world.vendors["mill"].products["mill-choice"]);
    let jpeg = sample(ImageFormat::Jpeg, 300, 300);
    upload(&mut mill, &path, &[("one.jpg", &jpeg), ("two.jpg", &jpeg), ("three.jpg", &jpeg)]).await;
    let before = ids(&test).await;
    let page = mill.get(&path).await;
    assert_eq!(page.attributes("select[name=shows]:first-of-type option", "value")[..3], ["", "Small", "Large"]);
    for (picture, shows) in [(before[0], "Small"), (before[2], "Large"), (before[1], "Enormous")] {
        let fields = [("action", "describe"), ("alt", "A bowl"), ("shows", shows)];
        let answer = mill.post_form(&format!("{path}/{picture}"), &fields).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
    }
    let known: Vec<Option<String>> =
        sqlx::query_scalar("select shows from pictures order by position").fetch_all(&test.app.pool).await.expect("pictures");
    assert_eq!(known, [Some("Small".into()), None, Some("Large".into())], "nothing enormous is sold");

    let mut guest = test.guest();
    for (sku, order) in [("MILL-SMALL", [0, 1, 2]), ("MILL-LARGE", [2, 0, 1])] {
        let variant = world.variant(sku);
        let page = guest.get(&format!("/products/mill-choice?variant={variant}")).await;
        let shown = page.attributes(".gallery-strip li", "id");
        assert_eq!(shown, order.map(|i: usize| format!("picture-{}", before[i])), "{sku}");
        guest.post_form("/cart/items", &[("variant_id", &variant.to_string()), ("quantity", "1")]).await;
    }
    let cart = guest.get("/cart").await.attributes(".cart-line img", "src");
    assert_eq!(cart, [before[0], before[2]].map(|id| format!("/media/pictures/{id}/640.webp")));
}

#[tokio::test]
async fn what_is_no_picture_gets_a_sentence_and_leaves_nothing() {
    let (test, world) = TestApp::with_services().await;
    let mut mill = test.vendor("mill").await;
    let path = place(&world);
    let jpeg = sample(ImageFormat::Jpeg, 300, 200);
    let large = vec![0xff; 10 * 1024 * 1024 + 1];
    for (name, bytes, words) in [
        ("empty.jpg", &b""[..], "empty"),
        ("script.jpg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "not a JPEG"),
        ("page.jpg", b"<!doctype html><script>alert(1)</script>", "not a JPEG"),
        ("anim.gif", b"GIF89a\x01\0\x01\0\0\0\0;", "not a JPEG"),
        ("half.jpg", &jpeg[..jpeg.len() / 2], "damaged or incomplete"),
        ("large.jpg", &large, "larger than 10 MB"),
    ] {
        let answer = upload(&mut mill, &path, &[(name, bytes)]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
        let said = answer.texts(".error-summary li").join(" ");
        assert!(said.contains(name) && said.contains(words), "{name}: {said}");
    }
    assert!(ids(&test).await.is_empty());

    // One bad file among good ones: the good ones are kept, the bad one is named, and its name is only text.
    let answer = upload(&mut mill, &path, &[("ok.jpg", &jpeg), ("<b>bad</b>.jpg", b"no")]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text().contains("One picture was added.") && answer.text().contains("<b>bad</b>.jpg: This is not"));
    assert_eq!(ids(&test).await.len(), 1);

    // A picture with a page behind it: the picture is kept, the page is not.
    let mut polyglot = jpeg.clone();
    polyglot.extend_from_slice(b"<script>alert('polyglot')</script>");
    assert_eq!(upload(&mut mill, &path, &[("both.jpg", &polyglot)]).await.status, StatusCode::SEE_OTHER);
    let id = ids(&test).await[1];
    let stored = test.app.storage.get(&format!("pictures/{id}/960.webp")).await.expect("the store").expect("the object");
    assert!(!stored.0.windows(8).any(|w| w == b"polyglot"));

    // No file at all, more than the form may hold, and another kind of body.
    assert_eq!(upload(&mut mill, &path, &[("", b"")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let heavy = vec![0u8; 9 * 1024 * 1024];
    let answer = upload(&mut mill, &path, &[("a.jpg", &heavy), ("b.jpg", &heavy)]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text().contains("larger than 11 MB together"), "{}", answer.text());
    assert!(mill.post_form(&path, &[("pictures", "x")]).await.status.is_client_error());
}

#[tokio::test]
async fn a_product_has_at_most_twelve() {
    let (test, world) = TestApp::with_services().await;
    let mut mill = test.vendor("mill").await;
    let path = place(&world);
    let small = sample(ImageFormat::Png, 4, 4);
    let files: Vec<(&str, &[u8])> = (0..13).map(|_| ("p.png", small.as_slice())).collect();
    let answer = upload(&mut mill, &path, &files).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text().contains("at most 12 pictures"));
    assert_eq!(ids(&test).await.len(), 12);
    assert!(mill.get(&path).await.texts("form.upload").is_empty());
}
