//! Looks at the frames that pass over a connection, without touching them: the truth log's times are those of a frame's own bytes.
//!
//! RFC 9113, section 4.1: three bytes of length, one of type, one of flags, four of the stream's number, and the payload.

/// What every HTTP/2 client sends first.
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Types of frames that are looked at.
pub const DATA: u8 = 0;
/// The type of a frame with headers.
pub const HEADERS: u8 = 1;

const HEAD: usize = 9;
const END_STREAM: u8 = 1;

/// Bytes of one frame that passed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The stream; 0 is the connection itself.
    pub stream: u32,
    /// The frame's type.
    pub kind: u8,
    /// Whether nothing follows the frame on its stream.
    pub ends_stream: bool,
    /// Bytes of its payload.
    pub bytes: usize,
    /// Whether the frame is whole with them.
    pub whole: bool,
}

/// The frames of one direction.
#[derive(Debug)]
pub struct Frames {
    /// Bytes of the preface that are still to pass.
    preface: usize,
    head: [u8; HEAD],
    had: usize,
    left: usize,
}

impl Frames {
    /// What a client sends.
    pub fn of_client() -> Frames {
        Frames { preface: PREFACE.len(), ..Frames::of_server() }
    }
    /// What a server sends.
    pub fn of_server() -> Frames {
        Frames { preface: 0, head: [0; HEAD], had: 0, left: 0 }
    }

    /// Takes the next bytes of the direction.
    pub fn pass(&mut self, bytes: &[u8], seen: &mut dyn FnMut(Part)) {
        let skipped = self.preface.min(bytes.len());
        self.preface -= skipped;
        let mut rest = &bytes[skipped..];
        while !rest.is_empty() {
            if self.had < HEAD {
                let n = rest.len().min(HEAD - self.had);
                self.head[self.had..self.had + n].copy_from_slice(&rest[..n]);
                self.had += n;
                rest = &rest[n..];
                if self.had < HEAD {
                    return;
                }
                self.left = usize::from(self.head[0]) << 16 | usize::from(self.head[1]) << 8 | usize::from(self.head[2]);
            }
            let n = rest.len().min(self.left);
            rest = &rest[n..];
            self.left -= n;
            if 0 < n || self.left == 0 {
                seen(self.part(n));
            }
            if self.left == 0 {
                self.had = 0;
            }
        }
    }

    fn part(&self, bytes: usize) -> Part {
        let [.., kind, flags, a, b, c, d] = self.head;
        let stream = u32::from_be_bytes([a, b, c, d]) & 0x7fff_ffff;
        let ends_stream = (kind == DATA || kind == HEADERS) && flags & END_STREAM != 0;
        Part { stream, kind, ends_stream, bytes, whole: self.left == 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let mut bytes = (payload.len() as u32).to_be_bytes()[1..].to_vec();
        bytes.extend([kind, flags]);
        bytes.extend(stream.to_be_bytes());
        bytes.extend(payload);
        bytes
    }

    #[test]
    fn frames_are_the_same_whatever_the_cuts() {
        let mut all = PREFACE.to_vec();
        all.extend(frame(4, 1, 0, b""));
        all.extend(frame(HEADERS, 4, 1, b"head"));
        all.extend(frame(DATA, 0, 1, &[b'x'; 300]));
        all.extend(frame(DATA, 1, 1, b""));
        for size in 1..all.len() {
            let (mut frames, mut whole, mut bytes) = (Frames::of_client(), Vec::new(), 0);
            for piece in all.chunks(size) {
                frames.pass(piece, &mut |part| {
                    bytes += part.bytes;
                    if part.whole {
                        whole.push((part.kind, part.stream, part.ends_stream, std::mem::take(&mut bytes)));
                    }
                });
            }
            assert_eq!(whole, [(4, 0, false, 0), (HEADERS, 1, false, 4), (DATA, 1, false, 300), (DATA, 1, true, 0)], "pieces of {size}");
        }
    }
}
