//! HTTP/1.1 response reader without I/O. Feed it the bytes of one read; it hands out the head and pieces of the body, and says in
//! which chunk each lies: a chunk is what the server wrote at once, and that decides whether a time is exact.
//!
//! Any way of cutting the bytes gives the same pieces, and the work is linear in them: the head is parsed once, when its end is there.

/// The longest head, the longest chunk extension and the longest trailer, bytes.
const LONGEST_HEAD: usize = 64 * 1024;
/// The most header lines of one head.
const MOST_HEADERS: usize = 256;

/// Why a response cannot be read on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is not HTTP/1.x as we can read it, or its body is compressed.
    #[error("{0}")]
    Malformed(String),
    /// The body outgrew its limit.
    #[error("the body is larger than {0} bytes")]
    TooLarge(u64),
}

/// What the bytes held.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// The head is complete: [`Response::status`] and [`Response::headers`] are there.
    Head,
    /// Bytes of the body.
    Body {
        /// The bytes, framing taken off.
        data: &'a [u8],
        /// The number of the chunk they lie in; 0 in a body without chunks.
        chunk: u32,
    },
    /// The end of the body.
    End,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Head,
    Size { n: u64, digits: u8 },
    Extension { n: u64, length: u32 },
    SizeLf { n: u64 },
    Data { left: u64 },
    DataCr,
    DataLf,
    Trailer { line: u32, length: u32 },
    Length { left: u64 },
    UntilClose,
    Ending,
    Done,
}

/// A response being read.
#[derive(Debug)]
pub struct Response {
    state: State,
    head: Vec<u8>,
    /// Nothing but a line end stands since the last line end of the head.
    line_start: bool,
    skipped: usize,
    status: u16,
    headers: Vec<(String, String)>,
    version: u8,
    refused: Option<Fault>,
    chunk: u32,
    chunked: bool,
    keep_alive: bool,
    body: u64,
    largest_body: u64,
}

fn malformed(what: impl Into<String>) -> Fault {
    Fault::Malformed(what.into())
}

impl Response {
    /// A response that has not begun. `largest_body`: bytes of body beyond which reading stops.
    pub fn new(largest_body: u64) -> Response {
        Response {
            state: State::Head,
            head: Vec::new(),
            line_start: false,
            skipped: 0,
            status: 0,
            headers: Vec::new(),
            version: 1,
            refused: None,
            chunk: 0,
            chunked: false,
            keep_alive: true,
            body: 0,
            largest_body,
        }
    }
    /// The status, once the head is there.
    pub fn status(&self) -> u16 {
        self.status
    }
    /// Header names and values as sent (bytes that are not UTF-8 replaced).
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }
    /// `HTTP/1.1` or `HTTP/1.0`.
    pub fn version(&self) -> &'static str {
        if self.version == 0 { "HTTP/1.0" } else { "HTTP/1.1" }
    }
    /// The number of the chunk whose bytes were last touched, size line and trailer included. It goes up with a chunk's first byte.
    pub fn chunk(&self) -> u32 {
        self.chunk
    }
    /// The body comes in chunks. Else nothing shows what the server wrote together.
    pub fn chunked(&self) -> bool {
        self.chunked
    }
    /// The response has come to its end.
    pub fn done(&self) -> bool {
        self.state == State::Done
    }
    /// Whether any byte of a response has come.
    pub fn begun(&self) -> bool {
        self.status != 0 || !self.head.is_empty() || self.skipped > 0
    }
    /// Whether the head is complete.
    pub fn has_head(&self) -> bool {
        self.status != 0
    }
    /// Whether the connection may carry another exchange after this one.
    pub fn keep_alive(&self) -> bool {
        self.keep_alive && self.done()
    }
    /// The connection was closed. True if that is a proper end.
    pub fn close(&mut self) -> bool {
        if self.state == State::UntilClose {
            self.state = State::Done;
        }
        self.done()
    }

    /// The next piece in `input`, which is moved past what was used. `None`: all of it is used up, or the response is done.
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Piece<'a>>, Fault> {
        if let Some(fault) = &self.refused {
            return Err(fault.clone());
        }
        loop {
            match self.state {
                State::Head => match self.take_head(input)? {
                    Some(true) => return Ok(Some(Piece::Head)),
                    Some(false) => {} // an interim head: the real one follows
                    None => return Ok(None),
                },
                State::Ending => {
                    self.state = State::Done;
                    return Ok(Some(Piece::End));
                }
                State::Done => return Ok(None),
                _ if input.is_empty() => return Ok(None),
                State::Data { left } => {
                    let data = self.take_body(input, left)?;
                    let left = left - data.len() as u64;
                    self.state = if left == 0 { State::DataCr } else { State::Data { left } };
                    return Ok(Some(Piece::Body { data, chunk: self.chunk }));
                }
                State::Length { left } => {
                    let data = self.take_body(input, left)?;
                    let left = left - data.len() as u64;
                    self.state = if left == 0 { State::Ending } else { State::Length { left } };
                    return Ok(Some(Piece::Body { data, chunk: 0 }));
                }
                State::UntilClose => {
                    let data = self.take_body(input, u64::MAX)?;
                    return Ok(Some(Piece::Body { data, chunk: 0 }));
                }
                State::DataCr if input.starts_with(b"\r\n") => {
                    *input = &input[2..];
                    self.state = State::Size { n: 0, digits: 0 };
                }
                _ => {
                    if matches!(self.state, State::Size { digits: 0, .. }) && self.take_size_line(input) {
                        continue;
                    }
                    let byte = input[0];
                    *input = &input[1..];
                    self.state = self.framing(byte)?;
                }
            }
        }
    }

    /// The usual size line at once, if all of it is there; every other one goes byte by byte.
    fn take_size_line(&mut self, input: &mut &[u8]) -> bool {
        let mut n = 0;
        for (at, byte) in input.iter().take(8).enumerate() {
            match (*byte as char).to_digit(16) {
                Some(digit) => n = n << 4 | u64::from(digit),
                None if at > 0 && input[at..].starts_with(b"\r\n") => {
                    self.chunk += 1;
                    *input = &input[at + 2..];
                    self.state = sized(n);
                    return true;
                }
                None => return false,
            }
        }
        false
    }

    fn take_body<'a>(&mut self, input: &mut &'a [u8], left: u64) -> Result<&'a [u8], Fault> {
        let (data, rest) = input.split_at(left.min(input.len() as u64) as usize);
        *input = rest;
        self.body += data.len() as u64;
        if self.body > self.largest_body { Err(Fault::TooLarge(self.largest_body)) } else { Ok(data) }
    }

    /// One byte of the framing between the chunks' data.
    fn framing(&mut self, byte: u8) -> Result<State, Fault> {
        Ok(match (self.state, byte) {
            (State::Size { n, digits }, _) => {
                if digits == 0 {
                    self.chunk += 1;
                }
                match ((byte as char).to_digit(16), byte) {
                    (Some(_), _) if digits == 16 => return Err(malformed("a chunk size of more than 16 digits")),
                    (Some(digit), _) => State::Size { n: n << 4 | u64::from(digit), digits: digits + 1 },
                    (None, _) if digits == 0 => return Err(malformed("a chunk without a size")),
                    (None, b'\r') => State::SizeLf { n },
                    (None, b'\n') => sized(n),
                    (None, b';' | b' ' | b'\t') => State::Extension { n, length: 0 },
                    _ => return Err(malformed("a chunk size that is no hexadecimal number")),
                }
            }
            (State::Extension { n, .. }, b'\r') => State::SizeLf { n },
            (State::Extension { n, .. } | State::SizeLf { n }, b'\n') => sized(n),
            (State::Extension { n, length }, _) if (length as usize) < LONGEST_HEAD => State::Extension { n, length: length + 1 },
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataCr | State::DataLf, b'\n') => State::Size { n: 0, digits: 0 },
            (State::Trailer { line: 0, .. }, b'\n') => State::Ending,
            (State::Trailer { length, .. }, _) if length as usize >= LONGEST_HEAD => return Err(malformed("the trailer is too long")),
            (State::Trailer { length, .. }, b'\n') => State::Trailer { line: 0, length: length + 1 },
            (State::Trailer { line, length }, b'\r') => State::Trailer { line, length: length + 1 },
            (State::Trailer { line, length }, _) => State::Trailer { line: line + 1, length: length + 1 },
            _ => return Err(malformed("the chunked framing is broken")),
        })
    }

    /// Gathers a head until its blank line, then parses it once. Whether it is the response's own; `None`: it is not complete yet.
    fn take_head(&mut self, input: &mut &[u8]) -> Result<Option<bool>, Fault> {
        loop {
            let Some(&byte) = input.first() else { return Ok(None) };
            *input = &input[1..];
            if self.head.is_empty() && (byte == b'\r' || byte == b'\n') {
                self.skipped += 1; // an empty line before the head, which robust readers ignore
                if self.skipped > LONGEST_HEAD {
                    return Err(malformed("empty lines instead of a response"));
                }
                continue;
            }
            self.head.push(byte);
            if !b"HTTP/1.".starts_with(&self.head[..self.head.len().min(7)]) {
                return Err(malformed(no_http(&self.head)));
            }
            if self.head.len() > LONGEST_HEAD {
                return Err(malformed("the response's head is too long"));
            }
            match byte {
                b'\n' if self.line_start => break,
                b'\n' => self.line_start = true,
                b'\r' if self.line_start => {}
                _ => self.line_start = false,
            }
        }
        self.line_start = false;
        let head = std::mem::take(&mut self.head);
        self.parse_head(&head).map(Some)
    }

    /// Whether the head is that of the response itself, and not an interim one.
    fn parse_head(&mut self, head: &[u8]) -> Result<bool, Fault> {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut parsed = httparse::Response::new(&mut headers);
        let mut config = httparse::ParserConfig::default();
        config.allow_spaces_after_header_name_in_responses(true).allow_obsolete_multiline_headers_in_responses(true);
        config.ignore_invalid_headers_in_responses(true);
        match config.parse_response(&mut parsed, head) {
            Ok(httparse::Status::Complete(_)) => {}
            Ok(httparse::Status::Partial) => return Err(malformed("the response's head breaks off")),
            Err(error) => return Err(malformed(format!("the response's head cannot be read: {error}"))),
        }
        let status = parsed.code.unwrap_or(0);
        match status {
            101 => return Err(malformed("101 Switching Protocols, which nobody asked for")),
            100..=199 => return Ok(false), // an interim response: the real one follows
            200..=999 => {}
            _ => return Err(malformed(format!("the status {status} is none"))),
        }
        self.status = status;
        self.version = parsed.version.unwrap_or(1);
        let text = |value: &[u8]| String::from_utf8_lossy(value).trim().to_owned();
        self.headers = parsed.headers.iter().map(|header| (header.name.to_owned(), text(header.value))).collect();
        self.set_framing()?;
        Ok(true)
    }

    /// How the body is delimited (RFC 9112 §6.3).
    fn set_framing(&mut self) -> Result<(), Fault> {
        let mut coded = None;
        let mut lengths: Vec<u64> = Vec::new();
        self.keep_alive = self.version == 1;
        for (name, value) in &self.headers {
            let tokens = || value.split(',').map(|token| token.trim().to_ascii_lowercase()).filter(|token| !token.is_empty());
            if name.eq_ignore_ascii_case("transfer-encoding") {
                for token in tokens() {
                    self.chunked = token == "chunked";
                    if !["chunked", "identity"].contains(&token.as_str()) {
                        coded = Some(token);
                    }
                }
            } else if name.eq_ignore_ascii_case("content-encoding") {
                coded = tokens().find(|token| token != "identity").or(coded);
            } else if name.eq_ignore_ascii_case("content-length") {
                for token in tokens() {
                    let digits = token.bytes().all(|byte| byte.is_ascii_digit());
                    lengths.push(token.parse().ok().filter(|_| digits).ok_or_else(|| malformed("a content-length that is no number"))?);
                }
            } else if name.eq_ignore_ascii_case("connection") {
                for token in tokens() {
                    match token.as_str() {
                        "close" => self.keep_alive = false,
                        "keep-alive" if self.version == 0 => self.keep_alive = true,
                        _ => {}
                    }
                }
            }
        }
        if lengths.windows(2).any(|pair| pair[0] != pair[1]) {
            return Err(malformed("two different content-lengths"));
        }
        if let Some(coding) = coded {
            self.refused = Some(malformed(format!("the body is compressed ({coding}), although identity was asked for")));
        }
        self.state = match (self.status, self.chunked, lengths.first()) {
            (204 | 304, _, _) => State::Ending,
            (_, true, _) => State::Size { n: 0, digits: 0 },
            (_, false, Some(0)) => State::Ending,
            (_, false, Some(left)) => State::Length { left: *left },
            (_, false, None) => State::UntilClose,
        };
        self.chunked = matches!(self.state, State::Size { .. });
        // A response that says both how long it is and that it is chunked is a trap for whoever reads on after it.
        let trap = self.chunked && !lengths.is_empty();
        self.keep_alive &= self.state != State::UntilClose && !trap;
        Ok(())
    }
}

fn sized(n: u64) -> State {
    if n == 0 { State::Trailer { line: 0, length: 0 } } else { State::Data { left: n } }
}

fn no_http(head: &[u8]) -> &'static str {
    match head {
        [0x14..=0x17, ..] => "not HTTP but TLS: the base URL should begin with https://",
        [0, 0, ..] => "not HTTP/1.x but something binary (HTTP/2?)",
        _ => "not HTTP/1.x",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a whole response cut at the given places: status, body bytes with their chunks, ends, and the fault if any.
    fn read(bytes: &[u8], cuts: &[usize]) -> (u16, Vec<(u8, u32)>, u32, Option<Fault>, Response) {
        let mut response = Response::new(1 << 20);
        let (mut body, mut ends, mut fault) = (Vec::new(), 0, None);
        let mut from = 0;
        'parts: for to in cuts.iter().copied().chain([bytes.len()]) {
            let mut input = &bytes[from..to];
            from = to;
            loop {
                match response.next(&mut input) {
                    Ok(Some(Piece::Body { data, chunk })) => body.extend(data.iter().map(|byte| (*byte, chunk))),
                    Ok(Some(Piece::End)) => ends += 1,
                    Ok(Some(Piece::Head)) => {}
                    Ok(None) => break,
                    Err(found) => {
                        fault = Some(found);
                        break 'parts;
                    }
                }
            }
        }
        (response.status(), body, ends, fault, response)
    }
    fn text(body: &[(u8, u32)]) -> String {
        body.iter().map(|(byte, _)| *byte as char).collect()
    }

    const CHUNKED: &[u8] =
        b"\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=1\r\nhello\r\nA \n0123456789\n0\r\nt: 1\r\n\r\n";

    #[test]
    fn any_cut_gives_the_same_body_and_every_byte_its_chunk() {
        let want: Vec<_> = b"hello".iter().map(|b| (*b, 1)).chain(b"0123456789".iter().map(|b| (*b, 2))).collect();
        for first in 0..CHUNKED.len() {
            for second in first..CHUNKED.len() {
                let (status, body, ends, fault, response) = read(CHUNKED, &[first, second]);
                assert_eq!((status, &body, ends, fault), (200, &want, 1, None), "cut at {first} and {second}");
                assert!(response.done() && response.keep_alive());
                assert_eq!(response.chunk(), 3, "the last chunk is the empty one");
            }
        }
        let bytewise: Vec<usize> = (1..CHUNKED.len()).collect();
        assert_eq!(read(CHUNKED, &bytewise).1, want);
    }

    #[test]
    fn a_body_by_length_and_a_body_until_close() {
        let (_, body, ends, _, response) = read(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabcHTTP", &[40]);
        assert_eq!((text(&body).as_str(), ends, response.keep_alive()), ("abc", 1, true));
        let (_, body, ends, _, mut response) = read(b"HTTP/1.0 200 OK\n\nabc", &[]);
        assert_eq!((text(&body).as_str(), ends, response.done(), response.version()), ("abc", 0, false, "HTTP/1.0"));
        assert!(response.close() && !response.keep_alive());
        let (.., mut response) = read(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc", &[]);
        assert!(!response.close(), "two bytes are missing");
    }

    #[test]
    fn keep_alive_is_what_version_and_header_say() {
        let kept = |head: &str| read(format!("{head}\r\ncontent-length: 0\r\n\r\n").as_bytes(), &[]).4.keep_alive();
        assert!(kept("HTTP/1.1 200 OK"));
        assert!(!kept("HTTP/1.1 200 OK\r\nConnection: TE, Close"));
        assert!(!kept("HTTP/1.0 200 OK"));
        assert!(kept("HTTP/1.0 200 OK\r\nconnection: Keep-Alive"));
    }

    #[test]
    fn a_compressed_body_is_refused_after_its_head_was_told() {
        let (status, body, _, fault, response) =
            read(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\ncontent-length: 2\r\n\r\n\x1f\x8b", &[]);
        assert_eq!((status, body.len()), (200, 0));
        assert!(fault.unwrap().to_string().contains("gzip"));
        assert_eq!(response.headers()[0].0, "Content-Encoding");
        let (.., fault, _) = read(b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n2\r\nab", &[]);
        assert!(fault.is_some());
    }

    #[test]
    fn junk_is_told_at_once() {
        let fault = |bytes: &[u8]| read(bytes, &[]).3.unwrap().to_string();
        assert!(fault(b"SSH-2.0-x").contains("not HTTP"));
        assert!(fault(b"\x15\x03\x01").contains("https://"));
        assert!(fault(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz").contains("size"));
        assert!(fault(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabcX").contains("broken"));
        assert!(fault(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\n").contains("two different"));
        assert!(fault(b"HTTP/1.1 200 OK\r\ncontent-length: +3\r\n\r\n").contains("no number"));
        assert!(fault(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n11112222333344445").contains("16 digits"));
        assert!(fault(&[b"HTTP/1.1 200 OK\r\nx: ".as_slice(), &[b'a'; LONGEST_HEAD]].concat()).contains("too long"));
    }

    #[test]
    fn a_body_over_its_limit_stops() {
        let mut response = Response::new(4);
        let mut input: &[u8] = b"HTTP/1.1 200 OK\r\n\r\nabcde";
        assert_eq!(response.next(&mut input), Ok(Some(Piece::Head)));
        assert_eq!(response.next(&mut input), Err(Fault::TooLarge(4)));
    }
}
