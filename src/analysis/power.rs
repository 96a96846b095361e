//! How many rounds it takes to see a difference, from what the rounds so far have shown of their spread.

use super::bar::{Bar, bars};
use super::gate::Bottleneck;
use super::league::visible;
use super::pairs::{Pair, judged};
use super::panel::Panel;
use super::quantity::Quantity;
use super::verdict::{Judging, ROUNDS_FOR_INTERVALS};
use crate::ident::TargetId;
use crate::stats::{clusters_needed, median};
use serde::Serialize;

/// What a plan needs so that a difference of some size would be seen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Power {
    /// In which quantity.
    #[serde(skip)]
    pub quantity: Quantity,
    /// The ratio that is to be seen, above 1.
    pub ratio: f64,
    /// A row a pair.
    pub pairs: Vec<PairPower>,
    /// Seconds from one round to the next.
    pub every_s: Option<f64>,
    /// Whether that is the plan's; else it is the middle of what was.
    pub every_is_planned: bool,
    /// Targets that have nothing to be compared, and whether they are simulated.
    pub left_out: Vec<(TargetId, bool)>,
    /// This client was the bottleneck in too many rounds: their spread is its own, and no number of rounds is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<Bottleneck>,
}

/// What one pair needs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairPower {
    /// The first target.
    pub first: TargetId,
    /// The second target.
    pub second: TargetId,
    /// Both are simulated.
    pub simulated: bool,
    /// Rounds that both have.
    pub rounds: usize,
    /// Standard deviation over rounds of the log ratio; absent below three rounds.
    pub sd: Option<f64>,
    /// Corrected autocorrelation of the rounds.
    pub r1_corrected: Option<f64>,
    /// R/n_eff: so many rounds are worth one independent one.
    pub dependence: Option<f64>,
    /// The smallest ratio that could be seen now, above 1.
    pub visible: Option<f64>,
    /// Rounds needed in all for the ratio, the dependence included.
    pub needed: Option<f64>,
    /// Rounds needed besides those that are there.
    pub more: Option<u64>,
    /// How long these take at the pace of the rounds, s.
    pub takes_s: Option<f64>,
}

/// Rounds needed: 2 + 7.85 s²/ln(ratio)² for 80 % power at 5 % (method.md §2), s² made larger by R/n_eff where rounds depend on each
/// other. All pairs, or all against one. `planned_every_s` is the plan's; 0 is one round after another.
pub fn power(panel: &Panel, ratio: f64, baseline: Option<usize>, planned_every_s: u64, judging: &Judging) -> Power {
    let nothing = |target: &usize| {
        let bars = bars(panel, *target, judging.confidence, None);
        bars.iter().any(Bar::leaves_nothing)
    };
    let (left_out, kept): (Vec<usize>, Vec<usize>) = (0..panel.targets.len()).partition(nothing);
    let asked: Vec<(usize, usize)> = match baseline {
        Some(baseline) => kept.iter().filter(|target| **target != baseline).map(|target| (*target, baseline)).collect(),
        None => crate::stats::pairs(kept.len()).map(|(i, j)| (kept[i], kept[j])).collect(),
    };
    let planned = (0 < planned_every_s).then_some(planned_every_s as f64);
    let every_s = planned.or_else(|| pace(panel));
    let pairs = judged(panel, &asked, judging).iter().map(|pair| of_pair(panel, pair, ratio, every_s)).collect();
    let left_out = left_out.into_iter().map(|target| (panel.targets[target].id.clone(), panel.targets[target].simulated)).collect();
    let client = panel.client;
    Power { quantity: panel.quantity, ratio, pairs, every_s, every_is_planned: planned.is_some(), left_out, client }
}

/// The middle of the times from one round to the next.
fn pace(panel: &Panel) -> Option<f64> {
    let gaps: Vec<f64> = panel.rounds.windows(2).map(|two| two[1].at.duration_since(two[0].at).as_secs_f64()).collect();
    median(&gaps).filter(|gap| 0.0 < *gap)
}

fn of_pair(panel: &Panel, pair: &Pair, ratio: f64, every_s: Option<f64>) -> PairPower {
    let (first, second) = (&panel.targets[pair.first], &panel.targets[pair.second]);
    let rounds = pair.rounds.len();
    let paired = pair.paired.filter(|paired| ROUNDS_FOR_INTERVALS <= paired.n && 0.0 < paired.sd);
    let dependence = paired.map(|paired| paired.n as f64 / paired.n_eff);
    let called = paired.filter(|_| panel.client.is_none());
    let needed = called.zip(dependence).and_then(|(paired, dependence)| clusters_needed(paired.sd * dependence.sqrt(), ratio));
    // With fewer than six no word is said, whatever the spread.
    let needed = needed.map(|needed| needed.max(super::verdict::ROUNDS_FOR_WORDS as f64));
    let more = needed.map(|needed| (needed - rounds as f64).ceil().max(0.0) as u64);
    PairPower {
        first: first.id.clone(),
        second: second.id.clone(),
        simulated: first.simulated && second.simulated,
        rounds,
        sd: paired.map(|paired| paired.sd),
        r1_corrected: paired.map(|paired| paired.r1_corrected),
        dependence,
        visible: visible(pair).filter(|_| panel.client.is_none()),
        needed,
        more,
        takes_s: more.zip(every_s).map(|(more, every)| more as f64 * every),
    }
}
