//! One connection: bytes in, and bytes out in one `write(2)` whose time is taken just before and after.
//!
//! TLS is rustls as a pure machine: plaintext in, one record out, and that record in one write. So a token is one segment in both.

use crate::clock;
use crate::units::Stamp;
use rustls::ServerConnection;
use std::io::{self, ErrorKind, Read, Write};
use tokio::net::TcpStream;

/// A connection to a client.
#[derive(Debug)]
pub struct Line {
    stream: TcpStream,
    tls: Option<Box<ServerConnection>>,
    record: Vec<u8>,
    /// What has come and is not used yet.
    pub inbox: Vec<u8>,
    /// When the last read had returned.
    pub last_read: Stamp,
}

impl Line {
    /// Takes over an accepted connection.
    pub fn new(stream: TcpStream, tls: Option<ServerConnection>) -> io::Result<Line> {
        stream.set_nodelay(true)?;
        Ok(Line { stream, tls: tls.map(Box::new), record: Vec::new(), inbox: Vec::new(), last_read: Stamp(0) })
    }

    /// Whether it is TLS.
    pub fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Gives up socket, session, and what had come.
    pub fn into_parts(self) -> (TcpStream, Option<Box<ServerConnection>>, Vec<u8>, Stamp) {
        (self.stream, self.tls, self.inbox, self.last_read)
    }

    /// Waits for more from the client; 0 if it has closed.
    pub async fn fill(&mut self) -> io::Result<usize> {
        let mut buffer = [0u8; 16 << 10];
        loop {
            self.stream.readable().await?;
            let read = self.stream.try_read(&mut buffer);
            self.last_read = clock::mono();
            let n = match read {
                Ok(0) => return Ok(0),
                Ok(n) => n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error),
            };
            let Some(tls) = &mut self.tls else {
                self.inbox.extend_from_slice(&buffer[..n]);
                return Ok(n);
            };
            let had = self.inbox.len();
            self.record.clear();
            let taken = take_in(tls, &buffer[..n], &mut self.inbox, &mut self.record);
            if !self.record.is_empty() {
                write(&self.stream, &self.record).await?;
            }
            taken?;
            if had < self.inbox.len() {
                return Ok(self.inbox.len() - had);
            }
        }
    }

    /// Sends bytes in one write (more only if the socket's buffer is full), and tells when.
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<(Stamp, Stamp)> {
        let Some(tls) = &mut self.tls else { return write(&self.stream, bytes).await };
        self.record.clear();
        tls.writer().write_all(bytes)?;
        while tls.wants_write() {
            tls.write_tls(&mut self.record)?;
        }
        write(&self.stream, &self.record).await
    }

    /// Says goodbye, so that the client can tell an end from a cut.
    pub async fn close(mut self) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            // The client may be gone already; then nobody is left to be told.
            let _ = self.send(b"").await;
        }
    }

    /// Resets the connection: the client sees ECONNRESET.
    pub fn reset(self) {
        // Without this the close is an ordinary one, and the client sees a cut instead.
        let _ = self.stream.set_zero_linger();
    }
}

/// Takes bytes of a TLS session in: plaintext goes to `inbox`; handshake messages, or the alert that tells what is wrong, to `answer`.
pub(super) fn take_in(tls: &mut ServerConnection, bytes: &[u8], inbox: &mut Vec<u8>, answer: &mut Vec<u8>) -> io::Result<()> {
    let mut rest = bytes;
    let mut fault = None;
    while !rest.is_empty() && fault.is_none() {
        tls.read_tls(&mut rest)?;
        match tls.process_new_packets() {
            Ok(state) => {
                let at = inbox.len();
                inbox.resize(at + state.plaintext_bytes_to_read(), 0);
                tls.reader().read_exact(&mut inbox[at..])?;
            }
            Err(error) => fault = Some(io::Error::new(ErrorKind::InvalidData, error)),
        }
    }
    while tls.wants_write() {
        tls.write_tls(answer)?;
    }
    fault.map_or(Ok(()), Err)
}

async fn write(stream: &TcpStream, bytes: &[u8]) -> io::Result<(Stamp, Stamp)> {
    let before = clock::mono();
    let mut written = 0;
    loop {
        match stream.try_write(&bytes[written..]) {
            Ok(n) if written + n == bytes.len() => return Ok((before, clock::mono())),
            Ok(n) => written += n,
            Err(error) if error.kind() == ErrorKind::WouldBlock => stream.writable().await?,
            Err(error) => return Err(error),
        }
    }
}
