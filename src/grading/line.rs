//! Which line of a reply gives its answer: the last one that reads `Answer: …` or `答案：…`.

use crate::record::Unread;

/// What a line may begin with. The longer ones come first, since the shorter are their ends.
const LABELS: [&str; 4] = ["final answer", "answer", "最终答案", "答案"];

/// What stands behind the colon of the answer's line, marks and all.
pub(super) fn given(content: &str) -> Result<&str, Unread> {
    if content.trim().is_empty() {
        return Err(Unread::NoContent);
    }
    let (mut open, mut found, mut in_code) = (None::<&str>, None, false);
    for line in answered(content).split(['\n', '\r']) {
        match (open, fence(line)) {
            // A closing fence is of the same sign, at least as long, and nothing stands behind it.
            (Some(opened), Some((mark, rest))) if mark.starts_with(opened) && rest.trim().is_empty() => open = None,
            (None, Some((mark, _))) => open = Some(mark),
            (None, None) => found = behind_label(line).or(found),
            (Some(_), _) => in_code |= behind_label(line).is_some(),
        }
    }
    match found {
        Some(given) if given.trim_matches(is_mark).is_empty() => Err(Unread::Nothing),
        Some(given) => Ok(given),
        None if in_code => Err(Unread::InCode),
        None => Err(Unread::NoLine),
    }
}

/// The content without thinking that the provider left in it: what stands behind the last closing tag. Thinking that never closed has no
/// answer behind it.
fn answered(content: &str) -> &str {
    match content.rfind("</think>") {
        Some(at) => &content[at + "</think>".len()..],
        None if content.trim_start().starts_with("<think>") => "",
        None => content,
    }
}

/// The marks that open or close a block of code, and what stands behind them.
fn fence(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start();
    let sign = line.chars().next().filter(|sign| matches!(sign, '`' | '~'))?;
    let rest = line.trim_start_matches(sign);
    let mark = &line[..line.len() - rest.len()];
    // Backticks behind backticks are code within a line.
    (3 <= mark.len() && !(sign == '`' && rest.contains('`'))).then_some((mark, rest))
}

/// What stands behind label and colon, where the line begins with them.
fn behind_label(line: &str) -> Option<&str> {
    let line = line.trim_start_matches(|c: char| is_mark(c) || matches!(c, '#' | '>' | '-' | '+'));
    let rest = LABELS.iter().find_map(|label| strip_prefix_of_any_case(line, label))?;
    let rest = rest.trim_start_matches(is_mark);
    rest.strip_prefix(':').or_else(|| rest.strip_prefix('：'))
}

fn strip_prefix_of_any_case<'a>(line: &'a str, label: &str) -> Option<&'a str> {
    line.get(..label.len()).filter(|head| head.eq_ignore_ascii_case(label)).map(|_| &line[label.len()..])
}

/// Marks of emphasis, code and formulas, and blanks.
pub(super) fn is_mark(c: char) -> bool {
    c.is_whitespace() || matches!(c, '*' | '_' | '`' | '$')
}
