//! Markdown: a pipe table, its remarks, and its caption as a list.

use super::harmless::markdown;
use super::number::shown;
use super::{Cell, Column, Kind, Table};
use std::fmt::Write;

pub(super) fn table(table: &Table) -> String {
    let mut out = String::new();
    if !table.title.is_empty() {
        let _ = writeln!(out, "### {}\n", markdown(&table.title));
    }
    let notes = table.rows.iter().any(|row| !row.notes.is_empty());
    let mut head: Vec<String> = table.columns.iter().map(title).collect();
    let mut rule: Vec<&str> = table.columns.iter().map(|column| if is_left(column) { "---" } else { "---:" }).collect();
    if notes {
        head.push("Notes".into());
        rule.push("---");
    }
    let _ = writeln!(out, "| {} |\n| {} |", head.join(" | "), rule.join(" | "));
    for row in &table.rows {
        let mut cells: Vec<String> =
            table.columns.iter().zip(&row.cells).map(|(column, cell)| markdown(&cell_text(column, cell))).collect();
        if notes {
            cells.push(markdown(&row.notes.join("; ")));
        }
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    let prose = [(&table.warnings, "**Warning:** "), (&table.legend, ""), (&table.caption, "")];
    if prose.iter().any(|(lines, _)| !lines.is_empty()) {
        out.push('\n');
    }
    for (lines, mark) in prose {
        for line in lines {
            let _ = writeln!(out, "- {mark}{}", markdown(line));
        }
    }
    out
}

fn title(column: &Column) -> String {
    match column.shown_unit() {
        "" => markdown(&column.title),
        unit => format!("{} ({})", markdown(&column.title), markdown(unit)),
    }
}

/// Whether a column is aligned left.
pub(super) fn is_left(column: &Column) -> bool {
    matches!(column.kind, Kind::Name | Kind::Words)
}

/// A cell as people read it.
pub(super) fn cell_text(column: &Column, cell: &Cell) -> String {
    match (cell, column.kind) {
        (Cell::Text(text), _) => text.clone(),
        (Cell::Count { part, of, .. }, _) => format!("{part}/{of}"),
        (Cell::Number { value, mark, .. }, Kind::Number { in_seconds, digits }) => {
            let value = if in_seconds { value / 1e3 } else { *value };
            format!("{}{mark}", shown(value, digits))
        }
        (Cell::Number { value, mark, .. }, _) => format!("{value}{mark}"),
        (Cell::Never, _) => "never".into(),
        (Cell::Missing(_), _) => "—".into(),
    }
}
