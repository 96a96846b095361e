//! `ramp` as a user meets it: exit codes of the gate, refusals with a remedy, formats, languages, and several runs of one plan.

mod hand;
mod ramp;

use assert_cmd::Command;
use photofinish::store::Run;
use ramp::{at, finish, reply, user, users};
use serde_json::Value;

struct Results(tempfile::TempDir);

impl Results {
    fn new() -> Results {
        Results(tempfile::tempdir().unwrap())
    }
    fn save(&self, run: &Run, name: &str) -> String {
        ramp::save(run, &self.0.path().join(name));
        name.to_owned()
    }
    /// Exit code, stdout and stderr.
    fn call(&self, args: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_photofinish"));
        command.env_clear().env("HOME", self.0.path());
        let output = command.args(args).current_dir(self.0.path()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }
    fn json(&self, args: &[&str]) -> Value {
        let (_, out, err) = self.call(&[args, &["--format", "json"]].concat());
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {err}"))
    }
}

/// Three passes of 1, 2 and 4 users; replies take longer the more users there are, and the second target is slow alone and patient.
fn loaded() -> Run {
    let mut run = ramp::run(&["box/m", "cloud/m"], users(&[1, 2, 4]), 3);
    for pass in 1..=3u32 {
        for (stage, count) in [(1, 1), (2, 2), (3, 4)] {
            for target in 0..2 {
                let cell = at(pass, stage, target);
                let own = if target == 0 { 400.0 * f64::from(count) } else { 1000.0 };
                let ms = own + 7.0 * f64::from(pass * 3 % 5) + 3.0 * f64::from(stage);
                for one in 1..=count {
                    user(&mut run, cell, one, 1.0, (0..12).map(|n| reply(ms / 4.0, ms + f64::from(n % 3), 20)));
                }
                finish(&mut run, cell);
            }
        }
    }
    run
}

#[test]
fn a_gate_decides_the_exit_code() {
    let results = Results::new();
    let run = results.save(&loaded(), "run");
    for (gate, code) in [
        ("latency_p50<2s,success>=99%", 0),
        ("latency_p50<500ms@1,success>=99%", 1),
        ("latency_p50<2s@1", 0),
        // What could not be judged has not passed: neither a stage that is not there nor a figure that is missing.
        ("latency_p50<2s@7", 1),
        ("latency_p99<60s", 1),
    ] {
        let (seen, out, err) = results.call(&["ramp", &run, "--gate", gate]);
        assert_eq!(seen, code, "{gate}: {out}{err}");
        assert_eq!(out.contains("GATE FAILED"), code == 1, "{gate}: {out}");
        assert!(out.contains("Gate passed") == (code == 0), "{gate}: {out}");
    }
    let (code, out, _) = results.call(&["ramp", &run]);
    assert_eq!((code, out.contains("ate passed")), (0, false), "no gate, no word of it");
}

#[test]
fn a_gate_fails_in_every_format() {
    let results = Results::new();
    let run = results.save(&loaded(), "run");
    for format in ["terminal", "markdown", "csv", "json"] {
        let (code, out, _) = results.call(&["ramp", &run, "--gate", "latency_p50<1ms", "--format", format]);
        assert_eq!((code, out.is_empty()), (1, false), "{format}");
    }
    let document = results.json(&["ramp", &run, "--gate", "latency_p50<1ms"]);
    assert_eq!(document["gate"]["passed"], false);
    assert_eq!(document["gate"]["lines"].as_array().unwrap().len(), 6);
}

#[test]
fn what_is_no_load_run_is_refused_with_its_command_and_the_other_way_round() {
    let results = Results::new();
    let mut rounds = hand::run(vec![hand::target("a/r1")], 3, 2);
    hand::fill(&mut rounds, |_, _, _| hand::reply(300.0, 20.0, 20, 40));
    hand::save(&rounds, &results.0.path().join("rounds"));
    let (code, out, err) = results.call(&["ramp", "rounds"]);
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    assert!(err.contains("is a run of rounds; `photofinish table RUN` reads it"), "{err}");
    let run = results.save(&loaded(), "run");
    for command in ["table", "compare", "league", "hours", "power", "brief"] {
        let (code, out, err) = results.call(&[command, &run]);
        assert_eq!((code, out.as_str()), (2, ""), "{command}: {err}");
        assert!(err.contains("is a load run; `photofinish ramp RUN` reads it"), "{command}: {err}");
    }
}

#[test]
fn conditions_that_are_none_are_told_with_an_example() {
    let results = Results::new();
    let run = results.save(&loaded(), "run");
    for flag in ["--slo", "--gate"] {
        let (code, out, err) = results.call(&["ramp", &run, flag, "ttft<1"]);
        assert_eq!((code, out.as_str()), (2, ""), "{flag}");
        assert!(err.contains("write it as `ttft_p95<1s`"), "{err}");
    }
    let (code, _, err) = results.call(&["ramp", &run, "--excel"]);
    assert!(code == 2 && err.contains("--excel is for --format csv alone"), "{err}");
    let (code, _, err) = results.call(&["ramp", "nowhere"]);
    assert!(code == 2 && err.contains("no run here"), "{err}");
}

#[test]
fn the_table_names_up_to_how_many_users_the_box_wins() {
    let results = Results::new();
    let run = results.save(&loaded(), "run");
    let (_, out, _) = results.call(&["ramp", &run, "--width", "200"]);
    assert!(out.contains("box/m beats cloud/m up to 2 users"), "{out}");
    let (_, out, _) = results.call(&["ramp", &run, "--width", "200", "--lang", "zh"]);
    assert!(out.contains("box/m 快于 cloud/m，直到 2 个用户"), "{out}");
}

#[test]
fn a_service_level_is_asked_for_at_reading_as_well() {
    let results = Results::new();
    let mut run = loaded();
    run.manifest.load.as_mut().unwrap().slo = Some("latency_p50<2s".into());
    let run = results.save(&run, "run");
    let reach = |document: &Value| document["summaries"][0]["service_level_reaches"].clone();
    let own = reach(&results.json(&["ramp", &run]));
    assert_eq!((own["reach"].as_str(), own["load"].as_f64(), own["is_last"].as_bool()), (Some("through"), Some(4.0), Some(true)));
    let other = reach(&results.json(&["ramp", &run, "--slo", "latency_p50<1s"]));
    assert_eq!((other["load"].as_f64(), other["is_last"].as_bool()), (Some(2.0), Some(false)));
}

#[test]
fn the_list_for_spreadsheets_has_a_row_a_stage_and_target_and_names_why_a_figure_is_missing() {
    let results = Results::new();
    let run = results.save(&loaded(), "run");
    let (_, out, _) = results.call(&["ramp", &run, "--format", "csv", "--excel"]);
    let mut reader = csv::Reader::from_reader(out.trim_start_matches('\u{feff}').as_bytes());
    assert!(out.starts_with('\u{feff}'));
    let head = reader.headers().unwrap().clone();
    let column = |name: &str| head.iter().position(|column| column == name).unwrap_or_else(|| panic!("{name} in {head:?}"));
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 6);
    assert_eq!((&rows[0][column("target")], &rows[0][column("load")], &rows[0][column("sent")]), ("box/m", "1", "36"));
    assert_eq!(&rows[0][column("latency_p99_ms")], "");
    assert!(rows[0][column("missing_because")].contains("latency_p99_ms: 36 of the 100 requests that it takes"), "{:?}", rows[0]);
    let [low, value, high] =
        ["latency_p50_ms_low", "latency_p50_ms", "latency_p50_ms_high"].map(|name| rows[0][column(name)].parse::<f64>());
    let [low, value, high] = [low.unwrap(), value.unwrap(), high.unwrap()];
    assert!(low < value && value < high, "{low} {value} {high}");
    let mut names: Vec<&str> = head.iter().collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), head.len(), "no name stands twice: {head:?}");
}
