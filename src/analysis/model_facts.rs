//! What the runs tell of each target for the check of whether it serves the same model as the others.

use super::figures::{counts_differ, usage_ratios};
use super::graded::GradedAnswers;
use super::joined::Joined;
use super::same_model::{ModelCheck, ModelFacts, check_models};
use super::samples::{Samples, samples};
use super::table::Remark;
use crate::measured::Row;
use crate::metric::Flag;
use crate::stats::Confidence;
use crate::tokens::Basis;

/// Checks whether targets that should serve one model behave like one.
pub fn model_checks(joined: &Joined<'_>, basis: Basis, graded: Option<&GradedAnswers>, confidence: Confidence) -> Vec<ModelCheck> {
    checked(joined, &samples(joined, basis), graded, confidence)
}

pub(super) fn checked(
    joined: &Joined<'_>,
    targets: &[Samples<'_>],
    graded: Option<&GradedAnswers>,
    confidence: Confidence,
) -> Vec<ModelCheck> {
    let ratios: Vec<Vec<(f64, bool)>> = targets.iter().map(usage_ratios).collect();
    let facts: Vec<ModelFacts> = (0..targets.len()).map(|i| facts(joined, i, targets, &ratios)).collect();
    let checks = check_models(&facts, graded, confidence);
    match joined.client.closed {
        true => checks.into_iter().map(ModelCheck::withheld).collect(),
        false => checks,
    }
}

fn facts(joined: &Joined<'_>, i: usize, targets: &[Samples<'_>], ratios: &[Vec<(f64, bool)>]) -> ModelFacts {
    let of = &targets[i];
    let (mut answered_as, mut fingerprints) = (Vec::new(), Vec::new());
    for (model, fingerprint) in of.replies.iter().filter_map(|(_, trial)| trial.served()) {
        for (said, heard) in [(model, &mut answered_as), (fingerprint, &mut fingerprints)] {
            if !said.is_empty() && !heard.iter().any(|known: &String| known == said) {
                heard.push(said.to_owned());
            }
        }
    }
    let counting = length_of(of.target.family.as_deref(), targets);
    let mut lengths = vec![vec![None; joined.manifest().dataset.prompts.len()]; of.rounds];
    for (round, trial) in of.ok() {
        if let Some(prompt) = trial.prompt() {
            lengths[round][prompt] = counting.of(trial);
        }
    }
    // Thinking that is billed and not shown explains more reported tokens than counted ones; it says nothing of the model.
    let hides = ratios[i].iter().any(|(_, shy)| *shy);
    let counts_differ = match counts_differ(i, targets, ratios) {
        Some(Remark::CountsDiffer { ratio, others }) if !hides => Some((ratio, others)),
        _ => None,
    };
    ModelFacts {
        id: of.target.id.clone(),
        family: of.target.family.clone(),
        thinking: of.target.thinking,
        answered_as,
        fingerprints,
        counts_differ,
        lengths,
    }
}

/// How the length of a reply is taken, the same way for a whole family.
#[derive(Debug, Clone, Copy)]
struct Length {
    basis: Basis,
    content_only: bool,
}

/// Streamed tokens by the reference tokenizer, or characters where some have no such counts; of the answer alone where one of the family
/// does not show its thinking.
fn length_of(family: Option<&str>, targets: &[Samples<'_>]) -> Length {
    let kin = || targets.iter().filter(|samples| samples.target.family.as_deref() == family).flat_map(|samples| samples.ok());
    let hides = |trial: Row<'_>| {
        let flags = trial.flags(Basis::Reference);
        flags.has(Flag::Hidden) || flags.has(Flag::ThinkingUnknown)
    };
    let uncounted = kin().any(|(_, trial)| trial.uncounted(Basis::Reference).is_some());
    Length { basis: if uncounted { Basis::Chars } else { Basis::Reference }, content_only: kin().any(|(_, trial)| hides(trial)) }
}

impl Length {
    fn of(self, trial: Row<'_>) -> Option<f64> {
        let content = trial.content_tokens(self.basis).ok()?;
        let reasoning = if self.content_only { 0.0 } else { trial.reasoning_tokens(self.basis).ok()? };
        Some(content + reasoning)
    }
}
