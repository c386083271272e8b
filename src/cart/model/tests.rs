use super::*;
use proptest::prelude::*;

fn line(vendor: u8, quantity: i32, price: i64) -> CartLine {
    let vendor_id = VendorId::from(uuid::Uuid::from_u128(u128::from(vendor)));
    CartLine {
        id: CartLineId::new(),
        variant_id: VariantId::new(),
        product_id: ProductId::new(),
        product_slug: "bowl".into(),
        title: "Bowl".into(),
        sku: "BOWL".into(),
        option_names: vec!["Size".into()],
        option_values: vec!["Small".into()],
        picture_id: None,
        picture_alt: None,
        vendor_id,
        vendor_slug: format!("v{vendor}"),
        vendor_name: format!("Vendor {vendor}"),
        quantity,
        price_minor: price,
        seen_price_minor: price,
        available: 100,
        set_aside: false,
        for_sale: true,
        holiday_until: None,
        categories: vec![],
        vendor_vat_bp: 0,
    }
}

fn method(vendor: u8, price: i64, free_over: Option<i64>) -> ShippingMethod {
    ShippingMethod {
        vendor_id: VendorId::from(uuid::Uuid::from_u128(u128::from(vendor))),
        code: "standard".into(),
        name: "Standard".into(),
        price_minor: price,
        free_over_minor: free_over,
        min_days: 2,
        max_days: 4,
    }
}

#[test]
fn the_most_serious_problem_is_told_first() {
    let sound = line(1, 5, 1000);
    assert_eq!(sound.problem(), None);
    let dearer = CartLine { seen_price_minor: 900, ..sound.clone() };
    assert_eq!(dearer.problem(), Some(Problem::PriceRose { was: 900, now: 1000 }));
    let fewer = CartLine { available: 3, ..dearer.clone() };
    assert_eq!(fewer.problem(), Some(Problem::FewerLeft { left: 3 }));
    let none = CartLine { available: 0, ..fewer.clone() };
    assert_eq!(none.problem(), Some(Problem::SoldOut));
    let until = time::macros::date!(2026 - 12 - 3);
    let away = CartLine { holiday_until: Some(until), ..none.clone() };
    assert_eq!(away.problem(), Some(Problem::OnHoliday { until }));
    assert!(!away.buyable());
    let gone = CartLine { for_sale: false, ..away };
    assert_eq!(gone.problem(), Some(Problem::Unavailable));
    let cheaper = CartLine { seen_price_minor: 1100, ..sound.clone() };
    assert_eq!(cheaper.problem(), Some(Problem::PriceFell { was: 1100, now: 1000 }));
    for (line, buyable) in [(sound, true), (dearer, false), (fewer, false), (none, false), (gone, false), (cheaper, true)] {
        assert_eq!(line.buyable(), buyable, "{:?}", line.problem());
    }
}

#[test]
fn a_line_that_cannot_be_bought_never_blocks_the_rest() {
    let gone = CartLine { for_sale: false, ..line(1, 1, 9_999) };
    let cart =
        CartView::group(None, Currency::GBP, vec![gone, line(2, 2, 1000)], vec![method(1, 500, None), method(2, 395, None)]);
    assert!(cart.any_buyable());
    assert_eq!((cart.items_minor(), cart.shipping_minor(), cart.total_minor()), (2000, 395, 2395));
    assert_eq!(cart.count(), 3);
}

#[test]
fn shipping_is_free_from_its_threshold_on() {
    let standard = method(1, 395, Some(5000));
    assert_eq!((standard.price_for(4999), standard.price_for(5000)), (395, 0));
    assert_eq!((standard.missing_for_free(4999), standard.missing_for_free(5000)), (Some(1), None));
    assert_eq!(method(1, 395, None).missing_for_free(0), None);
    assert_eq!(method(1, 0, Some(5000)).missing_for_free(0), None);
}

#[test]
fn a_method_that_the_vendor_does_not_have_is_the_proposed_one() {
    let mut express = method(1, 850, None);
    express.code = "express".into();
    let cart = CartView::group(None, Currency::GBP, vec![line(1, 1, 100)], vec![method(1, 395, None), express]);
    let code = |wanted| cart.parcels[0].method(wanted).map(|m| m.code.as_str());
    assert_eq!(code(Some("express")), Some("express"));
    assert_eq!(code(Some("drone")), Some("standard"));
    assert_eq!(code(None), Some("standard"));
}

#[test]
fn quantities_are_read_within_their_bounds() {
    assert_eq!(" 12 ".parse::<Quantity>().map(Quantity::get), Ok(12));
    for bad in ["0", "-1", "1000", "1.5", "", "many", "99999999999999999999"] {
        assert_eq!(bad.parse::<Quantity>(), Err(BadQuantity), "{bad}");
    }
}

prop_compose! {
    fn any_line()(vendor in 0u8..6, quantity in 1i32..=999, price in 0i64..1_000_000, seen in 0i64..1_000_000, available in -5i32..1200, for_sale: bool)
        -> CartLine {
        CartLine { seen_price_minor: seen, available, for_sale, ..line(vendor, quantity, price) }
    }
}

proptest! {
    #[test]
    fn grouping_loses_nothing_and_counts_what_can_be_bought(
        lines in prop::collection::vec(any_line(), 0..30),
        shipping in 0i64..2000,
        free_over in prop::option::of(0i64..1_000_000),
    ) {
        let methods = (0..6).map(|v| method(v, shipping, free_over)).collect();
        let cart = CartView::group(None, Currency::GBP, lines.clone(), methods);
        prop_assert_eq!(cart.lines().count(), lines.len());
        let expected: i64 = lines.iter().filter(|l| l.buyable()).map(CartLine::total_minor).sum();
        prop_assert_eq!(cart.items_minor(), expected);
        for parcel in &cart.parcels {
            prop_assert!(parcel.lines.iter().all(|l| l.vendor_id == parcel.vendor_id));
            let shipped = parcel.shipping_minor();
            prop_assert!(shipped == 0 || shipped == shipping);
            // nothing is sent: nothing is charged for sending
            prop_assert!(parcel.buyable().next().is_some() || shipped == 0);
        }
        let vendors: std::collections::HashSet<_> = lines.iter().map(|l| l.vendor_id).collect();
        prop_assert_eq!(cart.parcels.len(), vendors.len());
    }
}
