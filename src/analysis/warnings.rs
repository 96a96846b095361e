//! What casts doubt on a table or a part of it.

use super::gate::ClientGate;
use super::joined::{Joined, VoidReason};
use super::samples::Samples;
use crate::ident::TargetId;
use crate::metric::{Flag, Outcome};
use crate::record::RoundState;
use serde::Serialize;

/// What casts doubt on a table or a part of it. The words are in `report/`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Warning {
    /// More than a twentieth of a target's replies hit a limit of time or the cap on tokens.
    OftenLimited {
        /// The target.
        target: TargetId,
        /// Replies that hit a limit.
        limited: usize,
        /// Requests sent.
        sent: usize,
    },
    /// This client was the bottleneck in some rounds.
    ClientLimited(ClientGate),
    /// The wall clock was stepped during a run.
    ClockStepped,
    /// The wall clock moved against the monotonic one, in or before these rounds: it was set, or the machine slept.
    ClockMoved(Vec<ClockMove>),
    /// Rounds that this client could not begin in time, in their order.
    Missed {
        /// The rounds.
        rounds: Vec<u32>,
        /// Rounds planned, of all runs.
        planned: u32,
    },
    /// Blocks that count for no target.
    Void {
        /// Why.
        reason: VoidReason,
        /// Round and block of each.
        blocks: Vec<(u32, u32)>,
    },
    /// So many lines of the records could not be read.
    Torn(u32),
}

/// How far the wall clock moved against the monotonic one, in a round or since the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ClockMove {
    /// The round.
    pub round: u32,
    /// Forward, or back where negative, nanoseconds.
    pub by_ns: i64,
}

/// Above this share of replies that hit a limit or the cap, the figures describe our limits.
const OFTEN_LIMITED: f64 = 0.05;

/// The doubts.
pub(super) fn warnings(joined: &Joined<'_>, targets: &[Samples<'_>]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for samples in targets {
        let limited =
            samples.count(|outcome, flags| flags.has(Flag::LengthCapped) || matches!(outcome, Outcome::Timeout | Outcome::Stalled));
        if OFTEN_LIMITED * (samples.sent() as f64) < limited as f64 {
            warnings.push(Warning::OftenLimited { target: samples.target.id.clone(), limited, sent: samples.sent() });
        }
    }
    warnings.extend(of_client(&joined.client));
    let steps: u32 = joined.runs.iter().flat_map(|run| &run.rounds).filter_map(|round| round.lag.as_ref()).map(|lag| lag.clock_steps).sum();
    if 0 < steps {
        warnings.push(Warning::ClockStepped);
    }
    warnings.extend(of_times(joined));
    // Blocks of rounds in which this client was the bottleneck are told of as rounds.
    for reason in [VoidReason::Interrupted, VoidReason::Vantage] {
        let of_reason = joined.voids.iter().filter(|void| void.reason == reason);
        let blocks: Vec<(u32, u32)> = of_reason.map(|void| (void.round, void.block)).collect();
        if !blocks.is_empty() {
            warnings.push(Warning::Void { reason, blocks });
        }
    }
    let torn: u32 = joined.runs.iter().map(|run| run.torn).sum();
    if 0 < torn {
        warnings.push(Warning::Torn(torn));
    }
    warnings
}

/// That this client was the bottleneck in some rounds.
fn of_client(gate: &ClientGate) -> Option<Warning> {
    (!gate.limited.is_empty()).then(|| Warning::ClientLimited(gate.clone()))
}

/// What casts doubt on when rounds were held: clocks that moved, and rounds that were missed.
pub fn of_times(joined: &Joined<'_>) -> Vec<Warning> {
    let lines = || joined.runs.iter().flat_map(|run| &run.rounds);
    let moves: Vec<ClockMove> = lines().filter_map(|line| Some(ClockMove { round: line.round, by_ns: line.stepped_ns? })).collect();
    let rounds: Vec<u32> = lines().filter(|line| line.state == RoundState::Missed).map(|line| line.round).collect();
    let planned = joined.runs.iter().map(|run| run.manifest.design.rounds).fold(0, u32::saturating_add);
    let moved = (!moves.is_empty()).then_some(Warning::ClockMoved(moves));
    let missed = (!rounds.is_empty()).then_some(Warning::Missed { rounds, planned });
    moved.into_iter().chain(missed).collect()
}
