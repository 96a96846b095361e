//! Prompts and what they are for. Six data sets are built in; a user's own file works by path.
//!
//! A data set is `NAME.jsonl` (one object a line: `id`, `prompt`, and `answer` where there is an exact one) and `NAME.yaml` beside it
//! (language, licence, purpose, limits of a request).

mod read;

use crate::ident::PromptId;
use std::path::{Path, PathBuf};

/// A set of prompts with the limits that suit them.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// Its name; of a user's own file the path as given.
    pub name: String,
    /// `zh`, `en` …; `und` where nobody said.
    pub language: String,
    /// The licence of its texts.
    pub licence: String,
    /// What it is for, such as `speed` or `quality`.
    pub purpose: String,
    /// What it holds, in a sentence.
    pub description: String,
    /// Limits of a request that suit it.
    pub limits: DatasetLimits,
    /// A reply cut at `max_tokens` is a success (speed), not a failure (an answer was wanted).
    pub capped_is_ok: bool,
    /// The prompts in the file's order.
    pub prompts: Vec<Prompt>,
    /// SHA-256 of the prompt file's bytes, hexadecimal.
    pub digest: String,
}

/// One prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// Unique in its data set.
    pub id: PromptId,
    /// The user's message.
    pub text: String,
    /// The exact answer, where there is one.
    pub answer: Option<String>,
}

/// Limits that suit a data set.
#[derive(Debug, Clone, Copy, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetLimits {
    /// Cap on the reply's tokens.
    pub max_tokens: u64,
    /// From the first write to the first text, seconds.
    pub first_token_s: f64,
    /// Between two texts, seconds.
    pub idle_s: f64,
    /// From the first write to the end, seconds.
    pub total_s: f64,
}

impl Default for DatasetLimits {
    /// What a user's own file gets that says nothing: the limits of the short sets.
    fn default() -> DatasetLimits {
        DatasetLimits { max_tokens: 4096, first_token_s: 120.0, idle_s: 60.0, total_s: 300.0 }
    }
}

/// Why a data set cannot be used. Each message names the file and, where there is one, the line.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// No data set has this name, and it is no path.
    #[error("no data set is called `{name}`; known are {}, or give a path to a .jsonl file", BUILTIN.join(", "))]
    Unknown {
        /// The name as given.
        name: String,
    },
    /// The file cannot be read.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's words.
        error: std::io::Error,
    },
    /// A line or the header is not what it should be.
    #[error("{file}:{line}: {message}")]
    Line {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong, with the remedy.
        message: String,
    },
}

/// Names of the data sets that are built in.
pub const BUILTIN: &[&str] = &["short-zh", "short-en", "long-zh", "long-en", "reasoning-zh", "reasoning-en"];

macro_rules! texts {
    ($name:literal) => {
        (include_str!(concat!("../../datasets/", $name, ".jsonl")), include_str!(concat!("../../datasets/", $name, ".yaml")))
    };
}

impl Dataset {
    /// A built-in data set by name.
    pub fn builtin(name: &str) -> Result<Dataset, DatasetError> {
        let (prompts, header) = match name {
            "short-zh" => texts!("short-zh"),
            "short-en" => texts!("short-en"),
            "long-zh" => texts!("long-zh"),
            "long-en" => texts!("long-en"),
            "reasoning-zh" => texts!("reasoning-zh"),
            "reasoning-en" => texts!("reasoning-en"),
            _ => return Err(DatasetError::Unknown { name: name.to_owned() }),
        };
        read::dataset(name, &format!("datasets/{name}.jsonl"), prompts, Some((&format!("datasets/{name}.yaml"), header)))
    }

    /// A data set from a `.jsonl` file, with the `.yaml` of the same name beside it if there is one.
    pub fn load(path: &Path) -> Result<Dataset, DatasetError> {
        let text = |path: &Path| std::fs::read_to_string(path).map_err(|error| DatasetError::Io { path: path.to_owned(), error });
        let (prompts, beside) = (text(path)?, path.with_extension("yaml"));
        let header = if beside.is_file() { Some(text(&beside)?) } else { None };
        let beside = beside.display().to_string();
        let name = path.display().to_string();
        read::dataset(&name, &name, &prompts, header.as_deref().map(|header| (beside.as_str(), header)))
    }

    /// A built-in data set by name, or a file by path; a relative path counts from `folder`.
    pub fn find(name: &str, folder: &Path) -> Result<Dataset, DatasetError> {
        match BUILTIN.contains(&name) {
            true => Dataset::builtin(name),
            false if name.ends_with(".jsonl") || name.contains('/') => Dataset::load(&folder.join(name)),
            false => Err(DatasetError::Unknown { name: name.to_owned() }),
        }
    }

    /// The prompt of an id.
    pub fn prompt(&self, id: &PromptId) -> Option<&Prompt> {
        self.prompts.iter().find(|prompt| prompt.id == *id)
    }
}

impl Prompt {
    /// SHA-256 of its text, hexadecimal.
    pub fn digest(&self) -> String {
        read::sha256_hex(self.text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_set_can_be_read() {
        for name in BUILTIN {
            let set = Dataset::builtin(name).unwrap();
            assert_eq!(set.name, *name);
            assert!(!set.prompts.is_empty() && !set.licence.is_empty());
            assert_eq!(set.limits.total_s, if name.starts_with("reasoning") { 900.0 } else { 300.0 });
        }
    }

    #[test]
    fn a_set_of_ones_own_works_by_path_and_gets_the_limits_of_short_ones() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join("mine.jsonl"),
            "{\"id\":\"a\",\"prompt\":\"Say hi\"}\n\n{\"id\":\"b\",\"prompt\":\"2+2?\",\"answer\":\"4\"}",
        )
        .unwrap();
        let set = Dataset::find("mine.jsonl", folder.path()).unwrap();
        assert_eq!(set.limits, DatasetLimits::default());
        assert_eq!((set.language.as_str(), set.prompts.len()), ("und", 2));
        assert_eq!(set.prompt(&PromptId::new("b").unwrap()).unwrap().answer.as_deref(), Some("4"));
        std::fs::write(folder.path().join("mine.yaml"), "name: mine\nlanguage: en\nlicence: CC0-1.0\npurpose: quality\ndescription: two\nlimits: {max_tokens: 9, first_token_s: 1, idle_s: 1, total_s: 2.5}\ncapped_is_ok: false\n").unwrap();
        assert_eq!(Dataset::find("mine.jsonl", folder.path()).unwrap().limits.total_s, 2.5);
    }

    #[test]
    fn a_misspelt_name_is_answered_with_the_list() {
        let error = Dataset::find("short", Path::new(".")).unwrap_err().to_string();
        assert!(error.contains("short-zh, short-en"), "{error}");
    }
}
