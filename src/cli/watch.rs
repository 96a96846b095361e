//! `photofinish watch`: the rounds of a plan in the foreground, for days.

use super::Done;
use super::progress::{Showing, Unwatched};
use super::run::{KeyWays, Planned, PlansRun};
use crate::plan::Patch;
use crate::provider::Catalog;
use crate::record::Budget;
use std::path::PathBuf;

/// Arguments of `watch`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The plan; its unfinished run goes on, or a new one begins
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// Wait for another process that works on the plan's run, so many seconds at most; without a number, as long as it takes
    #[arg(long, value_name = "SECONDS", num_args = 0..=1)]
    wait: Option<Option<u64>>,
    /// Stop before a block that would send more than so many requests in all, instead of the plan's own budget
    #[arg(long, value_name = "N")]
    max_requests: Option<u64>,
    /// Stop between blocks once so many tokens are used in all, instead of the plan's own budget
    #[arg(long, value_name = "N")]
    max_total_tokens: Option<u64>,
    /// A folder of provider files that stand before the built-in ones (may be repeated)
    #[arg(long, value_name = "DIR")]
    providers: Vec<PathBuf>,
    #[command(flatten)]
    keys: KeyWays,
    /// Where run folders are made and looked for
    #[arg(long, value_name = "DIR", default_value = "results")]
    results: PathBuf,
    #[command(flatten)]
    showing: Showing,
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<Done> {
    let manner = args.showing.manner(Unwatched::Lines);
    let catalog = Catalog::load(&args.providers)?;
    let planned = Planned::read(Some(&args.plan), &Patch::default(), &catalog)?;
    let budget = Budget { max_requests: args.max_requests, max_total_tokens: args.max_total_tokens };
    let plans_run = PlansRun { results: &args.results, keys: &args.keys, wait: args.wait.into(), budget };
    plans_run.to_its_end(planned, &catalog, manner)
}
