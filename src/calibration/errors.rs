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

/// Parts of a microsecond, and of the whole: finer than any clock or count here.
const NANOSECONDS: f64 = 1e3;
const MILLIONTHS: f64 = 1e6;

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
        ttft_us: of(&ttft_us, NANOSECONDS),
        ttft_from_read_us: of(&ttft_from_read_us, NANOSECONDS),
        gap_exact_us: of(&gap_exact_us, NANOSECONDS),
        gap_us: of(&gap_us, NANOSECONDS),
        speed: of(&speed, MILLIONTHS),
        tokens: of(&tokens, NANOSECONDS),
        lag_us: of(&lag_us, NANOSECONDS),
        ..found
    }
}

/// Quantiles of errors, rounded to so many parts of their unit; absent without any.
fn of(errors: &[f64], parts: f64) -> Option<Errors> {
    let values: Vec<Extended> = errors.iter().copied().map(Extended::Finite).collect();
    let at = |p| Some((quantile_type1(&values, p)?.finite()? * parts).round() / parts);
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
    let early = at.saturating_add(SLACK_NS) < write.before.0;
    let late = write.after.0.saturating_add(SLACK_NS) < earliest;
    claims.wrong += u64::from(early || late);
    claims.late += u64::from(late);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Reads, Stamps};
    use crate::timeline::{EndMark, Ended, Finish, FinishSeen, Phase, TextOfPhases, Usage};
    use crate::units::{Offset, ms};

    /// The request is written at 1 s and read by the simulator 40 µs later; then twenty tokens, the first 200 ms after the request, one
    /// every 20 ms, each write taking 5 µs.
    const SENT: u64 = 1_000_000_000;
    const FIRST: u64 = 200;
    const GAP: u64 = 20;
    const TEXTS: usize = 20;

    fn write_at(i: usize) -> u64 {
        SENT + ms(FIRST) + i as u64 * ms(GAP)
    }

    fn truth_line(id: &str, faults: &str, ended: &str) -> String {
        let at = |plus: u64| (0..TEXTS).map(|i| (write_at(i) + plus).to_string()).collect::<Vec<_>>().join(",");
        let many = |what: &str| vec![what; TEXTS].join(",");
        // The role before and the end mark behind hold no text.
        format!(
            r#"{{"system":"s","request_id":"{id}","received_ns":{},"before_ns":[{},{},{}],"after_ns":[{},{},{}],"phase":["-",{},"-"],"tokens":[0,{},0],"faults":[{faults}],"ended":"{ended}"}}"#,
            SENT + 40_000,
            SENT + ms(100),
            at(0),
            write_at(TEXTS),
            SENT + ms(100) + 5000,
            at(5000),
            write_at(TEXTS) + 5000,
            many("\"c\""),
            many("1"),
        ) + "\n"
    }

    /// A reply whose every text was stamped 3 µs after its write began, but the last, which shares its read with the end: an interval.
    fn answer() -> Answer {
        let mut answer = Answer::empty(Ended::Complete);
        answer.status = Some(200);
        answer.stamps = Stamps { first_write: Some(Stamp(SENT)), ..Stamps::default() };
        answer.reads = Reads { lag_ns: vec![30_000; TEXTS], ..Reads::default() };
        for i in 0..TEXTS {
            let last = i + 1 == TEXTS;
            let (at, width_ns) = (Offset(write_at(i) + 3000 - SENT), if last { ms(GAP) } else { 0 });
            answer.timeline.push(Point { at, width_ns, phase: Phase::Content, bytes: 1, chunk: i as u32, read: i as u32 });
        }
        answer.text = Some(TextOfPhases { content: "x".repeat(TEXTS), ..TextOfPhases::default() });
        answer.usage = Some(Usage { completion: Some(TEXTS as u64), ..Usage::default() });
        answer.finish = Some(FinishSeen { raw: "stop".into(), normal: Finish::Stop });
        answer.end_marks = vec![EndMark::Done];
        answer
    }

    /// Changes one text.
    fn alter(answer: &mut Answer, index: usize, how: impl Fn(&mut Point)) {
        let mut at = index;
        answer.timeline.change(index, |text| {
            if at == index {
                how(text);
            }
            at += 1;
        });
    }

    fn errors_of(answer: &Answer) -> CalibrationErrors {
        errors(&[Held { request_id: "a", answer, timed: true }], &Truths::read(&truth_line("a", "", "clean")))
    }

    #[test]
    fn stamps_that_lie_three_microseconds_behind_are_off_by_that_and_their_gaps_by_nothing() {
        let found = errors_of(&answer());
        assert_eq!((found.requests, found.compared, found.unmatched), (1, 1, 0));
        assert_eq!(found.ttft_us.unwrap().max, 3.0);
        assert_eq!(found.ttft_from_read_us.unwrap().max, 43.0, "the request was under way for 40 µs");
        assert_eq!((found.gap_exact_us.unwrap().n, found.gap_us.unwrap().n), (TEXTS as u64 - 2, TEXTS as u64 - 1));
        assert_eq!((found.gap_us.unwrap().max, found.gaps_untold), (0.0, 0));
        assert_eq!((found.speed.unwrap().max, found.tokens.unwrap().max), (0.0, 0.0));
        assert_eq!(found.claims, Claims { checked: TEXTS as u64, exact: TEXTS as u64 - 1, wrong: 0, late: 0 });
        assert_eq!(found.outcomes, OutcomeErrors { right: 1, ..OutcomeErrors::default() });
        assert_eq!(found.lag_us.unwrap().p99, 30.0);
    }

    #[test]
    fn a_client_that_is_late_has_it_in_its_errors() {
        let mut late = answer();
        alter(&mut late, 0, |text| text.at.0 += 1_000_000);
        let found = errors_of(&late);
        assert_eq!(found.ttft_us.unwrap().max, 1003.0);
        assert_eq!(found.gap_exact_us.unwrap().max, 1000.0);
        assert_eq!((found.claims.wrong, found.claims.late), (1, 1), "it claims to be exact");
        // 18 tokens in 359 ms instead of 360: what the registry tells, from the first exact time to the last.
        assert_eq!(found.speed.unwrap().max, (360.0f64 / 359.0 - 1.0).mul_add(1e6, 0.0).round() / 1e6);
    }

    #[test]
    fn a_claim_may_touch_its_write_and_not_more() {
        let with = |at: u64, width: u64| {
            let mut answer = answer();
            alter(&mut answer, 5, |text| (text.at.0, text.width_ns) = (at - SENT, width));
            let claims = errors_of(&answer).claims;
            (claims.wrong, claims.late)
        };
        assert_eq!(with(write_at(5), 0), (0, 0));
        assert_eq!(with(write_at(5) + 6000, 0), (0, 0), "a microsecond of slack behind the write");
        assert_eq!(with(write_at(5) + 6001, 0), (1, 1));
        assert_eq!(with(write_at(5) - 1000, 0), (0, 0));
        assert_eq!(with(write_at(5) - 1001, 0), (1, 0), "before it was written");
        assert_eq!(with(write_at(5) + ms(10), ms(10)), (0, 0), "an interval that holds the write");
        assert_eq!(with(write_at(5) + ms(10), ms(9)), (1, 1));
    }

    #[test]
    fn texts_of_one_read_have_no_gap_and_those_of_one_write_are_one() {
        let mut merged = answer();
        alter(&mut merged, 7, |text| text.read = 6);
        let at = merged.timeline.get(7).unwrap().at;
        alter(&mut merged, 6, |text| (text.at, text.width_ns) = (at, ms(GAP)));
        let found = errors_of(&merged);
        assert_eq!((found.gaps_untold, found.gap_us.unwrap().n), (1, TEXTS as u64 - 2));
        assert_eq!(found.gap_exact_us.unwrap().max, 0.0);
        assert_eq!(found.gap_us.unwrap().max, 20_000.0, "the gap before it, by its later end");
        let mut halves = answer();
        halves.timeline.push(Point {
            at: halves.timeline.get(TEXTS - 1).unwrap().at,
            width_ns: ms(GAP),
            phase: Phase::Content,
            bytes: 0,
            chunk: TEXTS as u32 - 1,
            read: TEXTS as u32 - 1,
        });
        assert_eq!(errors_of(&halves).compared, 1);
    }

    #[test]
    fn a_text_too_few_compares_no_time_and_wrong_counts_show() {
        let mut short = answer();
        short.timeline = short.timeline.points().take(TEXTS - 1).fold(Default::default(), |mut line: crate::timeline::Timeline, point| {
            line.push(point);
            line
        });
        let found = errors_of(&short);
        assert_eq!((found.requests, found.compared, found.ttft_us, found.claims.checked), (1, 0, None, 0));
        let mut miscounted = answer();
        miscounted.usage = Some(Usage { completion: Some(TEXTS as u64 + 2), ..Usage::default() });
        assert_eq!(errors_of(&miscounted).tokens.unwrap().max, 2.0);
    }

    #[test]
    fn outcomes_are_held_against_faults_and_a_request_without_truth_is_counted() {
        let log = truth_line("a", "", "clean") + &truth_line("b", "\"ends_early\"", "cut") + &truth_line("c", "\"slow_drip\"", "clean");
        let (whole, truths) = (answer(), Truths::read(&(log + "{\"request_id\":\"d\", torn")));
        let held: Vec<Held<'_>> = ["a", "b", "c", "d"].map(|request_id| Held { request_id, answer: &whole, timed: false }).into();
        let found = errors(&held, &truths);
        assert_eq!((found.requests, found.unmatched, found.ttft_us), (0, 1, None));
        let wrong_as = std::iter::once(("ok, was broken".to_owned(), 1)).collect();
        assert_eq!(found.outcomes, OutcomeErrors { right: 1, wrong: 1, wrong_as }, "`slow_drip` says nothing of the outcome");
    }
}
