//! Every recorded or documented stream, through the framer and the decoder of its provider's own file: what comes out is what the
//! index says, and it does not depend on how the bytes were cut or how the lines end.

use photofinish::dialect::{ChatDecoder, Decoder, ThinkTags};
use photofinish::plan::TargetEntry;
use photofinish::provider::{Catalog, Provider};
use photofinish::record::TargetFacts;
use photofinish::timeline::{EndMark, ErrorCode, ErrorKind, FinishSeen, Phase, ProviderError, ServerTiming, StreamEvent, Usage};
use photofinish::wire::ndjson::Ndjson;
use photofinish::wire::sse::{Piece, Sse};
use photofinish::wire::{Frame, Framing};
use rand::RngExt;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The folders, and the provider file that reads each.
const READ: &[(&str, &str)] = &[
    ("_sse", "openai-compatible"),
    ("anthropic", "anthropic"),
    ("ark", "volcengine-ark"),
    ("azure", "azure-openai"),
    ("cerebras", "cerebras"),
    ("dashscope-compat", "bailian"),
    ("dashscope-native", "bailian-native"),
    ("deepseek", "deepseek"),
    ("groq", "groq"),
    ("iflytek-http", "iflytek"),
    ("iflytek-maas", "iflytek-maas"),
    ("llama-api-compat", "meta-llama"),
    ("llama-api-native", "meta-llama-native"),
    ("llamacpp", "llamacpp"),
    ("lmdeploy", "lmdeploy"),
    ("lmstudio", "lmstudio"),
    ("ollama-native", "ollama-native"),
    ("ollama-openai", "ollama"),
    ("openai", "openai"),
    ("openrouter", "openrouter"),
    ("sglang", "sglang"),
    ("siliconflow", "siliconflow"),
    ("tgi", "tgi"),
    ("vllm", "vllm"),
    ("xinference", "xinference"),
];

/// The folders of dialects that have no decoder yet, and why.
const NOT_YET: &[(&str, &str)] = &[
    ("_think", "vectors of the tag splitter, read by a test of their own"),
    ("gemini", "its own dialect: parts and candidates"),
    ("iflytek-ws", "its own dialect over WebSocket"),
];

/// What the index may expect of a stream. A new key must be understood here before it can be ignored.
const EXPECTATIONS: &[&str] = &[
    "reasoning",
    "content",
    "finish",
    "usage",
    "error",
    "end",
    "server_timing",
    "think_mode",
    "content_len",
    "tokens_per_content_chunk",
    "hidden_reasoning",
    "finish_raw",
    "finish_null_is_string",
    "cumulative",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/streams")
}

struct Fixture {
    file: String,
    status: u16,
    content_type: String,
    headers: Value,
    expect: Value,
    bytes: Vec<u8>,
}

/// The fixtures that are read.
fn fixtures() -> Vec<Fixture> {
    let index: Vec<Value> = serde_json::from_slice(&std::fs::read(folder().join("index.json")).unwrap()).unwrap();
    let chat = index.into_iter().filter(|entry| {
        let folder = entry["file"].as_str().unwrap().split('/').next().unwrap();
        let listed = READ.iter().any(|(name, _)| *name == folder);
        assert!(listed || NOT_YET.iter().any(|(name, _)| *name == folder), "{folder}: neither read nor listed as not yet");
        listed
    });
    let fixture = |entry: Value| {
        let file = entry["file"].as_str().unwrap().to_owned();
        let bytes = std::fs::read(folder().join(&file)).unwrap();
        Fixture {
            file,
            status: entry["http_status"].as_u64().unwrap() as u16,
            content_type: entry["content_type"].as_str().unwrap().to_owned(),
            headers: entry["headers"].clone(),
            expect: entry["expect"].clone(),
            bytes,
        }
    };
    chat.map(fixture).collect()
}

/// A frame, kept.
#[derive(Debug, Clone, PartialEq)]
struct Kept {
    name: String,
    data: Vec<u8>,
    unterminated: bool,
    /// The comments since the last frame.
    comments: Vec<Vec<u8>>,
}

/// What the framer makes of pieces of a body.
#[derive(Debug, Default, PartialEq)]
struct Framed {
    frames: Vec<Kept>,
    comments: usize,
    /// The last that came was a comment.
    ends_in_comments: bool,
}

/// What the framer of the fixture's protocol makes of pieces of its body.
fn framed_as<'b>(fixture: &Fixture, pieces: impl IntoIterator<Item = &'b [u8]>) -> Framed {
    if provider(fixture).0.framing() == Framing::Sse {
        return framed(pieces);
    }
    let mut framed = Framed::default();
    let mut lines = Ndjson::new(16 << 20);
    let mut keep = |Frame { name, data, unterminated }: Frame<'_>| {
        framed.frames.push(Kept { name: name.to_owned(), data: data.to_vec(), unterminated, comments: Vec::new() });
    };
    for piece in pieces {
        lines.feed(piece, &mut keep).unwrap();
    }
    lines.finish(&mut keep);
    framed
}

fn framed<'b>(pieces: impl IntoIterator<Item = &'b [u8]>) -> Framed {
    let mut framed = Framed::default();
    let mut comments = Vec::new();
    let mut sse = Sse::new(16 << 20);
    let mut keep = |piece: Piece<'_>| match piece {
        Piece::Frame(Frame { name, data, unterminated }) => {
            framed.ends_in_comments = false;
            framed.frames.push(Kept { name: name.to_owned(), data: data.to_vec(), unterminated, comments: std::mem::take(&mut comments) });
        }
        Piece::Comment(text) => {
            comments.push(text.to_vec());
            framed.ends_in_comments = true;
            framed.comments += 1;
        }
    };
    for piece in pieces {
        sse.feed(piece, &mut keep).unwrap();
    }
    sse.finish(&mut keep);
    framed
}

/// What the decoder makes of frames.
#[derive(Debug, Default, PartialEq)]
struct Read {
    deltas: Vec<(Phase, String)>,
    usage: Option<Usage>,
    timing: Option<ServerTiming>,
    finish: Option<FinishSeen>,
    error: Option<ProviderError>,
    ends: Vec<EndMark>,
    unreadable: usize,
    /// Tokens that the cumulative counts give to each text of the content.
    content_tokens: Vec<u64>,
    /// The texts that came before the latest counts.
    counted: usize,
}

impl Read {
    fn text(&self, phase: Phase) -> String {
        self.deltas.iter().filter(|(of, _)| *of == phase).map(|(_, text)| text.as_str()).collect()
    }
    fn take(&mut self, event: StreamEvent<'_>) {
        match event {
            StreamEvent::Delta { phase, text, .. } => {
                assert!(!text.is_empty(), "an empty text is no event");
                self.deltas.push((phase, text.to_owned()));
            }
            StreamEvent::Usage(usage) => {
                let counted = |usage: &Option<Usage>| usage.as_ref().and_then(|u| u.completion).unwrap_or(0);
                if matches!(self.deltas[self.counted..].last(), Some((Phase::Content, _))) {
                    self.content_tokens.push(usage.completion.unwrap_or(0) - counted(&self.usage));
                }
                self.counted = self.deltas.len();
                self.usage = Some(usage);
            }
            StreamEvent::Timing(timing) => self.timing = Some(timing),
            StreamEvent::Finish(finish) => self.finish = self.finish.take().or(Some(finish)),
            StreamEvent::Error(error) => self.error = self.error.take().or(Some(error)),
            StreamEvent::End(mark) => self.ends.push(mark),
            StreamEvent::Unreadable => self.unreadable += 1,
            StreamEvent::Relabel => self.deltas.iter_mut().for_each(|(phase, _)| *phase = Phase::Reasoning),
            StreamEvent::Model(_) | StreamEvent::Fingerprint(_) | StreamEvent::Upstream(_) => {}
        }
    }
}

/// A fresh decoder, as the fixture's provider file and the fixture itself want it.
fn decoder(fixture: &Fixture) -> Box<dyn Decoder> {
    let (provider, target) = provider(fixture);
    provider.decoder(&target)
}

/// The fixture's provider, and a target of it.
fn provider(fixture: &Fixture) -> (Arc<dyn Provider>, TargetFacts) {
    let folder = fixture.file.split('/').next().unwrap();
    let id = READ.iter().find(|(name, _)| *name == folder).unwrap().1;
    let catalog = Catalog::builtin();
    // A target of any kind: only its provider and its tags matter to a decoder.
    let think_tags = fixture.expect["think_mode"].as_str().map(str::to_owned);
    let base_url = Some("http://127.0.0.1:9/v1".to_owned());
    let mut entry = TargetEntry { target: format!("{id}/m"), base_url, think_tags, ..TargetEntry::default() };
    if fixture.expect["cumulative"] == json!(true) {
        entry.extra_body.insert("parameters".to_owned(), json!({ "incremental_output": false }));
    }
    let target = catalog.target(&entry).unwrap();
    (catalog.provider(&target).unwrap(), target)
}

fn read(fixture: &Fixture, framed: &Framed) -> Read {
    let mut decoder = decoder(fixture);
    decoder.status(fixture.status);
    let mut read = Read::default();
    for Kept { name, data, unterminated, comments } in &framed.frames {
        comments.iter().for_each(|text| decoder.comment(text));
        decoder.feed(&Frame { name, data, unterminated: *unterminated }, &mut |event| read.take(event));
    }
    if framed.frames.is_empty() {
        decoder.body(fixture.status, Some(&fixture.content_type), &fixture.bytes, &mut |event| read.take(event));
    }
    decoder.finish(&mut |event| read.take(event));
    if let (Some(error), Some(wait)) = (&mut read.error, fixture.headers["retry-after"].as_str()) {
        error.retry_after_s = wait.parse().ok().or(error.retry_after_s);
    }
    read
}

/// How the response ended, in the index's words.
fn end(fixture: &Fixture, framed: &Framed, read: &Read) -> &'static str {
    match read.ends.first() {
        _ if 300 <= fixture.status => "http_error",
        Some(EndMark::Done | EndMark::Message) => "done",
        Some(EndMark::DoneLenient) => "done_lenient",
        None if framed.frames.is_empty() && fixture.content_type.starts_with("application/json") => "json",
        None => "eof",
    }
}

/// The error on record, or the one that a reader of the record concludes: a stream that stops without its end is broken, or stalled
/// where only keep-alives went on.
fn judged(framed: &Framed, read: &Read) -> Value {
    if let Some(error) = &read.error {
        let code = match &error.code {
            Some(ErrorCode::Number(number)) => json!(number),
            Some(ErrorCode::Text(text)) => json!(text),
            None => Value::Null,
        };
        let mut told = json!({ "kind": error.kind, "code": code, "message": error.message });
        if error.kind == ErrorKind::Protocol {
            told["message"] = json!("");
        }
        return told;
    }
    if read.finish.is_some() || !read.ends.is_empty() {
        return Value::Null;
    }
    json!({ "kind": if framed.ends_in_comments { "stalled" } else { "broken" }, "code": null, "message": "" })
}

/// Holds a reading against the index.
fn check(fixture: &Fixture, framed: &Framed, read: &Read) {
    let (file, expect) = (&fixture.file, &fixture.expect);
    for key in expect.as_object().unwrap().keys() {
        assert!(EXPECTATIONS.contains(&key.as_str()), "{file}: {key} is expected and not understood here");
    }
    match expect["content_len"].as_u64() {
        Some(length) => assert_eq!(read.text(Phase::Content).len() as u64, length, "{file}"),
        None => {
            assert_eq!(read.text(Phase::Reasoning), expect["reasoning"].as_str().unwrap(), "{file}: reasoning");
            assert_eq!(read.text(Phase::Content), expect["content"].as_str().unwrap(), "{file}: content");
        }
    }
    // The quirk that takes the end mark for `stop` gives it no word of the provider's.
    let finish = read.finish.as_ref().map(|finish| finish.raw.as_str()).filter(|raw| !raw.is_empty());
    match expect["finish_raw"].as_str() {
        None => assert_eq!(finish, expect["finish"].as_str(), "{file}: finish"),
        Some(raw) => {
            assert_eq!(finish, Some(raw), "{file}: finish as sent");
            let normal = read.finish.as_ref().map(|finish| serde_json::to_value(finish.normal).unwrap());
            assert_eq!(normal.unwrap(), expect["finish"], "{file}: finish");
        }
    }
    let usage = read.usage.as_ref().map(|u| {
        assert!(serde_json::from_str::<Value>(u.raw.as_deref().unwrap()).unwrap().is_object(), "{file}: raw usage");
        json!({ "prompt": u.prompt, "completion": u.completion, "reasoning": u.reasoning, "cached": u.cached, "total": u.total })
    });
    assert_eq!(usage.unwrap_or(Value::Null), expect["usage"], "{file}: usage");
    let mut expected = expect["error"].clone();
    for (key, found) in [
        ("http_status", read.error.as_ref().and_then(|error| error.http_status).map(|status| json!(status))),
        ("retry_after_s", read.error.as_ref().and_then(|error| error.retry_after_s).map(|s| json!(s))),
    ] {
        if let Some(expected) = expected.as_object_mut().and_then(|error| error.remove(key)) {
            assert_eq!(found.and_then(|found| found.as_f64()), expected.as_f64(), "{file}: {key}");
        }
    }
    assert_eq!(judged(framed, read), expected, "{file}: error");
    assert_eq!(end(fixture, framed, read), expect["end"], "{file}: end");
    if let Some(times) = expect.get("server_timing").and_then(Value::as_object) {
        let found = serde_json::to_value(read.timing.as_ref().unwrap_or_else(|| panic!("{file}: no server times"))).unwrap();
        for (name, value) in times {
            assert_eq!(found[name].as_f64(), value.as_f64(), "{file}: {name}");
        }
    }
    if let Some(tokens) = expect.get("tokens_per_content_chunk") {
        assert_eq!(json!(read.content_tokens), *tokens, "{file}: tokens of each content chunk");
    }
    if expect["hidden_reasoning"] == json!(true) {
        assert!(read.text(Phase::Reasoning).is_empty() && read.usage.as_ref().and_then(|u| u.reasoning).is_some_and(|n| n > 0), "{file}");
    }
}

#[test]
fn every_stream_is_read_as_the_index_says() {
    let fixtures = fixtures();
    assert!(90 <= fixtures.len(), "only {} fixtures", fixtures.len());
    for fixture in &fixtures {
        let framed = framed_as(fixture, [fixture.bytes.as_slice()]);
        check(fixture, &framed, &read(fixture, &framed));
    }
}

#[test]
fn the_index_and_the_folder_hold_the_same_files() {
    let index: Vec<Value> = serde_json::from_slice(&std::fs::read(folder().join("index.json")).unwrap()).unwrap();
    let indexed: BTreeSet<String> = index.iter().map(|entry| entry["file"].as_str().unwrap().to_owned()).collect();
    let mut found = BTreeSet::new();
    for part in std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        for file in std::fs::read_dir(&part).unwrap() {
            let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
            found.insert(format!("{}/{}", name(&part), name(&file.unwrap().path())));
        }
    }
    assert_eq!(found, indexed);
}

/// The file with all its line ends written anew.
fn with_line_ends(bytes: &[u8], end: &[u8]) -> Vec<u8> {
    let mut rewritten = Vec::with_capacity(bytes.len() + bytes.len() / 8);
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
        rewritten.extend_from_slice(&rest[..at]);
        rewritten.extend_from_slice(end);
        rest = if rest[at..].starts_with(b"\r\n") { &rest[at + 2..] } else { &rest[at + 1..] };
    }
    rewritten.extend_from_slice(rest);
    rewritten
}

/// The bytes cut at each of the given places.
fn cut<'b>(bytes: &'b [u8], places: &BTreeSet<usize>) -> Vec<&'b [u8]> {
    let ends: Vec<usize> = places.iter().copied().chain([bytes.len()]).collect();
    let starts = std::iter::once(0).chain(places.iter().copied());
    starts.zip(ends).map(|(from, to)| &bytes[from..to]).collect()
}

/// The frames decide all that a decoder sees; so the frames are held equal at every split, and the readings wherever frames could
/// differ at all.
#[test]
fn neither_the_cuts_nor_the_line_ends_change_what_is_read() {
    const EVERY_SPLIT_UP_TO: usize = 8 << 10;
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let streams = ["text/event-stream", "application/x-ndjson"];
    let is_stream = |fixture: &&Fixture| fixture.status == 200 && streams.iter().any(|kind| fixture.content_type.starts_with(kind));
    for fixture in fixtures().iter().filter(is_stream) {
        // Making a provider costs more than framing: once a fixture.
        let lines = provider(fixture).0.framing() == Framing::Ndjson;
        let framed = |pieces: Vec<&[u8]>| if lines { framed_as(fixture, pieces) } else { framed(pieces) };
        let reference = framed(vec![fixture.bytes.as_slice()]);
        let expected = read(fixture, &reference);
        for end in [&b"\n"[..], b"\r\n", b"\r"] {
            let bytes = with_line_ends(&fixture.bytes, end);
            let same = |pieces: Vec<&[u8]>, how: &str| {
                let found = framed(pieces);
                if found != reference {
                    assert_eq!(read(fixture, &found), expected, "{} with {end:?}, cut {how}", fixture.file);
                    panic!("{} with {end:?}, cut {how}: other frames, if read alike", fixture.file);
                }
            };
            if bytes.len() <= EVERY_SPLIT_UP_TO {
                for at in 0..=bytes.len() {
                    same(vec![&bytes[..at], &bytes[at..]], &format!("at {at}"));
                }
            }
            same(bytes.chunks(1).collect(), "at every byte");
            for _ in 0..32 {
                let places = (0..random.random_range(2..40)).map(|_| random.random_range(0..=bytes.len())).collect();
                same(cut(&bytes, &places), &format!("at {places:?}"));
            }
            check(fixture, &reference, &read(fixture, &framed(bytes.chunks(3).collect())));
        }
    }
}

#[test]
fn junk_between_chunks_is_passed_over() {
    let stream = concat!(
        "data: junk\n\n",
        "data: {\"choices\":null}\n\n",
        "data: null\n\ndata: {}\n\ndata:\n\n",
        "data: {\"choices\":[{\"delta\":{\"content\":\"\\ud83c\"}}]}\n\n",
        "event: ping\ndata: 17\n\n",
        "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n",
        "data: [DONE]\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"late\"}}]}\n\n",
    );
    let fixture = Fixture {
        file: "_sse/junk".to_owned(),
        status: 200,
        content_type: "text/event-stream".to_owned(),
        headers: Value::Null,
        expect: json!({}),
        bytes: stream.as_bytes().to_vec(),
    };
    let read = read(&fixture, &framed([stream.as_bytes()]));
    assert_eq!((read.text(Phase::Content).as_str(), read.unreadable, read.error), ("alate", 2, None));
}

/// Feeds texts as the contents of chunks; gives reasoning and content.
fn split<'t>(tags: &ThinkTags, texts: impl IntoIterator<Item = &'t str>) -> (String, String) {
    let mut decoder = ChatDecoder::with_tags(Arc::default(), tags.clone());
    let mut read = Read::default();
    for text in texts {
        let data = json!({ "choices": [{ "delta": { "content": text } }] }).to_string();
        decoder.feed(&Frame { name: "", data: data.as_bytes(), unterminated: false }, &mut |event| read.take(event));
    }
    decoder.finish(&mut |event| read.take(event));
    (read.text(Phase::Reasoning), read.text(Phase::Content))
}

#[test]
fn think_tags_are_split_alike_as_sent_by_character_and_whole() {
    let vectors: Vec<Value> = serde_json::from_slice(&std::fs::read(folder().join("_think/vectors.json")).unwrap()).unwrap();
    assert_eq!(vectors.len(), 20);
    for vector in &vectors {
        let tags: ThinkTags = vector["mode"].as_str().unwrap().parse().unwrap();
        let texts: Vec<&str> = vector["chunks"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
        let whole = texts.concat();
        let characters: Vec<String> = whole.chars().map(String::from).collect();
        let expected = (vector["reasoning"].as_str().unwrap().to_owned(), vector["content"].as_str().unwrap().to_owned());
        assert_eq!(split(&tags, texts), expected, "{}, as sent", vector["name"]);
        assert_eq!(split(&tags, characters.iter().map(String::as_str)), expected, "{}, by character", vector["name"]);
        assert_eq!(split(&tags, [whole.as_str()]), expected, "{}, whole", vector["name"]);
    }
}
