//! What must not change a verdict, and what must: method.md §4.D.

mod panels;

use panels::{LIMIT_S, Story, failed, good, noise, panel};
use photofinish::analysis::{Comparing, Comparison, Entry, League, Panel, Quantity, Verdict, compare, league};
use photofinish::stats::{Estimate, Interval};
use proptest::prelude::*;

const IDS: [&str; 4] = ["a", "b", "c", "d"];

fn how() -> Comparing {
    Comparing { seed: 11, resamples: 99, ..Comparing::default() }
}

fn laid_out(stories: &[Story]) -> Panel {
    panel(Quantity::E2e, stories)
}

fn one(stories: &[Story]) -> Comparison {
    compare(&laid_out(stories), &how()).comparisons.remove(0)
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1e-3)
}

fn same_ends(a: Interval, b: Interval) -> bool {
    let same = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) => near(a, b),
        (a, b) => a == b,
    };
    same(a.low.at(), b.low.at()) && same(a.high.at(), b.high.at())
}

fn same(a: &Estimate, b: &Estimate) -> bool {
    let ends = match (a.interval, b.interval) {
        (Some(a), Some(b)) => same_ends(a, b),
        (a, b) => a == b,
    };
    near(a.point.finite().unwrap(), b.point.finite().unwrap()) && ends
}

/// Everything that people read of a comparison, but for the sides' names.
fn agree(a: &Comparison, b: &Comparison) -> bool {
    let figures = |a: &Result<Estimate, _>, b: &Result<Estimate, _>| match (a, b) {
        (Ok(a), Ok(b)) => same(a, b),
        (a, b) => a == b,
    };
    let optional = |a: Option<f64>, b: Option<f64>| a.is_some() == b.is_some() && a.zip(b).is_none_or(|(a, b)| near(a, b));
    figures(&a.ratio, &b.ratio)
        && figures(&a.p50, &b.p50)
        && figures(&a.p95, &b.p95)
        && figures(&a.first_won, &b.first_won)
        && optional(a.p, b.p)
        && optional(a.p_holm, b.p_holm)
        && std::mem::discriminant(&a.verdict) == std::mem::discriminant(&b.verdict)
        && a.verdict.faster() == b.verdict.faster()
}

fn turned(estimate: Estimate) -> Estimate {
    let point = photofinish::stats::Extended::Finite(1.0 / estimate.point.finite().unwrap());
    Estimate { point, interval: estimate.interval.map(|interval| interval.map_decreasing(|end| 1.0 / end)), n: estimate.n }
}

fn scaled(story: &Story, by: f64) -> Story {
    let entry = |entry: &Entry| match entry {
        Entry::Good(time) => Entry::Good(time * by),
        Entry::Failed { charge, rate_limited } => Entry::Failed { charge: charge * by, rate_limited: *rate_limited },
        other => *other,
    };
    let rounds = story.rounds.iter().map(|round| round.iter().map(entry).collect()).collect();
    story.clone().with(|story| story.rounds = rounds)
}

fn times() -> impl Strategy<Value = f64> {
    0.5..20.0f64
}

/// Targets with levels and spreads of their own, of which some requests fail.
fn stories(n: usize) -> impl Strategy<Value = Vec<Story>> {
    let one = (times(), 0.02..0.6f64, 0.0..0.15f64, 0u64..1000);
    (prop::collection::vec(one, n), 6usize..20, 2usize..6).prop_map(|(targets, rounds, prompts)| {
        targets
            .into_iter()
            .zip(IDS)
            .map(|((level, sd, fails, salt), id)| {
                Story::of(id, rounds, prompts, |round, prompt| {
                    let salt = salt as usize;
                    if noise(id, round + salt, prompt + 50) < -3f64.sqrt() + 2.0 * 3f64.sqrt() * fails {
                        failed()
                    } else {
                        good((level * (sd * noise(id, round + salt, prompt)).exp()).min(LIMIT_S))
                    }
                })
            })
            .collect()
    })
}

/// No interval of two targets that fail alike in a round is exact by accident.
fn is_plain(comparison: &Comparison) -> bool {
    !matches!(comparison.verdict, Verdict::NotComparable { .. })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn the_unit_of_time_does_not_matter(stories in stories(2), by in 0.001..1000.0f64) {
        let other: Vec<Story> = stories.iter().map(|story| scaled(story, by)).collect();
        prop_assert!(agree(&one(&stories), &one(&other)));
    }

    #[test]
    fn the_other_way_round_is_the_reciprocal(stories in stories(2)) {
        let back: Vec<Story> = stories.iter().rev().cloned().collect();
        let (there, back) = (one(&stories), one(&back));
        prop_assert!(same(&there.ratio.unwrap(), &turned(back.ratio.unwrap())));
        prop_assert_eq!(there.verdict.faster(), back.verdict.faster().map(|who| who.other()));
        prop_assert_eq!(there.p.is_some(), back.p.is_some());
        prop_assert!(there.p.zip(back.p).is_none_or(|(a, b)| near(a, b)));
        if let (Ok(there), Ok(back)) = (there.p50, back.p50) {
            prop_assert!(same(&there, &turned(back)), "{there:?} {back:?}");
        }
        let (won, lost) = (there.first_won.unwrap(), back.first_won.unwrap());
        prop_assert!(near(won.point.finite().unwrap() + lost.point.finite().unwrap(), 1.0));
        let difference = |comparison: Option<photofinish::analysis::SuccessDifference>| comparison.unwrap().difference.unwrap().interval;
        prop_assert!(same_ends(difference(there.success), difference(back.success).map_decreasing(|end| -end)));
    }

    #[test]
    fn the_order_of_targets_and_prompts_does_not_matter(stories in stories(3)) {
        let reordered: Vec<Story> = [2, 0, 1].map(|at| stories[at].clone()).into_iter().map(|story| {
            let rounds = story.rounds.iter().map(|round| round.iter().rev().copied().collect()).collect();
            story.with(|story| story.rounds = rounds)
        }).collect();
        let (first, second) = (compare(&laid_out(&stories), &how()), compare(&laid_out(&reordered), &how()));
        for there in &first.comparisons {
            let wanted = |a: &Comparison, x: &str, y: &str| a.first.target.as_str() == x && a.second.target.as_str() == y;
            let (x, y) = (there.first.target.as_str(), there.second.target.as_str());
            match second.comparisons.iter().find(|here| wanted(here, x, y)) {
                Some(here) => prop_assert!(agree(there, here)),
                None => {
                    let here = second.comparisons.iter().find(|here| wanted(here, y, x)).unwrap();
                    prop_assert!(same(&there.ratio.unwrap(), &turned(here.ratio.unwrap())));
                    prop_assert_eq!(there.verdict.faster(), here.verdict.faster().map(|who| who.other()));
                }
            }
        }
        prop_assert_eq!(places(&league(&laid_out(&stories), &how())), places(&league(&laid_out(&reordered), &how())));
    }

    #[test]
    fn asking_the_same_again_within_a_round_is_no_more_evidence(stories in stories(2)) {
        let twice: Vec<Story> = stories.iter().map(|story| {
            let rounds = story.rounds.iter().map(|round| round.iter().flat_map(|entry| [*entry, *entry]).collect()).collect();
            story.clone().with(|story| story.rounds = rounds)
        }).collect();
        let (once, twice) = (one(&stories), one(&twice));
        prop_assert!(same(&once.ratio.unwrap(), &twice.ratio.unwrap()));
        prop_assert_eq!(once.p.is_some(), twice.p.is_some());
        prop_assert!(once.p.zip(twice.p).is_none_or(|(a, b)| near(a, b)));
        prop_assert_eq!(once.verdict.faster(), twice.verdict.faster());
        prop_assert_eq!(2 * once.blocks, twice.blocks);
    }

    #[test]
    fn a_failure_that_is_dropped_changes_what_is_ranked(stories in stories(2)) {
        let fails = |story: &Story| story.rounds.iter().flatten().any(|entry| matches!(entry, Entry::Failed { .. }));
        prop_assume!(fails(&stories[0]) && !fails(&stories[1]));
        let dropped = stories[0].clone().with(|story| {
            let kept = |entry: &Entry| if matches!(entry, Entry::Failed { .. }) { Entry::Absent } else { *entry };
            story.rounds = story.rounds.iter().map(|round| round.iter().map(kept).collect()).collect();
        });
        let (charged, dropped) = (one(&stories), one(&[dropped, stories[1].clone()]));
        prop_assume!(is_plain(&charged) && is_plain(&dropped));
        let point = |comparison: &Comparison| comparison.ratio.unwrap().point.finite().unwrap();
        // The one that fails looks better without its failures: they are charged more than any reply takes.
        prop_assert!(point(&dropped) < point(&charged) * (1.0 - 1e-6));
    }

    #[test]
    fn every_target_has_one_row_and_places_that_hold_its_order(stories in stories(4)) {
        let found = league(&laid_out(&stories), &how());
        prop_assert_eq!(found.ranked.len() + found.unranked.len(), 4);
        for (at, placing) in found.ranked.iter().enumerate() {
            let rank = placing.rank.unwrap();
            prop_assert!(1 <= rank.low && rank.low <= rank.high && rank.high <= found.ranked.len());
            prop_assert!(rank.low <= at + 1, "a target stands above those that are shown to be better");
        }
        prop_assert!(found.unranked.iter().all(|placing| placing.rank.is_none() && !placing.bars.is_empty()));
    }
}

fn places(league: &League) -> Vec<(String, Option<(usize, usize)>)> {
    let mut places: Vec<_> = league
        .ranked
        .iter()
        .chain(&league.unranked)
        .map(|placing| (placing.target.to_string(), placing.rank.map(|rank| (rank.low, rank.high))))
        .collect();
    places.sort();
    places
}

#[derive(serde::Deserialize)]
struct Vectors {
    cases: Vec<Case>,
}

#[derive(serde::Deserialize)]
struct Case {
    id: String,
    input: Input,
    expected: Expected,
}

#[derive(serde::Deserialize)]
struct Input {
    log_round_means: Vec<Vec<f64>>,
    alpha: f64,
}

#[derive(serde::Deserialize)]
struct Expected {
    order_by_mean: Vec<usize>,
    pair_p: Vec<f64>,
    holm: Vec<f64>,
    rank_low: Vec<usize>,
    rank_high: Vec<usize>,
}

/// The rank vectors through the whole chain: panel, differences, paired t, Holm, league.
#[test]
fn leagues_agree_with_ranks_computed_elsewhere() {
    let vectors: Vectors = serde_json::from_str(include_str!("vectors/rank_intervals.json")).unwrap();
    assert!(!vectors.cases.is_empty());
    for Case { id, input, expected } in vectors.cases {
        assert_eq!(input.alpha, 0.05);
        let targets = input.log_round_means[0].len();
        let names: Vec<&'static str> = (0..targets).map(|i| &*Box::leak(format!("t{i}").into_boxed_str())).collect();
        let story = |target: usize| {
            Story::of(names[target], input.log_round_means.len(), 1, |round, _| good(input.log_round_means[round][target].exp()))
        };
        let laid_out = laid_out(&(0..targets).map(story).collect::<Vec<_>>());
        let found = league(&laid_out, &how());
        let order: Vec<usize> = found.ranked.iter().map(|placing| placing.index).collect();
        assert_eq!(order, expected.order_by_mean, "{id}");
        for placing in &found.ranked {
            let rank = placing.rank.unwrap();
            assert_eq!(
                (rank.low, rank.high),
                (expected.rank_low[placing.index], expected.rank_high[placing.index]),
                "{id} {}",
                placing.target
            );
        }
        let compared = compare(&laid_out, &how());
        for ((comparison, p), holm) in compared.comparisons.iter().zip(&expected.pair_p).zip(&expected.holm) {
            assert!(near(comparison.p.unwrap(), *p) && near(comparison.p_holm.unwrap(), *holm), "{id}: {comparison:?}");
        }
    }
}
