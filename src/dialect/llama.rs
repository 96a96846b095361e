//! Meta Llama's own events: start, progress, complete, and the counts in a list of metrics after the end.

use super::chunk::Text;
use super::{Decoder, Emit, errors, finish};
use crate::timeline::{EndMark, ErrorCode, ErrorKind, Phase, ProviderError, StreamEvent, Usage};
use crate::wire::Frame;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Reads one response of Meta Llama's protocol.
#[derive(Debug)]
pub struct LlamaDecoder {
    codes: BTreeMap<String, ErrorKind>,
    /// The reply was said to be complete; the metrics, if any come, end it.
    complete: bool,
    failed: bool,
    status: Option<u16>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Chunk<'a> {
    #[serde(borrow)]
    event: Option<Event<'a>>,
}

/// An event; everything in it may be missing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Event<'a> {
    #[serde(borrow)]
    event_type: Text<'a>,
    #[serde(borrow)]
    delta: Option<Delta<'a>>,
    #[serde(borrow)]
    stop_reason: Text<'a>,
    #[serde(borrow)]
    metrics: Option<Vec<Metric<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Delta<'a> {
    #[serde(borrow)]
    text: Text<'a>,
    #[serde(borrow)]
    function: Option<Function<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Function<'a> {
    #[serde(borrow)]
    arguments: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metric<'a> {
    #[serde(borrow)]
    metric: Text<'a>,
    value: Option<f64>,
}

impl LlamaDecoder {
    /// A decoder for one response; `codes` are the provider's own error codes.
    pub fn new(codes: BTreeMap<String, ErrorKind>) -> LlamaDecoder {
        LlamaDecoder { codes, complete: false, failed: false, status: None }
    }

    fn event(&mut self, event: &Event<'_>, emit: Emit<'_>) {
        if let Some(delta) = &event.delta {
            let arguments = delta.function.as_ref().map_or("", |function| function.arguments.as_str());
            for (phase, text) in [(Phase::Content, delta.text.as_str()), (Phase::Tool, arguments)] {
                if !text.is_empty() {
                    emit(StreamEvent::Delta { phase, text, held: 0 });
                }
            }
        }
        if let Some(usage) = event.metrics.as_deref().and_then(usage) {
            emit(StreamEvent::Usage(usage));
        }
        if let Some((seen, error)) = finish::read(event.stop_reason.as_str()) {
            emit(StreamEvent::Finish(seen));
            if let Some(error) = error.filter(|_| !self.failed) {
                self.failed = true;
                emit(StreamEvent::Error(error));
            }
        }
        match event.event_type.as_str() {
            "complete" => self.complete = true,
            "metrics" => self.end(emit),
            _ => {}
        }
    }

    fn end(&mut self, emit: Emit<'_>) {
        if std::mem::take(&mut self.complete) {
            emit(StreamEvent::End(EndMark::Message));
        }
    }

    fn error(&mut self, data: &[u8], emit: Emit<'_>) -> bool {
        let Some(value) = serde_json::from_slice::<Value>(data).ok() else { return false };
        let error = errors::of_value(&value, self.status, &[], &self.codes);
        self.failed |= error.is_some();
        error.map(|error| emit(StreamEvent::Error(titled(error, &value)))).is_some()
    }
}

/// The title of a problem stands before its detail.
fn titled(mut error: ProviderError, value: &Value) -> ProviderError {
    if let (Some(title), Some(detail)) = (value["title"].as_str(), value["detail"].as_str()) {
        error.message = format!("{title}: {detail}");
    }
    error
}

/// The counts among the metrics; they come as numbers with a fraction of nought.
fn usage(metrics: &[Metric<'_>]) -> Option<Usage> {
    let count = |name: &str| {
        let value = metrics.iter().find(|metric| metric.metric.as_str() == name)?.value?;
        (value.fract() == 0.0 && (0.0..9.0e15).contains(&value)).then_some(value as u64)
    };
    let raw: Map<String, Value> = metrics.iter().map(|metric| (metric.metric.as_str().to_owned(), metric.value.into())).collect();
    let usage = Usage {
        prompt: count("num_prompt_tokens"),
        completion: count("num_completion_tokens"),
        total: count("num_total_tokens"),
        raw: Some(Value::Object(raw).to_string()),
        ..Usage::default()
    };
    (!usage.is_empty()).then_some(usage)
}

impl Decoder for LlamaDecoder {
    fn status(&mut self, status: u16) {
        self.status = Some(status).filter(|status| 300 <= *status);
    }

    fn feed(&mut self, frame: &Frame<'_>, emit: Emit<'_>) {
        let data = frame.data.trim_ascii();
        if data.is_empty() || frame.unterminated {
            return;
        }
        if frame.name == "error" {
            if !self.error(data, emit) {
                self.failed = true;
                emit(StreamEvent::Error(errors::of_words(data, self.status, &self.codes)));
            }
            return;
        }
        match serde_json::from_slice::<Chunk<'_>>(data) {
            Ok(Chunk { event: Some(event) }) => self.event(&event, emit),
            Ok(Chunk { event: None }) => {
                self.error(data, emit);
            }
            Err(_) if data == b"null" || data == b"[DONE]" => {}
            Err(_) => emit(StreamEvent::Unreadable),
        }
    }

    fn body(&mut self, status: u16, _content_type: Option<&str>, body: &[u8], emit: Emit<'_>) {
        let Some(mut error) = errors::of_body(status, body.trim_ascii(), &[], &self.codes) else {
            return if !body.trim_ascii().is_empty() {
                emit(StreamEvent::Unreadable)
            };
        };
        if let Ok(value) = serde_json::from_slice::<Value>(body) {
            error = titled(error, &value);
            error.code = error.code.or_else(|| value["status"].as_i64().map(ErrorCode::Number));
        }
        self.failed = true;
        emit(StreamEvent::Error(error));
    }

    fn finish(&mut self, emit: Emit<'_>) {
        self.end(emit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_without_metrics_ends_as_complete_and_one_without_complete_does_not_end() {
        let ends = |frames: &[&str]| {
            let (mut decoder, mut ends) = (LlamaDecoder::new(BTreeMap::new()), 0);
            let mut note = |event: StreamEvent<'_>| ends += usize::from(event == StreamEvent::End(EndMark::Message));
            for data in frames {
                decoder.feed(&Frame { name: "", data: data.as_bytes(), unterminated: false }, &mut note);
            }
            decoder.finish(&mut note);
            ends
        };
        let complete = r#"{"event":{"event_type":"complete","stop_reason":"stop"}}"#;
        let metrics = r#"{"event":{"event_type":"metrics","metrics":[]}}"#;
        assert_eq!((ends(&[complete]), ends(&[complete, metrics]), ends(&[metrics])), (1, 1, 0));
    }
}
