//! docs/record.md and docs/plan.md against the types they describe.

use photofinish::plan::{PlanFile, Source};
use photofinish::record::{Line, SCHEMA};
use std::path::Path;

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The names of public fields in a source file, as they are written to JSON.
fn fields(source: &str) -> Vec<String> {
    let code = read(source);
    let body = code.split("\n#[cfg(test)]").next().unwrap().to_owned();
    let field = |line: &str| Some(line.strip_prefix("    pub ")?.split_once(": ")?.0.to_owned());
    body.lines().filter_map(field).filter(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_')).collect()
}

fn assert_named(doc: &str, names: Vec<String>, source: &str) {
    let text = read(doc);
    assert!(!names.is_empty());
    let missing: Vec<String> = names.into_iter().filter(|name| !text.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "{doc} does not name {missing:?} of {source}");
}

#[test]
fn every_field_of_the_record_is_described() {
    let of_record = ["calendar", "calibration", "load", "manifest", "pace", "trial"].map(|file| format!("src/record/{file}.rs"));
    let of_timeline = ["line", "usage"].map(|file| format!("src/timeline/{file}.rs"));
    for source in of_record.iter().chain(&of_timeline) {
        // A point is how the arrays are read, not how they are stored; marks never reach the disk.
        let of_the_house = ["at", "after", "user", "exact"];
        let names = fields(source).into_iter().filter(|name| !of_the_house.contains(&name.as_str())).collect();
        assert_named("docs/record.md", names, source);
    }
    assert!(read("docs/record.md").contains(&format!("Schema version **{SCHEMA}**")));
}

#[test]
fn the_example_lines_are_lines_of_a_record() {
    let text = read("docs/record.md");
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("{\"kind\"")).collect();
    assert_eq!(lines.len(), 6);
    for line in lines {
        let read: Line = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        if let Line::Trial(trial) = read {
            assert!(trial.answer.is_none_or(|answer| answer.timeline.is_sound()));
        }
    }
}

#[test]
fn every_key_of_a_plan_is_described_and_the_example_is_a_plan() {
    let names =
        fields("src/plan/file.rs").into_iter().filter(|name| !["targets", "sequential", "no_text", "max_tokens"].contains(&name.as_str()));
    assert_named("docs/plan.md", names.collect(), "src/plan/file.rs");
    assert_named(
        "docs/plan.md",
        fields("src/plan/mod.rs").into_iter().filter(|name| !["target", "simulated"].contains(&name.as_str())).collect(),
        "src/plan/mod.rs",
    );
    let text = read("docs/plan.md");
    let example = text.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(PlanFile::parse(Source { file: "docs/plan.md", text: example }).unwrap().targets.len(), 2);
}
