//! The simulator as a process of its own, for as long as it is held: it must not use the client's time, so it never runs inside.

use anyhow::{Context, ensure};
use serde::Deserialize;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A running simulator. It ends when this is dropped, and also when this process dies.
pub struct Simulator {
    child: Child,
    /// What it said when it was ready.
    pub ready: Ready,
}

/// The simulator's own account, as far as it is needed here.
#[derive(Debug, Deserialize)]
pub struct Ready {
    /// `http://127.0.0.1:PORT`.
    pub base: String,
    /// Its systems, in the order of the behaviour.
    pub details: Vec<System>,
    /// All times are divided by this.
    pub scale: f64,
}

/// One simulated system.
#[derive(Debug, Deserialize)]
pub struct System {
    /// Its name and the prefix of its paths.
    pub name: String,
    /// In words.
    pub title: String,
    /// The provider file that reads it.
    pub provider: String,
    /// The model that it takes.
    pub model: String,
}

impl Simulator {
    /// Starts this very binary as a simulator on a free port.
    pub fn start(behaviour: &str) -> anyhow::Result<Simulator> {
        let binary = std::env::current_exe().context("this binary cannot be found again to run the simulator")?;
        let parent = std::process::id().to_string();
        let mut command = Command::new(binary);
        // A group of its own: Ctrl-C is for the race, whose requests are then read to their end.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command
            .args(["sim", "--port", "0", "--behaviour", behaviour, "--parent", &parent])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("the simulator does not start")?;
        let mut line = String::new();
        let said = child.stdout.take().map(|stdout| BufReader::new(stdout).read_line(&mut line));
        ensure!(matches!(said, Some(Ok(n)) if 0 < n), "the simulator ended before it was ready");
        let json = line.trim().strip_prefix("READY ").with_context(|| format!("the simulator said {line:?}"))?;
        let ready = serde_json::from_str(json).context("the simulator's READY line cannot be read")?;
        Ok(Simulator { child, ready })
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // It may be gone already; either way nothing is left running.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
