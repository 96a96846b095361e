//! HTTP/2 through reqwest against the simulator: who shares a connection with whom, what a fault of one does to the others, and what
//! is said where a server does not speak it.

mod simulator;

use photofinish::clock::Clock;
use photofinish::dialect::{Decoder, Emit};
use photofinish::exchange::exchange;
use photofinish::record::{Answer, Limits};
use photofinish::timeline::{Ended, Phase, Stage, StreamEvent};
use photofinish::wire::{Connection, Endpoint, Frame, Framing, HeaderText, ReqwestTransport, Roots, Transport, WireRequest};
use simulator::{ASK, Sim};
use std::collections::BTreeSet;

const SYSTEMS: &str = "defaults: {ttft_ms: 20, content: {tokens: 10, speed: 200}}\n\
    systems: {a: {}, reset: {faults: {reset_midstream: 1}}, cut: {faults: {body_cut: 1}}, limited: {faults: {rate_limited: 1}}, short: {content: {tokens: 1, speed: 200}}}\n";

/// Takes the data of every frame as content.
struct AsItIs;
impl Decoder for AsItIs {
    fn feed(&mut self, frame: &Frame<'_>, emit: Emit<'_>) {
        emit(StreamEvent::Delta { phase: Phase::Content, text: std::str::from_utf8(frame.data).unwrap(), held: 0 });
    }
    fn body(&mut self, _: u16, _: Option<&str>, _: &[u8], _: Emit<'_>) {}
    fn finish(&mut self, _: Emit<'_>) {}
}

fn endpoint(sim: &Sim, tls: bool) -> Endpoint {
    let base = sim.ready[if tls { "tls_base" } else { "base" }].as_str().unwrap();
    let port = base.rsplit(':').next().unwrap().parse().unwrap();
    let ca_file = tls.then(|| sim.ready["ca_file"].as_str().unwrap().into());
    Endpoint { host: "127.0.0.1".into(), port, tls, ca_file, proxy: None, http2: true, connect_ms: 10_000 }
}

async fn ask(connection: &mut dyn Connection, system: &str) -> Answer {
    let request = WireRequest {
        method: "POST",
        path: format!("/{system}/chat/completions"),
        headers: vec![("content-type".to_owned(), HeaderText::Plain("application/json".to_owned()))],
        body: ASK.as_bytes().to_vec(),
        framing: Framing::Sse,
        largest_line: 1 << 20,
        largest_body: 1 << 24,
    };
    let limits = Limits {
        connect_ms: 10_000,
        first_token_ms: 60_000,
        idle_ms: 60_000,
        total_ms: 60_000,
        largest_line: 1 << 20,
        largest_body: 1 << 24,
    };
    exchange(connection, &request, Box::new(AsItIs), &limits, &Clock::System).await
}

async fn all_ask(connections: &mut [Box<dyn Connection>], system: &str) -> Vec<Answer> {
    futures_util::future::join_all(connections.iter_mut().map(|connection| ask(connection.as_mut(), system))).await
}

fn ids(answers: &[Answer]) -> BTreeSet<u64> {
    answers.iter().map(|answer| answer.connect.id).collect()
}

async fn places(transport: &ReqwestTransport, endpoint: &Endpoint, n: usize) -> Vec<Box<dyn Connection>> {
    let mut places = Vec::new();
    for _ in 0..n {
        places.push(transport.connect(endpoint).await.unwrap());
    }
    places
}

#[tokio::test]
async fn all_to_an_endpoint_share_one_connection_for_as_long_as_somebody_holds_it() {
    for tls in [false, true] {
        let sim = Sim::start(SYSTEMS, &["--http2", "--tls-port", "0"]);
        let (transport, endpoint) = (ReqwestTransport::new(Roots::system()), endpoint(&sim, tls));
        let mut eight = places(&transport, &endpoint, 8).await;
        let first = all_ask(&mut eight, "a").await;
        assert!(first.iter().all(|answer| answer.ended == Ended::Complete), "{:?}", first[0].ended);
        assert!(first.iter().all(|answer| answer.connect.http.as_deref() == Some("HTTP/2.0")));
        assert!(first.iter().all(|answer| !answer.connect.reused), "all of them waited for its opening");
        let second = all_ask(&mut eight, "a").await;
        assert!(second.iter().all(|answer| answer.connect.reused));
        assert_eq!((ids(&first).len(), ids(&first)), (1, ids(&second)), "one connection in all");

        let mut alone = transport.connect_alone(&endpoint).await.unwrap();
        let apart = ask(alone.as_mut(), "a").await;
        assert!(!apart.connect.reused && !ids(&second).contains(&apart.connect.id));
        drop(eight);
        let again = all_ask(&mut places(&transport, &endpoint, 2).await, "a").await;
        assert!(again.iter().all(|answer| !answer.connect.reused) && ids(&again).is_disjoint(&ids(&second)), "closed with its last user");
        let truth = sim.truth();
        let connections: Vec<u64> = truth.iter().map(|line| line["connection"].as_u64().unwrap()).collect();
        assert_eq!(connections, [vec![0; 16], vec![1], vec![2; 2]].concat(), "and the server counts the same");
    }
}

#[tokio::test]
async fn over_http_1_each_has_a_connection_of_its_own_and_keeps_it() {
    let sim = Sim::start(SYSTEMS, &[]);
    let (transport, endpoint) = (ReqwestTransport::new(Roots::system()), Endpoint { http2: false, ..endpoint(&sim, false) });
    let mut asking = tokio::task::JoinSet::new();
    for mut own in places(&transport, &endpoint, 8).await {
        asking.spawn(async move {
            let mut answers = Vec::new();
            for system in ["short", "short", "limited", "a", "short"] {
                answers.push(ask(own.as_mut(), system).await);
            }
            answers
        });
    }
    for answers in asking.join_all().await {
        let reused: Vec<bool> = answers.iter().map(|answer| answer.connect.reused).collect();
        assert_eq!(reused, [false, true, true, true, true], "also for an exchange that follows at once");
        assert_eq!(ids(&answers).len(), 1);
    }
    let truth = sim.truth();
    assert_eq!(truth.iter().map(|line| line["connection"].as_u64().unwrap()).collect::<BTreeSet<_>>(), (0..8).collect());
}

#[tokio::test]
async fn a_connection_on_which_an_exchange_broke_off_serves_out_and_is_not_used_again() {
    let sim = Sim::start(SYSTEMS, &["--http2"]);
    let (transport, endpoint) = (ReqwestTransport::new(Roots::system()), endpoint(&sim, false));
    let mut three = places(&transport, &endpoint, 3).await;
    let [breaks, refused, goes_on] = three.as_mut_slice() else { unreachable!() };
    let (reset, limited, whole) = tokio::join!(ask(breaks.as_mut(), "reset"), ask(refused.as_mut(), "limited"), ask(goes_on.as_mut(), "a"));
    assert!(matches!(&reset.ended, Ended::ClosedEarly { message } if message.contains("stream error")), "{:?}", reset.ended);
    assert_eq!((limited.status, limited.ended), (Some(429), Ended::Complete));
    assert_eq!(whole.ended, Ended::Complete, "a reset ends one stream");
    assert!(!three[0].reusable() && three[1].reusable());
    drop(three.remove(0));
    assert!(!three[0].reusable() && !three[1].reusable(), "who shares it goes over to a new one too");
    let again = all_ask(&mut places(&transport, &endpoint, 2).await, "a").await;
    assert!(ids(&again).len() == 1 && !ids(&again).contains(&whole.connect.id));

    let mut two = places(&transport, &endpoint, 2).await;
    let [cuts, with_it] = two.as_mut_slice() else { unreachable!() };
    let (cut, neighbour) = tokio::join!(ask(cuts.as_mut(), "cut"), ask(with_it.as_mut(), "a"));
    for answer in [cut, neighbour] {
        assert!(matches!(answer.ended, Ended::ClosedEarly { .. }), "a cut ends all streams: {:?}", answer.ended);
    }
}

#[tokio::test]
async fn what_a_server_does_not_take_at_once_waits_in_the_client_and_the_wait_is_in_its_times() {
    let sim = Sim::start(SYSTEMS, &["--http2", "--http2-streams", "2"]);
    let (transport, endpoint) = (ReqwestTransport::new(Roots::system()), endpoint(&sim, false));
    let mut four = places(&transport, &endpoint, 4).await;
    ask(four[0].as_mut(), "a").await;
    let answers = all_ask(&mut four, "a").await;
    assert!(answers.iter().all(|answer| answer.ended == Ended::Complete && answer.connect.reused));
    assert_eq!(ids(&answers).len(), 1, "no second connection is opened for them");
    let first_write = answers.iter().map(|answer| answer.stamps.first_write.unwrap().0).max().unwrap();
    let truth = sim.truth();
    let mut received: Vec<u64> = truth.iter().skip(1).map(|line| line["received_ns"].as_u64().unwrap()).collect();
    received.sort();
    // Given to the client at once; the server saw the third when one of the first two was over: at least its nine gaps of 5 ms later.
    assert!(45_000_000 < received[2] - first_write, "{received:?} after {first_write}");
}

#[tokio::test]
async fn a_server_without_http2_is_told_as_such() {
    let sim = Sim::start(SYSTEMS, &["--tls-port", "0"]);
    let transport = ReqwestTransport::new(Roots::system());
    for (tls, words) in [(false, "does this server speak HTTP/2?"), (true, "this server offers no HTTP/2: leave out `http2: true`")] {
        let mut connection = transport.connect(&endpoint(&sim, tls)).await.unwrap();
        let answer = ask(connection.as_mut(), "a").await;
        match (&answer.ended, tls) {
            // As what came of its HTTP/1.1 answer: bytes that are no frame, or a connection that is gone.
            (Ended::Unreadable { message } | Ended::ClosedEarly { message }, false)
            | (Ended::ConnectFailed { stage: Stage::Tls, message, local: false }, true) => {
                assert!(message.ends_with(words), "{message}");
            }
            (other, _) => panic!("{other:?}"),
        }
    }
}
