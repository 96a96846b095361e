//! Load runs made by hand: cells with exact requests at literal times, for tests of the reading wing. Stands on `tests/hand`.
#![allow(dead_code)]

use crate::hand;
use photofinish::analysis::load::{Figure, LoadOptions, LoadTable, Measure, StageFigures, load_table};
use photofinish::ident::{PromptId, TrialId};
use photofinish::measured::LoadSheet;
use photofinish::record::*;
use photofinish::stats::Extended;
use photofinish::store::Run;
use photofinish::timeline::ErrorKind;
use photofinish::tokens::{Basis, Reference};
use photofinish::units::Stamp;

/// One stage of one pass on one target: pass and stage from 1, the target by its place in the manifest.
#[derive(Debug, Clone, Copy)]
pub struct At {
    pub pass: u32,
    pub stage: u32,
    pub target: usize,
}

pub fn at(pass: u32, stage: u32, target: usize) -> At {
    At { pass, stage, target }
}

pub fn users(users: &[u32]) -> Vec<Offered> {
    users.iter().map(|users| Offered::Users { users: *users }).collect()
}

pub fn arrivals(per_s: &[f64]) -> Vec<Offered> {
    per_s.iter().map(|per_s| Offered::Arrivals { per_s: *per_s, spread: Spread::Constant }).collect()
}

/// A load run with no request yet. Replies of two tokens are long enough for a speed, so that they can be reckoned by hand.
pub fn run(targets: &[&str], stages: Vec<Offered>, passes: u32) -> Run {
    let mut run = hand::run(targets.iter().map(|id| hand::target(id)).collect(), 1, 4);
    run.manifest.design.min_tokens = 2;
    run.manifest.design.warm_up = false;
    run.manifest.load = Some(LoadDesign {
        stages,
        passes,
        until: Until::Requests { requests: 100 },
        order: StageOrder::Ascending,
        rest_ms: 0,
        cold: false,
        max_in_flight: None,
        slo: None,
        stop_when: None,
    });
    run
}

/// When a cell begins: cells lie a thousand seconds apart.
pub fn begin(at: At) -> Stamp {
    Stamp(1_000_000_000_000 * u64::from(at.pass * 10_000 + at.stage * 100 + at.target as u32 + 1))
}

fn after(from: Stamp, ms: f64) -> Stamp {
    from.plus((ms * 1e6).round() as u64)
}

/// Puts a request on record: due and first written so many ms after its cell began, its answer as `hand` makes it.
pub fn ask(run: &mut Run, at: At, user: Option<u32>, due: f64, written: f64, mut answer: Answer) -> &mut Trial {
    let from = after(begin(at), written);
    let moved = |stamp: Option<Stamp>| stamp.map(|stamp| from.plus(stamp.since(hand::T0)));
    let last_text = answer.timeline.last().map(|text| from.plus(text.at.0));
    let stamps = &answer.stamps;
    answer.stamps = Stamps {
        first_write: moved(stamps.first_write),
        last_write: moved(stamps.last_write),
        first_byte: moved(stamps.first_byte),
        head: moved(stamps.head),
        closed: last_text.or(moved(stamps.closed)).or(moved(stamps.first_write)),
    };
    put(run, at, user, due, Some(answer), None)
}

/// Puts a request on record that was due and not sent.
pub fn not_sent(run: &mut Run, at: At, user: Option<u32>, due: f64, why: NotSent) -> &mut Trial {
    put(run, at, user, due, None, Some(why))
}

fn put(run: &mut Run, at: At, user: Option<u32>, due: f64, answer: Option<Answer>, not_sent: Option<NotSent>) -> &mut Trial {
    let number = run.trials.len() as u32 + 1;
    let facts = &run.manifest.targets[at.target];
    run.trials.push(Trial {
        id: TrialId::new(format!("l{number}")).unwrap(),
        target: facts.id.clone(),
        provider: facts.provider.clone(),
        model: facts.model.clone(),
        round: at.pass,
        block: number,
        prompt: PromptId::new("short-en-01").unwrap(),
        place: 1,
        attempt: 1,
        role: Role::Scored,
        wall: run.manifest.created,
        scheduled: after(begin(at), due),
        held_since: None,
        load: Some(LoadPlace { stage: at.stage, user }),
        not_sent,
        answer: answer.map(Box::new),
    });
    run.trials.last_mut().unwrap()
}

/// A user who asks again as soon as the reply has ended, from `first` ms on; a failure takes `FAILED_MS`.
pub fn user(run: &mut Run, at: At, user: u32, first: f64, answers: impl IntoIterator<Item = Answer>) {
    let mut now = first;
    for answer in answers {
        let took = answer.timeline.last().map_or(FAILED_MS, |text| text.at.ms());
        let failed = answer.timeline.is_empty();
        let trial = ask(run, at, Some(user), now, now, answer);
        let stamps = &mut trial.answer.as_mut().unwrap().stamps;
        if failed {
            stamps.closed = stamps.first_write.map(|from| after(from, FAILED_MS));
        }
        now += took;
    }
}

pub const FAILED_MS: f64 = 100.0;

/// A reply of `tokens` tokens of the answer, the last of which comes at `ms`, at equal distances from `ttft` on.
pub fn reply(ttft: f64, ms: f64, tokens: usize) -> Answer {
    let step = if tokens < 2 { 0.0 } else { (ms - ttft) / (tokens - 1) as f64 };
    hand::reply(ttft, step, 0, tokens)
}

/// Over the quota.
pub fn refused() -> Answer {
    hand::failed(429, ErrorKind::RateLimit, "slow down")
}

/// Says that a cell has ended.
pub fn finish(run: &mut Run, at: At) {
    state(run, at, StageState::Finished);
}

/// Says what became of a cell.
pub fn state(run: &mut Run, at: At, state: StageState) -> &mut StageLine {
    let target = run.manifest.targets[at.target].id.clone();
    let line =
        StageLine { pass: at.pass, stage: at.stage, target, state, wall: run.manifest.created, mono: begin(at), connections: 0, lag: None };
    run.stages.push(line);
    run.stages.last_mut().unwrap()
}

/// Runs as load is read.
pub fn sheets(runs: &[Run]) -> Vec<LoadSheet> {
    runs.iter().map(|run| LoadSheet::of(run, &Reference::o200k()).unwrap()).collect()
}

/// The table of one run, tokens as reported.
pub fn table(run: &Run, options: &LoadOptions) -> LoadTable {
    let options = LoadOptions { basis: options.basis.or(Some(Basis::Reported)), ..options.clone() };
    load_table(&sheets(std::slice::from_ref(run)), &options).unwrap()
}

/// The table under a service level.
pub fn under(run: &Run, slo: &str) -> LoadTable {
    table(run, &LoadOptions { slo: Some(conditions(slo).unwrap()), ..LoadOptions::default() })
}

/// The figures of a stage from 1 on a target.
pub fn stage(table: &LoadTable, stage: usize, target: usize) -> &StageFigures {
    table.stages.iter().find(|row| row.stage + 1 == stage && row.target == target).unwrap()
}

pub fn figure(table: &LoadTable, of: usize, target: usize, measure: Measure) -> &Figure {
    stage(table, of, target).figure(measure).unwrap()
}

/// A figure's number.
#[track_caller]
pub fn number(table: &LoadTable, of: usize, target: usize, measure: Measure) -> f64 {
    match figure(table, of, target, measure).point {
        Ok(Extended::Finite(value)) => value,
        other => panic!("{measure:?}: {other:?}"),
    }
}

/// Equal to nine digits.
#[track_caller]
pub fn assert_near(seen: f64, wanted: f64) {
    assert!((seen - wanted).abs() <= 1e-9 * wanted.abs().max(1e-9), "{seen} instead of {wanted}");
}

/// Writes a run into a folder as the journal would.
pub fn save(run: &Run, folder: &std::path::Path) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("manifest.json"), serde_json::to_string_pretty(&run.manifest).unwrap()).unwrap();
    let trials = run.trials.iter().cloned().map(|trial| Line::Trial(Box::new(trial)));
    let stages = run.stages.iter().cloned().map(Line::Stage);
    let lines: Vec<String> = trials.chain(stages).map(|line| serde_json::to_string(&line).unwrap() + "\n").collect();
    std::fs::write(folder.join("records.jsonl"), lines.concat()).unwrap();
}
