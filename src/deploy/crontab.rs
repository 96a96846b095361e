//! A line for a crontab.

use super::fields::{self, Fields};
use super::{DeployError, Entry, EntryFile, clocks, quote};
use crate::record::{Calendar, zone};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;

const SCHEDULER: &str = "cron";
/// The longest line that Debian's cron reads, bytes.
const LONGEST: usize = 998;

/// The entry for the crontab of a machine whose own zone is `machine` (an IANA name).
pub fn crontab(entry: &Entry, machine: &str) -> Result<EntryFile, DeployError> {
    entry.check()?;
    let (when, why) = when(entry, machine)?;
    let line = format!("{when} {}", command(entry)?);
    if LONGEST < line.len() {
        return Err(DeployError::Long { length: line.len(), most: LONGEST });
    }
    let keys = entry.env_file.as_ref().map_or_else(String::new, |file| {
        let file = quote::shell(file);
        format!("# Keys: lines NAME=value{} in {file}; chmod 600 {file}\n", entry.names())
    });
    let text = format!(
        "\
# photofinish: rounds of the plan `{title}`: {calendar}.
{why}# One round is run if one is due; else nothing is done. Only a fault prints something, and cron mails it.
{keys}{line}
",
        title = entry.title,
        calendar = entry.shown(),
    );
    Ok(EntryFile { name: format!("{}.crontab", entry.name), belongs: "crontab -e".to_owned(), text })
}

/// The five fields, and why they are not the plan's own, as comments.
fn when(entry: &Entry, machine: &str) -> Result<(String, String), DeployError> {
    let calendar = &entry.calendar;
    let fields = Fields::of(&calendar.cron, SCHEDULER)?;
    let plain = fields.plain(&calendar.cron, SCHEDULER)?;
    let (own, other) = (zone(&calendar.zone)?, zone(machine)?);
    let until = clocks::end(calendar, entry.rounds)?;
    if own == other || clocks::differences(&own, &other, calendar.from, until).iter().eq([&0]) {
        return Ok((plain, format!("# Written for a machine whose clock is that of {machine}.\n")));
    }
    let minutes: Vec<u8> = minutes(calendar, &fields, (&own, &other), until)?.into_iter().collect();
    let why = format!(
        "\
# The plan's clock is that of {}, this machine's that of {machine}, and not every cron knows CRON_TZ (Debian's does not). So this
# looks in every hour, at the minutes at which a round may be due; photofinish knows the zone and leaves at once where none is.
",
        calendar.zone
    );
    Ok((format!("{} * * * *", fields::minutes(&minutes)), why))
}

/// The minutes of the machine's hours at which a round may be due.
fn minutes(
    calendar: &Calendar,
    fields: &Fields,
    (own, other): (&TimeZone, &TimeZone),
    until: Timestamp,
) -> Result<BTreeSet<u8>, DeployError> {
    let ahead = clocks::differences(own, other, calendar.from, until);
    let shifted = |ahead: i32| fields.minutes.iter().map(move |minute| (i32::from(*minute) + ahead).rem_euclid(60) as u8);
    let mut minutes: BTreeSet<u8> = ahead.into_iter().flat_map(shifted).collect();
    // A time that the zone's clock leaves out is due at the first moment after it, which may be another minute.
    for change in clocks::changes(own, calendar.from, until) {
        minutes.extend(clocks::near(calendar, change)?.into_iter().map(|time| other.to_datetime(time).minute().unsigned_abs()));
    }
    Ok(minutes)
}

/// What the shell of cron is to do: nothing is printed unless the round ends with a fault.
fn command(entry: &Entry) -> Result<String, DeployError> {
    let words = entry.command(entry.env_file.as_deref());
    if let Some(path) = words.iter().find(|word| word.contains('\\')) {
        return Err(DeployError::Path { path: path.clone(), why: "crons differ in how they read a backslash", remedy: "rename it" });
    }
    let words: Vec<String> = words.iter().map(|word| quote::shell(word)).collect();
    Ok(quote::crontab(&format!("told=$({} 2>&1) || {{ code=$?; printf '%s\\n' \"$told\"; exit $code; }}", words.join(" "))))
}
