//! The values of the registry's metrics, a column each; those that count tokens have a column a basis.

use super::codes::{BASES, code_of_undefined, place_of, undefined};
use crate::metric::{Metric, Observation, Undefined, registry};
use crate::tokens::Basis;
use std::sync::OnceLock;

/// Metrics whose value depends on how tokens are counted.
const BY_TOKENS: [&str; 10] = [
    "time_to_100",
    "time_to_500",
    "reasoning_speed",
    "content_speed",
    "decode",
    "overall_speed",
    "spt",
    "tpot",
    "tokens_per_arrival",
    "largest_arrival_share",
];

/// A metric's place among the scalars of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scalar {
    first: usize,
    by_tokens: bool,
}

impl Scalar {
    pub(super) fn column(self, basis: Basis) -> usize {
        if self.by_tokens { self.first + place_of(basis) } else { self.first }
    }
    pub(super) fn bases(self) -> &'static [Basis] {
        if self.by_tokens { &BASES } else { &BASES[..1] }
    }
}

/// Where the metric of a name is kept; `None` where the registry knows no such metric.
pub fn scalar(name: &str) -> Option<Scalar> {
    layout().iter().find(|(metric, _)| metric.name == name).map(|(_, scalar)| *scalar)
}

/// Every metric and its place.
pub(super) fn layout() -> &'static [(&'static Metric, Scalar)] {
    static LAYOUT: OnceLock<Vec<(&'static Metric, Scalar)>> = OnceLock::new();
    LAYOUT.get_or_init(|| {
        let mut first = 0;
        let place = |metric: &'static Metric| {
            let scalar = Scalar { first, by_tokens: BY_TOKENS.contains(&metric.name) };
            first += scalar.bases().len();
            (metric, scalar)
        };
        registry().map(place).collect()
    })
}

/// The number of columns.
pub(super) fn width() -> usize {
    layout().last().map_or(0, |(_, scalar)| scalar.first + scalar.bases().len())
}

/// One column: a value or a reason a trial, and bounds where the value is not exact.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Column {
    pub value: Vec<f64>,
    /// 0, or why there is no value.
    pub why: Vec<u8>,
    /// Trials of which the value is only known within bounds, ascending.
    pub bounded: Vec<u32>,
    pub low: Vec<f64>,
    pub high: Vec<f64>,
}

impl Column {
    pub fn push(&mut self, seen: Result<Observation, Undefined>) {
        match seen {
            Ok(seen) => {
                if !(seen.is_exact() && seen.low == seen.value) {
                    self.bounded.push(self.value.len() as u32);
                    self.low.push(seen.low);
                    self.high.push(seen.high);
                }
                self.value.push(seen.value);
                self.why.push(0);
            }
            Err(why) => {
                self.value.push(0.0);
                self.why.push(code_of_undefined(why));
            }
        }
    }

    pub fn append(&mut self, mut other: Column) {
        let before = self.value.len() as u32;
        self.bounded.extend(other.bounded.iter().map(|at| at + before));
        self.low.append(&mut other.low);
        self.high.append(&mut other.high);
        self.value.append(&mut other.value);
        self.why.append(&mut other.why);
    }

    pub fn get(&self, at: usize) -> Result<Observation, Undefined> {
        let (Some(value), Some(why)) = (self.value.get(at).copied(), self.why.get(at).copied()) else { return Err(Undefined::NoArrival) };
        if let Some(why) = undefined(why) {
            return Err(why);
        }
        // Where all are bounded the place is the trial's own.
        let place = match self.bounded.len() == self.value.len() {
            true => Some(at),
            false => self.bounded.binary_search(&(at as u32)).ok(),
        };
        Ok(match place {
            Some(place) => Observation { value, low: self.low[place], high: self.high[place] },
            None => Observation::exact(value),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_that_counts_tokens_has_a_column_a_basis_and_no_place_is_taken_twice() {
        assert!(BY_TOKENS.iter().all(|name| scalar(name).is_some_and(|scalar| scalar.by_tokens)));
        assert_eq!(scalar("speed"), None);
        let mut places: Vec<usize> =
            layout().iter().flat_map(|(_, scalar)| scalar.bases().iter().map(|basis| scalar.column(*basis))).collect();
        places.sort_unstable();
        assert_eq!(places, (0..width()).collect::<Vec<_>>());
    }

    #[test]
    fn a_value_keeps_its_bounds_and_a_reason_stays_a_reason() {
        let seen = [
            Ok(Observation::exact(1.5)),
            Ok(Observation::between(2.0, 1.0, f64::INFINITY)),
            Err(Undefined::Bundled),
            Ok(Observation::between(3.0, 3.0, 4.0)),
        ];
        let (mut column, mut other) = (Column::default(), Column::default());
        seen[..2].iter().for_each(|seen| column.push(*seen));
        seen[2..].iter().for_each(|seen| other.push(*seen));
        column.append(other);
        assert_eq!([0, 1, 2, 3].map(|at| column.get(at)), seen);
        assert_eq!(column.get(4), Err(Undefined::NoArrival));
    }
}
