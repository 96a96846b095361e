//! Values that were seen in clusters: values of one cluster resemble each other, so clusters and not values are what is independent.

use super::{Extended, quantile_under_counts};

/// Values in rising order, each with the cluster it was seen in. Clusters are numbered from 0; one may be empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Clustered {
    /// Rising; infinity stands for `Never`.
    pub(super) values: Vec<f64>,
    /// The cluster of each value.
    pub(super) cluster: Vec<u32>,
    /// How many values each cluster has.
    pub(super) sizes: Vec<u32>,
}

impl Clustered {
    /// Values by cluster; clusters may differ in size.
    pub fn new(clusters: &[Vec<Extended>]) -> Clustered {
        let pairs = clusters.iter().enumerate().flat_map(|(cluster, values)| values.iter().map(move |value| (cluster, *value)));
        Clustered::from_pairs(pairs, clusters.len())
    }

    /// Values with the number of their cluster, in any order. A number at or above `clusters` makes room for itself.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (usize, Extended)>, clusters: usize) -> Clustered {
        let mut pairs: Vec<(f64, u32)> =
            pairs.into_iter().map(|(cluster, value)| (value.finite().unwrap_or(f64::INFINITY), cluster as u32)).collect();
        pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut sizes = vec![0; clusters];
        for (_, cluster) in &pairs {
            let at = *cluster as usize;
            sizes.resize(sizes.len().max(at + 1), 0);
            sizes[at] += 1;
        }
        let (values, cluster) = pairs.into_iter().unzip();
        Clustered { values, cluster, sizes }
    }

    /// How many values there are.
    pub fn n(&self) -> usize {
        self.values.len()
    }
    /// How many clusters there are, empty ones included.
    pub fn clusters(&self) -> usize {
        self.sizes.len()
    }
    /// How many clusters hold a value.
    pub fn filled(&self) -> usize {
        self.sizes.iter().filter(|size| 0 < **size).count()
    }

    /// The type-7 quantile of all values, whatever their clusters; p in [0, 1]. `None` for no values.
    pub fn quantile_type7(&self, p: f64) -> Option<Extended> {
        quantile_under_counts(self, p, &vec![1; self.clusters()])
    }

    /// How many of the first `upto` values each cluster has.
    pub(super) fn tally(&self, upto: usize) -> Vec<u32> {
        let mut tally = vec![0; self.clusters()];
        for cluster in self.cluster.iter().take(upto) {
            tally[*cluster as usize] += 1;
        }
        tally
    }
}

/// A stored value as it came.
pub(super) fn extended(value: f64) -> Extended {
    if value == f64::INFINITY { Extended::Never } else { Extended::Finite(value) }
}

/// The share of "yes" in clusters and what the clustering costs: (design effect, effective number).
///
/// deff = max(1, v / (p(1 − p)/n)) with v = R/(R − 1) · Σ (yes_r − n_r p)² / n² over the clusters that hold anything, the linearised
/// variance of a ratio. 1 where the share is 0 or 1. `None` with fewer than two clusters, which cannot show how clusters differ.
pub(super) fn design_effect(counts: impl Iterator<Item = (u64, u64)> + Clone) -> Option<f64> {
    let filled = counts.filter(|(_, of)| 0 < *of);
    let (clusters, yes, n) = filled.clone().fold((0_u64, 0_u64, 0_u64), |(r, yes, n), (a, b)| (r + 1, yes + a, n + b));
    if yes == 0 || yes == n {
        return (0 < n).then_some(1.0);
    }
    if clusters < 2 {
        return None;
    }
    let (clusters, n, share) = (clusters as f64, n as f64, yes as f64 / n as f64);
    let squares: f64 = filled.map(|(yes, of)| (yes as f64 - of as f64 * share).powi(2)).sum();
    let variance = clusters / (clusters - 1.0) * squares / (n * n);
    Some((variance / (share * (1.0 - share) / n)).max(1.0))
}
