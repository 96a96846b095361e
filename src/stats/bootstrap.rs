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
    let mut sorted: Vec<f64> = values.iter().map(|value| if value.is_nan() { beyond } else { *value }).collect();
    let infinite = sorted.iter().filter(|value| **value == beyond).count();
    if INFINITE_ALLOWED * (values.len() as f64) < infinite as f64 {
        return Bound::Open;
    }
    sorted.sort_unstable_by(f64::total_cmp);
    let h = (sorted.len() - 1) as f64 * level;
    let (at, weight) = (h.floor() as usize, h - h.floor());
    let low = sorted[at];
    let value = sorted.get(at + 1).filter(|_| 0.0 < weight).map_or(low, |high| low + weight * (high - low));
    if value.is_finite() { Bound::At(value) } else { Bound::Open }
}
