//! `photofinish table`: one row a target.

use super::Done;
use super::judging::confidence;
use super::reading::{Asked, Counting, Writing, joined};
use crate::analysis::{Options, target_table};
use crate::measured::Sheet;
use crate::report::targets;
use crate::stats::Confidence;

/// Arguments of `table`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Confidence of every interval
    #[arg(long, value_name = "SHARE", default_value = "0.95", value_parser = confidence)]
    confidence: Confidence,
    #[command(flatten)]
    asked: Asked,
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<Done> {
    let runs = args.asked.open()?;
    let text = write(&runs, args.confidence, &args.asked.counting, &args.asked.writing)?;
    args.asked.writing.write(&text)?;
    Ok(Done::Well)
}

/// The table of runs, as text.
pub fn write(runs: &[Sheet], confidence: Confidence, counting: &Counting, writing: &Writing) -> anyhow::Result<String> {
    let joined = joined(runs, writing.lang)?;
    let table = target_table(&joined, &Options { basis: counting.basis, confidence });
    Ok(targets(&table, &joined, writing.lang).write(writing.format, writing.columns()))
}
