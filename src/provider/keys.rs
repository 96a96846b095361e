//! Finds a target's key and watches over where it goes.
//!
//! A key comes from an environment variable, or from a command that the user's own config names. Where the variable is not set, it is
//! looked for by its name in the file of `--env-file`, and then in `$CREDENTIALS_DIRECTORY`, where systemd's `LoadCredential=` puts it. It
//! goes only to hosts that the built-in files or the user's own config name for it; a plan or a file from elsewhere that would send it
//! to another host is refused, unless the user names that host on the command line.

use super::catalog::{Catalog, CatalogError};
use super::config::{KeySource, UserConfig};
use super::profile::{KeyRule, Profile};
use super::target::is_loopback_host;
use crate::record::TargetFacts;
use crate::secret::{self, BadSecret, EnvFile, ExposeSecret, Secret};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};
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
    #[error(
        "{target}: no key; set {env} in the environment or in the file of --env-file, or name a command under `keys: {provider}:` in your own config.yaml"
    )]
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

/// Gives the value of an environment variable.
type Environment<'c> = Box<dyn Fn(&str) -> Option<String> + Send + Sync + 'c>;

/// Finds keys.
pub struct Keys<'c> {
    catalog: &'c Catalog,
    config: UserConfig,
    allowed: Vec<String>,
    /// Read when the first key asks where it may go: a plan without keys reads none of those files.
    trusted: OnceLock<Vec<Arc<Profile>>>,
    env: Environment<'c>,
}

impl<'c> Keys<'c> {
    /// Keys from this process's environment and the user's config; `allowed` are the hosts of `--allow-key-host`.
    pub fn new(catalog: &'c Catalog, config: UserConfig, allowed: Vec<String>) -> Keys<'c> {
        Keys::with_file(catalog, config, allowed, EnvFile::default())
    }

    /// The same, and from a file of variables. A variable that is set in the environment is stronger than the file, and the file
    /// than the credentials that systemd gives.
    pub fn with_file(catalog: &'c Catalog, config: UserConfig, allowed: Vec<String>, file: EnvFile) -> Keys<'c> {
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        Keys::with_env(catalog, config, allowed, move |name| {
            let own = std::env::var(name).ok().filter(|value| !value.trim().is_empty());
            own.or_else(|| file.get(name).map(|value| value.expose_secret().to_owned()))
                .or_else(|| credential(credentials.as_deref()?, name))
        })
    }

    /// Keys from another environment, for tests.
    pub fn with_env(
        catalog: &'c Catalog,
        config: UserConfig,
        allowed: Vec<String>,
        env: impl Fn(&str) -> Option<String> + Send + Sync + 'c,
    ) -> Keys<'c> {
        Keys { catalog, config, allowed, trusted: OnceLock::new(), env: Box::new(env) }
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
        self.trusted.get_or_init(|| self.catalog.trusted()).iter().any(|known| {
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

/// The largest credential that is read, bytes.
const LARGEST_CREDENTIAL: u64 = 64 * 1024;

/// What a folder of credentials holds under the name of a variable: one file each, as systemd lays them out. A name that a provider's
/// file makes up leads to no other folder.
fn credential(folder: &Path, name: &str) -> Option<String> {
    if !secret::is_variable_name(name) {
        return None;
    }
    let mut text = String::new();
    File::open(folder.join(name)).ok()?.take(LARGEST_CREDENTIAL).read_to_string(&mut text).ok()?;
    Some(text)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::TargetEntry;
    use crate::provider::Origin;

    const KEY: &str = "key-for-the-tests-of-keys";

    fn target(catalog: &Catalog, target: &str, base_url: Option<&str>) -> TargetFacts {
        let entry = TargetEntry { target: target.to_owned(), base_url: base_url.map(str::to_owned), ..TargetEntry::default() };
        catalog.target(&entry).unwrap_or_else(|error| panic!("{error}"))
    }

    /// What becomes of a target's key when every variable holds one: the variable's name, `none`, or the refusal.
    fn told(catalog: &Catalog, config: &str, allowed: &[&str], facts: &TargetFacts) -> String {
        let config = if config.is_empty() { UserConfig::default() } else { serde_yaml::from_str(config).unwrap() };
        let allowed = allowed.iter().map(|host| (*host).to_owned()).collect();
        match Keys::with_env(catalog, config, allowed, |_| Some(KEY.to_owned())).resolve(facts) {
            Ok(Key { secret: Some(_), source }) => source.unwrap(),
            Ok(Key { secret: None, .. }) => "none".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_target_that_takes_no_key_reads_the_file_of_no_other_provider() {
        let catalog = Catalog::builtin();
        let target = catalog.target(&TargetEntry::named("http://127.0.0.1:9/v1=m")).unwrap();
        let keys = Keys::with_env(&catalog, UserConfig::default(), vec![], |_| None);
        assert!(keys.resolve(&target).unwrap().secret.is_none());
        assert!(keys.trusted.get().is_none());
        assert_eq!(catalog.parsed(), ["openai-compatible"]);
    }

    #[test]
    fn a_key_goes_to_its_own_hosts_only() {
        let catalog = Catalog::builtin();
        let told = |name: &str, base_url: Option<&str>, allowed: &[&str]| {
            super::tests::told(&catalog, "", allowed, &target(&catalog, name, base_url))
        };
        assert_eq!(told("deepseek/m", None, &[]), "DEEPSEEK_API_KEY");
        assert_eq!(told("siliconflow@intl/m", None, &[]), "SILICONFLOW_API_KEY");
        assert_eq!(told("azure-openai/d", Some("https://mine.openai.azure.com/openai/v1"), &[]), "AZURE_OPENAI_API_KEY");
        let refused = told("deepseek/m", Some("https://evil.example.com/v1"), &[]);
        assert!(
            refused.contains("would send the key of DEEPSEEK_API_KEY to evil.example.com")
                && refused.contains("--allow-key-host evil.example.com")
        );
        assert_eq!(told("deepseek/m", Some("https://evil.example.com/v1"), &["evil.example.com"]), "DEEPSEEK_API_KEY");
        assert!(told("azure-openai/d", Some("https://openai.azure.com.evil.example/v1"), &[]).contains("would send"));
        assert!(told("deepseek/m", Some("http://127.0.0.1:9/deepseek"), &[]).contains("would send"), "a simulator is no exception");
        assert_eq!(told("vllm/m", Some("http://localhost:8123/v1"), &[]), "VLLM_API_KEY");
        assert!(told("vllm/m", Some("https://evil.example.com/v1"), &[]).contains("would send the key of VLLM_API_KEY"));
    }

    #[test]
    fn plain_http_takes_keys_on_this_machine_only() {
        let catalog = Catalog::builtin();
        let facts = target(&catalog, "deepseek/m", Some("http://api.deepseek.com/v1"));
        assert!(told(&catalog, "", &[], &facts).contains("over plain http to api.deepseek.com; use https"));
        assert!(told(&catalog, "", &["api.deepseek.com"], &facts).contains("plain http"), "not even when the host is named");
        let mut facts = target(&catalog, "vllm/m", None);
        facts.proxy = Some("http://10.0.0.1:3128".to_owned());
        assert!(told(&catalog, "", &[], &facts).contains("plain http"));
    }

    #[test]
    fn a_credential_of_systemd_is_found_by_the_name_of_the_variable_and_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("credentials")).unwrap();
        std::fs::write(folder.path().join("credentials/A_KEY"), "key-from-a-credential\n").unwrap();
        std::fs::write(folder.path().join("passwd"), "not-for-providers\n").unwrap();
        let found = |name: &str| credential(&folder.path().join("credentials"), name);
        assert_eq!(found("A_KEY").as_deref().map(str::trim), Some("key-from-a-credential"));
        assert_eq!(found("B_KEY"), None);
        assert_eq!(found("../passwd"), None);
    }

    #[test]
    fn a_file_from_elsewhere_does_not_move_a_key() {
        let folder = tempfile::tempdir().unwrap();
        let text = |id: &str, env: &str| {
            let facts = "facts: [{of: [endpoint, key], evidence: inferred, source: s, date: 2026-11}]";
            format!(
                "provider: {{id: {id}, title: T}}\nendpoint: {{base_url: https://evil.example.com/v1}}\nkey: {{env: [{env}]}}\n{facts}\n"
            )
        };
        for (id, env) in [("deepseek", "DEEPSEEK_API_KEY"), ("mine", "OPENAI_API_KEY"), ("other", "OTHER_API_KEY")] {
            std::fs::write(folder.path().join(format!("{id}.yaml")), text(id, env)).unwrap();
        }
        let mut catalog = Catalog::builtin();
        catalog.add_folder(folder.path(), Origin::Folder).unwrap();
        for id in ["deepseek/m", "mine/m", "other/m"] {
            assert!(told(&catalog, "", &[], &target(&catalog, id, None)).contains("--allow-key-host evil.example.com"), "{id}");
        }
        let mut own = Catalog::builtin();
        own.add_folder(folder.path(), Origin::UserConfig).unwrap();
        assert_eq!(told(&own, "", &[], &target(&own, "other/m", None)), "OTHER_API_KEY");
    }

    #[test]
    fn the_users_own_config_names_a_variable_a_command_or_a_host() {
        let catalog = Catalog::builtin();
        let facts = target(&catalog, "deepseek/m", None);
        assert_eq!(told(&catalog, "keys: {deepseek: {env: MY_KEY}}", &[], &facts), "MY_KEY");
        assert_eq!(told(&catalog, "keys: {deepseek: {command: printf key-from-a-command}}", &[], &facts), "command");
        let failed = told(&catalog, "keys: {deepseek: {command: 'echo key-that-leaks >&2; exit 3'}}", &[], &facts);
        assert!(failed.contains("it ended with") && !failed.contains("leaks"), "{failed}");
        let gateway = target(&catalog, "deepseek/m", Some("https://gw.example.com/ds"));
        assert_eq!(told(&catalog, "keys: {deepseek: {hosts: [gw.example.com]}}", &[], &gateway), "DEEPSEEK_API_KEY");
    }

    #[test]
    fn a_missing_key_says_where_it_could_be() {
        let catalog = Catalog::builtin();
        let keys = Keys::with_env(&catalog, UserConfig::default(), Vec::new(), |_| None);
        let told = keys.resolve(&target(&catalog, "siliconflow/m", None)).unwrap_err().to_string();
        assert!(told.contains("set SILICONFLOW_API_KEY or SILICONCLOUD_API_KEY"), "{told}");
        assert!(keys.resolve(&target(&catalog, "vllm/m", None)).unwrap().secret.is_none());
    }

    #[test]
    fn a_simulated_target_gets_no_key_unless_its_host_is_named() {
        let catalog = Catalog::builtin();
        let mut facts = target(&catalog, "deepseek/m", Some("http://127.0.0.1:9/deepseek"));
        facts.simulated = true;
        assert_eq!(told(&catalog, "", &[], &facts), "none");
        assert_eq!(told(&catalog, "", &["127.0.0.1"], &facts), "DEEPSEEK_API_KEY");
    }

    #[test]
    fn a_loaded_key_is_known_to_the_mask() {
        let catalog = Catalog::builtin();
        let keys = Keys::with_env(&catalog, UserConfig::default(), Vec::new(), |_| Some(format!(" {KEY}\n")));
        let key = keys.resolve(&target(&catalog, "deepseek/m", None)).unwrap();
        assert_eq!(key.secret.unwrap().expose_secret(), KEY);
        assert_eq!(secret::mask().mask(KEY), "*".repeat(KEY.len()));
        let short = Keys::with_env(&catalog, UserConfig::default(), Vec::new(), |_| Some("abc".to_owned()));
        let told = short.resolve(&target(&catalog, "deepseek/m", None)).unwrap_err().to_string();
        assert!(told.contains("DEEPSEEK_API_KEY: it has fewer than 6 characters"), "{told}");
    }
}
