//! Load: stages of users or of arrivals, in passes, on one target at a time. Load is data, (users or arrivals) × (stop rule), and one
//! loop (`cell.rs`) runs all of it.

mod ahead;
mod cell;
mod cold;
mod halt;
mod pool;
mod source;

use super::lane::Setting;
use super::pace::Pacer;
use super::{Outcome, Progress, Raced, Racer, Spent, Stop};
use crate::clock::Clock;
use crate::ident::PromptId;
use crate::plan::{LoadCell, LoadSchedule, conditions_to_stop, tokens_at_most};
use crate::record::{Condition, Line, Manifest, Note, SelfLag, StageLine, StageState};
use crate::store::Journal;
use cell::CellEnd;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// Everything a load run is made from.
pub struct LoadInputs {
    /// As it lies on the disk; its `load` is present.
    pub manifest: Manifest,
    /// The order of things.
    pub schedule: LoadSchedule,
    /// The texts of the prompts, without nonce.
    pub prompts: BTreeMap<PromptId, String>,
    /// One a target, in the manifest's order.
    pub racers: Vec<Racer>,
    /// Where lines go.
    pub journal: Journal,
    /// Where time comes from.
    pub clock: Clock,
    /// Told when to stop.
    pub stop: watch::Receiver<Stop>,
    /// Told what happens; nobody need listen.
    pub progress: mpsc::UnboundedSender<Progress>,
}

/// Runs a load to its end, a stop, or the end of a budget. Whatever happens is on record.
pub async fn run_load(inputs: LoadInputs) -> Raced {
    let mut course = LoadCourse::new(inputs);
    let outcome = course.cells().await;
    if let Some(why) = super::course::stopped_by(&outcome) {
        course.note(&format!("the run stopped: {why}"));
    }
    super::course::close(course.journal, outcome)
}

/// Runs on a thread and runtime of its own, so that nothing else takes the measurement's time.
pub fn spawn_load(inputs: LoadInputs) -> std::io::Result<std::thread::JoinHandle<std::io::Result<Raced>>> {
    super::on_own_thread(move || run_load(inputs))
}

/// A prompt, ready to be asked.
struct LoadPrompt {
    id: PromptId,
    text: String,
    /// Its tokens at most.
    tokens: u64,
}

/// Why a target is asked no more, or no more by higher stages.
#[derive(Debug, Clone, PartialEq)]
enum Halted {
    /// Its configuration is at fault.
    Stopped(String),
    /// The condition to stop was met at this stage.
    Above(u32, String),
}

struct LoadCourse {
    manifest: Manifest,
    schedule: LoadSchedule,
    prompts: Arc<[LoadPrompt]>,
    racers: Vec<Racer>,
    stop_when: Vec<Condition>,
    halted: Vec<Option<Halted>>,
    pacers: Vec<Pacer>,
    journal: Journal,
    setting: Setting,
    progress: mpsc::UnboundedSender<Progress>,
    spent: Spent,
}

impl LoadCourse {
    fn new(inputs: LoadInputs) -> LoadCourse {
        let LoadInputs { manifest, schedule, mut prompts, mut racers, journal, clock, stop, progress } = inputs;
        if schedule.design().cold {
            for racer in &mut racers {
                racer.transport = Arc::new(cold::Cold(racer.transport.clone()));
            }
        }
        let mut prompt = |id: &PromptId| {
            let text = prompts.remove(id).unwrap_or_default();
            LoadPrompt { id: id.clone(), tokens: tokens_at_most(&text), text }
        };
        let prompts = manifest.dataset.prompts.iter().map(|facts| prompt(&facts.id)).collect();
        // It was checked when the manifest was made.
        let stop_when = schedule.design().stop_when.as_deref().and_then(|text| conditions_to_stop(text).ok()).unwrap_or_default();
        let halted = vec![None; racers.len()];
        let pacers = racers.iter().map(|racer| Pacer::new(racer.facts.pace)).collect();
        let scale = manifest.simulated.as_ref().map_or(1.0, |simulated| simulated.scale);
        let setting = Setting { limits: manifest.limits.clone(), clock, stop, scale };
        LoadCourse { manifest, schedule, prompts, racers, stop_when, halted, pacers, journal, setting, progress, spent: Spent::default() }
    }

    async fn cells(&mut self) -> Outcome {
        let mut ran = false;
        for cell in self.schedule.cells() {
            if let Some(because) = self.reason_to_skip(&cell) {
                self.state(&cell, StageState::Skipped { because }, 0, None);
                continue;
            }
            if let Some(outcome) = self.reason_to_end(&cell) {
                return outcome;
            }
            if ran && let Some(outcome) = self.rest().await {
                return outcome;
            }
            ran = true;
            match self.cell(&cell).await {
                CellEnd::Whole => {}
                CellEnd::Stopped(reason) => self.halted[cell.target] = Some(Halted::Stopped(reason)),
                CellEnd::Ended(outcome) => return outcome,
            }
        }
        let stopped = |halted: &Option<Halted>| matches!(halted, Some(Halted::Stopped(_)));
        if self.halted.iter().all(stopped) { Outcome::AllStopped } else { Outcome::Finished }
    }

    fn reason_to_skip(&self, cell: &LoadCell) -> Option<String> {
        match self.halted[cell.target].as_ref()? {
            Halted::Stopped(reason) => Some(format!("the target was stopped: {reason}")),
            Halted::Above(stage, because) => (*stage < cell.stage).then(|| because.clone()),
        }
    }

    /// Why the run ends before this cell, if it does: a cell is begun only if the budget has room for all of it.
    fn reason_to_end(&self, cell: &LoadCell) -> Option<Outcome> {
        if let Some(fault) = self.journal.fault() {
            return Some(Outcome::RecordFailed(fault));
        }
        if *self.setting.stop.borrow() != Stop::Go {
            return Some(Outcome::Interrupted);
        }
        let wanted = self.schedule.design().until.requests(&cell.offered).unwrap_or(1);
        self.over_budget(wanted)
    }

    fn over_budget(&self, more: u64) -> Option<Outcome> {
        let (budget, Spent { requests, tokens }) = (&self.manifest.budget, self.spent);
        if let Some(most) = budget.max_requests.filter(|most| *most < requests + more) {
            return Some(Outcome::BudgetSpent(format!("{requests} of {most} requests are sent")));
        }
        if let Some(most) = budget.max_total_tokens.filter(|most| *most <= tokens) {
            return Some(Outcome::BudgetSpent(format!("{tokens} of {most} tokens are used")));
        }
        None
    }

    /// Lets the servers come to rest between two cells.
    async fn rest(&self) -> Option<Outcome> {
        let rest_ms = self.schedule.design().rest_ms;
        if rest_ms == 0 {
            return None;
        }
        let (clock, ns) = (&self.setting.clock, rest_ms * 1_000_000);
        self.tell(Progress::Resting { until: clock.wall() + std::time::Duration::from_nanos(ns) });
        tokio::select! {
            () = clock.sleep_until(clock.now().plus(ns)) => None,
            () = stopping(&self.setting.stop) => Some(Outcome::Interrupted),
        }
    }

    fn state(&self, cell: &LoadCell, state: StageState, connections: u32, lag: Option<SelfLag>) {
        let (wall, mono, target) = (self.setting.clock.wall(), self.setting.clock.now(), self.racers[cell.target].facts.id.clone());
        let (pass, stage) = (cell.pass, cell.stage);
        if state != StageState::Begun {
            self.tell(Progress::StageOver { pass, stage, target: target.clone(), state: state.clone() });
        }
        self.journal.append(Line::Stage(StageLine { pass, stage, target, state, wall, mono, connections, lag }));
    }

    fn note(&self, text: &str) {
        self.journal.append(Line::Note(Note { wall: self.setting.clock.wall(), text: text.to_owned() }));
    }

    fn tell(&self, progress: Progress) {
        let _ = self.progress.send(progress);
    }
}

/// Ready as soon as the run is to stop, one way or another. A sender that is gone stops nothing.
async fn stopping(stop: &watch::Receiver<Stop>) {
    let mut stop = stop.clone();
    if stop.wait_for(|stop| *stop != Stop::Go).await.is_err() {
        std::future::pending::<()>().await;
    }
}
