//! Replies to prompts with exact answers: how many are correct, and how many seconds a correct one costs.
//!
//! Seconds per correct answer is θ = Σ S / Σ C: the charged seconds of all requests over the correct ones. It is the figure by which a slow
//! good model and a fast poor one can be set side by side. The unit of analysis is the round as everywhere: θ is linearised about itself
//! on the log scale, so that each round r has v = ln θ + (S_r − θ C_r)/(θ C̄), whose mean is ln θ and whose spread over rounds is that of
//! ln θ̂ (the delta method of a ratio of sums: Cochran, Sampling Techniques, ch. 6). So the same paired test serves as for any other time.

use super::joined::{Joined, Standing};
use super::layout::panel;
use super::panel::{Entry, Panel};
use super::quantity::Quantity;
use super::verdict::ROUNDS_FOR_INTERVALS;
use crate::record::{Graded, Unread};
use crate::stats::{
    ClusteredShare, Confidence, Estimate, Extended, Interval, Sample, ShareDifference, clustered_share, mcnemar_exact, newcombe_of, paired,
    wilson,
};
use crate::tokens::Basis;
use serde::Serialize;

/// With fewer requests, a share of correct answers has no interval (method.md §3.1).
pub const REQUESTS_FOR_ACCURACY: usize = 10;

/// What a request to a prompt with an exact answer came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// Nothing that counts was sent, or the prompt has no exact answer.
    Absent,
    /// This client did not get to send it: counts among the requests, and for nothing else.
    NotSent,
    /// The target's own budget or pace left it out: counts for nothing, and its round lacks a prompt that the others' have.
    Unasked,
    /// It failed.
    Failed,
    /// A complete reply, and its grade.
    Complete(Graded),
}

impl Came {
    /// Whether it is correct; `None` where nothing was sent.
    pub const fn correct(self) -> Option<bool> {
        match self {
            Came::Absent | Came::NotSent | Came::Unasked => None,
            Came::Failed => Some(false),
            Came::Complete(graded) => Some(graded.is_correct()),
        }
    }
}

/// What all requests to prompts with exact answers came to, beside their charged reply times.
#[derive(Debug, Clone, PartialEq)]
pub struct GradedAnswers {
    /// The panel of reply times.
    e2e: Panel,
    /// By target, round, prompt, as the panel's entries.
    came: Vec<Came>,
}

/// Correct answers of a target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GradedRow {
    /// Complete replies with the exact answer.
    pub correct: usize,
    /// Complete replies.
    pub complete: usize,
    /// Requests to prompts with an exact answer, those included that this client did not get to send.
    pub n: usize,
    /// Complete replies of which the answer could not be read: not correct, and not called wrong.
    pub unread: usize,
    /// Correct and complete ÷ sent, with Wilson's interval: clustered from three rounds on, none below ten requests.
    pub correct_and_complete: Option<Estimate>,
    /// Correct ÷ complete, likewise.
    pub accuracy: Option<Estimate>,
    /// Charged seconds of all requests over correct ones, with its interval over rounds; never where none is correct.
    pub seconds_per_correct: Option<Estimate>,
}

/// Shares of correct answers of two targets, over the blocks that were sent to both.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AccuracyDifference {
    /// The first's share, clustered Wilson.
    pub first: ClusteredShare,
    /// The second's share.
    pub second: ClusteredShare,
    /// First less second, by Newcombe's hybrid on the clustered limits; absent below three rounds or ten blocks.
    pub difference: Option<ShareDifference>,
    /// Blocks in which only the first was correct.
    pub only_first: u64,
    /// Blocks in which only the second was correct.
    pub only_second: u64,
    /// McNemar's exact p of "the split of those is even".
    pub p: f64,
}

/// The graded answers of runs; `None` where no prompt that was asked has an exact answer.
pub fn graded_answers(joined: &Joined<'_>, basis: Basis) -> Option<GradedAnswers> {
    let exact: Vec<bool> = joined.manifest().dataset.prompts.iter().map(|prompt| prompt.answer.is_some()).collect();
    if !exact.contains(&true) {
        return None;
    }
    let (rounds, prompts, index) = (joined.rounds.len(), exact.len(), joined.round_index());
    let mut came = vec![Came::Absent; joined.manifest().targets.len() * rounds * prompts];
    for (placed, trial) in joined.counting() {
        let (Some(round), Some(prompt)) = (index.get(&(placed.run, trial.round())), trial.prompt()) else { continue };
        if !exact.get(prompt).copied().unwrap_or(false) {
            continue;
        }
        came[(placed.target * rounds + round) * prompts + prompt] = match (placed.standing, trial.is_ok(), trial.grade()) {
            (Standing::Behind, ..) => Came::NotSent,
            (_, true, grade) => Came::Complete(grade.unwrap_or(Graded::Unread(Unread::NotKept))),
            (_, false, _) => Came::Failed,
        };
    }
    for placed in joined.trials.iter().filter(|placed| placed.standing == Standing::Unasked) {
        let row = joined.row(placed);
        let (Some(round), Some(prompt)) = (index.get(&(placed.run, row.round())), row.prompt()) else { continue };
        if exact.get(prompt).copied().unwrap_or(false) {
            came[(placed.target * rounds + round) * prompts + prompt] = Came::Unasked;
        }
    }
    GradedAnswers::new(panel(joined, Quantity::E2e, basis), came)
}

impl GradedAnswers {
    /// What requests came to, ordered as the entries of a panel of reply times: by target, round, prompt. `None` where no prompt has an
    /// exact answer, so that nothing was sent to one.
    pub fn new(e2e: Panel, mut came: Vec<Came>) -> Option<GradedAnswers> {
        came.resize(e2e.targets.len() * e2e.rounds.len() * e2e.prompts, Came::Absent);
        came.iter().any(|came| !matches!(came, Came::Absent | Came::Unasked)).then_some(GradedAnswers { e2e, came })
    }

    /// The panel of seconds per correct answer: one pseudo-value a target and round. A target without any correct answer has none, nor has a
    /// round in which its own budget or pace left out a prompt: the others' rounds have that prompt, and the pair would not be one.
    pub fn panel(&self) -> Panel {
        let of = |rate_limited: bool| {
            let whole = |target: usize| self.of(target).into_iter().map(|came| !came.contains(&Came::Unasked));
            let of = |target: usize| self.pseudo_values(target, rate_limited).into_iter().zip(whole(target));
            let logs = (0..self.e2e.targets.len()).flat_map(|target| of(target).map(|(value, whole)| value.filter(|_| whole)));
            logs.collect::<Vec<Option<f64>>>()
        };
        let Panel { targets, rounds, prompts, limit_s, client, .. } = self.e2e.clone();
        let targets = targets.into_iter().enumerate().map(|(target, facts)| super::PanelTarget { success: self.success(target), ..facts });
        let panel = Panel::of_rounds(Quantity::SecondsPerCorrect, targets.collect(), rounds, prompts, limit_s, of(true));
        panel.leaving_out(of(false)).limited_by(client)
    }

    /// The row of a target.
    pub fn row(&self, target: usize, confidence: Confidence) -> GradedRow {
        let count = |wanted: &dyn Fn(Came) -> bool| self.of(target).into_iter().flatten().filter(|came| wanted(**came)).count();
        let complete = |came: Came| matches!(came, Came::Complete(_));
        let correct = |came: Came| came.correct() == Some(true);
        let sent = |came: Came| !matches!(came, Came::Absent | Came::Unasked);
        GradedRow {
            correct: count(&correct),
            complete: count(&complete),
            n: count(&sent),
            unread: count(&|came| matches!(came, Came::Complete(graded) if graded.is_unread())),
            correct_and_complete: self.share(target, correct, sent, confidence),
            accuracy: self.share(target, correct, complete, confidence),
            seconds_per_correct: self.seconds_per_correct(target, confidence),
        }
    }

    /// The shares of two targets, over the blocks that were sent to both.
    pub fn difference(&self, first: usize, second: usize, confidence: Confidence) -> Option<AccuracyDifference> {
        let (mut counts, mut only_first, mut only_second) = ([Vec::new(), Vec::new()], 0, 0);
        let mut blocks = 0;
        for (a, b) in self.of(first).into_iter().zip(self.of(second)) {
            let both: Vec<(bool, bool)> = a.iter().zip(b).filter_map(|(a, b)| a.correct().zip(b.correct())).collect();
            only_first += both.iter().filter(|(a, b)| *a && !b).count() as u64;
            only_second += both.iter().filter(|(a, b)| *b && !a).count() as u64;
            counts[0].push((both.iter().filter(|(a, _)| *a).count() as u64, both.len() as u64));
            counts[1].push((both.iter().filter(|(_, b)| *b).count() as u64, both.len() as u64));
            blocks += both.len();
        }
        let rounds = counts[0].iter().filter(|(_, n)| 0 < *n).count();
        let (first, second) = clustered_share(&counts[0], confidence).zip(clustered_share(&counts[1], confidence))?;
        let enough = ROUNDS_FOR_INTERVALS <= rounds && REQUESTS_FOR_ACCURACY <= blocks;
        let difference = enough.then(|| newcombe_of((first.share, first.interval), (second.share, second.interval)));
        Some(AccuracyDifference { first, second, difference, only_first, only_second, p: mcnemar_exact(only_first, only_second) })
    }

    /// What requests of a target came to, a slice a round.
    pub(super) fn of(&self, target: usize) -> Vec<&[Came]> {
        let (rounds, prompts) = (self.e2e.rounds.len(), self.e2e.prompts);
        (0..rounds).map(|round| &self.came[(target * rounds + round) * prompts..][..prompts]).collect()
    }

    /// Complete replies and requests to prompts with exact answers, by round.
    fn success(&self, target: usize) -> Vec<(usize, usize)> {
        let count = |round: &&[Came], wanted: fn(&&Came) -> bool| round.iter().filter(wanted).count();
        let of = |round: &&[Came]| {
            (count(round, |came| matches!(came, Came::Complete(_))), count(round, |came| !matches!(came, Came::Absent | Came::Unasked)))
        };
        self.of(target).iter().map(of).collect()
    }

    fn share(&self, target: usize, part: impl Fn(Came) -> bool, of: impl Fn(Came) -> bool, confidence: Confidence) -> Option<Estimate> {
        let count = |round: &[Came]| {
            let whole: Vec<Came> = round.iter().copied().filter(|came| of(*came)).collect();
            (whole.iter().filter(|came| part(**came)).count() as u64, whole.len() as u64)
        };
        let rounds: Vec<(u64, u64)> = self.of(target).into_iter().map(count).filter(|(_, n)| 0 < *n).collect();
        let clustered = clustered_share(&rounds, confidence)?;
        let interval: Option<Interval> = match rounds.len() < ROUNDS_FOR_INTERVALS {
            true => wilson(clustered.successes, clustered.n, confidence),
            false => Some(clustered.interval),
        };
        let n = clustered.n as usize;
        Some(Estimate { point: Extended::Finite(clustered.share), interval: interval.filter(|_| REQUESTS_FOR_ACCURACY <= n), n })
    }

    /// θ and its interval; `None` where nothing was sent.
    fn seconds_per_correct(&self, target: usize, confidence: Confidence) -> Option<Estimate> {
        let sums = self.sums(target, true);
        let n = sums.iter().flatten().map(|sum| sum.requests).sum();
        let Some(theta) = ratio(&sums) else { return (0 < n).then_some(Estimate { point: Extended::Never, interval: None, n }) };
        let logs: Vec<f64> = self.pseudo_values(target, true).into_iter().flatten().collect();
        let sample = Sample::new(logs).ok().filter(|sample| ROUNDS_FOR_INTERVALS <= sample.n());
        let interval = sample.map(|sample| paired(&sample, confidence).interval.map(f64::exp));
        Some(Estimate { point: Extended::Finite(theta), interval, n })
    }

    /// v of each round: `None` in rounds in which nothing counts, and everywhere without a correct answer.
    fn pseudo_values(&self, target: usize, rate_limited: bool) -> Vec<Option<f64>> {
        let sums = self.sums(target, rate_limited);
        let Some(theta) = ratio(&sums) else { return vec![None; sums.len()] };
        let there: Vec<&Sum> = sums.iter().flatten().collect();
        let mean_correct = there.iter().map(|sum| sum.correct).sum::<f64>() / there.len() as f64;
        let value = |sum: &Sum| theta.ln() + (sum.seconds - theta * sum.correct) / (theta * mean_correct);
        sums.iter().map(|sum| sum.as_ref().map(value)).collect()
    }

    /// Charged seconds and correct answers of each round, with rate-limited requests charged or left out.
    fn sums(&self, target: usize, rate_limited: bool) -> Vec<Option<Sum>> {
        let of = |(round, came): (usize, &[Came])| {
            let mut sum = Sum::default();
            for (came, entry) in came.iter().zip(self.e2e.entries(target, round)) {
                let left_out = !rate_limited && matches!(entry, Entry::Failed { rate_limited: true, .. });
                // A good reply of which this client cannot tell the time costs nobody knows what.
                let (Some(correct), Some(ms), false) = (came.correct(), entry.time(), left_out) else { continue };
                sum.seconds += ms / 1e3;
                sum.correct += f64::from(u8::from(correct));
                sum.requests += 1;
            }
            (0 < sum.requests).then_some(sum)
        };
        self.of(target).into_iter().enumerate().map(of).collect()
    }
}

/// Sums of one round.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    seconds: f64,
    correct: f64,
    requests: usize,
}

/// θ; `None` without a correct answer.
fn ratio(sums: &[Option<Sum>]) -> Option<f64> {
    let (seconds, correct) = sums.iter().flatten().fold((0.0, 0.0), |(s, c), sum| (s + sum.seconds, c + sum.correct));
    (0.0 < correct && 0.0 < seconds).then(|| seconds / correct)
}

#[cfg(test)]
mod tests {
    use super::super::panel::{PanelRound, PanelTarget};
    use super::*;
    use crate::ident::TargetId;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    const CORRECT: Came = Came::Complete(Graded::Correct);
    const WRONG: Came = Came::Complete(Graded::Wrong);
    const UNREAD: Came = Came::Complete(Graded::Unread(Unread::NoLine));

    /// Answers of targets, rounds and prompts: seconds and what came.
    fn answers(targets: &[Vec<Vec<(f64, Came)>>]) -> GradedAnswers {
        let (rounds, prompts) = (targets[0].len(), targets[0][0].len());
        let facts = |id: usize| PanelTarget {
            id: TargetId::new(format!("t{id}")).unwrap(),
            family: None,
            simulated: false,
            success: Vec::new(),
            rate_limited: 0,
            bundled: 0,
            hidden: 0,
            uncounted: 0,
        };
        let all = || targets.iter().flatten().flatten();
        let entry = |(seconds, came): &(f64, Came)| match came {
            Came::Absent | Came::NotSent | Came::Unasked => Entry::Absent,
            Came::Failed => Entry::Failed { charge: seconds * 1e3, rate_limited: *seconds == 429.0 },
            Came::Complete(_) => Entry::Good(seconds * 1e3),
        };
        let round = |round: usize| PanelRound { run: 0, round: round as u32, at: jiff::Timestamp::UNIX_EPOCH };
        let e2e = Panel::of_blocks(
            Quantity::E2e,
            (0..targets.len()).map(facts).collect(),
            (1..=rounds).map(round).collect(),
            prompts,
            60.0,
            all().map(entry).collect(),
        );
        GradedAnswers::new(e2e, all().map(|(_, came)| *came).collect()).unwrap()
    }

    #[test]
    fn a_correct_answer_costs_all_the_time_that_was_spent() {
        // 10 s and 2 correct, 20 s and 1, 60 s (a failure) and 0, 10 s and 1: 100 s for 4 of 7.
        let of = answers(&[vec![
            vec![(4.0, CORRECT), (6.0, CORRECT)],
            vec![(12.0, WRONG), (8.0, CORRECT)],
            vec![(60.0, Came::Failed), (0.0, Came::NotSent)],
            vec![(10.0, CORRECT), (0.0, Came::Absent)],
        ]]);
        let row = of.row(0, Confidence::DEFAULT);
        assert_eq!((row.correct, row.complete, row.n, row.unread), (4, 5, 7, 0));
        let cost = row.seconds_per_correct.unwrap();
        assert_eq!((cost.point, cost.n), (Extended::Finite(25.0), 6));
        assert!(cost.interval.unwrap().holds(25.0));
        // v = ln 25 + (S − 25 C)/(25 · 1).
        let levels: Vec<f64> = of.panel().levels(0).into_iter().map(|(_, v)| v).collect();
        let by_hand = [-40.0, -5.0, 60.0, -15.0].map(|rest| 25f64.ln() + rest / 25.0);
        assert!(levels.iter().zip(by_hand).all(|(v, hand)| (v - hand).abs() < 1e-12), "{levels:?}");
        assert!((levels.iter().sum::<f64>() / 4.0 - 25f64.ln()).abs() < 1e-12);
        assert_eq!(row.correct_and_complete.unwrap().interval, None, "seven requests are too few for an interval");
    }

    #[test]
    fn without_a_correct_answer_the_cost_is_never_and_nothing_is_compared() {
        let of = answers(&[vec![vec![(4.0, WRONG)]; 8], vec![vec![(4.0, CORRECT)]; 8]]);
        let row = of.row(0, Confidence::DEFAULT);
        assert_eq!(row.seconds_per_correct.unwrap().point, Extended::Never);
        assert!(of.panel().levels(0).is_empty() && of.panel().differences(0, 1).is_empty());
        let difference = of.difference(0, 1, Confidence::DEFAULT).unwrap();
        assert_eq!((difference.only_first, difference.only_second), (0, 8));
        assert!((difference.p - 2.0 / 256.0).abs() < 1e-12);
        assert_eq!(difference.difference, None, "eight blocks are too few for an interval");
    }

    #[test]
    fn what_cannot_be_read_is_not_correct_and_counted_apart() {
        let of = answers(&[vec![vec![(1.0, CORRECT), (1.0, UNREAD), (1.0, UNREAD), (9.0, Came::Failed)]; 5]]);
        let row = of.row(0, Confidence::DEFAULT);
        assert_eq!((row.correct, row.unread, row.complete, row.n), (5, 10, 15, 20));
        assert_eq!(row.accuracy.unwrap().point, Extended::Finite(5.0 / 15.0));
        assert_eq!(row.seconds_per_correct.unwrap().point, Extended::Finite(12.0));
        assert!(row.correct_and_complete.unwrap().interval.unwrap().holds(0.25));
    }

    #[test]
    fn the_difference_of_two_is_the_ratio_of_their_costs() {
        let target =
            |s: f64| (0..10).map(|r| vec![(s + f64::from(r % 3), CORRECT), (s, if r % 4 == 0 { WRONG } else { CORRECT })]).collect();
        let of = answers(&[target(3.0), target(6.0)]);
        let panel = of.panel();
        let cost = |target| of.row(target, Confidence::DEFAULT).seconds_per_correct.unwrap().point.finite().unwrap();
        let d: Vec<f64> = panel.differences(0, 1).iter().map(|d| d.log_ratio).collect();
        assert!((d.iter().sum::<f64>() / 10.0 - (cost(1) / cost(0)).ln()).abs() < 1e-12);
        let away = of.difference(0, 1, Confidence::DEFAULT).unwrap();
        assert_eq!((away.only_first, away.only_second, away.p), (0, 0, 1.0));
        assert_eq!(away.difference.unwrap().difference, 0.0);
    }

    #[test]
    fn requests_over_the_quota_are_charged_or_left_out() {
        let of = answers(&[vec![vec![(2.0, CORRECT), (429.0, Came::Failed)]; 6]]);
        let level = |panel: &Panel| panel.levels(0)[0].1.exp();
        assert!((level(&of.panel()) - 431.0).abs() < 1e-9);
        assert!((level(&of.panel().without_rate_limited()) - 2.0).abs() < 1e-9);
    }

    #[test]
    fn the_interval_of_the_cost_holds_the_truth_about_as_often_as_it_says() {
        let usual = coverage(24, 0.7);
        assert!((0.92..=0.985).contains(&usual), "coverage {usual}");
        let (few_rounds, few_right) = (coverage(6, 0.7), coverage(24, 0.15));
        assert!(0.9 <= few_rounds && 0.9 <= few_right, "coverage {few_rounds} with six rounds, {few_right} with few right answers");
    }

    /// How often the interval holds the truth, of 400 runs of 10 prompts a round: effects of rounds on time and on accuracy, lognormal
    /// times, one request in fifty fails and is charged 120 s.
    fn coverage(rounds: usize, able: f64) -> f64 {
        let repetitions = 400;
        let mut draws = ChaCha8Rng::seed_from_u64(20261124);
        let mut unit = || (draws.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
        // E S / E C in closed form.
        let truth = (0.98 * 8.0 * (0.5f64 * (0.04 + 0.25)).exp() + 0.02 * 120.0) / (0.98 * able);
        let mut run = |_: &u32| {
            let rounds = (0..rounds).map(|_| {
                let slow = 0.2 * bell(&mut unit);
                let able = able + 0.1 * (2.0 * unit() - 1.0);
                let one = |_| {
                    let time = 8.0 * (slow + 0.5 * bell(&mut unit)).exp();
                    match (unit() < 0.02, unit() < able) {
                        (true, _) => (120.0, Came::Failed),
                        (false, true) => (time, CORRECT),
                        (false, false) => (time, WRONG),
                    }
                };
                (0..10).map(one).collect::<Vec<_>>()
            });
            let of = answers(&[rounds.collect()]);
            of.row(0, Confidence::DEFAULT).seconds_per_correct.unwrap().interval.unwrap().holds(truth)
        };
        (0..repetitions).filter(&mut run).count() as f64 / f64::from(repetitions)
    }

    fn bell(unit: &mut impl FnMut() -> f64) -> f64 {
        (-2.0 * (1.0 - unit()).ln()).sqrt() * (std::f64::consts::TAU * unit()).cos()
    }
}
