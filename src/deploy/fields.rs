//! A cron expression as sets of numbers: what other schedulers' own languages are written from.

use super::DeployError;
use crate::plan::BadCalendar;
use croner::parser::{CronParser, Seconds, Year};
use croner::{Cron, CronComponent};

/// The numbers that an expression names, each list in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields {
    /// 0 to 59.
    pub minutes: Vec<u8>,
    /// 0 to 23.
    pub hours: Vec<u8>,
    /// Which days.
    pub days: Days,
    /// 1 to 12.
    pub months: Vec<u8>,
}

/// Which days of a month: by number from 1 to 31, by weekday from 0 (Sunday) to 6.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Days {
    /// All.
    Every,
    /// By number.
    OfMonth(Vec<u8>),
    /// By weekday.
    OfWeek(Vec<u8>),
    /// Either will do, as cron takes them where both fields are restricted.
    Either(Vec<u8>, Vec<u8>),
    /// Both must fit (`+` before the weekdays).
    Both(Vec<u8>, Vec<u8>),
}

/// The bit by which croner marks a number that stands in a field as such.
const PLAIN: u8 = 1;

impl Fields {
    /// The sets of an expression of five fields or a nickname. Forms that are no sets of numbers (`L`, `W`, `#`) are refused, and
    /// `scheduler` is told as the one that does not know them.
    pub fn of(cron: &str, scheduler: &'static str) -> Result<Fields, DeployError> {
        let parsed = parse(cron)?;
        let written: Vec<&str> = cron.split_whitespace().collect();
        for (at, field, letters) in [(2, "day of the month", ['L', 'W']), (4, "day of the week", ['L', '#'])] {
            // No weekday's name holds an L or a #, and the day of the month knows no names.
            let part = written.get(at).filter(|part| 1 < written.len() && part.to_uppercase().contains(letters));
            if let Some(part) = part {
                return Err(DeployError::Days { cron: cron.to_owned(), scheduler, part: (*part).to_owned(), field });
            }
        }
        let pattern = &parsed.pattern;
        let (of_month, of_week) = (set(&pattern.days, 1, 31), set(&pattern.days_of_week, 0, 6));
        let every_month = pattern.is_dom_wildcard() || of_month.len() == 31;
        let every_week = pattern.is_dow_wildcard() || of_week.len() == 7;
        let both = pattern.matches_dom_and_dow();
        let days = match (pattern.is_dom_wildcard(), pattern.is_dow_wildcard()) {
            (true, true) => Days::Every,
            (true, false) if every_week => Days::Every,
            (true, false) => Days::OfWeek(of_week),
            (false, true) if every_month => Days::Every,
            (false, true) => Days::OfMonth(of_month),
            (false, false) if both => Days::Both(of_month, of_week),
            (false, false) if every_month || every_week => Days::Every,
            (false, false) => Days::Either(of_month, of_week),
        };
        Ok(Fields { minutes: set(&pattern.minutes, 0, 59), hours: set(&pattern.hours, 0, 23), days, months: set(&pattern.months, 1, 12) })
    }

    /// Whether a time of the clock is one of these, by minute and hour.
    pub fn holds(&self, hour: i8, minute: i8) -> bool {
        self.hours.contains(&hour.unsigned_abs()) && self.minutes.contains(&minute.unsigned_abs())
    }

    /// Five fields in the plain form that every cron reads: numbers and ranges, no names, no steps. Days that must fit both ways have
    /// no such form.
    pub fn plain(&self, cron: &str, scheduler: &'static str) -> Result<String, DeployError> {
        let of_month = |days: &[u8]| ranges(days, 1, 31, "-", |day| day.to_string());
        let of_week = |days: &[u8]| ranges(days, 0, 6, "-", |day| day.to_string());
        let (day, weekday) = match &self.days {
            Days::Every => ("*".to_owned(), "*".to_owned()),
            Days::OfMonth(days) => (of_month(days), "*".to_owned()),
            Days::OfWeek(days) => ("*".to_owned(), of_week(days)),
            Days::Either(days, weekdays) => (of_month(days), of_week(weekdays)),
            Days::Both(..) => {
                let part = cron.split_whitespace().nth(4).unwrap_or_default().to_owned();
                return Err(DeployError::Days { cron: cron.to_owned(), scheduler, part, field: "day of the week" });
            }
        };
        let (minutes, hours) = (minutes(&self.minutes), ranges(&self.hours, 0, 23, "-", |hour| hour.to_string()));
        Ok(format!("{minutes} {hours} {day} {} {weekday}", ranges(&self.months, 1, 12, "-", |month| month.to_string())))
    }
}

/// Minutes of an hour as cron writes them.
pub(super) fn minutes(minutes: &[u8]) -> String {
    ranges(minutes, 0, 59, "-", |minute| minute.to_string())
}

/// The expression in croner's own form.
pub(super) fn parse(cron: &str) -> Result<Cron, BadCalendar> {
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    parser.parse(cron).map_err(|error| BadCalendar::Cron { cron: cron.to_owned(), fault: error.to_string() })
}

fn set(component: &CronComponent, from: u16, to: u16) -> Vec<u8> {
    (from..=to).filter(|at| component.is_bit_set(*at, PLAIN).unwrap_or(false)).map(|at| at as u8).collect()
}

/// A list of numbers with its runs of three and more drawn together; `*` where it is all of them.
pub(super) fn ranges(values: &[u8], from: u8, to: u8, dash: &str, shown: impl Fn(u8) -> String) -> String {
    if values.len() == usize::from(to - from) + 1 {
        return "*".to_owned();
    }
    let mut parts = Vec::new();
    for run in values.chunk_by(|a, b| a + 1 == *b) {
        match run {
            [first, .., last] if 3 <= run.len() => parts.push(format!("{}{dash}{}", shown(*first), shown(*last))),
            few => parts.extend(few.iter().map(|value| shown(*value))),
        }
    }
    parts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(cron: &str) -> String {
        Fields::of(cron, "cron").and_then(|fields| fields.plain(cron, "cron")).unwrap_or_else(|error| error.to_string())
    }

    #[test]
    fn every_form_becomes_numbers_that_every_cron_reads() {
        for (cron, expected) in [
            ("17 * * * *", "17 * * * *"),
            ("@hourly", "0 * * * *"),
            ("@weekly", "0 0 * * 0"),
            ("*/20 9-17/2 * jan,MAR-may mon-FRI", "0,20,40 9,11,13,15,17 * 1,3-5 1-5"),
            ("0 0 1,15 * 7", "0 0 1,15 * 0"),
            ("0 0 * * 0-7", "0 0 * * *"),
            ("0 0 */2 * 1", "0 0 1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31 * 1"),
            ("0 0 1-31 * 1", "0 0 * * *"),
            ("0 0 ? * ?", "0 0 * * *"),
            ("5,6,7,9 0 * JUL wed", "5-7,9 0 * 7 3"),
        ] {
            assert_eq!(plain(cron), expected, "{cron}");
        }
    }

    #[test]
    fn what_is_no_set_of_numbers_is_refused_with_the_remedy() {
        for (cron, part, field) in [
            ("0 0 L * *", "`L`", "day of the month"),
            ("0 0 15W * *", "`15W`", "day of the month"),
            ("0 0 * * FRI#2", "`FRI#2`", "day of the week"),
            ("0 0 * * 5L", "`5L`", "day of the week"),
            ("0 0 13 * +FRI", "`+FRI`", "day of the week"),
        ] {
            let told = plain(cron);
            assert!(
                told.contains(part) && told.contains(field) && told.contains("plain numbers") && told.contains("photofinish watch"),
                "{told}"
            );
        }
    }
}
