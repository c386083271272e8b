//! Going through the log, hash by hash.

use super::entry::{BEGINNING, Entry, Hash};
use futures::TryStreamExt;
use serde_json::Value;
use sqlx::PgConnection;
use std::fmt;
use time::OffsetDateTime;
use uuid::Uuid;

/// What is wrong with the log, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// The entry is not what was chained.
    Changed { entry: i64 },
    /// The entry was written and is gone.
    Missing { entry: i64 },
    /// The entry is neither in the chain nor waits for it: the program did not write it.
    Inserted { entry: i64 },
    /// The chain lacks its places up to this one.
    Gap { before: i64 },
    /// The chain's row at this place does not follow from the one before it.
    Broken { position: i64 },
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { entry } => write!(f, "entry {entry} was changed after it was written"),
            Self::Missing { entry } => write!(f, "entry {entry} was taken out"),
            Self::Inserted { entry } => {
                write!(f, "entry {entry} was slipped in: it has no place in the chain and waits for none")
            }
            Self::Gap { before } => write!(f, "the chain has a gap before position {before}"),
            Self::Broken { position } => write!(f, "the chain does not go on at position {position}: it was written anew"),
        }
    }
}

/// How the log stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub flaws: Vec<Flaw>,
    /// Entries in the chain, and those that wait for their place.
    pub chained: i64,
    pub waiting: i64,
    /// The last hash, in hexadecimal; empty before the first.
    pub head: String,
    /// Whether the hash that was asked for is one of the chain's; `true` where none was.
    pub known_head: bool,
}

struct Row {
    position: i64,
    entry_id: i64,
    previous: Vec<u8>,
    hash: Vec<u8>,
    at: Option<OffsetDateTime>,
    actor_id: Option<Uuid>,
    action: Option<String>,
    subject_kind: Option<String>,
    subject_id: Option<String>,
    detail: Option<Value>,
}

impl Row {
    fn entry(&mut self) -> Option<Entry> {
        Some(Entry {
            id: self.entry_id,
            at: self.at?,
            actor_id: self.actor_id,
            action: self.action.take()?,
            subject_kind: self.subject_kind.take()?,
            subject_id: self.subject_id.take()?,
            detail: self.detail.take()?,
        })
    }
}

/// Goes through the whole log, in the caller's transaction; give it a snapshot (repeatable read). `noted` is a hash that somebody
/// wrote down earlier: a chain that was written anew from somewhere before it no longer has it.
///
/// # Errors
/// When the database does not answer.
pub async fn verify(tx: &mut PgConnection, noted: Option<&str>) -> sqlx::Result<Verdict> {
    let mut verdict = Verdict { flaws: Vec::new(), chained: 0, waiting: 0, head: String::new(), known_head: noted.is_none() };
    let noted = noted.and_then(|hash| hex::decode(hash.trim()).ok());
    let (mut place, mut head) = (0, BEGINNING.to_vec());
    {
        let mut rows = sqlx::query_as!(
            Row,
            r#"select c.position, c.entry_id, c.previous, c.hash, a.at as "at?", a.actor_id as "actor_id?", a.action as "action?",
                      a.subject_kind as "subject_kind?", a.subject_id as "subject_id?", a.detail as "detail?"
               from audit_chain c left join audit_log a on a.id = c.entry_id order by c.position"#
        )
        .fetch(&mut *tx);
        while let Some(mut row) = rows.try_next().await? {
            if row.position != place + 1 {
                verdict.flaws.push(Flaw::Gap { before: row.position });
            } else if row.previous != head {
                verdict.flaws.push(Flaw::Broken { position: row.position });
            }
            match (row.entry(), Hash::try_from(row.previous.as_slice())) {
                (None, _) => verdict.flaws.push(Flaw::Missing { entry: row.entry_id }),
                (Some(entry), Ok(previous)) if entry.hash(&previous).as_slice() == row.hash.as_slice() => {}
                (Some(entry), _) => verdict.flaws.push(Flaw::Changed { entry: entry.id }),
            }
            verdict.known_head |= noted.as_ref() == Some(&row.hash);
            verdict.chained += 1;
            (place, head) = (row.position, row.hash);
        }
    }
    let strays = sqlx::query_scalar!(
        r#"select a.id from audit_log a
           where not exists (select 1 from audit_chain c where c.entry_id = a.id)
             and not exists (select 1 from audit_waiting w where w.entry_id = a.id) order by a.id"#
    )
    .fetch_all(&mut *tx)
    .await?;
    verdict.flaws.extend(strays.into_iter().map(|entry| Flaw::Inserted { entry }));
    let waiting = sqlx::query!(
        r#"select w.entry_id, a.id is not null as "there!" from audit_waiting w left join audit_log a on a.id = w.entry_id order by 1"#
    )
    .fetch_all(&mut *tx)
    .await?;
    verdict.waiting = waiting.len() as i64;
    verdict.flaws.extend(waiting.iter().filter(|w| !w.there).map(|w| Flaw::Missing { entry: w.entry_id }));
    if place > 0 {
        verdict.head = hex::encode(head);
    }
    Ok(verdict)
}
