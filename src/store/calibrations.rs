//! `results/calibrations/<UTC time>.json`: beside the runs, one file a calibration.

use super::StoreError;
use super::folder::{io, make_results, private, write_whole};
use crate::record::{Calibration, CitedCalibration};
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

/// Their folder in the folder of runs.
const CALIBRATIONS: &str = "calibrations";
/// So many of the newest are looked at for one of a machine: a run's start must not read a year of them.
const LOOKED_AT: usize = 64;

/// The folder of calibrations, where there is none yet. Fails where it cannot be written to.
pub fn make_calibrations(results: &Path) -> Result<PathBuf, StoreError> {
    let folder = results.join(CALIBRATIONS);
    make_results(&folder)?;
    let probe = folder.join(format!(".probe-{}", std::process::id()));
    private(OpenOptions::new().write(true).create(true).truncate(true)).open(&probe).map_err(io(&folder))?;
    fs::remove_file(&probe).map_err(io(&folder))?;
    Ok(folder)
}

/// Stores a calibration; gives its file.
pub fn put_calibration(results: &Path, calibration: &Calibration) -> Result<PathBuf, StoreError> {
    let folder = make_calibrations(results)?;
    let name = format!("{}.json", calibration.created.strftime("%Y%m%dT%H%M%SZ"));
    let json = serde_json::to_vec_pretty(calibration)
        .map_err(|error| StoreError::Io { path: folder.join(&name), error: std::io::Error::other(error) })?;
    write_whole(&folder, &name, &json)?;
    Ok(folder.join(name))
}

/// The newest calibration of a machine, by this version where there is one, as a manifest cites it. What cannot be read, or is of
/// another machine, is passed over.
pub fn cited_calibration(results: &Path, machine: &str, version: &str) -> Option<CitedCalibration> {
    let entries = fs::read_dir(results.join(CALIBRATIONS)).ok()?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| is_calibration(path)).collect();
    files.sort_by(|a, b| b.cmp(a));
    let mut older = None;
    for path in files.into_iter().take(LOOKED_AT) {
        let Some(found) = read(&path).filter(|calibration| calibration.machine.digest == machine) else { continue };
        let file = path.file_name().map(|name| format!("{CALIBRATIONS}/{}", name.to_string_lossy())).unwrap_or_default();
        let cited = found.cited(file, version);
        if cited.by_version.is_none() {
            return Some(cited);
        }
        older = older.or(Some(cited));
    }
    older
}

fn is_calibration(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("20")) && path.extension().is_some_and(|end| end == "json")
}

fn read(path: &Path) -> Option<Calibration> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}
