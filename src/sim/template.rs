//! Lines with `$names` in them, made ready once a reply so that a token costs a few copies.

use std::fmt::Write;

/// A value that differs from chunk to chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Live {
    Text,
    Completion,
    Total,
    Reasoning,
    Pad,
}

const LIVE: [(&str, Live); 5] =
    [("text", Live::Text), ("completion", Live::Completion), ("total", Live::Total), ("reasoning", Live::Reasoning), ("pad", Live::Pad)];

/// Tokens so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    /// Of the prompt.
    pub prompt: usize,
    /// Of the whole reply so far.
    pub completion: usize,
    /// Of the reasoning so far.
    pub reasoning: usize,
    /// What is said to be the total.
    pub total: usize,
    /// Chunks with text so far.
    pub chunks: usize,
}

/// A line with gaps.
#[derive(Debug, Clone, Default)]
pub struct Template {
    before: String,
    gaps: Vec<(Live, String)>,
}

impl Template {
    /// Fills in what is known for the whole reply: `known` gives a value for a name. Names that nobody knows stay as they are.
    pub fn new(line: &str, known: &dyn Fn(&str) -> Option<String>) -> Template {
        let mut template = Template::default();
        let mut rest = line;
        while let Some(at) = rest.find('$') {
            template.push(&rest[..at]);
            let (name, after) = name(&rest[at + 1..]);
            if let Some((_, live)) = LIVE.iter().find(|(of, _)| *of == name) {
                template.gaps.push((*live, String::new()));
            } else if let Some(value) = known(name) {
                template.push(&value);
            } else {
                template.push(&rest[at..rest.len() - after.len()]);
            }
            rest = after;
        }
        template.push(rest);
        template
    }

    fn push(&mut self, text: &str) {
        match self.gaps.last_mut() {
            None => self.before.push_str(text),
            Some((_, after)) => after.push_str(text),
        }
    }

    /// Writes the line; `text` must be escaped already.
    pub fn write(&self, text: &str, counts: &Counts, out: &mut Vec<u8>) {
        out.extend_from_slice(self.before.as_bytes());
        for (live, after) in &self.gaps {
            match live {
                Live::Text => out.extend_from_slice(text.as_bytes()),
                Live::Completion => number(counts.completion, out),
                Live::Total => number(counts.total, out),
                Live::Reasoning => number(counts.reasoning, out),
                Live::Pad => out.extend((0..=counts.chunks % 6).flat_map(|_| *b"xY")),
            }
            out.extend_from_slice(after.as_bytes());
        }
    }
}

/// The name at the start of a text, and what follows it. `$(name)` ends at the bracket.
fn name(text: &str) -> (&str, &str) {
    if let Some((name, after)) = text.strip_prefix('(').and_then(|inner| inner.split_once(')')) {
        return (name, after);
    }
    let end = text.find(|c: char| !(c.is_ascii_lowercase() || c == '_')).unwrap_or(text.len());
    text.split_at(end)
}

/// Decimal digits without a detour over a string.
pub fn number(mut value: usize, out: &mut Vec<u8>) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            return out.extend_from_slice(&digits[at..]);
        }
    }
}

/// A text as it stands between the quotes of a JSON string; ASCII controls as `\u00xx`.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if (control as u32) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", control as u32);
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_filled_in_two_steps() {
        let known = |name: &str| (name == "model").then(|| "m$text".to_owned());
        let template = Template::new(r#"{"model":"$model","t":"$text","n":$completion,"at":"$(model)000","$1":"$who"}"#, &known);
        let mut out = Vec::new();
        template.write(" river", &Counts { completion: 120, ..Counts::default() }, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), r#"{"model":"m$text","t":" river","n":120,"at":"m$text000","$1":"$who"}"#);
    }

    #[test]
    fn a_text_is_escaped_as_json_wants_it() {
        for text in ["a\"b\\c\n\r\t\u{1b}]0;x\u{7}\u{0}", "河 \u{202e}"] {
            let json = format!("\"{}\"", escaped(text));
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }
}
