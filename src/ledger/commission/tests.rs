use super::*;
use proptest::prelude::*;
use time::macros::date;
use uuid::Uuid;

const TODAY: Date = date!(2026 - 11 - 26);

fn rule(name: &str, percent_bp: i32) -> Rule {
    Rule {
        id: None,
        name: name.into(),
        vendor_id: None,
        category_id: None,
        product_id: None,
        starts_on: None,
        ends_on: None,
        percent_bp,
        fixed_minor: 0,
        minimum_minor: 0,
        cap_minor: None,
        on_shipping: false,
    }
}

fn vendor(n: u128) -> VendorId {
    Uuid::from_u128(n).into()
}

fn category(n: u128) -> CategoryId {
    Uuid::from_u128(n).into()
}

fn goods(quantity: i32, gross_minor: i64) -> Goods {
    Goods { product: Some(Uuid::from_u128(7).into()), categories: vec![category(1), category(2)], quantity, gross_minor }
}

fn parcel(lines: Vec<Goods>) -> Parcel {
    Parcel { vendor: vendor(1), vat: BasisPoints(2000), shipping_minor: 395, lines }
}

fn of_line(rules: &[Rule], line: Goods) -> (String, i64, i64) {
    let fees = fees(rules, &parcel(vec![line]), TODAY);
    let (rule, fee) = fees.lines[0];
    (rule.map(|r| r.name.clone()).unwrap_or_default(), fee.fee_minor, fee.vat_minor)
}

#[test]
fn the_first_rule_that_matches_decides() {
    let rules = [
        Rule { vendor_id: Some(vendor(2)), ..rule("another's", 100) },
        Rule { category_id: Some(category(3)), ..rule("another category", 200) },
        Rule { product_id: Some(Uuid::from_u128(8).into()), ..rule("another product", 300) },
        Rule { ends_on: Some(date!(2026 - 11 - 25)), ..rule("over", 400) },
        Rule { starts_on: Some(date!(2026 - 11 - 27)), ..rule("not yet", 500) },
        Rule { category_id: Some(category(1)), vendor_id: Some(vendor(1)), ..rule("everything above it", 800) },
        rule("standard", 1000),
    ];
    assert_eq!(of_line(&rules, goods(1, 1000)), ("everything above it".into(), 80, 16));
    let elsewhere = Goods { categories: vec![], ..goods(1, 1000) };
    assert_eq!(of_line(&rules, elsewhere), ("standard".into(), 100, 20));
    assert_eq!(of_line(&rules[..5], goods(1, 1000)), (String::new(), 0, 0), "no rule, no fee");
    let last_day = Rule { ends_on: Some(TODAY), starts_on: Some(TODAY), ..rule("today", 100) };
    assert_eq!(of_line(&[last_day], goods(1, 1000)).0, "today");
}

#[test]
fn fixed_part_minimum_and_cap_are_of_each_piece() {
    let fixed = Rule { fixed_minor: 20, ..rule("fixed", 1000) };
    assert_eq!(of_line(std::slice::from_ref(&fixed), goods(3, 3000)).1, 360);
    let least = Rule { minimum_minor: 150, ..rule("least", 1000) };
    assert_eq!(of_line(&[least], goods(3, 3000)).1, 450);
    let most = Rule { cap_minor: Some(110), ..fixed };
    assert_eq!(of_line(&[most], goods(3, 3000)).1, 330);
}

#[test]
fn halves_are_rounded_up_and_vat_by_the_line() {
    assert_eq!(of_line(&[rule("tenth", 1000)], goods(1, 1005)), ("tenth".into(), 101, 20));
    let parcel = parcel(vec![goods(1, 775), goods(1, 775)]);
    let rules = [rule("tenth", 1000)];
    let fees = fees(&rules, &parcel, TODAY);
    assert_eq!(fees.lines.iter().map(|(_, f)| (f.fee_minor, f.vat_minor)).collect::<Vec<_>>(), [(78, 16), (78, 16)]);
    assert_eq!(fees.total(), Fee { fee_minor: 156, vat_minor: 32 });
}

#[test]
fn a_vendor_never_pays_for_having_sold() {
    let all = Rule { fixed_minor: 500, ..rule("all", 10_000) };
    assert_eq!(of_line(std::slice::from_ref(&all), goods(1, 120)), ("all".into(), 100, 20));
    assert_eq!(of_line(&[all], goods(1, 0)), ("all".into(), 0, 0));
}

#[test]
fn shipping_pays_by_the_shares_of_the_lines_whose_rule_says_so() {
    let with = Rule { product_id: Some(Uuid::from_u128(7).into()), on_shipping: true, ..rule("with", 1000) };
    let rules = [with, rule("without", 2000)];
    let other = Goods { product: None, ..goods(1, 1000) };
    let half = fees(&rules, &parcel(vec![goods(1, 1000), other.clone()]), TODAY).shipping;
    // 198 of 395 fall to the first line, a tenth of them is 19.8
    assert_eq!(half, Fee { fee_minor: 20, vat_minor: 4 });
    assert_eq!(fees(&rules, &parcel(vec![goods(1, 1000)]), TODAY).shipping, Fee { fee_minor: 40, vat_minor: 8 });
    assert_eq!(fees(&rules, &parcel(vec![other]), TODAY).shipping, Fee::default());
}

prop_compose! {
    fn any_rule()(
        vendor_id in prop::option::of(1u128..4), category_id in prop::option::of(1u128..5), percent_bp in 0i32..=10_000,
        fixed_minor in prop_oneof![Just(0i64), 0i64..10_000], minimum_minor in prop_oneof![Just(0i64), 0i64..5_000],
        above in prop::option::of(0i64..100_000), on_shipping in any::<bool>(),
    ) -> Rule {
        Rule {
            vendor_id: vendor_id.map(vendor),
            category_id: category_id.map(category),
            fixed_minor,
            minimum_minor,
            cap_minor: above.map(|a| minimum_minor + a),
            on_shipping,
            ..rule("any", percent_bp)
        }
    }
}

prop_compose! {
    fn any_goods()(categories in prop::collection::vec(1u128..5, 0..3), quantity in 1i32..=999,
                   gross_minor in prop_oneof![0i64..300, 0i64..999_000_000_000]) -> Goods {
        Goods { categories: categories.into_iter().map(category).collect(), ..goods(quantity, gross_minor) }
    }
}

proptest! {
    #[test]
    fn fee_and_vat_leave_the_vendor_something_or_nothing_and_never_less(
        rules in prop::collection::vec(any_rule(), 0..6), lines in prop::collection::vec(any_goods(), 1..8),
        of in 1u128..4, vat in 0i32..=5000, shipping_minor in 0i64..100_000,
    ) {
        let parcel = Parcel { vendor: vendor(of), vat: BasisPoints(vat), shipping_minor, lines };
        let fees = fees(&rules, &parcel, TODAY);
        prop_assert_eq!(fees.lines.len(), parcel.lines.len());
        for ((rule, fee), line) in fees.lines.iter().zip(&parcel.lines) {
            prop_assert!(fee.fee_minor >= 0 && fee.vat_minor >= 0 && fee.sum() <= line.gross_minor);
            prop_assert_eq!(fee.vat_minor, BasisPoints(vat).of(fee.fee_minor));
            let first = rules.iter().find(|r| r.matches(parcel.vendor, line, TODAY));
            prop_assert_eq!(*rule, first);
            let pieces = i64::from(line.quantity);
            if let Some(cap) = first.and_then(|r| r.cap_minor) {
                prop_assert!(fee.fee_minor <= cap * pieces);
            }
            // Below the minimum only where there is no room for it.
            let room = i128::from(line.gross_minor) * 10_000 / (10_000 + i128::from(vat));
            if let Some(rule) = first {
                prop_assert!(fee.fee_minor >= rule.minimum_minor * pieces || i128::from(fee.fee_minor) == room);
            }
        }
        prop_assert!(fees.shipping.fee_minor >= 0 && fees.shipping.sum() <= shipping_minor);
        let total = fees.total();
        let gross: i64 = parcel.lines.iter().map(|l| l.gross_minor).sum::<i64>() + shipping_minor;
        prop_assert!(total.sum() <= gross);
        prop_assert_eq!(total.fee_minor, fees.lines.iter().map(|(_, f)| f.fee_minor).sum::<i64>() + fees.shipping.fee_minor);
    }

    #[test]
    fn two_of_a_thing_cost_the_same_in_one_line_or_in_two(rule in any_rule(), price in 0i64..100_000, a in 1i32..50, b in 1i32..50) {
        let rules = [Rule { vendor_id: None, category_id: None, on_shipping: false, ..rule }];
        let cost = |quantities: &[i32]| {
            let lines = quantities.iter().map(|q| goods(*q, price * i64::from(*q))).collect();
            fees(&rules, &parcel(lines), TODAY).total().fee_minor
        };
        prop_assert!((cost(&[a, b]) - cost(&[a + b])).abs() <= 1, "but for the rounding of the second line");
    }
}
