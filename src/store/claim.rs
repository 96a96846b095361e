//! The claim on a plan: one process at a time finds or makes the plan's run. Without it two that start at the same moment would make two.

use super::StoreError;
use super::folder::{self, io};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Held by the process that works on a plan's run. It goes with the process, however that ends.
#[derive(Debug)]
pub struct Claim {
    // The lock is the open file's.
    _file: File,
}

/// Letters of the plan's digest that name its lock.
const DIGITS: usize = 12;

impl Claim {
    /// Claims a plan by its digest in a results folder, which is made if there is none. Another's claim is [`StoreError::Claimed`].
    pub fn take(results: &Path, plan_digest: &str) -> Result<Claim, StoreError> {
        folder::make_results(results)?;
        let path = lock_path(results, plan_digest);
        // Never removed: a process that waits for the old file and one that makes a new one would both have it.
        let mut file =
            folder::private(OpenOptions::new().read(true).write(true).create(true).truncate(false)).open(&path).map_err(io(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::Claimed { holder: holder(&mut file), path }),
            Err(TryLockError::Error(error)) => return Err(StoreError::Io { path, error }),
        }
        let mut sign = || -> std::io::Result<()> {
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            writeln!(file, "{}", std::process::id())?;
            file.flush()
        };
        sign().map_err(io(&path))?;
        Ok(Claim { _file: file })
    }
}

fn lock_path(results: &Path, plan_digest: &str) -> PathBuf {
    let digits: String = plan_digest.chars().take(DIGITS).collect();
    results.join(format!(".{digits}.lock"))
}

/// The process that holds a claim, as it signed. Between locking and signing lies a moment in which an earlier holder's number still
/// stands there, or none: what stands there twice is believed.
fn holder(file: &mut File) -> Option<u32> {
    let mut last = None;
    for _ in 0..20 {
        let mut signed = String::new();
        let read = file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_string(&mut signed));
        let pid = read.ok().and_then(|_| signed.trim().parse().ok());
        if pid.is_some() && pid == last {
            return pid;
        }
        last = pid;
        std::thread::sleep(Duration::from_millis(10));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = "3fa9c1d2e4b5a6978812345678";

    #[test]
    fn a_plan_is_claimed_once_and_the_second_is_told_by_whom() {
        let results = tempfile::tempdir().unwrap();
        let claim = Claim::take(results.path(), PLAN).unwrap();
        let refused = Claim::take(results.path(), PLAN).unwrap_err();
        assert!(matches!(&refused, StoreError::Claimed { holder: Some(pid), .. } if *pid == std::process::id()), "{refused}");
        let said = refused.to_string();
        assert!(said.contains(&format!("process {}", std::process::id())) && said.contains("--wait"), "{said}");
        assert!(Claim::take(results.path(), "another plan").is_ok());
        drop(claim);
        assert!(Claim::take(results.path(), PLAN).is_ok());
        assert!(results.path().join(".3fa9c1d2e4b5.lock").exists());
    }
}
