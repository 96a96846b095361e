//! Connections: phases apart, kept alive, through a proxy, and every way in which one can fail, each told as what it is.

mod raw_server;

use photofinish::clock::Clock;
use photofinish::dialect::{Decoder, Emit};
use photofinish::exchange::exchange;
use photofinish::record::{Answer, Limits};
use photofinish::timeline::{Ended, Limit, Phase, Stage, StreamEvent};
use photofinish::wire::{
    Connection, Endpoint, Frame, Framing, HeaderText, KernelTransport, ReqwestTransport, Roots, Transport, WireRequest,
};
use raw_server::{Line, Server, Step, chunk, end, head, one, raw, read_request, serve};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

fn endpoint(address: SocketAddr) -> Endpoint {
    let (host, port) = (address.ip().to_string(), address.port());
    Endpoint { host, port, tls: false, ca_file: None, proxy: None, http2: false, connect_ms: 10_000 }
}
fn to(server: &Server) -> Endpoint {
    let ca_file = server.ca.as_ref().map(|file| file.path().to_owned());
    Endpoint { tls: ca_file.is_some(), ca_file, ..endpoint(server.address) }
}
fn kernel() -> Box<dyn Transport> {
    Box::new(KernelTransport::new(Roots::system()))
}
fn by_reqwest() -> Box<dyn Transport> {
    Box::new(ReqwestTransport::new(Roots::system()))
}
fn request() -> WireRequest {
    WireRequest {
        method: "POST",
        path: "/v1/chat?stream=1".to_owned(),
        headers: vec![("authorization".to_owned(), HeaderText::Secret("Bearer sk-1".into()))],
        body: b"{\"a\":1}".to_vec(),
        framing: Framing::Sse,
        largest_line: 4096,
        largest_body: 16_384,
    }
}

/// Takes the data of every frame as content, and says of a body without frames what it is.
struct AsItIs;
impl Decoder for AsItIs {
    fn feed(&mut self, frame: &Frame<'_>, emit: Emit<'_>) {
        let text = std::str::from_utf8(frame.data).unwrap();
        emit(StreamEvent::Delta { phase: Phase::Content, text, held: 0 });
    }
    fn body(&mut self, _: u16, content_type: Option<&str>, body: &[u8], emit: Emit<'_>) {
        let text = format!("{}: {}", content_type.unwrap_or("?"), String::from_utf8_lossy(body));
        emit(StreamEvent::Delta { phase: Phase::Content, text: &text, held: 0 });
    }
    fn finish(&mut self, _: Emit<'_>) {}
}

async fn ask(connection: &mut dyn Connection) -> Answer {
    ask_within(connection, 30_000, 30_000, 30_000).await
}
async fn ask_within(connection: &mut dyn Connection, first_token_ms: u64, idle_ms: u64, total_ms: u64) -> Answer {
    let request = request();
    let (largest_line, largest_body) = (request.largest_line, request.largest_body);
    let limits = Limits { connect_ms: 10_000, first_token_ms, idle_ms, total_ms, largest_line, largest_body };
    exchange(connection, &request, Box::new(AsItIs), &limits, &Clock::System).await
}
async fn answer(server: Server) -> Answer {
    let mut connection = kernel().connect(&to(&server)).await.unwrap();
    ask(&mut *connection).await
}
fn content(answer: &Answer) -> &str {
    &answer.text.as_ref().unwrap().content
}
fn message(answer: &Answer) -> &str {
    match &answer.ended {
        Ended::ClosedEarly { message } | Ended::Unreadable { message } | Ended::TooLarge { message } => message,
        Ended::SendFailed { message } | Ended::ConnectFailed { message, .. } => message,
        other => panic!("{other:?}"),
    }
}

fn twice() -> Vec<Step> {
    let reply = |text: usize| vec![head(), one(text), one(text), end()];
    [reply(2), vec![Step::NextRequest], reply(3)].concat()
}

#[tokio::test]
async fn a_connection_is_kept_alive_and_its_phases_are_told_once() {
    for transport in [kernel(), by_reqwest()] {
        for server in [Server::plain(twice()), Server::tls(twice())] {
            let tls = server.ca.is_some();
            let mut connection = transport.connect(&to(&server)).await.unwrap();
            let first = ask(&mut *connection).await;
            assert_eq!((first.ended.clone(), content(&first)), (Ended::Complete, "xxxx"));
            assert!(connection.reusable());
            let second = ask(&mut *connection).await;
            assert_eq!((second.ended.clone(), content(&second)), (Ended::Complete, "xxxxxx"));
            assert_eq!((first.connect.reused, second.connect.reused), (false, true));
            assert_eq!(first.connect.id, second.connect.id);
            assert_eq!(second.connect.total_ns(), None);
            assert_eq!(first.connect.http.as_deref(), Some("HTTP/1.1"));
            assert!(first.stamps.closed.unwrap() <= second.stamps.first_write.unwrap());
            if first.connect.local_port.is_some() {
                assert!(first.connect.total_ns().unwrap() > 0);
                assert_eq!((first.connect.tls_ns.is_some(), first.connect.tls.is_some()), (tls, tls));
                assert_eq!(first.connect.dns_ns, None, "an address needs no look-up");
            }
            let (_, requests) = server.truth();
            assert_eq!(requests.len(), 2);
            let text = requests[0].to_lowercase();
            assert!(text.starts_with("post /v1/chat?stream=1 http/1.1\r\n") && text.ends_with("\r\n\r\n{\"a\":1}"), "{text}");
            for header in ["accept-encoding: identity\r\n", "content-length: 7\r\n", "authorization: bearer sk-1\r\n", "host: 127.0.0.1:"] {
                assert_eq!(text.matches(header).count(), 1, "{header} in {text}");
            }
        }
    }
}

#[tokio::test]
async fn a_name_is_looked_up_and_its_dead_addresses_are_passed_over() {
    let server = Server::plain(vec![head(), one(1), end()]);
    let mut connection = kernel().connect(&Endpoint { host: "localhost".to_owned(), ..to(&server) }).await.unwrap();
    let answer = ask(&mut *connection).await;
    assert_eq!(answer.ended, Ended::Complete);
    assert!(answer.connect.dns_ns.unwrap() > 0 && answer.connect.peer.unwrap().starts_with("127.0.0.1:"));
}

#[tokio::test]
async fn a_connection_that_the_server_closed_is_not_used_again() {
    let mut connection = kernel().connect(&to(&Server::plain(vec![head(), one(1), end()]))).await.unwrap();
    assert_eq!(ask(&mut *connection).await.ended, Ended::Complete);
    // The server's thread ends and closes; its FIN is seen without reading.
    while connection.reusable() {
        tokio::task::yield_now().await;
    }
    // Who uses it all the same learns why it failed, and that nothing was tried again.
    let answer = ask(&mut *connection).await;
    assert!(matches!(answer.ended, Ended::ClosedEarly { .. } | Ended::SendFailed { .. }), "{:?}", answer.ended);
    assert!(message(&answer).contains("had been kept alive (its exchange number 2), and nothing was tried again"), "{}", message(&answer));
    assert!(answer.connect.reused && answer.stamps.first_write.is_some());
    let closing = raw("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    let server = Server::plain(vec![closing, Step::NextRequest]);
    let mut connection = kernel().connect(&to(&server)).await.unwrap();
    assert_eq!(ask(&mut *connection).await.ended, Ended::Complete);
    assert!(!connection.reusable(), "it said so");
}

#[tokio::test]
async fn reqwest_says_when_it_opened_another_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        for _ in 0..2 {
            serve(&mut Line::plain(listener.accept().unwrap().0), vec![head(), one(1), end()]);
        }
    });
    let mut connection = by_reqwest().connect(&endpoint(address)).await.unwrap();
    let first = ask(&mut *connection).await;
    tokio::time::sleep(std::time::Duration::from_millis(50)).await; // the server closes, and reqwest's pool notices
    let second = ask(&mut *connection).await;
    assert_eq!((first.ended, second.ended), (Ended::Complete, Ended::Complete));
    assert!(!second.connect.reused && first.connect.id != second.connect.id);
    server.join().unwrap();
}

/// A proxy for one connection: it answers CONNECT with `answer` and, on 200, passes bytes on. Returns the CONNECT request.
fn proxy(answer: &'static str) -> (SocketAddr, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let thread = std::thread::spawn(move || {
        let client = listener.accept().unwrap().0;
        let asked = read_request(&mut Line::plain(client.try_clone().unwrap()));
        (&client).write_all(answer.as_bytes()).unwrap();
        if answer.contains(" 200 ") {
            let to = asked.split(' ').nth(1).unwrap();
            let server = TcpStream::connect(to).unwrap();
            let pass = |mut from: TcpStream, mut to: TcpStream| {
                let mut room = [0; 4096];
                while let Ok(n @ 1..) = from.read(&mut room) {
                    let _ = to.write_all(&room[..n]);
                }
                let _ = to.shutdown(std::net::Shutdown::Write);
            };
            let (from, back) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            let up = std::thread::spawn(move || pass(from, back));
            pass(server, client.try_clone().unwrap());
            let _ = client.shutdown(std::net::Shutdown::Both);
            up.join().unwrap();
        }
        asked
    });
    (address, thread)
}

#[tokio::test]
async fn a_proxy_is_a_tunnel_with_a_time_of_its_own() {
    for transport in [kernel(), by_reqwest()] {
        let server = Server::tls(vec![head(), one(1), end()]);
        let (address, asked) = proxy("HTTP/1.1 200 Connection established\r\nproxy-agent: x\r\n\r\n");
        let through = Endpoint { proxy: Some(format!("http://ann:s3cret@{address}")), ..to(&server) };
        let mut connection = transport.connect(&through).await.unwrap();
        let answer = ask(&mut *connection).await;
        assert_eq!((answer.ended.clone(), content(&answer)), (Ended::Complete, "x"));
        if answer.connect.local_port.is_some() {
            assert!(answer.connect.proxy_ns.unwrap() > 0 && answer.connect.tls_ns.unwrap() > 0 && answer.timeline.len() == 1);
        }
        drop(connection);
        let asked = asked.join().unwrap();
        assert!(asked.starts_with(&format!("CONNECT {} HTTP/1.1\r\n", server.address)), "{asked}");
        assert!(asked.to_lowercase().contains("proxy-authorization: basic yw5uonmzy3jlda=="), "{asked}");
    }
}

#[tokio::test]
async fn a_proxy_that_refuses_is_our_own_fault_and_its_password_is_not_told() {
    let (address, asked) = proxy("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 4\r\n\r\nno!\n");
    let proxy = Some(format!("http://ann:s3cret@{address}"));
    let failure = kernel().connect(&Endpoint { proxy, tls: true, ..endpoint("127.0.0.1:9".parse().unwrap()) }).await.err().unwrap();
    assert_eq!((failure.stage, failure.local), (Stage::Proxy, true));
    assert!(failure.message.contains("407") && !failure.message.contains("s3cret"), "{}", failure.message);
    asked.join().unwrap();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = Some(format!("http://ann:s3cret@{nobody}"));
    let failure = kernel().connect(&Endpoint { proxy, ..endpoint("127.0.0.1:9".parse().unwrap()) }).await.err().unwrap();
    assert_eq!((failure.stage, failure.local, failure.timed_out), (Stage::Proxy, true, false));
    assert!(!failure.message.contains("s3cret"));
}

#[tokio::test]
async fn a_connection_that_does_not_come_about_says_in_which_step() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = kernel().connect(&endpoint(nobody)).await.err().unwrap();
    assert_eq!((refused.stage, refused.local, refused.timed_out), (Stage::Tcp, false, false));
    let mut connection = by_reqwest().connect(&endpoint(nobody)).await.unwrap();
    let answer = ask(&mut *connection).await;
    assert!(matches!(answer.ended, Ended::ConnectFailed { stage: Stage::Tcp, local: false, .. }), "{:?}", answer.ended);
    assert_eq!(answer.stamps.first_write, None);

    let stranger = Server::tls(vec![]);
    for transport in [kernel(), by_reqwest()] {
        // The system's roots do not know this certificate, and nothing can switch the check off.
        let address = Server::tls(vec![]);
        let untrusted = Endpoint { ca_file: stranger.ca.as_ref().map(|file| file.path().to_owned()), ..to(&address) };
        let ended = match transport.connect(&untrusted).await {
            Err(failure) => photofinish::exchange::connect_failed(failure).ended,
            Ok(mut connection) => ask(&mut *connection).await.ended,
        };
        let Ended::ConnectFailed { stage: Stage::Tls, message, local: false } = ended else { panic!("{ended:?}") };
        assert!(message.contains("certificate"), "{message}");
    }

    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let slow = Endpoint { tls: true, connect_ms: 30, ca_file: to(&stranger).ca_file, ..endpoint(silent.local_addr().unwrap()) };
    let failure = kernel().connect(&slow).await.err().unwrap();
    assert_eq!((failure.stage, failure.timed_out), (Stage::Tls, true));
    assert!(failure.connect.tcp_ns.is_some(), "what is known of the attempt is kept");

    let plain = TcpListener::bind("127.0.0.1:0").unwrap();
    let wrong = Endpoint { tls: true, ca_file: to(&stranger).ca_file, ..endpoint(plain.local_addr().unwrap()) };
    let server = std::thread::spawn(move || plain.accept().unwrap().0.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    let failure = kernel().connect(&wrong).await.err().unwrap();
    assert_eq!((failure.stage, failure.timed_out), (Stage::Tls, false));
    assert!(failure.message.contains("http://"), "{}", failure.message);
    server.join().unwrap().unwrap();

    let failure = kernel().connect(&Endpoint { host: "no..name".to_owned(), ..endpoint(nobody) }).await.err().unwrap();
    assert_eq!((failure.stage, failure.timed_out), (Stage::Dns, false), "{}", failure.message);
}

#[tokio::test]
async fn what_is_no_http_or_no_identity_is_unreadable() {
    let junk = answer(Server::plain(vec![raw("SSH-2.0-OpenSSH_9.9\r\n")])).await;
    assert_eq!((junk.ended.clone(), junk.status), (Ended::Unreadable { message: "not HTTP/1.x".to_owned() }, None));
    let framing = answer(Server::plain(vec![head(), one(2), raw("zz\r\n")])).await;
    assert!(matches!(framing.ended, Ended::Unreadable { .. }), "{:?}", framing.ended);
    assert_eq!(content(&framing), "xx", "what had come is kept");
    let gzip = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\n\x1f\x08x";
    for transport in [kernel(), by_reqwest()] {
        let server = Server::plain(vec![raw(gzip)]);
        let mut connection = transport.connect(&to(&server)).await.unwrap();
        let answer = ask(&mut *connection).await;
        assert!(matches!(answer.ended, Ended::Unreadable { .. }), "{:?}", answer.ended);
        assert_eq!(answer.headers["content-encoding"], "gzip");
        assert!(!connection.reusable());
    }
}

#[tokio::test]
async fn a_stream_that_breaks_off_keeps_what_had_come() {
    for transport in [kernel(), by_reqwest()] {
        for (steps, tls) in [(vec![head(), one(2), one(1)], false), (vec![head(), one(2), one(1)], true)] {
            let server = if tls { Server::tls(steps) } else { Server::plain(steps) };
            let mut connection = transport.connect(&to(&server)).await.unwrap();
            let answer = ask(&mut *connection).await;
            assert!(matches!(answer.ended, Ended::ClosedEarly { .. }), "{:?}", answer.ended);
            assert_eq!((content(&answer), answer.frames, answer.status), ("xxx", 2, Some(200)));
            assert!(!connection.reusable());
        }
    }
    let silent = answer(Server::plain(vec![])).await;
    assert_eq!(message(&silent), "the server closed the connection before any byte of a response");
    let in_head = answer(Server::plain(vec![raw("HTTP/1.1 200 OK\r\nserv")])).await;
    assert!(message(&in_head).contains("inside the response's head"));
}

#[tokio::test]
async fn a_line_or_a_body_over_its_limit_ends_the_exchange() {
    for transport in [kernel(), by_reqwest()] {
        for (steps, what) in [(vec![head(), one(2), one(5000)], "line"), (vec![head(), one(2), raw("fffff\r\n"), one(3000)], "body")] {
            let mut steps = steps;
            if what == "body" {
                steps.extend((0..10).map(|_| one(3000)));
            }
            let server = Server::plain(steps);
            let mut connection = transport.connect(&to(&server)).await.unwrap();
            let answer = ask(&mut *connection).await;
            assert!(matches!(&answer.ended, Ended::TooLarge { message } if message.contains(what)), "{:?} for a {what}", answer.ended);
            assert!(content(&answer).starts_with("xx"));
        }
    }
}

#[tokio::test]
async fn an_early_refusal_is_read_although_the_request_could_not_be_written() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let mut client = listener.accept().unwrap().0;
        let mut room = [0; 100];
        client.read_exact(&mut room).unwrap();
        let said = b"HTTP/1.1 413 Too Large\r\ncontent-type: text/plain\r\ncontent-length: 3\r\n\r\nbig";
        client.write_all(said).unwrap();
        client.shutdown(std::net::Shutdown::Write).unwrap();
        let _ = client.read_to_end(&mut Vec::new());
    });
    let mut connection = kernel().connect(&endpoint(address)).await.unwrap();
    let answer = ask(&mut *connection).await;
    assert_eq!((answer.status, content(&answer)), (Some(413), "text/plain: big"));
    drop(connection);
    server.join().unwrap();
}

#[tokio::test]
async fn limits_end_an_exchange_and_its_facts_stay_readable() {
    let hang = || Step::NextRequest; // reads until the client goes away
    let server = Server::plain(vec![head(), Step::Write { bytes: chunk(b": keep-alive\n\n"), events: 0 }, hang()]);
    let mut connection = kernel().connect(&to(&server)).await.unwrap();
    let answer = ask_within(&mut *connection, 60, 30_000, 30_000).await;
    assert_eq!(answer.ended, Ended::TimedOut { limit: Limit::FirstToken });
    assert!(answer.stamps.first_write.is_some() && answer.stamps.head.is_some() && answer.stamps.closed.is_some());
    assert_eq!((answer.status, answer.connect.id > 0, connection.reusable()), (Some(200), true, false));

    let server = Server::tls(vec![head(), one(3), one(4), hang()]);
    let mut connection = kernel().connect(&to(&server)).await.unwrap();
    let answer = ask_within(&mut *connection, 30_000, 60, 30_000).await;
    assert_eq!((answer.ended.clone(), content(&answer)), (Ended::TimedOut { limit: Limit::Idle }, "xxxxxxx"));
    assert!(answer.reads.count > 0 && answer.timeline.len() == 2);

    let server = Server::plain(vec![hang()]);
    let mut connection = by_reqwest().connect(&to(&server)).await.unwrap();
    let answer = ask_within(&mut *connection, 30_000, 30_000, 60).await;
    assert_eq!((answer.ended.clone(), answer.status), (Ended::TimedOut { limit: Limit::Total }, None));
}

#[tokio::test]
async fn frames_of_one_json_object_a_line() {
    let body = [chunk(b"{\"a\":1}\n{\"b\""), chunk(b":2}\r\n{\"c\":3}")].concat();
    let server = Server::plain(vec![head(), Step::Write { bytes: body, events: 0 }, end()]);
    let mut connection = kernel().connect(&to(&server)).await.unwrap();
    let request = WireRequest { framing: Framing::Ndjson, ..request() };
    let limits = Limits {
        connect_ms: 1,
        first_token_ms: 30_000,
        idle_ms: 30_000,
        total_ms: 30_000,
        largest_line: request.largest_line,
        largest_body: request.largest_body,
    };
    let answer = exchange(&mut *connection, &request, Box::new(AsItIs), &limits, &Clock::System).await;
    assert_eq!((content(&answer), answer.frames), ("{\"a\":1}{\"b\":2}{\"c\":3}", 2));
}
