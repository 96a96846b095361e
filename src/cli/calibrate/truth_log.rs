//! The simulator's log, read while it grows.

use crate::calibration::Truths;
use crate::clock::{Clock, mono};
use crate::units::ms;
use anyhow::Context;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// The log is written by a thread of its own: a line may come so much later than its reply.
const PATIENCE: u64 = ms(5000);
/// How often it is looked at.
const EVERY: u64 = ms(20);

/// A log in the folder for temporary files, gone with this value.
pub(super) struct TruthLog {
    path: PathBuf,
    /// Up to where it has been read: whole lines.
    read: u64,
}

impl TruthLog {
    /// A log that is not there yet.
    pub(super) fn fresh() -> anyhow::Result<TruthLog> {
        let path =
            std::env::temp_dir().join(format!("photofinish-calibrate-{}-{:06x}.jsonl", std::process::id(), rand::random::<u32>() >> 8));
        std::fs::File::create_new(&path).with_context(|| format!("{}: the simulator's log cannot be made here", path.display()))?;
        Ok(TruthLog { path, read: 0 })
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What came since it was read last, once these requests are in it, or patience is out: what is missing then is counted.
    pub(super) async fn holding(&mut self, requests: impl Iterator<Item = &str> + Clone) -> anyhow::Result<Truths> {
        let mut truths = Truths::default();
        let until = mono().plus(PATIENCE);
        loop {
            truths.add(&self.more()?);
            let missing = requests.clone().any(|request| truths.of(request).is_none());
            if !missing || until <= mono() {
                return Ok(truths);
            }
            Clock::System.sleep_until(mono().plus(EVERY)).await;
        }
    }

    fn more(&mut self) -> anyhow::Result<String> {
        let mut read = || -> std::io::Result<Vec<u8>> {
            let mut file = std::fs::File::open(&self.path)?;
            file.seek(SeekFrom::Start(self.read))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            // A line that is still being written is left for the next time.
            let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            bytes.truncate(whole);
            self.read += whole as u64;
            Ok(bytes)
        };
        let bytes = read().with_context(|| self.path.display().to_string())?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

impl Drop for TruthLog {
    fn drop(&mut self) {
        // It may have been taken away already.
        let _ = std::fs::remove_file(&self.path);
    }
}
