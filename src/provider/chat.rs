//! Asks every provider that speaks the chat dialect, as its file says.

use super::ask::{self, Body};
use super::profile::Profile;
use super::{Call, Capabilities, Provider, RequestError};
use crate::dialect::{ChatDecoder, ChatDialect, Decoder};
use crate::ident::ProviderId;
use crate::record::TargetFacts;
use crate::timeline::ErrorKind;
use crate::wire::{Framing, WireRequest};
use serde_json::json;
use std::sync::Arc;

/// A provider of the chat dialect.
#[derive(Debug)]
pub struct ChatProvider {
    profile: Arc<Profile>,
    dialect: Arc<ChatDialect>,
}

impl ChatProvider {
    /// The provider that a checked file describes.
    pub fn new(profile: Arc<Profile>) -> ChatProvider {
        // The file was checked when it was read; a `think` that is none cannot come so far.
        let dialect = Arc::new(profile.chat_dialect().unwrap_or_default());
        ChatProvider { profile, dialect }
    }

    fn body(&self, call: &Call<'_>) -> Result<Body, RequestError> {
        let (rule, target) = (&self.profile.request, call.target);
        let mut body = Body::default();
        body.set("model", json!(target.model));
        body.set("messages", json!([{ "role": "user", "content": call.prompt }]));
        body.set("stream", json!(true));
        if !rule.stream_options.is_empty() {
            body.set("stream_options", json!(rule.stream_options));
        }
        if let Some(cap) = call.max_tokens.or(target.sampling.max_tokens) {
            body.set(rule.cap.field(), json!(cap));
        }
        if let Some(temperature) = target.sampling.temperature {
            body.set("temperature", json!(temperature));
        }
        if let Some(top_p) = target.sampling.top_p {
            body.set("top_p", json!(top_p));
        }
        if let Some(seed) = target.sampling.seed.filter(|_| rule.seed) {
            body.set("seed", json!(seed));
        }
        let thinking = ask::thinking(&self.profile, target)?;
        for (name, value) in rule.body.iter().chain(&thinking).chain(&target.extra_body) {
            body.merge(name, value.clone());
        }
        Ok(body)
    }
}

impl Provider for ChatProvider {
    fn id(&self) -> &ProviderId {
        &self.profile.provider.id
    }

    fn capabilities(&self) -> Capabilities {
        ask::capabilities(&self.profile)
    }

    fn request(&self, call: &Call<'_>) -> Result<WireRequest, RequestError> {
        ask::wire_request(&self.profile, call, self.body(call)?, self.framing())
    }

    fn remedy(&self, kind: ErrorKind) -> Option<&str> {
        self.profile.errors.remedies.get(&kind).map(String::as_str)
    }

    fn framing(&self) -> Framing {
        Framing::Sse
    }

    fn decoder(&self, target: &TargetFacts) -> Box<dyn Decoder> {
        let tags = target.think_tags.parse().unwrap_or_else(|_| self.dialect.think.clone());
        Box::new(ChatDecoder::with_tags(self.dialect.clone(), tags))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::TargetEntry;
    use crate::provider::Catalog;
    use crate::record::{Sampling, Thinking};
    use crate::secret::{ExposeSecret, Secret};
    use crate::wire::HeaderText;
    use std::collections::BTreeMap;

    /// The request to a target, as path, header names and values (keys too), and body.
    fn request(entry: TargetEntry, key: Option<&str>) -> Result<(String, Vec<String>, String), RequestError> {
        let catalog = Catalog::builtin();
        let target = catalog.target(&entry).unwrap();
        let key = key.map(|key| Secret::from(key.to_owned()));
        let call = Call {
            target: &target,
            prompt: "[n1] 你好",
            max_tokens: None,
            key: key.as_ref(),
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

    fn entry(target: &str) -> TargetEntry {
        TargetEntry { target: target.to_owned(), ..TargetEntry::default() }
    }

    #[test]
    fn a_request_is_worded_as_the_file_says_and_always_in_one_order() {
        let sampling = Sampling { max_tokens: Some(4096), temperature: Some(0.6), top_p: None, seed: Some(7) };
        let asked = TargetEntry { sampling: Some(sampling), thinking: Some(Thinking::On), ..entry("ark/deepseek-r1-250528") };
        let (path, headers, body) = request(asked, Some("k-123456")).unwrap();
        assert_eq!(path, "/api/v3/chat/completions");
        assert_eq!(headers[3..], ["x-client-request-id: r-1", "authorization! Bearer k-123456"]);
        let expected = concat!(
            r#"{"model":"deepseek-r1-250528","messages":[{"content":"[n1] 你好","role":"user"}],"stream":true,"#,
            r#""stream_options":{"chunk_include_usage":true,"include_usage":true},"max_completion_tokens":4096,"temperature":0.6,"#,
            r#""seed":7,"thinking":{"type":"enabled"}}"#
        );
        assert_eq!(body, expected);
    }

    #[test]
    fn further_fields_join_those_of_the_file() {
        let extra = BTreeMap::from([("stream_options".to_owned(), json!({ "x": 1 })), ("min_p".to_owned(), json!(0.1))]);
        let (_, _, body) = request(TargetEntry { extra_body: extra, ..entry("vllm/m") }, None).unwrap();
        assert!(body.contains(r#""stream_options":{"continuous_usage_stats":true,"include_usage":true,"x":1}"#), "{body}");
        assert!(body.ends_with(r#""min_p":0.1}"#), "{body}");
    }

    #[test]
    fn a_local_server_gets_no_authorization_without_a_key_and_a_remote_one_no_request() {
        let (_, headers, _) = request(entry("http://127.0.0.1:9/v1=m"), None).unwrap();
        assert!(headers.iter().all(|header| !header.starts_with("authorization")), "{headers:?}");
        let (_, headers, _) =
            request(TargetEntry { base_url: Some("http://127.0.0.1:9/groq".to_owned()), ..entry("groq/m") }, None).unwrap();
        assert!(headers.iter().all(|header| !header.starts_with("authorization")), "{headers:?}");
        assert_eq!(request(entry("deepseek/deepseek-flash"), None).unwrap_err(), RequestError::NoKey("DEEPSEEK_API_KEY".to_owned()));
    }

    #[test]
    fn a_key_goes_into_the_header_that_the_file_names() {
        let azure = TargetEntry { base_url: Some("https://r.openai.azure.com/openai/v1/".to_owned()), ..entry("azure-openai/d") };
        let (path, headers, _) = request(azure, Some("k-123456")).unwrap();
        assert_eq!((path.as_str(), headers.last().map(String::as_str)), ("/openai/v1/chat/completions", Some("api-key! k-123456")));
    }

    #[test]
    fn a_seed_goes_only_where_it_is_taken() {
        let sampling = Sampling { seed: Some(7), max_tokens: Some(9), ..Sampling::default() };
        let (_, _, body) = request(TargetEntry { sampling: Some(sampling), ..entry("deepseek/deepseek-flash") }, Some("k-123456")).unwrap();
        assert!(!body.contains("seed") && body.contains(r#""max_tokens":9"#), "{body}");
    }
}
