//! What must not change a metric, and what must change it in proportion.

mod hand;

use photofinish::metric::{Reply, Rules, Tally, metric, registry};
use photofinish::record::Answer;
use photofinish::timeline::{Phase, Point, Timeline};
use photofinish::tokens::{Basis, Reference};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A reply of arrivals: the time since the last one in ms, and how many tokens of which phase.
fn reply(arrivals: &[(u32, usize, bool)]) -> Answer {
    let mut answer = hand::reply(0.0, 0.0, 0, 0);
    let mut at = 0.0;
    for (gap, tokens, reasoning) in arrivals {
        at += f64::from(*gap);
        hand::say(&mut answer, at, if *reasoning { Phase::Reasoning } else { Phase::Content }, *tokens);
    }
    let tokens = |reasoning| arrivals.iter().filter(|(_, _, r)| *r == reasoning).map(|(_, n, _)| *n as u64).sum::<u64>();
    let usage = answer.usage.as_mut().unwrap();
    (usage.reasoning, usage.completion) = (Some(tokens(true)), Some(tokens(true) + tokens(false)));
    answer
}

/// Every metric that has a value, on a basis.
fn metrics(answer: &Answer, basis: Basis, scale: f64) -> BTreeMap<&'static str, f64> {
    let run = hand::run(vec![hand::target("a/r1")], 1, 1);
    let rules = Rules { scale, ..Rules::of(&run.manifest) };
    let tally = Tally::of(answer, &run.manifest.targets[0], &Reference::o200k());
    let reply = Reply::new(answer, &tally, basis, rules);
    registry().filter_map(|metric| Some((metric.name, (metric.of)(&reply).ok()?.value))).collect()
}

/// The same texts, times and writes, each text cut into pieces of one token.
fn rechunked(answer: &Answer) -> Answer {
    let mut finer = answer.clone();
    finer.timeline = Timeline::default();
    for point in answer.timeline.points() {
        // A word of the hand-made texts is five bytes.
        for _ in 0..point.bytes / 5 {
            finer.timeline.push(Point { bytes: 5, ..point });
        }
    }
    finer
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
}

fn arrivals() -> impl Strategy<Value = Vec<(u32, usize, bool)>> {
    let arrival = (1u32..2000, 1usize..8);
    (prop::collection::vec(arrival.clone(), 0..25), prop::collection::vec(arrival, 1..25)).prop_map(|(reasoning, content)| {
        let of = |arrivals: Vec<(u32, usize)>, reasoning| arrivals.into_iter().map(move |(gap, n)| (gap, n, reasoning)).collect::<Vec<_>>();
        [of(reasoning, true), of(content, false)].concat()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn cutting_a_write_into_more_texts_changes_no_metric(arrivals in arrivals()) {
        let answer = reply(&arrivals);
        for basis in [Basis::Reference, Basis::Reported, Basis::Chars] {
            let (coarse, fine) = (metrics(&answer, basis, 1.0), metrics(&rechunked(&answer), basis, 1.0));
            prop_assert_eq!(coarse.keys().collect::<Vec<_>>(), fine.keys().collect::<Vec<_>>());
            for (name, value) in &coarse {
                prop_assert!(close(*value, fine[name]), "{:?} {}: {} and {}", basis, name, value, fine[name]);
            }
        }
    }

    #[test]
    fn times_that_are_all_longer_lengthen_the_times_and_lower_the_speeds(arrivals in arrivals(), factor in 2u64..40) {
        use photofinish::metric::Unit;
        let answer = reply(&arrivals);
        let mut slower = answer.clone();
        slower.timeline.change(0, |text| text.at.0 *= factor);
        slower.stamps.closed = answer.stamps.closed.map(|at| hand::T0.plus(at.since(hand::T0) * factor));
        let (before, after) = (metrics(&answer, Basis::Reference, 1.0), metrics(&slower, Basis::Reference, 1.0));
        let imitated = metrics(&answer, Basis::Reference, factor as f64);
        prop_assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
        for (name, value) in &before {
            // What a simulated run is multiplied back by does what the slower provider would have done, stalls included.
            prop_assert!(close(imitated[name], after[name]), "{}: {} and {}", name, imitated[name], after[name]);
            let factor = factor as f64;
            let expected = match metric(name).unwrap().unit {
                _ if name.starts_with("stall") => continue,
                Unit::Milliseconds | Unit::Seconds | Unit::SecondsPerToken => value * factor,
                Unit::TokensPerSecond => value / factor,
                _ => *value,
            };
            prop_assert!(close(expected, after[name]), "{}: {} and {}", name, expected, after[name]);
        }
    }

    #[test]
    fn the_order_of_the_targets_changes_no_row(speeds in prop::collection::vec(1u32..80, 2..5), turn in 1usize..4) {
        let ids: Vec<String> = (0..speeds.len()).map(|i| format!("p{i}/r1")).collect();
        let make = |order: &[usize]| {
            let mut run = hand::run(order.iter().map(|i| hand::target(&ids[*i])).collect(), 3, 2);
            hand::fill(&mut run, |round, _, place| {
                hand::reply(f64::from(100 * round), f64::from(speeds[order[place]]), 10, 30)
            });
            hand::table(&[run], None)
        };
        let order: Vec<usize> = (0..speeds.len()).collect();
        let mut turned = order.clone();
        turned.rotate_left(turn % speeds.len());
        let (table, other) = (make(&order), make(&turned));
        for row in &table.rows {
            prop_assert_eq!(Some(row), other.rows.iter().find(|same| same.target == row.target));
        }
    }
}
