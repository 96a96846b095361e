//! Asks Ollama in its own protocol.

use super::ask::{self, Body, Protocol};
use super::profile::Profile;
use super::{Call, RequestError};
use crate::dialect::OllamaDecoder;
use crate::wire::Framing;
use serde_json::{Map, Value, json};

/// Ollama's `/api/chat`.
pub(super) const PROTOCOL: Protocol = Protocol {
    framing: Framing::Ndjson,
    body,
    decoder: |profile, _, tags| Box::new(OllamaDecoder::new(tags, profile.errors.codes.clone())),
};

fn body(profile: &Profile, call: &Call<'_>) -> Result<Body, RequestError> {
    let (rule, target) = (&profile.request, call.target);
    let mut body = Body::default();
    body.set("model", json!(target.model));
    body.set("messages", json!([{ "role": "user", "content": call.prompt }]));
    body.set("stream", json!(true));
    let asked = [
        ("num_predict", call.max_tokens.or(target.sampling.max_tokens).map(|cap| json!(cap))),
        ("temperature", target.sampling.temperature.map(|t| json!(t))),
        ("top_p", target.sampling.top_p.map(|p| json!(p))),
        ("seed", target.sampling.seed.filter(|_| rule.seed).map(|seed| json!(seed))),
    ];
    let options: Map<String, Value> = asked.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    if !options.is_empty() {
        body.set("options", Value::Object(options));
    }
    for (name, value) in rule.body.iter().chain(&ask::thinking(profile, target)?).chain(&target.extra_body) {
        body.merge(name, value.clone());
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::TargetEntry;
    use crate::provider::Catalog;
    use crate::record::{Sampling, Thinking};
    use std::collections::BTreeMap;

    #[test]
    fn sampling_goes_into_the_options_and_further_options_join_it() {
        let catalog = Catalog::builtin();
        let entry = TargetEntry {
            target: "ollama-native/deepseek-r1:8b".to_owned(),
            thinking: Some(Thinking::Off),
            sampling: Some(Sampling { max_tokens: Some(64), seed: Some(7), ..Sampling::default() }),
            extra_body: BTreeMap::from([("options".to_owned(), json!({ "num_ctx": 8192 }))]),
            ..TargetEntry::default()
        };
        let target = catalog.target(&entry).unwrap();
        let call =
            Call { target: &target, prompt: "hi", max_tokens: None, key: None, request_id: "r", wall_now: jiff::Timestamp::UNIX_EPOCH };
        let request = catalog.provider(&target).unwrap().request(&call).unwrap();
        assert_eq!((request.path.as_str(), request.framing), ("/api/chat", Framing::Ndjson));
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(body["options"], json!({ "num_predict": 64, "seed": 7, "num_ctx": 8192 }));
        assert_eq!((&body["think"], &body["stream"]), (&json!(false), &json!(true)));
    }
}
