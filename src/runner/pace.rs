//! Politeness towards one target: how many requests and tokens a minute and a day, how many at once, and no sooner than it asked for.
//!
//! A pure state machine on the monotonic clock (minutes) and the UTC day (budgets). It never sleeps: whoever sends asks for his [`Turn`],
//! waits as he is told, and reports each request's beginning and end. Rounds use it with one request in flight, a load loop with many.

use crate::record::Pace;
use crate::units::{Stamp, ms, secs};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A minute, and a tenth of a second over it: the way to the server does not take equally long each time, and it is the server that counts.
pub const MINUTE: u64 = secs(60) + ms(100);

/// Whether the next request may be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// At once.
    Now,
    /// Not before this moment, which lies ahead, as far as is known now: a request in flight that ends with fewer tokens than it might have
    /// taken can make it earlier.
    At(Stamp),
    /// Not before one of those in flight has ended: there are as many as may be, or they may use up all that is left of the tokens.
    AfterAnEnd,
    /// Not before midnight UTC: the day's budget is used up. The reason says which, and how much of it.
    NotToday(String),
    /// Never: it may need more tokens than the pace allows at all.
    Never(String),
}

/// A request in flight, to be handed back when it ends.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
#[must_use = "hand it back with `Pacer::ended`, or the request counts as in flight for ever"]
pub struct Flight(u64);

/// How a request ended.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Landing {
    /// When it was written, where it was: what a minute's requests are counted by.
    pub written: Option<Stamp>,
    /// Tokens that it used, prompt and reply.
    pub tokens: u64,
    /// Seconds after which the target wants to be asked again (Retry-After).
    pub retry_after_s: Option<f64>,
}

/// A request of an earlier sitting, on the wall clock, since the monotonic one may have begun anew.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Past {
    /// When it was sent.
    pub sent: jiff::Timestamp,
    /// When it ended.
    pub ended: jiff::Timestamp,
    /// Tokens that it used.
    pub tokens: u64,
    /// Seconds after which the target wanted to be asked again.
    pub retry_after_s: Option<f64>,
}

/// Keeps the pace of one target.
#[derive(Debug, Clone, Default)]
pub struct Pacer {
    pace: Pace,
    /// Requests of the last minute by the time at which they will be a minute old (which always lies behind the beginning of the clock),
    /// from when they were written, or begun where that is not known yet. The number tells requests of one moment apart.
    requests: BTreeSet<(Stamp, u64)>,
    /// Tokens of requests that ended within the last minute, by the time at which that will be a minute ago, ascending.
    tokens: VecDeque<(Stamp, u64)>,
    in_flight: BTreeMap<u64, Begun>,
    next: u64,
    /// The target asked not to be asked before.
    not_before: Option<Stamp>,
    days: BTreeMap<i64, Used>,
    /// The day on which its budget was found to be used up.
    out_on: Option<i64>,
}

#[derive(Debug, Clone, Copy)]
struct Begun {
    at: Stamp,
    day: i64,
    tokens_at_most: u64,
}

/// What a day's ended requests used.
#[derive(Debug, Clone, Copy, Default)]
struct Used {
    requests: u64,
    tokens: u64,
}

impl Pacer {
    /// Of a target that was not asked yet.
    pub fn new(pace: Pace) -> Pacer {
        Pacer { pace, ..Pacer::default() }
    }

    /// When the next request may be sent, which may use `tokens_at_most`, prompt and reply.
    ///
    /// Tokens count with their worst case while a request is in flight, and as used for a minute after its end: a server may count them
    /// when it reads the prompt or when it has written the reply. A target whose day is used up stays out until midnight UTC, also for a
    /// smaller request: which prompts are asked must not depend on their length.
    pub fn turn(&mut self, now: Stamp, wall: jiff::Timestamp, tokens_at_most: u64) -> Turn {
        if let Some(turn) = self.never(tokens_at_most).or_else(|| self.day(day(wall), tokens_at_most)) {
            return turn;
        }
        let (by_requests, by_tokens) = (self.requests_free(now), self.tokens_free(now, tokens_at_most));
        let crowded = self.pace.concurrency.is_some_and(|most| most as usize <= self.in_flight.len());
        let Some(by_tokens) = by_tokens.filter(|_| !crowded && self.day_fits(day(wall), tokens_at_most)) else { return Turn::AfterAnEnd };
        let earliest = by_requests.max(by_tokens).max(self.not_before.unwrap_or_default());
        if earliest <= now { Turn::Now } else { Turn::At(earliest) }
    }

    /// A request goes out now.
    pub fn began(&mut self, now: Stamp, wall: jiff::Timestamp, tokens_at_most: u64) -> Flight {
        self.forget(now, wall);
        let number = self.next;
        self.next += 1;
        let begun = Begun { at: now, day: day(wall), tokens_at_most };
        self.in_flight.insert(number, begun);
        self.requests.insert((now.plus(MINUTE), number));
        self.days.entry(begun.day).or_default().requests += 1;
        Flight(number)
    }

    /// A request has ended, well or not.
    pub fn ended(&mut self, flight: Flight, now: Stamp, landing: Landing) {
        let Some(begun) = self.in_flight.remove(&flight.0) else { return };
        if let Some(written) = landing.written
            && self.requests.remove(&(begun.at.plus(MINUTE), flight.0))
        {
            self.requests.insert((written.plus(MINUTE), flight.0));
        }
        self.tokens.push_back((now.plus(MINUTE), landing.tokens));
        self.days.entry(begun.day).or_default().tokens += landing.tokens;
        self.wait_for(landing.retry_after_s, now);
    }

    /// Takes in a request of an earlier sitting. In order of time, and before the first of this one.
    pub fn recall(&mut self, past: &Past, now: Stamp, wall: jiff::Timestamp) {
        let ago = |at: jiff::Timestamp| wall.as_nanosecond().saturating_sub(at.as_nanosecond()).clamp(0, i128::from(u64::MAX)) as u64;
        let minute_old = |at: jiff::Timestamp| Some(now.plus(MINUTE.checked_sub(ago(at))?));
        let used = self.days.entry(day(past.sent)).or_default();
        *used = Used { requests: used.requests + 1, tokens: used.tokens + past.tokens };
        if let Some(at) = minute_old(past.sent) {
            self.requests.insert((at, self.next));
            self.next += 1;
        }
        self.tokens.extend(minute_old(past.ended).map(|at| (at, past.tokens)));
        let left = past.retry_after_s.map(|seconds| seconds - ago(past.ended) as f64 / 1e9);
        self.wait_for(left.filter(|left| 0.0 < *left), now);
    }

    /// On an earlier sitting's day, its budget was found to be used up.
    pub fn recall_out(&mut self, at: jiff::Timestamp) {
        self.out_on = Some(day(at));
    }

    /// Requests in flight.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    fn wait_for(&mut self, seconds: Option<f64>, now: Stamp) {
        let Some(seconds) = seconds.filter(|seconds| seconds.is_finite() && 0.0 < *seconds) else { return };
        let until = now.plus((seconds * 1e9).ceil().min(u64::MAX as f64) as u64);
        self.not_before = self.not_before.max(Some(until));
    }

    fn never(&self, tokens: u64) -> Option<Turn> {
        let [a_minute, a_day] = [(self.pace.tokens_per_minute, "a minute"), (self.pace.tokens_per_day, "a day")].map(|(most, word)| {
            most.filter(|most| *most < tokens).map(|most| format!("it may take {tokens} tokens, over its pace of {most} {word}"))
        });
        a_minute.or(a_day).map(Turn::Never)
    }

    /// Whether the day's budget is used up, requests in flight left aside but for their number.
    fn day(&mut self, today: i64, tokens: u64) -> Option<Turn> {
        let used = self.days.get(&today).copied().unwrap_or_default();
        let date = || jiff::Timestamp::from_second(today * DAY_S).map(|at| at.strftime("%F").to_string()).unwrap_or_default();
        let requests = self.pace.requests_per_day.filter(|most| *most <= used.requests);
        let tokens = self.pace.tokens_per_day.filter(|most| *most < used.tokens + tokens).map(|most| (most, tokens));
        let why = match (requests, tokens) {
            (Some(most), _) => format!("{} of {most} requests of {} (UTC) are sent", used.requests, date()),
            (_, Some((most, next))) => {
                format!("{} of {most} tokens of {} (UTC) are used, and a request may take {next}", used.tokens, date())
            }
            _ if self.out_on == Some(today) => format!("the budget of {} (UTC) is used up", date()),
            _ => return None,
        };
        self.out_on = Some(today);
        Some(Turn::NotToday(why))
    }

    /// Whether the day's tokens suffice if everything in flight takes its worst case.
    fn day_fits(&self, today: i64, tokens: u64) -> bool {
        let used = self.days.get(&today).map_or(0, |used| used.tokens);
        let in_flight: u64 = self.in_flight.values().filter(|begun| begun.day == today).map(|begun| begun.tokens_at_most).sum();
        self.pace.tokens_per_day.is_none_or(|most| used + in_flight + tokens <= most)
    }

    /// When a minute's requests leave room for one more.
    fn requests_free(&self, now: Stamp) -> Stamp {
        let Some(most) = self.pace.requests_per_minute else { return Stamp::default() };
        let lately = || self.requests.iter().map(|(at, _)| *at).filter(|at| now < *at);
        let over = (lately().count() + 1).saturating_sub(most as usize);
        over.checked_sub(1).and_then(|last| lately().nth(last)).unwrap_or_default()
    }

    /// When a minute's tokens leave room for so many more; none while those in flight may take what is needed.
    fn tokens_free(&self, now: Stamp, tokens: u64) -> Option<Stamp> {
        let Some(most) = self.pace.tokens_per_minute else { return Some(Stamp::default()) };
        let in_flight: u64 = self.in_flight.values().map(|begun| begun.tokens_at_most).sum();
        let room = most.checked_sub(in_flight + tokens)?;
        let lately = || self.tokens.iter().filter(|(at, _)| now < *at);
        let mut left: u64 = lately().map(|(_, tokens)| tokens).sum();
        let mut earliest = Stamp::default();
        for (at, tokens) in lately() {
            if left <= room {
                break;
            }
            (left, earliest) = (left - tokens, *at);
        }
        Some(earliest)
    }

    /// Lets go of what is older than a minute and of days that are over.
    fn forget(&mut self, now: Stamp, wall: jiff::Timestamp) {
        while self.requests.first().is_some_and(|(at, _)| *at <= now) {
            self.requests.pop_first();
        }
        while self.tokens.front().is_some_and(|(at, _)| *at <= now) {
            self.tokens.pop_front();
        }
        // A day more is kept, since a wall clock may be set back over midnight.
        self.days.retain(|kept, _| day(wall) - 1 <= *kept);
    }
}

const DAY_S: i64 = 86_400;

/// The day in UTC, counted from 1970.
fn day(wall: jiff::Timestamp) -> i64 {
    wall.as_second().div_euclid(DAY_S)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn noon() -> jiff::Timestamp {
        "2026-11-24T12:00:00Z".parse().unwrap()
    }
    /// The wall clock beside the monotonic one, which began at noon.
    fn wall(now: Stamp) -> jiff::Timestamp {
        noon() + std::time::Duration::from_nanos(now.0)
    }
    fn at(seconds: u64) -> Stamp {
        Stamp(secs(seconds))
    }

    struct Target(Pacer);

    impl Target {
        fn turn(&mut self, now: Stamp, tokens: u64) -> Turn {
            self.0.turn(now, wall(now), tokens)
        }
        fn begin(&mut self, now: Stamp, tokens: u64) -> Flight {
            assert_eq!(self.turn(now, tokens), Turn::Now, "at {} s", now.0 / secs(1));
            self.0.began(now, wall(now), tokens)
        }
        fn end(&mut self, flight: Flight, now: Stamp, tokens: u64) {
            self.0.ended(flight, now, Landing { tokens, ..Landing::default() });
        }
        /// One request that begins and ends now.
        fn ask(&mut self, now: Stamp, tokens: u64) {
            let flight = self.begin(now, tokens);
            self.end(flight, now, tokens);
        }
    }

    fn target(change: impl FnOnce(&mut Pace)) -> Target {
        let mut pace = Pace::default();
        change(&mut pace);
        Target(Pacer::new(pace))
    }

    #[test]
    fn a_minute_holds_as_many_requests_as_it_may_and_the_next_one_comes_when_the_first_is_a_minute_old() {
        let mut target = target(|pace| pace.requests_per_minute = Some(3));
        for second in [0, 10, 20] {
            target.ask(at(second), 1);
        }
        assert_eq!(target.turn(at(21), 1), Turn::At(at(0).plus(MINUTE)));
        target.ask(at(0).plus(MINUTE), 1);
        assert_eq!(target.turn(at(61), 1), Turn::At(at(10).plus(MINUTE)));
    }

    #[test]
    fn a_request_counts_from_when_it_was_written_not_from_when_its_connection_was_opened() {
        let mut target = target(|pace| pace.requests_per_minute = Some(1));
        let flight = target.begin(at(0), 1);
        target.0.ended(flight, at(9), Landing { written: Some(at(4)), ..Landing::default() });
        assert_eq!(target.turn(at(10), 1), Turn::At(at(4).plus(MINUTE)));
    }

    #[test]
    fn tokens_count_with_their_worst_case_in_flight_and_as_used_for_a_minute_after() {
        let mut target = target(|pace| pace.tokens_per_minute = Some(1000));
        let flight = target.begin(at(0), 900);
        assert_eq!(target.turn(at(1), 200), Turn::AfterAnEnd);
        target.end(flight, at(30), 500);
        assert_eq!(target.turn(at(30), 500), Turn::Now);
        assert_eq!(target.turn(at(30), 501), Turn::At(at(30).plus(MINUTE)));
        assert_eq!(target.turn(at(30), 1001), Turn::Never("it may take 1001 tokens, over its pace of 1000 a minute".into()));
    }

    #[test]
    fn so_many_at_once_and_no_more() {
        let mut target = target(|pace| pace.concurrency = Some(2));
        let (first, _second) = (target.begin(at(0), 1), target.begin(at(0), 1));
        assert_eq!(target.turn(at(5), 1), Turn::AfterAnEnd);
        target.end(first, at(6), 1);
        assert_eq!((target.turn(at(6), 1), target.0.in_flight()), (Turn::Now, 1));
    }

    #[test]
    fn a_target_that_asks_for_a_rest_gets_it_and_the_longest_one_counts() {
        let mut target = target(|_| {});
        for (second, rest) in [(0, 5.0), (1, 2.0)] {
            let flight = target.0.began(at(second), wall(at(second)), 1);
            target.0.ended(flight, at(second), Landing { retry_after_s: Some(rest), ..Landing::default() });
        }
        assert_eq!((target.turn(at(2), 1), target.turn(at(5), 1)), (Turn::At(at(5)), Turn::Now));
    }

    #[test]
    fn a_day_that_is_used_up_begins_anew_at_midnight_utc_also_for_a_smaller_request() {
        let midnight = at(12 * 3600);
        let mut target = target(|pace| pace.tokens_per_day = Some(1000));
        target.ask(at(0), 600);
        let NotToday(why) = target.turn(at(1), 500) else { panic!("over the budget") };
        assert_eq!(why, "600 of 1000 tokens of 2026-11-24 (UTC) are used, and a request may take 500");
        use Turn::NotToday;
        assert!(matches!(target.turn(at(2), 1), NotToday(_)), "it stays out, also for a small one");
        assert!(matches!(target.turn(Stamp(midnight.0 - 1), 1), NotToday(_)));
        assert_eq!(target.turn(midnight, 1000), Turn::Now);
    }

    #[test]
    fn what_is_in_flight_does_not_use_up_a_day_for_good() {
        let mut target = target(|pace| (pace.tokens_per_day, pace.requests_per_day) = (Some(1000), Some(2)));
        let flight = target.begin(at(0), 900);
        assert_eq!(target.turn(at(1), 200), Turn::AfterAnEnd);
        target.end(flight, at(2), 100);
        target.ask(at(3), 200);
        assert_eq!(target.turn(at(4), 1), Turn::NotToday("2 of 2 requests of 2026-11-24 (UTC) are sent".into()));
    }

    #[test]
    fn an_earlier_sitting_counts_as_if_there_had_been_no_break() {
        let pace = Pace { requests_per_minute: Some(2), tokens_per_minute: Some(100), requests_per_day: Some(4), ..Pace::default() };
        // The machine was started anew in between: its monotonic clock is younger than the requests.
        let now = at(5);
        let mut target = Target(Pacer::new(pace));
        let ago = |seconds: i64| wall(now) - jiff::SignedDuration::from_secs(seconds);
        for (sent, ended, retry_after_s) in [(90_000, 89_000, None), (50, 40, None), (30, 20, Some(25.0))] {
            target.0.recall(&Past { sent: ago(sent), ended: ago(ended), tokens: 30, retry_after_s }, now, wall(now));
        }
        // The older of this minute's two went out 50 s ago, before the clock began; the rest that was asked for is over 5 s from now.
        assert_eq!(target.turn(now, 10), Turn::At(Stamp(now.0 + MINUTE - secs(50))));
        assert_eq!(target.turn(now, 71), Turn::At(Stamp(now.0 + MINUTE - secs(20))));
        target.0.recall_out(wall(now));
        assert!(matches!(target.turn(now, 10), Turn::NotToday(_)));
    }

    /// A minute later at the latest everything is forgotten; the largest request is smaller than the pace.
    fn waits(pace: Pace) -> impl Strategy<Value = (Pace, Vec<(u64, u64, u64)>)> {
        (Just(pace), prop::collection::vec((0..20_000u64, 0..40_000u64, 1..400u64), 1..60))
    }
    fn paces() -> impl Strategy<Value = Pace> {
        let concurrency = prop::option::of(1..4u32);
        (prop::option::of(1..8u64), prop::option::of(400..1500u64), concurrency).prop_map(
            |(requests_per_minute, tokens_per_minute, concurrency)| Pace {
                requests_per_minute,
                tokens_per_minute,
                concurrency,
                ..Pace::default()
            },
        )
    }

    proptest! {
        /// Requests come after a pause each, last for a while and take half the tokens that they may; each is sent as soon as the pacer lets it. Then no minute holds
        /// more than is allowed, however the server counts tokens; and none could have been sent a moment sooner.
        #[test]
        fn no_minute_holds_more_than_it_may_and_nobody_waits_longer_than_needed((pace, requests) in paces().prop_flat_map(waits)) {
            let mut target = Target(Pacer::new(pace));
            let mut now = at(100);
            let mut running: Vec<(Stamp, Flight, u64)> = Vec::new();
            let mut sent: Vec<(Stamp, Stamp, u64)> = Vec::new();
            for (pause, lasts, tokens) in requests {
                now = now.plus(ms(pause));
                loop {
                    running.sort_by_key(|(end, ..)| *end);
                    while running.first().is_some_and(|(end, ..)| *end <= now) {
                        let (end, flight, tokens) = running.remove(0);
                        target.end(flight, end, tokens / 2);
                    }
                    match target.turn(now, tokens) {
                        Turn::Now => break,
                        Turn::At(earliest) => {
                            prop_assert!(now < earliest);
                            prop_assert!(!allowed(&pace, &sent, (now, Stamp(earliest.0 - 1)), tokens), "it could have gone sooner");
                            now = running.first().map_or(earliest, |(end, ..)| earliest.min(*end));
                        }
                        Turn::AfterAnEnd => {
                            prop_assert!(!allowed(&pace, &sent, (now, now), tokens));
                            now = running.first().expect("somebody is in flight").0;
                        }
                        other => prop_assert!(false, "{other:?}"),
                    }
                }
                prop_assert!(allowed(&pace, &sent, (now, now), tokens), "too soon");
                running.push((now.plus(ms(lasts)), target.begin(now, tokens), tokens));
                sent.push((now, now.plus(ms(lasts)), tokens));
            }
        }
    }

    /// Whether one more request `at` a moment keeps every window of a minute, as far as was `known` by then; written down from the definition
    /// and not from the pacer.
    fn allowed(pace: &Pace, sent: &[(Stamp, Stamp, u64)], (known, at): (Stamp, Stamp), tokens: u64) -> bool {
        let flying = |end: Stamp| known < end;
        let requests = sent.iter().filter(|(begun, ..)| at < begun.plus(MINUTE)).count() as u64;
        let used = |(_, end, most): &(Stamp, Stamp, u64)| if flying(*end) { *most } else { most / 2 };
        let counted: u64 = sent.iter().filter(|(_, end, _)| flying(*end) || at < end.plus(MINUTE)).map(used).sum();
        let in_flight = sent.iter().filter(|(_, end, _)| flying(*end)).count() as u32;
        pace.requests_per_minute.is_none_or(|most| requests < most)
            && pace.tokens_per_minute.is_none_or(|most| counted + tokens <= most)
            && pace.concurrency.is_none_or(|most| in_flight < most)
    }
}
