//! A TCP stream that says of every read when the kernel got its bytes, and of every request when its bytes were written.
//!
//! One `recvmsg` a read, never two, so that whoever got the bytes may ask [`TimedIo::last_read`] about exactly these. The stamp comes
//! from the system call that brings the bytes, before anybody looks at them. Elsewhere than on Linux there is no such stamp: times are
//! then those of user space, and no mark is exact.
#![allow(unsafe_code)]

use super::realtime::RealToMono;
use crate::clock::{Bracket, mono};
use crate::record::Reads;
use crate::units::Stamp;
use std::cell::RefCell;
use std::io::{self, Write as _};
use std::os::fd::AsRawFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What is known about the bytes of one read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReadStamp {
    /// The read's number in its exchange, from 1.
    pub seq: u32,
    /// Kernel time of the newest segment in the read (user time if the kernel gave none).
    pub at: u64,
    /// No byte of this read reached the host before this.
    pub after: u64,
    /// When the read returned: `user − at` is this client's own lag.
    pub user: u64,
    /// `at` is the time of the read's *last byte*: a kernel stamp, the queue was drained, no clock step, and (TLS) it ends a record.
    pub exact_end: bool,
    /// The buffer was filled: more bytes may have waited, and `at` may belong to them.
    full: bool,
    /// The latest time before which bytes that come with the *next* read cannot have arrived.
    next_after: u64,
}

/// Follows TLS record borders in the ciphertext: the 5-byte headers are in the clear.
#[derive(Debug, Default)]
struct Records {
    head: [u8; 5],
    have: usize,
    left: usize,
}

impl Records {
    /// Takes the bytes of a read. True if they end exactly at the end of a record.
    fn feed(&mut self, mut bytes: &[u8]) -> bool {
        while let Some(first) = bytes.first() {
            if self.left > 0 {
                let taken = self.left.min(bytes.len());
                self.left -= taken;
                bytes = &bytes[taken..];
                continue;
            }
            self.head[self.have] = *first;
            self.have += 1;
            bytes = &bytes[1..];
            if self.have == 5 {
                self.left = usize::from(u16::from_be_bytes([self.head[3], self.head[4]]));
                self.have = 0;
            }
        }
        self.left == 0 && self.have == 0
    }
}

thread_local! {
    static REAL: RefCell<RealToMono> = RefCell::new(RealToMono::calibrate(Bracket::take));
}

/// Steps of the wall clock that this thread has noticed.
pub fn clock_steps() -> u32 {
    REAL.with_borrow(RealToMono::steps)
}

/// A connected socket with its stamps.
#[derive(Debug)]
pub struct TimedIo {
    tcp: AsyncFd<std::net::TcpStream>,
    last: ReadStamp,
    first_write: Option<Stamp>,
    last_write: Option<Stamp>,
    records: Option<Records>,
    reads: Reads,
}

impl TimedIo {
    /// Takes a connected stream, turns off Nagle's delay and asks the kernel for receive stamps.
    pub fn new(tcp: tokio::net::TcpStream) -> io::Result<TimedIo> {
        tcp.set_nodelay(true)?;
        ask_for_stamps(&tcp)?;
        // Safety: the stream is owned here and its descriptor does not change.
        let tcp = unsafe { AsyncFd::register(tcp.into_std()?)? };
        let start = mono().0;
        let last = ReadStamp { after: start, at: start, next_after: start, ..ReadStamp::default() };
        Ok(TimedIo { tcp, last, first_write: None, last_write: None, records: None, reads: Reads::default() })
    }
    /// From here on the bytes are TLS records, whose borders are followed.
    pub fn begin_tls(&mut self) {
        self.records = Some(Records::default());
    }
    /// The stamp of the latest read that brought bytes.
    pub fn last_read(&self) -> ReadStamp {
        self.last
    }
    /// When the first and the last byte since [`TimedIo::begin_exchange`] were written.
    pub fn writes(&self) -> (Option<Stamp>, Option<Stamp>) {
        (self.first_write, self.last_write)
    }
    /// The reads since [`TimedIo::begin_exchange`].
    pub fn reads(&self) -> &Reads {
        &self.reads
    }
    /// Forgets the stamps of what was before, or the handshake's writes would count as the request's.
    pub fn begin_exchange(&mut self) {
        (self.first_write, self.last_write) = (None, None);
        self.last.seq = 0;
        self.reads.count = 0;
        self.reads.bytes = 0;
        self.reads.lag_ns.clear();
        self.reads.lag_ns.reserve(32);
        self.reads.clock_steps = 0;
    }
    /// Local and peer address.
    pub fn addresses(&self) -> (Option<std::net::SocketAddr>, Option<std::net::SocketAddr>) {
        (self.tcp.get_ref().local_addr().ok(), self.tcp.get_ref().peer_addr().ok())
    }
    /// Whether an idle connection is still good for a request: the peer has not closed its side and, without TLS, has sent nothing
    /// unasked. (Under TLS session tickets may be waiting.)
    pub fn good_while_idle(&self) -> bool {
        let seen = self.poll_now(libc::POLLIN | HANG_UP);
        let unasked = self.records.is_none() && seen & libc::POLLIN != 0;
        seen & CLOSED == 0 && !unasked
    }
    /// Whether the peer has closed its side by now. The kernel merges the closing segment into the bytes that wait before it, and gives
    /// them its time: a stamp is the bytes' own only if nothing was closed yet.
    pub fn peer_closed(&self) -> bool {
        self.poll_now(HANG_UP) & CLOSED != 0
    }
    /// Waits until the peer closes its side; bytes that come meanwhile stay where they are.
    pub async fn peer_closing(&self) {
        while !self.peer_closed() {
            match self.tcp.readable().await {
                Ok(mut guard) => guard.clear_ready(),
                Err(_) => return,
            }
        }
    }
    fn poll_now(&self, events: i16) -> i16 {
        let mut poll = libc::pollfd { fd: self.tcp.as_raw_fd(), events, revents: 0 };
        // Safety: one valid pollfd, and a timeout of zero: the call returns at once.
        unsafe { libc::poll(&raw mut poll, 1, 0) };
        poll.revents
    }

    fn note(&mut self, bytes: &[u8], full: bool, kernel: Option<u64>, called: u64, bracket: Bracket) {
        let previous = self.last;
        let user = bracket.before;
        let mut stepped = 0;
        let (earliest, latest) = match kernel {
            Some(stamp) => REAL.with_borrow_mut(|real| {
                let steps = real.steps();
                real.check(bracket, Bracket::take);
                stepped = real.steps() - steps;
                real.convert(stamp, previous.at, user)
            }),
            None => (previous.at, user),
        };
        let border = self.records.as_mut().is_none_or(|records| records.feed(bytes));
        // A retransmitted segment can carry a younger stamp than its successor: time never runs backwards.
        let at = latest.max(previous.at);
        let after = previous.next_after.min(at);
        let exact_end = kernel.is_some() && !full && border && earliest == latest && at == latest;
        let next_after = match (full, kernel) {
            // The stamp may belong to bytes that are still queued, so it bounds nothing: the older bound stays.
            (true, _) => after,
            (false, Some(_)) => at,
            // Bytes that arrived between the call and our look at the clock come with the next read.
            (false, None) => called.max(after),
        };
        self.last = ReadStamp { seq: previous.seq + 1, at, after, user, exact_end, full, next_after };
        self.reads.count += 1;
        self.reads.bytes += bytes.len() as u64;
        self.reads.clock_steps += stepped;
        self.reads.lag_ns.push(u32::try_from(user.saturating_sub(at)).unwrap_or(u32::MAX));
    }
}

#[cfg(target_os = "linux")]
const HANG_UP: i16 = libc::POLLRDHUP;
#[cfg(not(target_os = "linux"))]
const HANG_UP: i16 = 0;
const CLOSED: i16 = HANG_UP | libc::POLLHUP | libc::POLLERR;

#[cfg(target_os = "linux")]
fn ask_for_stamps(tcp: &tokio::net::TcpStream) -> io::Result<()> {
    let flags: libc::c_uint = libc::SOF_TIMESTAMPING_RX_SOFTWARE | libc::SOF_TIMESTAMPING_SOFTWARE;
    let size = std::mem::size_of_val(&flags) as libc::socklen_t;
    // Safety: the descriptor is open and `flags` outlives the call.
    let set = unsafe { libc::setsockopt(tcp.as_raw_fd(), libc::SOL_SOCKET, libc::SO_TIMESTAMPING, (&raw const flags).cast(), size) };
    if set == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
#[cfg(not(target_os = "linux"))]
fn ask_for_stamps(_: &tokio::net::TcpStream) -> io::Result<()> {
    Ok(())
}

/// A time before the receive, which bounds the next read where the kernel gives no stamps. Where it does, the older bound serves in the
/// rare case that one is missing, and no clock need be read.
fn before_the_call() -> u64 {
    if cfg!(target_os = "linux") { 0 } else { mono().0 }
}

/// One receive: the number of bytes, the kernel's stamp if there is one, and a bracket taken right after.
#[cfg(target_os = "linux")]
fn receive(tcp: &std::net::TcpStream, room: &mut [std::mem::MaybeUninit<u8>]) -> io::Result<(usize, Option<u64>, Bracket)> {
    let mut control = [0u64; 16];
    // Safety: `msghdr` is plain data for which zero is valid; the buffers it points to outlive the call, and their lengths are theirs.
    // The control messages are walked by the system's own macros, and only a message of the right level and type is read as timespecs.
    unsafe {
        let mut place = libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() };
        let mut message: libc::msghdr = std::mem::zeroed();
        message.msg_iov = &raw mut place;
        message.msg_iovlen = 1;
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = std::mem::size_of_val(&control) as _;
        let received = libc::recvmsg(tcp.as_raw_fd(), &raw mut message, 0);
        if received < 0 {
            return Err(io::Error::last_os_error());
        }
        let bracket = Bracket::take();
        let mut stamp = None;
        let mut header = libc::CMSG_FIRSTHDR(&raw const message);
        while !header.is_null() {
            if (*header).cmsg_level == libc::SOL_SOCKET && (*header).cmsg_type == libc::SCM_TIMESTAMPING {
                let times: *const libc::timespec = libc::CMSG_DATA(header).cast(); // the first is the software stamp
                let time = times.read_unaligned();
                let ns = time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64;
                stamp = (ns > 0).then_some(ns);
            }
            header = libc::CMSG_NXTHDR(&raw const message, header);
        }
        Ok((received as usize, stamp, bracket))
    }
}
#[cfg(not(target_os = "linux"))]
fn receive(tcp: &std::net::TcpStream, room: &mut [std::mem::MaybeUninit<u8>]) -> io::Result<(usize, Option<u64>, Bracket)> {
    // Safety: the room is valid for writes of its length, and recv writes nothing else.
    let received = unsafe { libc::recv(tcp.as_raw_fd(), room.as_mut_ptr().cast(), room.len(), 0) };
    if received < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok((received as usize, None, Bracket::take()))
}

impl AsyncRead for TimedIo {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            let mut guard = ready!(self.tcp.poll_read_ready(cx))?;
            // Safety: nothing in it is de-initialised; `receive` only writes.
            let spare = unsafe { buf.unfilled_mut() };
            let room = spare.len();
            let called = before_the_call();
            let (received, kernel, bracket) = match receive(guard.get_inner(), spare) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    guard.clear_ready();
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => result?,
            };
            if received > 0 && received < room {
                // Drained: this saves the call that would only say EAGAIN. A later segment makes a new edge, and a FIN stays noted.
                guard.clear_ready();
            }
            // Safety: the system wrote `received` bytes into the spare room.
            unsafe { buf.assume_init(received) };
            let from = buf.filled().len();
            buf.advance(received);
            if received > 0 {
                self.note(&buf.filled()[from..], received == room, kernel, called, bracket);
            }
            return Poll::Ready(Ok(()));
        }
    }
}

impl AsyncWrite for TimedIo {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let (before, written) = loop {
            let mut guard = ready!(self.tcp.poll_write_ready(cx))?;
            let before = mono();
            match guard.get_inner().write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => guard.clear_ready(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break (before, result?),
            }
        };
        self.first_write.get_or_insert(before);
        self.last_write = Some(before);
        Poll::Ready(Ok(written))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.tcp.get_ref().shutdown(std::net::Shutdown::Write))
    }
}

#[cfg(test)]
mod tests {
    use super::Records;

    #[test]
    fn a_read_ends_a_record_only_with_its_last_byte() {
        let record = |length: u16| [vec![0x17, 3, 3, (length >> 8) as u8, length as u8], vec![9; length.into()]].concat();
        let bytes = [record(3), record(300), record(1)].concat();
        let borders = [8, 8 + 305, 8 + 305 + 6];
        for cut in 1..=bytes.len() {
            let mut records = Records::default();
            assert_eq!(records.feed(&bytes[..cut]), borders.contains(&cut), "after {cut} bytes");
            assert!(records.feed(&bytes[cut..]));
        }
    }
}
