//! Headers as bytes.

use super::answer::Whole;

/// The header of a stream.
pub fn stream_head(headers: &[(String, String)], http10: bool, gzip: bool) -> Vec<u8> {
    let mut head = String::from(if http10 { "HTTP/1.0 200 OK\r\n" } else { "HTTP/1.1 200 OK\r\n" });
    let own = headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value.as_str());
    let kind = own.unwrap_or("text/event-stream; charset=utf-8");
    head.push_str(&format!("content-type: {kind}\r\ncache-control: no-cache\r\n"));
    head.push_str(if http10 { "connection: close\r\n" } else { "transfer-encoding: chunked\r\n" });
    if gzip {
        head.push_str("content-encoding: gzip\r\n");
    }
    for (name, value) in headers.iter().filter(|(name, _)| name != "content-type") {
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
