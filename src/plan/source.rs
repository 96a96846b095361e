//! Where in a plan file a key stands, so that an error can point at it with a caret.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use std::ops::Range;

/// A plan file's name and text.
#[derive(Debug, Clone, Copy)]
pub struct Source<'s> {
    /// As the user named it.
    pub file: &'s str,
    /// What it holds.
    pub text: &'s str,
}

/// What is wrong with a plan, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanError {
    file: Option<(String, Option<usize>)>,
    key: String,
    message: String,
    snippet: Option<String>,
}

/// One step on the way to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A key of a map.
    Key(String),
    /// An entry of a list, from 0.
    Entry(usize),
}

/// `targets[1].name` as steps.
pub fn steps(path: &str) -> Vec<Step> {
    let mut found = Vec::new();
    for part in path.split('.').filter(|part| !part.is_empty()) {
        let mut pieces = part.split('[');
        let key = pieces.next().unwrap_or_default();
        if !key.is_empty() {
            found.push(Step::Key(key.to_owned()));
        }
        found.extend(pieces.filter_map(|piece| piece.trim_end_matches(']').parse().ok()).map(Step::Entry));
    }
    found
}

impl PlanError {
    /// An error at a key of a file: `plan.yaml:7: rounds: …` with the line and a caret under it.
    pub fn at(source: Option<Source<'_>>, key: &str, message: impl Into<String>) -> PlanError {
        let span = source.and_then(|source| find(source.text, &steps(key))).map(|found| found.value);
        PlanError::over(source, span, key, message)
    }

    /// The same, with the caret under the key itself.
    pub fn at_key(source: Source<'_>, key: &str, message: impl Into<String>) -> PlanError {
        let span = find(source.text, &steps(key)).map(|found| found.key);
        PlanError::over(Some(source), span, key, message)
    }

    /// An error at a place that the parser named, by line and column from 1.
    pub fn at_place(source: Source<'_>, line: usize, column: usize, key: &str, message: impl Into<String>) -> PlanError {
        let start: usize = source.text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        let rest = source.text[start..].lines().next().unwrap_or_default();
        let skipped: usize = rest.chars().take(column.saturating_sub(1)).map(char::len_utf8).sum();
        let span = start + skipped..start + rest.trim_end().len().max(skipped);
        PlanError::over(Some(source), Some(span), key, message)
    }

    fn over(source: Option<Source<'_>>, span: Option<Range<usize>>, key: &str, message: impl Into<String>) -> PlanError {
        let line = |source: Source<'_>, span: &Range<usize>| source.text[..span.start].matches('\n').count() + 1;
        PlanError {
            file: source.map(|source| (source.file.to_owned(), span.as_ref().map(|span| line(source, span)))),
            key: key.to_owned(),
            message: message.into(),
            snippet: source.zip(span).map(|(source, span)| snippet(source.text, span)),
        }
    }
}

impl std::fmt::Display for PlanError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.file {
            Some((file, Some(line))) => write!(f, "{file}:{line}: ")?,
            Some((file, None)) => write!(f, "{file}: ")?,
            None => {}
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)?;
        match &self.snippet {
            Some(snippet) => write!(f, "\n{snippet}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for PlanError {}

fn snippet(text: &str, span: Range<usize>) -> String {
    let span = if span.is_empty() { span.start..(span.end + 1).min(text.len()) } else { span };
    let group = Group::with_level(Level::ERROR).element(Snippet::source(text).annotation(AnnotationKind::Primary.span(span)));
    Renderer::plain().render(&[group])
}

/// A line of a file, as the search sees it: its bytes' place, its indent, and what stands behind the indent.
#[derive(Clone, Copy)]
struct Row<'s> {
    start: usize,
    indent: usize,
    text: &'s str,
}

impl<'s> Row<'s> {
    /// The entry of a list without its dash, as if it stood in a line of its own.
    fn without_dash(self) -> Option<Row<'s>> {
        let rest = self.text.strip_prefix('-').filter(|rest| rest.is_empty() || rest.starts_with(' '))?;
        let text = rest.trim_start();
        let skipped = self.text.len() - text.len();
        Some(Row { start: self.start + skipped, indent: self.indent + skipped, text })
    }

    /// What stands after `key:`, if the line is of this key.
    fn value_of(self, key: &str) -> Option<Row<'s>> {
        let bare = |text: &'s str| text.strip_prefix(key);
        let quoted = |quote: char| self.text.strip_prefix(quote).and_then(bare).and_then(|rest| rest.strip_prefix(quote));
        let rest = bare(self.text).or_else(|| quoted('"')).or_else(|| quoted('\''))?;
        let text = rest.trim_start().strip_prefix(':')?.trim_start();
        let skipped = self.text.len() - text.len();
        Some(Row { start: self.start + skipped, indent: self.indent + skipped, text })
    }

    fn span(self) -> Range<usize> {
        let shown = self.text.split(" #").next().unwrap_or(self.text).trim_end();
        self.start..self.start + shown.len()
    }
}

/// Where a key and its value stand, in bytes; the value's place is the key's where it stands below.
struct Found {
    key: Range<usize>,
    value: Range<usize>,
}

/// The place of the value at the end of `path`: a plain scan of block style, since
/// the parser gives no place for faults at the root. Of a path that leads into flow style, `{a: 1}`, the line of the outermost.
fn find(text: &str, path: &[Step]) -> Option<Found> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let body = line.trim_start_matches(' ');
        if !body.trim().is_empty() && !body.starts_with('#') && !body.starts_with("---") {
            let indent = line.len() - body.len();
            rows.push(Row { start: start + indent, indent, text: body.trim_end() });
        }
        start += line.len();
    }
    let mut found = None;
    for step in path {
        let Some(next) = inside(&rows, step) else { break };
        found = Some(next.0);
        rows = next.1;
    }
    found
}

/// The place of one step among rows, and the rows that lie inside it.
fn inside<'s>(rows: &[Row<'s>], step: &Step) -> Option<(Found, Vec<Row<'s>>)> {
    let indent = rows.first()?.indent;
    let level = || rows.iter().enumerate().filter(|(_, row)| row.indent == indent);
    let below = |at: usize, list: bool| {
        let deeper = move |row: &&Row<'s>| indent < row.indent || (list && row.indent == indent && row.without_dash().is_some());
        rows[at + 1..].iter().take_while(deeper).copied()
    };
    match step {
        Step::Key(key) => {
            let (at, row, value) = level().find_map(|(at, row)| Some((at, *row, row.value_of(key)?)))?;
            let value = if value.text.is_empty() || value.text.starts_with('#') { row.span() } else { value.span() };
            Some((Found { key: row.start..row.start + key.len(), value }, below(at, true).collect()))
        }
        Step::Entry(number) => {
            let (at, entry) = level().filter_map(|(at, row)| Some((at, row.without_dash()?))).nth(*number)?;
            let found = Found { key: entry.span(), value: entry.span() };
            Some((found, std::iter::once(entry).chain(below(at, false)).collect()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = "# a plan\nname: race\ntargets:\n- a/b\n- target: c/d\n  name: \"x y\"  # mine\nlimits:\n  total_s: 0\nrounds: 0\n";

    fn found(path: &str) -> Option<&'static str> {
        find(PLAN, &steps(path)).map(|found| &PLAN[found.value])
    }

    #[test]
    fn a_value_is_found_where_it_stands() {
        assert_eq!(found("rounds"), Some("0"));
        assert_eq!(found("limits.total_s"), Some("0"));
        assert_eq!(found("targets[0]"), Some("a/b"));
        assert_eq!(found("targets[1].name"), Some("\"x y\""));
        assert_eq!(found("targets"), Some("targets:"));
        assert_eq!(found("seed"), None);
    }

    #[test]
    fn an_error_shows_the_line_and_a_caret() {
        let error = PlanError::at(Some(Source { file: "plan.yaml", text: PLAN }), "rounds", "0 rounds measure nothing; give at least 1");
        expect_test::expect![[r#"
            plan.yaml:9: rounds: 0 rounds measure nothing; give at least 1
              |
            9 | rounds: 0
              |         ^"#]]
        .assert_eq(&error.to_string());
    }

    #[test]
    fn without_a_file_the_key_alone_is_named() {
        let error = PlanError::at(None, "--rounds", "0 rounds measure nothing; give at least 1");
        assert_eq!(error.to_string(), "--rounds: 0 rounds measure nothing; give at least 1");
    }
}
