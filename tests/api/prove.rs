//! The proofs of `souk prove`, at a small size, and that they can fail.

use crate::support::TestApp;
use souk::prove::{
    Finding,
    crash::{self, Crash},
    oversell::{self, Oversell},
};

fn broken(findings: Vec<Finding>) -> Vec<Finding> {
    findings.into_iter().filter(|f| f.violations > 0).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forty_people_who_want_four_things_over_http_buy_four() {
    let (test, _) = TestApp::with_services().await;
    let (paid, findings) = oversell::prove(&test.app, Oversell { buyers: 40, stock: 4 }).await.expect("a proof");
    assert_eq!((paid, broken(findings)), (4, vec![]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_is_killed_while_people_buy_loses_and_doubles_nothing() {
    let (test, _) = TestApp::with_services().await;
    let what = Crash { checkouts: 30, kills: 4, program: env!("CARGO_BIN_EXE_souk").into() };
    let (done, findings) = crash::prove(&test.app, &what).await.expect("a proof");
    assert_eq!(broken(findings), vec![]);
    assert_eq!(done.paid + done.sold_out + done.turned_back, 30);
    assert!(done.kills == 4 && done.paid > 10, "{done:?}");
}
