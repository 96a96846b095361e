//! How a command tells what it is doing while it does it: bars on a terminal, plain lines where lines are wanted, JSON for programs, and
//! nothing where nobody looks. A command makes a [`Display`] and hands it [`Event`]s; whatever is drawn is derived from them alone.

mod bars;
mod display;
mod event;
mod tally;
mod words;

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};

pub use display::Display;
pub use event::{Ahead, Came, Event, Kind, Passed, RoundOf, Spent};
pub use words::moment;

/// How progress is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::Args)]
pub struct Showing {
    /// Progress for programs: one JSON object a line on stderr (docs/progress.md), and nothing else there
    #[arg(long)]
    pub json_progress: bool,
}

/// In which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Bars that are drawn over; lines that stay are written above them.
    Bars,
    /// A few plain lines a round or stage.
    Lines,
    /// One JSON object a line.
    Json,
    /// Only what the user has to know: what was stopped, what a signal did.
    Silent,
}

/// What a command tells where stderr is no terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unwatched {
    /// Nothing but what the user has to know.
    Silent,
    /// A few lines a round: its log is what one reads.
    Lines,
}

impl Showing {
    /// The form for this process's stderr. Asked for JSON, all that this process says on stderr is JSON from here on.
    pub fn manner(self, unwatched: Unwatched) -> Manner {
        if self.json_progress {
            JSON_ONLY.store(true, Ordering::Relaxed);
            return Manner::Json;
        }
        match (std::io::stderr().is_terminal(), unwatched) {
            (true, _) => Manner::Bars,
            (false, Unwatched::Lines) => Manner::Lines,
            (false, Unwatched::Silent) => Manner::Silent,
        }
    }
}

/// A program that reads stderr line by line must not meet a sentence in between.
static JSON_ONLY: AtomicBool = AtomicBool::new(false);

/// Whether all that is said on stderr is JSON.
pub fn json_only() -> bool {
    JSON_ONLY.load(Ordering::Relaxed)
}

/// A sentence as an event.
pub fn notice(text: &str) -> String {
    Event::Notice { text: text.to_owned() }.json(crate::clock::Clock::System.wall(), None)
}

/// The error that a command ends with, as an event.
pub fn error(text: &str) -> String {
    Event::Error { text: text.to_owned() }.json(crate::clock::Clock::System.wall(), None)
}
