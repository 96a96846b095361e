//! The gate: where this client was the bottleneck, no command calls anybody faster, ranked, swinging or in agreement with a claim.

mod hand;
mod simulator;

use photofinish::record::{Claim, RoundLine, RoundState, SelfLag};
use photofinish::store::Run;
use serde_json::Value;
use simulator::{Sim, command};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Twenty-six hourly rounds of two targets of one model, the first twice as fast and published as fast as it is.
fn race() -> Run {
    let mut fast = hand::target("fast/r1");
    fast.claims = vec![Claim { metric: "content_speed".into(), value: 95.0, source: "a page".into(), date: "2026-11".into() }];
    let mut run = hand::run(vec![fast, hand::target("slow/r1")], 26, 2);
    run.manifest.design.every_s = 3600;
    hand::fill(&mut run, |round, block, target| {
        let wobble = f64::from((round * 7 + block * 3 + target as u32 * 5) % 11) / 100.0;
        let factor = if target == 0 { 1.0 + wobble } else { 2.0 + wobble };
        hand::reply(200.0 * factor, 10.0 * factor, 10, 30)
    });
    run
}

/// The same, with a lag of 31 ms in these rounds and of one ms in the others.
fn lagged(rounds: std::ops::RangeInclusive<u32>) -> Run {
    let mut run = race();
    let line = |round: u32| {
        let ms = if rounds.contains(&round) { 31.0 } else { 1.0 };
        let lag = Some(SelfLag { runtime_p99_us: ms * 1e3, read_p50_us: 21.0, read_p99_us: 90.0, ..SelfLag::default() });
        RoundLine { stepped_ns: None, round, state: RoundState::Finished, wall: run.manifest.created, mono: hand::T0, lag }
    };
    run.rounds = (1..=26).map(line).collect();
    run
}

struct Saved(tempfile::TempDir);

impl Saved {
    fn of(run: &Run) -> Saved {
        let saved = Saved(tempfile::tempdir().unwrap());
        hand::save(run, &saved.0.path().join("run"));
        saved
    }
    fn said(&self, line: &str) -> String {
        said(self.0.path(), line, "run")
    }
    fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.said(&format!("{line} --format json"))).unwrap()
    }
}

/// What a reading command writes of a run, lines drawn together.
fn said(folder: &Path, line: &str, run: &str) -> String {
    let mut words = line.split(' ');
    let mut reading = command();
    reading.env("HOME", folder).env_remove("COLUMNS").current_dir(folder).arg(words.next().unwrap()).arg(run).args(words);
    let output = reading.output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn few_limited_rounds_are_left_out_for_all_and_listed() {
    let run = Saved::of(&lagged(3..=5));
    let listed = "ounds 3–5: client-limited (its measuring thread lagged by 31.0 ms (p99)), so they are left out for all targets";
    let table = run.said("table");
    assert!(table.contains(listed), "{table}");
    assert!(table.contains("This client: kernel to user p50 21 µs, p99 90 µs; thread p99 31.0 ms late."), "{table}");
    assert!(!table.contains("void for all targets"), "rounds are not told again as blocks: {table}");
    let whole = run.json("table");
    assert_eq!((&whole["client"]["gate"]["closed"], &whole["rows"][0]["success"]["sent"]), (&false.into(), &46.into()));
    let compared = run.json("compare");
    let pair = &compared["tables"][0]["comparisons"][0];
    assert_eq!((&pair["verdict"]["word"], &pair["rounds"]), (&"faster".into(), &23.into()));
    for line in ["compare", "league", "hours", "power"] {
        assert!(run.said(line).contains(listed), "{line}: {}", run.said(line));
    }
    assert!(run.said("league --lang zh").contains("第 3–5 轮受限于本客户端（测量线程滞后 31.0 ms（p99）），对所有对象都不计"));
}

#[test]
fn where_this_client_was_the_bottleneck_in_more_than_a_quarter_nothing_is_called() {
    let quiet = Saved::of(&lagged(27..=27));
    let quiet = |line: &str| quiet.json(line)["tables"][0].clone();
    assert_eq!(quiet("compare")["comparisons"][0]["verdict"]["word"], "faster");
    assert_eq!(quiet("league")["ranked"].as_array().unwrap().len(), 2);
    assert!(quiet("power")["pairs"][0]["needed"].is_number());

    let run = Saved::of(&lagged(1..=10));
    let first = |line: &str| run.json(line)["tables"][0].clone();
    let withheld = "withheld: this client was the bottleneck in 10 of 26 rounds";

    let pair = &first("compare")["comparisons"][0];
    assert_eq!((&pair["verdict"]["word"], &pair["rounds"]), (&"withheld".into(), &26.into()), "nothing is left out");
    assert_eq!((&pair["p"], &pair["p_holm"], &pair["riders"]), (&Value::Null, &Value::Null, &serde_json::json!([])));
    assert!(pair["ratio"]["value"].is_number(), "the figures are there");
    assert!(run.said("compare --baseline slow/r1").contains(withheld));
    assert!(run.said("compare --lang zh").contains("不下结论：26 轮中有 10 轮的瓶颈在本客户端"));

    let league = first("league");
    assert_eq!((league["ranked"].as_array().unwrap().len(), league["unranked"].as_array().unwrap().len()), (0, 2));
    assert_eq!(league["unranked"][0]["bars"][0]["bar"], "client_limited");
    assert_eq!((&league["friedman"], &league["visible_ratio"]), (&Value::Null, &Value::Null));
    assert!(run.said("league").contains(&format!("{withheld}: nobody is ranked")), "{}", run.said("league"));
    assert!(run.said("league --layout seed").contains(withheld));

    let hours = first("hours");
    assert_eq!(hours["targets"][0]["peak_off_peak"]["verdict"], "withheld");
    assert_eq!((&hours["targets"][0]["extremes"], &hours["pairs"][0]["verdict"]), (&Value::Null, &"withheld".into()));
    assert_eq!(hours["targets"][0]["kruskal_wallis"]["missing"], withheld);
    assert!(run.said("hours --all").contains(withheld));

    let power = &first("power")["pairs"][0];
    assert_eq!((&power["needed"], &power["visible"], &power["more"]), (&Value::Null, &Value::Null, &Value::Null));
    assert!(run.said("power").contains(withheld));

    let brief = run.said("brief");
    assert!(brief.contains("Nothing is called about reply time: this client was the bottleneck in 10 of 26 rounds"), "{brief}");
    assert!(brief.contains("1. This client was the bottleneck"), "the heaviest doubt: {brief}");

    let table = run.said("table --basis reported");
    assert!(table.contains("no verdict, rank, swing or check is given"), "{table}");
    assert!(!table.contains("Same model?") && table.contains(withheld), "published figures are held against nothing: {table}");
    assert!(!table.contains("agrees") && !table.contains("higher than measured"), "{table}");
}

#[test]
fn requests_that_were_not_sent_close_the_gate_as_lag_does() {
    let mut run = race();
    for trial in run.trials.iter_mut().filter(|trial| trial.round <= 10 && trial.block == 1) {
        (trial.answer, trial.not_sent) = (None, Some(photofinish::record::NotSent::ClientBehind));
    }
    let run = Saved::of(&run);
    let compared = run.said("compare");
    assert!(compared.contains("withheld: this client was the bottleneck in 10 of 26 rounds"), "{compared}");
    assert!(compared.contains("(rounds 1–10: 20 of 40 requests were not sent)"), "{compared}");
}

/// Sixteen tokens after 50 ms, in under half a second, from two alike.
const ALIKE: &str =
    "seed: 1\nsystems:\n  box: &one\n    dialect: vllm\n    ttft_ms: 50\n    content: {tokens: 16, speed: 50}\n  tub: *one\n";

/// Runs a measuring command against the simulator; starved, its process is stopped for 100 ms of every 200.
#[cfg(target_os = "linux")]
fn measured(sim: &Sim, line: &str, starved: bool) -> PathBuf {
    let results = tempfile::tempdir_in(sim.folder.path()).unwrap().keep();
    let targets = ["box", "tub"].map(|name| format!("http://{}/{name}=m", sim.address()));
    let mut words = line.split(' ');
    let mut measuring = command();
    measuring.arg(words.next().unwrap()).args(["--target", &targets[0], "--target", &targets[1], "--results"]).arg(&results).args(words);
    let mut child = measuring.env("HOME", sim.folder.path()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while child.try_wait().unwrap().is_none() {
        if starved {
            signal(&child, "STOP");
            std::thread::sleep(Duration::from_millis(100));
            signal(&child, "CONT");
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(child.wait().unwrap().success(), "{line}");
    std::fs::read_dir(&results).unwrap().find_map(|entry| Some(entry.unwrap().path()).filter(|path| path.is_dir())).unwrap()
}

/// It may be gone already.
#[cfg(target_os = "linux")]
fn signal(process: &Child, name: &str) {
    let _ = Command::new("kill").args(["-s", name, &process.id().to_string()]).stderr(Stdio::null()).status().unwrap();
}

#[test]
#[cfg(target_os = "linux")]
fn a_starved_run_says_so_and_calls_nothing() {
    let sim = Sim::start(ALIKE, &[]);
    let line = "run --rounds 7 --prompts 1 --max-tokens 64";
    let [calm, starved] = [false, true].map(|starved| measured(&sim, line, starved));
    let lags = |folder: &Path| {
        let mut lags: Vec<f64> =
            Run::open(folder).unwrap().rounds.iter().filter_map(|line| Some(line.lag.as_ref()?.runtime_p99_us)).collect();
        lags.sort_by(f64::total_cmp);
        assert_eq!(lags.len(), 7);
        lags
    };
    let (of_calm, of_starved) = (lags(&calm), lags(&starved));
    assert!(of_calm[3] < of_starved[3], "calm {of_calm:?}, starved {of_starved:?}");
    let said = |folder: &Path, line: &str| said(sim.folder.path(), line, folder.to_str().unwrap());
    for line in ["compare", "league", "power"] {
        let text = said(&starved, line);
        assert!(text.contains("withheld: this client was the bottleneck in "), "{line}: {text}");
    }
    let table = said(&starved, "table");
    assert!(table.contains("no verdict, rank, swing or check is given"), "{table}");

    // This machine may be busy with other things: whether the calm run was limited, its own record says.
    let run = Run::open(&calm).unwrap();
    let seen: Vec<&SelfLag> = run.rounds.iter().filter_map(|line| line.lag.as_ref()).collect();
    let limited = |lag: &&&SelfLag| 20_000.0 < lag.runtime_p99_us.max(lag.read_p99_us).max(lag.send_p99_us.unwrap_or(0.0));
    let limited = seen.iter().filter(limited).count();
    let whole: Value = serde_json::from_str(&said(&calm, "table --format json")).unwrap();
    let gate = &whole["client"]["gate"];
    assert_eq!((gate["limited"].as_array().unwrap().len(), &gate["closed"]), (limited, &(1 < limited).into()), "{of_calm:?}");
    assert_eq!(said(&calm, "compare").contains("withheld"), 1 < limited);
    let texts: usize = run.trials.iter().filter_map(|trial| trial.answer.as_ref()).map(|answer| answer.timeline.len()).sum();
    assert_eq!(seen.iter().filter_map(|lag| lag.texts).sum::<u64>(), texts as u64);
    assert!(seen.iter().all(|lag| lag.send_p99_us.is_some() && lag.unsent == Some(0)));
    let table = said(&calm, "table");
    assert!(table.contains("This client: kernel to user p50 ") && table.contains(" of texts are intervals ("), "{table}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_starved_ramp_withholds_its_words_by_the_same_gate() {
    let sim = Sim::start(ALIKE, &[]);
    let line = "load --stages 1,2,4 --passes 3 --requests 4 --rest 0s --max-tokens 64";
    let starved = measured(&sim, line, true);
    let ramp: Value = serde_json::from_str(&said(sim.folder.path(), "ramp --format json", starved.to_str().unwrap())).unwrap();
    let stages = ramp["stages"].as_array().unwrap();
    assert_eq!(stages.len(), 6);
    for stage in stages {
        assert!(!stage["client_limited"].as_array().unwrap().is_empty(), "{stage}");
    }
    assert!(ramp["client"]["diagnosis"]["runtime_p99_us"].as_f64().unwrap() > 20_000.0, "{}", ramp["client"]);
    let words = said(sim.folder.path(), "ramp", starved.to_str().unwrap());
    assert!(words.contains("withheld, as this client was at its limit"), "{words}");
}
