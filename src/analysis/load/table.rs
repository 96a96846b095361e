//! The whole reading of a load run.

use super::crossover::Crossover;
use super::figure::Measure;
use super::knee::Knee;
use super::slo::{Gate, Reach};
use super::stage::StageFigures;
use crate::analysis::{BasisBecause, JoinError};
use crate::ident::TargetId;
use crate::measured::LoadSheet;
use crate::record::{Condition, LoadDesign};
use crate::stats::Confidence;
use crate::tokens::Basis;
use serde::Serialize;

/// A load run, or several of one plan, as figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LoadTable {
    /// The runs' ids, in order of time.
    pub runs: Vec<String>,
    /// How the run was designed.
    pub design: LoadDesign,
    /// What is compared, in the manifest's order.
    pub targets: Vec<TargetId>,
    /// Factor on every time, above 1 for a simulated run.
    pub scale: f64,
    /// How tokens are counted.
    pub basis: Basis,
    /// Why so.
    pub because: BasisBecause,
    /// The tokenizer of reference counts.
    pub tokenizer: String,
    /// The confidence of every interval.
    pub confidence: Confidence,
    /// What a failure is charged in comparisons of latency: the run's limit T, ms.
    pub charge_ms: f64,
    /// The service level: as asked for at this reading, else the run's own.
    pub slo: Option<Vec<Condition>>,
    /// Places of the stages in the design, from the lightest to the heaviest; `stages` is in this order.
    pub order: Vec<usize>,
    /// A row a stage and target: stages from the lightest to the heaviest, within each the targets in their order.
    pub stages: Vec<StageFigures>,
    /// What each target comes to.
    pub summaries: Vec<TargetSummary>,
    /// All pairs of targets, each by latency and by content speed.
    pub crossovers: Vec<Crossover>,
    /// The gate, where one is asked for.
    pub gate: Option<Gate>,
    /// What casts doubt on it.
    pub warnings: Vec<LoadWarning>,
}

/// What a target comes to over the stages.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TargetSummary {
    /// The target by its place in the table.
    pub target: usize,
    /// How far the service level reaches, where there is one.
    pub slo: Option<Reach>,
    /// What the knee is one of: [`Measure::Goodput`], or [`Measure::Rps`] without a service level.
    pub knee_of: Measure,
    /// Where it stops growing.
    pub knee: Knee,
}

/// How a load run is read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LoadOptions {
    /// The token basis; by the rule of the other tables without one.
    pub basis: Option<Basis>,
    /// A service level instead of the run's own.
    pub slo: Option<Vec<Condition>>,
    /// Conditions that decide the exit code.
    pub gate: Vec<Condition>,
    /// The confidence of every interval; 95 % without one.
    pub confidence: Option<Confidence>,
}

/// What casts doubt on a load table. The words are in `report/`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "warning")]
pub enum LoadWarning {
    /// Fewer than three passes: no intervals and no words.
    FewPasses {
        /// Passes that were measured, of the stage that has most.
        passes: usize,
    },
    /// More than a twentieth of a target's requests hit a limit of time or the cap on tokens.
    OftenLimited {
        /// The target by its place in the table.
        target: usize,
        /// Replies that hit a limit.
        limited: usize,
        /// Requests sent.
        sent: usize,
    },
    /// Cells that were broken off, or not reached.
    Unfinished {
        /// How many.
        cells: usize,
        /// Of so many.
        of: usize,
    },
    /// The wall clock was stepped during a run.
    ClockStepped,
    /// So many lines of the records could not be read.
    Torn {
        /// How many.
        lines: u32,
    },
    /// The run's own service level is no condition that this version can read.
    SloUnreadable {
        /// As it stands in the manifest.
        text: String,
    },
}

/// Reads load runs of one plan together. Fails as [`super::super::Joined::new`] does.
pub fn load_table(runs: &[LoadSheet], options: &LoadOptions) -> Result<LoadTable, JoinError> {
    let _ = (runs, options);
    Err(JoinError::NoRun)
}
