//! Anthropic's Messages: typed events, typed content blocks, the counts of the prompt at the start and those of the reply at the end.

use super::chunk::Text;
use super::think::{Splitter, ThinkTags};
use super::{Decoder, Emit, errors, finish};
use crate::timeline::{EndMark, ErrorCode, ErrorKind, Phase, ProviderError, StreamEvent, Usage};
use crate::wire::Frame;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Reads one response of the Messages protocol.
#[derive(Debug)]
pub struct AnthropicDecoder {
    /// Servers of one's own without a reasoning parser put tags into the text here too.
    splitter: Splitter,
    structured: bool,
    codes: BTreeMap<String, ErrorKind>,
    /// The counts so far: the start has those of the prompt, the end those of the reply.
    counts: Map<String, Value>,
    failed: bool,
    status: Option<u16>,
}

/// An event, or a whole message; everything in it may be missing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Event<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow)]
    message: Option<Message<'a>>,
    #[serde(borrow)]
    content_block: Option<Block<'a>>,
    #[serde(borrow)]
    delta: Option<Block<'a>>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Message<'a> {
    #[serde(borrow)]
    model: Text<'a>,
    #[serde(borrow)]
    content: Vec<Block<'a>>,
    #[serde(borrow)]
    stop_reason: Text<'a>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
}

/// A content block, or what is added to one, or to the message.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Block<'a> {
    #[serde(borrow)]
    thinking: Text<'a>,
    #[serde(borrow)]
    text: Text<'a>,
    #[serde(borrow)]
    partial_json: Text<'a>,
    #[serde(borrow)]
    stop_reason: Text<'a>,
}

impl AnthropicDecoder {
    /// A decoder for one response; `codes` are the provider's own error types.
    pub fn new(think: ThinkTags, codes: BTreeMap<String, ErrorKind>) -> AnthropicDecoder {
        AnthropicDecoder { splitter: Splitter::new(think), structured: false, codes, counts: Map::new(), failed: false, status: None }
    }

    fn event(&mut self, event: &Event<'_>, emit: Emit<'_>) {
        match event.kind.as_str() {
            "message_start" => {
                let Some(message) = &event.message else { return };
                if !message.model.is_empty() {
                    emit(StreamEvent::Model(message.model.as_str()));
                }
                self.count(message.usage);
                // What is told of the reply here is provisional.
                self.counts.remove("output_tokens");
            }
            "content_block_start" => event.content_block.iter().for_each(|block| self.block(block, emit)),
            "content_block_delta" => event.delta.iter().for_each(|delta| self.block(delta, emit)),
            "message_delta" => {
                if self.count(event.usage) {
                    self.tell_usage(emit);
                }
                event.delta.iter().for_each(|delta| self.stopped(delta.stop_reason.as_str(), emit));
            }
            "message_stop" => {
                self.splitter.flush(emit);
                emit(StreamEvent::End(EndMark::Message));
            }
            // `ping`, `content_block_stop`, and what may come later.
            _ => {}
        }
    }

    fn block(&mut self, block: &Block<'_>, emit: Emit<'_>) {
        if !block.thinking.is_empty() {
            if !self.structured {
                self.structured = true;
                self.splitter.switch_off(emit);
            }
            emit(StreamEvent::Delta { phase: Phase::Reasoning, text: block.thinking.as_str(), held: 0 });
        }
        self.splitter.push(block.text.as_str(), emit);
        if !block.partial_json.is_empty() {
            emit(StreamEvent::Delta { phase: Phase::Tool, text: block.partial_json.as_str(), held: 0 });
        }
    }

    fn stopped(&mut self, reason: &str, emit: Emit<'_>) {
        let Some((seen, error)) = finish::read(reason) else { return };
        self.splitter.flush(emit);
        emit(StreamEvent::Finish(seen));
        if let Some(error) = error.filter(|_| !self.failed) {
            self.failed = true;
            emit(StreamEvent::Error(error));
        }
    }

    /// Takes counts in; a later one stands for an earlier one.
    fn count(&mut self, usage: Option<&RawValue>) -> bool {
        let Some(usage) = usage.and_then(|raw| serde_json::from_str::<Map<String, Value>>(raw.get()).ok()) else { return false };
        self.counts.extend(usage.into_iter().filter(|(_, value)| !value.is_null()));
        true
    }

    fn tell_usage(&self, emit: Emit<'_>) {
        let count = |name: &str| self.counts.get(name).and_then(Value::as_u64);
        let cached = count("cache_read_input_tokens");
        // `input_tokens` leaves out what was read from the cache and what was written to it.
        let around = [cached, count("cache_creation_input_tokens")].into_iter().flatten().fold(0u64, u64::saturating_add);
        let prompt = count("input_tokens").map(|input| input.saturating_add(around));
        let completion = count("output_tokens");
        let usage = Usage {
            prompt,
            completion,
            cached,
            total: prompt.zip(completion).map(|(prompt, completion)| prompt.saturating_add(completion)),
            raw: serde_json::to_string(&self.counts).ok(),
            ..Usage::default()
        };
        if !usage.is_empty() {
            emit(StreamEvent::Usage(usage));
        }
    }

    fn error(&mut self, data: &[u8], emit: Emit<'_>) {
        if !self.perhaps_error(data, emit) {
            self.failed = true;
            emit(StreamEvent::Error(errors::of_words(data, self.status, &self.codes)));
        }
    }

    /// Tells the error that an object without a type may be: gateways send their own shapes.
    fn perhaps_error(&mut self, data: &[u8], emit: Emit<'_>) -> bool {
        let shaped = serde_json::from_slice(data).ok().and_then(|value| errors::of_value(&value, self.status, &[], &self.codes));
        self.failed |= shaped.is_some();
        shaped.map(|error| emit(StreamEvent::Error(typed(error)))).is_some()
    }
}

/// The type of an error is its code here.
fn typed(mut error: ProviderError) -> ProviderError {
    error.code = error.code.or_else(|| error.kind_raw.clone().map(ErrorCode::Text));
    error
}

impl Decoder for AnthropicDecoder {
    fn status(&mut self, status: u16) {
        self.status = Some(status).filter(|status| 300 <= *status);
    }

    fn feed(&mut self, frame: &Frame<'_>, emit: Emit<'_>) {
        self.splitter.next_frame();
        let data = frame.data.trim_ascii();
        if data.is_empty() {
            return;
        }
        if frame.name == "error" && !frame.unterminated {
            return self.error(data, emit);
        }
        match serde_json::from_slice::<Event<'_>>(data) {
            Ok(event) if frame.unterminated => {
                if event.kind.as_str() == "message_stop" {
                    self.splitter.flush(emit);
                    emit(StreamEvent::End(EndMark::DoneLenient));
                }
            }
            Ok(event) if event.kind.as_str() == "error" => self.error(data, emit),
            Ok(event) if event.kind.is_empty() => {
                self.perhaps_error(data, emit);
            }
            Ok(event) => self.event(&event, emit),
            // Some relays end with the mark of another dialect.
            Err(_) if data == b"[DONE]" || data == b"null" || frame.unterminated => {}
            Err(_) => emit(StreamEvent::Unreadable),
        }
    }

    fn body(&mut self, status: u16, _content_type: Option<&str>, body: &[u8], emit: Emit<'_>) {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii();
        let message = serde_json::from_slice::<Message<'_>>(body).ok().filter(|message| status < 300 && !message.content.is_empty());
        let Some(message) = message else {
            return match errors::of_body(status, body, &[], &self.codes) {
                Some(error) => {
                    self.failed = true;
                    emit(StreamEvent::Error(typed(error)));
                }
                None if !body.is_empty() => emit(StreamEvent::Unreadable),
                None => {}
            };
        };
        if !message.model.is_empty() {
            emit(StreamEvent::Model(message.model.as_str()));
        }
        message.content.iter().for_each(|block| self.block(block, emit));
        if self.count(message.usage) {
            self.tell_usage(emit);
        }
        self.stopped(message.stop_reason.as_str(), emit);
        self.splitter.flush(emit);
    }

    fn finish(&mut self, emit: Emit<'_>) {
        self.splitter.flush(emit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(frames: &[&str]) -> Vec<String> {
        super::super::told(&mut AnthropicDecoder::new(ThinkTags::default(), BTreeMap::new()), frames)
    }

    #[test]
    fn the_first_count_of_the_reply_is_provisional_and_a_short_last_one_keeps_the_prompt() {
        let start = r#"{"type":"message_start","message":{"usage":{"input_tokens":5,"cache_read_input_tokens":3,"output_tokens":2}}}"#;
        let last = r#"{"type":"message_delta","delta":{"stop_reason":"max_tokens"},"usage":{"output_tokens":9}}"#;
        assert_eq!(read(&[start, last]), ["usage Some(8)+Some(9)", "finish Length"]);
        assert!(read(&[start]).is_empty());
    }

    #[test]
    fn tool_arguments_and_texts_that_stand_in_the_start_of_a_block_are_read() {
        let start = r#"{"type":"content_block_start","content_block":{"type":"text","text":"so"}}"#;
        let tool = r#"{"type":"content_block_delta","delta":{"type":"input_json_delta","partial_json":"{\"a\""}}"#;
        assert_eq!(read(&[start, tool]), ["c:so", "t:{\"a\""]);
    }

    #[test]
    fn tags_in_the_text_are_split_and_typed_thinking_switches_that_off() {
        let text = |text: &str| format!(r#"{{"type":"content_block_delta","delta":{{"type":"text_delta","text":"{text}"}}}}"#);
        assert_eq!(read(&[&text("<think>hm</think>"), &text("42")]), ["r:hm", "c:42"]);
        let thinking = r#"{"type":"content_block_delta","delta":{"type":"thinking_delta","thinking":"hm"}}"#;
        assert_eq!(read(&[thinking, &text("<think>x")]), ["r:hm", "c:<think>x"]);
    }

    #[test]
    fn an_error_is_read_with_or_without_the_name_of_its_event() {
        let error = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
        assert_eq!(read(&[error]), ["error Overloaded Overloaded"]);
        assert_eq!(read(&[r#"{"type":"ping"}"#, "{}", "null", "[1,"]), ["Unreadable"]);
    }
}
