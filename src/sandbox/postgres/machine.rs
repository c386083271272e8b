//! What the embedded PostgreSQL needs to know of the machine: where server programs are, and which user may run them.

use super::owner_of;
use anyhow::{Context, bail};
use sha2::{Digest, Sha256};
use std::{
    env, fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The oldest server that our migrations run on.
const OLDEST: u32 = 15;

/// A user that PostgreSQL runs as when we are root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
}

impl Account {
    /// Whether this user may walk to `dir` and write there; asked of the kernel rather than guessed from modes.
    pub(super) fn reaches(&self, dir: &Path) -> bool {
        self.may("test -w \"$0\" && cd \"$0\"", dir)
    }

    fn may_run(&self, program: &Path) -> bool {
        self.may("test -x \"$0\"", program)
    }

    fn may(&self, script: &str, path: &Path) -> bool {
        let mut shell = as_account(Some(self), Path::new("/bin/sh"));
        shell.arg("-c").arg(script).arg(path).current_dir("/").stderr(Stdio::null());
        shell.status().is_ok_and(|status| status.success())
    }
}

/// A command run as `account`, or as ourselves.
pub(super) fn as_account(account: Option<&Account>, program: impl AsRef<Path>) -> Command {
    let mut command = Command::new(program.as_ref());
    if let Some(account) = account {
        command.uid(account.uid).gid(account.gid);
    }
    command
}

/// As whom the server of `dir` runs: ourselves (`None`), unless we are root.
pub(super) fn account_for(dir: &Path) -> anyhow::Result<Option<Account>> {
    let id = Command::new("id").arg("-u").output().context("asking `id` who we are")?;
    if id.stdout.trim_ascii() != b"0" {
        return Ok(None);
    }
    if let Some((uid, gid)) = owner_of(&dir.join("data"))
        && uid != 0
    {
        return Ok(Some(Account { name: format!("#{uid}"), uid, gid }));
    }
    let users = fs::read_to_string("/etc/passwd").context("reading /etc/passwd")?;
    match ["postgres", "nobody"].iter().find_map(|name| account_named(&users, name)) {
        Some(account) => Ok(Some(account)),
        None => bail!(
            "PostgreSQL refuses to run as root, and there is no user postgres or nobody: run Souk as another user, or set DATABASE_URL."
        ),
    }
}

fn account_named(passwd: &str, name: &str) -> Option<Account> {
    let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    let uid = fields.next()?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some(Account { name: name.to_owned(), uid, gid })
}

/// A name for the data of `dir` outside of it: readable, and different for every folder.
pub(super) fn folder_name_for(dir: &Path) -> String {
    let digest = Sha256::digest(dir.as_os_str().as_encoded_bytes());
    format!("postgres-{}", hex::encode(&digest[..8]))
}

/// A folder with PostgreSQL's server programs.
#[derive(Debug, Clone)]
pub(super) struct Binaries {
    dir: PathBuf,
}

impl Binaries {
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// `None` when there is no server here, or none that answers.
    fn major(&self) -> Option<u32> {
        let complete = ["postgres", "initdb", "pg_ctl"].iter().all(|name| self.program(name).is_file());
        if !complete {
            return None;
        }
        let output = Command::new(self.program("postgres")).arg("--version").output().ok()?;
        major_version(&String::from_utf8_lossy(&output.stdout))
    }
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0)` is 15.
fn major_version(line: &str) -> Option<u32> {
    let version = line.split_whitespace().nth(2)?;
    let digits = version.find(|c: char| !c.is_ascii_digit()).map_or(version, |end| &version[..end]);
    digits.parse().ok()
}

/// The server programs to use: those on the PATH, else the newest of Debian's, else what `scripts/postgres.sh` put
/// there; and where data exists already, the ones of the version that made it.
pub(super) fn find_binaries(made_by: Option<u32>, account: Option<&Account>) -> anyhow::Result<Binaries> {
    let mut seen = Vec::new();
    for dir in candidate_dirs() {
        let binaries = Binaries { dir };
        let Some(major) = binaries.major() else { continue };
        let usable = account.is_none_or(|account| account.may_run(&binaries.program("postgres")));
        if usable && major >= OLDEST && made_by.is_none_or(|made_by| made_by == major) {
            return Ok(binaries);
        }
        seen.push(major.to_string());
    }
    match made_by {
        Some(made_by) if !seen.is_empty() => bail!(
            "The data in .souk was made by PostgreSQL {made_by}, but only {} is here: install PostgreSQL {made_by}, or remove .souk to begin anew.",
            seen.join(", ")
        ),
        _ => bail!(
            "No usable PostgreSQL server ({OLDEST} or newer) is here: run scripts/postgres.sh to install one, or set DATABASE_URL."
        ),
    }
}

fn candidate_dirs() -> Vec<PathBuf> {
    let mut dirs: Vec<PathBuf> = env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default();
    let mut packaged: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    packaged.sort_by(|a, b| b.cmp(a));
    dirs.extend(packaged.into_iter().map(|(_, dir)| dir));
    dirs.push("/usr/local/lib/souk/postgres/bin".into());
    let cache =
        env::var_os("SOUK_CACHE").map(PathBuf::from).or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache/souk")));
    dirs.extend(cache.map(|cache| cache.join("postgres/bin")));
    dirs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_the_server_says() {
        assert_eq!(major_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some(15));
        assert_eq!(major_version("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major_version("nonsense"), None);
    }

    #[test]
    fn accounts_are_read_from_passwd() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin\n";
        assert_eq!(account_named(passwd, "nobody"), Some(Account { name: "nobody".to_owned(), uid: 65534, gid: 65533 }));
        assert_eq!(account_named(passwd, "postgres"), None);
    }

    #[test]
    fn every_folder_has_a_name_of_its_own() {
        assert_ne!(folder_name_for(Path::new("/root/a/.souk")), folder_name_for(Path::new("/root/b/.souk")));
        assert_eq!(folder_name_for(Path::new("/a")).len(), "postgres-".len() + 16);
    }
}
