//! Statistics, without a word of what is measured. Each procedure is held to vectors computed elsewhere (`tests/vectors`).

mod brown_forsythe;
mod cosinor;
mod draws;
mod friedman;
mod interval;
mod kruskal_wallis;
mod mean;
mod no_test;
mod paired;
mod quantile;
mod ranks;
mod shuffle;
mod sign_flip;
mod signed_rank;
mod student;
mod variance;
mod welch;

pub use brown_forsythe::{BrownForsythe, brown_forsythe};
pub use cosinor::{Cosinor, cosinor};
pub use friedman::{Friedman, friedman};
pub use interval::{Bound, Confidence, Estimate, Interval, NotAConfidence, NotASample, Sample};
pub use kruskal_wallis::{KruskalWallis, kruskal_wallis};
pub use mean::{geometric_mean, harmonic_mean, mean, median, ratio_of_sums};
pub use no_test::NoTest;
pub use paired::{
    EffectiveN, Paired, Tost, block_score, clusters_needed, effective_n, paired, plain_paired, tost, tost_reduced, visible_difference,
    win_share,
};
pub use quantile::{Extended, quantile_type1, quantile_type7};
pub use shuffle::{Chance, chance, range_of_bins};
pub use sign_flip::{SignFlip, sign_flip};
pub use signed_rank::{HodgesLehmann, SignedRank, hodges_lehmann, signed_rank};
pub use variance::{Parts, VarianceComponents, variance_components};
pub use welch::{Welch, welch};
