//! Statistics, without a word of what is measured. Each procedure is held to vectors computed elsewhere (`tests/vectors`).

mod interval;
mod mean;
mod paired;
mod quantile;
mod student;

pub use interval::{Bound, Confidence, Estimate, Interval, NotAConfidence, NotASample, Sample};
pub use mean::{geometric_mean, harmonic_mean, mean, median, ratio_of_sums};
pub use paired::{
    EffectiveN, Paired, Tost, block_score, clusters_needed, effective_n, paired, plain_paired, tost, tost_reduced, visible_difference,
    win_share,
};
pub use quantile::{Extended, quantile_type1, quantile_type7};
