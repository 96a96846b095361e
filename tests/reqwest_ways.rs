//! What only `transport: reqwest` does: SOCKS and HTTP/2, through the real binary.

mod race;

use photofinish::metric::Outcome;
use photofinish::store::Run;
use race::{Sim, ends_with, only_run, photofinish, read, scored};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

fn raced(home: &Path, target: &str, more: &str) -> Run {
    let plan = format!("name: ways\nrounds: 1\nprompts: 1\ntargets:\n  - {{target: '{target}', name: it, transport: reqwest, {more}}}\n");
    std::fs::write(home.join("plan.yaml"), plan).unwrap();
    ends_with(0, photofinish(home).args(["run", "plan.yaml"]));
    Run::open(&only_run(&home.join("results"))).unwrap()
}

/// A SOCKS5 proxy without authentication, for as long as the test runs. Counts what it connected.
fn socks() -> (u16, Arc<AtomicU32>) {
    let (listener, served) = (TcpListener::bind("127.0.0.1:0").unwrap(), Arc::new(AtomicU32::new(0)));
    let (port, count) = (listener.local_addr().unwrap().port(), served.clone());
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let count = count.clone();
            std::thread::spawn(move || relay(client, &count));
        }
    });
    (port, served)
}

/// RFC 1928: greeting, CONNECT to an IPv4 address, then bytes both ways.
fn relay(mut client: TcpStream, count: &AtomicU32) {
    let mut greeting = [0; 2];
    client.read_exact(&mut greeting).unwrap();
    let mut methods = vec![0; usize::from(greeting[1])];
    client.read_exact(&mut methods).unwrap();
    client.write_all(&[5, 0]).unwrap();
    let mut wanted = [0; 10];
    client.read_exact(&mut wanted).unwrap();
    assert_eq!(wanted[..4], [5, 1, 0, 1], "CONNECT to an IPv4 address");
    let port = u16::from_be_bytes([wanted[8], wanted[9]]);
    let mut server = TcpStream::connect(("127.0.0.1", port)).unwrap();
    count.fetch_add(1, Ordering::SeqCst);
    client.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 0]).unwrap();
    let (mut to, mut from) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    std::thread::spawn(move || std::io::copy(&mut from, &mut to));
    let _ = std::io::copy(&mut server, &mut client);
}

#[test]
fn a_socks_proxy_is_used_where_the_plan_names_it() {
    let home = tempfile::tempdir().unwrap();
    let sim = Sim::start("builtin:faults", &[]);
    let (port, served) = socks();
    let run = raced(home.path(), &sim.target("healthy"), &format!("proxy: 'socks5://127.0.0.1:{port}'"));
    assert!(0 < served.load(Ordering::SeqCst), "it went past the proxy");
    assert_eq!(read(&run, scored(&run, "it"), |reply| reply.outcome), Outcome::Ok);
    assert_eq!(run.manifest.targets[0].proxy.as_deref(), Some(format!("socks5://127.0.0.1:{port}").as_str()), "the manifest says so");
    let answer = scored(&run, "it").answer.as_deref().unwrap();
    assert!(answer.timeline.points().all(|point| !point.exact()), "user-space times are intervals");
    let table = ends_with(0, photofinish(home.path()).args(["table", "latest"]));
    assert!(String::from_utf8(table.stdout).unwrap().contains("user-space times"), "the table says so");
    for name in ["overall_speed", "content_speed", "reasoning_speed", "decode"] {
        let metric = photofinish::metric::metric(name).unwrap();
        let seen = read(&run, scored(&run, "it"), |reply| (metric.of)(reply)).unwrap();
        assert!(seen.low <= seen.value && seen.value < seen.high, "{name}: what the client saw, with what it cannot exclude: {seen:?}");
    }
}

/// An HTTP/2 server without TLS that answers every request with a stream of three words.
fn http2() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    listener.set_nonblocking(true).unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((tcp, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut connection = h2::server::handshake(tcp).await.unwrap();
                    while let Some(Ok((request, mut respond))) = connection.accept().await {
                        assert_eq!(request.version(), http::Version::HTTP_2);
                        let head = http::Response::builder().header("content-type", "text/event-stream").body(()).unwrap();
                        let mut body = respond.send_response(head, false).unwrap();
                        for word in ["one", " two", " three"] {
                            let event = format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{word}\"}}}}]}}\n\n");
                            body.send_data(event.into(), false).unwrap();
                        }
                        let end = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
                        body.send_data(end.into(), true).unwrap();
                    }
                });
            }
        });
    });
    port
}

#[test]
fn http2_is_spoken_where_the_plan_asks_for_it_and_the_record_says_so() {
    let home = tempfile::tempdir().unwrap();
    let run = raced(home.path(), &format!("http://127.0.0.1:{}/v1=m", http2()), "http2: true");
    let answer = scored(&run, "it").answer.as_deref().unwrap();
    assert_eq!(answer.connect.http.as_deref(), Some("HTTP/2.0"));
    assert_eq!(answer.text.as_ref().unwrap().content, "one two three");
    assert_eq!(read(&run, scored(&run, "it"), |reply| reply.outcome), Outcome::Ok);
}

#[test]
fn under_load_all_users_of_a_target_share_one_http2_connection_unless_each_request_is_to_be_cold() {
    let home = tempfile::tempdir().unwrap();
    let sim = Sim::start("builtin:calibration", &["--http2", "--scale", "10"]);
    let target = format!("  - {{target: '{}', name: it, transport: reqwest, http2: true}}\n", sim.target("calibration"));
    std::fs::write(home.path().join("plan.yaml"), format!("name: ways\ntargets:\n{target}")).unwrap();
    for (cold, connections) in [(false, 1), (true, 24)] {
        let results = if cold { "cold" } else { "warm" };
        let mut load = photofinish(home.path());
        load.args(["load", "plan.yaml", "--stages", "8", "--requests", "24", "--passes", "1", "--rest", "0s", "--results", results]);
        if cold {
            load.arg("--cold");
        }
        ends_with(0, &mut load);
        let run = Run::open(&only_run(&home.path().join(results))).unwrap();
        let answers: Vec<_> =
            run.trials.iter().filter_map(|trial| trial.answer.as_deref()).filter(|answer| !answer.timeline.is_empty()).collect();
        assert!(24 <= answers.len(), "{}", answers.len());
        assert!(answers.iter().all(|answer| answer.connect.http.as_deref() == Some("HTTP/2.0")));
        let ids: std::collections::BTreeSet<u64> = answers.iter().map(|answer| answer.connect.id).collect();
        assert!(if cold { connections <= ids.len() } else { ids.len() == connections }, "{} connections", ids.len());
    }
}
