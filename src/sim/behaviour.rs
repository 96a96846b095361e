//! The behaviour file: what was written (`behaviour/file.rs`) and what it means ([`Behaviour`]). docs/sim.md describes every key.

mod file;

use super::dist::Dist;
use super::fault::Faults;
use super::wording::{Cap, ReasoningAs, UsagePlace, Wording};
use super::words::Language;
use file::File;
use serde::Deserialize;
use std::path::Path;

/// The behaviours that come with the program.
pub const BUILTIN: &[(&str, &str)] = &[
    ("demo", include_str!("behaviours/demo.yaml")),
    ("peers", include_str!("behaviours/peers.yaml")),
    ("providers", include_str!("behaviours/providers.yaml")),
    ("faults", include_str!("behaviours/faults.yaml")),
    ("calibration", include_str!("behaviours/calibration.yaml")),
];

/// A behaviour file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BehaviourError {
    /// It cannot be read.
    #[error("{file}: {source}")]
    Read {
        /// The file as named.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// No built-in behaviour has this name.
    #[error("there is no built-in behaviour `{name}`; there are {known}")]
    NoSuchBuiltin {
        /// The name as given.
        name: String,
        /// Those that exist.
        known: String,
    },
    /// It says something that is not understood.
    #[error("{file}{line}: {key}{reason}")]
    Content {
        /// The file as named.
        file: String,
        /// `:line`, where known.
        line: String,
        /// `key.path: `, where known.
        key: String,
        /// What is wrong.
        reason: String,
    },
}

/// One phase of a reply.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// How many tokens, drawn for each request.
    pub tokens: Dist,
    /// Tokens per second, drawn for each request.
    pub speed: Dist,
    /// Tokens in a chunk, if not as many as the system's others.
    pub tokens_per_chunk: Option<usize>,
}

/// What stands at the end of each answer: always the same, or the right thing now and a wrong one then.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerText {
    /// What is right, or all there is.
    pub right: String,
    /// What is wrong.
    pub wrong: String,
    /// The share of replies that end with what is right.
    pub share: f64,
}

/// What follows the last text, in milliseconds after it.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tail {
    /// The finish chunk.
    pub finish_ms: f64,
    /// The usage chunk.
    pub usage_ms: f64,
    /// The end mark.
    pub done_ms: f64,
}

/// Comments while nothing else comes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeepAlives {
    /// One after so many milliseconds of silence.
    pub every_ms: f64,
    /// The line, if not the provider's own.
    pub style: Option<String>,
}

/// How usage is told.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UsageRule {
    /// Where, if not where the provider puts it.
    pub place: Option<UsagePlace>,
    /// Tokens counted beside the text's (DeepSeek counts the closing think tag).
    pub extra_tokens: usize,
    /// Whether it is sent although the request did not ask; the provider's own habit if absent.
    pub unasked: Option<bool>,
}

/// Speed by the hour.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// 24 factors on speed, from the hour 0; the time to the first token is divided by them.
    pub factors: Vec<f64>,
    /// Hours east of UTC.
    #[serde(default)]
    pub zone_h: f64,
    /// Seconds that a day lasts, counted from the simulator's start, instead of the wall clock's day. Not scaled.
    pub day_s: Option<f64>,
}

impl Hours {
    /// The factor at a time of the wall clock, or of the shortened day.
    pub fn factor(&self, wall: jiff::Timestamp, since_start_s: f64) -> f64 {
        let hour = match self.day_s {
            Some(day) => (since_start_s / day).fract() * 24.0,
            None => (wall.as_second() as f64 / 3600.0 + self.zone_h).rem_euclid(24.0),
        };
        self.factors.get(hour as usize % 24).copied().unwrap_or(1.0)
    }
}

/// A behaviour, checked.
#[derive(Debug)]
pub struct Behaviour {
    /// Of all draws.
    pub seed: u64,
    /// All times are divided by this.
    pub scale: f64,
    /// Writes of a reply are at least this far apart; faster systems put more tokens into a chunk. Not scaled.
    pub bundle_at_least_ms: f64,
    /// The systems, in the order of the file.
    pub systems: Vec<System>,
}

/// One simulated provider.
#[derive(Debug)]
pub struct System {
    /// Its path prefix.
    pub name: String,
    /// For readers.
    pub title: String,
    /// Its words.
    pub wording: &'static Wording,
    /// The model it answers with if the request names none.
    pub model: String,
    /// The models it has; empty: any.
    pub models: Vec<String>,
    /// The key it wants; `any` takes any; absent: it does not look.
    pub key: Option<String>,
    /// The language of its replies.
    pub language: Language,
    /// Receipt of the request to the first text, in milliseconds.
    pub ttft_ms: Dist,
    /// Receipt to the role chunk; absent: just before the first text.
    pub role_ms: Option<Dist>,
    /// Whether it sends a role chunk, if the dialect has one.
    pub role_chunk: bool,
    /// Reasoning.
    pub reasoning: Option<Phase>,
    /// The answer.
    pub content: Phase,
    /// Last reasoning to first content; absent: one ordinary gap of the content.
    pub switch_ms: Option<Dist>,
    /// Spread of each gap: the sigma of a lognormal factor with mean 1.
    pub jitter: f64,
    /// Tokens in a chunk.
    pub tokens_per_chunk: usize,
    /// What follows the last text.
    pub tail: Tail,
    /// Comments while nothing else comes.
    pub keep_alives: Option<KeepAlives>,
    /// How reasoning is carried.
    pub reasoning_as: ReasoningAs,
    /// How usage is told.
    pub usage: UsageRule,
    /// Whether the server tells its own times, if the dialect can.
    pub server_timings: bool,
    /// Speed by the hour.
    pub hours: Option<Hours>,
    /// What `max_tokens` caps.
    pub cap: Cap,
    /// Whether a request's wish not to think is heeded.
    pub heed_thinking: bool,
    /// A text at the end of each answer, not counted as tokens.
    pub answer_text: Option<AnswerText>,
    /// What goes wrong.
    pub faults: Faults,
}

impl Behaviour {
    /// Reads `builtin:NAME` or a file.
    pub fn load(named: &str) -> Result<Behaviour, BehaviourError> {
        if let Some(name) = named.strip_prefix("builtin:") {
            let Some((_, text)) = BUILTIN.iter().find(|(builtin, _)| *builtin == name) else {
                let known = BUILTIN.iter().map(|(name, _)| format!("builtin:{name}")).collect::<Vec<_>>().join(", ");
                return Err(BehaviourError::NoSuchBuiltin { name: name.to_owned(), known });
            };
            return Behaviour::parse(named, text);
        }
        let text = std::fs::read_to_string(Path::new(named)).map_err(|source| BehaviourError::Read { file: named.to_owned(), source })?;
        Behaviour::parse(named, &text)
    }

    /// Reads the text of a file called `file`.
    pub fn parse(file: &str, text: &str) -> Result<Behaviour, BehaviourError> {
        let reader = serde_yaml::Deserializer::from_str(text);
        let written: File = serde_path_to_error::deserialize(reader).map_err(|error| {
            let path = error.path().to_string();
            let line = error.inner().location().map_or(String::new(), |at| format!(":{}", at.line()));
            let key = if path == "." { String::new() } else { format!("{path}: ") };
            // The reader repeats a part of the path and the place; both are told already.
            let reason = error.inner().to_string();
            let (start, rest) = reason.split_once(": ").unwrap_or(("", &reason));
            let reason = if path.starts_with(start) { rest } else { &reason };
            let reason = reason.split(" at line ").next().unwrap_or(reason).to_owned();
            BehaviourError::Content { file: file.to_owned(), line, key, reason }
        })?;
        let refuse = |key: &str, reason: String| BehaviourError::Content {
            file: file.to_owned(),
            line: line_of(text, key),
            key: format!("{key}: "),
            reason,
        };
        let scale = written.scale.unwrap_or(1.0);
        if !(scale.is_finite() && 0.0 < scale) {
            return Err(refuse("scale", format!("times cannot be divided by {scale}; give a number above 0")));
        }
        let bundle_at_least_ms = written.bundle_at_least_ms.unwrap_or(0.0);
        if !(bundle_at_least_ms.is_finite() && 0.0 <= bundle_at_least_ms) {
            return Err(refuse("bundle_at_least_ms", "give a number from 0".to_owned()));
        }
        if written.systems.0.is_empty() {
            return Err(refuse("systems", "a simulator without a system serves nobody; give at least one".to_owned()));
        }
        let mut systems = Vec::new();
        for (name, system) in written.systems.0 {
            let system = system.or(written.defaults.clone()).resolve(&name).map_err(|reason| refuse(&name, reason))?;
            systems.push(system);
        }
        Ok(Behaviour { seed: written.seed.unwrap_or(1), scale, bundle_at_least_ms, systems })
    }
}

/// `:line` of the first line that begins with the key, for complaints that the reader does not make.
fn line_of(text: &str, key: &str) -> String {
    let found = text.lines().position(|line| line.trim_start().strip_prefix(key).is_some_and(|rest| rest.starts_with(':')));
    found.map_or(String::new(), |index| format!(":{}", index + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(text: &str) -> String {
        Behaviour::parse("sim.yaml", text).unwrap_err().to_string()
    }

    #[test]
    fn every_built_in_behaviour_can_be_used() {
        for (name, _) in BUILTIN {
            let behaviour = Behaviour::load(&format!("builtin:{name}")).unwrap_or_else(|error| panic!("{error}"));
            assert!(!behaviour.systems.is_empty());
        }
        assert!(Behaviour::load("builtin:nope").unwrap_err().to_string().contains("builtin:demo"));
    }

    #[test]
    fn a_mistake_is_told_with_file_line_and_key() {
        assert_eq!(
            complaint("systems:\n  a:\n    ttft: 3\n").split(", expected").next().unwrap(),
            "sim.yaml:3: systems.a.ttft: unknown field `ttft`"
        );
        assert!(complaint("systems:\n  a: {dialect: vlm}\n").starts_with("sim.yaml:2: a: there is no dialect `vlm`; there are"));
        assert!(complaint("scale: 0\nsystems: {a: }\n").starts_with("sim.yaml:1: scale: times cannot be divided by 0"));
        assert!(complaint("systems: {a: , a: }\n").contains("twice"));
        assert!(complaint("systems: {a/b: }\n").contains("part of its URL"));
        assert!(complaint("systems: {a: {faults: {ends_erly: 1}}}\n").contains("ends_erly"));
    }

    #[test]
    fn a_system_takes_the_defaults_for_what_it_does_not_say() {
        let text = "defaults: {ttft_ms: 5, faults: {stall: 0.5}}\nsystems:\n  b:\n  a: {ttft_ms: 7, faults: {ends_early: 1}}\n";
        let behaviour = Behaviour::parse("sim.yaml", text).unwrap();
        assert_eq!(behaviour.systems.iter().map(|system| system.name.as_str()).collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!(behaviour.systems[0].ttft_ms, Dist::Fixed(5.0));
        assert_eq!(behaviour.systems[1].ttft_ms, Dist::Fixed(7.0));
        assert_eq!((behaviour.systems[0].faults.len(), behaviour.systems[1].faults.len()), (1, 2));
    }

    #[test]
    fn an_hour_is_that_of_the_zone_or_of_a_shortened_day() {
        let factors: Vec<f64> = (1..=24).map(f64::from).collect();
        let at = "2026-11-24T22:30:00Z".parse().unwrap();
        let mut hours = Hours { factors, zone_h: 8.0, day_s: None };
        assert_eq!(hours.factor(at, 0.0), 7.0);
        hours.day_s = Some(48.0);
        assert_eq!(hours.factor(at, 50.5), 2.0);
    }
}
