//! `manifest.json`: everything that was decided before the first request.

use super::{Calendar, CitedCalibration, Difference, LoadDesign, Pace, Windows};
use crate::ident::{PromptId, ProviderId, TargetId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What was planned and under which conditions. Written before the first request and not changed after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the record's schema.
    pub schema: u32,
    /// The tool that measured.
    pub tool: Tool,
    /// The run's id, part of its folder's name and of every trial id.
    pub run: String,
    /// The plan's name.
    pub name: String,
    /// When the run was made.
    pub created: jiff::Timestamp,
    /// IANA name of the machine's time zone.
    pub zone: String,
    /// Where it was measured from, in the user's words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub vantage: Option<String>,
    /// The plan's seed: every random choice comes from it and the salt.
    pub seed: u64,
    /// The run's own salt, so that a second run of the plan does not meet the first one's caches. Hexadecimal.
    pub salt: String,
    /// SHA-256 of the resolved plan, hexadecimal.
    pub plan_digest: String,
    /// Present when every target is simulated; no reading command mixes such a run with a real one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub simulated: Option<Simulated>,
    /// Rounds, prompts, order and the rules of judging.
    pub design: Design,
    /// Present in a load run alone, whose trials are never read together with those of rounds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub load: Option<LoadDesign>,
    /// Limits of a request, the same for every target.
    pub limits: Limits,
    /// What stops the run between blocks.
    #[serde(default)]
    pub budget: Budget,
    /// What is compared, in the plan's order.
    pub targets: Vec<TargetFacts>,
    /// What is asked.
    pub dataset: DatasetFacts,
    /// Differences between the targets' requests that could not be avoided.
    #[serde(default)]
    pub differences: Vec<Difference>,
    /// What is kept of the replies' text.
    #[serde(default)]
    pub text: TextKept,
    /// The measuring machine.
    pub host: HostFacts,
    /// The newest calibration of this machine when the run was made; absent where there was none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub calibration: Option<CitedCalibration>,
}

/// The tool that wrote the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// `photofinish`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A run on simulated providers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Simulated {
    /// The time scale: 10 means that ten seconds of the imitated provider took one. Limits are scaled alike; tables multiply back.
    pub scale: f64,
}

/// Rounds, prompts, order and the rules by which replies are judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Design {
    /// Rounds planned.
    pub rounds: u32,
    /// Prompts a round.
    pub prompts: u32,
    /// One round in every so many seconds; 0 is one after another.
    #[serde(default)]
    pub every_s: u64,
    /// When rounds are due, where a calendar says so; `every_s` is 0 then.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub calendar: Option<Calendar>,
    /// The preset it came from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub preset: Option<String>,
    /// All targets of a block at once; else one after another.
    pub at_once: bool,
    /// Each round opens with one request a target that is not scored.
    pub warm_up: bool,
    /// A nonce stands at the front of every prompt, so that no prefix cache is met.
    pub cache_defeat: bool,
    /// A reply cut by `max_tokens` is a success (a speed workload), not a failure (an answer was wanted).
    pub capped_is_ok: bool,
    /// A gap longer than this is a stall, in milliseconds.
    pub stall_ms: f64,
    /// Replies with fewer tokens stay out of the speed tables.
    pub min_tokens: u64,
    /// The times of the day whose difference is tested. Runs of before they were stored had the default ones.
    #[serde(default)]
    pub windows: Windows,
}

/// Limits of one request, in milliseconds of real time (a simulated run stores what was applied).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// DNS, TCP and TLS together.
    pub connect_ms: u64,
    /// From the first write to the first text.
    pub first_token_ms: u64,
    /// Between two texts; keep-alives do not count.
    pub idle_ms: u64,
    /// From the first write to the end: `T` of the charged times.
    pub total_ms: u64,
    /// The longest line, bytes.
    pub largest_line: u64,
    /// The largest body, bytes.
    pub largest_body: u64,
}

/// What stops a run between blocks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Requests in all, warm-ups included.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max_requests: Option<u64>,
    /// Tokens in all, prompt and completion, as reported or else counted in the worst case.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max_total_tokens: Option<u64>,
}

/// Whether the model is asked to think.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Thinking {
    /// No switch is sent: the provider's default.
    #[default]
    Default,
    /// Thinking is switched on.
    On,
    /// Thinking is switched off.
    Off,
}

/// Sampling parameters; absent ones are not sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sampling {
    /// Cap on the reply's tokens.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max_tokens: Option<u64>,
    /// Temperature.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub temperature: Option<f64>,
    /// Nucleus.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub top_p: Option<f64>,
    /// The model's own seed, where the provider takes one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub seed: Option<i64>,
}

/// Which client reads the stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransportKind {
    /// Our own reader over sockets stamped by the kernel.
    #[cfg_attr(all(unix, not(photofinish_portable)), default)]
    Kernel,
    /// The `reqwest` crate: SOCKS and HTTP/2, user-space times only. The only one on systems other than Unix.
    #[cfg_attr(not(all(unix, not(photofinish_portable))), default)]
    Reqwest,
}

/// A published figure that a measurement can be held against.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The metric's name, such as `content_speed`.
    pub metric: String,
    /// Its value in the metric's own unit.
    pub value: f64,
    /// Who published it.
    pub source: String,
    /// When.
    pub date: String,
}

/// What is compared: provider × model × parameters, resolved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetFacts {
    /// Unique in the run; what tables print.
    pub id: TargetId,
    /// The provider file.
    pub provider: ProviderId,
    /// The provider's title.
    pub title: String,
    /// The model, as asked for.
    pub model: String,
    /// The model's family: targets of different families are compared in speed only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub family: Option<String>,
    /// Where requests go: scheme, host, port and base path.
    pub base_url: String,
    /// The name of the environment variable that the key came from (never the key).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key_env: Option<String>,
    /// Sampling parameters as asked for.
    #[serde(default)]
    pub sampling: Sampling,
    /// Whether thinking was asked for.
    #[serde(default)]
    pub thinking: Thinking,
    /// Further fields of the request's body, as JSON text by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub extra_body: BTreeMap<String, serde_json::Value>,
    /// How inline `<think>` tags are read (`off`, `tagged`, `assume_open`, `auto`, `auto_retro`).
    pub think_tags: String,
    /// Whether the model thinks, where known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reasoning_model: Option<bool>,
    /// Which client reads the stream.
    #[serde(default)]
    pub transport: TransportKind,
    /// Ask for HTTP/2 (reqwest only).
    #[serde(default)]
    pub http2: bool,
    /// A proxy that the plan names, credentials left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub proxy: Option<String>,
    /// A private certificate authority that is trusted beside the system's roots.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ca_file: Option<PathBuf>,
    /// What it is asked for at most.
    #[serde(skip_serializing_if = "Pace::is_free", default)]
    pub pace: Pace,
    /// Published figures.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub claims: Vec<Claim>,
    /// The target is one of our own simulated providers.
    #[serde(default)]
    pub simulated: bool,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DatasetFacts {
    /// The dataset's name, or the path of a user's own file.
    pub name: String,
    /// SHA-256 of its bytes, hexadecimal.
    pub digest: String,
    /// `zh`, `en` …
    pub language: String,
    /// What it is for: `speed` or `quality` …
    pub purpose: String,
    /// The prompts that the plan took, in the dataset's order.
    pub prompts: Vec<PromptFacts>,
}

/// One prompt, as far as a reader needs it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PromptFacts {
    /// Its id.
    pub id: PromptId,
    /// SHA-256 of its text, hexadecimal.
    pub digest: String,
    /// Its length in characters.
    pub chars: u64,
    /// The exact answer, where the dataset has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub answer: Option<String>,
}

/// What is kept of the replies' text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "keep", rename_all = "snake_case")]
pub enum TextKept {
    /// All of it.
    #[default]
    Full,
    /// Lengths, token counts of each event by the named tokenizer, and a keyed hash.
    Counts {
        /// The tokenizer that counted.
        tokenizer: String,
    },
}

/// The measuring machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostFacts {
    /// Operating system and kernel release.
    pub os: String,
    /// Processor architecture.
    pub arch: String,
    /// Processors that this process may use.
    pub cpus: u32,
    /// Names of proxy variables that are set in the environment. They are not used; their presence is worth knowing.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub proxy_env: Vec<String>,
}
