//! The course of a run: rounds in order, blocks in a round, targets at once or one after another.

use super::lag::LagWatch;
use super::lane::{Lane, Planned, Setting};
use super::resume::tokens_used;
use super::{Before, Outcome, Progress, Raced, RunInputs, Stop, usable, words};
use crate::ident::PromptId;
use crate::plan::{Block, Schedule, tokens_at_most};
use crate::record::{Line, Manifest, Note, Role, RoundLine, RoundState, SelfLag, Trial};
use crate::store::Journal;
use crate::timeline::Ended;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::collections::BTreeMap;
use tokio::sync::mpsc;

/// A round that was interrupted for longer is closed as it is: its hour has passed.
const LONGEST_BREAK_S: i64 = 15 * 60;

/// Runs to the end, a stop, or the end of a budget. Whatever happens is on record.
pub async fn run(inputs: RunInputs) -> Raced {
    let RunInputs { manifest, schedule, prompts, racers, journal, before, clock, stop, progress } = inputs;
    let setting = Setting { limits: manifest.limits.clone(), clock, stop };
    let lanes = racers.into_iter().map(Lane::new).collect();
    let (requests, tokens) = (before.requests, before.tokens);
    let mut course = Course { manifest, schedule, prompts, lanes, journal, before, setting, progress, requests, tokens };
    let outcome = course.rounds().await;
    if outcome != Outcome::Finished {
        course.note(&format!("the run stopped: {}", said(&outcome)));
    }
    close(course.journal, outcome)
}

/// The end of a run, once all its lines are on the disk.
pub(super) fn close(journal: Journal, outcome: Outcome) -> Raced {
    let folder = journal.folder().to_owned();
    match journal.close() {
        Ok(folder) => Raced { folder, outcome },
        Err(fault) => Raced { folder, outcome: Outcome::RecordFailed(fault) },
    }
}

struct Course {
    manifest: Manifest,
    schedule: Schedule,
    prompts: BTreeMap<PromptId, String>,
    lanes: Vec<Lane>,
    journal: Journal,
    before: Before,
    setting: Setting,
    progress: mpsc::UnboundedSender<Progress>,
    requests: u64,
    tokens: u64,
}

/// A block, or a round's warm-up, ready to be asked.
struct Asked<'a> {
    round: u32,
    block: u32,
    prompt: &'a PromptId,
    order: &'a [usize],
    role: Role,
    attempt: u32,
}

impl Course {
    async fn rounds(&mut self) -> Outcome {
        for round in 1..=self.schedule.rounds {
            if self.before.closed.contains(&round) {
                continue;
            }
            if let Some(outcome) = self.round(round).await {
                return outcome;
            }
        }
        Outcome::Finished
    }

    /// One round; an outcome if the run ends with it.
    async fn round(&mut self, round: u32) -> Option<Outcome> {
        let last_seen = self.before.last_seen.get(&round).copied();
        if let Some(last) = last_seen
            && LONGEST_BREAK_S < self.setting.clock.wall().as_second() - last.as_second()
        {
            self.state(round, RoundState::Partial, None);
            return None;
        }
        if let Some(outcome) = self.until_due(round).await {
            return Some(outcome);
        }
        if last_seen.is_none() && self.is_missed(round) {
            self.state(round, RoundState::Missed, None);
            return None;
        }
        let blocks: Vec<Block> =
            self.schedule.round(round).into_iter().filter(|block| !self.before.done.contains(&(round, block.number))).collect();
        if blocks.is_empty() {
            self.state(round, RoundState::Finished, None);
            return None;
        }
        if let Some(outcome) = self.reason_to_end(1 + u64::from(self.manifest.design.warm_up)) {
            return Some(outcome);
        }
        self.state(round, RoundState::Begun, None);
        self.tell(Progress::Round { round });
        let mut lag = LagWatch::start(&self.setting.clock);
        if self.manifest.design.warm_up {
            self.warm_up(round, &mut lag).await;
        }
        for block in &blocks {
            if let Some(outcome) = self.reason_to_end(1) {
                return Some(outcome);
            }
            let attempt = self.before.attempts.get(&(round, block.number)).map_or(1, |made| made + 1);
            let (number, prompt) = (block.number, &block.prompt);
            let asked = Asked { round, block: number, prompt, order: &block.order, role: Role::Scored, attempt };
            let whole = self.ask(&asked, &self.text(round, prompt, attempt), &mut lag).await;
            // Broken off in its last block, the round is not over.
            if let Some(outcome) = self.interrupted().filter(|_| !whole) {
                return Some(outcome);
            }
        }
        let lag = lag.finish(&self.setting.clock);
        self.state(round, RoundState::Finished, Some(lag));
        None
    }

    async fn warm_up(&mut self, round: u32, lag: &mut LagWatch) {
        let prompt = PromptId::new("warm-up").expect("a name");
        let order: Vec<usize> = (0..self.lanes.len()).collect();
        let attempt = self.before.attempts.get(&(round, 0)).map_or(1, |made| made + 1);
        let asked = Asked { round, block: 0, prompt: &prompt, order: &order, role: Role::WarmUp, attempt };
        let text = format!("{}Say OK.", self.nonce(round, &prompt, attempt));
        self.ask(&asked, &text, lag).await;
    }

    /// Sends one text to every target, at once or one after another, and records each answer as it ends. Tells whether all of them
    /// were asked and none was broken off.
    async fn ask(&mut self, asked: &Asked<'_>, text: &str, lag: &mut LagWatch) -> bool {
        let Course { lanes, setting, schedule, journal, progress, requests, tokens, .. } = self;
        let start = setting.clock.now();
        let at_once = self.manifest.design.at_once;
        let mut by_lane: Vec<Option<&mut Lane>> = lanes.iter_mut().map(Some).collect();
        let mut turns = Vec::new();
        for (place, index) in asked.order.iter().enumerate() {
            let Some(lane) = by_lane[*index].take() else { continue };
            let planned = Planned {
                id: schedule.trial(asked.round, asked.prompt, &lane.racer.facts.id, asked.attempt),
                round: asked.round,
                block: asked.block,
                prompt: asked.prompt,
                text,
                place: place as u32 + 1,
                attempt: asked.attempt,
                role: asked.role,
                scheduled: at_once.then_some(start),
                load: None,
            };
            turns.push((lane, planned));
        }
        let setting: &Setting = setting;
        let mut whole = true;
        let mut record = |trial: Trial, lane: &Lane, was_stopped: bool| {
            if let Some(answer) = &trial.answer {
                *requests += 1;
                let cap = if asked.role == Role::WarmUp { 1 } else { lane.racer.facts.sampling.max_tokens.unwrap_or(0) };
                *tokens += tokens_used(answer, tokens_at_most(text), cap);
                whole &= answer.ended != Ended::Cancelled;
            }
            lag.saw(&trial);
            let said = Progress::Trial { target: trial.target.clone(), role: trial.role, usable: usable(&trial), words: words(&trial) };
            let _ = progress.send(said);
            if let Some(reason) = lane.stopped.clone().filter(|_| !was_stopped) {
                let _ = progress.send(Progress::Stopped { target: trial.target.clone(), reason });
            }
            journal.append(Line::Trial(Box::new(trial)));
        };
        let turn = async |lane: &mut Lane, planned: Planned<'_>| {
            let was_stopped = lane.stopped.is_some();
            (lane.ask(setting, planned).await, was_stopped)
        };
        if at_once {
            let mut running: FuturesUnordered<_> = turns
                .into_iter()
                .map(async |(lane, planned)| {
                    let (trial, was_stopped) = turn(lane, planned).await;
                    (trial, lane, was_stopped)
                })
                .collect();
            while let Some((trial, lane, was_stopped)) = running.next().await {
                record(trial, lane, was_stopped);
            }
        } else {
            for (lane, planned) in turns {
                // What is in flight is read to its end; nothing new is sent. The block is void then and sent anew.
                if *setting.stop.borrow() != Stop::Go {
                    return false;
                }
                let (trial, was_stopped) = turn(lane, planned).await;
                record(trial, lane, was_stopped);
            }
        }
        whole
    }

    /// Waits for the round's moment.
    async fn until_due(&mut self, round: u32) -> Option<Outcome> {
        let due = self.moment(self.schedule.due_ns(round));
        if self.setting.clock.wall() < due {
            self.tell(Progress::Waiting { round, until: due });
        }
        let mut stop = self.setting.stop.clone();
        loop {
            if let Some(outcome) = self.interrupted() {
                return Some(outcome);
            }
            let left = due.as_nanosecond() - self.setting.clock.wall().as_nanosecond();
            if left <= 0 {
                return None;
            }
            // In steps, since the wall clock may be set meanwhile.
            let step = self.setting.clock.now().plus((left as u64).min(30_000_000_000));
            tokio::select! {
                () = self.setting.clock.sleep_until(step) => {}
                changed = stop.changed() => if changed.is_err() { self.setting.clock.sleep_until(step).await },
            }
        }
    }

    fn is_missed(&self, round: u32) -> bool {
        self.schedule.slot_end_ns(round).is_some_and(|end| self.moment(end) <= self.setting.clock.wall())
    }

    fn moment(&self, after_start_ns: u64) -> jiff::Timestamp {
        self.manifest.created + std::time::Duration::from_nanos(after_start_ns)
    }

    /// Why the run ends before the next `requests_each` requests to every target, if it does.
    fn reason_to_end(&self, requests_each: u64) -> Option<Outcome> {
        if let Some(fault) = self.journal.fault() {
            return Some(Outcome::RecordFailed(fault));
        }
        if let Some(outcome) = self.interrupted() {
            return Some(outcome);
        }
        let running = self.lanes.iter().filter(|lane| lane.stopped.is_none()).count() as u64;
        if running == 0 {
            return Some(Outcome::AllStopped);
        }
        let budget = &self.manifest.budget;
        if let Some(most) = budget.max_requests.filter(|most| *most < self.requests + running * requests_each) {
            return Some(Outcome::BudgetSpent(format!("{} of {most} requests are sent", self.requests)));
        }
        if let Some(most) = budget.max_total_tokens.filter(|most| *most <= self.tokens) {
            return Some(Outcome::BudgetSpent(format!("{} of {most} tokens are used", self.tokens)));
        }
        None
    }

    fn interrupted(&self) -> Option<Outcome> {
        (*self.setting.stop.borrow() != Stop::Go).then_some(Outcome::Interrupted)
    }

    fn text(&self, round: u32, prompt: &PromptId, attempt: u32) -> String {
        format!("{}{}", self.nonce(round, prompt, attempt), self.prompts.get(prompt).map_or("", String::as_str))
    }

    fn nonce(&self, round: u32, prompt: &PromptId, attempt: u32) -> String {
        if self.manifest.design.cache_defeat { self.schedule.nonce(round, prompt, attempt) } else { String::new() }
    }

    fn state(&self, round: u32, state: RoundState, lag: Option<SelfLag>) {
        let (wall, mono) = (self.setting.clock.wall(), self.setting.clock.now());
        self.journal.append(Line::Round(RoundLine { round, state, wall, mono, stepped_ns: None, lag }));
    }

    fn note(&self, text: &str) {
        self.journal.append(Line::Note(Note { wall: self.setting.clock.wall(), text: text.to_owned() }));
    }

    fn tell(&self, progress: Progress) {
        let _ = self.progress.send(progress);
    }
}

/// An outcome in words, for the record.
pub(super) fn said(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Finished => "all rounds are over".into(),
        Outcome::Interrupted => "interrupted by the user".into(),
        Outcome::BudgetSpent(how) => format!("budget spent, {how}"),
        Outcome::AllStopped => "every target is stopped".into(),
        Outcome::RecordFailed(fault) => fault.clone(),
    }
}
