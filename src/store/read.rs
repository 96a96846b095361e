//! Reading a run back: tolerant of what a later version may add, and of a line that a crash cut short.

use super::folder::{MANIFEST, PLAN, RECORDS, TORN, io};
use super::{Folder, Run, StoreError, thin};
use crate::record::{Line, Manifest, SCHEMA, Trial};
use crate::secret;
use serde::Deserialize;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
struct Schema {
    schema: u64,
}

impl Run {
    /// Reads a run from its folder, or from the path of a file in it.
    pub fn open(path: &Path) -> Result<Run, StoreError> {
        let folder = run_folder(path);
        let (manifest, _) = manifest(folder, path)?;
        let mut run = Run {
            folder: folder.to_owned(),
            manifest,
            trials: vec![],
            rounds: vec![],
            stages: vec![],
            notes: vec![],
            torn: torn_before(folder),
        };
        let records = folder.join(RECORDS);
        match std::fs::read(&records) {
            Ok(bytes) => bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).for_each(|line| run.take(line)),
            // Stopped between manifest and first line.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(io(&records)(error)),
        }
        Ok(run)
    }

    /// As [`Run::open`], with each trial reduced by `reduce` as soon as it is read: a month's texts and timelines are gigabytes, and who goes
    /// on with a run asks little of each trial. Read by all processors; the file is never whole in memory. What is left of a large record is
    /// kept beside it, so that the next call reads only what was appended; so `reduce` has to be the same in every call.
    pub fn open_thin(path: &Path, reduce: impl Fn(&mut Trial) + Sync) -> Result<Run, StoreError> {
        let records = Folder::open(path)?;
        let mut run = Run {
            folder: records.path.clone(),
            manifest: records.manifest.clone(),
            trials: vec![],
            rounds: vec![],
            stages: vec![],
            notes: vec![],
            torn: records.torn_before,
        };
        let take = |trials: &mut Vec<Trial>, mut trial: Trial| {
            reduce(&mut trial);
            trials.push(trial);
        };
        let from = thin::recall(&records, &mut run);
        records.scan(from..records.length, take, |part| {
            run.trials.extend(part.trials);
            run.rounds.extend(part.rounds);
            run.stages.extend(part.stages);
            run.notes.extend(part.notes);
            run.torn += part.torn;
        })?;
        thin::keep(&records, &run, from);
        Ok(run)
    }

    /// The latest run of a results folder, by the time that its name begins with and, within a second, by its manifest's age. None where
    /// there is none.
    pub fn latest(results: &Path) -> Option<PathBuf> {
        let runs = std::fs::read_dir(results).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
        let starts_with_a_time = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("20"));
        let begun = |path: &PathBuf| {
            let made = path.join(MANIFEST).metadata().and_then(|manifest| manifest.modified()).ok();
            let second: String = path.file_name()?.to_string_lossy().chars().take_while(|c| *c != '-').collect();
            made.map(|made| (second, made))
        };
        runs.filter(starts_with_a_time).filter_map(|path| Some((begun(&path)?, path))).max().map(|(_, path)| path)
    }

    /// Whether the stored plan is this text: the plan as it was when the run began, secrets masked.
    pub fn was_planned_by(&self, text: &str) -> bool {
        let stored = std::fs::read(self.folder.join(PLAN));
        stored.is_ok_and(|stored| stored == *secret::mask().mask_bytes(text.as_bytes()))
    }

    fn take(&mut self, bytes: &[u8]) {
        match line(bytes) {
            Some(Line::Trial(trial)) => self.trials.push(*trial),
            Some(Line::Round(round)) => self.rounds.push(round),
            Some(Line::Stage(stage)) => self.stages.push(stage),
            Some(Line::Note(note)) => self.notes.push(note),
            None => self.torn += 1,
        }
    }
}

/// The run's folder, of a path that names it or a file in it.
pub fn run_folder(path: &Path) -> &Path {
    match path.file_name().and_then(|name| name.to_str()) {
        Some(MANIFEST | RECORDS) => path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new(".")),
        _ => path,
    }
}

/// One line of the records; `None` where it cannot be read.
pub fn line(bytes: &[u8]) -> Option<Line> {
    // The journal writes the kind first. Told by it, a trial goes straight into its type; serde's way through a tagged enum builds a tree
    // of every number before.
    let line = match bytes.starts_with(br#"{"kind":"trial","#) {
        true => serde_json::from_slice(bytes).map(Line::Trial),
        false => serde_json::from_slice(bytes),
    };
    let sound = |line: &Line| match line {
        Line::Trial(trial) => trial.answer.as_ref().is_none_or(|answer| answer.timeline.is_sound()),
        Line::Round(_) | Line::Stage(_) | Line::Note(_) => true,
    };
    line.ok().filter(sound)
}

/// The manifest of a folder, and its bytes.
pub fn manifest(folder: &Path, given: &Path) -> Result<(Manifest, Vec<u8>), StoreError> {
    let path = folder.join(MANIFEST);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound || error.kind() == std::io::ErrorKind::NotADirectory => {
            return Err(StoreError::NotARun { path: given.to_owned() });
        }
        Err(error) => return Err(io(&path)(error)),
    };
    // The schema first: of a later version's manifest nothing else need be readable.
    let bad = |error: serde_json::Error| StoreError::Manifest { path: path.clone(), message: error.to_string() };
    let Schema { schema } = serde_json::from_slice(&bytes).map_err(bad)?;
    if u64::from(SCHEMA) < schema {
        return Err(StoreError::Newer { path, found: schema, known: SCHEMA });
    }
    let manifest = serde_json::from_slice(&bytes).map_err(bad)?;
    Ok((manifest, bytes))
}

/// Lines that earlier openings had to set aside.
pub fn torn_before(folder: &Path) -> u32 {
    std::fs::read(folder.join(TORN)).map_or(0, |bytes| bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count() as u32)
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::record::Note;

    pub fn manifest() -> Manifest {
        let json = r#"{"schema":1,"tool":{"name":"photofinish","version":"0.1.0"},"run":"3fa9c1","name":"a race","created":"2026-11-24T10:15:00Z",
            "zone":"UTC","seed":7,"salt":"5a17","plan_digest":"d1","design":{"rounds":1,"prompts":1,"at_once":true,"warm_up":false,
            "cache_defeat":true,"capped_is_ok":true,"stall_ms":500.0,"min_tokens":16},"limits":{"connect_ms":1,"first_token_ms":1,"idle_ms":1,
            "total_ms":1,"largest_line":1,"largest_body":1},"targets":[],"dataset":{"name":"short-en","digest":"d2","language":"en",
            "purpose":"speed","prompts":[]},"host":{"os":"linux","arch":"x86_64","cpus":2}}"#;
        serde_json::from_str(json).unwrap()
    }

    pub fn note(text: &str) -> Line {
        Line::Note(Note { wall: "2026-11-24T10:15:00Z".parse().unwrap(), text: text.into() })
    }

    fn folder_with(manifest: &str, records: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(MANIFEST), manifest).unwrap();
        std::fs::write(folder.path().join(RECORDS), records).unwrap();
        folder
    }

    #[test]
    fn fields_of_a_later_version_are_passed_over_and_lines_that_cannot_be_read_are_counted() {
        let json = serde_json::to_string(&manifest()).unwrap().replacen('{', "{\"mood\":\"calm\",", 1);
        let known = serde_json::to_string(&note("kept")).unwrap().replacen('{', "{\"colour\":\"red\",", 1);
        let folder = folder_with(&json, &format!("{known}\n{{\"kind\":\"weather\",\"rain\":1}}\n{{\"kind\":\"note\"}}\nhalf a li"));
        let run = Run::open(folder.path()).unwrap();
        assert_eq!((run.notes.len(), run.torn), (1, 3));
        assert_eq!(Run::open(&folder.path().join("manifest.json")).unwrap().notes.len(), 1);
    }

    #[test]
    fn a_run_of_a_later_schema_is_refused_with_the_remedy() {
        let folder = folder_with("{\"schema\":2,\"everything\":\"else differs\"}", "");
        let refused = Run::open(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("schema 2") && refused.contains("update photofinish"), "{refused}");
    }

    #[test]
    fn a_folder_without_a_manifest_is_no_run_and_the_latest_is_found_by_name() {
        let results = tempfile::tempdir().unwrap();
        assert!(Run::open(results.path()).unwrap_err().to_string().contains("no run here"));
        assert_eq!(Run::latest(results.path()), None);
        for name in ["20261124T090000Z-b-1", "20261124T100000Z-a-2", "example"] {
            std::fs::create_dir(results.path().join(name)).unwrap();
            std::fs::write(results.path().join(name).join(MANIFEST), "{}").unwrap();
        }
        assert!(Run::latest(results.path()).unwrap().ends_with("20261124T100000Z-a-2"));
    }
}
