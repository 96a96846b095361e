//! Who asks next, and when: a user who became free, or an arrival whose time has come.

use crate::clock::{Alarm, Clock};
use crate::plan::Arrivals;
use crate::record::{Offered, Until};
use crate::units::{Stamp, ms, secs};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// One request to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    /// When it is due: the arrival's time, or when its user became free.
    pub scheduled: Stamp,
    /// The user, from 1; none in an open loop.
    pub user: Option<u32>,
}

/// A user whose request failed asks again no sooner than this after the last time: a server that refuses at once is not to be asked as
/// fast as this machine can.
const AFTER_A_FAILURE: u64 = secs(1);

/// Where the turns of a cell come from, and when there are no more.
pub(super) struct Source {
    kind: Kind,
    /// Turns left, where their number is what ends the cell.
    left: Option<u64>,
    /// No turn is due after this.
    end: Option<Stamp>,
    clock: Clock,
    /// Absolute, and to the tenth of a millisecond; virtual time has none.
    alarm: Option<Alarm>,
}

enum Kind {
    /// Free users, by when they became free and by number.
    Users(BinaryHeap<Reverse<(Stamp, u32)>>),
    Arrivals {
        begun: Stamp,
        // Boxed: it holds a generator of random numbers, and there is one a cell.
        arrivals: Box<Arrivals>,
        next: Stamp,
    },
}

impl Source {
    /// The source of a cell that begins at `begun`: all users are free then.
    pub(super) fn new(offered: &Offered, until: &Until, arrivals: Option<Arrivals>, begun: Stamp, clock: &Clock) -> Source {
        let kind = match (offered, arrivals) {
            (Offered::Arrivals { .. }, Some(mut arrivals)) => {
                let next = begun.plus(arrivals.next().unwrap_or(u64::MAX));
                Kind::Arrivals { begun, arrivals: Box::new(arrivals), next }
            }
            (Offered::Users { users }, _) => Kind::Users((1..=*users).map(|user| Reverse((begun, user))).collect()),
            (Offered::Arrivals { .. }, None) => Kind::Users(BinaryHeap::new()),
        };
        let end = match until {
            Until::Lasting { ms: lasting } => Some(begun.plus(ms(*lasting))),
            Until::Requests { .. } | Until::PerUser { .. } => None,
        };
        let alarm = match clock {
            // Without a timer of its own the runtime's serves; how late a request was sent is in its record either way.
            Clock::System => Alarm::new().ok(),
            Clock::Virtual(_) => None,
        };
        Source { kind, left: until.requests(offered), end, clock: clock.clone(), alarm }
    }

    /// Waits for the next turn; none means that there will be no more. Dropped while it waits it loses nothing.
    pub(super) async fn next(&mut self) -> Option<Turn> {
        if self.left == Some(0) {
            return None;
        }
        let Some(due) = self.due() else { return std::future::pending().await };
        if self.end.is_some_and(|end| end < due) {
            return None;
        }
        self.until(due).await;
        if let Some(left) = &mut self.left {
            *left -= 1;
        }
        Some(self.take(due))
    }

    /// A user's request has ended.
    pub(super) fn free(&mut self, user: u32, asked: Stamp, failed: bool) {
        let now = self.clock.now();
        let from = if failed { now.max(asked.plus(AFTER_A_FAILURE)) } else { now };
        if let Kind::Users(free) = &mut self.kind {
            free.push(Reverse((from, user)));
        }
    }

    /// When the next turn is due; the end of time while every user is busy or where there will be no more.
    pub(super) fn awaited(&self) -> Stamp {
        let comes = |due: &Stamp| self.left != Some(0) && self.end.is_none_or(|end| *due <= end);
        self.due().filter(comes).unwrap_or(Stamp(u64::MAX))
    }

    /// When the next turn is due; none while every user is busy.
    fn due(&self) -> Option<Stamp> {
        match &self.kind {
            Kind::Users(free) => free.peek().map(|Reverse((at, _))| *at),
            Kind::Arrivals { next, .. } => Some(*next),
        }
    }

    fn take(&mut self, scheduled: Stamp) -> Turn {
        match &mut self.kind {
            Kind::Users(free) => Turn { scheduled, user: free.pop().map(|Reverse((_, user))| user) },
            Kind::Arrivals { begun, arrivals, next } => {
                *next = begun.plus(arrivals.next().unwrap_or(u64::MAX));
                Turn { scheduled, user: None }
            }
        }
    }

    async fn until(&mut self, due: Stamp) {
        if due <= self.clock.now() {
            return;
        }
        let rung = match &mut self.alarm {
            Some(alarm) => alarm.until(due).await.is_ok(),
            None => false,
        };
        if !rung {
            self.clock.sleep_until(due).await;
        }
    }
}
