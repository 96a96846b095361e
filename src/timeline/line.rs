//! The timeline of one reply: what came, when, and how sure that is.

use super::Phase;
use crate::units::{Offset, Stamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// When a frame's last byte reached this machine: at `at` if `exact`, else somewhere in `(after, at]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mark {
    /// The kernel's receive time of the newest segment in the read (user time where the kernel gave none).
    pub at: Stamp,
    /// No byte of the frame had arrived by then; equal to `at` where exact.
    pub after: Stamp,
    /// When the read returned to us: `user − at` is this client's own lag.
    pub user: Stamp,
    /// The number of the read on this connection's exchange, from 1.
    pub read: u32,
    /// What the server wrote at once: the HTTP chunk, or the frame's own number where the framing does not show writes.
    pub chunk: u32,
    /// `at` is the arrival of the frame's last byte, to the kernel's accuracy.
    pub exact: bool,
}

/// One text of a timeline, put together from its parallel arrays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// When it arrived, since the request's first write.
    pub at: Offset,
    /// How wide the interval is in which it arrived, in nanoseconds: it came in `(at − width, at]`; 0 is exact.
    pub width_ns: u64,
    /// The part of the reply it belongs to.
    pub phase: Phase,
    /// Its length in UTF-8 bytes.
    pub bytes: u32,
    /// What the server wrote at once bears one number.
    pub chunk: u32,
    /// The read it came with.
    pub read: u32,
}

impl Point {
    /// Whether the time is exact.
    pub const fn exact(&self) -> bool {
        self.width_ns == 0
    }
    /// The earliest time at which it can have arrived.
    pub const fn earliest(&self) -> Offset {
        Offset(self.at.0.saturating_sub(self.width_ns))
    }
}

/// A text whose first byte had come earlier than its time says: a tag splitter held it until it was clear what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Index of the event in the timeline.
    pub event: u32,
    /// When the first byte of it came, since the first write.
    pub since_ns: u64,
}

/// Cumulative token counts that came with an event (SiliconFlow on every chunk, vLLM and Ark by request).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsagePoint {
    /// Number of timeline events that had come when the counts came, those of the same frame included.
    pub events: u32,
    /// Completion tokens so far, reasoning included.
    pub completion: u64,
    /// Reasoning tokens so far, where told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reasoning: Option<u64>,
}

/// The text of each phase, all its events joined.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextOfPhases {
    /// The thinking.
    pub reasoning: String,
    /// The answer.
    pub content: String,
    /// Tool-call arguments.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub tool: String,
}

impl TextOfPhases {
    /// The text of one phase.
    pub fn of(&self, phase: Phase) -> &str {
        match phase {
            Phase::Reasoning => &self.reasoning,
            Phase::Content => &self.content,
            Phase::Tool => &self.tool,
        }
    }
    /// The text of one phase, to be added to.
    pub fn of_mut(&mut self, phase: Phase) -> &mut String {
        match phase {
            Phase::Reasoning => &mut self.reasoning,
            Phase::Content => &mut self.content,
            Phase::Tool => &mut self.tool,
        }
    }
}

/// All texts of a reply in order of arrival, as parallel arrays of one length. Empty texts are not in it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Timeline {
    /// When each text arrived, ns since the request's first write; never decreasing.
    pub at_ns: Vec<u64>,
    /// Width of the interval in which it arrived, ns; 0 is exact.
    pub width_ns: Vec<u64>,
    /// The phase of each text; one letter an event in the record.
    #[serde(serialize_with = "letters", deserialize_with = "of_letters")]
    pub phase: Vec<Phase>,
    /// UTF-8 bytes of each text.
    pub bytes: Vec<u32>,
    /// What the server wrote at once bears one number.
    pub chunk: Vec<u32>,
    /// The read each text came with.
    pub read: Vec<u32>,
    /// Texts that a splitter held back.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub held: Vec<Held>,
    /// Cumulative token counts that came on the way.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub usage: Vec<UsagePoint>,
}

impl Timeline {
    /// The number of texts.
    pub fn len(&self) -> usize {
        self.at_ns.len()
    }
    /// Whether no text came at all.
    pub fn is_empty(&self) -> bool {
        self.at_ns.is_empty()
    }
    /// Adds a text at the end.
    pub fn push(&mut self, point: Point) {
        self.at_ns.push(point.at.0);
        self.width_ns.push(point.width_ns);
        self.phase.push(point.phase);
        self.bytes.push(point.bytes);
        self.chunk.push(point.chunk);
        self.read.push(point.read);
    }
    /// The texts one by one.
    pub fn points(&self) -> impl ExactSizeIterator<Item = Point> + '_ {
        (0..self.len()).map(|i| Point {
            at: Offset(self.at_ns[i]),
            width_ns: self.width_ns[i],
            phase: self.phase[i],
            bytes: self.bytes[i],
            chunk: self.chunk[i],
            read: self.read[i],
        })
    }
    /// Whether the parallel arrays have one length and the times never run backwards: what a reader of foreign files checks.
    pub fn is_sound(&self) -> bool {
        let n = self.at_ns.len();
        [self.width_ns.len(), self.phase.len(), self.bytes.len(), self.chunk.len(), self.read.len()].iter().all(|l| *l == n)
            && self.at_ns.is_sorted()
    }
}

fn letters<S: Serializer>(phases: &[Phase], serializer: S) -> Result<S::Ok, S::Error> {
    let text: String = phases.iter().map(|phase| phase.letter()).collect();
    serializer.serialize_str(&text)
}

fn of_letters<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Phase>, D::Error> {
    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
    let unknown = |letter| serde::de::Error::custom(format!("{letter:?} names no phase; known are r, c and t"));
    text.chars().map(|letter| Phase::of_letter(letter).ok_or_else(|| unknown(letter))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeline_comes_back_from_its_record() {
        let mut line = Timeline::default();
        let point = |at, phase| Point { at: Offset(at), width_ns: 0, phase, bytes: 3, chunk: 1, read: 1 };
        line.push(point(5, Phase::Reasoning));
        line.push(point(9, Phase::Content));
        let text = serde_json::to_string(&line).unwrap();
        assert!(text.contains(r#""phase":"rc""#), "{text}");
        assert_eq!(serde_json::from_str::<Timeline>(&text).unwrap(), line);
        assert!(line.is_sound());
    }
}
