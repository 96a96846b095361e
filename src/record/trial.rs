//! `records.jsonl`: one line for every trial, round and note. A trial line stores facts; outcomes are judged when it is read.

use super::{Graded, LoadPlace, StageLine};
use crate::ident::{PromptId, ProviderId, TargetId, TrialId};
use crate::timeline::{EndMark, Ended, FinishSeen, ProviderError, ServerTiming, TextOfPhases, Timeline, Usage};
use crate::units::Stamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One line of `records.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Line {
    /// A request, sent or not.
    Trial(Box<Trial>),
    /// The state of a round.
    Round(RoundLine),
    /// The state of a stage of a load run.
    Stage(StageLine),
    /// Something that happened, in words.
    Note(Note),
}

/// One request: what was to be sent, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// A function of plan digest, salt, round, prompt, target and attempt.
    pub id: TrialId,
    /// What is compared.
    pub target: TargetId,
    /// The provider file.
    pub provider: ProviderId,
    /// The model asked for.
    pub model: String,
    /// The round, from 1.
    pub round: u32,
    /// The block's place in its round, from 1; 0 for a warm-up.
    pub block: u32,
    /// The prompt.
    pub prompt: PromptId,
    /// The target's place in the block, from 1.
    pub place: u32,
    /// 1, and higher when an interrupted block was sent anew.
    pub attempt: u32,
    /// Scored, warm-up, or void.
    pub role: Role,
    /// Wall-clock time at the start.
    pub wall: jiff::Timestamp,
    /// When the plan wanted it sent.
    pub scheduled: Stamp,
    /// Since when it was held back, for politeness or a Retry-After; never inside a latency.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub held_since: Option<Stamp>,
    /// Its stage, in a load run.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub load: Option<LoadPlace>,
    /// Why it was not sent. Present instead of `answer`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub not_sent: Option<NotSent>,
    /// What came of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub answer: Option<Box<Answer>>,
}

/// What a trial counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A sample.
    Scored,
    /// Opens a round on each connection; on record, never a sample.
    WarmUp,
}

/// Why a planned request was not sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum NotSent {
    /// The target was stopped: its configuration is at fault (key, balance, model).
    TargetStopped {
        /// What stopped it.
        reason: String,
    },
    /// This client fell behind.
    ClientBehind,
    /// The run was interrupted, or its budget ran out.
    RunEnded,
    /// The target's own daily budget of requests or tokens is used up; the next day begins at midnight UTC.
    OverBudget {
        /// Which, and how much of it.
        reason: String,
    },
    /// Waiting for its pace, or for as long as the target asked for (Retry-After), would have taken longer than a block waits.
    HeldBack {
        /// What it would have had to wait for, and how long.
        reason: String,
    },
    /// The request could not be made from the plan.
    NoRequest {
        /// What was wrong.
        reason: String,
    },
}

/// Facts of one exchange.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Times of the exchange.
    pub stamps: Stamps,
    /// The connection it went over.
    pub connect: Connect,
    /// The reads that brought it.
    #[serde(default)]
    pub reads: Reads,
    /// How it ended on the level of connection and limits.
    pub ended: Ended,
    /// HTTP status.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<u16>,
    /// Response headers on the allowlist, names in lower case.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub headers: BTreeMap<String, String>,
    /// When each text came.
    #[serde(default)]
    pub timeline: Timeline,
    /// The text, unless the run keeps counts only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub text: Option<TextOfPhases>,
    /// Token counts of each event, taken before the text was dropped.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub counts: Option<TokenCounts>,
    /// Whether the exact answer was given, judged before the text was dropped; absent where the text is kept or there is no exact answer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub grade: Option<Graded>,
    /// Token counts as reported: the last ones that came.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub usage: Option<Usage>,
    /// The server's own times.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub timing: Option<ServerTiming>,
    /// The finish reason.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub finish: Option<FinishSeen>,
    /// Terminal signals, in order.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub end_marks: Vec<EndMark>,
    /// The first error that the provider reported.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<ProviderError>,
    /// The model that answered, as the server names it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub model: Option<String>,
    /// `system_fingerprint`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fingerprint: Option<String>,
    /// The provider behind a router.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub upstream: Option<String>,
    /// Comment lines (keep-alives) seen.
    #[serde(default)]
    pub comments: u32,
    /// Frames that carried any data.
    #[serde(default)]
    pub frames: u32,
    /// Frames that could not be read.
    #[serde(default)]
    pub unreadable: u32,
    /// Content was relabelled reasoning when a closing tag came without an opening one.
    #[serde(default)]
    pub relabelled: bool,
}

impl Answer {
    /// An answer of which nothing is known but its end.
    pub fn empty(ended: Ended) -> Answer {
        Answer {
            stamps: Stamps::default(),
            connect: Connect::default(),
            reads: Reads::default(),
            ended,
            status: None,
            headers: BTreeMap::new(),
            timeline: Timeline::default(),
            text: None,
            counts: None,
            grade: None,
            usage: None,
            timing: None,
            finish: None,
            end_marks: Vec::new(),
            error: None,
            model: None,
            fingerprint: None,
            upstream: None,
            comments: 0,
            frames: 0,
            unreadable: 0,
            relabelled: false,
        }
    }
}

/// Times of one exchange, all on this machine's monotonic clock.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamps {
    /// First byte of the request written: `t0` of every latency. Absent when nothing was written, and with reqwest.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_write: Option<Stamp>,
    /// Last byte of the request written.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_write: Option<Stamp>,
    /// First byte of the response.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_byte: Option<Stamp>,
    /// End of the response's head.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub head: Option<Stamp>,
    /// End of the stream, or of our patience.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub closed: Option<Stamp>,
}

/// The connection of an exchange. Phase times are absent on a connection that was kept alive.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connect {
    /// Number of the connection within this process; one number twice is one connection.
    pub id: u64,
    /// It had served an exchange before.
    pub reused: bool,
    /// Name resolution, ns.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub dns_ns: Option<u64>,
    /// TCP connect, ns.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tcp_ns: Option<u64>,
    /// HTTP CONNECT through a proxy, ns.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub proxy_ns: Option<u64>,
    /// TLS handshake, ns.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tls_ns: Option<u64>,
    /// The peer's address.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub peer: Option<String>,
    /// Our port.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub local_port: Option<u16>,
    /// HTTP version of the response, such as `HTTP/1.1`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub http: Option<String>,
    /// TLS version, such as `TLSv1_3`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tls: Option<String>,
}

impl Connect {
    /// DNS + TCP + proxy + TLS in nanoseconds, where a connection was opened.
    pub fn total_ns(&self) -> Option<u64> {
        let parts = [self.dns_ns, self.tcp_ns, self.proxy_ns, self.tls_ns];
        (!self.reused && self.tcp_ns.is_some()).then(|| parts.iter().flatten().sum())
    }
}

/// The socket reads of an exchange.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reads {
    /// How many.
    pub count: u32,
    /// Bytes of the response, head included, as they came off the wire (below TLS).
    pub bytes: u64,
    /// Between the kernel's stamp and our return from the read, ns, for each read: this client's own lag.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub lag_ns: Vec<u32>,
    /// Steps of the wall clock noticed meanwhile.
    #[serde(default)]
    pub clock_steps: u32,
}

/// Tokens of each event, where the text is not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenCounts {
    /// The tokenizer that counted.
    pub tokenizer: String,
    /// Tokens whose last byte lies in each event of the timeline.
    pub per_event: Vec<u32>,
    /// Characters of each event.
    pub chars: Vec<u32>,
    /// Hash of the text, keyed per run: equal replies of one run can be told, nothing else.
    pub hash: String,
}

/// The state of a round; a later line of the same round replaces an earlier one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoundLine {
    /// The round, from 1.
    pub round: u32,
    /// What happened to it.
    pub state: RoundState,
    /// Wall-clock time.
    pub wall: jiff::Timestamp,
    /// Monotonic time of the same moment.
    pub mono: Stamp,
    /// How far the wall clock moved against the monotonic one since the line before, nanoseconds, where that is more than 100 ms: a clock
    /// that was set, or a machine that slept.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stepped_ns: Option<i64>,
    /// This client's own lag in the round.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lag: Option<SelfLag>,
}

/// What happened to a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoundState {
    /// It began.
    Begun,
    /// All its blocks are on record.
    Finished,
    /// Its time passed without it.
    Missed,
    /// It was interrupted for too long and is closed as it is.
    Partial,
}

/// This client's own lag in a round or a stage, times in microseconds of real time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SelfLag {
    /// Kernel stamp to user space, median over reads.
    pub read_p50_us: f64,
    /// The same, 99th percentile.
    pub read_p99_us: f64,
    /// How late a 5 ms timer of the measuring runtime rang, 99th percentile.
    pub runtime_p99_us: f64,
    /// The largest of those.
    pub runtime_max_us: f64,
    /// Share of one processor that this process used.
    pub cpu_share: f64,
    /// Steps of the wall clock that were noticed.
    pub clock_steps: u32,
    /// Socket reads that brought replies; this and what follows are absent in records of versions that did not tell.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reads: Option<u64>,
    /// Texts that came.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub texts: Option<u64>,
    /// Texts whose time is an interval since in their read nothing but the end of the reply came after them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub interval_end: Option<u64>,
    /// The other texts whose time is an interval: further texts came with the same read, since this client looked too late or the network
    /// delivered them together.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub interval_merged: Option<u64>,
    /// How wide the intervals of the latter are, median; absent without any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub width_p50_us: Option<f64>,
    /// The same, 99th percentile.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub width_p99_us: Option<f64>,
    /// From when a scored request was due to its first write, median; the opening of its connection and what was held back left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub send_p50_us: Option<f64>,
    /// The same, 99th percentile.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub send_p99_us: Option<f64>,
    /// Of these requests, those that left more than 20 ms late.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub late: Option<u64>,
    /// Scored requests that this client did not get to send.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unsent: Option<u64>,
}

/// Something that happened, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// When.
    pub wall: jiff::Timestamp,
    /// What.
    pub text: String,
}
