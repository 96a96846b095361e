//! A load run: stages of users or arrivals, in passes. Levels of load are conditions of their own and never pooled with rounds.

use super::SelfLag;
use crate::ident::TargetId;
use crate::units::Stamp;
use serde::{Deserialize, Serialize};

/// How a load run was designed. Present in the manifest of a load run, and in no other.
///
/// A *cell* is one stage of one pass on one target. Targets alternate stage by stage: within a pass each stage is run on every target, one
/// after another, before the next stage begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadDesign {
    /// The stages in the order in which tables show them. A trial names its stage by its place here, from 1.
    pub stages: Vec<Offered>,
    /// How often every stage is run on every target. A trial's `round` is its pass.
    pub passes: u32,
    /// When a stage sends no more.
    pub until: Until,
    /// In which order a pass runs the stages.
    pub order: StageOrder,
    /// Rest after each stage, milliseconds.
    pub rest_ms: u64,
    /// Each request opens a connection of its own, whose time then counts; else connections are opened before a stage begins.
    #[serde(default)]
    pub cold: bool,
    /// Open loop: an arrival that finds so many requests in flight is not sent, and recorded as `client_behind`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max_in_flight: Option<u32>,
    /// The service level as it was asked for, such as `ttft_p95<1s,tpot_p95<50ms`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub slo: Option<String>,
    /// The condition on which no higher stage of a target is begun, as it was asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stop_when: Option<String>,
}

/// The load that a stage offers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Offered {
    /// A closed loop: so many users, each of whom asks again as soon as the reply has ended.
    Users {
        /// How many.
        users: u32,
    },
    /// An open loop: requests arrive whether or not earlier ones have ended. Latency counts from the scheduled arrival.
    Arrivals {
        /// Mean arrivals a second.
        per_s: f64,
        /// How they are spread.
        spread: Spread,
    },
}

impl Offered {
    /// Users, or mean arrivals a second: what `@` of a condition names.
    pub fn size(&self) -> f64 {
        match self {
            Offered::Users { users } => f64::from(*users),
            Offered::Arrivals { per_s, .. } => *per_s,
        }
    }
}

/// How arrivals are spread in time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "spread", rename_all = "snake_case")]
pub enum Spread {
    /// At equal distances.
    Constant,
    /// Exponential distances: independent users.
    Poisson,
    /// Gamma distances of this shape: below 1 burstier than Poisson, above 1 more even.
    Gamma {
        /// The shape, above 0; the coefficient of variation of the distances is its inverse square root.
        shape: f64,
    },
}

/// When a stage sends no more; requests in flight are read to their end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "until", rename_all = "snake_case")]
pub enum Until {
    /// After so many requests.
    Requests {
        /// How many, of all users together.
        requests: u64,
    },
    /// After so many requests for each of its users.
    PerUser {
        /// How many a user, on the average: whoever is free takes the next.
        each: u64,
        /// And not before so many in all.
        at_least: u64,
    },
    /// After so long.
    Lasting {
        /// Milliseconds from the stage's begin.
        ms: u64,
    },
}

impl Until {
    /// How many requests a cell of this load makes, where that is known beforehand.
    pub fn requests(&self, offered: &Offered) -> Option<u64> {
        match (self, offered) {
            (Until::Requests { requests }, _) => Some(*requests),
            (Until::PerUser { each, at_least }, Offered::Users { users }) => Some((each * u64::from(*users)).max(*at_least)),
            (Until::PerUser { at_least, .. }, Offered::Arrivals { .. }) => Some(*at_least),
            (Until::Lasting { .. }, _) => None,
        }
    }
}

/// In which order a pass runs the stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StageOrder {
    /// From the lightest to the heaviest.
    Ascending,
    /// Drawn from the seed anew for each pass.
    Shuffled,
}

/// Which part of a load run a trial is of. Its `round` is the pass, its `block` counts the requests of the cell from 1, its `scheduled` is
/// the arrival's time (open loop) or the moment when its user was free (closed loop).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadPlace {
    /// The stage by its place in [`LoadDesign::stages`], from 1.
    pub stage: u32,
    /// The user, from 1; none in an open loop.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user: Option<u32>,
}

/// The state of one cell: one stage of one pass on one target. A later line replaces an earlier one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageLine {
    /// The pass, from 1.
    pub pass: u32,
    /// The stage, from 1.
    pub stage: u32,
    /// The target.
    pub target: TargetId,
    /// What happened to it.
    pub state: StageState,
    /// Wall-clock time.
    pub wall: jiff::Timestamp,
    /// Monotonic time of the same moment. Of `begun`: the first request may be sent from here on.
    pub mono: Stamp,
    /// Connections that were opened for it before it began. The first request on each has `connect.reused` false, as has every request
    /// for which one had to be opened anew.
    #[serde(default)]
    pub connections: u32,
    /// This client's own lag in it; with its end.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lag: Option<SelfLag>,
}

/// What happened to a cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum StageState {
    /// Its first request may be sent.
    Begun,
    /// Its last reply has ended.
    Finished,
    /// It was interrupted, or its target was stopped in it (key, balance, model): no sample.
    Interrupted,
    /// It was not run: a lower stage of this target had met the condition to stop, or the target was stopped.
    Skipped {
        /// The condition and what was seen.
        because: String,
    },
}
