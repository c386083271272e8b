//! Form controls. Each has a label, keeps what was typed, and says its error beside itself.

use crate::error::FieldErrors;
use leptos::prelude::*;

/// A labelled one-line input. `value` is what was typed or stored; the error of `name` in `errors` stands below it.
#[component]
pub fn Field(
    #[prop(into)] label: String,
    #[prop(into)] name: String,
    #[prop(default = "text")] kind: &'static str,
    #[prop(into, optional)] value: String,
    #[prop(optional)] errors: FieldErrors,
    #[prop(into, optional)] hint: String,
    /// `email`, `current-password`, `shipping postal-code` ...: WHATWG autofill names
    #[prop(optional)]
    autocomplete: &'static str,
    /// `numeric`, `decimal`, `email`: which keyboard a phone shows
    #[prop(optional)]
    inputmode: &'static str,
    #[prop(optional)] required: bool,
    #[prop(optional)] maxlength: u32,
    /// Where a name occurs in several forms of a page
    #[prop(into, optional)]
    id: String,
) -> impl IntoView {
    let id = if id.is_empty() { format!("f-{name}") } else { id };
    let about = about(&id, &hint, errors.get(&name));
    view! {
        <div class="field">
            <label for=id.clone()>{label} {(!required).then(|| view! { <span class="optional">" optional"</span> })}</label>
            <input
                id=id
                name=name
                type=kind
                value=value
                required=required
                maxlength=(maxlength > 0).then_some(maxlength)
                autocomplete=some(autocomplete)
                inputmode=some(inputmode)
                aria-invalid=about.invalid
                aria-describedby=about.ids
            />
            {about.view}
        </div>
    }
}

/// A labelled text area. The text is escaped here: leptos does not escape the children of a `textarea`.
#[component]
pub fn TextArea(
    #[prop(into)] label: String,
    #[prop(into)] name: String,
    #[prop(into, optional)] value: String,
    #[prop(optional)] errors: FieldErrors,
    #[prop(into, optional)] hint: String,
    #[prop(default = 5)] rows: u32,
    #[prop(optional)] required: bool,
    #[prop(optional)] maxlength: u32,
) -> impl IntoView {
    let id = format!("f-{name}");
    let about = about(&id, &hint, errors.get(&name));
    view! {
        <div class="field">
            <label for=id.clone()>{label} {(!required).then(|| view! { <span class="optional">" optional"</span> })}</label>
            <textarea
                id=id
                name=name
                rows=rows
                required=required
                maxlength=(maxlength > 0).then_some(maxlength)
                aria-invalid=about.invalid
                aria-describedby=about.ids
                inner_html=escape_text(&value)
            ></textarea>
            {about.view}
        </div>
    }
}

/// A labelled choice; `options` are `(value, label)`.
#[component]
pub fn Select(
    #[prop(into)] label: String,
    #[prop(into)] name: String,
    options: Vec<(String, String)>,
    #[prop(into, optional)] value: String,
    #[prop(optional)] errors: FieldErrors,
    #[prop(into, optional)] hint: String,
    #[prop(optional)] autocomplete: &'static str,
    #[prop(into, optional)] id: String,
) -> impl IntoView {
    let id = if id.is_empty() { format!("f-{name}") } else { id };
    let about = about(&id, &hint, errors.get(&name));
    let options = options
        .into_iter()
        .map(|(v, l)| {
            let selected = v == value;
            view! { <option value=v selected=selected>{l}</option> }
        })
        .collect_view();
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <select id=id name=name autocomplete=some(autocomplete) aria-invalid=about.invalid aria-describedby=about.ids>
                {options}
            </select>
            {about.view}
        </div>
    }
}

/// A checkbox with its label to the right; sends `on` when ticked.
#[component]
pub fn Checkbox(
    #[prop(into)] label: String,
    #[prop(into)] name: String,
    #[prop(default = "on".to_owned(), into)] value: String,
    #[prop(optional)] checked: bool,
) -> impl IntoView {
    view! {
        <label class="check">
            <input type="checkbox" name=name value=value checked=checked/>
            <span>{label}</span>
        </label>
    }
}

/// What a field is called in the summary, from the name of its control: `postal_code` is "Postcode". Names that carry an
/// id or a number have none: their messages say what they are about.
fn field_name(field: &str) -> Option<String> {
    match field {
        "line1" => Some("Address".into()),
        "line2" => Some("Address, second line".into()),
        "postal_code" => Some("Postcode".into()),
        "email" => Some("E-mail".into()),
        "sku" => Some("SKU".into()),
        "alt" => Some("Description of the picture".into()),
        "" | "address_id" => None,
        name if name.chars().all(|c| c.is_ascii_lowercase() || c == '_') => {
            let words = name.replace('_', " ");
            let mut letters = words.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect())
        }
        _ => None,
    }
}

/// What stands above a form that was refused: every error with its field's name, as a link to the field. Takes the focus when the page opens.
#[component]
pub fn ErrorSummary(errors: FieldErrors) -> impl IntoView {
    let links = errors
        .iter()
        .map(|(field, message)| {
            let message = match field_name(field) {
                Some(name) => format!("{name}: {message}"),
                None => message.to_owned(),
            };
            if field.is_empty() {
                view! { <li>{message}</li> }.into_any()
            } else {
                view! { <li><a href=format!("#f-{field}")>{message}</a></li> }.into_any()
            }
        })
        .collect_view();
    (!errors.is_empty()).then(|| {
        view! {
            <div class="error-summary" role="alert" tabindex="-1" data-autofocus>
                <p><strong>"Please check what you entered"</strong></p>
                <ul>{links}</ul>
            </div>
        }
    })
}

/// The text of a `textarea` or `pre`, safe to place in HTML.
pub fn escape_text(text: &str) -> String {
    // A leading newline would be swallowed by the parser.
    let lead = if text.starts_with('\n') { "\n" } else { "" };
    format!("{lead}{}", text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"))
}

fn some(text: &'static str) -> Option<&'static str> {
    (!text.is_empty()).then_some(text)
}

struct About {
    invalid: Option<&'static str>,
    ids: Option<String>,
    view: AnyView,
}

fn about(id: &str, hint: &str, error: Option<&str>) -> About {
    let (hint_id, error_id) = (format!("{id}-hint"), format!("{id}-error"));
    let mut ids = Vec::new();
    if !hint.is_empty() {
        ids.push(hint_id.clone());
    }
    if error.is_some() {
        ids.push(error_id.clone());
    }
    let hint = (!hint.is_empty()).then(|| view! { <p class="hint" id=hint_id>{hint.to_owned()}</p> });
    let shown = error.map(|e| view! { <p class="field-error" id=error_id>{e.to_owned()}</p> });
    About {
        invalid: error.map(|_| "true"),
        ids: (!ids.is_empty()).then(|| ids.join(" ")),
        view: view! { {hint} {shown} }.into_any(),
    }
}
