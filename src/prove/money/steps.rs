//! What a history is: a short row of steps over one or two orders, thrown from a number. Steps name things by place; what is there when
//! their turn comes is the walk's business, so that any row of steps makes sense, or is refused.

use super::buy::{Basket, Pays};
use crate::demo::Dice;

/// Who gives something back, or says that something arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Vendor,
    Operator,
    Shopper,
}

/// What of a parcel goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    Piece,
    HalfTheShipping,
    Everything,
}

/// What is done once more, although it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    Settling,
    Levelling,
    RefundJob,
    PayoutJob,
    ReadingTheDispute,
    ReadingThePayment,
    AnEvent,
}

/// One thing that happens. Numbers are places, counted round among what there is; `twice`: two at the same moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Buy(Basket),
    Cancel {
        order: usize,
    },
    Ship {
        parcel: usize,
        whole: bool,
    },
    Arrives {
        parcel: usize,
        by: Side,
        twice: bool,
    },
    /// Long enough that what was sent is released.
    DaysPass,
    GiveBack {
        parcel: usize,
        what: Share,
        by: Side,
        twice: bool,
    },
    /// A refund in Stripe's dashboard.
    Dashboard {
        order: usize,
        percent: usize,
    },
    /// A bank takes a refund, or sends it back, also one that had succeeded.
    RefundEnds {
        refund: usize,
        fails: bool,
    },
    Dispute {
        order: usize,
        percent: usize,
    },
    Decide {
        dispute: usize,
        won: bool,
    },
    PayOut {
        twice: bool,
    },
    /// Of a payout that has arrived: the bank sends it back.
    PayoutEnds {
        payout: usize,
        arrives: bool,
    },
    TryAgain {
        seller: usize,
    },
    /// Above zero: in the vendor's favour.
    Correct {
        seller: usize,
        minor: i64,
    },
    /// So many percent of Stripe's events come in.
    Hear {
        percent: usize,
    },
    /// The jobs that are due run.
    Work,
    Again(Repeat),
    Snapshot,
}

/// The fewest and the most steps after the first purchase.
const STEPS: (i64, i64) = (4, 9);

/// The history of this number: always the same for the same numbers. Of `goods` and `coupons` there are so many.
pub fn history(seed: u64, number: usize, goods: usize, coupons: usize) -> Vec<Step> {
    let mut dice = Dice::new(seed, &format!("history {number}"));
    let mut steps = vec![Step::Buy(basket(&mut dice, goods, coupons))];
    if dice.chance(70) {
        // Most of what can happen needs an order that is paid, and parcels that are on their way.
        steps.push(Step::Hear { percent: 100 });
        steps.push(Step::Work);
    }
    if dice.chance(60) {
        steps.extend((0..2).map(|parcel| Step::Ship { parcel, whole: true }));
    }
    for _ in 0..dice.between(STEPS.0, STEPS.1) {
        let step = any(&mut dice, goods, coupons);
        // Money that goes to the bank is there first, and what goes there ends one day.
        let (before, after) = match step {
            Step::PayOut { .. } => (vec![Step::Hear { percent: 100 }, Step::Work], vec![Step::Work]),
            Step::GiveBack { .. } if dice.chance(60) => (vec![], vec![Step::Work]),
            Step::Dispute { .. } if dice.chance(70) => (vec![], vec![Step::Hear { percent: 100 }, Step::Work]),
            _ => (vec![], vec![]),
        };
        steps.extend(before);
        steps.push(step);
        steps.extend(after);
    }
    steps
}

fn basket(dice: &mut Dice, goods: usize, coupons: usize) -> Basket {
    let lines = dice.between(1, 3);
    let goods = (0..lines).map(|_| (dice.below(goods), dice.between(1, 4) as i32)).collect();
    let coupon = dice.chance(45).then(|| dice.below(coupons));
    let pays = match dice.below(20) {
        0 => Pays::TooLate,
        1 | 2 => Pays::SlowRefunds,
        3..=8 => Pays::Unseen,
        _ => Pays::InTime,
    };
    Basket { goods, coupon, sent: dice.chance(60), pays }
}

fn any(dice: &mut Dice, goods: usize, coupons: usize) -> Step {
    let place = dice.below(12);
    let percent = match dice.below(3) {
        0 => 100,
        _ => dice.between(1, 99) as usize,
    };
    let by = match dice.below(3) {
        0 => Side::Operator,
        1 => Side::Shopper,
        _ => Side::Vendor,
    };
    match dice.below(100) {
        0..=5 => Step::Buy(basket(dice, goods, coupons)),
        6..=8 => Step::Cancel { order: place },
        9..=18 => Step::Ship { parcel: place, whole: dice.chance(80) },
        19..=28 => Step::Arrives { parcel: place, by, twice: dice.chance(25) },
        29..=31 => Step::DaysPass,
        32..=46 => {
            let what = match dice.below(5) {
                0 => Share::HalfTheShipping,
                1 | 2 => Share::Everything,
                _ => Share::Piece,
            };
            Step::GiveBack { parcel: place, what, by, twice: dice.chance(25) }
        }
        47..=49 => Step::Dashboard { order: place, percent },
        50..=55 => Step::RefundEnds { refund: place, fails: dice.chance(70) },
        56..=61 => Step::Dispute { order: place, percent },
        62..=67 => Step::Decide { dispute: place, won: dice.chance(50) },
        68..=73 => Step::PayOut { twice: dice.chance(25) },
        74..=79 => Step::PayoutEnds { payout: place, arrives: dice.chance(65) },
        80..=81 => Step::TryAgain { seller: place },
        82..=83 => Step::Correct { seller: place, minor: dice.between(-900, 900) },
        84..=88 => Step::Hear { percent },
        89..=92 => Step::Work,
        93..=97 => Step::Again(match dice.below(7) {
            0 => Repeat::Settling,
            1 => Repeat::Levelling,
            2 => Repeat::RefundJob,
            3 => Repeat::PayoutJob,
            4 => Repeat::ReadingTheDispute,
            5 => Repeat::ReadingThePayment,
            _ => Repeat::AnEvent,
        }),
        _ => Step::Snapshot,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::HashSet, mem::discriminant};

    #[test]
    fn the_same_numbers_make_the_same_history() {
        assert_eq!(history(7, 3, 9, 5), history(7, 3, 9, 5));
        assert_ne!(history(7, 3, 9, 5), history(7, 4, 9, 5));
        assert_ne!(history(7, 3, 9, 5), history(8, 3, 9, 5));
    }

    #[test]
    fn every_kind_of_step_occurs() {
        let all: Vec<Step> = (0..400).flat_map(|n| history(1, n, 9, 5)).collect();
        let kinds: HashSet<_> = all.iter().map(discriminant).collect();
        assert_eq!(kinds.len(), 18);
        let repeats = all.iter().filter_map(|s| if let Step::Again(what) = s { Some(format!("{what:?}")) } else { None });
        assert_eq!(repeats.collect::<HashSet<_>>().len(), 7);
    }
}
