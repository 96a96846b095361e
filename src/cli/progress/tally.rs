//! Live counters of each target: done, failed, left, and how long that may take. No statistic: a table is for those.

use super::event::{Ahead, Came};
use crate::ident::TargetId;
use crate::units::Stamp;
use serde::Serialize;

/// One target's counters.
#[derive(Debug, Clone)]
pub struct Tally {
    target: TargetId,
    ahead: Ahead,
    ok: u64,
    failed: u64,
    not_sent: u64,
    stopped: bool,
    worked_ns: u64,
    working_since: Option<Stamp>,
}

/// Where a target stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Counts {
    /// The target.
    pub target: TargetId,
    /// Requests that are over, failed ones included.
    pub done: u64,
    /// Those of them that gave no usable sample.
    pub failed: u64,
    /// Requests that were not sent.
    #[serde(skip_serializing_if = "is_zero")]
    pub not_sent: u64,
    /// Requests still to come, where their number is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<u64>,
    /// How long they may take at the rate so far, seconds; none before there is a rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_s: Option<f64>,
    /// Nothing more is sent to it.
    #[serde(skip_serializing_if = "is_false")]
    pub stopped: bool,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

fn is_false(flag: &bool) -> bool {
    !*flag
}

impl Tally {
    /// A target of which nothing has come yet.
    pub fn new(target: TargetId, ahead: Ahead) -> Tally {
        Tally { target, ahead, ok: 0, failed: 0, not_sent: 0, stopped: false, worked_ns: 0, working_since: None }
    }

    /// The target.
    pub fn target(&self) -> &TargetId {
        &self.target
    }

    /// Requests are being sent from here on: only such time makes a rate.
    pub fn work(&mut self, now: Stamp) {
        self.working_since.get_or_insert(now);
    }

    /// Nothing is sent for a while.
    pub fn rest(&mut self, now: Stamp) {
        if let Some(since) = self.working_since.take() {
            self.worked_ns += now.since(since);
        }
    }

    /// A request is over.
    pub fn count(&mut self, came: Came) {
        match came {
            Came::Ok => self.ok += 1,
            Came::Failed => self.failed += 1,
            Came::NotSent => self.not_sent += 1,
            Came::Unscored => {}
        }
    }

    /// So many requests that were ahead will not be sent.
    pub fn pass(&mut self, requests: u64) {
        self.ahead.requests = self.ahead.requests.map(|ahead| ahead.saturating_sub(requests));
    }

    /// Nothing more is sent to it.
    pub fn stop(&mut self) {
        self.stopped = true;
    }

    /// Where it stands now.
    pub fn counts(&self, now: Stamp) -> Counts {
        let done = self.ok + self.failed;
        let left = self.ahead.requests.map(|ahead| ahead.saturating_sub(done + self.not_sent));
        let worked = self.worked_ns + self.working_since.map_or(0, |since| now.since(since));
        let left_s = match (self.ahead.lasts_ms, left) {
            _ if self.stopped => None,
            (Some(lasts), _) => Some((lasts as f64 / 1e3 - worked as f64 / 1e9).max(0.0)),
            (None, Some(left)) if 0 < done => Some(worked as f64 / 1e9 * left as f64 / done as f64),
            (None, _) => None,
        };
        let Tally { target, failed, not_sent, stopped, .. } = self.clone();
        Counts { target, done, failed, not_sent, left, left_s: left_s.map(|s| (s * 10.0).round() / 10.0), stopped }
    }
}
