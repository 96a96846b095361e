//! `photofinish league`: places as intervals.

use super::Done;
use super::judging::{Strictness, differing, laid_out};
use super::reading::{Counting, Writing, joined, open};
use crate::analysis::{
    Bar, BasisBecause, ClaimCheck, Comparing, GradedAnswers, Joined, League, Options, Panel, Quantity, basis, claim_checks, graded_answers,
    league,
};
use crate::report::{Lang, Reading, Tables, leagues, seed_layout};
use crate::tokens::Basis;
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
    let tables = match args.layout {
        Layout::Seed => {
            let made = Made::new(&joined, &args.counting, &args.strictness, args.writing.lang);
            let reasoning = Some(made.one(Quantity::ReasoningSpeed)?).filter(|(_, league)| has_values(league));
            seed_layout(&made.reading(), &made.one(Quantity::ContentSpeed)?, reasoning.as_ref())
        }
        Layout::Full => full(&joined, &args.counting, &args.strictness, args.writing.lang)?,
    };
    args.writing.write(&tables.write(args.writing.format, args.writing.columns()))?;
    Ok(Done::Well)
}

/// The leagues that were asked for, or those that a run has by itself.
pub fn full(joined: &Joined<'_>, counting: &Counting, strictness: &Strictness, lang: Lang) -> anyhow::Result<Tables> {
    let made = Made::new(joined, counting, strictness, lang);
    let asked = !strictness.metrics.is_empty();
    let own: Vec<Quantity> = OWN.into_iter().chain(made.graded.is_some().then_some(Quantity::SecondsPerCorrect)).collect();
    let mut tables = Vec::new();
    for quantity in strictness.quantities(&own) {
        let one = made.one(quantity)?;
        // Where no target reasons, nobody misses a league of it.
        if asked || has_values(&one.1) || quantity != Quantity::ReasoningSpeed {
            tables.push(one);
        }
    }
    Ok(leagues(&made.reading(), &tables))
}

/// What every league of a reading rests on.
struct Made<'a> {
    joined: &'a Joined<'a>,
    basis: Basis,
    because: BasisBecause,
    graded: Option<GradedAnswers>,
    claims: Vec<Vec<ClaimCheck>>,
    how: Comparing,
    lang: Lang,
}

impl<'a> Made<'a> {
    fn new(joined: &'a Joined<'a>, counting: &Counting, strictness: &Strictness, lang: Lang) -> Made<'a> {
        let (basis, because) = basis(joined, &Options { basis: counting.basis, ..Options::default() });
        let (graded, judging) = (graded_answers(joined, basis), strictness.judging());
        let model_differs = differing(joined, basis, graded.as_ref(), judging.confidence, lang);
        let how = Comparing { judging, seed: joined.manifest().seed, model_differs, ..Comparing::default() };
        Made { joined, basis, because, graded, claims: claim_checks(joined, basis, judging.confidence), how, lang }
    }

    fn one(&self, quantity: Quantity) -> anyhow::Result<(Panel, League)> {
        let panel = laid_out(self.joined, quantity, self.basis)?;
        let league = league(&panel, &self.how).with_claims(&self.claims);
        Ok((panel, league))
    }

    fn reading(&self) -> Reading<'_> {
        let tokenizer = self.joined.tokenizer();
        Reading { joined: self.joined, basis: self.basis, because: &self.because, tokenizer, lang: self.lang }
    }
}

/// Whether any target has the quantity.
fn has_values(league: &League) -> bool {
    let has = |bars: &[Bar]| !bars.iter().any(Bar::leaves_nothing);
    league.ranked.iter().chain(&league.unranked).any(|placing| has(&placing.bars) && placing.value.is_some())
}
