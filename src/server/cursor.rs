//! Cursors of keyset paging: opaque, signed, and good for the one list that they came from.

use crate::error::AppError;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Serialize, de::DeserializeOwned};
use sha2::Sha256;

const TAG: usize = 16;

/// Writes where the next page begins. `list` names the list with its filters and its sort: a cursor opens no other one.
pub fn seal<T: Serialize>(secret: &str, list: &str, position: &T) -> Result<String, AppError> {
    let body = serde_json::to_vec(position).map_err(super::errors::internal)?;
    let mut bytes = mac(secret, list, &body)?.finalize().into_bytes()[..TAG].to_vec();
    bytes.extend(body);
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Reads a cursor of the same list, or answers that the request is malformed.
pub fn open<T: DeserializeOwned>(secret: &str, list: &str, cursor: &str) -> Result<T, AppError> {
    let bad = || AppError::BadRequest("This link into a list is not valid (any more). Please start from its first page.".into());
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| bad())?;
    let (tag, body) = bytes.split_at_checked(TAG).ok_or_else(bad)?;
    mac(secret, list, body)?.verify_truncated_left(tag).map_err(|_| bad())?;
    serde_json::from_slice(body).map_err(|_| bad())
}

fn mac(secret: &str, list: &str, body: &[u8]) -> Result<Hmac<Sha256>, AppError> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_bytes()).map_err(super::errors::internal)?;
    // The length keeps ("ab", "c") apart from ("a", "bc").
    mac.update(&(list.len() as u64).to_be_bytes());
    mac.update(list.as_bytes());
    mac.update(body);
    Ok(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_opens_its_own_list_and_no_other() {
        let cursor = seal("secret", "goods newest", &(12i64, "x")).unwrap();
        assert_eq!(open::<(i64, String)>("secret", "goods newest", &cursor), Ok((12, "x".into())));
        assert!(open::<(i64, String)>("secret", "goods price", &cursor).is_err());
        assert!(open::<(i64, String)>("another", "goods newest", &cursor).is_err());
        assert!(open::<(i64, String)>("secret", "goods newest", "").is_err());
        assert!(open::<(i64, String)>("secret", "goods newest", "!!").is_err());
        let mut forged = cursor.into_bytes();
        let last = forged.len() - 1;
        forged[last] = if forged[last] == b'A' { b'B' } else { b'A' };
        assert!(open::<(i64, String)>("secret", "goods newest", &String::from_utf8(forged).unwrap()).is_err());
    }
}
