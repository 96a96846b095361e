//! Tables as data, the views that make them from an analysis, and the formats that write them. Whatever a provider or a user named is
//! made harmless in every format: it may hold escape sequences, markup or formulas.

mod csv;
mod definitions;
mod drawing;
mod harmless;
mod json;
mod markdown;
mod number;
mod portrait;
mod targets;
mod terminal;

pub use definitions::{definitions, definitions_document};
pub use harmless::plain;
pub use number::{Digits, shown};
pub use portrait::{Context, Portrait, portrait};
pub use targets::targets;

use std::str::FromStr;

/// A table: what it says, without a thought of how it is drawn.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// The title.
    pub title: String,
    /// Columns, in order.
    pub columns: Vec<Column>,
    /// Rows, each with one cell a column.
    pub rows: Vec<Row>,
    /// What casts doubt on it.
    pub warnings: Vec<String>,
    /// How it was made.
    pub caption: Vec<String>,
    /// What its marks and flags mean.
    pub legend: Vec<String>,
    /// Facts that hold for every row, for formats that have no caption: name and value.
    pub constants: Vec<(String, String)>,
}

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name in files.
    pub name: String,
    /// Its head.
    pub title: String,
    /// The unit of its values, as files hold them; may be empty.
    pub unit: String,
    /// What its cells hold.
    pub kind: Kind,
}

/// What the cells of a column hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// The name of the row, aligned left.
    Name,
    /// Words, aligned left.
    Words,
    /// `part/of`.
    Count,
    /// Numbers, aligned right.
    Number {
        /// The values are milliseconds, and people are shown seconds. Files keep the unit of the metric.
        in_seconds: bool,
        /// How many digits.
        digits: Digits,
    },
}

impl Column {
    /// The unit in which people are shown its values.
    pub fn shown_unit(&self) -> &str {
        if matches!(self.kind, Kind::Number { in_seconds: true, .. }) { "s" } else { &self.unit }
    }
}

/// A row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row {
    /// One cell a column.
    pub cells: Vec<Cell>,
    /// Remarks: a footnote in a terminal, a column of their own in files.
    pub notes: Vec<String>,
}

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Words.
    Text(String),
    /// `part` of `of`.
    Count {
        /// The part.
        part: usize,
        /// The whole.
        of: usize,
    },
    /// A number.
    Number {
        /// The value in the unit of files.
        value: f64,
        /// What its measurement allows, where that is a range.
        within: Option<(f64, f64)>,
        /// A mark behind it that the legend explains, or nothing.
        mark: &'static str,
    },
    /// It was never reached.
    Never,
    /// No value, and why.
    Missing(String),
}

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// For a terminal.
    Terminal,
    /// Markdown.
    Markdown,
    /// Comma-separated values, RFC 4180.
    Csv,
    /// JSON.
    Json,
}

/// A word that names no format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no format: give terminal, markdown, csv or json")]
pub struct NoFormat(String);

impl FromStr for Format {
    type Err = NoFormat;
    fn from_str(word: &str) -> Result<Format, NoFormat> {
        match word {
            "terminal" => Ok(Format::Terminal),
            "markdown" | "md" => Ok(Format::Markdown),
            "csv" => Ok(Format::Csv),
            "json" => Ok(Format::Json),
            other => Err(NoFormat(other.to_owned())),
        }
    }
}

impl Table {
    /// Writes the table. `width` is the terminal's, in columns; other formats do not know it. The terminal form holds colours, which
    /// the stream it is printed to keeps or strips.
    pub fn write(&self, format: Format, width: usize) -> String {
        match format {
            Format::Terminal => terminal::table(self, width),
            Format::Markdown => markdown::table(self),
            Format::Csv => csv::table(self),
            Format::Json => json::text(&json::table(self)),
        }
    }
}
