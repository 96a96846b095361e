//! `photofinish league`: places as intervals.

use super::Done;
use super::judging::{Strictness, differing, laid_out};
use super::reading::{Counting, Writing, joined, open};
use crate::analysis::{Bar, Comparing, League, Options, Panel, Quantity, basis, claim_checks, graded_answers, league};
use crate::report::{Reading, leagues, seed_layout};
use anyhow::bail;
use std::path::PathBuf;

/// Arguments of `league`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Run folders, or `latest`; several runs of one plan are read together
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// How the table is laid out: full, or seed for platform, generation speed and note
    #[arg(long, value_name = "LAYOUT", default_value = "full")]
    layout: Layout,
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

/// How a league is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Layout {
    /// Places with all that they rest on
    Full,
    /// Platform, generation speed, note: as such tables are usually published
    Seed,
}

/// What is ranked where nothing is asked for.
const OWN: [Quantity; 4] = [Quantity::Ttft, Quantity::ReasoningSpeed, Quantity::ContentSpeed, Quantity::E2e];

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<Done> {
    args.writing.check()?;
    if args.layout == Layout::Seed && !args.strictness.metrics.is_empty() {
        bail!("--layout seed has its own metrics: leave --metric out");
    }
    let runs = open(&args.runs, &args.results, &args.counting)?;
    let joined = joined(&runs, args.writing.lang)?;
    let (basis, because) = basis(&joined, &Options { basis: args.counting.basis, ..Options::default() });
    let (graded, judging) = (graded_answers(&joined, basis), args.strictness.judging());
    let model_differs = differing(&joined, basis, graded.as_ref(), judging.confidence, args.writing.lang);
    let how = Comparing { judging, seed: joined.manifest().seed, model_differs, ..Comparing::default() };
    let claims = claim_checks(&joined, basis, judging.confidence);
    let reading = Reading { joined: &joined, basis, because: &because, tokenizer: joined.tokenizer(), lang: args.writing.lang };
    let made = |quantity: Quantity| -> anyhow::Result<(Panel, League)> {
        let panel = laid_out(&joined, quantity, basis)?;
        let league = league(&panel, &how).with_claims(&claims);
        Ok((panel, league))
    };
    let tables = match args.layout {
        Layout::Seed => {
            let reasoning = Some(made(Quantity::ReasoningSpeed)?).filter(|(_, league)| has_values(league));
            seed_layout(&reading, &made(Quantity::ContentSpeed)?, reasoning.as_ref())
        }
        Layout::Full => {
            let asked = !args.strictness.metrics.is_empty();
            let mut tables = Vec::new();
            let own: Vec<Quantity> = OWN.into_iter().chain(graded.is_some().then_some(Quantity::SecondsPerCorrect)).collect();
            for quantity in args.strictness.quantities(&own) {
                let one = made(quantity)?;
                // Where no target reasons, nobody misses a league of it.
                if asked || has_values(&one.1) || quantity != Quantity::ReasoningSpeed {
                    tables.push(one);
                }
            }
            leagues(&reading, &tables)
        }
    };
    args.writing.write(&tables.write(args.writing.format, args.writing.columns()))?;
    Ok(Done::Well)
}

/// Whether any target has the quantity.
fn has_values(league: &League) -> bool {
    let has = |bars: &[Bar]| !bars.iter().any(Bar::leaves_nothing);
    league.ranked.iter().chain(&league.unranked).any(|placing| has(&placing.bars) && placing.value.is_some())
}
