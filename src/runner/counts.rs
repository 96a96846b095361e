//! Runs that keep no text: tokens are counted on the journal's thread, then the text is dropped.

use crate::record::{Answer, Line, TokenCounts};
use crate::store::Prepare;
use crate::tokens::{Reference, chars_of_events};
use sha2::{Digest, Sha256};

/// Leaves every line as it is.
pub fn keep_text() -> Prepare {
    Box::new(|_| {})
}

/// Counts tokens and characters of each event by `reference`, hashes the text, and drops it. `key` is the run's own and is stored
/// nowhere, so that a hash tells equal replies of one sitting apart from others and lets no guess at the text be tested.
pub fn keep_counts(reference: Reference, key: [u8; 32]) -> Prepare {
    Box::new(move |line| {
        if let Line::Trial(trial) = line
            && let Some(answer) = &mut trial.answer
        {
            drop_text(answer, &reference, &key);
        }
    })
}

fn drop_text(answer: &mut Answer, reference: &Reference, key: &[u8; 32]) {
    let chars = chars_of_events(answer).unwrap_or_default();
    let Some(text) = answer.text.take() else { return };
    let mut hash = Sha256::new_with_prefix(key);
    for phase in [&text.reasoning, &text.content, &text.tool] {
        hash.update((phase.len() as u64).to_be_bytes());
        hash.update(phase.as_bytes());
    }
    answer.counts = Some(TokenCounts {
        tokenizer: reference.name().to_owned(),
        per_event: reference.count_events(&answer.timeline, &text),
        chars,
        hash: hash.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect(),
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::{Ended, Phase, Point, TextOfPhases};
    use crate::units::Offset;

    fn reply(words: &[&str]) -> Answer {
        let mut answer = Answer::empty(Ended::Complete);
        let text = answer.text.get_or_insert_with(TextOfPhases::default);
        for (at, word) in words.iter().enumerate() {
            let (at, bytes) = (Offset(at as u64), word.len() as u32);
            answer.timeline.push(Point { at, width_ns: 0, phase: Phase::Content, bytes, chunk: 1, read: 1 });
            text.content.push_str(word);
        }
        answer
    }

    #[test]
    fn counts_and_a_hash_stay_and_the_words_go() {
        let (mut one, mut same, mut other) = (reply(&["hello", " 世界"]), reply(&["hello", " 世界"]), reply(&["hello", "!"]));
        for answer in [&mut one, &mut same, &mut other] {
            drop_text(answer, &Reference::o200k(), &[7; 32]);
        }
        let counts = one.counts.as_ref().unwrap();
        assert_eq!((counts.per_event.as_slice(), counts.chars.as_slice()), ([1u32, 1].as_slice(), [5u32, 3].as_slice()));
        assert_eq!(one.counts, same.counts);
        assert_ne!(counts.hash, other.counts.as_ref().unwrap().hash);
        let json = serde_json::to_string(&one).unwrap();
        assert!(!json.contains("hello") && !json.contains("世界"), "{json}");
    }
}
