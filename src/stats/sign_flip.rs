//! The sign-flip test: would a sum this far from 0 arise if every value could as well have had the other sign?

use super::draws::stream;
use rand_chacha::rand_core::Rng;
use serde::Serialize;

/// Up to this many values all signs are tried: a million sums.
const MOST_EXACT: usize = 20;

/// Flips drawn above it.
const DRAWN: u64 = 9999;

/// Sums nearer to each other than this share of Σ|d| are one sum in other digits.
const SAME: f64 = 1e-12;

/// Two-sided sign-flip test of "the mean is 0" (Fisher's randomisation).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SignFlip {
    /// count ÷ total.
    pub p: f64,
    /// Ways to sign the values, the observed one included, whose sum is as far from 0 as the observed or farther.
    pub count: u64,
    /// Ways that were looked at: all 2ⁿ, or 9999 drawn and the observed one.
    pub total: u64,
    /// Whether these were all.
    pub exact: bool,
}

/// The sign-flip test: exact up to 20 values, else from 9999 flips drawn by the seed. `None` without values, and for values that are not
/// finite.
pub fn sign_flip(d: &[f64], seed: u64) -> Option<SignFlip> {
    let whole: f64 = d.iter().map(|value| value.abs()).sum();
    if d.is_empty() || !whole.is_finite() {
        return None;
    }
    let least = d.iter().sum::<f64>().abs() - SAME * whole;
    let (count, total, exact) = if d.len() <= MOST_EXACT {
        (as_far_among_all(d, least), 1 << d.len(), true)
    } else {
        (1 + (0..DRAWN).filter(|flip| least <= flipped_sum(d, seed, *flip).abs()).count() as u64, 1 + DRAWN, false)
    };
    Some(SignFlip { p: count as f64 / total as f64, count, total, exact })
}

/// Sums of both halves, each with the other: no sum is longer than the values, so that no error builds up.
fn as_far_among_all(d: &[f64], least: f64) -> u64 {
    let (front, back) = d.split_at(d.len() / 2);
    let (front, back) = (signed_sums(front), signed_sums(back));
    front.iter().map(|a| back.iter().filter(|b| least <= (a + **b).abs()).count() as u64).sum()
}

fn signed_sums(d: &[f64]) -> Vec<f64> {
    d.iter().fold(vec![0.0], |sums, value| sums.iter().flat_map(|sum| [sum + value, sum - value]).collect())
}

fn flipped_sum(d: &[f64], seed: u64, flip: u64) -> f64 {
    let mut random = stream(seed, "sign flips", flip);
    let signed = |values: &[f64]| {
        let signs = random.next_u64();
        values.iter().enumerate().map(|(at, value)| if signs >> at & 1 == 1 { *value } else { -value }).sum::<f64>()
    };
    d.chunks(64).map(signed).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_that_cancels_but_for_its_last_bits_is_the_nearest_to_zero_there_is() {
        // In binary, 0.1 + 0.2 − 0.3 is 5.6e-17, and other signs come nearer to 0.
        assert_eq!(sign_flip(&[0.1, 0.2, -0.3], 1).map(|found| found.p), Some(1.0));
        assert_eq!(sign_flip(&[0.0; 7], 1).map(|found| (found.count, found.total)), Some((128, 128)));
    }

    #[test]
    fn the_smallest_samples() {
        assert_eq!(sign_flip(&[], 1), None);
        assert_eq!(sign_flip(&[f64::INFINITY], 1), None);
        assert_eq!(sign_flip(&[0.4], 1).map(|found| (found.p, found.exact)), Some((1.0, true)));
    }

    #[test]
    fn drawn_flips_come_near_to_all_flips_and_are_fixed_by_the_seed() {
        let twenty: Vec<f64> = (0..20).map(|i| f64::from(i * 37 % 20) / 10.0 - 0.7).collect();
        let all = sign_flip(&twenty, 1).unwrap();
        // A twenty-first value of 0 changes no sum: half of the flips count twice.
        let drawn = sign_flip(&[twenty, vec![0.0]].concat(), 1).unwrap();
        assert!(all.exact && !drawn.exact && drawn.total == 10_000);
        let error = (all.p * (1.0 - all.p) / 1e4).sqrt();
        assert!((all.p - drawn.p).abs() < 4.0 * error, "{} {}", all.p, drawn.p);
        let long: Vec<f64> = (0..200).map(|i| f64::from(i % 7) - 2.9).collect();
        assert_eq!(sign_flip(&long, 5), sign_flip(&long, 5));
        assert_ne!(sign_flip(&long, 5), sign_flip(&long, 6));
    }
}
