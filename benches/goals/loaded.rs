//! The program under load: how late requests of an open loop leave, and whether a ramp tells the server's figures rightly.

use super::table::{Goal, Row};
use super::ways::Ways;
use photofinish::record::{Line, Trial};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Arrivals a second.
const RATE: u64 = 1000;

pub fn lateness(ways: &Ways, passes: usize, seconds: u64) -> Vec<Row> {
    let mut rows = Vec::new();
    for spread in ["constant", "poisson"] {
        let what = format!("send lateness p99, {RATE} requests a second, {spread}");
        let found: Result<Vec<Late>, String> = (0..passes).map(|pass| late(ways, spread, pass, seconds)).collect();
        match found {
            Ok(found) => {
                let p99 = found.iter().map(|late| late.p99_us).collect();
                let p50 = found.iter().map(|late| late.p50_us).fold(0.0, f64::max);
                let most = found.iter().map(|late| late.max_us).fold(0.0, f64::max);
                let [sent, unsent, failed] =
                    [|l: &Late| l.sent, |l: &Late| l.unsent, |l: &Late| l.failed].map(|of| found.iter().map(of).sum::<usize>());
                let note = format!("p50 up to {p50:.0}, max {most:.0} µs; {sent} sent, {unsent} not sent, {failed} failed");
                rows.push(Row::of("load", what, Goal::AtMost(200.0), p99, "µs").noted(note));
            }
            Err(why) => rows.push(Row::missing("load", what, why)),
        }
    }
    rows
}

struct Late {
    p50_us: f64,
    p99_us: f64,
    max_us: f64,
    sent: usize,
    unsent: usize,
    failed: usize,
}

fn late(ways: &Ways, spread: &str, pass: usize, seconds: u64) -> Result<Late, String> {
    let behaviour = "systems:\n  quick: {dialect: vllm, ttft_ms: 20, content: {tokens: 4, speed: 200}}\n";
    let file = written(ways, "quick.yaml", behaviour)?;
    let simulator = ways.simulator("late", &file, false)?;
    let target = format!("{}/quick/v1=m", simulator.ready.base);
    let results = format!("late-{spread}-{pass}");
    let args = format!(
        "load --target {target} --rate {RATE} --arrivals {spread} --duration {seconds}s --passes 1 --rest 0s --results {results} --format json"
    );
    ways.photofinish(&words(&args), seconds + 60)?;
    let mut late = Vec::new();
    let (mut unsent, mut failed) = (0, 0);
    for trial in trials(&ways.place.join(&results))? {
        let Some(answer) = &trial.answer else {
            unsent += 1;
            continue;
        };
        failed += usize::from(answer.finish.is_none());
        if let Some(sent) = answer.stamps.first_write {
            late.push(sent.since(trial.scheduled) as f64 / 1e3);
        }
    }
    late.sort_by(f64::total_cmp);
    let rank = |percent: usize| late.get((late.len() * percent).div_ceil(100).max(1) - 1).copied().unwrap_or(f64::NAN);
    Ok(Late { p50_us: rank(50), p99_us: rank(99), max_us: rank(100), sent: late.len(), unsent, failed })
}

/// What `scripts/load_truth.py` finds.
#[derive(Deserialize)]
struct Held {
    replies: usize,
    worst: f64,
    worst_of: String,
    figures: std::collections::BTreeMap<String, Figure>,
}
#[derive(Deserialize)]
struct Figure {
    off: f64,
}

/// A closed loop up to 300 users, five requests each and at least twenty; the heaviest stage is held against the simulator's own log by a program of its own.
pub fn ramp(ways: &Ways, stages: &str) -> Vec<Row> {
    let what = format!("ramp of {stages} users: the farthest figure at 300 from the simulator's truth");
    match ramp_held(ways, stages) {
        Ok(held) => {
            let each: Vec<String> = held.figures.iter().map(|(name, figure)| format!("{name} {:+.3} %", 100.0 * figure.off)).collect();
            let note = format!("{}; {} replies; {}", held.worst_of, held.replies, each.join(", "));
            vec![Row::of("load", what, Goal::AtMost(0.5), vec![100.0 * held.worst], "%").noted(note)]
        }
        Err(why) => vec![Row::missing("load", what, why)],
    }
}

fn ramp_held(ways: &Ways, stages: &str) -> Result<Held, String> {
    let behaviour = "systems:\n  box: {dialect: vllm, server_timings: false, ttft_ms: {uniform: {from: 200, to: 220}}, content: {tokens: 64, speed: 50}}\n";
    let file = written(ways, "ramp.yaml", behaviour)?;
    let mut simulator = ways.simulator("ramp", &file, false)?;
    let target = format!("{}/box/v1=m", simulator.ready.base);
    let args = format!("load --target {target} --stages {stages} --order ascending --passes 1 --rest 1s --results ramp");
    ways.photofinish(&words(&args), 180)?;
    simulator.stop();
    let ramp = ways.photofinish(&words("ramp latest --results ramp --format json"), 60)?;
    let ramp = written(ways, "ramp.json", &ramp)?;
    let records = records(&ways.place.join("ramp"))?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/load_truth.py");
    let mut python = Command::new("python3");
    python.arg(script).arg(&simulator.log).arg(records).arg(ramp).args(["--stage", &stages.split(',').count().to_string(), "--json"]);
    let output = python.output().map_err(|error| format!("python3, which holds the figures against the truth: {error}"))?;
    serde_json::from_slice(&output.stdout).map_err(|error| {
        let said = String::from_utf8_lossy(&output.stderr);
        format!("scripts/load_truth.py: {error}; {}", said.lines().last().unwrap_or_default())
    })
}

fn words(args: &str) -> Vec<String> {
    args.split_whitespace().map(str::to_owned).collect()
}

fn written(ways: &Ways, name: &str, text: &str) -> Result<String, String> {
    let file = ways.place.join(name);
    std::fs::write(&file, text).map_err(|error| error.to_string())?;
    Ok(file.display().to_string())
}

/// The records of the only run in a folder.
fn records(results: &Path) -> Result<PathBuf, String> {
    let mut found =
        std::fs::read_dir(results).map_err(|error| error.to_string())?.flatten().map(|entry| entry.path().join("records.jsonl"));
    found.find(|file| file.is_file()).ok_or_else(|| format!("{}: no records", results.display()))
}

fn trials(results: &Path) -> Result<Vec<Trial>, String> {
    let text = std::fs::read_to_string(records(results)?).map_err(|error| error.to_string())?;
    let lines: Result<Vec<Line>, _> = text.lines().map(serde_json::from_str).collect();
    let trial = |line| if let Line::Trial(trial) = line { Some(*trial) } else { None };
    Ok(lines.map_err(|error| error.to_string())?.into_iter().filter_map(trial).collect())
}
