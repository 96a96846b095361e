//! Several tables of one command: one after another for people, one list for spreadsheets, one document for programs.

use super::{Cell, Format, Table, json};
use crate::stats::{Estimate, Extended, Interval};
use serde_json::{Value, json};

/// The tables of one command, in the forms that its formats take.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tables {
    /// For people, one after another.
    pub people: Vec<Table>,
    /// For spreadsheets: all of them as one list, a column telling them apart.
    pub list: Table,
    /// For programs: everything in full, one object a table.
    pub full: Vec<Value>,
}

impl Tables {
    /// Writes them.
    pub fn write(&self, format: Format, width: usize) -> String {
        let each = || self.people.iter().map(|table| table.write(format, width)).collect::<Vec<_>>().join("\n");
        match format {
            Format::Terminal | Format::Markdown => each(),
            Format::Csv => self.list.write(format, width),
            Format::Json => json::text(&json!({ "tables": self.full })),
        }
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
