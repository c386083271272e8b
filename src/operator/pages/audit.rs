//! The audit log: who changed what about money and permissions.

use super::{
    list::{
        Finder,
        Head::{self, Minor, Text},
        List, Raw, next_page,
    },
    words,
};
use crate::{
    audit::queries::{self, EntryRow, Wanted},
    error::AppError,
    operator::queries::{PAGE, Rows},
    server::{
        auth::Operator,
        page::{Layout, Page},
        state::App,
    },
    text,
    ui::{Field, When},
};
use axum::extract::{Query, State};
use leptos::prelude::*;
use serde::Deserialize;

const HERE: &str = "/operator/audit";
/// The most characters of an action.
const ACTION_MAX: u32 = 60;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// the kind of a subject, or its id
    find: String,
    /// an e-mail address
    actor: String,
    action: String,
    after: String,
}

impl Filter {
    fn parse(&self) -> Result<Wanted, AppError> {
        let line = |text: &str, max| text::line(text, 0, max as usize).map_err(|e| AppError::BadRequest(e.to_string()));
        Ok(Wanted {
            subject: line(&self.find, super::list::FIND_MAX)?,
            actor: line(&self.actor, super::list::FIND_MAX)?.to_lowercase(),
            action: line(&self.action, ACTION_MAX)?,
        })
    }
}

/// `GET /operator/audit`
pub async fn list(State(app): State<App>, by: Operator, Query(filter): Query<Filter>) -> Result<Page, AppError> {
    let before = match filter.after.as_str() {
        "" => None,
        id => Some(id.parse().map_err(|_| AppError::BadRequest("That page of the list does not exist.".into()))?),
    };
    let entries = Rows::from(queries::entries(&app.pool, &by, &filter.parse()?, before, PAGE + 1).await?);
    Ok(Page::new("Audit log", move || {
        let Filter { find, actor, action, .. } = filter;
        let filters = [("find", find.as_str()), ("actor", &actor), ("action", &action)];
        let next = next_page(HERE, &filters, &entries, |e| e.id.to_string());
        view! {
            <h1>"Audit log"</h1>
            <Finder label="Audit log" by="Id or kind of thing" find=find>
                <Field label="Done by" name="actor" kind="search" value=actor inputmode="email" maxlength=super::list::FIND_MAX/>
                <Field label="Action" name="action" kind="search" value=action maxlength=ACTION_MAX/>
            </Finder>
            <List list=entries row=row label="Audit log" head=HEAD next=next
                none="No entry here" hint="Changes to money and permissions stand here: try refund, vendor or operator.appointed as action."/>
        }
    })
    .layout(Layout::Operator(HERE)))
}

const HEAD: &[Head] = &[Minor("Place"), Text("When"), Text("Done by"), Text("What"), Text("To"), Text("Details")];

fn row(e: EntryRow) -> impl IntoView {
    let place = e.position.map_or_else(|| "waits".to_owned(), |place| place.to_string());
    let actor = e.actor.or_else(|| e.actor_id.map(|id| id.to_string()));
    let address = match e.subject_kind.as_str() {
        "order" => Some(format!("/operator/orders/{}", e.subject_id)),
        "vendor" => Some(format!("/operator/vendors/{}", e.subject_id)),
        "webhook" => Some(super::webhooks::address(&e.subject_id)),
        "document" => Some(format!("/operator/documents/{}", e.subject_id)),
        _ => None,
    };
    let subject = format!("{} {}", words(&e.subject_kind), e.subject_id);
    let subject = match address {
        Some(address) => view! { <a href=address>{subject}</a> }.into_any(),
        None => subject.into_any(),
    };
    let same = serde_urlencoded::to_string([("action", &e.action)]).unwrap_or_default();
    view! {
        <tr>
            <td class="minor">{place}</td>
            <td><When at=e.at/></td>
            <td class="wrap">{match actor {
                Some(actor) => actor.into_any(),
                None => view! { <span class="soft">"nobody signed in"</span> }.into_any(),
            }}</td>
            <td><a href=format!("{HERE}?{same}")>{words(&e.action.replace('.', " "))}</a></td>
            <td class="wrap">{subject}</td>
            <td class="wrap"><Raw label="Details" json=e.detail/></td>
        </tr>
    }
}
