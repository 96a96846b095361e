//! `photofinish compare`: every pair, or all against one.

use super::Done;
use super::judging::{Strictness, differing, laid_out, target};
use super::reading::{Counting, Writing, joined, open};
use crate::analysis::{Comparing, Options, Quantity, basis, compare, graded_answers};
use crate::report::{Reading, comparisons};
use anyhow::bail;
use std::path::PathBuf;

/// Arguments of `compare`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Run folders, or `latest`; several runs of one plan are read together
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// Compare every other target against this one, instead of every pair
    #[arg(long, value_name = "TARGET")]
    baseline: Option<String>,
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

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<Done> {
    args.writing.check()?;
    let runs = open(&args.runs, &args.results, &args.counting)?;
    let joined = joined(&runs, args.writing.lang)?;
    if joined.manifest().targets.len() < 2 {
        bail!("there is only one target, and nothing to compare it with");
    }
    let (basis, because) = basis(&joined, &Options { basis: args.counting.basis, ..Options::default() });
    let baseline = args.baseline.as_deref().map(|name| target(&joined, name)).transpose()?;
    let (graded, judging) = (graded_answers(&joined, basis), args.strictness.judging());
    let model_differs = differing(&joined, basis, graded.as_ref(), judging.confidence, args.writing.lang);
    let how = Comparing { judging, baseline, seed: joined.manifest().seed, model_differs, ..Comparing::default() };
    let own: &[Quantity] = if graded.is_some() { &[Quantity::E2e, Quantity::SecondsPerCorrect] } else { &[Quantity::E2e] };
    let mut compared = Vec::new();
    for quantity in args.strictness.quantities(own) {
        let panel = laid_out(&joined, quantity, basis)?;
        let comparisons = match &graded {
            Some(graded) => compare(&panel, &how).with_answers(graded),
            None => compare(&panel, &how),
        };
        compared.push((panel, comparisons));
    }
    let reading = Reading { joined: &joined, basis, because: &because, tokenizer: joined.tokenizer(), lang: args.writing.lang };
    args.writing.write(&comparisons(&reading, &compared).write(args.writing.format, args.writing.columns()))?;
    Ok(Done::Well)
}
