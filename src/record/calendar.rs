//! When the rounds of a run begin, where a calendar says so: plain data, so that whoever goes on with the run needs no plan.

use super::ClockSpan;
use serde::{Deserialize, Serialize};

/// A calendar of rounds. Round `r` belongs to the `r`-th time that `cron` names from `from` on, outside of `quiet`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// The cron expression as written: minute, hour, day of month, month, day of week.
    pub cron: String,
    /// IANA name of the zone on whose clock it is read, summer time included.
    pub zone: String,
    /// A round begins up to so many seconds after its time, at a moment drawn from the seed for each round; 0: at its time.
    #[serde(default)]
    pub jitter_s: u64,
    /// A round that cannot begin within so many seconds of its moment is missed.
    pub late_s: u64,
    /// The first moment at which a round may be due.
    pub from: jiff::Timestamp,
    /// Before which the last round is due; none where the plan counts rounds instead.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until: Option<jiff::Timestamp>,
    /// Times of the day, on the clock of `zone`, in which no round is due.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub quiet: Vec<ClockSpan>,
}
