//! PostgreSQL's own measure of itself on this machine.

use anyhow::Context;
use sqlx::PgPool;
use std::path::PathBuf;
use tokio::process::Command;
use uuid::Uuid;

pub struct Pgbench {
    program: PathBuf,
    server: String,
    shop: String,
}

/// The plain way to sell one thing: the stock's row first, then the order.
const PLAIN: &str = "begin;
update stock set held = held + 1 where variant_id = ':VARIANT' and on_hand - held >= 1;
insert into bench_orders (note) values ('sold');
commit;
";

/// Our way, of the stock's part alone: a piece that stands aside, then the order (`souk::checkout::rush`).
const ASIDE: &str = "begin;
with idle as materialized (select id from stock_pieces where variant_id = ':VARIANT' order by id limit 1 for update skip locked)
delete from stock_pieces where variant_id = ':VARIANT' and id in (select id from idle);
insert into bench_orders (note) values ('sold');
commit;
";

impl Pgbench {
    /// `None` where it is not installed.
    pub fn find(server: &str, shop: &str) -> Option<Self> {
        let program = std::env::var_os("SOUK_PGBENCH").filter(|path| !path.is_empty())?;
        // What sqlx says beside an address, libpq does not know.
        let plain = |url: &str| url.split('?').next().unwrap_or_default().to_owned();
        Some(Self { program: program.into(), server: plain(server), shop: plain(shop) })
    }

    /// Transactions a second: select only, TPC-B, and 32 who buy one thing in the plain way.
    pub async fn floors(&self, pool: &PgPool, variant: Uuid, seconds: u64) -> anyhow::Result<Vec<(&'static str, f64)>> {
        self.run(&self.server, &["--initialize", "--quiet", "--scale=10"]).await?;
        let time = format!("--time={}", seconds.max(5));
        let select = self.rate(&self.server, &["--select-only", "--client=8", "--jobs=2", "--no-vacuum", &time]).await?;
        let tpcb = self.rate(&self.server, &["--client=8", "--jobs=2", "--no-vacuum", &time]).await?;
        sqlx::query("create table bench_orders (id bigint generated always as identity primary key, note text)")
            .execute(pool)
            .await?;
        let plain = self.sell(PLAIN, variant, &time).await?;
        // More than the run can sell.
        sqlx::query("select set_pieces_aside($1, 200000)").bind(variant).execute(pool).await?;
        sqlx::query("vacuum analyze stock_pieces").execute(pool).await?;
        let aside = self.sell(ASIDE, variant, &time).await?;
        sqlx::query("select put_pieces_back($1)").bind(variant).execute(pool).await?;
        // What was sold has no orders: the shelf forgets it.
        sqlx::query("update stock set held = 0 where variant_id = $1").bind(variant).execute(pool).await?;
        Ok(vec![
            ("floor: pgbench select-only, 8 at once", select),
            ("floor: pgbench TPC-B, 8 at once", tpcb),
            ("floor: pgbench, one variant, stock row first, 32 at once", plain),
            ("pgbench, one variant, pieces that stand aside, 32 at once", aside),
        ])
    }

    async fn sell(&self, how: &str, variant: Uuid, time: &str) -> anyhow::Result<f64> {
        let script = std::env::temp_dir().join(format!("souk-bench-{}.sql", Uuid::now_v7()));
        std::fs::write(&script, how.replace(":VARIANT", &variant.to_string()))?;
        let file = format!("--file={}", script.display());
        let rate = self.rate(&self.shop, &["--client=32", "--jobs=2", "--no-vacuum", time, &file]).await;
        std::fs::remove_file(&script)?;
        rate
    }

    async fn rate(&self, database: &str, arguments: &[&str]) -> anyhow::Result<f64> {
        let said = self.run(database, arguments).await?;
        let line =
            said.lines().find_map(|l| l.strip_prefix("tps = ")).with_context(|| format!("pgbench says no rate: {said}"))?;
        Ok(line.split_whitespace().next().unwrap_or_default().parse()?)
    }

    async fn run(&self, database: &str, arguments: &[&str]) -> anyhow::Result<String> {
        let output = Command::new(&self.program).args(arguments).arg(database).output().await?;
        anyhow::ensure!(output.status.success(), "pgbench: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?)
    }
}
