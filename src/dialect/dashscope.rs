//! DashScope's own protocol: an `output` a event, either what is new or the whole text again, counts on every event, the status of an
//! error in a comment, and a finish reason that is the word `null` until the end.

use super::chunk::Text;
use super::think::{Splitter, ThinkTags};
use super::{Decoder, Emit, errors, finish, tally};
use crate::timeline::{EndMark, ErrorKind, Phase, StreamEvent};
use crate::wire::Frame;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Reads one response of DashScope's protocol.
#[derive(Debug)]
pub struct DashScopeDecoder {
    splitter: Splitter,
    structured: bool,
    codes: BTreeMap<String, ErrorKind>,
    /// The texts so far, reasoning and content, where each event repeats them.
    so_far: Option<[String; 2]>,
    finish: Option<String>,
    failed: bool,
    status: u16,
    /// The status that the latest comment told.
    told: Option<u16>,
}

/// An event; everything in it may be missing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Event<'a> {
    #[serde(borrow)]
    output: Option<Output<'a>>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    code: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Output<'a> {
    #[serde(borrow)]
    choices: Option<Vec<Choice<'a>>>,
    /// `result_format: text`.
    #[serde(borrow)]
    text: Text<'a>,
    #[serde(borrow)]
    finish_reason: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Choice<'a> {
    #[serde(borrow)]
    message: Option<Message<'a>>,
    #[serde(borrow)]
    finish_reason: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Message<'a> {
    #[serde(borrow)]
    reasoning_content: Text<'a>,
    #[serde(borrow)]
    content: Text<'a>,
    #[serde(borrow)]
    tool_calls: Option<&'a RawValue>,
}

impl DashScopeDecoder {
    /// A decoder for one response. `cumulative`: each event was asked to repeat the whole text. `codes` are the provider's own.
    pub fn new(think: ThinkTags, cumulative: bool, codes: BTreeMap<String, ErrorKind>) -> DashScopeDecoder {
        DashScopeDecoder {
            splitter: Splitter::new(think),
            structured: false,
            codes,
            so_far: cumulative.then(Default::default),
            finish: None,
            failed: false,
            status: 200,
            told: None,
        }
    }

    fn event(&mut self, event: &Event<'_>, emit: Emit<'_>) {
        let output = event.output.as_ref();
        for choice in output.and_then(|output| output.choices.as_ref()).into_iter().flatten() {
            let Some(message) = &choice.message else { continue };
            self.reasoning(message.reasoning_content.as_str(), emit);
            self.content(message.content.as_str(), emit);
            if let Some(tools) = message.tool_calls {
                tally::tool_arguments(tools, |text| emit(StreamEvent::Delta { phase: Phase::Tool, text, held: 0 }));
            }
        }
        self.content(output.map_or("", |output| output.text.as_str()), emit);
        if let Some(usage) = event.usage.and_then(tally::usage) {
            emit(StreamEvent::Usage(usage));
        }
        let reasons = output.into_iter().flat_map(|output| {
            let of_choices = output.choices.iter().flatten().map(|choice| choice.finish_reason.as_str());
            of_choices.chain([output.finish_reason.as_str()])
        });
        reasons.for_each(|reason| self.stopped(reason, emit));
    }

    fn reasoning(&mut self, text: &str, emit: Emit<'_>) {
        let text = news(self.so_far.as_mut().map(|so_far| &mut so_far[0]), text);
        if text.is_empty() {
            return;
        }
        if !self.structured {
            self.structured = true;
            self.splitter.switch_off(emit);
        }
        emit(StreamEvent::Delta { phase: Phase::Reasoning, text, held: 0 });
    }

    fn content(&mut self, text: &str, emit: Emit<'_>) {
        let text = news(self.so_far.as_mut().map(|so_far| &mut so_far[1]), text);
        self.splitter.push(text, emit);
    }

    fn stopped(&mut self, reason: &str, emit: Emit<'_>) {
        let Some((seen, error)) = finish::read(reason) else { return };
        if self.finish.is_some() {
            return;
        }
        self.splitter.flush(emit);
        self.finish = Some(seen.raw.clone());
        emit(StreamEvent::Finish(seen));
        if let Some(error) = error.filter(|_| !self.failed) {
            self.failed = true;
            emit(StreamEvent::Error(error));
        }
        // There is no other end mark than this.
        emit(StreamEvent::End(EndMark::Message));
    }

    fn error(&mut self, data: &[u8], emit: Emit<'_>) {
        let status = Some(self.status).filter(|status| 300 <= *status).or(self.told.filter(|status| 300 <= *status));
        let shaped = serde_json::from_slice(data).ok().and_then(|value| errors::of_value(&value, status, &[], &self.codes));
        let mut error = shaped.unwrap_or_else(|| errors::of_words(data, status, &self.codes));
        // The status of the comment is the event's; the response itself began well.
        error.in_stream = self.status < 300;
        self.failed = true;
        emit(StreamEvent::Error(error));
    }
}

/// What is new in a text that repeats what came before. A text that does not begin like that is all new: nothing is dropped.
fn news<'t>(so_far: Option<&mut String>, text: &'t str) -> &'t str {
    let Some(so_far) = so_far else { return text };
    match text.strip_prefix(so_far.as_str()) {
        Some(new) => {
            so_far.push_str(new);
            new
        }
        // The last event of some models repeats nothing.
        None if text.is_empty() || so_far.starts_with(text) => "",
        None => {
            text.clone_into(so_far);
            text
        }
    }
}

impl Decoder for DashScopeDecoder {
    fn status(&mut self, status: u16) {
        self.status = status;
    }

    fn comment(&mut self, text: &[u8]) {
        let number = text.trim_ascii().strip_prefix(b"HTTP_STATUS/").and_then(|rest| std::str::from_utf8(rest).ok());
        if let Some(status) = number.and_then(|number| number.trim().parse().ok()) {
            self.told = Some(status);
        }
    }

    fn feed(&mut self, frame: &Frame<'_>, emit: Emit<'_>) {
        self.splitter.next_frame();
        let data = frame.data.trim_ascii();
        if data.is_empty() || frame.unterminated {
            return;
        }
        if frame.name == "error" {
            return self.error(data, emit);
        }
        match serde_json::from_slice::<Event<'_>>(data) {
            Ok(event) if event.output.is_none() && event.code.is_some() => self.error(data, emit),
            Ok(event) => self.event(&event, emit),
            Err(_) if data == b"null" || data == b"[DONE]" => {}
            Err(_) => emit(StreamEvent::Unreadable),
        }
    }

    fn body(&mut self, status: u16, _content_type: Option<&str>, body: &[u8], emit: Emit<'_>) {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii();
        if let Some(error) = errors::of_body(status, body, &[], &self.codes) {
            self.failed = true;
            return emit(StreamEvent::Error(error));
        }
        match serde_json::from_slice::<Event<'_>>(body) {
            Ok(event) => self.event(&event, emit),
            Err(_) if body.is_empty() => {}
            Err(_) => emit(StreamEvent::Unreadable),
        }
        self.splitter.flush(emit);
    }

    fn finish(&mut self, emit: Emit<'_>) {
        self.splitter.flush(emit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(cumulative: bool, frames: &[&str]) -> Vec<String> {
        let mut decoder = DashScopeDecoder::new(ThinkTags::default(), cumulative, BTreeMap::new());
        let mut seen = Vec::new();
        let mut note = |event: StreamEvent<'_>| match event {
            StreamEvent::Delta { phase, text, .. } => seen.push(format!("{}:{text}", phase.letter())),
            StreamEvent::Error(error) => seen.push(format!("error {:?} {:?} {}", error.kind, error.http_status, error.in_stream)),
            StreamEvent::Finish(finish) => seen.push(format!("finish {:?}", finish.normal)),
            other => seen.push(format!("{other:?}")),
        };
        for data in frames {
            match data.strip_prefix(':') {
                Some(comment) => decoder.comment(comment.as_bytes()),
                None => decoder.feed(&Frame { name: "", data: data.as_bytes(), unterminated: false }, &mut note),
            }
        }
        decoder.finish(&mut note);
        seen
    }

    fn event(reasoning: &str, content: &str, finish: &str) -> String {
        format!(
            r#"{{"output":{{"choices":[{{"message":{{"content":"{content}","reasoning_content":"{reasoning}"}},"finish_reason":"{finish}"}}]}}}}"#
        )
    }

    #[test]
    fn of_a_repeated_text_only_what_is_new_is_told() {
        let frames = [event("h", "", "null"), event("hm", "", "null"), event("hm", "ha", "null"), event("hm", "haha", "stop")];
        let frames: Vec<&str> = frames.iter().map(String::as_str).collect();
        assert_eq!(read(true, &frames), ["r:h", "r:m", "c:ha", "c:ha", "finish Stop", "End(Message)"]);
        // Asked for what is new, a text that begins like the last is new all the same.
        assert_eq!(read(false, &[&event("", "ha", "null"), &event("", "haha", "null")]), ["c:ha", "c:haha"]);
    }

    #[test]
    fn the_status_in_the_comment_is_that_of_the_error() {
        let error = r#"{"code":"Strange","message":"m","request_id":"x"}"#;
        assert_eq!(read(false, &[":HTTP_STATUS/429", error]), ["error RateLimit Some(429) true"]);
        assert_eq!(read(false, &["null", "[1,"]), ["Unreadable"]);
    }
}
