//! Events: written in the transaction that changes the object, together with the deliveries that the control page asks for.

use rand::RngExt;
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::controls::Controls;
use super::{API_VERSION, Cause, ids};

/// Stores an event about `object` as it is now, and enqueues its webhooks.
/// `previous` holds the former values of what changed, for events of the kind `…updated`.
pub async fn emit(
    conn: &mut PgConnection,
    cause: &Cause,
    kind: &str,
    object: &Value,
    previous: Option<Value>,
) -> sqlx::Result<String> {
    let id = ids::object("evt");
    let told = cause.told(kind);
    let controls = Controls::read(&mut *conn).await?;
    let mut data = json!({ "object": object });
    if let Some(previous) = previous {
        data["previous_attributes"] = previous;
    }
    let mut event = json!({
        "id": id,
        "object": "event",
        "api_version": API_VERSION,
        "created": ids::now(),
        "data": data,
        "livemode": false,
        "pending_webhooks": i64::from(told),
        "request": { "id": cause.request_id, "idempotency_key": cause.idempotency_key },
        "type": kind,
    });
    if let Some(account) = &cause.account {
        event["account"] = json!(account);
    }
    sqlx::query("insert into stripe_sandbox.events (id, type, created, doc) values ($1, $2, $3, $4)")
        .bind(&id)
        .bind(kind)
        .bind(event["created"].as_i64())
        .bind(&event)
        .execute(&mut *conn)
        .await?;
    if told {
        enqueue(conn, &id, &controls).await?;
    }
    Ok(id)
}

/// The former values of the fields that differ, as `previous_attributes` has them.
pub fn changed(before: &Value, after: &Value) -> Value {
    let fields = before.as_object().into_iter().flatten().filter(|(field, value)| after[field.as_str()] != **value);
    Value::Object(fields.map(|(field, value)| (field.clone(), value.clone())).collect())
}

async fn enqueue(conn: &mut PgConnection, event: &str, controls: &Controls) -> sqlx::Result<()> {
    let dropped = controls.webhook_drop != 0;
    if controls.webhook_drop > 0 {
        sqlx::query("update stripe_sandbox.controls set webhook_drop = greatest(webhook_drop - 1, 0)")
            .execute(&mut *conn)
            .await?;
    }
    let state = match (dropped, controls.webhook_reorder) {
        (true, _) => "dropped",
        (false, true) => "held",
        (false, false) => "pending",
    };
    let copies = if dropped { 1 } else { 1 + controls.webhook_repeat };
    for copy in 0..copies {
        // copies come a little apart, as Stripe's own repeats do
        let wait = controls.webhook_delay_ms + if copy == 0 { 0 } else { i64::from(copy) * 40 + rand::rng().random_range(0..40) };
        sqlx::query(
            "insert into stripe_sandbox.deliveries (event_id, state, next_at) values ($1, $2, now() + make_interval(secs => $3::float8 / 1000))",
        )
        .bind(event)
        .bind(state)
        .bind(wait)
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}
