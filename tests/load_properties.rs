//! What must hold of every load run, and that load is never read together with rounds.

mod hand;
mod ramp;

use photofinish::analysis::load::{Knee, LoadOptions, LoadTable, Measure, load_table};
use photofinish::analysis::{JoinError, Joined};
use photofinish::measured::{LoadError, LoadSheet};
use photofinish::record::*;
use photofinish::stats::Extended;
use photofinish::store::Run;
use photofinish::tokens::{Basis, Reference};
use ramp::*;
use rand::RngExt;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

fn random(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Three passes of 1, 3 and 6 users on two targets; replies of random length, some refused.
fn some_run(seed: u64) -> Run {
    let mut random = random(seed);
    let mut run = ramp::run(&["a/m", "b/m"], users(&[1, 3, 6]), 3);
    for pass in 1..=3 {
        for (stage, count) in [(1, 1), (2, 3), (3, 6)] {
            for target in 0..2 {
                let cell = at(pass, stage, target);
                for one in 1..=count {
                    let answer = |_| match random.random_range(0..12) {
                        0 => ramp::refused(),
                        n => {
                            let ttft = random.random_range(50.0..400.0);
                            ramp::reply(ttft, ttft + random.random_range(200.0..2000.0), 4 + n)
                        }
                    };
                    let answers: Vec<_> = (0..8).map(answer).collect();
                    user(&mut run, cell, one, f64::from(one) * 3.0, answers);
                }
                finish(&mut run, cell);
            }
        }
    }
    run
}

const SLO: &str = "ttft_p95<300ms,tpot<200ms,latency<2s";

#[test]
fn the_order_of_the_records_lines_changes_nothing() {
    for seed in 0..4 {
        let run = some_run(seed);
        let mut shuffled = run.clone();
        shuffled.trials.shuffle(&mut random(seed + 100));
        assert_ne!(run.trials[0].id, shuffled.trials[0].id);
        let (one, other) = (under(&run, SLO), under(&shuffled, SLO));
        assert!(one == other, "seed {seed}");
    }
}

fn rates(table: &LoadTable) -> Vec<f64> {
    let of = |measure| table.stages.iter().flat_map(move |stage| stage.figure(measure).unwrap().passes.clone());
    let value = |seen: Result<Extended, _>| seen.unwrap().finite().unwrap();
    of(Measure::Goodput).chain(of(Measure::Rps)).map(value).collect()
}

#[test]
fn a_request_that_fails_never_raises_goodput() {
    for seed in 0..6 {
        let run = some_run(seed);
        let before = under(&run, SLO);
        let mut random = random(seed);
        // One more request in the midst of a cell, of a user who was there, and it fails.
        let mut more = run.clone();
        let like = random.random_range(0..run.trials.len());
        let mut failing = run.trials[like].clone();
        failing.id = photofinish::ident::TrialId::new("failing").unwrap();
        let answer = failing.answer.as_mut().unwrap();
        let stamps = answer.stamps.clone();
        **answer = ramp::refused();
        answer.stamps = stamps;
        more.trials.push(failing.clone());
        // A good one that turned bad.
        let mut worse = run.clone();
        worse.trials[like] = failing;
        for after in [under(&more, SLO), under(&worse, SLO)] {
            assert!(rates(&before).iter().zip(rates(&after)).all(|(before, after)| after <= *before), "seed {seed}");
            let share =
                |table: &LoadTable| -> Vec<f64> { table.stages.iter().map(|stage| stage.success.as_ref().unwrap().share).collect() };
            assert!(share(&before).iter().zip(share(&after)).all(|(before, after)| after <= *before));
        }
    }
}

#[test]
fn time_that_passes_ten_times_faster_and_is_told_so_gives_the_same_figures() {
    let reply = |slow: f64| ramp::reply(200.0 * slow, 1000.0 * slow, 9);
    let of = |slow: f64| {
        let mut run = ramp::run(&["a/m", "b/m"], users(&[2]), 3);
        for pass in 1..=3 {
            for target in 0..2 {
                let slow = slow * (1.0 + f64::from(pass * 2 + target as u32) / 8.0);
                for (one, first) in [(1, 0.0), (2, 500.0)] {
                    user(&mut run, at(pass, 1, target), one, first * slow, (0..12).map(|_| reply(slow)));
                }
                finish(&mut run, at(pass, 1, target));
            }
        }
        run
    };
    let (real, mut simulated) = (of(1.0), of(0.1));
    hand::simulate(&mut simulated, 10.0);
    simulated.manifest.limits.total_ms /= 10;
    simulated.manifest.design.stall_ms = real.manifest.design.stall_ms;
    let (one, other) = (under(&real, "ttft_p50<1s"), under(&simulated, "ttft_p50<1s"));
    assert_eq!((one.charge_ms, other.scale), (other.charge_ms, 10.0));
    for measure in Measure::ALL {
        for target in 0..2 {
            let (a, b) = (figure(&one, 1, target, measure), figure(&other, 1, target, measure));
            match (a.point, b.point) {
                (Ok(Extended::Finite(a)), Ok(Extended::Finite(b))) => assert!((a - b).abs() <= 1e-6 * a.abs(), "{measure:?}: {a} {b}"),
                (a, b) => assert_eq!(a, b, "{measure:?}"),
            }
        }
    }
    assert_near(one.crossovers[0].duels[0].ratio.unwrap(), other.crossovers[0].duels[0].ratio.unwrap());
}

#[test]
fn a_run_read_from_its_folder_is_the_run_read_whole() {
    let folder = tempfile::tempdir().unwrap();
    let run = some_run(3);
    save(&run, folder.path());
    let read = LoadSheet::open(folder.path(), &Reference::o200k()).unwrap();
    let whole = &sheets(&[run])[0];
    assert!(read.stages == whole.stages && read.torn == 0);
    let options = LoadOptions { slo: Some(conditions(SLO).unwrap()), ..LoadOptions::default() };
    assert!(load_table(&[read], &options).unwrap() == load_table(std::slice::from_ref(whole), &options).unwrap());
}

#[test]
fn levels_of_load_are_never_read_together_with_rounds() {
    let load = some_run(1);
    let mut rounds = hand::run(vec![hand::target("a/m"), hand::target("b/m")], 3, 4);
    hand::fill(&mut rounds, |_, _, _| hand::reply(100.0, 20.0, 0, 30));
    rounds.manifest.run = "ffffff".into();
    // As readers of rounds see it, alone and beside a run of rounds of the same plan.
    let both = hand::sheets(&[rounds.clone(), load.clone()]);
    for sheets in [&both[..], &both[1..]] {
        let refused = Joined::new(sheets).unwrap_err();
        assert_eq!(refused, JoinError::LoadRun("a1b2c3".into()));
        assert_eq!(refused.to_string(), "a1b2c3 is a load run; `photofinish ramp RUN` reads it");
    }
    assert!(Joined::new(&both[..1]).is_ok());
    let refused = LoadSheet::of(&rounds, &Reference::o200k()).unwrap_err();
    assert!(matches!(refused, LoadError::Rounds { .. }));
    assert_eq!(refused.to_string(), "ffffff is a run of rounds; `photofinish table RUN` reads it");
    // A trial of a round that strayed into a load run is of no stage.
    let mut mixed = load.clone();
    mixed.trials.extend(rounds.trials);
    assert_eq!(sheets(&[mixed])[0].rows.len(), load.trials.len());
}

#[test]
fn load_runs_of_one_plan_are_further_passes_and_those_of_two_are_refused() {
    let first = some_run(1);
    let mut second = some_run(2);
    second.manifest.run = "d4e5f6".into();
    second.manifest.created += jiff::SignedDuration::from_hours(1);
    let both = sheets(&[second.clone(), first.clone()]);
    let table = load_table(&both, &LoadOptions::default()).unwrap();
    assert_eq!(table.runs, ["a1b2c3", "d4e5f6"]);
    assert_eq!(
        stage(&table, 1, 0).cells.iter().map(|cell| (cell.run, cell.pass)).collect::<Vec<_>>(),
        [(0, 1), (0, 2), (0, 3), (1, 1), (1, 2), (1, 3)]
    );
    second.manifest.plan_digest = "d2".into();
    assert!(matches!(load_table(&sheets(&[first.clone(), second]), &LoadOptions::default()), Err(JoinError::Plans { .. })));
    assert!(matches!(load_table(&sheets(&[first.clone(), first]), &LoadOptions::default()), Err(JoinError::Twice(_))));
    assert!(matches!(load_table(&[], &LoadOptions::default()), Err(JoinError::NoRun)));
}

#[test]
fn tokens_are_counted_as_the_other_tables_count_them() {
    let mut run = some_run(1);
    let basis = |run: &Run, asked| load_table(&sheets(std::slice::from_ref(run)), &LoadOptions { basis: asked, ..LoadOptions::default() });
    assert_eq!(basis(&run, None).unwrap().basis, Basis::Reported);
    assert_eq!(basis(&run, Some(Basis::Chars)).unwrap().basis, Basis::Chars);
    for trial in run.trials.iter_mut().filter(|trial| trial.target.as_str() == "b/m") {
        trial.answer.as_mut().unwrap().usage = None;
    }
    let table = basis(&run, None).unwrap();
    assert_eq!(table.basis, Basis::Reference);
    // One word is one token and five characters.
    let by_chars = basis(&run, Some(Basis::Chars)).unwrap();
    let ratio = number(&by_chars, 3, 0, Measure::SystemSpeed) / number(&table, 3, 0, Measure::SystemSpeed);
    assert!((ratio - 5.0).abs() < 1e-6, "{ratio}");
    assert_near(number(&by_chars, 3, 0, Measure::Rps), number(&table, 3, 0, Measure::Rps));
}

/// A server with `slots` places, in each of which a reply takes `mean` ms, exponentially spread; who finds none waits in line. Users ask
/// five times each and never pause, so that throughput is min(users, slots) / mean.
fn queue(run: &mut Run, at: At, users: usize, slots: usize, mean: f64, random: &mut ChaCha8Rng) {
    let mut free = vec![0.0f64; slots];
    let mut next: Vec<(f64, u32)> = (1..=users as u32).map(|user| (0.0, user)).collect();
    for _ in 0..users.max(4) * 25 {
        next.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let (now, who) = next.remove(0);
        let place = (0..slots).min_by(|a, b| free[*a].total_cmp(&free[*b])).unwrap();
        let begins = now.max(free[place]);
        let takes = -mean * (1.0 - random.random::<f64>()).ln();
        free[place] = begins + takes;
        let reply = ramp::reply(begins - now + 0.1 * takes + 0.01, begins - now + takes + 0.02, 8);
        let ends = reply.timeline.last().unwrap().at.ms();
        ask(run, at, Some(who), now, now, reply);
        next.push((now + ends, who));
    }
    finish(run, at);
}

#[test]
fn the_knee_of_a_server_with_known_places_is_found_through_the_whole_reading() {
    let mut random = random(11);
    let stages = [1, 2, 4, 8, 16];
    let mut run = ramp::run(&["a/m"], users(&stages), 3);
    for pass in 1..=3 {
        for (stage, count) in stages.iter().enumerate() {
            queue(&mut run, at(pass, stage as u32 + 1, 0), *count as usize, 5, 1000.0, &mut random);
        }
    }
    let table = table(&run, &LoadOptions::default());
    let rps = |stage| number(&table, stage, 0, Measure::Rps);
    assert!((rps(5) / 5.0 - 1.0).abs() < 0.1 && (rps(1) - 1.0).abs() < 0.2, "{} {}", rps(5), rps(1));
    let Knee::At { load, interval, level, passes, off } = &table.summaries[0].knee else { panic!("{:?}", table.summaries[0].knee) };
    assert!((4.0..6.0).contains(load) && interval.unwrap().holds(5.0), "{load} {interval:?}");
    assert!((4.5..5.5).contains(level) && passes.len() == 3 && *off < 0.2, "{level} {off}");
    // Waiting shows in TTFT, and in no speed of a stream.
    assert!(number(&table, 5, 0, Measure::TtftP50) > 5.0 * number(&table, 1, 0, Measure::TtftP50));
    let speed = number(&table, 5, 0, Measure::ContentSpeed) / number(&table, 1, 0, Measure::ContentSpeed);
    assert!((0.7..1.4).contains(&speed), "{speed}");
    // With a service level goodput breaks down behind the knee, which stays where it was or below.
    let narrow = under(&run, "ttft_p95<500ms");
    assert!(number(&narrow, 5, 0, Measure::Goodput) < 0.5 * number(&narrow, 3, 0, Measure::Goodput));
    assert!(matches!(narrow.summaries[0].knee, Knee::At { load, .. } if (3.0..6.5).contains(&load)), "{:?}", narrow.summaries[0].knee);
}
