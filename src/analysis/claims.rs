//! Published figures held against what was measured.

use super::figures::cell;
use super::gate::Bottleneck;
use super::joined::Joined;
use super::missing::Missing;
use super::samples::{Samples, samples};
use super::table::{Cell, Column, Over, Value};
use crate::metric::{Metric, Unit, metric};
use crate::record::Claim;
use crate::stats::{Bound, Confidence, Interval};
use crate::tokens::Basis;
use serde::Serialize;

/// A published figure, and whether the measurement agrees with it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClaimCheck {
    /// The figure.
    pub claim: Claim,
    /// The comparison.
    pub verdict: ClaimVerdict,
}

/// Whether a measurement agrees with a published figure. Measured speeds are medians over good replies, times medians over all requests.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "word")]
pub enum ClaimVerdict {
    /// The figure lies inside the interval.
    Agrees {
        /// What was measured.
        measured: Value,
    },
    /// The figure lies above the interval.
    ClaimHigher {
        /// What was measured.
        measured: Value,
        /// Claimed ÷ measured.
        ratio: f64,
    },
    /// The figure lies below the interval.
    ClaimLower {
        /// What was measured.
        measured: Value,
        /// Claimed ÷ measured.
        ratio: f64,
    },
    /// This client was the bottleneck in too many rounds: what was measured may be its own, and is held against nothing.
    Withheld {
        /// What was measured.
        measured: Value,
        /// In how many rounds.
        #[serde(flatten)]
        bottleneck: Bottleneck,
    },
    /// There are too few rounds for an interval, so there is nothing to say.
    TooFewRounds {
        /// What was measured.
        measured: Value,
    },
    /// Published figures count the provider's own tokens, and this table does not.
    NotComparable {
        /// The table's basis.
        basis: Basis,
    },
    /// There is no such figure of this target.
    NotMeasured {
        /// Why.
        why: Missing,
    },
    /// The target never got there.
    Never,
}

/// Every published figure, by target.
pub fn claim_checks(joined: &Joined<'_>, basis: Basis, confidence: Confidence) -> Vec<Vec<ClaimCheck>> {
    let client = joined.client.bottleneck();
    samples(joined, basis).iter().map(|samples| claims(samples, client, confidence)).collect()
}

/// Every published figure of a target.
pub(super) fn claims(samples: &Samples<'_>, client: Option<Bottleneck>, confidence: Confidence) -> Vec<ClaimCheck> {
    let check = |claim: &Claim| {
        let verdict = match (client, verdict(samples, claim, confidence)) {
            (Some(bottleneck), verdict) => verdict.withheld(bottleneck),
            (None, verdict) => verdict,
        };
        ClaimCheck { claim: claim.clone(), verdict }
    };
    samples.target.claims.iter().map(check).collect()
}

impl ClaimVerdict {
    /// The same without a word, where there is one.
    fn withheld(self, bottleneck: Bottleneck) -> ClaimVerdict {
        match self {
            ClaimVerdict::Agrees { measured }
            | ClaimVerdict::ClaimHigher { measured, .. }
            | ClaimVerdict::ClaimLower { measured, .. }
            | ClaimVerdict::TooFewRounds { measured } => ClaimVerdict::Withheld { measured, bottleneck },
            other => other,
        }
    }
}

fn verdict(samples: &Samples<'_>, claim: &Claim, confidence: Confidence) -> ClaimVerdict {
    let Some(metric) = metric(&claim.metric) else { return ClaimVerdict::NotMeasured { why: Missing::NoSuchMetric } };
    if samples.basis != Basis::Reported {
        return ClaimVerdict::NotComparable { basis: samples.basis };
    }
    match cell(samples, &column(metric), samples.ok().count(), confidence) {
        Cell::Value(measured) => held_against(claim.value, measured),
        Cell::Never => ClaimVerdict::Never,
        Cell::Missing(why) => ClaimVerdict::NotMeasured { why },
        Cell::Text(_) => ClaimVerdict::NotMeasured { why: Missing::Undefined(crate::metric::Undefined::Bundled) },
    }
}

/// What of a metric is held against a claim: what the table shows of its like.
fn column(metric: &'static Metric) -> Column {
    let over = match metric.unit {
        Unit::TokensPerSecond => Over::Speeds { without_bundled: metric.name != "overall_speed" },
        _ => Over::AllSent(0.5),
    };
    Column { name: metric.name, metric: metric.name, over }
}

fn held_against(claimed: f64, measured: Value) -> ClaimVerdict {
    let Some(interval) = measured.interval else { return ClaimVerdict::TooFewRounds { measured } };
    let all = with_doubt_of_the_clock(interval, measured.measured_within);
    let ratio = claimed / measured.value;
    match (all.low, all.high) {
        (Bound::At(low), _) if claimed < low => ClaimVerdict::ClaimLower { measured, ratio },
        (_, Bound::At(high)) if high < claimed => ClaimVerdict::ClaimHigher { measured, ratio },
        _ => ClaimVerdict::Agrees { measured },
    }
}

/// What the sample allows and what the clock's marks allow, together.
fn with_doubt_of_the_clock(interval: Interval, within: Option<(f64, f64)>) -> Interval {
    match within {
        Some((low, high)) => Interval { low: interval.low.map(|end| end.min(low)), high: interval.high.map(|end| end.max(high)) },
        None => interval,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(value: f64, interval: Option<Interval>) -> Value {
        Value { value, measured_within: None, n: 40, interval }
    }

    #[test]
    fn a_claim_inside_the_interval_agrees_and_one_outside_is_off_by_a_factor() {
        let speed = || measured(40.0, Some(Interval::closed(38.0, 42.0)));
        assert!(matches!(held_against(42.0, speed()), ClaimVerdict::Agrees { .. }));
        assert!(matches!(held_against(60.0, speed()), ClaimVerdict::ClaimHigher { ratio, .. } if ratio == 1.5));
        assert!(matches!(held_against(20.0, speed()), ClaimVerdict::ClaimLower { ratio, .. } if ratio == 0.5));
        assert!(matches!(held_against(40.0, measured(40.0, None)), ClaimVerdict::TooFewRounds { .. }));
    }

    #[test]
    fn what_the_data_or_the_clock_leave_open_is_not_held_against_a_claim() {
        let at_least = measured(40.0, Some(Interval { low: Bound::At(38.0), high: Bound::Open }));
        assert!(matches!(held_against(400.0, at_least), ClaimVerdict::Agrees { .. }));
        let blurred = Value { measured_within: Some((30.0, 55.0)), ..measured(40.0, Some(Interval::closed(38.0, 42.0))) };
        assert!(matches!(held_against(50.0, blurred.clone()), ClaimVerdict::Agrees { .. }));
        assert!(matches!(held_against(56.0, blurred), ClaimVerdict::ClaimHigher { .. }));
    }
}
