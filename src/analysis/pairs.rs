//! Pairs of targets, judged as one family: what comparisons and leagues have in common.

use super::panel::Panel;
use super::verdict::{Judging, ROUNDS_FOR_INTERVALS, ROUNDS_FOR_WORDS, Verdict};
use crate::stats::{Paired, Sample, holm, paired, tost_reduced};

/// A pair and its word.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pair {
    /// Index of the first target.
    pub(super) first: usize,
    /// Index of the second target.
    pub(super) second: usize,
    /// ln(time of the first / time of the second), by round in order of time.
    pub(super) logs: Vec<f64>,
    /// The index in the panel of each of these rounds.
    pub(super) rounds: Vec<usize>,
    /// The mean against zero, from [`ROUNDS_FOR_INTERVALS`] rounds on.
    pub(super) paired: Option<Paired>,
    /// p adjusted for the family; absent below [`ROUNDS_FOR_WORDS`] rounds.
    pub(super) p_holm: Option<f64>,
    /// The word.
    pub(super) verdict: Verdict,
}

impl Pair {
    /// The mean of the log ratios, where there is a round at all.
    pub(super) fn mean_log(&self) -> Option<f64> {
        let n = self.logs.len();
        (0 < n).then(|| self.logs.iter().sum::<f64>() / n as f64)
    }
}

/// Judges pairs of one table as one family: Holm over all of them, with rate-limited requests charged and left out. Where this client was the
/// bottleneck, the figures are there and no word.
pub(super) fn judged(panel: &Panel, pairs: &[(usize, usize)], judging: &Judging) -> Vec<Pair> {
    let mut charged = one_way(panel, pairs, judging);
    if let Some(bottleneck) = panel.client {
        // A p value is a verdict in other words.
        let withheld = |pair: Pair| Pair {
            paired: pair.paired.map(|paired| Paired { p: None, ..paired }),
            p_holm: None,
            verdict: Verdict::Withheld { bottleneck },
            ..pair
        };
        return charged.into_iter().map(withheld).collect();
    }
    if panel.targets.iter().all(|target| target.rate_limited == 0) {
        return charged;
    }
    let left_out = one_way(&panel.without_rate_limited(), pairs, judging);
    let limited = |target: usize| panel.targets.get(target).is_some_and(|target| 0 < target.rate_limited);
    // Where neither was over its quota, only the adjustment for others could turn the word.
    for (pair, other) in charged.iter_mut().zip(left_out).filter(|(pair, _)| limited(pair.first) || limited(pair.second)) {
        let word = std::mem::replace(&mut pair.verdict, Verdict::IdenticalData);
        pair.verdict = Verdict::both_ways(word, other.verdict);
    }
    charged
}

fn one_way(panel: &Panel, pairs: &[(usize, usize)], judging: &Judging) -> Vec<Pair> {
    let mut judged: Vec<Pair> = pairs.iter().map(|(first, second)| measured(panel, *first, *second, judging)).collect();
    let family: Vec<Option<f64>> = judged.iter().map(p_for_words).collect();
    for (pair, p_holm) in judged.iter_mut().zip(holm(&family)) {
        pair.p_holm = p_holm;
        pair.verdict = word(pair, judging);
    }
    judged
}

/// The differences of a pair, not judged yet.
fn measured(panel: &Panel, first: usize, second: usize, judging: &Judging) -> Pair {
    let (rounds, logs): (Vec<usize>, Vec<f64>) =
        panel.differences(second, first).into_iter().map(|difference| (difference.round, difference.log_ratio)).unzip();
    let sample = Sample::new(logs.clone()).ok().filter(|sample| ROUNDS_FOR_INTERVALS <= sample.n());
    let paired = sample.map(|sample| paired(&sample, judging.confidence));
    Pair { first, second, verdict: Verdict::TooFewRounds { rounds: rounds.len() }, logs, rounds, paired, p_holm: None }
}

fn p_for_words(pair: &Pair) -> Option<f64> {
    pair.paired.as_ref().filter(|paired| ROUNDS_FOR_WORDS <= paired.n)?.p
}

fn word(pair: &Pair, judging: &Judging) -> Verdict {
    let margin = judging.delta.ln_1p();
    match (&pair.paired, Sample::new(pair.logs.clone())) {
        (Some(paired), Ok(sample)) => Verdict::of(paired, &tost_reduced(&sample, -margin, margin), pair.p_holm, judging),
        _ => Verdict::TooFewRounds { rounds: pair.logs.len() },
    }
}
