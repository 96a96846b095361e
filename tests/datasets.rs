//! The datasets as files: what a reader, a provider and a licence lawyer may rely on. Read with serde directly, so that a fault of
//! `dataset/` cannot hide one of the files.

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Prompt {
    id: String,
    prompt: String,
    answer: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    name: String,
    language: String,
    licence: String,
    purpose: String,
    description: String,
    limits: Limits,
    capped_is_ok: bool,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
    max_tokens: u64,
    first_token_s: u64,
    idle_s: u64,
    total_s: u64,
}

const SPEED: Limits = Limits { max_tokens: 4096, first_token_s: 60, idle_s: 30, total_s: 300 };
const QUALITY: Limits = Limits { max_tokens: 16384, first_token_s: 300, idle_s: 120, total_s: 900 };

/// Name and number of prompts.
const SETS: &[(&str, usize)] =
    &[("short-zh", 30), ("short-en", 30), ("long-zh", 12), ("long-en", 12), ("reasoning-zh", 30), ("reasoning-en", 30)];

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("datasets").join(name)
}

fn prompts(name: &str) -> Vec<Prompt> {
    let text = std::fs::read_to_string(file(&format!("{name}.jsonl"))).unwrap();
    assert!(text.ends_with('\n') && !text.contains('\r'), "{name}: lines end with LF, the last one too");
    let read = |(i, line)| serde_json::from_str(line).unwrap_or_else(|error| panic!("{name}.jsonl line {}: {error}", i + 1));
    text.lines().enumerate().map(read).collect()
}

fn about(name: &str) -> About {
    let text = std::fs::read_to_string(file(&format!("{name}.yaml"))).unwrap();
    serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{name}.yaml: {error}"))
}

fn is_han(letter: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&letter)
}

#[test]
fn no_file_lies_in_the_folder_unchecked() {
    let found: BTreeSet<String> =
        std::fs::read_dir(file("")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let known: BTreeSet<String> = SETS.iter().flat_map(|(name, _)| [format!("{name}.jsonl"), format!("{name}.yaml")]).collect();
    assert_eq!(found, known);
}

#[test]
fn ids_are_the_name_and_a_running_number() {
    for (name, count) in SETS {
        let ids: Vec<String> = prompts(name).into_iter().map(|prompt| prompt.id).collect();
        let wanted: Vec<String> = (1..=*count).map(|number| format!("{name}-{number:02}")).collect();
        assert_eq!(ids, wanted);
    }
}

#[test]
fn no_two_prompts_are_the_same() {
    let mut seen = BTreeMap::new();
    for (name, _) in SETS {
        for prompt in prompts(name) {
            let id = prompt.id.clone();
            assert!(!prompt.prompt.trim().is_empty(), "{id} is empty");
            if let Some(other) = seen.insert(prompt.prompt, prompt.id) {
                panic!("{id} repeats {other}");
            }
        }
    }
}

#[test]
fn prompts_hold_no_control_and_no_invisible_characters() {
    let invisible =
        |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fffd}');
    for (name, _) in SETS {
        for prompt in prompts(name) {
            let odd: Vec<char> = prompt.prompt.chars().filter(|c| *c != '\n' && (c.is_control() || invisible(*c))).collect();
            assert!(odd.is_empty(), "{}: {odd:?}", prompt.id);
            assert_eq!(prompt.prompt.trim(), prompt.prompt, "{}: white space at an end", prompt.id);
        }
    }
}

#[test]
fn each_set_is_in_its_language() {
    for (name, _) in SETS {
        let chinese = about(name).language == "zh";
        assert_eq!(name.ends_with("-zh"), chinese);
        for Prompt { id, prompt, .. } in prompts(name) {
            let letters = prompt.chars().filter(|c| c.is_alphabetic()).count();
            let han = prompt.chars().filter(|c| is_han(*c)).count();
            // Code and quoted English are in Chinese prompts too; an English prompt has no Han at all.
            assert!(
                if chinese { han * 10 > letters * 3 && han >= 20 } else { han == 0 && letters >= 60 },
                "{id}: {han} Han of {letters} letters"
            );
            if chinese {
                let halfwidth =
                    prompt.chars().zip(prompt.chars().skip(1)).filter(|(a, b)| is_han(*a) && matches!(b, ',' | ';' | '?' | '!')).count();
                assert_eq!(halfwidth, 0, "{id}: half-width punctuation after Han");
            }
        }
    }
}

#[test]
fn answers_are_where_they_are_meant_and_the_prompt_says_how_to_give_them() {
    for (name, _) in SETS {
        for Prompt { id, prompt, answer } in prompts(name) {
            let Some(answer) = answer else {
                assert!(!name.starts_with("reasoning"), "{id} lacks its answer");
                continue;
            };
            assert!(name.starts_with("reasoning"), "{id} has an answer and needs none");
            let number = answer.parse::<i64>().is_ok_and(|n| n.to_string() == answer);
            let word = !answer.is_empty() && answer.chars().count() <= 9 && answer.chars().all(char::is_alphabetic);
            assert!(number || word, "{id}: {answer:?} is no integer and no single word");
            let how = prompt.lines().last().unwrap();
            assert!(how.contains(if name.ends_with("zh") { "「答案：X」" } else { "\"Answer: X\"" }), "{id}: {how}");
            assert_eq!(number, how.contains("整数") || how.contains("integer"), "{id}: what kind of answer is it? {how}");
        }
    }
}

#[test]
fn the_files_beside_them_name_licence_purpose_and_limits() {
    for (name, _) in SETS {
        let about = about(name);
        assert_eq!((about.name.as_str(), about.licence.as_str()), (*name, "CC0-1.0"));
        let quality = name.starts_with("reasoning");
        assert_eq!(about.purpose, if quality { "quality" } else { "speed" });
        assert_eq!(about.limits, if quality { QUALITY } else { SPEED }, "{name}");
        assert_eq!(about.capped_is_ok, !quality, "{name}");
        assert!(about.description.len() > 80 && !about.description.contains('\n'), "{name}: {:?}", about.description);
    }
}

#[test]
fn long_contexts_have_about_one_four_and_sixteen_thousand_tokens() {
    let o200k = tiktoken_rs::o200k_base_singleton();
    for name in ["long-zh", "long-en"] {
        let sizes: Vec<usize> = prompts(name).iter().map(|prompt| o200k.encode_ordinary(&prompt.prompt).len()).collect();
        for (i, tokens) in sizes.iter().enumerate() {
            let wanted = [1000, 4000, 16000][i / 4];
            assert!((wanted * 85..=wanted * 115).contains(&(tokens * 100)), "{name}-{:02}: wanted {wanted} ± 15 %; all: {sizes:?}", i + 1);
        }
    }
}

/// A context that repeats itself would measure how well a server skips, not how fast it reads.
#[test]
fn long_contexts_do_not_repeat_themselves() {
    for name in ["long-zh", "long-en"] {
        for Prompt { id, prompt, .. } in prompts(name) {
            let lines: Vec<&str> = prompt.lines().filter(|line| line.len() > 36).collect();
            let distinct: BTreeSet<&str> = lines.iter().copied().collect();
            assert_eq!(distinct.len(), lines.len(), "{id}: lines repeat");
            let letters: Vec<char> = prompt.chars().collect();
            let width = if name.ends_with("zh") { 12 } else { 40 };
            let windows: BTreeSet<&[char]> = letters.windows(width).collect();
            let share = windows.len() as f64 / (letters.len() - width + 1) as f64;
            assert!(share > 0.65, "{id}: only {share:.2} of its windows of {width} characters are distinct");
        }
    }
}

#[test]
fn a_long_prompt_ends_with_its_question() {
    for name in ["long-zh", "long-en"] {
        for Prompt { id, prompt, .. } in prompts(name) {
            let question = prompt.lines().last().unwrap();
            let start = if name.ends_with("zh") { "问题：" } else { "Question: " };
            assert!(question.starts_with(start) && question.chars().count() < 400, "{id}: {question}");
        }
    }
}
