//! The caption of the table of targets: how it was made, line by line.

use super::targets::{all_few, basis_name, is_graded, target_name};
use super::words::calibration::calibrated;
use super::words::{claims_not_comparable, same_model};
use super::{Digits, Lang, Worded, shown};
use crate::analysis::{self, ClaimVerdict, Families, Joined, ModelCheck, Span, TargetTable};
use crate::record::{Manifest, TransportKind};
use std::collections::BTreeSet;

pub(super) fn caption(table: &TargetTable, joined: &Joined<'_>, lang: Lang) -> Vec<String> {
    let manifest = joined.manifest();
    let mut lines = vec![extent(table, joined, lang)];
    lines.push(
        lang.say(
            "Times are quantiles over all requests sent (TTFT and first answer: p50); a failure never arrives. Speeds are medians over good replies.",
            "时间是全部已发请求的分位数（首字、首答为 p50），失败的请求视为永远未达到；用时是从发出请求到最后一段文本到达。速度是成功回复的中位数。",
        )
        .into(),
    );
    let (basis, because) = (basis_name(table, lang), table.basis_because.words(lang));
    lines.push(match lang {
        Lang::En => format!("Token basis: {basis} ({because})."),
        Lang::Zh => format!("token 计数口径：{basis}（{because}）。"),
    });
    if let Some(scale) = table.scale.filter(|scale| 1.0 < *scale) {
        lines.push(match lang {
            Lang::En => format!("Simulated at {scale}×: each millisecond of this machine's own delay counts as {scale} ms."),
            Lang::Zh => format!("以 {scale} 倍速模拟：本机自身每 1 ms 的延迟都算作 {scale} ms。"),
        });
    }
    if is_graded(table) {
        let words = "Correct: complete replies with the exact answer, of all requests sent; per correct: charged time of all requests over \
                     correct answers (docs/datasets.md says how answers are read). Both hold for these prompts.";
        let zh = "正确：答案准确的完整回复占全部已发请求；每个正确：全部请求的计入的时间除以正确答案数（答案如何识别见 docs/datasets.md）。两者只对这些提示成立。";
        lines.push(lang.say(words, zh).into());
    }
    let named = |row: &analysis::Row| target_name(row.target.as_str(), row.simulated);
    let checks: Vec<(String, &ModelCheck)> = table.rows.iter().filter_map(|row| Some((named(row), row.model.as_ref()?))).collect();
    lines.extend(same_model(&checks, lang));
    let mut claims = table.rows.iter().flat_map(|row| &row.claims);
    if claims.any(|check| matches!(check.verdict, ClaimVerdict::NotComparable { .. })) {
        lines.push(claims_not_comparable(table.basis, lang));
    }
    lines.extend(families(manifest, lang));
    let by_reqwest = manifest.targets.iter().filter(|target| target.transport == TransportKind::Reqwest).map(|target| target.id.as_str());
    let by_reqwest = lang.list(by_reqwest);
    if !by_reqwest.is_empty() {
        lines.push(match lang {
            Lang::En => format!("Read through reqwest, so user-space times (this client's delay is in them): {by_reqwest}."),
            Lang::Zh => format!("经 reqwest 读取，因此是用户态时间（含本客户端的延迟）：{by_reqwest}。"),
        });
    }
    let stop = lang.say(".", "。");
    lines.extend(table.diagnosis.iter().map(|diagnosis| format!("{}{stop}", diagnosis.words(lang))));
    lines.extend(table.held.iter().map(|held| format!("{}{stop}", held.words(lang))));
    if all_few(table) {
        lines.push(lang.say("Fewer than five requests a target: too few for a figure.", "每个对象的请求不足五个：不足以给出数值。").into());
    }
    if (1..3).contains(&table.rounds) {
        let words = "Fewer than three rounds: points only, which say nothing of who is faster.";
        lines.push(lang.say(words, "不足三轮：只有点估计，不能说明谁更快。").into());
    }
    if 3 <= table.rounds {
        lines.push(worth(lang).into());
    }
    let unequal = lang.say("Unequal: ", "条件不一致：");
    lines.extend(manifest.differences.iter().map(|difference| format!("{unequal}{}", difference.words(lang))));
    lines.extend(calibrated(manifest, lang));
    lines.push(made(joined, lang));
    lines
}

/// What is known of the intervals' own error rates.
pub(super) const fn worth(lang: Lang) -> &'static str {
    lang.say(
        "What intervals are worth is simulated, and not yet checked on months of real providers (docs/method.md).",
        "区间的可靠程度出自模拟，尚未用真实服务商数月的数据检验（docs/method.md）。",
    )
}

/// How much was measured, and when.
fn extent(table: &TargetTable, joined: &Joined<'_>, lang: Lang) -> String {
    let sent = table.rows.iter().map(|row| row.sent);
    let n = match (sent.clone().min(), sent.max()) {
        (Some(least), Some(most)) if least < most => Some(format!("{least}–{most}")),
        (Some(n), _) => Some(n.to_string()),
        _ => None,
    };
    let planned = joined.manifest().design.rounds as usize * joined.runs.len();
    let (rounds, blocks, limit) = (table.rounds, table.blocks, shown(table.limit_s, Digits::Three));
    let span = table.span.map_or_else(|| lang.say("no time", "没有时间").to_owned(), |span| period(span, lang));
    match lang {
        Lang::En => {
            let n = n.map_or_else(|| "no requests".to_owned(), |n| format!("n = {n} requests a target"));
            format!("{n} · {rounds} of {planned} planned rounds, {blocks} blocks · {span} · limit T = {limit} s")
        }
        Lang::Zh => {
            let n = n.map_or_else(|| "没有请求".to_owned(), |n| format!("每个对象 n = {n} 个请求"));
            format!("{n} · 计划 {planned} 轮，实得 {rounds} 轮，{blocks} 个区组 · {span} · 时限 T = {limit} s")
        }
    }
}

/// Whether the models may be compared in more than speed.
fn families(manifest: &Manifest, lang: Lang) -> Option<String> {
    let words = match Families::of(&manifest.targets) {
        Families::One => return None,
        Families::Several => lang.say("Different models: speed only.", "模型不同：只比较速度。"),
        Families::Unknown => lang
            .say("Perhaps different models (not every family is known): speed only.", "模型可能不同（并非每个家族都已知）：只比较速度。"),
    };
    Some(words.to_owned())
}

/// By what it was made: tool, place, dataset, seed, runs.
fn made(joined: &Joined<'_>, lang: Lang) -> String {
    let manifest = joined.manifest();
    let tools: BTreeSet<String> =
        joined.runs.iter().map(|run| format!("{} {}", run.manifest.tool.name, run.manifest.tool.version)).collect();
    let mut made: Vec<String> = tools.into_iter().collect();
    made.extend(manifest.vantage.as_ref().map(|place| format!("{} {place}", lang.say("measured from", "测自"))));
    made.push(format!("{} {}", lang.say("dataset", "数据集"), manifest.dataset.name));
    made.push(format!("{} {}", lang.say("seed", "种子"), manifest.seed));
    let runs = if joined.runs.len() < 2 { lang.say("run", "运行") } else { lang.say("runs", "运行") };
    made.push(format!("{runs} {}", lang.list(joined.runs.iter().map(|run| run.manifest.run.as_str()))));
    made.join(" · ")
}

/// From when to when: to the minute, or to the second where it was short; the day once where it is one.
pub(super) fn period(span: Span, lang: Lang) -> String {
    let clock = if span.to.duration_since(span.from).as_secs() < 600 { "%H:%M:%S" } else { "%H:%M" };
    let (from, to) = (span.from.strftime("%Y-%m-%d").to_string(), span.to.strftime("%Y-%m-%d").to_string());
    let until = if from == to { String::new() } else { format!("{to} ") };
    format!("{from} {} {} {until}{} UTC", span.from.strftime(clock), lang.say("to", "至"), span.to.strftime(clock))
}
