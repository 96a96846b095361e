//! Quantities. A time on the clock is a [`Stamp`], a distance from the request's first write is an [`Offset`].

use serde::{Deserialize, Serialize};

/// A point on CLOCK_MONOTONIC, in nanoseconds. Comparable within one boot of one machine only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stamp(pub u64);

impl Stamp {
    /// Nanoseconds from `earlier` to here; zero if `earlier` is later.
    pub fn since(self, earlier: Stamp) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
    /// This point moved on by `ns` nanoseconds.
    pub fn plus(self, ns: u64) -> Stamp {
        Stamp(self.0.saturating_add(ns))
    }
}

/// Nanoseconds since the first byte of the request was written (`t0`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Offset(pub u64);

impl Offset {
    /// The request's first write itself.
    pub const ZERO: Offset = Offset(0);

    /// In milliseconds.
    pub fn ms(self) -> f64 {
        self.0 as f64 / 1e6
    }
    /// In seconds.
    pub fn secs(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

/// Milliseconds as nanoseconds.
pub const fn ms(milliseconds: u64) -> u64 {
    milliseconds * 1_000_000
}
/// Seconds as nanoseconds.
pub const fn secs(seconds: u64) -> u64 {
    seconds * 1_000_000_000
}
