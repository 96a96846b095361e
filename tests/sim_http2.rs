//! The simulator over HTTP/2: many streams on one connection, the truth of each, and its faults, against the `h2` crate's client.

mod simulator;

use h2::client::SendRequest;
use h2::{Reason, RecvStream};
use http::{Request, Version};
use photofinish::clock::mono;
use serde_json::Value;
use simulator::{ASK, Answer, Sim, connect_tls, post};
use std::io::{Read, Write};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

const SYSTEMS: &str = "defaults: {ttft_ms: 20, content: {tokens: 10, speed: 200}}\n\
    systems:\n  a: {}\n  reset: {faults: {reset_midstream: 1}}\n  cut: {faults: {body_cut: 1}}\n  silent-reset: {faults: {reset_before_headers: 1}}\n  \
    closed: {faults: {close_before_headers: 1}}\n  hang: {faults: {hang_midstream: 1}}\n  early: {faults: {ends_early: 1}}\n  drip: {faults: {slow_drip: 1}}\n  \
    limited: {faults: {rate_limited: 1}}\n  old: {faults: {http10: 1}}\n  several: {faults: {chunks_in_one_write: 1}}\n";

/// One answer as it came: status, the payload of each DATA frame with the time it was seen, and how the stream ended.
#[derive(Debug)]
struct Seen {
    status: u16,
    frames: Vec<(u64, Vec<u8>)>,
    ended: Result<(), h2::Error>,
}

impl Seen {
    fn body(&self) -> String {
        String::from_utf8_lossy(&self.frames.iter().flat_map(|(_, bytes)| bytes.clone()).collect::<Vec<_>>()).into_owned()
    }
}

async fn talk(io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> SendRequest<std::io::Cursor<Vec<u8>>> {
    let (client, connection) = h2::client::Builder::new().handshake(io).await.unwrap();
    tokio::spawn(async move {
        // How it ends is seen by its streams.
        let _ = connection.await;
    });
    client
}

async fn connect(sim: &Sim) -> SendRequest<std::io::Cursor<Vec<u8>>> {
    talk(TcpStream::connect(sim.address()).await.unwrap()).await
}

async fn ask(client: &SendRequest<std::io::Cursor<Vec<u8>>>, system: &str, id: &str) -> Seen {
    let mut client = client.clone().ready().await.unwrap();
    let uri = format!("http://sim/{system}/chat/completions");
    let request = Request::post(uri).version(Version::HTTP_2).header("x-request-id", id).body(()).unwrap();
    let (response, mut body) = client.send_request(request, false).unwrap();
    body.send_data(std::io::Cursor::new(ASK.as_bytes().to_vec()), true).unwrap();
    match response.await {
        Err(error) => Seen { status: 0, frames: vec![], ended: Err(error) },
        Ok(response) => {
            let status = response.status().as_u16();
            let (frames, ended) = read(response.into_body()).await;
            Seen { status, frames, ended }
        }
    }
}

async fn read(mut body: RecvStream) -> (Vec<(u64, Vec<u8>)>, Result<(), h2::Error>) {
    let mut frames = Vec::new();
    while let Some(data) = body.data().await {
        let data = match data {
            Ok(data) => data,
            Err(error) => return (frames, Err(error)),
        };
        body.flow_control().release_capacity(data.len()).unwrap();
        if !data.is_empty() {
            frames.push((mono().0, data.to_vec()));
        }
    }
    (frames, Ok(()))
}

fn by_id<'t>(truth: &'t [Value], id: &str) -> &'t Value {
    truth.iter().find(|line| line["request_id"] == id).unwrap_or_else(|| panic!("no truth of {id}: {truth:?}"))
}
fn times(line: &Value, key: &str) -> Vec<u64> {
    line[key].as_array().unwrap().iter().map(|at| at.as_u64().unwrap()).collect()
}

#[tokio::test]
async fn streams_share_a_connection_and_each_chunk_is_a_frame_with_its_own_truth() {
    let sim = Sim::start(SYSTEMS, &["--http2"]);
    assert_eq!(sim.ready["http2"], true);
    let client = connect(&sim).await;
    let ids: Vec<String> = (0..30).map(|n| format!("r{n}")).collect();
    let answers = futures_util::future::join_all(ids.iter().map(|id| ask(&client, "a", id))).await;
    let truth = sim.truth();
    assert_eq!(truth.len(), 30);
    for (id, seen) in ids.iter().zip(&answers) {
        assert_eq!((seen.status, seen.ended.is_ok()), (200, true), "{:?}", seen.ended);
        assert!(seen.body().ends_with("data: [DONE]\n\n"));
        let line = by_id(&truth, id);
        assert_eq!((&line["connection"], &line["http"], &line["ended"]), (&0.into(), &"2".into(), &"clean".into()));
        assert_eq!(line["content_tokens"], 10);
        let (before, after) = (times(line, "before_ns"), times(line, "after_ns"));
        // The last write is the empty frame that ends the stream.
        assert_eq!(before.len(), seen.frames.len() + 1);
        let received = line["received_ns"].as_u64().unwrap();
        for (n, (arrived, _)) in seen.frames.iter().enumerate() {
            assert!(received < before[n] && before[n] < after[n], "the write has a beginning and an end");
            assert!(before[n] < *arrived, "frame {n} was seen before it was written");
            assert!(n == 0 || after[n - 1] <= before[n], "one after the other");
        }
    }
}

#[tokio::test]
async fn without_the_switch_the_preface_is_a_malformed_request_and_with_it_http_1_is_still_served() {
    let sim = Sim::start(SYSTEMS, &[]);
    let mut stream = sim.connect();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
    assert_eq!(Answer::read(&mut stream).status, 400);
    let sim = Sim::start(SYSTEMS, &["--http2", "--tls-port", "0"]);
    assert!(sim.stream("a").done());
    let mut tls = connect_tls(&sim);
    tls.write_all(&post("a", ASK, "")).unwrap();
    assert!(Answer::read(&mut tls).done());
    let mut stream = sim.connect();
    stream.write_all(b"PRI * HTTP/9\r\n\r\n").unwrap();
    assert_eq!(Answer::read(&mut stream).status, 400);
    // A preface and then garbage harms nobody.
    let mut stream = sim.connect();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nwhat is this, and who shall read it").unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    let truth = {
        sim.stream("a");
        sim.truth()
    };
    assert!(truth.iter().all(|line| line["http"] == "1.1" && line["ended"] == "clean"));
}

#[tokio::test]
async fn over_tls_it_is_chosen_by_alpn() {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    let sim = Sim::start(SYSTEMS, &["--http2", "--tls-port", "0"]);
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(sim.ready["ca_file"].as_str().unwrap()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let address = sim.ready["tls_base"].as_str().unwrap().strip_prefix("https://").unwrap();
    let tcp = TcpStream::connect(address).await.unwrap();
    let tls = tokio_rustls::TlsConnector::from(Arc::new(config)).connect("127.0.0.1".try_into().unwrap(), tcp).await.unwrap();
    assert_eq!(tls.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
    let client = talk(tls).await;
    let (one, two) = tokio::join!(ask(&client, "a", "one"), ask(&client, "a", "two"));
    assert!(one.body().ends_with("[DONE]\n\n") && two.body().ends_with("[DONE]\n\n"));
    drop(client);
    let truth = sim.truth();
    assert!(truth.iter().all(|line| line["tls"] == true && line["http"] == "2" && line["ended"] == "clean"), "{truth:?}");
}

#[tokio::test]
async fn a_reset_ends_a_stream_and_a_cut_the_connection() {
    let sim = Sim::start(SYSTEMS, &["--http2"]);
    let client = connect(&sim).await;
    let (reset, silent, neighbour) =
        tokio::join!(ask(&client, "reset", "reset"), ask(&client, "silent-reset", "silent"), ask(&client, "a", "neighbour"));
    assert_eq!(reset.ended.unwrap_err().reason(), Some(Reason::INTERNAL_ERROR));
    assert_eq!(reset.frames.len(), 6, "the role chunk and half of the text");
    assert_eq!((silent.status, silent.ended.unwrap_err().reason()), (0, Some(Reason::INTERNAL_ERROR)));
    assert!(neighbour.ended.is_ok() && neighbour.body().ends_with("[DONE]\n\n"), "the connection goes on");

    let (cut, neighbour) = tokio::join!(ask(&client, "cut", "cut"), ask(&client, "a", "cut with it"));
    assert!(cut.ended.is_err_and(|error| !error.is_reset()) && neighbour.ended.is_err_and(|error| !error.is_reset()));
    let client = connect(&sim).await;
    assert!(ask(&client, "closed", "closed").await.ended.is_err_and(|error| !error.is_reset()));
    let truth = sim.truth();
    let ended = |id| by_id(&truth, id)["ended"].as_str().unwrap();
    assert_eq!([ended("reset"), ended("silent"), ended("neighbour")], ["reset", "no_answer", "clean"]);
    assert_eq!([ended("cut"), ended("cut with it"), ended("closed")], ["cut", "cut", "no_answer"]);
}

#[tokio::test]
async fn other_faults_are_what_they_are_over_http_1() {
    let sim = Sim::start(SYSTEMS, &["--http2"]);
    let client = connect(&sim).await;
    let early = ask(&client, "early", "early").await;
    assert!(early.ended.is_ok() && !early.body().contains("[DONE]"));
    let limited = ask(&client, "limited", "limited").await;
    assert_eq!((limited.status, limited.ended.is_ok(), limited.body().contains("error")), (429, true, true));
    let (plain, drip) = (ask(&client, "a", "plain").await, ask(&client, "drip", "drip").await);
    assert_eq!(drip.frames.len(), plain.frames.len() + 3 * 10, "each chunk with text in four frames");
    assert!(ask(&client, "old", "old").await.body().ends_with("[DONE]\n\n"), "there is no HTTP/1.0 in it");
    assert!(
        ask(&client, "several", "several")
            .await
            .frames
            .iter()
            .any(|(_, bytes)| bytes.windows(6).filter(|six| six == b"data: ").count() == 4)
    );
    assert_eq!(ask(&client, "nobody", "nobody").await.status, 404);
    // A client that gives up a hanging stream resets it; the connection goes on.
    let patience = std::time::Duration::from_millis(300);
    assert!(tokio::time::timeout(patience, ask(&client, "hang", "hang")).await.is_err());
    assert!(ask(&client, "a", "after").await.ended.is_ok());
    drop(client);
    let truth = sim.truth();
    assert_eq!(by_id(&truth, "hang")["ended"], "hang");
    assert!(truth.iter().all(|line| line["connection"] == 0));
}

#[tokio::test]
async fn a_clients_small_window_holds_the_writes_back_and_the_truth_says_so() {
    let sim = Sim::start(SYSTEMS, &["--http2"]);
    let tcp = TcpStream::connect(sim.address()).await.unwrap();
    let (client, connection) =
        h2::client::Builder::new().initial_window_size(600).handshake::<_, std::io::Cursor<Vec<u8>>>(tcp).await.unwrap();
    tokio::spawn(connection);
    let mut ready = client.clone().ready().await.unwrap();
    let request = Request::post("http://sim/a/chat/completions").header("x-request-id", "slow").body(()).unwrap();
    let (response, mut body) = ready.send_request(request, false).unwrap();
    body.send_data(std::io::Cursor::new(ASK.as_bytes().to_vec()), true).unwrap();
    let response = response.await.unwrap().into_body();
    // Everything is due long before this client gives any room.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let looked = mono().0;
    let (frames, ended) = read(response).await;
    assert!(ended.is_ok());
    let text: String = frames.iter().map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned()).collect();
    assert!(text.ends_with("[DONE]\n\n"));
    let truth = sim.truth();
    let line = by_id(&truth, "slow");
    let late = times(line, "after_ns").iter().filter(|after| looked < **after).count();
    let writes = times(line, "before_ns").len();
    assert!(writes / 2 < late && late < writes, "{late} of {writes}: those beyond 600 bytes waited for the client");
}

#[tokio::test]
async fn a_server_that_takes_two_streams_at_once_makes_the_third_wait() {
    let sim = Sim::start(SYSTEMS, &["--http2", "--http2-streams", "2"]);
    let client = connect(&sim).await;
    assert!(ask(&client, "a", "first").await.ended.is_ok());
    let ids = ["1", "2", "3", "4"];
    let answers = futures_util::future::join_all(ids.iter().map(|id| ask(&client, "a", id))).await;
    assert!(answers.iter().all(|seen| seen.ended.is_ok()));
    let truth = sim.truth();
    let mut spans: Vec<(u64, u64)> = ids
        .iter()
        .map(|id| by_id(&truth, id))
        .map(|l| (l["received_ns"].as_u64().unwrap(), *times(l, "before_ns").last().unwrap()))
        .collect();
    spans.sort();
    assert!(spans[0].1.min(spans[1].1) < spans[2].0, "the third came when one was over: {spans:?}");
}
