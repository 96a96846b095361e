//! `photofinish brief`: one page for a reader with a minute.

use super::Done;
use super::judging::{Grounds, Strictness};
use super::reading::{Asked, joined};
use crate::analysis::{League, Options, Quantity, brief, league, target_table};
use crate::report::page;

/// Arguments of `brief`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    strictness: Strictness,
    #[command(flatten)]
    asked: Asked,
}

/// What the page tells of where nothing is asked for. It is ordered by the first.
const OWN: [Quantity; 3] = [Quantity::E2e, Quantity::Ttft, Quantity::ContentSpeed];

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<Done> {
    let runs = args.asked.open()?;
    let joined = joined(&runs, args.asked.writing.lang)?;
    let grounds = Grounds::new(&joined, &args.asked.counting, &args.strictness, args.asked.writing.lang);
    let made = |quantity: &Quantity| -> anyhow::Result<League> { Ok(league(&grounds.panel(*quantity)?, &grounds.how)) };
    let leagues = grounds.quantities(&args.strictness, &OWN).iter().map(made).collect::<anyhow::Result<Vec<_>>>()?;
    let table = target_table(&joined, &Options { basis: args.asked.counting.basis, confidence: args.strictness.confidence });
    let page = page(&grounds.reading(), &brief(&joined, &table, &leagues), &table, &leagues);
    args.asked.writing.write(&page.write(args.asked.writing.format))?;
    Ok(Done::Well)
}
