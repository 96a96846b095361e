//! What happens in a run, told while it happens: counts and ranges, no statistics.

use super::usable;
use crate::ident::TargetId;
use crate::record::{Role, RoundState, StageState, Trial};

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
    /// A block waits ten seconds or more until its targets may be asked.
    Held {
        /// Those that it waits for.
        targets: Vec<TargetId>,
        /// Until when, as far as is known.
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
        /// It was sent at all.
        sent: bool,
        /// How it went, in few words.
        words: String,
        /// The whole run's spending so far.
        spent: Spent,
    },
    /// A round is over: finished, missed or partial.
    RoundOver {
        /// The round, from 1.
        round: u32,
        /// What became of it.
        state: RoundState,
        /// What its targets did, in the run's order; of a round that was gone on with, what they did in this sitting.
        targets: Vec<RoundOf>,
        /// The whole run's spending so far.
        spent: Spent,
        /// The next round, where rounds have moments and one is left.
        next: Option<NextRound>,
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

/// What a run has spent, earlier sittings included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// Requests sent, warm-ups included.
    pub requests: u64,
    /// Tokens of prompts and replies, as reported or else counted in the worst case.
    pub tokens: u64,
}

/// A round that is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextRound {
    /// The round, from 1.
    pub round: u32,
    /// When it is due.
    pub due: jiff::Timestamp,
}

/// What one target did in one round. Scored requests only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundOf {
    /// The target.
    pub target: TargetId,
    /// Replies that a table can use.
    pub ok: u32,
    /// Requests that were sent and gave none.
    pub failed: u32,
    /// Requests that were not sent.
    pub not_sent: u32,
    /// Of the replies in `ok`: from the first write to the first text.
    pub first_text: Option<Range>,
    /// Of the replies in `ok`: from the first write to the end.
    pub total: Option<Range>,
}

/// The smallest and the largest of some times, nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The smallest.
    pub min_ns: u64,
    /// The largest.
    pub max_ns: u64,
}

impl RoundOf {
    pub(super) fn of(target: TargetId) -> RoundOf {
        RoundOf { target, ok: 0, failed: 0, not_sent: 0, first_text: None, total: None }
    }

    /// Takes in a trial of this target.
    pub(super) fn saw(&mut self, trial: &Trial) {
        let Some(answer) = trial.answer.as_ref().filter(|_| trial.role == Role::Scored) else {
            self.not_sent += u32::from(trial.role == Role::Scored);
            return;
        };
        if !usable(trial) {
            self.failed += 1;
            return;
        }
        self.ok += 1;
        Range::widen(&mut self.first_text, answer.timeline.first().map(|point| point.at.0));
        Range::widen(&mut self.total, answer.stamps.closed.zip(answer.stamps.first_write).map(|(end, start)| end.since(start)));
    }
}

impl Range {
    fn widen(range: &mut Option<Range>, value: Option<u64>) {
        let Some(value) = value else { return };
        let so_far = range.unwrap_or(Range { min_ns: value, max_ns: value });
        *range = Some(Range { min_ns: so_far.min_ns.min(value), max_ns: so_far.max_ns.max(value) });
    }
}
