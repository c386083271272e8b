//! One sentence that survives a redirect: put after a write, taken by the next page.

use super::errors::internal;
use crate::error::AppError;
use axum::{extract::Request, middleware::Next, response::Response};
use tower_sessions::Session;

const KEY: &str = "flash";
/// What an open page adds to its own address when it fetches itself; see `live::islands`.
const REDRAW: &str = "redraw=1";

tokio::task_local! {
    /// Set while a page is drawn that nobody reads as a whole.
    static REDRAWN: ();
}

/// The layer that knows such requests.
pub async fn leave_when_redrawn(request: Request, next: Next) -> Response {
    let redrawn = request.uri().query().is_some_and(|query| query.split('&').any(|pair| pair == REDRAW));
    if redrawn { REDRAWN.scope((), next.run(request)).await } else { next.run(request).await }
}

/// Leaves a sentence for the next page of this session.
pub async fn put(session: &Session, sentence: &str) -> Result<(), AppError> {
    session.insert(KEY, sentence).await.map_err(internal)
}

/// Takes it; a second page does not see it. A page that is fetched to bring parts of an open one up to date leaves it to the next page
/// that somebody reads.
pub async fn take(session: &Session) -> Result<Option<String>, AppError> {
    if REDRAWN.try_with(|()| ()).is_ok() {
        return Ok(None);
    }
    session.remove(KEY).await.map_err(internal)
}
