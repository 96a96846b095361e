//! The simulation study of method.md §4.C: requests with effects of prompt, hour, round and their own, through the product's own code.
//! What is simulated is a model, not a provider: its figures say what the intervals and words are worth where the model holds.
#![allow(dead_code)]

pub mod gates;

use photofinish::analysis::{Entry, Panel, PanelRound, PanelTarget, Quantity};
use photofinish::ident::TargetId;
use photofinish::stats::Extended;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::f64::consts::TAU;

/// The limit T of every request, s; a typical reply takes 2 s.
pub const LIMIT_S: f64 = 120.0;
const TYPICAL_S: f64 = 2.0;

/// Standard deviations of the log times (method.md §4.C).
const PROMPT: f64 = 0.40;
const SHARED_ROUND: f64 = 0.10;
const OWN_ROUND: f64 = 0.20;
const HOUR: f64 = 0.25;
const OWN_PROMPT: f64 = 0.10;
const RESIDUAL: f64 = 0.30;

/// What the requests of a study are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Lognormal times.
    Base,
    /// Besides, 4 % of the requests take four times as long, and 5 % of a target's rounds three times.
    Heavy,
    /// Besides, 1 % of the requests fail, and in 5 % of a target's rounds 60 % of them.
    Fail,
}

/// One design and its truth.
#[derive(Debug, Clone)]
pub struct Model {
    /// ln of each target's time against the typical one.
    pub targets: Vec<f64>,
    /// Rounds, an hour apart.
    pub rounds: usize,
    /// Prompts a round.
    pub prompts: usize,
    /// Autocorrelation of a target's own round effects.
    pub rho: f64,
    /// What the requests are like.
    pub kind: Kind,
    /// Whether the hour of the day matters (alike for all targets).
    pub hours: bool,
    /// Whether a prompt suits one target better than another. Two names of one service are equal with every prompt.
    pub own_prompts: bool,
}

/// One simulated run of a [`Model`].
pub struct Draw {
    /// Every target's time with every prompt in every round; nothing where it failed. By target, round, prompt.
    pub times: Vec<Vec<Vec<Option<f64>>>>,
    /// The log level of every target with every prompt, without rounds, hours and residuals: what the comparison is about.
    pub levels: Vec<Vec<f64>>,
    model: Model,
}

impl Model {
    /// Equal or unequal targets under the base model.
    pub fn base(targets: &[f64], rounds: usize, prompts: usize) -> Model {
        Model { targets: targets.to_vec(), rounds, prompts, rho: 0.0, kind: Kind::Base, hours: true, own_prompts: true }
    }
    /// The same with other requests.
    pub fn of(mut self, kind: Kind) -> Model {
        self.kind = kind;
        self
    }
    /// The same with round effects that depend on each other.
    pub fn persisting(mut self, rho: f64) -> Model {
        self.rho = rho;
        self
    }
    /// Targets that are one service under several names: what is called faster among them is called wrongly.
    pub fn equals(targets: usize, rounds: usize, prompts: usize) -> Model {
        Model { own_prompts: false, ..Model::base(&vec![0.0; targets], rounds, prompts) }
    }
    /// The same with no hour of the day different from another.
    pub fn without_hours(mut self) -> Model {
        self.hours = false;
        self
    }

    /// Draws one run. One stream of numbers a repetition, so that the study gives the same figures on any number of threads.
    pub fn draw(&self, seed: u64, repetition: u64) -> Draw {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(repetition);
        let mut normal = Normal { random, spare: None };
        let prompts: Vec<f64> = (0..self.prompts).map(|_| PROMPT * normal.next()).collect();
        let shared: Vec<f64> = (0..self.rounds).map(|round| SHARED_ROUND * normal.next() + self.hour(round)).collect();
        let own_prompt = if self.own_prompts { OWN_PROMPT } else { 0.0 };
        let (mut times, mut levels) = (Vec::new(), Vec::new());
        for target in &self.targets {
            let level: Vec<f64> = prompts.iter().map(|prompt| TYPICAL_S.ln() + target + prompt + own_prompt * normal.next()).collect();
            let own = normal.persisting(self.rounds, self.rho);
            let mut rounds = Vec::with_capacity(self.rounds);
            for round in 0..self.rounds {
                let slow = if self.kind == Kind::Heavy && normal.uniform() < 0.05 { 3f64.ln() } else { 0.0 };
                let failing = match self.kind {
                    Kind::Fail if normal.uniform() < 0.05 => 0.6,
                    Kind::Fail => 0.01,
                    _ => 0.0,
                };
                let mut of_round = Vec::with_capacity(self.prompts);
                for prompt in &level {
                    let tail = if self.kind == Kind::Heavy && normal.uniform() < 0.04 { 4f64.ln() } else { 0.0 };
                    let log = prompt + shared[round] + OWN_ROUND * own[round] + slow + tail + RESIDUAL * normal.next();
                    let failed = 0.0 < failing && normal.uniform() < failing;
                    of_round.push((!failed).then(|| log.exp()));
                }
                rounds.push(of_round);
            }
            times.push(rounds);
            levels.push(level);
        }
        Draw { times, levels, model: self.clone() }
    }

    fn hour(&self, round: usize) -> f64 {
        if self.hours { HOUR * (TAU * (round % 24) as f64 / 24.0).cos() } else { 0.0 }
    }
}

impl Draw {
    /// The run as the panel that comparisons start from.
    pub fn panel(&self) -> Panel {
        let start = jiff::Timestamp::UNIX_EPOCH;
        let rounds = (0..self.model.rounds).map(|round| PanelRound {
            run: 0,
            round: round as u32 + 1,
            at: start + jiff::SignedDuration::from_hours(round as i64),
        });
        let targets = self.times.iter().enumerate().map(|(i, rounds)| PanelTarget {
            id: TargetId::new(format!("t{i}")).unwrap(),
            family: Some("one".into()),
            simulated: false,
            success: rounds.iter().map(|round| (round.iter().flatten().count(), round.len())).collect(),
            rate_limited: 0,
            bundled: 0,
            hidden: 0,
            uncounted: 0,
        });
        let charged = |time: &Option<f64>| match time {
            Some(time) => Entry::Good((time.min(LIMIT_S)) * 1e3),
            None => Entry::Failed { charge: LIMIT_S * 1e3, rate_limited: false },
        };
        let entries = self.times.iter().flatten().flatten().map(charged).collect();
        Panel::of_blocks(Quantity::E2e, targets.collect(), rounds.collect(), self.model.prompts, LIMIT_S, entries)
    }

    /// Every round's times of a target, as quantiles take them.
    pub fn clusters(&self, target: usize) -> Vec<Vec<Extended>> {
        let value = |time: &Option<f64>| time.map_or(Extended::Never, Extended::Finite);
        self.times[target].iter().map(|round| round.iter().map(value).collect()).collect()
    }

    /// The true log ratio of two targets with these prompts, in times as they are without failures: second over first.
    pub fn log_ratio(&self, first: usize, second: usize) -> f64 {
        let mean = |levels: &[f64]| levels.iter().sum::<f64>() / levels.len() as f64;
        mean(&self.levels[second]) - mean(&self.levels[first])
    }

    /// The true quantile of a target with these prompts at the hours of the design: where the mixture's distribution reaches `p`.
    pub fn quantile(&self, target: usize, p: f64) -> f64 {
        let sd = (SHARED_ROUND.powi(2) + OWN_ROUND.powi(2) + RESIDUAL.powi(2)).sqrt();
        let heavy = self.model.kind == Kind::Heavy;
        let slow = if heavy { vec![(0.95, 0.0), (0.05, 3f64.ln())] } else { vec![(1.0, 0.0)] };
        let tail = if heavy { vec![(0.96, 0.0), (0.04, 4f64.ln())] } else { vec![(1.0, 0.0)] };
        let hours: Vec<f64> = (0..self.model.rounds.min(24)).map(|round| self.model.hour(round)).collect();
        let below = |log: f64| {
            let mut share = 0.0;
            for level in &self.levels[target] {
                for hour in &hours {
                    for (weight, more) in slow.iter().flat_map(|(a, x)| tail.iter().map(move |(b, y)| (a * b, x + y))) {
                        share += weight * phi((log - level - hour - more) / sd);
                    }
                }
            }
            share / (self.levels[target].len() * hours.len()) as f64
        };
        let (mut low, mut high) = (-10.0f64, 10.0f64);
        for _ in 0..60 {
            let middle = (low + high) / 2.0;
            if below(middle) < p { low = middle } else { high = middle }
        }
        low.exp()
    }
}

/// The normal distribution function.
fn phi(x: f64) -> f64 {
    use statrs::distribution::{ContinuousCDF, Normal};
    Normal::standard().cdf(x)
}

/// Normal numbers by Box and Muller.
struct Normal {
    random: ChaCha8Rng,
    spare: Option<f64>,
}

impl Normal {
    fn uniform(&mut self) -> f64 {
        (self.random.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }
    fn next(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        let angle = TAU * self.uniform();
        self.spare = Some(radius * angle.sin());
        radius * angle.cos()
    }
    /// A stationary AR(1) series of variance 1.
    fn persisting(&mut self, n: usize, rho: f64) -> Vec<f64> {
        let mut series = Vec::with_capacity(n);
        let mut last = self.next();
        for _ in 0..n {
            series.push(last);
            last = rho * last + (1.0 - rho * rho).sqrt() * self.next();
        }
        series
    }
}

/// The share of repetitions in which something holds, on all processors. Undefined ones (`None`) are left out; the count of the others
/// comes back too.
pub fn share(repetitions: u64, holds: impl Fn(u64) -> Option<bool> + Sync) -> (f64, u64) {
    let (yes, all) = sums(repetitions, |repetition| holds(repetition).map_or((0, 0), |yes| (u64::from(yes), 1)));
    (yes as f64 / all.max(1) as f64, all)
}

fn sums(repetitions: u64, of: impl Fn(u64) -> (u64, u64) + Sync) -> (u64, u64) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let of = &of;
    let add = |a: (u64, u64), b: (u64, u64)| (a.0 + b.0, a.1 + b.1);
    std::thread::scope(|scope| {
        let work = |thread: u64| move || (0..repetitions).filter(|i| i % threads == thread).map(of).fold((0, 0), add);
        let running: Vec<_> = (0..threads).map(|thread| scope.spawn(work(thread))).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).fold((0, 0), add)
    })
}
