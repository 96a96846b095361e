//! What may be said: of each target, of each pair, of the gate.

use super::LoadReading;
use crate::analysis::load::{CellState, Measure, SloWord, StageFigures, TargetSummary};
use crate::record::Offered;
use crate::report::words::load::stages;
use crate::report::words::ramp::Ramp;
use crate::report::{Lang, Worded};
use std::collections::BTreeMap;

/// With more lines of a gate than these, those that passed are only counted.
const GATE_LINES: usize = 12;

/// All answers: a head and its lines.
pub(super) fn answers(reading: &LoadReading<'_>) -> Vec<(String, Vec<String>)> {
    let (table, lang, names) = (reading.table, reading.lang, reading.names());
    let ramp = Ramp { offered: &table.design.stages, names: &names, lang };
    let mut answers: Vec<(String, Vec<String>)> = Vec::new();
    for (target, name) in names.iter().enumerate() {
        let of: Vec<&StageFigures> = table.stages.iter().filter(|stage| stage.target == target).collect();
        let mut lines = Vec::new();
        if let Some(summary) = table.summaries.iter().find(|summary| summary.target == target) {
            lines.push(ramp.knee(&summary.knee, summary.knee_of));
            lines.extend(slo(reading, &ramp, summary, &of));
        }
        lines.extend(failures(&of, lang));
        lines.extend(client(&of, lang));
        lines.extend(not_run(&of, lang));
        lines.extend(missing(reading, &of));
        answers.push((name.clone(), lines));
    }
    if !table.crossovers.is_empty() {
        let head = lang.say("Who beats whom, and up to where", "谁快于谁，快到哪一档").to_owned();
        answers.push((head, table.crossovers.iter().map(|of| ramp.crossover(of)).collect()));
    }
    answers.extend(gate(reading, &ramp));
    answers
}

fn slo(reading: &LoadReading<'_>, ramp: &Ramp<'_>, summary: &TargetSummary, of: &[&StageFigures]) -> Option<String> {
    let (reach, conditions) = summary.slo.as_ref().zip(reading.table.slo.as_ref())?;
    let heaviest = reach.heaviest();
    let at = |stage: usize| of.iter().find(|figures| figures.stage == stage).and_then(|figures| figures.slo.as_ref());
    // Stages stand from the lightest to the heaviest: the first behind the reach that does not meet it.
    let behind = of.iter().skip_while(|figures| heaviest.is_some_and(|heaviest| figures.stage != heaviest));
    let next = behind.filter_map(|figures| Some((figures.stage, figures.slo.as_ref()?))).find(|(_, slo)| slo.word != SloWord::Meets);
    let words = ramp.slo(reach, heaviest.and_then(at), next);
    let level: Vec<String> = conditions.iter().map(ToString::to_string).collect();
    Some(match reading.lang {
        Lang::En => format!("service level {}: {words}", level.join(",")),
        Lang::Zh => format!("服务水平 {}：{words}", level.join(",")),
    })
}

/// Bad ends by their kind, a stage each.
fn failures(of: &[&StageFigures], lang: Lang) -> Option<String> {
    let mut parts = Vec::new();
    for stage in of {
        let counts = &stage.counts;
        let times = lang.say("", "次 ");
        let failed = counts.failed.iter().filter(|(_, n)| 0 < *n);
        let mut kinds: Vec<String> = failed.map(|(kind, n)| format!("{n} {times}{}", kind.name())).collect();
        kinds.extend((0 < counts.behind).then(|| match lang {
            Lang::En => format!("{} not sent by this client", counts.behind),
            Lang::Zh => format!("{} 个本客户端未能发出", counts.behind),
        }));
        if !kinds.is_empty() {
            let (at, sent) = (stages(&[stage.offered], lang), counts.sent);
            parts.push(match lang {
                Lang::En => format!("at {at} {} of {sent}", kinds.join(", ")),
                Lang::Zh => format!("{at}时 {sent} 个请求中 {}", lang.list(&kinds)),
            });
        }
    }
    let words = parts.join(lang.say("; ", "；"));
    (!parts.is_empty()).then(|| format!("{}{words}", lang.say("failures: ", "失败：")))
}

/// Stages whose figures may be this client's own.
fn client(of: &[&StageFigures], lang: Lang) -> Option<String> {
    let limited: Vec<String> = of
        .iter()
        .filter(|stage| !stage.client.is_empty())
        .map(|stage| {
            let why: Vec<String> = stage.client.iter().map(|why| why.words(lang)).collect();
            match lang {
                Lang::En => format!("at {} {}", stages(&[stage.offered], lang), why.join(", ")),
                Lang::Zh => format!("{}时{}", stages(&[stage.offered], lang), why.join("，")),
            }
        })
        .collect();
    let list = limited.join(lang.say("; ", "；"));
    (!limited.is_empty()).then(|| match lang {
        Lang::En => format!("withheld, as this client was at its limit and the figures may be its own: {list}"),
        Lang::Zh => format!("本客户端已到极限，数值可能反映它自己，不作判定：{list}"),
    })
}

/// Cells that are no sample, by what became of them.
fn not_run(of: &[&StageFigures], lang: Lang) -> Option<String> {
    let mut by_state: BTreeMap<String, BTreeMap<u32, Vec<Offered>>> = BTreeMap::new();
    for stage in of {
        for cell in &stage.cells {
            let words = match &cell.state {
                CellState::Measured => continue,
                CellState::Skipped { because } => format!("{}{because}", lang.say("skipped, ", "跳过，因为 ")),
                CellState::Interrupted => lang.say("broken off, no sample", "中断，不作为样本").to_owned(),
                CellState::NotReached => lang.say("not reached before the run ended", "运行结束前没有测到").to_owned(),
            };
            by_state.entry(words).or_default().entry(cell.pass).or_default().push(stage.offered);
        }
    }
    let mut parts = Vec::new();
    for (words, passes) in by_state {
        let mut same: Vec<(String, Vec<String>)> = Vec::new();
        for (pass, offered) in passes {
            let list = stages(&offered, lang);
            match same.iter_mut().find(|(known, _)| *known == list) {
                Some((_, passes)) => passes.push(pass.to_string()),
                None => same.push((list, vec![pass.to_string()])),
            }
        }
        let where_: Vec<String> = same
            .into_iter()
            .map(|(list, passes)| match (passes.len(), lang) {
                (1, Lang::En) => format!("{list} in pass {}", passes[0]),
                (_, Lang::En) => format!("{list} in passes {}", passes.join(", ")),
                (_, Lang::Zh) => format!("第 {} 遍的 {list}", passes.join("、")),
            })
            .collect();
        parts.push(match lang {
            Lang::En => format!("{} ({words})", where_.join("; ")),
            Lang::Zh => format!("{}（{words}）", where_.join("；")),
        });
    }
    (!parts.is_empty()).then(|| format!("{}{}", lang.say("not measured: ", "未测："), parts.join(lang.say("; ", "；"))))
}

/// Why the figures of the tables that are a dash have no value.
fn missing(reading: &LoadReading<'_>, of: &[&StageFigures]) -> Option<String> {
    let lang = reading.lang;
    let shown = [
        Measure::LatencyMean,
        Measure::LatencyP50,
        Measure::LatencyP95,
        Measure::LatencyP99,
        Measure::TtftP50,
        Measure::TtftP95,
        Measure::TtfaP50,
        Measure::Rps,
        Measure::Goodput,
        Measure::SystemSpeed,
        Measure::ReasoningSpeed,
        Measure::ContentSpeed,
        Measure::SendLagP99,
    ];
    let is_shown = |measure: Measure| match measure {
        Measure::Goodput => reading.table.slo.is_some(),
        _ => true,
    };
    // By reason and stages, the measures that lack a value.
    let mut reasons: Vec<(String, Vec<Offered>, Vec<String>)> = Vec::new();
    for measure in shown.into_iter().filter(|measure| is_shown(*measure)) {
        let mut by_reason: Vec<(String, Vec<Offered>)> = Vec::new();
        for stage in of.iter().filter(|stage| 0 < stage.measured()) {
            let Some(Err(why)) = stage.figure(measure).map(|figure| figure.point) else { continue };
            let words = why.words(lang);
            match by_reason.iter_mut().find(|(known, _)| *known == words) {
                Some((_, offered)) => offered.push(stage.offered),
                None => by_reason.push((words, vec![stage.offered])),
            }
        }
        for (words, offered) in by_reason {
            match reasons.iter_mut().find(|(known, stages, _)| *known == words && *stages == offered) {
                Some((.., measures)) => measures.push(measure.words(lang)),
                None => reasons.push((words, offered, vec![measure.words(lang)])),
            }
        }
    }
    let measured = of.iter().filter(|stage| 0 < stage.measured()).count();
    let parts: Vec<String> = reasons
        .into_iter()
        .map(|(why, offered, measures)| {
            let (measures, all) = (lang.list(measures), offered.len() == measured);
            match (all, lang) {
                (true, Lang::En) => format!("{measures}: {why}"),
                (false, Lang::En) => format!("{measures} at {}: {why}", stages(&offered, lang)),
                (true, Lang::Zh) => format!("{measures}：{why}"),
                (false, Lang::Zh) => format!("{}的{measures}：{why}", stages(&offered, lang)),
            }
        })
        .collect();
    (!parts.is_empty()).then(|| format!("{}{}", lang.say("no value (—): ", "没有数值（—）："), parts.join(lang.say("; ", "；"))))
}

fn gate(reading: &LoadReading<'_>, ramp: &Ramp<'_>) -> Option<(String, Vec<String>)> {
    let (gate, lang) = (reading.table.gate.as_ref()?, reading.lang);
    let (failed, all) = (gate.lines.iter().filter(|line| !line.passed).count(), gate.lines.len());
    let head = match (gate.passed, lang) {
        (true, Lang::En) => format!("Gate passed: {all} of {all} conditions"),
        (true, Lang::Zh) => format!("门槛通过：{all} 项条件全部满足"),
        (false, Lang::En) => format!("GATE FAILED: {failed} of {all} conditions"),
        (false, Lang::Zh) => format!("门槛未通过：{all} 项条件中有 {failed} 项不满足"),
    };
    let shown = gate.lines.iter().filter(|line| all <= GATE_LINES || !line.passed);
    Some((head, shown.map(|line| ramp.gate(line)).collect()))
}
