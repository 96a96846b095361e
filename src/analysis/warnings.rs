//! What casts doubt on a table or a part of it.

use super::joined::{Joined, VoidReason};
use super::samples::Samples;
use crate::metric::{Flag, Outcome};

/// Above this share of replies that hit a limit or the cap, the figures describe our limits.
const OFTEN_LIMITED: f64 = 0.05;
/// Lag of the measuring runtime above which a table carries a warning, µs.
const LAG_US: f64 = 20_000.0;

/// The doubts, one sentence each.
pub(super) fn warnings(joined: &Joined<'_>, targets: &[Samples<'_>]) -> Vec<String> {
    let mut warnings = Vec::new();
    for samples in targets {
        let limited =
            samples.count(|outcome, flags| flags.has(Flag::LengthCapped) || matches!(outcome, Outcome::Timeout | Outcome::Stalled));
        if OFTEN_LIMITED * (samples.sent() as f64) < limited as f64 {
            let (id, sent) = (&samples.target.id, samples.sent());
            warnings.push(format!(
                "{id}: {limited} of {sent} replies hit a limit of time or the cap on tokens, so its figures describe our limits"
            ));
        }
    }
    let lags = joined.runs.iter().flat_map(|run| &run.rounds).filter_map(|round| round.lag.as_ref());
    let worst = lags.map(|lag| lag.runtime_p99_us).fold(0.0, f64::max);
    if LAG_US < worst {
        warnings.push(format!(
            "this client's own lag reached {:.0} ms (p99 of a round): intervals widen, and user times are late",
            worst / 1e3
        ));
    }
    let steps: u32 = joined.runs.iter().flat_map(|run| &run.rounds).filter_map(|round| round.lag.as_ref()).map(|lag| lag.clock_steps).sum();
    if 0 < steps {
        warnings.push("the wall clock was stepped during the run: marks of those moments fall back to user time".to_owned());
    }
    for reason in [VoidReason::Interrupted, VoidReason::Vantage, VoidReason::ClientBehind] {
        let blocks: Vec<String> =
            joined.voids.iter().filter(|void| void.reason == reason).map(|void| format!("{}/{}", void.round, void.block)).collect();
        if !blocks.is_empty() {
            let listed = if blocks.len() <= 8 { blocks.join(" ") } else { format!("{} …", blocks[..8].join(" ")) };
            let (n, word) = (blocks.len(), if blocks.len() == 1 { "block" } else { "blocks" });
            warnings.push(format!("void for all targets, {}: {n} {word} (round/block {listed})", reason.words()));
        }
    }
    let torn: u32 = joined.runs.iter().map(|run| run.torn).sum();
    if 0 < torn {
        let (lines, are) = if torn == 1 { ("line", "is") } else { ("lines", "are") };
        warnings.push(format!("{torn} {lines} of the records could not be read and {are} set aside"));
    }
    warnings
}
