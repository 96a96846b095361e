//! What a load run comes to: figures reckoned by hand.

mod hand;
mod ramp;

use photofinish::analysis::load::{
    CellState, ClientLimit, DuelWord, Knee, LoadOptions, LoadWarning, Measure, NoFigure, NoInterval, NoWindow, Reach, RestsOn, SloWord,
};
use photofinish::record::*;
use photofinish::stats::Extended;
use photofinish::store::Run;
use ramp::*;

/// Two users, the second half a request later; each asks three times, a reply takes a second times `slow` and has five tokens.
fn two_users(run: &mut Run, at: At, slow: f64) {
    let reply = || ramp::reply(200.0 * slow, 1000.0 * slow, 5);
    user(run, at, 1, 0.0, [reply(), reply(), reply()]);
    user(run, at, 2, 500.0 * slow, [reply(), reply(), reply()]);
    finish(run, at);
}

#[test]
fn rates_are_counted_from_all_users_running_to_the_first_one_idle() {
    let mut run = ramp::run(&["a/m"], users(&[2]), 1);
    two_users(&mut run, at(1, 1, 0), 1.0);
    let table = under(&run, "ttft_p95<1s");
    let row = stage(&table, 1, 0);
    let window = row.cells[0].window.unwrap();
    // From the second user's first write, 0.5 s, to the first user's last end, 3 s.
    assert_eq!(window.seconds, 2.5);
    assert_eq!((window.ended, row.cells[0].sent, row.counts.good), (5, 6, 6));
    // Of the first user 3 + 5 + 5 tokens came inside, of the second 5 + 5 + 2: 25 tokens, or 5 whole replies.
    assert_near(number(&table, 1, 0, Measure::SystemSpeed), 10.0);
    assert_near(number(&table, 1, 0, Measure::Rps), 2.0);
    assert_near(number(&table, 1, 0, Measure::Goodput), 2.0);
    assert_near(number(&table, 1, 0, Measure::LatencyP50), 1000.0);
    assert_near(number(&table, 1, 0, Measure::LatencyMean), 1000.0);
    assert_near(number(&table, 1, 0, Measure::TtftP50), 200.0);
    assert_near(number(&table, 1, 0, Measure::ContentSpeed), 5.0);
    assert_near(number(&table, 1, 0, Measure::OverallSpeed), 5.0);
    assert_near(number(&table, 1, 0, Measure::TpotP50), 200.0);
    let p95 = figure(&table, 1, 0, Measure::LatencyP95);
    assert_eq!(p95.point, Err(NoFigure::FewRequests { n: 6, needs: 20 }));
    let rps = figure(&table, 1, 0, Measure::Rps);
    assert_eq!((rps.n, rps.interval), (6, Err(NoInterval::FewPasses { passes: 1, needs: 3 })));
    assert!(matches!(figure(&table, 1, 0, Measure::ReasoningSpeed).point, Err(NoFigure::Undefined { .. })));
    assert_eq!(row.success.as_ref().map(|success| (success.share, success.sent)), Ok((1.0, 6)));
    assert!(table.warnings.contains(&LoadWarning::FewPasses { passes: 1 }));
}

#[test]
fn three_passes_give_the_interval_of_t_on_the_log_scale() {
    let mut run = ramp::run(&["a/m"], users(&[2]), 3);
    for (pass, slow) in [(1, 0.8), (2, 1.0), (3, 1.25)] {
        two_users(&mut run, at(pass, 1, 0), slow);
    }
    let table = table(&run, &LoadOptions::default());
    let rps = figure(&table, 1, 0, Measure::Rps);
    let passes: Vec<f64> = rps.passes.iter().map(|seen| seen.unwrap().finite().unwrap()).collect();
    [2.5, 2.0, 1.6].iter().zip(&passes).for_each(|(wanted, seen)| assert_near(*seen, *wanted));
    // The logs lie ln 1.25 apart: sd 0.223144, t(0.975; 2) = 4.302653, half-width 4.302653 · 0.223144 / √3 = 0.554320.
    assert_near(number(&table, 1, 0, Measure::Rps), 2.0);
    let (low, high) = rps.interval.unwrap().ends().unwrap();
    assert!((low - 2.0 * (-0.554_320f64).exp()).abs() < 1e-5 && (high - 2.0 * 0.554_320f64.exp()).abs() < 1e-5, "{low} {high}");
    assert_eq!((rps.rests_on, rps.n), (RestsOn::Passes, 18));
    // p95 takes twenty requests and a pass has six: all eighteen together are too few too.
    assert_eq!(figure(&table, 1, 0, Measure::LatencyP95).point, Err(NoFigure::FewRequests { n: 18, needs: 20 }));
    assert!(table.warnings.is_empty());
}

#[test]
fn passes_too_small_for_a_quantile_are_pooled_and_give_no_interval() {
    let mut run = ramp::run(&["a/m"], users(&[1]), 3);
    for pass in 1..=3 {
        user(&mut run, at(pass, 1, 0), 1, 0.0, (1..=8).map(|i| ramp::reply(100.0, 1000.0 + f64::from(i + 10 * pass as i32), 5)));
        finish(&mut run, at(pass, 1, 0));
    }
    let table = table(&run, &LoadOptions::default());
    let p95 = figure(&table, 1, 0, Measure::LatencyP95);
    // ⌈0.95 · 24⌉ = 23rd of 1011…1018, 1021…1028, 1031…1038.
    assert_eq!((p95.rests_on, p95.interval, p95.n), (RestsOn::Pooled, Err(NoInterval::FewAPass), 24));
    assert_near(number(&table, 1, 0, Measure::LatencyP95), 1037.0);
    assert_eq!(p95.passes, vec![Err(NoFigure::FewRequests { n: 8, needs: 20 }); 3]);
}

#[test]
fn a_failure_waits_for_ever_and_is_no_part_of_the_mean() {
    let mut run = ramp::run(&["a/m"], users(&[1]), 1);
    let good = || ramp::reply(100.0, 400.0, 5);
    user(&mut run, at(1, 1, 0), 1, 0.0, [good(), good(), good(), refused(), refused(), refused(), refused()]);
    finish(&mut run, at(1, 1, 0));
    let table = table(&run, &LoadOptions::default());
    assert_eq!(figure(&table, 1, 0, Measure::LatencyP50).point, Ok(Extended::Never));
    assert_near(number(&table, 1, 0, Measure::LatencyMean), 400.0);
    let row = stage(&table, 1, 0);
    assert_eq!(row.counts.failed, [(photofinish::metric::Outcome::RateLimited, 4)]);
    assert_near(row.success.as_ref().unwrap().share, 3.0 / 7.0);
    // 3 × 400 ms and 4 × 100 ms: three replies in 1.6 s, less the first instant.
    assert_near(number(&table, 1, 0, Measure::Rps), 3.0 / 1.6);
}

#[test]
fn a_window_that_is_none_gives_no_rate_and_says_why() {
    let mut run = ramp::run(&["a/m"], users(&[1, 2, 3, 4]), 1);
    let reply = || ramp::reply(100.0, 1000.0, 5);
    // One of two users never came.
    user(&mut run, at(1, 2, 0), 1, 0.0, [reply(), reply()]);
    // The first of three had ended before the last began.
    user(&mut run, at(1, 3, 0), 1, 0.0, [reply()]);
    user(&mut run, at(1, 3, 0), 2, 0.0, [reply(), reply()]);
    user(&mut run, at(1, 3, 0), 3, 1500.0, [reply()]);
    // Four users overlap for a tenth of a reply.
    for (i, first) in [0.0, 300.0, 600.0, 900.0].into_iter().enumerate() {
        user(&mut run, at(1, 4, 0), i as u32 + 1, first, [reply()]);
    }
    (2..=4).for_each(|stage| finish(&mut run, at(1, stage, 0)));
    let table = table(&run, &LoadOptions::default());
    let why = |of| match figure(&table, of, 0, Measure::Rps).point {
        Err(NoFigure::NoWindow { because }) => because,
        other => panic!("{other:?}"),
    };
    assert_eq!(why(2), NoWindow::NotAllRan { ran: 1, users: 2 });
    assert_eq!(why(3), NoWindow::Empty);
    assert_eq!(why(4), NoWindow::Short { seconds: 0.1, needs: 1.0 });
    assert_eq!(figure(&table, 1, 0, Measure::Rps).point, Err(NoFigure::NotMeasured));
    assert_eq!(stage(&table, 1, 0).cells[0].state, CellState::NotReached);
    // Latencies need no window.
    assert_eq!(figure(&table, 4, 0, Measure::LatencyMean).point, Ok(Extended::Finite(1000.0)));
}

#[test]
fn an_open_loop_counts_from_the_arrival_and_keeps_the_send_lag_apart() {
    let mut run = ramp::run(&["a/m"], arrivals(&[1.0]), 1);
    for i in 0..6 {
        let due = 1000.0 * f64::from(i);
        // The fourth left 300 ms late: this client was busy.
        let late = if i == 3 { 300.0 } else { 0.0 };
        ask(&mut run, at(1, 1, 0), None, due, due + late, ramp::reply(200.0, 600.0, 5));
    }
    finish(&mut run, at(1, 1, 0));
    let table = table(&run, &LoadOptions::default());
    assert_near(number(&table, 1, 0, Measure::LatencyMean), 600.0 + 300.0 / 6.0);
    assert_near(number(&table, 1, 0, Measure::TtftMean), 200.0 + 300.0 / 6.0);
    assert_eq!(number(&table, 1, 0, Measure::SendLagP50), 0.0);
    let row = stage(&table, 1, 0);
    assert_eq!(row.client, [ClientLimit::SendLag { p99_ms: 300.0 }]);
    // Arrivals from 0 to 5 s: five replies lie whole inside, of the sixth nothing.
    assert_eq!(row.cells[0].window.unwrap().seconds, 5.0);
    assert_near(number(&table, 1, 0, Measure::Rps), 1.0);
    assert_eq!(row.load, 1.0);
}

#[test]
fn a_closed_loop_counts_from_the_first_write_and_a_connection_of_its_own_counts_with_it() {
    let cell = at(1, 1, 0);
    let with_connections = |cold| {
        let mut run = ramp::run(&["a/m"], users(&[1]), 1);
        run.manifest.load.as_mut().unwrap().cold = cold;
        for i in 0..6 {
            let due = 1000.0 * f64::from(i);
            let mut answer = ramp::reply(200.0, 600.0, 5);
            answer.connect = Connect { id: 9, reused: false, tcp_ns: Some(50_000_000), ..Connect::default() };
            ask(&mut run, cell, Some(1), due, due + 50.0, answer);
        }
        finish(&mut run, cell);
        run
    };
    let cold = table(&with_connections(true), &LoadOptions::default());
    assert_near(number(&cold, 1, 0, Measure::LatencyMean), 650.0);
    let warm = table(&with_connections(false), &LoadOptions::default());
    assert_near(number(&warm, 1, 0, Measure::LatencyMean), 600.0);
    for table in [cold, warm] {
        // The 50 ms were the connection's, not this client's.
        assert_eq!((number(&table, 1, 0, Measure::SendLagP50), stage(&table, 1, 0).client.len()), (0.0, 0));
        assert_eq!(stage(&table, 1, 0).counts.cold, 6);
    }
}

#[test]
fn goodput_takes_a_replys_own_times_and_leaves_out_who_misses_one() {
    let mut run = ramp::run(&["a/m"], users(&[1]), 1);
    let quick = || ramp::reply(200.0, 1000.0, 5);
    let late = || ramp::reply(900.0, 1000.0, 5);
    let halting = || ramp::reply(200.0, 1000.0, 4);
    user(&mut run, at(1, 1, 0), 1, 0.0, [quick(), late(), quick(), late(), halting(), quick(), quick(), quick()]);
    finish(&mut run, at(1, 1, 0));
    let of = |slo| number(&under(&run, slo), 1, 0, Measure::Goodput);
    assert_near(of("ttft<500ms"), 6.0 / 8.0);
    assert_near(of("ttft_p95<500ms"), 6.0 / 8.0);
    assert_near(of("ttft_p95<500ms,tpot<250ms"), 5.0 / 8.0);
    // At this stage the second condition says nothing.
    assert_near(of("ttft_p95<500ms,tpot<250ms@7"), 6.0 / 8.0);
    assert_near(of("latency<=1s"), 1.0);
    // A reply in one write has no time a token: of one in nine nothing can be told, and so of none.
    user(&mut run, at(1, 1, 0), 1, 8000.0, [ramp::reply(1000.0, 1000.0, 5)]);
    assert_eq!(figure(&under(&run, "tpot<250ms"), 1, 0, Measure::Goodput).point, Err(NoFigure::OftenUndefined { without: 1, good: 9 }));
    let shares = under(&run, "success>=99%");
    assert_eq!(figure(&shares, 1, 0, Measure::Goodput).point, Err(NoFigure::NoServiceLevel));
    assert_eq!((shares.summaries[0].knee_of, stage(&shares, 1, 0).slo.as_ref().unwrap().word), (Measure::Rps, SloWord::Meets));
}

/// A stage of one user with five requests of `ttft` each, in every pass.
fn steady(run: &mut Run, stage: u32, target: usize, ttft: f64, latency: f64) {
    for pass in 1..=run.manifest.load.as_ref().unwrap().passes {
        let cell = at(pass, stage, target);
        let Offered::Users { users } = run.manifest.load.as_ref().unwrap().stages[stage as usize - 1] else { panic!() };
        // No pass is like another.
        let slow = 1.0 + 0.01 * f64::from((pass * 7 + stage * 3 + target as u32 * 5) % 11);
        for one in 1..=users {
            user(run, cell, one, 0.0, (0..5).map(|_| ramp::reply(ttft * slow, latency * slow, 5)));
        }
        finish(run, cell);
    }
}

#[test]
fn the_service_level_reaches_as_far_as_every_lighter_stage_meets_it() {
    let mut run = ramp::run(&["a/m"], users(&[4, 1, 2, 8]), 3);
    for (stage, ttft) in [(2, 100.0), (3, 200.0), (1, 700.0), (4, 1500.0)] {
        steady(&mut run, stage, 0, ttft, 2000.0);
    }
    let word = |slo: &str, of| {
        let table = under(&run, slo);
        let slo = stage(&table, of, 0).slo.clone().unwrap();
        (slo.word, slo.passes_meet, slo.passes, table.summaries[0].slo.clone().unwrap())
    };
    // Stages are shown from 1 to 8 users; places are those of the design: 1, 2, 0, 3.
    assert_eq!(under(&run, "ttft<1s").order, [1, 2, 0, 3]);
    assert_eq!(word("ttft_p50<1s", 1), (SloWord::Meets, 3, 3, Reach::Through { stage: 0, is_last: false }));
    assert_eq!(word("ttft_p50<1s", 4), (SloWord::Misses, 0, 3, Reach::Through { stage: 0, is_last: false }));
    assert_eq!(word("ttft_p50<9s", 4).3, Reach::Through { stage: 3, is_last: true });
    assert_eq!(word("ttft_p50<50ms", 2).3, Reach::Nowhere);
    // Some passes of the stage of 4 users lie below this, some above.
    let (_, meet, passes, _) = word("ttft_p50<735ms", 1);
    assert!(0 < meet && meet < passes, "{meet} of {passes}");
    // One user has five requests a pass, fifteen in all: too few for a p99, and nothing is called.
    assert_eq!(word("ttft_p99<1s", 2).0, SloWord::NotJudged);
    assert_eq!(word("success>=99%,ttft_p50<1s@8", 4).3, Reach::Through { stage: 0, is_last: false });
}

#[test]
fn a_stage_at_which_this_client_was_at_its_limit_is_not_called() {
    let mut run = ramp::run(&["a/m", "b/m"], users(&[1, 2, 4]), 3);
    for stage in 1..=3 {
        (0..2).for_each(|target| steady(&mut run, stage, target, 100.0, 400.0 * (1.0 + target as f64)));
    }
    let lag = SelfLag { runtime_p99_us: 31_000.0, ..SelfLag::default() };
    for line in run.stages.iter_mut().filter(|line| line.stage == 2 && line.target.as_str() == "b/m") {
        line.lag = Some(lag.clone());
    }
    let slo = conditions("ttft_p50<1s").unwrap();
    let table = table(&run, &LoadOptions { slo: Some(slo.clone()), gate: slo, ..LoadOptions::default() });
    assert_eq!(stage(&table, 2, 1).client, [ClientLimit::Lag { p99_ms: 31.0 }]);
    assert_eq!(stage(&table, 2, 1).slo.as_ref().unwrap().word, SloWord::Withheld);
    assert_eq!(table.summaries[1].slo, Some(Reach::Broken { stage: 2, but_not: vec![1] }));
    assert_eq!(table.summaries[0].slo, Some(Reach::Through { stage: 2, is_last: true }));
    let by_latency = &table.crossovers[0];
    assert_eq!(
        by_latency.duels.iter().map(|duel| duel.word).collect::<Vec<_>>(),
        [DuelWord::FirstFaster, DuelWord::Withheld, DuelWord::FirstFaster]
    );
    assert_eq!(by_latency.family, 2);
    let gate = table.gate.unwrap();
    let failed: Vec<_> = gate.lines.iter().filter(|line| !line.passed).map(|line| (line.target, line.stage, line.client_limited)).collect();
    assert_eq!((gate.passed, failed), (false, vec![(1, Some(1), true)]));
}

#[test]
fn a_gate_fails_for_what_it_sees_and_for_what_it_cannot_see() {
    let mut run = ramp::run(&["a/m"], users(&[1, 2]), 3);
    steady(&mut run, 1, 0, 100.0, 400.0);
    steady(&mut run, 2, 0, 800.0, 1600.0);
    let gate = |text: &str| {
        let options = LoadOptions { gate: conditions(text).unwrap(), ..LoadOptions::default() };
        let gate = table(&run, &options).gate.unwrap();
        (gate.passed, gate.lines.into_iter().map(|line| (line.stage, line.judged.holds)).collect::<Vec<_>>())
    };
    assert_eq!(gate("ttft_p50<1s"), (true, vec![(Some(0), Some(true)), (Some(1), Some(true))]));
    assert_eq!(gate("ttft_p50<500ms"), (false, vec![(Some(0), Some(true)), (Some(1), Some(false))]));
    assert_eq!(gate("ttft_p50<500ms@1"), (true, vec![(Some(0), Some(true))]));
    assert_eq!(gate("ttft_p50<500ms@300"), (false, vec![(None, None)]));
    assert_eq!(gate("ttft_p99<500ms@1"), (false, vec![(Some(0), None)]));
    // Of each request: the slowest of them counts.
    assert!(gate("latency<2s").0 && !gate("latency<1.7s").0);
    assert!(gate("success>=100%,rate_limited<=0%,failures<1%").0);
    // Nothing says when a request is in time, so that there is no goodput.
    assert!(!gate("goodput>0").0 && gate("rps>1@1").0);
}

#[test]
fn up_to_which_stage_one_target_beats_the_other() {
    let mut run = ramp::run(&["box/m", "cloud/m"], users(&[1, 2, 4, 8]), 3);
    for (stage, own) in [(1, 400.0), (2, 800.0), (3, 1620.0), (4, 3200.0)] {
        steady(&mut run, stage, 0, 100.0, own);
        steady(&mut run, stage, 1, 100.0, 1600.0);
    }
    let table = table(&run, &LoadOptions::default());
    let [latency, speed] = table.crossovers.as_slice() else { panic!("{}", table.crossovers.len()) };
    assert_eq!(latency.first_wins, Reach::Through { stage: 1, is_last: false });
    assert_eq!(latency.second_wins, Reach::Broken { stage: 3, but_not: vec![0, 1, 2] });
    assert_eq!((latency.family, latency.one_family), (4, Some(true)));
    assert_eq!(latency.duels[2].word, DuelWord::Undecided);
    // Each pass is slower by a known factor: the ratio at the first stage is that of the factors times 400/1600.
    let factor = |pass: u32, target: u32| 1.0 + 0.01 * f64::from((pass * 7 + 3 + target * 5) % 11);
    let log: f64 = (1..=3).map(|pass| (0.25 * factor(pass, 0) / factor(pass, 1)).ln()).sum::<f64>() / 3.0;
    assert_near(latency.duels[0].ratio.unwrap(), log.exp());
    assert!(latency.duels[0].p_holm > latency.duels[0].p && latency.duels[0].interval.unwrap().holds(0.25));
    assert_eq!(speed.duels[0].word, DuelWord::FirstFaster);
}

#[test]
fn two_passes_have_a_ratio_and_no_word() {
    let mut run = ramp::run(&["a/m", "b/m"], users(&[1]), 2);
    steady(&mut run, 1, 0, 100.0, 400.0);
    steady(&mut run, 1, 1, 100.0, 4000.0);
    let table = table(&run, &LoadOptions::default());
    let duel = &table.crossovers[0].duels[0];
    assert_eq!((duel.word, duel.interval, duel.p), (DuelWord::FewPasses, Err(NoInterval::FewPasses { passes: 2, needs: 3 }), None));
    assert!(duel.ratio.unwrap() < 0.12);
    assert_eq!((table.crossovers[0].first_wins.clone(), table.crossovers[0].family), (Reach::NotJudged, 0));
}

#[test]
fn a_failure_is_charged_the_limit_in_a_comparison() {
    let mut run = ramp::run(&["a/m", "b/m"], users(&[1]), 1);
    user(&mut run, at(1, 1, 0), 1, 0.0, [ramp::reply(100.0, 1000.0, 5), refused()]);
    user(&mut run, at(1, 1, 1), 1, 0.0, [ramp::reply(100.0, 1000.0, 5), ramp::reply(100.0, 1000.0, 5)]);
    (0..2).for_each(|target| finish(&mut run, at(1, 1, target)));
    let table = table(&run, &LoadOptions::default());
    assert_near(table.crossovers[0].duels[0].ratio.unwrap(), (300_000.0f64 / 1000.0).sqrt());
}

#[test]
fn cells_that_were_broken_off_or_skipped_are_no_sample() {
    let mut run = ramp::run(&["a/m"], users(&[1, 2]), 3);
    let reply = || ramp::reply(100.0, 1000.0, 5);
    for pass in 1..=3 {
        user(&mut run, at(pass, 1, 0), 1, 0.0, [reply(), reply(), reply(), reply(), reply()]);
    }
    finish(&mut run, at(1, 1, 0));
    state(&mut run, at(2, 1, 0), StageState::Begun);
    finish(&mut run, at(3, 1, 0));
    state(&mut run, at(3, 1, 0), StageState::Interrupted);
    state(&mut run, at(1, 2, 0), StageState::Skipped { because: "failures>5%: 9%".into() });
    let table = table(&run, &LoadOptions::default());
    let states: Vec<CellState> = table.stages.iter().flat_map(|stage| &stage.cells).map(|cell| cell.state.clone()).collect();
    let skipped = CellState::Skipped { because: "failures>5%: 9%".into() };
    assert_eq!(
        states,
        [CellState::Measured, CellState::Interrupted, CellState::Interrupted, skipped, CellState::NotReached, CellState::NotReached]
    );
    assert_eq!(stage(&table, 1, 0).counts.sent, 5);
    assert!(table.warnings.contains(&LoadWarning::Unfinished { cells: 4, of: 6 }));
    assert!(matches!(table.summaries[0].knee, Knee::NotFitted { .. }));
}

#[test]
fn what_this_client_did_not_send_is_a_failure_and_its_own_fault() {
    let mut run = ramp::run(&["a/m"], arrivals(&[10.0]), 1);
    for i in 0..8 {
        ask(&mut run, at(1, 1, 0), None, 100.0 * f64::from(i), 100.0 * f64::from(i), ramp::reply(20.0, 60.0, 5));
    }
    for why in [NotSent::ClientBehind, NotSent::TargetStopped { reason: "401".into() }, NotSent::OverBudget { reason: "day".into() }] {
        not_sent(&mut run, at(1, 1, 0), None, 800.0, why);
    }
    finish(&mut run, at(1, 1, 0));
    let table = table(&run, &LoadOptions::default());
    let row = stage(&table, 1, 0);
    assert_eq!((row.counts.sent, row.counts.good, row.counts.behind, row.counts.no_sample), (9, 8, 1, 2));
    assert_eq!(row.client, [ClientLimit::NotSent { behind: 1, of: 9 }]);
    assert_near(row.success.as_ref().unwrap().share, 8.0 / 9.0);
}

#[test]
fn what_was_held_back_for_politeness_is_in_no_latency_and_in_no_lag() {
    let mut run = ramp::run(&["a/m"], arrivals(&[1.0]), 1);
    for i in 0..6 {
        let due = 1000.0 * f64::from(i);
        let trial = ask(&mut run, at(1, 1, 0), None, due, due + 5000.0, ramp::reply(200.0, 600.0, 5));
        trial.held_since = Some(trial.scheduled);
    }
    finish(&mut run, at(1, 1, 0));
    let table = table(&run, &LoadOptions::default());
    assert_near(number(&table, 1, 0, Measure::LatencyMean), 600.0);
    assert_eq!(figure(&table, 1, 0, Measure::SendLagP50).point, Err(NoFigure::NoRequest));
    assert_eq!((stage(&table, 1, 0).counts.held, stage(&table, 1, 0).client.len()), (6, 0));
}

#[test]
fn silence_within_replies_is_counted() {
    let mut run = ramp::run(&["a/m"], users(&[1]), 1);
    let smooth = || ramp::reply(100.0, 1000.0, 5);
    let halting = || ramp::reply(100.0, 4100.0, 5);
    user(&mut run, at(1, 1, 0), 1, 0.0, [smooth(), halting(), smooth()]);
    finish(&mut run, at(1, 1, 0));
    let table = table(&run, &LoadOptions::default());
    let stalls = stage(&table, 1, 0).stalls.unwrap();
    assert_eq!((stalls.gaps, stalls.replies, stalls.good), (4, 1, 3));
}
