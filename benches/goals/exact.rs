//! How exact the times are: streams of the simulator, all started at once, held against its log.

use super::table::{Goal, Row};
use super::ways::Ways;
use photofinish::calibration::{Held, Truths, errors};
use photofinish::clock::{Clock, mono};
use photofinish::dialect::chat::{ChatDecoder, ChatDialect};
use photofinish::exchange::{connect_failed, exchange};
use photofinish::record::{Answer, CalibrationErrors, Errors, Limits, Reads};
use photofinish::timeline::{Ended, Timeline};
use photofinish::wire::{Connection, Endpoint, Framing, HeaderText, KernelTransport, ReqwestTransport, Roots, Transport, WireRequest};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

const OF: &str = "exactness";

/// One pass of one level.
#[derive(Clone, Serialize, Deserialize)]
pub struct Told {
    pub streams: usize,
    pub base: String,
    pub ca: Option<PathBuf>,
    /// The simulator's truth; without it nothing is compared.
    pub log: Option<PathBuf>,
    pub system: String,
    pub reqwest: bool,
    /// Connections are opened before, those of reqwest by a request that does not count; else opening them is part of it.
    pub open_before: bool,
    /// So many connections are being opened at one time.
    pub opening: usize,
}

#[derive(Serialize, Deserialize)]
pub struct Found {
    pub errors: CalibrationErrors,
    pub texts: usize,
    pub failed: usize,
    /// How the first failure went.
    pub failure: Option<String>,
    /// Largest resident size of this process, and what it was before the first stream, KiB.
    pub peak_kib: u64,
    pub before_kib: u64,
    /// Heap that the timelines hold, with the lag of each read; bytes.
    pub timelines: u64,
}

/// All rows of exactness, and those of memory that the heaviest plain level gives.
pub fn rows(ways: &Ways, passes: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    let (mut plain_ttft, mut plain_gap) = (f64::NAN, f64::NAN);
    for streams in [64, 300, 1000] {
        for tls in [false, true] {
            let kind = if tls { "TLS" } else { "plain" };
            let found: Result<Vec<Found>, String> = (0..passes).map(|_| level(ways, streams, tls, false)).collect();
            let found = match found {
                Ok(found) => found,
                Err(why) => {
                    rows.push(Row::missing(OF, format!("{streams} streams, {kind}"), why));
                    continue;
                }
            };
            let of = |figure: fn(&CalibrationErrors) -> Option<Errors>, part: fn(&Errors) -> f64| -> Vec<f64> {
                found.iter().filter_map(|found| figure(&found.errors)).map(|errors| part(&errors)).collect()
            };
            let ttft_p99 = of(|errors| errors.ttft_us, |errors| errors.p99);
            let gap_p99 = of(|errors| errors.gap_us, |errors| errors.p99);
            let row = |what: &str, goal, values| Row::of(OF, format!("{what}, {streams} streams, {kind}"), goal, values, "µs");
            let factor = if tls { 1.5 } else { 1.0 };
            rows.push(row("TTFT error p50", Goal::AtMost(10.0 * factor), of(|errors| errors.ttft_us, |errors| errors.p50)));
            rows.push(row("TTFT error p99", Goal::AtMost(50.0 * factor), ttft_p99.clone()));
            let exact = of(|errors| errors.gap_exact_us, |errors| errors.p99);
            rows.push(row("gap error p99, both ends exact", Goal::AtMost(5.0 * factor), exact));
            rows.push(row("gap error p99, all gaps", Goal::AtMost(25.0 * factor), gap_p99.clone()));
            rows.push(claims(&found, streams, kind));
            let [ttft, gap] = [ttft_p99, gap_p99].map(|mut values| super::paced::client::median(&mut values));
            if tls {
                let note = "no goal of its own: TLS may take 1.5 times what plain may";
                rows.push(
                    Row::of(OF, format!("TLS ÷ plain, TTFT p99, {streams} streams"), Goal::None, vec![ttft / plain_ttft], "×").noted(note),
                );
                rows.push(Row::of(OF, format!("TLS ÷ plain, gaps p99, {streams} streams"), Goal::None, vec![gap / plain_gap], "×"));
            } else {
                (plain_ttft, plain_gap) = (ttft, gap);
                if streams == 1000 {
                    rows.extend(memory(&found));
                }
            }
        }
    }
    rows.extend(by_reqwest(ways, passes));
    rows
}

fn claims(found: &[Found], streams: usize, kind: &str) -> Row {
    let sum = |part: fn(&Found) -> u64| found.iter().map(part).sum::<u64>();
    let (wrong, checked, exact) = (sum(|f| f.errors.claims.wrong), sum(|f| f.errors.claims.checked), sum(|f| f.errors.claims.exact));
    let (requests, compared) = (sum(|f| f.errors.requests), sum(|f| f.errors.compared));
    let lag: Vec<f64> = found.iter().filter_map(|found| found.errors.lag_us).map(|lag| lag.p99).collect();
    let lag = lag.iter().copied().fold(0.0, f64::max);
    let share = 100.0 * exact as f64 / checked.max(1) as f64;
    let note = format!("of {checked}; {share:.1} % exact; client lag p99 up to {lag:.0} µs; {compared} of {requests} requests compared");
    let value = if checked == 0 { f64::NAN } else { wrong as f64 };
    let row = Row::of(OF, format!("claims that exclude the truth, {streams} streams, {kind}"), Goal::AtMost(0.0), vec![value], "");
    // A request that could not be compared proves nothing.
    Row { holds: row.holds.map(|holds| holds && compared == requests), ..row.noted(note) }
}

fn memory(found: &[Found]) -> Vec<Row> {
    let mib = |kib: u64| kib as f64 / 1024.0;
    let peak = found.iter().map(|found| mib(found.peak_kib)).collect();
    let grown = found.iter().map(|found| mib(found.peak_kib.saturating_sub(found.before_kib))).collect();
    let mark = found.iter().map(|found| found.timelines as f64 / found.texts.max(1) as f64).collect();
    vec![
        Row::of("memory", "1000 streams × 64 tokens, timelines and texts kept: the process's peak", Goal::AtMost(50.0), peak, "MiB"),
        Row::of("memory", "the same, less what it held before the first stream", Goal::None, grown, "MiB"),
        Row::of("memory", "heap a mark, timeline with the lag of each read", Goal::AtMost(24.0), mark, "bytes"),
    ]
}

fn by_reqwest(ways: &Ways, passes: usize) -> Vec<Row> {
    let found: Result<Vec<Found>, String> = (0..passes).map(|_| level(ways, 300, false, true)).collect();
    let what = "TTFT error p99, 300 streams on open connections, reqwest";
    match found {
        Ok(found) => {
            let p99 = found.iter().filter_map(|found| found.errors.ttft_us).map(|errors| errors.p99).collect();
            vec![Row::of(OF, what, Goal::AtMost(1000.0), p99, "µs")]
        }
        Err(why) => vec![Row::missing(OF, what, why)],
    }
}

fn level(ways: &Ways, streams: usize, tls: bool, reqwest: bool) -> Result<Found, String> {
    let mut simulator = ways.simulator("exact", "builtin:calibration", tls)?;
    let base = if tls { simulator.ready.tls_base.clone().unwrap_or_default() } else { simulator.ready.base.clone() };
    let ca = simulator.ready.ca_file.clone().filter(|_| tls).map(PathBuf::from);
    let log = Some(simulator.log.clone());
    let told = Told { streams, base, ca, log, system: "calibration".to_owned(), reqwest, open_before: reqwest, opening: usize::MAX >> 4 };
    let found: Result<Found, String> = ways.role("streams", serde_json::to_value(told).map_err(|error| error.to_string())?, 90);
    simulator.stop();
    let found = found?;
    match &found.failure {
        Some(failure) => Err(format!("{} of {streams} streams failed: {failure}", found.failed)),
        None => Ok(found),
    }
}

// ---- the role ----

/// Reads the streams of one pass and compares them.
pub async fn streams(told: Told) -> Found {
    let before_kib = status_kib("VmRSS:");
    let transport: Arc<dyn Transport> = match told.reqwest {
        true => Arc::new(ReqwestTransport::new(Roots::system())),
        false => Arc::new(KernelTransport::new(Roots::system())),
    };
    let told = Arc::new(told);
    let opening = Arc::new(tokio::sync::Semaphore::new(told.opening));
    let begin = Arc::new(tokio::sync::Barrier::new(told.streams));
    let tasks: Vec<_> =
        (0..told.streams).map(|i| tokio::spawn(stream(i, told.clone(), transport.clone(), opening.clone(), begin.clone()))).collect();
    let mut answers = Vec::with_capacity(tasks.len());
    for (i, task) in tasks.into_iter().enumerate() {
        answers.push((format!("s{i}"), task.await.expect("a stream")));
    }
    let peak_kib = status_kib("VmHWM:");
    let failures: Vec<&Ended> = answers.iter().map(|(_, answer)| &answer.ended).filter(|ended| **ended != Ended::Complete).collect();
    let (failed, failure) = (failures.len(), failures.first().map(|ended| format!("{ended:?}")));
    let errors = match &told.log {
        Some(log) => compared(&answers, log).await,
        None => CalibrationErrors::default(),
    };
    let texts = answers.iter().map(|(_, answer)| answer.timeline.len()).sum();
    let timelines = heap_of_timelines(&mut answers);
    Found { errors, texts, failed, failure, peak_kib, before_kib, timelines }
}

async fn stream(
    i: usize,
    told: Arc<Told>,
    transport: Arc<dyn Transport>,
    opening: Arc<tokio::sync::Semaphore>,
    begin: Arc<tokio::sync::Barrier>,
) -> Answer {
    let url = url::Url::parse(&told.base).expect("the simulator's address");
    let endpoint = Endpoint {
        host: url.host_str().unwrap_or_default().to_owned(),
        port: url.port().unwrap_or_default(),
        tls: url.scheme() == "https",
        ca_file: told.ca.clone(),
        proxy: None,
        http2: false,
        connect_ms: 60_000,
    };
    let connected = {
        let _turn = opening.acquire().await;
        transport.connect(&endpoint).await
    };
    let mut connection = match connected {
        Ok(connection) => connection,
        Err(failure) => return connect_failed(failure),
    };
    if told.open_before {
        if told.reqwest {
            make(&mut *connection, &told.system, &format!("warm-up-{i}")).await;
        }
        begin.wait().await;
    }
    make(&mut *connection, &told.system, &format!("s{i}")).await
}

async fn make(connection: &mut dyn Connection, system: &str, id: &str) -> Answer {
    let (largest_line, largest_body) = (1 << 24, 1 << 28);
    let (first_token_ms, idle_ms, total_ms) = (60_000, 60_000, 120_000);
    let limits = Limits { connect_ms: 60_000, first_token_ms, idle_ms, total_ms, largest_line, largest_body };
    let body = serde_json::json!({
        "model": "m", "messages": [{"role": "user", "content": "Tell me about the sea."}], "stream": true,
        "stream_options": {"include_usage": true},
    });
    let plain = |name: &str, value: &str| (name.to_owned(), HeaderText::Plain(value.to_owned()));
    let request = WireRequest {
        method: "POST",
        path: format!("/{system}/v1/chat/completions"),
        headers: vec![plain("content-type", "application/json"), plain("x-request-id", id)],
        body: body.to_string().into_bytes(),
        framing: Framing::Sse,
        largest_line,
        largest_body,
    };
    let decoder = Box::new(ChatDecoder::new(Arc::new(ChatDialect::default())));
    exchange(connection, &request, decoder, &limits, &Clock::System).await
}

/// The simulator writes its log by a thread of its own: the last lines may take a moment.
async fn compared(answers: &[(String, Answer)], log: &PathBuf) -> CalibrationErrors {
    let due = mono().plus(10_000_000_000);
    loop {
        let truths = Truths::read(&std::fs::read_to_string(log).unwrap_or_default());
        let held: Vec<Held<'_>> = answers.iter().map(|(id, answer)| Held { request_id: id, answer, timed: true }).collect();
        if due < mono() || answers.iter().all(|(id, _)| truths.of(id).is_some()) {
            return errors(&held, &truths);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// What dropping the timelines and the lag of each read gives back.
fn heap_of_timelines(answers: &mut [(String, Answer)]) -> u64 {
    let before = heap();
    for (_, answer) in answers {
        answer.timeline = Timeline::default();
        answer.reads = Reads::default();
    }
    before.saturating_sub(heap())
}

/// Bytes that the allocator has handed out.
#[cfg(target_env = "gnu")]
#[allow(unsafe_code)]
fn heap() -> u64 {
    // Safety: it takes nothing and returns plain numbers.
    let info = unsafe { libc::mallinfo2() };
    (info.uordblks + info.hblkhd) as u64
}
#[cfg(not(target_env = "gnu"))]
fn heap() -> u64 {
    0
}

/// A line of this process's status, KiB.
fn status_kib(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}
