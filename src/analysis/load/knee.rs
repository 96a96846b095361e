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

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    const LOADS: [f64; 6] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0];

    fn curve(of: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
        LOADS.iter().map(|load| (*load, of(*load))).collect()
    }

    fn of(curves: &[Vec<(f64, f64)>]) -> Knee {
        of_curves(curves, Confidence::DEFAULT)
    }

    #[test]
    fn by_hand() {
        let passes = [5.0, 6.0, 7.2].map(|knee: f64| curve(|load| 2.0 * load.min(knee)));
        let Knee::At { load, interval, level, passes, off } = of(&passes) else { panic!() };
        // ln 5, ln 6, ln 7.2 lie ln 1.2 apart: half-width 4.302653 · 0.182322 / √3 = 0.452909.
        assert!((load - 6.0).abs() < 1e-9 && (level - 12.0).abs() < 1e-9 && off < 1e-9 && passes.len() == 3);
        let (low, high) = interval.unwrap().ends().unwrap();
        assert!((low - 6.0 * (-0.452_909f64).exp()).abs() < 1e-4 && (high - 6.0 * 0.452_909f64.exp()).abs() < 1e-4);
    }

    #[test]
    fn what_grows_through_the_last_stage_has_none_and_what_never_grew_had_it_before() {
        let grows = || curve(|load| 3.0 * load);
        let knee = |at: f64| curve(move |load| 3.0 * load.min(at));
        assert_eq!(of(&[grows(), grows(), grows()]), Knee::NoneUpTo { load: 32.0 });
        // At 30 of 32 users the last stage still gets 94 % of proportion.
        assert_eq!(of(&[knee(30.0), grows()]), Knee::NoneUpTo { load: 32.0 });
        assert!(matches!(of(&[curve(|_| 7.0)]), Knee::AtOrBelow { load, level } if load == 1.0 && (level - 7.0).abs() < 1e-9));
        let some = of(&[grows(), knee(6.0), grows()]);
        assert!(matches!(some, Knee::InSome { found: 1, passes: 3, lowest, last } if (lowest - 6.0).abs() < 1e-9 && last == 32.0));
        // Two passes have a knee and no interval; a wide one ends where the stages do.
        assert!(matches!(of(&[knee(6.0), knee(7.0)]), Knee::At { interval: Err(NoInterval::FewPasses { passes: 2, .. }), .. }));
        let wide = of(&[knee(6.0), knee(12.0), knee(24.0)]);
        assert!(matches!(wide, Knee::At { interval: Ok(Interval { low: Bound::At(_), high: Bound::Open }), .. }), "{wide:?}");
    }

    #[test]
    fn goodput_that_breaks_down_stopped_growing_at_its_best() {
        let breaks = [10.0, 20.0, 40.0, 79.0, 12.0, 0.0];
        let curve: Vec<(f64, f64)> = LOADS.into_iter().zip(breaks).collect();
        assert!(matches!(of(&[curve]), Knee::At { load, level, .. } if (7.5..8.5).contains(&load) && (77.0..82.0).contains(&level)));
        assert_eq!(of(&[vec![(1.0, 1.0), (2.0, 2.0)]]), Knee::NotFitted { because: NoKnee::FewStages { stages: 2, needs: 3 } });
        assert_eq!(of(&[]), Knee::NotFitted { because: NoKnee::FewStages { stages: 0, needs: 3 } });
    }

    /// Replies that `slots` places give in a window, users asking again at once: each place that is busy is done with exponential service,
    /// so that their number is Poisson about min(users, slots)·window/mean, drawn here as it comes about.
    fn queue(users: usize, slots: usize, random: &mut ChaCha8Rng) -> f64 {
        let mut exponential = |mean: f64| -mean * (1.0 - random.random::<f64>()).ln();
        let (window, busy) = (30.0, users.min(slots) as f64);
        let (mut now, mut done) = (exponential(1.0 / busy), 0u32);
        while now < window {
            done += 1;
            now += exponential(1.0 / busy);
        }
        f64::from(done) / window
    }

    /// A fluid queue of capacity `slots`: every stage off its rate by a factor of its own, and every pass by one of its own.
    fn fluid(users: f64, slots: f64, random: &mut ChaCha8Rng) -> f64 {
        let noise: f64 = (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
        users.min(slots) * (0.05 * noise).exp()
    }

    #[test]
    fn the_interval_covers_the_true_knee_of_simulated_servers() {
        let mut random = ChaCha8Rng::seed_from_u64(20_261_124);
        let repetitions = 300;
        for passes in [3, 5] {
            for slots in [6, 11] {
                let (mut by_queue, mut by_fluid) = (0, 0);
                for _ in 0..repetitions {
                    let served: Vec<_> =
                        (0..passes).map(|_| LOADS.map(|load| (load, queue(load as usize, slots, &mut random))).to_vec()).collect();
                    let flowed: Vec<_> =
                        (0..passes).map(|_| LOADS.map(|load| (load, fluid(load, slots as f64, &mut random))).to_vec()).collect();
                    let holds = |knee: Knee| matches!(knee, Knee::At { interval: Ok(interval), .. } if interval.holds(slots as f64));
                    by_queue += u32::from(holds(of(&served)));
                    by_fluid += u32::from(holds(of(&flowed)));
                }
                for (what, covered) in [("queue", by_queue), ("fluid", by_fluid)] {
                    let share = f64::from(covered) / f64::from(repetitions);
                    assert!((0.91..=0.99).contains(&share), "{what}: {passes} passes, {slots} places: {share}");
                }
            }
        }
    }
}
