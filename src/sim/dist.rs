//! Distributions of a behaviour file, and the seeded draws from them.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::Deserialize;
use serde::de::{MapAccess, Visitor, value::MapAccessDeserializer};
use sha2::{Digest, Sha256};

/// A distribution of a quantity that is never negative. A bare number in the file is [`Dist::Fixed`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Dist {
    /// Always this.
    Fixed(f64),
    /// Bell curve with `mean` and standard deviation `sd`, cut at zero.
    Normal {
        /// Middle.
        mean: f64,
        /// Standard deviation.
        sd: f64,
    },
    /// `median · exp(sigma · z)`: latencies look like this.
    Lognormal {
        /// Half of the draws lie below.
        median: f64,
        /// Spread of the logarithm.
        sigma: f64,
    },
    /// Anything from `from` to `to`, alike.
    Uniform {
        /// Lowest.
        from: f64,
        /// Highest.
        to: f64,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    fixed: Option<f64>,
    normal: Option<Normal>,
    lognormal: Option<Lognormal>,
    uniform: Option<Uniform>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Normal {
    mean: f64,
    sd: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lognormal {
    median: f64,
    sigma: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Uniform {
    from: f64,
    to: f64,
}

impl<'de> Deserialize<'de> for Dist {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Dist, D::Error> {
        struct NumberOrShape;
        impl<'de> Visitor<'de> for NumberOrShape {
            type Value = Dist;
            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("a number, or one of `normal: {mean, sd}`, `lognormal: {median, sigma}`, `uniform: {from, to}`")
            }
            fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Dist, E> {
                Ok(Dist::Fixed(value))
            }
            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Dist, E> {
                Ok(Dist::Fixed(value as f64))
            }
            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Dist, E> {
                Ok(Dist::Fixed(value as f64))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Dist, A::Error> {
                match Shape::deserialize(MapAccessDeserializer::new(map))? {
                    Shape { fixed: Some(value), normal: None, lognormal: None, uniform: None } => Ok(Dist::Fixed(value)),
                    Shape { fixed: None, normal: Some(Normal { mean, sd }), lognormal: None, uniform: None } => {
                        Ok(Dist::Normal { mean, sd })
                    }
                    Shape { fixed: None, normal: None, lognormal: Some(Lognormal { median, sigma }), uniform: None } => {
                        Ok(Dist::Lognormal { median, sigma })
                    }
                    Shape { fixed: None, normal: None, lognormal: None, uniform: Some(Uniform { from, to }) } => {
                        Ok(Dist::Uniform { from, to })
                    }
                    _ => Err(serde::de::Error::custom("a distribution has exactly one shape: `fixed`, `normal`, `lognormal` or `uniform`")),
                }
            }
        }
        let dist = from.deserialize_any(NumberOrShape)?;
        match dist.fault() {
            None => Ok(dist),
            Some(fault) => Err(serde::de::Error::custom(fault)),
        }
    }
}

impl Dist {
    fn fault(&self) -> Option<&'static str> {
        let (numbers, spread) = match *self {
            Dist::Fixed(value) => ([value, 0.0], 0.0),
            Dist::Normal { mean, sd } => ([mean, sd], sd),
            Dist::Lognormal { median, sigma } => ([median, sigma], sigma),
            Dist::Uniform { from, to } => ([from, to], to - from),
        };
        if numbers.iter().any(|n| !n.is_finite() || *n < 0.0) {
            return Some("a distribution takes finite numbers that are not negative");
        }
        (spread < 0.0).then_some("`to` lies below `from`")
    }
    /// One draw, never negative.
    pub fn draw(&self, draws: &mut ChaCha8Rng) -> f64 {
        let value = match *self {
            Dist::Fixed(value) => value,
            Dist::Normal { mean, sd } => mean + sd * bell(draws),
            Dist::Lognormal { median, sigma } => median * (sigma * bell(draws)).exp(),
            Dist::Uniform { from, to } => from + (to - from) * unit(draws),
        };
        value.max(0.0)
    }
    /// The middle of the distribution: half of the draws lie below.
    pub fn median(&self) -> f64 {
        match *self {
            Dist::Fixed(value) => value,
            Dist::Normal { mean, .. } => mean,
            Dist::Lognormal { median, .. } => median,
            Dist::Uniform { from, to } => (from + to) / 2.0,
        }
    }
}

/// Uniform in `[0, 1)`, 53 bits.
pub fn unit(draws: &mut ChaCha8Rng) -> f64 {
    (draws.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// Standard normal (Box and Muller 1958, one of the pair).
fn bell(draws: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * (1.0 - unit(draws)).ln()).sqrt();
    radius * (std::f64::consts::TAU * unit(draws)).cos()
}

/// Where the draws of one request come from: the seed, the system, the request's bytes and how often these bytes were seen before.
/// So a run repeats itself whatever the order in which requests arrive, and a request sent twice is not answered twice alike.
#[derive(Debug, Clone)]
pub struct Source([u8; 32]);

impl Source {
    /// The source of one request's draws.
    pub fn new(seed: u64, system: &str, body: &[u8], seen_before: u32) -> Source {
        let mut hash = Sha256::new();
        hash.update(seed.to_le_bytes());
        hash.update(system.as_bytes());
        hash.update([0]);
        hash.update(seen_before.to_le_bytes());
        hash.update(body);
        Source(hash.finalize().into())
    }
    /// Independent draws for one purpose: a question more for one purpose does not move the answers to another.
    pub fn draws(&self, purpose: &str) -> ChaCha8Rng {
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update(purpose.as_bytes());
        ChaCha8Rng::from_seed(hash.finalize().into())
    }
    /// A short name made of the source, for ids in the reply.
    pub fn hex(&self, characters: usize) -> String {
        let digits = self.0.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        digits.take(characters).map(|digit| char::from_digit(u32::from(digit), 16).unwrap_or('0')).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Dist, String> {
        serde_yaml::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_distribution_is_written_as_a_number_or_by_name() {
        assert_eq!(parse("300"), Ok(Dist::Fixed(300.0)));
        assert_eq!(parse("1.5"), Ok(Dist::Fixed(1.5)));
        assert_eq!(parse("lognormal: {median: 900, sigma: 0.3}"), Ok(Dist::Lognormal { median: 900.0, sigma: 0.3 }));
        assert_eq!(parse("{uniform: {from: 1, to: 2}}"), Ok(Dist::Uniform { from: 1.0, to: 2.0 }));
        assert!(parse("normal: {mean: 3, deviation: 1}").unwrap_err().contains("deviation"));
        assert!(parse("gamma: {shape: 3}").unwrap_err().contains("gamma"));
        assert!(parse("{fixed: 3, normal: {mean: 3, sd: 1}}").unwrap_err().contains("exactly one"));
        assert!(parse("-3").unwrap_err().contains("not negative"));
        assert!(parse("uniform: {from: 3, to: 1}").unwrap_err().contains("below"));
    }

    #[test]
    fn the_median_is_where_half_of_the_draws_lie_below() {
        let mut draws = Source::new(7, "a", b"", 0).draws("test");
        for dist in
            [Dist::Lognormal { median: 900.0, sigma: 0.4 }, Dist::Normal { mean: 20.0, sd: 3.0 }, Dist::Uniform { from: 0.0, to: 8.0 }]
        {
            let below = (0..4000).filter(|_| dist.draw(&mut draws) < dist.median()).count();
            assert!((1850..2150).contains(&below), "{dist:?}: {below} of 4000");
        }
    }

    #[test]
    fn draws_depend_on_seed_system_body_and_repetition_alone() {
        let first = |source: Source| source.draws("ttft").next_u64();
        let same = first(Source::new(7, "a", b"hello", 0));
        assert_eq!(same, first(Source::new(7, "a", b"hello", 0)));
        for other in [
            Source::new(8, "a", b"hello", 0),
            Source::new(7, "b", b"hello", 0),
            Source::new(7, "a", b"hallo", 0),
            Source::new(7, "a", b"hello", 1),
        ] {
            assert_ne!(same, first(other));
        }
    }
}
