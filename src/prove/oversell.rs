//! `souk prove oversell`: many people want the last few of one thing at the same moment.

use super::{
    Finding, cli, judge,
    stand::{PRICE_MINOR, Stand},
};
use crate::{
    server::{start, state::App},
    shopper::{Basket, Shop, Step},
};
use anyhow::Context;
use std::sync::Arc;
use tokio::{sync::Barrier, task::JoinSet};
use tokio_util::sync::CancellationToken;

/// How many want how few.
#[derive(Debug, Clone, Copy)]
pub struct Oversell {
    pub buyers: usize,
    pub stock: i32,
}

/// Lets them loose, prints what happened and what was found.
///
/// # Errors
/// When a law is broken, a buyer was answered anything but a page to pay at or "sold out", or nothing could be tried.
pub async fn run(app: &App, what: Oversell) -> anyhow::Result<()> {
    let (paid, findings) = prove(app, what).await?;
    println!(
        "{} buyers wanted one each of {}: {paid} paid, {} were told that it is sold out.",
        what.buyers,
        what.stock,
        what.buyers - paid
    );
    cli::tell(&findings)
}

/// How many paid, and what was found then.
///
/// # Errors
/// As [`run`].
pub async fn prove(app: &App, what: Oversell) -> anyhow::Result<(usize, Vec<Finding>)> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let stand = Stand::build(&app.pool, &app.config, listener.local_addr()?, 1, what.stock, None).await?;
    let result = storm(&stand, listener, what).await;
    stand.clear().await?;
    result
}

async fn storm(stand: &Stand, listener: tokio::net::TcpListener, what: Oversell) -> anyhow::Result<(usize, Vec<Finding>)> {
    let stop = CancellationToken::new();
    let shop = App::new(stand.config.clone(), stand.pool.clone(), None)?;
    let open = tokio::spawn(start::serve_on(shop, listener, stop.clone().cancelled_owned()));
    let result = async {
        let paid = crowd(stand, what).await?;
        anyhow::ensure!(judge::at_rest(&stand.pool).await?, "the shop does not come to rest");
        let mut findings = judge::judge(&stand.pool, what.stock).await?;
        let wanted = what.buyers.min(usize::try_from(what.stock)?);
        findings
            .push(Finding { law: "Crowd: as many paid as there were goods", violations: i64::try_from(paid.abs_diff(wanted))? });
        Ok((paid, findings))
    }
    .await;
    stop.cancel();
    open.await??;
    result
}

async fn crowd(stand: &Stand, what: Oversell) -> anyhow::Result<usize> {
    let shop = Shop::at(&stand.config.base_url)?;
    let variant = *stand.variants.first().context("nothing is for sale")?;
    // All carts are full before anybody orders, and everybody orders before anybody pays.
    let start = Arc::new(Barrier::new(what.buyers));
    let mut buyers = JoinSet::new();
    for number in 0..what.buyers {
        let (shop, start) = (shop.clone(), start.clone());
        let basket = Basket { lines: vec![(variant, 1)], email: format!("buyer-{number}@example.com"), total_minor: PRICE_MINOR };
        buyers.spawn(async move {
            let cart = shop.fill(&basket).await;
            start.wait().await;
            let Step::Done(cart) = cart? else { anyhow::bail!("sold out before anybody ordered") };
            let page = shop.order(&cart, &basket).await;
            start.wait().await;
            match page? {
                Step::Done(page) => shop.pay(&page).await.map(|()| true),
                Step::SoldOut => Ok(false),
            }
        });
    }
    let mut paid = 0;
    while let Some(buyer) = buyers.join_next().await {
        paid += usize::from(buyer??);
    }
    Ok(paid)
}
