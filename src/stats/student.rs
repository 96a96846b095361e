//! Student's t, Fisher's F, χ² and the normal distribution, as the tests of this room ask for them. Far tails are taken from the survival
//! function: 1 − cdf has no digits left there.

use super::beta::{beta_below, student_point};
use statrs::distribution::{ChiSquared, ContinuousCDF, Normal};

/// The point below which a share p of Student's t lies. Degrees of freedom that are no positive number know nothing: infinite.
pub(super) fn t_point(p: f64, df: f64) -> f64 {
    if 0.0 < df { student_point(p, df) } else { f64::INFINITY }
}

/// The share of Student's t that lies above a value.
pub(super) fn t_above(t: f64, df: f64) -> f64 {
    let half = t_beyond(t, df) / 2.0;
    if t < 0.0 { 1.0 - half } else { half }
}

/// The share of Student's t that lies farther from zero than a value, on either side; all of it for impossible degrees of freedom.
pub(super) fn t_beyond(t: f64, df: f64) -> f64 {
    let squared = t * t;
    // df/(df + t²) has no digits left of a small t: there the complement is taken.
    let share = if squared < 1.0 {
        1.0 - beta_below(squared / (df + squared), 0.5, df / 2.0)
    } else {
        beta_below(df / (df + squared), df / 2.0, 0.5)
    };
    known(share)
}

/// The share of Fisher's F that lies above a value; all of it for impossible degrees of freedom.
pub(super) fn f_above(f: f64, df1: f64, df2: f64) -> f64 {
    known(beta_below(df2 / (df1 * f.max(0.0) + df2), df2 / 2.0, df1 / 2.0))
}

fn known(share: f64) -> f64 {
    if share.is_nan() { 1.0 } else { share }
}

/// The share of χ² that lies above a value.
pub(super) fn chi2_above(chi2: f64, df: f64) -> f64 {
    ChiSquared::new(df).map_or(1.0, |distribution| distribution.sf(chi2))
}

/// The share of the standard normal distribution that lies farther from zero than a value, on either side.
pub(super) fn normal_beyond(z: f64) -> f64 {
    (2.0 * Normal::standard().sf(z.abs())).min(1.0)
}

/// The point below which a share p of the standard normal distribution lies.
pub(super) fn normal_point(p: f64) -> f64 {
    Normal::standard().inverse_cdf(p)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_tails_keep_their_digits() {
        assert!(0.0 < t_beyond(40.0, 23.0) && t_beyond(40.0, 23.0) < 1e-21);
        assert!(0.0 < f_above(900.0, 3.0, 40.0) && f_above(900.0, 3.0, 40.0) < 1e-30);
        assert!(0.0 < chi2_above(400.0, 3.0) && chi2_above(400.0, 3.0) < 1e-80);
        assert!(0.0 < normal_beyond(20.0) && normal_beyond(20.0) < 1e-88);
    }

    #[test]
    fn a_small_t_keeps_its_digits() {
        // The density of t at 0 with one degree of freedom is 1/π.
        let missing = 1.0 - t_beyond(1e-8, 1.0);
        assert!((missing / 1e-8 - 2.0 / std::f64::consts::PI).abs() < 1e-6);
        assert_eq!((t_above(0.0, 7.5), t_beyond(0.0, 7.5)), (0.5, 1.0));
    }

    #[test]
    fn impossible_degrees_of_freedom_know_nothing() {
        assert_eq!((t_point(0.975, 0.0), t_beyond(3.0, f64::NAN), t_beyond(3.0, 0.0)), (f64::INFINITY, 1.0, 1.0));
    }
}
