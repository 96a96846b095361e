//! JSON: every number in full, and the reason for every one that is missing.

use super::harmless::is_unsafe;
use super::{Cell, Column, Row, Table};
use crate::stats::Interval;
use serde_json::{Map, Value, json};

pub(super) fn table(table: &Table) -> Value {
    let columns: Vec<Value> =
        table.columns.iter().map(|column| json!({"name": column.name, "title": column.title, "unit": column.unit})).collect();
    let mut whole = Map::new();
    whole.insert("title".into(), json!(table.title));
    for (name, value) in &table.constants {
        whole.insert(name.clone(), json!(value));
    }
    whole.insert("columns".into(), json!(columns));
    whole.insert("rows".into(), table.rows.iter().map(|row| of_row(table, row)).collect());
    whole.insert("warnings".into(), json!(table.warnings));
    whole.extend(table.beside.iter().cloned());
    whole.insert("caption".into(), json!(table.caption));
    whole.insert("legend".into(), json!(table.legend));
    Value::Object(whole)
}

fn of_row(table: &Table, row: &Row) -> Value {
    let mut object = Map::new();
    for (column, cell) in table.columns.iter().zip(&row.cells) {
        object.insert(column.name.clone(), of_cell(column, cell));
    }
    object.insert("notes".into(), json!(row.notes));
    object.extend(row.group.map(|group| ("group".to_owned(), json!(group))));
    Value::Object(object)
}

fn of_cell(column: &Column, cell: &Cell) -> Value {
    match cell {
        Cell::Text(text) => json!(text),
        Cell::Count { part, of, interval } => {
            let (part_name, of_name) = column.parts();
            let mut object = json!({part_name: part, of_name: of});
            put(&mut object, "interval", interval.map(of_interval));
            object
        }
        Cell::Number { value, within, interval, mark } => {
            let mut object = json!({"value": value});
            put(&mut object, "interval", interval.map(of_interval));
            put(&mut object, "measured_within", within.map(|(low, high)| json!([low, high])));
            put(&mut object, "mark", (!mark.is_empty()).then(|| json!(mark)));
            object
        }
        Cell::Never { interval } => {
            let mut object = json!({"never": true});
            put(&mut object, "interval", interval.map(of_interval));
            object
        }
        Cell::Missing(why) => json!({"missing": why}),
    }
}

fn put(object: &mut Value, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        object[name] = value;
    }
}

/// Both ends; an open one is null.
fn of_interval(interval: Interval) -> Value {
    json!([interval.low.at(), interval.high.at()])
}

/// A document as text. Characters that a terminal would obey, or that turn the text around them, are written as escapes: they can stand
/// within strings only, so the document means the same.
pub(super) fn text(value: &Value) -> String {
    let document = serde_json::to_string_pretty(value).unwrap_or_default();
    let mut out = String::with_capacity(document.len());
    for c in document.chars() {
        if c != '\n' && is_unsafe(c) {
            let mut units = [0u16; 2];
            out.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            out.push(c);
        }
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_written_as_an_escape_and_read_back_whole() {
        let hostile = json!({"name": "a\u{1b}[31m\u{9b}b\u{202e}c\u{e0041}\u{7f}"});
        let text = text(&hostile);
        assert!(text.chars().all(|c| c == '\n' || !is_unsafe(c)), "{text:?}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), hostile);
    }
}
