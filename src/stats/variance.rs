//! How much of the spread of a table comes from its rows, how much from its columns, how much from neither.

use super::NoTest;
use super::no_test::full_table;
use serde::Serialize;

/// Components of variance of a table with one value a cell, by the method of moments.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct VarianceComponents {
    /// Mean square between rows, between columns, and of the rest.
    pub mean_squares: Parts<f64>,
    /// Variance of each; an estimate below 0 is 0.
    pub variances: Parts<f64>,
    /// Its share of their sum; absent where nothing varies.
    pub shares: Option<Parts<f64>>,
}

/// One figure each for rows, columns and the rest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Parts<T> {
    /// Of the rows.
    pub rows: T,
    /// Of the columns.
    pub columns: T,
    /// Of what neither explains.
    pub residual: T,
}

/// The components of variance of a table of at least two rows and two columns.
pub fn variance_components(table: &[Vec<f64>]) -> Result<VarianceComponents, NoTest> {
    let (n, k) = full_table(table, 2)?;
    let (rows, columns) = (n as f64, k as f64);
    let row_means: Vec<f64> = table.iter().map(|row| row.iter().sum::<f64>() / columns).collect();
    let column_means: Vec<f64> = (0..k).map(|column| table.iter().map(|row| row[column]).sum::<f64>() / rows).collect();
    let grand = row_means.iter().sum::<f64>() / rows;
    let squares = |means: &[f64]| means.iter().map(|mean| (mean - grand).powi(2)).sum::<f64>();
    let cells =
        table.iter().zip(&row_means).flat_map(|(row, of_row)| row.iter().zip(&column_means).map(move |(x, c)| x - of_row - c + grand));
    let mean_squares = Parts {
        rows: columns * squares(&row_means) / (rows - 1.0),
        columns: rows * squares(&column_means) / (columns - 1.0),
        residual: cells.map(|rest| rest * rest).sum::<f64>() / ((rows - 1.0) * (columns - 1.0)),
    };
    let variances = Parts {
        rows: ((mean_squares.rows - mean_squares.residual) / columns).max(0.0),
        columns: ((mean_squares.columns - mean_squares.residual) / rows).max(0.0),
        residual: mean_squares.residual,
    };
    let total = variances.rows + variances.columns + variances.residual;
    let shares = (0.0 < total).then(|| Parts {
        rows: variances.rows / total,
        columns: variances.columns / total,
        residual: variances.residual / total,
    });
    Ok(VarianceComponents { mean_squares, variances, shares })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_the_columns_vary_in_is_theirs() {
        let found = variance_components(&vec![vec![1.0, 2.0, 4.0]; 5]).unwrap();
        assert_eq!(found.shares.map(|shares| (shares.rows, shares.columns)), Some((0.0, 1.0)));
    }

    #[test]
    fn nothing_varies_and_nothing_is_shared() {
        assert_eq!(variance_components(&vec![vec![0.5; 3]; 2]).unwrap().shares, None);
        assert_eq!(variance_components(&[vec![1.0, 2.0]]), Err(NoTest::TooFewGroups));
        assert_eq!(variance_components(&[vec![1.0, 2.0], vec![1.0]]), Err(NoTest::Ragged));
    }
}
