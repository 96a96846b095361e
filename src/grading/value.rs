//! What an answer's line holds against the exact answer: numbers exactly as numbers, words as words.

use super::line::is_mark;
use crate::record::{Graded, Unread};

/// So many shells of marks are taken off; what is packed deeper was not written by somebody who wanted to be read.
const DEEPEST: usize = 8;
/// Commands that only dress their argument.
const DRESS: [&str; 7] = ["\\boxed", "\\fbox", "\\text", "\\textbf", "\\mathrm", "\\mathbf", "\\mathit"];
/// Signs that stand around an answer in pairs.
const PAIRS: [(&str, &str); 7] = [("\\(", "\\)"), ("\\[", "\\]"), ("\"", "\""), ("'", "'"), ("“", "”"), ("「", "」"), ("『", "』")];

/// Holds what was given against the exact answer.
pub(super) fn compare(given: &str, exact: &str) -> Graded {
    let (given, exact) = (bare(given), bare(exact));
    if given.is_empty() {
        return Graded::Unread(Unread::Nothing);
    }
    match (Number::parse(&given), Number::parse(&exact)) {
        (Some(given), Some(exact)) => match given.equals(exact) {
            Some(true) => Graded::Correct,
            Some(false) => Graded::Wrong,
            None => Graded::Unread(Unread::NoNumber),
        },
        (None, Some(_)) => Graded::Unread(Unread::NoNumber),
        (_, None) if words(&given) == words(&exact) => Graded::Correct,
        (_, None) if words(&given).contains(&words(&exact)) => Graded::Unread(Unread::More),
        (_, None) => Graded::Wrong,
    }
}

/// The answer without what it is dressed in: half-width, no marks of emphasis, formula or quotation around it, no full stop behind it.
fn bare(text: &str) -> String {
    let half: String = text.chars().map(half_width).collect();
    let mut text = half.as_str();
    for _ in 0..DEEPEST {
        let before = text;
        text = text.trim_matches(is_mark);
        text = text.strip_suffix(['.', '。']).unwrap_or(text).trim_end_matches(is_mark);
        text = PAIRS.iter().find_map(|(open, close)| text.strip_prefix(open)?.strip_suffix(close)).unwrap_or(text);
        let argument = |command: &str| text.strip_prefix(command)?.strip_prefix('{')?.strip_suffix('}');
        text = DRESS.iter().find_map(|command| argument(command)).unwrap_or(text);
        if text == before {
            break;
        }
    }
    text.to_owned()
}

/// The ASCII letter of a full-width one; any other sign as it is.
fn half_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '−' => '-',
        other if other.is_whitespace() => ' ',
        other => other,
    }
}

/// Words in small letters, one blank between them.
fn words(text: &str) -> String {
    text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A rational number, so that 0.1 is a tenth and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Number {
    over: i128,
    under: i128,
}

impl Number {
    /// Reads an integer, a decimal number, or a fraction `a/b`, `\frac{a}{b}`. `None` for anything else, and for what is too long.
    fn parse(text: &str) -> Option<Number> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest.trim_start()),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let fraction =
            ["\\frac{", "\\dfrac{", "\\tfrac{"].iter().find_map(|open| text.strip_prefix(open)?.strip_suffix('}')?.split_once("}{"));
        let number = match fraction.or_else(|| text.split_once('/')) {
            Some((over, under)) => Number::plain(over.trim_end())?.divided(Number::plain(under.trim_start())?)?,
            None => Number::plain(text)?,
        };
        Some(if negative { Number { over: -number.over, ..number } } else { number })
    }

    /// Digits, with or without separators of thousands, with or without a decimal part.
    fn plain(text: &str) -> Option<Number> {
        let text = text.replace("{,}", ",").replace("\\,", ",");
        let (whole, decimals) = match text.split_once('.') {
            Some((whole, decimals)) if all_digits(decimals) => (whole, decimals),
            Some(_) => return None,
            None => (text.as_str(), ""),
        };
        let whole = without_separators(whole)?;
        let digits = format!("{whole}{decimals}");
        let under = 10i128.checked_pow(u32::try_from(decimals.len()).ok()?)?;
        Some(Number { over: digits.parse().ok()?, under })
    }

    fn divided(self, by: Number) -> Option<Number> {
        let (over, under) = (self.over.checked_mul(by.under)?, self.under.checked_mul(by.over)?);
        (under != 0).then_some(Number { over, under })
    }

    /// Whether both are one number; `None` where they are too long to be told.
    fn equals(self, other: Number) -> Option<bool> {
        Some(self.over.checked_mul(other.under)? == other.over.checked_mul(self.under)?)
    }
}

/// Digits without their separators: groups of three behind the first, all parted by the same sign.
fn without_separators(text: &str) -> Option<String> {
    let Some(separator) = text.chars().find(|c| matches!(c, ',' | ' ')) else {
        return all_digits(text).then(|| text.to_owned());
    };
    let groups: Vec<&str> = text.split(separator).collect();
    let (first, rest) = groups.split_first()?;
    let sound = (1..=3).contains(&first.len()) && rest.iter().all(|group| group.len() == 3);
    (sound && groups.iter().all(|group| all_digits(group))).then(|| groups.concat())
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_exactly_and_not_as_floats() {
        let same = |a: &str, b: &str| Number::parse(a).unwrap().equals(Number::parse(b).unwrap());
        assert_eq!(same("0.1", "1/10"), Some(true));
        assert_eq!(same("0.30000000000000000001", "0.3"), Some(false));
        assert_eq!(same("9007199254740993", "9007199254740992"), Some(false));
        assert_eq!(same("-0", "0"), Some(true));
        assert_eq!(same("170141183460469231731687303715884105727", "0.5"), None);
        for none in ["", "-", "1.", ".5", "1e3", "1,23", ",123", "1/2/3", "1/0", "0x1f", "½", "٣", "12 34", "--1", "5%"] {
            assert_eq!(Number::parse(none), None, "{none}");
        }
    }

    #[test]
    fn dress_is_taken_off_in_any_order() {
        for dressed in ["**四**。", "「四」", "`四`", "$\\text{四}$", "\\(\\boxed{\\mathrm{四}}\\).", " _四_ "] {
            assert_eq!(bare(dressed), "四", "{dressed}");
        }
        assert_eq!(bare("a.b."), "a.b");
        assert_eq!(bare("{x}"), "{x}");
    }
}
