//! Registering, signing in and out: one function each, behind the forms here and every later door.
//!
//! Nobody learns from an answer whether an address has an account:
//! - Signing in: an unknown account costs the same hash and gets the same words as a wrong password, and is limited alike.
//! - Registering with an address that has an account: the right password simply signs in. Any other gets a refusal that
//!   names no reason, takes as long as a registration, and counts as a failed sign-in of that account. The owner is told
//!   by mail, which only the owner reads.

use super::{
    Email, Handle, Password, PersonName,
    attempts::{self, Attempt},
    queries::{self, Credentials},
};
use crate::{
    audit,
    cart::{self, CartCookie},
    error::{AppError, Refusal},
    ids::UserId,
    server::{
        auth::{ClientAddress, Customer},
        errors::{internal, violates},
        mail::{self, Mail},
        session::USER_KEY,
        state::App,
    },
};
use serde_json::json;
use sqlx::PgConnection;
use tower_sessions::Session;

/// What a new account needs.
#[derive(Debug, Clone)]
pub struct NewAccount {
    pub email: Email,
    pub password: Password,
    pub name: PersonName,
}

/// Who asks to be signed in, and with what in hand.
#[derive(Debug, Clone)]
pub struct Visitor {
    pub from: ClientAddress,
    /// the cart of this browser, to be merged into the person's
    pub cart: CartCookie,
}

/// Signed in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub user: UserId,
    /// What happened to the cart, if it needs saying.
    pub message: Option<String>,
}

/// Signs in by e-mail address and password. The session gets a new id.
///
/// # Errors
/// [`Refusal::WrongCredentials`], for unknown accounts too, and [`Refusal::TooManyAttempts`].
pub async fn sign_in(
    app: &App,
    session: &Session,
    visitor: &Visitor,
    email: &Email,
    password: &str,
) -> Result<SignedIn, AppError> {
    let attempt = Attempt::begin(&app.pool, email, visitor.from).await?;
    let account = queries::credentials(&app.pool, email).await?;
    match verify(app, account, password).await? {
        Some(user) => welcome(app, session, visitor, user, Some(attempt)).await,
        None => Err(Refusal::WrongCredentials.into()),
    }
}

/// Makes an account and signs in.
///
/// # Errors
/// A refusal without a reason when the address has an account with another password; [`Refusal::TooManyAttempts`].
pub async fn register(app: &App, session: &Session, visitor: &Visitor, new: &NewAccount) -> Result<SignedIn, AppError> {
    if let Some(account) = queries::credentials(&app.pool, &new.email).await? {
        return register_again(app, session, visitor, new, account).await;
    }
    attempts::check(&app.pool, &new.email, visitor.from).await?;
    let hash = app.passwords.hash(new.password.expose().to_owned()).await?;
    let mut tx = app.pool.begin().await?;
    let user = match insert_with_handle(&mut tx, new, &hash).await {
        Ok(user) => user,
        Err(error) if violates(&error, "users_email_key") => {
            // The form came twice at once, and the other one was first.
            tx.rollback().await?;
            let account = queries::credentials(&app.pool, &new.email).await?.ok_or(AppError::Internal)?;
            return register_again(app, session, visitor, new, account).await;
        }
        Err(error) => return Err(error.into()),
    };
    mail::enqueue(&mut tx, &welcome_mail(app, new)).await?;
    tx.commit().await?;
    welcome(app, session, visitor, user, None).await
}

async fn register_again(
    app: &App,
    session: &Session,
    visitor: &Visitor,
    new: &NewAccount,
    account: Credentials,
) -> Result<SignedIn, AppError> {
    let attempt = Attempt::begin(&app.pool, &new.email, visitor.from).await?;
    if let Some(user) = verify(app, Some(account), new.password.expose()).await? {
        return welcome(app, session, visitor, user, Some(attempt)).await;
    }
    let mut tx = app.pool.begin().await?;
    tell_owner(&mut tx, app, &new.email).await?;
    tx.commit().await?;
    Err(AppError::field(
        "",
        "We could not make an account from these details. If you have been here before, sign in instead; else please try \
         other details or write to us.",
    ))
}

/// The account's id if the password fits. Takes as long without an account, and with a password that none can have.
async fn verify(app: &App, account: Option<Credentials>, password: &str) -> Result<Option<UserId>, AppError> {
    let password = password.parse::<Password>().ok();
    let (user, stored) = account.map(|a| (a.id, a.password_hash)).unzip();
    // Not a possible password: something is verified all the same, against the dummy.
    let stored = stored.filter(|_| password.is_some());
    let fits = app.passwords.verify(password.map_or_else(String::new, |p| p.expose().to_owned()), stored).await?;
    Ok(user.filter(|_| fits))
}

/// Everything that follows a right password, for registering and signing in alike.
async fn welcome(
    app: &App,
    session: &Session,
    visitor: &Visitor,
    user: UserId,
    attempt: Option<Attempt>,
) -> Result<SignedIn, AppError> {
    let mut tx = app.pool.begin().await?;
    if let Some(attempt) = attempt {
        attempt.succeeded(&mut tx).await?;
    }
    let message = cart::merge_at_sign_in(&mut tx, user, visitor.cart.token()).await?;
    tx.commit().await?;
    sign_in_session(session, user).await?;
    Ok(SignedIn { user, message })
}

/// Makes the session this person's, under a new id: whoever knew the old one has nothing.
pub async fn sign_in_session(session: &Session, user: UserId) -> Result<(), AppError> {
    // What was kept for someone else on this browser is not for this person.
    session.clear().await;
    session.cycle_id().await.map_err(internal)?;
    session.insert(USER_KEY, user).await.map_err(internal)
}

/// Ends this session, in the database too.
pub async fn sign_out(session: &Session) -> Result<(), AppError> {
    session.flush().await.map_err(internal)
}

/// Ends every session of the person, this one included.
pub async fn sign_out_everywhere(app: &App, session: &Session, who: &Customer) -> Result<(), AppError> {
    queries::end_sessions(&app.pool, who.id()).await?;
    sign_out(session).await
}

/// Sets a new password and ends all other sessions.
///
/// # Errors
/// A field error at `current` when that password is wrong; [`Refusal::TooManyAttempts`]: a stolen session must not guess.
pub async fn change_password(
    app: &App,
    session: &Session,
    from: ClientAddress,
    who: &Customer,
    current: &str,
    new: &Password,
) -> Result<(), AppError> {
    let email: Email = who.email().parse().map_err(internal)?;
    let attempt = Attempt::begin(&app.pool, &email, from).await?;
    let stored = queries::password_hash(&app.pool, who.id()).await?.ok_or(AppError::Unauthenticated)?;
    let account = Credentials { id: who.id(), password_hash: stored };
    if verify(app, Some(account), current).await?.is_none() {
        return Err(AppError::field("current", "That is not your present password"));
    }
    let hash = app.passwords.hash(new.expose().to_owned()).await?;
    let mut tx = app.pool.begin().await?;
    attempt.succeeded(&mut tx).await?;
    queries::set_password(&mut *tx, who.id(), &hash).await?;
    queries::end_sessions(&mut *tx, who.id()).await?;
    audit::record(&mut tx, Some(who.id()), "password.changed", ("user", who.id()), json!({})).await?;
    let paragraphs = vec![
        "The password of your account at Souk was just changed, and every other device was signed out.".to_owned(),
        "If that was not you, please answer this mail at once.".to_owned(),
    ];
    let told = Mail { to: email.into(), subject: "Your password was changed".into(), paragraphs, link: None };
    mail::enqueue(&mut tx, &told).await?;
    tx.commit().await?;
    sign_in_session(session, who.id()).await
}

/// Inserts the account under a handle made from the name, with a suffix where another person has it.
pub(super) async fn insert_with_handle(tx: &mut PgConnection, new: &NewAccount, hash: &str) -> sqlx::Result<UserId> {
    let mut handle = Handle::suggest(&new.name, None);
    // A million suffixes: a handful of tries always finds a free one.
    for _ in 0..8 {
        if let Some(user) = queries::insert_user(&mut *tx, &handle, &new.name, &new.email, hash).await? {
            return Ok(user);
        }
        handle = Handle::suggest(&new.name, Some(&format!("{:05x}", rand::random::<u32>() & 0xf_ffff)));
    }
    Err(sqlx::Error::Protocol("no free handle was found".into()))
}

fn welcome_mail(app: &App, new: &NewAccount) -> Mail {
    Mail {
        to: new.email.to_string(),
        subject: "Welcome to Souk".into(),
        paragraphs: vec![
            format!("Hello {},", new.name),
            "your account is ready. Your orders, addresses and preferences are all in one place.".into(),
            "If you did not register, someone wrote your address by mistake; you need not do anything.".into(),
        ],
        link: Some(("Your account".into(), format!("{}/account", app.config.base_url))),
    }
}

/// Tells the owner of an account that someone tried to register with their address; once a day is enough.
async fn tell_owner(tx: &mut PgConnection, app: &App, email: &Email) -> sqlx::Result<()> {
    const SUBJECT: &str = "You already have an account at Souk";
    let told = sqlx::query_scalar!(
        r#"select exists (select 1 from outbox where recipient = $1 and subject = $2
                          and created_at > now() - interval '1 day') as "told!""#,
        email.as_str(),
        SUBJECT
    )
    .fetch_one(&mut *tx)
    .await?;
    if told {
        return Ok(());
    }
    let notice = Mail {
        to: email.to_string(),
        subject: SUBJECT.into(),
        paragraphs: vec![
            "Someone tried to register at Souk with your e-mail address. You already have an account, so nothing was changed."
                .into(),
            "If it was you, please sign in with your password. If it was not, you need not do anything.".into(),
        ],
        link: Some(("Sign in".into(), format!("{}/sign-in", app.config.base_url))),
    };
    mail::enqueue(tx, &notice).await.map(drop)
}
