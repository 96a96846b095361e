//! The facts of one request, each with its name and its words.

use super::portrait::Context;
use super::{Digits, Lang, Worded, shown};
use crate::metric::{Arrival, Reply, flags};
use crate::record::{Answer, TargetFacts, Trial};
use crate::timeline::{Ended, ErrorCode, ProviderError};
use crate::tokens::{Basis, Counts};

/// A fact of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fact {
    Outcome,
    Counts,
    Flags,
    Ended,
    Status,
    Finish,
    Error,
    Model,
    Fingerprint,
    Upstream,
    Usage,
    Tokens,
    Connection,
    Marks,
    Reads,
    Sent,
    Header,
}

impl Fact {
    /// Its name; files hold the English one.
    pub(super) const fn name(self, lang: Lang) -> &'static str {
        let (en, zh) = match self {
            Fact::Outcome => ("outcome", "结果"),
            Fact::Counts => ("counts", "计入"),
            Fact::Flags => ("flags", "标志"),
            Fact::Ended => ("ended", "如何结束"),
            Fact::Status => ("status", "状态码"),
            Fact::Finish => ("finish", "结束原因"),
            Fact::Error => ("error", "错误"),
            Fact::Model => ("model", "模型"),
            Fact::Fingerprint => ("fingerprint", "指纹"),
            Fact::Upstream => ("upstream", "上游"),
            Fact::Usage => ("usage", "用量"),
            Fact::Tokens => ("tokens", "token 数"),
            Fact::Connection => ("connection", "连接"),
            Fact::Marks => ("marks", "时间标记"),
            Fact::Reads => ("reads", "读取"),
            Fact::Sent => ("sent", "发出"),
            Fact::Header => ("header", "响应头"),
        };
        lang.say(en, zh)
    }
}

pub(super) fn facts(trial: &Trial, target: &TargetFacts, reply: &Reply<'_>, context: &Context<'_>) -> Vec<(Fact, String)> {
    let (answer, lang) = (reply.answer, context.lang);
    let mut facts: Vec<(Fact, String)> = Vec::new();
    let mut tell = |fact: Fact, value: String| facts.push((fact, value));
    tell(Fact::Outcome, reply.outcome.name().into());
    tell(Fact::Counts, context.standing.map_or_else(|| lang.say("not", "不计").to_owned(), |standing| standing.words(lang)));
    let raised: Vec<&str> = flags(reply).into_iter().map(|flag| flag.name()).collect();
    if !raised.is_empty() {
        tell(Fact::Flags, raised.join(" "));
    }
    tell(Fact::Ended, ended(&answer.ended, lang));
    if let Some(status) = answer.status {
        tell(Fact::Status, status.to_string());
    }
    tell(Fact::Finish, answer.finish.as_ref().map_or_else(|| lang.say("none", "无").into(), |finish| finish.raw.clone()));
    if let Some(error) = &answer.error {
        tell(Fact::Error, error_words(error, lang));
    }
    tell(Fact::Model, model(target, answer, lang));
    for (fact, value) in [(Fact::Fingerprint, &answer.fingerprint), (Fact::Upstream, &answer.upstream)] {
        if let Some(value) = value {
            tell(fact, value.clone());
        }
    }
    tell(Fact::Usage, usage(answer, lang));
    tell(Fact::Tokens, counted(reply, context));
    tell(Fact::Connection, connection(answer, reply.rules.scale, lang));
    tell(Fact::Marks, exactness(reply, lang));
    tell(Fact::Reads, reads(answer, lang));
    tell(Fact::Sent, sent(trial, lang));
    for (name, value) in &answer.headers {
        tell(Fact::Header, format!("{name}: {value}"));
    }
    facts
}

fn ended(ended: &Ended, lang: Lang) -> String {
    let behind = |en, zh, message: &str| format!("{}{message}", lang.say(en, zh));
    match ended {
        Ended::Complete => lang.say("complete", "完整").into(),
        Ended::ClosedEarly { message } => behind("closed early: ", "提前关闭：", message),
        Ended::TimedOut { limit } => behind("our limit ran out: ", "触及本客户端的时限：", &word(limit)),
        Ended::Unreadable { message } => behind("unreadable: ", "无法解析：", message),
        Ended::TooLarge { message } => behind("too large: ", "过大：", message),
        Ended::ConnectFailed { stage, message, local } => {
            let whose = if *local { lang.say(", on this machine", "，在本机") } else { "" };
            match lang {
                Lang::En => format!("no connection ({}{whose}): {message}", word(stage)),
                Lang::Zh => format!("未能连接（{}{whose}）：{message}", word(stage)),
            }
        }
        Ended::SendFailed { message } => behind("not sent: ", "未能发出：", message),
        Ended::Cancelled => lang.say("cancelled by us", "由本客户端中止").into(),
    }
}

fn error_words(error: &ProviderError, lang: Lang) -> String {
    let code = match &error.code {
        Some(ErrorCode::Number(code)) => format!(" {code}"),
        Some(ErrorCode::Text(code)) => format!(" {code}"),
        None => String::new(),
    };
    let place = if error.in_stream { lang.say(" in the stream", "（流内）") } else { "" };
    format!("{}{code}{place}{}{}", word(&error.kind), lang.say(": ", "："), error.message)
}

/// A word of the record, as it is written there.
fn word(of: &impl serde::Serialize) -> String {
    serde_json::to_value(of).ok().and_then(|value| Some(value.as_str()?.to_owned())).unwrap_or_default()
}

fn model(target: &TargetFacts, answer: &Answer, lang: Lang) -> String {
    let asked = &target.model;
    match (&answer.model, lang) {
        (Some(model), Lang::En) => format!("asked {asked}, answered {model}"),
        (Some(model), Lang::Zh) => format!("请求 {asked}，应答 {model}"),
        (None, Lang::En) => format!("asked {asked}"),
        (None, Lang::Zh) => format!("请求 {asked}"),
    }
}

fn usage(answer: &Answer, lang: Lang) -> String {
    let Some(usage) = &answer.usage else { return lang.say("none reported", "没有上报").into() };
    // Names of fields, which are the same in both languages.
    let counts = [
        ("prompt", usage.prompt),
        ("completion", usage.completion),
        ("reasoning", usage.reasoning),
        ("cached", usage.cached),
        ("total", usage.total),
        (lang.say("completion as sent", "completion（原样）"), usage.completion_reported),
    ];
    lang.list(counts.into_iter().filter_map(|(name, n)| Some(format!("{name} {}", n?))))
}

fn counted(reply: &Reply<'_>, context: &Context<'_>) -> String {
    let (tokenizer, lang) = (context.tokenizer, context.lang);
    let of = |arrivals: &[Arrival]| arrivals.iter().filter_map(|arrival| arrival.tokens).sum::<f64>() + 0.0;
    let basis = match reply.basis {
        Basis::Reported => lang.say("as reported", "按上报").to_owned(),
        Basis::Reference => format!("{}{tokenizer}", lang.say("by ", "按 ")),
        Basis::Chars => lang.say("characters", "按字符").to_owned(),
    };
    let reference = reply.tally.reference.as_ref().map(Counts::total);
    let also = match (reply.basis, reference, lang) {
        (Basis::Reference, ..) | (_, Err(_), _) => String::new(),
        (_, Ok(total), Lang::En) => format!("; {total:.0} by {tokenizer}"),
        (_, Ok(total), Lang::Zh) => format!("；按 {tokenizer} 为 {total:.0}"),
    };
    let because = context.basis_because.words(lang);
    match (reply.counts(), lang) {
        (Ok(counts), _) => {
            let (reasoning, answer, all) = (of(&reply.reasoning), of(&reply.content), counts.total() + 0.0);
            match lang {
                Lang::En => format!("{reasoning:.0} reasoning + {answer:.0} answer = {all:.0} {basis} ({because}){also}"),
                Lang::Zh => format!("推理 {reasoning:.0} + 回答 {answer:.0} = {all:.0}，{basis}（{because}）{also}"),
            }
        }
        (Err(why), Lang::En) => format!("not counted {basis}: {why} ({because}){also}"),
        (Err(why), Lang::Zh) => format!("未能{basis}计数：{}（{because}）{also}", why.words(lang)),
    }
}

fn connection(answer: &Answer, scale: f64, lang: Lang) -> String {
    let connect = &answer.connect;
    let number = match lang {
        Lang::En => format!(" (number {})", connect.id),
        Lang::Zh => format!("（第 {} 号）", connect.id),
    };
    if connect.reused {
        return format!("{}{number}", lang.say("kept alive", "沿用已有连接"));
    }
    let phases = [("dns", connect.dns_ns), ("tcp", connect.tcp_ns), ("proxy", connect.proxy_ns), ("tls", connect.tls_ns)];
    let told = phases.into_iter().filter_map(|(name, ns)| Some(format!("{name} {} ms", shown(ns? as f64 / 1e6 * scale, Digits::Three))));
    let versions: Vec<&str> = [connect.http.as_deref(), connect.tls.as_deref(), connect.peer.as_deref()].into_iter().flatten().collect();
    format!("{}{number}{}{} {}", lang.say("opened", "新建连接"), lang.say(": ", "："), lang.list(told), versions.join(" "))
}

/// How exact the marks are: the share that is, and for the others whether the stream's end or this client's lag widened them.
fn exactness(reply: &Reply<'_>, lang: Lang) -> String {
    let (arrivals, n) = (&reply.arrivals, reply.arrivals.len());
    let Some(last) = arrivals.last() else { return lang.say("no text came", "没有收到任何文本").into() };
    let wide: Vec<&Arrival> = arrivals.iter().filter(|arrival| !arrival.moment.exact()).collect();
    let share = 100.0 * (n - wide.len()) as f64 / n as f64;
    let mut words = match lang {
        Lang::En => format!("{share:.1} % of {n} arrivals exact"),
        Lang::Zh => format!("{n} 次到达中 {share:.1} % 时刻精确"),
    };
    if !wide.is_empty() {
        let at_end = wide.iter().filter(|arrival| arrival.read == last.read).count();
        let lagged = wide.len() - at_end;
        let widest = shown(wide.iter().map(|arrival| arrival.moment.at - arrival.moment.earliest).fold(0.0, f64::max), Digits::Three);
        words.push_str(&match lang {
            Lang::En => {
                format!("; intervals: {at_end} with the stream's end, {lagged} while this client lagged, widest {widest} ms")
            }
            Lang::Zh => format!("；其余只知区间：{at_end} 次与流的结束同到，{lagged} 次因本客户端延迟，最宽 {widest} ms"),
        });
    }
    let mut lag: Vec<u32> = reply.answer.reads.lag_ns.clone();
    lag.sort_unstable();
    if let Some(most) = lag.last() {
        let (median, most) = (lag[lag.len() / 2] / 1000, most / 1000);
        words.push_str(&match lang {
            Lang::En => format!("; read lag {median} µs median, {most} µs most"),
            Lang::Zh => format!("；读取延迟中位数 {median} µs，最大 {most} µs"),
        });
    }
    words
}

fn reads(answer: &Answer, lang: Lang) -> String {
    let (count, bytes) = (answer.reads.count, answer.reads.bytes);
    let (frames, comments, unreadable) = (answer.frames, answer.comments, answer.unreadable);
    match lang {
        Lang::En => format!("{count}, of {bytes} bytes: {frames} frames, {comments} comments, {unreadable} unreadable"),
        Lang::Zh => format!("{count} 次，共 {bytes} 字节：{frames} 帧，{comments} 条注释，{unreadable} 帧无法解析"),
    }
}

fn sent(trial: &Trial, lang: Lang) -> String {
    let (wall, place, attempt) = (trial.wall.strftime("%Y-%m-%d %H:%M:%S"), trial.place, trial.attempt);
    match lang {
        Lang::En => format!("{wall} UTC, place {place} of its block, attempt {attempt}"),
        Lang::Zh => format!("{wall} UTC，区组中第 {place} 位，第 {attempt} 次尝试"),
    }
}
