//! The client's side of the paced streams: a raw reader, and the timed path as a run uses it.

use super::{Server, Shape};
use photofinish::clock::Clock;
use photofinish::dialect::chat::{ChatDecoder, ChatDialect};
use photofinish::exchange::exchange;
use photofinish::record::{Answer, Limits};
use photofinish::timeline::Ended;
use photofinish::wire::{Connection, Endpoint, Framing, KernelTransport, Roots, Transport, WireRequest};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// What the timed path claimed: a cheap path that is not exact would be no bargain.
#[derive(Default)]
pub struct Seen {
    pub texts: usize,
    pub exact: usize,
    lag_ns: Vec<u32>,
    /// Claims that could be checked, and those that exclude the truth.
    pub checked: usize,
    pub wrong: usize,
    /// Stamp minus the begin of the write, of exact texts.
    error_ns: Vec<u32>,
}

impl Seen {
    /// Holds the claims of an answer against what its texts say: ` BEGIN;DONE`, where DONE belongs to the write before.
    pub fn check(&mut self, answer: &Answer) {
        const SLACK: u64 = 1000;
        self.texts += answer.timeline.len();
        self.exact += answer.timeline.points().filter(|point| point.exact()).count();
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
    pub fn words(&mut self) -> String {
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

/// Processor time of this process, ns.
#[allow(unsafe_code)]
pub fn cpu() -> u64 {
    let mut ts = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // Safety: `ts` is a valid place for one timespec, and the clock always exists.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut ts) };
    ts.tv_sec as u64 * 1_000_000_000 + ts.tv_nsec as u64
}

/// Opens the streams, and reads them into a buffer that is thrown away: this process's time for an event, us.
pub async fn raw_pass(shape: Shape, server: &Server) -> f64 {
    let (address, ca) = (server.address, server.ca.as_ref());
    let mut streams: Vec<Box<dyn Stream>> = Vec::new();
    let roots = Roots::system();
    for _ in 0..shape.streams {
        let tcp = TcpStream::connect(address).await.expect("the server listens");
        tcp.set_nodelay(true).expect("a TCP socket");
        streams.push(match ca {
            None => Box::new(tcp),
            Some(ca) => {
                let config = roots.config(Some(ca), false).expect("the certificate");
                let name = rustls::pki_types::ServerName::try_from("127.0.0.1").expect("an address");
                Box::new(tokio_rustls::TlsConnector::from(config).connect(name, tcp).await.expect("a handshake"))
            }
        });
    }
    let request = format!("POST /v1 HTTP/1.1\r\nhost: {address}\r\ncontent-length: 2\r\n\r\n{{}}");
    let before = cpu();
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
    (cpu() - before) as f64 / 1e3 / shape.events() as f64
}

trait Stream: AsyncRead + tokio::io::AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + tokio::io::AsyncWrite + Unpin + Send> Stream for T {}

/// Opens the streams, and reads them by the whole timed path: this process's time for an event, us, and the answers. `took` is given each
/// answer as it comes and then asked to finish: a journal does its writing within the time that is measured.
pub async fn timed_pass(shape: Shape, server: &Server, took: &mut dyn FnMut(Option<Answer>)) -> f64 {
    let connections = open(shape, server).await;
    let before = cpu();
    let tasks: Vec<_> = connections.into_iter().map(|connection| tokio::spawn(one(connection))).collect();
    for task in tasks {
        took(Some(task.await.expect("a stream")));
    }
    took(None);
    (cpu() - before) as f64 / 1e3 / shape.events() as f64
}

pub async fn open(shape: Shape, server: &Server) -> Vec<Box<dyn Connection>> {
    let endpoint = Endpoint {
        host: server.address.ip().to_string(),
        port: server.address.port(),
        tls: server.ca.is_some(),
        ca_file: server.ca.clone(),
        proxy: None,
        http2: false,
        connect_ms: 60_000,
    };
    let transport = KernelTransport::new(Roots::system());
    let mut connections: Vec<Box<dyn Connection>> = Vec::new();
    for _ in 0..shape.streams {
        connections.push(transport.connect(&endpoint).await.unwrap_or_else(|failure| panic!("{failure:?}")));
    }
    connections
}

/// One exchange over an open connection.
pub async fn one(mut connection: Box<dyn Connection>) -> Answer {
    let (largest_line, largest_body) = (1 << 24, 1 << 30);
    let (first_token_ms, idle_ms, total_ms) = (60_000, 60_000, 300_000);
    let limits = Limits { connect_ms: 60_000, first_token_ms, idle_ms, total_ms, largest_line, largest_body };
    let (path, headers, body) = ("/v1".to_owned(), Vec::new(), b"{}".to_vec());
    let request = WireRequest { method: "POST", path, headers, body, framing: Framing::Sse, largest_line, largest_body };
    let decoder = Box::new(ChatDecoder::new(Arc::new(ChatDialect::default())));
    let answer = exchange(&mut *connection, &request, decoder, &limits, &Clock::System).await;
    assert_eq!(answer.ended, Ended::Complete);
    answer
}

/// The median; sorts.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}

pub fn cpu_name() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ").map(|(_, name)| name.to_owned()));
    name.unwrap_or_else(|| "unknown processor".to_owned())
}
