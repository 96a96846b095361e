//! `photofinish demo`: the main job on simulated providers, with nothing but this binary.

use super::judging::Strictness;
use super::progress::{Showing, Unwatched};
use super::reading::{Counting, Writing, joined, open};
use super::run::{Again, Race, Sitting, race, tell};
use super::simulator::{Simulator, System};
use super::{Done, league, table};
use crate::analysis::Quantity;
use crate::dataset::Dataset;
use crate::plan::{Patch, PlanFile, Prompts, TargetEntry, resolve};
use crate::provider::Catalog;
use crate::record::{Simulated, TargetFacts};
use crate::report::Format;
use crate::runner::Extent;
use crate::stats::Confidence;
use std::path::{Path, PathBuf};

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Rounds: each asks every prompt once of every target
    #[arg(long, default_value_t = 6, value_name = "N")]
    rounds: u32,
    /// Prompts a round
    #[arg(long, default_value_t = 4, value_name = "N")]
    prompts: u32,
    /// The seed of prompts and order
    #[arg(long, default_value_t = 1, value_name = "S")]
    seed: u64,
    /// Where the run folder is made
    #[arg(long, value_name = "DIR", default_value = "results")]
    results: PathBuf,
    #[command(flatten)]
    counting: Counting,
    #[command(flatten)]
    writing: Writing,
}

/// What the demo asks: the shortest set, since the simulated providers do not read it anyway.
const DATASET: &str = "short-en";

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<Done> {
    args.writing.check()?;
    let simulator = Simulator::start("builtin:demo")?;
    let scale = simulator.ready.scale;
    anstream::eprintln!("SIMULATED providers at the speeds that were published for them; all times run {scale} times faster");
    let catalog = Catalog::load(&[])?;
    let dataset = Dataset::find(DATASET, Path::new(""))?;
    let file = PlanFile {
        name: Some("demo".into()),
        targets: simulator.ready.details.iter().map(|system| entry(&simulator.ready.base, system)).collect(),
        dataset: Some(DATASET.into()),
        prompts: Some(Prompts::Count(args.prompts)),
        rounds: Some(args.rounds),
        seed: Some(args.seed),
        ..PlanFile::default()
    };
    let plan_text = serde_yaml::to_string(&file)?;
    let plan = resolve(file, &Patch::default(), None, &dataset)?;
    let titled = plan.targets.iter().zip(&simulator.ready.details);
    let targets = titled
        .map(|(entry, system)| Ok(TargetFacts { title: system.title.clone(), ..catalog.target(entry)? }))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let keys = vec![None; targets.len()];
    let simulated = Some(Simulated { scale });
    let budget = plan.budget.clone();
    let race_made = Race { plan, plan_text, dataset, targets, keys, simulated, budget, results: args.results };
    let manner = Showing::default().manner(Unwatched::Silent);
    let over = race(race_made, &catalog, Sitting { manner, extent: Extent::All, again: Again::Never })?;
    drop(simulator);
    let folder = over.raced.folder.clone();
    let done = tell(over)?;
    if done != Done::Interrupted {
        let runs = open(std::slice::from_ref(&folder), &folder, &args.counting)?;
        let mut text = table::write(&runs, Confidence::DEFAULT, &args.counting, &args.writing)?;
        // Files hold one document each; people are shown whom these rounds tell apart, too.
        if matches!(args.writing.format, Format::Terminal | Format::Markdown) {
            let joined = joined(&runs, args.writing.lang)?;
            let strictness = Strictness::of(Quantity::ContentSpeed);
            let league = league::full(&joined, &args.counting, &strictness, args.writing.lang)?;
            text = format!("{text}\n{}", league.write(args.writing.format, args.writing.columns()));
        }
        args.writing.write(&text)?;
    }
    Ok(done)
}

/// A simulated system as a target: read by the profile of the provider that it imitates.
fn entry(base: &str, system: &System) -> TargetEntry {
    TargetEntry {
        target: format!("{base}/{}={}", system.name, system.model),
        name: Some(system.name.clone()),
        provider: Some(system.provider.clone()),
        simulated: true,
        ..TargetEntry::default()
    }
}
