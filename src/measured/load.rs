//! A load run reduced: one compact row a request, made in one pass over the records by all processors.
//!
//! Unlike the rows of a run of rounds, these keep absolute times and every arrival, since rates are counted inside a window that is known
//! only when the whole cell is. An arrival takes 16 bytes: 2000 users who ask five times for 64 tokens come to some 20 MB.

use super::codes::BASES;
use super::row::Unsent;
use crate::metric::{Flag, Observation, Outcome, Reply, Rules, Tally, Undefined, flags, is_configuration, metric};
use crate::record::{Answer, LoadDesign, Manifest, Note, Role, StageLine, TargetFacts, Trial};
use crate::store::{Folder, Part, Run, StoreError};
use crate::tokens::{Basis, NoCounts, Reference};
use crate::units::Stamp;
use std::collections::HashMap;
use std::path::Path;

/// A load run, reduced.
#[derive(Debug, Clone)]
pub struct LoadSheet {
    /// What was planned.
    pub manifest: Manifest,
    /// Its stages and passes: the manifest's `load`.
    pub design: LoadDesign,
    /// Its requests, in the order in which they were written. Those of targets that the manifest does not know, and of no stage, are left out.
    pub rows: Vec<LoadRow>,
    /// States of the cells in order; a later line of a cell replaces an earlier one.
    pub stages: Vec<StageLine>,
    /// Notes in order.
    pub notes: Vec<Note>,
    /// Lines of the records that could not be read.
    pub torn: u32,
    /// The name of the tokenizer by which the reference counts were taken.
    pub tokenizer: String,
}

/// Why a run cannot be read as a load run.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The folder cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is a run of rounds.
    #[error("{run} is a run of rounds; `photofinish table RUN` reads it")]
    Rounds {
        /// The run's id.
        run: String,
    },
}

/// One request of a load run. Times in ms count from its first write, and are the imitated provider's in a simulated run.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadRow {
    /// The target by its place in the manifest.
    pub target: u32,
    /// The pass, from 1.
    pub pass: u32,
    /// The stage, from 1.
    pub stage: u32,
    /// The user, from 1; none in an open loop.
    pub user: Option<u32>,
    /// The request's number in its cell, from 1.
    pub number: u32,
    /// 1, and higher where a cell was run anew.
    pub attempt: u32,
    /// When it was due: its arrival, or the moment when its user was free.
    pub scheduled: Stamp,
    /// It was held back for politeness.
    pub held: bool,
    /// What came of it.
    pub came: Came,
    /// Its first write; none where nothing was written.
    pub began: Option<Stamp>,
    /// When its stream was closed, or its last text came; none where it was not sent.
    pub ended: Option<Stamp>,
    /// It was the first on its connection.
    pub opened: bool,
    /// What opening that took, ms; none where it was not told.
    pub connect_ms: Option<f64>,
    /// To the first text.
    pub ttft: Result<f64, Undefined>,
    /// To the first text of the answer.
    pub ttfa: Result<f64, Undefined>,
    /// To the last text.
    pub latency: Result<f64, Undefined>,
    /// Gaps longer than the plan's `stall_ms`.
    pub stalls: u32,
    /// It hit a limit of time, or the cap on tokens.
    pub limited: bool,
    /// What depends on how tokens are counted: reported, reference, characters.
    by_basis: [Paced; 3],
    /// Every arrival, in order.
    pub arrivals: Box<[LoadArrival]>,
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// It was sent, and judged by the plan's rules.
    Sent(Outcome),
    /// It was sent, and its target's set-up is at fault.
    Configuration,
    /// It was not sent.
    Unsent(Option<Unsent>),
}

/// The paces of a reply on one basis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paced {
    /// Why there are no counts.
    pub uncounted: Option<NoCounts>,
    /// It has fewer tokens than a speed needs.
    pub too_short: bool,
    /// It came in bundles.
    pub bundled: bool,
    /// Tokens a second within the reasoning.
    pub reasoning: Result<f64, Undefined>,
    /// Tokens a second within the answer.
    pub content: Result<f64, Undefined>,
    /// All tokens over the reply time.
    pub overall: Result<f64, Undefined>,
    /// ms a token after the first arrival.
    pub tpot: Result<f64, Undefined>,
}

/// What arrived at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoadArrival {
    /// When, in microseconds since the first write, of real time.
    after_us: u32,
    /// Tokens on each basis; NaN where they could not be counted.
    tokens: [f32; 3],
}

impl LoadRow {
    /// Whether the reply is good by the plan's rule.
    pub fn is_ok(&self) -> bool {
        self.came == Came::Sent(Outcome::Ok)
    }
    /// Its paces on a basis.
    pub fn paced(&self, basis: Basis) -> &Paced {
        &self.by_basis[super::codes::place_of(basis)]
    }
    /// When each arrival came and how many tokens it brought on a basis; none where they could not be counted.
    pub fn arrived(&self, basis: Basis) -> impl Iterator<Item = (Stamp, Option<f64>)> + '_ {
        let (from, place) = (self.began.unwrap_or(self.scheduled), super::codes::place_of(basis));
        self.arrivals.iter().map(move |arrival| {
            let tokens = f64::from(arrival.tokens[place]);
            (from.plus(u64::from(arrival.after_us) * 1000), Some(tokens).filter(|tokens| !tokens.is_nan()))
        })
    }
}

impl LoadSheet {
    /// Reads a load run from its folder, or from the path of a file in it, without ever holding its records.
    pub fn open(path: &Path, tokenizer: &Reference) -> Result<LoadSheet, LoadError> {
        let folder = Folder::open(path)?;
        let mut sheet = LoadSheet::empty(&folder.manifest, tokenizer)?;
        let reading = Reading::new(&folder.manifest, tokenizer);
        sheet.torn = folder.torn_before;
        let gather = |part: Part<Vec<LoadRow>>| {
            sheet.rows.extend(part.trials);
            sheet.stages.extend(part.stages);
            sheet.notes.extend(part.notes);
            sheet.torn += part.torn;
        };
        folder.scan(0..folder.length, |rows: &mut Vec<LoadRow>, trial| rows.extend(reading.row(&trial)), gather)?;
        Ok(sheet)
    }

    /// Reduces a load run that is held whole.
    pub fn of(run: &Run, tokenizer: &Reference) -> Result<LoadSheet, LoadError> {
        let mut sheet = LoadSheet::empty(&run.manifest, tokenizer)?;
        let reading = Reading::new(&run.manifest, tokenizer);
        sheet.rows = run.trials.iter().filter_map(|trial| reading.row(trial)).collect();
        (sheet.stages, sheet.notes, sheet.torn) = (run.stages.clone(), run.notes.clone(), run.torn);
        Ok(sheet)
    }

    fn empty(manifest: &Manifest, tokenizer: &Reference) -> Result<LoadSheet, LoadError> {
        let design = manifest.load.clone().ok_or_else(|| LoadError::Rounds { run: manifest.run.clone() })?;
        Ok(LoadSheet {
            manifest: manifest.clone(),
            design,
            rows: Vec::new(),
            stages: Vec::new(),
            notes: Vec::new(),
            torn: 0,
            tokenizer: tokenizer.name().to_owned(),
        })
    }

    /// Factor on every time: above 1 for a simulated run.
    pub fn scale(&self) -> f64 {
        Rules::of(&self.manifest).scale
    }
}

/// What is needed to reduce the trials of a load run.
struct Reading<'a> {
    targets: HashMap<&'a str, (u32, &'a TargetFacts)>,
    rules: Rules,
    tokenizer: &'a Reference,
}

impl<'a> Reading<'a> {
    fn new(manifest: &'a Manifest, tokenizer: &'a Reference) -> Reading<'a> {
        let targets = manifest.targets.iter().zip(0..).map(|(target, i)| (target.id.as_str(), (i, target))).collect();
        Reading { targets, rules: Rules::of(manifest), tokenizer }
    }

    fn row(&self, trial: &Trial) -> Option<LoadRow> {
        let (target, facts) = self.targets.get(trial.target.as_str()).copied()?;
        let place = trial.load.filter(|_| trial.role == Role::Scored)?;
        let mut row = LoadRow {
            target,
            pass: trial.round,
            stage: place.stage,
            user: place.user,
            number: trial.block,
            attempt: trial.attempt,
            scheduled: trial.scheduled,
            held: trial.held_since.is_some(),
            came: Came::Unsent(trial.not_sent.as_ref().map(Unsent::of)),
            began: None,
            ended: None,
            opened: false,
            connect_ms: None,
            ttft: Err(Undefined::NoArrival),
            ttfa: Err(Undefined::NoArrival),
            latency: Err(Undefined::NoArrival),
            stalls: 0,
            limited: false,
            by_basis: [Paced::NONE; 3],
            arrivals: Box::new([]),
        };
        if let Some(answer) = trial.answer.as_deref() {
            self.take(&mut row, answer, facts);
        }
        Some(row)
    }

    fn take(&self, row: &mut LoadRow, answer: &Answer, target: &TargetFacts) {
        let tally = Tally::of(answer, target, self.tokenizer);
        let replies = BASES.map(|basis| Reply::new(answer, &tally, basis, self.rules));
        let [first, ..] = &replies;
        row.came = if is_configuration(answer) { Came::Configuration } else { Came::Sent(first.outcome) };
        row.began = answer.stamps.first_write;
        let texts = answer.stamps.first_write.or(answer.stamps.first_byte).zip(answer.timeline.last());
        let last_text = texts.map(|(from, last)| from.plus(last.at.0));
        row.ended = answer.stamps.closed.or(last_text).or(answer.stamps.first_write);
        row.opened = !answer.connect.reused;
        row.connect_ms = answer.connect.total_ns().map(|ns| ns as f64 / 1e6 * self.rules.scale);
        row.ttft = value(first, "ttft");
        row.ttfa = value(first, "ttfa");
        row.latency = value(first, "e2e");
        row.stalls = value(first, "stalls").map_or(0, |stalls| stalls as u32);
        let capped = flags(first).contains(&Flag::LengthCapped);
        row.limited = capped || matches!(first.outcome, Outcome::Timeout | Outcome::Stalled);
        row.by_basis = [0, 1, 2].map(|place| Paced::of(&replies[place]));
        let arrival = |at: usize| LoadArrival {
            // Real time: the scale is taken out again. A time in ns fits 32 bits of µs for 71 minutes.
            after_us: (first.arrivals[at].moment.at / self.rules.scale * 1e3).round() as u32,
            tokens: [0, 1, 2].map(|place| tokens(&replies[place], at)),
        };
        row.arrivals = (0..first.arrivals.len()).map(arrival).collect();
    }
}

fn tokens(reply: &Reply<'_>, at: usize) -> f32 {
    reply.arrivals.get(at).and_then(|arrival| arrival.tokens).map_or(f32::NAN, |tokens| tokens as f32)
}

fn value(reply: &Reply<'_>, name: &str) -> Result<f64, Undefined> {
    let metric = metric(name).ok_or(Undefined::NoArrival)?;
    (metric.of)(reply).map(|seen: Observation| seen.value)
}

impl Paced {
    const NONE: Paced = Paced {
        uncounted: None,
        too_short: false,
        bundled: false,
        reasoning: Err(Undefined::NoArrival),
        content: Err(Undefined::NoArrival),
        overall: Err(Undefined::NoArrival),
        tpot: Err(Undefined::NoArrival),
    };

    fn of(reply: &Reply<'_>) -> Paced {
        Paced {
            uncounted: reply.tally.on(reply.basis).as_ref().err().copied(),
            too_short: reply.too_short(),
            bundled: reply.bundled(),
            reasoning: value(reply, "reasoning_speed"),
            content: value(reply, "content_speed"),
            overall: value(reply, "overall_speed"),
            tpot: value(reply, "tpot"),
        }
    }
}
