//! Anthropic's Messages, and the servers that offer them too: blocks that are opened and closed, events that name themselves twice.

use super::{PLAIN, ReasoningAs, Refusal, UsagePlace, Wording};
use crate::sim::reply::{Held, Reply};
use crate::sim::script::{Act, Phase};
use crate::sim::template::escaped;

/// Anthropic's own.
pub const ANTHROPIC: Wording = Wording {
    name: "anthropic",
    model: "claude-x",
    id: "msg_##############",
    ping: "event: ping\ndata: {\"type\":\"ping\"}",
    opener: ["message_start"; 2],
    usage_place: UsagePlace::FinishChunk,
    usage_unasked: true,
    done: "",
    headers: &[("request-id", "req_$request"), ("anthropic-ratelimit-requests-remaining", "49")],
    stream_error: "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"$message\"}}",
    refusal: r#"{"type":"error","error":{"type":"$type","message":"$message"},"request_id":"req_$request"}"#,
    refusals: &[
        (Refusal::Unauthorized, 401, r#"{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}"#),
        (Refusal::Billing, 402, r#"{"type":"error","error":{"type":"billing_error","message":"Your credit balance is too low."}}"#),
        (Refusal::NotFound, 404, r#"{"type":"error","error":{"type":"not_found_error","message":"model: $model"}}"#),
        (Refusal::ServerError, 500, r#"{"type":"error","error":{"type":"api_error","message":"Internal server error"}}"#),
        (Refusal::Overloaded, 529, r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}"#),
    ],
    key_header: "x-api-key",
    route: "/messages",
    writer: Some(write),
    ..PLAIN
};

/// DeepSeek's endpoint in this protocol.
pub const DEEPSEEK_ANTHROPIC: Wording = Wording { name: "deepseek-anthropic", model: "deepseek-v4-pro", ..ANTHROPIC };
/// Bailian's.
pub const BAILIAN_ANTHROPIC: Wording = Wording { name: "bailian-anthropic", model: "qwen3-max", ..ANTHROPIC };
/// vLLM's.
pub const VLLM_ANTHROPIC: Wording = Wording { name: "vllm-anthropic", model: "deepseek-r1", headers: &[], ..ANTHROPIC };
/// llama.cpp's.
pub const LLAMACPP_ANTHROPIC: Wording = Wording { name: "llamacpp-anthropic", model: "R1-8B-Q4_K_M.gguf", headers: &[], ..ANTHROPIC };

const START: &str = r#"{"type":"message_start","message":{"id":"$id","type":"message","role":"assistant","content":[],"model":"$model","stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":$uncached,"cache_creation_input_tokens":0,"cache_read_input_tokens":$cached,"output_tokens":2}}}"#;
const COUNTS: &str =
    r#","usage":{"input_tokens":$uncached,"cache_creation_input_tokens":0,"cache_read_input_tokens":$cached,"output_tokens":$completion}"#;

/// An event under its name.
fn event(reply: &Reply, name: &str, json: &str, text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("event: {name}{}", reply.lines.end).as_bytes());
    reply.own_event(json, text, out);
}

fn write(reply: &mut Reply, act: &Act, out: &mut Vec<u8>) -> Option<Held> {
    let mut held = Held::default();
    match act {
        Act::Opener => start(reply, out),
        Act::Text { phase, from, to } => {
            let (of, text) = reply.piece(*phase, *from, *to);
            held = of;
            delta(reply, block_of(reply, *phase), &text, out);
        }
        Act::Both { reasoning, content } => {
            for (phase, (from, to)) in [(Phase::Reasoning, *reasoning), (Phase::Content, *content)] {
                let (of, text) = reply.piece(phase, from, to);
                held = Held { reasoning: held.reasoning + of.reasoning, content: held.content + of.content };
                delta(reply, phase, &text, out);
            }
        }
        Act::Aside(text) => delta(reply, Phase::Content, &escaped(text), out),
        Act::Delta(json) => {
            let text = json.strip_prefix("\"content\":\"").and_then(|rest| rest.strip_suffix('"'));
            text.into_iter().for_each(|text| delta(reply, Phase::Content, text, out));
        }
        Act::Last => last(reply, out),
        Act::Usage | Act::Before | Act::Progress => {}
        Act::Done => event(reply, "message_stop", r#"{"type":"message_stop"}"#, "", out),
        _ => return None,
    }
    Some(held)
}

/// The block in which a phase is told: inline reasoning is text.
fn block_of(reply: &Reply, phase: Phase) -> Phase {
    let inline = [ReasoningAs::Inline, ReasoningAs::InlineSplit, ReasoningAs::InlineUnopened, ReasoningAs::InlineUnclosed]
        .contains(&reply.reasoning_as);
    if inline { Phase::Content } else { phase }
}

fn start(reply: &mut Reply, out: &mut Vec<u8>) {
    if !reply.begun {
        reply.begun = true;
        event(reply, "message_start", START, "", out);
    }
}

/// Adds text to the block of its kind; another one is closed first, and after thinking comes its signature.
fn delta(reply: &mut Reply, phase: Phase, text: &str, out: &mut Vec<u8>) {
    start(reply, out);
    if reply.open != Some(phase) {
        close(reply, out);
        reply.open = Some(phase);
        let block = match phase {
            Phase::Reasoning => r#"{"type":"thinking","thinking":"","signature":""}"#,
            Phase::Content => r#"{"type":"text","text":""}"#,
        };
        let json = format!(r#"{{"type":"content_block_start","index":{},"content_block":{block}}}"#, reply.blocks);
        event(reply, "content_block_start", &json, "", out);
    }
    let delta = match phase {
        Phase::Reasoning => r#"{"type":"thinking_delta","thinking":"$text"}"#,
        Phase::Content => r#"{"type":"text_delta","text":"$text"}"#,
    };
    let json = format!(r#"{{"type":"content_block_delta","index":{},"delta":{delta}}}"#, reply.blocks);
    event(reply, "content_block_delta", &json, text, out);
}

fn close(reply: &mut Reply, out: &mut Vec<u8>) {
    let Some(phase) = reply.open.take() else { return };
    let index = reply.blocks;
    if phase == Phase::Reasoning {
        let json = format!(r#"{{"type":"content_block_delta","index":{index},"delta":{{"type":"signature_delta","signature":"EqQB"}}}}"#);
        event(reply, "content_block_delta", &json, "", out);
    }
    event(reply, "content_block_stop", &format!(r#"{{"type":"content_block_stop","index":{index}}}"#), "", out);
    reply.blocks += 1;
}

fn last(reply: &mut Reply, out: &mut Vec<u8>) {
    start(reply, out);
    close(reply, out);
    let reason = match reply.script.finish.as_str() {
        "stop" => "end_turn".to_owned(),
        "length" => "max_tokens".to_owned(),
        other => escaped(other),
    };
    let counts = if reply.usage_on.last { COUNTS } else { "" };
    let json = format!(r#"{{"type":"message_delta","delta":{{"stop_reason":"{reason}","stop_sequence":null}}{counts}}}"#);
    event(reply, "message_delta", &json, "", out);
}
