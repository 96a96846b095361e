//! What the client claims about a stream of the raw server, held against the server's own times.

use super::Truth;
use photofinish::timeline::Mark;
use photofinish::wire::{Endpoint, Frame, Framing, Head, Watch, WireRequest};
use std::net::SocketAddr;
use std::path::Path;

/// So far may two readings of one clock lie beside each other, ns.
const SLACK: u64 = 1_000;

#[derive(Default)]
pub struct Seen {
    pub frames: Vec<usize>,
    pub marks: Vec<Mark>,
    pub status: u16,
}

impl Watch for Seen {
    fn head(&mut self, head: Head<'_>) {
        self.status = head.status;
    }
    fn body(&mut self, _: &[u8]) {}
    fn frame(&mut self, frame: Frame<'_>) {
        self.frames.push(frame.data.len());
    }
    fn comment(&mut self, _: &[u8]) {}
    fn mark(&mut self, mark: Mark) {
        self.marks.push(mark);
    }
}

pub fn endpoint(address: SocketAddr, ca: Option<&Path>) -> Endpoint {
    Endpoint {
        host: "127.0.0.1".to_owned(),
        port: address.port(),
        tls: ca.is_some(),
        ca_file: ca.map(Path::to_owned),
        proxy: None,
        http2: false,
        connect_ms: 10_000,
    }
}
pub fn request(path: &str) -> WireRequest {
    WireRequest {
        method: "POST",
        path: path.to_owned(),
        headers: Vec::new(),
        body: b"{}".to_vec(),
        framing: Framing::Sse,
        largest_line: 1 << 24,
        largest_body: 1 << 26,
    }
}

/// The first claim that excludes the truth, in words: an exact stamp outside the server's write, an interval that the write does not meet,
/// a time that runs backwards.
pub fn first_wrong_claim(marks: &[Mark], truth: &Truth) -> Option<String> {
    if marks.len() != truth.len() {
        return Some(format!("{} events were written, {} claimed", truth.len(), marks.len()));
    }
    for (i, (mark, (before, after))) in marks.iter().zip(truth).enumerate() {
        if !holds(mark, *before, *after) {
            let from = |time: u64| time as i64 - *before as i64;
            let [written, begin, end] = [*after, mark.after.0, mark.at.0].map(from);
            return Some(format!("event {i}: written in (0, {written}), claimed exact {} from {begin} to {end}", mark.exact));
        }
        if mark.at < mark.after || mark.user.plus(SLACK) < mark.at {
            return Some(format!("event {i}: {mark:?}"));
        }
    }
    let forward = marks.is_sorted_by_key(|mark| (mark.at, mark.read));
    (!forward).then(|| "times or reads run backwards".to_owned())
}

fn holds(mark: &Mark, before: u64, after: u64) -> bool {
    let (begin, end) = (before - SLACK, after.saturating_add(SLACK));
    match mark.exact {
        true => begin <= mark.at.0 && mark.at.0 <= end,
        false => mark.after.0 < end && begin <= mark.at.0,
    }
}
