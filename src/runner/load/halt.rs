//! Live counts of a cell, and whether they meet the condition to stop. Only the runner's decision rests on them: what a table shows is
//! computed when the run is read.

use super::super::usable;
use crate::record::{Condition, Looked, Over, TimeOf, Trial};
use crate::timeline::{ErrorKind, Phase, Point};

/// What a cell has shown so far. Times are seconds, infinite where a request failed.
#[derive(Debug, Default)]
pub(super) struct Seen {
    sent: u64,
    good: u64,
    rate_limited: u64,
    ttft: Vec<f64>,
    ttfa: Vec<f64>,
    latency: Vec<f64>,
}

impl Seen {
    /// Takes in a trial that is over. In an open loop times count from the scheduled arrival.
    pub(super) fn saw(&mut self, trial: &Trial) {
        let Some(answer) = &trial.answer else { return };
        let good = usable(trial);
        self.sent += 1;
        self.good += u64::from(good);
        let limited = answer.status == Some(429) || answer.error.as_ref().is_some_and(|error| error.kind == ErrorKind::RateLimit);
        self.rate_limited += u64::from(limited);
        let open_loop = trial.load.is_some_and(|load| load.user.is_none());
        let before = if open_loop { answer.stamps.first_write.map_or(0, |sent| sent.since(trial.scheduled)) } else { 0 };
        let line = &answer.timeline;
        let first_answer = line.points().find(|point| point.phase != Phase::Reasoning);
        let seconds = |text: Option<Point>| text.filter(|_| good).map_or(f64::INFINITY, |text| (before + text.at.0) as f64 / 1e9);
        self.ttft.push(seconds(line.first()));
        self.ttfa.push(seconds(first_answer));
        self.latency.push(seconds(line.last()));
    }

    /// What was seen, in words, if it meets the condition.
    pub(super) fn meets(&mut self, condition: &Condition) -> Option<String> {
        if self.sent == 0 {
            return None;
        }
        let share = |count: u64| count as f64 / self.sent as f64;
        let (value, is_time) = match condition.of {
            Looked::Success => (share(self.good), false),
            Looked::Failures => (share(self.sent - self.good), false),
            Looked::RateLimited => (share(self.rate_limited), false),
            Looked::Time(time, over) => {
                let times = match time {
                    TimeOf::Ttft => &mut self.ttft,
                    TimeOf::Ttfa => &mut self.ttfa,
                    TimeOf::Latency => &mut self.latency,
                    TimeOf::Tpot => return None,
                };
                (summary(times, over)?, true)
            }
            Looked::Rps | Looked::Goodput => return None,
        };
        let shown = if is_time { format!("{value:.3} s") } else { format!("{:.1} %", value * 100.0) };
        condition.holds(value).then_some(shown)
    }
}

/// The type-1 quantile or the mean.
fn summary(times: &mut [f64], over: Over) -> Option<f64> {
    match over {
        Over::Mean => Some(times.iter().sum::<f64>() / times.len() as f64),
        Over::Quantile(p) => {
            times.sort_by(f64::total_cmp);
            let rank = ((times.len() as f64 * p).ceil() as usize).clamp(1, times.len());
            times.get(rank - 1).copied()
        }
        Over::Each => None,
    }
}
