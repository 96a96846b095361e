//! One tokenizer for all providers of a comparison.

use crate::timeline::{Phase, TextOfPhases, Timeline};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The name under which counts by the embedded vocabulary are printed: the models compared seldom use it themselves.
const O200K: &str = "o200k-equivalent";

/// Longer texts are tokenised in pieces: a reply of megabytes without a space would otherwise cost quadratic time or exhaust the
/// splitter's regular expression. It shifts a count by at most one token a piece.
const PIECE_BYTES: usize = 128 * 1024;

/// A reference tokenizer.
#[derive(Clone)]
pub struct Reference(Kind);

#[derive(Clone)]
enum Kind {
    /// The embedded vocabulary o200k, loaded when it is first needed (about a quarter of a second).
    O200k,
    /// A `tokenizer.json`.
    File { tokenizer: Arc<tokenizers::Tokenizer>, name: String, digest: [u8; 32] },
}

/// Why a tokenizer file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: not a tokenizer.json: {why}", path.display())]
pub struct TokenizerError {
    /// The file.
    pub path: PathBuf,
    /// What was wrong with it.
    pub why: String,
}

impl Reference {
    /// The embedded o200k vocabulary. Cheap: it is loaded once in the process, at the first count.
    pub fn o200k() -> Reference {
        Reference(Kind::O200k)
    }

    /// A model's own `tokenizer.json`. Fails when the file cannot be read or is no tokenizer.
    pub fn file(path: &Path) -> Result<Reference, TokenizerError> {
        let failed = |why: String| TokenizerError { path: path.to_owned(), why };
        let bytes = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
        let tokenizer = tokenizers::Tokenizer::from_bytes(&bytes).map_err(|error| failed(error.to_string()))?;
        let name = match path.file_name().zip(path.parent().and_then(Path::file_name)) {
            Some((file, folder)) => format!("{}/{}", folder.to_string_lossy(), file.to_string_lossy()),
            None => path.display().to_string(),
        };
        Ok(Reference(Kind::File { tokenizer: Arc::new(tokenizer), name, digest: Sha256::digest(bytes).into() }))
    }

    /// What is printed under a table: `o200k-equivalent`, or folder and name of the file.
    pub fn name(&self) -> &str {
        match &self.0 {
            Kind::O200k => O200K,
            Kind::File { name, .. } => name,
        }
    }

    /// What tells one tokenizer from another, whatever its file is called.
    pub fn identity(&self) -> Vec<u8> {
        match &self.0 {
            Kind::O200k => O200K.as_bytes().to_vec(),
            Kind::File { name, digest, .. } => [name.as_bytes(), digest].concat(),
        }
    }

    /// The number of tokens of a text.
    pub fn count(&self, text: &str) -> usize {
        self.ends(text).len()
    }

    /// Tokens whose last byte lies in each event of the timeline; the sum over a phase is the token count of its whole text.
    pub fn count_events(&self, timeline: &Timeline, text: &TextOfPhases) -> Vec<u32> {
        let mut counts = vec![0u32; timeline.len()];
        for phase in [Phase::Reasoning, Phase::Content, Phase::Tool] {
            let mut walk = timeline.points().enumerate().filter(|(_, point)| point.phase == phase);
            let Some((last, _)) = walk.clone().next_back() else { continue };
            let (mut event, mut end) = (last, 0usize);
            for token_end in self.ends(text.of(phase)) {
                while end < token_end {
                    // A text longer than its events (a damaged record) leaves its surplus with the last event.
                    let Some((next, point)) = walk.next() else { break };
                    event = next;
                    end += point.bytes as usize;
                }
                counts[event] += 1;
            }
        }
        counts
    }

    /// The byte after each token, ascending.
    fn ends(&self, text: &str) -> Vec<usize> {
        let mut ends = Vec::with_capacity(text.len() / 4 + 1);
        let mut from = 0;
        while from < text.len() {
            let to = text.floor_char_boundary((from + PIECE_BYTES).min(text.len()));
            self.ends_of_piece(&text[from..to], from, &mut ends);
            from = to;
        }
        ends
    }

    fn ends_of_piece(&self, piece: &str, from: usize, ends: &mut Vec<usize>) {
        match &self.0 {
            Kind::O200k => {
                let bpe = tiktoken_rs::o200k_base_singleton();
                let mut at = from;
                for token in bpe._decode_native_and_split(bpe.encode_ordinary(piece)) {
                    at += token.len();
                    ends.push(at);
                }
            }
            Kind::File { tokenizer, .. } => {
                // A tokenizer that refuses a text (none known does for plain strings) gives no tokens rather than a guess.
                let Ok(encoding) = tokenizer.encode(piece, false) else { return };
                let mut last = from;
                for (_, end) in encoding.get_offsets() {
                    last = last.max(from + end);
                    ends.push(last);
                }
            }
        }
    }
}

impl std::fmt::Debug for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reference({})", self.name())
    }
}

/// Tokens of each event by the embedded o200k vocabulary: what a run that keeps no text stores.
pub fn count_events(timeline: &Timeline, text: &TextOfPhases) -> Vec<u32> {
    Reference::o200k().count_events(timeline, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::Point;
    use crate::units::Offset;

    fn reply(events: &[(Phase, &str)]) -> (Timeline, TextOfPhases) {
        let (mut line, mut text) = (Timeline::default(), TextOfPhases::default());
        for (i, (phase, words)) in events.iter().enumerate() {
            let number = i as u32 + 1;
            let at = Offset(u64::from(number) * 1_000_000);
            line.push(Point { at, width_ns: 0, phase: *phase, bytes: words.len() as u32, chunk: number, read: number });
            text.of_mut(*phase).push_str(words);
        }
        (line, text)
    }

    #[test]
    fn a_token_belongs_to_the_event_that_holds_its_last_byte() {
        let (line, text) = reply(&[(Phase::Content, "hel"), (Phase::Content, "lo wor"), (Phase::Content, "ld")]);
        assert_eq!(count_events(&line, &text), [0, 1, 1]);
    }

    #[test]
    fn phases_are_counted_apart_and_add_up() {
        let (line, text) =
            reply(&[(Phase::Reasoning, "think ing"), (Phase::Content, "你好"), (Phase::Reasoning, " more"), (Phase::Content, "世界")]);
        let counts = count_events(&line, &text);
        let o200k = Reference::o200k();
        assert_eq!(counts[0] + counts[2], o200k.count("think ing more") as u32);
        assert_eq!(counts[1] + counts[3], o200k.count("你好世界") as u32);
    }

    #[test]
    fn hostile_texts_are_counted_in_reasonable_time() {
        for text in ["a".repeat(600_000), " ".repeat(600_000), "\u{1F600}".repeat(100_000), "!?".repeat(200_000)] {
            let (line, texts) = reply(&[(Phase::Content, &text)]);
            assert!(count_events(&line, &texts)[0] > 0);
        }
    }

    #[test]
    fn a_file_that_is_no_tokenizer_is_named_in_the_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokenizer.json");
        std::fs::write(&path, "{}").unwrap();
        let error = Reference::file(&path).unwrap_err().to_string();
        assert!(error.contains("tokenizer.json: not a tokenizer.json"), "{error}");
    }

    #[test]
    fn a_tokenizer_file_counts_by_its_own_words() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokenizer.json");
        let words = r#"{"version":"1.0","truncation":null,"padding":null,"added_tokens":[],"normalizer":null,
            "pre_tokenizer":{"type":"Whitespace"},"post_processor":null,"decoder":null,
            "model":{"type":"WordLevel","vocab":{"[UNK]":0,"one":1,"two":2},"unk_token":"[UNK]"}}"#;
        std::fs::write(&path, words).unwrap();
        let reference = Reference::file(&path).unwrap();
        let (line, text) = reply(&[(Phase::Content, "one t"), (Phase::Content, "wo three")]);
        assert_eq!(reference.count_events(&line, &text), [1, 2]);
        assert!(reference.name().ends_with("/tokenizer.json"));
    }
}
