//! The server: listeners, connections, and the writing of each answer at its times.

use super::answer::{self, Answer, Circumstances, Silence, Whole};
use super::behaviour::{Behaviour, System};
use super::certificate::Certificate;
use super::head::whole_bytes;
use super::http2::{self, Begins};
use super::line::Line;
use super::play::{play, wait_for_end};
use super::request::{self, Read, Request};
use super::schedule::Schedule;
use super::script::Lists;
use super::truth::{self, Handover, Truth};
use crate::clock::{self, Clock};
use crate::units::Stamp;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::mpsc::Sender;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::{LocalSet, spawn_local};

/// How to serve.
#[derive(Debug)]
pub struct Options {
    /// What the systems do.
    pub behaviour: Behaviour,
    /// Port for plain HTTP; 0: any.
    pub port: u16,
    /// Port for TLS; absent: none; 0: any.
    pub tls_port: Option<u16>,
    /// HTTP/2 beside HTTP/1.1, for clients that begin it.
    pub http2: Option<Http2>,
    /// Where to write the truth.
    pub log: Option<PathBuf>,
}

/// How HTTP/2 is served.
#[derive(Debug, Clone, Copy, Default)]
pub struct Http2 {
    /// At most so many streams at once on a connection; absent: as many as come.
    pub streams: Option<u32>,
}

/// What the READY line tells.
#[derive(Debug, serde::Serialize)]
pub struct Ready {
    /// `http://127.0.0.1:PORT`.
    pub base: String,
    /// `https://127.0.0.1:PORT`.
    pub tls_base: Option<String>,
    /// The certificate to trust for it.
    pub ca_file: Option<String>,
    /// Whether HTTP/2 is spoken on both.
    pub http2: bool,
    /// `http://127.0.0.1:PORT` of a port that takes connections and never answers on them.
    pub deaf_base: String,
    /// The systems' names, in the order of the file.
    pub systems: Vec<String>,
    /// More about each, in the same order.
    pub details: Vec<Detail>,
    /// All times are divided by this.
    pub scale: f64,
    /// Of all draws.
    pub seed: u64,
}

/// About one system.
#[derive(Debug, serde::Serialize)]
pub struct Detail {
    /// Its name.
    pub name: String,
    /// For readers.
    pub title: String,
    /// How it words its stream.
    pub dialect: String,
    /// The provider profile that reads it.
    pub provider: String,
    /// Its model.
    pub model: String,
}

/// What all connections share.
pub(super) struct House {
    behaviour: Behaviour,
    /// When what is due.
    pub schedule: Schedule,
    /// Whether HTTP/2 is spoken, and how.
    pub http2: Option<Http2>,
    lists: Lists,
    counts: RefCell<HashMap<String, Seen>>,
    connections: Cell<u64>,
    log: Option<Sender<Truth>>,
    started: Stamp,
}

#[derive(Default)]
struct Seen {
    requests: u64,
    bodies: HashMap<u64, u32>,
}

/// Serves until `stop` is ready. Tells `ready` where, once it does.
pub async fn serve(options: Options, ready: impl FnOnce(&Ready), stop: impl Future<Output = ()>) -> io::Result<()> {
    let plain = listen(options.port)?;
    let deaf = bind(0)?.listen(1024)?;
    let secure = match options.tls_port {
        None => None,
        Some(port) => Some((listen(port)?, Certificate::make(options.http2.is_some())?)),
    };
    let (log, writer) = match &options.log {
        None => (None, None),
        Some(path) => truth::open(path).map(|(log, writer)| (Some(log), Some(writer)))?,
    };
    let base = |scheme: &str, listener: &TcpListener| Ok::<_, io::Error>(format!("{scheme}://{}", listener.local_addr()?));
    let detail = |system: &System| Detail {
        name: system.name.clone(),
        title: system.title.clone(),
        dialect: system.wording.name.to_owned(),
        provider: if system.wording.profile.is_empty() { system.wording.name } else { system.wording.profile }.to_owned(),
        model: system.model.clone(),
    };
    let announcement = Ready {
        base: base("http", &plain)?,
        tls_base: secure.as_ref().map(|(listener, _)| base("https", listener)).transpose()?,
        ca_file: secure.as_ref().map(|(_, certificate)| certificate.file().display().to_string()),
        http2: options.http2.is_some(),
        deaf_base: base("http", &deaf)?,
        systems: options.behaviour.systems.iter().map(|system| system.name.clone()).collect(),
        details: options.behaviour.systems.iter().map(detail).collect(),
        scale: options.behaviour.scale,
        seed: options.behaviour.seed,
    };
    let house = Rc::new(House {
        behaviour: options.behaviour,
        schedule: Schedule::default(),
        http2: options.http2,
        lists: Lists::default(),
        counts: RefCell::default(),
        connections: Cell::new(0),
        log,
        started: clock::mono(),
    });
    let tasks = LocalSet::new();
    let of = house.clone();
    tasks.spawn_local(async move { of.schedule.keep().await });
    let of = house.clone();
    tasks.spawn_local(async move { accept(&of, plain, None).await });
    // Kept to the end: its file goes with it.
    let mut kept = None;
    if let Some((listener, certificate)) = secure {
        let (of, config) = (house.clone(), certificate.config.clone());
        tasks.spawn_local(async move { accept(&of, listener, Some(config)).await });
        kept = Some(certificate);
    }
    ready(&announcement);
    tasks.run_until(stop).await;
    // A stream whose last byte is written notes that in a turn of its own.
    tasks
        .run_until(async {
            for _ in 0..64 {
                tokio::task::yield_now().await;
            }
        })
        .await;
    // Streams under way hand their truth over when they are dropped; then the log's thread is done.
    drop(tasks);
    drop(house);
    drop(kept);
    if let Some(writer) = writer {
        let _ = writer.join();
    }
    Ok(())
}

fn bind(port: u16) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)))?;
    Ok(socket)
}

fn listen(port: u16) -> io::Result<TcpListener> {
    bind(port)?.listen(4096)
}

async fn accept(house: &Rc<House>, listener: TcpListener, tls: Option<std::sync::Arc<rustls::ServerConfig>>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors: others will be closed before long.
            house.schedule.until(clock::mono().plus(10_000_000)).await;
            continue;
        };
        let house = house.clone();
        let tls = tls.clone();
        spawn_local(async move {
            let session = match tls.map(rustls::ServerConnection::new) {
                None => None,
                Some(Ok(mut session)) => {
                    session.set_buffer_limit(None);
                    Some(session)
                }
                Some(Err(_)) => return,
            };
            if let Ok(line) = Line::new(stream, session) {
                // A client that goes away is no fault of ours; the truth log tells of it.
                let _ = converse(&house, line).await;
            }
        });
    }
}

/// One connection: request after request.
async fn converse(house: &Rc<House>, mut line: Line) -> io::Result<()> {
    let connection = house.connections.get();
    house.connections.set(connection + 1);
    if house.http2.is_some() {
        match http2::begins(&mut line).await? {
            Begins::Http2 => return http2::converse(house, line, connection).await,
            Begins::Other => {}
        }
    }
    loop {
        let request = match request::read(&line.inbox) {
            Read::More { expects_continue } => {
                if expects_continue {
                    line.send(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
                }
                if line.fill().await? == 0 {
                    line.close().await;
                    return Ok(());
                }
                continue;
            }
            Read::Malformed(status) => {
                let body = format!(r#"{{"error":{{"message":"malformed request","type":"invalid_request_error","code":{status}}}}}"#);
                let whole = Whole { status, content_type: "application/json", headers: vec![], body };
                line.send(&whole_bytes(&whole, true)).await?;
                line.close().await;
                return Ok(());
            }
            Read::Whole(request, used) => {
                line.inbox.drain(..used);
                request
            }
        };
        let truth = Truth { connection, tls: line.is_tls(), http: "1.1", received_ns: line.last_read.0, ..Truth::default() };
        let close = request.close;
        let Some(kept) = respond(house, line, *request, truth).await? else { return Ok(()) };
        line = kept;
        if close {
            line.close().await;
            return Ok(());
        }
    }
}

/// The system that a path names.
fn system_of<'a>(behaviour: &'a Behaviour, path: &str) -> Option<&'a System> {
    let name = path.strip_prefix('/')?.split('/').next()?;
    behaviour.systems.iter().find(|system| system.name == name)
}

/// Answers one request. Gives the connection back if it can serve another.
async fn respond(house: &House, mut line: Line, request: Request, truth: Truth) -> io::Result<Option<Line>> {
    let (answer, mut log) = match house.answer(&request, line.last_read, truth) {
        Ok(answered) => answered,
        Err(other) => {
            line.send(&whole_bytes(&other, request.close)).await?;
            return Ok(Some(line));
        }
    };
    let told = tell(house, line, answer, request.close, &mut log.truth).await;
    log.truth.ended_ns = clock::mono().0;
    if told.is_err() {
        log.truth.ended = "client_gone";
    }
    told
}

impl House {
    /// What a chat request that was read at `received` is answered with, and its truth so far; or the answer to any other request.
    pub fn answer(&self, request: &Request, received: Stamp, truth: Truth) -> Result<(Answer, Handover), Whole> {
        let system = system_of(&self.behaviour, &request.path);
        let Some(system) = system.filter(|system| request.method == "POST" && request.path.ends_with(system.wording.route)) else {
            return Err(answer::other(&self.behaviour, system, request));
        };
        let (nth, seen_before) = self.note(&system.name, &request.body);
        let about = Circumstances {
            behaviour: &self.behaviour,
            nth,
            seen_before,
            lists: &self.lists,
            since_start_s: received.since(self.started) as f64 / 1e9,
            wall: Clock::System.wall(),
        };
        let (answer, faults) = answer::chat(system, request, about);
        let mut log = Handover::new(truth, self.log.clone());
        log.truth.system.clone_from(&system.name);
        log.truth.request_id = request.header("x-request-id").or(request.header("x-client-request-id")).map(str::to_owned);
        log.truth.nth = nth;
        log.truth.faults = faults.iter().map(|fault| fault.name()).collect();
        log.truth.ended = "stopped";
        Ok((answer, log))
    }

    /// Counts a request: how many the system had before, and how often these bytes.
    fn note(&self, system: &str, body: &[u8]) -> (u64, u32) {
        // FNV-1a: a short name for the bytes; a collision would only make two requests seem one.
        let hash = body.iter().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3));
        let mut counts = self.counts.borrow_mut();
        let seen = match counts.get_mut(system) {
            Some(seen) => seen,
            None => counts.entry(system.to_owned()).or_default(),
        };
        seen.requests += 1;
        let times = seen.bodies.entry(hash).or_insert(0);
        *times += 1;
        (seen.requests - 1, *times - 1)
    }
}

async fn tell(house: &House, mut line: Line, answer: Answer, close: bool, truth: &mut Truth) -> io::Result<Option<Line>> {
    match answer {
        Answer::Silence(silence) => {
            truth.ended = "no_answer";
            match silence {
                Silence::Hang => wait_for_end(&mut line).await?,
                Silence::Close => line.close().await,
                Silence::Reset => line.reset(),
            }
            Ok(None)
        }
        Answer::Whole(whole) => {
            truth.status = whole.status;
            let (before, after) = line.send(&whole_bytes(&whole, close)).await?;
            (truth.head_before_ns, truth.head_after_ns) = (Some(before.0), Some(after.0));
            truth.ended = "clean";
            Ok(Some(line))
        }
        Answer::Stream(stream) => play(&house.schedule, line, *stream, truth).await,
    }
}
