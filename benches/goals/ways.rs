//! How processes are started: at a real-time priority and on a processor of their own where this machine permits it, and never outliving
//! the one that started them.

use super::paced::client::cpu_name;
use photofinish::clock::mono;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

/// The program under test, in the same build.
pub const PHOTOFINISH: &str = env!("CARGO_BIN_EXE_photofinish");
/// Names the role of a process of this program.
pub const ROLE: &str = "PHOTOFINISH_GOALS_ROLE";
/// What a role is told, as JSON.
pub const TOLD: &str = "PHOTOFINISH_GOALS_TOLD";
/// Stands before the JSON that a role hands back.
pub const RESULT: &str = "RESULT ";

/// What this machine permits.
pub struct Ways {
    realtime: bool,
    pinned: bool,
    /// Descriptors that a process may open.
    pub descriptors: u64,
    /// Where everything of this run is put; deleted at its end.
    pub place: PathBuf,
}

impl Ways {
    pub fn found(place: &Path) -> Ways {
        let works = |args: &[&str]| {
            let mut command = Command::new(args[0]);
            command.args(&args[1..]).stdout(Stdio::null()).stderr(Stdio::null());
            command.status().is_ok_and(|status| status.success())
        };
        // Children inherit the limit.
        let descriptors = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(0);
        Ways {
            realtime: works(&["chrt", "-f", "60", "true"]),
            pinned: works(&["taskset", "-c", "0", "true"]),
            descriptors,
            place: place.to_owned(),
        }
    }

    /// What a server is run under.
    pub fn server(&self) -> Vec<String> {
        let realtime = ["chrt", "-f", "60"].iter().filter(|_| self.realtime);
        let pinned = ["taskset", "-c", "0"].iter().filter(|_| self.pinned);
        realtime.chain(pinned).map(|word| (*word).to_owned()).collect()
    }
    /// What a client is run under.
    fn client(&self) -> Vec<String> {
        ["chrt", "-r", "20"].iter().filter(|_| self.realtime).map(|word| (*word).to_owned()).collect()
    }

    /// The conditions of this run, a sentence each.
    pub fn words(&self) -> Vec<String> {
        let processors = std::thread::available_parallelism().map_or(0, usize::from);
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let hypervisor = std::fs::read_to_string("/proc/cpuinfo").is_ok_and(|info| info.contains(" hypervisor"));
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split(' ').next().unwrap_or("unknown").to_owned();
        let guest = if hypervisor { ", a virtual machine" } else { "" };
        let words =
            |words: Vec<String>, otherwise: &str| if words.is_empty() { otherwise.to_owned() } else { format!("`{}`", words.join(" ")) };
        vec![
            format!("{}; {}, {processors} processors{guest}; Linux {}; load average {load} before", today(), cpu_name(), kernel.trim()),
            format!(
                "photofinish {}, {} build, loopback, HTTP/1.1, one client thread",
                env!("CARGO_PKG_VERSION"),
                if cfg!(debug_assertions) { "debug" } else { "release" }
            ),
            format!(
                "servers under {}, clients under {}",
                words(self.server(), "nothing (neither chrt nor taskset is permitted here): ordinary priority, any processor"),
                words(self.client(), "nothing (chrt is not permitted here): ordinary priority"),
            ),
        ]
    }

    /// Runs a role of this program as a client and takes its result.
    pub fn role<T: DeserializeOwned>(&self, role: &str, told: serde_json::Value, seconds: u64) -> Result<T, String> {
        let myself = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = under(&self.client(), &myself);
        command.env(ROLE, role).env(TOLD, told.to_string());
        let mut result = Err("it handed back no result".to_owned());
        run(command, seconds, &self.place.join("stderr"), |line| {
            if let Some(json) = line.strip_prefix(RESULT) {
                result = serde_json::from_str(json).map_err(|error| error.to_string());
            }
        })?;
        result
    }

    /// Runs photofinish as a client in the folder of this run and takes what it printed.
    pub fn photofinish(&self, args: &[String], seconds: u64) -> Result<String, String> {
        let mut command = under(&self.client(), Path::new(PHOTOFINISH));
        command.args(args).current_dir(&self.place);
        let mut printed = String::new();
        run(command, seconds, &self.place.join("stderr"), |line| printed += &format!("{line}\n"))?;
        Ok(printed)
    }

    /// A simulator of its own, its truth in `<name>.jsonl`.
    pub fn simulator(&self, name: &str, behaviour: &str, tls: bool) -> Result<Simulator, String> {
        let log = self.place.join(format!("{name}.jsonl"));
        let _ = std::fs::remove_file(&log);
        let mut command = under(&self.server(), Path::new(PHOTOFINISH));
        command.args(["sim", "--port", "0", "--behaviour", behaviour, "--parent", &std::process::id().to_string(), "--log"]).arg(&log);
        if tls {
            command.args(["--tls-port", "0"]);
        }
        let mut child = bound(&mut command).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(|error| error.to_string())?;
        let stdout = child.stdout.take().ok_or("the simulator has no output")?;
        let mut line = String::new();
        let said = BufReader::new(stdout).read_line(&mut line).map_err(|error| error.to_string());
        let ready =
            said.and_then(|_| serde_json::from_str(line.strip_prefix("READY ").unwrap_or(&line)).map_err(|error| error.to_string()));
        match ready {
            Ok(ready) => Ok(Simulator { child, ready, log }),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(format!("the simulator was not ready: {error}"))
            }
        }
    }
}

/// A running simulator.
pub struct Simulator {
    child: Child,
    pub ready: Ready,
    /// Its truth.
    pub log: PathBuf,
}

#[derive(Deserialize)]
pub struct Ready {
    pub base: String,
    pub tls_base: Option<String>,
    pub ca_file: Option<String>,
}

impl Simulator {
    /// Ends it in its own way, so that the log is whole.
    #[allow(unsafe_code)]
    pub fn stop(&mut self) {
        let pid = libc::pid_t::try_from(self.child.id()).unwrap_or(0);
        // Safety: a signal to our own child, which has not been waited for yet.
        if 0 < pid && self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            unsafe { libc::kill(pid, libc::SIGTERM) };
        }
        for _ in 0..200 {
            if self.child.try_wait().is_ok_and(|ended| ended.is_some()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A command that is run under other ones.
pub fn under(before: &[String], program: &Path) -> Command {
    match before {
        [] => Command::new(program),
        [first, rest @ ..] => {
            let mut command = Command::new(first);
            command.args(rest).arg(program);
            command
        }
    }
}

/// The process ends with the thread that starts it, whatever ends that: chrt and taskset keep this when they become another program.
#[allow(unsafe_code)]
pub fn bound(command: &mut Command) -> &mut Command {
    // Safety: prctl takes numbers, and is safe between fork and exec.
    unsafe {
        command.pre_exec(|| match libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        })
    }
}

/// Runs a command to its end, but not for longer than so many seconds.
fn run(mut command: Command, seconds: u64, errors: &Path, mut took: impl FnMut(&str)) -> Result<(), String> {
    let stderr = std::fs::File::create(errors).map_err(|error| error.to_string())?;
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr);
    let mut child = bound(&mut command).spawn().map_err(|error| error.to_string())?;
    let stdout = child.stdout.take().ok_or("no output")?;
    let (sender, lines) = channel();
    std::thread::spawn(move || BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    let due = mono().plus(seconds * 1_000_000_000);
    let ended = loop {
        match lines.recv_timeout(Duration::from_nanos(due.since(mono()))) {
            Ok(line) => took(&line),
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break Ok(()),
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => break Err(format!("it took longer than {seconds} s")),
        }
    };
    if ended.is_err() {
        let _ = child.kill();
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    ended?;
    if status.success() {
        return Ok(());
    }
    let said = std::fs::read_to_string(errors).unwrap_or_default();
    // Of a panic its words, which stand before the backtrace; else the last words.
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    let from = lines.iter().position(|line| line.contains("panicked at")).unwrap_or(lines.len().saturating_sub(2));
    Err(format!("it ended with {status}: {}", lines[from..].iter().take(2).copied().collect::<Vec<_>>().join(" ")))
}

fn today() -> String {
    photofinish::clock::Clock::System.wall().strftime("%Y-%m-%d %H:%M UTC").to_string()
}
