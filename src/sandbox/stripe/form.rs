//! Stripe's form encoding: `line_items[0][price_data][unit_amount]=500`, `expand[]=payment_intent`.
//! Decodes a body or a query into a tree that keeps the order of its keys; no meaning is attached here.

use super::error::ApiError;

/// A value of a form: a text, or named (or numbered) values below it.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    Text(String),
    Branch(Vec<(String, Node)>),
}

const MAX_DEPTH: usize = 12;
const MAX_PAIRS: usize = 20_000;

/// Decodes `application/x-www-form-urlencoded` text with bracketed keys.
pub fn decode(input: &[u8]) -> Result<Node, ApiError> {
    let mut root = Vec::new();
    for (count, pair) in input.split(|b| *b == b'&').filter(|p| !p.is_empty()).enumerate() {
        if count >= MAX_PAIRS {
            return Err(ApiError::invalid("The request has too many parameters."));
        }
        let cut = pair.iter().position(|b| *b == b'=').unwrap_or(pair.len());
        let key = unescape(&pair[..cut])?;
        let value = unescape(pair.get(cut + 1..).unwrap_or_default())?;
        let steps = steps(&key)?;
        insert(&mut root, &steps, value, &key)?;
    }
    Ok(Node::Branch(root))
}

/// The pairs of a decoded form in one canonical order: equal parameters give equal text.
pub fn canonical(node: &Node) -> String {
    fn walk(node: &Node, path: &str, out: &mut Vec<String>) {
        match node {
            Node::Text(text) => out.push(format!("{path}={text}")),
            Node::Branch(fields) => fields.iter().for_each(|(key, value)| walk(value, &format!("{path}[{key}]"), out)),
        }
    }
    let mut out = Vec::new();
    walk(node, "", &mut out);
    out.sort();
    out.join("\u{1}")
}

fn unescape(raw: &[u8]) -> Result<String, ApiError> {
    let spaced: Vec<u8> = raw.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect();
    let bytes: Vec<u8> = percent_encoding::percent_decode(&spaced).collect();
    match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(text),
        _ => Err(ApiError::invalid("Invalid request: the parameters are not valid UTF-8 text.")),
    }
}

/// `a[b][0][]` as `["a", "b", "0", ""]`.
fn steps(key: &str) -> Result<Vec<String>, ApiError> {
    let broken = || ApiError::invalid(format!("Invalid parameter name: {key}"));
    let (head, mut rest) = key.split_at(key.find('[').unwrap_or(key.len()));
    if head.is_empty() {
        return Err(broken());
    }
    let mut steps = vec![head.to_owned()];
    while !rest.is_empty() {
        let inner = rest.strip_prefix('[').ok_or_else(broken)?;
        let end = inner.find(']').ok_or_else(broken)?;
        steps.push(inner[..end].to_owned());
        rest = &inner[end + 1..];
        if steps.len() > MAX_DEPTH {
            return Err(broken());
        }
    }
    Ok(steps)
}

fn insert(fields: &mut Vec<(String, Node)>, steps: &[String], value: String, key: &str) -> Result<(), ApiError> {
    let (step, rest) = match steps.split_first() {
        Some(parts) => parts,
        None => return Ok(()),
    };
    let name = if step.is_empty() { next_index(fields, rest) } else { step.clone() };
    let found = fields.iter().position(|(k, _)| *k == name);
    if rest.is_empty() {
        match found {
            Some(at) => fields[at].1 = Node::Text(value),
            None => fields.push((name, Node::Text(value))),
        }
        return Ok(());
    }
    let at = found.unwrap_or_else(|| {
        fields.push((name, Node::Branch(Vec::new())));
        fields.len() - 1
    });
    match &mut fields[at].1 {
        Node::Branch(below) => insert(below, rest, value, key),
        Node::Text(_) => Err(ApiError::invalid(format!("Invalid parameter: {key} is given both as a value and as a hash."))),
    }
}

/// `a[][b]=1&a[][c]=2` fills one element until a key comes again; `a[]=1&a[]=2` is two.
fn next_index(fields: &[(String, Node)], rest: &[String]) -> String {
    if let (Some((last, Node::Branch(below))), Some(step)) = (fields.last(), rest.first())
        && !step.is_empty()
        && !below.iter().any(|(key, _)| key == step)
    {
        return last.clone();
    }
    fields.len().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Node {
        Node::Text(value.to_owned())
    }
    fn branch(fields: &[(&str, Node)]) -> Node {
        Node::Branch(fields.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect())
    }
    fn decoded(input: &str) -> Node {
        decode(input.as_bytes()).unwrap_or_else(|_| panic!("{input} decodes"))
    }

    #[test]
    fn nested_and_indexed_keys() {
        assert_eq!(
            decoded("line_items[0][price_data][currency]=gbp&line_items[0][quantity]=2&mode=payment"),
            branch(&[
                (
                    "line_items",
                    branch(&[("0", branch(&[("price_data", branch(&[("currency", text("gbp"))])), ("quantity", text("2"))]))])
                ),
                ("mode", text("payment")),
            ])
        );
    }

    #[test]
    fn empty_brackets_append() {
        assert_eq!(decoded("expand[]=a&expand[]=b"), branch(&[("expand", branch(&[("0", text("a")), ("1", text("b"))]))]));
        assert_eq!(
            decoded("i[][a]=1&i[][b]=2&i[][a]=3"),
            branch(&[("i", branch(&[("0", branch(&[("a", text("1")), ("b", text("2"))])), ("1", branch(&[("a", text("3"))]))]))])
        );
    }

    #[test]
    fn escapes_are_undone_in_keys_and_values() {
        assert_eq!(
            decoded("metadata%5Border%5D=caf%C3%A9+cr%26me"),
            branch(&[("metadata", branch(&[("order", text("café cr&me"))]))])
        );
        assert_eq!(decoded(""), branch(&[]));
        assert_eq!(decoded("a"), branch(&[("a", text(""))]));
    }

    #[test]
    fn broken_input_is_refused() {
        for input in ["a[b=1", "[a]=1", "a[x]y=2", "a=1&a[b]=2", "a=%FF", "a=%00"] {
            assert!(decode(input.as_bytes()).is_err(), "{input}");
        }
        let deep = format!("a{}=1", "[b]".repeat(40));
        assert!(decode(deep.as_bytes()).is_err());
    }

    #[test]
    fn canonical_text_ignores_the_order_of_keys() {
        assert_eq!(canonical(&decoded("a=1&b[c]=2")), canonical(&decoded("b[c]=2&a=1")));
        assert_ne!(canonical(&decoded("a=1&b[c]=2")), canonical(&decoded("a=1&b[d]=2")));
    }
}
