//! This client's own lag in a round: if we were the slow one, the reader must know.

use crate::clock::{Alarm, Clock};
use crate::record::{SelfLag, Trial};
use crate::units::{Stamp, ms};
use std::sync::{Arc, Mutex};
use tokio::task::JoinHandle;

/// Watches from the beginning of a round to its end.
pub struct LagWatch {
    began: Stamp,
    cpu_began: Option<u64>,
    late_ns: Arc<Mutex<Vec<u32>>>,
    watchdog: Option<JoinHandle<()>>,
    read_ns: Vec<u32>,
    clock_steps: u32,
}

/// How often the watchdog wakes.
const EVERY: u64 = ms(5);

impl LagWatch {
    /// Starts the watchdog on the measuring runtime itself. Virtual time has no lag to measure.
    pub fn start(clock: &Clock) -> LagWatch {
        let late_ns = Arc::new(Mutex::new(Vec::new()));
        let watchdog = match clock {
            Clock::System => Some(tokio::spawn(watch(clock.clone(), late_ns.clone()))),
            Clock::Virtual(_) => None,
        };
        LagWatch { began: clock.now(), cpu_began: cpu_ns(), late_ns, watchdog, read_ns: Vec::new(), clock_steps: 0 }
    }

    /// Takes in what a trial's reads tell.
    pub fn saw(&mut self, trial: &Trial) {
        if let Some(answer) = &trial.answer {
            self.read_ns.extend_from_slice(&answer.reads.lag_ns);
            self.clock_steps += answer.reads.clock_steps;
        }
    }

    /// The round's summary.
    pub fn finish(mut self, clock: &Clock) -> SelfLag {
        if let Some(watchdog) = self.watchdog.take() {
            watchdog.abort();
        }
        let mut late = std::mem::take(&mut *self.late_ns.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
        let wall = clock.now().since(self.began);
        let cpu = cpu_ns().zip(self.cpu_began).map(|(now, before)| now.saturating_sub(before));
        SelfLag {
            read_p50_us: percentile_us(&mut self.read_ns, 50),
            read_p99_us: percentile_us(&mut self.read_ns, 99),
            runtime_p99_us: percentile_us(&mut late, 99),
            runtime_max_us: percentile_us(&mut late, 100),
            cpu_share: cpu.filter(|_| 0 < wall).map_or(0.0, |cpu| cpu as f64 / wall as f64),
            clock_steps: self.clock_steps,
        }
    }
}

async fn watch(clock: Clock, late_ns: Arc<Mutex<Vec<u32>>>) {
    let Ok(mut alarm) = Alarm::new() else { return };
    loop {
        let due = clock.now().plus(EVERY);
        if alarm.until(due).await.is_err() {
            return;
        }
        let late = clock.now().since(due);
        late_ns.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(late.min(u64::from(u32::MAX)) as u32);
    }
}

/// The smallest value that at least `percent` of the values do not exceed, in microseconds; 0 without any.
fn percentile_us(values: &mut [u32], percent: usize) -> f64 {
    values.sort_unstable();
    let rank = (values.len() * percent).div_ceil(100).max(1);
    values.get(rank - 1).map_or(0.0, |ns| f64::from(*ns) / 1000.0)
}

/// Processor time of this process so far, user and system, to the hundredth of a second that the kernel tells.
fn cpu_ns() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the command's name in brackets and may hold blanks.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks: u64 = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(ticks * 10_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let mut values: Vec<u32> = (1..=200).map(|i| i * 1000).collect();
        assert_eq!(percentile_us(&mut values, 50), 100.0);
        assert_eq!(percentile_us(&mut values, 99), 198.0);
        assert_eq!(percentile_us(&mut values, 100), 200.0);
        assert_eq!(percentile_us(&mut [], 99), 0.0);
    }

    #[tokio::test]
    async fn a_runtime_that_is_held_up_shows_in_the_round() {
        let quiet = LagWatch::start(&Clock::System);
        tokio::time::sleep(std::time::Duration::from_millis(40)).await;
        assert!(0.0 < quiet.finish(&Clock::System).runtime_max_us);
        let held_up = LagWatch::start(&Clock::System);
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        std::thread::sleep(std::time::Duration::from_millis(60));
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        assert!(50_000.0 < held_up.finish(&Clock::System).runtime_max_us);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn processor_time_is_told() {
        assert!(cpu_ns().is_some());
    }
}
