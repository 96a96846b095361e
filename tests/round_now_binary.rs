//! `photofinish run PLAN --round-now`: one round of the plan's run for each call, whoever calls, from wherever.
#![cfg(unix)]

mod sitting;

use photofinish::store::{Run, scored_blocks};
use sitting::{Place, assert_whole, told};

const NOW: [&str; 3] = ["run", "plan.yaml", "--round-now"];

#[test]
fn each_call_does_one_round_into_one_run_and_a_complete_run_is_left_alone() {
    let place = Place::new();
    place.plan(&["quick"], "prompts: 2\nrounds: 3\n");
    for round in 1..=3 {
        let (code, stdout, stderr) = place.says(&NOW);
        assert_eq!(code, 0, "{stderr}");
        assert!(stderr.starts_with(&format!("round {round} of 3 is over")), "{stderr}");
        assert_whole(&place.run(), round, 2);
        assert_eq!(place.path().join(stdout.trim_end()), place.runs()[0]);
    }
    let (code, stdout, stderr) = place.says(&NOW);
    assert_eq!((code, stdout.as_str()), (0, ""), "{stderr}");
    assert!(stderr.contains("is complete, its 3 rounds are over"), "{stderr}");
    assert_whole(&place.run(), 3, 2);
}

#[test]
fn none_being_due_it_says_when_one_is_and_writes_nothing() {
    let place = Place::new();
    place.plan(&["quick"], "prompts: 1\nrounds: 2\nschedule: {cron: '0 3 29 2 *', zone: Asia/Shanghai}\n");
    let (code, stdout, stderr) = place.says(&NOW);
    assert_eq!((code, stdout.as_str()), (0, ""), "{stderr}");
    assert!(
        stderr.starts_with("no round is due; round 1 of 2 begins at 20") && stderr.contains("-02-29 03:00:00 Asia/Shanghai"),
        "{stderr}"
    );
    assert_eq!(stderr.lines().count(), 1);
    assert!(place.runs().is_empty());
}

#[test]
fn a_round_by_the_calendar_is_held_once_in_its_minute() {
    let place = Place::new();
    place.plan(&["quick"], "prompts: 1\nrounds: 50\nschedule: {cron: '* * * * *'}\n");
    let (code, _, stderr) = place.says(&NOW);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("\nround 1 of 50 is over; round 2 of 50 begins at "), "{stderr}");
    let records = || std::fs::read(place.runs()[0].join("records.jsonl")).unwrap();
    let before = records();
    let (code, _, stderr) = place.says(&NOW);
    assert_eq!(code, 0, "{stderr}");
    // Unless a minute has just passed, the next round's has not come.
    if stderr.starts_with("no round is due; round 2 of 50 begins at ") {
        assert_eq!(records(), before, "a call for nothing writes nothing");
    } else {
        assert!(stderr.contains("of 50 is over"), "{stderr}");
    }
}

#[test]
fn a_budget_that_grows_and_another_way_to_the_plan_are_no_other_plan() {
    let place = Place::new();
    std::fs::write(place.path().join("mine.jsonl"), "{\"id\":\"one\",\"prompt\":\"Say one.\"}\n{\"id\":\"two\",\"prompt\":\"Say two.\"}\n")
        .unwrap();
    place.plan(&["quick"], "dataset: mine.jsonl\nrounds: 3\nprompts: 2\nbudget: {max_requests: 4}\n");
    let (code, _, stderr) = place.says(&NOW);
    assert_eq!(code, 0, "{stderr}");
    let (code, _, stderr) = place.says(&NOW);
    assert!(code == 0 && stderr.contains("budget spent: 3 of 4 requests are sent"), "{code} {stderr}");
    let (code, _, stderr) = place.says(&["run", "plan.yaml", "--round-now", "--max-requests", "100"]);
    assert_eq!(code, 0, "{stderr}");
    let elsewhere = tempfile::tempdir().unwrap();
    let (plan, results) = (place.path().join("plan.yaml"), place.path().join("results"));
    let args = ["run", plan.to_str().unwrap(), "--results", results.to_str().unwrap(), "--round-now", "--max-requests", "100"];
    let (code, _, stderr) = told(place.photofinish(&args).current_dir(elsewhere.path()).output().unwrap());
    assert_eq!(code, 0, "{stderr}");
    assert_whole(&place.run(), 3, 2);
}

#[test]
fn a_target_without_any_usable_sample_gives_exit_code_1_and_one_that_failed_this_time_only_does_not() {
    let mut place = Place::new();
    place.plan(&["quick"], "prompts: 1\nrounds: 9\n");
    place.vanish();
    let (code, _, stderr) = place.says(&NOW);
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains("no usable sample from quick; the last request: no connection"), "{stderr}");
    place.serve();
    assert_eq!(place.says(&NOW).0, 0);
    place.vanish();
    let (code, _, stderr) = place.says(&NOW);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(place.run().trials.len(), 6);
}

#[test]
fn a_plan_whose_targets_are_simulated_by_a_server_of_their_own_goes_on_too() {
    let place = Place::new();
    place.plan(&["quick"], "prompts: 1\nrounds: 2\n");
    let path = place.path().join("plan.yaml");
    let plan = std::fs::read_to_string(&path).unwrap().replace("name: quick}", "name: quick, simulated: true}");
    std::fs::write(&path, plan).unwrap();
    for _ in 0..2 {
        let (code, _, stderr) = place.says(&NOW);
        assert_eq!(code, 0, "{stderr}");
    }
    assert!(place.run().manifest.simulated.is_some());
    assert_whole(&place.run(), 2, 1);
}

#[test]
fn of_processes_that_start_at_one_moment_one_makes_the_run_and_the_others_leave_or_wait() {
    let place = Place::new();
    place.plan(&["slow"], "prompts: 1\nrounds: 9\n");
    let started: Vec<_> = (0..4).map(|_| place.start(&NOW)).collect();
    let codes: Vec<(i32, String)> =
        started.into_iter().map(|process| told(process.wait_with_output().unwrap())).map(|(code, _, stderr)| (code, stderr)).collect();
    let done = codes.iter().filter(|(code, _)| *code == 0).count();
    assert!(
        1 <= done && codes.iter().all(|(code, stderr)| *code == 0 || (*code == 2 && stderr.contains("works on this plan's run"))),
        "{codes:?}"
    );
    assert_whole(&place.run(), done as u32, 1);

    let waiting: Vec<_> = (0..3).map(|_| place.start(&["run", "plan.yaml", "--round-now", "--wait"])).collect();
    for process in waiting {
        let (code, _, stderr) = told(process.wait_with_output().unwrap());
        assert_eq!(code, 0, "{stderr}");
    }
    assert_whole(&place.run(), done as u32 + 3, 1);
}

#[test]
fn a_run_that_was_begun_by_run_and_interrupted_is_the_plan_s_run() {
    let place = Place::new();
    place.plan(&["slow"], "prompts: 4\nrounds: 2\n");
    let process = place.start(&["run", "plan.yaml"]);
    sitting::wait_for("an answer", || place.so_far().is_some_and(|run| !scored_blocks(&run).is_empty()));
    sitting::signal(&process, "INT");
    assert_eq!(told(process.wait_with_output().unwrap()).0, 130);
    for _ in 0..2 {
        let (code, _, stderr) = place.says(&NOW);
        assert_eq!(code, 0, "{stderr}");
    }
    let run: Run = place.run();
    assert_whole(&run, 2, 4);
}
