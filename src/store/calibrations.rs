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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{CALIBRATION_SCHEMA, CalibrationLoad, CitedLevel, Machine, Tool, TransportKind};

    fn calibration(created: &str, machine: &str, version: &str) -> Calibration {
        let level = r#"{"streams":64,"transport":"kernel","new_connections":true,"seconds":3.0,"requests":128,"compared":128,
            "ttft_us":{"n":128,"p50":4.0,"p95":6.0,"p99":21.0,"max":24.0},"outcomes":{"right":1,"wrong":0},
            "claims":{"checked":1,"exact":1,"wrong":0}}"#;
        Calibration {
            schema: CALIBRATION_SCHEMA,
            tool: Tool { name: "photofinish".into(), version: version.into() },
            created: created.parse().unwrap(),
            machine: Machine { digest: machine.into(), ..Machine::default() },
            client: Default::default(),
            simulator: Default::default(),
            load_average: None,
            behaviour: "builtin:calibration".into(),
            levels: vec![serde_json::from_str(level).unwrap()],
        }
    }

    #[test]
    fn the_newest_of_this_machine_is_cited_and_this_version_goes_first() {
        let results = tempfile::tempdir().unwrap();
        let cited = || cited_calibration(results.path(), "mine", "2").map(|cited| (cited.file, cited.by_version));
        assert_eq!(cited(), None);
        for (created, machine, version) in
            [("2026-11-24T09:00:00Z", "mine", "1"), ("2026-11-24T10:00:00Z", "mine", "1"), ("2026-11-24T11:00:00Z", "another", "2")]
        {
            put_calibration(results.path(), &calibration(created, machine, version)).unwrap();
        }
        std::fs::write(results.path().join("calibrations/20261124T120000Z.json"), "{torn").unwrap();
        assert_eq!(cited(), Some(("calibrations/20261124T100000Z.json".into(), Some("1".into()))));
        put_calibration(results.path(), &calibration("2026-11-24T08:00:00Z", "mine", "2")).unwrap();
        assert_eq!(cited(), Some(("calibrations/20261124T080000Z.json".into(), None)));
        let level = cited_calibration(results.path(), "mine", "2").unwrap().levels[0];
        let load = CalibrationLoad { streams: 64, transport: TransportKind::Kernel, http2: false, tls: false, new_connections: true };
        assert_eq!(level, CitedLevel { load, ttft_p99_us: 21.0, requests: 128 });
    }

    #[test]
    fn it_comes_back_as_it_was_stored() {
        let results = tempfile::tempdir().unwrap();
        let stored = calibration("2026-11-24T09:00:00Z", "mine", "1");
        let file = put_calibration(results.path(), &stored).unwrap();
        assert_eq!(read(&file), Some(stored));
        assert_eq!(crate::store::Run::latest(results.path()), None, "no run");
    }
}
