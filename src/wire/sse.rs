//! Server-sent events without I/O (WHATWG HTML §9.2), with what providers do beside it: comments are told, the non-standard field
//! `error:` is a frame of that name, and the event that the end of the body cut off is handed out marked so.
//!
//! Lines end by LF, CRLF or CR, also when a read falls between CR and LF; any cut of the bytes gives the same pieces in linear time.

use super::Frame;

/// What a stream of events holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// An event.
    Frame(Frame<'a>),
    /// A comment line, without its colon.
    Comment(&'a [u8]),
}

/// A line, or the data of one event, outgrew the limit given here in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a line of the stream is longer than {0} bytes")]
pub struct LineTooLong(pub u64);

/// A stream of events being cut.
#[derive(Debug)]
pub struct Sse {
    /// The part of a line that earlier reads brought.
    line: Vec<u8>,
    event: Event,
    skip_lf: bool,
    /// Nothing but a part of a byte order mark has come.
    at_start: bool,
    /// The bytes fed last ended an event.
    ends_event: bool,
    largest_line: u64,
}

#[derive(Debug, Default)]
struct Event {
    name: String,
    data: Vec<u8>,
    has_data: bool,
    error: Vec<u8>,
    has_error: bool,
}

const BOM: &[u8] = b"\xef\xbb\xbf";

impl Sse {
    /// A stream that has not begun; a line longer than `largest_line` bytes ends it.
    pub fn new(largest_line: u64) -> Sse {
        Sse { line: Vec::new(), event: Event::default(), skip_lf: false, at_start: true, ends_event: true, largest_line }
    }
    /// Whether the bytes fed last ended an event, so that nothing (no comment, no part of another event) came after it.
    pub fn ends_event(&self) -> bool {
        self.ends_event
    }

    /// Takes the bytes of one read and tells what they complete.
    pub fn feed(&mut self, mut bytes: &[u8], piece: &mut impl FnMut(Piece<'_>)) -> Result<(), LineTooLong> {
        if self.skip_lf && !bytes.is_empty() {
            self.skip_lf = false;
            bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
        }
        if bytes.is_empty() {
            return Ok(());
        }
        self.ends_event = false;
        if self.line.is_empty() && self.event.is_empty() && !self.at_start {
            bytes = plain_events(bytes, self.largest_line, piece);
            if bytes.is_empty() {
                self.ends_event = true;
                return Ok(());
            }
        }
        while let Some(end) = memchr::memchr2(b'\n', b'\r', bytes) {
            let (line, rest) = (&bytes[..end], &bytes[end + 1..]);
            self.check(line.len())?;
            let carriage_return = bytes[end] == b'\r';
            bytes = match (carriage_return, rest.strip_prefix(b"\n")) {
                (true, Some(after)) => after,
                _ => rest,
            };
            self.skip_lf = carriage_return && rest.is_empty();
            let told = if self.line.is_empty() {
                self.event.line(start(line, &mut self.at_start), piece)
            } else {
                self.line.extend_from_slice(line);
                let told = self.event.line(start(&self.line, &mut self.at_start), piece);
                self.line.clear();
                told
            };
            self.ends_event = told && bytes.is_empty();
            self.check(0)?;
        }
        self.check(bytes.len())?;
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    /// The body is over: an event that its end cut off comes out, marked as unterminated.
    pub fn finish(&mut self, piece: &mut impl FnMut(Piece<'_>)) {
        let line = std::mem::take(&mut self.line);
        let line = start(&line, &mut self.at_start);
        if !line.is_empty() && line[0] != b':' {
            self.event.line(line, piece);
        }
        self.event.dispatch(true, piece);
    }

    fn check(&self, more: usize) -> Result<(), LineTooLong> {
        let longest = (self.line.len() + more).max(self.event.data.len()).max(self.event.error.len());
        if longest as u64 > self.largest_line { Err(LineTooLong(self.largest_line)) } else { Ok(()) }
    }
}

/// The usual case without a copy: whole events of one `data` line, ended by LF. Returns what is left from the first other thing on.
fn plain_events<'a>(mut bytes: &'a [u8], largest_line: u64, piece: &mut impl FnMut(Piece<'_>)) -> &'a [u8] {
    while let Some(rest) = bytes.strip_prefix(b"data: ") {
        let Some(end) = memchr::memchr2(b'\n', b'\r', rest) else { break };
        if !rest[end..].starts_with(b"\n\n") || end as u64 + 6 > largest_line {
            break;
        }
        piece(Piece::Frame(Frame { name: "", data: &rest[..end], unterminated: false }));
        bytes = &rest[end + 2..];
    }
    bytes
}

/// The stream's first line without its byte order mark; every other line as it is.
fn start<'a>(line: &'a [u8], at_start: &mut bool) -> &'a [u8] {
    if std::mem::replace(at_start, false) { line.strip_prefix(BOM).unwrap_or(line) } else { line }
}

impl Event {
    /// Whether nothing of an event has come.
    fn is_empty(&self) -> bool {
        self.name.is_empty() && !self.has_data && !self.has_error
    }
    /// Takes one line. Whether it ended an event that was told.
    fn line(&mut self, line: &[u8], piece: &mut impl FnMut(Piece<'_>)) -> bool {
        if line.is_empty() {
            return self.dispatch(false, piece);
        }
        let (field, value) = match memchr::memchr(b':', line) {
            Some(0) => {
                piece(Piece::Comment(&line[1..]));
                return false;
            }
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &[][..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => append(&mut self.data, &mut self.has_data, value),
            b"error" => append(&mut self.error, &mut self.has_error, value),
            b"event" => {
                self.name.clear();
                self.name.push_str(&String::from_utf8_lossy(value));
            }
            _ => {}
        }
        false
    }

    fn dispatch(&mut self, unterminated: bool, piece: &mut impl FnMut(Piece<'_>)) -> bool {
        if self.has_data {
            piece(Piece::Frame(Frame { name: &self.name, data: &self.data, unterminated }));
        }
        if self.has_error {
            piece(Piece::Frame(Frame { name: "error", data: &self.error, unterminated }));
        }
        let told = self.has_data || self.has_error;
        self.name.clear();
        self.data.clear();
        self.error.clear();
        (self.has_data, self.has_error) = (false, false);
        told
    }
}

fn append(data: &mut Vec<u8>, has: &mut bool, value: &[u8]) {
    if std::mem::replace(has, true) {
        data.push(b'\n');
    }
    data.extend_from_slice(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything a stream tells when it is fed in the given parts: frames as `name|data`, comments as `:text`, `~` for a cut-off frame.
    fn told(parts: &[&[u8]], end: bool) -> Vec<String> {
        let (mut sse, mut told) = (Sse::new(1 << 20), Vec::new());
        let mut tell = |piece: Piece<'_>| {
            told.push(match piece {
                Piece::Comment(text) => format!(":{}", String::from_utf8_lossy(text)),
                Piece::Frame(frame) => {
                    let cut = if frame.unterminated { "~" } else { "" };
                    format!("{cut}{}|{}", frame.name, String::from_utf8_lossy(frame.data))
                }
            });
        };
        for part in parts {
            sse.feed(part, &mut tell).unwrap();
        }
        if end {
            sse.finish(&mut tell);
        }
        told
    }

    #[test]
    fn any_cut_and_any_line_end_give_the_same_frames() {
        for end in ["\n", "\r\n", "\r"] {
            let text = "\u{feff}: hi|data: a||event: x|data:b|data:  c||data||id: 7|retry:0||error: {}||:|data: \u{2028}é||data: [DONE]";
            let text = text.replace('|', end);
            let bytes = text.as_bytes();
            let want = told(&[bytes], true);
            assert_eq!(want, [": hi", "|a", "x|b\n c", "|", "error|{}", ":", "|\u{2028}é", "~|[DONE]"], "{end:?}");
            for first in 0..bytes.len() {
                for second in [first, (first + 1).min(bytes.len()), (first + 7).min(bytes.len())] {
                    assert_eq!(told(&[&bytes[..first], &bytes[first..second], &bytes[second..]], true), want, "{end:?} {first} {second}");
                }
            }
            let bytewise: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(told(&bytewise, true), want, "{end:?} byte by byte");
        }
    }

    #[test]
    fn a_last_event_is_complete_when_its_blank_line_ended_in_a_lone_cr() {
        assert_eq!(told(&[b"data: a\r\r"], true), ["|a"]);
        assert_eq!(told(&[b"data: a\r\n\r"], true), ["|a"]);
        assert_eq!(told(&[b"data: a\r"], true), ["~|a"]);
    }

    #[test]
    fn without_data_nothing_is_dispatched_and_a_name_does_not_leak_into_the_next_event() {
        assert_eq!(told(&[b"event: ping\n\ndata: a\n\n"], true), ["|a"]);
    }

    #[test]
    fn only_the_last_byte_of_an_event_ends_it() {
        let mut sse = Sse::new(100);
        let mut feed = |bytes: &[u8]| {
            sse.feed(bytes, &mut |_| {}).unwrap();
            sse.ends_event()
        };
        assert!(feed(b"data: a\n\n"));
        assert!(!feed(b"data: b\n\ndata: c"));
        assert!(feed(b"\n\n"));
        assert!(!feed(b"data: d\n\n: a comment that may have come later\n\n"));
    }

    #[test]
    fn a_line_over_the_limit_stops_in_one_piece_or_in_many() {
        let mut sse = Sse::new(10);
        assert_eq!(sse.feed(b"data: 0123456789\n\n", &mut |_| {}), Err(LineTooLong(10)));
        let mut sse = Sse::new(10);
        let parts = (0..20).map(|_| sse.feed(b"x", &mut |_| {}));
        assert_eq!(parts.filter(Result::is_err).count(), 10);
        let mut sse = Sse::new(10);
        let lines = (0..20).map(|_| sse.feed(b"data: x\n", &mut |_| {}));
        assert!(lines.filter(Result::is_err).count() > 0, "many lines of one event are limited as well");
    }
}
