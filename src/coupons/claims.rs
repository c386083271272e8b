//! Using a coupon. The one who asks what a code offers is told how it stands; only the claim, made with the order, is sure of it.

use super::model::{CouponCode, Discount, NoDiscount, Offer};
use crate::{
    accounts::Email,
    error::AppError,
    ids::{CartId, CouponId, OrderId, UserId},
    server::{auth::MaybeCustomer, errors::constraint},
};
use sqlx::{Connection, PgConnection, PgExecutor, types::Json};
use uuid::Uuid;

/// Whom a limit per person counts: somebody with an account by its id, anybody else by their e-mail address.
pub fn person(who: &MaybeCustomer, email: Option<&Email>) -> String {
    match (who.id(), email) {
        (Some(user), _) => user.to_string(),
        (None, email) => email.map(|e| e.as_str().to_owned()).unwrap_or_default(),
    }
}

/// What a code offers a [`person`] with this cart; `None` where there is no such coupon.
pub async fn offered(
    db: impl PgExecutor<'_>,
    code: &CouponCode,
    person: &str,
    cart: Option<CartId>,
) -> sqlx::Result<Option<Offer>> {
    let offer = sqlx::query_scalar!(
        r#"select coupon_offered($1, $2, $3) as "offer: Json<Offer>""#,
        code.as_str(),
        person,
        cart.map(CartId::uuid)
    )
    .fetch_one(db)
    .await?;
    Ok(offer.map(|Json(offer)| offer))
}

/// Locks a coupon and those that some orders claim, in id order: for who gives those back and claims this one.
pub async fn lock(db: impl PgExecutor<'_>, orders: &[OrderId], coupon: CouponId) -> sqlx::Result<()> {
    let orders: Vec<Uuid> = orders.iter().map(|o| o.uuid()).collect();
    sqlx::query!(
        "select 1 as one from coupons
         where id = $2 or id in (select coupon_id from coupon_claims where order_id = any($1) and state = 'held')
         order by id for no key update",
        &orders,
        coupon.uuid()
    )
    .fetch_all(db)
    .await?;
    Ok(())
}

/// Claims a coupon for an order, in the transaction that makes it, after its stock is held: whoever gives both back goes the same way.
///
/// # Errors
/// A field error of `coupon` where its last use went to somebody else meanwhile.
pub async fn claim(
    tx: &mut PgConnection,
    order: OrderId,
    discount: &Discount,
    user: Option<UserId>,
    email: &Email,
) -> Result<(), AppError> {
    let claimed = sqlx::query!(
        "insert into coupon_claims (order_id, coupon_id, user_id, email, amount_minor, platform_minor) values ($1, $2, $3, $4, $5, $6)",
        order.uuid(),
        discount.coupon.id.uuid(),
        user.map(UserId::uuid),
        email.as_str(),
        discount.amount_minor,
        discount.platform_minor
    )
    .execute(tx)
    .await;
    match claimed {
        Ok(_) => Ok(()),
        Err(error) => Err(limit(&error).map_or_else(|| error.into(), |why| AppError::field("coupon", why.to_string()))),
    }
}

/// Claims again what an order gave back when it was not paid in time, for a payment that arrived late. `false`, and nothing is
/// changed, where the coupon was used up meanwhile.
pub async fn retake(tx: &mut PgConnection, order: OrderId) -> sqlx::Result<bool> {
    let mut again = tx.begin().await?;
    let claimed =
        sqlx::query!("update coupon_claims set state = 'held' where order_id = $1 and state = 'released'", order.uuid())
            .execute(&mut *again)
            .await;
    match claimed {
        Ok(_) => again.commit().await.map(|()| true),
        Err(error) if limit(&error).is_some() => again.rollback().await.map(|()| false),
        Err(error) => Err(error),
    }
}

/// Which limit of a coupon refused a claim.
fn limit(error: &sqlx::Error) -> Option<NoDiscount> {
    match constraint(error)? {
        "coupons_within" => Some(NoDiscount::UsedUp),
        "coupon_people_within" => Some(NoDiscount::UsedByYou),
        _ => None,
    }
}
