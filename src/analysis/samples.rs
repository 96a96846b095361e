//! One target's samples.

use super::joined::{Joined, Placed, Standing};
use crate::metric::{Outcome, Reply, Rules, Tally};
use crate::record::TargetFacts;
use crate::tokens::Basis;

/// One target's samples.
pub(super) struct Samples<'a> {
    pub(super) target: &'a TargetFacts,
    pub(super) replies: Vec<Reply<'a>>,
    pub(super) behind: usize,
    pub(super) configuration: Vec<&'a Placed<'a>>,
}

impl Samples<'_> {
    pub(super) fn sent(&self) -> usize {
        self.replies.len() + self.behind
    }
    pub(super) fn ok(&self) -> impl Iterator<Item = &Reply<'_>> {
        self.replies.iter().filter(|reply| reply.outcome == Outcome::Ok)
    }
    pub(super) fn count(&self, wanted: impl Fn(&Reply<'_>) -> bool) -> usize {
        self.replies.iter().filter(|reply| wanted(reply)).count()
    }
}

/// Gathers the samples of a target, by its place in the manifest.
pub(super) fn samples<'a>(joined: &'a Joined<'a>, tallies: &'a [Option<Tally>], target: usize, basis: Basis, rules: Rules) -> Samples<'a> {
    let mut samples = Samples { target: &joined.manifest().targets[target], replies: Vec::new(), behind: 0, configuration: Vec::new() };
    for (placed, tally) in joined.trials.iter().zip(tallies).filter(|(placed, _)| placed.target == target) {
        match (placed.standing, placed.trial.answer.as_deref(), tally) {
            (Standing::Sent, Some(answer), Some(tally)) => samples.replies.push(Reply::new(answer, tally, basis, rules)),
            (Standing::Behind, ..) => samples.behind += 1,
            (Standing::Configuration, ..) => samples.configuration.push(placed),
            _ => {}
        }
    }
    samples
}
