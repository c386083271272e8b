//! What people bought in the last half year: thrown with dice, priced and taxed by the rules of the shop.

use super::{
    catalogue::{Good, Goods},
    dice::Dice,
    people::{Buyer, People, Seller},
    world::{Address, ShippingMethod, Vendor, World},
};
use crate::money::{BasisPoints, apportion};
use std::collections::HashMap;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// How many orders there are.
const ORDERS: usize = 168;
/// The oldest is from so many days ago.
const DAYS: f64 = 175.0;

/// What became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Unpaid, its stock held.
    Open,
    /// Unpaid after a declined card, its stock held.
    Declined,
    /// Never paid; the stock went back.
    Expired,
    /// Declined, and then never paid.
    DeclinedExpired,
    /// Paid, nothing sent yet.
    Waiting,
    /// Some of it sent.
    Partial,
    Fulfilled,
    /// Sent, and a part of the money given back.
    PartRefunded,
    /// Called off by the shopper and refunded.
    Cancelled,
}

impl Fate {
    pub fn paid(self) -> bool {
        matches!(self, Self::Waiting | Self::Partial | Self::Fulfilled | Self::PartRefunded | Self::Cancelled)
    }

    pub fn declined(self) -> bool {
        matches!(self, Self::Declined | Self::DeclinedExpired)
    }
}

pub struct Line {
    pub id: Uuid,
    pub good: Good,
    pub quantity: i32,
    pub tax: i64,
    pub total: i64,
}

pub struct Shipment {
    pub id: Uuid,
    pub at: OffsetDateTime,
    pub by: Uuid,
    pub carrier: String,
    pub tracking: String,
    /// Lines by their place in the parcel, and how many pieces of each.
    pub pieces: Vec<(usize, i32)>,
}

pub struct Parcel {
    pub id: Uuid,
    pub vendor: Uuid,
    pub vendor_name: String,
    pub vendor_slug: String,
    pub shipping_code: String,
    pub shipping_name: String,
    pub days: [i32; 2],
    pub items: i64,
    pub shipping: i64,
    pub tax: i64,
    pub lines: Vec<Line>,
    pub shipments: Vec<Shipment>,
}

pub struct Order {
    pub id: Uuid,
    pub payment: Uuid,
    pub refund: Uuid,
    pub checkout_key: Uuid,
    pub fate: Fate,
    pub at: OffsetDateTime,
    pub paid_at: OffsetDateTime,
    pub closed_at: OffsetDateTime,
    pub hold_expires_at: OffsetDateTime,
    pub user: Option<Uuid>,
    pub name: String,
    pub email: String,
    pub address: Address,
    pub tax_rate: i32,
    pub parcels: Vec<Parcel>,
    /// Minor units that went back; zero where nothing did.
    pub refunded: i64,
}

impl Order {
    pub fn total(&self) -> i64 {
        self.parcels.iter().map(|p| p.items + p.shipping).sum()
    }
}

/// The rates that hold on the day, by country; of the table `countries`.
pub type Rates = HashMap<String, i32>;

/// Throws the orders, the oldest first.
pub fn plan(
    world: &World,
    people: &People,
    goods: &Goods,
    rates: &Rates,
    seed: u64,
    now: OffsetDateTime,
    hold: std::time::Duration,
) -> Vec<Order> {
    let mut dice = Dice::new(seed, "orders");
    let mut left: HashMap<Uuid, i32> = goods.variants.iter().map(|g| (g.variant, g.stock)).collect();
    let mut orders = Vec::with_capacity(ORDERS);
    for i in (0..ORDERS).rev() {
        // Thinner towards the past: the market grows.
        let days = DAYS * (i as f64 / ORDERS as f64).powf(1.6);
        let minutes = match i {
            0 => 4,
            1 => 9,
            _ => (days * 1440.0) as i64 + 40 + dice.between(0, 240),
        };
        let at = now - Duration::minutes(minutes);
        let fate = fate(i, minutes as f64 / 1440.0, &mut dice);
        let made = Thrower { world, people, goods, rates, dice: &mut dice, left: &mut left, hold }.order(fate, at, now);
        orders.extend(made);
    }
    orders.sort_by_key(|o| o.at);
    orders
}

fn fate(i: usize, days: f64, dice: &mut Dice) -> Fate {
    let throw = dice.below(100);
    match i {
        0 => Fate::Open,
        1 => Fate::Declined,
        // One of each that is seldom, so that every state can be seen.
        5 => Fate::Partial,
        7 => Fate::Cancelled,
        9 => Fate::DeclinedExpired,
        11 => Fate::Expired,
        _ if days < 3.0 => match throw {
            0..10 => Fate::Fulfilled,
            10..22 => Fate::Partial,
            22..30 => Fate::Cancelled,
            _ => Fate::Waiting,
        },
        _ if days < 9.0 => match throw {
            0..26 => Fate::Partial,
            26..34 => Fate::Cancelled,
            34..40 => Fate::Expired,
            _ => Fate::Fulfilled,
        },
        _ => match throw {
            0..6 => Fate::Cancelled,
            6..12 => Fate::Expired,
            12..15 => Fate::DeclinedExpired,
            15..19 => Fate::PartRefunded,
            _ => Fate::Fulfilled,
        },
    }
}

struct Thrower<'a> {
    world: &'a World,
    people: &'a People,
    goods: &'a Goods,
    rates: &'a Rates,
    dice: &'a mut Dice,
    /// What no open order holds.
    left: &'a mut HashMap<Uuid, i32>,
    hold: std::time::Duration,
}

impl Thrower<'_> {
    /// `None` where chance named nobody or nothing that could be had then.
    fn order(&mut self, fate: Fate, at: OffsetDateTime, now: OffsetDateTime) -> Option<Order> {
        let buyer = self.buyer()?;
        let address = self.dice.pick(&buyer.addresses)?.clone();
        let tax_rate = self.rates.get(&address[4]).copied().unwrap_or(0);
        let id = self.dice.id(at);
        let paid_at = at + Duration::seconds(self.dice.between(70, 260));
        let mut parcels = Vec::new();
        for seller in self.sellers() {
            let (vendor, of) = (self.world.vendors.get(seller)?, *self.people.sellers.get(seller)?);
            parcels.extend(self.parcel(vendor, of, seller, fate, at, tax_rate));
        }
        if parcels.is_empty() {
            return None;
        }
        self.shipments(&mut parcels, fate, paid_at, now);
        let closed_at = match fate {
            Fate::Cancelled => paid_at + Duration::minutes(self.dice.between(12, 400)),
            _ => at + self.hold,
        };
        let total: i64 = parcels.iter().map(|p| p.items + p.shipping).sum();
        let refunded = match fate {
            Fate::Cancelled => total,
            // One line came broken: its vendor gave the price of it back.
            Fate::PartRefunded => parcels.first().and_then(|p| p.lines.first()).map_or(0, |l| l.good.price),
            _ => 0,
        };
        Some(Order {
            id,
            payment: self.dice.id(at),
            refund: self.dice.id(closed_at),
            checkout_key: self.dice.id(at),
            fate,
            at,
            paid_at,
            closed_at: closed_at.min(now),
            hold_expires_at: at + self.hold,
            user: buyer.user,
            name: buyer.name.clone(),
            email: buyer.email.clone(),
            address,
            tax_rate,
            parcels,
            refunded,
        })
    }

    /// Ada often, guests now and then, everybody else as it falls.
    fn buyer(&mut self) -> Option<Buyer> {
        match self.dice.below(100) {
            0..12 => self.people.customers.first(),
            12..28 => self.dice.pick(&self.people.guests),
            _ => self.dice.pick(&self.people.customers),
        }
        .cloned()
    }

    /// One to four different vendors by their place in the file, the first of it most often.
    fn sellers(&mut self) -> Vec<usize> {
        let count = match self.dice.below(100) {
            0..42 => 1,
            42..74 => 2,
            74..93 => 3,
            _ => 4,
        };
        let mut sellers = Vec::new();
        while sellers.len() < count.min(self.world.vendors.len()) {
            let next = if sellers.is_empty() && self.dice.chance(22) { 0 } else { self.dice.below(self.world.vendors.len()) };
            if !sellers.contains(&next) {
                sellers.push(next);
            }
        }
        sellers
    }

    fn parcel(
        &mut self,
        vendor: &Vendor,
        of: Seller,
        seller: usize,
        fate: Fate,
        at: OffsetDateTime,
        tax_rate: i32,
    ) -> Option<Parcel> {
        let rate = BasisPoints(tax_rate);
        let offered: Vec<&Good> = self
            .goods
            .of_seller
            .get(seller)?
            .iter()
            .filter_map(|i| self.goods.variants.get(*i))
            .filter(|g| g.published_at < at && self.left.get(&g.variant).is_some_and(|left| *left > 2))
            .collect();
        let mut lines: Vec<Line> = Vec::new();
        for _ in 0..self.dice.between(1, 3) {
            let good = *self.dice.pick(&offered)?;
            if lines.iter().any(|l| l.good.variant == good.variant) {
                continue;
            }
            let quantity = if good.price < 1500 { self.dice.between(1, 3) as i32 } else { 1 };
            if matches!(fate, Fate::Open | Fate::Declined) {
                self.left.entry(good.variant).and_modify(|left| *left -= quantity);
            }
            let total = good.price * i64::from(quantity);
            lines.push(Line { id: self.dice.id(at), good: good.clone(), quantity, tax: rate.contained_in(total), total });
        }
        let items: i64 = lines.iter().map(|l| l.total).sum();
        let method = self.method(vendor)?;
        let shipping = if method.free_over.is_some_and(|over| items >= over) { 0 } else { method.price };
        Some(Parcel {
            id: self.dice.id(at),
            vendor: of.vendor,
            vendor_name: vendor.name.clone(),
            vendor_slug: vendor.slug.clone(),
            shipping_code: method.code.clone(),
            shipping_name: method.name.clone(),
            days: method.days,
            items,
            shipping,
            tax: lines.iter().map(|l| l.tax).sum::<i64>() + rate.contained_in(shipping),
            lines,
            shipments: Vec::new(),
        })
    }

    /// The first that is offered, most of the time.
    fn method<'v>(&mut self, vendor: &'v Vendor) -> Option<&'v ShippingMethod> {
        if self.dice.chance(76) { vendor.shipping.first() } else { self.dice.pick(&vendor.shipping) }
    }

    /// Sends what the fate says: everything, or a first parcel, or a first piece.
    fn shipments(&mut self, parcels: &mut [Parcel], fate: Fate, paid_at: OffsetDateTime, now: OffsetDateTime) {
        let all = matches!(fate, Fate::Fulfilled | Fate::PartRefunded);
        if !all && fate != Fate::Partial {
            return;
        }
        let several = parcels.len() > 1;
        for (i, parcel) in parcels.iter_mut().enumerate() {
            if !all && i > 0 {
                break;
            }
            let pieces: Vec<(usize, i32)> = parcel.lines.iter().enumerate().map(|(i, l)| (i, l.quantity)).collect();
            let pieces = if all || several {
                pieces
            } else if let [(line, quantity)] = pieces[..] {
                // A single line of one piece cannot be sent in part; then the whole is on its way.
                vec![(line, apportion(quantity.into(), &[1, 1]).first().map_or(1, |half| *half as i32).max(1))]
            } else {
                pieces.into_iter().take(1).collect()
            };
            let owner = self.people.sellers.iter().find(|s| s.vendor == parcel.vendor).map(|s| s.owner);
            let carrier = self.world.vendors.iter().find(|v| v.slug == parcel.vendor_slug).map(|v| v.carrier.clone());
            if let (Some(by), Some(carrier)) = (owner, carrier) {
                let at = (paid_at + Duration::minutes(self.dice.between(180, 2600))).min(now - Duration::minutes(5)).max(paid_at);
                let initials: String = carrier.split_whitespace().filter_map(|w| w.chars().next()).take(2).collect();
                let tracking = format!("{}{:09}GB", initials.to_uppercase(), self.dice.below(1_000_000_000));
                parcel.shipments.push(Shipment { id: self.dice.id(at), at, by, carrier, tracking, pieces });
            }
        }
    }
}
