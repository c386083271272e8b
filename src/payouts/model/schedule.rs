//! The days of payment, pure.

use std::{fmt, str::FromStr};
use time::{Date, Duration, Weekday, util::days_in_month};

/// On which days a vendor is paid; days are in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    Daily,
    Weekly(Weekday),
    /// 1 to 31; a month that is shorter pays on its last day.
    Monthly(u8),
}

impl Schedule {
    /// As it stands in the database: name, weekday, day of the month.
    pub fn parts(self) -> (&'static str, Option<i32>, Option<i32>) {
        match self {
            Self::Daily => ("daily", None, None),
            Self::Weekly(day) => ("weekly", Some(day.number_from_monday().into()), None),
            Self::Monthly(day) => ("monthly", None, Some(day.into())),
        }
    }

    pub fn from_parts(name: &str, weekday: Option<i32>, month_day: Option<i32>) -> Option<Self> {
        match (name, weekday, month_day) {
            ("daily", ..) => Some(Self::Daily),
            ("weekly", Some(day), _) => {
                let days = u8::try_from(day).ok().filter(|d| (1..=7).contains(d))? - 1;
                Some(Self::Weekly(Weekday::Monday.nth_next(days)))
            }
            ("monthly", _, Some(day)) => u8::try_from(day).ok().filter(|d| (1..=31).contains(d)).map(Self::Monthly),
            _ => None,
        }
    }

    /// The first day of payment at or after this one.
    pub fn on_or_after(self, day: Date) -> Date {
        (0..=62).map(|n| day + Duration::days(n)).find(|d| self.is(*d)).unwrap_or(day)
    }

    /// The first day of payment after this one.
    pub fn after(self, day: Date) -> Date {
        self.on_or_after(day + Duration::DAY)
    }

    fn is(self, day: Date) -> bool {
        match self {
            Self::Daily => true,
            Self::Weekly(weekday) => day.weekday() == weekday,
            Self::Monthly(wanted) => day.day() == wanted.min(days_in_month(day.month(), day.year())),
        }
    }
}

/// `every day`, `every Monday`, `on the 15th of the month`
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Daily => write!(f, "every day"),
            Self::Weekly(day) => write!(f, "every {day}"),
            Self::Monthly(29..) => write!(f, "on the last days of the month"),
            Self::Monthly(day) => write!(f, "on day {day} of the month"),
        }
    }
}

/// The text is none of `daily`, `weekly-monday`, `monthly-15`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a schedule: daily, weekly-monday ... weekly-sunday, monthly-1 ... monthly-31")]
pub struct BadSchedule;

impl FromStr for Schedule {
    type Err = BadSchedule;
    fn from_str(text: &str) -> Result<Self, BadSchedule> {
        match text.split_once('-') {
            None if text == "daily" => Ok(Self::Daily),
            Some(("weekly", day)) => (0..7)
                .map(|n| Weekday::Monday.nth_next(n))
                .find(|w| w.to_string().eq_ignore_ascii_case(day))
                .map(Self::Weekly)
                .ok_or(BadSchedule),
            Some(("monthly", day)) => day.parse().ok().filter(|d| (1..=31).contains(d)).map(Self::Monthly).ok_or(BadSchedule),
            _ => Err(BadSchedule),
        }
    }
}
