//! What goes by post: how an address is written on a parcel, and how long parcels take.

use std::fmt;
use time::{Date, Duration, Weekday};

/// The lines of an address in the order of its country (Universal Postal Union, addressing by country): in most of Europe
/// the postcode stands before the town, in the United Kingdom and in Ireland on a line of its own below it. Empty parts
/// are left out.
///
/// `country` is ISO 3166-1 alpha-2, `country_name` is what is written.
pub fn address_lines(
    name: &str,
    street: [&str; 2],
    town: &str,
    postal_code: &str,
    country: &str,
    country_name: &str,
) -> Vec<String> {
    let [line1, line2] = street;
    let place = match country {
        "GB" | "IE" => [town.to_owned(), postal_code.to_owned()],
        _ => [format!("{postal_code} {town}").trim().to_owned(), String::new()],
    };
    [name.to_owned(), line1.to_owned(), line2.to_owned()]
        .into_iter()
        .chain(place)
        .chain([country_name.to_owned()])
        .filter(|line| !line.trim().is_empty())
        .collect()
}

/// How long a parcel takes, in working days, Monday to Friday, from the day on which it is ordered or sent. Bank holidays
/// are not counted as free: they differ by country, and the range has room for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    least: i32,
    most: i32,
}

/// Why two numbers of days are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadDays {
    #[error("Write a whole number of days, from 0 to 60.")]
    Least,
    #[error("Write a whole number of days, up to 90 and not less than the shortest.")]
    Most,
}

impl Days {
    /// As the database holds them, which checks them as [`Days::parse`] does.
    pub fn new(least: i32, most: i32) -> Self {
        Self { least, most }
    }

    /// From 0 to 60 at best, to 90 at worst.
    pub fn parse(least: &str, most: &str) -> Result<Self, BadDays> {
        let number = |text: &str| text.trim().parse::<i32>().ok();
        let least = number(least).filter(|n| (0..=60).contains(n)).ok_or(BadDays::Least)?;
        let most = number(most).filter(|n| (least..=90).contains(n)).ok_or(BadDays::Most)?;
        Ok(Self { least, most })
    }

    pub fn least(self) -> i32 {
        self.least
    }

    pub fn most(self) -> i32 {
        self.most
    }

    /// The last day on which the parcel should have come.
    pub fn latest(self, from: Date) -> Date {
        working_day(from, self.most)
    }

    /// `on 24 November`, `24 to 26 November`, `30 November to 2 December`: when a parcel of this day is expected.
    pub fn expected(self, from: Date) -> String {
        let (first, last) = (working_day(from, self.least), self.latest(from));
        if first == last {
            format!("on {} {}", first.day(), first.month())
        } else if first.month() == last.month() {
            format!("{} to {} {}", first.day(), last.day(), last.month())
        } else {
            format!("{} {} to {} {}", first.day(), first.month(), last.day(), last.month())
        }
    }
}

/// `2 to 4 working days`, `1 working day`, `the same day`: after "in" and "after" alike.
impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.least, self.most) {
            (0, 0) => f.write_str("the same day"),
            (0 | 1, 1) => f.write_str("1 working day"),
            (a, b) if a == b => write!(f, "{a} working days"),
            (a, b) => write!(f, "{a} to {b} working days"),
        }
    }
}

/// The carrier's own page about a parcel, for the carriers that we know by name; `None` for others and without a number.
/// What is not a letter, a digit or a hyphen is dropped from the number: carriers print spaces into it.
pub fn tracking_url(carrier: &str, number: &str) -> Option<String> {
    let page = match carrier.trim().to_lowercase().as_str() {
        "royal mail" => "https://www.royalmail.com/track-your-item#/tracking-results/",
        "parcelforce" => "https://www.parcelforce.com/track-trace?trackNumber=",
        "dpd" => "https://www.dpd.co.uk/apps/tracking/?reference=",
        "evri" => "https://www.evri.com/track/parcel/",
        "dhl" => "https://www.dhl.com/gb-en/home/tracking.html?tracking-id=",
        "ups" => "https://www.ups.com/track?tracknum=",
        "fedex" => "https://www.fedex.com/fedextrack/?trknbr=",
        _ => return None,
    };
    let number: String = number.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    (!number.is_empty()).then(|| format!("{page}{number}"))
}

/// The working day that is `count` working days after `from`. What is ordered on a weekend counts from Monday's start,
/// as if it were ordered on the Sunday before; nothing arrives on a weekend.
fn working_day(from: Date, count: i32) -> Date {
    let free = |day: Date| matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
    let mut day = from;
    let mut left = count;
    while left > 0 || free(day) {
        let Some(next) = day.checked_add(Duration::DAY) else { return day };
        day = next;
        if !free(day) {
            left -= 1;
        }
    }
    day
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn addresses_are_written_as_their_country_does() {
        let of = |country, name| address_lines("Ada Moss", ["1 Mill Lane", ""], "York", "YO1 7HH", country, name);
        assert_eq!(of("GB", "United Kingdom"), ["Ada Moss", "1 Mill Lane", "York", "YO1 7HH", "United Kingdom"]);
        assert_eq!(of("DE", "Germany"), ["Ada Moss", "1 Mill Lane", "YO1 7HH York", "Germany"]);
        let flat = address_lines("", ["1 Mill Lane", "Flat 2"], "Lyon", "", "FR", "France");
        assert_eq!(flat, ["1 Mill Lane", "Flat 2", "Lyon", "France"]);
    }

    #[test]
    fn known_carriers_tell_where_a_parcel_is() {
        let royal = tracking_url("Royal Mail", "RM 123 456 789 GB");
        assert_eq!(royal.as_deref(), Some("https://www.royalmail.com/track-your-item#/tracking-results/RM123456789GB"));
        assert_eq!(tracking_url("UPS", "1Z&x=\"<").as_deref(), Some("https://www.ups.com/track?tracknum=1Zx"));
        assert_eq!(tracking_url("By bicycle", "7"), None);
        assert_eq!(tracking_url("DHL", " "), None);
    }

    #[test]
    fn days_are_in_order_and_in_reach() {
        assert_eq!(Days::parse("2", " 4 "), Ok(Days { least: 2, most: 4 }));
        assert_eq!(Days::parse("0", "0"), Ok(Days { least: 0, most: 0 }));
        for (least, most, bad) in [
            ("4", "2", BadDays::Most),
            ("-1", "2", BadDays::Least),
            ("61", "62", BadDays::Least),
            ("1", "91", BadDays::Most),
            ("", "1", BadDays::Least),
            ("1", "soon", BadDays::Most),
        ] {
            assert_eq!(Days::parse(least, most), Err(bad));
        }
    }

    #[test]
    fn parcels_are_expected_on_working_days() {
        // 20 November 2026 is a Friday.
        assert_eq!(Days::new(2, 4).expected(date!(2026 - 11 - 23)), "25 to 27 November");
        assert_eq!(Days::new(1, 1).expected(date!(2026 - 11 - 20)), "on 23 November");
        assert_eq!(Days::new(1, 3).expected(date!(2026 - 11 - 21)), "23 to 25 November");
        assert_eq!(Days::new(0, 0).expected(date!(2026 - 11 - 22)), "on 23 November");
        assert_eq!(Days::new(0, 0).expected(date!(2026 - 11 - 24)), "on 24 November");
        assert_eq!(Days::new(2, 5).expected(date!(2026 - 11 - 26)), "30 November to 3 December");
    }

    #[test]
    fn days_read_as_people_say_them() {
        let said = |least, most| Days::new(least, most).to_string();
        assert_eq!(said(0, 0), "the same day");
        assert_eq!(said(1, 1), "1 working day");
        assert_eq!(said(0, 1), "1 working day");
        assert_eq!(said(3, 3), "3 working days");
        assert_eq!(said(2, 4), "2 to 4 working days");
    }
}
