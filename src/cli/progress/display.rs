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
        self.tallies.iter().map(|tally| tally.counts(now)).collect()
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
            Event::Begun { kind, rounds, targets, last_due, .. } => {
                (self.kind, self.rounds, self.last_due) = (*kind, *rounds, *last_due);
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
            Event::Held { targets, until } => {
                let names: Vec<&str> = targets.iter().map(TargetId::as_str).collect();
                vec![format!("waiting until {until:.0} for the pace of {}", names.join(", "))]
            }
            // Nothing was left of it to be asked.
            Event::RoundOver { targets, .. } if targets.is_empty() => vec![],
            Event::RoundOver { round, targets, spent } => {
                let first =
                    format!("round {round} of {rounds}, {} · so far {}", words::moment(self.clock.wall(), &self.zone), words::spent(spent));
                [first].into_iter().chain(words::round_over(targets)).collect()
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
        let (title, counts) = (self.title(), self.counts());
        if let Some(bars) = &self.bars {
            bars.draw(&title, &counts);
        }
    }

    /// The line above the bars: what is going on, what is used, how long it takes.
    fn title(&self) -> String {
        let doing = match &self.now {
            Doing::Starting => "starting".into(),
            Doing::Waiting { round, until } => words::waiting(*round, self.rounds, *until, self.clock.wall(), &self.zone),
            Doing::Round(round) => format!("round {round}/{}", self.rounds),
            Doing::Stage(title) => title.clone(),
        };
        let mut parts = vec![doing];
        if !matches!(self.now, Doing::Waiting { .. }) {
            parts.extend(self.left_s().map(|left| format!("{} left", words::span(left))));
            parts.extend(Some(self.last_words.clone()).filter(|words| !words.is_empty()));
        } else {
            parts.extend(self.spent.as_ref().map(words::spent));
        }
        parts.join(" · ")
    }

    /// Until the end, seconds: by the schedule, or at the rate so far. Targets of a round work together, those of a load run in turn.
    fn left_s(&self) -> Option<f64> {
        if let Some(last) = self.last_due {
            return Some(last.duration_since(self.clock.wall()).as_secs_f64()).filter(|left| 0.0 < *left);
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
