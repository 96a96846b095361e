//! A provider that echoes the key wherever it can: in an error body, a header, the text, split over chunks, URL-encoded, in base64. It
//! reaches no file, no table and no message.

mod race;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use race::{Sim, ends_with, only_run, photofinish};
use std::path::Path;

const KEY: &str = "sk-Finish/Line+Photo=2026:leak";

/// The forms in which a key could stand somewhere.
fn forms() -> Vec<Vec<u8>> {
    let encoded: String =
        KEY.bytes().map(|b| if b.is_ascii_alphanumeric() || b == b'-' { (b as char).to_string() } else { format!("%{b:02X}") }).collect();
    let mut forms = vec![KEY.as_bytes().to_vec(), encoded.clone().into_bytes(), encoded.to_lowercase().into_bytes()];
    // Base64 of the key behind 0, 1 or 2 other bytes: the middle of it is always the same.
    for before in 0..3 {
        let text = STANDARD_NO_PAD.encode([&vec![b' '; before][..], KEY.as_bytes()].concat());
        forms.push(text.as_bytes()[4..text.len() - 4].to_vec());
    }
    // A part of the key is as bad.
    forms.push(b"Line+Photo=2026".to_vec());
    forms
}

fn assert_clean(what: &str, bytes: &[u8]) {
    for form in forms() {
        let found = bytes.windows(form.len()).any(|window| window == form);
        assert!(!found, "{what} holds the key as {}", String::from_utf8_lossy(&form));
    }
}

fn assert_files_clean(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_files_clean(&path);
        } else {
            assert_clean(&path.display().to_string(), &std::fs::read(&path).unwrap());
        }
    }
}

#[test]
fn a_key_that_a_provider_echoes_reaches_no_file_no_table_and_no_message() {
    let home = tempfile::tempdir().unwrap();
    let sim = Sim::start("builtin:faults", &[]);
    let echoes: Vec<String> = sim.systems().into_iter().filter(|name| name.contains("echo")).collect();
    assert!(echoes.len() >= 5, "the simulator echoes in {echoes:?} only");
    let results = home.path().join("results");
    let mut plan = String::from("name: leak\nrounds: 1\nprompts: 1\ntargets:\n");
    for echo in &echoes {
        plan.push_str(&format!("  - {{target: '{}', name: {echo}}}\n", sim.target(echo)));
    }
    std::fs::write(home.path().join("plan.yaml"), plan).unwrap();
    let mut run = photofinish(home.path());
    run.env("OPENAI_COMPATIBLE_API_KEY", KEY).args(["run", "plan.yaml", "--results"]).arg(&results);
    let output = run.output().unwrap();
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&output.stderr));
    assert_clean("stdout of run", &output.stdout);
    assert_clean("stderr of run", &output.stderr);
    let folder = only_run(&results);
    assert_files_clean(&folder);
    // The echoes did arrive, or this test would show nothing: asterisks stand where the key was.
    let records = std::fs::read_to_string(folder.join("records.jsonl")).unwrap();
    assert!(records.matches(&"*".repeat(KEY.len())).count() >= 3, "no echo was masked:\n{records}");
    for format in ["terminal", "markdown", "csv", "json"] {
        let table = ends_with(0, photofinish(home.path()).arg("table").arg(&folder).args(["--format", format]));
        assert_clean(&format!("table as {format}"), &[table.stdout, table.stderr].concat());
    }
}

#[test]
fn a_key_in_a_plan_or_a_url_is_refused_and_masked() {
    let home = tempfile::tempdir().unwrap();
    let secret = "sk-ThisIsAVerySecretKey0123456789";
    let cases = [
        format!("name: x\ntargets:\n  - {{target: deepseek/deepseek-v4-pro, base_url: 'https://user:{secret}@api.deepseek.com'}}\n"),
        format!("name: x\ntargets:\n  - target: deepseek/deepseek-v4-pro\n    extra_body: {{api_key: {secret}}}\n"),
        format!("name: x\ntargets:\n  - 'http://127.0.0.1:9/v1?api_key={secret}=m'\n"),
    ];
    for plan in cases {
        let file = home.path().join("plan.yaml");
        std::fs::write(&file, &plan).unwrap();
        let output = ends_with(2, photofinish(home.path()).env("DEEPSEEK_API_KEY", "sk-another-key-0000").arg("run").arg(&file));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains(secret) && !said.contains("VerySecret"), "{said}");
        assert!(!home.path().join("results").exists(), "nothing is written for {plan}");
    }
}

#[test]
fn a_key_goes_to_its_own_hosts_only() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("plan.yaml");
    for (base_url, word) in [("https://evil.example/v1", "evil.example"), ("http://api.deepseek.com/v1", "http")] {
        std::fs::write(&file, format!("name: x\ntargets:\n  - {{target: deepseek/deepseek-v4-pro, base_url: '{base_url}'}}\n")).unwrap();
        let output = ends_with(2, photofinish(home.path()).env("DEEPSEEK_API_KEY", KEY).arg("run").arg(&file));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(word), "{said}");
        assert_clean("the refusal", said.as_bytes());
    }
}
