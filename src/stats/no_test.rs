//! Why a test has no result.

use serde::Serialize;

/// What kept a test from being made. Never a NaN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum NoTest {
    /// Fewer than two groups, rows or columns hold values.
    #[error("fewer than two groups hold values")]
    TooFewGroups,
    /// The values are too few for what they should be divided into.
    #[error("too few values")]
    TooFewValues,
    /// The values fall on too few different hours.
    #[error("the values fall on too few different hours")]
    TooFewHours,
    /// All values are equal.
    #[error("all values are equal")]
    AllEqual,
    /// The values are equal inside every group, or lie symmetrically in groups of two.
    #[error("the deviations do not vary inside the groups")]
    NoSpreadInside,
    /// Rows of different lengths, or lists that belong together and are not of one length.
    #[error("lists of different lengths")]
    Ragged,
    /// A value is infinite or undefined.
    #[error("a value is not finite")]
    NotFinite,
}

/// The rows and columns of a table without gaps: at least so many rows and two columns.
pub(super) fn full_table(rows: &[Vec<f64>], least_rows: usize) -> Result<(usize, usize), NoTest> {
    let (n, k) = (rows.len(), rows.first().map_or(0, Vec::len));
    if rows.iter().any(|row| row.len() != k) {
        return Err(NoTest::Ragged);
    }
    finite(rows.iter().flatten())?;
    if n < least_rows || k < 2 { Err(NoTest::TooFewGroups) } else { Ok((n, k)) }
}

/// The groups that hold values: at least two of them.
pub(super) fn groups_held(groups: &[Vec<f64>]) -> Result<Vec<&[f64]>, NoTest> {
    finite(groups.iter().flatten())?;
    let held: Vec<&[f64]> = groups.iter().map(Vec::as_slice).filter(|group| !group.is_empty()).collect();
    if held.len() < 2 { Err(NoTest::TooFewGroups) } else { Ok(held) }
}

/// Every value is a number.
pub(super) fn finite<'a>(mut values: impl Iterator<Item = &'a f64>) -> Result<(), NoTest> {
    if values.all(|value| value.is_finite()) { Ok(()) } else { Err(NoTest::NotFinite) }
}
