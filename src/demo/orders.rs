//! What people bought in the last half year: thrown with dice, priced and taxed by the rules of the shop.

use super::{
    catalogue::{Good, Goods},
    dice::Dice,
    people::{Buyer, People, Seller},
    world::{Address, ShippingMethod, Vendor, World},
};
use crate::money::BasisPoints;
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
    /// Cancelled by the shopper and refunded.
    Cancelled,
}

impl Fate {
    pub fn paid(self) -> bool {
        matches!(self, Self::Waiting | Self::Partial | Self::Fulfilled | Self::PartRefunded | Self::Cancelled)
    }

    /// Paid, and something of it is still with a vendor.
    pub fn to_ship(self) -> bool {
        matches!(self, Self::Waiting | Self::Partial)
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
    let mut turn = 0;
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
        let mut thrower = Thrower { world, people, goods, rates, dice: &mut dice, left: &mut left, turn: &mut turn, hold };
        orders.extend(thrower.order(fate, at, now));
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
        // What is new waits for its vendors, so that each of them has something to do.
        _ if days < 3.0 => match throw {
            0..20 => Fate::Partial,
            _ => Fate::Waiting,
        },
        _ if days < 10.0 => match throw {
            0..40 => Fate::Partial,
            40..80 => Fate::Waiting,
            80..86 => Fate::Cancelled,
            _ => Fate::Fulfilled,
        },
        _ if days < 25.0 && throw < 10 => Fate::Waiting,
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
    /// Whose turn it is to have something to ship.
    turn: &'a mut usize,
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
        let sellers = if fate.to_ship() { self.sellers_in_turn(fate) } else { self.sellers() };
        for seller in sellers {
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

    /// One to four vendors who have not had their turn for longest. Of a partly sent order with several parcels the first
    /// is sent, so one more vendor, who is next anyway, stands before them.
    fn sellers_in_turn(&mut self, fate: Fate) -> Vec<usize> {
        let all = self.world.vendors.len();
        let count = (self.dice.between(1, 4) as usize).min(all);
        let mut sellers: Vec<usize> = (0..count).map(|i| (*self.turn + i) % all).collect();
        *self.turn += count;
        if fate == Fate::Partial && (2..all).contains(&count) {
            sellers.insert(0, *self.turn % all);
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

    /// Sends what the fate says: everything, or a first parcel, or a part of the only one.
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
                vec![(line, quantity / 2)]
            } else {
                pieces.into_iter().take(1).collect()
            };
            // A single piece cannot be sent in part; it waits.
            if pieces.iter().all(|(_, quantity)| *quantity == 0) {
                continue;
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// The world of the files with ids that come from nowhere, and everything on sale for a year.
    fn market(now: OffsetDateTime) -> (World, People, Goods) {
        let world = World::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("demo")).unwrap();
        let mut goods = Goods::default();
        for vendor in &world.vendors {
            let mut places = Vec::new();
            for (product, variant) in vendor.products.iter().flat_map(|p| p.variants.iter().map(move |v| (p, v))) {
                places.push(goods.variants.len());
                goods.variants.push(Good {
                    variant: Uuid::now_v7(),
                    product: Uuid::now_v7(),
                    picture: None,
                    slug: product.slug.clone(),
                    title: product.title.clone(),
                    sku: variant.sku.clone(),
                    options: serde_json::json!({}),
                    price: variant.price,
                    stock: variant.stock,
                    published_at: now - Duration::days(365),
                });
            }
            goods.of_seller.push(places);
        }
        let buyer = |name: &str, addresses: Vec<Address>| Buyer {
            user: None,
            name: name.into(),
            email: "someone@example.com".into(),
            addresses,
        };
        let people = People {
            sellers: world.vendors.iter().map(|_| Seller { vendor: Uuid::now_v7(), owner: Uuid::now_v7() }).collect(),
            customers: world.people.customers.iter().map(|c| buyer(&c.person.name, c.addresses.clone())).collect(),
            guests: world.people.guests.iter().map(|g| buyer(&g.name, vec![g.address.clone()])).collect(),
        };
        (world, people, goods)
    }

    #[test]
    fn every_vendor_has_something_to_ship_and_most_of_the_past_is_done() {
        let now = OffsetDateTime::UNIX_EPOCH + Duration::days(20_000);
        let (world, people, goods) = market(now);
        for seed in 1..=20 {
            let orders = plan(&world, &people, &goods, &Rates::new(), seed, now, std::time::Duration::from_secs(900));
            let unsent = |p: &Parcel| {
                let sent: i32 = p.shipments.iter().flat_map(|s| &s.pieces).map(|(_, n)| n).sum();
                sent < p.lines.iter().map(|l| l.quantity).sum()
            };
            let open: Vec<&Order> = orders.iter().filter(|o| o.fate.to_ship() && o.parcels.iter().any(unsent)).collect();
            let share = open.len() * 100 / orders.len();
            assert!((8..=16).contains(&share), "seed {seed}: {share} % of {} orders", orders.len());
            let new = open.iter().filter(|o| o.at > now - Duration::days(11)).count();
            assert!(new * 10 >= open.len() * 7, "seed {seed}: {new} of {}", open.len());
            for seller in &people.sellers {
                let waiting = open.iter().flat_map(|o| &o.parcels).filter(|p| p.vendor == seller.vendor && unsent(p)).count();
                assert!(waiting >= 2, "seed {seed}: {waiting}");
            }
            assert!(
                orders
                    .iter()
                    .filter(|o| o.fate.paid() && !o.fate.to_ship())
                    .all(|o| o.fate == Fate::Cancelled || !o.parcels.iter().any(unsent))
            );
        }
    }

    #[test]
    fn the_same_number_makes_the_same_orders() {
        let now = OffsetDateTime::UNIX_EPOCH + Duration::days(20_000);
        let (world, people, goods) = market(now);
        let made = || {
            plan(&world, &people, &goods, &Rates::new(), 1, now, std::time::Duration::from_secs(900))
                .iter()
                .map(|o| (o.id, o.fate, o.total(), o.parcels.len()))
                .collect::<Vec<_>>()
        };
        assert_eq!(made(), made());
    }
}
