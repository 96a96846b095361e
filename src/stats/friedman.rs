//! Do the columns of a table differ, the rows being blocks?

use super::mid_ranks::mid_ranks;
use super::no_test::full_table;
use super::student::{chi2_above, f_above};
use super::{Extended, NoTest};
use serde::Serialize;

/// Friedman's test (1937), and the sharper form of Iman and Davenport (1980).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Friedman {
    /// Friedman's Q, corrected for ties: χ² with k − 1 degrees of freedom.
    pub chi2: f64,
    /// k − 1.
    pub df: usize,
    /// p of "the columns do not differ" from χ².
    pub p: f64,
    /// Kendall's W, Q/(n(k − 1)): 0 for no agreement of the rows, 1 for full.
    pub kendall_w: f64,
    /// Iman and Davenport's F, (n − 1)Q/(n(k − 1) − Q), with k − 1 and (k − 1)(n − 1) degrees of freedom; `Never`, beyond any number,
    /// where all rows agree; absent for a single row.
    pub f: Option<Extended>,
    /// p of "the columns do not differ" from F; 0 where all rows agree.
    pub p_f: Option<f64>,
    /// Mean rank of each column; 1 is the smallest value.
    pub mean_ranks: Vec<f64>,
}

/// Friedman's test of a table: rows are blocks, columns are what is compared. Refuses where every row is one value throughout.
pub fn friedman(rows: &[Vec<f64>]) -> Result<Friedman, NoTest> {
    let (n, k) = full_table(rows, 1)?;
    let ranked: Vec<Vec<f64>> = rows.iter().map(|row| mid_ranks(row).ranks).collect();
    let middle = (k + 1) as f64 / 2.0;
    let off_middle = |column: usize| ranked.iter().map(|row| row[column] - middle).sum::<f64>();
    // Ranks are halves of whole numbers: both sums are exact, and so is the test for full agreement.
    let between: f64 = (0..k).map(|column| off_middle(column).powi(2)).sum();
    let inside: f64 = ranked.iter().flatten().map(|rank| (rank - middle).powi(2)).sum();
    if inside <= 0.0 {
        return Err(NoTest::AllEqual);
    }
    let (clusters, df) = (n as f64, (k - 1) as f64);
    let chi2 = df * between / inside;
    let left = clusters * inside - between;
    let f = match n {
        1 => None,
        _ if left <= 0.0 => Some(Extended::Never),
        _ => Some(Extended::Finite((clusters - 1.0) * between / left)),
    };
    let p_of = |f: Extended| f.finite().map_or(0.0, |f| f_above(f, df, df * (clusters - 1.0)));
    Ok(Friedman {
        chi2,
        df: k - 1,
        p: chi2_above(chi2, df),
        kendall_w: between / (clusters * inside),
        f,
        p_f: f.map(p_of),
        mean_ranks: (0..k).map(|column| middle + off_middle(column) / clusters).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_all_agree_have_an_f_beyond_any_number() {
        let found = friedman(&vec![vec![1.0, 2.0, 3.0]; 4]).unwrap();
        assert_eq!((found.kendall_w, found.f, found.p_f), (1.0, Some(Extended::Never), Some(0.0)));
        assert_eq!((found.chi2, found.mean_ranks), (8.0, vec![1.0, 2.0, 3.0]));
    }

    #[test]
    fn tables_that_cannot_be_tested_say_why() {
        assert_eq!(friedman(&[vec![2.0, 2.0], vec![1.0, 1.0]]), Err(NoTest::AllEqual));
        assert_eq!(friedman(&[vec![2.0], vec![1.0]]), Err(NoTest::TooFewGroups));
        assert_eq!(friedman(&[]), Err(NoTest::TooFewGroups));
        assert_eq!(friedman(&[vec![2.0, 1.0], vec![1.0]]), Err(NoTest::Ragged));
        assert_eq!(friedman(&[vec![2.0, f64::NAN]]), Err(NoTest::NotFinite));
        assert_eq!(friedman(&[vec![2.0, 1.0]]).unwrap().f, None);
    }
}
