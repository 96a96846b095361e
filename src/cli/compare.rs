//! `photofinish compare`: every pair, or all against one.

use super::Done;
use super::judging::{Grounds, Strictness, at_least_two, target};
use super::reading::{Asked, joined};
use crate::analysis::{Quantity, compare};
use crate::report::comparisons;

/// Arguments of `compare`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Compare every other target against this one, instead of every pair
    #[arg(long, value_name = "TARGET")]
    baseline: Option<String>,
    #[command(flatten)]
    strictness: Strictness,
    #[command(flatten)]
    asked: Asked,
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<Done> {
    let runs = args.asked.open()?;
    let joined = joined(&runs, args.asked.writing.lang)?;
    at_least_two(&joined)?;
    let baseline = args.baseline.as_deref().map(|name| target(&joined, name)).transpose()?;
    let mut grounds = Grounds::new(&joined, &args.asked.counting, &args.strictness, args.asked.writing.lang);
    grounds.how.baseline = baseline;
    let mut compared = Vec::new();
    for quantity in grounds.quantities(&args.strictness, &[Quantity::E2e]) {
        let panel = grounds.panel(quantity)?;
        let comparisons = match &grounds.graded {
            Some(graded) => compare(&panel, &grounds.how).with_answers(graded),
            None => compare(&panel, &grounds.how),
        };
        compared.push((panel, comparisons));
    }
    let writing = &args.asked.writing;
    writing.write(&comparisons(&grounds.reading(), &compared).write(writing.format, writing.columns()))?;
    Ok(Done::Well)
}
