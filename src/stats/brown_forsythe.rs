//! Do independent groups differ in how widely they spread?

use super::no_test::groups_held;
use super::student::f_above;
use super::{NoTest, mean, median};
use serde::Serialize;

/// Brown and Forsythe's test (1974): Levene's, with distances from the groups' medians.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BrownForsythe {
    /// One-way F of the distances.
    pub f: f64,
    /// Groups that hold values, less one.
    pub df1: usize,
    /// Values less groups.
    pub df2: usize,
    /// p of "the groups spread alike".
    pub p: f64,
}

/// Brown and Forsythe's test; groups without values do not count. Refuses where the distances do not vary inside any group, as they
/// never do in groups of two.
pub fn brown_forsythe(groups: &[Vec<f64>]) -> Result<BrownForsythe, NoTest> {
    let held = groups_held(groups)?;
    let distances: Vec<Vec<f64>> = held.iter().filter_map(|group| distances(group)).collect();
    let (n, k) = (distances.iter().map(Vec::len).sum::<usize>(), distances.len());
    let grand = mean(&distances.concat()).ok_or(NoTest::TooFewValues)?;
    if n <= k {
        return Err(NoTest::TooFewValues);
    }
    let (mut between, mut inside, mut farthest) = (0.0, 0.0, 0.0_f64);
    for group in &distances {
        let middle = mean(group).ok_or(NoTest::TooFewValues)?;
        between += group.len() as f64 * (middle - grand).powi(2);
        inside += group.iter().map(|distance| (distance - middle).powi(2)).sum::<f64>();
        farthest = group.iter().fold(farthest, |farthest, distance| farthest.max((distance - middle).abs()));
    }
    // Distances of two values from their middle differ in their last bits.
    let scale = held.iter().copied().flatten().fold(0.0_f64, |scale, value| scale.max(value.abs()));
    if farthest <= 1e-13 * scale {
        return Err(NoTest::NoSpreadInside);
    }
    let (df1, df2) = (k - 1, n - k);
    let f = (between / df1 as f64) / (inside / df2 as f64);
    Ok(BrownForsythe { f, df1, df2, p: f_above(f, df1 as f64, df2 as f64) })
}

fn distances(group: &[f64]) -> Option<Vec<f64>> {
    let middle = median(group)?;
    Some(group.iter().map(|value| (value - middle).abs()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_two_say_nothing_of_spread() {
        assert_eq!(brown_forsythe(&[vec![1.1, 1.3], vec![0.2, 9.7]]), Err(NoTest::NoSpreadInside));
        assert_eq!(brown_forsythe(&[vec![1.0; 3], vec![1.0; 4]]), Err(NoTest::NoSpreadInside));
        assert_eq!(brown_forsythe(&[vec![1.0], vec![2.0]]), Err(NoTest::TooFewValues));
        assert_eq!(brown_forsythe(&[vec![1.0, 3.0, 7.0], vec![]]), Err(NoTest::TooFewGroups));
    }

    #[test]
    fn groups_without_values_do_not_count_and_single_ones_do() {
        let found = brown_forsythe(&[vec![1.0, 2.0, 4.0], vec![], vec![5.0]]).unwrap();
        assert_eq!((found.df1, found.df2), (1, 2));
    }
}
