//! Reads the parameters of a request one by one, with Stripe's own messages for what is missing, empty, of the wrong kind or unknown.

use serde_json::{Map, Value, json};

use super::error::ApiError;
use super::form::Node;

/// The parameters below one name. Each `take` removes what it reads; what is left at [`Params::finish`] is unknown.
#[derive(Debug, Clone, Default)]
pub struct Params {
    path: String,
    fields: Vec<(String, Node)>,
}

impl Params {
    pub fn new(node: Node) -> Self {
        match node {
            Node::Branch(fields) => Self { path: String::new(), fields },
            Node::Text(_) => Self::default(),
        }
    }

    /// The full name of a field here, as errors give it: `line_items[0][quantity]`.
    pub fn name(&self, field: &str) -> String {
        if self.path.is_empty() { field.to_owned() } else { format!("{}[{field}]", self.path) }
    }

    fn take(&mut self, field: &str) -> Option<Node> {
        let at = self.fields.iter().position(|(key, _)| key == field)?;
        Some(self.fields.remove(at).1)
    }

    pub fn has(&self, field: &str) -> bool {
        self.fields.iter().any(|(key, _)| key == field)
    }

    /// A text that is not empty.
    pub fn text(&mut self, field: &str) -> Result<Option<String>, ApiError> {
        let name = self.name(field);
        match self.take(field) {
            None => Ok(None),
            Some(Node::Branch(_)) => Err(ApiError::param(&name, None, format!("Invalid string: {name} must be a string"))),
            Some(Node::Text(text)) if text.is_empty() => Err(ApiError::param(
                &name,
                Some("parameter_invalid_empty"),
                format!(
                    "You passed an empty string for '{name}'. We assume empty values are an attempt to unset a parameter; however '{name}' cannot be \
                     unset. You should remove '{name}' from your request or supply a non-empty value."
                ),
            )),
            Some(Node::Text(text)) if text.chars().count() > 5000 => Err(ApiError::param(
                &name,
                Some("parameter_invalid_string_length"),
                format!("Invalid string: {name} must be at most 5000 characters"),
            )),
            Some(Node::Text(text)) => Ok(Some(text)),
        }
    }

    /// A text that an empty value takes away again: none if nothing was said of it.
    pub fn clearable(&mut self, field: &str, longest: usize) -> Result<Option<Option<String>>, ApiError> {
        let name = self.name(field);
        match self.take(field) {
            None => Ok(None),
            Some(Node::Text(text)) if text.is_empty() => Ok(Some(None)),
            Some(Node::Text(text)) if text.chars().count() <= longest => Ok(Some(Some(text))),
            Some(Node::Text(_)) => Err(ApiError::param(
                &name,
                Some("parameter_invalid_string_length"),
                format!("Invalid string: {name} must be at most {longest} characters"),
            )),
            Some(Node::Branch(_)) => Err(ApiError::param(&name, None, format!("Invalid string: {name} must be a string"))),
        }
    }

    /// Texts, and hashes of texts, below a name, whatever they are called.
    pub fn tree(&mut self, field: &str) -> Result<Option<Value>, ApiError> {
        fn value(node: Node) -> Value {
            match node {
                Node::Text(text) => json!(text),
                Node::Branch(fields) => Value::Object(fields.into_iter().map(|(key, node)| (key, value(node))).collect()),
            }
        }
        Ok(self.below(field)?.map(|below| value(Node::Branch(below.fields))))
    }

    /// A text that must be there.
    pub fn require(&mut self, field: &str) -> Result<String, ApiError> {
        let name = self.name(field);
        self.text(field)?.ok_or_else(|| missing(&name))
    }

    pub fn integer(&mut self, field: &str) -> Result<Option<i64>, ApiError> {
        let name = self.name(field);
        self.text(field)?
            .map(|text| {
                text.parse()
                    .map_err(|_| ApiError::param(&name, Some("parameter_invalid_integer"), format!("Invalid integer: {text}")))
            })
            .transpose()
    }

    pub fn boolean(&mut self, field: &str) -> Result<Option<bool>, ApiError> {
        let name = self.name(field);
        self.text(field)?
            .map(|text| match text.as_str() {
                "true" => Ok(true),
                "false" => Ok(false),
                _ => Err(ApiError::param(&name, None, format!("Invalid boolean: {text}"))),
            })
            .transpose()
    }

    /// A text that is one of a few words.
    pub fn word(&mut self, field: &str, words: &[&str]) -> Result<Option<String>, ApiError> {
        let name = self.name(field);
        self.text(field)?
            .map(|text| {
                if words.contains(&text.as_str()) {
                    return Ok(text);
                }
                let known = match words {
                    [one] => (*one).to_owned(),
                    [first, last] => format!("{first} or {last}"),
                    [start @ .., last] => format!("{}, or {last}", start.join(", ")),
                    [] => String::new(),
                };
                Err(ApiError::param(&name, None, format!("Invalid {name}: must be one of {known}")))
            })
            .transpose()
    }

    /// An address with http or https.
    pub fn url(&mut self, field: &str) -> Result<Option<String>, ApiError> {
        let name = self.name(field);
        self.text(field)?
            .map(|text| {
                let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
                if rest.is_some_and(|r| !r.is_empty() && !r.starts_with('/'))
                    && text.len() <= 5000
                    && !text.contains(char::is_whitespace)
                {
                    Ok(text)
                } else {
                    Err(ApiError::param(&name, Some("url_invalid"), "Not a valid URL"))
                }
            })
            .transpose()
    }

    /// A three-letter currency, in lower case.
    pub fn currency(&mut self, field: &str) -> Result<String, ApiError> {
        let name = self.name(field);
        let text = self.require(field)?.to_lowercase();
        if text.len() == 3 && text.bytes().all(|b| b.is_ascii_lowercase()) {
            Ok(text)
        } else {
            Err(ApiError::param(
                &name,
                None,
                format!("Invalid currency: {text}. Stripe currently supports these currencies: gbp, eur, usd and others"),
            ))
        }
    }

    /// The parameters below a name.
    pub fn below(&mut self, field: &str) -> Result<Option<Params>, ApiError> {
        let path = self.name(field);
        match self.take(field) {
            None => Ok(None),
            Some(Node::Branch(fields)) => Ok(Some(Self { path, fields })),
            Some(Node::Text(_)) => Err(ApiError::param(&path, None, "Invalid object")),
        }
    }

    /// The elements of an array of hashes, in the order of their index.
    pub fn elements(&mut self, field: &str) -> Result<Option<Vec<Params>>, ApiError> {
        let Some(list) = self.below(field)? else { return Ok(None) };
        let path = list.path;
        let mut items = Vec::new();
        for (key, node) in list.fields {
            let index: usize = key.parse().map_err(|_| ApiError::param(&path, None, "Invalid array"))?;
            match node {
                Node::Branch(fields) => items.push((index, Self { path: format!("{path}[{index}]"), fields })),
                Node::Text(_) => return Err(ApiError::param(format!("{path}[{index}]"), None, "Invalid object")),
            }
        }
        items.sort_by_key(|(index, _)| *index);
        Ok(Some(items.into_iter().map(|(_, params)| params).collect()))
    }

    /// The texts of an array.
    pub fn texts(&mut self, field: &str) -> Result<Option<Vec<String>>, ApiError> {
        let Some(list) = self.below(field)? else { return Ok(None) };
        let mut texts = Vec::new();
        for (key, node) in list.fields {
            match (key.parse::<usize>(), node) {
                (Ok(index), Node::Text(text)) => texts.push((index, text)),
                _ => return Err(ApiError::param(&list.path, None, "Invalid array")),
            }
        }
        texts.sort();
        Ok(Some(texts.into_iter().map(|(_, text)| text).collect()))
    }

    /// `metadata`: at most 50 keys of 40 characters, values of 500. An empty value takes the key away again.
    pub fn metadata(&mut self, current: &Value) -> Result<Value, ApiError> {
        let name = self.name("metadata");
        let mut all: Map<String, Value> = current.as_object().cloned().unwrap_or_default();
        let fields = match self.take("metadata") {
            None => return Ok(Value::Object(all)),
            // the whole of it is unset by an empty value
            Some(Node::Text(text)) if text.is_empty() => return Ok(json!({})),
            Some(Node::Text(_)) => return Err(ApiError::param(&name, None, "Invalid object")),
            Some(Node::Branch(fields)) => fields,
        };
        for (key, node) in fields {
            let Node::Text(value) = node else {
                return Err(ApiError::param(
                    format!("{name}[{key}]"),
                    None,
                    format!("Metadata values must be strings, but for key {key} you passed in a value of type hash"),
                ));
            };
            if key.chars().count() > 40 {
                return Err(ApiError::param(
                    &name,
                    None,
                    format!("Metadata keys must be under 40 characters, but '{key}' is longer."),
                ));
            }
            if value.chars().count() > 500 {
                return Err(ApiError::param(
                    format!("{name}[{key}]"),
                    None,
                    format!(
                        "Metadata values can have up to 500 characters, but you passed in a value that is {} characters.",
                        value.chars().count()
                    ),
                ));
            }
            if value.is_empty() {
                all.remove(&key);
            } else {
                all.insert(key, json!(value));
            }
        }
        if all.len() > 50 {
            return Err(ApiError::param(&name, None, "Metadata can have up to 50 keys."));
        }
        Ok(Value::Object(all))
    }

    /// Reads and forgets parameters that only change how Stripe's page looks.
    pub fn ignore(&mut self, fields: &[&str]) {
        for field in fields {
            self.take(field);
        }
    }

    /// Refuses parameters that Stripe acts on and the sandbox does not.
    pub fn refuse(&self, fields: &[&str]) -> Result<(), ApiError> {
        match fields.iter().find(|field| self.has(field)) {
            Some(field) => Err(ApiError::uncovered(&self.name(field))),
            None => Ok(()),
        }
    }

    /// What nobody has read is unknown.
    pub fn finish(self) -> Result<(), ApiError> {
        match self.fields.first() {
            None => Ok(()),
            Some((field, _)) => {
                let name = self.name(field);
                Err(ApiError::param(&name, Some("parameter_unknown"), format!("Received unknown parameter: {name}")))
            }
        }
    }
}

/// 400: a parameter that must be there is not.
pub fn missing(name: &str) -> ApiError {
    ApiError::param(name, Some("parameter_missing"), format!("Missing required param: {name}."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::stripe::form::decode;

    fn params(input: &str) -> Params {
        Params::new(decode(input.as_bytes()).unwrap_or(Node::Branch(Vec::new())))
    }

    #[test]
    fn errors_name_the_nested_field() {
        let mut p = params("line_items[0][quantity]=two");
        let mut items = p.elements("line_items").ok().flatten().unwrap_or_default();
        let error = items[0].integer("quantity").err().map(|e| (e.param, e.message));
        assert_eq!(error, Some((Some("line_items[0][quantity]".into()), "Invalid integer: two".into())));
    }

    #[test]
    fn array_elements_come_in_the_order_of_their_index() {
        let mut p = params("a[10]=k&a[2]=b&a[0]=a");
        assert_eq!(p.texts("a").ok().flatten(), Some(vec!["a".to_owned(), "b".to_owned(), "k".to_owned()]));
    }

    #[test]
    fn what_is_left_is_unknown() {
        let mut p = params("mode=payment&colour=red");
        assert_eq!(p.require("mode").ok().as_deref(), Some("payment"));
        assert_eq!(p.finish().err().and_then(|e| e.param).as_deref(), Some("colour"));
    }

    #[test]
    fn metadata_is_merged_and_unset() {
        let merged = params("metadata[a]=1&metadata[b]=").metadata(&json!({"b": "2", "c": "3"}));
        assert_eq!(merged.ok(), Some(json!({"a": "1", "c": "3"})));
        assert_eq!(params("metadata=").metadata(&json!({"b": "2"})).ok(), Some(json!({})));
        assert!(params(&format!("metadata[a]={}", "x".repeat(501))).metadata(&json!({})).is_err());
    }
}
