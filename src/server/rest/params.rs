//! What stands in an address: names in the path, parameters in the query, and lists page by page.

use crate::{
    error::AppError,
    server::{cursor, state::App},
};
use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{collections::HashSet, str::FromStr};
use utoipa::{IntoParams, ToSchema};

/// The name in an address (`{id}`, `{slug}`). What cannot be one is simply not found.
pub struct Named<T>(pub T);

impl<T: FromStr> FromRequestParts<App> for Named<T> {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AppError> {
        let Path(text) = Path::<String>::from_request_parts(parts, app).await.map_err(|_| AppError::NotFound)?;
        text.parse().map(Self).map_err(|_| AppError::NotFound)
    }
}

/// The query. A value that does not fit, or a parameter given twice, is a bad request; so is an unknown one, which
/// [`super::contract`] sees to for every call.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<App> for Params<T> {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, _app: &App) -> Result<Self, AppError> {
        read(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

/// The pairs of a query, each name once.
pub(super) fn pairs(query: &str) -> Result<Vec<(String, String)>, AppError> {
    let pairs: Vec<(String, String)> =
        serde_urlencoded::from_str(query).map_err(|_| AppError::BadRequest("The query cannot be read.".into()))?;
    let mut seen = HashSet::new();
    match pairs.iter().find(|(name, _)| !seen.insert(name.as_str())) {
        Some((name, _)) => Err(AppError::BadRequest(format!("{name}: given twice."))),
        None => Ok(pairs),
    }
}

fn read<T: DeserializeOwned>(query: &str) -> Result<T, AppError> {
    pairs(query)?;
    serde_urlencoded::from_str(query).map_err(|error| AppError::BadRequest(format!("The query cannot be read: {error}.")))
}

/// Which part of a list: `?limit=&after=`.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// How many at most.
    #[serde(default)]
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// Where to go on: `next` of the page before. Good for that list only.
    #[serde(default)]
    after: Option<String>,
}

impl Page {
    /// For a call whose query says more than the page.
    pub fn of(limit: Option<i64>, after: Option<String>) -> Self {
        Self { limit, after }
    }

    const USUAL: i64 = 20;
    const MOST: i64 = 100;

    /// How many rows to show.
    pub fn limit(&self) -> Result<i64, AppError> {
        match self.limit.unwrap_or(Self::USUAL) {
            limit if (1..=Self::MOST).contains(&limit) => Ok(limit),
            _ => Err(AppError::BadRequest(format!("limit: ask for 1 to {}.", Self::MOST))),
        }
    }

    /// Where the page begins; `None` at the first one.
    pub fn position<P: DeserializeOwned>(&self, app: &App, list: &str) -> Result<Option<P>, AppError> {
        self.after.as_deref().map(|after| cursor::open(&app.config.secret, list, after)).transpose()
    }
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct List<T> {
    pub data: Vec<T>,
    /// The cursor of the next page; `null` on the last one.
    #[schema(required)]
    pub next: Option<String>,
}

impl<T> List<T> {
    /// Makes a page of `rows`, of which one more than `limit` was asked for. `list` names the list for its cursors.
    pub fn page<R, P: Serialize>(
        app: &App,
        list: &str,
        limit: i64,
        mut rows: Vec<R>,
        position: impl Fn(&R) -> P,
        shown: impl Fn(R) -> T,
    ) -> Result<Self, AppError> {
        let most = usize::try_from(limit).unwrap_or_default();
        let more = rows.len() > most;
        rows.truncate(most);
        let next = match rows.last().filter(|_| more) {
            Some(last) => Some(cursor::seal(&app.config.secret, list, &position(last))?),
            None => None,
        };
        Ok(Self { data: rows.into_iter().map(shown).collect(), next })
    }

    /// A list that is always whole.
    pub fn whole(data: Vec<T>) -> Self {
        Self { data, next: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_says_each_thing_once_and_well() {
        let page = |query| read::<Page>(query).and_then(|p| p.limit());
        assert_eq!(page(""), Ok(20));
        assert_eq!(page("limit=100"), Ok(100));
        for bad in ["limit=0", "limit=101", "limit=ten", "limit=", "limit=1&limit=2", "limit=99999999999999999999"] {
            assert!(matches!(page(bad), Err(AppError::BadRequest(_))), "{bad}");
        }
    }
}
