//! Texts of providers and users made harmless, for each place they are written to.

/// One line without control characters, escape sequences and characters that turn the direction of writing or show nothing. What is
/// taken out leaves a visible trace, so that two different names stay different.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' | '\n' | '\r' => out.push(' '),
            c if is_unsafe(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// Control characters (escape sequences begin with one), and what reorders or hides the text around it.
pub(super) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{180E}' | '\u{3164}' | '\u{FFA0}'
            | '\u{200B}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}'
            | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E007F}')
}

/// Text for a Markdown document: no markup, no HTML, no link and no mention comes out of it.
pub(super) fn markdown(text: &str) -> String {
    let mut out = String::new();
    let mut before = ' ';
    let text = plain(text);
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // An address or a mention would become a link by itself.
            '@' => out.push_str("&#64;"),
            ':' if rest.as_str().starts_with('/') => out.push_str("&#58;"),
            '.' if before == 'w' || before == 'W' => out.push_str("&#46;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' | '$' => out.extend(['\\', c]),
            c => out.push(c),
        }
        before = c;
    }
    out
}

/// Text for a cell of a spreadsheet: none is taken for a formula, not even behind blanks.
pub(super) fn spreadsheet(text: &str) -> String {
    let text = plain(text);
    let formula = text.trim_start().starts_with(['=', '+', '-', '@', '|', '%', '\u{FF1D}', '\u{FF0B}', '\u{FF0D}', '\u{FF20}']);
    if formula { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_turned_text_lose_their_power_and_leave_a_trace() {
        let text = plain("a\u{1b}]0;title\u{7}b\u{202e}c\nd\u{9b}31m\u{feff}");
        assert_eq!(text, "a\\u{1b}]0;title\\u{7}b\\u{202e}c d\\u{9b}31m\\u{feff}");
        assert_eq!(plain("讯飞开放平台"), "讯飞开放平台");
        assert_ne!(plain("a\u{200b}b"), plain("ab"));
    }

    #[test]
    fn markup_is_shown_as_written() {
        assert_eq!(markdown("<img src=x>|`a`*b*"), "&lt;img src=x&gt;\\|\\`a\\`\\*b\\*");
        assert_eq!(markdown("[x](http://evil) @all www.evil"), "\\[x\\](http&#58;//evil) &#64;all www&#46;evil");
    }

    #[test]
    fn no_cell_is_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"] {
            assert!(spreadsheet(text).starts_with('\''), "{text:?}");
        }
        assert_eq!(spreadsheet("deepseek/v4-pro"), "deepseek/v4-pro");
    }
}
