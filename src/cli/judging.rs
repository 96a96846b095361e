//! What commands with verdicts share: in which quantities, how strictly, against whom.

use super::reading::Counting;
use crate::analysis::{
    BasisBecause, Comparing, GradedAnswers, Joined, Judging, Options, Panel, Quantity, basis, graded_answers, model_checks, panel,
};
use crate::report::{Lang, Reading, model_differs, plain};
use crate::stats::Confidence;
use crate::tokens::Basis;
use anyhow::bail;

/// How strictly, and in what.
#[derive(Debug, clap::Args)]
pub struct Strictness {
    /// A quantity to compare in, such as e2e, ttft or content_speed; may be given several times, one table each
    #[arg(long = "metric", value_name = "METRIC", value_parser = quantity)]
    pub metrics: Vec<Quantity>,
    /// Confidence of every interval and word
    #[arg(long, value_name = "SHARE", default_value = "0.95", value_parser = confidence)]
    pub confidence: Confidence,
    /// The tie band: a smaller difference is a tie in practice; 0.05 or 5%
    #[arg(long, value_name = "SHARE", default_value = "0.05", value_parser = delta)]
    pub delta: f64,
}

impl Strictness {
    /// What is usual, in one quantity.
    pub fn of(quantity: Quantity) -> Strictness {
        let Judging { confidence, delta } = Judging::default();
        Strictness { metrics: vec![quantity], confidence, delta }
    }

    /// The rules of judging.
    pub fn judging(&self) -> Judging {
        Judging { confidence: self.confidence, delta: self.delta }
    }

    /// The quantities asked for, each once, or those that a command has by itself.
    pub fn quantities(&self, own: &[Quantity]) -> Vec<Quantity> {
        let asked = if self.metrics.is_empty() { own } else { self.metrics.as_slice() };
        let mut quantities = Vec::new();
        for quantity in asked {
            if !quantities.contains(quantity) {
                quantities.push(*quantity);
            }
        }
        quantities
    }
}

/// What every verdict of a reading rests on: one basis, one check of the models, one way of judging, whichever command asks.
pub struct Grounds<'a> {
    /// The runs.
    pub joined: &'a Joined<'a>,
    /// The exact answers, where the dataset has any.
    pub graded: Option<GradedAnswers>,
    /// How targets are compared.
    pub how: Comparing,
    /// The token basis.
    pub basis: Basis,
    because: BasisBecause,
    lang: Lang,
}

impl<'a> Grounds<'a> {
    /// The grounds of a reading.
    pub fn new(joined: &'a Joined<'a>, counting: &Counting, strictness: &Strictness, lang: Lang) -> Grounds<'a> {
        let judging = strictness.judging();
        let (basis, because) = basis(joined, &Options { basis: counting.basis, ..Options::default() });
        let graded = graded_answers(joined, basis);
        let checks = model_checks(joined, basis, graded.as_ref(), judging.confidence);
        let model_differs = checks.iter().map(|check| model_differs(check, lang)).collect();
        let how = Comparing { judging, seed: joined.manifest().seed, model_differs, ..Comparing::default() };
        Grounds { joined, graded, how, basis, because, lang }
    }

    /// The quantities asked for; else a command's own, and seconds per correct answer where there are exact answers.
    pub fn quantities(&self, strictness: &Strictness, own: &[Quantity]) -> Vec<Quantity> {
        let graded = self.graded.is_some().then_some(Quantity::SecondsPerCorrect);
        strictness.quantities(&own.iter().copied().chain(graded).collect::<Vec<_>>())
    }

    /// The panel of a quantity.
    pub fn panel(&self, quantity: Quantity) -> anyhow::Result<Panel> {
        laid_out(self.joined, quantity, self.basis)
    }

    /// What captions are made of.
    pub fn reading(&self) -> Reading<'_> {
        let tokenizer = self.joined.tokenizer();
        Reading { joined: self.joined, basis: self.basis, because: &self.because, tokenizer, lang: self.lang }
    }
}

/// The panel of a quantity.
pub fn laid_out(joined: &Joined<'_>, quantity: Quantity, basis: Basis) -> anyhow::Result<Panel> {
    if quantity != Quantity::SecondsPerCorrect {
        return Ok(panel(joined, quantity, basis));
    }
    match graded_answers(joined, basis) {
        Some(graded) => Ok(graded.panel()),
        None => bail!("no prompt of this dataset has an exact answer, so there are no seconds per correct answer"),
    }
}

/// Refuses a run with nothing to compare.
pub fn at_least_two(joined: &Joined<'_>) -> anyhow::Result<()> {
    if joined.manifest().targets.len() < 2 {
        bail!("there is only one target, and nothing to compare it with");
    }
    Ok(())
}

/// The index of a target by its name, as tables print it or as the plan has it.
pub fn target(joined: &Joined<'_>, name: &str) -> anyhow::Result<usize> {
    let targets = &joined.manifest().targets;
    let wanted = |name: &str| targets.iter().position(|target| target.id.as_str() == name);
    if let Some(found) = wanted(name).or_else(|| wanted(name.strip_prefix("sim:")?)) {
        return Ok(found);
    }
    let known: Vec<String> = targets.iter().map(|target| plain(target.id.as_str())).collect();
    bail!("no target is called {}; known are {}", plain(name), known.join(", "))
}

/// A quantity by its name.
pub fn quantity(word: &str) -> Result<Quantity, String> {
    if let Some(quantity) = Quantity::named(word) {
        return Ok(quantity);
    }
    let likeness = |quantity: &Quantity| strsim::jaro_winkler(quantity.name(), word);
    let nearest = Quantity::ALL.into_iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let nearest = nearest.filter(|quantity| 0.7 < likeness(quantity)).map(|quantity| format!("did you mean {}? ", quantity.name()));
    let known = Quantity::ALL.map(Quantity::name).join(", ");
    Err(format!("{}targets can be compared in {known}", nearest.unwrap_or_default()))
}

/// A confidence, as `0.95` or `95%`.
pub fn confidence(word: &str) -> Result<Confidence, String> {
    Confidence::new(share(word)?).map_err(|not| not.to_string())
}

fn delta(word: &str) -> Result<f64, String> {
    let delta = share(word)?;
    if (0.0..1.0).contains(&delta) { Ok(delta) } else { Err("give a share from 0 to below 1, such as 0.05 or 5%".into()) }
}

/// `0.95` or `95%`.
fn share(word: &str) -> Result<f64, String> {
    let (number, of) = word.strip_suffix('%').map_or((word, 1.0), |number| (number, 100.0));
    number.trim().parse::<f64>().map(|number| number / of).map_err(|_| "give a share such as 0.95 or 95%".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_metric_names_its_nearest_and_all() {
        let error = quantity("contnt_speed").unwrap_err();
        assert!(error.starts_with("did you mean content_speed? ") && error.contains("seconds_per_correct"), "{error}");
        assert!(quantity("zzz").unwrap_err().starts_with("targets can be compared in ttft"));
    }

    #[test]
    fn shares_are_read_either_way() {
        assert_eq!((delta("5%"), delta("0.05"), delta("0")), (Ok(0.05), Ok(0.05), Ok(0.0)));
        assert!(delta("5").is_err() && delta("x").is_err() && delta("-0.1").is_err() && delta("NaN").is_err());
        assert_eq!(confidence("90%").map(Confidence::share), Ok(0.9));
        assert!(confidence("95").is_err());
    }
}
