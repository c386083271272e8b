//! How much the database is asked.

use std::{cell::RefCell, fmt::Debug, future::Future, sync::Once};
use tracing::field::{Field, Visit};
use tracing_subscriber::{Layer, layer::Context, prelude::*};

/// Counts the statements that sqlx tells of, per thread: a test and its program share one, and no other test is in it. One
/// subscriber for all threads, because a call site remembers whether anybody listens.
struct Statements;

thread_local! {
    static ASKED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// The start of a statement, and whether it is the sandbox's: Stripe's own business, which has a database elsewhere.
#[derive(Default)]
struct Statement {
    summary: String,
    of_stripe: bool,
}

impl Visit for Statement {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.of_stripe |= value.contains("stripe_sandbox");
        if field.name() == "summary" {
            value.clone_into(&mut self.summary);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

impl<S: tracing::Subscriber> Layer<S> for Statements {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() != "sqlx::query" {
            return;
        }
        let mut statement = Statement::default();
        event.record(&mut statement);
        // A transaction's frame is no question.
        let frame = ["BEGIN", "COMMIT", "ROLLBACK"].iter().any(|word| statement.summary.starts_with(word));
        if !statement.of_stripe && !frame {
            ASKED.with_borrow_mut(|asked| asked.push(statement.summary));
        }
    }
}

/// What the program asks the database while it does this: the start of each statement.
pub async fn asked<T>(what: impl Future<Output = T>) -> (T, Vec<String>) {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        let all = tracing_subscriber::registry().with(Statements);
        tracing::subscriber::set_global_default(all).expect("nobody else listens");
    });
    ASKED.take();
    let done = what.await;
    (done, ASKED.take())
}

/// How many statements the program runs while it does this.
pub async fn counted<T>(what: impl Future<Output = T>) -> (T, usize) {
    let (done, asked) = asked(what).await;
    (done, asked.len())
}
