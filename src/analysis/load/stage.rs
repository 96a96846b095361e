//! One stage on one target, over its passes.

use super::cell::Cell;
use super::figure::{Figure, Measure, NoFigure, NoInterval, NoWindow};
use super::measure::Measuring;
use super::slo::{SloAtStage, at_stage};
use crate::analysis::gate::{ClientLimit, Signs};
use crate::measured::Came;
use crate::metric::Outcome;
use crate::record::{Offered, SelfLag};
use crate::stats::{Extended, Interval, quantile_type1};
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

impl Window {
    /// Whether a moment lies in it: after its begin, up to its end.
    pub fn holds(&self, at: Stamp) -> bool {
        self.from < at && at <= self.to
    }
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

/// The figures of a stage on a target.
pub(super) fn stage_figures(measuring: &Measuring<'_>, target: usize, stage: usize, offered: Offered) -> StageFigures {
    let measured: Vec<&Cell<'_>> = measuring.cells.iter().filter(|cell| cell.state == CellState::Measured).collect();
    let (figures, counts) = (measuring.figures(), counts(&measured));
    let client = client_limits(&measured, &counts);
    let slo = at_stage(measuring, &figures, !client.is_empty());
    StageFigures {
        target,
        stage,
        offered,
        load: offered.size(),
        cells: measuring.cells.iter().map(pass_cell).collect(),
        success: success(measuring, &counts),
        stalls: stalls(&measured, &counts),
        counts,
        figures,
        client,
        slo,
    }
}

fn pass_cell(cell: &Cell<'_>) -> PassCell {
    PassCell {
        run: cell.run,
        pass: cell.pass,
        state: cell.state.clone(),
        window: cell.window(),
        sent: cell.rows.len(),
        good: cell.good().count(),
        connections: cell.connections(),
        lag: cell.line.and_then(|line| line.lag.clone()),
    }
}

fn counts(cells: &[&Cell<'_>]) -> StageCounts {
    let mut counts = StageCounts::default();
    let mut failed: BTreeMap<Outcome, usize> = BTreeMap::new();
    for cell in cells {
        counts.no_sample += cell.no_sample;
        let opened = cell.rows.iter().filter(|row| row.began.is_some() && row.opened).count();
        // The first request on a connection that was opened beforehand bears the mark too.
        counts.cold += opened.saturating_sub(cell.connections() as usize);
        for row in &cell.rows {
            counts.sent += 1;
            counts.held += usize::from(row.held);
            match row.came {
                Came::Sent(Outcome::Ok) => counts.good += 1,
                Came::Sent(outcome) => *failed.entry(outcome).or_default() += 1,
                Came::Unsent(_) | Came::Configuration => counts.behind += 1,
            }
        }
    }
    counts.failed = failed.into_iter().collect();
    counts
}

fn success(measuring: &Measuring<'_>, counts: &StageCounts) -> Result<Success, NoFigure> {
    let figure = measuring.share_of(|row| row.is_ok());
    let share = figure.point?.finite().ok_or(NoFigure::NoRequest)?;
    Ok(Success { share, good: counts.good, sent: counts.sent, interval: figure.interval })
}

fn stalls(cells: &[&Cell<'_>], counts: &StageCounts) -> Result<Stalls, NoFigure> {
    if counts.good == 0 {
        return Err(if cells.is_empty() { NoFigure::NotMeasured } else { NoFigure::NoGoodReply });
    }
    let each = || cells.iter().flat_map(|cell| cell.good()).map(|row| row.stalls);
    let replies = each().filter(|stalls| 0 < *stalls).count();
    Ok(Stalls { gaps: each().map(u64::from).sum(), replies, good: counts.good })
}

fn client_limits(cells: &[&Cell<'_>], counts: &StageCounts) -> Vec<ClientLimit> {
    let p99 = |cell: &&Cell<'_>| {
        let lags: Vec<Extended> = cell.rows.iter().filter_map(|row| cell.send_lag(row)).map(Extended::Finite).collect();
        quantile_type1(&lags, 0.99)?.finite()
    };
    let lags = cells.iter().filter_map(|cell| cell.line?.lag.as_ref()).collect();
    let send_p99_ms = cells.iter().filter_map(p99).reduce(f64::max);
    Signs { lags, send_p99_ms, behind: counts.behind, of: counts.sent }.limits()
}
