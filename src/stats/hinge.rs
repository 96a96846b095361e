//! Growth in proportion that stops: y = min(a·x, c), by least squares on the log scale.

use serde::Serialize;

/// A fitted hinge.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Hinge {
    /// Where growth stops: c/a, within the least and the greatest x. On the least one nothing grows, on the greatest one nothing stops.
    pub knot: f64,
    /// The level c that is reached there.
    pub level: f64,
    /// y a unit of x below it: a.
    pub slope: f64,
    /// Root mean square of ln(y / fitted).
    pub off: f64,
}

/// Fits y = min(a·x, c) to at least three points with distinct x, all of them positive and finite: the least sum of squares of
/// ln y − ln min(a·x, c). Relative errors count alike at small and large x, as measured rates have them.
///
/// With u = ln x, v = ln y and κ = ln(c/a), the sum of squares, profiled over ln a, is a convex parabola in κ between two neighbouring u:
/// each is solved exactly and clamped to its stretch, and the best one taken. `None` where the points are no such.
pub fn hinge(points: &[(f64, f64)]) -> Option<Hinge> {
    let positive = |(x, y): &(f64, f64)| 0.0 < *x && 0.0 < *y && x.is_finite() && y.is_finite();
    if points.len() < 3 || !points.iter().all(positive) {
        return None;
    }
    let mut logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    logs.sort_by(|a, b| a.0.total_cmp(&b.0));
    if logs.windows(2).any(|two| two[1].0 <= two[0].0) {
        return None;
    }
    let best = (1..logs.len()).map(|ray| at_knot(&logs, stretch(&logs, ray))).min_by(|a, b| a.squares.total_cmp(&b.squares))?;
    Some(Hinge {
        knot: best.knot.exp(),
        level: (best.intercept + best.knot).exp(),
        slope: best.intercept.exp(),
        off: (best.squares / logs.len() as f64).sqrt(),
    })
}

struct Fit {
    knot: f64,
    /// ln a.
    intercept: f64,
    squares: f64,
}

/// The best κ with the first `ray` points below it: the level of the flat ones over the slope of the ray, clamped to the stretch.
fn stretch(logs: &[(f64, f64)], ray: usize) -> f64 {
    let (below, above) = logs.split_at(ray);
    let slope = below.iter().map(|(u, v)| v - u).sum::<f64>() / below.len() as f64;
    let level = above.iter().map(|(_, v)| v).sum::<f64>() / above.len() as f64;
    (level - slope).clamp(below[ray - 1].0, above[0].0)
}

fn at_knot(logs: &[(f64, f64)], knot: f64) -> Fit {
    let n = logs.len() as f64;
    let intercept = logs.iter().map(|(u, v)| v - u.min(knot)).sum::<f64>() / n;
    let squares = logs.iter().map(|(u, v)| (v - intercept - u.min(knot)).powi(2)).sum();
    Fit { knot, intercept, squares }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(seen: f64, wanted: f64) -> bool {
        (seen / wanted - 1.0).abs() < 1e-12
    }

    #[test]
    fn points_on_a_hinge_give_it_back() {
        let found = hinge(&[(1.0, 2.0), (2.0, 4.0), (4.0, 8.0), (8.0, 12.0), (16.0, 12.0)]).unwrap();
        assert!(near(found.knot, 6.0) && near(found.level, 12.0) && near(found.slope, 2.0) && found.off < 1e-12, "{found:?}");
    }

    #[test]
    fn by_hand() {
        // Two points on the ray with slopes 1 and e^0.2, two flat at levels e^2 and e^2.4: ln a = 0.1, ln c = 2.2, knot e^2.1,
        // residuals ±0.1 and ±0.2, mean square (2·0.01 + 2·0.04)/4 = 0.025.
        let e = f64::exp;
        let found = hinge(&[(1.0, 1.0), (e(1.0), e(1.2)), (e(3.0), e(2.0)), (e(4.0), e(2.4))]).unwrap();
        assert!(near(found.knot, e(2.1)) && near(found.slope, e(0.1)) && near(found.level, e(2.2)), "{found:?}");
        assert!((found.off - 0.025f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn what_only_grows_has_its_knot_at_the_last_and_what_never_grows_at_the_first() {
        assert!(near(hinge(&[(1.0, 3.0), (2.0, 6.0), (5.0, 15.0)]).unwrap().knot, 5.0));
        assert!(near(hinge(&[(1.0, 3.0), (2.0, 3.0), (5.0, 3.0)]).unwrap().knot, 1.0));
        // More than proportion, and falling: still at the ends.
        assert!(near(hinge(&[(1.0, 1.0), (2.0, 3.0), (4.0, 9.0)]).unwrap().knot, 4.0));
        assert!(near(hinge(&[(1.0, 9.0), (2.0, 8.0), (4.0, 7.0)]).unwrap().knot, 1.0));
    }

    #[test]
    fn no_fit_of_fewer_than_three_distinct_positive_points() {
        assert_eq!(hinge(&[(1.0, 1.0), (2.0, 2.0)]), None);
        assert_eq!(hinge(&[(1.0, 1.0), (2.0, 2.0), (2.0, 2.0)]), None);
        assert_eq!(hinge(&[(1.0, 1.0), (2.0, 0.0), (3.0, 2.0)]), None);
        assert_eq!(hinge(&[(1.0, 1.0), (2.0, f64::NAN), (3.0, 2.0)]), None);
    }

    #[test]
    fn no_other_hinge_fits_better() {
        let points = [(1.0, 1.1), (3.0, 2.7), (7.0, 6.0), (9.0, 7.7), (20.0, 8.1), (40.0, 7.2)];
        let found = hinge(&points).unwrap();
        for step in 0..=4000 {
            let knot = (f64::from(step) / 4000.0 * 40.0f64.ln()).min(40.0f64.ln());
            let logs: Vec<(f64, f64)> = points.iter().map(|(x, y): &(f64, f64)| (x.ln(), y.ln())).collect();
            assert!(found.off.powi(2) * 6.0 <= at_knot(&logs, knot).squares + 1e-12);
        }
    }
}
