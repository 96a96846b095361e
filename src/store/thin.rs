//! What whoever goes on with a run asks of its records, kept beside them: a month of trials is gigabytes, of which a round needs some
//! hundred bytes a trial. Disposable: deleting it loses nothing, and what does not fit the records any more is not looked at.

use super::read::line;
use super::{Folder, Run};
use crate::record::{Line, RoundLine};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};

const KEPT: &str = "resume.jsonl";
/// Reading less than so many bytes of records anew is not worth a file.
const WORTH: u64 = 4 << 20;

/// The first line: of which records the lines below it are.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    /// Another version may leave other things of a trial.
    version: String,
    /// So many bytes of the records, whole lines.
    length: u64,
    /// [`Folder::digest`] of them.
    digest: [u8; 32],
    /// Lines of them that could not be read.
    torn: u32,
    /// Lines below.
    lines: u64,
}

/// Fills in what is kept of a run's records, and tells up to where they need not be read.
pub fn recall(folder: &Folder, run: &mut Run) -> u64 {
    let Some((head, reader)) = opened(folder) else { return 0 };
    let (mut trials, mut stages, mut notes, mut rounds) = (vec![], vec![], vec![], vec![]);
    for text in reader.split(b'\n') {
        match text.ok().and_then(|text| line(&text)) {
            Some(Line::Trial(trial)) => trials.push(*trial),
            Some(Line::Round(round)) => rounds.push(round),
            Some(Line::Stage(stage)) => stages.push(stage),
            Some(Line::Note(note)) => notes.push(note),
            None => return 0,
        }
    }
    let lines = trials.len() + rounds.len() + stages.len() + notes.len();
    if lines as u64 != head.lines {
        return 0;
    }
    (run.trials, run.rounds, run.stages, run.notes) = (trials, rounds, stages, notes);
    run.torn += head.torn;
    head.length
}

/// The states of rounds in what is kept, and up to where the records need not be read for them.
pub fn rounds(folder: &Folder) -> (Vec<RoundLine>, u64) {
    let Some((head, reader)) = opened(folder) else { return (Vec::new(), 0) };
    let mut rounds = Vec::new();
    // Rounds are written first.
    for text in reader.split(b'\n').map_while(Result::ok) {
        match line(&text) {
            Some(Line::Round(round)) => rounds.push(round),
            Some(_) => return (rounds, head.length),
            None => return (Vec::new(), 0),
        }
    }
    let whole = rounds.len() as u64 == head.lines;
    if whole { (rounds, head.length) } else { (Vec::new(), 0) }
}

/// Keeps a run that was read thin, if at least so much of it was read from its records that the next reader gains by it: all but the first
/// `from` bytes. A line that is being written, or was torn, is not kept.
pub fn keep(folder: &Folder, run: &Run, from: u64) {
    if folder.length - from < WORTH || folder.whole_lines().ok() != Some(folder.length) {
        return;
    }
    let Ok(digest) = folder.digest(folder.length) else { return };
    let lines = (run.trials.len() + run.rounds.len() + run.stages.len() + run.notes.len()) as u64;
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let head = Head { version, length: folder.length, digest, torn: run.torn - folder.torn_before, lines };
    let mut write = |file: &mut dyn Write| -> std::io::Result<()> {
        let mut file = std::io::BufWriter::new(file);
        put(&mut file, &head)?;
        run.rounds.iter().try_for_each(|round| put(&mut file, &Line::Round(round.clone())))?;
        run.stages.iter().try_for_each(|stage| put(&mut file, &Line::Stage(stage.clone())))?;
        run.notes.iter().try_for_each(|note| put(&mut file, &Line::Note(note.clone())))?;
        run.trials.iter().try_for_each(|trial| put(&mut file, &Line::Trial(Box::new(trial.clone()))))?;
        file.flush()
    };
    folder.keep(KEPT, &mut write);
}

fn put(file: &mut impl Write, line: &impl Serialize) -> std::io::Result<()> {
    serde_json::to_writer(&mut *file, line)?;
    file.write_all(b"\n")
}

/// What is kept, behind its first line, where it is of these records.
fn opened(folder: &Folder) -> Option<(Head, BufReader<File>)> {
    let mut reader = BufReader::with_capacity(256 << 10, File::open(folder.path.join(KEPT)).ok()?);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let head: Head = serde_json::from_str(&first).ok()?;
    let fits = head.version == env!("CARGO_PKG_VERSION") && head.length <= folder.length;
    (fits && folder.digest(head.length).is_ok_and(|digest| digest == head.digest)).then_some((head, reader))
}

#[cfg(test)]
mod tests {
    use super::super::folder::RECORDS;
    use super::super::read::tests::manifest;
    use super::*;
    use crate::record::Trial;
    use std::sync::atomic::{AtomicU32, Ordering};

    fn trial(number: u32) -> String {
        let padding = "x".repeat(60_000);
        format!(
            r#"{{"kind":"trial","id":"i{number}","target":"a","provider":"p","model":"m","round":{number},"block":1,"prompt":"q","place":1,"attempt":1,"role":"scored","wall":"2026-11-24T10:15:00Z","scheduled":1,"not_sent":{{"why":"no_request","reason":"{padding}"}}}}
{{"kind":"round","round":{number},"state":"finished","wall":"2026-11-24T10:15:00Z","mono":1}}
"#
        )
    }

    fn append(folder: &std::path::Path, text: &str) {
        let mut file = File::options().append(true).create(true).open(folder.join(RECORDS)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    /// The rounds of the trials, and how many trials were read from the records.
    fn read(folder: &std::path::Path) -> (Vec<u32>, u32) {
        let read = AtomicU32::new(0);
        let thin = |trial: &mut Trial| {
            read.fetch_add(1, Ordering::Relaxed);
            trial.not_sent = None;
        };
        let run = Run::open_thin(folder, thin).unwrap();
        assert_eq!(run.rounds.iter().map(|line| line.round).collect::<Vec<_>>(), (1..=run.rounds.len() as u32).collect::<Vec<_>>());
        (run.trials.iter().map(|trial| trial.round).collect(), read.into_inner())
    }

    #[test]
    fn a_large_record_is_read_once_and_then_only_what_was_appended() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path();
        std::fs::write(folder.join("manifest.json"), serde_json::to_string(&manifest()).unwrap()).unwrap();
        append(folder, &(1..=80).map(trial).collect::<String>());
        let all = |n: u32| (1..=n).collect::<Vec<_>>();
        assert_eq!(read(folder), (all(80), 80));
        assert_eq!(read(folder), (all(80), 0));
        append(folder, &trial(81));
        assert_eq!(read(folder), (all(81), 1));
        let opened = Folder::open(folder).unwrap();
        let (known, from) = rounds(&opened);
        assert_eq!((known.len(), from < opened.length), (80, true));
        // A line that is being written is looked at anew, and is nobody's.
        append(folder, &trial(82)[..1000]);
        assert_eq!(read(folder), (all(81), 1));
        // Whatever is kept counts only with the records that it is of.
        let records = std::fs::read_to_string(folder.join(RECORDS)).unwrap().replacen("xxxx", "yyyy", 1);
        std::fs::write(folder.join(RECORDS), records).unwrap();
        assert_eq!(read(folder), (all(81), 81));
        std::fs::write(folder.join(KEPT), "{}").unwrap();
        assert_eq!(read(folder), (all(81), 81));
    }

    #[test]
    fn a_kept_file_that_was_cut_short_is_not_looked_at() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path();
        std::fs::write(folder.join("manifest.json"), serde_json::to_string(&manifest()).unwrap()).unwrap();
        append(folder, &(1..=80).map(trial).collect::<String>());
        read(folder);
        let kept = std::fs::read(folder.join(KEPT)).unwrap();
        for keep in [kept.len() / 2, kept.len() - 200, 300] {
            std::fs::write(folder.join(KEPT), &kept[..keep]).unwrap();
            assert_eq!(read(folder).1, 80, "{keep} bytes of it are left");
        }
    }
}
