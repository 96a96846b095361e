//! Every word that a comparison can come to, every rider, every row of the small-n table: each as a story of two targets.

mod panels;

use panels::{Story, failed, good, limited, noise, panel, panel_every};
use photofinish::analysis::{Bar, Comparing, Comparison, Entry, Judging, Quantity, Rider, Side, Verdict, WhyNot, compare};

const HOW: fn() -> Comparing = || Comparing { seed: 7, resamples: 999, ..Comparing::default() };

/// The comparison of two stories, one round an hour.
fn of(first: Story, second: Story) -> Comparison {
    compare(&panel(Quantity::E2e, &[first, second]), &HOW()).comparisons.remove(0)
}

fn point(figure: Result<photofinish::stats::Estimate, WhyNot>) -> f64 {
    figure.unwrap().point.finite().unwrap()
}

#[test]
fn a_clear_lead_is_called_with_its_ratio_in_time() {
    let found = of(Story::about("a", 24, 5, 8.0, 0.1), Story::about("b", 24, 5, 10.0, 0.1));
    let Verdict::Faster { who, ratio } = found.verdict else { panic!("{:?}", found.verdict) };
    assert_eq!(who, Side::First);
    assert!((0.75..0.85).contains(&ratio.point) && ratio.interval.holds(0.8), "{ratio:?}");
    assert!(ratio.interval.high.at().unwrap() < 1.0);
    assert_eq!((found.rounds, found.blocks), (24, 120));
    assert!(found.p_holm.unwrap() <= 0.05 && found.riders.is_empty(), "{:?}", found.riders);
    assert!((point(found.p50) - 0.8).abs() < 0.05 && (point(found.p95) - 0.8).abs() < 0.06);
    assert!(0.85 < point(found.first_won));
    // The second is named the same way: its own time over the other's.
    let turned = of(Story::about("b", 24, 5, 10.0, 0.1), Story::about("a", 24, 5, 8.0, 0.1));
    assert!(matches!(turned.verdict, Verdict::Faster { who: Side::Second, ratio: same } if (same.point - ratio.point).abs() < 1e-12));
}

#[test]
fn a_sure_lead_of_three_percent_is_a_tie_in_practice() {
    let found = of(Story::about("a", 72, 10, 9.7, 0.05), Story::about("b", 72, 10, 10.0, 0.05));
    let Verdict::FasterWithinBand { who: Side::First, ratio } = found.verdict else { panic!("{:?}", found.verdict) };
    assert!(1.0 / 1.05 < ratio.point && ratio.point < 1.0);
}

#[test]
fn equal_targets_are_practically_equal_only_when_the_rounds_can_show_it() {
    let many = of(Story::about("a", 72, 10, 10.0, 0.08), Story::about("b", 72, 10, 10.0, 0.08));
    assert!(matches!(many.verdict, Verdict::PracticallyEqual { .. }), "{:?}", many.verdict);
    let few = of(Story::about("a", 7, 2, 10.0, 0.5), Story::about("b", 7, 2, 10.0, 0.5));
    let Verdict::NotShown { ratio } = few.verdict else { panic!("{:?}", few.verdict) };
    assert!(ratio.interval.holds(1.0));
}

#[test]
fn fewer_than_six_rounds_have_no_word_and_fewer_than_three_no_interval() {
    for rounds in 1..=7 {
        let found = of(Story::about("a", rounds, 5, 2.0, 0.1), Story::about("b", rounds, 5, 10.0, 0.1));
        assert!(found.ratio.is_ok(), "a point there always is");
        assert_eq!(found.ratio.unwrap().interval.is_some(), 3 <= rounds, "{rounds}");
        assert_eq!(found.p.is_some(), 3 <= rounds, "{rounds}");
        assert_eq!(found.p50.is_ok(), 5 <= rounds, "{rounds}");
        assert_eq!(found.p95.is_ok(), 20 <= rounds * 5 && 5 <= rounds, "{rounds}");
        assert_eq!(found.first_won.unwrap().interval.is_some(), 3 <= rounds, "{rounds}");
        assert_eq!(found.success.unwrap().difference.is_some(), 3 <= rounds, "{rounds}");
        assert_eq!(found.verdict == Verdict::TooFewRounds { rounds }, rounds < 6, "{:?}", found.verdict);
        assert_eq!(found.p_holm.is_some(), 6 <= rounds, "{rounds}");
    }
    let found = of(Story::about("a", 6, 3, 2.0, 0.1), Story::about("b", 6, 3, 10.0, 0.1));
    assert_eq!(found.p95.map(|_| ()), Err(WhyNot::FewRequests { n: 18, needs: 20 }));
}

#[test]
fn data_that_agree_to_the_last_digit_are_a_fault_of_the_set_up() {
    let same = |id| Story::of(id, 10, 4, |round, prompt| good(2.0 + round as f64 + prompt as f64));
    let found = of(same("a"), same("b"));
    assert_eq!((found.verdict, found.p, found.p_holm), (Verdict::IdenticalData, None, None));
    assert_eq!(found.ratio.unwrap().interval.unwrap().ends(), Some((1.0, 1.0)));
}

#[test]
fn rate_limits_that_turn_the_word_leave_none() {
    // The first is faster by a quarter when it answers, and over its quota in 4 of 100 requests.
    let first = Story::of("a", 30, 10, |round, prompt| match (round * 10 + prompt) % 24 {
        3 => limited(),
        _ => good(8.0 * (0.1 * noise("a", round, prompt)).exp()),
    });
    let second = Story::about("b", 30, 10, 9.0, 0.1);
    let found = of(first, second.clone());
    let Verdict::NotRanked { charged, left_out } = found.verdict else { panic!("{:?}", found.verdict) };
    assert!(matches!(*left_out, Verdict::Faster { who: Side::First, .. }), "{left_out:?}");
    assert_ne!(charged.faster(), left_out.faster());
    assert!(found.sensitivity.without_rate_limited.is_some());
    // Failures of the server are charged and turn nothing round.
    let failing = Story::of("a", 30, 10, |round, prompt| match (round * 10 + prompt) % 24 {
        3 => failed(),
        _ => good(8.0 * (0.1 * noise("a", round, prompt)).exp()),
    });
    assert!(!matches!(of(failing, second).verdict, Verdict::NotRanked { .. }));
}

#[test]
fn above_five_percent_over_the_quota_a_target_is_compared_but_said_to_be_bound() {
    let first = Story::of("a", 30, 10, |round, prompt| match prompt {
        0 => limited(),
        _ => good(20.0 * (0.1 * noise("a", round, prompt)).exp()),
    });
    let found = of(first, Story::about("b", 30, 10, 9.0, 0.1));
    assert_eq!(found.verdict.faster(), Some(Side::Second));
    assert!(found.riders.contains(&Rider::QuotaBound { who: Side::First, limited: 30, sent: 300 }), "{:?}", found.riders);
}

#[test]
fn the_faster_one_that_fails_more_is_said_to() {
    let first = Story::of("a", 40, 10, |round, prompt| match (round + prompt) % 11 {
        0 => failed(),
        _ => good(1.0 * (0.1 * noise("a", round, prompt)).exp()),
    });
    let found = of(first, Story::about("b", 40, 10, 10.0, 0.1));
    assert_eq!(found.verdict.faster(), Some(Side::First));
    let Some(Rider::FailsMore { who: Side::First, its, others }) = found.riders.first() else { panic!("{:?}", found.riders) };
    assert!(*its < 0.93 && *others == 1.0);
    let success = found.success.unwrap();
    assert!(success.differ() && success.mcnemar.unwrap().2 < 0.001);
}

#[test]
fn faster_on_average_and_slower_in_most_blocks() {
    // The second is a little faster nine times of ten, and once of ten takes ten times as long.
    let first = Story::about("a", 40, 10, 10.0, 0.02);
    let second = Story::of("b", 40, 10, |round, prompt| match prompt {
        0 => good(100.0 * (0.05 * noise("b", round, prompt)).exp()),
        _ => good(9.0 * (0.02 * noise("b", round, prompt)).exp()),
    });
    let found = of(first, second);
    assert_eq!(found.verdict.faster(), Some(Side::First));
    assert!(found.riders.iter().any(|rider| matches!(rider, Rider::SlowerInMost { won } if *won < 0.2)), "{:?}", found.riders);
}

#[test]
fn rounds_that_drift_together_and_rounds_of_one_afternoon_are_said_to() {
    let drifting = Story::of("a", 24, 5, |round, prompt| good((0.5 + round as f64 / 10.0) * (0.1 * noise("a", round, prompt)).exp()));
    let found = of(drifting, Story::about("b", 24, 5, 30.0, 0.1));
    assert!(found.riders.iter().any(|rider| matches!(rider, Rider::Dependent { r } if 0.3 < *r)), "{:?}", found.riders);

    let stories = [Story::about("a", 24, 5, 8.0, 0.1), Story::about("b", 24, 5, 10.0, 0.1)];
    let found = compare(&panel_every(Quantity::E2e, &stories, 300), &HOW()).comparisons.remove(0);
    assert!(found.riders.contains(&Rider::ShortSpan { seconds: 6900.0 }), "{:?}", found.riders);
}

#[test]
fn different_models_are_compared_in_speed_only() {
    let other = |family: Option<&'static str>| Story::about("b", 24, 5, 10.0, 0.1).with(|story| story.family = family);
    for (family, known) in [(Some("two"), true), (None, false)] {
        let found = of(Story::about("a", 24, 5, 8.0, 0.1), other(family));
        assert!(found.riders.contains(&Rider::DifferentModels { known }), "{:?}", found.riders);
    }
    let stories = [Story::about("a", 24, 5, 8.0, 0.1), Story::about("b", 24, 5, 10.0, 0.1)];
    let how = Comparing { model_differs: vec![None, Some("shorter replies".into())], ..HOW() };
    let found = compare(&panel(Quantity::E2e, &stories), &how).comparisons.remove(0);
    assert!(found.riders.iter().any(|rider| matches!(rider, Rider::ModelDiffers { who: Side::Second, .. })));
}

#[test]
fn a_target_that_never_answered_is_not_beaten_but_left_out() {
    let silent = Story::of("b", 24, 5, |_, _| failed());
    let found = of(Story::about("a", 24, 5, 8.0, 0.1), silent.clone());
    assert_eq!(found.verdict, Verdict::NotComparable { who: vec![Side::Second] });
    assert_eq!(found.second.bars, [Bar::NoGoodReply { sent: 120 }]);
    assert_eq!((found.ratio, found.p50, found.p_holm), (Err(WhyNot::NotComparable), Err(WhyNot::NotComparable), None));
    // It does not make the family larger either.
    let three = [Story::about("a", 24, 5, 8.0, 0.1), silent, Story::about("c", 24, 5, 9.0, 0.1)];
    let all = compare(&panel(Quantity::E2e, &three), &HOW());
    assert_eq!((all.family, all.comparisons.len()), (1, 3));
    assert_eq!(all.comparisons[1].p, all.comparisons[1].p_holm);
}

#[test]
fn a_ttft_with_hidden_thinking_and_a_bundled_speed_are_not_comparable() {
    let hiding = Story::about("b", 24, 5, 10.0, 0.1).with(|story| story.hidden = 1);
    let stories = [Story::about("a", 24, 5, 8.0, 0.1), hiding];
    let verdict = |quantity| compare(&panel(quantity, &stories), &HOW()).comparisons.remove(0).verdict;
    assert_eq!(verdict(Quantity::Ttft), Verdict::NotComparable { who: vec![Side::Second] });
    assert!(verdict(Quantity::Ttfa).is_called());

    let bundling = Story::of("b", 24, 5, |round, prompt| match prompt {
        0 | 1 => Entry::Undefined,
        _ => good(0.01 * (0.1 * noise("b", round, prompt)).exp()),
    });
    let bundling = bundling.with(|story| story.bundled = 48);
    let found = compare(&panel(Quantity::ContentSpeed, &[Story::about("a", 24, 5, 0.02, 0.1), bundling]), &HOW()).comparisons.remove(0);
    assert_eq!(found.verdict, Verdict::NotComparable { who: vec![Side::Second] });
    assert_eq!(found.blocks, 72, "blocks in which one has no speed count for neither");
}

#[test]
fn against_a_baseline_every_other_target_comes_first_and_the_family_is_theirs() {
    let stories = ["a", "b", "c", "d"].map(|id| Story::about(id, 24, 5, 8.0, 0.3));
    let all = compare(&panel(Quantity::E2e, &stories), &HOW());
    let against = compare(&panel(Quantity::E2e, &stories), &Comparing { baseline: Some(1), ..HOW() });
    assert_eq!((all.family, against.family), (6, 3));
    let pairs: Vec<(&str, &str)> = against.comparisons.iter().map(|c| (c.first.target.as_str(), c.second.target.as_str())).collect();
    assert_eq!(pairs, [("a", "b"), ("c", "b"), ("d", "b")]);
    let least = against.comparisons.iter().filter_map(|c| c.p).fold(1.0, f64::min);
    let adjusted = against.comparisons.iter().filter_map(|c| c.p_holm).fold(1.0, f64::min);
    assert!((adjusted - (3.0 * least).min(1.0)).abs() < 1e-12);
}

#[test]
fn a_median_that_more_than_half_never_reach_has_no_ratio() {
    let failing = Story::of("a", 24, 5, |round, prompt| if prompt < 3 { failed() } else { good(1.0 + noise("a", round, prompt).abs()) });
    let found = of(failing, Story::about("b", 24, 5, 10.0, 0.1));
    assert_eq!(found.p50.map(|_| ()), Err(WhyNot::Never { who: Side::First }));
    assert!(found.ratio.is_ok(), "charged times go on to tell them apart");
    // Dropping the failures would have said the contrary.
    let answered = found.sensitivity.answered_only.unwrap().point.finite().unwrap();
    assert!(answered < 0.3 && 1.0 < point(found.ratio), "{answered}");
}

#[test]
fn the_band_and_the_confidence_are_the_readers() {
    let stories = [Story::about("a", 72, 10, 9.0, 0.05), Story::about("b", 72, 10, 10.0, 0.05)];
    let how = |delta: f64| Comparing { judging: Judging { delta, ..Judging::default() }, ..HOW() };
    let word = |delta: f64| compare(&panel(Quantity::E2e, &stories), &how(delta)).comparisons.remove(0).verdict;
    assert!(matches!(word(0.05), Verdict::Faster { .. }));
    assert!(matches!(word(0.2), Verdict::FasterWithinBand { .. }));
}
