//! `photofinish ramp`: a load run read as figures per stage, the knee, the service level, the gate.

use super::Done;
use super::judging::confidence;
use super::reading::{Asked, Counting, Writing};
use crate::analysis::load::{LoadOptions, LoadTable, load_table};
use crate::measured::LoadSheet;
use crate::record::{Condition, conditions};
use crate::report::{Lang, LoadReading, Worded, load_seed_layout, load_tables};
use crate::stats::Confidence;
use std::path::Path;

/// Arguments of `ramp`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    shown: Shown,
    /// Confidence of every interval and word
    #[arg(long, value_name = "SHARE", default_value = "0.95", value_parser = confidence)]
    confidence: Confidence,
    /// The service level, instead of the run's own: such as `ttft_p95<1s,tpot_p95<50ms`
    #[arg(long, value_name = "CONDITIONS", value_parser = level)]
    slo: Option<Level>,
    #[command(flatten)]
    asked: Asked,
}

/// What is asked of the table of a load run, whoever prints it.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Shown {
    /// How it is laid out: full, or seed for users, RPS, mean latency, P99 latency, mean TPS, TTFT, success rate
    #[arg(long, value_name = "LAYOUT", default_value = "full")]
    pub layout: Layout,
    /// Conditions that decide the exit code, 1 where one fails: such as `ttft_p95<1s@100,success>=99%`
    #[arg(long, value_name = "CONDITIONS", value_parser = level)]
    pub gate: Option<Level>,
}

/// How a load run is laid out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Layout {
    /// Every figure in narrow tables, and what may be said
    #[default]
    Full,
    /// As the tables that this tool was made after
    Seed,
}

/// Conditions as they were typed on the command line.
#[derive(Debug, Clone, PartialEq)]
pub struct Level(pub Vec<Condition>);

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let texts: Vec<String> = self.0.iter().map(Condition::to_string).collect();
        f.write_str(&texts.join(","))
    }
}

/// Reads conditions; what is none is told with an example.
pub fn level(text: &str) -> Result<Level, String> {
    conditions(text).map(Level).map_err(|error| error.to_string())
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<Done> {
    let runs = args.asked.load_runs()?;
    let options = LoadOptions {
        basis: args.asked.counting.basis,
        slo: args.slo.map(|level| level.0),
        gate: args.shown.gate.clone().map(|level| level.0).unwrap_or_default(),
        confidence: Some(args.confidence),
    };
    write(&runs, &options, args.shown.layout, &args.asked.writing)
}

/// What `photofinish load` prints at its end: the same as `photofinish ramp` of its run.
pub fn of_folder(folder: &Path, shown: &Shown, counting: &Counting, writing: &Writing) -> anyhow::Result<Done> {
    let run = LoadSheet::open(folder, &counting.reference()?)?;
    let gate = shown.gate.clone().map(|level| level.0).unwrap_or_default();
    let options = LoadOptions { basis: counting.basis, gate, ..LoadOptions::default() };
    write(&[run], &options, shown.layout, writing)
}

/// Writes the table of load runs to where it was asked, and says whether its gate passed.
pub fn write(runs: &[LoadSheet], options: &LoadOptions, layout: Layout, writing: &Writing) -> anyhow::Result<Done> {
    let table = load_table(runs, options).map_err(|error| match writing.lang {
        Lang::En => anyhow::Error::from(error),
        Lang::Zh => anyhow::anyhow!(error.words(writing.lang)),
    })?;
    writing.write(&text(runs, &table, layout, writing))?;
    Ok(if table.gate.as_ref().is_some_and(|gate| !gate.passed) { Done::GateFailed } else { Done::Well })
}

fn text(runs: &[LoadSheet], table: &LoadTable, layout: Layout, writing: &Writing) -> String {
    let Some(first) = runs.first() else { return String::new() };
    let cells: Vec<_> = runs.iter().flat_map(|run| run.stages.iter().cloned()).collect();
    let reading = LoadReading { table, manifest: &first.manifest, cells: &cells, lang: writing.lang };
    let tables = match layout {
        Layout::Full => load_tables(&reading),
        Layout::Seed => load_seed_layout(&reading),
    };
    tables.write(writing.format, writing.columns())
}
