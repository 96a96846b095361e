//! The errors of one level: every request's metrics and claims against the simulator's log.

use super::expected::expected;
use super::truth::{TextWrite, Truth, Truths};
use crate::metric::{Reply, Rules, Tally, judge, metric};
use crate::record::{Answer, CalibrationErrors, Claims, Errors, OutcomeErrors};
use crate::stats::{Extended, quantile_type1};
use crate::timeline::Point;
use crate::tokens::{Basis, NoCounts, believe, char_counts, reported_counts};
use crate::units::Stamp;

/// A claim may miss the write by so much: the two processes read one clock, yet not at one moment.
const SLACK_NS: u64 = 1000;

/// Rules under which replies are judged here: those of a plan that says nothing, except that a reply cut short is none.
const RULES: Rules = Rules { capped_is_ok: false, stall_ms: 500.0, min_tokens: 16.0, scale: 1.0, warm_up: false };

/// A request that was made, and what came of it.
#[derive(Debug, Clone, Copy)]
pub struct Held<'a> {
    /// Its id, as sent.
    pub request_id: &'a str,
    /// What came of it.
    pub answer: &'a Answer,
    /// Its times count; else its outcome alone does.
    pub timed: bool,
}

/// Errors as they are gathered.
#[derive(Default)]
struct Gathered {
    ttft_us: Vec<f64>,
    ttft_from_read_us: Vec<f64>,
    gap_exact_us: Vec<f64>,
    gap_us: Vec<f64>,
    speed: Vec<f64>,
    tokens: Vec<f64>,
    lag_us: Vec<f64>,
}

/// Holds every request of a level against the simulator's log.
///
/// Each error is |measured − true|. Time to first token, decode speed and tokens are those of the registry, on the reported token counts,
/// which the simulator states rightly. True is: for TTFT, the time just before the write of the first token less this client's own
/// first write (both on one clock); for a gap, the distance of the times just before two writes; for speed, the tokens after the first
/// write over the time from the first write to the last.
pub fn errors(held: &[Held<'_>], truths: &Truths) -> CalibrationErrors {
    let mut found = CalibrationErrors::default();
    let mut gathered = Gathered::default();
    for each in held {
        let truth = truths.of(each.request_id);
        found.unmatched += u64::from(truth.is_none());
        if let Some(truth) = truth {
            judge_outcome(each.answer, truth, &mut found.outcomes);
        }
        if !each.timed {
            continue;
        }
        found.requests += 1;
        gathered.lag_us.extend(each.answer.reads.lag_ns.iter().map(|ns| f64::from(*ns) / 1e3));
        if let Some((truth, points)) = truth.filter(|truth| truth.is_healthy()).and_then(|truth| Some((truth, writes_seen(each.answer)?))) {
            found.compared += u64::from(compare(each.answer, &points, truth, &mut found, &mut gathered));
        }
    }
    let Gathered { ttft_us, ttft_from_read_us, gap_exact_us, gap_us, speed, tokens, lag_us } = gathered;
    CalibrationErrors {
        ttft_us: of(ttft_us),
        ttft_from_read_us: of(ttft_from_read_us),
        gap_exact_us: of(gap_exact_us),
        gap_us: of(gap_us),
        speed: of(speed),
        tokens: of(tokens),
        lag_us: of(lag_us),
        ..found
    }
}

/// Quantiles of errors; absent without any.
fn of(errors: Vec<f64>) -> Option<Errors> {
    let values: Vec<Extended> = errors.into_iter().map(Extended::Finite).collect();
    let at = |p| quantile_type1(&values, p)?.finite();
    Some(Errors { n: values.len() as u64, p50: at(0.5)?, p95: at(0.95)?, p99: at(0.99)?, max: at(1.0)? })
}

fn judge_outcome(answer: &Answer, truth: &Truth, outcomes: &mut OutcomeErrors) {
    let Some(expected) = expected(truth) else { return };
    let judged = judge(answer, RULES.capped_is_ok);
    if judged == expected {
        outcomes.right += 1;
        return;
    }
    outcomes.wrong += 1;
    *outcomes.wrong_as.entry(format!("{}, was {}", judged.name(), expected.name())).or_default() += 1;
}

/// The last text of each write, as the client told the writes apart.
fn writes_seen(answer: &Answer) -> Option<Vec<Point>> {
    let mut points: Vec<Point> = Vec::new();
    for point in answer.timeline.is_sound().then(|| answer.timeline.points())? {
        match points.last_mut().filter(|last| last.chunk == point.chunk) {
            Some(last) => *last = point,
            None => points.push(point),
        }
    }
    Some(points)
}

/// Compares one reply with its truth; false where the texts are not those that were written, so that no time can be held against another.
fn compare(answer: &Answer, points: &[Point], truth: &Truth, found: &mut CalibrationErrors, gathered: &mut Gathered) -> bool {
    let writes = truth.texts();
    let tally = tally(answer);
    let reply = Reply::new(answer, &tally, Basis::Reported, RULES);
    let written: u64 = writes.iter().map(|write| u64::from(write.tokens)).sum();
    if let Ok(tokens) = reply.tokens() {
        gathered.tokens.push((tokens - written as f64).abs());
    }
    let (Some(start), Some(first)) = (answer.stamps.first_write, writes.first()) else { return false };
    if points.len() != writes.len() {
        return false;
    }
    let value = |name: &str| metric(name).and_then(|metric| (metric.of)(&reply).ok()).map(|seen| seen.value);
    if let Some(ttft_ms) = value("ttft") {
        gathered.ttft_us.push((ttft_ms * 1e3 - apart_us(start, first.before)).abs());
        gathered.ttft_from_read_us.push((ttft_ms * 1e3 - apart_us(truth.received, first.before)).abs());
    }
    if let Some((speed, true_speed)) = value("decode").zip(speed_of(&writes)) {
        gathered.speed.push((speed / true_speed - 1.0).abs());
    }
    for (point, write) in points.iter().zip(&writes) {
        claim(start, point, write, &mut found.claims);
    }
    for (seen, written) in points.windows(2).zip(writes.windows(2)) {
        let [a, b] = seen else { continue };
        if a.read == b.read {
            found.gaps_untold += 1;
            continue;
        }
        let error = (apart_us(Stamp(a.at.0), Stamp(b.at.0)) - apart_us(written[0].before, written[1].before)).abs();
        gathered.gap_us.push(error);
        if a.exact() && b.exact() {
            gathered.gap_exact_us.push(error);
        }
    }
    true
}

/// The counts of a reply without a tokenizer: the simulator's words are no language.
fn tally(answer: &Answer) -> Tally {
    let doubts = believe(answer, None);
    let reported = reported_counts(answer, &doubts);
    Tally { reference: Err(NoCounts::NoText), reported, chars: char_counts(answer), doubts, thinking_unknown: false }
}

/// Holds what a text's time claims against its write.
fn claim(start: Stamp, point: &Point, write: &TextWrite, claims: &mut Claims) {
    let (earliest, at) = (start.plus(point.earliest().0).0, start.plus(point.at.0).0);
    claims.checked += 1;
    claims.exact += u64::from(point.exact());
    let excluded = at.saturating_add(SLACK_NS) < write.before.0 || write.after.0.saturating_add(SLACK_NS) < earliest;
    claims.wrong += u64::from(excluded);
}

/// Tokens after the first write over the time from the first write to the last, a second.
fn speed_of(writes: &[TextWrite]) -> Option<f64> {
    let [first, rest @ ..] = writes else { return None };
    let tokens: u64 = rest.iter().map(|write| u64::from(write.tokens)).sum();
    let us = apart_us(first.before, rest.last()?.before);
    (0 < tokens && 0.0 < us).then(|| tokens as f64 * 1e6 / us)
}

/// Microseconds from one stamp to another, negative where the other was earlier.
fn apart_us(from: Stamp, to: Stamp) -> f64 {
    if from <= to { to.since(from) as f64 / 1e3 } else { -(from.since(to) as f64) / 1e3 }
}
