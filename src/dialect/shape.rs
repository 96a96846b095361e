//! Most chunks of a stream are the chunk before with another text. Such a chunk need not be parsed again: if it begins and ends with the
//! very bytes around the text of a chunk that was parsed, and what lies between is the inside of a JSON string without escapes, then a
//! parser would stand in the same place after the same bytes, and everything but that text is as it was.

use crate::timeline::Phase;

/// The bytes around the one text of the chunk parsed last.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// What stands before the text, then what stands after it, quotes included; empty if that chunk held more than one text.
    bytes: Vec<u8>,
    before: usize,
    phase: Phase,
}

impl Shape {
    /// The text of a chunk that has this shape. An empty text has none: another field may count in its place.
    pub fn text<'a>(&self, data: &'a [u8]) -> Option<(Phase, &'a str)> {
        if self.bytes.is_empty() {
            return None;
        }
        let (before, after) = self.bytes.split_at(self.before);
        let inside = data.strip_prefix(before)?.strip_suffix(after)?;
        // Without an early end, which lets the compiler look at many bytes at once.
        let odd = inside.iter().fold(inside.is_empty(), |odd, byte| odd | (*byte < b' ') | (*byte == b'"') | (*byte == b'\\'));
        let text = std::str::from_utf8(inside).ok().filter(|_| !odd)?;
        Some((self.phase, text))
    }

    /// Another chunk was parsed: `text`, where it borrows from `data`, is all that its like may differ in.
    pub fn learn(&mut self, data: &[u8], phase: Phase, text: &str) {
        self.forget();
        let Some(before) = text.as_ptr().addr().checked_sub(data.as_ptr().addr()) else { return };
        let after = before + text.len();
        let quote = |at: usize| data.get(at) == Some(&b'"');
        // A text with escapes was copied, so that it lies elsewhere.
        if before == 0 || !quote(before - 1) || !quote(after) {
            return;
        }
        self.bytes.extend_from_slice(&data[..before]);
        self.bytes.extend_from_slice(&data[after..]);
        (self.before, self.phase) = (before, phase);
    }

    /// The chunk parsed last is like no other.
    pub fn forget(&mut self) {
        self.bytes.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(data: &str, text: &str) -> Shape {
        let mut shape = Shape::default();
        let at = data.find(text).unwrap();
        shape.learn(data.as_bytes(), Phase::Content, &data[at..at + text.len()]);
        shape
    }

    #[test]
    fn only_a_plain_text_between_the_same_bytes_is_read_without_parsing() {
        let shape = shape(r#"{"a":"hello","b":1}"#, "hello");
        let read = |data: &[u8]| shape.text(data).map(|(_, text)| text.to_owned());
        assert_eq!(read("{\"a\":\"é, {x}\u{7f}\",\"b\":1}".as_bytes()), Some("é, {x}\u{7f}".to_owned()));
        let others: [&[u8]; 8] = [
            br#"{"a":"","b":1}"#,
            br#"{"a":"x\n","b":1}"#,
            br#"{"a":"x","c":"y","b":1}"#,
            br#"{"a":"x","b":2}"#,
            b"{\"a\":\"x\ny\",\"b\":1}",
            b"{\"a\":\"\xff\",\"b\":1}",
            br#"{"a":null,"b":1}"#,
            br#"{"a":"b":1}"#,
        ];
        for data in others {
            assert_eq!(read(data), None, "{}", String::from_utf8_lossy(data));
        }
    }

    #[test]
    fn a_text_that_was_copied_gives_no_shape() {
        let mut shape = Shape::default();
        shape.learn(br#"{"a":"x\ny"}"#, Phase::Content, &String::from("x\ny"));
        assert_eq!(shape.text(br#"{"a":"x"}"#), None);
    }
}
