//! The default transport: HTTP/1.1 over our own stamped sockets. A read, its bytes and its frames meet in one function, so that the
//! time of a frame is right by construction.

use super::blame::authority;
use super::connect::{Io, open};
use super::cut::Cutter;
use super::http1::{Fault, Piece, Response};
use super::roots::Roots;
use super::sse;
use super::timed_io::{ReadStamp, TimedIo};
use super::{ConnectFailure, Connection, Endpoint, ExchangeFacts, Head, HeaderText, Transport, Watch, WireRequest};
use crate::clock::mono;
use crate::record::{Connect, Stamps};
use crate::secret::ExposeSecret;
use crate::timeline::{Ended, Mark};
use crate::units::Stamp;
use async_trait::async_trait;
use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, ReadBuf};

/// Room for one read of a plain connection. A read that fills it is not exact, so it is larger than what providers send at once.
const ROOM: usize = 16 * 1024;
/// How long after its first reply a connection may yet be closed. On loopback it takes 0.05 ms; over a distance the closing segment
/// travels with the reply's last bytes.
const PARTING: Duration = Duration::from_millis(20);

/// Opens connections over sockets that the kernel stamps.
#[derive(Debug, Clone)]
pub struct KernelTransport {
    roots: Roots,
    room: usize,
}

impl KernelTransport {
    /// A transport that trusts these roots.
    pub fn new(roots: Roots) -> KernelTransport {
        KernelTransport { roots, room: ROOM }
    }
    /// The same with another room for one read, in bytes.
    pub fn with_room(self, room: usize) -> KernelTransport {
        KernelTransport { room: room.max(1), ..self }
    }
}

#[async_trait]
impl Transport for KernelTransport {
    async fn connect(&self, endpoint: &Endpoint) -> Result<Box<dyn Connection>, ConnectFailure> {
        let (io, connect) = open(&self.roots, endpoint).await?;
        let usual = if endpoint.tls { 443 } else { 80 };
        let host = authority(&endpoint.host, (endpoint.port != usual).then_some(endpoint.port));
        let room = self.room;
        let stamps = Stamps::default();
        Ok(Box::new(KernelConnection { io, host, room, connect, stamps, group: Vec::with_capacity(16), served: 0, good: true }))
    }
}

/// One connection of our own.
#[derive(Debug)]
pub struct KernelConnection {
    io: Io,
    host: String,
    room: usize,
    connect: Connect,
    stamps: Stamps,
    /// For each unmarked frame of the current read, which write it came in: its chunk, or itself.
    group: Vec<u32>,
    /// Exchanges begun.
    served: u32,
    good: bool,
}

#[async_trait]
impl Connection for KernelConnection {
    async fn exchange(&mut self, request: &WireRequest, watch: &mut dyn Watch) -> Ended {
        self.served += 1;
        self.good = false;
        self.connect.reused = self.served > 1;
        self.connect.http = None;
        self.stamps = Stamps::default();
        self.group.clear();
        self.io.timed_mut().begin_exchange();
        let bytes = match written(request, &self.host) {
            Ok(bytes) => bytes,
            Err(message) => return Ended::SendFailed { message },
        };
        // A server that refuses early closes its side before it has read everything; its answer is worth reading all the same.
        let unsent = self.send(&bytes).await.err();
        let mut reading = Reading::new(request, self.io.timed().writes().0);
        let ended = self.read_all(&mut reading, watch).await;
        self.settle_rest(&mut reading, watch);
        self.stamps.closed.get_or_insert_with(mono);
        self.good = ended == Ended::Complete && reading.response.keep_alive() && !reading.surplus && unsent.is_none();
        match unsent {
            Some(error) if !reading.response.has_head() => Ended::SendFailed { message: self.about_closing(&error.to_string()) },
            _ => ended,
        }
    }

    fn facts(&self) -> ExchangeFacts {
        let (first_write, last_write) = self.io.timed().writes();
        let stamps = Stamps { first_write, last_write, ..self.stamps.clone() };
        let mut connect = self.connect.clone();
        if connect.reused {
            (connect.dns_ns, connect.tcp_ns, connect.proxy_ns, connect.tls_ns) = (None, None, None, None);
        }
        ExchangeFacts { stamps, connect, reads: self.io.timed().reads().clone() }
    }

    async fn part(&mut self) {
        // Some servers (llama.cpp) promise to keep the connection and close it right behind every streamed reply. A request written into
        // that moment is lost, so the first reply on a connection waits for it; where it stays open, nobody waits a second time.
        if self.good && self.served == 1 {
            let _ = tokio::time::timeout(PARTING, self.io.timed().peer_closing()).await;
        }
    }

    fn reusable(&self) -> bool {
        self.good && self.io.timed().good_while_idle()
    }
}

impl KernelConnection {
    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.io {
            Io::Plain(io) => io.write_all(bytes).await,
            Io::Tls(tls) => {
                tls.write_all(bytes).await?;
                tls.flush().await // ciphertext may be held until a flush
            }
        }
    }

    /// Reads until the response is over, one way or another.
    async fn read_all(&mut self, reading: &mut Reading, watch: &mut dyn Watch) -> Ended {
        while !reading.response.done() {
            let group = &mut self.group;
            // `taken`: what came of the bytes of at most one recvmsg; `used_up`: no more plaintext of that recvmsg is to come.
            let (read, taken, used_up) = match &mut self.io {
                Io::Plain(io) => {
                    let room = self.room;
                    let take = |bytes: &[u8]| (bytes.len(), reading.take(bytes, group, watch));
                    match read_in_room(io, room, take).await {
                        Ok((read, taken)) => (read, taken, true),
                        Err(error) => return broken(&error),
                    }
                }
                // `fill_buf`, never `read`: tokio-rustls' `poll_read` goes back to the socket until the caller's buffer is full, so that one
                // call may span several reads. `fill_buf` touches the socket only while rustls holds no plaintext, and rustls decrypts every
                // complete record of a read at once: the latest read is the one that these bytes came from.
                Io::Tls(tls) => match tls.fill_buf().await {
                    Ok(bytes) => {
                        let read = bytes.len();
                        let taken = reading.take(bytes, group, watch);
                        tls.consume(read);
                        (read, taken, tls.get_ref().1.wants_read())
                    }
                    // Many servers close without close_notify; what the response lacks then shows in its framing.
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => (0, Ok(()), true),
                    Err(error) => return broken(&error),
                },
            };
            if read == 0 {
                let complete = reading.response.close();
                self.stamps.closed = Some(mono());
                return if complete { Ended::Complete } else { Ended::ClosedEarly { message: self.eof_words(reading) } };
            }
            let stamp = self.io.timed().last_read();
            self.note(reading, &stamp);
            if used_up {
                let stamp = self.proved(stamp, reading);
                reading.settle(&stamp, &mut self.group, watch);
            }
            if let Err(ended) = taken {
                return ended;
            }
        }
        self.stamps.closed = Some(Stamp(self.io.timed().last_read().at));
        Ended::Complete
    }

    /// Times that only the first read of something sets.
    fn note(&mut self, reading: &mut Reading, stamp: &ReadStamp) {
        self.stamps.first_byte.get_or_insert(Stamp(stamp.at));
        if self.stamps.head.is_none() && reading.response.has_head() {
            self.stamps.head = Some(Stamp(stamp.at));
            self.connect.http = Some(reading.response.version().to_owned());
        }
        if std::mem::take(&mut reading.body_in_read) {
            reading.body_stamp = *stamp;
        }
    }

    /// A closing segment lends its time to the bytes that wait before it. A chunked body that is complete shows by its own last chunk that
    /// nothing was closed before (and of one that is not, the exchange knows); any other has to be asked.
    fn proved(&self, mut stamp: ReadStamp, reading: &Reading) -> ReadStamp {
        if stamp.exact_end && !reading.response.chunked() && !self.group.is_empty() {
            stamp.exact_end = !self.io.timed().peer_closed();
        }
        stamp
    }

    /// What is left unmarked when the response ends, or when a close_notify makes rustls want no more, inside a read; and the frame
    /// that the end of the body cut off.
    fn settle_rest(&mut self, reading: &mut Reading, watch: &mut dyn Watch) {
        let mut stamp = self.io.timed().last_read();
        stamp.exact_end = false; // a record that closes the session came after them
        reading.settle(&stamp, &mut self.group, watch);
        let mut stamp = reading.body_stamp;
        stamp.exact_end = false;
        reading.finish(&mut self.group, watch);
        reading.settle(&stamp, &mut self.group, watch);
    }

    fn eof_words(&self, reading: &Reading) -> String {
        match (reading.response.begun(), reading.response.has_head()) {
            (false, _) => self.about_closing("the server closed the connection before any byte of a response"),
            (true, false) => "the server closed the connection inside the response's head".to_owned(),
            (true, true) => "the server closed the connection before the response's end".to_owned(),
        }
    }
    fn about_closing(&self, what: &str) -> String {
        match self.served {
            ..=1 => what.to_owned(),
            n => format!("{what}; the connection had been kept alive (its exchange number {n}), and nothing was tried again"),
        }
    }
}

thread_local! {
    /// The room that all plain connections of a thread read into: bytes are taken before another read, and it stays in the cache.
    static SHARED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// One read, and what is made of its bytes, within one poll.
async fn read_in_room<T>(io: &mut TimedIo, room: usize, mut take: impl FnMut(&[u8]) -> T) -> io::Result<T> {
    poll_fn(|cx| {
        SHARED.with_borrow_mut(|bytes| {
            bytes.resize(room.max(bytes.len()), 0);
            let mut place = ReadBuf::new(&mut bytes[..room]);
            ready!(Pin::new(&mut *io).poll_read(cx, &mut place))?;
            Poll::Ready(Ok(take(place.filled())))
        })
    })
    .await
}

fn broken(error: &io::Error) -> Ended {
    match error.kind() {
        io::ErrorKind::InvalidData => Ended::Unreadable { message: format!("TLS: {error}") },
        _ => Ended::ClosedEarly { message: error.to_string() },
    }
}

/// A response on its way through the pure parsers.
struct Reading {
    response: Response,
    cutter: Cutter,
    /// Frames so far: where the framing shows no writes, a frame counts as one.
    frames: u32,
    sent: u64,
    surplus: bool,
    body_in_read: bool,
    body_stamp: ReadStamp,
}

impl Reading {
    fn new(request: &WireRequest, sent: Option<Stamp>) -> Reading {
        let cutter = Cutter::new(request);
        let response = Response::new(request.largest_body);
        let sent = sent.map_or(0, |stamp| stamp.0);
        Reading { response, cutter, frames: 0, sent, surplus: false, body_in_read: false, body_stamp: ReadStamp::default() }
    }

    /// Takes bytes of one read: head, frames and comments go to the watch; every frame's write is noted in `group`.
    fn take(&mut self, mut bytes: &[u8], group: &mut Vec<u32>, watch: &mut dyn Watch) -> Result<(), Ended> {
        loop {
            match self.response.next(&mut bytes) {
                Ok(Some(Piece::Head)) => watch.head(Head { status: self.response.status(), headers: self.response.headers() }),
                Ok(Some(Piece::Body { data, chunk })) => {
                    self.body_in_read = true;
                    watch.body(data);
                    let (chunked, frames) = (self.response.chunked(), &mut self.frames);
                    let fed = self.cutter.feed(data, &mut |piece| match piece {
                        sse::Piece::Frame(frame) => {
                            *frames += 1;
                            group.push(if chunked { chunk } else { *frames });
                            watch.frame(frame);
                        }
                        sse::Piece::Comment(text) => watch.comment(text),
                    });
                    fed.map_err(|error| Ended::TooLarge { message: error.to_string() })?;
                }
                Ok(Some(Piece::End)) => {}
                Ok(None) => break,
                Err(Fault::Malformed(message)) => return Err(Ended::Unreadable { message }),
                Err(fault @ Fault::TooLarge(_)) => return Err(Ended::TooLarge { message: fault.to_string() }),
            }
        }
        self.surplus |= !bytes.is_empty();
        Ok(())
    }

    /// The body is over: a frame without its end comes out.
    fn finish(&mut self, group: &mut Vec<u32>, watch: &mut dyn Watch) {
        let frames = &mut self.frames;
        let chunk = self.response.chunked().then(|| self.response.chunk());
        self.cutter.finish(&mut |piece| {
            if let sse::Piece::Frame(frame) = piece {
                *frames += 1;
                group.push(chunk.unwrap_or(*frames));
                watch.frame(frame);
            }
        });
    }

    /// The write that the bytes read so far end with, as far as the framing shows it.
    fn last_write(&self) -> Option<u32> {
        if self.response.chunked() { Some(self.response.chunk()) } else { self.cutter.ends_frame().then_some(self.frames) }
    }

    /// Marks the frames of a read that is used up. The kernel keeps the newest time of merged segments, so `at` is the arrival of the
    /// read's last byte: frames in the write that the read ends with arrived then, earlier ones between the previous read and this one,
    /// and none before the request left.
    fn settle(&self, stamp: &ReadStamp, group: &mut Vec<u32>, watch: &mut dyn Watch) {
        let last = self.last_write();
        for chunk in group.drain(..) {
            let exact = stamp.exact_end && Some(chunk) == last;
            let after = if exact { stamp.at } else { stamp.after.max(self.sent).min(stamp.at) };
            watch.mark(Mark { at: Stamp(stamp.at), after: Stamp(after), user: Stamp(stamp.user), read: stamp.seq, chunk, exact });
        }
    }
}

/// The request's bytes, head and body in one piece, so that they leave in one write.
fn written(request: &WireRequest, host: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(512 + request.body.len());
    let sound = |text: &str| !text.bytes().any(|byte| byte < b' ' && byte != b'\t' || byte == 0x7f);
    if !sound(&request.path) || request.path.contains(' ') || !request.path.starts_with('/') {
        return Err(format!("the path {:?} cannot be sent", request.path));
    }
    bytes.extend_from_slice(
        format!("{} {} HTTP/1.1\r\nhost: {host}\r\naccept-encoding: identity\r\n", request.method, request.path).as_bytes(),
    );
    for (name, value) in &request.headers {
        if ["host", "accept-encoding", "content-length", "transfer-encoding"].iter().any(|own| name.eq_ignore_ascii_case(own)) {
            continue;
        }
        let value = match value {
            HeaderText::Plain(text) => text.as_str(),
            HeaderText::Secret(secret) => secret.expose_secret(),
        };
        if !sound(value) || name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
        {
            return Err(format!("the header {name:?} holds a character that cannot be sent"));
        }
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    if request.method != "GET" || !request.body.is_empty() {
        bytes.extend_from_slice(format!("content-length: {}\r\n", request.body.len()).as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&request.body);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::Framing;
    use super::*;

    fn request(headers: Vec<(String, HeaderText)>) -> WireRequest {
        let (largest_line, largest_body) = (1 << 20, 1 << 20);
        WireRequest {
            method: "POST",
            path: "/v1".to_owned(),
            headers,
            body: b"{}".to_vec(),
            framing: Framing::Sse,
            largest_line,
            largest_body,
        }
    }
    fn plain(name: &str, value: &str) -> (String, HeaderText) {
        (name.to_owned(), HeaderText::Plain(value.to_owned()))
    }

    #[test]
    fn the_transport_adds_host_length_and_identity_and_nothing_can_override_them() {
        let bytes = written(&request(vec![plain("Accept-Encoding", "gzip"), plain("x-a", "b")]), "h:1").unwrap();
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(text, "POST /v1 HTTP/1.1\r\nhost: h:1\r\naccept-encoding: identity\r\nx-a: b\r\ncontent-length: 2\r\n\r\n{}");
    }

    #[test]
    fn a_line_break_in_a_header_is_refused_and_its_value_not_told() {
        let secret = HeaderText::Secret("sk-1\r\nx: y".into());
        let error = written(&request(vec![("authorization".to_owned(), secret)]), "h").unwrap_err();
        assert!(error.contains("authorization") && !error.contains("sk-1"), "{error}");
        assert!(written(&request(vec![plain("a b", "c")]), "h").is_err());
    }
}
