//! The simulator as a process, and a client that knows no more of HTTP than these tests need.
#![allow(dead_code)] // Each test file uses its part.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// A running simulator with a truth log of its own; it ends with this value.
pub struct Sim {
    child: Child,
    pub ready: serde_json::Value,
    pub folder: tempfile::TempDir,
}

pub fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_photofinish"))
}

impl Sim {
    /// Starts with a behaviour: `builtin:…`, or the text of a file.
    pub fn start(behaviour: &str, more: &[&str]) -> Sim {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sim.yaml");
        let named = if behaviour.starts_with("builtin:") {
            behaviour.to_owned()
        } else {
            std::fs::write(&file, behaviour).unwrap();
            file.display().to_string()
        };
        let parent = std::process::id().to_string();
        let mut child = command()
            .args(["sim", "--port", "0", "--behaviour", &named, "--parent", &parent, "--log"])
            .arg(folder.path().join("truth.jsonl"))
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready = serde_json::from_str(line.strip_prefix("READY ").unwrap_or_else(|| panic!("not READY: {line}"))).unwrap();
        Sim { child, ready, folder }
    }
    pub fn address(&self) -> String {
        self.ready["base"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned()
    }
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address()).unwrap();
        // Only so that a broken test ends; no test waits for it.
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    }
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
    /// One request on a connection of its own, read until the answer is over.
    pub fn ask(&self, system: &str, json: &str) -> Answer {
        let mut stream = self.connect();
        stream.write_all(&post(system, json, "")).unwrap();
        Answer::read(&mut stream)
    }
    /// The stream of a system, asked for with usage.
    pub fn stream(&self, system: &str) -> Answer {
        self.ask(system, ASK)
    }
    /// Ends the simulator politely and reads its truth.
    pub fn truth(mut self) -> Vec<serde_json::Value> {
        let killed = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(killed.success());
        assert!(self.child.wait().unwrap().success(), "an ordinary end is exit code 0");
        let text = std::fs::read_to_string(self.log()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
    pub fn log(&self) -> PathBuf {
        self.folder.path().join("truth.jsonl")
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub const ASK: &str =
    r#"{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"Say some words"}]}"#;

/// A request's bytes.
pub fn post(system: &str, json: &str, headers: &str) -> Vec<u8> {
    let length = json.len();
    format!("POST /{system}/chat/completions HTTP/1.1\r\nhost: sim\r\ncontent-length: {length}\r\n{headers}\r\n{json}").into_bytes()
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// As HTTP says it should.
    Clean,
    /// The connection was closed before.
    Cut,
    /// The connection was reset.
    Reset,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    /// The HTTP chunks of the body, or its only piece.
    pub chunks: Vec<Vec<u8>>,
    pub end: End,
}

impl Answer {
    /// Reads one answer off a connection and leaves what follows it.
    pub fn read(stream: &mut impl Read) -> Answer {
        let mut source = Source { stream, bytes: Vec::new(), end: None };
        let head = match source.up_to(b"\r\n\r\n") {
            Some(head) => String::from_utf8(head).unwrap(),
            None => return Answer { status: 0, headers: vec![], chunks: vec![], end: source.end.unwrap() },
        };
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let split = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned())).unwrap();
        let mut answer = Answer { status, headers: lines.map(split).collect(), chunks: vec![], end: End::Clean };
        if answer.header("transfer-encoding").is_some() {
            while let Some(size) = source.up_to(b"\r\n") {
                let size = usize::from_str_radix(std::str::from_utf8(&size).unwrap().trim(), 16).unwrap();
                let Some(mut chunk) = source.exactly(size + 2) else { break };
                assert!(chunk.ends_with(b"\r\n"));
                chunk.truncate(size);
                if size == 0 {
                    return answer;
                }
                answer.chunks.push(chunk);
            }
            answer.end = source.end.unwrap();
        } else if let Some(length) = answer.header("content-length") {
            let length = length.parse().unwrap();
            answer.chunks.extend(source.exactly(length));
        } else {
            while source.more() {}
            answer.chunks.push(std::mem::take(&mut source.bytes));
        }
        answer
    }
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(of, _)| of == name).map(|(_, value)| value.as_str())
    }
    pub fn body(&self) -> String {
        String::from_utf8_lossy(&self.chunks.concat()).into_owned()
    }
    /// The data of every event, with the line ending and the `data:` of the body as they come.
    pub fn events(&self) -> Vec<String> {
        let body = self.body().replace("\r\n", "\n").replace('\r', "\n");
        let data = |event: &str| {
            let lines = event.lines().filter_map(|line| line.strip_prefix("data:"));
            lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
        };
        body.split("\n\n").map(data).filter(|data| !data.is_empty()).collect()
    }
    /// The events that are JSON.
    pub fn json(&self) -> Vec<serde_json::Value> {
        self.events().iter().filter_map(|data| serde_json::from_str(data).ok()).collect()
    }
    /// The text under one or several keys of the deltas.
    pub fn text(&self, keys: &[&str]) -> String {
        let mut text = String::new();
        for event in self.json() {
            for choice in event["choices"].as_array().into_iter().flatten() {
                text.extend(keys.iter().find_map(|key| choice["delta"][key].as_str().filter(|text| !text.is_empty())));
            }
        }
        text
    }
    pub fn content(&self) -> String {
        self.text(&["content"])
    }
    pub fn reasoning(&self) -> String {
        self.text(&["reasoning_content", "reasoning"])
    }
    pub fn finish(&self) -> Option<String> {
        self.json().iter().find_map(|event| event["choices"][0]["finish_reason"].as_str().map(str::to_owned))
    }
    /// The last usage told.
    pub fn usage(&self) -> Option<serde_json::Value> {
        self.json().iter().rev().find_map(|event| event["usage"].is_object().then(|| event["usage"].clone()))
    }
    pub fn done(&self) -> bool {
        self.events().iter().any(|data| data == "[DONE]")
    }
}

struct Source<'a, R> {
    stream: &'a mut R,
    bytes: Vec<u8>,
    end: Option<End>,
}

impl<R: Read> Source<'_, R> {
    fn more(&mut self) -> bool {
        let mut buffer = [0; 4096];
        match self.stream.read(&mut buffer) {
            Ok(0) => self.end = Some(End::Cut),
            Ok(n) => self.bytes.extend_from_slice(&buffer[..n]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => self.end = Some(End::Reset),
            Err(error) => panic!("{error}"),
        }
        self.end.is_none()
    }
    fn up_to(&mut self, mark: &[u8]) -> Option<Vec<u8>> {
        loop {
            if let Some(at) = self.bytes.windows(mark.len()).position(|window| window == mark) {
                let rest = self.bytes.split_off(at + mark.len());
                return Some(std::mem::replace(&mut self.bytes, rest));
            }
            if !self.more() {
                return None;
            }
        }
    }
    fn exactly(&mut self, n: usize) -> Option<Vec<u8>> {
        while self.bytes.len() < n {
            if !self.more() {
                return None;
            }
        }
        let rest = self.bytes.split_off(n);
        Some(std::mem::replace(&mut self.bytes, rest))
    }
}

/// A TLS connection that trusts the simulator's own certificate.
pub fn connect_tls(sim: &Sim) -> rustls::StreamOwned<rustls::ClientConnection, TcpStream> {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    let mut roots = rustls::RootCertStore::empty();
    let file = sim.ready["ca_file"].as_str().unwrap();
    roots.add(CertificateDer::from_pem_file(file).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let address = sim.ready["tls_base"].as_str().unwrap().strip_prefix("https://").unwrap();
    let session = rustls::ClientConnection::new(Arc::new(config), "127.0.0.1".try_into().unwrap()).unwrap();
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    rustls::StreamOwned::new(session, stream)
}

/// Times of a truth line's writes in a phase, in milliseconds after receipt, and their tokens.
pub fn writes(truth: &serde_json::Value, phase: &str) -> Vec<(f64, u64)> {
    let list = |key: &str| truth[key].as_array().unwrap().clone();
    let received = truth["received_ns"].as_u64().unwrap();
    let all = list("before_ns").into_iter().zip(list("phase")).zip(list("tokens"));
    all.filter(|((_, of), _)| of == phase)
        .map(|((before, _), tokens)| ((before.as_u64().unwrap() - received) as f64 / 1e6, tokens.as_u64().unwrap()))
        .collect()
}
