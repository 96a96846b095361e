//! What every estimate is made of: a confidence, an interval that may be open, and the sample that means are taken of.

use super::Extended;
use serde::Serialize;

/// How sure an interval is to hold the truth: strictly between one half and one.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Confidence(f64);

/// A number that is no confidence.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{0} is no confidence: give a share between 0.5 and 1, such as 0.95")]
pub struct NotAConfidence(pub f64);

impl Confidence {
    /// 95 %, which everything is stated at unless somebody asks otherwise.
    pub const DEFAULT: Confidence = Confidence(0.95);

    /// A confidence, from a share.
    pub fn new(share: f64) -> Result<Confidence, NotAConfidence> {
        if 0.5 < share && share < 1.0 { Ok(Confidence(share)) } else { Err(NotAConfidence(share)) }
    }
    /// The share, 0.95 by default.
    pub const fn share(self) -> f64 {
        self.0
    }
    /// What is left: α = 1 − confidence.
    pub fn alpha(self) -> f64 {
        1.0 - self.0
    }
    /// The upper point of a two-sided interval: 1 − α/2, 0.975 by default.
    pub fn upper(self) -> f64 {
        1.0 - self.alpha() / 2.0
    }
}

/// One end of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// The data do not bound it on this side.
    Open,
    /// The end.
    At(f64),
}

impl Bound {
    /// The end, where there is one.
    pub const fn at(self) -> Option<f64> {
        match self {
            Bound::At(value) => Some(value),
            Bound::Open => None,
        }
    }
    /// The end moved by a function that keeps the order, such as `exp`.
    pub fn map(self, by: impl Fn(f64) -> f64) -> Bound {
        match self {
            Bound::At(value) => Bound::At(by(value)),
            Bound::Open => Bound::Open,
        }
    }
}

/// A confidence interval. Either end may be open.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// The lower end.
    pub low: Bound,
    /// The upper end.
    pub high: Bound,
}

impl Interval {
    /// An interval that is closed on both sides.
    pub const fn closed(low: f64, high: f64) -> Interval {
        Interval { low: Bound::At(low), high: Bound::At(high) }
    }
    /// An interval that says nothing.
    pub const OPEN: Interval = Interval { low: Bound::Open, high: Bound::Open };

    /// Whether a value lies inside; an open end bounds nothing.
    pub fn holds(&self, value: f64) -> bool {
        self.low.at().is_none_or(|low| low <= value) && self.high.at().is_none_or(|high| value <= high)
    }
    /// Both ends moved by an increasing function.
    pub fn map(&self, by: impl Fn(f64) -> f64) -> Interval {
        Interval { low: self.low.map(&by), high: self.high.map(&by) }
    }
    /// The interval of the negated or inverted quantity: both ends moved by a decreasing function, and exchanged.
    pub fn map_decreasing(&self, by: impl Fn(f64) -> f64) -> Interval {
        Interval { low: self.high.map(&by), high: self.low.map(&by) }
    }
    /// Both ends, where both are there.
    pub fn ends(&self) -> Option<(f64, f64)> {
        self.low.at().zip(self.high.at())
    }
}

/// A figure, how sure it is, and what it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The figure.
    pub point: Extended,
    /// Its confidence interval; absent where the data are too few for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// Observations that went into it.
    pub n: usize,
}

/// At least two finite numbers, in the order in which they were observed.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample(Vec<f64>);

/// Numbers that are no [`Sample`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotASample {
    /// Fewer than two.
    #[error("fewer than two values")]
    TooFew,
    /// One is infinite or undefined.
    #[error("a value is not finite")]
    NotFinite,
}

impl Sample {
    /// Takes at least two finite numbers.
    pub fn new(values: Vec<f64>) -> Result<Sample, NotASample> {
        if !values.iter().all(|value| value.is_finite()) {
            return Err(NotASample::NotFinite);
        }
        if values.len() < 2 { Err(NotASample::TooFew) } else { Ok(Sample(values)) }
    }
    /// The numbers.
    pub fn values(&self) -> &[f64] {
        &self.0
    }
    /// How many.
    pub fn n(&self) -> usize {
        self.0.len()
    }
    /// The arithmetic mean.
    pub fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }
    /// The sample's variance, with n − 1 below.
    pub fn variance(&self) -> f64 {
        let mean = self.mean();
        self.0.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (self.0.len() - 1) as f64
    }
    /// The sample's standard deviation, with n − 1 below.
    pub fn sd(&self) -> f64 {
        self.variance().sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_confidence_and_no_sample_is_refused() {
        assert_eq!(Confidence::new(95.0), Err(NotAConfidence(95.0)));
        assert_eq!(Confidence::new(0.9).map(|c| (c.upper() * 1e6).round()), Ok(950_000.0));
        assert_eq!(Sample::new(vec![1.0]), Err(NotASample::TooFew));
        assert_eq!(Sample::new(vec![1.0, f64::NAN]), Err(NotASample::NotFinite));
        let sample = Sample::new(vec![1.0, 2.0, 3.0, 4.0]).unwrap();
        assert_eq!((sample.mean(), sample.variance()), (2.5, 5.0 / 3.0));
    }

    #[test]
    fn an_open_end_bounds_nothing() {
        let at_least = Interval { low: Bound::At(9.1), high: Bound::Open };
        assert!(at_least.holds(1e9) && !at_least.holds(9.0));
        assert_eq!(at_least.map_decreasing(|x| 1.0 / x), Interval { low: Bound::Open, high: Bound::At(1.0 / 9.1) });
        assert_eq!(at_least.ends(), None);
    }
}
