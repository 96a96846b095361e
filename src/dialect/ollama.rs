//! Ollama's own protocol: one JSON object a line, thinking beside content, and the server's times in nanoseconds on the last line.

use super::chunk::Text;
use super::think::{Splitter, ThinkTags};
use super::{Decoder, Emit, errors, finish, tally};
use crate::timeline::{EndMark, ErrorKind, Phase, ServerTiming, StreamEvent, Usage};
use crate::wire::Frame;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// What is kept of a body without one readable line, bytes: enough to tell an error by.
const LARGEST_ODD_BODY: usize = 64 << 10;

/// Reads one response of Ollama's protocol.
#[derive(Debug)]
pub struct OllamaDecoder {
    splitter: Splitter,
    structured: bool,
    codes: BTreeMap<String, ErrorKind>,
    model: String,
    failed: bool,
    status: u16,
    /// The lines so far, while none could be read: every body comes in lines here, also an error's and a page of HTML.
    odd: Option<Vec<u8>>,
}

/// A line; everything in it may be missing, and zeros are left out by the server.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line<'a> {
    #[serde(borrow)]
    model: Text<'a>,
    #[serde(borrow)]
    message: Option<Message<'a>>,
    done: Option<bool>,
    #[serde(borrow)]
    done_reason: Text<'a>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    total_duration: Option<u64>,
    load_duration: Option<u64>,
    prompt_eval_count: Option<u64>,
    prompt_eval_duration: Option<u64>,
    eval_count: Option<u64>,
    eval_duration: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Message<'a> {
    #[serde(borrow)]
    thinking: Text<'a>,
    #[serde(borrow)]
    content: Text<'a>,
    #[serde(borrow)]
    tool_calls: Option<&'a RawValue>,
}

impl OllamaDecoder {
    /// A decoder for one response; `codes` are the provider's own error codes.
    pub fn new(think: ThinkTags, codes: BTreeMap<String, ErrorKind>) -> OllamaDecoder {
        let splitter = Splitter::new(think);
        OllamaDecoder { splitter, structured: false, codes, model: String::new(), failed: false, status: 200, odd: Some(Vec::new()) }
    }

    fn message(&mut self, message: &Message<'_>, emit: Emit<'_>) {
        if !message.thinking.is_empty() {
            if !self.structured {
                self.structured = true;
                self.splitter.switch_off(emit);
            }
            emit(StreamEvent::Delta { phase: Phase::Reasoning, text: message.thinking.as_str(), held: 0 });
        }
        self.splitter.push(message.content.as_str(), emit);
        if let Some(tools) = message.tool_calls {
            tally::tool_arguments(tools, |text| emit(StreamEvent::Delta { phase: Phase::Tool, text, held: 0 }));
        }
    }

    fn line(&mut self, line: &Line<'_>, data: &[u8], unterminated: bool, emit: Emit<'_>) {
        if line.model.as_str() != self.model && !line.model.is_empty() {
            line.model.as_str().clone_into(&mut self.model);
            emit(StreamEvent::Model(&self.model));
        }
        if line.error.is_some() {
            let value = serde_json::from_slice(data).ok();
            if let Some(error) = value.and_then(|value| errors::of_value(&value, None, &[], &self.codes)) {
                self.failed = true;
                emit(StreamEvent::Error(error));
            }
        }
        line.message.iter().for_each(|message| self.message(message, emit));
        if line.done != Some(true) {
            return;
        }
        self.splitter.flush(emit);
        if let Some(usage) = usage(line) {
            emit(StreamEvent::Usage(usage));
        }
        if let Some(timing) = timing(line) {
            emit(StreamEvent::Timing(timing));
        }
        if let Some((seen, error)) = finish::read(line.done_reason.as_str()) {
            emit(StreamEvent::Finish(seen));
            if let Some(error) = error.filter(|_| !self.failed) {
                self.failed = true;
                emit(StreamEvent::Error(error));
            }
        }
        emit(StreamEvent::End(if unterminated { EndMark::DoneLenient } else { EndMark::Message }));
    }
}

fn usage(line: &Line<'_>) -> Option<Usage> {
    let (prompt, completion) = (line.prompt_eval_count, line.eval_count);
    let total = prompt.zip(completion).map(|(prompt, completion)| prompt.saturating_add(completion));
    let raw = Some(json!({ "prompt_eval_count": prompt, "eval_count": completion }).to_string());
    let usage = Usage { prompt, completion, total, raw, ..Usage::default() };
    (!usage.is_empty()).then_some(usage)
}

/// Nanoseconds as milliseconds. Loading the model is a cold start and stands for itself.
fn timing(line: &Line<'_>) -> Option<ServerTiming> {
    let ms = |ns: Option<u64>| ns.map(|ns| ns as f64 / 1e6);
    let timing = ServerTiming {
        load_ms: ms(line.load_duration),
        prompt_ms: ms(line.prompt_eval_duration),
        gen_ms: ms(line.eval_duration),
        total_ms: ms(line.total_duration),
        ..ServerTiming::default()
    };
    (timing != ServerTiming::default()).then_some(timing)
}

impl Decoder for OllamaDecoder {
    fn status(&mut self, status: u16) {
        self.status = status;
    }

    fn feed(&mut self, frame: &Frame<'_>, emit: Emit<'_>) {
        self.splitter.next_frame();
        let data = frame.data.trim_ascii();
        let read = if self.status < 300 && data.first() == Some(&b'{') { serde_json::from_slice::<Line<'_>>(data).ok() } else { None };
        // A last line without its end counts only where it ends the reply.
        let whole = |line: &Line<'_>| !frame.unterminated || line.done == Some(true) || line.error.is_some();
        match read {
            Some(line) => {
                self.odd = None;
                if whole(&line) {
                    self.line(&line, data, frame.unterminated, emit);
                }
            }
            None => match &mut self.odd {
                Some(odd) if odd.len() < LARGEST_ODD_BODY => {
                    odd.extend_from_slice(&data[..data.len().min(LARGEST_ODD_BODY)]);
                    odd.push(b'\n');
                }
                Some(_) => {}
                None if frame.unterminated || data == b"null" => {}
                None => emit(StreamEvent::Unreadable),
            },
        }
    }

    fn body(&mut self, status: u16, _content_type: Option<&str>, body: &[u8], emit: Emit<'_>) {
        if let Some(error) = errors::of_body(status, body.trim_ascii(), &[], &self.codes) {
            self.failed = true;
            emit(StreamEvent::Error(error));
        }
    }

    fn finish(&mut self, emit: Emit<'_>) {
        self.splitter.flush(emit);
        if let Some(odd) = self.odd.take().filter(|odd| !odd.is_empty()) {
            self.body(self.status, None, &odd, emit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, lines: &[&str]) -> Vec<String> {
        let mut decoder = OllamaDecoder::new(ThinkTags::default(), BTreeMap::new());
        let mut seen = Vec::new();
        let mut note = |event: StreamEvent<'_>| match event {
            StreamEvent::Delta { phase, text, .. } => seen.push(format!("{}:{text}", phase.letter())),
            StreamEvent::Usage(usage) => seen.push(format!("usage {:?}+{:?}={:?}", usage.prompt, usage.completion, usage.total)),
            StreamEvent::Error(error) => seen.push(format!("error {:?} {}", error.kind, error.message)),
            StreamEvent::Timing(timing) => seen.push(format!("load {:?} prompt {:?}", timing.load_ms, timing.prompt_ms)),
            StreamEvent::Finish(finish) => seen.push(format!("finish {:?}", finish.normal)),
            other => seen.push(format!("{other:?}")),
        };
        decoder.status(status);
        for (at, data) in lines.iter().enumerate() {
            decoder.feed(&Frame { name: "", data: data.as_bytes(), unterminated: at + 1 == lines.len() }, &mut note);
        }
        decoder.finish(&mut note);
        seen
    }

    #[test]
    fn a_cached_prompt_has_no_count_and_so_no_total() {
        let done = r#"{"done":true,"done_reason":"length","load_duration":1500000,"eval_count":3}"#;
        let seen = read(200, &[done, ""]);
        assert_eq!(seen, ["usage None+Some(3)=None", "load Some(1.5) prompt None", "finish Length", "End(Message)"]);
    }

    #[test]
    fn both_texts_of_a_line_come_in_reading_order_and_tool_arguments_are_an_object() {
        let both = r#"{"message":{"content":"42","thinking":"hm"},"done":false}"#;
        let tool = r#"{"message":{"content":"","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]},"done":false}"#;
        assert_eq!(read(200, &[both, tool, ""]), ["r:hm", "c:42", "t:{\"a\":1}"]);
    }

    #[test]
    fn an_error_body_or_a_page_of_html_is_no_line_of_the_reply() {
        assert_eq!(read(404, &["{", r#" "error": "model 'm' not found""#, "}"]), ["error NotFound model 'm' not found"]);
        assert_eq!(read(502, &["<html>", "<h1>Bad Gateway</h1></html>"]), ["error Server Bad Gateway"]);
        assert_eq!(read(200, &["<html>hello</html>"]), ["error Protocol hello"]);
    }

    #[test]
    fn a_last_line_without_its_end_counts_only_if_it_is_the_end() {
        let text = r#"{"message":{"content":"a"},"done":false}"#;
        assert_eq!(read(200, &[text, text]), ["c:a"]);
        assert_eq!(read(200, &[text, "[1", r#"{"done":true}"#]), ["c:a", "Unreadable", "End(DoneLenient)"]);
    }
}
