//! `photofinish power`: how many more rounds until a difference would be seen.

use super::Done;
use super::judging::{Grounds, Strictness, at_least_two, target};
use super::reading::{Asked, joined};
use crate::analysis::{Quantity, league, power};
use crate::report::powers;

/// Arguments of `power`.
#[derive(Debug, clap::Args)]
pub struct Args {
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
    asked: Asked,
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<Done> {
    let runs = args.asked.open()?;
    let joined = joined(&runs, args.asked.writing.lang)?;
    at_least_two(&joined)?;
    let named = args.baseline.as_deref().map(|name| target(&joined, name)).transpose()?;
    let grounds = Grounds::new(&joined, &args.asked.counting, &args.strictness, args.asked.writing.lang);
    let mut found = Vec::new();
    for quantity in args.strictness.quantities(&[Quantity::E2e]) {
        let panel = grounds.panel(quantity)?;
        let best = || {
            let league = league(&panel, &grounds.how);
            league.ranked.iter().chain(&league.unranked).find(|placing| placing.value.is_some()).map(|placing| placing.index)
        };
        let baseline = if args.pairs { None } else { named.or_else(best) };
        let power = power(&panel, args.ratio, baseline, joined.manifest().design.every_s, &grounds.how.judging);
        found.push((panel, power));
    }
    let writing = &args.asked.writing;
    writing.write(&powers(&grounds.reading(), &found).write(writing.format, writing.columns()))?;
    Ok(Done::Well)
}

fn ratio(word: &str) -> Result<f64, String> {
    match word.parse::<f64>() {
        // The other way round it is the same difference.
        Ok(ratio) if 0.0 < ratio && ratio.is_finite() && ratio != 1.0 => Ok(ratio.max(1.0 / ratio)),
        _ => Err("give a ratio such as 1.1 for a difference of 10 %".into()),
    }
}
