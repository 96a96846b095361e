//! What a request is made of in every protocol: its headers, its path, and a body whose fields keep their order. And what the adapter
//! of a provider's own protocol says, so that a new one is a [`Protocol`] and nothing more.

use super::profile::{Profile, UsagePlace};
use super::target::is_loopback;
use super::{Call, Capabilities, Provider, RequestError};
use crate::dialect::{Decoder, ThinkTags};
use crate::ident::ProviderId;
use crate::record::{TargetFacts, Thinking};
use crate::secret::{ExposeSecret, Secret};
use crate::timeline::ErrorKind;
use crate::wire::{Framing, HeaderText, WireRequest};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The longest line that a request allows unless the run says otherwise, bytes.
pub const LARGEST_LINE: u64 = 16 << 20;
/// The largest body that a request allows unless the run says otherwise, bytes.
pub const LARGEST_BODY: u64 = 256 << 20;

/// A protocol of a provider's own.
#[derive(Debug)]
pub(super) struct Protocol {
    /// How its responses are cut.
    pub framing: Framing,
    /// The body of a request.
    pub body: fn(&Profile, &Call<'_>) -> Result<Body, RequestError>,
    /// A fresh decoder for one response; the tags are the target's.
    pub decoder: fn(&Profile, &TargetFacts, ThinkTags) -> Box<dyn Decoder>,
}

/// A provider that speaks a protocol of its own.
#[derive(Debug)]
pub(super) struct OwnProvider {
    profile: Arc<Profile>,
    protocol: &'static Protocol,
}

impl OwnProvider {
    /// The provider that a checked file describes.
    pub fn new(profile: Arc<Profile>, protocol: &'static Protocol) -> OwnProvider {
        OwnProvider { profile, protocol }
    }
}

impl Provider for OwnProvider {
    fn id(&self) -> &ProviderId {
        &self.profile.provider.id
    }
    fn capabilities(&self) -> Capabilities {
        capabilities(&self.profile)
    }
    fn request(&self, call: &Call<'_>) -> Result<WireRequest, RequestError> {
        let body = (self.protocol.body)(&self.profile, call)?;
        wire_request(&self.profile, call, body, self.protocol.framing)
    }
    fn remedy(&self, kind: ErrorKind) -> Option<&str> {
        self.profile.errors.remedies.get(&kind).map(String::as_str)
    }
    fn framing(&self) -> Framing {
        self.protocol.framing
    }
    fn decoder(&self, target: &TargetFacts) -> Box<dyn Decoder> {
        let tags = target.think_tags.parse().or_else(|_| self.profile.reply.think.parse()).unwrap_or_default();
        (self.protocol.decoder)(&self.profile, target, tags)
    }
}

/// What a file says that its provider can do.
pub(super) fn capabilities(profile: &Profile) -> Capabilities {
    Capabilities {
        reasoning: !profile.reply.reasoning.is_empty() || profile.reply.think != "off",
        seed: profile.request.seed,
        thinking_switch: profile.request.thinking.is_some(),
        usage: profile.reply.usage != UsagePlace::Unknown,
        key: profile.key.as_ref().is_some_and(|key| !key.optional),
    }
}

/// The whole request. `{model}` in the file's path is filled with the target's model.
pub(super) fn wire_request(profile: &Profile, call: &Call<'_>, body: Body, framing: Framing) -> Result<WireRequest, RequestError> {
    let base = url::Url::parse(&call.target.base_url).map_err(|error| RequestError::Unsupported(format!("base_url: {error}")))?;
    let own = profile.endpoint.path.replace("{model}", &in_path(&call.target.model));
    Ok(WireRequest {
        method: "POST",
        path: format!("{}{own}", base.path().trim_end_matches('/')),
        headers: headers(profile, call, framing)?,
        body: serde_json::to_vec(&body).map_err(|error| RequestError::Unsupported(error.to_string()))?,
        framing,
        largest_line: LARGEST_LINE,
        largest_body: LARGEST_BODY,
    })
}

/// A model's name inside a path: what could end the path or begin a query is written in percent.
fn in_path(model: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/:@".contains(&byte);
    model.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// The fields that switch thinking as the target wants it.
pub(super) fn thinking(profile: &Profile, target: &TargetFacts) -> Result<BTreeMap<String, Value>, RequestError> {
    profile.thinking_fields(target.thinking).ok_or_else(|| {
        let word = if target.thinking == Thinking::On { "on" } else { "off" };
        RequestError::Unsupported(format!("{} has no switch to turn thinking {word}", profile.provider.title))
    })
}

fn headers(profile: &Profile, call: &Call<'_>, framing: Framing) -> Result<Vec<(String, HeaderText)>, RequestError> {
    let plain = |name: &str, value: &str| (name.to_owned(), HeaderText::Plain(value.to_owned()));
    let accept = match framing {
        Framing::Sse => "text/event-stream",
        Framing::Ndjson => "application/x-ndjson",
    };
    let mut headers = vec![
        plain("content-type", "application/json"),
        plain("accept", accept),
        plain("user-agent", concat!("photofinish/", env!("CARGO_PKG_VERSION"))),
    ];
    headers.extend(profile.request.headers.iter().map(|(name, value)| plain(&name.to_lowercase(), value)));
    if let Some(name) = &profile.request.request_id {
        headers.push(plain(&name.to_lowercase(), call.request_id));
    }
    match (&profile.key, call.key) {
        (Some(rule), Some(key)) => headers.push((rule.header.to_lowercase(), HeaderText::Secret(worded(&rule.header, key)))),
        (Some(rule), None) if !rule.optional && !call.target.simulated && !is_loopback(&call.target.base_url) => {
            return Err(RequestError::NoKey(rule.env.join(" or ")));
        }
        _ => {}
    }
    Ok(headers)
}

/// The key as its header words it.
fn worded(header: &str, key: &Secret) -> Secret {
    match header.eq_ignore_ascii_case("authorization") {
        true => Secret::from(format!("Bearer {}", key.expose_secret())),
        false => key.clone(),
    }
}

/// A request's body: fields in the order in which they were set, so that equal calls are equal bytes.
#[derive(Debug, Default)]
pub(super) struct Body(Vec<(String, Value)>);

impl Body {
    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }
    /// Sets a field.
    pub fn set(&mut self, name: &str, value: Value) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }
    /// Sets a field; an object is added to the one that stands there.
    pub fn merge(&mut self, name: &str, value: Value) {
        match (self.0.iter_mut().find(|(known, _)| known == name), value) {
            (Some((_, Value::Object(old))), Value::Object(new)) => old.extend(new),
            (_, value) => self.set(name, value),
        }
    }
}

impl Serialize for Body {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
