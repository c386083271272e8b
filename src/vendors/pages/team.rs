//! The team: everybody of it sees who is in it and may leave; its owners ask people in, give roles and take people out.

use crate::{
    accounts::Email,
    error::{AppError, FieldErrors},
    ids::{InvitationId, UserId},
    server::{
        auth::{Owner, Vendor},
        flash,
        page::{Layout, Page},
        state::App,
    },
    ui::{Badge, ErrorSummary, Field, Select, TableFrame, Tone, When},
    vendors::{
        desk::Desk,
        role::TeamRole,
        team::{self, DAYS, Invitation, Member},
    },
};
use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use http::StatusCode;
use leptos::prelude::*;
use serde::Deserialize;
use tower_sessions::Session;

const HERE: &str = "/vendor/team";

/// `GET /vendor/team`
pub async fn show(State(app): State<App>, Desk(vendor): Desk, session: Session) -> Result<Page, AppError> {
    let notice = flash::take(&session).await?;
    Ok(page(&app, &vendor, InviteForm::default(), FieldErrors::default()).await?.notice(notice))
}

/// The invitation, as typed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct InviteForm {
    email: String,
    role: String,
}

/// `POST /vendor/team`: asks somebody in.
pub async fn invite(
    State(app): State<App>,
    Desk(owner): Desk<Owner>,
    session: Session,
    Form(form): Form<InviteForm>,
) -> Result<Response, AppError> {
    let mut errors = FieldErrors::default();
    let email = errors.take("email", form.email.parse::<Email>());
    let role = errors.take("role", form.role.parse::<TeamRole>());
    let (Some(email), Some(role)) = (email, role) else { return refused(&app, &owner, form, errors).await };
    let sent = team::invite(&app, &owner, &email, role).await.map(|_| format!("A mail with the invitation goes to {email}."));
    answer(&app, &owner, &session, form, sent).await
}

#[derive(Deserialize)]
pub struct InvitationForm {
    /// `resend` or `revoke`
    action: String,
}

/// `POST /vendor/team/invitations/{invitation}`: sends it again, or takes it back.
pub async fn invitation(
    State(app): State<App>,
    Desk(owner): Desk<Owner>,
    session: Session,
    Path(id): Path<InvitationId>,
    Form(form): Form<InvitationForm>,
) -> Result<Response, AppError> {
    let done = match form.action.as_str() {
        "resend" => {
            team::resend(&app, &owner, id).await.map(|()| "Sent again. Only the link in the new mail is good.".to_owned())
        }
        "revoke" => team::revoke(&app, &owner, id).await.map(|()| "Taken back. Its link is good no more.".to_owned()),
        _ => return Err(AppError::BadRequest("An invitation can be sent again or taken back.".into())),
    };
    answer(&app, &owner, &session, InviteForm::default(), done).await
}

#[derive(Deserialize)]
pub struct RoleForm {
    role: String,
}

/// `POST /vendor/team/{member}`: gives another role.
pub async fn change_role(
    State(app): State<App>,
    Desk(owner): Desk<Owner>,
    session: Session,
    Path(member): Path<UserId>,
    Form(form): Form<RoleForm>,
) -> Result<Response, AppError> {
    let done = match form.role.parse::<TeamRole>() {
        Ok(role) => {
            team::change_role(&app, &owner, member, role).await.map(|()| format!("Saved: {} from now on.", role.article()))
        }
        Err(no) => Err(AppError::field("", no)),
    };
    answer(&app, &owner, &session, InviteForm::default(), done).await
}

/// `POST /vendor/team/{member}/remove`
pub async fn remove(
    State(app): State<App>,
    Desk(owner): Desk<Owner>,
    session: Session,
    Path(member): Path<UserId>,
) -> Result<Response, AppError> {
    // One's own going is no removal: it leaves the own sessions alone.
    if member == owner.customer().id() {
        return leave(State(app), Desk(Vendor::clone(&owner)), session).await;
    }
    let done = team::remove(&app, &owner, member).await.map(|name| format!("{name} is no longer in the team, and signed out."));
    answer(&app, &owner, &session, InviteForm::default(), done).await
}

/// `POST /vendor/team/leave`
pub async fn leave(State(app): State<App>, Desk(vendor): Desk, session: Session) -> Result<Response, AppError> {
    match team::leave(&app, &vendor).await {
        Ok(()) => {
            flash::put(&session, &format!("You have left the team of {}.", vendor.name())).await?;
            Ok(Redirect::to("/account").into_response())
        }
        Err(AppError::Invalid(errors)) => refused(&app, &vendor, InviteForm::default(), errors).await,
        Err(error) => Err(error),
    }
}

async fn answer(
    app: &App,
    owner: &Owner,
    session: &Session,
    form: InviteForm,
    done: Result<String, AppError>,
) -> Result<Response, AppError> {
    match done {
        Ok(said) => {
            flash::put(session, &said).await?;
            Ok(Redirect::to(HERE).into_response())
        }
        Err(AppError::Invalid(errors)) => refused(app, owner, form, errors).await,
        Err(error) => Err(error),
    }
}

async fn refused(app: &App, vendor: &Vendor, form: InviteForm, errors: FieldErrors) -> Result<Response, AppError> {
    Ok(page(app, vendor, form, errors).await?.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
}

async fn page(app: &App, vendor: &Vendor, form: InviteForm, errors: FieldErrors) -> Result<Page, AppError> {
    let members = team::members(&app.pool, vendor).await?;
    let owner = vendor.owner();
    let invitations = match &owner {
        Some(owner) => team::invitations(&app.pool, owner).await?,
        None => Vec::new(),
    };
    let (me, runs, name) = (vendor.customer().id(), owner.is_some(), vendor.name().to_owned());
    let last = members.iter().filter(|m| m.role == TeamRole::Owner).count() == 1 && vendor.role() == TeamRole::Owner;
    Ok(Page::new("Team", move || {
        let rows = members.into_iter().map(|m| view! { <MemberRow me=m.id == me member=m runs=runs/> }).collect_view();
        let about = TeamRole::ALL.map(|role| view! { <dt>{role.label()}</dt> <dd>{role.about()}</dd> }).into_iter().collect_view();
        view! {
            <div class="desk-head"><h1>"Team"</h1></div>
            <ErrorSummary errors=errors.clone()/>
            <p>{format!("These people work with {name}. What one of them does to an order stands in its history with the name.")}</p>
            <TableFrame label="Team">
                <table class="team">
                    <thead><tr>
                        <th scope="col">"Name"</th>
                        <th scope="col" class="minor">"Since"</th>
                        <th scope="col">"Role"</th>
                        {runs.then(|| view! { <th scope="col"><span class="visually-hidden">"Take out"</span></th> })}
                    </tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableFrame>
            {(!invitations.is_empty()).then(|| view! { <Invitations rows=invitations/> })}
            {runs.then(|| view! { <Invite form=form errors=errors/> })}
            <section aria-labelledby="roles">
                <h2 id="roles">"What each role may do"</h2>
                <dl class="facts">{about}</dl>
            </section>
            {(!last).then(|| view! {
                <section aria-labelledby="leave">
                    <h2 id="leave">"Leave the team"</h2>
                    <form method="post" action=format!("{HERE}/leave")>
                        <p class="hint">"You can come back only when an owner asks you again. Your own account stays."</p>
                        <button class="button-quiet button-danger">"Leave the team"</button>
                    </form>
                </section>
            })}
        }
    })
    .layout(Layout::Vendor(HERE)))
}

fn roles() -> Vec<(String, String)> {
    TeamRole::ALL.into_iter().map(|role| (role.as_str().to_owned(), role.label().to_owned())).collect()
}

#[component]
fn MemberRow(member: Member, me: bool, runs: bool) -> impl IntoView {
    let Member { id, name, email, role, since, invited_by } = member;
    let asked = invited_by.map(|by| view! { <span class="soft below">{format!("asked in by {by}")}</span> });
    let you = me.then(|| view! { " " <span class="soft">"(you)"</span> });
    let roles_cell = if runs {
        let options = TeamRole::ALL
            .map(|r| view! { <option value=r.as_str() selected=r == role>{r.label()}</option> })
            .into_iter()
            .collect_view();
        view! {
            <form method="post" action=format!("{HERE}/{id}") class="beside">
                <select name="role" aria-label=format!("Role of {name}") autocomplete="off">{options}</select>
                <button aria-label=format!("Save the role of {name}")>"Save"</button>
            </form>
        }
        .into_any()
    } else {
        role.label().into_any()
    };
    let out = runs.then(|| {
        let button = (!me).then(|| {
            view! {
                <form method="post" action=format!("{HERE}/{id}/remove")>
                    <button class="button-quiet button-danger" aria-label=format!("Take {name} out of the team")>"Take out"</button>
                </form>
            }
        });
        view! { <td>{button}</td> }
    });
    view! {
        <tr>
            <th scope="row">{name} {you} {runs.then(|| view! { <span class="soft below">{email}</span> })}</th>
            <td class="minor"><When at=since day_only=true/> {asked}</td>
            <td>{roles_cell}</td>
            {out}
        </tr>
    }
}

#[component]
fn Invitations(rows: Vec<Invitation>) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|i| {
            let state = if i.over {
                view! { <Badge tone=Tone::Warn label="too old"/> }.into_any()
            } else {
                view! { "until " <When at=i.expires_at day_only=true/> }.into_any()
            };
            let by = i.invited_by.map(|by| view! { <span class="soft below">{format!("from {by}")}</span> });
            view! {
                <tr>
                    <th scope="row">{i.email.clone()} {by}</th>
                    <td>{i.role.label()}</td>
                    <td>{state}</td>
                    <td>
                        <form method="post" action=format!("{HERE}/invitations/{}", i.id) class="beside">
                            <button class="button-quiet" name="action" value="resend" aria-label=format!("Send again to {}", i.email)>"Send again"</button>
                            <button class="button-quiet button-danger" name="action" value="revoke" aria-label=format!("Take back from {}", i.email)>"Take back"</button>
                        </form>
                    </td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section aria-labelledby="asked">
            <h2 id="asked">"Asked, and not here yet"</h2>
            <TableFrame label="Invitations">
                <table class="team">
                    <thead><tr>
                        <th scope="col">"E-mail"</th> <th scope="col">"As"</th> <th scope="col">"Good"</th>
                        <th scope="col"><span class="visually-hidden">"What to do with it"</span></th>
                    </tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableFrame>
        </section>
    }
}

#[component]
fn Invite(form: InviteForm, errors: FieldErrors) -> impl IntoView {
    let role = if form.role.is_empty() { TeamRole::Fulfiller.as_str().to_owned() } else { form.role };
    view! {
        <section aria-labelledby="invite">
            <h2 id="invite">"Ask somebody in"</h2>
            <form method="post" action=HERE class="shop-form">
                <Field label="E-mail" name="email" kind="email" value=form.email errors=errors.clone() inputmode="email" autocomplete="off"
                    required=true maxlength=Email::MAX hint=format!("They get a link that is good for {DAYS} days, and only with this address.")/>
                <Select label="Role" name="role" options=roles() value=role errors=errors/>
                <button class="button-main">"Send the invitation"</button>
            </form>
        </section>
    }
}
