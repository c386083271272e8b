//! People.

use super::{
    cursor,
    list::{
        FIND_MAX, Finder,
        Head::{self, Minor, Number, Text},
        List, next_page,
    },
};
use crate::{
    error::AppError,
    operator::{
        Cursor,
        queries::{self, UserRow},
    },
    server::{
        auth::Operator,
        page::{Layout, Page},
        state::App,
    },
    text,
    ui::{Badge, Tone, When},
};
use axum::extract::{Query, State};
use leptos::prelude::*;
use serde::Deserialize;

const HERE: &str = "/operator/users";

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    find: String,
    after: String,
}

/// `GET /operator/users`
pub async fn list(State(app): State<App>, by: Operator, Query(filter): Query<Filter>) -> Result<Page, AppError> {
    let find = text::line(&filter.find, 0, FIND_MAX as usize).map_err(|e| AppError::BadRequest(e.to_string()))?;
    let users = queries::users(&app.pool, &by, &find, cursor(&filter.after)?.as_ref()).await?;
    Ok(Page::new("Users", move || {
        let next = next_page(HERE, &[("find", &find)], &users, |u| Cursor { at: u.created_at, id: u.id }.to_string());
        view! {
            <h1>"Users"</h1>
            <Finder label="Users" by="Name, e-mail or handle" find=find/>
            <List list=users row=row label="Users" head=HEAD next=next
                none="Nobody found" hint="Try a part of the name or of the e-mail address."/>
        }
    })
    .layout(Layout::Operator(HERE)))
}

const HEAD: &[Head] = &[Text("Name"), Text("E-mail"), Text("Role"), Number("Orders"), Minor("Since")];

fn row(u: UserRow) -> impl IntoView {
    let shop = u.vendor_id.zip(u.vendor_name);
    view! {
        <tr>
            <td><a href=format!("/users/{}", u.handle)>{u.name}</a></td>
            <td>{u.email}</td>
            <td>
                {u.operator.then(|| view! { <Badge tone=Tone::Neutral label="operator"/> " " })}
                {match shop {
                    Some((id, name)) => view! { "sells as " <a href=format!("/operator/vendors/{id}")>{name}</a> }.into_any(),
                    None if u.operator => ().into_any(),
                    None => view! { <span class="soft">"shopper"</span> }.into_any(),
                }}
            </td>
            <td class="number">{u.orders}</td>
            <td class="minor"><When at=u.created_at day_only=true/></td>
        </tr>
    }
}
