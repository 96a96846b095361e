//! Rounds by the calendar: the real scheduler under virtual time, with scripted providers, clocks that are set and machines that sleep.

mod stage;

use jiff::{SignedDuration, Timestamp};
use photofinish::analysis::{ClockMove, Joined, Options, Warning, target_table};
use photofinish::clock::Clock;
use photofinish::measured::Sheet;
use photofinish::plan::{PlanFile, Schedule, Source, resolve};
use photofinish::record::{Calendar, Manifest, RoundState};
use photofinish::runner::{Extent, NextRound, Outcome, Progress, Stop};
use photofinish::store::Run;
use photofinish::tokens::Reference;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use stage::{Play, Played, Reply, Script, What, always};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use RoundState::{Begun, Finished, Missed, Partial};

const HOUR_MS: u64 = 3_600_000;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A calendar from a cron expression and the moment from which on it counts.
fn calendar(cron: &str, zone: &str, from: &str) -> Calendar {
    Calendar { cron: cron.into(), zone: zone.into(), jitter_s: 0, late_s: 300, from: at(from), until: None, quiet: vec![] }
}

/// One target that replies in a tenth of a second; the calendar's first `rounds`, from its own beginning on.
fn play(results: &Path, calendar: &Calendar, rounds: u32) -> Play {
    let clock = Some(Clock::virtual_from(calendar.from));
    let calendar = Some(calendar.clone());
    Play { calendar, clock, rounds, ..Play::new(results, vec![("one", always(Reply::Text(100)))]) }
}

/// Goes on with a run at a moment.
fn go_on(played: &Played, moment: &str) -> Play {
    let clock = Some(Clock::virtual_from(at(moment)));
    let resume = Some(played.folder.clone());
    Play { resume, clock, ..Play::new(played.folder.parent().unwrap(), vec![("one", always(Reply::Text(100)))]) }
}

/// When each round began, without fractions of a second.
fn begun(played: &Played) -> Vec<(u32, String)> {
    played.begun().iter().map(|(round, wall)| (*round, format!("{wall:.0}"))).collect()
}

fn began(expected: &[(u32, &str)]) -> Vec<(u32, String)> {
    expected.iter().map(|(round, wall)| (*round, (*wall).to_owned())).collect()
}

/// What a table of this run warns of.
fn warnings(run: &Run) -> Vec<Warning> {
    let sheets = [Sheet::of(run, &Reference::o200k())];
    target_table(&Joined::new(&sheets).unwrap(), &Options::default()).warnings
}

/// Every round has come to exactly one end, none began twice in one sitting's stretch, none overlaps another, and each began in its time.
fn check_all_in_order(run: &Run) {
    let schedule = Schedule::of(&run.manifest).unwrap();
    let (mut ends, mut under_way): (BTreeMap<u32, RoundState>, Option<u32>) = (BTreeMap::new(), None);
    let mut began = BTreeSet::new();
    for line in &run.rounds {
        let in_time = |wall| schedule.due(line.round).unwrap() <= wall && wall < schedule.latest(line.round).unwrap();
        match line.state {
            Begun => {
                assert!(began.contains(&line.round) || in_time(line.wall), "round {} began at {}", line.round, line.wall);
                assert!(under_way.is_none_or(|other| other == line.round), "round {} began before {under_way:?} was over", line.round);
                under_way = Some(line.round);
                began.insert(line.round);
            }
            end => {
                assert_eq!(ends.insert(line.round, end), None, "round {} ended twice", line.round);
                under_way = under_way.filter(|round| *round != line.round);
                assert_eq!(end == Missed, !began.contains(&line.round), "round {}: {end:?}", line.round);
            }
        }
    }
    let ids: BTreeSet<&str> = run.trials.iter().map(|trial| trial.id.as_str()).collect();
    assert_eq!(ids.len(), run.trials.len(), "no request was made twice");
}

#[tokio::test(start_paused = true)]
async fn each_round_begins_at_its_own_moment_after_its_time() {
    let results = tempfile::tempdir().unwrap();
    let hourly = Calendar { jitter_s: 600, ..calendar("17 * * * *", "Asia/Shanghai", "2026-11-24T10:15:00Z") };
    let played = play(results.path(), &hourly, 24).perform().await;
    assert_eq!((played.outcome.clone(), played.states().len()), (Outcome::Finished, 48));
    let schedule = Schedule::of(&played.run.manifest).unwrap();
    let mut late = BTreeSet::new();
    for (round, wall) in played.begun() {
        let time = at("2026-11-24T10:17:00Z") + SignedDuration::from_hours(i64::from(round) - 1);
        let (after_time, after_due) = (wall.as_second() - time.as_second(), wall.duration_since(schedule.due(round).unwrap()));
        assert!((0..600).contains(&after_time), "round {round} at {wall}");
        assert!(
            SignedDuration::ZERO <= after_due && after_due < SignedDuration::from_millis(5),
            "round {round} {after_due:?} after its moment"
        );
        late.insert(after_time);
    }
    assert!(20 < late.len() && *late.first().unwrap() < 120 && 480 < *late.last().unwrap(), "moments are spread: {late:?}");
    assert_eq!(played.of("one", What::Connected).len(), 24, "a connection that was idle for an hour is not trusted");
    let told = played.progress.iter().filter_map(|said| match said {
        Progress::RoundOver { round, state: Finished, next, targets, .. } => Some((*round, *next, targets[0].ok)),
        _ => None,
    });
    let told: Vec<(u32, Option<NextRound>, u32)> = told.collect();
    assert_eq!(told[0], (1, Some(NextRound { round: 2, due: schedule.due(2).unwrap() }), 2));
    assert_eq!(told[23], (24, None, 2));
}

#[tokio::test(start_paused = true)]
async fn a_round_that_overruns_never_overlaps_the_next() {
    let results = tempfile::tempdir().unwrap();
    let often = Calendar { late_s: 120, ..calendar("*/10 * * * *", "UTC", "2026-11-24T10:15:00Z") };
    // The 2nd request takes from 10:20 to 10:45. The 5th takes from 10:50 to 11:01: the round of 11:00 is a minute late, and may be.
    let slow = Arc::new(|n: u32| match n {
        2 => Reply::Text(25 * 60_000),
        5 => Reply::Text(11 * 60_000),
        _ => Reply::Text(100),
    }) as Script;
    let change = |manifest: &mut Manifest| (manifest.limits.first_token_ms, manifest.limits.total_ms) = (HOUR_MS, HOUR_MS);
    let played = Play { actors: vec![("one", slow)], change, ..play(results.path(), &often, 7) }.perform().await;
    let late = "2026-11-24T11:01:00Z";
    assert_eq!(
        begun(&played),
        began(&[
            (1, "2026-11-24T10:20:00Z"),
            (4, "2026-11-24T10:50:00Z"),
            (5, late),
            (6, "2026-11-24T11:10:00Z"),
            (7, "2026-11-24T11:20:00Z")
        ])
    );
    assert_eq!(played.states()[1..5], [(1, Finished), (2, Missed), (3, Missed), (4, Begun)]);
    check_all_in_order(&played.run);
    assert_eq!(warnings(&played.run), [Warning::Missed { rounds: vec![2, 3], planned: 7 }]);
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_slept_misses_its_rounds_and_says_so() {
    let results = tempfile::tempdir().unwrap();
    let hourly = calendar("17 * * * *", "UTC", "2026-11-24T10:15:00Z");
    // At 10:45 it falls asleep for three and a half hours; at 15:15 for four minutes, out of which it wakes two after the round's time.
    let steps = vec![(HOUR_MS / 2, 12_600), (HOUR_MS + HOUR_MS / 2, 240)];
    let played = Play { steps, ..play(results.path(), &hourly, 7) }.perform().await;
    let times = ["2026-11-24T10:17:00Z", "2026-11-24T14:17:00Z", "2026-11-24T15:19:00Z", "2026-11-24T16:17:00Z"];
    assert_eq!(begun(&played), began(&[(1, times[0]), (5, times[1]), (6, times[2]), (7, times[3])]));
    assert_eq!(played.states()[2..5], [(2, Missed), (3, Missed), (4, Missed)]);
    check_all_in_order(&played.run);
    let moves = vec![ClockMove { round: 2, by_ns: 12_600_000_000_000 }, ClockMove { round: 6, by_ns: 240_000_000_000 }];
    assert_eq!(warnings(&played.run), [Warning::ClockMoved(moves), Warning::Missed { rounds: vec![2, 3, 4], planned: 7 }]);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_has_nothing_done_twice() {
    let results = tempfile::tempdir().unwrap();
    let hourly = Calendar { jitter_s: 60, ..calendar("17 * * * *", "UTC", "2026-11-24T10:15:00Z") };
    // Set back by two hours after three rounds, and by ten minutes in the middle of a wait.
    let steps = vec![(2 * HOUR_MS + HOUR_MS / 2, -7_200), (6 * HOUR_MS, -600)];
    let played = Play { steps, ..play(results.path(), &hourly, 6) }.perform().await;
    assert_eq!(played.begun().len(), 6, "{:?}", played.states());
    check_all_in_order(&played.run);
    let moves = vec![ClockMove { round: 4, by_ns: -7_200_000_000_000 }, ClockMove { round: 5, by_ns: -600_000_000_000 }];
    assert_eq!(warnings(&played.run), [Warning::ClockMoved(moves)]);
}

#[tokio::test(start_paused = true)]
async fn summer_time_comes_and_goes() {
    let results = tempfile::tempdir().unwrap();
    let at_night = |from| calendar("30 2 * * *", "Europe/Berlin", from);
    let spring = play(results.path(), &at_night("2026-03-27T12:00:00Z"), 3).perform().await;
    // On the 29th there is no half past two: the first moment after it is three o'clock.
    assert_eq!(begun(&spring), began(&[(1, "2026-03-28T01:30:00Z"), (2, "2026-03-29T01:00:00Z"), (3, "2026-03-30T00:30:00Z")]));
    let other = tempfile::tempdir().unwrap();
    let autumn = play(other.path(), &at_night("2026-10-23T12:00:00Z"), 3).perform().await;
    // On the 25th there are two: the first one counts.
    assert_eq!(begun(&autumn), began(&[(1, "2026-10-24T00:30:00Z"), (2, "2026-10-25T00:30:00Z"), (3, "2026-10-26T01:30:00Z")]));
    for from in ["2026-03-28T20:00:00Z", "2026-10-24T20:00:00Z"] {
        let folder = tempfile::tempdir().unwrap();
        let played = play(folder.path(), &calendar("30 * * * *", "Europe/Berlin", from), 12).perform().await;
        let hourly = (0..12).map(|hour| (hour as u32 + 1, at(from) + SignedDuration::from_mins(60 * hour + 30)));
        let expected: Vec<(u32, String)> = hourly.map(|(round, time)| (round, format!("{time:.0}"))).collect();
        assert_eq!(begun(&played), expected, "an hour is an hour, whatever the clocks show");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_goes_on_in_its_middle_from_its_manifest_alone() {
    let results = tempfile::tempdir().unwrap();
    let hourly = Calendar { jitter_s: 60, late_s: 900, ..calendar("17 * * * *", "UTC", "2026-11-24T10:15:00Z") };
    let moment = |round: u32, run: &Run| Schedule::of(&run.manifest).unwrap().due(round).unwrap();
    // Stopped while it waits for the third round.
    let first = Play { stop: vec![(HOUR_MS + HOUR_MS / 2, Stop::Drain)], ..play(results.path(), &hourly, 9) }.perform().await;
    assert_eq!((first.outcome.clone(), first.begun().len()), (Outcome::Interrupted, 2));
    // Gone on with in the fourth hour, and stopped in the middle of the fifth round.
    let into_the_fifth = at("2026-11-24T14:18:30Z").duration_since(at("2026-11-24T12:50:00Z")).as_millis() as u64;
    let slow = || vec![("one", always(Reply::Text(50_000)))];
    let play = Play { actors: slow(), stop: vec![(into_the_fifth, Stop::Drain)], ..go_on(&first, "2026-11-24T12:50:00Z") };
    let second = play.perform().await;
    assert_eq!(second.states()[4..], [(3, Missed), (4, Begun), (4, Finished), (5, Begun)]);
    // Gone on with four minutes later: the fifth round is made whole; and stopped in the sixth.
    let into_the_sixth = at("2026-11-24T15:18:30Z").duration_since(at("2026-11-24T14:23:00Z")).as_millis() as u64;
    let play = Play { actors: slow(), stop: vec![(into_the_sixth, Stop::Drain)], ..go_on(&second, "2026-11-24T14:23:00Z") };
    let third = play.perform().await;
    assert_eq!(third.states()[8..], [(5, Begun), (5, Finished), (6, Begun)]);
    // The sixth is too long ago and is closed as it is. The seventh's moment was eight minutes ago, and it may be late by fifteen.
    let fourth = go_on(&third, "2026-11-24T16:25:00Z").perform().await;
    let rest = [(6, Partial), (7, Begun), (7, Finished), (8, Begun), (8, Finished), (9, Begun), (9, Finished)];
    assert_eq!((fourth.outcome.clone(), &fourth.states()[11..]), (Outcome::Finished, &rest[..]));
    assert!(fourth.begun().iter().all(|(round, wall)| moment(*round, &fourth.run) <= *wall));
    let blocks: Vec<(u32, u32)> =
        fourth.blocks().iter().map(|(round, block, _)| (*round, *block)).filter(|(round, _)| *round != 6).collect();
    let whole = [1, 2, 4, 5, 7, 8, 9].iter().flat_map(|round| [(*round, 1), (*round, 2)]).collect::<Vec<_>>();
    assert_eq!(blocks, whole, "what was begun in time is made whole, once");
}

#[tokio::test(start_paused = true)]
async fn a_begun_round_is_given_up_when_the_next_ones_time_has_come() {
    let results = tempfile::tempdir().unwrap();
    let often = calendar("*/5 * * * *", "UTC", "2026-11-24T10:18:00Z");
    let slow = vec![("one", always(Reply::Text(50_000)))];
    let first = Play { actors: slow, stop: vec![(150_000, Stop::Drain)], ..play(results.path(), &often, 2) }.perform().await;
    assert_eq!(first.states(), [(1, Begun)]);
    let second = go_on(&first, "2026-11-24T10:26:00Z").perform().await;
    assert_eq!(second.states(), [(1, Begun), (1, Partial), (2, Begun), (2, Finished)]);
}

#[tokio::test(start_paused = true)]
async fn a_schedule_keeps_its_quiet_hours_and_ends_with_its_last_round() {
    let results = tempfile::tempdir().unwrap();
    let text = "targets: [a/b]\nschedule:\n  cron: \"@hourly\"\n  zone: Asia/Shanghai\n  for: 1 d\n  quiet: [\"22:00-05:00\"]\n";
    let source = Source { file: "plan.yaml", text };
    let dataset = photofinish::dataset::Dataset::builtin("short-en").unwrap();
    let plan = resolve(PlanFile::parse(source).unwrap(), &Default::default(), Some(source), &dataset).unwrap();
    // Made at 20:30:40 in Shanghai.
    let created = at("2026-11-24T12:30:40Z");
    let plan = plan.beginning(created, Some(source)).unwrap();
    let calendar = plan.schedule.unwrap().calendar(created);
    assert_eq!((calendar.from, calendar.until), (at("2026-11-24T12:30:00Z"), Some(at("2026-11-25T12:30:00Z"))));
    let played = play(results.path(), &calendar, plan.rounds).perform().await;
    let hours: Vec<i8> = played.begun().iter().map(|(_, wall)| wall.in_tz("Asia/Shanghai").unwrap().hour()).collect();
    assert_eq!(hours, [&[21][..], &Vec::from_iter(5..=20)].concat());
    let last = played.run.rounds.last().unwrap();
    assert_eq!((played.outcome.clone(), last.round, format!("{:.0}", last.wall)), (Outcome::Finished, 17, "2026-11-25T12:00:00Z".into()));
}

#[tokio::test(start_paused = true)]
async fn one_round_at_a_time_is_the_one_that_is_due_now() {
    let results = tempfile::tempdir().unwrap();
    let hourly = Calendar { jitter_s: 600, ..calendar("17 * * * *", "UTC", "2026-11-24T10:17:00Z") };
    let one = Extent::OneRound;
    // Cron starts it at the time itself, and it waits for the round's own moment.
    let first = Play { extent: one, ..play(results.path(), &hourly, 6) }.perform().await;
    let schedule = Schedule::of(&first.run.manifest).unwrap();
    let next = |round: u32| Some(NextRound { round, due: schedule.due(round).unwrap() });
    assert_eq!(first.outcome, Outcome::RoundDone { round: 1, left: 5, next: next(2) });
    assert!(first.run.notes.is_empty(), "to end after one round is nothing to note");
    // Once more in the same hour: nothing is due and nothing is sent.
    let again = Play { extent: one, ..go_on(&first, "2026-11-24T10:40:00Z") }.perform().await;
    assert_eq!((again.outcome, again.log.len(), again.run.rounds.len()), (Outcome::NoRoundDue { next: next(2) }, 0, 2));
    // Two hours were slept through; a clock that is a moment ahead of ours wakes us three seconds before the time.
    let later = Play { extent: one, ..go_on(&first, "2026-11-24T13:16:57Z") }.perform().await;
    assert_eq!(later.outcome, Outcome::RoundDone { round: 4, left: 2, next: next(5) });
    assert_eq!(later.states()[2..], [(2, Missed), (3, Missed), (4, Begun), (4, Finished)]);
    // Too late for the fifth.
    let late = Play { extent: one, ..go_on(&first, "2026-11-24T14:40:00Z") }.perform().await;
    assert_eq!((late.outcome.clone(), late.states().last().copied()), (Outcome::NoRoundDue { next: next(6) }, Some((5, Missed))));
    let last = Play { extent: one, ..go_on(&first, "2026-11-24T15:17:01Z") }.perform().await;
    assert_eq!(last.outcome, Outcome::RoundDone { round: 6, left: 0, next: None });
    let over = Play { extent: one, ..go_on(&first, "2026-11-24T16:17:01Z") }.perform().await;
    assert_eq!(over.outcome, Outcome::NoRoundDue { next: None });
    check_all_in_order(&over.run);
}

#[tokio::test(start_paused = true)]
async fn one_round_without_a_calendar_is_the_next_one() {
    let results = tempfile::tempdir().unwrap();
    let one = |play: Play| Play { extent: Extent::OneRound, ..play };
    let first = one(Play::new(results.path(), vec![("one", always(Reply::Text(100)))])).perform().await;
    assert_eq!((first.outcome.clone(), first.of("one", What::Sent).len()), (Outcome::RoundDone { round: 1, left: 1, next: None }, 3));
    let second = one(go_on(&first, "2026-11-24T13:16:57Z")).perform().await;
    assert_eq!(second.outcome, Outcome::RoundDone { round: 2, left: 0, next: None });
    assert_eq!(one(go_on(&first, "2026-11-24T13:18:00Z")).perform().await.outcome, Outcome::NoRoundDue { next: None });
}

/// Whatever clocks, machines and people do, every round comes to exactly one end, in its time or not at all.
#[tokio::test(start_paused = true)]
async fn no_round_is_lost_doubled_or_moved_by_clocks_and_restarts() {
    for seed in 0..40 {
        let results = tempfile::tempdir().unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut below = |n: u64| random.next_u64() % n;
        let often = Calendar { jitter_s: 200, late_s: 1 + below(400), ..calendar("*/7 * * * *", "UTC", "2026-11-24T10:15:00Z") };
        let rounds = 60;
        let mut played: Option<Played> = None;
        let mut wall = often.from;
        for sitting in 0.. {
            // Replies take up to six minutes, so that rounds overrun.
            let script = |seed: u64| {
                Arc::new(move |n: u32| Reply::Text(ChaCha8Rng::seed_from_u64(seed + u64::from(n)).next_u64() % 360_000)) as Script
            };
            let clock = Clock::virtual_from(wall);
            let steps: Vec<(u64, i64)> = (0..3).map(|_| (below(3 * HOUR_MS), below(3000) as i64 - 1000)).collect();
            let steps = BTreeMap::from_iter(steps).into_iter().collect();
            let stop = if sitting < 3 { vec![(below(3 * HOUR_MS), Stop::Drain)] } else { vec![] };
            let change = |manifest: &mut Manifest| (manifest.limits.first_token_ms, manifest.limits.total_ms) = (HOUR_MS, HOUR_MS);
            let play = match &played {
                None => play(results.path(), &often, rounds),
                Some(before) => go_on(before, "2026-11-24T10:15:00Z"),
            };
            let actors = vec![("one", script(1000 * seed + 100 * sitting)), ("two", script(7000 * seed + 100 * sitting))];
            let now = Play { actors, steps, stop, change, clock: Some(clock.clone()), ..play }.perform().await;
            wall = clock.wall() + SignedDuration::from_secs(below(2000) as i64);
            let outcome = now.outcome.clone();
            played = Some(now);
            if outcome == Outcome::Finished {
                break;
            }
        }
        let run = &played.unwrap().run;
        check_all_in_order(run);
        let ended: BTreeSet<u32> = run.rounds.iter().filter(|line| line.state != Begun).map(|line| line.round).collect();
        assert_eq!(ended, BTreeSet::from_iter(1..=rounds), "seed {seed}");
        let finished = run.rounds.iter().filter(|line| line.state == Finished).count();
        assert!(0 < finished && finished < rounds as usize, "seed {seed}: {finished} finished, so something was tried");
    }
}
