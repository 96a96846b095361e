//! The limits of a request, kept as one deadline beside the reading.

use crate::clock::Clock;
use crate::record::Limits;
use crate::timeline::Limit;
use crate::units::{Stamp, ms};
use std::sync::atomic::{AtomicU64, Ordering};

/// How long we wait. Texts move the next deadline on; comments, role chunks and token counts do not.
#[derive(Debug)]
pub(super) struct Patience {
    begun: Stamp,
    first_token: u64,
    idle: u64,
    total: Stamp,
    /// When the latest text came; 0 before the first.
    latest: AtomicU64,
}

impl Patience {
    pub(super) fn new(limits: &Limits, begun: Stamp) -> Patience {
        let total = begun.plus(ms(limits.total_ms));
        Patience { begun, first_token: ms(limits.first_token_ms), idle: ms(limits.idle_ms.max(1)), total, latest: AtomicU64::new(0) }
    }
    /// A text came.
    pub(super) fn text(&self, at: Stamp) {
        self.latest.store(at.0, Ordering::Relaxed);
    }
    /// The next deadline, and which limit it is.
    fn next(&self) -> (Stamp, Limit) {
        let (payload, limit) = match self.latest.load(Ordering::Relaxed) {
            0 => (self.begun.plus(self.first_token), Limit::FirstToken),
            latest => (Stamp(latest).plus(self.idle), Limit::Idle),
        };
        if self.total <= payload { (self.total, Limit::Total) } else { (payload, limit) }
    }
    /// Waits until a limit has run out.
    pub(super) async fn run_out(&self, clock: &Clock) -> Limit {
        loop {
            let ((deadline, limit), now) = (self.next(), clock.now());
            if deadline <= now {
                return limit;
            }
            // The first text can bring the deadline nearer, but never nearer than the idle limit from now.
            clock.sleep_until(deadline.min(now.plus(self.idle))).await;
        }
    }
}
