//! Asks every provider that speaks Anthropic's Messages, as its file says.

use super::ask::{self, Body, Protocol};
use super::profile::Profile;
use super::{Call, RequestError};
use crate::dialect::AnthropicDecoder;
use crate::wire::Framing;
use serde_json::{Value, json};

/// Anthropic Messages.
pub(super) const PROTOCOL: Protocol = Protocol {
    framing: Framing::Sse,
    body,
    decoder: |profile, _, tags| Box::new(AnthropicDecoder::new(tags, profile.errors.codes.clone())),
};

fn body(profile: &Profile, call: &Call<'_>) -> Result<Body, RequestError> {
    let (rule, target) = (&profile.request, call.target);
    let mut body = Body::default();
    body.set("model", json!(target.model));
    body.set("messages", json!([{ "role": "user", "content": call.prompt }]));
    body.set("stream", json!(true));
    // The protocol demands a cap; the file's body names the one that holds where nobody else does.
    for (name, value) in &rule.body {
        body.merge(name, value.clone());
    }
    let cap = call.max_tokens.or(target.sampling.max_tokens);
    if let Some(cap) = cap {
        body.set(rule.cap.field(), json!(cap));
    }
    if let Some(temperature) = target.sampling.temperature {
        body.set("temperature", json!(temperature));
    }
    if let Some(top_p) = target.sampling.top_p {
        body.set("top_p", json!(top_p));
    }
    for (name, value) in ask::thinking(profile, target)?.iter().chain(&target.extra_body) {
        body.merge(name, value.clone());
    }
    budget_below_cap(call, &mut body)?;
    Ok(body)
}

/// Thinking takes its tokens out of the cap, and a budget that does not leave any is refused by the server. A warm-up, which asks for
/// one token, goes without thinking then; a target is told so before anything is spent.
fn budget_below_cap(call: &Call<'_>, body: &mut Body) -> Result<(), RequestError> {
    let budget = body.get("thinking").and_then(|thinking| thinking["budget_tokens"].as_u64());
    let cap = body.get("max_tokens").and_then(Value::as_u64);
    let (Some(budget), Some(cap)) = (budget, cap) else { return Ok(()) };
    if budget < cap {
        return Ok(());
    }
    if call.max_tokens.is_some() {
        body.set("thinking", json!({ "type": "disabled" }));
        return Ok(());
    }
    Err(RequestError::Unsupported(format!(
        "max_tokens {cap} leaves nothing to answer with beside a thinking budget of {budget} tokens; raise max_tokens above it"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::TargetEntry;
    use crate::provider::Catalog;
    use crate::record::{Sampling, Thinking};
    use crate::secret::{ExposeSecret, Secret};
    use crate::wire::HeaderText;

    fn request(cap: Option<u64>, warm_up: Option<u64>) -> Result<(String, Vec<String>, String), RequestError> {
        let catalog = Catalog::builtin();
        let entry = TargetEntry {
            target: "anthropic/claude-sonnet-4-5".to_owned(),
            thinking: Some(Thinking::On),
            sampling: Some(Sampling { max_tokens: cap, seed: Some(7), ..Sampling::default() }),
            ..TargetEntry::default()
        };
        let target = catalog.target(&entry).unwrap();
        let key = Secret::from("k-123456".to_owned());
        let call = Call {
            target: &target,
            prompt: "hi",
            max_tokens: warm_up,
            key: Some(&key),
            request_id: "r-1",
            wall_now: jiff::Timestamp::UNIX_EPOCH,
        };
        let request = catalog.provider(&target).unwrap().request(&call)?;
        let headers = request.headers.iter().map(|(name, value)| match value {
            HeaderText::Plain(text) => format!("{name}: {text}"),
            HeaderText::Secret(secret) => format!("{name}! {}", secret.expose_secret()),
        });
        Ok((request.path, headers.collect(), String::from_utf8(request.body).unwrap()))
    }

    #[test]
    fn a_request_is_worded_as_messages_want_it() {
        let (path, headers, body) = request(Some(5000), None).unwrap();
        assert_eq!(path, "/v1/messages");
        assert_eq!(headers[3..], ["anthropic-version: 2023-06-01", "x-api-key! k-123456"]);
        let expected = concat!(
            r#"{"model":"claude-sonnet-4-5","messages":[{"content":"hi","role":"user"}],"stream":true,"max_tokens":5000,"#,
            r#""thinking":{"budget_tokens":1024,"type":"enabled"}}"#
        );
        assert_eq!(body, expected);
    }

    #[test]
    fn without_a_cap_the_files_own_holds_since_the_protocol_demands_one() {
        assert!(request(None, None).unwrap().2.contains(r#""max_tokens":4096"#));
    }

    #[test]
    fn a_budget_that_leaves_no_answer_is_told_and_a_warm_up_goes_without() {
        assert!(request(Some(1024), None).unwrap_err().to_string().contains("raise max_tokens above it"));
        assert!(request(Some(5000), Some(1)).unwrap().2.contains(r#""max_tokens":1,"thinking":{"type":"disabled"}"#));
    }
}
