//! One target's samples.

use super::joined::{Joined, Standing};
use crate::measured::{Flags, Row};
use crate::metric::Outcome;
use crate::record::TargetFacts;
use crate::tokens::Basis;

/// One target's samples.
pub(super) struct Samples<'a> {
    pub(super) target: &'a TargetFacts,
    pub(super) basis: Basis,
    /// Replies, good and bad, each with the index of its round.
    pub(super) replies: Vec<(usize, Row<'a>)>,
    /// Requests that this client did not get to send, by the index of their round.
    pub(super) behind: Vec<usize>,
    pub(super) configuration: Vec<Row<'a>>,
    /// Requests that the target's own budget or pace left out.
    pub(super) unasked: Vec<Row<'a>>,
    /// Rounds of the whole table.
    pub(super) rounds: usize,
}

impl<'a> Samples<'a> {
    pub(super) fn sent(&self) -> usize {
        self.replies.len() + self.behind.len()
    }
    pub(super) fn ok(&self) -> impl Iterator<Item = (usize, Row<'a>)> {
        self.replies.iter().copied().filter(|(_, row)| row.is_ok())
    }
    pub(super) fn count(&self, wanted: impl Fn(Outcome, Flags) -> bool) -> usize {
        let wanted = |row: &Row<'_>| row.outcome().is_some_and(|outcome| wanted(outcome, row.flags(self.basis)));
        self.replies.iter().filter(|(_, row)| wanted(row)).count()
    }
}

/// Gathers the samples of every target, in the manifest's order.
pub(super) fn samples<'a>(joined: &Joined<'a>, basis: Basis) -> Vec<Samples<'a>> {
    let of = |target| Samples {
        target,
        basis,
        replies: vec![],
        behind: vec![],
        configuration: vec![],
        unasked: vec![],
        rounds: joined.rounds.len(),
    };
    let mut targets: Vec<Samples<'a>> = joined.manifest().targets.iter().map(of).collect();
    let rounds = joined.round_index();
    for placed in &joined.trials {
        let row = joined.row(placed);
        let (samples, round) = (&mut targets[placed.target], rounds.get(&(placed.run, row.round())).copied());
        match (placed.standing, round) {
            (Standing::Sent, Some(round)) => samples.replies.push((round, row)),
            (Standing::Behind, Some(round)) => samples.behind.push(round),
            (Standing::Configuration, _) => samples.configuration.push(row),
            (Standing::Unasked, _) => samples.unasked.push(row),
            _ => {}
        }
    }
    targets
}
