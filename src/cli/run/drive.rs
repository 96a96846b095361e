//! Starts a race on its own thread and sees it through: progress, Ctrl-C, the end.

use super::super::listening::{Samples, until_over};
use super::super::progress::{Display, Manner};
use super::prepare;
use super::telling::Telling;
use crate::clock::Clock;
use crate::dataset::Dataset;
use crate::ident::{PromptId, TargetId};
use crate::plan::{Plan, Schedule};
use crate::provider::Catalog;
use crate::record::{Budget, Line, Manifest, Note, Simulated, TargetFacts, TextKept, TransportKind};
use crate::runner::{self, Before, Extent, Raced, Racer, RunInputs, Stop};
use crate::secret::Secret;
use crate::store::{Journal, Prepare};
use crate::tokens::Reference;
use crate::wire::{ReqwestTransport, Roots, Transport};
use anyhow::{Context, bail};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// Everything that a new race is made from.
pub struct Race {
    /// The plan.
    pub plan: Plan,
    /// What is stored as `plan.yaml`.
    pub plan_text: String,
    /// The data set that the plan names.
    pub dataset: Dataset,
    /// One a target of the plan, in its order.
    pub targets: Vec<TargetFacts>,
    /// Each target's key.
    pub keys: Vec<Option<Secret>>,
    /// The time scale of a race among simulated providers; limits are shortened by it.
    pub simulated: Option<Simulated>,
    /// What stops it between blocks: the plan's budget, or one that was given for this run alone.
    pub budget: Budget,
    /// Where the run folder is made.
    pub results: PathBuf,
}

/// A run to go on with.
pub struct GoOn {
    /// Its folder.
    pub folder: PathBuf,
    /// As it lies there, under a budget that may have grown.
    pub manifest: Manifest,
    /// Each target's key.
    pub keys: Vec<Option<Secret>>,
    /// The tokenizer that it counts with, where that is not the embedded one.
    pub tokenizer: Option<PathBuf>,
}

/// How one sitting of a run is held.
#[derive(Debug, Clone, Copy)]
pub struct Sitting {
    /// How its progress is shown.
    pub manner: Manner,
    /// How much of the run it does.
    pub extent: Extent,
    /// How the run is gone on with where the sitting is interrupted.
    pub again: Again,
}

/// How an interrupted run is gone on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// By `run --resume`.
    Resume,
    /// By the same command: it finds the plan's run.
    SameCommand,
    /// Not at all: its simulated providers end with this process.
    Never,
}

/// A race that is over.
#[derive(Debug)]
pub struct RaceOver {
    /// Its folder and how it ended.
    pub raced: Raced,
    /// How it is gone on with.
    pub again: Again,
    /// Rounds planned.
    pub rounds: u32,
    /// The zone on whose clock moments are told.
    pub zone: TimeZone,
    /// Targets that gave no usable sample, and how their last request went.
    pub without_sample: Vec<(TargetId, String)>,
}

/// Runs a new race to its end, or one round of it.
pub fn race(race: Race, catalog: &Catalog, sitting: Sitting) -> anyhow::Result<RaceOver> {
    let dataset = race.dataset.clone();
    let (manifest, racers, journal) = begin(race, catalog, |manifest| manifest)?;
    see_through(manifest, racers, journal, Before::default(), &dataset, sitting)
}

/// Lays a new run's folder down and makes ready whom it asks; `change` has the last word on its manifest.
pub fn begin(race: Race, catalog: &Catalog, change: impl FnOnce(Manifest) -> Manifest) -> anyhow::Result<(Manifest, Vec<Racer>, Journal)> {
    let exact = race.dataset.prompts.iter().filter_map(|prompt| Some((prompt.id.clone(), prompt.answer.clone()?))).collect();
    let (text, prepare) = text_kept(race.plan.keep_text, race.plan.tokenizer.as_deref(), exact)?;
    let manifest = change(prepare::manifest(&race, catalog, text)?);
    let racers = racers(&manifest, race.keys, catalog)?;
    let journal = Journal::create(&race.results, &manifest, &race.plan_text, prepare)?;
    Ok((manifest, racers, journal))
}

impl Race {
    /// The texts of the plan's prompts, without nonce.
    pub fn prompts(&self) -> BTreeMap<PromptId, String> {
        self.plan.prompts.iter().filter_map(|id| Some((id.clone(), self.dataset.prompt(id)?.text.clone()))).collect()
    }
}

/// Goes on with a run.
pub fn go_on(run: GoOn, dataset: &Dataset, catalog: &Catalog, sitting: Sitting) -> anyhow::Result<RaceOver> {
    let GoOn { folder, manifest, keys, tokenizer } = run;
    let exact = manifest.dataset.prompts.iter().filter_map(|prompt| Some((prompt.id.clone(), prompt.answer.clone()?))).collect();
    let (text, prepare) = text_kept(manifest.text == TextKept::Full, tokenizer.as_deref(), exact)?;
    if text != manifest.text {
        bail!(
            "this run counts by another tokenizer than {}; give the same one by --tokenizer",
            tokenizer.map_or("o200k".into(), |p| p.display().to_string())
        );
    }
    let racers = racers(&manifest, keys, catalog)?;
    let (journal, run) = Journal::resume_thin(&folder, prepare, runner::thin)?;
    let wall = Clock::System.wall();
    journal.append(Line::Note(Note { wall, text: format!("resumed by photofinish {}", env!("CARGO_PKG_VERSION")) }));
    see_through(manifest, racers, journal, Before::of(&run), dataset, sitting)
}

/// Whether a run can be gone on with: the demo's cannot, its providers ended with it.
pub fn can_go_on(manifest: &Manifest) -> bool {
    manifest.simulated.as_ref().is_none_or(|simulated| simulated.scale == 1.0)
}

/// What is kept of the text, and what is done to each line before it is written; `exact` are the exact answers of the prompts.
fn text_kept(full: bool, tokenizer: Option<&Path>, exact: BTreeMap<PromptId, String>) -> anyhow::Result<(TextKept, Prepare)> {
    if full {
        return Ok((TextKept::Full, runner::keep_text()));
    }
    let reference = match tokenizer {
        Some(path) => Reference::file(path)?,
        None => Reference::o200k(),
    };
    let text = TextKept::Counts { tokenizer: reference.name().to_owned() };
    Ok((text, runner::keep_counts(reference, rand::random(), exact)))
}

fn racers(manifest: &Manifest, keys: Vec<Option<Secret>>, catalog: &Catalog) -> anyhow::Result<Vec<Racer>> {
    let roots = Roots::system();
    let kernel = kernel_transport(&roots);
    let reqwest: Arc<dyn Transport> = Arc::new(ReqwestTransport::new(roots.clone()));
    let racer = |(facts, key): (&TargetFacts, Option<Secret>)| {
        let transport = match facts.transport {
            TransportKind::Kernel => {
                kernel.clone().with_context(|| format!("{}: `transport: kernel` needs Unix; take `reqwest`", facts.id))?
            }
            // A target's HTTP/2 connection is its own, also where another one asks the same host.
            TransportKind::Reqwest if facts.http2 => Arc::new(ReqwestTransport::new(roots.clone())),
            TransportKind::Reqwest => reqwest.clone(),
        };
        let endpoint = catalog.endpoint(facts, manifest.limits.connect_ms);
        Ok(Racer { facts: facts.clone(), provider: catalog.provider(facts)?, endpoint, transport, key })
    };
    manifest.targets.iter().zip(keys).map(racer).collect()
}

/// Our own transport, where this system has its sockets.
#[cfg(all(unix, not(photofinish_portable)))]
fn kernel_transport(roots: &Roots) -> Option<Arc<dyn Transport>> {
    Some(Arc::new(crate::wire::KernelTransport::new(roots.clone())))
}

#[cfg(not(all(unix, not(photofinish_portable))))]
fn kernel_transport(_: &Roots) -> Option<Arc<dyn Transport>> {
    None
}

/// The race runs on its own thread; this one draws and listens for Ctrl-C.
fn see_through(
    manifest: Manifest,
    racers: Vec<Racer>,
    journal: Journal,
    before: Before,
    dataset: &Dataset,
    sitting: Sitting,
) -> anyhow::Result<RaceOver> {
    let schedule = Schedule::of(&manifest)?;
    let prompts: BTreeMap<PromptId, String> =
        manifest.dataset.prompts.iter().filter_map(|facts| Some((facts.id.clone(), dataset.prompt(&facts.id)?.text.clone()))).collect();
    let samples = Samples::of(&manifest.targets, &before.usable);
    let (rounds, zone) = (manifest.design.rounds, zone_of(&manifest));
    let mut telling = Telling::new(Display::new(sitting.manner, Clock::System, zone.clone()), manifest.budget.clone(), samples);
    telling.begun(journal.folder(), &manifest, &schedule, &before, sitting.extent);
    let (stop_sender, stop) = watch::channel(Stop::Go);
    let (progress, told) = mpsc::unbounded_channel();
    let (clock, extent) = (Clock::System, sitting.extent);
    let inputs = RunInputs { manifest, schedule, prompts, racers, journal, before, clock, stop, extent, progress };
    let measuring = runner::spawn(inputs).context("no thread to measure on")?;
    let raced = until_over(measuring, told, &stop_sender, &mut telling)?;
    let without_sample = telling.ended(&raced.outcome);
    Ok(RaceOver { raced, again: sitting.again, rounds, zone, without_sample })
}

/// The zone on whose clock the moments of a run's rounds are told: its calendar's, else this machine's.
pub fn zone_of(manifest: &Manifest) -> TimeZone {
    let zone = manifest.design.calendar.as_ref().and_then(|calendar| TimeZone::get(&calendar.zone).ok());
    zone.unwrap_or_else(TimeZone::system)
}
