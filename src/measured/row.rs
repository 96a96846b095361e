//! What is known of one trial.

use super::codes::{grade, outcome, place_of, uncounted};
use super::rows::{ANSWERED, CANCELLED, CONFIGURATION, LINE_FAILURE, NOBODY, REPLIED, Rows, SERVED_MARK, WARM_UP};
use super::scalars::Scalar;
use crate::metric::{Flag, Observation, Outcome, Undefined};
use crate::record::{Graded, Role};
use crate::tokens::{Basis, NoCounts};

/// One trial.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    pub(super) rows: &'a Rows,
    pub(super) at: usize,
}

/// Why a planned request was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsent {
    /// The target was stopped: its set-up is at fault.
    TargetStopped,
    /// This client fell behind.
    ClientBehind,
    /// The run was interrupted, or its budget ran out.
    RunEnded,
    /// The request could not be made from the plan.
    NoRequest,
    /// The target's own daily budget was used up.
    OverBudget,
    /// Waiting for its pace would have taken longer than a block waits.
    HeldBack,
}

impl Unsent {
    pub(super) const ALL: [Unsent; 6] =
        [Unsent::TargetStopped, Unsent::ClientBehind, Unsent::RunEnded, Unsent::NoRequest, Unsent::OverBudget, Unsent::HeldBack];
}

/// The flags of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(pub(super) u32);

impl Flags {
    /// A set of flags.
    pub fn of(flags: &[Flag]) -> Flags {
        Flags(flags.iter().fold(0, |bits, flag| bits | 1 << bit(*flag)))
    }
    /// Whether a flag is raised.
    pub fn has(self, flag: Flag) -> bool {
        self.0 & 1 << bit(flag) != 0
    }
    /// The flags that are raised, in the order of [`Flag::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Flag> {
        Flag::ALL.into_iter().filter(move |flag| self.has(*flag))
    }
}

fn bit(flag: Flag) -> u32 {
    Flag::ALL.iter().position(|known| *known == flag).map_or(31, |at| at as u32)
}

impl<'a> Row<'a> {
    /// Its place in the record, from 0.
    pub const fn at(self) -> usize {
        self.at
    }
    /// The target by its place in the manifest; `None` where the manifest does not know it.
    pub fn target(self) -> Option<usize> {
        index(&self.rows.target, self.at)
    }
    /// The prompt by its place in the manifest's dataset; `None` for a warm-up.
    pub fn prompt(self) -> Option<usize> {
        index(&self.rows.prompt, self.at)
    }
    /// The round, from 1.
    pub fn round(self) -> u32 {
        of(&self.rows.round, self.at)
    }
    /// The block's place in its round, from 1; 0 for a warm-up.
    pub fn block(self) -> u32 {
        of(&self.rows.block, self.at)
    }
    /// The target's place in the block, from 1.
    pub fn place(self) -> u32 {
        of(&self.rows.place, self.at)
    }
    /// The attempt at its block, from 1.
    pub fn attempt(self) -> u32 {
        of(&self.rows.attempt, self.at)
    }
    /// What it counts for.
    pub fn role(self) -> Role {
        if self.fact(WARM_UP) { Role::WarmUp } else { Role::Scored }
    }
    /// When it began.
    pub fn wall(self) -> jiff::Timestamp {
        of(&self.rows.wall, self.at)
    }
    /// Whether it was sent.
    pub fn answered(self) -> bool {
        self.fact(ANSWERED)
    }
    /// Why it was not sent, where it was not and the record says why.
    pub fn unsent(self) -> Option<Unsent> {
        Unsent::ALL.get(usize::from(of(&self.rows.unsent, self.at)).checked_sub(1)?).copied()
    }
    /// What came of it by the plan's rule; `None` where it was not sent.
    pub fn outcome(self) -> Option<Outcome> {
        outcome(of(&self.rows.outcome, self.at))
    }
    /// Whether the reply is good by the plan's rule.
    pub fn is_ok(self) -> bool {
        self.outcome() == Some(Outcome::Ok)
    }
    /// Whether it failed by the target's set-up.
    pub fn is_configuration(self) -> bool {
        self.fact(CONFIGURATION)
    }
    /// Whether it failed before it reached the service.
    pub fn is_line_failure(self) -> bool {
        self.fact(LINE_FAILURE)
    }
    /// Whether this client stopped it.
    pub fn is_cancelled(self) -> bool {
        self.fact(CANCELLED)
    }
    /// Whether a reply came, be it whole or cut by the cap on tokens: it says that the line was up.
    pub fn is_replied(self) -> bool {
        self.fact(REPLIED)
    }
    /// The flags of its reply.
    pub fn flags(self, basis: Basis) -> Flags {
        Flags(of(&self.rows.flags[place_of(basis)], self.at))
    }
    /// Why there are no token counts on a basis; `None` where there are.
    pub fn uncounted(self, basis: Basis) -> Option<NoCounts> {
        uncounted(of(&self.rows.uncounted[place_of(basis)], self.at))
    }
    /// Tokens of the streamed reasoning.
    pub fn reasoning_tokens(self, basis: Basis) -> Result<f64, NoCounts> {
        self.uncounted(basis).map_or_else(|| Ok(of(&self.rows.reasoning[place_of(basis)], self.at)), Err)
    }
    /// Tokens of the streamed answer, tool calls included.
    pub fn content_tokens(self, basis: Basis) -> Result<f64, NoCounts> {
        self.uncounted(basis).map_or_else(|| Ok(of(&self.rows.content[place_of(basis)], self.at)), Err)
    }
    /// The value of a metric, or why there is none.
    pub fn scalar(self, scalar: Scalar, basis: Basis) -> Result<Observation, Undefined> {
        self.rows.scalars.get(scalar.column(basis)).map_or(Err(Undefined::NoArrival), |column| column.get(self.at))
    }
    /// What the provider or this client said where the target's set-up is at fault.
    pub fn words(self) -> Option<&'a str> {
        let words = &self.rows.words;
        let at = words.binary_search_by_key(&(self.at as u32), |(row, _)| *row).ok()?;
        self.rows.vocabulary.get(words[at].1 as usize).map(String::as_str)
    }
    /// The grade of its answer; `None` where the prompt has no exact one, or nothing was sent.
    pub fn grade(self) -> Option<Graded> {
        grade(of(&self.rows.grade, self.at))
    }
    /// The model that answered and its fingerprint, as the server names them; each empty where it does not.
    pub fn served(self) -> Option<(&'a str, &'a str)> {
        let word = index(&self.rows.served, self.at)?;
        self.rows.vocabulary.get(word)?.split_once(SERVED_MARK)
    }

    fn fact(self, bit: u8) -> bool {
        of(&self.rows.facts, self.at) & bit != 0
    }
}

fn of<T: Copy + Default>(values: &[T], at: usize) -> T {
    values.get(at).copied().unwrap_or_default()
}

fn index(values: &[u32], at: usize) -> Option<usize> {
    values.get(at).copied().filter(|index| *index != NOBODY).map(|index| index as usize)
}
