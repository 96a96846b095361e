//! Groq, Cerebras, Meta's Llama API, OpenAI, Azure OpenAI, OpenRouter.

use super::{NoUsage, PLAIN, ReasoningAs, Refusal, UsagePlace, Wording};

/// Groq: `x_groq` on opener and finish chunk, usage with server times there and at the top.
pub const GROQ: Wording = Wording {
    name: "groq",
    model: "qwen/qwen3-32b",
    id: "chatcmpl-########",
    chunk: r#"{"id":"$id","object":"chat.completion.chunk","created":$created,"model":"$model","system_fingerprint":"fp_78ac7f3229","choices":[$choices]$extra$usage}"#,
    reasoning: r#""reasoning":"$text""#,
    usage: [
        r#"{"queue_time":$queue_s,"prompt_tokens":$prompt,"prompt_time":$prompt_s,"completion_tokens":$completion,"completion_time":$gen_s,"total_tokens":$total,"total_time":$total_s,"completion_tokens_details":{"reasoning_tokens":$reasoning}}"#,
        r#"{"queue_time":$queue_s,"prompt_tokens":$prompt,"prompt_time":$prompt_s,"completion_tokens":$completion,"completion_time":$gen_s,"total_tokens":$total,"total_time":$total_s}"#,
    ],
    usage_place: UsagePlace::FinishChunk,
    usage_unasked: true,
    extra_opener: r#","x_groq":{"id":"req_$id","seed":872656815}"#,
    extra_last: r#","x_groq":{"id":"req_$id"$usage}"#,
    head_at_once: false,
    headers: &[
        ("x-ratelimit-limit-requests", "14400"),
        ("x-ratelimit-limit-tokens", "18000"),
        ("x-ratelimit-remaining-requests", "14399"),
        ("x-ratelimit-remaining-tokens", "17910"),
        ("x-ratelimit-reset-requests", "6s"),
        ("x-ratelimit-reset-tokens", "300ms"),
        ("x-groq-region", "us-west-1"),
    ],
    stream_error: r#"{"id":"$id","object":"chat.completion.chunk","created":$created,"model":"$model","system_fingerprint":"fp_78ac7f3229","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":null}],"x_groq":{"id":"req_$id","error":"over_capacity"}}"#,
    refusal: r#"{"error":{"message":"$message","type":"$type","code":"$code"}}"#,
    refusals: &[
        (Refusal::Unauthorized, 401, r#"{"error":{"message":"Invalid API Key","type":"invalid_request_error","code":"invalid_api_key"}}"#),
        (
            Refusal::NotFound,
            404,
            r#"{"error":{"message":"The model `$model` does not exist or you do not have access to it.","type":"invalid_request_error","code":"model_not_found"}}"#,
        ),
        (
            Refusal::RateLimited,
            429,
            r#"{"error":{"message":"Rate limit reached for model `$model` in organization `o` service tier `on_demand` on tokens per minute (TPM): Limit 15000, Used 11972, Requested 4351. Please try again in 5.289s.","type":"tokens","code":"rate_limit_exceeded"}}"#,
        ),
        (
            Refusal::Capacity,
            498,
            r#"{"error":{"message":"Flex tier capacity exceeded","type":"capacity_exceeded","code":"capacity_exceeded"}}"#,
        ),
    ],
    limit_headers: &[("retry-after", "6")],
    ..PLAIN
};

/// Cerebras: no finish reason until the end, several tokens a chunk, `time_info` on the finish chunk, flat errors over HTTP.
pub const CEREBRAS: Wording = Wording {
    name: "cerebras",
    model: "gpt-oss-120b",
    id: "chatcmpl-########",
    chunk: r#"{"id":"$id","choices":[$choices],"created":$created,"model":"$model","system_fingerprint":"fp_a33c042689e969567008","object":"chat.completion.chunk"$usage$extra}"#,
    choice: r#"{"delta":{$delta},"index":0}"#,
    last_choice: r#"{"delta":{$delta},"finish_reason":"$finish","index":0}"#,
    opener: [r#""role":"assistant""#; 2],
    reasoning: r#""reasoning":"$text""#,
    usage: [
        r#"{"total_tokens":$total,"completion_tokens":$completion,"completion_tokens_details":{"accepted_prediction_tokens":0,"rejected_prediction_tokens":0,"reasoning_tokens":$reasoning},"prompt_tokens":$prompt,"prompt_tokens_details":{"cached_tokens":$cached}}"#,
        r#"{"total_tokens":$total,"completion_tokens":$completion,"completion_tokens_details":{"accepted_prediction_tokens":0,"rejected_prediction_tokens":0},"prompt_tokens":$prompt,"prompt_tokens_details":{"cached_tokens":$cached}}"#,
    ],
    usage_place: UsagePlace::FinishChunk,
    usage_unasked: true,
    timings: r#","time_info":{"created":$created.57,"queue_time":$queue_s,"prompt_time":$prompt_s,"completion_time":$gen_s,"total_time":$total_s}"#,
    tokens_per_chunk: 4,
    headers: &[
        ("x-ratelimit-limit-requests-day", "14400"),
        ("x-ratelimit-limit-tokens-minute", "60000"),
        ("x-ratelimit-remaining-requests-day", "14399"),
        ("x-ratelimit-remaining-tokens-minute", "57000"),
        ("x-ratelimit-reset-requests-day", "33011.382867"),
        ("x-ratelimit-reset-tokens-minute", "11.382867"),
    ],
    stream_error: r#"{"error":{"message":"$message","type":"server_error","param":"","code":"","id":""},"status_code":500}"#,
    refusal: r#"{"message":"$message","type":"$type","param":"","code":"$code"}"#,
    refusals: &[
        (
            Refusal::Unauthorized,
            401,
            r#"{"message":"Wrong API Key","type":"invalid_request_error","param":"api_key","code":"wrong_api_key"}"#,
        ),
        (
            Refusal::NotFound,
            404,
            r#"{"message":"Model $model does not exist or you do not have access to it.","type":"not_found_error","param":"model","code":"model_not_found"}"#,
        ),
        (
            Refusal::RateLimited,
            429,
            r#"{"message":"Requests per minute limit exceeded - too many requests sent.","type":"too_many_requests_error","param":"quota","code":"request_quota_exceeded"}"#,
        ),
        (
            Refusal::Overloaded,
            429,
            r#"{"message":"We're experiencing high traffic right now! Please try again soon.","type":"too_many_requests_error","param":"queue","code":"queue_exceeded"}"#,
        ),
    ],
    ..PLAIN
};

/// Meta's Llama API, compatible mode: no usage.
pub const META_LLAMA: Wording = Wording {
    name: "meta-llama",
    model: "Llama-4-Maverick-17B-128E-Instruct-FP8",
    usage_place: UsagePlace::None,
    stream_error: r#"{"error":{"message":"$message","type":"server_error","param":null,"code":"internal_error"}}"#,
    refusals: &[(
        Refusal::RateLimited,
        429,
        r#"{"error":{"message":"Rate limit exceeded","type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}}"#,
    )],
    ..PLAIN
};

/// OpenAI: reasoning hidden and only counted, `obfuscation` padding.
pub const OPENAI: Wording = Wording {
    name: "openai",
    model: "gpt-5-nano",
    id: "chatcmpl-##############",
    chunk: r#"{"id":"$id","object":"chat.completion.chunk","created":$created,"model":"$model","choices":[$choices]$usage$extra}"#,
    opener: [r#""role":"assistant","content":"","refusal":null"#; 2],
    reasoning_as: ReasoningAs::Hidden,
    usage: [
        r#"{"prompt_tokens":$prompt,"completion_tokens":$completion,"total_tokens":$total,"prompt_tokens_details":{"cached_tokens":$cached,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":$reasoning,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}"#,
        r#"{"prompt_tokens":$prompt,"completion_tokens":$completion,"total_tokens":$total,"prompt_tokens_details":{"cached_tokens":$cached,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}"#,
    ],
    no_usage: NoUsage::NullWhenAsked,
    extra_opener: r#","service_tier":"default","system_fingerprint":null,"obfuscation":"aB3""#,
    extra_text: r#","service_tier":"default","obfuscation":"$pad""#,
    extra_last: r#","obfuscation":"k""#,
    extra_usage: r#","obfuscation":"D""#,
    headers: &[
        ("openai-processing-ms", "$ttft_whole_ms"),
        ("x-request-id", "req_$request"),
        ("x-ratelimit-remaining-requests", "9999"),
        ("x-ratelimit-reset-tokens", "6m0s"),
        ("openai-version", "2020-10-01"),
    ],
    refusals: &[
        (
            Refusal::Unauthorized,
            401,
            r#"{"error":{"message":"Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}"#,
        ),
        (
            Refusal::NotFound,
            404,
            r#"{"error":{"message":"The model `$model` does not exist or you do not have access to it.","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#,
        ),
        (
            Refusal::QuotaExceeded,
            429,
            r#"{"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#,
        ),
    ],
    ..PLAIN
};

/// Azure OpenAI: a first event with `prompt_filter_results` and no choice, filter results on every chunk, the key in `api-key`.
pub const AZURE_OPENAI: Wording = Wording {
    name: "azure-openai",
    model: "gpt-5-nano-2025-08-07",
    chunk: PLAIN.chunk,
    choice: r#"{"index":0,"delta":{$delta},"logprobs":null,"finish_reason":null,"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}}}"#,
    opener_choice: r#"{"index":0,"delta":{$delta},"logprobs":null,"finish_reason":null,"content_filter_results":{}}"#,
    last_choice: r#"{"index":0,"delta":{$delta},"logprobs":null,"finish_reason":"$finish","content_filter_results":{}}"#,
    opener: [r#""content":"","refusal":null,"role":"assistant""#; 2],
    usage: [
        r#"{"completion_tokens":$completion,"prompt_tokens":$prompt,"total_tokens":$total,"completion_tokens_details":{"reasoning_tokens":$reasoning},"prompt_tokens_details":{"cached_tokens":$cached}}"#,
        r#"{"completion_tokens":$completion,"prompt_tokens":$prompt,"total_tokens":$total,"prompt_tokens_details":{"cached_tokens":$cached}}"#,
    ],
    extra_opener: "",
    extra_text: "",
    extra_last: "",
    extra_usage: "",
    before: r#"{"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0,"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}}}]}"#,
    headers: &[("apim-request-id", "$request"), ("x-ms-region", "East US")],
    refusal: r#"{"error":{"code":"$code","message":"$message"}}"#,
    refusals: &[
        (
            Refusal::Unauthorized,
            401,
            r#"{"error":{"code":"401","message":"Access denied due to invalid subscription key or wrong API endpoint."}}"#,
        ),
        (
            Refusal::NotFound,
            404,
            r#"{"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist."}}"#,
        ),
    ],
    key_header: "api-key",
    ..OPENAI
};

/// OpenRouter: a comment while it looks for a provider, which it then names; reasoning twice; usage beside the last choice.
pub const OPENROUTER: Wording = Wording {
    name: "openrouter",
    model: "deepseek/deepseek-r1",
    id: "gen-1764000018-##########",
    ping: ": OPENROUTER PROCESSING",
    chunk: r#"{"id":"$id","provider":"DeepInfra","model":"$model","object":"chat.completion.chunk","created":$created,"choices":[$choices]$extra$usage}"#,
    choice: r#"{"index":0,"delta":{$delta},"finish_reason":null,"native_finish_reason":null,"logprobs":null}"#,
    last_choice: r#"{"index":0,"delta":{$delta},"finish_reason":"$finish","native_finish_reason":"$finish","logprobs":null}"#,
    opener: ["", ""],
    reasoning: r#""role":"assistant","content":"","reasoning":"$text","reasoning_details":[{"type":"reasoning.text","text":"$text","format":"unknown","index":0}]"#,
    content: [r#""role":"assistant","content":"$text""#; 2],
    last: [r#""role":"assistant","content":"""#; 2],
    usage: [
        r#"{"prompt_tokens":$prompt,"completion_tokens":$completion,"total_tokens":$total,"cost":0.00012,"prompt_tokens_details":{"cached_tokens":$cached},"completion_tokens_details":{"reasoning_tokens":$reasoning}}"#,
        r#"{"prompt_tokens":$prompt,"completion_tokens":$completion,"total_tokens":$total,"cost":0.00012,"prompt_tokens_details":{"cached_tokens":$cached}}"#,
    ],
    usage_unasked: true,
    headers: &[("x-generation-id", "$id")],
    stream_error: r#"{"id":"$id","object":"chat.completion.chunk","created":$created,"model":"$model","provider":"DeepInfra","error":{"code":502,"message":"$message","metadata":{"provider_name":"DeepInfra"}},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}"#,
    refusal: r#"{"error":{"code":$status,"message":"$message","metadata":{}},"user_id":"u"}"#,
    refusals: &[
        (Refusal::Unauthorized, 401, r#"{"error":{"message":"No auth credentials found","code":401}}"#),
        (Refusal::Billing, 402, r#"{"error":{"code":402,"message":"Insufficient credits.","metadata":{}},"user_id":"u"}"#),
        (Refusal::NotFound, 400, r#"{"error":{"message":"$model is not a valid model ID","code":400},"user_id":"u"}"#),
    ],
    ..PLAIN
};
