//! Chance that repeats: the same number always throws the same.

use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

/// SplitMix64. Not for secrets; small, and the same in every version of every library.
pub struct Dice(u64);

impl Dice {
    /// One stream per purpose, so that more of one thing does not change every other.
    pub fn new(seed: u64, purpose: &str) -> Self {
        let digest = Sha256::digest([seed.to_le_bytes().as_slice(), purpose.as_bytes()].concat());
        Self(digest.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 to `n` - 1; 0 where `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        if n == 0 { 0 } else { (self.next() % n as u64) as usize }
    }

    /// `least` to `most`, both possible.
    pub fn between(&mut self, least: i64, most: i64) -> i64 {
        least + (self.next() % (most - least).max(0).unsigned_abs().saturating_add(1)) as i64
    }

    /// True in so many of a hundred throws.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of them; `None` of none.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.below(of.len()))
    }

    /// A version 7 id of that moment, so that sorting by id is sorting by time, as with ids of real life.
    pub fn id(&mut self, at: OffsetDateTime) -> Uuid {
        let mut random = [0; 10];
        random[..8].copy_from_slice(&self.next().to_le_bytes());
        random[8..].copy_from_slice(&self.next().to_le_bytes()[..2]);
        let millis = u64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_number_throws_the_same() {
        let throws = |seed, purpose| {
            let mut dice = Dice::new(seed, purpose);
            (0..50).map(|_| dice.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(throws(7, "orders"), throws(7, "orders"));
        assert_ne!(throws(7, "orders"), throws(8, "orders"));
        assert_ne!(throws(7, "orders"), throws(7, "people"));
    }

    #[test]
    fn ids_sort_by_time() {
        let mut dice = Dice::new(1, "ids");
        let now = OffsetDateTime::UNIX_EPOCH + time::Duration::days(20_000);
        assert!(dice.id(now) < dice.id(now + time::Duration::seconds(1)));
    }
}
