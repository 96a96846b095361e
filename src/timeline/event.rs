//! The vocabulary into which every dialect is read.

use super::{FinishSeen, ProviderError, ServerTiming, Usage};
use serde::{Deserialize, Serialize};

/// Which part of the reply a text belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The model's thinking, as far as it is shown.
    Reasoning,
    /// The answer.
    #[default]
    Content,
    /// Arguments of a tool call. Counts as content in every metric, and is kept apart in the record.
    Tool,
}

impl Phase {
    /// The letter that stands for the phase in a record.
    pub const fn letter(self) -> char {
        match self {
            Phase::Reasoning => 'r',
            Phase::Content => 'c',
            Phase::Tool => 't',
        }
    }
    /// The phase of a letter.
    pub const fn of_letter(letter: char) -> Option<Phase> {
        match letter {
            'r' => Some(Phase::Reasoning),
            'c' => Some(Phase::Content),
            't' => Some(Phase::Tool),
            _ => None,
        }
    }
}

/// A signal by which a dialect says that a reply is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndMark {
    /// `data: [DONE]`.
    Done,
    /// `[DONE]` without the blank line that ends an event, at the end of the body.
    DoneLenient,
    /// A message of the dialect's own that ends the reply (`message_stop`, `done: true`, `status: 2`).
    Message,
}

/// One thing read in a stream. A frame may hold several; a decoder emits all of them, in reading order. Text is borrowed: nothing
/// is copied on the timed path before the timeline takes it.
#[derive(Debug, Clone, PartialEq)]
pub enum StreamEvent<'a> {
    /// Text, never empty.
    Delta {
        /// The part of the reply.
        phase: Phase,
        /// The text itself.
        text: &'a str,
        /// How many frames ago the first byte of this text came in, when a `<think>` splitter had to hold it back; else 0.
        held: u32,
    },
    /// Everything emitted as content so far was reasoning: a closing tag came without an opening one.
    Relabel,
    /// Token counts, cumulative: the last one counts.
    Usage(Usage),
    /// The server's own account of its time.
    Timing(ServerTiming),
    /// Why the reply ended.
    Finish(FinishSeen),
    /// An error, in whatever shape it came.
    Error(ProviderError),
    /// The model that answered, as the server names it.
    Model(&'a str),
    /// `system_fingerprint`, when not empty.
    Fingerprint(&'a str),
    /// The provider behind a router, as OpenRouter names it.
    Upstream(&'a str),
    /// A terminal signal.
    End(EndMark),
    /// A frame that could not be read; reading goes on.
    Unreadable,
}
