//! Every fault that the simulator knows, in one race through the real binary: each is data with the outcome that it deserves, none is a
//! crash, and what a hostile provider wrote comes out harmless in every format.

mod race;

use photofinish::metric::Outcome::{self, *};
use photofinish::record::Role;
use photofinish::store::Run;
use race::{Sim, ends_with, only_run, photofinish, read};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What faults are to be judged as. Those that are not named must merely be on record.
const EXPECTED: &[(&str, Outcome)] = &[
    ("hang-before-headers", Timeout),
    ("close-before-headers", Broken),
    ("reset-before-headers", Broken),
    ("unauthorized", ClientError),
    ("billing", ClientError),
    ("forbidden", ClientError),
    ("not-found", ClientError),
    ("bad-request", ClientError),
    ("context-length", ClientError),
    ("rate-limited", RateLimited),
    ("overloaded", ServerError),
    ("server-error", ServerError),
    ("unavailable", ServerError),
    ("overloaded-529", ServerError),
    ("html-200", Broken),
    ("html-502", ServerError),
    // It says `invalid_request_error`, whatever the status.
    ("json-error-200", ClientError),
    ("redirect-307", Broken),
    ("empty-200", Broken),
    ("empty-reply", Empty),
    ("whole-answer-at-once", Ok),
    ("role-early", Ok),
    ("both-names", Ok),
    ("both-in-one-chunk", Ok),
    ("inline-think", Ok),
    ("inline-think-split", Ok),
    ("usage-missing", Ok),
    ("usage-null", Ok),
    ("usage-reasoning-zero", Ok),
    ("usage-excludes-reasoning", Ok),
    ("usage-wrong", Ok),
    ("usage-beside-choices", Ok),
    ("keep-alives-first", Ok),
    ("empty-choices", Ok),
    ("null-choices", Ok),
    // One of them is a bare string, which is how some gateways word an error.
    ("junk-events", ServerError),
    ("nul-text", Ok),
    ("odd-text", Ok),
    ("odd-model", Ok),
    ("stall", Ok),
    ("no-final-blank", Ok),
    ("after-done", Ok),
    ("ends-early", Broken),
    ("ends-inside-event", Broken),
    ("ends-inside-utf8", Broken),
    ("body-cut", Broken),
    ("reset-midstream", Broken),
    ("error-event", ServerError),
    ("error-event-then-done", ServerError),
    ("error-named-event", ServerError),
    ("error-field", ServerError),
    ("hang-after-headers", Timeout),
    ("hang-midstream", Stalled),
    ("slow-drip", Ok),
    ("chunks-in-one-write", Ok),
    ("http10", Ok),
    ("gzip", Broken),
    ("crlf", Ok),
    ("cr-only", Ok),
    ("bom", Ok),
    ("no-space", Ok),
    ("multiline-data", Ok),
    ("odd-error", ServerError),
    ("odd-refusal", ServerError),
    ("odd-formula", Ok),
    ("healthy", Ok),
];

fn raced(home: &Path) -> (Run, PathBuf) {
    let sim = Sim::start("builtin:faults", &[]);
    let mut plan =
        String::from("name: faults\nrounds: 1\nprompts: 1\nwarm_up: false\nlimits: {first_token_s: 2, idle_s: 2, total_s: 8}\ntargets:\n");
    for system in sim.systems() {
        plan.push_str(&format!("  - {{target: '{}', name: {system}}}\n", sim.target(&system)));
    }
    std::fs::write(home.join("plan.yaml"), plan).unwrap();
    let output = ends_with(1, photofinish(home).args(["run", "plan.yaml"]));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!said.contains("panicked"), "{said}");
    harmless("stderr of run", &said, "");
    let folder = only_run(&home.join("results"));
    (Run::open(&folder).unwrap(), folder)
}

/// No control character but the line's end, none that turns the direction of writing; colours only where `allowed` says so.
fn harmless(what: &str, text: &str, allowed: &str) {
    let odd = |c: &char| {
        (c.is_control() && *c != '\n' && !allowed.contains(*c)) || matches!(*c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if let Some(found) = text.chars().find(odd) {
        panic!("{what} holds {found:?}:\n{}", text.escape_debug());
    }
}

#[test]
fn every_fault_is_data_and_what_a_provider_writes_is_harmless() {
    let home = tempfile::tempdir().unwrap();
    let (run, folder) = raced(home.path());
    assert_eq!(run.torn, 0);
    let scored = run.trials.iter().filter(|trial| trial.role == Role::Scored && trial.answer.is_some());
    let outcomes: BTreeMap<&str, Outcome> = scored.map(|trial| (trial.target.as_str(), read(&run, trial, |reply| reply.outcome))).collect();
    let wrong: Vec<String> = EXPECTED
        .iter()
        .filter(|(system, expected)| outcomes.get(system) != Some(expected))
        .map(|(system, expected)| format!("{system}: {:?}, not {expected:?}", outcomes.get(system)))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(outcomes.len(), run.manifest.targets.len(), "every target has its record");
    for format in ["terminal", "markdown", "csv", "json"] {
        let table = ends_with(0, photofinish(home.path()).arg("table").arg(&folder).args(["--format", format]));
        harmless(&format!("table as {format}"), &String::from_utf8(table.stdout).unwrap(), if format == "csv" { "\r" } else { "" });
        for target in ["odd-text", "odd-error", "odd-refusal", "odd-formula", "nul-text", "odd-model"] {
            let trial = run.trials.iter().find(|trial| trial.target.as_str() == target).unwrap();
            let address = format!("1/{}/{target}", trial.prompt);
            let shown = ends_with(0, photofinish(home.path()).arg("show").arg(&folder).arg(&address).args(["--format", format]));
            let text = String::from_utf8(shown.stdout).unwrap();
            harmless(&format!("show {target} as {format}"), &text, if format == "csv" { "\r" } else { "" });
            if format == "csv" {
                let formula =
                    text.lines().flat_map(|line| line.split(',')).find(|cell| cell.trim_start_matches('"').starts_with(['=', '@']));
                assert_eq!(formula, None, "show {target} as csv");
            }
        }
    }
}

#[test]
fn an_empty_account_stops_its_target_with_the_provider_files_remedy_and_is_not_charged() {
    let home = tempfile::tempdir().unwrap();
    let behaviour = home.path().join("behaviour.yaml");
    let broke = "systems:\n  broke: {dialect: deepseek, model: deepseek-v4-pro, faults: {billing: 1}}\n  fine: {dialect: deepseek, model: deepseek-v4-pro}\n";
    std::fs::write(
        &behaviour,
        format!("defaults: {{ttft_ms: 5, reasoning: {{tokens: 20, speed: 2000}}, content: {{tokens: 20, speed: 2000}}}}\n{broke}"),
    )
    .unwrap();
    let sim = Sim::start(behaviour.to_str().unwrap(), &[]);
    let mut plan = String::from("name: broke\nrounds: 2\nprompts: 2\ntargets:\n");
    for system in ["broke", "fine"] {
        plan.push_str(&format!("  - {{target: '{}', name: {system}, provider: deepseek}}\n", sim.target(system)));
    }
    std::fs::write(home.path().join("plan.yaml"), plan).unwrap();
    let output = ends_with(1, photofinish(home.path()).args(["run", "plan.yaml"]));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("broke is stopped") && said.contains("top up the balance"), "{said}");
    let table = ends_with(0, photofinish(home.path()).args(["table", "latest", "--format", "csv"]));
    let table = String::from_utf8(table.stdout).unwrap();
    let row = |name: &str| table.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{table}")).to_owned();
    assert!(row("fine").starts_with("fine,4,4,"), "{table}");
    assert!(row("broke").starts_with("broke,0,0,,"), "its set-up is no sample of its speed: {table}");
}
