//! The knee: where goodput stops growing with the load.

use super::figure::{Measure, NoInterval};
use super::measure::log_interval;
use super::stage::StageFigures;
use crate::record::Offered;
use crate::stats::{Bound, Confidence, Hinge, Interval, geometric_mean, hinge};
use serde::Serialize;

/// Where goodput (or RPS, without a service level) stops growing: `min(a·x, c)` fitted to each pass by least squares on the log scale,
/// x the users or arrivals a second, the knee `c/a`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Knee {
    /// Every pass has one within the stages.
    At {
        /// Users or arrivals a second: the geometric mean of the passes.
        load: f64,
        /// Its interval over the passes; an open end lies beyond the heaviest stage, or
        /// below the lightest.
        interval: Result<Interval, NoInterval>,
        /// What is reached there: good replies a second.
        level: f64,
        /// The knee of each pass.
        passes: Vec<f64>,
        /// How far the stages lie off the fitted line, the worst pass's root mean square of ln(seen / fitted): large where the curve bends
        /// slowly instead of breaking.
        off: f64,
    },
    /// In every pass it still grows in proportion at the heaviest stage: at 90 % of proportion or more.
    NoneUpTo {
        /// The heaviest stage that was measured.
        load: f64,
    },
    /// In some passes it hardly grows from the lightest stage on: the knee lies there or below.
    AtOrBelow {
        /// The lightest stage that was measured.
        load: f64,
        /// What is reached there: good replies a second.
        level: f64,
    },
    /// Some passes have one within the stages and some go on growing.
    InSome {
        /// Passes that have one.
        found: usize,
        /// Passes.
        passes: usize,
        /// The lowest of them.
        lowest: f64,
        /// The heaviest stage that was measured.
        last: f64,
    },
    /// There is nothing to fit.
    NotFitted {
        /// Why.
        because: NoKnee,
    },
}

/// Why no knee could be looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum NoKnee {
    /// Fewer stages with a rate above zero, in some pass, than a fit takes; stages at which this client was at its limit do not count.
    FewStages {
        /// There are.
        stages: usize,
        /// It takes.
        needs: usize,
    },
    /// Users and arrivals stand side by side: their stages have no common scale.
    Mixed,
}

/// A fit takes two stages to tell growth and one beyond.
const STAGES_FOR_A_KNEE: usize = 3;
/// Where the heaviest stage reaches this share of proportion, growth has not ended.
const STILL_GROWS: f64 = 0.9;
/// Where growth ends below so many times the lightest stage, it was never seen.
const NEVER_GREW: f64 = 1.1;
/// What falls below this share of the best stage before it has fallen.
const FALLEN: f64 = 0.9;

/// The knee of a target, of its stages from the lightest to the heaviest.
pub(super) fn knee(stages: &[&StageFigures], of: Measure, confidence: Confidence) -> Knee {
    let open = |stage: &&&StageFigures| matches!(stage.offered, Offered::Arrivals { .. });
    let opened = stages.iter().filter(open).count();
    if opened != 0 && opened != stages.len() {
        return Knee::NotFitted { because: NoKnee::Mixed };
    }
    let usable: Vec<&StageFigures> = stages.iter().copied().filter(|stage| stage.client.is_empty()).collect();
    let passes = usable.iter().map(|stage| stage.cells.len()).max().unwrap_or(0);
    let curve = |pass: usize| -> Vec<(f64, f64)> {
        let rate = |stage: &&StageFigures| stage.figure(of)?.passes.get(pass)?.ok()?.finite();
        usable.iter().filter_map(|stage| Some((stage.load, rate(stage)?))).collect()
    };
    let curves: Vec<Vec<(f64, f64)>> = (0..passes).map(curve).filter(|curve| !curve.is_empty()).collect();
    of_curves(&curves, confidence)
}

/// The knee of a curve a pass: (load, rate), ascending.
fn of_curves(curves: &[Vec<(f64, f64)>], confidence: Confidence) -> Knee {
    let few = |stages| Knee::NotFitted { because: NoKnee::FewStages { stages, needs: STAGES_FOR_A_KNEE } };
    let mut fits: Vec<(Hinge, f64, f64)> = Vec::new();
    for curve in curves {
        let curve = without_fall(curve);
        let (Some(fit), Some(first), Some(last)) = (hinge(&curve), curve.first(), curve.last()) else { return few(curve.len()) };
        fits.push((fit, first.0, last.0));
    }
    let middle = |of: fn(&(Hinge, f64, f64)) -> f64| geometric_mean(&fits.iter().map(of).collect::<Vec<_>>());
    let (Some(load), Some(level)) = (middle(|(fit, ..)| fit.knot), middle(|(fit, ..)| fit.level)) else { return few(0) };
    let lightest = fits.iter().map(|(_, first, _)| *first).fold(f64::INFINITY, f64::min);
    let heaviest = fits.iter().map(|(.., last)| *last).fold(0.0, f64::max);
    if fits.iter().any(|(fit, first, _)| fit.knot < NEVER_GREW * first) {
        return Knee::AtOrBelow { load: lightest, level };
    }
    let found: Vec<f64> = fits.iter().filter(|(fit, _, last)| fit.knot <= STILL_GROWS * last).map(|(fit, ..)| fit.knot).collect();
    match found.len() {
        0 => Knee::NoneUpTo { load: heaviest },
        some if some < fits.len() => {
            let lowest = found.into_iter().fold(f64::INFINITY, f64::min);
            Knee::InSome { found: some, passes: fits.len(), lowest, last: heaviest }
        }
        _ => {
            let within = |end: f64| if lightest <= end && end <= heaviest { Bound::At(end) } else { Bound::Open };
            let cut = |interval: Interval| {
                let [low, high] = [interval.low, interval.high].map(|end| end.at().map_or(Bound::Open, within));
                Interval { low, high }
            };
            let interval = log_interval(found.iter().map(|knot| knot.ln()).collect(), confidence).map(cut);
            let off = fits.iter().map(|(fit, ..)| fit.off).fold(0.0, f64::max);
            Knee::At { load, interval, level, passes: found, off }
        }
    }
}

/// A curve whose fall behind its best stage is made level: that goodput breaks down says that growth has ended, not at what level. Stages
/// of nothing before the best one have no logarithm and stay out.
fn without_fall(curve: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let best = curve.iter().map(|(_, rate)| *rate).fold(0.0, f64::max);
    let at = curve.iter().position(|(_, rate)| *rate == best).unwrap_or(0);
    let level = |(i, (load, rate)): (usize, &(f64, f64))| (*load, if at < i && *rate < FALLEN * best { best } else { *rate });
    curve.iter().enumerate().map(level).filter(|(_, rate)| 0.0 < *rate).collect()
}
