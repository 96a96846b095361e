//! Comparisons: a sentence a pair, and the figures that it rests on.

use super::made::Reading;
use super::tables::{Tables, cell, ends, figure, figure_or_null, p_cell};
use super::targets::target_name;
use super::{Cell, Column, Digits, Kind, Lang, Row, Table, Worded, sentence};
use crate::analysis::{AccuracyDifference, Comparison, Comparisons, Contestant, Panel, Quantity, SuccessDifference, WhyNot};
use crate::stats::Estimate;
use serde_json::{Value, json};

/// The views of comparisons, one of each quantity, with the panel that they were made of.
pub fn comparisons(reading: &Reading<'_>, compared: &[(Panel, Comparisons)]) -> Tables {
    Tables {
        shared: reading.shared(compared.first().map(|(panel, _)| panel), compared.first().map(|(_, made)| &made.judging)),
        people: compared.iter().map(|(_, comparisons)| for_people(reading, comparisons)).collect(),
        list: list(reading, compared),
        full: compared.iter().map(|(_, comparisons)| in_full(reading, comparisons)).collect(),
    }
}

fn for_people(reading: &Reading<'_>, comparisons: &Comparisons) -> Table {
    let lang = reading.lang;
    let ratio = Kind::Number { in_seconds: false, digits: Digits::Three };
    let mut columns = vec![
        Column::new("pair", lang.say("pair", "对象"), Kind::Name),
        Column::new("ratio", lang.say("time ×", "用时 ×"), ratio).with_intervals(),
        Column::new("p_holm", lang.say("p (Holm)", "p（Holm）"), Kind::Number { in_seconds: false, digits: Digits::Three }),
        Column::new("p50", "p50 ×", ratio).with_intervals(),
        Column::new("p95", "p95 ×", ratio).with_intervals(),
        Column::new("won", lang.say("ahead %", "领先 %"), ratio).with_intervals(),
        Column::new("success", lang.say("success diff. %", "成功率差 %"), ratio).with_intervals(),
    ];
    let graded = is_graded(comparisons);
    if graded {
        columns.push(Column::new("accuracy", lang.say("correct diff. %", "正确率差 %"), ratio).with_intervals());
        columns.push(Column::new("accuracy_p", lang.say("p (McNemar)", "p（McNemar）"), ratio));
    }
    columns.push(Column::new("rounds", lang.say("rounds", "轮数"), Kind::Number { in_seconds: false, digits: Digits::Whole }));
    columns.push(Column::new("verdict", lang.say("verdict", "结论"), Kind::Sentence));
    let row = |comparison: &Comparison| {
        let names = [name(&comparison.first), name(&comparison.second)];
        let words = sentence(comparison, comparisons.quantity, comparisons.judging.delta, lang);
        let of = |figure: &Result<Estimate, WhyNot>| of_figure(figure, lang);
        let mut cells = vec![
            Cell::text(names.join(lang.say(" against ", " 对 "))),
            of(&comparison.ratio),
            p_cell(comparison.p_holm),
            of(&comparison.p50),
            of(&comparison.p95),
            of(&comparison.first_won.map(|won| scaled(won, 100.0))),
            success_cell(comparison.success.as_ref()),
        ];
        if graded {
            cells.push(accuracy_cell(comparison.accuracy.as_ref(), 100.0));
            cells.push(p_cell(comparison.accuracy.map(|accuracy| accuracy.p)));
        }
        cells.push(Cell::number(comparison.rounds as f64));
        cells.push(Cell::Text(words));
        Row::new(cells)
    };
    Table {
        lang,
        title: title(reading, comparisons),
        columns,
        rows: comparisons.comparisons.iter().map(row).collect(),
        legend: legend(comparisons, lang),
        caption: reading.own(comparisons.quantity, comparisons.family),
        constants: reading.constants(),
        ..Table::default()
    }
}

fn title(reading: &Reading<'_>, comparisons: &Comparisons) -> String {
    let (what, lang) = (comparisons.quantity.words(reading.lang), reading.lang);
    let of = match (&comparisons.baseline, lang) {
        (Some(baseline), Lang::En) => format!("{what}, each against {baseline}"),
        (Some(baseline), Lang::Zh) => format!("{what}，各对象与 {baseline} 比较"),
        (None, Lang::En) => format!("{what}, every pair"),
        (None, Lang::Zh) => format!("{what}，两两比较"),
    };
    reading.title(&of)
}

fn legend(comparisons: &Comparisons, lang: Lang) -> Vec<String> {
    let rate = comparisons.quantity.is_rate();
    let over = match (rate, lang) {
        (false, Lang::En) => "×: the first one's time over the second's, failures charged the limit T; geometric mean over rounds.",
        (false, Lang::Zh) => "×：前者用时与后者之比，失败按时限 T 计；各轮的几何平均。",
        (true, Lang::En) => {
            "×: the first one's time per token over the second's, failures charged the limit T over the usual tokens; below 1 the first is faster."
        }
        (true, Lang::Zh) => "×：前者每个 token 的用时与后者之比，失败按时限 T 除以通常的 token 数计；小于 1 表示前者更快。",
    };
    let quantiles = match (rate, lang) {
        (false, Lang::En) => {
            "p50, p95 ×: ratio of quantiles over all requests sent (type 7, so it need not be the quotient of printed figures; rounds drawn \
             anew 9999 times)."
        }
        (false, Lang::Zh) => "p50、p95 ×：全部已发请求的分位数之比（第 7 类分位数，因此未必等于表中数字之商；以轮为单位重抽样 9999 次）。",
        (true, Lang::En) => {
            "p50, p95 ×: ratio of quantiles of the time per token over good replies (type 7; rounds drawn anew 9999 times)."
        }
        (true, Lang::Zh) => "p50、p95 ×：成功回复中每个 token 用时的分位数之比（第 7 类分位数；以轮为单位重抽样 9999 次）。",
    };
    let shares = lang.say(
        "ahead: share of blocks in which the first was faster (a failure loses, two fail ½); success: first less second, in points.",
        "领先：前者更快的区组所占比例（失败即为输，双双失败各计 ½）；成功率：前者减后者，百分点。",
    );
    let mut lines: Vec<String> = match comparisons.quantity {
        // Only whole rounds have it: there are no quantiles, and nobody is ahead in a block.
        Quantity::SecondsPerCorrect => vec![
            lang.say(
                "×: the first one's charged seconds of all requests per correct answer over the second's.",
                "×：前者与后者每个正确答案所用时间之比（全部请求计入的时间除以正确答案数）。",
            )
            .into(),
        ],
        _ => vec![over.into(), quantiles.into(), shares.into()],
    };
    if is_graded(comparisons) {
        lines.push(
            lang.say(
                "correct: share of requests with the exact answer, first less second, in points (Newcombe), and McNemar's exact p over \
                 the same blocks, not adjusted; for these prompts.",
                "正确率：准确答案占请求的比例，前者减后者，百分点（Newcombe 法）；McNemar 精确检验的 p 出自相同区组，未作校正；只对这些提示成立。",
            )
            .into(),
        );
    }
    lines
}

fn name(one: &Contestant) -> String {
    target_name(one.target.as_str(), one.simulated)
}

fn of_figure(figure: &Result<Estimate, WhyNot>, lang: Lang) -> Cell {
    match figure {
        Ok(estimate) => cell(estimate),
        Err(why) => Cell::Missing(why.words(lang)),
    }
}

fn scaled(estimate: Estimate, by: f64) -> Estimate {
    let point = estimate.point.finite().map_or(estimate.point, |point| crate::stats::Extended::Finite(point * by));
    Estimate { point, interval: estimate.interval.map(|interval| interval.map(|end| end * by)), n: estimate.n }
}

/// The difference of success rates, in points.
fn success_cell(success: Option<&SuccessDifference>) -> Cell {
    let Some(success) = success else { return Cell::Missing(String::new()) };
    match success.difference {
        Some(difference) => Cell::estimate(difference.difference * 100.0, Some(difference.interval.map(|end| end * 100.0))),
        None => Cell::number((success.first.share - success.second.share) * 100.0),
    }
}

/// Whether the dataset has exact answers.
fn is_graded(comparisons: &Comparisons) -> bool {
    comparisons.comparisons.iter().any(|comparison| comparison.accuracy.is_some())
}

/// The difference of shares of correct answers, times `by`.
fn accuracy_cell(accuracy: Option<&AccuracyDifference>, by: f64) -> Cell {
    let Some(accuracy) = accuracy else { return Cell::Missing(String::new()) };
    match accuracy.difference {
        Some(difference) => Cell::estimate(difference.difference * by, Some(difference.interval.map(|end| end * by))),
        None => Cell::number((accuracy.first.share - accuracy.second.share) * by),
    }
}

/// All pairs of all quantities as one list.
fn list(reading: &Reading<'_>, compared: &[(Panel, Comparisons)]) -> Table {
    let number = Kind::Number { in_seconds: false, digits: Digits::Three };
    let plain = |name: &str| Column::new(name, name, number);
    let columns = vec![
        Column::new("metric", "metric", Kind::Words),
        Column::new("first", "first", Kind::Name),
        Column::new("second", "second", Kind::Words),
        plain("rounds"),
        plain("blocks"),
        plain("time_ratio").with_intervals(),
        plain("p"),
        plain("p_holm"),
        plain("sd_log"),
        plain("r1_corrected"),
        plain("n_eff"),
        plain("p50_ratio").with_intervals(),
        plain("p95_ratio").with_intervals(),
        plain("first_won").with_intervals(),
        plain("success_first"),
        plain("success_second"),
        plain("success_difference").with_intervals(),
        plain("mcnemar_p"),
        plain("correct_first"),
        plain("correct_second"),
        plain("correct_difference").with_intervals(),
        plain("correct_mcnemar_p"),
        Column::new("verdict", "verdict", Kind::Words),
        Column::new("sentence", "sentence", Kind::Words),
    ];
    let row = |comparisons: &Comparisons, comparison: &Comparison| {
        let optional = |value: Option<f64>| value.map_or_else(|| Cell::Missing(String::new()), Cell::number);
        let of = |figure: &Result<Estimate, WhyNot>| of_figure(figure, Lang::En);
        let success = comparison.success.as_ref();
        let difference = success.and_then(|success| success.difference);
        Row::new(vec![
            Cell::text(comparisons.quantity.name()),
            Cell::Text(name(&comparison.first)),
            Cell::Text(name(&comparison.second)),
            Cell::number(comparison.rounds as f64),
            Cell::number(comparison.blocks as f64),
            of(&comparison.ratio),
            optional(comparison.p),
            optional(comparison.p_holm),
            optional(comparison.sd),
            optional(comparison.r1_corrected),
            optional(comparison.n_eff),
            of(&comparison.p50),
            of(&comparison.p95),
            of(&comparison.first_won),
            optional(success.map(|success| success.first.share)),
            optional(success.map(|success| success.second.share)),
            difference.map_or_else(|| Cell::Missing(String::new()), |found| Cell::estimate(found.difference, Some(found.interval))),
            optional(success.and_then(|success| success.mcnemar).map(|(_, _, p)| p)),
            optional(comparison.accuracy.map(|accuracy| accuracy.first.share)),
            optional(comparison.accuracy.map(|accuracy| accuracy.second.share)),
            accuracy_cell(comparison.accuracy.as_ref(), 1.0),
            optional(comparison.accuracy.map(|accuracy| accuracy.p)),
            Cell::text(word(comparison)),
            Cell::Text(sentence(comparison, comparisons.quantity, comparisons.judging.delta, reading.lang)),
        ])
    };
    let rows =
        compared.iter().flat_map(|(_, comparisons)| comparisons.comparisons.iter().map(|each| row(comparisons, each)).collect::<Vec<_>>());
    Table { columns, rows: rows.collect(), constants: reading.constants(), ..Table::default() }
}

/// The verdict's name in files.
fn word(comparison: &Comparison) -> String {
    serde_json::to_value(&comparison.verdict).ok().and_then(|verdict| Some(verdict.get("word")?.as_str()?.to_owned())).unwrap_or_default()
}

fn in_full(reading: &Reading<'_>, comparisons: &Comparisons) -> Value {
    let table = for_people(reading, comparisons);
    let mut whole = json!({
        "metric": comparisons.quantity.name(),
        "title": table.title,
        "confidence": comparisons.judging.confidence.share(),
        "delta": comparisons.judging.delta,
        "baseline": comparisons.baseline,
        "family": comparisons.family,
        "ratio_of": "time of first / time of second, failures charged; geometric mean over rounds",
        "comparisons": comparisons.comparisons.iter().map(|comparison| {
            let sentence = sentence(comparison, comparisons.quantity, comparisons.judging.delta, reading.lang);
            of_comparison(comparison, sentence)
        }).collect::<Vec<_>>(),
        "legend": table.legend,
        "caption": table.caption,
    });
    for (name, value) in table.constants {
        whole[name] = json!(value);
    }
    whole
}

fn of_comparison(comparison: &Comparison, sentence: String) -> Value {
    let of = |estimate: &Result<Estimate, WhyNot>| match estimate {
        Ok(estimate) => figure(estimate),
        Err(why) => json!({ "missing": why.words(Lang::En) }),
    };
    let sensitivity = &comparison.sensitivity;
    json!({
        "first": name(&comparison.first),
        "second": name(&comparison.second),
        "verdict": verdict(&comparison.verdict),
        "riders": comparison.riders,
        "sentence": sentence,
        "rounds": comparison.rounds,
        "blocks": comparison.blocks,
        "ratio": of(&comparison.ratio),
        "p": comparison.p,
        "p_holm": comparison.p_holm,
        "sd_log": comparison.sd,
        "r1_corrected": comparison.r1_corrected,
        "n_eff": comparison.n_eff,
        "p50_ratio": of(&comparison.p50),
        "p95_ratio": of(&comparison.p95),
        "first_won": of(&comparison.first_won),
        "success": comparison.success.as_ref().map(success),
        "correct": comparison.accuracy.as_ref().map(accuracy),
        "bars": { "first": comparison.first.bars, "second": comparison.second.bars },
        "sensitivity": {
            "answered_only_ratio": figure_or_null(sensitivity.answered_only.as_ref()),
            "without_rate_limited_ratio": figure_or_null(sensitivity.without_rate_limited.as_ref()),
            "sign_flip": sensitivity.sign_flip,
            "hodges_lehmann_ratio": figure_or_null(sensitivity.hodges_lehmann.as_ref()),
            "p50_ratio_expanded": figure_or_null(sensitivity.p50_expanded.as_ref()),
            "p95_ratio_expanded": figure_or_null(sensitivity.p95_expanded.as_ref()),
        },
    })
}

/// A verdict in full, its interval as two ends.
fn verdict(verdict: &crate::analysis::Verdict) -> Value {
    use crate::analysis::Verdict;
    let mut value = serde_json::to_value(verdict).unwrap_or_default();
    match verdict {
        Verdict::Faster { ratio, .. }
        | Verdict::FasterWithinBand { ratio, .. }
        | Verdict::PracticallyEqual { ratio }
        | Verdict::NotShown { ratio } => value["ratio"] = json!({ "value": ratio.point, "interval": ends(&ratio.interval) }),
        Verdict::NotRanked { charged, left_out } => {
            value["charged"] = self::verdict(charged);
            value["left_out"] = self::verdict(left_out);
        }
        _ => {}
    }
    value
}

fn accuracy(accuracy: &AccuracyDifference) -> Value {
    let share = |share: &crate::stats::ClusteredShare| json!({ "correct": share.successes, "sent": share.n, "share": share.share, "n_eff": share.n_eff, "interval": ends(&share.interval) });
    json!({
        "first": share(&accuracy.first),
        "second": share(&accuracy.second),
        "difference": accuracy.difference.map(|found| json!({ "value": found.difference, "interval": ends(&found.interval) })),
        "mcnemar": json!({ "only_first": accuracy.only_first, "only_second": accuracy.only_second, "p": accuracy.p }),
    })
}

fn success(success: &SuccessDifference) -> Value {
    let share = |share: &crate::stats::ClusteredShare| json!({ "ok": share.successes, "sent": share.n, "share": share.share, "n_eff": share.n_eff, "interval": ends(&share.interval) });
    json!({
        "first": share(&success.first),
        "second": share(&success.second),
        "difference": success.difference.map(|found| json!({ "value": found.difference, "interval": ends(&found.interval) })),
        "mcnemar": success.mcnemar.map(|(only_first, only_second, p)| json!({ "only_first": only_first, "only_second": only_second, "p": p })),
    })
}
