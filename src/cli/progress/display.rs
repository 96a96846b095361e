//! The display of one command: keeps the counters, and turns each event into what its manner shows of it.

use super::bars::Bars;
use super::event::{Event, Kind, Spent};
use super::tally::{Counts, Tally};
use super::{Manner, words};
use crate::clock::Clock;
use crate::ident::TargetId;
use crate::units::{Stamp, ms, secs};
use jiff::tz::TimeZone;

/// Shows what happens. Dropping it takes the bars away.
pub struct Display {
    manner: Manner,
    clock: Clock,
    zone: TimeZone,
    kind: Kind,
    rounds: u32,
    last_due: Option<jiff::Timestamp>,
    tallies: Vec<Tally>,
    bars: Option<Bars>,
    now: Doing,
    last_words: String,
    spent: Option<Spent>,
    drawn: Stamp,
    tallied: Stamp,
}

/// What is going on.
#[derive(Debug, Clone, PartialEq)]
enum Doing {
    Starting,
    Waiting { round: u32, until: jiff::Timestamp },
    Round(u32),
    Stage(String),
}

/// Bars are drawn anew at most this often, nanoseconds.
const REDRAW: u64 = ms(50);
/// A load run tells its counters at most this often, nanoseconds.
const TALLY: u64 = secs(1);

impl Display {
    /// Nothing is shown before [`Event::Begun`]. `zone` is the one on whose clock moments are told.
    pub fn new(manner: Manner, clock: Clock, zone: TimeZone) -> Display {
        Display {
            manner,
            clock,
            zone,
            kind: Kind::Rounds,
            rounds: 0,
            last_due: None,
            tallies: vec![],
            bars: None,
            now: Doing::Starting,
            last_words: String::new(),
            spent: None,
            drawn: Stamp(0),
            tallied: Stamp(0),
        }
    }

    /// Shows an event.
    pub fn show(&mut self, event: &Event) {
        let lines = self.told(event);
        if !lines.is_empty() {
            let say = || match self.manner {
                Manner::Json => lines.iter().for_each(|line| super::super::say_json(line)),
                _ => lines.iter().for_each(|line| super::super::say(line)),
            };
            match &self.bars {
                Some(bars) => bars.above(say),
                None => say(),
            }
        }
        // A line of counters is drawn often enough by itself; anything else at once.
        self.draw(!matches!(event, Event::Trial { .. } | Event::Tally));
    }

    /// Something that the user should know, in words.
    pub fn notice(&mut self, text: &str) {
        self.show(&Event::Notice { text: text.to_owned() });
    }

    /// Draws the passing of time. Call it every second or so while nothing happens.
    pub fn tick(&mut self) {
        self.draw(false);
    }

    /// Where every target stands.
    pub fn counts(&self) -> Vec<Counts> {
        let now = self.clock.now();
        let by_schedule = self.until_last_due();
        let counts = self.tallies.iter().map(|tally| tally.counts(now));
        match self.last_due {
            // Rounds that wait for their moments make no rate.
            Some(_) => counts.map(|counts| Counts { left_s: by_schedule.filter(|_| !counts.stopped), ..counts }).collect(),
            None => counts.collect(),
        }
    }

    /// Takes an event into the counters and gives the lines that stay.
    fn told(&mut self, event: &Event) -> Vec<String> {
        self.take(event);
        match self.manner {
            Manner::Json => self.json(event).into_iter().collect(),
            Manner::Bars => self.lines(event, true),
            Manner::Lines => self.lines(event, false),
            Manner::Silent => match event {
                Event::Stopped { .. } | Event::Notice { .. } | Event::Error { .. } => self.lines(event, false),
                _ => vec![],
            },
        }
    }

    fn take(&mut self, event: &Event) {
        let now = self.clock.now();
        match event {
            Event::Begun { kind, rounds, targets, last_due, spent, .. } => {
                (self.kind, self.rounds, self.last_due, self.spent) = (*kind, *rounds, *last_due, *spent);
                self.tallies = targets.iter().map(|(target, ahead)| Tally::new(target.clone(), *ahead)).collect();
                if self.manner == Manner::Bars {
                    self.bars = Some(Bars::new(&self.counts()));
                }
            }
            Event::Waiting { round, until } => self.now = Doing::Waiting { round: *round, until: *until },
            Event::Round { round } => {
                self.now = Doing::Round(*round);
                self.tallies.iter_mut().for_each(|tally| tally.work(now));
            }
            Event::RoundOver { spent, .. } => {
                self.spent = Some(*spent);
                self.tallies.iter_mut().for_each(|tally| tally.rest(now));
            }
            Event::Stage { pass, stage, stages, target, offered, .. } => {
                let of = [format!("pass {pass}/{}", self.rounds), format!("stage {stage}/{stages}"), words::offered(offered)];
                self.now = Doing::Stage(format!("{} · {target}", of.join(" · ")));
                self.tally(target, |tally| tally.work(now));
            }
            Event::StageOver { target, .. } => self.tally(target, |tally| tally.rest(now)),
            Event::Passed { requests, .. } => self.tallies.iter_mut().for_each(|tally| tally.pass(*requests)),
            Event::Trial { target, came, words, spent } => {
                self.spent = spent.or(self.spent);
                self.last_words = format!("{target}: {words}");
                self.tally(target, |tally| tally.count(*came));
            }
            Event::Stopped { target, .. } => self.tally(target, Tally::stop),
            Event::Ended { spent, .. } => {
                self.spent = spent.or(self.spent);
                self.tallies.iter_mut().for_each(|tally| tally.rest(now));
            }
            Event::Held { .. } | Event::Tally | Event::Notice { .. } | Event::Error { .. } => {}
        }
    }

    fn tally(&mut self, target: &TargetId, act: impl FnOnce(&mut Tally)) {
        if let Some(tally) = self.tallies.iter_mut().find(|tally| tally.target() == target) {
            act(tally);
        }
    }

    /// The event as a line for programs. Requests of a load run are too many for a line each: they become counters, once a second.
    fn json(&mut self, event: &Event) -> Option<String> {
        let wall = self.clock.wall();
        let counts = match event {
            Event::Trial { .. } if self.kind == Kind::Load => {
                if self.clock.now().since(self.tallied) < TALLY {
                    return None;
                }
                self.tallied = self.clock.now();
                return Some(Event::Tally.json(wall, Some(self.counts())));
            }
            Event::Trial { target, .. } => Some(self.counts().into_iter().filter(|counts| counts.target == *target).collect()),
            Event::Begun { .. } | Event::RoundOver { .. } | Event::StageOver { .. } | Event::Tally | Event::Ended { .. } => {
                Some(self.counts())
            }
            _ => None,
        };
        Some(event.json(wall, counts))
    }

    /// The lines that stay; `drawn`: bars stand below them, which show the rest.
    fn lines(&self, event: &Event, drawn: bool) -> Vec<String> {
        let rounds = self.rounds;
        match event {
            Event::Waiting { .. } if drawn => vec![],
            Event::Waiting { round, until } => vec![words::waiting(*round, rounds, *until, self.clock.wall(), &self.zone)],
            // Nothing was left of it to be asked.
            Event::RoundOver { targets, .. } if targets.is_empty() => vec![],
            Event::RoundOver { round, targets, spent } => {
                let mut first = format!("round {round} of {rounds}, over at {}", words::moment(self.clock.wall(), &self.zone));
                if !drawn {
                    first += &format!(" · so far {}", words::spent(spent));
                }
                [first].into_iter().chain(words::round_over(targets)).collect()
            }
            Event::Begun { last_round: Some((round, targets)), .. } => {
                [format!("round {round} of {rounds} was the last one held")].into_iter().chain(words::round_over(targets)).collect()
            }
            Event::Passed { round, how, .. } => vec![format!("round {round} of {rounds} {}", words::passed(*how))],
            Event::StageOver { pass, stage, target, state } => {
                vec![format!("pass {pass}/{rounds}, stage {stage}, {target}: {}", words::stage_state(state))]
            }
            Event::Held { targets, until } => vec![words::held(targets, *until, self.clock.wall(), &self.zone)],
            Event::Stopped { target, reason } => vec![format!("{target} is stopped: {reason}")],
            Event::Notice { text } => vec![text.clone()],
            Event::Error { text } => vec![format!("error: {text}")],
            Event::Begun { .. } | Event::Round { .. } | Event::Stage { .. } | Event::Trial { .. } | Event::Tally | Event::Ended { .. } => {
                vec![]
            }
        }
    }

    fn draw(&mut self, at_once: bool) {
        let now = self.clock.now();
        if self.bars.is_none() || (!at_once && now.since(self.drawn) < REDRAW) {
            return;
        }
        self.drawn = now;
        let (titles, counts) = (self.titles(), self.counts());
        if let Some(bars) = &self.bars {
            bars.draw(&titles, &counts, self.last_due.is_none());
        }
    }

    /// The lines above the bars: what is going on; what is used and how long it takes.
    fn titles(&self) -> [String; 2] {
        let doing = match &self.now {
            Doing::Starting => "starting".into(),
            Doing::Waiting { round, until } => words::waiting(*round, self.rounds, *until, self.clock.wall(), &self.zone),
            Doing::Round(round) if self.last_words.is_empty() => format!("round {round} of {}", self.rounds),
            Doing::Round(round) => format!("round {round} of {} · {}", self.rounds, self.last_words),
            Doing::Stage(title) => title.clone(),
        };
        let spent = self.spent.as_ref().map(words::spent);
        let left = self.left_s().map(|left| format!("{} left", words::span(left)));
        [doing, spent.into_iter().chain(left).collect::<Vec<_>>().join(" · ")]
    }

    /// Until the last round is due, seconds; none where no schedule says so, or once it is.
    fn until_last_due(&self) -> Option<f64> {
        let left = self.last_due?.duration_since(self.clock.wall()).as_secs_f64();
        (0.0 < left).then(|| left.round())
    }

    /// Until the end, seconds: by the schedule, or at the rate so far. Targets of a round work together, those of a load run in turn.
    fn left_s(&self) -> Option<f64> {
        if self.last_due.is_some() {
            return self.until_last_due();
        }
        let each = self.counts().into_iter().filter_map(|counts| counts.left_s);
        match self.kind {
            Kind::Rounds => each.reduce(f64::max),
            Kind::Load => each.reduce(|all, one| all + one),
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        if let Some(bars) = &self.bars {
            bars.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::progress::{Ahead, Came};

    fn id(name: &str) -> TargetId {
        TargetId::new(name).unwrap()
    }

    fn display(manner: Manner, kind: Kind, requests: u64) -> (Display, Vec<String>) {
        let clock = Clock::virtual_from("2026-11-24T10:15:00Z".parse().unwrap());
        let mut display = Display::new(manner, clock, TimeZone::UTC);
        let ahead = Ahead { requests: Some(requests), lasts_ms: None };
        let begun = Event::Begun {
            run: "results/r".into(),
            kind,
            rounds: 2,
            rounds_over: 0,
            targets: vec![(id("a"), ahead), (id("b"), ahead)],
            last_due: None,
            spent: None,
            last_round: None,
        };
        let lines = display.told(&begun);
        (display, lines)
    }

    fn trial(target: &str, came: Came) -> Event {
        Event::Trial { target: id(target), came, words: "0.50 s".into(), spent: None }
    }

    fn json(lines: &[String]) -> Vec<serde_json::Value> {
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_left_takes_as_long_as_the_rate_of_working_time_says() {
        let (mut display, _) = display(Manner::Silent, Kind::Rounds, 4);
        display.told(&Event::Round { round: 1 });
        tokio::time::advance(std::time::Duration::from_secs(10)).await;
        display.told(&trial("a", Came::Ok));
        display.told(&trial("a", Came::Failed));
        display.told(&trial("a", Came::Unscored));
        display.told(&Event::RoundOver { round: 1, targets: vec![], spent: Spent::default() });
        // An hour's rest is not work.
        tokio::time::advance(std::time::Duration::from_secs(3600)).await;
        let counts = display.counts();
        assert_eq!((counts[0].done, counts[0].failed, counts[0].left, counts[0].left_s), (2, 1, Some(2), Some(10.0)));
        assert_eq!((counts[1].done, counts[1].left, counts[1].left_s), (0, Some(4), None), "no rate, no time");
        display.told(&Event::Passed { round: 2, how: crate::cli::progress::Passed::Missed, requests: 2 });
        assert_eq!(display.counts()[0].left, Some(0));
    }

    #[tokio::test(start_paused = true)]
    async fn silence_leaves_what_the_user_has_to_know() {
        let (mut display, begun) = display(Manner::Silent, Kind::Rounds, 4);
        assert!(begun.is_empty() && display.told(&Event::Round { round: 1 }).is_empty() && display.told(&trial("a", Came::Ok)).is_empty());
        let stopped = Event::Stopped { target: id("a"), reason: "HTTP 401".into() };
        assert_eq!(display.told(&stopped), ["a is stopped: HTTP 401"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_load_run_tells_programs_its_counters_once_a_second_and_not_each_request() {
        let (mut display, begun) = display(Manner::Json, Kind::Load, 1000);
        assert_eq!(json(&begun)[0]["targets"][0], serde_json::json!({"target": "a", "requests": 1000}));
        let mut lines = Vec::new();
        for _ in 0..300 {
            tokio::time::advance(std::time::Duration::from_millis(10)).await;
            lines.extend(display.told(&trial("a", Came::Ok)));
        }
        let lines = json(&lines);
        assert!((2..=4).contains(&lines.len()), "three seconds: {lines:?}");
        assert!(lines.iter().all(|line| line["event"] == "tally"));
        let done: Vec<u64> = lines.iter().map(|line| line["counts"][0]["done"].as_u64().unwrap()).collect();
        assert!(done.is_sorted() && *done.last().unwrap() <= 300);
    }
}
