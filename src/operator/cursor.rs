//! Where the next page of a list starts: after the row with this time and id. A page that was reached this way neither
//! skips nor repeats rows when newer ones arrive.

use std::{fmt, str::FromStr};
use time::OffsetDateTime;

/// The last row of a page, in the order of a list that is sorted by time and id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor<T> {
    pub at: OffsetDateTime,
    pub id: T,
}

/// The text is no cursor of this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("That page of the list does not exist.")]
pub struct BadCursor;

impl<T: fmt::Display> fmt::Display for Cursor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Microseconds are what the database keeps.
        write!(f, "{}.{}", self.at.unix_timestamp_nanos() / 1000, self.id)
    }
}

impl<T: FromStr> FromStr for Cursor<T> {
    type Err = BadCursor;
    fn from_str(text: &str) -> Result<Self, BadCursor> {
        let (micros, id) = text.split_once('.').ok_or(BadCursor)?;
        let micros: i64 = micros.parse().map_err(|_| BadCursor)?;
        let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).map_err(|_| BadCursor)?;
        // The database knows no times before 4713 BC; ours begin with the shop.
        if at.year() < 2000 || text.contains('\0') {
            return Err(BadCursor);
        }
        Ok(Self { at, id: id.parse().map_err(|_| BadCursor)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_text_and_nothing_else_passes() {
        let cursor = Cursor { at: time::macros::datetime!(2026-11-21 14:05:09.123456 UTC), id: 42i64 };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for bad in ["", "42", "x.42", "1.x", "1.42", "-99999999999999999.42", "9223372036854775807.42"] {
            assert_eq!(bad.parse::<Cursor<i64>>(), Err(BadCursor), "{bad:?}");
        }
        assert_eq!("1700000000000000.evt_\0".parse::<Cursor<String>>(), Err(BadCursor));
    }
}
