//! Reading a run without ever holding it: trials are handed out one by one, read by all processors, the file never whole in memory.

use super::StoreError;
use super::folder::{self, RECORDS, io};
use super::read::{line, manifest, run_folder, torn_before};
use crate::record::{Line, Manifest, Note, RoundLine, StageLine, Trial};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::SystemTime;

/// The disposable index beside the records. Deleting it loses nothing.
const INDEX: &str = "index.bin";
/// A processor reads so many bytes at a time.
const PIECE: u64 = 4 << 20;
/// A prefix up to this length is digested whole; of a longer one so many blocks, evenly spread, the first and the last included.
const DIGESTED_WHOLE: u64 = 16 << 20;
const BLOCKS: u64 = 256;
const BLOCK: u64 = 64 << 10;

/// A run's folder, opened; the records are as long as they were at that moment.
#[derive(Debug)]
pub struct Folder {
    /// The folder.
    pub path: PathBuf,
    /// What was planned.
    pub manifest: Manifest,
    /// SHA-256 of the manifest's bytes.
    pub manifest_digest: [u8; 32],
    /// Lines that earlier openings had to set aside.
    pub torn_before: u32,
    /// Length of the records, bytes; 0 where there are none yet.
    pub length: u64,
    /// When the records were last changed, where the system tells.
    pub changed: Option<SystemTime>,
    piece: u64,
}

/// What consecutive lines of the records held, in their order.
#[derive(Debug)]
pub struct Part<T> {
    /// What the consumer made of the trials.
    pub trials: T,
    /// States of rounds.
    pub rounds: Vec<RoundLine>,
    /// States of the stages of a load run.
    pub stages: Vec<StageLine>,
    /// Notes.
    pub notes: Vec<Note>,
    /// Lines that could not be read.
    pub torn: u32,
}

impl Folder {
    /// Opens a run by its folder, or by the path of a file in it.
    pub fn open(path: &Path) -> Result<Folder, StoreError> {
        let folder = run_folder(path);
        let (manifest, bytes) = manifest(folder, path)?;
        let records = folder.join(RECORDS);
        let (length, changed) = match records.metadata() {
            Ok(known) => (known.len(), known.modified().ok()),
            // Stopped between manifest and first line.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => (0, None),
            Err(error) => return Err(io(&records)(error)),
        };
        let manifest_digest = Sha256::digest(bytes).into();
        let torn_before = torn_before(folder);
        Ok(Folder { path: folder.to_owned(), manifest, manifest_digest, torn_before, length, changed, piece: PIECE })
    }

    /// Where the last whole line of the records ends: what stands behind may be a line that is just being written.
    pub fn whole_lines(&self) -> Result<u64, StoreError> {
        let mut to = self.length;
        while 0 < to {
            let from = to.saturating_sub(BLOCK);
            let bytes = self.bytes(from..to)?;
            if let Some(at) = memchr::memrchr(b'\n', &bytes) {
                return Ok(from + at as u64 + 1);
            }
            to = from;
        }
        Ok(0)
    }

    /// Reads the lines that begin in a range of the records, which has to begin where a line does. Every processor takes pieces of it and
    /// gives each trial to `take`, with a value of the piece's own that `T::default` makes; `gather` gets the pieces in the order of the
    /// file. The memory needed is that of a few pieces and what `T` keeps.
    pub fn scan<T: Default + Send>(
        &self,
        range: Range<u64>,
        take: impl Fn(&mut T, Trial) + Sync,
        mut gather: impl FnMut(Part<T>),
    ) -> Result<(), StoreError> {
        let pieces = range.end.saturating_sub(range.start).div_ceil(self.piece);
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(pieces as usize);
        let (next, take, range) = (AtomicU64::new(0), &take, &range);
        let work = |done: Sender<(u64, Result<Part<T>, StoreError>)>| {
            loop {
                let piece = next.fetch_add(1, Ordering::Relaxed);
                if pieces <= piece || done.send((piece, self.piece(range, piece, take))).is_err() {
                    return;
                }
            }
        };
        std::thread::scope(|scope| {
            let (sender, pieces_done) = channel();
            for _ in 0..threads {
                let sender = sender.clone();
                scope.spawn(|| work(sender));
            }
            drop(sender);
            let (mut waiting, mut expected) = (BTreeMap::new(), 0);
            for (piece, part) in pieces_done {
                waiting.insert(piece, part?);
                while let Some(part) = waiting.remove(&expected) {
                    gather(part);
                    expected += 1;
                }
            }
            Ok(())
        })
    }

    /// The lines that begin in one piece of a range.
    fn piece<T: Default>(&self, range: &Range<u64>, piece: u64, take: impl Fn(&mut T, Trial)) -> Result<Part<T>, StoreError> {
        let records = self.path.join(RECORDS);
        let mut part = Part { trials: T::default(), rounds: Vec::new(), stages: Vec::new(), notes: Vec::new(), torn: 0 };
        let from = range.start + piece * self.piece;
        let to = (from + self.piece).min(range.end);
        // A line that begins before the piece is another's, to its end: read on from the byte before, which may be its line feed.
        let begin = if piece == 0 { from } else { from - 1 };
        let mut file = File::open(&records).map_err(io(&records))?;
        file.seek(SeekFrom::Start(begin)).map_err(io(&records))?;
        let mut reader = BufReader::with_capacity(256 << 10, file.take(self.length - begin));
        let mut at = begin;
        if piece != 0 {
            at += skip_line(&mut reader, to - begin).map_err(io(&records))?;
        }
        let mut bytes = Vec::new();
        while at < to {
            bytes.clear();
            let read = reader.read_until(b'\n', &mut bytes).map_err(io(&records))?;
            if read == 0 {
                break;
            }
            at += read as u64;
            let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
            match line(text) {
                _ if text.is_empty() => {}
                Some(Line::Trial(trial)) => take(&mut part.trials, *trial),
                Some(Line::Round(round)) => part.rounds.push(round),
                Some(Line::Stage(stage)) => part.stages.push(stage),
                Some(Line::Note(note)) => part.notes.push(note),
                None => part.torn += 1,
            }
        }
        Ok(part)
    }

    /// A digest by which the first `length` bytes of the records are known again: of all of them up to 16 MiB, of 256 blocks of 64 KiB
    /// beyond. Records are appended to and never changed; what could fool this is told in docs/record.md, "The index".
    pub fn digest(&self, length: u64) -> Result<[u8; 32], StoreError> {
        let mut digest = Sha256::new();
        digest.update(length.to_le_bytes());
        if length <= DIGESTED_WHOLE {
            digest.update(self.bytes(0..length)?);
        } else {
            for block in 0..BLOCKS {
                let from = (length - BLOCK) / (BLOCKS - 1) * block;
                let from = if block + 1 == BLOCKS { length - BLOCK } else { from };
                digest.update(self.bytes(from..from + BLOCK)?);
            }
        }
        Ok(digest.finalize().into())
    }

    /// Whether [`Folder::digest`] of so long a prefix knows every byte of it.
    pub const fn digest_is_whole(length: u64) -> bool {
        length <= DIGESTED_WHOLE
    }

    /// The index and its length, where there is one.
    pub fn index(&self) -> Option<(File, u64)> {
        let file = File::open(self.path.join(INDEX)).ok()?;
        let length = file.metadata().ok()?.len();
        Some((file, length))
    }

    /// Puts an index beside the records, whole or not at all. `false` where the folder cannot be written to: reading goes on without.
    pub fn keep_index(&self, write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> bool {
        self.keep(INDEX, write)
    }

    /// Puts a disposable file of this name beside the records, whole or not at all.
    pub(super) fn keep(&self, name: &str, write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> bool {
        static KEPT: AtomicU32 = AtomicU32::new(0);
        // Two readers at once write two files, and the later name stands.
        let new = format!(".{name}.{}-{}.new", std::process::id(), KEPT.fetch_add(1, Ordering::Relaxed));
        let (path, temporary) = (self.path.join(name), self.path.join(new));
        let keep = || -> std::io::Result<()> {
            let mut file = folder::private(File::options().write(true).create_new(true)).open(&temporary)?;
            write(&mut file)?;
            std::fs::rename(&temporary, &path)
        };
        let kept = keep();
        if kept.is_err() {
            let _ = std::fs::remove_file(&temporary);
        }
        kept.is_ok()
    }

    fn bytes(&self, range: Range<u64>) -> Result<Vec<u8>, StoreError> {
        let records = self.path.join(RECORDS);
        let mut bytes = Vec::new();
        let mut read = || -> std::io::Result<()> {
            if range.start < range.end {
                let mut file = File::open(&records)?;
                file.seek(SeekFrom::Start(range.start))?;
                file.take(range.end - range.start).read_to_end(&mut bytes)?;
            }
            Ok(())
        };
        read().map_err(io(&records))?;
        Ok(bytes)
    }
}

/// Passes over the rest of a line, within `most` bytes. How many bytes that were.
fn skip_line(reader: &mut impl BufRead, most: u64) -> std::io::Result<u64> {
    let mut skipped = 0;
    while skipped < most {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            break;
        }
        let (used, found) = memchr::memchr(b'\n', bytes).map_or((bytes.len(), false), |at| (at + 1, true));
        reader.consume(used);
        skipped += used as u64;
        if found {
            break;
        }
    }
    Ok(skipped)
}

#[cfg(test)]
mod tests {
    use super::super::Run;
    use super::super::read::tests::{manifest, note};
    use super::*;

    fn trial(number: u32) -> String {
        format!(
            r#"{{"kind":"trial","id":"i{number}","target":"a","provider":"p","model":"m","round":{number},"block":1,"prompt":"q","place":1,
            "attempt":1,"role":"scored","wall":"2026-11-24T10:15:00Z","scheduled":1,"not_sent":{{"why":"client_behind"}}}}"#
        )
        .replace('\n', "")
    }

    fn folder_with(records: &str, piece: u64) -> (tempfile::TempDir, Folder) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("manifest.json"), serde_json::to_string(&manifest()).unwrap()).unwrap();
        std::fs::write(folder.path().join(RECORDS), records).unwrap();
        let opened = Folder { piece, ..Folder::open(folder.path()).unwrap() };
        (folder, opened)
    }

    /// Rounds of the trials, texts of the notes, and lines that could not be read.
    fn scanned(folder: &Folder, range: Range<u64>) -> (Vec<u32>, Vec<String>, u32) {
        let (mut rounds, mut texts, mut torn) = (Vec::new(), Vec::new(), 0);
        let gather = |part: Part<Vec<u32>>| {
            rounds.extend(part.trials);
            texts.extend(part.notes.into_iter().map(|note| note.text));
            torn += part.torn;
        };
        folder.scan(range, |rounds: &mut Vec<u32>, trial| rounds.push(trial.round), gather).unwrap();
        (rounds, texts, torn)
    }

    #[test]
    fn however_the_file_is_cut_every_line_is_read_once_and_in_order() {
        let mut records = String::new();
        for number in 1..=40 {
            records += &trial(number);
            records.push('\n');
            if number % 7 == 0 {
                records += &serde_json::to_string(&note(&format!("note {number}"))).unwrap();
                records += "\n\n{\"kind\":\"weather\"}\n";
            }
        }
        records += "{\"kind\":\"tri";
        for piece in [1, 2, 3, 7, 100, 257, 1000, 4096, 1 << 20] {
            let (_kept, folder) = folder_with(&records, piece);
            let (rounds, texts, torn) = scanned(&folder, 0..folder.length);
            assert_eq!(rounds, (1..=40).collect::<Vec<_>>(), "pieces of {piece}");
            assert_eq!(texts, ["note 7", "note 14", "note 21", "note 28", "note 35"]);
            assert_eq!(torn, 6);
            let whole = Run::open(&folder.path).unwrap();
            assert_eq!((whole.trials.len(), whole.notes.len(), whole.torn), (40, 5, 6));
        }
    }

    #[test]
    fn from_an_offset_on_only_what_was_appended_is_read() {
        let (first, second) = (format!("{}\n{}\n", trial(1), trial(2)), format!("{}\n{}", trial(3), trial(4)));
        let (_kept, folder) = folder_with(&(first.clone() + &second), 50);
        let whole = folder.whole_lines().unwrap();
        assert_eq!(scanned(&folder, first.len() as u64..whole).0, [3]);
        assert_eq!(scanned(&folder, whole..folder.length).0, [4]);
        assert_eq!(scanned(&folder, folder.length..folder.length).0, [0u32; 0]);
    }

    #[test]
    fn a_run_without_a_line_yet_is_empty() {
        let (_kept, folder) = folder_with("", PIECE);
        assert_eq!((folder.whole_lines().unwrap(), folder.length), (0, 0));
        std::fs::remove_file(folder.path.join(RECORDS)).unwrap();
        let folder = Folder::open(&folder.path).unwrap();
        assert_eq!((scanned(&folder, 0..0).0, folder.digest(0).is_ok()), (vec![], true));
    }

    #[test]
    fn an_index_is_kept_whole_for_its_owner_alone_and_a_folder_that_cannot_be_written_is_no_fault() {
        let (kept, folder) = folder_with("", PIECE);
        assert!(folder.index().is_none());
        assert!(folder.keep_index(|file| file.write_all(b"kept")));
        assert!(!folder.keep_index(|_| Err(std::io::Error::other("the disk is full"))));
        let mut text = String::new();
        folder.index().unwrap().0.read_to_string(&mut text).unwrap();
        assert_eq!(text, "kept");
        assert!(std::fs::read_dir(kept.path()).unwrap().all(|entry| !entry.unwrap().file_name().to_string_lossy().ends_with(".new")));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(kept.path().join(INDEX)).unwrap().permissions().mode() & 0o777, 0o600);
        }
        drop(kept);
        assert!(!folder.keep_index(|file| file.write_all(b"nowhere")));
    }
}
