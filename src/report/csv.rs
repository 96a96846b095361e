//! Comma-separated values, RFC 4180: full numbers, empty where there is none, and no formula.

use super::harmless::spreadsheet;
use super::{Cell, Kind, Row, Table};

pub(super) fn table(table: &Table) -> String {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let mut head: Vec<String> = Vec::new();
    for column in &table.columns {
        match column.kind {
            Kind::Count => {
                let (part, of) = column.parts();
                head.extend([spreadsheet(part), spreadsheet(of)]);
            }
            _ => head.push(spreadsheet(&column.name)),
        }
        if column.intervals {
            head.extend(["low", "high"].map(|end| spreadsheet(&format!("{}_{end}", column.name))));
        }
    }
    let notes = table.rows.iter().any(|row| !row.notes.is_empty());
    head.extend(notes.then(|| "notes".to_owned()));
    head.extend(table.constants.iter().map(|(name, _)| spreadsheet(name)));
    // What clock marks leave open stands last, so that no other column moves where some row has it.
    let blurred: Vec<usize> = (0..table.columns.len()).filter(|at| table.rows.iter().any(|row| within(row, *at).is_some())).collect();
    let ends = |at: &usize| ["low", "high"].map(|end| spreadsheet(&format!("{}_within_{end}", table.columns[*at].name)));
    head.extend(blurred.iter().flat_map(ends));
    let mut write = |record: Vec<String>| {
        // Writing to memory does not fail, and every record has the head's length.
        let _ = writer.write_record(record);
    };
    write(head);
    for row in &table.rows {
        let mut record: Vec<String> = Vec::new();
        for (cell, column) in row.cells.iter().zip(&table.columns) {
            match cell {
                Cell::Text(text) => record.push(spreadsheet(text)),
                Cell::Count { part, of, .. } => record.extend([part.to_string(), of.to_string()]),
                Cell::Number { value, .. } => record.push(format!("{value}")),
                Cell::Never { .. } => record.push("never".into()),
                Cell::Missing(_) if column.kind == Kind::Count => record.extend([String::new(), String::new()]),
                Cell::Missing(_) => record.push(String::new()),
            }
            if column.intervals {
                // An open end is as empty as one that was not computed: neither is a number.
                let interval = cell.interval();
                let ends = interval.map_or([None, None], |interval| [interval.low.at(), interval.high.at()]);
                record.extend(ends.map(|end| end.map_or_else(String::new, |end| format!("{end}"))));
            }
        }
        record.extend(notes.then(|| spreadsheet(&row.notes.join("; "))));
        record.extend(table.constants.iter().map(|(_, value)| spreadsheet(value)));
        record.extend(blurred.iter().flat_map(|at| match within(row, *at) {
            Some((low, high)) => [format!("{low}"), format!("{high}")],
            None => [String::new(), String::new()],
        }));
        write(record);
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn within(row: &Row, column: usize) -> Option<(f64, f64)> {
    match row.cells.get(column) {
        Some(Cell::Number { within, .. }) => *within,
        _ => None,
    }
}
