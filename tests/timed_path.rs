//! The heart: every claim about a time, exact or an interval, holds the time at which the server wrote, over plain sockets and TLS,
//! paced, in bursts, with small buffers, with records in pieces, and while the client cannot look.

mod raw_server;

use photofinish::timeline::{Ended, Mark};
use photofinish::wire::{
    Connection, Endpoint, Frame, Framing, Head, KernelTransport, ReqwestTransport, Roots, Transport, Watch, WireRequest,
};
use raw_server::{Server, Step, Truth, chunk, end, event, head, one, raw};
use std::time::Duration;

#[derive(Default)]
struct Seen {
    frames: Vec<usize>,
    marks: Vec<Mark>,
    status: u16,
}

impl Watch for Seen {
    fn head(&mut self, head: Head<'_>) {
        self.status = head.status;
    }
    fn body(&mut self, _: &[u8]) {}
    fn frame(&mut self, frame: Frame<'_>) {
        self.frames.push(frame.data.len());
    }
    fn comment(&mut self, _: &[u8]) {}
    fn mark(&mut self, mark: Mark) {
        self.marks.push(mark);
    }
}

fn endpoint(server: &Server) -> Endpoint {
    Endpoint {
        host: "127.0.0.1".to_owned(),
        port: server.address.port(),
        tls: server.ca.is_some(),
        ca_file: server.ca.as_ref().map(|file| file.path().to_owned()),
        proxy: None,
        http2: false,
        connect_ms: 10_000,
    }
}
fn request() -> WireRequest {
    WireRequest {
        method: "POST",
        path: "/v1/chat/completions".to_owned(),
        headers: Vec::new(),
        body: b"{}".to_vec(),
        framing: Framing::Sse,
        largest_line: 1 << 24,
        largest_body: 1 << 26,
    }
}

fn kernel() -> KernelTransport {
    KernelTransport::new(Roots::system())
}

/// Reads one stream of the server over the transport.
async fn watch(transport: &dyn Transport, server: Server) -> (Seen, Truth, Box<dyn Connection>) {
    let connection = transport.connect(&endpoint(&server)).await.unwrap();
    watch_over(connection, server).await
}
async fn watch_over(mut connection: Box<dyn Connection>, server: Server) -> (Seen, Truth, Box<dyn Connection>) {
    let mut seen = Seen::default();
    let ended = connection.exchange(&request(), &mut seen).await;
    assert_eq!((ended, seen.status), (Ended::Complete, 200));
    let (truth, _) = server.truth();
    assert_eq!((seen.frames.len(), seen.marks.len()), (truth.len(), truth.len()));
    (seen, truth, connection)
}

/// Every claim holds the truth; the number of exact ones is returned.
fn every_claim_holds(seen: &Seen, truth: &Truth) -> usize {
    const SLACK: u64 = 1_000;
    for (i, (mark, (before, after))) in seen.marks.iter().zip(truth).enumerate() {
        let holds = match mark.exact {
            true => before - SLACK <= mark.at.0 && mark.at.0 <= after.saturating_add(SLACK),
            false => mark.after.0 < after.saturating_add(SLACK) && before - SLACK <= mark.at.0,
        };
        let from = |time: u64| time as i64 - *before as i64;
        assert!(
            holds,
            "event {i}: written in (0, {}), claimed {} from {} to {}",
            from(*after),
            mark.exact,
            from(mark.after.0),
            from(mark.at.0)
        );
        assert!(mark.after <= mark.at && mark.at <= mark.user.plus(SLACK), "event {i}: {mark:?}");
    }
    assert!(seen.marks.is_sorted_by_key(|mark| (mark.at, mark.read)), "times and reads never run backwards");
    seen.marks.iter().filter(|mark| mark.exact).count()
}

/// A stream whose events come one a write, a few milliseconds apart.
fn paced(events: usize, text: usize) -> Vec<Step> {
    let mut steps = vec![head()];
    for _ in 0..events {
        steps.extend([Step::Wait(4000), one(text)]);
    }
    steps.extend([Step::Wait(4000), end()]);
    steps
}
/// A stream in bursts: writes without a pause, several events a chunk, several chunks a write.
fn bursts(events: usize, text: usize) -> Vec<Step> {
    let mut steps = vec![head()];
    for i in 0..events / 8 {
        let two_in_one = chunk(format!("data: a\n\ndata: {}\n\n", "y".repeat(text)).as_bytes());
        let three_in_one_write = [event(text), event(text + 1), event(3)].concat();
        steps.extend([one(text), one(text), one(1)]);
        steps.push(Step::Write { bytes: two_in_one, events: 2 });
        steps.push(Step::Write { bytes: three_in_one_write, events: 3 });
        if i % 2 == 0 {
            steps.push(Step::Wait(1500));
        }
    }
    steps.push(end());
    steps
}
/// Each record in two writes, 300 us apart.
fn in_pieces(events: usize) -> Vec<Step> {
    let mut steps = vec![head()];
    for _ in 0..events {
        steps.extend([Step::Wait(2000), Step::InTwo { bytes: event(120), events: 1, pause_us: 300 }]);
    }
    steps.extend([Step::Wait(2000), end()]);
    steps
}

#[tokio::test]
async fn a_paced_stream_is_exact_plain_and_over_tls() {
    for server in [Server::plain(paced(40, 120)), Server::tls(paced(40, 120))] {
        let (seen, truth, connection) = watch(&kernel(), server).await;
        let exact = every_claim_holds(&seen, &truth);
        assert!(exact >= 10, "{exact} of 40 exact: fewer than a busy machine explains");
        let facts = connection.facts();
        let (sent, head) = (facts.stamps.first_write.unwrap(), facts.stamps.head.unwrap());
        assert!(sent < head && head <= seen.marks[0].at && seen.marks[39].at <= facts.stamps.closed.unwrap());
        assert_eq!((facts.reads.lag_ns.len() as u32, facts.reads.clock_steps), (facts.reads.count, 0));
    }
}

#[tokio::test]
async fn bursts_become_intervals_that_hold_the_truth() {
    for server in [Server::plain(bursts(400, 200)), Server::tls(bursts(400, 200)), Server::tls(bursts(80, 6000))] {
        let (seen, truth, _) = watch(&kernel(), server).await;
        every_claim_holds(&seen, &truth);
    }
}

#[tokio::test]
async fn events_of_one_chunk_share_one_exact_time() {
    let bytes = chunk(b"data: a\n\ndata: b\n\n");
    let steps = vec![head(), Step::Wait(5000), Step::Write { bytes, events: 2 }, Step::Wait(5000), end()];
    let (seen, truth, _) = watch(&kernel(), Server::plain(steps)).await;
    every_claim_holds(&seen, &truth);
    assert_eq!(seen.marks[0], seen.marks[1]);
    // Two chunks in one write look like two writes: only the later one can be exact.
    let bytes = [chunk(b"data: a\n\n"), chunk(b"data: b\n\n")].concat();
    let steps = vec![head(), Step::Wait(5000), Step::Write { bytes, events: 2 }, Step::Wait(5000), end()];
    let (seen, truth, _) = watch(&kernel(), Server::plain(steps)).await;
    every_claim_holds(&seen, &truth);
    assert!(!seen.marks[0].exact);
}

#[tokio::test]
async fn a_buffer_that_fills_makes_nothing_exact() {
    let (seen, truth, _) = watch(&kernel().with_room(300), Server::plain(bursts(400, 200))).await;
    every_claim_holds(&seen, &truth);
    // An event that fills the buffer to the last byte: more might have waited.
    let text = (0..300).find(|text| event(*text).len() == 300).unwrap();
    let steps = vec![head(), Step::Wait(5000), one(text), Step::Wait(5000), end()];
    let (seen, truth, _) = watch(&kernel().with_room(300), Server::plain(steps)).await;
    every_claim_holds(&seen, &truth);
    assert!(!seen.marks[0].exact);
}

#[tokio::test]
async fn a_record_in_two_writes_has_the_time_of_the_second() {
    for server in [Server::tls(in_pieces(40)), Server::plain(in_pieces(40))] {
        let (seen, truth, _) = watch(&kernel(), server).await;
        every_claim_holds(&seen, &truth);
    }
}

#[tokio::test]
async fn the_beginning_of_another_record_in_the_read_takes_the_exactness_away() {
    let second = Step::InTwo { bytes: event(50), events: 1, pause_us: 60_000 };
    let steps = vec![Step::Wait(15_000), head(), Step::Wait(2000), one(50), Step::Wait(4000), second, Step::Wait(2000), end()];
    let server = Server::tls(steps);
    let connection = kernel().connect(&endpoint(&server)).await.unwrap();
    let blocking = tokio::spawn(async {
        tokio::time::sleep(Duration::from_millis(8)).await;
        std::thread::sleep(Duration::from_millis(34));
    });
    let (seen, truth, _) = watch_over(connection, server).await;
    blocking.await.unwrap();
    every_claim_holds(&seen, &truth);
}

#[tokio::test]
async fn a_client_that_cannot_look_claims_no_more_than_it_knows() {
    for server in [Server::plain(paced(60, 120)), Server::tls(paced(60, 120)), Server::tls(in_pieces(60))] {
        // The measuring runtime's only thread is held up again and again, as by a stopped process or a busy machine.
        let starving = tokio::spawn(async {
            loop {
                std::thread::sleep(Duration::from_millis(30));
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        let (seen, truth, _) = watch(&kernel(), server).await;
        starving.abort();
        every_claim_holds(&seen, &truth);
        assert!(seen.marks.iter().any(|mark| mark.at.since(mark.after) > 10_000_000), "the client was not starved");
    }
}

#[tokio::test]
async fn a_body_without_chunks_is_exact_only_where_a_read_ends_with_its_event() {
    let say = |text: &str, events| Step::Write { bytes: text.as_bytes().to_vec(), events };
    let events =
        [say("data: a\n\n", 1), Step::Wait(5000), say("data: b\n\ndata: c\n\n: and more\n", 2), Step::Wait(5000), say("data: d\n\n", 1)];
    let by_length = raw("HTTP/1.1 200 OK\r\ncontent-length: 47\r\n\r\n");
    let until_close = raw("HTTP/1.0 200 OK\r\n\r\n");
    for first in [by_length, until_close] {
        let steps = [vec![first, Step::Wait(5000)], events.to_vec()].concat();
        let (seen, truth, _) = watch(&kernel(), Server::plain(steps)).await;
        every_claim_holds(&seen, &truth);
        assert!(!seen.marks[1].exact && !seen.marks[2].exact, "bytes follow them in their read");
    }
}

#[tokio::test]
async fn reqwest_claims_intervals_only_and_they_hold_the_truth() {
    for server in [Server::plain(bursts(160, 200)), Server::tls(bursts(160, 200)), Server::plain(paced(20, 50))] {
        let (seen, truth, connection) = watch(&ReqwestTransport::new(Roots::system()), server).await;
        assert_eq!(every_claim_holds(&seen, &truth), 0);
        let facts = connection.facts();
        assert!(!facts.connect.reused && facts.connect.tcp_ns.is_none(), "its own connecting lies within the latency");
        assert!(facts.stamps.first_write.unwrap() < seen.marks[0].at);
    }
}
