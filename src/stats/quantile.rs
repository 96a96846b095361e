//! Quantiles of samples that may hold infinite values.

use serde::Serialize;
use std::cmp::Ordering;

/// A number, or more than any number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Extended {
    /// A number.
    Finite(f64),
    /// Plus infinity: sorts after every number.
    Never,
}

impl Extended {
    /// The number, where it is one.
    pub const fn finite(self) -> Option<f64> {
        match self {
            Extended::Finite(value) => Some(value),
            Extended::Never => None,
        }
    }

    fn order(&self, other: &Extended) -> Ordering {
        match (self, other) {
            (Extended::Finite(a), Extended::Finite(b)) => a.total_cmp(b),
            (Extended::Finite(_), Extended::Never) => Ordering::Less,
            (Extended::Never, Extended::Finite(_)) => Ordering::Greater,
            (Extended::Never, Extended::Never) => Ordering::Equal,
        }
    }
}

/// The smallest value x with F(x) ≥ p: Hyndman and Fan's type 1, the inverse of the empirical distribution. `None` for no values.
pub fn quantile_type1(values: &[Extended], p: f64) -> Option<Extended> {
    let sorted = sorted(values);
    sorted.get(quantile_rank(sorted.len(), p).checked_sub(1)?).copied()
}

/// ⌈np⌉, from 1 to n: the rank of the type-1 quantile. 0.95 × 20 is the 19th value, whatever the last bit of the product says.
pub(super) fn quantile_rank(n: usize, p: f64) -> usize {
    ((n as f64 * p - 1e-9).ceil().max(1.0) as usize).min(n)
}

/// Linear between the order statistics around (n − 1)·p: Hyndman and Fan's type 7. An infinite neighbour of any weight makes the
/// quantile infinite. `None` for no values.
pub fn quantile_type7(values: &[Extended], p: f64) -> Option<Extended> {
    let sorted = sorted(values);
    let h = sorted.len().checked_sub(1)? as f64 * p;
    let (below, weight) = (h.floor() as usize, h - h.floor());
    let low = sorted.get(below).copied()?;
    if weight <= 0.0 {
        return Some(low);
    }
    match (low, sorted.get(below + 1).copied()?) {
        (Extended::Finite(a), Extended::Finite(b)) => Some(Extended::Finite(a + weight * (b - a))),
        _ => Some(Extended::Never),
    }
}

fn sorted(values: &[Extended]) -> Vec<Extended> {
    let mut sorted = values.to_vec();
    sorted.sort_by(Extended::order);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_that_misses_a_whole_number_by_a_bit_still_finds_its_rank() {
        for n in 1..400usize {
            let values: Vec<Extended> = (1..=n).map(|i| Extended::Finite(i as f64)).collect();
            assert_eq!(quantile_type1(&values, 0.95), Some(Extended::Finite((n * 95).div_ceil(100) as f64)), "n = {n}");
        }
    }

    #[test]
    fn more_than_half_infinite_makes_the_middle_infinite() {
        use Extended::{Finite, Never};
        assert_eq!(quantile_type1(&[Never, Finite(1.0), Never], 0.5), Some(Never));
        assert_eq!(quantile_type1(&[Never, Finite(1.0)], 0.5), Some(Finite(1.0)));
        assert_eq!(quantile_type1(&[], 0.5), None);
    }
}
