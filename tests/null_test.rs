//! One service under two names, through the simulator, the real binary and the whole pipeline: nothing may be found between the two, and
//! what is there beside them must be.
#![cfg(unix)]

mod race;

use race::{Sim, photofinish};

/// Two systems that are equal, and one that takes twice as long. Every one draws for itself.
const BEHAVIOUR: &str = "
seed: 7
defaults:
  jitter: 0.1
systems:
  one:
    dialect: openai-compatible
    ttft_ms: {lognormal: {median: 20, sigma: 0.3}}
    content: {tokens: 24, speed: {lognormal: {median: 600, sigma: 0.2}}}
  other:
    dialect: openai-compatible
    ttft_ms: {lognormal: {median: 20, sigma: 0.3}}
    content: {tokens: 24, speed: {lognormal: {median: 600, sigma: 0.2}}}
  slow:
    dialect: openai-compatible
    ttft_ms: {lognormal: {median: 40, sigma: 0.3}}
    content: {tokens: 24, speed: {lognormal: {median: 300, sigma: 0.2}}}
";

#[test]
fn one_service_under_two_names_is_not_told_apart_and_a_slow_one_is() {
    let home = tempfile::tempdir().unwrap();
    let behaviour = home.path().join("behaviour.yaml");
    std::fs::write(&behaviour, BEHAVIOUR).unwrap();
    let sim = Sim::start(behaviour.to_str().unwrap(), &[]);
    let mut command = photofinish(home.path());
    command.args(["run", "--rounds", "16", "--prompts", "3", "--seed", "11"]);
    for name in ["one", "other", "slow"] {
        command.args(["--target", &sim.target(name)]);
    }
    let raced = command.output().unwrap();
    assert!(raced.status.success(), "{}", String::from_utf8_lossy(&raced.stderr));
    let read = |words: &[&str]| {
        let output = photofinish(home.path()).args(words).args(["latest", "--format", "json"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let compared = read(&["compare", "--metric", "e2e"]).to_string();
    let value: serde_json::Value = serde_json::from_str(&compared).unwrap();
    let mut p = std::collections::BTreeMap::new();
    pairs(&value, &mut |first, second, p_holm| {
        p.insert((name_of(first), name_of(second)), p_holm);
    });
    assert_eq!(p.len(), 3, "{compared}");
    // At 5 % every twentieth race of equals would be called; this asks whether something favours one of them for certain.
    assert!(0.001 < p[&("one".to_owned(), "other".to_owned())], "{p:?}");
    assert!(p[&("one".to_owned(), "slow".to_owned())] < 0.01 && p[&("other".to_owned(), "slow".to_owned())] < 0.01, "{p:?}");
}

fn name_of(target: &str) -> String {
    ["other", "one", "slow"].into_iter().find(|name| target.contains(&format!("/{name}"))).unwrap_or(target).to_owned()
}

/// Every comparison in a document, wherever it stands: first, second, adjusted p.
fn pairs(value: &serde_json::Value, found: &mut impl FnMut(&str, &str, f64)) {
    match value {
        serde_json::Value::Object(object) => {
            let target = |side: &str| object.get(side).and_then(|side| side.get("target").unwrap_or(side).as_str());
            if let (Some(first), Some(second), Some(p)) = (target("first"), target("second"), object.get("p_holm").and_then(|p| p.as_f64()))
            {
                found(first, second, p);
            }
            object.values().for_each(|inner| pairs(inner, found));
        }
        serde_json::Value::Array(values) => values.iter().for_each(|inner| pairs(inner, found)),
        _ => {}
    }
}
