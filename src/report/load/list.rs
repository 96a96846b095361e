//! All stages as one list for spreadsheets: every figure unrounded, both ends of its interval, and why one is missing.

use super::LoadReading;
use super::grids::{Extra, figure_cell, load_of, measure_column, window};
use crate::analysis::load::{Measure, StageFigures};
use crate::record::Offered;
use crate::report::{Cell, Column, Digits, Kind, Lang, Row, Table, Worded};

/// The list.
pub(super) fn list(reading: &LoadReading<'_>) -> Table {
    let mut columns = before();
    columns.push(Extra::Success.column(Lang::En));
    columns.extend(Measure::ALL.iter().map(|measure| Column {
        // Files hold the unit of the measure and its own name.
        title: measure.name().into(),
        ..measure_column(*measure, Lang::En, reading.speed())
    }));
    columns.extend(["stalled_replies", "stalls", "window_s", "not_sent", "held_back", "cold"].map(number));
    columns.extend(["failures", "service_level", "client_limited", "missing_because"].map(words));
    let names = reading.names();
    let rows = reading.table.stages.iter().map(|stage| row(reading, stage, &names)).collect();
    let mut constants = reading.constants();
    constants.push(("speed_unit".into(), reading.speed().into()));
    constants.push(("confidence".into(), reading.table.confidence.share().to_string()));
    Table { columns, rows, constants, ..Table::default() }
}

/// What names a row.
pub(super) fn before() -> Vec<Column> {
    vec![Column::new("target", "target", Kind::Name), number("stage"), words("by"), number("load"), number("passes")]
}

/// The cells of what names a row.
pub(super) fn named(stage: &StageFigures, names: &[String]) -> Vec<Cell> {
    let by = match stage.offered {
        Offered::Users { .. } => "users",
        Offered::Arrivals { .. } => "arrivals_per_s",
    };
    vec![
        Cell::text(names.get(stage.target).cloned().unwrap_or_default()),
        Cell::number(stage.stage as f64 + 1.0),
        Cell::text(by),
        Cell::number(load_of(&stage.offered)),
        Cell::number(stage.measured() as f64),
    ]
}

fn row(reading: &LoadReading<'_>, stage: &StageFigures, names: &[String]) -> Row {
    let lang = reading.lang;
    let of = |value: Option<f64>| value.map_or_else(|| Cell::Missing(String::new()), Cell::number);
    let stalls = stage.stalls.ok();
    let mut cells = named(stage, names);
    cells.push(Extra::Success.cell(stage, lang));
    cells.extend(Measure::ALL.iter().map(|measure| figure_cell(stage.figure(*measure), lang)));
    cells.extend([of(stalls.map(|s| s.replies as f64)), of(stalls.map(|s| s.gaps as f64)), of(window(stage))]);
    cells.extend([stage.counts.behind, stage.counts.held, stage.counts.cold].map(|n| Cell::number(n as f64)));
    let failed: Vec<String> = stage.counts.failed.iter().map(|(kind, n)| format!("{n} {}", kind.name())).collect();
    let client: Vec<String> = stage.client.iter().map(|why| why.words(lang)).collect();
    cells.push(Cell::text(failed.join("; ")));
    cells.push(Cell::text(stage.slo.as_ref().map_or("", |slo| super::full::slo_name(slo.word))));
    cells.push(Cell::text(client.join("; ")));
    cells.push(Cell::text(missing(stage, lang).join("; ")));
    Row::new(cells)
}

/// Each measure without a value, and why.
fn missing(stage: &StageFigures, lang: Lang) -> Vec<String> {
    let why = |measure: &Measure| {
        let why = stage.figure(*measure)?.point.err()?;
        Some(format!("{}: {}", measure.name(), why.words(lang)))
    };
    Measure::ALL.iter().filter_map(why).collect()
}

fn number(name: &str) -> Column {
    Column::new(name, name, Kind::Number { in_seconds: false, digits: Digits::Three })
}

fn words(name: &str) -> Column {
    Column::new(name, name, Kind::Words)
}
