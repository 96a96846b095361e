//! Leagues: who is ranked, on what places, and why others are not. And how many rounds a difference needs.

mod panels;

use panels::{Story, failed, good, limited, noise, panel, panel_every};
use photofinish::analysis::{
    Bar, Comparing, Entry, Judging, League, LeagueRemark, Panel, Placing, Quantity, Verdict, compare, league, power,
};
use photofinish::stats::{Confidence, Sample, paired};

fn how() -> Comparing {
    Comparing { seed: 3, ..Comparing::default() }
}

fn of(quantity: Quantity, stories: &[Story]) -> League {
    league(&panel(quantity, stories), &how())
}

fn names(placings: &[Placing]) -> Vec<&str> {
    placings.iter().map(|placing| placing.target.as_str()).collect()
}

fn point(estimate: Option<photofinish::stats::Estimate>) -> f64 {
    estimate.unwrap().point.finite().unwrap()
}

#[test]
fn targets_that_cannot_be_told_apart_share_places_and_a_shade() {
    let stories = [
        Story::about("slow", 48, 6, 30.0, 0.1),
        Story::about("tied-1", 48, 6, 10.0, 0.4),
        Story::about("tied-2", 48, 6, 10.0, 0.4),
        Story::about("fast", 48, 6, 2.0, 0.1),
    ];
    let found = of(Quantity::E2e, &stories);
    assert_eq!(names(&found.ranked)[0], "fast");
    assert_eq!(names(&found.ranked)[3], "slow");
    let ranks: Vec<String> = found.ranked.iter().map(|placing| placing.rank.unwrap().to_string()).collect();
    assert_eq!(ranks, ["1", "2–3", "2–3", "4"]);
    let shades: Vec<usize> = found.ranked.iter().map(|placing| placing.shade.unwrap()).collect();
    assert_eq!(shades, [0, 1, 1, 2]);
    assert!(found.differ.unwrap().p_f.unwrap() < 1e-6);
    assert_eq!((found.family, found.rounds, found.prompts), (6, 48, 6));
    assert!((point(found.ranked[0].times_best) - 1.0).abs() < 1e-12 && 14.0 < point(found.ranked[3].times_best));
    assert!(1.0 < found.visible.unwrap() && found.visible.unwrap() < 1.4);
}

#[test]
fn a_rate_stays_a_rate() {
    // Seconds a token: 0.02 is 50 tok/s.
    let found = of(Quantity::ContentSpeed, &[Story::about("a", 24, 5, 0.1, 0.1), Story::about("b", 24, 5, 0.02, 0.1)]);
    assert_eq!(names(&found.ranked), ["b", "a"]);
    let value = found.ranked[0].value.unwrap();
    assert!((45.0..55.0).contains(&point(Some(value))) && value.interval.unwrap().holds(50.0), "{value:?}");
    let (low, high) = value.interval.unwrap().ends().unwrap();
    assert!(low < high);
    let times = found.ranked[1].times_best.unwrap();
    assert!((0.15..0.25).contains(&point(Some(times))), "a fifth of the best one's speed: {times:?}");
    // The slow end of a rate is its 5th percentile.
    assert!(point(found.ranked[0].p95) < point(found.ranked[0].p50));
}

#[test]
fn failures_are_in_the_value_and_not_in_the_median_of_speeds() {
    let failing = Story::of("a", 24, 10, |round, prompt| match (round * 10 + prompt) % 20 {
        0 => failed(),
        _ => good(0.02 * (0.1 * noise("a", round, prompt)).exp()),
    });
    let found = of(Quantity::ContentSpeed, &[failing, Story::about("b", 24, 10, 0.02, 0.1)]);
    let a = found.ranked.iter().find(|placing| placing.target.as_str() == "a").unwrap();
    assert!((point(a.p50) - 50.0).abs() < 3.0 && point(a.value) < 40.0);
}

#[test]
fn preliminary_below_twenty_four_rounds_or_two_days() {
    let stories = |rounds: usize| [Story::about("a", rounds, 4, 2.0, 0.1), Story::about("b", rounds, 4, 3.0, 0.1)];
    assert!(of(Quantity::E2e, &stories(23)).preliminary);
    let hourly = of(Quantity::E2e, &stories(25));
    assert!(hourly.days == 2 && !hourly.preliminary, "{}", hourly.days);
    let one_day = league(&panel_every(Quantity::E2e, &stories(40), 60), &how());
    assert!(one_day.days == 1 && one_day.preliminary);
}

/// What keeps the second of two stories below the line.
fn barred(quantity: Quantity, story: Story) -> Vec<Bar> {
    let rounds = story.rounds.len();
    let found = of(quantity, &[Story::about("a", rounds, 10, 5.0, 0.1), Story::about("c", rounds, 10, 7.0, 0.1), story]);
    assert_eq!(found.family, if rounds < 6 { 0 } else { 1 }, "who is not ranked is in no pair");
    let placing = found.unranked.into_iter().find(|placing| placing.target.as_str() == "b").unwrap();
    assert!(placing.rank.is_none() && placing.times_best.is_none());
    placing.bars
}

#[test]
fn who_may_not_be_ranked_stands_below_the_line_with_the_reason() {
    let story = |entry: &dyn Fn(usize, usize) -> Entry| Story::of("b", 24, 10, entry);
    let about = |round: usize, prompt: usize| good(6.0 * (0.1 * noise("b", round, prompt)).exp());
    let often = story(&|round, prompt| if prompt < 3 { failed() } else { about(round, prompt) });
    assert!(matches!(barred(Quantity::E2e, often)[..], [Bar::FailsOften { ok: 168, sent: 240, upper }] if upper < 0.9));
    let over_quota = story(&|round, prompt| if prompt == 0 { limited() } else { about(round, prompt) });
    let found = barred(Quantity::E2e, over_quota);
    assert!(found.contains(&Bar::QuotaBound { limited: 24, sent: 240 }), "{found:?}");
    let silent = story(&|_, _| failed());
    assert_eq!(barred(Quantity::E2e, silent), [Bar::NoGoodReply { sent: 240 }]);
    let without = story(&|_, _| Entry::Undefined);
    assert_eq!(barred(Quantity::ReasoningSpeed, without), [Bar::NoValue]);
    let hiding = story(&about).with(|story| story.hidden = 2);
    assert_eq!(barred(Quantity::Ttft, hiding), [Bar::HiddenThinking { hidden: 2, ok: 240 }]);
    let bundling = story(&about).with(|story| story.bundled = 49);
    assert_eq!(barred(Quantity::ContentSpeed, bundling), [Bar::Bundled { bundled: 49, ok: 240 }]);
    let uncounted = story(&|_, _| Entry::Undefined).with(|story| story.uncounted = 240);
    assert_eq!(barred(Quantity::ContentSpeed, uncounted), [Bar::NoTokenBasis { uncounted: 240, ok: 240 }]);
}

#[test]
fn what_spoils_one_quantity_does_not_spoil_another() {
    let spoilt = |story: &mut Story| (story.hidden, story.bundled) = (240, 240);
    let stories = [Story::about("a", 24, 10, 5.0, 0.1), Story::about("b", 24, 10, 6.0, 0.1).with(spoilt)];
    for (quantity, unranked) in [(Quantity::E2e, 0), (Quantity::Ttfa, 0), (Quantity::Ttft, 1), (Quantity::ContentSpeed, 1)] {
        assert_eq!(of(quantity, &stories).unranked.len(), unranked, "{}", quantity.name());
    }
}

#[test]
fn a_target_that_joined_late_or_is_another_model_is_not_ranked() {
    let late =
        Story::of("late", 24, 5, |round, prompt| if round < 20 { Entry::Absent } else { good(6.0 + prompt as f64 + noise("l", round, 1)) });
    let stories = [Story::about("a", 24, 5, 5.0, 0.1), Story::about("b", 24, 5, 6.0, 0.1), late];
    let found = of(Quantity::E2e, &stories);
    assert_eq!(found.unranked[0].bars, [Bar::FewRounds { rounds: 4 }]);
    let other = Comparing { model_differs: vec![None, Some("other answers".into())], ..how() };
    let found = league(&panel(Quantity::E2e, &stories), &other);
    assert_eq!(names(&found.ranked), ["a"]);
    assert_eq!(found.ranked[0].rank.unwrap().to_string(), "1");
    assert!(found.unranked.iter().any(|placing| placing.bars == [Bar::ModelDiffers { found: "other answers".into() }]));
}

#[test]
fn an_order_that_hangs_on_rate_limits_is_none() {
    let first = Story::of("a", 30, 10, |round, prompt| match (round * 10 + prompt) % 24 {
        3 => limited(),
        _ => good(8.0 * (0.1 * noise("a", round, prompt)).exp()),
    });
    let found = of(Quantity::E2e, &[first, Story::about("b", 30, 10, 9.0, 0.1)]);
    let ranks: Vec<String> = found.ranked.iter().map(|placing| placing.rank.unwrap().to_string()).collect();
    assert_eq!(ranks, ["1–2", "1–2"]);
    assert!(found.ranked.iter().all(|placing| placing.remarks.iter().any(|r| matches!(r, LeagueRemark::OrderHangsOnRateLimits { .. }))));
    assert!(found.ranked.iter().any(|placing| placing.remarks.contains(&LeagueRemark::RateLimited(13))));
}

#[test]
fn rate_limits_of_a_third_do_not_touch_a_pair_that_has_none() {
    // Left out, the third one's limits make its own pairs sure, and Holm then lets the first pair pass: no reason to doubt its word.
    let bound = Story::of("c", 24, 10, |round, prompt| match (round * 10 + prompt) % 22 {
        0 => limited(),
        _ => good(6.8 * (0.1 * noise("c", round, prompt)).exp()),
    });
    let close = |time: f64| [Story::about("a", 24, 10, 8.0, 0.5), Story::about("b", 24, 10, time, 0.5), bound.clone()];
    let p = |stories: &[Story]| {
        let logs = panel(Quantity::E2e, &stories[..2]).differences(0, 1).iter().map(|d| d.log_ratio).collect();
        paired(&Sample::new(logs).unwrap(), Confidence::DEFAULT).p.unwrap()
    };
    let mut candidates = (0..400).map(|step| close(8.0 + f64::from(step) / 200.0));
    let stories = candidates.find(|stories| (0.035..0.049).contains(&p(stories))).unwrap();
    let laid_out = panel(Quantity::E2e, &stories);
    let word = |panel: &Panel| compare(panel, &Comparing { resamples: 9, ..how() }).comparisons.remove(0).verdict;
    assert!(matches!(word(&laid_out.without_rate_limited()), Verdict::Faster { .. }));
    assert!(matches!(word(&laid_out), Verdict::NotShown { .. }));
}

#[test]
fn values_of_different_rounds_do_not_overrule_the_rounds_in_common() {
    // Both are ten times as slow in every other round, when the second one is not asked; when it is, it is the slower one.
    let busy = |round: usize| if round.is_multiple_of(2) { 1.0 } else { 10.0 };
    let first = Story::of("a", 40, 5, |round, prompt| good(busy(round) * (0.1 * noise("a", round, prompt)).exp()));
    let second = Story::of("b", 40, 5, |round, prompt| match busy(round) {
        1.0 => good(1.5 * (0.1 * noise("b", round, prompt)).exp()),
        _ => Entry::Absent,
    });
    let found = of(Quantity::E2e, &[first, second]);
    assert_eq!(names(&found.ranked), ["b", "a"], "by their values");
    let ranks: Vec<String> = found.ranked.iter().map(|placing| placing.rank.unwrap().to_string()).collect();
    assert_eq!(ranks, ["2", "1"]);
    assert!(found.ranked.iter().all(|placing| matches!(placing.remarks[..], [LeagueRemark::OtherRounds { .. }])));
}

#[test]
fn with_three_to_five_rounds_there_are_intervals_and_no_places_and_with_two_only_points() {
    for rounds in [1, 2, 3, 5] {
        let found = of(Quantity::E2e, &[Story::about("a", rounds, 8, 5.0, 0.1), Story::about("b", rounds, 8, 6.0, 0.1)]);
        assert_eq!((found.ranked.len(), found.unranked.len(), found.preliminary), (0, 2, true));
        for placing in &found.unranked {
            assert_eq!(placing.value.unwrap().interval.is_some(), 3 <= rounds, "{rounds}");
            assert_eq!(placing.p50.unwrap().interval.is_some(), 3 <= rounds, "{rounds}");
            assert_eq!(placing.p95.is_some(), 20 <= rounds * 8, "{rounds}");
        }
    }
}

#[test]
fn power_says_how_many_more_rounds_and_how_long_they_take() {
    let stories = [Story::about("a", 24, 4, 8.0, 0.3), Story::about("b", 24, 4, 9.0, 0.3), Story::of("c", 24, 4, |_, _| failed())];
    let found = power(&panel(Quantity::E2e, &stories), 1.1, None, 3600, &Judging::default());
    assert_eq!((found.pairs.len(), found.left_out.len()), (1, 1));
    let pair = &found.pairs[0];
    let (sd, dependence) = (pair.sd.unwrap(), pair.dependence.unwrap());
    let needed = 2.0 + 7.85 * sd * sd * dependence / 1.1f64.ln().powi(2);
    assert!((pair.needed.unwrap() - needed.max(6.0)).abs() < 1e-9);
    assert_eq!(pair.more.unwrap(), (needed.max(6.0) - 24.0).ceil().max(0.0) as u64);
    assert_eq!(pair.takes_s.unwrap(), pair.more.unwrap() as f64 * 3600.0);
    assert!(found.every_is_planned);
    // A larger difference needs fewer rounds, and what is there already needs none.
    let twice = power(&panel(Quantity::E2e, &stories), 2.0, None, 0, &Judging::default());
    assert_eq!((twice.pairs[0].more, twice.every_s, twice.every_is_planned), (Some(0), Some(3600.0), false));
    // What can be seen now needs just the rounds that are there.
    let visible = pair.visible.unwrap();
    let now = power(&panel(Quantity::E2e, &stories), visible, None, 0, &Judging::default());
    assert!((now.pairs[0].needed.unwrap() - 24.0).abs() < 1e-6);
    let two = [Story::about("a", 2, 4, 8.0, 0.3), Story::about("b", 2, 4, 9.0, 0.3)];
    let found = power(&panel(Quantity::E2e, &two), 1.1, Some(0), 3600, &Judging::default());
    assert_eq!((found.pairs[0].sd, found.pairs[0].needed, found.pairs[0].takes_s), (None, None, None));
}
