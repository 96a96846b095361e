//! What a provider wants to be asked and how its reply is cut. Says what to send and how to read; does neither.

mod anthropic;
mod ask;
mod catalog;
mod chat;
mod check;
pub mod config;
mod dashscope;
mod inline;
pub mod keys;
mod llama;
mod ollama;
pub mod profile;
mod read;
mod target;

pub use catalog::{Catalog, CatalogError, Origin};
pub use config::UserConfig;
pub use keys::{Key, KeyError, Keys};
pub use profile::{Evidence, Profile};
pub use read::FileFault;
pub use target::TargetError;

use crate::dialect::Decoder;
use crate::ident::ProviderId;
use crate::record::TargetFacts;
use crate::secret::Secret;
use crate::timeline::ErrorKind;
use crate::wire::{Framing, WireRequest};

/// Everything a request is made from.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The target: base URL, model, sampling, thinking, extra body.
    pub target: &'a TargetFacts,
    /// The user's message, nonce included: identical bytes for all targets of a block.
    pub prompt: &'a str,
    /// Overrides the target's cap on reply tokens (a warm-up asks for one token).
    pub max_tokens: Option<u64>,
    /// The key, where one is needed.
    pub key: Option<&'a Secret>,
    /// Our id of the request, sent as a header where the provider takes one.
    pub request_id: &'a str,
    /// Wall-clock time when the request is made, for signatures. Under load that is up to some minutes before it is sent.
    pub wall_now: jiff::Timestamp,
}

/// Why a request could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The provider needs a key and none is there.
    #[error("no key: set the environment variable {0}")]
    NoKey(String),
    /// The target asks for something that the provider's file does not allow.
    #[error("{0}")]
    Unsupported(String),
}

/// What a provider can do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Reasoning can be told from content.
    pub reasoning: bool,
    /// Takes a sampling seed.
    pub seed: bool,
    /// Thinking can be switched.
    pub thinking_switch: bool,
    /// Reports token counts in the stream.
    pub usage: bool,
    /// Needs a key.
    pub key: bool,
}

/// A service that can be raced.
pub trait Provider: Send + Sync {
    /// Its file's id.
    fn id(&self) -> &ProviderId;
    /// What it can do.
    fn capabilities(&self) -> Capabilities;
    /// The request for a call. Its path is the base URL's path and the dialect's own.
    fn request(&self, call: &Call<'_>) -> Result<WireRequest, RequestError>;
    /// What a user can do about an error of this kind, where the provider's file says it.
    fn remedy(&self, _kind: ErrorKind) -> Option<&str> {
        None
    }
    /// How its responses are cut.
    fn framing(&self) -> Framing;
    /// A fresh decoder for one response to this target.
    fn decoder(&self, target: &TargetFacts) -> Box<dyn Decoder>;
}
