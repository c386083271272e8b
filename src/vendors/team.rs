//! The team of a shop: who is in it, as what, and how one comes in and goes. Every change is made by an owner (but for one's own going),
//! one at a time for a shop, and stands in the audit log. A role is read anew with each request, so a change counts with the next one.

use super::role::TeamRole;
use crate::{
    accounts::Email,
    audit,
    error::AppError,
    ids::{InvitationId, UserId, VendorId},
    server::{
        auth::{Customer, Owner, Vendor},
        errors::violates,
        mail::{self, Mail},
        state::App,
        token::Token,
    },
};
use serde_json::json;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

/// How long an invitation is good, in days.
pub const DAYS: i32 = 7;
/// The most people of one team, those who were asked included.
const MAX_PEOPLE: i64 = 50;

/// Someone of the team.
#[derive(Debug, Clone)]
pub struct Member {
    pub id: UserId,
    pub name: String,
    pub email: String,
    pub role: TeamRole,
    pub since: OffsetDateTime,
    /// `None`: who opened the shop, or by someone who has no account any more.
    pub invited_by: Option<String>,
}

/// The team, owners first, then by how long they are in it.
pub async fn members(pool: &PgPool, vendor: &Vendor) -> sqlx::Result<Vec<Member>> {
    sqlx::query_as!(
        Member,
        r#"select m.user_id as "id: UserId", u.name, u.email, m.role as "role: TeamRole", m.since, i.name as "invited_by?"
           from vendor_members m join users u on u.id = m.user_id left join users i on i.id = m.invited_by
           where m.vendor_id = $1 order by array_position('{owner,manager,fulfiller}', m.role), m.since, m.user_id"#,
        vendor.id().uuid()
    )
    .fetch_all(pool)
    .await
}

/// Name and role of those whose role is enough.
pub async fn who_may(pool: &PgPool, vendor: &Vendor, asked: TeamRole) -> sqlx::Result<Vec<(String, TeamRole)>> {
    let team = members(pool, vendor).await?;
    Ok(team.into_iter().filter(|m| m.role.may(asked)).map(|m| (m.name, m.role)).collect())
}

/// Whether a member is still in the team, in the same role.
pub async fn still_there(pool: &PgPool, member: &Vendor) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select 1 from vendor_members where user_id = $1 and vendor_id = $2 and role = $3) as "there!""#,
        member.customer().id().uuid(),
        member.id().uuid(),
        member.role().as_str()
    )
    .fetch_one(pool)
    .await
}

/// An invitation that was neither taken nor taken back.
#[derive(Debug, Clone)]
pub struct Invitation {
    pub id: InvitationId,
    pub email: String,
    pub role: TeamRole,
    pub invited_by: Option<String>,
    pub expires_at: OffsetDateTime,
    /// Too late for it; it can be sent again.
    pub over: bool,
}

/// The newest first.
pub async fn invitations(pool: &PgPool, owner: &Owner) -> sqlx::Result<Vec<Invitation>> {
    sqlx::query_as!(
        Invitation,
        r#"select i.id as "id: InvitationId", i.email, i.role as "role: TeamRole", u.name as "invited_by?", i.expires_at,
                  i.expires_at <= now() as "over!"
           from vendor_invitations i left join users u on u.id = i.invited_by
           where i.vendor_id = $1 and i.accepted_at is null and i.revoked_at is null order by i.created_at desc, i.id desc"#,
        owner.id().uuid()
    )
    .fetch_all(pool)
    .await
}

/// One change of a team at a time. `Forbidden` where who asks is no owner any more.
async fn lock(tx: &mut PgConnection, by: &Owner) -> Result<(), AppError> {
    sqlx::query!("select id from vendors where id = $1 for no key update", by.id().uuid()).fetch_one(&mut *tx).await?;
    let still = sqlx::query_scalar!(
        r#"select exists (select 1 from vendor_members where vendor_id = $1 and user_id = $2 and role = 'owner') as "still!""#,
        by.id().uuid(),
        by.customer().id().uuid()
    )
    .fetch_one(tx)
    .await?;
    if still { Ok(()) } else { Err(AppError::Forbidden) }
}

/// Asks the owner of an address into the team, by mail.
///
/// # Errors
/// At `email`: for whom is in the team or was asked already, and for one too many.
pub async fn invite(app: &App, by: &Owner, email: &Email, role: TeamRole) -> Result<InvitationId, AppError> {
    let mut tx = app.pool.begin().await?;
    lock(&mut tx, by).await?;
    let now = sqlx::query!(
        r#"select (select count(*) from vendor_members where vendor_id = $1)
                  + (select count(*) from vendor_invitations where vendor_id = $1 and accepted_at is null and revoked_at is null) as "people!",
                  exists (select 1 from vendor_members m join users u on u.id = m.user_id
                          where m.vendor_id = $1 and u.email = $2) as "member!""#,
        by.id().uuid(),
        email.as_str()
    )
    .fetch_one(&mut *tx)
    .await?;
    if now.member {
        return Err(AppError::field("email", format!("{email} is in the team already.")));
    }
    if now.people >= MAX_PEOPLE {
        return Err(AppError::field("email", format!("A team has at most {MAX_PEOPLE} people, those you have asked included.")));
    }
    let (id, token) = (InvitationId::new(), Token::random());
    sqlx::query!(
        "insert into vendor_invitations (id, vendor_id, email, role, token_hash, invited_by, expires_at)
         values ($1, $2, $3, $4, $5, $6, now() + make_interval(days => $7))",
        id.uuid(),
        by.id().uuid(),
        email.as_str(),
        role.as_str(),
        token.hash(),
        by.customer().id().uuid(),
        DAYS
    )
    .execute(&mut *tx)
    .await
    .map_err(|e| match violates(&e, "vendor_invitations_open") {
        true => AppError::field("email", format!("{email} was asked already. You can send it again below.")),
        false => e.into(),
    })?;
    note(&mut tx, by, "invitation.sent", ("invitation", id.to_string()), json!({ "role": role.as_str() })).await?;
    letter(app, &mut tx, by, email.as_str(), role, &token).await?;
    tx.commit().await?;
    Ok(id)
}

/// Sends an invitation again, with another link, good from now on; the old link is good no more.
pub async fn resend(app: &App, by: &Owner, id: InvitationId) -> Result<(), AppError> {
    let mut tx = app.pool.begin().await?;
    lock(&mut tx, by).await?;
    let token = Token::random();
    let row = sqlx::query!(
        r#"update vendor_invitations set token_hash = $3, sent = sent + 1, expires_at = now() + make_interval(days => $4)
           where id = $1 and vendor_id = $2 and accepted_at is null and revoked_at is null
           returning email, role as "role: TeamRole""#,
        id.uuid(),
        by.id().uuid(),
        token.hash(),
        DAYS
    )
    .fetch_optional(&mut *tx)
    .await
    .map_err(|e| match violates(&e, "vendor_invitations_sent") {
        true => AppError::field("", "It was sent five times. Take it back, and ask at another address."),
        false => e.into(),
    })?
    .ok_or(AppError::NotFound)?;
    note(&mut tx, by, "invitation.sent", ("invitation", id.to_string()), json!({ "role": row.role.as_str(), "again": true }))
        .await?;
    letter(app, &mut tx, by, &row.email, row.role, &token).await?;
    tx.commit().await?;
    Ok(())
}

/// Takes an invitation back; its link is good no more.
pub async fn revoke(app: &App, by: &Owner, id: InvitationId) -> Result<(), AppError> {
    let mut tx = app.pool.begin().await?;
    lock(&mut tx, by).await?;
    let gone = sqlx::query!(
        "update vendor_invitations set revoked_at = now() where id = $1 and vendor_id = $2 and accepted_at is null and revoked_at is null",
        id.uuid(),
        by.id().uuid()
    )
    .execute(&mut *tx)
    .await?;
    if gone.rows_affected() == 0 {
        return Err(AppError::NotFound);
    }
    note(&mut tx, by, "invitation.revoked", ("invitation", id.to_string()), json!({})).await?;
    tx.commit().await?;
    Ok(())
}

/// Gives a member another role. The last owner stays one.
pub async fn change_role(app: &App, by: &Owner, member: UserId, role: TeamRole) -> Result<(), AppError> {
    let mut tx = app.pool.begin().await?;
    lock(&mut tx, by).await?;
    let was = sqlx::query!(
        r#"select m.role as "role: TeamRole", u.email from vendor_members m join users u on u.id = m.user_id
           where m.user_id = $1 and m.vendor_id = $2"#,
        member.uuid(),
        by.id().uuid()
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(AppError::NotFound)?;
    if was.role == role {
        return Ok(());
    }
    sqlx::query!("update vendor_members set role = $2 where user_id = $1", member.uuid(), role.as_str())
        .execute(&mut *tx)
        .await
        .map_err(keeps_an_owner)?;
    let detail = json!({ "was": was.role.as_str(), "now": role.as_str() });
    note(&mut tx, by, "member.role_changed", ("user", member.to_string()), detail).await?;
    if member != by.customer().id() {
        let text = format!("{} has made you {} of {}.", by.customer().name(), role.article(), by.name());
        let subject = format!("You are {} of {} now", role.article(), by.name());
        let link = Some(("To the desk".to_owned(), format!("{}/vendor", app.config.base_url)));
        let paragraphs = vec![text, role.about().to_owned()];
        mail::enqueue(&mut tx, &Mail { to: was.email, subject, paragraphs, link }).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Takes a member out of the team. All their sessions end with it, their open dashboards too, and their tokens open the shop no more.
pub async fn remove(app: &App, by: &Owner, member: UserId) -> Result<String, AppError> {
    let mut tx = app.pool.begin().await?;
    lock(&mut tx, by).await?;
    let gone = take_out(&mut tx, by.id(), member).await?;
    sqlx::query!("delete from sessions where user_id = $1", member.uuid()).execute(&mut *tx).await?;
    note(&mut tx, by, "member.removed", ("user", member.to_string()), json!({ "role": gone.role.as_str() })).await?;
    let paragraphs = vec![
        format!("{} has taken you out of the team of {}.", by.customer().name(), by.name()),
        "You were signed out everywhere. Your own account and what you bought are as before.".into(),
    ];
    let subject = format!("You are no longer in the team of {}", by.name());
    mail::enqueue(&mut tx, &Mail { to: gone.email, subject, paragraphs, link: None }).await?;
    tx.commit().await?;
    Ok(gone.name)
}

/// Leaves the team. The last owner stays.
pub async fn leave(app: &App, who: &Vendor) -> Result<(), AppError> {
    let mut tx = app.pool.begin().await?;
    sqlx::query!("select id from vendors where id = $1 for no key update", who.id().uuid()).fetch_one(&mut *tx).await?;
    let gone = take_out(&mut tx, who.id(), who.customer().id()).await?;
    note(&mut tx, who, "member.left", ("user", who.customer().id().to_string()), json!({ "role": gone.role.as_str() })).await?;
    tx.commit().await?;
    Ok(())
}

struct Gone {
    name: String,
    email: String,
    role: TeamRole,
}

async fn take_out(tx: &mut PgConnection, vendor: VendorId, member: UserId) -> Result<Gone, AppError> {
    sqlx::query_as!(
        Gone,
        r#"delete from vendor_members m using users u where m.user_id = $1 and m.vendor_id = $2 and u.id = m.user_id
           returning u.name, u.email, m.role as "role: TeamRole""#,
        member.uuid(),
        vendor.uuid()
    )
    .fetch_optional(tx)
    .await
    .map_err(keeps_an_owner)?
    .ok_or(AppError::NotFound)
}

fn keeps_an_owner(error: sqlx::Error) -> AppError {
    if violates(&error, "vendor_keeps_an_owner") {
        AppError::field("", "A shop keeps an owner, and this is the last one. Make somebody else an owner first.")
    } else {
        error.into()
    }
}

/// What an invitation's link offers.
#[derive(Debug, Clone)]
pub struct Offer {
    pub id: InvitationId,
    pub vendor: VendorId,
    pub vendor_name: String,
    pub role: TeamRole,
    /// Only with this address.
    pub email: String,
    pub invited_by: Option<String>,
    pub expires_at: OffsetDateTime,
}

/// The offer behind a link; `None` where it was taken, taken back, sent anew since, or is too old.
pub async fn offer(db: &mut PgConnection, token: &Token) -> sqlx::Result<Option<Offer>> {
    sqlx::query_as!(
        Offer,
        r#"select i.id as "id: InvitationId", i.vendor_id as "vendor: VendorId", v.name as vendor_name, i.role as "role: TeamRole", i.email,
                  (select name from users where id = i.invited_by) as "invited_by?", i.expires_at
           from vendor_invitations i join vendors v on v.id = i.vendor_id
           where i.token_hash = $1 and i.accepted_at is null and i.revoked_at is null and i.expires_at > now() and v.status = 'approved'"#,
        token.hash()
    )
    .fetch_optional(db)
    .await
}

/// Takes an offer. Answers the shop's name.
///
/// # Errors
/// `NotFound` where there is no such offer (any more); a field error where it is for another address, or the person has a shop.
pub async fn accept(app: &App, who: &Customer, token: &Token) -> Result<Offer, AppError> {
    let mut tx = app.pool.begin().await?;
    let offer = offer(&mut tx, token).await?.ok_or(AppError::NotFound)?;
    if offer.email != who.email() {
        return Err(AppError::field("", format!("This invitation is for {}. Sign in with that address.", offer.email)));
    }
    sqlx::query!(
        "insert into vendor_members (user_id, vendor_id, role, invited_by)
         select $1, i.vendor_id, i.role, i.invited_by from vendor_invitations i where i.id = $2",
        who.id().uuid(),
        offer.id.uuid()
    )
    .execute(&mut *tx)
    .await
    .map_err(|e| match violates(&e, "vendor_members_one_shop") {
        true => AppError::field(
            "",
            "You are in the team of a shop already, or have applied with one. A person is in one shop at a time.",
        ),
        false => e.into(),
    })?;
    let taken = sqlx::query!(
        "update vendor_invitations set accepted_at = now(), accepted_by = $2
         where id = $1 and token_hash = $3 and accepted_at is null and revoked_at is null",
        offer.id.uuid(),
        who.id().uuid(),
        token.hash()
    )
    .execute(&mut *tx)
    .await?;
    // Taken back or sent anew since it was read.
    if taken.rows_affected() == 0 {
        return Err(AppError::NotFound);
    }
    let detail = json!({ "vendor": offer.vendor, "role": offer.role.as_str(), "invitation": offer.id });
    audit::record(&mut tx, Some(who.id()), "member.joined", ("user", who.id()), detail).await?;
    tx.commit().await?;
    Ok(offer)
}

/// Into the audit log: who changed what about the team.
async fn note(
    tx: &mut PgConnection,
    by: &Vendor,
    action: &str,
    subject: (&str, String),
    mut detail: serde_json::Value,
) -> sqlx::Result<()> {
    detail["vendor"] = json!(by.id());
    audit::record(tx, Some(by.customer().id()), action, subject, detail).await
}

async fn letter(app: &App, tx: &mut PgConnection, by: &Owner, email: &str, role: TeamRole, token: &Token) -> sqlx::Result<()> {
    let (who, shop) = (by.customer().name(), by.name());
    let paragraphs = vec![
        format!("{who} asks you into the team of {shop} on Souk, as {}.", role.article()),
        role.about().to_owned(),
        format!(
            "The link below is good for {DAYS} days, and only with {email}: sign in with that address, or make an account with it."
        ),
    ];
    let link = Some((format!("Join {shop}"), format!("{}/invitations/{token}", app.config.base_url)));
    let subject = format!("{shop} asks you into its team");
    mail::enqueue(tx, &Mail { to: email.to_owned(), subject, paragraphs, link }).await?;
    Ok(())
}
