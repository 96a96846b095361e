//! The run of a plan, found again by whoever holds the claim on it: what `watch` and `run --round-now` share.

use super::super::progress::Manner;
use super::super::{Done, say};
use super::drive::{Again, GoOn, Sitting, can_go_on, go_on, race, zone_of};
use super::ending::{none_due, tell};
use super::planned::Planned;
use super::targets::{KeyWays, keys};
use crate::clock::Clock;
use crate::plan::{Plan, Schedule, times};
use crate::provider::Catalog;
use crate::record::Budget;
use crate::runner::{EARLY_S, Extent, NextRound};
use crate::store::{Claim, Known, StoreError, runs};
use crate::units::secs;
use jiff::tz::TimeZone;
use std::path::Path;
use std::time::Duration;

/// Whether another process that works on the same plan's run is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// No: this process leaves.
    No,
    /// So many seconds at most.
    Seconds(u64),
    /// As long as it takes.
    AsLongAsItTakes,
}

impl From<Option<Option<u64>>> for Wait {
    /// From `--wait [SECONDS]`.
    fn from(flag: Option<Option<u64>>) -> Wait {
        match flag {
            None => Wait::No,
            Some(Some(seconds)) => Wait::Seconds(seconds),
            Some(None) => Wait::AsLongAsItTakes,
        }
    }
}

/// Where a plan's run is looked for, and what whoever goes on with it brings along.
pub struct PlansRun<'a> {
    /// The folder of all runs.
    pub results: &'a Path,
    /// Where keys come from.
    pub keys: &'a KeyWays,
    /// Whether another process is waited for.
    pub wait: Wait,
    /// A budget that is stronger than the run's own.
    pub budget: Budget,
}

impl PlansRun<'_> {
    /// Exactly one round into the plan's run, if one is due.
    pub fn one_round(&self, planned: Planned, catalog: &Catalog, manner: Manner) -> anyhow::Result<Done> {
        let digest = planned.plan.digest();
        let _claim = self.claim(&digest)?;
        let sitting = Sitting { manner, extent: Extent::OneRound, again: Again::SameCommand };
        let Some(run) = self.latest(&digest) else { return self.begin(planned, catalog, sitting) };
        let (folder, rounds) = (run.folder.display(), run.manifest.design.rounds);
        if run.is_complete() {
            say(&format!("{folder} is complete, its {rounds} rounds are over; photofinish watch or run begins another run of this plan"));
            return Ok(Done::Well);
        }
        if let Some(next) = not_yet(&run)? {
            say(&none_due(Some(next), rounds, &zone_of(&run.manifest)));
            return Ok(Done::Well);
        }
        self.go_on(run, planned, catalog, sitting)
    }

    /// All that is left of the plan's unfinished run, or a new one.
    pub fn to_its_end(&self, planned: Planned, catalog: &Catalog, manner: Manner) -> anyhow::Result<Done> {
        let digest = planned.plan.digest();
        let _claim = self.claim(&digest)?;
        let sitting = Sitting { manner, extent: Extent::All, again: Again::SameCommand };
        match self.latest(&digest) {
            Some(run) if !run.is_complete() => {
                let (folder, over, rounds) = (run.folder.display(), run.closed.len(), run.manifest.design.rounds);
                say(&format!("goes on with {folder}: {over} of {rounds} rounds are over"));
                self.go_on(run, planned, catalog, sitting)
            }
            Some(run) => {
                say(&format!("{} is complete; this begins another run of the plan", run.folder.display()));
                self.begin(planned, catalog, sitting)
            }
            None => self.begin(planned, catalog, sitting),
        }
    }

    /// The claim on the plan, waited for if the user says so.
    fn claim(&self, digest: &str) -> anyhow::Result<Claim> {
        let began = Clock::System.now();
        let mut told = false;
        loop {
            let refused = match Claim::take(self.results, digest) {
                Ok(claim) => return Ok(claim),
                Err(refused) => refused,
            };
            let StoreError::Claimed { holder, .. } = &refused else { return Err(refused.into()) };
            let waited = Clock::System.now().since(began);
            match self.wait {
                Wait::No => return Err(refused.into()),
                Wait::Seconds(most) if secs(most) <= waited => return Err(refused.into()),
                Wait::Seconds(_) | Wait::AsLongAsItTakes => {}
            }
            if !std::mem::replace(&mut told, true) {
                let holder = holder.map(|pid| format!(" (process {pid})")).unwrap_or_default();
                say(&format!("waiting for another photofinish{holder} that works on this plan's run"));
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// The plan's latest unfinished run, else its latest one.
    fn latest(&self, digest: &str) -> Option<Known> {
        let mut found = runs(self.results, |manifest| manifest.plan_digest == digest && can_go_on(manifest));
        let unfinished = found.iter().rposition(|run| !run.is_complete());
        match unfinished {
            Some(at) => Some(found.swap_remove(at)),
            None => found.pop(),
        }
    }

    fn begin(&self, planned: Planned, catalog: &Catalog, sitting: Sitting) -> anyhow::Result<Done> {
        let (digest, name) = (planned.plan.digest(), planned.plan.name.clone());
        let others = runs(self.results, |manifest| manifest.name == name && manifest.plan_digest != digest && can_go_on(manifest));
        if let Some(other) = others.iter().rfind(|run| !run.is_complete()) {
            say(&format!(
                "{}, of the same name, is unfinished, and its plan was another one, or this one before it was changed; this begins a new run",
                other.folder.display()
            ));
        }
        let planned = planned.beginning()?;
        if sitting.extent == Extent::OneRound
            && let Some((due, zone)) = first_time(&planned.plan)?
        {
            // The run begins with its first round; until then there is nothing to keep.
            let next = NextRound { round: 1, due };
            say(&none_due(Some(next), planned.plan.rounds, &zone));
            return Ok(Done::Well);
        }
        super::tell_worst_case(&planned.plan, &planned.targets, &planned.dataset, false);
        let with_keys = keys(planned.targets.clone(), catalog, self.keys, false)?;
        let mut race_made = planned.race(with_keys, self.results.to_owned())?;
        race_made.budget = larger(&self.budget, &race_made.budget);
        tell(race(race_made, catalog, sitting)?)
    }

    fn go_on(&self, run: Known, planned: Planned, catalog: &Catalog, sitting: Sitting) -> anyhow::Result<Done> {
        let Known { folder, mut manifest, .. } = run;
        manifest.budget = larger(&self.budget, &manifest.budget);
        // Paths hold for the folder from which the plan was named, which may be another one now.
        for target in &mut manifest.targets {
            let now = planned.targets.iter().find(|now| now.id == target.id);
            target.ca_file = now.map_or(target.ca_file.take(), |now| now.ca_file.clone());
        }
        let (_, keys) = keys(manifest.targets.clone(), catalog, self.keys, false)?;
        let tokenizer = planned.plan.tokenizer.clone();
        tell(go_on(GoOn { folder, manifest, keys, tokenizer }, &planned.dataset, catalog, sitting)?)
    }
}

/// The budget of the command line, where there is one, else the run's.
pub fn larger(given: &Budget, own: &Budget) -> Budget {
    Budget { max_requests: given.max_requests.or(own.max_requests), max_total_tokens: given.max_total_tokens.or(own.max_total_tokens) }
}

/// The first time of a plan's calendar, where it has not come, and the zone on whose clock it is told.
fn first_time(plan: &Plan) -> anyhow::Result<Option<(jiff::Timestamp, TimeZone)>> {
    let Some(schedule) = &plan.schedule else { return Ok(None) };
    let calendar = schedule.calendar(Clock::System.wall());
    let first = times(&calendar)?.next().filter(|time| is_far(*time));
    Ok(first.zip(TimeZone::get(&calendar.zone).ok()))
}

/// Whether a round of this time is not waited for by one that was asked to do one round.
fn is_far(time: jiff::Timestamp) -> bool {
    EARLY_S < time.as_second() - Clock::System.wall().as_second()
}

/// The next round, where its time has not come: then nothing is to be done or written down. None where a round is due, or has passed
/// without anybody seeing it.
fn not_yet(run: &Known) -> anyhow::Result<Option<NextRound>> {
    if run.manifest.design.calendar.is_none() {
        return Ok(None);
    }
    let schedule = Schedule::of(&run.manifest)?;
    let next = (1..=schedule.rounds).find(|round| !run.closed.contains(round));
    let next = next.filter(|round| schedule.time(*round).is_some_and(is_far));
    Ok(next.and_then(|round| Some(NextRound { round, due: schedule.due(round)? })))
}
