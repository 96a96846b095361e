//! The table of targets: one row a target.

use super::tables::cell_or;
use super::words::{claims_not_comparable, model_differs, same_model, unread};
use super::{Cell, Column, Digits, Kind, Lang, Row, Table, Worded};
use crate::analysis::{self, Bar, COLUMNS, ClaimVerdict, Families, Joined, ModelCheck, Remark, TargetTable};
use crate::metric::{Flag, Outcome, Unit, metric};
use crate::record::{Manifest, TransportKind};
use crate::tokens::Basis;
use std::collections::BTreeSet;

/// What stands behind a TTFT that may hold thinking.
const DAGGER: &str = "†";

/// The table of targets, with its caption.
pub fn targets(table: &TargetTable, joined: &Joined<'_>, lang: Lang) -> Table {
    let manifest = joined.manifest();
    Table {
        lang,
        title: title(table, manifest),
        columns: columns(table, lang),
        rows: table.rows.iter().map(|each| row(each, all_few(table), lang)).collect(),
        warnings: table.warnings.iter().map(|warning| warning.words(lang)).collect(),
        caption: caption(table, joined, lang),
        legend: legend(table),
        constants: vec![
            ("simulated".into(), table.scale.map_or_else(|| "no".into(), |scale| format!("scale {scale}"))),
            ("basis".into(), basis_name(table)),
            ("run".into(), joined.runs.iter().map(|run| run.manifest.run.as_str()).collect::<Vec<_>>().join(" ")),
        ],
    }
}

/// The title of whatever is made of a run; a simulated one says so, and on what scale.
pub(super) fn titled(words: &str, scale: Option<f64>) -> String {
    match scale {
        Some(scale) => format!("SIMULATED providers (time scale {scale}×, times multiplied back) · {words}"),
        None => words.to_owned(),
    }
}

/// A target's name in a table: a simulated one says so.
pub(super) fn target_name(target: &str, simulated: bool) -> String {
    if simulated && !target.starts_with("sim:") { format!("sim:{target}") } else { target.to_owned() }
}

fn title(table: &TargetTable, manifest: &Manifest) -> String {
    let mut models: Vec<&str> = manifest.targets.iter().map(|target| target.model.as_str()).collect();
    models.sort_unstable();
    models.dedup();
    let what = match models.as_slice() {
        [one] => format!("{}: {one}", manifest.name),
        many => format!("{}: {} models", manifest.name, many.len()),
    };
    titled(&what, table.scale)
}

/// Whether the dataset has exact answers, so that there are columns for them.
fn is_graded(table: &TargetTable) -> bool {
    table.rows.iter().any(|row| row.graded.is_some())
}

fn columns(table: &TargetTable, lang: Lang) -> Vec<Column> {
    let unit = |unit: Unit| if table.basis == Basis::Chars { unit.symbol_in_chars() } else { unit.symbol() };
    let titles = ["TTFT", "1st answer", "reasoning", "content", "overall", "e2e p50", "e2e p95"];
    let mut columns = vec![Column::new("target", "target", Kind::Name), Column::new("success", "success", Kind::Count).unit("ok/sent")];
    for (column, title) in COLUMNS.iter().zip(titles) {
        let of = metric(column.metric).map_or(Unit::Ratio, |metric| metric.unit);
        let seconds = of == Unit::Milliseconds && column.metric != "ttft";
        let digits = if of == Unit::Milliseconds && !seconds { Digits::Tenths } else { Digits::Three };
        let kind = Kind::Number { in_seconds: seconds, digits };
        columns.push(Column::new(column.name, title, kind).unit(unit(of)));
    }
    if is_graded(table) {
        let seconds = Kind::Number { in_seconds: false, digits: Digits::Three };
        columns.push(Column::new("correct", lang.say("correct", "正确"), Kind::Count).unit("correct/sent").with_intervals());
        columns.push(Column::new("seconds_per_correct", lang.say("per correct", "每个正确"), seconds).unit("s").with_intervals());
    }
    columns
}

/// Whether every target has so few requests that the caption says it once for all.
fn all_few(table: &TargetTable) -> bool {
    1 < table.rows.len() && table.rows.iter().all(|row| row.remarks.contains(&Remark::Few))
}

fn row(row: &analysis::Row, all_few: bool, lang: Lang) -> Row {
    let shy = row.remarks.iter().any(|remark| matches!(remark, Remark::Flag(Flag::Hidden | Flag::ThinkingUnknown, _)));
    let mut cells =
        vec![Cell::Text(target_name(row.target.as_str(), row.simulated)), Cell::Count { part: row.ok, of: row.sent, interval: None }];
    for (column, cell) in COLUMNS.iter().zip(&row.cells) {
        let mark = if shy && column.metric == "ttft" { DAGGER } else { "" };
        cells.push(match cell {
            analysis::Cell::Value(value) => Cell::Number { value: value.value, within: value.measured_within, interval: None, mark },
            analysis::Cell::Never => Cell::NEVER,
            analysis::Cell::Missing(why) => Cell::Missing(why.words(lang)),
            analysis::Cell::Text(text) => Cell::Text(text.clone()),
        });
    }
    if let Some(graded) = &row.graded {
        let interval = graded.correct_and_complete.and_then(|share| share.interval);
        cells.push(Cell::Count { part: graded.correct, of: graded.n, interval });
        cells.push(cell_or(graded.seconds_per_correct.as_ref(), || lang.say("no request", "没有请求").into()));
    }
    let mut notes: Vec<String> =
        row.remarks.iter().filter(|remark| !(all_few && **remark == Remark::Few)).map(|remark| remark.words(lang)).collect();
    notes.extend(row.graded.as_ref().and_then(|graded| unread(graded, lang)));
    let differs = row.model.as_ref().and_then(|check| model_differs(check, lang));
    notes.extend(differs.map(|found| Bar::ModelDiffers { found }.words(lang)));
    let comparable = row.claims.iter().filter(|check| !matches!(check.verdict, ClaimVerdict::NotComparable { .. }));
    notes.extend(comparable.map(|check| check.words(lang)));
    Row { notes, ..Row::new(cells) }
}

/// The meaning of the marks and flags that occur.
fn legend(table: &TargetTable) -> Vec<String> {
    let remarks = || table.rows.iter().flat_map(|row| &row.remarks);
    let flags: BTreeSet<Flag> =
        remarks().filter_map(|remark| if let Remark::Flag(flag, _) = remark { Some(*flag) } else { None }).collect();
    let outcomes: BTreeSet<Outcome> =
        remarks().filter_map(|remark| if let Remark::Outcome(outcome, _) = remark { Some(*outcome) } else { None }).collect();
    let mut lines = Vec::new();
    if flags.contains(&Flag::Hidden) || flags.contains(&Flag::ThinkingUnknown) {
        lines.push(format!("{DAGGER} this TTFT may include thinking that was not shown: not comparable"));
    }
    lines.extend(outcomes.iter().map(|outcome| format!("{}: {}", outcome.name(), outcome.meaning())));
    lines.extend(flags.iter().map(|flag| format!("{}: {}", flag.name(), flag.meaning())));
    lines
}

fn caption(table: &TargetTable, joined: &Joined<'_>, lang: Lang) -> Vec<String> {
    let manifest = joined.manifest();
    let sent = table.rows.iter().map(|row| row.sent);
    let n = match (sent.clone().min(), sent.max()) {
        (Some(least), Some(most)) if least < most => format!("n = {least}–{most} requests a target"),
        (Some(n), _) => format!("n = {n} requests a target"),
        _ => "no requests".to_owned(),
    };
    let planned = manifest.design.rounds as usize * joined.runs.len();
    let rounds = format!("{} of {planned} planned rounds, {} blocks", table.rounds, table.blocks);
    let span = match table.span {
        Some(span) => period(span),
        None => "no time".to_owned(),
    };
    let limit = super::shown(table.limit_s, Digits::Three);
    let mut lines = vec![
        format!("{n} · {rounds} · {span} · limit T = {limit} s"),
        "Times are quantiles over all requests sent (TTFT and first answer: p50); a failure never arrives. Speeds are medians over good replies.".into(),
        format!("Token basis: {} ({}).", basis_name(table), table.basis_because.words(lang)),
    ];
    if let Some(scale) = table.scale.filter(|scale| 1.0 < *scale) {
        lines.push(format!("Simulated at {scale}×: each millisecond of this machine's own delay counts as {scale} ms."));
    }
    if is_graded(table) {
        lines.push(
            lang.say(
                "Correct: complete replies with the exact answer, of all requests sent; per correct: charged time of all requests over \
                 correct answers (docs/datasets.md says how answers are read). Both hold for these prompts.",
                "正确：答案准确的完整回复占全部已发请求；每个正确：全部请求的计入的时间除以正确答案数（答案如何识别见 docs/datasets.md）。两者只对这些提示成立。",
            )
            .to_owned(),
        );
    }
    let named = |row: &analysis::Row| target_name(row.target.as_str(), row.simulated);
    let checks: Vec<(String, &ModelCheck)> = table.rows.iter().filter_map(|row| Some((named(row), row.model.as_ref()?))).collect();
    lines.extend(same_model(&checks, lang));
    let mut claims = table.rows.iter().flat_map(|row| &row.claims);
    if claims.any(|check| matches!(check.verdict, ClaimVerdict::NotComparable { .. })) {
        lines.push(claims_not_comparable(table.basis, lang));
    }
    match Families::of(&manifest.targets) {
        Families::One => {}
        Families::Several => lines.push("Different models: speed only.".into()),
        Families::Unknown => lines.push("Perhaps different models (not every family is known): speed only.".into()),
    }
    let by_reqwest: Vec<&str> = manifest.targets.iter().filter(|t| t.transport == TransportKind::Reqwest).map(|t| t.id.as_str()).collect();
    if !by_reqwest.is_empty() {
        lines.push(format!("Read through reqwest, so user-space times (this client's delay is in them): {}.", by_reqwest.join(", ")));
    }
    if all_few(table) {
        lines.push("Fewer than five requests a target: too few for a figure.".into());
    }
    if (1..3).contains(&table.rounds) {
        lines.push("Fewer than three rounds: points only, which say nothing of who is faster.".into());
    }
    lines.extend(manifest.differences.iter().map(|difference| format!("Unequal: {difference}")));
    let tools: BTreeSet<String> =
        joined.runs.iter().map(|run| format!("{} {}", run.manifest.tool.name, run.manifest.tool.version)).collect();
    let mut made: Vec<String> = tools.into_iter().collect();
    made.extend(manifest.vantage.as_ref().map(|vantage| format!("measured from {vantage}")));
    made.push(format!("dataset {}", manifest.dataset.name));
    made.push(format!("seed {}", manifest.seed));
    made.push(format!(
        "{} {}",
        if joined.runs.len() < 2 { "run" } else { "runs" },
        joined.runs.iter().map(|run| run.manifest.run.as_str()).collect::<Vec<_>>().join(", ")
    ));
    lines.push(made.join(" · "));
    lines
}

fn basis_name(table: &TargetTable) -> String {
    match table.basis {
        Basis::Reported => "reported by the providers".into(),
        Basis::Reference => table.tokenizer.clone(),
        Basis::Chars => "characters".into(),
    }
}

/// From when to when: to the minute, or to the second where it was short; the day once where it is one.
fn period(span: analysis::Span) -> String {
    let clock = if span.to.duration_since(span.from).as_secs() < 600 { "%H:%M:%S" } else { "%H:%M" };
    let (from, to) = (span.from.strftime("%Y-%m-%d").to_string(), span.to.strftime("%Y-%m-%d").to_string());
    let until = if from == to { String::new() } else { format!("{to} ") };
    format!("{from} {} to {until}{} UTC", span.from.strftime(clock), span.to.strftime(clock))
}
