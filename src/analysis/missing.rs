//! Why a figure of a target is missing.

use crate::metric::Undefined;
use serde::Serialize;

/// Why a figure is missing. The words are in `report/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// Nothing was sent that counts.
    NoRequest,
    /// No reply was good.
    NoGoodReply,
    /// There are fewer requests than the figure needs.
    FewerRequestsThan(usize),
    /// There are fewer replies with a value than the figure needs.
    FewerValuesThan(usize),
    /// Every good reply is too short.
    EveryReplyTooShort,
    /// Good replies have no value, mostly for this reason.
    Undefined(Undefined),
    /// The registry knows no such metric.
    NoSuchMetric,
}
