//! The league as such tables are usually published: platform, generation speed, note. What they leave out stands in the note.

use super::league::{name, notes};
use super::made::Reading;
use super::tables::{Tables, cell_or, figure_or_null};
use super::{Cell, Column, Digits, Kind, Lang, Row, Table};
use crate::analysis::{League, Panel, Placing};
use crate::stats::Estimate;
use serde_json::json;

/// Platform, generation speed, note: the medians of good replies' speeds in the answer and, where there is any, in the reasoning.
pub fn seed_layout(reading: &Reading<'_>, content: &(Panel, League), reasoning: Option<&(Panel, League)>) -> Tables {
    let lang = reading.lang;
    let (panel, league) = content;
    let speed = Kind::Number { in_seconds: false, digits: Digits::Three };
    let unit = reading.unit(league.quantity);
    let mut columns = vec![
        Column::new("platform", lang.say("platform", "平台"), Kind::Name),
        Column::new("content_speed", lang.say("generation speed", "生成速度"), speed).unit(unit).with_intervals(),
    ];
    if reasoning.is_some() {
        columns.push(Column::new("reasoning_speed", lang.say("in the reasoning", "其中推理阶段"), speed).unit(unit).with_intervals());
    }
    columns.push(Column::new("note", lang.say("note", "备注"), Kind::Words));
    let placings = || league.ranked.iter().chain(&league.unranked);
    let of_reasoning = |placing: &Placing| {
        let (_, league) = reasoning?;
        league.ranked.iter().chain(&league.unranked).find(|other| other.index == placing.index)?.p50
    };
    let none = || lang.say("no value", "没有数值").to_owned();
    let row = |placing: &Placing| {
        let mut cells = vec![Cell::Text(name(placing)), cell_or(placing.p50.as_ref(), none)];
        if reasoning.is_some() {
            cells.push(cell_or(of_reasoning(placing).as_ref(), none));
        }
        cells.push(Cell::Text(note(reading, league, placing)));
        Row::new(cells)
    };
    let mut caption = vec![
        lang.say(
            "Speed: median over good replies after the first arrival of the answer, with its interval; n: requests sent.",
            "速度：成功回复中回答阶段（首次到达之后）速度的中位数及其区间；n：已发请求数。",
        )
        .to_owned(),
    ];
    caption.extend(reading.circumstances(panel));
    caption.extend(reading.judging(league.quantity, &league.judging, league.family));
    caption.push(reading.made_by());
    let preliminary = if league.preliminary { lang.say(" (preliminary)", "（初步结果）") } else { "" };
    let title = reading.title(&format!("{}{preliminary}", lang.say("generation speed", "生成速度")));
    let people =
        Table { lang, title, columns, rows: placings().map(row).collect(), caption, constants: reading.constants(), ..Table::default() };
    let full = json!({
        "layout": "seed",
        "title": people.title,
        "unit": unit,
        "rows": placings().map(|placing| json!({
            "platform": name(placing),
            "content_speed": figure_or_null(placing.p50.as_ref()),
            "reasoning_speed": figure_or_null(of_reasoning(placing).as_ref() as Option<&Estimate>),
            "note": note(reading, league, placing),
        })).collect::<Vec<_>>(),
        "caption": people.caption,
    });
    Tables { list: people.clone(), people: vec![people], full: vec![full] }
}

/// n, dates, place, success, place in the league, and what else is to be said.
fn note(reading: &Reading<'_>, league: &League, placing: &Placing) -> String {
    let lang = reading.lang;
    let (ok, sent) = placing.success.map_or((0, 0), |share| (share.successes, share.n));
    let rounds = placing.rounds;
    let mut parts = vec![match lang {
        Lang::En => format!("n = {sent} in {rounds} rounds, {ok} succeeded"),
        Lang::Zh => format!("n = {sent}（{rounds} 轮），成功 {ok}"),
    }];
    let day = |at: jiff::Timestamp| at.strftime("%Y-%m-%d").to_string();
    parts.extend(league.span.map(|(from, to)| match (day(from), day(to)) {
        (from, to) if from == to => from,
        (from, to) => format!("{from}{}{to}", lang.say(" to ", " 至 ")),
    }));
    parts.extend(reading.joined.manifest().vantage.as_ref().map(|vantage| match lang {
        Lang::En => format!("from {vantage}"),
        Lang::Zh => format!("测自 {vantage}"),
    }));
    parts.extend(placing.rank.map(|rank| {
        let of = league.ranked.len();
        match lang {
            Lang::En => format!("rank {rank} of {of}"),
            Lang::Zh => format!("名次 {rank}（共 {of}）"),
        }
    }));
    let unranked = placing.rank.is_none().then(|| lang.say("not ranked", "不参加排名").to_owned());
    parts.extend(unranked);
    parts.extend(notes(placing, lang));
    parts.join(lang.say("; ", "；"))
}
