//! Turns the steps of a script into bytes, in one provider's words.

use super::behaviour::System;
use super::compose::values;
use super::dist::Source;
use super::request::{Ask, Request};
use super::script::{Act, Phase, Script};
use super::template::{Counts, Template, escaped};
use super::wording::{Continuous, ReasoningAs, UsagePlace};
use std::collections::HashMap;

/// A chat request, and to whom.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// To whom.
    pub system: &'a System,
    /// As it came.
    pub request: &'a Request,
    /// What it asks.
    pub ask: &'a Ask,
    /// Its draws.
    pub source: &'a Source,
    /// Seconds since 1970, as the reply tells them.
    pub created: i64,
}

/// How the usage told differs from the truth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Lie {
    /// It does not.
    None,
    /// `reasoning_tokens: 0`.
    ReasoningZero,
    /// The completion without the reasoning; the total with it.
    ExcludesReasoning,
    /// The completion multiplied.
    Times(f64),
}

/// How events are put into lines.
#[derive(Debug, Clone, Copy)]
pub struct Lines {
    /// Line ending.
    pub end: &'static str,
    /// Before the data.
    pub data: &'static str,
    /// Whether the data of an event is cut over two lines.
    pub cut: bool,
}

/// One reply, ready to be written.
#[derive(Debug)]
pub struct Reply {
    /// What is written when.
    pub script: Script,
    /// The lines' form.
    pub lines: Lines,
    /// What usage says.
    pub lie: Lie,
    /// The usage chunk has a choice beside it.
    pub choice_beside_usage: bool,
    /// `usage: null` where usage should stand.
    pub null_usage: bool,
    pub(super) values: HashMap<&'static str, String>,
    pub(super) wording: &'static super::wording::Wording,
    pub(super) reasoning_as: ReasoningAs,
    pub(super) usage_on: UsageOn,
    pub(super) asked: bool,
    ping: String,
    made: [Option<Template>; Kind::COUNT],
    counts: Counts,
    extra_tokens: usize,
    pub(super) timings: bool,
    pub(super) had_reasoning: bool,
    /// For writers of other protocols: the reply has begun, the kind of block that is open, and how many were closed.
    pub(super) begun: bool,
    pub(super) open: Option<Phase>,
    pub(super) blocks: usize,
    pub(super) so_far: [String; 2],
}

/// On which chunks usage stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct UsageOn {
    /// On all with text.
    pub text: bool,
    /// On the last with text.
    pub last_text: bool,
    /// On the finish chunk.
    pub last: bool,
    /// On a chunk of its own.
    pub own: bool,
}

/// A kind of chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Opener,
    FirstReasoning,
    FirstContent,
    Reasoning,
    Content,
    LastContent,
    Last,
    Usage,
}

impl Kind {
    const COUNT: usize = Kind::Usage as usize + 1;
    fn place(self) -> usize {
        self as usize
    }
}

/// What a write holds, for the truth log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held {
    /// Tokens of reasoning.
    pub reasoning: usize,
    /// Tokens of content.
    pub content: usize,
}

impl Reply {
    /// Makes the reply to a request ready.
    pub fn new(call: &Call<'_>, script: Script, told_model: &str, reasoning_as: ReasoningAs) -> Reply {
        let Call { system, ask, .. } = call;
        let wording = system.wording;
        let place = system.usage.place.unwrap_or(wording.usage_place);
        let asked = ask.wants_usage();
        let tells = asked || system.usage.unasked.unwrap_or(wording.usage_unasked);
        let always = place == UsagePlace::EveryChunk || (ask.wants_usage_always() && wording.continuous != Continuous::Unknown);
        let usage_on = UsageOn {
            text: tells && always && place != UsagePlace::None,
            last_text: tells && place == UsagePlace::LastContent,
            last: tells && (always || place == UsagePlace::FinishChunk) && place != UsagePlace::None,
            own: tells && place == UsagePlace::OwnChunk && !(always && wording.continuous == Continuous::NoOwnChunk),
        };
        let prompt = ask.prompt_tokens();
        let mut reply = Reply {
            values: values(call, &script, told_model, prompt),
            lines: Lines { end: wording.line_end, data: wording.data, cut: false },
            lie: Lie::None,
            choice_beside_usage: false,
            null_usage: false,
            wording,
            reasoning_as,
            usage_on,
            asked,
            ping: system.keep_alives.as_ref().and_then(|alive| alive.style.clone()).unwrap_or_else(|| wording.ping.to_owned()),
            made: Default::default(),
            counts: Counts { prompt, ..Counts::default() },
            extra_tokens: system.usage.extra_tokens,
            timings: system.server_timings && !wording.timings.is_empty(),
            had_reasoning: 0 < script.reasoning.tokens(),
            begun: false,
            open: None,
            blocks: 0,
            so_far: Default::default(),
            script,
        };
        if reply.hidden() {
            reply.counts.reasoning = reply.script.reasoning.tokens();
        }
        reply
    }

    fn hidden(&self) -> bool {
        self.reasoning_as == ReasoningAs::Hidden
    }
    /// No usage anywhere.
    pub fn without_usage(&mut self) {
        self.usage_on = UsageOn { text: false, last_text: false, last: false, own: false };
    }
    /// Whether the provider says `[DONE]` after an error.
    pub fn done_after_error(&self) -> bool {
        self.wording.done_after_error
    }
    /// Tokens of the prompt, as told.
    pub fn prompt_tokens(&self) -> usize {
        self.counts.prompt
    }
    /// Fills a line's `$names`.
    pub fn fill(&self, line: &str) -> String {
        let mut out = Vec::new();
        self.template(line).write("", &self.counts, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }
    /// The finish reason, where the script's has been changed.
    pub fn set_finish(&mut self, finish: &str) {
        self.script.finish = finish.to_owned();
        self.values.insert("finish", escaped(finish));
    }

    /// Writes what an act says and tells what it holds.
    pub fn write(&mut self, act: &Act, out: &mut Vec<u8>) -> Held {
        if let Some(held) = self.wording.writer.and_then(|writer| writer(self, act, out)) {
            return held;
        }
        match act {
            Act::Comment => {
                out.extend_from_slice(self.ping.as_bytes());
                out.extend_from_slice(self.lines.end.as_bytes());
                out.extend_from_slice(self.lines.end.as_bytes());
            }
            Act::Before => self.event_of(self.wording.before, out),
            Act::Progress => {
                let chunk = self.chunk(&self.choice(self.wording.opener[0]), "", self.wording.progress);
                self.event_of(&chunk, out);
            }
            Act::Opener => self.kind(Kind::Opener, "", out),
            Act::Text { phase, from, to } => return self.text(*phase, *from, *to, out),
            Act::Both { reasoning, content } => return self.both(*reasoning, *content, out),
            Act::Aside(text) => {
                let chunk = self.chunk(
                    &self.choice(self.wording.content[usize::from(!self.thinks())]),
                    &self.usage_text(true),
                    self.wording.extra_text,
                );
                self.event(&self.template(&chunk), &escaped(text), out);
            }
            Act::Delta(delta) => {
                let chunk = self.chunk(&self.choice(delta), &self.usage_text(true), self.wording.extra_text);
                self.event_of(&chunk, out);
            }
            Act::Last if self.wording.last_choice.is_empty() => {}
            Act::Last => self.kind(Kind::Last, "", out),
            Act::Usage if self.usage_on.own => self.kind(Kind::Usage, "", out),
            Act::Usage => {}
            Act::Done if self.wording.done.is_empty() => {}
            Act::Done => self.line(self.wording.done.as_bytes(), out),
            Act::Event(json) => self.event_of(json, out),
            Act::Error(message) => self.error(message.as_deref(), out),
            Act::Bytes(bytes) => out.extend_from_slice(bytes),
            Act::Part(act, share) => {
                let start = out.len();
                self.write(act, out);
                out.truncate(start + ((out.len() - start) as f64 * share) as usize);
            }
            Act::Several(acts) => {
                return acts.iter().fold(Held::default(), |held, act| {
                    let more = self.write(act, out);
                    Held { reasoning: held.reasoning + more.reasoning, content: held.content + more.content }
                });
            }
        }
        Held::default()
    }

    /// Whether reasoning is seen.
    pub(super) fn thinks(&self) -> bool {
        self.had_reasoning && !self.hidden()
    }

    fn text(&mut self, phase: Phase, from: usize, to: usize, out: &mut Vec<u8>) -> Held {
        let differs = match phase {
            Phase::Reasoning => self.reasoning_as == ReasoningAs::Own && !self.wording.first[0].is_empty(),
            Phase::Content => !self.wording.first[1].is_empty(),
        };
        let first = differs && self.counts.chunks == 0;
        let last = to == if self.script.content.tokens() == 0 { self.script.reasoning.tokens() } else { self.script.content.tokens() };
        let kind = match phase {
            Phase::Reasoning if first => Kind::FirstReasoning,
            Phase::Content if first => Kind::FirstContent,
            Phase::Content if last && self.usage_on.last_text => Kind::LastContent,
            Phase::Content => Kind::Content,
            Phase::Reasoning => Kind::Reasoning,
        };
        let held = match phase {
            Phase::Reasoning => Held { reasoning: to - from, content: 0 },
            Phase::Content => Held { reasoning: 0, content: to - from },
        };
        self.count(held, last);
        // Taken out for the moment, since writing borrows the whole reply.
        let text = std::mem::take(if phase == Phase::Reasoning { &mut self.script.reasoning } else { &mut self.script.content });
        self.kind(kind, text.slice(from, to), out);
        *(if phase == Phase::Reasoning { &mut self.script.reasoning } else { &mut self.script.content }) = text;
        held
    }

    /// Counts a piece of text and gives it escaped, for a writer of another protocol.
    pub(super) fn piece(&mut self, phase: Phase, from: usize, to: usize) -> (Held, String) {
        let (whole, held) = match phase {
            Phase::Reasoning => (&self.script.reasoning, Held { reasoning: to - from, content: 0 }),
            Phase::Content => (&self.script.content, Held { reasoning: 0, content: to - from }),
        };
        let text = whole.slice(from, to).to_owned();
        let content = self.script.content.tokens();
        let last = to == if content == 0 { self.script.reasoning.tokens() } else { content } && (content == 0 || phase == Phase::Content);
        self.count(held, last);
        (held, text)
    }

    /// An event of another protocol: its data with `$names`, and the text that stands in it.
    pub(super) fn own_event(&self, json: &str, text: &str, out: &mut Vec<u8>) {
        self.event(&self.template(json), text, out);
    }

    /// A line of a protocol of lines.
    pub(super) fn own_line(&self, json: &str, text: &str, out: &mut Vec<u8>) {
        self.template(json).write(text, &self.told(), out);
        out.extend_from_slice(self.lines.end.as_bytes());
    }

    fn count(&mut self, held: Held, last: bool) {
        self.counts.chunks += 1;
        self.counts.reasoning += held.reasoning;
        self.counts.completion += held.reasoning + held.content + if last { self.extra_tokens } else { 0 };
    }

    fn both(&mut self, reasoning: (usize, usize), content: (usize, usize), out: &mut Vec<u8>) -> Held {
        let held = Held { reasoning: reasoning.1 - reasoning.0, content: content.1 - content.0 };
        self.count(held, content.1 == self.script.content.tokens());
        let field = if self.wording.reasoning.contains("\"reasoning\"") { "reasoning" } else { "reasoning_content" };
        let delta = format!(
            r#""{field}":"{}","content":"{}""#,
            self.script.reasoning.slice(reasoning.0, reasoning.1),
            self.script.content.slice(content.0, content.1)
        );
        let chunk = self.chunk(&self.choice(&delta), &self.usage_text(true), self.wording.extra_text);
        self.event_of(&chunk, out);
        held
    }

    fn error(&self, message: Option<&str>, out: &mut Vec<u8>) {
        let message = escaped(message.unwrap_or("The service encountered an unexpected internal error."));
        let worded = self.wording.stream_error.replace("$message", &message);
        let worded = self.fill(&worded);
        if worded.starts_with('{') {
            return self.line(worded.as_bytes(), out);
        }
        out.extend_from_slice(worded.replace('\n', self.lines.end).as_bytes());
        out.extend_from_slice(self.lines.end.as_bytes());
        out.extend_from_slice(self.lines.end.as_bytes());
    }

    fn template(&self, line: &str) -> Template {
        Template::new(line, &|name| self.values.get(name).cloned())
    }
    fn event_of(&self, json: &str, out: &mut Vec<u8>) {
        self.event(&self.template(json), "", out);
    }
    fn event(&self, template: &Template, text: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(self.lines.data.as_bytes());
        let start = out.len();
        template.write(text, &self.told(), out);
        self.finish_event(start, out);
    }
    fn line(&self, data: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(self.lines.data.as_bytes());
        out.extend_from_slice(data);
        out.extend_from_slice(self.lines.end.as_bytes());
        out.extend_from_slice(self.lines.end.as_bytes());
    }
    fn finish_event(&self, start: usize, out: &mut Vec<u8>) {
        if self.lines.cut
            && let Some(comma) = out[start..].windows(2).position(|two| two == b",\"")
        {
            let rest = out.split_off(start + comma + 1);
            out.extend_from_slice(self.lines.end.as_bytes());
            out.extend_from_slice(self.lines.data.as_bytes());
            out.extend_from_slice(&rest);
        }
        out.extend_from_slice(self.lines.end.as_bytes());
        out.extend_from_slice(self.lines.end.as_bytes());
    }

    /// Writes a kind of chunk, made the first time it is needed.
    fn kind(&mut self, kind: Kind, text: &str, out: &mut Vec<u8>) {
        let template = self.made[kind.place()].take().unwrap_or_else(|| self.template(&self.compose(kind)));
        let start = out.len();
        out.extend_from_slice(self.lines.data.as_bytes());
        let start = start + self.lines.data.len();
        template.write(text, &self.told(), out);
        self.finish_event(start, out);
        self.made[kind.place()] = Some(template);
    }

    fn told(&self) -> Counts {
        let mut told = self.counts;
        if self.hidden() && 0 < told.chunks {
            told.completion += told.reasoning;
        }
        told.total = told.prompt + told.completion;
        match self.lie {
            Lie::None => {}
            Lie::ReasoningZero => told.reasoning = 0,
            Lie::ExcludesReasoning => told.completion -= told.reasoning.min(told.completion),
            Lie::Times(factor) => {
                told.completion = (told.completion as f64 * factor).round() as usize;
                told.total = told.prompt + told.completion;
            }
        }
        told
    }
}
