//! The only reader of the clock (clippy's `disallowed-methods` holds the rest of the house to it).
//!
//! [`Clock::System`] reads CLOCK_MONOTONIC and CLOCK_REALTIME. [`Clock::Virtual`] follows tokio's paused time, so that thirty days
//! pass in seconds of a test: tokio's pause alone would not do, since timerfd and CLOCK_MONOTONIC ignore it.
#![allow(clippy::disallowed_methods, unsafe_code)]

use crate::units::Stamp;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Where time comes from. Cheap to clone; all clones of a virtual clock share its time.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clocks.
    System,
    /// Tokio's (paused) time, from a made-up beginning.
    Virtual(Arc<VirtualStart>),
}

/// Where a virtual clock began.
#[derive(Debug)]
pub struct VirtualStart {
    began: tokio::time::Instant,
    mono: u64,
    wall: jiff::Timestamp,
    stepped_ns: AtomicI64,
}

impl VirtualStart {
    /// Sets the wall clock forward, or back where `ns` is negative, by so many nanoseconds: a clock that is set. The monotonic clock goes
    /// on as it was, so that a step forward is a machine that slept, too.
    pub fn step(&self, ns: i64) {
        self.stepped_ns.fetch_add(ns, Ordering::Relaxed);
    }
}

impl Clock {
    /// A virtual clock that begins now, at the wall-clock time `wall`. Call it inside a runtime whose time is paused.
    pub fn virtual_from(wall: jiff::Timestamp) -> Clock {
        let start = VirtualStart { began: tokio::time::Instant::now(), mono: 1_000_000_000, wall, stepped_ns: AtomicI64::new(0) };
        Clock::Virtual(Arc::new(start))
    }
    /// Monotonic time.
    pub fn now(&self) -> Stamp {
        match self {
            Clock::System => mono(),
            Clock::Virtual(start) => Stamp(start.mono + start.began.elapsed().as_nanos() as u64),
        }
    }
    /// Wall-clock time (UTC).
    pub fn wall(&self) -> jiff::Timestamp {
        match self {
            Clock::System => jiff::Timestamp::now(),
            Clock::Virtual(start) => {
                let stepped = jiff::SignedDuration::from_nanos(start.stepped_ns.load(Ordering::Relaxed));
                start.wall + start.began.elapsed() + stepped
            }
        }
    }
    /// Wall-clock and monotonic time of one moment. Read anew where the process was preempted in between, so that what lies between the
    /// two clocks is known to a millisecond.
    pub fn both(&self) -> (jiff::Timestamp, Stamp) {
        let Clock::System = self else { return (self.wall(), self.now()) };
        let brackets = (0..10).map(|_| Bracket::take());
        let mut narrowest = Bracket::take();
        for bracket in brackets {
            if narrowest.width() < 1_000_000 {
                break;
            }
            narrowest = if bracket.width() < narrowest.width() { bracket } else { narrowest };
        }
        let wall = jiff::Timestamp::from_nanosecond(narrowest.real.into()).unwrap_or_else(|_| jiff::Timestamp::now());
        (wall, Stamp(narrowest.before))
    }
    /// Waits until `at`. Good to a millisecond: for pacing sends take an [`Alarm`].
    pub async fn sleep_until(&self, at: Stamp) {
        let wait = at.since(self.now());
        if wait > 0 {
            tokio::time::sleep(Duration::from_nanos(wait)).await;
        }
    }
}

/// Which of the machine's clocks.
#[derive(Clone, Copy)]
enum Which {
    Monotonic,
    Real,
}

#[cfg(all(unix, not(photofinish_portable)))]
fn read(which: Which) -> u64 {
    let id = match which {
        Which::Monotonic => libc::CLOCK_MONOTONIC,
        Which::Real => libc::CLOCK_REALTIME,
    };
    let mut ts = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // Safety: `ts` is a valid place for one timespec, and the two ids used here always exist.
    unsafe { libc::clock_gettime(id, &mut ts) };
    ts.tv_sec as u64 * 1_000_000_000 + ts.tv_nsec as u64
}

/// Other systems: the standard library's clocks, the monotonic one counted from its first reading in this process.
#[cfg(not(all(unix, not(photofinish_portable))))]
fn read(which: Which) -> u64 {
    use std::time::{Instant, SystemTime, UNIX_EPOCH};
    static FIRST: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let elapsed = match which {
        Which::Monotonic => FIRST.get_or_init(Instant::now).elapsed() + Duration::from_secs(1),
        Which::Real => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
    };
    elapsed.as_nanos() as u64
}

/// CLOCK_MONOTONIC now.
pub fn mono() -> Stamp {
    Stamp(read(Which::Monotonic))
}

/// CLOCK_REALTIME between two readings of CLOCK_MONOTONIC, all in nanoseconds.
///
/// On Linux both clocks share one rate (NTP slews both), so `real − mono` is constant until somebody *steps* the clock. One bracket
/// proves or refutes the constant: it must lie in `[real − after, real − before]`. Being preempted inside a bracket widens it and
/// cannot make it lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bracket {
    /// CLOCK_MONOTONIC before.
    pub before: u64,
    /// CLOCK_REALTIME in between.
    pub real: u64,
    /// CLOCK_MONOTONIC after.
    pub after: u64,
}

impl Bracket {
    /// Three readings, about 60 ns.
    pub fn take() -> Bracket {
        let before = read(Which::Monotonic);
        let real = read(Which::Real);
        Bracket { before, real, after: read(Which::Monotonic) }
    }

    fn width(self) -> u64 {
        self.after.saturating_sub(self.before)
    }
}

/// An alarm for paced sends: an absolute timer in the runtime, within about 0.1 ms at p99 where tokio's own timer works in whole
/// milliseconds (transport figures: docs/accuracy.md). One alarm serves a whole schedule, since a late wake does not shift the next.
pub struct Alarm(#[cfg(target_os = "linux")] tokio::io::unix::AsyncFd<std::os::fd::OwnedFd>);

#[cfg(target_os = "linux")]
impl Alarm {
    /// Makes the timer; it needs a runtime with I/O.
    pub fn new() -> io::Result<Alarm> {
        use std::os::fd::FromRawFd;
        // Safety: a plain system call; its result is checked.
        let fd = unsafe { libc::timerfd_create(libc::CLOCK_MONOTONIC, libc::TFD_NONBLOCK | libc::TFD_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // Safety: the descriptor was just made and belongs to nobody else; `AsyncFd` owns it and it is never replaced.
        Ok(Alarm(unsafe { tokio::io::unix::AsyncFd::register(std::os::fd::OwnedFd::from_raw_fd(fd))? }))
    }
    /// Waits until `at`; returns at once if that is past.
    pub async fn until(&mut self, at: Stamp) -> io::Result<()> {
        use std::os::fd::AsRawFd;
        let zero = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // A timerfd set to zero is disarmed, so the earliest time is 1 ns.
        let value = libc::timespec { tv_sec: (at.0 / 1_000_000_000) as _, tv_nsec: (at.0 % 1_000_000_000).max(1) as _ };
        let spec = libc::itimerspec { it_interval: zero, it_value: value };
        // Safety: the descriptor is a timerfd and `spec` outlives the call.
        let set = unsafe { libc::timerfd_settime(self.0.as_raw_fd(), libc::TFD_TIMER_ABSTIME, &spec, std::ptr::null_mut()) };
        if set < 0 {
            return Err(io::Error::last_os_error());
        }
        loop {
            let mut guard = self.0.readable().await?;
            let mut expirations = 0u64;
            // Safety: eight bytes into a u64, as timerfd_create(2) says.
            let n = unsafe { libc::read(self.0.as_raw_fd(), (&raw mut expirations).cast(), 8) };
            guard.clear_ready();
            if n == 8 {
                return Ok(());
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
impl Alarm {
    /// Nothing to make here: this system has no timerfd, tokio's timer serves.
    pub fn new() -> io::Result<Alarm> {
        Ok(Alarm())
    }
    /// Waits until `at`, good to a millisecond.
    pub async fn until(&mut self, at: Stamp) -> io::Result<()> {
        Clock::System.sleep_until(at).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{ms, secs};

    #[tokio::test(start_paused = true)]
    async fn thirty_virtual_days_pass_at_once() {
        let clock = Clock::virtual_from("2026-11-24T00:00:00Z".parse().unwrap());
        let start = clock.now();
        clock.sleep_until(start.plus(secs(30 * 86_400))).await;
        assert_eq!(clock.now().since(start) / secs(1), 30 * 86_400);
        assert_eq!(clock.wall().to_string(), "2026-12-24T00:00:00Z");
    }

    #[tokio::test]
    async fn an_alarm_never_rings_early() {
        let mut alarm = Alarm::new().unwrap();
        let at = mono().plus(ms(3));
        alarm.until(at).await.unwrap();
        assert!(mono() >= at);
        alarm.until(Stamp(1)).await.unwrap();
    }
}
