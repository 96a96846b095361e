//! What the faults do to a planned reply. Faults that answer without a stream are in `answer.rs`.

use super::fault::{Fault, Rule};
use super::reply::{Lie, Reply};
use super::script::{Act, End, Phase, Script, Shape, Step};
use super::template::escaped;
use super::wording::ReasoningAs;
use base64::Engine;

/// Terminal and bidi tricks, Markdown, HTML and spreadsheet formulas: what must come out harmless in every report.
pub const ODD_TEXT: &str = "\u{1b}]0;owned\u{7}\u{1b}[31mred\u{1b}[0m \u{202e}txt.exe\u{2066} =HYPERLINK(\"http://example.invalid\") | **bold** [x](javascript:alert(1)) <script>alert(1)</script> `code` \u{9b}31m\u{0}\u{8}";

/// What the faults change before planning.
pub fn shape(faults: &[(Fault, &Rule)]) -> Shape {
    let mut shape = Shape::default();
    for (fault, rule) in faults {
        match fault {
            Fault::NoContent => shape.no_content = true,
            Fault::EmptyReply => shape.empty = true,
            Fault::WholeAnswerAtOnce => shape.at_once = true,
            Fault::Bundled => shape.tokens_per_chunk = Some(rule.count.unwrap_or(8).max(1) as usize),
            Fault::RoleEarly => shape.role_before_ms = Some(rule.ms.unwrap_or(300.0)),
            Fault::BothNames => shape.reasoning_as = Some(ReasoningAs::Both),
            Fault::InlineThink => shape.reasoning_as = Some(ReasoningAs::Inline),
            Fault::InlineThinkSplit => shape.reasoning_as = Some(ReasoningAs::InlineSplit),
            Fault::InlineThinkUnopened => shape.reasoning_as = Some(ReasoningAs::InlineUnopened),
            Fault::InlineThinkUnclosed => shape.reasoning_as = Some(ReasoningAs::InlineUnclosed),
            _ => {}
        }
    }
    shape
}

/// How the body is put on the wire.
#[derive(Debug, Clone, Copy, Default)]
pub struct Carriage {
    /// HTTP/1.0, ended by closing the connection.
    pub http10: bool,
    /// `content-encoding: gzip`.
    pub gzip: bool,
    /// Each chunk in so many writes, so many nanoseconds apart.
    pub drip: Option<(usize, u64)>,
    /// After the header nothing.
    pub hang_after_head: bool,
}

/// Applies the faults that remain to a reply. `key` is the key of the request, if it had one.
pub fn distort(reply: &mut Reply, faults: &[(Fault, &Rule)], key: Option<&str>) -> Carriage {
    let mut carriage = Carriage::default();
    let ns_per_ms = reply.script.ns_per_ms;
    let ns = |ms: f64| (ms * ns_per_ms) as u64;
    for (fault, rule) in faults {
        match fault {
            Fault::UsageMissing => reply.without_usage(),
            Fault::UsageNull => reply.null_usage = true,
            Fault::UsageReasoningZero => reply.lie = Lie::ReasoningZero,
            Fault::UsageExcludesReasoning => reply.lie = Lie::ExcludesReasoning,
            Fault::UsageWrong => reply.lie = Lie::Times(rule.factor.unwrap_or(2.0)),
            Fault::UsageBesideChoices => reply.choice_beside_usage = true,
            Fault::OddFinish => reply.set_finish(rule.text.as_deref().unwrap_or("insufficient_system_resource")),
            Fault::FinishMissing => reply.script.steps.retain(|step| step.act != Act::Last),
            Fault::BothInOneChunk => both_in_one_chunk(&mut reply.script),
            Fault::KeepAlivesFirst => keep_alives_first(&mut reply.script, rule.count.unwrap_or(3)),
            Fault::EmptyChoices => {
                aside(reply, rule, |_| Act::Event(r#"{"id":"$id","object":"chat.completion.chunk","choices":[]}"#.to_owned()))
            }
            Fault::NullChoices => {
                aside(reply, rule, |_| Act::Event(r#"{"id":"$id","object":"chat.completion.chunk","choices":null}"#.to_owned()))
            }
            Fault::JunkEvents => junk(reply, rule),
            Fault::NulText => aside(reply, rule, |_| Act::Delta(r#""content":"\u0000""#.to_owned())),
            Fault::LoneSurrogate => aside(reply, rule, |_| Act::Delta(r#""content":"\ud83c""#.to_owned())),
            Fault::OddText => {
                let text = rule.text.clone().unwrap_or_else(|| ODD_TEXT.to_owned());
                aside(reply, rule, move |_| Act::Aside(text));
            }
            Fault::ToolCall => tool_call(reply),
            Fault::EchoKeyText | Fault::EchoKeyTextSplit | Fault::EchoKeyUrlencoded | Fault::EchoKeyBase64 => {
                for text in echoed(*fault, key.unwrap_or("")) {
                    aside(reply, rule, move |_| Act::Aside(text));
                }
            }
            Fault::Stall => {
                stall(&mut reply.script, rule, ns(rule.ms.unwrap_or(20_000.0)), Some(ns(rule.every_ms.unwrap_or(1000.0)).max(1)))
            }
            Fault::SilentStall => stall(&mut reply.script, rule, ns(rule.ms.unwrap_or(20_000.0)), None),
            Fault::NoDone => reply.script.steps.retain(|step| step.act != Act::Done),
            Fault::NoFinalBlank => {
                if let Some(step) = reply.script.steps.iter_mut().find(|step| step.act == Act::Done) {
                    step.act = Act::Bytes(format!("{}[DONE]", reply.lines.data).into_bytes());
                }
            }
            Fault::AfterDone => {
                let at = reply.script.steps.last().map_or(0, |step| step.at);
                let text = rule.text.clone().unwrap_or_else(|| " after the end".to_owned());
                reply.script.steps.push(Step { at, act: Act::Aside(text) });
            }
            Fault::EndsEarly => cut(&mut reply.script, rule, 0.5, End::Clean, vec![]),
            Fault::EndsInsideEvent | Fault::EndsInsideUtf8 => {
                let half = match fault {
                    Fault::EndsInsideEvent => next_text(&reply.script, rule).map(|act| Act::Part(Box::new(act), 0.6)),
                    _ => Some(Act::Bytes(inside_utf8(reply))),
                };
                cut(&mut reply.script, rule, 0.5, End::Clean, half.into_iter().collect());
            }
            Fault::BodyCut => cut(&mut reply.script, rule, 0.5, End::Cut, vec![]),
            Fault::ResetMidstream => cut(&mut reply.script, rule, 0.5, End::Reset, vec![]),
            Fault::ErrorEvent => {
                let done = reply.done_after_error().then_some(Act::Done);
                cut(&mut reply.script, rule, 0.5, End::Clean, std::iter::once(Act::Error(rule.text.clone())).chain(done).collect());
            }
            Fault::ErrorEventThenDone => cut(&mut reply.script, rule, 0.5, End::Clean, vec![Act::Error(rule.text.clone()), Act::Done]),
            Fault::ErrorNamedEvent | Fault::ErrorField => {
                let message = escaped(rule.text.as_deref().unwrap_or("The model has crashed."));
                let line = match fault {
                    Fault::ErrorField => format!("error: {{\"code\":500,\"message\":\"{message}\",\"type\":\"server_error\"}}\n\n"),
                    _ => format!(
                        "event: error\ndata: {{\"error\":{{\"message\":\"{message}\",\"type\":\"server_error\",\"code\":\"internal_error\"}}}}\n\n"
                    ),
                };
                cut(&mut reply.script, rule, 0.5, End::Clean, vec![Act::Bytes(line.into_bytes())]);
            }
            Fault::HangAfterHeaders => carriage.hang_after_head = true,
            Fault::HangMidstream => cut(&mut reply.script, rule, 0.5, End::Hang, vec![]),
            Fault::EndlessLine => {
                cut(&mut reply.script, rule, 0.5, End::EndlessLine, vec![Act::Part(Box::new(Act::Aside("x".repeat(64))), 0.7)])
            }
            Fault::EndlessStream => {
                let every = ns(rule.ms.unwrap_or(1.0)).max(100_000);
                cut(&mut reply.script, rule, 0.5, End::EndlessStream(every), vec![]);
            }
            Fault::SlowDrip => carriage.drip = Some((rule.count.unwrap_or(4).clamp(2, 64) as usize, ns(rule.ms.unwrap_or(2.0)))),
            Fault::ChunksInOneWrite => several(&mut reply.script, rule.count.unwrap_or(4).max(2) as usize),
            Fault::Http10 => carriage.http10 = true,
            Fault::Gzip => carriage.gzip = true,
            Fault::Crlf => reply.lines.end = "\r\n",
            Fault::CrOnly => reply.lines.end = "\r",
            Fault::Bom => {
                let at = reply.script.head_at;
                reply.script.steps.insert(0, Step { at, act: Act::Bytes(b"\xef\xbb\xbf".to_vec()) });
            }
            Fault::NoSpace => reply.lines.data = "data:",
            Fault::MultilineData => reply.lines.cut = true,
            _ => {}
        }
    }
    carriage
}

/// Where in the steps the share `after` of the chunks with text is past: behind at least one, before the last.
fn place(script: &Script, rule: &Rule, usual: f64) -> usize {
    let texts: Vec<usize> = script.steps.iter().enumerate().filter(|(_, step)| is_text(&step.act)).map(|(index, _)| index).collect();
    let passed = (texts.len() as f64 * rule.after.unwrap_or(usual)) as usize;
    match texts.get(passed) {
        Some(index) => *index,
        None => texts.last().map_or(script.steps.len(), |last| last + 1),
    }
}

fn is_text(act: &Act) -> bool {
    matches!(act, Act::Text { .. } | Act::Both { .. } | Act::Several(_))
}

/// Ends the script at a place, with something more.
fn cut(script: &mut Script, rule: &Rule, usual: f64, end: End, more: Vec<Act>) {
    let place = place(script, rule, usual);
    let at = script.steps.get(place).or(script.steps.last()).map_or(script.head_at, |step| step.at);
    script.steps.truncate(place);
    script.steps.extend(more.into_iter().map(|act| Step { at, act }));
    script.end = end;
}

/// Puts an act in between, at the time of what follows.
fn aside(reply: &mut Reply, rule: &Rule, make: impl FnOnce(&Reply) -> Act) {
    let act = make(reply);
    let script = &mut reply.script;
    let place = place(script, rule, 0.5);
    let at = script.steps.get(place).or(script.steps.last()).map_or(script.head_at, |step| step.at);
    script.steps.insert(place, Step { at, act });
}

fn junk(reply: &mut Reply, rule: &Rule) {
    for event in [
        "null",
        "{}",
        "",
        "not json",
        "[1,2",
        r#"{"choices":[{"delta":null}]}"#,
        r#"{"choices":[{}]}"#,
        "\"text\"",
        "42",
        "{\"choices\":[{\"index\":0,\"delta\":{\"content\":{\"deep\":[]}}}]}",
    ] {
        aside(reply, rule, move |reply| Act::Bytes(format!("{}{event}{end}{end}", reply.lines.data, end = reply.lines.end).into_bytes()));
    }
    let end = reply.lines.end;
    aside(reply, rule, move |_| Act::Bytes(format!("nocolon{end}id: 7{end}retry: 0{end}foo: bar{end}{end}").into_bytes()));
}

fn tool_call(reply: &mut Reply) {
    let place = reply.script.steps.iter().position(|step| step.act == Act::Last).unwrap_or(reply.script.steps.len());
    let at = reply.script.steps.get(place).or(reply.script.steps.last()).map_or(reply.script.head_at, |step| step.at);
    for (index, delta) in [
        r#""tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"weather","arguments":""}}]"#,
        r#""tool_calls":[{"index":0,"function":{"arguments":"{\"city\": "}}]"#,
        r#""tool_calls":[{"index":0,"function":{"arguments":"\"Shenzhen\"}"}}]"#,
    ]
    .into_iter()
    .enumerate()
    {
        reply.script.steps.insert(place + index, Step { at, act: Act::Delta(delta.to_owned()) });
    }
    reply.set_finish("tool_calls");
}

/// The key in the forms that a filter must know.
fn echoed(fault: Fault, key: &str) -> Vec<String> {
    match fault {
        Fault::EchoKeyText => vec![format!(" your key is {key} ")],
        Fault::EchoKeyTextSplit => {
            let letters: Vec<char> = key.chars().collect();
            letters.chunks(letters.len().div_ceil(3).max(1)).map(|part| part.iter().collect()).collect()
        }
        Fault::EchoKeyUrlencoded => {
            let encoded = percent_encoding::utf8_percent_encode(key, percent_encoding::NON_ALPHANUMERIC).to_string();
            vec![format!(" https://example.invalid/?key={encoded} ")]
        }
        _ => vec![
            format!(" {} ", base64::engine::general_purpose::STANDARD.encode(key)),
            format!(" {} ", base64::engine::general_purpose::STANDARD.encode(format!("Bearer {key}"))),
        ],
    }
}

/// The last chunk of reasoning and the first of content become one.
fn both_in_one_chunk(script: &mut Script) {
    let last = script.steps.iter().rposition(|step| matches!(step.act, Act::Text { phase: Phase::Reasoning, .. }));
    let first = script.steps.iter().position(|step| matches!(step.act, Act::Text { phase: Phase::Content, .. }));
    let (Some(last), Some(first)) = (last, first) else { return };
    if let (Act::Text { from: r0, to: r1, .. }, Act::Text { from: c0, to: c1, .. }) = (&script.steps[last].act, &script.steps[first].act) {
        let both = Act::Both { reasoning: (*r0, *r1), content: (*c0, *c1) };
        script.steps[first].act = both;
        script.steps.remove(last);
    }
}

/// Comments, evenly spread over the wait for the first step.
fn keep_alives_first(script: &mut Script, count: u32) {
    let first = script.steps.first().map_or(0, |step| step.at);
    script.head_at = 0;
    for index in (1..=u64::from(count)).rev() {
        let at = first * index / (u64::from(count) + 1);
        script.steps.insert(0, Step { at, act: Act::Comment });
    }
}

/// Everything behind a place comes later; comments meanwhile if `every` says how often.
fn stall(script: &mut Script, rule: &Rule, long: u64, every: Option<u64>) {
    let place = place(script, rule, 0.25);
    let Some(from) = script.steps.get(place).map(|step| step.at) else { return };
    for step in &mut script.steps[place..] {
        step.at += long;
    }
    let Some(every) = every else { return };
    let comments = (1..).map(|index| from + index * every).take_while(|at| *at < from + long).take(100_000);
    let comments: Vec<Step> = comments.map(|at| Step { at, act: Act::Comment }).collect();
    script.steps.splice(place..place, comments);
}

/// Chunks of one phase that follow each other leave together, at the time of the last.
fn several(script: &mut Script, count: usize) {
    let mut together: Vec<Step> = Vec::new();
    let mut run: Vec<Step> = Vec::new();
    let phase = |act: &Act| match act {
        Act::Text { phase, .. } => Some(*phase),
        _ => None,
    };
    let flush = |run: &mut Vec<Step>, together: &mut Vec<Step>| {
        if let Some(last) = run.last() {
            let at = last.at;
            together.push(Step { at, act: Act::Several(run.drain(..).map(|step| step.act).collect()) });
        }
    };
    for step in script.steps.drain(..) {
        let of = phase(&step.act);
        if run.len() == count || run.first().is_some_and(|first| phase(&first.act) != of) {
            flush(&mut run, &mut together);
        }
        match of {
            Some(_) => run.push(step),
            None => together.push(step),
        }
    }
    flush(&mut run, &mut together);
    script.steps = together;
}

fn next_text(script: &Script, rule: &Rule) -> Option<Act> {
    script.steps.get(place(script, rule, 0.5)).map(|step| step.act.clone())
}

/// An event cut after two of the four bytes of an emoji.
fn inside_utf8(reply: &mut Reply) -> Vec<u8> {
    let mut bytes = Vec::new();
    reply.write(&Act::Aside(" 🍎".to_owned()), &mut bytes);
    let emoji = bytes.windows(4).position(|four| four == "🍎".as_bytes()).unwrap_or(0);
    bytes.truncate(emoji + 2);
    bytes
}

/// Comments wherever nothing comes for `every` nanoseconds.
pub fn keep_alive(script: &mut Script, every: u64) {
    let mut kept = Vec::with_capacity(script.steps.len());
    let mut last = script.head_at;
    for step in script.steps.drain(..) {
        let mut next = last + every;
        while next < step.at {
            kept.push(Step { at: next, act: Act::Comment });
            next += every;
        }
        last = step.at;
        kept.push(step);
    }
    script.steps = kept;
}
