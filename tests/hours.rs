//! Time of day, on panels made by hand: a curve that was put in is found, none is found where there is none, and clocks that summer
//! time moves break nothing.

use jiff::{SignedDuration, Timestamp};
use photofinish::analysis::{BinWidth, Entry, Hours, HoursOptions, NoHours, Panel, PanelRound, PanelTarget, Quantity, Swing, hours};
use photofinish::ident::TargetId;
use photofinish::record::{Windows, zone};
use photofinish::stats::{Confidence, Extended};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const PROMPTS: usize = 5;

/// A panel of rounds that begin at these moments; `log_ms` is the logarithm of a time, by target, round and prompt.
fn panel(names: &[&str], at: &[Timestamp], mut log_ms: impl FnMut(usize, usize, usize) -> f64) -> Panel {
    let target = |id: &&str| PanelTarget {
        id: TargetId::new(*id).unwrap(),
        family: None,
        simulated: false,
        success: vec![(PROMPTS, PROMPTS); at.len()],
        rate_limited: 0,
        bundled: 0,
        hidden: 0,
        uncounted: 0,
    };
    let rounds = at.iter().enumerate().map(|(i, at)| PanelRound { run: 0, round: i as u32 + 1, at: *at }).collect();
    let mut entries = Vec::new();
    for target in 0..names.len() {
        for round in 0..at.len() {
            entries.extend((0..PROMPTS).map(|prompt| Entry::Good(log_ms(target, round, prompt).exp())));
        }
    }
    Panel::of_blocks(Quantity::E2e, names.iter().map(target).collect(), rounds, PROMPTS, 300.0, entries)
}

/// A round in every hour from a moment on, each at a random minute.
fn hourly(from: &str, rounds: usize, random: &mut ChaCha8Rng) -> Vec<Timestamp> {
    let from: Timestamp = from.parse().unwrap();
    let minute = |random: &mut ChaCha8Rng| (random.next_u64() % 60) as i64;
    (0..rounds as i64).map(|hour| from + SignedDuration::from_mins(60 * hour + minute(random))).collect()
}

/// A draw from the standard normal distribution (Box and Muller).
fn normal(random: &mut ChaCha8Rng) -> f64 {
    let mut unit = || (random.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
    let (a, b) = (1.0 - unit(), unit());
    (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
}

/// Rounds, prompts and the rest vary as method.md §4.C has it; to that, what the hour does.
fn varied(names: &[&str], at: &[Timestamp], random: &mut ChaCha8Rng, hour: impl Fn(usize, Timestamp) -> f64) -> Panel {
    let prompts: Vec<f64> = (0..PROMPTS).map(|_| 0.4 * normal(random)).collect();
    let rounds: Vec<f64> = (0..names.len() * at.len()).map(|_| 0.2 * normal(random)).collect();
    panel(names, at, |target, round, prompt| {
        8.0 + prompts[prompt] + rounds[target * at.len() + round] + hour(target, at[round]) + 0.3 * normal(random)
    })
}

fn look(panel: &Panel, zone_name: &str, bin: Option<BinWidth>) -> Result<Hours, NoHours> {
    look_in(panel, zone_name, bin, &Windows::default(), 99)
}

fn look_in(panel: &Panel, zone_name: &str, bin: Option<BinWidth>, windows: &Windows, shuffles: u64) -> Result<Hours, NoHours> {
    let zone = zone(zone_name).unwrap();
    hours(panel, &HoursOptions { zone, bin, windows, confidence: Confidence::DEFAULT, seed: 7, shuffles })
}

fn point(estimate: Option<photofinish::stats::Estimate>) -> f64 {
    match estimate.unwrap().point {
        Extended::Finite(point) => point,
        Extended::Never => panic!("infinite"),
    }
}

/// The hour of Beijing's clock, with its fraction.
fn beijing(at: Timestamp) -> f64 {
    (at.as_second() as f64 / 3600.0 + 8.0).rem_euclid(24.0)
}

#[test]
fn a_curve_that_was_put_in_is_found_with_its_peak() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let at = hourly("2026-11-20T16:00:00Z", 144, &mut random);
    let wave = |at| 0.3 * (std::f64::consts::TAU * (beijing(at) - 15.0) / 24.0).cos();
    let panel = varied(&["steady", "wavy"], &at, &mut random, |target, at| if target == 1 { wave(at) } else { 0.0 });
    let found = look(&panel, "Asia/Shanghai", None).unwrap();
    assert_eq!((found.bin, found.rounds), (BinWidth::OneHour, 144));
    let [steady, wavy] = &found.targets[..] else { panic!("two targets") };

    assert_eq!((steady.windows.swing, wavy.windows.swing), (Swing::NotShown, Swing::Swings));
    assert!(wavy.windows.ratio.unwrap().interval.unwrap().holds(1.36), "{:?}", wavy.windows.ratio);
    let wave = wavy.day.cosinor.as_ref().unwrap();
    let (fit, p) = (wave.result.unwrap(), wave.p_holm.unwrap());
    assert!(p < 1e-6 && (fit.peak_hour.unwrap() - 15.0).abs() < 1.5, "{fit:?}");
    assert!(fit.amplitude_interval(Confidence::DEFAULT).unwrap().holds(0.3), "{fit:?}");
    assert!(wavy.day.kruskal_wallis.as_ref().unwrap().p_holm.unwrap() < 1e-3);
    assert!(0.01 < steady.day.kruskal_wallis.as_ref().unwrap().p_holm.unwrap());

    let extremes = wavy.extremes.unwrap();
    assert!(extremes.by_chance_upper < extremes.ratio && (11..=19).contains(&extremes.slowest), "{extremes:?}");
    assert!(1.2 < extremes.by_chance, "chance alone makes a largest over a smallest that is far above 1: {extremes:?}");
    let peak = wavy.bins.iter().max_by(|a, b| point(a.ratio).total_cmp(&point(b.ratio))).unwrap();
    assert_eq!(peak.from_hour, extremes.slowest);

    let pair = &found.pairs[0];
    assert_eq!((pair.a, pair.b, pair.windows.swing), (0, 1, Swing::Swings));
    assert!(1.0 < point(pair.windows.ratio));
}

#[test]
fn where_hours_do_nothing_little_is_claimed_however_often_it_is_tried() {
    let (mut swings, mut pairs, mut bins, mut waves, mut spreads, mut dependent) = (0, 0, 0, 0, 0, 0);
    let repetitions = 200;
    for seed in 0..repetitions {
        let mut random = ChaCha8Rng::seed_from_u64(1000 + seed);
        let at = hourly("2026-11-20T16:00:00Z", 72, &mut random);
        let panel = varied(&["a", "b", "c"], &at, &mut random, |_, _| 0.0);
        let found = look_in(&panel, "Asia/Shanghai", None, &Windows::default(), 1).unwrap();
        let small = |p: Option<f64>| p.is_some_and(|p| p <= 0.05);
        let any = |of: &dyn Fn(&photofinish::analysis::TargetHours) -> bool| usize::from(found.targets.iter().any(of));
        swings += any(&|target| target.windows.swing == Swing::Swings);
        pairs += usize::from(found.pairs.iter().any(|pair| pair.windows.swing == Swing::Swings));
        bins += any(&|target| small(target.day.kruskal_wallis.as_ref().unwrap().p_holm));
        waves += any(&|target| small(target.day.cosinor.as_ref().unwrap().p_holm));
        spreads += any(&|target| small(target.day.brown_forsythe.as_ref().unwrap().p_holm));
        dependent += any(&|target| target.is_dependent());
    }
    // One in twenty is allowed to each family; three standard errors of 200 repetitions above that are 9.6 %.
    for (what, claims) in [("swings", swings), ("pairs", pairs), ("bins", bins), ("waves", waves), ("spreads", spreads)] {
        assert!(claims * 1000 <= 96 * repetitions as usize, "{what}: {claims} of {repetitions}");
    }
    assert!(dependent * 10 <= 3 * repetitions as usize, "independent rounds look dependent: {dependent}");
}

#[test]
fn one_day_tells_nothing_of_hours_whatever_it_looks_like() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let at = hourly("2026-11-20T16:00:00Z", 24, &mut random);
    let panel = varied(&["a"], &at, &mut random, |_, at| if beijing(at) < 12.0 { 0.0 } else { 1.0 });
    let found = look(&panel, "Asia/Shanghai", None).unwrap();
    let [one] = &found.targets[..] else { panic!("one target") };
    assert_eq!((found.bin, found.days), (BinWidth::ThreeHours, 1));
    assert_eq!(one.windows.swing, Swing::FewDays);
    assert_eq!((one.windows.welch, one.windows.p_holm), (None, None));
    assert!(one.windows.ratio.unwrap().interval.is_none(), "an interval would be a test");
    assert!(one.day.kruskal_wallis.is_none() && one.day.cosinor.is_none() && one.day.brown_forsythe.is_none());
    assert!(one.day.variance.is_ok());
}

#[test]
fn rounds_of_too_few_hours_are_refused() {
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let at = hourly("2026-11-20T16:00:00Z", 5, &mut random);
    let panel = varied(&["a"], &at, &mut random, |_, _| 0.0);
    assert_eq!(look(&panel, "Asia/Shanghai", None), Err(NoHours::FewBins { bins: 5, width: BinWidth::OneHour }));
    let wide = Some(BinWidth::FourHours);
    assert_eq!(look(&panel, "Asia/Shanghai", wide), Err(NoHours::FewBins { bins: 2, width: BinWidth::FourHours }));
    assert_eq!(look(&self::panel(&["a"], &[], |_, _, _| 0.0), "UTC", None), Err(NoHours::NoRounds));
}

#[test]
fn windows_need_six_rounds_each_before_anything_is_said() {
    // Six rounds a day over four days, one of them at night: four at night in all.
    let from: Timestamp = "2026-11-20T16:30:00Z".parse().unwrap();
    let hour = |n: i64| from + SignedDuration::from_hours(24 * (n / 6) + 4 * (n % 6));
    let at: Vec<Timestamp> = (0..24).map(hour).collect();
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let panel = varied(&["a"], &at, &mut random, |_, _| 0.0);
    let windows = Windows { off_peak: vec!["00:00-04:00".parse().unwrap()], ..Windows::default() };
    let found = look_in(&panel, "Asia/Shanghai", None, &windows, 9).unwrap();
    let one = &found.targets[0].windows;
    assert_eq!((one.off_peak, one.swing, one.p_holm), (4, Swing::FewRounds, None));
    assert!(one.ratio.unwrap().interval.is_some(), "three rounds in each window and three days give an interval, and no words");
}

#[test]
fn an_hour_that_occurs_twice_or_not_at_all_breaks_nothing() {
    // Clocks in Berlin go back on 25 October 2026 and forward on 28 March 2027; in New York on 1 November and 14 March.
    for (name, from, twice, goes_back) in [
        ("Europe/Berlin", "2026-10-24T00:00:00+02:00", Some(2), true),
        ("America/New_York", "2026-10-31T00:00:00-04:00", Some(1), true),
        ("Europe/Berlin", "2027-03-27T00:00:00+01:00", None, false),
        ("America/New_York", "2027-03-13T00:00:00-05:00", None, false),
    ] {
        let from: Timestamp = from.parse().unwrap();
        let hours_in_all = if goes_back { 73 } else { 71 };
        let at: Vec<Timestamp> = (0..hours_in_all).map(|hour| from + SignedDuration::from_mins(60 * hour + 30)).collect();
        let panel = panel(&["a"], &at, |_, round, prompt| (1 + (round * 7 + prompt) % 5) as f64);
        let found = look(&panel, name, Some(BinWidth::OneHour)).unwrap();
        assert_eq!(found.days, 3, "{name}");
        let rounds: Vec<usize> = found.targets[0].bins.iter().map(|bin| bin.rounds).collect();
        assert_eq!((rounds.len(), rounds.iter().sum::<usize>()), (24, at.len()), "{name}");
        let odd: Vec<(usize, usize)> = rounds.iter().copied().enumerate().filter(|(_, n)| *n != 3).collect();
        match twice {
            Some(hour) => assert_eq!(odd, [(hour, 4)], "{name}: the hour that occurs twice is one hour of the clock"),
            None => assert_eq!(odd, [(2, 2)], "{name}: the hour that does not occur has one round fewer"),
        }
    }
}

#[test]
fn a_zone_of_half_hours_is_binned_by_its_own_clock() {
    let at: Vec<Timestamp> =
        (0..72).map(|hour| "2026-11-20T18:30:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hour)).collect();
    let slow_at_nine = |round: usize| if round % 24 == 9 { 1.0 } else { 0.0 };
    let panel = panel(&["a"], &at, |_, round, prompt| slow_at_nine(round) + 0.01 * ((round * 3 + prompt) % 7) as f64);
    // 18:30 UTC is midnight in Kolkata, so the tenth round of the day begins at 09:00 there, and at 03:30 UTC.
    let found = look(&panel, "Asia/Kolkata", None).unwrap();
    assert_eq!(found.targets[0].extremes.unwrap().slowest, 9);
    assert_eq!(found.targets[0].bins[9].rounds, 3);
    assert_eq!(look(&panel, "UTC", None).unwrap().targets[0].extremes.unwrap().slowest, 3);
}

#[test]
fn windows_over_midnight_and_of_another_zone_keep_their_own_clock() {
    let at: Vec<Timestamp> =
        (0..96).map(|hour| "2026-11-20T00:15:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hour)).collect();
    let spans = |text: &str| vec![text.parse().unwrap()];
    let windows = Windows { zone: "UTC".into(), peak: spans("22:00-02:00"), off_peak: spans("10:00-14:00") };
    let late = |at: Timestamp| if [22, 23, 0, 1].contains(&at.to_zoned(jiff::tz::TimeZone::UTC).hour()) { 0.5 } else { 0.0 };
    let mut random = ChaCha8Rng::seed_from_u64(6);
    let panel = varied(&["a"], &at, &mut random, |_, at| late(at));
    for zone in ["UTC", "Asia/Shanghai", "America/New_York"] {
        let found = look_in(&panel, zone, None, &windows, 9).unwrap();
        let one = &found.targets[0].windows;
        assert_eq!((one.peak, one.off_peak, one.swing), (16, 16, Swing::Swings), "{zone}");
        assert!(one.ratio.unwrap().interval.unwrap().holds(0.5f64.exp()), "{zone}: {one:?}");
    }
}

#[test]
fn runs_that_were_joined_are_one_series_with_one_level() {
    // The second run fell on a slow week: between its hours and the first one's lies that week, not the hour.
    let mut random = ChaCha8Rng::seed_from_u64(8);
    let mut at = hourly("2026-11-02T16:00:00Z", 36, &mut random);
    at.extend(hourly("2026-11-09T16:00:00Z", 36, &mut random));
    let mut panel = varied(&["a"], &at, &mut random, |_, _| 0.0);
    for (i, round) in panel.rounds.iter_mut().enumerate() {
        (round.run, round.round) = (i / 36, (i % 36) as u32 + 1);
    }
    let found = look(&panel, "Asia/Shanghai", None).unwrap();
    assert_eq!((found.rounds, found.days, found.targets[0].rounds), (72, 4, 72));
    let bins = &found.targets[0].bins;
    let weighted: f64 = bins.iter().filter(|bin| 0 < bin.rounds).map(|bin| bin.rounds as f64 * point(bin.ratio).ln()).sum();
    assert!(weighted.abs() < 1e-9, "ratios are to the level of both runs together: {weighted}");
    assert_eq!(bins.iter().map(|bin| bin.success.1).sum::<usize>(), 72 * PROMPTS);
}

#[test]
fn the_chance_reference_is_the_same_each_time_and_another_with_another_seed() {
    let mut random = ChaCha8Rng::seed_from_u64(9);
    let at = hourly("2026-11-20T16:00:00Z", 72, &mut random);
    let panel = varied(&["a", "b"], &at, &mut random, |_, _| 0.0);
    let chance = |seed| {
        let zone = zone("Asia/Shanghai").unwrap();
        let windows = Windows::default();
        let options = HoursOptions { zone, bin: None, windows: &windows, confidence: Confidence::DEFAULT, seed, shuffles: 999 };
        let found = hours(&panel, &options).unwrap();
        found.targets.iter().map(|target| target.extremes.unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(chance(7), chance(7));
    assert_ne!(chance(7), chance(8));
    // Three days without any effect of the hour: method.md §0 gives 1.67 for its model.
    assert!(chance(7).iter().all(|extremes| (1.3..2.2).contains(&extremes.by_chance) && extremes.by_chance < extremes.by_chance_upper));
}

#[test]
fn failures_are_charged_and_a_middle_of_failures_is_never() {
    let at: Vec<Timestamp> =
        (0..72).map(|hour| "2026-11-20T16:30:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hour)).collect();
    let target = PanelTarget {
        id: TargetId::new("a").unwrap(),
        family: None,
        simulated: false,
        success: (0..72).map(|round| if round % 24 == 21 { (1, 5) } else { (5, 5) }).collect(),
        rate_limited: 0,
        bundled: 0,
        hidden: 0,
        uncounted: 0,
    };
    let entry = |round: usize, prompt: usize| match round % 24 == 21 && 0 < prompt {
        true => Entry::Failed { charge: 300_000.0, rate_limited: false },
        false => Entry::Good(2000.0 + (round % 5) as f64),
    };
    let entries = (0..72).flat_map(|round| (0..PROMPTS).map(move |prompt| entry(round, prompt))).collect();
    let rounds = at.iter().enumerate().map(|(i, at)| PanelRound { run: 0, round: i as u32 + 1, at: *at }).collect();
    let panel = Panel::of_blocks(Quantity::E2e, vec![target], rounds, PROMPTS, 300.0, entries);
    let found = look(&panel, "Asia/Shanghai", None).unwrap();
    let evening = &found.targets[0].bins[21];
    assert_eq!((evening.median, evening.success, evening.rounds), (Some(Extended::Never), (3, 15), 3));
    assert!(10.0 < point(evening.ratio));
    assert_eq!(found.targets[0].extremes.unwrap().slowest, 21);
}

#[test]
fn identical_values_have_no_test_and_no_words() {
    let at: Vec<Timestamp> =
        (0..72).map(|hour| "2026-11-20T16:30:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hour)).collect();
    let panel = panel(&["a", "b"], &at, |_, _, prompt| 7.1 + 0.1 * prompt as f64);
    let found = look(&panel, "Asia/Shanghai", None).unwrap();
    assert_eq!(found.targets[0].windows.swing, Swing::Identical);
    assert_eq!(found.pairs[0].windows.swing, Swing::Identical);
    assert_eq!(found.targets[0].dependence, None);
}

#[test]
fn a_swing_that_hangs_on_rate_limits_is_not_called() {
    let at: Vec<Timestamp> =
        (0..96).map(|hour| "2026-11-20T16:30:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hour)).collect();
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let steady = varied(&["a"], &at, &mut random, |_, _| 0.0);
    // At the peak a fifth of the requests goes over the quota.
    let limited = |round: usize| (9..12).contains(&(round % 24)) || (14..18).contains(&(round % 24)) || (20..23).contains(&(round % 24));
    let entry = |round: usize, prompt: usize| match limited(round) && prompt == 0 {
        true => Entry::Failed { charge: 300_000.0, rate_limited: true },
        false => steady.entries(0, round)[prompt],
    };
    let entries = (0..at.len()).flat_map(|round| (0..PROMPTS).map(move |prompt| (round, prompt))).map(|(r, p)| entry(r, p)).collect();
    let target = PanelTarget { rate_limited: 40, ..steady.targets[0].clone() };
    let panel = Panel::of_blocks(Quantity::E2e, vec![target], steady.rounds.clone(), PROMPTS, 300.0, entries);
    let found = look(&panel, "Asia/Shanghai", None).unwrap();
    let windows = &found.targets[0].windows;
    assert_eq!((windows.swing, windows.left_out), (Swing::HangsOnRateLimits, Some(Swing::NotShown)));
}

#[test]
fn a_prompt_that_is_missing_at_some_hours_does_not_make_them_slow_or_fast() {
    let mut random = ChaCha8Rng::seed_from_u64(12);
    let at = hourly("2026-11-20T16:00:00Z", 96, &mut random);
    // The last prompt takes twenty times as long, and is void in every round of the peak.
    let long = |prompt: usize| if prompt + 1 == PROMPTS { 3.0 } else { 0.0 };
    let noise: Vec<f64> = (0..at.len() * PROMPTS).map(|_| 0.2 * normal(&mut random)).collect();
    let whole = panel(&["a"], &at, |_, round, prompt| 8.0 + long(prompt) + noise[round * PROMPTS + prompt]);
    let beijing = zone("Asia/Shanghai").unwrap();
    let is_peak = |round: usize| Windows::default().at(at[round], &beijing) == Some(photofinish::record::Window::Peak);
    let entry = |round: usize, prompt: usize| match is_peak(round) && prompt + 1 == PROMPTS {
        true => Entry::Absent,
        false => whole.entries(0, round)[prompt],
    };
    let entries = (0..at.len()).flat_map(|round| (0..PROMPTS).map(move |prompt| (round, prompt))).map(|(r, p)| entry(r, p)).collect();
    let panel = Panel::of_blocks(Quantity::E2e, whole.targets.clone(), whole.rounds.clone(), PROMPTS, 300.0, entries);
    let found = look(&panel, "Asia/Shanghai", None).unwrap();
    let windows = &found.targets[0].windows;
    assert_eq!(windows.swing, Swing::NotShown);
    assert!((0.95..1.05).contains(&point(windows.ratio)), "{windows:?}");
}
