//! `photofinish run`: from a plan, or from flags alone, to a run folder.

mod drive;
mod prepare;

use super::progress::{Showing, Unwatched};
use super::{Done, say};
use crate::clock::Clock;
use crate::dataset::Dataset;
use crate::plan::{Patch, Plan, PlanError, PlanFile, Preset, Scheduled, Source, TargetEntry, estimate, resolve, slow_warnings, times};
use crate::provider::{Catalog, Keys, UserConfig};
use crate::record::{Budget, Simulated, TargetFacts, Thinking, TransportKind, zone};
use crate::secret::{EnvFile, Secret};
use crate::store::Run;
use anyhow::{Context, bail};
use std::path::{Path, PathBuf};

pub use drive::{Race, race, tell};

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
    /// A folder of provider files that stand before the built-in ones (may be repeated)
    #[arg(long, value_name = "DIR")]
    providers: Vec<PathBuf>,
    /// A further host to which a key may go (may be repeated)
    #[arg(long, value_name = "HOST")]
    allow_key_host: Vec<String>,
    /// A file of NAME=value lines for keys that the environment does not hold; yours, and of mode 0600
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
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

fn thinking(text: &str) -> Result<Thinking, String> {
    match text {
        "on" => Ok(Thinking::On),
        "off" => Ok(Thinking::Off),
        "default" => Ok(Thinking::Default),
        _ => Err("known are on, off and default".into()),
    }
}

fn transport(text: &str) -> Result<TransportKind, String> {
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
        return resume(folder, &catalog, args.clone());
    }
    // A path typed on the command line counts from here, one in the plan from the plan's own folder.
    let folder = args.plan.as_deref().and_then(Path::parent).unwrap_or(Path::new("")).to_owned();
    let (file, text) = plan_file(args.plan.as_deref(), &folder)?;
    let name = args.plan.as_deref().map(|path| path.display().to_string());
    let source = name.as_deref().zip(text.as_deref()).map(|(file, text)| Source { file, text });
    let patch = patch(&args);
    let dataset = Dataset::find(file.dataset_name(&patch), if patch.dataset.is_some() { Path::new("") } else { &folder })?;
    let plan = resolve(file, &patch, source, &dataset)?.beginning(Clock::System.wall(), source)?;
    let targets = targets(&plan, &catalog, &patch, source)?;
    let simulated = simulated(&targets)?;
    tell_worst_case(&plan, &targets, &dataset, args.dry_run);
    let (targets, keys) = keys(targets, &catalog, &args)?;
    if args.dry_run {
        return Ok(Done::Well);
    }
    let plan_text = text.map_or_else(|| prepare::plan_text(&plan), Ok)?;
    let race_made = Race { plan, plan_text, dataset, targets, keys, simulated, results: args.results };
    tell(race(race_made, &catalog, manner)?)
}

fn plan_file(path: Option<&Path>, folder: &Path) -> anyhow::Result<(PlanFile, Option<String>)> {
    let Some(path) = path else { return Ok((PlanFile::default(), None)) };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            bail!("{}: no such file; `photofinish init` writes a plan, or name targets by --target", path.display())
        }
        Err(error) => return Err(error).with_context(|| path.display().to_string()),
    };
    let mut file = PlanFile::parse(Source { file: &path.display().to_string(), text: &text })?;
    file.tokenizer = file.tokenizer.map(|path| folder.join(path));
    for entry in &mut file.targets {
        entry.ca_file = entry.ca_file.take().map(|path| folder.join(path));
    }
    Ok((file, Some(text)))
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

/// The plan's targets, looked up in the catalog.
fn targets(plan: &Plan, catalog: &Catalog, patch: &Patch, source: Option<Source<'_>>) -> anyhow::Result<Vec<TargetFacts>> {
    let mut found: Vec<TargetFacts> = Vec::new();
    for (at, entry) in plan.targets.iter().enumerate() {
        let fault = |message: String| match (patch.targets.is_empty(), source) {
            (true, Some(source)) => PlanError::at(Some(source), &format!("targets[{at}]"), message),
            _ => PlanError::at(None, "--target", message),
        };
        let target = catalog.target(entry).map_err(|error| fault(error.to_string()))?;
        if found.iter().any(|other| other.id == target.id) {
            return Err(fault(format!("two targets are called `{}`; give one of them a `name:` of its own", target.id)).into());
        }
        let by_reqwest = target.transport == TransportKind::Reqwest;
        if target.http2 && !by_reqwest {
            return Err(fault(format!("{}: http2 needs `transport: reqwest`", target.id)).into());
        }
        if target.proxy.as_deref().is_some_and(|proxy| proxy.starts_with("socks")) && !by_reqwest {
            return Err(fault(format!("{}: a SOCKS proxy needs `transport: reqwest`", target.id)).into());
        }
        found.push(target);
    }
    Ok(found)
}

/// A race is among simulated providers or among real ones.
fn simulated(targets: &[TargetFacts]) -> anyhow::Result<Option<Simulated>> {
    let (simulated, real): (Vec<&TargetFacts>, Vec<&TargetFacts>) = targets.iter().partition(|target| target.simulated);
    match (simulated.first(), real.first()) {
        (Some(simulated), Some(real)) => bail!("`{}` is simulated and `{}` is not; race them apart", simulated.id, real.id),
        (Some(_), None) => Ok(Some(Simulated { scale: 1.0 })),
        (None, _) => Ok(None),
    }
}

type WithKeys = (Vec<TargetFacts>, Vec<Option<Secret>>);

/// Each target's key, before anything is sent. All that are missing are named at once; a dry run only warns of them.
fn keys(targets: Vec<TargetFacts>, catalog: &Catalog, args: &Args) -> anyhow::Result<WithKeys> {
    let file = args.env_file.as_deref().map(EnvFile::open).transpose()?.unwrap_or_default();
    let keys = Keys::with_file(catalog, UserConfig::load()?, args.allow_key_host.clone(), file);
    let (mut found, mut faults) = ((Vec::new(), Vec::new()), Vec::new());
    for mut target in targets {
        match keys.resolve(&target) {
            Ok(key) => {
                target.key_env = key.source;
                found.0.push(target);
                found.1.push(key.secret);
            }
            Err(fault) => faults.push(fault.to_string()),
        }
    }
    match (faults.is_empty(), args.dry_run) {
        (true, _) => {}
        (false, true) => say(&format!("a run would stop here:\n  {}", faults.join("\n  "))),
        (false, false) => bail!("{}", faults.join("\n       ")),
    }
    Ok(found)
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
    for warning in slow_warnings(plan, targets) {
        say(&format!("warning: {warning}"));
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

fn is_remote(target: &TargetFacts) -> bool {
    let url = url::Url::parse(&target.base_url).ok();
    match url.as_ref().and_then(url::Url::host) {
        Some(url::Host::Domain(name)) => name != "localhost",
        Some(url::Host::Ipv4(address)) => !address.is_loopback(),
        Some(url::Host::Ipv6(address)) => !address.is_loopback(),
        None => true,
    }
}

/// Goes on with an interrupted run: the manifest says everything that the plan said.
fn resume(folder: &Path, catalog: &Catalog, args: Args) -> anyhow::Result<Done> {
    let folder = super::reading::folder(folder, &args.results)?;
    let run = Run::open(&folder)?;
    if let Some(plan) = &args.plan {
        let (_, text) = plan_file(Some(plan), Path::new(""))?;
        if !text.is_some_and(|text| run.was_planned_by(&text)) {
            let (plan, folder) = (plan.display(), folder.display());
            bail!(
                "{plan}: {folder} was made from another plan, or this one was changed since; leave the plan out to go on, or start a new run"
            );
        }
    }
    if run.manifest.simulated.is_some() {
        bail!("{}: a simulated run cannot be resumed, its providers are gone; start it anew", folder.display());
    }
    let name = args.dataset.as_deref().unwrap_or(&run.manifest.dataset.name);
    let dataset = Dataset::find(name, Path::new("")).context("the run's data set")?;
    if dataset.digest != run.manifest.dataset.digest {
        bail!("{name}: this data set has changed since the run began; give the old file by --dataset, or start a new run");
    }
    let budget = Budget {
        max_requests: args.max_requests.or(run.manifest.budget.max_requests),
        max_total_tokens: args.max_total_tokens.or(run.manifest.budget.max_total_tokens),
    };
    let blocks = run.manifest.design.rounds * run.manifest.design.prompts;
    let done = crate::store::scored_blocks(&run).len();
    say(&format!("{}: {done} of {blocks} blocks are on record", folder.display()));
    let (_, keys) = keys(run.manifest.targets.clone(), catalog, &args)?;
    if args.dry_run {
        return Ok(Done::Well);
    }
    tell(drive::go_on(run, keys, &dataset, budget, args.tokenizer.as_deref(), catalog, args.showing.manner(Unwatched::Silent))?)
}
