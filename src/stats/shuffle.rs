//! What chance alone makes of a figure that picks extremes: the largest of many bins over the smallest is never 1.

use super::draws::{shuffle, stream};
use super::no_test::finite;
use super::{Extended, NoTest, quantile_type7};
use serde::Serialize;

/// What a figure is worth when the values do not depend on their bins.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Chance {
    /// The figure of the values as they are.
    pub observed: f64,
    /// The middle of the figures of the shuffled values: what chance alone gives.
    pub median: f64,
    /// What 95 of 100 of them do not exceed.
    pub upper: f64,
    /// Share of figures, the observed one among them, that reach the observed one.
    pub p: f64,
    /// Shuffles that had the figure.
    pub shuffles: usize,
}

/// The figure of values that are shuffled over their places inside each stratum, as often as asked (999 is usual), against that of the
/// values as they are.
///
/// Values, strata and bins belong together by place. Strata keep together what may not be exchanged (the values of one day, say). The
/// figure is made from the values and the bins; it may be undefined. Every shuffle has a random stream of its own, fixed by the seed.
pub fn chance<S: Ord>(
    values: &[f64],
    strata: &[S],
    bins: &[usize],
    shuffles: u64,
    seed: u64,
    figure: impl Fn(&[f64], &[usize]) -> Option<f64>,
) -> Result<Chance, NoTest> {
    if strata.len() != values.len() || bins.len() != values.len() {
        return Err(NoTest::Ragged);
    }
    finite(values.iter())?;
    let observed = figure(values, bins).filter(|figure| figure.is_finite()).ok_or(NoTest::TooFewValues)?;
    let places = places_by_stratum(strata);
    let shuffled: Vec<f64> = (0..shuffles).filter_map(|number| figure(&shuffled(values, &places, seed, number), bins)).collect();
    let reached = shuffled.iter().filter(|figure| observed - 1e-12 * observed.abs() <= **figure).count();
    let p = (1 + reached) as f64 / (1 + shuffled.len()) as f64;
    let figures: Vec<Extended> = shuffled.iter().map(|figure| Extended::Finite(*figure)).collect();
    let point = |share: f64| quantile_type7(&figures, share)?.finite().filter(|point| point.is_finite());
    let (median, upper) = point(0.5).zip(point(0.95)).ok_or(NoTest::TooFewValues)?;
    Ok(Chance { observed, median, upper, p, shuffles: figures.len() })
}

/// How far the middle of the highest bin lies above that of the lowest. Of logarithms, its exp is the ratio of the two. `None` for fewer
/// than two bins.
pub fn range_of_bins(values: &[f64], bins: &[usize], middle: impl Fn(&[f64]) -> Option<f64>) -> Option<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by_key(|place| bins[*place]);
    let middles: Vec<f64> = order
        .chunk_by(|a, b| bins[*a] == bins[*b])
        .filter_map(|places| middle(&places.iter().map(|place| values[*place]).collect::<Vec<_>>()))
        .collect();
    let (low, high) = middles.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x)));
    (2 <= middles.len()).then_some(high - low)
}

fn places_by_stratum<S: Ord>(strata: &[S]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..strata.len()).collect();
    order.sort_by_key(|place| &strata[*place]);
    order.chunk_by(|a, b| strata[*a] == strata[*b]).map(<[usize]>::to_vec).collect()
}

fn shuffled(values: &[f64], places: &[Vec<usize>], seed: u64, number: u64) -> Vec<f64> {
    let mut random = stream(seed, "shuffles", number);
    let mut moved = values.to_vec();
    for stratum in places {
        let mut from = stratum.clone();
        shuffle(&mut from, &mut random);
        for (to, from) in stratum.iter().zip(from) {
            moved[*to] = values[from];
        }
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::median;

    /// Five days of 24 hours, whose values are scattered and know nothing of the hour.
    fn five_days() -> (Vec<f64>, Vec<u32>, Vec<usize>) {
        let values = (0..120).map(|i| f64::from(i * 6971 % 719) / 719.0).collect();
        (values, (0..120).map(|i| i / 24).collect(), (0..120).map(|i| i % 24).collect())
    }

    fn range(values: &[f64], bins: &[usize]) -> Option<f64> {
        range_of_bins(values, bins, median)
    }

    #[test]
    fn a_shuffle_moves_values_inside_their_stratum_only() {
        let (values, days, _) = five_days();
        let places = places_by_stratum(&days);
        let moved = shuffled(&values, &places, 7, 3);
        assert_ne!(moved, values);
        for day in places {
            let sorted = |values: &[f64]| {
                let mut of_day: Vec<f64> = day.iter().map(|place| values[*place]).collect();
                of_day.sort_by(f64::total_cmp);
                of_day
            };
            assert_eq!(sorted(&moved), sorted(&values));
        }
    }

    #[test]
    fn the_range_of_many_bins_is_wide_by_chance_alone() {
        let (mut values, days, hours) = five_days();
        let found = chance(&values, &days, &hours, 199, 7, range).unwrap();
        assert!(0.3 < found.median && found.median < found.upper && 0.05 < found.p, "{found:?}");
        assert_eq!(found, chance(&values, &days, &hours, 199, 7, range).unwrap());
        assert_ne!(found.median, chance(&values, &days, &hours, 199, 8, range).unwrap().median);
        // An hour that is slow on every day stands out of it.
        for place in [15, 39, 63, 87, 111] {
            values[place] += 3.0;
        }
        let slow = chance(&values, &days, &hours, 199, 7, range).unwrap();
        assert!(slow.upper < slow.observed && slow.p < 0.05, "{slow:?}");
    }

    #[test]
    fn what_has_no_figure_says_why() {
        assert_eq!(chance(&[1.0, 2.0], &[0, 0], &[5, 5], 99, 1, range), Err(NoTest::TooFewValues));
        assert_eq!(chance(&[1.0, 2.0], &[0], &[5, 6], 99, 1, range), Err(NoTest::Ragged));
        assert_eq!(chance(&[1.0, f64::NAN], &[0, 0], &[5, 6], 99, 1, range), Err(NoTest::NotFinite));
        let equal = chance(&[1.0; 4], &[0; 4], &[0, 0, 1, 1], 99, 1, range).unwrap();
        assert_eq!((equal.observed, equal.median, equal.p), (0.0, 0.0, 1.0));
    }
}
