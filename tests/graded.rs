//! Exact answers from the reply to the league: hand-made runs in both languages, a run that kept no text, and the real binary against
//! simulated providers that answer right at a set rate.

mod hand;
mod race;

use photofinish::analysis::{
    ClaimCheck, ClaimVerdict, Comparing, Joined, LeagueRemark, Quantity, TargetTable, graded_answers, league, model_checks, panel,
};
use photofinish::metric::Outcome;
use photofinish::record::{Answer, Claim, Graded, TargetFacts, Unread};
use photofinish::report::{self, Format, Lang, targets};
use photofinish::stats::{Confidence, Extended};
use photofinish::store::Run;
use photofinish::timeline::{ErrorKind, Phase, Point};
use photofinish::tokens::Basis;
use photofinish::units::Offset;
use std::path::Path;

/// A reply that takes `ms` and ends its content with `words`.
fn saying(ms: f64, words: &str) -> Answer {
    let mut answer = hand::reply(ms / 2.0, 10.0, 10, 20);
    let at = Offset((ms * 1e6) as u64);
    let number = answer.timeline.last().unwrap().chunk + 1;
    answer.timeline.push(Point { at, width_ns: 0, phase: Phase::Content, bytes: words.len() as u32, chunk: number, read: number });
    answer.text.as_mut().unwrap().content.push_str(words);
    answer
}

/// A run whose prompts all have the exact answer.
fn quiz(targets: &[&str], rounds: u32, prompts: u32, exact: &str) -> Run {
    let mut run = hand::run(targets.iter().map(|id| hand::target(id)).collect(), rounds, prompts);
    run.manifest.dataset.prompts.iter_mut().for_each(|prompt| prompt.answer = Some(exact.to_owned()));
    run
}

fn written(run: &Run, lang: Lang) -> String {
    let sheets = hand::sheets(std::slice::from_ref(run));
    let joined = Joined::new(&sheets).unwrap();
    let table = hand::table(std::slice::from_ref(run), None);
    anstream::adapter::strip_str(&targets(&table, &joined, lang).write(Format::Terminal, 160)).to_string()
}

fn graded(table: &TargetTable, row: usize) -> (usize, usize, usize, usize) {
    let row = table.rows[row].graded.as_ref().unwrap();
    (row.correct, row.complete, row.n, row.unread)
}

#[test]
fn a_slow_good_model_and_a_fast_poor_one_stand_side_by_side() {
    // 10 s and always right; 4 s and right once in three, one reply in six a failure that is charged 300 s.
    let mut run = quiz(&["good/r1", "poor/r1"], 8, 3, "15");
    hand::fill(&mut run, |round, block, target| match (target, block) {
        (0, _) => saying(10_000.0 + 100.0 * f64::from(round), "\nAnswer: 15"),
        (_, 1) => saying(4_000.0, "\n**Answer:** 15.0"),
        (_, 2) if round % 2 == 0 => hand::failed(500, ErrorKind::Server, "down"),
        _ => saying(4_000.0, "\nAnswer: 16"),
    });
    let table = hand::table(std::slice::from_ref(&run), None);
    assert_eq!((graded(&table, 0), graded(&table, 1)), ((24, 24, 24, 0), (8, 20, 24, 0)));
    let cost = |row: usize| table.rows[row].graded.as_ref().unwrap().seconds_per_correct.unwrap();
    assert!((cost(0).point.finite().unwrap() - 10.45).abs() < 1e-9);
    assert_eq!(cost(1).point, Extended::Finite((20.0 * 4.0 + 4.0 * 300.0) / 8.0));
    let accuracy = table.rows[1].graded.as_ref().unwrap().accuracy.unwrap();
    assert_eq!((accuracy.point, accuracy.n), (Extended::Finite(0.4), 20));
    let (en, zh) = (written(&run, Lang::En), written(&run, Lang::Zh));
    assert!(en.contains("24/24") && en.contains("8/24") && en.contains("per correct") && en.contains("docs/datasets.md"), "{en}");
    assert!(zh.contains("每个正确") && zh.contains("8/24"), "{zh}");
}

#[test]
fn hostile_replies_are_read_by_the_rules_or_not_at_all() {
    let replies = [
        ("\nAnswer: 12\n\nWait.\nAnswer: 15", Graded::Correct),
        ("\n```\nAnswer: 15\n```", Graded::Unread(Unread::InCode)),
        ("\nIt is fifteen.", Graded::Unread(Unread::NoLine)),
        ("\n答案：１５。", Graded::Correct),
        ("\nAnswer: 15 km", Graded::Unread(Unread::NoNumber)),
        ("\nAnswer: =HYPERLINK(\"http://x\")", Graded::Unread(Unread::NoNumber)),
        ("\n答案：14", Graded::Wrong),
    ];
    let mut run = quiz(&["one/r1"], 1, replies.len() as u32, "15");
    hand::fill(&mut run, |_, block, _| {
        let mut answer = saying(1_000.0, replies[block as usize - 1].0);
        answer.text.as_mut().unwrap().reasoning.push_str("\nAnswer: 15");
        answer
    });
    let sheets = hand::sheets(std::slice::from_ref(&run));
    let grades: Vec<Graded> = sheets[0].iter().filter_map(|trial| trial.grade()).collect();
    assert_eq!(grades, replies.map(|(_, graded)| graded));
    assert_eq!(graded(&hand::table(&[run.clone()], None), 0), (2, 7, 7, 4));
    assert!(written(&run, Lang::En).contains("4 of 7 answers could not be read"), "{}", written(&run, Lang::En));
    assert!(written(&run, Lang::Zh).contains("7 个完整回复中有 4 个答案无法识别"), "{}", written(&run, Lang::Zh));
}

#[test]
fn a_capped_reply_is_incomplete_where_an_answer_was_wanted() {
    let mut run = quiz(&["one/r1"], 1, 2, "15");
    run.manifest.design.capped_is_ok = false;
    hand::fill(&mut run, |_, block, _| {
        let mut answer = saying(1_000.0, "\nAnswer: 15");
        if block == 1 {
            answer.finish.as_mut().unwrap().normal = photofinish::timeline::Finish::Length;
        }
        answer
    });
    let table = hand::table(std::slice::from_ref(&run), None);
    assert_eq!(graded(&table, 0), (1, 1, 2, 0));
    assert!(written(&run, Lang::En).contains(Outcome::LengthCapped.name()));
}

#[test]
fn a_dataset_without_exact_answers_has_no_such_columns_and_prompts_without_one_are_not_counted() {
    let mut run = quiz(&["one/r1"], 6, 2, "15");
    run.manifest.dataset.prompts[1].answer = None;
    hand::fill(&mut run, |_, _, _| saying(1_000.0, "\nAnswer: 15"));
    assert_eq!(graded(&hand::table(std::slice::from_ref(&run), None), 0), (6, 6, 6, 0));
    run.manifest.dataset.prompts[0].answer = None;
    let sheets = hand::sheets(std::slice::from_ref(&run));
    assert!(graded_answers(&Joined::new(&sheets).unwrap(), Basis::Reported).is_none());
    assert!(!written(&run, Lang::En).contains("per correct"));
}

#[test]
fn the_real_binary_grades_simulated_answers_and_ranks_their_cost() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    std::fs::write(home.join("sim.yaml"), SYSTEMS).unwrap();
    let sums = |i: u32| format!("{{\"id\":\"sum-{i}\",\"prompt\":\"{i} + {}? Last line: Answer: X\",\"answer\":\"42\"}}\n", 42 - i);
    std::fs::write(home.join("sums.jsonl"), (1..=4).map(sums).collect::<String>()).unwrap();
    let sim = race::Sim::start(home.join("sim.yaml").to_str().unwrap(), &[]);
    let targets: Vec<String> = ["good", "poor"].iter().map(|name| sim.target(name)).collect();
    for (kept, flags) in [("text", vec![]), ("counts", vec!["--no-text"])] {
        let mut run = race::photofinish(home);
        run.args(["run", "--dataset", "sums.jsonl", "--rounds", "8", "--prompts", "4", "--results", kept]).args(&flags);
        targets.iter().for_each(|target| {
            run.args(["--target", target]);
        });
        race::ends_with(0, &mut run);
        let path = race::only_run(&home.join(kept));
        let read = Run::open(&path).unwrap();
        let stored: Vec<Graded> = read.trials.iter().filter_map(|trial| trial.answer.as_ref()?.grade).collect();
        assert_eq!(stored.len(), if kept == "counts" { 64 } else { 0 });
        let json = |command: &str| json(home, command, &path);
        let table = json("table");
        let correct = |row: usize| table["rows"][row]["correct"].clone();
        assert_eq!(correct(0)["of"].as_u64().or_else(|| correct(0)["sent"].as_u64()), Some(32), "{}", table["rows"][0]);
        let compare = json("compare");
        let pair = &compare["tables"][0]["comparisons"][0]["correct"];
        assert_eq!(pair["first"]["sent"], 32, "{compare:#}");
        assert!(pair["second"]["correct"].as_u64() < pair["first"]["correct"].as_u64(), "{pair}");
        let league = json("league");
        let names: Vec<&str> = league["tables"].as_array().unwrap().iter().filter_map(|table| table["metric"].as_str()).collect();
        assert!(names.contains(&"seconds_per_correct"), "{names:?}");
    }
}

/// Both systems take a fraction of a second; one is right nine times in ten, the other four.
const SYSTEMS: &str = r#"
systems:
  good: {ttft_ms: {lognormal: {median: 20, sigma: 0.2}}, content: {tokens: 24, speed: 800}, answer_text: {right: "\nAnswer: 42", wrong: "\nAnswer: 41", share: 0.9}}
  poor: {ttft_ms: {lognormal: {median: 10, sigma: 0.2}}, content: {tokens: 24, speed: 800}, answer_text: {right: "\n**Answer:** 42.", wrong: "\nI give up", share: 0.4}}
"#;

fn json(home: &Path, command: &str, run: &Path) -> serde_json::Value {
    let output = race::ends_with(0, race::photofinish(home).arg(command).arg(run).args(["--format", "json"]));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A target with a claim on its speed within the answer.
fn claiming(id: &str, metric: &str, value: f64) -> TargetFacts {
    let claim = Claim { metric: metric.into(), value, source: "its own page".into(), date: "2026-11".into() };
    TargetFacts { claims: vec![claim], ..hand::target(id) }
}

#[test]
fn a_published_figure_is_held_against_the_measurement_on_reported_tokens_only() {
    // 50 tokens a second, give or take.
    let targets = vec![claiming("fair/r1", "content_speed", 50.0), claiming("proud/r1", "content_speed", 100.0)];
    let mut run = hand::run(targets, 8, 3);
    hand::fill(&mut run, |round, block, _| hand::reply(300.0, 19.0 + 2.0 * f64::from((round + block) % 3) / 2.0, 0, 60));
    hand::simulate(&mut run, 1.0);
    let (en, zh) = (written(&run, Lang::En), written(&run, Lang::Zh));
    assert!(en.contains("(its own page, 2026-11): the measurement agrees, 50"), "{en}");
    assert!(en.contains("higher than measured, 50") && en.contains("2.00×"), "{en}");
    assert!(zh.contains("相符") && zh.contains("为其 2.00 倍"), "{zh}");
    // Another family makes the basis the reference tokenizer: nothing to hold a claim against.
    run.manifest.targets[1].family = Some("other".into());
    let en = written(&run, Lang::En);
    assert!(en.contains("Published figures are not comparable with tokens counted by a reference tokenizer"), "{en}");
    assert!(!en.contains("the measurement agrees"), "{en}");
    run.manifest.targets[1].claims[0].metric = "warp_speed".into();
    assert!(written(&run, Lang::En).contains("not measured: no such metric"));
}

#[test]
fn a_target_whose_replies_are_half_as_long_is_said_to_differ_and_is_not_ranked() {
    let mut run = hand::run(["a/r1", "b/r1", "c/r1"].map(hand::target).into(), 8, 2);
    let longer = |round: u32, block: u32, target: usize| 40 + ((7 * round + 3 * block + 5 * target as u32) % 11) as usize;
    hand::fill(&mut run, |round, block, target| {
        let tokens = longer(round, block, target) / if target == 1 { 2 } else { 1 };
        Answer { model: Some("r1".into()), ..hand::reply(300.0 + f64::from(round), 20.0, 0, tokens) }
    });
    let (en, zh) = (written(&run, Lang::En), written(&run, Lang::Zh));
    assert!(
        en.contains("b/r1: perhaps not the same model: its replies are 0.") && en.contains("consistent: a/r1, c/r1; differs: b/r1."),
        "{en}"
    );
    assert!(zh.contains("可能不是同一个模型：回复长度是其他对象的 0.") && zh.contains("一致：a/r1、c/r1；有差异：b/r1。"), "{zh}");
    let sheets = hand::sheets(std::slice::from_ref(&run));
    let joined = Joined::new(&sheets).unwrap();
    let checks = model_checks(&joined, Basis::Reported, None, Confidence::DEFAULT);
    let model_differs = checks.iter().map(|check| report::model_differs(check, Lang::En)).collect();
    let league = league(&panel(&joined, Quantity::E2e, Basis::Reported), &Comparing { model_differs, ..Comparing::default() });
    assert!(league.unranked.iter().any(|placing| placing.target.as_str() == "b/r1"));
    assert_eq!(league.ranked.len(), 2);
}

#[test]
fn every_remark_of_a_league_can_be_written_as_json() {
    let claim = Claim { metric: "e2e".into(), value: 1.0, source: "x".into(), date: "2026".into() };
    let check = ClaimCheck { claim, verdict: ClaimVerdict::Never };
    for remark in [LeagueRemark::RateLimited(3), LeagueRemark::Bundled(1), LeagueRemark::Identical, LeagueRemark::Claim { check }] {
        assert!(serde_json::to_value(&remark).is_ok(), "{remark:?}: {:?}", serde_json::to_value(&remark));
    }
}
