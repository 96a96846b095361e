//! A load run: per stage what it came to, in narrow tables that a window of 80 columns holds, and under them what may be said.

mod answers;
mod caption;
mod full;
mod grids;
mod list;
mod seed;

use super::grid::in_one;
use super::harmless::markdown;
use super::prose::said_under;
use super::targets::{target_name, titled};
use super::{Format, Lang, Table, json};
use crate::analysis::load::LoadTable;
use crate::record::{Manifest, StageLine};
use serde_json::Value;
use std::fmt::Write;

/// A load run as it is read: its figures, what was planned, and when its cells ran.
#[derive(Debug, Clone, Copy)]
pub struct LoadReading<'a> {
    /// The figures.
    pub table: &'a LoadTable,
    /// What was planned; of several runs the first's.
    pub manifest: &'a Manifest,
    /// The states of all cells, of all runs.
    pub cells: &'a [StageLine],
    /// The language.
    pub lang: Lang,
}

/// A load run in the forms that formats take.
#[derive(Debug, Clone)]
pub struct LoadTables {
    /// A head, the narrow tables, and between them and the foot the answers.
    tables: Vec<Table>,
    /// What may be said of each target, of each pair, and of the gate: a head and its lines.
    answers: Vec<(String, Vec<String>)>,
    /// Legend, warnings and caption.
    foot: Table,
    /// The table and its foot instead, for a window that does not hold the last table in one.
    narrow: Option<(Table, Table)>,
    /// For spreadsheets.
    list: Table,
    /// For programs.
    full: Value,
}

/// A load run, every figure in full.
pub fn load_tables(reading: &LoadReading<'_>) -> LoadTables {
    let tables = grids::grids(reading);
    let answers = answers::answers(reading);
    let foot = caption::foot(reading, &tables);
    LoadTables {
        full: full::full(reading, &answers, &foot),
        list: list::list(reading),
        tables: headed(reading, tables),
        answers,
        foot,
        narrow: None,
    }
}

/// A load run as the tables that started this are laid out: users, RPS, mean latency, P99 latency, mean TPS, TTFT, success rate.
pub fn load_seed_layout(reading: &LoadReading<'_>) -> LoadTables {
    let table = seed::seed(reading);
    let foot = seed::foot(reading, &table);
    LoadTables {
        full: seed::full(reading, &foot),
        list: seed::list(reading),
        narrow: Some(seed::narrow(reading, &table)),
        tables: headed(reading, vec![table]),
        answers: Vec::new(),
        foot,
    }
}

/// The title of the whole stands above the first table.
fn headed(reading: &LoadReading<'_>, tables: Vec<Table>) -> Vec<Table> {
    let head = Table { lang: reading.lang, title: reading.title(), ..Table::default() };
    std::iter::once(head).chain(tables).collect()
}

impl LoadTables {
    /// Writes them.
    pub fn write(&self, format: Format, width: usize) -> String {
        match format {
            Format::Terminal => self.terminal(width),
            Format::Markdown => self.markdown(),
            Format::Csv => self.list.write(format, width),
            Format::Json => json::text(&self.full),
        }
    }

    fn terminal(&self, width: usize) -> String {
        let fits = self.tables.last().is_none_or(|table| in_one(table, width));
        if let Some((table, foot)) = self.narrow.as_ref().filter(|_| !fits) {
            let head = self.tables.first().into_iter();
            return head.chain([table, foot]).map(|table| table.write(Format::Terminal, width)).collect();
        }
        let mut out: String = self.tables.iter().map(|table| table.write(Format::Terminal, width)).collect();
        said_under(&mut out, &self.answers, width);
        out.push_str(&self.foot.write(Format::Terminal, width));
        out
    }

    fn markdown(&self) -> String {
        let mut out = String::new();
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

impl LoadReading<'_> {
    fn simulated(&self) -> bool {
        self.manifest.simulated.is_some()
    }

    /// The targets' names, by their place in the table.
    fn names(&self) -> Vec<String> {
        self.table.targets.iter().map(|target| target_name(target.as_str(), self.simulated())).collect()
    }

    fn title(&self) -> String {
        let name = &self.manifest.name;
        let of = match (self.table.targets.as_slice(), self.lang) {
            ([_], Lang::En) => format!("{name}: {} under load", self.names().concat()),
            ([_], Lang::Zh) => format!("{name}：{} 的负载测试", self.names().concat()),
            (targets, Lang::En) => format!("{name}: {} targets under load", targets.len()),
            (targets, Lang::Zh) => format!("{name}：{} 个对象的负载测试", targets.len()),
        };
        titled(&of, self.manifest.simulated.as_ref().map(|simulated| simulated.scale), self.lang)
    }

    /// Facts for formats without a caption.
    fn constants(&self) -> Vec<(String, String)> {
        let simulated = self.manifest.simulated.as_ref().map_or_else(|| "no".into(), |simulated| format!("scale {}", simulated.scale));
        vec![("simulated".into(), simulated), ("basis".into(), self.basis(Lang::En)), ("run".into(), self.table.runs.join(" "))]
    }

    /// The name of the token basis.
    fn basis(&self, lang: Lang) -> String {
        match self.table.basis {
            crate::tokens::Basis::Reported => lang.say("reported by the providers", "服务商上报").into(),
            crate::tokens::Basis::Reference => self.table.tokenizer.clone(),
            crate::tokens::Basis::Chars => lang.say("characters", "字符").into(),
        }
    }

    /// The unit of speeds.
    fn speed(&self) -> &'static str {
        match self.table.basis {
            crate::tokens::Basis::Chars => crate::metric::Unit::TokensPerSecond.symbol_in_chars(),
            _ => crate::metric::Unit::TokensPerSecond.symbol(),
        }
    }
}
