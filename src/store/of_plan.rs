//! The runs of a plan, found again by its digest, and how far they have come.

use super::folder::RECORDS;
use super::read::{line, manifest};
use super::{Folder, thin};
use crate::record::{Line, Manifest, RoundState};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// A run, as far as whoever would go on with it has to know it.
#[derive(Debug, Clone)]
pub struct Known {
    /// Its folder.
    pub folder: PathBuf,
    /// What was planned.
    pub manifest: Manifest,
    /// Rounds that are over: finished, missed or partial.
    pub closed: BTreeSet<u32>,
}

impl Known {
    /// Whether every round is over.
    pub fn is_complete(&self) -> bool {
        self.closed.len() as u64 == u64::from(self.manifest.design.rounds)
    }
}

/// The runs of rounds in a results folder that `wanted` chooses by their manifests, oldest first. What is no run, or cannot be read by
/// this version, is passed over: it is nothing to go on with.
pub fn runs(results: &Path, wanted: impl Fn(&Manifest) -> bool) -> Vec<Known> {
    let entries = std::fs::read_dir(results).into_iter().flatten();
    let folders = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| {
        // As runs are named: what lies beside them, such as a copy under another name, is the user's own.
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("20"))
    });
    let known = |folder: PathBuf| {
        let (manifest, _) = manifest(&folder, &folder).ok()?;
        (manifest.load.is_none() && wanted(&manifest)).then(|| Known { closed: closed(&folder), folder, manifest })
    };
    let mut runs: Vec<Known> = folders.filter_map(known).collect();
    runs.sort_by(|a, b| (a.manifest.created, &a.folder).cmp(&(b.manifest.created, &b.folder)));
    runs
}

/// The rounds that are over. Only lines of rounds are looked into, and those not that are kept apart already: a month of trials is
/// gigabytes.
fn closed(folder: &Path) -> BTreeSet<u32> {
    let (known, from) = Folder::open(folder).map(|folder| thin::rounds(&folder)).unwrap_or_default();
    let mut closed: BTreeSet<u32> = known.iter().filter(|line| line.state != RoundState::Begun).map(|line| line.round).collect();
    let Ok(mut file) = std::fs::File::open(folder.join(RECORDS)) else { return closed };
    if file.seek(SeekFrom::Start(from)).is_err() {
        return closed;
    }
    let (mut reader, mut bytes) = (BufReader::with_capacity(1 << 20, file), Vec::new());
    while reader.read_until(b'\n', &mut bytes).is_ok_and(|read| 0 < read) {
        if bytes.starts_with(br#"{"kind":"round","#)
            && let Some(Line::Round(round)) = line(bytes.trim_ascii_end())
            && round.state != RoundState::Begun
        {
            closed.insert(round.round);
        }
        bytes.clear();
    }
    closed
}

#[cfg(test)]
mod tests {
    use super::super::folder::MANIFEST;
    use super::super::read::tests::manifest;
    use super::*;

    fn run(results: &Path, name: &str, created: &str, digest: &str, rounds: &[(u32, &str)]) {
        let mut manifest = manifest();
        (manifest.created, manifest.plan_digest, manifest.design.rounds) = (created.parse().unwrap(), digest.into(), 2);
        let folder = results.join(name);
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join(MANIFEST), serde_json::to_vec(&manifest).unwrap()).unwrap();
        let line = |(round, state): &(u32, &str)| {
            format!("{{\"kind\":\"round\",\"round\":{round},\"state\":\"{state}\",\"wall\":\"2026-11-24T10:15:00Z\",\"mono\":1}}\n")
        };
        std::fs::write(folder.join(RECORDS), rounds.iter().map(line).collect::<String>() + "{\"kind\":\"round\",\"round\":2,\"sta")
            .unwrap();
    }

    #[test]
    fn runs_of_a_plan_are_found_by_its_digest_with_the_rounds_that_are_over() {
        let results = tempfile::tempdir().unwrap();
        let path = results.path();
        run(path, "20261124T110000Z-b-2", "2026-11-24T11:00:00Z", "d1", &[(1, "begun"), (1, "finished"), (2, "begun")]);
        run(path, "20261124T100000Z-a-1", "2026-11-24T10:00:00Z", "d1", &[(1, "missed"), (2, "begun"), (2, "partial")]);
        run(path, "20261124T120000Z-c-3", "2026-11-24T12:00:00Z", "d2", &[]);
        run(path, "copy-of-a", "2026-11-24T10:00:00Z", "d1", &[]);
        std::fs::create_dir(path.join("20261124T130000Z-empty-4")).unwrap();
        let found = runs(path, |manifest| manifest.plan_digest == "d1");
        let told: Vec<_> = found.iter().map(|run| (run.folder.file_name().unwrap().to_str().unwrap(), run.is_complete())).collect();
        assert_eq!(told, [("20261124T100000Z-a-1", true), ("20261124T110000Z-b-2", false)]);
        assert_eq!(found[1].closed, BTreeSet::from([1]));
        assert!(runs(&path.join("nowhere"), |_| true).is_empty());
    }
}
