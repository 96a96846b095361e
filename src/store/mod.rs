//! The run folder: `results/<UTC>-<name>-<id>/{manifest.json, plan.yaml, records.jsonl}`. This room alone knows paths under `results/`.

mod attempts;
mod calibrations;
mod claim;
mod folder;
mod journal;
mod of_plan;
mod read;
mod stream;
mod thin;

use crate::record::{Manifest, Note, RoundLine, StageLine, Trial};
use std::path::PathBuf;

pub use attempts::{ScoredBlock, attempts_made, scored_blocks};
pub use calibrations::{cited_calibration, make_calibrations, put_calibration};
pub use claim::Claim;
pub use journal::{Journal, Prepare};
pub use of_plan::{Known, runs};
pub use stream::{Folder, Part};

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
    /// States of the stages of a load run, in order.
    pub stages: Vec<StageLine>,
    /// Notes in order.
    pub notes: Vec<Note>,
    /// Lines that could not be read (a torn tail, a damaged line, a kind that this version does not know), passed over and counted.
    pub torn: u32,
}

/// What is wrong with a run folder.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The system refused.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's words.
        error: std::io::Error,
    },
    /// There is no run here.
    #[error("{}: no run here; give a run folder (it holds manifest.json), such as results/20261124T101500Z-race-3fa9c1", path.display())]
    NotARun {
        /// The path as given.
        path: PathBuf,
    },
    /// The manifest cannot be read.
    #[error("{}: {message}", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The run was written by a later version.
    #[error("{}: written with schema {found}, and this version of photofinish reads up to {known}; update photofinish to read it", path.display())]
    Newer {
        /// The manifest.
        path: PathBuf,
        /// Its schema.
        found: u64,
        /// The latest schema that this build knows.
        known: u32,
    },
    /// Another process writes this run.
    #[error("{}: another photofinish is writing this run; wait until it ends, or stop it first", path.display())]
    Locked {
        /// The record.
        path: PathBuf,
    },
    /// Another process works on the plan's run.
    #[error(
        "{}: another photofinish{} works on this plan's run; let it go on, stop it first, or wait for it with --wait",
        path.display(), holder.map(|pid| format!(" (process {pid})")).unwrap_or_default()
    )]
    Claimed {
        /// The lock.
        path: PathBuf,
        /// The process that holds it, where it can be told.
        holder: Option<u32>,
    },
}
