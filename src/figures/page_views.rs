//! How often the pages of products are looked at. Counted in the memory of each node, because most of those pages come from memory
//! too, and written down with the next housekeeping; a node that is killed loses the count of a few seconds, of nothing else.
//!
//! Nobody is followed: a view is an answer, not a person. Programs that say what they are, as search engines do, do not count.

use crate::server::state::App;
use http::{HeaderMap, header};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

/// Where the page of one product is counted.
pub type Counter = Arc<AtomicI64>;

/// The counters of one node, by the last part of a page's address.
#[derive(Default)]
pub struct PageViews {
    counters: Mutex<HashMap<String, Counter>>,
}

impl PageViews {
    /// Where this page is counted from now on.
    pub fn counter(&self, slug: &str) -> Counter {
        let mut counters = self.counters();
        match counters.get(slug) {
            Some(counter) => counter.clone(),
            None => counters.entry(slug.to_owned()).or_default().clone(),
        }
    }

    /// What was counted since it was last taken. Counters that nobody holds are forgotten.
    fn take(&self) -> (Vec<String>, Vec<i64>) {
        let mut counters = self.counters();
        let seen = counters.iter().map(|(slug, counter)| (slug.clone(), counter.swap(0, Ordering::Relaxed)));
        let seen = seen.filter(|(_, count)| *count > 0).unzip();
        counters.retain(|_, counter| Arc::strong_count(counter) > 1);
        seen
    }

    fn counters(&self) -> MutexGuard<'_, HashMap<String, Counter>> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts this answer, unless a program asked for it.
pub fn count(counter: &Counter, asked: &HeaderMap) {
    if !is_program(asked) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// Whether the client says of itself that it is no person's browser.
fn is_program(asked: &HeaderMap) -> bool {
    let name = asked.get(header::USER_AGENT).map(|name| name.as_bytes()).unwrap_or_default();
    let says = |word: &[u8]| name.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
    !says(b"mozilla") || [&b"bot"[..], b"crawl", b"spider"].into_iter().any(says)
}

/// Writes down what this node counted.
///
/// # Errors
/// When the database does not answer; then it stays counted.
pub async fn write(app: &App) -> sqlx::Result<()> {
    let (slugs, counts) = app.page_views.take();
    if slugs.is_empty() {
        return Ok(());
    }
    let written = sqlx::query!(
        "with seen as (select p.id, p.vendor_id, x.views from unnest($1::text[], $2::bigint[]) x (slug, views) join products p on p.slug = x.slug)
         insert into figure_changes (vendor_id, product_id, day, views)
         select vendor_id, id, (now() at time zone 'UTC')::date, views from seen
         union all
         select vendor_id, null, (now() at time zone 'UTC')::date, sum(views) from seen group by vendor_id",
        &slugs,
        &counts
    )
    .execute(&app.pool)
    .await;
    if let Err(error) = written {
        for (slug, count) in slugs.iter().zip(counts) {
            app.page_views.counter(slug).fetch_add(count, Ordering::Relaxed);
        }
        return Err(error);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn who_says_what_it_is_does_not_count() {
        let asked = |name: &'static str| HeaderMap::from_iter([(header::USER_AGENT, HeaderValue::from_static(name))]);
        assert!(!is_program(&asked("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0")));
        assert!(is_program(&asked("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)")));
        assert!(is_program(&asked("curl/8.5.0")));
        assert!(is_program(&HeaderMap::new()));
    }

    #[test]
    fn what_nobody_holds_is_forgotten_once_it_was_taken() {
        let views = PageViews::default();
        let held = views.counter("bowl");
        held.fetch_add(2, Ordering::Relaxed);
        views.counter("cup").fetch_add(1, Ordering::Relaxed);
        let (slugs, counts) = views.take();
        let mut seen: Vec<_> = slugs.into_iter().zip(counts).collect();
        seen.sort();
        assert_eq!(seen, [("bowl".to_owned(), 2), ("cup".to_owned(), 1)]);
        assert_eq!(views.counters().len(), 1);
        held.fetch_add(1, Ordering::Relaxed);
        assert_eq!(views.take(), (vec!["bowl".to_owned()], vec![1]));
    }
}
