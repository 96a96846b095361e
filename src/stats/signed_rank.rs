//! Wilcoxon's signed ranks, and the location that belongs to them (Hodges and Lehmann 1963).

use super::mid_ranks::mid_ranks;
use super::student::{normal_beyond, normal_point};
use super::{Confidence, Interval};
use serde::Serialize;

/// Above this many values the null distribution is taken as normal: the two differ by less than 1e-4 there, and the work for the exact
/// one grows with the third power.
const MOST_EXACT: usize = 200;

/// Wilcoxon's signed-rank test of "the values are symmetric about 0".
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SignedRank {
    /// Values that are not zero; zeros are dropped, as Wilcoxon did.
    pub n_nonzero: usize,
    /// Sum of the ranks of the positive values.
    pub w_plus: f64,
    /// Two-sided p from the exact distribution; absent with ties, without values and above 200 of them.
    pub p_exact: Option<f64>,
    /// Two-sided p from the normal distribution, corrected for ties and continuity; absent without values.
    pub p_normal: Option<f64>,
}

impl SignedRank {
    /// The exact p where there is one, else the normal.
    pub fn p(&self) -> Option<f64> {
        self.p_exact.or(self.p_normal)
    }
}

/// A location by Hodges and Lehmann: the median of the means of all pairs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct HodgesLehmann {
    /// Median of the Walsh averages (dᵢ + dⱼ)/2, i ≤ j.
    pub estimate: f64,
    /// The rank of the interval's ends among the Walsh averages, from either side; absent where the values are too few.
    pub k: Option<usize>,
    /// Confidence interval; open on both sides where the values are too few (below 6 at 95 %).
    pub interval: Interval,
    /// What the interval really covers; absent with it.
    pub coverage: Option<f64>,
}

/// Wilcoxon's signed-rank test. `None` for values that are not finite.
pub fn signed_rank(d: &[f64]) -> Option<SignedRank> {
    if !d.iter().all(|value| value.is_finite()) {
        return None;
    }
    let kept: Vec<f64> = d.iter().copied().filter(|value| *value != 0.0).collect();
    let n = kept.len();
    let sizes: Vec<f64> = kept.iter().map(|value| value.abs()).collect();
    let ranked = mid_ranks(&sizes);
    let w_plus: f64 = kept.iter().zip(&ranked.ranks).filter(|(value, _)| 0.0 < **value).map(|(_, rank)| rank).sum();
    let exact = ranked.ties == 0.0 && 0 < n && n <= MOST_EXACT;
    Some(SignedRank {
        n_nonzero: n,
        w_plus,
        p_exact: exact.then(|| exact_p(n, w_plus)),
        p_normal: (0 < n).then(|| normal_p(n, w_plus, ranked.ties)),
    })
}

/// The Hodges–Lehmann location with the interval that inverts Wilcoxon's test. `None` without values, and for values that are not finite.
pub fn hodges_lehmann(d: &[f64], confidence: Confidence) -> Option<HodgesLehmann> {
    let n = d.len();
    if n == 0 || !d.iter().all(|value| value.is_finite()) {
        return None;
    }
    let mut walsh: Vec<f64> = (0..n).flat_map(|i| d[i..].iter().map(move |other| (d[i] + other) / 2.0)).collect();
    let pairs = walsh.len();
    // A quarter of a million averages of a month need no sorting for four of them.
    let mut ranked = |rank: usize| *walsh.select_nth_unstable_by(rank - 1, f64::total_cmp).1;
    let estimate = (ranked(pairs.div_ceil(2)) + ranked(pairs / 2 + 1)) / 2.0;
    let Some((k, coverage)) = rank_of_ends(n, confidence) else {
        return Some(HodgesLehmann { estimate, k: None, interval: Interval::OPEN, coverage: None });
    };
    let interval = Interval::closed(ranked(k), ranked(pairs + 1 - k));
    Some(HodgesLehmann { estimate, k: Some(k), interval, coverage: Some(coverage) })
}

/// The largest k with P(W ≤ k − 1) ≤ α/2, and 1 − 2 P(W ≤ k − 1).
fn rank_of_ends(n: usize, confidence: Confidence) -> Option<(usize, f64)> {
    let tail = confidence.alpha() / 2.0;
    if MOST_EXACT < n {
        let (mean, sd) = moments(n, 0.0);
        let k = (mean - 0.5 + normal_point(tail) * sd).floor() + 1.0;
        return (1.0 <= k).then(|| (k as usize, 1.0 - normal_beyond((k - 1.0 + 0.5 - mean) / sd)));
    }
    let (mut k, mut below) = (0, 0.0);
    for probability in null_distribution(n) {
        // The last bits of a sum must not decide: 1/64 of either side is 1/32 in all.
        if tail * (1.0 + 1e-12) < below + probability {
            break;
        }
        below += probability;
        k += 1;
    }
    (0 < k).then_some((k, 1.0 - 2.0 * below))
}

/// The probability of each value of W⁺ from 0 to n(n + 1)/2 when every sign is a fair coin: the ranks are thrown in one by one.
fn null_distribution(n: usize) -> Vec<f64> {
    let mut probabilities = vec![0.0; n * (n + 1) / 2 + 1];
    probabilities[0] = 1.0;
    let mut most = 0;
    for rank in 1..=n {
        most += rank;
        for w in (0..=most).rev() {
            let with = w.checked_sub(rank).map_or(0.0, |before| probabilities[before]);
            probabilities[w] = (probabilities[w] + with) / 2.0;
        }
    }
    probabilities
}

fn exact_p(n: usize, w_plus: f64) -> f64 {
    let most = (n * (n + 1) / 2) as f64;
    // The distribution is symmetric; the shorter tail is summed.
    let reach = w_plus.min(most - w_plus) as usize;
    (2.0 * null_distribution(n)[..=reach].iter().sum::<f64>()).min(1.0)
}

fn normal_p(n: usize, w_plus: f64, ties: f64) -> f64 {
    let (mean, sd) = moments(n, ties);
    let off = (w_plus - mean).abs();
    // The correction of ½ goes towards the mean, and not beyond it.
    normal_beyond((off - 0.5).max(0.0) / sd)
}

/// Mean and standard deviation of W⁺; one value alone has a deviation too.
fn moments(n: usize, ties: f64) -> (f64, f64) {
    let n = n as f64;
    (n * (n + 1.0) / 4.0, (n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - ties / 48.0).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exact_distribution_is_one_and_symmetric() {
        for n in [1, 2, 5, 20, MOST_EXACT] {
            let probabilities = null_distribution(n);
            assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            assert!(probabilities.iter().zip(probabilities.iter().rev()).all(|(a, b)| (a - b).abs() < 1e-15));
        }
        // Of the 2⁵ ways to sign five ranks, three reach 3: {3}, {1, 2} and no other makes it two.
        assert_eq!(null_distribution(5)[3], 2.0 / 32.0);
    }

    #[test]
    fn zeros_alone_have_no_p() {
        let found = signed_rank(&[0.0, -0.0]).unwrap();
        assert_eq!((found.n_nonzero, found.w_plus, found.p()), (0, 0.0, None));
        assert_eq!(signed_rank(&[]).unwrap().p(), None);
        assert_eq!(signed_rank(&[f64::NAN, 1.0]), None);
    }

    #[test]
    fn one_value_and_a_balance_prove_nothing() {
        assert_eq!(signed_rank(&[0.4]).unwrap().p(), Some(1.0));
        let balanced = signed_rank(&[0.1, -0.1, 0.2, -0.2]).unwrap();
        assert_eq!((balanced.p_exact, balanced.p_normal), (None, Some(1.0)));
    }

    #[test]
    fn too_few_values_leave_the_location_unbounded() {
        for n in 1..=5 {
            let d: Vec<f64> = (0..n).map(f64::from).collect();
            let found = hodges_lehmann(&d, Confidence::DEFAULT).unwrap();
            assert_eq!((found.k, found.interval, found.estimate), (None, Interval::OPEN, f64::from(n - 1) / 2.0));
        }
        assert_eq!(hodges_lehmann(&[1.0; 6], Confidence::DEFAULT).unwrap().k, Some(1));
        assert_eq!(hodges_lehmann(&[], Confidence::DEFAULT), None);
    }

    #[test]
    fn a_month_of_clusters_is_bounded_by_the_normal_approximation() {
        let d: Vec<f64> = (0..720).map(|i| f64::from(i * 7919 % 720) / 720.0).collect();
        let found = hodges_lehmann(&d, Confidence::DEFAULT).unwrap();
        let (low, high) = found.interval.ends().unwrap();
        assert!(low < found.estimate && found.estimate < high && high - low < 0.1);
        assert!(0.95 <= found.coverage.unwrap() && found.coverage.unwrap() < 0.951);
    }

    #[test]
    fn exact_and_normal_ranks_meet_where_they_change_over() {
        let (exact, _) = rank_of_ends(MOST_EXACT, Confidence::DEFAULT).unwrap();
        let (mean, sd) = moments(MOST_EXACT, 0.0);
        let normal = (mean - 0.5 + normal_point(Confidence::DEFAULT.alpha() / 2.0) * sd).floor() + 1.0;
        assert!((exact as f64 - normal).abs() <= 5.0, "{exact} {normal}");
    }
}
