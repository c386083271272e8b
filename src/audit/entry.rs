//! One entry as a text that is the same everywhere, and its hash.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

/// A hash of the chain.
pub(super) type Hash = [u8; 32];

/// What stands before the first entry.
pub(super) const BEGINNING: Hash = [0; 32];

/// A row of `audit_log`.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub id: i64,
    pub at: OffsetDateTime,
    pub actor_id: Option<Uuid>,
    pub action: String,
    pub subject_kind: String,
    pub subject_id: String,
    pub detail: Value,
}

impl Entry {
    /// A JSON array of all columns: times in microseconds since 1970, keys of objects sorted, no white space.
    fn canonical(&self) -> String {
        let micros = i64::try_from(self.at.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX);
        let columns =
            json!([self.id, micros, self.actor_id, self.action, self.subject_kind, self.subject_id, sorted(&self.detail)]);
        columns.to_string()
    }

    /// SHA-256 over the hash before it and its own text.
    pub fn hash(&self, previous: &Hash) -> Hash {
        let mut hash = Sha256::new();
        hash.update(previous);
        hash.update(self.canonical());
        hash.finalize().into()
    }
}

/// The same value with the keys of every object in order, whatever order this program's maps keep.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut keys: Vec<_> = fields.keys().collect();
            keys.sort();
            keys.into_iter().map(|key| (key.clone(), sorted(&fields[key]))).collect::<serde_json::Map<_, _>>().into()
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        plain => plain.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            id: 7,
            at: time::macros::datetime!(2026-11-26 12:00:00.000001 UTC),
            actor_id: None,
            action: "refund.booked".into(),
            subject_kind: "refund".into(),
            subject_id: "x".into(),
            detail: json!({ "b": 1, "a": { "d": [1, "ü"], "c": null } }),
        }
    }

    #[test]
    fn the_text_is_fixed_for_good() {
        assert_eq!(
            entry().canonical(),
            r#"[7,1795694400000001,null,"refund.booked","refund","x",{"a":{"c":null,"d":[1,"ü"]},"b":1}]"#
        );
        // What was chained years ago must be found the same: this hash never changes.
        assert_eq!(hex::encode(entry().hash(&BEGINNING)), "770b9412f19b33ba6fd2f3c892ea3cef4dcd57161992cabaae4a822fd1ba9e89");
    }

    #[test]
    fn every_column_counts() {
        let hash = entry().hash(&BEGINNING);
        let changes: [fn(&mut Entry); 7] = [
            |e| e.id += 1,
            |e| e.at += time::Duration::microseconds(1),
            |e| e.actor_id = Some(Uuid::nil()),
            |e| e.action.push('x'),
            |e| e.subject_kind.push('x'),
            |e| e.subject_id.push('y'),
            |e| e.detail["b"] = json!(2),
        ];
        for change in changes {
            let mut changed = entry();
            change(&mut changed);
            assert_ne!(changed.hash(&BEGINNING), hash);
        }
        assert_ne!(entry().hash(&hash), hash);
    }
}
