//! Several tables of one command: one after another for people, one list for spreadsheets, one document for programs.

use super::{Cell, Format, Table, json};
use crate::stats::{Estimate, Extended, Interval};
use serde_json::{Value, json};

/// The tables of one command, in the forms that its formats take.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tables {
    /// For people, one after another.
    pub people: Vec<Table>,
    /// What all captions share: stands below the last table in a terminal, and below each where a table may be taken out of its place.
    pub shared: Vec<String>,
    /// For spreadsheets: all of them as one list, a column telling them apart.
    pub list: Table,
    /// For programs: everything in full, one object a table.
    pub full: Vec<Value>,
}

impl Tables {
    /// Writes them.
    pub fn write(&self, format: Format, width: usize) -> String {
        let last = self.people.len().saturating_sub(1);
        let whole = |(i, table): (usize, &Table)| {
            let mut table = table.clone();
            if i == last || format == Format::Markdown {
                table.caption.extend(self.shared.iter().cloned());
            }
            table.write(format, width)
        };
        match format {
            Format::Terminal | Format::Markdown => self.people.iter().enumerate().map(whole).collect::<Vec<_>>().join("\n"),
            Format::Csv => self.list.write(format, width),
            Format::Json => json::text(&json!({ "tables": self.full.iter().map(|table| self.with_shared(table)).collect::<Vec<_>>() })),
        }
    }
}

impl Tables {
    fn with_shared(&self, table: &Value) -> Value {
        let mut table = table.clone();
        if let Some(caption) = table.get_mut("caption").and_then(Value::as_array_mut) {
            caption.extend(self.shared.iter().map(|line| json!(line)));
        }
        table
    }
}

/// A figure as a cell.
pub(super) fn cell(estimate: &Estimate) -> Cell {
    match estimate.point {
        Extended::Finite(value) => Cell::estimate(value, estimate.interval),
        Extended::Never => Cell::Never { interval: estimate.interval },
    }
}

/// A figure or a reason as a cell.
pub(super) fn cell_or(estimate: Option<&Estimate>, why: impl FnOnce() -> String) -> Cell {
    estimate.map_or_else(|| Cell::Missing(why()), cell)
}

/// A figure in full.
pub(super) fn figure(estimate: &Estimate) -> Value {
    let mut object = match estimate.point {
        Extended::Finite(value) => json!({ "value": value }),
        Extended::Never => json!({ "never": true }),
    };
    if let Some(interval) = estimate.interval {
        object["interval"] = ends(&interval);
    }
    object["n"] = json!(estimate.n);
    object
}

/// A figure in full, or null.
pub(super) fn figure_or_null(estimate: Option<&Estimate>) -> Value {
    estimate.map_or(Value::Null, figure)
}

/// Both ends; an open one is null.
pub(super) fn ends(interval: &Interval) -> Value {
    json!([interval.low.at(), interval.high.at()])
}

/// p as people read it: three digits, or below which it is.
pub(super) fn p_cell(p: Option<f64>) -> Cell {
    match p {
        None => Cell::Missing(String::new()),
        Some(p) if p < LEAST_P => Cell::text("< 0.0001"),
        Some(p) => Cell::number(p),
    }
}

/// `p = 0.012`, `p < 0.0001`.
pub(super) fn p_words(p: f64) -> String {
    if p < LEAST_P { "p < 0.0001".into() } else { format!("p = {}", super::shown(p, super::Digits::Three)) }
}

/// Smaller p values are a matter of the model more than of the data.
const LEAST_P: f64 = 1e-4;
