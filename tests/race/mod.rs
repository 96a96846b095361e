//! The real binary against the simulator: what the end-to-end tests share.
#![allow(dead_code)] // Each test file uses its part.

use photofinish::metric::{Reply, Rules, Tally};
use photofinish::record::{Answer, Role, Trial};
use photofinish::store::Run;
use photofinish::tokens::{Basis, Reference};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

pub const BINARY: &str = env!("CARGO_BIN_EXE_photofinish");

/// A running simulator; it ends with this value, and with the test process in any case.
pub struct Sim {
    child: Child,
    pub ready: serde_json::Value,
}

impl Sim {
    pub fn start(behaviour: &str, more: &[&str]) -> Sim {
        let parent = std::process::id().to_string();
        let mut child = Command::new(BINARY)
            .args(["sim", "--port", "0", "--behaviour", behaviour, "--parent", &parent])
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready = serde_json::from_str(line.trim().strip_prefix("READY ").unwrap()).unwrap();
        Sim { child, ready }
    }
    /// `http://127.0.0.1:PORT`.
    pub fn base(&self) -> &str {
        self.ready["base"].as_str().unwrap()
    }
    /// Every system's name.
    pub fn systems(&self) -> Vec<String> {
        self.ready["systems"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    }
    /// What to write after `--target` for one of its systems.
    pub fn target(&self, system: &str) -> String {
        let details = self.ready["details"].as_array().unwrap();
        let detail = details.iter().find(|detail| detail["name"] == system).unwrap_or_else(|| panic!("no system {system}"));
        format!("{}/{system}={}", self.base(), detail["model"].as_str().unwrap())
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The binary with an environment of its own: no keys, no proxies, no colours, no user's configuration.
pub fn photofinish(home: &Path) -> Command {
    let mut command = Command::new(BINARY);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", home).env("XDG_CONFIG_HOME", home.join("config")).current_dir(home);
    command
}

/// Runs a command and says what it printed when it did not end as expected.
pub fn ends_with(code: i32, command: &mut Command) -> Output {
    let output = command.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{command:?}\n--- stdout\n{out}\n--- stderr\n{err}");
    output
}

/// The only run in a results folder.
pub fn only_run(results: &Path) -> PathBuf {
    let mut runs: Vec<PathBuf> = std::fs::read_dir(results).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(runs.len(), 1, "{runs:?}");
    runs.remove(0)
}

/// The only scored trial of a target.
pub fn scored<'r>(run: &'r Run, target: &str) -> &'r Trial {
    let mut found = run.trials.iter().filter(|trial| trial.role == Role::Scored && trial.target.as_str().contains(target));
    let first = found.next().unwrap_or_else(|| panic!("no trial of {target}"));
    assert!(found.next().is_none(), "more than one trial of {target}");
    first
}

/// Reads an answer as a table would, counted by the reference tokenizer.
pub fn read<T>(run: &Run, trial: &Trial, with: impl FnOnce(&Reply<'_>) -> T) -> T {
    let answer: &Answer = trial.answer.as_deref().expect("it was sent");
    let target = run.manifest.targets.iter().find(|target| target.id == trial.target).unwrap();
    let tally = Tally::of(answer, target, &Reference::o200k());
    with(&Reply::new(answer, &tally, Basis::Reference, Rules::of(&run.manifest)))
}

/// A metric of a reply, or the reason why it has none.
pub fn value(reply: &Reply<'_>, name: &str) -> Result<f64, String> {
    let metric = photofinish::metric::metric(name).unwrap_or_else(|| panic!("no metric {name}"));
    (metric.of)(reply).map(|observed| observed.value).map_err(|why| why.to_string())
}
