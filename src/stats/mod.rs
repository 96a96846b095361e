//! Statistics, without a word of what is measured. Each procedure is held to vectors computed elsewhere (`tests/vectors`).

mod adjust;
mod beta;
mod bootstrap;
mod brown_forsythe;
mod cluster_quantile;
mod clustered;
mod cosinor;
mod draws;
mod friedman;
mod hinge;
mod interval;
mod kruskal_wallis;
mod mean;
mod mid_ranks;
mod no_test;
mod order_statistic;
mod paired;
mod proportion;
mod quantile;
mod rank;
mod resample;
mod shuffle;
mod sign_flip;
mod signed_rank;
mod student;
mod variance;
mod welch;

pub use adjust::{benjamini_hochberg, bonferroni, holm};
pub use bootstrap::{expanded_alpha, expanded_percentile, expanded_widened, percentile_interval, widen, widening_factor};
pub use brown_forsythe::{BrownForsythe, brown_forsythe};
pub use cluster_quantile::{ClusteredQuantile, clustered_quantile, clustered_quantile_of};
pub use clustered::Clustered;
pub use cosinor::{Cosinor, cosinor};
pub use friedman::{Friedman, friedman};
pub use hinge::{Hinge, hinge};
pub use interval::{Bound, Confidence, Estimate, Interval, NotAConfidence, NotASample, Sample};
pub use kruskal_wallis::{KruskalWallis, kruskal_wallis};
pub use mean::{geometric_mean, harmonic_mean, mean, median, ratio_of_sums};
pub use no_test::NoTest;
pub use order_statistic::{
    OrderStatisticInterval, order_statistic_interval, smallest_n_for_quantile_bound, smallest_n_for_quantile_interval,
};
pub use paired::{
    EffectiveN, Paired, Tost, block_score, clusters_needed, effective_n, paired, plain_paired, tost, tost_reduced, visible_difference,
    win_share,
};
pub use proportion::{
    ClusteredShare, ShareDifference, clopper_pearson, clustered_share, mcnemar_exact, newcombe, newcombe_of, wilson, wilson_at,
};
use quantile::quantile_rank;
pub use quantile::{Extended, quantile_type1, quantile_type7};
pub use rank::{RankInterval, order_by_mean, pairs, rank_intervals, ranks_of_pairs};
pub use resample::{ResampledQuantiles, log_ratio, quantile_under_counts, resampled_quantiles, resampled_quantiles_on};
pub use shuffle::{Chance, chance, range_of_bins};
pub use sign_flip::{SignFlip, sign_flip};
pub use signed_rank::{HodgesLehmann, SignedRank, hodges_lehmann, signed_rank};
pub use variance::{Parts, VarianceComponents, variance_components};
pub use welch::{Welch, welch};
