//! Any bytes, cut anywhere: the splitters do not panic, and the cut changes nothing. The first byte says how to cut.
#![no_main]

use libfuzzer_sys::fuzz_target;
use photofinish::wire::ndjson::Ndjson;
use photofinish::wire::sse::{Piece, Sse};

/// Short, so that the limit is met.
const LARGEST: u64 = 4096;

type Told = Vec<(char, String, Vec<u8>)>;

fn events(bytes: &[u8], step: usize) -> (Told, bool, bool) {
    let (mut sse, mut told) = (Sse::new(LARGEST), Told::new());
    let mut tell = |piece: Piece<'_>| match piece {
        Piece::Comment(text) => told.push((':', String::new(), text.to_vec())),
        Piece::Frame(frame) => told.push((if frame.unterminated { '~' } else { '|' }, frame.name.to_owned(), frame.data.to_vec())),
    };
    let fits = bytes.chunks(step.max(1)).all(|part| sse.feed(part, &mut tell).is_ok());
    if fits {
        sse.finish(&mut tell);
    }
    (told, fits, sse.ends_event())
}

fn lines(bytes: &[u8], step: usize) -> (Told, bool) {
    let (mut ndjson, mut told) = (Ndjson::new(LARGEST), Told::new());
    let mut tell = |frame: photofinish::wire::Frame<'_>| told.push((if frame.unterminated { '~' } else { '|' }, String::new(), frame.data.to_vec()));
    let fits = bytes.chunks(step.max(1)).all(|part| ndjson.feed(part, &mut tell).is_ok());
    if fits {
        ndjson.finish(&mut tell);
    }
    (told, fits)
}

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let step = usize::from(*first) + 1;
    let whole = events(rest, rest.len());
    let (by_step, bytewise) = (events(rest, step), events(rest, 1));
    assert_eq!((&whole.0, whole.1), (&by_step.0, by_step.1));
    assert_eq!((&whole.0, whole.1), (&bytewise.0, bytewise.1));
    if whole.1 {
        assert_eq!((whole.2, whole.2), (by_step.2, bytewise.2));
    }
    assert_eq!(lines(rest, rest.len()), lines(rest, step));
    assert_eq!(lines(rest, rest.len()), lines(rest, 1));
});
