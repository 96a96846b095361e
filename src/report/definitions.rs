//! The registry of metrics as a table, and as the document `docs/metrics.md`.

use super::{Cell, Column, Format, Kind, Lang, Row, Table};
use crate::metric::{Flag, Outcome, registry};

/// Every metric: formula, unit, direction, when it has no value.
pub fn definitions(lang: Lang) -> Table {
    let column = |name: &str, title: &str, kind| Column::new(name, title, kind);
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
        Row::new(words.into_iter().map(Cell::text).collect())
    };
    Table { columns, rows: registry().map(row).collect(), lang, ..Table::default() }
}

/// `docs/metrics.md`, whole.
pub fn definitions_document() -> String {
    let words = |name: &str, meaning: &str| Row::new(vec![Cell::text(name), Cell::text(meaning)]);
    let two = |rows: Vec<Row>| {
        let column = |title: &str, kind| Column::new(title, title, kind);
        Table { columns: vec![column("Name", Kind::Name), column("Meaning", Kind::Words)], rows, ..Table::default() }
    };
    let outcomes = two(Outcome::ALL.into_iter().map(|outcome| words(outcome.name(), outcome.meaning())).collect());
    let flags = two(Flag::ALL.into_iter().map(|flag| words(flag.name(), flag.meaning())).collect());
    let write = |table: Table| table.write(Format::Markdown, 0);
    format!(include_str!("metrics.md.in"), metrics = write(definitions(Lang::En)), outcomes = write(outcomes), flags = write(flags))
}
