//! Finish reasons: the words of all dialects in their normal form, and those words that are failures in disguise.

use crate::timeline::{ErrorCode, ErrorKind, Finish, FinishSeen, ProviderError};

/// The table of words. The last column names the error that a word stands for.
const WORDS: &[(&str, Finish, Option<ErrorKind>)] = &[
    ("stop", Finish::Stop, None),
    ("end_turn", Finish::Stop, None),
    ("stop_sequence", Finish::Stop, None),
    ("eos", Finish::Stop, None),
    ("eos_token", Finish::Stop, None),
    ("length", Finish::Length, None),
    ("max_tokens", Finish::Length, None),
    ("tool_calls", Finish::ToolCalls, None),
    ("tool_use", Finish::ToolCalls, None),
    ("function_call", Finish::ToolCalls, None),
    ("content_filter", Finish::ContentFilter, None),
    ("refusal", Finish::ContentFilter, None),
    ("sensitive", Finish::ContentFilter, Some(ErrorKind::ContentFilter)),
    ("insufficient_system_resource", Finish::Error, Some(ErrorKind::Overloaded)),
    ("abort", Finish::Error, Some(ErrorKind::Server)),
    ("error", Finish::Error, Some(ErrorKind::Server)),
    ("parse_error", Finish::Error, Some(ErrorKind::Server)),
    ("network_error", Finish::Error, Some(ErrorKind::Server)),
    ("model_context_window_exceeded", Finish::Error, Some(ErrorKind::ContextLength)),
];

/// A finish reason as understood. `None` for the empty text and for `"null"`, which some servers send until the end.
pub(super) fn read(raw: &str) -> Option<(FinishSeen, Option<ProviderError>)> {
    if raw.is_empty() || raw == "null" {
        return None;
    }
    let known = WORDS.iter().find(|(word, ..)| word.eq_ignore_ascii_case(raw));
    let (normal, failure) = known.map_or((Finish::Unknown, None), |(_, normal, failure)| (*normal, *failure));
    let error = failure.map(|kind| ProviderError {
        kind,
        code: Some(ErrorCode::Text(raw.to_owned())),
        kind_raw: None,
        message: String::new(),
        http_status: None,
        retry_after_s: None,
        in_stream: true,
    });
    Some((FinishSeen { raw: raw.to_owned(), normal }, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_normal_looking_end_for_lack_of_resources_is_an_error() {
        let (seen, error) = read("insufficient_system_resource").unwrap();
        assert_eq!((seen.normal, error.unwrap().kind), (Finish::Error, ErrorKind::Overloaded));
    }

    #[test]
    fn an_unknown_word_is_kept_and_null_in_quotes_is_none() {
        assert_eq!(read("weird").unwrap().0, FinishSeen { raw: "weird".into(), normal: Finish::Unknown });
        assert_eq!(read("MAX_TOKENS").unwrap().0.normal, Finish::Length);
        assert!(read("null").is_none() && read("").is_none());
    }
}
