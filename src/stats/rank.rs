//! Ranks as intervals: a place is only as sure as the comparisons that give it.

use serde::Serialize;

/// The places that one of k may hold, 1 being the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct RankInterval {
    /// The best place it may hold: 1 + how many are shown to be better.
    pub low: usize,
    /// The worst place it may hold: k − how many it is shown to be better than.
    pub high: usize,
}

impl std::fmt::Display for RankInterval {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.low == self.high { write!(f, "{}", self.low) } else { write!(f, "{}–{}", self.low, self.high) }
    }
}

/// The pairs (i, j), i < j, of k in the order in which this room lists them: (0, 1), (0, 2) … (1, 2) …
pub fn pairs(k: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..k).flat_map(move |i| (i + 1..k).map(move |j| (i, j)))
}

/// Rank intervals of `k` from the evidence `better(i, j)`: i is shown to be better than j.
///
/// Where the evidence comes from pairwise tests of family-wise level α, all true ranks lie inside with confidence 1 − α (the idea of
/// Mogstad, Romano, Shaikh and Wilhelm, 2024, and of Al Mohamad et al.).
pub fn rank_intervals(k: usize, better: impl Fn(usize, usize) -> bool) -> Vec<RankInterval> {
    let count = |holds: &dyn Fn(usize) -> bool| (0..k).filter(|j| holds(*j)).count();
    let rank = |i: usize| RankInterval { low: 1 + count(&|j| j != i && better(j, i)), high: k - count(&|j| j != i && better(i, j)) };
    (0..k).map(rank).collect()
}

/// Rank intervals from the means of k, of which the smaller is the better, and the adjusted p value of each of [`pairs`]: i is better
/// than j where p ≤ `alpha` and its mean is smaller. A pair without a p value shows nothing. `None` where the numbers do not fit.
pub fn ranks_of_pairs(means: &[f64], adjusted: &[Option<f64>], alpha: f64) -> Option<Vec<RankInterval>> {
    let k = means.len();
    if adjusted.len() != k * k.saturating_sub(1) / 2 {
        return None;
    }
    let mut shown = vec![false; k * k];
    for ((i, j), p) in pairs(k).zip(adjusted) {
        let differ = p.is_some_and(|p| p <= alpha);
        shown[i * k + j] = differ && means[i] < means[j];
        shown[j * k + i] = differ && means[j] < means[i];
    }
    Some(rank_intervals(k, |i, j| shown[i * k + j]))
}

/// The numbers 0..k by rising mean, ties in the order given.
pub fn order_by_mean(means: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..means.len()).collect();
    order.sort_by(|a, b| means[*a].total_cmp(&means[*b]));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(ranks: &[RankInterval]) -> Vec<String> {
        ranks.iter().map(RankInterval::to_string).collect()
    }

    #[test]
    fn a_place_is_only_as_sure_as_its_comparisons() {
        // The first beats all others; the second beats the last; nothing is known of the third and its neighbours.
        let ranks = rank_intervals(4, |i, j| i == 0 || (i, j) == (1, 3));
        assert_eq!(shown(&ranks), ["1", "2–3", "2–4", "3–4"]);
        assert_eq!(shown(&rank_intervals(3, |_, _| false)), ["1–3", "1–3", "1–3"]);
        assert_eq!(shown(&rank_intervals(1, |_, _| true)), ["1"]);
        assert_eq!(rank_intervals(0, |_, _| true), []);
    }

    #[test]
    fn identical_data_show_nothing_and_a_wrong_number_of_pairs_is_refused() {
        assert_eq!(ranks_of_pairs(&[1.0, 2.0], &[None], 0.05).map(|ranks| shown(&ranks)), Some(vec!["1–2".into(), "1–2".into()]));
        assert_eq!(ranks_of_pairs(&[2.0, 1.0], &[Some(0.05)], 0.05).map(|ranks| shown(&ranks)), Some(vec!["2".into(), "1".into()]));
        assert_eq!(ranks_of_pairs(&[1.0, 2.0], &[], 0.05), None);
        assert_eq!(ranks_of_pairs(&[], &[], 0.05), Some(vec![]));
        assert_eq!(order_by_mean(&[3.0, 1.0, 3.0, 2.0]), [1, 3, 0, 2]);
    }
}
