//! Markdown: a pipe table, its remarks, and its caption as a list.

use super::harmless::markdown;
use super::interval::{self, Drawn};
use super::{Cell, Column, Digits, Kind, Lang, Row, Table};
use std::fmt::Write;

pub(super) fn table(table: &Table) -> String {
    let mut out = String::new();
    if !table.title.is_empty() {
        let _ = writeln!(out, "### {}\n", markdown(&table.title));
    }
    if !table.columns.is_empty() {
        grid(&mut out, table);
    }
    let warning = table.lang.say("**Warning:** ", "**警告：**");
    let prose = [(&table.warnings, warning), (&table.legend, ""), (&table.caption, "")];
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

fn grid(out: &mut String, table: &Table) {
    let notes = table.rows.iter().any(|row| !row.notes.is_empty());
    let shades = shades(&table.rows);
    let (mut head, mut rule): (Vec<String>, Vec<&str>) = (Vec::new(), Vec::new());
    if shades.is_some() {
        head.push(String::new());
        rule.push("---");
    }
    for column in &table.columns {
        head.push(title(column, table.lang));
        rule.push(if is_left(column) { "---" } else { "---:" });
    }
    if notes {
        head.push(table.lang.say("Notes", "备注").into());
        rule.push("---");
    }
    let mut line = |cells: &[String]| {
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    };
    line(&head);
    line(&rule.iter().map(|each| (*each).to_owned()).collect::<Vec<_>>());
    for (i, row) in table.rows.iter().enumerate() {
        let mut cells: Vec<String> = Vec::new();
        if let Some(words) = &row.line_above {
            let mut cells = vec![String::new(); head.len()];
            cells[0] = format!("*{}*", markdown(words));
            line(&cells);
        }
        cells.extend(shades.as_ref().map(|shades| shades[i].to_owned()));
        cells.extend(table.columns.iter().zip(&row.cells).map(|(column, cell)| in_markdown(column, cell, table.lang)));
        if notes {
            cells.push(markdown(&row.notes.join(table.lang.say("; ", "；"))));
        }
        line(&cells);
    }
}

fn in_markdown(column: &Column, cell: &Cell, lang: Lang) -> String {
    let text = cell_text(column, cell, lang);
    // A figure is ours: its brackets need no backslash to be harmless.
    if matches!(cell, Cell::Text(_)) { markdown(&text) } else { text }
}

fn title(column: &Column, lang: Lang) -> String {
    match column.shown_unit(lang) {
        "" => markdown(&column.title),
        unit => match lang {
            Lang::En => format!("{} ({})", markdown(&column.title), markdown(unit)),
            Lang::Zh => format!("{}（{}）", markdown(&column.title), markdown(unit)),
        },
    }
}

/// The shade of each row, drawn so that it needs no colour: a bracket along neighbours of one group. `None` where no two belong together.
pub(super) fn shades(rows: &[Row]) -> Option<Vec<&'static str>> {
    let tied = |a: Option<&Row>, b: &Row| a.is_some_and(|a| a.group.is_some() && a.group == b.group);
    let shade = |i: usize| match (tied(i.checked_sub(1).and_then(|i| rows.get(i)), &rows[i]), tied(rows.get(i + 1), &rows[i])) {
        (false, false) => "",
        (false, true) => "┌",
        (true, true) => "│",
        (true, false) => "└",
    };
    let shades: Vec<&str> = (0..rows.len()).map(shade).collect();
    shades.iter().any(|shade| !shade.is_empty()).then_some(shades)
}

/// Whether a column is aligned left.
pub(super) fn is_left(column: &Column) -> bool {
    matches!(column.kind, Kind::Name | Kind::Words | Kind::Sentence)
}

/// A cell as people read it: its figure, and the interval that belongs to it.
pub(super) fn cell_parts(column: &Column, cell: &Cell, lang: Lang) -> (String, Drawn) {
    let (in_seconds, digits) = match column.kind {
        Kind::Number { in_seconds, digits } => (in_seconds, digits),
        _ => (false, Digits::Three),
    };
    let scaled = |value: f64| if in_seconds { value / 1e3 } else { value };
    match cell {
        Cell::Text(text) => (text.clone(), Drawn::Nothing),
        Cell::Count { part, of, interval } => {
            (format!("{part}/{of}"), interval.map_or(Drawn::Nothing, |share| interval::percent(share, lang)))
        }
        Cell::Number { value, interval, mark, .. } => {
            let (number, drawn) = interval::figure(scaled(*value), interval.map(|each| each.map(scaled)), digits, lang);
            (format!("{number}{mark}"), drawn)
        }
        Cell::Never { interval } => (lang.say("never", "未达到").into(), interval::never(interval.map(|each| each.map(scaled)), digits)),
        Cell::Missing(_) => ("—".into(), Drawn::Nothing),
    }
}

/// A cell in one line.
pub(super) fn cell_text(column: &Column, cell: &Cell, lang: Lang) -> String {
    let (figure, drawn) = cell_parts(column, cell, lang);
    format!("{figure} {}", drawn.bracketed()).trim_end().to_owned()
}
