//! The chat dialect: one tolerant decoder for the whole family of `/chat/completions`. What providers do differently are the values
//! of a [`ChatDialect`], filled from their files.

use super::chunk::{Choice, Chunk, Delta};
use super::shape::Shape;
use super::think::{Splitter, ThinkTags};
use super::{Decoder, Emit, errors, finish, tally};
use crate::timeline::{EndMark, ErrorKind, Finish, FinishSeen, Phase, ProviderError, StreamEvent};
use crate::wire::Frame;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How a provider words the chat dialect.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatDialect {
    /// Names of the fields that hold reasoning; the first non-empty one of a delta counts.
    pub reasoning_fields: Vec<String>,
    /// How inline tags are read, unless the target says otherwise.
    pub think: ThinkTags,
    /// A top-level object of the provider's own that may hold a further `usage` and an `error`.
    pub extension: Option<String>,
    /// Names of the top-level objects with the server's own times; `usage` where they stand among the token counts.
    pub timing: Vec<String>,
    /// The end mark counts as `stop` where no finish reason was sent.
    pub done_is_stop: bool,
    /// Top-level `code` numbers that mean success.
    pub ok_codes: Vec<i64>,
    /// The provider's own error codes, where they mean more than the common words tell.
    pub error_codes: BTreeMap<String, ErrorKind>,
}

impl Default for ChatDialect {
    /// What a server of unknown make is read with: everything that the family knows.
    fn default() -> ChatDialect {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        ChatDialect {
            reasoning_fields: words(&["reasoning_content", "reasoning"]),
            think: ThinkTags::default(),
            extension: None,
            timing: words(&["metrics", "timings", "time_info", "usage"]),
            done_is_stop: false,
            ok_codes: vec![0, 200],
            error_codes: BTreeMap::new(),
        }
    }
}

/// Reads one response of the chat dialect.
#[derive(Debug)]
pub struct ChatDecoder {
    dialect: Arc<ChatDialect>,
    splitter: Splitter,
    /// That of the chunk parsed last.
    shape: Shape,
    /// A structured reasoning field has held text.
    structured: bool,
    model: String,
    fingerprint: String,
    upstream: String,
    finish: Option<String>,
    failed: bool,
    done: bool,
    /// The response's status, where it is a failing one.
    status: Option<u16>,
}

/// What an extension object may hold.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Extension<'a> {
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

impl ChatDecoder {
    /// A decoder for one response, its tags read as the dialect says.
    pub fn new(dialect: Arc<ChatDialect>) -> ChatDecoder {
        let think = dialect.think.clone();
        ChatDecoder::with_tags(dialect, think)
    }

    /// A decoder for one response, its tags read as the target says.
    pub fn with_tags(dialect: Arc<ChatDialect>, think: ThinkTags) -> ChatDecoder {
        ChatDecoder {
            dialect,
            splitter: Splitter::new(think),
            shape: Shape::default(),
            structured: false,
            model: String::new(),
            fingerprint: String::new(),
            upstream: String::new(),
            finish: None,
            failed: false,
            done: false,
            status: None,
        }
    }

    fn payload(&mut self, data: &[u8], emit: Emit<'_>) -> bool {
        match self.shape.text(data) {
            Some((Phase::Content, text)) => {
                self.splitter.push(text, emit);
                return true;
            }
            Some((phase, text)) => {
                emit(StreamEvent::Delta { phase, text, held: 0 });
                return true;
            }
            None => {}
        }
        match data.first() {
            Some(b'{') => match Chunk::parse(data, &self.dialect) {
                Ok(chunk) => {
                    self.chunk(&chunk, data, emit);
                    match chunk.only_text() {
                        Some((phase, text)) => self.shape.learn(data, phase, text),
                        None => self.shape.forget(),
                    }
                }
                Err(_) => return self.several(data, emit),
            },
            Some(b'"') => match serde_json::from_slice::<Value>(data) {
                Ok(words) => self.error_in(&words, emit),
                Err(_) => return false,
            },
            _ => return data == b"null",
        }
        true
    }

    /// Proxies that lose the empty line between two events join their data: each line is a payload of its own then.
    fn several(&mut self, data: &[u8], emit: Emit<'_>) -> bool {
        let lines: Vec<&[u8]> = data.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()).collect();
        let whole = |line: &&[u8]| **line == *DONE || Chunk::parse(line, &self.dialect).is_ok();
        if lines.len() < 2 || !lines.iter().all(whole) {
            return false;
        }
        for line in lines {
            match line == DONE {
                true => self.end(EndMark::Done, emit),
                false => {
                    self.payload(line, emit);
                }
            }
        }
        true
    }

    fn chunk(&mut self, chunk: &Chunk<'_>, data: &[u8], emit: Emit<'_>) {
        if is_news(&mut self.model, chunk.model.as_str()) {
            emit(StreamEvent::Model(&self.model));
        }
        if is_news(&mut self.fingerprint, chunk.fingerprint.as_str()) {
            emit(StreamEvent::Fingerprint(&self.fingerprint));
        }
        if is_news(&mut self.upstream, chunk.upstream.as_str()) {
            emit(StreamEvent::Upstream(&self.upstream));
        }
        for choice in chunk.choices() {
            self.delta(&choice.delta, emit);
        }
        self.tallies(chunk, emit);
        let error = if chunk.suspect { serde_json::from_slice(data).ok().and_then(|value| self.read_error(&value)) } else { None };
        self.failed |= error.is_some();
        for choice in chunk.choices() {
            self.finish_reason(choice, emit);
        }
        if let Some(error) = error {
            emit(StreamEvent::Error(error));
        }
        if let Some(extension) = chunk.extension {
            let error = serde_json::from_str::<Extension<'_>>(extension.get()).ok().and_then(|e| e.error);
            if let Some(Ok(value)) = error.map(|raw| serde_json::from_str::<Value>(raw.get())) {
                self.error_in(&serde_json::json!({ "error": value }), emit);
            }
        }
    }

    /// The texts of a delta, in reading order: reasoning, content, tool arguments.
    fn delta(&mut self, delta: &Delta<'_>, emit: Emit<'_>) {
        let parts;
        let reasoning = match (delta.reasoning.as_str(), delta.details) {
            ("", Some(details)) => {
                parts = tally::detail_text(details);
                parts.as_str()
            }
            (text, _) => text,
        };
        if !reasoning.is_empty() {
            if !self.structured {
                self.structured = true;
                self.splitter.switch_off(emit);
            }
            emit(StreamEvent::Delta { phase: Phase::Reasoning, text: reasoning, held: 0 });
        }
        self.splitter.push(delta.content.as_str(), emit);
        self.splitter.push(delta.refusal.as_str(), emit);
        if let Some(tools) = delta.tools {
            tally::tool_arguments(tools, |text| emit(StreamEvent::Delta { phase: Phase::Tool, text, held: 0 }));
        }
    }

    /// Token counts and times, from wherever they stand; counts that stand twice are read once.
    fn tallies(&self, chunk: &Chunk<'_>, emit: Emit<'_>) {
        let extension = || serde_json::from_str::<Extension<'_>>(chunk.extension?.get()).ok()?.usage;
        let counts = chunk.usage.or_else(|| chunk.choices().find_map(|choice| choice.usage)).or_else(extension);
        if let Some(usage) = counts.and_then(tally::usage) {
            emit(StreamEvent::Usage(usage));
        }
        let with_counts = || counts.filter(|_| self.dialect.timing.iter().any(|place| place == "usage"));
        if let Some(timing) = chunk.timing.or_else(with_counts).and_then(tally::timing) {
            emit(StreamEvent::Timing(timing));
        }
    }

    fn finish_reason(&mut self, choice: &Choice<'_>, emit: Emit<'_>) {
        let Some((seen, error)) = finish::read(choice.finish.as_str()) else { return };
        if self.finish.as_deref() == Some(seen.raw.as_str()) {
            return;
        }
        self.splitter.flush(emit);
        self.finish = Some(seen.raw.clone());
        emit(StreamEvent::Finish(seen));
        if let Some(error) = error.filter(|_| !self.failed) {
            self.failed = true;
            emit(StreamEvent::Error(error));
        }
    }

    fn read_error(&self, value: &Value) -> Option<ProviderError> {
        errors::of_value(value, self.status, &self.dialect.ok_codes, &self.dialect.error_codes)
    }

    fn error_in(&mut self, value: &Value, emit: Emit<'_>) {
        if let Some(error) = self.read_error(value) {
            self.failed = true;
            emit(StreamEvent::Error(error));
        }
    }

    /// An event that the server itself calls an error.
    fn error_event(&mut self, data: &[u8], emit: Emit<'_>) {
        let shaped = serde_json::from_slice(data).ok().and_then(|value| self.read_error(&value));
        self.failed = true;
        emit(StreamEvent::Error(shaped.unwrap_or_else(|| errors::of_words(data, self.status, &self.dialect.error_codes))));
    }

    fn end(&mut self, mark: EndMark, emit: Emit<'_>) {
        self.splitter.flush(emit);
        if self.dialect.done_is_stop && self.finish.is_none() && !self.failed && !self.done {
            emit(StreamEvent::Finish(FinishSeen { raw: String::new(), normal: Finish::Stop }));
        }
        self.done = true;
        emit(StreamEvent::End(mark));
    }
}

/// The end mark of the dialect.
const DONE: &[u8] = b"[DONE]";

impl Decoder for ChatDecoder {
    fn status(&mut self, status: u16) {
        self.status = Some(status).filter(|status| 300 <= *status);
    }

    fn feed(&mut self, frame: &Frame<'_>, emit: Emit<'_>) {
        self.splitter.next_frame();
        let data = frame.data.trim_ascii();
        match (data == DONE, frame.unterminated) {
            (true, false) => return self.end(EndMark::Done, emit),
            (true, true) => return self.end(EndMark::DoneLenient, emit),
            (false, true) => return,
            (false, false) if data.is_empty() => return,
            (false, false) => {}
        }
        if frame.name == "error" {
            return self.error_event(data, emit);
        }
        // Events under names of their own (pings, token ids) need not be chunks.
        if !self.payload(data, emit) && matches!(frame.name, "" | "message") {
            emit(StreamEvent::Unreadable);
        }
    }

    fn body(&mut self, status: u16, _content_type: Option<&str>, body: &[u8], emit: Emit<'_>) {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii();
        if let Some(error) = errors::of_body(status, body, &self.dialect.ok_codes, &self.dialect.error_codes) {
            self.failed = true;
            return emit(StreamEvent::Error(error));
        }
        let Ok(chunk) = Chunk::parse(body, &self.dialect) else {
            return if !body.is_empty() {
                emit(StreamEvent::Unreadable)
            };
        };
        for message in chunk.choices().filter_map(|choice| choice.message.as_deref()) {
            self.delta(message, emit);
        }
        self.chunk(&chunk, body, emit);
        self.splitter.flush(emit);
    }

    fn holds(&self) -> bool {
        self.splitter.holds()
    }

    fn finish(&mut self, emit: Emit<'_>) {
        self.splitter.flush(emit);
    }
}

/// Whether a name has changed since the last chunk; the new one is kept.
fn is_news(known: &mut String, now: &str) -> bool {
    let news = !now.is_empty() && now != known.as_str();
    if news {
        known.clear();
        known.push_str(now);
    }
    news
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(dialect: ChatDialect, frames: &[&str]) -> Vec<String> {
        super::super::told(&mut ChatDecoder::new(Arc::new(dialect)), frames)
    }

    fn plain(frames: &[&str]) -> Vec<String> {
        events(ChatDialect::default(), frames)
    }

    #[test]
    fn one_chunk_with_both_texts_gives_both_in_reading_order() {
        let chunk = r#"{"choices":[{"delta":{"content":"42","reasoning":"so"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}"#;
        assert_eq!(plain(&[chunk]), ["r:so", "c:42", "usage Some(1)+Some(2)", "finish Stop"]);
    }

    #[test]
    fn the_same_reasoning_under_two_names_and_in_parts_counts_once() {
        let chunk = r#"{"choices":[{"delta":{"reasoning":"hm","reasoning_content":"hm","reasoning_details":[{"type":"reasoning.text","text":"hm"}]}}]}"#;
        assert_eq!(plain(&[chunk]), ["r:hm"]);
        assert_eq!(plain(&[r#"{"choices":[{"delta":{"reasoning":"","reasoning_details":[{"text":"hm"}]}}]}"#]), ["r:hm"]);
    }

    #[test]
    fn empty_and_absent_texts_are_no_events() {
        let frames = [
            r#"{"choices":[{"delta":{"role":"assistant","content":null}}]}"#,
            r#"{"choices":[{"delta":{"content":"","reasoning_content":""}}]}"#,
            r#"{"choices":null}"#,
            r#"{"choices":[]}"#,
            r#"{"choices":[null]}"#,
            r#"{"choices":[{"delta":null}]}"#,
            "null",
            "{}",
        ];
        assert!(plain(&frames).is_empty());
    }

    #[test]
    fn junk_is_counted_and_reading_goes_on() {
        let lone = r#"{"choices":[{"delta":{"content":"\ud83c"}}]}"#;
        let frames = ["junk", lone, "{\"choices\":[{", r#"{"choices":[{"delta":{"content":"a"}}]}"#];
        assert_eq!(plain(&frames), ["Unreadable", "Unreadable", "Unreadable", "c:a"]);
    }

    #[test]
    fn events_joined_by_a_proxy_come_apart() {
        let joined = "{\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n{\"choices\":[{\"delta\":{\"content\":\"b\"}}]}\n[DONE]";
        assert_eq!(plain(&[joined]), ["c:a", "c:b", "End(Done)"]);
    }

    #[test]
    fn tags_count_for_nothing_once_reasoning_has_a_field_of_its_own() {
        let frames = [r#"{"choices":[{"delta":{"reasoning":"hm"}}]}"#, r#"{"choices":[{"delta":{"content":"<think>a</think>"}}]}"#];
        assert_eq!(plain(&frames), ["r:hm", "c:<think>a</think>"]);
    }

    #[test]
    fn a_success_envelope_is_no_error_and_any_other_code_is() {
        let dialect = || ChatDialect { done_is_stop: true, ..ChatDialect::default() };
        let good = r#"{"code":0,"message":"Success","choices":[{"delta":{"content":"a"}}]}"#;
        let bad = r#"{"code":10014,"message":"audit","choices":[{"delta":{"content":""}}]}"#;
        assert_eq!(events(dialect(), &[good, "[DONE]"]), ["c:a", "finish Stop", "End(Done)"]);
        assert_eq!(events(dialect(), &[good, bad, "[DONE]"]), ["c:a", "error Server audit", "End(Done)"]);
    }

    #[test]
    fn an_error_event_under_a_failing_status_is_judged_by_it() {
        let mut decoder = ChatDecoder::new(Arc::default());
        decoder.status(429);
        let mut kinds = Vec::new();
        let frame = Frame { name: "error", data: br#"{"error":{"message":"slow down"}}"#, unterminated: false };
        decoder.feed(&frame, &mut |event| match event {
            StreamEvent::Error(error) => kinds.push((error.kind, error.in_stream)),
            other => panic!("{other:?}"),
        });
        assert_eq!(kinds, [(ErrorKind::RateLimit, false)]);
    }

    #[test]
    fn tool_arguments_come_from_an_array_or_an_object() {
        let frames = [
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{\"a\""}}]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":{"type":"function","function":{"name":"f","arguments":":1}"}}},"finish_reason":"tool_calls"}]}"#,
        ];
        assert_eq!(plain(&frames), ["t:{\"a\"", "t::1}", "finish ToolCalls"]);
    }

    #[test]
    fn counts_and_errors_are_found_in_an_extension_object() {
        let dialect = ChatDialect { extension: Some("x_ext".to_owned()), ..ChatDialect::default() };
        let counts = r#"{"choices":[{"delta":{}}],"x_ext":{"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}}"#;
        let error = r#"{"choices":[{"delta":{}}],"x_ext":{"id":"r","error":"over_capacity"}}"#;
        assert_eq!(events(dialect, &[counts, error]), ["usage Some(1)+Some(2)", "error Overloaded over_capacity"]);
    }

    #[test]
    fn a_failing_finish_reason_is_an_error_and_an_error_object_beside_it_counts_once() {
        let alone = r#"{"choices":[{"delta":{},"finish_reason":"abort"}]}"#;
        assert_eq!(plain(&[alone]), ["finish Error", "error Server "]);
        let both = r#"{"error":{"code":502,"message":"upstream"},"choices":[{"delta":{"content":""},"finish_reason":"error"}]}"#;
        assert_eq!(plain(&[both]), ["finish Error", "error Server upstream"]);
    }

    #[test]
    fn a_reply_that_was_not_streamed_is_read_from_its_body() {
        let body = br#"{"choices":[{"message":{"content":"hi","reasoning_content":"hm"},"finish_reason":"stop"}]}"#;
        let mut decoder = ChatDecoder::new(Arc::new(ChatDialect::default()));
        let mut seen = Vec::new();
        decoder.body(200, Some("application/json"), body, &mut |event| seen.push(format!("{event:?}")));
        assert_eq!(seen.len(), 3, "{seen:?}");
    }

    #[test]
    fn an_escaped_key_and_a_text_in_parts_are_read() {
        assert_eq!(plain(&[r#"{"choices":[{"delta":{"con\u0074ent":"a"}}]}"#]), ["c:a"]);
        assert_eq!(plain(&[r#"{"choices":[{"delta":{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}}]}"#]), ["c:ab"]);
    }
}
