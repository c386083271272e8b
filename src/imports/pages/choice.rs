//! The form that says which column of a file is which of ours.

use crate::{
    catalog::import::{COLUMNS, Places},
    error::FieldErrors,
    ids::CategoryId,
    imports::{
        model::{self, ASKED},
        queries::Import,
    },
    ui::{Notice, Select, Tone},
};
use leptos::prelude::*;

/// The name of the field that puts all rows into one category.
const ALL_IN: &str = "all_in";

/// What the form asks: label and hint, in the order of [`COLUMNS`].
const ASKS: [(&str, &str); ASKED] = [
    ("SKU", "Your own number of the variant. It tells a new row from one that the shop has."),
    ("Title", "Of the product, up to 200 characters."),
    ("Description", "Plain text. Without a column, products of the shop keep theirs."),
    ("Category", "Its name, or as it stands in its address."),
    ("Price", "With VAT: 12.50 or 12,50."),
    ("Currency", "Only where the file has one."),
    ("Stock", "Units on hand. It is never set below what unpaid orders hold."),
    ("Options", "Size=M; Colour=Red: rows of one title are then the variants of one product."),
];

/// What was chosen, as the form sends it.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// A number of a column, or nothing, for each of [`COLUMNS`] that is asked for.
    columns: [String; ASKED],
    all_in: String,
}

impl Choice {
    pub fn of(places: &Places, category: Option<CategoryId>) -> Self {
        let text = |i: usize| places.get(i).copied().flatten().map(|at| at.to_string()).unwrap_or_default();
        Self { columns: std::array::from_fn(text), all_in: category.map(|id| id.to_string()).unwrap_or_default() }
    }

    pub fn guessed(import: &Import) -> Self {
        Self::of(&model::guess(model::own_columns(&import.header)), None)
    }

    pub fn from_pairs(pairs: Vec<(String, String)>) -> Self {
        let mut choice = Self::default();
        for (name, value) in pairs {
            if name == ALL_IN {
                choice.all_in = value;
            } else if let Some(place) = COLUMNS.iter().zip(&mut choice.columns).find_map(|(c, at)| (*c == name).then_some(at)) {
                *place = value;
            }
        }
        choice
    }

    /// Where each of ours stands, and the category of all rows where no column says it.
    pub fn parse(
        &self,
        import: &Import,
        categories: &[(CategoryId, String)],
    ) -> Result<(Places, Option<CategoryId>), FieldErrors> {
        let mut errors = FieldErrors::default();
        let mut places: Places = [None; COLUMNS.len()];
        let all_in = match self.all_in.as_str() {
            "" => None,
            id => {
                let known = id.parse().ok().filter(|id| categories.iter().any(|(known, _)| known == id));
                if known.is_none() {
                    errors.add(ALL_IN, "There is no such category.");
                }
                known
            }
        };
        for ((column, text), place) in COLUMNS.into_iter().zip(&self.columns).zip(&mut places) {
            match text.as_str() {
                "" if column == "category" && self.all_in.is_empty() => {
                    errors.add(column, "Choose a column, or one category for all rows.");
                }
                "" if column != "category" && model::is_needed(column) => {
                    errors.add(column, "Choose a column: this one is needed.")
                }
                "" => {}
                text => match text.parse().ok().filter(|at| *at < import.header.len()) {
                    Some(at) => *place = Some(at),
                    None => errors.add(column, "This file has no such column."),
                },
            }
        }
        if errors.is_empty() { Ok((places, all_in)) } else { Err(errors) }
    }
}

/// Each of our columns beside a choice of theirs, each with a first value.
#[component]
pub fn ChoiceFields(
    import: Import,
    choice: Choice,
    /// The choice is that of the last file with these names
    from_before: bool,
    categories: Vec<(CategoryId, String)>,
    errors: FieldErrors,
) -> impl IntoView {
    let theirs: Vec<(String, String)> = import
        .header
        .iter()
        .zip(&import.examples)
        .enumerate()
        .map(|(i, (name, example))| {
            let name = if name.is_empty() { format!("Column {}", i + 1) } else { name.clone() };
            (i.to_string(), if example.is_empty() { name } else { format!("{name} — {example}") })
        })
        .collect();
    let all_in = choice.all_in;
    let fields = COLUMNS
        .into_iter()
        .zip(ASKS)
        .zip(choice.columns)
        .map(|((column, (label, hint)), value)| {
            let none = if model::is_needed(column) { "Please choose" } else { "None" };
            let mut options =
                vec![(String::new(), if column == "category" { "None: one for all rows" } else { none }.to_owned())];
            options.extend(theirs.iter().cloned());
            let all = (column == "category").then(|| {
                let mut options = vec![(String::new(), "As the column says".to_owned())];
                options.extend(categories.iter().map(|(id, label)| (id.to_string(), label.clone())));
                view! {
                    <Select label="Category of all rows" name=ALL_IN options=options value=all_in.clone() errors=errors.clone()
                        hint="Used where no column is chosen for it."/>
                }
            });
            view! {
                <Select label=label name=column options=options value=value errors=errors.clone() hint=hint/>
                {all}
            }
        })
        .collect_view();
    let rows = super::views::rows(import.rows_total);
    let back = (import.state == model::ImportState::Checked)
        .then(|| view! { <a class="button button-quiet" href=format!("{}/{}", super::HERE, import.id)>"Leave it as it was"</a> });
    view! {
        <p class="hint">{format!("{}, {rows} and {} columns.", import.file_name, import.header.len())}</p>
        {from_before.then(|| view! { <Notice tone=Tone::Neutral>"As you chose last time for a file with these columns."</Notice> })}
        <form class="mapping" method="post" action=format!("{}/{}/columns", super::HERE, import.id)>
            {fields}
            <p class="hint">"Next, every row is checked. Nothing is changed by that."</p>
            <div class="actions"><button class="button-main">"Check the file"</button> {back}</div>
        </form>
    }
}
