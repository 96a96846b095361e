//! Design of the experiment: plan file -> valid plan -> rounds, blocks, trials. Pure.

mod arrivals;
mod calendar;
mod design;
mod estimate;
mod file;
mod load;
mod pacing;
mod resolve;
mod source;
mod windows;

pub use arrivals::Arrivals;
pub use calendar::{BadCalendar, Ends, MOST_TIMES, ScheduleFile, Scheduled, times};
pub use design::{Block, Schedule, nonce};
pub use estimate::{Estimate, SPEEDS, estimate, slow_warnings, tokens_at_most};
pub use file::{BudgetFile, Cache, Concurrency, LimitsFile, Patch, PlanFile, Prompts};
pub use load::{LoadAsk, LoadCell, LoadSchedule, LoadWish, conditions_to_stop};
pub use pacing::{Pacing, never, pace_words, pacing};
pub use resolve::{Plan, Preset, resolve};
pub use source::{PlanError, Source};
pub use windows::WindowsFile;

use crate::record::{Claim, Pace, Sampling, Thinking, TransportKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A target as a user wrote it, in a plan or after `--target`. Resolved against the catalog into `record::TargetFacts`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetEntry {
    /// `provider/model`, `provider@region/model`, or `http://host:port/v1=model`.
    pub target: String,
    /// The name that tables print; else made from `target`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// The provider file to use for a URL (default `openai-compatible`), such as `vllm`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub provider: Option<String>,
    /// Another base URL than the provider file's. A key goes there only if the user's own config or `--allow-key-host` says so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub base_url: Option<String>,
    /// The model's family, where the provider file does not know it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub family: Option<String>,
    /// Sampling parameters for this target alone; a difference that the manifest lists.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sampling: Option<Sampling>,
    /// Whether thinking is asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub thinking: Option<Thinking>,
    /// Further fields of the request's body.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub extra_body: BTreeMap<String, serde_json::Value>,
    /// How inline `<think>` tags are read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub think_tags: Option<String>,
    /// Which client reads the stream.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub transport: Option<TransportKind>,
    /// Ask for HTTP/2 (reqwest only).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub http2: Option<bool>,
    /// A proxy for this target.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub proxy: Option<String>,
    /// A private certificate authority (PEM).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ca_file: Option<PathBuf>,
    /// What it is asked for at most; what is left out here the plan's own `pace` says, and then the provider file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pace: Option<Pace>,
    /// Published figures.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub claims: Vec<Claim>,
    /// The target is one of our own simulated providers.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub simulated: bool,
}
