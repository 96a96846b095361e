//! One wave a day through values that have an hour.

use super::no_test::finite;
use super::paired::all_equal;
use super::student::{f_above, t_point};
use super::{Confidence, Extended, Interval, NoTest, mean};
use serde::Serialize;
use std::f64::consts::TAU;

/// y = mesor + a cos(2πh/24) + b sin(2πh/24), by least squares (Nelson et al. 1979).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Cosinor {
    /// The wave's middle.
    pub mesor: f64,
    /// a.
    pub cos: f64,
    /// b.
    pub sin: f64,
    /// √(a² + b²): from the middle to the peak. Of logarithms, exp(2 × amplitude) is the ratio of peak to trough.
    pub amplitude: f64,
    /// Its standard error by the delta method; absent for an amplitude of 0.
    pub amplitude_se: Option<f64>,
    /// The hour of the peak, from 0 to below 24; absent for an amplitude of 0.
    pub peak_hour: Option<f64>,
    /// F of "there is no wave", with 2 and n − 3 degrees of freedom; `Never`, beyond any number, where the wave leaves nothing over.
    pub f: Extended,
    /// n − 3.
    pub df: usize,
    /// p of "there is no wave".
    pub p: f64,
}

impl Cosinor {
    /// Confidence interval of the amplitude: t on its standard error, not below 0. Too wide near an amplitude of 0, where the standard
    /// error means little.
    pub fn amplitude_interval(&self, confidence: Confidence) -> Option<Interval> {
        let reach = t_point(confidence.upper(), self.df as f64) * self.amplitude_se?;
        Some(Interval::closed((self.amplitude - reach).max(0.0), self.amplitude + reach))
    }
}

/// A wave of 24 hours through values and their hours of the day. Needs four values on three different hours.
pub fn cosinor(hours: &[f64], values: &[f64]) -> Result<Cosinor, NoTest> {
    let n = values.len();
    if hours.len() != n {
        return Err(NoTest::Ragged);
    }
    finite(hours.iter().chain(values))?;
    if n < 4 {
        return Err(NoTest::TooFewValues);
    }
    if all_equal(values) {
        return Err(NoTest::AllEqual);
    }
    let angles: Vec<f64> = hours.iter().map(|hour| hour.rem_euclid(24.0) / 24.0 * TAU).collect();
    let (cosines, mean_cos) = centred(angles.iter().map(|angle| angle.cos()).collect());
    let (sines, mean_sin) = centred(angles.iter().map(|angle| angle.sin()).collect());
    let (off, mean_value) = centred(values.to_vec());
    // With the means taken out, the three equations are two.
    let (cc, ss, cs) = (dot(&cosines, &cosines), dot(&sines, &sines), dot(&cosines, &sines));
    let determinant = cc * ss - cs * cs;
    if determinant <= 1e-12 * (cc + ss).powi(2) {
        return Err(NoTest::TooFewHours);
    }
    let (cy, sy) = (dot(&cosines, &off), dot(&sines, &off));
    let (cos, sin) = ((ss * cy - cs * sy) / determinant, (cc * sy - cs * cy) / determinant);
    let fitted: Vec<f64> = cosines.iter().zip(&sines).map(|(c, s)| cos * c + sin * s).collect();
    let left: f64 = off.iter().zip(&fitted).map(|(value, fit)| (value - fit).powi(2)).sum();
    let (df, explained) = (n - 3, dot(&fitted, &fitted));
    let variance = left / df as f64;
    let f = if left <= 1e-26 * dot(&off, &off) { Extended::Never } else { Extended::Finite(explained / 2.0 / variance) };
    let amplitude = cos.hypot(sin);
    let wave = 0.0 < amplitude;
    Ok(Cosinor {
        mesor: mean_value - cos * mean_cos - sin * mean_sin,
        cos,
        sin,
        amplitude,
        amplitude_se: wave.then(|| {
            let (c, s) = (cos / amplitude, sin / amplitude);
            (variance * (c * c * ss - 2.0 * c * s * cs + s * s * cc) / determinant).sqrt()
        }),
        peak_hour: wave.then(|| (sin.atan2(cos) / TAU * 24.0).rem_euclid(24.0) % 24.0),
        f,
        df,
        p: f.finite().map_or(0.0, |f| f_above(f, 2.0, df as f64)),
    })
}

/// The values less their mean, and the mean.
fn centred(values: Vec<f64>) -> (Vec<f64>, f64) {
    let middle = mean(&values).unwrap_or(0.0);
    (values.into_iter().map(|value| value - middle).collect(), middle)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Peak at 15:00, 0.3 above the middle.
    fn wave(hour: f64) -> f64 {
        1.0 + 0.3 * ((hour - 15.0) / 24.0 * TAU).cos()
    }

    #[test]
    fn a_pure_wave_is_found_whole() {
        let hours: Vec<f64> = (0..24).map(f64::from).collect();
        let found = cosinor(&hours, &hours.iter().map(|hour| wave(*hour)).collect::<Vec<_>>()).unwrap();
        assert!((found.amplitude - 0.3).abs() < 1e-12 && (found.peak_hour.unwrap() - 15.0).abs() < 1e-9);
        assert_eq!((found.f, found.p), (Extended::Never, 0.0));
    }

    #[test]
    fn a_day_later_is_the_same_hour() {
        let (hours, values) = ([1.0, 5.0, 9.0, 16.0, 22.0], [0.2, 0.1, 0.5, 0.9, 0.4]);
        let (here, later) = (cosinor(&hours, &values).unwrap(), cosinor(&hours.map(|hour| hour + 48.0), &values).unwrap());
        assert!((here.amplitude - later.amplitude).abs() < 1e-12 && (here.p - later.p).abs() < 1e-12);
        let interval = here.amplitude_interval(Confidence::DEFAULT).unwrap();
        assert!(interval.holds(here.amplitude) && 0.0 <= interval.low.at().unwrap());
    }

    #[test]
    fn hours_that_cannot_carry_a_wave_are_refused() {
        let values = [0.2, 0.1, 0.5, 0.9];
        assert_eq!(cosinor(&[0.0, 12.0, 0.0, 12.0], &values), Err(NoTest::TooFewHours));
        assert_eq!(cosinor(&[7.0, 7.0, 19.0, 31.0], &values), Err(NoTest::TooFewHours));
        assert_eq!(cosinor(&[3.0; 4], &values), Err(NoTest::TooFewHours));
        assert_eq!(cosinor(&[0.0, 8.0, 16.0], &values[..3]), Err(NoTest::TooFewValues));
        assert_eq!(cosinor(&[0.0, 8.0], &values), Err(NoTest::Ragged));
        assert_eq!(cosinor(&[0.0, 6.0, 12.0, 18.0], &[0.7; 4]), Err(NoTest::AllEqual));
    }
}
