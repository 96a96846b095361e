//! The interval of a quantile of independent values, from the ranks alone.

use super::beta::{binomial_at_least, binomial_at_most};
use super::{Bound, Clustered, Confidence, Extended, Interval};
use serde::Serialize;

/// The interval of a quantile between two order statistics.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OrderStatisticInterval {
    /// Rank of the lower end, from 1; absent where it is open.
    pub lower_rank: Option<usize>,
    /// Rank of the upper end, from 1; absent where it is open.
    pub upper_rank: Option<usize>,
    /// The ends. An infinite value at the upper rank leaves the end open.
    pub interval: Interval,
    /// The probability that an interval between these ranks holds the quantile; at least the confidence asked for.
    pub coverage: f64,
}

/// The order-statistic interval of the `p` quantile (0 < p < 1) of **independent** values: the lower rank is the largest l with
/// P(Bin(n, p) ≤ l − 1) ≤ α/2, the upper one the smallest u with P(Bin(n, p) ≥ u) ≤ α/2; an end without such a rank is open.
///
/// `None` for no values and for p outside (0, 1). Values that come in clusters need [`clustered_quantile`](super::clustered_quantile).
pub fn order_statistic_interval(values: &[Extended], p: f64, confidence: Confidence) -> Option<OrderStatisticInterval> {
    let n = values.len() as u64;
    if n == 0 || !(0.0 < p && p < 1.0) {
        return None;
    }
    let tail = confidence.alpha() / 2.0;
    let lower = first(n, |k| tail < binomial_at_most(k, n, p));
    let upper = first(n + 1, |k| binomial_at_least(k, n, p) <= tail);
    let sorted = Clustered::from_pairs(values.iter().map(|value| (0, *value)), 1).values;
    let value = |rank: u64| rank.checked_sub(1).and_then(|at| sorted.get(at as usize)).copied();
    Some(OrderStatisticInterval {
        lower_rank: (0 < lower).then_some(lower as usize),
        upper_rank: (upper <= n).then_some(upper as usize),
        interval: Interval {
            low: value(lower).map_or(Bound::Open, Bound::At),
            high: value(upper).filter(|value| value.is_finite()).map_or(Bound::Open, Bound::At),
        },
        coverage: 1.0 - binomial_at_least(upper, n, p) - if lower < 1 { 0.0 } else { binomial_at_most(lower - 1, n, p) },
    })
}

/// The first number of 0..end that something holds for, which holds from there on; `end` where there is none.
fn first(end: u64, holds: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (0, end);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// The smallest number of independent values for which both ends of the two-sided interval of the `p` quantile are closed:
/// max(p, 1 − p)^n ≤ α/2. `None` for p outside (0, 1).
pub fn smallest_n_for_quantile_interval(p: f64, confidence: Confidence) -> Option<usize> {
    smallest_power(p.max(1.0 - p), confidence.alpha() / 2.0)
}

/// The smallest number of independent values that bound the `p` quantile from above, one-sidedly: p^n ≤ α. `None` for p outside (0, 1).
pub fn smallest_n_for_quantile_bound(p: f64, confidence: Confidence) -> Option<usize> {
    smallest_power(p, confidence.alpha())
}

/// The smallest n with share^n ≤ limit; a power that meets the limit but for its last bits counts as met.
fn smallest_power(share: f64, limit: f64) -> Option<usize> {
    (0.0 < share && share < 1.0).then(|| (limit.ln() / share.ln() - 1e-9).ceil().max(1.0) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Extended::{Finite, Never};

    #[test]
    fn one_value_bounds_nothing_and_no_value_is_none() {
        let one = order_statistic_interval(&[Finite(1.0)], 0.5, Confidence::DEFAULT).unwrap();
        assert_eq!((one.lower_rank, one.upper_rank, one.interval, one.coverage), (None, None, Interval::OPEN, 1.0));
        assert_eq!(order_statistic_interval(&[], 0.5, Confidence::DEFAULT), None);
        assert_eq!(order_statistic_interval(&[Finite(1.0)], 1.0, Confidence::DEFAULT), None);
    }

    #[test]
    fn a_failure_at_the_upper_rank_leaves_it_open() {
        let mut values = vec![Finite(1.0); 5];
        values.extend([Never, Never]);
        let found = order_statistic_interval(&values, 0.5, Confidence::DEFAULT).unwrap();
        assert_eq!((found.lower_rank, found.upper_rank), (Some(1), Some(7)));
        assert_eq!(found.interval, Interval { low: Bound::At(1.0), high: Bound::Open });
    }

    #[test]
    fn from_the_smallest_n_on_both_ends_are_closed() {
        for p in [0.05, 0.3, 0.5, 0.9, 0.95] {
            let n = smallest_n_for_quantile_interval(p, Confidence::DEFAULT).unwrap();
            let closed = |n: usize| {
                let values: Vec<Extended> = (0..n).map(|i| Finite(i as f64)).collect();
                order_statistic_interval(&values, p, Confidence::DEFAULT).is_some_and(|found| found.interval.ends().is_some())
            };
            assert!(closed(n) && !closed(n - 1), "p = {p}, n = {n}");
        }
        assert_eq!(smallest_n_for_quantile_interval(0.999, Confidence::DEFAULT), Some(3688));
        assert_eq!(smallest_n_for_quantile_bound(1.0, Confidence::DEFAULT), None);
    }
}
