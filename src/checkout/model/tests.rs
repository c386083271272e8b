use super::*;
use crate::ids::{CartLineId, CategoryId, CouponId, ProductId, VariantId};
use proptest::prelude::*;

fn vendor(n: u8) -> VendorId {
    VendorId::from(uuid::Uuid::from_u128(u128::from(n)))
}

fn line(n: u8, quantity: i32, price: i64) -> CartLine {
    CartLine {
        id: CartLineId::new(),
        variant_id: VariantId::new(),
        product_id: ProductId::new(),
        product_slug: "bowl".into(),
        title: "Bowl".into(),
        sku: "BOWL".into(),
        option_names: vec![],
        option_values: vec![],
        picture_id: None,
        picture_alt: None,
        vendor_id: vendor(n),
        vendor_slug: format!("v{n}"),
        vendor_name: format!("Vendor {n}"),
        quantity,
        price_minor: price,
        seen_price_minor: price,
        available: 1000,
        set_aside: false,
        for_sale: true,
        holiday_until: None,
        categories: vec![],
        vendor_vat_bp: 0,
    }
}

fn method(n: u8, code: &str, price: i64) -> ShippingMethod {
    ShippingMethod {
        vendor_id: vendor(n),
        code: code.into(),
        name: code.into(),
        price_minor: price,
        free_over_minor: None,
        min_days: 1,
        max_days: 2,
    }
}

fn cart(lines: Vec<CartLine>, methods: Vec<ShippingMethod>) -> CartView {
    CartView::group(None, Currency::GBP, lines, methods)
}

fn amount_off(amount_minor: i64) -> Coupon {
    Coupon {
        id: CouponId::new(),
        code: "SPRING".into(),
        vendor: None,
        percent_bp: None,
        amount_minor: Some(amount_minor),
        currency: Currency::GBP,
        minimum_minor: 0,
        only_vendor_id: None,
        category_id: None,
        platform_bp: 10_000,
    }
}

#[test]
fn an_order_of_two_vendors_is_split_to_the_penny() {
    let methods = vec![method(1, "standard", 395), method(1, "express", 850), method(2, "standard", 0)];
    let cart = cart(vec![line(1, 3, 333), line(2, 1, 1000), line(1, 1, 1)], methods);
    let quote =
        quote(&cart, |_| true, |slug| (slug == "v1").then(|| "express".to_owned()), BasisPoints(2000), Some(Ok(amount_off(100))));
    let sums = quote.sums;
    assert_eq!((sums.items_minor, sums.shipping_minor, sums.discount_minor, sums.total_minor), (2000, 850, 100, 2750));
    assert_eq!(sums.tax_minor, 458);
    let [one, two] = &quote.parcels[..] else { panic!("two parcels") };
    assert_eq!((one.method.code.as_str(), two.method.code.as_str()), ("express", "standard"));
    assert_eq!((one.sums.discount_minor, two.sums.discount_minor), (50, 50));
    assert_eq!(one.sums.tax_minor + two.sums.tax_minor, 458);
}

#[test]
fn what_is_not_wanted_costs_nothing_and_neither_does_its_parcel() {
    let cart = cart(vec![line(1, 1, 1000), line(2, 1, 500)], vec![method(1, "a", 100), method(2, "a", 100)]);
    let one = quote(&cart, |l| l.vendor_id == vendor(2), |_| None, BasisPoints(2000), None);
    assert_eq!((one.parcels.len(), one.sums.total_minor), (1, 600));
    let none = quote(&cart, |_| false, |_| None, BasisPoints(2000), None);
    assert_eq!((none.parcels.len(), none.sums), (0, Sums::default()));
}

#[test]
fn a_discount_is_never_more_than_the_items() {
    let cart = cart(vec![line(1, 1, 1000)], vec![method(1, "a", 395)]);
    let quote = quote(&cart, |_| true, |_| None, BasisPoints(2000), Some(Ok(amount_off(5000))));
    assert_eq!((quote.sums.discount_minor, quote.sums.total_minor), (1000, 395));
    assert_eq!(quote.parcels[0].lines[0].total_minor, 0);
    assert_eq!(quote.parcels[0].lines[0].tax_minor, 0);
}

#[test]
fn a_coupon_takes_off_only_what_it_is_for() {
    let (kitchen, bowls) = (CategoryId::new(), CategoryId::new());
    let mut lines = vec![line(1, 1, 1000), line(1, 1, 500), line(2, 1, 2000)];
    lines[0].categories = vec![kitchen, bowls];
    lines[2].categories = vec![kitchen];
    let cart = cart(lines, vec![method(1, "a", 0), method(2, "a", 0)]);
    let off = |coupon: Coupon| {
        let quote = quote(&cart, |_| true, |_| None, BasisPoints(2000), Some(Ok(coupon)));
        let lines: Vec<(i64, i64)> =
            quote.parcels.iter().flat_map(|p| &p.lines).map(|l| (l.discount_minor, l.platform_discount_minor)).collect();
        (lines, quote.no_discount().cloned())
    };
    let third = |coupon: Coupon| Coupon { percent_bp: Some(3333), amount_minor: None, platform_bp: 2500, ..coupon };
    assert_eq!(off(third(amount_off(1))), (vec![(333, 83), (167, 42), (667, 167)], None));
    let of_kitchen = Coupon { category_id: Some(kitchen), ..amount_off(300) };
    assert_eq!(off(of_kitchen.clone()).0, [(100, 100), (0, 0), (200, 200)]);
    assert_eq!(off(Coupon { only_vendor_id: Some(vendor(1)), ..of_kitchen.clone() }).0, [(300, 300), (0, 0), (0, 0)]);
    let (lines, why) = off(Coupon { only_vendor_id: Some(vendor(3)), ..of_kitchen });
    assert_eq!((lines, why), (vec![(0, 0); 3], Some(NoDiscount::OtherGoods)));
}

prop_compose! {
    fn any_line()(
        vendor in 0u8..6, quantity in 1i32..=999, price in prop_oneof![0i64..200, 0i64..1_000_000_000], category in 0u8..3,
    ) -> CartLine {
        CartLine { categories: vec![category_of(category)], ..line(vendor, quantity, price) }
    }
}

fn category_of(n: u8) -> CategoryId {
    CategoryId::from(uuid::Uuid::from_u128(u128::from(n)))
}

prop_compose! {
    fn any_coupon()(
        percent in prop::option::of(1i32..=10_000),
        amount in prop_oneof![1i64..100_000, 1i64..=1_000_000_000],
        share in prop_oneof![Just(0i32), Just(10_000), 0i32..=10_000],
        minimum in prop_oneof![Just(0i64), 0i64..1_000_000_000],
        only in prop::option::of(0u8..6),
        category in prop::option::of(0u8..3),
    ) -> Coupon {
        Coupon {
            percent_bp: percent,
            amount_minor: percent.is_none().then_some(amount),
            platform_bp: share,
            minimum_minor: minimum,
            only_vendor_id: only.map(vendor),
            category_id: category.map(category_of),
            ..amount_off(amount)
        }
    }
}

proptest! {
    #[test]
    fn parts_always_sum_to_the_whole(
        lines in prop::collection::vec(any_line(), 0..40),
        shipping in prop::collection::vec(0i64..3000, 6),
        rate in 0i32..=5000,
        coupon in prop::option::of(any_coupon()),
    ) {
        let methods = (0u8..6).zip(&shipping).map(|(n, price)| method(n, "standard", *price)).collect();
        let cart = cart(lines, methods);
        let quote = quote(&cart, |_| true, |_| None, BasisPoints(rate), coupon.clone().map(Ok));
        let whole = quote.sums;
        prop_assert_eq!(whole.total_minor, whole.items_minor + whole.shipping_minor - whole.discount_minor);
        prop_assert_eq!(whole.tax_minor, BasisPoints(rate).contained_in(whole.total_minor));
        prop_assert!(whole.tax_minor <= whole.total_minor);

        // the coupon's discount and the market's part of it are found on the lines that it is for, to the penny
        let (off, paid) = quote.discount().map_or((0, 0), |d| (d.amount_minor, d.platform_minor));
        prop_assert_eq!(whole.discount_minor, off);
        let lines = || quote.parcels.iter().flat_map(|p| &p.lines);
        prop_assert_eq!(lines().map(|l| l.platform_discount_minor).sum::<i64>(), paid);
        for line in lines() {
            prop_assert!((0..=line.discount_minor).contains(&line.platform_discount_minor));
            prop_assert!(line.discount_minor == 0 || coupon.as_ref().is_some_and(|c| c.covers(&line.line)));
        }

        let sum = |of: fn(&Sums) -> i64| quote.parcels.iter().map(|p| of(&p.sums)).sum::<i64>();
        prop_assert_eq!(sum(|s| s.items_minor), whole.items_minor);
        prop_assert_eq!(sum(|s| s.shipping_minor), whole.shipping_minor);
        prop_assert_eq!(sum(|s| s.discount_minor), whole.discount_minor);
        prop_assert_eq!(sum(|s| s.tax_minor), whole.tax_minor);
        prop_assert_eq!(sum(|s| s.total_minor), whole.total_minor);

        for parcel in &quote.parcels {
            let s = parcel.sums;
            prop_assert_eq!(s.total_minor, s.items_minor + s.shipping_minor - s.discount_minor);
            prop_assert_eq!(parcel.lines.iter().map(|l| l.line.total_minor()).sum::<i64>(), s.items_minor);
            prop_assert_eq!(parcel.lines.iter().map(|l| l.discount_minor).sum::<i64>(), s.discount_minor);
            let lines_tax: i64 = parcel.lines.iter().map(|l| l.tax_minor).sum();
            let shipping_tax = s.tax_minor - lines_tax;
            prop_assert!((0..=s.shipping_minor).contains(&shipping_tax));
            // a vendor's share is never further from its own VAT than one minor unit for each of its parts
            let own = BasisPoints(rate).contained_in(s.total_minor);
            prop_assert!((own - s.tax_minor).abs() <= parcel.lines.len() as i64 + 2);
            for line in &parcel.lines {
                prop_assert_eq!(line.total_minor, line.line.total_minor() - line.discount_minor);
                prop_assert!(line.discount_minor >= 0 && line.total_minor >= 0);
                prop_assert!((0..=line.total_minor).contains(&line.tax_minor));
            }
        }
    }
}
