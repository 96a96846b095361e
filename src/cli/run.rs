//! `photofinish run`.

use super::Done;

/// Arguments of `run`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
pub fn run(_args: Args) -> anyhow::Result<Done> {
    anyhow::bail!("this command is still to be built")
}
