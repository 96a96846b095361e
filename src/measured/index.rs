//! The index: a sheet's rows as they are put beside a run, and what has to be the same for them to be read again.

use super::codes::BASES;
use super::pack::{Packer, Unpacker, damaged};
use super::rows::Rows;
use super::scalars::{Column, width};
use crate::metric::registry;
use crate::record::{Note, RoundLine};
use crate::store::{Folder, StoreError};
use crate::tokens::Reference;
use sha2::{Digest, Sha256};
use std::io::{Read, Result, Write};
use std::time::{SystemTime, UNIX_EPOCH};

/// Raised whenever a metric, a flag, an outcome, a grade or a token count of the same record changes its value, or the index its layout. What
/// was kept before is then computed anew.
const VERSION: u32 = 4;
const MAGIC: &[u8; 8] = b"pf-index";

/// What was read of a run's records so far.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub rows: Rows,
    pub rounds: Vec<RoundLine>,
    pub notes: Vec<Note>,
    pub torn: u32,
}

/// On what a kept index rests.
#[derive(Debug, PartialEq)]
pub(super) struct Footing {
    /// Definitions, manifest and tokenizer.
    key: [u8; 32],
    /// Bytes of the records that it covers: whole lines.
    pub covered: u64,
    /// Digest of those.
    digest: [u8; 32],
    /// Length of the records when it was made.
    length: u64,
    /// When they had been changed: s and ns since 1970.
    changed: (u64, u32),
}

impl Footing {
    /// What an index of a run's whole lines rests on.
    pub fn of(folder: &Folder, tokenizer: &Reference, covered: u64) -> std::result::Result<Footing, StoreError> {
        let (digest, length, changed) = (folder.digest(covered)?, folder.length, since_1970(folder.changed));
        Ok(Footing { key: key(folder, tokenizer), covered, digest, length, changed })
    }

    /// Whether the records still begin with what this rests on. Where they are as long as before and were too long to be digested
    /// whole, they must not have been touched either.
    fn holds(&self, folder: &Folder, tokenizer: &Reference, whole: u64) -> bool {
        let untouched = || self.length != folder.length || self.changed == since_1970(folder.changed);
        self.key == key(folder, tokenizer)
            && self.covered <= whole
            && (Folder::digest_is_whole(self.covered) || untouched())
            && folder.digest(self.covered).is_ok_and(|digest| digest == self.digest)
    }
}

/// Changes with every definition, with the manifest (rules, targets, prompts) and with the tokenizer.
fn key(folder: &Folder, tokenizer: &Reference) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(VERSION.to_le_bytes());
    digest.update(env!("CARGO_PKG_VERSION"));
    digest.update(definitions());
    digest.update(folder.manifest_digest);
    digest.update(tokenizer.identity());
    digest.finalize().into()
}

/// A digest of the registry's definitions.
fn definitions() -> [u8; 32] {
    let mut digest = Sha256::new();
    for metric in registry() {
        for text in [metric.name, metric.formula, metric.undefined_when, metric.unit.symbol()] {
            digest.update(text);
            digest.update([0]);
        }
    }
    digest.finalize().into()
}

fn since_1970(time: Option<SystemTime>) -> (u64, u32) {
    let since = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    (since.as_secs(), since.subsec_nanos())
}

/// Puts what was gathered beside the run. Where that cannot be done the next reading just takes as long again.
pub(super) fn keep(folder: &Folder, basis: &Footing, gathered: &Gathered) -> bool {
    folder.keep_index(|file| write(file, basis, gathered))
}

/// What was kept, and how many bytes of the records it covers; nothing where it rests on something else, or is damaged.
pub(super) fn kept(folder: &Folder, tokenizer: &Reference, whole: u64) -> Option<(Gathered, u64)> {
    let (file, length) = folder.index()?;
    let mut file = Unpacker::new(file, length).ok()?;
    let basis = read_basis(&mut file).ok()?;
    if !basis.holds(folder, tokenizer, whole) {
        return None;
    }
    let gathered = read(&mut file).ok()?;
    file.finish().ok()?;
    gathered.rows.is_sound().then_some((gathered, basis.covered))
}

fn write(file: &mut dyn Write, basis: &Footing, gathered: &Gathered) -> Result<()> {
    let mut file = Packer::new(file);
    file.raw(MAGIC)?;
    file.raw(&basis.key)?;
    file.raw(&basis.digest)?;
    file.numbers(&[basis.covered, basis.length, basis.changed.0, u64::from(basis.changed.1)])?;
    file.text(&serde_json::to_vec(&(&gathered.rounds, &gathered.notes))?)?;
    file.number(gathered.torn)?;
    write_rows(&mut file, &gathered.rows)?;
    file.finish()
}

fn read_basis(file: &mut Unpacker<impl Read>) -> Result<Footing> {
    if file.raw()? != *MAGIC {
        return Err(damaged());
    }
    let (key, digest) = (file.raw()?, file.raw()?);
    let [covered, length, seconds, nanoseconds] = <[u64; 4]>::try_from(file.numbers()?).map_err(|_| damaged())?;
    Ok(Footing { key, covered, digest, length, changed: (seconds, nanoseconds as u32) })
}

fn read(file: &mut Unpacker<impl Read>) -> Result<Gathered> {
    let (rounds, notes) = serde_json::from_slice(&file.text()?)?;
    let torn = file.number()?;
    Ok(Gathered { rounds, notes, torn, rows: read_rows(file)? })
}

fn write_rows(file: &mut Packer<impl Write>, rows: &Rows) -> Result<()> {
    for field in [&rows.target, &rows.prompt, &rows.round, &rows.block, &rows.place, &rows.attempt, &rows.served, &rows.held] {
        file.numbers(field)?;
    }
    file.numbers(&rows.wall.iter().map(|wall| wall.as_second()).collect::<Vec<i64>>())?;
    file.numbers(&rows.wall.iter().map(|wall| wall.subsec_nanosecond() as u32).collect::<Vec<u32>>())?;
    for field in [&rows.facts, &rows.unsent, &rows.outcome, &rows.grade] {
        file.numbers(field)?;
    }
    for basis in 0..BASES.len() {
        file.numbers(&rows.flags[basis])?;
        file.numbers(&rows.uncounted[basis])?;
        file.numbers(&rows.reasoning[basis])?;
        file.numbers(&rows.content[basis])?;
    }
    for column in &rows.scalars {
        file.numbers(&column.value)?;
        file.numbers(&column.why)?;
        file.numbers(&column.bounded)?;
        file.numbers(&column.low)?;
        file.numbers(&column.high)?;
    }
    file.numbers(&rows.words.iter().flat_map(|(at, word)| [*at, *word]).collect::<Vec<u32>>())?;
    file.text(&serde_json::to_vec(&rows.vocabulary)?)
}

fn read_rows(file: &mut Unpacker<impl Read>) -> Result<Rows> {
    let mut rows = Rows::default();
    for field in [
        &mut rows.target,
        &mut rows.prompt,
        &mut rows.round,
        &mut rows.block,
        &mut rows.place,
        &mut rows.attempt,
        &mut rows.served,
        &mut rows.held,
    ] {
        *field = file.numbers()?;
    }
    let (seconds, nanoseconds): (Vec<i64>, Vec<u32>) = (file.numbers()?, file.numbers()?);
    let wall = |(second, nanosecond): (i64, u32)| jiff::Timestamp::new(second, nanosecond as i32).map_err(|_| damaged());
    rows.wall = seconds.into_iter().zip(nanoseconds).map(wall).collect::<Result<_>>()?;
    for field in [&mut rows.facts, &mut rows.unsent, &mut rows.outcome, &mut rows.grade] {
        *field = file.numbers()?;
    }
    for basis in 0..BASES.len() {
        rows.flags[basis] = file.numbers()?;
        rows.uncounted[basis] = file.numbers()?;
        rows.reasoning[basis] = file.numbers()?;
        rows.content[basis] = file.numbers()?;
    }
    // The number of columns is part of the key, as the registry's definitions are; a run without a trial has none yet.
    for _ in 0..if rows.target.is_empty() { 0 } else { width() } {
        let (value, why) = (file.numbers()?, file.numbers()?);
        rows.scalars.push(Column { value, why, bounded: file.numbers()?, low: file.numbers()?, high: file.numbers()? });
    }
    rows.words = file.numbers::<u32>()?.chunks_exact(2).map(|two| (two[0], two[1])).collect();
    rows.vocabulary = serde_json::from_slice(&file.text()?)?;
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_a_definition_raises_the_version() {
        let hex: String = definitions().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            (hex.as_str(), VERSION),
            ("e3ed06145f52ccf6", 4),
            "a metric's definition changed: raise VERSION above and write the new digest here"
        );
    }
}
