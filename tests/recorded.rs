//! Streams recorded from real servers (`tests/streams-recorded/*/README.md` says which), fed as they came and cut anywhere.

use photofinish::plan::TargetEntry;
use photofinish::provider::Catalog;
use photofinish::timeline::{EndMark, ErrorKind, Finish, Phase, ProviderError, ServerTiming, StreamEvent, Usage};
use photofinish::wire::sse::{Piece, Sse};
use std::path::PathBuf;

/// What was read in one response.
#[derive(Debug, Default, Clone, PartialEq)]
struct Read {
    reasoning: String,
    content: String,
    /// The phase of each text, one letter each.
    texts: String,
    usage: Option<Usage>,
    timing: Option<ServerTiming>,
    finish: Vec<Finish>,
    ends: Vec<EndMark>,
    errors: Vec<ProviderError>,
    model: String,
    others: u32,
}

impl Read {
    fn take(&mut self, event: StreamEvent<'_>) {
        match event {
            StreamEvent::Delta { phase, text, .. } => {
                self.texts.push(phase.letter());
                if phase == Phase::Reasoning { self.reasoning.push_str(text) } else { self.content.push_str(text) }
            }
            StreamEvent::Usage(usage) => self.usage = Some(usage),
            StreamEvent::Timing(timing) => self.timing = Some(timing),
            StreamEvent::Finish(finish) => self.finish.push(finish.normal),
            StreamEvent::Error(error) => self.errors.push(error),
            StreamEvent::End(mark) => self.ends.push(mark),
            StreamEvent::Model(model) => self.model = model.to_owned(),
            StreamEvent::Fingerprint(_) | StreamEvent::Upstream(_) => {}
            StreamEvent::Relabel | StreamEvent::Unreadable => self.others += 1,
        }
    }
    fn tokens(&self) -> u64 {
        self.timing.as_ref().and_then(|timing| timing.gen_tokens).unwrap()
    }
}

fn bytes_of(name: &str) -> Vec<u8> {
    std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/streams-recorded").join(name)).unwrap()
}

fn decoder(think_tags: Option<&str>) -> Box<dyn photofinish::dialect::Decoder> {
    let catalog = Catalog::builtin();
    let entry = TargetEntry {
        target: "http://127.0.0.1:8080/v1=smollm2".to_owned(),
        provider: Some("llamacpp".to_owned()),
        think_tags: think_tags.map(str::to_owned),
        ..TargetEntry::default()
    };
    let facts = catalog.target(&entry).unwrap();
    catalog.provider(&facts).unwrap().decoder(&facts)
}

/// Reads a recording in pieces of `step` bytes.
fn read_in(name: &str, think_tags: Option<&str>, step: usize) -> Read {
    let (mut sse, mut decoder, mut read) = (Sse::new(1 << 24), decoder(think_tags), Read::default());
    let mut piece = |piece: Piece<'_>| {
        if let Piece::Frame(frame) = piece {
            decoder.feed(&frame, &mut |event| read.take(event));
        }
    };
    for part in bytes_of(name).chunks(step) {
        sse.feed(part, &mut piece).unwrap();
    }
    sse.finish(&mut piece);
    decoder.finish(&mut |event| read.take(event));
    read
}

/// Reads a recording as a whole and cut into many sizes, which must make no difference, and holds what is so for all of them.
fn read(name: &str, think_tags: Option<&str>) -> Read {
    let name = format!("llamacpp-xllamacpp/{name}");
    let whole = read_in(&name, think_tags, usize::MAX);
    for step in [1, 2, 3, 7, 64, 1000] {
        assert_eq!(read_in(&name, think_tags, step), whole, "{name} in pieces of {step} bytes");
    }
    assert_eq!((whole.ends.as_slice(), whole.others, whole.model.as_str()), ([EndMark::Done].as_slice(), 0, "smollm2"), "{name}");
    assert_eq!(whole.errors, [], "{name}");
    let timing = whole.timing.clone().unwrap();
    assert!(timing.prompt_ms.unwrap() > 0.0 && timing.gen_ms.unwrap() > 0.0, "{name}: {timing:?}");
    if let Some(usage) = &whole.usage {
        assert_eq!(usage.completion, timing.gen_tokens, "{name}");
        assert_eq!(usage.total.unwrap(), usage.prompt.unwrap() + usage.completion.unwrap(), "{name}");
        assert_eq!((usage.reasoning, usage.cached), (None, Some(0)), "{name}: llama.cpp does not say how much of it was thinking");
    }
    whole
}

#[test]
fn thinking_in_its_own_field_is_reasoning() {
    let reply = read("thinking.sse", None);
    assert_eq!(reply.texts, "r".repeat(23) + &"c".repeat(32));
    assert!(reply.reasoning.starts_with("The sky blue is a result") && reply.reasoning.ends_with("primarily blue. This"));
    assert!(reply.content.starts_with("The Earth's atmosphere"));
    assert_eq!((reply.finish.as_slice(), reply.tokens()), ([Finish::Length].as_slice(), 60));
}

/// llama.cpp split the one recording, we split the other; model, prompt and seed were the same.
#[test]
fn inline_thinking_is_split_as_llama_cpp_itself_splits_it() {
    let theirs = read("thinking.sse", None);
    for mode in [None, Some("tagged"), Some("auto"), Some("auto_retro")] {
        let ours = read("inline-think.sse", mode);
        assert_eq!(ours.reasoning, theirs.reasoning, "{mode:?}");
        // At its end our reply is one token longer: their splitter still held something back when the limit cut it.
        assert!(ours.content.starts_with(&theirs.content), "{mode:?}: {:?}", ours.content);
    }
}

#[test]
fn a_reply_cut_while_it_thinks_has_no_content() {
    let reply = read("capped-in-thinking.sse", None);
    assert_eq!((reply.content.as_str(), reply.finish.as_slice(), reply.tokens()), ("", [Finish::Length].as_slice(), 20));
    assert_eq!(reply.texts, "r".repeat(19));
}

/// Once reasoning came in its own field, a tag in the content is the model's own words, whatever the mode.
#[test]
fn a_closing_tag_within_the_content_is_text_when_reasoning_has_its_own_field() {
    for mode in [None, Some("auto_retro"), Some("tagged")] {
        let reply = read("stray-closing-tag.sse", mode);
        assert_eq!((reply.content.as_str(), reply.finish.as_slice()), ("Chat History:</think>", [Finish::Stop].as_slice()), "{mode:?}");
        assert!(reply.reasoning.contains("👩"), "{mode:?}: {:?}", reply.reasoning);
    }
}

#[test]
fn chinese_comes_whole_and_has_more_tokens_than_texts() {
    let reply = read("chinese.sse", None);
    assert!(reply.reasoning.trim().starts_with("月亮") && reply.content.contains("月亮短诗"));
    assert_eq!((reply.texts.len(), reply.tokens()), (33, 60));
}

/// With `timings_per_token` every chunk has times; they add up, so the last ones count.
#[test]
fn the_last_of_many_timings_counts() {
    let reply = read("timings-per-token.sse", None);
    assert_eq!((reply.texts.len(), reply.tokens()), (11, 16));
    assert_eq!(reply.timing.unwrap().gen_ms.map(f64::round), reply_time("timings-per-token.sse"));
}

#[test]
fn a_model_that_does_not_think_gives_content_only() {
    let reply = read("plain-stop.sse", None);
    assert_eq!((reply.reasoning.as_str(), reply.content.as_str()), ("", "Hello, welcome to my little corner of the world."));
    assert_eq!((reply.finish.as_slice(), reply.tokens()), ([Finish::Stop].as_slice(), 12));
}

#[test]
fn without_usage_the_times_stand_on_the_finish_chunk() {
    let reply = read("no-usage.sse", None);
    assert_eq!((reply.usage.as_ref(), reply.tokens()), (None, 12));
}

#[test]
fn refusals_are_read_from_the_body() {
    for (name, kind, words) in [
        ("error_400.json", ErrorKind::BadRequest, "All non-assistant messages must contain 'content'"),
        ("error_context_400.json", ErrorKind::ContextLength, "request (12035 tokens) exceeds the available context size (2048 tokens)"),
    ] {
        let mut read = Read::default();
        let body = bytes_of(&format!("llamacpp-xllamacpp/{name}"));
        decoder(None).body(400, Some("application/json; charset=utf-8"), &body, &mut |event| read.take(event));
        let [error] = read.errors.as_slice() else { panic!("{name}: {read:?}") };
        assert_eq!((error.kind, error.http_status), (kind, Some(400)), "{name}");
        assert!(error.message.starts_with(words), "{name}: {}", error.message);
    }
}

/// `predicted_ms` of the last chunk, read without the decoder, to the millisecond.
fn reply_time(name: &str) -> Option<f64> {
    let text = String::from_utf8(bytes_of(&format!("llamacpp-xllamacpp/{name}"))).unwrap();
    let last = text.lines().rev().find_map(|line| line.strip_prefix("data: {"))?;
    let chunk: serde_json::Value = serde_json::from_str(&format!("{{{last}")).ok()?;
    chunk["timings"]["predicted_ms"].as_f64().map(f64::round)
}
