//! What the simulated models say: words that are one o200k token each, so that a text of `n` words counts exactly `n`.
//!
//! English words are written with their leading space. The tokenizer never merges over a space, and every word is one token
//! without it too (a `<think>` splitter may trim it). Chinese has no spaces: the list holds words of which no two merge, whichever
//! comes first. `tests/sim_words.rs` counts random texts of both with the real tokenizer.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

/// The language of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English words.
    En,
    /// Chinese words.
    Zh,
    /// Chinese if the prompt holds Chinese characters, else English.
    Auto,
}

/// A list of words and how they are joined.
#[derive(Debug)]
pub struct Words {
    list: Vec<&'static str>,
    before: &'static str,
}

impl Words {
    /// The English list.
    pub fn english() -> Words {
        Words { list: include_str!("words/en.txt").split_whitespace().collect(), before: " " }
    }
    /// The Chinese list.
    pub fn chinese() -> Words {
        Words { list: include_str!("words/zh.txt").split_whitespace().collect(), before: "" }
    }
    /// How many words the list holds.
    pub fn len(&self) -> usize {
        self.list.len()
    }
    /// Whether the list is empty (it never is).
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
    /// A text of `n` words, that is of `n` o200k tokens.
    pub fn text(&self, draws: &mut ChaCha8Rng, n: usize) -> Text {
        let mut text = Text { joined: String::with_capacity(n * 7), ends: Vec::with_capacity(n) };
        for _ in 0..n {
            let pick = (u64::from(draws.next_u32()) * self.list.len() as u64) >> 32;
            text.joined.push_str(self.before);
            text.joined.push_str(self.list[pick as usize]);
            text.ends.push(text.joined.len() as u32);
        }
        text
    }
}

/// A text and where each of its tokens ends.
#[derive(Debug, Default, Clone)]
pub struct Text {
    /// The whole text.
    pub joined: String,
    ends: Vec<u32>,
}

impl Text {
    /// Its tokens.
    pub fn tokens(&self) -> usize {
        self.ends.len()
    }
    /// The text of the tokens from `from` up to `to`.
    pub fn slice(&self, from: usize, to: usize) -> &str {
        let start = from.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        let end = to.checked_sub(1).map_or(0, |last| self.ends[last] as usize);
        &self.joined[start..end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::rand_core::SeedableRng;

    #[test]
    fn a_text_is_the_sum_of_its_tokens() {
        let text = Words::english().text(&mut ChaCha8Rng::seed_from_u64(1), 5);
        let parts: String = (0..5).map(|i| text.slice(i, i + 1)).collect();
        assert_eq!(parts, text.joined);
        assert_eq!(text.slice(1, 4), [text.slice(1, 2), text.slice(2, 3), text.slice(3, 4)].concat());
        assert_eq!(text.slice(2, 2), "");
    }

    #[test]
    fn the_lists_hold_no_word_twice() {
        for words in [Words::english(), Words::chinese()] {
            let mut sorted = words.list.clone();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(sorted.len(), words.len());
            assert!(words.list.iter().all(|word| !word.contains(['"', '\\'])), "a word that JSON would escape");
        }
    }
}
