//! Any bytes as a chat stream: cut into events, decoded, its tags split in every mode. Nothing may panic, no text may be empty, and
//! where the bytes were cut may not matter.
#![no_main]

use libfuzzer_sys::fuzz_target;
use photofinish::dialect::{ChatDecoder, Decoder, ThinkTags};
use photofinish::timeline::StreamEvent;
use photofinish::wire::sse::{Piece, Sse};
use std::sync::Arc;

const MODES: [&str; 6] = ["off", "tagged", "assume_open", "auto", "auto_retro", "auto:◁|▷"];

fn read(tags: &ThinkTags, pieces: &[&[u8]]) -> Vec<String> {
    let mut decoder = ChatDecoder::with_tags(Arc::default(), tags.clone());
    let mut sse = Sse::new(1 << 20);
    let mut seen = Vec::new();
    let mut take = |event: StreamEvent<'_>| {
        assert!(!matches!(event, StreamEvent::Delta { text: "", .. }), "an empty text");
        seen.push(format!("{event:?}"));
    };
    for piece in pieces {
        let fed = sse.feed(piece, &mut |piece| {
            if let Piece::Frame(frame) = piece {
                decoder.feed(&frame, &mut take);
            }
        });
        if fed.is_err() {
            return seen;
        }
    }
    sse.finish(&mut |piece| {
        if let Piece::Frame(frame) = piece {
            decoder.feed(&frame, &mut take);
        }
    });
    decoder.finish(&mut take);
    seen
}

fuzz_target!(|data: &[u8]| {
    let Some(([mode, at], bytes)) = data.split_first_chunk::<2>() else { return };
    let tags: ThinkTags = MODES[usize::from(*mode) % MODES.len()].parse().unwrap();
    let whole = read(&tags, &[bytes]);
    let (front, back) = bytes.split_at(bytes.len() * usize::from(*at) / 256);
    assert_eq!(read(&tags, &[front, back]), whole);
    ChatDecoder::with_tags(Arc::default(), tags).body(u16::from(*at) + 200, None, bytes, &mut |_| {});
});
