//! One quantity of all targets, laid out by round and prompt: what every comparison, league and time-of-day table starts from.

use super::gate::Bottleneck;
use super::quantity::Quantity;
use crate::ident::TargetId;

/// One quantity of all targets. The unit of analysis is the round: requests of one round are not independent.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// What is compared.
    pub quantity: Quantity,
    /// The targets, in the plan's order.
    pub targets: Vec<PanelTarget>,
    /// The rounds that count, in order of time, whichever run they are of.
    pub rounds: Vec<PanelRound>,
    /// Prompts a round.
    pub prompts: usize,
    /// The run's limit T, s, as tables print times.
    pub limit_s: f64,
    /// This client was the bottleneck in too many rounds: nothing is called.
    pub client: Option<Bottleneck>,
    values: Values,
}

/// A target, and what bears on whether it may be ranked.
#[derive(Debug, Clone, PartialEq)]
pub struct PanelTarget {
    /// Its name.
    pub id: TargetId,
    /// The model's family, where known.
    pub family: Option<String>,
    /// It is one of our own simulated providers.
    pub simulated: bool,
    /// Good replies and requests sent, of each of [`Panel::rounds`]; requests that this client did not get to send count among the latter.
    pub success: Vec<(usize, usize)>,
    /// Requests over the quota, among those sent.
    pub rate_limited: usize,
    /// Good replies that came bundled.
    pub bundled: usize,
    /// Good replies of which thinking was billed, or may have gone on, but was not shown.
    pub hidden: usize,
    /// Good replies without token counts on the table's basis.
    pub uncounted: usize,
}

/// A round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PanelRound {
    /// Index of its run.
    pub run: usize,
    /// Its number in the run, from 1.
    pub round: u32,
    /// When it began: the wall time of its first scored request.
    pub at: jiff::Timestamp,
}

/// What one target did with one prompt in one round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Entry {
    /// Nothing that counts was sent: the block is void, the target's set-up at fault, or this client did not get to it.
    Absent,
    /// A good reply that has no value of this quantity, such as a bundled one of its speed.
    Undefined,
    /// A good reply and its value, as a time (s a token for rates, else the metric's unit), already cut off at the limit.
    Good(f64),
    /// A failure, and what it is charged, in the same unit.
    Failed {
        /// The time charged.
        charge: f64,
        /// It went over the quota.
        rate_limited: bool,
    },
}

#[derive(Debug, Clone, PartialEq)]
enum Values {
    /// By target, round, prompt.
    Blocks(Vec<Entry>),
    /// By target, round: the logarithm of a quantity that only a round has; and the same with rate-limited requests left out.
    Rounds { logs: Vec<Option<f64>>, left_out: Option<Vec<Option<f64>>> },
}

/// The difference of two targets in one round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// Index of the round in [`Panel::rounds`].
    pub round: usize,
    /// Mean over the blocks that both have of ln(time of the second / time of the first).
    pub log_ratio: f64,
}

impl Entry {
    /// The charged time, where there is one.
    pub const fn time(self) -> Option<f64> {
        match self {
            Entry::Good(time) | Entry::Failed { charge: time, .. } => Some(time),
            Entry::Absent | Entry::Undefined => None,
        }
    }
}

impl Panel {
    /// A panel of entries ordered by target, then round, then prompt. Entries that are missing at the end are absent.
    pub fn of_blocks(
        quantity: Quantity,
        targets: Vec<PanelTarget>,
        rounds: Vec<PanelRound>,
        prompts: usize,
        limit_s: f64,
        mut entries: Vec<Entry>,
    ) -> Panel {
        entries.resize(targets.len() * rounds.len() * prompts, Entry::Absent);
        Panel { quantity, targets, rounds, prompts, limit_s, client: None, values: Values::Blocks(entries) }
    }

    /// A panel of a quantity that only whole rounds have, as logarithms ordered by target, then round.
    pub fn of_rounds(
        quantity: Quantity,
        targets: Vec<PanelTarget>,
        rounds: Vec<PanelRound>,
        prompts: usize,
        limit_s: f64,
        mut logs: Vec<Option<f64>>,
    ) -> Panel {
        logs.resize(targets.len() * rounds.len(), None);
        Panel { quantity, targets, rounds, prompts, limit_s, client: None, values: Values::Rounds { logs, left_out: None } }
    }

    /// The same, where the client's gate is closed.
    pub fn limited_by(self, client: Option<Bottleneck>) -> Panel {
        Panel { client, ..self }
    }

    /// Says what the logarithms of a panel of rounds are with rate-limited requests left out.
    pub fn leaving_out(mut self, mut logs: Vec<Option<f64>>) -> Panel {
        logs.resize(self.targets.len() * self.rounds.len(), None);
        if let Values::Rounds { left_out, .. } = &mut self.values {
            *left_out = Some(logs);
        }
        self
    }

    /// The entries of a target in a round, one a prompt; none where only whole rounds have a value.
    pub fn entries(&self, target: usize, round: usize) -> &[Entry] {
        match &self.values {
            Values::Blocks(entries) => {
                let from = (target * self.rounds.len() + round) * self.prompts;
                entries.get(from..from + self.prompts).unwrap_or(&[])
            }
            Values::Rounds { .. } => &[],
        }
    }

    /// Whether the values are of blocks, so that quantiles and win shares can be taken.
    pub const fn has_blocks(&self) -> bool {
        matches!(self.values, Values::Blocks(_))
    }

    /// The mean log time of a target in each round that has any, by the round's index.
    pub fn levels(&self, target: usize) -> Vec<(usize, f64)> {
        let of = |round: usize| match &self.values {
            Values::Blocks(_) => mean_of(self.entries(target, round).iter().filter_map(|entry| entry.time().map(f64::ln))),
            Values::Rounds { logs, .. } => logs.get(target * self.rounds.len() + round).copied().flatten(),
        };
        (0..self.rounds.len()).filter_map(|round| of(round).map(|level| (round, level))).collect()
    }

    /// ln(time of `b` / time of `a`), by round in order of time: method.md §3.2. Blocks that one of them lacks count for neither.
    pub fn differences(&self, a: usize, b: usize) -> Vec<Difference> {
        let of = |round: usize| match &self.values {
            Values::Blocks(_) => {
                let blocks = self.entries(a, round).iter().zip(self.entries(b, round));
                mean_of(blocks.filter_map(|(a, b)| Some((b.time()? / a.time()?).ln())))
            }
            Values::Rounds { logs, .. } => {
                let log = |target: usize| logs.get(target * self.rounds.len() + round).copied().flatten();
                log(a).zip(log(b)).map(|(a, b)| b - a)
            }
        };
        (0..self.rounds.len()).filter_map(|round| of(round).map(|log_ratio| Difference { round, log_ratio })).collect()
    }

    /// The same panel with rate-limited requests left out instead of charged: the other of the two ways of §1.5.
    pub fn without_rate_limited(&self) -> Panel {
        let mut panel = self.clone();
        match &mut panel.values {
            Values::Blocks(entries) => {
                for entry in entries.iter_mut().filter(|entry| matches!(entry, Entry::Failed { rate_limited: true, .. })) {
                    *entry = Entry::Absent;
                }
            }
            Values::Rounds { logs, left_out } => {
                if let Some(left_out) = left_out.take() {
                    *logs = left_out;
                }
            }
        }
        panel
    }

    /// Good replies and requests sent of a target, over all rounds.
    pub fn success(&self, target: usize) -> (usize, usize) {
        self.targets
            .get(target)
            .map_or((0, 0), |target| target.success.iter().fold((0, 0), |(ok, sent), each| (ok + each.0, sent + each.1)))
    }

    /// From the first round to the last.
    pub fn span(&self) -> Option<(jiff::Timestamp, jiff::Timestamp)> {
        self.rounds.first().zip(self.rounds.last()).map(|(first, last)| (first.at, last.at))
    }
}

fn mean_of(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, n) = values.fold((0.0, 0usize), |(sum, n), value| (sum + value, n + 1));
    (0 < n).then(|| sum / n as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panel(rounds: u32, entries: Vec<Entry>) -> Panel {
        let target = |id: &str| PanelTarget {
            id: TargetId::new(id).unwrap(),
            family: None,
            simulated: false,
            success: vec![(2, 2); rounds as usize],
            rate_limited: 0,
            bundled: 0,
            hidden: 0,
            uncounted: 0,
        };
        let round = |round| PanelRound { run: 0, round, at: jiff::Timestamp::UNIX_EPOCH };
        Panel::of_blocks(Quantity::E2e, vec![target("a"), target("b")], (1..=rounds).map(round).collect(), 2, 60.0, entries)
    }

    #[test]
    fn a_failure_is_charged_and_a_block_that_one_lacks_counts_for_neither() {
        use Entry::{Absent, Failed, Good, Undefined};
        let limited = Failed { charge: 8.0, rate_limited: true };
        let panel = panel(2, vec![Good(1.0), Good(2.0), Good(1.0), Undefined, limited, Good(4.0), Good(2.0), Absent]);
        let logs = |panel: &Panel| panel.differences(0, 1).iter().map(|d| d.log_ratio.exp()).collect::<Vec<_>>();
        assert_eq!(logs(&panel).iter().map(|x| x.round()).collect::<Vec<_>>(), [4.0, 2.0]);
        assert_eq!(logs(&panel.without_rate_limited()).iter().map(|x| x.round()).collect::<Vec<_>>(), [2.0, 2.0]);
        assert_eq!(panel.levels(0).len(), 2);
        assert_eq!(panel.success(1), (4, 4));
    }
}
