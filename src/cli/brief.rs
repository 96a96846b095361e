//! `photofinish brief`: one page for a reader with a minute.

use super::Done;
use super::judging::{Strictness, differing, laid_out};
use super::reading::{Counting, Writing, joined, open};
use crate::analysis::{Comparing, League, Options, Quantity, basis, brief, graded_answers, league, target_table};
use crate::report::{Reading, page};
use std::path::PathBuf;

/// Arguments of `brief`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Run folders, or `latest`; several runs of one plan are read together
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    #[command(flatten)]
    strictness: Strictness,
    #[command(flatten)]
    counting: Counting,
    #[command(flatten)]
    writing: Writing,
    /// Where `latest` is looked for
    #[arg(long, value_name = "DIR", default_value = "results")]
    results: PathBuf,
}

/// What the page tells of where nothing is asked for. It is ordered by the first.
const OWN: [Quantity; 3] = [Quantity::E2e, Quantity::Ttft, Quantity::ContentSpeed];

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<Done> {
    args.writing.check()?;
    let runs = open(&args.runs, &args.results, &args.counting)?;
    let joined = joined(&runs, args.writing.lang)?;
    let options = Options { basis: args.counting.basis, confidence: args.strictness.confidence };
    let (basis, because) = basis(&joined, &options);
    let (graded, judging) = (graded_answers(&joined, basis), args.strictness.judging());
    let model_differs = differing(&joined, basis, graded.as_ref(), judging.confidence, args.writing.lang);
    let how = Comparing { judging, seed: joined.manifest().seed, model_differs, ..Comparing::default() };
    let quantities = args.strictness.quantities(&OWN);
    let made = |quantity: &Quantity| -> anyhow::Result<League> { Ok(league(&laid_out(&joined, *quantity, basis)?, &how)) };
    let leagues = quantities.iter().map(made).collect::<anyhow::Result<Vec<_>>>()?;
    let table = target_table(&joined, &options);
    let reading = Reading { joined: &joined, basis, because: &because, tokenizer: joined.tokenizer(), lang: args.writing.lang };
    let page = page(&reading, &brief(&joined, &table, &leagues), &table, &leagues);
    args.writing.write(&page.write(args.writing.format))?;
    Ok(Done::Well)
}
