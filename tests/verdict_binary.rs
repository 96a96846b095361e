//! `compare`, `league` and `power` as a user meets them: widths, languages, files, refusals.

mod hand;

use assert_cmd::Command;
use photofinish::store::Run;
use photofinish::timeline::ErrorKind;
use std::path::PathBuf;
use unicode_width::UnicodeWidthStr;

const NEWEST: &str = "20261124T080000Z-by-hand-a1b2c3";

struct Results(tempfile::TempDir);

impl Results {
    /// A folder of results with this run in it.
    fn with(run: &Run) -> Results {
        let results = Results(tempfile::tempdir().unwrap());
        hand::save(run, &results.path("results").join(NEWEST));
        results
    }
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
    fn call(&self, args: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_photofinish"));
        let output = command.env_clear().env("HOME", self.0.path()).args(args).current_dir(self.0.path()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }
    fn said(&self, args: &[&str]) -> String {
        let (code, out, err) = self.call(args);
        assert_eq!((code, err.as_str()), (0, ""), "{args:?}");
        out
    }
    fn json(&self, args: &[&str]) -> serde_json::Value {
        serde_json::from_str(&self.said(&[args, &["--format", "json"]].concat())).unwrap()
    }
    fn refusal(&self, args: &[&str]) -> String {
        let (code, out, err) = self.call(args);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}: {err}");
        assert!(!err.contains("panicked"), "{err}");
        err
    }
}

/// A number between −1 and 1 that rounds and prompts make look random.
fn wobble(round: u32, block: u32, target: usize) -> f64 {
    let mixed = (u64::from(round) * 7919 + u64::from(block) * 104_729 + target as u64 * 1_299_709).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 11) as f64 / (1u64 << 52) as f64 - 1.0
}

/// Twenty-six hourly rounds: a fast one, two that are alike, one that does not reason, one that never answers.
fn race() -> Run {
    let names = ["快速云/r1", "alike/one", "alike/two", "plain/r1", "silent/r1"];
    let mut run = hand::run(names.map(hand::target).into(), 26, 3);
    run.manifest.design.every_s = 3600;
    hand::fill(&mut run, |round, block, target| {
        let factor = 1.0 + 0.2 * wobble(round, block, target);
        match target {
            0 => hand::reply(200.0 * factor, 10.0 * factor, 10, 30),
            1 | 2 => hand::reply(400.0 * factor, 30.0 * factor, 10, 30),
            3 => hand::reply(450.0 * factor, 28.0 * factor, 0, 40),
            _ => hand::failed(503, ErrorKind::Overloaded, "no"),
        }
    });
    run
}

#[test]
fn the_sentence_of_a_pair_is_whole_at_every_width_and_no_number_is_broken() {
    let results = Results::with(&race());
    for width in ["40", "80", "120", "400"] {
        let out = results.said(&["compare", "latest", "--width", width]);
        assert!(out.lines().all(|line| line.width() <= width.parse().unwrap()), "{out}");
        let one_line = out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(one_line.contains("快速云/r1 faster: 0.3"), "{one_line}");
        assert!(one_line.contains("× the time (0."), "{one_line}");
        assert!(one_line.contains("not comparable, because of silent/r1; silent/r1: no good reply in 78 requests"), "{one_line}");
    }
    let zh = results.said(&["compare", "latest", "--lang", "zh", "--baseline", "alike/one"]).replace(['\n', ' '], "");
    assert!(zh.contains("快速云/r1更快：用时为对方的0.3"), "{zh}");
    assert!(!zh.contains("faster") && !zh.contains("没有差异"), "{zh}");
}

#[test]
fn the_league_ranks_ties_alike_and_puts_others_below_a_line() {
    let results = Results::with(&race());
    let out = results.said(&["league", "latest", "--metric", "e2e", "--width", "100"]);
    let line = |name: &str| out.lines().find(|line| line.contains(name) && !line.starts_with('[')).unwrap_or_default();
    assert!(line("快速云").trim_start().starts_with("1 "), "{out}");
    let below = out.lines().skip_while(|line| !line.contains("not ranked")).skip(1).collect::<Vec<_>>();
    assert!(below[0].contains("silent/r1 [1]") && out.contains("[1] silent/r1: no good reply in 78 requests"), "{out}");
    assert!(!out.contains("preliminary"), "twenty-six rounds on two days are enough: {out}");
    assert!(out.contains("cannot be seen with this many rounds"), "{out}");
    assert!(
        out.contains("5 targets · 26 rounds × 3 prompts · 2026-11-24 08:00 to 2026-11-25 09:01 UTC")
            || out.contains("26 rounds × 3 prompts")
    );
}

#[test]
fn a_league_of_reasoning_comes_by_itself_where_any_target_reasons() {
    let metrics = |run: &Run| {
        let found = Results::with(run).json(&["league", "latest"]);
        found["tables"].as_array().unwrap().iter().map(|table| table["metric"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(metrics(&race()), ["ttft", "reasoning_speed", "content_speed", "e2e"]);
    let mut plain = hand::run(vec![hand::target("a/x"), hand::target("b/x")], 6, 2);
    hand::fill(&mut plain, |round, block, target| hand::reply(300.0 + 9.0 * wobble(round, block, target), 20.0, 0, 40));
    assert_eq!(metrics(&plain), ["ttft", "content_speed", "e2e"]);
}

#[test]
fn files_hold_a_row_a_target_or_pair_and_name_the_metric() {
    let results = Results::with(&race());
    let csv = results.said(&["league", "latest", "--format", "csv"]);
    let rows: Vec<Vec<String>> =
        csv::Reader::from_reader(csv.as_bytes()).into_records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
    assert_eq!(rows.len(), 4 * 5);
    assert_eq!((rows[0][0].as_str(), rows[19][0].as_str()), ("ttft", "e2e"));
    let excel = results.said(&["compare", "latest", "--metric", "e2e", "--metric", "content_speed", "--format", "csv", "--excel"]);
    assert!(excel.starts_with("\u{feff}metric,first,second,"), "{excel}");
    assert_eq!(excel.lines().count(), 1 + 2 * 10);
    let power = results.said(&["power", "latest", "--pairs", "--format", "csv"]);
    assert_eq!(power.lines().count(), 1 + 6, "{power}");
}

#[test]
fn json_keeps_the_sensitivity_figures_and_every_reason() {
    let found = Results::with(&race()).json(&["compare", "latest"]);
    let comparisons = found["tables"][0]["comparisons"].as_array().unwrap();
    assert_eq!(comparisons.len(), 10);
    let first = &comparisons[0];
    assert_eq!((first["first"].as_str(), first["second"].as_str()), (Some("快速云/r1"), Some("alike/one")));
    let ratio = first["ratio"]["value"].as_f64().unwrap();
    let [low, high] = [0, 1].map(|end| first["ratio"]["interval"][end].as_f64().unwrap());
    assert!(low < ratio && ratio < high && high < 1.0, "{first}");
    assert_eq!(first["verdict"]["word"], "faster");
    assert_eq!(first["verdict"]["who"], "first");
    for name in ["answered_only_ratio", "hodges_lehmann_ratio", "p50_ratio_expanded"] {
        assert!(first["sensitivity"][name]["value"].is_f64(), "{name}: {first}");
    }
    assert!(first["sensitivity"]["sign_flip"]["p"].is_f64());
    let silent = comparisons.iter().find(|one| one["second"] == "silent/r1").unwrap();
    assert_eq!((silent["verdict"]["word"].as_str(), silent["p_holm"].is_null()), (Some("not_comparable"), true));
    assert!(silent["ratio"]["missing"].is_string(), "{silent}");
}

#[test]
fn the_same_runs_give_the_same_bytes() {
    let results = Results::with(&race());
    for args in
        [["compare", "latest", "--format", "json"], ["league", "latest", "--format", "json"], ["power", "latest", "--format", "json"]]
    {
        assert_eq!(results.said(&args), results.said(&args));
    }
}

#[test]
fn the_layout_that_is_usually_published_says_in_its_note_what_such_tables_leave_out() {
    let results = Results::with(&race());
    let out = results.said(&["league", "latest", "--layout", "seed", "--format", "markdown"]);
    let head = out.lines().find(|line| line.starts_with("| platform")).unwrap();
    assert_eq!(head, "| platform | generation speed (tok/s) | note |");
    let row = out.lines().find(|line| line.contains("快速云")).unwrap();
    assert!(row.contains("content") && row.contains("reasoning") && row.contains("n = 78 in 26 rounds, 78 succeeded"), "{row}");
    assert!(row.contains("2026-11-24 to 2026-11-25") && row.contains("from Shenzhen") && row.contains("rank 1 of"), "{row}");
    let zh = results.said(&["league", "latest", "--layout", "seed", "--format", "markdown", "--lang", "zh"]);
    assert!(zh.contains("| 平台 | 生成速度（tok/s） | 备注 |"), "{zh}");
    let error = results.refusal(&["league", "latest", "--layout", "seed", "--metric", "ttft"]);
    assert!(error.contains("leave --metric out"), "{error}");
}

#[test]
fn power_names_the_rounds_that_are_missing_and_how_long_they_take() {
    let results = Results::with(&race());
    let found = results.json(&["power", "latest", "--ratio", "1.01"]);
    let table = &found["tables"][0];
    assert_eq!((table["every_s"].as_f64(), table["every_is_planned"].as_bool()), (Some(3600.0), Some(true)));
    assert_eq!(table["left_out"][0], "silent/r1");
    for pair in table["pairs"].as_array().unwrap() {
        assert_eq!(pair["second"], "快速云/r1", "all against the best: {pair}");
        assert_eq!(pair["takes_s"].as_f64(), pair["more"].as_f64().map(|more| more * 3600.0));
        assert!(0.0 < pair["more"].as_f64().unwrap() && 26.0 < pair["needed"].as_f64().unwrap());
    }
    let out = results.said(&["power", "latest", "--ratio", "1.01", "--width", "80"]);
    assert!(out.contains("the plan has one round every 1 h") && out.lines().all(|line| line.width() <= 80), "{out}");
}

#[test]
fn what_is_misspelt_is_answered_with_what_there_is() {
    let results = Results::with(&race());
    let error = results.refusal(&["league", "latest", "--metric", "contnt_speed"]);
    assert!(error.contains("did you mean content_speed?") && error.contains("ttft, ttfa, e2e"), "{error}");
    let error = results.refusal(&["compare", "latest", "--baseline", "alike"]);
    assert!(error.contains("known are 快速云/r1, alike/one, alike/two"), "{error}");
    for (flag, value, hint) in [("--delta", "5", "0.05"), ("--confidence", "95", "0.95"), ("--metric", "", "ttft")] {
        let error = results.refusal(&["compare", "latest", flag, value]);
        assert!(error.contains(hint), "{error}");
    }
    let error = results.refusal(&["power", "latest", "--ratio", "1"]);
    assert!(error.contains("1.1"), "{error}");
    let error = results.refusal(&["compare", "latest", "--metric", "seconds_per_correct"]);
    assert!(error.contains("exact answer"), "{error}");
    let alone = Results::with(&hand::run(vec![hand::target("one/r1")], 6, 2));
    assert!(alone.refusal(&["compare", "latest"]).contains("only one target"));
}

#[test]
fn a_run_without_any_trial_has_tables_without_figures() {
    let results = Results::with(&hand::run(vec![hand::target("a/r1"), hand::target("b/r1")], 6, 2));
    for command in ["compare", "league", "power"] {
        for format in ["terminal", "markdown", "csv", "json"] {
            let out = results.said(&[command, "latest", "--format", format]);
            assert!(!out.contains("NaN") && !out.contains("inf"), "{out}");
        }
    }
}

#[test]
fn a_look_of_three_rounds_has_intervals_and_no_words() {
    let mut run = hand::run(vec![hand::target("a/r1"), hand::target("b/r1")], 3, 5);
    hand::fill(&mut run, |round, block, target| hand::reply(300.0, 20.0 * (1.0 + target as f64) + wobble(round, block, target), 10, 30));
    let results = Results::with(&run);
    let out = results.said(&["compare", "latest"]);
    assert!(out.contains("too few rounds to call (3 of 6)") && out.contains('['), "{out}");
    let league = results.said(&["league", "latest", "--metric", "e2e"]);
    assert!(league.contains("too few rounds (3 of 6)") && league.contains("preliminary"), "{league}");
}
