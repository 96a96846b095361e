//! Rounds by the calendar: the `schedule:` section of a plan, and the times that it names.

use super::source::{PlanError, Source};
use crate::record::{Calendar, ClockSpan, NotAClockSpan, minute_of_day, zone};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::{Span, Timestamp, Zoned, civil};
use serde::{Deserialize, Serialize};

/// The section as a user writes it. What is left out has its default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleFile {
    /// Minute, hour, day of month, month, day of week; or `@hourly`, `@daily` …
    #[serde(default)]
    pub cron: String,
    /// IANA name of the zone on whose clock `cron`, `quiet` and `until` are read; default UTC.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub zone: Option<String>,
    /// A round begins up to so many seconds after its time; default 0.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub jitter_s: Option<u64>,
    /// How long the schedule goes on, such as `30 d`.
    #[serde(rename = "for", skip_serializing_if = "Option::is_none", default)]
    pub lasts: Option<String>,
    /// When it ends, such as `2026-12-24T00:00`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until: Option<String>,
    /// Times of the day, as `01:00-05:00`, in which no round is due.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub quiet: Option<Vec<String>>,
    /// A round that cannot begin within so many seconds of its moment is missed; default 300.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub late_s: Option<u64>,
}

/// A schedule, checked. When it begins is not its own: that is when a run is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Scheduled {
    /// The cron expression as written.
    pub cron: String,
    /// IANA name of the zone.
    pub zone: String,
    /// A round begins up to so many seconds after its time.
    pub jitter_s: u64,
    /// A round that cannot begin within so many seconds of its moment is missed.
    pub late_s: u64,
    /// Its end; none where the plan counts rounds.
    pub ends: Option<Ends>,
    /// Times of the zone's day in which no round is due.
    pub quiet: Vec<ClockSpan>,
}

/// When a schedule ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ends {
    /// So long after the run was made, by the zone's calendar: `30d` ends at the same time of the day.
    For(String),
    /// At a time of the zone's clock.
    Until(civil::DateTime),
}

/// A calendar that cannot be read, or that names no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadCalendar {
    /// The cron expression.
    #[error("`{cron}` is no cron expression: {fault}; write minute, hour, day of month, month, day of week, such as \"17 * * * *\"")]
    Cron {
        /// As written.
        cron: String,
        /// What is wrong with it.
        fault: String,
    },
    /// The zone.
    #[error(transparent)]
    Zone(#[from] crate::record::UnknownZone),
}

/// The most rounds that a schedule may have: one a minute for more than two months.
pub const MOST_TIMES: u32 = 100_000;
/// Seconds by which a round may begin late, where the plan does not say.
const LATE_S: u64 = 300;
/// How far ahead the next time is looked for: 29 February comes every fourth year, or every eighth.
const HORIZON_YEARS: i32 = 9;

impl ScheduleFile {
    /// A schedule as a file says it.
    pub fn of(schedule: &Scheduled) -> ScheduleFile {
        let (lasts, until) = match &schedule.ends {
            None => (None, None),
            Some(Ends::For(span)) => (Some(span.clone()), None),
            Some(Ends::Until(at)) => (None, Some(at.to_string())),
        };
        let quiet: Vec<String> = schedule.quiet.iter().map(ClockSpan::to_string).collect();
        ScheduleFile {
            cron: schedule.cron.clone(),
            zone: Some(schedule.zone.clone()),
            jitter_s: Some(schedule.jitter_s),
            lasts,
            until,
            quiet: (!quiet.is_empty()).then_some(quiet),
            late_s: Some(schedule.late_s),
        }
    }
}

impl Scheduled {
    /// The calendar of a run made at `created`. Times count from the beginning of that minute, since a process that cron starts for a time
    /// comes a moment after it.
    pub fn calendar(&self, created: Timestamp) -> Calendar {
        let past_the_minute = created.as_nanosecond().rem_euclid(60_000_000_000);
        let from = Timestamp::from_nanosecond(created.as_nanosecond() - past_the_minute).unwrap_or(created);
        Calendar {
            cron: self.cron.clone(),
            zone: self.zone.clone(),
            jitter_s: self.jitter_s,
            late_s: self.late_s,
            from,
            until: self.ends.as_ref().map(|ends| self.end(ends, from)),
            quiet: self.quiet.clone(),
        }
    }

    /// How many times lie before the end in a run made at `created`; or what is wrong with that number.
    pub fn count(&self, created: Timestamp) -> Result<u32, String> {
        let calendar = self.calendar(created);
        let count = times(&calendar).map_err(|error| error.to_string())?.take(MOST_TIMES as usize + 1).count() as u32;
        let end = calendar.until.map(|until| format!("{until:.0}")).unwrap_or_default();
        match count {
            0 => Err(format!("no time of the schedule lies between now and its end at {end}; set a later end")),
            count if count <= MOST_TIMES => Ok(count),
            _ => Err(format!("more than {MOST_TIMES} rounds lie before the end at {end}; set an earlier end, or fewer times")),
        }
    }

    fn end(&self, ends: &Ends, from: Timestamp) -> Timestamp {
        let Ok(zone) = zone(&self.zone) else { return Timestamp::MAX };
        let end = match ends {
            Ends::For(span) => span.parse::<Span>().and_then(|span| from.to_zoned(zone).checked_add(span)),
            Ends::Until(at) => at.to_zoned(zone),
        };
        end.map_or(Timestamp::MAX, |end| end.timestamp())
    }
}

/// The times of a calendar in order. On a day on which the clock leaves an hour out, a time of the day that lies in it (`30 2 * * *`) is
/// the first moment after it, and a recurring one (`*/10 * * * *`) has no times in it; where the clock repeats an hour, a time of the day
/// comes once, at first, and a recurring one in both.
pub fn times(calendar: &Calendar) -> Result<impl Iterator<Item = Timestamp> + use<>, BadCalendar> {
    let (cron, zone) = (parse(&calendar.cron)?, zone(&calendar.zone)?);
    let (from, until, quiet) = (calendar.from, calendar.until.unwrap_or(Timestamp::MAX), calendar.quiet.clone());
    let (mut at, mut first, mut last) = (from.to_zoned(zone.clone()), true, from.to_zoned(zone.clone()));
    let next = move || {
        loop {
            at = cron.find_next_occurrence(&at, std::mem::take(&mut first)).ok()?;
            if until <= at.timestamp() || HORIZON_YEARS < i32::from(at.year()) - i32::from(last.year()) {
                return None;
            }
            let minute = minute_of_day(at.timestamp(), &zone);
            if from <= at.timestamp() && !quiet.iter().any(|span| span.holds(minute)) {
                last = at.clone();
                return Some(at.timestamp());
            }
        }
    };
    Ok(std::iter::from_fn(next))
}

fn parse(text: &str) -> Result<Cron, BadCalendar> {
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    parser.parse(text).map_err(|error| BadCalendar::Cron { cron: text.to_owned(), fault: error.to_string() })
}

/// The schedule of a plan, checked; `counted` where a flag says how many rounds there are, which is stronger than the file's end.
pub(super) fn resolve(file: Option<&ScheduleFile>, counted: bool, source: Option<Source<'_>>) -> Result<Option<Scheduled>, PlanError> {
    let Some(own) = file else { return Ok(None) };
    let fault = |key: &str, message: String| PlanError::at(source, &format!("schedule.{key}"), message);
    let _ = (own, counted, LATE_S, &fault, Zoned::default(), None::<NotAClockSpan>);
    Err(fault("", "not yet".into()))
}
