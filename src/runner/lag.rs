//! This client's own lag in a round: if we were the slow one, the reader must know.

use crate::clock::{Alarm, Clock};
use crate::record::{Answer, NotSent, Role, SelfLag, Trial};
use crate::timeline::Point;
use crate::units::{Stamp, ms};
use std::sync::{Arc, Mutex};
use tokio::task::JoinHandle;

/// Watches from the beginning of a round or a stage to its end.
pub struct LagWatch {
    began: Stamp,
    cpu_began: Option<u64>,
    late_ns: Arc<Mutex<Vec<u32>>>,
    watchdog: Option<JoinHandle<()>>,
    /// Connections that stood open before the first request: their first requests did not wait for the opening.
    opened: u32,
    /// From kernel to user space, a value a read.
    read_ns: Vec<u32>,
    /// Widths of the intervals of texts that further texts followed in their read.
    width_ns: Vec<u32>,
    /// From due to the first write, a value a scored request.
    send_ns: Vec<u32>,
    reads: u64,
    texts: u64,
    interval_end: u64,
    unsent: u64,
    clock_steps: u32,
}

/// How often the watchdog wakes.
const EVERY: u64 = ms(5);
/// A stop is counted moment by moment for so long at most: a client that stood still for ten minutes is limited whatever follows.
const LONGEST_STOP: u64 = ms(600_000);
/// A request that leaves later is late.
const LATE_NS: u32 = ms(20) as u32;

impl LagWatch {
    /// Starts the watchdog on the measuring runtime itself. Virtual time has no lag to measure. `opened` connections stand open already.
    pub fn start(clock: &Clock, opened: u32) -> LagWatch {
        let mut watching = LagWatch::unwatched(clock, opened);
        if let Clock::System = clock {
            watching.watchdog = Some(tokio::spawn(watch(clock.clone(), watching.late_ns.clone())));
        }
        watching
    }

    fn unwatched(clock: &Clock, opened: u32) -> LagWatch {
        LagWatch {
            began: clock.now(),
            cpu_began: cpu_ns(),
            late_ns: Arc::new(Mutex::new(Vec::new())),
            watchdog: None,
            opened,
            read_ns: Vec::new(),
            width_ns: Vec::new(),
            send_ns: Vec::new(),
            reads: 0,
            texts: 0,
            interval_end: 0,
            unsent: 0,
            clock_steps: 0,
        }
    }

    /// Takes in what a trial tells of this client.
    pub fn saw(&mut self, trial: &Trial) {
        let scored = trial.role == Role::Scored;
        self.unsent += u64::from(scored && trial.not_sent == Some(NotSent::ClientBehind));
        let Some(answer) = &trial.answer else { return };
        self.read_ns.extend_from_slice(&answer.reads.lag_ns);
        self.clock_steps += answer.reads.clock_steps;
        self.reads += u64::from(answer.reads.count);
        self.saw_texts(answer);
        self.send_ns.extend(sent_late_by(trial, answer, self.opened).filter(|_| scored).map(shortened));
    }

    /// Why the time of a text is an interval. In the read of an exact one nothing came after it; behind the reply's last text only its end
    /// can have come.
    fn saw_texts(&mut self, answer: &Answer) {
        self.texts += answer.timeline.len() as u64;
        let last = answer.timeline.points().last().map(|last| (last.read, last.chunk));
        for point in answer.timeline.points().filter(|point| !point.exact()) {
            let Point { read, chunk, width_ns, .. } = point;
            match Some((read, chunk)) == last {
                true => self.interval_end += 1,
                false => self.width_ns.push(shortened(width_ns)),
            }
        }
    }

    /// The summary.
    pub fn finish(mut self, clock: &Clock) -> SelfLag {
        if let Some(watchdog) = self.watchdog.take() {
            watchdog.abort();
        }
        let mut late = std::mem::take(&mut *self.late_ns.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
        let wall = clock.now().since(self.began);
        let cpu = cpu_ns().zip(self.cpu_began).map(|(now, before)| now.saturating_sub(before));
        let (widths, sends) = (&mut self.width_ns, &mut self.send_ns);
        SelfLag {
            read_p50_us: percentile_us(&mut self.read_ns, 50).unwrap_or(0.0),
            read_p99_us: percentile_us(&mut self.read_ns, 99).unwrap_or(0.0),
            runtime_p99_us: percentile_us(&mut late, 99).unwrap_or(0.0),
            runtime_max_us: percentile_us(&mut late, 100).unwrap_or(0.0),
            cpu_share: cpu.filter(|_| 0 < wall).map_or(0.0, |cpu| cpu as f64 / wall as f64),
            clock_steps: self.clock_steps,
            reads: Some(self.reads),
            texts: Some(self.texts),
            interval_end: Some(self.interval_end),
            interval_merged: Some(widths.len() as u64),
            late: Some(sends.iter().filter(|late| LATE_NS < **late).count() as u64),
            width_p50_us: percentile_us(widths, 50),
            width_p99_us: percentile_us(widths, 99),
            send_p50_us: percentile_us(sends, 50),
            send_p99_us: percentile_us(sends, 99),
            unsent: Some(self.unsent),
        }
    }
}

/// How late a request's first byte left, ns. A connection that had to be opened took its own time, and politeness is no lateness.
fn sent_late_by(trial: &Trial, answer: &Answer, opened: u32) -> Option<u64> {
    let first = answer.stamps.first_write.filter(|_| trial.held_since.is_none())?;
    let connecting = answer.connect.total_ns().filter(|_| opened < trial.block).unwrap_or(0);
    Some(first.since(trial.scheduled).saturating_sub(connecting))
}

/// Wakes at moments that lie [`EVERY`] apart whatever happens: a stop is late for every moment in it, so that a percentile is one over time.
async fn watch(clock: Clock, late_ns: Arc<Mutex<Vec<u32>>>) {
    let Ok(mut alarm) = Alarm::new() else { return };
    let mut due = clock.now().plus(EVERY);
    loop {
        if alarm.until(due).await.is_err() {
            return;
        }
        let now = clock.now();
        let mut late = late_ns.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        due = late_moments(due, now, |by| late.push(shortened(by)));
    }
}

/// Tells how late each moment from `due` to `now` was seen, and gives the first one to come.
fn late_moments(due: Stamp, now: Stamp, mut tell: impl FnMut(u64)) -> Stamp {
    let mut due = due;
    let given_up = now.since(due).saturating_sub(LONGEST_STOP);
    while due <= now && given_up <= now.since(due) {
        tell(now.since(due));
        due = due.plus(EVERY);
    }
    due.max(now.plus(1))
}

fn shortened(ns: u64) -> u32 {
    u32::try_from(ns).unwrap_or(u32::MAX)
}

/// The smallest value that at least `percent` of the values do not exceed, in microseconds.
fn percentile_us(values: &mut [u32], percent: usize) -> Option<f64> {
    values.sort_unstable();
    let rank = (values.len() * percent).div_ceil(100).max(1);
    values.get(rank - 1).map(|ns| f64::from(*ns) / 1000.0)
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
    use crate::ident::{PromptId, ProviderId, TargetId, TrialId};
    use crate::record::{Connect, Reads, Stamps};
    use crate::timeline::{Ended, Phase};
    use crate::units::Offset;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let mut values: Vec<u32> = (1..=200).map(|i| i * 1000).collect();
        assert_eq!(percentile_us(&mut values, 50), Some(100.0));
        assert_eq!(percentile_us(&mut values, 99), Some(198.0));
        assert_eq!(percentile_us(&mut values, 100), Some(200.0));
        assert_eq!(percentile_us(&mut [], 99), None);
    }

    #[tokio::test]
    async fn a_runtime_that_is_held_up_shows_in_the_round() {
        let quiet = LagWatch::start(&Clock::System, 0);
        tokio::time::sleep(std::time::Duration::from_millis(40)).await;
        assert!(0.0 < quiet.finish(&Clock::System).runtime_max_us);
        let held_up = LagWatch::start(&Clock::System, 0);
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        std::thread::sleep(std::time::Duration::from_millis(60));
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        assert!(50_000.0 < held_up.finish(&Clock::System).runtime_max_us);
    }

    #[test]
    fn a_stop_is_late_for_every_moment_in_it() {
        let moments = |due: u64, now: u64| {
            let mut late = Vec::new();
            let next = late_moments(Stamp(ms(due)), Stamp(ms(now)), |by| late.push(by / ms(1)));
            (late, next)
        };
        assert_eq!(moments(5, 5), (vec![0], Stamp(ms(10))));
        let (late, next) = moments(5, 104);
        assert_eq!((late.len(), late[0], late[19], next), (20, 99, 4, Stamp(ms(105))));
        let (late, next) = moments(0, 36_000_000);
        assert_eq!((late.len(), late[0]), (120_001, 36_000_000), "ten hours are counted for ten minutes");
        assert_eq!(next, Stamp(ms(36_000_000) + 1));
    }

    /// A scored trial that was due at one second and written `late` ms later, of texts by (read, write, width in µs).
    fn trial(late: u64, texts: &[(u32, u32, u64)]) -> Trial {
        let due = Stamp(ms(1000));
        let mut answer = Answer::empty(Ended::Complete);
        answer.stamps = Stamps { first_write: Some(due.plus(ms(late))), ..Stamps::default() };
        answer.reads = Reads { count: 9, lag_ns: vec![30_000; 9], ..Reads::default() };
        for (at, (read, chunk, width_us)) in texts.iter().enumerate() {
            let (at, width_ns) = (Offset(ms(at as u64)), width_us * 1000);
            answer.timeline.push(Point { at, width_ns, phase: Phase::Content, bytes: 1, chunk: *chunk, read: *read });
        }
        Trial {
            id: TrialId::new("a1").unwrap(),
            target: TargetId::new("a/b").unwrap(),
            provider: ProviderId::new("a").unwrap(),
            model: "m".into(),
            round: 1,
            block: 3,
            prompt: PromptId::new("p").unwrap(),
            place: 1,
            attempt: 1,
            role: Role::Scored,
            wall: jiff::Timestamp::UNIX_EPOCH,
            scheduled: due,
            held_since: None,
            load: None,
            not_sent: None,
            answer: Some(Box::new(answer)),
        }
    }

    fn seen(opened: u32, trials: &[Trial]) -> SelfLag {
        let clock = Clock::System;
        let mut watch = LagWatch::unwatched(&clock, opened);
        trials.iter().for_each(|trial| watch.saw(trial));
        watch.finish(&clock)
    }

    #[test]
    fn an_interval_is_the_ends_where_only_the_end_followed_and_merged_where_texts_did() {
        // Two texts of one read, of which the first is an interval; then one exact; then a last write of two texts with the end behind.
        let lag = seen(0, &[trial(0, &[(1, 1, 400), (1, 2, 0), (2, 3, 0), (4, 4, 90), (4, 4, 90)])]);
        assert_eq!((lag.texts, lag.interval_end, lag.interval_merged), (Some(5), Some(2), Some(1)));
        assert_eq!((lag.width_p50_us, lag.width_p99_us), (Some(400.0), Some(400.0)));
        assert_eq!((lag.reads, lag.read_p50_us), (Some(9), 30.0));
        // A text that came with the last one's read but was written before it is the lag's, not the end's.
        let lag = seen(0, &[trial(0, &[(1, 1, 0), (2, 2, 50), (2, 3, 50)])]);
        assert_eq!((lag.interval_end, lag.interval_merged), (Some(1), Some(1)));
    }

    #[test]
    fn sends_are_late_by_what_this_client_took_and_by_nothing_else() {
        let connect = |ms_: u64| Connect { reused: false, tcp_ns: Some(ms(ms_)), ..Connect::default() };
        let mut opening = trial(40, &[]);
        opening.answer.as_mut().unwrap().connect = connect(30);
        let held = Trial { held_since: Some(Stamp(0)), ..trial(900, &[]) };
        let warm_up = Trial { role: Role::WarmUp, ..trial(900, &[]) };
        let unsent = Trial { answer: None, not_sent: Some(NotSent::ClientBehind), ..trial(0, &[]) };
        let lag = seen(0, &[trial(1, &[]), trial(25, &[]), opening.clone(), held, warm_up, unsent]);
        assert_eq!((lag.send_p50_us, lag.send_p99_us), (Some(10_000.0), Some(25_000.0)));
        assert_eq!((lag.late, lag.unsent), (Some(1), Some(1)));
        // Where the connection had been opened before the stage, its first request did not wait for that.
        assert_eq!(seen(3, &[opening]).send_p50_us, Some(40_000.0));
        let nothing = seen(0, &[]);
        assert_eq!((nothing.send_p99_us, nothing.width_p99_us, nothing.late), (None, None, Some(0)));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn processor_time_is_told() {
        assert!(cpu_ns().is_some());
    }
}
