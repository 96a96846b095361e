//! The levels of a calibration, one after another: all streams of a level begin at once.

use super::super::say;
use super::super::signals::Signals;
use super::super::simulator::{Simulator, System};
use super::super::this_machine::thread_cpu_ns;
use super::asking::{Asker, Clients, Made};
use super::truth_log::TruthLog;
use super::{can, every_transport};
use crate::calibration::{Held, errors};
use crate::clock::{Clock, mono};
use crate::provider::Catalog;
use crate::record::{CalibrationCost, CalibrationLevel, CalibrationLoad, TransportKind};
use crate::units::ms;
use anyhow::Context;
use std::sync::Arc;
use tokio::task::JoinSet;

/// A level has at least so many timed requests.
const LEAST_REQUESTS: u32 = 10;
/// The system whose times are compared.
const TIMED: &str = "calibration";
/// Systems whose outcomes are compared, by the beginning of their names.
const OUTCOMES: &str = "outcome-";
/// Between opening the connections and using them.
const SETTLING: u64 = ms(50);
/// One round of requests to those systems for so many streams.
const STREAMS_AN_OUTCOME_ROUND: u32 = 32;

/// What is to be measured, and with what.
pub(super) struct Levels {
    /// The levels in order.
    pub wanted: Vec<CalibrationLoad>,
    /// Timed requests of each stream.
    pub requests_per_stream: u32,
    /// The oracle.
    pub simulator: Simulator,
    /// What it logs.
    pub log: TruthLog,
}

/// Every combination of what was asked for: a client at all its levels before the next one.
pub(super) fn wanted(streams: &[u32], transports: &[TransportKind], tls: bool, http2: bool) -> anyhow::Result<Vec<CalibrationLoad>> {
    let mut wanted = Vec::new();
    let transports = if transports.is_empty() { every_transport() } else { transports.to_vec() };
    transports.iter().try_for_each(|transport| can(*transport))?;
    let mut clients: Vec<(TransportKind, bool)> = transports.into_iter().map(|transport| (transport, false)).collect();
    if http2 {
        clients.push((TransportKind::Reqwest, true));
    }
    for (transport, http2) in clients {
        for tls in if tls { vec![false, true] } else { vec![false] } {
            // Connecting lies within reqwest's times (docs/accuracy.md), so its connections are opened before.
            let new_connections = transport == TransportKind::Kernel;
            let load = |streams: &u32| CalibrationLoad { streams: *streams, transport, http2, tls, new_connections };
            for load in streams.iter().map(load) {
                if !wanted.contains(&load) {
                    wanted.push(load);
                }
            }
        }
    }
    Ok(wanted)
}

impl Levels {
    /// Measures them all; none where the user interrupted.
    pub(super) fn measure(mut self) -> anyhow::Result<Option<Vec<CalibrationLevel>>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut signals = Signals::listen()?;
            tokio::select! {
                measured = self.each() => measured.map(Some),
                () = signals.next() => Ok(None),
            }
        })
    }

    async fn each(&mut self) -> anyhow::Result<Vec<CalibrationLevel>> {
        let catalog = Catalog::load(&[])?;
        let clients = Clients::new();
        let mut measured = Vec::new();
        for (at, load) in self.wanted.clone().into_iter().enumerate() {
            let turns = self.requests_per_stream.max(LEAST_REQUESTS.div_ceil(load.streams));
            say(&format!(
                "{}: {} stream{} at once, {} requests",
                client_name(&load),
                load.streams,
                if load.streams == 1 { "" } else { "s" },
                load.streams * turns
            ));
            let of = |name: &str| self.simulator.ready.details.iter().filter(|system| system.name.starts_with(name)).collect::<Vec<_>>();
            let asker = |system: &System| Asker::new(&self.simulator.ready, system, load, &catalog, &clients);
            let timed = of(TIMED).into_iter().find(|system| system.name == TIMED).context("the simulator has no system to calibrate by")?;
            let timed = Arc::new(asker(timed)?);
            let alone = |system: &System| Ok(Arc::new(asker(system)?.alone()));
            let outcomes = of(OUTCOMES).into_iter().map(alone).collect::<anyhow::Result<Vec<_>>>()?;
            let (mut made, cost) = stream_all(&timed, load, turns, at).await;
            made.extend(outcomes_of(&outcomes, load, at).await);
            self.simulator.still_serves()?;
            let truths = self.log.holding(made.iter().map(|made| made.id.as_str())).await?;
            let held: Vec<Held<'_>> =
                made.iter().map(|made| Held { request_id: &made.id, answer: &made.answer, timed: made.timed }).collect();
            measured.push(CalibrationLevel { load, cost, errors: errors(&held, &truths) });
        }
        Ok(measured)
    }
}

/// Every stream of a level asks `turns` times, one after another; all of them begin at once.
async fn stream_all(asker: &Arc<Asker>, load: CalibrationLoad, turns: u32, level: usize) -> (Vec<Made>, CalibrationCost) {
    // The first connection loads roots and code, and switches the kernel's stamps on; it is none of the level's.
    let _ = asker.ask(None, &format!("before-{level}"), Some(1)).await;
    let mut opened = Vec::new();
    if load.new_connections {
        opened.resize_with(load.streams as usize, || None);
    } else {
        let mut opening = JoinSet::new();
        for stream in 0..load.streams {
            let asker = asker.clone();
            opening.spawn(async move { asker.ask(None, &format!("open-{level}-{stream}"), Some(1)).await.1 });
        }
        opened.extend(opening.join_all().await);
        // reqwest takes a connection back a little after its reply has ended, and opens another one meanwhile if it is asked.
        Clock::System.sleep_until(mono().plus(SETTLING)).await;
    }
    let mut streams = JoinSet::new();
    let (began, cpu_began) = (mono(), thread_cpu_ns());
    for (stream, open) in opened.into_iter().enumerate() {
        let asker = asker.clone();
        streams.spawn(async move {
            let (mut made, mut connection) = (Vec::new(), open);
            for turn in 0..turns {
                let id = format!("timed-{level}-{stream}-{turn}");
                let (answer, kept) = asker.ask(connection.take(), &id, None).await;
                let timed = load.new_connections || answer.connect.reused;
                made.push(Made { id, answer, timed });
                connection = kept.filter(|_| !load.new_connections);
            }
            made
        });
    }
    let made: Vec<Made> = streams.join_all().await.into_iter().flatten().collect();
    let cpu_ns = thread_cpu_ns().zip(cpu_began).map(|(now, before)| now.saturating_sub(before) as f64);
    let seconds = mono().since(began) as f64 / 1e9;
    let texts: usize = made.iter().map(|made| made.answer.timeline.len()).sum();
    let cost = CalibrationCost {
        seconds,
        cpu_share: cpu_ns.filter(|_| 0.0 < seconds).map(|ns| ns / 1e9 / seconds),
        cpu_us_a_text: cpu_ns.filter(|_| 0 < texts).map(|ns| ns / 1e3 / texts as f64),
    };
    (made, cost)
}

/// Requests to systems that fail in ways of their own, at most as many at once as the level has streams. Their times do not count.
async fn outcomes_of(askers: &[Arc<Asker>], load: CalibrationLoad, level: usize) -> Vec<Made> {
    let rounds = load.streams.div_ceil(STREAMS_AN_OUTCOME_ROUND) as usize;
    let mut all: Vec<(usize, Arc<Asker>)> = askers.iter().cycle().take(askers.len() * rounds).cloned().enumerate().collect();
    let mut made = Vec::new();
    while !all.is_empty() {
        let mut asking = JoinSet::new();
        for (number, asker) in all.drain(..all.len().min(load.streams as usize)) {
            asking.spawn(async move {
                let id = format!("outcome-{level}-{number}");
                let (answer, _) = asker.ask(None, &id, None).await;
                Made { id, answer, timed: false }
            });
        }
        made.extend(asking.join_all().await);
    }
    made
}

/// A client in a line of progress.
fn client_name(load: &CalibrationLoad) -> String {
    let transport = if load.transport == TransportKind::Kernel { "kernel" } else { "reqwest" };
    format!("{transport}{}{}", if load.http2 { " HTTP/2" } else { "" }, if load.tls { " TLS" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_is_measured_at_each_level_once() {
        let told =
            |loads: Vec<CalibrationLoad>| loads.iter().map(|load| format!("{} {}", client_name(load), load.streams)).collect::<Vec<_>>();
        let one = wanted(&[1, 64, 1], &[TransportKind::Reqwest], true, true).unwrap();
        assert_eq!(
            told(one),
            [
                "reqwest 1",
                "reqwest 64",
                "reqwest TLS 1",
                "reqwest TLS 64",
                "reqwest HTTP/2 1",
                "reqwest HTTP/2 64",
                "reqwest HTTP/2 TLS 1",
                "reqwest HTTP/2 TLS 64"
            ]
        );
        assert_eq!(wanted(&[8], &[], false, false).unwrap().len(), every_transport().len());
    }
}
