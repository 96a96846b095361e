//! Shares of successes: intervals of one, of the difference of two, and the test of pairs.

use super::beta::{beta_point, binomial_at_most};
use super::clustered::design_effect;
use super::{Confidence, Interval};
use serde::Serialize;
use statrs::distribution::{ContinuousCDF, Normal};

/// The score interval of Wilson (1927) of a share, without continuity correction. `None` for no trials or more successes than trials.
pub fn wilson(successes: u64, trials: u64, confidence: Confidence) -> Option<Interval> {
    (0 < trials && successes <= trials).then(|| wilson_at(successes as f64 / trials as f64, trials as f64, confidence))
}

/// Wilson's interval of a `share` seen in `n` trials, which may be an effective, fractional number. 0 trials give all of [0, 1].
pub fn wilson_at(share: f64, n: f64, confidence: Confidence) -> Interval {
    let z = Normal::standard().inverse_cdf(confidence.upper());
    let (square, size) = (z * z, n + z * z);
    let middle = (n * share + square / 2.0) / size;
    let half = z / size * (n * share * (1.0 - share) + square / 4.0).sqrt();
    // Exactly 0 and 1 at the ends, whatever the last bit says.
    let low = if share <= 0.0 { 0.0 } else { (middle - half).max(0.0) };
    let high = if 1.0 <= share { 1.0 } else { (middle + half).min(1.0) };
    Interval::closed(low, high)
}

/// The exact interval of Clopper and Pearson (1934). `None` for no trials or more successes than trials.
pub fn clopper_pearson(successes: u64, trials: u64, confidence: Confidence) -> Option<Interval> {
    if trials == 0 || trials < successes {
        return None;
    }
    let (yes, no) = (successes as f64, (trials - successes) as f64);
    let low = if successes == 0 { 0.0 } else { beta_point(1.0 - confidence.upper(), yes, no + 1.0) };
    let high = if successes == trials { 1.0 } else { beta_point(confidence.upper(), yes + 1.0, no) };
    Some(Interval::closed(low, high))
}

/// A share of successes that come in clusters.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ClusteredShare {
    /// Successes ÷ trials.
    pub share: f64,
    /// Successes.
    pub successes: u64,
    /// Trials.
    pub n: u64,
    /// Clusters that hold a trial.
    pub clusters: usize,
    /// By how much the clustering widens the variance; at least 1, and 1 where all or none succeeded. Absent with a single cluster.
    pub deff: Option<f64>,
    /// The effective number of trials, n/deff; 0 where deff is absent.
    pub n_eff: f64,
    /// Wilson's interval of the share at `n_eff` trials; all of [0, 1] where deff is absent.
    pub interval: Interval,
}

/// The share of successes over clusters of (successes, trials): failures come in bursts, so n counts for n/deff, where deff is the
/// linearised clustered variance R/(R − 1) · Σ (x_r − n_r p)² / n² over the binomial one, p(1 − p)/n, and at least 1.
///
/// Empty clusters are left out. `None` for no trials or more successes than trials in a cluster.
pub fn clustered_share(clusters: &[(u64, u64)], confidence: Confidence) -> Option<ClusteredShare> {
    let (successes, n) = clusters.iter().fold((0, 0), |(yes, n), (a, b)| (yes + a, n + b));
    if n == 0 || clusters.iter().any(|(yes, of)| of < yes) {
        return None;
    }
    let share = successes as f64 / n as f64;
    let deff = design_effect(clusters.iter().copied());
    let n_eff = deff.map_or(0.0, |deff| n as f64 / deff);
    let filled = clusters.iter().filter(|(_, of)| 0 < *of).count();
    Some(ClusteredShare { share, successes, n, clusters: filled, deff, n_eff, interval: wilson_at(share, n_eff, confidence) })
}

/// A difference of two shares, first less second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ShareDifference {
    /// The difference.
    pub difference: f64,
    /// Its interval, within [−1, 1].
    pub interval: Interval,
}

/// The hybrid of Newcombe (1998, method 10) from two shares and their own intervals, such as clustered ones. An open end counts as 0 or 1.
///
/// Sound for shares measured apart; shares of the same pairs are compared more sharply by [`mcnemar_exact`].
pub fn newcombe_of(first: (f64, Interval), second: (f64, Interval)) -> ShareDifference {
    let arms = |(share, interval): (f64, Interval)| (share - interval.low.at().unwrap_or(0.0), interval.high.at().unwrap_or(1.0) - share);
    let ((below_first, above_first), (below_second, above_second)) = (arms(first), arms(second));
    let difference = first.0 - second.0;
    let interval = Interval::closed(difference - below_first.hypot(above_second), difference + above_first.hypot(below_second));
    ShareDifference { difference, interval }
}

/// Newcombe's hybrid on counts (successes, trials). `None` for no trials or more successes than trials on either side.
pub fn newcombe(first: (u64, u64), second: (u64, u64), confidence: Confidence) -> Option<ShareDifference> {
    let share = |(yes, of): (u64, u64)| Some((yes as f64 / of as f64, wilson(yes, of, confidence)?));
    Some(newcombe_of(share(first)?, share(second)?))
}

/// McNemar's exact two-sided test: of the pairs in which only one side succeeded, `only_first` and `only_second`, is the split even?
/// p = min(1, 2·P(Bin(b + c, ½) ≤ min(b, c))); 1 where no pair differs.
pub fn mcnemar_exact(only_first: u64, only_second: u64) -> f64 {
    let differing = only_first + only_second;
    (2.0 * binomial_at_most(only_first.min(only_second), differing, 0.5)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_and_all_end_exactly_at_none_and_all() {
        for n in [1, 2, 7, 20, 999, 100_000] {
            let (none, all) = (wilson(0, n, Confidence::DEFAULT).unwrap(), wilson(n, n, Confidence::DEFAULT).unwrap());
            assert_eq!((none.low.at(), all.high.at()), (Some(0.0), Some(1.0)), "n = {n}");
            let (none, all) = (clopper_pearson(0, n, Confidence::DEFAULT).unwrap(), clopper_pearson(n, n, Confidence::DEFAULT).unwrap());
            assert_eq!((none.low.at(), all.high.at()), (Some(0.0), Some(1.0)), "n = {n}");
        }
        assert_eq!((wilson(0, 0, Confidence::DEFAULT), wilson(3, 2, Confidence::DEFAULT)), (None, None));
        assert_eq!(clopper_pearson(0, 0, Confidence::DEFAULT), None);
    }

    #[test]
    fn a_single_burst_says_nothing_of_other_bursts() {
        let one = clustered_share(&[(7, 10)], Confidence::DEFAULT).unwrap();
        assert_eq!((one.deff, one.n_eff, one.interval), (None, 0.0, Interval::closed(0.0, 1.0)));
        let perfect = clustered_share(&[(10, 10), (0, 0)], Confidence::DEFAULT).unwrap();
        assert_eq!((perfect.deff, perfect.n_eff, perfect.clusters), (Some(1.0), 10.0, 1));
        assert_eq!(clustered_share(&[(0, 0)], Confidence::DEFAULT), None);
        assert_eq!(clustered_share(&[(2, 1), (0, 3)], Confidence::DEFAULT), None);
    }

    #[test]
    fn an_empty_cluster_changes_nothing_and_bursts_cost_trials() {
        let burst = clustered_share(&[(10, 10), (0, 10), (10, 10), (10, 10)], Confidence::DEFAULT).unwrap();
        assert_eq!(clustered_share(&[(10, 10), (0, 0), (0, 10), (10, 10), (10, 10)], Confidence::DEFAULT), Some(burst));
        assert!(burst.n_eff < 4.0, "{burst:?}");
    }

    #[test]
    fn the_difference_turns_round_with_its_sides() {
        let (there, back) = (newcombe((56, 70), (48, 80), Confidence::DEFAULT), newcombe((48, 80), (56, 70), Confidence::DEFAULT));
        let (there, back) = (there.unwrap(), back.unwrap());
        assert_eq!(there.interval, back.interval.map_decreasing(|end| -end));
        assert_eq!(newcombe((0, 0), (1, 2), Confidence::DEFAULT), None);
    }

    #[test]
    fn discordant_pairs_decide() {
        assert_eq!((mcnemar_exact(0, 0), mcnemar_exact(4, 4)), (1.0, 1.0));
        assert!((mcnemar_exact(1, 0) - 1.0).abs() < 1e-14 && mcnemar_exact(0, 1) <= 1.0);
        assert!((mcnemar_exact(0, 6) - 0.03125).abs() < 1e-12 && (mcnemar_exact(6, 0) - 0.03125).abs() < 1e-12);
        assert!(mcnemar_exact(4000, 5000) < 1e-20);
    }
}
