//! Tests over the whole day: do the bins differ, is there a wave of 24 hours, do the bins differ in spread; and what varies at all.

use super::series::Series;
use super::{LEAST_BINS, LEAST_DAYS};
use crate::analysis::panel::Panel;
use crate::stats::variance_components;
use crate::stats::{BrownForsythe, Cosinor, KruskalWallis, NoTest, VarianceComponents, brown_forsythe, cosinor, holm, kruskal_wallis};

/// Tests over the whole day.
#[derive(Debug, Clone, PartialEq)]
pub struct DayTests {
    /// Do the bins differ in where they lie? Absent, like the next two, where days or bins are too few for tests.
    pub kruskal_wallis: Option<Tested<KruskalWallis>>,
    /// Is there a wave of 24 hours?
    pub cosinor: Option<Tested<Cosinor>>,
    /// Do the bins differ in how widely they spread?
    pub brown_forsythe: Option<Tested<BrownForsythe>>,
    /// How much of the variance of y is between rounds (rows), between prompts (columns), and neither; of rounds without a gap.
    pub variance: Result<VarianceComponents, NoTest>,
}

impl DayTests {
    /// No test at all.
    pub(super) fn none() -> DayTests {
        DayTests { kruskal_wallis: None, cosinor: None, brown_forsythe: None, variance: Err(NoTest::TooFewGroups) }
    }
}

/// A test, and its p among those of the other targets.
#[derive(Debug, Clone, PartialEq)]
pub struct Tested<T> {
    /// What it gave, or why there is none.
    pub result: Result<T, NoTest>,
    /// Its p, by Holm over all targets.
    pub p_holm: Option<f64>,
}

/// The tests of one target; [`hold`] adjusts them.
pub(super) fn tests(panel: &Panel, series: &Series) -> DayTests {
    let may = LEAST_DAYS <= series.days() && LEAST_BINS <= series.bins_held();
    let groups = series.by_bin();
    let clock: Vec<f64> = series.hours.iter().map(|hour| hour.clock()).collect();
    DayTests {
        kruskal_wallis: may.then(|| Tested::new(kruskal_wallis(&groups))),
        cosinor: may.then(|| Tested::new(cosinor(&clock, &series.values))),
        brown_forsythe: may.then(|| Tested::new(brown_forsythe(&groups))),
        variance: variance_components(&whole_rounds(panel, series.target)),
    }
}

/// Adjusts the p values of each test for the number of targets.
pub(super) fn hold<'a>(family: impl Iterator<Item = &'a mut DayTests>) {
    let mut family: Vec<&mut DayTests> = family.collect();
    adjust(family.iter_mut().map(|tests| &mut tests.kruskal_wallis).collect(), |test| test.p);
    adjust(family.iter_mut().map(|tests| &mut tests.cosinor).collect(), |test| test.p);
    adjust(family.iter_mut().map(|tests| &mut tests.brown_forsythe).collect(), |test| test.p);
}

impl<T> Tested<T> {
    fn new(result: Result<T, NoTest>) -> Tested<T> {
        Tested { result, p_holm: None }
    }
}

fn adjust<T>(mut family: Vec<&mut Option<Tested<T>>>, p: impl Fn(&T) -> f64) {
    let of = |tested: &Option<Tested<T>>| tested.as_ref().and_then(|tested| tested.result.as_ref().ok()).map(&p);
    let adjusted = holm(&family.iter().map(|tested| of(tested)).collect::<Vec<_>>());
    for (tested, p) in family.iter_mut().zip(adjusted) {
        if let Some(tested) = tested {
            tested.p_holm = p;
        }
    }
}

/// y of the rounds in which every prompt has a value, one row a round.
fn whole_rounds(panel: &Panel, target: usize) -> Vec<Vec<f64>> {
    let row = |round: usize| panel.entries(target, round).iter().map(|entry| entry.time().map(f64::ln)).collect::<Option<Vec<f64>>>();
    (0..panel.rounds.len()).filter_map(row).filter(|row| !row.is_empty()).collect()
}
