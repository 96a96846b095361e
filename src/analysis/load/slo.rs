//! Conditions held against what was seen: the service level at each stage, how far it reaches, and the gate.

use super::figure::{Figure, Measure, NoFigure};
use super::measure::Measuring;
use super::stage::StageFigures;
use crate::measured::Came;
use crate::metric::Outcome;
use crate::record::{Condition, Looked, Over};
use crate::stats::Extended;
use serde::Serialize;
use std::collections::BTreeMap;

/// The service level at one stage of one target. It is judged on the stage's figures as they are printed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SloAtStage {
    /// What it comes to.
    pub word: SloWord,
    /// Each condition that speaks of this stage.
    pub conditions: Vec<Judged>,
    /// Measured passes that meet it when each is judged by itself.
    pub passes_meet: usize,
    /// Measured passes that could be judged by themselves.
    pub passes: usize,
}

/// What the service level comes to at a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SloWord {
    /// Every condition holds.
    Meets,
    /// Some condition does not hold.
    Misses,
    /// Every condition seems to hold or fail, but this client was at its limit: nothing is called.
    Withheld,
    /// Some condition has no figure, and none is seen to fail.
    NotJudged,
}

/// A condition and what was seen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judged {
    /// The condition.
    pub condition: Condition,
    /// What was seen, in the condition's own unit: seconds, a share from 0 to 1, or so many a second.
    pub seen: Result<Extended, NoFigure>,
    /// Whether it holds; nothing where nothing was seen.
    pub holds: Option<bool>,
}

/// How far something holds along the stages, from the lightest on. Stages are places in the design.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "reach")]
pub enum Reach {
    /// At no stage.
    Nowhere,
    /// From the lightest stage on without a break up to this one.
    Through {
        /// The heaviest at which it holds.
        stage: usize,
        /// It is the heaviest stage of all that could be judged: how much farther it goes is not known.
        is_last: bool,
    },
    /// This is the heaviest at which it holds, but it does not at some lighter ones: the order is not monotone.
    Broken {
        /// The heaviest at which it holds.
        stage: usize,
        /// Lighter ones at which it does not, or could not be told.
        but_not: Vec<usize>,
    },
    /// No stage could be judged.
    NotJudged,
}

impl Reach {
    /// The heaviest stage at which it holds.
    pub fn heaviest(&self) -> Option<usize> {
        match self {
            Reach::Through { stage, .. } | Reach::Broken { stage, .. } => Some(*stage),
            Reach::Nowhere | Reach::NotJudged => None,
        }
    }
}

/// The gate: conditions that decide the exit code.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gate {
    /// Whether every line passed.
    pub passed: bool,
    /// A line for every condition, target and stage that it speaks of.
    pub lines: Vec<GateLine>,
}

/// One condition of the gate, at one stage of one target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GateLine {
    /// The target by its place in the table.
    pub target: usize,
    /// The stage by its place in the design; none where the condition names a stage that the run has not.
    pub stage: Option<usize>,
    /// The condition and what was seen.
    pub judged: Judged,
    /// The figures may be this client's own.
    pub client_limited: bool,
    /// Whether it passed. What could not be seen has not passed.
    pub passed: bool,
}

impl Reach {
    /// How far something reaches along stages from the lightest to the heaviest; `None` of a stage where it could not be told.
    pub(super) fn of(stages: &[(usize, Option<bool>)]) -> Reach {
        if stages.iter().all(|(_, holds)| holds.is_none()) {
            return Reach::NotJudged;
        }
        let Some(last) = stages.iter().rposition(|(_, holds)| *holds == Some(true)) else { return Reach::Nowhere };
        let but_not: Vec<usize> = stages[..last].iter().filter(|(_, holds)| *holds != Some(true)).map(|(stage, _)| *stage).collect();
        let stage = stages[last].0;
        match but_not.is_empty() {
            true => Reach::Through { stage, is_last: stages[last + 1..].iter().all(|(_, holds)| holds.is_none()) },
            false => Reach::Broken { stage, but_not },
        }
    }
}

/// What a condition looks at, as a figure in the condition's own unit.
fn looked(condition: &Condition, measuring: &Measuring<'_>, figures: &BTreeMap<Measure, Figure>) -> Figure {
    let share = |outcome: fn(Came) -> bool| measuring.share_of(|row| outcome(row.came));
    let figure = |measure| figures.get(&measure).cloned();
    match condition.of {
        // Of each request: of the slowest one.
        Looked::Time(time, Over::Each) => in_seconds(measuring.longest_of(time)),
        Looked::Time(time, Over::Quantile(p)) => in_seconds(measuring.quantile_of(time, p)),
        Looked::Time(time, Over::Mean) => in_seconds(measuring.mean_with_failures(time)),
        Looked::Success => share(|came| came == Came::Sent(Outcome::Ok)),
        Looked::Failures => share(|came| came != Came::Sent(Outcome::Ok)),
        Looked::RateLimited => share(|came| came == Came::Sent(Outcome::RateLimited)),
        Looked::Rps => figure(Measure::Rps).unwrap_or_else(Figure::absent),
        Looked::Goodput => figure(Measure::Goodput).unwrap_or_else(Figure::absent),
    }
}

fn in_seconds(figure: Figure) -> Figure {
    let seconds = |value: Extended| value.finite().map_or(value, |ms| Extended::Finite(ms / 1e3));
    Figure {
        point: figure.point.map(seconds),
        interval: figure.interval.map(|interval| interval.map(|ms| ms / 1e3)),
        passes: figure.passes.iter().map(|seen| seen.map(seconds)).collect(),
        ..figure
    }
}

fn holds(condition: &Condition, seen: Result<Extended, NoFigure>) -> Option<bool> {
    let seen = seen.ok()?;
    Some(condition.holds(seen.finite().unwrap_or(f64::INFINITY)))
}

/// A condition held against a stage, and against each of its passes.
fn judged(condition: &Condition, measuring: &Measuring<'_>, figures: &BTreeMap<Measure, Figure>) -> (Judged, Vec<Option<bool>>) {
    let figure = looked(condition, measuring, figures);
    let passes = figure.passes.iter().map(|seen| holds(condition, *seen)).collect();
    (Judged { condition: *condition, seen: figure.point, holds: holds(condition, figure.point) }, passes)
}

/// The service level at a stage. `None` where no condition speaks of it.
pub(super) fn at_stage(measuring: &Measuring<'_>, figures: &BTreeMap<Measure, Figure>, client_limited: bool) -> Option<SloAtStage> {
    let each = measuring.slo.iter().map(|condition| judged(condition, measuring, figures));
    let (conditions, passes): (Vec<Judged>, Vec<Vec<Option<bool>>>) = each.unzip();
    let cells = passes.first()?.len();
    let pass = |at: usize| all_hold(passes.iter().map(|of_condition| of_condition[at]));
    let known: Vec<bool> = (0..cells).filter_map(pass).collect();
    let word = match all_hold(conditions.iter().map(|judged| judged.holds)) {
        Some(_) if client_limited => SloWord::Withheld,
        Some(true) => SloWord::Meets,
        Some(false) => SloWord::Misses,
        None => SloWord::NotJudged,
    };
    Some(SloAtStage { word, conditions, passes_meet: known.iter().filter(|meets| **meets).count(), passes: known.len() })
}

/// One that fails is enough to fail, whatever the others are; else one that cannot be told leaves it open.
fn all_hold(conditions: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut so_far = Some(true);
    for holds in conditions {
        match holds {
            Some(false) => return Some(false),
            Some(true) => {}
            None => so_far = None,
        }
    }
    so_far
}

/// How far the service level reaches for a target, of its stages from the lightest to the heaviest.
pub(super) fn reach(stages: &[&StageFigures]) -> Reach {
    let word = |stage: &&StageFigures| {
        let holds = stage.slo.as_ref().and_then(|slo| match slo.word {
            SloWord::Meets => Some(true),
            SloWord::Misses => Some(false),
            SloWord::Withheld | SloWord::NotJudged => None,
        });
        (stage.stage, holds)
    };
    Reach::of(&stages.iter().map(word).collect::<Vec<_>>())
}

/// The gate's lines at one stage of one target.
pub(super) fn gate_lines(gate: &[Condition], measuring: &Measuring<'_>, stage: &StageFigures) -> Vec<GateLine> {
    let line = |condition: &Condition| {
        let (judged, _) = judged(condition, measuring, &stage.figures);
        let client_limited = !stage.client.is_empty();
        let passed = judged.holds == Some(true) && !client_limited;
        GateLine { target: stage.target, stage: Some(stage.stage), judged, client_limited, passed }
    };
    gate.iter().filter(|condition| condition.speaks_of(stage.load)).map(line).collect()
}

/// The line of a condition that names a stage which the run has not.
pub(super) fn no_such_stage(condition: &Condition, target: usize) -> GateLine {
    let judged = Judged { condition: *condition, seen: Err(NoFigure::NoSuchStage), holds: None };
    GateLine { target, stage: None, judged, client_limited: false, passed: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_it_reaches_tells_a_break_from_an_end() {
        let of = |holds: &[Option<bool>]| Reach::of(&holds.iter().copied().enumerate().collect::<Vec<_>>());
        let (yes, no) = (Some(true), Some(false));
        assert_eq!(of(&[yes, yes, no]), Reach::Through { stage: 1, is_last: false });
        assert_eq!(of(&[yes, yes, None]), Reach::Through { stage: 1, is_last: true });
        assert_eq!(of(&[no, yes, None, yes, no]), Reach::Broken { stage: 3, but_not: vec![0, 2] });
        assert_eq!(of(&[no, None]), Reach::Nowhere);
        assert_eq!((of(&[None, None]), of(&[])), (Reach::NotJudged, Reach::NotJudged));
    }

    #[test]
    fn one_condition_that_fails_is_enough_and_one_that_is_not_seen_leaves_it_open() {
        assert_eq!(all_hold([Some(true), None, Some(false)].into_iter()), Some(false));
        assert_eq!(all_hold([Some(true), None].into_iter()), None);
        assert_eq!(all_hold([Some(true)].into_iter()), Some(true));
    }
}
