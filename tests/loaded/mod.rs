//! Figures of load runs made by hand, for tests of what is shown of them: no record is behind them, so that each is literal.
#![allow(dead_code)]

use photofinish::analysis::BasisBecause;
use photofinish::analysis::load::Window;
use photofinish::analysis::load::*;
use photofinish::ident::TargetId;
use photofinish::metric::{Outcome, Undefined};
use photofinish::record::*;
use photofinish::report::{Format, Lang, LoadReading, load_seed_layout, load_tables};
use photofinish::stats::{Confidence, Extended, Interval};
use photofinish::tokens::Basis;
use photofinish::units::Stamp;
use std::collections::BTreeMap;

/// A load run: its figures, its manifest, its cells.
pub struct Ramp {
    pub table: LoadTable,
    pub manifest: Manifest,
    pub cells: Vec<StageLine>,
}

/// A server that gives each request its time until it is full: so many good replies a second at most.
#[derive(Clone, Copy)]
pub struct Server {
    /// Latency of one user alone, s.
    pub alone: f64,
    /// Good replies a second at most.
    pub most: f64,
}

impl Server {
    pub fn rps(self, users: f64) -> f64 {
        (users / self.alone).min(self.most)
    }
    pub fn latency(self, users: f64) -> f64 {
        users / self.rps(users)
    }
}

/// Tokens of every reply.
const TOKENS: f64 = 100.0;

/// A run of stages of users on servers, in passes; each figure with an interval of ±4 % from three passes on.
pub fn ramp(servers: &[(&str, Server)], users: &[u32], passes: usize) -> Ramp {
    let offered: Vec<Offered> = users.iter().map(|users| Offered::Users { users: *users }).collect();
    of_stages(servers, offered, passes)
}

/// The same of any stages.
pub fn of_stages(servers: &[(&str, Server)], offered: Vec<Offered>, passes: usize) -> Ramp {
    let design = LoadDesign {
        stages: offered.clone(),
        passes: passes as u32,
        until: Until::PerUser { each: 5, at_least: 20 },
        order: StageOrder::Shuffled,
        rest_ms: 10_000,
        cold: false,
        max_in_flight: None,
        slo: None,
        stop_when: None,
    };
    let mut stages = Vec::new();
    for (stage, offered) in offered.iter().enumerate() {
        for (target, (_, server)) in servers.iter().enumerate() {
            stages.push(stage_of(target, stage, *offered, *server, passes));
        }
    }
    let summaries = servers.iter().enumerate().map(|(target, (_, server))| TargetSummary {
        target,
        slo: None,
        knee_of: Measure::Rps,
        knee: Knee::At {
            load: server.most * server.alone,
            interval: interval(server.most * server.alone, passes),
            level: server.most,
            passes: vec![server.most * server.alone; passes],
            off: 0.02,
        },
    });
    let table = LoadTable {
        runs: vec!["a1b2c3".into()],
        targets: servers.iter().map(|(name, _)| TargetId::new(*name).unwrap()).collect(),
        scale: 1.0,
        basis: Basis::Reported,
        because: BasisBecause::Believed,
        tokenizer: "o200k-equivalent".into(),
        confidence: Confidence::DEFAULT,
        charge_ms: 300_000.0,
        slo: None,
        order: (0..offered.len()).collect(),
        stages,
        summaries: summaries.collect(),
        crossovers: Vec::new(),
        gate: None,
        warnings: (passes < 3).then_some(LoadWarning::FewPasses { passes }).into_iter().collect(),
        design: design.clone(),
    };
    let names: Vec<&str> = servers.iter().map(|(name, _)| *name).collect();
    let cells = cells(&table);
    Ramp { manifest: manifest(&names, design), cells, table }
}

fn manifest(names: &[&str], design: LoadDesign) -> Manifest {
    let mut manifest = crate::hand::run(names.iter().map(|name| crate::hand::target(name)).collect(), 1, 10).manifest;
    (manifest.name, manifest.load) = ("load".into(), Some(design));
    manifest
}

fn cells(table: &LoadTable) -> Vec<StageLine> {
    let begin: jiff::Timestamp = "2026-11-24T08:00:00Z".parse().unwrap();
    let line = |(i, stage): (usize, &StageFigures)| StageLine {
        pass: 1,
        stage: stage.stage as u32 + 1,
        target: table.targets[stage.target].clone(),
        state: StageState::Begun,
        wall: begin + jiff::SignedDuration::from_mins(3 * i as i64),
        mono: Stamp(1_000_000_000 * i as u64),
        connections: 0,
        lag: None,
    };
    table.stages.iter().enumerate().map(line).collect()
}

fn interval(value: f64, passes: usize) -> Result<Interval, NoInterval> {
    match passes {
        0..3 => Err(NoInterval::FewPasses { passes, needs: 3 }),
        _ => Ok(Interval::closed(value * 0.96, value * 1.04)),
    }
}

/// A figure whose passes are all alike.
pub fn figure(value: f64, passes: usize) -> Figure {
    Figure {
        point: Ok(Extended::Finite(value)),
        interval: interval(value, passes),
        rests_on: RestsOn::Passes,
        n: 100,
        without: 0,
        passes: vec![Ok(Extended::Finite(value)); passes],
    }
}

/// A figure without a value.
pub fn none(why: NoFigure) -> Figure {
    Figure { point: Err(why), interval: Err(NoInterval::NoFigure), rests_on: RestsOn::Passes, n: 0, without: 0, passes: Vec::new() }
}

fn stage_of(target: usize, stage: usize, offered: Offered, server: Server, passes: usize) -> StageFigures {
    let load = offered.size();
    let (rps, latency) = (server.rps(load), server.latency(load) * 1e3);
    let sent = ((5.0 * load).max(20.0) as usize) * passes;
    let ttft = 35.0 + (latency - server.alone * 1e3);
    let value = |measure: Measure| match measure {
        Measure::Rps | Measure::Goodput => Ok(rps),
        Measure::SystemSpeed => Ok(rps * TOKENS),
        Measure::LatencyMean | Measure::LatencyP50 => Ok(latency),
        Measure::LatencyP95 => Ok(latency * 1.2),
        Measure::LatencyP99 if sent < 100 => Err(NoFigure::FewRequests { n: sent, needs: 100 }),
        Measure::LatencyP99 => Ok(latency * 1.4),
        Measure::TtftMean | Measure::TtftP50 | Measure::TtfaP50 => Ok(ttft),
        Measure::TtftP95 | Measure::TtfaP95 => Ok(ttft * 1.3),
        Measure::TtftP99 => Ok(ttft * 1.5),
        Measure::TpotP50 | Measure::TpotP95 => Ok(server.alone * 1e3 / TOKENS),
        Measure::ReasoningSpeed => Err(NoFigure::Undefined { because: Undefined::NoReasoning }),
        Measure::ContentSpeed => Ok(TOKENS / server.alone),
        Measure::OverallSpeed => Ok(TOKENS / (latency / 1e3)),
        Measure::SendLagP50 => Ok(0.03),
        Measure::SendLagP99 => Ok(0.13),
    };
    let figures: BTreeMap<Measure, Figure> =
        Measure::ALL.into_iter().map(|measure| (measure, value(measure).map_or_else(none, |value| figure(value, passes)))).collect();
    let window = Window { from: Stamp(0), to: Stamp(1), seconds: sent as f64 / passes as f64 / rps, ended: sent / passes };
    StageFigures {
        target,
        stage,
        offered,
        load,
        cells: (1..=passes as u32)
            .map(|pass| PassCell {
                run: 0,
                pass,
                state: CellState::Measured,
                window: Ok(window),
                sent: sent / passes,
                good: sent / passes,
                connections: load as u32,
                lag: None,
            })
            .collect(),
        counts: StageCounts { sent, good: sent, ..StageCounts::default() },
        success: Ok(Success {
            share: 1.0,
            good: sent,
            sent,
            interval: interval(1.0, passes).map(|_| Interval::closed(1.0 - 3.84 / (sent as f64 + 3.84), 1.0)),
        }),
        stalls: Ok(Stalls { gaps: 0, replies: 0, good: sent }),
        figures,
        client: Vec::new(),
        slo: None,
    }
}

impl Ramp {
    /// One stage of one target, to be changed.
    pub fn stage(&mut self, target: usize, stage: usize) -> &mut StageFigures {
        self.table.stages.iter_mut().find(|figures| (figures.target, figures.stage) == (target, stage)).unwrap()
    }

    /// A stage at which all fail.
    pub fn fail(&mut self, target: usize, stage: usize, outcome: Outcome) {
        let figures = self.stage(target, stage);
        let sent = figures.counts.sent;
        (figures.counts.good, figures.counts.failed) = (0, vec![(outcome, sent)]);
        figures.success = Ok(Success { share: 0.0, good: 0, sent, interval: Ok(Interval::closed(0.0, 3.84 / (sent as f64 + 3.84))) });
        figures.stalls = Err(NoFigure::NoGoodReply);
        for (measure, figure) in &mut figures.figures {
            *figure = match measure {
                Measure::Rps | Measure::Goodput | Measure::SystemSpeed => {
                    Figure { point: Ok(Extended::Finite(0.0)), interval: Err(NoInterval::ZeroInSome { passes: 3 }), ..figure.clone() }
                }
                Measure::LatencyP50 | Measure::LatencyP95 | Measure::LatencyP99 | Measure::TtftP50 | Measure::TtftP95 => {
                    Figure { point: Ok(Extended::Never), interval: Err(NoInterval::NeverInSome { passes: 3 }), ..figure.clone() }
                }
                Measure::SendLagP50 | Measure::SendLagP99 => continue,
                _ => none(NoFigure::NoGoodReply),
            };
        }
    }

    /// As it is written, without the terminal's colours.
    pub fn written(&self, format: Format, width: usize, lang: Lang) -> String {
        anstream::adapter::strip_str(&load_tables(&self.reading(lang)).write(format, width)).to_string()
    }

    /// The same in the seed's layout.
    pub fn seed(&self, format: Format, width: usize, lang: Lang) -> String {
        anstream::adapter::strip_str(&load_seed_layout(&self.reading(lang)).write(format, width)).to_string()
    }

    fn reading(&self, lang: Lang) -> LoadReading<'_> {
        LoadReading { table: &self.table, manifest: &self.manifest, cells: &self.cells, lang }
    }
}

/// The service level of the tests, judged by literal words: met below `full` users, missed from there on.
pub fn with_slo(ramp: &mut Ramp, text: &str) {
    let slo = conditions(text).unwrap();
    for stage in &mut ramp.table.stages {
        let seen = |condition: &Condition| match condition.of {
            Looked::Time(TimeOf::Ttft, _) => stage.figures[&Measure::TtftP95].point,
            Looked::Time(TimeOf::Tpot, _) => stage.figures[&Measure::TpotP95].point,
            _ => Err(NoFigure::NoRequest),
        };
        let judged: Vec<Judged> = slo
            .iter()
            .map(|condition| {
                let seen = seen(condition).map(|seen| seen.finite().map_or(Extended::Never, |ms| Extended::Finite(ms / 1e3)));
                let holds = seen.ok().map(|seen| condition.holds(seen.finite().unwrap_or(f64::INFINITY)));
                Judged { condition: *condition, seen, holds }
            })
            .collect();
        let meets = judged.iter().all(|judged| judged.holds == Some(true));
        let word = if meets { SloWord::Meets } else { SloWord::Misses };
        let passes = stage.cells.len();
        stage.slo = Some(SloAtStage { word, conditions: judged, passes_meet: if meets { passes } else { 0 }, passes });
    }
    for summary in &mut ramp.table.summaries {
        let of: Vec<&StageFigures> = ramp.table.stages.iter().filter(|stage| stage.target == summary.target).collect();
        let met = of.iter().take_while(|stage| stage.slo.as_ref().unwrap().word == SloWord::Meets).count();
        summary.slo = Some(match met {
            0 => Reach::Nowhere,
            n => Reach::Through { stage: of[n - 1].stage, is_last: n == of.len() },
        });
        summary.knee_of = Measure::Goodput;
    }
    ramp.table.slo = Some(slo);
}

/// Compares the first two targets: below a ratio of 1 the first is faster. The latency of the models, in literal words.
pub fn with_pair(ramp: &mut Ramp) {
    let stages = ramp.table.design.stages.len();
    let of = |ramp: &Ramp, target: usize, stage: usize, measure: Measure| {
        let figures = ramp.table.stages.iter().find(|figures| (figures.target, figures.stage) == (target, stage)).unwrap();
        figures.figures[&measure].point.unwrap().finite().unwrap()
    };
    for (by, measure) in [(CompareBy::Latency, Measure::LatencyMean), (CompareBy::ContentSpeed, Measure::ContentSpeed)] {
        let duels: Vec<Duel> = (0..stages)
            .map(|stage| {
                let ratio = of(ramp, 0, stage, measure) / of(ramp, 1, stage, measure);
                let ratio = if by == CompareBy::ContentSpeed { 1.0 / ratio } else { ratio };
                let word = match ratio {
                    ratio if ratio < 0.95 => DuelWord::FirstFaster,
                    ratio if 1.05 < ratio => DuelWord::SecondFaster,
                    _ => DuelWord::Undecided,
                };
                let p = if word == DuelWord::Undecided { 0.41 } else { 0.003 };
                Duel {
                    stage,
                    ratio: Ok(ratio),
                    interval: Ok(Interval::closed(ratio * 0.93, ratio * 1.07)),
                    passes: 3,
                    p: Some(p),
                    p_holm: Some((p * stages as f64).min(1.0)),
                    word,
                }
            })
            .collect();
        let reach = |wanted: DuelWord| {
            let won: Vec<usize> = duels.iter().filter(|duel| duel.word == wanted).map(|duel| duel.stage).collect();
            match won.last() {
                None => Reach::Nowhere,
                Some(last) if won.len() == last + 1 => Reach::Through { stage: *last, is_last: last + 1 == stages },
                Some(last) => Reach::Broken { stage: *last, but_not: (0..*last).filter(|stage| !won.contains(stage)).collect() },
            }
        };
        let (first_wins, second_wins) = (reach(DuelWord::FirstFaster), reach(DuelWord::SecondFaster));
        ramp.table.crossovers.push(Crossover {
            first: 0,
            second: 1,
            by,
            one_family: Some(false),
            family: stages,
            duels,
            first_wins,
            second_wins,
        });
    }
}
