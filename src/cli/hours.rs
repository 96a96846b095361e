//! `photofinish hours`: what the hours of the day do to each target.

use super::Done;
use super::judging::{confidence, laid_out, quantity};
use super::reading::{Counting, Writing, joined, open};
use crate::analysis::{BinWidth, HoursOptions, Joined, Options, Quantity, basis, hours};
use crate::record::{Manifest, zone};
use crate::report::{Format, Reading, Worded, hour_tables};
use crate::stats::Confidence;
use anyhow::Context;
use std::path::PathBuf;

/// Shuffles of the chance reference.
const SHUFFLES: u64 = 999;

/// Arguments of `hours`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Run folders, or `latest`; several runs of one plan are read together
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// The zone whose clock the hours are read on, by its IANA name; else that of the plan's own windows, else the measuring machine's
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// Hours a bin: 1h, 3h or 4h; else the narrowest that holds three rounds a bin
    #[arg(long, value_name = "WIDTH")]
    bin: Option<BinWidth>,
    /// A quantity to look at, such as e2e, ttft or content_speed; may be given several times
    #[arg(long = "metric", value_name = "METRIC", value_parser = quantity)]
    metrics: Vec<Quantity>,
    /// Show the tests over the whole day and the pairs of targets as well; JSON always holds them
    #[arg(long)]
    all: bool,
    /// Confidence of every interval and word
    #[arg(long, value_name = "SHARE", default_value = "0.95", value_parser = confidence)]
    confidence: Confidence,
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
    let named = args.zone.as_deref().map(zone).transpose().context("--zone")?;
    let runs = open(&args.runs, &args.results, &args.counting)?;
    let joined = joined(&runs, args.writing.lang)?;
    let manifest = joined.manifest();
    let zone = match named {
        Some(zone) => zone,
        None => zone(own_zone(manifest)).context("the run's own zone; name one with --zone")?,
    };
    let (basis, because) = basis(&joined, &Options { basis: args.counting.basis, ..Options::default() });
    let options = HoursOptions {
        zone,
        bin: args.bin,
        windows: &manifest.design.windows,
        confidence: args.confidence,
        seed: manifest.seed,
        shuffles: SHUFFLES,
    };
    let asked = if args.metrics.is_empty() { &[Quantity::E2e][..] } else { &args.metrics };
    let mut looked = Vec::new();
    for quantity in asked {
        let panel = laid_out(&joined, *quantity, basis)?;
        let found = hours(&panel, &options);
        // Of a list without rows nobody would learn why.
        if let (Err(why), Format::Csv) = (&found, args.writing.format) {
            super::say(&why.words(args.writing.lang));
        }
        looked.push((panel, found));
    }
    let reading = Reading { joined: &joined, basis, because: &because, tokenizer: joined.tokenizer(), lang: args.writing.lang };
    let text = hour_tables(&reading, &looked, args.all).write(args.writing.format, args.writing.columns());
    args.writing.write(&text)?;
    Ok(Done::Well)
}

/// The zone of the windows where the plan has its own, so that they and the hours are read on one clock; else the machine's.
fn own_zone(manifest: &Manifest) -> &str {
    let windows = &manifest.design.windows;
    if windows.is_default() { &manifest.zone } else { &windows.zone }
}
