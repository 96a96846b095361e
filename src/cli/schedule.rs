//! `photofinish schedule`: when a plan's rounds are due, and the entries by which other schedulers start them. Nothing is sent.

mod entry;

use super::{Done, plain, run};
use crate::clock::Clock;
use crate::dataset::Dataset;
use crate::plan::{Patch, Plan, Source, resolve, times};
use crate::provider::Catalog;
use crate::record::zone;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::path::{Path, PathBuf};
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
    let folder = args.plan.parent().unwrap_or(Path::new(""));
    let (file, text) = run::plan_file(Some(&args.plan), folder)?;
    let (name, text) = (args.plan.display().to_string(), text.unwrap_or_default());
    let source = Source { file: &name, text: &text };
    let named = file.name.is_some();
    let dataset = Dataset::find(file.dataset_name(&Patch::default()), folder)?;
    let now = Clock::System.wall();
    let mut plan = resolve(file, &Patch::default(), Some(source), &dataset)?.beginning(now, Some(source))?;
    if !named && let Some(stem) = args.plan.file_stem() {
        plan.name = stem.to_string_lossy().into_owned();
    }
    let targets = run::targets(&plan, &catalog, &Patch::default(), Some(source))?;
    match args.emit {
        None => tell(&plan, now, args.next)?,
        Some(emit) => entry::give(&args, emit, &entry::Made { plan, targets, catalog, text, now })?,
    }
    Ok(Done::Well)
}

/// The schedule in words, and its next times.
fn tell(plan: &Plan, now: Timestamp, next: usize) -> anyhow::Result<()> {
    let line = |text: String| anstream::println!("{}", plain(&text));
    let (name, rounds) = (&plan.name, plan.rounds);
    let Some(schedule) = &plan.schedule else {
        match plan.every_s {
            0 => line(format!("plan `{name}`: {rounds} rounds one after another; no `schedule:` says when")),
            every => {
                let hours = u64::from(rounds) as f64 * every as f64 / 3600.0;
                line(format!("plan `{name}`: {rounds} rounds, one in every {every} s from the run's start on ({hours:.1} h)"));
            }
        }
        return Ok(());
    };
    let calendar = schedule.calendar(now);
    let clock = zone(&calendar.zone)?;
    let all: Vec<Timestamp> = times(&calendar)?.take(rounds as usize).collect();
    line(format!("plan `{name}`: \"{}\" on the clock of {}", calendar.cron, calendar.zone));
    if let Ok(words) = croner::Cron::from_str(&calendar.cron).map(|cron| cron.describe()) {
        line(format!("  {}", words.trim_end_matches('.')));
    }
    if let (Some(first), Some(last)) = (all.first(), all.last()) {
        let days = (last.as_second() - first.as_second()) as f64 / 86_400.0;
        line(format!("  {} rounds in {days:.1} days, if the run is made now; the last at {}", all.len(), shown(*last, &clock)));
    }
    if 0 < calendar.jitter_s {
        line(format!("  each begins up to {} s after its time, at a moment drawn from the seed", calendar.jitter_s));
    }
    if !calendar.quiet.is_empty() {
        let spans: Vec<String> = calendar.quiet.iter().map(ToString::to_string).collect();
        line(format!("  none is due at {}", spans.join(", ")));
    }
    line(format!("  one that cannot begin within {} s of its moment is missed", calendar.late_s));
    line("next times:".to_owned());
    let width = next.min(all.len()).to_string().len();
    for (at, time) in all.iter().take(next).enumerate() {
        line(format!("  {:>width$}  {}   {} UTC", at + 1, shown(*time, &clock), TimeZone::UTC.to_datetime(*time).strftime("%F %H:%M")));
    }
    Ok(())
}

/// A moment on a zone's clock, with its distance from UTC and its name.
fn shown(time: Timestamp, zone: &TimeZone) -> String {
    time.to_zoned(zone.clone()).strftime("%a %F %H:%M %:z").to_string()
}
