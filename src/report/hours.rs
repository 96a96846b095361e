//! Time of day: a heat line and a table of hours for each target, and under them what may be said.

mod answers;
mod caption;
mod full;
mod heat;

use super::harmless::markdown;
use super::made::Reading;
use super::prose::{prose, said_under};
use super::tables::cell_or;
use super::targets::target_name;
use super::{Cell, Column, Digits, Format, Kind, Lang, Row, Table, Worded, json};
use crate::analysis::{Bin, BinWidth, Hours, NoHours, Panel, TargetHours};
use crate::metric::{Unit, metric};
use crate::stats::Extended;
use serde_json::{Value, json};
use std::fmt::Write;

/// The width of the heat lines where no terminal gives one.
const DOCUMENT: usize = 80;

/// The hours of the day in the forms that formats take.
#[derive(Debug, Clone)]
pub struct HourTables {
    days: Vec<Day>,
    list: Table,
    full: Vec<Value>,
}

/// One quantity, for people.
#[derive(Debug, Clone)]
struct Day {
    lang: Lang,
    /// Nothing but a title.
    head: Table,
    hours: Option<Hours>,
    /// The hours of each target.
    tables: Vec<Table>,
    /// What may be said of each target, or of pairs: a head and its lines.
    answers: Vec<(String, Vec<String>)>,
    /// Legend, warnings and caption.
    foot: Table,
}

/// The hours of the day, or why there are none, one of each quantity. `all` adds the tests over the whole day and the pairs.
pub fn hour_tables(reading: &Reading<'_>, looked: &[(Panel, Result<Hours, NoHours>)], all: bool) -> HourTables {
    HourTables {
        days: looked.iter().map(|(panel, found)| day(reading, panel, found, all)).collect(),
        list: list(reading, looked),
        full: looked.iter().map(|(panel, found)| full::full(reading, panel, found)).collect(),
    }
}

impl HourTables {
    /// Writes them.
    pub fn write(&self, format: Format, width: usize) -> String {
        match format {
            Format::Terminal => self.days.iter().map(|day| day.terminal(width)).collect::<Vec<_>>().join("\n"),
            Format::Markdown => self.days.iter().map(Day::markdown).collect::<Vec<_>>().join("\n"),
            Format::Csv => self.list.write(format, width),
            Format::Json => json::text(&json!({ "tables": self.full })),
        }
    }
}

impl Day {
    fn terminal(&self, width: usize) -> String {
        let mut out = self.head.write(Format::Terminal, width);
        let lines = self.hours.as_ref().map(|hours| heat::heat(hours, self.lang, width)).unwrap_or_default();
        if !lines.is_empty() {
            lines.iter().for_each(|line| out.extend([line, "\n"]));
            prose(&mut out, &heat::legend(self.lang), width, 2, super::terminal::QUIET);
            out.push('\n');
        }
        for table in &self.tables {
            out.push_str(&table.write(Format::Terminal, width));
        }
        said_under(&mut out, &self.answers, width);
        out.push_str(&self.foot.write(Format::Terminal, width));
        out
    }

    fn markdown(&self) -> String {
        let mut out = self.head.write(Format::Markdown, 0);
        if let Some(hours) = &self.hours {
            let _ = writeln!(
                out,
                "```text\n{}\n```\n\n{}\n",
                fenced(&heat::heat(hours, self.lang, DOCUMENT)),
                markdown(&heat::legend(self.lang))
            );
        }
        for table in &self.tables {
            out.push_str(&table.write(Format::Markdown, 0));
            out.push('\n');
        }
        for (head, lines) in &self.answers {
            let _ = writeln!(out, "- **{}**", markdown(head));
            lines.iter().for_each(|line| out.extend(["  - ", &markdown(line), "\n"]));
        }
        out.push_str(&self.foot.write(Format::Markdown, 0));
        out
    }
}

/// Lines that cannot end the fence around them.
fn fenced(lines: &[String]) -> String {
    lines.join("\n").replace('`', "'")
}

fn day(reading: &Reading<'_>, panel: &Panel, found: &Result<Hours, NoHours>, all: bool) -> Day {
    let lang = reading.lang;
    let what = panel.quantity.words(lang);
    let title = reading.title(&match lang {
        Lang::En => format!("{what}, by the hour of the day"),
        Lang::Zh => format!("{what}，按一天中的时段"),
    });
    let head = Table { lang, title, ..Table::default() };
    match found {
        Ok(hours) => Day {
            lang,
            head,
            tables: hours.targets.iter().map(|target| by_hour(reading, hours, target)).collect(),
            answers: answers::answers(panel, hours, lang, all),
            foot: Table {
                lang,
                legend: caption::legend(panel.quantity, lang),
                warnings: caption::warnings(reading, hours),
                caption: caption::caption(reading, panel, hours, all),
                ..Table::default()
            },
            hours: Some(hours.clone()),
        },
        Err(why) => {
            let mut caption = reading.circumstances(panel);
            caption.push(reading.made_by());
            let foot = Table { lang, warnings: vec![why.words(lang)], caption, ..Table::default() };
            Day { lang, head, hours: None, tables: Vec::new(), answers: Vec::new(), foot }
        }
    }
}

/// The hours of one target that hold rounds.
fn by_hour(reading: &Reading<'_>, hours: &Hours, target: &TargetHours) -> Table {
    let lang = reading.lang;
    let mut columns = vec![Column::new("hours", lang.say("hours", "时段"), Kind::Name)];
    columns.extend(columns_of_bins(reading, hours));
    let row = |bin: &Bin| {
        let mut cells = vec![Cell::text(name_of(bin, hours.bin))];
        cells.extend(cells_of_bin(bin, lang));
        Row::new(cells)
    };
    Table {
        lang,
        title: target_name(target.id.as_str(), target.simulated),
        columns,
        rows: target.bins.iter().filter(|bin| 0 < bin.rounds).map(row).collect(),
        ..Table::default()
    }
}

/// All bins of all targets and quantities as one list.
fn list(reading: &Reading<'_>, looked: &[(Panel, Result<Hours, NoHours>)]) -> Table {
    let lang = Lang::En;
    let name = |name: &str| Column::new(name, name, Kind::Name);
    let hour = |name: &str| Column::new(name, name, Kind::Number { in_seconds: false, digits: Digits::Whole });
    let mut columns = vec![name("metric"), name("unit"), name("target"), hour("from_hour"), hour("to_hour")];
    let found: Vec<(&Panel, &Hours)> = looked.iter().filter_map(|(panel, found)| Some((panel, found.as_ref().ok()?))).collect();
    let mut rows = Vec::new();
    for (panel, hours) in &found {
        let unit = reading.unit(panel.quantity);
        for (target, bin) in hours.targets.iter().flat_map(|target| target.bins.iter().map(move |bin| (target, bin))) {
            let target = target_name(target.id.as_str(), target.simulated);
            let mut cells: Vec<Cell> = [panel.quantity.name(), unit, target.as_str()].into_iter().map(Cell::text).collect();
            cells.extend([bin.from_hour, bin.from_hour + hours.bin.hours()].map(|hour| Cell::number(f64::from(hour))));
            cells.extend(cells_of_bin(bin, lang));
            rows.push(Row::new(cells));
        }
    }
    let (Some((_, first)), mut constants) = (found.first(), reading.constants()) else { return Table { columns, ..Table::default() } };
    columns.extend(columns_of_bins(reading, first));
    constants.extend([("zone".into(), first.zone.clone()), ("bin".into(), first.bin.to_string())]);
    Table { lang, columns, rows, constants, ..Table::default() }
}

fn columns_of_bins(reading: &Reading<'_>, hours: &Hours) -> Vec<Column> {
    let lang = reading.lang;
    let milliseconds = metric(hours.quantity.name()).is_some_and(|metric| metric.unit == Unit::Milliseconds);
    let in_seconds = milliseconds && hours.quantity.name() != "ttft";
    let digits = if milliseconds && !in_seconds { Digits::Tenths } else { Digits::Three };
    let plain = |digits| Kind::Number { in_seconds: false, digits };
    vec![
        Column::new("rounds", lang.say("rounds", "轮数"), plain(Digits::Whole)),
        Column::new("median", lang.say("median", "中位数"), Kind::Number { in_seconds, digits }).unit(reading.unit(hours.quantity)),
        Column::new("ratio", lang.say("× own level", "为自身水平的倍数"), plain(Digits::Three)).with_intervals(),
        Column::new("success", lang.say("success", "成功"), Kind::Count).unit("ok/sent"),
    ]
}

fn cells_of_bin(bin: &Bin, lang: Lang) -> Vec<Cell> {
    let none = || lang.say("no round", "没有轮次").to_owned();
    let median = match bin.median {
        Some(Extended::Finite(value)) => Cell::number(value),
        Some(Extended::Never) => Cell::NEVER,
        None => Cell::Missing(if bin.rounds == 0 { none() } else { lang.say("no good reply", "没有成功的回复").to_owned() }),
    };
    let (ok, sent) = bin.success;
    let success = Cell::Count { part: ok, of: sent, interval: None };
    vec![Cell::number(bin.rounds as f64), median, cell_or(bin.ratio.as_ref(), none), success]
}

/// `09–12`.
fn name_of(bin: &Bin, width: BinWidth) -> String {
    format!("{:02}–{:02}", bin.from_hour, bin.from_hour + width.hours())
}
