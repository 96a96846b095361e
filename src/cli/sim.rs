//! `photofinish sim`.

use super::Done;
use crate::sim::{Behaviour, Http2, Options, serve};
use anyhow::Context;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

/// Arguments of `sim`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Port for plain HTTP on 127.0.0.1; 0 picks a free one
    #[arg(long, default_value_t = 8089, value_name = "P")]
    port: u16,
    /// Port for TLS as well; 0 picks a free one
    #[arg(long, value_name = "P")]
    tls_port: Option<u16>,
    /// Speak HTTP/2 as well, on both ports: by ALPN with TLS, else to clients that begin with it
    #[arg(long)]
    http2: bool,
    /// At most so many HTTP/2 streams at once on a connection; real servers say 100 to 250
    #[arg(long, value_name = "N", requires = "http2")]
    http2_streams: Option<u32>,
    /// What the systems do: a YAML file, or builtin:demo, builtin:peers, builtin:providers, builtin:faults, builtin:calibration
    #[arg(long, default_value = "builtin:demo", value_name = "FILE")]
    behaviour: String,
    /// Append the ground truth to this file: one JSON line a response, with the time before and after each write
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// End when this process is gone
    #[arg(long, value_name = "PID")]
    parent: Option<u32>,
    /// Seed of all draws, instead of the behaviour's
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Divide all times by this, instead of the behaviour's scale
    #[arg(long, value_name = "X")]
    scale: Option<f64>,
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<Done> {
    let mut behaviour = Behaviour::load(&args.behaviour)?;
    if let Some(seed) = args.seed {
        behaviour.seed = seed;
    }
    if let Some(scale) = args.scale {
        anyhow::ensure!(scale.is_finite() && 0.0 < scale, "--scale: times cannot be divided by {scale}; give a number above 0");
        behaviour.scale = scale;
    }
    let http2 = args.http2.then_some(Http2 { streams: args.http2_streams });
    let options = Options { behaviour, port: args.port, tls_port: args.tls_port, http2, log: args.log };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve(options, announce, stopped(args.parent))).context("the simulator cannot serve")?;
    Ok(Done::Well)
}

fn announce(ready: &crate::sim::Ready) {
    let Ok(json) = serde_json::to_string(ready) else { return };
    let mut out = std::io::stdout().lock();
    // Whoever started the simulator may not want to know.
    let _ = writeln!(out, "READY {json}").and_then(|()| out.flush());
}

/// Ready when a signal asks for the end, or the parent is gone.
async fn stopped(parent: Option<u32>) {
    tokio::select! {
        () = terminated() => {}
        _ = tokio::signal::ctrl_c() => {}
        () = orphaned(parent) => {}
    }
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    if let Ok(mut terminate) = signal(SignalKind::terminate()) {
        terminate.recv().await;
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}

/// Where a process cannot learn that its parent is gone, whoever started the simulator has to end it.
#[cfg(not(unix))]
async fn orphaned(_: Option<u32>) {
    std::future::pending().await
}

#[cfg(unix)]
async fn orphaned(parent: Option<u32>) {
    let Some(parent) = parent else { return std::future::pending().await };
    let was_child = std::os::unix::process::parent_id() == parent;
    while if was_child { std::os::unix::process::parent_id() == parent } else { alive(parent) } {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Whether a process runs: it is known, and not a zombie that nobody has waited for.
#[cfg(unix)]
fn alive(pid: u32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next());
    !matches!(state, Some('Z' | 'X'))
}
