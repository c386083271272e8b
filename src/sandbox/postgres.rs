//! A private PostgreSQL for development: found on the machine, started by the program, stopped with it.
//! Its data outlives the program; nothing here is used when `DATABASE_URL` is set.
//!
//! It listens on 127.0.0.1 only, on a free port, and asks for a random password kept beside the data: trust on
//! loopback would make every local user its superuser. It never runs as root, because PostgreSQL refuses to: root
//! hands the work to the owner of existing data, else to `postgres`, else to `nobody`.

mod machine;

use anyhow::{Context, bail};
use machine::{Account, Binaries};
use sqlx::{Connection, PgConnection};
use std::{
    fs::{self, File, TryLockError},
    io::Write,
    net::TcpListener,
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown, symlink},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The superuser of the cluster, and the database that holds the shop.
const NAME: &str = "souk";

/// Small on purpose: a laptop's database, with the disk still told the truth (`fsync` stays on).
const SETTINGS: &[&str] = &[
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=100",
    "shared_buffers=64MB",
    "max_wal_size=512MB",
    "checkpoint_timeout=15min",
    "jit=off",
    "timezone=UTC",
    "log_timezone=UTC",
    "log_min_messages=warning",
];

/// A running PostgreSQL. Whoever started it stops it, by [`Embedded::stop`] or at the latest when it is dropped.
pub struct Embedded {
    url: String,
    cluster: Cluster,
    /// Held for as long as we own the server; `None` when another Souk process owns it and we only use it.
    owner: Option<File>,
}

impl Embedded {
    /// Where sqlx finds the shop's database.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Ends the server without notice and starts it again at the same address, as a machine does that lost its power: every
    /// connection breaks, and what was not committed is gone.
    pub async fn crash_and_recover(&self) -> anyhow::Result<()> {
        let cluster = self.cluster.clone();
        tokio::task::spawn_blocking(move || cluster.crash_and_recover()).await?
    }

    /// Ends the server cleanly: open transactions are rolled back, the data is flushed.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        let Some(lock) = self.owner.take() else { return Ok(()) };
        let cluster = self.cluster.clone();
        tokio::task::spawn_blocking(move || {
            let ended = cluster.stop();
            drop(lock);
            ended
        })
        .await?
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        if self.owner.is_some()
            && let Err(error) = self.cluster.stop()
        {
            tracing::warn!("the embedded PostgreSQL did not stop: {error:#}");
        }
    }
}

/// Starts the PostgreSQL whose data lives in `dir`, making it the first time, and returns once it answers.
///
/// A server left over from a killed run is taken over. When another Souk process owns the server (`souk seed` beside
/// a running `souk serve`), this one uses it without owning it.
pub async fn start(dir: &Path) -> anyhow::Result<Embedded> {
    let dir = std::path::absolute(dir)?;
    let (cluster, owner) = tokio::task::spawn_blocking(move || run(&dir)).await??;
    let port = cluster.port()?;
    let password = cluster.password()?;
    let at = |database: &str| format!("postgres://{NAME}:{password}@127.0.0.1:{port}/{database}");
    let embedded = Embedded { url: at(NAME), cluster, owner };
    create_database(&at("postgres")).await.context("creating the shop's database in the embedded PostgreSQL")?;
    Ok(embedded)
}

async fn create_database(maintenance_url: &str) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect(maintenance_url).await?;
    let there: bool = sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
        .bind(NAME)
        .fetch_one(&mut connection)
        .await?;
    if !there {
        match sqlx::query("create database souk").execute(&mut connection).await {
            Ok(_) => {}
            // Another process of ours was a moment faster.
            Err(sqlx::Error::Database(e)) if e.code().as_deref() == Some("42P04") => {}
            Err(e) => return Err(e.into()),
        }
    }
    connection.close().await?;
    Ok(())
}

fn run(dir: &Path) -> anyhow::Result<(Cluster, Option<File>)> {
    let account = machine::account_for(dir)?;
    let home = make_home(dir, account.as_ref())?;
    let made_by = fs::read_to_string(home.join("data/PG_VERSION")).ok().and_then(|v| v.trim().parse().ok());
    let binaries = machine::find_binaries(made_by, account.as_ref())?;
    let cluster = Cluster { home, binaries, account };
    let Some(lock) = cluster.claim()? else {
        cluster.wait_for_other_owner()?;
        return Ok((cluster, None));
    };
    if made_by.is_none() {
        cluster.create()?;
    }
    if cluster.running() {
        tracing::info!("taking over the embedded PostgreSQL that an earlier run left behind");
    } else {
        cluster.start()?;
    }
    Ok((cluster, Some(lock)))
}

/// Makes the folder that holds the cluster: `dir` itself, or, where the server's account may not walk to it (a project
/// below /root), a folder in /var/lib with a link to it at `dir`.
fn make_home(dir: &Path, account: Option<&Account>) -> anyhow::Result<PathBuf> {
    if dir.is_symlink() && !dir.exists() {
        fs::remove_file(dir).with_context(|| format!("removing the stale link {}", dir.display()))?;
    }
    fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
    let home = dir.canonicalize()?;
    let Some(account) = account else {
        give(&home, None)?;
        return Ok(home);
    };
    give(&home, Some(account))?;
    if account.reaches(&home) {
        return Ok(home);
    }
    let elsewhere = Path::new("/var/lib/souk").join(machine::folder_name_for(dir));
    fs::create_dir_all(&elsewhere).with_context(|| format!("making {}", elsewhere.display()))?;
    give(&elsewhere, Some(account))?;
    if !account.reaches(&elsewhere) {
        bail!(
            "The user {} can reach neither {} nor {}: set SOUK_DATA_DIR to a folder it can reach.",
            account.name,
            dir.display(),
            elsewhere.display()
        );
    }
    fs::remove_dir(dir).with_context(|| format!("replacing {} by a link", dir.display()))?;
    symlink(&elsewhere, dir).with_context(|| format!("linking {} to {}", dir.display(), elsewhere.display()))?;
    tracing::info!(
        "the embedded PostgreSQL keeps its data in {}, because the user {} may not enter {}",
        elsewhere.display(),
        account.name,
        dir.display()
    );
    Ok(elsewhere)
}

/// For the server's account alone.
fn give(home: &Path, account: Option<&Account>) -> anyhow::Result<()> {
    if let Some(account) = account {
        chown(home, Some(account.uid), Some(account.gid))
            .with_context(|| format!("giving {} to {}", home.display(), account.name))?;
    }
    fs::set_permissions(home, fs::Permissions::from_mode(0o700))
        .with_context(|| format!("{} belongs to another user: remove it, or run as that user", home.display()))
}

/// One cluster's folder (`data`, `password`, `log`, `owner.lock`), the programs that run it, and as whom.
#[derive(Clone)]
struct Cluster {
    home: PathBuf,
    binaries: Binaries,
    account: Option<Account>,
}

impl Cluster {
    fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    /// One of PostgreSQL's programs, as the account that may run it, from a folder everyone may stand in.
    fn command(&self, program: &str) -> Command {
        let mut command = machine::as_account(self.account.as_ref(), self.binaries.program(program));
        command.current_dir("/").env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
        command
    }

    /// The right to start and stop the server, or `None` when a living process has it. The kernel gives it back when
    /// that process dies, however it dies.
    fn claim(&self) -> anyhow::Result<Option<File>> {
        let lock = File::options().create(true).append(true).open(self.home.join("owner.lock"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(lock)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) => Err(e).context("locking the embedded PostgreSQL's folder"),
        }
    }

    fn wait_for_other_owner(&self) -> anyhow::Result<()> {
        let patience = Instant::now() + Duration::from_secs(60);
        while !self.running() || self.port().is_err() {
            if Instant::now() > patience {
                bail!("Another Souk process holds {} but its PostgreSQL does not answer: end that process.", self.home.display());
            }
            thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    }

    /// Makes the data folder, in a temporary place first so that an interrupted attempt leaves nothing half made.
    fn create(&self) -> anyhow::Result<()> {
        eprintln!("Making a PostgreSQL for development in {} (a few seconds) …", self.home.display());
        let password = hex::encode(rand::random::<[u8; 24]>());
        let file = self.home.join("password");
        let _ = fs::remove_file(&file);
        File::options().write(true).create_new(true).mode(0o600).open(&file)?.write_all(password.as_bytes())?;
        if let Some(account) = &self.account {
            chown(&file, Some(account.uid), Some(account.gid))?;
        }
        let half_made = self.home.join("data.new");
        let _ = fs::remove_dir_all(&half_made);
        let mut command = self.command("initdb");
        command.arg("--pgdata").arg(&half_made).args(["--username", NAME, "--pwfile"]).arg(&file);
        command.args(["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions", "--no-sync"]);
        succeed("initdb", command.output())?;
        fs::rename(&half_made, self.data())?;
        Ok(())
    }

    fn start(&self) -> anyhow::Result<()> {
        // Between our looking for a free port and PostgreSQL's taking it another process may take it: try again then.
        let mut tries = 0;
        loop {
            tries += 1;
            let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
            let mut options = format!("-c port={port}");
            for setting in SETTINGS {
                options.push_str(" -c ");
                options.push_str(setting);
            }
            let mut command = self.command("pg_ctl");
            command.arg("start").arg("--pgdata").arg(self.data()).arg("--log").arg(self.home.join("log"));
            command.args(["--wait", "--timeout=60", "--silent", "--options"]).arg(options);
            match succeed("pg_ctl start", command.output()) {
                Ok(()) => return Ok(()),
                Err(_) if tries < 3 => {}
                Err(e) => return Err(e.context(format!("the reason stands in {}", self.home.join("log").display()))),
            }
        }
    }

    fn stop(&self) -> anyhow::Result<()> {
        if !self.running() {
            return Ok(());
        }
        let mut command = self.command("pg_ctl");
        command.arg("stop").arg("--pgdata").arg(self.data()).args(["--mode=fast", "--wait", "--timeout=30", "--silent"]);
        succeed("pg_ctl stop", command.output())
    }

    fn crash_and_recover(&self) -> anyhow::Result<()> {
        // It remembers the options, and with them the port, with which it was started.
        let mut command = self.command("pg_ctl");
        command.arg("restart").arg("--pgdata").arg(self.data()).arg("--log").arg(self.home.join("log"));
        command.args(["--mode=immediate", "--wait", "--timeout=60", "--silent"]);
        succeed("pg_ctl restart", command.output())
    }

    fn running(&self) -> bool {
        let mut command = self.command("pg_ctl");
        command.arg("status").arg("--pgdata").arg(self.data()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }

    /// The fourth line of the file that PostgreSQL keeps while it runs.
    fn port(&self) -> anyhow::Result<u16> {
        let file = self.data().join("postmaster.pid");
        let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        let line = text.lines().nth(3).with_context(|| format!("{} names no port", file.display()))?;
        line.trim().parse().with_context(|| format!("the port in {}", file.display()))
    }

    fn password(&self) -> anyhow::Result<String> {
        let file = self.home.join("password");
        fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))
    }
}

fn succeed(what: &str, output: std::io::Result<Output>) -> anyhow::Result<()> {
    let output = output.with_context(|| format!("running {what}"))?;
    if !output.status.success() {
        bail!("{what} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

/// The user who owns `path`, if it is there.
fn owner_of(path: &Path) -> Option<(u32, u32)> {
    fs::metadata(path).ok().map(|m| (m.uid(), m.gid()))
}
