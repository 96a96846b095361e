//! What the reading commands share: which runs, which format, how wide, and where to.

use crate::analysis::Joined;
use crate::measured::{Index, LoadSheet, Sheet};
use crate::report::{Format, Lang, Worded};
use crate::store::Run;
use crate::tokens::{Basis, Reference};
use anyhow::{Context, bail};
use std::io::Write;
use std::path::{Path, PathBuf};

/// What every command over whole runs takes.
#[derive(Debug, clap::Args)]
pub struct Asked {
    /// Run folders, or `latest`; several runs of one plan are read together
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// How tokens are counted.
    #[command(flatten)]
    pub counting: Counting,
    /// How it is written.
    #[command(flatten)]
    pub writing: Writing,
    /// Where `latest` is looked for
    #[arg(long, value_name = "DIR", default_value = "results")]
    results: PathBuf,
}

impl Asked {
    /// The runs, reduced to what analysis asks of them. Refuses flags of writing that do not go together before anything is read.
    pub fn open(&self) -> anyhow::Result<Vec<Sheet>> {
        self.writing.check()?;
        open(&self.runs, &self.results, &self.counting)
    }

    /// The load runs, reduced likewise; a run of rounds is refused with the command that reads it.
    pub fn load_runs(&self) -> anyhow::Result<Vec<LoadSheet>> {
        self.writing.check()?;
        let tokenizer = self.counting.reference()?;
        self.runs.iter().map(|run| Ok(LoadSheet::open(&folder(run, &self.results)?, &tokenizer)?)).collect()
    }
}

/// How a reading command writes.
#[derive(Debug, clap::Args)]
pub struct Writing {
    /// How it is written: terminal, markdown, csv or json
    #[arg(long, default_value = "terminal", value_name = "FORMAT")]
    pub format: Format,
    /// The language of titles, captions and remarks: en or zh. Names in files stay English
    #[arg(long, default_value = "en", value_name = "LANG")]
    pub lang: Lang,
    /// Begin the CSV with a byte-order mark, so that Excel reads it as UTF-8
    #[arg(long)]
    pub excel: bool,
    /// Columns of the terminal, instead of its own
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(20..))]
    pub width: Option<u16>,
    /// Write to this file instead of stdout
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// How tokens are counted.
#[derive(Debug, clap::Args)]
pub struct Counting {
    /// Count tokens as reported, by the reference tokenizer, or in chars; else by the rule that the table names
    #[arg(long, value_parser = basis)]
    pub basis: Option<Basis>,
    /// A tokenizer.json as the reference, instead of the embedded o200k
    #[arg(long, value_name = "PATH")]
    pub tokenizer: Option<PathBuf>,
    /// Read every byte of the records anew, instead of the index that is kept beside a long run
    #[arg(long)]
    pub no_index: bool,
}

fn basis(word: &str) -> Result<Basis, String> {
    match word {
        "reported" => Ok(Basis::Reported),
        "reference" => Ok(Basis::Reference),
        "chars" => Ok(Basis::Chars),
        _ => Err("known are reported, reference and chars".into()),
    }
}

impl Counting {
    /// The reference tokenizer.
    pub fn reference(&self) -> anyhow::Result<Reference> {
        match &self.tokenizer {
            Some(path) => Ok(Reference::file(path)?),
            None => Ok(Reference::o200k()),
        }
    }
}

impl Writing {
    /// Columns to write for: the flag, else COLUMNS, else the terminal's; 80 for a file or a pipe.
    pub fn columns(&self) -> usize {
        if let Some(width) = self.width {
            return usize::from(width);
        }
        let named = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).filter(|columns| 20 <= *columns);
        let of_terminal = || terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| usize::from(width.0).max(20));
        let shown = self.output.is_none();
        named.filter(|_| shown).or_else(|| of_terminal().filter(|_| shown)).unwrap_or(80)
    }

    /// Refuses flags that do not go together. Commands that do much before they write ask this first.
    pub fn check(&self) -> anyhow::Result<()> {
        if self.excel && self.format != Format::Csv {
            bail!("--excel is for --format csv alone");
        }
        Ok(())
    }

    /// Writes to where it was asked. Secrets cannot be in a record; the mask stands here all the same, as on every way out.
    pub fn write(&self, text: &str) -> anyhow::Result<()> {
        self.check()?;
        let mark = if self.excel { "\u{feff}" } else { "" };
        let text = format!("{mark}{}", crate::secret::mask().mask(text));
        match &self.output {
            None => {
                // A reader that has seen enough (`head`) is no fault.
                let _ = anstream::stdout().write_all(text.as_bytes());
                Ok(())
            }
            Some(path) => {
                let plain = anstream::adapter::strip_str(&text).to_string();
                std::fs::write(path, plain).with_context(|| path.display().to_string())
            }
        }
    }
}

/// Opens runs by their folders, reduced to what analysis asks of them; `latest` is the newest in `results`.
pub fn open(runs: &[PathBuf], results: &Path, counting: &Counting) -> anyhow::Result<Vec<Sheet>> {
    let tokenizer = counting.reference()?;
    let index = if counting.no_index { Index::Ignored } else { Index::Kept };
    runs.iter().map(|run| Ok(Sheet::open(&folder(run, results)?, &tokenizer, index)?)).collect()
}

/// Runs of one plan read together; why they cannot be is said in the reader's language.
pub fn joined<'a>(runs: &'a [Sheet], lang: Lang) -> anyhow::Result<Joined<'a>> {
    Joined::new(runs).map_err(|error| match lang {
        Lang::En => error.into(),
        Lang::Zh => anyhow::anyhow!(error.words(lang)),
    })
}

/// The folder of a run as named on the command line.
pub fn folder(run: &Path, results: &Path) -> anyhow::Result<PathBuf> {
    if run.exists() || run != Path::new("latest") {
        return Ok(run.to_owned());
    }
    match Run::latest(results) {
        Some(found) => Ok(found),
        None => bail!("{}: no run here yet; `photofinish demo` makes one", results.display()),
    }
}
