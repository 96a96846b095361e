//! `photofinish load` as a process against the simulator as another: counts, outcomes and the simulator's own truth.
#![cfg(target_os = "linux")]

mod simulator;

use photofinish::record::{StageState, Trial};
use photofinish::runner::usable;
use photofinish::store::Run;
use simulator::{Sim, command};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Output;

/// Sixteen tokens after 50 ms, in under half a second.
const QUICK: &str = "seed: 1\nsystems:\n  box:\n    dialect: vllm\n    ttft_ms: 50\n    content: {tokens: 16, speed: 50}\n";

fn load(sim: &Sim, more: &[&str]) -> (Output, Option<Run>) {
    let target = format!("http://{}/box=m", sim.address());
    let results = sim.folder.path().join("results");
    let output = command()
        .args(["load", "--target", &target, "--rest", "0s", "--max-tokens", "64", "--results"])
        .arg(&results)
        .args(more)
        .env("HOME", sim.folder.path())
        .output()
        .unwrap();
    let folder = std::fs::read_dir(&results).ok().and_then(|mut runs| runs.next()).map(|run| run.unwrap().path());
    (output, folder.map(|folder: PathBuf| Run::open(&folder).unwrap()))
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn done(output: &Output, run: Option<Run>) -> Run {
    assert!(output.status.success(), "{}", told(output));
    run.unwrap()
}

fn connections(trials: &[Trial]) -> BTreeSet<u64> {
    trials.iter().map(|trial| trial.answer.as_ref().unwrap().connect.id).collect()
}

#[test]
fn fifty_and_three_hundred_users_are_what_the_simulator_saw() {
    let sim = Sim::start(QUICK, &[]);
    let (output, run) = load(&sim, &["--stages", "50,300", "--passes", "1", "--requests", "600", "--order", "ascending"]);
    let run = done(&output, run);
    assert!(run.manifest.load.is_some());
    assert_eq!(run.trials.len(), 1200);
    assert!(run.trials.iter().all(usable), "{}", told(&output));
    let states: Vec<(u32, &StageState, u32)> = run.stages.iter().map(|line| (line.stage, &line.state, line.connections)).collect();
    use StageState::{Begun, Finished};
    assert_eq!(states, [(1, &Begun, 50), (1, &Finished, 50), (2, &Begun, 300), (2, &Finished, 300)]);
    assert_eq!(connections(&run.trials).len(), 350, "each user keeps one connection");
    let users: BTreeSet<u32> = run.trials.iter().filter_map(|trial| trial.load.unwrap().user).collect();
    assert_eq!(users.len(), 300);

    let truth = sim.truth();
    assert_eq!(truth.len(), 1200);
    let reported = |trial: &Trial| trial.answer.as_ref()?.usage.as_ref()?.completion;
    let written: u64 = truth.iter().map(|line| line["content_tokens"].as_u64().unwrap()).sum();
    assert_eq!(run.trials.iter().filter_map(reported).sum::<u64>(), written);
}

#[test]
fn a_cold_load_opens_one_connection_a_request() {
    let sim = Sim::start(QUICK, &[]);
    let (output, run) = load(&sim, &["--stages", "5", "--passes", "1", "--requests", "15", "--cold"]);
    let run = done(&output, run);
    assert_eq!(connections(&run.trials).len(), 15);
    assert!(run.trials.iter().all(|trial| !trial.answer.as_ref().unwrap().connect.reused));
    let seen: BTreeSet<u64> = sim.truth().iter().map(|line| line["connection"].as_u64().unwrap()).collect();
    assert_eq!(seen.len(), 15);
}

#[test]
fn arrivals_are_never_sent_early_and_their_lateness_is_on_record() {
    let sim = Sim::start(QUICK, &[]);
    let (output, run) = load(&sim, &["--rate", "40", "--arrivals", "constant", "--duration", "1s", "--passes", "1"]);
    let run = done(&output, run);
    assert_eq!(run.trials.len(), 40);
    for trial in &run.trials {
        assert!(trial.scheduled <= trial.answer.as_ref().unwrap().stamps.first_write.unwrap());
    }
    let mut due: Vec<u64> = run.trials.iter().map(|trial| trial.scheduled.0).collect();
    due.sort_unstable();
    assert!(due.windows(2).all(|pair| pair[1] - pair[0] == 25_000_000), "at equal distances, whatever the replies took");
}

#[test]
fn a_gate_that_fails_is_exit_code_1() {
    let sim = Sim::start(QUICK, &[]);
    let (output, run) = load(&sim, &["--stages", "2", "--passes", "1", "--gate", "ttft_p50<1ms"]);
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert_eq!(run.unwrap().trials.len(), 20);
}

#[test]
fn a_public_host_needs_the_users_word_and_nothing_is_sent() {
    let results = tempfile::tempdir().unwrap();
    let output = command()
        .args(["load", "--target", "http://192.0.2.1/v1=m", "--dry-run", "--results"])
        .arg(results.path().join("results"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(told(&output).contains("--i-may-load-this"), "{}", told(&output));
    assert!(!results.path().join("results").exists());
}

#[test]
fn too_few_descriptors_are_told_before_the_start_with_the_remedy() {
    let sim = Sim::start(QUICK, &[]);
    let program = env!("CARGO_BIN_EXE_photofinish");
    let line = format!("ulimit -n 100; exec {program} load --target http://{}/box=m --stages 300 --dry-run", sim.address());
    let output = std::process::Command::new("sh").args(["-c", &line]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = told(&output);
    assert!(told.contains("needs 364 file descriptors") && told.contains("ulimit -n 364") && told.contains("LimitNOFILE=364"), "{told}");
}

#[test]
fn a_target_without_a_usable_reply_is_exit_code_1_and_its_failures_are_on_record() {
    let sim = Sim::start("seed: 1\nsystems:\n  box: {dialect: vllm, faults: {unavailable: 1}}\n", &[]);
    let (output, run) = load(&sim, &["--stages", "2", "--passes", "1", "--requests", "2"]);
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(told(&output).contains("no usable sample from") && told(&output).contains("503"), "{}", told(&output));
    assert_eq!(run.unwrap().trials.len(), 2);
}

#[test]
#[cfg(unix)]
fn a_signal_reads_what_is_in_flight_and_the_cell_under_way_is_no_sample() {
    let sim = Sim::start(QUICK, &[]);
    let results = sim.folder.path().join("results");
    let mut child = command()
        .args([
            "load",
            "--target",
            &format!("http://{}/box=m", sim.address()),
            "--rest",
            "0s",
            "--stages",
            "3",
            "--duration",
            "60s",
            "--results",
        ])
        .arg(&results)
        .env("HOME", sim.folder.path())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    // As soon as a reply is on record the load is under way.
    let records = || std::fs::read_dir(&results).ok()?.next()?.ok().map(|run| run.path().join("records.jsonl"));
    let under_way =
        || records().and_then(|path| std::fs::read_to_string(path).ok()).is_some_and(|text| text.contains("\"kind\":\"trial\""));
    while !under_way() {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let signalled = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(signalled.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let run = Run::open(records().unwrap().parent().unwrap()).unwrap();
    assert_eq!(run.stages.last().unwrap().state, StageState::Interrupted);
    assert!(run.trials.iter().all(usable), "what was in flight was read to its end");
}
