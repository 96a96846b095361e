//! The tests of means, ranks and spreads against numbers computed elsewhere (scipy, statsmodels, R; `tests/vectors/*.json`), each file at
//! the tolerance it states.

use photofinish::stats::{
    Bound, Confidence, Extended, Interval, Sample, block_score, brown_forsythe, cosinor, effective_n, friedman, hodges_lehmann,
    kruskal_wallis, mean, paired, plain_paired, sign_flip, signed_rank, tost, variance_components, welch, win_share,
};
use serde_json::Value;

/// A vector file, and how close one must come.
struct Vectors {
    cases: Vec<Value>,
    rel: f64,
    abs: f64,
}

/// One case of it.
struct Case<'a> {
    vectors: &'a Vectors,
    id: String,
    input: &'a Value,
    expected: &'a Value,
}

impl Vectors {
    fn read(name: &str) -> Vectors {
        let path = format!("{}/tests/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let cases = file["cases"].as_array().unwrap().clone();
        assert!(!cases.is_empty());
        Vectors { cases, rel: file["tolerance"]["rel"].as_f64().unwrap(), abs: file["tolerance"]["abs"].as_f64().unwrap() }
    }
    fn each(&self) -> impl Iterator<Item = Case<'_>> {
        self.cases.iter().map(|case| Case {
            vectors: self,
            id: case["id"].as_str().unwrap().to_owned(),
            input: &case["input"],
            expected: &case["expected"],
        })
    }
}

impl Case<'_> {
    /// Null agrees with no value.
    fn agrees(&self, field: &str, got: impl Into<Option<f64>>) {
        self.close(field, got.into(), &self.expected[field]);
    }
    fn close(&self, field: &str, got: Option<f64>, expected: &Value) {
        assert!(expected.is_null() || expected.is_number(), "{} {field}: no such field", self.id);
        let close = match (got, expected.as_f64()) {
            (Some(got), Some(expected)) => (got - expected).abs() <= (expected.abs() * self.vectors.rel).max(self.vectors.abs),
            (got, expected) => got == expected,
        };
        assert!(close, "{} {field}: got {got:?}, expected {expected}", self.id);
    }
    /// Both ends; an infinite end agrees with an open one.
    fn holds(&self, interval: Interval, low: &str, high: &str) {
        for (field, bound, open) in [(low, interval.low, "-inf"), (high, interval.high, "inf")] {
            match bound {
                Bound::At(value) => self.agrees(field, value),
                Bound::Open => assert_eq!(self.expected[field], open, "{} {field}", self.id),
            }
        }
    }
    fn confidence(&self) -> Confidence {
        self.input["alpha"].as_f64().map_or(Confidence::DEFAULT, |alpha| Confidence::new(1.0 - alpha).unwrap())
    }
}

fn numbers(values: &Value) -> Vec<f64> {
    values.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

fn table(rows: &Value) -> Vec<Vec<f64>> {
    rows.as_array().unwrap().iter().map(numbers).collect()
}

fn sample(values: &Value) -> Sample {
    Sample::new(numbers(values)).unwrap()
}

#[test]
fn rounds_that_depend_on_each_other_count_for_fewer() {
    for case in Vectors::read("ar1_effective_n").each() {
        let d = sample(&case.input["d"]);
        let (effective, found) = (effective_n(&d), paired(&d, case.confidence()));
        assert_eq!((effective.n_eff, effective.r1), (found.n_eff, found.r1));
        case.agrees("r1", effective.r1);
        case.agrees("r1_corrected", effective.r1_corrected);
        case.agrees("n_eff", effective.n_eff);
        case.agrees("t", found.t);
        case.agrees("df", found.df);
        case.agrees("p", found.p);
        case.agrees("mean", found.mean);
        case.holds(found.interval, "lower", "upper");
    }
}

#[test]
fn a_ratio_from_round_means() {
    for case in Vectors::read("paired_round_t").each() {
        let rounds = table(&case.input["A"]).into_iter().zip(table(&case.input["B"]));
        let d = rounds.map(|(a, b)| mean(&a.iter().zip(&b).map(|(a, b)| (b / a).ln()).collect::<Vec<_>>()).unwrap());
        let found = plain_paired(&Sample::new(d.collect()).unwrap(), case.confidence());
        case.agrees("rounds", found.n as f64);
        case.agrees("log_ratio", found.mean);
        case.agrees("ratio", found.mean.exp());
        case.agrees("sd", found.sd);
        case.agrees("t", found.t);
        case.agrees("df", found.df);
        case.agrees("p", found.p);
        case.holds(found.interval.map(f64::exp), "ratio_lower", "ratio_upper");
    }
}

#[test]
fn equivalence_within_margins() {
    for case in Vectors::read("tost_log_ratio").each() {
        let margin = |name: &str| case.input[name].as_f64().unwrap();
        let found = tost(&sample(&case.input["d"]), margin("lower"), margin("upper"));
        case.agrees("p", found.p);
        case.agrees("p_lower", found.p_lower);
        case.agrees("p_upper", found.p_upper);
        case.agrees("t_lower", found.t_lower);
        case.agrees("t_upper", found.t_upper);
        assert_eq!(found.shown(Confidence::DEFAULT), found.p.unwrap() <= 0.05);
    }
}

#[test]
fn shares_of_blocks_won() {
    let times = |rows: &Value| -> Vec<Vec<Option<f64>>> {
        let row = |row: &Value| row.as_array().unwrap().iter().map(Value::as_f64).collect();
        rows.as_array().unwrap().iter().map(row).collect()
    };
    for case in Vectors::read("win_share").each() {
        let rounds = times(&case.input["A"]).into_iter().zip(times(&case.input["B"]));
        let per_round: Vec<f64> =
            rounds.map(|(a, b)| mean(&a.iter().zip(&b).map(|(a, b)| block_score(*a, *b)).collect::<Vec<_>>()).unwrap()).collect();
        assert_eq!(per_round, numbers(&case.expected["per_round"]), "{}", case.id);
        let share = win_share(&per_round, case.confidence()).unwrap();
        case.agrees("win_share", share.point.finite());
        case.holds(share.interval.unwrap(), "lower", "upper");
    }
}

#[test]
fn two_groups_that_spread_differently() {
    for case in Vectors::read("welch_t").each() {
        let found = welch(&sample(&case.input["a"]), &sample(&case.input["b"]), case.confidence());
        case.agrees("t", found.t);
        case.agrees("df", found.df);
        case.agrees("p", found.p);
        case.agrees("diff", found.difference);
        case.holds(found.interval, "lower", "upper");
    }
}

#[test]
fn all_signs_tried() {
    for case in Vectors::read("sign_flip_exact").each() {
        let found = sign_flip(&numbers(&case.input["d"]), 1).unwrap();
        assert!(found.exact);
        case.agrees("p", found.p);
        case.agrees("count", found.count as f64);
        case.agrees("total", found.total as f64);
    }
}

#[test]
fn signed_ranks() {
    for case in Vectors::read("wilcoxon_signed_rank").each() {
        let found = signed_rank(&numbers(&case.input["d"])).unwrap();
        case.agrees("n_nonzero", found.n_nonzero as f64);
        case.agrees("w_plus", found.w_plus);
        case.agrees("p_exact", found.p_exact);
        case.agrees("p_normal_corrected", found.p_normal);
    }
}

#[test]
fn locations_by_hodges_and_lehmann() {
    for case in Vectors::read("hodges_lehmann_ci").each() {
        let found = hodges_lehmann(&numbers(&case.input["d"]), case.confidence()).unwrap();
        case.agrees("estimate", found.estimate);
        case.agrees("k", found.k.map(|k| k as f64));
        case.agrees("coverage", found.coverage);
        case.holds(found.interval, "lower", "upper");
    }
}

#[test]
fn columns_of_a_table_that_differ() {
    for case in Vectors::read("friedman").each() {
        let found = friedman(&table(&case.input["x"])).unwrap();
        case.agrees("chi2", found.chi2);
        case.agrees("df", found.df as f64);
        case.agrees("p", found.p);
        case.agrees("kendall_w", found.kendall_w);
        case.agrees("iman_davenport_F", found.f.and_then(Extended::finite));
        case.agrees("iman_davenport_p", found.p_f);
        assert_eq!(found.mean_ranks.len(), case.expected["mean_ranks"].as_array().unwrap().len());
        for (column, rank) in found.mean_ranks.iter().enumerate() {
            case.close("mean_ranks", Some(*rank), &case.expected["mean_ranks"][column]);
        }
    }
}

#[test]
fn groups_that_lie_apart() {
    for case in Vectors::read("kruskal_wallis").each() {
        let found = kruskal_wallis(&table(&case.input["groups"])).unwrap();
        case.agrees("H", found.h);
        case.agrees("df", found.df as f64);
        case.agrees("p", found.p);
        case.agrees("epsilon2", found.effect);
        case.agrees("eta2_H", found.effect);
    }
}

#[test]
fn groups_that_spread_differently() {
    for case in Vectors::read("brown_forsythe").each() {
        let found = brown_forsythe(&table(&case.input["groups"])).unwrap();
        case.agrees("F", found.f);
        case.agrees("df1", found.df1 as f64);
        case.agrees("df2", found.df2 as f64);
        case.agrees("p", found.p);
    }
}

#[test]
fn a_wave_of_a_day() {
    for case in Vectors::read("cosinor24").each() {
        let found = cosinor(&numbers(&case.input["hour"]), &numbers(&case.input["y"])).unwrap();
        case.agrees("mesor", found.mesor);
        case.agrees("beta_cos", found.cos);
        case.agrees("beta_sin", found.sin);
        case.agrees("amplitude", found.amplitude);
        case.agrees("peak_hour", found.peak_hour);
        case.agrees("peak_to_trough_ratio_if_log", (2.0 * found.amplitude).exp());
        case.agrees("F", found.f.finite());
        case.agrees("p", found.p);
        case.agrees("df_resid", found.df as f64);
        case.agrees("amplitude_se_delta", found.amplitude_se);
    }
}

#[test]
fn where_the_spread_of_a_table_comes_from() {
    for case in Vectors::read("variance_components_two_way").each() {
        let found = variance_components(&table(&case.input["x"])).unwrap();
        for (figure, parts) in [("ms", found.mean_squares), ("var", found.variances), ("share", found.shares.unwrap())] {
            case.agrees(&format!("{figure}_round"), parts.rows);
            case.agrees(&format!("{figure}_prompt"), parts.columns);
            case.agrees(&format!("{figure}_residual"), parts.residual);
        }
    }
}
