//! Reads a YAML file so that a fault names file, line, key and remedy, and repeats no credential that stands there.

use crate::secret::open::scrub;
use serde::de::DeserializeOwned;
use std::fmt;
use std::path::{Path, PathBuf};

/// A fault in a file that a user may have written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFault {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1, where it is known.
    pub line: Option<usize>,
    /// The key, as a path.
    pub key: String,
    /// What is wrong, and what to do.
    pub message: String,
    /// The line's text.
    text: Option<String>,
}

impl std::error::Error for FileFault {}

impl fmt::Display for FileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", scrub(&self.message))?;
        let (Some(line), Some(text)) = (self.line, self.text.as_deref().map(scrub)) else { return Ok(()) };
        let last = self.key.rsplit('.').next().unwrap_or_default().split('[').next().unwrap_or_default();
        let at = text.find(last).filter(|_| !last.is_empty()).unwrap_or(text.len() - text.trim_start().len());
        let gutter = line.to_string();
        let width = last.chars().count().max(1);
        write!(
            f,
            "\n{gutter} | {text}\n{:>pad$} | {:at$}{}",
            "",
            "",
            "^".repeat(width),
            pad = gutter.len(),
            at = text[..at].chars().count()
        )
    }
}

impl FileFault {
    /// A fault at a key that the file holds; its line is looked up in the text.
    pub fn at(file: &Path, text: &str, key: &str, message: impl Into<String>) -> FileFault {
        let line = line_of(text, key);
        let source = line.and_then(|line| text.lines().nth(line - 1)).map(str::to_owned);
        FileFault { file: file.to_owned(), line, key: key.to_owned(), message: message.into(), text: source }
    }
    /// A fault of the file as a whole.
    pub fn whole(file: &Path, message: impl Into<String>) -> FileFault {
        FileFault { file: file.to_owned(), line: None, key: String::new(), message: message.into(), text: None }
    }
}

/// Reads the text of a file into its mirror.
pub fn yaml<T: DeserializeOwned>(file: &Path, text: &str) -> Result<T, FileFault> {
    serde_path_to_error::deserialize(serde_yaml::Deserializer::from_str(text)).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.inner();
        let words = inner.to_string();
        let path = if path == "." { String::new() } else { path.trim_start_matches('.').to_owned() };
        // At the root the parser gives line 1 whatever the fault; the key itself is looked for then.
        let place = inner.location().map(|at| at.line()).filter(|line| 1 < *line);
        let (key, line, message) = match unknown(&words) {
            Some((name, known)) => {
                let group = path.strip_suffix(&name).unwrap_or(&path).trim_end_matches('.');
                let key = if group.is_empty() { name.clone() } else { format!("{group}.{name}") };
                let line = line_of(text, &key).or(place);
                (key, line, format!("unknown key; {}", remedy(&name, &known)))
            }
            None => (path.clone(), place.or_else(|| line_of(text, &path)), plain(&words, &path)),
        };
        let source = line.and_then(|line| text.lines().nth(line - 1)).map(str::to_owned);
        FileFault { file: file.to_owned(), line, key, message, text: source }
    })
}

/// Name and known names out of serde's ``unknown field `x`, expected `a` or `b` ``.
fn unknown(words: &str) -> Option<(String, Vec<String>)> {
    let rest = &words[words.find("unknown field `")? + "unknown field `".len()..];
    let (name, rest) = rest.split_once('`')?;
    let known = rest.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    Some((name.to_owned(), known))
}

fn remedy(name: &str, known: &[String]) -> String {
    match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "no key is known here".to_owned(),
        None => format!("known here are {}", known.join(", ")),
    }
}

/// The name most like `name`, if any is like it at all.
pub fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let likeness = known.map(|other| (strsim::jaro_winkler(name, other), other));
    likeness.filter(|(score, _)| 0.8 <= *score).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, other)| other)
}

/// The parser's words without the path and place that we print ourselves.
fn plain(words: &str, path: &str) -> String {
    let words = words.strip_prefix(path).map_or(words, |rest| rest.trim_start_matches(": "));
    match words.find(" at line ") {
        Some(at) => words[..at].to_owned(),
        None => words.to_owned(),
    }
}

/// The line of a key such as `reply.think` or `models[1].id`, by the indentation of the text. YAML written on one line ends the
/// search at the last key that begins a line.
fn line_of(text: &str, key: &str) -> Option<usize> {
    let lines: Vec<&str> = text.lines().collect();
    let (mut from, mut found) = (0, None);
    let mut deeper_than: Option<usize> = None;
    for part in key.split('.') {
        let (name, index) = match part.split_once('[') {
            Some((name, index)) => (name, index.trim_end_matches(']').parse::<usize>().ok()),
            None => (part, None),
        };
        let indent = |line: &str| line.len() - line.trim_start().len();
        let is_key = |line: &str| {
            let line = line.trim_start().trim_start_matches("- ").trim_start_matches('{').trim_start();
            line.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with(':'))
        };
        let inside = |line: &&str| deeper_than.is_none_or(|depth| depth < indent(line) || line.trim().is_empty());
        let group: Vec<(usize, &str)> =
            lines.iter().enumerate().skip(from).map(|(at, line)| (at, *line)).take_while(|(_, line)| inside(line)).collect();
        let Some((at, line)) = group.iter().find(|(_, line)| is_key(line)).copied() else { return found };
        (found, from) = (Some(at + 1), at + 1);
        deeper_than = Some(indent(line));
        if let Some(index) = index {
            let items = lines.iter().enumerate().skip(from).filter(|(_, line)| line.trim_start().starts_with("- "));
            let Some((at, line)) = items.take_while(|(_, line)| indent(line) >= deeper_than.unwrap_or(0)).nth(index) else { return found };
            (found, from) = (Some(at + 1), at);
            deeper_than = Some(indent(line));
            if is_only(line) {
                return found;
            }
        }
    }
    found
}

/// An item that is written on its one line.
fn is_only(line: &str) -> bool {
    line.trim_start().starts_with("- {")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct File {
        #[serde(default)]
        reply: Reply,
        #[serde(default)]
        models: Vec<Reply>,
    }
    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    #[allow(dead_code)]
    struct Reply {
        reasoning: Vec<String>,
        usage: u32,
    }

    fn fault(text: &str) -> String {
        yaml::<File>(Path::new("ark.yaml"), text).unwrap_err().to_string()
    }

    #[test]
    fn an_unknown_key_names_file_line_and_the_nearest_known_key() {
        let told = fault("# a comment\nreply:\n  reasonin: [a]\n");
        assert_eq!(told, "ark.yaml:3: reply.reasonin: unknown key; did you mean `reasoning`?\n3 |   reasonin: [a]\n  |   ^^^^^^^^");
    }

    #[test]
    fn an_unknown_key_at_the_root_has_its_line_too() {
        assert!(fault("reply: {}\n\nmodel: []\n").starts_with("ark.yaml:3: model: unknown key; did you mean `models`?"));
    }

    #[test]
    fn a_wrong_type_names_the_key_and_its_line() {
        let told = fault("reply:\n  usage: lots\n");
        assert!(told.starts_with("ark.yaml:2: reply.usage: invalid type: string \"lots\", expected u32"), "{told}");
        let told = fault("models:\n  - reasoning: [a]\n  - usage: lots\n");
        assert!(told.starts_with("ark.yaml:3: models[1].usage: "), "{told}");
    }

    #[test]
    fn a_file_that_is_no_yaml_names_the_line() {
        assert!(fault("reply:\n\t- a\n").starts_with("ark.yaml:2: "), "{}", fault("reply:\n\t- a\n"));
    }
}
