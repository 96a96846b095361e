//! Finds credentials where none may stand: in a plan, a URL, an extra header or body. What is found is masked from then on.

use crate::secret::open::{hide, looks_like_key, names_credential, scrub};
use serde_json::Value;
use std::collections::BTreeMap;
use url::Url;

/// Where a credential stands in a URL. `None` is well.
pub(super) fn in_url(url: &Url) -> Option<&'static str> {
    if !url.username().is_empty() || url.password().is_some() {
        hide(url.username());
        url.password().into_iter().for_each(hide);
        return Some("it holds a user name or password");
    }
    for (name, value) in url.query_pairs() {
        if (names_credential(&name) && !value.is_empty()) || looks_like_key(&value) {
            hide(&value);
            return Some("its query holds a key");
        }
    }
    let inside = url.path_segments().into_iter().flatten().find(|part| looks_like_key(part))?;
    hide(inside);
    Some("its path holds a key")
}

/// The path of a body field that holds a credential.
pub(super) fn in_body(body: &BTreeMap<String, Value>) -> Option<String> {
    body.iter().find_map(|(name, value)| in_value(name, name, value))
}

fn in_value(path: &str, name: &str, value: &Value) -> Option<String> {
    match value {
        Value::String(text) if (names_credential(name) && !text.is_empty()) || looks_like_key(text) => {
            hide(text);
            Some(path.to_owned())
        }
        Value::Object(map) => map.iter().find_map(|(name, value)| in_value(&format!("{path}.{name}"), name, value)),
        Value::Array(values) => values.iter().enumerate().find_map(|(i, value)| in_value(&format!("{path}[{i}]"), name, value)),
        _ => None,
    }
}

/// The name of a header that holds a credential.
pub(super) fn in_headers(headers: &BTreeMap<String, String>) -> Option<&str> {
    let (name, value) = headers.iter().find(|(name, value)| names_credential(name) || looks_like_key(value))?;
    hide(value);
    Some(name)
}

/// A text that may be a URL with a password in it, fit to be shown: what stands before `@` and after `?` is covered.
pub(super) fn shown(text: &str) -> String {
    let text = scrub(text);
    match text.split_once('?') {
        Some((front, _)) => format!("{front}?***"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_with_a_credential_is_found_out_and_shown_without_it() {
        for text in
            ["https://user:hunter22@a.example/v1", "https://a.example/v1?api_key=abcdefgh", "https://a.example/v1?x=sk-0123456789abcdef"]
        {
            assert!(in_url(&Url::parse(text).unwrap()).is_some(), "{text}");
            let told = shown(text);
            assert!(!told.contains("hunter22") && !told.contains("abcdefgh") && !told.contains("0123456789"), "{told}");
        }
        assert!(in_url(&Url::parse("https://a.example/v1?api-version=2024-10-21").unwrap()).is_none());
    }

    #[test]
    fn a_body_with_a_credential_names_its_path() {
        let body = |text: &str| serde_json::from_str::<BTreeMap<String, Value>>(text).unwrap();
        assert_eq!(in_body(&body(r#"{"a":{"api_key":"zzz"}}"#)).as_deref(), Some("a.api_key"));
        assert_eq!(in_body(&body(r#"{"a":["gsk_0123456789abcdef"]}"#)).as_deref(), Some("a[0]"));
        assert_eq!(in_body(&body(r#"{"min_tokens":3,"lora_id":"0","stop":["sk-"]}"#)), None);
    }
}
