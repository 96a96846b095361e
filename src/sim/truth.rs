//! The truth log: what was really written when, one JSON line a response, put on disk by a thread of its own.

use crate::units::Stamp;
use serde::Serialize;
use std::io::Write;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

/// One response. All times are CLOCK_MONOTONIC in nanoseconds.
#[derive(Debug, Default, Serialize)]
pub struct Truth {
    /// The system.
    pub system: String,
    /// The client's `x-request-id`, if it sent one.
    pub request_id: Option<String>,
    /// How many requests the system had seen before.
    pub nth: u64,
    /// The connection, counted from the start.
    pub connection: u64,
    /// Whether it was TLS.
    pub tls: bool,
    /// `1.1` or `2`: the HTTP of the connection.
    pub http: &'static str,
    /// When the read that brought the request's last byte had returned.
    pub received_ns: u64,
    /// Just before the write of the response's header.
    pub head_before_ns: Option<u64>,
    /// Just after it.
    pub head_after_ns: Option<u64>,
    /// Just before each write of the body.
    pub before_ns: Vec<u64>,
    /// Just after it.
    pub after_ns: Vec<u64>,
    /// `r` reasoning, `c` content, `b` both, `-` neither.
    pub phase: Vec<char>,
    /// The tokens in it.
    pub tokens: Vec<u32>,
    /// Of those in a write with both phases, how many are reasoning.
    pub both_reasoning: u32,
    /// Written in all.
    pub reasoning_tokens: u32,
    /// Written in all.
    pub content_tokens: u32,
    /// Tokens of hidden reasoning, counted in usage and never written.
    pub hidden_tokens: u32,
    /// As usage tells it.
    pub prompt_tokens: u32,
    /// HTTP status.
    pub status: u16,
    /// The finish reason planned.
    pub finish: Option<String>,
    /// The faults that this response met.
    pub faults: Vec<String>,
    /// `clean`, `cut`, `reset`, `hang`, `endless`, `no_answer`, `client_gone`, or `stopped` if the simulator ended first.
    pub ended: &'static str,
    /// When the last write had returned, or the client was found gone.
    pub ended_ns: u64,
}

impl Truth {
    /// Makes room for so many writes, so that none of them waits for memory.
    pub fn expect(&mut self, writes: usize) {
        self.before_ns.reserve_exact(writes);
        self.after_ns.reserve_exact(writes);
        self.phase.reserve_exact(writes);
        self.tokens.reserve_exact(writes);
    }
    /// Notes a write of the body.
    pub fn wrote(&mut self, (before, after): (Stamp, Stamp), reasoning: usize, content: usize) {
        self.before_ns.push(before.0);
        self.after_ns.push(after.0);
        self.phase.push(match (reasoning, content) {
            (0, 0) => '-',
            (_, 0) => 'r',
            (0, _) => 'c',
            _ => 'b',
        });
        self.tokens.push((reasoning + content) as u32);
        if 0 < reasoning && 0 < content {
            self.both_reasoning += reasoning as u32;
        }
        self.reasoning_tokens += reasoning as u32;
        self.content_tokens += content as u32;
    }
}

/// Hands a response's truth over when it is dropped: also if the stream is broken off.
#[derive(Debug)]
pub struct Handover {
    /// The truth so far.
    pub truth: Truth,
    log: Option<Sender<Truth>>,
}

impl Handover {
    /// For one response.
    pub fn new(truth: Truth, log: Option<Sender<Truth>>) -> Handover {
        Handover { truth, log }
    }
}

impl Drop for Handover {
    fn drop(&mut self) {
        if let Some(log) = &self.log {
            // The writer is gone only when the program ends.
            let _ = log.send(std::mem::take(&mut self.truth));
        }
    }
}

/// Opens the log and starts its thread, which ends when all senders are gone.
pub fn open(path: &Path) -> std::io::Result<(Sender<Truth>, JoinHandle<()>)> {
    let file = std::fs::File::options().create(true).append(true).open(path)?;
    let (send, receive) = channel();
    Ok((send, std::thread::Builder::new().name("truth log".to_owned()).spawn(move || write_all(file, &receive))?))
}

fn write_all(mut file: std::fs::File, receive: &Receiver<Truth>) {
    let mut lines = Vec::new();
    while let Ok(truth) = receive.recv() {
        lines.clear();
        for truth in std::iter::once(truth).chain(receive.try_iter().take(256)) {
            if serde_json::to_writer(&mut lines, &truth).is_ok() {
                lines.push(b'\n');
            }
        }
        // A full disk must not stop the streams; the log then ends early, and the last line shows it.
        if file.write_all(&lines).is_err() {
            return;
        }
    }
}
