//! What was sold in an order, and what of it went back: read under the order's lock by whoever gives something back.

use super::parts::{Figures, SoldLine, SoldParcel};
use crate::ids::{OrderId, OrderLineId, VendorId, VendorOrderId};
use sqlx::PgConnection;

/// The parcels of an order, or only the one that is named, in a fixed order.
pub async fn parcels(db: &mut PgConnection, order: OrderId, only: Option<VendorOrderId>) -> sqlx::Result<Vec<SoldParcel>> {
    let only = only.map(VendorOrderId::uuid);
    let lines = sqlx::query!(
        r#"select l.id as "id: OrderLineId", l.vendor_order_id as "parcel: VendorOrderId", l.title, l.quantity,
                  l.total_minor, l.tax_minor, l.fee_minor, l.fee_vat_minor, l.platform_discount_minor,
                  b.quantity as "back_quantity!", b.amount as "amount!", b.tax as "tax!", b.fee as "fee!", b.fee_vat as "fee_vat!",
                  b.platform_discount as "platform_discount!"
           from order_lines l cross join lateral (
               select coalesce(sum(p.quantity), 0)::int as quantity, coalesce(sum(p.amount_minor), 0)::bigint as amount,
                      coalesce(sum(p.tax_minor), 0)::bigint as tax, coalesce(sum(p.fee_minor), 0)::bigint as fee,
                      coalesce(sum(p.fee_vat_minor), 0)::bigint as fee_vat,
                      coalesce(sum(p.platform_discount_minor), 0)::bigint as platform_discount
               from refund_parts p join refunds r on r.id = p.refund_id where p.line_id = l.id and r.state <> 'failed') b
           where l.order_id = $1 and ($2::uuid is null or l.vendor_order_id = $2) order by l.position, l.id"#,
        order.uuid(),
        only
    )
    .fetch_all(&mut *db)
    .await?;
    let heads = sqlx::query!(
        r#"select v.id as "id: VendorOrderId", v.vendor_id as "vendor: VendorId", v.vendor_name, v.total_minor, v.tax_minor,
                  v.fee_minor, v.fee_vat_minor, v.shipping_minor, v.shipping_fee_minor, v.shipping_fee_vat_minor,
                  b.amount as "amount!", b.tax as "tax!", b.fee as "fee!", b.fee_vat as "fee_vat!",
                  b.platform_discount as "platform_discount!", b.s_amount as "s_amount!", b.s_tax as "s_tax!", b.s_fee as "s_fee!",
                  b.s_fee_vat as "s_fee_vat!"
           from vendor_orders v cross join lateral (
               select coalesce(sum(p.amount_minor), 0)::bigint as amount, coalesce(sum(p.tax_minor), 0)::bigint as tax,
                      coalesce(sum(p.fee_minor), 0)::bigint as fee, coalesce(sum(p.fee_vat_minor), 0)::bigint as fee_vat,
                      coalesce(sum(p.platform_discount_minor), 0)::bigint as platform_discount,
                      coalesce(sum(p.amount_minor) filter (where p.kind = 'shipping'), 0)::bigint as s_amount,
                      coalesce(sum(p.tax_minor) filter (where p.kind = 'shipping'), 0)::bigint as s_tax,
                      coalesce(sum(p.fee_minor) filter (where p.kind = 'shipping'), 0)::bigint as s_fee,
                      coalesce(sum(p.fee_vat_minor) filter (where p.kind = 'shipping'), 0)::bigint as s_fee_vat
               from given_back p where p.vendor_order_id = v.id) b
           where v.order_id = $1 and ($2::uuid is null or v.id = $2) order by v.id"#,
        order.uuid(),
        only
    )
    .fetch_all(&mut *db)
    .await?;
    let parcels = heads.into_iter().map(|v| {
        let lines: Vec<SoldLine> = lines
            .iter()
            .filter(|l| l.parcel == v.id)
            .map(|l| SoldLine {
                id: l.id,
                title: l.title.clone(),
                quantity: l.quantity,
                sold: Figures {
                    amount: l.total_minor,
                    tax: l.tax_minor,
                    fee: l.fee_minor,
                    fee_vat: l.fee_vat_minor,
                    platform_discount: l.platform_discount_minor,
                },
                back_quantity: l.back_quantity,
                back: Figures {
                    amount: l.amount,
                    tax: l.tax,
                    fee: l.fee,
                    fee_vat: l.fee_vat,
                    platform_discount: l.platform_discount,
                },
            })
            .collect();
        let of_lines = lines.iter().fold(Figures::default(), |sum, l| sum.plus(l.sold));
        SoldParcel {
            id: v.id,
            vendor: v.vendor,
            vendor_name: v.vendor_name,
            shipping: Figures {
                amount: v.shipping_minor,
                // The tax of a parcel is that of its lines and of its shipping.
                tax: (v.tax_minor - of_lines.tax).max(0),
                fee: v.shipping_fee_minor,
                fee_vat: v.shipping_fee_vat_minor,
                platform_discount: 0,
            },
            shipping_back: Figures { amount: v.s_amount, tax: v.s_tax, fee: v.s_fee, fee_vat: v.s_fee_vat, platform_discount: 0 },
            whole: Figures {
                amount: v.total_minor,
                tax: v.tax_minor,
                fee: v.fee_minor,
                fee_vat: v.fee_vat_minor,
                platform_discount: of_lines.platform_discount,
            },
            back: Figures {
                amount: v.amount,
                tax: v.tax,
                fee: v.fee,
                fee_vat: v.fee_vat,
                platform_discount: v.platform_discount,
            },
            lines,
        }
    });
    Ok(parcels.collect())
}
