//! The course of a run: rounds in order, blocks in a round, targets at once or one after another.

use super::hold::{all_over_budget, hold};
use super::lag::LagWatch;
use super::lane::{Lane, Planned, Setting, reply_at_most};
use super::resume::tokens_used;
use super::{Before, Extent, NextRound, Outcome, Progress, Raced, RoundOf, RunInputs, Spent, Stop, usable, words};
use crate::clock::Clock;
use crate::ident::PromptId;
use crate::plan::{Block, Schedule, tokens_at_most};
use crate::record::{Line, Manifest, Note, Role, RoundLine, RoundState, SelfLag, Trial};
use crate::store::Journal;
use crate::timeline::Ended;
use crate::units::{Stamp, secs};
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::collections::BTreeMap;
use tokio::sync::mpsc;

/// A round that was interrupted for longer is closed as it is: its hour has passed.
const LONGEST_BREAK_S: i64 = 15 * 60;
/// The longest time without a look at the wall clock.
const LONGEST_STEP_NS: u64 = secs(30);
/// One round is asked for by another clock than this machine's at times: so many seconds before its time it is waited for.
pub const EARLY_S: i64 = 5;
/// A connection that was idle for longer is not asked over again: routers on the way forget it, and a machine that slept cannot know.
const LONGEST_IDLE_S: i64 = 60;
/// The wall clock was set, or the machine slept, where it moved against the monotonic one by more than this.
const STEP_NS: i128 = 100_000_000;

/// Runs to the end, a stop, or the end of a budget. Whatever happens is on record.
pub async fn run(inputs: RunInputs) -> Raced {
    let RunInputs { manifest, schedule, prompts, racers, journal, before, clock, stop, extent, progress } = inputs;
    let spent = Spent { requests: before.requests, tokens: before.tokens };
    let scale = manifest.simulated.as_ref().map_or(1.0, |simulated| simulated.scale);
    let setting = Setting { limits: manifest.limits.clone(), clock, stop, scale };
    let mut lanes: Vec<Lane> = racers.into_iter().map(Lane::new).collect();
    for lane in &mut lanes {
        before.remind(&lane.racer.facts.id, &mut lane.pacer, &setting.clock);
    }
    let apart_ns = apart_ns(&setting.clock);
    let mut course =
        Course { manifest, schedule, prompts, lanes, journal, before, setting, progress, spent, targets: Vec::new(), apart_ns };
    let outcome = match extent {
        Extent::All => course.all_rounds().await,
        Extent::OneRound => course.one_round().await,
    };
    if let Some(why) = stopped_by(&outcome) {
        course.note(&format!("the run stopped: {why}"));
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
    spent: Spent,
    /// What the targets did in the round that is under way.
    targets: Vec<RoundOf>,
    /// How far the wall clock was ahead of the monotonic one at the last line of a round.
    apart_ns: i128,
}

/// What became of a round.
enum Went {
    /// It was held.
    Held,
    /// It was not: its time has passed, or nothing of it was left.
    Passed,
    /// The sitting ends in it.
    Ended(Outcome),
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
    async fn all_rounds(&mut self) -> Outcome {
        for round in self.open_rounds() {
            if let Went::Ended(outcome) = self.round(round).await {
                return outcome;
            }
        }
        Outcome::Finished
    }

    /// The round that is due now and no other. Earlier ones that nobody saw are missed.
    async fn one_round(&mut self) -> Outcome {
        for round in self.open_rounds() {
            let time = self.schedule.time(round).filter(|_| self.schedule.calendar.is_some());
            if time.is_some_and(|time| EARLY_S < time.as_second() - self.setting.clock.wall().as_second()) {
                return Outcome::NoRoundDue { next: self.next_after(round - 1) };
            }
            match self.round(round).await {
                Went::Held => {
                    let left = self.open_rounds().iter().filter(|left| round < **left).count() as u32;
                    return Outcome::RoundDone { round, left, next: self.next_after(round) };
                }
                Went::Passed => {}
                Went::Ended(outcome) => return outcome,
            }
        }
        Outcome::NoRoundDue { next: None }
    }

    async fn round(&mut self, round: u32) -> Went {
        let last_seen = self.before.last_seen.get(&round).copied();
        if last_seen.is_some_and(|last| self.is_broken(round, last)) {
            self.over(round, RoundState::Partial, None);
            return Went::Passed;
        }
        if let Some(outcome) = self.until_due(round).await {
            return Went::Ended(outcome);
        }
        if last_seen.is_none() && self.is_missed(round) {
            self.over(round, RoundState::Missed, None);
            return Went::Passed;
        }
        let blocks: Vec<Block> =
            self.schedule.round(round).into_iter().filter(|block| !self.before.done.contains(&(round, block.number))).collect();
        if blocks.is_empty() {
            self.over(round, RoundState::Finished, None);
            return Went::Passed;
        }
        if let Some(outcome) = self.reason_to_end(1 + u64::from(self.manifest.design.warm_up)) {
            return Went::Ended(outcome);
        }
        if let Some(outcome) = self.day_is_over("", Role::WarmUp) {
            return Went::Ended(outcome);
        }
        self.targets = self.manifest.targets.iter().map(|target| RoundOf::of(target.id.clone())).collect();
        self.state(round, RoundState::Begun, None);
        self.tell(Progress::Round { round });
        let mut lag = LagWatch::start(&self.setting.clock, 0);
        if self.manifest.design.warm_up {
            self.warm_up(round, &mut lag).await;
        }
        for block in &blocks {
            if let Some(outcome) = self.reason_to_end(1) {
                return Went::Ended(outcome);
            }
            let attempt = self.before.attempts.get(&(round, block.number)).map_or(1, |made| made + 1);
            let (number, prompt) = (block.number, &block.prompt);
            let asked = Asked { round, block: number, prompt, order: &block.order, role: Role::Scored, attempt };
            let text = self.text(round, prompt, attempt);
            if let Some(outcome) = self.day_is_over(&text, Role::Scored) {
                return Went::Ended(outcome);
            }
            let whole = self.ask(&asked, &text, &mut lag).await;
            // Broken off in its last block, the round is not over.
            if let Some(outcome) = self.interrupted().filter(|_| !whole) {
                return Went::Ended(outcome);
            }
        }
        let lag = lag.finish(&self.setting.clock);
        self.over(round, RoundState::Finished, Some(lag));
        Went::Held
    }

    async fn warm_up(&mut self, round: u32, lag: &mut LagWatch) {
        let prompt = PromptId::new("warm-up").expect("a name");
        let order: Vec<usize> = (0..self.lanes.len()).collect();
        let attempt = self.before.attempts.get(&(round, 0)).map_or(1, |made| made + 1);
        let asked = Asked { round, block: 0, prompt: &prompt, order: &order, role: Role::WarmUp, attempt };
        let text = format!("{}Say OK.", self.nonce(round, &prompt, attempt));
        self.ask(&asked, &text, lag).await;
    }

    /// Sends one text to every target as soon as all of them may be asked, at once or one after another, and records each answer as it
    /// ends. Tells whether all of them were asked and none was broken off.
    async fn ask(&mut self, asked: &Asked<'_>, text: &str, lag: &mut LagWatch) -> bool {
        let came = self.setting.clock.now();
        let (at_most, slot_end) = (self.tokens_at_most(text, asked.role), self.slot_end(asked.round));
        let Course { lanes, setting, progress, .. } = self;
        let mut tell = |targets, until| drop(progress.send(Progress::Held { targets, until }));
        // Nothing was sent and nothing is on record: the block is still to come.
        let Some(entries) = hold(lanes, &at_most, slot_end, setting, &mut tell).await else { return false };
        let Course { lanes, setting, schedule, journal, progress, spent, targets, .. } = self;
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
                scheduled: match entries[*index].held_since {
                    Some(_) => Some(came),
                    None => at_once.then_some(start),
                },
                entry: entries[*index].clone(),
                load: None,
            };
            turns.push((lane, planned));
        }
        let setting: &Setting = setting;
        let mut whole = true;
        let mut record = |trial: Trial, lane: &Lane, was_stopped: bool| {
            if let Some(answer) = &trial.answer {
                spent.requests += 1;
                spent.tokens += tokens_used(answer, tokens_at_most(text), reply_at_most(&lane.racer, asked.role));
                whole &= answer.ended != Ended::Cancelled;
            }
            lag.saw(&trial);
            if let Some(of) = targets.iter_mut().find(|of| of.target == trial.target) {
                of.saw(&trial);
            }
            let (target, role, sent) = (trial.target.clone(), trial.role, trial.answer.is_some());
            let _ = progress.send(Progress::Trial { target, role, usable: usable(&trial), sent, words: words(&trial), spent: *spent });
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
        let due = self.schedule.due(round)?;
        if self.setting.clock.wall() < due {
            self.tell(Progress::Waiting { round, until: due });
        }
        let most = self.schedule.calendar.as_ref().map_or(LONGEST_STEP_NS, |calendar| step_ns(calendar.late_s));
        let mut stop = self.setting.stop.clone();
        let came = self.setting.clock.wall();
        loop {
            if let Some(outcome) = self.interrupted() {
                return Some(outcome);
            }
            let left = due.as_nanosecond() - self.setting.clock.wall().as_nanosecond();
            if left <= 0 {
                if LONGEST_IDLE_S < due.as_second() - came.as_second() {
                    self.lanes.iter_mut().for_each(Lane::hang_up);
                }
                return None;
            }
            // In steps, since the wall clock may be set meanwhile, or the machine sleep.
            let step = self.setting.clock.now().plus((left as u64).min(most));
            tokio::select! {
                () = self.setting.clock.sleep_until(step) => {}
                changed = stop.changed() => if changed.is_err() { self.setting.clock.sleep_until(step).await },
            }
        }
    }

    /// When the next round's time comes, or a round's slot is over, on the monotonic clock.
    fn slot_end(&self, round: u32) -> Option<Stamp> {
        let schedule = &self.schedule;
        let end = if schedule.calendar.is_some() { schedule.time(round + 1) } else { schedule.latest(round) }?;
        let left = end.as_nanosecond() - self.setting.clock.wall().as_nanosecond();
        Some(self.setting.clock.now().plus(left.clamp(0, i128::from(u64::MAX)) as u64))
    }

    /// What a request may use of each target's tokens.
    fn tokens_at_most(&self, text: &str, role: Role) -> Vec<u64> {
        self.lanes.iter().map(|lane| tokens_at_most(text) + reply_at_most(&lane.racer, role)).collect()
    }

    /// Rounds that follow one another end with the day of the last target; those that have a time of their own pass without it.
    fn day_is_over(&mut self, text: &str, role: Role) -> Option<Outcome> {
        let at_most = self.tokens_at_most(text, role);
        let over = self.schedule.latest(1).is_none() && all_over_budget(&mut self.lanes, &at_most, &self.setting);
        over.then(|| Outcome::BudgetSpent("every target has used up its day, which begins anew at midnight UTC".into()))
    }

    fn is_missed(&self, round: u32) -> bool {
        self.schedule.latest(round).is_some_and(|latest| latest <= self.setting.clock.wall())
    }

    /// Whether a round that had begun, and last showed life at `last`, is closed as it is.
    fn is_broken(&self, round: u32, last: jiff::Timestamp) -> bool {
        let now = self.setting.clock.wall();
        let next = self.schedule.time(round + 1).filter(|_| self.schedule.calendar.is_some());
        LONGEST_BREAK_S < now.as_second() - last.as_second() || next.is_some_and(|next| next <= now)
    }

    fn open_rounds(&self) -> Vec<u32> {
        (1..=self.schedule.rounds).filter(|round| !self.before.closed.contains(round)).collect()
    }

    /// The first round after this one that can still be held, where rounds have moments.
    fn next_after(&self, round: u32) -> Option<NextRound> {
        let now = self.schedule.round_at(self.setting.clock.wall());
        let open = (now.max(round + 1)..=self.schedule.rounds).filter(|next| !self.before.closed.contains(next));
        open.filter(|next| self.schedule.latest(*next).is_some() && !self.is_missed(*next))
            .find_map(|next| Some(NextRound { round: next, due: self.schedule.due(next)? }))
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
        if let Some(most) = budget.max_requests.filter(|most| *most < self.spent.requests + running * requests_each) {
            return Some(Outcome::BudgetSpent(format!("{} of {most} requests are sent", self.spent.requests)));
        }
        if let Some(most) = budget.max_total_tokens.filter(|most| *most <= self.spent.tokens) {
            return Some(Outcome::BudgetSpent(format!("{} of {most} tokens are used", self.spent.tokens)));
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

    /// Writes down that a round is over and tells what came of it.
    fn over(&mut self, round: u32, state: RoundState, lag: Option<SelfLag>) {
        self.state(round, state, lag);
        let targets = std::mem::take(&mut self.targets);
        self.tell(Progress::RoundOver { round, state, targets, spent: self.spent, next: self.next_after(round) });
    }

    fn state(&mut self, round: u32, state: RoundState, lag: Option<SelfLag>) {
        let (wall, mono) = self.setting.clock.both();
        let apart_ns = wall.as_nanosecond() - i128::from(mono.0);
        let stepped = apart_ns - std::mem::replace(&mut self.apart_ns, apart_ns);
        let stepped_ns = (STEP_NS < stepped.abs()).then(|| i64::try_from(stepped).unwrap_or(if stepped < 0 { i64::MIN } else { i64::MAX }));
        self.journal.append(Line::Round(RoundLine { round, state, wall, mono, stepped_ns, lag }));
    }

    fn note(&self, text: &str) {
        self.journal.append(Line::Note(Note { wall: self.setting.clock.wall(), text: text.to_owned() }));
    }

    fn tell(&self, progress: Progress) {
        let _ = self.progress.send(progress);
    }
}

/// Why the run stopped before its end, for the record.
pub(super) fn stopped_by(outcome: &Outcome) -> Option<String> {
    Some(match outcome {
        Outcome::Finished | Outcome::RoundDone { .. } | Outcome::NoRoundDue { .. } => return None,
        Outcome::Interrupted => "interrupted by the user".into(),
        Outcome::BudgetSpent(how) => format!("budget spent, {how}"),
        Outcome::AllStopped => "every target is stopped".into(),
        Outcome::RecordFailed(fault) => fault.clone(),
    })
}

/// How far the wall clock is ahead of the monotonic one.
fn apart_ns(clock: &Clock) -> i128 {
    let (wall, mono) = clock.both();
    wall.as_nanosecond() - i128::from(mono.0)
}

/// How long the wait for a round goes on without a look at the wall clock: half of what the round may be late, one second at least.
fn step_ns(late_s: u64) -> u64 {
    (secs(late_s.clamp(2, 60)) / 2).min(LONGEST_STEP_NS)
}
