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

    /// These figures, and where one is absent the other's.
    pub fn or(self, other: Pace) -> Pace {
        Pace {
            requests_per_minute: self.requests_per_minute.or(other.requests_per_minute),
            tokens_per_minute: self.tokens_per_minute.or(other.tokens_per_minute),
            concurrency: self.concurrency.or(other.concurrency),
            requests_per_day: self.requests_per_day.or(other.requests_per_day),
            tokens_per_day: self.tokens_per_day.or(other.tokens_per_day),
        }
    }

    /// The name of a figure that is zero, which would allow nothing.
    pub fn zero(&self) -> Option<&'static str> {
        let figures = [
            ("requests_per_minute", self.requests_per_minute),
            ("tokens_per_minute", self.tokens_per_minute),
            ("concurrency", self.concurrency.map(u64::from)),
            ("requests_per_day", self.requests_per_day),
            ("tokens_per_day", self.tokens_per_day),
        ];
        figures.into_iter().find(|(_, figure)| *figure == Some(0)).map(|(name, _)| name)
    }
}
