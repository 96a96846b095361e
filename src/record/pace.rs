//! What a target is asked for at most: politeness, and a guard against a bill.

use serde::{Deserialize, Serialize};

/// Limits that this client keeps towards one target. Absent ones do not bind. Time spent waiting for them stands in a trial's
/// `held_since` and is never inside a latency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pace {
    /// Requests in any minute.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub requests_per_minute: Option<u64>,
    /// Tokens in any minute, prompt and reply; what is in flight counts with its worst case.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tokens_per_minute: Option<u64>,
    /// Requests in flight at once.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub concurrency: Option<u32>,
    /// Requests a day (UTC).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub requests_per_day: Option<u64>,
    /// Tokens a day (UTC), prompt and reply.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tokens_per_day: Option<u64>,
}

impl Pace {
    /// Whether nothing is limited.
    pub fn is_free(&self) -> bool {
        *self == Pace::default()
    }
}
