//! How much the database is asked.

use std::{cell::Cell, future::Future, sync::Once};
use tracing_subscriber::{Layer, layer::Context, prelude::*};

/// Counts the statements that sqlx tells of, per thread: a test and its program share one, and no other test is in it. One
/// subscriber for all threads, because a call site remembers whether anybody listens.
struct Statements;

thread_local! {
    static ASKED: Cell<usize> = const { Cell::new(0) };
}

impl<S: tracing::Subscriber> Layer<S> for Statements {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "sqlx::query" {
            ASKED.set(ASKED.get() + 1);
        }
    }
}

/// How many statements the program runs while it does this.
pub async fn counted<T>(what: impl Future<Output = T>) -> (T, usize) {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        let all = tracing_subscriber::registry().with(Statements);
        tracing::subscriber::set_global_default(all).expect("nobody else listens");
    });
    ASKED.set(0);
    let done = what.await;
    (done, ASKED.get())
}
