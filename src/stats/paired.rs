//! A mean against zero, over clusters in their order of time: Student's t with as many observations as the clusters' dependence leaves.
//!
//! The differences are usually logarithms of a ratio; then `Interval::map(f64::exp)` gives the interval of the ratio.

use super::student::{t_above, t_beyond, t_point};
use super::{Confidence, Estimate, Extended, Interval, Sample};
use serde::Serialize;

/// (z₀.₉₇₅ + z₀.₈)²: what a difference seen in 80 of 100 repetitions at 5 % needs, in squared standard errors.
const POWER_80: f64 = 7.85;

/// Autocorrelation above this is cut: what is left of the observations would be a guess.
const MOST_DEPENDENT: f64 = 0.9;

/// How many independent observations a series is worth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct EffectiveN {
    /// Lag-1 autocorrelation, with the common denominator; absent where all values are equal.
    pub r1: Option<f64>,
    /// r1 + (1 + 3·max(r1, 0))/n, kept between 0 and 0.9: r1 is biased downwards in short series.
    pub r1_corrected: f64,
    /// n(1 − r)/(1 + r) with the corrected r, at least 2.
    pub n_eff: f64,
}

/// The mean of a series against zero.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Paired {
    /// Clusters.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, with n − 1 below; 0 where all are equal.
    pub sd: f64,
    /// Lag-1 autocorrelation; absent where all values are equal.
    pub r1: Option<f64>,
    /// The autocorrelation as it is corrected for.
    pub r1_corrected: f64,
    /// Observations that were reckoned with: n in the plain test, fewer in the reduced one.
    pub n_eff: f64,
    /// The mean over its standard error; absent where all values are equal.
    pub t: Option<f64>,
    /// Degrees of freedom, n_eff − 1; need not be whole.
    pub df: f64,
    /// Two-sided p of "the mean is 0"; absent where all values are equal.
    pub p: Option<f64>,
    /// Confidence interval of the mean; both ends on the mean where all values are equal.
    pub interval: Interval,
}

/// Two one-sided tests of "the mean lies inside two margins" (Schuirmann 1987).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Tost {
    /// (mean − lower margin) over the standard error; absent where all values are equal.
    pub t_lower: Option<f64>,
    /// (mean − upper margin) over the standard error.
    pub t_upper: Option<f64>,
    /// p of "the mean is at or below the lower margin".
    pub p_lower: Option<f64>,
    /// p of "the mean is at or above the upper margin".
    pub p_upper: Option<f64>,
    /// The greater of the two.
    pub p: Option<f64>,
    /// Whether the mean itself lies strictly inside the margins.
    pub inside: bool,
}

impl Tost {
    /// Whether the mean is shown to lie inside the margins: the interval of confidence 1 − 2α lies inside them, 90 % for α = 5 %.
    /// Where all values are equal, the mean alone decides.
    pub fn shown(&self, confidence: Confidence) -> bool {
        self.p.map_or(self.inside, |p| p <= confidence.alpha())
    }
}

/// How many independent observations the clusters are worth, if each depends on the one before (AR(1)).
pub fn effective_n(d: &Sample) -> EffectiveN {
    let n = d.n() as f64;
    let r1 = autocorrelation(d);
    let r = r1.unwrap_or(0.0);
    let r1_corrected = (r + (1.0 + 3.0 * r.max(0.0)) / n).clamp(0.0, MOST_DEPENDENT);
    EffectiveN { r1, r1_corrected, n_eff: (n * (1.0 - r1_corrected) / (1.0 + r1_corrected)).max(2.0) }
}

/// The mean against zero, with the number of clusters reduced for their dependence.
pub fn paired(d: &Sample, confidence: Confidence) -> Paired {
    against_zero(d, effective_n(d).n_eff, confidence)
}

/// The mean against zero, every cluster taken as independent: the ordinary one-sample t of the differences.
pub fn plain_paired(d: &Sample, confidence: Confidence) -> Paired {
    against_zero(d, d.n() as f64, confidence)
}

/// Whether the mean lies between two margins, every cluster taken as independent.
pub fn tost(d: &Sample, low: f64, high: f64) -> Tost {
    against_margins(d, d.n() as f64, low, high)
}

/// Whether the mean lies between two margins, with the number of clusters reduced for their dependence.
pub fn tost_reduced(d: &Sample, low: f64, high: f64) -> Tost {
    against_margins(d, effective_n(d).n_eff, low, high)
}

/// The score of a block for the first of two: 1 if its time is the shorter one, 0 if the longer one, ½ if they are equal or both are
/// missing. A missing time loses to any.
pub fn block_score(first: Option<f64>, second: Option<f64>) -> f64 {
    match (first, second) {
        (Some(first), Some(second)) if first < second => 1.0,
        (Some(first), Some(second)) if second < first => 0.0,
        (Some(_), None) => 1.0,
        (None, Some(_)) => 0.0,
        _ => 0.5,
    }
}

/// The share of blocks won, from the mean score of each cluster: t over the clusters, kept between 0 and 1. One cluster has a share and
/// no interval; `None` for none, and for scores that are not numbers.
pub fn win_share(cluster_means: &[f64], confidence: Confidence) -> Option<Estimate> {
    let n = cluster_means.len();
    if n == 1 && cluster_means[0].is_finite() {
        return Some(Estimate { point: Extended::Finite(cluster_means[0]), interval: None, n });
    }
    let share = plain_paired(&Sample::new(cluster_means.to_vec()).ok()?, confidence);
    let interval = share.interval.map(|end| end.clamp(0.0, 1.0));
    Some(Estimate { point: Extended::Finite(share.mean), interval: Some(interval), n })
}

/// The ratio, above 1, that would be seen with 80 % power at 5 % with so many clusters: exp √(7.85 s²/(n − 2)), s being the standard
/// deviation of the log ratios. `None` for two clusters or fewer.
pub fn visible_difference(sd: f64, n: usize) -> Option<f64> {
    let spare = n.checked_sub(2).filter(|spare| 0 < *spare)?;
    let ratio = (POWER_80 * sd * sd / spare as f64).sqrt().exp();
    ratio.is_finite().then_some(ratio)
}

/// The clusters that it takes to see a ratio with 80 % power at 5 %: 2 + 7.85 s²/ln(ratio)², not rounded. `None` for a ratio of 1, which
/// no number shows, and for one that is not positive.
pub fn clusters_needed(sd: f64, ratio: f64) -> Option<f64> {
    let needed = 2.0 + POWER_80 * sd * sd / ratio.ln().powi(2);
    needed.is_finite().then_some(needed)
}

/// Whether all values are one value, apart from the last digits that summing and taking logarithms leave.
pub(super) fn all_equal(values: &[f64]) -> bool {
    let (low, high) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x)));
    high - low <= 1e-13 * low.abs().max(high.abs())
}

/// The standard deviation; exactly 0 where all values are equal, which the rounding of the mean would hide.
fn spread(d: &Sample) -> f64 {
    if all_equal(d.values()) { 0.0 } else { d.sd() }
}

fn autocorrelation(d: &Sample) -> Option<f64> {
    if all_equal(d.values()) {
        return None;
    }
    let mean = d.mean();
    let off: Vec<f64> = d.values().iter().map(|value| value - mean).collect();
    let whole: f64 = off.iter().map(|x| x * x).sum();
    let neighbours: f64 = off.windows(2).map(|pair| pair[0] * pair[1]).sum();
    (0.0 < whole).then(|| neighbours / whole)
}

fn against_zero(d: &Sample, n_eff: f64, confidence: Confidence) -> Paired {
    let EffectiveN { r1, r1_corrected, .. } = effective_n(d);
    let (mean, sd, df) = (d.mean(), spread(d), n_eff - 1.0);
    let error = sd / n_eff.sqrt();
    let t = (0.0 < error).then(|| mean / error);
    let reach = if 0.0 < error { t_point(confidence.upper(), df) * error } else { 0.0 };
    let interval = Interval::closed(mean - reach, mean + reach);
    Paired { n: d.n(), mean, sd, r1, r1_corrected, n_eff, t, df, p: t.map(|t| t_beyond(t, df)), interval }
}

fn against_margins(d: &Sample, n_eff: f64, low: f64, high: f64) -> Tost {
    let (mean, error, df) = (d.mean(), spread(d) / n_eff.sqrt(), n_eff - 1.0);
    let t = |margin: f64| (0.0 < error).then(|| (mean - margin) / error);
    let (t_lower, t_upper) = (t(low), t(high));
    let (p_lower, p_upper) = (t_lower.map(|t| t_above(t, df)), t_upper.map(|t| t_above(-t, df)));
    let p = p_lower.zip(p_upper).map(|(lower, upper)| lower.max(upper));
    Tost { t_lower, t_upper, p_lower, p_upper, p, inside: low < mean && mean < high }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Bound;

    fn sample(values: &[f64]) -> Sample {
        Sample::new(values.to_vec()).unwrap()
    }

    #[test]
    fn equal_differences_have_a_mean_and_no_p() {
        // The mean of three times 0.1 is not 0.1 in binary: the spread must be 0 all the same.
        let d = sample(&[0.1, 0.1, 0.1]);
        let found = paired(&d, Confidence::DEFAULT);
        assert_eq!((found.sd, found.t, found.p, found.r1), (0.0, None, None, None));
        assert_eq!(found.interval, Interval::closed(d.mean(), d.mean()));
        assert!(found.n_eff.is_finite() && found.df.is_finite());
        assert!(tost(&d, -0.2, 0.2).shown(Confidence::DEFAULT) && !tost_reduced(&d, -0.05, 0.05).shown(Confidence::DEFAULT));
        assert_eq!(paired(&sample(&[0.0; 5]), Confidence::DEFAULT).interval, Interval::closed(0.0, 0.0));
        // Always twice the time, whatever the logarithms' last bits say.
        let twice = [0.1_f64, 0.7, 1.3, 2.9].map(|time| (2.0 * time).ln() - time.ln());
        assert_ne!(twice, [twice[0]; 4]);
        assert_eq!(paired(&sample(&twice), Confidence::DEFAULT).p, None);
    }

    #[test]
    fn clusters_that_drift_are_worth_fewer() {
        let drifting = sample(&[0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]);
        let (plain, reduced) = (plain_paired(&drifting, Confidence::DEFAULT), paired(&drifting, Confidence::DEFAULT));
        assert_eq!((plain.n_eff, plain.df, plain.mean), (10.0, 9.0, reduced.mean));
        assert!(reduced.n_eff < 3.0 && reduced.interval.holds(plain.interval.low.at().unwrap()));
        assert!(plain.p.unwrap() < reduced.p.unwrap());
    }

    #[test]
    fn two_clusters_are_enough_for_an_interval_however_wide() {
        let found = paired(&sample(&[0.1, 0.3]), Confidence::DEFAULT);
        assert_eq!((found.n_eff, found.df), (2.0, 1.0));
        assert!(matches!(found.interval.high, Bound::At(high) if 1.0 < high && high.is_finite()));
    }

    #[test]
    fn equivalence_is_the_narrower_interval_inside_the_margins() {
        let d = sample(&[0.02, -0.01, 0.03, 0.0, 0.015, -0.02, 0.01, 0.005, 0.02, -0.015]);
        let ninety = Confidence::new(0.9).unwrap();
        for margin in [0.005, 0.01, 0.012, 0.015, 0.02, 0.05] {
            for (tost, interval) in [
                (tost(&d, -margin, margin), plain_paired(&d, ninety).interval),
                (tost_reduced(&d, -margin, margin), paired(&d, ninety).interval),
            ] {
                let (low, high) = interval.ends().unwrap();
                assert_eq!(tost.shown(Confidence::DEFAULT), -margin < low && high < margin, "{margin}");
            }
        }
    }

    #[test]
    fn a_missing_time_loses_to_any() {
        let scores =
            [(Some(1.0), Some(2.0)), (Some(2.0), Some(1.0)), (Some(1.0), Some(1.0)), (Some(9.0), None), (None, Some(9.0)), (None, None)];
        assert_eq!(scores.map(|(a, b)| block_score(a, b)), [1.0, 0.0, 0.5, 1.0, 0.0, 0.5]);
    }

    #[test]
    fn a_share_won_stays_a_share() {
        let share = win_share(&[1.0, 1.0, 0.5], Confidence::DEFAULT).unwrap();
        assert_eq!(share.interval.unwrap().high, Bound::At(1.0));
        assert_eq!(win_share(&[1.0, 1.0], Confidence::DEFAULT).unwrap().interval, Some(Interval::closed(1.0, 1.0)));
        assert_eq!(win_share(&[0.5], Confidence::DEFAULT).unwrap().interval, None);
        assert_eq!((win_share(&[], Confidence::DEFAULT), win_share(&[f64::NAN], Confidence::DEFAULT)), (None, None));
    }

    #[test]
    fn the_difference_that_can_be_seen_and_the_clusters_that_show_it_agree() {
        let ratio = visible_difference(0.31, 24).unwrap();
        assert!((clusters_needed(0.31, ratio).unwrap() - 24.0).abs() < 1e-9);
        assert!((clusters_needed(0.31, 1.0 / ratio).unwrap() - 24.0).abs() < 1e-9);
        assert_eq!((visible_difference(0.31, 2), clusters_needed(0.31, 1.0), clusters_needed(0.31, -1.0)), (None, None, None));
    }
}
