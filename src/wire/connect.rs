//! From an endpoint to a socket that can be written to: DNS, TCP, an HTTP CONNECT proxy where the plan names one, TLS. Each phase is
//! timed apart, all of them share one limit, and a failure says where it lies: at the provider or in our own machine and line.

use super::blame::{authority, is_local, is_resolver_fault, next_id};
use super::http1::{Piece, Response};
use super::roots::Roots;
use super::timed_io::TimedIo;
use super::{ConnectFailure, Endpoint};
use crate::clock::mono;
use crate::record::Connect;
use crate::timeline::Stage;
use base64::Engine as _;
use percent_encoding::percent_decode_str;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A connection's bytes, plain or under TLS.
#[derive(Debug)]
pub(super) enum Io {
    Plain(TimedIo),
    Tls(Box<TlsStream<TimedIo>>),
}

impl Io {
    pub(super) fn timed(&self) -> &TimedIo {
        match self {
            Io::Plain(io) => io,
            Io::Tls(tls) => tls.get_ref().0,
        }
    }
    pub(super) fn timed_mut(&mut self) -> &mut TimedIo {
        match self {
            Io::Plain(io) => io,
            Io::Tls(tls) => tls.get_mut().0,
        }
    }
}

/// Opens a connection to the endpoint, within its limit.
pub(super) async fn open(roots: &Roots, endpoint: &Endpoint) -> Result<(Io, Connect), ConnectFailure> {
    let mut attempt = Attempt { stage: Stage::Dns, connect: Connect { id: next_id(), ..Connect::default() } };
    let limit = Duration::from_millis(endpoint.connect_ms);
    let outcome = tokio::time::timeout(limit, attempt.run(roots, endpoint)).await;
    let (message, local, timed_out) = match outcome {
        Ok(Ok(io)) => return Ok((io, attempt.connect)),
        Ok(Err(failed)) => (failed.message, failed.local, false),
        Err(_) => (format!("no connection within {} ms", endpoint.connect_ms), false, true),
    };
    let message = match proxy_hint(endpoint, |name| std::env::var_os(name).is_some_and(|value| !value.is_empty())) {
        Some(hint) if attempt.stage != Stage::Proxy => format!("{message} ({hint})"),
        _ => message,
    };
    Err(ConnectFailure { stage: attempt.stage, message, timed_out, local, connect: attempt.connect })
}

/// An inherited proxy variable changes nothing here; a user behind a proxy should learn why the connection fails.
fn proxy_hint(endpoint: &Endpoint, set: impl Fn(&str) -> bool) -> Option<String> {
    let loopback = endpoint.host == "localhost" || endpoint.host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    let names = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
    let name = names.into_iter().find(|name| set(name)).filter(|_| endpoint.proxy.is_none() && !loopback)?;
    Some(format!("an inherited {name} is not used; name it in the plan as proxy:"))
}

struct Failed {
    message: String,
    local: bool,
}

impl Failed {
    fn at_peer(message: impl Into<String>) -> Failed {
        Failed { message: message.into(), local: false }
    }
    fn here(message: impl Into<String>) -> Failed {
        Failed { message: message.into(), local: true }
    }
}

/// A connection on its way; what is known of it so far outlives a limit that runs out.
struct Attempt {
    stage: Stage,
    connect: Connect,
}

impl Attempt {
    async fn run(&mut self, roots: &Roots, endpoint: &Endpoint) -> Result<Io, Failed> {
        let mut io = match &endpoint.proxy {
            None => self.reach(&endpoint.host, endpoint.port).await?,
            Some(proxy) => {
                let proxy = Proxy::parse(proxy)?;
                self.stage = Stage::Proxy;
                let begun = mono();
                let io = self.reach_proxy(&proxy).await;
                let mut io = io.map_err(|failed| Failed { message: format!("the proxy: {}", failed.message), local: true })?;
                self.stage = Stage::Proxy;
                tunnel(&mut io, endpoint, &proxy).await?;
                // What the way to the proxy took is in the DNS and TCP times already.
                let reached = self.connect.dns_ns.unwrap_or(0) + self.connect.tcp_ns.unwrap_or(0);
                self.connect.proxy_ns = Some(mono().since(begun).saturating_sub(reached));
                io
            }
        };
        let (local, peer) = io.addresses();
        self.connect.local_port = local.map(|address| address.port());
        self.connect.peer = peer.map(|address| address.to_string());
        if !endpoint.tls {
            return Ok(Io::Plain(io));
        }
        self.stage = Stage::Tls;
        let config = roots.config(endpoint.ca_file.as_deref(), false).map_err(Failed::here)?;
        let name = rustls::pki_types::ServerName::try_from(endpoint.host.clone());
        let name = name.map_err(|_| Failed::here(format!("{:?} is no name that a certificate could bear", endpoint.host)))?;
        io.begin_tls();
        let begun = mono();
        let tls = TlsConnector::from(config).connect(name, io).await.map_err(|error| Failed::at_peer(tls_words(&error)))?;
        self.connect.tls_ns = Some(mono().since(begun));
        self.connect.tls = tls.get_ref().1.protocol_version().and_then(|version| version.as_str().map(str::to_owned));
        Ok(Io::Tls(Box::new(tls)))
    }

    async fn reach_proxy(&mut self, proxy: &Proxy) -> Result<TimedIo, Failed> {
        let io = self.reach(&proxy.host, proxy.port).await;
        self.stage = Stage::Proxy;
        io
    }

    /// DNS and TCP. The addresses are tried in order, each with its share of a patience of its own, so that one dead address (IPv6
    /// without a route, mostly) does not use up the limit.
    async fn reach(&mut self, host: &str, port: u16) -> Result<TimedIo, Failed> {
        let addresses: Vec<SocketAddr> = match host.parse::<IpAddr>() {
            Ok(ip) => vec![SocketAddr::new(ip, port)],
            Err(_) => {
                self.stage = Stage::Dns;
                let begun = mono();
                let found = tokio::net::lookup_host((host, port)).await;
                let found = found.map_err(|error| Failed { message: format!("{host}: {error}"), local: is_resolver_fault(&error) })?;
                self.connect.dns_ns = Some(mono().since(begun));
                found.collect()
            }
        };
        self.stage = Stage::Tcp;
        let begun = mono();
        let mut failed = Failed::at_peer(format!("{host} has no address"));
        for (i, address) in addresses.iter().enumerate() {
            let last = i + 1 == addresses.len();
            let connecting = TcpStream::connect(address);
            let connected = if last { connecting.await } else { patience(connecting).await };
            match connected.and_then(TimedIo::new) {
                Ok(io) => {
                    self.connect.tcp_ns = Some(mono().since(begun));
                    return Ok(io);
                }
                Err(error) => failed = Failed { message: format!("{address}: {error}"), local: is_local(&error) },
            }
        }
        Err(failed)
    }
}

/// How long an address may take that is not the last one.
const PATIENCE: Duration = Duration::from_secs(2);

async fn patience(connecting: impl Future<Output = io::Result<TcpStream>>) -> io::Result<TcpStream> {
    let waited = tokio::time::timeout(PATIENCE, connecting).await;
    waited.unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "no answer within 2 s")))
}

/// A proxy as the plan names it. Its credentials are never printed.
struct Proxy {
    host: String,
    port: u16,
    authorization: Option<String>,
}

impl Proxy {
    fn parse(text: &str) -> Result<Proxy, Failed> {
        let url = url::Url::parse(text).map_err(|error| Failed::here(format!("the proxy's URL cannot be read: {error}")))?;
        if url.scheme() != "http" {
            let scheme = url.scheme();
            return Err(Failed::here(format!("a {scheme} proxy needs transport: reqwest; this one takes http:// (CONNECT)")));
        }
        let host = url.host_str().ok_or_else(|| Failed::here("the proxy's URL names no host"))?;
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let credentials = format!("{}:{}", decoded(url.username()), decoded(url.password().unwrap_or("")));
        let authorization = (credentials != ":").then(|| base64::engine::general_purpose::STANDARD.encode(credentials));
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Proxy { host, port: url.port_or_known_default().unwrap_or(80), authorization })
    }
}

/// Asks the proxy for a tunnel to the endpoint.
async fn tunnel(io: &mut TimedIo, endpoint: &Endpoint, proxy: &Proxy) -> Result<(), Failed> {
    let broken = |error: io::Error| Failed::here(format!("the proxy broke off: {error}"));
    let to = authority(&endpoint.host, Some(endpoint.port));
    let mut request = format!("CONNECT {to} HTTP/1.1\r\nhost: {to}\r\n");
    if let Some(credentials) = &proxy.authorization {
        request.push_str(&format!("proxy-authorization: Basic {credentials}\r\n"));
    }
    request.push_str("\r\n");
    io.write_all(request.as_bytes()).await.map_err(broken)?;
    let mut response = Response::new(0);
    let mut room = [0; 4096];
    loop {
        let read = io.read(&mut room).await.map_err(broken)?;
        if read == 0 {
            return Err(Failed::here("the proxy closed the connection"));
        }
        let mut input = &room[..read];
        match response.next(&mut input) {
            Ok(Some(Piece::Head)) if (200..300).contains(&response.status()) && input.is_empty() => return Ok(()),
            Ok(Some(Piece::Head)) if (200..300).contains(&response.status()) => {
                return Err(Failed::here("the proxy sent something of its own into the tunnel"));
            }
            Ok(Some(_)) => return Err(refusal(response.status())),
            Ok(None) => {}
            Err(_) if response.has_head() => return Err(refusal(response.status())),
            Err(fault) => return Err(Failed::here(format!("the proxy's answer: {fault}"))),
        }
    }
}

fn refusal(status: u16) -> Failed {
    let message = format!("the proxy answered {status} to CONNECT");
    // 502 to 504 speak of the way behind the proxy: that may well be the provider.
    Failed { message, local: !(502..=504).contains(&status) }
}

fn tls_words(error: &io::Error) -> String {
    let text = error.to_string();
    if text.contains("InvalidContentType") {
        return format!("{text} (the port may not speak TLS: then the base URL should begin with http://)");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(host: &str) -> Endpoint {
        Endpoint { host: host.to_owned(), port: 443, tls: true, ca_file: None, proxy: None, http2: false, connect_ms: 1000 }
    }

    #[test]
    fn an_inherited_proxy_is_named_only_where_it_explains_something() {
        let hint = |endpoint: &Endpoint| proxy_hint(endpoint, |name| name == "HTTPS_PROXY");
        assert!(hint(&endpoint("api.example.org")).unwrap().contains("HTTPS_PROXY is not used; name it in the plan as proxy:"));
        assert_eq!(hint(&endpoint("127.0.0.1")), None);
        assert_eq!(hint(&Endpoint { proxy: Some("http://p:1".to_owned()), ..endpoint("api.example.org") }), None);
        assert_eq!(proxy_hint(&endpoint("api.example.org"), |_| false), None);
    }

    #[test]
    fn a_proxy_is_read_and_its_credentials_are_not_in_the_error() {
        let proxy = Proxy::parse("http://ann:s%40crt@proxy.example:3128").ok().unwrap();
        assert_eq!((proxy.host.as_str(), proxy.port), ("proxy.example", 3128));
        assert_eq!(proxy.authorization.as_deref(), Some("YW5uOnNAY3J0"));
        let error = Proxy::parse("socks5://ann:s3cret@proxy.example:1080").err().unwrap();
        assert!(error.message.contains("transport: reqwest") && !error.message.contains("s3cret"), "{}", error.message);
        assert_eq!(Proxy::parse("http://[::1]:8080").ok().unwrap().host, "::1");
    }
}
