//! Who of a shop's team may do what: every address of the desk, every call of a vendor's in the REST interface and every server function
//! there is, taken from the router, the document and the program itself, so that none can be forgotten. Each is tried as a guest, a
//! shopper, another shop's owner with this shop's ids, and each role.

use super::{TEAM, member};
use crate::{
    returns,
    support::{
        Answer, Client, TestApp, World,
        purchase::{count, deliver_all, onboard, paid, parcel_of},
    },
};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use souk::{
    server::{router::people, state::App},
    vendors::role::TeamRole::{self, Fulfiller, Manager, Owner},
};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

const GET: Method = Method::GET;
const POST: Method = Method::POST;

/// What a form brings.
#[derive(Clone, Copy)]
enum Brings {
    Nothing,
    Fields(&'static [(&'static str, &'static str)]),
    /// A file in this field.
    File(&'static str),
}
use Brings::{Fields, File, Nothing};

/// Method, address, the least role that is enough, what a form brings. In this order they are tried, and what takes something away comes last.
const PAGES: &[(Method, &str, TeamRole, Brings)] = &[
    (GET, "/vendor", Fulfiller, Nothing),
    (GET, "/vendor/events", Fulfiller, Nothing),
    (GET, "/vendor/orders", Fulfiller, Nothing),
    (GET, "/vendor/orders/ship", Fulfiller, Nothing),
    (POST, "/vendor/orders/ship", Fulfiller, Nothing),
    (GET, "/vendor/orders/{order}", Fulfiller, Nothing),
    (GET, "/vendor/orders/{order}/packing-slip.pdf", Fulfiller, Nothing),
    (GET, "/vendor/orders/{order}/messages", Fulfiller, Nothing),
    (POST, "/vendor/orders/{order}/messages", Fulfiller, Fields(&[("text", "It leaves tomorrow.")])),
    (GET, "/vendor/orders.csv", Fulfiller, Nothing),
    (GET, "/vendor/products.csv", Fulfiller, Nothing),
    (GET, "/vendor/imports", Manager, Nothing),
    (POST, "/vendor/imports", Manager, File("file")),
    (GET, "/vendor/imports/{import}", Manager, Nothing),
    (GET, "/vendor/imports/{import}/columns", Manager, Nothing),
    (POST, "/vendor/imports/{import}/columns", Manager, Nothing),
    (GET, "/vendor/imports/{import}/start", Manager, Nothing),
    (POST, "/vendor/imports/{import}/start", Manager, Nothing),
    (GET, "/vendor/imports/{import}/errors.csv", Manager, Nothing),
    (GET, "/vendor/imports/{import}/cancel", Manager, Nothing),
    (POST, "/vendor/imports/{import}/cancel", Manager, Nothing),
    (GET, "/vendor/orders/{order}/shipments", Fulfiller, Nothing),
    (POST, "/vendor/orders/{order}/shipments", Fulfiller, Nothing),
    (GET, "/vendor/orders/{order}/refunds", Fulfiller, Nothing),
    (POST, "/vendor/orders/{order}/refunds", Manager, Nothing),
    (POST, "/vendor/orders/{order}/delivered", Manager, Nothing),
    (GET, "/vendor/products", Fulfiller, Nothing),
    (POST, "/vendor/products", Manager, Nothing),
    (GET, "/vendor/products/new", Manager, Nothing),
    (GET, "/vendor/products/bulk", Manager, Nothing),
    (POST, "/vendor/products/bulk", Manager, Nothing),
    (POST, "/vendor/products/undo/{change}", Manager, Nothing),
    (GET, "/vendor/stock", Manager, Nothing),
    (POST, "/vendor/stock", Manager, Nothing),
    (GET, "/vendor/products/{product}", Fulfiller, Nothing),
    (POST, "/vendor/products/{product}", Manager, Nothing),
    (GET, "/vendor/products/{product}/pictures", Manager, Nothing),
    (POST, "/vendor/products/{product}/pictures", Manager, File("pictures")),
    (POST, "/vendor/products/{product}/pictures/{picture}", Manager, Fields(&[("action", "describe"), ("alt", "A bowl")])),
    (POST, "/vendor/products/{product}/status", Manager, Fields(&[("status", "draft")])),
    (GET, "/vendor/returns", Manager, Nothing),
    (GET, "/vendor/returns/{return}", Manager, Nothing),
    (POST, "/vendor/returns/{return}", Manager, Fields(&[("action", "ask"), ("question", "When?")])),
    (GET, "/vendor/returns/{return}/pictures/{picture}/{width}", Manager, Nothing),
    (GET, "/vendor/disputes", Manager, Nothing),
    (GET, "/vendor/disputes/{dispute}", Manager, Nothing),
    (POST, "/vendor/disputes/{dispute}", Manager, Fields(&[("words", "It was sent on Monday.")])),
    (GET, "/vendor/disputes/{dispute}/files", Manager, Nothing),
    (POST, "/vendor/disputes/{dispute}/files", Manager, File("file")),
    (GET, "/vendor/disputes/{dispute}/files/{file}", Manager, Nothing),
    (POST, "/vendor/disputes/{dispute}/files/{file}/remove", Manager, Nothing),
    (GET, "/vendor/sales", Manager, Nothing),
    (GET, "/vendor/documents", Manager, Nothing),
    (GET, "/vendor/documents/{document}", Manager, Nothing),
    (GET, "/vendor/promotions", Manager, Nothing),
    (POST, "/vendor/promotions", Manager, Nothing),
    (POST, "/vendor/promotions/{promotion}", Manager, Nothing),
    (GET, "/vendor/coupons", Manager, Nothing),
    (POST, "/vendor/coupons", Manager, Nothing),
    (POST, "/vendor/coupons/{coupon}", Manager, Nothing),
    (GET, "/vendor/shop", Manager, Nothing),
    (POST, "/vendor/shop", Manager, Fields(&[("name", "The mill")])),
    (GET, "/vendor/shop/holiday", Manager, Nothing),
    (POST, "/vendor/shop/holiday", Manager, Nothing),
    (GET, "/vendor/shop/shipping", Manager, Nothing),
    (POST, "/vendor/shop/shipping", Manager, Nothing),
    (GET, "/vendor/shop/shipping/{method}", Manager, Nothing),
    (POST, "/vendor/shop/shipping/{method}", Manager, Nothing),
    (GET, "/vendor/shop/invoices", Manager, Nothing),
    (POST, "/vendor/shop/invoices", Owner, Nothing),
    (GET, "/vendor/payouts", Owner, Nothing),
    (GET, "/vendor/payouts/account", Owner, Nothing),
    (POST, "/vendor/payouts/account", Owner, Nothing),
    (GET, "/vendor/payouts/return", Owner, Nothing),
    (GET, "/vendor/payouts/refresh", Owner, Nothing),
    (GET, "/vendor/payouts/dashboard", Owner, Nothing),
    (POST, "/vendor/payouts/dashboard", Owner, Nothing),
    (GET, "/vendor/payouts/again", Owner, Nothing),
    (POST, "/vendor/payouts/again", Owner, Nothing),
    (GET, "/vendor/payouts/settings", Owner, Nothing),
    (POST, "/vendor/payouts/settings", Owner, Nothing),
    (GET, "/vendor/statements", Owner, Nothing),
    (GET, "/vendor/statements.csv", Owner, Nothing),
    (GET, "/vendor/statements.pdf", Owner, Nothing),
    (GET, "/vendor/team", Fulfiller, Nothing),
    (POST, "/vendor/team", Owner, Nothing),
    (POST, "/vendor/team/invitations/{invitation}", Owner, Fields(&[("action", "revoke")])),
    (POST, "/vendor/team/{member}", Owner, Fields(&[("role", "manager")])),
    (POST, "/vendor/team/{member}/remove", Owner, Nothing),
    (POST, "/vendor/team/leave", Fulfiller, Nothing),
];

/// Not there for an owner either, though nobody forbids it: a month that is not over has no paper yet.
const NOTHING_YET: &[&str] = &["/vendor/statements.pdf"];

/// A vendor's calls in the REST interface.
const CALLS: &[(&str, &str, TeamRole)] = &[
    ("get", "/api/v1/vendor/orders", Fulfiller),
    ("get", "/api/v1/vendor/orders/{id}", Fulfiller),
    ("post", "/api/v1/vendor/orders/{id}/shipments", Fulfiller),
    ("post", "/api/v1/vendor/orders/{id}/refunds", Manager),
    ("get", "/api/v1/vendor/balance", Owner),
    ("get", "/api/v1/vendor/payouts", Owner),
    ("post", "/api/v1/products", Manager),
    ("patch", "/api/v1/products/{id}", Manager),
    ("delete", "/api/v1/products/{id}", Manager),
];

/// The server functions. None is of the desk: each serves whoever shops, and touches nothing but their own. One that is a vendor's would
/// have to be tried here with each role.
const SERVER_FUNCTIONS: &[&str] =
    &["/sf/add_to_cart", "/sf/quote_checkout", "/sf/set_cart_quantity", "/sf/suggest_goods", "/sf/who_am_i"];

/// Every method and address of a router, read from what it says of itself.
fn routes(router: &axum::Router<App>) -> BTreeSet<(Method, String)> {
    let text = format!("{router:?}");
    let text = text.split("fallback_router:").next().unwrap_or_default();
    let (methods, paths) = text.split_once("paths: {").expect("axum tells the addresses of a router");
    let by_id = |text: &str| -> BTreeMap<String, String> {
        text.split("RouteId(").skip(1).filter_map(|t| t.split_once("): ")).map(|(id, rest)| (id.into(), rest.into())).collect()
    };
    let methods = by_id(methods);
    let mut found = BTreeSet::new();
    for (id, path) in by_id(paths) {
        let path = path.trim_start_matches('"').split('"').next().expect("an address").to_owned();
        let of = &methods[&id];
        for method in [GET, POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let name = method.as_str().to_lowercase();
            assert!(of.contains(&format!("{name}: ")), "axum tells the methods of {path}: {of}");
            if !of.contains(&format!("{name}: None")) {
                found.insert((method, path.clone()));
            }
        }
    }
    assert!(found.len() > 100, "only {} routes were found", found.len());
    found
}

/// The mill with all that an address of its desk can name.
struct Stage {
    test: TestApp,
    ids: BTreeMap<&'static str, String>,
    line: Uuid,
}

impl Stage {
    async fn set() -> Self {
        let (test, world) = TestApp::with_services().await;
        let pool = &test.app.pool;
        for (name, role) in [("mina", "manager"), ("fred", "fulfiller")] {
            member(pool, &world, "mill", name, role).await;
        }
        let spare = member(pool, &world, "mill", "spare", "fulfiller").await;
        onboard(&test, "mill").await;
        let mut mill = test.vendor("mill").await;
        let product = world.vendors["mill"].products["mill-plain"];
        let picture = [("pictures", "bowl.png", "image/png", &returns::picture()[..])];
        mill.post_multipart(&format!("/vendor/products/{product}/pictures"), &[], &picture).await;
        mill.post_form("/vendor/coupons", &[("code", "mill-5"), ("name", "For friends"), ("percent", "5")]).await;
        let week = (time::OffsetDateTime::now_utc() + time::Duration::days(7)).date().to_string();
        mill.post_form("/vendor/promotions", &[("name", "Advent"), ("percent", "5"), ("ends_on", &week)]).await;
        let dearer = [("all", "true"), ("action", "raise"), ("value", "10")];
        let looked =
            mill.post_form("/vendor/products/bulk", &dearer).await.attribute("input[name=seen]", "value").expect("a plan");
        mill.post_form("/vendor/products/bulk", &[&dearer[..], &[("seen", looked.as_str())]].concat()).await;
        let file = [("file", "goods.csv", "text/csv", &b"sku,title\nA-1,Bowl\n"[..])];
        mill.post_multipart("/vendor/imports", &[], &file).await;
        mill.post_form(TEAM, &[("email", "new@example.com"), ("role", "manager")]).await;

        let ada = world.people["ada"];
        let (order, parcel, lines) = returns::sent(&test, Some(ada)).await;
        let asked = returns::ask(&mut test.customer("ada").await, &order, parcel, lines[0], "1", &[&returns::picture()]).await;
        assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.text());
        let disputed = paid(&test, Some(ada), &[("MILL-PLAIN", 1)]).await;
        let intent: String = sqlx::query_scalar("select stripe_intent_id from payments where order_id = $1")
            .bind(disputed.id.uuid())
            .fetch_one(pool)
            .await
            .expect("an intent");
        test.services().stripe.sandbox.dispute(&intent, None, Some("product_not_received")).await.expect("a dispute");
        deliver_all(&test).await;
        let dispute = one(&test, "select id from disputes").await;
        let pdf = [("file", "proof.pdf", "application/pdf", &b"%PDF-1.7 proof"[..])];
        let place = [("place", "shipping_documentation")];
        mill.post_multipart(&format!("/vendor/disputes/{dispute}/files"), &place, &pdf).await;

        let open = paid(&test, Some(ada), &[("MILL-PLAIN", 3)]).await;
        let (waiting, lines) = parcel_of(&test, &open, "mill").await;
        deliver_all(&test).await;
        let mut ids = BTreeMap::new();
        for (name, id) in [
            ("order", waiting),
            ("product", product),
            ("member", spare),
            ("dispute", dispute),
            ("return", one(&test, "select id from returns").await),
            ("import", one(&test, "select id from imports").await),
            ("promotion", one(&test, "select id from promotions").await),
            ("change", one(&test, "select id from catalog_changes").await),
            ("coupon", one(&test, "select id from coupons").await),
            ("invitation", one(&test, "select id from vendor_invitations").await),
            ("file", one(&test, "select id from dispute_files").await),
            ("document", one(&test, "select d.id from documents d join vendors v on v.id = d.vendor_id where v.slug = 'mill' and kind = 'invoice' limit 1").await),
            ("method", one(&test, "select m.id from shipping_methods m join vendors v on v.id = m.vendor_id where v.slug = 'mill' and code = 'express'").await),
        ] {
            ids.insert(name, id.to_string());
        }
        Self { test, ids, line: lines[0] }
    }

    /// The address with the mill's own ids; the flag says whether it names something.
    async fn address(&self, path: &str) -> (String, bool) {
        let mut address = path.to_owned();
        if path.contains("{picture}") {
            let id = match path.starts_with("/vendor/returns") {
                true => one(&self.test, "select id from return_pictures").await,
                false => one(&self.test, "select i.id from pictures i join products p on p.id = i.product_id join vendors v on v.id = p.vendor_id where v.slug = 'mill' limit 1").await,
            };
            address = address.replace("{picture}", &id.to_string()).replace("{width}", "320");
        }
        for (name, id) in &self.ids {
            address = address.replace(&format!("{{{name}}}"), id);
        }
        assert!(!address.contains('{'), "{path} names something that this test does not know");
        let names = address != path;
        (address, names)
    }
}

async fn one(test: &TestApp, sql: &'static str) -> Uuid {
    sqlx::query_scalar(sql).fetch_one(&test.app.pool).await.unwrap_or_else(|e| panic!("{sql}: {e}"))
}

async fn send(client: &mut Client, method: &Method, address: &str, brings: Brings) -> Answer {
    match (method, brings) {
        (&Method::GET, _) => client.get(address).await,
        (_, Fields(fields)) => client.post_form(address, fields).await,
        (_, Nothing) => client.post_form(address, &[]).await,
        (_, File(field)) => {
            client.post_multipart(address, &[], &[(field, "a.txt", "text/plain", b"neither picture nor paper")]).await
        }
    }
}

/// In the router, `{id}` says little; the table says what it is of.
fn as_listed(path: &str) -> String {
    if path.starts_with("/vendor/returns/") {
        path.replace("{id}", "{return}")
    } else if path.starts_with("/vendor/disputes/") {
        path.replace("{id}", "{dispute}")
    } else {
        path.to_owned()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_on_each_address_of_the_desk() {
    let there: BTreeSet<_> = routes(&people())
        .into_iter()
        .filter(|(_, path)| path == "/vendor" || path.starts_with("/vendor/") || path.starts_with("/vendor."))
        .map(|(method, path)| (method.to_string(), as_listed(&path)))
        .collect();
    let listed: BTreeSet<_> = PAGES.iter().map(|(method, path, ..)| (method.to_string(), (*path).to_owned())).collect();
    assert_eq!(there, listed, "every address of the desk is in the table of this test, and no other");

    let stage = Stage::set().await;
    let test = &stage.test;
    let mut team =
        [(Fulfiller, test.customer("fred").await), (Manager, test.customer("mina").await), (Owner, test.customer("mill").await)];
    let (mut ada, mut kiln) = (test.customer("ada").await, test.vendor("kiln").await);
    for (method, path, least, brings) in PAGES {
        let (address, names) = stage.address(path).await;
        let at = |who: &str, answer: &Answer| format!("{method} {path} as {who}: {} {}", answer.status, answer.text());
        let answer = send(&mut test.guest(), method, &address, *brings).await;
        assert!(
            answer.status == StatusCode::SEE_OTHER && answer.location().starts_with("/sign-in"),
            "{}",
            at("a guest", &answer)
        );
        let answer = send(&mut ada, method, &address, *brings).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", at("a shopper", &answer));
        if names {
            let answer = send(&mut kiln, method, &address, *brings).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{}", at("another shop's owner", &answer));
        }
        for (role, client) in &mut team {
            let answer = send(client, method, &address, *brings).await;
            let at = at(role.as_str(), &answer);
            if !role.may(*least) {
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{at}");
                continue;
            }
            assert!(!answer.location().starts_with("/sign-in"), "{at}");
            assert!(!matches!(answer.status.as_u16(), 400 | 401 | 403 | 405 | 500), "{at}");
            // What the role before took away, it does not take away again.
            let taken = role != least || NOTHING_YET.contains(path);
            assert!(taken || answer.status != StatusCode::NOT_FOUND, "{at}");
        }
    }
    // The owner stays; the others have left.
    assert_eq!(
        count(&test.app, "select count(*) from vendor_members m join vendors v on v.id = m.vendor_id where v.slug = 'mill'")
            .await,
        1
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_on_each_call_of_a_vendor() {
    let document = souk::server::rest::document();
    let mut there = BTreeSet::new();
    for (path, calls) in document["paths"].as_object().expect("paths") {
        for method in calls.as_object().expect("calls").keys() {
            if path.starts_with("/api/v1/vendor/") || path.starts_with("/api/v1/products") && method != "get" {
                there.insert((method.clone(), path.clone()));
            }
        }
    }
    let listed: BTreeSet<_> = CALLS.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(there, listed, "every call of a vendor's is in the table of this test, and no other");

    let stage = Stage::set().await;
    let test = &stage.test;
    let body = |path: &str| -> Value {
        let items = json!([{ "line_id": stage.line, "quantity": 1 }]);
        match path.rsplit('/').next() {
            Some("shipments") => json!({ "items": items, "carrier": "DPD" }),
            Some("refunds") => json!({ "items": items, "reason": "Chipped" }),
            Some("products") => json!({ "title": "Another bowl", "category": "kitchen" }),
            _ => json!({ "title": "A better bowl" }),
        }
    };
    let mut tokens = Vec::new();
    for (role, name) in [(None, "ada"), (Some(Fulfiller), "fred"), (Some(Manager), "mina"), (Some(Owner), "mill")] {
        let mut person = test.customer(name).await;
        let made = person.call(POST, "/api/v1/tokens", Some(&json!({ "name": "A script", "scopes": ["write"] })), &[]).await;
        tokens.push((role, format!("Bearer {}", made.json()["token"].as_str().expect("a token"))));
    }
    for (method, path, least) in CALLS {
        let id = if path.contains("/products") { &stage.ids["product"] } else { &stage.ids["order"] };
        let (verb, address): (Method, _) = (method.to_uppercase().parse().expect("a method"), path.replace("{id}", id));
        let body = (!matches!(*method, "get" | "delete")).then(|| body(path));
        let call = async |client: &mut Client, token: Option<&str>| {
            let headers: Vec<_> = token.map(|t| ("authorization", t)).into_iter().collect();
            client.call(verb.clone(), &address, body.as_ref(), &headers).await
        };
        let answer = call(&mut test.guest(), None).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path} as a guest: {}", answer.body);
        if address != *path {
            let answer = call(&mut test.vendor("kiln").await, None).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {path} as another shop's owner: {}", answer.body);
        }
        for (role, token) in &tokens {
            let answer = call(&mut test.guest(), Some(token)).await;
            let at = format!("{method} {path} with a token of {role:?}: {} {}", answer.status, answer.body);
            if role.is_none_or(|role| !role.may(*least)) {
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{at}");
            } else if *role == Some(*least) {
                assert!(answer.status.is_success(), "{at}");
            } else {
                assert!(answer.status.is_success() || matches!(answer.status.as_u16(), 404 | 409), "{at}");
            }
        }
    }
    deliver_all(test).await;
}

#[tokio::test]
async fn no_server_function_is_of_the_desk() {
    let there: BTreeSet<_> = server_fn::axum::server_fn_paths().map(|(path, _)| path).collect();
    assert_eq!(there, SERVER_FUNCTIONS.iter().copied().collect(), "say here whose a server function is");
    let (test, world): (TestApp, World) = TestApp::new().await;
    member(&test.app.pool, &world, "mill", "fred", "fulfiller").await;
    // What they tell a member of a team is theirs as a shopper.
    let mut fred = test.customer("fred").await;
    let answer = fred.call_function("/sf/who_am_i", String::new()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert!(answer.body.contains("Fred") && !answer.body.contains("mill"), "{}", answer.body);
}
