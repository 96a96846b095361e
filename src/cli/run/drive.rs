//! Starts a race on its own thread and sees it through: progress, Ctrl-C, the end.

use super::super::progress::{Ahead, Came, Display, Event, Kind, Manner, Passed, RoundOf, Spent};
use super::super::signals::{Signals, stopping};
use super::super::{Done, say};
use super::prepare;
use crate::clock::Clock;
use crate::dataset::Dataset;
use crate::ident::{PromptId, TargetId};
use crate::plan::{Plan, Schedule};
use crate::provider::Catalog;
use crate::record::{Budget, Line, Manifest, Note, Role, RoundState, Simulated, TargetFacts, TextKept, TransportKind};
use crate::runner::{self, Before, Extent, Outcome, Progress, Raced, Racer, RunInputs, Stop};
use crate::secret::Secret;
use crate::store::{Journal, Prepare, Run};
use crate::tokens::Reference;
use crate::wire::{ReqwestTransport, Roots, Transport};
use anyhow::{Context, anyhow, bail};
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
    /// Where the run folder is made.
    pub results: PathBuf,
}

/// A race that is over.
#[derive(Debug)]
pub struct RaceOver {
    /// Its folder and how it ended.
    pub raced: Raced,
    /// It can be gone on with; a simulated run cannot, its providers are gone.
    pub resumable: bool,
    /// Targets that gave no usable sample, and how their last request went.
    pub without_sample: Vec<(TargetId, String)>,
}

/// What a target has given so far.
#[derive(Debug, Default)]
struct Sampled {
    usable: u64,
    last: String,
}

/// Runs a new race to its end.
pub fn race(race: Race, catalog: &Catalog, manner: Manner) -> anyhow::Result<RaceOver> {
    let exact = race.dataset.prompts.iter().filter_map(|prompt| Some((prompt.id.clone(), prompt.answer.clone()?))).collect();
    let (text, prepare) = text_kept(race.plan.keep_text, race.plan.tokenizer.as_deref(), exact)?;
    let manifest = prepare::manifest(&race, catalog, text)?;
    let racers = racers(&manifest, race.keys, catalog)?;
    let journal = Journal::create(&race.results, &manifest, &race.plan_text, prepare)?;
    see_through(manifest, racers, journal, Before::default(), &race.dataset, manner)
}

/// Goes on with a run under a budget that may have grown.
pub fn go_on(
    run: Run,
    keys: Vec<Option<Secret>>,
    dataset: &Dataset,
    budget: Budget,
    tokenizer: Option<&Path>,
    catalog: &Catalog,
    manner: Manner,
) -> anyhow::Result<RaceOver> {
    let asked = &run.manifest.dataset.prompts;
    let exact = asked.iter().filter_map(|prompt| Some((prompt.id.clone(), prompt.answer.clone()?))).collect();
    let (text, prepare) = text_kept(run.manifest.text == TextKept::Full, tokenizer, exact)?;
    if text != run.manifest.text {
        bail!(
            "this run counts by another tokenizer than {}; give the same one by --tokenizer",
            tokenizer.map_or("o200k".into(), |p| p.display().to_string())
        );
    }
    let (journal, run) = Journal::resume(&run.folder, prepare)?;
    let manifest = Manifest { budget, ..run.manifest.clone() };
    let wall = Clock::System.wall();
    journal.append(Line::Note(Note { wall, text: format!("resumed by photofinish {}", env!("CARGO_PKG_VERSION")) }));
    let racers = racers(&manifest, keys, catalog)?;
    see_through(manifest, racers, journal, Before::of(&run), dataset, manner)
}

/// Says how a race ended: the folder on stdout, everything else on stderr.
pub fn tell(over: RaceOver) -> anyhow::Result<Done> {
    let folder = over.raced.folder.display();
    anstream::println!("{folder}");
    match &over.raced.outcome {
        Outcome::Finished | Outcome::RoundDone { .. } | Outcome::NoRoundDue { .. } => {}
        Outcome::AllStopped => say("every target is stopped; see the reasons above"),
        Outcome::BudgetSpent(how) => {
            say(&format!("budget spent: {how}; photofinish run --resume {folder} … goes on with a larger one, or a day later"))
        }
        Outcome::Interrupted if !over.resumable => say("interrupted; what is on record can be read"),
        Outcome::Interrupted => say(&format!("interrupted; photofinish run --resume {folder} goes on within 15 minutes")),
        Outcome::RecordFailed(fault) => bail!("the record cannot be written: {fault}"),
    }
    if over.raced.outcome == Outcome::Interrupted {
        return Ok(Done::Interrupted);
    }
    say(&format!("photofinish table {folder}"));
    if over.without_sample.is_empty() {
        return Ok(Done::Well);
    }
    for (target, last) in &over.without_sample {
        let how = if last.is_empty() { String::new() } else { format!("; the last request: {last}") };
        say(&format!("no usable sample from {target}{how}"));
    }
    Ok(Done::WithoutSample)
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
    let reqwest: Arc<dyn Transport> = Arc::new(ReqwestTransport::new(roots));
    let racer = |(facts, key): (&TargetFacts, Option<Secret>)| {
        let transport = match facts.transport {
            TransportKind::Kernel => {
                kernel.clone().with_context(|| format!("{}: `transport: kernel` needs Unix; take `reqwest`", facts.id))?
            }
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
    manner: Manner,
) -> anyhow::Result<RaceOver> {
    let resumable = manifest.simulated.is_none();
    let schedule = Schedule::of(&manifest)?;
    let prompts: BTreeMap<PromptId, String> =
        manifest.dataset.prompts.iter().filter_map(|facts| Some((facts.id.clone(), dataset.prompt(&facts.id)?.text.clone()))).collect();
    let mut samples: BTreeMap<TargetId, Sampled> = manifest.targets.iter().map(|target| (target.id.clone(), Sampled::default())).collect();
    for (target, usable) in &before.usable {
        samples.entry(target.clone()).or_default().usable = *usable;
    }
    let left = left_by_round(&schedule, &before);
    let ahead = Ahead { requests: Some(left.values().sum()), lasts_ms: None };
    let zone = manifest.design.calendar.as_ref().and_then(|calendar| jiff::tz::TimeZone::get(&calendar.zone).ok());
    let budget = manifest.budget.clone();
    let mut display = Display::new(manner, Clock::System, zone.unwrap_or_else(jiff::tz::TimeZone::system));
    display.show(&Event::Begun {
        run: journal.folder().display().to_string(),
        kind: Kind::Rounds,
        rounds: manifest.design.rounds,
        targets: manifest.targets.iter().map(|target| (target.id.clone(), ahead)).collect(),
        last_due: schedule.latest(schedule.rounds).and(schedule.due(schedule.rounds)),
    });
    let (stop_sender, stop) = watch::channel(Stop::Go);
    let (progress, mut told) = mpsc::unbounded_channel();
    let inputs =
        RunInputs { manifest, schedule, prompts, racers, journal, before, clock: Clock::System, stop, extent: Extent::All, progress };
    let measuring = runner::spawn(inputs).context("no thread to measure on")?;
    let listening = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    listening.block_on(async {
        let mut signals = Signals::listen()?;
        let mut second = tokio::time::interval(std::time::Duration::from_secs(1));
        loop {
            tokio::select! {
                said = told.recv() => match said {
                    Some(said) => show(&mut display, said, &mut samples, &budget, &left),
                    // The race has ended and let go of its end.
                    None => return anyhow::Ok(()),
                },
                () = signals.next() => display.notice(stopping(&stop_sender)),
                _ = second.tick() => display.tick(),
            }
        }
    })?;
    drop(display);
    let raced = measuring.join().map_err(|_| anyhow!("the measuring thread panicked; what was recorded is in the run folder"))??;
    let without_sample =
        samples.into_iter().filter(|(_, sampled)| sampled.usable == 0).map(|(target, sampled)| (target, sampled.last)).collect();
    Ok(RaceOver { raced, resumable, without_sample })
}

/// Requests of every round to each target that are still to be sent.
fn left_by_round(schedule: &Schedule, before: &Before) -> BTreeMap<u32, u64> {
    let mut left = BTreeMap::new();
    for block in schedule.remaining(&before.done).iter().filter(|block| !before.closed.contains(&block.round)) {
        *left.entry(block.round).or_default() += 1;
    }
    left
}

/// What the runner says, as an event for the display.
fn show(display: &mut Display, said: Progress, samples: &mut BTreeMap<TargetId, Sampled>, budget: &Budget, left: &BTreeMap<u32, u64>) {
    let event = match said {
        Progress::Round { round } => Event::Round { round },
        Progress::Waiting { round, until } => Event::Waiting { round, until },
        Progress::Held { targets, until } => Event::Held { targets, until },
        Progress::Trial { target, role, usable, sent, words, spent } => {
            let sampled = samples.entry(target.clone()).or_default();
            sampled.usable += u64::from(usable);
            sampled.last.clone_from(&words);
            let came = match (usable, sent) {
                _ if role == Role::WarmUp => Came::Unscored,
                (true, _) => Came::Ok,
                (false, true) => Came::Failed,
                (false, false) => Came::NotSent,
            };
            Event::Trial { target, came, words, spent: Some(against(spent, budget)) }
        }
        Progress::RoundOver { round, state: RoundState::Missed, .. } => {
            Event::Passed { round, how: Passed::Missed, requests: left.get(&round).copied().unwrap_or(0) }
        }
        Progress::RoundOver { round, state: RoundState::Partial, .. } => {
            Event::Passed { round, how: Passed::BrokenOff, requests: left.get(&round).copied().unwrap_or(0) }
        }
        Progress::RoundOver { round, targets, spent, .. } => {
            Event::RoundOver { round, targets: targets.into_iter().map(round_of).collect(), spent: against(spent, budget) }
        }
        Progress::Held { targets, until } => Event::Held { targets, until },
        Progress::Stopped { target, reason } => Event::Stopped { target, reason },
        // Of load runs alone, which `cli/load.rs` sees through.
        Progress::Stage { .. } | Progress::StageOver { .. } | Progress::Resting { .. } => return,
    };
    display.show(&event);
}

fn round_of(of: runner::RoundOf) -> RoundOf {
    let seconds = |range: runner::Range| (range.min_ns as f64 / 1e9, range.max_ns as f64 / 1e9);
    RoundOf {
        target: of.target,
        ok: of.ok.into(),
        failed: of.failed.into(),
        not_sent: of.not_sent.into(),
        first_text_s: of.first_text.map(seconds),
        total_s: of.total.map(seconds),
    }
}

fn against(spent: runner::Spent, budget: &Budget) -> Spent {
    Spent { requests: spent.requests, max_requests: budget.max_requests, tokens: spent.tokens, max_tokens: budget.max_total_tokens }
}
