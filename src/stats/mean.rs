//! Middles of samples. All give `None` for no values.

use super::{Extended, quantile_type7};

/// The arithmetic mean.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The geometric mean of positive values; `None` too when a value is not positive.
pub fn geometric_mean(values: &[f64]) -> Option<f64> {
    let logs: Vec<f64> = values.iter().filter(|value| 0.0 < **value).map(|value| value.ln()).collect();
    if logs.len() < values.len() {
        return None;
    }
    mean(&logs).map(f64::exp)
}

/// The harmonic mean of positive values; `None` too when a value is not positive.
pub fn harmonic_mean(values: &[f64]) -> Option<f64> {
    let inverse: Vec<f64> = values.iter().filter(|value| 0.0 < **value).map(|value| 1.0 / value).collect();
    if inverse.len() < values.len() {
        return None;
    }
    mean(&inverse).map(|mean| 1.0 / mean)
}

/// The median: the mean of the two middle values of an even number.
pub fn median(values: &[f64]) -> Option<f64> {
    let values: Vec<Extended> = values.iter().map(|value| Extended::Finite(*value)).collect();
    quantile_type7(&values, 0.5)?.finite()
}

/// Sum of the numerators over the sum of the denominators; `None` too when that sum is not positive.
pub fn ratio_of_sums(pairs: &[(f64, f64)]) -> Option<f64> {
    let (above, below) = pairs.iter().fold((0.0, 0.0), |(above, below), (a, b)| (above + a, below + b));
    (0.0 < below).then(|| above / below)
}
