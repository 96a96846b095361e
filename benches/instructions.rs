//! Instruction counts of what every event passes through, under callgrind: a regression shows on a machine that is not quiet, where times
//! tell nothing.
//!
//! `make bench-instructions` counts, and holds the counts against `benches/instructions.tsv` (`scripts/instructions.py`). Needs valgrind.

#![allow(missing_docs)] // of the modules that gungraun's macros make

use gungraun::prelude::*;
use photofinish::dialect::chat::{ChatDecoder, ChatDialect};
use photofinish::dialect::think::Splitter;
use photofinish::dialect::{Decoder, ThinkMode, ThinkTags};
use photofinish::record::Line;
use photofinish::secret;
use photofinish::timeline::{Phase, Point, StreamEvent, Timeline};
use photofinish::units::Offset;
use photofinish::wire::Frame;
use photofinish::wire::http1::{Piece, Response};
use photofinish::wire::sse::{Piece as Cut, Sse};
use std::hint::black_box;
use std::sync::Arc;

/// Texts of the reply that everything here reads.
const TEXTS: usize = 256;
/// Bytes after which neither parser reads on.
const LIMIT: u64 = 1 << 24;

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-request-id: 7f3a9c1e5d\r\ntransfer-encoding: chunked\r\n\r\n";

/// The JSON of each frame: a role, reasoning, content, finish and usage, as a server of the usual kind writes them.
fn frames() -> Vec<String> {
    let chunk = |delta: String, finish: &str| {
        format!(
            "{{\"id\":\"chatcmpl-7f3a9c1e5d\",\"object\":\"chat.completion.chunk\",\"created\":1764000000,\"model\":\"bench-1\",\
             \"system_fingerprint\":\"fp_1\",\"choices\":[{{\"index\":0,\"delta\":{{{delta}}},\"logprobs\":null,\"finish_reason\":{finish}}}]}}"
        )
    };
    let text = |i: usize| {
        let field = if i < TEXTS / 4 { "reasoning_content" } else { "content" };
        chunk(format!("\"{field}\":\" word{}\"", i % 10), "null")
    };
    let mut frames = vec![chunk("\"role\":\"assistant\",\"content\":\"\"".to_owned(), "null")];
    frames.extend((0..TEXTS).map(text));
    frames.push(chunk(String::new(), "\"stop\""));
    let usage =
        "{\"id\":\"chatcmpl-7f3a9c1e5d\",\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":256,\"total_tokens\":265}}";
    frames.push(usage.to_owned());
    frames.push("[DONE]".to_owned());
    frames
}
/// The events as server-sent events, one a string.
fn events() -> Vec<String> {
    frames().iter().map(|data| format!("data: {data}\n\n")).collect()
}
/// The response as it comes off the wire: one chunk an event, one read a chunk.
fn reads() -> Vec<String> {
    let chunk = |event: &String| format!("{:x}\r\n{event}\r\n", event.len());
    let mut reads = vec![HEAD.to_owned()];
    reads.extend(events().iter().map(chunk));
    reads.push("0\r\n\r\n".to_owned());
    reads
}
/// The same in reads of 16 events: a client that looked late, or a flood.
fn full_reads() -> Vec<String> {
    reads().chunks(16).map(|some| some.concat()).collect()
}

/// What is counted. It stands outside of the functions below: callgrind counts from the entry of a function in their module to its end, and a
/// closure of theirs would end it before its time.
mod work {
    use super::*;

    pub fn http1(reads: Vec<String>) -> u64 {
        let mut response = Response::new(LIMIT);
        let mut body = 0;
        for read in &reads {
            let mut bytes = read.as_bytes();
            while let Ok(Some(piece)) = response.next(&mut bytes) {
                if let Piece::Body { data, .. } = black_box(piece) {
                    body += data.len() as u64;
                }
            }
        }
        assert!(response.done());
        body
    }

    pub fn sse(reads: Vec<String>) -> usize {
        let mut cutter = Sse::new(LIMIT);
        let mut frames = 0;
        for read in &reads {
            let fed = cutter.feed(read.as_bytes(), &mut |piece| frames += usize::from(matches!(black_box(piece), Cut::Frame(_))));
            assert!(fed.is_ok());
        }
        assert_eq!(frames, TEXTS + 4);
        frames
    }

    pub fn decoder() -> (ChatDecoder, Vec<String>) {
        (ChatDecoder::new(Arc::new(ChatDialect::default())), frames())
    }

    pub fn decode((mut decoder, frames): (ChatDecoder, Vec<String>)) -> (ChatDecoder, usize) {
        let mut texts = 0;
        for frame in &frames {
            let frame = Frame { name: "", data: frame.as_bytes(), unterminated: false };
            decoder.feed(&frame, &mut |event| texts += usize::from(matches!(black_box(event), StreamEvent::Delta { .. })));
        }
        assert_eq!(texts, TEXTS);
        (decoder, texts)
    }

    /// A reply with inline reasoning: the tags in pieces, and a `<` now and then that is none.
    pub fn tagged() -> (Splitter, Vec<String>) {
        let word = |i: usize| if i % 16 == 3 { " a<b".to_owned() } else { format!(" word{}", i % 10) };
        let mut texts: Vec<String> = ["<th", "ink>", "\n"].map(str::to_owned).to_vec();
        texts.extend((0..TEXTS / 2).map(word));
        texts.extend(["\n</", "think>", "\n\n"].map(str::to_owned));
        texts.extend((0..TEXTS / 2).map(word));
        (Splitter::new(ThinkTags::of(ThinkMode::AutoRetro)), texts)
    }

    pub fn think((mut splitter, texts): (Splitter, Vec<String>)) -> (Splitter, usize) {
        let mut bytes = 0;
        for text in &texts {
            splitter.next_frame();
            splitter.push(text, &mut |event| {
                if let StreamEvent::Delta { text, .. } = black_box(event) {
                    bytes += text.len();
                }
            });
        }
        splitter.flush(&mut |event| drop(black_box(event)));
        assert!(TEXTS < bytes);
        (splitter, bytes)
    }

    /// A trial as it goes to the journal: one exact text every 20 ms, the text not kept.
    pub fn trial() -> Line {
        let mut timeline = Timeline::default();
        for i in 0..TEXTS as u32 {
            let at = Offset(203_000_000 + 20_000_000 * u64::from(i) + u64::from(i * 7919 % 4096));
            timeline.push(Point { at, width_ns: 0, phase: Phase::Content, bytes: 6, chunk: i + 2, read: i + 3 });
        }
        let lag: Vec<u32> = (0..TEXTS as u32 + 4).map(|i| 18_000 + i * 104_729 % 9_000).collect();
        let mut line = serde_json::json!({
            "kind": "trial", "id": "aeb48e00c6833f5f696d992d", "target": "bench", "provider": "vllm", "model": "bench-1", "round": 1, "block": 1,
            "prompt": "p1", "place": 1, "attempt": 1, "role": "scored", "wall": "2026-11-24T12:25:04.80829333Z", "scheduled": 6_878_961_620_306_u64,
            "answer": {
                "stamps": {"first_write": 6_878_962_689_021_u64, "last_write": 6_878_962_689_021_u64, "closed": 6_884_970_722_045_u64},
                "connect": {"id": 6, "reused": false, "tcp_ns": 462_428, "peer": "127.0.0.1:33713", "local_port": 55008, "http": "HTTP/1.1"},
                "reads": {"count": lag.len(), "bytes": 60_000, "lag_ns": lag, "clock_steps": 0},
                "ended": {"how": "complete"}, "status": 200, "headers": {"content-type": "text/event-stream"},
                "finish": {"raw": "stop", "normal": "stop"}, "end_marks": ["done"], "model": "bench-1",
            },
        });
        line["answer"]["timeline"] = serde_json::to_value(&timeline).expect("a timeline");
        serde_json::from_value(line).expect("a trial as the record holds it")
    }

    pub fn journal_line(line: Line) -> (Line, usize) {
        let bytes = serde_json::to_vec(&line).expect("a line");
        let written = secret::mask().mask_bytes(black_box(&bytes)).len();
        (line, written)
    }

    pub type Path = (Response, Sse, ChatDecoder, Vec<String>);

    pub fn path() -> Path {
        let (decoder, _) = decoder();
        (Response::new(LIMIT), Sse::new(LIMIT), decoder, reads())
    }

    // From the bytes of a read to the timeline: what the timed path does between two system calls.
    pub fn bytes_to_timeline((mut response, mut cutter, mut decoder, reads): Path) -> Timeline {
        let mut timeline = Timeline::default();
        for (i, read) in reads.iter().enumerate() {
            let mut bytes = read.as_bytes();
            while let Ok(Some(piece)) = response.next(&mut bytes) {
                let Piece::Body { data, chunk } = piece else { continue };
                let fed = cutter.feed(data, &mut |piece| {
                    let Cut::Frame(frame) = piece else { return };
                    decoder.feed(&frame, &mut |event| {
                        let StreamEvent::Delta { phase, text, .. } = event else { return };
                        let (at, bytes) = (Offset(i as u64), text.len() as u32);
                        timeline.push(Point { at, width_ns: 0, phase, bytes, chunk, read: i as u32 });
                    });
                });
                assert!(fed.is_ok());
            }
        }
        assert_eq!(timeline.len(), TEXTS);
        timeline
    }
}
use work::{Path, decoder, path, tagged, trial};

#[library_benchmark]
#[bench::one_event_a_read(reads())]
#[bench::sixteen_events_a_read(full_reads())]
fn http1(given: Vec<String>) -> u64 {
    work::http1(given)
}

#[library_benchmark]
#[bench::one_event_a_read(events())]
#[bench::one_read(vec![events().concat()])]
fn sse(given: Vec<String>) -> usize {
    work::sse(given)
}

#[library_benchmark]
#[bench::chat(decoder())]
fn decode(given: (ChatDecoder, Vec<String>)) -> (ChatDecoder, usize) {
    work::decode(given)
}

#[library_benchmark]
#[bench::inline(tagged())]
fn think(given: (Splitter, Vec<String>)) -> (Splitter, usize) {
    work::think(given)
}

#[library_benchmark]
#[bench::trial(trial())]
fn journal_line(given: Line) -> (Line, usize) {
    work::journal_line(given)
}

#[library_benchmark]
#[bench::one_event_a_read(path())]
fn bytes_to_timeline(given: Path) -> Timeline {
    work::bytes_to_timeline(given)
}

library_benchmark_group!(name = path_of_an_event, benchmarks = [http1, sse, decode, think, journal_line, bytes_to_timeline]);
main!(library_benchmark_groups = path_of_an_event);
