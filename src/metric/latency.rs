//! Times from the request's first write.

use super::arrivals::Moment;
use super::{Better, Metric, Observation, Reply, Undefined, Unit};
use crate::timeline::Phase;

/// The metrics of this family.
pub const METRICS: &[Metric] = &[
    Metric {
        name: "ttft",
        title: "time to first token",
        unit: Unit::Milliseconds,
        better: Better::Lower,
        formula: "arrival of the first text of any kind; an event without text (role, keep-alive, usage) is none",
        undefined_when: "no text came, or the client does not tell when it wrote",
        of: ttft,
    },
    Metric {
        name: "ttfa",
        title: "time to first answer",
        unit: Unit::Milliseconds,
        better: Better::Lower,
        formula: "arrival of the first text of the answer (tool-call arguments count)",
        undefined_when: "no answer came",
        of: ttfa,
    },
    Metric {
        name: "think",
        title: "thinking time",
        unit: Unit::Milliseconds,
        better: Better::Neither,
        formula: "first text of the answer − first text of the reasoning",
        undefined_when: "either is absent",
        of: think,
    },
    Metric {
        name: "switch_gap",
        title: "gap between thinking and answer",
        unit: Unit::Milliseconds,
        better: Better::Lower,
        formula: "first text of the answer − last text of the reasoning; 0 when one write held both; negative when the two interleave",
        undefined_when: "either is absent",
        of: switch_gap,
    },
    Metric {
        name: "e2e",
        title: "reply time",
        unit: Unit::Milliseconds,
        better: Better::Lower,
        formula: "arrival of the last text (not the close of the stream)",
        undefined_when: "no text came, or the client does not tell when it wrote",
        of: e2e,
    },
    Metric {
        name: "close_lag",
        title: "time to the close",
        unit: Unit::Milliseconds,
        better: Better::Neither,
        formula: "end of the stream − arrival of the last text",
        undefined_when: "no text came, or the end is not on record",
        of: close_lag,
    },
    Metric {
        name: "time_to_100",
        title: "time to 100 answer tokens",
        unit: Unit::Seconds,
        better: Better::Lower,
        formula: "arrival with which the answer reaches 100 tokens",
        undefined_when: "the answer is shorter, or there are no counts",
        of: |reply| time_to(reply, 100.0),
    },
    Metric {
        name: "time_to_500",
        title: "time to 500 answer tokens",
        unit: Unit::Seconds,
        better: Better::Lower,
        formula: "arrival with which the answer reaches 500 tokens",
        undefined_when: "the answer is shorter, or there are no counts",
        of: |reply| time_to(reply, 500.0),
    },
];

/// Everything that is not reasoning is answer.
fn answer(phase: Phase) -> bool {
    phase != Phase::Reasoning
}

fn reasoning(phase: Phase) -> bool {
    phase == Phase::Reasoning
}

fn since_start(reply: &Reply<'_>, moment: Moment) -> Result<Observation, Undefined> {
    reply.start_known()?;
    Ok(Observation::between(moment.at, moment.earliest, moment.at))
}

pub(super) fn ttft(reply: &Reply<'_>) -> Result<Observation, Undefined> {
    let first = reply.first(|_| true).ok_or(Undefined::NoArrival)?;
    since_start(reply, reply.moment(first))
}

fn ttfa(reply: &Reply<'_>) -> Result<Observation, Undefined> {
    let first = reply.first(answer).ok_or(Undefined::NoContent)?;
    since_start(reply, reply.moment(first))
}

pub(super) fn e2e(reply: &Reply<'_>) -> Result<Observation, Undefined> {
    let last = reply.last(|_| true).ok_or(Undefined::NoArrival)?;
    since_start(reply, reply.moment(last))
}

fn think(reply: &Reply<'_>) -> Result<Observation, Undefined> {
    let began = reply.first(reasoning).ok_or(Undefined::NoReasoning)?;
    let answered = reply.first(answer).ok_or(Undefined::NoContent)?;
    let (from, to) = (reply.moment(began), reply.moment(answered));
    Ok(distance(from, to, began.chunk == answered.chunk))
}

fn switch_gap(reply: &Reply<'_>) -> Result<Observation, Undefined> {
    let ended = reply.last(reasoning).ok_or(Undefined::NoReasoning)?;
    let answered = reply.first(answer).ok_or(Undefined::NoContent)?;
    let (from, to) = (reply.moment(ended), reply.moment(answered));
    Ok(distance(from, to, ended.chunk == answered.chunk))
}

/// From one moment to another. What one write held has no distance; the distance of two intervals is an interval, and keeps the sign
/// that the order of reading gives it.
fn distance(from: Moment, to: Moment, one_write: bool) -> Observation {
    if one_write {
        return Observation::exact(0.0);
    }
    let (value, low, high) = (to.at - from.at, to.earliest - from.at, to.at - from.earliest);
    if from.at <= to.at { Observation::between(value, low.max(0.0), high) } else { Observation::between(value, low, high.min(0.0)) }
}

fn close_lag(reply: &Reply<'_>) -> Result<Observation, Undefined> {
    let last = reply.moment(reply.last(|_| true).ok_or(Undefined::NoArrival)?);
    let closed = reply.since_write(reply.answer.stamps.closed.ok_or(Undefined::NoResponse)?)?;
    Ok(Observation::between(closed - last.at, closed - last.at, closed - last.earliest))
}

fn time_to(reply: &Reply<'_>, wanted: f64) -> Result<Observation, Undefined> {
    reply.counts()?;
    let mut so_far = 0.0;
    for arrival in &reply.content {
        so_far += arrival.tokens.unwrap_or(0.0);
        // A total spread by length may miss the whole number by rounding.
        if wanted <= so_far + 1e-9 {
            let seen = since_start(reply, arrival.moment)?;
            return Ok(Observation::between(seen.value / 1e3, seen.low / 1e3, seen.high / 1e3));
        }
    }
    Err(Undefined::Shorter)
}
