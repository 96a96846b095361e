//! Whatever a server sends, the chat decoder reads on: any JSON in any place, any bytes, any cut of a text with tags in it.

use photofinish::dialect::{ChatDecoder, Decoder, ThinkTags};
use photofinish::timeline::{Phase, StreamEvent};
use photofinish::wire::Frame;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::Arc;

/// Reasoning, content, and how often nothing could be read.
#[derive(Debug, Default, PartialEq)]
struct Read {
    reasoning: String,
    content: String,
    unreadable: usize,
}

fn read<'f>(tags: &str, frames: impl IntoIterator<Item = &'f [u8]>) -> Read {
    let tags: ThinkTags = tags.parse().unwrap();
    let mut decoder = ChatDecoder::with_tags(Arc::default(), tags);
    let mut read = Read::default();
    let mut take = |event: StreamEvent<'_>| match event {
        StreamEvent::Delta { text: "", .. } => panic!("an empty text is no event"),
        StreamEvent::Delta { phase: Phase::Reasoning, text, .. } => read.reasoning.push_str(text),
        StreamEvent::Delta { text, .. } => read.content.push_str(text),
        StreamEvent::Relabel => {
            let content = std::mem::take(&mut read.content);
            read.reasoning.push_str(&content);
        }
        StreamEvent::Unreadable => read.unreadable += 1,
        _ => {}
    };
    for data in frames {
        decoder.feed(&Frame { name: "", data, unterminated: false }, &mut take);
    }
    decoder.finish(&mut take);
    read
}

/// What the second of two frames says, its events in words; between the two, something unlike both where `apart`.
fn second(first: &[u8], then: &[u8], apart: bool) -> Vec<String> {
    let mut decoder = ChatDecoder::with_tags(Arc::default(), "off".parse().unwrap());
    let mut told = Vec::new();
    let between: &[&[u8]] = if apart { &[b"{}"] } else { &[] };
    for data in [&[first][..], between, &[then]].concat() {
        told.clear();
        decoder.feed(&Frame { name: "", data, unterminated: false }, &mut |event| told.push(format!("{event:?}")));
    }
    told
}

fn chunk(text: &str) -> Vec<u8> {
    json!({ "choices": [{ "delta": { "content": text } }] }).to_string().into_bytes()
}

const MODES: [&str; 6] = ["off", "tagged", "assume_open", "auto", "auto_retro", "auto:◁t▷|◁/t▷"];

/// Texts in which tags are whole, torn, nested and near misses.
fn tagged_text() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "<think>", "</think>", "<", ">", "</", "<th", "ink>", " ", "\n", "a", "答", "🍎", "◁t▷", "◁/t▷", "◁", "/t▷",
    ]);
    prop::collection::vec(words, 0..24).prop_map(|words| words.concat())
}

/// Any JSON value, small.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|n| json!(n)),
        ".{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let key = prop::sample::select(vec!["choices", "delta", "content", "error", "message", "code", "usage", "finish_reason", "x"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..3).prop_map(|fields| fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ]
    })
}

/// A chunk that has everything; one place of it will be spoilt.
fn full_chunk() -> Value {
    json!({
        "id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "system_fingerprint": "f", "provider": "p", "code": 0,
        "message": "ok", "error": null, "status_code": 200, "metrics": { "queue_time_ms": 1.5 }, "time_info": { "queue_time": 0.1 },
        "choices": [{
            "index": 0, "finish_reason": null, "usage": null,
            "delta": {
                "role": "assistant", "content": "a", "reasoning": "r", "reasoning_content": "r", "refusal": null,
                "reasoning_details": [{ "type": "reasoning.text", "text": "r" }],
                "tool_calls": [{ "index": 0, "id": "t", "function": { "name": "f", "arguments": "{}" } }],
            },
        }],
        "usage": {
            "prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "queue_time": 0.1,
            "completion_tokens_details": { "reasoning_tokens": 1 }, "prompt_tokens_details": { "cached_tokens": 0 },
        },
    })
}

/// Every place of a value, as JSON pointers.
fn places(value: &Value, here: String, found: &mut Vec<String>) {
    found.push(here.clone());
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| places(value, format!("{here}/{key}"), found)),
        Value::Array(values) => values.iter().enumerate().for_each(|(i, value)| places(value, format!("{here}/{i}"), found)),
        _ => {}
    }
}

/// The errors in a stream, as kind and words.
fn errors(name: &str, frames: &[&str]) -> Vec<String> {
    let mut decoder = ChatDecoder::new(Arc::default());
    let mut seen = Vec::new();
    for data in frames {
        decoder.feed(&Frame { name, data: data.as_bytes(), unterminated: false }, &mut |event| {
            if let StreamEvent::Error(error) = event {
                assert!(error.in_stream);
                seen.push(format!("{:?} {}", error.kind, error.message));
            }
        });
    }
    seen
}

#[test]
fn an_error_is_seen_inside_a_stream_in_every_shape() {
    for (shape, told) in [
        (r#"{"error":{"message":"a","type":"server_error","code":null}}"#, "Server a"),
        (r#"{"error":"b"}"#, "Server b"),
        (r#"{"code":50505,"message":"Model service overloaded","data":null}"#, "Overloaded Model service overloaded"),
        (r#"{"message":"Request was rejected due to rate limiting.","data":null}"#, "RateLimit Request was rejected due to rate limiting."),
        (r#"{"code":"Throttling.RateQuota","message":"d","request_id":"x"}"#, "RateLimit d"),
        (r#"{"object":"error","message":"e","type":"BadRequestError","param":null,"code":400}"#, "BadRequest e"),
        (r#"{"detail":"f"}"#, "Server f"),
        (r#"{"title":"Service Unavailable","detail":"g","status":503}"#, "Overloaded g"),
        (r#""h""#, "Server h"),
        (r#"{"error":{"message":"i","http_status_code":422}}"#, "BadRequest i"),
        (r#"{"type":"error","error":{"type":"overloaded_error","message":"j"}}"#, "Overloaded j"),
    ] {
        assert_eq!(errors("", &[shape]), [told], "{shape}");
    }
    assert_eq!(errors("error", &["upstream connect error: server error"]), ["Server upstream connect error: server error"]);
    assert_eq!(errors("error", &[r#"{"code":500,"message":"Compute error.","type":"server_error"}"#, "[DONE]"]), ["Server Compute error."]);
    for no_error in
        [r#"{"error":null}"#, r#"{"error":{}}"#, r#"{"error":"","choices":[]}"#, r#"{"code":"success","choices":[{"delta":{}}]}"#]
    {
        assert!(errors("", &[no_error]).is_empty(), "{no_error}");
    }
}

#[test]
fn of_two_reasoning_fields_the_one_that_the_file_names_first_counts() {
    let both = |first: &str, second: &str| format!(r#"{{"choices":[{{"delta":{{"{first}":"one","{second}":"two"}}}}]}}"#);
    let read = |data: &str| read("off", [data.as_bytes()]).reasoning;
    assert_eq!(read(&both("reasoning_content", "reasoning")), "one");
    assert_eq!(read(&both("reasoning", "reasoning_content")), "two");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn where_a_text_is_cut_does_not_matter(text in tagged_text(), mode in prop::sample::select(MODES.to_vec()), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6)) {
        let characters: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let mut ends: Vec<usize> = cuts.iter().map(|cut| *cut.get(&characters)).chain([text.len()]).collect();
        ends.sort_unstable();
        let mut from = 0;
        let frames: Vec<Vec<u8>> = ends.iter().map(|end| chunk(&text[std::mem::replace(&mut from, *end)..*end])).collect();
        let whole = chunk(&text);
        prop_assert_eq!(read(mode, frames.iter().map(Vec::as_slice)), read(mode, [whole.as_slice()]));
    }

    #[test]
    fn without_tags_no_character_is_lost(text in tagged_text()) {
        prop_assert_eq!(read("off", [chunk(&text).as_slice()]).content, text);
    }

    #[test]
    fn any_value_in_any_place_of_a_chunk_leaves_it_readable(spoilt in any_json(), place in any::<prop::sample::Index>()) {
        let mut value = full_chunk();
        let mut all = Vec::new();
        places(&value, String::new(), &mut all);
        let place = place.get(&all).clone();
        *value.pointer_mut(&place).unwrap() = spoilt;
        let data = value.to_string();
        let good = chunk("z");
        let read = read("off", [data.as_bytes(), good.as_slice()]);
        prop_assert!(read.content.ends_with('z'));
        prop_assert!(read.unreadable == 0 || place.is_empty(), "{} at {}", data, place);
    }

    #[test]
    fn any_bytes_are_passed_over(junk in prop::collection::vec(any::<u8>(), 0..64)) {
        let good = chunk("z");
        prop_assert!(read("auto", [junk.as_slice(), good.as_slice()]).content.ends_with('z'));
        let mut decoder = ChatDecoder::new(Arc::default());
        decoder.body(200, None, &junk, &mut |_| {});
        decoder.body(502, Some("text/html"), &junk, &mut |_| {});
    }

    #[test]
    fn a_chunk_reads_the_same_whatever_the_chunk_before_it(
        fields in prop::sample::subsequence(vec!["content", "reasoning", "reasoning_content", "refusal", "role", "x"], 1..=3),
        texts in prop::collection::vec("[a\"\\\\ é,:{}\n]{0,4}", 6),
        spoilt in prop::option::of((any_json(), any::<prop::sample::Index>())),
        byte in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
    ) {
        let like = |texts: &[String]| {
            let delta: Value = fields.iter().zip(texts).map(|(field, text)| ((*field).to_owned(), json!(text))).collect();
            json!({ "model": "m", "choices": [{ "index": 0, "delta": delta, "finish_reason": null }] })
        };
        let (first, mut then) = (like(&texts[..3]), like(&texts[3..]));
        if let Some((spoilt, place)) = spoilt {
            let mut all = Vec::new();
            places(&then, String::new(), &mut all);
            let place = place.get(&all).clone();
            *then.pointer_mut(&place).unwrap() = spoilt;
        }
        let (first, mut then) = (first.to_string().into_bytes(), then.to_string().into_bytes());
        if let Some((place, byte)) = byte {
            let at = place.index(then.len());
            then[at] = byte;
        }
        prop_assert_eq!(second(&first, &then, false), second(&first, &then, true));
    }
}
