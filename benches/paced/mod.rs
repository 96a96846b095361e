//! Streams at a steady pace from a server in a process of its own, for the benches of the timed path; and a flood, as fast as it is read.
//!
//! Every text says when the server's write of it began and when the write before it was done, so that each claim of a timeline is held
//! against the truth.
#![allow(dead_code)] // each bench uses a part

pub mod client;

use photofinish::clock::mono;
use std::io::{BufRead, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

/// Names the role of a process that a bench starts anew: `plain`, `tls` or `flood`.
pub const SERVER: &str = "PHOTOFINISH_BENCH_SERVER";
/// Where a server puts its certificate.
const PLACE: &str = "PHOTOFINISH_BENCH_PLACE";
/// The shape of the streams, as four numbers.
const SHAPE: &str = "PHOTOFINISH_BENCH_SHAPE";

/// Events that a flood holds in one chunk and one write.
pub const BATCH: usize = 32;

#[derive(Clone, Copy)]
pub struct Shape {
    pub streams: usize,
    pub tokens: usize,
    pub gap_ms: u64,
}

impl Shape {
    /// Writes of one response: head, role, tokens, finish, usage with the end mark.
    fn writes(&self) -> usize {
        self.tokens + 4
    }
    pub fn events(&self) -> usize {
        self.streams * (self.tokens + 4)
    }
}

/// A process of this program that was started as a server does its work here and never returns.
pub fn serve_if_asked() {
    let Ok(role) = std::env::var(SERVER) else { return };
    // It ends with its parent, whose end closes this pipe.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_line(&mut String::new());
        std::process::exit(0);
    });
    let told = std::env::var(SHAPE).expect("the shape of the streams");
    let numbers: Vec<u64> = told.split(' ').map(|number| number.parse().expect("a number")).collect();
    let [streams, tokens, gap_ms] = numbers[..] else { panic!("three numbers, not {told:?}") };
    let shape = Shape { streams: streams as usize, tokens: tokens as usize, gap_ms };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    match role.as_str() {
        "flood" => flood(shape),
        role => runtime.block_on(serve(shape, role == "tls")),
    }
    std::process::exit(0);
}

/// A server process.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// Its certificate, under TLS.
    pub ca: Option<PathBuf>,
}

impl Server {
    /// Starts this program as a server. `before`: a command that the server is run under, such as `chrt -f 60`.
    pub fn start(role: &str, shape: Shape, place: &Path, before: &[String]) -> Server {
        let myself = std::env::current_exe().expect("this program");
        let mut command = match before {
            [] => Command::new(myself),
            [first, rest @ ..] => {
                let mut command = Command::new(first);
                command.args(rest).arg(myself);
                command
            }
        };
        let Shape { streams, tokens, gap_ms } = shape;
        command.env(SERVER, role).env(PLACE, place).env(SHAPE, format!("{streams} {tokens} {gap_ms}"));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a server process");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("its output");
        std::io::BufReader::new(stdout).read_line(&mut line).expect("its address");
        let address = line.trim().parse().expect("an address");
        Server { child, address, ca: (role == "tls").then(|| place.join("ca.pem")) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A stream on the server's side, ready to be written to without waiting.
struct Line {
    tcp: TcpStream,
    tls: Option<rustls::ServerConnection>,
    written: usize,
    /// When the latest write was done, ns.
    done: u64,
}

impl Line {
    fn say(&mut self, bytes: &[u8]) {
        match &mut self.tls {
            None => assert_eq!(self.tcp.try_write(bytes).expect("the client reads"), bytes.len()),
            Some(tls) => {
                tls.writer().write_all(bytes).expect("room in the session");
                while tls.wants_write() {
                    tls.write_tls(&mut TryWrite(&self.tcp)).expect("the client reads");
                }
            }
        }
    }
}

struct TryWrite<'a>(&'a TcpStream);

impl Write for TryWrite<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.try_write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn serve(shape: Shape, tls: bool) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let acceptor = tls.then(|| tokio_rustls::TlsAcceptor::from(certificate()));
    println!("{}", listener.local_addr().expect("its address"));
    let (ready, mut lines) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let Ok((tcp, _)) = listener.accept().await else { continue };
            tokio::spawn(accept(tcp, acceptor.clone(), ready.clone()));
        }
    });
    loop {
        // A pass begins when all of its streams have asked.
        let mut pass = Vec::with_capacity(shape.streams);
        while pass.len() < shape.streams {
            pass.push(lines.recv().await.expect("an accepting task"));
        }
        pace(shape, pass).await;
    }
}

async fn accept(tcp: TcpStream, acceptor: Option<tokio_rustls::TlsAcceptor>, ready: tokio::sync::mpsc::UnboundedSender<Line>) {
    let _ = tcp.set_nodelay(true);
    let mut room = [0; 4096];
    let line = match acceptor {
        None => {
            let mut tcp = tcp;
            let _ = tcp.read(&mut room).await;
            Line { tcp, tls: None, written: 0, done: 0 }
        }
        Some(acceptor) => {
            let Ok(mut stream) = acceptor.accept(tcp).await else { return };
            let _ = stream.read(&mut room).await;
            let (tcp, tls) = stream.into_inner();
            Line { tcp, tls: Some(tls), written: 0, done: 0 }
        }
    };
    let _ = ready.send(line);
}

/// Every stream gets a write every `gap_ms`; the streams are spread over the gap.
async fn pace(shape: Shape, mut lines: Vec<Line>) {
    let mut tick = tokio::time::interval(Duration::from_millis(1));
    for now in 0.. {
        tick.tick().await;
        let turn = now % shape.gap_ms;
        let mut left = false;
        for (i, line) in lines.iter_mut().enumerate() {
            left |= line.written < shape.writes();
            if i as u64 % shape.gap_ms == turn && line.written < shape.writes() {
                line.say(&bytes(shape, line.written, line.done));
                line.done = mono().0;
                line.written += 1;
            }
        }
        if !left {
            return;
        }
    }
}

/// Answers each request with `tokens` events, [`BATCH`] a chunk and a write, as fast as they are read.
fn flood(shape: Shape) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    println!("{}", listener.local_addr().expect("its address"));
    let batch: String = (0..BATCH).map(|_| event("{\"content\":\" word\"}", "null")).collect();
    let batch = format!("{:x}\r\n{batch}\r\n", batch.len());
    let end = chunk(&event("{}", "\"stop\"")) + &chunk("data: [DONE]\n\n") + "0\r\n\r\n";
    for tcp in listener.incoming() {
        let (mut tcp, batch, end) = (tcp.expect("a connection"), batch.clone(), end.clone());
        std::thread::spawn(move || {
            while tcp.read(&mut [0; 4096]).is_ok_and(|read| 0 < read) {
                let written = tcp.write_all(HEAD.as_bytes());
                let all = (0..shape.tokens / BATCH).try_fold((), |(), _| tcp.write_all(batch.as_bytes()));
                if written.and(all).and_then(|()| tcp.write_all(end.as_bytes())).is_err() {
                    return; // the client has gone
                }
            }
        });
    }
}

/// The `n`th write of a response; the one before was done at `done`.
fn bytes(shape: Shape, n: usize, done: u64) -> Vec<u8> {
    let text = match n {
        0 => HEAD.to_owned(),
        1 => chunk(&event("{\"role\":\"assistant\",\"content\":\"\"}", "null")),
        n if n < shape.tokens + 2 => chunk(&event(&format!("{{\"content\":\" {};{done}\"}}", mono().0), "null")),
        n if n == shape.tokens + 2 => chunk(&event("{}", "\"stop\"")),
        _ => {
            let usage = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":64,\"total_tokens\":73}}\n\n";
            chunk(usage) + &chunk("data: [DONE]\n\n") + "0\r\n\r\n"
        }
    };
    text.into_bytes()
}

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

fn event(delta: &str, finish: &str) -> String {
    format!(
        "data: {{\"id\":\"chatcmpl-7f3a9c1e5d\",\"object\":\"chat.completion.chunk\",\"created\":1764000000,\"model\":\"bench-1\",\
         \"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{finish}}}]}}\n\n"
    )
}
fn chunk(data: &str) -> String {
    format!("{:x}\r\n{data}\r\n", data.len())
}

/// A certificate for this run alone; its PEM goes where the client finds it.
fn certificate() -> Arc<rustls::ServerConfig> {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let place = PathBuf::from(std::env::var_os(PLACE).expect("a place for the certificate"));
    std::fs::write(place.join("ca.pem"), made.cert.pem()).expect("the certificate is written");
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()).into();
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(ring).with_safe_default_protocol_versions().expect("TLS versions");
    Arc::new(builder.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).expect("a key"))
}
