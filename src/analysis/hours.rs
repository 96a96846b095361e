//! Time of day: does a target swing over the day, by how much, and what would chance alone have shown? method.md §3.4.
//!
//! All of it rests on one value a target and round, the mean over prompts of (y − the prompt's own mean), y being the logarithm of the
//! charged time: prompts differ far more than hours do, and requests of one round are not independent.

mod bins;
mod day;
mod series;
mod swing;

pub use bins::{Bin, BinWidth, NotABinWidth};
pub use day::{DayTests, Tested};
pub use swing::{Extremes, PairSwing, PeakOffPeak, Swing};

use super::gate::Bottleneck;
use super::panel::Panel;
use super::quantity::Quantity;
use crate::ident::TargetId;
use crate::record::{UnknownZone, Windows, zone};
use crate::stats::Confidence;
use jiff::tz::TimeZone;
use series::{Hour, Series};

/// Fewer days than these, and hour and day cannot be told apart.
pub const LEAST_DAYS: usize = 3;
/// Fewer bins than these are no day.
pub const LEAST_BINS: usize = 6;
/// Fewer rounds in a window than these carry no words.
pub const LEAST_ROUNDS: usize = 6;
/// Above this autocorrelation of what the hours leave over, the p values are not to be trusted.
pub const DEPENDENT: f64 = 0.3;

/// How a day is looked at.
#[derive(Debug, Clone)]
pub struct HoursOptions<'a> {
    /// The zone whose clock the bins are read on.
    pub zone: TimeZone,
    /// The width of a bin; absent, the narrowest of which each holds three rounds on average.
    pub bin: Option<BinWidth>,
    /// The windows that the plan fixed.
    pub windows: &'a Windows,
    /// How sure intervals are; words need p ≤ 1 − confidence.
    pub confidence: Confidence,
    /// The plan's seed; shuffles draw from it.
    pub seed: u64,
    /// Shuffles of the chance reference; 999 is usual.
    pub shuffles: u64,
}

/// What the hours of the day do to each target.
#[derive(Debug, Clone, PartialEq)]
pub struct Hours {
    /// What is looked at.
    pub quantity: Quantity,
    /// The zone whose clock the bins are read on.
    pub zone: String,
    /// The windows that the plan fixed.
    pub windows: Windows,
    /// The width of a bin.
    pub bin: BinWidth,
    /// How sure intervals are.
    pub confidence: Confidence,
    /// The plan's seed.
    pub seed: u64,
    /// Shuffles of the chance reference.
    pub shuffles: u64,
    /// Rounds that count.
    pub rounds: usize,
    /// Prompts a round.
    pub prompts: usize,
    /// Days of the zone's calendar on which they lie.
    pub days: usize,
    /// From the first round to the last.
    pub span: Option<(jiff::Timestamp, jiff::Timestamp)>,
    /// The run's limit T, s.
    pub limit_s: f64,
    /// The targets, in the plan's order.
    pub targets: Vec<TargetHours>,
    /// Whether one target swings more than another, each pair once.
    pub pairs: Vec<PairSwing>,
    /// This client was the bottleneck in too many rounds: no swing is called, and no test made.
    pub client: Option<Bottleneck>,
}

/// What the hours of the day do to one target.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetHours {
    /// Its name.
    pub id: TargetId,
    /// It is one of our own simulated providers.
    pub simulated: bool,
    /// Rounds in which it has a value.
    pub rounds: usize,
    /// Days on which they lie.
    pub days: usize,
    /// Every bin of the day, from midnight on, with or without rounds.
    pub bins: Vec<Bin>,
    /// The windows of the plan against each other.
    pub windows: PeakOffPeak,
    /// The slowest bin over the fastest, beside what chance alone gives.
    pub extremes: Option<Extremes>,
    /// Tests over the whole day.
    pub day: DayTests,
    /// Lag-1 autocorrelation of what the hours leave over, corrected for its bias; absent where they leave nothing.
    pub dependence: Option<f64>,
}

/// Why a day cannot be looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoHours {
    /// The zone of the plan's windows is not known here.
    #[error("the plan's windows: {0}")]
    Zone(#[from] UnknownZone),
    /// No round counts.
    #[error("no round counts")]
    NoRounds,
    /// The rounds lie in too few bins.
    #[error("too few bins")]
    FewBins {
        /// Bins that hold rounds.
        bins: usize,
        /// Their width.
        width: BinWidth,
    },
}

/// Whether rounds depend on each other so much that p values stand in brackets.
fn is_dependent(dependence: Option<f64>) -> bool {
    dependence.is_some_and(|r| DEPENDENT < r)
}

impl Hours {
    /// Leaves the figures of bins and windows, and takes away every test, every extreme and every word.
    fn withhold(&mut self, bottleneck: Bottleneck) {
        for target in &mut self.targets {
            target.windows.withhold(bottleneck);
            target.extremes = None;
            target.day = DayTests { variance: target.day.variance, ..DayTests::none() };
        }
        self.pairs.iter_mut().for_each(|pair| pair.windows.withhold(bottleneck));
    }
}

impl TargetHours {
    /// Its rounds depend on each other so much that p values stand in brackets.
    pub fn is_dependent(&self) -> bool {
        is_dependent(self.dependence)
    }
}

impl PairSwing {
    /// Their rounds depend on each other so much that p values stand in brackets.
    pub fn is_dependent(&self) -> bool {
        is_dependent(self.dependence)
    }
}

/// Looks at the hours of the day. Rate-limited requests are charged like other failures; where leaving them out would lead to another
/// word, none is given.
pub fn hours(panel: &Panel, options: &HoursOptions<'_>) -> Result<Hours, NoHours> {
    let mut found = look(panel, options)?;
    if let Some(bottleneck) = panel.client {
        found.withhold(bottleneck);
        return Ok(found);
    }
    if panel.targets.iter().any(|target| 0 < target.rate_limited) {
        // Only words are asked of the other way, so it needs no shuffles.
        let other = look(&panel.without_rate_limited(), &HoursOptions { shuffles: 0, bin: Some(found.bin), ..options.clone() })?;
        let windows = found.targets.iter_mut().map(|target| &mut target.windows).zip(other.targets.iter().map(|target| &target.windows));
        let pairs = found.pairs.iter_mut().map(|pair| &mut pair.windows).zip(other.pairs.iter().map(|pair| &pair.windows));
        for (here, there) in windows.chain(pairs).filter(|(here, there)| here.swing.is_said() && here.swing != there.swing) {
            here.left_out = Some(there.swing);
            here.swing = Swing::HangsOnRateLimits;
        }
    }
    Ok(found)
}

fn look(panel: &Panel, options: &HoursOptions<'_>) -> Result<Hours, NoHours> {
    let windows_zone = zone(&options.windows.zone)?;
    let clock: Vec<Hour> = panel.rounds.iter().map(|round| Hour::of(round.at, &options.zone, options.windows, &windows_zone)).collect();
    if clock.is_empty() {
        return Err(NoHours::NoRounds);
    }
    let bin = options.bin.unwrap_or_else(|| BinWidth::fitting(&clock));
    let bins = series::distinct(clock.iter().map(|hour| bin.of(hour.minute)));
    if bins < LEAST_BINS {
        return Err(NoHours::FewBins { bins, width: bin });
    }
    let series: Vec<Series> = (0..panel.targets.len()).map(|target| Series::of(panel, target, &clock, bin)).collect();
    let mut targets: Vec<TargetHours> = series.iter().map(|series| one(panel, series, options, bin)).collect();
    swing::hold(targets.iter_mut().map(|target| &mut target.windows), options.confidence);
    day::hold(targets.iter_mut().map(|target| &mut target.day));
    Ok(Hours {
        quantity: panel.quantity,
        zone: options.zone.iana_name().unwrap_or("UTC").to_owned(),
        windows: options.windows.clone(),
        bin,
        confidence: options.confidence,
        seed: options.seed,
        shuffles: options.shuffles,
        rounds: panel.rounds.len(),
        prompts: panel.prompts,
        days: series::distinct(clock.iter().map(|hour| hour.date)),
        span: panel.span(),
        limit_s: panel.limit_s,
        client: panel.client,
        targets,
        pairs: swing::pairs(panel, &clock, bin, options.confidence),
    })
}

fn one(panel: &Panel, series: &Series, options: &HoursOptions<'_>, width: BinWidth) -> TargetHours {
    let target = &panel.targets[series.target];
    TargetHours {
        id: target.id.clone(),
        simulated: target.simulated,
        rounds: series.values.len(),
        days: series.days(),
        bins: bins::bins(panel, series, width, options.confidence),
        windows: swing::peak_off_peak(series, options.confidence),
        extremes: swing::extremes(series, target.id.as_str(), options),
        day: day::tests(panel, series),
        dependence: series.dependence(),
    }
}
