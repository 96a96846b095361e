//! What an event costs on the timed path, against a raw socket reader of the same stream in the same run.
//!
//! `cargo bench --bench timed_path [-- --streams 1000 --tokens 64 --gap-ms 20 --passes 6 --only plain]`. A server in a process of its own paces the
//! streams; the client's thread reads them by turns with (a) tokio's `read` into a buffer that is thrown away and (b) the whole timed path:
//! stamped reads, HTTP, SSE, the chat decoder, the timeline. Connecting is done before; the figure is this process's processor time.
//! `make bench` measures the same with the journal, beside all other goals.
#![allow(clippy::print_stdout)]

mod paced;

use paced::client::{Seen, cpu_name, median, raw_pass, timed_pass};
use paced::{Server, Shape};

fn main() {
    paced::serve_if_asked();
    let args: Vec<String> = std::env::args().collect();
    let number = |name: &str, otherwise: usize| {
        let given = args.iter().position(|arg| arg == name).and_then(|i| args.get(i + 1));
        given.map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name} takes a number")))
    };
    let shape = Shape { streams: number("--streams", 1000), tokens: number("--tokens", 64), gap_ms: number("--gap-ms", 20) as u64 };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(client(shape, number("--passes", 6)));
}

async fn client(shape: Shape, passes: usize) {
    println!(
        "{} streams at once, {} tokens each, one every {} ms in a chunk and a write of its own; loopback, one client thread",
        shape.streams, shape.tokens, shape.gap_ms
    );
    println!("{}, {} processors, release build", cpu_name(), std::thread::available_parallelism().map_or(0, usize::from));
    let place = std::env::temp_dir().join(format!("photofinish-bench-{}", std::process::id()));
    std::fs::create_dir_all(&place).expect("a folder for the certificate");
    let only = std::env::args().skip_while(|arg| arg != "--only").nth(1);
    for tls in [false, true] {
        if only.as_deref().is_some_and(|only| (only == "tls") != tls) {
            continue;
        }
        let server = Server::start(if tls { "tls" } else { "plain" }, shape, &place, &[]);
        let (mut raw, mut timed, mut floor) = (Vec::new(), Vec::new(), Vec::new());
        let mut seen = Seen::default();
        // One pass of each warms up. Then they take turns, so that what else the machine does falls on both alike.
        for pass in 0..=passes {
            let cost = raw_pass(shape, &server).await;
            let mut answers = Vec::with_capacity(shape.streams);
            let ours = timed_pass(shape, &server, &mut |answer| answers.extend(answer)).await;
            for answer in &answers {
                assert_eq!(answer.timeline.len(), shape.tokens);
                seen.check(answer);
            }
            if pass == 0 {
                seen = Seen::default();
                continue;
            }
            println!("  {} pass {pass}: raw {cost:.2}, timed path {ours:.2} us an event", if tls { "TLS" } else { "plain" });
            raw.push(cost);
            timed.push(ours);
            floor.push(ours / cost);
        }
        println!(
            "{}: raw {:.2}, timed path {:.2} us an event (medians of {}); ratio {:.2} (median of the passes' ratios; {:.2} to {:.2}); {}",
            if tls { "TLS" } else { "plain" },
            median(&mut raw),
            median(&mut timed),
            passes,
            median(&mut floor),
            floor[0],
            floor[floor.len() - 1],
            seen.words(),
        );
    }
    let _ = std::fs::remove_dir_all(place);
}
