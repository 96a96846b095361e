//! Numbers as people read them.

/// How many digits a number is printed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digits {
    /// One decimal: milliseconds.
    Tenths,
    /// Three significant digits and at most three decimals: seconds and rates.
    Three,
    /// A whole number.
    Whole,
}

/// A number as it is printed. Infinite and undefined numbers do not occur in a table; should one, it is named as such.
pub fn shown(value: f64, digits: Digits) -> String {
    if !value.is_finite() {
        return if value.is_nan() { "undefined".into() } else { "∞".into() };
    }
    let decimals = match digits {
        Digits::Tenths => 1,
        Digits::Whole => 0,
        Digits::Three => match value.abs() {
            size if 99.95 <= size => 0,
            size if 9.995 <= size => 1,
            size if 0.9995 <= size => 2,
            _ => 3,
        },
    };
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(zero) if zero.chars().all(|c| matches!(c, '0' | '.')) => zero.to_owned(),
        Some(size) => format!("−{size}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_as_many_digits_as_they_deserve() {
        let three: Vec<String> = [0.0123, 0.9999, 1.234, 9.999, 13.21, 99.96, 2600.4].iter().map(|x| shown(*x, Digits::Three)).collect();
        assert_eq!(three, ["0.012", "1.00", "1.23", "10.0", "13.2", "100", "2600"]);
        assert_eq!(shown(1234.56, Digits::Tenths), "1234.6");
        assert_eq!(shown(-0.01, Digits::Tenths), "0.0");
        assert_eq!(shown(-3.26, Digits::Tenths), "−3.3");
    }
}
