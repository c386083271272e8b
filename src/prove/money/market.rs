//! The market in which histories happen: three vendors, of whom one has no account at Stripe, their goods, coupons of every funding, rules
//! of commission with a minimum, a cap and a share of shipping. Set up through the doors of those whose matter it is.

use crate::{
    accounts::tokens,
    coupons::{self, form::Draft as CouponDraft, model::CouponCode},
    demo::Dice,
    ids::{CommissionRuleId, OrderId, VariantId, VendorId},
    ledger::rules::{self, Draft as RuleDraft},
    payments::webhook,
    payouts::{
        self,
        model::{Schedule, Settings},
    },
    prove::stand::{Stand, lay_out},
    sandbox::stripe::Sandbox,
    server::{
        auth::{Operator, Owner},
        config::Config,
        state::App,
        token::Token,
    },
    stall,
};
use anyhow::Context;
use axum::extract::FromRequestParts;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// The vendors: the first two have an account at Stripe, the money of the third stays with the market.
const SELLERS: [&str; 3] = ["first", "second", "third"];
/// What each vendor sells: prices in minor units, odd enough that shares do not come out even.
const PRICES: [i64; 3] = [333, 1999, 12_345];
/// Of everything there is more than can be sold.
const STOCK: i32 = 1_000_000;
/// What it costs to have a parcel sent, in minor units; `included` costs nothing.
const SHIPPING: i64 = 395;
/// What the market has at Stripe before anything happens: a sale of the third vendor, in pieces of its dearest goods.
const FOUNDING_PIECES: i32 = 400;

/// A vendor, and the proof that it asks itself.
pub struct Seller {
    pub guard: Owner,
    pub id: VendorId,
    /// At Stripe.
    pub account: Option<String>,
}

/// See the module.
pub struct Market {
    pub app: App,
    pub sandbox: Sandbox,
    pub sellers: Vec<Seller>,
    pub operator: Operator,
    /// Three of each vendor, in the order of the vendors.
    pub goods: Vec<VariantId>,
    pub coupons: Vec<CouponCode>,
    /// The door through which Stripe's events come in.
    pub webhooks: axum::Router,
    pub webhook_secret: String,
    pub http: reqwest::Client,
}

impl Market {
    /// Opens it in an empty stand.
    ///
    /// # Errors
    /// When the database or the sandbox does not answer, or refuses what should be fine.
    pub async fn open(stand: &Stand) -> anyhow::Result<Self> {
        let config =
            Config { payouts: Settings { schedule: Schedule::Daily, minimum_minor: 0, holding_days: 0 }, ..stand.config.clone() };
        let webhook_secret = config.stripe.as_ref().context("a stand has a Stripe")?.webhook_secret.clone();
        let app = App::new(config, stand.pool.clone(), Some(stand.stripe.sandbox.clone()))?;
        leave_papers_alone(&app.pool).await?;
        let (vendors, goods) = stalls(&app.pool).await?;
        let mut sellers = Vec::with_capacity(vendors.len());
        for (vendor, owner) in vendors {
            let guard = admit::<Owner>(&app, owner).await?;
            sellers.push(Seller { guard, id: vendor.into(), account: None });
        }
        let operator = admit::<Operator>(&app, operator(&app.pool).await?).await?;
        let webhooks = webhook::routes().with_state(app.clone());
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build()?;
        let sandbox = stand.stripe.sandbox.clone();
        let mut market = Self { app, sandbox, sellers, operator, goods, coupons: Vec::new(), webhooks, webhook_secret, http };
        market.charge_commission().await?;
        market.give_coupons().await?;
        market.onboard().await?;
        market.found().await?;
        Ok(market)
    }

    /// 12 % and £0.20 a piece of everything, also of shipping; of the second vendor 7.5 %, at least £0.50 and at most £3 a piece.
    async fn charge_commission(&self) -> anyhow::Result<()> {
        let (pool, by) = (&self.app.pool, &self.operator);
        let standing = rules::in_order(pool).await?;
        let last = standing.last().context("there is a rule for everything")?;
        let all = rules::NamedRule { percent_bp: 1200, fixed_minor: 20, on_shipping: true, ..last.clone() };
        let fallback: CommissionRuleId = last.id;
        rules::change(pool, by, fallback, &RuleDraft { rule: all.rule(), before: None }).await?;
        let capped = rules::NamedRule {
            name: "Second".into(),
            vendor_id: self.sellers.get(1).map(|s| s.id),
            percent_bp: 750,
            minimum_minor: 50,
            cap_minor: Some(300),
            ..last.clone()
        };
        rules::add(pool, by, &RuleDraft { rule: capped.rule(), before: None }).await?;
        Ok(())
    }

    /// Paid by the vendor, by the market, by both; an amount and percentages; one that leaves nothing to pay.
    async fn give_coupons(&mut self) -> anyhow::Result<()> {
        let pool = &self.app.pool;
        let draft = |code: &str, percent_bp, amount_minor, platform_bp| -> anyhow::Result<CouponDraft> {
            Ok(CouponDraft {
                code: code.parse()?,
                name: code.parse()?,
                percent_bp,
                amount_minor,
                currency: self.app.config.currency,
                minimum_minor: 0,
                only_vendor_id: None,
                category_id: None,
                starts_on: None,
                ends_on: None,
                limit_total: None,
                limit_person: None,
                platform_bp,
            })
        };
        let first = self.sellers.first().context("there is a first vendor")?;
        let own = draft("OWN-15", Some(1500), None, 0)?;
        coupons::queries::add_own(pool, &first.guard, &own).await?;
        let markets = [
            draft("MARKET-20", Some(2000), None, 10_000)?,
            draft("SHARED-5", None, Some(500), 5000)?,
            draft("VENDORS-10", Some(1000), None, 0)?,
            draft("NOTHING-LEFT", Some(10_000), None, 10_000)?,
        ];
        for market in &markets {
            coupons::queries::add(pool, &self.operator, market).await?;
        }
        self.coupons = [own].into_iter().chain(markets).map(|draft| draft.code).collect();
        Ok(())
    }

    /// The first two vendors open their accounts at Stripe.
    async fn onboard(&mut self) -> anyhow::Result<()> {
        for seller in self.sellers.iter_mut().take(2) {
            payouts::set_up(&self.app, &seller.guard).await?;
            let account = sqlx::query_scalar!(
                r#"select stripe_account_id as "account!" from vendor_accounts where vendor_id = $1"#,
                seller.id.uuid()
            )
            .fetch_one(&self.app.pool)
            .await?;
            self.sandbox.onboard(&account, None).await.map_err(anyhow::Error::msg)?;
            payouts::sync_account(&self.app, &account).await?;
            seller.account = Some(account);
        }
        Ok(())
    }

    /// A first sale, so that there is something at Stripe to send on.
    async fn found(&self) -> anyhow::Result<()> {
        let dearest = PRICES.len() * SELLERS.len() - 1;
        let basket = super::buy::Basket {
            goods: vec![(dearest, FOUNDING_PIECES)],
            coupon: None,
            sent: false,
            pays: super::buy::Pays::InTime,
        };
        let bought = self.buy(&basket, "founder@example.com").await?;
        bought.map_err(|why| anyhow::anyhow!("the first sale was refused: {why}"))?;
        self.come_to_rest(&mut super::rest::Heard::default(), &mut Dice::new(0, "founding")).await
    }

    /// Who pays for an order that is a vendor's; `None` for another's.
    pub fn seller(&self, vendor: VendorId) -> Option<&Seller> {
        self.sellers.iter().find(|seller| seller.id == vendor)
    }

    /// The order's payment as Stripe calls it; `None` where nobody has paid.
    pub async fn intent(&self, order: OrderId) -> sqlx::Result<Option<String>> {
        let found = sqlx::query_scalar!(
            r#"select stripe_intent_id as "intent!" from payments
               where order_id = $1 and stripe_intent_id is not null order by attempt desc limit 1"#,
            order.uuid()
        );
        found.fetch_optional(&self.app.pool).await
    }
}

/// Letters and papers are not what is proved here, and to draw them would take most of the time: their jobs never come due.
async fn leave_papers_alone(pool: &PgPool) -> sqlx::Result<()> {
    sqlx::raw_sql(
        "create function proof_waits() returns trigger language plpgsql as $$
         begin
             new.run_at := now() + interval '100 years';
             return new;
         end $$;
         create trigger proof_waits before insert on jobs for each row
             when (new.kind in ('send_mail', 'issue_invoices', 'issue_credit_notes', 'issue_commission_invoice'))
             execute function proof_waits()",
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Opens the stalls and fills their shelves: vendors with their owners, and what is for sale.
async fn stalls(pool: &PgPool) -> sqlx::Result<(Vec<(Uuid, Uuid)>, Vec<VariantId>)> {
    let mut tx = pool.begin().await?;
    let category = sqlx::query_scalar!("select id from categories where slug = 'proof'").fetch_one(&mut *tx).await?;
    let (mut vendors, mut goods) = (Vec::new(), Vec::new());
    for slug in SELLERS {
        stall::open(&mut tx, slug, slug, "A proof", "nobody signs in").await?;
        let vendor = sqlx::query!("select id, owner_id from vendors where slug = $1", slug).fetch_one(&mut *tx).await?;
        also_sends(&mut tx, vendor.id).await?;
        for price in PRICES {
            let variant = lay_out(&mut tx, vendor.id, category, goods.len() + 1, price, STOCK).await?;
            goods.push(variant.into());
        }
        vendors.push((vendor.id, vendor.owner_id));
    }
    tx.commit().await?;
    Ok((vendors, goods))
}

async fn also_sends(tx: &mut PgConnection, vendor: Uuid) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into shipping_methods (id, vendor_id, code, name, price_minor, min_days, max_days, position)
         values ($1, $2, 'sent', 'Sent', $3, 1, 3, 1)",
        Uuid::now_v7(),
        vendor,
        SHIPPING
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn operator(pool: &PgPool) -> sqlx::Result<Uuid> {
    let id = Uuid::now_v7();
    sqlx::query!(
        "insert into users (id, handle, name, email, password_hash, operator)
         values ($1, 'operator', 'Operator', 'operator@example.com', 'nobody signs in', true)",
        id
    )
    .execute(pool)
    .await?;
    Ok(id)
}

/// Lets somebody in by a token, as a program of theirs would come, and answers the proof of who asks.
async fn admit<G>(app: &App, user: Uuid) -> anyhow::Result<G>
where
    G: FromRequestParts<App>,
    G::Rejection: std::error::Error + Send + Sync + 'static,
{
    let token = Token::random();
    sqlx::query!(
        "insert into api_tokens (id, user_id, name, token_hash, scopes) values ($1, $2, 'Proof', $3, '{read,write}')",
        Uuid::now_v7(),
        user,
        token.hash()
    )
    .execute(&app.pool)
    .await?;
    let bearer = tokens::bearer(&app.pool, &token).await?.context("the token was made a moment ago")?;
    let (mut parts, ()) = http::Request::new(()).into_parts();
    parts.extensions.insert(bearer);
    Ok(G::from_request_parts(&mut parts, app).await?)
}
