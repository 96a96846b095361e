//! Reads frames: what a provider's stream means. Sans-I/O and without a clock.

mod anthropic;
pub mod chat;
mod chunk;
mod dashscope;
pub mod errors;
mod finish;
mod llama;
mod ollama;
mod shape;
mod tally;
pub mod think;

pub use anthropic::AnthropicDecoder;
pub use chat::{ChatDecoder, ChatDialect};
pub use dashscope::DashScopeDecoder;
pub use llama::LlamaDecoder;
pub use ollama::OllamaDecoder;
pub use think::{ThinkMode, ThinkTags};

use crate::timeline::StreamEvent;
use crate::wire::Frame;

/// Where a decoder puts what it reads.
pub type Emit<'e> = &'e mut dyn FnMut(StreamEvent<'_>);

/// Reads one response. It emits every event of a frame, in reading order; text is never dropped, only labelled.
pub trait Decoder: Send {
    /// The response's status, before anything else: an error event under a failing status is judged by it.
    fn status(&mut self, _status: u16) {}
    /// A comment of the stream, without its colon, before the frame that it stands in.
    fn comment(&mut self, _text: &[u8]) {}
    /// A frame of the stream.
    fn feed(&mut self, frame: &Frame<'_>, emit: Emit<'_>);
    /// The whole body of a response that held no frame at all: a JSON error, a page of HTML, a JSON reply to a stream request.
    fn body(&mut self, status: u16, content_type: Option<&str>, body: &[u8], emit: Emit<'_>);
    /// Whether text is being held back that came with an earlier frame. Where this is false, texts of later frames held nothing before.
    fn holds(&self) -> bool {
        true
    }
    /// The response is over: what was held back comes out. A `held` of 0 then means the last frame that was fed.
    fn finish(&mut self, emit: Emit<'_>);
}

/// What a decoder makes of whole frames, an event a line: for the tests of the dialects.
#[cfg(test)]
fn told(decoder: &mut dyn Decoder, frames: &[&str]) -> Vec<String> {
    let mut seen = Vec::new();
    let mut note = |event: StreamEvent<'_>| match event {
        StreamEvent::Delta { phase, text, .. } => seen.push(format!("{}:{text}", phase.letter())),
        StreamEvent::Usage(usage) => seen.push(format!("usage {:?}+{:?}", usage.prompt, usage.completion)),
        StreamEvent::Error(error) => seen.push(format!("error {:?} {}", error.kind, error.message)),
        StreamEvent::Finish(finish) => seen.push(format!("finish {:?}", finish.normal)),
        other => seen.push(format!("{other:?}")),
    };
    for data in frames {
        decoder.feed(&Frame { name: "", data: data.as_bytes(), unterminated: false }, &mut note);
    }
    decoder.finish(&mut note);
    seen
}
