//! Walking through a history: every step by the function that pages, webhooks and jobs call, or by what Stripe's own pages do. What the
//! shop or Stripe refuses is part of the history; anything else that fails ends it.

use super::{
    buy::{Bought, Refusable, refusable},
    market::{Market, Seller},
    rest::Heard,
    steps::{Repeat, Share, Side, Step},
};
use crate::{
    demo::Dice,
    disputes,
    ids::{OrderId, OrderLineId, PayoutId, RefundId, VendorId, VendorOrderId},
    ledger::{
        self,
        corrections::{Correction, correct},
        model::Account,
    },
    money::Money,
    orders::{self, queries as order_queries, queries::Reader},
    payments::{self, Giver, parts::Wanted},
    payouts::{self, Deliverer},
    sandbox::stripe::{PayoutOutcome, controls::RefundEnd},
    server::jobs,
};
use anyhow::Context;
use sqlx::Row;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// After so many days everything that was sent is released.
const DAYS: Duration = Duration::days(30);

/// Where a history is.
pub struct Walk<'a> {
    pub heard: &'a mut Heard,
    pub dice: Dice,
    /// What shoppers' addresses begin with: nobody in two histories has the same.
    pub name: String,
    bought: Vec<Bought>,
    /// Each step with what became of it.
    pub told: Vec<String>,
    /// Steps that did something, and those that were refused or found nothing.
    pub done: usize,
    pub refused: usize,
}

/// A parcel of the history, and its vendor.
struct Parcel {
    id: VendorOrderId,
    order: OrderId,
    vendor: VendorId,
}

/// What became of a step: done, or why not.
type Told = Refusable<()>;

fn nothing(what: &str) -> Told {
    Ok(Err(format!("there is no {what}")))
}

/// Of two that tried the same at once: done where one of them did.
fn both(one: Told, two: Told) -> Told {
    Ok(match (one?, two?) {
        (Err(no), Err(_)) => Err(no),
        _ => Ok(()),
    })
}

fn at<T>(of: &[T], place: usize) -> Option<&T> {
    of.get(place % of.len().max(1))
}

impl<'a> Walk<'a> {
    /// At its beginning.
    pub fn new(heard: &'a mut Heard, dice: Dice, name: String) -> Self {
        Self { heard, dice, name, bought: Vec::new(), told: Vec::new(), done: 0, refused: 0 }
    }

    /// Takes all steps, and lets the market come to rest.
    ///
    /// # Errors
    /// What the program should never do; the steps so far are in `told`.
    pub async fn walk(&mut self, market: &Market, steps: &[Step]) -> anyhow::Result<()> {
        for step in steps {
            let told = self.take(market, step).await;
            let word = match &told {
                Ok(Ok(())) => "done".to_owned(),
                Ok(Err(no)) => format!("no: {no}"),
                Err(error) => format!("FAILED: {error:#}"),
            };
            self.told.push(format!("{step:?}: {word}"));
            match told? {
                Ok(()) => self.done += 1,
                Err(_) => self.refused += 1,
            }
        }
        market.come_to_rest(self.heard, &mut self.dice).await
    }

    async fn take(&mut self, market: &Market, step: &Step) -> Told {
        let now = OffsetDateTime::now_utc();
        match step {
            Step::Buy(basket) => {
                let email = format!("{}-{}@example.com", self.name, self.bought.len());
                Ok(market.buy(basket, &email).await?.map(|bought| self.bought.push(bought)))
            }
            Step::Cancel { order } => match at(&self.bought, *order) {
                Some(bought) => market.cancel(bought).await,
                None => nothing("order"),
            },
            Step::Ship { parcel, whole } => match at(&self.parcels(market).await?, *parcel) {
                Some(parcel) => ship(market, parcel, *whole).await,
                None => nothing("parcel"),
            },
            Step::Arrives { parcel, by, twice } => match at(&self.parcels(market).await?, *parcel) {
                Some(parcel) if *twice => {
                    let (one, two) = tokio::join!(self.arrives(market, parcel, *by), self.arrives(market, parcel, *by));
                    both(one, two)
                }
                Some(parcel) => self.arrives(market, parcel, *by).await,
                None => nothing("parcel"),
            },
            Step::DaysPass => match payouts::release_due(&market.app, now + DAYS).await? {
                0 => nothing("parcel that is due"),
                _ => Ok(Ok(())),
            },
            Step::GiveBack { parcel, what, by, twice } => match at(&self.parcels(market).await?, *parcel) {
                Some(parcel) => give_back(market, parcel, *what, *by, *twice).await,
                None => nothing("parcel"),
            },
            Step::Dashboard { order, percent } => match self.paid(market, *order, *percent).await? {
                Some((intent, amount)) => Ok(market.sandbox.refund_from_dashboard(&intent, amount).await.map(drop)),
                None => nothing("payment"),
            },
            Step::RefundEnds { refund, fails } => match at(&self.at_stripe(market, "refund").await?, *refund) {
                Some(id) => {
                    let end = if *fails { RefundEnd::Failed } else { RefundEnd::Succeeded };
                    Ok(market.sandbox.end_refund(id, end).await.map(drop))
                }
                None => nothing("refund"),
            },
            Step::Dispute { order, percent } => match self.paid(market, *order, *percent).await? {
                Some((intent, amount)) => Ok(market.sandbox.dispute(&intent, amount, None).await.map(drop)),
                None => nothing("payment"),
            },
            Step::Decide { dispute, won } => match at(&self.at_stripe(market, "dispute").await?, *dispute) {
                Some(id) => Ok(market.sandbox.decide_dispute(id, *won).await.map(drop)),
                None => nothing("dispute"),
            },
            Step::PayOut { twice } => {
                let booked = if *twice {
                    let run = || payouts::run_everybody(&market.app, None, now);
                    let (one, two) = tokio::join!(run(), run());
                    one? + two?
                } else {
                    payouts::run_everybody(&market.app, None, now).await?
                };
                if booked == 0 { nothing("vendor that can be paid") } else { Ok(Ok(())) }
            }
            Step::PayoutEnds { payout, arrives } => match at(&payouts_at_stripe(market).await?, *payout) {
                Some(id) => {
                    let outcome = if *arrives { PayoutOutcome::Paid } else { PayoutOutcome::Failed };
                    Ok(market.sandbox.end_payout(id, outcome, None).await.map(drop))
                }
                None => nothing("payout"),
            },
            Step::TryAgain { seller } => match at(&market.sellers, *seller) {
                Some(seller) if payouts::try_again(&market.app, &seller.guard).await? => Ok(Ok(())),
                _ => nothing("vendor that waits"),
            },
            Step::Correct { seller, minor } => match at(&market.sellers, *seller) {
                Some(seller) if *minor != 0 => put_right(market, seller, *minor).await,
                _ => nothing("amount"),
            },
            Step::Hear { percent } => {
                market.hear(self.heard, *percent, &mut self.dice).await?;
                Ok(Ok(()))
            }
            Step::Work => {
                jobs::drain(&market.app).await?;
                Ok(Ok(()))
            }
            Step::Again(what) => self.again(market, *what).await,
            Step::Snapshot => {
                let mut tx = market.app.pool.begin().await?;
                ledger::snapshot(&mut tx).await?;
                tx.commit().await?;
                Ok(Ok(()))
            }
        }
    }

    fn orders(&self) -> Vec<Uuid> {
        self.bought.iter().map(|bought| bought.order.uuid()).collect()
    }

    async fn parcels(&self, market: &Market) -> sqlx::Result<Vec<Parcel>> {
        sqlx::query_as!(
            Parcel,
            r#"select id as "id: VendorOrderId", order_id as "order: OrderId", vendor_id as "vendor: VendorId" from vendor_orders
               where order_id = any($1) order by order_id, vendor_slug"#,
            &self.orders()
        )
        .fetch_all(&market.app.pool)
        .await
    }

    /// The intent of an order, and so many percent of what was paid; `None` of the amount: all that is left.
    async fn paid(&self, market: &Market, order: usize, percent: usize) -> sqlx::Result<Option<(String, Option<i64>)>> {
        let Some(bought) = at(&self.bought, order) else { return Ok(None) };
        let Some(intent) = market.intent(bought.order).await? else { return Ok(None) };
        let total = sqlx::query_scalar!("select total_minor from orders where id = $1", bought.order.uuid())
            .fetch_one(&market.app.pool)
            .await?;
        let part = (total * percent as i64 / 100).max(1);
        Ok(Some((intent, (percent < 100).then_some(part))))
    }

    /// Stripe's objects of a kind that belong to the history's payments, the oldest first.
    async fn at_stripe(&self, market: &Market, kind: &str) -> sqlx::Result<Vec<String>> {
        sqlx::query_scalar(
            "select s.id from stripe_sandbox.objects s join payments p on p.stripe_intent_id = s.doc->>'payment_intent'
             where s.kind = $1 and p.order_id = any($2) order by s.seq",
        )
        .bind(kind)
        .bind(self.orders())
        .fetch_all(&market.app.pool)
        .await
    }

    async fn arrives(&self, market: &Market, parcel: &Parcel, by: Side) -> Told {
        let reader = self.bought.iter().find(|b| b.order == parcel.order).map(|b| Reader::link(&b.token));
        let by = match (by, market.seller(parcel.vendor), &reader) {
            (Side::Vendor, Some(seller), _) => Deliverer::Vendor(&seller.guard),
            (Side::Shopper, _, Some(reader)) => {
                let mut db = market.app.pool.acquire().await?;
                Deliverer::Shopper(order_queries::may_read(&mut db, parcel.order, reader).await?, reader)
            }
            _ => Deliverer::Operator(&market.operator),
        };
        Ok(refusable(payouts::delivered(&market.app, parcel.id, by).await)?.map(drop))
    }

    async fn again(&mut self, market: &Market, what: Repeat) -> Told {
        let (app, orders) = (&market.app, self.orders());
        let place = self.dice.below(12);
        match what {
            Repeat::Settling => match at(&self.bought, place) {
                Some(bought) => payments::settle_order(app, bought.order).await?,
                None => return nothing("order"),
            },
            Repeat::Levelling => match at(&market.sellers, place) {
                Some(seller) => payouts::settle_vendor(app, seller.id).await?,
                None => return nothing("vendor"),
            },
            Repeat::RefundJob => {
                let refunds = sqlx::query_scalar!(
                    r#"select r.id as "id: RefundId" from refunds r join payments p on p.id = r.payment_id
                       where p.order_id = any($1) order by r.created_at, r.id"#,
                    &orders
                );
                match at(&refunds.fetch_all(&app.pool).await?, place) {
                    Some(refund) => payments::refund(app, *refund).await?,
                    None => return nothing("refund"),
                }
            }
            Repeat::PayoutJob => {
                let payouts =
                    sqlx::query_scalar!(r#"select id as "id: PayoutId" from payouts order by created_at desc, id limit 6"#);
                match at(&payouts.fetch_all(&app.pool).await?, place) {
                    Some(payout) => payouts::payout(app, *payout).await?,
                    None => return nothing("payout"),
                }
            }
            Repeat::ReadingTheDispute => match at(&self.at_stripe(market, "dispute").await?, place) {
                Some(dispute) => disputes::sync_dispute(app, dispute).await?,
                None => return nothing("dispute"),
            },
            Repeat::ReadingThePayment => match at(&self.bought, place) {
                Some(bought) => match market.intent(bought.order).await? {
                    Some(intent) => payments::read_anew(app, &intent).await?,
                    None => return nothing("payment"),
                },
                None => return nothing("order"),
            },
            Repeat::AnEvent => match self.heard.earlier.take() {
                Some(event) => market.tell(&event).await?,
                None => return nothing("event"),
            },
        }
        Ok(Ok(()))
    }
}

async fn payouts_at_stripe(market: &Market) -> sqlx::Result<Vec<String>> {
    let rows = sqlx::query("select id from stripe_sandbox.objects where kind = 'payout' order by seq desc limit 6")
        .fetch_all(&market.app.pool)
        .await?;
    rows.iter().map(|row| row.try_get("id")).collect()
}

/// The vendor sends all that is left of a parcel, or one piece of it.
async fn ship(market: &Market, parcel: &Parcel, whole: bool) -> Told {
    let Some(seller) = market.seller(parcel.vendor) else { return nothing("vendor") };
    let left = sqlx::query!(
        r#"select l.id as "id: OrderLineId", (l.quantity
                  - coalesce((select sum(s.quantity) from shipment_lines s where s.line_id = l.id), 0)
                  - coalesce((select sum(p.quantity) from refund_parts p join refunds r on r.id = p.refund_id
                              where p.line_id = l.id and r.state <> 'failed'), 0))::int as "left!"
           from order_lines l where l.vendor_order_id = $1 order by l.position, l.id"#,
        parcel.id.uuid()
    )
    .fetch_all(&market.app.pool)
    .await?;
    let left = left.into_iter().filter(|line| line.left > 0);
    let lines: Vec<(OrderLineId, i32)> = match whole {
        true => left.map(|line| (line.id, line.left)).collect(),
        false => left.take(1).map(|line| (line.id, 1)).collect(),
    };
    if lines.is_empty() {
        return nothing("piece left");
    }
    Ok(refusable(orders::ship(&market.app, &seller.guard, parcel.id, &lines, "DPD", "").await)?.map(drop))
}

/// Gives back of a parcel; twice: the vendor and the operator want the same at the same moment.
async fn give_back(market: &Market, parcel: &Parcel, what: Share, by: Side, twice: bool) -> Told {
    let sold = {
        let mut db = market.app.pool.acquire().await?;
        payments::sold_parcels(&mut db, parcel.order, Some(parcel.id)).await?.pop().context("the parcel was read a moment ago")?
    };
    let wanted = match what {
        Share::Everything => sold.everything(),
        Share::HalfTheShipping => Wanted { shipping_minor: sold.shipping_left() / 2, ..Wanted::default() },
        Share::Piece => {
            let line = sold.lines.iter().find(|line| line.left() > 0);
            Wanted { lines: line.map(|line| (line.id, 1)).into_iter().collect(), shipping_minor: 0 }
        }
    };
    let (Some(seller), operator) = (market.seller(parcel.vendor), Giver::Operator(&market.operator)) else {
        return nothing("vendor");
    };
    let vendor = Giver::Vendor(&seller.guard);
    let give = async |giver| -> Told {
        Ok(refusable(payments::give_back(&market.app, giver, parcel.id, &wanted, "As a proof").await)?.map(drop))
    };
    if twice {
        let (one, two) = tokio::join!(give(vendor), give(operator));
        return both(one, two);
    }
    give(if by == Side::Vendor { vendor } else { operator }).await
}

/// The operator books in a vendor's favour, or against it, and sends the form twice.
async fn put_right(market: &Market, seller: &Seller, minor: i64) -> Told {
    let (payable, losses) = (Account::VendorPayable(seller.id), Account::Losses);
    let (debit, credit) = if minor > 0 { (losses, payable) } else { (payable, losses) };
    let correction = Correction {
        key: Uuid::now_v7(),
        debit,
        credit,
        amount: Money::new(minor.abs(), market.app.config.currency),
        memo: "As a proof".parse()?,
    };
    for _ in 0..2 {
        if let Err(no) = refusable(correct(&market.app, &market.operator, &correction).await)? {
            return Ok(Err(no));
        }
    }
    Ok(Ok(()))
}
