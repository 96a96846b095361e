//! When requests start and stop: rounds, blocks, one request in flight a target, draining on Ctrl-C, resuming; and load, in stages of
//! users or arrivals.

mod counts;
mod course;
mod lag;
mod lane;
mod load;
mod resume;

use crate::clock::Clock;
use crate::ident::{PromptId, TargetId};
use crate::plan::Schedule;
use crate::provider::Provider;
use crate::record::{Manifest, NotSent, Role, StageState, TargetFacts, Trial};
use crate::secret::Secret;
use crate::store::Journal;
use crate::timeline::{Ended, Phase};
use crate::wire::{Endpoint, Transport};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

pub use counts::{keep_counts, keep_text};
pub use course::run;
pub use load::{LoadInputs, run_load, spawn_load};
pub use resume::Before;

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

/// What happens in a run, for whoever draws it.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// A round begins.
    Round {
        /// The round, from 1.
        round: u32,
    },
    /// The next round is not due yet.
    Waiting {
        /// The round, from 1.
        round: u32,
        /// When it is due.
        until: jiff::Timestamp,
    },
    /// A trial is over.
    Trial {
        /// The target.
        target: TargetId,
        /// Scored or warm-up.
        role: Role,
        /// A sample that a table can use.
        usable: bool,
        /// How it went, in few words.
        words: String,
    },
    /// A stage of a load run begins on a target.
    Stage {
        /// The pass, from 1.
        pass: u32,
        /// The stage, from 1.
        stage: u32,
        /// The target.
        target: TargetId,
        /// How many requests it will make, where that is known beforehand.
        requests: Option<u64>,
    },
    /// A stage is over on a target, or was passed over.
    StageOver {
        /// The pass, from 1.
        pass: u32,
        /// The stage, from 1.
        stage: u32,
        /// The target.
        target: TargetId,
        /// What happened to it.
        state: StageState,
    },
    /// The servers come to rest after a stage.
    Resting {
        /// When the next stage begins.
        until: jiff::Timestamp,
    },
    /// A target was stopped.
    Stopped {
        /// The target.
        target: TargetId,
        /// Why.
        reason: String,
    },
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
    on_own_thread(run(inputs))
}

fn on_own_thread(run: impl Future<Output = Raced> + Send + 'static) -> std::io::Result<std::thread::JoinHandle<std::io::Result<Raced>>> {
    let work = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(runtime.block_on(run))
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
        && answer.timeline.phase.iter().any(|phase| *phase != Phase::Reasoning)
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
        Ended::Complete => match answer.timeline.at_ns.last() {
            Some(last) => format!("{:.2} s", *last as f64 / 1e9),
            None => "no text".into(),
        },
        Ended::ClosedEarly { message } => format!("closed early: {message}"),
        Ended::TimedOut { limit } => format!("timed out ({limit:?})"),
        Ended::Unreadable { message } | Ended::TooLarge { message } | Ended::SendFailed { message } => message.clone(),
        Ended::ConnectFailed { message, .. } => format!("no connection: {message}"),
        Ended::Cancelled => "cancelled".into(),
    }
}
