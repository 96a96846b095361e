//! The confidence interval of a quantile of clustered values.

use super::beta::{beta_point, student_point};
use super::clustered::{design_effect, extended};
use super::{Bound, Clustered, Confidence, Extended, Interval, quantile_rank};
use serde::Serialize;

/// A quantile of clustered values, and what its interval rests on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ClusteredQuantile {
    /// The type-1 quantile: the ⌈np⌉-th smallest value.
    pub estimate: Extended,
    /// Its confidence interval. An end that the data do not bound is open; a lower end of infinity says "never, surely".
    pub interval: Interval,
    /// F: the share of values that are finite and at most the estimate.
    pub share_at: f64,
    /// The design effect: by how much the clustering widens the variance of F; at least 1. Absent with a single cluster.
    pub deff: Option<f64>,
    /// The effective number of values; 0 with a single cluster.
    pub n_eff: f64,
    /// The share below which the lower end lies.
    pub p_low: f64,
    /// The share below which the upper end lies.
    pub p_high: f64,
    /// How many values there are.
    pub n: usize,
}

/// The `p` quantile of values in clusters, with its interval; see [`clustered_quantile_of`].
pub fn clustered_quantile(clusters: &[Vec<Extended>], p: f64, confidence: Confidence) -> Option<ClusteredQuantile> {
    clustered_quantile_of(&Clustered::new(clusters), p, confidence)
}

/// The `p` quantile (0 < p < 1) of clustered values, with the interval of Woodruff (1952) at the limits of Korn and Graubard (1998).
///
/// The share F of values at or below the estimate has the design effect deff over the R clusters that hold a value. With
/// n_eff = min(n, n/deff · (t_{n−1}/t_{R−1})²), the limits of Clopper and Pearson for n_eff·p of n_eff give the shares `p_low`, `p_high`;
/// the ends are the values of rank ⌊n·p_low⌋ and ⌊n·p_high⌋ + 1. The upper end is open where that rank exceeds n, is infinite, or
/// p^n_eff > α/2; the lower one where the rank is 0 or (1 − p)^n_eff > α/2.
///
/// `None` for no values and for p outside (0, 1). One cluster alone says nothing of how clusters differ: both ends are open.
pub fn clustered_quantile_of(data: &Clustered, p: f64, confidence: Confidence) -> Option<ClusteredQuantile> {
    let n = data.n();
    if n == 0 || !(0.0 < p && p < 1.0) {
        return None;
    }
    let estimate = data.values[quantile_rank(n, p) - 1];
    let below = data.values.partition_point(|value| *value <= estimate && value.is_finite());
    let tally = data.tally(below);
    let counts = tally.iter().zip(&data.sizes).map(|(below, size)| (u64::from(*below), u64::from(*size)));
    let deff = if data.filled() < 2 { None } else { design_effect(counts) };
    let n_eff = deff.map_or(0.0, |deff| effective(n as f64, data.filled() as f64, deff, confidence));
    let (p_low, p_high) = shares(p, n_eff, confidence);
    Some(ClusteredQuantile {
        estimate: extended(estimate),
        interval: Interval { low: low(data, p, n_eff, p_low, confidence), high: high(data, p, n_eff, p_high, confidence) },
        share_at: below as f64 / n as f64,
        deff,
        n_eff,
        p_low,
        p_high,
        n,
    })
}

/// n/deff, less for the few clusters that deff is known from, and never more than n.
fn effective(n: f64, clusters: f64, deff: f64, confidence: Confidence) -> f64 {
    let t = |df: f64| student_point(confidence.upper(), df);
    (n / deff * (t(n - 1.0) / t(clusters - 1.0)).powi(2)).min(n)
}

/// The limits of Clopper and Pearson about p for `n_eff` trials, a real number.
fn shares(p: f64, n_eff: f64, confidence: Confidence) -> (f64, f64) {
    if n_eff <= 0.0 {
        return (0.0, 1.0);
    }
    let (yes, no) = (n_eff * p, n_eff * (1.0 - p));
    (beta_point(1.0 - confidence.upper(), yes, no + 1.0), beta_point(confidence.upper(), yes + 1.0, no))
}

fn low(data: &Clustered, p: f64, n_eff: f64, share: f64, confidence: Confidence) -> Bound {
    let rank = (data.n() as f64 * share).floor() as usize;
    if rank < 1 || confidence.alpha() / 2.0 < (1.0 - p).powf(n_eff) {
        return Bound::Open;
    }
    data.values.get(rank - 1).map_or(Bound::Open, |value| Bound::At(*value))
}

fn high(data: &Clustered, p: f64, n_eff: f64, share: f64, confidence: Confidence) -> Bound {
    let rank = (data.n() as f64 * share).floor() as usize + 1;
    if confidence.alpha() / 2.0 < p.powf(n_eff) {
        return Bound::Open;
    }
    data.values.get(rank - 1).filter(|value| value.is_finite()).map_or(Bound::Open, |value| Bound::At(*value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Extended::{Finite, Never};

    fn p50(clusters: &[Vec<Extended>]) -> ClusteredQuantile {
        clustered_quantile(clusters, 0.5, Confidence::DEFAULT).unwrap()
    }

    /// Ten clusters of ten values that rise by one through all of them, dealt out in turn.
    fn dealt() -> Vec<Vec<Extended>> {
        (0..10).map(|cluster| (0..10).map(|i| Finite(f64::from(i * 10 + cluster))).collect()).collect()
    }

    #[test]
    fn nothing_has_no_quantile_and_one_cluster_has_no_interval() {
        assert_eq!(clustered_quantile(&[], 0.5, Confidence::DEFAULT), None);
        assert_eq!(clustered_quantile(&[vec![], vec![]], 0.5, Confidence::DEFAULT), None);
        for p in [0.0, 1.0, -0.1, f64::NAN] {
            assert_eq!(clustered_quantile(&dealt(), p, Confidence::DEFAULT), None, "p = {p}");
        }
        let one = p50(&[(1..=100).map(|i| Finite(f64::from(i))).collect()]);
        assert_eq!((one.estimate, one.interval, one.deff, one.n_eff), (Finite(50.0), Interval::OPEN, None, 0.0));
        assert_eq!(p50(&[vec![Finite(3.0)]]).interval, Interval::OPEN);
    }

    #[test]
    fn an_empty_cluster_changes_nothing() {
        let mut with_holes = dealt();
        with_holes.insert(3, vec![]);
        with_holes.push(vec![]);
        assert_eq!(p50(&with_holes), p50(&dealt()));
    }

    #[test]
    fn equal_values_give_an_interval_of_no_width() {
        let equal = p50(&vec![vec![Finite(2.0); 10]; 10]);
        assert_eq!((equal.estimate, equal.interval, equal.deff), (Finite(2.0), Interval::closed(2.0, 2.0), Some(1.0)));
    }

    #[test]
    fn where_all_fail_the_lower_end_is_never_too() {
        let failed = p50(&vec![vec![Never; 10]; 10]);
        assert_eq!((failed.estimate, failed.share_at), (Never, 0.0));
        assert_eq!(failed.interval, Interval { low: Bound::At(f64::INFINITY), high: Bound::Open });
    }

    #[test]
    fn a_cluster_said_ten_times_over_is_no_more_evidence() {
        let once: Vec<Vec<Extended>> = (1..=12).map(|i| vec![Finite(f64::from(i))]).collect();
        let often: Vec<Vec<Extended>> = (1..=12).map(|i| vec![Finite(f64::from(i)); 10]).collect();
        let (once, often) = (p50(&once), p50(&often));
        assert!(often.n_eff <= once.n_eff, "{} and {}", often.n_eff, once.n_eff);
        assert!(once.interval.ends().is_some() && often.interval.ends().is_some());
    }

    #[test]
    fn a_high_quantile_of_few_is_bounded_on_one_side_only() {
        let p95 = clustered_quantile(&dealt()[..3], 0.95, Confidence::DEFAULT).unwrap();
        assert_eq!(p95.interval.high, Bound::Open);
        let p05 = clustered_quantile(&dealt()[..3], 0.05, Confidence::DEFAULT).unwrap();
        assert_eq!(p05.interval.low, Bound::Open);
    }

    #[test]
    fn two_clusters_that_share_nothing_bound_nothing() {
        let apart = [vec![Finite(1.0); 300], vec![Finite(2.0); 300]];
        for p in [1e-4, 0.05, 0.5, 0.95, 0.9999] {
            let found = clustered_quantile(&apart, p, Confidence::DEFAULT).unwrap();
            assert!(found.p_low.is_finite() && found.p_high.is_finite() && found.p_low <= found.p_high, "p = {p}: {found:?}");
            assert!(p < 0.5 || found.interval.high == Bound::Open, "p = {p}: {found:?}");
        }
        let middle = p50(&apart);
        assert!(middle.deff == Some(600.0 * 2.0 / 2.0) && middle.n_eff < 1.0 && middle.interval == Interval::OPEN, "{middle:?}");
    }

    #[test]
    fn many_values_of_six_clusters_are_six_observations_at_best_and_bound_no_median() {
        let apart: Vec<Vec<Extended>> = (0..6).map(|r| vec![Finite(f64::from(r)); 100]).collect();
        let found = p50(&apart);
        // The shares alone would name ranks inside the 600 values.
        assert!(1.0 < 600.0 * found.p_low && found.interval == Interval::OPEN, "{found:?}");
    }

    #[test]
    fn a_month_of_hourly_clusters_is_bounded_at_the_99th_percentile() {
        let month: Vec<Vec<Extended>> =
            (0..720).map(|r| (0..50).map(|i| Finite(f64::from((r * 50 + i) * 7919 % 36_000))).collect()).collect();
        let p99 = clustered_quantile(&month, 0.99, Confidence::DEFAULT).unwrap();
        assert_eq!(p99.estimate, Finite(35_639.0));
        let (low, high) = p99.interval.ends().unwrap();
        assert!(35_500.0 < low && low < 35_639.0 && 35_639.0 < high && high < 35_750.0, "{low} to {high}");
    }
}
