//! Peak against off-peak, in windows fixed beforehand; and the largest over the smallest bin, beside what chance alone makes of it.

use super::series::{Hour, Series, dependence, settled};
use super::{BinWidth, HoursOptions, LEAST_BINS, LEAST_DAYS, LEAST_ROUNDS};
use crate::analysis::gate::Bottleneck;
use crate::analysis::panel::Panel;
use crate::record::Window;
use crate::stats::{Confidence, Estimate, Extended, Sample, Welch, chance, holm, mean, range_of_bins, welch};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// The rounds of the peak against those of off-peak.
#[derive(Debug, Clone, PartialEq)]
pub struct PeakOffPeak {
    /// Rounds in the peak.
    pub peak: usize,
    /// Rounds off the peak.
    pub off_peak: usize,
    /// Charged time at the peak over that off it; an interval where each window has three rounds and they lie on three days.
    pub ratio: Option<Estimate>,
    /// Welch's test of round values, where it may be made.
    pub welch: Option<Welch>,
    /// Its p, by Holm over all targets.
    pub p_holm: Option<f64>,
    /// What may be said.
    pub swing: Swing,
    /// With rate-limited requests left out another word than with them charged: that other one.
    pub left_out: Option<Swing>,
}

/// What may be said of a difference between windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Swing {
    /// The windows differ: adjusted p at most 1 − confidence.
    Swings,
    /// The test does not show a difference, which is not that there is none.
    NotShown,
    /// All values are equal.
    Identical,
    /// Too few rounds in one of the windows.
    FewRounds,
    /// Too few days to tell hour from day.
    FewDays,
    /// The target's rounds lie in too few hours.
    FewBins,
    /// Charging rate-limited requests and leaving them out lead to different words: neither is given (method.md §1.5).
    HangsOnRateLimits,
    /// No good reply has a value.
    NoValue,
    /// This client was the bottleneck in too many rounds.
    ClientLimited(Bottleneck),
}

/// The slowest bin of the day over the fastest one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extremes {
    /// The hour that the slowest bin begins at.
    pub slowest: u16,
    /// The hour that the fastest one begins at.
    pub fastest: u16,
    /// The ratio of their charged times.
    pub ratio: f64,
    /// What chance alone gives: the middle of the shuffles.
    pub by_chance: f64,
    /// Up to what: 95 of 100 shuffles do not exceed it.
    pub by_chance_upper: f64,
    /// Share of shuffles, the observed order among them, that reach the ratio.
    pub p: f64,
    /// Shuffles made.
    pub shuffles: usize,
}

/// Whether one target swings more than another: the round differences at the peak against those off it.
#[derive(Debug, Clone, PartialEq)]
pub struct PairSwing {
    /// Index of the first target.
    pub a: usize,
    /// Index of the second.
    pub b: usize,
    /// The second's peak/off-peak ratio over the first's.
    pub windows: PeakOffPeak,
    /// Lag-1 autocorrelation of what the hours leave over of the differences; absent where they leave nothing.
    pub dependence: Option<f64>,
}

impl Swing {
    /// Whether it is the result of a test.
    pub const fn is_said(self) -> bool {
        matches!(self, Swing::Swings | Swing::NotShown)
    }
    /// Its name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Swing::Swings => "swings",
            Swing::NotShown => "not_shown",
            Swing::Identical => "identical",
            Swing::FewRounds => "few_rounds",
            Swing::FewDays => "few_days",
            Swing::FewBins => "few_bins",
            Swing::HangsOnRateLimits => "hangs_on_rate_limits",
            Swing::NoValue => "no_value",
            Swing::ClientLimited(_) => "withheld",
        }
    }
}

/// The windows of one target. What may be said is settled by [`hold`], over all targets.
pub(super) fn peak_off_peak(series: &Series, confidence: Confidence) -> PeakOffPeak {
    let few_bins = series.bins_held() < LEAST_BINS;
    let windows = compare(&series.in_window(Window::Peak), &series.in_window(Window::OffPeak), few_bins, series.days(), confidence);
    // Failures that are charged alone would be a swing of the charge.
    if series.has_value { windows } else { PeakOffPeak { welch: None, swing: Swing::NoValue, ..windows } }
}

fn compare(peak: &[f64], off_peak: &[f64], few_bins: bool, days: usize, confidence: Confidence) -> PeakOffPeak {
    let point = mean(peak).zip(mean(off_peak)).map(|(peak, off_peak)| (peak - off_peak).exp());
    let few_days = days < LEAST_DAYS;
    let samples = Sample::new(peak.to_vec()).ok().zip(Sample::new(off_peak.to_vec()).ok());
    let tested = samples.filter(|(a, b)| 3 <= a.n() && 3 <= b.n() && !few_days).map(|(a, b)| welch(&a, &b, confidence));
    let enough = LEAST_ROUNDS <= peak.len().min(off_peak.len());
    let swing = match (few_bins, few_days, enough, tested.and_then(|welch| welch.p)) {
        (true, ..) => Swing::FewBins,
        (_, true, ..) => Swing::FewDays,
        (_, _, false, _) => Swing::FewRounds,
        (_, _, _, None) => Swing::Identical,
        (_, _, _, Some(_)) => Swing::NotShown,
    };
    let ratio = point.map(|point| Estimate {
        point: Extended::Finite(point),
        interval: tested.map(|welch| welch.interval.map(f64::exp)),
        n: peak.len() + off_peak.len(),
    });
    let may_be_said = matches!(swing, Swing::NotShown | Swing::Identical);
    PeakOffPeak {
        peak: peak.len(),
        off_peak: off_peak.len(),
        ratio,
        welch: tested.filter(|_| may_be_said),
        p_holm: None,
        swing,
        left_out: None,
    }
}

impl PeakOffPeak {
    /// The figures stay, the test and its word do not.
    pub(super) fn withhold(&mut self, bottleneck: Bottleneck) {
        (self.welch, self.p_holm, self.left_out) = (None, None, None);
        self.swing = Swing::ClientLimited(bottleneck);
    }
}

/// Adjusts the p values of a family for their number, and says what they allow.
pub(super) fn hold<'a>(family: impl Iterator<Item = &'a mut PeakOffPeak>, confidence: Confidence) {
    let mut family: Vec<&mut PeakOffPeak> = family.collect();
    let adjusted = holm(&family.iter().map(|one| one.welch.and_then(|welch| welch.p)).collect::<Vec<_>>());
    for (one, p) in family.iter_mut().zip(adjusted) {
        one.p_holm = p;
        if one.swing == Swing::NotShown && p.is_some_and(|p| p <= confidence.alpha()) {
            one.swing = Swing::Swings;
        }
    }
}

/// Every pair of targets, on the differences of their rounds.
pub(super) fn pairs(panel: &Panel, clock: &[Hour], width: BinWidth, confidence: Confidence) -> Vec<PairSwing> {
    let k = panel.targets.len();
    let one = |(a, b): (usize, usize)| {
        let differences = panel.differences(a, b);
        let hours: Vec<(Hour, f64)> = differences.iter().filter_map(|d| Some((*clock.get(d.round)?, settled(d.log_ratio)))).collect();
        let within = |window| hours.iter().filter(|(hour, _)| hour.window == Some(window)).map(|(_, d)| *d).collect::<Vec<_>>();
        let days = hours.iter().map(|(hour, _)| hour.date).collect::<BTreeSet<_>>().len();
        let (bins, values): (Vec<usize>, Vec<f64>) = hours.iter().map(|(hour, d)| (width.of(hour.minute), *d)).unzip();
        let windows = compare(&within(Window::Peak), &within(Window::OffPeak), false, days, confidence);
        PairSwing { a, b, windows, dependence: dependence(&values, &bins) }
    };
    let mut pairs: Vec<PairSwing> = (0..k).flat_map(|a| (a + 1..k).map(move |b| (a, b))).map(one).collect();
    hold(pairs.iter_mut().map(|pair| &mut pair.windows), confidence);
    pairs
}

/// The slowest over the fastest bin, against shuffles of the values over the hours within each day.
pub(super) fn extremes(series: &Series, target: &str, options: &HoursOptions<'_>) -> Option<Extremes> {
    if series.bins_held() < LEAST_BINS {
        return None;
    }
    let days: Vec<jiff::civil::Date> = series.hours.iter().map(|hour| hour.date).collect();
    let range = |values: &[f64], bins: &[usize]| range_of_bins(values, bins, mean);
    let found = chance(&series.values, &days, &series.bins, options.shuffles, seed(options.seed, target), range).ok()?;
    let held = series.bins.iter().collect::<BTreeSet<_>>();
    let middles = || held.iter().filter_map(|bin| Some((**bin, mean(&series.in_bin(**bin))?)));
    let slowest = middles().max_by(|a, b| a.1.total_cmp(&b.1))?.0;
    let fastest = middles().min_by(|a, b| a.1.total_cmp(&b.1))?.0;
    let hour = |bin: usize| bin as u16 * series.width.hours();
    Some(Extremes {
        slowest: hour(slowest),
        fastest: hour(fastest),
        ratio: found.observed.exp(),
        by_chance: found.median.exp(),
        by_chance_upper: found.upper.exp(),
        p: found.p,
        shuffles: found.shuffles,
    })
}

/// A seed for one target, from the plan's: two targets of equal values must not be shuffled alike.
fn seed(plan: u64, target: &str) -> u64 {
    let digest = Sha256::digest(format!("{plan}\0hours by chance\0{target}").as_bytes());
    digest.iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}
