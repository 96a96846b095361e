//! One quantity of runs laid out by target, round and prompt: failures are charged, never dropped (method.md §1.5, §1.6).

use super::joined::{Joined, Standing};
use super::panel::{Entry, Panel, PanelTarget};
use super::quantity::{Charge, Part, Quantity};
use crate::measured::{Row, Scalar, scalar};
use crate::metric::{Flag, Outcome, Rules, Undefined, Unit};
use crate::record::TargetFacts;
use crate::stats::median;
use crate::tokens::Basis;

/// One quantity of all targets, from every trial that counts.
///
/// A good reply has the smaller of its time and the limit T; a failure is charged T, or for rates T / Ñ, where Ñ is the median number of
/// tokens that the prompt's good replies have (all targets and rounds, of the part that the quantity counts). Where no target has a good
/// reply to the prompt there is nothing to charge by, and the failure is absent. A target whose good replies never reason has no
/// reasoning speed at all, and its failures are not charged for one. A request that this client did not get to send has no entry and
/// counts among those sent. Replies that are too short for a speed, or bundled where that spoils it, have none.
pub fn panel(joined: &Joined<'_>, quantity: Quantity, basis: Basis) -> Panel {
    let manifest = joined.manifest();
    let laying = Laying {
        quantity,
        basis,
        scalar: scalar(quantity.name()),
        limit_s: manifest.limits.total_ms as f64 / 1e3 * Rules::of(manifest).scale,
    };
    let (rounds, prompts) = (joined.rounds.clone(), manifest.dataset.prompts.len());
    let charges = laying.charges(joined, prompts);
    let never = laying.without_the_quantity(joined);
    let index = joined.round_index();
    let mut targets: Vec<PanelTarget> = manifest.targets.iter().map(|facts| PanelTarget::new(facts, rounds.len())).collect();
    let mut entries = vec![Entry::Absent; targets.len() * rounds.len() * prompts];
    for (placed, trial) in joined.counting() {
        let Some(round) = index.get(&(placed.run, trial.round())).copied() else { continue };
        targets[placed.target].count(round, trial, basis);
        let Some(prompt) = trial.prompt().filter(|_| placed.standing == Standing::Sent) else { continue };
        let place = (placed.target * rounds.len() + round) * prompts + prompt;
        entries[place] = if never[placed.target] { Entry::Undefined } else { laying.entry(trial, charges[prompt]) };
    }
    let client = joined.client.bottleneck();
    Panel::of_blocks(quantity, targets, rounds, prompts, laying.limit_s, entries).limited_by(client)
}

struct Laying {
    quantity: Quantity,
    basis: Basis,
    scalar: Option<Scalar>,
    limit_s: f64,
}

impl Laying {
    fn value(&self, trial: Row<'_>) -> Result<f64, Undefined> {
        let scalar = self.scalar.ok_or(Undefined::NoContent)?;
        trial.scalar(scalar, self.basis).map(|seen| seen.value)
    }

    /// The limit in the quantity's own unit of time.
    fn limit(&self) -> f64 {
        match self.quantity.metric().map(|metric| metric.unit) {
            Some(Unit::Milliseconds) => self.limit_s * 1e3,
            _ => self.limit_s,
        }
    }

    fn entry(&self, trial: Row<'_>, charge: Option<f64>) -> Entry {
        let rate_limited = trial.outcome() == Some(Outcome::RateLimited);
        let failed = charge.map_or(Entry::Absent, |charge| Entry::Failed { charge, rate_limited });
        if !trial.is_ok() {
            return failed;
        }
        if self.quantity.by_tokens() && trial.flags(self.basis).has(Flag::TooShort) {
            return Entry::Undefined;
        }
        let time = match self.value(trial) {
            Ok(value) => self.quantity.as_time(value),
            Err(why) if self.quantity.is_charged(why) => return failed,
            Err(_) => return Entry::Undefined,
        };
        // Nothing can be said of the logarithm of no time, or of endless time.
        if !(time.is_finite() && 0.0 < time) {
            return Entry::Undefined;
        }
        match self.quantity.charge() {
            Charge::Limit => Entry::Good(time.min(self.limit())),
            Charge::LimitByTokens(_) => Entry::Good(time),
        }
    }

    /// What a failure is charged, by prompt.
    fn charges(&self, joined: &Joined<'_>, prompts: usize) -> Vec<Option<f64>> {
        let Charge::LimitByTokens(part) = self.quantity.charge() else { return vec![Some(self.limit()); prompts] };
        let mut tokens = vec![Vec::new(); prompts];
        for (_, trial) in joined.counting().filter(|(_, trial)| trial.is_ok()) {
            if let Some((prompt, n)) = trial.prompt().zip(self.tokens(trial, part)) {
                tokens[prompt].push(n);
            }
        }
        tokens.iter().map(|tokens| median(tokens).map(|middle| self.limit_s / middle)).collect()
    }

    /// Tokens of a part of a reply that has it.
    fn tokens(&self, trial: Row<'_>, part: Part) -> Option<f64> {
        let (reasoning, content) = (trial.reasoning_tokens(self.basis), trial.content_tokens(self.basis));
        let tokens = match part {
            Part::Whole => reasoning.ok()? + content.ok()?,
            Part::Reasoning => reasoning.ok()?,
            Part::Content => content.ok()?,
        };
        (0.0 < tokens).then_some(tokens)
    }

    /// Targets that have good replies, none of which ever reasons, where the quantity is about reasoning.
    fn without_the_quantity(&self, joined: &Joined<'_>) -> Vec<bool> {
        let targets = joined.manifest().targets.len();
        if self.quantity != Quantity::ReasoningSpeed {
            return vec![false; targets];
        }
        let (mut good, mut reasoned) = (vec![false; targets], vec![false; targets]);
        for (placed, trial) in joined.counting().filter(|(_, trial)| trial.is_ok()) {
            good[placed.target] = true;
            reasoned[placed.target] |= self.value(trial) != Err(Undefined::NoReasoning);
        }
        good.into_iter().zip(reasoned).map(|(good, reasoned)| good && !reasoned).collect()
    }
}

impl PanelTarget {
    fn new(facts: &TargetFacts, rounds: usize) -> PanelTarget {
        PanelTarget {
            id: facts.id.clone(),
            family: facts.family.clone(),
            simulated: facts.simulated,
            success: vec![(0, 0); rounds],
            rate_limited: 0,
            bundled: 0,
            hidden: 0,
            uncounted: 0,
        }
    }

    fn count(&mut self, round: usize, trial: Row<'_>, basis: Basis) {
        let (ok, sent) = &mut self.success[round];
        *sent += 1;
        self.rate_limited += usize::from(trial.outcome() == Some(Outcome::RateLimited));
        if !trial.is_ok() {
            return;
        }
        *ok += 1;
        let flags = trial.flags(basis);
        self.bundled += usize::from(flags.has(Flag::Bundled));
        self.hidden += usize::from(flags.has(Flag::Hidden) || flags.has(Flag::ThinkingUnknown));
        self.uncounted += usize::from(trial.uncounted(basis).is_some());
    }
}
