//! The behaviour file: what was written ([`File`]) and what it means ([`Behaviour`]). docs/sim.md describes every key.

use super::dist::Dist;
use super::fault::Faults;
use super::wording::{self, Cap, ReasoningAs, UsagePlace, Wording};
use super::words::Language;
use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    seed: Option<u64>,
    scale: Option<f64>,
    bundle_at_least_ms: Option<f64>,
    #[serde(default)]
    defaults: SystemFile,
    systems: InOrder,
}

/// The systems in the order of the file.
#[derive(Debug)]
struct InOrder(Vec<(String, SystemFile)>);

impl<'de> Deserialize<'de> for InOrder {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<InOrder, D::Error> {
        struct Systems;
        impl<'de> Visitor<'de> for Systems {
            type Value = InOrder;
            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("a map from the systems' names to what they do")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<InOrder, A::Error> {
                let mut systems: Vec<(String, SystemFile)> = Vec::new();
                while let Some((name, system)) = map.next_entry::<String, Option<SystemFile>>()? {
                    if systems.iter().any(|(other, _)| *other == name) {
                        return Err(serde::de::Error::custom(format!("system `{name}` stands here twice")));
                    }
                    systems.push((name, system.unwrap_or_default()));
                }
                Ok(InOrder(systems))
            }
        }
        from.deserialize_map(Systems)
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct SystemFile {
    title: Option<String>,
    dialect: Option<String>,
    model: Option<String>,
    models: Option<Vec<String>>,
    key: Option<String>,
    language: Option<Language>,
    ttft_ms: Option<Dist>,
    role_ms: Option<Dist>,
    role_chunk: Option<bool>,
    reasoning: Option<Phase>,
    content: Option<Phase>,
    switch_ms: Option<Dist>,
    jitter: Option<f64>,
    tokens_per_chunk: Option<usize>,
    tail: Option<Tail>,
    keep_alives: Option<KeepAlives>,
    reasoning_as: Option<ReasoningAs>,
    usage: Option<UsageRule>,
    server_timings: Option<bool>,
    hours: Option<Hours>,
    max_tokens_means: Option<Cap>,
    heed_thinking: Option<bool>,
    answer_text: Option<String>,
    faults: Option<Faults>,
}

/// One phase of a reply.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// How many tokens, drawn for each request.
    pub tokens: Dist,
    /// Tokens per second, drawn for each request.
    pub speed: Dist,
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
    pub answer_text: Option<String>,
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

macro_rules! or {
    ($system:expr, $defaults:expr, $($field:ident),*) => { SystemFile { $($field: $system.$field.or($defaults.$field)),* } };
}

impl SystemFile {
    fn or(mut self, mut defaults: SystemFile) -> SystemFile {
        if let Some(faults) = &mut self.faults {
            for (fault, rule) in defaults.faults.take().unwrap_or_default() {
                faults.entry(fault).or_insert(rule);
            }
        }
        or!(
            self,
            defaults,
            title,
            dialect,
            model,
            models,
            key,
            language,
            ttft_ms,
            role_ms,
            role_chunk,
            reasoning,
            content,
            switch_ms,
            jitter,
            tokens_per_chunk,
            tail,
            keep_alives,
            reasoning_as,
            usage,
            server_timings,
            hours,
            max_tokens_means,
            heed_thinking,
            answer_text,
            faults
        )
    }

    fn resolve(self, name: &str) -> Result<System, String> {
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
            return Err("a system's name is part of its URL: letters, digits, `-`, `_` and `.` only".to_owned());
        }
        let dialect = self.dialect.as_deref().unwrap_or("openai-compatible");
        let wording = wording::by_name(dialect).ok_or_else(|| {
            let known = wording::ALL.iter().map(|wording| wording.name).collect::<Vec<_>>().join(", ");
            format!("there is no dialect `{dialect}`; there are {known}")
        })?;
        if self.tokens_per_chunk == Some(0) {
            return Err("tokens_per_chunk: a chunk holds at least 1 token".to_owned());
        }
        let jitter = self.jitter.unwrap_or(0.0);
        if !(0.0..=2.0).contains(&jitter) {
            return Err("jitter: give a sigma from 0 to 2".to_owned());
        }
        for phase in self.reasoning.iter().chain(&self.content) {
            if phase.speed.median() <= 0.0 {
                return Err("speed: give tokens per second above 0".to_owned());
            }
        }
        if let Some(hours) = &self.hours {
            if hours.factors.len() != 24 || hours.factors.iter().any(|factor| !(factor.is_finite() && 0.0 < *factor)) {
                return Err("hours.factors: give 24 numbers above 0".to_owned());
            }
            if hours.day_s.is_some_and(|day| !(day.is_finite() && 0.0 < day)) {
                return Err("hours.day_s: give seconds above 0".to_owned());
            }
        }
        if self.keep_alives.as_ref().is_some_and(|alive| !alive.every_ms.is_finite() || alive.every_ms < 1.0) {
            return Err("keep_alives.every_ms: give at least 1".to_owned());
        }
        let tail = self.tail.unwrap_or_default();
        if ![tail.finish_ms, tail.usage_ms, tail.done_ms].iter().all(|ms| ms.is_finite() && 0.0 <= *ms) {
            return Err("tail: give milliseconds from 0".to_owned());
        }
        let reasoning_as = match self.reasoning_as.unwrap_or(ReasoningAs::Own) {
            ReasoningAs::Own => wording.reasoning_as,
            other => other,
        };
        Ok(System {
            name: name.to_owned(),
            title: self.title.unwrap_or_else(|| name.to_owned()),
            wording,
            model: self.model.unwrap_or_else(|| wording.model.to_owned()),
            models: self.models.unwrap_or_default(),
            key: self.key,
            language: self.language.unwrap_or(Language::Auto),
            ttft_ms: self.ttft_ms.unwrap_or(Dist::Fixed(200.0)),
            role_ms: self.role_ms,
            role_chunk: self.role_chunk.unwrap_or(true),
            reasoning: self.reasoning,
            content: self.content.unwrap_or(Phase { tokens: Dist::Fixed(64.0), speed: Dist::Fixed(50.0) }),
            switch_ms: self.switch_ms,
            jitter,
            tokens_per_chunk: self.tokens_per_chunk.unwrap_or(wording.tokens_per_chunk),
            tail,
            keep_alives: self.keep_alives,
            reasoning_as,
            usage: self.usage.unwrap_or_default(),
            server_timings: self.server_timings.unwrap_or(true),
            hours: self.hours,
            cap: self.max_tokens_means.unwrap_or(wording.cap),
            heed_thinking: self.heed_thinking.unwrap_or(true),
            answer_text: self.answer_text,
            faults: self.faults.unwrap_or_default(),
        })
    }
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
}
