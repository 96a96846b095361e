//! `photofinish table`: one row a target.

use super::Done;
use super::judging::confidence;
use super::reading::{Counting, Writing, joined, open};
use crate::analysis::{Joined, Options, target_table};
use crate::measured::Sheet;
use crate::report::targets;
use crate::stats::Confidence;
use std::path::PathBuf;

/// Arguments of `table`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Run folders, or `latest`; several runs of one plan are read together
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// Confidence of every interval
    #[arg(long, value_name = "SHARE", default_value = "0.95", value_parser = confidence)]
    confidence: Confidence,
    #[command(flatten)]
    counting: Counting,
    #[command(flatten)]
    writing: Writing,
    /// Where `latest` is looked for
    #[arg(long, value_name = "DIR", default_value = "results")]
    results: PathBuf,
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<Done> {
    args.writing.check()?;
    let runs = open(&args.runs, &args.results, &args.counting)?;
    let text = write(&runs, args.confidence, &args.counting, &args.writing)?;
    args.writing.write(&text)?;
    Ok(Done::Well)
}

/// The table of runs, as text.
pub fn write(runs: &[Sheet], confidence: Confidence, counting: &Counting, writing: &Writing) -> anyhow::Result<String> {
    let joined = joined(runs, writing.lang)?;
    let table = target_table(&joined, &Options { basis: counting.basis, confidence });
    Ok(targets(&table, &joined, writing.lang).write(writing.format, writing.columns()))
}
