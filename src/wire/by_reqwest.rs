//! The second transport, through the `reqwest` crate: SOCKS, HTTP/2, and systems without kernel stamps.
//!
//! What it cannot know it does not say. It hands over a body in pieces that follow the server's chunks, not its socket reads: several
//! pieces may have come in one read, long before they are handed over. So no mark is exact, and the only strict bound is the request
//! itself: a frame came in `(first write, handed over]`. `first_write` is the time just before the request is given to reqwest; where
//! that opened a connection (`reused` is false) the connecting lies within every latency, and no TTFT can be taken from it.
//! reqwest opens it anew without asking if the server had closed it; the count of its connections shows that. A request that went out
//! is never sent again.
//!
//! Over HTTP/1.1 each [`ReqwestConnection`] has a connection of its own. Over HTTP/2 all that are open to one endpoint share one, as
//! reqwest's own pool does, each with a stream of its own at a time; it is closed when the last of them is dropped, and not used
//! for further exchanges once one broke off on it. HTTP/2 is asked for by the endpoint and then is the only protocol offered: an
//! exchange over another one would answer a question that nobody asked.

use super::blame::{authority, is_local, is_resolver_fault, next_id};
use super::cut::Cutter;
use super::opened::{Before, Opened};
use super::roots::Roots;
use super::sse::Piece;
use super::{ConnectFailure, Connection, Endpoint, ExchangeFacts, Head, HeaderText, Transport, Watch, WireRequest};
use crate::clock::mono;
use crate::record::{Connect, Reads, Stamps};
use crate::secret::ExposeSecret;
use crate::timeline::{Ended, Limit, Mark, Stage};
use crate::units::Stamp;
use async_trait::async_trait;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::collections::HashMap;
use std::error::Error as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

/// Makes a client of its own for every connection, so that a connection is one stream; over HTTP/2 one for all to an endpoint.
#[derive(Debug, Clone)]
pub struct ReqwestTransport {
    roots: Roots,
    /// HTTP/2 clients that somebody holds.
    shared: Arc<Mutex<HashMap<Endpoint, Weak<Client>>>>,
}

/// Passes of the runtime after which a connection is with its pool again; one was seen to do.
const PUT_BACK: u32 = 2;

/// A client, and what its connections came to.
#[derive(Debug)]
struct Client {
    http: reqwest::Client,
    base: String,
    opened: Opened,
    http2: bool,
    /// An exchange broke off on its connection.
    broken: AtomicBool,
}

impl ReqwestTransport {
    /// A transport that trusts these roots.
    pub fn new(roots: Roots) -> ReqwestTransport {
        ReqwestTransport { roots, shared: Arc::default() }
    }

    fn client(&self, endpoint: &Endpoint) -> Result<Arc<Client>, String> {
        let opened = Opened::none();
        let scheme = if endpoint.tls { "https" } else { "http" };
        let base = format!("{scheme}://{}", authority(&endpoint.host, Some(endpoint.port)));
        let http = self.http(endpoint, opened.clone())?;
        Ok(Arc::new(Client { http, base, opened, http2: endpoint.http2, broken: AtomicBool::new(false) }))
    }

    fn http(&self, endpoint: &Endpoint, opened: Opened) -> Result<reqwest::Client, String> {
        let tls = self.roots.config(endpoint.ca_file.as_deref(), endpoint.http2)?;
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured((*tls).clone())
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .tcp_nodelay(true)
            .pool_max_idle_per_host(1)
            .connect_timeout(Duration::from_millis(endpoint.connect_ms))
            .connector_layer(opened);
        // With prior knowledge the client opens one connection, however many requests begin at once.
        builder = if endpoint.http2 { builder.http2_prior_knowledge() } else { builder.http1_only() };
        if let Some(proxy) = &endpoint.proxy {
            let proxy = reqwest::Proxy::all(proxy).map_err(|_| "the proxy's URL cannot be read".to_owned())?;
            builder = builder.proxy(proxy);
        }
        builder.build().map_err(words)
    }
}

#[async_trait]
impl Transport for ReqwestTransport {
    async fn connect(&self, endpoint: &Endpoint) -> Result<Box<dyn Connection>, ConnectFailure> {
        if !endpoint.http2 {
            return self.connect_alone(endpoint).await;
        }
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let held = shared.get(endpoint).and_then(Weak::upgrade).filter(|client| !client.is_broken());
        let client = match held {
            Some(client) => client,
            None => self.client(endpoint).map_err(no_client)?,
        };
        shared.insert(endpoint.clone(), Arc::downgrade(&client));
        Ok(Box::new(ReqwestConnection::over(client)))
    }
    async fn connect_alone(&self, endpoint: &Endpoint) -> Result<Box<dyn Connection>, ConnectFailure> {
        Ok(Box::new(ReqwestConnection::over(self.client(endpoint).map_err(no_client)?)))
    }
}

/// Settings that make no client, such as a CA file that cannot be read.
fn no_client(message: String) -> ConnectFailure {
    let connect = Connect { id: next_id(), ..Connect::default() };
    ConnectFailure { stage: Stage::Tls, message, timed_out: false, local: true, connect }
}

impl Client {
    fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }
}

/// A place at a client, whose connection is opened by the first exchange.
#[derive(Debug)]
pub struct ReqwestConnection {
    client: Arc<Client>,
    /// The client's connections when the latest exchange began.
    before: Before,
    facts: ExchangeFacts,
    good: bool,
}

impl Drop for ReqwestConnection {
    fn drop(&mut self) {
        if !self.good {
            self.client.broken.store(true, Ordering::Relaxed);
        }
    }
}

#[async_trait]
impl Connection for ReqwestConnection {
    async fn exchange(&mut self, request: &WireRequest, watch: &mut dyn Watch) -> Ended {
        self.good = false;
        self.before = self.client.opened.now();
        self.facts = ExchangeFacts::default();
        let made = match self.request(request) {
            Ok(made) => made,
            Err(message) => return Ended::SendFailed { message },
        };
        self.facts.stamps = Stamps { first_write: Some(mono()), ..Stamps::default() };
        let sent = self.client.http.execute(made).await;
        self.facts.connect = self.connection();
        let mut response = match sent {
            Ok(response) => response,
            Err(error) => {
                let first = self.client.http2 && !self.facts.connect.reused;
                let ended = send_failed(error, first);
                if !matches!(ended, Ended::ClosedEarly { .. } | Ended::Unreadable { .. }) {
                    self.facts.stamps.first_write = None; // nothing was written
                }
                return ended;
            }
        };
        let now = mono();
        self.facts.stamps.first_byte = Some(now);
        self.facts.stamps.head = Some(now);
        self.facts.connect.http = Some(format!("{:?}", response.version()));
        self.facts.connect.peer = response.remote_addr().map(|address| address.to_string());
        let headers = texts(response.headers());
        watch.head(Head { status: response.status().as_u16(), headers: &headers });
        let ended = match compressed(&headers) {
            Some(coding) => Ended::Unreadable { message: format!("the body is compressed ({coding}), although identity was asked for") },
            None => self.read_all(&mut response, request, watch).await,
        };
        self.facts.stamps.closed = Some(mono());
        self.good = ended == Ended::Complete;
        ended
    }
    /// A moment for the client's own tasks to put the connection back: an exchange that followed at once would not find it, and would
    /// begin to open another.
    async fn part(&mut self) {
        if self.good && !self.client.http2 {
            for _ in 0..PUT_BACK {
                tokio::task::yield_now().await;
            }
        }
    }
    fn facts(&self) -> ExchangeFacts {
        let known = self.facts.connect.http.is_some();
        let connect = if known { self.facts.connect.clone() } else { self.connection() };
        ExchangeFacts { connect, ..self.facts.clone() }
    }
    fn reusable(&self) -> bool {
        self.good && !self.client.is_broken()
    }
}

impl ReqwestConnection {
    fn over(client: Arc<Client>) -> ReqwestConnection {
        ReqwestConnection { client, before: Before::default(), facts: ExchangeFacts::default(), good: true }
    }

    /// Which connection the latest exchange went over, as far as the client's count of them tells.
    fn connection(&self) -> Connect {
        let opened = &self.client.opened;
        Connect { id: opened.id(), reused: opened.over_one_of(self.before), ..Connect::default() }
    }

    fn request(&self, request: &WireRequest) -> Result<reqwest::Request, String> {
        let url = reqwest::Url::parse(&format!("{}{}", self.client.base, request.path)).map_err(|error| format!("the URL: {error}"))?;
        let method = reqwest::Method::from_bytes(request.method.as_bytes()).map_err(|error| error.to_string())?;
        let mut made = reqwest::Request::new(method, url);
        for (name, value) in &request.headers {
            let unfit = |_| format!("the header {name:?} holds a character that cannot be sent");
            let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unfit(()))?;
            if [reqwest::header::HOST, reqwest::header::CONTENT_LENGTH, reqwest::header::TRANSFER_ENCODING].contains(&header) {
                continue;
            }
            let value = match value {
                HeaderText::Plain(text) => HeaderValue::from_str(text).map_err(|_| unfit(()))?,
                HeaderText::Secret(secret) => {
                    let mut value = HeaderValue::from_str(secret.expose_secret()).map_err(|_| unfit(()))?;
                    value.set_sensitive(true);
                    value
                }
            };
            made.headers_mut().append(header, value);
        }
        made.headers_mut().insert(reqwest::header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if request.method != "GET" || !request.body.is_empty() {
            *made.body_mut() = Some(request.body.clone().into());
        }
        Ok(made)
    }

    async fn read_all(&mut self, response: &mut reqwest::Response, request: &WireRequest, watch: &mut dyn Watch) -> Ended {
        let mut cutter = Cutter::new(request);
        let sent = self.facts.stamps.first_write.unwrap_or_default();
        let ended = loop {
            let bytes = match response.chunk().await {
                Ok(Some(bytes)) => bytes,
                Ok(None) => break Ended::Complete,
                Err(error) => break broken(error),
            };
            let user = mono();
            let Reads { count, bytes: length, .. } = &mut self.facts.reads;
            (*count, *length) = (*count + 1, *length + bytes.len() as u64);
            if *length > request.largest_body {
                break Ended::TooLarge { message: format!("the body is larger than {} bytes", request.largest_body) };
            }
            watch.body(&bytes);
            let mut frames = 0;
            let fed = cutter.feed(&bytes, &mut |piece| match piece {
                Piece::Frame(frame) => {
                    frames += 1;
                    watch.frame(frame);
                }
                Piece::Comment(text) => watch.comment(text),
            });
            (0..frames).for_each(|_| watch.mark(mark(sent, user, *count)));
            if let Err(error) = fed {
                break Ended::TooLarge { message: error.to_string() };
            }
        };
        let mut frames = 0;
        cutter.finish(&mut |piece| {
            if let Piece::Frame(frame) = piece {
                frames += 1;
                watch.frame(frame);
            }
        });
        (0..frames).for_each(|_| watch.mark(mark(sent, mono(), self.facts.reads.count)));
        ended
    }
}

/// A frame that was handed over at `user` came at some time since the request.
fn mark(sent: Stamp, user: Stamp, read: u32) -> Mark {
    Mark { at: user, after: sent, user, read, chunk: read, exact: false }
}

fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())).collect()
}

fn compressed(headers: &[(String, String)]) -> Option<&str> {
    let coding = headers.iter().find(|(name, _)| name == "content-encoding");
    coding.map(|(_, value)| value.as_str()).filter(|value| !value.trim().is_empty() && !value.trim().eq_ignore_ascii_case("identity"))
}

/// An error in all its words, without the URL, whose query might hold a key.
fn words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let words = inner.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        source = inner.source();
    }
    text
}

/// A request without a reply; `first` on an HTTP/2 connection.
fn send_failed(error: reqwest::Error, first: bool) -> Ended {
    if !error.is_connect() {
        let doubtful = first && ends_connection(&error);
        return match broken(error) {
            Ended::ClosedEarly { message } if doubtful => Ended::ClosedEarly { message: message + SPEAKS_IT },
            Ended::Unreadable { message } if doubtful => Ended::Unreadable { message: message + SPEAKS_IT },
            ended => ended,
        };
    }
    if error.is_timeout() {
        return Ended::TimedOut { limit: Limit::Connect };
    }
    let system = source::<std::io::Error>(&error);
    let dns = error.is_dns();
    let local = system.is_some_and(|error| is_local(error) || dns && is_resolver_fault(error));
    let mut message = words(error);
    let lower = message.to_lowercase();
    if lower.contains("noapplicationprotocol") {
        message.push_str("; this server offers no HTTP/2: leave out `http2: true`");
    }
    let stage = match dns {
        true => Stage::Dns,
        _ if ["certificate", "tls", "handshake", "invalidcontenttype", "fatal alert"].iter().any(|word| lower.contains(word)) => Stage::Tls,
        _ if ["proxy", "socks", "tunnel"].iter().any(|word| lower.contains(word)) => Stage::Proxy,
        _ => Stage::Tcp,
    };
    Ended::ConnectFailed { stage, message, local }
}

fn broken(error: reqwest::Error) -> Ended {
    let against_protocol = source::<h2::Error>(&error).is_some_and(|error| error.is_go_away() && error.is_library());
    let message = words(error);
    let unreadable = ["invalid HTTP", "parse", "invalid chunk", "Invalid chunk", "message head is too large"];
    match against_protocol || unreadable.iter().any(|word| message.contains(word)) {
        true => Ended::Unreadable { message },
        false => Ended::ClosedEarly { message },
    }
}

const SPEAKS_IT: &str = "; does this server speak HTTP/2?";

/// Whether an error is one of the HTTP/2 connection, not of a stream on it.
fn ends_connection(error: &reqwest::Error) -> bool {
    source::<h2::Error>(error).is_some_and(h2::Error::is_go_away) || source::<std::io::Error>(error).is_some()
}

/// The innermost cause of a kind.
fn source<E: std::error::Error + 'static>(error: &reqwest::Error) -> Option<&E> {
    let mut found = None;
    let mut source = error.source();
    while let Some(inner) = source {
        found = inner.downcast_ref::<E>().or(found);
        source = inner.source();
    }
    found
}
