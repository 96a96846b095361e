//! Asks Meta Llama in its own protocol.

use super::ask::{self, Body, Protocol};
use super::profile::Profile;
use super::{Call, RequestError};
use crate::dialect::LlamaDecoder;
use crate::wire::Framing;
use serde_json::json;

/// Meta Llama's own `/chat/completions`.
pub(super) const PROTOCOL: Protocol =
    Protocol { framing: Framing::Sse, body, decoder: |profile, _, _| Box::new(LlamaDecoder::new(profile.errors.codes.clone())) };

fn body(profile: &Profile, call: &Call<'_>) -> Result<Body, RequestError> {
    let (rule, target) = (&profile.request, call.target);
    let mut body = Body::default();
    body.set("model", json!(target.model));
    body.set("messages", json!([{ "role": "user", "content": call.prompt }]));
    body.set("stream", json!(true));
    if let Some(cap) = call.max_tokens.or(target.sampling.max_tokens) {
        body.set(rule.cap.field(), json!(cap));
    }
    if let Some(temperature) = target.sampling.temperature {
        body.set("temperature", json!(temperature));
    }
    if let Some(top_p) = target.sampling.top_p {
        body.set("top_p", json!(top_p));
    }
    for (name, value) in rule.body.iter().chain(&ask::thinking(profile, target)?).chain(&target.extra_body) {
        body.merge(name, value.clone());
    }
    Ok(body)
}
