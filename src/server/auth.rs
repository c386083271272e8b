//! Who asks. A guard is an argument: its fields are private, so holding one proves that the check was made.

use super::{errors::internal, session::USER_KEY, state::App};
use crate::{
    error::AppError,
    ids::{UserId, VendorId},
};
use axum::extract::FromRequestParts;
use http::{Extensions, HeaderMap, request::Parts};
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

/// The person's shop, whatever its status.
#[derive(Debug, Clone)]
pub struct VendorMembership {
    pub id: VendorId,
    pub slug: String,
    pub name: String,
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

/// The owner of an approved shop. Everything a vendor may touch is found through [`Vendor::id`].
#[derive(Debug, Clone)]
pub struct Vendor {
    customer: Customer,
    id: VendorId,
    slug: String,
    name: String,
}

impl Vendor {
    fn of(customer: &Customer) -> Option<Self> {
        let shop = customer.vendor.as_ref().filter(|v| v.status == "approved")?;
        Some(Self { customer: customer.clone(), id: shop.id, slug: shop.slug.clone(), name: shop.name.clone() })
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
                      v.id as "vendor_id?: VendorId", v.slug as "slug?", v.name as "vendor_name?", v.status as "status?"
               from users u left join vendors v on v.owner_id = u.id where u.id = $1"#,
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
        vendor: match (r.vendor_id, r.slug, r.vendor_name, r.status) {
            (Some(id), Some(slug), Some(name), Some(status)) => Some(VendorMembership { id, slug, name, status }),
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
