//! Writes a synthetic run of a month of hourly rounds, to see how long the reading commands take and whether they count right.
//!
//! `cargo bench --bench month -- --out FOLDER [--rounds 720 --targets 10 --prompts 50 --marks 500 --seed 1]`. Times are lognormal with
//! effects of prompt, round, hour and target; a few requests fail, in bursts too. No text is kept, token counts are on record: what
//! remains is the record's own size, about 6 GB as it stands. `scripts/month.sh` makes it, times `photofinish` on it and deletes it.
#![allow(clippy::print_stdout)]

#[path = "../tests/hand/mod.rs"]
mod hand;

use photofinish::record::{Answer, Line, Manifest, Reads, RoundLine, RoundState, SelfLag, TextKept, TokenCounts, Trial};
use photofinish::store::Run;
use photofinish::timeline::{Ended, ErrorKind, Limit, Phase, Point, Usage};
use photofinish::units::Offset;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::io::Write;
use std::path::PathBuf;

struct Shape {
    rounds: u32,
    targets: u32,
    prompts: u32,
    marks: usize,
    seed: u64,
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let given = |name: &str| args.iter().position(|arg| arg == name).and_then(|i| args.get(i + 1));
    let number =
        |name: &str, otherwise: u64| given(name).map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name} takes a number")));
    let Some(out) = given("--out").map(PathBuf::from) else {
        println!("give --out FOLDER; see scripts/month.sh");
        return;
    };
    let shape = Shape {
        rounds: number("--rounds", 720) as u32,
        targets: number("--targets", 10) as u32,
        prompts: number("--prompts", 50) as u32,
        marks: number("--marks", 500) as usize,
        seed: number("--seed", 1),
    };
    let bytes = shape.write(&out).unwrap_or_else(|error| panic!("{}: {error}", out.display()));
    let trials = shape.rounds * shape.targets * shape.prompts;
    println!("{}: {trials} trials of {} marks, {:.2} GB", out.display(), shape.marks, bytes as f64 / 1e9);
}

/// What differs from target to target and from prompt to prompt, drawn once.
struct Effects {
    targets: Vec<f64>,
    prompts: Vec<f64>,
}

impl Shape {
    fn write(&self, out: &std::path::Path) -> std::io::Result<u64> {
        std::fs::create_dir_all(out)?;
        let run = self.run();
        std::fs::write(out.join("manifest.json"), serde_json::to_vec_pretty(&run.manifest)?)?;
        let mut draws = Draws::new(self.seed, 0);
        let effects = Effects {
            targets: (0..self.targets).map(|i| 0.07 * f64::from(i) + 0.02 * draws.normal()).collect(),
            prompts: (0..self.prompts).map(|_| 0.4 * draws.normal()).collect(),
        };
        let mut file = std::fs::File::create(out.join("records.jsonl"))?;
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let (mut written, rounds) = (0, (1..=self.rounds).collect::<Vec<u32>>());
        for together in rounds.chunks(threads) {
            let lines = std::thread::scope(|scope| {
                let (manifest, effects) = (&run.manifest, &effects);
                let working: Vec<_> = together.iter().map(|round| scope.spawn(move || self.round(*round, manifest, effects))).collect();
                working.into_iter().map(|thread| thread.join().expect("a round is written")).collect::<Vec<Vec<u8>>>()
            });
            for bytes in lines {
                file.write_all(&bytes)?;
                written += bytes.len() as u64;
            }
        }
        Ok(written)
    }

    fn run(&self) -> Run {
        let targets = (0..self.targets).map(|i| hand::target(&format!("platform-{i:02}/r1"))).collect();
        let mut run = hand::run(targets, self.rounds, self.prompts);
        run.manifest.name = "month".into();
        run.manifest.seed = self.seed;
        run.manifest.created = "2026-10-01T00:00:00Z".parse().expect("a time");
        run.manifest.design.every_s = 3600;
        run.manifest.design.warm_up = false;
        run.manifest.text = TextKept::Counts { tokenizer: "o200k-equivalent".into() };
        run
    }

    /// The lines of one round.
    fn round(&self, round: u32, manifest: &Manifest, effects: &Effects) -> Vec<u8> {
        let mut draws = Draws::new(self.seed, u64::from(round));
        let begun = manifest.created + jiff::SignedDuration::from_hours(i64::from(round) - 1);
        let hour = f64::from((round - 1) % 24);
        let shared = 0.1 * draws.normal() + 0.25 * (std::f64::consts::TAU * (hour - 12.0) / 24.0).cos();
        let own: Vec<f64> = (0..self.targets).map(|_| 0.2 * draws.normal()).collect();
        // Now and then a target has a bad hour.
        let bad: Vec<bool> = (0..self.targets).map(|_| draws.share() < 0.01).collect();
        let mut bytes = Vec::with_capacity(self.targets as usize * self.prompts as usize * (self.marks * 34 + 1200));
        let state = |state, minutes: i64, lag| {
            let wall = begun + jiff::SignedDuration::from_mins(minutes);
            Line::Round(RoundLine { stepped_ns: None, round, state, wall, mono: hand::T0, lag })
        };
        line(&mut bytes, &state(RoundState::Begun, 0, None));
        for prompt in 0..self.prompts {
            for target in 0..self.targets {
                let level = shared + own[target as usize] + effects.targets[target as usize] + effects.prompts[prompt as usize];
                let fails = draws.share() < if bad[target as usize] { 0.6 } else { 0.01 };
                let answer = if fails { failure(&mut draws) } else { self.reply(&mut draws, level) };
                let trial = self.trial(manifest, (round, prompt, target), begun, answer);
                line(&mut bytes, &Line::Trial(Box::new(trial)));
            }
        }
        line(&mut bytes, &state(RoundState::Finished, 9, Some(SelfLag { runtime_p99_us: 900.0, ..SelfLag::default() })));
        bytes
    }

    fn trial(&self, manifest: &Manifest, place: (u32, u32, u32), begun: jiff::Timestamp, answer: Answer) -> Trial {
        let (round, prompt, target) = place;
        let mut run = Run {
            folder: PathBuf::new(),
            manifest: Manifest { targets: vec![manifest.targets[target as usize].clone()], ..manifest.clone() },
            trials: Vec::new(),
            rounds: Vec::new(),
            stages: Vec::new(),
            notes: Vec::new(),
            torn: 0,
        };
        hand::put(&mut run, round, prompt + 1, 0, answer);
        let mut trial = run.trials.remove(0);
        trial.place = target + 1;
        trial.wall = begun + jiff::SignedDuration::from_secs(i64::from(prompt) * 10);
        trial
    }

    fn reply(&self, draws: &mut Draws, level: f64) -> Answer {
        let mut answer = hand::empty_reply();
        let ttft = 400.0 * (level + 0.3 * draws.normal()).exp();
        let step = 18.0 * (0.5 * level + 0.15 * draws.normal()).exp();
        let reasoning = self.marks * 3 / 10;
        let mut at = ttft;
        for i in 0..self.marks {
            let phase = if i < reasoning { Phase::Reasoning } else { Phase::Content };
            let number = i as u32 + 2;
            // The last text shares its read with the end marks: its time is an interval.
            let width_ns = if i + 1 == self.marks { 40_000 } else { 0 };
            answer.timeline.push(Point { at: Offset((at * 1e6) as u64), width_ns, phase, bytes: 4, chunk: number, read: number });
            at += step * (0.5 + draws.share());
        }
        answer.text = None;
        let ones = vec![1; self.marks];
        answer.counts = Some(TokenCounts {
            tokenizer: "o200k-equivalent".into(),
            per_event: ones,
            chars: vec![4; self.marks],
            hash: "5a17".repeat(16),
        });
        answer.usage = Some(Usage {
            prompt: Some(40),
            completion: Some(self.marks as u64),
            reasoning: Some(reasoning as u64),
            total: Some(40 + self.marks as u64),
            ..Usage::default()
        });
        answer.reads = Reads {
            count: self.marks as u32 + 2,
            bytes: self.marks as u64 * 210,
            lag_ns: (0..self.marks + 2).map(|_| 9_000 + (draws.share() * 9_000.0) as u32).collect(),
            clock_steps: 0,
        };
        answer.stamps.closed = Some(hand::T0.plus((at * 1e6) as u64));
        answer.headers.insert("content-type".into(), "text/event-stream".into());
        answer
    }
}

fn failure(draws: &mut Draws) -> Answer {
    match (draws.share() * 5.0) as u32 {
        0 => hand::failed(429, ErrorKind::RateLimit, "slow down"),
        1 => Answer { ended: Ended::TimedOut { limit: Limit::FirstToken }, finish: None, end_marks: Vec::new(), ..hand::empty_reply() },
        _ => hand::failed(503, ErrorKind::Overloaded, "the model is overloaded, try again later"),
    }
}

fn line(bytes: &mut Vec<u8>, line: &Line) {
    serde_json::to_writer(&mut *bytes, line).expect("a line is written");
    bytes.push(b'\n');
}

/// Seeded draws: the same run for the same seed, whatever the number of processors.
struct Draws(ChaCha8Rng);

impl Draws {
    fn new(seed: u64, round: u64) -> Draws {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(round);
        Draws(rng)
    }
    /// From 0 to 1, 1 excluded.
    fn share(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }
    /// A standard normal, by Box and Muller.
    fn normal(&mut self) -> f64 {
        let (radius, angle) = ((1.0 - self.share()).ln(), self.share());
        (-2.0 * radius).sqrt() * (std::f64::consts::TAU * angle).cos()
    }
}
