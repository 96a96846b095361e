//! Chinese clouds: DeepSeek, Volcano Engine Ark, SiliconFlow, Alibaba Bailian, iFlytek (v1, v2, MaaS).

use super::{Cap, Continuous, NoUsage, PLAIN, Refusal, UsagePlace, Wording};

/// DeepSeek: keep-alive comments, both text keys with one null, usage on the finish chunk whether asked or not.
pub const DEEPSEEK: Wording = Wording {
    name: "deepseek",
    model: "deepseek-v4-pro",
    id: "########-####-4###-9###-############",
    chunk: r#"{"id":"$id","object":"chat.completion.chunk","created":$created,"model":"$model","system_fingerprint":"fp_0123456789_prod","choices":[$choices]$extra$usage}"#,
    opener: [r#""role":"assistant","content":null,"reasoning_content":"""#, r#""role":"assistant","content":"""#],
    reasoning: r#""content":null,"reasoning_content":"$text""#,
    content: [r#""content":"$text","reasoning_content":null"#, r#""content":"$text""#],
    last: [r#""content":"","reasoning_content":null"#, r#""content":"""#],
    usage: [
        r#"{"prompt_tokens":$prompt,"completion_tokens":$completion,"total_tokens":$total,"prompt_tokens_details":{"cached_tokens":$cached},"completion_tokens_details":{"reasoning_tokens":$reasoning},"prompt_cache_hit_tokens":$cached,"prompt_cache_miss_tokens":$uncached}"#,
        r#"{"prompt_tokens":$prompt,"completion_tokens":$completion,"total_tokens":$total,"prompt_tokens_details":{"cached_tokens":$cached},"prompt_cache_hit_tokens":$cached,"prompt_cache_miss_tokens":$uncached}"#,
    ],
    usage_place: UsagePlace::FinishChunk,
    usage_unasked: true,
    no_usage: NoUsage::NullWhenAsked,
    stream_error: r#"{"error":{"message":"$message","type":"server_error","param":null,"code":"server_error"}}"#,
    refusals: &[
        (
            Refusal::Unauthorized,
            401,
            r#"{"error":{"message":"Authentication Fails, Your api key is invalid","type":"authentication_error","param":null,"code":"invalid_request_error"}}"#,
        ),
        (
            Refusal::Billing,
            402,
            r#"{"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,"code":"invalid_request_error"}}"#,
        ),
        (
            Refusal::NotFound,
            400,
            r#"{"error":{"message":"Model Not Exist","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}"#,
        ),
        (
            Refusal::RateLimited,
            429,
            r#"{"error":{"message":"Rate limit reached","type":"rate_limit_error","param":null,"code":"rate_limit_error"}}"#,
        ),
    ],
    ..PLAIN
};

/// Volcano Engine Ark: `choices` first, the role on every chunk, no finish reason until the end, `max_tokens` for the answer only.
pub const VOLCENGINE_ARK: Wording = Wording {
    name: "volcengine-ark",
    model: "deepseek-r1-250528",
    id: "02##################",
    chunk: r#"{"choices":[$choices],"created":$created,"id":"$id","model":"$model","service_tier":"default","object":"chat.completion.chunk"$extra$usage}"#,
    choice: r#"{"delta":{$delta},"index":0}"#,
    last_choice: r#"{"delta":{$delta},"finish_reason":"$finish","index":0}"#,
    opener: ["", ""],
    reasoning: r#""content":"","reasoning_content":"$text","role":"assistant""#,
    content: [r#""content":"$text","role":"assistant""#; 2],
    last: [r#""content":"","role":"assistant""#; 2],
    usage: [
        r#"{"completion_tokens":$completion,"prompt_tokens":$prompt,"total_tokens":$total,"prompt_tokens_details":{"cached_tokens":$cached},"completion_tokens_details":{"reasoning_tokens":$reasoning}}"#,
        r#"{"completion_tokens":$completion,"prompt_tokens":$prompt,"total_tokens":$total,"prompt_tokens_details":{"cached_tokens":$cached}}"#,
    ],
    no_usage: NoUsage::Null,
    continuous: Continuous::NoOwnChunk,
    cap: Cap::Answer,
    headers: &[("x-request-id", "$id"), ("x-client-request-id", "$request")],
    stream_error: r#"{"error":{"code":"InternalServiceError","message":"$message Request id: $id","param":"","type":"InternalServerError"}}"#,
    refusal: r#"{"error":{"code":"$code","message":"$message Request id: $id","param":"","type":"$type"}}"#,
    refusals: &[
        (
            Refusal::Unauthorized,
            401,
            r#"{"error":{"code":"AuthenticationError","message":"The API key format is incorrect. Request id: $id","param":"","type":"Unauthorized"}}"#,
        ),
        (
            Refusal::Billing,
            403,
            r#"{"error":{"code":"AccountOverdueError","message":"The request failed because your account has an overdue balance. Request id: $id","param":"","type":"Forbidden"}}"#,
        ),
        (
            Refusal::NotFound,
            404,
            r#"{"error":{"code":"InvalidEndpointOrModel.NotFound","message":"The model or endpoint $model does not exist or you do not have access to it. Request id: $id","param":"","type":"NotFound"}}"#,
        ),
        (
            Refusal::RateLimited,
            429,
            r#"{"error":{"code":"ModelAccountTpmRateLimitExceeded","message":"Tokens Per Minute limit of the model was exceeded for your account. Request id: $id","param":"","type":"TooManyRequests"}}"#,
        ),
        (
            Refusal::Overloaded,
            429,
            r#"{"error":{"code":"ServerOverloaded","message":"The service is currently unable to handle additional requests. Request id: $id","param":"","type":"TooManyRequests"}}"#,
        ),
        (
            Refusal::QuotaExceeded,
            429,
            r#"{"error":{"code":"QuotaExceeded","message":"Your account has exhausted its free trial quota for the model. Request id: $id","param":"","type":"TooManyRequests"}}"#,
        ),
    ],
    ..PLAIN
};

/// SiliconFlow: both text keys and the role on every chunk, cumulative usage on every chunk, `max_tokens` for the answer only.
pub const SILICONFLOW: Wording = Wording {
    name: "siliconflow",
    model: "deepseek-ai/DeepSeek-R1",
    id: "019a############################",
    chunk: r#"{"id":"$id","object":"chat.completion.chunk","created":$created,"model":"$model","choices":[$choices],"system_fingerprint":""$extra$usage}"#,
    choice: r#"{"index":0,"delta":{$delta},"finish_reason":null}"#,
    last_choice: r#"{"index":0,"delta":{$delta},"finish_reason":"$finish"}"#,
    opener: [r#""content":null,"reasoning_content":"","role":"assistant""#, r#""content":"","reasoning_content":null,"role":"assistant""#],
    reasoning: r#""content":null,"reasoning_content":"$text","role":"assistant""#,
    content: [r#""content":"$text","reasoning_content":null,"role":"assistant""#; 2],
    last: [r#""content":"","reasoning_content":null"#; 2],
    usage_place: UsagePlace::EveryChunk,
    usage_unasked: true,
    cap: Cap::Answer,
    headers: &[("x-siliconcloud-trace-id", "ti_$request")],
    stream_error: r#"{"code":50505,"message":"$message","data":null}"#,
    refusal: r#"{"code":$number,"message":"$message","data":null}"#,
    refusals: &[
        (Refusal::Unauthorized, 401, r#""Invalid token""#),
        (Refusal::Billing, 403, r#"{"code":30001,"message":"Sorry, your account balance is insufficient","data":null}"#),
        (Refusal::NotFound, 400, r#"{"code":20012,"message":"Model does not exist. Please check it carefully.","data":null}"#),
        (Refusal::RateLimited, 429, r#"{"message":"Request was rejected due to rate limiting.","data":null}"#),
        (Refusal::Unavailable, 503, r#"{"code":50505,"message":"Model service overloaded. Please try again later.","data":null}"#),
        (Refusal::Overloaded, 503, r#"{"code":50505,"message":"Model service overloaded. Please try again later.","data":null}"#),
    ],
    ..PLAIN
};

/// Alibaba Bailian in compatible mode: about five tokens a chunk, `usage` in the middle of the object, an own usage chunk.
pub const BAILIAN: Wording = Wording {
    name: "bailian",
    model: "deepseek-r1",
    id: "chatcmpl-########-####-9###-####-############",
    chunk: r#"{"choices":[$choices],"object":"chat.completion.chunk"$usage,"created":$created,"system_fingerprint":null,"model":"$model","id":"$id"$extra}"#,
    choice: r#"{"delta":{$delta},"index":0,"logprobs":null,"finish_reason":null}"#,
    last_choice: r#"{"delta":{$delta},"index":0,"logprobs":null,"finish_reason":"$finish"}"#,
    opener: [r#""content":null,"role":"assistant","reasoning_content":"""#, r#""content":"","role":"assistant""#],
    reasoning: r#""content":null,"reasoning_content":"$text""#,
    content: [r#""content":"$text","reasoning_content":null"#, r#""content":"$text""#],
    last: [r#""content":"","reasoning_content":null"#, r#""content":"""#],
    usage: [
        r#"{"prompt_tokens":$prompt,"completion_tokens":$completion,"total_tokens":$total,"completion_tokens_details":{"reasoning_tokens":$reasoning},"prompt_tokens_details":{"cached_tokens":$cached}}"#,
        r#"{"prompt_tokens":$prompt,"completion_tokens":$completion,"total_tokens":$total,"prompt_tokens_details":{"cached_tokens":$cached}}"#,
    ],
    no_usage: NoUsage::Null,
    tokens_per_chunk: 5,
    cap: Cap::Answer,
    headers: &[
        ("x-request-id", "$id"),
        ("req-cost-time", "4210"),
        ("req-arrive-time", "$(created)000"),
        ("resp-start-time", "$(created)512"),
        ("x-dashscope-call-gateway", "true"),
    ],
    stream_error: r#"{"error":{"code":"internal_error","param":null,"message":"$message","type":"internal_error"},"id":"$id","request_id":"$request"}"#,
    refusal: r#"{"error":{"message":"$message","type":"$type","param":null,"code":"$code"},"request_id":"$request"}"#,
    refusals: &[
        (
            Refusal::Unauthorized,
            401,
            r#"{"error":{"message":"Incorrect API key provided. ","type":"invalid_request_error","param":null,"code":"invalid_api_key"},"request_id":"$request"}"#,
        ),
        (
            Refusal::Billing,
            400,
            r#"{"error":{"message":"Access denied, please make sure your account is in good standing.","type":"Arrearage","param":null,"code":"Arrearage"},"request_id":"$request"}"#,
        ),
        (
            Refusal::NotFound,
            404,
            r#"{"error":{"message":"The model `$model` does not exist or you do not have access to it.","type":"invalid_request_error","param":null,"code":"model_not_found"},"request_id":"$request"}"#,
        ),
        (
            Refusal::RateLimited,
            429,
            r#"{"error":{"message":"You exceeded your current requests list.","type":"limit_requests","param":null,"code":"limit_requests"},"request_id":"$request"}"#,
        ),
        (
            Refusal::QuotaExceeded,
            429,
            r#"{"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","param":null,"code":"insufficient_quota"},"request_id":"$request"}"#,
        ),
    ],
    ..PLAIN
};

/// iFlytek Spark HTTP v1: `code`, `message`, `sid`; no finish reason at all, usage on the last chunk with text, no space after `data:`.
pub const IFLYTEK_V1: Wording = Wording {
    name: "iflytek-v1",
    profile: "iflytek",
    model: "4.0Ultra",
    id: "cha000######@dx##################",
    data: "data:",
    chunk: r#"{"code":0,"message":"Success","sid":"$id","id":"$id","created":$created,"choices":[$choices]$extra$usage}"#,
    choice: r#"{"delta":{$delta},"index":0}"#,
    last_choice: "",
    opener: ["", ""],
    reasoning: r#""role":"assistant","reasoning_content":"$text""#,
    content: [r#""role":"assistant","content":"$text""#; 2],
    usage: [PLAIN.usage[1]; 2],
    usage_place: UsagePlace::LastContent,
    usage_unasked: true,
    stream_error: r#"{"code":10014,"message":"$message","sid":"$id","id":"$id","created":$created,"choices":[{"delta":{"role":"assistant","content":""},"index":0}]}"#,
    done_after_error: true,
    refusal: r#"{"error":{"message":"$message (sid: $id)","type":"$type","param":null,"code":"$iflytek"}}"#,
    refusals: &[
        (
            Refusal::Unauthorized,
            401,
            r#"{"error":{"message":"HMAC secret key does not match (sid: $id)","type":"api_error","param":null,"code":"11200"}}"#,
        ),
        (
            Refusal::NotFound,
            400,
            r#"{"error":{"message":"invalid param model:$model (sid: $id)","type":"invalid_request_error","param":null,"code":"10005"}}"#,
        ),
        (
            Refusal::RateLimited,
            200,
            r#"{"error":{"message":"AppIdQpsOverFlowError (sid: $id)","type":"api_error","param":null,"code":"11202"}}"#,
        ),
    ],
    ..PLAIN
};

/// iFlytek Spark HTTP v2 (X1): usage on a last chunk without text and without a finish reason.
pub const IFLYTEK_V2: Wording = Wording {
    name: "iflytek-v2",
    model: "x1",
    data: "data: ",
    last_choice: r#"{"delta":{$delta},"index":0}"#,
    last: [r#""role":"assistant""#; 2],
    usage_place: UsagePlace::FinishChunk,
    ..IFLYTEK_V1
};

/// iFlytek MaaS: the OpenAI shape with `code`, `message` and `sid` before it.
pub const IFLYTEK_MAAS: Wording = Wording {
    name: "iflytek-maas",
    profile: "",
    model: "xdeepseekr1",
    chunk: r#"{"code":0,"message":"Success","sid":"$id","id":"$id","object":"chat.completion.chunk","created":$created,"model":"$model","choices":[$choices]$extra$usage}"#,
    choice: r#"{"index":0,"delta":{$delta},"finish_reason":null}"#,
    last_choice: r#"{"index":0,"delta":{$delta},"finish_reason":"$finish"}"#,
    reasoning: r#""role":"assistant","content":"","reasoning_content":"$text""#,
    last: [r#""role":"assistant","content":"""#; 2],
    stream_error: r#"{"code":10008,"message":"$message","sid":"$id"}"#,
    done_after_error: false,
    ..IFLYTEK_V2
};
