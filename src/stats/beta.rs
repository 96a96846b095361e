//! The beta distribution and what is inverted through it: Student's t and the binomial tails.
//!
//! `statrs` has these too, but its continued fraction ends after 140 terms, which a few tens of thousands of observations outrun, and
//! its logarithm of Γ loses ten digits there. Tests hold the two together where both are good.

use std::f64::consts::PI;

/// The share of the beta distribution with parameters `a`, `b` that lies below `x`: the regularised incomplete beta function.
///
/// By the continued fraction (Numerical Recipes, 6.4), with the power term after Loader (2000). NaN for parameters that are not positive.
pub(super) fn beta_below(x: f64, a: f64, b: f64) -> f64 {
    if !(0.0 < a && 0.0 < b && a.is_finite() && b.is_finite()) || x.is_nan() {
        return f64::NAN;
    }
    if x <= 0.0 || 1.0 <= x {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    let power = power_term(x, a, b);
    // The fraction converges quickly on its own side of the mean.
    if x < (a + 1.0) / (a + b + 2.0) { power * fraction(x, a, b) / a } else { 1.0 - power * fraction(1.0 - x, b, a) / b }
}

/// The point below which a share `p` of the beta distribution lies: Newton's steps, kept inside a bracket by bisection.
///
/// NaN for parameters that are not positive.
pub(super) fn beta_point(p: f64, a: f64, b: f64) -> f64 {
    if p <= 0.0 || 1.0 <= p {
        return if p <= 0.0 { 0.0 } else { 1.0 };
    }
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    let mut x = a / (a + b);
    for _ in 0..400 {
        let too_much = beta_below(x, a, b) - p;
        if too_much.is_nan() {
            return f64::NAN;
        }
        if 0.0 < too_much {
            high = x;
        } else {
            low = x;
        }
        let newton = x - too_much * x * (1.0 - x) / power_term(x, a, b);
        let next = if low < newton && newton < high { newton } else { between(low, high) };
        let done = (next - x).abs() <= 2.0 * f64::EPSILON * x;
        x = next;
        if done {
            break;
        }
    }
    x
}

/// The middle of a bracket: of its orders of magnitude while it spans several, since a small `a` puts points at 1e-50.
fn between(low: f64, high: f64) -> f64 {
    if low < high / 4.0 { low.max(f64::MIN_POSITIVE).sqrt() * high.sqrt() } else { (low + high) / 2.0 }
}

/// The point below which a share `p` of Student's t with `df` degrees of freedom (any positive number) lies.
pub(super) fn student_point(p: f64, df: f64) -> f64 {
    let inside = (2.0 * p - 1.0).abs();
    let z = beta_point(inside, 0.5, df / 2.0);
    // t²/(df + t²), or what is left of it to 1: the smaller of the two has all its digits.
    let odds = if z < 0.5 {
        z / (1.0 - z)
    } else {
        let rest = beta_point(2.0 * p.min(1.0 - p), df / 2.0, 0.5);
        (1.0 - rest) / rest
    };
    (df * odds).sqrt().copysign(p - 0.5)
}

/// P(X ≤ k) of a binomial count of `n` trials.
pub(super) fn binomial_at_most(k: u64, n: u64, p: f64) -> f64 {
    if n <= k { 1.0 } else { beta_below(1.0 - p, (n - k) as f64, k as f64 + 1.0) }
}

/// P(X ≥ k) of a binomial count of `n` trials.
pub(super) fn binomial_at_least(k: u64, n: u64, p: f64) -> f64 {
    match k {
        0 => 1.0,
        k if n < k => 0.0,
        k => beta_below(p, k as f64, (n - k) as f64 + 1.0),
    }
}

/// x^a (1−x)^b / B(a, b), by deviances: no large logarithms are subtracted (Loader, "Fast and accurate computation of binomial
/// probabilities", 2000).
fn power_term(x: f64, a: f64, b: f64) -> f64 {
    let n = a + b;
    let exponent = stirling_error(n) - stirling_error(a) - stirling_error(b) - deviance(a, n * x) - deviance(b, n * (1.0 - x));
    exponent.exp() * (a * b / (2.0 * PI * n)).sqrt()
}

/// ln Γ(z+1) less Stirling's formula: by its series from 15 on, below by the recurrence δ(z) = δ(z+1) + (z + ½) ln(1 + 1/z) − 1.
fn stirling_error(z: f64) -> f64 {
    let (mut z, mut sum) = (z, 0.0);
    while z < 15.0 {
        sum += (z + 0.5) * (1.0 / z).ln_1p() - 1.0;
        z += 1.0;
    }
    let square = z * z;
    sum + (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - 1.0 / 1188.0 / square) / square) / square) / square) / z
}

/// seen · ln(seen/expected) + expected − seen, which is small where the two are close: there by its series.
fn deviance(seen: f64, expected: f64) -> f64 {
    if 0.1 * (seen + expected) <= (seen - expected).abs() {
        return seen * (seen / expected).ln() + expected - seen;
    }
    let v = (seen - expected) / (seen + expected);
    let mut sum = (seen - expected) * v;
    let mut term = 2.0 * seen * v;
    for j in 1..1000 {
        term *= v * v;
        let next = sum + term / f64::from(2 * j + 1);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

/// The continued fraction of the incomplete beta function, by Lentz's method. It needs about √max(a, b) terms.
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    let floor = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / floor(1.0 - (a + b) * x / (a + 1.0));
    let mut sum = d;
    for m in 1..20_000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for step in [even, odd] {
            d = 1.0 / floor(1.0 + step * d);
            c = floor(1.0 + step / c);
            change = d * c;
            sum *= change;
        }
        if (change - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::distribution::{Beta, ContinuousCDF, StudentsT};

    fn close(what: &str, got: f64, expected: f64, relative: f64) {
        assert!((got - expected).abs() <= relative * expected.abs(), "{what}: got {got:e}, expected {expected:e}");
    }

    #[test]
    fn agrees_with_statrs_where_that_is_good() {
        for (a, b) in [(1.0, 20.0), (50.5, 12.25), (0.7, 3.2), (5.0, 1.0), (2.5, 2.5), (11.7, 12.7)] {
            let theirs = Beta::new(a, b).unwrap();
            for p in [0.005, 0.025, 0.5, 0.9, 0.975] {
                close(&format!("beta({a}, {b}) at {p}"), beta_point(p, a, b), theirs.inverse_cdf(p), 1e-11);
                close(&format!("beta({a}, {b}) below {p}"), beta_below(p, a, b), theirs.cdf(p), 1e-11);
            }
        }
        for df in [1.0, 2.0, 2.7, 4.0, 23.0, 71.0, 99.0] {
            for p in [0.025, 0.9, 0.975, 0.9999] {
                close(&format!("t({df}) at {p}"), student_point(p, df), StudentsT::new(0.0, 1.0, df).unwrap().inverse_cdf(p), 1e-11);
            }
        }
    }

    #[test]
    fn points_and_shares_undo_each_other_from_tiny_to_huge_parameters() {
        for a in [0.03, 0.5, 1.0, 17.3, 900.0, 18_000.0, 1e6] {
            for b in [0.4, 1.0, 12.5, 18_001.0] {
                for p in [0.000_5, 0.025, 0.5, 0.975] {
                    let x = beta_point(p, a, b);
                    // Where the point is within a few bits of 1, the share cannot be told more exactly than by those bits.
                    if x < 1.0 - 1e-9 && f64::MIN_POSITIVE < x {
                        close(&format!("beta({a}, {b})"), beta_below(x, a, b), p, 1e-9);
                    }
                }
            }
        }
    }

    #[test]
    fn many_observations_keep_their_digits() {
        // The binomial tail of 36,000 fair coins against the sum of its terms.
        let (n, k) = (36_000_u64, 17_800_u64);
        let mut term = power_term(0.5, k as f64, (n - k) as f64) * n as f64 / (k as f64 * (n - k) as f64);
        let mut sum = 0.0;
        for i in (0..=k).rev() {
            sum += term;
            term *= i as f64 / (n - i + 1) as f64;
        }
        close("tail", binomial_at_most(k, n, 0.5), sum, 1e-10);
        close("other tail", binomial_at_least(n - k, n, 0.5), sum, 1e-10);
    }

    #[test]
    fn the_middle_of_a_symmetric_distribution_is_one_half() {
        for a in [0.5, 1.0, 7.3, 18_000.0, 1e6] {
            close(&format!("beta({a}, {a})"), beta_below(0.5, a, a), 0.5, 1e-11);
        }
    }

    /// Computed with mpmath at 30 digits.
    #[test]
    fn points_that_statrs_misses() {
        close("beta(18000.2, 18001.2)", beta_point(0.025, 18_000.2, 18_001.2), 0.494_821_356_119_104_7, 1e-12);
        close("beta(0.03, 1.03)", beta_point(0.025, 0.03, 1.03), 3.779_776_000_211_5e-54, 1e-12);
        close("t(35999)", student_point(0.975, 35_999.0), 1.960_029_884_971, 1e-12);
        close("t(1000000)", student_point(0.1, 1e6), -1.281_552_412_129_938, 1e-12);
    }

    #[test]
    fn parameters_that_are_none_give_no_number() {
        assert!(beta_point(0.5, 0.0, 1.0).is_nan() && beta_below(0.5, 1.0, f64::NAN).is_nan());
        assert_eq!((binomial_at_most(5, 5, 0.3), binomial_at_least(0, 5, 0.3), binomial_at_least(6, 5, 0.3)), (1.0, 1.0, 0.0));
    }
}
