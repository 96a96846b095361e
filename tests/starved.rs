//! The client is starved, and every claim about a time still holds the truth: stopped for 100 ms of every 200 ms, beside busy threads, with
//! small buffers, with records in two writes, in bursts, plain and over TLS.
//!
//! The client is a process of its own (this test binary again), since a stopped process would stop its server too. `make starve` runs the
//! same over a million events: `PHOTOFINISH_STARVED_EVENTS=1000000 cargo test --release --test starved -- --nocapture`.
#![cfg(target_os = "linux")]
#![allow(unsafe_code, clippy::print_stdout)]

mod raw_server;

use photofinish::timeline::{Ended, Mark};
use photofinish::units::Stamp;
use photofinish::wire::{Connection, KernelTransport, Roots, Transport};
use raw_server::claims::{Seen, endpoint, first_wrong_claim, request};
use raw_server::scripts::{bursts, in_pieces, paced};
use raw_server::{Line, Step, Truth, serve, tls_config};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What the client process is told, as JSON.
const CLIENT: &str = "PHOTOFINISH_STARVED_CLIENT";
/// How many events are to be checked in all.
const EVENTS: &str = "PHOTOFINISH_STARVED_EVENTS";

/// What the server writes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Script {
    /// An event every 2 ms.
    Paced,
    /// An event every 2 ms, in two writes.
    InPieces,
    /// Sixteen events at once, then a pause.
    Bursts,
    /// Events that fill the client's read buffer: 300 bytes plain, and what rustls reads at once (4 KiB).
    SmallBuffer,
}

/// What keeps the client from looking.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Starved {
    /// SIGSTOP for 100 ms of every 200 ms.
    Stopped,
    /// Twice as many busy threads as processors, and the client at a lower priority than they.
    Busy,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Told {
    address: SocketAddr,
    ca: Option<PathBuf>,
    streams: usize,
    room: Option<usize>,
    report: PathBuf,
}

/// A mark as the client process hands it over: `at`, `after`, `user`, read, chunk, exact.
type Row = (u64, u64, u64, u32, u32, bool);

#[derive(Default)]
struct Sum {
    events: usize,
    exact: usize,
    /// Intervals wider than 20 ms: the client was away.
    wide: usize,
    wrong: Vec<String>,
}

impl Sum {
    fn add(&mut self, marks: &[Mark], truth: &Truth) {
        self.events += marks.len();
        self.exact += marks.iter().filter(|mark| mark.exact).count();
        self.wide += marks.iter().filter(|mark| 20_000_000 < mark.at.since(mark.after)).count();
        self.wrong.extend(first_wrong_claim(marks, truth));
    }
    fn words(&self) -> String {
        let share = |n: usize| 100.0 * n as f64 / self.events as f64;
        let (exact, wide, wrong) = (share(self.exact), share(self.wide), self.wrong.len());
        format!("{} events, {exact:.1} % exact, {wide:.1} % wider than 20 ms, {wrong} streams with a wrong claim", self.events)
    }
}

#[test]
fn every_claim_of_a_starved_client_holds_the_truth() {
    let wanted: usize = std::env::var(EVENTS).map_or(100_000, |text| text.parse().expect("a number of events"));
    let streams = if wanted <= 200_000 { 16 } else { 40 };
    let events = wanted.div_ceil(16 * streams).next_multiple_of(8);
    let mut all = Sum::default();
    for tls in [false, true] {
        for script in [Script::Paced, Script::InPieces, Script::Bursts, Script::SmallBuffer] {
            for starved in [Starved::Stopped, Starved::Busy] {
                let sum = starve(tls, script, starved, streams, events);
                println!("{} {script:?} {starved:?}: {}", if tls { "TLS" } else { "plain" }, sum.words());
                assert!(sum.wrong.is_empty(), "a claim that excludes the truth: {}", sum.wrong[0]);
                assert!(starved == Starved::Busy || 0 < sum.wide, "the client was not starved: {}", sum.words());
                all.events += sum.events;
                all.exact += sum.exact;
                all.wide += sum.wide;
            }
        }
    }
    println!("in all: {}", all.words());
    assert!(wanted <= all.events, "{} of {wanted} events were seen", all.events);
}

#[test]
fn a_claim_that_excludes_the_truth_is_found() {
    let truth: Truth = vec![(1_000_000, 1_010_000), (5_000_000, 5_010_000)];
    let mark = |at, after, exact| Mark { at: Stamp(at), after: Stamp(after), user: Stamp(at), read: 1, chunk: 1, exact };
    let right = [mark(1_005_000, 1_005_000, true), mark(9_000_000, 1_005_000, false)];
    assert_eq!(first_wrong_claim(&right, &truth), None);
    let late = mark(1_020_000, 1_020_000, true);
    let too_narrow = mark(9_000_000, 5_020_000, false);
    let before_it_was_written = mark(4_000_000, 1_005_000, false);
    for wrong in [[late, right[1]], [right[0], too_narrow], [right[0], before_it_was_written]] {
        assert!(first_wrong_claim(&wrong, &truth).is_some(), "{wrong:?}");
    }
    assert!(first_wrong_claim(&right[..1], &truth).is_some(), "an event went missing");
}

/// One client process against one server, under one kind of starvation.
fn starve(tls: bool, script: Script, starved: Starved, streams: usize, events: usize) -> Sum {
    let folder = tempfile::tempdir().unwrap();
    let (config, ca) = tls_config();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let told = Told {
        address: listener.local_addr().unwrap(),
        ca: tls.then(|| ca.path().to_owned()),
        streams,
        room: (script == Script::SmallBuffer).then_some(300),
        report: folder.path().join("marks.json"),
    };
    let mut client = start(&told, if starved == Starved::Busy { 5 } else { 0 });
    let serving: Vec<_> = (0..streams)
        .map(|_| {
            let tcp = listener.accept().unwrap().0;
            let (config, steps) = (config.clone(), steps(script, tls, events));
            std::thread::spawn(move || serve(&mut if tls { Line::tls(tcp, config) } else { Line::plain(tcp) }, steps))
        })
        .collect();
    keep_hungry(&mut client, starved);
    let claimed: Vec<Vec<Row>> = serde_json::from_slice(&std::fs::read(&told.report).unwrap()).unwrap();
    let mut sum = Sum::default();
    for server in serving {
        let (truth, requests) = server.join().unwrap();
        // Connections are accepted in any order: the path says whose this was.
        let stream = requests[0].split([' ', '/']).nth(2).and_then(|number| number.parse::<usize>().ok()).unwrap();
        let marks: Vec<Mark> = claimed[stream].iter().map(|row| mark(*row)).collect();
        sum.add(&marks, &truth);
    }
    sum
}

fn steps(script: Script, tls: bool, events: usize) -> Vec<Step> {
    match script {
        Script::Paced => paced(events, 120, 2000),
        Script::InPieces => in_pieces(events, 2000),
        Script::Bursts => bursts(events, 200, 32_000),
        Script::SmallBuffer if tls => bursts(events, 1500, 32_000),
        Script::SmallBuffer => paced(events, 250, 2000),
    }
}

/// Starts this binary as the client. It ends with the thread that started it, also while it is stopped.
fn start(told: &Told, niceness: libc::c_int) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "the_client_process", "--ignored"]).env(CLIENT, serde_json::to_string(told).unwrap());
    // Safety: both calls take numbers, and are safe between fork and exec.
    unsafe {
        command.pre_exec(move || {
            let (bound, set) = (libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL), libc::setpriority(libc::PRIO_PROCESS, 0, niceness));
            if bound == 0 && set == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
        });
    }
    command.stdout(Stdio::null()).spawn().unwrap()
}

/// Starves the client until it has ended, which it must have done well.
fn keep_hungry(client: &mut Child, starved: Starved) {
    let fed = AtomicBool::new(false);
    let ended = std::thread::scope(|scope| {
        if starved == Starved::Busy {
            let threads = 2 * std::thread::available_parallelism().map_or(2, usize::from);
            for _ in 0..threads {
                scope.spawn(|| {
                    while !fed.load(Ordering::Relaxed) {
                        std::hint::spin_loop();
                    }
                });
            }
        }
        let pid = libc::pid_t::try_from(client.id()).unwrap();
        let ended = loop {
            if starved == Starved::Stopped {
                // Safety: a signal to our own child, which has not been waited for yet, so that the number is still its own.
                unsafe { libc::kill(pid, libc::SIGSTOP) };
                std::thread::sleep(Duration::from_millis(100));
                unsafe { libc::kill(pid, libc::SIGCONT) };
            }
            std::thread::sleep(Duration::from_millis(100));
            if let Some(ended) = client.try_wait().unwrap() {
                break ended;
            }
        };
        fed.store(true, Ordering::Relaxed);
        ended
    });
    assert!(ended.success(), "the client ended badly: {ended}");
}

fn mark((at, after, user, read, chunk, exact): Row) -> Mark {
    Mark { at: Stamp(at), after: Stamp(after), user: Stamp(user), read, chunk, exact }
}

/// Not a test: the client, as a process of its own.
#[tokio::test]
#[ignore = "the client of the tests above"]
async fn the_client_process() {
    let Ok(told) = std::env::var(CLIENT) else { return };
    let told: Told = serde_json::from_str(&told).unwrap();
    let reading = read_all(&told);
    let claimed = tokio::time::timeout(Duration::from_secs(120), reading).await.expect("the server writes for seconds");
    std::fs::write(&told.report, serde_json::to_vec(&claimed).unwrap()).unwrap();
}

async fn read_all(told: &Told) -> Vec<Vec<Row>> {
    let transport = KernelTransport::new(Roots::system());
    let transport = told.room.map_or(transport.clone(), |room| transport.with_room(room));
    let mut connections = Vec::new();
    for _ in 0..told.streams {
        connections.push(transport.connect(&endpoint(told.address, told.ca.as_deref())).await.unwrap());
    }
    let reading: Vec<_> = connections.into_iter().enumerate().map(|(i, open)| tokio::spawn(read_one(open, i))).collect();
    let mut claimed = Vec::new();
    for stream in reading {
        claimed.push(stream.await.unwrap());
    }
    claimed
}

async fn read_one(mut connection: Box<dyn Connection>, stream: usize) -> Vec<Row> {
    let mut seen = Seen::default();
    let ended = connection.exchange(&request(&format!("/{stream}")), &mut seen).await;
    assert_eq!((ended, seen.status), (Ended::Complete, 200));
    seen.marks.iter().map(|mark| (mark.at.0, mark.after.0, mark.user.0, mark.read, mark.chunk, mark.exact)).collect()
}
