//! Ranks, where values that are equal share the mean of theirs.

/// The rank of each value, from 1; equal values get the mean of the ranks that they take up together. −0 and 0 are equal.
pub(super) fn mid_ranks(values: &[f64]) -> Ranks {
    let mut order: Vec<usize> = (0..values.len()).collect();
    // Adding 0 turns −0 into 0, which total_cmp would set apart.
    order.sort_by(|a, b| (values[*a] + 0.0).total_cmp(&(values[*b] + 0.0)));
    let mut ranks = vec![0.0; values.len()];
    let mut ties = 0.0;
    let mut before = 0;
    for equal in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let size = equal.len();
        let rank = before as f64 + (size + 1) as f64 / 2.0;
        for at in equal {
            ranks[*at] = rank;
        }
        ties += cubed_less_itself(size);
        before += size;
    }
    Ranks { ranks, ties }
}

/// Mid-ranks, and how much is tied.
pub(super) struct Ranks {
    /// The ranks, in the order of the values.
    pub ranks: Vec<f64>,
    /// Σ (t³ − t) over groups of t equal values; 0 without ties.
    pub ties: f64,
}

/// t³ − t.
pub(super) fn cubed_less_itself(t: usize) -> f64 {
    let t = t as f64;
    t * t * t - t
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_a_rank() {
        let found = mid_ranks(&[3.0, 1.0, 3.0, -0.0, 0.0, 3.0]);
        assert_eq!(found.ranks, [5.0, 3.0, 5.0, 1.5, 1.5, 5.0]);
        assert_eq!(found.ties, 24.0 + 6.0);
        assert_eq!((mid_ranks(&[]).ranks, mid_ranks(&[]).ties), (vec![], 0.0));
    }
}
