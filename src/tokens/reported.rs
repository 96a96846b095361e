//! The provider's own token counts: whether they can be believed, and how they are spread over the events.

use super::{Counts, NoCounts, chars_of_events};
use crate::record::Answer;
use crate::timeline::{Phase, Usage, UsagePoint};
use serde::Serialize;

/// Reported and reference totals may differ by the tokenizer. Beyond a factor of three they do not describe one text.
const FARTHEST: f64 = 3.0;

/// What is doubtful about reported usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// No usage, or no completion count, came.
    Missing,
    /// `reasoning_tokens: 0` beside streamed reasoning: the total may be right, the share is not.
    ZeroReasoning,
    /// The total left the reasoning out and was mended by the sum of prompt, completion and reasoning.
    Mended,
    /// The total leaves the streamed reasoning out, and nothing in the usage mends it.
    ExcludesReasoning,
    /// The total, or the reasoning share, cannot belong to this text.
    Impossible,
}

impl Doubt {
    /// Whether the total is unusable.
    pub const fn spoils_the_total(self) -> bool {
        matches!(self, Doubt::Missing | Doubt::ExcludesReasoning | Doubt::Impossible)
    }
}

/// Holds the usage of a reply against its streamed text, counted by the reference tokenizer where that could be done. The doubts
/// found; none means that it is believed whole.
pub fn believe(answer: &Answer, reference: Option<&Counts>) -> Vec<Doubt> {
    let Some((usage, completion)) = answer.usage.as_ref().and_then(|usage| Some((usage, usage.completion?))) else {
        return vec![Doubt::Missing];
    };
    let mut doubts = Vec::new();
    let reasoned = streamed(answer, true);
    if usage.completion_reported.is_some() {
        doubts.push(Doubt::Mended);
    }
    if reasoned && usage.reasoning == Some(0) {
        doubts.push(Doubt::ZeroReasoning);
    }
    if usage.reasoning.is_some_and(|reasoning| reasoning > completion) {
        doubts.push(Doubt::Impossible);
        return doubts;
    }
    let counted = reference.map_or(0.0, Counts::total);
    if counted < 1.0 {
        return doubts;
    }
    let visible = if reasoned { completion } else { completion - usage.reasoning.unwrap_or(0) } as f64;
    let content: f64 = reference.map_or(0.0, |counts| of_phase(answer, &counts.per_event, false));
    let like_content = content > 0.0 && (0.7..=1.4).contains(&(visible / content));
    if reasoned && visible < 0.7 * counted && like_content {
        doubts.push(Doubt::ExcludesReasoning);
    } else if visible * FARTHEST < counted || counted * FARTHEST < visible {
        // A handful of tokens says nothing about a ratio.
        if 16.0 <= counted.max(visible) {
            doubts.push(Doubt::Impossible);
        }
    }
    doubts
}

/// Spreads reported usage over the events: exactly where cumulative counts came on the way, else each phase's total in proportion
/// to characters.
pub fn reported_counts(answer: &Answer, doubts: &[Doubt]) -> Result<Counts, NoCounts> {
    if doubts.contains(&Doubt::Missing) {
        return Err(NoCounts::NoUsage);
    }
    if doubts.iter().any(|doubt| doubt.spoils_the_total()) {
        return Err(NoCounts::NotBelieved);
    }
    let usage = answer.usage.as_ref().ok_or(NoCounts::NoUsage)?;
    let completion = usage.completion.ok_or(NoCounts::NoUsage)?;
    let chars: Vec<f64> = chars_of_events(answer).ok_or(NoCounts::NoText)?.into_iter().map(f64::from).collect();
    if let Some(per_event) = from_points(answer, completion, &chars) {
        return Ok(Counts { per_event, estimated: false });
    }
    let (reasoned, answered) = (streamed(answer, true), streamed(answer, false));
    let share = usage.reasoning.filter(|reasoning| 0 < *reasoning || !reasoned);
    let mut per_event = vec![0.0; chars.len()];
    let estimated = match share {
        Some(reasoning) if answered || !reasoned => {
            if reasoned {
                spread(answer, &chars, Some(true), reasoning as f64, &mut per_event);
            }
            spread(answer, &chars, Some(false), (completion - reasoning) as f64, &mut per_event);
            false
        }
        _ => {
            spread(answer, &chars, None, completion as f64, &mut per_event);
            reasoned && answered
        }
    };
    Ok(Counts { per_event, estimated })
}

/// Tokens of each event from cumulative counts. What is counted between two points belongs to the events between them.
fn from_points(answer: &Answer, completion: u64, chars: &[f64]) -> Option<Vec<f64>> {
    let points = &answer.timeline.usage;
    let hidden = |point: &UsagePoint| if streamed(answer, true) { 0 } else { point.reasoning.unwrap_or(0) };
    let rises = points.windows(2).all(|two| two[0].completion <= two[1].completion && two[0].events <= two[1].events);
    let telling = points.iter().filter(|point| 0 < point.events).count();
    let within = points.last().is_some_and(|last| last.completion <= completion && last.events as usize <= chars.len());
    if !rises || !within || telling < 2 || chars.is_empty() {
        return None;
    }
    let mut per_event = vec![0.0; chars.len()];
    let (mut from, mut counted) = (0usize, 0u64);
    let last =
        UsagePoint { events: chars.len() as u32, completion, reasoning: answer.usage.as_ref().and_then(|usage: &Usage| usage.reasoning) };
    for point in points.iter().chain([&last]) {
        let (to, total) = (point.events as usize, point.completion.saturating_sub(hidden(point)));
        if to <= from {
            // Counts without a text of their own (a closing tag) go with the next text, or with the last at the end.
            if from == chars.len() {
                per_event[from - 1] += total.saturating_sub(counted) as f64;
                counted = counted.max(total);
            }
            continue;
        }
        let fresh = total.saturating_sub(counted) as f64;
        let length: f64 = chars[from..to].iter().sum();
        for i in from..to {
            per_event[i] += if 0.0 < length { fresh * chars[i] / length } else { fresh / (to - from) as f64 };
        }
        (from, counted) = (to, counted.max(total));
    }
    Some(per_event)
}

fn spread(answer: &Answer, chars: &[f64], reasoning: Option<bool>, total: f64, per_event: &mut [f64]) {
    let phases: Vec<Phase> = answer.timeline.phases().collect();
    let wanted = |i: usize| reasoning.is_none_or(|r| r == (phases[i] == Phase::Reasoning));
    let length: f64 = (0..chars.len()).filter(|i| wanted(*i)).map(|i| chars[i]).sum();
    for i in (0..chars.len()).filter(|i| wanted(*i) && 0.0 < length) {
        per_event[i] = total * chars[i] / length;
    }
}

/// Whether any reasoning (or else any answer, tool calls included) was streamed.
fn streamed(answer: &Answer, reasoning: bool) -> bool {
    answer.timeline.phases().any(|phase| (phase == Phase::Reasoning) == reasoning)
}

fn of_phase(answer: &Answer, per_event: &[f64], reasoning: bool) -> f64 {
    let phases = answer.timeline.phases().zip(per_event);
    phases.filter(|(phase, _)| (*phase == Phase::Reasoning) == reasoning).map(|(_, n)| n).sum()
}
