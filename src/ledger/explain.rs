//! What became of a sale's money, line by line, for the vendor: which rule decided and why, the fee, the VAT on it, what of Stripe's
//! fee falls to it (the market bears that), and what is left. From frozen figures; nothing is reckoned anew.

use super::{commission::Fee, rules};
use crate::{
    error::AppError,
    ids::{CommissionRuleId, OrderLineId, VendorOrderId},
    money::{Currency, apportion},
    server::auth::Manager,
};
use sqlx::PgPool;

/// One line of the sale, or its shipping. Minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// `None` for the shipping.
    pub line: Option<OrderLineId>,
    pub title: String,
    /// Before any fee.
    pub gross_minor: i64,
    /// The rule's name at the time of the sale; empty for the shipping, and for what was sold before there were rules.
    pub rule: String,
    /// What the rule takes, and why it decided.
    pub takes: String,
    pub why: String,
    pub fee: Fee,
    /// What of Stripe's fee for the order falls to it, once that is known.
    pub stripe_minor: Option<i64>,
}

impl Share {
    pub fn net_minor(&self) -> i64 {
        self.gross_minor - self.fee.sum()
    }
}

/// A whole sale of one vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    pub currency: Currency,
    /// The lines, and the shipping where it cost something.
    pub shares: Vec<Share>,
}

impl Explanation {
    pub fn gross_minor(&self) -> i64 {
        self.shares.iter().map(|s| s.gross_minor).sum()
    }

    pub fn fee(&self) -> Fee {
        Fee {
            fee_minor: self.shares.iter().map(|s| s.fee.fee_minor).sum(),
            vat_minor: self.shares.iter().map(|s| s.fee.vat_minor).sum(),
        }
    }

    pub fn stripe_minor(&self) -> Option<i64> {
        self.shares.iter().map(|s| s.stripe_minor).sum()
    }

    pub fn net_minor(&self) -> i64 {
        self.shares.iter().map(Share::net_minor).sum()
    }
}

/// Explains a sale to its vendor. Another's is not found.
pub async fn sale(pool: &PgPool, vendor: &Manager, id: VendorOrderId) -> Result<Explanation, AppError> {
    // All of the order, because Stripe's fee is for all of it; what others sold is only weighed.
    let rows = sqlx::query!(
        r#"select v.id as "part: VendorOrderId", o.currency as "currency: Currency", v.shipping_name, v.shipping_minor,
                  v.shipping_fee_minor, v.shipping_fee_vat_minor, l.id as "line: OrderLineId", l.title,
                  l.total_minor + l.platform_discount_minor as "gross!", l.fee_minor, l.fee_vat_minor, l.commission_rule,
                  l.commission_rule_id as "rule_id: CommissionRuleId",
                  (select p.stripe_fee_minor from payments p where p.order_id = o.id and p.state = 'paid') as stripe_fee_minor
           from vendor_orders own join orders o on o.id = own.order_id join vendor_orders v on v.order_id = o.id
           join order_lines l on l.vendor_order_id = v.id
           where own.id = $1 and own.vendor_id = $2 order by v.id, l.position, l.id"#,
        id.uuid(),
        vendor.id().uuid()
    )
    .fetch_all(pool)
    .await?;
    let Some(first) = rows.first() else { return Err(AppError::NotFound) };
    let (currency, stripe_fee) = (first.currency, first.stripe_fee_minor);
    let decided: Vec<CommissionRuleId> = rows.iter().filter(|r| r.part == id).filter_map(|r| r.rule_id).collect();
    let rules = rules::by_id(pool, &decided).await?;
    let mut all: Vec<(VendorOrderId, Share)> = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        let rule = rules.iter().find(|r| Some(r.id) == row.rule_id);
        let line = Share {
            line: Some(row.line),
            title: row.title.clone(),
            gross_minor: row.gross,
            rule: row.commission_rule.clone(),
            takes: rule.map(|r| r.takes(currency)).unwrap_or_default(),
            why: rule.map_or_else(|| "Sold before there was a commission.".into(), |r| r.why()),
            fee: Fee { fee_minor: row.fee_minor, vat_minor: row.fee_vat_minor },
            stripe_minor: None,
        };
        all.push((row.part, line));
        if rows.get(i + 1).is_none_or(|next| next.part != row.part) {
            let shipping = Share {
                line: None,
                title: row.shipping_name.clone(),
                gross_minor: row.shipping_minor,
                rule: String::new(),
                takes: String::new(),
                why: String::new(),
                fee: Fee { fee_minor: row.shipping_fee_minor, vat_minor: row.shipping_fee_vat_minor },
                stripe_minor: None,
            };
            all.push((row.part, shipping));
        }
    }
    if let Some(fee) = stripe_fee {
        let weights: Vec<i64> = all.iter().map(|(_, share)| share.gross_minor).collect();
        for ((_, share), part) in all.iter_mut().zip(apportion(fee, &weights)) {
            share.stripe_minor = Some(part);
        }
    }
    let own = all.into_iter().filter(|(part, share)| *part == id && (share.line.is_some() || share.gross_minor > 0));
    Ok(Explanation { currency, shares: own.map(|(_, share)| share).collect() })
}
