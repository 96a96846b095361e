//! The statistics and the metrics of a reply against numbers computed elsewhere (numpy, scipy, R; `tests/vectors/*.json`).

mod hand;

use photofinish::metric::{Flag, Outcome, Reply, Rules, Tally, Undefined, flags, metric};
use photofinish::record::Answer;
use photofinish::stats::{Extended, geometric_mean, harmonic_mean, mean, median, quantile_type1, quantile_type7, ratio_of_sums};
use photofinish::timeline::{Finish, FinishSeen, Phase, Usage};
use photofinish::tokens::{Basis, Counts};
use serde_json::Value;
use std::collections::BTreeSet;

/// The cases of a vector file: id, input, expected.
fn cases(name: &str) -> Vec<(String, Value, Value)> {
    let path = format!("{}/tests/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let case = |case: &Value| (case["id"].as_str().unwrap().to_owned(), case["input"].clone(), case["expected"].clone());
    let cases: Vec<_> = file["cases"].as_array().unwrap().iter().map(case).collect();
    assert!(!cases.is_empty());
    cases
}

fn number(value: &Value) -> Extended {
    match value {
        Value::String(inf) if inf == "inf" => Extended::Never,
        value => Extended::Finite(value.as_f64().unwrap()),
    }
}

fn numbers(values: &Value) -> Vec<f64> {
    values.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

/// 1e-9 of the expected value, or 1e-12; null agrees with no value, "inf" with never.
fn agree(what: &str, got: Option<Extended>, expected: &Value) {
    let expected = (!expected.is_null()).then(|| number(expected));
    let close = match (got, expected) {
        (Some(Extended::Finite(got)), Some(Extended::Finite(expected))) => (got - expected).abs() <= (expected.abs() * 1e-9).max(1e-12),
        (got, expected) => got == expected,
    };
    assert!(close, "{what}: got {got:?}, expected {expected:?}");
}

#[test]
fn quantiles_of_type_7() {
    for (id, input, expected) in cases("quantile_type7") {
        let values: Vec<Extended> = input["x"].as_array().unwrap().iter().map(number).collect();
        for (p, expected) in expected.as_object().unwrap() {
            agree(&format!("{id} p = {p}"), quantile_type7(&values, p.parse().unwrap()), expected);
        }
    }
}

#[test]
fn failures_are_charged() {
    for (id, input, expected) in cases("failures_charged") {
        let limit = input["T"].as_f64().unwrap();
        let latency: Vec<Option<f64>> = input["latency"].as_array().unwrap().iter().map(Value::as_f64).collect();
        let waited: Vec<Extended> = latency.iter().map(|time| time.map_or(Extended::Never, Extended::Finite)).collect();
        let charged: Vec<f64> = latency.iter().map(|time| time.unwrap_or(limit).min(limit)).collect();
        let ok = latency.iter().flatten().count() as f64 / latency.len() as f64;
        agree(&format!("{id} success"), Some(Extended::Finite(ok)), &expected["success"]);
        agree(&format!("{id} p50"), quantile_type1(&waited, 0.5), &expected["p50_all"]);
        agree(&format!("{id} p90"), quantile_type1(&waited, 0.9), &expected["p90_all"]);
        agree(&format!("{id} mean"), mean(&charged).map(Extended::Finite), &expected["mean_charged"]);
        agree(&format!("{id} geometric mean"), geometric_mean(&charged).map(Extended::Finite), &expected["geo_charged"]);
    }
}

#[test]
fn rates_are_aggregated() {
    for (id, input, expected) in cases("rate_aggregation") {
        let pairs: Vec<(f64, f64)> = numbers(&input["tokens"]).into_iter().zip(numbers(&input["seconds"])).collect();
        let rates: Vec<f64> = pairs.iter().map(|(tokens, seconds)| tokens / seconds).collect();
        let got = [
            ("ratio_of_sums", ratio_of_sums(&pairs)),
            ("mean_of_ratios", mean(&rates)),
            ("harmonic_mean", harmonic_mean(&rates)),
            ("median", median(&rates)),
            ("geometric_mean", geometric_mean(&rates)),
        ];
        for (name, value) in got {
            agree(&format!("{id} {name}"), value.map(Extended::Finite), &expected[name]);
        }
    }
}

/// The reply of a case. Its counts are given, so they stand for what a reference tokenizer would say.
fn reply_of(input: &Value) -> (Answer, Vec<f64>) {
    let mut answer = hand::empty_reply();
    let mut counts = Vec::new();
    for event in input["events"].as_array().unwrap() {
        let phase = match event[1].as_str().unwrap() {
            "reasoning" => Phase::Reasoning,
            "content" => Phase::Content,
            _ => continue,
        };
        let tokens = event[2].as_u64().unwrap();
        hand::say(&mut answer, event[0].as_f64().unwrap(), phase, tokens as usize);
        counts.push(tokens as f64);
    }
    answer.usage = input["usage"].as_object().map(|usage| Usage {
        completion: usage["completion_tokens"].as_u64(),
        reasoning: usage.get("reasoning_tokens").and_then(Value::as_u64),
        ..Usage::default()
    });
    answer.finish = input["finish_reason"]
        .as_str()
        .map(|raw| FinishSeen { raw: raw.into(), normal: if raw == "length" { Finish::Length } else { Finish::Stop } });
    if input["done_seen"] == false {
        answer.end_marks.clear();
    }
    (answer, counts)
}

#[test]
fn metrics_of_one_reply() {
    let names = [
        ("ttft", "ttft_ms"),
        ("ttfa", "ttfa_ms"),
        ("think", "think_ms"),
        ("switch_gap", "switch_gap_ms"),
        ("e2e", "e2e_ms"),
        ("decode", "decode_tok_s"),
        ("reasoning_speed", "reasoning_tok_s"),
        ("content_speed", "content_tok_s"),
        ("overall_speed", "e2e_tok_s"),
        ("billed_speed", "billed_tok_s"),
        ("tpot", "tpot_ms"),
        ("max_gap", "max_gap_ms"),
        ("stall_time", "stall_ms"),
        ("stalls", "stall_count"),
        ("tokens_per_arrival", "tokens_per_arrival"),
        ("largest_arrival_share", "largest_arrival_share"),
    ];
    for (id, input, expected) in cases("timeline_metrics") {
        let (answer, counts) = reply_of(&input);
        let counts = Ok(Counts { per_event: counts, estimated: false });
        let tally =
            Tally { reference: counts.clone(), reported: counts.clone(), chars: counts, doubts: Vec::new(), thinking_unknown: false };
        let rules = Rules {
            capped_is_ok: false,
            stall_ms: input["stall_threshold_ms"].as_f64().unwrap(),
            min_tokens: input["min_tokens"].as_f64().unwrap(),
            scale: 1.0,
            warm_up: true,
        };
        let reply = Reply::new(&answer, &tally, Basis::Reference, rules);
        for (ours, theirs) in names {
            let got: Result<_, Undefined> = (metric(ours).unwrap().of)(&reply);
            agree(&format!("{id} {ours}"), got.ok().map(|seen| Extended::Finite(seen.value)), &expected[theirs]);
        }
        let tokens = |arrivals: &[photofinish::metric::Arrival]| arrivals.iter().filter_map(|a| a.tokens).sum::<f64>();
        agree(&id, Some(Extended::Finite(tokens(&reply.reasoning))), &expected["n_reasoning"]);
        agree(&id, Some(Extended::Finite(tokens(&reply.content))), &expected["n_content"]);
        agree(&id, Some(Extended::Finite(reply.arrivals.len() as f64)), &expected["n_arrivals"]);
        assert_eq!(reply.outcome.name(), expected["status"].as_str().unwrap(), "{id}");
        let got: BTreeSet<&str> = flags(&reply).into_iter().map(theirs).collect();
        let wanted: BTreeSet<&str> = expected["flags"].as_array().unwrap().iter().map(|flag| flag.as_str().unwrap()).collect();
        assert_eq!(got, wanted, "{id}");
        assert_eq!(reply.outcome == Outcome::Ok, expected["status"] == "ok");
    }
}

/// A flag as the vectors name it.
fn theirs(flag: Flag) -> &'static str {
    match flag {
        Flag::Hidden => "hidden_reasoning",
        Flag::NoAnswer => "no_content",
        other => other.name(),
    }
}
