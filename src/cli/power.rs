//! `photofinish power`: how many more rounds until a difference would be seen.

use super::Done;
use super::judging::{Strictness, laid_out, target};
use super::reading::{Counting, Writing, joined, open};
use crate::analysis::{Comparing, Options, Quantity, basis, league, power};
use crate::report::{Reading, powers};
use anyhow::bail;
use std::path::PathBuf;

/// Arguments of `power`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Run folders, or `latest`; several runs of one plan are read together
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// The ratio that is to be seen
    #[arg(long, default_value = "1.1", value_name = "RATIO", value_parser = ratio)]
    ratio: f64,
    /// Every other target against this one, instead of against the best
    #[arg(long, value_name = "TARGET")]
    baseline: Option<String>,
    /// Every pair, instead of all against the best
    #[arg(long, conflicts_with = "baseline")]
    pairs: bool,
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
    let named = args.baseline.as_deref().map(|name| target(&joined, name)).transpose()?;
    let judging = args.strictness.judging();
    let mut found = Vec::new();
    for quantity in args.strictness.quantities(&[Quantity::E2e]) {
        let panel = laid_out(&joined, quantity, basis)?;
        let best = || {
            let league = league(&panel, &Comparing { judging, ..Comparing::default() });
            league.ranked.iter().chain(&league.unranked).find(|placing| placing.value.is_some()).map(|placing| placing.index)
        };
        let baseline = if args.pairs { None } else { named.or_else(best) };
        let power = power(&panel, args.ratio, baseline, joined.manifest().design.every_s, &judging);
        found.push((panel, power));
    }
    let reading = Reading { joined: &joined, basis, because: &because, tokenizer: joined.tokenizer(), lang: args.writing.lang };
    args.writing.write(&powers(&reading, &found).write(args.writing.format, args.writing.columns()))?;
    Ok(Done::Well)
}

fn ratio(word: &str) -> Result<f64, String> {
    match word.parse::<f64>() {
        // The other way round it is the same difference.
        Ok(ratio) if 0.0 < ratio && ratio.is_finite() && ratio != 1.0 => Ok(ratio.max(1.0 / ratio)),
        _ => Err("give a ratio such as 1.1 for a difference of 10 %".into()),
    }
}
