//! One stream of a connection: its head, its body piece by piece, and its end, each with the time of its write.

use super::passages::{Awaited, Passages, Wrote};
use crate::units::Stamp;
use h2::server::SendResponse;
use h2::{Reason, SendStream};
use http::{HeaderName, HeaderValue, Response};
use std::future::poll_fn;
use std::io::{self, Cursor, ErrorKind};
use std::rc::Rc;
use std::task::{Context, Poll, ready};

/// Bytes that a stream owns until they are written.
pub type Bytes = Cursor<Vec<u8>>;

/// A stream that is answered.
pub struct Stream {
    id: u32,
    respond: SendResponse<Bytes>,
    body: Option<SendStream<Bytes>>,
    /// Bytes of the body so far.
    sent: u64,
    passages: Rc<Passages>,
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.passages.end(self.id);
    }
}

impl Stream {
    /// For a request that has come.
    pub fn new(respond: SendResponse<Bytes>, passages: Rc<Passages>) -> Stream {
        let id = respond.stream_id().as_u32();
        passages.begin(id);
        Stream { id, respond, body: None, sent: 0, passages }
    }

    /// When the read that brought the end of the request had returned.
    pub fn received(&self) -> Option<Stamp> {
        self.passages.received(self.id)
    }
    /// What it shares with the other streams of its connection.
    pub fn passages(&self) -> Rc<Passages> {
        self.passages.clone()
    }

    /// Sends the head. What HTTP/2 does not allow in one is left out.
    pub async fn head(&mut self, status: u16, headers: &[(String, String)]) -> io::Result<Wrote> {
        let mut response = Response::builder().status(status).body(()).map_err(io::Error::other)?;
        for (name, value) in headers {
            if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
                response.headers_mut().append(name, value);
            }
        }
        self.passages.expect(self.id);
        self.body = Some(self.respond.send_response(response, false).map_err(io::Error::other)?);
        self.gone_out(Awaited::Head).await
    }

    /// Sends a piece of the body in one DATA frame (more if it is larger than the client takes), once the client has room for it.
    pub async fn piece(&mut self, bytes: &[u8]) -> io::Result<Wrote> {
        self.passages.expect(self.id);
        let mut rest = bytes;
        while !rest.is_empty() {
            let room = poll_fn(|context| self.poll_room(context, rest.len())).await?;
            let (now, later) = rest.split_at(room.min(rest.len()));
            self.body()?.send_data(Cursor::new(now.to_vec()), false).map_err(io::Error::other)?;
            self.sent += now.len() as u64;
            rest = later;
        }
        self.gone_out(Awaited::Body(self.sent)).await
    }

    /// Ends the stream as it should end: an empty frame that says so.
    pub async fn end(&mut self) -> io::Result<Wrote> {
        self.passages.expect(self.id);
        self.body()?.send_data(Cursor::default(), true).map_err(io::Error::other)?;
        self.gone_out(Awaited::End).await
    }

    /// RST_STREAM; the connection and its other streams go on.
    pub fn reset(&mut self) {
        match &mut self.body {
            Some(body) => body.send_reset(Reason::INTERNAL_ERROR),
            None => self.respond.send_reset(Reason::INTERNAL_ERROR),
        }
    }
    /// Closes the whole connection without a word, and so ends its other streams too.
    pub fn close_connection(&self, why: &'static str) {
        self.passages.close(why);
    }
    /// Waits until the client gives the stream or the connection up.
    pub async fn wait_for_end(&mut self) {
        // Whichever way it ends, it has.
        let _ = poll_fn(|context| match &mut self.body {
            Some(body) => body.poll_reset(context).map(|_| ()),
            None => self.respond.poll_reset(context).map(|_| ()),
        })
        .await;
    }

    fn body(&mut self) -> io::Result<&mut SendStream<Bytes>> {
        self.body.as_mut().ok_or_else(|| io::Error::other("no head was sent"))
    }

    /// Waits for room for `wanted` bytes, or as many as the client's windows can have.
    fn poll_room(&mut self, context: &mut Context<'_>, wanted: usize) -> Poll<io::Result<usize>> {
        let body = self.body()?;
        body.reserve_capacity(wanted);
        loop {
            let room = body.capacity();
            if wanted <= room || MOST_AT_ONCE <= room {
                return Poll::Ready(Ok(room));
            }
            match ready!(body.poll_capacity(context)) {
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Err(io::Error::other(error))),
                None => return Poll::Ready(Err(ErrorKind::ConnectionReset.into())),
            }
        }
    }

    async fn gone_out(&mut self, awaited: Awaited) -> io::Result<Wrote> {
        poll_fn(|context| {
            let reset = match &mut self.body {
                Some(body) => body.poll_reset(context).is_ready(),
                None => false,
            };
            match self.passages.when(self.id, awaited, context.waker()) {
                Ok(Some(wrote)) => Poll::Ready(Ok(wrote)),
                Ok(None) if reset => Poll::Ready(Err(ErrorKind::ConnectionReset.into())),
                Ok(None) => Poll::Pending,
                Err(_) => Poll::Ready(Err(ErrorKind::ConnectionAborted.into())),
            }
        })
        .await
    }
}

/// A larger piece goes out in parts of this size, bytes: RFC 9113 lets every client take frames of it.
const MOST_AT_ONCE: usize = 16 << 10;
