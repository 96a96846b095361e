//! One JSON object a line, without I/O. Lines end by LF, CRLF or CR (none of them can stand inside a JSON line); empty ones are skipped.

use super::Frame;
use super::sse::LineTooLong;

/// A stream of lines being cut.
#[derive(Debug)]
pub struct Ndjson {
    line: Vec<u8>,
    ends_line: bool,
    largest_line: u64,
}

impl Ndjson {
    /// A stream that has not begun; a line longer than `largest_line` bytes ends it.
    pub fn new(largest_line: u64) -> Ndjson {
        Ndjson { line: Vec::new(), ends_line: true, largest_line }
    }
    /// Whether the bytes fed last ended a line.
    pub fn ends_line(&self) -> bool {
        self.ends_line
    }
    /// Takes the bytes of one read and tells the lines that they complete.
    pub fn feed(&mut self, mut bytes: &[u8], tell: &mut impl FnMut(Frame<'_>)) -> Result<(), LineTooLong> {
        while let Some(end) = memchr::memchr2(b'\n', b'\r', bytes) {
            let line = &bytes[..end];
            bytes = &bytes[end + 1..];
            self.check(line.len())?;
            if self.line.is_empty() {
                frame(line, false, tell);
            } else {
                self.line.extend_from_slice(line);
                frame(&self.line, false, tell);
                self.line.clear();
            }
        }
        self.check(bytes.len())?;
        self.line.extend_from_slice(bytes);
        self.ends_line = self.line.is_empty();
        Ok(())
    }
    /// The body is over: a line without its end comes out, marked as unterminated.
    pub fn finish(&mut self, tell: &mut impl FnMut(Frame<'_>)) {
        frame(&std::mem::take(&mut self.line), true, tell);
    }
    fn check(&self, more: usize) -> Result<(), LineTooLong> {
        if (self.line.len() + more) as u64 > self.largest_line { Err(LineTooLong(self.largest_line)) } else { Ok(()) }
    }
}

fn frame(line: &[u8], unterminated: bool, tell: &mut impl FnMut(Frame<'_>)) {
    if !line.iter().all(u8::is_ascii_whitespace) {
        tell(Frame { name: "", data: line, unterminated });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(parts: &[&[u8]]) -> Vec<String> {
        let (mut lines, mut told) = (Ndjson::new(1000), Vec::new());
        let mut tell =
            |frame: Frame<'_>| told.push(format!("{}{}", if frame.unterminated { "~" } else { "" }, String::from_utf8_lossy(frame.data)));
        for part in parts {
            lines.feed(part, &mut tell).unwrap();
        }
        lines.finish(&mut tell);
        told
    }

    #[test]
    fn any_cut_and_any_line_end_give_the_same_lines() {
        for end in ["\n", "\r\n", "\r"] {
            let text = "{\"a\":1}|| |{\"b\":\"é\"}|{\"c\":3".replace('|', end);
            for cut in 0..text.len() {
                let (head, tail) = text.as_bytes().split_at(cut);
                assert_eq!(told(&[head, tail]), ["{\"a\":1}", "{\"b\":\"é\"}", "~{\"c\":3"], "{end:?} {cut}");
            }
        }
    }

    #[test]
    fn a_line_over_the_limit_stops() {
        let mut lines = Ndjson::new(3);
        assert_eq!(lines.feed(b"{\"a\"", &mut |_| {}), Err(LineTooLong(3)));
    }
}
