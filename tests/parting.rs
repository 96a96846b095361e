//! Between two exchanges: a server that closes its connections without having said so costs no request.

mod raw_server;

use photofinish::timeline::{Ended, Mark};
use photofinish::wire::{Connection, Endpoint, Frame, Framing, Head, KernelTransport, Roots, Transport, Watch, WireRequest};
use raw_server::{Line, Server, Step, end, head, one, serve};
use std::net::TcpListener;

struct Blind;

impl Watch for Blind {
    fn head(&mut self, _: Head<'_>) {}
    fn body(&mut self, _: &[u8]) {}
    fn frame(&mut self, _: Frame<'_>) {}
    fn comment(&mut self, _: &[u8]) {}
    fn mark(&mut self, _: Mark) {}
}

fn request() -> WireRequest {
    WireRequest {
        method: "POST",
        path: "/".to_owned(),
        headers: Vec::new(),
        body: b"{}".to_vec(),
        framing: Framing::Sse,
        largest_line: 1 << 20,
        largest_body: 1 << 20,
    }
}

async fn connect(port: u16) -> Box<dyn Connection> {
    let host = "127.0.0.1".to_owned();
    let endpoint = Endpoint { host, port, tls: false, ca_file: None, proxy: None, http2: false, connect_ms: 10_000 };
    KernelTransport::new(Roots::system()).connect(&endpoint).await.unwrap()
}

/// As llama.cpp does: a whole chunked reply that promises nothing to the contrary, and the connection closed right behind it.
#[tokio::test]
async fn a_connection_that_is_closed_right_behind_its_reply_is_not_used_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let replies = 20;
    let server = std::thread::spawn(move || {
        for _ in 0..replies {
            serve(&mut Line::plain(listener.accept().unwrap().0), vec![head(), one(3), end(), Step::Wait(500)]);
        }
    });
    let mut kept: Option<Box<dyn Connection>> = None;
    for number in 1..=replies {
        let mut connection = match kept.take().filter(|connection| connection.reusable()) {
            Some(connection) => connection,
            None => connect(port).await,
        };
        assert_eq!(connection.exchange(&request(), &mut Blind).await, Ended::Complete, "request {number}");
        connection.part().await;
        kept = Some(connection);
    }
    server.join().unwrap();
}

#[tokio::test]
async fn a_connection_that_stays_open_is_used_again() {
    let server = Server::plain(vec![head(), one(3), end(), Step::NextRequest, head(), one(3), end(), Step::NextRequest]);
    let mut connection = connect(server.address.port()).await;
    for served in 1..=2 {
        assert_eq!(connection.exchange(&request(), &mut Blind).await, Ended::Complete);
        connection.part().await;
        assert!(connection.reusable());
        assert_eq!(connection.facts().connect.reused, served == 2);
    }
}
