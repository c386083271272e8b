//! The hottest statements of a mix of requests, as PostgreSQL ran them (its module auto_explain, of Debian's postgresql package and
//! of PyPI's), with a word on every table that was read whole.

use crate::{Bench, client::load, sale, world};
use anyhow::Context;
use serde::Deserialize;
use souk::prove::stand::Stand;
use std::{collections::HashMap, fmt::Write, time::Duration};

/// So many are told.
const HOTTEST: usize = 10;
/// Reading a table of so many rows from end to end is a fault.
const LARGE: i64 = 10_000;

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "Query Text")]
    text: String,
    #[serde(rename = "Plan")]
    plan: Node,
}

#[derive(Deserialize)]
struct Node {
    #[serde(rename = "Node Type")]
    kind: String,
    #[serde(rename = "Relation Name")]
    relation: Option<String>,
    #[serde(rename = "Index Name")]
    index: Option<String>,
    #[serde(rename = "Actual Total Time")]
    milliseconds: Option<f64>,
    #[serde(rename = "Actual Rows")]
    rows: Option<f64>,
    #[serde(rename = "Actual Loops")]
    loops: Option<f64>,
    #[serde(rename = "Rows Removed by Filter")]
    removed: Option<f64>,
    #[serde(rename = "Plans", default)]
    below: Vec<Node>,
}

impl Node {
    fn draw(&self, depth: usize, text: &mut String) {
        let on = self.relation.as_ref().map(|r| format!(" on {r}")).unwrap_or_default();
        let by = self.index.as_ref().map(|i| format!(" by {i}")).unwrap_or_default();
        let (rows, loops) = (self.rows.unwrap_or_default(), self.loops.unwrap_or_default());
        let _ = writeln!(text, "{:indent$}{}{on}{by}: {rows} rows × {loops}", "", self.kind, indent = depth * 2);
        for node in &self.below {
            node.draw(depth + 1, text);
        }
    }

    /// Tables that are read from end to end, not only begun (a limit ends many early); `large` has how many rows each has.
    fn read_whole<'a>(&'a self, large: &HashMap<String, f32>, found: &mut Vec<&'a str>) {
        let read = self.rows.unwrap_or_default() + self.removed.unwrap_or_default();
        let rows = self.relation.as_ref().and_then(|relation| large.get(relation));
        if self.kind == "Seq Scan" && rows.is_some_and(|rows| read >= f64::from(*rows) / 2.0) {
            found.extend(self.relation.as_deref());
        }
        for node in &self.below {
            node.read_whole(large, found);
        }
    }
}

/// Runs the mix and tells of the statements that took the most time together, as Markdown.
///
/// # Errors
/// When one of them reads a large table whole, or auto_explain is not there.
pub async fn explain(bench: &Bench<'_>, stand: &Stand, size: usize) -> anyhow::Result<String> {
    let name = stand.pool.connect_options().get_database().context("no database")?.to_owned();
    for setting in [
        "session_preload_libraries = 'auto_explain'",
        "auto_explain.log_min_duration = 0",
        "auto_explain.log_analyze = on",
        "auto_explain.log_format = json",
    ] {
        let statement = format!("alter database {name} set {setting}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&stand.pool).await?;
    }
    let log = bench.folder.join("postgres/log");
    let from = std::fs::metadata(&log).with_context(|| log.display().to_string())?.len();
    let mut node = bench.open_shop(stand, 0).await?;
    let meter = bench.meter(node.process())?;
    for (_, _, wishes) in world::pages(&stand.pool).await? {
        load(stand.config.listen, &wishes, 1, Duration::from_secs(1)).await?;
    }
    sale::checkouts(stand, &meter, Duration::from_secs(3)).await?;
    node.kill().await?;

    let said = std::fs::read(&log)?;
    let said = String::from_utf8_lossy(said.get(usize::try_from(from)?..).unwrap_or_default());
    let mut hot: HashMap<String, (u64, f64, Entry)> = HashMap::new();
    for entry in entries(&said) {
        let took = entry.plan.milliseconds.unwrap_or_default();
        let shape = entry.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let (calls, total, _) = hot.entry(shape).or_insert_with(|| (0, 0.0, entry));
        *calls += 1;
        *total += took;
    }
    anyhow::ensure!(!hot.is_empty(), "PostgreSQL explained nothing: is auto_explain there?");
    let mut hot: Vec<_> = hot.into_iter().collect();
    hot.sort_by(|(_, (_, a, _)), (_, (_, b, _))| b.total_cmp(a));
    let large: Vec<(String, f32)> =
        sqlx::query_as("select relname::text, reltuples from pg_class where relkind = 'r' and reltuples >= $1")
            .bind(LARGE as f32)
            .fetch_all(&stand.pool)
            .await?;
    let large = HashMap::from_iter(large);

    let mut text = format!(
        "# The hottest statements at {size} products\n\nWritten by `scripts/bench.sh --plans`: a second of each page and call of the bench, nothing \
         kept, and three seconds of checkouts. By time in all; each with the plan of its first run.\n"
    );
    let mut faults = Vec::new();
    for (place, (shape, (calls, total, first))) in hot.iter().take(HOTTEST).enumerate() {
        let mut plan = String::new();
        first.plan.draw(0, &mut plan);
        let mut whole = Vec::new();
        first.plan.read_whole(&large, &mut whole);
        faults.extend(whole.into_iter().map(|t| format!("{t}: {shape}")));
        let _ = write!(
            text,
            "\n## {}. {calls} times, {:.2} ms each\n\n```sql\n{shape}\n```\n\n```\n{plan}```\n",
            place + 1,
            total / *calls as f64
        );
    }
    anyhow::ensure!(faults.is_empty(), "read from end to end: {}", faults.join("\n"));
    Ok(text)
}

/// The JSON documents in a log, which stand indented after their own line.
fn entries(log: &str) -> Vec<Entry> {
    let mut found = Vec::new();
    for part in log.split("plan:\n").skip(1) {
        let mut documents = serde_json::Deserializer::from_str(part).into_iter::<Entry>();
        found.extend(documents.next().and_then(Result::ok));
    }
    found
}
