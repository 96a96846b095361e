//! The bases on which tokens are counted.

use super::Reference;
use crate::record::Answer;
use crate::timeline::{Phase, TextOfPhases, Timeline};
use serde::Serialize;

/// On what basis tokens are counted. One table has one basis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The provider's own token counts.
    Reported,
    /// One named tokenizer for all.
    Reference,
    /// Characters: speeds are in characters per second.
    Chars,
}

/// Tokens (or characters) of each event of a timeline.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counts {
    /// One number an event, in the timeline's order. Fractions arise where a total is spread by length.
    pub per_event: Vec<f64>,
    /// The split between the phases is by characters, since the provider told only the total.
    pub estimated: bool,
}

impl Counts {
    /// All tokens that were streamed.
    pub fn total(&self) -> f64 {
        self.per_event.iter().sum()
    }
}

/// Why a reply has no counts on a basis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoCounts {
    /// The text was not kept, and no counts of this tokenizer were.
    #[error("the run kept no text, and its counts are of another tokenizer")]
    NoText,
    /// The provider reported no usage.
    #[error("the provider reported no usage")]
    NoUsage,
    /// The usage contradicts the text.
    #[error("the reported usage is not believed")]
    NotBelieved,
    /// The reported total may hold thinking that was not streamed.
    #[error("the reported total may hold thinking that was not shown")]
    ThinkingUnknown,
}

/// Counts by the reference tokenizer: from the text, or as they were taken before the text was dropped.
pub fn reference_counts(answer: &Answer, reference: &Reference) -> Result<Counts, NoCounts> {
    let per_event = match (&answer.text, &answer.counts) {
        (Some(text), _) => reference.count_events(&answer.timeline, text),
        (None, Some(counts)) if counts.tokenizer == reference.name() => counts.per_event.clone(),
        (None, _) if answer.timeline.is_empty() => Vec::new(),
        _ => return Err(NoCounts::NoText),
    };
    if per_event.len() != answer.timeline.len() {
        return Err(NoCounts::NoText);
    }
    Ok(Counts { per_event: per_event.into_iter().map(f64::from).collect(), estimated: false })
}

/// Characters of each event.
pub fn char_counts(answer: &Answer) -> Result<Counts, NoCounts> {
    let per_event = chars_of_events(answer).ok_or(NoCounts::NoText)?;
    Ok(Counts { per_event: per_event.into_iter().map(f64::from).collect(), estimated: false })
}

/// Characters of each event, where the text or counts of it were kept.
pub fn chars_of_events(answer: &Answer) -> Option<Vec<u32>> {
    match (&answer.text, &answer.counts) {
        (Some(text), _) => Some(chars_in(&answer.timeline, text)),
        (None, Some(counts)) => (counts.chars.len() == answer.timeline.len()).then(|| counts.chars.clone()),
        (None, None) => answer.timeline.is_empty().then(Vec::new),
    }
}

fn chars_in(timeline: &Timeline, text: &TextOfPhases) -> Vec<u32> {
    let mut chars = vec![0u32; timeline.len()];
    for phase in [Phase::Reasoning, Phase::Content, Phase::Tool] {
        let bytes = text.of(phase).as_bytes();
        let mut from = 0usize;
        for (i, point) in timeline.points().enumerate().filter(|(_, point)| point.phase == phase) {
            let to = (from + point.bytes as usize).min(bytes.len());
            // Continuation bytes of UTF-8 begin no character.
            chars[i] = bytes[from..to].iter().filter(|byte| **byte & 0xC0 != 0x80).count() as u32;
            from = to;
        }
    }
    chars
}
