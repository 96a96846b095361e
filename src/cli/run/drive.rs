//! Starts a race on its own thread and sees it through: progress, Ctrl-C, the end.

use super::super::{Done, plain, say};
use super::prepare;
use crate::clock::Clock;
use crate::dataset::Dataset;
use crate::ident::{PromptId, TargetId};
use crate::plan::{Plan, Schedule};
use crate::provider::Catalog;
use crate::record::{Budget, Line, Manifest, Note, Role, Simulated, TargetFacts, TextKept, TransportKind};
use crate::runner::{self, Before, Outcome, Progress, Raced, Racer, RunInputs, Stop};
use crate::secret::Secret;
use crate::store::{Journal, Prepare, Run};
use crate::tokens::Reference;
use crate::wire::{ReqwestTransport, Roots, Transport};
use anyhow::{Context, anyhow, bail};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
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
pub fn race(race: Race, catalog: &Catalog) -> anyhow::Result<RaceOver> {
    let exact = race.dataset.prompts.iter().filter_map(|prompt| Some((prompt.id.clone(), prompt.answer.clone()?))).collect();
    let (text, prepare) = text_kept(race.plan.keep_text, race.plan.tokenizer.as_deref(), exact)?;
    let manifest = prepare::manifest(&race, catalog, text)?;
    let racers = racers(&manifest, race.keys, catalog)?;
    let journal = Journal::create(&race.results, &manifest, &race.plan_text, prepare)?;
    see_through(manifest, racers, journal, Before::default(), &race.dataset)
}

/// Goes on with a run under a budget that may have grown.
pub fn go_on(
    run: Run,
    keys: Vec<Option<Secret>>,
    dataset: &Dataset,
    budget: Budget,
    tokenizer: Option<&Path>,
    catalog: &Catalog,
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
    see_through(manifest, racers, journal, Before::of(&run), dataset)
}

/// Says how a race ended: the folder on stdout, everything else on stderr.
pub fn tell(over: RaceOver) -> anyhow::Result<Done> {
    let folder = over.raced.folder.display();
    anstream::println!("{folder}");
    match &over.raced.outcome {
        Outcome::Finished => {}
        Outcome::AllStopped => say("every target is stopped; see the reasons above"),
        Outcome::BudgetSpent(how) => say(&format!("budget spent: {how}; a larger one goes on: photofinish run --resume {folder} …")),
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
fn see_through(manifest: Manifest, racers: Vec<Racer>, journal: Journal, before: Before, dataset: &Dataset) -> anyhow::Result<RaceOver> {
    let resumable = manifest.simulated.is_none();
    let schedule = Schedule::of(&manifest);
    let prompts: BTreeMap<PromptId, String> =
        manifest.dataset.prompts.iter().filter_map(|facts| Some((facts.id.clone(), dataset.prompt(&facts.id)?.text.clone()))).collect();
    let mut samples: BTreeMap<TargetId, Sampled> = manifest.targets.iter().map(|target| (target.id.clone(), Sampled::default())).collect();
    for (target, usable) in &before.usable {
        samples.entry(target.clone()).or_default().usable = *usable;
    }
    let ahead = schedule.remaining(&before.done).iter().filter(|block| !before.closed.contains(&block.round)).count();
    let drawing = Drawing::new(ahead as u64 * racers.len() as u64, manifest.design.rounds);
    let (stop_sender, stop) = watch::channel(Stop::Go);
    let (progress, mut told) = mpsc::unbounded_channel();
    let inputs = RunInputs { manifest, schedule, prompts, racers, journal, before, clock: Clock::System, stop, progress };
    let measuring = runner::spawn(inputs).context("no thread to measure on")?;
    let listening = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    listening.block_on(async {
        let mut signals = Signals::listen()?;
        loop {
            tokio::select! {
                said = told.recv() => match said {
                    Some(said) => drawing.show(&said, &mut samples),
                    // The race has ended and let go of its end.
                    None => return anyhow::Ok(()),
                },
                () = signals.next() => drawing.stopping(&stop_sender),
            }
        }
    })?;
    drawing.bar.finish_and_clear();
    let raced = measuring.join().map_err(|_| anyhow!("the measuring thread panicked; what was recorded is in the run folder"))??;
    let without_sample =
        samples.into_iter().filter(|(_, sampled)| sampled.usable == 0).map(|(target, sampled)| (target, sampled.last)).collect();
    Ok(RaceOver { raced, resumable, without_sample })
}

/// Ctrl-C, and the politer of the signals that end a process.
struct Signals {
    // Kept for the whole run: a listener made anew each time would miss what comes in between.
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Signals> {
        Ok(Signals {
            #[cfg(unix)]
            interrupt: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?,
            #[cfg(unix)]
            terminate: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    }
}

/// A progress bar on stderr, hidden where stderr is no terminal.
struct Drawing {
    bar: ProgressBar,
    rounds: u32,
}

impl Drawing {
    fn new(trials: u64, rounds: u32) -> Drawing {
        let bar = ProgressBar::with_draw_target(Some(trials), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len} {prefix} {wide_msg}") {
            bar.set_style(style);
        }
        Drawing { bar, rounds }
    }

    fn show(&self, said: &Progress, samples: &mut BTreeMap<TargetId, Sampled>) {
        match said {
            Progress::Round { round } if self.bar.is_hidden() => say(&format!("round {round} of {}", self.rounds)),
            Progress::Round { round } => self.bar.set_prefix(format!("round {round}/{}", self.rounds)),
            Progress::Waiting { round, until } => self.line(&format!("round {round} of {} begins at {until:.0}", self.rounds)),
            Progress::Trial { target, role, usable, words } => {
                if *role == Role::Scored {
                    self.bar.inc(1);
                }
                let sampled = samples.entry(target.clone()).or_default();
                sampled.usable += u64::from(*usable);
                sampled.last.clone_from(words);
                self.bar.set_message(plain(&format!("{target}: {words}")));
            }
            // Of load runs alone.
            Progress::Stage { .. } | Progress::StageOver { .. } | Progress::Resting { .. } => {}
            Progress::Stopped { target, reason } => self.line(&format!("{target} is stopped: {reason}")),
        }
    }

    fn stopping(&self, stop: &watch::Sender<Stop>) {
        let next = if *stop.borrow() == Stop::Go { Stop::Drain } else { Stop::Cancel };
        stop.send_replace(next);
        self.line(match next {
            Stop::Drain => "finishing the requests in flight; once more breaks them off",
            _ => "breaking off",
        });
    }

    /// A line that stays, above the bar.
    fn line(&self, text: &str) {
        self.bar.suspend(|| say(text));
    }
}
