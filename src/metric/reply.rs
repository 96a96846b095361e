//! One reply, prepared for its metrics: arrivals, counts, outcome. The only place that multiplies a simulated run's times back.

use super::Undefined;
use super::arrivals::{Arrival, Moment, arrivals};
use super::outcome::{Outcome, judge};
use crate::record::{Answer, Manifest, TargetFacts, Thinking};
use crate::timeline::{Phase, Point};
use crate::tokens::{Basis, Counts, Doubt, NoCounts, Reference, believe, char_counts, reference_counts, reported_counts};
use crate::units::Stamp;

/// The rules by which replies of a run are judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// A reply cut by the length limit is a success.
    pub capped_is_ok: bool,
    /// A gap longer than this is a stall, ms.
    pub stall_ms: f64,
    /// Replies with fewer tokens are too short for a speed.
    pub min_tokens: f64,
    /// Factor on every time: above 1 for a simulated run, whose times are those of the imitated provider divided by it.
    pub scale: f64,
    /// Each round opened every connection beforehand.
    pub warm_up: bool,
}

impl Rules {
    /// The rules that a manifest states.
    pub fn of(manifest: &Manifest) -> Rules {
        Rules {
            capped_is_ok: manifest.design.capped_is_ok,
            stall_ms: manifest.design.stall_ms,
            min_tokens: manifest.design.min_tokens as f64,
            scale: manifest.simulated.as_ref().map_or(1.0, |simulated| simulated.scale),
            warm_up: manifest.design.warm_up,
        }
    }
}

/// The token counts of one answer on every basis: made once, since tokenising is what costs time.
#[derive(Debug, Clone, PartialEq)]
pub struct Tally {
    /// By the reference tokenizer.
    pub reference: Result<Counts, NoCounts>,
    /// As reported.
    pub reported: Result<Counts, NoCounts>,
    /// In characters.
    pub chars: Result<Counts, NoCounts>,
    /// What is doubtful about the reported usage.
    pub doubts: Vec<Doubt>,
    /// Thinking may have gone on unseen: the usage does not tell.
    pub thinking_unknown: bool,
}

impl Tally {
    /// Counts an answer of a target.
    pub fn of(answer: &Answer, target: &TargetFacts, tokenizer: &Reference) -> Tally {
        let reference = reference_counts(answer, tokenizer);
        let doubts = believe(answer, reference.as_ref().ok());
        let reasoned = answer.timeline.phases().any(|phase| phase == Phase::Reasoning);
        let told = answer.usage.as_ref().is_some_and(|usage| usage.reasoning.is_some());
        let thinks = target.reasoning_model == Some(true) && target.thinking != Thinking::Off;
        let thinking_unknown = thinks && !reasoned && !told;
        let reported = match thinking_unknown && answer.usage.is_some() {
            true => Err(NoCounts::ThinkingUnknown),
            false => reported_counts(answer, &doubts),
        };
        Tally { reference, reported, chars: char_counts(answer), doubts, thinking_unknown }
    }

    /// The counts on a basis.
    pub fn on(&self, basis: Basis) -> &Result<Counts, NoCounts> {
        match basis {
            Basis::Reported => &self.reported,
            Basis::Reference => &self.reference,
            Basis::Chars => &self.chars,
        }
    }
}

/// One reply, prepared for its metrics.
#[derive(Debug, Clone)]
pub struct Reply<'a> {
    /// The facts on record.
    pub answer: &'a Answer,
    /// Its counts on every basis.
    pub tally: &'a Tally,
    /// The basis of this reading.
    pub basis: Basis,
    /// The rules of judging.
    pub rules: Rules,
    /// All arrivals.
    pub arrivals: Vec<Arrival>,
    /// Arrivals of reasoning.
    pub reasoning: Vec<Arrival>,
    /// Arrivals of the answer, tool calls included.
    pub content: Vec<Arrival>,
    /// How it is judged.
    pub outcome: Outcome,
    points: Vec<Point>,
}

impl<'a> Reply<'a> {
    /// Prepares an answer.
    pub fn new(answer: &'a Answer, tally: &'a Tally, basis: Basis, rules: Rules) -> Reply<'a> {
        let points: Vec<Point> = if answer.timeline.is_sound() { answer.timeline.points().collect() } else { Vec::new() };
        let counts = tally.on(basis).as_ref().ok().map(|counts| counts.per_event.as_slice()).filter(|counts| counts.len() == points.len());
        let of = |wanted: &dyn Fn(&Point) -> bool| arrivals(&points, counts, rules.scale, wanted);
        Reply {
            answer,
            tally,
            basis,
            rules,
            arrivals: of(&|_| true),
            reasoning: of(&|point| point.phase == Phase::Reasoning),
            content: of(&|point| point.phase != Phase::Reasoning),
            outcome: judge(answer, rules.capped_is_ok),
            points,
        }
    }

    /// The first text that is wanted.
    pub fn first(&self, wanted: impl Fn(Phase) -> bool) -> Option<&Point> {
        self.points.iter().find(|point| wanted(point.phase))
    }
    /// The last text that is wanted.
    pub fn last(&self, wanted: impl Fn(Phase) -> bool) -> Option<&Point> {
        self.points.iter().rev().find(|point| wanted(point.phase))
    }
    /// A point's time in milliseconds, as the tables print it.
    pub fn moment(&self, point: &Point) -> Moment {
        Moment::of(point, self.rules.scale)
    }
    /// Milliseconds from the first write to a stamp, as the tables print them.
    pub fn since_write(&self, stamp: Stamp) -> Result<f64, Undefined> {
        let start = self.answer.stamps.first_write.ok_or(Undefined::NoStart)?;
        Ok(stamp.since(start) as f64 / 1e6 * self.rules.scale)
    }
    /// Refuses where latencies have no known beginning: a client that tells no write time and opened the connection itself.
    pub fn start_known(&self) -> Result<(), Undefined> {
        let known = self.answer.stamps.first_write.is_some() || self.answer.connect.reused;
        if known { Ok(()) } else { Err(Undefined::NoStart) }
    }

    /// The counts of each event on this reading's basis.
    pub fn counts(&self) -> Result<&Counts, Undefined> {
        self.tally.on(self.basis).as_ref().map_err(|why| Undefined::NoCounts(*why))
    }
    /// All streamed tokens on this reading's basis.
    pub fn tokens(&self) -> Result<f64, Undefined> {
        Ok(self.counts()?.total())
    }
    /// Tokens by which length is judged: characters say nothing of it where tokens are known.
    fn length(&self) -> Option<f64> {
        let by = |basis| self.tally.on(basis).as_ref().ok().map(Counts::total);
        match self.basis {
            Basis::Chars => by(Basis::Reference).or_else(|| by(Basis::Chars)),
            basis => by(basis),
        }
    }
    /// Too few tokens for a speed.
    pub fn too_short(&self) -> bool {
        self.length().is_some_and(|tokens| 0.0 < tokens && tokens < self.rules.min_tokens)
    }
    /// The whole reply in fewer than four arrivals, or more than half of its tokens in one: the pace is a gateway's, not the model's.
    /// Counted on arrivals, never on reads, which merge by this client's lag.
    pub fn bundled(&self) -> bool {
        let long = self.length().is_none_or(|tokens| self.rules.min_tokens <= tokens);
        let few = !self.arrivals.is_empty() && self.arrivals.len() < 4;
        let total: Option<f64> = self.arrivals.iter().map(|arrival| arrival.tokens).sum();
        let heavy = total.is_some_and(|total| self.arrivals.iter().any(|arrival| arrival.tokens.is_some_and(|n| total < 2.0 * n)));
        long && (few || heavy)
    }
}
