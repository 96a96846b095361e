//! What an event costs: against a raw socket reader in the same run, and in a flood.

use super::paced::client::{Seen, cpu, one, open, raw_pass, timed_pass};
use super::paced::{BATCH, Server, Shape};
use super::table::{Goal, Row};
use super::ways::Ways;
use photofinish::record::{Answer, Line, Trial};
use photofinish::store::Journal;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

const OF: &str = "cost";

#[derive(Serialize, Deserialize)]
pub struct Told {
    tls: bool,
    streams: usize,
    passes: usize,
    place: PathBuf,
    before: Vec<String>,
}

/// Figures of each pass.
#[derive(Serialize, Deserialize)]
pub struct Found {
    raw_us: Vec<f64>,
    timed_us: Vec<f64>,
    claims: String,
    wrong: usize,
}

#[derive(Serialize, Deserialize)]
pub struct Flood {
    /// Million events a second of this process's processor time, and of the clock on the wall.
    by_cpu: Vec<f64>,
    by_wall: Vec<f64>,
}

fn told(ways: &Ways, tls: bool, passes: usize) -> serde_json::Value {
    let told = Told { tls, streams: 1000, passes, place: ways.place.clone(), before: ways.server() };
    serde_json::to_value(told).unwrap_or_default()
}

pub fn rows(ways: &Ways, passes: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    for (tls, kind, most) in [(false, "plain", 1.3), (true, "TLS", 1.7)] {
        let what = format!("1000 {kind} streams × 50 tok/s, decoding, timeline and journal on, ÷ raw reader");
        match ways.role::<Found>("cost", told(ways, tls, passes), 20 * (passes as u64 + 2)) {
            Ok(found) => {
                let ratios = found.timed_us.iter().zip(&found.raw_us).map(|(timed, raw)| timed / raw).collect();
                rows.push(Row::of(OF, what, Goal::AtMost(most), ratios, "×").noted(found.claims));
                rows.push(Row::of(OF, format!("raw reader, {kind}, processor time an event"), Goal::None, found.raw_us, "µs"));
                rows.push(Row::of(OF, format!("photofinish, {kind}, processor time an event"), Goal::None, found.timed_us, "µs"));
                rows.push(Row::of(OF, format!("claims that exclude the truth, {kind}"), Goal::AtMost(0.0), vec![found.wrong as f64], ""));
            }
            Err(why) => rows.push(Row::missing(OF, what, why)),
        }
    }
    let what = format!("flood, {BATCH} events a write: million events a second of one processor's time");
    match ways.role::<Flood>("flood", told(ways, false, passes), 20 * (passes as u64 + 2)) {
        Ok(flood) => {
            rows.push(Row::of(OF, what, Goal::AtLeast(0.8), flood.by_cpu, "M/s"));
            let note = "the server's thread shares the machine";
            rows.push(Row::of(OF, "the same by the clock on the wall", Goal::None, flood.by_wall, "M/s").noted(note));
        }
        Err(why) => rows.push(Row::missing(OF, what, why)),
    }
    rows
}

// ---- the roles ----

/// Raw reader and timed path by turns, so that what else the machine does falls on both alike.
pub async fn cost(told: Told) -> Found {
    let shape = Shape { streams: told.streams, tokens: 64, gap_ms: 20 };
    let server = Server::start(if told.tls { "tls" } else { "plain" }, shape, &told.place, &told.before);
    let (mut raw_us, mut timed_us, mut seen) = (Vec::new(), Vec::new(), Seen::default());
    for pass in 0..=told.passes {
        let raw = raw_pass(shape, &server).await;
        let mut answers = Vec::with_capacity(shape.streams);
        let mut journal = Some(journal(&told.place.join(format!("journal-{}-{pass}", if told.tls { "tls" } else { "plain" }))));
        let mut took = |answer| match answer {
            Some(answer) => {
                // The copy for the check counts against us: a few per mille.
                answers.push(Answer::clone(&answer));
                if let Some(journal) = &journal {
                    journal.append(line(answer));
                }
            }
            None => drop(journal.take().map(Journal::close)),
        };
        let timed = timed_pass(shape, &server, &mut took).await;
        // The first pass of each warms up.
        if 0 < pass {
            raw_us.push(raw);
            timed_us.push(timed);
            answers.iter().for_each(|answer| seen.check(answer));
        }
    }
    Found { raw_us, timed_us, wrong: seen.wrong, claims: seen.words() }
}

fn journal(place: &std::path::Path) -> Journal {
    // Any manifest will do, and the example's is always there.
    let text = include_str!("../../results/example/manifest.json");
    let manifest = serde_json::from_str(text).expect("the example's manifest");
    Journal::create(place, &manifest, "", Box::new(|_| {})).expect("a journal")
}

/// An answer as a run puts it on record, its text kept.
fn line(answer: Answer) -> Line {
    let trial = serde_json::json!({
        "id": "aeb48e00c6833f5f696d992d", "target": "bench", "provider": "vllm", "model": "bench-1", "round": 1, "block": 1, "prompt": "p1",
        "place": 1, "attempt": 1, "role": "scored", "wall": "2026-11-24T12:25:04.80829333Z", "scheduled": 1,
    });
    let trial: Trial = serde_json::from_value(trial).expect("a trial as the record holds it");
    Line::Trial(Box::new(Trial { answer: Some(Box::new(answer)), ..trial }))
}

/// Sixteen streams of 64 000 events, as fast as they are read.
pub async fn flood(told: Told) -> Flood {
    let shape = Shape { streams: 16, tokens: 64_000, gap_ms: 1 };
    // The server needs a processor of its own: it is not at a higher priority than what reads from it.
    let server = Server::start("flood", shape, &told.place, &[]);
    let mut found = Flood { by_cpu: Vec::new(), by_wall: Vec::new() };
    for pass in 0..=told.passes {
        let connections = open(shape, &server).await;
        let (wall, before) = (photofinish::clock::mono(), cpu());
        let tasks: Vec<_> = connections.into_iter().map(|connection| tokio::spawn(one(connection))).collect();
        let mut events = 0;
        for task in tasks {
            events += task.await.expect("a stream").timeline.len();
        }
        assert_eq!(events, shape.streams * shape.tokens);
        let (cpu, wall) = (cpu() - before, photofinish::clock::mono().since(wall));
        if 0 < pass {
            found.by_cpu.push(events as f64 * 1e3 / cpu as f64);
            found.by_wall.push(events as f64 * 1e3 / wall as f64);
        }
    }
    found
}
