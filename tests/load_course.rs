//! The course of a load run, with scripted providers under virtual time.

mod stage;

use photofinish::record::{LoadDesign, Manifest, NotSent, Offered, Spread, StageOrder, StageState, Trial, Until};
use photofinish::runner::{Outcome, Stop};
use photofinish::timeline::Ended;
use stage::{Play, Played, Reply, Script, What, always};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

fn users(users: u32) -> Offered {
    Offered::Users { users }
}

fn design(stages: Vec<Offered>, until: Until) -> LoadDesign {
    LoadDesign {
        stages,
        passes: 1,
        until,
        order: StageOrder::Ascending,
        rest_ms: 0,
        cold: false,
        max_in_flight: None,
        slo: None,
        stop_when: None,
    }
}

fn load(results: &Path, actors: Vec<(&'static str, Script)>, change: fn(&mut Manifest)) -> Play {
    Play { change, prompts: 4, ..Play::new(results, actors) }
}

fn one(reply: Reply) -> Vec<(&'static str, Script)> {
    vec![("box", always(reply))]
}

fn cells(played: &Played) -> Vec<(u32, u32, &str, &StageState)> {
    played.run.stages.iter().map(|line| (line.pass, line.stage, line.target.as_str(), &line.state)).collect()
}

fn of_user(played: &Played, user: u32) -> Vec<&Trial> {
    let mut own: Vec<&Trial> = played.run.trials.iter().filter(|trial| trial.load.unwrap().user == Some(user)).collect();
    own.sort_by_key(|trial| trial.block);
    own
}

#[tokio::test(start_paused = true)]
async fn three_users_ask_at_once_and_each_again_as_soon_as_its_reply_has_ended() {
    let results = tempfile::tempdir().unwrap();
    let change = |m: &mut Manifest| m.load = Some(design(vec![users(3)], Until::Requests { requests: 7 }));
    let played = load(results.path(), one(Reply::Text(100)), change).perform().await;
    assert_eq!(played.outcome, Outcome::Finished);
    // Connections are opened first, in 5 ms, all at once; then three at a time, and one for the seventh.
    let sent: Vec<u64> = played.of("box", What::Sent).iter().map(|seen| seen.ms).collect();
    assert_eq!(sent, [5, 5, 5, 105, 105, 105, 205]);
    assert_eq!(played.of("box", What::Connected).len(), 3);
    assert_eq!(cells(&played), [(1, 1, "box", &StageState::Begun), (1, 1, "box", &StageState::Finished)]);
    assert_eq!(played.run.stages[0].connections, 3);
    for user in 1..=3 {
        let own = of_user(&played, user);
        assert!(2 <= own.len());
        for pair in own.windows(2) {
            let ended = pair[0].answer.as_ref().unwrap().stamps.closed.unwrap();
            assert_eq!(pair[1].scheduled, ended, "user {user} is free when the reply has ended");
        }
        let reused: Vec<bool> = own.iter().map(|trial| trial.answer.as_ref().unwrap().connect.reused).collect();
        assert!(!reused[0] && reused[1..].iter().all(|reused| *reused), "user {user} keeps one connection: {reused:?}");
    }
    let ids: BTreeSet<_> = played.run.trials.iter().map(|trial| trial.id.clone()).collect();
    let texts: BTreeSet<_> = played.of("box", What::Sent).iter().map(|seen| seen.text.clone()).collect();
    assert_eq!((ids.len(), texts.len()), (7, 7), "ids and bytes differ in every request");
    let blocks: BTreeSet<u32> = played.run.trials.iter().map(|trial| trial.block).collect();
    assert_eq!(blocks, (1..=7).collect());
}

#[tokio::test(start_paused = true)]
async fn a_stage_of_some_time_sends_no_more_after_it_and_reads_what_is_in_flight() {
    let results = tempfile::tempdir().unwrap();
    let change = |m: &mut Manifest| m.load = Some(design(vec![users(2)], Until::Lasting { ms: 250 }));
    let played = load(results.path(), one(Reply::Text(100)), change).perform().await;
    let sent: Vec<u64> = played.of("box", What::Sent).iter().map(|seen| seen.ms).collect();
    assert_eq!(sent, [5, 5, 105, 105, 205, 205]);
    assert!(played.run.trials.iter().all(|trial| trial.answer.as_ref().unwrap().ended == Ended::Complete));
}

#[tokio::test(start_paused = true)]
async fn arrivals_come_at_their_times_whether_or_not_earlier_ones_have_ended() {
    let results = tempfile::tempdir().unwrap();
    let change = |m: &mut Manifest| {
        let stage = Offered::Arrivals { per_s: 10.0, spread: Spread::Constant };
        m.load = Some(LoadDesign { max_in_flight: Some(3), ..design(vec![stage], Until::Lasting { ms: 700 }) });
    };
    let played = load(results.path(), one(Reply::Text(350)), change).perform().await;
    let begun = played.run.stages[0].mono.0;
    let due: Vec<u64> = {
        let mut all: Vec<&Trial> = played.run.trials.iter().collect();
        all.sort_by_key(|trial| trial.block);
        all.iter().map(|trial| (trial.scheduled.0 - begun) / 1_000_000).collect()
    };
    assert_eq!(due, [100, 200, 300, 400, 500, 600, 700]);
    // Three are in flight at 400 ms, so the fourth is not sent; that is our fault, and on record.
    let not_sent: Vec<u32> = played.run.trials.iter().filter(|t| t.not_sent == Some(NotSent::ClientBehind)).map(|t| t.block).collect();
    assert_eq!(not_sent, [4]);
    assert!(played.run.trials.iter().all(|trial| trial.load.unwrap().user.is_none()));
    assert_eq!(played.of("box", What::Connected).len(), 3, "one second of arrivals would be ten connections, but three are the most");
}

#[tokio::test(start_paused = true)]
async fn requests_are_made_before_they_are_due_and_no_more_of_them_than_are_sent() {
    let results = tempfile::tempdir().unwrap();
    let change = |m: &mut Manifest| m.load = Some(design(vec![users(300)], Until::Requests { requests: 450 }));
    let played = load(results.path(), one(Reply::Text(100)), change).perform().await;
    assert_eq!(played.of("box", What::Sent).len(), 450);
    // A burst of 300 users finds its requests made, before the connections are opened; the others are made while replies come.
    assert_eq!(played.made.iter().filter(|ms| **ms == 0).count(), 300);
    let first_reply = played.of("box", What::Ended)[0].ms;
    assert_eq!(played.made.iter().filter(|ms| **ms < first_reply).count(), 450, "the rest is ready before anybody is free");
    assert_eq!(played.made.len(), 450);

    let results = tempfile::tempdir().unwrap();
    let change = |m: &mut Manifest| {
        let stage = Offered::Arrivals { per_s: 5000.0, spread: Spread::Constant };
        m.load = Some(LoadDesign { max_in_flight: Some(2000), ..design(vec![stage], Until::Lasting { ms: 300 }) });
    };
    let played = load(results.path(), one(Reply::Text(100)), change).perform().await;
    let begun = played.run.stages[0].mono.0 / 1_000_000 - 1000;
    assert_eq!(played.made.iter().filter(|ms| **ms < begun).count(), 1024, "what is kept has a bound");
    let mut due: Vec<u64> = played.run.trials.iter().map(|trial| trial.scheduled.0 / 1_000_000 - 1000).collect();
    due.sort_unstable();
    assert_eq!(due.len(), 1500);
    assert!(played.made.iter().zip(&due).all(|(made, due)| made <= due), "each was there when its turn came");
}

#[tokio::test(start_paused = true)]
async fn what_is_due_is_sent_before_another_reply_is_read() {
    let results = tempfile::tempdir().unwrap();
    let change = |m: &mut Manifest| {
        let stage = Offered::Arrivals { per_s: 10.0, spread: Spread::Constant };
        m.load = Some(LoadDesign { max_in_flight: Some(10), ..design(vec![stage], Until::Lasting { ms: 500 }) });
    };
    // Each reply ends in the very moment in which the next request is due.
    let played = load(results.path(), one(Reply::Text(100)), change).perform().await;
    let order: Vec<What> = played.log.iter().filter(|seen| seen.what != What::Connected).map(|seen| seen.what).collect();
    let (first, last) = (&order[..2], &order[order.len() - 2..]);
    assert_eq!((first, last), (&[What::Sent, What::Sent][..], &[What::Ended, What::Ended][..]), "{order:?}");
}

#[tokio::test(start_paused = true)]
async fn targets_alternate_stage_by_stage_and_are_asked_the_same_prompts_in_other_bytes() {
    let results = tempfile::tempdir().unwrap();
    let change = |m: &mut Manifest| {
        let until = Until::PerUser { each: 2, at_least: 3 };
        m.load = Some(LoadDesign { passes: 2, rest_ms: 1000, ..design(vec![users(1), users(2)], until) });
    };
    let actors = vec![("box", always(Reply::Text(100))), ("cloud", always(Reply::Text(50)))];
    let played = load(results.path(), actors, change).perform().await;
    let begun: Vec<(u32, u32, &str)> = cells(&played)
        .into_iter()
        .filter(|cell| *cell.3 == StageState::Begun)
        .map(|(pass, stage, target, _)| (pass, stage, target))
        .collect();
    assert_eq!(begun.len(), 8);
    for pair in begun.chunks(2) {
        assert_eq!((pair[0].0, pair[0].1), (pair[1].0, pair[1].1));
        assert_ne!(pair[0].2, pair[1].2);
    }
    for stage in [1, 2] {
        let firsts: Vec<&str> = begun.chunks(2).filter(|pair| pair[0].1 == stage).map(|pair| pair[0].2).collect();
        assert_ne!(firsts[0], firsts[1], "each is first once in stage {stage}");
    }
    let asked = |target: &str, pass, stage| {
        let mut own: Vec<&Trial> = played.run.trials.iter().collect();
        own.retain(|t| t.target.as_str() == target && t.round == pass && t.load.unwrap().stage == stage);
        own.sort_by_key(|trial| trial.block);
        own.iter().map(|trial| trial.prompt.to_string()).collect::<Vec<_>>()
    };
    assert_eq!((asked("box", 1, 1).len(), asked("box", 1, 2).len()), (3, 4));
    for (pass, stage) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
        assert_eq!(asked("box", pass, stage), asked("cloud", pass, stage));
    }
    assert_eq!(asked("box", 1, 2).iter().collect::<BTreeSet<_>>().len(), 4, "a pack of four prompts is dealt before it is shuffled anew");
    let texts: BTreeSet<&str> = played.log.iter().filter(|seen| seen.what == What::Sent).map(|seen| seen.text.as_str()).collect();
    assert_eq!(texts.len(), played.run.trials.len(), "two targets may share a cache");
    // A rest of a second lies between cells, and none behind the last.
    let line = |state: fn(&StageState) -> bool| played.run.stages.iter().filter(move |line| state(&line.state)).map(|line| line.mono.0);
    let rests: Vec<u64> = line(|s| *s == StageState::Finished)
        .zip(line(|s| *s == StageState::Begun).skip(1))
        .map(|(end, next)| (next - end) / 1_000_000)
        .collect();
    assert_eq!(rests, [1005; 7], "with 5 ms of connecting");
    assert_eq!(played.run.stages.last().unwrap().state, StageState::Finished);
}

#[tokio::test(start_paused = true)]
async fn a_condition_that_is_met_keeps_higher_stages_from_that_target_in_every_later_pass() {
    let results = tempfile::tempdir().unwrap();
    let change = |m: &mut Manifest| {
        let stages = vec![users(1), users(2), users(3)];
        let stop_when = Some("ttft_p95>200ms@2,failures>5%".to_owned());
        m.load = Some(LoadDesign { passes: 2, stop_when, ..design(stages, Until::PerUser { each: 1, at_least: 2 }) });
    };
    let actors = vec![("box", always(Reply::Text(300))), ("cloud", always(Reply::Text(50)))];
    let played = load(results.path(), actors, change).perform().await;
    assert_eq!(played.outcome, Outcome::Finished);
    let skipped: Vec<(u32, u32, &str, &StageState)> =
        cells(&played).into_iter().filter(|cell| matches!(cell.3, StageState::Skipped { .. })).collect();
    let because = StageState::Skipped { because: "ttft_p95>200ms@2: 0.300 s at stage 2 of pass 1".into() };
    assert_eq!(skipped, [(1, 3, "box", &because), (2, 3, "box", &because)]);
    let finished = cells(&played).iter().filter(|cell| *cell.3 == StageState::Finished).count();
    assert_eq!(finished, 12 - 2, "lower stages go on, and the other target's too");
}

#[tokio::test(start_paused = true)]
async fn a_user_whose_request_failed_comes_back_a_second_later() {
    let results = tempfile::tempdir().unwrap();
    let change = |m: &mut Manifest| m.load = Some(design(vec![users(1)], Until::Requests { requests: 3 }));
    let script: Script = Arc::new(|n| if n == 1 { Reply::Status(500) } else { Reply::Text(100) });
    let played = load(results.path(), vec![("box", script)], change).perform().await;
    let sent: Vec<u64> = played.of("box", What::Sent).iter().map(|seen| seen.ms).collect();
    assert_eq!(sent, [5, 1005, 1105]);
    let due: Vec<u64> = of_user(&played, 1).iter().map(|trial| trial.scheduled.0 / 1_000_000 - 1000).collect();
    assert_eq!(due, [5, 1005, 1105]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_key_stops_its_target_in_the_middle_of_a_stage() {
    let results = tempfile::tempdir().unwrap();
    let change = |m: &mut Manifest| m.load = Some(design(vec![users(2), users(3)], Until::Requests { requests: 9 }));
    let actors = vec![("bad", always(Reply::Status(401))), ("good", always(Reply::Text(100)))];
    let played = load(results.path(), actors, change).perform().await;
    assert_eq!(played.outcome, Outcome::Finished);
    assert_eq!((played.of("bad", What::Sent).len(), played.of("good", What::Sent).len()), (2, 18));
    let because = StageState::Skipped { because: "the target was stopped: HTTP 401: no such luck".into() };
    let bad: Vec<&StageState> = cells(&played).into_iter().filter(|cell| cell.2 == "bad").map(|cell| cell.3).collect();
    assert_eq!(bad, [&StageState::Begun, &StageState::Interrupted, &because]);
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_reads_what_is_in_flight_and_leaves_the_cell_no_sample() {
    let results = tempfile::tempdir().unwrap();
    let change = |m: &mut Manifest| m.load = Some(design(vec![users(2), users(3)], Until::Requests { requests: 100 }));
    let play = Play { stop: vec![(150, Stop::Drain)], ..load(results.path(), one(Reply::Text(100)), change) };
    let played = play.perform().await;
    assert_eq!(played.outcome, Outcome::Interrupted);
    assert_eq!(played.run.trials.len(), 4);
    assert!(played.run.trials.iter().all(|trial| trial.answer.as_ref().unwrap().ended == Ended::Complete));
    assert_eq!(cells(&played), [(1, 1, "box", &StageState::Begun), (1, 1, "box", &StageState::Interrupted)]);

    let again = tempfile::tempdir().unwrap();
    let play = Play { stop: vec![(150, Stop::Drain), (10, Stop::Cancel)], ..load(again.path(), one(Reply::Text(100)), change) };
    let ended: Vec<Ended> = play.perform().await.run.trials.iter().map(|trial| trial.answer.as_ref().unwrap().ended.clone()).collect();
    assert_eq!(ended, [Ended::Complete, Ended::Complete, Ended::Cancelled, Ended::Cancelled]);
}

#[tokio::test(start_paused = true)]
async fn a_budget_ends_the_run_before_a_stage_that_would_go_over_it() {
    let results = tempfile::tempdir().unwrap();
    let change = |m: &mut Manifest| {
        m.load = Some(design(vec![users(2), users(3)], Until::PerUser { each: 2, at_least: 1 }));
        m.budget.max_requests = Some(9);
    };
    let played = load(results.path(), one(Reply::Text(100)), change).perform().await;
    assert_eq!(played.outcome, Outcome::BudgetSpent("4 of 9 requests are sent".into()));
    let change = |m: &mut Manifest| {
        m.load = Some(design(vec![users(2)], Until::Lasting { ms: 60_000 }));
        m.budget.max_total_tokens = Some(35);
    };
    let results = tempfile::tempdir().unwrap();
    let played = load(results.path(), one(Reply::Text(100)), change).perform().await;
    // Ten tokens a reply: the third left room for one more request, the fourth does not.
    assert_eq!(played.run.trials.len(), 5);
    assert_eq!(cells(&played)[1].3, &StageState::Interrupted);
}

#[tokio::test(start_paused = true)]
async fn a_cold_load_opens_a_connection_for_each_request() {
    let results = tempfile::tempdir().unwrap();
    let change = |m: &mut Manifest| {
        m.load = Some(LoadDesign { cold: true, ..design(vec![users(2)], Until::Requests { requests: 6 }) });
    };
    let played = load(results.path(), one(Reply::Text(100)), change).perform().await;
    assert_eq!((played.of("box", What::Connected).len(), played.run.stages[0].connections), (6, 0));
    let sent: Vec<u64> = played.of("box", What::Sent).iter().map(|seen| seen.ms).collect();
    assert_eq!(sent, [5, 5, 110, 110, 215, 215]);
}
