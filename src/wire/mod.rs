//! Moves bytes and stamps them. A read carries the kernel's receive time; frames cut from it get a mark each, exact or an interval.
//!
//! Two transports: our own over stamped sockets (the default on Unix), and `reqwest` (SOCKS, HTTP/2, every other system). A build with
//! `--cfg photofinish_portable` leaves the first out, so that what other systems get can be compiled and tried on this one.

mod blame;
mod by_reqwest;
#[cfg(all(unix, not(photofinish_portable)))]
mod connect;
mod cut;
pub mod http1;
#[cfg(all(unix, not(photofinish_portable)))]
mod kernel;
pub mod ndjson;
mod opened;
#[cfg(all(unix, not(photofinish_portable)))]
pub mod realtime;
mod roots;
pub mod sse;
#[cfg(all(unix, not(photofinish_portable)))]
mod timed_io;

pub use by_reqwest::{ReqwestConnection, ReqwestTransport};
#[cfg(all(unix, not(photofinish_portable)))]
pub use kernel::{KernelConnection, KernelTransport};
pub use roots::Roots;
#[cfg(all(unix, not(photofinish_portable)))]
pub use timed_io::clock_steps;

use crate::record::{Connect, Reads, Stamps};
use crate::secret::Secret;
use crate::timeline::{Ended, Mark, Stage};
use async_trait::async_trait;
use std::path::PathBuf;

/// Where a connection goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// Host name or address, as in the URL (an IPv6 address without brackets).
    pub host: String,
    /// Port.
    pub port: u16,
    /// TLS, or plain.
    pub tls: bool,
    /// A private certificate authority (PEM) trusted beside the system's roots.
    pub ca_file: Option<PathBuf>,
    /// A proxy, by HTTP CONNECT (`http://host:port`; reqwest also takes `socks5://`).
    pub proxy: Option<String>,
    /// HTTP/2 instead of HTTP/1.1 (reqwest only).
    pub http2: bool,
    /// Limit for DNS, TCP and TLS together, milliseconds.
    pub connect_ms: u64,
}

/// How a response's body is cut into frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Server-sent events.
    Sse,
    /// One JSON object a line.
    Ndjson,
}

/// The value of a request header; a secret one is masked wherever a request is printed.
#[derive(Debug, Clone)]
pub enum HeaderText {
    /// Anyone may see it.
    Plain(String),
    /// Never printed or stored.
    Secret(Secret),
}

/// A request to be written as it stands. The transport adds `host`, `content-length` and `accept-encoding: identity`.
#[derive(Debug, Clone)]
pub struct WireRequest {
    /// `POST`, or `GET` for untimed calls.
    pub method: &'static str,
    /// Path and query.
    pub path: String,
    /// Headers in order.
    pub headers: Vec<(String, HeaderText)>,
    /// The body.
    pub body: Vec<u8>,
    /// How the response is cut.
    pub framing: Framing,
    /// The longest line of the response, bytes.
    pub largest_line: u64,
    /// The largest response body, bytes.
    pub largest_body: u64,
}

/// One frame of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The event's name (`event:` field), empty when none; `error` also for the non-standard field `error:` of old llama.cpp.
    pub name: &'a str,
    /// The data, lines joined by LF.
    pub data: &'a [u8],
    /// The frame was cut off by the end of the body: only a terminal signal may be read from it.
    pub unterminated: bool,
}

/// The head of a response.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// HTTP status.
    pub status: u16,
    /// Header names and values as sent.
    pub headers: &'a [(String, String)],
}

/// What a connection tells while a response comes in. The calls come in the order of the bytes; for every `frame` one `mark` follows,
/// in the same order, as soon as the read that completed the frame is used up.
pub trait Watch: Send {
    /// The response's head.
    fn head(&mut self, head: Head<'_>);
    /// Raw bytes of the body, before they are cut into frames.
    fn body(&mut self, bytes: &[u8]);
    /// A frame.
    fn frame(&mut self, frame: Frame<'_>);
    /// A comment line of the stream, without its colon.
    fn comment(&mut self, text: &[u8]);
    /// When the next unmarked frame arrived.
    fn mark(&mut self, mark: Mark);
}

/// What a connection knows of its latest exchange, also when that was dropped halfway because a limit ran out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExchangeFacts {
    /// Times.
    pub stamps: Stamps,
    /// The connection.
    pub connect: Connect,
    /// The reads.
    pub reads: Reads,
}

/// Why no connection came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectFailure {
    /// In which step.
    pub stage: Stage,
    /// The system's words, with a hint where one helps (an inherited proxy variable that is not used).
    pub message: String,
    /// The limit ran out.
    pub timed_out: bool,
    /// The fault lies in our own machine or line, not at the provider.
    pub local: bool,
    /// What is known of the attempt.
    pub connect: Connect,
}

/// Opens connections.
#[async_trait]
pub trait Transport: Send + Sync {
    /// A new connection, ready to be written to: DNS, TCP, proxy and TLS are done. (reqwest's opens itself with its first exchange, and
    /// over HTTP/2 is a place on the one connection that all to an endpoint share.)
    async fn connect(&self, endpoint: &Endpoint) -> Result<Box<dyn Connection>, ConnectFailure>;
    /// The same, for one that shall share its connection with no other (over HTTP/2 [`Transport::connect`] may).
    async fn connect_alone(&self, endpoint: &Endpoint) -> Result<Box<dyn Connection>, ConnectFailure> {
        self.connect(endpoint).await
    }
}

/// One connection: one exchange at a time, kept alive in between.
#[async_trait]
pub trait Connection: Send {
    /// Writes the request and reads the response to its end. Dropping the future leaves the connection unusable, its facts readable.
    async fn exchange(&mut self, request: &WireRequest, watch: &mut dyn Watch) -> Ended;
    /// To be awaited after an exchange, outside of its limits: whether the server closes the connection right behind its reply.
    async fn part(&mut self) {}
    /// Facts of the latest exchange.
    fn facts(&self) -> ExchangeFacts;
    /// Whether another exchange may follow on this connection.
    fn reusable(&self) -> bool;
}
