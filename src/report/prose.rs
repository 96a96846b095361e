//! Sentences in a terminal: wrapped by columns, at blanks, and in Chinese (which has none) between any two characters, but not before a
//! mark that closes and not behind one that opens.

use super::harmless::plain;
use anstyle::Style;
use std::fmt::Write;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Marks that begin no line.
const CLOSING: &str = "，。、；：！？）」』】》〉”’…—·%),.;:!?]}";
/// Marks that end no line.
const OPENING: &str = "（「『【《〈“‘([{";

/// Writes a sentence. All lines but the first are indented.
pub(super) fn prose(out: &mut String, text: &str, width: usize, indent: usize, style: Style) {
    hung(out, "", text, indent, width, style);
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

/// Heads, each with its sentences below, and a blank line after all of them.
pub(super) fn said_under(out: &mut String, all: &[(String, Vec<String>)], width: usize) {
    for (head, lines) in all {
        prose(out, head, width, 2, Style::new().bold());
        lines.iter().for_each(|line| hung(out, "  ", line, 4, width, Style::new()));
    }
    if !all.is_empty() {
        out.push('\n');
    }
}

/// Writes a sentence behind a head that is kept as it is. All lines but the first are indented.
pub(super) fn hung(out: &mut String, head: &str, text: &str, indent: usize, width: usize, style: Style) {
    let width = width.max(20);
    let indent = " ".repeat(indent.min(width / 2));
    let mut lines: Vec<String> = vec![head.to_owned()];
    let (mut used, mut fresh) = (head.width(), true);
    for (behind_blank, piece) in pieces(&plain(text)) {
        let blank = usize::from(behind_blank && !fresh);
        let fits_below = piece.width() <= width - indent.len();
        if width < used + blank + piece.width() && fits_below {
            lines.push(indent.clone());
            used = indent.len();
        } else if 0 < blank && used < width {
            // What is too wide for any line fills this one and goes on in the next.
            lines.iter_mut().last().into_iter().for_each(|line| line.push(' '));
            used += 1;
        }
        for c in piece.chars() {
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

/// What stays together in a line, and whether a blank stood before it.
fn pieces(text: &str) -> Vec<(bool, String)> {
    let mut pieces: Vec<(bool, String)> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let mut before: Option<char> = None;
        for c in word.chars() {
            match (before, pieces.last_mut()) {
                (Some(before), Some((_, piece))) if !may_break(before, c) => piece.push(c),
                _ => pieces.push((before.is_none(), c.to_string())),
            }
            before = Some(c);
        }
    }
    pieces
}

fn may_break(before: char, after: char) -> bool {
    let wide = |c: char| c.width() == Some(2);
    (wide(before) || wide(after)) && !CLOSING.contains(after) && !OPENING.contains(before)
}

/// A text of at most `width` columns; what is longer ends in an ellipsis.
pub(super) fn cut(text: &str, width: usize) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &str, width: usize) -> String {
        let mut out = String::new();
        prose(&mut out, text, width, 2, Style::new());
        out
    }

    #[test]
    fn prose_is_wrapped_by_columns_not_by_characters() {
        let out = wrapped("讯飞开放平台与硅基流动的比较以及更多内容 and then some words", 24);
        assert!(out.lines().all(|line| line.width() <= 24), "{out}");
        assert_eq!(out.replace(['\n', ' '], ""), "讯飞开放平台与硅基流动的比较以及更多内容andthensomewords");
    }

    #[test]
    fn no_line_begins_with_a_mark_that_closes_or_ends_with_one_that_opens() {
        let text =
            "时延是所有已发请求的分位数，失败的请求永远不会到达（记为未达到）。速度是成功回复的中位数、不含成批到达的回复；共 20 个。";
        for width in 20..60 {
            let out = wrapped(text, width);
            for line in out.lines() {
                assert!(line.width() <= width, "{width}: {line}");
                assert!(!line.trim_start().starts_with(|c| CLOSING.contains(c)), "{width}: {line}");
                assert!(!line.ends_with(|c| OPENING.contains(c)), "{width}: {line}");
            }
            assert_eq!(out.replace(['\n', ' '], ""), text.replace(' ', ""));
        }
    }

    #[test]
    fn a_name_is_cut_by_columns() {
        assert_eq!(cut("讯飞开放平台", 7), "讯飞开…");
        assert_eq!(cut("groq", 7), "groq");
    }
}
