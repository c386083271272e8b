//! What the kernel knows of processes: CPU time and memory (proc(5)).

use anyhow::Context;
use std::{fs, path::Path, time::Duration};

/// The kernel counts CPU time in hundredths of a second on every Linux that we run on.
const TICK: Duration = Duration::from_millis(10);

/// CPU of one program and of PostgreSQL.
pub struct Meter {
    pub program: u32,
    pub postmaster: u32,
}

/// CPU time so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Used {
    pub program: Duration,
    pub postgres: Duration,
}

impl std::ops::Sub for Used {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self { program: self.program.saturating_sub(before.program), postgres: self.postgres.saturating_sub(before.postgres) }
    }
}

impl Meter {
    pub fn read(&self) -> anyhow::Result<Used> {
        let program = stat(self.program)?.own;
        let mut postgres = Duration::ZERO;
        for entry in fs::read_dir("/proc")?.flatten() {
            let Some(id) = entry.file_name().to_str().and_then(|n| n.parse::<u32>().ok()) else { continue };
            // A process may end while we look.
            let Ok(stat) = stat(id) else { continue };
            if id == self.postmaster {
                postgres += stat.own + stat.of_ended_children;
            } else if stat.parent == self.postmaster {
                postgres += stat.own;
            }
        }
        Ok(Used { program, postgres })
    }
}

struct Stat {
    parent: u32,
    own: Duration,
    of_ended_children: Duration,
}

fn stat(process: u32) -> anyhow::Result<Stat> {
    let text = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name, in brackets, may hold anything.
    let (_, rest) = text.rsplit_once(')').context("no name")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |at: usize| fields.get(at).and_then(|f| f.parse::<u32>().ok()).context("a field is missing");
    Ok(Stat {
        parent: number(1)?,
        own: TICK * (number(11)? + number(12)?),
        of_ended_children: TICK * (number(13)? + number(14)?),
    })
}

/// The most memory that a process ever had, in KiB.
pub fn peak_memory(process: u32) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}

/// The first process of the PostgreSQL of this folder.
pub fn postmaster(folder: &Path) -> anyhow::Result<u32> {
    let file = folder.join("data/postmaster.pid");
    let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    Ok(text.lines().next().context("an empty file")?.trim().parse()?)
}
