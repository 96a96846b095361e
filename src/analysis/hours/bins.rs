//! Bins of the day: rounds, middle, ratio to the target's own level, success.

use super::series::{Hour, Series, distinct};
use super::{LEAST_BINS, LEAST_DAYS};
use crate::analysis::panel::{Entry, Panel};
use crate::stats::{Confidence, Estimate, Extended, Sample, mean, median, plain_paired, quantile_type1, quantile_type7};
use std::str::FromStr;

/// The width of a bin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BinWidth {
    /// 24 bins a day.
    OneHour,
    /// 8 bins a day.
    ThreeHours,
    /// 6 bins a day.
    FourHours,
}

/// A word that is no width of a bin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no width of a bin: give 1h, 3h or 4h")]
pub struct NotABinWidth(String);

/// A bin of the day, of one target.
#[derive(Debug, Clone, PartialEq)]
pub struct Bin {
    /// The hour that it begins at, by the local clock.
    pub from_hour: u16,
    /// Rounds in it that have a value.
    pub rounds: usize,
    /// The middle of its requests as people read it: of times over all requests sent, a failure never arriving; of rates over good
    /// replies. Absent without any.
    pub median: Option<Extended>,
    /// Charged time over the target's own level; an interval from three rounds on.
    pub ratio: Option<Estimate>,
    /// Good replies and requests sent.
    pub success: (usize, usize),
}

impl BinWidth {
    /// Every width, from the narrowest.
    pub const ALL: [BinWidth; 3] = [BinWidth::OneHour, BinWidth::ThreeHours, BinWidth::FourHours];

    /// Hours in a bin.
    pub const fn hours(self) -> u16 {
        match self {
            BinWidth::OneHour => 1,
            BinWidth::ThreeHours => 3,
            BinWidth::FourHours => 4,
        }
    }
    /// Bins in a day.
    pub const fn a_day(self) -> usize {
        24 / self.hours() as usize
    }
    /// The bin of a minute of the day.
    pub fn of(self, minute: u16) -> usize {
        usize::from(minute / (60 * self.hours()))
    }

    /// The narrowest width of whose bins each holds three rounds on average; where none does, the widest that leaves six.
    pub(super) fn fitting(clock: &[Hour]) -> BinWidth {
        let held = |width: BinWidth| distinct(clock.iter().map(|hour| width.of(hour.minute)));
        let enough = |width: &BinWidth| LEAST_BINS <= held(*width);
        let full = |width: &BinWidth| enough(width) && LEAST_DAYS * held(*width) <= clock.len();
        let narrowest = BinWidth::ALL.into_iter().find(full);
        narrowest.or_else(|| BinWidth::ALL.into_iter().rev().find(enough)).unwrap_or(BinWidth::OneHour)
    }
}

impl FromStr for BinWidth {
    type Err = NotABinWidth;
    fn from_str(word: &str) -> Result<BinWidth, NotABinWidth> {
        match word {
            "1h" => Ok(BinWidth::OneHour),
            "3h" => Ok(BinWidth::ThreeHours),
            "4h" => Ok(BinWidth::FourHours),
            other => Err(NotABinWidth(other.to_owned())),
        }
    }
}

impl std::fmt::Display for BinWidth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}h", self.hours())
    }
}

/// Every bin of the day.
pub(super) fn bins(panel: &Panel, series: &Series, width: BinWidth, confidence: Confidence) -> Vec<Bin> {
    let one = |bin: usize| {
        let values = series.in_bin(bin);
        let rounds: Vec<usize> = series.rounds.iter().zip(&series.bins).filter(|(_, of)| **of == bin).map(|(round, _)| *round).collect();
        Bin {
            from_hour: bin as u16 * width.hours(),
            rounds: values.len(),
            median: middle(panel, series.target, &rounds),
            ratio: ratio(&values, confidence),
            success: success(panel, series.target, &rounds),
        }
    };
    (0..width.a_day()).map(one).collect()
}

fn ratio(values: &[f64], confidence: Confidence) -> Option<Estimate> {
    let point = Extended::Finite(mean(values)?.exp());
    let sample = Sample::new(values.to_vec()).ok().filter(|sample| 3 <= sample.n());
    let interval = sample.map(|sample| plain_paired(&sample, confidence).interval.map(f64::exp));
    Some(Estimate { point, interval, n: values.len() })
}

fn middle(panel: &Panel, target: usize, rounds: &[usize]) -> Option<Extended> {
    let shown = |middle: Extended| match middle {
        Extended::Finite(time) => Extended::Finite(panel.quantity.shown(time)),
        Extended::Never => Extended::Never,
    };
    if !panel.has_blocks() {
        let levels = panel.levels(target).into_iter().filter(|(round, _)| rounds.contains(round));
        let times: Vec<f64> = levels.map(|(_, log)| log.exp()).collect();
        return median(&times).map(Extended::Finite).map(shown);
    }
    let entries = rounds.iter().flat_map(|round| panel.entries(target, *round));
    if panel.quantity.is_rate() {
        let good: Vec<Extended> = entries
            .filter_map(|entry| if let Entry::Good(time) = entry { Some(Extended::Finite(panel.quantity.shown(*time))) } else { None })
            .collect();
        return quantile_type7(&good, 0.5);
    }
    let sent: Vec<Extended> = entries
        .filter_map(|entry| match entry {
            Entry::Good(time) => Some(Extended::Finite(*time)),
            Entry::Failed { .. } => Some(Extended::Never),
            Entry::Absent | Entry::Undefined => None,
        })
        .collect();
    quantile_type1(&sent, 0.5).map(shown)
}

fn success(panel: &Panel, target: usize, rounds: &[usize]) -> (usize, usize) {
    let of = |round: &usize| panel.targets.get(target).and_then(|target| target.success.get(*round).copied()).unwrap_or((0, 0));
    rounds.iter().map(of).fold((0, 0), |(ok, sent), (more, of)| (ok + more, sent + of))
}
