//! What the runner says, as events for the display.

use super::super::listening::{Listener, Samples};
use super::super::progress::{Ahead, Came, Display, Event, Kind, Passed, RoundOf, Spent};
use crate::clock::Clock;
use crate::ident::TargetId;
use crate::plan::Schedule;
use crate::record::{Budget, Manifest, Role, RoundState};
use crate::runner::{self, Before, Extent, Outcome, Progress};
use std::collections::BTreeMap;
use std::path::Path;

/// Tells a display of one sitting.
pub struct Telling {
    /// Where it is shown.
    pub display: Display,
    budget: Budget,
    /// Requests of every round to each target that were still to be sent at the beginning.
    left: BTreeMap<u32, u64>,
    spent: Option<Spent>,
    samples: Samples,
}

impl Telling {
    /// Nothing is told yet.
    pub fn new(display: Display, budget: Budget, samples: Samples) -> Telling {
        Telling { display, budget, left: BTreeMap::new(), spent: None, samples }
    }

    /// A sitting begins.
    pub fn begun(&mut self, folder: &Path, manifest: &Manifest, schedule: &Schedule, before: &Before, extent: Extent) {
        for block in schedule.remaining(&before.done).iter().filter(|block| !before.closed.contains(&block.round)) {
            *self.left.entry(block.round).or_default() += 1;
        }
        let now = Clock::System.wall();
        let ahead = match extent {
            Extent::All => self.left.values().sum(),
            Extent::OneRound => {
                let can_begin = |round: u32| schedule.latest(round).is_none_or(|latest| now < latest);
                self.left.iter().find(|(round, _)| can_begin(**round)).map_or(0, |(_, requests)| *requests)
            }
        };
        let spent = runner::Spent { requests: before.requests, tokens: before.tokens };
        self.spent = Some(against(spent, &self.budget));
        let ahead = Ahead { requests: Some(ahead), lasts_ms: None };
        let last_due = schedule.latest(schedule.rounds).and(schedule.due(schedule.rounds)).filter(|_| extent == Extent::All);
        self.display.show(&Event::Begun {
            run: folder.display().to_string(),
            kind: Kind::Rounds,
            rounds: manifest.design.rounds,
            rounds_over: before.closed.len() as u32,
            targets: manifest.targets.iter().map(|target| (target.id.clone(), ahead)).collect(),
            last_due,
            spent: self.spent,
            last_round: before.last_round.as_ref().map(|(round, targets)| (*round, targets.iter().cloned().map(round_of).collect())),
        });
    }

    fn show(&mut self, said: Progress) {
        let requests = |round: u32| self.left.get(&round).copied().unwrap_or(0);
        let event = match said {
            Progress::Round { round } => Event::Round { round },
            Progress::Waiting { round, until } => Event::Waiting { round, until },
            Progress::Trial { target, role, usable, sent, words, spent } => {
                let came = match (usable, sent) {
                    _ if role == Role::WarmUp => Came::Unscored,
                    (true, _) => Came::Ok,
                    (false, true) => Came::Failed,
                    (false, false) => Came::NotSent,
                };
                self.spent = Some(against(spent, &self.budget));
                Event::Trial { target, came, words, spent: self.spent }
            }
            Progress::RoundOver { round, state: RoundState::Missed, .. } => {
                Event::Passed { round, how: Passed::Missed, requests: requests(round) }
            }
            Progress::RoundOver { round, state: RoundState::Partial, .. } => {
                Event::Passed { round, how: Passed::BrokenOff, requests: requests(round) }
            }
            Progress::RoundOver { round, targets, spent, .. } => {
                Event::RoundOver { round, targets: targets.into_iter().map(round_of).collect(), spent: against(spent, &self.budget) }
            }
            Progress::Held { targets, until } => Event::Held { targets, until },
            Progress::Stopped { target, reason } => Event::Stopped { target, reason },
            // Of load runs alone.
            Progress::Stage { .. } | Progress::StageOver { .. } | Progress::Resting { .. } => return,
        };
        self.display.show(&event);
    }

    /// The sitting is over. Tells which targets gave no usable sample, and how their last request went.
    pub fn ended(mut self, outcome: &Outcome) -> Vec<(TargetId, String)> {
        self.display.show(&Event::Ended { outcome: outcome_name(outcome).to_owned(), spent: self.spent });
        self.samples.without()
    }
}

impl Listener for Telling {
    fn hear(&mut self, said: Progress) {
        self.samples.saw(&said);
        self.show(said);
    }
    fn display(&mut self) -> &mut Display {
        &mut self.display
    }
}

/// How a run ended, as programs are told.
pub fn outcome_name(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Finished => "finished",
        Outcome::Interrupted => "interrupted",
        Outcome::BudgetSpent(_) => "budget_spent",
        Outcome::AllStopped => "all_stopped",
        Outcome::RecordFailed(_) => "record_failed",
        Outcome::RoundDone { .. } => "round_done",
        Outcome::NoRoundDue { .. } => "no_round_due",
    }
}

fn round_of(of: runner::RoundOf) -> RoundOf {
    let seconds = |range: runner::Range| (range.min_ns as f64 / 1e9, range.max_ns as f64 / 1e9);
    RoundOf {
        target: of.target,
        ok: of.ok.into(),
        failed: of.failed.into(),
        not_sent: of.not_sent.into(),
        first_text_s: of.first_text.map(seconds),
        total_s: of.total.map(seconds),
    }
}

/// What was spent, beside the budget.
pub fn against(spent: runner::Spent, budget: &Budget) -> Spent {
    Spent { requests: spent.requests, max_requests: budget.max_requests, tokens: spent.tokens, max_tokens: budget.max_total_tokens }
}
