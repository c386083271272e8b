//! How an import is shown: what brings a file, how far it is, what became of its rows, and what can be done next.

use super::{HERE, SHOWN};
use crate::{
    error::FieldErrors,
    imports::{
        model::{ImportState, MAX_FILE},
        queries::{Import, ImportRow, RowError},
    },
    ui::{Badge, Empty, Notice, TableFrame, Tone, When},
};
use leptos::prelude::*;

/// `1,250`
pub fn grouped(count: i64) -> String {
    let digits = count.to_string();
    let lead = digits.len() % 3;
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && i % 3 == lead {
            text.push(',');
        }
        text.push(c);
    }
    text
}

/// `1 row`, `1,250 rows`
pub fn rows(count: i64) -> String {
    format!("{} {}", grouped(count), if count == 1 { "row" } else { "rows" })
}

/// The form that brings a file.
#[component]
pub fn Bring(errors: FieldErrors) -> impl IntoView {
    let said = errors.get("file").map(|e| view! { <p class="field-error" id="f-file-error">{e.to_owned()}</p> });
    let about = if said.is_some() { "f-file-hint f-file-error" } else { "f-file-hint" };
    let invalid = said.as_ref().map(|_| "true");
    view! {
        <form class="upload" method="post" enctype="multipart/form-data" action=HERE>
            <label for="f-file">"A file of products"</label>
            <input id="f-file" type="file" name="file" accept=".csv,.txt,.tsv,.gz,text/csv" required aria-invalid=invalid aria-describedby=about/>
            <button class="button-main">"Send it"</button>
            <p class="hint" id="f-file-hint">
                {format!(
                    "CSV in UTF-8 with the names of its columns in the first row, one row for each variant, up to {} MB; it may be packed with gzip. Next you say which column is which.",
                    MAX_FILE / 1024 / 1024
                )}
            </p>
            {said}
        </form>
        <p class="hint">
            "To change many products at once, "<a href="/vendor/products.csv" download>"export them"</a>
            ", change the file, and bring it here: rows that are as they were stay as they are."
        </p>
    }
}

fn words(state: ImportState) -> (Tone, &'static str) {
    match state {
        ImportState::Receiving | ImportState::Received => (Tone::Warn, "columns to choose"),
        ImportState::Checking => (Tone::Neutral, "being checked"),
        ImportState::Checked => (Tone::Warn, "checked"),
        ImportState::Importing => (Tone::Neutral, "under way"),
        ImportState::Done => (Tone::Good, "done"),
        ImportState::Cancelled => (Tone::Neutral, "cancelled"),
        ImportState::Failed => (Tone::Bad, "failed"),
    }
}

/// The imports of a vendor.
#[component]
pub fn ImportTable(rows: Vec<ImportRow>) -> impl IntoView {
    if rows.is_empty() {
        return view! { <Empty title="No imports yet"><p>"What you bring stands here for 30 days, with what became of its rows."</p></Empty> }
            .into_any();
    }
    let rows = rows
        .into_iter()
        .map(|row| {
            let (tone, label) = words(row.state);
            let of = if row.state.runs() || row.state == ImportState::Cancelled {
                format!("{} of {}", grouped(row.rows_done), grouped(row.rows_total))
            } else {
                grouped(row.rows_total)
            };
            // Before the import, these are what would become of the rows.
            let count = |n: i64| {
                matches!(row.state, ImportState::Importing | ImportState::Done | ImportState::Cancelled).then(|| grouped(n))
            };
            view! {
                <tr>
                    <th scope="row"><a href=format!("{HERE}/{}", row.id)>{row.file_name}</a></th>
                    <td><Badge tone=tone label=label/></td>
                    <td class="number">{of}</td>
                    <td class="number minor">{count(row.created)}</td>
                    <td class="number minor">{count(row.changed)}</td>
                    <td class="number minor">{count(row.refused)}</td>
                    <td class="minor"><When at=row.created_at/></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <TableFrame label="Imports">
            <table>
                <thead><tr>
                    <th scope="col">"File"</th>
                    <th scope="col">"State"</th>
                    <th scope="col" class="number">"Rows"</th>
                    <th scope="col" class="number minor">"New"</th>
                    <th scope="col" class="number minor">"Changed"</th>
                    <th scope="col" class="number minor">"Errors"</th>
                    <th scope="col" class="minor">"Brought"</th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </TableFrame>
    }
    .into_any()
}

/// How far it is, and what became of its rows, or would.
#[component]
pub fn Standing(import: Import) -> impl IntoView {
    let (done, total) = (import.rows_done, import.rows_total);
    let sentence = match import.state {
        ImportState::Receiving | ImportState::Received => String::new(),
        ImportState::Checking => "Every row is being checked. Nothing is changed by that, and you may leave this page.".into(),
        ImportState::Checked if import.created + import.changed > 0 => "Checked. Nothing has been changed yet.".into(),
        ImportState::Checked if import.unchanged > 0 => {
            "Checked. There is nothing to change: the shop has all of this already.".into()
        }
        ImportState::Checked => "Checked. There is no row that can be imported.".into(),
        ImportState::Importing => "The import is under way. You may leave this page; it goes on.".into(),
        ImportState::Done => "The import is done.".into(),
        ImportState::Cancelled => format!("Cancelled after {} of {}. What was done stays.", grouped(done), rows(total)),
        ImportState::Failed => import.failure.clone().unwrap_or_default(),
    };
    let said = match import.state {
        ImportState::Done => view! { <Notice tone=Tone::Good>{sentence}</Notice> }.into_any(),
        ImportState::Failed => view! { <Notice tone=Tone::Bad>{sentence}</Notice> }.into_any(),
        _ => view! { <p>{sentence}</p> }.into_any(),
    };
    let bar = import.state.runs().then(|| {
        view! {
            <div class="import-progress">
                <progress max=total value=done aria-label="Rows done"></progress>
                <p>{format!("{} of {}", grouped(done), rows(total))}</p>
            </div>
        }
    });
    let would_be = matches!(import.state, ImportState::Checking | ImportState::Checked);
    let numbers = [
        (if would_be { "Would be new" } else { "New" }, import.created),
        (if would_be { "Would change" } else { "Changed" }, import.changed),
        ("As they are", import.unchanged),
        ("Errors", import.refused),
    ]
    .map(|(label, count)| view! { <div><dt>{label}</dt> <dd>{grouped(count)}</dd></div> })
    .into_iter()
    .collect_view();
    let ended = import.finished_at.map(|at| view! { ", ended "<When at=at/> });
    view! {
        {said} {bar}
        <dl class="import-numbers">{numbers}</dl>
        <p class="hint">"Brought "<When at=import.created_at/>{ended}"."</p>
    }
}

/// What can be done next.
#[component]
pub fn Actions(import: Import) -> impl IntoView {
    let here = format!("{HERE}/{}", import.id);
    let post = |what: &str, label: String, main: bool| {
        view! {
            <form method="post" action=format!("{here}/{what}")><button class=main.then_some("button-main")>{label}</button></form>
        }
    };
    let to_do = import.created + import.changed;
    match import.state {
        ImportState::Checking => post("cancel", "Cancel the check".into(), false).into_any(),
        ImportState::Importing => post("cancel", "Cancel the import".into(), false).into_any(),
        ImportState::Checked => view! {
            {(to_do > 0).then(|| post("start", format!("Import {}", rows(to_do)), true))}
            <a class="button" href=format!("{here}/columns")>"Choose the columns anew"</a>
        }
        .into_any(),
        ImportState::Cancelled => post("start", "Go on with it".into(), true).into_any(),
        ImportState::Done => view! { <a class="button" href="/vendor/products">"See your products"</a> }.into_any(),
        _ => view! { <a class="button" href=HERE>"Bring another file"</a> }.into_any(),
    }
}

/// The first rows that were left out, and the way to all of them.
#[component]
pub fn ErrorTable(import: Import, rows: Vec<RowError>) -> impl IntoView {
    if rows.is_empty() {
        return ().into_any();
    }
    let shown = if import.refused > SHOWN { format!("The first {SHOWN} of {}.", grouped(import.refused)) } else { String::new() };
    let lines = rows
        .into_iter()
        .map(|row| {
            view! {
                <tr>
                    <td class="number">{row.line}</td>
                    <td>{if row.field.is_empty() { "the row".to_owned() } else { row.field }}</td>
                    <td>{row.message}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section class="import-errors" aria-labelledby="errors">
            <h2 id="errors">"Rows with errors"</h2>
            <p>
                "They are left out; the others are taken. " {shown} " "
                <a href=format!("{HERE}/{}/errors.csv", import.id) download>"All rows with errors as CSV"</a>
                ": mend them there, and bring that file."
            </p>
            <TableFrame label="Errors by row">
                <table>
                    <thead><tr>
                        <th scope="col" class="number">"Line"</th>
                        <th scope="col">"Column"</th>
                        <th scope="col">"What is wrong"</th>
                    </tr></thead>
                    <tbody>{lines}</tbody>
                </table>
            </TableFrame>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_as_people_write_them() {
        assert_eq!([0, 999, 1000, 123_456, 1_000_000].map(grouped), ["0", "999", "1,000", "123,456", "1,000,000"]);
        assert_eq!([rows(1), rows(1250)], ["1 row", "1,250 rows"]);
    }
}
