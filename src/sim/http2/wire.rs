//! The socket under an HTTP/2 connection: TLS if there is any, each write's time taken just before and after `write(2)`, and both
//! directions' frames noted.

use super::super::line::{Line, take_in};
use super::frames::{Frames, Part};
use super::passages::Passages;
use crate::clock;
use crate::units::Stamp;
use rustls::ServerConnection;
use std::io::{self, ErrorKind, IoSlice, Write};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A socket with what passed over it.
pub struct Wire {
    stream: TcpStream,
    tls: Option<Box<ServerConnection>>,
    passages: Rc<Passages>,
    incoming: Frames,
    outgoing: Frames,
    /// Plaintext that has come, and how much of it is taken.
    inbox: Vec<u8>,
    taken: usize,
    /// What is under way to the socket: TLS records, and how much of them is written.
    outbox: Vec<u8>,
    written: usize,
    /// Since when, and the frames in it.
    before: Stamp,
    parts: Vec<Part>,
    gathered: Vec<u8>,
}

impl Wire {
    /// Takes a connection over, with what has come on it.
    pub fn new(line: Line, passages: Rc<Passages>) -> Wire {
        let (stream, tls, inbox, last_read) = line.into_parts();
        let (incoming, outgoing) = (Frames::of_client(), Frames::of_server());
        let (outbox, parts, gathered) = (Vec::new(), Vec::new(), Vec::new());
        let mut wire =
            Wire { stream, tls, passages, incoming, outgoing, inbox, taken: 0, outbox, written: 0, before: Stamp(0), parts, gathered };
        wire.came(0, last_read);
        wire
    }

    /// Notes the frames of what has come behind `from`.
    fn came(&mut self, from: usize, at: Stamp) {
        let passages = &self.passages;
        self.incoming.pass(&self.inbox[from..], &mut |part| passages.read(part, at));
    }

    /// Waits for something in the inbox; false if the client has closed.
    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut buffer = [0u8; 16 << 10];
        while self.inbox.len() <= self.taken {
            self.inbox.clear();
            self.taken = 0;
            ready!(self.stream.poll_read_ready(context))?;
            let read = self.stream.try_read(&mut buffer);
            let at = clock::mono();
            let n = match read {
                Ok(0) => return Poll::Ready(Ok(false)),
                Ok(n) => n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                Err(error) => return Poll::Ready(Err(error)),
            };
            match &mut self.tls {
                None => self.inbox.extend_from_slice(&buffer[..n]),
                Some(tls) => {
                    let taken = take_in(tls, &buffer[..n], &mut self.inbox, &mut self.outbox);
                    // An alert, or an answer to a key update; what does not go out at once goes before the next write.
                    let _ = self.poll_drain(context)?;
                    taken?;
                }
            }
            self.came(0, at);
        }
        Poll::Ready(Ok(true))
    }

    /// Writes the rest of the outbox; then its frames have gone out.
    fn poll_drain(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.outbox.len() {
            match self.stream.try_write(&self.outbox[self.written..]) {
                Ok(n) => self.written += n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => ready!(self.stream.poll_write_ready(context))?,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        self.outbox.clear();
        self.written = 0;
        if !self.parts.is_empty() {
            self.passages.wrote(self.parts.drain(..), (self.before, clock::mono()));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if ready!(self.poll_fill(context))? {
            let n = buffer.remaining().min(self.inbox.len() - self.taken);
            buffer.put_slice(&self.inbox[self.taken..self.taken + n]);
            self.taken += n;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    /// Takes all bytes once those before have left; they leave in one write unless the socket is full.
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_drain(context))?;
        let Wire { tls, outbox, outgoing, parts, .. } = &mut *self;
        match tls {
            None => outbox.extend_from_slice(bytes),
            Some(tls) => {
                tls.writer().write_all(bytes)?;
                while tls.wants_write() {
                    tls.write_tls(outbox)?;
                }
            }
        }
        outgoing.pass(bytes, &mut |part| parts.push(part));
        self.before = clock::mono();
        // What the socket does not take now is written before the next bytes, or by a flush.
        match self.poll_drain(context) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(bytes.len())),
        }
    }
    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let mut gathered = std::mem::take(&mut self.gathered);
        gathered.clear();
        slices.iter().for_each(|slice| gathered.extend_from_slice(slice));
        let written = self.as_mut().poll_write(context, &gathered);
        self.gathered = gathered;
        written
    }
    fn is_write_vectored(&self) -> bool {
        true
    }
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_drain(context)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(context))?;
        let Wire { tls, outbox, .. } = &mut *self;
        if let Some(tls) = tls {
            tls.send_close_notify();
            while tls.wants_write() {
                tls.write_tls(outbox)?;
            }
        }
        self.poll_drain(context)
    }
}
