//! From what a user wrote to what is compared: `provider/model`, `provider@region/model`, an alias, or `URL=model`.

use super::catalog::{Catalog, CatalogError};
use super::inline;
use super::profile::{CapCounts, Profile};
use crate::dialect::ThinkTags;
use crate::ident::{BadName, TargetId};
use crate::plan::TargetEntry;
use crate::record::{Difference, TargetFacts, Thinking, UnequalBy};
use crate::secret::open::looks_like_key;
use std::net::IpAddr;
use url::Url;

/// Why an entry is no target. None of these shows a credential.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The provider is not known, or its file has a fault.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The text has none of the forms.
    #[error("{0}: write provider/model, provider@region/model, or http://host:port/v1=model")]
    Form(String),
    /// The name cannot be one.
    #[error(transparent)]
    Name(#[from] BadName),
    /// No such region.
    #[error("{provider} has no region {region:?}; it has {known}")]
    Region {
        /// The provider.
        provider: String,
        /// What was asked for.
        region: String,
        /// What there is.
        known: String,
    },
    /// The model was withdrawn.
    #[error("{provider} withdrew {model} on {since}; {live}")]
    Retired {
        /// The provider.
        provider: String,
        /// The model.
        model: String,
        /// The day.
        since: jiff::civil::Date,
        /// What can be asked for instead.
        live: String,
    },
    /// A URL that cannot be used.
    #[error("{key}: {shown}: {why}")]
    Url {
        /// The key that holds it.
        key: &'static str,
        /// The URL, credentials covered.
        shown: String,
        /// What is wrong, and what to do.
        why: String,
    },
    /// A credential stands in the open.
    #[error("{place} holds a credential; take it out and name its environment variable instead (`photofinish providers` tells which)")]
    Credential {
        /// Where.
        place: String,
    },
    /// Tags that are none.
    #[error("think_tags: {0}")]
    Think(#[from] crate::dialect::think::BadThinkTags),
    /// Thinking cannot be switched.
    #[error("thinking: {title} has no switch to turn it {word}; take `default`, or give the fields under `extra_body`")]
    NoSwitch {
        /// The provider's title.
        title: String,
        /// `on` or `off`.
        word: &'static str,
    },
}

impl Catalog {
    /// What an entry stands for. Its key is found apart, by [`super::Keys`].
    pub fn target(&self, entry: &TargetEntry) -> Result<TargetFacts, TargetError> {
        open_credential(entry)?;
        let asked = Asked::read(entry)?;
        let profile = self.profile(&asked.provider)?;
        let model = profile.model(&asked.model);
        // A simulated provider may imitate a model of the past.
        let retired = model.filter(|_| !entry.simulated).and_then(|model| model.retired.map(|since| (model, since)));
        if let Some((model, since)) = retired {
            return Err(TargetError::Retired {
                provider: profile.provider.id.to_string(),
                model: model.id.clone(),
                since,
                live: live(&profile),
            });
        }
        let region = asked.region.as_ref().or(model.and_then(|model| model.region.as_ref()));
        let base_url = match (&asked.base_url, region) {
            (Some(url), _) => url.clone(),
            (None, Some(region)) => region_url(&profile, region)?,
            (None, None) => profile.endpoint.base_url.clone(),
        };
        let base_url = usable_base_url(&base_url)?;
        // Many write the whole address of the endpoint; the path is added to every request anyway.
        let base_url = base_url.strip_suffix(&profile.endpoint.path).map_or(base_url.clone(), str::to_owned);
        if let Some(proxy) = &entry.proxy {
            usable_proxy(proxy)?;
        }
        let thinking = entry.thinking.unwrap_or_default();
        if profile.thinking_fields(thinking).is_none() {
            let word = if thinking == Thinking::On { "on" } else { "off" };
            return Err(TargetError::NoSwitch { title: profile.provider.title.clone(), word });
        }
        let think = entry.think_tags.as_deref().or(model.and_then(|m| m.think.as_deref())).unwrap_or(&profile.reply.think);
        let id = entry.name.clone().unwrap_or_else(|| asked.name());
        Ok(TargetFacts {
            id: TargetId::new(id)?,
            provider: profile.provider.id.clone(),
            title: profile.provider.title.clone(),
            model: asked.model.clone(),
            family: entry.family.clone().or_else(|| model.and_then(|m| m.family.clone())),
            base_url,
            key_env: None,
            pace: entry.pace.unwrap_or_default().or(profile.limits.pace),
            sampling: entry.sampling.clone().unwrap_or_default(),
            thinking,
            extra_body: entry.extra_body.clone(),
            think_tags: think.parse::<ThinkTags>()?.to_string(),
            reasoning_model: model.and_then(|m| m.reasoning),
            transport: entry.transport.unwrap_or_default(),
            http2: entry.http2.unwrap_or(false),
            proxy: entry.proxy.clone(),
            ca_file: entry.ca_file.clone(),
            claims: if entry.claims.is_empty() { model.map(|m| m.claims.clone()).unwrap_or_default() } else { entry.claims.clone() },
            simulated: entry.simulated,
        })
    }

    /// What of a target's parameters its provider does not take, for the manifest's list of differences.
    pub fn differences(&self, target: &TargetFacts) -> Result<Vec<Difference>, CatalogError> {
        let profile = self.profile(target.provider.as_str())?;
        let mut told = Vec::new();
        if target.sampling.seed.is_some() && !profile.request.seed {
            told.push(UnequalBy::NoSeed);
        }
        let set = [("temperature", target.sampling.temperature.is_some()), ("top_p", target.sampling.top_p.is_some())];
        for (name, _) in set.iter().filter(|(name, set)| *set && profile.request.ignores.iter().any(|i| i == name)) {
            told.push(UnequalBy::Ignored { parameter: (*name).to_owned() });
        }
        if target.sampling.max_tokens.is_some() && profile.request.cap_counts == Some(CapCounts::Answer) {
            told.push(UnequalBy::CapCountsAnswer { parameter: profile.request.cap.field().to_owned() });
        }
        Ok(told.into_iter().map(|by| Difference::of(&target.id, by)).collect())
    }
}

/// The parts of a target's text.
struct Asked {
    provider: String,
    region: Option<String>,
    base_url: Option<String>,
    model: String,
    text: String,
}

impl Asked {
    fn read(entry: &TargetEntry) -> Result<Asked, TargetError> {
        let text = entry.target.trim().to_owned();
        let form = || TargetError::Form(format!("{:?} names no target", inline::shown(&text)));
        if text.starts_with("http://") || text.starts_with("https://") {
            let (url, model) = text.rsplit_once('=').filter(|(url, model)| !url.contains('?') && !model.is_empty()).ok_or_else(form)?;
            if entry.base_url.is_some() {
                return Err(TargetError::Form("both `target` and `base_url` give a URL; keep one".to_owned()));
            }
            let provider = entry.provider.clone().unwrap_or_else(|| "openai-compatible".to_owned());
            return Ok(Asked { provider, region: None, base_url: Some(url.to_owned()), model: model.to_owned(), text });
        }
        let (place, model) = text.split_once('/').filter(|(place, model)| !place.is_empty() && !model.is_empty()).ok_or_else(form)?;
        let (provider, region) = place.split_once('@').map_or((place, None), |(provider, region)| (provider, Some(region.to_owned())));
        if entry.provider.as_deref().is_some_and(|named| named != provider) {
            return Err(TargetError::Form(format!(
                "{text:?} and `provider: {}` name two providers; keep one",
                entry.provider.as_deref().unwrap_or_default()
            )));
        }
        Ok(Asked { provider: provider.to_owned(), region, base_url: entry.base_url.clone(), model: model.to_owned(), text })
    }

    /// The name that tables print unless the user gave one: of a URL its host and path, without the `/v1` that nearly all have.
    fn name(&self) -> String {
        let Some((_, place)) = self.base_url.as_deref().filter(|_| self.text.contains("://")).and_then(|url| url.split_once("://")) else {
            return self.text.clone();
        };
        let place = place.trim_end_matches('/');
        format!("{}/{}", place.strip_suffix("/v1").unwrap_or(place), self.model)
    }
}

fn live(profile: &Profile) -> String {
    let ids: Vec<&str> = profile.live_models().map(|model| model.id.as_str()).collect();
    match ids.is_empty() {
        true => "no live model of it is known here; name one that its documentation lists".to_owned(),
        false => format!("live are {}", ids.join(", ")),
    }
}

fn region_url(profile: &Profile, region: &str) -> Result<String, TargetError> {
    let known = || match profile.endpoint.regions.is_empty() {
        true => "none".to_owned(),
        false => profile.endpoint.regions.keys().cloned().collect::<Vec<_>>().join(", "),
    };
    let missing = || TargetError::Region { provider: profile.provider.id.to_string(), region: region.to_owned(), known: known() };
    profile.endpoint.regions.get(region).cloned().ok_or_else(missing)
}

/// A base URL that requests can go to, without a slash at its end.
fn usable_base_url(text: &str) -> Result<String, TargetError> {
    let bad = |why: String| TargetError::Url { key: "base_url", shown: inline::shown(text), why };
    if text.contains('{') {
        return Err(bad("the part in braces is yours; write the whole URL under `base_url:`".to_owned()));
    }
    let url = Url::parse(text).map_err(|error| bad(format!("{error}; write it like https://api.example.com/v1")))?;
    if !["http", "https"].contains(&url.scheme()) {
        return Err(bad("only http and https are spoken here".to_owned()));
    }
    if let Some(what) = inline::in_url(&url) {
        return Err(bad(format!("{what}; keys come from the environment, never from a plan or URL")));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(bad("a base URL has no query".to_owned()));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn usable_proxy(text: &str) -> Result<(), TargetError> {
    let bad = |why: String| TargetError::Url { key: "proxy", shown: inline::shown(text), why };
    let url = Url::parse(text).map_err(|error| bad(format!("{error}; write it like http://127.0.0.1:3128")))?;
    match inline::in_url(&url) {
        Some(what) => Err(bad(format!("{what}; a proxy with credentials is not supported"))),
        None if ["http", "socks5", "socks5h"].contains(&url.scheme()) => Ok(()),
        None => Err(bad("only http:// (CONNECT) and, with `transport: reqwest`, socks5:// are spoken here".to_owned())),
    }
}

/// Refuses an entry that holds a credential.
fn open_credential(entry: &TargetEntry) -> Result<(), TargetError> {
    let found = |place: &str| Err(TargetError::Credential { place: place.to_owned() });
    let parts = entry.target.split(['/', '=', '@', ':']);
    if parts.into_iter().any(looks_like_key) {
        return found("target");
    }
    for (place, text) in [("name", &entry.name), ("provider", &entry.provider), ("family", &entry.family)] {
        if text.as_deref().is_some_and(looks_like_key) {
            return found(place);
        }
    }
    match inline::in_body(&entry.extra_body) {
        Some(path) => found(&format!("extra_body.{path}")),
        None => Ok(()),
    }
}

/// Whether a URL stays on this machine.
pub(super) fn is_loopback(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    url.host_str().is_some_and(is_loopback_host)
}

/// Whether a host name or address is this machine.
pub(super) fn is_loopback_host(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Catalog;
    use crate::record::{Pace, Unequal};

    fn entry(target: &str) -> TargetEntry {
        TargetEntry { target: target.to_owned(), ..TargetEntry::default() }
    }
    fn resolved(entry: &TargetEntry) -> TargetFacts {
        Catalog::builtin().target(entry).unwrap_or_else(|error| panic!("{error}"))
    }
    fn told(entry: &TargetEntry) -> String {
        Catalog::builtin().target(entry).map(|facts| format!("{facts:?}")).unwrap_or_else(|error| error.to_string())
    }

    #[test]
    fn a_target_is_a_provider_and_a_model() {
        let facts = resolved(&entry("siliconflow/Pro/deepseek-ai/DeepSeek-R1"));
        assert_eq!((facts.model.as_str(), facts.family.as_deref()), ("Pro/deepseek-ai/DeepSeek-R1", Some("deepseek-r1")));
        assert_eq!(facts.id.as_str(), "siliconflow/Pro/deepseek-ai/DeepSeek-R1");
        assert_eq!((facts.reasoning_model, facts.think_tags.as_str()), (Some(true), "off"));
    }

    #[test]
    fn a_region_is_named_or_follows_from_the_model() {
        assert_eq!(resolved(&entry("siliconflow@intl/m")).base_url, "https://api.siliconflow.com/v1");
        assert_eq!(resolved(&entry("iflytek/x1")).base_url, "https://spark-api-open.xf-yun.com/v2");
        assert!(told(&entry("bailian@mars/m")).contains("bailian has no region \"mars\"; it has intl, us"));
    }

    #[test]
    fn a_url_is_a_target_too() {
        let facts = resolved(&entry("http://127.0.0.1:8000/v1/=qwen/qwen3-8b"));
        assert_eq!(
            (facts.provider.as_str(), facts.base_url.as_str(), facts.model.as_str()),
            ("openai-compatible", "http://127.0.0.1:8000/v1", "qwen/qwen3-8b")
        );
        assert_eq!(facts.id.as_str(), "127.0.0.1:8000/qwen/qwen3-8b");
        assert_eq!(resolved(&entry("http://127.0.0.1:8000/a/v1=m")).id.as_str(), "127.0.0.1:8000/a/m");
        let facts = resolved(&TargetEntry { provider: Some("vllm".to_owned()), ..entry("http://127.0.0.1:8000/v1/chat/completions=m") });
        assert_eq!((facts.provider.as_str(), facts.base_url.as_str()), ("vllm", "http://127.0.0.1:8000/v1"));
    }

    #[test]
    fn a_pace_is_the_plan_s_where_it_says_one_and_else_the_provider_file_s() {
        let folder = tempfile::tempdir().unwrap();
        let file = "provider: {id: mine, title: Mine}\nendpoint: {base_url: \"http://127.0.0.1:1/v1\"}\nlimits:\n  pace: {requests_per_minute: 20, \
                    concurrency: 4}\nfacts:\n  - {of: [endpoint, limits], evidence: inferred, source: mine, date: 2026-11}\n";
        std::fs::write(folder.path().join("mine.yaml"), file).unwrap();
        let catalog = Catalog::load(&[folder.path().to_owned()]).unwrap();
        let own = Pace { requests_per_minute: Some(5), tokens_per_day: Some(9), ..Pace::default() };
        let facts = catalog.target(&TargetEntry { pace: Some(own), ..entry("mine/m") }).unwrap();
        assert_eq!(facts.pace, Pace { concurrency: Some(4), ..own });
        assert_eq!(catalog.target(&entry("mine/m")).unwrap().pace.requests_per_minute, Some(20));
        std::fs::write(folder.path().join("mine.yaml"), file.replace("concurrency: 4", "concurrency: 0")).unwrap();
        let told =
            Catalog::load(&[folder.path().to_owned()]).and_then(|catalog| catalog.profile("mine").map(drop)).unwrap_err().to_string();
        assert!(told.contains("limits.pace.concurrency: 0 allows no request at all"), "{told}");
    }

    #[test]
    fn a_withdrawn_model_names_the_live_ones() {
        let told = told(&entry("deepseek/deepseek-reasoner"));
        assert_eq!(told, "deepseek withdrew deepseek-reasoner on 2026-07-24; live are deepseek-v4-pro, deepseek-flash");
        let imitated = resolved(&TargetEntry { simulated: true, ..entry("deepseek/deepseek-reasoner") });
        assert_eq!(imitated.claims.len(), 2);
    }

    #[test]
    fn what_names_no_target_says_how_to_name_one() {
        for text in ["deepseek", "/m", "deepseek/", "http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1="] {
            assert!(told(&entry(text)).contains("write provider/model"), "{text}: {}", told(&entry(text)));
        }
        assert!(told(&entry("deepseak/m")).contains("did you mean `deepseek`?"));
        assert!(told(&entry("azure-openai/m")).contains("the part in braces is yours"));
        assert!(
            told(&entry("ftp://a/v1=m")).contains("write provider/model") || told(&entry("ftp://a/v1=m")).contains("names no provider")
        );
    }

    #[test]
    fn a_credential_in_the_open_is_refused_and_not_shown() {
        let secret = "sk-0123456789abcdef";
        let body = |text: &str| serde_json::from_str(text).unwrap();
        let entries = [
            entry(&format!("https://me:{secret}@api.example.com/v1=m")),
            entry(&format!("deepseek/{secret}")),
            TargetEntry { base_url: Some(format!("https://x:{secret}@api.deepseek.com")), ..entry("deepseek/m") },
            TargetEntry { base_url: Some(format!("https://api.deepseek.com/?api_key={secret}")), ..entry("deepseek/m") },
            TargetEntry { base_url: Some(format!("https://api.deepseek.com/{secret}/v1")), ..entry("deepseek/m") },
            TargetEntry { proxy: Some(format!("http://me:{secret}@127.0.0.1:1")), ..entry("deepseek/m") },
            TargetEntry { extra_body: body(&format!(r#"{{"auth":{{"token":"{secret}"}}}}"#)), ..entry("deepseek/m") },
            TargetEntry { name: Some(secret.to_owned()), ..entry("deepseek/m") },
        ];
        for entry in &entries {
            let told = told(entry);
            assert!(!told.contains("0123456789"), "{told}");
            assert!(told.contains("credential") || told.contains("password") || told.contains("a key"), "{told}");
        }
    }

    #[test]
    fn thinking_that_cannot_be_switched_is_refused_with_a_way_out() {
        let told = told(&TargetEntry { thinking: Some(Thinking::Off), ..entry("groq/openai/gpt-oss-20b") });
        assert_eq!(told, "thinking: Groq has no switch to turn it off; take `default`, or give the fields under `extra_body`");
    }

    #[test]
    fn what_a_provider_does_not_take_is_a_difference() {
        let sampling = crate::record::Sampling { max_tokens: Some(9), temperature: Some(0.5), seed: Some(1), ..Default::default() };
        let catalog = Catalog::builtin();
        let differences =
            |target| catalog.differences(&resolved(&TargetEntry { sampling: Some(sampling.clone()), ..entry(target) })).unwrap();
        assert_eq!(differences("deepseek/deepseek-flash").len(), 2);
        let siliconflow = differences("siliconflow/m");
        assert!(
            matches!(&siliconflow[1], Difference::Known(Unequal { by: UnequalBy::CapCountsAnswer { parameter }, .. }) if parameter == "max_tokens")
        );
        assert!(differences("vllm/m").is_empty());
    }

    #[test]
    fn this_machine_has_several_names() {
        assert!(is_loopback("http://127.0.0.9:1/v1") && is_loopback("http://localhost/") && is_loopback("http://[::1]:8/"));
        assert!(!is_loopback("http://127.0.0.1.example.com/") && !is_loopback("http://10.0.0.1/"));
    }
}
