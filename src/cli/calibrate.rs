//! `photofinish calibrate`: measures the simulator, whose truth is known, and prints this client's own error.

mod asking;
mod levels;
mod truth_log;

use super::reading::Writing;
use super::simulator::{Serving, Simulator};
use super::{Done, say, this_machine};
use crate::clock::Clock;
use crate::record::{CALIBRATION_SCHEMA, Calibration, Tool, TransportKind};
use crate::report::{CalibrationReading, Format, calibration_tables};
use crate::store;
use anyhow::{Context, bail, ensure};
use levels::{Levels, wanted};
use std::path::PathBuf;
use truth_log::TruthLog;

/// What the simulator serves.
const BEHAVIOUR: &str = "builtin:calibration";
/// Descriptors that are open beside the connections: the log, the runtime, the terminal.
const BESIDE: u64 = 64;

/// Arguments of `calibrate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Streams at once, a level each
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "1,64,300,1000", value_parser = clap::value_parser!(u32).range(1..=20_000))]
    streams: Vec<u32>,
    /// Which clients read them: kernel (exact times), reqwest [default: both, where both exist]
    #[arg(long = "transport", value_name = "T", value_delimiter = ',', value_parser = super::run::transport)]
    transports: Vec<TransportKind>,
    /// Each level over TLS as well
    #[arg(long)]
    tls: bool,
    /// Each level through reqwest over HTTP/2 as well
    #[arg(long)]
    http2: bool,
    /// Timed requests of each stream, one after another; a level has at least ten
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=1000))]
    requests_per_stream: u32,
    /// Start the simulator by this command, such as "chrt -f 60 taskset -c 0": without it, it is scheduled as this process is
    #[arg(long, value_name = "COMMAND")]
    sim_under: Option<String>,
    /// Where the calibration is stored, for later runs to cite
    #[arg(long, value_name = "DIR", default_value = "results")]
    results: PathBuf,
    /// The calibration as JSON: the same as --format json
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    writing: Writing,
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<Done> {
    let mut writing = args.writing;
    if args.json {
        writing.format = Format::Json;
    }
    writing.check()?;
    let wanted = wanted(&args.streams, &args.transports, args.tls, args.http2)?;
    descriptors(args.streams.iter().copied().max().unwrap_or(1))?;
    // A folder that cannot be written to is better known before than after.
    store::make_calibrations(&args.results)
        .context("--results: the calibration could not be stored; give a folder that can be written to")?;
    let log = TruthLog::fresh()?;
    let under: Vec<String> = args.sim_under.iter().flat_map(|command| command.split_whitespace()).map(str::to_owned).collect();
    let serving = Serving { behaviour: BEHAVIOUR, log: Some(log.path()), tls: args.tls, http2: args.http2, under: &under };
    let mut calibration = Calibration {
        schema: CALIBRATION_SCHEMA,
        tool: Tool { name: env!("CARGO_PKG_NAME").into(), version: env!("CARGO_PKG_VERSION").into() },
        created: Clock::System.wall(),
        machine: this_machine::machine(),
        client: this_machine::scheduling(None),
        simulator: Default::default(),
        load_average: this_machine::load_average(),
        behaviour: BEHAVIOUR.into(),
        levels: Vec::new(),
    };
    let simulator = Simulator::serving(serving)?;
    calibration.simulator = this_machine::scheduling(Some(simulator.process()));
    let levels = Levels { wanted, requests_per_stream: args.requests_per_stream, simulator, log };
    let Some(measured) = levels.measure()? else {
        say("interrupted; nothing was stored");
        return Ok(Done::Interrupted);
    };
    calibration.levels = measured;
    let stored = store::put_calibration(&args.results, &calibration)?;
    let reading = CalibrationReading { calibration: &calibration, file: &stored.display().to_string(), lang: writing.lang };
    writing.write(&calibration_tables(&reading).write(writing.format, writing.columns()))?;
    Ok(Done::Well)
}

/// Raises the limit of file descriptors, which the simulator's process inherits; each holds one a stream.
#[cfg(unix)]
fn descriptors(streams: u32) -> anyhow::Result<()> {
    let needed = u64::from(streams) + BESIDE;
    // Where the system does not tell, the first connection that fails will.
    let Ok(allowed) = rlimit::increase_nofile_limit(needed) else { return Ok(()) };
    ensure!(
        needed <= allowed,
        "--streams: {streams} streams at once need {needed} file descriptors, and this process may open {allowed}; raise the limit \
         (ulimit -n {needed}; under systemd LimitNOFILE={needed}), or take fewer streams"
    );
    Ok(())
}

#[cfg(not(unix))]
fn descriptors(_: u32) -> anyhow::Result<()> {
    Ok(())
}

/// The clients that this system has.
fn every_transport() -> Vec<TransportKind> {
    let kernel = cfg!(all(unix, not(photofinish_portable)));
    if kernel { vec![TransportKind::Kernel, TransportKind::Reqwest] } else { vec![TransportKind::Reqwest] }
}

/// Refuses a client that this system does not have.
fn can(transport: TransportKind) -> anyhow::Result<()> {
    if every_transport().contains(&transport) {
        return Ok(());
    }
    bail!("--transport: `kernel` needs Unix, whose sockets it stamps; take `reqwest`")
}
