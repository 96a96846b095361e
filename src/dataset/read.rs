//! From text to a checked data set.

use super::{Dataset, DatasetError, DatasetLimits, Prompt};
use crate::ident::PromptId;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: PromptId,
    prompt: String,
    #[serde(default)]
    answer: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    name: String,
    language: String,
    licence: String,
    purpose: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    limits: DatasetLimits,
    #[serde(default = "yes")]
    capped_is_ok: bool,
}

fn yes() -> bool {
    true
}

/// SHA-256 in hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A data set from the text of its two files; a missing header means a user's own prompts, for speed.
pub fn dataset(name: &str, file: &str, prompts: &str, header: Option<(&str, &str)>) -> Result<Dataset, DatasetError> {
    let header = match header {
        Some((file, text)) => of_header(file, text)?,
        None => Header {
            name: name.to_owned(),
            language: "und".into(),
            licence: String::new(),
            purpose: "speed".into(),
            description: String::new(),
            limits: DatasetLimits::default(),
            capped_is_ok: true,
        },
    };
    // A path stays the name of a user's own file: that is how it is found again.
    let name = if name.contains(['/', '.']) { name.to_owned() } else { header.name };
    Ok(Dataset {
        name,
        language: header.language,
        licence: header.licence,
        purpose: header.purpose,
        description: header.description,
        limits: header.limits,
        capped_is_ok: header.capped_is_ok,
        digest: sha256_hex(prompts.as_bytes()),
        prompts: of_lines(file, prompts)?,
    })
}

fn of_header(file: &str, text: &str) -> Result<Header, DatasetError> {
    let at = |line, message: String| DatasetError::Line { file: file.to_owned(), line, message };
    let header: Header = serde_yaml::from_str(text).map_err(|error| {
        let line = error.location().map_or(1, |location| location.line());
        at(line, error.to_string())
    })?;
    let DatasetLimits { max_tokens, first_token_s, idle_s, total_s } = header.limits;
    let positive = [first_token_s, idle_s, total_s].iter().all(|s| s.is_finite() && 0.0 < *s);
    if max_tokens == 0 || !positive {
        return Err(at(1, "limits: every limit must be above zero".into()));
    }
    Ok(header)
}

fn of_lines(file: &str, text: &str) -> Result<Vec<Prompt>, DatasetError> {
    let at = |line, message: String| DatasetError::Line { file: file.to_owned(), line, message };
    let mut seen = BTreeMap::new();
    let mut prompts = Vec::new();
    for (index, raw) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let number = index + 1;
        let line: Line = serde_json::from_str(raw).map_err(|error| at(number, format!("{error} (keys are id, prompt, answer)")))?;
        if line.prompt.trim().is_empty() {
            return Err(at(number, format!("prompt `{}` is empty", line.id)));
        }
        if line.answer.as_ref().is_some_and(|answer| answer.trim().is_empty()) {
            return Err(at(number, format!("answer of `{}` is empty; leave the key out where there is no exact one", line.id)));
        }
        if let Some(first) = seen.insert(line.id.clone(), number) {
            return Err(at(number, format!("id `{}` stands already in line {first}; ids must be unique", line.id)));
        }
        prompts.push(Prompt { id: line.id, text: line.prompt, answer: line.answer });
    }
    match prompts.is_empty() {
        true => Err(at(1, "no prompts in this file; one JSON object a line: {\"id\":\"a\",\"prompt\":\"…\"}".into())),
        false => Ok(prompts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(prompts: &str) -> String {
        dataset("mine.jsonl", "mine.jsonl", prompts, None).unwrap_err().to_string()
    }

    #[test]
    fn errors_name_file_line_and_remedy() {
        let unknown = error_of("{\"id\":\"a\",\"prompt\":\"x\"}\n{\"id\":\"b\",\"prompt\":\"x\",\"anwser\":\"4\"}\n");
        assert!(unknown.starts_with("mine.jsonl:2: unknown field `anwser`"), "{unknown}");
        let twice = error_of("{\"id\":\"a\",\"prompt\":\"x\"}\n{\"id\":\"a\",\"prompt\":\"y\"}\n");
        assert!(twice.starts_with("mine.jsonl:2: id `a` stands already in line 1"), "{twice}");
        assert!(error_of("\n").contains("no prompts"));
        assert!(error_of("{\"id\":\"a\",\"prompt\":\" \"}").contains("is empty"));
        assert!(error_of("{\"id\":\"a\",\"prompt\":\"x\",\"answer\":\" \"}").contains("leave the key out"));
    }

    #[test]
    fn the_digest_is_that_of_the_bytes() {
        assert_eq!(sha256_hex(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
