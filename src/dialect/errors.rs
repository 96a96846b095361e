//! Errors in whatever shape they come, and what kind each is (dialects: error taxonomy).
//!
//! A body is probed shape by shape; then the profile's own codes, the table of words found in codes and types, the words of the
//! message, and the status decide, in this order: a 429 may mean our quota, their load or an empty wallet, and only the code tells.

use crate::timeline::{ErrorCode, ErrorKind, ProviderError};
use serde_json::Value;
use std::collections::BTreeMap;

/// An error as found in a body, not yet judged.
#[derive(Debug, Default, PartialEq)]
struct Found {
    code: Option<ErrorCode>,
    kind: Option<String>,
    message: String,
    status: Option<u16>,
}

/// Reads an error out of a JSON value. `status` is the response's, where it was not 2xx. `None` if the value holds no error.
pub fn of_value(value: &Value, status: Option<u16>, ok_codes: &[i64], own: &BTreeMap<String, ErrorKind>) -> Option<ProviderError> {
    let found = probe(value, ok_codes)?;
    Some(judged(found, status, own))
}

/// Reads an error out of a whole body. A failing status makes anything an error, also a page of HTML or nothing at all; with a good
/// status only what has the shape of one.
pub fn of_body(status: u16, body: &[u8], ok_codes: &[i64], own: &BTreeMap<String, ErrorKind>) -> Option<ProviderError> {
    let failed = status >= 300;
    let http = failed.then_some(status);
    match serde_json::from_slice::<Value>(body) {
        Ok(value) => {
            let found = probe(&value, ok_codes).or_else(|| failed.then(|| bare(&value)))?;
            Some(judged(found, http, own))
        }
        Err(_) if failed => Some(judged(Found { message: excerpt(body), ..Found::default() }, http, own)),
        Err(_) if body.trim_ascii().is_empty() => None,
        Err(_) => Some(ProviderError {
            kind: ErrorKind::Protocol,
            code: None,
            kind_raw: None,
            message: excerpt(body),
            http_status: None,
            retry_after_s: None,
            in_stream: true,
        }),
    }
}

/// An error that came as words without a JSON shape inside a stream.
pub fn of_words(words: &[u8], status: Option<u16>, own: &BTreeMap<String, ErrorKind>) -> ProviderError {
    judged(Found { message: excerpt(words), ..Found::default() }, status, own)
}

/// The shapes, in the order in which they are tried.
fn probe(value: &Value, ok_codes: &[i64]) -> Option<Found> {
    let Value::Object(map) = value else {
        return match value {
            Value::String(words) if !words.is_empty() => Some(Found { message: words.clone(), ..Found::default() }),
            _ => None,
        };
    };
    let outer_status = ["status_code", "http_status_code", "status"].iter().find_map(|key| status_number(map.get(*key)?));
    let text = |key: &str| map.get(key).and_then(Value::as_str).map(str::to_owned);
    match map.get("error") {
        Some(Value::Object(error)) if !error.is_empty() => {
            let text = |key: &str| error.get(key).and_then(Value::as_str);
            let inner = ["status_code", "http_status_code", "http_status"].iter().find_map(|key| status_number(error.get(*key)?));
            let code = code_of(error.get("code")).or_else(|| inner.map(|status| ErrorCode::Number(status.into())));
            let message = text("message").or_else(|| text("msg")).or_else(|| text("detail")).unwrap_or_default();
            let kind = text("type").or_else(|| text("status")).map(str::to_owned);
            return Some(Found { code, kind, message: message.to_owned(), status: inner.or(outer_status) });
        }
        Some(Value::String(words)) if !words.is_empty() => {
            let code = code_of(map.get("code")).or_else(|| text("error_type").map(ErrorCode::Text));
            let message = text("message").filter(|m| !m.is_empty()).unwrap_or_else(|| words.clone());
            return Some(Found { code, kind: text("error_type").or_else(|| text("type")), message, status: outer_status });
        }
        Some(Value::Array(errors)) if !errors.is_empty() => {
            return errors.iter().find_map(|error| probe(error, ok_codes)).or_else(|| Some(bare(value)));
        }
        Some(Value::Bool(true)) => {
            let message = text("message").unwrap_or_default();
            return Some(Found { code: code_of(map.get("code")), kind: text("type"), message, status: outer_status });
        }
        _ => {}
    }
    let code = code_of(map.get("code"));
    let choices = map.contains_key("choices") || map.contains_key("output");
    let is_error = match &code {
        Some(ErrorCode::Number(number)) if ok_codes.contains(number) => return None,
        Some(ErrorCode::Number(_)) => true,
        Some(ErrorCode::Text(word)) => match word.parse::<i64>() {
            Ok(number) if ok_codes.contains(&number) => return None,
            Ok(_) => true,
            Err(_) => !choices && !word.is_empty(),
        },
        None => false,
    };
    let flat = map.get("object").and_then(Value::as_str) == Some("error");
    if is_error || flat || (!choices && map.get("message").is_some_and(Value::is_string)) {
        let message = text("message").or_else(|| text("msg")).unwrap_or_default();
        return Some(Found { code, kind: text("type"), message, status: outer_status });
    }
    if choices {
        return None;
    }
    if let Some(detail) = map.get("detail") {
        let message = match detail {
            Value::String(words) => words.clone(),
            other => other.to_string(),
        };
        return Some(Found { code, kind: text("title").or_else(|| text("type")), message, status: outer_status });
    }
    text("title").map(|message| Found { code, kind: text("type"), message, status: outer_status })
}

/// A value without any known shape, under a failing status.
fn bare(value: &Value) -> Found {
    let message = match value {
        Value::Null => String::new(),
        Value::Object(map) if map.is_empty() => String::new(),
        other => excerpt(other.to_string().as_bytes()),
    };
    Found { message, ..Found::default() }
}

fn status_number(value: &Value) -> Option<u16> {
    value.as_u64().and_then(|n| u16::try_from(n).ok()).filter(|n| (100..600).contains(n))
}

fn code_of(value: Option<&Value>) -> Option<ErrorCode> {
    match value? {
        Value::Number(number) => number.as_i64().map(ErrorCode::Number),
        Value::String(word) => Some(ErrorCode::Text(word.clone())),
        _ => None,
    }
}

fn judged(found: Found, http: Option<u16>, own: &BTreeMap<String, ErrorKind>) -> ProviderError {
    ProviderError {
        kind: kind(&found, http, own),
        retry_after_s: wait_in_words(&found.message),
        code: found.code,
        kind_raw: found.kind,
        message: found.message,
        http_status: http.or(found.status),
        in_stream: http.is_none(),
    }
}

/// What codes and types say, as parts of a word written in lower case without punctuation; the first that fits decides. The strong
/// part of the table is certain; the weak part holds words that servers put on everything, and is asked last.
const STRONG: &[(&str, ErrorKind)] = &[
    ("overload", ErrorKind::Overloaded),
    ("queueexceeded", ErrorKind::Overloaded),
    ("capacity", ErrorKind::Overloaded),
    ("unavailable", ErrorKind::Overloaded),
    ("insufficientquota", ErrorKind::Billing),
    ("insufficientbalance", ErrorKind::Billing),
    ("arrearage", ErrorKind::Billing),
    ("overdue", ErrorKind::Billing),
    ("billing", ErrorKind::Billing),
    ("payment", ErrorKind::Billing),
    ("ratelimit", ErrorKind::RateLimit),
    ("throttling", ErrorKind::RateLimit),
    ("limitrequests", ErrorKind::RateLimit),
    ("limittokens", ErrorKind::RateLimit),
    ("toofast", ErrorKind::RateLimit),
    ("inflightbatchsizeexceeded", ErrorKind::RateLimit),
    ("quotaexceeded", ErrorKind::RateLimit),
    ("resourceexhausted", ErrorKind::RateLimit),
    ("toomanyrequests", ErrorKind::RateLimit),
    ("contextlength", ErrorKind::ContextLength),
    ("contextsize", ErrorKind::ContextLength),
    ("contextwindow", ErrorKind::ContextLength),
    ("inspection", ErrorKind::ContentFilter),
    ("contentfilter", ErrorKind::ContentFilter),
    ("contentpolicy", ErrorKind::ContentFilter),
    ("riskdetection", ErrorKind::ContentFilter),
    ("moderation", ErrorKind::ContentFilter),
    ("sensitive", ErrorKind::ContentFilter),
    ("apikey", ErrorKind::Auth),
    ("authentication", ErrorKind::Auth),
    ("unauthorized", ErrorKind::Auth),
    ("accessdenied", ErrorKind::Auth),
    ("permission", ErrorKind::Auth),
    ("notfound", ErrorKind::NotFound),
    ("modelnotopen", ErrorKind::NotFound),
    ("closedendpoint", ErrorKind::NotFound),
    ("badrequest", ErrorKind::BadRequest),
    ("invalidparameter", ErrorKind::BadRequest),
    ("missingparameter", ErrorKind::BadRequest),
    ("unprocessable", ErrorKind::BadRequest),
    ("internalserver", ErrorKind::Server),
    ("internalservice", ErrorKind::Server),
    ("internalerror", ErrorKind::Server),
];

const WEAK: &[(&str, ErrorKind)] = &[
    ("invalidrequest", ErrorKind::BadRequest),
    ("validation", ErrorKind::BadRequest),
    ("forbidden", ErrorKind::Auth),
    ("server", ErrorKind::Server),
];

/// What the words of a message say, in lower case.
const WORDS: &[(&str, ErrorKind)] = &[
    ("insufficient balance", ErrorKind::Billing),
    ("balance is insufficient", ErrorKind::Billing),
    ("insufficient credit", ErrorKind::Billing),
    ("overdue balance", ErrorKind::Billing),
    ("余额不足", ErrorKind::Billing),
    ("over_capacity", ErrorKind::Overloaded),
    ("over capacity", ErrorKind::Overloaded),
    ("overloaded", ErrorKind::Overloaded),
    ("server busy", ErrorKind::Overloaded),
    ("queue is full", ErrorKind::Overloaded),
    ("high traffic", ErrorKind::Overloaded),
    ("rate limit", ErrorKind::RateLimit),
    ("too many requests", ErrorKind::RateLimit),
    ("context length", ErrorKind::ContextLength),
    ("context size", ErrorKind::ContextLength),
    ("model not exist", ErrorKind::NotFound),
    ("model does not exist", ErrorKind::NotFound),
    ("not a valid model", ErrorKind::NotFound),
    ("invalid api key", ErrorKind::Auth),
    ("incorrect api key", ErrorKind::Auth),
    ("server error", ErrorKind::Server),
    ("out of memory", ErrorKind::Server),
];

fn kind(found: &Found, http: Option<u16>, own: &BTreeMap<String, ErrorKind>) -> ErrorKind {
    let code = match &found.code {
        Some(ErrorCode::Text(word)) => word.clone(),
        Some(ErrorCode::Number(number)) => number.to_string(),
        None => String::new(),
    };
    let said = [code.as_str(), found.kind.as_deref().unwrap_or_default()];
    let plain = said.map(|word| word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>());
    let table = |table: &[(&str, ErrorKind)]| {
        plain.iter().find_map(|word| table.iter().find(|(part, _)| word.contains(part)).map(|(_, kind)| *kind))
    };
    let message = found.message.to_lowercase();
    said.iter()
        .find_map(|word| own.get(*word).copied())
        .or_else(|| table(STRONG))
        .or_else(|| WORDS.iter().find(|(words, _)| message.contains(words)).map(|(_, kind)| *kind))
        .or_else(|| code.parse().ok().and_then(of_status))
        .or_else(|| http.and_then(of_status))
        .or_else(|| table(WEAK))
        .or_else(|| found.status.and_then(of_status))
        .unwrap_or(match http {
            // A redirect is not followed: it is no reply of this dialect.
            Some(300..=399) => ErrorKind::Protocol,
            _ => ErrorKind::Server,
        })
}

/// What a status says by itself.
fn of_status(status: u16) -> Option<ErrorKind> {
    match status {
        401 | 403 => Some(ErrorKind::Auth),
        402 => Some(ErrorKind::Billing),
        404 | 410 => Some(ErrorKind::NotFound),
        413 => Some(ErrorKind::ContextLength),
        429 => Some(ErrorKind::RateLimit),
        451 => Some(ErrorKind::ContentFilter),
        498 | 503 | 529 => Some(ErrorKind::Overloaded),
        400..=499 => Some(ErrorKind::BadRequest),
        500..=599 => Some(ErrorKind::Server),
        _ => None,
    }
}

/// "Please try again in 5.289s": how long a message asks us to wait, in seconds.
pub fn wait_in_words(message: &str) -> Option<f64> {
    let lower = message.to_lowercase();
    let after = ["try again in ", "retry in ", "retry after ", "try again after "]
        .iter()
        .find_map(|words| lower.find(words).map(|at| &lower[at + words.len()..]))?;
    wait(after)
}

/// A wait written as `6m0s`, `300ms`, `5.289s`, `37`, or `20 seconds`, at the start of a text, in seconds: what reset headers,
/// `retry-after` (in seconds) and messages use. A bare number is seconds.
pub fn wait(text: &str) -> Option<f64> {
    let mut rest = text.trim_start();
    let mut total = None;
    loop {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
        let Ok(number) = rest[..digits].trim_end_matches('.').parse::<f64>() else { return total };
        rest = &rest[digits..];
        let spaced = rest.starts_with(' ');
        let unit = rest.trim_start();
        let letters = unit.len() - unit.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
        let seconds = match &unit[..letters] {
            "ms" | "milliseconds" => number / 1000.0,
            "" | "s" | "sec" | "secs" | "second" | "seconds" => number,
            "m" | "min" | "mins" | "minute" | "minutes" => number * 60.0,
            "h" | "hour" | "hours" => number * 3600.0,
            _ if spaced && total.is_none() => number,
            _ => return total,
        };
        total = Some(total.unwrap_or(0.0) + seconds);
        if spaced || letters == 0 {
            return total;
        }
        rest = &unit[letters..];
    }
}

/// The first words of a body that has no JSON: tags taken out, white space joined, at most 300 characters.
fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(8192)]);
    let mut words = String::new();
    let mut inside = false;
    for c in text.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                words.push(' ');
            }
            _ if inside => {}
            c if c.is_whitespace() || c.is_control() => words.push(' '),
            c => words.push(c),
        }
    }
    let joined: Vec<&str> = words.split_whitespace().collect();
    joined.join(" ").chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> (ErrorKind, String) {
        let error = of_body(status, body.as_bytes(), &[0], &BTreeMap::new()).unwrap();
        (error.kind, error.message)
    }

    #[test]
    fn a_429_is_quota_load_or_wallet_and_the_code_tells_which() {
        assert_eq!(read(429, r#"{"error":{"code":"ServerOverloaded","message":"m","type":"TooManyRequests"}}"#).0, ErrorKind::Overloaded);
        assert_eq!(read(429, r#"{"error":{"code":"insufficient_quota","message":"m"}}"#).0, ErrorKind::Billing);
        assert_eq!(read(429, r#"{"error":{"code":"QuotaExceeded","message":"m","type":"TooManyRequests"}}"#).0, ErrorKind::RateLimit);
        assert_eq!(read(429, "").0, ErrorKind::RateLimit);
    }

    #[test]
    fn every_shape_is_read() {
        for (body, message) in [
            (r#"{"error":{"message":"a"}}"#, "a"),
            (r#"{"error":"b"}"#, "b"),
            (r#"{"code":50505,"message":"c","data":null}"#, "c"),
            (r#"{"code":"Throttling","message":"d","request_id":"x"}"#, "d"),
            (r#"{"object":"error","message":"e","type":"t","code":400}"#, "e"),
            (r#"{"detail":"f"}"#, "f"),
            (r#"{"title":"Too Many","detail":"g","status":429}"#, "g"),
            (r#""h""#, "h"),
            ("upstream connect error", "upstream connect error"),
            ("<html><head><title>502</title></head><body>Bad  Gateway</body></html>", "502 Bad Gateway"),
        ] {
            assert_eq!(read(500, body).1, message, "{body}");
        }
    }

    #[test]
    fn success_envelopes_are_no_errors() {
        let read = |text: &str| of_value(&serde_json::from_str(text).unwrap(), None, &[0], &BTreeMap::new());
        assert_eq!(read(r#"{"code":0,"message":"Success","sid":"x"}"#), None);
        assert_eq!(read(r#"{"error":null,"choices":[]}"#), None);
        assert_eq!(read(r#"{"code":"0","message":"ok"}"#), None);
        assert_eq!(read("{}"), None);
        assert_eq!(read("null"), None);
    }

    #[test]
    fn waits_are_read_from_words_and_headers() {
        assert_eq!(wait_in_words("Please try again in 5.289s."), Some(5.289));
        assert_eq!(wait_in_words("Try again in 2m3.5s, or"), Some(123.5));
        assert_eq!(wait_in_words("please retry after 20 seconds"), Some(20.0));
        assert_eq!(wait_in_words("try again later"), None);
        assert_eq!((wait("300ms"), wait("6m0s"), wait("33011.38"), wait("")), (Some(0.3), Some(360.0), Some(33011.38), None));
    }
}
