//! Meta Llama's own events.

use super::{PLAIN, UsagePlace, Wording};
use crate::sim::reply::{Held, Reply};
use crate::sim::script::{Act, Phase};
use crate::sim::template::escaped;

/// Meta Llama's own protocol.
pub const META_LLAMA_NATIVE: Wording = Wording {
    name: "meta-llama-native",
    model: "Llama-4-Maverick-17B-128E-Instruct-FP8",
    id: "AQAA########",
    opener: ["", ""],
    usage_place: UsagePlace::OwnChunk,
    usage_unasked: true,
    done: "",
    stream_error: "event: error\ndata: {\"title\":\"Internal server error\",\"detail\":\"$message\",\"status\":500}",
    refusal: r#"{"title":"$message","detail":"$message","status":$status}"#,
    writer: Some(write),
    ..PLAIN
};

fn write(reply: &mut Reply, act: &Act, out: &mut Vec<u8>) -> Option<Held> {
    let mut held = Held::default();
    match act {
        Act::Text { phase, from, to } => {
            let (of, text) = reply.piece(*phase, *from, *to);
            held = of;
            delta(reply, &text, out);
        }
        Act::Both { reasoning, content } => {
            for (phase, (from, to)) in [(Phase::Reasoning, *reasoning), (Phase::Content, *content)] {
                let (of, text) = reply.piece(phase, from, to);
                held = Held { reasoning: held.reasoning + of.reasoning, content: held.content + of.content };
                delta(reply, &text, out);
            }
        }
        Act::Aside(text) => delta(reply, &escaped(text), out),
        Act::Delta(json) => {
            let text = json.strip_prefix("\"content\":\"").and_then(|rest| rest.strip_suffix('"'));
            text.into_iter().for_each(|text| delta(reply, text, out));
        }
        Act::Last => {
            let complete = r#"{"id":"$id","event":{"event_type":"complete","delta":{"type":"text","text":""},"stop_reason":"$finish"}}"#;
            reply.own_event(complete, "", out);
        }
        Act::Usage if reply.usage_on.own => {
            let metrics = r#"{"id":"$id","event":{"event_type":"metrics","delta":{"type":"text","text":""},"metrics":[{"metric":"num_completion_tokens","value":$completion.0,"unit":"tokens"},{"metric":"num_prompt_tokens","value":$prompt.0,"unit":"tokens"},{"metric":"num_total_tokens","value":$total.0,"unit":"tokens"}]}}"#;
            reply.own_event(metrics, "", out);
        }
        Act::Comment | Act::Opener | Act::Usage | Act::Before | Act::Progress | Act::Done => {}
        _ => return None,
    }
    Some(held)
}

/// The first event carries text already.
fn delta(reply: &mut Reply, text: &str, out: &mut Vec<u8>) {
    let kind = if std::mem::replace(&mut reply.begun, true) { "progress" } else { "start" };
    let json = format!(r#"{{"id":"$id","event":{{"event_type":"{kind}","delta":{{"type":"text","text":"$text"}}}}}}"#);
    reply.own_event(&json, text, out);
}
