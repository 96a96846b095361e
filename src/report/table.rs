//! A table as data: what it says, without a thought of how it is drawn.

use super::{Digits, Lang};
use crate::stats::Interval;

/// A table: what it says, without a thought of how it is drawn.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// The language of its words.
    pub lang: Lang,
    /// The title.
    pub title: String,
    /// Columns, in order.
    pub columns: Vec<Column>,
    /// Rows, each with one cell a column.
    pub rows: Vec<Row>,
    /// What casts doubt on it.
    pub warnings: Vec<String>,
    /// How it was made.
    pub caption: Vec<String>,
    /// What its marks and flags mean.
    pub legend: Vec<String>,
    /// Facts that hold for every row, for formats that have no caption: name and value.
    pub constants: Vec<(String, String)>,
    /// What stands beside the rows in full, for programs alone: name and value.
    pub beside: Vec<(String, serde_json::Value)>,
}

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name in files.
    pub name: String,
    /// Its head.
    pub title: String,
    /// The unit of its values, as files hold them; may be empty.
    pub unit: String,
    /// What its cells hold.
    pub kind: Kind,
    /// Its numbers may carry confidence intervals: files have a place for them in every row.
    pub intervals: bool,
}

/// What the cells of a column hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// The name of the row, aligned left.
    Name,
    /// Words, aligned left.
    Words,
    /// A sentence, which the row's figures only support: it stands before them where the row is not one line, and its table is not cut.
    Sentence,
    /// `part/of`. The column's unit names both, such as `ok/sent`, and so its columns in files.
    Count,
    /// Numbers, aligned right.
    Number {
        /// The values are milliseconds, and people are shown seconds. Files keep the unit of the metric.
        in_seconds: bool,
        /// How many digits.
        digits: Digits,
    },
}

impl Column {
    /// A column without a unit.
    pub fn new(name: impl Into<String>, title: impl Into<String>, kind: Kind) -> Column {
        Column { name: name.into(), title: title.into(), unit: String::new(), kind, intervals: false }
    }
    /// The same column, its values in a unit.
    pub fn unit(self, unit: impl Into<String>) -> Column {
        Column { unit: unit.into(), ..self }
    }
    /// The same column, with room for confidence intervals.
    pub fn with_intervals(self) -> Column {
        Column { intervals: true, ..self }
    }
    /// The unit in which people are shown its values.
    pub fn shown_unit(&self, lang: Lang) -> &str {
        match (self.kind, self.unit.as_str()) {
            (Kind::Number { in_seconds: true, .. }, _) => "s",
            (Kind::Count, "ok/sent") => lang.say("ok/sent", "成功/发出"),
            (Kind::Count, "correct/sent") => lang.say("correct/sent", "正确/发出"),
            (Kind::Count, "stalled/ok") => lang.say("stalled/ok", "停顿/成功"),
            (Kind::Count, "correct/complete") => lang.say("correct/complete", "正确/完整"),
            (Kind::Count, "right/of") => lang.say("right/of", "正确/已判"),
            (Kind::Count, "wrong/of") => lang.say("wrong/of", "错误/已查"),
            (_, unit) => unit,
        }
    }
    /// What the two numbers of a count are called in files.
    pub(super) fn parts(&self) -> (&str, &str) {
        self.unit.split_once('/').unwrap_or(("part", "of"))
    }
}

/// A row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row {
    /// One cell a column.
    pub cells: Vec<Cell>,
    /// Remarks: a footnote in a terminal, a column of their own in files.
    pub notes: Vec<String>,
    /// Rows that stand next to each other and are of one group share a shade: they are not told apart. `None` is a group of its own.
    pub group: Option<usize>,
    /// A line drawn above this row, with these words in it: what follows is of another kind, such as targets that may not be ranked.
    /// In files the rows below it differ by their cells alone.
    pub line_above: Option<String>,
}

impl Row {
    /// A row without remarks.
    pub fn new(cells: Vec<Cell>) -> Row {
        Row { cells, ..Row::default() }
    }
}

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Words.
    Text(String),
    /// `part` of `of`.
    Count {
        /// The part.
        part: usize,
        /// The whole.
        of: usize,
        /// The confidence interval of the share, 0 to 1; absent where the data are too few for one.
        interval: Option<Interval>,
    },
    /// A number.
    Number {
        /// The value in the unit of files.
        value: f64,
        /// What its measurement allows, where that is a range: the doubt of the clock marks, not of the sample.
        within: Option<(f64, f64)>,
        /// The confidence interval, in the value's unit; absent where the data are too few for one.
        interval: Option<Interval>,
        /// A mark behind it that the legend explains, or nothing.
        mark: &'static str,
    },
    /// It was never reached.
    Never {
        /// Its confidence interval, of which the upper end is open.
        interval: Option<Interval>,
    },
    /// No value, and why.
    Missing(String),
}

impl Cell {
    /// A number without doubt.
    pub const fn number(value: f64) -> Cell {
        Cell::Number { value, within: None, interval: None, mark: "" }
    }
    /// A number and its confidence interval.
    pub const fn estimate(value: f64, interval: Option<Interval>) -> Cell {
        Cell::Number { value, within: None, interval, mark: "" }
    }
    /// It was never reached, and nothing more is known.
    pub const NEVER: Cell = Cell::Never { interval: None };
    /// Its confidence interval, where it has one.
    pub const fn interval(&self) -> Option<Interval> {
        match self {
            Cell::Count { interval, .. } | Cell::Number { interval, .. } | Cell::Never { interval } => *interval,
            Cell::Text(_) | Cell::Missing(_) => None,
        }
    }
    /// Words.
    pub fn text(words: impl Into<String>) -> Cell {
        Cell::Text(words.into())
    }
}
