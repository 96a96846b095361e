//! Progress as programs and pipes get it.
#![cfg(unix)]

mod chat_server;
mod sitting;

use chat_server::ChatServer;
use serde_json::Value;
use sitting::{Place, told};

fn lines(stderr: &str) -> Vec<Value> {
    let object = |line: &str| serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    stderr.lines().map(object).collect()
}

fn of<'a>(lines: &'a [Value], event: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["event"] == event).collect()
}

#[test]
fn for_programs_every_line_is_an_object_and_the_counters_add_up() {
    let place = Place::new();
    place.plan(&["quick", "slow"], "prompts: 3\nrounds: 2\n");
    let (code, stdout, stderr) = place.says(&["run", "plan.yaml", "--json-progress"]);
    assert_eq!(code, 0, "{stderr}");
    let lines = lines(&stderr);
    assert!(lines.iter().all(|line| line["at"].as_str().unwrap().ends_with('Z') && line["event"].is_string()));
    let begun = of(&lines, "begun")[0];
    assert_eq!((begun["run"].as_str(), &begun["rounds"]), (Some(stdout.trim_end()), &2.into()));
    assert_eq!(begun["targets"][1], serde_json::json!({"target": "slow", "requests": 6}));
    let trials = of(&lines, "trial");
    assert_eq!(trials.iter().filter(|trial| trial["came"] == "ok").count(), 12);
    assert_eq!(trials.iter().filter(|trial| trial["came"] == "unscored").count(), 4);
    for trial in &trials {
        let counts = &trial["counts"][0];
        assert_eq!(counts["target"], trial["target"]);
        assert_eq!(counts["done"].as_u64().unwrap() + counts["left"].as_u64().unwrap(), 6);
    }
    let over = of(&lines, "round_over");
    assert_eq!(over.len(), 2);
    for target in over[1]["targets"].as_array().unwrap() {
        assert_eq!((&target["ok"], &target["failed"]), (&3.into(), &0.into()));
        let range = |key: &str| [0, 1].map(|at| target[key][at].as_f64().unwrap());
        let (first, total) = (range("first_text_s"), range("total_s"));
        assert!(0.0 < first[0] && first[0] <= first[1] && first[1] < total[1] && total[0] <= total[1], "{target}");
    }
    let ended = of(&lines, "ended")[0];
    assert_eq!((ended["outcome"].as_str(), &ended["spent"]["requests"]), (Some("finished"), &16.into()));
    assert_eq!(ended["counts"][0]["left"], 0);
    assert_eq!(lines.last().unwrap()["event"], "notice", "what is a sentence to people is an object too");
}

#[test]
fn an_error_is_an_object_too() {
    let place = Place::new();
    let (code, _, stderr) = place.says(&["watch", "nowhere.yaml", "--json-progress"]);
    assert_eq!(code, 2);
    let lines = lines(&stderr);
    assert!(lines.len() == 1 && lines[0]["event"] == "error" && lines[0]["text"].as_str().unwrap().contains("no such file"), "{stderr}");
}

#[test]
fn piped_a_run_is_silent_but_for_what_one_has_to_know() {
    let place = Place::new();
    place.plan(&["quick"], "prompts: 1\nrounds: 2\n");
    let (code, stdout, stderr) = place.says(&["run", "plan.yaml"]);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(stderr, format!("photofinish table {stdout}"));
}

#[test]
fn a_server_that_sends_a_key_back_does_not_get_it_into_the_progress() {
    const KEY: &str = "sk-4fZq81LmT0vXw92bNcR7";
    let (server, place) = (ChatServer::start(), Place::new());
    let target = |model: &str| format!("  - {{target: deepseek/{model}, base_url: 'http://127.0.0.1:{}/v1'}}\n", server.port);
    let plan = format!("targets:\n{}{}rounds: 1\nprompts: 1\n", target("fails"), target("refuses"));
    std::fs::write(place.path().join("plan.yaml"), plan).unwrap();
    let args = ["watch", "plan.yaml", "--allow-key-host", "127.0.0.1", "--json-progress"];
    let (code, _, stderr) = told(place.photofinish(&args).env("DEEPSEEK_API_KEY", KEY).output().unwrap());
    assert_eq!(code, 1, "{stderr}");
    let lines = lines(&stderr);
    assert!(of(&lines, "stopped")[0]["reason"].as_str().unwrap().contains("no such key ***"), "{stderr}");
    assert!(!stderr.contains(KEY));
}
