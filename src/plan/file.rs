//! The plan as a user writes it, in YAML and by flags.

use super::source::{PlanError, Source};
use super::{Preset, ScheduleFile, TargetEntry, WindowsFile};
use crate::ident::PromptId;
use crate::record::{Pace, Sampling, Thinking, TransportKind};
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A plan file. Everything but `targets` has a default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanFile {
    /// The plan's name, part of the run folder's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// What is compared: a text each, or a map.
    #[serde(default, deserialize_with = "entries")]
    pub targets: Vec<TargetEntry>,
    /// A built-in data set by name, or a `.jsonl` file by path from the plan's own folder.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub dataset: Option<String>,
    /// How many prompts, or which.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub prompts: Option<Prompts>,
    /// How many rounds: each asks every prompt once of every target.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rounds: Option<u32>,
    /// One round in every so many seconds, at a moment drawn by the seed; 0 is one round after another.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub every_s: Option<u64>,
    /// Rounds by the calendar, instead of `every_s`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub schedule: Option<ScheduleFile>,
    /// Rounds and prompts by name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub preset: Option<Preset>,
    /// The seed of every random choice.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub seed: Option<u64>,
    /// Targets of a block at once, or one after another.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub concurrency: Option<Concurrency>,
    /// One unscored request a target opens each round.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub warm_up: Option<bool>,
    /// Whether prompts get a nonce at the front, so that no prefix cache is met.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cache: Option<Cache>,
    /// Sampling parameters, equal for all targets.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sampling: Option<Sampling>,
    /// Whether the models are asked to think.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub thinking: Option<Thinking>,
    /// Limits of one request; the data set's own where absent.
    #[serde(default)]
    pub limits: LimitsFile,
    /// What stops the run between blocks.
    #[serde(default)]
    pub budget: BudgetFile,
    /// What every target is asked for at most; a target's own figures come before these.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pace: Option<Pace>,
    /// Where it is measured from, in the user's words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub vantage: Option<String>,
    /// A gap longer than this is a stall, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stall_ms: Option<f64>,
    /// Replies with fewer tokens stay out of the speed tables.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub min_tokens: Option<u64>,
    /// A reply cut at `max_tokens` is a success.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub capped_is_ok: Option<bool>,
    /// Keep the replies' text; else lengths, token counts and a keyed hash.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub keep_text: Option<bool>,
    /// A `tokenizer.json` that counts where the text is not kept; else the embedded o200k.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tokenizer: Option<PathBuf>,
    /// The times of the day that `hours` holds against each other.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub windows: Option<WindowsFile>,
}

/// Limits of one request, in seconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsFile {
    /// DNS, TCP and TLS together.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub connect_s: Option<f64>,
    /// From the first write to the first text.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_token_s: Option<f64>,
    /// Between two texts.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub idle_s: Option<f64>,
    /// From the first write to the end.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub total_s: Option<f64>,
}

/// What stops a run between blocks.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetFile {
    /// Requests in all, warm-ups included.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max_requests: Option<u64>,
    /// Tokens in all, prompt and reply.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max_total_tokens: Option<u64>,
}

/// How many prompts of the data set, or which.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Prompts {
    /// So many, drawn by the seed once for the whole plan.
    Count(u32),
    /// These.
    Ids(Vec<PromptId>),
}

/// How the targets of a block are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Concurrency {
    /// All at once.
    AtOnce,
    /// One after another, for thin lines.
    Sequential,
}

/// Whether a provider's prefix cache may be met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cache {
    /// A nonce at the front of each prompt keeps it out.
    Defeat,
    /// Prompts go as they are.
    Allow,
}

/// What flags change of a plan file before it is resolved.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Patch {
    /// `--name`
    pub name: Option<String>,
    /// `--target`, any number: take the place of the file's targets, or pick among those it names.
    pub targets: Vec<TargetEntry>,
    /// `--dataset`
    pub dataset: Option<String>,
    /// `--prompts`
    pub prompts: Option<u32>,
    /// `--rounds`
    pub rounds: Option<u32>,
    /// `--preset`: stronger than the file's rounds and prompts, weaker than the flags for them.
    pub preset: Option<Preset>,
    /// `--seed`
    pub seed: Option<u64>,
    /// `--sequential`
    pub sequential: bool,
    /// `--thinking`
    pub thinking: Option<Thinking>,
    /// `--max-tokens`
    pub max_tokens: Option<u64>,
    /// `--max-requests`
    pub max_requests: Option<u64>,
    /// `--max-total-tokens`
    pub max_total_tokens: Option<u64>,
    /// `--no-text`
    pub no_text: bool,
    /// `--tokenizer`
    pub tokenizer: Option<PathBuf>,
    /// `--transport`, for every target
    pub transport: Option<TransportKind>,
    /// `--vantage`
    pub vantage: Option<String>,
}

impl PlanFile {
    /// Reads a plan. The error names file, line and key, and the nearest known key for one that is unknown.
    pub fn parse(source: Source<'_>) -> Result<PlanFile, PlanError> {
        if source.text.trim().is_empty() {
            return Err(PlanError::at(Some(source), "", "the file is empty; `photofinish init` writes a plan to start from"));
        }
        serde_path_to_error::deserialize(serde_yaml::Deserializer::from_str(source.text)).map_err(|error| {
            let path = error.path().to_string();
            let path = if path == "." { String::new() } else { path };
            let inner = error.into_inner();
            let place = inner.location().map(|location| (location.line(), location.column()));
            let message = plain(&inner.to_string(), &path);
            // Of a fault in the meaning the path is known; of one in the writing only the place is right.
            let of_meaning = ["unknown", "invalid", "missing", "duplicate"].iter().any(|word| message.starts_with(word));
            match place {
                _ if message.starts_with("unknown key") => PlanError::at_key(source, &path, message),
                Some((line, column)) if !of_meaning || path.is_empty() => PlanError::at_place(source, line, column, "", message),
                _ => PlanError::at(Some(source), &path, message),
            }
        })
    }
}

impl TargetEntry {
    /// A target named by a text alone.
    pub fn named(target: impl Into<String>) -> TargetEntry {
        TargetEntry { target: target.into(), ..TargetEntry::default() }
    }
}

/// The parser's words without the place (which is told apart) and with the nearest known key.
fn plain(message: &str, path: &str) -> String {
    let message = message.split(" at line ").next().unwrap_or(message);
    // It may begin with the path of the value, or of the map around it.
    let message = message.split_once(": ").filter(|(head, _)| path.starts_with(head)).map_or(message, |(_, rest)| rest);
    let Some(rest) = message.strip_prefix("unknown field `") else { return message.to_owned() };
    let (wrong, expected) = rest.split_once('`').unwrap_or((rest, ""));
    let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    let nearest = known.iter().map(|key| (strsim::damerau_levenshtein(wrong, key), key)).min();
    match nearest {
        Some((distance, key)) if distance <= 1 + wrong.chars().count() / 3 => format!("unknown key; did you mean `{key}`?"),
        _ => format!("unknown key; known are {}", known.join(", ")),
    }
}

fn entries<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<TargetEntry>, D::Error> {
    Ok(Vec::<Entry>::deserialize(deserializer)?.into_iter().map(|entry| entry.0).collect())
}

/// A text or a map; by hand, since serde's `untagged` would lose the place of an error inside the map.
struct Entry(TargetEntry);

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Entry, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Entry;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a target such as `provider/model`, or a map with `target:`")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Entry, E> {
                Ok(Entry(TargetEntry::named(text)))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Entry, A::Error> {
                TargetEntry::deserialize(de::value::MapAccessDeserializer::new(map)).map(Entry)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl<'de> Deserialize<'de> for Prompts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Prompts, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Prompts;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("how many prompts, or a list of their ids")
            }
            fn visit_u64<E: de::Error>(self, count: u64) -> Result<Prompts, E> {
                u32::try_from(count).map(Prompts::Count).map_err(|_| E::custom("too many prompts"))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Prompts, A::Error> {
                let mut ids = Vec::new();
                while let Some(id) = seq.next_element()? {
                    ids.push(id);
                }
                Ok(Prompts::Ids(ids))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(text: &str) -> String {
        PlanFile::parse(Source { file: "plan.yaml", text }).unwrap_err().to_string()
    }

    #[test]
    fn a_target_is_a_text_or_a_map() {
        let text = "targets:\n  - one/m\n  - target: two/m\n    name: second\nprompts: [a, b]\nthinking: on\nconcurrency: sequential\n";
        let plan = PlanFile::parse(Source { file: "plan.yaml", text }).unwrap();
        assert_eq!(plan.targets[0], TargetEntry::named("one/m"));
        assert_eq!(plan.targets[1].name.as_deref(), Some("second"));
        assert_eq!(plan.thinking, Some(Thinking::On));
        assert!(matches!(plan.prompts, Some(Prompts::Ids(ids)) if ids.len() == 2));
    }

    #[test]
    fn a_misspelt_key_is_answered_with_its_line_and_the_nearest_known_one() {
        expect_test::expect![[r#"
            plan.yaml:2: rouns: unknown key; did you mean `rounds`?
              |
            2 | rouns: 3
              | ^^^^^"#]]
        .assert_eq(&error_of("name: x\nrouns: 3\n"));
        expect_test::expect![[r#"
            plan.yaml:4: targets[1].modle: unknown key; known are target, name, provider, base_url, family, sampling, thinking, extra_body, think_tags, transport, http2, proxy, ca_file, pace, claims, simulated
              |
            4 |     modle: b
              |     ^^^^^"#]]
        .assert_eq(&error_of("targets:\n  - a/b\n  - target: c\n    modle: b\n"));
        assert!(error_of("limits:\n  totl_s: 3\n").starts_with("plan.yaml:2: limits.totl_s: unknown key; did you mean `total_s`?"));
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_shown_in_its_place() {
        let error = error_of("name: x\nrounds: many\n");
        assert!(error.starts_with("plan.yaml:2: rounds: invalid type: string \"many\", expected u32"), "{error}");
        let error = error_of("preset: weekly\n");
        assert!(error.starts_with("plan.yaml:1: preset: unknown variant `weekly`, expected one of `look`, `quick`"), "{error}");
        let error = error_of("name: x\n\trounds: 1\n");
        assert!(error.starts_with("plan.yaml:2: ") && error.contains("tab character"), "{error}");
        assert!(error_of("").contains("photofinish init"));
    }

    proptest::proptest! {
        /// Whatever stands in the file, the answer is a plan or an error with a line, and the error can be printed.
        #[test]
        fn any_text_is_read_or_refused(lines in proptest::collection::vec("[ ]{0,4}(- )?(name|targets|rounds|limits|prompts|名)?:?[ ]?[a-z0-9é世界\\[\\]{}:,'\"#&*!|>-]{0,12}", 0..8)) {
            let text = lines.join("\n");
            let source = Source { file: "plan.yaml", text: &text };
            if let Err(error) = PlanFile::parse(source) {
                proptest::prop_assert!(error.to_string().starts_with("plan.yaml"));
            }
        }
    }
}
