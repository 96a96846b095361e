//! Clocks that change, and clocks that differ.

use super::DeployError;
use super::fields::Fields;
use crate::plan::times;
use crate::record::{Calendar, zone};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// An entry is looked after beyond its last round as planned today: the run may be made later than the entry.
const BEYOND: SignedDuration = SignedDuration::from_hours(400 * 24);
/// No entry is looked after for longer.
const LONGEST: SignedDuration = SignedDuration::from_hours(3 * 366 * 24);
/// No clock is moved by more than this at once, but for a zone that changes its day.
const LARGEST_CHANGE: SignedDuration = SignedDuration::from_hours(3);

/// Until when an entry is to be right.
pub(super) fn end(calendar: &Calendar, rounds: u32) -> Result<Timestamp, DeployError> {
    let last = match calendar.until {
        Some(until) => until,
        None => times(calendar)?.take(rounds as usize).last().unwrap_or(calendar.from),
    };
    let longest = calendar.from.checked_add(LONGEST).unwrap_or(Timestamp::MAX);
    Ok(last.checked_add(BEYOND).unwrap_or(Timestamp::MAX).min(longest))
}

/// The moments at which a zone's clock changes.
pub(super) fn changes(zone: &TimeZone, from: Timestamp, until: Timestamp) -> Vec<Timestamp> {
    zone.following(from).map(|transition| transition.timestamp()).take_while(|at| *at < until).collect()
}

/// By how many minutes `other`'s clock is ahead of `zone`'s, at any time of a span.
pub(super) fn differences(zone: &TimeZone, other: &TimeZone, from: Timestamp, until: Timestamp) -> BTreeSet<i32> {
    let ahead = |at: Timestamp| (other.to_offset(at).seconds() - zone.to_offset(at).seconds()) / 60;
    let moments = [vec![from], changes(zone, from, until), changes(other, from, until)].concat();
    moments.into_iter().map(ahead).collect()
}

/// How a time of a calendar differs from what its expression says on the zone's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Odd {
    /// The clock leaves it out; it is at the first moment after that.
    Moved,
    /// It is in an hour's second pass.
    Again,
}

/// The odd times of a calendar, which other schedulers see otherwise.
pub(super) fn odd(calendar: &Calendar, fields: &Fields, until: Timestamp) -> Result<Vec<(Timestamp, Odd)>, DeployError> {
    let zone = zone(&calendar.zone)?;
    let mut found = Vec::new();
    for change in changes(&zone, calendar.from, until) {
        for time in near(calendar, change)? {
            let shown = zone.to_datetime(time);
            match zone.to_ambiguous_timestamp(shown).offset() {
                AmbiguousOffset::Fold { after, .. } if zone.to_offset(time) == after => found.push((time, Odd::Again)),
                _ if fields.holds(shown.hour(), shown.minute()) => {}
                _ => found.push((time, Odd::Moved)),
            }
        }
    }
    Ok(found)
}

/// The times of a calendar in the hours around a change of its clock.
pub(super) fn near(calendar: &Calendar, change: Timestamp) -> Result<Vec<Timestamp>, DeployError> {
    let [from, until] = [-1, 1].map(|side| change.saturating_add(LARGEST_CHANGE * side).unwrap_or(change));
    let near = Calendar { from: from.max(calendar.from), until: Some(until), ..calendar.clone() };
    Ok(times(&near)?.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_differ_by_the_season() {
        let (from, until) = ("2026-07-01T00:00:00Z".parse().unwrap(), "2027-07-01T00:00:00Z".parse().unwrap());
        let ahead = |zone: &str, other: &str| {
            let found = differences(&TimeZone::get(zone).unwrap(), &TimeZone::get(other).unwrap(), from, until);
            found.into_iter().collect::<Vec<i32>>()
        };
        assert_eq!(ahead("Asia/Shanghai", "Asia/Singapore"), [0]);
        assert_eq!(ahead("Asia/Shanghai", "Europe/Berlin"), [-420, -360]);
        assert_eq!(ahead("UTC", "Asia/Kolkata"), [330]);
        assert_eq!(ahead("UTC", "Australia/Lord_Howe"), [630, 660]);
    }
}
