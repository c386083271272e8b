//! What the lists of the desk have in common: a filter, a table or what stands in its place, and the way to the next page.

use crate::{
    accounts::Email,
    operator::queries::Rows,
    ui::{Empty, NextPage, TableFrame, escape_text},
};
use leptos::prelude::*;

/// What stands over a column.
#[derive(Debug, Clone, Copy)]
pub enum Head {
    Text(&'static str),
    /// Over numbers, which end where it ends.
    Number(&'static str),
    /// Over what is left out where there is little room; its cells have the class `minor`.
    Minor(&'static str),
    /// For those who do not see what the column is for.
    Unseen(&'static str),
}

impl Head {
    fn cell(self) -> AnyView {
        match self {
            Head::Text(label) => view! { <th scope="col">{label}</th> }.into_any(),
            Head::Number(label) => view! { <th scope="col" class="number">{label}</th> }.into_any(),
            Head::Minor(label) => view! { <th scope="col" class="minor">{label}</th> }.into_any(),
            Head::Unseen(label) => view! { <th scope="col"><span class="visually-hidden">{label}</span></th> }.into_any(),
        }
    }
}

/// A table in its frame; its children are the rows. `label` says what is in it.
#[component]
pub fn Table(#[prop(into)] label: String, #[prop(optional)] head: &'static [Head], children: Children) -> impl IntoView {
    let head = (!head.is_empty()).then(|| view! { <thead><tr>{head.iter().map(|h| h.cell()).collect_view()}</tr></thead> });
    view! { <TableFrame label=label><table>{head}<tbody>{children()}</tbody></table></TableFrame> }
}

/// A page of a list, drawn row by row; where nothing is on it, `none` and `hint` say what would be.
#[component]
pub fn List<T, V>(
    list: Rows<T>,
    row: fn(T) -> V,
    label: &'static str,
    head: &'static [Head],
    none: &'static str,
    hint: &'static str,
    /// from [`next_page`]
    next: Option<String>,
) -> impl IntoView
where
    T: 'static,
    V: IntoView + 'static,
{
    if list.rows.is_empty() {
        return view! { <Empty title=none><p>{hint}</p></Empty> }.into_any();
    }
    let rows = list.rows.into_iter().map(row).collect_view();
    view! { <Table label=label head=head>{rows}</Table> <NextPage href=next/> }.into_any()
}

/// What a program said, folded away: for those who look for a fault. Nothing where it is empty.
#[component]
pub fn Raw(#[prop(into)] label: String, json: serde_json::Value) -> impl IntoView {
    let empty = json.is_null() || json.as_object().is_some_and(|o| o.is_empty());
    let pretty = serde_json::to_string_pretty(&json).unwrap_or_default();
    (!empty).then(|| {
        view! {
            <details class="raw">
                <summary>{label}</summary>
                <pre class="payload" tabindex="0" role="region" aria-label="As it is stored" inner_html=escape_text(&pretty)></pre>
            </details>
        }
    })
}

/// The address of the page after this one: the same filters, and `after` of the last row. `None` on the last page.
pub fn next_page<T>(path: &str, filters: &[(&str, &str)], list: &Rows<T>, after: impl Fn(&T) -> String) -> Option<String> {
    let after = after(list.rows.last().filter(|_| list.more)?);
    let pairs: Vec<_> = filters.iter().copied().filter(|(_, v)| !v.is_empty()).chain([("after", after.as_str())]).collect();
    serde_urlencoded::to_string(pairs).ok().map(|query| format!("{path}?{query}"))
}

/// A filter as a row of links, the present one marked.
#[component]
pub fn Tabs(
    path: &'static str,
    #[prop(default = "status")] name: &'static str,
    choices: &'static [(&'static str, &'static str)],
    chosen: String,
    #[prop(into)] label: String,
) -> impl IntoView {
    let links = choices
        .iter()
        .map(|(value, text)| {
            let href = if value.is_empty() { path.to_owned() } else { format!("{path}?{name}={value}") };
            view! { <li><a href=href aria-current=(*value == chosen).then_some("true")>{*text}</a></li> }
        })
        .collect_view();
    view! { <nav class="tabs" aria-label=label><ul>{links}</ul></nav> }
}

/// The most characters of what is looked for: an e-mail address may be that long.
pub const FIND_MAX: u32 = Email::MAX;

/// A filter that is typed, with further fields as children. `label` says what is looked for, `by` what one types.
#[component]
pub fn Finder(
    label: &'static str,
    by: &'static str,
    find: String,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <form class="finder" role="search" aria-label=label>
            <div class="field">
                <label for="find">{by}</label>
                <input id="find" name="find" type="search" value=find maxlength=FIND_MAX/>
            </div>
            {children.map(|c| c())}
            <button type="submit">"Find"</button>
        </form>
    }
}
