//! One stage of one pass on one target: which of its requests count, their times, and the window in which rates are counted.

use super::figure::NoWindow;
use super::stage::{CellState, Window};
use crate::measured::{Came, LoadRow, LoadSheet, Unsent};
use crate::metric::{Outcome, Undefined};
use crate::record::{Offered, StageLine, StageState, TimeOf};
use crate::stats::median;
use crate::tokens::Basis;
use crate::units::Stamp;
use std::collections::{BTreeMap, HashMap};

/// A cell and its requests.
pub(super) struct Cell<'a> {
    pub run: usize,
    pub pass: u32,
    pub state: CellState,
    /// The last line of its state.
    pub line: Option<&'a StageLine>,
    /// Requests that count, by their number.
    pub rows: Vec<&'a LoadRow>,
    /// Requests that are no sample.
    pub no_sample: usize,
    pub offered: Offered,
    /// Each request opens a connection of its own, whose time counts.
    cold: bool,
    scale: f64,
}

/// The requests and states of a run, by cell.
pub(super) struct Cells<'a> {
    sheet: &'a LoadSheet,
    rows: HashMap<(u32, u32, u32), Vec<&'a LoadRow>>,
    lines: HashMap<(u32, u32, &'a str), &'a StageLine>,
}

impl<'a> Cells<'a> {
    pub fn of(sheet: &'a LoadSheet) -> Cells<'a> {
        let mut rows: HashMap<(u32, u32, u32), Vec<&LoadRow>> = HashMap::new();
        for row in &sheet.rows {
            rows.entry((row.pass, row.stage, row.target)).or_default().push(row);
        }
        let lines = sheet.stages.iter().map(|line| ((line.pass, line.stage, line.target.as_str()), line)).collect();
        Cells { sheet, rows, lines }
    }

    /// The cell of a pass from 1, of a stage and a target from 0.
    pub fn cell(&self, run: usize, pass: u32, stage: usize, target: usize) -> Cell<'a> {
        let number = stage as u32 + 1;
        let all = self.rows.get(&(pass, number, target as u32)).map_or(&[][..], Vec::as_slice);
        let attempt = all.iter().map(|row| row.attempt).max().unwrap_or(1);
        let (mut rows, others): (Vec<_>, Vec<_>) = all.iter().copied().filter(|row| row.attempt == attempt).partition(|row| counts(row));
        // In whichever order they were written: sums must come to the same last digit.
        rows.sort_by_key(|row| (row.number, row.scheduled));
        let line = self.lines.get(&(pass, number, self.sheet.manifest.targets[target].id.as_str())).copied();
        Cell {
            run,
            pass,
            state: state(line),
            line,
            rows,
            no_sample: others.len(),
            offered: self.sheet.design.stages[stage],
            cold: self.sheet.design.cold,
            scale: self.sheet.scale(),
        }
    }
}

/// Whether a request is a sample: it was sent, or this client fell behind, which counts as a failure.
fn counts(row: &LoadRow) -> bool {
    match row.came {
        Came::Sent(outcome) => outcome != Outcome::Cancelled,
        Came::Unsent(why) => why == Some(Unsent::ClientBehind),
        Came::Configuration => false,
    }
}

fn state(line: Option<&StageLine>) -> CellState {
    match line.map(|line| &line.state) {
        Some(StageState::Finished) => CellState::Measured,
        Some(StageState::Begun | StageState::Interrupted) => CellState::Interrupted,
        Some(StageState::Skipped { because }) => CellState::Skipped { because: because.clone() },
        None => CellState::NotReached,
    }
}

impl<'a> Cell<'a> {
    pub fn good(&self) -> impl Iterator<Item = &'a LoadRow> {
        self.rows.iter().copied().filter(|row| row.is_ok())
    }

    fn is_open(&self) -> bool {
        matches!(self.offered, Offered::Arrivals { .. })
    }

    /// A time of a request, ms: from its first write in a closed loop, from its arrival in an open one.
    pub fn time(&self, row: &LoadRow, of: TimeOf, basis: Basis) -> Result<f64, Undefined> {
        match of {
            TimeOf::Ttft => row.ttft.map(|ms| ms + self.before(row)),
            TimeOf::Ttfa => row.ttfa.map(|ms| ms + self.before(row)),
            TimeOf::Latency => row.latency.map(|ms| ms + self.before(row)),
            TimeOf::Tpot => row.paced(basis).tpot,
        }
    }

    /// What a request waited before its first write, as far as that counts, ms: in an open loop all of it since its arrival, or else what
    /// this client could not send in time would be forgiven the target (coordinated omission); with a connection for each request, the
    /// opening of it. What was held back for politeness is never part of a latency.
    fn before(&self, row: &LoadRow) -> f64 {
        if self.is_open() && !row.held {
            return row.began.map_or(0.0, |began| began.since(row.scheduled) as f64 / 1e6 * self.scale);
        }
        if self.cold { row.connect_ms.unwrap_or(0.0) } else { 0.0 }
    }

    /// How late a request left this client, ms of real time; nothing where it was held back, or never left. All users of a closed loop
    /// begin at one moment, and one thread sends one request after another: the first of each is ramp-up, before the window, and none.
    pub fn send_lag(&self, row: &LoadRow) -> Option<f64> {
        if matches!(self.offered, Offered::Users { users } if row.number <= users) {
            return None;
        }
        let began = row.began.filter(|_| !row.held)?;
        let late = began.since(row.scheduled) as f64 / 1e6;
        // A connection that had to be opened took its time, not ours. Those opened before the stage, which its first requests find, were
        // open already.
        let opened_now = self.cold || self.connections() < row.number;
        let connect = row.connect_ms.filter(|_| opened_now).unwrap_or(0.0) / self.scale;
        Some((late - connect).max(0.0))
    }

    pub fn connections(&self) -> u32 {
        self.line.map_or(0, |line| line.connections)
    }

    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// The window: of a closed loop from all users running to the first one idle; of an open loop from the first arrival to the last.
    pub fn window(&self) -> Result<Window, NoWindow> {
        let (from, to) = match self.offered {
            Offered::Users { users } => self.while_all_run(users as usize)?,
            Offered::Arrivals { .. } => {
                let due = || self.rows.iter().map(|row| row.scheduled);
                due().min().zip(due().max()).filter(|(from, to)| from < to).ok_or(NoWindow::NoArrivals)?
            }
        };
        if to <= from {
            return Err(NoWindow::Empty);
        }
        let seconds = to.since(from) as f64 / 1e9 * self.scale;
        // The basis plays no part in a latency.
        let latencies: Vec<f64> = self.good().filter_map(|row| self.time(row, TimeOf::Latency, Basis::Chars).ok()).collect();
        if let Some(needs) = median(&latencies).map(|ms| ms / 1e3).filter(|needs| seconds < *needs) {
            return Err(NoWindow::Short { seconds, needs });
        }
        let ended = self.good().filter_map(|row| row.ended).filter(|ended| from < *ended && *ended <= to).count();
        Ok(Window { from, to, seconds, ended })
    }

    fn while_all_run(&self, users: usize) -> Result<(Stamp, Stamp), NoWindow> {
        let mut spans: BTreeMap<u32, (Stamp, Stamp)> = BTreeMap::new();
        for (user, row) in self.rows.iter().filter_map(|row| Some((row.user?, row))) {
            // A request that found no connection has no first write; its user ran all the same.
            let began = row.began.unwrap_or(row.scheduled);
            let ended = row.ended.unwrap_or(began);
            let span = spans.entry(user).or_insert((began, ended));
            *span = (span.0.min(began), span.1.max(ended));
        }
        let (last_begun, first_idle) = (spans.values().map(|span| span.0).max(), spans.values().map(|span| span.1).min());
        match last_begun.zip(first_idle) {
            Some(window) if spans.len() == users => Ok(window),
            _ => Err(NoWindow::NotAllRan { ran: spans.len(), users }),
        }
    }
}
