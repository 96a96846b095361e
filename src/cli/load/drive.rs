//! Starts a load on its own thread and sees it through: progress, Ctrl-C, the end.

use super::super::listening::{Listener, Samples, until_over};
use super::super::progress::{Ahead, Came, Display, Event, Kind, Manner, Spent};
use super::super::run::{Race, against, begin, outcome_name};
use crate::clock::Clock;
use crate::ident::TargetId;
use crate::plan::LoadSchedule;
use crate::provider::Catalog;
use crate::record::{Budget, LoadDesign, Manifest, Until};
use crate::runner::{self, LoadInputs, Outcome, Progress, Raced, Stop};
use anyhow::Context;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use tokio::sync::{mpsc, watch};

/// A target without any usable reply, and how its last request went.
pub(super) type WithoutSample = (TargetId, String);

/// Runs a load to its end.
pub(super) fn load(race: Race, design: LoadDesign, catalog: &Catalog, manner: Manner) -> anyhow::Result<(Raced, Vec<WithoutSample>)> {
    let digest = digest(&race.plan.digest(), &design);
    let prompts = race.prompts();
    let as_load = |manifest: Manifest| Manifest { plan_digest: digest, load: Some(design), ..manifest };
    let (manifest, racers, journal) = begin(race, catalog, as_load)?;
    let schedule = LoadSchedule::of(&manifest).context("a load run has a design")?;
    let mut telling = Telling::new(manner, &manifest, &schedule, journal.folder().display().to_string());
    let (stop_sender, stop) = watch::channel(Stop::Go);
    let (progress, told) = mpsc::unbounded_channel();
    let inputs = LoadInputs { manifest, schedule, prompts, racers, journal, clock: Clock::System, stop, progress };
    let measuring = runner::spawn_load(inputs).context("no thread to measure on")?;
    let raced = until_over(measuring, told, &stop_sender, &mut telling)?;
    let without_sample = telling.ended(&raced.outcome);
    Ok((raced, without_sample))
}

/// Two loads are of one plan if everything but their salt is equal, stages and passes included.
fn digest(plan: &str, design: &LoadDesign) -> String {
    let design = serde_json::to_vec(design).unwrap_or_default();
    let digest = Sha256::new_with_prefix(plan.as_bytes()).chain_update(design).finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Tells a display what the runner says.
struct Telling {
    display: Display,
    design: LoadDesign,
    budget: Budget,
    spent: Option<Spent>,
    samples: Samples,
}

impl Telling {
    fn new(manner: Manner, manifest: &Manifest, schedule: &LoadSchedule, run: String) -> Telling {
        let mut telling = Telling {
            display: Display::new(manner, Clock::System, jiff::tz::TimeZone::system()),
            design: schedule.design().clone(),
            budget: manifest.budget.clone(),
            spent: None,
            samples: Samples::of(&manifest.targets, &BTreeMap::new()),
        };
        telling.spent = Some(against(runner::Spent::default(), &telling.budget));
        let ahead = telling.ahead(schedule);
        telling.display.show(&Event::Begun {
            run,
            kind: Kind::Load,
            rounds: telling.design.passes,
            rounds_over: 0,
            targets: manifest.targets.iter().map(|target| (target.id.clone(), ahead)).collect(),
            last_due: None,
            last_round: None,
            spent: telling.spent,
        });
        telling
    }

    /// What every target has to come.
    fn ahead(&self, schedule: &LoadSchedule) -> Ahead {
        let of_first = || schedule.cells().into_iter().filter(|cell| cell.target == 0);
        match self.design.until {
            Until::Lasting { ms } => Ahead { requests: None, lasts_ms: Some(ms * of_first().count() as u64) },
            until => Ahead { requests: of_first().map(|cell| until.requests(&cell.offered)).sum(), lasts_ms: None },
        }
    }

    fn show(&mut self, said: Progress) {
        let event = match said {
            Progress::Stage { pass, stage, target, requests } => {
                let Some(offered) = self.design.stages.get(stage as usize - 1).copied() else { return };
                let lasts_ms = match self.design.until {
                    Until::Lasting { ms } => Some(ms),
                    Until::Requests { .. } | Until::PerUser { .. } => None,
                };
                let stages = self.design.stages.len() as u32;
                Event::Stage { pass, stage, stages, target, offered, ahead: Ahead { requests, lasts_ms } }
            }
            Progress::StageOver { pass, stage, target, state } => Event::StageOver { pass, stage, target, state },
            Progress::Trial { target, usable, sent, words, spent, .. } => {
                let came = match (usable, sent) {
                    (true, _) => Came::Ok,
                    (false, true) => Came::Failed,
                    (false, false) => Came::NotSent,
                };
                self.spent = Some(against(spent, &self.budget));
                Event::Trial { target, came, words, spent: self.spent }
            }
            Progress::Held { targets, until } => Event::Held { targets, until },
            Progress::Stopped { target, reason } => Event::Stopped { target, reason },
            // The bars tell it by standing still.
            Progress::Resting { .. } => return,
            // Of rounds alone.
            Progress::Round { .. } | Progress::RoundOver { .. } | Progress::Waiting { .. } => return,
        };
        self.display.show(&event);
    }

    fn ended(mut self, outcome: &Outcome) -> Vec<WithoutSample> {
        self.display.show(&Event::Ended { outcome: outcome_name(outcome).to_owned(), spent: self.spent });
        self.samples.without()
    }
}

impl Listener for Telling {
    fn hear(&mut self, said: Progress) {
        self.samples.saw(&said);
        self.show(said);
    }
    fn display(&mut self) -> &mut Display {
        &mut self.display
    }
}
