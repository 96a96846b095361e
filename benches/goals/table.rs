//! The table of goals: what was wanted, what was found, whether it holds.

use serde::Serialize;

/// One figure beside its goal.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// Which family of goals.
    pub of: &'static str,
    pub what: String,
    /// What the figure must keep, in words; empty where there is no goal.
    pub goal: String,
    /// The figure, of several passes their median.
    pub value: Option<f64>,
    /// The smallest and the largest of the passes.
    pub range: Option<(f64, f64)>,
    pub unit: &'static str,
    /// Absent where there is no goal, or no figure.
    pub holds: Option<bool>,
    /// What else must be known, or why there is no figure.
    pub note: String,
}

#[derive(Clone, Copy)]
pub enum Goal {
    AtMost(f64),
    AtLeast(f64),
    /// Shown, not judged.
    None,
}

impl Row {
    /// A figure of several passes.
    pub fn of(of: &'static str, what: impl Into<String>, goal: Goal, mut passes: Vec<f64>, unit: &'static str) -> Row {
        passes.retain(|value| value.is_finite());
        let (what, note) = (what.into(), String::new());
        if passes.is_empty() {
            let note = "no figure came of it".to_owned();
            return Row { of, what, goal: words(goal, unit), value: None, range: None, unit, holds: None, note };
        }
        let value = super::paced::client::median(&mut passes);
        let range = (1 < passes.len()).then(|| (passes[0], passes[passes.len() - 1]));
        let holds = match goal {
            Goal::AtMost(most) => Some(value <= most),
            Goal::AtLeast(least) => Some(least <= value),
            Goal::None => None,
        };
        Row { of, what, goal: words(goal, unit), value: Some(value), range, unit, holds, note }
    }
    /// A figure that could not be had, and why.
    pub fn missing(of: &'static str, what: impl Into<String>, why: impl Into<String>) -> Row {
        let (what, note) = (what.into(), format!("not measured: {}", why.into()));
        Row { of, what, goal: String::new(), value: None, range: None, unit: "", holds: None, note }
    }
    pub fn noted(self, note: impl Into<String>) -> Row {
        Row { note: note.into(), ..self }
    }
    fn figure(&self) -> String {
        let Some(value) = self.value else { return "—".to_owned() };
        let range = self.range.map_or(String::new(), |(low, high)| format!(" ({}–{})", short(low), short(high)));
        format!("{}{range}{}", short(value), spaced(self.unit))
    }
    fn verdict(&self) -> &'static str {
        match self.holds {
            Some(true) => "yes",
            Some(false) => "**missed**",
            None => "",
        }
    }
}

/// The table as Markdown.
pub fn markdown(conditions: &[String], rows: &[Row]) -> String {
    let mut text = String::new();
    for condition in conditions {
        text += &format!("* {condition}\n");
    }
    text += "\n| | what | found: median of the passes (range) | goal | holds | |\n|---|---|---|---|---|---|\n";
    let mut last = "";
    for row in rows {
        let of = if row.of == last { "" } else { row.of };
        last = row.of;
        text += &format!("| {of} | {} | {} | {} | {} | {} |\n", row.what, row.figure(), row.goal, row.verdict(), row.note);
    }
    let judged: Vec<bool> = rows.iter().filter_map(|row| row.holds).collect();
    let held = judged.iter().filter(|held| **held).count();
    text + &format!("\n{held} of {} goals hold", judged.len()) + &unmeasured(rows)
}

fn unmeasured(rows: &[Row]) -> String {
    match rows.iter().filter(|row| row.value.is_none()).count() {
        0 => ".\n".to_owned(),
        n => format!("; {n} could not be measured.\n"),
    }
}

fn words(goal: Goal, unit: &str) -> String {
    match goal {
        Goal::AtMost(most) => format!("≤ {}{}", short(most), spaced(unit)),
        Goal::AtLeast(least) => format!("≥ {}{}", short(least), spaced(unit)),
        Goal::None => String::new(),
    }
}
fn spaced(unit: &str) -> String {
    if unit.is_empty() { String::new() } else { format!(" {unit}") }
}

/// Three digits that matter.
fn short(value: f64) -> String {
    match value.abs() {
        size if size == 0.0 || 100.0 <= size => format!("{value:.0}"),
        size if 10.0 <= size => format!("{value:.1}"),
        size if 0.1 <= size => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}
