//! A raw server in a thread: it writes what a script says, and logs the time before and after each write. It shares no code with the
//! client under test but the clock.
#![allow(dead_code, unsafe_code)]

pub mod claims;
pub mod scripts;

use photofinish::clock::mono;
use photofinish::units::Stamp;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// What a server does after it has read a request.
#[derive(Clone)]
pub enum Step {
    /// One write; `events`: how many events have their last byte in it.
    Write { bytes: Vec<u8>, events: usize },
    /// Under TLS: one record in two writes with a pause between them.
    InTwo { bytes: Vec<u8>, events: usize, pause_us: u64 },
    /// A pause, microseconds.
    Wait(u64),
    /// Wait for another request on this connection.
    NextRequest,
}

/// For every event in order: the time before and after the write that held its last byte.
pub type Truth = Vec<(u64, u64)>;

pub struct Server {
    pub address: SocketAddr,
    pub requests: JoinHandle<(Truth, Vec<String>)>,
    /// The certificate (PEM) of a TLS server.
    pub ca: Option<tempfile::NamedTempFile>,
}

impl Server {
    pub fn plain(steps: Vec<Step>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = std::thread::spawn(move || serve(&mut Line::plain(listener.accept().unwrap().0), steps));
        Server { address, requests, ca: None }
    }
    pub fn tls(steps: Vec<Step>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (config, ca) = tls_config();
        let requests = std::thread::spawn(move || serve(&mut Line::tls(listener.accept().unwrap().0, config), steps));
        Server { address, requests, ca: Some(ca) }
    }
    /// When every event was written, and the requests as they came.
    pub fn truth(self) -> (Truth, Vec<String>) {
        self.requests.join().unwrap()
    }
}

pub fn tls_config() -> (Arc<rustls::ServerConfig>, tempfile::NamedTempFile) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let ca = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(ca.path(), made.cert.pem()).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()).into();
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(ring).with_safe_default_protocol_versions().unwrap();
    (Arc::new(builder.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap()), ca)
}

/// A connection as the server sees it.
pub struct Line {
    tcp: TcpStream,
    tls: Option<rustls::ServerConnection>,
}

impl Line {
    pub fn plain(tcp: TcpStream) -> Line {
        tcp.set_nodelay(true).unwrap();
        Line { tcp, tls: None }
    }
    pub fn tls(tcp: TcpStream, config: Arc<rustls::ServerConfig>) -> Line {
        tcp.set_nodelay(true).unwrap();
        Line { tcp, tls: Some(rustls::ServerConnection::new(config).unwrap()) }
    }
    fn read(&mut self, room: &mut [u8]) -> usize {
        match &mut self.tls {
            None => self.tcp.read(room).unwrap_or(0),
            Some(tls) => rustls::Stream::new(tls, &mut self.tcp).read(room).unwrap_or(0),
        }
    }
    /// The bytes as they go over the wire.
    fn sealed(&mut self, bytes: &[u8]) -> Vec<u8> {
        let Some(tls) = &mut self.tls else { return bytes.to_vec() };
        tls.writer().write_all(bytes).unwrap();
        let mut sealed = Vec::new();
        while tls.wants_write() {
            tls.write_tls(&mut sealed).unwrap();
        }
        sealed
    }
}

/// Reads one request: head and body. Empty when the client closed.
pub fn read_request(line: &mut Line) -> String {
    let mut got = Vec::new();
    let mut room = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&got).into_owned();
        if let Some(end) = text.find("\r\n\r\n") {
            let length = text[..end].lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
            if got.len() >= end + 4 + length {
                return text;
            }
        }
        match line.read(&mut room) {
            0 => return text,
            n => got.extend_from_slice(&room[..n]),
        }
    }
}

pub fn serve(line: &mut Line, steps: Vec<Step>) -> (Truth, Vec<String>) {
    let mut requests = vec![read_request(line)];
    let mut truth = Truth::new();
    for step in steps {
        match step {
            Step::Wait(us) => std::thread::sleep(Duration::from_micros(us)),
            Step::NextRequest => requests.push(read_request(line)),
            Step::Write { bytes, events } => {
                let sealed = line.sealed(&bytes);
                write(line, &sealed, events, &mut truth);
            }
            Step::InTwo { bytes, events, pause_us } => {
                let sealed = line.sealed(&bytes);
                let (head, tail) = sealed.split_at(sealed.len() / 2);
                write(line, head, 0, &mut truth);
                std::thread::sleep(Duration::from_micros(pause_us));
                write(line, tail, events, &mut truth);
            }
        }
    }
    (truth, requests)
}

fn write(line: &mut Line, bytes: &[u8], events: usize, truth: &mut Truth) {
    let before = mono();
    if line.tcp.write_all(bytes).is_err() {
        return; // the client has gone: that is its right
    }
    let after = if held_back(&line.tcp) { u64::MAX } else { mono().0 };
    truth.extend((0..events).map(|_| (before.0, after)));
}

/// Whether the server's own kernel still holds what was written: a client that is not looking acknowledges late, and beyond ten
/// segments on the way (the initial congestion window) a write leaves this machine only after the acknowledgement.
fn held_back(tcp: &TcpStream) -> bool {
    use std::os::fd::AsRawFd;
    const SIOCOUTQNSD: u64 = 0x894b; // bytes not sent yet
    let mut unsent: libc::c_int = 0;
    // Safety: the descriptor is open, and the call writes one int.
    let asked = unsafe { libc::ioctl(tcp.as_raw_fd(), SIOCOUTQNSD as _, &raw mut unsent) };
    asked == 0 && unsent > 0
}

/// The head of a chunked stream of events.
pub fn head() -> Step {
    let bytes = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    Step::Write { bytes, events: 0 }
}
/// One event with so many bytes of text, as one chunk.
pub fn event(text: usize) -> Vec<u8> {
    chunk(format!("data: {}\n\n", "x".repeat(text)).as_bytes())
}
pub fn chunk(data: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat()
}
/// One event in a write of its own.
pub fn one(text: usize) -> Step {
    Step::Write { bytes: event(text), events: 1 }
}
/// The end of a chunked body.
pub fn end() -> Step {
    Step::Write { bytes: b"0\r\n\r\n".to_vec(), events: 0 }
}
pub fn raw(text: &str) -> Step {
    Step::Write { bytes: text.as_bytes().to_vec(), events: 0 }
}

pub fn stamp(ns: u64) -> Stamp {
    Stamp(ns)
}
