//! A vendor of a replay, over HTTP as its browser and its programs would come: sends parcels, gives money back, opens its account at Stripe.

use crate::{
    demo::PASSWORD,
    shopper::{Cart, Shop},
};
use anyhow::Context;
use http::StatusCode;
use serde_json::json;
use std::time::Duration;
use uuid::Uuid;

/// See the module.
pub struct Seller<'a> {
    shop: &'a Shop,
    session: Cart,
}

impl<'a> Seller<'a> {
    /// Signs in as the owner of the stall of this slug.
    ///
    /// # Errors
    /// When the shop does not know it.
    pub async fn sign_in(shop: &'a Shop, slug: &str) -> anyhow::Result<Self> {
        let body = json!({ "email": format!("{slug}@example.com"), "password": PASSWORD });
        let answer = shop.send(Duration::ZERO, || shop.post("/api/v1/auth/login", None).json(&body)).await?;
        let session = answer.expect(StatusCode::OK)?.cookies().context("no session came with signing in");
        Ok(Self { shop, session: session.with_context(|| format!("{slug} signs in"))? })
    }

    /// Gives pieces of its parcel back, by line; `reason` is what the shopper reads. The same reason twice of one parcel is one refund.
    ///
    /// # Errors
    /// When the shop refuses.
    pub async fn give_back(&self, parcel: Uuid, lines: &[(Uuid, i32)], reason: &str) -> anyhow::Result<()> {
        let body = json!({ "items": items(lines), "reason": reason });
        let (path, key) = (format!("/api/v1/vendor/orders/{parcel}/refunds"), format!("{reason} {parcel}"));
        let request = || self.shop.post(&path, Some(&self.session)).header("idempotency-key", &key).json(&body);
        self.shop.send(Duration::ZERO, request).await?.expect(StatusCode::CREATED).context("a refund")?;
        Ok(())
    }

    /// Says that pieces of its parcel left.
    ///
    /// # Errors
    /// When the shop refuses.
    pub async fn ship(&self, parcel: Uuid, lines: &[(Uuid, i32)]) -> anyhow::Result<()> {
        let body = json!({ "items": items(lines), "carrier": "Royal Mail" });
        let path = format!("/api/v1/vendor/orders/{parcel}/shipments");
        let request = || self.shop.post(&path, Some(&self.session)).json(&body);
        self.shop.send(Duration::ZERO, request).await?.expect(StatusCode::CREATED).context("a shipment")?;
        Ok(())
    }

    /// Says that its parcel has arrived.
    ///
    /// # Errors
    /// When the shop refuses.
    pub async fn delivered(&self, parcel: Uuid) -> anyhow::Result<()> {
        self.press(&format!("/vendor/orders/{parcel}/delivered")).await.context("a parcel that arrived")
    }

    /// Asks for an account at Stripe.
    ///
    /// # Errors
    /// When the shop, or Stripe, refuses.
    pub async fn open_account(&self) -> anyhow::Result<()> {
        self.press("/vendor/payouts/account").await.context("an account at Stripe")
    }

    /// Presses a button of its desk.
    async fn press(&self, path: &str) -> anyhow::Result<()> {
        let request = || self.shop.post(path, Some(&self.session)).form(&[("", "")]);
        self.shop.send(Duration::ZERO, request).await?.expect(StatusCode::SEE_OTHER)?;
        Ok(())
    }
}

fn items(lines: &[(Uuid, i32)]) -> Vec<serde_json::Value> {
    lines.iter().map(|(line, quantity)| json!({ "line_id": line, "quantity": quantity })).collect()
}
