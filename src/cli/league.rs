//! `photofinish league`: places as intervals.

use super::Done;
use super::judging::{Grounds, Strictness};
use super::reading::{Asked, Counting, joined};
use crate::analysis::{Bar, ClaimCheck, Joined, League, Panel, Quantity, claim_checks, league};
use crate::report::{Lang, Tables, leagues, seed_layout};
use anyhow::bail;

/// Arguments of `league`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How the table is laid out: full, or seed for platform, generation speed and note
    #[arg(long, value_name = "LAYOUT", default_value = "full")]
    layout: Layout,
    #[command(flatten)]
    strictness: Strictness,
    #[command(flatten)]
    asked: Asked,
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
    if args.layout == Layout::Seed && !args.strictness.metrics.is_empty() {
        bail!("--layout seed has its own metrics: leave --metric out");
    }
    let runs = args.asked.open()?;
    let joined = joined(&runs, args.asked.writing.lang)?;
    let writing = &args.asked.writing;
    let tables = match args.layout {
        Layout::Seed => {
            let made = Leagues::new(&joined, &args.asked.counting, &args.strictness, writing.lang);
            let reasoning = Some(made.one(Quantity::ReasoningSpeed)?).filter(|(_, league)| has_values(league));
            seed_layout(&made.grounds.reading(), &made.one(Quantity::ContentSpeed)?, reasoning.as_ref())
        }
        Layout::Full => full(&joined, &args.asked.counting, &args.strictness, writing.lang)?,
    };
    writing.write(&tables.write(writing.format, writing.columns()))?;
    Ok(Done::Well)
}

/// The leagues that were asked for, or those that a run has by itself.
pub fn full(joined: &Joined<'_>, counting: &Counting, strictness: &Strictness, lang: Lang) -> anyhow::Result<Tables> {
    let made = Leagues::new(joined, counting, strictness, lang);
    let asked = !strictness.metrics.is_empty();
    let mut tables = Vec::new();
    for quantity in made.grounds.quantities(strictness, &OWN) {
        let one = made.one(quantity)?;
        // Where no target reasons, nobody misses a league of it.
        if asked || has_values(&one.1) || quantity != Quantity::ReasoningSpeed {
            tables.push(one);
        }
    }
    Ok(leagues(&made.grounds.reading(), &tables))
}

/// What the leagues of a reading are made of.
struct Leagues<'a> {
    grounds: Grounds<'a>,
    claims: Vec<Vec<ClaimCheck>>,
}

impl<'a> Leagues<'a> {
    fn new(joined: &'a Joined<'a>, counting: &Counting, strictness: &Strictness, lang: Lang) -> Leagues<'a> {
        let grounds = Grounds::new(joined, counting, strictness, lang);
        let claims = claim_checks(joined, grounds.basis, strictness.confidence);
        Leagues { grounds, claims }
    }

    fn one(&self, quantity: Quantity) -> anyhow::Result<(Panel, League)> {
        let panel = self.grounds.panel(quantity)?;
        let league = league(&panel, &self.grounds.how).with_claims(&self.claims);
        Ok((panel, league))
    }
}

/// Whether any target has the quantity.
fn has_values(league: &League) -> bool {
    let has = |bars: &[Bar]| !bars.iter().any(Bar::leaves_nothing);
    league.ranked.iter().chain(&league.unranked).any(|placing| has(&placing.bars) && placing.value.is_some())
}
