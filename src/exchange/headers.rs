//! Which response headers are kept, and what they say of coming back.

use std::collections::BTreeMap;

/// Headers kept by name. Beside them: request and trace ids, rate-limit families, regions and processing times of any name.
const KEPT: &[&str] = &[
    "age",
    "cf-ray",
    "content-encoding",
    "content-type",
    "date",
    "location",
    "retry-after",
    "retry-after-ms",
    "server",
    "server-timing",
    "transfer-encoding",
    "via",
    "x-cache",
    "x-generation-id",
    "x-inference-time",
    "x-queue-time",
    "x-time-per-token",
    "x-total-time",
];
const KEPT_ENDS: &[&str] = &["request-id", "requestid", "trace-id", "traceid", "logid", "-region", "processing-ms", "-service-time"];
const NEVER: &[&str] = &["cookie", "authorization", "authenticate", "api-key", "apikey", "secret", "session"];
/// The longest value that is kept, characters.
const LONGEST: usize = 1000;

fn kept(name: &str) -> bool {
    let listed = KEPT.contains(&name) || KEPT_ENDS.iter().any(|end| name.ends_with(end)) || name.contains("ratelimit");
    listed && !NEVER.iter().any(|word| name.contains(word))
}

/// The headers on the allowlist, names in lower case; several of one name are joined by a comma.
pub(super) fn allowed(headers: &[(String, String)]) -> BTreeMap<String, String> {
    let mut allowed: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        if kept(&name) {
            let value: String = value.chars().take(LONGEST).collect();
            let joined = allowed.entry(name).or_default();
            if !joined.is_empty() {
                joined.push_str(", ");
            }
            joined.push_str(&value);
        }
    }
    allowed
}

/// When to come back, in seconds: `retry-after-ms`, or `retry-after` as seconds or as an HTTP date. A date is reckoned from the
/// server's own `date`, so that a difference between the clocks does not count, and from `now` where it sent none.
pub(super) fn retry_after_s(headers: &BTreeMap<String, String>, now: jiff::Timestamp) -> Option<f64> {
    let number = |name: &str| headers.get(name).and_then(|value| value.trim().parse::<f64>().ok()).filter(|s| s.is_finite() && *s >= 0.0);
    if let Some(milliseconds) = number("retry-after-ms") {
        return Some(milliseconds / 1000.0);
    }
    if let Some(seconds) = number("retry-after") {
        return Some(seconds);
    }
    let until = http_date(headers.get("retry-after")?)?;
    let from = headers.get("date").and_then(|date| http_date(date)).unwrap_or(now);
    Some((until.as_second() - from.as_second()).max(0) as f64)
}

fn http_date(text: &str) -> Option<jiff::Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        allowed(&pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>())
    }

    #[test]
    fn what_explains_a_result_is_kept_and_credentials_never_are() {
        let kept = headers(&[
            ("X-Request-ID", "a"),
            ("apim-request-id", "b"),
            ("anthropic-ratelimit-tokens-remaining", "9"),
            ("x-ratelimit-reset-requests", "6m0s"),
            ("Set-Cookie", "session=1"),
            ("x-session-request-id", "no"),
            ("www-authenticate", "Bearer"),
            ("x-envoy-upstream-service-time", "12"),
            ("x-acme-region", "eu"),
            ("content-length", "3"),
            ("Via", "1"),
            ("via", "2"),
        ]);
        let names: Vec<&str> = kept.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "anthropic-ratelimit-tokens-remaining",
                "apim-request-id",
                "via",
                "x-acme-region",
                "x-envoy-upstream-service-time",
                "x-ratelimit-reset-requests",
                "x-request-id"
            ]
        );
        assert_eq!(kept["via"], "1, 2");
    }

    #[test]
    fn a_time_to_come_back_is_read_in_all_three_forms() {
        let now = "2026-11-24T00:00:00Z".parse().unwrap();
        let after = |pairs: &[(&str, &str)]| retry_after_s(&headers(pairs), now);
        assert_eq!(after(&[("retry-after", "20")]), Some(20.0));
        assert_eq!(after(&[("retry-after-ms", "1500"), ("retry-after", "2")]), Some(1.5));
        let date = ("retry-after", "Tue, 24 Nov 2026 00:01:00 GMT");
        assert_eq!(after(&[date]), Some(60.0));
        assert_eq!(after(&[date, ("date", "Tue, 24 Nov 2026 00:00:50 GMT")]), Some(10.0));
        assert_eq!(after(&[("retry-after", "soon")]), None);
        assert_eq!(after(&[("retry-after", "-1")]), None);
    }
}
