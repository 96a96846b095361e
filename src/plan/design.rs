//! The design: rounds of blocks of trials, and the order in which everything is sent. A function of seed and salt alone.

use super::Prompts;
use super::calendar::{BadCalendar, times};
use crate::dataset::Dataset;
use crate::ident::{PromptId, TargetId, TrialId};
use crate::record::{Calendar, Manifest};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::time::Duration;

/// What a run's order is made from. The manifest holds all of it, so that an interrupted run goes on where it stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The plan's seed.
    pub seed: u64,
    /// The run's salt.
    pub salt: String,
    /// The plan's digest.
    pub digest: String,
    /// The targets in the plan's order.
    pub targets: Vec<TargetId>,
    /// The prompts of every round, in the data set's order.
    pub prompts: Vec<PromptId>,
    /// Rounds.
    pub rounds: u32,
    /// One round in every so many seconds; 0 is one after another.
    pub every_s: u64,
    /// When the run was made.
    pub created: jiff::Timestamp,
    /// When rounds are due, where a calendar says so.
    pub calendar: Option<Calendar>,
    /// The calendar's times, one a round.
    times: Vec<jiff::Timestamp>,
}

/// One prompt of one round: identical bytes to all targets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Block {
    /// The round, from 1.
    pub round: u32,
    /// The block's place in the round, from 1.
    pub number: u32,
    /// The prompt.
    pub prompt: PromptId,
    /// Indexes of the targets in the order of sending: each target is first equally often.
    pub order: Vec<usize>,
}

impl Schedule {
    /// The schedule of a run, new or interrupted. An error tells of a calendar that this build cannot read.
    pub fn of(manifest: &Manifest) -> Result<Schedule, BadCalendar> {
        let (calendar, planned) = (manifest.design.calendar.clone(), manifest.design.rounds);
        let times: Vec<jiff::Timestamp> = match &calendar {
            Some(calendar) => times(calendar)?.take(planned.min(super::MOST_TIMES) as usize).collect(),
            None => Vec::new(),
        };
        Ok(Schedule {
            seed: manifest.seed,
            salt: manifest.salt.clone(),
            digest: manifest.plan_digest.clone(),
            targets: manifest.targets.iter().map(|target| target.id.clone()).collect(),
            prompts: manifest.dataset.prompts.iter().map(|prompt| prompt.id.clone()).collect(),
            // A calendar names as many times as were counted when the run was made, unless a zone's rules have changed since.
            rounds: if calendar.is_some() { planned.min(times.len() as u32) } else { planned },
            every_s: manifest.design.every_s,
            created: manifest.created,
            calendar,
            times,
        })
    }

    /// The blocks of a round in order.
    pub fn round(&self, round: u32) -> Vec<Block> {
        let mut prompts = self.prompts.clone();
        shuffle(&mut prompts, &mut self.random("prompt order", round));
        let before = (round - 1) as usize * prompts.len();
        let block = |(at, prompt)| Block { round, number: at as u32 + 1, prompt, order: self.order(before + at) };
        prompts.into_iter().enumerate().map(block).collect()
    }

    /// All blocks that are not `done` (pairs of round and block number).
    pub fn remaining(&self, done: &BTreeSet<(u32, u32)>) -> Vec<Block> {
        let left = |block: &Block| !done.contains(&(block.round, block.number));
        (1..=self.rounds).flat_map(|round| self.round(round)).filter(left).collect()
    }

    /// The time that a round belongs to: the calendar's, or the beginning of its slot. None beyond the last round.
    pub fn time(&self, round: u32) -> Option<jiff::Timestamp> {
        let before = round.checked_sub(1).filter(|_| round <= self.rounds)?;
        match &self.calendar {
            Some(_) => self.times.get(before as usize).copied(),
            None => Some(later(self.created, seconds(self.every_s.saturating_mul(before.into())))),
        }
    }

    /// The last round whose time is not after a moment; 0 before the first, and where rounds have no moments of their own.
    pub fn round_at(&self, moment: jiff::Timestamp) -> u32 {
        let since = moment.as_second() - self.created.as_second();
        match &self.calendar {
            Some(_) => self.times.partition_point(|time| *time <= moment) as u32,
            None if self.every_s == 0 || since < 0 => 0,
            None => (since as u64 / self.every_s).saturating_add(1).min(self.rounds.into()) as u32,
        }
    }

    /// When a round is to begin. By the calendar: at its time, up to the jitter later. Else at the start of the run for the first slot, at
    /// a random moment of each further one, and at any time where rounds follow one another. None beyond the last round.
    pub fn due(&self, round: u32) -> Option<jiff::Timestamp> {
        let within = match &self.calendar {
            Some(calendar) => calendar.jitter_s,
            None if round <= 1 => 0,
            None => self.every_s,
        };
        let within = within.saturating_mul(1_000_000_000);
        let drawn = if within == 0 { 0 } else { self.random("moment", round).next_u64() % within };
        Some(later(self.time(round)?, Duration::from_nanos(drawn)))
    }

    /// From when on a round can begin no more: when it would be too late by the calendar, or the next one's time has come, or its slot is
    /// over. None where rounds follow one another.
    pub fn latest(&self, round: u32) -> Option<jiff::Timestamp> {
        let Some(calendar) = &self.calendar else {
            return if self.every_s == 0 { None } else { Some(later(self.time(round)?, seconds(self.every_s))) };
        };
        let late = later(self.due(round)?, seconds(calendar.late_s));
        Some(self.time(round + 1).map_or(late, |next| next.min(late)))
    }

    /// The id of a trial.
    pub fn trial(&self, round: u32, prompt: &PromptId, target: &TargetId, attempt: u32) -> TrialId {
        let text =
            [self.digest.as_str(), &self.salt, &round.to_string(), prompt.as_str(), target.as_str(), &attempt.to_string()].join("\0");
        TrialId::new(hex(&Sha256::digest(text.as_bytes())[..12])).expect("hexadecimal is a name")
    }

    /// What stands at the front of a prompt: the same for all targets of a block, new in each round and each run, and when an
    /// interrupted block is sent anew (some servers have read it by then).
    pub fn nonce(&self, round: u32, prompt: &PromptId, attempt: u32) -> String {
        nonce(&mut random(&[&self.seed.to_string(), &self.salt, "nonce", &round.to_string(), prompt.as_str(), &attempt.to_string()]))
    }

    /// The order of the targets in the block that is `number`-th in the whole run, from 0.
    ///
    /// Blocks come in cycles of as many as there are targets. Within a cycle each target stands at each place once (a Latin square),
    /// and over one cycle (an even number of targets) or two (odd) each follows each other equally often (Williams 1949).
    pub(super) fn order(&self, number: usize) -> Vec<usize> {
        let n = self.targets.len();
        let (cycle, row) = (number / n, number % n);
        // Two cycles of an odd number of targets belong together: the second is the first, mirrored.
        let pair = if n.is_multiple_of(2) { cycle } else { cycle / 2 };
        let mirrored = !n.is_multiple_of(2) && cycle % 2 == 1;
        let mut random = self.random("target order", pair as u32);
        let (mut labels, mut rows): (Vec<usize>, Vec<usize>) = ((0..n).collect(), (0..n).collect());
        shuffle(&mut labels, &mut random);
        shuffle(&mut rows, &mut random);
        let zigzag = |place: usize| if place.is_multiple_of(2) { place / 2 } else { n - place.div_ceil(2) };
        let mut order: Vec<usize> = (0..n).map(|place| labels[(zigzag(place) + rows[row]) % n]).collect();
        if mirrored {
            order.reverse();
        }
        order
    }

    fn random(&self, what: &str, number: u32) -> ChaCha8Rng {
        random(&[&self.seed.to_string(), &self.salt, what, &number.to_string()])
    }
}

/// The prompts of the plan in the data set's order: those named, or as many as wanted, drawn by the seed once for all rounds and runs
/// (prompts crossed with rounds are what the statistics compare).
pub fn choose(dataset: &Dataset, wanted: &Prompts, seed: u64) -> Vec<PromptId> {
    let all: Vec<PromptId> = dataset.prompts.iter().map(|prompt| prompt.id.clone()).collect();
    let chosen: BTreeSet<PromptId> = match wanted {
        Prompts::Ids(ids) => ids.iter().cloned().collect(),
        Prompts::Count(count) => {
            let mut drawn = all.clone();
            shuffle(&mut drawn, &mut random(&[&seed.to_string(), "prompts"]));
            drawn.into_iter().take(*count as usize).collect()
        }
    };
    all.into_iter().filter(|id| chosen.contains(id)).collect()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A moment so much later; the end of all time where there is none.
fn later(moment: jiff::Timestamp, by: Duration) -> jiff::Timestamp {
    moment.saturating_add(by).unwrap_or(jiff::Timestamp::MAX)
}

/// Eighteen random digits in groups of three. Digits, since every tokenizer in the field cuts a number of fixed width into the same
/// number of tokens whatever its value, and since a model takes it for a file number and does not comment on it.
pub fn nonce(random: &mut impl Rng) -> String {
    let groups: Vec<String> = (0..6).map(|_| format!("{:03}", random.next_u64() % 1000)).collect();
    format!("[{}]\n", groups.join("-"))
}

/// A stream of random numbers for one purpose. The seed is hashed, so that no purpose shares its numbers with another.
pub(super) fn random(purpose: &[&str]) -> ChaCha8Rng {
    ChaCha8Rng::from_seed(Sha256::digest(purpose.join("\0").as_bytes()).into())
}

/// Fisher and Yates, by hand: `rand`'s own shuffle may change its draws from release to release.
pub(super) fn shuffle<T>(items: &mut [T], random: &mut impl Rng) {
    for last in (1..items.len()).rev() {
        items.swap(last, (random.next_u64() % (last as u64 + 1)) as usize);
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(targets: usize, prompts: usize, rounds: u32) -> Schedule {
        let name = |kind: &str, i: usize| format!("{kind}{i}");
        Schedule {
            seed: 7,
            salt: "5a17".into(),
            digest: "d1".into(),
            targets: (0..targets).map(|i| TargetId::new(name("t", i)).unwrap()).collect(),
            prompts: (0..prompts).map(|i| PromptId::new(name("p", i)).unwrap()).collect(),
            rounds,
            every_s: 0,
            created: jiff::Timestamp::UNIX_EPOCH,
            calendar: None,
            times: Vec::new(),
        }
    }

    fn blocks(schedule: &Schedule) -> Vec<Block> {
        schedule.remaining(&BTreeSet::new())
    }

    #[test]
    fn each_target_is_first_equally_often_and_follows_each_other_equally_often() {
        for (targets, prompts, rounds) in [(2, 5, 4), (3, 4, 6), (4, 5, 8), (5, 4, 10), (8, 8, 8)] {
            let all = blocks(&schedule(targets, prompts, rounds));
            for place in 0..targets {
                for target in 0..targets {
                    let times = all.iter().filter(|block| block.order[place] == target).count();
                    assert_eq!(times, all.len() / targets, "{targets} targets: {target} at place {place}");
                }
            }
            let follows = |a, b| all.iter().flat_map(|block| block.order.windows(2)).filter(|pair| *pair == [a, b]).count();
            let expected = follows(0, 1);
            for a in 0..targets {
                for b in (0..targets).filter(|b| *b != a) {
                    assert_eq!(follows(a, b), expected, "{targets} targets: {b} after {a}");
                }
            }
        }
    }

    #[test]
    fn a_run_cut_short_is_balanced_to_within_one_block() {
        let all = blocks(&schedule(5, 3, 4));
        for cut in 1..all.len() {
            let first = |target| all[..cut].iter().filter(|block| block.order[0] == target).count();
            let counts: Vec<usize> = (0..5).map(first).collect();
            assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{counts:?}");
        }
    }

    #[test]
    fn every_round_asks_every_prompt_once_in_an_order_of_its_own() {
        let schedule = schedule(2, 12, 3);
        let order = |round| schedule.round(round).into_iter().map(|block| block.prompt).collect::<Vec<_>>();
        let sorted = |round| BTreeSet::from_iter(order(round));
        assert_eq!(sorted(1).len(), 12);
        assert_eq!(sorted(1), sorted(2));
        assert_ne!(order(1), order(2));
    }

    #[test]
    fn the_same_seed_and_salt_give_the_same_plan_and_another_salt_another() {
        let mut other = schedule(3, 4, 5);
        assert_eq!(blocks(&other), blocks(&schedule(3, 4, 5)));
        let (target, prompt) = (other.targets[0].clone(), other.prompts[0].clone());
        let before = (other.trial(1, &prompt, &target, 1), other.nonce(1, &prompt, 1));
        other.salt = "other".into();
        assert_ne!(blocks(&other), blocks(&schedule(3, 4, 5)));
        assert_ne!(other.trial(1, &prompt, &target, 1), before.0);
        assert_ne!(other.nonce(1, &prompt, 1), before.1);
        assert_ne!(other.nonce(1, &prompt, 1), other.nonce(1, &prompt, 2));
    }

    #[test]
    fn this_release_draws_as_every_release_does() {
        let schedule = schedule(3, 4, 2);
        let round: Vec<_> = schedule.round(1).into_iter().map(|block| (block.prompt.to_string(), block.order)).collect();
        expect_test::expect![[r#"
            [("p0", [2, 0, 1]), ("p1", [0, 1, 2]), ("p3", [1, 2, 0]), ("p2", [1, 0, 2])] [625-789-674-275-580-748]
        "#]]
        .assert_eq(&format!("{round:?} {}", schedule.nonce(1, &schedule.prompts[0], 1)));
    }

    #[test]
    fn what_is_left_is_all_that_is_not_done() {
        let schedule = schedule(2, 3, 2);
        let left = schedule.remaining(&BTreeSet::from([(1, 1), (1, 2), (2, 3)]));
        assert_eq!(left.iter().map(|block| (block.round, block.number)).collect::<Vec<_>>(), [(1, 3), (2, 1), (2, 2)]);
    }

    #[test]
    fn a_nonce_has_one_length_in_tokens() {
        let tokenizer = tiktoken_rs::o200k_base().unwrap();
        let schedule = schedule(1, 200, 1);
        let lengths: BTreeSet<usize> = schedule
            .prompts
            .iter()
            .map(|prompt| tokenizer.encode_ordinary(&format!("{}Explain tides.", schedule.nonce(1, prompt, 1))).len())
            .collect();
        assert_eq!(lengths.len(), 1, "{lengths:?}");
        let all: BTreeSet<String> = schedule.prompts.iter().map(|prompt| schedule.nonce(1, prompt, 1)).collect();
        assert_eq!(all.len(), 200);
    }

    #[test]
    fn rounds_that_are_spread_start_inside_their_slots() {
        let spread = Schedule { every_s: 3600, ..schedule(1, 1, 24) };
        assert_eq!(spread.due(1), Some(spread.created));
        for round in 2..=24 {
            let due = spread.due(round).unwrap();
            assert_eq!(due.as_second() / 3600, i64::from(round) - 1);
            assert!(due < spread.latest(round).unwrap());
        }
        assert_eq!((spread.due(25), schedule(1, 1, 24).latest(3)), (None, None));
    }
}
