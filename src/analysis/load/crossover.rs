//! Two targets against each other along the stages: up to where does one beat the other.

use super::cell::Cell;
use super::figure::{Measure, NoFigure, NoInterval, PASSES_FOR_INTERVALS};
use super::measure::log_interval;
use super::slo::Reach;
use super::stage::{CellState, StageFigures};
use crate::metric::Undefined;
use crate::record::{TargetFacts, TimeOf};
use crate::stats::{Confidence, Interval, Sample, holm, mean, pairs, plain_paired};
use crate::tokens::Basis;
use serde::Serialize;

/// Two targets compared at every stage, in one quantity.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Crossover {
    /// The first, by its place in the table.
    pub first: usize,
    /// The second.
    pub second: usize,
    /// In what.
    pub by: CompareBy,
    /// Whether both models are of one family; none where that is not known. Those of two families are compared in speed only.
    pub one_family: Option<bool>,
    /// Comparisons in the family of Holm's adjustment: the stages of all pairs in this quantity.
    pub family: usize,
    /// A comparison a stage, from the lightest on.
    pub duels: Vec<Duel>,
    /// The stages at which the first is called faster.
    pub first_wins: Reach,
    /// The stages at which the second is called faster.
    pub second_wins: Reach,
}

/// The quantity of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CompareBy {
    /// Charged latency: the mean over a pass's requests of ln min(latency, T), a failure charged T.
    Latency,
    /// Speed of one stream within the answer: the log of the pass's median.
    ContentSpeed,
}

/// Two targets at one stage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Duel {
    /// The stage by its place in the design.
    pub stage: usize,
    /// *Time* of the first over that of the second, geometric mean over the passes: below 1 the first is faster. For speeds the inverse of
    /// their ratio.
    pub ratio: Result<f64, NoFigure>,
    /// Its interval: t over the passes' log ratios.
    pub interval: Result<Interval, NoInterval>,
    /// Passes that both have.
    pub passes: usize,
    /// Two-sided p of "the ratio is 1".
    pub p: Option<f64>,
    /// The same, adjusted over the family.
    pub p_holm: Option<f64>,
    /// The word.
    pub word: DuelWord,
}

/// What a stage comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DuelWord {
    /// The first is faster.
    FirstFaster,
    /// The second is faster.
    SecondFaster,
    /// No difference is shown.
    Undecided,
    /// Every pass has the same ratio to the last digit, which measured times never have.
    IdenticalData,
    /// Fewer than three passes have both.
    FewPasses,
    /// This client was at its limit at this stage of one of them.
    Withheld,
    /// One of them has nothing to compare.
    NotComparable,
}

/// What a pass of a stage is worth in a comparison, ln of a time.
pub(super) struct Charged {
    /// By pass, in the order of the cells.
    pub latency: Vec<Option<f64>>,
}

/// The mean over each pass's requests of ln min(latency, T), a failure charged T.
pub(super) fn charged(cells: &[Cell<'_>], limit_ms: f64) -> Charged {
    let of = |cell: &Cell<'_>| {
        let charge = |row: &&crate::measured::LoadRow| match row.is_ok() {
            false => Some(limit_ms.ln()),
            true => match cell.time(row, TimeOf::Latency, Basis::Chars) {
                Ok(ms) => (0.0 < ms).then(|| ms.min(limit_ms).ln()),
                Err(Undefined::NoArrival) => Some(limit_ms.ln()),
                // What this client cannot tell is not charged.
                Err(_) => None,
            },
        };
        mean(&cell.rows.iter().filter_map(charge).collect::<Vec<_>>()).filter(|_| cell.state == CellState::Measured)
    };
    Charged { latency: cells.iter().map(of).collect() }
}

/// All pairs along the stages. `stages` and `charged` go together: stages from the lightest to the heaviest, in each the targets in order.
pub(super) fn crossovers(targets: &[TargetFacts], stages: &[StageFigures], charged: &[Charged], confidence: Confidence) -> Vec<Crossover> {
    let mut all: Vec<Crossover> = Vec::new();
    for by in [CompareBy::Latency, CompareBy::ContentSpeed] {
        let of = |(first, second): (usize, usize)| {
            let at = |from: usize| Contestants { first: from + first, second: from + second, stages, charged };
            let duels = (0..stages.len()).step_by(targets.len()).map(|from| at(from).duel(by, confidence)).collect();
            let families = targets[first].family.as_ref().zip(targets[second].family.as_ref());
            let one_family = families.map(|(a, b)| a == b);
            let none = Reach::NotJudged;
            Crossover { first, second, by, one_family, family: 0, duels, first_wins: none.clone(), second_wins: none }
        };
        let mut of_quantity: Vec<Crossover> = pairs(targets.len()).map(of).collect();
        call(&mut of_quantity, confidence);
        all.extend(of_quantity);
    }
    all
}

/// Two targets at one stage, by their places among the rows.
struct Contestants<'a> {
    first: usize,
    second: usize,
    stages: &'a [StageFigures],
    charged: &'a [Charged],
}

impl Contestants<'_> {
    fn duel(&self, by: CompareBy, confidence: Confidence) -> Duel {
        let (first, second) = (&self.stages[self.first], &self.stages[self.second]);
        let (a, b) = (self.logs(self.first, by), self.logs(self.second, by));
        let logs: Vec<f64> = a.iter().zip(&b).filter_map(|(a, b)| Some((*a)? - (*b)?)).collect();
        let middle = mean(&logs);
        let paired = Sample::new(logs.clone()).ok().filter(|sample| PASSES_FOR_INTERVALS <= sample.n());
        let paired = paired.map(|sample| plain_paired(&sample, confidence));
        let word = match (&paired, middle) {
            (_, None) => DuelWord::NotComparable,
            _ if !(first.client.is_empty() && second.client.is_empty()) => DuelWord::Withheld,
            (None, _) => DuelWord::FewPasses,
            (Some(paired), _) if paired.p.is_none() => DuelWord::IdenticalData,
            _ => DuelWord::Undecided,
        };
        Duel {
            stage: first.stage,
            ratio: middle.map(f64::exp).ok_or_else(|| self.why_not(by)),
            interval: if logs.is_empty() { Err(NoInterval::NoFigure) } else { log_interval(logs.clone(), confidence) },
            passes: logs.len(),
            p: paired.and_then(|paired| paired.p),
            p_holm: None,
            word,
        }
    }

    /// ln of a time, by pass.
    fn logs(&self, at: usize, by: CompareBy) -> Vec<Option<f64>> {
        match by {
            CompareBy::Latency => self.charged[at].latency.clone(),
            CompareBy::ContentSpeed => {
                let speeds = self.stages[at].figure(Measure::ContentSpeed).map(|figure| figure.passes.as_slice()).unwrap_or_default();
                let log = |seen: &Result<crate::stats::Extended, NoFigure>| Some(-seen.ok()?.finite().filter(|speed| 0.0 < *speed)?.ln());
                speeds.iter().map(log).collect()
            }
        }
    }

    fn why_not(&self, by: CompareBy) -> NoFigure {
        let measure = if by == CompareBy::Latency { Measure::LatencyP50 } else { Measure::ContentSpeed };
        let why = |at: usize| self.stages[at].figure(measure).and_then(|figure| figure.passes.iter().find_map(|seen| seen.err()));
        why(self.first).or_else(|| why(self.second)).unwrap_or(NoFigure::NotMeasured)
    }
}

/// Adjusts over all stages of all pairs, and says the words.
fn call(crossovers: &mut [Crossover], confidence: Confidence) {
    let called = |duel: &Duel| matches!(duel.word, DuelWord::Undecided | DuelWord::IdenticalData);
    let p: Vec<Option<f64>> = crossovers.iter().flat_map(|pair| &pair.duels).filter(|duel| called(duel)).map(|duel| duel.p).collect();
    let mut adjusted = holm(&p).into_iter();
    for pair in crossovers {
        pair.family = p.len();
        for duel in pair.duels.iter_mut().filter(|duel| called(duel)) {
            duel.p_holm = adjusted.next().flatten();
            if duel.p_holm.is_some_and(|p| p <= confidence.alpha()) {
                let first_faster = duel.ratio.is_ok_and(|ratio| ratio < 1.0);
                duel.word = if first_faster { DuelWord::FirstFaster } else { DuelWord::SecondFaster };
            }
        }
        let wins = |word: DuelWord| {
            let at = |duel: &Duel| match duel.word {
                DuelWord::FewPasses | DuelWord::Withheld | DuelWord::NotComparable => (duel.stage, None),
                said => (duel.stage, Some(said == word)),
            };
            Reach::of(&pair.duels.iter().map(at).collect::<Vec<_>>())
        };
        (pair.first_wins, pair.second_wins) = (wins(DuelWord::FirstFaster), wins(DuelWord::SecondFaster));
    }
}
