//! Runs that keep no text: tokens are counted and answers graded on the journal's thread, then the text is dropped.

use crate::grading::grade;
use crate::ident::PromptId;
use crate::record::{Answer, Line, TokenCounts};
use crate::store::Prepare;
use crate::tokens::{Reference, chars_of_events};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Leaves every line as it is.
pub fn keep_text() -> Prepare {
    Box::new(|_| {})
}

/// Counts tokens and characters of each event by `reference`, hashes the text, and drops it. `key` is the run's own and is stored
/// nowhere, so that a hash tells equal replies of one sitting apart from others and lets no guess at the text be tested. Replies to prompts
/// with an exact answer, which `exact` holds, are graded before.
pub fn keep_counts(reference: Reference, key: [u8; 32], exact: BTreeMap<PromptId, String>) -> Prepare {
    Box::new(move |line| {
        if let Line::Trial(trial) = line
            && let Some(answer) = &mut trial.answer
        {
            answer.grade = exact.get(&trial.prompt).map(|exact| grade(answer, exact));
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
    use crate::ident::{ProviderId, TargetId, TrialId};
    use crate::record::{Graded, Role, Trial, Unread};
    use crate::timeline::{Ended, Phase, Point, TextOfPhases};
    use crate::units::{Offset, Stamp};

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

    #[test]
    fn an_answer_is_graded_before_the_words_go() {
        let id = |id: &str| PromptId::new(id).unwrap();
        let exact = BTreeMap::from([(id("sum"), "4".to_owned())]);
        let mut prepare = keep_counts(Reference::o200k(), [7; 32], exact);
        let mut stored = |prompt: &str, words: &[&str]| {
            let mut line = Line::Trial(Box::new(trial(id(prompt), reply(words))));
            prepare(&mut line);
            let Line::Trial(trial) = line else { unreachable!() };
            let answer = *trial.answer.unwrap();
            (answer.text, answer.grade)
        };
        assert_eq!(stored("sum", &["2 + 2.\n", "Answer: 4"]), (None, Some(Graded::Correct)));
        assert_eq!(stored("sum", &["Answer: 5"]), (None, Some(Graded::Wrong)));
        assert_eq!(stored("sum", &["four"]), (None, Some(Graded::Unread(Unread::NoLine))));
        assert_eq!(stored("greet", &["Answer: 4"]), (None, None));
    }

    fn trial(prompt: PromptId, answer: Answer) -> Trial {
        Trial {
            id: TrialId::new("t").unwrap(),
            target: TargetId::new("a").unwrap(),
            provider: ProviderId::new("a").unwrap(),
            model: "m".into(),
            round: 1,
            block: 1,
            prompt,
            place: 1,
            attempt: 1,
            role: Role::Scored,
            wall: jiff::Timestamp::UNIX_EPOCH,
            scheduled: Stamp(0),
            held_since: None,
            load: None,
            not_sent: None,
            answer: Some(Box::new(answer)),
        }
    }
}
