//! `hours` as a user meets it: heat line, table, words, formats, languages, zones and refusals.

mod hand;

use assert_cmd::Command;
use photofinish::record::{Windows, minute_of_day, zone};
use photofinish::store::Run;
use serde_json::Value;
use std::path::PathBuf;

struct Results(tempfile::TempDir);

impl Results {
    fn new() -> Results {
        Results(tempfile::tempdir().unwrap())
    }
    fn save(&self, run: &Run, name: &str) -> String {
        let path: PathBuf = self.0.path().join(name);
        hand::save(run, &path);
        name.to_owned()
    }
    /// Exit code, stdout and stderr of `hours`.
    fn hours(&self, args: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_photofinish"));
        command.env_clear().env("HOME", self.0.path());
        let output = command.arg("hours").args(args).current_dir(self.0.path()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }
    fn well(&self, args: &[&str]) -> String {
        let (code, out, err) = self.hours(args);
        assert_eq!(code, 0, "{err}");
        assert!(!err.contains("panicked"), "{err}");
        out
    }
    fn json(&self, args: &[&str]) -> Value {
        let args: Vec<&str> = args.iter().copied().chain(["--format", "json"]).collect();
        serde_json::from_str(&self.well(&args)).unwrap()
    }
}

/// Hourly rounds of three prompts; one target answers slower at the peak of Beijing, and fails there now and then, the other does not.
fn hourly(rounds: u32, name: &str) -> Run {
    let mut run = hand::run(vec![hand::target("steady/r1"), hand::target("siliconflow/Pro/deepseek-ai/DeepSeek-R1")], rounds, 3);
    run.manifest.name = name.into();
    let (beijing, from) = (zone("Asia/Shanghai").unwrap(), run.manifest.created);
    hand::fill(&mut run, |round, block, target| {
        let minute = minute_of_day(from + jiff::SignedDuration::from_hours(i64::from(round - 1)), &beijing);
        let busy = target == 1 && ((9..12).contains(&(minute / 60)) || (14..23).contains(&(minute / 60)));
        if busy && round % 7 == 0 && block == 2 {
            return hand::failed(503, photofinish::timeline::ErrorKind::Overloaded, "try later");
        }
        // Numbers that look drawn, and are the same each time.
        let drawn = f64::from((round * 7919 + block * 104_729 + target as u32 * 1_299_709) % 1000) / 1000.0;
        let factor = if busy { 1.8 } else { 1.0 };
        hand::reply((300.0 + 200.0 * drawn) * factor, (30.0 + 20.0 * drawn + f64::from(block)) * factor, 0, 20)
    });
    run
}

const LONG: &str = "siliconflow/Pro/deepseek-ai/DeepSeek-R1";

fn width_of(line: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(line)
}

#[test]
fn the_terminal_shows_a_line_a_table_and_words() {
    let results = Results::new();
    let run = results.save(&hourly(96, "race"), "run");
    let out = results.well(&[&run, "--bin", "3h", "--width", "80"]);
    assert!(!out.contains('\u{1b}') && out.lines().all(|line| width_of(line) <= 80), "{out}");
    let from_heat: Vec<&str> = out.lines().skip(2).take(7).collect();
    expect_test::expect![[r#"
          00    03    06    09    12    15    18    21
        steady/r1
          ▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃
        siliconflow/Pro/deepseek-ai/DeepSeek-R1
          ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▇▇▇▇▇▇▂▂▂▂▂▂▇▇▇▇▇▇▇▇▇▇▇▇▅▅▅▅▅▅
        P peak, o off-peak
          oooooooooooooo    PPPPPP    PPPPPPPP    PPPPPP"#]]
    .assert_eq(&from_heat.join("\n"));
    let one_line = out.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in [
        "race: reply time, by the hour of the day",
        "00–03 12 1.24 1.024 [0.988–1.061] 36/36",
        "09–12 12 2.26 1.65 [1.13–2.40] 34/36",
        "no swing shown (peak 0.99× off-peak, 0.97–1.02), p = 0.567",
        "swings over the day: peak 2.27× off-peak (1.90–2.71), p < 0.001",
        "slowest bin over fastest (09–12 over 03–06): 2.50× (chance alone gives 1.59×, up to 2.00×)",
        "96 rounds × 3 prompts · 2026-11-24 08:00 to 2026-11-28 07:00 UTC · from Shenzhen · limit T = 300 s",
        "Clock of Asia/Shanghai when the round began; 5 days of its calendar; bins of 3 h.",
        "peak 09:00-12:00, 14:00-18:00, 20:00-23:00; off-peak 00:00-07:00 (Asia/Shanghai)",
        "KW, Welch and F assume independent rounds given the hour.",
        "photofinish 0.1.0 · dataset short-en · seed 7 · run a1b2c3",
    ] {
        assert!(one_line.contains(words), "{words}\n{out}");
    }
    assert!(!out.contains("Kruskal–Wallis)"), "the tests over the whole day stand behind --all");
    let all = results.well(&[&run, "--all"]);
    for words in
        ["(Kruskal–Wallis): H = ", "peak to trough 2.10× (1.58–2.80), peak at 16:29", "(Brown–Forsythe): F = ", "rounds make 20.5 %"]
    {
        assert!(all.split_whitespace().collect::<Vec<_>>().join(" ").contains(words), "{words}\n{all}");
    }
    assert!(all.contains("is 2.29× (1.91–2.73)"), "{all}");
}

#[test]
fn the_line_stands_beside_its_name_where_the_window_is_wide_and_shrinks_where_it_is_narrow() {
    let results = Results::new();
    let run = results.save(&hourly(96, "race"), "run");
    let heat_of = |width: &str, zone: &str| {
        let out = results.well(&[&run, "--width", width, "--zone", zone]);
        let lines = out.lines().skip_while(|line| !line.is_empty()).skip(1).take_while(|line| !line.is_empty());
        let lines: Vec<String> = lines.map(str::to_owned).collect();
        assert!(lines.iter().all(|line| width_of(line) <= width.parse().unwrap()), "{lines:?}");
        lines
    };
    let wide = heat_of("140", "Asia/Shanghai");
    let beside = wide.iter().find(|line| line.starts_with(LONG)).unwrap();
    assert_eq!(width_of(beside), LONG.len() + 2 + 24 * 4);
    assert!(wide[0].trim_start().starts_with("00  01  02  03"), "{}", wide[0]);
    assert!(heat_of("50", "Asia/Shanghai")[0].starts_with("  00  02  04"));
    let narrow = heat_of("30", "Asia/Shanghai");
    assert!(narrow[0].starts_with("00 03 06 09"), "{narrow:?}");
    assert!(narrow.iter().any(|line| line == "▁▁▁▁▁▁▁▁▁▇▇▇▁▁▅▅▇▅▅▇▇▅▇▁"), "{narrow:?}");
    assert!(!heat_of("20", "Asia/Shanghai").concat().contains("▇▇"), "no line where it does not fit");
    // On another clock the plan's windows have no fixed hours.
    assert!(!heat_of("80", "UTC").iter().any(|line| line.contains("off-peak")));
}

#[test]
fn everything_is_said_in_chinese_as_well() {
    let results = Results::new();
    let run = results.save(&hourly(96, "race"), "run");
    let out = results.well(&[&run, "--lang", "zh", "--all", "--width", "200"]);
    for words in [
        "race：完整回复用时，按一天中的时段",
        "未显示出波动（高峰用时为低谷的 0.99 倍，0.97–1.02），p = 0.567",
        "一天之内有波动：高峰用时为低谷的 2.27 倍（1.90–2.71），p < 0.001",
        "最慢时段与最快时段之比（22–23 对 02–03）：3.04 倍（仅凭偶然即有 ",
        "24 小时的起伏（余弦拟合）：峰谷比 2.10 倍（1.58–2.80），峰值在 16:29",
        "方差构成：轮次 20.5 %",
        "KW、Welch 与 F 检验假定：给定时段后各轮互相独立",
    ] {
        assert!(out.contains(words), "{words}\n{out}");
    }
    let one_day = results.save(&hourly(24, "race"), "day");
    assert!(results.well(&[&one_day, "--lang", "zh"]).contains("天数太少，无法区分时段与日期的影响（已有 2 天，需要 3 天）"));
}

#[test]
fn files_hold_a_row_a_target_and_bin_and_every_test() {
    let results = Results::new();
    let run = results.save(&hourly(96, "race"), "run");
    let csv = results.well(&[&run, "--bin", "4h", "--format", "csv", "--excel"]);
    let lines: Vec<&str> = csv.lines().collect();
    let head = "\u{feff}metric,unit,target,from_hour,to_hour,rounds,median,ratio,ratio_low,ratio_high,ok,sent,simulated,basis,run,zone,bin";
    assert_eq!((lines[0], lines.len()), (head, 1 + 2 * 6));
    assert!(lines[1].starts_with("e2e,ms,steady/r1,0,4,16,1243.1,1.0294"), "{}", lines[1]);

    let json = results.json(&[&run, "--metric", "ttft", "--metric", "content_speed"]);
    let tables = json["tables"].as_array().unwrap();
    assert_eq!(tables.iter().map(|table| table["metric"].as_str().unwrap()).collect::<Vec<_>>(), ["ttft", "content_speed"]);
    let wavy = &tables[0]["targets"][1];
    assert_eq!(wavy["bins"].as_array().unwrap().len(), 24);
    assert_eq!(wavy["peak_off_peak"]["verdict"], "swings");
    for (test, figure) in [("kruskal_wallis", "effect"), ("cosinor", "peak_to_trough"), ("brown_forsythe", "f")] {
        assert!(!wavy[test][figure].is_null() && wavy[test]["p_holm"].is_number(), "{test}: {wavy:#}");
    }
    assert_eq!(wavy["extremes"]["by_chance"]["shuffles"], 999);
    assert!(wavy["variance"]["shares"]["rounds"].is_number());
    assert_eq!((tables[0]["pairs"][0]["verdict"].as_str(), tables[0]["seed"].as_u64()), (Some("swings"), Some(7)));

    let markdown = results.well(&[&run, "--bin", "4h", "--format", "markdown"]);
    assert!(
        markdown.contains("```text\n  00      04") && markdown.contains("| 00–04 | 16 | 1.24 | 1.029 [1.002–1.058] | 48/48 |"),
        "{markdown}"
    );
}

#[test]
fn a_day_alone_makes_no_claim() {
    let results = Results::new();
    // From eight to eight Beijing time, on one day.
    let mut run = hourly(12, "race");
    run.manifest.created = "2026-11-24T00:00:00Z".parse().unwrap();
    run.trials.iter_mut().for_each(|trial| trial.wall -= jiff::SignedDuration::from_hours(8));
    let run = results.save(&run, "run");
    let out = results.well(&[&run, "--all"]);
    assert!(out.contains("warning: one day: hour and day cannot be told apart"), "{out}");
    assert!(!out.contains("swings over the day") && !out.contains("p =") && !out.contains("p <"), "{out}");
    let json = results.json(&[&run]);
    assert_eq!(json["tables"][0]["targets"][0]["peak_off_peak"]["verdict"], "few_days");
    assert!(json["tables"][0]["targets"][0]["kruskal_wallis"]["missing"].is_string());
}

#[test]
fn rounds_of_too_few_hours_are_refused_with_a_sentence() {
    let results = Results::new();
    let run = results.save(&hourly(4, "race"), "run");
    let words = "the rounds lie in 4 bins of 1h and 6 are needed to speak of a day";
    for format in ["terminal", "markdown"] {
        let out = results.well(&[&run, "--format", format]).replace('\n', " ").replace("     ", " ");
        assert!(out.contains(words), "{out}");
    }
    assert!(results.json(&[&run])["tables"][0]["refused"].as_str().unwrap().starts_with(words));
    let (code, _, err) = results.hours(&[&run, "--format", "csv"]);
    assert!(code == 0 && err.contains(words), "{err}");
    assert!(results.well(&[&run, "--lang", "zh"]).contains("各轮只落在 4 个时段"));
}

#[test]
fn the_zone_is_the_one_named_or_that_of_the_plans_windows_or_the_machines() {
    let results = Results::new();
    let mut run = hourly(96, "race");
    run.manifest.zone = "Europe/Berlin".into();
    let plain = results.save(&run, "plain");
    run.manifest.design.windows = Windows { zone: "Asia/Tokyo".into(), peak: vec!["22:00-02:00".parse().unwrap()], ..Windows::default() };
    let own = results.save(&run, "own");
    let zone_of = |args: &[&str]| results.json(args)["tables"][0]["zone"].as_str().unwrap().to_owned();
    assert_eq!(zone_of(&[&plain]), "Europe/Berlin");
    assert_eq!(zone_of(&[&own]), "Asia/Tokyo");
    assert_eq!(zone_of(&[&own, "--zone", "Asia/Kolkata"]), "Asia/Kolkata");
    let (code, out, err) = results.hours(&[&plain, "--zone", "Asia/Shangai"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert_eq!(
        err,
        "error: --zone: `Asia/Shangai` is no time zone that is known here; did you mean `Asia/Shanghai`?; give an IANA name such as \
         Asia/Shanghai or UTC\n"
    );
    let (code, _, err) = results.hours(&[&plain, "--bin", "2h"]);
    assert!(code == 2 && err.contains("\"2h\" is no width of a bin: give 1h, 3h or 4h"), "{err}");
    let (code, _, err) = results.hours(&[&plain, "--metric", "e2"]);
    assert!(code == 2 && err.contains("did you mean e2e?"), "{err}");
}

#[test]
fn runs_of_one_plan_are_one_day() {
    let results = Results::new();
    let mut later = hourly(48, "race");
    later.manifest.run = "b2c3d4".into();
    later.manifest.created += jiff::SignedDuration::from_hours(72);
    later.trials.iter_mut().for_each(|trial| trial.wall += jiff::SignedDuration::from_hours(72));
    let (first, second) = (results.save(&hourly(48, "race"), "one"), results.save(&later, "two"));
    let table = &results.json(&[&second, &first])["tables"][0];
    assert_eq!((table["rounds"].as_u64(), table["days"].as_u64(), table["run"].as_str()), (Some(96), Some(6), Some("a1b2c3 b2c3d4")));
    assert_eq!(table["targets"][1]["peak_off_peak"]["verdict"], "swings");
    later.manifest.plan_digest = "d2".into();
    let other = results.save(&later, "other");
    let (code, _, err) = results.hours(&[&first, &other]);
    assert!(code == 2 && err.contains("different plans"), "{err}");
}
