//! `souk import FILE --vendor SLUG [--dry-run]`: refused rows on standard error as they come, a bar, one sentence.

use super::{Import, Told, import};
use crate::server::state::App;
use indicatif::{ProgressBar, ProgressStyle};

/// Imports and says what was done.
pub async fn run(app: &App, what: &Import) -> anyhow::Result<()> {
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template("{bytes:>10} of {total_bytes} {wide_bar} {eta}")?);
    let done = import(app, what, |told| match told {
        Told::Refused { line, why } => bar.suspend(|| eprintln!("line {line}: {why}")),
        Told::Progress { read, of } => {
            bar.set_length(of);
            bar.set_position(read);
        }
    })
    .await?;
    bar.finish_and_clear();
    if done.resumed > 0 {
        println!("Went on after the {} rows that were done before.", done.resumed);
    }
    let verb = if what.dry_run { "would be" } else { "were" };
    println!(
        "{} rows {verb} new, {} {verb} updated, {} are as they were, {} {verb} refused.",
        done.created, done.updated, done.unchanged, done.refused
    );
    Ok(())
}
