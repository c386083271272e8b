//! Figures of days, pure: added, compared with the time before, and laid out as a chart.

use serde::{Deserialize, Serialize};
use std::{iter::Sum, ops::Add};
use time::{Date, Duration};

/// The spans that can be looked at, in days; the second is what a dashboard opens with.
pub const SPANS: [u16; 4] = [7, 30, 90, 365];
pub const SPAN: u16 = SPANS[1];

/// What happened in a time, to one vendor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// Parcels of paid orders.
    pub orders: i64,
    /// Pieces in them.
    pub pieces: i64,
    /// Items and shipping, VAT included, in minor units.
    pub revenue_minor: i64,
    /// Given back, in minor units.
    pub refunds_minor: i64,
    /// Returns that shoppers asked for.
    pub returns: i64,
    /// Of the pages of its products.
    pub views: i64,
}

impl Figures {
    /// Orders for each hundred views, in basis points; `None` where nobody looked, or fewer looked than ordered: what was bought without
    /// its page being opened here says nothing of who opened it.
    pub fn conversion_bp(&self) -> Option<i64> {
        (self.views > 0 && self.orders <= self.views).then(|| self.orders * 10_000 / self.views)
    }
}

impl Add for Figures {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self {
            orders: self.orders + more.orders,
            pieces: self.pieces + more.pieces,
            revenue_minor: self.revenue_minor + more.revenue_minor,
            refunds_minor: self.refunds_minor + more.refunds_minor,
            returns: self.returns + more.returns,
            views: self.views + more.views,
        }
    }
}

impl Sum for Figures {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Add::add)
    }
}

/// A day of which something is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Known {
    /// So many days before today.
    pub ago: i64,
    #[serde(flatten)]
    pub figures: Figures,
}

/// One day of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    pub date: Date,
    pub figures: Figures,
}

/// So many days up to today, each of them, and as many before those together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The oldest first; today is the last. Never empty.
    pub days: Vec<Day>,
    pub before: Figures,
}

impl Span {
    /// Of what is known, in whatever order, the last `length` days up to `today` and those before them.
    pub fn of(known: &[Known], today: Date, length: u16) -> Self {
        let length = i64::from(length.max(1));
        let mut days: Vec<Day> = (0..length)
            .rev()
            .map(|ago| Day { date: today.saturating_sub(Duration::days(ago)), figures: Figures::default() })
            .collect();
        let mut before = Figures::default();
        for one in known {
            let place = usize::try_from(length - 1 - one.ago).ok().and_then(|place| days.get_mut(place));
            match place {
                Some(day) => day.figures = day.figures + one.figures,
                None if (length..2 * length).contains(&one.ago) => before = before + one.figures,
                None => {}
            }
        }
        Self { days, before }
    }

    pub fn total(&self) -> Figures {
        self.days.iter().map(|day| day.figures).sum()
    }

    pub fn today(&self) -> Figures {
        self.days.last().map(|day| day.figures).unwrap_or_default()
    }
}

/// By how many percent `now` is more than `before`, rounded; `None` where there was nothing to compare with.
pub fn change(now: i64, before: i64) -> Option<i64> {
    (before > 0).then(|| ((now - before) as f64 * 100.0 / before as f64).round() as i64)
}

/// The top of a chart: the smallest of 1, 2 and 5 times a power of ten that is not below what it shows.
pub fn ceiling(most: i64) -> i64 {
    let mut step = 1_i64;
    loop {
        for factor in [1, 2, 5] {
            let top = step.saturating_mul(factor);
            if top >= most || top == i64::MAX {
                return top;
            }
        }
        step = step.saturating_mul(10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    fn sold(ago: i64, revenue_minor: i64) -> Known {
        Known { ago, figures: Figures { orders: 1, revenue_minor, ..Figures::default() } }
    }

    #[test]
    fn a_span_has_each_of_its_days_and_those_before_as_one() {
        let span = Span::of(
            &[sold(0, 1), sold(6, 20), sold(7, 300), sold(13, 4000), sold(14, 50_000), sold(-1, 7)],
            date!(2026 - 03 - 03),
            7,
        );
        assert_eq!(span.days.len(), 7);
        assert_eq!(span.days[0].date, date!(2026 - 02 - 25));
        assert_eq!((span.days[0].figures.revenue_minor, span.today().revenue_minor), (20, 1));
        assert_eq!((span.total().revenue_minor, span.total().orders), (21, 2));
        assert_eq!((span.before.revenue_minor, span.before.orders), (4300, 2));
    }

    #[test]
    fn the_same_day_twice_is_added() {
        let span = Span::of(&[sold(3, 5), sold(3, 6)], date!(2026 - 03 - 03), 30);
        assert_eq!(span.days[26].figures.revenue_minor, 11);
    }

    #[test]
    fn a_change_is_of_something() {
        assert_eq!(change(150, 100), Some(50));
        assert_eq!(change(1, 3), Some(-67));
        assert_eq!(change(0, 3), Some(-100));
        assert_eq!(change(5, 0), None);
    }

    #[test]
    fn conversion_is_of_those_who_looked() {
        let figures = |orders, views| Figures { orders, views, ..Figures::default() };
        assert_eq!(figures(3, 200).conversion_bp(), Some(150));
        assert_eq!(figures(0, 1).conversion_bp(), Some(0));
        assert_eq!(figures(3, 0).conversion_bp(), None);
        assert_eq!(figures(3, 2).conversion_bp(), None);
    }

    #[test]
    fn a_chart_ends_at_a_round_figure() {
        for (most, top) in [(0, 1), (1, 1), (3, 5), (5, 5), (6, 10), (1_234, 2_000), (20_001, 50_000)] {
            assert_eq!(ceiling(most), top, "{most}");
        }
        assert_eq!(ceiling(i64::MAX), i64::MAX);
    }
}
