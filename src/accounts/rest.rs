//! People for programs: registering, signing in, one's own account, and the tokens that speak for it.

use super::{
    CURRENCIES, Email, Handle, LANGUAGES, NewAccount, Password, PersonName, Preferences, SignedIn, Theme, Visitor, queries,
    tokens::{self, ApiToken, Scope},
};
use crate::{
    cart::CartCookie,
    error::AppError,
    ids::{ApiTokenId, UserId, VendorId},
    server::{
        auth::{Bearer, ClientAddress, Customer},
        errors::internal,
        rest::{Body, List, Named, Page, Params},
        state::App,
    },
    vendors::role::TeamRole,
};
use axum::{Extension, Json, extract::State};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tower_sessions::Session;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The calls of this slice.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(register))
        .routes(routes!(login))
        .routes(routes!(logout))
        .routes(routes!(me, change_me))
        .routes(routes!(preferences, change_preferences))
        .routes(routes!(person))
        .routes(routes!(list_tokens, create_token))
        .routes(routes!(delete_token))
}

/// What somebody may do: everyone is a shopper.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Shopper,
    Vendor,
    Operator,
}

/// One's own account.
#[derive(Debug, Serialize, ToSchema)]
pub struct User {
    id: UserId,
    handle: Handle,
    name: String,
    email: String,
    roles: Vec<Role>,
    /// One's own shop, whatever its status.
    #[schema(required)]
    vendor: Option<Membership>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

/// The shop that one is in the team of.
#[derive(Debug, Serialize, ToSchema)]
pub struct Membership {
    id: VendorId,
    slug: String,
    name: String,
    /// What one may do there.
    role: TeamRole,
    /// `pending`, `approved`, `refused`, `suspended`
    status: String,
}

/// Who signed in.
#[derive(Debug, Serialize, ToSchema)]
pub struct Welcome {
    user: User,
}

impl User {
    async fn of(app: &App, who: &Customer) -> Result<Self, AppError> {
        let handle: Handle = who.handle().parse().map_err(internal)?;
        let public = queries::public_profile(&app.pool, &handle).await?.ok_or(AppError::NotFound)?;
        let vendor = who.vendor();
        let mut roles = vec![Role::Shopper];
        roles.extend(vendor.filter(|v| v.status == "approved").map(|_| Role::Vendor));
        roles.extend(who.is_operator().then_some(Role::Operator));
        Ok(Self {
            id: who.id(),
            handle,
            name: who.name().to_owned(),
            email: who.email().to_owned(),
            roles,
            vendor: vendor.map(|v| Membership {
                id: v.id,
                slug: v.slug.clone(),
                name: v.name.clone(),
                role: v.role,
                status: v.status.clone(),
            }),
            created_at: public.created_at,
        })
    }
}

impl Welcome {
    async fn of(app: &App, done: &SignedIn) -> Result<Json<Self>, AppError> {
        let who = Customer::just_signed_in(app, done).await?;
        Ok(Json(Self { user: User::of(app, &who).await? }))
    }
}

/// What a new account needs.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    email: Email,
    #[schema(min_length = 10, max_length = 128, pattern = r"^[^\u0000\uFFFD]*$", format = Password)]
    password: String,
    name: PersonName,
}

/// Make an account and sign in
///
/// With an address and password that are known already it simply signs in.
#[utoipa::path(post, path = "/auth/register", tag = "accounts", operation_id = "register", request_body = Registration,
    responses((status = 201, body = Welcome)))]
pub async fn register(
    State(app): State<App>,
    session: Session,
    from: ClientAddress,
    cart: CartCookie,
    Body(new): Body<Registration>,
) -> Result<(StatusCode, Json<Welcome>), AppError> {
    let password: Password =
        new.password.parse().map_err(|e: crate::text::BadText| AppError::field("password", e.to_string()))?;
    let new = NewAccount { email: new.email, password, name: new.name };
    let done = super::register(&app, &session, &Visitor { from, cart }, &new).await?;
    Ok((StatusCode::CREATED, Welcome::of(&app, &done).await?))
}

/// Who one says to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    email: Email,
    #[schema(max_length = 1000, format = Password)]
    password: String,
}

/// Sign in
///
/// Sets the session's cookie; what is in the cart comes along. A wrong pair is 401 `/problems/wrong-credentials`.
#[utoipa::path(post, path = "/auth/login", tag = "accounts", operation_id = "signIn", request_body = Credentials,
    responses((status = 200, body = Welcome)))]
pub async fn login(
    State(app): State<App>,
    session: Session,
    from: ClientAddress,
    cart: CartCookie,
    Body(typed): Body<Credentials>,
) -> Result<Json<Welcome>, AppError> {
    if typed.password.chars().count() > 1000 {
        return Err(AppError::field("password", "At most 1000 characters"));
    }
    let done = super::sign_in(&app, &session, &Visitor { from, cart }, &typed.email, &typed.password).await?;
    Welcome::of(&app, &done).await
}

/// Sign out
///
/// Ends the session. A token is not a session: delete it to end it.
#[utoipa::path(post, path = "/auth/logout", tag = "accounts", operation_id = "signOut",
    responses((status = 204, description = "Signed out.")), security(("bearer" = []), ("session" = [])))]
pub async fn logout(_who: Customer, session: Session) -> Result<StatusCode, AppError> {
    super::sign_out(&session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// One's own profile
#[utoipa::path(get, path = "/users/me", tag = "accounts", operation_id = "getOwnProfile", responses((status = 200, body = User)),
    security(("bearer" = []), ("session" = [])))]
pub async fn me(State(app): State<App>, who: Customer) -> Result<Json<User>, AppError> {
    Ok(Json(User::of(&app, &who).await?))
}

/// What shall be different; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileChange {
    #[serde(default)]
    name: Option<PersonName>,
    /// The public name, in `/users/{handle}`.
    #[serde(default)]
    handle: Option<Handle>,
}

/// Change one's own profile
#[utoipa::path(patch, path = "/users/me", tag = "accounts", operation_id = "changeOwnProfile", request_body = ProfileChange,
    responses((status = 200, body = User)), security(("bearer" = []), ("session" = [])))]
pub async fn change_me(State(app): State<App>, who: Customer, Body(change): Body<ProfileChange>) -> Result<Json<User>, AppError> {
    let name = change.name.map_or_else(|| who.name().parse().map_err(internal), Ok)?;
    let handle = change.handle.map_or_else(|| who.handle().parse().map_err(internal), Ok)?;
    queries::set_profile(&app.pool, &who, &name, &handle).await?;
    let who = Customer::again(&app, &who).await?;
    Ok(Json(User::of(&app, &who).await?))
}

/// What anybody may know of a person.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublicUser {
    handle: String,
    name: String,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// Their open shop.
    #[schema(required)]
    vendor: Option<PublicMembership>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct PublicMembership {
    slug: String,
    name: String,
}

/// A person's public profile
#[utoipa::path(get, path = "/users/{handle}", tag = "accounts", operation_id = "getUser",
    params(("handle" = String, Path, description = "The person's public name")), responses((status = 200, body = PublicUser)))]
pub async fn person(State(app): State<App>, Named(handle): Named<Handle>) -> Result<Json<PublicUser>, AppError> {
    let person = queries::public_profile(&app.pool, &handle).await?.ok_or(AppError::NotFound)?;
    let vendor = person.vendor_slug.zip(person.vendor_name).map(|(slug, name)| PublicMembership { slug, name });
    Ok(Json(PublicUser { handle: person.handle, name: person.name, created_at: person.created_at, vendor }))
}

/// How somebody wants the shop to be.
#[derive(Debug, Serialize, ToSchema)]
pub struct Wishes {
    #[schema(value_type = Language)]
    language: String,
    #[schema(value_type = PreferredCurrency)]
    currency: String,
    theme: Theme,
    notifications: Notifications,
}

/// Which mails to send.
#[derive(Debug, Serialize, ToSchema)]
pub struct Notifications {
    /// About one's own orders.
    orders: bool,
    /// About the market.
    news: bool,
}

/// A language of the pages.
pub struct Language;

/// A currency in which somebody likes to see prices.
pub struct PreferredCurrency;

fn one_of(choices: &[(&'static str, &str)]) -> RefOr<Schema> {
    let codes = choices.iter().map(|(code, _)| *code).collect::<Vec<_>>();
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(codes)).into()
}

impl PartialSchema for Language {
    fn schema() -> RefOr<Schema> {
        one_of(&LANGUAGES)
    }
}

impl ToSchema for Language {}

impl PartialSchema for PreferredCurrency {
    fn schema() -> RefOr<Schema> {
        one_of(&CURRENCIES)
    }
}

impl ToSchema for PreferredCurrency {}

impl From<Preferences> for Wishes {
    fn from(p: Preferences) -> Self {
        Self {
            language: p.language,
            currency: p.currency,
            theme: p.theme,
            notifications: Notifications { orders: p.notify_orders, news: p.notify_news },
        }
    }
}

/// One's own preferences
#[utoipa::path(get, path = "/users/me/preferences", tag = "accounts", operation_id = "getPreferences",
    responses((status = 200, body = Wishes)), security(("bearer" = []), ("session" = [])))]
pub async fn preferences(State(app): State<App>, who: Customer) -> Result<Json<Wishes>, AppError> {
    Ok(Json(queries::preferences(&app.pool, who.id()).await?.into()))
}

/// What shall be different; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WishesChange {
    #[serde(default)]
    #[schema(value_type = Option<Language>)]
    language: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<PreferredCurrency>)]
    currency: Option<String>,
    #[serde(default)]
    theme: Option<Theme>,
    #[serde(default)]
    notifications: Option<NotificationsChange>,
}

/// Which mails to send; what is left out stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NotificationsChange {
    #[serde(default)]
    orders: Option<bool>,
    #[serde(default)]
    news: Option<bool>,
}

/// Change one's own preferences
#[utoipa::path(patch, path = "/users/me/preferences", tag = "accounts", operation_id = "changePreferences",
    request_body = WishesChange, responses((status = 200, body = Wishes)), security(("bearer" = []), ("session" = [])))]
pub async fn change_preferences(
    State(app): State<App>,
    who: Customer,
    Body(change): Body<WishesChange>,
) -> Result<Json<Wishes>, AppError> {
    let now = queries::preferences(&app.pool, who.id()).await?;
    let mails = change.notifications.unwrap_or_default();
    let wanted = Preferences::parse(
        change.language.as_deref().unwrap_or(&now.language),
        change.currency.as_deref().unwrap_or(&now.currency),
        change.theme.unwrap_or(now.theme).as_str(),
        mails.orders.unwrap_or(now.notify_orders),
        mails.news.unwrap_or(now.notify_news),
    )?;
    queries::set_preferences(&app.pool, &who, &wanted).await?;
    Ok(Json(wanted.into()))
}

/// A token, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenEntry {
    id: ApiTokenId,
    name: String,
    #[schema(value_type = Vec<Scope>)]
    scopes: Vec<String>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    expires_at: Option<OffsetDateTime>,
    /// To the hour.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    last_used_at: Option<OffsetDateTime>,
}

impl From<ApiToken> for TokenEntry {
    fn from(t: ApiToken) -> Self {
        let ApiToken { id, name, scopes, created_at, expires_at, last_used_at } = t;
        Self { id, name, scopes, created_at, expires_at, last_used_at }
    }
}

/// A new token.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewToken {
    #[serde(flatten)]
    entry: TokenEntry,
    /// Shown this once: `Authorization: Bearer souk_...`
    token: String,
}

/// What a new token is for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenWish {
    name: PersonName,
    /// `write` includes `read`.
    #[schema(min_items = 1, max_items = 2)]
    scopes: Vec<Scope>,
    /// When it ends; never unless told.
    #[serde(default, with = "time::serde::rfc3339::option")]
    expires_at: Option<OffsetDateTime>,
}

/// One's own tokens, the newest first
#[utoipa::path(get, path = "/tokens", tag = "accounts", operation_id = "listTokens", params(Page),
    responses((status = 200, body = List<TokenEntry>)), security(("bearer" = []), ("session" = [])))]
pub async fn list_tokens(
    State(app): State<App>,
    who: Customer,
    Params(page): Params<Page>,
) -> Result<Json<List<TokenEntry>>, AppError> {
    const LIST: &str = "tokens";
    let limit = page.limit()?;
    let rows = tokens::list(&app.pool, &who, page.position(&app, LIST)?, limit + 1).await?;
    List::page(&app, LIST, limit, rows, |t| (t.created_at, t.id), TokenEntry::from).map(Json)
}

/// Make a token
///
/// It is shown in this answer and nowhere else. Only a person makes one, in a session: a token makes no tokens (403).
#[utoipa::path(post, path = "/tokens", tag = "accounts", operation_id = "createToken", request_body = TokenWish,
    responses((status = 201, body = NewToken)), security(("bearer" = []), ("session" = [])))]
pub async fn create_token(
    State(app): State<App>,
    who: Customer,
    bearer: Option<Extension<Bearer>>,
    Body(wish): Body<TokenWish>,
) -> Result<(StatusCode, [(HeaderName, HeaderValue); 1], Json<NewToken>), AppError> {
    if bearer.is_some() {
        // Else whoever found a token would keep the door open after it was deleted.
        return Err(AppError::Forbidden);
    }
    if !(1..=2).contains(&wish.scopes.len()) {
        return Err(AppError::field("scopes", "Choose read, write or both."));
    }
    let (id, token) = tokens::create(&app.pool, &who, &wish.name, &wish.scopes, wish.expires_at).await?;
    let entry = tokens::find(&app.pool, &who, id).await?.ok_or(AppError::Internal)?.into();
    let secret = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((StatusCode::CREATED, secret, Json(NewToken { entry, token: tokens::write(&token) })))
}

/// End a token
#[utoipa::path(delete, path = "/tokens/{id}", tag = "accounts", operation_id = "deleteToken",
    params(("id" = ApiTokenId, Path, description = "The token's id")), responses((status = 204, description = "It opens nothing more.")),
    security(("bearer" = []), ("session" = [])))]
pub async fn delete_token(State(app): State<App>, who: Customer, Named(id): Named<ApiTokenId>) -> Result<StatusCode, AppError> {
    tokens::delete(&app.pool, &who, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
