//! Entries by which another scheduler starts a plan's rounds: a crontab line, a systemd timer, a Kubernetes CronJob. Pure text.
//!
//! Every entry runs `photofinish run PLAN --round-now`, which does the round that is due and leaves otherwise. So an entry may fire more
//! often than rounds are due (in quiet hours, after the last round), and must not fire less often. No entry holds a key.

mod clocks;
mod crontab;
mod fields;
mod kubernetes;
mod on_calendar;
mod quote;
mod systemd;

pub use crontab::crontab;
pub use fields::{Days, Fields};
pub use kubernetes::{Cluster, PlanFileText, kubernetes};
pub use on_calendar::on_calendar;
pub use systemd::systemd;

use crate::plan::BadCalendar;
use crate::record::{Calendar, UnknownZone};

/// What is started, when, and where its parts stand. Paths are absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Name of units and objects: see [`name`].
    pub name: String,
    /// The plan's name, for people.
    pub title: String,
    /// When rounds are due, from now on.
    pub calendar: Calendar,
    /// How many rounds there are.
    pub rounds: u32,
    /// This program.
    pub program: String,
    /// The plan's file.
    pub plan: String,
    /// Where run folders are made.
    pub results: String,
    /// The file that is to hold the keys, where any are needed (cron, systemd).
    pub env_file: Option<String>,
    /// The user who runs the rounds (systemd).
    pub user: String,
    /// The variables that hold keys.
    pub keys: Vec<KeyVariable>,
    /// Further arguments of `run`.
    pub arguments: Vec<String>,
    /// The limit of one request, seconds: so long a stop may have to wait for those in flight.
    pub longest_s: u64,
}

/// A variable that holds a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyVariable {
    /// Its name.
    pub name: String,
    /// Whose key: the provider's id.
    pub provider: String,
    /// The provider also answers without one.
    pub optional: bool,
}

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryFile {
    /// Its name, without a folder.
    pub name: String,
    /// Where it belongs, for people.
    pub belongs: String,
    /// What stands in it.
    pub text: String,
}

/// Why there is no entry of a kind for a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeployError {
    /// The calendar cannot be read.
    #[error(transparent)]
    Calendar(#[from] BadCalendar),
    /// Nor can the zone.
    #[error(transparent)]
    Zone(#[from] UnknownZone),
    /// Days that the other scheduler has no words for.
    #[error(
        "schedule.cron: `{cron}`: {scheduler} has no words for `{part}` in the {field}; write the {field} as plain numbers (28 or 1,15 or \
         1-5), or let `photofinish watch` keep this calendar"
    )]
    Days {
        /// The expression.
        cron: String,
        /// Who cannot.
        scheduler: &'static str,
        /// What it cannot.
        part: String,
        /// Which field it stands in.
        field: &'static str,
    },
    /// A path that cannot be written into an entry.
    #[error("{path:?}: {why}; {remedy}")]
    Path {
        /// The path.
        path: String,
        /// What is wrong.
        why: &'static str,
        /// What helps.
        remedy: &'static str,
    },
    /// A line that the other scheduler would cut off.
    #[error(
        "the crontab line would have {length} bytes, and cron takes {most}; move the plan, the results or the program to shorter paths"
    )]
    Long {
        /// Bytes of the line.
        length: usize,
        /// Bytes that cron takes.
        most: usize,
    },
    /// More than a ConfigMap holds.
    #[error("the plan and the files that it names have {length} bytes, and a ConfigMap holds {most}; build them into your image instead")]
    Large {
        /// Bytes in all.
        length: usize,
        /// Bytes that a ConfigMap holds.
        most: usize,
    },
}

impl Entry {
    /// The command of one round, without shell or quotes; `env_file` where the scheduler has no way of its own to give keys.
    fn command(&self, env_file: Option<&str>) -> Vec<String> {
        let mut words = vec![self.program.clone(), "run".to_owned(), self.plan.clone(), "--round-now".to_owned()];
        words.extend(env_file.into_iter().flat_map(|file| ["--env-file".to_owned(), file.to_owned()]));
        words.extend(["--results".to_owned(), self.results.clone()]);
        words.extend(self.arguments.iter().cloned());
        words
    }

    /// The variables that hold keys, for people: ` for A, B`, or nothing.
    fn names(&self) -> String {
        match &self.keys[..] {
            [] => String::new(),
            keys => format!(" for {}", keys.iter().map(|key| key.name.as_str()).collect::<Vec<_>>().join(", ")),
        }
    }

    /// Seconds that a stop waits for the requests in flight.
    fn grace_s(&self) -> u64 {
        self.longest_s + 30
    }

    /// The calendar in a line for people.
    fn shown(&self) -> String {
        let calendar = &self.calendar;
        let jitter = match calendar.jitter_s {
            0 => String::new(),
            jitter => format!(", up to {jitter} s later"),
        };
        format!("{} on the clock of {}{jitter}", calendar.cron, calendar.zone)
    }

    /// Paths with control characters would break out of a line.
    fn check(&self) -> Result<(), DeployError> {
        let paths = [&self.program, &self.plan, &self.results, &self.user, &self.title];
        let mut words = paths.into_iter().chain(&self.env_file).chain(&self.arguments);
        match words.find(|word| word.chars().any(char::is_control)) {
            Some(path) => Err(DeployError::Path {
                path: path.clone(),
                why: "it holds a line break or another control character",
                remedy: "rename it",
            }),
            None => Ok(()),
        }
    }
}

/// A name for units and objects: `photofinish-` and what letters, digits and dashes a plan's name has; with a digest where others
/// were left out, so that two names stay two. At most 45 characters, so that every scheduler takes it.
pub fn name(plan: &str) -> String {
    use sha2::{Digest, Sha256};
    let mut slug = String::new();
    for c in plan.to_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' => slug.push(c),
            _ if slug.is_empty() || slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    let whole = slug.len() <= 24 && plan.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '-' | '_' | ' '));
    slug.truncate(24);
    let slug = slug.trim_end_matches('-');
    let digest: String = Sha256::digest(plan.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    match (slug.is_empty(), whole) {
        (true, _) => format!("photofinish-{digest}"),
        (false, true) => format!("photofinish-{slug}"),
        (false, false) => format!("photofinish-{slug}-{digest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_fit_for_every_scheduler_and_stay_apart() {
        assert_eq!(name("race"), "photofinish-race");
        assert_eq!(name("Night race"), name("Night race"));
        assert_ne!(name("Night race"), name("night race"));
        assert_ne!(name("夜间"), name("日间"));
        for plan in ["race", "夜间", "A/B: c", &"long ".repeat(16), "-", "../../x"] {
            let name = name(plan);
            assert!(
                name.len() <= 45 && !name.ends_with('-') && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            );
        }
    }
}
