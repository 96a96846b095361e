//! Composes a provider's lines of their parts, and the values that stand in them.

use super::reply::{Call, Kind, Reply};
use super::script::Script;
use super::template::escaped;
use super::wording::{NoUsage, ReasoningAs};
use std::collections::HashMap;

impl Reply {
    /// The line of a kind of chunk, with `$names`.
    pub(super) fn compose(&self, kind: Kind) -> String {
        let wording = self.wording;
        let with = usize::from(!self.thinks());
        match kind {
            Kind::Opener => {
                let choice = if wording.opener_choice.is_empty() { wording.choice } else { wording.opener_choice };
                self.chunk(&choice.replace("$delta", wording.opener[with]), &self.usage_text(false), wording.extra_opener)
            }
            Kind::FirstReasoning => self.chunk(&self.choice(wording.first[0]), &self.usage_text(true), wording.extra_text),
            Kind::FirstContent => self.chunk(&self.choice(wording.first[1]), &self.usage_text(true), wording.extra_text),
            Kind::Reasoning => self.chunk(&self.choice(&self.reasoning_delta()), &self.usage_text(true), wording.extra_text),
            Kind::Content => self.chunk(&self.choice(wording.content[with]), &self.usage_text(true), wording.extra_text),
            Kind::LastContent => self.chunk(&self.choice(wording.content[with]), &self.usage(), wording.extra_text),
            Kind::Last => {
                let choice = wording.last_choice.replace("$delta", wording.last[with]);
                let usage = if self.usage_on.last { self.usage() } else { self.no_usage() };
                let timings = if self.timings && wording.timings_on_finish && !self.usage_on.own { wording.timings } else { "" };
                let extra = wording.extra_last.replace("$usage", if self.usage_on.last { &usage } else { "" });
                self.chunk(&choice, &usage, &format!("{extra}{timings}"))
            }
            Kind::Usage => {
                let choice = if self.choice_beside_usage { self.choice(r#""content":"""#) } else { String::new() };
                let timings = if self.timings { wording.timings } else { "" };
                self.chunk(&choice, &self.usage(), &format!("{}{timings}", wording.extra_usage))
            }
        }
    }

    /// A chunk of its parts.
    pub(super) fn chunk(&self, choices: &str, usage: &str, extra: &str) -> String {
        self.wording.chunk.replace("$choices", choices).replace("$usage", usage).replace("$extra", extra)
    }
    /// An element of `choices`.
    pub(super) fn choice(&self, delta: &str) -> String {
        self.wording.choice.replace("$delta", delta)
    }

    fn reasoning_delta(&self) -> String {
        let own = self.wording.reasoning;
        let (long, short) = (r#""reasoning_content":"$text""#, r#""reasoning":"$text""#);
        let other = |wanted: &str| own.replace(long, "\u{1}").replace(short, "\u{1}").replace('\u{1}', wanted);
        match self.reasoning_as {
            ReasoningAs::Own | ReasoningAs::Hidden => own.to_owned(),
            ReasoningAs::ReasoningContent => other(long),
            ReasoningAs::Reasoning => other(short),
            ReasoningAs::Both => other(&format!("{long},{short}")),
            ReasoningAs::Inline | ReasoningAs::InlineSplit | ReasoningAs::InlineUnopened | ReasoningAs::InlineUnclosed => {
                self.wording.content[0].to_owned()
            }
        }
    }

    /// Usage as a chunk before the finish has it.
    pub(super) fn usage_text(&self, with_text: bool) -> String {
        match self.usage_on.text {
            true if with_text => self.usage(),
            true => format!(r#","usage":{}"#, self.wording.usage[1]),
            false => self.no_usage(),
        }
    }
    fn usage(&self) -> String {
        if self.null_usage {
            return r#","usage":null"#.to_owned();
        }
        format!(r#","usage":{}"#, self.wording.usage[usize::from(!self.had_reasoning)])
    }
    fn no_usage(&self) -> String {
        let null = match self.wording.no_usage {
            NoUsage::Absent => false,
            NoUsage::NullWhenAsked => self.asked,
            NoUsage::Null => true,
        };
        if null { r#","usage":null"#.to_owned() } else { String::new() }
    }
}

/// The values that hold for the whole reply.
pub fn values(call: &Call<'_>, script: &Script, model: &str, prompt: usize) -> HashMap<&'static str, String> {
    let Call { system, request, source, created, .. } = call;
    let mut digits = source.hex(64).chars().collect::<Vec<_>>().into_iter().cycle();
    let id: String = system.wording.id.chars().map(|c| if c == '#' { digits.next().unwrap_or('0') } else { c }).collect();
    let ms = |ns: u64| format!("{:.3}", ns as f64 / 1e6);
    let s = |ns: u64| format!("{:.6}", ns as f64 / 1e9);
    let times = script.times;
    // Most of the wait is the prompt, the rest is the queue.
    let (queue, work) = (times.ttft / 10, times.ttft - times.ttft / 10);
    let tokens = (script.reasoning.tokens() + script.content.tokens()).max(1);
    let per = |amount: f64, seconds: f64| format!("{:.2}", if 0.0 < seconds { amount / seconds } else { 0.0 });
    let request_id = request.header("x-request-id").or(request.header("x-client-request-id")).map_or_else(|| source.hex(32), escaped);
    HashMap::from([
        ("id", id),
        ("created", created.to_string()),
        ("model", escaped(model)),
        ("finish", escaped(&script.finish)),
        ("request", request_id),
        ("prompt", prompt.to_string()),
        ("cached", "0".to_owned()),
        ("uncached", prompt.to_string()),
        ("matched_stop", if script.finish == "stop" { "151643" } else { "null" }.to_owned()),
        ("ttft_ms", ms(times.ttft)),
        ("ttft_whole_ms", (times.ttft / 1_000_000).to_string()),
        ("queue_ms", ms(queue)),
        ("prompt_ms", ms(work)),
        ("gen_ms", ms(times.generation)),
        ("gap_ms", ms(times.generation / tokens as u64)),
        ("speed", per(tokens as f64, times.generation as f64 / 1e9)),
        ("prompt_per_token_ms", ms(work / prompt.max(1) as u64)),
        ("prompt_speed", per(prompt as f64, work as f64 / 1e9)),
        ("queue_s", s(queue)),
        ("prompt_s", s(work)),
        ("gen_s", s(times.generation)),
        ("created_at", jiff::Timestamp::from_second(*created).unwrap_or_default().to_string()),
        ("load_ns", queue.to_string()),
        ("prompt_ns", work.to_string()),
        ("gen_ns", times.generation.to_string()),
        ("total_ns", (times.ttft + times.generation).to_string()),
        ("total_s", s(work + times.generation)),
    ])
}
