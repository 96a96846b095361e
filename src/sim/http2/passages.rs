//! When what of each stream passed over a connection: noted where its bytes are read and written, waited for by who plays the stream.

use super::frames::{DATA, HEADERS, Part};
use crate::units::Stamp;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::task::Waker;
use tokio::sync::Notify;

/// The time just before a write and just after it; of something that went out in several, before the first and after the last.
pub type Wrote = (Stamp, Stamp);

/// What has passed over a connection.
#[derive(Debug, Default)]
pub struct Passages {
    streams: RefCell<HashMap<u32, Passage>>,
    over: Cell<Option<&'static str>>,
    closing: Notify,
    away: Notify,
}

/// What has passed of one stream.
#[derive(Debug, Default)]
struct Passage {
    received: Option<Stamp>,
    /// The write of the response's head.
    head: Option<Wrote>,
    /// Bytes of its body that are written.
    body: u64,
    /// Around the writes of what is waited for.
    begun: Option<Stamp>,
    after: Stamp,
    /// The end of the stream is written.
    ended: bool,
    waker: Option<Waker>,
}

/// What is waited for.
#[derive(Debug, Clone, Copy)]
pub enum Awaited {
    /// The response's head.
    Head,
    /// So many bytes of the body in all.
    Body(u64),
    /// The end of the stream.
    End,
}

impl Passages {
    /// Part of a frame of the client was read at `at`.
    pub fn read(&self, part: Part, at: Stamp) {
        if part.whole && part.ends_stream {
            self.streams.borrow_mut().entry(part.stream).or_default().received = Some(at);
        }
    }

    /// Parts of frames of ours went out in one write.
    pub fn wrote(&self, parts: impl Iterator<Item = Part>, (before, after): Wrote) {
        let mut streams = self.streams.borrow_mut();
        for part in parts {
            let Some(passage) = streams.get_mut(&part.stream) else { continue };
            let first = *passage.begun.get_or_insert(before);
            passage.after = after;
            match part.kind {
                HEADERS if part.whole => passage.head = passage.head.or(Some((first, after))),
                DATA => passage.body += part.bytes as u64,
                _ => {}
            }
            passage.ended |= part.whole && part.ends_stream;
            if part.whole
                && let Some(waker) = passage.waker.take()
            {
                waker.wake();
            }
        }
    }

    /// Begins to note a stream, unless its request was there before.
    pub fn begin(&self, stream: u32) {
        self.streams.borrow_mut().entry(stream).or_default();
    }
    /// When the read that brought the request's end had returned.
    pub fn received(&self, stream: u32) -> Option<Stamp> {
        self.streams.borrow().get(&stream)?.received
    }
    /// Whatever is waited for next has not begun to go out.
    pub fn expect(&self, stream: u32) {
        if let Some(passage) = self.streams.borrow_mut().get_mut(&stream) {
            passage.begun = None;
        }
    }
    /// When what is waited for went out; none if it has not yet, and then `waker` is told. An error if it never will.
    pub fn when(&self, stream: u32, awaited: Awaited, waker: &Waker) -> Result<Option<Wrote>, Over> {
        let mut streams = self.streams.borrow_mut();
        let passage = streams.get_mut(&stream).ok_or(Over)?;
        let whole = match awaited {
            Awaited::Head => passage.head.is_some(),
            Awaited::Body(bytes) => bytes <= passage.body,
            Awaited::End => passage.ended,
        };
        match (whole, passage.begun) {
            (true, Some(begun)) => Ok(Some((begun, passage.after))),
            _ if self.over.get().is_some() => Err(Over),
            _ => {
                passage.waker = Some(waker.clone());
                Ok(None)
            }
        }
    }
    /// A stream is over; nothing more of it is noted.
    pub fn end(&self, stream: u32) {
        self.streams.borrow_mut().remove(&stream);
    }

    /// Asks for the connection to be closed at once, with all its streams; `why` is how each of them ended.
    pub fn close(&self, why: &'static str) {
        if self.over.get().is_none() {
            self.over.set(Some(why));
        }
        self.closing.notify_one();
    }
    /// Ready when the connection is to be closed.
    pub async fn closing(&self) {
        self.closing.notified().await;
    }
    /// The connection is gone: nobody waits any longer.
    pub fn gone(&self) {
        self.close("client_gone");
        self.away.notify_waiters();
        for passage in self.streams.borrow_mut().values_mut() {
            if let Some(waker) = passage.waker.take() {
                waker.wake();
            }
        }
    }
    /// Ready when the connection is gone, also for a stream that waits for the time of its next write.
    pub async fn away(&self) {
        if self.over().is_none() {
            self.away.notified().await;
        }
    }
    /// How the connection ended, if it has.
    pub fn over(&self) -> Option<&'static str> {
        self.over.get()
    }
}

/// The connection is gone.
#[derive(Debug)]
pub struct Over;
