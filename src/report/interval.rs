//! Confidence intervals as people read them. A figure is rounded to its interval: two significant digits of the half-width (of the
//! lower arm, where the upper one is more than twice as long), the figure and both ends with the same decimals.

use super::number::{rounded, shown, significant};
use super::{Cell, Digits, Lang, Row};
use crate::stats::{Confidence, Interval};

/// An interval as it stands beside or below its figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Drawn {
    /// There is none, or it says nothing.
    Nothing,
    /// Both ends.
    Between(String),
    /// One end, or a word: all values are equal.
    Words(String),
}

impl Drawn {
    /// Below its figure.
    pub(super) fn bare(&self) -> &str {
        match self {
            Drawn::Nothing => "",
            Drawn::Between(text) | Drawn::Words(text) => text,
        }
    }
    /// Beside its figure.
    pub(super) fn bracketed(&self) -> String {
        match self {
            Drawn::Nothing => String::new(),
            Drawn::Between(text) => format!("[{text}]"),
            Drawn::Words(text) => format!("({text})"),
        }
    }
}

/// A figure and its interval. A figure without an interval has the digits of its column.
pub(super) fn figure(value: f64, interval: Option<Interval>, digits: Digits, lang: Lang) -> (String, Drawn) {
    let Some(interval) = interval else { return (shown(value, digits), Drawn::Nothing) };
    let (low, high) = (interval.low.at(), interval.high.at());
    let half = match (low, high) {
        // On the scale of ratios the upper arm may be many times the lower one: the figure keeps the digits of the shorter.
        (Some(low), Some(high)) if low < value && value < high && 2.0 * (value - low) < high - value => value - low,
        (Some(low), Some(high)) => (high - low) / 2.0,
        (Some(end), None) | (None, Some(end)) => (value - end).abs(),
        (None, None) => return (shown(value, digits), Drawn::Nothing),
    };
    let equal = low.zip(high).is_some_and(|(low, high)| all_equal(value, low, high));
    if equal || !(0.0 < half && half.is_finite()) {
        let words = if equal { lang.say("exact", "全同").to_owned() } else { one_sided(low, high, |end| shown(end, digits)) };
        return (shown(value, digits), Drawn::Words(words));
    }
    // A run whose rounds hardly differ does not earn a figure of ten digits.
    let decimals = two_digits_of(half).min(significant(value) as i32 + 3);
    // An end above 0 is not rounded to 0.
    let number = |end: f64| rounded(end, if 0.0 < end && end < 0.5 * 10f64.powi(-decimals) { two_digits_of(end) } else { decimals });
    let drawn = match (low, high) {
        (Some(low), Some(high)) => Drawn::Between(between(low, high, lang, number)),
        _ => Drawn::Words(one_sided(low, high, number)),
    };
    (number(value), drawn)
}

/// What is known of a figure that was never reached.
pub(super) fn never(interval: Option<Interval>, digits: Digits) -> Drawn {
    let low = interval.and_then(|interval| interval.low.at());
    low.map_or(Drawn::Nothing, |low| Drawn::Words(one_sided(Some(low), None, |end| shown(end, digits))))
}

/// The interval of a share, in percent.
pub(super) fn percent(share: Interval, lang: Lang) -> Drawn {
    let share = share.map(|end| end * 100.0);
    let (low, high) = (share.low.at(), share.high.at());
    // Whole percents, unless the interval is so narrow that they would hide it.
    let number = |value: f64| match low.zip(high).map(|(low, high)| (high - low) / 2.0) {
        Some(half) if 0.0 < half && half < 1.0 && value != 100.0 && value != 0.0 => rounded(value, two_digits_of(half).min(3)),
        _ => rounded(value, 0),
    };
    match (low, high) {
        (Some(low), Some(high)) => Drawn::Between(format!("{} %", between(low, high, lang, number))),
        (None, None) => Drawn::Nothing,
        _ => Drawn::Words(format!("{} %", one_sided(low, high, number))),
    }
}

/// What the intervals of rows mean, as far as such occur: one sentence, or nothing.
pub(super) fn explained<'a>(rows: impl Iterator<Item = &'a Row>, confidence: Confidence, lang: Lang) -> Option<String> {
    explained_over(rows, confidence, (lang.say("rounds", "轮"), lang))
}

/// The same, of intervals over something else than rounds, named in the language.
pub(super) fn explained_over<'a>(
    rows: impl Iterator<Item = &'a Row>,
    confidence: Confidence,
    (over, lang): (&str, Lang),
) -> Option<String> {
    let (mut any, mut one_sided, mut exact, mut within) = (false, false, false, false);
    for cell in rows.flat_map(|row| &row.cells) {
        within |= matches!(cell, Cell::Number { within: Some(_), .. });
        let Some(Interval { low, high }) = cell.interval() else { continue };
        any |= low.at().or(high.at()).is_some();
        one_sided |= low.at().is_some() != high.at().is_some();
        if let (Cell::Number { value, .. }, Some((low, high))) = (cell, low.at().zip(high.at())) {
            exact |= all_equal(*value, low, high);
        }
    }
    let percent = shown(confidence.share() * 100.0, Digits::Fine);
    let mut words = any.then(|| match lang {
        Lang::En => format!("Ranges are {percent} % confidence intervals, over {over}"),
        Lang::Zh => format!("范围是以{over}为单位的 {percent} % 置信区间"),
    })?;
    if one_sided {
        words.push_str(lang.say("; ≥ and ≤: the data bound it on that side only", "；≥、≤：数据只限定这一侧"));
    }
    if exact {
        words.push_str(lang.say("; exact: all values are equal", "；全同：所有取值相等"));
    }
    words.push_str(lang.say(".", "。"));
    if within {
        words.push_str(lang.say(
            " What the clock marks themselves leave open is another matter: measured_within in JSON.",
            "时间标记本身留下的不确定是另一回事：见 JSON 的 measured_within。",
        ));
    }
    Some(words)
}

/// Whether the ends meet, but for the last bits of a computation.
fn all_equal(value: f64, low: f64, high: f64) -> bool {
    high - low <= 1e-6 * value.abs()
}

fn between(low: f64, high: f64, lang: Lang, number: impl Fn(f64) -> String) -> String {
    // A dash between negative numbers would be read as one more sign.
    let dash = if low < 0.0 { lang.say(" to ", " 至 ") } else { "–" };
    format!("{}{dash}{}", number(low), number(high))
}

fn one_sided(low: Option<f64>, high: Option<f64>, number: impl Fn(f64) -> String) -> String {
    match (low, high) {
        (Some(low), _) => format!("≥ {}", number(low)),
        (None, Some(high)) => format!("≤ {}", number(high)),
        (None, None) => String::new(),
    }
}

/// The decimals that two significant digits of a positive number need; negative where they end before the point.
fn two_digits_of(half: f64) -> i32 {
    let exponent = format!("{half:.1e}");
    1 - exponent.split_once('e').and_then(|(_, e)| e.parse::<i32>().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Bound;

    fn drawn(value: f64, interval: Interval) -> String {
        let (number, drawn) = figure(value, Some(interval), Digits::Three, Lang::En);
        format!("{number} {}", drawn.bracketed())
    }

    #[test]
    fn a_figure_is_rounded_to_two_digits_of_its_half_width() {
        assert_eq!(drawn(37.8123, Interval::closed(36.07, 39.9)), "37.8 [36.1–39.9]");
        assert_eq!(drawn(1139.7, Interval::closed(1012.0, 1290.0)), "1140 [1010–1290]");
        assert_eq!(drawn(0.25, Interval::closed(0.2485, 0.2521)), "0.2500 [0.2485–0.2521]");
        assert_eq!(drawn(2600.0, Interval::closed(2598.02, 2601.98)), "2600.0 [2598.0–2602.0]");
        assert_eq!(drawn(12.0, Interval::closed(11.0, 13.0)), "12.0 [11.0–13.0]");
        // Half a width of 0.0996 is one of 0.10.
        assert_eq!(drawn(1.0, Interval::closed(0.9004, 1.0996)), "1.00 [0.90–1.10]");
        assert_eq!(drawn(37.8, Interval::closed(37.799_999_999, 37.800_000_001)), "37.8 (exact)");
        assert_eq!(drawn(-3.26, Interval::closed(-4.1, -2.2)), "−3.26 [−4.10 to −2.20]");
    }

    #[test]
    fn an_interval_of_a_ratio_keeps_its_figure_and_its_lower_end() {
        assert_eq!(drawn(10.4, Interval::closed(0.104, 1040.0)), "10 [0.10–1040]");
        assert_eq!(drawn(20.3, Interval::closed(0.031, 15_140.0)), "20 [0.031–15140]");
        assert_eq!(drawn(2.51, Interval::closed(1.4, 4.48)), "2.5 [1.4–4.5]");
    }

    #[test]
    fn an_end_that_the_data_do_not_bound_is_no_number() {
        let at_least = Interval { low: Bound::At(9.07), high: Bound::Open };
        assert_eq!(drawn(12.43, at_least), "12.4 (≥ 9.1)");
        assert_eq!(drawn(12.43, Interval { low: Bound::Open, high: Bound::At(13.0) }), "12.43 (≤ 13.00)");
        assert_eq!(drawn(12.43, Interval::OPEN), "12.4 ");
        assert_eq!(drawn(12.43, Interval { low: Bound::At(12.43), high: Bound::Open }), "12.4 (≥ 12.4)");
        assert_eq!(never(Some(at_least), Digits::Three).bracketed(), "(≥ 9.07)");
        assert_eq!(never(None, Digits::Three), Drawn::Nothing);
    }

    #[test]
    fn values_that_are_all_equal_are_called_so() {
        assert_eq!(drawn(300.0, Interval::closed(300.0, 300.0)), "300 (exact)");
        assert_eq!(figure(300.0, Some(Interval::closed(300.0, 300.0)), Digits::Tenths, Lang::Zh).1.bracketed(), "(全同)");
    }

    #[test]
    fn a_share_is_in_whole_percents_unless_they_would_hide_it() {
        assert_eq!(percent(Interval::closed(0.7695, 0.9604), Lang::En).bracketed(), "[77–96 %]");
        assert_eq!(percent(Interval::closed(0.99867, 1.0), Lang::En).bracketed(), "[99.867–100 %]");
        assert_eq!(percent(Interval::closed(0.0, 0.1611), Lang::En).bare(), "0–16 %");
    }
}
