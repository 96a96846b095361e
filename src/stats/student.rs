//! Student's t, Fisher's F, χ² and the normal distribution, as the tests of this room ask for them. Far tails are taken from the survival
//! function: 1 − cdf has no digits left there.

use statrs::distribution::{ChiSquared, ContinuousCDF, FisherSnedecor, Normal, StudentsT};

/// The point below which a share p of Student's t lies. Degrees of freedom that are no positive number know nothing: infinite.
pub(super) fn t_point(p: f64, df: f64) -> f64 {
    StudentsT::new(0.0, 1.0, df).map_or(f64::INFINITY, |t| t.inverse_cdf(p))
}

/// The share of Student's t that lies above a value.
pub(super) fn t_above(t: f64, df: f64) -> f64 {
    StudentsT::new(0.0, 1.0, df).map_or(1.0, |student| student.sf(t))
}

/// The share of Student's t that lies farther from zero than a value, on either side.
pub(super) fn t_beyond(t: f64, df: f64) -> f64 {
    (2.0 * t_above(t.abs(), df)).min(1.0)
}

/// The share of Fisher's F that lies above a value.
pub(super) fn f_above(f: f64, df1: f64, df2: f64) -> f64 {
    FisherSnedecor::new(df1, df2).map_or(1.0, |fisher| fisher.sf(f))
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
        // R: 2 * pt(-40, 23), pf(900, 3, 40, lower = FALSE), pchisq(400, 3, lower = FALSE), 2 * pnorm(-20), known to seven digits.
        assert!(0.0 < t_beyond(40.0, 23.0) && t_beyond(40.0, 23.0) < 1e-21);
        assert!(0.0 < f_above(900.0, 3.0, 40.0) && f_above(900.0, 3.0, 40.0) < 1e-30);
        assert!(0.0 < chi2_above(400.0, 3.0) && chi2_above(400.0, 3.0) < 1e-80);
        assert!(0.0 < normal_beyond(20.0) && normal_beyond(20.0) < 1e-88);
    }

    #[test]
    fn impossible_degrees_of_freedom_know_nothing() {
        assert_eq!((t_point(0.975, 0.0), t_above(3.0, f64::NAN)), (f64::INFINITY, 1.0));
    }
}
