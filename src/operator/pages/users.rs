//! People.

use super::{cursor, next_page};
use crate::{
    error::AppError,
    operator::{Cursor, queries},
    server::{
        auth::Operator,
        page::{Layout, Page},
        state::App,
    },
    text,
    ui::{Badge, Empty, NextPage, Tone, When},
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
    let find = text::line(&filter.find, 0, 254).map_err(|e| AppError::BadRequest(e.to_string()))?;
    let users = queries::users(&app.pool, &by, &find, cursor(&filter.after)?.as_ref()).await?;
    Ok(Page::new("Users", move || {
        let last = users.rows.last().filter(|_| users.more);
        let next = next_page(HERE, &[("find", &find)], last.map(|u| Cursor { at: u.created_at, id: u.id }.to_string()));
        let none = users.rows.is_empty();
        let rows = users
            .rows
            .into_iter()
            .map(|u| {
                let shop = u.vendor_id.zip(u.vendor_name);
                view! {
                    <tr>
                        <td><a href=format!("/users/{}", u.handle)>{u.name}</a></td>
                        <td>{u.email}</td>
                        <td>
                            {u.operator.then(|| view! { <Badge tone=Tone::Neutral label="operator"/> " " })}
                            {shop.map(|(id, name)| view! { <a href=format!("/operator/vendors/{id}")>{name}</a> })}
                        </td>
                        <td class="number">{u.orders}</td>
                        <td><When at=u.created_at day_only=true/></td>
                    </tr>
                }
            })
            .collect_view();
        view! {
            <h1>"Users"</h1>
            <form class="finder" role="search" aria-label="Users">
                <label class="visually-hidden" for="find">"Name, e-mail or handle"</label>
                <input id="find" name="find" type="search" value=find placeholder="Name, e-mail or handle" maxlength="254"/>
                <button type="submit">"Find"</button>
            </form>
            {if none {
                view! { <Empty title="Nobody found"><p>"Try a part of the name or of the e-mail address."</p></Empty> }.into_any()
            } else {
                view! {
                    <div class="table-frame" tabindex="0" role="region" aria-label="Users">
                        <table>
                            <thead><tr>
                                <th scope="col">"Name"</th><th scope="col">"E-mail"</th><th scope="col">"Role"</th>
                                <th scope="col" class="number">"Orders"</th><th scope="col">"Since"</th>
                            </tr></thead>
                            <tbody>{rows}</tbody>
                        </table>
                    </div>
                }.into_any()
            }}
            <NextPage href=next/>
        }
    })
    .layout(Layout::Operator(HERE)))
}
