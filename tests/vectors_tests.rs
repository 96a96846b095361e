//! The tests of means, ranks and spreads against numbers computed elsewhere (scipy, statsmodels, R; `tests/vectors/*.json`), each file at
//! the tolerance it states.

use photofinish::stats::{Bound, Confidence, Interval, Sample, block_score, effective_n, mean, paired, plain_paired, tost, win_share};
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
