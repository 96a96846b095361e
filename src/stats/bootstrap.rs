//! Intervals from bootstrap values: percentile, and the expanded percentile that is right for few clusters.

use super::beta::student_point;
use super::{Bound, Confidence, Interval};
use statrs::distribution::{ContinuousCDF, Normal};

/// The share of bootstrap values that may be infinite before the end on their side is left open.
const INFINITE_ALLOWED: f64 = 0.001;

/// The plain percentile interval: the type-7 quantiles α/2 and 1 − α/2 of the bootstrap values. Too narrow for few clusters.
/// `None` for no values.
///
/// Values may be infinite, where a resample had no finite quantile; a value that says nothing (NaN) counts as infinite on either side.
/// An end is open where more than 0.1 % of the values are infinite on its side.
pub fn percentile_interval(values: &[f64], confidence: Confidence) -> Option<Interval> {
    between(values, confidence.alpha() / 2.0)
}

/// The level of the expanded percentile interval: α' = Φ(−√(R/(R − 1)) · t_{R−1, 1−α/2}) for R clusters, the correction of Hesterberg
/// (2015) for the too narrow percentile interval. `None` for fewer than two clusters.
pub fn expanded_alpha(clusters: usize, confidence: Confidence) -> Option<f64> {
    let df = clusters.checked_sub(1).filter(|df| 0 < *df)? as f64;
    Some(Normal::standard().cdf(-(clusters as f64 / df).sqrt() * student_point(confidence.upper(), df)))
}

/// The expanded percentile interval: the type-7 quantiles α' and 1 − α' of the bootstrap values, with the α' of [`expanded_alpha`].
/// Infinite values as in [`percentile_interval`]. `None` for no values and for fewer than two clusters.
pub fn expanded_percentile(values: &[f64], clusters: usize, confidence: Confidence) -> Option<Interval> {
    between(values, expanded_alpha(clusters, confidence)?)
}

/// √(R/n_eff) · t_{n_eff−1} / t_{R−1} at 1 − α/2: by how much an interval over R clusters must widen since they follow one another and are
/// worth only `n_eff` independent ones. `None` for fewer than two clusters and for n_eff ≤ 1.
pub fn widening_factor(clusters: usize, n_eff: f64, confidence: Confidence) -> Option<f64> {
    if clusters < 2 || !(1.0 < n_eff && n_eff.is_finite()) {
        return None;
    }
    let t = |df: f64| student_point(confidence.upper(), df);
    Some((clusters as f64 / n_eff).sqrt() * t(n_eff - 1.0) / t(clusters as f64 - 1.0))
}

/// Both arms of an interval about a point, times a factor. Open ends stay open.
pub fn widen(interval: Interval, point: f64, factor: f64) -> Interval {
    interval.map(|end| point + factor * (end - point))
}

/// The expanded percentile interval of a bootstrapped `point` over `clusters` that are worth `n_eff`: [`expanded_percentile`], then
/// [`widen`]ed by [`widening_factor`]. `None` where either is.
pub fn expanded_widened(point: f64, values: &[f64], clusters: usize, n_eff: f64, confidence: Confidence) -> Option<Interval> {
    let factor = widening_factor(clusters, n_eff, confidence)?;
    Some(widen(expanded_percentile(values, clusters, confidence)?, point, factor))
}

/// The quantiles `level` and 1 − `level`.
fn between(values: &[f64], level: f64) -> Option<Interval> {
    if values.is_empty() {
        return None;
    }
    Some(Interval { low: end(values, level, f64::NEG_INFINITY), high: end(values, 1.0 - level, f64::INFINITY) })
}

/// The end at a level, on the side where `beyond` lies.
fn end(values: &[f64], level: f64, beyond: f64) -> Bound {
    let mut values: Vec<f64> = values.iter().map(|value| if value.is_nan() { beyond } else { *value }).collect();
    let infinite = values.iter().filter(|value| **value == beyond).count();
    if INFINITE_ALLOWED * (values.len() as f64) < infinite as f64 {
        return Bound::Open;
    }
    let h = (values.len() - 1) as f64 * level;
    let (at, weight) = (h.floor() as usize, h - h.floor());
    let (_, low, above) = values.select_nth_unstable_by(at, f64::total_cmp);
    let high = above.iter().copied().min_by(f64::total_cmp).filter(|_| 0.0 < weight);
    let value = high.map_or(*low, |high| *low + weight * (high - *low));
    if value.is_finite() { Bound::At(value) } else { Bound::Open }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{Clustered, Extended, resampled_quantiles};

    fn ends(values: &[f64]) -> Interval {
        percentile_interval(values, Confidence::DEFAULT).unwrap()
    }

    fn rising(n: u32) -> Vec<f64> {
        (0..n).map(f64::from).collect()
    }

    #[test]
    fn more_than_one_in_a_thousand_infinite_opens_that_end_only() {
        let mut values = rising(2000);
        values[1998] = f64::INFINITY;
        values[1999] = f64::INFINITY;
        assert!(ends(&values).ends().is_some());
        values[1000] = f64::INFINITY;
        assert!(ends(&values).low.at().is_some() && ends(&values).high == Bound::Open);
        let lowest = values.iter().map(|value| -value).collect::<Vec<_>>();
        assert!(ends(&lowest).low == Bound::Open && ends(&lowest).high.at().is_some());
    }

    #[test]
    fn what_says_nothing_may_lie_on_either_side() {
        let mut values = rising(1000);
        values[3] = f64::NAN;
        values[4] = f64::NAN;
        assert_eq!(ends(&values), Interval::OPEN);
    }

    #[test]
    fn few_infinite_values_still_open_an_end_that_they_reach() {
        // With three clusters the level is so small that the end is the outermost value.
        let mut values = rising(9999);
        values[5] = f64::INFINITY;
        let found = expanded_percentile(&values, 3, Confidence::DEFAULT).unwrap();
        assert!(found.high == Bound::Open && found.low.at().is_some(), "{found:?}");
    }

    #[test]
    fn too_few_clusters_have_no_interval() {
        assert_eq!(expanded_percentile(&rising(99), 1, Confidence::DEFAULT), None);
        assert_eq!(percentile_interval(&[], Confidence::DEFAULT), None);
        assert_eq!((widening_factor(1, 2.0, Confidence::DEFAULT), widening_factor(9, 1.0, Confidence::DEFAULT)), (None, None));
        assert_eq!(percentile_interval(&[7.0], Confidence::DEFAULT), Some(Interval::closed(7.0, 7.0)));
    }

    #[test]
    fn as_many_effective_clusters_as_there_are_widen_nothing() {
        assert_eq!(widening_factor(24, 24.0, Confidence::DEFAULT), Some(1.0));
        assert_eq!(
            widen(Interval { low: Bound::At(1.0), high: Bound::Open }, 2.0, 3.0),
            Interval { low: Bound::At(-1.0), high: Bound::Open }
        );
        // R = 5 needs 9,999 resamples: method, "Expanded percentile".
        assert!((expanded_alpha(5, Confidence::DEFAULT).unwrap() - 0.000_95).abs() < 1e-5);
    }

    #[test]
    fn exchanging_the_sides_turns_the_interval_round() {
        let resampled = resampled_quantiles(&two_groups(), &[0.95], 999, 5).unwrap();
        let of = |first, second| expanded_widened(0.0, &resampled.log_ratios(first, second, 0), 12, 8.0, Confidence::DEFAULT).unwrap();
        let ((low, high), (back_low, back_high)) = (of(0, 1).ends().unwrap(), of(1, 0).ends().unwrap());
        assert!((low + back_high).abs() < 1e-9 && (high + back_low).abs() < 1e-9 && low < high);
    }

    /// Two groups of clusters of unlike sizes whose values share the level of their cluster.
    fn two_groups() -> [Clustered; 2] {
        let values = |group: u32| -> Vec<Vec<Extended>> {
            let value = |r: u32, i: u32| f64::from((r * 37 + group * 11) % 23) + f64::from((i * 53 + r * 29 + group * 17) % 31) / 4.0 + 5.0;
            (0..12).map(|r| (0..6 + r % 3).map(|i| Extended::Finite(value(r, i))).collect()).collect()
        };
        [Clustered::new(&values(0)), Clustered::new(&values(1))]
    }

    /// Where 9,999 resamples put an end, about as many of a far larger number of other resamples lie beyond it as should: within four
    /// standard errors of both numbers.
    #[test]
    fn ends_from_9999_resamples_agree_with_those_of_many() {
        let groups = two_groups();
        let values = |resamples: usize, seed: u64| resampled_quantiles(&groups, &[0.5], resamples, seed).unwrap().log_ratios(0, 1, 0);
        let (few, many) = (values(9_999, 1), values(40_000, 2));
        let alpha = expanded_alpha(12, Confidence::DEFAULT).unwrap();
        let (low, high) = expanded_percentile(&few, 12, Confidence::DEFAULT).unwrap().ends().unwrap();
        let error = 4.0 * (alpha * (1.0 - alpha) * (1.0 / 9_999.0 + 1.0 / 40_000.0)).sqrt();
        let share = |of: &dyn Fn(f64) -> bool| many.iter().filter(|value| of(**value)).count() as f64 / many.len() as f64;
        // Quantiles of resamples take few values: an end stands right when the share strictly beyond it and the share at or beyond it
        // enclose the level.
        assert!(share(&|value| value < low) < alpha + error && alpha - error < share(&|value| value <= low));
        assert!(share(&|value| high < value) < alpha + error && alpha - error < share(&|value| high <= value));
        let point = |group: &Clustered| group.quantile_type7(0.5).and_then(Extended::finite).unwrap();
        let log_ratio = (point(&groups[1]) / point(&groups[0])).ln();
        assert!(low < log_ratio && log_ratio < high);
    }
}
