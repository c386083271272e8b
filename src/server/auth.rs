//! Who asks. A guard is an argument: its fields are private, so holding one proves that the check was made.

use super::{errors::internal, session::USER_KEY, state::App};
use crate::{
    error::AppError,
    ids::{UserId, VendorId},
    vendors::role::TeamRole,
};
use axum::extract::FromRequestParts;
use http::{Extensions, HeaderMap, request::Parts};
use std::ops::Deref;
use tower_sessions::Session;

/// A signed-in person, as every page needs them. One query.
#[derive(Debug, Clone)]
pub struct Customer {
    id: UserId,
    handle: String,
    name: String,
    email: String,
    operator: bool,
    vendor: Option<VendorMembership>,
}

/// The shop in whose team the person is, whatever its status.
#[derive(Debug, Clone)]
pub struct VendorMembership {
    pub id: VendorId,
    pub slug: String,
    pub name: String,
    pub role: TeamRole,
    /// `pending`, `approved`, `refused`, `suspended`
    pub status: String,
}

impl Customer {
    pub fn id(&self) -> UserId {
        self.id
    }
    pub fn handle(&self) -> &str {
        &self.handle
    }
    pub fn name(&self) -> &str {
        &self.name
    }
    pub fn email(&self) -> &str {
        &self.email
    }
    pub fn is_operator(&self) -> bool {
        self.operator
    }
    pub fn vendor(&self) -> Option<&VendorMembership> {
        self.vendor.as_ref()
    }
}

/// What a valid token proves: whom it speaks for, and whether it may change anything. Made by `accounts::tokens` only.
#[derive(Debug, Clone, Copy)]
pub struct Bearer {
    user: UserId,
    may_write: bool,
}

impl Bearer {
    pub(crate) fn new(user: UserId, may_write: bool) -> Self {
        Self { user, may_write }
    }
    pub fn user(&self) -> UserId {
        self.user
    }
    pub fn may_write(&self) -> bool {
        self.may_write
    }
}

/// The person if signed in: by the session, or in a REST request by a token.
#[derive(Debug, Clone)]
pub struct MaybeCustomer(Option<Customer>);

impl MaybeCustomer {
    /// Someone without an account.
    pub fn guest() -> Self {
        Self(None)
    }
    /// Someone who is signed in.
    pub fn of(customer: Customer) -> Self {
        Self(Some(customer))
    }

    pub fn customer(&self) -> Option<&Customer> {
        self.0.as_ref()
    }
    pub fn id(&self) -> Option<UserId> {
        self.0.as_ref().map(Customer::id)
    }
    /// The guard that a vendor's own calls ask for, where one may be there.
    pub fn vendor(&self) -> Option<Vendor> {
        self.0.as_ref().and_then(Vendor::of)
    }
}

/// Someone of the team of an approved shop. Everything a vendor may touch is found through [`Vendor::id`]. What not everybody of the
/// team may do asks for a [`Manager`] or an [`Owner`] instead.
#[derive(Debug, Clone)]
pub struct Vendor {
    customer: Customer,
    id: VendorId,
    slug: String,
    name: String,
    role: TeamRole,
}

impl Vendor {
    pub fn of(customer: &Customer) -> Option<Self> {
        let shop = customer.vendor.as_ref().filter(|v| v.status == "approved")?;
        let (slug, name) = (shop.slug.clone(), shop.name.clone());
        Some(Self { customer: customer.clone(), id: shop.id, slug, name, role: shop.role })
    }
    pub fn role(&self) -> TeamRole {
        self.role
    }
    /// The guard of what only managers and owners may.
    pub fn manager(&self) -> Option<Manager> {
        Manager::admit(self.clone())
    }
    /// The guard of what only owners may.
    pub fn owner(&self) -> Option<Owner> {
        Owner::admit(self.clone())
    }
    pub fn id(&self) -> VendorId {
        self.id
    }
    pub fn slug(&self) -> &str {
        &self.slug
    }
    pub fn name(&self) -> &str {
        &self.name
    }
    pub fn customer(&self) -> &Customer {
        &self.customer
    }
}

/// A manager or an owner of an approved shop: goods, prices, coupons, money back, returns, the shop's page.
#[derive(Debug, Clone)]
pub struct Manager(Vendor);

impl Deref for Manager {
    type Target = Vendor;
    fn deref(&self) -> &Vendor {
        &self.0
    }
}

/// An owner of an approved shop: how it is paid, what stands on its invoices, and its team.
#[derive(Debug, Clone)]
pub struct Owner(Manager);

impl Deref for Owner {
    type Target = Manager;
    fn deref(&self) -> &Manager {
        &self.0
    }
}

/// A guard of the vendor's desk: who of a team may sit there.
pub trait Seat: Sized + Send {
    /// The least role that is enough.
    const ROLE: TeamRole;

    /// The guard, where this member's role is enough.
    fn admit(vendor: Vendor) -> Option<Self>;
}

impl Seat for Vendor {
    const ROLE: TeamRole = TeamRole::Fulfiller;
    fn admit(vendor: Vendor) -> Option<Self> {
        Some(vendor)
    }
}

impl Seat for Manager {
    const ROLE: TeamRole = TeamRole::Manager;
    fn admit(vendor: Vendor) -> Option<Self> {
        vendor.role.may(Self::ROLE).then_some(Self(vendor))
    }
}

impl Seat for Owner {
    const ROLE: TeamRole = TeamRole::Owner;
    fn admit(vendor: Vendor) -> Option<Self> {
        if vendor.role.may(Self::ROLE) { Manager::admit(vendor).map(Self) } else { None }
    }
}

/// Someone who answers for the whole shop.
#[derive(Debug, Clone)]
pub struct Operator(Customer);

impl Operator {
    pub fn id(&self) -> UserId {
        self.0.id
    }
    pub fn customer(&self) -> &Customer {
        &self.0
    }
}

impl FromRequestParts<App> for MaybeCustomer {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AppError> {
        // Asked twice in one request (by a guard and by the layer around it), the answer is the same.
        if let Some(known) = parts.extensions.get::<Self>() {
            return Ok(known.clone());
        }
        let id = match (parts.extensions.get::<Bearer>(), parts.extensions.get::<Session>()) {
            (Some(bearer), _) => Some(bearer.user),
            (None, Some(session)) => session.get::<UserId>(USER_KEY).await.map_err(internal)?,
            (None, None) => None,
        };
        let found = Self(match id {
            Some(id) => find(app, id).await?,
            None => None,
        });
        parts.extensions.insert(found.clone());
        Ok(found)
    }
}

impl Customer {
    /// The person as the database has them now, after a change in this very request.
    pub async fn again(app: &App, who: &Self) -> Result<Self, AppError> {
        find(app, who.id).await?.ok_or(AppError::Unauthenticated)
    }

    /// The person who signed in by this very request.
    pub async fn just_signed_in(app: &App, proof: &crate::accounts::SignedIn) -> Result<Self, AppError> {
        find(app, proof.user).await?.ok_or(AppError::Unauthenticated)
    }
}

async fn find(app: &App, id: UserId) -> sqlx::Result<Option<Customer>> {
    let row = sqlx::query!(
        r#"select u.id as "id: UserId", u.handle, u.name, u.email, u.operator,
                      v.id as "vendor_id?: VendorId", v.slug as "slug?", v.name as "vendor_name?", v.status as "status?",
                      m.role as "role?: TeamRole"
               from users u left join vendor_members m on m.user_id = u.id left join vendors v on v.id = m.vendor_id where u.id = $1"#,
        id.uuid()
    )
    .fetch_optional(&app.pool)
    .await?;
    Ok(row.map(|r| Customer {
        id: r.id,
        handle: r.handle,
        name: r.name,
        email: r.email,
        operator: r.operator,
        vendor: match (r.vendor_id, r.slug, r.vendor_name, r.status, r.role) {
            (Some(id), Some(slug), Some(name), Some(status), Some(role)) => {
                Some(VendorMembership { id, slug, name, role, status })
            }
            _ => None,
        },
    }))
}

impl FromRequestParts<App> for Customer {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AppError> {
        MaybeCustomer::from_request_parts(parts, app).await?.0.ok_or(AppError::Unauthenticated)
    }
}

impl FromRequestParts<App> for Vendor {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AppError> {
        let customer = Customer::from_request_parts(parts, app).await?;
        Self::of(&customer).ok_or(AppError::Forbidden)
    }
}

impl FromRequestParts<App> for Manager {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AppError> {
        Self::admit(Vendor::from_request_parts(parts, app).await?).ok_or(AppError::Forbidden)
    }
}

impl FromRequestParts<App> for Owner {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AppError> {
        Self::admit(Vendor::from_request_parts(parts, app).await?).ok_or(AppError::Forbidden)
    }
}

impl FromRequestParts<App> for Operator {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AppError> {
        let customer = Customer::from_request_parts(parts, app).await?;
        if customer.operator { Ok(Self(customer)) } else { Err(AppError::Forbidden) }
    }
}

/// The address a request came from: the socket's, or what the configured proxy says. Used for rate limits only.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub std::net::IpAddr);

impl ClientAddress {
    /// Of a request's extensions and headers.
    pub fn of(app: &App, extensions: &Extensions, headers: &HeaderMap) -> Self {
        let socket = extensions
            .get::<axum::extract::ConnectInfo<std::net::SocketAddr>>()
            .map_or(std::net::IpAddr::from([127, 0, 0, 1]), |c| c.0.ip());
        if app.config.trusted_proxy != Some(socket) {
            return Self(socket);
        }
        // The proxy appends the address that it saw: the last entry is the only one it vouches for.
        let forwarded = headers.get("x-forwarded-for").and_then(|v| v.to_str().ok());
        Self(forwarded.and_then(|v| v.rsplit(',').next()).and_then(|v| v.trim().parse().ok()).unwrap_or(socket))
    }
}

impl FromRequestParts<App> for ClientAddress {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        Ok(Self::of(app, &parts.extensions, &parts.headers))
    }
}

/// A path of ours to go to next, such as `/checkout`. Anything else (another host, a scheme, control bytes) becomes `/`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LocalPath(String);

impl LocalPath {
    pub fn parse(text: &str) -> Self {
        let plain = text.starts_with('/')
            && !text.starts_with("//")
            && text.len() <= 500
            && text.bytes().all(|b| (0x21..0x7f).contains(&b) && b != b'\\');
        Self(if plain { text.to_owned() } else { "/".to_owned() })
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> serde::Deserialize<'de> for LocalPath {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(Self::parse(&String::deserialize(d)?))
    }
}

impl Default for LocalPath {
    fn default() -> Self {
        Self("/".into())
    }
}

#[cfg(test)]
mod tests {
    use super::LocalPath;

    #[test]
    fn only_our_own_paths_are_followed() {
        for (given, taken) in [
            ("/checkout", "/checkout"),
            ("/search?q=tea%20pot", "/search?q=tea%20pot"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example", "/"),
            ("javascript:alert(1)", "/"),
            ("/a\r\nSet-Cookie: x=1", "/"),
            ("", "/"),
        ] {
            assert_eq!(LocalPath::parse(given).as_str(), taken, "{given:?}");
        }
    }
}
