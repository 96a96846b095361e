//! The command line: one file a command. All printing happens here and in `report/`'s formats.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod brief;
mod calibrate;
mod compare;
mod demo;
mod hours;
mod init;
mod judging;
mod league;
mod listening;
mod load;
mod metrics;
mod power;
mod progress;
mod providers;
mod ramp;
mod reading;
mod run;
mod schedule;
mod show;
mod signals;
mod sim;
mod simulator;
mod table;
mod this_machine;
mod watch;

use crate::secret;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Who is really faster when it is close: compares LLM API providers with exact stream timelines.
#[derive(Debug, Parser)]
#[command(name = "photofinish", version, propagate_version = true, arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 done · 1 the run finished but a target gave no usable sample, or a gate failed · 2 usage or configuration · 130 interrupted"
)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Race the simulated providers: no key, no network, under 40 s
    Demo(demo::Args),
    /// List the catalog of providers: what is known and how sure it is (offline)
    Providers(providers::Args),
    /// Write a commented plan.yaml
    Init(init::Args),
    /// Run a plan, or targets named on the command line
    Run(Box<run::Args>),
    /// The rounds of a plan in the foreground, for days: goes on with its run, shows the next round, the last ones and the spending
    Watch(watch::Args),
    /// When a plan's rounds are due, and the entries for cron, systemd and Kubernetes (sends nothing)
    Schedule(schedule::Args),
    /// One row a target
    Table(table::Args),
    /// Every pair, or all against a baseline: ratio, interval, adjusted p, the verdict in words
    Compare(compare::Args),
    /// Places as intervals, one table a metric, and who may not be ranked
    League(league::Args),
    /// How many more rounds until a difference of some size would be seen
    Power(power::Args),
    /// Time of day: each target's hours, peak against off-peak, and what chance alone would show
    Hours(hours::Args),
    /// A load run: latency, throughput, the knee, the service level, and who beats whom up to which stage
    Ramp(ramp::Args),
    /// Load servers that you may load: stages of users or arrivals, in passes, and the table of what came of it
    Load(Box<load::Args>),
    /// One page of Markdown for a reader with a minute: the answer, a row a target, three caveats
    Brief(brief::Args),
    /// One timeline: phases, gaps, marks, and how exact they are
    Show(show::Args),
    /// How far this client is off, measured on the simulator, whose truth is known; later runs cite it
    Calibrate(calibrate::Args),
    /// The simulated providers as a server, with a ground-truth log
    Sim(sim::Args),
    /// Every metric: formula, unit, direction, when undefined
    Metrics(metrics::Args),
}

/// How a command ended. Errors are usage or configuration and exit with 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// All as asked: 0.
    Well,
    /// The run finished but a target gave no usable sample: 1.
    WithoutSample,
    /// A condition of the gate failed: 1.
    GateFailed,
    /// Interrupted, after draining and saving: 130.
    Interrupted,
}

impl From<Done> for ExitCode {
    fn from(done: Done) -> ExitCode {
        ExitCode::from(match done {
            Done::Well => 0,
            Done::WithoutSample | Done::GateFailed => 1,
            Done::Interrupted => 130,
        })
    }
}

/// Runs the command that was typed.
pub fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Demo(args) => demo::run(args),
        Command::Providers(args) => providers::run(args),
        Command::Init(args) => init::run(args),
        Command::Run(args) => run::run(*args),
        Command::Watch(args) => watch::run(args),
        Command::Schedule(args) => schedule::run(args),
        Command::Table(args) => table::run(args),
        Command::Hours(args) => hours::run(args),
        Command::Compare(args) => compare::run(args),
        Command::League(args) => league::run(args),
        Command::Power(args) => power::run(args),
        Command::Load(args) => load::run(*args),
        Command::Ramp(args) => ramp::run(args),
        Command::Brief(args) => brief::run(args),
        Command::Show(args) => show::run(args),
        Command::Calibrate(args) => calibrate::run(args),
        Command::Sim(args) => sim::run(args),
        Command::Metrics(args) => metrics::run(args),
    };
    match result {
        Ok(done) => done.into(),
        Err(error) => {
            match progress::json_only() {
                true => say_json(&progress::error(&format!("{error:#}"))),
                false => say(&format!("error: {error:#}")),
            }
            ExitCode::from(2)
        }
    }
}

/// To stderr, without secrets and without characters that steer a terminal: an error may quote what a user or a provider wrote.
fn say(text: &str) {
    if progress::json_only() {
        return say_json(&progress::notice(text));
    }
    for line in text.lines() {
        anstream::eprintln!("{}", plain(line));
    }
}

/// One JSON object to stderr. Its strings went through [`plain`] before: afterwards it could spoil them.
fn say_json(line: &str) {
    anstream::eprintln!("{line}");
}

/// One line without secrets, known or only looking like one, and without control characters.
fn plain(text: &str) -> String {
    let shown = crate::report::plain(text);
    secret::open::scrub(&shown)
}
