//! What a run has loaded when its first request leaves, seen from the server that it asks.
#![cfg(target_os = "linux")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const REPLY: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"Hello there, world\"}}]}\n\n\
    data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

/// A run that keeps no text, so that it counts the tokens of what comes.
fn run_against(server: &TcpListener, results: &std::path::Path) -> Child {
    let target = format!("http://{}/v1=m", server.local_addr().unwrap());
    let args = ["run", "--no-text", "--rounds", "1", "--prompts", "2", "--target", &target, "--results", results.to_str().unwrap()];
    let mut command = Command::new(env!("CARGO_BIN_EXE_photofinish"));
    command.args(args).env("XDG_CONFIG_HOME", results).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Memory of a process that is in use, KiB.
fn resident(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn request(server: &mut TcpStream) {
    let (mut got, mut bytes) = (Vec::new(), [0; 4096]);
    while !got.ends_with(b"}") {
        let n = server.read(&mut bytes).unwrap();
        assert!(0 < n, "the run hung up");
        got.extend_from_slice(&bytes[..n]);
    }
}

fn reply(server: &mut TcpStream) {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {}\r\n\r\n", REPLY.len());
    server.write_all([head.as_str(), REPLY].concat().as_bytes()).unwrap();
}

#[test]
fn no_tokenizer_is_loaded_before_the_first_request() {
    let results = tempfile::tempdir().unwrap();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut child = run_against(&server, results.path());
    let (mut stream, _) = server.accept().unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    request(&mut stream);
    let at_first_request = resident(&child);
    reply(&mut stream);
    request(&mut stream);
    // The first reply is being counted now: that the vocabulary comes shows that it was not there before.
    let loaded = (0..600).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        2 * at_first_request < resident(&child)
    });
    let at_the_end = resident(&child);
    reply(&mut stream);
    request(&mut stream);
    reply(&mut stream);
    drop(stream);
    child.wait().unwrap();
    assert!(loaded, "{at_first_request} KiB at the first request, {at_the_end} KiB with the tokenizer");
}
