//! A calendar in the words of systemd.time(7).
//!
//! systemd reads times on a zone's clock as croner does, but for the days on which the clock changes: it has no time of the day that the
//! clock leaves out, and of an hour that occurs twice it has one only. What it would leave out is added as moments of their own.

use super::clocks;
use super::fields::{Days, Fields, ranges};
use super::{DeployError, Entry};
use crate::record::Calendar;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};

const SCHEDULER: &str = "systemd";
const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/// The values of `OnCalendar=`, one a line, that have every time of a calendar up to `until`.
pub fn on_calendar(calendar: &Calendar, until: Timestamp) -> Result<Vec<String>, DeployError> {
    let fields = Fields::of(&calendar.cron, SCHEDULER)?;
    let mut lines = recurring(&fields, &calendar.zone);
    let left_out = clocks::odd(calendar, &fields, until)?;
    lines.extend(moments(left_out.into_iter().map(|(time, _)| time)));
    Ok(lines)
}

/// The same for an entry, until its last round may have been, and a while longer.
pub(super) fn of_entry(entry: &Entry) -> Result<Vec<String>, DeployError> {
    on_calendar(&entry.calendar, clocks::end(&entry.calendar, entry.rounds)?)
}

fn recurring(fields: &Fields, zone: &str) -> Vec<String> {
    let two = |value: u8| format!("{value:02}");
    let months = ranges(&fields.months, 1, 12, "..", two);
    let clock = format!("{}:{}:00 {zone}", ranges(&fields.hours, 0, 23, "..", two), ranges(&fields.minutes, 0, 59, "..", two));
    let of_month = |days: &[u8]| format!("*-{months}-{} {clock}", ranges(days, 1, 31, "..", two));
    let of_week = |weekdays: &[u8]| match ranges(&weekdays_from_monday(weekdays), 1, 7, "..", weekday).as_str() {
        "*" => String::new(),
        names => format!("{names} "),
    };
    match &fields.days {
        Days::Every => vec![format!("*-{months}-* {clock}")],
        Days::OfMonth(days) => vec![of_month(days)],
        Days::OfWeek(weekdays) => vec![format!("{}*-{months}-* {clock}", of_week(weekdays))],
        Days::Either(days, weekdays) => vec![of_month(days), format!("{}*-{months}-* {clock}", of_week(weekdays))],
        Days::Both(days, weekdays) => vec![format!("{}{}", of_week(weekdays), of_month(days))],
    }
}

/// systemd's week begins on Monday, and a range must not run over its end.
fn weekdays_from_monday(weekdays: &[u8]) -> Vec<u8> {
    let mut from_monday: Vec<u8> = weekdays.iter().map(|day| if *day == 0 { 7 } else { *day }).collect();
    from_monday.sort_unstable();
    from_monday
}

fn weekday(day: u8) -> String {
    WEEKDAYS[usize::from(day % 7)].to_owned()
}

/// Moments in UTC, those of an hour in one line.
fn moments(times: impl Iterator<Item = Timestamp>) -> Vec<String> {
    let mut hours: BTreeMap<(Date, i8), BTreeSet<u8>> = BTreeMap::new();
    for time in times {
        let utc = TimeZone::UTC.to_datetime(time);
        hours.entry((utc.date(), utc.hour())).or_default().insert(utc.minute().unsigned_abs());
    }
    let line = |((date, hour), minutes): ((Date, i8), BTreeSet<u8>)| {
        let minutes: Vec<u8> = minutes.into_iter().collect();
        format!("{date} {hour:02}:{}:00 UTC", ranges(&minutes, 0, 59, "..", |minute| format!("{minute:02}")))
    };
    hours.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(cron: &str, zone: &str) -> Vec<String> {
        let from: Timestamp = "2026-07-01T00:00:00Z".parse().unwrap();
        let calendar = Calendar { cron: cron.into(), zone: zone.into(), jitter_s: 0, late_s: 300, from, until: None, quiet: vec![] };
        on_calendar(&calendar, "2027-05-01T00:00:00Z".parse().unwrap()).unwrap()
    }

    #[test]
    fn lists_ranges_steps_and_names_are_written_as_systemd_writes_them() {
        assert_eq!(lines("17 * * * *", "Asia/Shanghai"), ["*-*-* *:17:00 Asia/Shanghai"]);
        assert_eq!(lines("*/15 9-17 * * mon-fri", "UTC"), ["Mon..Fri *-*-* 09..17:00,15,30,45:00 UTC"]);
        assert_eq!(lines("0 6 * * sun,fri,sat", "UTC"), ["Fri..Sun *-*-* 06:00:00 UTC"]);
        assert_eq!(lines("@yearly", "UTC"), ["*-01-01 00:00:00 UTC"]);
    }

    #[test]
    fn a_day_of_the_month_or_of_the_week_is_two_lines_and_both_is_one() {
        assert_eq!(lines("0 0 1,15 3 mon", "UTC"), ["*-03-01,15 00:00:00 UTC", "Mon *-03-* 00:00:00 UTC"]);
        assert_eq!(lines("0 0 13 * +fri", "UTC"), ["Fri *-*-13 00:00:00 UTC"]);
    }

    #[test]
    fn what_a_change_of_the_clock_hides_from_systemd_is_added() {
        // The clock goes from 3:00 back to 2:00 on 25 October, and from 2:00 to 3:00 on 28 March.
        assert_eq!(lines("17 * * * *", "Europe/Berlin"), ["*-*-* *:17:00 Europe/Berlin", "2026-10-25 01:17:00 UTC"]);
        assert_eq!(lines("30 2 * * *", "Europe/Berlin"), ["*-*-* 02:30:00 Europe/Berlin", "2027-03-28 01:00:00 UTC"]);
        assert_eq!(lines("30 4 * * *", "Europe/Berlin"), ["*-*-* 04:30:00 Europe/Berlin"]);
    }
}
