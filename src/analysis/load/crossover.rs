//! Two targets against each other along the stages: up to where does one beat the other.

use super::figure::{NoFigure, NoInterval};
use super::slo::Reach;
use crate::stats::Interval;
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
    /// Stages in the family of Holm's adjustment: of all pairs, in this quantity.
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
    /// Fewer than three passes have both.
    FewPasses,
    /// This client was at its limit at this stage of one of them.
    Withheld,
    /// One of them has nothing to compare.
    NotComparable,
}
