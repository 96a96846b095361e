//! Politeness in the course of a run, with scripted providers under virtual time: paces, rests that a target asks for, budgets of a day.

mod stage;

use photofinish::record::{Manifest, NotSent, Role, Trial};
use photofinish::runner::{MINUTE, Outcome, Progress, Stop};
use photofinish::units::{ms, secs};
use stage::{Play, Played, Reply, Script, Seen, What, always};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A target without a pace, and one that the tests limit. Both reply after 100 ms with a usage of 10 tokens.
fn two() -> Vec<(&'static str, Script)> {
    vec![("free", always(Reply::Text(100))), ("paced", always(Reply::Text(100)))]
}

/// The second target gives `reply` to its n-th request and is otherwise as quick as the first.
fn but_for(n: u32, reply: Reply) -> Vec<(&'static str, Script)> {
    vec![("free", always(Reply::Text(100))), ("paced", Arc::new(move |i| if i == n { reply } else { Reply::Text(100) }) as Script)]
}

fn moments(played: &Played, target: &str, what: What) -> Vec<u64> {
    played.of(target, what).iter().map(|seen: &&Seen| seen.ms).collect()
}

fn of<'p>(played: &'p Played, target: &str) -> Vec<&'p Trial> {
    played.run.trials.iter().filter(|trial| trial.target.as_str() == target).collect()
}

/// Times from the first write to the last text, ms.
fn reply_times(played: &Played, target: &str) -> BTreeSet<u64> {
    let answers = of(played, target).into_iter().filter_map(|trial| trial.answer.as_ref());
    answers.filter_map(|answer| answer.timeline.last().map(|text| text.at.0 / ms(1))).collect()
}

#[tokio::test(start_paused = true)]
async fn no_minute_holds_more_than_twenty_requests_and_the_others_of_a_block_wait_with_the_paced_one() {
    let results = tempfile::tempdir().unwrap();
    let change = |manifest: &mut Manifest| manifest.targets[1].pace.requests_per_minute = Some(20);
    let played = Play { change, prompts: 9, rounds: 6, ..Play::new(results.path(), two()) }.perform().await;
    let sent = moments(&played, "paced", What::Sent);
    assert_eq!((played.outcome.clone(), sent.len()), (Outcome::Finished, 60), "warm-ups count too");
    assert!(sent.windows(21).all(|window| 60_000 <= window[20] - window[0]), "{sent:?}");
    // Nor does anybody wait longer than that takes.
    let minute = MINUTE / ms(1);
    assert_eq!((sent[20] - sent[0], sent[40] - sent[20]), (minute, minute));
    assert_eq!(sent, moments(&played, "free", What::Sent), "a block's requests share their moment");
    let held: Vec<&Trial> = played.run.trials.iter().filter(|trial| trial.held_since.is_some()).collect();
    assert!(held.iter().all(|trial| trial.target.as_str() == "paced" && trial.held_since == Some(trial.scheduled)));
    assert_eq!(held.len(), 2, "at the end of each full minute the others go out at the pace of those before");
    assert_eq!((reply_times(&played, "paced"), reply_times(&played, "free")), (BTreeSet::from([100]), BTreeSet::from([100])));
    let told = played.progress.iter().filter(|said| matches!(said, Progress::Held { targets, .. } if targets[0].as_str() == "paced"));
    assert_eq!(told.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_minute_s_tokens_hold_with_the_worst_case_of_what_is_in_flight() {
    let results = tempfile::tempdir().unwrap();
    // A request may take 51 tokens of prompt and 100 of reply; each takes 10 in the end. So four of a minute leave room for one more.
    let change = |manifest: &mut Manifest| manifest.targets[1].pace.tokens_per_minute = Some(191);
    let played = Play { change, prompts: 6, rounds: 3, ..Play::new(results.path(), two()) }.perform().await;
    let (sent, ended) = (moments(&played, "paced", What::Sent), moments(&played, "paced", What::Ended));
    assert_eq!(sent.len(), 21);
    let before = |at: u64| ended.iter().filter(|end| **end <= at && at - **end < 60_000).count();
    let most = sent.iter().map(|at| before(*at)).max();
    assert_eq!(most, Some(4), "{sent:?}");
    assert!(sent.windows(2).all(|two| two[1] - two[0] < 60_200), "and never longer than a minute: {sent:?}");
}

#[tokio::test(start_paused = true)]
async fn a_rest_of_two_seconds_delays_the_next_request_alone_and_stands_in_no_time() {
    let results = tempfile::tempdir().unwrap();
    let played = Play { prompts: 4, rounds: 1, ..Play::new(results.path(), but_for(3, Reply::TryLater(2))) }.perform().await;
    let (sent, ended) = (moments(&played, "paced", What::Sent), moments(&played, "paced", What::Ended));
    // Blocks follow one another at once but for the fourth, which comes two seconds after the refusal.
    assert_eq!(sent[3] - ended[2], 2000);
    assert_eq!([sent[1] - sent[0], sent[2] - sent[1], sent[4] - sent[3]], [100; 3]);
    assert_eq!(moments(&played, "free", What::Sent), sent, "and the other target is asked in the same moment");
    let held: Vec<Option<u64>> = of(&played, "paced").iter().map(|trial| trial.held_since.map(|since| since.0 / ms(1) - 1000)).collect();
    let came = moments(&played, "free", What::Ended)[2];
    assert_eq!(held, [None, None, None, Some(came), None]);
    assert_eq!(reply_times(&played, "paced"), BTreeSet::from([100]));
    let fourth = of(&played, "paced")[3];
    let written = fourth.answer.as_ref().unwrap().stamps.first_write.unwrap();
    // The refusal had come after 10 ms of the block's 100.
    assert_eq!(written.since(fourth.held_since.unwrap()) / ms(1), 1910);
    assert_eq!(fourth.wall, "2026-11-24T10:15:02.215Z".parse().unwrap(), "its time of the day is that of its sending");
}

#[tokio::test(start_paused = true)]
async fn a_rest_longer_than_a_quarter_of_an_hour_leaves_the_target_out_and_holds_up_nobody() {
    let results = tempfile::tempdir().unwrap();
    let played = Play { prompts: 4, rounds: 1, ..Play::new(results.path(), but_for(3, Reply::TryLater(3600))) }.perform().await;
    assert_eq!(moments(&played, "free", What::Sent), [5, 105, 205, 305, 405]);
    assert_eq!(played.of("paced", What::Sent).len(), 3);
    let reason = "it may be asked again in 3600 s, and its block waits for 900 s at most".to_owned();
    let left_out: Vec<_> = of(&played, "paced").iter().filter_map(|trial| trial.not_sent.clone()).collect();
    assert_eq!(left_out, [NotSent::HeldBack { reason: reason.clone() }, NotSent::HeldBack { reason }]);
    assert_eq!(played.blocks().len(), 4, "its blocks are whole for the other");
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_beyond_the_end_of_a_round_s_slot_and_the_next_round_asks_all_again() {
    let results = tempfile::tempdir().unwrap();
    let change = |manifest: &mut Manifest| manifest.design.every_s = 60;
    let played = Play { change, prompts: 3, rounds: 4, ..Play::new(results.path(), but_for(2, Reply::TryLater(70))) }.perform().await;
    let unasked: BTreeSet<u32> =
        of(&played, "paced").iter().filter(|trial| matches!(trial.not_sent, Some(NotSent::HeldBack { .. }))).map(|t| t.round).collect();
    assert!(unasked.contains(&1), "{unasked:?}");
    assert!(of(&played, "paced").iter().filter(|trial| 3 <= trial.round).all(|trial| trial.answer.is_some()));
    let first_round: Vec<&Trial> = of(&played, "free").into_iter().filter(|trial| trial.round == 1).collect();
    assert!(first_round.iter().all(|trial| trial.answer.is_some()));
    let minute_over = "2026-11-24T10:16:00Z".parse().unwrap();
    assert!(first_round.iter().all(|trial| trial.wall < minute_over));
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_broken_off_by_the_user_and_goes_on_where_it_was_after_a_restart() {
    let results = tempfile::tempdir().unwrap();
    let clock = photofinish::clock::Clock::virtual_from("2026-11-24T00:00:00Z".parse().unwrap());
    let began = clock.now();
    let play =
        Play { stop: vec![(5000, Stop::Drain)], prompts: 4, rounds: 1, ..Play::new(results.path(), but_for(3, Reply::TryLater(600))) };
    let played = play.perform().await;
    assert_eq!((played.outcome, clock.now().since(began) / 1_000_000), (Outcome::Interrupted, 5000));
    // A minute after the start of the first sitting, nine minutes of the rest are left.
    let play = Play { resume: Some(played.folder), wall: "2026-11-24T10:16:00Z", ..Play::new(results.path(), two()) };
    let resumed = play.perform().await;
    assert_eq!(resumed.outcome, Outcome::Finished);
    let first = moments(&resumed, "paced", What::Sent)[0];
    assert!((539_000..541_500).contains(&first), "{first}");
    assert_eq!(resumed.blocks().len(), 4);
}

/// Requests that were sent to the target and those left out for its budget, by UTC day.
fn days(played: &Played, target: &str) -> BTreeMap<String, (usize, usize)> {
    let mut days = BTreeMap::new();
    for trial in of(played, target) {
        let day: &mut (usize, usize) = days.entry(trial.wall.strftime("%F").to_string()).or_default();
        match &trial.not_sent {
            None => day.0 += 1,
            Some(NotSent::OverBudget { .. }) => day.1 += 1,
            Some(other) => panic!("{other:?}"),
        }
    }
    days
}

#[tokio::test(start_paused = true)]
async fn a_day_s_budget_leaves_its_target_out_until_midnight_utc_and_the_others_go_on() {
    let results = tempfile::tempdir().unwrap();
    let change = |manifest: &mut Manifest| {
        manifest.design.every_s = 3600;
        manifest.targets[1].pace.requests_per_day = Some(10);
    };
    let played = Play { change, rounds: 48, ..Play::new(results.path(), two()) }.perform().await;
    assert_eq!(played.outcome, Outcome::Finished);
    let (paced, free) = (days(&played, "paced"), days(&played, "free"));
    assert_eq!(paced.keys().collect::<Vec<_>>(), ["2026-11-24", "2026-11-25", "2026-11-26"]);
    assert!(paced.values().all(|(sent, _)| *sent == 10), "{paced:?}");
    assert_eq!(free.values().map(|(sent, _)| sent).sum::<usize>(), 48 * 3);
    assert_eq!(played.blocks().len(), 48 * 2);
    let left_out = of(&played, "paced").into_iter().find(|trial| trial.not_sent.is_some()).unwrap();
    let reason = "10 of 10 requests of 2026-11-24 (UTC) are sent".to_owned();
    assert_eq!(left_out.not_sent, Some(NotSent::OverBudget { reason }));
    // Once out, it stays out until the day is over: no warm-up, no block.
    let of_first_day: Vec<bool> =
        of(&played, "paced").iter().filter(|t| t.wall.strftime("%F").to_string() == "2026-11-24").map(|t| t.not_sent.is_some()).collect();
    assert!(of_first_day.is_sorted(), "{of_first_day:?}");
}

#[tokio::test(start_paused = true)]
async fn rounds_one_after_another_stop_with_the_day_of_their_last_target_and_go_on_the_next() {
    let results = tempfile::tempdir().unwrap();
    let change = |manifest: &mut Manifest| manifest.targets.iter_mut().for_each(|target| target.pace.requests_per_day = Some(6));
    let played = Play { change, rounds: 4, ..Play::new(results.path(), two()) }.perform().await;
    let spent = Outcome::BudgetSpent("every target has used up its day, which begins anew at midnight UTC".into());
    assert_eq!((played.outcome, played.log.iter().filter(|seen| seen.what == What::Sent).count()), (spent.clone(), 12));
    // On the same day the record says that nothing is left.
    let again = Play { resume: Some(played.folder), wall: "2026-11-24T23:59:00Z", ..Play::new(results.path(), two()) }.perform().await;
    assert_eq!((again.outcome, again.log.len()), (spent, 0));
    let next = Play { resume: Some(again.folder), wall: "2026-11-25T00:00:01Z", ..Play::new(results.path(), two()) }.perform().await;
    assert_eq!((next.outcome.clone(), next.blocks().len()), (Outcome::Finished, 8));
    assert!(next.run.trials.iter().all(|trial| trial.not_sent.is_none()), "nothing was given up for it");
}

#[tokio::test(start_paused = true)]
async fn a_sitting_goes_on_with_the_minute_of_the_one_before() {
    let results = tempfile::tempdir().unwrap();
    let change = |manifest: &mut Manifest| manifest.targets[1].pace.requests_per_minute = Some(5);
    // Five requests in the first half second; the sixth waits when the run is stopped.
    let play = Play { change, stop: vec![(2000, Stop::Drain)], prompts: 6, rounds: 1, ..Play::new(results.path(), two()) };
    let played = play.perform().await;
    assert_eq!((played.outcome.clone(), played.of("paced", What::Sent).len()), (Outcome::Interrupted, 5));
    let play = Play { resume: Some(played.folder), wall: "2026-11-24T10:15:20Z", ..Play::new(results.path(), two()) };
    let resumed = play.perform().await;
    let first = moments(&resumed, "paced", What::Sent)[0];
    // The oldest of them went out 20 s before the second sitting.
    assert!((40_000..40_200).contains(&first), "{first}");
    assert_eq!((resumed.outcome.clone(), resumed.blocks().len()), (Outcome::Finished, 6));
}

#[tokio::test(start_paused = true)]
async fn targets_that_take_turns_begin_their_block_when_the_last_of_them_may_be_asked() {
    let results = tempfile::tempdir().unwrap();
    let change = |manifest: &mut Manifest| {
        manifest.design.at_once = false;
        manifest.targets[1].pace.requests_per_minute = Some(2);
    };
    let played = Play { change, prompts: 3, rounds: 1, ..Play::new(results.path(), two()) }.perform().await;
    let sent: Vec<u64> = played.log.iter().filter(|seen| seen.what == What::Sent).map(|seen| seen.ms).collect();
    // Four turns of two requests: within a block they follow each other at once.
    assert!(sent.chunks(2).all(|block| block[1] - block[0] <= 105), "{sent:?}");
    assert_eq!(of(&played, "paced").iter().filter(|trial| trial.held_since.is_some() && trial.role == Role::Scored).count(), 1);
    assert!(secs(60) <= (sent[4] - sent[0]) * ms(1), "{sent:?}");
}
