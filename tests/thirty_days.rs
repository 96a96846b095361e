//! Thirty days of hourly rounds in seconds, through the real scheduler and the real reading wing: outages of a provider, of this client's
//! line and of this machine, a clock that is set, the end of summer time. Every round is where it belongs, and the hours that were put in
//! are the hours that are found.

mod stage;

use jiff::{SignedDuration, Timestamp, ToSpan};
use photofinish::analysis::{Hours, HoursOptions, Joined, Options, Quantity, Swing, VoidReason, Warning, hours, panel, target_table};
use photofinish::clock::Clock;
use photofinish::measured::Sheet;
use photofinish::plan::Schedule;
use photofinish::record::{Calendar, ClockSpan, Manifest, Role, RoundState, Windows, zone};
use photofinish::runner::{Outcome, Stop};
use photofinish::stats::Confidence;
use photofinish::store::Run;
use photofinish::tokens::{Basis, Reference};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use stage::{Play, Played, Reply, Script};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// Midnight of 10 October in Berlin, whose clocks go back on the 25th.
const FROM: &str = "2026-10-09T22:00:00Z";
/// Thirty days of Berlin's calendar: an hour more than thirty times twenty-four.
const ROUNDS: u32 = 30 * 24 + 1;
const PROMPTS: u32 = 3;
/// From the tenth day, 12:30, this machine is off for two hours and forty minutes.
const OFF: (&str, &str) = ("2026-10-19T10:30:00Z", "2026-10-19T13:10:00Z");
/// On the twentieth day, at 08:40, it falls asleep for five hours.
const ASLEEP: (&str, i64) = ("2026-10-29T07:40:00Z", 5 * 3600);
/// On the twenty-fifth day, at 10:50, its clock is set back by a minute and a half.
const SET_BACK: (&str, i64) = ("2026-11-03T09:50:00Z", -90);
/// On the fourteenth day this client's own line is down for three hours.
const LINE_DOWN: (&str, &str) = ("2026-10-23T08:00:00Z", "2026-10-23T11:00:00Z");
/// The third target is down four times, for five hours each, at four times of the day.
const DOWN: [(&str, &str); 4] = [
    ("2026-10-12T00:00:00Z", "2026-10-12T05:00:00Z"),
    ("2026-10-17T07:00:00Z", "2026-10-17T12:00:00Z"),
    ("2026-10-26T18:00:00Z", "2026-10-26T23:00:00Z"),
    ("2026-11-02T13:00:00Z", "2026-11-02T18:00:00Z"),
];
const TARGETS: [&str; 4] = ["steady", "evenings", "shaky", "nights"];

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn within(moment: Timestamp, (from, to): (&str, &str)) -> bool {
    at(from) <= moment && moment < at(to)
}

/// A draw from the standard normal distribution (Box and Muller).
fn normal(seed: u64) -> f64 {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut unit = || (random.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
    let (a, b) = (1.0 - unit(), unit());
    (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
}

/// The hour that clocks in Berlin show, with its fraction.
fn berlin(moment: Timestamp) -> f64 {
    let local = moment.in_tz("Europe/Berlin").unwrap();
    f64::from(local.hour()) + f64::from(local.minute()) / 60.0
}

/// What is put in: the logarithm of a target's time at an hour of the day.
fn curve(target: usize, hour: f64) -> f64 {
    let wave = |peak: f64| (std::f64::consts::TAU * (hour - peak) / 24.0).cos();
    match TARGETS[target] {
        "evenings" => 0.25 * wave(21.0),
        "nights" => 0.20 * wave(3.0),
        _ => 0.0,
    }
}

/// How a target replies at any moment of the month: its curve, the hour's own luck, each reply's own luck, and the outages.
fn script(target: usize, clock: &Clock) -> Script {
    let clock = clock.clone();
    Arc::new(move |n| {
        let now = clock.wall();
        if within(now, LINE_DOWN) {
            return Reply::Refused;
        }
        if TARGETS[target] == "shaky" && DOWN.iter().any(|outage| within(now, *outage)) {
            return Reply::Status(503);
        }
        let of_hour = 0.1 * normal((now.as_second() / 3600) as u64 * 4 + target as u64);
        let own = 0.15 * normal(1 << 40 | u64::from(n) << 20 | (now.as_second() as u64 & 0xffff) << 4 | target as u64);
        Reply::Text((800.0 * (curve(target, berlin(now)) + of_hour + own).exp()) as u64)
    })
}

fn sitting(results: &Path, from: &str) -> Play {
    let clock = Clock::virtual_from(at(from));
    let actors = TARGETS.iter().enumerate().map(|(target, name)| (*name, script(target, &clock))).collect();
    let calendar = Calendar {
        cron: "17 * * * *".into(),
        zone: "Europe/Berlin".into(),
        jitter_s: 900,
        late_s: 300,
        from: at(FROM),
        until: Some(at(FROM).in_tz("Europe/Berlin").unwrap().checked_add(30.days()).unwrap().timestamp()),
        quiet: vec![],
    };
    let change = |manifest: &mut Manifest| {
        let spans = |texts: &[&str]| texts.iter().map(|text| text.parse::<ClockSpan>().unwrap()).collect();
        let (peak, off_peak) = (spans(&["09:00-12:00", "14:00-18:00", "20:00-23:00"]), spans(&["00:00-07:00"]));
        manifest.design.windows = Windows { zone: "Europe/Berlin".into(), peak, off_peak };
    };
    let (prompts, rounds) = (PROMPTS, ROUNDS);
    Play { prompts, rounds, change, calendar: Some(calendar), clock: Some(clock), ..Play::new(results, actors) }
}

fn ms_between(from: &str, to: &str) -> u64 {
    at(to).duration_since(at(from)).as_millis() as u64
}

async fn thirty_days(results: &Path) -> Played {
    let first = Play { stop: vec![(ms_between(FROM, OFF.0), Stop::Drain)], ..sitting(results, FROM) }.perform().await;
    assert_eq!(first.outcome, Outcome::Interrupted);
    // The monotonic clock does not know of the five hours.
    let steps = vec![(ms_between(OFF.1, ASLEEP.0), ASLEEP.1), (ms_between(OFF.1, SET_BACK.0) - ASLEEP.1 as u64 * 1000, SET_BACK.1)];
    let second = Play { steps, resume: Some(first.folder), ..sitting(results, OFF.1) }.perform().await;
    assert_eq!(second.outcome, Outcome::Finished);
    second
}

/// The rounds that no moment was left for: those whose whole time lies where this machine was off or asleep.
fn must_be_missed(schedule: &Schedule) -> Vec<u32> {
    let woke = at(ASLEEP.0) + SignedDuration::from_secs(ASLEEP.1);
    let away = |round: u32| {
        let (due, latest) = (schedule.due(round).unwrap(), schedule.latest(round).unwrap());
        let gone = |from: Timestamp, to: Timestamp| from <= due && latest <= to;
        gone(at(OFF.0), at(OFF.1)) || gone(at(ASLEEP.0), woke)
    };
    (1..=ROUNDS).filter(|round| away(*round)).collect()
}

fn no_round_is_lost_doubled_or_moved(run: &Run) {
    let schedule = Schedule::of(&run.manifest).unwrap();
    let mut of_round: BTreeMap<u32, Vec<RoundState>> = BTreeMap::new();
    for line in &run.rounds {
        of_round.entry(line.round).or_default().push(line.state);
    }
    assert_eq!(of_round.keys().copied().collect::<Vec<_>>(), Vec::from_iter(1..=ROUNDS), "no round is lost");
    let missed: Vec<u32> = of_round.iter().filter(|(_, states)| **states == [RoundState::Missed]).map(|(round, _)| *round).collect();
    assert_eq!(missed, must_be_missed(&schedule));
    assert!((6..=8).contains(&missed.len()), "two or three while it was off, five or so while it slept: {missed:?}");
    let held = of_round.iter().filter(|(_, states)| **states == [RoundState::Begun, RoundState::Finished]).count();
    assert_eq!(held + missed.len(), ROUNDS as usize, "no round is doubled");
    for line in run.rounds.iter().filter(|line| line.state == RoundState::Begun) {
        // Reckoned without the scheduler: seventeen minutes past each hour that passes, whatever clocks show.
        let time = at(FROM) + SignedDuration::from_mins(60 * (i64::from(line.round) - 1) + 17);
        assert_eq!(schedule.time(line.round), Some(time));
        let (after_time, after_due) = (line.wall.duration_since(time), line.wall.duration_since(schedule.due(line.round).unwrap()));
        assert!(
            SignedDuration::ZERO <= after_time && after_time < SignedDuration::from_secs(900 + 1),
            "round {} at {}",
            line.round,
            line.wall
        );
        assert!(SignedDuration::ZERO <= after_due && after_due < SignedDuration::from_millis(5), "round {} at {}", line.round, line.wall);
    }
    let mut asked: BTreeMap<u32, BTreeSet<(&str, u32)>> = BTreeMap::new();
    for trial in run.trials.iter().filter(|trial| trial.role == Role::Scored) {
        assert!(asked.entry(trial.round).or_default().insert((trial.target.as_str(), trial.block)), "{} was asked twice", trial.id);
    }
    assert_eq!(asked.len(), held);
    assert!(asked.values().all(|requests| requests.len() == TARGETS.len() * PROMPTS as usize), "every round is whole");
}

fn look(joined: &Joined<'_>) -> Hours {
    let manifest = joined.manifest();
    let (zone, windows) = (zone("Europe/Berlin").unwrap(), &manifest.design.windows);
    let options = HoursOptions { zone, bin: None, windows, confidence: Confidence::DEFAULT, seed: manifest.seed, shuffles: 199 };
    hours(&panel(joined, Quantity::E2e, Basis::Reference), &options).unwrap()
}

fn the_hours_put_in_are_found_and_no_others(found: &Hours) {
    assert_eq!((found.days, found.bin.hours()), (30, 1));
    for (target, of) in found.targets.iter().enumerate() {
        let (wave, p) = of.day.cosinor.as_ref().map(|tested| (tested.result, tested.p_holm.unwrap())).unwrap();
        let level = of.day.kruskal_wallis.as_ref().unwrap().p_holm.unwrap();
        let extremes = of.extremes.unwrap();
        let (amplitude, peak) = match TARGETS[target] {
            "evenings" => (0.25, 21.0),
            "nights" => (0.20, 3.0),
            name => {
                assert_eq!(of.windows.swing, Swing::NotShown, "{name}");
                assert!(0.05 < p && 0.05 < level && 0.05 < extremes.p, "{name}: {p} {level} {extremes:?}");
                continue;
            }
        };
        let fit = wave.unwrap();
        assert_eq!(of.windows.swing, Swing::Swings, "{}", of.id);
        assert!(p < 1e-6 && level < 1e-6 && extremes.p < 0.01, "{}: {p} {level} {extremes:?}", of.id);
        let off = (fit.peak_hour.unwrap() - peak + 12.0).rem_euclid(24.0) - 12.0;
        assert!(off.abs() < 0.5, "{}: {fit:?}", of.id);
        assert!(fit.amplitude_interval(Confidence::DEFAULT).unwrap().holds(amplitude), "{}: {fit:?}", of.id);
    }
    let evenings = found.targets[1].windows.ratio.unwrap().interval.unwrap();
    let nights = found.targets[3].windows.ratio.unwrap().interval.unwrap();
    assert!(!evenings.holds(1.0) && !nights.holds(1.0), "{evenings:?} {nights:?}");
}

#[tokio::test(start_paused = true)]
async fn thirty_days_in_seconds() {
    let results = tempfile::tempdir().unwrap();
    let run = thirty_days(results.path()).await.run;
    no_round_is_lost_doubled_or_moved(&run);

    let sheets = [Sheet::of(&run, &Reference::o200k())];
    let joined = Joined::new(&sheets).unwrap();
    let warnings = target_table(&joined, &Options::default()).warnings;
    let missed = warnings.iter().find_map(|warning| match warning {
        Warning::Missed { rounds, planned: ROUNDS } => Some(rounds.clone()),
        _ => None,
    });
    assert_eq!(missed, Some(must_be_missed(&Schedule::of(&run.manifest).unwrap())));
    let moves = warnings.iter().find_map(|warning| if let Warning::ClockMoved(moves) = warning { Some(moves) } else { None });
    let moves: Vec<i64> = moves.unwrap().iter().map(|each| each.by_ns / 1_000_000_000).collect();
    assert_eq!(moves, [ASLEEP.1, SET_BACK.1]);
    let down = joined.voids.iter().filter(|void| void.reason == VoidReason::Vantage).count();
    assert_eq!(down, 3 * PROMPTS as usize, "while this client's line is down nobody is charged");

    the_hours_put_in_are_found_and_no_others(&look(&joined));
}
