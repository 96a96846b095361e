//! Intervals, adjusted p values, rank intervals and the cluster bootstrap against numbers computed elsewhere (numpy, scipy, statsmodels;
//! `tests/vectors/*.json`). Whatever a case expects must be compared: a figure that nothing asked for fails the test.

use photofinish::stats::{
    Bound, Clustered, Confidence, Extended, Interval, Paired, Sample, benjamini_hochberg, bonferroni, clopper_pearson, clustered_quantile,
    clustered_quantile_of, clustered_share, effective_n, expanded_alpha, expanded_percentile, expanded_widened, holm, log_ratio,
    mcnemar_exact, newcombe, newcombe_of, order_by_mean, order_statistic_interval, paired, pairs, percentile_interval, plain_paired,
    quantile_under_counts, ranks_of_pairs, smallest_n_for_quantile_bound, smallest_n_for_quantile_interval, widening_factor, wilson,
};
use serde_json::Value;
use statrs::distribution::{Beta, ChiSquared, ContinuousCDF, FisherSnedecor, Normal, StudentsT};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// One case of a vector file, with the figures that nothing has asked for yet.
struct Case {
    id: String,
    input: Value,
    expected: Value,
    relative: f64,
    absolute: f64,
    left: RefCell<BTreeSet<String>>,
}

/// Runs a check on each case of a file.
fn each_case(name: &str, check: impl Fn(&Case)) {
    let path = format!("{}/tests/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let case = Case {
            id: format!("{name} {}", case["id"].as_str().unwrap()),
            input: case["input"].clone(),
            expected: case["expected"].clone(),
            relative: file["tolerance"]["rel"].as_f64().unwrap(),
            absolute: file["tolerance"]["abs"].as_f64().unwrap(),
            left: RefCell::new(case["expected"].as_object().unwrap().keys().cloned().collect()),
        };
        check(&case);
        assert!(case.left.borrow().is_empty(), "{}: nothing compared {:?}", case.id, case.left.borrow());
    }
}

impl Case {
    fn confidence(&self) -> Confidence {
        Confidence::new(1.0 - self.input["alpha"].as_f64().unwrap_or(0.05)).unwrap()
    }
    fn number(&self, key: &str) -> f64 {
        self.input[key].as_f64().unwrap()
    }
    fn count(&self, key: &str) -> u64 {
        self.input[key].as_u64().unwrap()
    }
    /// What is expected under a key, which now counts as compared.
    fn take(&self, key: &str) -> Value {
        self.left.borrow_mut().remove(key);
        self.expected.get(key).unwrap_or_else(|| panic!("{} expects no {key}", self.id)).clone()
    }
    /// Named, not compared: what this tool does not offer.
    fn skip(&self, keys: &[&str]) {
        keys.iter().for_each(|key| drop(self.take(key)));
    }
    fn value(&self, key: &str, got: f64) {
        self.close(key, got, &self.take(key));
    }
    fn values(&self, key: &str, got: &[f64]) {
        let expected = self.take(key);
        let expected = expected.as_array().unwrap();
        assert_eq!(got.len(), expected.len(), "{} {key}", self.id);
        got.iter().zip(expected).for_each(|(got, expected)| self.close(key, *got, expected));
    }
    fn interval(&self, key: &str, got: Option<Interval>) {
        let (low, high) = ends(got.unwrap());
        self.values(key, &[low, high]);
    }
    fn bounds(&self, got: Interval) {
        let (low, high) = ends(got);
        self.value("lower", low);
        self.value("upper", high);
    }
    fn whole(&self, key: &str, got: Option<usize>) {
        assert_eq!(got.map(|got| got as u64), self.take(key).as_u64(), "{} {key}", self.id);
    }
    fn close(&self, key: &str, got: f64, expected: &Value) {
        let expected = match expected {
            Value::String(text) => text.parse().unwrap(),
            value => value.as_f64().unwrap(),
        };
        let near = got == expected || (got - expected).abs() <= (expected.abs() * self.relative).max(self.absolute);
        assert!(near, "{} {key}: got {got:?}, expected {expected:?}", self.id);
    }
}

/// An interval as the vectors write it: open ends are infinite.
fn ends(interval: Interval) -> (f64, f64) {
    (interval.low.at().unwrap_or(f64::NEG_INFINITY), interval.high.at().unwrap_or(f64::INFINITY))
}

fn infinite(value: Extended) -> f64 {
    value.finite().unwrap_or(f64::INFINITY)
}

fn numbers(values: &Value) -> Vec<f64> {
    values.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

fn counts(values: &Value) -> Vec<u64> {
    values.as_array().unwrap().iter().map(|value| value.as_u64().unwrap()).collect()
}

/// Values, of which null never came.
fn extended(values: &Value) -> Vec<Extended> {
    values.as_array().unwrap().iter().map(|value| value.as_f64().map_or(Extended::Never, Extended::Finite)).collect()
}

fn clusters(rows: &Value) -> Vec<Vec<Extended>> {
    rows.as_array().unwrap().iter().map(extended).collect()
}

#[test]
fn quantiles_of_clustered_values() {
    each_case("clustered_quantile_ci", |case| {
        let rows = clusters(&case.input["x"]);
        let found = clustered_quantile(&rows, case.number("p"), case.confidence()).unwrap();
        case.value("estimate", infinite(found.estimate));
        case.value("F_at_estimate", found.share_at);
        case.value("deff", found.deff.unwrap());
        case.value("n_eff", found.n_eff);
        case.value("p_lower", found.p_low);
        case.value("p_upper", found.p_high);
        case.bounds(found.interval);
        // The same from values in no order, each with the number of its cluster.
        let mut pairs: Vec<(usize, Extended)> =
            rows.iter().enumerate().flat_map(|(row, values)| values.iter().map(move |value| (row, *value))).collect();
        pairs.reverse();
        let again = clustered_quantile_of(&Clustered::from_pairs(pairs, rows.len()), case.number("p"), case.confidence());
        assert_eq!(again, Some(found), "{}", case.id);
    });
}

#[test]
fn quantiles_of_independent_values() {
    each_case("order_statistic_ci", |case| {
        let found = order_statistic_interval(&extended(&case.input["x"]), case.number("p"), case.confidence()).unwrap();
        case.whole("l", found.lower_rank);
        case.whole("u", found.upper_rank);
        case.bounds(found.interval);
        case.value("coverage", found.coverage);
    });
}

#[test]
fn the_smallest_number_that_bounds_a_quantile() {
    each_case("min_n_for_quantile_ci", |case| {
        let of = |smallest: fn(f64, Confidence) -> Option<usize>| -> Vec<f64> {
            numbers(&case.input["p"]).into_iter().map(|p| smallest(p, case.confidence()).unwrap() as f64).collect()
        };
        case.values("two_sided", &of(smallest_n_for_quantile_interval));
        case.values("one_sided", &of(smallest_n_for_quantile_bound));
    });
}

#[test]
fn shares_of_successes() {
    each_case("success_rate_ci", |case| {
        let (successes, trials) = (case.count("x"), case.count("n"));
        case.value("p", successes as f64 / trials as f64);
        case.interval("wilson", wilson(successes, trials, case.confidence()));
        case.interval("clopper_pearson", clopper_pearson(successes, trials, case.confidence()));
    });
}

#[test]
fn shares_of_successes_in_clusters() {
    each_case("success_rate_clustered", |case| {
        let pairs: Vec<(u64, u64)> = counts(&case.input["x"]).into_iter().zip(counts(&case.input["n"])).collect();
        let found = clustered_share(&pairs, case.confidence()).unwrap();
        case.value("p", found.share);
        case.value("deff", found.deff.unwrap());
        case.value("n_eff", found.n_eff);
        case.bounds(found.interval);
    });
}

#[test]
fn differences_of_shares() {
    each_case("newcombe_diff", |case| {
        let (first, second) = ((case.count("x1"), case.count("n1")), (case.count("x2"), case.count("n2")));
        let found = newcombe(first, second, case.confidence()).unwrap();
        case.value("diff", found.difference);
        case.bounds(found.interval);
        let given = |(yes, of): (u64, u64)| (yes as f64 / of as f64, wilson(yes, of, case.confidence()).unwrap());
        assert_eq!(newcombe_of(given(first), given(second)), found, "{}", case.id);
    });
}

#[test]
fn pairs_of_which_one_succeeded() {
    each_case("mcnemar_exact", |case| case.value("p", mcnemar_exact(case.count("b"), case.count("c"))));
}

#[test]
fn families_of_tests() {
    each_case("p_adjust", |case| {
        let p: Vec<Option<f64>> = numbers(&case.input["p"]).into_iter().map(Some).collect();
        let all = |adjusted: Vec<Option<f64>>| adjusted.into_iter().map(Option::unwrap).collect::<Vec<f64>>();
        case.values("holm", &all(holm(&p)));
        case.values("bh", &all(benjamini_hochberg(&p)));
        case.values("bonferroni", &all(bonferroni(&p)));
    });
}

#[test]
fn ranks_from_pairs() {
    each_case("rank_intervals", |case| {
        let rows: Vec<Vec<f64>> = case.input["log_round_means"].as_array().unwrap().iter().map(numbers).collect();
        let k = rows[0].len();
        let means: Vec<f64> = (0..k).map(|i| rows.iter().map(|row| row[i]).sum::<f64>() / rows.len() as f64).collect();
        case.values("order_by_mean", &order_by_mean(&means).into_iter().map(|k| k as f64).collect::<Vec<f64>>());
        let plain = case.take("plain_t");
        let nested = Case {
            id: format!("{} plain t", case.id),
            input: case.input.clone(),
            left: RefCell::new(plain.as_object().unwrap().keys().cloned().collect()),
            expected: plain,
            ..*case
        };
        type Test = fn(&Sample, Confidence) -> Paired;
        let tests: [(&Case, Test); 2] = [(case, paired), (&nested, plain_paired)];
        for (case, test) in tests {
            let differences = |(i, j): (usize, usize)| Sample::new(rows.iter().map(|row| row[j] - row[i]).collect()).unwrap();
            let p: Vec<Option<f64>> = pairs(k).map(|pair| test(&differences(pair), case.confidence()).p).collect();
            case.values("pair_p", &p.iter().map(|p| p.unwrap()).collect::<Vec<f64>>());
            let adjusted = holm(&p);
            case.values("holm", &adjusted.iter().map(|p| p.unwrap()).collect::<Vec<f64>>());
            let ranks = ranks_of_pairs(&means, &adjusted, case.confidence().alpha()).unwrap();
            case.values("rank_low", &ranks.iter().map(|rank| rank.low as f64).collect::<Vec<f64>>());
            case.values("rank_high", &ranks.iter().map(|rank| rank.high as f64).collect::<Vec<f64>>());
        }
        assert!(nested.left.borrow().is_empty(), "{}", nested.id);
    });
}

#[test]
fn ratios_of_quantiles_over_given_resamples() {
    each_case("cluster_bootstrap_given_counts", |case| {
        let (a, b) = (Clustered::new(&clusters(&case.input["A"])), Clustered::new(&clusters(&case.input["B"])));
        let ratio = |counts: &[u32]| {
            let quantile = |of: &Clustered| quantile_under_counts(of, case.number("p"), counts);
            log_ratio(quantile(&a), quantile(&b))
        };
        let point = ratio(&vec![1; a.clusters()]);
        case.value("log_ratio", point);
        let draws = case.input["counts"].as_array().unwrap().iter().map(counts);
        let boot: Vec<f64> = draws.map(|counts| ratio(&counts.into_iter().map(|count| count as u32).collect::<Vec<u32>>())).collect();
        case.values("boot", &boot);
        let (clusters, confidence) = (a.clusters(), case.confidence());
        case.interval("percentile", percentile_interval(&boot, confidence));
        case.value("expanded_alpha", expanded_alpha(clusters, confidence).unwrap());
        case.interval("expanded", expanded_percentile(&boot, clusters, confidence));
        let n_eff = effective_n(&Sample::new(mean_log_ratios(&case.input)).unwrap()).n_eff;
        case.value("n_eff", n_eff);
        case.value("widen_factor", widening_factor(clusters, n_eff, confidence).unwrap());
        case.interval("expanded_widened", expanded_widened(point, &boot, clusters, n_eff, confidence));
        // Not offered: both cover too little below 24 rounds.
        case.skip(&["se", "se_t", "se_t_p", "bca", "bca_z0", "bca_acceleration", "bca_alphas"]);
    });
}

/// The mean of ln(B/A) over the values of each row.
fn mean_log_ratios(input: &Value) -> Vec<f64> {
    let rows = |side: &str| input[side].as_array().unwrap().iter().map(numbers).collect::<Vec<_>>();
    let mean = |(a, b): (Vec<f64>, Vec<f64>)| a.iter().zip(&b).map(|(a, b)| (b / a).ln()).sum::<f64>() / a.len() as f64;
    rows("A").into_iter().zip(rows("B")).map(mean).collect()
}

#[test]
fn distributions_that_everything_rests_on() {
    each_case("distributions", |case| {
        let normal = Normal::standard();
        let student = || StudentsT::new(0.0, 1.0, case.number("df")).unwrap();
        let (value, above) = match case.input["fn"].as_str().unwrap() {
            "t_ppf" => (student().inverse_cdf(case.number("p")), None),
            "t_cdf" => (student().cdf(case.number("x")), Some(student().sf(case.number("x")))),
            "norm_ppf" => (normal.inverse_cdf(case.number("p")), None),
            "norm_cdf" => (normal.cdf(case.number("x")), Some(normal.sf(case.number("x")))),
            "beta_ppf" => (Beta::new(case.number("a"), case.number("b")).unwrap().inverse_cdf(case.number("p")), None),
            "f_sf" => (FisherSnedecor::new(case.number("d1"), case.number("d2")).unwrap().sf(case.number("x")), None),
            "chi2_sf" => (ChiSquared::new(case.number("k")).unwrap().sf(case.number("x")), None),
            other => panic!("unknown function {other}"),
        };
        case.value("value", value);
        if let Some(above) = above {
            case.value("sf", above);
        }
    });
}

/// An end that the data do not bound is open, not a large number.
#[test]
fn an_open_end_is_no_number() {
    let few: Vec<Vec<Extended>> = (0..3).map(|r| vec![Extended::Finite(f64::from(r)); 2]).collect();
    let found = clustered_quantile(&few, 0.95, Confidence::DEFAULT).unwrap();
    assert_eq!((found.interval.high, found.interval.low), (Bound::Open, Bound::Open));
}
