use super::*;
use proptest::prelude::*;
use time::{
    Weekday,
    macros::{date, datetime},
};

#[test]
fn days_of_payment_come_round() {
    let thursday = date!(2026 - 11 - 26);
    assert_eq!(Schedule::Daily.on_or_after(thursday), thursday);
    assert_eq!(Schedule::Daily.after(thursday), date!(2026 - 11 - 27));
    assert_eq!(Schedule::Weekly(Weekday::Monday).on_or_after(thursday), date!(2026 - 11 - 30));
    assert_eq!(Schedule::Weekly(Weekday::Thursday).on_or_after(thursday), thursday);
    assert_eq!(Schedule::Weekly(Weekday::Thursday).after(thursday), date!(2026 - 12 - 03));
    assert_eq!(Schedule::Monthly(1).on_or_after(thursday), date!(2026 - 12 - 01));
    assert_eq!(Schedule::Monthly(31).on_or_after(thursday), date!(2026 - 11 - 30));
    assert_eq!(Schedule::Monthly(31).after(date!(2027 - 01 - 31)), date!(2027 - 02 - 28));
    assert_eq!(Schedule::Monthly(29).after(date!(2028 - 02 - 28)), date!(2028 - 02 - 29));
}

#[test]
fn a_schedule_survives_text_and_database() {
    for text in ["daily", "weekly-monday", "weekly-Sunday", "monthly-1", "monthly-31"] {
        let schedule: Schedule = text.parse().unwrap();
        let (name, weekday, month_day) = schedule.parts();
        assert_eq!(Schedule::from_parts(name, weekday, month_day), Some(schedule), "{text}");
    }
    for bad in ["", "weekly", "weekly-moonday", "monthly-0", "monthly-32", "daily-1", "yearly-1"] {
        assert_eq!(bad.parse::<Schedule>(), Err(BadSchedule), "{bad}");
    }
}

fn standing() -> Standing {
    Standing {
        settings: Settings { schedule: Schedule::Daily, minimum_minor: 1000, holding_days: 7 },
        open: true,
        account: AccountState::Ready,
        on_the_way: false,
        stopped: false,
        first_sale: Some(datetime!(2026-11-01 12:00 UTC)),
        next_payout_on: date!(2026 - 11 - 26),
        balances: Balances { payable: 5000, connected: 5000, ..Balances::default() },
        at_stripe: Some(5000),
    }
}

#[test]
fn a_vendor_is_paid_what_is_there_or_told_why_not() {
    let now = datetime!(2026-11-26 09:00 UTC);
    let ask = |change: &dyn Fn(&mut Standing)| {
        let mut it = standing();
        change(&mut it);
        decide(&it, Turn::Scheduled, now)
    };
    assert_eq!(ask(&|_| {}), Ok(5000));
    assert_eq!(ask(&|s| s.at_stripe = Some(3000)), Ok(3000));
    assert_eq!(ask(&|s| s.at_stripe = Some(999)), Err(Wait::NotAvailable(999)));
    assert_eq!(ask(&|s| s.balances.payable = 3000), Ok(3000), "what is about to be taken back is not paid");
    assert_eq!(ask(&|s| s.balances = Balances { payable: -400, ..Balances::default() }), Err(Wait::Owes(400)));
    assert_eq!(ask(&|s| s.balances = Balances::default()), Err(Wait::Nothing));
    assert_eq!(ask(&|s| s.balances.connected = 900), Err(Wait::BelowMinimum(900, 1000)));
    assert_eq!(ask(&|s| s.account = AccountState::None), Err(Wait::NoAccount));
    assert_eq!(ask(&|s| s.account = AccountState::Unfinished), Err(Wait::Unfinished));
    assert_eq!(ask(&|s| s.on_the_way = true), Err(Wait::OnTheWay));
    assert_eq!(ask(&|s| s.stopped = true), Err(Wait::Stopped));
    assert_eq!(ask(&|s| s.open = false), Err(Wait::Closed));
    let new = datetime!(2026-11-20 23:00 UTC);
    assert_eq!(ask(&|s| s.first_sale = Some(new)), Err(Wait::Holding(date!(2026 - 11 - 27))));
    let mut early = standing();
    early.next_payout_on = date!(2026 - 11 - 30);
    assert_eq!(decide(&early, Turn::Scheduled, now), Err(Wait::NotDue(date!(2026 - 11 - 30))));
    assert_eq!(decide(&early, Turn::Everybody, now), Ok(5000));
}

#[test]
fn what_stripe_wants_is_said_in_words_and_once() {
    let due = ["individual.dob.day", "individual.dob.month", "external_account", "tos_acceptance.ip", "something.new"];
    let words = requirement_words(&due.map(str::to_owned));
    assert_eq!(words.len(), 4, "{words:?}");
    assert_eq!(words[0], "Your date of birth");
    assert!(words[3].contains("something new"));
}

#[test]
fn months_follow_each_other() {
    let november: Period = "2026-11".parse().unwrap();
    assert_eq!((november.next().to_string(), november.next().next().to_string()), ("2026-12".into(), "2027-01".into()));
    assert_eq!("2027-01".parse::<Period>().unwrap().previous(), november.next());
    assert_eq!(november.end(), datetime!(2026-12-01 0:00 UTC));
    assert_eq!(november.words(), "November 2026");
    for bad in ["", "2026", "2026-13", "2026-00", "26-11", "2026-1", "+026-11", "9999-01"] {
        assert_eq!(bad.parse::<Period>(), Err(BadPeriod), "{bad}");
    }
}

/// What can happen to a vendor's money.
#[derive(Debug, Clone, Copy)]
enum Event {
    Sold(i64),
    Released(i64),
    Refunded(i64),
    Disputed(i64),
    Won,
    Lost,
    Paid(i64),
    Arrived,
    Failed,
    Returned,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (1i64..9000).prop_map(Event::Sold),
        (1i64..9000).prop_map(Event::Released),
        (1i64..5000).prop_map(Event::Refunded),
        (1i64..5000).prop_map(Event::Disputed),
        Just(Event::Won),
        Just(Event::Lost),
        (1i64..9000).prop_map(Event::Paid),
        Just(Event::Arrived),
        Just(Event::Failed),
        Just(Event::Returned),
    ]
}

/// A vendor's books, Stripe's side of them, and what its bank has.
#[derive(Debug, Default)]
struct World {
    balances: Balances,
    bank: i64,
    last_arrived: i64,
    earned: i64,
    transferred: i64,
    reversed: i64,
}

impl World {
    fn happens(&mut self, event: Event) {
        let b = &mut self.balances;
        match event {
            Event::Sold(amount) => {
                b.pending += amount;
                self.earned += amount;
            }
            Event::Released(most) => {
                let amount = most.min(b.pending);
                b.pending -= amount;
                b.payable += amount;
            }
            Event::Refunded(amount) => {
                b.payable -= amount;
                self.earned -= amount;
            }
            Event::Disputed(amount) => b.held += amount,
            Event::Won => b.held = 0,
            Event::Lost => {
                b.payable -= b.held;
                self.earned -= b.held;
                b.held = 0;
            }
            Event::Paid(most) if b.in_transit == 0 => {
                let amount = most.min(b.payable_now());
                b.connected -= amount;
                b.in_transit += amount;
            }
            Event::Paid(_) => {}
            Event::Arrived => {
                let amount = std::mem::take(&mut b.in_transit);
                b.payable -= amount;
                self.bank += amount;
                self.last_arrived = amount;
            }
            Event::Failed => b.connected += std::mem::take(&mut b.in_transit),
            Event::Returned => {
                let amount = std::mem::take(&mut self.last_arrived);
                b.connected += amount;
                b.payable += amount;
                self.bank -= amount;
            }
        }
    }

    fn settle(&mut self) {
        match level(&self.balances, 0) {
            Some(Move::Transfer(amount)) => {
                self.balances.connected += amount;
                self.transferred += amount;
            }
            Some(Move::Reverse(amount)) => {
                self.balances.connected -= amount;
                self.reversed += amount;
            }
            None => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn whatever_happens_a_settled_vendor_has_its_due_at_stripe(events in prop::collection::vec((event(), any::<bool>()), 1..60)) {
        let mut world = World::default();
        for (event, settles) in events {
            world.happens(event);
            if settles {
                world.settle();
                let b = world.balances;
                // What is on its way to the bank cannot be called back.
                prop_assert_eq!(b.connected + b.in_transit, b.available().max(b.in_transit), "{:?}", b);
                prop_assert_eq!(level(&b, 0), None, "levelled once is level");
            }
            let b = world.balances;
            prop_assert!(b.connected >= 0 && b.in_transit >= 0, "{:?}", b);
            // Reversals fit into what was transferred, and nothing came from nowhere.
            prop_assert!(b.connected <= world.transferred - world.reversed);
            prop_assert_eq!(world.transferred - world.reversed, b.connected + b.in_transit + world.bank);
            prop_assert_eq!(b.pending + b.payable + world.bank, world.earned);
        }
    }

    #[test]
    fn a_booked_payout_keeps_its_money(connected in 0i64..9000, payable in -9000i64..9000, booked in 0i64..9000) {
        let booked = booked.min(connected);
        let balances = Balances { payable, connected, ..Balances::default() };
        if let Some(Move::Reverse(back)) = level(&balances, booked) {
            prop_assert!(back > 0 && back <= connected - booked);
        }
    }

    #[test]
    fn a_day_of_payment_is_never_far(day in 0i64..4000, which in 0u8..32) {
        let day = date!(2026 - 01 - 01) + Duration::days(day);
        let schedule = match which { 0 => Schedule::Daily, d @ 1..=31 => Schedule::Monthly(d), _ => unreachable!() };
        let next = schedule.after(day);
        prop_assert!(next > day && (next - day).whole_days() <= 31);
        prop_assert_eq!(schedule.on_or_after(next), next);
    }
}
