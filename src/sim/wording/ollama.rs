//! Ollama's own protocol: lines of JSON, the last one with counts and nanoseconds.

use super::{PLAIN, ReasoningAs, Refusal, UsagePlace, Wording};
use crate::sim::reply::{Held, Reply};
use crate::sim::script::{Act, Phase};
use crate::sim::template::escaped;

/// Ollama's `/api/chat`.
pub const OLLAMA_NATIVE: Wording = Wording {
    name: "ollama-native",
    model: "deepseek-r1:8b",
    data: "",
    opener: ["", ""],
    usage_place: UsagePlace::FinishChunk,
    usage_unasked: true,
    done: "",
    headers: &[("content-type", "application/x-ndjson")],
    head_at_once: false,
    refusal: r#"{"error":"$message"}"#,
    refusals: &[
        (Refusal::NotFound, 404, r#"{"error":"model '$(model)' not found"}"#),
        (Refusal::Unavailable, 503, r#"{"error":"server busy, please try again.  maximum pending requests exceeded"}"#),
    ],
    route: "/chat",
    writer: Some(write),
    ..PLAIN
};

const HEAD: &str = r#"{"model":"$model","created_at":"$created_at","message":{"role":"assistant","content":"#;
const COUNTS: &str = r#","prompt_eval_count":$prompt,"prompt_eval_duration":$prompt_ns,"eval_count":$completion,"eval_duration":$gen_ns"#;

fn write(reply: &mut Reply, act: &Act, out: &mut Vec<u8>) -> Option<Held> {
    let mut held = Held::default();
    match act {
        Act::Text { phase, from, to } => {
            let (of, text) = reply.piece(*phase, *from, *to);
            held = of;
            let own = reply.reasoning_as == ReasoningAs::Own || *phase == Phase::Content;
            let phase = if own { *phase } else { Phase::Content };
            line(reply, phase, &text, out);
        }
        Act::Both { reasoning, content } => {
            let (thought, thinking) = reply.piece(Phase::Reasoning, reasoning.0, reasoning.1);
            let (said, text) = reply.piece(Phase::Content, content.0, content.1);
            held = Held { reasoning: thought.reasoning, content: said.content };
            reply.own_line(&format!(r#"{HEAD}"$text","thinking":"{thinking}"}},"done":false}}"#), &text, out);
        }
        Act::Aside(text) => line(reply, Phase::Content, &escaped(text), out),
        Act::Delta(json) => {
            let text = json.strip_prefix("\"content\":\"").and_then(|rest| rest.strip_suffix('"'));
            text.into_iter().for_each(|text| line(reply, Phase::Content, text, out));
        }
        Act::Last => {
            let counts = if reply.usage_on.last { COUNTS } else { "" };
            let times = r#""total_duration":$total_ns,"load_duration":$load_ns"#;
            let json = format!(r#"{HEAD}""}},"done":true,"done_reason":"$finish",{times}{counts}}}"#);
            reply.own_line(&json, "", out);
        }
        Act::Error(message) => {
            let message = escaped(message.as_deref().unwrap_or("an error was encountered while running the model"));
            reply.own_line(&format!(r#"{{"error":"{message}"}}"#), "", out);
        }
        // Nothing is sent while a request waits, and nothing after the last line.
        Act::Comment | Act::Opener | Act::Usage | Act::Before | Act::Progress | Act::Done => {}
        _ => return None,
    }
    Some(held)
}

fn line(reply: &Reply, phase: Phase, text: &str, out: &mut Vec<u8>) {
    let json = match phase {
        Phase::Content => format!(r#"{HEAD}"$text"}},"done":false}}"#),
        Phase::Reasoning => format!(r#"{HEAD}"","thinking":"$text"}},"done":false}}"#),
    };
    reply.own_line(&json, text, out);
}
