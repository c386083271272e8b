//! `expand[]`: puts whole objects in the place of their ids, up to four levels deep, also below `data` of lists.

use std::future::Future;
use std::pin::Pin;

use serde_json::{Value, json};
use sqlx::PgConnection;

use crate::sandbox::stripe::error::ApiError;
use crate::sandbox::stripe::store::{self, Page};

const DEEPEST: usize = 4;

/// Expands every path of a request.
pub async fn expand(conn: &mut PgConnection, value: &mut Value, paths: &[String]) -> Result<(), ApiError> {
    for path in paths {
        let steps: Vec<&str> = path.split('.').collect();
        let depth = steps.iter().filter(|step| **step != "data").count();
        if depth > DEEPEST {
            return Err(ApiError::param(
                "expand",
                None,
                format!("You cannot expand more than {DEEPEST} levels of a property ({path})."),
            ));
        }
        step(conn, value, &steps, path).await?;
    }
    Ok(())
}

fn step<'a>(
    conn: &'a mut PgConnection,
    value: &'a mut Value,
    steps: &'a [&'a str],
    path: &'a str,
) -> Pin<Box<dyn Future<Output = Result<(), ApiError>> + Send + 'a>> {
    Box::pin(async move {
        let Some((name, rest)) = steps.split_first() else { return Ok(()) };
        let impossible =
            |hint: &str| ApiError::param("expand", None, format!("This property cannot be expanded ({path}).{hint}"));
        if value["object"] == "list" {
            if *name != "data" {
                return Err(impossible(&format!(" You may want to try expanding 'data.{path}' instead.")));
            }
            if let Some(items) = value["data"].as_array_mut() {
                for item in items {
                    step(conn, item, rest, path).await?;
                }
            }
            return Ok(());
        }
        if let Some(list) = included(conn, value, name).await? {
            value[*name] = list;
        }
        let Some(found) = value.get_mut(*name) else { return Err(impossible("")) };
        match found {
            Value::Null => return Ok(()),
            Value::String(id) => {
                let kind = store::kind_of(id).ok_or_else(|| impossible(""))?;
                let param = "expand";
                let loaded = store::load(conn, kind, id, param).await?;
                *found = loaded.doc;
            }
            Value::Object(_) => {}
            _ => return Err(impossible("")),
        }
        step(conn, found, rest, path).await
    })
}

/// Lists that an object has only when they are asked for.
async fn included(conn: &mut PgConnection, value: &Value, name: &str) -> Result<Option<Value>, ApiError> {
    let id = value["id"].as_str().unwrap_or_default();
    match (value["object"].as_str(), name) {
        (Some("checkout.session"), "line_items") => {
            let session = store::load(conn, "checkout.session", id, "session").await?;
            let lines = session.hidden["line_items"].as_array().cloned().unwrap_or_default();
            let page = Page { limit: 10, after: None, before: None };
            Ok(Some(page.cut(&lines, &format!("/v1/checkout/sessions/{id}/line_items"))?))
        }
        (Some("charge"), "refunds") => {
            let refunds = super::charges::refunds_of(conn, id).await?;
            let page = Page { limit: 10, after: None, before: None };
            Ok(Some(page.cut(&refunds, &format!("/v1/charges/{id}/refunds"))?))
        }
        // fields that Stripe leaves out until they are asked for, and that are always empty here
        (Some("payment_intent"), "customer" | "invoice" | "review") => Ok(Some(json!(null))),
        _ => Ok(None),
    }
}
