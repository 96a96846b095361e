//! Finds a target's key and watches over where it goes.
//!
//! A key comes from an environment variable, or from a command that the user's own config names. It goes only to hosts that the
//! built-in files or the user's own config name for it; a plan or a file from elsewhere that would send it to another host is
//! refused, unless the user names that host on the command line.

use super::catalog::{Catalog, CatalogError};
use super::config::{KeySource, UserConfig};
use super::profile::{KeyRule, Profile};
use super::target::is_loopback_host;
use crate::record::TargetFacts;
use crate::secret::{self, BadSecret, Secret};
use std::process::{Command, Stdio};
use std::sync::Arc;
use url::Url;

/// A target's key.
#[derive(Debug)]
pub struct Key {
    /// The key; absent where the provider takes none, or answers without one.
    pub secret: Option<Secret>,
    /// Where it came from, for `TargetFacts::key_env`: the variable's name, or `command`.
    pub source: Option<String>,
}

/// Why a key is not given. None of these shows it.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The provider's file has a fault.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// There is none.
    #[error("{target}: no key; set {env} in the environment, or name a command under `keys: {provider}:` in your own config.yaml")]
    Missing {
        /// The target.
        target: String,
        /// The provider.
        provider: String,
        /// The variables that may hold it.
        env: String,
    },
    /// It cannot be a key.
    #[error("{place}: {why}")]
    Bad {
        /// The variable, or the command's provider.
        place: String,
        /// What is wrong.
        why: BadSecret,
    },
    /// The command gave none.
    #[error("the command under `keys: {provider}:` in your config gave no key: {why}")]
    Command {
        /// The provider.
        provider: String,
        /// What happened.
        why: String,
    },
    /// It would go to a host that nobody vouched for.
    #[error(
        "{target} would send the key of {place} to {host}, which neither this program nor your own config names for it; if that is meant, \
         give --allow-key-host {host}"
    )]
    Host {
        /// The target.
        target: String,
        /// Where the key is from.
        place: String,
        /// Where it would go.
        host: String,
    },
    /// It would go over the line in the open.
    #[error("{target} would send the key of {place} over plain http to {host}; use https (plain http takes keys on this machine only)")]
    Plain {
        /// The target.
        target: String,
        /// Where the key is from.
        place: String,
        /// Where it would go.
        host: String,
    },
}

/// Finds keys.
pub struct Keys<'c> {
    catalog: &'c Catalog,
    config: UserConfig,
    allowed: Vec<String>,
    trusted: Vec<Arc<Profile>>,
    env: Box<dyn Fn(&str) -> Option<String> + Send + Sync + 'c>,
}

impl<'c> Keys<'c> {
    /// Keys from this process's environment and the user's config; `allowed` are the hosts of `--allow-key-host`.
    pub fn new(catalog: &'c Catalog, config: UserConfig, allowed: Vec<String>) -> Keys<'c> {
        Keys::with_env(catalog, config, allowed, |name| std::env::var(name).ok())
    }

    /// Keys from another environment, for tests.
    pub fn with_env(
        catalog: &'c Catalog,
        config: UserConfig,
        allowed: Vec<String>,
        env: impl Fn(&str) -> Option<String> + Send + Sync + 'c,
    ) -> Keys<'c> {
        Keys { catalog, config, allowed, trusted: catalog.trusted(), env: Box::new(env) }
    }

    /// The names of the variables that may hold a provider's key, and the first of them that is set. Looks at nothing else.
    pub fn variable(&self, profile: &Profile) -> (Vec<String>, Option<String>) {
        let own = self.config.keys.get(profile.provider.id.as_str()).and_then(|source| source.env.clone());
        let names: Vec<String> = match own {
            Some(name) => vec![name],
            None => profile.key.iter().flat_map(|rule| rule.env.clone()).collect(),
        };
        let set = names.iter().find(|name| self.is_set(name)).cloned();
        (names, set)
    }

    /// Whether a provider's key comes from a command of the user's config.
    pub fn has_command(&self, profile: &Profile) -> bool {
        self.config.keys.get(profile.provider.id.as_str()).is_some_and(|source| source.command.is_some())
    }

    /// A target's key. A simulated target is given one only where `--allow-key-host` names its host.
    pub fn resolve(&self, target: &TargetFacts) -> Result<Key, KeyError> {
        let profile = self.catalog.profile(target.provider.as_str())?;
        let none = Ok(Key { secret: None, source: None });
        let Some(rule) = &profile.key else { return none };
        let url = Url::parse(&target.base_url).ok();
        let host = url.as_ref().and_then(Url::host_str).unwrap_or_default().to_lowercase();
        let named = self.allowed.iter().any(|allowed| covers(allowed, &host));
        if target.simulated && !named {
            return none;
        }
        let own = self.config.keys.get(profile.provider.id.as_str());
        let (_, set) = self.variable(&profile);
        let place = match (own.and_then(|source| source.command.as_deref()), &set) {
            (Some(_), _) => format!("your config's command for {}", profile.provider.id),
            (None, Some(name)) => name.clone(),
            (None, None) if rule.optional || is_loopback_host(&host) => return none,
            (None, None) => return Err(self.missing(target, rule)),
        };
        if !named && !self.vouched(&profile, own, set.as_deref(), &host) {
            return Err(KeyError::Host { target: target.id.to_string(), place, host });
        }
        let tls = url.as_ref().is_some_and(|url| url.scheme() == "https");
        if !tls && (!is_loopback_host(&host) || target.proxy.is_some()) {
            return Err(KeyError::Plain { target: target.id.to_string(), place, host });
        }
        let bad = |why| KeyError::Bad { place: place.clone(), why };
        match (own.and_then(|source| source.command.as_deref()), set) {
            (Some(command), _) => {
                let secret = secret::load(&printed(profile.provider.id.as_str(), command)?).map_err(bad)?;
                Ok(Key { secret: Some(secret), source: Some("command".to_owned()) })
            }
            (None, Some(name)) => {
                let secret = secret::load(&(self.env)(&name).unwrap_or_default()).map_err(bad)?;
                Ok(Key { secret: Some(secret), source: Some(name) })
            }
            (None, None) => none,
        }
    }

    /// Whether a built-in file or the user's own config names the host for this key.
    fn vouched(&self, profile: &Profile, own: Option<&KeySource>, variable: Option<&str>, host: &str) -> bool {
        if own.is_some_and(|source| source.hosts.iter().any(|known| covers(known, host))) {
            return true;
        }
        self.trusted.iter().any(|known| {
            let same = match (own, variable) {
                // The user's config ties this source to the provider's id.
                (Some(_), _) => known.provider.id == profile.provider.id,
                // Otherwise the key is that of whoever names the variable.
                (None, Some(name)) => known.key.as_ref().is_some_and(|rule| rule.env.iter().any(|env| env == name)),
                (None, None) => false,
            };
            same && hosts(known).iter().any(|known| covers(known, host))
        })
    }

    fn missing(&self, target: &TargetFacts, rule: &KeyRule) -> KeyError {
        KeyError::Missing { target: target.id.to_string(), provider: target.provider.to_string(), env: rule.env.join(" or ") }
    }

    fn is_set(&self, name: &str) -> bool {
        (self.env)(name).is_some_and(|value| !value.trim().is_empty())
    }
}

/// The hosts of a profile's base URLs, and those that it names beside them.
fn hosts(profile: &Profile) -> Vec<String> {
    let of_urls = profile.base_urls().filter_map(|url| Url::parse(url).ok()?.host_str().map(str::to_lowercase));
    let named = profile.key.iter().flat_map(|rule| rule.hosts.clone());
    of_urls.chain(named).collect()
}

/// Whether a host is the known one, or stands below `*.known`. All names of this machine are one.
fn covers(known: &str, host: &str) -> bool {
    if is_loopback_host(known) && is_loopback_host(host) {
        return true;
    }
    match known.strip_prefix("*.") {
        Some(domain) => host.len() > domain.len() + 1 && host.to_lowercase().ends_with(&format!(".{}", domain.to_lowercase())),
        None => known.eq_ignore_ascii_case(host),
    }
}

/// What a command prints. Neither its output nor its complaints are shown, for the key may be in both.
fn printed(provider: &str, command: &str) -> Result<String, KeyError> {
    let fault = |why: String| KeyError::Command { provider: provider.to_owned(), why };
    let run = Command::new("sh").arg("-c").arg(command).stdin(Stdio::null()).stderr(Stdio::null()).output();
    let output = run.map_err(|error| fault(error.to_string()))?;
    if !output.status.success() {
        return Err(fault(format!("it ended with {}", output.status)));
    }
    let text = String::from_utf8(output.stdout).map_err(|_| fault("it printed no text".to_owned()))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
