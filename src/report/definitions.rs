//! The registry of metrics as a table, and as the document `docs/metrics.md`.

use super::{Cell, Column, Format, Kind, Row, Table};
use crate::metric::{Flag, Outcome, registry};

/// Every metric: formula, unit, direction, when it has no value.
pub fn definitions() -> Table {
    let column = |name: &str, title: &str, kind| Column { name: name.into(), title: title.into(), unit: String::new(), kind };
    let columns = vec![
        column("name", "Metric", Kind::Name),
        column("title", "What it is", Kind::Words),
        column("unit", "Unit", Kind::Words),
        column("better", "Direction", Kind::Words),
        column("formula", "Formula", Kind::Words),
        column("undefined_when", "No value when", Kind::Words),
    ];
    let row = |metric: &crate::metric::Metric| {
        let words = [metric.name, metric.title, metric.unit.symbol(), metric.better.words(), metric.formula, metric.undefined_when];
        Row { cells: words.into_iter().map(|text| Cell::Text(text.into())).collect(), notes: Vec::new() }
    };
    Table { columns, rows: registry().map(row).collect(), ..Table::default() }
}

/// `docs/metrics.md`, whole.
pub fn definitions_document() -> String {
    let words = |name: &str, meaning: &str| Row { cells: vec![Cell::Text(name.into()), Cell::Text(meaning.into())], notes: Vec::new() };
    let two = |rows: Vec<Row>| {
        let column = |title: &str, kind| Column { name: title.into(), title: title.into(), unit: String::new(), kind };
        Table { columns: vec![column("Name", Kind::Name), column("Meaning", Kind::Words)], rows, ..Table::default() }
    };
    let outcomes = two(Outcome::ALL.into_iter().map(|outcome| words(outcome.name(), outcome.meaning())).collect());
    let flags = two(Flag::ALL.into_iter().map(|flag| words(flag.name(), flag.meaning())).collect());
    let write = |table: Table| table.write(Format::Markdown, 0);
    format!(include_str!("metrics.md.in"), metrics = write(definitions()), outcomes = write(outcomes), flags = write(flags))
}
