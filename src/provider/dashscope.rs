//! Asks DashScope in its own protocol.

use super::ask::{self, Body, Protocol};
use super::profile::Profile;
use super::{Call, RequestError};
use crate::dialect::DashScopeDecoder;
use crate::record::TargetFacts;
use crate::wire::Framing;
use serde_json::{Map, Value, json};

/// DashScope's text generation.
pub(super) const PROTOCOL: Protocol = Protocol {
    framing: Framing::Sse,
    body,
    decoder: |profile, target, tags| Box::new(DashScopeDecoder::new(tags, cumulative(profile, target), profile.errors.codes.clone())),
};

fn body(profile: &Profile, call: &Call<'_>) -> Result<Body, RequestError> {
    let (rule, target) = (&profile.request, call.target);
    let mut body = Body::default();
    body.set("model", json!(target.model));
    body.set("input", json!({ "messages": [{ "role": "user", "content": call.prompt }] }));
    let asked = [
        ("max_tokens", call.max_tokens.or(target.sampling.max_tokens).map(|cap| json!(cap))),
        ("temperature", target.sampling.temperature.map(|t| json!(t))),
        ("top_p", target.sampling.top_p.map(|p| json!(p))),
        ("seed", target.sampling.seed.filter(|_| rule.seed).map(|seed| json!(seed))),
    ];
    let parameters: Map<String, Value> = asked.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    body.set("parameters", Value::Object(parameters));
    for (name, value) in rule.body.iter().chain(&ask::thinking(profile, target)?).chain(&target.extra_body) {
        body.merge(name, value.clone());
    }
    Ok(body)
}

/// Whether each event was asked to repeat the whole text: the server's own way where nothing is said.
fn cumulative(profile: &Profile, target: &TargetFacts) -> bool {
    let said =
        [&target.extra_body, &profile.request.body].into_iter().find_map(|body| body.get("parameters")?["incremental_output"].as_bool());
    said != Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::TargetEntry;
    use crate::provider::Catalog;
    use crate::record::{Sampling, Thinking};
    use crate::secret::Secret;

    #[test]
    fn everything_but_the_prompt_goes_into_the_parameters() {
        let catalog = Catalog::builtin();
        let entry = TargetEntry {
            target: "bailian-native/deepseek-r1".to_owned(),
            thinking: Some(Thinking::On),
            sampling: Some(Sampling { max_tokens: Some(64), seed: Some(7), ..Sampling::default() }),
            ..TargetEntry::default()
        };
        let target = catalog.target(&entry).unwrap();
        let key = Secret::from("k-123456".to_owned());
        let wall_now = jiff::Timestamp::UNIX_EPOCH;
        let call = Call { target: &target, prompt: "hi", max_tokens: None, key: Some(&key), request_id: "r", wall_now };
        let request = catalog.provider(&target).unwrap().request(&call).unwrap();
        assert_eq!(request.path, "/api/v1/services/aigc/text-generation/generation");
        assert!(request.headers.iter().any(|(name, _)| name == "x-dashscope-sse"));
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let expected =
            json!({ "max_tokens": 64, "seed": 7, "enable_thinking": true, "incremental_output": true, "result_format": "message" });
        assert_eq!((&body["parameters"], &body["input"]["messages"][0]["content"]), (&expected, &json!("hi")));
    }
}
