//! The knee: where goodput stops growing with the load.

use super::figure::NoInterval;
use crate::stats::Interval;
use serde::Serialize;

/// Where goodput (or RPS, without a service level) stops growing: `min(a·x, c)` fitted to each pass by least squares on the log scale,
/// x the users or arrivals a second, the knee `c/a`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Knee {
    /// Every pass has one within the stages.
    At {
        /// Users or arrivals a second: the geometric mean of the passes.
        load: f64,
        /// Its interval over the passes; an open upper end lies beyond the heaviest stage.
        interval: Result<Interval, NoInterval>,
        /// What is reached there: good replies a second.
        level: f64,
        /// The knee of each pass.
        passes: Vec<f64>,
        /// How far the stages lie off the fitted line, the worst pass's root mean square of ln(seen / fitted): large where the curve bends
        /// slowly instead of breaking.
        off: f64,
    },
    /// In every pass it still grows in proportion at the heaviest stage: at 90 % of proportion or more.
    NoneUpTo {
        /// The heaviest stage that was measured.
        load: f64,
    },
    /// In some passes it does not grow from the lightest stage on: the knee lies there or below.
    AtOrBelow {
        /// The lightest stage that was measured.
        load: f64,
        /// What is reached there: good replies a second.
        level: f64,
    },
    /// Some passes have one within the stages and some go on growing.
    InSome {
        /// Passes that have one.
        found: usize,
        /// Passes.
        passes: usize,
        /// The lowest of them.
        lowest: f64,
        /// The heaviest stage that was measured.
        last: f64,
    },
    /// There is nothing to fit.
    NotFitted {
        /// Why.
        because: NoKnee,
    },
}

/// Why no knee could be looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum NoKnee {
    /// Fewer stages with a rate above zero, in some pass, than a fit takes; stages at which this client was at its limit do not count.
    FewStages {
        /// There are.
        stages: usize,
        /// It takes.
        needs: usize,
    },
    /// Users and arrivals stand side by side: their stages have no common scale.
    Mixed,
}
