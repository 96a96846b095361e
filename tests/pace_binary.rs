//! Politeness end to end: the binary against the simulator, which refuses once and says when to come back; what a dry run says of paces.

mod race;

use photofinish::record::Trial;
use photofinish::store::Run;
use photofinish::timeline::ErrorKind;
use photofinish::units::secs;
use race::{Sim, ends_with, only_run, photofinish};

const SYSTEMS: &str = "systems:
  free: {dialect: openai-compatible, model: m, ttft_ms: 20, content: {tokens: 20, speed: 400}, usage: {unasked: true}}
  limited:
    {dialect: openai-compatible, model: m, ttft_ms: 20, content: {tokens: 20, speed: 400}, usage: {unasked: true},
     faults: {rate_limited: {first: 1, retry_after_s: 1}}}
";

#[test]
fn a_refusal_holds_the_next_request_for_as_long_as_the_header_says_and_the_table_tells_so() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("sim.yaml"), SYSTEMS).unwrap();
    let sim = Sim::start(home.path().join("sim.yaml").to_str().unwrap(), &[]);
    let plan = format!(
        "rounds: 1\nprompts: 3\nwarm_up: false\nsampling: {{max_tokens: 64}}\ntargets:\n  - {{target: '{}', name: free}}\n  - {{target: \
         '{}', name: limited}}\n",
        sim.target("free"),
        sim.target("limited")
    );
    std::fs::write(home.path().join("plan.yaml"), plan).unwrap();
    ends_with(0, photofinish(home.path()).args(["run", "plan.yaml"]));
    let folder = only_run(&home.path().join("results"));
    let run = Run::open(&folder).unwrap();
    let of = |name: &str| run.trials.iter().filter(|trial| trial.target.as_str() == name).collect::<Vec<&Trial>>();
    let limited = of("limited");
    let refused = limited[0].answer.as_ref().unwrap();
    let error = refused.error.as_ref().unwrap();
    assert_eq!((error.kind, error.retry_after_s, refused.status), (ErrorKind::RateLimit, Some(1.0), Some(429)));
    assert_eq!(limited.iter().map(|trial| trial.held_since.is_some()).collect::<Vec<_>>(), [false, true, false]);
    let held = limited[1].answer.as_ref().unwrap();
    let written = held.stamps.first_write.unwrap();
    assert!(secs(1) <= written.since(refused.stamps.closed.unwrap()), "it waits for a second after the refusal");
    // The wait is before the first write, from which every time counts.
    let waited = written.since(limited[1].held_since.unwrap());
    let first = held.timeline.first().unwrap().at.0;
    assert!(first < waited, "first text after {first} of {waited} ns");
    // The other target was asked in the same moment and was itself not held.
    let free = of("free")[1];
    assert!(free.held_since.is_none());
    let apart = free.answer.as_ref().unwrap().stamps.first_write.unwrap().0.abs_diff(written.0);
    assert!(apart < waited, "{apart} of {waited} ns apart");
    let table = ends_with(0, photofinish(home.path()).args(["table", folder.to_str().unwrap(), "--width", "200"]));
    let table = String::from_utf8_lossy(&table.stdout).into_owned();
    assert!(table.contains("1 of 3 requests of limited was held back for "), "{table}");
}

#[test]
fn a_dry_run_says_what_a_pace_costs_and_a_pace_of_nothing_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let plan = |pace: &str| {
        let text = format!(
            "preset: quick\nsampling: {{max_tokens: 100}}\npace:\n  requests_per_minute: 2\ntargets:\n  - http://127.0.0.1:1/v1=a\n  - target: \
             http://127.0.0.1:1/v1=b\n    pace: {pace}\n"
        );
        std::fs::write(home.path().join("plan.yaml"), text).unwrap();
    };
    let told = |code| {
        let output = ends_with(code, photofinish(home.path()).args(["run", "plan.yaml", "--dry-run"]));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    plan("{requests_per_minute: 3, requests_per_day: 20}");
    let dry = told(0);
    assert!(dry.contains("127.0.0.1:1/a: at most 2 requests a minute"), "{dry}");
    assert!(dry.contains("127.0.0.1:1/b: at most 3 requests a minute, 20 requests a day (UTC)"), "{dry}");
    assert!(dry.contains("a round waits up to 3 min for these paces"), "{dry}");
    assert!(dry.contains("its 20 requests a day suffice for 3 of 10 rounds, which need 6 each"), "{dry}");
    plan("{requests_per_minute: 0}");
    let zero = told(2);
    assert!(zero.contains("plan.yaml:8: targets[1].pace.requests_per_minute: 0 allows no request at all"), "{zero}");
    plan("{tokens_per_minute: 50}");
    let never = told(2);
    assert!(never.contains("plan.yaml:7: targets[1]: ") && never.contains("`tokens_per_minute: 50`; give it at least"), "{never}");
    plan("{requests_per_minuet: 3}");
    let misspelt = told(2);
    assert!(misspelt.contains("did you mean `requests_per_minute`?"), "{misspelt}");
}
