//! `souk seed`: progress on a terminal, one sentence at the end.

use super::{ACCOUNTS, PASSWORD, seed};
use crate::server::state::App;
use indicatif::{ProgressBar, ProgressStyle};

/// Seeds and says what was done. Silent on the way where nobody watches.
pub async fn run(app: &App, number: u64) -> anyhow::Result<()> {
    let bar = ProgressBar::new(1).with_style(ProgressStyle::with_template("{msg:10} {wide_bar} {pos}/{len}")?);
    let progress = |what: &'static str, done: usize, of: usize| {
        bar.set_message(what);
        bar.set_length(of as u64);
        bar.set_position(done as u64);
    };
    let summary = seed(app, number, &progress).await?;
    bar.finish_and_clear();
    println!("{summary}");
    if !summary.already {
        for (role, email) in ACCOUNTS {
            println!("  {role:9} {email}   password: {PASSWORD}");
        }
    }
    Ok(())
}
