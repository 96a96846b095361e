//! The run folder: `results/<UTC>-<name>-<id>/{manifest.json, plan.yaml, records.jsonl}`. This room alone knows paths under `results/`.

use crate::record::{Manifest, Note, RoundLine, Trial};
use std::path::PathBuf;

/// A run as read back.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its folder.
    pub folder: PathBuf,
    /// What was planned.
    pub manifest: Manifest,
    /// Trials in the order in which they were written.
    pub trials: Vec<Trial>,
    /// States of rounds in order; a later line of a round replaces an earlier one.
    pub rounds: Vec<RoundLine>,
    /// Notes in order.
    pub notes: Vec<Note>,
    /// Lines that could not be read (a torn tail, a damaged line), set aside and counted.
    pub torn: u32,
}
