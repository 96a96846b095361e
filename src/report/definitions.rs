//! The registry of metrics as a table, and as the document `docs/metrics.md`.

use super::words::told;
use super::{Cell, Column, Format, Kind, Lang, Row, Table, Worded};
use crate::metric::{Flag, Outcome, registry};

/// Every metric: formula, unit, direction, when it has no value.
pub fn definitions(lang: Lang) -> Table {
    let column = |name: &str, title: &str, kind| Column::new(name, title, kind);
    let columns = vec![
        column("name", lang.say("Metric", "指标"), Kind::Name),
        column("title", lang.say("What it is", "含义"), Kind::Words),
        column("unit", lang.say("Unit", "单位"), Kind::Words),
        column("better", lang.say("Direction", "方向"), Kind::Words),
        column("formula", lang.say("Formula", "公式"), Kind::Words),
        column("undefined_when", lang.say("No value when", "何时没有数值"), Kind::Words),
    ];
    let row = |metric: &crate::metric::Metric| {
        let [title, formula, undefined_when] = told(metric, lang);
        let words = [metric.name, title, metric.unit.symbol(), &Worded::words(&metric.better, lang), formula, undefined_when];
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
