//! `photofinish hours`: what the hours of the day do to each target.

use super::Done;
use super::judging::{confidence, laid_out, quantity};
use super::reading::{Asked, joined};
use crate::analysis::{BinWidth, HoursOptions, Options, Quantity, basis, hours};
use crate::record::{Manifest, zone};
use crate::report::{Format, Reading, Worded, hour_tables};
use crate::stats::Confidence;
use anyhow::Context;

/// Shuffles of the chance reference.
const SHUFFLES: u64 = 999;

/// Arguments of `hours`.
#[derive(Debug, clap::Args)]
pub struct Args {
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
    asked: Asked,
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<Done> {
    let named = args.zone.as_deref().map(zone).transpose().context("--zone")?;
    let runs = args.asked.open()?;
    let joined = joined(&runs, args.asked.writing.lang)?;
    let manifest = joined.manifest();
    let zone = match named {
        Some(zone) => zone,
        None => zone(own_zone(manifest)).context("the run's own zone; name one with --zone")?,
    };
    let (basis, because) = basis(&joined, &Options { basis: args.asked.counting.basis, ..Options::default() });
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
        if let (Err(why), Format::Csv) = (&found, args.asked.writing.format) {
            super::say(&why.words(args.asked.writing.lang));
        }
        looked.push((panel, found));
    }
    let reading = Reading { joined: &joined, basis, because: &because, tokenizer: joined.tokenizer(), lang: args.asked.writing.lang };
    let text = hour_tables(&reading, &looked, args.all).write(args.asked.writing.format, args.asked.writing.columns());
    args.asked.writing.write(&text)?;
    Ok(Done::Well)
}

/// The zone of the windows where the plan has its own, so that they and the hours are read on one clock; else the machine's.
fn own_zone(manifest: &Manifest) -> &str {
    let windows = &manifest.design.windows;
    if windows.is_default() { &manifest.zone } else { &windows.zone }
}
