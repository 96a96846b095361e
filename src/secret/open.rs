//! Credentials in the open: where a user wrote a key into a plan, a URL or a file, and it must neither be used nor shown.

use super::{SHORTEST, mask};

/// Names that hold credentials, in lower case without punctuation.
const NAMES: &[&str] = &[
    "key",
    "apikey",
    "xapikey",
    "xgoogapikey",
    "token",
    "accesstoken",
    "authtoken",
    "auth",
    "authorization",
    "proxyauthorization",
    "secret",
    "apisecret",
    "clientsecret",
    "password",
    "passwd",
    "signature",
    "sig",
    "credential",
    "credentials",
    "bearer",
    "cookie",
];

/// How keys of known makes begin.
const BEGINNINGS: &[&str] = &["sk-", "sk_", "gsk_", "csk-", "hf_", "xai-", "pplx-", "nvapi-", "AIza", "AKIA", "LLM|", "Bearer ", "bearer "];

/// Characters after its beginning that a text needs to pass for a key.
const LONG: usize = 12;

/// Whether a field, parameter or header of this name holds a credential.
pub fn names_credential(name: &str) -> bool {
    let plain: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    NAMES.contains(&plain.as_str())
}

/// Whether a text has the look of a key. One that has is masked from then on.
pub fn looks_like_key(text: &str) -> bool {
    let rest = BEGINNINGS.iter().find_map(|beginning| text.strip_prefix(beginning));
    let found = rest.is_some_and(|rest| LONG <= rest.len() && rest.bytes().all(|b| b.is_ascii_graphic()));
    if found {
        hide(text);
    }
    found
}

/// A credential that was found in the open: whatever else prints it prints asterisks.
pub fn hide(value: &str) {
    let value = value.trim_start_matches("Bearer ").trim_start_matches("bearer ");
    if SHORTEST <= value.len() {
        mask().add(value);
    }
}

/// A text fit to be shown, also where it repeats what a user wrote: known secrets are masked, and so is whatever looks like one: a
/// key of a known make, the user and password of a URL, the value of a field named like a credential.
pub fn scrub(text: &str) -> String {
    let mut bytes = mask().mask(text).into_owned().into_bytes();
    cover(&mut bytes, userinfo);
    cover(&mut bytes, known_make);
    cover(&mut bytes, named_value);
    // Only whole runs of characters were covered, each byte by one asterisk.
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Finds what begins at a place of a text: from where to where it is to be covered.
type Find = fn(&[u8], usize) -> Option<(usize, usize)>;

/// Covers every range that `find` gives, from the front to the end.
fn cover(bytes: &mut [u8], find: Find) {
    let mut at = 0;
    while at < bytes.len() {
        if let Some((from, to)) = find(bytes, at) {
            bytes[from..to].fill(b'*');
            at = to.max(at + 1);
        } else {
            at += 1;
        }
    }
}

fn is_end(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'`' | b',' | b'}' | b']' | b')' | b'&')
}

fn end_of_word(bytes: &[u8], from: usize) -> usize {
    bytes[from..].iter().position(|b| is_end(*b)).map_or(bytes.len(), |length| from + length)
}

/// What stands between `://` and `@` at this place.
fn userinfo(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let from = at + bytes[at..].strip_prefix(b"://").map(|_| 3)?;
    let word = &bytes[from..end_of_word(bytes, from)];
    let authority = word.iter().position(|b| matches!(b, b'/' | b'?' | b'#')).map_or(word, |end| &word[..end]);
    let length = authority.iter().rposition(|b| *b == b'@')?;
    Some((from, from + length))
}

/// A key of a known make at this place.
fn known_make(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let begins = at == 0 || !(bytes[at - 1].is_ascii_alphanumeric() || matches!(bytes[at - 1], b'-' | b'_'));
    let beginning = BEGINNINGS.iter().find(|beginning| begins && bytes[at..].starts_with(beginning.as_bytes()))?;
    let to = end_of_word(bytes, at + beginning.len());
    (LONG <= to - at - beginning.len()).then_some((at, to))
}

/// The value of a field at this place whose name is that of a credential beyond doubt.
fn named_value(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    const SURE: &[&str] = &[
        "api_key",
        "apikey",
        "api-key",
        "access_token",
        "authorization",
        "client_secret",
        "api_secret",
        "password",
        "passwd",
        "secret",
        "token",
    ];
    let begins = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
    let starts = |name: &&&str| bytes.get(at..at + name.len()).is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes()));
    let name = SURE.iter().find(starts).filter(|_| begins)?;
    let mut from = at + name.len();
    let skip = |from: usize, of: &[u8]| from + bytes[from..].iter().take_while(|b| of.contains(b)).count();
    from = skip(from, b"\"'");
    if !matches!(bytes.get(from), Some(b':' | b'=')) {
        return None;
    }
    from = skip(from + 1, b" \"'");
    if bytes[from..].len() > 7 && bytes[from..from + 7].eq_ignore_ascii_case(b"bearer ") {
        from += 7;
    }
    let to = end_of_word(bytes, from);
    // A bare number is a count or a limit of that name.
    (SHORTEST <= to - from && bytes[from..to].iter().any(u8::is_ascii_alphabetic)).then_some((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_user_wrote_into_a_plan_is_not_repeated() {
        for (text, hidden) in [
            ("plan.yaml:3: api_key: abcdefg1234", "abcdefg1234"),
            ("{\"Authorization\": \"Bearer qwertz99\"}", "qwertz99"),
            ("base_url: https://me:hunter22@a.example/v1", "hunter22"),
            ("target: x/sk-0123456789abcdef", "0123456789abcdef"),
            ("url?token=abcdef&x=1", "abcdef"),
        ] {
            let shown = scrub(text);
            assert!(!shown.contains(hidden) && shown.len() == text.len(), "{shown}");
        }
    }

    #[test]
    fn plain_words_are_left_alone() {
        for text in [
            "set DEEPSEEK_API_KEY in the environment",
            "`key: env:` names it",
            "https://a.example/v1@2?x",
            "max_tokens: 4096",
            "first_token: 300000",
            "推理 sk-1",
        ] {
            assert_eq!(scrub(text), text);
        }
    }

    #[test]
    fn a_key_has_a_known_beginning_and_some_length() {
        assert!(looks_like_key("gsk_0123456789abcdef") && looks_like_key("Bearer 0123456789abcdef"));
        assert!(!looks_like_key("sk-learn") && !looks_like_key("deepseek-v4-pro-and-more"));
        assert!(names_credential("X-Api-Key") && names_credential("api_key") && !names_credential("min_tokens"));
    }
}
