//! The simulator as a process of its own, for as long as it is held: it must not use the client's time, so it never runs inside.

use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A running simulator. It ends when this is dropped, and also when this process dies.
pub struct Simulator {
    child: Child,
    /// What it said when it was ready.
    pub ready: Ready,
}

/// How a simulator is started.
#[derive(Debug, Clone, Copy, Default)]
pub struct Serving<'a> {
    /// A behaviour file, or `builtin:NAME`.
    pub behaviour: &'a str,
    /// Where it writes the truth.
    pub log: Option<&'a Path>,
    /// On a TLS port as well.
    pub tls: bool,
    /// HTTP/2 as well.
    pub http2: bool,
    /// A command that starts it, such as `chrt -f 60 taskset -c 0`; none is a plain start.
    pub under: &'a [String],
}

/// The simulator's own account, as far as it is needed here.
#[derive(Debug, Deserialize)]
pub struct Ready {
    /// `http://127.0.0.1:PORT`.
    pub base: String,
    /// `https://127.0.0.1:PORT`, where TLS was asked for.
    #[serde(default)]
    pub tls_base: Option<String>,
    /// The certificate to trust for it.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
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
        Simulator::serving(Serving { behaviour, ..Serving::default() })
    }

    /// The same, in a certain way.
    pub fn serving(how: Serving<'_>) -> anyhow::Result<Simulator> {
        let binary = std::env::current_exe().context("this binary cannot be found again to run the simulator")?;
        let parent = std::process::id().to_string();
        let mut command = match how.under {
            [] => Command::new(binary),
            [program, args @ ..] => {
                let mut command = Command::new(program);
                command.args(args).arg(binary);
                command
            }
        };
        // A group of its own: Ctrl-C is for the race, whose requests are then read to their end.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command.args(["sim", "--port", "0", "--behaviour", how.behaviour, "--parent", &parent]);
        if how.tls {
            command.args(["--tls-port", "0"]);
        }
        if how.http2 {
            command.arg("--http2");
        }
        if let Some(log) = how.log {
            command.arg("--log").arg(log);
        }
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().with_context(|| match how.under.first() {
            None => "the simulator does not start".to_owned(),
            Some(program) => format!("the simulator does not start under {program}"),
        })?;
        let mut line = String::new();
        let said = child.stdout.take().map(|stdout| BufReader::new(stdout).read_line(&mut line));
        // Held from here on, so that whatever goes wrong below ends it.
        let mut simulator = Simulator { child, ready: Ready::none() };
        if !matches!(said, Some(Ok(n)) if 0 < n) {
            let _ = simulator.child.wait();
            match how.under {
                [] => bail!("the simulator ended before it was ready"),
                under => bail!("the simulator ended before it was ready; `{}` may not be allowed here", under.join(" ")),
            }
        }
        let json = line.trim().strip_prefix("READY ").with_context(|| format!("the simulator said {line:?}"))?;
        simulator.ready = serde_json::from_str(json).context("the simulator's READY line cannot be read")?;
        Ok(simulator)
    }

    /// Its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Refuses to go on where it is gone.
    pub fn still_serves(&mut self) -> anyhow::Result<()> {
        let gone = self.child.try_wait().context("the simulator's process cannot be asked")?;
        ensure!(gone.is_none(), "the simulator ended meanwhile ({})", gone.map(|status| status.to_string()).unwrap_or_default());
        Ok(())
    }
}

impl Ready {
    fn none() -> Ready {
        Ready { base: String::new(), tls_base: None, ca_file: None, details: Vec::new(), scale: 1.0 }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // It may be gone already; either way nothing is left running.
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Killed, it could not take its certificate away.
        if let Some(file) = &self.ready.ca_file {
            let _ = std::fs::remove_file(file);
        }
    }
}
