//! Statistics, without a word of what is measured. Each procedure is held to vectors computed elsewhere (`tests/vectors`).

mod interval;
mod mean;
mod quantile;

pub use interval::{Bound, Confidence, Estimate, Interval, NotAConfidence, NotASample, Sample};
pub use mean::{geometric_mean, harmonic_mean, mean, median, ratio_of_sums};
pub use quantile::{Extended, quantile_type1, quantile_type7};
