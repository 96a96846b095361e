//! What an earlier sitting of the same run left behind.

use super::RoundOf;
use super::pace::{Pacer, Past};
use crate::clock::Clock;
use crate::ident::TargetId;
use crate::plan::tokens_at_most;
use crate::record::{Answer, NotSent, Reads, Role, RoundState, Trial};
use crate::store::{self, Run};
use crate::timeline::{Phase, Timeline};
use std::collections::{BTreeMap, BTreeSet};

/// What is on record of a run already.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Before {
    /// Blocks that are complete, by round and place.
    pub done: BTreeSet<(u32, u32)>,
    /// The highest attempt of each block, 0 the warm-up.
    pub attempts: BTreeMap<(u32, u32), u32>,
    /// Rounds that are over: finished, missed or partial.
    pub closed: BTreeSet<u32>,
    /// When a round that had begun last showed life.
    pub last_seen: BTreeMap<u32, jiff::Timestamp>,
    /// Requests sent.
    pub requests: u64,
    /// Tokens used, prompt and reply.
    pub tokens: u64,
    /// Usable samples of each target.
    pub usable: BTreeMap<TargetId, u64>,
    /// What each target was asked, in order of time.
    pub asked: BTreeMap<TargetId, Vec<Past>>,
    /// When a target was last left out because its day's budget was used up.
    pub over_budget: BTreeMap<TargetId, jiff::Timestamp>,
    /// The last round that was held to its end, and what its targets did.
    pub last_round: Option<(u32, Vec<RoundOf>)>,
}

/// Takes from a trial of the record what [`Before::of`] does not ask: its texts and all of its timeline but the first event and the
/// first of the answer itself. A month of trials fits into memory then.
pub fn thin(trial: &mut Trial) {
    let Some(answer) = &mut trial.answer else { return };
    (answer.text, answer.counts, answer.reads) = (None, None, Reads::default());
    answer.headers.clear();
    let told = answer.timeline.phases().position(|phase| phase != Phase::Reasoning);
    let mut kept = Timeline::default();
    for (at, point) in answer.timeline.points().enumerate() {
        if at == 0 || Some(at) == told {
            kept.push(point);
        }
    }
    answer.timeline = kept;
}

impl Before {
    /// Read from the record.
    pub fn of(run: &Run) -> Before {
        let mut before = Before {
            done: store::scored_blocks(run).iter().map(|block| (block.round, block.block)).collect(),
            attempts: store::attempts_made(run),
            ..Before::default()
        };
        for line in &run.rounds {
            match line.state {
                RoundState::Begun => before.seen(line.round, line.wall),
                RoundState::Finished | RoundState::Missed | RoundState::Partial => drop(before.closed.insert(line.round)),
            }
        }
        for trial in &run.trials {
            if let Some(NotSent::OverBudget { .. }) = &trial.not_sent {
                before.over_budget.insert(trial.target.clone(), trial.wall);
            }
            let Some(answer) = &trial.answer else { continue };
            let past = past(trial, answer, tokens_used(answer, prompt_at_most(run, trial), cap(run, trial)));
            before.seen(trial.round, past.ended);
            before.requests += 1;
            before.tokens += past.tokens;
            before.asked.entry(trial.target.clone()).or_default().push(past);
            if super::usable(trial) {
                *before.usable.entry(trial.target.clone()).or_default() += 1;
            }
        }
        before.last_round = before.last_finished(run);
        before
    }

    fn last_finished(&self, run: &Run) -> Option<(u32, Vec<RoundOf>)> {
        let round = run.rounds.iter().rfind(|line| line.state == RoundState::Finished)?.round;
        let mut targets: Vec<RoundOf> = run.manifest.targets.iter().map(|target| RoundOf::of(target.id.clone())).collect();
        let counts = |trial: &&Trial| trial.round == round && self.attempts.get(&(round, trial.block)) == Some(&trial.attempt);
        for trial in run.trials.iter().filter(counts) {
            targets.iter_mut().filter(|of| of.target == trial.target).for_each(|of| of.saw(trial));
        }
        Some((round, targets))
    }

    /// Tells a target's pacer what it was asked in earlier sittings.
    pub fn remind(&self, target: &TargetId, pacer: &mut Pacer, clock: &Clock) {
        let (now, wall) = (clock.now(), clock.wall());
        for past in self.asked.get(target).into_iter().flatten() {
            pacer.recall(past, now, wall);
        }
        if let Some(at) = self.over_budget.get(target) {
            pacer.recall_out(*at);
        }
    }

    fn seen(&mut self, round: u32, at: jiff::Timestamp) {
        let last = self.last_seen.entry(round).or_insert(at);
        *last = at.max(*last);
    }
}

/// A request as a pacer remembers it.
fn past(trial: &Trial, answer: &Answer, tokens: u64) -> Past {
    let after = |at: jiff::Timestamp, ns: u64| at.checked_add(std::time::Duration::from_nanos(ns)).unwrap_or(at);
    let lasted = answer.stamps.closed.zip(answer.stamps.first_write).map_or(0, |(end, start)| end.since(start));
    let sent = after(trial.wall, answer.connect.total_ns().unwrap_or(0));
    let retry_after_s = answer.error.as_ref().and_then(|error| error.retry_after_s);
    Past { sent, ended: after(sent, lasted), tokens, retry_after_s }
}

fn cap(run: &Run, trial: &Trial) -> u64 {
    let target = run.manifest.targets.iter().find(|target| target.id == trial.target);
    match trial.role {
        Role::WarmUp => 1,
        Role::Scored => target.and_then(|target| target.sampling.max_tokens).unwrap_or(0),
    }
}

/// The prompt's tokens at most, from its length: a character is a token in the worst case.
fn prompt_at_most(run: &Run, trial: &Trial) -> u64 {
    let prompt = run.manifest.dataset.prompts.iter().find(|prompt| prompt.id == trial.prompt);
    prompt.map_or(0, |prompt| prompt.chars) + tokens_at_most("")
}

/// Tokens that a request is counted with: as reported, else the worst case; nothing where the server refused it.
pub fn tokens_used(answer: &Answer, prompt_tokens: u64, max_tokens: u64) -> u64 {
    let reported = answer.usage.as_ref().and_then(|usage| usage.total.or_else(|| Some(usage.prompt? + usage.completion?)));
    match (reported, answer.status) {
        (Some(reported), _) => reported,
        (None, Some(200..=299)) => prompt_tokens + max_tokens,
        (None, _) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn what_is_kept_of_a_large_record_tells_the_same_as_the_record() {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("results/example");
        let place = tempfile::tempdir().unwrap();
        std::fs::copy(example.join("manifest.json"), place.path().join("manifest.json")).unwrap();
        let records = std::fs::read(example.join("records.jsonl")).unwrap();
        std::fs::write(place.path().join("records.jsonl"), records.repeat(3)).unwrap();
        let (first, kept) = (Run::open_thin(place.path(), thin).unwrap(), place.path().join("resume.jsonl"));
        assert!(kept.metadata().unwrap().len() < records.len() as u64);
        let second = Run::open_thin(place.path(), thin).unwrap();
        assert_eq!((&first.trials, &first.rounds, &first.notes), (&second.trials, &second.rounds, &second.notes));
        assert_eq!(Before::of(&first), Before::of(&second));
        assert_eq!(Before::of(&second), Before::of(&Run::open(place.path()).unwrap()), "a thin trial is all that is asked of it");
    }
}
