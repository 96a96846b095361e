//! The list of all metrics: one place from which tables, `photofinish metrics` and `docs/metrics.md` come.

use super::{Observation, Reply, Undefined, connection, gaps, latency, speed};

/// A definition: what it is called, how it is computed, and when it has no value.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name in commands, files and tables.
    pub name: &'static str,
    /// What it is, in words.
    pub title: &'static str,
    /// The unit of its values.
    pub unit: Unit,
    /// Which way is better.
    pub better: Better,
    /// How it is computed.
    pub formula: &'static str,
    /// When it has no value.
    pub undefined_when: &'static str,
    /// Computes it.
    pub of: fn(&Reply<'_>) -> Result<Observation, Undefined>,
}

/// The unit of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Thousandths of a second.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Tokens (or characters, on that basis) per second.
    TokensPerSecond,
    /// Seconds per token (or character).
    SecondsPerToken,
    /// Tokens (or characters).
    Tokens,
    /// A part of one.
    Share,
    /// A quotient.
    Ratio,
    /// A whole number.
    Count,
}

impl Unit {
    /// The unit as it is printed.
    pub const fn symbol(self) -> &'static str {
        match self {
            Unit::Milliseconds => "ms",
            Unit::Seconds => "s",
            Unit::TokensPerSecond => "tok/s",
            Unit::SecondsPerToken => "s/tok",
            Unit::Tokens => "tok",
            Unit::Share => "share",
            Unit::Ratio => "ratio",
            Unit::Count => "count",
        }
    }
    /// The unit as it is printed where characters are counted instead of tokens.
    pub const fn symbol_in_chars(self) -> &'static str {
        match self {
            Unit::TokensPerSecond => "chars/s",
            Unit::SecondsPerToken => "s/char",
            Unit::Tokens => "chars",
            other => other.symbol(),
        }
    }
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Better {
    /// Less is better.
    Lower,
    /// More is better.
    Higher,
    /// Neither: it describes.
    Neither,
}

impl Better {
    /// The direction in words.
    pub const fn words(self) -> &'static str {
        match self {
            Better::Lower => "lower is better",
            Better::Higher => "higher is better",
            Better::Neither => "describes only",
        }
    }
}

/// Every metric, in the order in which they are documented.
pub fn registry() -> impl Iterator<Item = &'static Metric> {
    [latency::METRICS, speed::METRICS, gaps::METRICS, connection::METRICS].into_iter().flatten()
}

/// The metric of a name.
pub fn metric(name: &str) -> Option<&'static Metric> {
    registry().find(|metric| metric.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_metric_has_a_name_of_its_own() {
        let names: BTreeSet<&str> = registry().map(|metric| metric.name).collect();
        assert_eq!(names.len(), registry().count());
        assert!(metric("ttft").is_some() && metric("speed").is_none());
    }
}
