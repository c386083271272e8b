//! When the shop is on holiday: a part of the shop's page with a form of its own.

use super::shop::{HERE, refuse_holiday};
use crate::{
    error::{AppError, FieldErrors},
    server::{auth::Manager, flash, state::App},
    text,
    ui::{Field, Notice, TextArea, Tone},
    vendors::{
        desk::Desk,
        holiday,
        model::{Holiday, HolidayDraft, HolidayMessage, LONGEST_HOLIDAY, day_words},
    },
};
use axum::{
    extract::{Form, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use serde::Deserialize;
use time::{Date, OffsetDateTime};
use tower_sessions::Session;

#[derive(Deserialize, Clone, Default)]
#[serde(default)]
pub struct HolidayForm {
    holiday_from: String,
    holiday_until: String,
    holiday_message: String,
}

impl HolidayForm {
    pub fn of(holiday: &Holiday) -> Self {
        Self {
            holiday_from: holiday.from.to_string(),
            holiday_until: holiday.until.to_string(),
            holiday_message: holiday.message.clone(),
        }
    }

    /// `None` where no day is named: no holiday.
    fn read(&self, today: Date) -> Result<Option<HolidayDraft>, FieldErrors> {
        let mut errors = FieldErrors::default();
        let from = errors.take("holiday_from", text::day(&self.holiday_from));
        let until = errors.take("holiday_until", text::day(&self.holiday_until));
        let message = errors.take("holiday_message", self.holiday_message.parse::<HolidayMessage>());
        let (Some(from), Some(until), Some(message)) = (from, until, message) else { return Err(errors) };
        match (from, until) {
            (None, None) => return Ok(None),
            (Some(_), None) => errors.add("holiday_until", "Say until when, or leave both days empty"),
            (None, Some(_)) => errors.add("holiday_from", "Say from when, or leave both days empty"),
            (Some(from), Some(until)) if until < from => errors.add("holiday_until", "Not before the first day"),
            (Some(_), Some(until)) if until < today => errors.add("holiday_until", "This day is over"),
            (Some(from), Some(until)) if (until - from).whole_days() > LONGEST_HOLIDAY => {
                errors.add("holiday_until", "A holiday is a year at most");
            }
            (Some(from), Some(until)) => return Ok(Some(HolidayDraft { from, until, message })),
        }
        Err(errors)
    }
}

/// `POST /vendor/shop/holiday`
pub async fn save(
    State(app): State<App>,
    Desk(vendor): Desk<Manager>,
    session: Session,
    Form(form): Form<HolidayForm>,
) -> Result<Response, AppError> {
    let today = OffsetDateTime::now_utc().date();
    match form.read(today) {
        Ok(draft) => {
            holiday::set(&app.pool, &vendor, draft.as_ref()).await?;
            let said = match &draft {
                None => "No holiday: your goods can be bought.".to_owned(),
                Some(h) if h.from > today => format!("Saved. Your goods cannot be bought from {} on.", day_words(h.from)),
                Some(h) => format!("You are on holiday. Your goods can be bought again after {}.", day_words(h.until)),
            };
            flash::put(&session, &said).await?;
            Ok(Redirect::to(HERE).into_response())
        }
        Err(errors) => refuse_holiday(&app, &vendor, form, errors).await,
    }
}

#[component]
pub fn HolidayFields(form: HolidayForm, errors: FieldErrors) -> impl IntoView {
    view! {
        <section class="holiday" aria-labelledby="holiday">
            <h2 id="holiday">"Holiday"</h2>
            <p class="hint">"On these days your goods are shown and cannot be bought. What was ordered before waits for you as ever. Without days there is no holiday."</p>
            <form method="post" action=format!("{HERE}/holiday") class="shop-form">
                <div class="field-row">
                    <Field label="First day" name="holiday_from" kind="date" value=form.holiday_from errors=errors.clone() hint="Days are in UTC."/>
                    <Field label="Last day" name="holiday_until" kind="date" value=form.holiday_until errors=errors.clone()/>
                </div>
                <TextArea label="What shoppers read meanwhile" name="holiday_message" value=form.holiday_message errors=errors rows=3
                    maxlength=HolidayMessage::MAX/>
                <button class="button-main">"Save the holiday"</button>
            </form>
        </section>
    }
}

/// On the desk's first page: that the shop is away, or soon will be.
#[component]
pub fn HolidayNote(holiday: Option<Holiday>, edits: bool) -> impl IntoView {
    let today = OffsetDateTime::now_utc().date();
    holiday.map(|h| {
        let text = if h.from > today {
            format!("Your goods cannot be bought from {} to {}: you are on holiday then. ", day_words(h.from), day_words(h.until))
        } else {
            format!("You are on holiday: your goods can be bought again after {}. ", day_words(h.until))
        };
        let link = edits.then(|| view! { <a href="/vendor/shop#holiday">"Change it"</a> });
        view! { <Notice tone=Tone::Warn>{text} {link}</Notice> }
    })
}

#[cfg(test)]
mod tests {
    use super::HolidayForm;
    use time::macros::date;

    #[test]
    fn a_holiday_has_both_days_in_their_order_and_is_not_over() {
        let read = |from: &str, until: &str| {
            let form = HolidayForm { holiday_from: from.into(), holiday_until: until.into(), holiday_message: String::new() };
            form.read(date!(2026 - 11 - 26))
                .map(|h| h.map(|h| (h.from, h.until)))
                .map_err(|e| e.iter().map(|(field, _)| field.to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(read("", ""), Ok(None));
        assert_eq!(read("2026-11-20", "2026-11-26"), Ok(Some((date!(2026 - 11 - 20), date!(2026 - 11 - 26)))));
        for (from, until, field) in [
            ("2026-11-26", "", "holiday_until"),
            ("", "2026-11-26", "holiday_from"),
            ("2026-11-28", "2026-11-27", "holiday_until"),
            ("2026-11-20", "2026-11-25", "holiday_until"),
            ("2026-11-26", "2028-01-01", "holiday_until"),
            ("soon", "2026-11-27", "holiday_from"),
        ] {
            assert_eq!(read(from, until), Err(vec![field.to_owned()]), "{from} {until}");
        }
    }
}
