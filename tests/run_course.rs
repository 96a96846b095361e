//! The course of a run, with scripted providers under virtual time.

mod stage;

use photofinish::record::{NotSent, Role, RoundState};
use photofinish::runner::{Outcome, Progress, Stop};
use photofinish::timeline::Ended;
use stage::{Play, Reply, Script, What, always};
use std::collections::BTreeSet;
use std::sync::Arc;

fn two() -> Vec<(&'static str, Script)> {
    vec![("fast", always(Reply::Text(100))), ("slow", always(Reply::Text(400)))]
}

#[tokio::test(start_paused = true)]
async fn a_round_opens_with_a_warm_up_and_asks_every_prompt_once_of_every_target() {
    let results = tempfile::tempdir().unwrap();
    let played = Play::new(results.path(), two()).perform().await;
    assert_eq!(played.outcome, Outcome::Finished);
    use RoundState::{Begun, Finished};
    assert_eq!(played.states(), [(1, Begun), (1, Finished), (2, Begun), (2, Finished)]);
    assert_eq!(played.blocks(), [(1, 1, 1), (1, 2, 1), (2, 1, 1), (2, 2, 1)]);
    let warm_ups = played.run.trials.iter().filter(|trial| trial.role == Role::WarmUp);
    assert_eq!(warm_ups.map(|trial| (trial.round, trial.block)).collect::<Vec<_>>(), [(1, 0), (1, 0), (2, 0), (2, 0)]);
    assert_eq!(played.scored().len(), 8);
    // A warm-up asks for one token, scored requests for the target's own cap; neither is the other's text.
    let sent = played.of("fast", What::Sent);
    assert!(sent[0].text.starts_with("1|[") && sent[0].text.ends_with("]\nSay OK."), "{}", sent[0].text);
    assert!(sent[1].text.starts_with("|[") && sent[1].text.contains("]\nAsk q"), "{}", sent[1].text);
}

#[tokio::test(start_paused = true)]
async fn targets_of_a_block_are_sent_the_same_bytes_at_the_same_moment_and_wait_for_each_other() {
    let results = tempfile::tempdir().unwrap();
    let played = Play::new(results.path(), two()).perform().await;
    let (fast, slow) = (played.of("fast", What::Sent), played.of("slow", What::Sent));
    let sends = |of: &[&stage::Seen]| of.iter().map(|seen| (seen.ms, seen.text.clone())).collect::<Vec<_>>();
    assert_eq!(sends(&fast), sends(&slow));
    // 5 ms of connecting before the first; then each block begins when the slow one of the block before has ended.
    assert_eq!(fast.iter().map(|seen| seen.ms).collect::<Vec<_>>(), [5, 405, 805, 1205, 1605, 2005]);
    let texts: BTreeSet<&str> = fast.iter().map(|seen| seen.text.as_str()).collect();
    assert_eq!(texts.len(), 6, "a nonce is new in every block and round");
    assert_eq!(played.of("fast", What::Connected).len(), 1, "the connection is kept alive");
}

#[tokio::test(start_paused = true)]
async fn sequential_targets_take_turns_in_the_order_of_the_design() {
    let results = tempfile::tempdir().unwrap();
    let play = Play { change: |manifest| manifest.design.at_once = false, ..Play::new(results.path(), two()) };
    let played = play.perform().await;
    let mut in_flight = 0;
    for seen in played.log.iter().filter(|seen| seen.what != What::Connected) {
        in_flight += if seen.what == What::Sent { 1 } else { -1 };
        assert!((0..=1).contains(&in_flight), "two requests in flight");
    }
    let firsts: Vec<&str> = played.scored().iter().filter(|trial| trial.place == 1).map(|trial| trial.target.as_str()).collect();
    assert_eq!(firsts.iter().filter(|target| **target == "fast").count(), 2, "each is first in half of the blocks: {firsts:?}");
}

#[tokio::test(start_paused = true)]
async fn a_refused_key_stops_its_target_and_leaves_the_other_racing() {
    let results = tempfile::tempdir().unwrap();
    let actors = vec![
        ("good", always(Reply::Text(100))),
        ("bad", Arc::new(|n: u32| if n == 3 { Reply::Status(401) } else { Reply::Text(50) }) as Script),
    ];
    let played = Play::new(results.path(), actors).perform().await;
    assert_eq!(played.outcome, Outcome::Finished);
    assert_eq!((played.of("good", What::Sent).len(), played.of("bad", What::Sent).len()), (6, 3));
    let not_sent: Vec<_> = played.run.trials.iter().filter_map(|trial| trial.not_sent.clone()).collect();
    assert_eq!(not_sent.len(), 3);
    assert_eq!(not_sent[0], NotSent::TargetStopped { reason: "HTTP 401: no such luck".into() });
    assert_eq!(played.blocks().len(), 4, "its blocks stay whole for the other");
    assert_eq!(played.progress.iter().filter(|said| matches!(said, Progress::Stopped { .. })).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_targets_are_all_stopped_ends() {
    let results = tempfile::tempdir().unwrap();
    let played = Play::new(results.path(), vec![("bad", always(Reply::Status(401)))]).perform().await;
    assert_eq!(played.outcome, Outcome::AllStopped);
    assert_eq!(played.of("bad", What::Sent).len(), 1);
    assert!(played.run.notes[0].text.contains("every target is stopped"));
}

#[tokio::test(start_paused = true)]
async fn failures_are_recorded_once_and_never_retried() {
    let results = tempfile::tempdir().unwrap();
    let actors = vec![
        ("limited", always(Reply::Status(429))),
        ("refused", always(Reply::Refused)),
        ("broken", always(Reply::Broken(50))),
        ("silent", always(Reply::Silent)),
    ];
    let played = Play::new(results.path(), actors).perform().await;
    assert_eq!(played.outcome, Outcome::Finished);
    assert_eq!(played.scored().len(), 4 * 4);
    let ends = |target: &str| {
        let of = played.run.trials.iter().filter(|trial| trial.target.as_str() == target);
        of.map(|trial| trial.answer.as_ref().unwrap().ended.clone()).collect::<Vec<_>>()
    };
    assert_eq!(ends("limited"), vec![Ended::Complete; 6]);
    assert!(ends("refused").iter().all(|ended| matches!(ended, Ended::ConnectFailed { .. })));
    assert!(ends("broken").iter().all(|ended| matches!(ended, Ended::ClosedEarly { .. })));
    assert!(ends("silent").iter().all(|ended| matches!(ended, Ended::TimedOut { .. })));
    assert_eq!(played.of("limited", What::Connected).len(), 1);
    assert_eq!(played.of("broken", What::Connected).len(), 6, "a broken connection is not used again");
    assert_eq!(played.of("broken", What::Sent).len(), 6);
}

#[tokio::test(start_paused = true)]
async fn budgets_stop_between_blocks_and_a_larger_one_goes_on() {
    let results = tempfile::tempdir().unwrap();
    let play = Play { change: |manifest| manifest.budget.max_requests = Some(9), ..Play::new(results.path(), two()) };
    let played = play.perform().await;
    assert_eq!(played.outcome, Outcome::BudgetSpent("6 of 9 requests are sent".into()));
    assert_eq!(played.blocks(), [(1, 1, 1), (1, 2, 1)]);
    let play = Play { resume: Some(played.folder), ..Play::new(results.path(), two()) };
    let resumed = play.perform().await;
    assert_eq!((resumed.outcome.clone(), resumed.blocks().len()), (Outcome::Finished, 4));

    let play = Play { change: |manifest| manifest.budget.max_total_tokens = Some(45), ..Play::new(results.path(), two()) };
    let other = tempfile::tempdir().unwrap();
    let played = Play { results: other.path().to_owned(), ..play }.perform().await;
    assert_eq!(played.outcome, Outcome::BudgetSpent("60 of 45 tokens are used".into()));
}

#[tokio::test(start_paused = true)]
async fn a_first_interrupt_drains_and_a_second_breaks_off() {
    let results = tempfile::tempdir().unwrap();
    // At 900 ms the second block of round 1 is in flight (from 805 on); at 1000 ms only the slow one is left.
    let played = Play { stop: vec![(900, Stop::Drain)], ..Play::new(results.path(), two()) }.perform().await;
    assert_eq!(played.outcome, Outcome::Interrupted);
    assert_eq!(played.blocks(), [(1, 1, 1), (1, 2, 1)]);
    assert_eq!(played.states(), [(1, RoundState::Begun), (1, RoundState::Finished)], "its last block was drained whole");

    let other = tempfile::tempdir().unwrap();
    let stop = vec![(900, Stop::Drain), (1000, Stop::Cancel)];
    let played = Play { stop, ..Play::new(other.path(), two()) }.perform().await;
    assert_eq!(played.outcome, Outcome::Interrupted);
    assert_eq!(played.blocks(), [(1, 1, 1)], "the block that was broken off is void");
    let last = played.run.trials.last().unwrap();
    assert_eq!((last.target.as_str(), &last.answer.as_ref().unwrap().ended), ("slow", &Ended::Cancelled));
}

#[tokio::test(start_paused = true)]
async fn a_sequential_block_that_is_interrupted_between_two_targets_is_void_and_sent_anew_whole() {
    let results = tempfile::tempdir().unwrap();
    let in_turn = |manifest: &mut photofinish::record::Manifest| {
        manifest.design.at_once = false;
        manifest.design.warm_up = false;
    };
    // Two blocks of 500 ms and 10 ms of connecting: at 530 ms the first target of the second block is in flight.
    let played = Play { change: in_turn, stop: vec![(530, Stop::Drain)], ..Play::new(results.path(), two()) }.perform().await;
    assert_eq!((played.outcome.clone(), played.run.trials.len()), (Outcome::Interrupted, 3));
    assert_eq!(played.blocks(), [(1, 1, 1)]);
    let interrupted = played.run.trials[2].clone();
    let resumed = Play { resume: Some(played.folder), ..Play::new(results.path(), two()) }.perform().await;
    assert_eq!(resumed.blocks(), [(1, 1, 1), (1, 2, 2), (2, 1, 1), (2, 2, 1)]);
    let anew: Vec<_> = resumed.run.trials.iter().filter(|trial| trial.attempt == 2).collect();
    assert_eq!(anew.len(), 2);
    assert!(anew.iter().all(|trial| trial.prompt == interrupted.prompt));
}

#[tokio::test(start_paused = true)]
async fn resuming_sends_exactly_the_missing_blocks_and_the_interrupted_one_whole() {
    let results = tempfile::tempdir().unwrap();
    let stop = vec![(900, Stop::Drain), (1000, Stop::Cancel)];
    let played = Play { stop, ..Play::new(results.path(), two()) }.perform().await;
    let resumed = Play { resume: Some(played.folder), wall: "2026-11-24T10:20:00Z", ..Play::new(results.path(), two()) }.perform().await;
    assert_eq!(resumed.outcome, Outcome::Finished);
    assert_eq!(resumed.blocks(), [(1, 1, 1), (1, 2, 2), (2, 1, 1), (2, 2, 1)]);
    // A warm-up and one block of round 1, a warm-up and two blocks of round 2.
    assert_eq!(resumed.of("fast", What::Sent).len(), 5);
    let ids: BTreeSet<&str> = resumed.run.trials.iter().map(|trial| trial.id.as_str()).collect();
    assert_eq!(ids.len(), resumed.run.trials.len(), "no two trials share an id");
    let warm_ups = resumed.run.trials.iter().filter(|trial| trial.role == Role::WarmUp && trial.round == 1);
    assert_eq!(warm_ups.map(|trial| trial.attempt).collect::<Vec<_>>(), [1, 1, 2, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_round_interrupted_for_more_than_a_quarter_of_an_hour_is_closed_as_partial() {
    let results = tempfile::tempdir().unwrap();
    let played = Play { stop: vec![(900, Stop::Drain)], prompts: 3, ..Play::new(results.path(), two()) }.perform().await;
    let resumed = Play { resume: Some(played.folder), wall: "2026-11-24T10:31:00Z", ..Play::new(results.path(), two()) }.perform().await;
    use RoundState::{Begun, Finished, Partial};
    assert_eq!(resumed.states(), [(1, Begun), (1, Partial), (2, Begun), (2, Finished)]);
    assert_eq!(resumed.blocks(), [(1, 1, 1), (1, 2, 1), (2, 1, 1), (2, 2, 1), (2, 3, 1)]);
}

#[tokio::test(start_paused = true)]
async fn rounds_that_are_spread_wait_for_their_slot_and_a_slot_that_has_passed_is_missed() {
    let results = tempfile::tempdir().unwrap();
    let play = Play {
        change: |manifest| manifest.design.every_s = 3600,
        rounds: 3,
        stop: vec![(3_000_000, Stop::Drain)],
        ..Play::new(results.path(), two())
    };
    let played = play.perform().await;
    assert_eq!((played.outcome, played.run.rounds.len()), (Outcome::Interrupted, 2));
    assert!(matches!(played.progress.last(), Some(Progress::Waiting { round: 2, .. })));
    let play = Play { resume: Some(played.folder), wall: "2026-11-24T12:20:00Z", ..Play::new(results.path(), two()) };
    let resumed = play.perform().await;
    use RoundState::{Begun, Finished, Missed};
    assert_eq!(resumed.states(), [(1, Begun), (1, Finished), (2, Missed), (3, Begun), (3, Finished)]);
    let begun = &resumed.run.rounds[3];
    assert!(begun.wall.to_string().starts_with("2026-11-24T12:") || begun.wall.to_string().starts_with("2026-11-24T13:"), "{}", begun.wall);
}

#[tokio::test(start_paused = true)]
async fn a_run_without_warm_ups_and_with_caches_allowed_sends_the_prompts_as_they_are() {
    let results = tempfile::tempdir().unwrap();
    let change = |manifest: &mut photofinish::record::Manifest| {
        manifest.design.warm_up = false;
        manifest.design.cache_defeat = false;
    };
    let played = Play { change, ..Play::new(results.path(), two()) }.perform().await;
    let texts: BTreeSet<&str> = played.of("fast", What::Sent).iter().map(|seen| seen.text.as_str()).collect();
    assert_eq!(texts, BTreeSet::from(["|Ask q1", "|Ask q2"]));
}

#[tokio::test(start_paused = true)]
async fn three_days_of_hourly_rounds_keep_to_their_hours() {
    let results = tempfile::tempdir().unwrap();
    let play = Play { change: |manifest| manifest.design.every_s = 3600, rounds: 72, prompts: 1, ..Play::new(results.path(), two()) };
    let played = play.perform().await;
    assert_eq!((played.outcome.clone(), played.blocks().len()), (Outcome::Finished, 72));
    let start = played.run.manifest.created.as_second();
    for line in played.run.rounds.iter().filter(|line| line.state == RoundState::Begun) {
        assert_eq!((line.wall.as_second() - start) / 3600, i64::from(line.round) - 1, "round {} at {}", line.round, line.wall);
    }
}
