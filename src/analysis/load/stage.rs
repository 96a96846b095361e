//! One stage on one target, over its passes.

use super::figure::{Figure, Measure, NoFigure, NoInterval, NoWindow};
use super::slo::SloAtStage;
use crate::metric::Outcome;
use crate::record::{Offered, SelfLag};
use crate::stats::Interval;
use crate::units::Stamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// What one stage came to on one target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageFigures {
    /// The target by its place in [`super::LoadTable::targets`].
    pub target: usize,
    /// The stage by its place in the design's stages, from 0.
    pub stage: usize,
    /// What it offered.
    pub offered: Offered,
    /// The same as a number: users, or arrivals a second.
    pub load: f64,
    /// Its cells, a pass each, in order of run and pass.
    pub cells: Vec<PassCell>,
    /// Requests of all measured passes.
    pub counts: StageCounts,
    /// The share of good replies among the requests sent.
    pub success: Result<Success, NoFigure>,
    /// Silence within the good replies.
    pub stalls: Result<Stalls, NoFigure>,
    /// Every measure's figure.
    pub figures: BTreeMap<Measure, Figure>,
    /// Why the figures may be this client's and not the target's: nothing is called of such a stage.
    pub client: Vec<ClientLimit>,
    /// The service level at this stage, where one is asked for.
    pub slo: Option<SloAtStage>,
}

impl StageFigures {
    /// A measure's figure; every measure has one, if only a reason.
    pub fn figure(&self, measure: Measure) -> Option<&Figure> {
        self.figures.get(&measure)
    }
    /// Passes that were measured.
    pub fn measured(&self) -> usize {
        self.cells.iter().filter(|cell| cell.state == CellState::Measured).count()
    }
}

/// One stage of one pass on one target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PassCell {
    /// The run by its place in [`super::LoadTable::runs`].
    pub run: usize,
    /// The pass, from 1.
    pub pass: u32,
    /// Whether it is a sample.
    pub state: CellState,
    /// The time in which rates are counted.
    pub window: Result<Window, NoWindow>,
    /// Requests that count: sent, or meant to be sent while this client fell behind.
    pub sent: usize,
    /// Good replies.
    pub good: usize,
    /// Connections that stood open when it began.
    pub connections: u32,
    /// This client's own lag in it, real time whatever the scale of a simulated run.
    pub lag: Option<SelfLag>,
}

/// What became of a cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum CellState {
    /// It ran to its end, and is a sample.
    Measured,
    /// It was not run: an earlier stage of this target had met the condition to stop.
    Skipped {
        /// The condition and what was seen, as recorded.
        because: String,
    },
    /// It was broken off, and is no sample.
    Interrupted,
    /// The run ended before it.
    NotReached,
}

/// The time in which rates are counted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Window {
    /// From here: all users have begun to write, or the first request was due.
    pub from: Stamp,
    /// To here: the first user had nothing more to do, or the last request was due.
    pub to: Stamp,
    /// Its length, s; in the imitated provider's time in a simulated run.
    pub seconds: f64,
    /// Good replies that ended in it.
    pub ended: usize,
}

/// Requests of a stage, all measured passes together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StageCounts {
    /// Requests that count: sent, or meant to be sent while this client fell behind.
    pub sent: usize,
    /// Good replies.
    pub good: usize,
    /// Bad ends, by their outcome.
    pub failed: Vec<(Outcome, usize)>,
    /// Requests that this client did not get to send: among `sent`, as failures.
    pub behind: usize,
    /// Requests that are no sample, since the target's set-up was at fault, its daily budget used up, or the run ended.
    pub no_sample: usize,
    /// Requests that this client held back for politeness: their latency counts from the first write in an open loop too.
    pub held: usize,
    /// Requests that had to open a connection.
    pub cold: usize,
}

/// The share of good replies.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Success {
    /// Good replies over requests sent.
    pub share: f64,
    /// Good replies.
    pub good: usize,
    /// Requests sent.
    pub sent: usize,
    /// Wilson's interval, clustered by pass.
    pub interval: Result<Interval, NoInterval>,
}

/// Silence within good replies: gaps longer than the plan's `stall_ms`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Stalls {
    /// Such gaps, in all good replies.
    pub gaps: u64,
    /// Good replies with at least one.
    pub replies: usize,
    /// Good replies.
    pub good: usize,
}

/// Why a stage's figures may be this client's own.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "by")]
pub enum ClientLimit {
    /// Its measuring thread lagged, 99th percentile of the worst pass, ms of real time.
    Lag {
        /// How late its timer rang.
        p99_ms: f64,
    },
    /// Requests left late, 99th percentile of the worst pass, ms of real time.
    SendLag {
        /// How late.
        p99_ms: f64,
    },
    /// More than a hundredth of the requests were not sent.
    NotSent {
        /// Not sent.
        behind: usize,
        /// Meant to be.
        of: usize,
    },
}
