//! Cluster resampling: whole clusters are drawn with replacement, the same for all groups, and quantiles are taken of what they hold.
//!
//! Nothing is sorted again. A resample is a count per cluster; of the values in rising order each then weighs as often as its cluster
//! was drawn. The walk to the quantile starts where the quantile of the data itself lies, since it is never far: what weighs below that
//! place is one scalar product over clusters.

use super::clustered::extended;
use super::{Clustered, Extended};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::num::NonZero;
use std::ops::Range;
use std::thread;

/// The quantiles of every resample: by group, by p, by resample.
#[derive(Debug, Clone, PartialEq)]
pub struct ResampledQuantiles {
    /// Values of one resample stand together: group by group, within it p by p.
    values: Vec<Option<Extended>>,
    groups: usize,
    ps: usize,
}

impl ResampledQuantiles {
    /// How many resamples there are.
    pub fn resamples(&self) -> usize {
        self.values.len() / (self.groups * self.ps).max(1)
    }
    /// The quantile of a group at the p of a number, in each resample. `None` where the resample held no value of the group.
    pub fn of(&self, group: usize, p: usize) -> impl Iterator<Item = Option<Extended>> + '_ {
        let inside = group < self.groups && p < self.ps;
        let start = if inside { group * self.ps + p } else { self.values.len() };
        self.values.iter().skip(start).step_by((self.groups * self.ps).max(1)).copied()
    }
    /// ln(quantile of the second group / quantile of the first) at the p of a number, in each resample; see [`log_ratio`].
    pub fn log_ratios(&self, first: usize, second: usize, p: usize) -> Vec<f64> {
        self.of(first, p).zip(self.of(second, p)).map(|(first, second)| log_ratio(first, second)).collect()
    }
}

/// ln(second/first): +∞ where only the second is `Never`, −∞ where only the first is, NaN where the ratio says nothing.
pub fn log_ratio(first: Option<Extended>, second: Option<Extended>) -> f64 {
    let value = |quantile: Option<Extended>| quantile.map_or(f64::NAN, |quantile| quantile.finite().unwrap_or(f64::INFINITY));
    (value(second) / value(first)).ln()
}

/// Type-7 quantiles at `ps` (each in [0, 1]) of all groups, in each of `resamples` draws of clusters. The drawn clusters are the same for
/// all groups, so differences and ratios of groups keep their pairing.
///
/// Resample i is drawn from the ChaCha8 stream i of `seed`: the result has the same bits whatever the number of threads.
/// `None` for groups that differ in the number of clusters, and for no clusters at all.
pub fn resampled_quantiles(groups: &[Clustered], ps: &[f64], resamples: usize, seed: u64) -> Option<ResampledQuantiles> {
    let threads = thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    resampled_quantiles_on(threads, groups, ps, resamples, seed)
}

/// [`resampled_quantiles`] on a number of threads.
pub fn resampled_quantiles_on(
    threads: NonZero<usize>,
    groups: &[Clustered],
    ps: &[f64],
    resamples: usize,
    seed: u64,
) -> Option<ResampledQuantiles> {
    let clusters = groups.first()?.clusters();
    if clusters == 0 || groups.iter().any(|group| group.clusters() != clusters) || !ps.iter().all(|p| (0.0..=1.0).contains(p)) {
        return None;
    }
    let walks: Vec<Walk> = groups.iter().flat_map(|group| ps.iter().map(|p| Walk::new(group, *p))).collect();
    let share = |range: Range<usize>| -> Vec<Option<Extended>> {
        let mut draws = Draws::new(seed, clusters);
        let mut values = Vec::with_capacity(range.len() * walks.len());
        for index in range {
            let counts = draws.counts(index as u64);
            values.extend(walks.iter().map(|walk| walk.quantile(counts)));
        }
        values
    };
    let each = resamples.div_ceil(threads.get()).max(1);
    let ranges = (0..resamples).step_by(each).map(|start| start..resamples.min(start + each));
    let mut values = Vec::with_capacity(resamples * walks.len());
    thread::scope(|scope| {
        let running: Vec<_> = ranges.map(|range| scope.spawn(|| share(range))).collect();
        for one in running {
            match one.join() {
                Ok(part) => values.extend(part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    Some(ResampledQuantiles { values, groups: groups.len(), ps: ps.len() })
}

/// The type-7 quantile of a group in one resample, given how often each cluster was drawn. `None` where the resample holds no value, where
/// `counts` has not one number per cluster, and for p outside [0, 1].
pub fn quantile_under_counts(group: &Clustered, p: f64, counts: &[u32]) -> Option<Extended> {
    if counts.len() != group.clusters() || !(0.0..=1.0).contains(&p) {
        return None;
    }
    Walk::new(group, p).quantile(counts)
}

/// The way to one quantile of one group: where it starts, and what lies below that place.
struct Walk<'a> {
    group: &'a Clustered,
    p: f64,
    start: usize,
    below: Vec<u32>,
}

impl<'a> Walk<'a> {
    fn new(group: &'a Clustered, p: f64) -> Walk<'a> {
        let start = (group.n().saturating_sub(1) as f64 * p) as usize;
        Walk { group, p, start, below: group.tally(start) }
    }

    /// The quantile where each value weighs as often as its cluster was drawn. `counts` has one number per cluster.
    fn quantile(&self, counts: &[u32]) -> Option<Extended> {
        let total = product(counts, &self.group.sizes);
        let h = total.checked_sub(1)? as f64 * self.p;
        let (rank, weight) = (h.floor() as u64, h - h.floor());
        let (at, upto) = self.seek(counts, rank);
        let low = self.group.values[at];
        if weight <= 0.0 {
            return Some(extended(low));
        }
        let high = if rank + 1 < upto { low } else { self.next(counts, at) };
        Some(if high.is_finite() { Extended::Finite(low + weight * (high - low)) } else { Extended::Never })
    }

    /// The place of the value of a rank (from 0, below the total weight), and the weight of all values up to and including it.
    fn seek(&self, counts: &[u32], rank: u64) -> (usize, u64) {
        let weight = |at: usize| u64::from(counts[self.group.cluster[at] as usize]);
        let (mut at, mut before) = (self.start, product(counts, &self.below));
        while rank < before {
            at -= 1;
            before -= weight(at);
        }
        while before + weight(at) <= rank {
            before += weight(at);
            at += 1;
        }
        (at, before + weight(at))
    }

    /// The next value of any weight. There is one, since a weight between two ranks is only left below the last.
    fn next(&self, counts: &[u32], at: usize) -> f64 {
        let rest = self.group.cluster[at + 1..].iter().zip(&self.group.values[at + 1..]);
        rest.into_iter().find(|(cluster, _)| 0 < counts[**cluster as usize]).map_or(f64::INFINITY, |(_, value)| *value)
    }
}

fn product(counts: &[u32], of: &[u32]) -> u64 {
    counts.iter().zip(of).map(|(count, of)| u64::from(*count) * u64::from(*of)).sum()
}

/// Draws of as many clusters as there are, with replacement, one ChaCha8 stream a resample.
struct Draws {
    fresh: ChaCha8Rng,
    counts: Vec<u32>,
}

impl Draws {
    fn new(seed: u64, clusters: usize) -> Draws {
        Draws { fresh: ChaCha8Rng::seed_from_u64(seed), counts: vec![0; clusters] }
    }

    /// How often each cluster is drawn in the resample of an index.
    fn counts(&mut self, index: u64) -> &[u32] {
        let mut random = self.fresh.clone();
        random.set_stream(index);
        self.counts.fill(0);
        let clusters = self.counts.len();
        for _ in 0..clusters {
            self.counts[below(clusters as u32, &mut random) as usize] += 1;
        }
        &self.counts
    }
}

/// A number of 0..end, each as likely (Lemire, 2019). By hand: `rand`'s own ranges may change their draws from release to release.
fn below(end: u32, random: &mut impl Rng) -> u32 {
    loop {
        let product = u64::from(random.next_u32()) * u64::from(end);
        if end.wrapping_neg() % end <= product as u32 {
            return (product >> 32) as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::quantile_type7;
    use Extended::{Finite, Never};

    /// Clusters of 0 to 5 values, with ties and failures.
    fn ragged(clusters: usize, shift: usize) -> Vec<Vec<Extended>> {
        let value = |r: usize, i: usize| match (r * 31 + i * 17 + shift * 7) % 19 {
            0 | 7 => Never,
            value => Finite(value as f64 / 2.0),
        };
        (0..clusters).map(|r| (0..(r * 7 + shift) % 6).map(|i| value(r, i)).collect()).collect()
    }

    fn threads(n: usize) -> NonZero<usize> {
        NonZero::new(n).unwrap()
    }

    #[test]
    fn a_walk_finds_what_a_sorted_pool_of_the_drawn_clusters_holds() {
        for (clusters, shift) in [(1, 5), (2, 4), (3, 1), (9, 3), (20, 2)] {
            let data = ragged(clusters, shift);
            let group = Clustered::new(&data);
            let mut draws = Draws::new(7, clusters);
            for index in 0..40 {
                let counts = draws.counts(index).to_vec();
                assert_eq!(counts.iter().sum::<u32>() as usize, clusters);
                let drawn = counts.iter().zip(&data).flat_map(|(count, values)| (0..*count).flat_map(move |_| values.iter().copied()));
                let pool: Vec<Extended> = drawn.collect();
                for p in [0.0, 0.05, 0.5, 0.77, 0.95, 1.0] {
                    assert_eq!(quantile_under_counts(&group, p, &counts), quantile_type7(&pool, p), "{clusters} clusters, p = {p}");
                }
            }
        }
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let groups = [Clustered::new(&ragged(15, 1)), Clustered::new(&ragged(15, 2)), Clustered::new(&ragged(15, 3))];
        let on = |n: usize| resampled_quantiles_on(threads(n), &groups, &[0.5, 0.95], 501, 42).unwrap();
        assert_eq!(on(1).resamples(), 501);
        assert!(on(1) == on(2) && on(1) == on(5) && on(1) == on(600));
        assert!(on(1) != resampled_quantiles(&groups, &[0.5, 0.95], 501, 43).unwrap());
        // More resamples go on where fewer ended.
        let more = resampled_quantiles(&groups, &[0.5, 0.95], 800, 42).unwrap();
        assert!(on(1).of(2, 1).eq(more.of(2, 1).take(501)));
    }

    #[test]
    fn all_groups_are_drawn_together() {
        let data = ragged(15, 1);
        let doubled: Vec<Vec<Extended>> = data
            .iter()
            .map(|values| values.iter().map(|value| value.finite().map_or(Never, |value| Finite(value * 2.0))).collect())
            .collect();
        let found = resampled_quantiles(&[Clustered::new(&data), Clustered::new(&doubled)], &[0.4], 300, 1).unwrap();
        let ratios = found.log_ratios(0, 1, 0);
        assert!(ratios.iter().all(|ratio| ratio.is_nan() || (ratio - 2.0_f64.ln()).abs() < 1e-15));
        assert!(ratios.iter().any(|ratio| ratio.is_finite()));
        assert_eq!(found.of(2, 0).count() + found.of(0, 1).count(), 0);
    }

    #[test]
    fn a_ratio_with_never_is_infinite_on_its_side_and_of_two_nevers_says_nothing() {
        assert_eq!(log_ratio(Some(Finite(2.0)), Some(Never)), f64::INFINITY);
        assert_eq!(log_ratio(Some(Never), Some(Finite(2.0))), f64::NEG_INFINITY);
        assert!(log_ratio(Some(Never), Some(Never)).is_nan() && log_ratio(None, Some(Finite(1.0))).is_nan());
    }

    #[test]
    fn groups_that_do_not_fit_together_are_refused() {
        let (three, four) = (Clustered::new(&ragged(3, 1)), Clustered::new(&ragged(4, 1)));
        assert_eq!(resampled_quantiles(&[three.clone(), four], &[0.5], 9, 1), None);
        assert_eq!(resampled_quantiles(&[], &[0.5], 9, 1), None);
        assert_eq!(resampled_quantiles(&[Clustered::new(&[])], &[0.5], 9, 1), None);
        assert_eq!(resampled_quantiles(std::slice::from_ref(&three), &[1.5], 9, 1), None);
        assert_eq!(resampled_quantiles(std::slice::from_ref(&three), &[0.5], 0, 1).map(|none| none.resamples()), Some(0));
        assert_eq!(quantile_under_counts(&three, 0.5, &[1, 1]), None);
        let empty = Clustered::new(&[vec![], vec![]]);
        assert!(resampled_quantiles(&[empty], &[0.5], 5, 1).unwrap().of(0, 0).all(|quantile| quantile.is_none()));
    }

    #[test]
    fn every_cluster_is_drawn_as_often_as_every_other() {
        let mut sums = [0_u32; 7];
        let mut draws = Draws::new(3, 7);
        for index in 0..10_000 {
            sums.iter_mut().zip(draws.counts(index)).for_each(|(sum, count)| *sum += count);
        }
        // Each is drawn 10,000 times but for chance: a standard error is 93.
        assert!(sums.iter().all(|sum| sum.abs_diff(10_000) < 400), "{sums:?}");
    }

    #[test]
    fn no_number_of_a_range_is_favoured() {
        // Taking the upper bits alone would give multiples of three half of the draws.
        let mut random = ChaCha8Rng::seed_from_u64(9);
        let multiples = (0..10_000).filter(|_| below(3 << 30, &mut random).is_multiple_of(3)).count();
        assert!(multiples.abs_diff(3_333) < 190, "{multiples}");
    }

    #[test]
    fn the_draws_of_a_seed_stay_what_they_are() {
        assert_eq!(Draws::new(42, 6).counts(0), [1, 1, 1, 0, 2, 1]);
        assert_eq!(Draws::new(42, 6).counts(1), [1, 1, 1, 2, 1, 0]);
    }
}
