//! Runs of one plan read together, and which of their trials count.

use super::gate::{ClientGate, Signs};
use super::panel::PanelRound;
use crate::measured::{Row, Sheet, Unsent};
use crate::record::{Manifest, Role};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Why runs cannot be read together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// No run was named.
    #[error("no run was named")]
    NoRun,
    /// Simulated figures never stand beside real ones.
    #[error("{simulated} is simulated and {real} is not: a table holds one kind only")]
    SimulatedAndReal {
        /// A simulated run or target.
        simulated: String,
        /// A real one.
        real: String,
    },
    /// The runs are not of one plan.
    #[error("{first} and {other} are runs of different plans (or of one plan with another seed): give each a table of its own")]
    Plans {
        /// The first run.
        first: String,
        /// The one that differs.
        other: String,
    },
    /// The runs were measured from different places.
    #[error("{first} was measured from {here} and {other} from {there}: a table is of one place, give each its own")]
    Places {
        /// The first run.
        first: String,
        /// Its place.
        here: String,
        /// The one that differs.
        other: String,
        /// Its place.
        there: String,
    },
    /// A load run: its levels of load are never pooled with rounds.
    #[error("{0} is a load run; `photofinish ramp RUN` reads it")]
    LoadRun(String),
    /// A run was named twice.
    #[error("{0} is named twice")]
    Twice(String),
}

/// Runs of one plan, in order of time.
#[derive(Debug)]
pub struct Joined<'a> {
    /// The runs.
    pub runs: Vec<&'a Sheet>,
    /// Every trial of a known target, in order of time, with what it counts for.
    pub trials: Vec<Placed>,
    /// Blocks that count for no target.
    pub voids: Vec<BlockVoid>,
    /// Rounds that have at least one trial that counts, in order of time, whichever run they are of.
    pub rounds: Vec<PanelRound>,
    /// Whether this client allows anything to be called.
    pub client: ClientGate,
}

/// A trial and what it counts for.
#[derive(Debug, Clone, Copy)]
pub struct Placed {
    /// Index of its run in [`Joined::runs`].
    pub run: usize,
    /// Index of its target in the manifest.
    pub target: usize,
    /// Its place in the run's sheet.
    pub trial: usize,
    /// What it counts for.
    pub standing: Standing,
}

/// What a trial counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It was sent, and is a sample.
    Sent,
    /// It was planned and this client did not get to send it: counts among the requests, as a failure.
    Behind,
    /// It opened a round on its connection.
    WarmUp,
    /// A later attempt at its block replaces it.
    Superseded,
    /// Its whole block is void.
    Void(VoidReason),
    /// The target's set-up is at fault: no sample, and not charged.
    Configuration,
    /// The target's own daily budget or pace left it out of the block: no sample, and not charged.
    Unasked,
}

/// Why a block is void for all targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VoidReason {
    /// It was interrupted: not every target has its trial.
    Interrupted,
    /// This client's own line failed: connect errors at two or more remote targets, and no good reply from a remote one.
    Vantage,
    /// This client was the bottleneck in its round.
    ClientLimited,
}

/// A block that counts for no target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BlockVoid {
    /// Index of the run.
    pub run: usize,
    /// The round.
    pub round: u32,
    /// The block.
    pub block: u32,
    /// Why.
    pub reason: VoidReason,
}

impl<'a> Joined<'a> {
    /// Joins runs of one plan, and judges which trials count.
    pub fn new(runs: &'a [Sheet]) -> Result<Joined<'a>, JoinError> {
        let mut runs: Vec<&Sheet> = runs.iter().collect();
        runs.sort_by_key(|run| run.manifest.created);
        if let Some(load) = runs.iter().find(|run| run.manifest.load.is_some()) {
            return Err(JoinError::LoadRun(load.manifest.run.clone()));
        }
        of_one_plan(&runs.iter().map(|run| &run.manifest).collect::<Vec<_>>())?;
        let blocks: Vec<Blocks<'_>> = runs.iter().map(|run| blocks(run)).collect();
        let client = client_gate(&runs, &blocks);
        let mut joined = Joined { runs, trials: Vec::new(), voids: Vec::new(), rounds: Vec::new(), client };
        for (run, blocks) in blocks.into_iter().enumerate() {
            joined.place(run, blocks);
        }
        joined.rounds = joined.rounds_in_time();
        Ok(joined)
    }

    /// The manifest that speaks for all runs.
    pub fn manifest(&self) -> &'a Manifest {
        &self.runs[0].manifest
    }

    /// The name of the tokenizer by which the reference counts were taken.
    pub fn tokenizer(&self) -> &'a str {
        &self.runs[0].tokenizer
    }

    /// What is known of a trial.
    pub fn row(&self, placed: &Placed) -> Row<'a> {
        self.runs[placed.run].row(placed.trial)
    }

    /// The trials that count, those included that this client did not get to send, with what is known of each.
    pub fn counting(&self) -> impl Iterator<Item = (&Placed, Row<'a>)> {
        let counts = |placed: &&Placed| matches!(placed.standing, Standing::Sent | Standing::Behind);
        self.trials.iter().filter(counts).map(|placed| (placed, self.row(placed)))
    }

    /// The index in [`Joined::rounds`] of a run's round.
    pub(super) fn round_index(&self) -> BTreeMap<(usize, u32), usize> {
        self.rounds.iter().enumerate().map(|(i, round)| ((round.run, round.round), i)).collect()
    }

    fn rounds_in_time(&self) -> Vec<PanelRound> {
        let mut began: BTreeMap<(usize, u32), jiff::Timestamp> = BTreeMap::new();
        for (placed, row) in self.counting() {
            let first = began.entry((placed.run, row.round())).or_insert(row.wall());
            *first = row.wall().min(*first);
        }
        let mut rounds: Vec<PanelRound> = began.into_iter().map(|((run, round), at)| PanelRound { run, round, at }).collect();
        rounds.sort_by_key(|round| (round.at, round.run, round.round));
        rounds
    }

    fn place(&mut self, run: usize, blocks: Blocks<'a>) {
        let source: &'a Sheet = self.runs[run];
        let warm_ups = source.iter().filter(|row| row.role() == Role::WarmUp);
        let opening = warm_ups.filter_map(|row| Some(Placed { run, target: row.target()?, trial: row.at(), standing: Standing::WarmUp }));
        self.trials.extend(opening);
        let limited = self.client.left_out(run);
        for ((round, block), rows) in blocks {
            let attempt = rows.iter().map(|(_, row)| row.attempt()).max().unwrap_or(1);
            let last: Vec<(usize, Row<'_>)> = rows.iter().filter(|(_, row)| row.attempt() == attempt).copied().collect();
            let reason = if limited.contains(&round) { Some(VoidReason::ClientLimited) } else { void(&last, &source.manifest) };
            if let Some(reason) = reason {
                self.voids.push(BlockVoid { run, round, block, reason });
            }
            for (target, row) in rows {
                let standing = match reason {
                    _ if row.attempt() < attempt => Standing::Superseded,
                    Some(reason) => Standing::Void(reason),
                    None => standing(row),
                };
                self.trials.push(Placed { run, target, trial: row.at(), standing });
            }
        }
    }
}

fn ids(manifest: &Manifest) -> Vec<&str> {
    manifest.targets.iter().map(|target| target.id.as_str()).collect()
}

/// Whether runs, given by their manifests in order of time, can be read together: one kind, one plan, one place, each once.
pub(super) fn of_one_plan(runs: &[&Manifest]) -> Result<(), JoinError> {
    let first = runs.first().ok_or(JoinError::NoRun)?;
    one_kind(runs)?;
    let mut seen = BTreeSet::new();
    for run in runs {
        if !seen.insert(&run.run) {
            return Err(JoinError::Twice(run.run.clone()));
        }
        if first.plan_digest != run.plan_digest || first.simulated != run.simulated || first.limits != run.limits || ids(first) != ids(run)
        {
            return Err(JoinError::Plans { first: first.run.clone(), other: run.run.clone() });
        }
        if first.vantage != run.vantage {
            let place = |manifest: &Manifest| manifest.vantage.clone().unwrap_or_else(|| "an unnamed place".into());
            return Err(JoinError::Places { first: first.run.clone(), here: place(first), other: run.run.clone(), there: place(run) });
        }
    }
    Ok(())
}

/// All runs and all their targets are simulated, or none is.
fn one_kind(runs: &[&Manifest]) -> Result<(), JoinError> {
    let (mut simulated, mut real) = (None, None);
    for run in runs {
        let place = if run.simulated.is_some() { &mut simulated } else { &mut real };
        place.get_or_insert_with(|| format!("run {}", run.run));
        for target in run.targets.iter().filter(|target| target.simulated != run.simulated.is_some()) {
            let place = if target.simulated { &mut simulated } else { &mut real };
            place.get_or_insert_with(|| format!("target {} of run {}", target.id, run.run));
        }
    }
    match simulated.zip(real) {
        Some((simulated, real)) => Err(JoinError::SimulatedAndReal { simulated, real }),
        None => Ok(()),
    }
}

/// Scored trials of a run with their targets, by round and block.
type Blocks<'a> = BTreeMap<(u32, u32), Vec<(usize, Row<'a>)>>;

fn blocks(run: &Sheet) -> Blocks<'_> {
    let mut blocks = Blocks::new();
    for row in run.iter().filter(|row| row.role() == Role::Scored) {
        if let Some(target) = row.target() {
            blocks.entry((row.round(), row.block())).or_default().push((target, row));
        }
    }
    blocks
}

/// What each round with a scored trial tells of this client.
fn client_gate(runs: &[&Sheet], blocks: &[Blocks<'_>]) -> ClientGate {
    let mut rounds: BTreeMap<(usize, u32), Signs<'_>> = BTreeMap::new();
    for (run, (sheet, blocks)) in runs.iter().zip(blocks).enumerate() {
        for ((round, _), rows) in blocks {
            let signs = rounds.entry((run, *round)).or_default();
            signs.behind += rows.iter().filter(|(_, row)| row.unsent() == Some(Unsent::ClientBehind)).count();
            signs.of += rows.len();
        }
        for (round, lag) in sheet.rounds.iter().filter_map(|line| Some((line.round, line.lag.as_ref()?))) {
            if let Some(signs) = rounds.get_mut(&(run, round)) {
                // A later line of a round replaces an earlier one.
                signs.lags = vec![lag];
                signs.send_p99_ms = lag.send_p99_us.map(|us| us / 1e3);
            }
        }
    }
    ClientGate::of(runs.len(), &rounds)
}

/// Whether a block counts for nobody, judged on its last attempt.
fn void(rows: &[(usize, Row<'_>)], manifest: &Manifest) -> Option<VoidReason> {
    let there: BTreeSet<usize> = rows.iter().map(|(target, _)| *target).collect();
    let broken_off = |row: Row<'_>| match row.answered() {
        true => row.is_cancelled(),
        false => matches!(row.unsent(), None | Some(Unsent::RunEnded)),
    };
    if there.len() < manifest.targets.len() || rows.iter().any(|(_, row)| broken_off(*row)) {
        return Some(VoidReason::Interrupted);
    }
    let remote = rows.iter().filter(|(target, _)| is_remote(&manifest.targets[*target].base_url));
    let answered: Vec<Row<'_>> = remote.map(|(_, row)| *row).filter(|row| row.answered()).collect();
    let failed = answered.iter().filter(|row| row.is_line_failure()).count();
    let succeeded = answered.iter().any(|row| row.is_replied());
    (2 <= failed && !succeeded).then_some(VoidReason::Vantage)
}

/// A target on this machine does not share the line that the others hang on.
fn is_remote(base_url: &str) -> bool {
    match url::Url::parse(base_url).ok().as_ref().and_then(url::Url::host) {
        Some(url::Host::Ipv4(address)) => !address.is_loopback(),
        Some(url::Host::Ipv6(address)) => !address.is_loopback(),
        Some(url::Host::Domain(name)) => name != "localhost" && !name.ends_with(".localhost"),
        None => true,
    }
}

fn standing(row: Row<'_>) -> Standing {
    match (row.answered(), row.unsent()) {
        (true, _) if row.is_configuration() => Standing::Configuration,
        (true, _) => Standing::Sent,
        (false, Some(Unsent::ClientBehind)) => Standing::Behind,
        (false, Some(Unsent::OverBudget | Unsent::HeldBack)) => Standing::Unasked,
        (false, _) => Standing::Configuration,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_on_this_machine_is_not_remote() {
        for url in ["http://127.0.0.1:8000/v1", "http://[::1]/v1", "http://localhost:1/", "http://a.localhost/"] {
            assert!(!is_remote(url), "{url}");
        }
        for url in ["https://api.example.com/v1", "http://10.0.0.3:8000/v1", "nonsense"] {
            assert!(is_remote(url), "{url}");
        }
    }
}
