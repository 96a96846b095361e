//! What tables make of requests that a pace held back or left out: never a failure, never charged, always said.

mod hand;

use photofinish::analysis::{Comparing, Entry, Joined, Quantity, Remark, Standing, compare, panel};
use photofinish::record::NotSent;
use photofinish::report::{Format, Lang};
use photofinish::store::Run;
use photofinish::tokens::Basis;
use photofinish::units::{ms, secs};

fn over() -> NotSent {
    NotSent::OverBudget { reason: "6 of 6 requests of 2026-11-24 (UTC) are sent".into() }
}

/// Twenty rounds of two prompts: `b` takes twice as long as `a` and is left out of every second round by `why`.
fn half(why: impl Fn() -> NotSent) -> Run {
    let mut run = hand::run(vec![hand::target("a/r1"), hand::target("b/r1")], 20, 2);
    for round in 1..=20 {
        for block in 1..=2 {
            hand::put(&mut run, round, block, 0, hand::reply(400.0, 20.0, 20, 40));
            match round % 2 {
                0 => hand::put_not_sent(&mut run, round, block, 1, why()),
                _ => hand::put(&mut run, round, block, 1, hand::reply(800.0, 40.0, 20, 40)),
            };
        }
    }
    run
}

#[test]
fn a_target_left_out_by_its_budget_is_charged_for_nothing_and_its_blocks_count_for_the_others() {
    let run = half(over);
    let table = hand::table(std::slice::from_ref(&run), None);
    let counts: Vec<(usize, usize)> = table.rows.iter().map(|row| (row.ok, row.sent)).collect();
    assert_eq!(counts, [(40, 40), (20, 20)]);
    assert!(table.voids.is_empty() && table.warnings.is_empty(), "{:?}", table.warnings);
    assert_eq!(table.rows[1].remarks, [Remark::OverBudget(20)]);
    let sheets = hand::sheets(std::slice::from_ref(&run));
    let joined = Joined::new(&sheets).unwrap();
    assert_eq!(joined.trials.iter().filter(|placed| placed.standing == Standing::Unasked).count(), 20);
    let times = panel(&joined, Quantity::E2e, Basis::Reported);
    assert_eq!(times.entries(1, 1), [Entry::Absent; 2]);
    // The pair is compared in the rounds that both have, in which one takes twice as long throughout.
    assert_eq!(times.differences(0, 1).iter().map(|of| of.round).collect::<Vec<_>>(), (0..20).step_by(2).collect::<Vec<_>>());
    assert!(times.differences(0, 1).iter().all(|of| (of.log_ratio - 2f64.ln()).abs() < 1e-9));
    let pair = &compare(&times, &Comparing::default()).comparisons[0];
    assert_eq!((pair.rounds, pair.blocks), (10, 20));
}

#[test]
fn a_wait_that_was_too_long_is_told_apart_from_a_budget() {
    let table = hand::table(&[half(|| NotSent::HeldBack { reason: "it may be asked again in 3600 s".into() })], None);
    assert_eq!(table.rows[1].remarks, [Remark::HeldBack(20)]);
    let shown = hand::written(&half(over), Format::Markdown, 100);
    assert!(shown.contains("20 not sent and not charged, its daily budget was used up"), "{shown}");
}

/// Three requests of `b` were held back: for 1.2 s, for 8.4 s, and one that found no connection afterwards.
fn held() -> Run {
    let mut run = hand::run(vec![hand::target("a/r1"), hand::target("b/r1")], 5, 1);
    hand::fill(&mut run, |_, _, _| hand::reply(400.0, 20.0, 20, 40));
    for (trial, wait) in [(1, 1200), (3, 8400), (5, 1)] {
        // Half a second of the way to the first write was the connection's.
        let answer = run.trials[trial].answer.as_mut().unwrap();
        (answer.connect.reused, answer.connect.tcp_ns) = (false, Some(ms(500)));
        let written = hand::T0.plus(secs(20));
        (answer.stamps.first_write, answer.stamps.last_write) = (Some(written), Some(written));
        run.trials[trial].held_since = Some(photofinish::units::Stamp(written.0 - ms(500) - ms(wait)));
    }
    run.trials[5].answer = Some(Box::new(hand::unreachable()));
    run
}

#[test]
fn the_caption_says_how_many_requests_were_held_back_and_for_how_long() {
    let table = hand::table(&[held()], None);
    assert_eq!(table.held.len(), 1);
    assert_eq!((table.held[0].target.as_str(), table.held[0].held, table.held[0].sent), ("b/r1", 3, 5));
    assert_eq!(table.held[0].seconds, Some((1.2, 8.4)));
    let shown = hand::written(&held(), Format::Markdown, 100);
    let sentence =
        "3 of 5 requests of b/r1 were held back for 1.2–8.4 s by its pace or a Retry-After, a wait that no time in the table holds.";
    assert!(shown.contains(sentence), "{shown}");
    let zh = hand::written_in(&held(), Format::Markdown, 100, Lang::Zh);
    assert!(zh.contains("b/r1 的 5 个请求中有 3 个因其限速或 Retry-After 推迟发出（1.2–8.4 s），表中任何时间都不含这段等待。"), "{zh}");
}

#[test]
fn a_wait_is_in_no_figure() {
    let mut free = held();
    free.trials.iter_mut().for_each(|trial| trial.held_since = None);
    let of = |run: &Run| (0..2).map(|row| hand::numbers(&hand::table(std::slice::from_ref(run), None), row)).collect::<Vec<_>>();
    assert_eq!(of(&held()), of(&free));
}
