//! `photofinish watch` end to end: killed, stopped and started again in the middle, by itself and with others, with a server that goes
//! away and comes back.
#![cfg(unix)]

mod sitting;

use photofinish::record::{RoundState, Trial};
use photofinish::store::Run;
use photofinish::timeline::Ended;
use sitting::{Place, assert_whole, closed, signal, told, wait_for};

fn answered(run: &Run, round: u32) -> usize {
    let ended = |trial: &&Trial| trial.round == round && trial.answer.as_ref().is_some_and(|answer| answer.ended == Ended::Complete);
    run.trials.iter().filter(ended).count()
}

#[test]
fn killed_in_the_middle_it_goes_on_in_the_same_run_and_doubles_no_round() {
    let place = Place::new();
    place.plan(&["slow", "quick"], "prompts: 3\nrounds: 4\n");
    let mut first = place.start(&["watch", "plan.yaml"]);
    wait_for("the second block of the second round", || place.so_far().is_some_and(|run| 5 <= answered(&run, 2)));
    first.kill().unwrap();
    first.wait().unwrap();
    let before = place.run();
    assert!(!closed(&before).contains_key(&4), "it was over before it was killed");
    let (code, stdout, stderr) = place.says(&["watch", "plan.yaml"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains(&format!("goes on with {}", stdout.trim_end())), "{stderr}");
    let run = place.run();
    assert_whole(&run, 4, 3);
    assert_eq!(run.manifest.run, before.manifest.run);
    assert!(run.trials.starts_with(&before.trials), "what was on record stays");
    // Piped, it is a log: a line a round and one a target.
    assert!(stderr.contains("round 1 of 4 was the last one held"), "{stderr}");
    assert!(stderr.contains("round 4 of 4, over at ") && stderr.contains("  slow   3 ok · first text 0."), "{stderr}");
    // Complete, the plan's run is followed by another one.
    let (code, _, stderr) = place.says(&["watch", "plan.yaml", "--max-requests", "2"]);
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains("is complete; this begins another run"), "{stderr}");
    assert!(stderr.contains("budget spent") && stderr.contains("the same command with --max-requests"), "{stderr}");
    assert_eq!(place.runs().len(), 2);
}

#[test]
fn sigterm_drains_and_saves_and_the_second_one_breaks_off() {
    let place = Place::new();
    place.plan(&["slow"], "prompts: 3\nrounds: 3\n");
    let process = place.start(&["watch", "plan.yaml"]);
    wait_for("the first answers", || place.so_far().is_some_and(|run| 2 <= answered(&run, 1)));
    signal(&process, "TERM");
    let (code, _, stderr) = told(process.wait_with_output().unwrap());
    assert_eq!(code, 130, "{stderr}");
    assert!(stderr.contains("finishing the requests in flight") && stderr.contains("the same command goes on in this run"), "{stderr}");
    let run = place.run();
    assert!(
        run.trials.iter().all(|trial| trial.answer.as_ref().unwrap().ended == Ended::Complete),
        "what was in flight was read to its end"
    );
    let (code, _, stderr) = place.says(&["watch", "plan.yaml"]);
    assert_eq!(code, 0, "{stderr}");
    assert_whole(&place.run(), 3, 3);

    place.plan(&["endless"], "prompts: 1\nrounds: 1\nwarm_up: false\n");
    let place_of_endless = || place.runs().last().and_then(|run| Run::open(run).ok()).filter(|run| run.manifest.design.rounds == 1);
    let process = place.start(&["watch", "plan.yaml"]);
    wait_for("the endless round", || place_of_endless().is_some_and(|run| !run.rounds.is_empty()));
    signal(&process, "TERM");
    std::thread::sleep(std::time::Duration::from_millis(300));
    signal(&process, "INT");
    let (code, _, stderr) = told(process.wait_with_output().unwrap());
    assert_eq!(code, 130, "{stderr}");
    assert!(stderr.contains("breaking off"), "{stderr}");
    let ends: Vec<Ended> = place_of_endless().unwrap().trials.iter().map(|trial| trial.answer.as_ref().unwrap().ended.clone()).collect();
    assert_eq!(ends, [Ended::Cancelled]);
}

#[test]
fn a_second_process_leaves_and_says_which_one_is_at_work_and_another_plan_is_not_concerned() {
    let place = Place::new();
    place.plan(&["slow"], "prompts: 5\nrounds: 100\n");
    let mut first = place.start(&["watch", "plan.yaml"]);
    wait_for("the first answer", || place.so_far().is_some_and(|run| 1 <= answered(&run, 1)));
    for args in [&["watch", "plan.yaml"][..], &["run", "plan.yaml", "--round-now"], &["watch", "plan.yaml", "--wait", "1"]] {
        let (code, stdout, stderr) = place.says(args);
        assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
        assert!(stderr.contains(&format!("(process {})", first.id())) && stderr.contains("--wait"), "{stderr}");
    }
    place.plan(&["quick"], "prompts: 1\nrounds: 1\n");
    let (code, _, stderr) = place.says(&["watch", "plan.yaml"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("of the same name, is unfinished, and its plan was another one"), "{stderr}");
    first.kill().unwrap();
    first.wait().unwrap();
}

#[test]
fn a_server_that_goes_away_makes_rounds_of_failures_and_the_next_rounds_come() {
    let mut place = Place::new();
    place.plan(&["quick"], "prompts: 2\nrounds: 900\nevery_s: 1\n");
    let process = place.start(&["watch", "plan.yaml"]);
    // Of the rounds that were held since: whether any answer came at all.
    let held = |place: &Place, from: usize| -> Vec<bool> {
        let Some(run) = place.so_far() else { return vec![] };
        let finished: Vec<u32> = run.rounds.iter().filter(|line| line.state == RoundState::Finished).map(|line| line.round).collect();
        finished.into_iter().skip(from).map(|round| 0 < answered(&run, round)).collect()
    };
    wait_for("a round with answers", || held(&place, 0).contains(&true));
    place.vanish();
    wait_for("two rounds without one", || held(&place, 0).ends_with(&[false, false]));
    let lost = held(&place, 0).len();
    place.serve();
    wait_for("answers again", || held(&place, lost).contains(&true));
    signal(&process, "TERM");
    let (code, _, stderr) = told(process.wait_with_output().unwrap());
    assert_eq!(code, 130, "{stderr}");
    assert!(stderr.contains("  quick  0 ok · 2 failed"), "{stderr}");
    let run = place.run();
    assert!(closed(&run).values().all(|states| states.len() == 1), "no round is closed twice");
    let refused = run.trials.iter().filter(|trial| matches!(&trial.answer.as_ref().unwrap().ended, Ended::ConnectFailed { .. })).count();
    assert!(4 <= refused, "failures are on record: {refused}");
}
