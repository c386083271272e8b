//! Accounts, address books, vendors and what they charge for shipping.

use super::{
    dice::Dice,
    world::{Address, Person, World},
};
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// Someone an order can be for.
#[derive(Debug, Clone)]
pub struct Buyer {
    /// `None`: ordered without an account.
    pub user: Option<Uuid>,
    pub name: String,
    pub email: String,
    pub addresses: Vec<Address>,
}

/// A vendor who sells, in the order of the file.
#[derive(Debug, Clone, Copy)]
pub struct Seller {
    pub vendor: Uuid,
    pub owner: Uuid,
}

#[derive(Debug)]
pub struct People {
    pub sellers: Vec<Seller>,
    pub customers: Vec<Buyer>,
    pub guests: Vec<Buyer>,
}

#[derive(Default)]
struct Users {
    id: Vec<Uuid>,
    handle: Vec<String>,
    name: Vec<String>,
    email: Vec<String>,
    operator: Vec<bool>,
    created_at: Vec<OffsetDateTime>,
}

impl Users {
    fn add(&mut self, person: &Person, operator: bool, at: OffsetDateTime, dice: &mut Dice) -> Uuid {
        let id = dice.id(at);
        self.id.push(id);
        self.handle.push(person.handle.clone());
        self.name.push(person.name.clone());
        self.email.push(person.email.clone());
        self.operator.push(operator);
        self.created_at.push(at);
        id
    }
}

#[derive(Default)]
struct Vendors {
    id: Vec<Uuid>,
    owner: Vec<Uuid>,
    slug: Vec<String>,
    name: Vec<String>,
    tagline: Vec<String>,
    description: Vec<String>,
    country: Vec<String>,
    status: Vec<String>,
    reason: Vec<String>,
    applied_at: Vec<OffsetDateTime>,
}

#[derive(Default)]
struct Addresses {
    id: Vec<Uuid>,
    user: Vec<Uuid>,
    name: Vec<String>,
    lines: [Vec<String>; 5],
    preferred: Vec<bool>,
}

/// Writes everybody. All share one hash of one password: hashing is slow on purpose.
pub async fn write(tx: &mut PgConnection, world: &World, seed: u64, now: OffsetDateTime, password: &str) -> sqlx::Result<People> {
    let mut dice = Dice::new(seed, "people");
    let mut users = Users::default();
    let mut vendors = Vendors::default();
    let operator = users.add(&world.people.operator, true, now - Duration::days(700), &mut dice);

    let mut sellers = Vec::with_capacity(world.vendors.len());
    for vendor in &world.vendors {
        let at = now - Duration::days(dice.between(430, 680)) - Duration::minutes(dice.between(0, 1400));
        let owner = users.add(&vendor.owner, false, at, &mut dice);
        let id = dice.id(at);
        vendors.add(
            id,
            owner,
            at,
            [&vendor.slug, &vendor.name, &vendor.tagline, &vendor.description, &vendor.country, "approved", ""],
        );
        sellers.push(Seller { vendor: id, owner });
    }
    for a in &world.people.applicants {
        let at = now - Duration::hours(if a.status == "pending" { 20 } else { 300 });
        let owner = users.add(&a.owner, false, at, &mut dice);
        let id = dice.id(at);
        vendors.add(id, owner, at, [&a.slug, &a.name, &a.tagline, &a.description, &a.country, &a.status, &a.reason]);
    }
    let mut addresses = Addresses::default();
    let mut customers = Vec::with_capacity(world.people.customers.len());
    for customer in &world.people.customers {
        let at = now - Duration::days(dice.between(160, 600)) - Duration::minutes(dice.between(0, 1400));
        let user = users.add(&customer.person, false, at, &mut dice);
        for (i, address) in customer.addresses.iter().enumerate() {
            addresses.id.push(dice.id(at + Duration::minutes(i as i64 + 1)));
            addresses.user.push(user);
            addresses.name.push(customer.person.name.clone());
            for (column, value) in addresses.lines.iter_mut().zip(address) {
                column.push(value.clone());
            }
            addresses.preferred.push(i == 0);
        }
        customers.push(Buyer {
            user: Some(user),
            name: customer.person.name.clone(),
            email: customer.person.email.clone(),
            addresses: customer.addresses.clone(),
        });
    }
    let guests = world.people.guests.iter().map(|g| Buyer {
        user: None,
        name: g.name.clone(),
        email: g.email.clone(),
        addresses: vec![g.address.clone()],
    });
    let guests = guests.collect();

    sqlx::query!(
        "insert into users (id, handle, name, email, operator, created_at, password_hash)
         select u.*, $7 from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bool[], $6::timestamptz[]) u",
        &users.id,
        &users.handle,
        &users.name,
        &users.email,
        &users.operator,
        &users.created_at,
        password
    )
    .execute(&mut *tx)
    .await?;
    vendors.insert(tx, operator).await?;
    addresses.insert(tx).await?;
    shipping(tx, world, &sellers, &mut dice, now).await?;
    teams(tx, world, &sellers, &mut dice, now, password).await?;
    Ok(People { sellers, customers, guests })
}

impl Vendors {
    fn add(&mut self, id: Uuid, owner: Uuid, at: OffsetDateTime, texts: [&str; 7]) {
        self.id.push(id);
        self.owner.push(owner);
        self.applied_at.push(at);
        let columns = [
            &mut self.slug,
            &mut self.name,
            &mut self.tagline,
            &mut self.description,
            &mut self.country,
            &mut self.status,
            &mut self.reason,
        ];
        for (column, text) in columns.into_iter().zip(texts) {
            column.push(text.to_owned());
        }
    }

    async fn insert(&self, tx: &mut PgConnection, operator: Uuid) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into vendors (id, owner_id, slug, name, tagline, description, country, status, status_reason, applied_at,
                                  decided_at, decided_by)
             select v.*, case when v.status <> 'pending' then v.at + interval '26 hours' end,
                    case when v.status <> 'pending' then $11::uuid end
             from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
                         $10::timestamptz[]) v(id, owner, slug, name, tagline, description, country, status, reason, at)",
            &self.id,
            &self.owner,
            &self.slug,
            &self.name,
            &self.tagline,
            &self.description,
            &self.country,
            &self.status,
            &self.reason,
            &self.applied_at,
            operator
        )
        .execute(tx)
        .await?;
        Ok(())
    }
}

impl Addresses {
    async fn insert(&self, tx: &mut PgConnection) -> sqlx::Result<()> {
        let [line1, line2, city, postal_code, country] = &self.lines;
        sqlx::query!(
            "insert into addresses (id, user_id, name, line1, line2, city, postal_code, country, preferred)
             select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                                  $9::bool[])",
            &self.id,
            &self.user,
            &self.name,
            line1,
            line2,
            city,
            postal_code,
            country,
            &self.preferred
        )
        .execute(tx)
        .await?;
        Ok(())
    }
}

/// Who works with the owners.
async fn teams(
    tx: &mut PgConnection,
    world: &World,
    sellers: &[Seller],
    dice: &mut Dice,
    now: OffsetDateTime,
    password: &str,
) -> sqlx::Result<()> {
    for (vendor, seller) in world.vendors.iter().zip(sellers) {
        for member in &vendor.team {
            let at = now - Duration::days(dice.between(150, 400));
            let user = dice.id(at);
            sqlx::query!(
                "with person as (
                     insert into users (id, handle, name, email, created_at, password_hash) values ($1, $2, $3, $4, $5, $6) returning id
                 )
                 insert into vendor_members (user_id, vendor_id, role, since, invited_by) select id, $7, $8, $5, $9 from person",
                user,
                member.person.handle,
                member.person.name,
                member.person.email,
                at,
                password,
                seller.vendor,
                member.role,
                seller.owner
            )
            .execute(&mut *tx)
            .await?;
        }
    }
    Ok(())
}

/// What each vendor charges, a few rows each.
async fn shipping(
    tx: &mut PgConnection,
    world: &World,
    sellers: &[Seller],
    dice: &mut Dice,
    now: OffsetDateTime,
) -> sqlx::Result<()> {
    for (vendor, seller) in world.vendors.iter().zip(sellers) {
        for (position, method) in vendor.shipping.iter().enumerate() {
            let id = dice.id(now);
            sqlx::query!(
                "insert into shipping_methods (id, vendor_id, code, name, price_minor, free_over_minor, min_days, max_days, position)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                id,
                seller.vendor,
                method.code,
                method.name,
                method.price,
                method.free_over,
                method.days[0],
                method.days[1],
                position as i32
            )
            .execute(&mut *tx)
            .await?;
        }
    }
    Ok(())
}
