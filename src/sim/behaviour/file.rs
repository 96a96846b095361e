//! The behaviour file as written, and how it becomes a [`System`].

use super::{AnswerText, Hours, KeepAlives, Phase, System, Tail, UsageRule};
use crate::sim::dist::Dist;
use crate::sim::fault::Faults;
use crate::sim::wording::{self, Cap, ReasoningAs};
use crate::sim::words::Language;
use serde::Deserialize;
use serde::de::{MapAccess, Visitor};

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Of all draws.
    pub seed: Option<u64>,
    /// All times are divided by this.
    pub scale: Option<f64>,
    /// Writes are at least so far apart.
    pub bundle_at_least_ms: Option<f64>,
    /// What a system does if it does not say.
    #[serde(default)]
    pub defaults: SystemFile,
    /// The systems.
    pub systems: InOrder,
}

/// The systems in the order of the file.
#[derive(Debug)]
pub struct InOrder(pub Vec<(String, SystemFile)>);

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

/// A system; what it leaves out comes from `defaults`, and else as docs/sim.md says.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SystemFile {
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
    answer_text: Option<AnswerText>,
    faults: Option<Faults>,
}

impl<'de> Deserialize<'de> for AnswerText {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<AnswerText, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Graded {
            right: String,
            wrong: String,
            share: f64,
        }
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = AnswerText;
            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("a text, or a map of `right`, `wrong` and the `share` of right ones")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<AnswerText, E> {
                Ok(AnswerText { right: text.to_owned(), wrong: String::new(), share: 1.0 })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<AnswerText, A::Error> {
                let Graded { right, wrong, share } = Graded::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                Ok(AnswerText { right, wrong, share })
            }
        }
        from.deserialize_any(Either)
    }
}

macro_rules! or {
    ($system:expr, $defaults:expr, $($field:ident),*) => { SystemFile { $($field: $system.$field.or($defaults.$field)),* } };
}

impl SystemFile {
    /// This, and the defaults for what it leaves out.
    pub fn or(mut self, mut defaults: SystemFile) -> SystemFile {
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

    /// Checks it.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn resolve(self, name: &str) -> Result<System, String> {
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
            if phase.tokens_per_chunk == Some(0) {
                return Err("tokens_per_chunk: a chunk holds at least 1 token".to_owned());
            }
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
        if self.answer_text.as_ref().is_some_and(|answer| !(0.0..=1.0).contains(&answer.share)) {
            return Err("answer_text.share: give a share from 0 to 1".to_owned());
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
            content: self.content.unwrap_or(Phase { tokens: Dist::Fixed(64.0), speed: Dist::Fixed(50.0), tokens_per_chunk: None }),
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
