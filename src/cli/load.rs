//! `photofinish load`: stages of users or arrivals against servers that one may load, and the table of what came of it.

mod allowed;
mod drive;
mod machine;

use super::progress::{Showing, Unwatched};
use super::ramp::{Level, Shown, level, of_folder};
use super::reading::{Counting, Writing};
use super::run::{KeyWays, Planned, keys};
use super::{Done, say};
use crate::dataset::Dataset;
use crate::plan::{LoadWish, Patch, Plan, PlanError, TargetEntry, tokens_at_most};
use crate::provider::Catalog;
use crate::record::{LoadDesign, Offered, Spread, StageOrder, TargetFacts, Thinking, TransportKind, Until};
use crate::runner::Outcome;
use anyhow::bail;
use std::path::{Path, PathBuf};

/// Arguments of `load`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A plan whose targets, data set, sampling and limits are taken; its rounds and schedule are not
    plan: Option<PathBuf>,
    /// A target: http://host:port/v1=model, provider/model, or a name in the plan (may be repeated; they take turns stage by stage)
    #[arg(long = "target", value_name = "T")]
    targets: Vec<String>,
    #[command(flatten)]
    stages: Stages,
    /// The service level, such as `ttft_p95<1s,tpot_p95<50ms`
    #[arg(long, value_name = "CONDITIONS", value_parser = level)]
    slo: Option<Level>,
    /// No higher stage of a target is begun once this is met, such as `failures>5%`
    #[arg(long, value_name = "CONDITIONS", value_parser = level)]
    stop_when: Option<Level>,
    /// Your word that whoever owns the targets agrees; needed unless they are on this machine or in a private network
    #[arg(long)]
    i_may_load_this: bool,
    /// Print what would be sent and its worst case, check this machine's limits, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// A built-in data set, or a .jsonl file
    #[arg(long, value_name = "D")]
    dataset: Option<String>,
    /// Prompts of the data set, drawn by the seed [default: all of them]
    #[arg(long, value_name = "N")]
    prompts: Option<u32>,
    /// The seed of prompts, orders and arrivals
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Begin no stage that would send more than so many requests in all
    #[arg(long, value_name = "N")]
    max_requests: Option<u64>,
    /// Send no more once so many tokens are used in all
    #[arg(long, value_name = "N")]
    max_total_tokens: Option<u64>,
    /// Ask the models to think, or not to
    #[arg(long, value_parser = super::run::thinking)]
    thinking: Option<Thinking>,
    /// Cap on the tokens of a reply
    #[arg(long, value_name = "N")]
    max_tokens: Option<u64>,
    /// Keep token counts and a keyed hash of the replies, not their text
    #[arg(long)]
    no_text: bool,
    /// Which client reads the streams: kernel (exact times) or reqwest (SOCKS, HTTP/2)
    #[arg(long, value_parser = super::run::transport)]
    transport: Option<TransportKind>,
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
    /// Where this is measured from, in your own words
    #[arg(long, value_name = "TEXT")]
    vantage: Option<String>,
    #[command(flatten)]
    shown: Shown,
    #[command(flatten)]
    counting: Counting,
    #[command(flatten)]
    writing: Writing,
    #[command(flatten)]
    showing: Showing,
}

/// What is offered, how long and how often.
#[derive(Debug, clap::Args)]
struct Stages {
    /// Users of each stage: each asks again as soon as its reply has ended [default: 1,50,100,200,300]
    #[arg(long = "stages", value_name = "USERS", value_delimiter = ',', conflicts_with = "rates")]
    users: Vec<u32>,
    /// Arrivals a second of each stage, whether or not earlier ones have ended; latency counts from the scheduled moment
    #[arg(long = "rate", value_name = "PER_S", value_delimiter = ',')]
    rates: Vec<f64>,
    /// How arrivals are spread: constant, poisson or gamma:SHAPE [default: poisson]
    #[arg(long, value_name = "SPREAD", value_parser = spread)]
    arrivals: Option<Spread>,
    /// A stage ends after so many requests of all its users [default: 5 a user, at least 20]
    #[arg(long, value_name = "N", conflicts_with = "duration")]
    requests: Option<u64>,
    /// A stage sends for so long, such as 60s; what is in flight is read to its end [default with --rate: 60s]
    #[arg(long, value_name = "TIME", value_parser = millis)]
    duration: Option<u64>,
    /// How often every stage is run on every target; 3 are needed for intervals and words [default: 3]
    #[arg(long, value_name = "N")]
    passes: Option<u32>,
    /// The order of the stages in a pass: shuffled or ascending [default: shuffled; ascending with --stop-when]
    #[arg(long, value_name = "ORDER", value_parser = order)]
    order: Option<StageOrder>,
    /// Rest after each stage [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = millis)]
    rest: Option<u64>,
    /// Each request opens a connection of its own; else connections are opened before a stage begins
    #[arg(long)]
    cold: bool,
    /// With --rate: an arrival that finds so many requests in flight is not sent [default: 1000]
    #[arg(long, value_name = "N", requires = "rates")]
    max_in_flight: Option<u32>,
}

fn order(word: &str) -> Result<StageOrder, String> {
    match word {
        "shuffled" => Ok(StageOrder::Shuffled),
        "ascending" => Ok(StageOrder::Ascending),
        _ => Err("known are shuffled and ascending".into()),
    }
}

fn spread(word: &str) -> Result<Spread, String> {
    let shape = |text: &str| text.parse().map(|shape| Spread::Gamma { shape }).map_err(|_| "behind gamma: stands a number".to_owned());
    match word {
        "constant" => Ok(Spread::Constant),
        "poisson" => Ok(Spread::Poisson),
        "gamma" => Err("gamma needs its shape: gamma:0.5 is burstier than Poisson, gamma:2 more even".into()),
        _ => word.strip_prefix("gamma:").map_or_else(|| Err("known are constant, poisson and gamma:SHAPE".into()), shape),
    }
}

/// A time with its unit, in milliseconds.
fn millis(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, f64); 4] = [("ms", 1.0), ("s", 1e3), ("min", 60e3), ("h", 3600e3)];
    let read = |(unit, ms): (&str, f64)| Some(text.strip_suffix(unit)?.trim().parse::<f64>().ok()? * ms);
    let ms = UNITS.into_iter().find_map(read).filter(|ms| ms.is_finite() && 0.0 <= *ms && *ms <= 1e12);
    ms.map(|ms| ms.round() as u64).ok_or_else(|| "a time with its unit is wanted: 500ms, 10s, 5min or 1h".into())
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<Done> {
    args.writing.check()?;
    let manner = args.showing.manner(Unwatched::Silent);
    let catalog = Catalog::load(&args.providers)?;
    let design = wish(&args).design()?;
    let mut planned = Planned::read(args.plan.as_deref(), &patch(&args)?, &catalog)?;
    // A load has passes, not rounds: what the plan says of those is left aside.
    (planned.plan.schedule, planned.plan.every_s, planned.plan.preset) = (None, 0, None);
    (planned.plan.rounds, planned.plan.warm_up) = (design.passes, false);
    allowed::by_owner(&planned.targets, args.i_may_load_this)?;
    allowed::by_pace(&planned.targets, &design)?;
    machine::fits(&design)?;
    if args.dry_run || planned.targets.iter().any(super::run::is_remote) {
        tell_worst_case(&planned.plan, &planned.targets, &planned.dataset, &design);
    }
    let with_keys = keys(planned.targets.clone(), &catalog, &args.keys, args.dry_run)?;
    if args.dry_run {
        return Ok(Done::Well);
    }
    let mut race = planned.race(with_keys, args.results.clone())?;
    if args.plan.is_none() {
        // What stands below the first line is a plan that names the same targets; the stages are in the manifest.
        let below = race.plan_text.split_once('\n').map_or("", |(_, below)| below);
        race.plan_text = format!("# The targets of a load run; its stages are in manifest.json.\n{below}");
    }
    let (raced, without_sample) = drive::load(race, design, &catalog, manner)?;
    say(&format!("photofinish ramp {}", raced.folder.display()));
    match &raced.outcome {
        Outcome::RecordFailed(fault) => bail!("the record cannot be written: {fault}"),
        Outcome::BudgetSpent(how) => say(&format!("budget spent: {how}; the stages that were not run are missing")),
        Outcome::AllStopped => say("every target is stopped; see the reasons above"),
        Outcome::Interrupted => say("interrupted; a stage that was under way is no sample"),
        Outcome::Finished | Outcome::RoundDone { .. } | Outcome::NoRoundDue { .. } => {}
    }
    for (target, last) in &without_sample {
        let how = if last.is_empty() { String::new() } else { format!("; the last request: {last}") };
        say(&format!("no usable sample from {target}{how}"));
    }
    let done = of_folder(&raced.folder, &args.shown, &args.counting, &args.writing)?;
    Ok(match raced.outcome {
        Outcome::Interrupted => Done::Interrupted,
        _ if done == Done::Well && !without_sample.is_empty() => Done::WithoutSample,
        _ => done,
    })
}

fn wish(args: &Args) -> LoadWish {
    let Stages { users, rates, arrivals, requests, duration, passes, order, rest, cold, max_in_flight } = &args.stages;
    let text = |level: &Option<Level>| level.as_ref().map(Level::to_string);
    LoadWish {
        stages: users.clone(),
        rates: rates.clone(),
        spread: *arrivals,
        requests: *requests,
        lasting_ms: *duration,
        passes: *passes,
        order: *order,
        rest_ms: *rest,
        cold: *cold,
        max_in_flight: *max_in_flight,
        slo: text(&args.slo),
        stop_when: text(&args.stop_when),
    }
}

fn patch(args: &Args) -> anyhow::Result<Patch> {
    let patch = Patch {
        name: args.name.clone().or_else(|| args.plan.is_none().then(|| "load".to_owned())),
        targets: args.targets.iter().map(TargetEntry::named).collect(),
        dataset: args.dataset.clone(),
        prompts: args.prompts,
        seed: args.seed,
        thinking: args.thinking,
        max_tokens: args.max_tokens,
        max_requests: args.max_requests,
        max_total_tokens: args.max_total_tokens,
        no_text: args.no_text,
        tokenizer: args.counting.tokenizer.clone(),
        transport: args.transport,
        vantage: args.vantage.clone(),
        ..Patch::default()
    };
    if args.prompts.is_some() || args.plan.is_some() {
        return Ok(patch);
    }
    // Many requests, few prompts: all that there are.
    let dataset = Dataset::find(args.dataset.as_deref().unwrap_or("short-en"), Path::new(""))?;
    Ok(Patch { prompts: Some(dataset.prompts.len() as u32), ..patch })
}

/// Requests and tokens in the worst case, for whoever owns the servers or pays for them.
fn tell_worst_case(plan: &Plan, targets: &[TargetFacts], dataset: &Dataset, design: &LoadDesign) {
    let requests = |stage: &Offered| match (design.until, stage) {
        (Until::Lasting { ms }, Offered::Arrivals { per_s, .. }) => Some((per_s * ms as f64 / 1e3).ceil() as u64),
        (until, stage) => until.requests(stage),
    };
    let all: Option<Vec<u64>> = design.stages.iter().map(requests).collect();
    let (passes, stages) = (u64::from(design.passes), design.stages.len());
    say(&format!("{passes} × {stages} stages on each target; at most:"));
    match all.map(|all| passes * all.iter().sum::<u64>()) {
        None => say("  as many requests as the servers answer in that time"),
        Some(requests) => {
            let longest = plan.prompts.iter().filter_map(|id| dataset.prompt(id)).map(|prompt| tokens_at_most(&prompt.text)).max();
            for target in targets {
                let each = longest.unwrap_or(0) + target.sampling.max_tokens.unwrap_or(0);
                say(&format!("  {}: {requests} requests, {} tokens at most", target.id, requests * each));
            }
        }
    }
    if let Until::Lasting { ms } = design.until {
        let cells = passes * stages as u64 * targets.len() as u64;
        say(&format!("  sending takes {:.0} min, rests included", (cells * (ms + design.rest_ms)) as f64 / 60e3));
    }
}

/// An error of a flag.
fn fault(flag: &str, message: impl Into<String>) -> anyhow::Error {
    PlanError::at(None, flag, message).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit() {
        assert_eq!(["500ms", "10s", "1.5min", "1h", "0s"].map(millis), [Ok(500), Ok(10_000), Ok(90_000), Ok(3_600_000), Ok(0)]);
        assert!(["10", "s", "-1s", "ten s", ""].iter().all(|text| millis(text).is_err()));
    }

    #[test]
    fn arrivals_are_spread_by_name() {
        assert_eq!(spread("gamma:0.5"), Ok(Spread::Gamma { shape: 0.5 }));
        assert_eq!(spread("poisson"), Ok(Spread::Poisson));
        assert!(spread("gamma").unwrap_err().contains("shape") && spread("uniform").is_err() && spread("gamma:x").is_err());
    }
}
