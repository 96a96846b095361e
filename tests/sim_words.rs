//! The simulator's words are one o200k token each, in running text too: what its truth log counts, a tokenizer counts.

mod simulator;

use photofinish::sim::words::Words;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use simulator::{Sim, writes};

fn tokens(text: &str) -> usize {
    tiktoken_rs::o200k_base_singleton().encode_ordinary(text).len()
}

#[test]
fn random_texts_count_as_many_tokens_as_words() {
    let mut draws = ChaCha8Rng::seed_from_u64(2026);
    for (words, at_least) in [(Words::english(), 400), (Words::chinese(), 300)] {
        assert!(at_least <= words.len(), "{} words", words.len());
        for _ in 0..1500 {
            let n = 1 + draws.next_u32() as usize % 80;
            let text = words.text(&mut draws, n);
            assert_eq!(tokens(&text.joined), n, "{}", text.joined);
            // A splitter may trim the space before the first word.
            assert_eq!(tokens(text.joined.trim_start()), n, "{}", text.joined);
            // Each chunk alone counts the same, so that counting by chunks and counting the whole agree.
            let cut = draws.next_u32() as usize % (n + 1);
            assert_eq!(tokens(text.slice(0, cut)) + tokens(text.slice(cut, n)), n, "{}", text.joined);
        }
    }
}

#[test]
fn what_the_truth_log_counts_is_what_a_tokenizer_counts() {
    let sim = Sim::start(
        "defaults: {ttft_ms: 5, reasoning: {tokens: 40, speed: 4000}, content: {tokens: 60, speed: 4000}, tokens_per_chunk: 3}\n\
         systems: {en: {language: en}, zh: {language: zh}}\n",
        &[],
    );
    for system in ["en", "zh"] {
        let answer = sim.stream(system);
        assert_eq!((tokens(&answer.reasoning()), tokens(&answer.content())), (40, 60));
        assert_eq!(answer.usage().unwrap()["completion_tokens"], 100);
    }
    for line in sim.truth() {
        let sum = |phase| writes(&line, phase).iter().map(|(_, tokens)| tokens).sum::<u64>();
        assert_eq!((sum("r"), sum("c")), (40, 60));
        assert_eq!((line["reasoning_tokens"].as_u64(), line["content_tokens"].as_u64()), (Some(40), Some(60)));
    }
}
