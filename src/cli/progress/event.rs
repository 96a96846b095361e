//! What happens, for whoever draws it. The same events are what `--json-progress` writes; docs/progress.md describes each.

use super::super::plain;
use super::tally::Counts;
use crate::ident::TargetId;
use crate::record::{Offered, StageState};
use serde::{Serialize, Serializer};

/// Something that happened. Times are seconds; moments are RFC 3339.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// It begins, or goes on after an interruption.
    Begun {
        /// The run folder.
        run: String,
        /// Rounds or load.
        kind: Kind,
        /// Rounds, or passes of a load run.
        rounds: u32,
        /// Those of them that were over before.
        rounds_over: u32,
        /// What is still to come from each target, in the plan's order.
        #[serde(serialize_with = "ahead_of_targets")]
        targets: Vec<(TargetId, Ahead)>,
        /// When the last round is due, where a schedule says so.
        #[serde(skip_serializing_if = "Option::is_none")]
        last_due: Option<jiff::Timestamp>,
        /// What the run has used before.
        #[serde(skip_serializing_if = "Option::is_none")]
        spent: Option<Spent>,
        /// The last round that an earlier sitting held, for people who come back; programs have had it.
        #[serde(skip)]
        last_round: Option<(u32, Vec<RoundOf>)>,
    },
    /// The next round is not due yet.
    Waiting {
        /// The round, from 1.
        round: u32,
        /// When it is due.
        until: jiff::Timestamp,
    },
    /// A block waits until its targets may be asked: for their pace, or since one of them wanted a rest.
    Held {
        /// Those that it waits for.
        targets: Vec<TargetId>,
        /// Until when, as far as is known.
        until: jiff::Timestamp,
    },
    /// A round begins.
    Round {
        /// The round, from 1.
        round: u32,
    },
    /// A round is over.
    RoundOver {
        /// The round, from 1.
        round: u32,
        /// Each target's part in it, in the plan's order.
        targets: Vec<RoundOf>,
        /// What the run has used so far.
        spent: Spent,
    },
    /// A round is closed without having been held, or held to its end.
    Passed {
        /// The round, from 1.
        round: u32,
        /// Why.
        how: Passed,
        /// Requests to each target that will not be sent.
        requests: u64,
    },
    /// A stage of a load run begins on a target.
    Stage {
        /// The pass, from 1.
        pass: u32,
        /// The stage, from 1.
        stage: u32,
        /// Stages in all.
        stages: u32,
        /// The target.
        target: TargetId,
        /// The load.
        offered: Offered,
        /// What is to come in this stage.
        ahead: Ahead,
    },
    /// A stage of a load run is over on a target.
    StageOver {
        /// The pass, from 1.
        pass: u32,
        /// The stage, from 1.
        stage: u32,
        /// The target.
        target: TargetId,
        /// How it ended.
        state: StageState,
    },
    /// A request is over.
    Trial {
        /// The target.
        target: TargetId,
        /// What came of it.
        came: Came,
        /// How it went, in few words.
        words: String,
        /// What the run has used so far, where it is counted.
        #[serde(skip_serializing_if = "Option::is_none")]
        spent: Option<Spent>,
    },
    /// Counters of every target, in a load run at most once a second instead of a line a request.
    Tally,
    /// Nothing more is sent to a target.
    Stopped {
        /// The target.
        target: TargetId,
        /// Why.
        reason: String,
    },
    /// Something else that the user should know.
    Notice {
        /// In words.
        text: String,
    },
    /// The command ends with this error.
    Error {
        /// In words.
        text: String,
    },
    /// It is over.
    Ended {
        /// How.
        outcome: String,
        /// What was used.
        #[serde(skip_serializing_if = "Option::is_none")]
        spent: Option<Spent>,
    },
}

/// What is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Rounds: all targets in the same minutes.
    Rounds,
    /// Load: one target at a time.
    Load,
}

/// What is to come, as far as it is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Ahead {
    /// So many requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
    /// So long, milliseconds, however many requests that makes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lasts_ms: Option<u64>,
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Came {
    /// A sample that a table can use.
    Ok,
    /// A failure, which is data too.
    Failed,
    /// It was not sent.
    NotSent,
    /// A warm-up: never a sample, whatever came of it.
    Unscored,
}

/// Why a round was not held to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Passed {
    /// It could not begin in its time.
    Missed,
    /// It was interrupted, and its time has passed since.
    BrokenOff,
}

/// One target's part in a round: counters and the extremes of what it took, no statistic.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RoundOf {
    /// The target.
    pub target: TargetId,
    /// Usable replies.
    pub ok: u64,
    /// Failures.
    pub failed: u64,
    /// Requests that were not sent.
    pub not_sent: u64,
    /// Shortest and longest time to the first text of usable replies, seconds; none without one.
    pub first_text_s: Option<(f64, f64)>,
    /// Shortest and longest time to the end of usable replies, seconds; none without one.
    pub total_s: Option<(f64, f64)>,
}

/// What a run has used, against its budget.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Spent {
    /// Requests sent.
    pub requests: u64,
    /// The budget of requests, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_requests: Option<u64>,
    /// Tokens, prompt and reply.
    pub tokens: u64,
    /// The budget of tokens, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
}

/// Each target with what is to come from it in one object.
fn ahead_of_targets<S: Serializer>(targets: &[(TargetId, Ahead)], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct OfTarget<'a> {
        target: &'a TargetId,
        #[serde(flatten)]
        ahead: Ahead,
    }
    serializer.collect_seq(targets.iter().map(|(target, ahead)| OfTarget { target, ahead: *ahead }))
}

/// A line of `--json-progress`: the event, when, and where its targets stand after it.
#[derive(Serialize)]
struct JsonLine<'a> {
    at: jiff::Timestamp,
    #[serde(flatten)]
    event: &'a Event,
    #[serde(skip_serializing_if = "Option::is_none")]
    counts: Option<Vec<Counts>>,
}

impl Event {
    /// As one line of JSON, every text in it without secrets and without characters that steer a terminal.
    pub fn json(&self, at: jiff::Timestamp, counts: Option<Vec<Counts>>) -> String {
        // Plain data: writing it cannot fail.
        let mut value = serde_json::to_value(JsonLine { at, event: self, counts }).unwrap_or_default();
        make_plain(&mut value);
        value.to_string()
    }
}

fn make_plain(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(text) => *text = plain(text),
        serde_json::Value::Array(values) => values.iter_mut().for_each(make_plain),
        serde_json::Value::Object(fields) => fields.values_mut().for_each(make_plain),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every event by its name in the source, so that none is added without a word in the document.
    #[test]
    fn the_document_describes_every_event() {
        let (source, document) = (include_str!("event.rs"), include_str!("../../../docs/progress.md"));
        let all = source.split("pub enum Event {").nth(1).unwrap().split("\n}\n").next().unwrap();
        let variants = all.lines().filter_map(|line| line.strip_prefix("    ")).filter(|line| line.starts_with(char::is_uppercase));
        let names: Vec<String> = variants.map(|line| snake(line.trim_end_matches([' ', '{', ',']))).collect();
        assert!(10 < names.len() && names.contains(&"round_over".to_owned()), "{names:?}");
        for name in names {
            assert!(document.contains(&format!("`{name}`")), "docs/progress.md does not describe `{name}`");
        }
    }

    fn snake(name: &str) -> String {
        let letters = name.char_indices().flat_map(|(at, c)| {
            let low = c.to_ascii_lowercase();
            if 0 < at && c.is_uppercase() { vec!['_', low] } else { vec![low] }
        });
        letters.collect()
    }

    #[test]
    fn a_line_is_one_object_and_holds_no_secret_and_nothing_that_steers_a_terminal() {
        crate::secret::mask().add("sk-9Xq2LmT0vXw92bNcR7");
        let text = "HTTP 401: no such key sk-9Xq2LmT0vXw92bNcR7\u{1b}[31m\n\u{202e}\"quoted\"".to_owned();
        let line = Event::Notice { text }.json("2026-11-24T10:15:00Z".parse().unwrap(), None);
        assert!(!line.contains("9Xq2") && !line.contains('\n') && !line.contains('\u{1b}'), "{line}");
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!((read["event"].as_str(), read["at"].as_str()), (Some("notice"), Some("2026-11-24T10:15:00Z")));
        assert!(read["text"].as_str().unwrap().ends_with("\"quoted\""), "{line}");
    }
}
