//! Conditions held against what was seen: the service level at each stage, how far it reaches, and the gate.

use super::figure::NoFigure;
use crate::record::Condition;
use crate::stats::Extended;
use serde::Serialize;

/// The service level at one stage of one target. It is judged on the stage's figures as they are printed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SloAtStage {
    /// What it comes to.
    pub word: SloWord,
    /// Each condition that speaks of this stage.
    pub conditions: Vec<Judged>,
    /// Measured passes that meet it when each is judged by itself.
    pub passes_meet: usize,
    /// Measured passes that could be judged by themselves.
    pub passes: usize,
}

/// What the service level comes to at a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SloWord {
    /// Every condition holds.
    Meets,
    /// Some condition does not hold.
    Misses,
    /// Every condition seems to hold or fail, but this client was at its limit: nothing is called.
    Withheld,
    /// Some condition has no figure, and none is seen to fail.
    NotJudged,
}

/// A condition and what was seen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judged {
    /// The condition.
    pub condition: Condition,
    /// What was seen, in the condition's own unit: seconds, a share from 0 to 1, or so many a second.
    pub seen: Result<Extended, NoFigure>,
    /// Whether it holds; nothing where nothing was seen.
    pub holds: Option<bool>,
}

/// How far something holds along the stages, from the lightest on. Stages are places in the design.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "reach")]
pub enum Reach {
    /// At no stage.
    Nowhere,
    /// From the lightest stage on without a break up to this one.
    Through {
        /// The heaviest at which it holds.
        stage: usize,
        /// It is the heaviest stage of all that were measured: how much farther it goes is not known.
        is_last: bool,
    },
    /// This is the heaviest at which it holds, but it does not at some lighter ones: the order is not monotone.
    Broken {
        /// The heaviest at which it holds.
        stage: usize,
        /// Lighter ones at which it does not, or could not be told.
        but_not: Vec<usize>,
    },
    /// No stage could be judged.
    NotJudged,
}

impl Reach {
    /// The heaviest stage at which it holds.
    pub fn heaviest(&self) -> Option<usize> {
        match self {
            Reach::Through { stage, .. } | Reach::Broken { stage, .. } => Some(*stage),
            Reach::Nowhere | Reach::NotJudged => None,
        }
    }
}

/// The gate: conditions that decide the exit code.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gate {
    /// Whether every line passed.
    pub passed: bool,
    /// A line for every condition, target and stage that it speaks of.
    pub lines: Vec<GateLine>,
}

/// One condition of the gate, at one stage of one target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GateLine {
    /// The target by its place in the table.
    pub target: usize,
    /// The stage by its place in the design; none where the condition names a stage that the run has not.
    pub stage: Option<usize>,
    /// The condition and what was seen.
    pub judged: Judged,
    /// The figures may be this client's own.
    pub client_limited: bool,
    /// Whether it passed. What could not be seen has not passed.
    pub passed: bool,
}
