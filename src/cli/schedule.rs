//! `photofinish schedule`: when a plan's rounds are due, and the entries by which other schedulers start them. Nothing is sent.

mod entry;

use super::run::{self, Planned};
use super::{Done, plain};
use crate::clock::Clock;
use crate::plan::{Patch, Plan, Schedule, times};
use crate::provider::Catalog;
use crate::record::{Calendar, zone};
use crate::store::{Known, runs};
use croner::Cron;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::path::PathBuf;
use std::str::FromStr as _;

/// Arguments of `schedule`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The plan
    plan: PathBuf,
    /// How many of the next times are shown
    #[arg(long, value_name = "N", default_value_t = 10)]
    next: usize,
    /// Print the entry by which another scheduler starts the rounds
    #[arg(long, value_name = "SCHEDULER")]
    emit: Option<Emit>,
    /// Write the entry's files into this folder instead
    #[arg(long, short, value_name = "DIR", requires = "emit")]
    output: Option<PathBuf>,
    /// Replace files that are there
    #[arg(long, requires = "output")]
    force: bool,
    /// Where the rounds are to make the run folder
    #[arg(long, value_name = "DIR", default_value = "results")]
    results: PathBuf,
    /// The file that holds the keys, as NAME=value [cron: keys.env beside the plan; systemd: /etc/photofinish/keys.env]
    #[arg(long, value_name = "FILE", requires = "emit")]
    env_file: Option<PathBuf>,
    /// The user who runs the rounds [systemd: the owner of the plan]
    #[arg(long, value_name = "NAME", requires = "emit")]
    user: Option<String>,
    /// The zone of the machine whose cron it is [cron: this machine's]
    #[arg(long, value_name = "ZONE", requires = "emit")]
    machine_zone: Option<String>,
    /// The image that holds the program [k8s]
    #[arg(long, value_name = "IMAGE", requires = "emit", default_value = concat!("photofinish:", env!("CARGO_PKG_VERSION")))]
    image: String,
    /// The size of the claim for the results [k8s]
    #[arg(long, value_name = "SIZE", requires = "emit", default_value = "5Gi")]
    storage: String,
    /// A folder of provider files that stand before the built-in ones (may be repeated)
    #[arg(long, value_name = "DIR")]
    providers: Vec<PathBuf>,
    /// A further host to which a key may go (may be repeated)
    #[arg(long, value_name = "HOST")]
    allow_key_host: Vec<String>,
}

/// Another scheduler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Emit {
    /// A line for a crontab
    Cron,
    /// A service and a timer
    Systemd,
    /// A ConfigMap, a claim for the results and a CronJob
    K8s,
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<Done> {
    let catalog = Catalog::load(&args.providers)?;
    let planned = Planned::read(Some(&args.plan), &Patch::default(), &catalog)?;
    let now = Clock::System.wall();
    match args.emit {
        None => tell(planned, &args, now)?,
        Some(emit) => entry::give(&args, emit, &planned.beginning()?, &catalog, now)?,
    }
    Ok(Done::Well)
}

/// The schedule in words, and its next times.
fn tell(planned: Planned, args: &Args, now: Timestamp) -> anyhow::Result<()> {
    let (name, rounds) = (&planned.plan.name, planned.plan.rounds);
    let Some(schedule) = &planned.plan.schedule else {
        match planned.plan.every_s {
            0 => line(&format!("plan `{name}`: {rounds} rounds one after another; no `schedule:` says when")),
            every => {
                let hours = u64::from(rounds) as f64 * every as f64 / 3600.0;
                line(&format!("plan `{name}`: {rounds} rounds, one in every {every} s from the run's start on ({hours:.1} h)"));
            }
        }
        return Ok(());
    };
    let calendar = schedule.calendar(now);
    line(&format!("plan `{name}`: \"{}\" on the clock of {}", calendar.cron, calendar.zone));
    if let Ok(words) = Cron::from_str(&calendar.cron).map(|cron| cron.describe()) {
        line(&format!("  {}", words.trim_end_matches('.')));
    }
    if 0 < calendar.jitter_s {
        line(&format!("  each round begins up to {} s after its time, at a moment drawn from the seed", calendar.jitter_s));
    }
    if !calendar.quiet.is_empty() {
        let spans: Vec<String> = calendar.quiet.iter().map(ToString::to_string).collect();
        line(&format!("  none is due at {}", spans.join(", ")));
    }
    line(&format!("  one that cannot begin within {} s of its moment is missed", calendar.late_s));
    let clock = zone(&calendar.zone)?;
    let digest = planned.plan.digest();
    let found = runs(&args.results, |manifest| manifest.plan_digest == digest && run::can_go_on(manifest));
    match found.into_iter().rfind(|run| !run.is_complete()) {
        Some(run) => tell_run(&run, args.next, &clock, now)?,
        None => tell_new(&planned.beginning()?.plan, &calendar, args.next, &clock)?,
    }
    Ok(())
}

/// The rounds that are left of a run: their moments are drawn.
fn tell_run(run: &Known, next: usize, clock: &TimeZone, now: Timestamp) -> anyhow::Result<()> {
    let schedule = Schedule::of(&run.manifest)?;
    let (folder, over, rounds) = (run.folder.display(), run.closed.len(), schedule.rounds);
    line(&format!("  {rounds} rounds, {over} over so far in {folder}"));
    line("next rounds, and the moments at which they begin:");
    let left = (1..=rounds).filter(|round| !run.closed.contains(round));
    let ahead = left.filter_map(|round| Some((round, schedule.due(round)?))).filter(|(_, due)| now < *due);
    for (round, due) in ahead.take(next) {
        line(&format!("  {round:>5}  {}", shown(due, clock, "%H:%M:%S")));
    }
    Ok(())
}

/// The times of a run that is not made yet: its moments within the jitter are drawn when it is.
fn tell_new(plan: &Plan, calendar: &Calendar, next: usize, clock: &TimeZone) -> anyhow::Result<()> {
    let all: Vec<Timestamp> = times(calendar)?.take(plan.rounds as usize).collect();
    if let (Some(first), Some(last)) = (all.first(), all.last()) {
        let days = (last.as_second() - first.as_second()) as f64 / 86_400.0;
        let last = last.to_zoned(clock.clone()).strftime("%F %H:%M");
        line(&format!("  {} rounds in {days:.1} days, if the run is made now; the last at {last}", all.len()));
    }
    line("next times:");
    for (at, time) in all.iter().take(next).enumerate() {
        line(&format!("  {:>5}  {}", at + 1, shown(*time, clock, "%H:%M")));
    }
    Ok(())
}

fn line(text: &str) {
    anstream::println!("{}", plain(text));
}

/// A moment on a zone's clock with its distance from UTC, and in UTC.
fn shown(time: Timestamp, zone: &TimeZone, clock: &str) -> String {
    let utc = TimeZone::UTC.to_datetime(time).strftime(&format!("%F {clock}")).to_string();
    format!("{}   {utc} UTC", time.to_zoned(zone.clone()).strftime(&format!("%a %F {clock} %:z")))
}
