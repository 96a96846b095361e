//! The table of targets: one row a target.

use super::caption::caption;
use super::interval::explained;
use super::tables::cell_or;
use super::words::{model_differs, unread};
use super::{Cell, Column, Digits, Kind, Lang, Row, Table, Worded};
use crate::analysis::{self, Bar, COLUMNS, ClaimVerdict, Joined, Over, Remark, TargetTable};
use crate::metric::{Flag, Outcome, Unit, metric};
use crate::record::Manifest;
use crate::tokens::Basis;
use serde_json::json;
use std::collections::BTreeSet;

/// What stands behind a TTFT that may hold thinking.
const DAGGER: &str = "†";

/// The table of targets, with its caption.
pub fn targets(table: &TargetTable, joined: &Joined<'_>, lang: Lang) -> Table {
    let manifest = joined.manifest();
    let rows: Vec<Row> = table.rows.iter().map(|each| row(each, all_few(table), lang)).collect();
    let mut legend = legend(table, lang);
    legend.extend(explained(rows.iter(), table.confidence, lang));
    Table {
        lang,
        title: title(table, manifest, lang),
        columns: columns(table, lang),
        rows,
        warnings: table.warnings.iter().map(|warning| warning.words(lang)).collect(),
        caption: caption(table, joined, lang),
        legend,
        constants: vec![
            ("simulated".into(), table.scale.map_or_else(|| "no".into(), |scale| format!("scale {scale}"))),
            ("basis".into(), basis_name(table, Lang::En)),
            ("run".into(), joined.runs.iter().map(|run| run.manifest.run.as_str()).collect::<Vec<_>>().join(" ")),
        ],
        beside: vec![("client".into(), json!({ "diagnosis": table.diagnosis, "gate": joined.client }))],
    }
}

/// The title of whatever is made of a run; a simulated one says so, and on what scale.
pub(super) fn titled(words: &str, scale: Option<f64>, lang: Lang) -> String {
    match (scale, lang) {
        (Some(scale), Lang::En) => format!("SIMULATED providers (time scale {scale}×, times multiplied back) · {words}"),
        (Some(scale), Lang::Zh) => format!("模拟的服务商（时间缩放 {scale}×，所示时间已还原） · {words}"),
        (None, _) => words.to_owned(),
    }
}

/// A target's name in a table: a simulated one says so.
pub(super) fn target_name(target: &str, simulated: bool) -> String {
    if simulated && !target.starts_with("sim:") { format!("sim:{target}") } else { target.to_owned() }
}

fn title(table: &TargetTable, manifest: &Manifest, lang: Lang) -> String {
    let mut models: Vec<&str> = manifest.targets.iter().map(|target| target.model.as_str()).collect();
    models.sort_unstable();
    models.dedup();
    let colon = lang.say(": ", "：");
    let what = match (models.as_slice(), lang) {
        ([one], _) => format!("{}{colon}{one}", manifest.name),
        (many, Lang::En) => format!("{}: {} models", manifest.name, many.len()),
        (many, Lang::Zh) => format!("{}：{} 个模型", manifest.name, many.len()),
    };
    titled(&what, table.scale, lang)
}

/// Whether the dataset has exact answers, so that there are columns for them.
pub(super) fn is_graded(table: &TargetTable) -> bool {
    table.rows.iter().any(|row| row.graded.is_some())
}

fn columns(table: &TargetTable, lang: Lang) -> Vec<Column> {
    let unit = |unit: Unit| if table.basis == Basis::Chars { unit.symbol_in_chars() } else { unit.symbol() };
    let mut columns = vec![
        Column::new("target", lang.say("target", "对象"), Kind::Name),
        Column::new("success", lang.say("success", "成功率"), Kind::Count).unit("ok/sent").with_intervals(),
    ];
    for column in &COLUMNS {
        let of = metric(column.metric).map_or(Unit::Ratio, |metric| metric.unit);
        let seconds = of == Unit::Milliseconds && column.metric != "ttft";
        let digits = if of == Unit::Milliseconds && !seconds { Digits::Tenths } else { Digits::Three };
        let kind = Kind::Number { in_seconds: seconds, digits };
        columns.push(Column::new(column.name, head(column, lang), kind).unit(unit(of)).with_intervals());
    }
    if is_graded(table) {
        let seconds = Kind::Number { in_seconds: false, digits: Digits::Three };
        columns.push(Column::new("correct", lang.say("correct", "正确"), Kind::Count).unit("correct/sent").with_intervals());
        columns.push(Column::new("seconds_per_correct", lang.say("per correct", "每个正确"), seconds).unit("s").with_intervals());
    }
    columns
}

/// The head of a column: short, since nine of them stand beside each other.
fn head(column: &analysis::Column, lang: Lang) -> String {
    let name = match column.metric {
        "ttft" => lang.say("TTFT", "首字时延"),
        "ttfa" => lang.say("1st answer", "首答时延"),
        "reasoning_speed" => lang.say("reasoning", "推理速度"),
        "content_speed" => lang.say("content", "回答速度"),
        "overall_speed" => lang.say("overall", "总体速度"),
        "e2e" => lang.say("e2e", "用时"),
        other => other,
    };
    match column.over {
        Over::AllSent(p) if column.metric == "e2e" => format!("{name} p{:.0}", p * 100.0),
        _ => name.to_owned(),
    }
}

/// Whether every target has so few requests that the caption says it once for all.
pub(super) fn all_few(table: &TargetTable) -> bool {
    1 < table.rows.len() && table.rows.iter().all(|row| row.remarks.contains(&Remark::Few))
}

fn row(row: &analysis::Row, all_few: bool, lang: Lang) -> Row {
    let shy = row.remarks.iter().any(|remark| matches!(remark, Remark::Flag(Flag::Hidden | Flag::ThinkingUnknown, _)));
    let mut cells = vec![
        Cell::Text(target_name(row.target.as_str(), row.simulated)),
        Cell::Count { part: row.ok, of: row.sent, interval: row.success },
    ];
    for (column, cell) in COLUMNS.iter().zip(&row.cells) {
        let mark = if shy && column.metric == "ttft" { DAGGER } else { "" };
        cells.push(match cell {
            analysis::Cell::Value(value) => {
                Cell::Number { value: value.value, within: value.measured_within, interval: value.interval, mark }
            }
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
    let mut notes: Vec<String> = row
        .remarks
        .iter()
        .filter(|remark| !(all_few && **remark == Remark::Few || said_by_the_check(row, remark)))
        .map(|remark| remark.words(lang))
        .collect();
    notes.extend(row.graded.as_ref().and_then(|graded| unread(graded, lang)));
    let differs = row.model.as_ref().and_then(|check| model_differs(check, lang));
    notes.extend(differs.map(|found| Bar::ModelDiffers { found }.words(lang)));
    let comparable = row.claims.iter().filter(|check| !matches!(check.verdict, ClaimVerdict::NotComparable { .. }));
    notes.extend(comparable.map(|check| check.words(lang)));
    Row { notes, ..Row::new(cells) }
}

/// Whether the check of the model says the same with more weight.
fn said_by_the_check(row: &analysis::Row, remark: &Remark) -> bool {
    let found = row.model.iter().flat_map(|check| check.verdict.found());
    matches!(remark, Remark::CountsDiffer { .. })
        && found.into_iter().any(|found| matches!(found, analysis::ModelDifference::Counts { .. }))
}

/// The meaning of the marks and flags that occur.
fn legend(table: &TargetTable, lang: Lang) -> Vec<String> {
    let remarks = || table.rows.iter().flat_map(|row| &row.remarks);
    let flags: BTreeSet<Flag> =
        remarks().filter_map(|remark| if let Remark::Flag(flag, _) = remark { Some(*flag) } else { None }).collect();
    let outcomes: BTreeSet<Outcome> =
        remarks().filter_map(|remark| if let Remark::Outcome(outcome, _) = remark { Some(*outcome) } else { None }).collect();
    let mut lines = Vec::new();
    if flags.contains(&Flag::Hidden) || flags.contains(&Flag::ThinkingUnknown) {
        let words =
            lang.say("this TTFT may include thinking that was not shown: not comparable", "该首字时延可能包含没有输出的思考：不可比");
        lines.push(format!("{DAGGER} {words}"));
    }
    let colon = lang.say(": ", "：");
    lines.extend(outcomes.iter().map(|outcome| format!("{}{colon}{}", outcome.name(), outcome.words(lang))));
    lines.extend(flags.iter().map(|flag| format!("{}{colon}{}", flag.name(), flag.words(lang))));
    lines
}

pub(super) fn basis_name(table: &TargetTable, lang: Lang) -> String {
    match table.basis {
        Basis::Reported => lang.say("reported by the providers", "服务商上报").into(),
        Basis::Reference => table.tokenizer.clone(),
        Basis::Chars => lang.say("characters", "字符").into(),
    }
}
