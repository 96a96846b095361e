//! Load runs as they look: in windows of 80 and 120 columns, in English and Chinese, whole and degenerate, as Markdown, CSV and JSON.

mod hand;
mod loaded;

use expect_test::{expect, expect_file};
use loaded::{Ramp, Server, none, of_stages, ramp, with_pair, with_slo};
use photofinish::analysis::load::*;
use photofinish::metric::Outcome;
use photofinish::record::{Offered, Spread, Until};
use photofinish::report::{Format, Lang};
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

const BOX: Server = Server { alone: 1.1, most: 43.5 };
const CLOUD: Server = Server { alone: 2.0, most: 500.0 };
const USERS: [u32; 5] = [1, 50, 100, 200, 300];

/// A box on the desk, fast alone and soon full, against a provider with a Chinese name.
fn duel() -> Ramp {
    let mut two = ramp(&[("my box/qwen3-8b", BOX), ("云端/deepseek-v4", CLOUD)], &USERS, 3);
    with_slo(&mut two, "ttft_p95<1s,tpot_p95<50ms");
    with_pair(&mut two);
    two.stage(0, 4).counts.failed = vec![(Outcome::Timeout, 12), (Outcome::ServerError, 3)];
    two.stage(0, 4).counts.good -= 15;
    two.stage(0, 4).success.as_mut().unwrap().good -= 15;
    two.stage(1, 4).client = vec![ClientLimit::SendLag { p99_ms: 31.4 }];
    two
}

#[test]
fn eighty_columns_hold_a_duel_in_english() {
    expect_file!["loaded/duel-80.en.txt"].assert_eq(&duel().written(Format::Terminal, 80, Lang::En));
}

#[test]
fn eighty_columns_hold_a_duel_in_chinese() {
    expect_file!["loaded/duel-80.zh.txt"].assert_eq(&duel().written(Format::Terminal, 80, Lang::Zh));
}

#[test]
fn a_wide_window_holds_intervals_beside_their_figures() {
    expect_file!["loaded/duel-120.en.txt"].assert_eq(&duel().written(Format::Terminal, 120, Lang::En));
    expect_file!["loaded/duel-120.zh.txt"].assert_eq(&duel().written(Format::Terminal, 120, Lang::Zh));
}

#[test]
fn markdown_holds_the_same() {
    expect_file!["loaded/duel.en.md"].assert_eq(&duel().written(Format::Markdown, 0, Lang::En));
}

#[test]
fn the_seeds_layout_has_its_columns_in_both_languages() {
    let one = ramp(&[("my box/qwen3-8b", BOX)], &USERS, 3);
    expect_file!["loaded/seed-80.zh.txt"].assert_eq(&one.seed(Format::Terminal, 80, Lang::Zh));
    expect_file!["loaded/seed-120.zh.txt"].assert_eq(&one.seed(Format::Terminal, 120, Lang::Zh));
    expect_file!["loaded/seed-80.en.txt"].assert_eq(&one.seed(Format::Terminal, 80, Lang::En));
    let document: Value = serde_json::from_str(&one.seed(Format::Json, 0, Lang::Zh)).unwrap();
    assert_eq!((document["layout"].as_str(), document["rows"].as_array().unwrap().len()), (Some("seed"), 5));
    assert_eq!(document["rows"][0]["rps"]["value"].as_f64().map(|rps| (rps * 1e6).round()), Some(909_091.0));
    for (lang, heads) in [
        (Lang::En, ["users", "RPS", "mean latency", "P99 latency", "mean TPS", "TTFT", "success rate"]),
        (Lang::Zh, ["并发数", "RPS", "平均延迟", "P99延迟", "平均TPS", "首字延迟", "成功率"]),
    ] {
        let text = one.seed(Format::Markdown, 0, lang);
        let head = text.lines().find(|line| line.starts_with('|')).unwrap();
        let at: Vec<usize> = heads.iter().map(|title| head.find(title).unwrap_or_else(|| panic!("{title} in {head}"))).collect();
        assert!(at.is_sorted(), "{head}");
    }
}

#[test]
fn one_target_one_stage_and_one_pass_are_shown_for_what_they_are() {
    let mut least = ramp(&[("a/m", BOX)], &[4], 1);
    least.table.summaries[0].knee = Knee::NotFitted { because: NoKnee::FewStages { stages: 1, needs: 3 } };
    expect_file!["loaded/least-80.en.txt"].assert_eq(&least.written(Format::Terminal, 80, Lang::En));
    assert!(!least.written(Format::Json, 0, Lang::En).contains("\"interval\": ["));
}

#[test]
fn a_stage_at_which_all_failed_has_rates_of_zero_and_no_times() {
    let mut run = ramp(&[("a/m", BOX)], &[1, 50], 3);
    run.fail(0, 1, Outcome::RateLimited);
    run.table.summaries[0].knee = Knee::InSome { found: 2, passes: 3, lowest: 12.3, last: 50.0 };
    let text = run.written(Format::Terminal, 80, Lang::En);
    expect_file!["loaded/failed-80.en.txt"].assert_eq(&text);
    let document: Value = serde_json::from_str(&run.written(Format::Json, 0, Lang::En)).unwrap();
    let figures = &document["stages"][1]["figures"];
    assert_eq!(figures["latency_p50_ms"]["never"], true);
    assert_eq!(figures["rps"]["value"], 0.0, "a rate of no good reply is zero, and was measured");
    assert_eq!(figures["latency_mean_ms"]["missing"], "no good reply");
    assert!(figures["latency_mean_ms"].get("value").is_none());
}

#[test]
fn what_was_skipped_broken_off_or_not_reached_is_named() {
    let mut run = ramp(&[("a/m", BOX)], &[1, 50, 100, 200], 3);
    for (stage, pass, state) in [
        (2, 0, CellState::Interrupted),
        (3, 0, CellState::Skipped { because: "`failures>5%` was met at stage 3: 12.0 %".into() }),
        (3, 1, CellState::Skipped { because: "`failures>5%` was met at stage 3: 12.0 %".into() }),
        (3, 2, CellState::NotReached),
    ] {
        run.stage(0, stage).cells[pass].state = state;
    }
    let gone = run.stage(0, 3);
    gone.figures.values_mut().for_each(|figure| *figure = none(NoFigure::NotMeasured));
    (gone.success, gone.stalls) = (Err(NoFigure::NotMeasured), Err(NoFigure::NotMeasured));
    run.table.warnings.push(LoadWarning::Unfinished { cells: 2, of: 12 });
    let line = |lang| {
        let text = run.written(Format::Terminal, 400, lang);
        text.lines().find(|line| line.contains("not measured: ") || line.contains("未测：")).unwrap().trim().to_owned()
    };
    expect!["not measured: 100 users in pass 1 (broken off, no sample); 200 users in pass 3 (not reached before the run ended); 200 users in passes 1, 2 (skipped, `failures>5%` was met at stage 3: 12.0 %)"].assert_eq(&line(Lang::En));
    expect!["未测：第 1 遍的 100 个用户（中断，不作为样本）；第 1、2 遍的 200 个用户（跳过，因为 `failures>5%` was met at stage 3: 12.0 %）；第 3 遍的 200 个用户（运行结束前没有测到）"].assert_eq(&line(Lang::Zh));
    let text = run.written(Format::Terminal, 80, Lang::En);
    assert!(text.lines().any(|line| line.trim_start().starts_with("200 ") && line.contains('—')), "{text}");
    assert!(text.contains("warning: 2 of 12 cells"), "{text}");
}

#[test]
fn arrivals_have_their_own_head_and_caption() {
    let stages = [0.5, 2.5, 10.0].map(|per_s| Offered::Arrivals { per_s, spread: Spread::Poisson });
    let mut run = of_stages(&[("a/m", BOX)], stages.into(), 3);
    run.table.design.until = Until::Lasting { ms: 60_000 };
    let (en, zh) = (run.written(Format::Terminal, 80, Lang::En), run.written(Format::Terminal, 80, Lang::Zh));
    assert!(en.contains("arrivals") && en.contains("Open loop: requests arrive (Poisson)") && en.contains("sends for 1 min"), "{en}");
    assert!(zh.contains("到达率") && zh.contains("开环") && zh.contains("每档发送 1 分钟"), "{zh}");
    let rows = en.lines().filter(|line| ["0.5  ", "2.5  ", " 10  "].iter().any(|stage| line.starts_with(stage)));
    assert_eq!(rows.count(), 9, "three stages in three tables, their ends below each other: {en}");
}

#[test]
fn every_knee_reach_and_duel_is_told_in_both_languages() {
    let han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    let knees = [
        Knee::At { load: 140.2, interval: Err(NoInterval::FewPasses { passes: 1, needs: 3 }), level: 21.4, passes: vec![140.2], off: 0.3 },
        Knee::NoneUpTo { load: 300.0 },
        Knee::AtOrBelow { load: 1.0, level: 0.9 },
        Knee::InSome { found: 1, passes: 3, lowest: 77.0, last: 300.0 },
        Knee::NotFitted { because: NoKnee::Mixed },
    ];
    let reaches = [
        Reach::Nowhere,
        Reach::Through { stage: 1, is_last: false },
        Reach::Through { stage: 4, is_last: true },
        Reach::Broken { stage: 3, but_not: vec![0, 2] },
        Reach::NotJudged,
    ];
    use DuelWord::{FewPasses, FirstFaster, SecondFaster, Undecided, Withheld};
    let called = [
        [FirstFaster, FirstFaster, FirstFaster, FirstFaster, FirstFaster],
        [FirstFaster, FirstFaster, Undecided, SecondFaster, SecondFaster],
        [SecondFaster, Undecided, FirstFaster, Undecided, Withheld],
        [FewPasses, FewPasses, FewPasses, FewPasses, FewPasses],
        [Undecided, Undecided, FirstFaster, FirstFaster, FirstFaster],
    ];
    let mut told = String::new();
    for ((knee, reach), words) in knees.into_iter().zip(reaches).zip(called) {
        for lang in Lang::ALL {
            let mut run = duel();
            run.table.summaries[0].knee = knee.clone();
            run.table.summaries[0].slo = Some(reach.clone());
            for crossover in &mut run.table.crossovers {
                crossover.duels.iter_mut().zip(words).for_each(|(duel, word)| duel.word = word);
            }
            let text = run.written(Format::Terminal, 1000, lang);
            let from = text.lines().position(|line| line == "my box/qwen3-8b").unwrap();
            let lines: Vec<&str> = text.lines().skip(from).collect();
            let who = lines.iter().position(|line| line.starts_with("Who beats whom") || line.starts_with("谁快于谁")).unwrap();
            for line in [lines[1], lines[2], lines[who + 1]] {
                assert_eq!(line.contains(han), lang == Lang::Zh || line.contains("云端"), "{line}");
                told.push_str(line.trim_start());
                told.push('\n');
            }
        }
    }
    expect_file!["loaded/told.txt"].assert_eq(&told);
}

#[test]
fn every_doubt_is_told_in_both_languages() {
    let mut run = duel();
    run.table.warnings = vec![
        LoadWarning::FewPasses { passes: 2 },
        LoadWarning::OftenLimited { target: 0, limited: 9, sent: 60 },
        LoadWarning::Unfinished { cells: 2, of: 30 },
        LoadWarning::ClockStepped,
        LoadWarning::Torn { lines: 1 },
        LoadWarning::SloUnreadable { text: "ttft<1".into() },
    ];
    let lines = |lang, mark: &str| {
        let text = run.written(Format::Terminal, 1000, lang);
        text.lines().filter(|line| line.starts_with(mark)).map(str::to_owned).collect::<Vec<_>>()
    };
    let (en, zh) = (lines(Lang::En, "warning: "), lines(Lang::Zh, "警告："));
    let han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    assert_eq!((en.len(), zh.len()), (6, 6));
    assert!(!en.concat().contains(han) && zh.iter().all(|line| line["警告：".len()..].contains(han)), "{en:?} {zh:?}");
}

#[test]
fn no_line_is_wider_than_its_window() {
    let run = duel();
    for (width, lang) in [40, 60, 80, 100, 120, 160].into_iter().flat_map(|width| Lang::ALL.map(|lang| (width, lang))) {
        for text in [run.written(Format::Terminal, width, lang), run.seed(Format::Terminal, width, lang)] {
            for line in text.lines() {
                assert!(line.width() <= width, "{width}: {line}");
            }
        }
    }
}

/// Escape and control sequences, turned text, markup and formulas where a target's or a run's name may stand.
#[test]
fn hostile_names_come_out_harmless() {
    for name in ["\u{202e}dlrow", "=HYPERLINK(1)", "| a | b", "<script>x</script>", "[click](javascript:evil)", "zero\u{200b}width"] {
        let mut run = ramp(&[(name, BOX), ("b/m", CLOUD)], &[1, 50], 3);
        with_pair(&mut run);
        run.manifest.name = format!("{name}\u{1b}[31m\u{7}");
        run.manifest.vantage = Some(format!("{name}\u{1b}]0;t\u{7}"));
        run.stage(0, 1).cells[0].state = CellState::Skipped { because: format!("{name}\u{1b}[2J") };
        run.table.warnings.push(LoadWarning::SloUnreadable { text: format!("{name}\u{1b}[2J") });
        for format in [Format::Terminal, Format::Markdown, Format::Csv, Format::Json] {
            for text in [run.written(format, 80, Lang::En), run.seed(format, 80, Lang::Zh)] {
                let bad = |c: char| c.is_control() && c != '\n' && c != '\r' || matches!(c, '\u{202e}' | '\u{200b}');
                assert!(!text.contains(bad), "{format:?} {name:?}: {text:?}");
                if format == Format::Markdown {
                    assert!(!text.contains("<script>") && !text.replace("\\]", "").contains("](javascript"), "{text}");
                }
                if format == Format::Csv {
                    let mut reader = csv::Reader::from_reader(text.as_bytes());
                    let cells: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
                    assert!(!cells.iter().flatten().any(|cell| cell.starts_with('=')), "{text}");
                }
            }
        }
    }
}

/// Names of an object's fields, one a line, in order, those of lists once.
fn names(value: &Value, path: &str, found: &mut std::collections::BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                found.insert(format!("{path}.{name}"));
                names(value, &format!("{path}.{name}"), found);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| names(value, &format!("{path}[]"), found)),
        _ => {}
    }
}

#[test]
fn the_document_for_programs_keeps_its_layout() {
    let mut run = duel();
    let judged = run.stage(0, 0).slo.as_ref().unwrap().conditions[0].clone();
    let line = GateLine { target: 0, stage: Some(0), judged, client_limited: false, passed: true };
    run.table.gate = Some(Gate { passed: true, lines: vec![line] });
    let document: Value = serde_json::from_str(&run.written(Format::Json, 0, Lang::En)).unwrap();
    assert_eq!(document["format"], "photofinish-load/1");
    assert_eq!(document["stages"].as_array().unwrap().len(), 10);
    assert_eq!(document["stages"][0]["figures"].as_object().unwrap().len(), Measure::ALL.len());
    let mut found = std::collections::BTreeSet::new();
    names(&document, "", &mut found);
    expect_file!["loaded/layout.txt"].assert_eq(&(found.into_iter().collect::<Vec<_>>().join("\n") + "\n"));
    let chinese: Value = serde_json::from_str(&run.written(Format::Json, 0, Lang::Zh)).unwrap();
    assert_eq!(chinese["stages"][0]["figures"]["rps"], document["stages"][0]["figures"]["rps"], "figures know no language");
}

#[test]
fn the_document_is_described() {
    let layout = include_str!("loaded/layout.txt");
    let document = include_str!("../docs/load.md");
    let last = layout
        .lines()
        .filter_map(|path| path.rsplit_once('.'))
        .filter(|(path, _)| !["offered", "design", "failed"].iter().any(|elsewhere| path.contains(elsewhere)));
    let missing: Vec<&str> = last.map(|(_, name)| name).filter(|name| !document.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "docs/load.md does not name {missing:?}");
}
