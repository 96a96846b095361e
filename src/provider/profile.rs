//! A provider's file: what `providers/*.yaml` may hold. Keys stand in named groups, so that a fault in one can be told by line.

pub use super::catalog::DialectName;
use crate::dialect::{ChatDialect, ThinkTags};
use crate::ident::ProviderId;
use crate::record::{Claim, Pace, Thinking};
use crate::timeline::ErrorKind;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// A provider, as its file describes it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Who it is.
    pub provider: About,
    /// Where it is.
    pub endpoint: Places,
    /// How it knows us. Absent: it takes no key.
    #[serde(default)]
    pub key: Option<KeyRule>,
    /// How it wants to be asked.
    #[serde(default)]
    pub request: RequestRule,
    /// How it replies.
    #[serde(default)]
    pub reply: ReplyRule,
    /// What its errors mean.
    #[serde(default)]
    pub errors: ErrorRule,
    /// What it limits.
    #[serde(default)]
    pub limits: LimitRule,
    /// Its models, as far as they are known; others can be asked for too.
    #[serde(default)]
    pub models: Vec<Model>,
    /// How sure each group is.
    pub facts: Vec<Fact>,
}

/// Who a provider is.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// The id, which is the file's name.
    pub id: ProviderId,
    /// What tables print.
    pub title: String,
    /// Other ids by which users may call it.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// It is this provider with some values filled in.
    #[serde(default)]
    pub preset_of: Option<ProviderId>,
    /// What else a user should know.
    #[serde(default)]
    pub note: Option<String>,
}

/// Where a provider is.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Places {
    /// Scheme, host, port and base path. A name in braces must be filled by the plan's own `base_url`.
    pub base_url: String,
    /// What follows the base path; `{model}` in it is filled with the target's model.
    #[serde(default = "chat_path")]
    pub path: String,
    /// Other base URLs by name: `provider@region/model`.
    #[serde(default)]
    pub regions: BTreeMap<String, String>,
}

fn chat_path() -> String {
    "/chat/completions".to_owned()
}

/// How a provider knows us.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRule {
    /// Environment variables that may hold the key; the first that is set counts.
    pub env: Vec<String>,
    /// The header that carries the key; `authorization` takes it as `Bearer`.
    #[serde(default = "authorization")]
    pub header: String,
    /// Further hosts to which the key may go, beside those of the base URLs; `*.example.com` covers every host below.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// It also answers without a key.
    #[serde(default)]
    pub optional: bool,
}

fn authorization() -> String {
    "authorization".to_owned()
}

/// How a provider wants to be asked.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RequestRule {
    /// The name of the cap on the reply's tokens.
    pub cap: Cap,
    /// What that cap counts, where known.
    pub cap_counts: Option<CapCounts>,
    /// The `stream_options` to send.
    pub stream_options: BTreeMap<String, Value>,
    /// It takes a sampling seed.
    pub seed: bool,
    /// Sampling parameters that it takes and ignores.
    pub ignores: Vec<String>,
    /// Fields that switch thinking on and off.
    pub thinking: Option<Switch>,
    /// Headers to add.
    pub headers: BTreeMap<String, String>,
    /// Fields to add to the body.
    pub body: BTreeMap<String, Value>,
    /// The header that carries our id of the request.
    pub request_id: Option<String>,
}

/// The name of the cap on a reply's tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cap {
    /// `max_tokens`.
    #[default]
    MaxTokens,
    /// `max_completion_tokens`.
    MaxCompletionTokens,
}

impl Cap {
    /// The field's name.
    pub const fn field(self) -> &'static str {
        match self {
            Cap::MaxTokens => "max_tokens",
            Cap::MaxCompletionTokens => "max_completion_tokens",
        }
    }
}

/// What a cap counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CapCounts {
    /// Reasoning and answer.
    Reply,
    /// The answer alone.
    Answer,
}

/// Fields that switch thinking.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    /// Sent to switch it on.
    pub on: BTreeMap<String, Value>,
    /// Sent to switch it off. Absent: it cannot be switched off.
    #[serde(default)]
    pub off: Option<BTreeMap<String, Value>>,
}

/// How a provider replies.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReplyRule {
    /// Which dialect the stream speaks.
    pub dialect: DialectName,
    /// Fields that hold reasoning, the first non-empty one counts.
    pub reasoning: Vec<String>,
    /// How inline tags are read: `off`, `tagged`, `assume_open`, `auto`, `auto_retro`, each also as `MODE:OPEN|CLOSE`.
    pub think: String,
    /// Where token counts come. They are read wherever they stand; this is for readers and for the simulator.
    pub usage: UsagePlace,
    /// A top-level object of the provider's own with a further `usage` and an `error`.
    pub extension: Option<String>,
    /// Objects with the server's own times; `usage` where they stand among the token counts.
    pub timing: Vec<String>,
    /// The end mark counts as `stop`.
    pub done_is_stop: bool,
    /// Top-level `code` numbers that mean success.
    pub ok_codes: Vec<i64>,
}

impl Default for ReplyRule {
    fn default() -> ReplyRule {
        let usual = ChatDialect::default();
        ReplyRule {
            dialect: DialectName::Chat,
            reasoning: usual.reasoning_fields,
            think: usual.think.to_string(),
            usage: UsagePlace::default(),
            extension: usual.extension,
            timing: usual.timing,
            done_is_stop: usual.done_is_stop,
            ok_codes: usual.ok_codes,
        }
    }
}

/// Where token counts come in a stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsagePlace {
    /// Not known.
    #[default]
    Unknown,
    /// A chunk of their own, without choices.
    OwnChunk,
    /// The chunk with the finish reason.
    FinishChunk,
    /// Every chunk, cumulative.
    EveryChunk,
    /// The last chunk with content.
    LastContent,
}

/// What a provider's errors mean.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ErrorRule {
    /// Its own codes and types.
    pub codes: BTreeMap<String, ErrorKind>,
    /// What a user can do about a kind of error.
    pub remedies: BTreeMap<ErrorKind, String>,
}

/// What a provider limits.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitRule {
    /// Response headers that tell what is left.
    pub headers: Vec<String>,
    /// How those headers write a time: `go_duration` (`6m0s`), `seconds`, `rfc3339`.
    pub reset: Option<ResetFormat>,
    /// The limits in words.
    pub note: Option<String>,
    /// What it may be asked for at most, where that binds everybody.
    pub pace: Pace,
}

/// How rate-limit headers write a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResetFormat {
    /// `6m0s`, `300ms`.
    GoDuration,
    /// Seconds, with or without a fraction.
    Seconds,
    /// A date and time.
    Rfc3339,
}

/// A model.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Its id, as requests name it.
    pub id: String,
    /// Models of one family answer alike wherever they run, and are compared in speed only with each other.
    #[serde(default)]
    pub family: Option<String>,
    /// Other ids that the provider takes for it.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The day it was withdrawn; it is refused then.
    #[serde(default)]
    pub retired: Option<jiff::civil::Date>,
    /// Whether it thinks, where known.
    #[serde(default)]
    pub reasoning: Option<bool>,
    /// The region that serves it, where only one does.
    #[serde(default)]
    pub region: Option<String>,
    /// How its inline tags are read, where that differs from the provider's `think`.
    #[serde(default)]
    pub think: Option<String>,
    /// Published figures.
    #[serde(default)]
    pub claims: Vec<Claim>,
}

/// How sure a part of the file is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// Groups (`endpoint`) and keys (`request.thinking`) that it covers; the most exact one counts.
    pub of: Vec<String>,
    /// How it is known.
    pub evidence: Evidence,
    /// Where it is from.
    pub source: String,
    /// When that was: `2026-11-24` or `2026-11`.
    pub date: String,
    /// The run folder of this tool that showed it; needed for `recorded`, and for nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<String>,
}

/// How a fact is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// Seen in a recording made with this tool: it works.
    Recorded,
    /// Written in documentation, source code or someone else's recording.
    Documented,
    /// Concluded from the like.
    Inferred,
}

impl Evidence {
    /// The word.
    pub const fn word(self) -> &'static str {
        match self {
            Evidence::Recorded => "recorded",
            Evidence::Documented => "documented",
            Evidence::Inferred => "inferred",
        }
    }
}

impl Profile {
    /// How its stream is read. `Err` names a `think` that is none.
    pub fn chat_dialect(&self) -> Result<ChatDialect, crate::dialect::think::BadThinkTags> {
        Ok(ChatDialect {
            reasoning_fields: self.reply.reasoning.clone(),
            think: self.reply.think.parse::<ThinkTags>()?,
            extension: self.reply.extension.clone(),
            timing: self.reply.timing.clone(),
            done_is_stop: self.reply.done_is_stop,
            ok_codes: self.reply.ok_codes.clone(),
            error_codes: self.errors.codes.clone(),
        })
    }
    /// Its base URLs: the main one, then the regions'.
    pub fn base_urls(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.endpoint.base_url.as_str()).chain(self.endpoint.regions.values().map(String::as_str))
    }
    /// The model of an id or alias.
    pub fn model(&self, id: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.id == id || model.aliases.iter().any(|alias| alias == id))
    }
    /// Models that can be asked for.
    pub fn live_models(&self) -> impl Iterator<Item = &Model> {
        self.models.iter().filter(|model| model.retired.is_none())
    }
    /// The fields that ask for thinking or against it. `None` if it cannot be switched so.
    pub fn thinking_fields(&self, thinking: Thinking) -> Option<BTreeMap<String, Value>> {
        let switch = self.request.thinking.as_ref();
        match thinking {
            Thinking::Default => Some(BTreeMap::new()),
            Thinking::On => switch.map(|switch| switch.on.clone()),
            Thinking::Off => switch.and_then(|switch| switch.off.clone()),
        }
    }
    /// How sure a group or key is: the fact that names it most exactly.
    pub fn fact(&self, path: &str) -> Option<&Fact> {
        let covers = |name: &str| path == name || path.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        let named = self.facts.iter().flat_map(|fact| fact.of.iter().map(move |name| (name, fact)));
        named.filter(|(name, _)| covers(name)).max_by_key(|(name, _)| name.len()).map(|(_, fact)| fact)
    }
}
