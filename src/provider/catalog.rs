//! All providers: the built-in files, parsed only when asked for, and files from folders that stand before them.

use super::ask::OwnProvider;
use super::chat::ChatProvider;
use super::profile::Profile;
use super::read::{FileFault, nearest};
use super::{Provider, check};
use super::{anthropic, config, dashscope, llama, ollama};
use crate::record::TargetFacts;
use crate::wire::Endpoint;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

macro_rules! built_in {
    ($($id:literal)*) => { &[$(($id, include_str!(concat!("../../providers/", $id, ".yaml")))),*] };
}

/// The built-in files, by id.
const BUILT_IN: &[(&str, &str)] = built_in!(
    "anthropic" "azure-openai" "bailian" "bailian-anthropic" "bailian-native" "cerebras" "deepseek" "deepseek-anthropic" "groq" "iflytek" "iflytek-maas"
    "llamacpp" "llamacpp-anthropic" "lmdeploy" "lmstudio" "meta-llama" "meta-llama-native" "ollama" "ollama-native" "openai" "openai-compatible" "openrouter" "sglang"
    "siliconflow" "tgi" "vllm" "vllm-anthropic" "volcengine-ark" "xinference"
);

/// The protocols of providers' own: the name that `reply: dialect:` takes, and its adapter. One line each.
macro_rules! protocols {
    ($($(#[$told:meta])* $name:ident $adapter:path;)*) => {
        /// The dialects that can be read.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum DialectName {
            /// `/chat/completions` and its family.
            #[default]
            Chat,
            $($(#[$told])* $name,)*
        }
        fn adapter(profile: Arc<Profile>) -> Arc<dyn Provider> {
            match profile.reply.dialect {
                DialectName::Chat => Arc::new(ChatProvider::new(profile)),
                $(DialectName::$name => Arc::new(OwnProvider::new(profile, &$adapter)),)*
            }
        }
    };
}

protocols! {
    /// Anthropic Messages.
    Anthropic anthropic::PROTOCOL;
    /// DashScope's own.
    DashScope dashscope::PROTOCOL;
    /// Meta Llama's own.
    Llama llama::PROTOCOL;
    /// Ollama's own.
    Ollama ollama::PROTOCOL;
}

/// Where a provider's file is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Part of this program.
    BuiltIn,
    /// The user's own config folder: it may send keys to new hosts.
    UserConfig(PathBuf),
    /// A folder that was named for this run.
    Folder(PathBuf),
}

/// Why the catalog cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// A file has a fault.
    #[error(transparent)]
    File(#[from] FileFault),
    /// A folder or file cannot be read.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// No such provider.
    #[error("{asked:?} names no provider; {hint}")]
    Unknown {
        /// What was asked for.
        asked: String,
        /// The nearest name, or where to look.
        hint: String,
    },
}

/// One file of the catalog.
#[derive(Debug)]
struct Entry {
    origin: Origin,
    text: std::borrow::Cow<'static, str>,
    parsed: OnceLock<Result<Arc<Profile>, FileFault>>,
}

/// All providers by id.
#[derive(Debug)]
pub struct Catalog {
    entries: BTreeMap<String, Entry>,
}

impl Catalog {
    /// The built-in providers alone.
    pub fn builtin() -> Catalog {
        let entry = |(id, text): &(&str, &'static str)| {
            let entry = Entry { origin: Origin::BuiltIn, text: (*text).into(), parsed: OnceLock::new() };
            ((*id).to_owned(), entry)
        };
        Catalog { entries: BUILT_IN.iter().map(entry).collect() }
    }

    /// The built-in providers, then those of the user's own config folder, then those of `folders`; the later stands before the
    /// earlier of the same id. Files are read now and parsed when asked for.
    pub fn load(folders: &[PathBuf]) -> Result<Catalog, CatalogError> {
        let mut catalog = Catalog::builtin();
        if let Some(folder) = config::folder().map(|folder| folder.join("providers")).filter(|folder| folder.is_dir()) {
            catalog.add_folder(&folder, Origin::UserConfig)?;
        }
        for folder in folders {
            catalog.add_folder(folder, Origin::Folder)?;
        }
        Ok(catalog)
    }

    /// Adds the `*.yaml` files of a folder.
    pub fn add_folder(&mut self, folder: &Path, origin: fn(PathBuf) -> Origin) -> Result<(), CatalogError> {
        let io = |path: &Path, source| CatalogError::Io { path: path.to_owned(), source };
        let listed = std::fs::read_dir(folder).and_then(|list| list.map(|entry| entry.map(|e| e.path())).collect::<Result<Vec<_>, _>>());
        let mut paths = listed.map_err(|source| io(folder, source))?;
        paths.retain(|path| path.extension().is_some_and(|end| end == "yaml" || end == "yml"));
        paths.sort();
        for path in paths {
            let text = std::fs::read_to_string(&path).map_err(|source| io(&path, source))?;
            let id = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
            self.entries.insert(id, Entry { origin: origin(path), text: text.into(), parsed: OnceLock::new() });
        }
        Ok(())
    }

    /// The ids, in order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// All profiles in order of their ids, each parsed now.
    pub fn profiles(&self) -> impl Iterator<Item = Result<Arc<Profile>, CatalogError>> + '_ {
        self.entries.iter().map(|(id, entry)| Ok(entry.profile(id)?))
    }

    /// The profile of an id or of one of its aliases.
    pub fn profile(&self, id: &str) -> Result<Arc<Profile>, CatalogError> {
        if let Some(entry) = self.entries.get(id) {
            return Ok(entry.profile(id)?);
        }
        // A file in which the name does not even stand needs no parsing; if none tells it so, all are asked.
        let (named, others): (Vec<_>, Vec<_>) = self.entries.iter().partition(|(_, entry)| entry.text.contains(id));
        for (file, entry) in named.into_iter().chain(others) {
            let profile = entry.profile(file)?;
            if profile.provider.aliases.iter().any(|alias| alias == id) {
                return Ok(profile);
            }
        }
        let hint = match nearest(id, self.ids()) {
            Some(near) => format!("did you mean `{near}`? `photofinish providers` lists all"),
            None => "`photofinish providers` lists all; any other server goes by its URL: http://host:port/v1=model".to_owned(),
        };
        Err(CatalogError::Unknown { asked: id.to_owned(), hint })
    }

    /// The ids of the files that were parsed so far.
    #[cfg(test)]
    pub(super) fn parsed(&self) -> Vec<&str> {
        self.entries.iter().filter(|(_, entry)| entry.parsed.get().is_some()).map(|(id, _)| id.as_str()).collect()
    }

    /// Where the profile of an id is from.
    pub fn origin(&self, id: &str) -> Option<&Origin> {
        self.entries.get(id).map(|entry| &entry.origin)
    }

    /// The profiles that may say where a key goes: those of this program, also where a file from elsewhere stands before them, and
    /// those of the user's own config folder.
    pub fn trusted(&self) -> Vec<Arc<Profile>> {
        let built_in = Catalog::builtin();
        let own = self.entries.iter().filter(|(_, entry)| matches!(entry.origin, Origin::UserConfig(_)));
        let own: Vec<_> = own.filter_map(|(id, entry)| entry.profile(id).ok()).collect();
        built_in.profiles().filter_map(Result::ok).chain(own).collect()
    }

    /// What asks a target's provider and reads its replies.
    pub fn provider(&self, target: &TargetFacts) -> Result<Arc<dyn Provider>, CatalogError> {
        let profile = self.profile(target.provider.as_str())?;
        Ok(adapter(profile))
    }

    /// Where a target's connections go. The base URL was checked when the target was resolved.
    pub fn endpoint(&self, target: &TargetFacts, connect_ms: u64) -> Endpoint {
        let url = url::Url::parse(&target.base_url).ok();
        let host = url.as_ref().and_then(url::Url::host_str).unwrap_or_default();
        Endpoint {
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: url.as_ref().and_then(url::Url::port_or_known_default).unwrap_or_default(),
            tls: url.as_ref().is_some_and(|url| url.scheme() == "https"),
            ca_file: target.ca_file.clone(),
            proxy: target.proxy.clone(),
            http2: target.http2,
            connect_ms,
        }
    }
}

impl Entry {
    fn profile(&self, id: &str) -> Result<Arc<Profile>, FileFault> {
        self.parsed.get_or_init(|| check::read(&self.file(id), &self.text, id).map(Arc::new)).clone()
    }
    /// The file's name, as faults name it.
    fn file(&self, id: &str) -> PathBuf {
        match &self.origin {
            Origin::BuiltIn => PathBuf::from(format!("providers/{id}.yaml")),
            Origin::UserConfig(path) | Origin::Folder(path) => path.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_file_is_sound() {
        for profile in Catalog::builtin().profiles() {
            profile.unwrap_or_else(|fault| panic!("{fault}"));
        }
    }

    #[test]
    fn every_file_of_the_folder_is_built_in() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("providers");
        let mut files: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect();
        files.sort();
        assert_eq!(files, BUILT_IN.iter().map(|(id, _)| *id).collect::<Vec<_>>());
    }

    #[test]
    fn a_name_nearly_right_is_suggested() {
        let told = Catalog::builtin().profile("deepseak").unwrap_err().to_string();
        assert!(told.contains("did you mean `deepseek`?"), "{told}");
    }

    #[test]
    fn a_provider_goes_by_its_alias_too() {
        let catalog = Catalog::builtin();
        assert_eq!(catalog.profile("ark").unwrap().provider.id.as_str(), "volcengine-ark");
        assert!(catalog.parsed().len() < BUILT_IN.len() / 2, "{:?}", catalog.parsed());
    }
}
