//! The two moments at which a cart changes without its owner touching it: signing in, and having paid.

use super::{
    model::MAX_QUANTITY,
    queries::{self, Owner},
};
use crate::{
    ids::{CartId, OrderId, UserId},
    server::token::Token,
};
use sqlx::PgConnection;

/// Brings what a signed-out shopper chose into the account's cart, in the transaction of the sign-in: quantities are summed and
/// capped to what is left. Answers one sentence for the shopper, `None` where there was nothing to bring.
pub async fn merge_at_sign_in(tx: &mut PgConnection, user: UserId, token: Option<&Token>) -> sqlx::Result<Option<String>> {
    let Some(token) = token else { return Ok(None) };
    let Some(guest) = queries::lock(&mut *tx, &Owner::browser(token)).await? else { return Ok(None) };
    let cart = queries::find_or_create(&mut *tx, &Owner::user(user)).await?;
    let moved = move_lines(&mut *tx, guest, cart).await?;
    // An unpaid order of the old cart stays with the lines it came from.
    sqlx::query!("update orders set cart_id = $2 where cart_id = $1", guest.uuid(), cart.uuid()).execute(&mut *tx).await?;
    sqlx::query!("delete from carts where id = $1", guest.uuid()).execute(&mut *tx).await?;
    Ok(sentence(&moved))
}

/// What became of one line of the signed-out cart.
struct Moved {
    title: String,
    /// How many the two carts held together.
    wanted: i32,
    kept: i32,
}

/// A line that is sold out keeps its quantity: the cart explains it in place, which a line that vanished could not.
async fn move_lines(tx: &mut PgConnection, guest: CartId, cart: CartId) -> sqlx::Result<Vec<Moved>> {
    sqlx::query_as!(
        Moved,
        r#"with wanted as (
               select g.variant_id, p.title, g.seen_price_minor, g.added_at,
                      least(g.quantity + coalesce(mine.quantity, 0), $3::int) as wanted,
                      s.free as available
               from cart_lines g
               join variants a on a.id = g.variant_id
               join products p on p.id = a.product_id
               join stock s on s.variant_id = g.variant_id
               left join cart_lines mine on mine.cart_id = $2 and mine.variant_id = g.variant_id
               where g.cart_id = $1),
           kept as (
               insert into cart_lines (id, cart_id, variant_id, quantity, seen_price_minor, added_at)
               select gen_random_uuid(), $2, variant_id,
                      case when available > 0 then least(wanted, available) else wanted end, seen_price_minor, added_at
               from wanted
               on conflict (cart_id, variant_id) do update
                   set quantity = excluded.quantity,
                       -- of two prices that were seen, the lower one was agreed to
                       seen_price_minor = least(cart_lines.seen_price_minor, excluded.seen_price_minor)
               returning variant_id, quantity)
           select w.title, w.wanted as "wanted!", k.quantity as kept
           from kept k join wanted w on w.variant_id = k.variant_id order by w.added_at"#,
        guest.uuid(),
        cart.uuid(),
        MAX_QUANTITY
    )
    .fetch_all(tx)
    .await
}

fn sentence(moved: &[Moved]) -> Option<String> {
    let mut sentence = match moved {
        [] => return None,
        [one] => format!("{} came along into your account’s cart.", one.title),
        many => format!("The {} things that you chose before signing in came along into your account’s cart.", many.len()),
    };
    for line in moved.iter().filter(|l| l.kept < l.wanted) {
        sentence.push_str(&format!(
            " Of {}, only {} are left, so the cart holds {} instead of {}.",
            line.title, line.kept, line.kept, line.wanted
        ));
    }
    Some(sentence)
}

/// Takes out of the cart what a paid order bought, and only that: what was added meanwhile stays.
pub async fn clear_after_order(tx: &mut PgConnection, order: OrderId) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from cart_lines l using orders o, order_lines b
         where o.id = $1 and l.cart_id = o.cart_id and b.order_id = o.id and b.variant_id = l.variant_id
           and l.quantity <= b.quantity",
        order.uuid()
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "update cart_lines l set quantity = l.quantity - b.quantity from orders o, order_lines b
         where o.id = $1 and l.cart_id = o.cart_id and b.order_id = o.id and b.variant_id = l.variant_id",
        order.uuid()
    )
    .execute(&mut *tx)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shopper_is_told_what_changed() {
        let line = |title: &str, wanted, kept| Moved { title: title.into(), wanted, kept };
        assert_eq!(sentence(&[]), None);
        assert_eq!(sentence(&[line("Mug", 2, 2)]).as_deref(), Some("Mug came along into your account’s cart."));
        let capped = sentence(&[line("Mug", 5, 3), line("Bowl", 1, 1)]).unwrap_or_default();
        assert!(capped.starts_with("The 2 things"), "{capped}");
        assert!(capped.contains("Of Mug, only 3 are left"), "{capped}");
        assert!(!capped.contains("Bowl"), "{capped}");
    }
}
