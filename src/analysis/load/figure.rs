//! A figure of a stage: one value a pass, a point and an interval over the passes, or a reason.

use crate::metric::Undefined;
use crate::stats::{Extended, Interval};
use serde::Serialize;

/// With fewer passes a figure has no interval, and no pair gets a word.
pub(super) const PASSES_FOR_INTERVALS: usize = 3;

/// What is measured at a stage, in the order in which files list it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Good replies a second, within the window; a reply across its edge counts by the share of its text inside.
    Rps,
    /// Good replies that kept every time of the service level, a second, counted likewise.
    Goodput,
    /// Tokens that arrived in the window, a second, of all replies together.
    SystemSpeed,
    /// Arithmetic mean latency of the *good* replies, ms.
    LatencyMean,
    /// Latency of half of all requests sent, failures infinite, ms.
    LatencyP50,
    /// Its 95th percentile, ms.
    LatencyP95,
    /// Its 99th percentile, ms.
    LatencyP99,
    /// Arithmetic mean time to the first token of the *good* replies, ms.
    TtftMean,
    /// Time to the first token, median over all requests sent, ms.
    TtftP50,
    /// Its 95th percentile, ms.
    TtftP95,
    /// Its 99th percentile, ms.
    TtftP99,
    /// Time to the first answer, median over all requests sent, ms.
    TtfaP50,
    /// Its 95th percentile, ms.
    TtfaP95,
    /// Time of a token after the first arrival, median over all requests sent, ms.
    TpotP50,
    /// Its 95th percentile, ms.
    TpotP95,
    /// Tokens a second of one stream within the reasoning: median of good replies.
    ReasoningSpeed,
    /// Tokens a second of one stream within the answer: median of good replies.
    ContentSpeed,
    /// All tokens of one stream over its reply time: median of good replies.
    OverallSpeed,
    /// How late requests left this client, median, ms.
    SendLagP50,
    /// Its 99th percentile, ms.
    SendLagP99,
}

impl Measure {
    /// Every measure, in order.
    pub const ALL: [Measure; 20] = [
        Measure::Rps,
        Measure::Goodput,
        Measure::SystemSpeed,
        Measure::LatencyMean,
        Measure::LatencyP50,
        Measure::LatencyP95,
        Measure::LatencyP99,
        Measure::TtftMean,
        Measure::TtftP50,
        Measure::TtftP95,
        Measure::TtftP99,
        Measure::TtfaP50,
        Measure::TtfaP95,
        Measure::TpotP50,
        Measure::TpotP95,
        Measure::ReasoningSpeed,
        Measure::ContentSpeed,
        Measure::OverallSpeed,
        Measure::SendLagP50,
        Measure::SendLagP99,
    ];

    /// Its name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Measure::Rps => "rps",
            Measure::Goodput => "goodput_rps",
            Measure::SystemSpeed => "system_speed",
            Measure::LatencyMean => "latency_mean_ms",
            Measure::LatencyP50 => "latency_p50_ms",
            Measure::LatencyP95 => "latency_p95_ms",
            Measure::LatencyP99 => "latency_p99_ms",
            Measure::TtftMean => "ttft_mean_ms",
            Measure::TtftP50 => "ttft_p50_ms",
            Measure::TtftP95 => "ttft_p95_ms",
            Measure::TtftP99 => "ttft_p99_ms",
            Measure::TtfaP50 => "ttfa_p50_ms",
            Measure::TtfaP95 => "ttfa_p95_ms",
            Measure::TpotP50 => "tpot_p50_ms",
            Measure::TpotP95 => "tpot_p95_ms",
            Measure::ReasoningSpeed => "reasoning_speed",
            Measure::ContentSpeed => "content_speed",
            Measure::OverallSpeed => "overall_speed",
            Measure::SendLagP50 => "send_lag_p50_ms",
            Measure::SendLagP99 => "send_lag_p99_ms",
        }
    }
}

/// A figure of a stage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// The figure, in the unit of its measure: ms, a second, tokens (or characters) a second. [`Extended::Never`] where, in some pass, so
    /// many requests failed that the quantile does not exist.
    pub point: Result<Extended, NoFigure>,
    /// Its interval over the passes.
    pub interval: Result<Interval, NoInterval>,
    /// What the point is made of.
    pub rests_on: RestsOn,
    /// Requests or replies behind it, of all passes: for rates, replies that were counted, whole or in part.
    pub n: usize,
    /// Good replies that have no such value and stay out.
    pub without: usize,
    /// The figure of each pass, in the order of [`super::StageFigures::cells`].
    pub passes: Vec<Result<Extended, NoFigure>>,
}

/// What the point of a figure is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RestsOn {
    /// The geometric mean of the passes that were measured: each of them has the figure.
    Passes,
    /// The arithmetic mean of the passes: some are zero, which has no logarithm.
    PassesWithZero,
    /// The requests of all passes together: a single pass has too few.
    Pooled,
}

/// Why a figure is missing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum NoFigure {
    /// The stage was not measured: skipped, interrupted, or not reached.
    NotMeasured,
    /// Nothing was sent that counts.
    NoRequest,
    /// No reply was good.
    NoGoodReply,
    /// Fewer requests than the figure needs.
    FewRequests {
        /// There are.
        n: usize,
        /// It takes.
        needs: usize,
    },
    /// Fewer replies with such a value than the figure needs.
    FewValues {
        /// There are.
        n: usize,
        /// It takes.
        needs: usize,
    },
    /// Good replies have no such value, mostly for this reason.
    Undefined {
        /// The reason.
        because: Undefined,
    },
    /// More than a twentieth of the good replies have no such value, so that nothing can be said of all.
    OftenUndefined {
        /// Good replies without it.
        without: usize,
        /// Good replies.
        good: usize,
    },
    /// There is no window to count in.
    NoWindow {
        /// Why.
        because: NoWindow,
    },
    /// There is no service level, or it says nothing of a request's own time at this stage.
    NoServiceLevel,
    /// The condition names a stage that the run has not.
    NoSuchStage,
}

/// Why a figure has no interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum NoInterval {
    /// There is no figure.
    NoFigure,
    /// Fewer passes than an interval takes.
    FewPasses {
        /// There are.
        passes: usize,
        /// It takes.
        needs: usize,
    },
    /// Single passes have too few requests for the figure.
    FewAPass,
    /// In some pass it is infinite.
    NeverInSome {
        /// In how many.
        passes: usize,
    },
    /// In some pass it is zero.
    ZeroInSome {
        /// In how many.
        passes: usize,
    },
}

/// Why a cell has no window.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum NoWindow {
    /// Some users never sent a request.
    NotAllRan {
        /// Users that did.
        ran: usize,
        /// Users of the stage.
        users: usize,
    },
    /// The first user was idle before the last one had begun.
    Empty,
    /// It is shorter than half of its good replies took, so that what is counted in it is the edges.
    Short {
        /// Its length, s.
        seconds: f64,
        /// It takes the median latency of the good replies, s.
        needs: f64,
    },
    /// Fewer than two requests arrived.
    NoArrivals,
}
