//! What an event costs on the timed path, against a raw socket reader of the same stream in the same run.
//!
//! `cargo bench --bench timed_path [-- --streams 1000 --tokens 64 --gap-ms 20 --passes 6 --only plain]`. A server in a process of its own paces the
//! streams; the client's thread reads them by turns with (a) tokio's `read` into a buffer that is thrown away and (b) the whole timed path:
//! stamped reads, HTTP, SSE, the chat decoder, the timeline. Connecting is done before; the figure is this thread's processor time.
//! Every text says when the server's write of it began and when the write before it was done, so that each claim of the timeline is
//! held against the truth.
#![allow(clippy::print_stdout)]

use photofinish::clock::{Clock, mono};
use photofinish::dialect::chat::{ChatDecoder, ChatDialect};
use photofinish::exchange::exchange;
use photofinish::record::{Answer, Limits};
use photofinish::timeline::Ended;
use photofinish::wire::{Connection, Endpoint, Framing, KernelTransport, Roots, Transport, WireRequest};
use std::io::{BufRead, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Names the role of a process that the bench starts anew: the certificate's path, or nothing for plain.
const SERVER: &str = "PHOTOFINISH_BENCH_SERVER";
const PLACE: &str = "PHOTOFINISH_BENCH_PLACE";

#[derive(Clone, Copy)]
struct Shape {
    streams: usize,
    tokens: usize,
    gap_ms: u64,
    passes: usize,
}

impl Shape {
    fn from_args() -> Shape {
        let args: Vec<String> = std::env::args().collect();
        let number = |name: &str, otherwise: usize| {
            let given = args.iter().position(|arg| arg == name).and_then(|i| args.get(i + 1));
            given.map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name} takes a number")))
        };
        Shape {
            streams: number("--streams", 1000),
            tokens: number("--tokens", 64),
            gap_ms: number("--gap-ms", 20) as u64,
            passes: number("--passes", 6),
        }
    }
    /// Writes of one response: head, role, tokens, finish, usage with the end mark.
    fn writes(&self) -> usize {
        self.tokens + 4
    }
    fn events(&self) -> usize {
        self.streams * (self.tokens + 4)
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let shape = Shape::from_args();
    match std::env::var_os(SERVER) {
        Some(role) => runtime.block_on(serve(shape, role == "tls")),
        None => runtime.block_on(client(shape)),
    }
}

// ---- the client ----

async fn client(shape: Shape) {
    println!(
        "{} streams at once, {} tokens each, one every {} ms in a chunk and a write of its own; loopback, one client thread",
        shape.streams, shape.tokens, shape.gap_ms
    );
    println!("{}, {} processors, release build", cpu_name(), std::thread::available_parallelism().map_or(0, usize::from));
    let place = std::env::temp_dir().join(format!("photofinish-bench-{}", std::process::id()));
    std::fs::create_dir_all(&place).expect("a folder for the certificate");
    let only = std::env::args().skip_while(|arg| arg != "--only").nth(1);
    for tls in [false, true] {
        if only.as_deref().is_some_and(|only| (only == "tls") != tls) {
            continue;
        }
        let mut server = Server::start(tls, &place);
        let (mut raw, mut timed, mut floor) = (Vec::new(), Vec::new(), Vec::new());
        let mut seen = Seen::default();
        // One pass of each warms up. Then they take turns, so that what else the machine does falls on both alike.
        for pass in 0..=shape.passes {
            let cost = raw_pass(shape, server.address, tls.then_some(&place)).await;
            let ours = timed_pass(shape, server.address, tls.then_some(&place), &mut seen).await;
            if pass == 0 {
                seen = Seen::default();
                continue;
            }
            println!("  {} pass {pass}: raw {cost:.2}, timed path {ours:.2} us an event", if tls { "TLS" } else { "plain" });
            raw.push(cost);
            timed.push(ours);
            floor.push(ours / cost);
        }
        server.stop();
        println!(
            "{}: raw {:.2}, timed path {:.2} us an event (medians of {}); ratio {:.2} (median of the passes' ratios; {:.2} to {:.2}); {}",
            if tls { "TLS" } else { "plain" },
            median(&mut raw),
            median(&mut timed),
            shape.passes,
            median(&mut floor),
            floor[0],
            floor[floor.len() - 1],
            seen.words(),
        );
    }
    let _ = std::fs::remove_dir_all(place);
}

/// What the timed path claimed: a cheap path that is not exact would be no bargain.
#[derive(Default)]
struct Seen {
    texts: usize,
    exact: usize,
    lag_ns: Vec<u32>,
    /// Claims that could be checked, and those that exclude the truth.
    checked: usize,
    wrong: usize,
    /// Stamp minus the begin of the write, of exact texts.
    error_ns: Vec<u32>,
}

impl Seen {
    /// Holds the claims of an answer against what its texts say: ` BEGIN;DONE`, where DONE belongs to the write before.
    fn check(&mut self, answer: &Answer) {
        const SLACK: u64 = 1000;
        self.texts += answer.timeline.len();
        self.exact += answer.timeline.points().filter(|text| text.exact()).count();
        self.lag_ns.extend(&answer.reads.lag_ns);
        let sent = answer.stamps.first_write.expect("it was written").0;
        let text = &answer.text.as_ref().expect("text is kept").content;
        let truth: Vec<(u64, u64)> = text
            .split_whitespace()
            .map(|word| word.split_once(';').expect("two times"))
            .map(|(begin, done)| (begin.parse().expect("a time"), done.parse().expect("a time")))
            .collect();
        assert_eq!(truth.len(), answer.timeline.len());
        // The last text's write has nobody to say when it was done.
        for (i, point) in answer.timeline.points().take(truth.len() - 1).enumerate() {
            let (begin, done, at) = (truth[i].0 - SLACK, truth[i + 1].1 + SLACK, sent + point.at.0);
            self.checked += 1;
            self.wrong += usize::from(at < begin || at - point.width_ns > done);
            if point.exact() {
                self.error_ns.push(u32::try_from(at.saturating_sub(truth[i].0)).unwrap_or(u32::MAX));
            }
        }
    }
    fn words(&mut self) -> String {
        let share = 100.0 * self.exact as f64 / self.texts as f64;
        let [lag50, lag99, _] = quantiles_us(&mut self.lag_ns);
        let [error50, error99, most] = quantiles_us(&mut self.error_ns);
        format!(
            "{share:.1} % of the texts exact, their stamp after the write's begin p50 {error50:.1}, p99 {error99:.1}, max {most:.0} us; \
             {} claims of {} exclude the truth; client lag p50 {lag50:.0}, p99 {lag99:.0} us",
            self.wrong, self.checked
        )
    }
}

/// Median, 99th percentile and maximum, in microseconds.
fn quantiles_us(values: &mut [u32]) -> [f64; 3] {
    values.sort_unstable();
    [0.5, 0.99, 1.0].map(|p| values.get((values.len().saturating_sub(1) as f64 * p) as usize).map_or(f64::NAN, |ns| f64::from(*ns) / 1e3))
}

/// Processor time of this thread, ns.
fn thread_cpu() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("this bench needs Linux's schedstat");
    text.split_whitespace().next().and_then(|ns| ns.parse().ok()).expect("schedstat begins with a number")
}

async fn raw_pass(shape: Shape, address: SocketAddr, ca: Option<&PathBuf>) -> f64 {
    let mut streams: Vec<Box<dyn Stream>> = Vec::new();
    let roots = Roots::system();
    for _ in 0..shape.streams {
        let tcp = TcpStream::connect(address).await.expect("the server listens");
        tcp.set_nodelay(true).expect("a TCP socket");
        streams.push(match ca {
            None => Box::new(tcp),
            Some(place) => {
                let config = roots.config(Some(&place.join("ca.pem")), false).expect("the certificate");
                let name = rustls::pki_types::ServerName::try_from("127.0.0.1").expect("an address");
                Box::new(tokio_rustls::TlsConnector::from(config).connect(name, tcp).await.expect("a handshake"))
            }
        });
    }
    let request = format!("POST /v1 HTTP/1.1\r\nhost: {address}\r\ncontent-length: 2\r\n\r\n{{}}");
    let before = thread_cpu();
    let tasks: Vec<JoinHandle<()>> = streams
        .into_iter()
        .map(|mut stream| {
            let request = request.clone();
            tokio::spawn(async move {
                stream.write_all(request.as_bytes()).await.expect("written");
                stream.flush().await.expect("flushed");
                let mut room = vec![0; 16 * 1024];
                loop {
                    let read = stream.read(&mut room).await.expect("read");
                    if read == 0 || room[..read].ends_with(b"\r\n0\r\n\r\n") {
                        break;
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("a stream");
    }
    (thread_cpu() - before) as f64 / 1e3 / shape.events() as f64
}

trait Stream: AsyncRead + tokio::io::AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + tokio::io::AsyncWrite + Unpin + Send> Stream for T {}

async fn timed_pass(shape: Shape, address: SocketAddr, ca: Option<&PathBuf>, seen: &mut Seen) -> f64 {
    let endpoint = Endpoint {
        host: address.ip().to_string(),
        port: address.port(),
        tls: ca.is_some(),
        ca_file: ca.map(|place| place.join("ca.pem")),
        proxy: None,
        http2: false,
        connect_ms: 60_000,
    };
    let transport = KernelTransport::new(Roots::system());
    let mut connections: Vec<Box<dyn Connection>> = Vec::new();
    for _ in 0..shape.streams {
        connections.push(transport.connect(&endpoint).await.unwrap_or_else(|failure| panic!("{failure:?}")));
    }
    let dialect = Arc::new(ChatDialect::default());
    let before = thread_cpu();
    let tasks: Vec<JoinHandle<Answer>> = connections
        .into_iter()
        .map(|mut connection| {
            let decoder = Box::new(ChatDecoder::new(dialect.clone()));
            tokio::spawn(async move {
                let (largest_line, largest_body) = (1 << 24, 1 << 26);
                let (first_token_ms, idle_ms, total_ms) = (60_000, 60_000, 300_000);
                let limits = Limits { connect_ms: 60_000, first_token_ms, idle_ms, total_ms, largest_line, largest_body };
                let (path, headers, body) = ("/v1".to_owned(), Vec::new(), b"{}".to_vec());
                let request = WireRequest { method: "POST", path, headers, body, framing: Framing::Sse, largest_line, largest_body };
                exchange(&mut *connection, &request, decoder, &limits, &Clock::System).await
            })
        })
        .collect();
    let mut answers = Vec::with_capacity(tasks.len());
    for task in tasks {
        answers.push(task.await.expect("a stream"));
    }
    let cost = (thread_cpu() - before) as f64 / 1e3 / shape.events() as f64;
    for answer in &answers {
        assert_eq!((&answer.ended, answer.timeline.len()), (&Ended::Complete, shape.tokens));
        seen.check(answer);
    }
    cost
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}

fn cpu_name() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ").map(|(_, name)| name.to_owned()));
    name.unwrap_or_else(|| "unknown processor".to_owned())
}

// ---- the server ----

struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(tls: bool, place: &PathBuf) -> Server {
        let myself = std::env::current_exe().expect("this program");
        let args: Vec<_> = std::env::args_os().skip(1).collect();
        let mut command = Command::new(myself);
        command.args(args).env(SERVER, if tls { "tls" } else { "plain" }).env(PLACE, place);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a server process");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("its output");
        std::io::BufReader::new(stdout).read_line(&mut line).expect("its address");
        Server { child, address: line.trim().parse().expect("an address") }
    }
    fn stop(&mut self) {
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
    // It ends with its parent, whose end closes this pipe.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_line(&mut String::new());
        std::process::exit(0);
    });
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

/// The `n`th write of a response; the one before was done at `done`.
fn bytes(shape: Shape, n: usize, done: u64) -> Vec<u8> {
    let event = |delta: &str, finish: &str| {
        let data = format!(
            "data: {{\"id\":\"chatcmpl-7f3a9c1e5d\",\"object\":\"chat.completion.chunk\",\"created\":1764000000,\"model\":\"bench-1\",\
             \"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{finish}}}]}}\n\n"
        );
        format!("{:x}\r\n{data}\r\n", data.len())
    };
    let text = match n {
        0 => "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n".to_owned(),
        1 => event("{\"role\":\"assistant\",\"content\":\"\"}", "null"),
        n if n < shape.tokens + 2 => event(&format!("{{\"content\":\" {};{done}\"}}", mono().0), "null"),
        n if n == shape.tokens + 2 => event("{}", "\"stop\""),
        _ => {
            let done = "data: [DONE]\n\n";
            let usage = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":64,\"total_tokens\":73}}\n\n";
            format!("{:x}\r\n{usage}\r\n{:x}\r\n{done}\r\n0\r\n\r\n", usage.len(), done.len())
        }
    };
    text.into_bytes()
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
