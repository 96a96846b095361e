//! Kernel receive stamps are CLOCK_REALTIME; the house reckons in CLOCK_MONOTONIC. Their difference is a constant that only a *step*
//! of the clock changes (settimeofday, an NTP step, a leap second); slewing moves both alike. The constant is measured once, proved by
//! one bracket after every read, and what a step blurs is bounded. Pure: brackets come from outside.

use crate::clock::Bracket;

/// The least and the greatest value of `real − mono` that a bracket allows.
fn bounds(bracket: &Bracket) -> (i64, i64) {
    (bracket.real as i64 - bracket.after as i64, bracket.real as i64 - bracket.before as i64)
}

/// A step of CLOCK_REALTIME that was noticed: it happened between `not_before` and `seen`.
#[derive(Debug, Clone, Copy)]
struct Step {
    old: i64,
    not_before: u64,
    seen: u64,
}

/// The way from CLOCK_REALTIME to CLOCK_MONOTONIC, in nanoseconds.
#[derive(Debug, Clone)]
pub struct RealToMono {
    offset: i64,
    step: Option<Step>,
    last_good: u64,
    steps: u32,
}

/// How far a bracket may contradict the constant before that counts as a step.
const TOLERANCE_NS: i64 = 200;

impl RealToMono {
    /// Measures the constant: the middle of the narrowest of 32 brackets.
    pub fn calibrate(take: impl FnMut() -> Bracket) -> RealToMono {
        let (offset, last_good) = narrowest(take);
        RealToMono { offset, step: None, last_good, steps: 0 }
    }
    /// How many steps were noticed.
    pub fn steps(&self) -> u32 {
        self.steps
    }
    /// Proves or refutes the constant by a bracket taken right after a read. A preempted bracket is wide, and raises no alarm.
    pub fn check(&mut self, bracket: Bracket, again: impl FnMut() -> Bracket) {
        let (least, greatest) = bounds(&bracket);
        if self.offset < least - TOLERANCE_NS || self.offset > greatest + TOLERANCE_NS {
            self.step = Some(Step { old: self.offset, not_before: self.last_good, seen: bracket.after });
            self.offset = narrowest(again).0;
            self.steps += 1;
        }
        self.last_good = bracket.before;
    }
    /// A kernel stamp on the monotonic clock, as earliest and latest; they differ only where a step makes it ambiguous. `floor` is the
    /// previous stamp of the same socket, `now` the time at which the read returned.
    pub fn convert(&self, stamp: u64, floor: u64, now: u64) -> (u64, u64) {
        let new = (stamp as i64).saturating_sub(self.offset).max(0) as u64;
        let Some(step) = self.step else { return (new, new) };
        let old = (stamp as i64).saturating_sub(step.old).max(0) as u64;
        let old_fits = old >= floor && old <= step.seen; // stamped before the step
        let new_fits = new >= step.not_before.max(floor) && new <= now + TOLERANCE_NS as u64; // after it
        match (old_fits, new_fits) {
            (true, false) => (old, old),
            (false, true) => (new, new),
            (true, true) => (old.min(new), old.max(new)),
            (false, false) => (floor.min(now), now),
        }
    }
}

fn narrowest(mut take: impl FnMut() -> Bracket) -> (i64, u64) {
    let first = take();
    let best = (1..32).fold(first, |best, _| {
        let next = take();
        if next.after - next.before < best.after - best.before { next } else { best }
    });
    let (least, greatest) = bounds(&best);
    (least + (greatest - least) / 2, best.before)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REAL: u64 = 1_700_000_000_000_000_000;
    fn at(time: u64, offset: u64) -> Bracket {
        Bracket { before: time, real: time + 20 + offset, after: time + 40 }
    }
    fn start() -> RealToMono {
        RealToMono::calibrate(|| at(1_000, REAL))
    }

    #[test]
    fn without_a_step_a_stamp_is_exact() {
        let mut clock = start();
        clock.check(at(5_000_000, REAL), || at(5_000_000, REAL));
        assert_eq!(clock.steps(), 0);
        assert_eq!(clock.convert(REAL + 4_000_000, 0, 5_000_000), (4_000_000, 4_000_000));
    }

    #[test]
    fn a_preempted_bracket_is_no_step() {
        let mut clock = start();
        clock.check(Bracket { before: 5_000_000, real: REAL + 25_000_000, after: 25_000_100 }, || unreachable!());
        assert_eq!(clock.steps(), 0);
    }

    #[test]
    fn a_forward_step_keeps_old_and_new_stamps() {
        let mut clock = start();
        clock.check(at(10_000_000, REAL), || unreachable!());
        let new = REAL + 3_000_000_000; // three seconds forward, between 10 ms and 20 ms
        clock.check(at(20_000_000, new), || at(20_000_000, new));
        assert_eq!(clock.steps(), 1);
        assert_eq!(clock.convert(REAL + 12_000_000, 5_000_000, 20_000_000), (12_000_000, 12_000_000)); // stamped before the step
        assert_eq!(clock.convert(new + 19_000_000, 5_000_000, 20_000_000), (19_000_000, 19_000_000)); // after
        assert_eq!(clock.convert(new + 99_000_000, 5_000_000, 99_100_000), (99_000_000, 99_000_000)); // long after
    }

    #[test]
    fn a_small_backward_step_gives_an_interval_that_holds_the_truth() {
        let mut clock = start();
        clock.check(at(10_000_000, REAL), || unreachable!());
        let new = REAL - 4_000_000; // four milliseconds backward
        clock.check(at(20_000_000, new), || at(20_000_000, new));
        // The truth is 18 ms; read as a stamp from before the step it would be 14 ms.
        assert_eq!(clock.convert(new + 18_000_000, 11_000_000, 20_000_000), (14_000_000, 18_000_000));
    }

    #[test]
    fn a_stamp_that_fits_neither_side_is_only_known_to_lie_before_now() {
        let mut clock = start();
        let new = REAL + 1_000_000_000;
        clock.check(at(20_000_000, new), || at(20_000_000, new));
        assert_eq!(clock.convert(REAL + 500_000_000, 11_000_000, 20_000_000), (11_000_000, 20_000_000));
    }
}
