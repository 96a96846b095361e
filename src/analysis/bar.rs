//! What keeps a target out of a ranking.

use super::gate::Bottleneck;
use super::panel::{Entry, Panel};
use super::quantity::Quantity;
use super::verdict::ROUNDS_FOR_WORDS;
use crate::stats::{Confidence, clustered_share};
use serde::Serialize;

/// Below this success rate, surely, a target is not ranked.
const SUCCESS: f64 = 0.9;
/// Above this share of bundled replies, a speed within them is none.
const BUNDLED: f64 = 0.2;
/// Above this share of replies without token counts, the basis is missing.
const UNCOUNTED: f64 = 0.05;
/// Above this share of rate-limited requests, a target is bound by its quota.
const QUOTA_BOUND: f64 = 0.05;

/// Why a target is not ranked (method.md §3.3).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "bar")]
pub enum Bar {
    /// This client was the bottleneck in more than a quarter of the rounds: it bars every target alike.
    ClientLimited {
        /// In how many.
        #[serde(flatten)]
        bottleneck: Bottleneck,
    },
    /// Nothing came back that counts as an answer.
    NoGoodReply {
        /// Requests sent.
        sent: usize,
    },
    /// Its good replies have no value of this quantity: it does not reason, say.
    NoValue,
    /// Not one of its answers is correct.
    NoCorrectAnswer,
    /// TTFT includes thinking that is not shown.
    HiddenThinking {
        /// Replies that hide it, or may.
        hidden: usize,
        /// Good replies.
        ok: usize,
    },
    /// Too many replies came bundled.
    Bundled {
        /// Bundled replies.
        bundled: usize,
        /// Good replies.
        ok: usize,
    },
    /// Too many replies have no token counts on the table's basis.
    NoTokenBasis {
        /// Replies without.
        uncounted: usize,
        /// Good replies.
        ok: usize,
    },
    /// Fewer than six rounds.
    FewRounds {
        /// How many it has.
        rounds: usize,
    },
    /// Even the upper limit of its success rate is below 90 %.
    FailsOften {
        /// Good replies.
        ok: usize,
        /// Requests sent.
        sent: usize,
        /// The upper limit, clustered Wilson.
        upper: f64,
    },
    /// More than a twentieth of its requests went over the quota.
    QuotaBound {
        /// Rate-limited requests.
        limited: usize,
        /// Requests sent.
        sent: usize,
    },
    /// The check of whether the model is the same one found a difference.
    ModelDiffers {
        /// What the check found.
        found: String,
    },
}

impl Bar {
    /// Whether it makes the figure mean something else, or leaves none: then two targets cannot even be compared.
    pub const fn forbids_comparison(&self) -> bool {
        let spoilt = matches!(self, Bar::HiddenThinking { .. } | Bar::Bundled { .. } | Bar::NoTokenBasis { .. });
        spoilt || self.leaves_nothing()
    }

    /// Whether there is no figure at all.
    pub const fn leaves_nothing(&self) -> bool {
        matches!(self, Bar::NoGoodReply { .. } | Bar::NoValue | Bar::NoCorrectAnswer)
    }
}

/// Everything that keeps a target out of a ranking, the gravest first. `model_differs` is what the model check found, if anything.
pub fn bars(panel: &Panel, target: usize, confidence: Confidence, model_differs: Option<&str>) -> Vec<Bar> {
    let limited = panel.client.map(|bottleneck| Bar::ClientLimited { bottleneck });
    limited.into_iter().chain(of_target(panel, target, confidence, model_differs)).collect()
}

fn of_target(panel: &Panel, target: usize, confidence: Confidence, model_differs: Option<&str>) -> Vec<Bar> {
    let Some(facts) = panel.targets.get(target) else { return Vec::new() };
    let (ok, sent) = panel.success(target);
    if ok == 0 {
        return vec![Bar::NoGoodReply { sent }];
    }
    let quantity = panel.quantity;
    let more_than = |share: f64, part: usize, of: usize| share * (of as f64) < part as f64;
    let mut bars = Vec::new();
    if quantity.spoilt_by_hidden_thinking() && 0 < facts.hidden {
        bars.push(Bar::HiddenThinking { hidden: facts.hidden, ok });
    }
    if quantity.spoilt_by_bundles() && more_than(BUNDLED, facts.bundled, ok) {
        bars.push(Bar::Bundled { bundled: facts.bundled, ok });
    }
    if quantity.by_tokens() && more_than(UNCOUNTED, facts.uncounted, ok) {
        bars.push(Bar::NoTokenBasis { uncounted: facts.uncounted, ok });
    }
    if !has_value(panel, target) {
        // What leaves no value at all has been named already, or there is nothing to name.
        let nothing = if quantity == Quantity::SecondsPerCorrect { Bar::NoCorrectAnswer } else { Bar::NoValue };
        return if bars.is_empty() { vec![nothing] } else { bars };
    }
    let rounds = panel.levels(target).len();
    if rounds < ROUNDS_FOR_WORDS {
        bars.push(Bar::FewRounds { rounds });
    }
    let counts: Vec<(u64, u64)> = facts.success.iter().map(|(ok, sent)| (*ok as u64, *sent as u64)).collect();
    let upper = clustered_share(&counts, confidence).and_then(|share| share.interval.high.at());
    bars.extend(upper.filter(|upper| *upper < SUCCESS).map(|upper| Bar::FailsOften { ok, sent, upper }));
    if more_than(QUOTA_BOUND, facts.rate_limited, sent) {
        bars.push(Bar::QuotaBound { limited: facts.rate_limited, sent });
    }
    bars.extend(model_differs.map(|found| Bar::ModelDiffers { found: found.to_owned() }));
    bars
}

fn has_value(panel: &Panel, target: usize) -> bool {
    if !panel.has_blocks() {
        return !panel.levels(target).is_empty();
    }
    (0..panel.rounds.len()).any(|round| panel.entries(target, round).iter().any(|entry| matches!(entry, Entry::Good(_))))
}
