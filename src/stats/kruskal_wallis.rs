//! Do independent groups differ in where they lie?

use super::NoTest;
use super::mid_ranks::{cubed_less_itself, mid_ranks};
use super::no_test::groups_held;
use super::student::chi2_above;
use serde::Serialize;

/// Kruskal and Wallis's test (1952).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct KruskalWallis {
    /// H, corrected for ties.
    pub h: f64,
    /// Groups that hold values, less one.
    pub df: usize,
    /// p of "the groups do not differ", from χ².
    pub p: f64,
    /// Effect size (H − k + 1)/(n − k): 0 for none, 1 for all; below 0 by chance. Absent where every group is a single value.
    pub effect: Option<f64>,
}

/// Kruskal and Wallis's test; groups without values do not count.
pub fn kruskal_wallis(groups: &[Vec<f64>]) -> Result<KruskalWallis, NoTest> {
    let held = groups_held(groups)?;
    let all = mid_ranks(&held.concat());
    let (n, k) = (all.ranks.len(), held.len());
    let untied = 1.0 - all.ties / cubed_less_itself(n);
    if untied <= 0.0 {
        return Err(NoTest::AllEqual);
    }
    let (mut between, mut before) = (0.0, 0);
    for group in held {
        let ranks = &all.ranks[before..before + group.len()];
        let off: f64 = ranks.iter().map(|rank| rank - (n + 1) as f64 / 2.0).sum();
        between += off * off / group.len() as f64;
        before += group.len();
    }
    let h = 12.0 * between / (n * (n + 1)) as f64 / untied;
    let effect = (k < n).then(|| (h - (k - 1) as f64) / (n - k) as f64);
    Ok(KruskalWallis { h, df: k - 1, p: chi2_above(h, (k - 1) as f64), effect })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_without_values_do_not_count() {
        let two = [vec![1.0, 2.0, 5.0], vec![3.0, 4.0]];
        let with_none = [two[0].clone(), vec![], two[1].clone()];
        assert_eq!(kruskal_wallis(&with_none), kruskal_wallis(&two));
    }

    #[test]
    fn single_values_have_no_effect_size_and_equal_ones_no_test() {
        assert_eq!(kruskal_wallis(&[vec![1.0], vec![2.0], vec![3.0]]).unwrap().effect, None);
        assert_eq!(kruskal_wallis(&[vec![1.0, 1.0], vec![1.0]]), Err(NoTest::AllEqual));
        assert_eq!(kruskal_wallis(&[vec![1.0, 2.0], vec![]]), Err(NoTest::TooFewGroups));
        assert_eq!(kruskal_wallis(&[vec![1.0, 2.0], vec![f64::INFINITY]]), Err(NoTest::NotFinite));
    }
}
