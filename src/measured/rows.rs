//! Trials side by side: one array a field, so that a month of them fits into a few hundred megabytes.

use super::codes::{BASES, code_of_grade, code_of_outcome, code_of_uncounted, place_of};
use super::row::{Flags, Unsent};
use super::scalars::{Column, layout, width};
use crate::grading;
use crate::metric::{Outcome, Reply, Rules, Tally, Undefined, flags, is_configuration, is_line_failure, judge};
use crate::record::{Answer, Manifest, NotSent, PromptFacts, Role, TargetFacts, Trial};
use crate::timeline::Phase;
use crate::tokens::{Basis, Counts, Reference};
use crate::units::ms;
use std::collections::HashMap;

/// Index of a target or prompt that the manifest does not name.
pub(super) const NOBODY: u32 = u32::MAX;
/// In `held`: a request that was held back, nobody knows for how long.
pub(super) const HELD: u32 = u32::MAX - 1;
/// Between the model that answered and its fingerprint.
pub(super) const SERVED_MARK: char = '\u{1f}';

/// Bits of `facts`.
pub(super) const ANSWERED: u8 = 1;
pub(super) const CONFIGURATION: u8 = 2;
pub(super) const LINE_FAILURE: u8 = 4;
pub(super) const CANCELLED: u8 = 8;
pub(super) const REPLIED: u8 = 16;
pub(super) const WARM_UP: u8 = 32;

/// Trials, field by field. Fields that depend on the basis stand in the order of `BASES`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Rows {
    pub target: Vec<u32>,
    pub prompt: Vec<u32>,
    pub round: Vec<u32>,
    pub block: Vec<u32>,
    pub place: Vec<u32>,
    pub attempt: Vec<u32>,
    pub wall: Vec<jiff::Timestamp>,
    pub facts: Vec<u8>,
    pub unsent: Vec<u8>,
    pub outcome: Vec<u8>,
    pub grade: Vec<u8>,
    /// Who answered, by the place in `vocabulary`.
    pub served: Vec<u32>,
    /// Milliseconds for which it was held back before it was sent; `HELD` where that is not known, `NOBODY` where it was not held.
    pub held: Vec<u32>,
    pub flags: [Vec<u32>; 3],
    pub uncounted: [Vec<u8>; 3],
    pub reasoning: [Vec<f64>; 3],
    pub content: [Vec<f64>; 3],
    pub scalars: Vec<Column>,
    /// Few trials have words, and most of those the same: trial and place in `vocabulary`, ascending.
    pub words: Vec<(u32, u32)>,
    pub vocabulary: Vec<String>,
}

impl Rows {
    pub fn len(&self) -> usize {
        self.target.len()
    }

    /// Whether every field has as many entries as there are trials, and every reference its end: what a reader of foreign files checks.
    pub fn is_sound(&self) -> bool {
        let n = self.len();
        let fields = [&self.prompt, &self.round, &self.block, &self.place, &self.attempt, &self.served, &self.held].map(Vec::len);
        let bytes = [&self.facts, &self.unsent, &self.outcome, &self.grade].map(Vec::len);
        let by_basis = (0..BASES.len()).all(|basis| {
            let lengths = [self.flags[basis].len(), self.uncounted[basis].len(), self.reasoning[basis].len(), self.content[basis].len()];
            lengths == [n; 4]
        });
        let known = |values: &[u32]| values.is_sorted() && values.last().is_none_or(|last| (*last as usize) < n);
        let columns = self.scalars.iter().all(|column| {
            let bounds = [column.low.len(), column.high.len()] == [column.bounded.len(); 2];
            [column.value.len(), column.why.len()] == [n; 2] && bounds && known(&column.bounded)
        });
        fields == [n; 7] && self.wall.len() == n && bytes == [n; 4] && by_basis && columns && (n == 0 || self.scalars.len() == width())
    }

    /// Puts the trials of another part of the record behind these.
    pub fn append(&mut self, mut other: Rows) {
        let before = self.len() as u32;
        self.target.append(&mut other.target);
        self.prompt.append(&mut other.prompt);
        self.round.append(&mut other.round);
        self.block.append(&mut other.block);
        self.place.append(&mut other.place);
        self.attempt.append(&mut other.attempt);
        self.held.append(&mut other.held);
        self.wall.append(&mut other.wall);
        self.facts.append(&mut other.facts);
        self.unsent.append(&mut other.unsent);
        self.outcome.append(&mut other.outcome);
        self.grade.append(&mut other.grade);
        for basis in 0..BASES.len() {
            self.flags[basis].append(&mut other.flags[basis]);
            self.uncounted[basis].append(&mut other.uncounted[basis]);
            self.reasoning[basis].append(&mut other.reasoning[basis]);
            self.content[basis].append(&mut other.content[basis]);
        }
        self.scalars.resize_with(width(), Column::default);
        for (mine, theirs) in self.scalars.iter_mut().zip(std::mem::take(&mut other.scalars)) {
            mine.append(theirs);
        }
        let known: Vec<u32> = other.vocabulary.into_iter().map(|text| self.word(text)).collect();
        let moved = |word: u32| known.get(word as usize).copied().unwrap_or(NOBODY);
        self.served.extend(other.served.into_iter().map(moved));
        self.words.extend(other.words.iter().filter_map(|(at, word)| Some((before + at, *known.get(*word as usize)?))));
    }

    /// The place of words in the vocabulary. What was said lately is looked through: most trials of a stopped target say the same.
    fn word(&mut self, text: String) -> u32 {
        let lately = self.vocabulary.iter().enumerate().rev().take(64);
        let known = lately.filter(|(_, known)| **known == text).map(|(at, _)| at).next();
        known.unwrap_or_else(|| {
            self.vocabulary.push(text);
            self.vocabulary.len() - 1
        }) as u32
    }
}

/// What is needed to reduce the trials of a run.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    targets: HashMap<&'a str, (u32, &'a TargetFacts)>,
    prompts: HashMap<&'a str, (u32, &'a PromptFacts)>,
    rules: Rules,
    tokenizer: &'a Reference,
}

impl<'a> Reading<'a> {
    pub fn new(manifest: &'a Manifest, tokenizer: &'a Reference) -> Reading<'a> {
        let targets = manifest.targets.iter().zip(0..).map(|(target, i)| (target.id.as_str(), (i, target))).collect();
        let prompts = manifest.dataset.prompts.iter().zip(0..).map(|(prompt, i)| (prompt.id.as_str(), (i, prompt))).collect();
        Reading { targets, prompts, rules: Rules::of(manifest), tokenizer }
    }

    /// Reduces a trial and puts it behind the others.
    pub fn take(&self, rows: &mut Rows, trial: &Trial) {
        let target = self.targets.get(trial.target.as_str()).copied();
        let prompt = self.prompts.get(trial.prompt.as_str()).copied();
        let at = rows.len() as u32;
        rows.target.push(target.map_or(NOBODY, |(index, _)| index));
        rows.prompt.push(prompt.map_or(NOBODY, |(index, _)| index));
        rows.round.push(trial.round);
        rows.block.push(trial.block);
        rows.place.push(trial.place);
        rows.attempt.push(trial.attempt);
        rows.wall.push(trial.wall);
        rows.held.push(held(trial));
        rows.unsent.push(trial.not_sent.as_ref().map_or(0, |why| Unsent::of(why) as u8 + 1));
        rows.grade.push(grade(trial, prompt.map(|(_, facts)| facts)));
        let served = trial.answer.as_deref().and_then(served).map_or(NOBODY, |served| rows.word(served));
        rows.served.push(served);
        let role = if trial.role == Role::WarmUp { WARM_UP } else { 0 };
        rows.facts.push(role | trial.answer.as_deref().map_or(0, facts_of));
        if let Some(words) = words_of(trial) {
            let word = rows.word(words);
            rows.words.push((at, word));
        }
        let known = trial.answer.as_deref().zip(target);
        let tally = known.map(|(answer, (_, target))| Tally::of(answer, target, self.tokenizer));
        let reply = |basis: Basis| Some(Reply::new(trial.answer.as_deref()?, tally.as_ref()?, basis, self.rules));
        rows.take_reply(BASES.map(reply));
    }
}

/// For how long a request that was sent had been held back: until its connection was opened, or it was written where one stood open.
fn held(trial: &Trial) -> u32 {
    let Some((since, answer)) = trial.held_since.zip(trial.answer.as_deref()) else { return NOBODY };
    let Some(written) = answer.stamps.first_write else { return HELD };
    let ns = written.since(since).saturating_sub(answer.connect.total_ns().unwrap_or(0));
    (ns / ms(1)).min(u64::from(HELD - 1)) as u32
}

/// The grade of an answer; 0 where there is none.
fn grade(trial: &Trial, prompt: Option<&PromptFacts>) -> u8 {
    let both = trial.answer.as_deref().zip(prompt.and_then(|prompt| prompt.answer.as_deref()));
    both.map_or(0, |(answer, exact)| code_of_grade(grading::grade(answer, exact)))
}

/// The model that answered and its fingerprint, where the server names either.
fn served(answer: &Answer) -> Option<String> {
    let said = |text: &Option<String>| text.as_deref().unwrap_or("").replace(SERVED_MARK, " ");
    let (model, fingerprint) = (said(&answer.model), said(&answer.fingerprint));
    (!(model.is_empty() && fingerprint.is_empty())).then(|| format!("{model}{SERVED_MARK}{fingerprint}"))
}

impl Rows {
    /// What depends on the counts: flags, tokens and metrics. A trial that was not sent has none of them.
    fn take_reply(&mut self, replies: [Option<Reply<'_>>; 3]) {
        self.outcome.push(replies[0].as_ref().map_or(0, |reply| code_of_outcome(reply.outcome)));
        for (basis, reply) in replies.iter().enumerate() {
            let Some(reply) = reply else {
                self.flags[basis].push(0);
                self.uncounted[basis].push(0);
                self.reasoning[basis].push(0.0);
                self.content[basis].push(0.0);
                continue;
            };
            self.flags[basis].push(Flags::of(&flags(reply)).0);
            let counts = reply.tally.on(BASES[basis]);
            self.uncounted[basis].push(counts.as_ref().err().map_or(0, |why| code_of_uncounted(*why)));
            let of = |wanted: fn(Phase) -> bool| {
                let each = |counts: &Counts| {
                    let phases = reply.answer.timeline.phases().zip(&counts.per_event);
                    phases.filter(|(phase, _)| wanted(*phase)).map(|(_, n)| n).sum::<f64>()
                };
                counts.as_ref().map_or(0.0, each)
            };
            self.reasoning[basis].push(of(|phase| phase == Phase::Reasoning));
            self.content[basis].push(of(|phase| phase != Phase::Reasoning));
        }
        self.scalars.resize_with(width(), Column::default);
        for (metric, scalar) in layout() {
            for basis in scalar.bases() {
                let reply = replies[place_of(*basis)].as_ref();
                let seen = reply.map_or(Err(Undefined::NoArrival), |reply| (metric.of)(reply));
                self.scalars[scalar.column(*basis)].push(seen);
            }
        }
    }
}

fn facts_of(answer: &Answer) -> u8 {
    // What the plan says of capped replies does not matter to whether anything came back.
    let outcome = judge(answer, true);
    let bit = |raised: bool, bit: u8| if raised { bit } else { 0 };
    ANSWERED
        | bit(is_configuration(answer), CONFIGURATION)
        | bit(is_line_failure(answer), LINE_FAILURE)
        | bit(outcome == Outcome::Cancelled, CANCELLED)
        | bit(outcome == Outcome::Ok, REPLIED)
}

/// What was said where the set-up is at fault.
fn words_of(trial: &Trial) -> Option<String> {
    match (trial.answer.as_deref(), &trial.not_sent) {
        (Some(answer), _) if is_configuration(answer) => match (&answer.error, answer.status) {
            (Some(error), _) => Some(error.message.clone()),
            (None, status) => status.map(|status| format!("HTTP status {status}")),
        },
        (None, Some(NotSent::TargetStopped { reason } | NotSent::NoRequest { reason })) => Some(reason.clone()),
        _ => None,
    }
}

impl Unsent {
    pub(super) fn of(why: &NotSent) -> Unsent {
        match why {
            NotSent::TargetStopped { .. } => Unsent::TargetStopped,
            NotSent::ClientBehind => Unsent::ClientBehind,
            NotSent::RunEnded => Unsent::RunEnded,
            NotSent::NoRequest { .. } => Unsent::NoRequest,
            NotSent::OverBudget { .. } => Unsent::OverBudget,
            NotSent::HeldBack { .. } => Unsent::HeldBack,
        }
    }
}
