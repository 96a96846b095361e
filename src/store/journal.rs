//! The record as it is written: one line a trial, by a thread of its own, so that the disk never takes the measurement's time.

use super::folder::{self, RECORDS, TORN, io};
use super::read::{manifest, run_folder};
use super::{Run, StoreError};
use crate::record::{Line, Manifest, Trial};
use crate::secret;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, TrySendError, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// What is done to a line on the journal's thread before it is written: counting tokens and dropping the text, where the plan says so.
pub type Prepare = Box<dyn FnMut(&mut Line) + Send>;

/// So much of the records' end is looked at first for its last line, bytes.
const TAIL: u64 = 64 << 10;

/// An open record. One process at a time writes a run.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    lines: Option<Sender<Line>>,
    thread: Option<JoinHandle<()>>,
    fault: Arc<Mutex<Option<String>>>,
}

impl Journal {
    /// Makes the folder of a new run; manifest and plan are on the disk when this returns.
    pub fn create(results: &Path, manifest: &Manifest, plan: &str, prepare: Prepare) -> Result<Journal, StoreError> {
        let folder = folder::create(results, manifest, plan)?;
        let file = folder::open_records(&folder)?;
        Journal::start(folder, file, prepare)
    }

    /// Opens a run to go on with it. A torn last line is moved to `records.torn`. The run comes back as it stands on the disk.
    pub fn resume(path: &Path, prepare: Prepare) -> Result<(Journal, Run), StoreError> {
        Journal::resume_thin(path, prepare, |_| {})
    }

    /// As [`Journal::resume`], with each trial of the run reduced by `thin` as soon as it is read.
    pub fn resume_thin(path: &Path, prepare: Prepare, thin: impl Fn(&mut Trial) + Sync) -> Result<(Journal, Run), StoreError> {
        let folder = run_folder(path);
        // A path that is no run must not become one.
        manifest(folder, path)?;
        let mut file = folder::open_records(folder)?;
        set_torn_tail_aside(folder, &mut file)?;
        let run = Run::open_thin(folder, thin)?;
        Ok((Journal::start(run.folder.clone(), file, prepare)?, run))
    }

    fn start(folder: PathBuf, file: File, prepare: Prepare) -> Result<Journal, StoreError> {
        let (sender, lines) = channel();
        let fault = Arc::new(Mutex::new(None));
        let (seen, path) = (fault.clone(), folder.join(RECORDS));
        let write = move || {
            if let Err(error) = write_lines(file, &lines, prepare) {
                *seen.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(format!("{}: {error}", path.display()));
            }
        };
        let thread = std::thread::Builder::new().name("journal".into()).spawn(write).map_err(io(&folder))?;
        Ok(Journal { folder, lines: Some(sender), thread: Some(thread), fault })
    }

    /// The run's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Hands a line over. It is written at once and on the disk within a second; [`Journal::fault`] tells if that fails.
    pub fn append(&self, line: Line) {
        if let Some(lines) = &self.lines {
            let _ = lines.send(line);
        }
    }

    /// Why nothing can be written any more, such as a full disk. A run stops on it.
    pub fn fault(&self) -> Option<String> {
        let told = self.fault.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone();
        let ended = self.thread.as_ref().is_some_and(JoinHandle::is_finished);
        told.or_else(|| ended.then(|| "the journal's thread ended before its time".into()))
    }

    /// Waits until all lines are on the disk.
    pub fn close(mut self) -> Result<PathBuf, String> {
        self.finish();
        match self.fault() {
            Some(fault) => Err(fault),
            None => Ok(self.folder.clone()),
        }
    }

    fn finish(&mut self) {
        drop(self.lines.take());
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            *self.fault.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some("the journal's thread panicked".into());
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.finish();
    }
}

/// Writes each line as it comes. Syncing has a thread of its own: a busy disk may take seconds for a sync, and the lines that come
/// meanwhile would be lost with a killed process although a write takes no time.
fn write_lines(mut file: File, lines: &Receiver<Line>, mut prepare: Prepare) -> std::io::Result<()> {
    let same = file.try_clone()?;
    let (written, news) = sync_channel(1);
    std::thread::scope(|scope| {
        let syncing =
            std::thread::Builder::new().name("journal-sync".into()).spawn_scoped(scope, move || sync_what_is_written(&same, &news))?;
        let mut write = || -> std::io::Result<()> {
            while let Ok(mut line) = lines.recv() {
                prepare(&mut line);
                let mut bytes = serde_json::to_vec(&line)?;
                bytes.push(b'\n');
                // One call a line: a process killed at any moment leaves whole lines, and at most the last one torn.
                file.write_all(&secret::mask().mask_bytes(&bytes))?;
                match written.try_send(()) {
                    // A sync that has not begun yet covers this line too.
                    Ok(()) | Err(TrySendError::Full(())) => {}
                    // Syncing failed: its error is told below.
                    Err(TrySendError::Disconnected(())) => return Ok(()),
                }
            }
            Ok(())
        };
        let outcome = write();
        drop(written);
        let synced = syncing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        outcome.and(synced)
    })
}

/// Syncs as soon as something was written, and again for what came meanwhile.
fn sync_what_is_written(file: &File, news: &Receiver<()>) -> std::io::Result<()> {
    while news.recv().is_ok() {
        file.sync_data()?;
    }
    file.sync_all()
}

/// The end of the records from the beginning of a line on, the last whole line in it where there is one; and where it begins. The records
/// of a month are gigabytes.
fn last_lines(file: &mut File) -> std::io::Result<(u64, Vec<u8>)> {
    let length = file.metadata()?.len();
    let mut size = TAIL;
    loop {
        let from = length.saturating_sub(size);
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(from))?;
        file.read_to_end(&mut bytes)?;
        let begins = if from == 0 { Some(0) } else { memchr::memchr(b'\n', &bytes).map(|at| at + 1) };
        if let Some(begins) = begins.filter(|begins| from == 0 || memchr::memchr(b'\n', &bytes[*begins..]).is_some()) {
            return Ok((from + begins as u64, bytes.split_off(begins)));
        }
        size *= 4;
    }
}

/// Moves what stands behind the last whole line into `records.torn`.
fn set_torn_tail_aside(folder: &Path, file: &mut File) -> Result<(), StoreError> {
    let path = folder.join(RECORDS);
    let (from, bytes) = last_lines(file).map_err(io(&path))?;
    let mut whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    // A last line with its line feed may still be broken: a disk that lost its end in a power cut fills it with zeros.
    let last = bytes[..whole.saturating_sub(1)].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    if last < whole && serde_json::from_slice::<serde::de::IgnoredAny>(&bytes[last..whole]).is_err() {
        whole = last;
    }
    if whole == bytes.len() {
        return Ok(());
    }
    let torn = folder.join(TORN);
    let aside = || -> std::io::Result<()> {
        let mut aside = folder::private(OpenOptions::new().append(true).create(true)).open(&torn)?;
        aside.write_all(&bytes[whole..])?;
        if bytes.last() != Some(&b'\n') {
            aside.write_all(b"\n")?;
        }
        aside.sync_all()
    };
    aside().map_err(io(&torn))?;
    file.set_len(from + whole as u64).and_then(|()| file.sync_all()).map_err(io(&path))
}

#[cfg(test)]
mod tests {
    use super::super::read::tests::{manifest, note};
    use super::*;

    fn keep_all() -> Prepare {
        Box::new(|_| {})
    }

    fn texts(run: &Run) -> Vec<&str> {
        run.notes.iter().map(|note| note.text.as_str()).collect()
    }

    #[test]
    fn what_was_written_comes_back_in_order_and_only_its_owner_may_read_it() {
        let results = tempfile::tempdir().unwrap();
        let journal = Journal::create(&results.path().join("results"), &manifest(), "targets: [a/b]\n", keep_all()).unwrap();
        for text in ["one", "two", "three"] {
            journal.append(note(text));
        }
        let folder = journal.close().unwrap();
        let run = Run::open(&folder).unwrap();
        assert_eq!((texts(&run), run.torn), (vec!["one", "two", "three"], 0));
        assert_eq!(std::fs::read_to_string(folder.join("plan.yaml")).unwrap(), "targets: [a/b]\n");
        #[cfg(unix)]
        for (path, mode) in [(folder.clone(), 0o700), (folder.join("records.jsonl"), 0o600), (folder.join("manifest.json"), 0o600)] {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode, "{}", path.display());
        }
    }

    #[test]
    fn a_torn_last_line_is_set_aside_and_counted_and_the_record_goes_on() {
        let results = tempfile::tempdir().unwrap();
        let journal = Journal::create(results.path(), &manifest(), "", keep_all()).unwrap();
        journal.append(note("whole"));
        let folder = journal.close().unwrap();
        for tail in ["{\"kind\":\"note\",\"wall\":\"2026", "{\"kind\":\"note\"\0\0\0\n"] {
            let records = folder.join("records.jsonl");
            let before = std::fs::read(&records).unwrap();
            std::fs::write(&records, [before.as_slice(), tail.as_bytes()].concat()).unwrap();
            let (journal, run) = Journal::resume(&folder, keep_all()).unwrap();
            assert!(0 < run.torn && texts(&run)[0] == "whole");
            journal.append(note("after"));
            journal.close().unwrap();
        }
        let run = Run::open(&folder).unwrap();
        assert_eq!((texts(&run), run.torn), (vec!["whole", "after", "after"], 2));
        assert!(std::fs::read_to_string(folder.join("records.torn")).unwrap().starts_with("{\"kind\":\"note\",\"wall\":\"2026\n"));
    }

    #[test]
    fn a_torn_line_longer_than_what_is_looked_at_first_is_set_aside_too() {
        let results = tempfile::tempdir().unwrap();
        let folder = Journal::create(results.path(), &manifest(), "", keep_all()).unwrap().close().unwrap();
        for text in ["first", &"long ".repeat(40_000), "third"] {
            let (journal, _) = Journal::resume(&folder, keep_all()).unwrap();
            journal.append(note(text));
            journal.close().unwrap();
            let torn = format!("{{\"kind\":\"note\",\"text\":\"{}", "torn ".repeat(30_000));
            OpenOptions::new().append(true).open(folder.join(RECORDS)).unwrap().write_all(torn.as_bytes()).unwrap();
        }
        let (journal, run) = Journal::resume(&folder, keep_all()).unwrap();
        assert_eq!((texts(&run).len(), texts(&run)[2], run.torn), (3, "third", 3));
        drop(journal);
    }

    #[test]
    fn a_second_writer_is_told_so() {
        let results = tempfile::tempdir().unwrap();
        let first = Journal::create(results.path(), &manifest(), "", keep_all()).unwrap();
        let refused = Journal::resume(first.folder(), keep_all()).unwrap_err().to_string();
        assert!(refused.contains("another photofinish is writing this run"), "{refused}");
        let folder = first.close().unwrap();
        assert!(Journal::resume(&folder, keep_all()).is_ok());
    }

    #[test]
    fn a_journal_that_breaks_down_says_so() {
        let results = tempfile::tempdir().unwrap();
        let journal = Journal::create(results.path(), &manifest(), "", Box::new(|_| panic!("planted"))).unwrap();
        assert_eq!(journal.fault(), None);
        journal.append(note("never written"));
        assert!(journal.close().unwrap_err().contains("panicked"));
    }

    #[test]
    fn lines_are_prepared_on_the_way() {
        let results = tempfile::tempdir().unwrap();
        let prepare: Prepare = Box::new(|line| {
            if let Line::Note(note) = line {
                note.text.make_ascii_uppercase();
            }
        });
        let journal = Journal::create(results.path(), &manifest(), "", prepare).unwrap();
        journal.append(note("quiet"));
        assert_eq!(texts(&Run::open(&journal.close().unwrap()).unwrap()), ["QUIET"]);
    }
}
