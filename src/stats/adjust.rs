//! p values of a family of tests, adjusted for their number. All three keep the order of their input and cap at 1.
//!
//! A test without a p value (`None`: its data were identical, so nothing was tested) stays `None`, but **counts** in the family as p = 1:
//! the comparison was meant to be made, and leaving it out would make the others easier the more of them fail.

/// Holm (1979), step down: the family-wise error is held whatever the dependence of the tests.
pub fn holm(p: &[Option<f64>]) -> Vec<Option<f64>> {
    adjust(p, |sorted| {
        let m = sorted.len();
        let mut largest = 0.0_f64;
        for (i, p) in sorted.iter_mut().enumerate() {
            largest = largest.max((m - i) as f64 * *p);
            *p = largest;
        }
    })
}

/// Benjamini and Hochberg (1995), step up: the false discovery rate.
pub fn benjamini_hochberg(p: &[Option<f64>]) -> Vec<Option<f64>> {
    adjust(p, |sorted| {
        let m = sorted.len();
        let mut smallest = 1.0_f64;
        for (i, p) in sorted.iter_mut().enumerate().rev() {
            smallest = smallest.min(m as f64 / (i + 1) as f64 * *p);
            *p = smallest;
        }
    })
}

/// Bonferroni: p times the number of tests.
pub fn bonferroni(p: &[Option<f64>]) -> Vec<Option<f64>> {
    adjust(p, |sorted| {
        let m = sorted.len() as f64;
        sorted.iter_mut().for_each(|p| *p *= m);
    })
}

/// Lets a rule work on the p values in rising order and puts them back in their places.
fn adjust(p: &[Option<f64>], rule: impl Fn(&mut [f64])) -> Vec<Option<f64>> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    // NaN is no p value either.
    let counted = |at: usize| p[at].filter(|p| !p.is_nan()).unwrap_or(1.0);
    order.sort_by(|a, b| counted(*a).total_cmp(&counted(*b)));
    let mut sorted: Vec<f64> = order.iter().map(|at| counted(*at)).collect();
    rule(&mut sorted);
    let mut adjusted = vec![None; p.len()];
    for (at, value) in order.into_iter().zip(sorted) {
        adjusted[at] = p[at].filter(|p| !p.is_nan()).map(|_| value.min(1.0));
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_without_a_p_value_still_counts_in_the_family() {
        assert_eq!(holm(&[Some(0.02), None, Some(0.01)]), [Some(0.04), None, Some(0.03)]);
        assert_eq!(bonferroni(&[Some(0.02), None]), [Some(0.04), None]);
        assert_eq!(benjamini_hochberg(&[Some(0.02), Some(f64::NAN)]), [Some(0.04), None]);
    }

    #[test]
    fn no_tests_need_no_adjustment() {
        assert_eq!(holm(&[]), []);
        assert_eq!(holm(&[None]), [None]);
    }

    #[test]
    fn adjusted_values_never_change_the_order() {
        let p: Vec<Option<f64>> = (0..40).map(|i| Some(f64::from(i * 7 % 40) / 400.0)).collect();
        for adjusted in [holm(&p), benjamini_hochberg(&p), bonferroni(&p)] {
            for (i, a) in p.iter().enumerate() {
                for (j, b) in p.iter().enumerate() {
                    assert!(!(a < b && adjusted[j] < adjusted[i]), "{i} {j}");
                }
                assert!(*a <= adjusted[i] && adjusted[i] <= Some(1.0));
            }
        }
    }
}
