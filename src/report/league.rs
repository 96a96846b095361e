//! The league of a quantity: places as intervals, what they rest on, and below a line who may not be ranked.

use super::interval::explained;
use super::made::Reading;
use super::tables::{Tables, cell_or, figure_or_null, p_words};
use super::targets::target_name;
use super::words::{order_hangs, other_rounds, withheld};
use super::{Cell, Column, Digits, Kind, Lang, Row, Table, Worded};
use crate::analysis::{Bar, League, LeagueRemark, Panel, Placing, Quantity};
use crate::stats::{Extended, Friedman};
use serde_json::{Value, json};

/// The views of leagues, one of each quantity, with the panel that they were made of.
pub fn leagues(reading: &Reading<'_>, leagues: &[(Panel, League)]) -> Tables {
    Tables {
        shared: shared(reading, leagues),
        people: leagues.iter().map(|(_, league)| for_people(reading, league)).collect(),
        list: list(reading, leagues),
        full: leagues.iter().map(|(_, league)| in_full(reading, league)).collect(),
    }
}

fn for_people(reading: &Reading<'_>, league: &League) -> Table {
    let lang = reading.lang;
    let (value_kind, unit) = shown_in(reading, league.quantity);
    let ratio = Kind::Number { in_seconds: false, digits: Digits::Three };
    let mut columns = vec![
        Column::new("rank", lang.say("rank", "名次"), Kind::Words),
        Column::new("target", lang.say("target", "对象"), Kind::Name),
        Column::new("value", lang.say("value", "数值"), value_kind).unit(unit).with_intervals(),
        Column::new("times_best", lang.say("× best", "与最佳之比"), ratio).unit("×").with_intervals(),
        Column::new("success", lang.say("success", "成功"), Kind::Count).unit("ok/sent").with_intervals(),
        Column::new("p95", if league.quantity.is_rate() { "p5" } else { "p95" }, value_kind).unit(unit).with_intervals(),
    ];
    let uneven = is_uneven(league);
    columns.extend(uneven.then(|| Column::new("n", lang.say("rounds", "轮数"), Kind::Number { in_seconds: false, digits: Digits::Whole })));
    let row = |placing: &Placing, first_below: bool| {
        let mut cells = vec![
            Cell::text(placing.rank.map_or_else(|| "—".to_owned(), |rank| rank.to_string())),
            Cell::Text(name(placing)),
            cell_or(placing.value.as_ref(), || lang.say("no value", "没有数值").into()),
            cell_or(placing.times_best.as_ref(), || lang.say("not ranked", "不参加排名").into()),
            success(placing),
            cell_or(placing.p95.as_ref(), || lang.say("too few values", "数值太少").into()),
        ];
        cells.extend(uneven.then(|| Cell::number(placing.rounds as f64)));
        let line_above = first_below.then(|| lang.say("not ranked", "不参加排名").to_owned());
        Row { notes: notes(placing, lang), group: placing.shade, line_above, ..Row::new(cells) }
    };
    let ranked = league.ranked.iter().map(|placing| row(placing, false));
    let below = league.unranked.iter().enumerate().map(|(i, placing)| row(placing, i == 0));
    Table {
        lang,
        title: title(reading, league),
        columns,
        rows: ranked.chain(below).collect(),
        warnings: warnings(league, lang),
        caption: caption(reading, league),
        legend: legend(league, lang),
        constants: reading.constants(),
        ..Table::default()
    }
}

/// How a quantity's values are drawn, and the unit of files.
fn shown_in(reading: &Reading<'_>, quantity: Quantity) -> (Kind, &'static str) {
    let unit = reading.unit(quantity);
    let milliseconds = unit == "ms";
    let in_seconds = milliseconds && quantity != Quantity::Ttft;
    let digits = if milliseconds && !in_seconds { Digits::Tenths } else { Digits::Three };
    (Kind::Number { in_seconds, digits }, unit)
}

fn title(reading: &Reading<'_>, league: &League) -> String {
    let what = league.quantity.words(reading.lang);
    let preliminary = if league.preliminary { reading.lang.say(" (preliminary)", "（初步结果）") } else { "" };
    let of = match reading.lang {
        Lang::En => format!("{what}, league{preliminary}"),
        Lang::Zh => format!("{what}排名{preliminary}"),
    };
    reading.title(&of)
}

fn warnings(league: &League, lang: Lang) -> Vec<String> {
    let mut warnings: Vec<String> = nobody_ranked(league, lang).into_iter().collect();
    if league.preliminary {
        let (rounds, days) = (league.rounds, league.days);
        warnings.push(match lang {
            Lang::En => {
                format!(
                    "preliminary: {rounds} rounds on {days} calendar {}; it takes 24 on 2 before a league should be published",
                    if days == 1 { "day" } else { "days" }
                )
            }
            Lang::Zh => format!("初步结果：{days} 个自然日共 {rounds} 轮；至少 2 天 24 轮才宜公布排名"),
        });
    }
    warnings
}

/// That this client bars all targets alike.
pub(super) fn nobody_ranked(league: &League, lang: Lang) -> Option<String> {
    let ranks = lang.say(": nobody is ranked", "：都不参加排名");
    league.client.map(|bottleneck| format!("{}{ranks}", withheld(&bottleneck, lang)))
}

/// A target's name in a league.
pub(super) fn name(placing: &Placing) -> String {
    target_name(placing.target.as_str(), placing.simulated)
}

fn is_uneven(league: &League) -> bool {
    let mut placings = league.ranked.iter().chain(&league.unranked);
    placings.any(|placing| 0 < placing.rounds && placing.rounds != league.rounds)
}

fn success(placing: &Placing) -> Cell {
    match placing.success {
        // With fewer than three rounds a share has no interval.
        Some(share) => {
            let interval = (crate::analysis::ROUNDS_FOR_INTERVALS <= share.clusters).then_some(share.interval);
            Cell::Count { part: share.successes as usize, of: share.n as usize, interval }
        }
        None => Cell::Missing(String::new()),
    }
}

/// Why it is not ranked, then its remarks.
pub(super) fn notes(placing: &Placing, lang: Lang) -> Vec<String> {
    // What bars all alike is said above the table.
    let own = placing.bars.iter().filter(|bar| !matches!(bar, Bar::ClientLimited { .. }));
    let bars = own.map(|bar| bar.words(lang));
    let remark = |remark: &LeagueRemark| match remark {
        LeagueRemark::OtherRounds { other } => other_rounds(&target_name(other.as_str(), placing.simulated), lang),
        LeagueRemark::OrderHangsOnRateLimits { other } => order_hangs(&target_name(other.as_str(), placing.simulated), lang),
        other => other.words(lang),
    };
    bars.chain(placing.remarks.iter().map(remark)).collect()
}

fn legend(league: &League, lang: Lang) -> Vec<String> {
    let value = match (league.quantity.is_rate(), lang) {
        (false, Lang::En) => {
            "value: geometric mean over all requests, a failure charged the limit T, with the interval of rounds taken \
             as independent; it need not be the median that `table` shows"
        }
        (false, Lang::Zh) => "数值：全部请求的几何平均，失败按时限 T 计，区间把各轮视为独立；未必等于 `table` 中的中位数",
        (true, Lang::En) => {
            "value: geometric mean over all requests, a failure charged the limit T over the usual tokens, so failures make it slower than \
             the median that `table` shows; interval of rounds taken as independent; p5: 95 % of good replies reach it"
        }
        (true, Lang::Zh) => {
            "数值：全部请求的几何平均，失败按时限 T 除以通常的 token 数计，因此失败会使其低于 `table` 中的中位数；区间把各轮视为独立；p5：95 % 的成功回复能达到"
        }
    };
    vec![value.into()]
}

pub(super) fn caption(reading: &Reading<'_>, league: &League) -> Vec<String> {
    let lang = reading.lang;
    let mut lines = reading.own(league.quantity, league.family);
    lines.extend(league.visible.map(|ratio| {
        let least = about(ratio - 1.0);
        match lang {
            Lang::En => {
                format!("Differences smaller than about {least} cannot be seen with this many rounds (80 % power at 5 %).")
            }
            Lang::Zh => format!("以目前的轮数，小于约 {least} 的差异看不出来（5 % 水平、80 % 功效）。"),
        }
    }));
    lines.extend(league.differ.as_ref().and_then(|test| test.p_f).map(|p| {
        let p = p_words(p);
        match lang {
            Lang::En => format!("Do the ranked targets differ at all? {p} (Friedman, in the form of Iman and Davenport)."),
            Lang::Zh => format!("参加排名的对象总体上有无差异：{p}（Friedman 检验，Iman–Davenport 形式）。"),
        }
    }));
    lines
}

/// What all leagues of a command share.
pub(super) fn shared(reading: &Reading<'_>, leagues: &[(Panel, League)]) -> Vec<String> {
    let first = leagues.first();
    let rows: Vec<Row> = leagues.iter().flat_map(|(_, league)| for_people(reading, league).rows).collect();
    let judging = first.map(|(_, league)| league.judging).unwrap_or_default();
    let mut lines = reading.shared(first.map(|(panel, _)| panel), first.map(|(_, league)| &league.judging));
    lines.splice(0..0, explained(rows.iter(), judging.confidence, reading.lang));
    lines.insert(
        0,
        reading
            .lang
            .say(
                "Rank: the places that the comparisons of all pairs leave open. Targets whose ranks overlap are not told apart; equal ranks \
                 are marked.",
                "名次：两两比较后仍可能的名次。名次重叠的对象分不出先后；名次相同的加有标记。",
            )
            .to_owned(),
    );
    lines
}

/// A share with two digits, in per cent.
fn about(share: f64) -> String {
    let per_cent = share * 100.0;
    if per_cent < 10.0 { format!("{per_cent:.1} %") } else { format!("{per_cent:.0} %") }
}

/// All leagues as one list.
fn list(reading: &Reading<'_>, leagues: &[(Panel, League)]) -> Table {
    let plain = |name: &str| Column::new(name, name, Kind::Number { in_seconds: false, digits: Digits::Three });
    let words = |name: &str| Column::new(name, name, Kind::Words);
    let columns = vec![
        words("metric"),
        words("unit"),
        plain("rank_low"),
        plain("rank_high"),
        Column::new("target", "target", Kind::Name),
        plain("value").with_intervals(),
        plain("times_best").with_intervals(),
        Column::new("success", "success", Kind::Count).unit("ok/sent").with_intervals(),
        plain("p50").with_intervals(),
        plain("slow_end").with_intervals(),
        plain("rounds"),
        plain("requests"),
        plain("days"),
        words("not_ranked_because"),
    ];
    let row = |league: &League, placing: &Placing| {
        let rank = |of: fn(crate::stats::RankInterval) -> usize| match placing.rank {
            Some(rank) => Cell::number(of(rank) as f64),
            None => Cell::Missing(String::new()),
        };
        let of = |estimate| cell_or(estimate, String::new);
        let bars: Vec<String> = placing.bars.iter().map(|bar| bar.words(reading.lang)).collect();
        Row {
            notes: placing.remarks.iter().map(|remark| remark.words(reading.lang)).collect(),
            ..Row::new(vec![
                Cell::text(league.quantity.name()),
                Cell::text(reading.unit(league.quantity)),
                rank(|rank| rank.low),
                rank(|rank| rank.high),
                Cell::Text(name(placing)),
                of(placing.value.as_ref()),
                of(placing.times_best.as_ref()),
                success(placing),
                of(placing.p50.as_ref()),
                of(placing.p95.as_ref()),
                Cell::number(placing.rounds as f64),
                Cell::number(placing.requests as f64),
                Cell::number(placing.days as f64),
                Cell::Text(bars.join("; ")),
            ])
        }
    };
    let rows = leagues
        .iter()
        .flat_map(|(_, league)| league.ranked.iter().chain(&league.unranked).map(|placing| row(league, placing)).collect::<Vec<_>>());
    Table { columns, rows: rows.collect(), constants: reading.constants(), ..Table::default() }
}

fn in_full(reading: &Reading<'_>, league: &League) -> Value {
    let table = for_people(reading, league);
    let rows = |placings: &[Placing]| placings.iter().map(|placing| of_placing(placing, reading.lang)).collect::<Vec<_>>();
    let mut whole = json!({
        "metric": league.quantity.name(),
        "unit": reading.unit(league.quantity),
        "title": table.title,
        "preliminary": league.preliminary,
        "confidence": league.judging.confidence.share(),
        "delta": league.judging.delta,
        "family": league.family,
        "rounds": league.rounds,
        "prompts": league.prompts,
        "days": league.days,
        "span": league.span.map(|(from, to)| json!({ "from": from, "to": to })),
        "limit_s": league.limit_s,
        "success": { "ok": league.success.0, "sent": league.success.1 },
        "visible_ratio": league.visible,
        "friedman": league.differ.as_ref().map(friedman),
        "ranked": rows(&league.ranked),
        "unranked": rows(&league.unranked),
        "warnings": table.warnings,
        "legend": table.legend,
        "caption": table.caption,
    });
    for (name, value) in table.constants {
        whole[name] = json!(value);
    }
    whole
}

/// The omnibus test in full.
fn friedman(test: &Friedman) -> Value {
    json!({
        "p": test.p_f,
        "f": test.f.and_then(Extended::finite),
        "p_chi2": test.p,
        "chi2": test.chi2,
        "df": test.df,
        "kendall_w": test.kendall_w,
        "mean_ranks": test.mean_ranks,
    })
}

fn of_placing(placing: &Placing, lang: Lang) -> Value {
    json!({
        "target": name(placing),
        "rank": placing.rank.map(|rank| json!({ "low": rank.low, "high": rank.high })),
        "shade": placing.shade,
        "value": figure_or_null(placing.value.as_ref()),
        "times_best": figure_or_null(placing.times_best.as_ref()),
        "success": placing.success.map(|share| json!({
            "ok": share.successes, "sent": share.n, "share": share.share, "interval": super::tables::ends(&share.interval)
        })),
        "p50": figure_or_null(placing.p50.as_ref()),
        "slow_end": figure_or_null(placing.p95.as_ref()),
        "rounds": placing.rounds,
        "requests": placing.requests,
        "days": placing.days,
        "bars": placing.bars,
        "remarks": placing.remarks,
        "notes": notes(placing, lang),
    })
}
