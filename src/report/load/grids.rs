//! The narrow tables: latency and success, first texts, throughput, and two targets against each other.

use super::LoadReading;
use crate::analysis::load::{Crossover, DuelWord, Figure, Measure, NoFigure, StageFigures, Success};
use crate::record::{Condition, Looked, Offered, TimeOf};
use crate::report::words::load::{number, stage};
use crate::report::{Cell, Column, Digits, Kind, Lang, Row, Table, Worded};
use crate::stats::Extended;

/// Stands behind a stage at which this client was at its limit.
pub(super) const CLIENT: &str = "‡";

/// All tables of a run, for people.
pub(super) fn grids(reading: &LoadReading<'_>) -> Vec<Table> {
    let lang = reading.lang;
    let has = |measure: Measure| reading.table.stages.iter().any(|stage| stage.figure(measure).is_some_and(|figure| figure.point.is_ok()));
    let latency = [Measure::LatencyMean, Measure::LatencyP50, Measure::LatencyP95, Measure::LatencyP99];
    let mut first = vec![Measure::TtftP50, Measure::TtftP95, Measure::TtfaP50];
    first.extend(speaks_of(reading.table.slo.as_deref(), TimeOf::Tpot).then_some(Measure::TpotP95));
    let mut throughput = vec![Measure::Rps];
    throughput.extend(reading.table.slo.is_some().then_some(Measure::Goodput));
    throughput.push(Measure::SystemSpeed);
    throughput.extend(has(Measure::ReasoningSpeed).then_some(Measure::ReasoningSpeed));
    throughput.push(Measure::ContentSpeed);
    let mut tables = vec![
        by_stage(reading, lang.say("Success and latency", "成功与时延"), &[Extra::Success], &latency, &[]),
        by_stage(
            reading,
            lang.say("First text, silence, and this client's own delay", "首字、停顿与本客户端的滞后"),
            &[],
            &first,
            &[Extra::Stalls, Extra::SendLag],
        ),
        by_stage(reading, lang.say("Throughput, and the speed of one stream", "吞吐与单流速度"), &[], &throughput, &[Extra::Window]),
    ];
    tables.extend(pairs(reading));
    tables
}

/// Whether a service level speaks of a time.
fn speaks_of(slo: Option<&[Condition]>, time: TimeOf) -> bool {
    slo.is_some_and(|slo| slo.iter().any(|condition| matches!(condition.of, Looked::Time(of, _) if of == time)))
}

/// What is no measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extra {
    /// Good replies of those sent.
    Success,
    /// Good replies that fell silent.
    Stalls,
    /// How late requests left, 99th percentile.
    SendLag,
    /// In how much time rates were counted, all passes together.
    Window,
}

impl Extra {
    pub(super) fn column(self, lang: Lang) -> Column {
        let number = |digits| Kind::Number { in_seconds: false, digits };
        match self {
            Extra::Success => Column::new("success", lang.say("success", "成功"), Kind::Count).unit("ok/sent").with_intervals(),
            Extra::Stalls => Column::new("stalls", lang.say("stalled", "停顿"), Kind::Count).unit("stalled/ok"),
            Extra::SendLag => Column { kind: number(Digits::Tenths), ..measure_column(Measure::SendLagP99, lang, "") },
            Extra::Window => Column::new("window_s", lang.say("window", "窗口"), number(Digits::Three)).unit("s"),
        }
    }

    pub(super) fn cell(self, stage: &StageFigures, lang: Lang) -> Cell {
        match self {
            Extra::Success => success(&stage.success, lang),
            Extra::Stalls => match &stage.stalls {
                Ok(stalls) => Cell::Count { part: stalls.replies, of: stalls.good, interval: None },
                Err(why) => Cell::Missing(why.words(lang)),
            },
            // How late it is matters here, not how sure that is.
            Extra::SendLag => match figure_cell(stage.figure(Measure::SendLagP99), lang) {
                Cell::Number { value, .. } => Cell::number(value),
                other => other,
            },
            Extra::Window => match window(stage) {
                Some(seconds) => Cell::number(seconds),
                None => Cell::Missing(lang.say("no window", "没有统计窗口").into()),
            },
        }
    }
}

/// The windows of all passes together, s.
pub(super) fn window(stage: &StageFigures) -> Option<f64> {
    let windows: Vec<f64> = stage.cells.iter().filter_map(|cell| Some(cell.window.as_ref().ok()?.seconds)).collect();
    (!windows.is_empty()).then(|| windows.iter().sum())
}

fn success(success: &Result<Success, NoFigure>, lang: Lang) -> Cell {
    match success {
        Ok(success) => Cell::Count { part: success.good, of: success.sent, interval: success.interval.ok() },
        Err(why) => Cell::Missing(why.words(lang)),
    }
}

fn by_stage(reading: &LoadReading<'_>, title: &str, before: &[Extra], measures: &[Measure], after: &[Extra]) -> Table {
    let lang = reading.lang;
    let mut columns = vec![stage_column(reading)];
    columns.extend(before.iter().map(|extra| extra.column(lang)));
    columns.extend(measures.iter().map(|measure| measure_column(*measure, lang, reading.speed())));
    columns.extend(after.iter().map(|extra| extra.column(lang)));
    let cells = |stage: &StageFigures| {
        let mut cells: Vec<Cell> = before.iter().map(|extra| extra.cell(stage, lang)).collect();
        cells.extend(measures.iter().map(|measure| figure_cell(stage.figure(*measure), lang)));
        cells.extend(after.iter().map(|extra| extra.cell(stage, lang)));
        cells
    };
    Table { lang, title: title.to_owned(), columns, rows: rows(reading, cells), ..Table::default() }
}

/// A row a stage, target by target, each target under a line with its name where there are several.
pub(super) fn rows(reading: &LoadReading<'_>, cells: impl Fn(&StageFigures) -> Vec<Cell>) -> Vec<Row> {
    let (names, mut rows) = (reading.names(), Vec::new());
    for (target, name) in names.iter().enumerate() {
        let of = reading.table.stages.iter().filter(|stage| stage.target == target);
        for (i, stage) in of.enumerate() {
            let mut all = vec![stage_cell(reading, &stage.offered, !stage.client.is_empty())];
            all.extend(cells(stage));
            let line_above = (i == 0 && 1 < names.len()).then(|| name.clone());
            rows.push(Row { line_above, ..Row::new(all) });
        }
    }
    rows
}

/// The head of the stages.
pub(super) fn stage_column(reading: &LoadReading<'_>) -> Column {
    let lang = reading.lang;
    let users = |offered: &Offered| matches!(offered, Offered::Users { .. });
    let stages = &reading.table.design.stages;
    match (stages.iter().all(users), stages.iter().any(users)) {
        (true, _) => Column::new("users", lang.say("users", "并发数"), Kind::Name),
        (_, false) => Column::new("arrivals", lang.say("arrivals", "到达率"), Kind::Name).unit("/s"),
        _ => Column::new("load", lang.say("load", "负载"), Kind::Name),
    }
}

/// A stage's name, padded so that all numbers end below each other.
pub(super) fn stage_cell(reading: &LoadReading<'_>, offered: &Offered, client: bool) -> Cell {
    let stages = &reading.table.design.stages;
    let users = |offered: &Offered| matches!(offered, Offered::Users { .. });
    let mixed = !stages.iter().all(users) && stages.iter().any(users);
    let name = |offered: &Offered| if mixed { stage(offered, reading.lang) } else { number(load_of(offered)) };
    let widest = stages.iter().map(|offered| name(offered).chars().count()).max().unwrap_or(0);
    let mark = if client { CLIENT } else { "" };
    let name = name(offered);
    if mixed { Cell::text(format!("{name}{mark}")) } else { Cell::text(format!("{name:>widest$}{mark}")) }
}

/// Users, or arrivals a second.
pub(super) fn load_of(offered: &Offered) -> f64 {
    offered.size()
}

/// A figure or a reason as a cell.
pub(super) fn figure_cell(figure: Option<&Figure>, lang: Lang) -> Cell {
    let Some(figure) = figure else { return Cell::Missing(NoFigure::NotMeasured.words(lang)) };
    match figure.point {
        Ok(Extended::Finite(value)) => Cell::estimate(value, figure.interval.ok()),
        Ok(Extended::Never) => Cell::Never { interval: figure.interval.ok() },
        Err(why) => Cell::Missing(why.words(lang)),
    }
}

/// A measure's column. Files hold milliseconds; people are shown seconds.
pub(super) fn measure_column(measure: Measure, lang: Lang, speed: &str) -> Column {
    let (en, zh, unit) = match measure {
        Measure::Rps => ("RPS", "RPS", "/s"),
        Measure::Goodput => ("goodput", "达标吞吐", "/s"),
        Measure::SystemSpeed => ("system", "系统速度", speed),
        Measure::LatencyMean => ("mean", "平均时延", "ms"),
        Measure::LatencyP50 => ("p50", "p50", "ms"),
        Measure::LatencyP95 => ("p95", "p95", "ms"),
        Measure::LatencyP99 => ("p99", "p99", "ms"),
        Measure::TtftMean => ("mean TTFT", "平均首字", "ms"),
        Measure::TtftP50 => ("TTFT p50", "首字 p50", "ms"),
        Measure::TtftP95 => ("TTFT p95", "首字 p95", "ms"),
        Measure::TtftP99 => ("TTFT p99", "首字 p99", "ms"),
        Measure::TtfaP50 => ("1st answer", "首答 p50", "ms"),
        Measure::TtfaP95 => ("1st answer p95", "首答 p95", "ms"),
        Measure::TpotP50 => ("TPOT p50", "TPOT p50", "ms"),
        Measure::TpotP95 => ("TPOT p95", "TPOT p95", "ms"),
        Measure::ReasoningSpeed => ("reasoning", "推理速度", speed),
        Measure::ContentSpeed => ("content", "回答速度", speed),
        Measure::OverallSpeed => ("overall", "总体速度", speed),
        Measure::SendLagP50 => ("send lag p50", "滞后 p50", "ms"),
        Measure::SendLagP99 => ("send lag", "发送滞后", "ms"),
    };
    // A token's time and this client's own delay are small: milliseconds fit them.
    let small = matches!(measure, Measure::TpotP50 | Measure::TpotP95 | Measure::SendLagP50 | Measure::SendLagP99);
    let kind = Kind::Number { in_seconds: unit == "ms" && !small, digits: Digits::Three };
    Column::new(measure.name(), lang.say(en, zh), kind).unit(unit).with_intervals()
}

/// A table a pair of targets: the ratio of their times at each stage, and who is called faster.
fn pairs(reading: &LoadReading<'_>) -> Vec<Table> {
    let crossovers = &reading.table.crossovers;
    let mut pairs: Vec<(usize, usize)> = crossovers.iter().map(|of| (of.first, of.second)).collect();
    pairs.dedup();
    let of = |pair: (usize, usize)| crossovers.iter().filter(|of| (of.first, of.second) == pair).collect::<Vec<_>>();
    pairs.into_iter().map(|pair| pair_table(reading, pair, &of(pair))).collect()
}

fn pair_table(reading: &LoadReading<'_>, (first, second): (usize, usize), of: &[&Crossover]) -> Table {
    let (lang, names) = (reading.lang, reading.names());
    let plain = Kind::Number { in_seconds: false, digits: Digits::Three };
    let mut columns = vec![stage_column(reading)];
    for crossover in of {
        let name = by_name(crossover);
        columns.push(Column::new(format!("{name}_ratio"), short(crossover, lang), plain).unit("×").with_intervals());
        columns.push(Column::new(format!("{name}_p_holm"), "p", plain));
        columns.push(Column::new(format!("{name}_called"), lang.say("faster", "更快者"), Kind::Words));
    }
    let row = |at: &usize| {
        let offered = reading.table.design.stages.get(*at)?;
        let mut cells = vec![stage_cell(reading, offered, false)];
        for crossover in of {
            let duel = crossover.duels.iter().find(|duel| duel.stage == *at)?;
            cells.push(match &duel.ratio {
                Ok(ratio) => Cell::estimate(*ratio, duel.interval.ok()),
                Err(why) => Cell::Missing(why.words(lang)),
            });
            cells.push(crate::report::tables::p_cell(duel.p_holm));
            cells.push(Cell::text(called(duel.word, lang)));
        }
        Some(Row::new(cells))
    };
    let title = match lang {
        Lang::En => format!("{} (first) against {} (second)", names[first], names[second]),
        Lang::Zh => format!("{}（前者）对 {}（后者）", names[first], names[second]),
    };
    Table { lang, title, columns, rows: reading.table.order.iter().filter_map(row).collect(), ..Table::default() }
}

fn by_name(of: &Crossover) -> &'static str {
    match of.by {
        crate::analysis::load::CompareBy::Latency => "latency",
        crate::analysis::load::CompareBy::ContentSpeed => "content_speed",
    }
}

fn short(of: &Crossover, lang: Lang) -> &'static str {
    match of.by {
        crate::analysis::load::CompareBy::Latency => lang.say("latency", "时延之比"),
        crate::analysis::load::CompareBy::ContentSpeed => lang.say("per token", "每 token 用时之比"),
    }
}

/// A word that fits a narrow column.
fn called(word: DuelWord, lang: Lang) -> &'static str {
    match word {
        DuelWord::FirstFaster => lang.say("first", "前者"),
        DuelWord::SecondFaster => lang.say("second", "后者"),
        DuelWord::Undecided => lang.say("not shown", "未显示"),
        DuelWord::IdenticalData => lang.say("identical", "数据相同"),
        DuelWord::FewPasses => lang.say("few passes", "遍数不足"),
        DuelWord::Withheld => lang.say("withheld", "不判定"),
        DuelWord::NotComparable => lang.say("no value", "无数值"),
    }
}
