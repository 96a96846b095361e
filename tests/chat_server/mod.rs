//! A chat server over plain sockets, in the test's own process: it replies by the model's name and logs what it sent when.
#![allow(dead_code)]

use photofinish::clock::mono;
use photofinish::units::Stamp;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One request that the server saw.
#[derive(Debug, Clone)]
pub struct Served {
    pub model: String,
    /// The user's message.
    pub prompt: String,
    /// The whole body as it came.
    pub body: String,
    pub received: Stamp,
    /// When the last byte of the reply was written; none while it is under way.
    pub finished: Option<Stamp>,
}

pub struct ChatServer {
    pub port: u16,
    served: Arc<Mutex<Vec<Served>>>,
}

impl ChatServer {
    /// Listens on a free port until the test's process ends.
    pub fn start() -> ChatServer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let served: Arc<Mutex<Vec<Served>>> = Arc::default();
        let log = served.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let log = log.clone();
                std::thread::spawn(move || drop(converse(stream, &log)));
            }
        });
        ChatServer { port, served }
    }

    /// A target for `--target`.
    pub fn target(&self, model: &str) -> String {
        format!("http://127.0.0.1:{}/v1={model}", self.port)
    }

    pub fn served(&self) -> Vec<Served> {
        self.served.lock().unwrap().clone()
    }
}

/// Requests on one connection, one after another, until the client leaves.
fn converse(stream: TcpStream, log: &Mutex<Vec<Served>>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    loop {
        let (mut length, mut key) = (0, String::new());
        let mut line = String::new();
        loop {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let line = line.trim();
            if line.is_empty() {
                break;
            }
            let Some((name, value)) = line.split_once(':') else { continue };
            match name.to_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap(),
                "authorization" => key = value.trim().trim_start_matches("Bearer ").to_owned(),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let body = String::from_utf8(body).unwrap();
        let json: serde_json::Value = serde_json::from_str(&body).unwrap();
        let model = json["model"].as_str().unwrap().to_owned();
        let prompt = json["messages"][0]["content"].as_str().unwrap().to_owned();
        let number = {
            let mut log = log.lock().unwrap();
            log.push(Served { model: model.clone(), prompt, body, received: mono(), finished: None });
            log.len() - 1
        };
        reply(&mut writer, &model, &key)?;
        log.lock().unwrap()[number].finished = Some(mono());
    }
}

/// `fails` answers 500, `refuses` 401, both with the key in their words; `tells` says the key, cut in two; `slow` takes 400 ms a reply, every other model 20 ms.
fn reply(writer: &mut TcpStream, model: &str, key: &str) -> std::io::Result<()> {
    let error = |status: &str, text: &str| {
        let body = format!("{{\"error\":{{\"message\":\"{text}\",\"type\":\"t\",\"code\":null}}}}");
        format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len())
    };
    match model {
        "fails" => return writer.write_all(error("500 Internal Server Error", &format!("out of order {key}")).as_bytes()),
        "refuses" => return writer.write_all(error("401 Unauthorized", &format!("no such key {key}")).as_bytes()),
        _ => {}
    }
    writer.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")?;
    let pause = Duration::from_millis(if model == "slow" { 100 } else { 5 });
    let mut chunk = |text: &str| writer.write_all(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes());
    let (head, tail) = key.split_at(key.len() / 2);
    let words = if model == "tells" { ["it", " is ", head, tail] } else { ["one", " two", " three", " four"] };
    for word in words {
        std::thread::sleep(pause);
        chunk(&format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{word}\"}},\"finish_reason\":null}}]}}\n\n"))?;
    }
    chunk("data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n")?;
    chunk("data: [DONE]\n\n")?;
    writer.write_all(b"0\r\n\r\n")
}
