//! One value a round of one target, and where on the clock each round lies.

use super::BinWidth;
use crate::analysis::panel::{Entry, Panel};
use crate::record::{Window, Windows, minute_of_day};
use crate::stats::{Sample, effective_n, mean};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};

/// Differences smaller than this, of logarithms, are what sums leave behind.
const NOTHING: f64 = 1e-12;

/// Where a round lies on the clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Hour {
    /// The day of the local calendar.
    pub date: jiff::civil::Date,
    /// Minutes since midnight that the local clock shows. An hour that summer time makes occur twice is one hour of it.
    pub minute: u16,
    /// The plan's window it lies in, by the clock of the plan's zone.
    pub window: Option<Window>,
}

impl Hour {
    pub(super) fn of(at: jiff::Timestamp, zone: &TimeZone, windows: &Windows, windows_zone: &TimeZone) -> Hour {
        Hour { date: zone.to_datetime(at).date(), minute: minute_of_day(at, zone), window: windows.at(at, windows_zone) }
    }
    /// The hour with its fraction, from 0 to below 24.
    pub(super) fn clock(&self) -> f64 {
        f64::from(self.minute) / 60.0
    }
}

/// One value a round of one target, in order of time. The places of the lists belong together.
#[derive(Debug, Clone)]
pub(super) struct Series {
    /// Index of the target.
    pub target: usize,
    /// Indexes of the rounds in the panel.
    pub rounds: Vec<usize>,
    /// Mean over prompts of (y − the prompt's mean), less the mean over all rounds: ln of the ratio to the target's own level.
    pub values: Vec<f64>,
    /// Where each lies on the clock.
    pub hours: Vec<Hour>,
    /// The bin of each.
    pub bins: Vec<usize>,
    /// The width of a bin.
    pub width: BinWidth,
    /// A good reply has a value.
    pub has_value: bool,
}

impl Series {
    pub(super) fn of(panel: &Panel, target: usize, clock: &[Hour], width: BinWidth) -> Series {
        let levels = if panel.has_blocks() { without_prompts(panel, target) } else { panel.levels(target) };
        let own: Vec<f64> = levels.iter().map(|(_, level)| *level).collect();
        let middle = mean(&own).unwrap_or(0.0);
        let hours: Vec<Hour> = levels.iter().filter_map(|(round, _)| clock.get(*round).copied()).collect();
        Series {
            target,
            rounds: levels.iter().map(|(round, _)| *round).collect(),
            values: own.into_iter().map(|level| settled(level - middle)).collect(),
            bins: hours.iter().map(|hour| width.of(hour.minute)).collect(),
            hours,
            width,
            has_value: !panel.has_blocks() || has_good(panel, target),
        }
    }

    /// Days of the local calendar.
    pub(super) fn days(&self) -> usize {
        distinct(self.hours.iter().map(|hour| hour.date))
    }

    /// Bins that hold rounds.
    pub(super) fn bins_held(&self) -> usize {
        distinct(self.bins.iter())
    }

    /// The values of the rounds of a bin, in order of time.
    pub(super) fn in_bin(&self, bin: usize) -> Vec<f64> {
        self.bins.iter().zip(&self.values).filter(|(of, _)| **of == bin).map(|(_, value)| *value).collect()
    }

    /// The values of the rounds of each bin.
    pub(super) fn by_bin(&self) -> Vec<Vec<f64>> {
        self.bins.iter().collect::<BTreeSet<_>>().into_iter().map(|bin| self.in_bin(*bin)).collect()
    }

    /// The values of the rounds of a window.
    pub(super) fn in_window(&self, window: Window) -> Vec<f64> {
        self.hours.iter().zip(&self.values).filter(|(hour, _)| hour.window == Some(window)).map(|(_, value)| *value).collect()
    }

    /// Lag-1 autocorrelation of the values less the mean of their bin. A bin of one round leaves nothing over and is not asked.
    pub(super) fn dependence(&self) -> Option<f64> {
        dependence(&self.values, &self.bins)
    }
}

/// Lag-1 autocorrelation, corrected for its bias, of values less the mean of their bin.
pub(super) fn dependence(values: &[f64], bins: &[usize]) -> Option<f64> {
    let mut by_bin: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    bins.iter().zip(values).for_each(|(bin, value)| by_bin.entry(*bin).or_default().push(*value));
    let left = bins.iter().zip(values).filter_map(|(bin, value)| {
        let held = by_bin.get(bin).filter(|held| 1 < held.len())?;
        Some(settled(value - mean(held)?))
    });
    let found = effective_n(&Sample::new(left.collect()).ok()?);
    found.r1.map(|_| found.r1_corrected)
}

/// A difference of logarithms; what sums leave behind of equal ones is none.
pub(super) fn settled(difference: f64) -> f64 {
    if difference.abs() < NOTHING { 0.0 } else { difference }
}

/// How many different things there are.
pub(super) fn distinct<T: Ord>(things: impl Iterator<Item = T>) -> usize {
    things.collect::<BTreeSet<T>>().len()
}

fn has_good(panel: &Panel, target: usize) -> bool {
    (0..panel.rounds.len()).any(|round| panel.entries(target, round).iter().any(|entry| matches!(entry, Entry::Good(_))))
}

/// Mean over prompts of (y − the prompt's own mean over all rounds), for each round that has any.
fn without_prompts(panel: &Panel, target: usize) -> Vec<(usize, f64)> {
    let log = |round: usize, prompt: usize| panel.entries(target, round).get(prompt).and_then(|entry| entry.time()).map(f64::ln);
    let prompt_mean = |prompt: usize| mean(&(0..panel.rounds.len()).filter_map(|round| log(round, prompt)).collect::<Vec<_>>());
    let means: Vec<Option<f64>> = (0..panel.prompts).map(prompt_mean).collect();
    let of = |round: usize| {
        let off = means.iter().enumerate().filter_map(|(prompt, mean)| Some(log(round, prompt)? - (*mean)?));
        mean(&off.collect::<Vec<_>>()).map(|off| (round, off))
    };
    (0..panel.rounds.len()).filter_map(of).collect()
}
