//! The whole reading of a load run.

use super::cell::{Cell, Cells};
use super::crossover::{Crossover, charged, crossovers};
use super::figure::{Measure, PASSES_FOR_INTERVALS};
use super::knee::{Knee, knee};
use super::measure::Measuring;
use super::slo::{Gate, Reach, gate_lines, no_such_stage, reach};
use super::stage::{CellState, StageFigures, stage_figures};
use crate::analysis::basis::by_rule;
use crate::analysis::joined::of_one_plan;
use crate::analysis::{BasisBecause, JoinError};
use crate::ident::TargetId;
use crate::measured::LoadSheet;
use crate::record::{Condition, LoadDesign, Manifest, conditions};
use crate::stats::Confidence;
use crate::tokens::{Basis, NoCounts};
use serde::Serialize;

/// A load run, or several of one plan, as figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LoadTable {
    /// The runs' ids, in order of time.
    pub runs: Vec<String>,
    /// How the run was designed.
    pub design: LoadDesign,
    /// What is compared, in the manifest's order.
    pub targets: Vec<TargetId>,
    /// Factor on every time, above 1 for a simulated run.
    pub scale: f64,
    /// How tokens are counted.
    pub basis: Basis,
    /// Why so.
    pub because: BasisBecause,
    /// The tokenizer of reference counts.
    pub tokenizer: String,
    /// The confidence of every interval.
    pub confidence: Confidence,
    /// What a failure is charged in comparisons of latency: the run's limit T, ms.
    pub charge_ms: f64,
    /// The service level: as asked for at this reading, else the run's own.
    pub slo: Option<Vec<Condition>>,
    /// Places of the stages in the design, from the lightest to the heaviest; `stages` is in this order.
    pub order: Vec<usize>,
    /// A row a stage and target: stages from the lightest to the heaviest, within each the targets in their order.
    pub stages: Vec<StageFigures>,
    /// What each target comes to.
    pub summaries: Vec<TargetSummary>,
    /// All pairs of targets, each by latency and by content speed.
    pub crossovers: Vec<Crossover>,
    /// The gate, where one is asked for.
    pub gate: Option<Gate>,
    /// What casts doubt on it.
    pub warnings: Vec<LoadWarning>,
}

/// What a target comes to over the stages.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TargetSummary {
    /// The target by its place in the table.
    pub target: usize,
    /// How far the service level reaches, where there is one.
    pub slo: Option<Reach>,
    /// What the knee is one of: [`Measure::Goodput`], or [`Measure::Rps`] without a service level.
    pub knee_of: Measure,
    /// Where it stops growing.
    pub knee: Knee,
}

/// How a load run is read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LoadOptions {
    /// The token basis; by the rule of the other tables without one.
    pub basis: Option<Basis>,
    /// A service level instead of the run's own.
    pub slo: Option<Vec<Condition>>,
    /// Conditions that decide the exit code.
    pub gate: Vec<Condition>,
    /// The confidence of every interval; 95 % without one.
    pub confidence: Option<Confidence>,
}

/// What casts doubt on a load table. The words are in `report/`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "warning")]
pub enum LoadWarning {
    /// Fewer than three passes: no intervals and no words.
    FewPasses {
        /// Passes that were measured, of the stage that has most.
        passes: usize,
    },
    /// More than a twentieth of a target's requests hit a limit of time or the cap on tokens.
    OftenLimited {
        /// The target by its place in the table.
        target: usize,
        /// Replies that hit a limit.
        limited: usize,
        /// Requests sent.
        sent: usize,
    },
    /// Cells that were broken off, or not reached.
    Unfinished {
        /// How many.
        cells: usize,
        /// Of so many.
        of: usize,
    },
    /// The wall clock was stepped during a run.
    ClockStepped,
    /// So many lines of the records could not be read.
    Torn {
        /// How many.
        lines: u32,
    },
    /// The run's own service level is no condition that this version can read.
    SloUnreadable {
        /// As it stands in the manifest.
        text: String,
    },
}

/// Reads load runs of one plan together. Fails as [`crate::analysis::Joined::new`] does; several runs are further passes of the first.
pub fn load_table(runs: &[LoadSheet], options: &LoadOptions) -> Result<LoadTable, JoinError> {
    let mut runs: Vec<&LoadSheet> = runs.iter().collect();
    runs.sort_by_key(|run| run.manifest.created);
    let manifests: Vec<&Manifest> = runs.iter().map(|run| &run.manifest).collect();
    of_one_plan(&manifests)?;
    let first = *runs.first().ok_or(JoinError::NoRun)?;
    if let Some(other) = runs.iter().find(|run| run.design != first.design) {
        return Err(JoinError::Plans { first: first.manifest.run.clone(), other: other.manifest.run.clone() });
    }
    let (design, facts) = (&first.design, &first.manifest.targets);
    let (basis, because) = basis_of(&runs, options);
    let confidence = options.confidence.unwrap_or(Confidence::DEFAULT);
    let charge_ms = first.manifest.limits.total_ms as f64 * first.scale();
    let (slo, unreadable) = service_level(design, options);
    let mut order: Vec<usize> = (0..design.stages.len()).collect();
    order.sort_by(|a, b| design.stages[*a].size().total_cmp(&design.stages[*b].size()));

    let of_runs: Vec<Cells<'_>> = runs.iter().map(|run| Cells::of(run)).collect();
    let (mut stages, mut all_charged, mut lines) = (Vec::new(), Vec::new(), Vec::new());
    for stage in &order {
        let load = design.stages[*stage].size();
        let here: Vec<Condition> = slo.iter().flatten().filter(|condition| condition.speaks_of(load)).copied().collect();
        for target in 0..facts.len() {
            let passes = |run: usize| (1..=design.passes).map(move |pass| (run, pass));
            let at = |(run, pass): (usize, u32)| of_runs[run].cell(run, pass, *stage, target);
            let cells: Vec<Cell<'_>> = (0..of_runs.len()).flat_map(passes).map(at).collect();
            let measuring = Measuring { cells: &cells, basis, confidence, slo: &here };
            let figures = stage_figures(&measuring, target, *stage, design.stages[*stage]);
            lines.extend(gate_lines(&options.gate, &measuring, &figures));
            all_charged.push(charged(&cells, charge_ms));
            stages.push(figures);
        }
    }
    let nowhere = |condition: &&Condition| !stages.iter().any(|stage: &StageFigures| condition.speaks_of(stage.load));
    for condition in options.gate.iter().filter(nowhere) {
        lines.extend((0..facts.len()).map(|target| no_such_stage(condition, target)));
    }
    let mut table = LoadTable {
        runs: manifests.iter().map(|manifest| manifest.run.clone()).collect(),
        design: design.clone(),
        targets: facts.iter().map(|target| target.id.clone()).collect(),
        scale: first.scale(),
        basis,
        because,
        tokenizer: first.tokenizer.clone(),
        confidence,
        charge_ms,
        order,
        summaries: Vec::new(),
        crossovers: crossovers(facts, &stages, &all_charged, confidence),
        gate: (!options.gate.is_empty()).then(|| Gate { passed: lines.iter().all(|line| line.passed), lines }),
        warnings: Vec::new(),
        slo,
        stages,
    };
    table.summaries = (0..facts.len()).map(|target| table.summary(target)).collect();
    table.warnings = warnings(&runs, &table, unreadable);
    Ok(table)
}

impl LoadTable {
    /// A target's stages, from the lightest to the heaviest.
    pub fn of_target(&self, target: usize) -> impl Iterator<Item = &StageFigures> {
        self.stages.iter().filter(move |stage| stage.target == target)
    }

    fn summary(&self, target: usize) -> TargetSummary {
        let stages: Vec<&StageFigures> = self.of_target(target).collect();
        // A service level without a bound on a request's own time, such as `success>=99%`, gives no goodput.
        let has_goodput = stages.iter().filter_map(|stage| stage.figure(Measure::Goodput)).any(|figure| figure.point.is_ok());
        let knee_of = if has_goodput { Measure::Goodput } else { Measure::Rps };
        let slo = self.slo.as_ref().map(|_| reach(&stages));
        TargetSummary { target, slo, knee_of, knee: knee(&stages, knee_of, self.confidence) }
    }
}

/// The service level, and the run's own where that cannot be read.
fn service_level(design: &LoadDesign, options: &LoadOptions) -> (Option<Vec<Condition>>, Option<String>) {
    match (&options.slo, &design.slo) {
        (Some(asked), _) => (Some(asked.clone()), None),
        (None, Some(text)) => match conditions(text) {
            Ok(own) => (Some(own), None),
            Err(_) => (None, Some(text.clone())),
        },
        (None, None) => (None, None),
    }
}

fn basis_of(runs: &[&LoadSheet], options: &LoadOptions) -> (Basis, BasisBecause) {
    if let Some(basis) = options.basis {
        return (basis, BasisBecause::Asked);
    }
    let targets = &runs[0].manifest.targets;
    let (mut good, mut believed, mut without_text) = (vec![0usize; targets.len()], vec![0usize; targets.len()], false);
    for row in runs.iter().flat_map(|run| &run.rows).filter(|row| row.is_ok()) {
        good[row.target as usize] += 1;
        believed[row.target as usize] += usize::from(row.paced(Basis::Reported).uncounted.is_none());
        without_text |= row.paced(Basis::Reference).uncounted == Some(NoCounts::NoText);
    }
    by_rule(targets, &good, &believed, without_text)
}

/// Above this share of requests that hit a limit or the cap, the figures describe our limits.
const OFTEN_LIMITED: f64 = 0.05;

fn warnings(runs: &[&LoadSheet], table: &LoadTable, unreadable: Option<String>) -> Vec<LoadWarning> {
    let mut warnings: Vec<LoadWarning> = unreadable.into_iter().map(|text| LoadWarning::SloUnreadable { text }).collect();
    let passes = table.stages.iter().map(StageFigures::measured).max().unwrap_or(0);
    if passes < PASSES_FOR_INTERVALS {
        warnings.push(LoadWarning::FewPasses { passes });
    }
    for target in 0..table.targets.len() {
        let of_target = || runs.iter().flat_map(|run| &run.rows).filter(|row| row.target as usize == target);
        let sent: usize = table.of_target(target).map(|stage| stage.counts.sent).sum();
        let limited = of_target().filter(|row| row.limited).count();
        if OFTEN_LIMITED * (sent as f64) < limited as f64 {
            warnings.push(LoadWarning::OftenLimited { target, limited, sent });
        }
    }
    let cells = || table.stages.iter().flat_map(|stage| &stage.cells);
    let unfinished = cells().filter(|cell| matches!(cell.state, CellState::Interrupted | CellState::NotReached)).count();
    if 0 < unfinished {
        warnings.push(LoadWarning::Unfinished { cells: unfinished, of: cells().count() });
    }
    if cells().any(|cell| cell.lag.as_ref().is_some_and(|lag| 0 < lag.clock_steps)) {
        warnings.push(LoadWarning::ClockStepped);
    }
    let torn: u32 = runs.iter().map(|run| run.torn).sum();
    if 0 < torn {
        warnings.push(LoadWarning::Torn { lines: torn });
    }
    warnings
}
