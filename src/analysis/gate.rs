//! The gate: where this client was the bottleneck, nothing is called. One place decides it, for rounds and for stages of a load.

use crate::record::SelfLag;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Above this lag, 99th percentile, ms of real time, figures may be this client's own: of its measuring thread, from the kernel to its reads,
/// or of its sends. A timeline's times are the kernel's and do not shift with it, but texts merge, and what is asked late is answered late.
const LAG_MS: f64 = 20.0;
/// The same for the share of requests that it did not get to send.
const NOT_SENT: f64 = 0.01;
/// Above this share of limited rounds, leaving them out would choose among the data: the gate is closed.
const CLOSED_ABOVE: f64 = 0.25;

/// Why the figures of a round or a stage may be this client's own.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "by")]
pub enum ClientLimit {
    /// Its measuring thread lagged, 99th percentile over time, ms of real time; of a stage in the worst pass.
    Lag {
        /// How late its timer rang.
        p99_ms: f64,
    },
    /// What had reached the kernel waited for its reads, 99th percentile, ms.
    ReadLag {
        /// How long.
        p99_ms: f64,
    },
    /// Requests left late, 99th percentile, ms of real time.
    SendLag {
        /// How late.
        p99_ms: f64,
    },
    /// More than a hundredth of the requests were not sent.
    NotSent {
        /// Not sent.
        behind: usize,
        /// Meant to be.
        of: usize,
    },
}

/// What a round or a stage tells of this client.
#[derive(Debug, Clone, Default)]
pub(super) struct Signs<'a> {
    /// Its own lag; of several passes each.
    pub(super) lags: Vec<&'a SelfLag>,
    /// How late its requests left, 99th percentile, ms, where that is known.
    pub(super) send_p99_ms: Option<f64>,
    /// Requests that it did not get to send.
    pub(super) behind: usize,
    /// Requests that count, those among them.
    pub(super) of: usize,
}

impl Signs<'_> {
    /// What limits the figures; nothing where they are the target's.
    pub(super) fn limits(&self) -> Vec<ClientLimit> {
        let worst = |of: fn(&SelfLag) -> f64| self.lags.iter().map(|lag| of(lag) / 1e3).fold(0.0, f64::max);
        let above = |p99_ms: f64| Some(p99_ms).filter(|p99_ms| LAG_MS < *p99_ms);
        let lag = above(worst(|lag| lag.runtime_p99_us)).map(|p99_ms| ClientLimit::Lag { p99_ms });
        let read = above(worst(|lag| lag.read_p99_us)).map(|p99_ms| ClientLimit::ReadLag { p99_ms });
        let send = self.send_p99_ms.and_then(above).map(|p99_ms| ClientLimit::SendLag { p99_ms });
        let too_many = NOT_SENT * (self.of as f64) < self.behind as f64;
        let not_sent = too_many.then_some(ClientLimit::NotSent { behind: self.behind, of: self.of });
        [lag, read, send, not_sent].into_iter().flatten().collect()
    }
}

/// A round in which this client was the bottleneck.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LimitedRound {
    /// Index of its run.
    pub run: usize,
    /// Its number in the run, from 1.
    pub round: u32,
    /// Why.
    pub because: Vec<ClientLimit>,
}

impl LimitedRound {
    fn unsent(&self) -> bool {
        self.because.iter().any(|limit| matches!(limit, ClientLimit::NotSent { .. }))
    }
}

/// What this client's own state allows to be said of rounds. Open, the limited rounds are left out for all targets alike; closed, nothing is
/// called, and nothing is left out but rounds in which requests were not sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ClientGate {
    /// Runs that are read together.
    pub runs: usize,
    /// Rounds in which it was the bottleneck, by run and number.
    pub limited: Vec<LimitedRound>,
    /// Rounds of which a scored request is on record.
    pub of: usize,
    /// More than a quarter of them are limited.
    pub closed: bool,
}

/// In how many rounds this client was the bottleneck, where those were too many for anything to be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Bottleneck {
    /// Rounds in which it was.
    pub limited: usize,
    /// Of so many.
    pub of: usize,
}

impl ClientGate {
    /// The gate of rounds, by what each tells.
    pub(super) fn of(runs: usize, rounds: &BTreeMap<(usize, u32), Signs<'_>>) -> ClientGate {
        let limited = rounds.iter().map(|((run, round), signs)| LimitedRound { run: *run, round: *round, because: signs.limits() });
        let limited: Vec<LimitedRound> = limited.filter(|round| !round.because.is_empty()).collect();
        let closed = CLOSED_ABOVE * (rounds.len() as f64) < limited.len() as f64;
        ClientGate { runs, limited, of: rounds.len(), closed }
    }

    /// Why, each reason once: the worst of the rounds, and all requests that were not sent.
    pub fn because(&self) -> Vec<ClientLimit> {
        let (mut lag, mut read, mut send, mut unsent) = (0.0f64, 0.0f64, 0.0f64, (0, 0));
        for because in self.limited.iter().flat_map(|round| &round.because) {
            match *because {
                ClientLimit::Lag { p99_ms } => lag = lag.max(p99_ms),
                ClientLimit::ReadLag { p99_ms } => read = read.max(p99_ms),
                ClientLimit::SendLag { p99_ms } => send = send.max(p99_ms),
                ClientLimit::NotSent { behind, of } => unsent = (unsent.0 + behind, unsent.1 + of),
            }
        }
        let there = |p99_ms: f64| Some(p99_ms).filter(|p99_ms| 0.0 < *p99_ms);
        let lag = there(lag).map(|p99_ms| ClientLimit::Lag { p99_ms });
        let read = there(read).map(|p99_ms| ClientLimit::ReadLag { p99_ms });
        let send = there(send).map(|p99_ms| ClientLimit::SendLag { p99_ms });
        let unsent = (0 < unsent.0).then_some(ClientLimit::NotSent { behind: unsent.0, of: unsent.1 });
        [lag, read, send, unsent].into_iter().flatten().collect()
    }

    /// Present where the gate is closed.
    pub fn bottleneck(&self) -> Option<Bottleneck> {
        self.closed.then_some(Bottleneck { limited: self.limited.len(), of: self.of })
    }

    /// The rounds of a run that are left out: with the gate open all limited ones; with it closed those alone in which requests were not sent, since
    /// a request that this client did not make is no failure of its target.
    pub(super) fn left_out(&self, run: usize) -> BTreeSet<u32> {
        let leaves = |round: &&LimitedRound| round.run == run && (!self.closed || round.unsent());
        self.limited.iter().filter(leaves).map(|round| round.round).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lag(runtime_ms: f64) -> SelfLag {
        SelfLag { runtime_p99_us: runtime_ms * 1e3, ..SelfLag::default() }
    }

    /// A gate of one run whose rounds lagged by so many ms.
    fn gate(lags: &[SelfLag]) -> ClientGate {
        let signs = |lag| Signs { lags: vec![lag], of: 8, ..Signs::default() };
        ClientGate::of(1, &lags.iter().zip(1..).map(|(lag, round)| ((0, round), signs(lag))).collect())
    }

    #[test]
    fn every_sign_alone_limits_and_none_does_below_its_bound() {
        let quiet = SelfLag { read_p99_us: 19_900.0, ..lag(20.0) };
        let signs = Signs { lags: vec![&quiet], send_p99_ms: Some(20.0), behind: 1, of: 100 };
        assert_eq!(signs.limits(), []);
        let (slow, reading) = (lag(20.1), SelfLag { read_p99_us: 21_000.0, ..SelfLag::default() });
        let limited = [
            (Signs { lags: vec![&quiet, &slow], ..signs.clone() }, ClientLimit::Lag { p99_ms: 20.1 }),
            (Signs { lags: vec![&reading], ..signs.clone() }, ClientLimit::ReadLag { p99_ms: 21.0 }),
            (Signs { send_p99_ms: Some(20.5), ..signs.clone() }, ClientLimit::SendLag { p99_ms: 20.5 }),
            (Signs { behind: 2, ..signs.clone() }, ClientLimit::NotSent { behind: 2, of: 100 }),
        ];
        for (signs, limit) in limited {
            assert_eq!(signs.limits(), [limit]);
        }
    }

    #[test]
    fn up_to_a_quarter_of_the_rounds_is_left_out_and_more_close_the_gate() {
        let open = gate(&[lag(1.0), lag(30.0), lag(1.0), lag(1.0)]);
        assert_eq!((open.closed, open.left_out(0), open.left_out(1)), (false, BTreeSet::from([2]), BTreeSet::new()));
        assert_eq!(open.bottleneck(), None);
        let closed = gate(&[lag(1.0), lag(30.0), lag(30.0), lag(1.0), lag(1.0), lag(1.0), lag(1.0)]);
        assert_eq!(closed.bottleneck(), Some(Bottleneck { limited: 2, of: 7 }));
        assert_eq!(closed.because(), [ClientLimit::Lag { p99_ms: 30.0 }]);
        assert_eq!(closed.left_out(0), BTreeSet::new(), "nothing is left out of a closed gate's figures");
        let unsent = Signs { behind: 3, of: 100, ..Signs::default() };
        let closed = ClientGate::of(1, &BTreeMap::from([((0, 1), unsent), ((0, 2), Signs { lags: vec![&lag(30.0)], ..Signs::default() })]));
        assert_eq!((closed.closed, closed.left_out(0)), (true, BTreeSet::from([1])), "but what was not sent is charged to nobody");
        assert_eq!(gate(&[]).bottleneck(), None);
    }
}
