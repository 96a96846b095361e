//! Tables as data, the views that make them from an analysis, and the formats that write them. Whatever a provider or a user named is
//! made harmless in every format: it may hold escape sequences, markup or formulas.

mod brief;
mod calibration;
mod caption;
mod compare;
mod csv;
mod definitions;
mod drawing;
mod facts;
mod grid;
mod harmless;
mod hours;
mod interval;
mod json;
mod lang;
mod league;
mod load;
mod made;
mod markdown;
mod number;
mod portrait;
mod power;
mod prose;
mod seed_layout;
mod table;
mod tables;
mod targets;
mod terminal;
mod words;

pub use brief::{Page, page};
pub use calibration::{CalibrationReading, CalibrationTables, calibration_tables};
pub use compare::comparisons;
pub use definitions::{definitions, definitions_document};
pub use harmless::plain;
pub use hours::{HourTables, hour_tables};
pub use lang::{Lang, NoLang};
pub use league::leagues;
pub use load::{LoadReading, LoadTables, load_seed_layout, load_tables};
pub use made::Reading;
pub use number::{Digits, shown};
pub use portrait::{Context, Portrait, portrait};
pub use power::powers;
pub use seed_layout::seed_layout;
use std::str::FromStr;
pub use table::{Cell, Column, Kind, Row, Table};
pub use tables::Tables;
pub use targets::targets;
pub use words::{Told, Worded, model_differs, sentence};

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
