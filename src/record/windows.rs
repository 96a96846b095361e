//! Times of the day that a plan fixes beforehand, so that "at the peak it is slower" cannot be found by looking for the slowest hour.

use serde::{Deserialize, Serialize};
use std::str::FromStr;

const DAY: u16 = 24 * 60;

/// The windows whose difference is tested. Fixed in the plan, stored in the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Windows {
    /// IANA name of the zone whose clock they are read on.
    pub zone: String,
    /// When much is asked of the providers.
    pub peak: Vec<ClockSpan>,
    /// When little is.
    pub off_peak: Vec<ClockSpan>,
}

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Window {
    /// When much is asked of the providers.
    Peak,
    /// When little is.
    OffPeak,
}

/// From a time of the local clock up to, and without, another; over midnight where the second is the earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClockSpan {
    from: u16,
    to: u16,
}

/// A text that is no span of the clock.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no time of the day; write it as \"09:00-12:00\", or \"22:00-02:00\" over midnight")]
pub struct NotAClockSpan(String);

/// A name that is no zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is no time zone that is known here{}; give an IANA name such as Asia/Shanghai or UTC",
        near.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
pub struct UnknownZone {
    /// The name as given.
    pub name: String,
    /// The nearest name that is known, where one is near.
    pub near: Option<String>,
}

impl Default for Windows {
    /// Beijing's working hours and evening against its night: most of the providers compared here are asked from China.
    fn default() -> Windows {
        let hours = |from: u16, to: u16| ClockSpan { from: from * 60, to: to * 60 };
        Windows { zone: "Asia/Shanghai".into(), peak: vec![hours(9, 12), hours(14, 18), hours(20, 23)], off_peak: vec![hours(0, 7)] }
    }
}

impl Windows {
    /// Whether these are the windows of a plan that says nothing of them.
    pub fn is_default(&self) -> bool {
        *self == Windows::default()
    }

    /// The window that a moment lies in, by the zone's own clock. `zone` is that of [`Windows::zone`].
    pub fn at(&self, moment: jiff::Timestamp, zone: &jiff::tz::TimeZone) -> Option<Window> {
        self.holds(minute_of_day(moment, zone))
    }

    /// The window that a minute of the day lies in, counted from local midnight.
    pub fn holds(&self, minute: u16) -> Option<Window> {
        let within = |spans: &[ClockSpan]| spans.iter().any(|span| span.holds(minute));
        match (within(&self.peak), within(&self.off_peak)) {
            (true, false) => Some(Window::Peak),
            (false, true) => Some(Window::OffPeak),
            _ => None,
        }
    }

    /// A minute of the day that stands in both windows, if there is one.
    pub fn overlap(&self) -> Option<String> {
        let both = |minute: &u16| [&self.peak, &self.off_peak].iter().all(|spans| spans.iter().any(|span| span.holds(*minute)));
        (0..DAY).find(both).map(clock)
    }
}

impl ClockSpan {
    /// Whether a minute of the day, counted from local midnight, lies inside.
    pub const fn holds(self, minute: u16) -> bool {
        if self.from < self.to { self.from <= minute && minute < self.to } else { self.from <= minute || minute < self.to }
    }
}

impl FromStr for ClockSpan {
    type Err = NotAClockSpan;
    fn from_str(text: &str) -> Result<ClockSpan, NotAClockSpan> {
        let bad = || NotAClockSpan(text.to_owned());
        let (from, to) = text.split_once(['-', '–']).ok_or_else(bad)?;
        let (from, to) = minute_of(from).zip(minute_of(to)).ok_or_else(bad)?;
        // A span of no length, or one that begins when the day is over, would hold nothing.
        if from == to || from == DAY { Err(bad()) } else { Ok(ClockSpan { from, to }) }
    }
}

impl std::fmt::Display for ClockSpan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", clock(self.from), clock(self.to))
    }
}

impl TryFrom<String> for ClockSpan {
    type Error = NotAClockSpan;
    fn try_from(text: String) -> Result<ClockSpan, NotAClockSpan> {
        text.parse()
    }
}

impl From<ClockSpan> for String {
    fn from(span: ClockSpan) -> String {
        span.to_string()
    }
}

/// A time zone by its IANA name, from the system's data base or the one built in.
pub fn zone(name: &str) -> Result<jiff::tz::TimeZone, UnknownZone> {
    jiff::tz::TimeZone::get(name).map_err(|_| UnknownZone { name: name.to_owned(), near: nearest(name) })
}

/// Minutes since midnight that a zone's clock shows, from 0 to 1439. An hour that occurs twice is one hour of the clock.
pub fn minute_of_day(moment: jiff::Timestamp, zone: &jiff::tz::TimeZone) -> u16 {
    let local = zone.to_datetime(moment);
    local.hour().unsigned_abs() as u16 * 60 + local.minute().unsigned_abs() as u16
}

fn minute_of(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let digits = |text: &str, most: usize| (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hour, 2) || !digits(minute, 2) || minute.len() < 2 {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    (minute < 60 && hour * 60 + minute <= DAY).then_some(hour * 60 + minute)
}

fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// The known zone whose name, or whose city, is written most like this one.
fn nearest(name: &str) -> Option<String> {
    let wanted = name.trim().to_lowercase().replace(' ', "_");
    let distance = |known: &str| {
        let known = known.to_lowercase();
        let city = known.rsplit('/').next().unwrap_or(&known);
        strsim::damerau_levenshtein(&wanted, &known).min(strsim::damerau_levenshtein(&wanted, city))
    };
    let known = jiff::tz::db().available().map(|known| known.as_str().to_owned());
    let (off, near) = known.map(|known| (distance(&known), known)).min()?;
    (off <= 1 + wanted.chars().count() / 4).then_some(near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_read_and_written_and_may_go_over_midnight() {
        let night: ClockSpan = "22:30-02:00".parse().unwrap();
        assert!(night.holds(22 * 60 + 30) && night.holds(0) && night.holds(119) && !night.holds(120) && !night.holds(22 * 60 + 29));
        assert_eq!(night.to_string(), "22:30-02:00");
        assert_eq!("9:00–12:00".parse::<ClockSpan>().unwrap().to_string(), "09:00-12:00");
        let late: ClockSpan = "20:00-24:00".parse().unwrap();
        assert!(late.holds(1439) && !late.holds(0));
        for bad in ["", "9-12", "09:00", "09:00-25:00", "09:60-10:00", "09:00-09:00", "24:00-03:00", "+9:00-12:00", "09:0-10:00"] {
            assert!(bad.parse::<ClockSpan>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_moment_lies_in_a_window_by_the_clock_of_the_zone() {
        let windows = Windows::default();
        let beijing = zone(&windows.zone).unwrap();
        let at = |text: &str| windows.at(text.parse().unwrap(), &beijing);
        assert_eq!(at("2026-11-24T01:00:00Z"), Some(Window::Peak));
        assert_eq!(at("2026-11-24T04:00:00Z"), None);
        assert_eq!(at("2026-11-23T16:00:00Z"), Some(Window::OffPeak));
    }

    #[test]
    fn an_unknown_zone_is_answered_with_the_nearest_name() {
        assert_eq!(zone("Asia/Shangai").unwrap_err().near.as_deref(), Some("Asia/Shanghai"));
        assert_eq!(zone("new york").unwrap_err().near.as_deref(), Some("America/New_York"));
        assert_eq!(zone("Mars/Olympus_Mons").unwrap_err().near, None);
    }

    #[test]
    fn windows_that_overlap_are_found_out() {
        let spans = |text: &str| vec![text.parse::<ClockSpan>().unwrap()];
        let windows = Windows { peak: spans("22:00-02:00"), off_peak: spans("01:30-06:00"), ..Windows::default() };
        assert_eq!(windows.overlap().as_deref(), Some("01:30"));
        assert_eq!(Windows::default().overlap(), None);
    }
}
