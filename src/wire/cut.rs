//! The one place that knows both framings: bytes of a body in, frames and comments out.

use super::ndjson::Ndjson;
use super::sse::{LineTooLong, Piece, Sse};
use super::{Framing, WireRequest};

/// Cuts a body by the request's framing.
#[derive(Debug)]
pub(super) enum Cutter {
    Sse(Sse),
    Ndjson(Ndjson),
}

impl Cutter {
    pub(super) fn new(request: &WireRequest) -> Cutter {
        match request.framing {
            Framing::Sse => Cutter::Sse(Sse::new(request.largest_line)),
            Framing::Ndjson => Cutter::Ndjson(Ndjson::new(request.largest_line)),
        }
    }
    pub(super) fn feed(&mut self, bytes: &[u8], piece: &mut impl FnMut(Piece<'_>)) -> Result<(), LineTooLong> {
        match self {
            Cutter::Sse(events) => events.feed(bytes, piece),
            Cutter::Ndjson(lines) => lines.feed(bytes, &mut |frame| piece(Piece::Frame(frame))),
        }
    }
    pub(super) fn finish(&mut self, piece: &mut impl FnMut(Piece<'_>)) {
        match self {
            Cutter::Sse(events) => events.finish(piece),
            Cutter::Ndjson(lines) => lines.finish(&mut |frame| piece(Piece::Frame(frame))),
        }
    }
    /// Whether the bytes fed last ended a frame, so that nothing came after it.
    #[cfg(all(unix, not(photofinish_portable)))]
    pub(super) fn ends_frame(&self) -> bool {
        match self {
            Cutter::Sse(events) => events.ends_event(),
            Cutter::Ndjson(lines) => lines.ends_line(),
        }
    }
}
