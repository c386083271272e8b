//! The packing slip that lies in a parcel: what was ordered and what is in it now. No prices, no number, and nothing is kept: it is drawn when it is
//! asked for.

use super::{layout, model::Party, party, pdf, sheet, typeset::TypeCase};
use crate::{
    error::AppError,
    ids::VendorOrderId,
    orders::queries::vendor_order,
    server::{auth::Vendor, errors::internal, state::App},
};
use time::{Date, OffsetDateTime};

/// What a packing slip says.
#[derive(Debug, Clone)]
pub(super) struct PackingSlip {
    pub seller: Party,
    pub buyer: Party,
    pub order_number: i64,
    pub ordered_on: Date,
    pub shipping: String,
    pub lines: Vec<SlipLine>,
}

#[derive(Debug, Clone)]
pub(super) struct SlipLine {
    pub title: String,
    /// SKU and options.
    pub detail: String,
    pub ordered: i32,
    /// Left before.
    pub shipped: i32,
    /// To be put in.
    pub now: i32,
}

/// The slip of a parcel, as a PDF, with the number of its order. Where nothing is left to send it tells of all that was.
///
/// # Errors
/// `NotFound` where the parcel is another's.
pub async fn packing_slip(app: &App, vendor: &Vendor, id: VendorOrderId) -> Result<(i64, Vec<u8>), AppError> {
    let order = vendor_order(&app.pool, vendor, id).await?;
    let seller = party::vendor(&mut *app.pool.acquire().await?, vendor.id()).await?;
    let mut address = order.head.ship_to().into_iter();
    let over = order.parcel.lines.iter().all(|line| line.left_to_ship() == 0);
    let lines = order.parcel.lines.iter().map(|line| SlipLine {
        title: line.title.clone(),
        detail: [line.sku.as_str(), line.options.as_str()].into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join(" · "),
        ordered: line.quantity,
        shipped: if over { 0 } else { line.shipped },
        now: if over { line.shipped } else { line.left_to_ship() },
    });
    let slip = PackingSlip {
        seller,
        buyer: Party { name: address.next().unwrap_or_default(), address: address.collect(), vat_number: String::new() },
        order_number: order.head.number,
        ordered_on: order.head.placed_at.unwrap_or(order.head.created_at).date(),
        shipping: order.parcel.head.shipping_name.clone(),
        lines: lines.collect(),
    };
    draw(&slip).map(|pdf| (slip.order_number, pdf)).map_err(internal)
}

fn draw(slip: &PackingSlip) -> anyhow::Result<Vec<u8>> {
    let fonts = TypeCase::ready()?;
    let mut sheet = sheet::packing_slip(slip);
    sheet.issued_on = OffsetDateTime::now_utc().date();
    pdf::write(fonts, &sheet, &layout::pages(fonts, &sheet))
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn it_says_what_is_in_the_parcel_and_no_price() {
        let party = |name: &str| Party { name: name.into(), address: vec!["1 Mill Lane".into()], vat_number: String::new() };
        let slip = PackingSlip {
            seller: party("The mill"),
            buyer: party("Ada Buyer"),
            order_number: 100_123,
            ordered_on: date!(2026 - 11 - 26),
            shipping: "Standard".into(),
            lines: vec![SlipLine { title: "Oak bowl".into(), detail: "OAK-1".into(), ordered: 3, shipped: 1, now: 2 }],
        };
        let sheet = sheet::packing_slip(&slip);
        let row: Vec<_> = sheet.table.rows[0].iter().map(|cell| cell.text.as_str()).collect();
        assert_eq!(row, ["Oak bowl", "3", "1", "2"]);
        assert!(sheet.sums.is_empty() && sheet.vat.is_none());
        assert!(draw(&slip).unwrap().starts_with(b"%PDF-"));
    }
}
