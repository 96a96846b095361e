//! When requests arrive in an open loop: distances in time drawn from the seed, the same for every target of a stage and pass.

use crate::record::Spread;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

/// Arrivals without end, as nanoseconds after the stage's begin, in order. The first one comes after one distance.
#[derive(Debug, Clone)]
pub struct Arrivals {
    spread: Spread,
    mean_s: f64,
    random: ChaCha8Rng,
    at_s: f64,
    /// How many came; equal distances are multiples, so that no rounding adds up.
    count: u64,
}

impl Arrivals {
    /// So many a second on the average. A rate above zero and a shape above zero are the caller's to check.
    pub(super) fn new(per_s: f64, spread: Spread, random: ChaCha8Rng) -> Arrivals {
        Arrivals { spread, mean_s: 1.0 / per_s, random, at_s: 0.0, count: 0 }
    }
}

impl Iterator for Arrivals {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.count += 1;
        match self.spread {
            Spread::Constant => self.at_s = self.count as f64 * self.mean_s,
            Spread::Poisson => self.at_s += self.mean_s * exponential(&mut self.random),
            Spread::Gamma { shape } => self.at_s += self.mean_s / shape * gamma(shape, &mut self.random),
        }
        Some((self.at_s * 1e9).round() as u64)
    }
}

/// Uniform in (0, 1]: 53 bits, and never zero, so that its logarithm is finite.
fn uniform(random: &mut ChaCha8Rng) -> f64 {
    ((random.next_u64() >> 11) + 1) as f64 / (1u64 << 53) as f64
}

/// Exponential of mean 1, by inversion.
fn exponential(random: &mut ChaCha8Rng) -> f64 {
    -uniform(random).ln()
}

/// Standard normal, by Box and Muller (1958); the second value of the pair is left.
fn normal(random: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * uniform(random).ln()).sqrt();
    radius * (std::f64::consts::TAU * uniform(random)).cos()
}

/// Gamma of this shape and scale 1 (mean and variance are the shape), by Marsaglia and Tsang (2000): a cubed normal, accepted in more
/// than 95 of 100 cases. Below shape 1 a gamma of shape + 1 times U^(1/shape), as they say in section 6.
fn gamma(shape: f64, random: &mut ChaCha8Rng) -> f64 {
    if shape < 1.0 {
        let boost = uniform(random).powf(1.0 / shape);
        return gamma(shape + 1.0, random) * boost;
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = normal(random);
        let v = (1.0 + c * x).powi(3);
        if v <= 0.0 {
            continue;
        }
        if uniform(random).ln() < 0.5 * x * x + d - d * v + d * v.ln() {
            return d * v;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::rand_core::SeedableRng;

    fn distances(spread: Spread, per_s: f64, n: usize) -> Vec<f64> {
        let mut before = 0;
        let gap = |at: u64| {
            let gap = (at - before) as f64 / 1e9;
            before = at;
            gap
        };
        Arrivals::new(per_s, spread, ChaCha8Rng::seed_from_u64(7)).take(n).map(gap).collect()
    }

    fn mean_and_variance(values: &[f64]) -> (f64, f64) {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        (mean, values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64)
    }

    #[test]
    fn distances_have_the_mean_and_the_variance_of_their_law() {
        // Of a gamma of shape k with mean m the variance is m²/k; Poisson is k = 1.
        let n = 40_000;
        let laws = [(Spread::Poisson, 1.0), (gamma_of(0.25), 0.25), (gamma_of(1.0), 1.0), (gamma_of(4.0), 4.0), (gamma_of(60.0), 60.0)];
        for (spread, shape) in laws {
            let (mean, variance) = mean_and_variance(&distances(spread, 20.0, n));
            let (wanted_mean, wanted_variance) = (0.05, 0.05f64.powi(2) / shape);
            // Four standard errors; the kurtosis of a gamma is 3 + 6/k.
            let mean_error = 4.0 * (wanted_variance / n as f64).sqrt();
            let variance_error = 4.0 * wanted_variance * ((2.0 + 6.0 / shape) / n as f64).sqrt();
            assert!((mean - wanted_mean).abs() < mean_error, "{spread:?}: mean {mean}");
            assert!((variance - wanted_variance).abs() < variance_error, "{spread:?}: variance {variance}, not {wanted_variance}");
        }
    }

    fn gamma_of(shape: f64) -> Spread {
        Spread::Gamma { shape }
    }

    #[test]
    fn constant_arrivals_keep_their_distance_to_the_nanosecond() {
        let at: Vec<u64> = Arrivals::new(3.0, Spread::Constant, ChaCha8Rng::seed_from_u64(1)).take(6).collect();
        assert_eq!(at, [333_333_333, 666_666_667, 1_000_000_000, 1_333_333_333, 1_666_666_667, 2_000_000_000]);
    }

    #[test]
    fn arrivals_are_drawn_alike_in_every_release() {
        let first = |spread| Arrivals::new(10.0, spread, ChaCha8Rng::seed_from_u64(7)).take(3).map(|ns| ns / 1000).collect::<Vec<_>>();
        expect_test::expect!["[184645, 363030, 398089] [3380, 226390, 258655]"].assert_eq(&format!(
            "{:?} {:?}",
            first(Spread::Poisson),
            first(gamma_of(0.5))
        ));
    }
}
