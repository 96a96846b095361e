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
    /// Not before this moment, which lies ahead; nothing that happens until then makes it earlier or later but another request.
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
    /// Requests of the last minute by the time at which they were written, or begun where that is not known yet. The number tells requests
    /// of one moment apart.
    requests: BTreeSet<(Stamp, u64)>,
    /// Tokens of requests that ended within the last minute, in order of their end.
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
        self.requests.insert((now, number));
        self.days.entry(begun.day).or_default().requests += 1;
        Flight(number)
    }

    /// A request has ended, well or not.
    pub fn ended(&mut self, flight: Flight, now: Stamp, landing: Landing) {
        let Some(begun) = self.in_flight.remove(&flight.0) else { return };
        if let Some(written) = landing.written
            && self.requests.remove(&(begun.at, flight.0))
        {
            self.requests.insert((written, flight.0));
        }
        self.tokens.push_back((now, landing.tokens));
        self.days.entry(begun.day).or_default().tokens += landing.tokens;
        self.wait_for(landing.retry_after_s, now);
    }

    /// Takes in a request of an earlier sitting. In order of time, and before the first of this one.
    pub fn recall(&mut self, past: &Past, now: Stamp, wall: jiff::Timestamp) {
        let ago = |at: jiff::Timestamp| wall.as_nanosecond().saturating_sub(at.as_nanosecond()).clamp(0, i128::from(u64::MAX)) as u64;
        let stamp = |at: jiff::Timestamp| Stamp(now.0.saturating_sub(ago(at)));
        let used = self.days.entry(day(past.sent)).or_default();
        *used = Used { requests: used.requests + 1, tokens: used.tokens + past.tokens };
        if ago(past.sent) < MINUTE {
            self.requests.insert((stamp(past.sent), self.next));
            self.next += 1;
        }
        if ago(past.ended) < MINUTE {
            self.tokens.push_back((stamp(past.ended), past.tokens));
        }
        // Counted from the end of that request on the wall clock, since its stamp may lie before this clock began.
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
        let lately = || self.requests.iter().filter(|(at, _)| now < at.plus(MINUTE));
        let over = (lately().count() + 1).saturating_sub(most as usize);
        over.checked_sub(1).and_then(|last| lately().nth(last)).map_or(Stamp::default(), |(at, _)| at.plus(MINUTE))
    }

    /// When a minute's tokens leave room for so many more; none while those in flight may take what is needed.
    fn tokens_free(&self, now: Stamp, tokens: u64) -> Option<Stamp> {
        let Some(most) = self.pace.tokens_per_minute else { return Some(Stamp::default()) };
        let in_flight: u64 = self.in_flight.values().map(|begun| begun.tokens_at_most).sum();
        let room = most.checked_sub(in_flight + tokens)?;
        let lately = || self.tokens.iter().filter(|(at, _)| now < at.plus(MINUTE));
        let mut left: u64 = lately().map(|(_, tokens)| tokens).sum();
        let mut earliest = Stamp::default();
        for (at, tokens) in lately() {
            if left <= room {
                break;
            }
            (left, earliest) = (left - tokens, at.plus(MINUTE));
        }
        Some(earliest)
    }

    /// Lets go of what is older than a minute and of days that are over.
    fn forget(&mut self, now: Stamp, wall: jiff::Timestamp) {
        while self.requests.first().is_some_and(|(at, _)| at.plus(MINUTE) <= now) {
            self.requests.pop_first();
        }
        while self.tokens.front().is_some_and(|(at, _)| at.plus(MINUTE) <= now) {
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
