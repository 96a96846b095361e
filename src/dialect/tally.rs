//! Token counts and server times as providers word them, read into the normal form.

use super::chunk::Text;
use crate::timeline::{ServerTiming, Usage};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// A usage object. The names are those of the whole family, the older and newer wording alike.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct UsageWire {
    #[serde(alias = "input_tokens")]
    prompt_tokens: Number,
    #[serde(alias = "output_tokens")]
    completion_tokens: Number,
    total_tokens: Number,
    reasoning_tokens: Number,
    cached_tokens: Number,
    prompt_cache_hit_tokens: Number,
    #[serde(alias = "output_tokens_details")]
    completion_tokens_details: Option<Details>,
    #[serde(alias = "input_tokens_details")]
    prompt_tokens_details: Option<Details>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Details {
    reasoning_tokens: Number,
    cached_tokens: Number,
}

/// Reads a usage object. `None` if it holds no count.
pub(super) fn usage(raw: &RawValue) -> Option<Usage> {
    let wire: UsageWire = object(raw)?;
    let inner = |details: &Option<Details>, of: fn(&Details) -> Number| details.as_ref().and_then(|d| of(d).count());
    let mut usage = Usage {
        prompt: wire.prompt_tokens.count(),
        completion: wire.completion_tokens.count(),
        reasoning: inner(&wire.completion_tokens_details, |d| d.reasoning_tokens).or(wire.reasoning_tokens.count()),
        cached: inner(&wire.prompt_tokens_details, |d| d.cached_tokens)
            .or(wire.prompt_cache_hit_tokens.count())
            .or(wire.cached_tokens.count()),
        total: wire.total_tokens.count(),
        completion_reported: None,
        raw: None,
    };
    if usage.is_empty() {
        return None;
    }
    mend(&mut usage);
    usage.raw = Some(raw.get().to_owned());
    Some(usage)
}

/// Reads an object; an array would pass for one, field by field.
fn object<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    raw.get().starts_with('{').then(|| serde_json::from_str(raw.get()).ok())?
}

/// Some servers leave the reasoning out of `completion_tokens`. It shows: prompt + completion + reasoning = total, and prompt +
/// completion is not. (dialects: usage lies in known ways, case a.)
fn mend(usage: &mut Usage) {
    let (Some(prompt), Some(completion), Some(reasoning), Some(total)) = (usage.prompt, usage.completion, usage.reasoning, usage.total)
    else {
        return;
    };
    let sum = prompt.saturating_add(completion);
    if sum != total && sum.saturating_add(reasoning) == total {
        usage.completion_reported = Some(completion);
        usage.completion = Some(completion + reasoning);
    }
}

/// The server's times, under all the names that servers use for them. Names that end in `_ms` are milliseconds, the others seconds.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TimingWire {
    time_to_first_token_ms: Number,
    queue_time_ms: Number,
    generation_time_ms: Number,
    prompt_ms: Number,
    predicted_ms: Number,
    predicted_n: Number,
    cache_n: Number,
    queue_time: Number,
    prompt_time: Number,
    completion_time: Number,
    total_time: Number,
}

/// Reads a timing object, or the times inside a usage object. `None` if it holds no time.
pub(super) fn timing(raw: &RawValue) -> Option<ServerTiming> {
    let wire: TimingWire = object(raw)?;
    let timing = ServerTiming {
        queue_ms: wire.queue_time_ms.or_seconds(wire.queue_time),
        prompt_ms: wire.prompt_ms.or_seconds(wire.prompt_time),
        gen_ms: wire.generation_time_ms.0.or(wire.predicted_ms.or_seconds(wire.completion_time)),
        ttft_ms: wire.time_to_first_token_ms.0,
        load_ms: None,
        total_ms: Number(None).or_seconds(wire.total_time),
        gen_tokens: wire.predicted_n.count(),
        cached: wire.cache_n.count(),
    };
    (timing != ServerTiming::default()).then_some(timing)
}

/// A number, also in quotes; anything else counts as absent.
#[derive(Debug, Clone, Copy, Default)]
struct Number(Option<f64>);

impl Number {
    /// The number as a count: whole and not negative.
    fn count(self) -> Option<u64> {
        self.0.filter(|n| n.fract() == 0.0 && (0.0..9.0e15).contains(n)).map(|n| n as u64)
    }
    /// The number itself, in milliseconds, or else the one in seconds.
    fn or_seconds(self, seconds: Number) -> Option<f64> {
        self.0.or(seconds.0.map(|s| (s * 1e9).round() / 1e6))
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Number, D::Error> {
        struct NumberVisitor;
        impl<'de> Visitor<'de> for NumberVisitor {
            type Value = Number;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }
            fn visit_bool<E>(self, _: bool) -> Result<Number, E> {
                Ok(Number(None))
            }
            fn visit_unit<E>(self) -> Result<Number, E> {
                Ok(Number(None))
            }
            fn visit_i64<E>(self, n: i64) -> Result<Number, E> {
                Ok(Number(Some(n as f64)))
            }
            fn visit_u64<E>(self, n: u64) -> Result<Number, E> {
                Ok(Number(Some(n as f64)))
            }
            fn visit_f64<E>(self, n: f64) -> Result<Number, E> {
                Ok(Number(n.is_finite().then_some(n)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Number, E> {
                Ok(Number(text.parse().ok().filter(|n: &f64| n.is_finite())))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Number, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Number(None))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Number, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Number(None))
            }
        }
        deserializer.deserialize_any(NumberVisitor)
    }
}

/// One tool call; the arguments are a text, or an object where a server sends them whole.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ToolWire<'a> {
    #[serde(borrow)]
    function: Option<FunctionWire<'a>>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct FunctionWire<'a> {
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
}

/// Reads the arguments out of `tool_calls`, an array or a single object, each non-empty one in order.
pub(super) fn tool_arguments(raw: &RawValue, mut each: impl FnMut(&str)) {
    let calls: Vec<ToolWire<'_>> = match raw.get().trim_start().starts_with('[') {
        true => serde_json::from_str(raw.get()).unwrap_or_default(),
        false => serde_json::from_str(raw.get()).map(|call| vec![call]).unwrap_or_default(),
    };
    for call in calls {
        let Some(arguments) = call.function.and_then(|f| f.arguments).or(call.arguments) else { continue };
        match arguments.get() {
            "null" => {}
            text if text.starts_with('"') => match serde_json::from_str::<Text<'_>>(text) {
                Ok(text) if !text.is_empty() => each(text.as_str()),
                _ => {}
            },
            object => each(object),
        }
    }
}

/// One part of `reasoning_details`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct DetailWire<'a> {
    #[serde(borrow)]
    text: Text<'a>,
    #[serde(borrow)]
    summary: Text<'a>,
}

/// The text of `reasoning_details`, for streams that send the reasoning in this form only.
pub(super) fn detail_text(raw: &RawValue) -> String {
    let details: Vec<DetailWire<'_>> = serde_json::from_str(raw.get()).unwrap_or_default();
    details.iter().flat_map(|detail| [detail.text.as_str(), detail.summary.as_str()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn a_count_that_excludes_reasoning_is_mended_and_the_reported_one_kept() {
        let text = r#"{"prompt_tokens":12,"completion_tokens":1,"total_tokens":303,"completion_tokens_details":{"reasoning_tokens":290}}"#;
        let usage = usage(&raw(text)).unwrap();
        assert_eq!((usage.completion, usage.completion_reported, usage.reasoning), (Some(291), Some(1), Some(290)));
        assert_eq!(usage.raw.as_deref(), Some(text));
    }

    #[test]
    fn a_count_in_quotes_is_read_and_a_null_one_is_absent() {
        let usage =
            usage(&raw(r#"{"prompt_tokens":"21","completion_tokens":6,"total_tokens":null,"prompt_tokens_details":null}"#)).unwrap();
        assert_eq!((usage.prompt, usage.completion, usage.total, usage.cached), (Some(21), Some(6), None, None));
        assert!(super::usage(&raw("{}")).is_none());
        assert!(super::usage(&raw("[1]")).is_none());
    }

    #[test]
    fn times_in_seconds_become_milliseconds() {
        let timing = timing(&raw(r#"{"queue_time":0.1717,"prompt_time":0.00079,"completion_time":0.0551}"#)).unwrap();
        assert_eq!((timing.queue_ms, timing.prompt_ms, timing.gen_ms), (Some(171.7), Some(0.79), Some(55.1)));
    }

    #[test]
    fn arguments_come_from_an_array_or_an_object() {
        let read = |text: &str| {
            let mut found = Vec::new();
            tool_arguments(&raw(text), |arguments| found.push(arguments.to_owned()));
            found
        };
        assert_eq!(read(r#"[{"index":0,"function":{"name":"f","arguments":"{\"a\""}},{"function":{"arguments":"1"}}]"#), ["{\"a\"", "1"]);
        assert_eq!(read(r#"{"function":{"name":"f","arguments":{"a":1}}}"#), ["{\"a\":1}"]);
        assert!(read(r#"[{"function":{"name":"f","arguments":""}}]"#).is_empty());
    }
}
