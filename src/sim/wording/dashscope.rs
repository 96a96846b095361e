//! DashScope's own protocol: numbered events with their status in a comment, each with what is new or with all of it again.

use super::{Cap, PLAIN, ReasoningAs, Refusal, UsagePlace, Wording};
use crate::sim::reply::{Held, Reply};
use crate::sim::script::{Act, Phase};
use crate::sim::template::escaped;

/// Each event has what is new.
pub const BAILIAN_NATIVE: Wording = Wording {
    name: "bailian-native",
    model: "deepseek-r1",
    data: "data:",
    opener: ["", ""],
    usage_place: UsagePlace::EveryChunk,
    usage_unasked: true,
    done: "",
    cap: Cap::Answer,
    stream_error: "event:error\n:HTTP_STATUS/500\ndata:{\"code\":\"InternalError\",\"message\":\"$message\",\"request_id\":\"$request\"}",
    refusal: r#"{"code":"$code","message":"$message","request_id":"$request"}"#,
    refusals: &[
        (Refusal::Unauthorized, 401, r#"{"code":"InvalidApiKey","message":"Invalid API-key provided.","request_id":"$request"}"#),
        (
            Refusal::Billing,
            400,
            r#"{"code":"Arrearage","message":"Access denied, please make sure your account is in good standing.","request_id":"$request"}"#,
        ),
        (Refusal::NotFound, 404, r#"{"code":"ModelNotFound","message":"Model not exist.","request_id":"$request"}"#),
        (
            Refusal::BadRequest,
            400,
            r#"{"code":"InvalidParameter","message":"Range of temperature should be [0, 2).","request_id":"$request"}"#,
        ),
        (
            Refusal::RateLimited,
            429,
            r#"{"code":"Throttling.RateQuota","message":"Requests rate limit exceeded, please try again later.","request_id":"$request"}"#,
        ),
    ],
    route: "/generation",
    writer: Some(write),
    ..PLAIN
};

/// Each event repeats the whole text, as with `incremental_output: false`.
pub const BAILIAN_NATIVE_CUMULATIVE: Wording =
    Wording { name: "bailian-native-cumulative", profile: "bailian-native", writer: Some(write_cumulative), ..BAILIAN_NATIVE };

fn write(reply: &mut Reply, act: &Act, out: &mut Vec<u8>) -> Option<Held> {
    written(reply, act, false, out)
}

fn write_cumulative(reply: &mut Reply, act: &Act, out: &mut Vec<u8>) -> Option<Held> {
    written(reply, act, true, out)
}

fn written(reply: &mut Reply, act: &Act, cumulative: bool, out: &mut Vec<u8>) -> Option<Held> {
    let mut held = Held::default();
    let [mut thinking, mut text] = [String::new(), String::new()];
    match act {
        Act::Text { phase, from, to } => {
            let (of, piece) = reply.piece(*phase, *from, *to);
            held = of;
            let own = *phase == Phase::Reasoning && reply.reasoning_as == ReasoningAs::Own;
            *(if own { &mut thinking } else { &mut text }) = piece;
        }
        Act::Both { reasoning, content } => {
            let (thought, piece) = reply.piece(Phase::Reasoning, reasoning.0, reasoning.1);
            thinking = piece;
            let (said, piece) = reply.piece(Phase::Content, content.0, content.1);
            text = piece;
            held = Held { reasoning: thought.reasoning, content: said.content };
        }
        Act::Aside(aside) => text = escaped(aside),
        Act::Delta(json) => match json.strip_prefix("\"content\":\"").and_then(|rest| rest.strip_suffix('"')) {
            Some(inner) => text = inner.to_owned(),
            None => return Some(held),
        },
        Act::Last => {
            let finish = escaped(&reply.script.finish);
            event(reply, ["", ""], &finish, cumulative, out);
            return Some(held);
        }
        Act::Opener | Act::Usage | Act::Before | Act::Progress | Act::Done => return Some(held),
        _ => return None,
    }
    event(reply, [&thinking, &text], "null", cumulative, out);
    Some(held)
}

fn event(reply: &mut Reply, new: [&str; 2], finish: &str, cumulative: bool, out: &mut Vec<u8>) {
    reply.blocks += 1;
    for (so_far, new) in reply.so_far.iter_mut().zip(new) {
        if !cumulative {
            so_far.clear();
        }
        so_far.push_str(new);
    }
    let end = reply.lines.end;
    out.extend_from_slice(format!("id:{}{end}event:result{end}:HTTP_STATUS/200{end}", reply.blocks).as_bytes());
    let usage = match reply.usage_on.last {
        true => {
            r#","usage":{"total_tokens":$total,"output_tokens":$completion,"input_tokens":$prompt,"output_tokens_details":{"reasoning_tokens":$reasoning}}"#
        }
        false => "",
    };
    let [thinking, text] = &reply.so_far;
    let json = format!(
        r#"{{"output":{{"choices":[{{"message":{{"content":"$text","reasoning_content":"{thinking}","role":"assistant"}},"finish_reason":"{finish}"}}]}}{usage},"request_id":"$request"}}"#
    );
    reply.own_event(&json, text, out);
}
