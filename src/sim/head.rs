//! Headers as bytes.

use super::answer::Whole;

/// What the header of a stream says in any HTTP; `headers` are the provider's own, and a content type among them is the stream's.
pub fn stream_headers(headers: &[(String, String)], gzip: bool) -> Vec<(String, String)> {
    let is_type = |(name, _): &&(String, String)| name == "content-type";
    let own = headers.iter().find(is_type).map(|(_, value)| value.as_str());
    let fixed = [("content-type", own.unwrap_or("text/event-stream; charset=utf-8")), ("cache-control", "no-cache")];
    let coding = gzip.then_some(("content-encoding", "gzip"));
    let fixed = fixed.into_iter().chain(coding).map(|(name, value)| (name.to_owned(), value.to_owned()));
    fixed.chain(headers.iter().filter(|header| !is_type(header)).cloned()).collect()
}

/// The header of a stream as HTTP/1 bytes.
pub fn stream_head(headers: &[(String, String)], http10: bool, gzip: bool) -> Vec<u8> {
    let mut head = String::from(if http10 { "HTTP/1.0 200 OK\r\n" } else { "HTTP/1.1 200 OK\r\n" });
    head.push_str(if http10 { "connection: close\r\n" } else { "transfer-encoding: chunked\r\n" });
    for (name, value) in stream_headers(headers, gzip) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    head.into_bytes()
}

/// A whole answer; `close` says that the connection ends with it.
pub fn whole_bytes(whole: &Whole, close: bool) -> Vec<u8> {
    let reason = match whole.status {
        200 => "OK",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "Status",
    };
    let mut bytes =
        format!("HTTP/1.1 {} {reason}\r\ncontent-type: {}\r\ncontent-length: {}\r\n", whole.status, whole.content_type, whole.body.len());
    for (name, value) in &whole.headers {
        bytes.push_str(&format!("{name}: {value}\r\n"));
    }
    if close {
        bytes.push_str("connection: close\r\n");
    }
    bytes.push_str("\r\n");
    bytes.push_str(&whole.body);
    bytes.into_bytes()
}
