//! The grid of a table in a terminal, in the shapes that are tried one after the other until one fits.

use super::harmless::plain;
use super::interval::Drawn;
use super::markdown::{cell_parts, is_left, shades};
use super::prose::cut;
use super::terminal::{QUIET, marks, name_of};
use super::{Cell, Column, Kind, Table};
use std::fmt::Write;
use tabled::builder::Builder;
use tabled::settings::formatting::AlignmentStrategy;
use tabled::settings::object::{Columns, Rows};
use tabled::settings::style::HorizontalLine;
use tabled::settings::{Alignment, Padding, Span, Style as Border};
use unicode_width::UnicodeWidthStr;

/// Names of no more columns stay beside their figures.
const SHORT_NAME: usize = 6;

/// How a grid is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// Intervals stand beside their figures, or below them.
    intervals_beside: bool,
    /// Names have a column of their own, or stand on a line above their figures.
    names_beside: bool,
    /// Blanks between two columns.
    gap: usize,
    /// Into how many tables below each other the columns are cut.
    parts: usize,
}

impl Shape {
    /// Every shape, the best to read first.
    pub(super) fn every(table: &Table) -> Vec<Shape> {
        let shape = |intervals_beside, names_beside, gap, parts| Shape { intervals_beside, names_beside, gap, parts };
        if table.columns.iter().any(|column| column.kind == Kind::Sentence) {
            return vec![shape(true, true, 2, 1)];
        }
        let mut cells = table.rows.iter().flat_map(|row| &row.cells);
        if cells.any(|cell| cell.interval().is_some()) {
            let two_columns = [shape(true, true, 2, 1), shape(false, true, 2, 1)];
            let names_above = [shape(false, false, 2, 1), shape(false, false, 1, 1)];
            let parts = [shape(false, true, 2, 2), shape(false, true, 2, 3)];
            // A short name, such as a number of users, gains nothing by a line of its own.
            match table.rows.iter().all(|row| name_of(table, &row.cells).width() <= SHORT_NAME) {
                true => two_columns.into_iter().chain([shape(false, true, 1, 1)]).chain(parts).chain(names_above).collect(),
                false => two_columns.into_iter().chain(names_above).chain(parts).collect(),
            }
        } else {
            vec![shape(true, true, 2, 1), shape(true, false, 2, 1)]
        }
    }
}

/// Whether a window holds all columns beside each other, names among them, intervals included.
pub(super) fn in_one(table: &Table, width: usize) -> bool {
    let shape = |intervals_beside, gap| Shape { intervals_beside, names_beside: true, gap, parts: 1 };
    [shape(true, 2), shape(false, 1)].into_iter().any(|shape| grid(table, width, shape).is_some())
}

/// A column of the grid: one of the table's, or the shades of its rows.
#[derive(Clone, Copy)]
enum Of<'a> {
    Shade,
    Column(usize, &'a Column),
}

/// The grid in a shape, where it fits.
pub(super) fn grid(table: &Table, width: usize, shape: Shape) -> Option<String> {
    let named = |column: &Column| column.kind == Kind::Name;
    let columns = || table.columns.iter().enumerate();
    let parts: Vec<Vec<Of<'_>>> = match shape.parts {
        0 | 1 => vec![columns().filter(|(_, column)| shape.names_beside || !named(column)).map(|(i, c)| Of::Column(i, c)).collect()],
        // Each part begins with the names.
        n => {
            let figures: Vec<_> = columns().filter(|(_, column)| !named(column)).collect();
            let part = |part: &[(usize, &'_ Column)]| {
                let names = columns().filter(|(_, column)| named(column));
                names.chain(part.iter().copied()).map(|(i, _)| Of::Column(i, &table.columns[i])).collect()
            };
            figures.chunks(figures.len().div_ceil(n).max(1)).map(part).collect()
        }
    };
    let shaded = shades(&table.rows).is_some();
    let mut out = Vec::new();
    for mut part in parts {
        if shaded {
            part.insert(0, Of::Shade);
        }
        out.push(one(table, width, shape, &part)?);
    }
    Some(out.join("\n"))
}

/// What a line of the finished grid is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    Figures,
    Intervals,
    /// The line above the row of this index.
    Above(usize),
}

fn one(table: &Table, width: usize, shape: Shape, columns: &[Of<'_>]) -> Option<String> {
    let mut builder = Builder::new();
    let units = table.columns.iter().any(|column| !column.unit.is_empty());
    builder.push_record(columns.iter().map(|of| match of {
        Of::Shade => String::new(),
        Of::Column(_, column) if units => format!("{}\n{}", plain(&column.title), plain(column.shown_unit(table.lang))),
        Of::Column(_, column) => plain(&column.title),
    }));
    let mut lines = vec![Line::Figures; if units { 3 } else { 2 }];
    let (marks, shades) = (marks(table), shades(&table.rows));
    let beside = widths_beside(table, columns);
    let mut spanned = Vec::new();
    let spanning = |text: String| std::iter::once(text).chain(columns.iter().skip(1).map(|_| String::new()));
    for (at, row) in table.rows.iter().enumerate() {
        if row.line_above.is_some() {
            spanned.push(builder.count_records());
            builder.push_record(spanning(String::new()));
            lines.push(Line::Above(at));
        }
        let drawn = |of: &Of<'_>| match of {
            Of::Shade => Drawn::Nothing,
            Of::Column(i, column) => cell_parts(column, &row.cells[*i], table.lang).1,
        };
        let two = !shape.intervals_beside && columns.iter().any(|of| drawn(of) != Drawn::Nothing);
        let all = usize::from(!shape.names_beside) + 1 + usize::from(two);
        let mut shade = along(shades.as_ref().map_or("", |shades| shades[at]), all).into_iter();
        if !shape.names_beside {
            let name = cut(&name_of(table, &row.cells), width.saturating_sub(marks[at].len() + 3).max(8));
            let head = shade.next().filter(|_| shades.is_some()).map_or_else(String::new, |shade| format!("{shade:1} "));
            spanned.push(builder.count_records());
            builder.push_record(spanning(format!("{head}{name}{}", marks[at])));
            lines.push(Line::Figures);
        }
        let shade = shade.collect::<Vec<_>>().join("\n");
        builder.push_record(columns.iter().enumerate().map(|(place, of)| match of {
            Of::Shade => shade.clone(),
            Of::Column(i, column) => {
                let text = figure(table, column, &row.cells[*i], shape, beside[place]);
                let mark = if column.kind == Kind::Name { marks[at].as_str() } else { "" };
                if two { format!("{text}{mark}\n{}", plain(drawn(of).bare())) } else { format!("{text}{mark}") }
            }
        }));
        lines.push(Line::Figures);
        lines.extend(two.then_some(Line::Intervals));
    }
    let mut grid = builder.build();
    grid.with(Border::empty().horizontals([(1, HorizontalLine::new('─'))]));
    grid.with(AlignmentStrategy::PerLine);
    for (place, of) in columns.iter().enumerate() {
        let left = matches!(of, Of::Shade) || matches!(of, Of::Column(_, column) if is_left(column));
        grid.modify(Columns::one(place), if left { Alignment::left() } else { Alignment::right() });
        let first = usize::from(0 < place && !matches!(columns[0], Of::Shade) || 1 < place);
        let (before, after) = if shape.gap < 2 { (first, 0) } else { (first, 1) };
        grid.modify(Columns::one(place), Padding::new(before, after, 0, 0));
    }
    for row in spanned {
        grid.modify((row, 0), Span::column(columns.len() as isize));
        grid.modify(Rows::one(row), Alignment::left());
    }
    finished(table, width, &grid.to_string(), &lines)
}

/// The grid's lines, where all of them fit, with what is drawn across them.
fn finished(table: &Table, width: usize, grid: &str, lines: &[Line]) -> Option<String> {
    let widest = grid.lines().map(|line| line.trim_end().width()).max().unwrap_or(0);
    if width < widest {
        return None;
    }
    let mut out = String::new();
    for (i, text) in grid.lines().enumerate() {
        let text = text.trim_end();
        let _ = match lines.get(i) {
            Some(Line::Intervals) => writeln!(out, "{QUIET}{text}{QUIET:#}"),
            Some(Line::Above(at)) => {
                let words = plain(table.rows[*at].line_above.as_deref().unwrap_or_default());
                let rest = "─".repeat(widest.saturating_sub(words.width() + 4));
                writeln!(out, "── {words} {rest}")
            }
            _ => writeln!(out, "{text}"),
        };
    }
    Some(out)
}

/// The shade of a row along its lines: a bracket opens on the first line of its first row and closes on the last of its last.
fn along(shade: &'static str, lines: usize) -> Vec<&'static str> {
    let of = |line: usize| match shade {
        "┌" if 0 < line => "│",
        "└" if line + 1 < lines => "│",
        other => other,
    };
    (0..lines).map(of).collect()
}

/// A figure; its interval beside it where the shape says so, padded so that all figures of the column end below each other.
fn figure(table: &Table, column: &Column, cell: &Cell, shape: Shape, beside: usize) -> String {
    let (figure, drawn) = cell_parts(column, cell, table.lang);
    let figure = plain(&figure);
    if !shape.intervals_beside || beside == 0 {
        return figure;
    }
    let drawn = plain(&drawn.bracketed());
    format!("{figure} {drawn}{}", " ".repeat(beside - drawn.width()))
}

/// The width of the widest interval of each column.
fn widths_beside(table: &Table, columns: &[Of<'_>]) -> Vec<usize> {
    let widest = |of: &Of<'_>| match of {
        Of::Shade => 0,
        Of::Column(i, column) => {
            let cells = table.rows.iter().filter_map(|row| row.cells.get(*i));
            cells.map(|cell| plain(&cell_parts(column, cell, table.lang).1.bracketed()).width()).max().unwrap_or(0)
        }
    };
    columns.iter().map(widest).collect()
}
