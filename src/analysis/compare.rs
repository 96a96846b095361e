//! Targets against each other, or all against one: ratio, intervals, adjusted p, and the word.

use super::bar::{Bar, bars};
use super::graded::{AccuracyDifference, GradedAnswers};
use super::pairs::{Pair, judged};
use super::panel::{Entry, Panel};
use super::quantile_ratio::{QuantileRatios, RESAMPLES, quantile_ratios};
use super::quantity::Quantity;
use super::verdict::{Circumstances, Judging, ROUNDS_FOR_INTERVALS, Rider, Side, Verdict};
use crate::ident::TargetId;
use crate::stats::{
    ClusteredShare, Confidence, Estimate, Extended, Interval, Sample, ShareDifference, SignFlip, block_score, clustered_share,
    hodges_lehmann, mcnemar_exact, newcombe_of, paired, sign_flip, win_share,
};
use serde::Serialize;

/// How targets are compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparing {
    /// How strictly.
    pub judging: Judging,
    /// Index of the target that all others are compared against, each of them first; all pairs without one. The family of Holm is what is
    /// compared: all pairs, or those against the baseline.
    pub baseline: Option<usize>,
    /// The seed of what is drawn.
    pub seed: u64,
    /// Resamples of rounds for ratios of quantiles; [`RESAMPLES`] where nobody is in a hurry.
    pub resamples: usize,
    /// By target: what the model check found to differ. May be shorter.
    pub model_differs: Vec<Option<String>>,
}

impl Default for Comparing {
    fn default() -> Comparing {
        Comparing { judging: Judging::default(), baseline: None, seed: 0, resamples: RESAMPLES, model_differs: Vec::new() }
    }
}

/// All comparisons of a panel.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparisons {
    /// What is compared.
    #[serde(skip)]
    pub quantity: Quantity,
    /// How strictly.
    pub judging: Judging,
    /// The target that all others are compared against.
    pub baseline: Option<TargetId>,
    /// Pairs in the family of Holm's adjustment.
    pub family: usize,
    /// A comparison a pair.
    pub comparisons: Vec<Comparison>,
}

/// Two targets compared in one quantity. Every ratio is that of the **first** to the **second**, in time: below 1 the first is faster.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The first.
    pub first: Contestant,
    /// The second.
    pub second: Contestant,
    /// Rounds that both have.
    pub rounds: usize,
    /// Blocks that both have; 0 of a quantity that only rounds have.
    pub blocks: usize,
    /// Ratio of the geometric means of charged times.
    pub ratio: Result<Estimate, WhyNot>,
    /// Two-sided p of "the ratio is 1".
    pub p: Option<f64>,
    /// The same, adjusted for all pairs of the family.
    pub p_holm: Option<f64>,
    /// Standard deviation over rounds of the log ratio.
    pub sd: Option<f64>,
    /// Corrected autocorrelation of the rounds.
    pub r1_corrected: Option<f64>,
    /// Rounds that were reckoned with.
    pub n_eff: Option<f64>,
    /// Ratio of the medians.
    pub p50: Result<Estimate, WhyNot>,
    /// Ratio of the 95th percentiles.
    pub p95: Result<Estimate, WhyNot>,
    /// The share of blocks that the first won; equal ones count half.
    pub first_won: Result<Estimate, WhyNot>,
    /// Success rates and their difference.
    pub success: Option<SuccessDifference>,
    /// Shares of correct answers and their difference, where the dataset has exact ones.
    pub accuracy: Option<AccuracyDifference>,
    /// The word.
    pub verdict: Verdict,
    /// What a reader must know beside it.
    pub riders: Vec<Rider>,
    /// The same question asked otherwise.
    pub sensitivity: Sensitivity,
}

/// One of the two.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Contestant {
    /// Its place in the panel.
    #[serde(skip)]
    pub index: usize,
    /// The target.
    pub target: TargetId,
    /// It is one of our own simulated providers.
    pub simulated: bool,
    /// What would keep it out of a ranking.
    pub bars: Vec<Bar>,
}

/// Why there is no figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum WhyNot {
    /// One of the two, or both, has nothing that could be compared.
    NotComparable,
    /// No round has both.
    NothingInCommon,
    /// Too few rounds.
    FewRounds {
        /// There are.
        rounds: usize,
        /// It takes.
        needs: usize,
    },
    /// Too few values.
    FewRequests {
        /// There are, of the one that has fewer.
        n: usize,
        /// It takes.
        needs: usize,
    },
    /// Too many of its requests failed for the quantile to exist.
    Never {
        /// Whose.
        who: Side,
    },
    /// Only whole rounds have this quantity, so there is nothing to take quantiles of.
    OnlyRounds,
}

/// Success rates of a pair, over the rounds in which both were asked.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SuccessDifference {
    /// The first's, clustered Wilson.
    pub first: ClusteredShare,
    /// The second's.
    pub second: ClusteredShare,
    /// First less second, Newcombe's hybrid on the clustered limits; absent below three rounds.
    pub difference: Option<ShareDifference>,
    /// A check on blocks: (only the first succeeded, only the second, McNemar's exact p).
    pub mcnemar: Option<(u64, u64, f64)>,
}

impl SuccessDifference {
    /// Whether the interval of the difference excludes 0.
    pub fn differ(&self) -> bool {
        self.difference.is_some_and(|difference| !difference.interval.holds(0.0))
    }
}

/// Sensitivity figures, kept in files. They decide nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Sensitivity {
    /// The ratio over blocks that both answered: what dropping failures would say.
    pub answered_only: Option<Estimate>,
    /// The ratio with rate-limited requests left out, where there are any.
    pub without_rate_limited: Option<Estimate>,
    /// Sign flips of the round differences.
    pub sign_flip: Option<SignFlip>,
    /// exp of the Hodges–Lehmann location of the round differences.
    pub hodges_lehmann: Option<Estimate>,
    /// Ratio of medians with its expanded-percentile interval, not widened for the dependence of rounds.
    pub p50_expanded: Option<Estimate>,
    /// The same of the 95th percentiles.
    pub p95_expanded: Option<Estimate>,
}

impl Comparisons {
    /// The same comparisons with the shares of correct answers beside.
    pub fn with_answers(mut self, graded: &GradedAnswers) -> Comparisons {
        for comparison in &mut self.comparisons {
            if let Verdict::Withheld { .. } = comparison.verdict {
                continue;
            }
            comparison.accuracy = graded.difference(comparison.first.index, comparison.second.index, self.judging.confidence);
        }
        self
    }
}

/// Compares the targets of a panel.
pub fn compare(panel: &Panel, how: &Comparing) -> Comparisons {
    let confidence = how.judging.confidence;
    let all_bars: Vec<Vec<Bar>> = (0..panel.targets.len())
        .map(|target| bars(panel, target, confidence, how.model_differs.get(target).and_then(Option::as_deref)))
        .collect();
    let all = asked(panel.targets.len(), how.baseline);
    let barred = |target: &usize| all_bars[*target].iter().any(Bar::forbids_comparison);
    let (apart, family): (Vec<_>, Vec<_>) = all.iter().copied().partition(|(first, second)| barred(first) || barred(second));
    let mut pairs = judged(panel, &family, &how.judging);
    // Those that cannot be compared are measured on their own: they must not make the family larger.
    for (first, second) in apart {
        let who = [(Side::First, first), (Side::Second, second)].into_iter().filter(|(_, target)| barred(target));
        let verdict = Verdict::NotComparable { who: who.map(|(side, _)| side).collect() };
        pairs.extend(judged(panel, &[(first, second)], &how.judging).into_iter().map(|pair| Pair {
            verdict: if panel.client.is_some() { pair.verdict } else { verdict.clone() },
            p_holm: None,
            ..pair
        }));
    }
    pairs.sort_by_key(|pair| all.iter().position(|(first, second)| (*first, *second) == (pair.first, pair.second)));
    let comparisons = pairs.into_iter().map(|pair| comparison(panel, pair, &all_bars, how)).collect();
    Comparisons {
        quantity: panel.quantity,
        judging: how.judging,
        baseline: how.baseline.and_then(|target| panel.targets.get(target)).map(|target| target.id.clone()),
        family: family.len(),
        comparisons,
    }
}

/// The pairs that are asked for.
fn asked(targets: usize, baseline: Option<usize>) -> Vec<(usize, usize)> {
    match baseline {
        Some(baseline) => (0..targets).filter(|target| *target != baseline).map(|target| (target, baseline)).collect(),
        None => crate::stats::pairs(targets).collect(),
    }
}

fn comparison(panel: &Panel, pair: Pair, bars: &[Vec<Bar>], how: &Comparing) -> Comparison {
    let confidence = how.judging.confidence;
    let (first, second) = (pair.first, pair.second);
    let empty = |target: usize| bars[target].iter().any(Bar::leaves_nothing);
    let nothing = empty(first) || empty(second);
    let contestant = |target: usize| Contestant {
        index: target,
        target: panel.targets[target].id.clone(),
        simulated: panel.targets[target].simulated,
        bars: bars[target].clone(),
    };
    let success = success(panel, &pair, confidence);
    let first_won = won(panel, &pair, confidence);
    let paired = pair.paired.filter(|_| !nothing);
    let (quantiles, sensitivity) = match nothing {
        true => (QuantileRatios::none(WhyNot::NotComparable), Sensitivity::default()),
        false => {
            let quantiles = quantile_ratios(panel, &pair, how);
            let sensitivity = sensitivity(panel, &pair, &quantiles, how);
            (quantiles, sensitivity)
        }
    };
    let circumstances = Circumstances {
        success: success.map(|success| (success.first.share, success.second.share, success.differ())),
        first_won: first_won.ok().and_then(|won| won.point.finite()),
        r1_corrected: paired.map(|paired| paired.r1_corrected),
        span_s: span_s(panel, &pair),
    };
    let mut riders = Rider::of(&pair.verdict, &circumstances);
    if pair.verdict.is_called() {
        riders.extend(of_targets(panel, first, second, bars));
    }
    Comparison {
        first: contestant(first),
        second: contestant(second),
        rounds: pair.rounds.len(),
        blocks: blocks(panel, &pair).count(),
        ratio: if nothing { Err(WhyNot::NotComparable) } else { ratio(&pair) },
        p: paired.and_then(|paired| paired.p),
        p_holm: pair.p_holm,
        sd: paired.map(|paired| paired.sd),
        r1_corrected: paired.map(|paired| paired.r1_corrected),
        n_eff: paired.map(|paired| paired.n_eff),
        p50: quantiles.p50.map(|ratio| ratio.widened),
        p95: quantiles.p95.map(|ratio| ratio.widened),
        first_won: if nothing { Err(WhyNot::NotComparable) } else { first_won },
        success,
        accuracy: None,
        verdict: pair.verdict,
        riders,
        sensitivity,
    }
}

/// The ratio of geometric means: a point from one round on, an interval from three.
pub(super) fn ratio(pair: &Pair) -> Result<Estimate, WhyNot> {
    let mean = pair.mean_log().ok_or(WhyNot::NothingInCommon)?;
    let interval = pair.paired.map(|paired| paired.interval.map(f64::exp));
    Ok(Estimate { point: Extended::Finite(mean.exp()), interval, n: pair.logs.len() })
}

/// The blocks that both have, by round.
pub(super) fn blocks<'a>(panel: &'a Panel, pair: &'a Pair) -> impl Iterator<Item = (usize, Entry, Entry)> + 'a {
    pair.rounds.iter().enumerate().flat_map(move |(at, round)| {
        let both = panel.entries(pair.first, *round).iter().zip(panel.entries(pair.second, *round));
        both.filter(|(a, b)| a.time().is_some() && b.time().is_some()).map(move |(a, b)| (at, *a, *b))
    })
}

fn won(panel: &Panel, pair: &Pair, confidence: Confidence) -> Result<Estimate, WhyNot> {
    if !panel.has_blocks() {
        return Err(WhyNot::OnlyRounds);
    }
    let answered = |entry: Entry| if let Entry::Good(time) = entry { Some(time) } else { None };
    let mut scores = vec![(0.0, 0usize); pair.rounds.len()];
    for (at, first, second) in blocks(panel, pair) {
        scores[at].0 += block_score(answered(first), answered(second));
        scores[at].1 += 1;
    }
    let means: Vec<f64> = scores.into_iter().filter(|(_, n)| 0 < *n).map(|(sum, n)| sum / n as f64).collect();
    let share = win_share(&means, confidence).ok_or(WhyNot::NothingInCommon)?;
    let interval = share.interval.filter(|_| ROUNDS_FOR_INTERVALS <= means.len());
    Ok(Estimate { interval, ..share })
}

fn success(panel: &Panel, pair: &Pair, confidence: Confidence) -> Option<SuccessDifference> {
    let (first, second) = (panel.targets.get(pair.first)?, panel.targets.get(pair.second)?);
    let asked = first.success.iter().zip(&second.success).filter(|((_, a), (_, b))| 0 < *a && 0 < *b);
    let counts = |(ok, sent): &(usize, usize)| (*ok as u64, *sent as u64);
    let (of_first, of_second): (Vec<_>, Vec<_>) = asked.map(|(a, b)| (counts(a), counts(b))).unzip();
    let (first, second) = clustered_share(&of_first, confidence).zip(clustered_share(&of_second, confidence))?;
    let enough = ROUNDS_FOR_INTERVALS <= of_first.len();
    let difference = enough.then(|| newcombe_of((first.share, first.interval), (second.share, second.interval)));
    Some(SuccessDifference { first, second, difference, mcnemar: mcnemar(panel, pair).filter(|_| panel.client.is_none()) })
}

/// McNemar over blocks that were sent to both; a good reply without a value of this quantity succeeded all the same.
fn mcnemar(panel: &Panel, pair: &Pair) -> Option<(u64, u64, f64)> {
    let ok = |entry: &Entry| match entry {
        Entry::Good(_) | Entry::Undefined => Some(true),
        Entry::Failed { .. } => Some(false),
        Entry::Absent => None,
    };
    let rounds = 0..panel.rounds.len();
    let both = rounds.flat_map(|round| panel.entries(pair.first, round).iter().zip(panel.entries(pair.second, round)));
    let (mut only_first, mut only_second, mut n) = (0, 0, 0usize);
    for (first, second) in both.filter_map(|(a, b)| ok(a).zip(ok(b))) {
        only_first += u64::from(first && !second);
        only_second += u64::from(second && !first);
        n += 1;
    }
    (0 < n).then(|| (only_first, only_second, mcnemar_exact(only_first, only_second)))
}

fn span_s(panel: &Panel, pair: &Pair) -> Option<f64> {
    let at = |round: &usize| panel.rounds.get(*round).map(|round| round.at);
    let (from, to) = at(pair.rounds.first()?).zip(at(pair.rounds.last()?))?;
    Some(to.duration_since(from).as_secs_f64())
}

/// The riders that hang on who the two are.
fn of_targets(panel: &Panel, first: usize, second: usize, bars: &[Vec<Bar>]) -> Vec<Rider> {
    let mut riders = Vec::new();
    let family = |target: usize| panel.targets[target].family.as_deref();
    match (family(first), family(second)) {
        (Some(a), Some(b)) if a == b => {}
        (a, b) => riders.push(Rider::DifferentModels { known: a.is_some() && b.is_some() }),
    }
    for (who, target) in [(Side::First, first), (Side::Second, second)] {
        riders.extend(bars[target].iter().filter_map(|bar| match bar {
            Bar::ModelDiffers { found } => Some(Rider::ModelDiffers { who, found: found.clone() }),
            Bar::QuotaBound { limited, sent } => Some(Rider::QuotaBound { who, limited: *limited, sent: *sent }),
            _ => None,
        }));
    }
    riders
}

fn sensitivity(panel: &Panel, pair: &Pair, quantiles: &QuantileRatios, how: &Comparing) -> Sensitivity {
    let confidence = how.judging.confidence;
    let limited = [pair.first, pair.second].iter().any(|target| 0 < panel.targets[*target].rate_limited);
    let left_out = || {
        let logs = panel.without_rate_limited().differences(pair.second, pair.first);
        of_logs(logs.into_iter().map(|difference| difference.log_ratio).collect(), confidence)
    };
    let expanded = |ratio: &Result<super::quantile_ratio::QuantileRatio, WhyNot>| ratio.ok().map(|ratio| ratio.expanded);
    Sensitivity {
        answered_only: answered_only(panel, pair, confidence),
        without_rate_limited: if limited { left_out() } else { None },
        sign_flip: sign_flip(&pair.logs, how.seed).filter(|_| ROUNDS_FOR_INTERVALS <= pair.logs.len() && panel.client.is_none()),
        hodges_lehmann: hodges_lehmann(&pair.logs, confidence).map(|found| Estimate {
            point: Extended::Finite(found.estimate.exp()),
            interval: Some(found.interval.map(f64::exp)).filter(|interval| *interval != Interval::OPEN),
            n: pair.logs.len(),
        }),
        p50_expanded: expanded(&quantiles.p50),
        p95_expanded: expanded(&quantiles.p95),
    }
}

fn answered_only(panel: &Panel, pair: &Pair, confidence: Confidence) -> Option<Estimate> {
    let mut sums = vec![(0.0, 0usize); pair.rounds.len()];
    for (at, first, second) in blocks(panel, pair) {
        if let (Entry::Good(first), Entry::Good(second)) = (first, second) {
            sums[at].0 += (first / second).ln();
            sums[at].1 += 1;
        }
    }
    of_logs(sums.into_iter().filter(|(_, n)| 0 < *n).map(|(sum, n)| sum / n as f64).collect(), confidence)
}

/// exp of the mean of round differences, with its interval from three rounds on.
fn of_logs(logs: Vec<f64>, confidence: Confidence) -> Option<Estimate> {
    let n = logs.len();
    let mean = crate::stats::mean(&logs)?;
    let sample = Sample::new(logs).ok().filter(|_| ROUNDS_FOR_INTERVALS <= n);
    let interval = sample.map(|sample| paired(&sample, confidence).interval.map(f64::exp));
    Some(Estimate { point: Extended::Finite(mean.exp()), interval, n })
}
