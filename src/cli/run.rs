//! `photofinish run`: from a plan, or from flags alone, to a run folder.

mod drive;
mod ending;
mod planned;
mod plans_run;
mod prepare;
mod targets;
mod telling;

use super::progress::{Manner, Showing, Unwatched};
use super::{Done, say};
use crate::clock::Clock;
use crate::dataset::Dataset;
use crate::plan::{Patch, Plan, Preset, Scheduled, TargetEntry, estimate, pacing, slow_warnings, times};
use crate::provider::Catalog;
use crate::record::{Budget, Manifest, TargetFacts, Thinking, TransportKind, zone};
use crate::runner::{self, Extent};
use crate::store::Run;
use anyhow::{Context, bail};
use drive::{GoOn, go_on};
use plans_run::larger;
use std::path::{Path, PathBuf};

pub use drive::{Again, Race, Sitting, begin, can_go_on, race};
pub use ending::tell;
pub use planned::{Planned, plan_file};
pub use plans_run::PlansRun;
pub use targets::{KeyWays, is_remote, keys, targets};
pub use telling::{against, outcome_name};

/// Arguments of `run`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The plan (`photofinish init` writes one); without it, name targets
    plan: Option<PathBuf>,
    /// Rounds and prompts by name: look 3×5, quick 10×5, day 24×10 hourly, publish 72×10 hourly
    #[arg(long)]
    preset: Option<Preset>,
    /// A target: provider/model, provider@region/model, http://host:port/v1=model, or a name in the plan (may be repeated)
    #[arg(long = "target", value_name = "T")]
    targets: Vec<String>,
    /// Rounds: each asks every prompt once of every target
    #[arg(long, value_name = "N")]
    rounds: Option<u32>,
    /// Prompts a round
    #[arg(long, value_name = "N")]
    prompts: Option<u32>,
    /// A built-in data set, or a .jsonl file
    #[arg(long, value_name = "D")]
    dataset: Option<String>,
    /// The seed of prompts and order
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Print what would be sent and its worst case, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Stop before a block that would send more than so many requests in all
    #[arg(long, value_name = "N")]
    max_requests: Option<u64>,
    /// Stop between blocks once so many tokens are used in all (a block may run over)
    #[arg(long, value_name = "N")]
    max_total_tokens: Option<u64>,
    /// Go on with an interrupted run, or with the `latest`; its stored plan says the rest, and a plan named beside it must be that one
    #[arg(long, value_name = "RUN", conflicts_with_all = ["preset", "targets", "rounds", "prompts", "seed", "name", "thinking", "max_tokens", "sequential", "no_text", "transport", "vantage"])]
    resume: Option<PathBuf>,
    /// One round into the plan's run, and out: the round that is due now, or the next one where no calendar says when. For cron and timers
    #[arg(long, conflicts_with = "resume")]
    round_now: bool,
    /// Wait for another process that works on the plan's run, so many seconds at most; without a number, as long as it takes
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, requires = "round_now")]
    wait: Option<Option<u64>>,
    /// A folder of provider files that stand before the built-in ones (may be repeated)
    #[arg(long, value_name = "DIR")]
    providers: Vec<PathBuf>,
    #[command(flatten)]
    keys: KeyWays,
    /// Where run folders are made
    #[arg(long, value_name = "DIR", default_value = "results")]
    results: PathBuf,
    /// The run's name, part of its folder's
    #[arg(long)]
    name: Option<String>,
    /// Ask the models to think, or not to
    #[arg(long, value_parser = thinking)]
    thinking: Option<Thinking>,
    /// Cap on the tokens of a reply
    #[arg(long, value_name = "N")]
    max_tokens: Option<u64>,
    /// Targets of a block one after another, not at once
    #[arg(long)]
    sequential: bool,
    /// Keep token counts and a keyed hash of the replies, not their text
    #[arg(long)]
    no_text: bool,
    /// A tokenizer.json to count with where no text is kept
    #[arg(long, value_name = "PATH")]
    tokenizer: Option<PathBuf>,
    /// Which client reads the streams: kernel (exact times) or reqwest (SOCKS, HTTP/2)
    #[arg(long, value_parser = transport)]
    transport: Option<TransportKind>,
    /// Where this is measured from, in your own words
    #[arg(long, value_name = "TEXT")]
    vantage: Option<String>,
    #[command(flatten)]
    showing: Showing,
}

pub fn thinking(text: &str) -> Result<Thinking, String> {
    match text {
        "on" => Ok(Thinking::On),
        "off" => Ok(Thinking::Off),
        "default" => Ok(Thinking::Default),
        _ => Err("known are on, off and default".into()),
    }
}

pub fn transport(text: &str) -> Result<TransportKind, String> {
    match text {
        "kernel" => Ok(TransportKind::Kernel),
        "reqwest" => Ok(TransportKind::Reqwest),
        _ => Err("known are kernel and reqwest".into()),
    }
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<Done> {
    let manner = args.showing.manner(Unwatched::Silent);
    let catalog = Catalog::load(&args.providers)?;
    if let Some(folder) = &args.resume {
        return resume(folder, &catalog, &args, manner);
    }
    if args.round_now && !args.dry_run {
        // A budget that grows is no other plan: the run is found by what was planned.
        let patch = Patch { max_requests: None, max_total_tokens: None, ..patch(&args) };
        let planned = Planned::read(args.plan.as_deref(), &patch, &catalog)?;
        let plans_run = PlansRun { results: &args.results, keys: &args.keys, wait: args.wait.into(), budget: budget(&args) };
        return plans_run.one_round(planned, &catalog, manner);
    }
    let planned = Planned::read(args.plan.as_deref(), &patch(&args), &catalog)?.beginning()?;
    tell_worst_case(&planned.plan, &planned.targets, &planned.dataset, args.dry_run);
    let with_keys = keys(planned.targets.clone(), &catalog, &args.keys, args.dry_run)?;
    if args.dry_run {
        return Ok(Done::Well);
    }
    let sitting = Sitting { manner, extent: Extent::All, again: Again::Resume };
    tell(race(planned.race(with_keys, args.results)?, &catalog, sitting)?)
}

/// The budget that the command line gives, stronger than the plan's. Where a run is gone on with it is not part of the plan.
fn budget(args: &Args) -> Budget {
    Budget { max_requests: args.max_requests, max_total_tokens: args.max_total_tokens }
}

fn patch(args: &Args) -> Patch {
    Patch {
        name: args.name.clone(),
        targets: args.targets.iter().map(TargetEntry::named).collect(),
        dataset: args.dataset.clone(),
        prompts: args.prompts,
        rounds: args.rounds,
        preset: args.preset,
        seed: args.seed,
        sequential: args.sequential,
        thinking: args.thinking,
        max_tokens: args.max_tokens,
        max_requests: args.max_requests,
        max_total_tokens: args.max_total_tokens,
        no_text: args.no_text,
        tokenizer: args.tokenizer.clone(),
        transport: args.transport,
        vantage: args.vantage.clone(),
    }
}

/// Requests and tokens in the worst case, for whoever pays for them; local servers cost nothing.
fn tell_worst_case(plan: &Plan, targets: &[TargetFacts], dataset: &Dataset, always: bool) {
    let remote: Vec<&TargetFacts> = targets.iter().filter(|target| always || is_remote(target)).collect();
    let worst: Vec<_> = estimate(plan, targets, dataset).into_iter().filter(|worst| remote.iter().any(|t| t.id == worst.target)).collect();
    if !worst.is_empty() {
        let width = worst.iter().map(|worst| worst.target.as_str().chars().count()).max().unwrap_or(0);
        say(&format!("{} rounds of {} prompts; at most, by target:", plan.rounds, plan.prompts.len()));
        for worst in worst {
            let (target, requests, tokens) = (worst.target.as_str(), worst.requests, worst.tokens());
            say(&format!("  {target:width$}  {requests:>6} requests  {tokens:>10} tokens (prompt {})", worst.prompt_tokens));
        }
        let limits = &plan.limits;
        let [first, idle, total] = [limits.first_token_ms, limits.idle_ms, limits.total_ms].map(|ms| ms as f64 / 1000.0);
        say(&format!("  limits of a request: first token {first} s, between texts {idle} s, total {total} s"));
    }
    if 0 < plan.every_s {
        let hours = (u64::from(plan.rounds) * plan.every_s) as f64 / 3600.0;
        say(&format!("one round in every {} s: the run takes {hours:.1} h", plan.every_s));
    }
    if let Some(schedule) = &plan.schedule {
        tell_schedule(schedule, plan.rounds);
    }
    let pacing = pacing(plan, targets, dataset, &moments(plan));
    pacing.lines.iter().for_each(|line| say(line));
    for warning in slow_warnings(plan, targets).into_iter().chain(pacing.warnings) {
        say(&format!("warning: {warning}"));
    }
}

/// When rounds come of a run that begins now; nothing where they follow one another.
fn moments(plan: &Plan) -> Vec<jiff::Timestamp> {
    let now = Clock::System.wall();
    let slot = |round: u32| now.checked_add(std::time::Duration::from_secs(plan.every_s.saturating_mul(round.into()))).ok();
    match &plan.schedule {
        Some(schedule) => times(&schedule.calendar(now)).map(|times| times.take(plan.rounds as usize).collect()).unwrap_or_default(),
        None if plan.every_s == 0 => Vec::new(),
        None => (0..plan.rounds).map_while(slot).collect(),
    }
}

/// From when to when a schedule goes that begins now, on its own clock.
fn tell_schedule(schedule: &Scheduled, rounds: u32) {
    let calendar = schedule.calendar(Clock::System.wall());
    let (Ok(times), Ok(zone)) = (times(&calendar), zone(&calendar.zone)) else { return };
    let all: Vec<jiff::Timestamp> = times.take(rounds as usize).collect();
    let Some((first, last)) = all.first().zip(all.last()) else { return };
    let shown = |at: &jiff::Timestamp| at.to_zoned(zone.clone()).strftime("%F %H:%M").to_string();
    let days = (last.as_second() - first.as_second()) as f64 / 86_400.0;
    let (cron, zone_name, n) = (&calendar.cron, &calendar.zone, all.len());
    say(&format!(
        "{n} rounds at \"{cron}\" on the clock of {zone_name}: the first at {}, the last at {}, {days:.1} days",
        shown(first),
        shown(last)
    ));
    if 0 < calendar.jitter_s {
        say(&format!("  each begins up to {} s after its time", calendar.jitter_s));
    }
}

/// Goes on with an interrupted run: the manifest says everything that the plan said.
fn resume(folder: &Path, catalog: &Catalog, args: &Args, manner: Manner) -> anyhow::Result<Done> {
    let folder = super::reading::folder(folder, &args.results)?;
    let run = Run::open_thin(&folder, runner::thin)?;
    if let Some(plan) = &args.plan {
        let (_, text) = plan_file(Some(plan), Path::new(""))?;
        if !text.is_some_and(|text| run.was_planned_by(&text)) {
            let (plan, folder) = (plan.display(), folder.display());
            bail!(
                "{plan}: {folder} was made from another plan, or this one was changed since; leave the plan out to go on, or start a new run"
            );
        }
    }
    if run.manifest.load.is_some() {
        bail!("{}: a load run is not gone on with, its stages belong together in time; run `photofinish load` anew", folder.display());
    }
    if !can_go_on(&run.manifest) {
        bail!("{}: a simulated run cannot be resumed, its providers are gone; start it anew", folder.display());
    }
    let name = args.dataset.as_deref().unwrap_or(&run.manifest.dataset.name);
    let dataset = Dataset::find(name, Path::new("")).context("the run's data set")?;
    if dataset.digest != run.manifest.dataset.digest {
        bail!("{name}: this data set has changed since the run began; give the old file by --dataset, or start a new run");
    }
    let budget = larger(&budget(args), &run.manifest.budget);
    let blocks = u64::from(run.manifest.design.rounds) * u64::from(run.manifest.design.prompts);
    let done = crate::store::scored_blocks(&run).len();
    say(&format!("{}: {done} of {blocks} blocks are on record", folder.display()));
    let (_, keys) = keys(run.manifest.targets.clone(), catalog, &args.keys, args.dry_run)?;
    if args.dry_run {
        return Ok(Done::Well);
    }
    let manifest = Manifest { budget, ..run.manifest };
    let sitting = Sitting { manner, extent: Extent::All, again: Again::Resume };
    tell(go_on(GoOn { folder, manifest, keys, tokenizer: args.tokenizer.clone() }, &dataset, catalog, sitting)?)
}
