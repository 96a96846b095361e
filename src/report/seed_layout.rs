//! The league as such tables are usually published: platform, generation speed, note. What they leave out stands in the note.

use super::league::{name, nobody_ranked, notes, shared};
use super::made::Reading;
use super::markdown::cell_text;
use super::tables::{Tables, cell, cell_or, figure_or_null};
use super::{Cell, Column, Digits, Kind, Lang, Row, Table, Worded};
use crate::analysis::{League, Panel, Placing};
use serde_json::json;

/// Platform, generation speed, note: the medians of good replies' speeds in the answer and, where there is any, in the reasoning.
pub fn seed_layout(reading: &Reading<'_>, content: &(Panel, League), reasoning: Option<&(Panel, League)>) -> Tables {
    let lang = reading.lang;
    let (_, league) = content;
    let speed = Kind::Number { in_seconds: false, digits: Digits::Three };
    let unit = reading.unit(league.quantity);
    let figure = |name: &str, title: &str| Column::new(name, title, speed).unit(unit).with_intervals();
    let (of_content, of_reasoning) = (figure("content_speed", "content speed"), figure("reasoning_speed", "reasoning speed"));
    let placings = || league.ranked.iter().chain(&league.unranked);
    let reasons = |placing: &Placing| {
        let (_, league) = reasoning?;
        league.ranked.iter().chain(&league.unranked).find(|other| other.index == placing.index)?.p50
    };
    let none = || lang.say("no value", "没有数值").to_owned();
    let both = |placing: &Placing| {
        let content = cell_text(&of_content, &cell_or(placing.p50.as_ref(), none), lang);
        let Some(reasoning) = reasons(placing) else { return content };
        let reasoning = cell_text(&of_reasoning, &cell(&reasoning), lang);
        match lang {
            Lang::En => format!("{content} content, {reasoning} reasoning"),
            Lang::Zh => format!("回答 {content}，推理 {reasoning}"),
        }
    };
    let columns = vec![
        Column::new("platform", lang.say("platform", "平台"), Kind::Name),
        Column::new("generation_speed", lang.say("generation speed", "生成速度"), Kind::Words).unit(unit),
        Column::new("note", lang.say("note", "备注"), Kind::Words),
    ];
    let row = |placing: &Placing| {
        Row::new(vec![Cell::Text(name(placing)), Cell::Text(both(placing)), Cell::Text(note(reading, league, placing))])
    };
    let mut caption = vec![
        lang.say(
            "Speed: median over good replies within the answer (and within the reasoning), after the first arrival of either, with its \
             interval; n: requests sent.",
            "速度：成功回复在回答阶段（及推理阶段）内、各自首次到达之后的速度，取中位数并附区间；n：已发请求数。",
        )
        .to_owned(),
    ];
    caption.extend(super::league::caption(reading, league));
    let preliminary = if league.preliminary { lang.say(" (preliminary)", "（初步结果）") } else { "" };
    let title = reading.title(&format!("{}{preliminary}", lang.say("generation speed", "生成速度")));
    let warnings = nobody_ranked(league, lang).into_iter().collect();
    let people = Table {
        lang,
        title,
        warnings,
        columns,
        rows: placings().map(row).collect(),
        caption,
        constants: reading.constants(),
        ..Table::default()
    };
    let full = json!({
        "layout": "seed",
        "title": people.title,
        "unit": unit,
        "rows": placings().map(|placing| json!({
            "platform": name(placing),
            "content_speed": figure_or_null(placing.p50.as_ref()),
            "reasoning_speed": figure_or_null(reasons(placing).as_ref()),
            "note": note(reading, league, placing),
        })).collect::<Vec<_>>(),
        "warnings": people.warnings,
        "caption": people.caption,
    });
    let cells = |placing: &Placing| {
        let reasoning = reasons(placing);
        let figures = [placing.p50.as_ref(), reasoning.as_ref()].map(|figure| cell_or(figure, String::new));
        let [content, reasoning] = figures;
        Row::new(vec![Cell::Text(name(placing)), content, reasoning, Cell::Text(note(reading, league, placing))])
    };
    let list = Table {
        columns: vec![
            Column::new("platform", "platform", Kind::Name),
            of_content.clone(),
            of_reasoning.clone(),
            Column::new("note", "note", Kind::Words),
        ],
        rows: placings().map(cells).collect(),
        constants: reading.constants(),
        ..Table::default()
    };
    Tables { people: vec![people], shared: shared(reading, std::slice::from_ref(content)), list, full: vec![full] }
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
    parts.extend(league.client.map(|bottleneck| bottleneck.words(lang)));
    parts.extend(notes(placing, lang));
    parts.join(lang.say("; ", "；"))
}
