//! Everything of a load run, for programs. docs/load.md describes it; a change of meaning is a change of `format`.

use super::LoadReading;
use super::grids::window;
use crate::analysis::load::{CellState, Crossover, Figure, Gate, Judged, Knee, Reach, SloAtStage, SloWord, StageFigures, TargetSummary};
use crate::record::StageLine;
use crate::report::tables::ends;
use crate::report::words::ramp::Ramp;
use crate::report::{Lang, Table, Worded};
use crate::stats::Extended;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// The version of this document's layout.
const FORMAT: &str = "photofinish-load/1";

/// The whole.
pub(super) fn full(reading: &LoadReading<'_>, answers: &[(String, Vec<String>)], foot: &Table) -> Value {
    let (table, names) = (reading.table, reading.names());
    let ramp = Ramp { offered: &table.design.stages, names: &names, lang: reading.lang };
    let mut whole = json!({
        "format": FORMAT,
        "title": reading.title(),
        "design": table.design,
        "targets": names,
        "confidence": table.confidence.share(),
        "charge_s": table.charge_ms / 1e3,
        "speed_unit": reading.speed(),
        "service_level": table.slo,
        "span": span(reading.cells),
        "stages": table.stages.iter().map(|stage| of_stage(stage, &names, reading.lang)).collect::<Vec<_>>(),
        "summaries": table.summaries.iter().map(|summary| of_summary(summary, &names, &ramp, reading)).collect::<Vec<_>>(),
        "pairs": table.crossovers.iter().map(|of| of_pair(of, &names, &ramp, reading)).collect::<Vec<_>>(),
        "gate": table.gate.as_ref().map(|gate| of_gate(gate, &names, &ramp, reading)),
        "answers": answers.iter().map(|(head, lines)| json!({"of": head, "lines": lines})).collect::<Vec<_>>(),
        "client": { "diagnosis": super::caption::diagnosis(reading) },
        "warnings": foot.warnings,
        "legend": foot.legend,
        "caption": foot.caption,
    });
    reading.constants().into_iter().for_each(|(name, value)| whole[name] = json!(value));
    whole
}

/// From when to when.
pub(super) fn span(cells: &[StageLine]) -> Value {
    let walls = || cells.iter().map(|cell| cell.wall);
    walls().min().zip(walls().max()).map_or(Value::Null, |(from, to)| json!({"from": from, "to": to}))
}

fn of_stage(stage: &StageFigures, names: &[String], lang: Lang) -> Value {
    let success = match &stage.success {
        Ok(success) => {
            let mut object = json!({"value": success.share, "ok": success.good, "sent": success.sent});
            put_interval(&mut object, success.interval.as_ref(), lang);
            object
        }
        Err(why) => missing(why, lang),
    };
    let stalls = match &stage.stalls {
        Ok(stalls) => json!({"gaps": stalls.gaps, "replies": stalls.replies, "ok": stalls.good}),
        Err(why) => missing(why, lang),
    };
    let figures: Map<String, Value> =
        stage.figures.iter().map(|(measure, figure)| (measure.name().to_owned(), of_figure(figure, lang))).collect();
    let counts = &stage.counts;
    let failed: Map<String, Value> = counts.failed.iter().map(|(kind, n)| (kind.name().to_owned(), json!(n))).collect();
    json!({
        "target": names.get(stage.target),
        "stage": stage.stage + 1,
        "offered": stage.offered,
        "load": stage.load,
        "passes": stage.measured(),
        "window_s": window(stage),
        "counts": {
            "sent": counts.sent, "ok": counts.good, "failed": failed, "not_sent": counts.behind, "no_sample": counts.no_sample,
            "held_back": counts.held, "cold": counts.cold,
        },
        "success": success,
        "stalls": stalls,
        "figures": figures,
        "client_limited": stage.client.iter().map(|why| with_words(why, why.words(lang))).collect::<Vec<_>>(),
        "service_level": stage.slo.as_ref().map(|slo| of_slo(slo, lang)),
        "cells": stage.cells.iter().map(|cell| {
            let mut object = json!({
                "run": cell.run, "pass": cell.pass, "state": state(&cell.state), "sent": cell.sent, "ok": cell.good,
                "connections": cell.connections, "lag": cell.lag,
                "window": match &cell.window {
                    Ok(window) => json!({"from_ns": window.from, "to_ns": window.to, "seconds": window.seconds, "ended": window.ended}),
                    Err(why) => missing(why, lang),
                },
            });
            if let CellState::Skipped { because } = &cell.state {
                object["because"] = json!(because);
            }
            object
        }).collect::<Vec<_>>(),
    })
}

const fn state(state: &CellState) -> &'static str {
    match state {
        CellState::Measured => "measured",
        CellState::Skipped { .. } => "skipped",
        CellState::Interrupted => "interrupted",
        CellState::NotReached => "not_reached",
    }
}

/// A figure, its interval, its passes, and why any of them is missing.
fn of_figure(figure: &Figure, lang: Lang) -> Value {
    let mut object = of_point(&figure.point, lang);
    put_interval(&mut object, figure.interval.as_ref(), lang);
    object["rests_on"] = json!(figure.rests_on);
    object["n"] = json!(figure.n);
    object["without"] = json!(figure.without);
    object["passes"] = figure.passes.iter().map(|pass| of_point(pass, lang)).collect();
    object
}

fn of_point<E: Worded + Serialize>(point: &Result<Extended, E>, lang: Lang) -> Value {
    match point {
        Ok(Extended::Finite(value)) => json!({ "value": value }),
        Ok(Extended::Never) => json!({ "never": true }),
        Err(why) => missing(why, lang),
    }
}

/// Why there is none: in words, and for programs.
fn missing(why: &(impl Worded + Serialize), lang: Lang) -> Value {
    json!({"missing": why.words(lang), "because": why})
}

fn put_interval(object: &mut Value, interval: Result<&crate::stats::Interval, &crate::analysis::load::NoInterval>, lang: Lang) {
    match interval {
        Ok(interval) => object["interval"] = ends(interval),
        Err(why) => object["no_interval"] = missing(why, lang),
    }
}

fn with_words(value: &impl Serialize, words: String) -> Value {
    let mut object = json!(value);
    object["words"] = json!(words);
    object
}

pub(super) const fn slo_name(word: SloWord) -> &'static str {
    match word {
        SloWord::Meets => "meets",
        SloWord::Misses => "misses",
        SloWord::Withheld => "withheld",
        SloWord::NotJudged => "not_judged",
    }
}

fn of_slo(slo: &SloAtStage, lang: Lang) -> Value {
    json!({
        "word": slo_name(slo.word),
        "passes_meet": slo.passes_meet,
        "passes": slo.passes,
        "conditions": slo.conditions.iter().map(|judged| of_judged(judged, lang)).collect::<Vec<_>>(),
    })
}

/// A condition and what was seen, in the condition's own unit.
fn of_judged(judged: &Judged, lang: Lang) -> Value {
    json!({"condition": judged.condition, "seen": of_point(&judged.seen, lang), "holds": judged.holds})
}

fn of_summary(summary: &TargetSummary, names: &[String], ramp: &Ramp<'_>, reading: &LoadReading<'_>) -> Value {
    let mut knee = with_words(&summary.knee, ramp.knee(&summary.knee, summary.knee_of));
    if let Knee::At { interval, .. } = &summary.knee {
        knee["interval"] = Value::Null;
        put_interval(&mut knee, interval.as_ref(), reading.lang);
    }
    json!({
        "target": names.get(summary.target),
        "knee_of": summary.knee_of.name(),
        "knee": knee,
        "service_level_reaches": summary.slo.as_ref().map(|reach| of_reach(reach, reading)),
    })
}

/// How far, with the loads of the stages beside their numbers from 1.
fn of_reach(reach: &Reach, reading: &LoadReading<'_>) -> Value {
    let load = |stage: usize| reading.table.design.stages.get(stage).map(super::grids::load_of);
    let word = match reach {
        Reach::Nowhere => "nowhere",
        Reach::Through { .. } => "through",
        Reach::Broken { .. } => "broken",
        Reach::NotJudged => "not_judged",
    };
    let mut object = json!({"reach": word, "stage": reach.heaviest().map(|stage| stage + 1), "load": reach.heaviest().and_then(load)});
    match reach {
        Reach::Through { is_last, .. } => object["is_last"] = json!(is_last),
        Reach::Broken { but_not, .. } => object["but_not_stages"] = but_not.iter().map(|stage| json!(stage + 1)).collect(),
        Reach::Nowhere | Reach::NotJudged => {}
    }
    object
}

fn of_pair(of: &Crossover, names: &[String], ramp: &Ramp<'_>, reading: &LoadReading<'_>) -> Value {
    let lang = reading.lang;
    let duels = of.duels.iter().map(|duel| {
        let mut ratio = match &duel.ratio {
            Ok(value) => json!({ "value": value }),
            Err(why) => missing(why, lang),
        };
        put_interval(&mut ratio, duel.interval.as_ref(), lang);
        json!({
            "stage": duel.stage + 1,
            "load": reading.table.design.stages.get(duel.stage).map(super::grids::load_of),
            "ratio": ratio,
            "passes": duel.passes,
            "p": duel.p,
            "p_holm": duel.p_holm,
            "word": duel.word,
        })
    });
    json!({
        "first": names.get(of.first),
        "second": names.get(of.second),
        "by": of.by,
        "family": of.family,
        "stages": duels.collect::<Vec<_>>(),
        "first_wins": of_reach(&of.first_wins, reading),
        "second_wins": of_reach(&of.second_wins, reading),
        "words": ramp.crossover(of),
    })
}

fn of_gate(gate: &Gate, names: &[String], ramp: &Ramp<'_>, reading: &LoadReading<'_>) -> Value {
    let lines = gate.lines.iter().map(|line| {
        let mut object = of_judged(&line.judged, reading.lang);
        object["target"] = json!(names.get(line.target));
        object["stage"] = json!(line.stage.map(|stage| stage + 1));
        object["client_limited"] = json!(line.client_limited);
        object["passed"] = json!(line.passed);
        object["words"] = json!(ramp.gate(line));
        object
    });
    json!({"passed": gate.passed, "lines": lines.collect::<Vec<_>>()})
}
