//! Whether targets that should serve one model behave like one (method.md §2, "Same model?").
//!
//! A target is held against the others of its family with the same wish to think: the names it answers by, the share of exact answers it
//! gives, the length of its replies, and the tokens it reports for each one counted. A difference must be significant (Holm over the targets
//! of a family) *and* large enough to matter: providers of one model differ a little by their templates and number formats.
//!
//! Where one target is odd, it makes the others' mean odd to everybody. So the one that is farthest off is taken out first, and the rest are
//! held against each other again. Of two targets it cannot be said which is the odd one: both differ.

use super::graded::{Came, GradedAnswers, REQUESTS_FOR_ACCURACY};
use super::verdict::ROUNDS_FOR_WORDS;
use crate::ident::TargetId;
use crate::record::Thinking;
use crate::stats::{Confidence, Interval, Sample, holm, mcnemar_exact, mean, paired};
use serde::Serialize;
use std::collections::BTreeSet;

/// Shares of exact answers that lie closer are no other model: five points.
pub const ACCURACY_FLOOR: f64 = 0.05;
/// One prompt that is a toss-up may fall one way here and another way there, always: a difference must show in so many more prompts.
pub const PROMPTS_FLOOR: usize = 3;
/// Lengths of replies that lie closer are no other model: a tenth.
pub const LENGTH_FLOOR: f64 = 0.1;

/// What is known of a target for the check.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelFacts {
    /// The target.
    pub id: TargetId,
    /// The model's family, where known.
    pub family: Option<String>,
    /// Whether thinking was asked for.
    pub thinking: Thinking,
    /// The names it answered by, in the order in which they came up.
    pub answered_as: Vec<String>,
    /// Its fingerprints, likewise.
    pub fingerprints: Vec<String>,
    /// Its median ratio of reported tokens to counted ones and the others', where they are farther apart than 3 %.
    pub counts_differ: Option<(f64, f64)>,
    /// Tokens of each good reply, by round and prompt; nothing where there is none.
    pub lengths: Vec<Vec<Option<f64>>>,
}

/// What the check of one target came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelCheck {
    /// The target.
    pub target: TargetId,
    /// The word.
    pub verdict: ModelVerdict,
    /// The names it answered by.
    pub answered_as: Vec<String>,
    /// Its fingerprints. They change with the provider's machines, so a change proves nothing; it is told.
    pub fingerprints: Vec<String>,
    /// Exact answers; absent where there were too few to hold against others.
    pub accuracy: Option<AccuracyCheck>,
    /// Lengths; absent below six rounds.
    pub length: Option<LengthCheck>,
}

/// The word of a check.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "word")]
pub enum ModelVerdict {
    /// Exact answers or lengths could be held against others, and nothing differs.
    Consistent,
    /// Something differs.
    Differs {
        /// What.
        found: Vec<ModelDifference>,
        /// There is one other target of the family only: it cannot be said which of the two is the odd one.
        one_of_two: bool,
    },
    /// It could not be told.
    NotChecked {
        /// Why.
        why: NotChecked,
    },
}

/// A difference that was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum ModelDifference {
    /// It answered by several names.
    Renamed {
        /// The names.
        names: Vec<String>,
    },
    /// Its share of exact answers.
    Accuracy {
        /// Its own share.
        own: f64,
        /// That of its counterparts.
        others: f64,
        /// Holm-adjusted.
        p: f64,
    },
    /// The length of its replies.
    Length {
        /// Its own over the others'.
        ratio: f64,
        /// Holm-adjusted; absent where every round has the same ratio.
        p: Option<f64>,
    },
    /// The tokens that it reports for each counted one.
    Counts {
        /// Its own.
        own: f64,
        /// The others'.
        others: f64,
    },
}

/// Why a check could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NotChecked {
    /// The model's family is not known.
    NoFamily,
    /// No other target is of its family and asked to think alike.
    NoOther,
    /// Fewer than six rounds, and too few exact answers.
    TooFew,
    /// This client was the bottleneck in too many rounds.
    ClientLimited,
}

/// Exact answers of complete replies against those of the others, each block's counterpart being one of them in turn: a majority vote would
/// be right more often than any of them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AccuracyCheck {
    /// Blocks.
    pub n: usize,
    /// Its share of exact answers.
    pub own: f64,
    /// Its counterparts'.
    pub others: f64,
    /// Prompts that it answered more often than its counterparts.
    pub prompts_better: usize,
    /// Prompts that it answered less often.
    pub prompts_worse: usize,
    /// McNemar's exact p.
    pub p: f64,
    /// Adjusted for the targets that are checked.
    pub p_holm: f64,
}

/// Lengths of good replies against the others' (geometric means over the same blocks).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LengthCheck {
    /// Rounds.
    pub rounds: usize,
    /// Its own length over the others'.
    pub ratio: f64,
    /// The interval of the ratio, over rounds.
    pub interval: Interval,
    /// Paired t with the AR(1)-reduced number of rounds; absent where all rounds are equal.
    pub p: Option<f64>,
    /// Adjusted for the targets that are checked.
    pub p_holm: Option<f64>,
}

impl ModelCheck {
    /// The same without a word and what it rests on: this client was the bottleneck.
    pub(super) fn withheld(self) -> ModelCheck {
        ModelCheck { verdict: ModelVerdict::NotChecked { why: NotChecked::ClientLimited }, accuracy: None, length: None, ..self }
    }
}

impl ModelVerdict {
    /// What differs; nothing of a target that is consistent or was not checked.
    pub fn found(&self) -> &[ModelDifference] {
        match self {
            ModelVerdict::Differs { found, .. } => found,
            _ => &[],
        }
    }
}

/// Checks every target against the others of its family, in the order of `facts`.
pub fn check_models(facts: &[ModelFacts], graded: Option<&GradedAnswers>, confidence: Confidence) -> Vec<ModelCheck> {
    let accuracies = farthest_first(facts, confidence, |target, others| accuracy(graded?, target, others));
    let lengths = farthest_first(facts, confidence, |target, others| length(facts, target, others, confidence));
    let each = facts.iter().zip(accuracies).zip(lengths).enumerate();
    each.map(|(i, ((of, accuracy), length))| one(facts, i, of, accuracy, length)).collect()
}

fn one(
    facts: &[ModelFacts],
    target: usize,
    of: &ModelFacts,
    accuracy: Option<Held<AccuracyCheck>>,
    length: Option<Held<LengthCheck>>,
) -> ModelCheck {
    let others = kin(facts, target, &BTreeSet::new()).len();
    let mut found = Vec::new();
    if 1 < of.answered_as.len() {
        found.push(ModelDifference::Renamed { names: of.answered_as.clone() });
    }
    if let Some(Held { check, p_holm: Some(p), differs: true }) = accuracy {
        found.push(ModelDifference::Accuracy { own: check.own, others: check.others, p });
    }
    if let Some(Held { check, p_holm, differs: true }) = length {
        found.push(ModelDifference::Length { ratio: check.ratio, p: p_holm });
    }
    found.extend(of.counts_differ.map(|(own, others)| ModelDifference::Counts { own, others }));
    let verdict = match (found.is_empty(), &of.family) {
        (false, _) => ModelVerdict::Differs { one_of_two: others == 1 && found.iter().any(ModelDifference::is_mutual), found },
        (true, None) => ModelVerdict::NotChecked { why: NotChecked::NoFamily },
        (true, Some(_)) if others == 0 => ModelVerdict::NotChecked { why: NotChecked::NoOther },
        (true, Some(_)) if accuracy.is_none() && length.is_none() => ModelVerdict::NotChecked { why: NotChecked::TooFew },
        (true, Some(_)) => ModelVerdict::Consistent,
    };
    ModelCheck {
        target: of.id.clone(),
        verdict,
        answered_as: of.answered_as.clone(),
        fingerprints: of.fingerprints.clone(),
        accuracy: accuracy.map(|held| AccuracyCheck { p_holm: held.p_holm.unwrap_or(1.0), ..held.check }),
        length: length.map(|held| LengthCheck { p_holm: held.p_holm, ..held.check }),
    }
}

impl ModelDifference {
    /// Whether it is one from another target, rather than a fact about this one.
    const fn is_mutual(&self) -> bool {
        !matches!(self, ModelDifference::Renamed { .. })
    }
}

/// A comparison with the others: how far off, how sure, and whether that is far enough.
trait Check: Copy {
    fn p(&self) -> Option<f64>;
    /// How far off, whatever the direction.
    fn distance(&self) -> f64;
    /// Whether that is far enough to matter.
    fn matters(&self) -> bool;
}

impl Check for AccuracyCheck {
    fn p(&self) -> Option<f64> {
        Some(self.p)
    }
    fn distance(&self) -> f64 {
        (self.own - self.others).abs()
    }
    fn matters(&self) -> bool {
        ACCURACY_FLOOR <= self.distance() && PROMPTS_FLOOR <= self.prompts_better.abs_diff(self.prompts_worse)
    }
}

impl Check for LengthCheck {
    fn p(&self) -> Option<f64> {
        self.p
    }
    fn distance(&self) -> f64 {
        self.ratio.ln().abs()
    }
    fn matters(&self) -> bool {
        LENGTH_FLOOR.ln_1p() <= self.distance()
    }
}

/// A check with its adjusted p and whether the target differs by it.
#[derive(Debug, Clone, Copy)]
struct Held<C> {
    check: C,
    p_holm: Option<f64>,
    differs: bool,
}

/// Checks all targets, takes out the one that differs most, and goes on with the rest until none differs. Targets of two that differ go
/// out together.
fn farthest_first<C: Check>(
    facts: &[ModelFacts],
    confidence: Confidence,
    against: impl Fn(usize, &[usize]) -> Option<C>,
) -> Vec<Option<Held<C>>> {
    let mut held: Vec<Option<Held<C>>> = vec![None; facts.len()];
    let mut out: BTreeSet<usize> = BTreeSet::new();
    loop {
        let staying: Vec<usize> = (0..facts.len()).filter(|target| !out.contains(target)).collect();
        let check = |target: &usize| {
            let others = kin(facts, *target, &out);
            if others.is_empty() { None } else { against(*target, &others) }
        };
        let checks: Vec<Option<C>> = staying.iter().map(check).collect();
        let adjusted = holm(&checks.iter().map(|check| check.as_ref().and_then(Check::p)).collect::<Vec<_>>());
        for ((target, check), p_holm) in staying.iter().zip(checks).zip(adjusted) {
            // Whom nobody is left to be held against keeps what was found before.
            if let Some(check) = check {
                // Without a p every round is off by the same: there is no chance in it.
                let differs = check.matters() && p_holm.is_none_or(|p| p <= confidence.alpha());
                held[*target] = Some(Held { check, p_holm, differs });
            }
        }
        let differing: Vec<(usize, f64)> = staying
            .iter()
            .filter(|target| !kin(facts, **target, &out).is_empty())
            .filter_map(|target| held[*target].filter(|held| held.differs).map(|held| (*target, held.check.distance())))
            .collect();
        let Some(farthest) = differing.iter().map(|(_, distance)| *distance).max_by(f64::total_cmp) else { return held };
        out.extend(differing.iter().filter(|(_, distance)| farthest - distance < 1e-12).map(|(target, _)| *target));
        // Those that stay are judged anew; if nobody is left to judge them by, they were only held against the odd one.
        for target in staying.iter().filter(|target| !out.contains(target)) {
            if kin(facts, *target, &out).is_empty() {
                held[*target] = None;
            }
        }
    }
}

/// The others of a target's family that are asked to think alike, without those that were taken out.
fn kin(facts: &[ModelFacts], target: usize, out: &BTreeSet<usize>) -> Vec<usize> {
    let of = &facts[target];
    let alike = |other: &usize| {
        let them = &facts[*other];
        *other != target && !out.contains(other) && of.family.is_some() && them.family == of.family && them.thinking == of.thinking
    };
    (0..facts.len()).filter(alike).collect()
}

fn accuracy(graded: &GradedAnswers, target: usize, others: &[usize]) -> Option<AccuracyCheck> {
    let own = graded.of(target);
    let theirs: Vec<_> = others.iter().map(|other| graded.of(*other)).collect();
    let prompts = own.first().map_or(0, |round| round.len());
    let complete = |came: Came| if let Came::Complete(graded) = came { Some(graded.is_correct()) } else { None };
    let (mut only_own, mut only_other) = (vec![0u64; prompts], vec![0u64; prompts]);
    let (mut n, mut right, mut others_right) = (0usize, 0usize, 0usize);
    for (round, came) in own.iter().enumerate() {
        for (prompt, came) in came.iter().enumerate() {
            let there: Vec<bool> = theirs.iter().filter_map(|other| complete(other[round][prompt])).collect();
            let (Some(own), false) = (complete(*came), there.is_empty()) else { continue };
            let other = there[(round + prompt) % there.len()];
            n += 1;
            right += usize::from(own);
            others_right += usize::from(other);
            only_own[prompt] += u64::from(own && !other);
            only_other[prompt] += u64::from(other && !own);
        }
    }
    if n < REQUESTS_FOR_ACCURACY {
        return None;
    }
    let split = || only_own.iter().zip(&only_other);
    let p = mcnemar_exact(only_own.iter().sum(), only_other.iter().sum());
    Some(AccuracyCheck {
        n,
        own: right as f64 / n as f64,
        others: others_right as f64 / n as f64,
        prompts_better: split().filter(|(own, other)| other < own).count(),
        prompts_worse: split().filter(|(own, other)| own < other).count(),
        p,
        p_holm: p,
    })
}

fn length(facts: &[ModelFacts], target: usize, others: &[usize], confidence: Confidence) -> Option<LengthCheck> {
    let log = |target: usize, round: usize, prompt: usize| {
        let length = facts[target].lengths.get(round)?.get(prompt).copied().flatten()?;
        (0.0 < length).then(|| length.ln())
    };
    let of_block = |round: usize, prompt: usize| {
        let there: Vec<f64> = others.iter().filter_map(|other| log(*other, round, prompt)).collect();
        Some(log(target, round, prompt)? - mean(&there)?)
    };
    let of_round = |(round, lengths): (usize, &Vec<Option<f64>>)| {
        mean(&(0..lengths.len()).filter_map(|prompt| of_block(round, prompt)).collect::<Vec<f64>>())
    };
    let differences: Vec<f64> = facts[target].lengths.iter().enumerate().filter_map(of_round).collect();
    let sample = Sample::new(differences).ok().filter(|sample| ROUNDS_FOR_WORDS <= sample.n())?;
    let found = paired(&sample, confidence);
    Some(LengthCheck { rounds: sample.n(), ratio: found.mean.exp(), interval: found.interval.map(f64::exp), p: found.p, p_holm: None })
}
