//! Rounds by the calendar: the `schedule:` section of a plan, and the times that it names.

use super::resolve::Blame;
use super::source::{PlanError, Source};
use super::{Patch, Plan, PlanFile};
use crate::record::{Calendar, ClockSpan, NotAClockSpan, minute_of_day, zone};
use croner::Cron;
use croner::errors::CronError;
use croner::parser::{CronParser, Seconds, Year};
use jiff::{Span, Timestamp, civil};
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
/// Words that stand for an expression.
const NICKNAMES: [&str; 6] = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@hourly"];
/// How a length of time is written.
const FOR: &str = "write it as \"30 d\", \"12 h\" or \"90 min\"";
/// A schedule is checked from here on, whenever it is read: 2026 in UTC.
const A_NEW_YEAR: Timestamp = Timestamp::constant(1_767_225_600, 0);
/// Times of a schedule that are looked at for their distance: an hourly one's of a year, which holds every change of the clock.
const A_YEAR_OF_HOURS: usize = 366 * 24;
/// So many times in a row in the quiet hours: there is none outside.
const SKIPPED_AT_MOST: u32 = 20_000;
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
        let shown = |until: Timestamp| match zone(&self.zone) {
            Ok(zone) => format!("{} ({})", until.to_zoned(zone).strftime("%F %H:%M"), self.zone),
            Err(_) => format!("{until:.0}"),
        };
        let end = calendar.until.map(shown).unwrap_or_default();
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

impl Plan {
    /// The plan with the rounds counted that a run made at `created` has before its schedule's end. Plans without one stay as they are.
    pub fn beginning(self, created: jiff::Timestamp, source: Option<Source<'_>>) -> Result<Plan, PlanError> {
        let Some((schedule, ends)) = self.schedule.as_ref().and_then(|schedule| Some((schedule, schedule.ends.as_ref()?))) else {
            return Ok(self);
        };
        let key = match ends {
            Ends::For(_) => "schedule.for",
            Ends::Until(_) => "schedule.until",
        };
        let rounds = schedule.count(created).map_err(|message| PlanError::at(source, key, message))?;
        Ok(Plan { rounds, ..self })
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
        for _ in 0..SKIPPED_AT_MOST {
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
        None
    };
    Ok(std::iter::from_fn(next))
}

fn parse(text: &str) -> Result<Cron, BadCalendar> {
    let bad = |fault: String| BadCalendar::Cron { cron: text.to_owned(), fault };
    match text.split_whitespace().count() {
        1 if NICKNAMES.contains(&text.trim().to_lowercase().as_str()) => {}
        1 if text.trim().starts_with('@') => return Err(bad(format!("known words are {}", NICKNAMES.join(", ")))),
        5 => {}
        6 | 7 => return Err(bad("it has seconds or years, and rounds are planned to the minute".into())),
        fields => return Err(bad(format!("it has {fields} fields, not 5"))),
    }
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    parser.parse(text).map_err(|error| bad(plain(&error)))
}

/// The parser's words without its own name for the kind of fault, and without a full stop.
fn plain(error: &CronError) -> String {
    let words = match error {
        CronError::InvalidPattern(words) | CronError::IllegalCharacters(words) | CronError::ComponentError(words) => words.clone(),
        other => other.to_string(),
    };
    words.trim_end_matches('.').to_owned()
}

/// The schedule of a plan, checked; `counted` where a flag says how many rounds there are, which is stronger than the file's end.
pub(super) fn resolve(file: Option<&ScheduleFile>, counted: bool, source: Option<Source<'_>>) -> Result<Option<Scheduled>, PlanError> {
    let Some(own) = file else { return Ok(None) };
    let fault = |key: &str, message: String| PlanError::at(source, &format!("schedule.{key}"), message);
    let span =
        |(at, text): (usize, &String)| text.parse().map_err(|error: NotAClockSpan| fault(&format!("quiet[{at}]"), error.to_string()));
    let schedule = Scheduled {
        cron: own.cron.split_whitespace().collect::<Vec<&str>>().join(" "),
        zone: own.zone.clone().unwrap_or_else(|| "UTC".into()),
        jitter_s: own.jitter_s.unwrap_or(0),
        late_s: own.late_s.unwrap_or(LATE_S),
        quiet: own.quiet.iter().flatten().enumerate().map(span).collect::<Result<Vec<ClockSpan>, PlanError>>()?,
        ends: match counted {
            true => None,
            false => ends(own).map_err(|(key, message)| fault(key, message))?,
        },
    };
    if !(1..=86_400).contains(&schedule.late_s) {
        return Err(fault("late_s", "a round may begin between 1 and 86400 seconds late; 300 is usual".into()));
    }
    let named = |quiet: &[ClockSpan]| times(&Calendar { until: None, quiet: quiet.to_vec(), ..schedule.calendar(A_NEW_YEAR) });
    match named(&[]).map(|mut times| times.next()) {
        Err(BadCalendar::Zone(error)) => return Err(fault("zone", error.to_string())),
        Err(error) => return Err(fault("cron", error.to_string())),
        Ok(None) => return Err(fault("cron", format!("`{}` names no day that exists", schedule.cron))),
        Ok(Some(_)) => {}
    }
    let Some(distance) = named(&schedule.quiet).ok().and_then(|times| smallest_distance(times, schedule.jitter_s)) else {
        return Err(fault("quiet", "every time of `cron` lies in the quiet hours, so no round is ever due; leave some out".into()));
    };
    if distance <= schedule.jitter_s {
        let most = distance - 1;
        let message = format!("two times of `cron` are {distance} s apart, and a round must not reach the next one's; give at most {most}");
        return Err(fault("jitter_s", message));
    }
    Ok(Some(schedule))
}

/// The rounds of a plan with a schedule; 0 where its end counts them.
pub(super) fn rounds(schedule: &Scheduled, rounds: u32, file: &PlanFile, patch: &Patch, blame: &Blame<'_>) -> Result<u32, PlanError> {
    if file.every_s.is_some_and(|every_s| 0 < every_s) {
        return Err(blame.key("every_s", "`schedule:` says when rounds begin; leave one of the two out"));
    }
    if schedule.ends.is_some() {
        return match file.rounds {
            Some(_) => Err(blame.key("rounds", "the schedule's end counts the rounds; leave this out, or `for` and `until`")),
            None => Ok(0),
        };
    }
    match rounds <= MOST_TIMES {
        true => Ok(rounds),
        false => Err(blame.flag_or(patch.rounds.is_some(), "--rounds", "rounds", format!("a schedule has at most {MOST_TIMES} rounds"))),
    }
}

/// The schedule's end, or the key at fault and a message.
fn ends(own: &ScheduleFile) -> Result<Option<Ends>, (&'static str, String)> {
    match (&own.lasts, &own.until) {
        (Some(_), Some(_)) => Err(("until", "`for` says when the schedule ends; leave one of the two out".into())),
        (Some(text), None) => {
            let span: Span = text.parse().map_err(|_| ("for", format!("{text:?} is no length of time; {FOR}")))?;
            // Days and months have their lengths by the calendar, and any day serves to see that there is a length at all.
            let end = A_NEW_YEAR.to_zoned(jiff::tz::TimeZone::UTC).checked_add(span).map(|end| end.timestamp());
            match end {
                Ok(end) if A_NEW_YEAR < end => Ok(Some(Ends::For(format!("{span:#}")))),
                _ => Err(("for", format!("{text:?} leads to no later time; {FOR}"))),
            }
        }
        (None, Some(text)) => {
            // A time with an offset of its own would be read without it.
            let of_the_zone = !text.get(10..).is_some_and(|time| time.contains(['+', '-', 'Z', 'z', '[']));
            let at = text.parse::<civil::DateTime>().ok().filter(|_| of_the_zone);
            let at = at.ok_or_else(|| ("until", format!("{text:?} is no time of the zone's clock; write it as \"2026-12-24T00:00\"")))?;
            Ok(Some(Ends::Until(at)))
        }
        (None, None) => Ok(None),
    }
}

/// Seconds between the two times of a year that are nearest to each other; looked for no further than one that is not above `enough`. A
/// single time is as far from the next as can be; none where there is no time at all.
fn smallest_distance(mut times: impl Iterator<Item = Timestamp>, enough: u64) -> Option<u64> {
    let (mut last, mut smallest) = (times.next()?, u64::MAX);
    for time in times.take(A_YEAR_OF_HOURS).take_while(|_| 0 < enough) {
        smallest = smallest.min((time.as_second() - last.as_second()).unsigned_abs());
        last = time;
        if smallest <= enough {
            break;
        }
    }
    Some(smallest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Dataset;

    fn schedule_of(text: &str) -> Result<Scheduled, String> {
        let text = format!("name: x\nschedule:\n{text}");
        let source = Source { file: "plan.yaml", text: &text };
        let file = PlanFile::parse(source).map_err(|error| error.to_string())?;
        resolve(file.schedule.as_ref(), false, Some(source)).map_err(|error| error.to_string()).map(Option::unwrap)
    }

    fn plan_of(text: &str, patch: &Patch) -> Result<Plan, String> {
        let source = Source { file: "plan.yaml", text };
        let file = PlanFile::parse(source).map_err(|error| error.to_string())?;
        crate::plan::resolve(file, patch, Some(source), &Dataset::builtin("short-en").unwrap()).map_err(|error| error.to_string())
    }

    /// The times from `from` on, as the zone's clock shows them.
    fn shown(text: &str, from: &str, count: usize) -> Vec<String> {
        let schedule = schedule_of(text).unwrap();
        let zone = zone(&schedule.zone).unwrap();
        let calendar = schedule.calendar(from.parse().unwrap());
        times(&calendar).unwrap().take(count).map(|time| time.to_zoned(zone.clone()).strftime("%d %H:%M%:z").to_string()).collect()
    }

    #[test]
    fn times_are_read_on_the_clock_of_the_zone() {
        let daily = "  cron: \"17 9 * * MON-FRI\"\n  zone: Asia/Shanghai\n";
        assert_eq!(shown(daily, "2026-11-27T00:00:00Z", 2), ["27 09:17+08:00", "30 09:17+08:00"]);
        assert_eq!(shown("  cron: \"0 9 * * MON#1\"\n", "2026-11-27T00:00:00Z", 2), ["07 09:00+00:00", "04 09:00+00:00"]);
        let either = shown("  cron: \"0 9 28 * SUN\"\n", "2026-11-27T00:00:00Z", 3);
        assert_eq!(either, ["28 09:00+00:00", "29 09:00+00:00", "06 09:00+00:00"]);
        assert_eq!(shown("  cron: \"@hourly\"\n", "2026-11-27T10:00:59Z", 2), ["27 10:00+00:00", "27 11:00+00:00"]);
    }

    #[test]
    fn a_time_that_is_left_out_is_the_first_moment_after_and_one_that_occurs_twice_is_taken_once() {
        let night = "  cron: \"30 2 * * *\"\n  zone: Europe/Berlin\n";
        assert_eq!(shown(night, "2026-03-28T00:00:00Z", 3), ["28 02:30+01:00", "29 03:00+02:00", "30 02:30+02:00"]);
        assert_eq!(shown(night, "2026-10-24T00:00:00Z", 3), ["24 02:30+02:00", "25 02:30+02:00", "26 02:30+01:00"]);
    }

    #[test]
    fn an_hour_that_is_left_out_has_no_times_and_one_that_occurs_twice_has_them_twice() {
        let hourly = "  cron: \"30 * * * *\"\n  zone: Europe/Berlin\n";
        assert_eq!(shown(hourly, "2026-03-29T00:00:00Z", 3), ["29 01:30+01:00", "29 03:30+02:00", "29 04:30+02:00"]);
        let autumn = shown(hourly, "2026-10-24T23:00:00Z", 4);
        assert_eq!(autumn, ["25 01:30+02:00", "25 02:30+02:00", "25 02:30+01:00", "25 03:30+01:00"]);
    }

    #[test]
    fn no_time_lies_in_the_quiet_hours() {
        let quiet = "  cron: \"@hourly\"\n  quiet: [\"22:00-05:00\"]\n";
        assert_eq!(shown(quiet, "2026-11-27T20:30:00Z", 3), ["27 21:00+00:00", "28 05:00+00:00", "28 06:00+00:00"]);
    }

    #[test]
    fn a_length_of_days_goes_by_the_calendar_and_an_end_by_the_zones_clock() {
        // Thirty days over the end of summer time are thirty days and an hour.
        let berlin = "  cron: \"@hourly\"\n  zone: Europe/Berlin\n";
        let from: Timestamp = "2026-10-09T22:00:00Z".parse().unwrap();
        assert_eq!(schedule_of(&format!("{berlin}  for: 30 d\n")).unwrap().count(from), Ok(30 * 24 + 1));
        for (length, times) in [("90 min", 2), ("12 h", 12), ("2 w", 14 * 24), ("1 mo", 31 * 24 + 1)] {
            assert_eq!(schedule_of(&format!("{berlin}  for: {length}\n")).unwrap().count(from), Ok(times), "{length}");
        }
        let until = schedule_of(&format!("{berlin}  until: 2026-10-11T00:00\n")).unwrap();
        assert_eq!((until.count(from), until.calendar(from).until.unwrap().to_string()), (Ok(24), "2026-10-10T22:00:00Z".into()));
        let past = until.count("2026-10-12T00:00:00Z".parse().unwrap()).unwrap_err();
        assert!(
            past.contains("no time of the schedule lies between now and its end at 2026-10-11 00:00 (Europe/Berlin); set a later end"),
            "{past}"
        );
        let many = schedule_of("  cron: \"* * * * *\"\n  for: 100 d\n").unwrap().count(from).unwrap_err();
        assert!(many.starts_with("more than 100000 rounds lie before the end"), "{many}");
    }

    #[test]
    fn a_schedule_takes_the_place_of_slots_and_its_end_that_of_rounds() {
        let schedule = "schedule:\n  cron: \"17 * * * *\"\n";
        let plan = |text: &str, patch: &Patch| plan_of(&format!("targets: [a/b]\n{text}"), patch);
        let publish = plan(&format!("preset: publish\n{schedule}"), &Patch::default()).unwrap();
        assert_eq!((publish.rounds, publish.prompts.len(), publish.every_s, publish.preset), (72, 10, 0, None));
        let month = plan(&format!("preset: publish\n{schedule}  for: 30 d\n"), &Patch::default()).unwrap();
        assert_eq!((month.rounds, month.prompts.len(), month.every_s), (0, 10, 0));
        let shorter = Patch { rounds: Some(5), ..Patch::default() };
        let five = plan(&format!("{schedule}  for: 30 d\n"), &shorter).unwrap();
        assert_eq!((five.rounds, five.schedule.unwrap().ends), (5, None), "a flag is stronger than the file's end");

        let error = |text: &str| plan(text, &Patch::default()).unwrap_err();
        let both = error(&format!("every_s: 3600\n{schedule}"));
        assert!(both.starts_with("plan.yaml:2: every_s: `schedule:` says when rounds begin; leave one of the two out"), "{both}");
        let counted = error(&format!("rounds: 9\n{schedule}  for: 30 d\n"));
        assert!(counted.starts_with("plan.yaml:2: rounds: the schedule's end counts the rounds"), "{counted}");
        assert!(error(&format!("rounds: 200000\n{schedule}")).contains("rounds: a schedule has at most 100000 rounds"));
    }

    #[test]
    fn faults_name_line_key_and_remedy() {
        let error = |text: &str| schedule_of(text).unwrap_err();
        let cron = "  cron: \"17 * * * *\"\n";
        assert!(error("  zone: UTC\n").starts_with("plan.yaml:2: schedule.cron: `` is no cron expression: it has 0 fields, not 5; write"));
        let seconds = error("  cron: \"0 17 * * * *\"\n");
        assert!(
            seconds.starts_with("plan.yaml:3: schedule.cron: `0 17 * * * *` is no cron expression: it has seconds or years"),
            "{seconds}"
        );
        assert!(error("  cron: \"61 * * * *\"\n").starts_with("plan.yaml:3: schedule.cron: `61 * * * *` is no cron expression: "));
        assert!(error("  cron: \"@often\"\n").contains("known words are @yearly"));
        assert!(error("  cron: \"0 0 30 2 *\"\n").starts_with("plan.yaml:3: schedule.cron: `0 0 30 2 *` names no day that exists"));
        assert!(error(&format!("{cron}  zone: Asia/Shangai\n")).starts_with("plan.yaml:4: schedule.zone: `Asia/Shangai` is no time zone"));
        assert!(error(&format!("{cron}  for: 30\n")).starts_with("plan.yaml:4: schedule.for: "));
        assert!(error(&format!("{cron}  for: a while\n")).contains("schedule.for: \"a while\" is no length of time; write it as \"30 d\""));
        assert!(error(&format!("{cron}  for: -3 d\n")).contains("schedule.for: \"-3 d\" leads to no later time"));
        assert!(error(&format!("{cron}  until: tomorrow\n")).contains("schedule.until: \"tomorrow\" is no time of the zone's clock"));
        assert!(error(&format!("{cron}  until: 2026-12-24T00:00+08:00\n")).contains("is no time of the zone's clock"));
        assert!(error(&format!("{cron}  for: 3 d\n  until: 2026-12-24\n")).starts_with("plan.yaml:5: schedule.until: `for` says"));
        assert!(error(&format!("{cron}  quiet: [\"9 to 12\"]\n")).contains("schedule.quiet[0]: \"9 to 12\" is no time of the day"));
        assert!(
            error(&format!("{cron}  quiet: [\"00:00-24:00\"]\n")).starts_with("plan.yaml:4: schedule.quiet: every time of `cron` lies")
        );
        assert!(error(&format!("{cron}  late_s: 0\n")).starts_with("plan.yaml:4: schedule.late_s: a round may begin between"));
        let jitter = error(&format!("{cron}  jitter_s: 3600\n"));
        assert!(
            jitter.contains("two times of `cron` are 3600 s apart, and a round must not reach the next one's; give at most 3599"),
            "{jitter}"
        );
        assert!(error(&format!("{cron}  jiter_s: 1\n")).contains("schedule.jiter_s: unknown key; did you mean `jitter_s`?"));
        // On the day that the clock goes forward two times come nearer to each other.
        let berlin = "  cron: \"0 1,4 * * *\"\n  zone: Europe/Berlin\n  jitter_s: 7200\n";
        assert!(error(berlin).contains("are 7200 s apart"));
    }
}
