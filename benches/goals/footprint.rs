//! Ten thousand streams in one process, and how long the program takes from its start to its first request.

use super::exact::{Found, Told};
use super::table::{Goal, Row};
use super::ways::{PHOTOFINISH, Ways, bound};
use photofinish::clock::mono;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const MANY: usize = 10_000;

pub fn many(ways: &Ways) -> Vec<Row> {
    let what = format!("{MANY} streams at once in one process: its peak");
    // A connection is one descriptor on either side.
    if ways.descriptors < MANY as u64 + 100 {
        let why = format!("a process may open {} descriptors here; ulimit -Hn {}", ways.descriptors, 2 * MANY);
        return vec![Row::missing("memory", what, why)];
    }
    match read_many(ways) {
        Ok(found) => {
            let failures = Row::of("memory", "streams of them that failed", Goal::AtMost(0.0), vec![found.failed as f64], "");
            let note = format!("{} texts; {:.0} MiB before the first stream", found.texts, found.before_kib as f64 / 1024.0);
            vec![
                Row::of("memory", what, Goal::AtMost(400.0), vec![found.peak_kib as f64 / 1024.0], "MiB").noted(note),
                failures.noted(found.failure.unwrap_or_default()),
            ]
        }
        Err(why) => vec![Row::missing("memory", what, why)],
    }
}

/// All streams are open before the first request; each then has 16 tokens, four a second: 40 000 writes a second in all.
fn read_many(ways: &Ways) -> Result<Found, String> {
    let behaviour = "defaults: {role_ms: 2000}\nsystems:\n  many: {dialect: vllm, ttft_ms: {uniform: {from: 4000, to: 6000}}, content: {tokens: 16, speed: 4}}\n";
    let file = ways.place.join("many.yaml");
    std::fs::write(&file, behaviour).map_err(|error| error.to_string())?;
    let simulator = ways.simulator("many", &file.display().to_string(), false)?;
    let (base, system) = (simulator.ready.base.clone(), "many".to_owned());
    let told = Told { streams: MANY, base, ca: None, log: None, system, reqwest: false, open_before: true, opening: 256 };
    ways.role("streams", serde_json::to_value(told).map_err(|error| error.to_string())?, 120)
}

pub fn start(ways: &Ways, passes: usize) -> Vec<Row> {
    let starts = 4 * passes + 1;
    let nothing: Vec<f64> = (0..starts).filter_map(|_| until_end(&["--version"])).collect();
    let mut rows = Vec::new();
    for command in ["run", "load"] {
        let what = format!("`photofinish {command}` from its start to the first byte of its first request");
        let found: Result<Vec<f64>, String> = (0..starts).map(|n| until_request(command, &ways.place, n)).collect();
        match found {
            // The first one warms the file cache.
            Ok(found) => rows.push(Row::of("start", what, Goal::AtMost(50.0), found[1..].to_vec(), "ms")),
            Err(why) => rows.push(Row::missing("start", what, why)),
        }
    }
    let first = rows[0].value;
    rows.push(Row::of("start", "`photofinish --version`, from its start to its end", Goal::None, nothing, "ms"));
    if let (Some(run), Some(nothing)) = (first, rows[2].value) {
        rows.push(Row::of("start", "`run` ÷ `--version`", Goal::None, vec![run / nothing], "×"));
    }
    rows
}

fn until_end(args: &[&str]) -> Option<f64> {
    let began = mono();
    let status = Command::new(PHOTOFINISH).args(args).stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
    status.success().then(|| mono().since(began) as f64 / 1e6)
}

/// The program is ended when its first request has come.
fn until_request(command: &str, place: &Path, n: usize) -> Result<f64, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    listener.set_nonblocking(true).map_err(|error| error.to_string())?;
    let target = format!("{}/v1=m", listener.local_addr().map_err(|error| error.to_string())?);
    let mut program = Command::new(PHOTOFINISH);
    program.args([command, "--target", &format!("http://{target}"), "--results", &format!("starts-{command}-{n}")]);
    let few: &[&str] =
        if command == "run" { &["--rounds", "1", "--prompts", "1"] } else { &["--stages", "1", "--requests", "20", "--passes", "1"] };
    program.args(few).current_dir(place).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let began = mono();
    let mut child = bound(&mut program).spawn().map_err(|error| error.to_string())?;
    let due = began.plus(10_000_000_000);
    let mut streams: Vec<TcpStream> = Vec::new();
    let came = loop {
        if let Ok((tcp, _)) = listener.accept() {
            let _ = tcp.set_nonblocking(true);
            streams.push(tcp);
        }
        if streams.iter_mut().any(|tcp| tcp.read(&mut [0; 4096]).is_ok_and(|read| 0 < read)) {
            break Ok(mono().since(began) as f64 / 1e6);
        }
        if due < mono() {
            break Err("no request came within 10 s".to_owned());
        }
        if let Ok(Some(status)) = child.try_wait() {
            break Err(format!("it ended with {status} before its first request"));
        }
        std::thread::sleep(Duration::from_micros(200));
    };
    let _ = child.kill();
    let _ = child.wait();
    came
}
