//! A run folder read into a sheet: from its index as far as that goes, the rest from its records.

use super::Sheet;
use super::index::{self, Footing, Gathered};
use super::rows::{Reading, Rows};
use crate::store::{Folder, Part, StoreError};
use crate::tokens::Reference;
use std::ops::Range;
use std::path::Path;

/// Records shorter than this are read as quickly as an index of them.
const WORTH_KEEPING: u64 = 4 << 20;

/// Whether a reading uses the index beside a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Index {
    /// It reads the index as far as that goes, and keeps it up to date.
    Kept,
    /// It reads every byte of the records, and neither reads nor writes an index.
    Ignored,
}

impl Sheet {
    /// Reads a run from its folder, or from the path of a file in it, without ever holding its records.
    pub fn open(path: &Path, tokenizer: &Reference, index: Index) -> Result<Sheet, StoreError> {
        let folder = Folder::open(path)?;
        Sheet::read(&folder, tokenizer, (index == Index::Kept).then_some(WORTH_KEEPING))
    }

    /// As [`Sheet::open`]; an index is used for records of at least so many bytes.
    fn read(folder: &Folder, tokenizer: &Reference, index_from: Option<u64>) -> Result<Sheet, StoreError> {
        let whole = folder.whole_lines()?;
        let with_index = index_from.is_some_and(|least| least <= whole);
        let kept = if with_index { index::kept(folder, tokenizer, whole) } else { None };
        let (mut gathered, covered) = kept.unwrap_or_default();
        let reading = Reading::new(&folder.manifest, tokenizer);
        if covered < whole {
            gathered.read(folder, &reading, covered..whole)?;
            if with_index {
                index::keep(folder, &Footing::of(folder, tokenizer, whole)?, &gathered);
            }
        }
        // A last line without its line feed counts like any other, but the next reading may find it longer.
        gathered.read(folder, &reading, whole..folder.length)?;
        Ok(Sheet {
            manifest: folder.manifest.clone(),
            rounds: gathered.rounds,
            notes: gathered.notes,
            torn: folder.torn_before + gathered.torn,
            tokenizer: tokenizer.name().to_owned(),
            rows: gathered.rows,
        })
    }
}

impl Gathered {
    fn read(&mut self, folder: &Folder, reading: &Reading<'_>, range: Range<u64>) -> Result<(), StoreError> {
        let gather = |part: Part<Rows>| {
            self.rows.append(part.trials);
            self.rounds.extend(part.rounds);
            self.notes.extend(part.notes);
            self.torn += part.torn;
        };
        folder.scan(range, |rows: &mut Rows, trial| reading.take(rows, &trial), gather)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Run;
    use std::fs;

    /// The first lines of the committed run, in a folder of their own.
    struct Copy(tempfile::TempDir, Vec<String>);

    impl Copy {
        fn new() -> Copy {
            let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("results/example");
            let folder = tempfile::tempdir().unwrap();
            fs::copy(example.join("manifest.json"), folder.path().join("manifest.json")).unwrap();
            let text = fs::read_to_string(example.join("records.jsonl")).unwrap();
            let lines = text.lines().take(30).map(|line| format!("{line}\n")).collect();
            let copy = Copy(folder, lines);
            copy.write(&copy.1[..20].concat());
            copy
        }
        fn write(&self, text: &str) {
            fs::write(self.0.path().join("records.jsonl"), text).unwrap();
        }
        fn index(&self) -> std::path::PathBuf {
            self.0.path().join("index.bin")
        }
        /// What a reading with an index of any length gives, held against the run read whole.
        fn read(&self) -> Sheet {
            let sheet = Sheet::read(&Folder::open(self.0.path()).unwrap(), &Reference::o200k(), Some(0)).unwrap();
            let whole = Sheet::of(&Run::open(self.0.path()).unwrap(), &Reference::o200k());
            assert!(sheet.rows == whole.rows && sheet.rounds == whole.rounds && sheet.notes == whole.notes);
            assert_eq!((sheet.torn, sheet.manifest == whole.manifest), (whole.torn, true));
            sheet
        }
        /// How many bytes the index covers that the next reading would take.
        fn covered(&self, tokenizer: &Reference) -> Option<u64> {
            let folder = Folder::open(self.0.path()).unwrap();
            index::kept(&folder, tokenizer, folder.whole_lines().unwrap()).map(|(_, covered)| covered)
        }
    }

    #[test]
    fn a_run_read_from_its_index_is_the_run_read_whole() {
        let copy = Copy::new();
        assert_eq!(copy.covered(&Reference::o200k()), None);
        let cold = copy.read();
        assert!(!cold.is_empty());
        assert_eq!(copy.covered(&Reference::o200k()), Some(copy.1[..20].concat().len() as u64));
        assert!(copy.read().rows == cold.rows);
        fs::remove_file(copy.index()).unwrap();
        assert!(copy.read().rows == cold.rows);
    }

    #[test]
    fn what_was_appended_is_added_and_a_line_that_is_being_written_waits_for_its_end() {
        let copy = Copy::new();
        let before = copy.read().len();
        let (twenty, all) = (copy.1[..20].concat(), copy.1.concat());
        copy.write(&format!("{all}{{\"kind\":\"tri"));
        assert_eq!(copy.covered(&Reference::o200k()), Some(twenty.len() as u64));
        let torn = copy.read();
        assert_eq!((torn.len(), torn.torn), (before + 10, 1));
        assert_eq!(copy.covered(&Reference::o200k()), Some(all.len() as u64));
        copy.write(&all);
        assert_eq!(copy.read().torn, 0);
    }

    #[test]
    fn an_index_that_rests_on_something_else_is_passed_over() {
        let copy = Copy::new();
        let tokenizer = Reference::o200k();
        copy.read();
        // A line was changed, and the length was not.
        copy.write(&copy.1[..20].concat().replacen("\"finish\"", "\"finisk\"", 1));
        assert_eq!(copy.covered(&tokenizer), None);
        copy.read();
        assert!(copy.covered(&tokenizer).is_some());
        // The end was cut off and something else put in its place.
        copy.write(&(copy.1[..15].concat() + &copy.1[20..].concat()));
        assert_eq!(copy.covered(&tokenizer), None);
        copy.read();
        copy.write(&copy.1[..15].concat());
        assert_eq!(copy.covered(&tokenizer), None);
        copy.read();
        // Another rule of judging, and another tokenizer.
        let manifest = copy.0.path().join("manifest.json");
        fs::write(&manifest, fs::read_to_string(&manifest).unwrap().replace("\"capped_is_ok\": true", "\"capped_is_ok\": false")).unwrap();
        assert_eq!(copy.covered(&tokenizer), None);
        copy.read();
        let words = r#"{"version":"1.0","truncation":null,"padding":null,"added_tokens":[],"normalizer":null,
            "pre_tokenizer":{"type":"Whitespace"},"post_processor":null,"decoder":null,
            "model":{"type":"WordLevel","vocab":{"[UNK]":0},"unk_token":"[UNK]"}}"#;
        fs::write(copy.0.path().join("tokenizer.json"), words).unwrap();
        let other = Reference::file(&copy.0.path().join("tokenizer.json")).unwrap();
        assert_eq!((copy.covered(&other), copy.covered(&tokenizer).is_some()), (None, true));
    }

    #[test]
    fn a_damaged_index_is_passed_over_in_silence_and_written_anew() {
        let copy = Copy::new();
        copy.read();
        let sound = fs::read(copy.index()).unwrap();
        let step = sound.len() / 60;
        for at in (0..sound.len()).step_by(step) {
            let mut damaged = sound.clone();
            damaged[at] ^= 0x40;
            fs::write(copy.index(), &damaged).unwrap();
            assert_eq!(copy.covered(&Reference::o200k()), None, "byte {at}");
            fs::write(copy.index(), &sound[..at]).unwrap();
            assert_eq!(copy.covered(&Reference::o200k()), None, "cut at {at}");
        }
        fs::write(copy.index(), [sound.as_slice(), b"more"].concat()).unwrap();
        assert_eq!(copy.covered(&Reference::o200k()), None);
        copy.read();
        assert!(fs::read(copy.index()).unwrap() == sound);
    }

    #[test]
    fn readers_at_once_do_not_get_into_each_others_way() {
        let copy = Copy::new();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| copy.read());
            }
        });
        assert!(copy.covered(&Reference::o200k()).is_some());
        let left =
            fs::read_dir(copy.0.path()).unwrap().filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().ends_with("new"));
        assert_eq!(left.count(), 0);
    }

    #[test]
    fn a_short_run_gets_no_index_and_one_that_is_told_to_ignore_it_neither_reads_nor_writes_one() {
        let copy = Copy::new();
        for index in [Index::Kept, Index::Ignored] {
            assert!(!Sheet::open(copy.0.path(), &Reference::o200k(), index).unwrap().is_empty());
            assert!(!copy.index().exists());
        }
    }
}
