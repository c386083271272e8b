//! Opaque 256-bit tokens: what a cookie or a mailed link holds, and the hash that the database keeps of it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};

/// A secret from the system's random source. Debug prints nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token([u8; 32]);

impl Token {
    pub fn random() -> Self {
        Self(rand::random())
    }

    /// A token derived elsewhere, for example by HMAC; the bytes must be as hard to guess as random ones.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// SHA-256; the token has full entropy, so no salt or stretching is needed.
    pub fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.0).to_vec()
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// The text is no token of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a token")]
pub struct BadToken;

impl FromStr for Token {
    type Err = BadToken;
    fn from_str(text: &str) -> Result<Self, BadToken> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| BadToken)?;
        bytes.try_into().map(Self).map_err(|_| BadToken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_its_text_and_hides_in_debug() {
        let token = Token::random();
        assert_eq!(token.to_string().parse(), Ok(token.clone()));
        assert_eq!(token.hash().len(), 32);
        assert!(!format!("{token:?}").contains(&token.to_string()));
        assert_eq!("short".parse::<Token>(), Err(BadToken));
    }
}
