//! For a terminal: one line a target where it is wide enough, two or three where it is not, and a list where even that is too wide.
//! Remarks are footnotes, prose is wrapped, and no number ever is.

use super::Table;
use super::grid::{Shape, grid};
use super::harmless::plain;
use super::markdown::{cell_parts, cell_text};
use super::prose::{cut, hung, prose};
use super::{Cell, Kind, Lang};
use anstyle::{AnsiColor, Style};
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

const BOLD: Style = Style::new().bold();
const WARNING: Style = AnsiColor::Yellow.on_default();
pub(super) const QUIET: Style = Style::new().dimmed();

pub(super) fn table(table: &Table, width: usize) -> String {
    let mut out = String::new();
    if !table.title.is_empty() {
        prose(&mut out, &table.title, width, 0, BOLD);
        out.push('\n');
    }
    if !table.rows.is_empty() {
        match Shape::every(table).into_iter().find_map(|shape| grid(table, width, shape)) {
            Some(grid) => out.push_str(&grid),
            None => list(&mut out, table, width),
        }
        out.push('\n');
    }
    for (mark, name, notes) in footnotes(table) {
        let name = format!("{mark} {name}{}", table.lang.say(": ", "："));
        prose(&mut out, &format!("{name}{}", notes.join(" · ")), width, 4, Style::new());
    }
    for line in &table.legend {
        prose(&mut out, line, width, 4, QUIET);
    }
    for line in &table.warnings {
        prose(&mut out, &format!("{}{line}", table.lang.say("warning: ", "警告：")), width, 4, WARNING);
    }
    for line in &table.caption {
        prose(&mut out, line, width, 4, QUIET);
    }
    out
}

/// The mark of each row that has remarks.
pub(super) fn marks(table: &Table) -> Vec<String> {
    let mut n = 0;
    let mark = |row: &super::Row| {
        n += usize::from(!row.notes.is_empty());
        if row.notes.is_empty() { String::new() } else { format!(" [{n}]") }
    };
    table.rows.iter().map(mark).collect()
}

/// Rows that have remarks: their mark, the row's name, the remarks.
fn footnotes(table: &Table) -> Vec<(String, String, &[String])> {
    let noted = table.rows.iter().zip(marks(table)).filter(|(row, _)| !row.notes.is_empty());
    noted.map(|(row, mark)| (mark.trim_start().to_owned(), name_of(table, &row.cells), row.notes.as_slice())).collect()
}

pub(super) fn name_of(table: &Table, cells: &[Cell]) -> String {
    let named = table.columns.iter().zip(cells).find(|(column, _)| column.kind == Kind::Name);
    named.map_or_else(String::new, |(column, cell)| plain(&cell_text(column, cell, table.lang)))
}

/// For a narrow window: each row's name, below it its numbers with head and unit, as many a line as go, then its words.
fn list(out: &mut String, table: &Table, width: usize) {
    let lang = table.lang;
    for (row, mark) in table.rows.iter().zip(marks(table)) {
        if let Some(words) = &row.line_above {
            let _ = writeln!(out, "{QUIET}── {}{QUIET:#}", plain(words));
        }
        let name = cut(&name_of(table, &row.cells), width.saturating_sub(mark.len()).max(8));
        let _ = writeln!(out, "{name}{mark}");
        worded(out, table, row, Kind::Sentence, width);
        let mut line = String::new();
        for (column, cell) in
            table.columns.iter().zip(&row.cells).filter(|(column, _)| !matches!(column.kind, Kind::Name | Kind::Words | Kind::Sentence))
        {
            let unit = if matches!(cell, Cell::Number { .. }) { plain(column.shown_unit(lang)) } else { String::new() };
            let mut item = format!("  {} {} {unit}", plain(&column.title), plain(&cell_text(column, cell, lang)));
            let mut below = String::new();
            if width < item.trim_end().width() {
                let (figure, drawn) = cell_parts(column, cell, lang);
                item = format!("  {} {} {unit}", plain(&column.title), plain(&figure));
                below = plain(&drawn.bracketed());
            }
            if width < line.width() + item.trim_end().width() && !line.is_empty() {
                let _ = writeln!(out, "{line}");
                line.clear();
            }
            line.push_str(item.trim_end());
            if !below.is_empty() {
                let _ = writeln!(out, "{line}\n    {below}");
                line.clear();
            }
        }
        if !line.is_empty() {
            let _ = writeln!(out, "{line}");
        }
        worded(out, table, row, Kind::Words, width);
    }
}

/// The words of a row that are of a kind, each behind its head.
fn worded(out: &mut String, table: &Table, row: &super::Row, kind: Kind, width: usize) {
    for (column, cell) in table.columns.iter().zip(&row.cells).filter(|(column, _)| column.kind == kind) {
        let text = plain(&cell_text(column, cell, table.lang));
        if !text.is_empty() {
            let unit = match (column.shown_unit(table.lang), table.lang) {
                ("", _) => String::new(),
                (unit, Lang::En) => format!(" ({unit})"),
                (unit, Lang::Zh) => format!("（{unit}）"),
            };
            let head = format!("  {}{}{}", plain(&column.title), plain(&unit), table.lang.say(": ", "："));
            hung(out, &head, &text, 4, width, Style::new());
        }
    }
}
