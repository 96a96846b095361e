//! `table`, `show` and `metrics` as a user meets them: formats, files, colours, exit codes and errors with a remedy.

mod hand;

use assert_cmd::Command;
use photofinish::store::Run;
use std::path::{Path, PathBuf};

/// A folder of results.
struct Results(tempfile::TempDir);

impl Results {
    fn new() -> Results {
        Results(tempfile::tempdir().unwrap())
    }
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
    /// Saves a run under `results/` and gives its path as one types it.
    fn save(&self, run: &Run, name: &str) -> String {
        hand::save(run, &self.path("results").join(name));
        format!("results/{name}")
    }
    fn call(&self, args: &[&str]) -> (i32, String, String) {
        self.call_with(args, &[])
    }
    /// Exit code, stdout and stderr. Stdout is a pipe.
    fn call_with(&self, args: &[&str], env: &[(&str, &str)]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_photofinish"));
        command.env_clear().env("HOME", self.0.path()).envs(env.iter().copied());
        let output = command.args(args).current_dir(self.0.path()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }
    /// The error of a call that is refused with exit code 2 and prints nothing.
    fn refusal(&self, args: &[&str]) -> String {
        let (code, out, err) = self.call(args);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}: {err}");
        assert!(!err.contains("panicked") && err.starts_with("error: "), "{err}");
        err
    }
}

fn race() -> Run {
    let mut run = hand::run(vec![hand::target("deepseek/r1"), hand::target("groq/r1")], 3, 2);
    hand::fill(&mut run, |_, _, target| hand::reply(300.0 + 100.0 * target as f64, 20.0, 20, 40));
    run
}

const NEWEST: &str = "20261124T080000Z-by-hand-a1b2c3";

#[test]
fn piped_tables_hold_no_escape_byte_and_colour_comes_when_asked() {
    let results = Results::new();
    let run = results.save(&race(), NEWEST);
    for (args, env) in [
        (vec!["table", &run], vec![]),
        (vec!["table", &run], vec![("NO_COLOR", "1")]),
        (vec!["table", &run], vec![("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]),
        (vec!["show", &run, "1/short-en-01/groq/r1"], vec![]),
        (vec!["metrics"], vec![]),
    ] {
        let (code, out, err) = results.call_with(&args, &env);
        assert_eq!((code, err.as_str()), (0, ""));
        assert!(!out.contains('\u{1b}') && !out.is_empty(), "{args:?} {env:?}: {out:?}");
    }
    let (_, out, _) = results.call_with(&["table", &run], &[("CLICOLOR_FORCE", "1")]);
    assert!(out.contains('\u{1b}'), "{out:?}");
}

#[test]
fn the_window_is_as_wide_as_told() {
    let results = Results::new();
    let run = results.save(&race(), NEWEST);
    let lines = |args: &[&str], env: &[(&str, &str)]| {
        let (_, out, _) = results.call_with(args, env);
        out.lines().filter(|line| line.contains("6/6")).map(|line| line.contains("groq")).collect::<Vec<_>>()
    };
    assert_eq!(lines(&["table", &run, "--width", "120"], &[]), [false, true]);
    assert_eq!(lines(&["table", &run], &[("COLUMNS", "120")]), [false, true]);
    assert_eq!(lines(&["table", &run], &[]), [false, false], "a pipe is taken for 80 columns");
}

#[test]
fn latest_is_the_newest_run_and_a_missing_one_names_the_remedy() {
    let results = Results::new();
    assert!(results.refusal(&["table", "latest"]).contains("no run here yet; `photofinish demo` makes one"));
    assert!(results.refusal(&["table", "results/nothing"]).contains("no run here"));
    let mut older = race();
    older.manifest.run = "older0".into();
    results.save(&older, "20261123T080000Z-by-hand-older0");
    results.save(&race(), NEWEST);
    let (code, out, _) = results.call(&["table", "latest", "--format", "json"]);
    assert_eq!(code, 0);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&out).unwrap()["run"], "a1b2c3");
}

#[test]
fn simulated_and_real_runs_are_not_mixed() {
    let results = Results::new();
    let mut simulated = race();
    hand::simulate(&mut simulated, 30.0);
    simulated.manifest.run = "sim000".into();
    let (real, simulated) = (results.save(&race(), NEWEST), results.save(&simulated, "20261124T090000Z-demo-sim000"));
    let error = results.refusal(&["table", &real, &simulated]);
    assert!(error.contains("run sim000 is simulated and run a1b2c3 is not"), "{error}");
    let (code, out, _) = results.call(&["table", &simulated]);
    assert_eq!(code, 0);
    assert!(out.starts_with("SIMULATED") && out.contains("sim:groq/r1"), "{out}");
}

#[test]
fn damaged_and_future_runs_are_refused_by_name_and_torn_lines_counted() {
    let results = Results::new();
    let run = results.save(&race(), NEWEST);
    let folder = results.path(&run);
    let records = std::fs::read_to_string(folder.join("records.jsonl")).unwrap();
    std::fs::write(folder.join("records.jsonl"), format!("{records}{}", &records[..200])).unwrap();
    let (code, out, _) = results.call(&["table", &run]);
    assert_eq!(code, 0);
    assert!(out.contains("1 line of the records could not be read"), "{out}");

    let manifest = std::fs::read_to_string(folder.join("manifest.json")).unwrap();
    std::fs::write(folder.join("manifest.json"), &manifest[..300]).unwrap();
    assert!(results.refusal(&["table", &run]).contains("manifest.json: "));
    std::fs::write(folder.join("manifest.json"), manifest.replacen("\"schema\": 1", "\"schema\": 99", 1)).unwrap();
    let error = results.refusal(&["show", &run, "1/short-en-01/groq/r1"]);
    assert!(error.contains("schema 99") && error.contains("update photofinish"), "{error}");
}

#[test]
fn a_broken_tokenizer_is_named() {
    let results = Results::new();
    let run = results.save(&race(), NEWEST);
    std::fs::write(results.path("tokenizer.json"), "{\"model\": 1}").unwrap();
    for file in ["tokenizer.json", "absent.json"] {
        let error = results.refusal(&["table", &run, "--tokenizer", file]);
        assert!(error.contains(&format!("{file}: not a tokenizer.json")), "{error}");
    }
    let (code, _, err) = results.call(&["table", &run, "--basis", "chunks"]);
    assert_eq!(code, 2);
    assert!(err.contains("known are reported, reference and chars"), "{err}");
}

#[test]
fn show_tells_the_whole_of_one_request_on_the_tables_basis() {
    let results = Results::new();
    let run = results.save(&race(), NEWEST);
    let (code, out, _) = results.call(&["show", &run, "2/short-en-01/groq/r1"]);
    assert_eq!(code, 0);
    for part in
        ["round 2, prompt short-en-01, groq/r1", "░", "█", "as a sample", "20 reasoning + 40 answer = 60 as reported", "ttft 400 ms"]
    {
        let flat = out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(out.contains(part) || flat.contains(part), "{part}:\n{out}");
    }
    let (_, json, _) = results.call(&["show", &run, "2/short-en-01/groq/r1", "--format", "json", "--basis", "chars"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["texts"].as_array().unwrap().len(), 60);
    assert_eq!(json["texts"][0]["at_ms"]["value"], 400.0);
    let metric = |name: &str| json["metrics"].as_array().unwrap().iter().find(|row| row["metric"] == name).unwrap()["value"].clone();
    assert_eq!(metric("content_speed")["value"], 250.0);
    assert_eq!(metric("conn")["missing"], "the connection was kept alive");
    let (_, csv, _) = results.call(&["show", &run, "2/short-en-01/groq/r1", "--format", "csv"]);
    assert_eq!(csv.lines().count(), 61);
}

#[test]
fn an_address_that_is_none_names_its_neighbours() {
    let results = Results::new();
    let run = results.save(&race(), NEWEST);
    assert!(results.refusal(&["show", &run, "2/short-en-01/grok/r1"]).contains("near it are 2/short-en-01/groq/r1"));
    assert!(results.refusal(&["show", &run, "groq"]).contains("such as 1/short-en-01/deepseek/r1"));
    assert!(results.refusal(&["show", &run, "one/short-en-01/groq/r1"]).contains("begins with no round"));
    let mut empty = race();
    empty.trials.clear();
    let run = results.save(&empty, "20261124T100000Z-empty-a1b2c3");
    assert!(results.refusal(&["show", &run, "1/short-en-01/groq/r1"]).contains("holds no request yet"));
    let (code, out, _) = results.call(&["table", &run]);
    assert_eq!(code, 0);
    assert!(out.contains("0/0") && out.contains("—"), "{out}");
}

#[test]
fn metrics_come_in_every_format_and_as_the_document() {
    let results = Results::new();
    let call = |args: &[&str]| {
        let (code, out, _) = results.call(&[&["metrics"], args].concat());
        assert_eq!(code, 0);
        out
    };
    assert!(call(&[]).contains("time to first token"));
    assert!(call(&["--format", "markdown"]).contains("| ttft |"));
    assert!(call(&["--format", "csv"]).contains("\r\nttft,time to first token,ms,"));
    let json: serde_json::Value = serde_json::from_str(&call(&["--format", "json"])).unwrap();
    assert_eq!(json["rows"][0]["name"], "ttft");
    let document = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md")).unwrap();
    assert_eq!(call(&["--markdown"]), document);
}

#[test]
fn what_is_written_to_a_file_is_what_would_be_printed() {
    let results = Results::new();
    let run = results.save(&race(), NEWEST);
    for format in ["terminal", "markdown", "csv", "json"] {
        let (_, printed, _) = results.call(&["table", &run, "--format", format]);
        let (code, out, _) = results.call_with(&["table", &run, "--format", format, "--output", "t"], &[("CLICOLOR_FORCE", "1")]);
        assert_eq!((code, out.as_str()), (0, ""));
        assert_eq!(std::fs::read_to_string(results.path("t")).unwrap(), printed);
    }
    assert!(results.refusal(&["table", &run, "--output", "no/such/folder/t"]).contains("no/such/folder/t"));
    let (code, _, err) = results.call(&["table", &run, "--format", "excel"]);
    assert_eq!(code, 2);
    assert!(err.contains("give terminal, markdown, csv or json"), "{err}");
}
