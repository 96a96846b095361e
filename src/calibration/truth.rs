//! The simulator's log, as far as errors are computed from it (docs/sim.md describes all of it).

use crate::units::Stamp;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What the simulator did for one request. Times are CLOCK_MONOTONIC.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Truth {
    /// The client's id of the request.
    pub request_id: Option<String>,
    /// When the read of the request's last byte had returned.
    #[serde(rename = "received_ns")]
    pub received: Stamp,
    /// Just before each write of the body.
    #[serde(rename = "before_ns")]
    pub before: Vec<Stamp>,
    /// Just after it.
    #[serde(rename = "after_ns")]
    pub after: Vec<Stamp>,
    /// What was in it: `r` reasoning, `c` content, `b` both, `-` neither.
    pub phase: Vec<char>,
    /// Tokens of it.
    pub tokens: Vec<u32>,
    /// The faults that this reply met.
    pub faults: Vec<String>,
    /// How it ended; `clean` is as it should.
    pub ended: String,
}

/// A write of the simulator that held text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextWrite {
    /// Just before it.
    pub before: Stamp,
    /// Just after it.
    pub after: Stamp,
    /// Its tokens.
    pub tokens: u32,
}

impl Truth {
    /// The writes that held text of the model, in order. One of both phases counts once: its two texts came with one write.
    pub fn texts(&self) -> Vec<TextWrite> {
        let writes = self.before.iter().zip(&self.after).zip(self.phase.iter().zip(&self.tokens));
        let texts = writes.filter(|(_, (phase, _))| **phase != '-');
        texts.map(|((before, after), (_, tokens))| TextWrite { before: *before, after: *after, tokens: *tokens }).collect()
    }

    /// Whether the reply was meant to be, and was, whole.
    pub fn is_healthy(&self) -> bool {
        self.faults.is_empty() && self.ended == "clean"
    }
}

/// The log, by request.
#[derive(Debug, Clone, Default)]
pub struct Truths(BTreeMap<String, Truth>);

impl Truths {
    /// Reads log lines. What is no line of it, such as a last line that is still being written, is passed over: its request is then
    /// missing, which is counted.
    pub fn read(log: &str) -> Truths {
        let mut truths = Truths::default();
        truths.add(log);
        truths
    }

    /// Takes in more lines.
    pub fn add(&mut self, lines: &str) {
        let truths = lines.lines().filter_map(|line| serde_json::from_str::<Truth>(line).ok());
        self.0.extend(truths.filter_map(|truth| Some((truth.request_id.clone()?, truth))));
    }

    /// What was done for a request.
    pub fn of(&self, request_id: &str) -> Option<&Truth> {
        self.0.get(request_id)
    }
}
