//! A run reduced to what analysis asks of it: scalars of each trial, computed once by the metrics' own code and then held compactly.
//!
//! A month of hourly rounds is gigabytes of timelines and a few hundred megabytes of scalars. Everything in `analysis/` rests on a
//! [`Sheet`]; only `show` reads whole trials. A sheet can be kept beside its run as an index and thrown away at any time.

mod codes;
mod index;
mod load;
mod open;
mod pack;
mod row;
mod rows;
mod scalars;

pub use load::{Came, LoadArrival, LoadError, LoadRow, LoadSheet, Paced};
pub use open::Index;
pub use row::{Flags, Row, Unsent};
pub use scalars::{Scalar, scalar};

use crate::metric::Rules;
use crate::record::{Manifest, Note, RoundLine};
use crate::store::Run;
use crate::tokens::Reference;
use rows::{Reading, Rows};

/// A run, reduced.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// What was planned.
    pub manifest: Manifest,
    /// States of rounds in order; a later line of a round replaces an earlier one.
    pub rounds: Vec<RoundLine>,
    /// Notes in order.
    pub notes: Vec<Note>,
    /// Lines of the records that could not be read.
    pub torn: u32,
    /// The name of the tokenizer by which the reference counts were taken.
    pub tokenizer: String,
    rows: Rows,
}

impl Sheet {
    /// Reduces a run that is held whole. The processors share the work: tokenising and metrics are what costs time.
    pub fn of(run: &Run, tokenizer: &Reference) -> Sheet {
        let reading = Reading::new(&run.manifest, tokenizer);
        let reduce = |trials: &[crate::record::Trial]| {
            let mut rows = Rows::default();
            trials.iter().for_each(|trial| reading.take(&mut rows, trial));
            rows
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let share = run.trials.len().div_ceil(threads).max(64);
        let parts: Vec<Rows> = std::thread::scope(|scope| {
            let working: Vec<_> = run.trials.chunks(share).map(|part| scope.spawn(move || reduce(part))).collect();
            working.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
        });
        let mut rows = Rows::default();
        parts.into_iter().for_each(|part| rows.append(part));
        Sheet {
            manifest: run.manifest.clone(),
            rounds: run.rounds.clone(),
            notes: run.notes.clone(),
            torn: run.torn,
            tokenizer: tokenizer.name().to_owned(),
            rows,
        }
    }

    /// Trials on record, in the order in which they were written.
    pub fn len(&self) -> usize {
        self.rows.len()
    }
    /// Whether no trial is on record.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The trial at a place of the record, from 0. Places run up to [`Sheet::len`]; one beyond reads as a trial of no target.
    pub fn row(&self, at: usize) -> Row<'_> {
        Row { rows: &self.rows, at }
    }
    /// Every trial, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        (0..self.len()).map(|at| self.row(at))
    }
    /// The rules by which its replies were judged.
    pub fn rules(&self) -> Rules {
        Rules::of(&self.manifest)
    }
}
