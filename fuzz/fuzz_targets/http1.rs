//! Any bytes, cut anywhere: the response reader does not panic, and the cut changes nothing. The first byte says how to cut.
#![no_main]

use libfuzzer_sys::fuzz_target;
use photofinish::wire::http1::{Piece, Response};

/// Everything that a reading tells, and how it ended.
#[derive(Debug, PartialEq)]
struct Told {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<(u8, u32)>,
    ends: u32,
    fault: Option<String>,
    done: bool,
    keep_alive: bool,
    surplus: usize,
}

fn read(bytes: &[u8], step: usize) -> Told {
    let mut response = Response::new(1 << 20);
    let (mut body, mut ends, mut fault, mut surplus) = (Vec::new(), 0, None, 0);
    'parts: for part in bytes.chunks(step.max(1)) {
        let mut input = part;
        loop {
            match response.next(&mut input) {
                Ok(Some(Piece::Body { data, chunk })) => body.extend(data.iter().map(|byte| (*byte, chunk))),
                Ok(Some(Piece::End)) => ends += 1,
                Ok(Some(Piece::Head)) => assert!((200..=999).contains(&response.status())),
                Ok(None) => break,
                Err(found) => {
                    fault = Some(found.to_string());
                    break 'parts;
                }
            }
        }
        assert!(input.is_empty() || response.done(), "nothing is left lying before the end");
        surplus += input.len();
    }
    assert!(ends <= 1 && (ends == 0 || response.done()));
    let (status, headers, done) = (response.status(), response.headers().to_vec(), response.done());
    let keep_alive = response.keep_alive();
    Told { status, headers, body, ends, fault, done, keep_alive, surplus }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let whole = read(rest, rest.len());
    assert_eq!(whole, read(rest, usize::from(*first) + 1));
    assert_eq!(whole, read(rest, 1));
});
