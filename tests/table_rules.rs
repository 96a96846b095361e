//! Which requests count, what is charged, on which basis tokens are counted, and what a table warns of.

mod hand;

use photofinish::analysis::{Cell, Families, JoinError, Joined, Missing, Remark, Standing, VoidReason};
use photofinish::metric::{Flag, Outcome};
use photofinish::record::{NotSent, RoundLine, RoundState, SelfLag};
use photofinish::report::{Format, Lang, Worded};
use photofinish::stats::{Bound, Interval};
use photofinish::store::Run;
use photofinish::timeline::{Ended, ErrorKind, Finish, FinishSeen, Limit};
use photofinish::tokens::Basis;

const TTFT: usize = 0;
const CONTENT: usize = 3;
const E2E: usize = 5;
const P95: usize = 6;

/// Good replies of two targets of one family.
fn pair(rounds: u32, prompts: u32) -> Run {
    let mut run = hand::run(vec![hand::target("a/r1"), hand::target("b/r1")], rounds, prompts);
    hand::fill(&mut run, |_, _, _| hand::reply(400.0, 20.0, 20, 40));
    run
}

fn one(run: &Run) -> &[Run] {
    std::slice::from_ref(run)
}

fn warnings(run: &Run) -> String {
    hand::table(one(run), None).warnings.iter().map(|warning| warning.words(Lang::En)).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_p95_needs_twenty_requests() {
    assert!(hand::numbers(&hand::table(one(&pair(19, 1)), None), 0)[P95].is_none());
    assert!(hand::numbers(&hand::table(one(&pair(20, 1)), None), 0)[P95].is_some());
}

#[test]
fn a_middle_needs_five_requests_and_five_speeds() {
    assert_eq!(hand::numbers(&hand::table(one(&pair(2, 2)), None), 0), [None; 7]);
    assert_eq!(hand::numbers(&hand::table(one(&pair(5, 1)), None), 0)[TTFT], Some(400.0));
    let mut run = pair(5, 1);
    run.trials[0].answer = Some(Box::new(hand::failed(503, ErrorKind::Overloaded, "no")));
    let table = hand::table(one(&run), None);
    assert_eq!(hand::numbers(&table, 0)[TTFT], Some(400.0));
    assert_eq!(table.rows[0].cells[CONTENT], Cell::Missing(Missing::FewerValuesThan(5)));
}

/// The interval of a cell's number.
fn interval(run: &Run, row: usize, column: usize) -> Option<Interval> {
    match &hand::table(one(run), None).rows[row].cells[column] {
        Cell::Value(value) => value.interval,
        other => panic!("no number: {other:?}"),
    }
}

#[test]
fn figures_have_intervals_over_rounds_from_three_rounds_on() {
    let spread = |rounds, prompts| {
        let mut run = pair(rounds, prompts);
        for (i, trial) in run.trials.iter_mut().enumerate() {
            trial.answer = Some(Box::new(hand::reply(400.0 + 10.0 * (i * 7 % 41) as f64, 20.0 + (i * 5 % 13) as f64, 20, 40)));
        }
        run
    };
    let few = spread(2, 10);
    assert_eq!((interval(&few, 0, TTFT), hand::table(one(&few), None).rows[0].success), (None, None));
    let run = spread(12, 10);
    let table = hand::table(one(&run), None);
    for column in [TTFT, CONTENT, E2E] {
        let (low, high) = interval(&run, 0, column).unwrap().ends().unwrap();
        let value = hand::numbers(&table, 0)[column].unwrap();
        assert!(low < value && value < high, "{column}: {low} {value} {high}");
    }
    // Ninety-five in a hundred of a hundred and twenty have an upper end, those of thirty have none.
    assert!(interval(&run, 0, P95).unwrap().ends().is_some());
    let short = interval(&spread(3, 10), 0, P95).unwrap();
    assert_eq!(short.high, Bound::Open);
    let (low, high) = table.rows[0].success.unwrap().ends().unwrap();
    assert!(0.95 < low && high == 1.0, "{low} {high}");
}

#[test]
fn a_round_that_resembles_itself_is_one_observation() {
    // The same times: spread over all rounds alike, or each round of one kind.
    let run = |by_round: bool| {
        let mut run = hand::run(vec![hand::target("a/r1")], 10, 10);
        hand::fill(&mut run, |round, block, _| hand::reply(100.0 * f64::from(if by_round { round } else { block }), 20.0, 20, 40));
        run
    };
    let width = |run: &Run| interval(run, 0, TTFT).unwrap().ends().map(|(low, high)| high - low);
    assert!(width(&run(false)).unwrap() < width(&run(true)).unwrap());
}

#[test]
fn equal_values_leave_nothing_open() {
    assert_eq!(interval(&pair(3, 2), 0, TTFT), Some(Interval::closed(400.0, 400.0)));
}

#[test]
fn a_failure_waits_for_ever_and_is_never_a_zero() {
    let mut run = hand::run(vec![hand::target("a/r1"), hand::target("b/r1")], 12, 1);
    hand::fill(&mut run, |round, _, target| match target {
        0 if 5 < round => hand::failed(503, ErrorKind::Overloaded, "no"),
        1 => hand::failed(503, ErrorKind::Overloaded, "no"),
        _ => hand::reply(400.0, 20.0, 20, 40),
    });
    let text = hand::written(&run, Format::Csv, 0);
    let rows: Vec<&str> = text.lines().collect();
    // Five of twelve: the typical request was never served, yet the good ones have their speed. None of twelve: nothing.
    let head: Vec<&str> = rows[0].split(',').collect();
    let cell = |row: usize, name: &str| rows[row].split(',').nth(head.iter().position(|head| *head == name).unwrap()).unwrap();
    let of =
        |row: usize| ["ok", "sent", "ttft_p50_ms", "ttfa_p50_ms", "content_speed", "e2e_p50_ms", "e2e_p95_ms"].map(|name| cell(row, name));
    assert_eq!(of(1), ["5", "12", "never", "never", "50", "never", ""], "{text}");
    assert_eq!(of(2), ["0", "12", "", "", "", "", ""], "{text}");
    assert!(!text.contains(",0.0,") && hand::written(&run, Format::Terminal, 100).contains("0/12"));
}

#[test]
fn of_a_block_sent_anew_only_the_last_attempt_counts() {
    let mut run = pair(5, 1);
    for round in 1..=5 {
        run.trials[2 * (round as usize - 1)].answer = Some(Box::new(hand::reply(9000.0, 20.0, 20, 40)));
        for target in 0..2 {
            hand::put(&mut run, round, 1, target, hand::reply(400.0, 20.0, 20, 40)).attempt = 2;
        }
    }
    let table = hand::table(one(&run), None);
    assert_eq!((table.rows[0].sent, hand::numbers(&table, 0)[TTFT]), (5, Some(400.0)));
    let sheets = hand::sheets(one(&run));
    let joined = Joined::new(&sheets).unwrap();
    assert_eq!(joined.trials.iter().filter(|placed| placed.standing == Standing::Superseded).count(), 10);
}

#[test]
fn an_interrupted_block_counts_for_nobody() {
    let mut run = pair(2, 2);
    run.trials.pop();
    let table = hand::table(one(&run), None);
    assert_eq!([table.rows[0].sent, table.rows[1].sent], [3, 3]);
    assert_eq!(table.voids[&VoidReason::Interrupted], 1);
    assert!(table.warnings[0].words(Lang::En).contains("interrupted: 1 block (round/block 2/2)"), "{:?}", table.warnings);
}

#[test]
fn a_block_is_void_when_our_own_line_failed_and_not_when_one_provider_did() {
    let mut run = hand::run(vec![hand::target("a/r1"), hand::target("b/r1"), hand::target("local/r1")], 2, 1);
    run.manifest.targets[2].base_url = "http://127.0.0.1:8000/v1".into();
    hand::fill(&mut run, |round, _, target| match (round, target) {
        // Round 1: both remote ones are out of reach, and the one on this machine must not win by it.
        (1, 0 | 1) | (2, 0) => hand::unreachable(),
        _ => hand::reply(400.0, 20.0, 20, 40),
    });
    let table = hand::table(one(&run), None);
    assert_eq!(table.voids[&VoidReason::Vantage], 1);
    let counts: Vec<(usize, usize)> = table.rows.iter().map(|row| (row.ok, row.sent)).collect();
    assert_eq!(counts, [(0, 1), (1, 1), (1, 1)]);
    assert!(table.rows[0].remarks.contains(&Remark::Outcome(Outcome::ConnectError, 1)));
}

#[test]
fn a_round_in_which_this_client_fell_behind_is_void_above_one_percent() {
    let behind = |blocks: u32| {
        let mut run = hand::run(vec![hand::target("a/r1"), hand::target("b/r1")], 5, blocks);
        for round in 2..=5 {
            hand::put(&mut run, round, 1, 0, hand::reply(400.0, 20.0, 20, 40));
            hand::put(&mut run, round, 1, 1, hand::reply(400.0, 20.0, 20, 40));
        }
        for block in 1..=blocks {
            hand::put(&mut run, 1, block, 0, hand::reply(400.0, 20.0, 20, 40));
            match block {
                1 => hand::put_not_sent(&mut run, 1, 1, 1, NotSent::ClientBehind),
                _ => hand::put(&mut run, 1, block, 1, hand::reply(400.0, 20.0, 20, 40)),
            };
        }
        hand::table(&[run], None)
    };
    assert_eq!(behind(49).voids[&VoidReason::ClientLimited], 49);
    let kept = behind(50);
    assert!(kept.voids.is_empty());
    assert_eq!((kept.rows[1].ok, kept.rows[1].sent), (53, 54));
    assert!(kept.rows[1].remarks.contains(&Remark::Behind(1)));
}

#[test]
fn a_target_whose_set_up_is_at_fault_is_listed_and_not_charged() {
    let mut run = pair(3, 1);
    run.trials[1].answer = Some(Box::new(hand::failed(401, ErrorKind::Auth, "no such key")));
    for trial in [3, 5] {
        run.trials[trial].answer = None;
        run.trials[trial].not_sent = Some(NotSent::TargetStopped { reason: "no such key".into() });
    }
    let table = hand::table(one(&run), None);
    assert_eq!((table.rows[1].ok, table.rows[1].sent, table.rows[0].sent), (0, 0, 3));
    assert!(table.rows[1].remarks.contains(&Remark::Configuration(3, "no such key".into())));
    assert!(hand::written(&run, Format::Terminal, 100).contains("0/0"));
}

#[test]
fn requests_over_the_quota_are_failures_listed_apart() {
    let mut run = pair(20, 1);
    run.trials[1].answer = Some(Box::new(hand::failed(429, ErrorKind::RateLimit, "slow down")));
    let remarks = |run: &Run| hand::table(one(run), None).rows[1].remarks.clone();
    assert_eq!(remarks(&run), [Remark::Outcome(Outcome::RateLimited, 1)]);
    run.trials[3].answer = Some(Box::new(hand::failed(429, ErrorKind::RateLimit, "slow down")));
    assert_eq!(remarks(&run), [Remark::Outcome(Outcome::RateLimited, 2), Remark::QuotaBound]);
}

#[test]
fn a_broken_reply_is_remarked_once() {
    let mut run = pair(6, 1);
    let answer = run.trials[0].answer.as_mut().unwrap();
    answer.finish = None;
    answer.end_marks.clear();
    assert_eq!(hand::table(one(&run), None).rows[0].remarks, [Remark::Flag(Flag::Broken, 1)]);
}

#[test]
fn a_capped_reply_fails_where_the_plan_wanted_an_answer() {
    let mut run = pair(6, 1);
    for trial in &mut run.trials {
        trial.answer.as_mut().unwrap().finish = Some(FinishSeen { raw: "length".into(), normal: Finish::Length });
    }
    assert_eq!(hand::table(one(&run), None).rows[0].ok, 6);
    run.manifest.design.capped_is_ok = false;
    let table = hand::table(one(&run), None);
    assert_eq!(table.rows[0].ok, 0);
    assert_eq!(table.rows[0].remarks, [Remark::Flag(Flag::LengthCapped, 6)]);
}

#[test]
fn short_replies_stay_out_of_the_speeds_and_in_the_times() {
    let mut run = hand::run(vec![hand::target("a/r1")], 8, 1);
    hand::fill(&mut run, |round, _, _| if round < 3 { hand::reply(100.0, 1.0, 0, 8) } else { hand::reply(400.0, 20.0, 0, 40) });
    let table = hand::table(one(&run), None);
    assert_eq!(hand::numbers(&table, 0)[CONTENT], Some(50.0));
    assert_eq!(hand::numbers(&table, 0)[E2E], Some(1180.0));
    assert!(table.rows[0].remarks.contains(&Remark::Flag(Flag::TooShort, 2)));
}

#[test]
fn limits_that_were_hit_often_and_a_slow_client_are_warned_of() {
    let mut run = pair(20, 1);
    let timed_out = |run: &mut Run, trial: usize| {
        let answer = run.trials[trial].answer.as_mut().unwrap();
        answer.ended = Ended::TimedOut { limit: Limit::Total };
        answer.finish = None;
        answer.end_marks.clear();
    };
    timed_out(&mut run, 0);
    assert_eq!(warnings(&run), "");
    timed_out(&mut run, 2);
    assert!(warnings(&run).starts_with("a/r1: 2 of 20 replies hit a limit"), "{}", warnings(&run));

    let mut run = pair(6, 1);
    let lag = |ms: f64| Some(SelfLag { runtime_p99_us: ms * 1e3, ..SelfLag::default() });
    let line = |lag| RoundLine { stepped_ns: None, round: 1, state: RoundState::Finished, wall: run.manifest.created, mono: hand::T0, lag };
    let (calm, busy) = (line(lag(20.0)), line(lag(21.0)));
    run.rounds = vec![calm];
    assert_eq!(warnings(&run), "");
    run.rounds.push(busy);
    let limited = "round 1: client-limited (its measuring thread lagged by 21.0 ms (p99)), so it is left out for all targets";
    assert!(warnings(&run).contains(limited), "{}", warnings(&run));
    run.rounds[1].lag.as_mut().unwrap().clock_steps = 1;
    assert!(warnings(&run).contains("the wall clock was stepped"), "{}", warnings(&run));
    run.torn = 2;
    assert!(warnings(&run).contains("2 lines of the records could not be read"));
}

#[test]
fn few_rounds_are_called_points() {
    let caption = |rounds| hand::written(&pair(rounds, 1), Format::Markdown, 0);
    assert!(caption(2).contains("Fewer than three rounds: points only") && caption(2).contains("n = 2 requests"));
    assert!(!caption(3).contains("points only"));
}

#[test]
fn the_basis_is_reported_only_where_all_report_well_and_are_of_one_family() {
    let basis = |run: &Run| {
        let table = hand::table(one(run), None);
        (table.basis, table.basis_because.words(Lang::En))
    };
    let good = pair(20, 1);
    assert_eq!(basis(&good).0, Basis::Reported);
    assert!(!hand::written(&good, Format::Terminal, 200).contains("ifferent models"));

    let mut several = good.clone();
    several.manifest.targets[1].family = Some("llama-3".into());
    assert_eq!(basis(&several), (Basis::Reference, "the models are of different families".into()));
    assert!(hand::written(&several, Format::Terminal, 200).contains("Different models: speed only."));

    let mut unknown = good.clone();
    unknown.manifest.targets.iter_mut().for_each(|target| target.family = None);
    assert_eq!(Families::of(&unknown.manifest.targets), Families::Unknown);
    assert_eq!(basis(&unknown).0, Basis::Reference);
    unknown.manifest.targets.pop();
    unknown.trials.retain(|trial| trial.target.as_str() == "a/r1");
    assert_eq!(basis(&unknown).0, Basis::Reported, "one target is of one family");

    // One reply of twenty may lack its usage; two may not.
    let mut silent = good.clone();
    silent.trials[1].answer.as_mut().unwrap().usage = None;
    assert_eq!(basis(&silent).0, Basis::Reported);
    silent.trials[3].answer.as_mut().unwrap().usage = None;
    assert_eq!(basis(&silent), (Basis::Reference, "b/r1 reports no usage that can be believed throughout".into()));

    // Without the text there is nothing to tokenise but the counts of the embedded tokenizer, which are not there either.
    for trial in &mut silent.trials {
        let answer = trial.answer.as_mut().unwrap();
        let counts = photofinish::record::TokenCounts {
            tokenizer: "another".into(),
            per_event: vec![1; 60],
            chars: vec![5; 60],
            hash: String::new(),
        };
        (answer.text, answer.counts) = (None, Some(counts));
    }
    let (basis, why) = basis(&silent);
    assert_eq!(basis, Basis::Chars);
    assert!(why.ends_with("and the text was not kept"), "{why}");
    assert!(hand::written(&silent, Format::Terminal, 200).contains("chars/s"));
}

#[test]
fn an_asked_basis_is_taken_for_every_number() {
    let mut run = pair(6, 1);
    // As the provider counts, there are three tokens where we count two.
    for trial in &mut run.trials {
        let usage = trial.answer.as_mut().unwrap().usage.as_mut().unwrap();
        (usage.completion, usage.reasoning) = (Some(90), Some(30));
    }
    let speed = |basis| hand::numbers(&hand::table(one(&run), Some(basis)), 0)[CONTENT].unwrap();
    assert_eq!([speed(Basis::Reference), speed(Basis::Chars)], [50.0, 250.0]);
    assert!((speed(Basis::Reported) - 75.0).abs() < 1e-9);
}

#[test]
fn the_one_whose_counts_differ_is_named_and_the_one_that_hides_thinking_is_no_measure() {
    let names = ["a/r1", "b/r1", "c/r1"];
    let mut run = hand::run(names.map(hand::target).into(), 6, 1);
    hand::fill(&mut run, |_, _, target| {
        let mut reply = hand::reply(400.0, 20.0, if target == 2 { 0 } else { 20 }, 40);
        let usage = reply.usage.as_mut().unwrap();
        if target == 2 {
            (usage.reasoning, usage.completion) = (Some(100), Some(140));
        }
        reply
    });
    let table = hand::table(one(&run), None);
    let differ: Vec<bool> =
        table.rows.iter().map(|row| row.remarks.iter().any(|remark| matches!(remark, Remark::CountsDiffer { .. }))).collect();
    assert_eq!(differ, [false, false, true]);
    assert!(hand::written(&run, Format::Terminal, 200).contains("3.50 tokens reported for each counted one, the others' 1.00"));
}

#[test]
fn runs_of_one_plan_are_read_together_and_no_others() {
    let (first, mut second) = (pair(3, 2), pair(3, 2));
    second.manifest.run = "ffffff".into();
    second.manifest.created += jiff::SignedDuration::from_hours(24);
    let table = hand::table(&[second.clone(), first.clone()], None);
    assert_eq!((table.rounds, table.blocks, table.rows[0].sent), (6, 12, 12));
    let text = photofinish::report::targets(&table, &Joined::new(&hand::sheets(&[second.clone(), first.clone()])).unwrap(), Lang::En);
    assert!(text.write(Format::Markdown, 0).contains("runs a1b2c3, ffffff"));

    assert!(matches!(Joined::new(&hand::sheets(&[first.clone(), first.clone()])), Err(JoinError::Twice(_))));
    assert!(matches!(Joined::new(&hand::sheets(&[])), Err(JoinError::NoRun)));
    let mut elsewhere = second.clone();
    elsewhere.manifest.vantage = Some("Beijing".into());
    assert!(matches!(Joined::new(&hand::sheets(&[first.clone(), elsewhere])), Err(JoinError::Places { .. })));
    let mut other = second.clone();
    other.manifest.plan_digest = "d2".into();
    assert!(matches!(Joined::new(&hand::sheets(&[first.clone(), other])), Err(JoinError::Plans { .. })));
    hand::simulate(&mut second, 10.0);
    assert!(matches!(Joined::new(&hand::sheets(&[first.clone(), second])), Err(JoinError::SimulatedAndReal { .. })));
    let mut mixed = first;
    mixed.manifest.targets[0].simulated = true;
    assert!(matches!(Joined::new(&hand::sheets(&[mixed])), Err(JoinError::SimulatedAndReal { .. })));
}

#[test]
fn what_every_target_shares_is_said_once() {
    let text = hand::written(&pair(2, 2), Format::Terminal, 120);
    assert_eq!(text.matches("too few for a figure").count(), 1, "{text}");
    assert!(!text.contains("[1]"), "{text}");
}
