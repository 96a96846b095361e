//! What a reader with a minute should know: who is faster in what and how sure that is, and the three doubts that weigh most.

use super::basis::Families;
use super::gate::Bottleneck;
use super::joined::Joined;
use super::league::{League, Placing};
use super::quantity::Quantity;
use super::table::{Remark, TargetTable};
use super::verdict::ROUNDS_FOR_WORDS;
use super::warnings::Warning;
use crate::ident::TargetId;
use crate::metric::Flag;
use crate::stats::Estimate;
use serde::Serialize;

/// A brief tells so many doubts.
const CAVEATS: usize = 3;
/// Rounds that span less say nothing of another time of day, s.
const SHORT_SPAN_S: f64 = 6.0 * 3600.0;
/// Above this share of failures they are a doubt of their own.
const FAILS: f64 = 0.02;

/// What one quantity comes to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// The quantity.
    #[serde(skip)]
    pub quantity: Quantity,
    /// What is shown.
    pub shown: Shown,
}

/// Who is ahead, if anybody is shown to be.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "shown")]
pub enum Shown {
    /// There is nobody to compare with.
    Alone,
    /// This client was the bottleneck in too many rounds.
    ClientLimited {
        /// In how many.
        #[serde(flatten)]
        bottleneck: Bottleneck,
    },
    /// Fewer than six rounds.
    TooFewRounds {
        /// How many there are.
        rounds: usize,
    },
    /// Nobody may be ranked, or one alone.
    TooFewRanked {
        /// The one that may.
        only: Option<TargetId>,
    },
    /// One is shown to be ahead of all others.
    First {
        /// Which.
        target: TargetId,
        /// The one behind it.
        next: TargetId,
        /// The value of the one behind over its own: a time above 1, a rate below 1.
        next_over_first: Option<Estimate>,
        /// The difference lies inside the tie band.
        within_band: bool,
    },
    /// Several may be first.
    Tied {
        /// Which.
        leaders: Vec<TargetId>,
        /// Ranked ones that are shown to be behind the best of them.
        behind: usize,
    },
}

/// A doubt about the whole reading.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "caveat")]
pub enum Caveat {
    /// The providers are our own simulated ones.
    Simulated,
    /// Too few rounds or days to publish.
    Preliminary {
        /// Rounds.
        rounds: usize,
        /// Calendar days, UTC.
        days: usize,
    },
    /// All rounds lie within a few hours.
    ShortSpan {
        /// How many seconds.
        seconds: f64,
    },
    /// The models differ, or perhaps do.
    DifferentModels {
        /// All families are known.
        known: bool,
    },
    /// Some requests failed.
    Failures {
        /// Who failed most.
        target: TargetId,
        /// Its failures.
        failed: usize,
        /// Its requests.
        sent: usize,
    },
    /// Some went over their quota.
    QuotaBound {
        /// Who.
        targets: Vec<TargetId>,
    },
    /// Some think without showing it, or may.
    HiddenThinking {
        /// Who.
        targets: Vec<TargetId>,
    },
    /// Some answer in bundles.
    Bundled {
        /// Who.
        targets: Vec<TargetId>,
    },
    /// Not all were asked with the same parameters.
    Unequal {
        /// In how many points.
        points: usize,
    },
    /// What casts doubt on the table.
    OfTable(Warning),
    /// Smaller differences cannot be seen.
    Blind {
        /// The smallest ratio that could have been.
        ratio: f64,
    },
    /// Measured from one place.
    OnePlace {
        /// Where, if it has a name.
        place: Option<String>,
    },
    /// Words are wrong now and then.
    ErrorRates,
}

/// A brief.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Brief {
    /// What each quantity comes to, the reply time first.
    pub findings: Vec<Finding>,
    /// Three doubts, the heaviest first.
    pub caveats: Vec<Caveat>,
}

/// Makes the brief of leagues, the first of which is the one that the page is ordered by.
pub fn brief(joined: &Joined<'_>, table: &TargetTable, leagues: &[League]) -> Brief {
    let findings = leagues.iter().map(|league| Finding { quantity: league.quantity, shown: shown(league) }).collect();
    let mut caveats = leagues.first().map(|league| caveats(joined, table, league)).unwrap_or_default();
    caveats.sort_by(|a, b| b.0.total_cmp(&a.0));
    Brief { findings, caveats: caveats.into_iter().map(|(_, caveat)| caveat).take(CAVEATS).collect() }
}

fn shown(league: &League) -> Shown {
    if league.ranked.len() + league.unranked.len() < 2 {
        return Shown::Alone;
    }
    if let Some(bottleneck) = league.client {
        return Shown::ClientLimited { bottleneck };
    }
    if league.rounds < ROUNDS_FOR_WORDS {
        return Shown::TooFewRounds { rounds: league.rounds };
    }
    let may_be_first = |placing: &&Placing| placing.rank.is_some_and(|rank| rank.low == 1);
    let leaders: Vec<&Placing> = league.ranked.iter().filter(may_be_first).collect();
    match (league.ranked.as_slice(), leaders.as_slice()) {
        ([] | [_], _) | (_, []) => Shown::TooFewRanked { only: league.ranked.first().map(|placing| placing.target.clone()) },
        ([first, next, ..], [_]) => {
            let ratio = next.times_best.and_then(|estimate| estimate.point.finite());
            let within_band = ratio.is_some_and(|ratio| ratio.ln().abs() < league.judging.delta.ln_1p());
            let (target, next_over_first) = (first.target.clone(), next.times_best);
            Shown::First { target, next: next.target.clone(), next_over_first, within_band }
        }
        (ranked, leaders) => {
            Shown::Tied { leaders: leaders.iter().map(|placing| placing.target.clone()).collect(), behind: ranked.len() - leaders.len() }
        }
    }
}

/// Every doubt that the data give rise to, with its weight. What makes the answer mean something else weighs more than what makes it
/// less sure, and that more than what holds for every reading.
fn caveats(joined: &Joined<'_>, table: &TargetTable, league: &League) -> Vec<(f64, Caveat)> {
    let manifest = joined.manifest();
    let mut doubts = Vec::new();
    doubts.extend(table.scale.map(|_| (100.0, Caveat::Simulated)));
    let several = 1 < table.rows.len();
    match Families::of(&manifest.targets) {
        Families::One => {}
        Families::Several => doubts.push((78.0, Caveat::DifferentModels { known: true })),
        Families::Unknown => doubts.push((62.0, Caveat::DifferentModels { known: false })),
    }
    if league.preliminary {
        // Few rounds weigh the more the fewer they are.
        let weight = if league.rounds < ROUNDS_FOR_WORDS { 95.0 } else { 80.0 };
        doubts.push((weight, Caveat::Preliminary { rounds: league.rounds, days: league.days }));
    }
    let seconds = league.span.map(|(from, to)| to.duration_since(from).as_secs_f64());
    doubts.extend(seconds.filter(|seconds| *seconds < SHORT_SPAN_S).map(|seconds| (74.0, Caveat::ShortSpan { seconds })));
    doubts.extend(failures(table));
    let who = |wanted: fn(&Remark) -> bool| {
        let rows = table.rows.iter().filter(|row| row.remarks.iter().any(wanted));
        Some(rows.map(|row| row.target.clone()).collect::<Vec<_>>()).filter(|targets| !targets.is_empty())
    };
    doubts.extend(who(|remark| *remark == Remark::QuotaBound).map(|targets| (72.0, Caveat::QuotaBound { targets })));
    let hidden = who(|remark| matches!(remark, Remark::Flag(Flag::Hidden | Flag::ThinkingUnknown, _)));
    doubts.extend(hidden.map(|targets| (58.0, Caveat::HiddenThinking { targets })));
    let bundled = who(|remark| matches!(remark, Remark::Flag(Flag::Bundled, _)));
    doubts.extend(bundled.map(|targets| (50.0, Caveat::Bundled { targets })));
    let points = manifest.differences.len();
    doubts.extend((0 < points).then_some((56.0, Caveat::Unequal { points })));
    let weight = |warning: &Warning| match warning {
        Warning::OftenLimited { .. } => 66.0,
        Warning::ClientLimited(gate) if gate.closed => 98.0,
        Warning::ClientLimited(_) => 64.0,
        Warning::Void { .. } => 44.0,
        Warning::Missed { .. } => 40.0,
        Warning::ClockMoved(_) => 38.0,
        Warning::ClockStepped => 36.0,
        Warning::Torn(_) => 34.0,
    };
    doubts.extend(table.warnings.iter().map(|warning| (weight(warning), Caveat::OfTable(warning.clone()))));
    doubts.extend(league.visible.filter(|_| several).map(|ratio| (48.0, Caveat::Blind { ratio })));
    if table.scale.is_none() {
        doubts.push((40.0, Caveat::OnePlace { place: manifest.vantage.clone() }));
    }
    doubts.push((20.0, Caveat::ErrorRates));
    doubts
}

/// The target that failed most, if it failed more than now and then. Half of all requests failing weighs as much as other models.
fn failures(table: &TargetTable) -> Option<(f64, Caveat)> {
    let share = |row: &super::table::Row| (row.sent - row.ok) as f64 / row.sent.max(1) as f64;
    let worst = table.rows.iter().max_by(|a, b| share(a).total_cmp(&share(b))).filter(|row| FAILS < share(row))?;
    let caveat = Caveat::Failures { target: worst.target.clone(), failed: worst.sent - worst.ok, sent: worst.sent };
    Some((60.0 + 36.0 * share(worst), caveat))
}
