//! Ids in Stripe's own shapes, and the current time in Stripe's own unit.

use rand::RngExt;
use rand::distr::Alphanumeric;
use time::OffsetDateTime;

use super::clock;

fn letters(count: usize) -> String {
    rand::rng().sample_iter(Alphanumeric).take(count).map(char::from).collect()
}

/// `pi_3…`, `ch_3…`, `evt_1…`: prefix and 24 letters, the first of which tells the generation.
pub fn object(prefix: &str) -> String {
    let generation = if matches!(prefix, "pi" | "ch" | "re" | "txn" | "py") { '3' } else { '1' };
    format!("{prefix}_{generation}{}", letters(23))
}

/// `cs_test_a1…`, 58 letters after the prefix.
pub fn session() -> String {
    format!("cs_test_a1{}", letters(56))
}

/// `prod_…`, 14 letters.
pub fn product() -> String {
    format!("prod_{}", letters(14))
}

/// `acct_1…`, 16 letters.
pub fn account() -> String {
    format!("acct_1{}", letters(15))
}

/// What makes an address impossible to guess.
pub fn secret() -> String {
    letters(24)
}

/// `req_…`, 14 letters.
pub fn request() -> String {
    format!("req_{}", letters(14))
}

/// The secret a browser would use for this payment intent.
pub fn client_secret(intent: &str) -> String {
    format!("{intent}_secret_{}", letters(25))
}

/// A random key, as Stripe makes for requests that its own pages send.
pub fn fingerprint() -> String {
    letters(16)
}

/// Seconds since 1970, by the sandbox's clock where it is set, else by the machine's.
pub fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp() + clock::ahead()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_stripes_lengths() {
        assert_eq!(object("pi").len(), "pi_1PgafyB7WZ01zgkWSjxsAJo3".len());
        assert_eq!(session().len(), "cs_test_a1YS1URlnyQCN5fUUduORoQ7Pw41PJqDWkIVQCpJPqkfIhd6tVY8XB1OLY".len());
        assert_eq!(product().len(), "prod_QXg1hqf4jFNsqG".len());
        assert!(client_secret("pi_x").starts_with("pi_x_secret_"));
    }
}
