//! The user's own config: `$XDG_CONFIG_HOME/photofinish/config.yaml`. Only here may a command be named that gives a key, and only
//! here and in the built-in files a host to which a key may go.

use super::catalog::CatalogError;
use super::read;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The user's own config.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UserConfig {
    /// Where each provider's key comes from, by provider id.
    pub keys: BTreeMap<String, KeySource>,
}

/// Where a key comes from.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeySource {
    /// An environment variable.
    pub env: Option<String>,
    /// A command that prints the key, run by `sh -c`.
    pub command: Option<String>,
    /// Further hosts to which the key may go; `*.example.com` covers every host below.
    pub hosts: Vec<String>,
}

/// The user's config folder for this program, if there is a home at all.
pub fn folder() -> Option<PathBuf> {
    use etcetera::BaseStrategy;
    etcetera::choose_base_strategy().ok().map(|base| base.config_dir().join("photofinish"))
}

impl UserConfig {
    /// The config of the user's folder; empty if there is none.
    pub fn load() -> Result<UserConfig, CatalogError> {
        match folder().map(|folder| folder.join("config.yaml")).filter(|path| path.is_file()) {
            Some(path) => UserConfig::read(&path),
            None => Ok(UserConfig::default()),
        }
    }

    /// The config of a file.
    pub fn read(path: &Path) -> Result<UserConfig, CatalogError> {
        let text = std::fs::read_to_string(path).map_err(|source| CatalogError::Io { path: path.to_owned(), source })?;
        if text.trim().is_empty() {
            return Ok(UserConfig::default());
        }
        let config: UserConfig = read::yaml(path, &text)?;
        for (provider, source) in &config.keys {
            if source.env.is_some() && source.command.is_some() {
                let key = format!("keys.{provider}");
                return Err(read::FileFault::at(path, &text, &key, "both `env` and `command` are given; keep one").into());
            }
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<UserConfig, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        UserConfig::read(file.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_key_comes_from_one_place() {
        let config = read_text("keys:\n  deepseek: {command: pass show ds, hosts: [gw.example.com]}\n").unwrap();
        assert_eq!(config.keys["deepseek"].command.as_deref(), Some("pass show ds"));
        assert!(read_text("keys:\n  deepseek: {command: a, env: B}\n").unwrap_err().contains(":2: keys.deepseek: both"));
        assert!(read_text("keys:\n  deepseek: {comand: a}\n").unwrap_err().contains("did you mean `command`?"));
        assert_eq!(read_text("").unwrap(), UserConfig::default());
    }
}
