//! Which trials of a run count: an interrupted block is void and was sent anew whole.

use super::Run;
use crate::ident::{PromptId, TargetId};
use crate::record::{NotSent, Role, Trial};
use crate::timeline::Ended;
use std::collections::{BTreeMap, BTreeSet};

/// A block of which every target's trial is on record.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredBlock<'r> {
    /// The round, from 1.
    pub round: u32,
    /// The block's place in the round, from 1.
    pub block: u32,
    /// The prompt.
    pub prompt: &'r PromptId,
    /// The attempt that counts.
    pub attempt: u32,
    /// One trial a target, by place.
    pub trials: Vec<&'r Trial>,
}

type ByTarget<'r> = BTreeMap<&'r TargetId, &'r Trial>;

/// The blocks that count, by round and place: of each the highest complete attempt.
///
/// An attempt is complete when it holds a trial of every target of the manifest and none that we broke off ourselves
/// (`cancelled`, or not sent because the run ended). A block without a complete attempt is void. Docs: docs/record.md, "Attempts".
pub fn scored_blocks(run: &Run) -> Vec<ScoredBlock<'_>> {
    let mut attempts: BTreeMap<(u32, u32), BTreeMap<u32, ByTarget<'_>>> = BTreeMap::new();
    for trial in run.trials.iter().filter(|trial| trial.role == Role::Scored) {
        let block = attempts.entry((trial.round, trial.block)).or_default();
        block.entry(trial.attempt).or_default().insert(&trial.target, trial);
    }
    let targets: BTreeSet<&TargetId> = run.manifest.targets.iter().map(|target| &target.id).collect();
    let complete =
        |trials: &ByTarget<'_>| targets.iter().all(|target| trials.contains_key(target)) && !trials.values().any(|trial| broken_off(trial));
    let mut blocks = Vec::new();
    for ((round, block), attempts) in attempts {
        let Some((attempt, trials)) = attempts.into_iter().rev().find(|(_, trials)| complete(trials)) else { continue };
        let Some(prompt) = trials.values().next().map(|trial| &trial.prompt) else { continue };
        let mut trials: Vec<&Trial> = trials.into_values().collect();
        trials.sort_by_key(|trial| trial.place);
        blocks.push(ScoredBlock { round, block, prompt, attempt, trials });
    }
    blocks
}

/// The highest attempt on record of each block, complete or not; block 0 is the round's warm-up.
pub fn attempts_made(run: &Run) -> BTreeMap<(u32, u32), u32> {
    let mut made = BTreeMap::new();
    for trial in &run.trials {
        let highest = made.entry((trial.round, trial.block)).or_insert(trial.attempt);
        *highest = trial.attempt.max(*highest);
    }
    made
}

fn broken_off(trial: &Trial) -> bool {
    let cancelled = trial.answer.as_ref().is_some_and(|answer| answer.ended == Ended::Cancelled);
    cancelled || trial.not_sent == Some(NotSent::RunEnded)
}

#[cfg(test)]
mod tests {
    use super::super::read::tests::manifest;
    use super::*;

    const ANSWERED: &str = r#""answer":{"stamps":{},"connect":{"id":1,"reused":false},"ended":{"how":"complete"}}"#;
    const CANCELLED: &str = r#""answer":{"stamps":{},"connect":{"id":1,"reused":false},"ended":{"how":"cancelled"}}"#;
    const STOPPED: &str = r#""not_sent":{"why":"target_stopped","reason":"401"}"#;

    fn run(trials: &[(u32, u32, &str, &str)]) -> Run {
        let target = |id: &str| {
            let json = format!(r#"{{"id":"{id}","provider":"p","title":"P","model":"m","base_url":"http://x","think_tags":"off"}}"#);
            serde_json::from_str(&json).unwrap()
        };
        let trial = |(block, attempt, target, came): &(u32, u32, &str, &str)| {
            let json = format!(
                r#"{{"id":"i","target":"{target}","provider":"p","model":"m","round":1,"block":{block},"prompt":"q","place":1,
                "attempt":{attempt},"role":"scored","wall":"2026-11-24T10:15:00Z","scheduled":1,{came}}}"#
            );
            serde_json::from_str(&json).unwrap()
        };
        let mut manifest = manifest();
        manifest.targets = vec![target("a"), target("b")];
        let trials = trials.iter().map(trial).collect();
        Run { folder: "run".into(), manifest, trials, rounds: vec![], stages: vec![], notes: vec![], torn: 0 }
    }

    fn counted(run: &Run) -> Vec<(u32, u32)> {
        scored_blocks(run).iter().map(|block| (block.block, block.attempt)).collect()
    }

    #[test]
    fn an_interrupted_block_is_void_and_its_second_attempt_counts_whole() {
        let halves = [(1, 1, "a", ANSWERED), (1, 1, "b", ANSWERED), (2, 1, "a", ANSWERED)];
        assert_eq!(counted(&run(&halves)), [(1, 1)]);
        let again = [halves.as_slice(), &[(2, 2, "b", ANSWERED), (2, 2, "a", ANSWERED)]].concat();
        assert_eq!(counted(&run(&again)), [(1, 1), (2, 2)]);
        // Halves of two attempts are not one block.
        let mixed = [halves.as_slice(), &[(2, 2, "b", ANSWERED)]].concat();
        assert_eq!(counted(&run(&mixed)), [(1, 1)]);
        assert_eq!(attempts_made(&run(&mixed))[&(1, 2)], 2);
    }

    #[test]
    fn a_stopped_target_leaves_its_blocks_whole_but_a_cancelled_trial_does_not() {
        assert_eq!(counted(&run(&[(1, 1, "a", ANSWERED), (1, 1, "b", STOPPED)])), [(1, 1)]);
        assert_eq!(counted(&run(&[(1, 1, "a", ANSWERED), (1, 1, "b", CANCELLED)])), []);
    }
}
