//! What happens to a transfer: money goes from the platform to a connected account, and may come back.
//! Each function runs in its caller's transaction; it takes the locks of the objects first, then those of the balances.

use serde_json::{Value, json};
use sqlx::PgConnection;

use super::error::ApiError;
use super::events::emit;
use super::objects::entry::NewEntry;
use super::objects::transfer::{self, NewTransfer};
use super::store::{self, Stored};
use super::{Cause, balance, ids, money};

const NO_FUNDS: &str = "You have insufficient available funds in your Stripe account. Try adding funds directly to your available balance by creating \
                        Charges using the 4000000000000077 test card. See: https://stripe.com/docs/testing#available-balance";
const NOTHING_TO_REVERSE: &str =
    "The recipient of this transfer does not have sufficient funds in their Stripe balance to reverse this amount.";

/// Sends money to a connected account. Of a charge's money (`source_transaction`) also before it is available.
pub async fn transfer(conn: &mut PgConnection, cause: &Cause, mut new: NewTransfer) -> Result<Stored, ApiError> {
    let destination = store::find(conn, "account", &new.destination).await?.ok_or_else(|| {
        ApiError::param("destination", Some("resource_missing"), format!("No such destination: '{}'", new.destination))
    })?;
    if destination.doc["capabilities"]["transfers"] != "active" {
        return Err(ApiError::code(
            "insufficient_capabilities_for_transfer",
            "Your destination account needs to have at least one of the following capabilities enabled: transfers, crypto_transfers, legacy_payments",
        ));
    }
    let available_on = match new.source_transaction.clone() {
        Some(charge) => of_charge(conn, &mut new, &charge).await?,
        None => {
            let funds = balance::hold(conn, None, &new.currency).await?;
            if funds.available < new.amount {
                return Err(balance::insufficient(NO_FUNDS));
            }
            ids::now()
        }
    };
    let mut made = Stored::new(transfer::document(&new));
    let account = new.destination.as_str();
    let mut arrived = Stored { doc: transfer::payment(&made.doc), hidden: json!({ "account": account, "transfer": made.id() }) };
    let entry = NewEntry { available_on, ..NewEntry::now("transfer", -new.amount, &new.currency, made.id()) };
    made.doc["balance_transaction"] = json!(balance::enter(conn, entry).await?);
    let entry =
        NewEntry { owner: Some(account), available_on, ..NewEntry::now("payment", new.amount, &new.currency, arrived.id()) };
    arrived.doc["balance_transaction"] = json!(balance::enter(conn, entry).await?);
    made.doc["destination_payment"] = json!(arrived.id());
    made.hidden["available_on"] = json!(available_on);
    store::save(conn, &arrived).await?;
    store::save(conn, &made).await?;
    emit(conn, cause, "transfer.created", &made.doc, None).await?;
    Ok(made)
}

/// A transfer of a charge's money: no more than the charge, and available when it is. Answers when that is.
async fn of_charge(conn: &mut PgConnection, new: &mut NewTransfer, id: &str) -> Result<i64, ApiError> {
    let charge = store::lock(conn, "charge", id, "source_transaction").await?;
    if charge.owner().is_some() || charge.text("status") != "succeeded" {
        return Err(ApiError::param(
            "source_transaction",
            None,
            format!("The charge {id} cannot be used as a source_transaction."),
        ));
    }
    if charge.text("currency") != new.currency {
        return Err(ApiError::param(
            "currency",
            None,
            format!(
                "The currency of source_transaction's balance transaction ({}) must be the transfer's.",
                charge.text("currency")
            ),
        ));
    }
    let before: i64 = sqlx::query_scalar(
        "select coalesce(sum((doc->>'amount')::bigint - (doc->>'amount_reversed')::bigint), 0)::bigint
         from stripe_sandbox.objects where kind = 'transfer' and doc->>'source_transaction' = $1",
    )
    .bind(id)
    .fetch_one(&mut *conn)
    .await?;
    if before + new.amount > charge.amount("amount") {
        return Err(ApiError::param(
            "amount",
            Some("balance_insufficient"),
            format!(
                "The transfers of source_transaction {id} may not be more than the charge itself ({} of {} are left).",
                money::display(charge.amount("amount") - before, &new.currency),
                money::display(charge.amount("amount"), &new.currency)
            ),
        ));
    }
    // transfers of one charge belong together, as Stripe has it
    if new.transfer_group.is_none() {
        new.transfer_group = Some(charge.doc["transfer_group"].as_str().map_or_else(|| format!("group_{id}"), str::to_owned));
    }
    let entry = store::load(conn, "balance_transaction", charge.text("balance_transaction"), "source_transaction").await?;
    Ok(entry.amount("available_on").max(ids::now()))
}

/// Takes money of a transfer back: all that is left of it, or an amount.
pub async fn reverse(
    conn: &mut PgConnection,
    cause: &Cause,
    id: &str,
    asked: Option<i64>,
    description: Option<String>,
    metadata: Value,
) -> Result<Stored, ApiError> {
    let mut made = store::lock(conn, "transfer", id, "id").await?;
    let (total, before) = (made.amount("amount"), made.amount("amount_reversed"));
    let (left, currency) = (total - before, made.text("currency").to_owned());
    if left == 0 {
        return Err(ApiError::invalid(format!("Transfer {id} has already been fully reversed.")));
    }
    let amount = asked.unwrap_or(left);
    if amount < 1 {
        return Err(ApiError::param(
            "amount",
            Some("parameter_invalid_integer"),
            "This value must be greater than or equal to 1.",
        ));
    }
    if amount > left {
        let (amount, left) = (money::display(amount, &currency), money::display(left, &currency));
        let message = format!("Reversal amount ({amount}) is greater than unreversed amount on transfer ({left})");
        return Err(ApiError::param("amount", None, message));
    }
    let account = made.text("destination").to_owned();
    // what has not become available there yet can be taken back as it is
    let available_on = made.hidden["available_on"].as_i64().unwrap_or_default().max(ids::now());
    let funds = balance::hold(conn, Some(&account), &currency).await?;
    if amount > if available_on > ids::now() { funds.total() } else { funds.available } {
        return Err(balance::insufficient(NOTHING_TO_REVERSE));
    }
    let mut reversal = Stored::new(transfer::reversal(&made.doc, amount, &metadata));
    let entry = NewEntry { description, available_on, ..NewEntry::now("transfer_refund", amount, &currency, reversal.id()) };
    reversal.doc["balance_transaction"] = json!(balance::enter(conn, entry).await?);

    let mut payment = store::lock(conn, "charge", made.text("destination_payment"), "id").await?;
    let mut taken = Stored {
        doc: transfer::payment_refund(&payment.doc, amount, &reversal.doc),
        hidden: json!({ "account": account, "transfer": id }),
    };
    let entry =
        NewEntry { owner: Some(&account), available_on, ..NewEntry::now("payment_refund", -amount, &currency, taken.id()) };
    taken.doc["balance_transaction"] = json!(balance::enter(conn, entry).await?);
    payment.doc["amount_refunded"] = json!(before + amount);
    payment.doc["refunded"] = json!(before + amount == total);
    reversal.doc["destination_payment_refund"] = json!(taken.id());
    for object in [&payment, &taken, &reversal] {
        store::save(conn, object).await?;
    }
    let previous = json!({ "amount_reversed": before, "reversed": made.doc["reversed"] });
    made.doc["amount_reversed"] = json!(before + amount);
    made.doc["reversed"] = json!(before + amount == total);
    if let Some(list) = made.doc["reversals"]["data"].as_array_mut() {
        list.insert(0, reversal.doc.clone());
        let more = list.len() > SHOWN;
        list.truncate(SHOWN);
        made.doc["reversals"]["has_more"] = json!(more);
    }
    store::save(conn, &made).await?;
    emit(conn, cause, "transfer.reversed", &made.doc, Some(previous)).await?;
    Ok(reversal)
}

/// So many reversals a transfer shows itself; the others are listed.
const SHOWN: usize = 10;
