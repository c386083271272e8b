//! What is done with a file that came: its columns are chosen, it is checked, imported, cancelled, and worked on row by row.

use super::{
    model::ImportState,
    queries::{self, Import, Moved, Work},
    source::Source,
};
use crate::{
    catalog::import::{BATCH, Header, Pending, Places, Shop, Writer},
    error::{AppError, Refusal},
    ids::{CategoryId, ImportId},
    server::{
        auth::Manager,
        errors::violates,
        jobs::{self, Job},
        state::App,
    },
};
use sqlx::{Connection, PgConnection};
use std::time::{Duration, Instant};

/// How long one job works before the next one in the queue has its turn.
const TURN: Duration = Duration::from_secs(3);
const FILE_IS_GONE: &str = "The file is no longer there. Please send it again.";
const SHOP_IS_CLOSED: &str = "Your shop is closed for now, so nothing is imported.";

/// Keeps which columns are which, and starts the check.
pub async fn check(
    app: &App,
    vendor: &Manager,
    import: &Import,
    places: &Places,
    category: Option<CategoryId>,
) -> Result<(), AppError> {
    let mut tx = app.pool.begin().await?;
    if !queries::check(&mut tx, vendor, import.id, places, category).await.map_err(one_at_a_time)? {
        return Err(Refusal::Stale.into());
    }
    queries::remember(&mut tx, vendor, import, places, category).await?;
    enqueue(&mut tx, import.id).await?;
    tx.commit().await?;
    Ok(())
}

/// Starts the import of a file that was checked, or goes on with one that was cancelled.
pub async fn start(app: &App, vendor: &Manager, id: ImportId) -> Result<(), AppError> {
    let mut tx = app.pool.begin().await?;
    if !queries::start(&mut tx, vendor, id).await.map_err(one_at_a_time)? {
        return Err(Refusal::Stale.into());
    }
    enqueue(&mut tx, id).await?;
    tx.commit().await?;
    Ok(())
}

/// Ends what runs. The rows under way are finished first.
pub async fn cancel(app: &App, vendor: &Manager, id: ImportId) -> Result<(), AppError> {
    if queries::cancel(&app.pool, vendor, id).await? { Ok(()) } else { Err(Refusal::Stale.into()) }
}

fn one_at_a_time(error: sqlx::Error) -> AppError {
    if violates(&error, "imports_one_at_a_time") {
        return AppError::field("", "Another import of yours is under way. This one can start when it is done.");
    }
    error.into()
}

async fn enqueue(tx: &mut PgConnection, id: ImportId) -> sqlx::Result<()> {
    jobs::enqueue(tx, &Job::Import { import: id }, Some(&format!("import {id}"))).await
}

/// The job: works on the import from where it is, for a few seconds, and leaves the rest to the next one.
pub async fn go_on(app: &App, id: ImportId) -> anyhow::Result<()> {
    let Some(work) = queries::work(&app.pool, id).await? else { return Ok(()) };
    if !work.approved {
        return Ok(queries::fail(&app.pool, id, SHOP_IS_CLOSED).await?);
    }
    let (byte, line) = (u64::try_from(work.at_byte)?, u64::try_from(work.at_line)?);
    let Some(mut source) = Source::open(&app.storage, id, byte, line).await? else {
        return Ok(queries::fail(&app.pool, id, FILE_IS_GONE).await?);
    };
    let width = usize::try_from(work.width)?;
    let header = Header::chosen(super::model::from_columns(&work.columns, width), work.category);
    let separator = work.separator.as_bytes().first().copied().unwrap_or(b',');
    let shop = Shop::read(app).await?;
    let turn_ends = Instant::now() + TURN;
    loop {
        let (from, _) = source.place();
        let records = source.batch().await?;
        let last = records.len() < BATCH;
        let step = Step {
            id,
            from: from as i64,
            to: source.place(),
            rows: records.into_iter().map(|record| Pending::of(record, separator, &header, &shop)).collect(),
            last,
            turn_ends: Instant::now() >= turn_ends,
        };
        let turn_ended = step.turn_ends;
        if !rows(app, &work, step).await? || last || turn_ended {
            return Ok(());
        }
    }
}

/// Some rows and where they stand.
struct Step {
    id: ImportId,
    from: i64,
    to: (u64, u64),
    rows: Vec<Pending>,
    last: bool,
    turn_ends: bool,
}

/// One transaction: the rows, what was wrong with them, the new place, and the next job. `false` where it is no longer ours to do.
async fn rows(app: &App, work: &Work, step: Step) -> anyhow::Result<bool> {
    let mut tx = app.pool.begin().await?;
    if !queries::lock(&mut tx, step.id, work.state, step.from).await? {
        return Ok(false);
    }
    let trial = work.state == ImportState::Checking;
    let writer = Writer { app, vendor: work.vendor, actor: Some(work.user), folder: None, dry_run: trial };
    let mut refused = Vec::new();
    let mut tell = |line, why| refused.push((line, why));
    let (written, created) = if trial {
        let mut taken_back = tx.begin().await?;
        let written = writer.write(&mut taken_back, step.rows, &mut tell).await?;
        taken_back.rollback().await?;
        let created = queries::made(&mut tx, step.id, &written.created).await?;
        (written, created)
    } else {
        let written = writer.write(&mut tx, step.rows, &mut tell).await?;
        let created = written.created.len() as u64;
        (written, created)
    };
    let state = match (step.last, trial) {
        (false, _) => work.state,
        (true, true) => ImportState::Checked,
        (true, false) => ImportState::Done,
    };
    let moved = Moved { to: step.to, written: &written, created, refused: &refused, state };
    queries::go_on(&mut tx, step.id, &moved).await?;
    if step.turn_ends && !step.last {
        enqueue(&mut tx, step.id).await?;
    }
    tx.commit().await?;
    Ok(true)
}
