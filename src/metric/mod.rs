//! What is computed of one reply. A metric has a value or a reason, never a made-up zero; outcomes are judged here from the facts on
//! record. One registry gives the command `metrics`, `docs/metrics.md` and the tables their definitions.

mod arrivals;
mod connection;
mod flags;
mod gaps;
mod latency;
mod outcome;
mod registry;
mod reply;
mod speed;

pub use arrivals::{Arrival, Moment};
pub use flags::{Flag, flags};
pub use outcome::{Outcome, is_configuration, is_line_failure, judge};
pub use registry::{Better, Metric, Unit, metric, registry};
pub use reply::{Reply, Rules, Tally};

use crate::tokens::NoCounts;
use serde::Serialize;

/// A value that was measured: exactly, or known to lie within bounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Observation {
    /// The value; where it rests on an interval, the end that the marks name.
    pub value: f64,
    /// The least it can be.
    pub low: f64,
    /// The most it can be.
    pub high: f64,
}

impl Observation {
    /// A value without doubt.
    pub const fn exact(value: f64) -> Observation {
        Observation::between(value, value, value)
    }
    /// A value known within bounds.
    pub const fn between(value: f64, low: f64, high: f64) -> Observation {
        // The sum of no numbers is −0 in Rust; nobody wants to read that.
        Observation { value: value + 0.0, low: low + 0.0, high: high + 0.0 }
    }
    /// Whether the bounds meet.
    pub fn is_exact(&self) -> bool {
        self.low == self.high
    }
}

/// Why a metric has no value for a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Undefined {
    /// Not one text came.
    #[error("no text came")]
    NoArrival,
    /// No answer came.
    #[error("no answer came")]
    NoContent,
    /// No reasoning came.
    #[error("no reasoning came")]
    NoReasoning,
    /// Fewer than two arrivals.
    #[error("fewer than two arrivals")]
    TooFewArrivals,
    /// No token came after the first arrival.
    #[error("no token after the first arrival")]
    TooFewTokens,
    /// No time passed between the arrivals.
    #[error("no time passed")]
    NoTime,
    /// The arrivals came in one read, so that their distance is not known.
    #[error("the arrivals cannot be told apart in time")]
    OneRead,
    /// The reply came in bundles, whose pace is the gateway's and not the model's.
    #[error("the reply came bundled")]
    Bundled,
    /// There are no token counts on this basis.
    #[error("{0}")]
    NoCounts(#[from] NoCounts),
    /// No usage was reported.
    #[error("the provider reported no usage")]
    NoUsage,
    /// The reply is shorter than the metric asks.
    #[error("the reply is too short")]
    Shorter,
    /// The connection was kept alive from an earlier request.
    #[error("the connection was kept alive")]
    Reused,
    /// Nothing came back.
    #[error("no response came")]
    NoResponse,
    /// The client that was used does not tell when it wrote the request.
    #[error("the client does not tell when the request was written")]
    NoStart,
}
