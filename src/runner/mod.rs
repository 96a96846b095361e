//! When requests start and stop: rounds, blocks, one request in flight a target, draining on Ctrl-C, resuming; and load, in stages of
//! users or arrivals.

mod counts;
mod course;
mod hold;
mod lag;
mod lane;
mod load;
mod pace;
mod progress;
mod resume;

use crate::clock::Clock;
use crate::ident::PromptId;
use crate::plan::Schedule;
use crate::provider::Provider;
use crate::record::{Manifest, NotSent, Role, TargetFacts, Trial};
use crate::secret::Secret;
use crate::store::Journal;
use crate::timeline::{Ended, Phase};
use crate::wire::{Endpoint, Transport};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

pub use counts::{keep_counts, keep_text};
pub use course::{EARLY_S, run};
pub use load::{LoadInputs, run_load, spawn_load};
pub use pace::{Flight, Landing, MINUTE, Pacer, Past, Turn};
pub use progress::{NextRound, Progress, Range, RoundOf, Spent};
pub use resume::{Before, thin};

/// One target with everything that asking it takes.
#[derive(Clone)]
pub struct Racer {
    /// The target.
    pub facts: TargetFacts,
    /// Says what to send and how to read.
    pub provider: Arc<dyn Provider>,
    /// Where to connect.
    pub endpoint: Endpoint,
    /// Opens connections.
    pub transport: Arc<dyn Transport>,
    /// The key, where one is needed.
    pub key: Option<Secret>,
}

/// Everything a run is made from.
pub struct RunInputs {
    /// As it lies on the disk.
    pub manifest: Manifest,
    /// The order of things.
    pub schedule: Schedule,
    /// The texts of the prompts, without nonce.
    pub prompts: BTreeMap<PromptId, String>,
    /// One a target, in the manifest's order.
    pub racers: Vec<Racer>,
    /// Where lines go.
    pub journal: Journal,
    /// What is on record already; empty for a new run.
    pub before: Before,
    /// Where time comes from.
    pub clock: Clock,
    /// Told when to stop.
    pub stop: watch::Receiver<Stop>,
    /// How much of the run this sitting does.
    pub extent: Extent,
    /// Told what happens; nobody need listen.
    pub progress: mpsc::UnboundedSender<Progress>,
}

/// How far a run is to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// To its end.
    Go,
    /// Requests in flight are read to their end, nothing new is sent.
    Drain,
    /// Requests in flight are broken off too.
    Cancel,
}

/// How much of a run one sitting does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Extent {
    /// All rounds that are left.
    #[default]
    All,
    /// The round that is due now; without a calendar, the next one that is not over.
    OneRound,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All rounds are over.
    Finished,
    /// Stopped by the user; it can be resumed.
    Interrupted,
    /// A budget ran out; it can be resumed with a larger one.
    BudgetSpent(String),
    /// Every target was stopped: their configuration is at fault.
    AllStopped,
    /// The record cannot be written any more.
    RecordFailed(String),
    /// The one round that was asked for is over.
    RoundDone {
        /// The round, from 1.
        round: u32,
        /// Rounds that are left after it.
        left: u32,
        /// When the next one is due, where rounds have moments and one is left.
        next: Option<NextRound>,
    },
    /// One round was asked for and none is due now.
    NoRoundDue {
        /// The next one; none where all rounds are over.
        next: Option<NextRound>,
    },
}

/// A run that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raced {
    /// Its folder.
    pub folder: PathBuf,
    /// How it ended.
    pub outcome: Outcome,
}

/// Runs on a thread and runtime of its own, so that nothing else takes the measurement's time.
pub fn spawn(inputs: RunInputs) -> std::io::Result<std::thread::JoinHandle<std::io::Result<Raced>>> {
    on_own_thread(move || run(inputs))
}

fn on_own_thread<R: Future<Output = Raced>>(
    run: impl FnOnce() -> R + Send + 'static,
) -> std::io::Result<std::thread::JoinHandle<std::io::Result<Raced>>> {
    let work = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(runtime.block_on(run()))
    };
    std::thread::Builder::new().name("measure".into()).spawn(work)
}

/// Whether a trial gives a sample at all: answered with 2xx, no error, some text, and an end that the provider itself set. The exact
/// judgement is the reading wing's; this one only decides what is drawn and the exit code.
pub fn usable(trial: &Trial) -> bool {
    let Some(answer) = &trial.answer else { return false };
    trial.role == Role::Scored
        && answer.ended == Ended::Complete
        && answer.status.is_none_or(|status| (200..300).contains(&status))
        && answer.error.is_none()
        && answer.timeline.phases().any(|phase| phase != Phase::Reasoning)
        && (answer.finish.is_some() || !answer.end_marks.is_empty())
}

/// How a trial went, in few words.
fn words(trial: &Trial) -> String {
    let Some(answer) = &trial.answer else {
        return match &trial.not_sent {
            Some(NotSent::TargetStopped { reason }) | Some(NotSent::NoRequest { reason }) => format!("not sent: {reason}"),
            _ => "not sent".into(),
        };
    };
    if let Some(error) = &answer.error {
        let status = answer.status.map(|status| format!("HTTP {status}: ")).unwrap_or_default();
        return format!("{status}{}", error.message);
    }
    match &answer.ended {
        Ended::Complete => match answer.timeline.last() {
            Some(last) => format!("{:.2} s", last.at.secs()),
            None => "no text".into(),
        },
        Ended::ClosedEarly { message } => format!("closed early: {message}"),
        Ended::TimedOut { limit } => format!("timed out ({limit:?})"),
        Ended::Unreadable { message } | Ended::TooLarge { message } | Ended::SendFailed { message } => message.clone(),
        Ended::ConnectFailed { message, .. } => format!("no connection: {message}"),
        Ended::Cancelled => "cancelled".into(),
    }
}
