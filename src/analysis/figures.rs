//! The figures of one target: a quantile over all requests sent, or a median of speeds.

use super::missing::Missing;
use super::samples::Samples;
use super::table::{Cell, Column, Over, Remark, Value};
use super::verdict::ROUNDS_FOR_INTERVALS;
use crate::measured::{Flags, Row, Scalar, scalar};
use crate::metric::{Flag, Observation, Undefined};
use crate::stats::{Clustered, Confidence, Extended, Interval, clustered_quantile_of, clustered_share, median, quantile_type1};
use std::collections::BTreeMap;

/// Above this share of bundled replies, a target's phase speeds are a word instead of a number.
const MOSTLY_BUNDLED: f64 = 0.2;
/// A target's ratio of reported to counted tokens may differ from the others' by so much.
const COUNTS_DIFFER: f64 = 0.03;
/// A middle needs so many values, and a p95 so many requests: method.md §3.1.
const MIDDLE_NEEDS: usize = 5;
const P95_NEEDS: usize = 20;

/// The figure of a column.
pub(super) fn cell(samples: &Samples<'_>, column: &Column, ok: usize, confidence: Confidence) -> Cell {
    if ok == 0 {
        return Cell::Missing(if samples.sent() == 0 { Missing::NoRequest } else { Missing::NoGoodReply });
    }
    let Some(scalar) = scalar(column.metric) else { return Cell::Missing(Missing::NoSuchMetric) };
    match column.over {
        Over::AllSent(p) => over_all_sent(samples, scalar, p, confidence),
        Over::Speeds { without_bundled } => over_speeds(samples, scalar, without_bundled, ok, confidence),
    }
}

/// The interval of the share of good replies: Wilson's at the effective number of requests, which come in rounds.
pub(super) fn success(samples: &Samples<'_>, confidence: Confidence) -> Option<Interval> {
    let mut rounds = vec![(0u64, 0u64); samples.rounds];
    for (round, trial) in &samples.replies {
        rounds[*round].0 += u64::from(trial.is_ok());
        rounds[*round].1 += 1;
    }
    samples.behind.iter().for_each(|round| rounds[*round].1 += 1);
    clustered_share(&rounds, confidence).filter(|share| ROUNDS_FOR_INTERVALS <= share.clusters).map(|share| share.interval)
}

fn over_all_sent(samples: &Samples<'_>, scalar: Scalar, p: f64, confidence: Confidence) -> Cell {
    let needed = if 0.5 < p { P95_NEEDS } else { MIDDLE_NEEDS };
    if samples.sent() < needed {
        return Cell::Missing(Missing::FewerRequestsThan(needed));
    }
    let mut seen: Vec<(usize, Option<Observation>)> = samples.behind.iter().map(|round| (*round, None)).collect();
    for (round, trial) in &samples.replies {
        let observation = match (trial.is_ok(), trial.scalar(scalar, samples.basis)) {
            (true, Ok(observation)) => Some(observation),
            // What this client cannot tell is not charged to the provider.
            (true, Err(why @ Undefined::NoStart)) => return Cell::Missing(Missing::Undefined(why)),
            _ => None,
        };
        seen.push((*round, observation));
    }
    let quantile = |of: fn(&Observation) -> f64| {
        let values: Vec<Extended> =
            seen.iter().map(|(_, seen)| seen.as_ref().map_or(Extended::Never, |seen| Extended::Finite(of(seen)))).collect();
        quantile_type1(&values, p)
    };
    match quantile(|seen| seen.value) {
        Some(Extended::Finite(value)) => {
            let bounds = quantile(|seen| seen.low).zip(quantile(|seen| seen.high));
            let bounds = bounds.and_then(|(low, high)| low.finite().zip(high.finite())).filter(|(low, high)| low < high);
            let n = seen.len();
            Cell::Value(Value { value, measured_within: bounds, n, interval: interval(&seen, samples.rounds, p, confidence) })
        }
        Some(Extended::Never) => Cell::Never,
        None => Cell::Missing(Missing::NoRequest),
    }
}

fn over_speeds(samples: &Samples<'_>, scalar: Scalar, without_bundled: bool, ok: usize, confidence: Confidence) -> Cell {
    let bundled = samples.ok().filter(|(_, trial)| trial.flags(samples.basis).has(Flag::Bundled)).count();
    if without_bundled && MOSTLY_BUNDLED * (ok as f64) < bundled as f64 {
        return Cell::Text("bundled".into());
    }
    let unfit = |flags: Flags| flags.has(Flag::TooShort) || without_bundled && flags.has(Flag::Bundled);
    let wanted = samples.ok().filter(|(_, trial)| !unfit(trial.flags(samples.basis)));
    let (mut seen, mut reasons) = (Vec::new(), BTreeMap::new());
    for (round, trial) in wanted {
        match trial.scalar(scalar, samples.basis) {
            Ok(observation) => seen.push((round, Some(observation))),
            Err(why) => *reasons.entry(why).or_insert(0usize) += 1,
        }
    }
    let middle = |of: fn(&Observation) -> f64| median(&seen.iter().filter_map(|(_, seen)| seen.as_ref().map(of)).collect::<Vec<_>>());
    let Some(value) = middle(|seen| seen.value) else {
        let most = reasons.into_iter().max_by_key(|(_, n)| *n).map(|(why, _)| Missing::Undefined(why));
        return Cell::Missing(most.unwrap_or(Missing::EveryReplyTooShort));
    };
    if seen.len() < MIDDLE_NEEDS {
        return Cell::Missing(Missing::FewerValuesThan(MIDDLE_NEEDS));
    }
    let bounds = middle(|seen| seen.low).zip(middle(|seen| seen.high)).filter(|(low, high)| low < high);
    let n = seen.len();
    Cell::Value(Value { value, measured_within: bounds, n, interval: interval(&seen, samples.rounds, 0.5, confidence) })
}

/// The interval of a quantile, clustered by round; values that never came are infinite. From three rounds on. Equal values leave
/// nothing open: the interval is exact.
fn interval(seen: &[(usize, Option<Observation>)], rounds: usize, p: f64, confidence: Confidence) -> Option<Interval> {
    let value = |seen: &Option<Observation>| seen.map_or(Extended::Never, |seen| Extended::Finite(seen.value));
    let data = Clustered::from_pairs(seen.iter().map(|(round, seen)| (*round, value(seen))), rounds);
    if data.filled() < ROUNDS_FOR_INTERVALS {
        return None;
    }
    let first = seen.first().and_then(|(_, seen)| *seen);
    if let Some(first) = first.filter(|first| seen.iter().all(|(_, seen)| seen.is_some_and(|seen| seen.value == first.value))) {
        return Some(Interval::closed(first.value, first.value));
    }
    clustered_quantile_of(&data, p, confidence).map(|found| found.interval)
}

/// Reported by counted tokens, of each good reply, and whether thinking that was not shown may be among the reported ones.
pub(super) fn usage_ratios(samples: &Samples<'_>) -> Vec<(f64, bool)> {
    let Some(scalar) = scalar("usage_ratio") else { return Vec::new() };
    let shy = |flags: Flags| flags.has(Flag::Hidden) || flags.has(Flag::ThinkingUnknown);
    let of = |trial: Row<'_>| Some((trial.scalar(scalar, samples.basis).ok()?.value, shy(trial.flags(samples.basis))));
    samples.ok().filter_map(|(_, trial)| of(trial)).collect()
}

/// Same model, same ratio: a target whose median is off the others' has hidden tokens, another tokenizer or another model. Replies that
/// are known to hide thinking are no measure for the others.
pub(super) fn counts_differ(i: usize, targets: &[Samples<'_>], ratios: &[Vec<(f64, bool)>]) -> Option<Remark> {
    let family = targets[i].target.family.as_deref()?;
    let kin = |j: &usize| *j != i && targets[*j].target.family.as_deref() == Some(family);
    let others: Vec<f64> =
        (0..targets.len()).filter(kin).flat_map(|j| &ratios[j]).filter(|(_, shy)| !shy).map(|(ratio, _)| *ratio).collect();
    if ratios[i].len() < 3 || others.len() < 3 {
        return None;
    }
    let own: Vec<f64> = ratios[i].iter().map(|(ratio, _)| *ratio).collect();
    let (ratio, others) = median(&own).zip(median(&others))?;
    (COUNTS_DIFFER < (ratio / others - 1.0).abs()).then_some(Remark::CountsDiffer { ratio, others })
}
