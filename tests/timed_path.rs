//! The heart: every claim about a time, exact or an interval, holds the time at which the server wrote, over plain sockets and TLS,
//! paced, in bursts, with small buffers, with records in pieces, and while the client cannot look.

mod raw_server;

use photofinish::timeline::Ended;
use photofinish::wire::{Connection, Endpoint, KernelTransport, ReqwestTransport, Roots, Transport};
use raw_server::claims::{self, Seen, first_wrong_claim, request};
use raw_server::scripts::{bursts, in_pieces, paced};
use raw_server::{Server, Step, Truth, chunk, end, event, head, one, raw};
use std::time::Duration;

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
    let ended = connection.exchange(&request("/v1/chat/completions"), &mut seen).await;
    assert_eq!((ended, seen.status), (Ended::Complete, 200));
    let (truth, _) = server.truth();
    assert_eq!((seen.frames.len(), seen.marks.len()), (truth.len(), truth.len()));
    (seen, truth, connection)
}

/// Every claim holds the truth; the number of exact ones is returned.
fn every_claim_holds(seen: &Seen, truth: &Truth) -> usize {
    if let Some(wrong) = first_wrong_claim(&seen.marks, truth) {
        panic!("{wrong}");
    }
    seen.marks.iter().filter(|mark| mark.exact).count()
}
fn endpoint(server: &Server) -> Endpoint {
    claims::endpoint(server.address, server.ca.as_ref().map(|file| file.path()))
}

#[tokio::test]
async fn a_paced_stream_is_exact_plain_and_over_tls() {
    for server in [Server::plain(paced(40, 120, 4000)), Server::tls(paced(40, 120, 4000))] {
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
    for server in [Server::plain(bursts(400, 200, 1500)), Server::tls(bursts(400, 200, 1500)), Server::tls(bursts(80, 6000, 1500))] {
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
    let (seen, truth, _) = watch(&kernel().with_room(300), Server::plain(bursts(400, 200, 1500))).await;
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
    for server in [Server::tls(in_pieces(40, 2000)), Server::plain(in_pieces(40, 2000))] {
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
    for server in [Server::plain(paced(60, 120, 4000)), Server::tls(paced(60, 120, 4000)), Server::tls(in_pieces(60, 2000))] {
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
    for server in [Server::plain(bursts(160, 200, 1500)), Server::tls(bursts(160, 200, 1500)), Server::plain(paced(20, 50, 4000))] {
        let (seen, truth, connection) = watch(&ReqwestTransport::new(Roots::system()), server).await;
        assert_eq!(every_claim_holds(&seen, &truth), 0);
        let facts = connection.facts();
        assert!(!facts.connect.reused && facts.connect.tcp_ns.is_none(), "its own connecting lies within the latency");
        assert!(facts.stamps.first_write.unwrap() < seen.marks[0].at);
    }
}
