//! The forms of a return, as typed, and the one way to hand any of them in. `action` says which.

use super::super::{
    Actor, Deed, Receipt, act,
    model::{Act, BackCarrier, BackTracking, Party, ReturnDetail, Said},
    receive,
};
use crate::{
    error::{AppError, FieldErrors},
    ids::{OrderLineId, ReturnId},
    server::state::App,
    ui::{Field, TextArea},
};
use http::StatusCode;
use leptos::prelude::*;
use std::collections::{BTreeMap, HashMap};

/// What was typed: every text by the name of its field, and numbers of pieces by `received[{line}]` and `restock[{line}]`.
#[derive(Debug, Clone, Default)]
pub struct Typed(HashMap<String, String>);

impl Typed {
    fn get(&self, name: &str) -> String {
        self.0.get(name).cloned().unwrap_or_default()
    }

    fn said(&self, name: &str) -> Result<Said, AppError> {
        self.get(name).parse::<Said>().map_err(|e| AppError::field(name, e.to_string()))
    }

    fn deed(&self) -> Result<Deed, AppError> {
        Ok(match self.get("action").as_str() {
            "accept" => Deed::Accept(self.said("send_to")?),
            "refuse" => Deed::Refuse(self.said("why_not")?),
            "ask" => Deed::Ask(self.said("question")?),
            "answer" => Deed::Answer(self.said("answer")?),
            "appeal" => Deed::Appeal(self.said("objection")?),
            "withdraw" => Deed::Withdraw,
            "send" => {
                let mut errors = FieldErrors::default();
                let carrier = errors.take("carrier", self.get("carrier").parse::<BackCarrier>());
                let tracking = errors.take("tracking", self.get("tracking").parse::<BackTracking>());
                match (carrier, tracking) {
                    (Some(carrier), Some(tracking)) => Deed::Send { carrier, tracking },
                    _ => return Err(errors.into()),
                }
            }
            _ => return Err(AppError::BadRequest("That cannot be done with a return.".into())),
        })
    }

    fn receipts(&self) -> Result<BTreeMap<OrderLineId, Receipt>, AppError> {
        let mut errors = FieldErrors::default();
        let mut receipts = BTreeMap::new();
        for name in self.0.keys() {
            let Some(line) = name.strip_prefix("received[").and_then(|n| n.strip_suffix(']')).and_then(|id| id.parse().ok())
            else {
                continue;
            };
            let mut pieces = |name: String| match self.get(&name).trim() {
                "" => 0,
                typed => typed.parse::<i32>().ok().filter(|n| (0..=999).contains(n)).unwrap_or_else(|| {
                    errors.add(&name, "Write a whole number of pieces.");
                    0
                }),
            };
            let received = pieces(name.clone());
            let restocked = pieces(format!("restock[{line}]"));
            receipts.insert(line, Receipt { received, restocked });
        }
        errors.check()?;
        Ok(receipts)
    }
}

/// What became of a form.
pub enum Outcome {
    /// Done, and what to say about it.
    Done(&'static str),
    /// Not done: the page again, with this.
    No(Typed, FieldErrors, StatusCode),
}

/// Hands a form in.
pub async fn submit(app: &App, by: Actor<'_>, id: ReturnId, pairs: Vec<(String, String)>) -> Result<Outcome, AppError> {
    let typed = Typed(pairs.into_iter().collect());
    let received = typed.get("action") == "receive";
    let done = if received {
        match typed.receipts() {
            Ok(receipts) => receive(app, by, id, &receipts).await,
            Err(error) => Err(error),
        }
    } else {
        match typed.deed() {
            Ok(deed) => act(app, by, id, &deed).await,
            Err(error) => Err(error),
        }
    };
    match done {
        Ok(()) if received => Ok(Outcome::Done("Received. The money goes back, and the shopper has been told.")),
        Ok(()) if by.party() == Party::Shopper => Ok(Outcome::Done("Done.")),
        Ok(()) => Ok(Outcome::Done("Done. The shopper has been told.")),
        Err(error @ (AppError::Invalid(_) | AppError::Conflict(_))) => {
            let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::CONFLICT);
            let errors = match error {
                AppError::Invalid(errors) => errors,
                other => FieldErrors::one("", other.to_string()),
            };
            Ok(Outcome::No(typed, errors, status))
        }
        Err(error) => Err(error),
    }
}

/// Everything that this party may do with a return now. `action` is the address of all of it.
#[component]
pub fn Forms<'a>(
    detail: &'a ReturnDetail,
    by: Party,
    action: String,
    typed: Typed,
    errors: FieldErrors,
) -> impl IntoView + use<> {
    let may = |act| detail.may(by, act);
    let said = |name: &'static str,
                label: &'static str,
                hint: &'static str,
                value: &'static str,
                button: &'static str,
                main: bool| {
        let written = match typed.get(name) {
            empty if empty.is_empty() && name == "send_to" => detail.send_to.clone(),
            written => written,
        };
        view! {
            <form method="post" action=action.clone() class="decision">
                <TextArea label=label name=name value=written errors=errors.clone() hint=hint rows=3 required=true maxlength=Said::MAX/>
                <button class=if main { "button-main" } else { "" } name="action" value=value>{button}</button>
            </form>
        }
    };
    let accept = may(Act::Accept).then(|| {
        said(
            "send_to",
            "Where to send it",
            "The shopper reads this address, and sends the goods there.",
            "accept",
            "Accept the return",
            true,
        )
    });
    let ask = may(Act::Ask).then(|| said("question", "A question to the shopper", "", "ask", "Ask", false));
    let refuse =
        may(Act::Refuse).then(|| said("why_not", "Why not", "The shopper reads this.", "refuse", "Refuse the return", false));
    let answer = may(Act::Answer).then(|| said("answer", "Your answer", "", "answer", "Send the answer", true));
    let appeal = may(Act::Appeal).then(|| {
        said("objection", "What we should know", "We look at it ourselves, and decide.", "appeal", "Ask Souk to decide", true)
    });
    let send = may(Act::Send).then(|| {
        view! {
            <form method="post" action=action.clone() class="decision">
                <Field label="Carrier" name="carrier" value=typed.get("carrier") errors=errors.clone() maxlength=BackCarrier::MAX/>
                <Field label="Tracking number" name="tracking" value=typed.get("tracking") errors=errors.clone() maxlength=BackTracking::MAX/>
                <button class="button-main" name="action" value="send">"I have sent it"</button>
            </form>
        }
    });
    let receive = may(Act::Receive)
        .then(|| view! { <ReceiveForm detail=detail action=action.clone() typed=typed.clone() errors=errors.clone()/> });
    let withdraw = may(Act::Withdraw).then(|| {
        view! {
            <form method="post" action=action.clone()>
                <button class="button-quiet" name="action" value="withdraw">"I keep it: withdraw this return"</button>
            </form>
        }
    });
    view! { <div class="return-forms">{receive} {accept} {answer} {appeal} {send} {ask} {refuse} {withdraw}</div> }
}

/// What came, line by line.
#[component]
fn ReceiveForm<'a>(detail: &'a ReturnDetail, action: String, typed: Typed, errors: FieldErrors) -> impl IntoView + use<> {
    let number = |name: String, label: String, default: String| {
        let value = typed.0.get(&name).cloned().unwrap_or(default);
        let error = errors.get(&name).map(|e| view! { <p class="field-error" id=format!("f-{name}-error")>{e.to_owned()}</p> });
        view! {
            <div class="field">
                <label for=format!("f-{name}")>{label}</label>
                <input id=format!("f-{name}") name=name.clone() value=value inputmode="numeric" autocomplete="off"
                    aria-invalid=error.as_ref().map(|_| "true") aria-describedby=error.as_ref().map(|_| format!("f-{name}-error"))/>
                {error}
            </div>
        }
    };
    let rows = detail
        .lines
        .iter()
        .map(|line| {
            let id = line.line;
            let quantity = line.quantity;
            view! {
                <fieldset class="receipt">
                    <legend>{line.title.clone()}</legend>
                    {number(format!("received[{id}]"), format!("Came, of {quantity}"), quantity.to_string())}
                    {number(format!("restock[{id}]"), "Back on the shelf".into(), "0".into())}
                </fieldset>
            }
        })
        .collect_view();
    view! {
        <form method="post" action=action class="ship-form">
            <h2>"What came"</h2>
            {rows}
            <button class="button-main" name="action" value="receive">"Confirm and pay back"</button>
            <p class="hint">
                "The shopper gets the money for the pieces that came; for shipping, too, when with them the whole parcel is back. That cannot be undone."
            </p>
        </form>
    }
}
