//! One request in full: its drawing, its facts, its metrics, and every text with its mark.

use super::drawing::{LEGEND, bars};
use super::harmless::markdown;
use super::prose::{pairs, prose};
use super::targets::{target_name, titled};
use super::{Cell, Column, Digits, Format, Kind, Lang, Row, Table, Worded, json, shown};
use crate::analysis::{BasisBecause, Standing};
use crate::metric::{Reply, flags, registry};
use crate::record::{Answer, TargetFacts, Trial};
use crate::timeline::{Ended, Phase};
use crate::tokens::{Basis, Counts};
use std::fmt::Write;

/// A request in full.
#[derive(Debug, Clone)]
pub struct Portrait {
    title: String,
    facts: Vec<(String, String)>,
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
    let name = target_name(target.id.as_str(), target.simulated);
    Portrait {
        title: titled(&format!("round {}, prompt {}, {name}", trial.round, trial.prompt), context.scale),
        facts: facts(trial, target, reply, context),
        metrics: metrics(reply),
        texts: texts(reply),
        drawing: bars(reply, width),
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
            prose(&mut out, LEGEND, width, 0, anstyle::Style::new());
            out.push('\n');
        }
        pairs(&mut out, &self.facts, width);
        out.push('\n');
        out.push_str(&self.metrics.write(Format::Terminal, width));
        out
    }

    fn markdown(&self) -> String {
        let mut out = format!("### {}\n\n", markdown(&self.title));
        if !self.drawing.is_empty() {
            let _ = write!(out, "```text\n{}\n{LEGEND}\n```\n\n", self.drawing.join("\n"));
        }
        for (name, value) in &self.facts {
            let _ = writeln!(out, "- {}: {}", markdown(name), markdown(value));
        }
        out.push('\n');
        out.push_str(&self.metrics.write(Format::Markdown, 0));
        out
    }

    fn json(&self) -> String {
        let facts: Vec<serde_json::Value> =
            self.facts.iter().map(|(name, value)| serde_json::json!({"name": name, "value": value})).collect();
        json::text(&serde_json::json!({
            "title": self.title,
            "facts": facts,
            "metrics": json::table(&self.metrics)["rows"],
            "texts": json::table(&self.texts)["rows"],
        }))
    }
}

fn metrics(reply: &Reply<'_>) -> Table {
    let column = |name: &str, title: &str, kind| Column::new(name, title, kind);
    let columns = vec![
        column("metric", "metric", Kind::Name),
        column("value", "value", Kind::Number { in_seconds: false, digits: Digits::Fine }),
        column("unit", "unit", Kind::Words),
        column("bounds", "at least – at most, or why there is none", Kind::Words),
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
            Err(why) => (Cell::Missing(why.to_string()), why.to_string()),
        };
        Row::new(vec![Cell::text(metric.name), value, Cell::text(unit), Cell::Text(bounds)])
    };
    Table { columns, rows: registry().map(row).collect(), ..Table::default() }
}

fn texts(reply: &Reply<'_>) -> Table {
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
        let tokens = counts.and_then(|counts| counts.get(i)).map_or_else(|| Cell::Missing("not counted".into()), |n| Cell::number(*n));
        let numbers = [f64::from(point.bytes), f64::from(point.chunk), f64::from(point.read)].map(Cell::number);
        let named = [Cell::text((i + 1).to_string()), Cell::text(phase(point.phase))];
        let times = [Cell::number(moment.at), Cell::number(moment.earliest), tokens];
        Row::new(named.into_iter().chain(times).chain(numbers).collect())
    };
    let rows = if reply.answer.timeline.is_sound() { reply.answer.timeline.points().enumerate().map(row).collect() } else { Vec::new() };
    Table { columns, rows, ..Table::default() }
}

const fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Reasoning => "reasoning",
        Phase::Content => "content",
        Phase::Tool => "tool",
    }
}

fn facts(trial: &Trial, target: &TargetFacts, reply: &Reply<'_>, context: &Context<'_>) -> Vec<(String, String)> {
    let answer = reply.answer;
    let mut facts: Vec<(String, String)> = Vec::new();
    let mut tell = |name: &str, value: String| facts.push((name.to_owned(), value));
    tell("outcome", reply.outcome.name().into());
    tell("counts", context.standing.map_or_else(|| "not".to_owned(), |standing| standing.words(context.lang)));
    let raised: Vec<&str> = flags(reply).into_iter().map(|flag| flag.name()).collect();
    if !raised.is_empty() {
        tell("flags", raised.join(" "));
    }
    tell("ended", ended(&answer.ended));
    if let Some(status) = answer.status {
        tell("status", status.to_string());
    }
    tell("finish", answer.finish.as_ref().map_or_else(|| "none".into(), |finish| finish.raw.clone()));
    if let Some(error) = &answer.error {
        tell("error", error_words(error));
    }
    tell(
        "model",
        answer
            .model
            .as_ref()
            .map_or_else(|| format!("asked {}", target.model), |model| format!("asked {}, answered {model}", target.model)),
    );
    for (name, value) in [("fingerprint", &answer.fingerprint), ("upstream", &answer.upstream)] {
        if let Some(value) = value {
            tell(name, value.clone());
        }
    }
    tell("usage", usage(answer));
    tell("tokens", counted(reply, context));
    tell("connection", connection(answer, reply.rules.scale));
    tell("marks", exactness(reply));
    tell(
        "reads",
        format!(
            "{}, of {} bytes: {} frames, {} comments, {} unreadable",
            answer.reads.count, answer.reads.bytes, answer.frames, answer.comments, answer.unreadable
        ),
    );
    tell(
        "sent",
        format!("{} UTC, place {} of its block, attempt {}", trial.wall.strftime("%Y-%m-%d %H:%M:%S"), trial.place, trial.attempt),
    );
    for (name, value) in &answer.headers {
        tell("header", format!("{name}: {value}"));
    }
    facts
}

fn ended(ended: &Ended) -> String {
    match ended {
        Ended::Complete => "complete".into(),
        Ended::ClosedEarly { message } => format!("closed early: {message}"),
        Ended::TimedOut { limit } => format!("our limit ran out: {}", word(limit)),
        Ended::Unreadable { message } => format!("unreadable: {message}"),
        Ended::TooLarge { message } => format!("too large: {message}"),
        Ended::ConnectFailed { stage, message, local } => {
            let whose = if *local { ", on this machine" } else { "" };
            format!("no connection ({}{whose}): {message}", word(stage))
        }
        Ended::SendFailed { message } => format!("not sent: {message}"),
        Ended::Cancelled => "cancelled by us".into(),
    }
}

fn error_words(error: &crate::timeline::ProviderError) -> String {
    use crate::timeline::ErrorCode;
    let code = match &error.code {
        Some(ErrorCode::Number(code)) => format!(" {code}"),
        Some(ErrorCode::Text(code)) => format!(" {code}"),
        None => String::new(),
    };
    let place = if error.in_stream { " in the stream" } else { "" };
    format!("{}{code}{place}: {}", word(&error.kind), error.message)
}

/// A word of the record, as it is written there.
fn word(of: &impl serde::Serialize) -> String {
    serde_json::to_value(of).ok().and_then(|value| Some(value.as_str()?.to_owned())).unwrap_or_default()
}

fn usage(answer: &Answer) -> String {
    let Some(usage) = &answer.usage else { return "none reported".into() };
    let counts = [
        ("prompt", usage.prompt),
        ("completion", usage.completion),
        ("reasoning", usage.reasoning),
        ("cached", usage.cached),
        ("total", usage.total),
        ("completion as sent", usage.completion_reported),
    ];
    let told: Vec<String> = counts.into_iter().filter_map(|(name, n)| Some(format!("{name} {}", n?))).collect();
    told.join(", ")
}

fn counted(reply: &Reply<'_>, context: &Context<'_>) -> String {
    let tokenizer = context.tokenizer;
    let of = |arrivals: &[crate::metric::Arrival]| arrivals.iter().filter_map(|arrival| arrival.tokens).sum::<f64>() + 0.0;
    let basis = match reply.basis {
        Basis::Reported => "as reported".to_owned(),
        Basis::Reference => format!("by {tokenizer}"),
        Basis::Chars => "characters".to_owned(),
    };
    let reference = reply.tally.reference.as_ref().map(Counts::total);
    let also = match (reply.basis, reference) {
        (Basis::Reference, _) | (_, Err(_)) => String::new(),
        (_, Ok(total)) => format!("; {total:.0} by {tokenizer}"),
    };
    let because = context.basis_because.words(context.lang);
    match reply.counts() {
        Ok(counts) => {
            let (reasoning, answer) = (of(&reply.reasoning), of(&reply.content));
            format!("{reasoning:.0} reasoning + {answer:.0} answer = {:.0} {basis} ({because}){also}", counts.total() + 0.0)
        }
        Err(why) => format!("not counted {basis}: {why} ({because}){also}"),
    }
}

fn connection(answer: &Answer, scale: f64) -> String {
    let connect = &answer.connect;
    if connect.reused {
        return format!("kept alive (number {})", connect.id);
    }
    let phases = [("dns", connect.dns_ns), ("tcp", connect.tcp_ns), ("proxy", connect.proxy_ns), ("tls", connect.tls_ns)];
    let told: Vec<String> =
        phases.into_iter().filter_map(|(name, ns)| Some(format!("{name} {} ms", shown(ns? as f64 / 1e6 * scale, Digits::Three)))).collect();
    let versions: Vec<&str> = [connect.http.as_deref(), connect.tls.as_deref(), connect.peer.as_deref()].into_iter().flatten().collect();
    format!("opened (number {}): {} {}", connect.id, told.join(", "), versions.join(" "))
}

/// How exact the marks are: the share that is, and for the others whether the stream's end or this client's lag widened them.
fn exactness(reply: &Reply<'_>) -> String {
    let arrivals = &reply.arrivals;
    let Some(last) = arrivals.last() else { return "no text came".into() };
    let wide: Vec<&crate::metric::Arrival> = arrivals.iter().filter(|arrival| !arrival.moment.exact()).collect();
    let share = 100.0 * (arrivals.len() - wide.len()) as f64 / arrivals.len() as f64;
    let mut words = format!("{share:.1} % of {} arrivals exact", arrivals.len());
    if !wide.is_empty() {
        let at_end = wide.iter().filter(|arrival| arrival.read == last.read).count();
        let widest = wide.iter().map(|arrival| arrival.moment.at - arrival.moment.earliest).fold(0.0, f64::max);
        let _ = write!(
            words,
            "; intervals: {at_end} with the stream's end, {} while this client lagged, widest {} ms",
            wide.len() - at_end,
            shown(widest, Digits::Three)
        );
    }
    let mut lag: Vec<u32> = reply.answer.reads.lag_ns.clone();
    lag.sort_unstable();
    if let Some(most) = lag.last() {
        let _ = write!(words, "; read lag {} µs median, {} µs most", lag[lag.len() / 2] / 1000, most / 1000);
    }
    words
}
