//! One page of Markdown for a reader with a minute: the answer in a sentence, a row a target, three caveats.

use super::caption::{period, worth};
use super::harmless::markdown;
use super::interval::explained;
use super::made::{Reading, sentence};
use super::targets::{target_name, targets};
use super::words::{figures, lasting, percent, rate};
use super::{Cell, Column, Digits, Format, Kind, Lang, Row, Table, Worded, json, shown};
use crate::analysis::{Bar, Brief, Caveat, Finding, League, Placing, Quantity, Ratio, Shown, Span, TargetTable};
use crate::ident::TargetId;
use serde_json::json;
use std::fmt::Write;

/// A page, ready to be written.
#[derive(Debug, Clone)]
pub struct Page {
    lang: Lang,
    title: String,
    answers: Vec<String>,
    rows: Table,
    caveats: Vec<String>,
    foot: Vec<String>,
}

/// The columns of the table of targets that the page shows.
const SHOWN: [&str; 5] = ["target", "e2e_p50_ms", "ttft_p50_ms", "content_speed", "success"];

/// The page of a brief. The leagues are those that it was made of, the one that the page is ordered by first.
pub fn page(reading: &Reading<'_>, brief: &Brief, table: &TargetTable, leagues: &[League]) -> Page {
    let lang = reading.lang;
    let rows = leagues.first().map(|league| rows(reading, table, league)).unwrap_or_default();
    Page {
        lang,
        title: reading.title(lang.say("in brief", "简报")),
        answers: brief.findings.iter().map(|finding| answer(reading, finding, leagues)).collect(),
        caveats: brief.caveats.iter().map(|caveat| said(reading, caveat)).collect(),
        foot: foot(reading, leagues, &rows, table),
        rows,
    }
}

impl Page {
    /// Writes it: Markdown for a terminal too. CSV holds the rows, JSON all of it.
    pub fn write(&self, format: Format) -> String {
        match format {
            Format::Terminal | Format::Markdown => self.markdown(),
            Format::Csv => self.rows.write(Format::Csv, 0),
            Format::Json => json::text(&json!({
                "title": self.title,
                "answers": self.answers,
                "rows": json::table(&self.rows)["rows"],
                "caveats": self.caveats,
                "made": self.foot,
            })),
        }
    }

    fn markdown(&self) -> String {
        let mut out = format!("## {}\n\n", markdown(&self.title));
        for (i, answer) in self.answers.iter().enumerate() {
            let answer = markdown(answer);
            let _ = if i == 0 {
                writeln!(out, "**{answer}**")
            } else {
                write!(out, "{}{answer}", if i == 1 { "\n" } else { self.lang.say(" ", "") })
            };
        }
        out.push_str(if 1 < self.answers.len() { "\n\n" } else { "\n" });
        out.push_str(&self.rows.write(Format::Markdown, 0));
        let _ = writeln!(out, "\n{}\n", self.lang.say("What to bear in mind:", "请注意："));
        for (i, caveat) in self.caveats.iter().enumerate() {
            let _ = writeln!(out, "{}. {}", i + 1, markdown(caveat));
        }
        out.push('\n');
        for line in &self.foot {
            let _ = writeln!(out, "{}  ", markdown(line));
        }
        out
    }
}

/// What one quantity comes to, in a sentence.
fn answer(reading: &Reading<'_>, finding: &Finding, leagues: &[League]) -> String {
    let (lang, quantity) = (reading.lang, finding.quantity);
    let what = quantity.words(lang);
    let name = |target: &TargetId| name(reading, target);
    match (&finding.shown, lang) {
        (Shown::Alone, Lang::En) => format!("There is one target, and nobody to compare its {what} with."),
        (Shown::Alone, Lang::Zh) => format!("只有一个对象，{what}无从比较。"),
        (Shown::ClientLimited { bottleneck }, Lang::En) => {
            format!("Nothing is called about {what}: {}, and the figures may be its own.", bottleneck.words(lang))
        }
        (Shown::ClientLimited { bottleneck }, Lang::Zh) => {
            format!("{what}不下结论：{}，数值可能反映本客户端而非服务商。", bottleneck.words(lang))
        }
        (Shown::TooFewRounds { rounds }, Lang::En) => {
            format!("Nothing is shown about {what} yet: there are {rounds} rounds, and it takes six before anybody is called faster.")
        }
        (Shown::TooFewRounds { rounds }, Lang::Zh) => format!("{what}尚无结论：只有 {rounds} 轮，至少 6 轮才能判断谁更快。"),
        (Shown::TooFewRanked { only: None }, Lang::En) => format!("Nothing is shown about {what}: no target can be ranked in it."),
        (Shown::TooFewRanked { only: None }, Lang::Zh) => format!("{what}没有结论：没有对象可以排名。"),
        (Shown::TooFewRanked { only: Some(only) }, Lang::En) => {
            format!("Nothing is shown about {what}: {} alone can be ranked in it.", name(only))
        }
        (Shown::TooFewRanked { only: Some(only) }, Lang::Zh) => format!("{what}没有结论：只有 {} 可以排名。", name(only)),
        (Shown::First { target, next, next_over_first, within_band }, _) => {
            let by = next_over_first.and_then(|estimate| Some(Ratio { point: estimate.point.finite()?, interval: estimate.interval? }));
            let by = by.map(|ratio| by_how_much(quantity, &name(next), &ratio, lang));
            first(&what, &name(target), by, *within_band, reading, leagues)
        }
        (Shown::Tied { leaders, behind }, _) => tied(&what, &leaders.iter().map(name).collect::<Vec<_>>(), *behind, lang),
    }
}

/// `B takes 1.20× as long (1.10–1.31)`.
fn by_how_much(quantity: Quantity, next: &str, ratio: &Ratio, lang: Lang) -> String {
    let (point, interval) = figures(ratio);
    match (quantity.is_rate(), lang) {
        (false, Lang::En) => format!("{next}, the next, takes {point}× as long ({interval})"),
        (false, Lang::Zh) => format!("其后的 {next} 用时为其 {point} 倍（{interval}）"),
        (true, Lang::En) => format!("{next}, the next, reaches {point}× its speed ({interval})"),
        (true, Lang::Zh) => format!("其后的 {next} 速度为其 {point} 倍（{interval}）"),
    }
}

fn first(what: &str, target: &str, by: Option<String>, within_band: bool, reading: &Reading<'_>, leagues: &[League]) -> String {
    let judging = leagues.first().map(|league| league.judging).unwrap_or_default();
    let (band, sure) = (percent(judging.delta), percent(judging.confidence.share()));
    let by = by.map(|by| format!("{}{by}", reading.lang.say(": ", "，"))).unwrap_or_default();
    match (reading.lang, within_band) {
        (Lang::En, false) => format!("{} is best in {what}, shown at {sure} against every other ranked target{by}.", target),
        (Lang::Zh, false) => format!("{what}：{target} 最好，相对其他所有参加排名的对象均在 {sure} 置信水平上成立{by}。"),
        (Lang::En, true) => format!("{target} is best in {what}, but the next is less than {band} behind, a tie in practice{by}."),
        (Lang::Zh, true) => format!("{what}：{target} 最好，但与其后者相差不到 {band}，实际上是平手{by}。"),
    }
}

fn tied(what: &str, leaders: &[String], behind: usize, lang: Lang) -> String {
    let names = lang.list(leaders);
    match (lang, behind) {
        (Lang::En, 0) => format!("Nobody is shown to be best in {what}: any of {names} may be."),
        (Lang::Zh, 0) => format!("{what}：未显示出谁最好，{names} 都有可能。"),
        (Lang::En, 1) => {
            format!("Nobody is shown to be best in {what}: any of {names} may be; the other ranked target is shown to be behind.")
        }
        (Lang::En, n) => format!(
            "Nobody is shown to be best in {what}: any of {names} may be; each of the {n} other ranked targets is shown to be behind another."
        ),
        (Lang::Zh, n) => format!("{what}：未显示出谁最好，{names} 都有可能；其余 {n} 个参加排名的对象都已显示落后于某个对象。"),
    }
}

/// A caveat, in a sentence or two.
fn said(reading: &Reading<'_>, caveat: &Caveat) -> String {
    let lang = reading.lang;
    let names = |targets: &[TargetId]| lang.list(targets.iter().map(|target| name(reading, target)));
    match (caveat, lang) {
        (Caveat::Simulated, Lang::En) => "These providers are simulated: the figures say nothing of the real ones.".into(),
        (Caveat::Simulated, Lang::Zh) => "这些服务商是模拟的：数据不代表真实的服务商。".into(),
        (Caveat::Preliminary { rounds, days }, Lang::En) => {
            let (rounds, days) = (count(*rounds, "round"), count(*days, "calendar day"));
            format!("Preliminary: {rounds} on {days}. It takes 24 rounds on 2 days before an order should be published.")
        }
        (Caveat::Preliminary { rounds, days }, Lang::Zh) => {
            format!("初步结果：{days} 个自然日共 {rounds} 轮。至少 2 天、24 轮才宜公布先后。")
        }
        (Caveat::ShortSpan { seconds }, Lang::En) => {
            format!("All rounds lie within {}: another time of day may look different.", lasting(*seconds, lang))
        }
        (Caveat::ShortSpan { seconds }, Lang::Zh) => {
            format!("全部轮次都在 {}之内：换个时段，结果可能不同。", lasting(*seconds, lang))
        }
        (Caveat::DifferentModels { known: true }, Lang::En) => {
            "The models differ: this is about speed alone, and says nothing of whose answers are better.".into()
        }
        (Caveat::DifferentModels { known: true }, Lang::Zh) => "模型不同：这里只比速度，不说明谁的回答更好。".into(),
        (Caveat::DifferentModels { known: false }, Lang::En) => {
            "The models perhaps differ (not every family is known): this is about speed alone.".into()
        }
        (Caveat::DifferentModels { known: false }, Lang::Zh) => "模型可能不同（并非每个模型的家族都已知）：这里只比速度。".into(),
        (Caveat::Failures { target, failed, sent }, Lang::En) => {
            let share = rate(*failed as f64 / (*sent).max(1) as f64);
            let name = name(reading, target);
            format!("{name} failed most: {failed} of {sent} requests ({share}). Ranks charge a failure the full limit of time.")
        }
        (Caveat::Failures { target, failed, sent }, Lang::Zh) => {
            let share = rate(*failed as f64 / (*sent).max(1) as f64);
            format!("{} 失败最多：{sent} 个请求中失败 {failed} 个（{share}）。排名时每次失败按整个时限计。", name(reading, target))
        }
        (Caveat::QuotaBound { targets }, Lang::En) => {
            format!(
                "The quota of {} was exceeded in over 5 % of requests: that is a matter of the account, not of the server.",
                names(targets)
            )
        }
        (Caveat::QuotaBound { targets }, Lang::Zh) => {
            format!("{} 有超过 5 % 的请求超出配额：这取决于账户，而不是服务端的快慢。", names(targets))
        }
        (Caveat::HiddenThinking { targets }, Lang::En) => {
            format!("{} may think without showing it: time to first token is not comparable there.", names(targets))
        }
        (Caveat::HiddenThinking { targets }, Lang::Zh) => format!("{} 可能思考而不输出：其首字时延不可比。", names(targets)),
        (Caveat::Bundled { targets }, Lang::En) => {
            format!(
                "{} sent replies in a few large bundles: the speed within such a reply is the gateway's, and is left out.",
                names(targets)
            )
        }
        (Caveat::Bundled { targets }, Lang::Zh) => {
            format!("{} 的回复成批到达：这类回复内部的速度取决于网关，不计入。", names(targets))
        }
        (Caveat::Unequal { points }, Lang::En) => {
            format!("Not all were asked alike: {} of the parameters are listed below `table`.", count(*points, "difference"))
        }
        (Caveat::Unequal { points }, Lang::Zh) => format!("各对象的请求参数不完全相同：有 {points} 处差异，列在 `table` 之下。"),
        (Caveat::OfTable(warning), _) => sentence(&warning.words(lang), lang),
        (Caveat::Blind { ratio }, Lang::En) => {
            let least = shown((ratio - 1.0) * 100.0, Digits::Three);
            format!("Differences of reply time smaller than about {least} % cannot be seen with this many rounds.")
        }
        (Caveat::Blind { ratio }, Lang::Zh) => {
            format!("以目前的轮数，小于约 {} % 的回复用时差异看不出来。", shown((ratio - 1.0) * 100.0, Digits::Three))
        }
        (Caveat::OnePlace { place }, Lang::En) => {
            let place = place.as_ref().map_or_else(|| "one place".to_owned(), |place| format!("one place, {place}"));
            format!("Measured from {place}: another network may order them otherwise.")
        }
        (Caveat::OnePlace { place }, Lang::Zh) => {
            let place = place.as_ref().map_or_else(String::new, |place| format!("（{place}）"));
            format!("只在一个地点测量{place}：换个网络，先后可能不同。")
        }
        (Caveat::ErrorRates, Lang::En) => {
            "In simulations such an order is wrong in at most 5.5 % of tables with independent rounds, and in up \
                                            to 13 % where incidents last over rounds."
                .into()
        }
        (Caveat::ErrorRates, Lang::Zh) => "据模拟，各轮独立时这类先后至多 5.5 % 有误，故障跨轮持续时可达 13 %。".into(),
    }
}

/// The rows in the order of the league, each with its place; below a line who may not be ranked.
fn rows(reading: &Reading<'_>, table: &TargetTable, league: &League) -> Table {
    let lang = reading.lang;
    let whole = targets(table, reading.joined, lang);
    let places: Vec<usize> = SHOWN.iter().filter_map(|name| whole.columns.iter().position(|column| column.name == *name)).collect();
    let rank = Column::new("rank", lang.say("rank", "名次"), Kind::Words);
    let columns = std::iter::once(rank).chain(places.iter().map(|place| titled(&whole.columns[*place], lang))).collect();
    let row = |placing: &Placing, line_above: Option<String>| {
        let at = table.rows.iter().position(|row| row.target == placing.target)?;
        let rank = Cell::text(placing.rank.map_or_else(|| "—".to_owned(), |rank| rank.to_string()));
        let cells = std::iter::once(rank).chain(places.iter().map(|place| without_marks(&whole.rows[at].cells[*place]))).collect();
        // What bars all alike stands above.
        let own = placing.bars.iter().filter(|bar| !matches!(bar, Bar::ClientLimited { .. }));
        let notes = own.map(|bar| bar.words(lang)).collect();
        Some(Row { notes, group: placing.shade, line_above, ..Row::new(cells) })
    };
    let below = |i: usize| (i == 0).then(|| lang.say("not ranked", "不参加排名").to_owned());
    let ranked = league.ranked.iter().filter_map(|placing| row(placing, None));
    let unranked = league.unranked.iter().enumerate().filter_map(|(i, placing)| row(placing, below(i)));
    Table { lang, columns, rows: ranked.chain(unranked).collect(), constants: whole.constants, ..Table::default() }
}

/// A cell without what its clock marks leave open: who has a minute is not told of it.
fn without_marks(cell: &Cell) -> Cell {
    match cell.clone() {
        Cell::Number { value, interval, mark, .. } => Cell::Number { value, within: None, interval, mark },
        other => other,
    }
}

/// A column of the table of targets under a head that needs no other beside it.
fn titled(column: &Column, lang: Lang) -> Column {
    let title = match column.name.as_str() {
        "e2e_p50_ms" => lang.say("reply time, median", "回复用时中位数"),
        "content_speed" => lang.say("answer speed", "回答速度"),
        "ttft_p50_ms" => lang.say("TTFT, median", "首字时延中位数"),
        _ => return column.clone(),
    };
    Column { title: title.into(), ..column.clone() }
}

fn foot(reading: &Reading<'_>, leagues: &[League], rows: &Table, table: &TargetTable) -> Vec<String> {
    let lang = reading.lang;
    let mut lines = Vec::new();
    if let Some(league) = leagues.first() {
        let what = league.quantity.words(lang);
        lines.push(match lang {
            Lang::En => format!("Rank: the places in {what} that comparing all pairs leaves open."),
            Lang::Zh => format!("名次：按{what}两两比较后仍可能的名次。"),
        });
    }
    lines.extend(explained(rows.rows.iter(), table.confidence, lang));
    lines.push(worth(lang).into());
    let mut made = vec![reading.made_by()];
    if let Some(league) = leagues.first() {
        made.insert(
            0,
            match lang {
                Lang::En => format!("{} × {}", count(league.rounds, "round"), count(league.prompts, "prompt")),
                Lang::Zh => format!("{} 轮 × {} 个提示词", league.rounds, league.prompts),
            },
        );
        if let Some((from, to)) = league.span {
            made.insert(1, period(Span { from, to }, lang));
        }
    }
    lines.push(made.join(" · "));
    lines
}

fn name(reading: &Reading<'_>, target: &TargetId) -> String {
    let simulated = reading.joined.manifest().targets.iter().any(|facts| facts.id == *target && facts.simulated);
    target_name(target.as_str(), simulated)
}

fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}
