//! What a provider's file must hold beyond its shape.

use super::inline;
use super::profile::{Evidence, Profile};
use super::read::{self, FileFault};
use std::path::Path;
use url::Url;

/// The groups of a file that facts must cover.
const GROUPS: [&str; 7] = ["endpoint", "key", "request", "reply", "errors", "limits", "models"];

/// Reads and checks a provider's file, whose name says its id.
pub(super) fn read(file: &Path, text: &str, id: &str) -> Result<Profile, FileFault> {
    let profile: Profile = read::yaml(file, text)?;
    let fault = |key: &str, message: String| FileFault::at(file, text, key, message);
    if profile.provider.id.as_str() != id {
        return Err(fault("provider.id", format!("{} stands in a file named {id}; give both one name", profile.provider.id)));
    }
    for (key, base_url) in urls(&profile) {
        if let Some(what) = bad_url(base_url) {
            return Err(fault(&key, what));
        }
    }
    if let Err(bad) = profile.chat_dialect() {
        return Err(fault("reply.think", bad.to_string()));
    }
    if let Some(name) = inline::in_headers(&profile.request.headers) {
        return Err(fault("request.headers", format!("`{name}` is a credential; name its environment variable under `key: env:` instead")));
    }
    if let Some(path) = inline::in_body(&profile.request.body) {
        return Err(fault("request.body", format!("`{path}` is a credential; name its environment variable under `key: env:` instead")));
    }
    if let Some(zero) = profile.limits.pace.zero() {
        return Err(fault(&format!("limits.pace.{zero}"), "0 allows no request at all; leave it out where nothing is limited".to_owned()));
    }
    models(&profile).map_err(|(key, message)| fault(&key, message))?;
    facts(&profile, text).map_err(|(key, message)| fault(&key, message))?;
    Ok(profile)
}

fn urls(profile: &Profile) -> Vec<(String, &str)> {
    let regions = profile.endpoint.regions.iter().map(|(name, url)| (format!("endpoint.regions.{name}"), url.as_str()));
    std::iter::once(("endpoint.base_url".to_owned(), profile.endpoint.base_url.as_str())).chain(regions).collect()
}

/// What is wrong with a base URL of a file.
fn bad_url(base_url: &str) -> Option<String> {
    let filled = base_url.replace(['{', '}'], "x");
    let url = match Url::parse(&filled) {
        Ok(url) => url,
        Err(error) => return Some(format!("this is no URL ({error}); write it like https://api.example.com/v1")),
    };
    if !["http", "https"].contains(&url.scheme()) {
        return Some(format!("{} is not spoken here; use https, or http on this machine", url.scheme()));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Some("a base URL has no query; put the query into `endpoint: path:`".to_owned());
    }
    inline::in_url(&url).map(|what| format!("{what}; keys come from the environment, never from a file"))
}

fn models(profile: &Profile) -> Result<(), (String, String)> {
    let mut seen = std::collections::BTreeSet::new();
    for (at, model) in profile.models.iter().enumerate() {
        let key = format!("models[{at}]");
        for name in std::iter::once(&model.id).chain(&model.aliases) {
            if !seen.insert(name) {
                return Err((key, format!("{name} stands here twice; drop one")));
            }
        }
        if let Some(region) = model.region.as_ref().filter(|region| !profile.endpoint.regions.contains_key(*region)) {
            return Err((key, format!("region {region} is not among the endpoint's regions; add it there")));
        }
        if let Some(Err(bad)) = model.think.as_ref().map(|think| think.parse::<crate::dialect::ThinkTags>()) {
            return Err((key, bad.to_string()));
        }
    }
    Ok(())
}

/// Every group that the file holds is covered by a fact, and every fact covers something, with a date, and does not claim more than
/// it has.
fn facts(profile: &Profile, text: &str) -> Result<(), (String, String)> {
    for (at, fact) in profile.facts.iter().enumerate() {
        let key = format!("facts[{at}]");
        for name in &fact.of {
            let group = name.split('.').next().unwrap_or_default();
            if !GROUPS.contains(&group) {
                let near = read::nearest(group, GROUPS.into_iter()).map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                return Err((key, format!("`{name}` names no group of this file{near}")));
            }
        }
        if !is_date(&fact.date) {
            return Err((key, format!("{:?} is no date; write 2026-11-24 or 2026-11", fact.date)));
        }
        if fact.source.trim().is_empty() {
            return Err((key, "a fact needs a source".to_owned()));
        }
        match (fact.evidence, &fact.recording) {
            (Evidence::Recorded, None) => {
                return Err((
                    key,
                    "`recorded` means recorded with this tool; name the run under `recording:`, or write `documented`".to_owned(),
                ));
            }
            (Evidence::Documented | Evidence::Inferred, Some(_)) => {
                return Err((key, "only `recorded` facts have a recording".to_owned()));
            }
            _ => {}
        }
    }
    let held = |group: &str| text.lines().any(|line| line.strip_prefix(group).is_some_and(|rest| rest.starts_with(':')));
    match GROUPS
        .into_iter()
        .find(|group| held(group) && profile.facts.iter().all(|f| f.of.iter().all(|of| of.split('.').next() != Some(group))))
    {
        Some(group) => Err((
            group.to_owned(),
            format!("no fact covers this group; add `{{of: [{group}], evidence: …, source: …, date: …}}` under `facts:`"),
        )),
        None => Ok(()),
    }
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let digits = |part: &str, n: usize| part.len() == n && part.bytes().all(|b| b.is_ascii_digit());
    match parts.as_slice() {
        [year, month] => digits(year, 4) && digits(month, 2),
        [_, _, _] => text.parse::<jiff::civil::Date>().is_ok(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "provider: {id: x, title: X}
endpoint:
  base_url: https://api.example.com/v1
key:
  env: [X_API_KEY]
facts:
  - {of: [endpoint, key], evidence: documented, source: example.com/docs, date: 2026-11}
";

    fn told(text: &str) -> String {
        read(Path::new("x.yaml"), text, "x").map(|_| "sound".to_owned()).unwrap_or_else(|fault| fault.to_string())
    }

    #[test]
    fn a_file_that_claims_more_than_it_has_is_refused() {
        assert_eq!(told(SOUND), "sound");
        assert!(told(&SOUND.replace("documented", "recorded")).contains("x.yaml:7: facts[0]: `recorded` means recorded with this tool"));
        assert!(told(&SOUND.replace("endpoint, key", "endpoint")).contains("x.yaml:4: key: no fact covers this group"));
        assert!(told(&SOUND.replace("2026-11", "lately")).contains("is no date"));
    }

    #[test]
    fn a_credential_in_a_file_is_refused_and_not_shown() {
        let with = SOUND.replace("https://", "https://me:hunter2222@");
        assert!(told(&with).contains("x.yaml:3: endpoint.base_url: it holds a user name or password"));
        assert!(!told(&with).contains("hunter2222"), "{}", told(&with));
        let header = SOUND.replace("facts:", "request:\n  headers: {Authorization: Bearer abcdefghijkl}\nfacts:");
        assert!(told(&header).contains("`Authorization` is a credential"), "{}", told(&header));
        assert!(!told(&header).contains("abcdefghijkl"), "{}", told(&header));
        let unknown = SOUND.replace("facts:", "api_key: abcdefghijkl\nfacts:");
        assert!(told(&unknown).contains("unknown key") && !told(&unknown).contains("abcdefghijkl"), "{}", told(&unknown));
    }
}
