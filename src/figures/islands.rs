//! What sharpens a chart of days: one day under the pointer, or as many as it is drawn over, and the same with the arrow keys.

use crate::{money::Money, vendors::model::CURRENCY};
use leptos::{ev, html, prelude::*, wasm_bindgen::JsCast};
use serde::{Deserialize, Serialize};

/// One day of the chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// `3 Nov`
    pub day: String,
    /// In minor units of the vendors' currency.
    pub revenue_minor: i64,
    pub orders: i64,
    pub pieces: i64,
}

/// Lies over the bars. Without script it is not there, and the table below says the same.
#[island]
pub fn DayCursor(points: Vec<Point>) -> impl IntoView {
    let count = points.len();
    let last = count.saturating_sub(1);
    let points = StoredValue::new(points);
    // Where marking began and where it is; both the same for one day.
    let marked = RwSignal::new(None::<(usize, usize)>);
    let drawing = RwSignal::new(false);
    let awake = RwSignal::new(false);
    let ground = NodeRef::<html::Div>::new();
    Effect::new(move || awake.set(true));

    let place = move |event: &ev::PointerEvent| {
        let width = ground.get_untracked().map_or(0, |ground| ground.offset_width()).max(1);
        usize::try_from(i64::from(event.offset_x().max(0)) * count as i64 / i64::from(width)).unwrap_or(0).min(last)
    };
    let down = move |event: ev::PointerEvent| {
        if let Some(ground) = event.current_target().and_then(|target| target.dyn_into::<web_sys::Element>().ok()) {
            _ = ground.set_pointer_capture(event.pointer_id());
        }
        drawing.set(true);
        marked.set(Some((place(&event), place(&event))));
    };
    let over = move |event: ev::PointerEvent| {
        let here = place(&event);
        marked.update(|marked| match marked {
            Some((_, to)) if drawing.get_untracked() => *to = here,
            Some((from, to)) if from != to => {}
            _ => *marked = Some((here, here)),
        });
    };
    let up = move |_| drawing.set(false);
    let leave = move |_| {
        // What was drawn over stays, to be read.
        if marked.get_untracked().is_some_and(|(from, to)| from == to) {
            marked.set(None);
        }
    };
    let key = move |event: ev::KeyboardEvent| {
        let (from, to) = marked.get_untracked().unwrap_or((last, last));
        let moved = match event.key().as_str() {
            "ArrowLeft" | "ArrowDown" => to.saturating_sub(1),
            "ArrowRight" | "ArrowUp" => (to + 1).min(last),
            "Home" => 0,
            "End" => last,
            "Escape" => return marked.set(None),
            _ => return,
        };
        event.prevent_default();
        marked.set(Some((if event.shift_key() { from } else { moved }, moved)));
    };
    let said = move || marked.get().map(|(from, to)| points.with_value(|points| say(points, from.min(to), from.max(to))));
    let mark = move || {
        let (from, to) = marked.get().map(|(from, to)| (from.min(to), from.max(to)))?;
        let part = |n: usize| n as f64 * 100.0 / count.max(1) as f64;
        Some(format!("inset-inline-start: {:.3}%; inline-size: {:.3}%", part(from), part(to + 1 - from)))
    };
    view! {
        <div class="chart-cursor" hidden=move || !awake.get()>
            <div node_ref=ground class="chart-ground" role="slider" tabindex="0" aria-label="Day; hold Shift to mark several"
                aria-valuemin="1" aria-valuemax=count aria-valuenow=move || marked.get().map_or(count, |(_, to)| to + 1)
                aria-valuetext=move || said().unwrap_or_default()
                on:pointerdown=down on:pointermove=over on:pointerup=up on:pointerleave=leave on:keydown=key>
                <span class="chart-mark" style=move || mark().unwrap_or_default() hidden=move || marked.get().is_none()></span>
            </div>
            <p class="chart-said">{move || said().unwrap_or_else(|| "Point at a day, or draw over several.".to_owned())}</p>
        </div>
    }
}

/// `3 Nov – 9 Nov: £1,234.00, 18 orders, 25 pieces`
fn say(points: &[Point], from: usize, to: usize) -> String {
    let Some(all) = points.get(from..=to) else { return String::new() };
    let sum = |of: fn(&Point) -> i64| all.iter().map(of).sum::<i64>();
    let days = match all {
        [one] => one.day.clone(),
        [first, .., last] => format!("{} – {}", first.day, last.day),
        [] => String::new(),
    };
    let count = |n: i64, one: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") };
    format!(
        "{days}: {}, {}, {}",
        Money::new(sum(|p| p.revenue_minor), CURRENCY),
        count(sum(|p| p.orders), "order"),
        count(sum(|p| p.pieces), "piece")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_and_several_are_said_in_words() {
        let point = |day: &str, n: i64| Point { day: day.into(), revenue_minor: n * 1050, orders: n, pieces: 2 * n };
        let points = [point("1 Nov", 1), point("2 Nov", 0), point("3 Nov", 2)];
        assert_eq!(say(&points, 0, 0), "1 Nov: £10.50, 1 order, 2 pieces");
        assert_eq!(say(&points, 0, 2), "1 Nov – 3 Nov: £31.50, 3 orders, 6 pieces");
        assert_eq!(say(&points, 2, 9), "");
    }
}
