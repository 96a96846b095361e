//! For a terminal: one line a target where it is wide enough, two where it is not, and a list where even that is too wide. Remarks are
//! footnotes, prose is wrapped, and no number ever is.

use super::harmless::plain;
use super::markdown::{cell_text, is_left};
use super::{Cell, Column, Kind, Table};
use anstyle::{AnsiColor, Style};
use std::fmt::Write;
use tabled::builder::Builder;
use tabled::settings::formatting::AlignmentStrategy;
use tabled::settings::object::{Columns, Rows};
use tabled::settings::style::HorizontalLine;
use tabled::settings::{Alignment, Padding, Span, Style as Border};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

const BOLD: Style = Style::new().bold();
const WARNING: Style = AnsiColor::Yellow.on_default();
const QUIET: Style = Style::new().dimmed();

pub(super) fn table(table: &Table, width: usize) -> String {
    let mut out = String::new();
    if !table.title.is_empty() {
        prose(&mut out, &table.title, width, 0, BOLD);
        out.push('\n');
    }
    if !table.rows.is_empty() {
        let fits = |grid: &String| grid.lines().all(|line| line.trim_end().width() <= width);
        match [true, false].into_iter().map(|wide| grid(table, width, wide)).find(fits) {
            Some(grid) => grid.lines().for_each(|line| out.extend([line.trim_end(), "\n"])),
            None => list(&mut out, table, width),
        }
        out.push('\n');
    }
    for (mark, name, notes) in footnotes(table) {
        prose(&mut out, &format!("{mark} {name}: {}", notes.join(" · ")), width, 4, Style::new());
    }
    for line in &table.legend {
        prose(&mut out, line, width, 4, QUIET);
    }
    for line in &table.warnings {
        prose(&mut out, &format!("warning: {line}"), width, 4, WARNING);
    }
    for line in &table.caption {
        prose(&mut out, line, width, 4, QUIET);
    }
    out
}

/// Rows that have remarks: their mark, the row's name, the remarks.
fn footnotes(table: &Table) -> Vec<(String, String, &[String])> {
    let noted = table.rows.iter().filter(|row| !row.notes.is_empty());
    noted.enumerate().map(|(i, row)| (format!("[{}]", i + 1), name_of(table, &row.cells), row.notes.as_slice())).collect()
}

fn name_of(table: &Table, cells: &[super::Cell]) -> String {
    let named = table.columns.iter().zip(cells).find(|(column, _)| column.kind == Kind::Name);
    named.map_or_else(String::new, |(column, cell)| plain(&cell_text(column, cell)))
}

/// The grid: with names in a column of their own (`wide`), or on a line above their numbers.
fn grid(table: &Table, width: usize, wide: bool) -> String {
    let columns: Vec<(usize, &Column)> = table.columns.iter().enumerate().filter(|(_, column)| wide || column.kind != Kind::Name).collect();
    let mut builder = Builder::new();
    let units = table.columns.iter().any(|column| !column.unit.is_empty());
    builder.push_record(columns.iter().map(|(_, column)| {
        let title = plain(&column.title);
        if units { format!("{title}\n{}", plain(column.shown_unit())) } else { title }
    }));
    let mut note = 0;
    let mut named_rows = Vec::new();
    for row in &table.rows {
        note += usize::from(!row.notes.is_empty());
        let mark = if row.notes.is_empty() { String::new() } else { format!(" [{note}]") };
        if !wide {
            let name = cut(&name_of(table, &row.cells), width.saturating_sub(mark.len() + 1).max(8));
            named_rows.push(builder.count_records());
            let empty = columns.iter().skip(1).map(|_| String::new());
            builder.push_record(std::iter::once(format!("{name}{mark}")).chain(empty));
        }
        builder.push_record(columns.iter().map(|(i, column)| {
            let text = plain(&cell_text(column, &row.cells[*i]));
            if column.kind == Kind::Name { format!("{text}{mark}") } else { text }
        }));
    }
    let mut grid = builder.build();
    let rule = HorizontalLine::new('─');
    grid.with(Border::empty().horizontals([(1, rule)]));
    grid.with(AlignmentStrategy::PerLine);
    for (place, (_, column)) in columns.iter().enumerate() {
        let side = if is_left(column) { Alignment::left() } else { Alignment::right() };
        grid.modify(Columns::one(place), side);
        grid.modify(Columns::one(place), Padding::new(usize::from(0 < place), 1, 0, 0));
    }
    for row in named_rows {
        grid.modify((row, 0), Span::column(columns.len() as isize));
        grid.modify(Rows::one(row), Alignment::left());
    }
    grid.to_string()
}

/// For a narrow window: each row's name, below it its numbers with head and unit, as many a line as go, then its words.
fn list(out: &mut String, table: &Table, width: usize) {
    let mut note = 0;
    for row in &table.rows {
        note += usize::from(!row.notes.is_empty());
        let mark = if row.notes.is_empty() { String::new() } else { format!(" [{note}]") };
        let name = cut(&name_of(table, &row.cells), width.saturating_sub(mark.len()).max(8));
        let _ = writeln!(out, "{name}{mark}");
        let mut line = String::new();
        for (column, cell) in table.columns.iter().zip(&row.cells).filter(|(column, _)| !matches!(column.kind, Kind::Name | Kind::Words)) {
            let unit = if matches!(cell, Cell::Number { .. }) { plain(column.shown_unit()) } else { String::new() };
            let item = format!("  {} {} {unit}", plain(&column.title), plain(&cell_text(column, cell)));
            if width < line.width() + item.trim_end().width() && !line.is_empty() {
                let _ = writeln!(out, "{line}");
                line.clear();
            }
            line.push_str(item.trim_end());
        }
        if !line.is_empty() {
            let _ = writeln!(out, "{line}");
        }
        for (column, cell) in table.columns.iter().zip(&row.cells).filter(|(column, _)| column.kind == Kind::Words) {
            let text = plain(&cell_text(column, cell));
            if !text.is_empty() {
                hung(out, &format!("  {}: ", plain(&column.title)), &text, 4, width, Style::new());
            }
        }
    }
}

/// Names and what is to be said of each, in two columns of which the second is wrapped.
pub(super) fn pairs(out: &mut String, pairs: &[(String, String)], width: usize) {
    let names: Vec<String> = pairs.iter().map(|(name, _)| plain(name)).collect();
    let widest = names.iter().map(|name| name.width()).max().unwrap_or(0).min(width / 3);
    for (name, (_, value)) in names.iter().zip(pairs) {
        let head = format!("{name}{}  ", " ".repeat(widest.saturating_sub(name.width())));
        hung(out, &head, value, widest + 2, width, Style::new());
    }
}

/// A text of at most `width` columns; what is longer ends in an ellipsis.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if width < used {
            break;
        }
        out.push(c);
    }
    out + "…"
}

/// Writes a sentence, wrapped at blanks, or anywhere in a word that is wider than a line (Chinese has no blanks).
pub(super) fn prose(out: &mut String, text: &str, width: usize, indent: usize, style: Style) {
    hung(out, "", text, indent, width, style);
}

/// Writes a sentence behind a head that is kept as it is. All lines but the first are indented.
fn hung(out: &mut String, head: &str, text: &str, indent: usize, width: usize, style: Style) {
    let width = width.max(20);
    let indent = " ".repeat(indent.min(width / 2));
    let mut lines: Vec<String> = vec![head.to_owned()];
    let (mut used, mut fresh) = (head.width(), true);
    for word in plain(text).split(' ').filter(|word| !word.is_empty()) {
        let blank = usize::from(!fresh);
        let fits_below = word.width() <= width - indent.len();
        if width < used + blank + word.width() && fits_below {
            lines.push(indent.clone());
            used = indent.len();
        } else if 0 < blank && used < width {
            // What is too wide for any line fills this one and goes on in the next.
            lines.iter_mut().last().into_iter().for_each(|line| line.push(' '));
            used += 1;
        }
        for c in word.chars() {
            let wide = c.width().unwrap_or(0);
            if width < used + wide {
                lines.push(indent.clone());
                used = indent.len();
            }
            lines.iter_mut().last().into_iter().for_each(|line| line.push(c));
            used += wide;
        }
        fresh = false;
    }
    for line in lines {
        let _ = writeln!(out, "{style}{}{style:#}", line.trim_end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_wrapped_by_columns_not_by_characters() {
        let mut out = String::new();
        prose(&mut out, "讯飞开放平台与硅基流动的比较以及更多内容 and then some words", 24, 2, Style::new());
        assert!(out.lines().all(|line| line.width() <= 24), "{out}");
        assert_eq!(out.replace(['\n', ' '], ""), "讯飞开放平台与硅基流动的比较以及更多内容andthensomewords");
    }

    #[test]
    fn a_name_is_cut_by_columns() {
        assert_eq!(cut("讯飞开放平台", 7), "讯飞开…");
        assert_eq!(cut("groq", 7), "groq");
    }
}
