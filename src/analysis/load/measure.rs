//! Figures of a cell, and of a stage over its passes.

use super::cell::Cell;
use super::figure::{Figure, Measure, NoFigure, NoInterval, PASSES_FOR_INTERVALS, RestsOn};
use super::stage::{CellState, Window};
use crate::measured::{LoadRow, Paced};
use crate::metric::Undefined;
use crate::record::{Condition, Looked, Sense, TimeOf};
use crate::stats::{Confidence, Extended, Interval, Sample, clustered_share, geometric_mean, mean, median, plain_paired, quantile_type1};
use crate::tokens::Basis;
use std::collections::BTreeMap;

/// A middle needs so many values.
const MIDDLE_NEEDS: usize = 5;
/// Above this share of good replies without a value, nothing is said of all.
const OFTEN: f64 = 0.05;
/// Above this share of bundled replies, their pace is the gateway's.
const MOSTLY_BUNDLED: f64 = 0.20;

/// What a figure was in some requests.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub value: Extended,
    /// Requests or replies behind it.
    pub n: usize,
    /// Good replies without such a value.
    pub without: usize,
}

/// How a stage is measured.
pub(super) struct Measuring<'a> {
    pub cells: &'a [Cell<'a>],
    pub basis: Basis,
    pub confidence: Confidence,
    /// The conditions of the service level that speak of this stage.
    pub slo: &'a [Condition],
}

impl Measuring<'_> {
    /// Every measure's figure.
    pub fn figures(&self) -> BTreeMap<Measure, Figure> {
        Measure::ALL.into_iter().map(|measure| (measure, self.figure(measure))).collect()
    }

    fn figure(&self, measure: Measure) -> Figure {
        let speed = |of: fn(&Paced) -> Result<f64, Undefined>, without_bundled| {
            self.over_passes(true, move |cells| self.speed(cells, of, without_bundled))
        };
        match measure {
            Measure::Rps => self.rate(|row, _| Some(row.is_ok())),
            Measure::Goodput => self.goodput(),
            Measure::SystemSpeed => self.over_passes(false, |cells| self.system_speed(cells)),
            Measure::LatencyMean => self.mean_of(TimeOf::Latency),
            Measure::LatencyP50 => self.quantile_of(TimeOf::Latency, 0.5),
            Measure::LatencyP95 => self.quantile_of(TimeOf::Latency, 0.95),
            Measure::LatencyP99 => self.quantile_of(TimeOf::Latency, 0.99),
            Measure::TtftMean => self.mean_of(TimeOf::Ttft),
            Measure::TtftP50 => self.quantile_of(TimeOf::Ttft, 0.5),
            Measure::TtftP95 => self.quantile_of(TimeOf::Ttft, 0.95),
            Measure::TtftP99 => self.quantile_of(TimeOf::Ttft, 0.99),
            Measure::TtfaP50 => self.quantile_of(TimeOf::Ttfa, 0.5),
            Measure::TtfaP95 => self.quantile_of(TimeOf::Ttfa, 0.95),
            Measure::TpotP50 => self.quantile_of(TimeOf::Tpot, 0.5),
            Measure::TpotP95 => self.quantile_of(TimeOf::Tpot, 0.95),
            Measure::ReasoningSpeed => speed(|paced| paced.reasoning, true),
            Measure::ContentSpeed => speed(|paced| paced.content, true),
            Measure::OverallSpeed => speed(|paced| paced.overall, false),
            Measure::SendLagP50 => self.over_passes(true, |cells| send_lag(cells, 0.5)),
            Measure::SendLagP99 => self.over_passes(true, |cells| send_lag(cells, 0.99)),
        }
    }

    /// The quantile of a time over all requests sent, failures infinite, ms.
    pub fn quantile_of(&self, time: TimeOf, p: f64) -> Figure {
        self.over_passes(true, |cells| self.quantile(cells, time, p, needs(p)))
    }

    /// The longest of all requests sent, ms.
    pub fn longest_of(&self, time: TimeOf) -> Figure {
        let longest = |cells: &[&Cell<'_>]| self.quantile(cells, time, 1.0, 1);
        let over_passes = self.over_passes(true, longest);
        // The longest of all is no mean of the passes' longest.
        match longest(&self.measured()) {
            Ok(seen) => Figure { point: Ok(seen.value), interval: Err(NoInterval::FewAPass), rests_on: RestsOn::Pooled, ..over_passes },
            Err(_) => over_passes,
        }
    }

    /// The arithmetic mean of a time over good replies, ms.
    fn mean_of(&self, time: TimeOf) -> Figure {
        self.over_passes(true, |cells| self.mean(cells, time))
    }

    /// The mean that a condition looks at, ms: infinite as soon as one request failed, as every time in a condition is. The mean that tables
    /// show leaves failures out.
    pub fn mean_with_failures(&self, time: TimeOf) -> Figure {
        self.over_passes(true, |cells| match requests(cells).all(|(_, row)| row.is_ok()) {
            true => self.mean(cells, time),
            false => Ok(Seen { value: Extended::Never, n: requests(cells).count(), without: 0 }),
        })
    }

    /// A share of the requests sent: the point is that of all passes together, its interval Wilson's, clustered by pass.
    pub fn share_of(&self, wanted: impl Fn(&LoadRow) -> bool) -> Figure {
        let of = |cell: &&Cell<'_>| (cell.rows.iter().filter(|row| wanted(row)).count() as u64, cell.rows.len() as u64);
        let counts: Vec<(u64, u64)> = self.measured().iter().map(of).collect();
        let none = if counts.is_empty() { NoFigure::NotMeasured } else { NoFigure::NoRequest };
        let share = |(some, of): (u64, u64)| match of {
            0 => Err(NoFigure::NoRequest),
            _ => Ok(Extended::Finite(some as f64 / of as f64)),
        };
        let pooled = clustered_share(&counts, self.confidence);
        let interval = pooled.ok_or(NoInterval::NoFigure).and_then(|pooled| enough(pooled.clusters).map(|()| pooled.interval));
        Figure {
            point: pooled.map(|pooled| Extended::Finite(pooled.share)).ok_or(none),
            interval,
            rests_on: RestsOn::Pooled,
            n: counts.iter().map(|(_, of)| *of as usize).sum(),
            without: 0,
            passes: self.each_pass(|cell| share(of(&cell))),
        }
    }

    fn measured(&self) -> Vec<&Cell<'_>> {
        self.cells.iter().filter(|cell| cell.state == CellState::Measured).collect()
    }

    fn each_pass<T>(&self, of: impl Fn(&Cell<'_>) -> Result<T, NoFigure>) -> Vec<Result<T, NoFigure>> {
        let each = |cell: &Cell<'_>| if cell.state == CellState::Measured { of(cell) } else { Err(NoFigure::NotMeasured) };
        self.cells.iter().map(each).collect()
    }

    /// A figure of each pass, and over them. Where passes are too small by themselves, all their requests together, if `pooling` makes
    /// sense.
    fn over_passes(&self, pooling: bool, of: impl Fn(&[&Cell<'_>]) -> Result<Seen, NoFigure>) -> Figure {
        let seen = self.each_pass(|cell| of(&[cell]));
        let known: Vec<Seen> = seen.iter().filter_map(|seen| seen.ok()).collect();
        let passes = seen.iter().map(|seen| seen.map(|seen| seen.value)).collect();
        let measured = self.measured();
        if pooling && known.len() < measured.len() {
            let pooled = of(&measured);
            if let Ok(pooled) = pooled {
                let interval = Err(NoInterval::FewAPass);
                return Figure {
                    point: Ok(pooled.value),
                    interval,
                    rests_on: RestsOn::Pooled,
                    n: pooled.n,
                    without: pooled.without,
                    passes,
                };
            }
            if known.is_empty() {
                return none(pooled.err().unwrap_or(NoFigure::NotMeasured), passes);
            }
        }
        let first = seen.iter().find_map(|seen| seen.err().filter(|why| *why != NoFigure::NotMeasured));
        if known.is_empty() {
            return none(first.unwrap_or(NoFigure::NotMeasured), passes);
        }
        let (point, rests_on, interval) = self.over(&known.iter().map(|seen| seen.value).collect::<Vec<_>>());
        let sum = |of: fn(&Seen) -> usize| known.iter().map(of).sum();
        Figure { point: Ok(point), interval, rests_on, n: sum(|seen| seen.n), without: sum(|seen| seen.without), passes }
    }

    /// The geometric mean of the passes' figures, and t over their logarithms.
    fn over(&self, values: &[Extended]) -> (Extended, RestsOn, Result<Interval, NoInterval>) {
        let finite: Vec<f64> = values.iter().filter_map(|value| value.finite()).collect();
        if finite.len() < values.len() {
            return (Extended::Never, RestsOn::Passes, Err(NoInterval::NeverInSome { passes: values.len() - finite.len() }));
        }
        let zeros = finite.iter().filter(|value| **value <= 0.0).count();
        if 0 < zeros {
            let middle = mean(&finite).map_or(Extended::Never, Extended::Finite);
            return (middle, RestsOn::PassesWithZero, Err(NoInterval::ZeroInSome { passes: zeros }));
        }
        let logs: Vec<f64> = finite.iter().map(|value| value.ln()).collect();
        let alike = finite.first().filter(|first| finite.iter().all(|value| value == *first));
        // Equal passes come to what they are, to the last digit.
        let middle = alike.copied().or_else(|| geometric_mean(&finite)).map_or(Extended::Never, Extended::Finite);
        (middle, RestsOn::Passes, log_interval(logs, self.confidence))
    }

    fn quantile(&self, cells: &[&Cell<'_>], time: TimeOf, p: f64, needs: usize) -> Result<Seen, NoFigure> {
        let (mut values, mut without, mut good, mut reasons) = (Vec::new(), 0, 0, BTreeMap::new());
        for (cell, row) in requests(cells) {
            good += usize::from(row.is_ok());
            match self.own_time(cell, row, time) {
                Ok(value) => values.push(value),
                Err(why) => {
                    without += 1;
                    *reasons.entry(why).or_insert(0usize) += 1;
                }
            }
        }
        told_of_most(without, good, &reasons)?;
        match values.len() {
            0 => return Err(NoFigure::NoRequest),
            n if n < needs => return Err(NoFigure::FewRequests { n, needs }),
            _ => {}
        }
        let value = quantile_type1(&values, p).ok_or(NoFigure::NoRequest)?;
        Ok(Seen { value, n: values.len(), without })
    }

    /// A request's time in ms, a failure's infinite; why there is none for a good reply that is not to blame for it.
    fn own_time(&self, cell: &Cell<'_>, row: &LoadRow, time: TimeOf) -> Result<Extended, Undefined> {
        if !row.is_ok() {
            return Ok(Extended::Never);
        }
        match cell.time(row, time, self.basis) {
            Ok(ms) => Ok(Extended::Finite(ms)),
            // Capped within its reasoning, it never came to its answer.
            Err(Undefined::NoContent) if time == TimeOf::Ttfa => Ok(Extended::Never),
            Err(why) => Err(why),
        }
    }

    fn mean(&self, cells: &[&Cell<'_>], time: TimeOf) -> Result<Seen, NoFigure> {
        let (mut values, mut without, mut good, mut reasons) = (Vec::new(), 0, 0, BTreeMap::new());
        for (cell, row) in requests(cells).filter(|(_, row)| row.is_ok()) {
            good += 1;
            match cell.time(row, time, self.basis) {
                Ok(ms) => values.push(ms),
                Err(why) => {
                    without += 1;
                    *reasons.entry(why).or_insert(0usize) += 1;
                }
            }
        }
        told_of_most(without, good, &reasons)?;
        let value = mean(&values).ok_or(if requests(cells).next().is_none() { NoFigure::NoRequest } else { NoFigure::NoGoodReply })?;
        Ok(Seen { value: Extended::Finite(value), n: values.len(), without })
    }

    fn speed(&self, cells: &[&Cell<'_>], of: fn(&Paced) -> Result<f64, Undefined>, without_bundled: bool) -> Result<Seen, NoFigure> {
        let good: Vec<&Paced> = requests(cells).filter(|(_, row)| row.is_ok()).map(|(_, row)| row.paced(self.basis)).collect();
        if good.is_empty() {
            return Err(if requests(cells).next().is_none() { NoFigure::NoRequest } else { NoFigure::NoGoodReply });
        }
        let bundled = good.iter().filter(|paced| paced.bundled).count();
        if without_bundled && MOSTLY_BUNDLED * (good.len() as f64) < bundled as f64 {
            return Err(NoFigure::Undefined { because: Undefined::Bundled });
        }
        let fit = good.iter().filter(|paced| !(paced.too_short || without_bundled && paced.bundled));
        let (mut values, mut reasons) = (Vec::new(), BTreeMap::new());
        for paced in fit {
            match of(paced) {
                Ok(value) => values.push(value),
                Err(why) => *reasons.entry(why).or_insert(0usize) += 1,
            }
        }
        let Some(value) = median(&values) else {
            let because = most(&reasons).unwrap_or(Undefined::Shorter);
            return Err(NoFigure::Undefined { because });
        };
        if values.len() < MIDDLE_NEEDS {
            return Err(NoFigure::FewValues { n: values.len(), needs: MIDDLE_NEEDS });
        }
        Ok(Seen { value: Extended::Finite(value), n: values.len(), without: good.len() - values.len() })
    }

    /// Replies a second within the window: each counts by the share of its text that arrived inside. `None` of a reply: it cannot be told
    /// whether it is one, and counts.
    fn rate(&self, wanted: impl Fn(&LoadRow, &Cell<'_>) -> Option<bool>) -> Figure {
        self.over_passes(false, |cells| {
            let (cell, window) = in_window(cells)?;
            let (mut sum, mut n, mut without) = (0.0, 0, 0);
            for row in cell.good() {
                let is_wanted = wanted(row, cell);
                without += usize::from(is_wanted.is_none());
                if is_wanted == Some(false) {
                    continue;
                }
                let share = share_inside(row, &window, self.basis);
                sum += share;
                n += usize::from(0.0 < share);
            }
            let good = cell.good().count();
            if OFTEN * (good as f64) < without as f64 {
                return Err(NoFigure::OftenUndefined { without, good });
            }
            Ok(Seen { value: Extended::Finite(sum / window.seconds), n, without })
        })
    }

    fn goodput(&self) -> Figure {
        let bounds: Vec<(TimeOf, Condition)> = self.slo.iter().filter_map(own_bound).collect();
        if bounds.is_empty() {
            return self.over_passes(false, |_| Err(NoFigure::NoServiceLevel));
        }
        self.rate(|row, cell| {
            let mut all_told = true;
            for (time, bound) in &bounds {
                match self.own_time(cell, row, *time) {
                    Ok(Extended::Finite(ms)) if bound.holds(ms / 1e3) => {}
                    Ok(_) => return Some(false),
                    Err(_) => all_told = false,
                }
            }
            all_told.then_some(true)
        })
    }

    fn system_speed(&self, cells: &[&Cell<'_>]) -> Result<Seen, NoFigure> {
        let (cell, window) = in_window(cells)?;
        let (mut sum, mut n, mut without, mut texts, mut reasons) = (0.0, 0, 0, 0, BTreeMap::new());
        for row in cell.rows.iter().filter(|row| !row.arrivals.is_empty()) {
            texts += 1;
            if let Some(why) = row.paced(self.basis).uncounted {
                without += 1;
                *reasons.entry(Undefined::NoCounts(why)).or_insert(0usize) += 1;
                continue;
            }
            let inside = row.arrived(self.basis).filter(|(at, _)| window.holds(*at));
            let tokens: f64 = inside.filter_map(|(_, tokens)| tokens).sum();
            sum += tokens;
            n += usize::from(0.0 < tokens);
        }
        told_of_most(without, texts, &reasons)?;
        Ok(Seen { value: Extended::Finite(sum / window.seconds), n, without })
    }
}

/// The bound that a condition of a service level sets to each request's own time: that of a quantile or a mean too. Lower bounds and
/// shares say nothing of a single request.
fn own_bound(condition: &Condition) -> Option<(TimeOf, Condition)> {
    match condition.of {
        Looked::Time(time, _) if matches!(condition.sense, Sense::Less | Sense::AtMost) => Some((time, *condition)),
        _ => None,
    }
}

/// The t interval of the mean of logarithms, as an interval of the figures themselves.
pub(super) fn log_interval(logs: Vec<f64>, confidence: Confidence) -> Result<Interval, NoInterval> {
    enough(logs.len())?;
    let sample = Sample::new(logs).map_err(|_| NoInterval::NoFigure)?;
    Ok(plain_paired(&sample, confidence).interval.map(f64::exp))
}

fn enough(passes: usize) -> Result<(), NoInterval> {
    if passes < PASSES_FOR_INTERVALS { Err(NoInterval::FewPasses { passes, needs: PASSES_FOR_INTERVALS }) } else { Ok(()) }
}

fn none(why: NoFigure, passes: Vec<Result<Extended, NoFigure>>) -> Figure {
    Figure { point: Err(why), interval: Err(NoInterval::NoFigure), rests_on: RestsOn::Passes, n: 0, without: 0, passes }
}

/// Requests that a quantile needs: one beyond it on the average, and five for a middle.
fn needs(p: f64) -> usize {
    let beyond = 1.0 / p.min(1.0 - p);
    // 1/(1 − 0.95) is 20 and a bit.
    ((beyond - 1e-6).ceil() as usize).max(MIDDLE_NEEDS)
}

fn requests<'a>(cells: &[&'a Cell<'a>]) -> impl Iterator<Item = (&'a Cell<'a>, &'a LoadRow)> {
    cells.iter().flat_map(|cell| cell.rows.iter().map(move |row| (*cell, *row)))
}

/// Refuses where more than a twentieth of the good replies have no value.
fn told_of_most(without: usize, good: usize, reasons: &BTreeMap<Undefined, usize>) -> Result<(), NoFigure> {
    if without as f64 <= OFTEN * good as f64 {
        return Ok(());
    }
    match most(reasons) {
        Some(because) if without == good => Err(NoFigure::Undefined { because }),
        _ => Err(NoFigure::OftenUndefined { without, good }),
    }
}

fn most(reasons: &BTreeMap<Undefined, usize>) -> Option<Undefined> {
    reasons.iter().max_by_key(|(_, n)| **n).map(|(why, _)| *why)
}

fn in_window<'a>(cells: &[&'a Cell<'a>]) -> Result<(&'a Cell<'a>, Window), NoFigure> {
    let cell = *cells.first().ok_or(NoFigure::NotMeasured)?;
    if cell.rows.is_empty() {
        return Err(NoFigure::NoRequest);
    }
    let window = cell.window().map_err(|because| NoFigure::NoWindow { because })?;
    Ok((cell, window))
}

/// The share of a reply's text that arrived in a window: by tokens, or by arrivals where those could not be counted.
fn share_inside(row: &LoadRow, window: &Window, basis: Basis) -> f64 {
    let counted = row.arrived(basis).all(|(_, tokens)| tokens.is_some()) && row.arrived(basis).any(|(_, n)| n.is_some_and(|n| 0.0 < n));
    let weight = |tokens: Option<f64>| if counted { tokens.unwrap_or(0.0) } else { 1.0 };
    let (mut inside, mut all) = (0.0, 0.0);
    for (at, tokens) in row.arrived(basis) {
        all += weight(tokens);
        inside += if window.holds(at) { weight(tokens) } else { 0.0 };
    }
    if 0.0 < all { inside / all } else { 0.0 }
}

fn send_lag(cells: &[&Cell<'_>], p: f64) -> Result<Seen, NoFigure> {
    let lags: Vec<Extended> =
        requests(cells).filter_map(|(cell, row)| Some(Extended::Finite(cell.send_lag(row)? * cell.scale()))).collect();
    match lags.len() {
        0 if requests(cells).all(|(_, row)| row.held) => return Err(NoFigure::NoRequest),
        n if n < needs(p) => return Err(NoFigure::FewRequests { n, needs: needs(p) }),
        _ => {}
    }
    let value = quantile_type1(&lags, p).ok_or(NoFigure::NoRequest)?;
    Ok(Seen { value, n: lags.len(), without: 0 })
}
