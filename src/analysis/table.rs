//! One row of figures a target. A figure is typed: a value, never, missing with its reason, or a word.

use super::basis::{BasisBecause, basis};
use super::claims::{ClaimCheck, claims};
use super::diagnosis::Diagnosis;
use super::figures::{cell, counts_differ, success, usage_ratios};
use super::gate::Bottleneck;
use super::graded::{GradedRow, graded_answers};
use super::joined::{Joined, VoidReason};
use super::missing::Missing;
use super::model_facts::checked;
use super::same_model::ModelCheck;
use super::samples::{Samples, samples};
use super::warnings::{Warning, warnings};
use crate::ident::TargetId;
use crate::measured::{Held, Row as Trial, Unsent};
use crate::metric::{Flag, Outcome, Rules};
use crate::stats::{Confidence, Interval};
use crate::tokens::Basis;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Above this share of 429s, a target is bound by its quota.
const QUOTA_BOUND: f64 = 0.05;

/// What a column shows of a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Over {
    /// A quantile over all requests sent; a failure waited for ever.
    AllSent(f64),
    /// The median over good replies that are long enough, and not bundled where bundling distorts.
    Speeds {
        /// Bundled replies stay out.
        without_bundled: bool,
    },
}

/// A column of the table.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name in files.
    pub name: &'static str,
    /// The metric's name in the registry.
    pub metric: &'static str,
    /// What is shown of it.
    pub over: Over,
}

/// The columns, in order.
pub const COLUMNS: [Column; 7] = [
    Column { name: "ttft_p50_ms", metric: "ttft", over: Over::AllSent(0.5) },
    Column { name: "ttfa_p50_ms", metric: "ttfa", over: Over::AllSent(0.5) },
    Column { name: "reasoning_speed", metric: "reasoning_speed", over: Over::Speeds { without_bundled: true } },
    Column { name: "content_speed", metric: "content_speed", over: Over::Speeds { without_bundled: true } },
    Column { name: "overall_speed", metric: "overall_speed", over: Over::Speeds { without_bundled: false } },
    Column { name: "e2e_p50_ms", metric: "e2e", over: Over::AllSent(0.5) },
    Column { name: "e2e_p95_ms", metric: "e2e", over: Over::AllSent(0.95) },
];

/// A figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// A number.
    Value(Value),
    /// More than half (or the quantile's share) of the requests never got there.
    Never,
    /// No number, and why.
    Missing(Missing),
    /// A word that says more than a number would.
    Text(String),
}

/// A number and how sure it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Value {
    /// The number, in the metric's unit.
    pub value: f64,
    /// Where it rests on times that are known as intervals: the same figure with every time at its earliest, and at its latest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measured_within: Option<(f64, f64)>,
    /// Values that went into it.
    pub n: usize,
    /// The confidence interval over rounds; absent where there are fewer than three. Both ends at the value: all values are equal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
}

/// A remark on a target's row.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Remark {
    /// Requests that ended otherwise than well.
    Outcome(Outcome, usize),
    /// Replies that carry a flag.
    Flag(Flag, usize),
    /// Its reported tokens by counted ones, against the others': hidden tokens, another tokenizer or another model.
    CountsDiffer {
        /// This target's median ratio.
        ratio: f64,
        /// The others' median ratio.
        others: f64,
    },
    /// More than a twentieth of its requests went over the quota.
    QuotaBound,
    /// Requests that this client did not get to send.
    Behind(usize),
    /// Requests that were left out since its daily budget was used up.
    OverBudget(usize),
    /// Requests that were left out since they would have had to wait for its pace, or a Retry-After, for longer than a block waits.
    HeldBack(usize),
    /// Requests without a sample because its set-up is at fault, and what the provider said.
    Configuration(usize, String),
    /// Fewer than five requests: too few for a figure.
    Few,
}

/// One target's row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The target.
    pub target: TargetId,
    /// It is one of our own simulated providers.
    pub simulated: bool,
    /// Requests planned and sent, those included that this client did not get to send.
    pub sent: usize,
    /// Good replies.
    pub ok: usize,
    /// The confidence interval of the share of good replies, over rounds; absent where there are too few of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success: Option<Interval>,
    /// One figure for each of [`COLUMNS`].
    pub cells: Vec<Cell>,
    /// Correct answers, where the dataset has exact ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub graded: Option<GradedRow>,
    /// Whether it serves the same model as the others of its family.
    pub model: Option<ModelCheck>,
    /// Published figures, and whether the measurement agrees.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<ClaimCheck>,
    /// What a reader should know beside.
    pub remarks: Vec<Remark>,
}

/// Requests of a target that were held back before they were sent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HeldRequests {
    /// The target.
    pub target: TargetId,
    /// How many.
    pub held: usize,
    /// Of so many that were sent.
    pub sent: usize,
    /// The shortest and the longest wait, s, as the tables print times; none where no length is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<(f64, f64)>,
}

/// From when to when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Span {
    /// The first scored request.
    pub from: jiff::Timestamp,
    /// The last.
    pub to: jiff::Timestamp,
}

/// How a table is to be made.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The token basis; by the default rule where absent.
    pub basis: Option<Basis>,
    /// How sure its intervals are.
    pub confidence: Confidence,
}

impl Default for Options {
    fn default() -> Options {
        Options { basis: None, confidence: Confidence::DEFAULT }
    }
}

/// The table of all targets.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TargetTable {
    /// Targets in the plan's order.
    pub rows: Vec<Row>,
    /// The token basis of every number in it.
    pub basis: Basis,
    /// Why that one.
    pub basis_because: BasisBecause,
    /// The reference tokenizer's name.
    pub tokenizer: String,
    /// The factor by which simulated times were multiplied back; absent for real runs.
    pub scale: Option<f64>,
    /// How sure its intervals are.
    pub confidence: Confidence,
    /// Rounds that have at least one block that counts.
    pub rounds: usize,
    /// Blocks that count.
    pub blocks: usize,
    /// When; absent without a request.
    pub span: Option<Span>,
    /// The limit on a request's time, s, as the tables print times.
    pub limit_s: f64,
    /// Void blocks by reason.
    pub voids: BTreeMap<VoidReason, usize>,
    /// Targets of which requests had to wait before they were sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<HeldRequests>,
    /// What this client says of itself; absent where no round tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diagnosis: Option<Diagnosis>,
    /// What casts doubt on the whole table or a part of it.
    pub warnings: Vec<Warning>,
}

/// Makes the table.
pub fn target_table(joined: &Joined<'_>, options: &Options) -> TargetTable {
    let manifest = joined.manifest();
    let (basis, basis_because) = basis(joined, options);
    let targets = samples(joined, basis);
    let ratios: Vec<Vec<(f64, bool)>> = targets.iter().map(usage_ratios).collect();
    let graded = graded_answers(joined, basis);
    let checks = checked(joined, &targets, graded.as_ref(), options.confidence);
    let rows = targets.iter().zip(checks).enumerate().map(|(i, (samples, check))| Row {
        graded: graded.as_ref().map(|graded| graded.row(i, options.confidence)),
        model: Some(check),
        ..row(samples, counts_differ(i, &targets, &ratios), joined.client.bottleneck(), options.confidence)
    });
    let rows = rows.collect();
    let mut voids = BTreeMap::new();
    for void in &joined.voids {
        *voids.entry(void.reason).or_insert(0) += 1;
    }
    let walls = || joined.counting().map(|(_, trial)| trial.wall());
    TargetTable {
        rows,
        basis,
        basis_because,
        tokenizer: joined.tokenizer().to_owned(),
        scale: manifest.simulated.as_ref().map(|simulated| simulated.scale),
        confidence: options.confidence,
        rounds: joined.rounds.len(),
        blocks: joined.counting().map(|(placed, trial)| (placed.run, trial.round(), trial.block())).collect::<BTreeSet<_>>().len(),
        span: walls().min().zip(walls().max()).map(|(from, to)| Span { from, to }),
        limit_s: manifest.limits.total_ms as f64 / 1e3 * Rules::of(manifest).scale,
        voids,
        held: targets.iter().filter_map(|samples| held(samples, Rules::of(manifest).scale)).collect(),
        diagnosis: Diagnosis::over(joined.runs.iter().flat_map(|run| &run.rounds).filter_map(|round| round.lag.as_ref())),
        warnings: warnings(joined, &targets),
    }
}

fn row(samples: &Samples<'_>, counts_differ: Option<Remark>, client: Option<Bottleneck>, confidence: Confidence) -> Row {
    let ok = samples.ok().count();
    let mut remarks = Vec::new();
    for outcome in Outcome::ALL.into_iter().filter(|outcome| *outcome != Outcome::Ok) {
        let n = samples.count(|of, _| of == outcome);
        remarks.extend((0 < n).then_some(Remark::Outcome(outcome, n)));
    }
    if QUOTA_BOUND * (samples.sent() as f64) < samples.count(|of, _| of == Outcome::RateLimited) as f64 {
        remarks.push(Remark::QuotaBound);
    }
    let mut raised: BTreeMap<Flag, usize> = BTreeMap::new();
    for flag in samples.replies.iter().flat_map(|(_, trial)| trial.flags(samples.basis).iter()) {
        *raised.entry(flag).or_insert(0) += 1;
    }
    // An outcome and the flag of the same name say one thing: the flag counts at least as many.
    remarks.retain(|remark| !matches!(remark, Remark::Outcome(outcome, _) if raised.keys().any(|flag| flag.name() == outcome.name())));
    remarks.extend(raised.into_iter().map(|(flag, n)| Remark::Flag(flag, n)));
    remarks.extend(counts_differ);
    let behind = samples.behind.len();
    remarks.extend((0 < behind).then_some(Remark::Behind(behind)));
    let unasked = |why: Unsent| samples.unasked.iter().filter(|row| row.unsent() == Some(why)).count();
    let (over, back) = (unasked(Unsent::OverBudget), unasked(Unsent::HeldBack));
    remarks.extend((0 < over).then_some(Remark::OverBudget(over)));
    remarks.extend((0 < back).then_some(Remark::HeldBack(back)));
    if let Some(last) = samples.configuration.first() {
        remarks.push(Remark::Configuration(samples.configuration.len(), words_of(*last)));
    }
    remarks.extend((0 < samples.sent() && samples.sent() < 5).then_some(Remark::Few));
    Row {
        target: samples.target.id.clone(),
        simulated: samples.target.simulated,
        sent: samples.sent(),
        ok,
        success: success(samples, confidence),
        cells: COLUMNS.iter().map(|column| cell(samples, column, ok, confidence)).collect(),
        graded: None,
        model: None,
        claims: claims(samples, client, confidence),
        remarks,
    }
}

/// How a target's requests were held back, if any was.
fn held(samples: &Samples<'_>, scale: f64) -> Option<HeldRequests> {
    let held: Vec<Held> = samples.replies.iter().filter_map(|(_, trial)| trial.held()).collect();
    let seconds = || held.iter().filter_map(|held| held.seconds).map(|seconds| seconds * scale);
    let range = seconds().reduce(f64::min).zip(seconds().reduce(f64::max));
    let of = HeldRequests { target: samples.target.id.clone(), held: held.len(), sent: samples.replies.len(), seconds: range };
    (0 < of.held).then_some(of)
}

/// What a provider said when its set-up was at fault.
fn words_of(trial: Trial<'_>) -> String {
    let silent = if trial.answered() { "" } else { "not sent" };
    trial.words().unwrap_or(silent).to_owned()
}
