//! The word that a comparison comes to. There are few, in a fixed order, and none of them says "no difference".

use super::gate::Bottleneck;
use crate::stats::{Confidence, Interval, Paired, Tost};
use serde::Serialize;

/// With fewer rounds nothing is called.
pub const ROUNDS_FOR_WORDS: usize = 6;
/// With fewer rounds there is no interval.
pub const ROUNDS_FOR_INTERVALS: usize = 3;
/// Above this corrected autocorrelation, rounds are said to depend on each other.
const DEPENDENT: f64 = 0.3;
/// Rounds that span less say nothing of another time of day, s.
const SHORT_SPAN_S: f64 = 6.0 * 3600.0;

/// How strictly comparisons are judged.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Judging {
    /// The confidence of every interval; 1 − confidence is the family-wise error of every word.
    pub confidence: Confidence,
    /// The tie band: ratios strictly between 1/(1 + δ) and 1 + δ make no difference to anybody.
    pub delta: f64,
}

impl Default for Judging {
    fn default() -> Judging {
        Judging { confidence: Confidence::DEFAULT, delta: 0.05 }
    }
}

/// One of the two that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The first.
    First,
    /// The second.
    Second,
}

impl Side {
    /// The other one.
    pub const fn other(self) -> Side {
        match self {
            Side::First => Side::Second,
            Side::Second => Side::First,
        }
    }
}

/// Time of one over time of the other.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Ratio {
    /// The ratio of geometric means.
    pub point: f64,
    /// Its confidence interval.
    pub interval: Interval,
}

impl Ratio {
    /// The other way round.
    pub fn inverse(self) -> Ratio {
        Ratio { point: 1.0 / self.point, interval: self.interval.map_decreasing(|end| 1.0 / end) }
    }
}

/// What a comparison comes to (method.md §3.2), in the order in which it is decided.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "word")]
pub enum Verdict {
    /// This client was the bottleneck in too many rounds: no word is given.
    Withheld {
        /// In how many.
        #[serde(flatten)]
        bottleneck: Bottleneck,
    },
    /// One of them, or both, cannot be compared in this quantity; the bars say why.
    NotComparable {
        /// Who.
        who: Vec<Side>,
    },
    /// Fewer than six rounds that both have.
    TooFewRounds {
        /// How many there are.
        rounds: usize,
    },
    /// Every round has the same ratio to the last digit, which measured times never have.
    IdenticalData,
    /// Charging rate-limited requests and leaving them out lead to different words.
    NotRanked {
        /// The word with rate-limited requests charged the limit.
        charged: Box<Verdict>,
        /// The word with them left out.
        left_out: Box<Verdict>,
    },
    /// One is faster.
    Faster {
        /// Which.
        who: Side,
        /// Its time over the other's, below 1.
        ratio: Ratio,
    },
    /// One is faster, by less than the tie band.
    FasterWithinBand {
        /// Which.
        who: Side,
        /// Its time over the other's, below 1.
        ratio: Ratio,
    },
    /// The ratio is shown to lie inside the tie band.
    PracticallyEqual {
        /// Time of the first over that of the second.
        ratio: Ratio,
    },
    /// Neither is shown.
    NotShown {
        /// Time of the first over that of the second.
        ratio: Ratio,
    },
}

/// What a reader must know beside the word.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "rider")]
pub enum Rider {
    /// The faster one fails more: the interval of the difference of success rates excludes 0.
    FailsMore {
        /// The faster one.
        who: Side,
        /// Its success rate.
        its: f64,
        /// The other's.
        others: f64,
    },
    /// Faster on average, slower in most blocks.
    SlowerInMost {
        /// The share of blocks that the faster one won, below one half.
        won: f64,
    },
    /// Rounds depend on each other.
    Dependent {
        /// The corrected autocorrelation.
        r: f64,
    },
    /// The rounds span less than six hours.
    ShortSpan {
        /// How long they span, s.
        seconds: f64,
    },
    /// The models are of different families, or not known to be of one.
    DifferentModels {
        /// Both families are known.
        known: bool,
    },
    /// The check of whether the model is the same one found a difference.
    ModelDiffers {
        /// Whose.
        who: Side,
        /// What the check found.
        found: String,
    },
    /// More than a twentieth of its requests went over the quota: not ranked on speed.
    QuotaBound {
        /// Whose.
        who: Side,
        /// Rate-limited requests.
        limited: usize,
        /// Requests sent.
        sent: usize,
    },
}

impl Verdict {
    /// Who is faster, where the word says so.
    pub fn faster(&self) -> Option<Side> {
        match self {
            Verdict::Faster { who, .. } | Verdict::FasterWithinBand { who, .. } => Some(*who),
            _ => None,
        }
    }

    /// Whether a word was come to: that the rounds are too few, or the data not comparable, is none.
    pub fn is_called(&self) -> bool {
        !matches!(self, Verdict::Withheld { .. } | Verdict::NotComparable { .. } | Verdict::TooFewRounds { .. } | Verdict::IdenticalData)
    }

    /// Whether two verdicts are the same word about the same one.
    fn same_word(&self, other: &Verdict) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other) && self.faster() == other.faster()
    }

    /// The verdict of both ways of treating rate-limited requests.
    pub(super) fn both_ways(charged: Verdict, left_out: Verdict) -> Verdict {
        match charged.same_word(&left_out) {
            true => charged,
            false => Verdict::NotRanked { charged: Box::new(charged), left_out: Box::new(left_out) },
        }
    }

    /// The word for log ratios ln(first / second) of at least [`ROUNDS_FOR_INTERVALS`] rounds, their equivalence test about the tie band,
    /// and the adjusted p.
    pub(super) fn of(paired: &Paired, tost: &Tost, p_holm: Option<f64>, judging: &Judging) -> Verdict {
        if paired.n < ROUNDS_FOR_WORDS {
            return Verdict::TooFewRounds { rounds: paired.n };
        }
        if paired.p.is_none() {
            return Verdict::IdenticalData;
        }
        let ratio = Ratio { point: paired.mean.exp(), interval: paired.interval.map(f64::exp) };
        if p_holm.is_some_and(|p| p <= judging.confidence.alpha()) {
            let (who, ratio) = if paired.mean < 0.0 { (Side::First, ratio) } else { (Side::Second, ratio.inverse()) };
            return match paired.mean.abs() < judging.delta.ln_1p() {
                true => Verdict::FasterWithinBand { who, ratio },
                false => Verdict::Faster { who, ratio },
            };
        }
        if tost.shown(judging.confidence) { Verdict::PracticallyEqual { ratio } } else { Verdict::NotShown { ratio } }
    }
}

/// What the riders of §3.2 rest on.
pub(super) struct Circumstances {
    /// Success rates of both, and whether the interval of their difference excludes 0.
    pub(super) success: Option<(f64, f64, bool)>,
    /// The share of blocks that the first won.
    pub(super) first_won: Option<f64>,
    /// The corrected autocorrelation.
    pub(super) r1_corrected: Option<f64>,
    /// From the first round to the last, s.
    pub(super) span_s: Option<f64>,
}

impl Rider {
    /// The riders that rest on the figures, for a verdict.
    pub(super) fn of(verdict: &Verdict, circumstances: &Circumstances) -> Vec<Rider> {
        let mut riders = Vec::new();
        let Circumstances { success, first_won, r1_corrected, span_s } = circumstances;
        if let Some(who) = verdict.faster() {
            let by_side = |(first, second): (f64, f64)| if who == Side::First { (first, second) } else { (second, first) };
            let rates = success.filter(|(.., differ)| *differ).map(|(first, second, _)| by_side((first, second)));
            riders.extend(rates.filter(|(its, others)| its < others).map(|(its, others)| Rider::FailsMore { who, its, others }));
            let won = first_won.map(|won| by_side((won, 1.0 - won)).0);
            riders.extend(won.filter(|won| *won < 0.5).map(|won| Rider::SlowerInMost { won }));
        }
        if verdict.is_called() {
            riders.extend(r1_corrected.filter(|r| DEPENDENT < *r).map(|r| Rider::Dependent { r }));
            riders.extend(span_s.filter(|span| *span < SHORT_SPAN_S).map(|seconds| Rider::ShortSpan { seconds }));
        }
        riders
    }
}
