//! Two groups of independent values that need not spread alike.

use super::paired::all_equal;
use super::student::{t_beyond, t_point};
use super::{Confidence, Interval, Sample};
use serde::Serialize;

/// The difference of two means (Welch 1947).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Welch {
    /// Mean of the first group − mean of the second.
    pub difference: f64,
    /// The difference over its standard error; absent where neither group spreads.
    pub t: Option<f64>,
    /// Welch and Satterthwaite's degrees of freedom; absent where neither group spreads.
    pub df: Option<f64>,
    /// Two-sided p of "the means are equal"; absent where neither group spreads.
    pub p: Option<f64>,
    /// Confidence interval of the difference; both ends on it where neither group spreads.
    pub interval: Interval,
}

/// The difference of two groups' means, with the interval and p of Welch's t.
pub fn welch(a: &Sample, b: &Sample, confidence: Confidence) -> Welch {
    let difference = a.mean() - b.mean();
    let (part_a, part_b) = (share_of_error(a), share_of_error(b));
    let squared = part_a + part_b;
    if squared <= 0.0 {
        return Welch { difference, t: None, df: None, p: None, interval: Interval::closed(difference, difference) };
    }
    // As shares of the whole, so that tiny variances do not underflow when squared.
    let freedom = |part: f64, n: usize| (part / squared).powi(2) / (n - 1) as f64;
    let df = 1.0 / (freedom(part_a, a.n()) + freedom(part_b, b.n()));
    let (error, t) = (squared.sqrt(), difference / squared.sqrt());
    let reach = t_point(confidence.upper(), df) * error;
    let interval = Interval::closed(difference - reach, difference + reach);
    Welch { difference, t: Some(t), df: Some(df), p: Some(t_beyond(t, df)), interval }
}

/// s²/n, exactly 0 where all values are equal.
fn share_of_error(group: &Sample) -> f64 {
    if all_equal(group.values()) { 0.0 } else { group.variance() / group.n() as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(values: &[f64]) -> Sample {
        Sample::new(values.to_vec()).unwrap()
    }

    #[test]
    fn groups_without_spread_have_a_difference_and_no_p() {
        let found = welch(&sample(&[0.1, 0.1, 0.1]), &sample(&[0.3, 0.3]), Confidence::DEFAULT);
        assert_eq!((found.t, found.df, found.p), (None, None, None));
        assert!(found.interval.holds(found.difference) && (found.difference + 0.2).abs() < 1e-12);
    }

    #[test]
    fn one_group_that_spreads_is_enough() {
        let found = welch(&sample(&[1.0, 1.0, 1.0]), &sample(&[1.0, 2.0]), Confidence::DEFAULT);
        assert_eq!(found.df, Some(1.0));
        assert!(found.p.is_some_and(|p| 0.0 < p && p < 1.0));
    }
}
