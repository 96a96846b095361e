//! For a terminal: one line a target where it is wide enough, two where it is not. Remarks are footnotes, prose is wrapped, and no
//! number ever is.

use super::harmless::plain;
use super::markdown::{cell_text, is_left};
use super::{Column, Kind, Table};
use anstyle::{AnsiColor, Style};
use tabled::builder::Builder;
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
        prose(&mut out, &table.title, width, "", BOLD);
        out.push('\n');
    }
    if !table.rows.is_empty() {
        let wide = grid(table, width, true);
        let drawn = if wide.lines().any(|line| width < line.width()) { grid(table, width, false) } else { wide };
        for line in drawn.lines() {
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out.push('\n');
    }
    for (mark, name, notes) in footnotes(table) {
        prose(&mut out, &format!("{mark} {name}: {}", notes.join(" · ")), width, "    ", Style::new());
    }
    for line in &table.legend {
        prose(&mut out, line, width, "    ", QUIET);
    }
    for line in &table.warnings {
        prose(&mut out, &format!("warning: {line}"), width, "    ", WARNING);
    }
    for line in &table.caption {
        prose(&mut out, line, width, "    ", QUIET);
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
    builder.push_record(columns.iter().map(|(_, column)| format!("{}\n{}", plain(&column.title), plain(&column.unit))));
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
fn prose(out: &mut String, text: &str, width: usize, indent: &str, style: Style) {
    let width = width.max(20);
    let mut lines: Vec<String> = vec![String::new()];
    let mut used = 0;
    for word in plain(text).split(' ').filter(|word| !word.is_empty()) {
        let here = lines.len() - 1;
        let blank = usize::from(lines[here].len() > if here == 0 { 0 } else { indent.len() });
        if used + blank + word.width() <= width {
            lines[here].push_str(&" ".repeat(blank));
            lines[here].push_str(word);
            used += blank + word.width();
            continue;
        }
        if 0 < used && word.width() <= width - indent.len() {
            lines.push(format!("{indent}{word}"));
            used = indent.len() + word.width();
            continue;
        }
        // Too wide for any line: it fills this one and goes on in the next.
        if 0 < blank && used < width {
            lines[here].push(' ');
            used += 1;
        }
        for c in word.chars() {
            let wide = c.width().unwrap_or(0);
            if width < used + wide {
                lines.push(indent.to_owned());
                used = indent.len();
            }
            let last = lines.len() - 1;
            lines[last].push(c);
            used += wide;
        }
    }
    for line in lines {
        out.push_str(&format!("{style}{line}{style:#}\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_wrapped_by_columns_not_by_characters() {
        let mut out = String::new();
        prose(&mut out, "讯飞开放平台与硅基流动的比较以及更多内容 and then some words", 24, "  ", Style::new());
        assert!(out.lines().all(|line| line.width() <= 24), "{out}");
        assert_eq!(out.replace(['\n', ' '], ""), "讯飞开放平台与硅基流动的比较以及更多内容andthensomewords");
    }

    #[test]
    fn a_name_is_cut_by_columns() {
        assert_eq!(cut("讯飞开放平台", 7), "讯飞开…");
        assert_eq!(cut("groq", 7), "groq");
    }
}
