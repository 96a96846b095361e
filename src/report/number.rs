//! Numbers as people read them.

/// How many digits a number is printed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digits {
    /// One decimal: milliseconds.
    Tenths,
    /// Three significant digits, and no less than whole numbers: seconds and rates.
    Three,
    /// At least one decimal and three significant digits, but none behind a whole number: columns of mixed units.
    Fine,
    /// A whole number.
    Whole,
}

/// A number as it is printed. Infinite and undefined numbers do not occur in a table; should one, it is named as such.
pub fn shown(value: f64, digits: Digits) -> String {
    let decimals = match digits {
        Digits::Tenths => 1,
        Digits::Whole => 0,
        Digits::Fine if value.fract() == 0.0 => 0,
        Digits::Fine => significant(value).max(1),
        Digits::Three => significant(value),
    };
    rounded(value, decimals as i32)
}

/// A number with so many decimals; with fewer than none it is rounded to tens, hundreds and so on.
pub(super) fn rounded(value: f64, decimals: i32) -> String {
    if !value.is_finite() {
        return if value.is_nan() { "undefined".into() } else { "∞".into() };
    }
    let text = match usize::try_from(decimals) {
        Ok(decimals) => format!("{value:.decimals$}"),
        Err(_) => {
            let step = 10f64.powi(-decimals);
            format!("{:.0}", (value / step).round() * step)
        }
    };
    match text.strip_prefix('-') {
        Some(zero) if zero.chars().all(|c| matches!(c, '0' | '.')) => zero.to_owned(),
        Some(size) => format!("−{size}"),
        None => text,
    }
}

/// The decimals that three significant digits need, up to the millionth.
pub(super) fn significant(value: f64) -> usize {
    let mut next = 99.95;
    for decimals in 0..6 {
        if next <= value.abs() {
            return decimals;
        }
        next /= 10.0;
    }
    if value == 0.0 { 0 } else { 6 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_as_many_digits_as_they_deserve() {
        let three: Vec<String> = [0.0123, 0.9999, 1.234, 9.999, 13.21, 99.96, 2600.4].iter().map(|x| shown(*x, Digits::Three)).collect();
        assert_eq!(three, ["0.0123", "1.00", "1.23", "10.0", "13.2", "100", "2600"]);
        assert_eq!(shown(1234.56, Digits::Tenths), "1234.6");
        assert_eq!(shown(-0.01, Digits::Tenths), "0.0");
        assert_eq!(shown(-3.26, Digits::Tenths), "−3.3");
        assert_eq!([0.0, 0.000549, 0.0000001].map(|x| shown(x, Digits::Three)), ["0", "0.000549", "0.000000"]);
        assert_eq!([2.0, 322.44, 0.39, -0.0].map(|x| shown(x, Digits::Fine)), ["2", "322.4", "0.390", "0"]);
    }
}
