//! Servers of one's own: vLLM, SGLang, llama.cpp, Ollama, LM Studio, TGI, LMDeploy, Xinference.

use super::{Continuous, NoUsage, PLAIN, ReasoningAs, Refusal, Wording};

/// vLLM 0.33: `delta.reasoning`.
pub const VLLM: Wording = Wording {
    name: "vllm",
    model: "deepseek-r1",
    id: "chatcmpl-##########",
    chunk: r#"{"id":"$id","object":"chat.completion.chunk","created":$created,"model":"$model","choices":[$choices]$usage$extra}"#,
    last_choice: r#"{"index":0,"delta":{$delta},"logprobs":null,"finish_reason":"$finish","stop_reason":null}"#,
    reasoning: r#""reasoning":"$text""#,
    last: [r#""content":"""#; 2],
    usage: [
        r#"{"prompt_tokens":$prompt,"total_tokens":$total,"completion_tokens":$completion,"completion_tokens_details":{"reasoning_tokens":$reasoning}}"#,
        r#"{"prompt_tokens":$prompt,"total_tokens":$total,"completion_tokens":$completion}"#,
    ],
    continuous: Continuous::AndOwnChunk,
    timings: r#","metrics":{"time_to_first_token_ms":$ttft_ms,"generation_time_ms":$gen_ms,"queue_time_ms":$queue_ms,"mean_itl_ms":$gap_ms,"tokens_per_second":$speed}"#,
    timings_on_finish: false,
    head_at_once: false,
    stream_error: r#"{"error":{"message":"$message","type":"InternalServerError","param":null,"code":500}}"#,
    done_after_error: true,
    refusal: r#"{"error":{"message":"$message","type":"$type","param":null,"code":$status}}"#,
    refusals: &[
        (Refusal::Unauthorized, 401, r#"{"error":"Unauthorized"}"#),
        (
            Refusal::NotFound,
            404,
            r#"{"error":{"message":"The model `$model` does not exist.","type":"NotFoundError","param":"model","code":404}}"#,
        ),
        (
            Refusal::Unavailable,
            503,
            r#"{"error":{"message":"The server is overloaded.","type":"ServiceUnavailableError","param":null,"code":503}}"#,
        ),
    ],
    ..PLAIN
};

/// vLLM up to 0.11: `delta.reasoning_content`, no reasoning count, flat errors over HTTP (0.8.5).
pub const VLLM_OLD: Wording = Wording {
    name: "vllm-old",
    profile: "vllm",
    reasoning: PLAIN.reasoning,
    usage: [VLLM.usage[1]; 2],
    timings: "",
    refusal: r#"{"object":"error","message":"$message","type":"$type","param":null,"code":$status}"#,
    refusals: &[
        (Refusal::Unauthorized, 401, r#"{"error":"Unauthorized"}"#),
        (
            Refusal::ContextLength,
            400,
            r#"{"object":"error","message":"This model's maximum context length is 4096 tokens.","type":"BadRequestError","param":null,"code":400}"#,
        ),
    ],
    ..VLLM
};

/// SGLang 0.5: `reasoning_content` in every delta, `matched_stop`, the reasoning count in two places.
pub const SGLANG: Wording = Wording {
    name: "sglang",
    model: "DeepSeek-R1",
    id: "##################",
    choice: r#"{"index":0,"delta":{$delta},"logprobs":null,"finish_reason":null,"matched_stop":null}"#,
    last_choice: r#"{"index":0,"delta":{$delta},"logprobs":null,"finish_reason":"$finish","matched_stop":$matched_stop}"#,
    opener: [r#""reasoning_content":null,"role":"assistant","content":"""#; 2],
    content: [r#""reasoning_content":null,"content":"$text""#; 2],
    last: [r#""reasoning_content":null"#; 2],
    usage: [
        r#"{"prompt_tokens":$prompt,"total_tokens":$total,"completion_tokens":$completion,"prompt_tokens_details":{"cached_tokens":$cached},"reasoning_tokens":$reasoning,"completion_tokens_details":{"reasoning_tokens":$reasoning}}"#,
        r#"{"prompt_tokens":$prompt,"completion_tokens":$completion,"total_tokens":$total,"prompt_tokens_details":null,"reasoning_tokens":0}"#,
    ],
    continuous: Continuous::AndOwnChunk,
    head_at_once: false,
    stream_error: r#"{"error":{"object":"error","message":"$message","type":"SERVICE_UNAVAILABLE","param":null,"code":503}}"#,
    done_after_error: true,
    refusal: r#"{"object":"error","message":"$message","type":"$type","param":null,"code":$status}"#,
    refusals: &[(
        Refusal::Unavailable,
        503,
        r#"{"object":"error","message":"The request queue is full.","type":"SERVICE_UNAVAILABLE","param":null,"code":503}"#,
    )],
    ..PLAIN
};

/// llama.cpp server: `choices` first, `content: null` in the opener, `timings` on the last chunk, pings of a lone colon.
pub const LLAMACPP: Wording = Wording {
    name: "llamacpp",
    model: "R1-8B-Q4_K_M.gguf",
    id: "chatcmpl-######",
    ping: ":",
    chunk: r#"{"choices":[$choices],"created":$created,"id":"$id","model":"$model","system_fingerprint":"b9478-0a1b2c3","object":"chat.completion.chunk"$usage$extra}"#,
    choice: r#"{"finish_reason":null,"index":0,"delta":{$delta}}"#,
    last_choice: r#"{"finish_reason":"$finish","index":0,"delta":{$delta}}"#,
    opener: [r#""role":"assistant","content":null"#; 2],
    usage: [r#"{"completion_tokens":$completion,"prompt_tokens":$prompt,"total_tokens":$total}"#; 2],
    timings: r#","timings":{"cache_n":$cached,"prompt_n":$uncached,"prompt_ms":$prompt_ms,"prompt_per_token_ms":$prompt_per_token_ms,"prompt_per_second":$prompt_speed,"predicted_n":$completion,"predicted_ms":$gen_ms,"predicted_per_token_ms":$gap_ms,"predicted_per_second":$speed}"#,
    progress: r#","prompt_progress":{"total":$prompt,"cache":$cached,"processed":$uncached,"time_ms":$prompt_ms}"#,
    stream_error: r#"{"error":{"code":500,"message":"$message","type":"server_error"}}"#,
    refusal: r#"{"error":{"code":$status,"message":"$message","type":"$type"}}"#,
    refusals: &[
        (Refusal::Unauthorized, 401, r#"{"error":{"code":401,"message":"Invalid API Key","type":"authentication_error"}}"#),
        (Refusal::Unavailable, 503, r#"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#),
        (
            Refusal::ContextLength,
            400,
            r#"{"error":{"code":400,"message":"request (9412 tokens) exceeds the available context size (8192 tokens), try increasing it","type":"exceed_context_size_error","n_prompt_tokens":9412,"n_ctx":8192}}"#,
        ),
    ],
    ..PLAIN
};

/// llama.cpp before the server was split: errors come in a field named `error`, then `[DONE]`.
pub const LLAMACPP_OLD: Wording = Wording {
    name: "llamacpp-old",
    profile: "llamacpp",
    stream_error: r#"error: {"code":500,"message":"$message","type":"server_error"}"#,
    done_after_error: true,
    ..LLAMACPP
};

/// Ollama's `/v1`: the first chunk has role and text, reasoning under `reasoning` beside an empty content.
pub const OLLAMA: Wording = Wording {
    name: "ollama",
    model: "deepseek-r1:8b",
    id: "chatcmpl-742",
    chunk: r#"{"id":"$id","object":"chat.completion.chunk","created":$created,"model":"$model","system_fingerprint":"fp_ollama","choices":[$choices]$extra$usage}"#,
    choice: r#"{"index":0,"delta":{$delta},"finish_reason":null}"#,
    last_choice: r#"{"index":0,"delta":{$delta},"finish_reason":"$finish"}"#,
    opener: ["", ""],
    first: [r#""role":"assistant","content":"","reasoning":"$text""#, r#""role":"assistant","content":"$text""#],
    reasoning: r#""content":"","reasoning":"$text""#,
    usage: [PLAIN.usage[1]; 2],
    refusal: r#"{"error":{"message":"$message","type":"$type","param":null,"code":null}}"#,
    refusals: &[
        (
            Refusal::NotFound,
            404,
            r#"{"error":{"message":"model \"$model\" not found, try pulling it first","type":"not_found_error","param":null,"code":null}}"#,
        ),
        (
            Refusal::Unavailable,
            503,
            r#"{"error":{"message":"server busy, please try again.  maximum pending requests exceeded","type":"api_error","param":null,"code":null}}"#,
        ),
    ],
    ..PLAIN
};

/// LM Studio: the role on every chunk; errors as a named event.
pub const LMSTUDIO: Wording = Wording {
    name: "lmstudio",
    model: "deepseek-r1-distill-qwen-8b",
    id: "chatcmpl-####",
    chunk: r#"{"id":"$id","object":"chat.completion.chunk","created":$created,"model":"$model","system_fingerprint":"$model","choices":[$choices]$extra$usage}"#,
    opener: ["", ""],
    reasoning: r#""role":"assistant","reasoning_content":"$text""#,
    content: [r#""role":"assistant","content":"$text""#; 2],
    stream_error: "event: error\ndata: {\"error\":{\"message\":\"$message\",\"type\":\"internal_error\",\"param\":null,\"code\":null}}",
    refusals: &[(
        Refusal::NotFound,
        400,
        r#"{"error":{"message":"Model not found","type":"invalid_request_error","param":"model","code":"model_not_found"}}"#,
    )],
    ..PLAIN
};

/// Text Generation Inference: reasoning always inline, an empty id, the role on every chunk, `[DONE]` even after an error.
pub const TGI: Wording = Wording {
    name: "tgi",
    model: "deepseek-ai/DeepSeek-R1-Distill-Qwen-7B",
    id: "",
    ping: ":",
    chunk: r#"{"object":"chat.completion.chunk","id":"","created":$created,"model":"$model","system_fingerprint":"3.3.7-native","choices":[$choices]$extra$usage}"#,
    opener: ["", ""],
    content: [r#""role":"assistant","content":"$text""#; 2],
    last: [r#""role":"assistant","content":"""#; 2],
    reasoning_as: ReasoningAs::Inline,
    usage: [PLAIN.usage[1]; 2],
    no_usage: NoUsage::Null,
    stream_error: r#"{"error":{"message":"$message","http_status_code":422}}"#,
    done_after_error: true,
    refusal: r#"{"error":"$message","error_type":"$type"}"#,
    refusals: &[
        (Refusal::RateLimited, 429, r#"{"error":"Model is overloaded","error_type":"overloaded"}"#),
        (Refusal::Overloaded, 429, r#"{"error":"Model is overloaded","error_type":"overloaded"}"#),
        (
            Refusal::ContextLength,
            422,
            r#"{"error":"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096","error_type":"validation"}"#,
        ),
        (
            Refusal::ServerError,
            424,
            r#"{"error":"Request failed during generation: Server error: CUDA out of memory","error_type":"generation"}"#,
        ),
    ],
    ..PLAIN
};

/// LMDeploy: absent keys instead of nulls, the role on every chunk, `usage: null` while usage was asked for.
pub const LMDEPLOY: Wording = Wording {
    name: "lmdeploy",
    model: "DeepSeek-R1-Distill-Qwen-7B",
    id: "1",
    choice: r#"{"index":0,"delta":{$delta}}"#,
    last_choice: r#"{"index":0,"delta":{$delta},"finish_reason":"$finish"}"#,
    opener: ["", ""],
    reasoning: r#""role":"assistant","reasoning_content":"$text""#,
    content: [r#""role":"assistant","content":"$text""#; 2],
    last: [r#""role":"assistant","content":"""#; 2],
    usage: [
        r#"{"prompt_tokens":$prompt,"total_tokens":$total,"completion_tokens":$completion,"prompt_tokens_details":{"cached_tokens":$cached},"completion_tokens_details":{"reasoning_tokens":$reasoning}}"#,
        r#"{"prompt_tokens":$prompt,"total_tokens":$total,"completion_tokens":$completion,"prompt_tokens_details":{"cached_tokens":$cached}}"#,
    ],
    no_usage: NoUsage::NullWhenAsked,
    stream_error: r#"{"error":{"message":"$message","type":"server_error","code":503,"param":null,"object":"error"}}"#,
    done_after_error: true,
    refusal: r#"{"message":"$message","type":"$type","code":$status,"param":null,"object":"error"}"#,
    refusals: &[(
        Refusal::NotFound,
        404,
        r#"{"message":"The model `$model` does not exist.","type":"not_found_error","code":404,"param":null,"object":"error"}"#,
    )],
    ..PLAIN
};

/// Xinference: CRLF, pings of sse-starlette, errors as a bare string.
pub const XINFERENCE: Wording = Wording {
    name: "xinference",
    model: "deepseek-r1-distill",
    id: "chatcmpl-####",
    line_end: "\r\n",
    ping: ": ping - 2026-11-24 08:00:00.000000+00:00",
    chunk: r#"{"id":"$id","model":"$model","object":"chat.completion.chunk","created":$created,"choices":[$choices]$extra$usage}"#,
    choice: r#"{"index":0,"delta":{$delta},"finish_reason":null}"#,
    last_choice: r#"{"index":0,"delta":{$delta},"finish_reason":"$finish"}"#,
    reasoning: r#""reasoning_content":"$text","content":null"#,
    content: [r#""content":"$text","reasoning_content":null"#, r#""content":"$text""#],
    last: [r#""content":"""#; 2],
    usage: [PLAIN.usage[1]; 2],
    stream_error: r#"{"error":"$message"}"#,
    refusal: r#"{"detail":"$message"}"#,
    refusals: &[(Refusal::NotFound, 400, r#"{"detail":"[Model not found] uid: $model"}"#)],
    ..PLAIN
};
