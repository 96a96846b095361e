//! `photofinish metrics`: every definition, from the one registry.

use super::Done;
use super::reading::Writing;
use crate::report::{definitions, definitions_document};

/// Arguments of `metrics`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The whole document as Markdown: docs/metrics.md
    #[arg(long)]
    markdown: bool,
    #[command(flatten)]
    writing: Writing,
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<Done> {
    let text = match args.markdown {
        true => definitions_document(),
        false => definitions(args.writing.lang).write(args.writing.format, args.writing.columns()),
    };
    args.writing.write(&text)?;
    Ok(Done::Well)
}
