//! What the server says of itself: token counts and times. As reported, never filled in.

use serde::{Deserialize, Serialize};

/// Token counts in the normal form: `prompt` includes cached tokens, `completion` includes reasoning. A count that was not sent is
/// absent, not zero.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the prompt, cached ones included.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub prompt: Option<u64>,
    /// Tokens of the reply, reasoning included.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub completion: Option<u64>,
    /// Tokens of the reasoning.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reasoning: Option<u64>,
    /// Tokens of the prompt that came from a cache.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cached: Option<u64>,
    /// The total, as sent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub total: Option<u64>,
    /// `completion` as sent, where it had to be mended because it excluded reasoning (prompt + completion + reasoning = total).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub completion_reported: Option<u64>,
    /// The usage object as sent, JSON text.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub raw: Option<String>,
}

impl Usage {
    /// Whether no count at all was sent.
    pub fn is_empty(&self) -> bool {
        self.prompt.is_none() && self.completion.is_none() && self.reasoning.is_none() && self.total.is_none()
    }
}

/// The server's own account of its time, in milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ServerTiming {
    /// Waiting for a place.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub queue_ms: Option<f64>,
    /// Reading the prompt.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub prompt_ms: Option<f64>,
    /// Writing the reply.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub gen_ms: Option<f64>,
    /// To the first token, as the server sees it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ttft_ms: Option<f64>,
    /// Loading the model (a cold start).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub load_ms: Option<f64>,
    /// All of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub total_ms: Option<f64>,
    /// Tokens the server says it wrote (llama.cpp `predicted_n`).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub gen_tokens: Option<u64>,
    /// Prompt tokens taken from a cache, where the server counts them beside its times (llama.cpp `cache_n`).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cached: Option<u64>,
}
