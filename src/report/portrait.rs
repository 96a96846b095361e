//! One request in full: its drawing, its facts, its metrics, and every text with its mark.

use super::drawing::{bars, legend};
use super::facts::{Fact, facts};
use super::harmless::markdown;
use super::prose::{pairs, prose};
use super::targets::{target_name, titled};
use super::{Cell, Column, Digits, Format, Kind, Lang, Row, Table, Worded, json, shown};
use crate::analysis::{BasisBecause, Standing};
use crate::metric::{Reply, registry};
use crate::record::{TargetFacts, Trial};
use crate::timeline::Phase;
use crate::tokens::Basis;
use std::fmt::Write;

/// A request in full.
#[derive(Debug, Clone)]
pub struct Portrait {
    lang: Lang,
    title: String,
    facts: Vec<(Fact, String)>,
    metrics: Table,
    texts: Table,
    drawing: Vec<String>,
}

/// What the run says of a request beside its record.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The language of the words.
    pub lang: Lang,
    /// What it counts for; absent for what no table knows of.
    pub standing: Option<Standing>,
    /// The factor by which simulated times were multiplied back; absent for real runs.
    pub scale: Option<f64>,
    /// The reference tokenizer's name.
    pub tokenizer: &'a str,
    /// Why tokens are counted on this basis.
    pub basis_because: &'a BasisBecause,
}

/// The portrait of a request that has an answer. `width` is the terminal's.
pub fn portrait(trial: &Trial, target: &TargetFacts, reply: &Reply<'_>, context: &Context<'_>, width: usize) -> Portrait {
    let lang = context.lang;
    let name = target_name(target.id.as_str(), target.simulated);
    let title = match lang {
        Lang::En => format!("round {}, prompt {}, {name}", trial.round, trial.prompt),
        Lang::Zh => format!("第 {} 轮，提示词 {}，{name}", trial.round, trial.prompt),
    };
    Portrait {
        lang,
        title: titled(&title, context.scale, lang),
        facts: facts(trial, target, reply, context),
        metrics: metrics(reply, lang),
        texts: texts(reply, lang),
        drawing: bars(reply, width, lang),
    }
}

impl Portrait {
    /// Writes it. CSV holds the texts, one a line; JSON holds all of it.
    pub fn write(&self, format: Format, width: usize) -> String {
        match format {
            Format::Terminal => self.terminal(width),
            Format::Markdown => self.markdown(),
            Format::Csv => self.texts.write(Format::Csv, width),
            Format::Json => self.json(),
        }
    }

    fn terminal(&self, width: usize) -> String {
        let mut out = Table { title: self.title.clone(), ..Table::default() }.write(Format::Terminal, width);
        if !self.drawing.is_empty() {
            self.drawing.iter().for_each(|line| out.extend([line, "\n"]));
            prose(&mut out, legend(self.lang), width, 0, anstyle::Style::new());
            out.push('\n');
        }
        let facts: Vec<(String, String)> =
            self.facts.iter().map(|(fact, value)| (fact.name(self.lang).to_owned(), value.clone())).collect();
        pairs(&mut out, &facts, width);
        out.push('\n');
        out.push_str(&self.metrics.write(Format::Terminal, width));
        out
    }

    fn markdown(&self) -> String {
        let mut out = format!("### {}\n\n", markdown(&self.title));
        if !self.drawing.is_empty() {
            let _ = write!(out, "```text\n{}\n{}\n```\n\n", self.drawing.join("\n"), legend(self.lang));
        }
        for (fact, value) in &self.facts {
            let _ = writeln!(out, "- {}{}{}", fact.name(self.lang), self.lang.say(": ", "："), markdown(value));
        }
        out.push('\n');
        out.push_str(&self.metrics.write(Format::Markdown, 0));
        out
    }

    fn json(&self) -> String {
        let facts: Vec<serde_json::Value> =
            self.facts.iter().map(|(fact, value)| serde_json::json!({"name": fact.name(Lang::En), "value": value})).collect();
        json::text(&serde_json::json!({
            "title": self.title,
            "facts": facts,
            "metrics": json::table(&self.metrics)["rows"],
            "texts": json::table(&self.texts)["rows"],
        }))
    }
}

fn metrics(reply: &Reply<'_>, lang: Lang) -> Table {
    let column = |name: &str, title: &str, kind| Column::new(name, title, kind);
    let columns = vec![
        column("metric", lang.say("metric", "指标"), Kind::Name),
        column("value", lang.say("value", "数值"), Kind::Number { in_seconds: false, digits: Digits::Fine }),
        column("unit", lang.say("unit", "单位"), Kind::Words),
        column("bounds", lang.say("at least – at most, or why there is none", "下限 – 上限，或没有数值的原因"), Kind::Words),
    ];
    let chars = reply.basis == Basis::Chars;
    let row = |metric: &crate::metric::Metric| {
        let unit = if chars { metric.unit.symbol_in_chars() } else { metric.unit.symbol() };
        let (value, bounds) = match (metric.of)(reply) {
            Ok(seen) => {
                let within = (!seen.is_exact()).then_some((seen.low, seen.high));
                let fine = |value| shown(value, Digits::Fine);
                let words = within.map_or_else(String::new, |(low, high)| format!("{} – {}", fine(low), fine(high)));
                (Cell::Number { value: seen.value, within, interval: None, mark: "" }, words)
            }
            Err(why) => (Cell::Missing(why.words(lang)), why.words(lang)),
        };
        Row::new(vec![Cell::text(metric.name), value, Cell::text(unit), Cell::Text(bounds)])
    };
    Table { columns, rows: registry().map(row).collect(), lang, ..Table::default() }
}

fn texts(reply: &Reply<'_>, lang: Lang) -> Table {
    let column = |name: &str, kind| Column::new(name, name, kind);
    let number = Kind::Number { in_seconds: false, digits: Digits::Three };
    let columns = vec![
        column("text", Kind::Name),
        column("phase", Kind::Words),
        column("at_ms", number),
        column("earliest_ms", number),
        column("tokens", number),
        column("bytes", number),
        column("chunk", number),
        column("read", number),
    ];
    let counts: Option<&[f64]> = reply.counts().ok().map(|counts| counts.per_event.as_slice());
    let row = |(i, point): (usize, crate::timeline::Point)| {
        let moment = reply.moment(&point);
        let tokens = counts
            .and_then(|counts| counts.get(i))
            .map_or_else(|| Cell::Missing(lang.say("not counted", "未计数").into()), |n| Cell::number(*n));
        let numbers = [f64::from(point.bytes), f64::from(point.chunk), f64::from(point.read)].map(Cell::number);
        let named = [Cell::text((i + 1).to_string()), Cell::text(phase(point.phase))];
        let times = [Cell::number(moment.at), Cell::number(moment.earliest), tokens];
        Row::new(named.into_iter().chain(times).chain(numbers).collect())
    };
    let rows = if reply.answer.timeline.is_sound() { reply.answer.timeline.points().enumerate().map(row).collect() } else { Vec::new() };
    Table { columns, rows, lang, ..Table::default() }
}

const fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Reasoning => "reasoning",
        Phase::Content => "content",
        Phase::Tool => "tool",
    }
}
