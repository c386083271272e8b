//! How what a cell cannot hold by itself is written, for export and import alike: what one writes the other reads back.

use std::borrow::Cow;

/// A spreadsheet takes a cell that begins so for a formula, and runs it.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// Whether it begins with a formula, or with apostrophes before one.
fn is_formula(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(FORMULA)
}

/// The text with an apostrophe before it where a spreadsheet would run it. [`unguarded`] takes it away again.
pub fn guarded(text: &str) -> Cow<'_, str> {
    if is_formula(text) { format!("'{text}").into() } else { text.into() }
}

/// The text without the apostrophe of [`guarded`].
pub fn unguarded(text: &str) -> &str {
    text.strip_prefix('\'').filter(|rest| is_formula(rest)).unwrap_or(text)
}

/// A cell of a file that somebody brought, safe to open: as it was, guarded where it is a formula and no number. Read again it is the
/// same, because what has its apostrophe already is left alone.
pub fn opened(text: &str) -> Cow<'_, str> {
    let number = text.strip_prefix(['+', '-']).is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b',')));
    if text.starts_with(FORMULA) && !number { format!("'{text}").into() } else { text.into() }
}

/// `Size=M; Colour=Red`, with `\` before what would end a name or a value.
pub fn options(names: &[String], values: &[String]) -> String {
    let escaped = |text: &String| {
        text.chars().flat_map(|c| matches!(c, ';' | '=' | '\\').then_some('\\').into_iter().chain([c])).collect::<String>()
    };
    let pairs: Vec<String> = names.iter().zip(values).map(|(n, v)| format!("{}={}", escaped(n), escaped(v))).collect();
    pairs.join("; ")
}

/// The names and values of [`options`]; `None` where one has no value.
pub fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    let (mut name, mut part) = (None, String::new());
    let mut letters = text.chars();
    loop {
        match letters.next() {
            Some('\\') => match letters.next() {
                Some(c @ (';' | '=' | '\\')) => part.push(c),
                Some(c) => part.extend(['\\', c]),
                None => part.push('\\'),
            },
            Some('=') if name.is_none() => name = Some(std::mem::take(&mut part)),
            end @ (Some(';') | None) => {
                let value = std::mem::take(&mut part);
                match name.take() {
                    Some(name) => pairs.push((name.trim().to_owned(), value.trim().to_owned())),
                    None if value.trim().is_empty() => {}
                    None => return None,
                }
                if end.is_none() {
                    return Some(pairs);
                }
            }
            Some(c) => part.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_formula_is_a_text() {
        assert_eq!(guarded("=1+1"), "'=1+1");
        assert_eq!(guarded("'=1+1"), "''=1+1");
        assert_eq!(guarded("Bowl = good"), "Bowl = good");
        assert_eq!(guarded("'tis"), "'tis");
        assert_eq!((opened("-3"), opened("=1"), opened("'=1")), ("-3".into(), "'=1".into(), "'=1".into()));
    }

    #[test]
    fn options_without_a_value_are_none() {
        assert_eq!(pairs("Size"), None);
        assert_eq!(pairs(" ; "), Some(vec![]));
        assert_eq!(pairs("Size=M=L;"), Some(vec![("Size".into(), "M=L".into())]));
    }

    proptest! {
        #[test]
        fn what_is_guarded_is_read_back(text in "['=+@\\-a\t]{0,6}|\\PC{0,12}") {
            let guarded = guarded(&text);
            prop_assert!(!guarded.starts_with(FORMULA));
            prop_assert_eq!(unguarded(&guarded), text.as_str());
            let opened = opened(&text);
            prop_assert_eq!(unguarded(&opened), unguarded(&text));
        }

        #[test]
        fn options_are_read_back(all in prop::collection::vec(("[a;=\\\\]{1,5}", "[a;=\\\\]{1,5}"), 0..4)) {
            let (names, values): (Vec<String>, Vec<String>) = all.iter().cloned().unzip();
            prop_assert_eq!(pairs(&options(&names, &values)), Some(all));
        }
    }
}
