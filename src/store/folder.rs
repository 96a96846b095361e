//! Making a run folder: everything that was decided lies on the disk before the first request.

use super::StoreError;
use crate::record::Manifest;
use crate::secret;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Names of the files of a run.
pub const MANIFEST: &str = "manifest.json";
pub const PLAN: &str = "plan.yaml";
pub const RECORDS: &str = "records.jsonl";
pub const TORN: &str = "records.torn";

/// Adds the path to the system's words.
pub fn io(path: &Path) -> impl FnOnce(std::io::Error) -> StoreError + use<> {
    let path = path.to_owned();
    move |error| StoreError::Io { path, error }
}

/// A new folder with manifest and plan in it, both on the disk.
pub fn create(results: &Path, manifest: &Manifest, plan: &str) -> Result<PathBuf, StoreError> {
    let folder = results.join(name(manifest));
    make_results(results)?;
    make_folder(&folder, false)?;
    let json = serde_json::to_vec_pretty(manifest)
        .map_err(|error| StoreError::Manifest { path: folder.join(MANIFEST), message: error.to_string() })?;
    // The first request waits for the disk, so both wait for it at once.
    let files = std::thread::scope(|scope| {
        let plan = scope.spawn(|| written(&folder, PLAN, plan.as_bytes()));
        let manifest = written(&folder, MANIFEST, &json);
        plan.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)).and_then(|plan| Ok([plan, manifest?]))
    })?;
    for Written { path, temporary } in files {
        fs::rename(&temporary, &path).map_err(io(&path))?;
    }
    std::thread::scope(|scope| {
        scope.spawn(|| sync_folder(results));
        sync_folder(&folder);
    });
    Ok(folder)
}

/// The folder of all runs, where there is none yet.
pub fn make_results(results: &Path) -> Result<(), StoreError> {
    make_folder(results, true)
}

/// The record, opened for appending and locked against a second writer. The lock goes with the process.
pub fn open_records(folder: &Path) -> Result<File, StoreError> {
    let path = folder.join(RECORDS);
    let file = private(OpenOptions::new().read(true).append(true).create(true)).open(&path).map_err(io(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path }),
        Err(TryLockError::Error(error)) => Err(StoreError::Io { path, error }),
    }
}

/// Options of a file that only its owner may read.
pub fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

fn make_folder(path: &Path, may_exist: bool) -> Result<(), StoreError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(may_exist);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(io(path))
}

/// Written under another name, synced, then renamed: after a crash a file is there whole or not at all.
pub(super) fn write_whole(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
    let Written { path, temporary } = written(folder, name, bytes)?;
    fs::rename(&temporary, &path).map_err(io(&path))?;
    sync_folder(folder);
    Ok(())
}

/// A file that lies on the disk under another name, to be renamed: after a crash a file is there whole or not at all.
struct Written {
    path: PathBuf,
    temporary: PathBuf,
}

fn written(folder: &Path, name: &str, bytes: &[u8]) -> Result<Written, StoreError> {
    let (path, temporary) = (folder.join(name), folder.join(format!(".{name}.new")));
    let write = || -> std::io::Result<()> {
        let mut file = private(OpenOptions::new().write(true).create_new(true)).open(&temporary)?;
        file.write_all(&secret::mask().mask_bytes(bytes))?;
        file.sync_all()
    };
    write().map_err(io(&path))?;
    Ok(Written { path, temporary })
}

/// A folder's entries reach the disk too; where the system cannot do that for folders, the files still did.
fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

/// `20261124T101500Z-race-3fa9c1`
fn name(manifest: &Manifest) -> String {
    let plain = |c: char| if c.is_alphanumeric() || c == '_' { c } else { '-' };
    let name: String = manifest.name.chars().map(plain).take(40).collect();
    let name = name.trim_matches('-');
    let name = if name.is_empty() { "run" } else { name };
    format!("{}-{name}-{}", manifest.created.strftime("%Y%m%dT%H%M%SZ"), manifest.run)
}
