//! A plan, a simulated server that can go away and come back, and the binary that works on the plan's run.
#![allow(dead_code)] // Each test file uses its part.

use photofinish::record::{Role, RoundState};
use photofinish::store::{Run, scored_blocks};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// Two systems: one whose reply takes some 40 ms, and one whose reply takes some 400 ms.
pub const SYSTEMS: &str = "
seed: 1
systems:
  quick:
    title: quick
    dialect: vllm
    server_timings: false
    ttft_ms: 10
    content: {tokens: 12, speed: 400}
  slow:
    title: slow
    dialect: vllm
    server_timings: false
    ttft_ms: 100
    content: {tokens: 30, speed: 100}
  endless:
    title: endless
    dialect: vllm
    server_timings: false
    ttft_ms: 100
    content: {tokens: 6000, speed: 100}
";

/// A folder with a plan in it and a server beside it.
pub struct Place {
    pub folder: tempfile::TempDir,
    pub port: u16,
    server: Option<Child>,
}

impl Place {
    pub fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("sim.yaml"), SYSTEMS).unwrap();
        let mut place = Place { folder, port: 0, server: None };
        place.serve();
        place
    }
    /// Starts the server, on the port that it had.
    pub fn serve(&mut self) {
        for _ in 0..50 {
            let mut server = Command::new(env!("CARGO_BIN_EXE_photofinish"))
                .args(["sim", "--behaviour", "sim.yaml", "--port", &self.port.to_string(), "--parent", &std::process::id().to_string()])
                .current_dir(self.path())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let mut line = String::new();
            BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
            if let Some(ready) = line.strip_prefix("READY ") {
                let ready: serde_json::Value = serde_json::from_str(ready).unwrap();
                self.port = ready["base"].as_str().unwrap().rsplit(':').next().unwrap().parse().unwrap();
                self.server = Some(server);
                return;
            }
            // Somebody else has the port for a moment.
            server.wait().unwrap();
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("no server on port {}", self.port);
    }
    /// The server is gone: nothing listens any more.
    pub fn vanish(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().unwrap();
            server.wait().unwrap();
        }
    }
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
    /// Writes `plan.yaml` for some of the systems.
    pub fn plan(&self, systems: &[&str], rest: &str) {
        let target = |system: &&str| format!("  - {{target: 'http://127.0.0.1:{}/{system}=m', name: {system}}}\n", self.port);
        let targets: String = systems.iter().map(target).collect();
        std::fs::write(self.path().join("plan.yaml"), format!("name: story\ntargets:\n{targets}{rest}")).unwrap();
    }
    /// The binary in this folder, without the user's keys and config.
    pub fn photofinish(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_photofinish"));
        command.args(args).current_dir(self.path()).env_clear();
        command.env("HOME", self.path()).env("XDG_CONFIG_HOME", self.path()).stdin(Stdio::null());
        command
    }
    pub fn start(&self, args: &[&str]) -> Child {
        self.photofinish(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }
    /// Exit code, stdout, stderr.
    pub fn says(&self, args: &[&str]) -> (i32, String, String) {
        told(self.photofinish(args).output().unwrap())
    }
    /// The folders of all runs.
    pub fn runs(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.path().join("results")).into_iter().flatten().map(|entry| entry.unwrap().path());
        let mut runs: Vec<PathBuf> = entries.filter(|path| path.join("manifest.json").exists()).collect();
        runs.sort();
        runs
    }
    /// The only run.
    pub fn run(&self) -> Run {
        let runs = self.runs();
        assert_eq!(runs.len(), 1, "{runs:?}");
        Run::open(&runs[0]).unwrap()
    }
    /// The only run as far as it has come, where there is one.
    pub fn so_far(&self) -> Option<Run> {
        self.runs().first().and_then(|run| Run::open(run).ok())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.vanish();
    }
}

pub fn told(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

pub fn signal(process: &Child, name: &str) {
    assert!(Command::new("kill").args(["-s", name, &process.id().to_string()]).status().unwrap().success());
}

/// Only so that a broken test ends; none waits for it.
pub fn wait_for(what: &str, mut happened: impl FnMut() -> bool) {
    for _ in 0..6000 {
        if happened() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("waited in vain for: {what}");
}

/// How often each round was closed, by state.
pub fn closed(run: &Run) -> BTreeMap<u32, Vec<RoundState>> {
    let mut closed: BTreeMap<u32, Vec<RoundState>> = BTreeMap::new();
    for line in run.rounds.iter().filter(|line| line.state != RoundState::Begun) {
        closed.entry(line.round).or_default().push(line.state);
    }
    closed
}

/// Every round was held once, and every block of it is complete in one attempt.
pub fn assert_whole(run: &Run, rounds: u32, prompts: usize) {
    let closed = closed(run);
    assert_eq!(closed.len() as u32, rounds, "{closed:?}");
    assert!(closed.values().all(|states| states == &[RoundState::Finished]), "{closed:?}");
    let blocks = scored_blocks(run);
    assert_eq!(blocks.len(), rounds as usize * prompts);
    let targets = run.manifest.targets.len();
    let mut sent: BTreeMap<(u32, u32), u32> = BTreeMap::new();
    for trial in run.trials.iter().filter(|trial| trial.role == Role::Scored) {
        *sent.entry((trial.round, trial.block)).or_default() += 1;
    }
    let anew = sent.values().filter(|sent| targets < **sent as usize).count();
    assert!(anew <= 1, "the block that was interrupted, and no other, is sent anew: {sent:?}");
}
