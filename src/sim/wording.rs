//! How each provider words its stream: the lines themselves, with `$names` where a value goes.
//!
//! This is the oracle's side of the wire, so it shares nothing with `dialect/`: that one reads tolerantly, this one writes exactly
//! what a provider writes, absent fields, nulls and key order included (docs/dialects.md; `basis` as told there).

mod anthropic;
mod cloud;
mod dashscope;
mod llama;
mod local;
mod ollama;
mod refusal;
mod west;

pub use refusal::Refusal;

use super::reply::{Held, Reply};
use super::script::Act;

/// The writer of a protocol of a provider's own: writes what an act says and tells what it holds, or leaves the act to the usual one.
pub type Writer = fn(&mut Reply, &Act, &mut Vec<u8>) -> Option<Held>;

/// Where token usage is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsagePlace {
    /// On a chunk of its own with `choices: []`.
    OwnChunk,
    /// On the chunk with the finish reason.
    FinishChunk,
    /// Cumulative, on every chunk.
    EveryChunk,
    /// On the last chunk with text.
    LastContent,
    /// Nowhere.
    None,
}

/// What stands in place of usage on the chunks that carry none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoUsage {
    /// The key is absent.
    Absent,
    /// `usage: null`, if the request asked for usage.
    NullWhenAsked,
    /// `usage: null`, always.
    Null,
}

/// What `max_tokens` caps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cap {
    /// Reasoning and answer together.
    Whole,
    /// The answer only.
    Answer,
}

/// How reasoning text is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasoningAs {
    /// As this dialect's own field.
    Own,
    /// `delta.reasoning_content`.
    ReasoningContent,
    /// `delta.reasoning`.
    Reasoning,
    /// The same text under both names.
    Both,
    /// In the content, between think tags.
    Inline,
    /// The same, tags cut over several chunks.
    InlineSplit,
    /// The same without the opening tag (the template has prefilled it).
    InlineUnopened,
    /// The same without the closing tag, and so without an answer.
    InlineUnclosed,
    /// Not sent, only counted.
    Hidden,
}

/// What happens to usage on every chunk when the request asks for it continuously.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Continuous {
    /// The wish is not known here.
    Unknown,
    /// Every chunk carries it, and the own chunk follows still.
    AndOwnChunk,
    /// Every chunk carries it, and no own chunk follows.
    NoOwnChunk,
}

/// A pair that differs by whether the reply holds reasoning: `[with, without]`.
pub type ByReasoning = [&'static str; 2];

/// One provider's words. Templates hold `$id $created $model $text $finish $prompt $completion $total $reasoning $cached …`.
#[derive(Debug, Clone, Copy)]
pub struct Wording {
    /// Its name in the behaviour file.
    pub name: &'static str,
    /// The provider profile that reads it, where that has another name; else empty.
    pub profile: &'static str,
    /// The model answered with if the request names none.
    pub model: &'static str,
    /// The shape of an id, `#` standing for a hexadecimal digit.
    pub id: &'static str,
    /// Line ending.
    pub line_end: &'static str,
    /// What stands before the JSON of an event.
    pub data: &'static str,
    /// The keep-alive comment.
    pub ping: &'static str,
    /// A chunk, with `$choices`, `$usage` and `$extra`.
    pub chunk: &'static str,
    /// An element of `choices`, with `$delta`.
    pub choice: &'static str,
    /// The one of the role chunk, where it differs; else empty.
    pub opener_choice: &'static str,
    /// The one with the finish reason; empty if the dialect has no such chunk.
    pub last_choice: &'static str,
    /// The delta of the role-only chunk; empty if the dialect has none.
    pub opener: ByReasoning,
    /// The deltas of the first chunk of text, reasoning and content, where they differ from the others; else empty.
    pub first: [&'static str; 2],
    /// The delta with reasoning.
    pub reasoning: &'static str,
    /// The delta with content.
    pub content: ByReasoning,
    /// The delta of the finish chunk.
    pub last: ByReasoning,
    /// Where reasoning goes.
    pub reasoning_as: ReasoningAs,
    /// The usage object.
    pub usage: ByReasoning,
    /// Where usage goes.
    pub usage_place: UsagePlace,
    /// Whether usage is sent though the request did not ask.
    pub usage_unasked: bool,
    /// What other chunks hold instead.
    pub no_usage: NoUsage,
    /// Continuous usage.
    pub continuous: Continuous,
    /// Additions to the role chunk.
    pub extra_opener: &'static str,
    /// Additions to a chunk with text.
    pub extra_text: &'static str,
    /// Additions to the finish chunk.
    pub extra_last: &'static str,
    /// Additions to the usage chunk.
    pub extra_usage: &'static str,
    /// Server timings, where the system shows them: added to the usage chunk.
    pub timings: &'static str,
    /// Whether they stand on the finish chunk where there is no usage chunk.
    pub timings_on_finish: bool,
    /// A whole event before the role chunk; empty if none.
    pub before: &'static str,
    /// An event for progress of the prompt, sent if the request asks by `return_progress`; empty if unknown.
    pub progress: &'static str,
    /// `[DONE]` as its line, or empty.
    pub done: &'static str,
    /// How many tokens a chunk holds, typically.
    pub tokens_per_chunk: usize,
    /// What `max_tokens` caps.
    pub cap: Cap,
    /// Headers beside the content type.
    pub headers: &'static [(&'static str, &'static str)],
    /// Whether the header is sent at once, or only when the first chunk is.
    pub head_at_once: bool,
    /// An error inside the stream.
    pub stream_error: &'static str,
    /// Whether `[DONE]` follows it.
    pub done_after_error: bool,
    /// The body of a refusal, with `$message $type $code $status`.
    pub refusal: &'static str,
    /// Refusals whose body is known word for word.
    pub refusals: &'static [(Refusal, u16, &'static str)],
    /// Headers of a 429.
    pub limit_headers: &'static [(&'static str, &'static str)],
    /// The header that carries the key besides `authorization`; empty if none.
    pub key_header: &'static str,
    /// How the path of a request ends.
    pub route: &'static str,
    /// The writer of another protocol than chat.
    pub writer: Option<Writer>,
}

/// The plainest wording: what the OpenAI-compatible ones have in common. Every dialect is written as a change of this.
const PLAIN: Wording = Wording {
    name: "openai-compatible",
    profile: "",
    model: "model",
    id: "chatcmpl-############",
    line_end: "\n",
    data: "data: ",
    ping: ": keep-alive",
    chunk: r#"{"id":"$id","object":"chat.completion.chunk","created":$created,"model":"$model","choices":[$choices]$extra$usage}"#,
    choice: r#"{"index":0,"delta":{$delta},"logprobs":null,"finish_reason":null}"#,
    opener_choice: "",
    last_choice: r#"{"index":0,"delta":{$delta},"logprobs":null,"finish_reason":"$finish"}"#,
    opener: [r#""role":"assistant","content":"""#; 2],
    first: ["", ""],
    reasoning: r#""reasoning_content":"$text""#,
    content: [r#""content":"$text""#; 2],
    last: ["", ""],
    reasoning_as: ReasoningAs::Own,
    usage: [
        r#"{"prompt_tokens":$prompt,"completion_tokens":$completion,"total_tokens":$total,"completion_tokens_details":{"reasoning_tokens":$reasoning}}"#,
        r#"{"prompt_tokens":$prompt,"completion_tokens":$completion,"total_tokens":$total}"#,
    ],
    usage_place: UsagePlace::OwnChunk,
    usage_unasked: false,
    no_usage: NoUsage::Absent,
    continuous: Continuous::Unknown,
    extra_opener: "",
    extra_text: "",
    extra_last: "",
    extra_usage: "",
    timings: "",
    timings_on_finish: true,
    before: "",
    progress: "",
    done: "[DONE]",
    tokens_per_chunk: 1,
    cap: Cap::Whole,
    headers: &[],
    head_at_once: true,
    stream_error: r#"{"error":{"message":"$message","type":"server_error","param":null,"code":null}}"#,
    done_after_error: false,
    refusal: r#"{"error":{"message":"$message","type":"$type","param":null,"code":"$code"}}"#,
    refusals: &[],
    limit_headers: &[],
    key_header: "",
    route: "/chat/completions",
    writer: None,
};

/// All of them.
pub const ALL: &[Wording] = &[
    PLAIN,
    local::VLLM,
    local::VLLM_OLD,
    local::SGLANG,
    local::LLAMACPP,
    local::LLAMACPP_OLD,
    local::OLLAMA,
    local::LMSTUDIO,
    local::TGI,
    local::LMDEPLOY,
    local::XINFERENCE,
    cloud::DEEPSEEK,
    cloud::VOLCENGINE_ARK,
    cloud::SILICONFLOW,
    cloud::BAILIAN,
    cloud::IFLYTEK_V1,
    cloud::IFLYTEK_V2,
    cloud::IFLYTEK_MAAS,
    west::GROQ,
    west::CEREBRAS,
    west::META_LLAMA,
    west::OPENAI,
    west::AZURE_OPENAI,
    west::OPENROUTER,
    anthropic::ANTHROPIC,
    anthropic::DEEPSEEK_ANTHROPIC,
    anthropic::BAILIAN_ANTHROPIC,
    anthropic::VLLM_ANTHROPIC,
    anthropic::LLAMACPP_ANTHROPIC,
    ollama::OLLAMA_NATIVE,
    dashscope::BAILIAN_NATIVE,
    dashscope::BAILIAN_NATIVE_CUMULATIVE,
    llama::META_LLAMA_NATIVE,
];

/// The wording of a name.
pub fn by_name(name: &str) -> Option<&'static Wording> {
    ALL.iter().find(|wording| wording.name == name)
}
