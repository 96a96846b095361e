//! HTTP/2 (RFC 9113): many answers at once over one connection, each chunk in a DATA frame of its own.
//!
//! The `h2` crate keeps the protocol's state and queues the frames; the socket under it is ours (`wire`), looks at the frames that pass
//! (`frames`), and notes when each was written (`passages`). Frames that are due at the same moment may leave in one write.

mod frames;
mod passages;
mod play;
mod stream;
mod wire;

use super::line::Line;
use super::server::House;
use frames::PREFACE;
use passages::Passages;
use std::io;
use std::rc::Rc;
use stream::Stream;
use tokio::task::spawn_local;
use wire::Wire;

/// Room for requests on their way in, bytes: so much that no long prompt waits for another.
const WINDOW: u32 = 1 << 20;
/// The same of a connection.
const CONNECTION_WINDOW: u32 = 64 << 20;

/// What a client begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begins {
    /// HTTP/2, by its preface.
    Http2,
    /// Something else.
    Other,
}

/// Waits for so much of a connection that it is clear what it is.
pub async fn begins(line: &mut Line) -> io::Result<Begins> {
    loop {
        let n = line.inbox.len().min(PREFACE.len());
        if line.inbox[..n] != PREFACE[..n] {
            return Ok(Begins::Other);
        }
        if n == PREFACE.len() {
            return Ok(Begins::Http2);
        }
        if line.fill().await? == 0 {
            return Ok(Begins::Other);
        }
    }
}

/// One connection: a task for each request on it.
pub async fn converse(house: &Rc<House>, line: Line, connection: u64) -> io::Result<()> {
    let tls = line.is_tls();
    let passages = Rc::new(Passages::default());
    let mut builder = h2::server::Builder::new();
    builder.initial_window_size(WINDOW).initial_connection_window_size(CONNECTION_WINDOW);
    if let Some(streams) = house.http2.and_then(|http2| http2.streams) {
        builder.max_concurrent_streams(streams);
    }
    let _gone = Gone(passages.clone());
    let mut talk = builder.handshake(Wire::new(line, passages.clone())).await.map_err(io::Error::other)?;
    loop {
        tokio::select! {
            // First, so that a cut is not announced by the frames of the streams that it ends.
            biased;
            () = passages.closing() => return Ok(()),
            accepted = talk.accept() => {
                let Some(Ok((request, respond))) = accepted else { return Ok(()) };
                let (house, stream) = (house.clone(), Stream::new(respond, passages.clone()));
                spawn_local(async move { play::respond(&house, request, stream, connection, tls).await });
            }
        }
    }
}

/// Tells all streams that their connection is gone.
struct Gone(Rc<Passages>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.gone();
    }
}
