//! Ratios of medians and of 95th percentiles: rounds are drawn anew, the same for both targets.

use super::compare::{Comparing, WhyNot, blocks};
use super::pairs::Pair;
use super::panel::{Entry, Panel};
use super::verdict::Side;
use crate::stats::{
    Clustered, Estimate, Extended, Interval, effective_n, expanded_percentile, log_ratio, quantile_under_counts, resampled_quantiles,
    widen, widening_factor,
};

/// Resamples of rounds. With five rounds the expanded interval's ends lie at a share of 0.00095.
pub const RESAMPLES: usize = 9999;
/// A ratio of quantiles takes so many rounds.
const ROUNDS: usize = 5;
/// The quantiles, and the values of each target that they take.
const QUANTILES: [(f64, usize); 2] = [(0.5, 5), (0.95, 20)];

/// A ratio of quantiles.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct QuantileRatio {
    /// With its expanded-percentile interval, widened for the dependence of rounds.
    pub(super) widened: Estimate,
    /// With the interval as it was before.
    pub(super) expanded: Estimate,
}

/// Ratios of quantiles, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct QuantileRatios {
    pub(super) p50: Result<QuantileRatio, WhyNot>,
    pub(super) p95: Result<QuantileRatio, WhyNot>,
}

impl QuantileRatios {
    pub(super) const fn none(why: WhyNot) -> QuantileRatios {
        QuantileRatios { p50: Err(why), p95: Err(why) }
    }
}

/// Ratios of quantiles of a pair, first over second. Times: over all requests sent, a failure never arriving. Rates: over good replies, as
/// the medians that tables show.
pub(super) fn quantile_ratios(panel: &Panel, pair: &Pair, how: &Comparing) -> QuantileRatios {
    if !panel.has_blocks() {
        return QuantileRatios::none(WhyNot::OnlyRounds);
    }
    let rounds = pair.rounds.len();
    if rounds < ROUNDS {
        return QuantileRatios::none(WhyNot::FewRounds { rounds, needs: ROUNDS });
    }
    let (mut firsts, mut seconds) = (Vec::new(), Vec::new());
    for (at, first, second) in blocks(panel, pair) {
        for (values, entry) in [(&mut firsts, first), (&mut seconds, second)] {
            match entry {
                Entry::Good(time) => values.push((at, Extended::Finite(time))),
                Entry::Failed { .. } if !panel.quantity.is_rate() => values.push((at, Extended::Never)),
                _ => {}
            }
        }
    }
    let fewer = firsts.len().min(seconds.len());
    let groups = [Clustered::from_pairs(seconds, rounds), Clustered::from_pairs(firsts, rounds)];
    let seed = seed_for(how.seed, "ratios of quantiles");
    let drawn = resampled_quantiles(&groups, &QUANTILES.map(|(p, _)| p), how.resamples, seed);
    let of = |which: usize| {
        let (p, needs) = QUANTILES[which];
        if fewer < needs {
            return Err(WhyNot::FewRequests { n: fewer, needs });
        }
        let once = vec![1; rounds];
        let point = |group: usize| quantile_under_counts(&groups[group], p, &once);
        match (point(1), point(0)) {
            (Some(Extended::Never), _) => return Err(WhyNot::Never { who: Side::First }),
            (_, Some(Extended::Never)) => return Err(WhyNot::Never { who: Side::Second }),
            _ => {}
        }
        let log = log_ratio(point(0), point(1));
        let logs = drawn.as_ref().map(|drawn| drawn.log_ratios(0, 1, which)).unwrap_or_default();
        Ok(with_intervals(log, &logs, pair, how))
    };
    QuantileRatios { p50: of(0), p95: of(1) }
}

fn with_intervals(log: f64, drawn: &[f64], pair: &Pair, how: &Comparing) -> QuantileRatio {
    let (n, confidence) = (pair.rounds.len(), how.judging.confidence);
    let estimate = |interval: Option<Interval>| Estimate {
        point: Extended::Finite(log.exp()),
        interval: interval.map(|interval| interval.map(f64::exp)),
        n,
    };
    let expanded = expanded_percentile(drawn, n, confidence);
    let n_eff = crate::stats::Sample::new(pair.logs.clone()).map(|sample| effective_n(&sample).n_eff);
    let factor = n_eff.ok().and_then(|n_eff| widening_factor(n, n_eff, confidence));
    let widened = expanded.zip(factor).map(|(interval, factor)| widen(interval, log, factor));
    QuantileRatio { widened: estimate(widened), expanded: estimate(expanded) }
}

/// A seed for one purpose, so that no two purposes share their draws (FNV-1a over the purpose, then the seed).
pub(super) fn seed_for(seed: u64, purpose: &str) -> u64 {
    let bytes = purpose.bytes().chain(seed.to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
