//! The simulator words its streams as the fixtures of each provider do: keys, their order, nulls, and line form.

mod simulator;

use simulator::{Answer, Sim};
use std::collections::BTreeSet;
use std::path::Path;

/// System of `builtin:providers`, folder of its fixtures.
const STREAMS: &[(&str, &str)] = &[
    ("vllm", "vllm"),
    ("vllm-plain", "vllm"),
    ("vllm-old", "vllm"),
    ("sglang", "sglang"),
    ("sglang-plain", "sglang"),
    ("llamacpp", "llamacpp"),
    ("ollama", "ollama-openai"),
    ("lmstudio", "lmstudio"),
    ("lmstudio-inline", "lmstudio"),
    ("tgi", "tgi"),
    ("lmdeploy", "lmdeploy"),
    ("xinference", "xinference"),
    ("xinference-plain", "xinference"),
    ("deepseek", "deepseek"),
    ("deepseek-plain", "deepseek"),
    ("volcengine-ark", "ark"),
    ("siliconflow", "siliconflow"),
    ("siliconflow-plain", "siliconflow"),
    ("bailian", "dashscope-compat"),
    ("bailian-plain", "dashscope-compat"),
    ("iflytek-v1", "iflytek-http"),
    ("iflytek-v2", "iflytek-http"),
    ("iflytek-maas", "iflytek-maas"),
    ("groq", "groq"),
    ("groq-plain", "groq"),
    ("cerebras", "cerebras"),
    ("meta-llama", "llama-api-compat"),
    ("openai", "openai"),
    ("azure-openai", "azure"),
];

/// A JSON text without its values: `{"id":"…","n":0,"x":null}`. Keys, their order, nulls and empty strings stay.
fn shape(json: &str) -> String {
    let mut out = String::new();
    let mut rest = json;
    while let Some(first) = rest.chars().next() {
        if first == '"' {
            let mut escaped = false;
            let end = rest.char_indices().skip(1).find(|(_, c)| {
                let ends = *c == '"' && !escaped;
                escaped = *c == '\\' && !escaped;
                ends
            });
            let end = end.map_or(rest.len(), |(at, _)| at + 1);
            let (string, after) = rest.split_at(end);
            out.push_str(if after.starts_with(':') || string == "\"\"" { string } else { "\"…\"" });
            rest = after;
        } else if first == '-' || first.is_ascii_digit() {
            out.push('0');
            rest = rest.trim_start_matches(|c: char| "-+.eE".contains(c) || c.is_ascii_digit());
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    // Whether other chunks say `usage: null` hangs on the request; dialects tell of it apart from the fixtures.
    out.replace(",\"usage\":null", "")
}

/// The shapes of the data lines of a body, `data:` with its space or without.
fn shapes(body: &str) -> BTreeSet<String> {
    let lines = body.lines().filter(|line| line.starts_with("data:") && line.ends_with('}'));
    lines
        .map(|line| line.split_at(if line.starts_with("data: ") { 6 } else { 5 }))
        .map(|(data, json)| format!("{data}{}", shape(json)))
        .collect()
}

fn fixtures(folder: &str, suffix: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/streams").join(folder);
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        name.ends_with(suffix).then(|| (name, String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()))
    };
    std::fs::read_dir(folder).unwrap().filter_map(read).collect()
}

const ASK: &str = r#"{"model":"m","stream":true,"stream_options":{"include_usage":true},"return_progress":true,"messages":[]}"#;

#[test]
fn every_chunk_has_the_keys_of_the_fixtures_in_their_order() {
    let sim = Sim::start("builtin:providers", &[]);
    for (system, folder) in STREAMS {
        let known: BTreeSet<String> = fixtures(folder, ".sse").iter().flat_map(|(_, body)| shapes(body)).collect();
        let answer = sim.ask(system, ASK);
        assert_eq!(answer.status, 200, "{system}");
        let written = shapes(&answer.body());
        assert!(2 <= written.len(), "{system} wrote {written:?}");
        let strange: Vec<&String> = written.difference(&known).collect();
        assert!(strange.is_empty(), "{system}: no fixture has {strange:#?}");
        // iFlytek v1 alone has no other end than [DONE].
        assert!(answer.done(), "{system}");
        assert_eq!(answer.finish().is_none(), ["iflytek-v1", "iflytek-v2"].contains(system), "{system}");
    }
}

/// Systems of other protocols, the end of their path, and the folder of their fixtures.
const OWN: &[(&str, &str, &str)] = &[
    ("anthropic", "messages", "anthropic"),
    ("anthropic-plain", "messages", "anthropic"),
    ("vllm-anthropic", "messages", "anthropic"),
    ("ollama-native", "chat", "ollama-native"),
    ("bailian-native", "generation", "dashscope-native"),
    ("meta-llama-native", "chat/completions", "llama-api-native"),
];

#[test]
fn other_protocols_have_the_keys_of_their_fixtures_in_their_order() {
    let sim = Sim::start("builtin:providers", &[]);
    let json_shapes = |body: &str| {
        let lines = body.lines().map(|line| line.strip_prefix("data:").unwrap_or(line).trim_start());
        lines.filter(|line| line.starts_with('{')).map(shape).collect::<BTreeSet<_>>()
    };
    for (system, route, folder) in OWN {
        let ask = if *route == "generation" { r#"{"model":"m","input":{"messages":[]}}"# } else { ASK }.to_owned();
        let known: BTreeSet<String> =
            [".sse", ".ndjson"].iter().flat_map(|end| fixtures(folder, end)).flat_map(|(_, body)| json_shapes(&body)).collect();
        let mut stream = sim.connect();
        let post = simulator::post(system, &ask, "x-dashscope-sse: enable\r\n");
        let post = String::from_utf8(post).unwrap().replacen("/chat/completions", &format!("/{route}"), 1);
        std::io::Write::write_all(&mut stream, post.as_bytes()).unwrap();
        let answer = Answer::read(&mut stream);
        assert_eq!(answer.status, 200, "{system}");
        let written = json_shapes(&answer.body());
        assert!(2 <= written.len(), "{system} wrote {written:?}");
        let strange: Vec<&String> = written.difference(&known).collect();
        assert!(strange.is_empty(), "{system}: no fixture has {strange:#?}");
    }
}

#[test]
fn openrouter_names_its_provider_and_tells_reasoning_twice() {
    let answer = Sim::start("builtin:providers", &[]).ask("openrouter", ASK);
    let first = &answer.json()[0];
    assert_eq!(first["provider"], "DeepInfra");
    assert_eq!(first["choices"][0]["delta"]["reasoning"], first["choices"][0]["delta"]["reasoning_details"][0]["text"]);
    assert!(answer.body().starts_with(": OPENROUTER PROCESSING\n\n"));
    assert!(answer.usage().unwrap()["cost"].is_number());
}

#[test]
fn comments_and_line_ends_are_the_providers_own() {
    let sim = Sim::start("builtin:providers", &[]);
    let body = |system| sim.ask(system, ASK).body();
    assert!(body("deepseek").starts_with(": keep-alive\n\n"));
    assert!(body("llamacpp").starts_with(":\n\n"));
    assert!(body("iflytek-v1").contains("data:{") && body("iflytek-v1").contains("data:[DONE]"));
    let crlf = body("xinference");
    assert!(crlf.starts_with(": ping - ") && crlf.matches('\n').count() == crlf.matches("\r\n").count());
}

#[test]
fn usage_stands_where_the_provider_puts_it() {
    let sim = Sim::start("builtin:providers", &[]);
    let place = |system: &str, json: &str| {
        let events = sim.ask(system, json).json();
        let told: Vec<usize> = (0..events.len()).filter(|index| events[*index]["usage"].is_object()).collect();
        let own = events.last().is_some_and(|last| last["choices"].as_array().is_some_and(Vec::is_empty));
        (told.len(), own, events.len())
    };
    let silent = ASK.replace("true},", "false},");
    assert_eq!(place("vllm", ASK).0, 1);
    assert_eq!(place("vllm", &silent).0, 0);
    assert!(place("vllm", ASK).1 && place("bailian", ASK).1 && place("volcengine-ark", ASK).1);
    for on_finish in ["deepseek", "groq", "cerebras", "iflytek-v1", "iflytek-v2"] {
        let (told, own, _) = place(on_finish, &silent);
        assert_eq!((told, own), (1, false), "{on_finish}");
    }
    let (told, _, all) = place("siliconflow", &silent);
    assert_eq!(told, all, "siliconflow tells usage on every chunk");
    let always = ASK.replace(r#""include_usage":true"#, r#""include_usage":true,"chunk_include_usage":true"#);
    let (told, own, all) = place("volcengine-ark", &always);
    assert_eq!((told, own), (all, false));
    let always = ASK.replace(r#""include_usage":true"#, r#""include_usage":true,"continuous_usage_stats":true"#);
    let (told, own, all) = place("vllm", &always);
    assert_eq!((told, own), (all, true));
    assert_eq!(place("meta-llama", ASK).0, 0);
}

#[test]
fn usage_counts_what_was_written() {
    let sim = Sim::start("builtin:providers", &[]);
    for (system, _) in STREAMS.iter().filter(|(system, _)| *system != "meta-llama") {
        let usage = sim.ask(system, ASK).usage().unwrap_or_else(|| panic!("{system} tells no usage"));
        let reasons = !(system.ends_with("-plain") || *system == "iflytek-v1");
        assert_eq!(usage["completion_tokens"], if reasons { 48 } else { 24 }, "{system}");
        assert_eq!(
            usage["total_tokens"].as_u64().unwrap(),
            usage["prompt_tokens"].as_u64().unwrap() + usage["completion_tokens"].as_u64().unwrap()
        );
        if let Some(reasoning) = usage["completion_tokens_details"]["reasoning_tokens"].as_u64() {
            assert_eq!(reasoning, 24, "{system}");
        }
    }
}

#[test]
fn errors_inside_a_stream_are_worded_as_the_fixtures_are() {
    let dialects = [
        ("vllm", "vllm", true),
        ("sglang", "sglang", true),
        ("llamacpp", "llamacpp", false),
        ("lmstudio", "lmstudio", false),
        ("tgi", "tgi", true),
        ("lmdeploy", "lmdeploy", true),
        ("xinference", "xinference", false),
        ("volcengine-ark", "ark", false),
        ("bailian", "dashscope-compat", false),
        ("iflytek-v1", "iflytek-http", true),
        ("iflytek-maas", "iflytek-maas", false),
        ("groq", "groq", false),
        ("cerebras", "cerebras", false),
        ("meta-llama", "llama-api-compat", false),
        ("openai", "openai", false),
        ("openrouter", "openrouter", false),
    ];
    let mut behaviour = "defaults: {ttft_ms: 5, content: {tokens: 4, speed: 1000}, faults: {error_event: 1}}\nsystems:\n".to_owned();
    for (dialect, ..) in dialects {
        behaviour += &format!("  {dialect}: {{dialect: {dialect}}}\n");
    }
    let sim = Sim::start(&behaviour, &[]);
    for (dialect, folder, done) in dialects {
        let answer = sim.ask(dialect, ASK);
        let strict = |text: &str| shapes(text).into_iter().map(|shape| shape.replace("data: ", "data:")).collect::<BTreeSet<_>>();
        let known: BTreeSet<String> =
            fixtures(folder, ".sse").iter().filter(|(name, _)| name.starts_with("error")).flat_map(|(_, body)| strict(body)).collect();
        let last = answer.body().lines().rfind(|line| line.starts_with("data:{") || line.starts_with("data: {")).unwrap().to_owned();
        // An empty string in the one and a message in the other is no difference of form.
        let blur = |text: &str| text.replace("\"\"", "\"…\"");
        let mut is_known = false;
        for shape in &known {
            is_known |= strict(&last).iter().any(|written| blur(written) == blur(shape));
        }
        assert!(is_known, "{dialect}: {last}\nnot among {known:#?}");
        assert_eq!(answer.done(), done, "{dialect}");
        assert_eq!(answer.finish().filter(|finish| finish != "error"), None, "{dialect}");
    }
}

#[test]
fn refusals_are_worded_as_the_fixtures_are() {
    let cases = [
        ("vllm", "not_found", 404, "vllm/error_400_new.json"),
        ("vllm-old", "context_length", 400, "vllm/error_400_old.json"),
        ("vllm", "unauthorized", 401, "vllm/error_401.json"),
        ("sglang", "unavailable", 503, "sglang/error_503.json"),
        ("llamacpp", "context_length", 400, "llamacpp/error_400_context.json"),
        ("llamacpp", "unavailable", 503, "llamacpp/error_503_loading.json"),
        ("ollama", "not_found", 404, "ollama-openai/error_404.json"),
        ("lmstudio", "not_found", 400, "lmstudio/error_400.json"),
        ("tgi", "rate_limited", 429, "tgi/error_429.json"),
        ("lmdeploy", "not_found", 404, "lmdeploy/error_400.json"),
        ("xinference", "not_found", 400, "xinference/error_400.json"),
        ("deepseek", "billing", 402, "deepseek/error_402.json"),
        ("deepseek", "rate_limited", 429, "deepseek/error_429.json"),
        ("volcengine-ark", "rate_limited", 429, "ark/error_429.json"),
        ("volcengine-ark", "overloaded", 429, "ark/error_429_overloaded.json"),
        ("siliconflow", "not_found", 400, "siliconflow/error_400.json"),
        ("siliconflow", "unauthorized", 401, "siliconflow/error_401.json"),
        ("siliconflow", "rate_limited", 429, "siliconflow/error_429.json"),
        ("bailian", "rate_limited", 429, "dashscope-compat/error_429.json"),
        ("iflytek-v1", "not_found", 400, "iflytek-http/error_10005.json"),
        ("iflytek-v1", "rate_limited", 200, "iflytek-http/error_11202.json"),
        ("groq", "rate_limited", 429, "groq/error_429.json"),
        ("groq", "capacity", 498, "groq/error_498.json"),
        ("cerebras", "overloaded", 429, "cerebras/error_429.json"),
        ("meta-llama", "rate_limited", 429, "llama-api-compat/error_429.json"),
        ("openai", "quota_exceeded", 429, "openai/error_429_quota.json"),
        ("openrouter", "billing", 402, "openrouter/error_402.json"),
    ];
    let mut behaviour = "systems:\n".to_owned();
    for (dialect, fault, ..) in cases {
        behaviour += &format!("  {dialect}.{fault}: {{dialect: {dialect}, faults: {{{fault}: 1}}}}\n");
    }
    let sim = Sim::start(&behaviour, &[]);
    for (dialect, fault, status, fixture) in cases {
        let answer: Answer = sim.ask(&format!("{dialect}.{fault}"), ASK);
        let known = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/streams").join(fixture)).unwrap();
        assert_eq!((answer.status, shape(&answer.body())), (status, shape(known.trim())), "{dialect} {fault}");
        assert!(answer.header("content-type").unwrap().starts_with("application/json"));
    }
    assert_eq!(sim.ask("groq.rate_limited", ASK).header("retry-after"), Some("6"));
}

#[test]
fn headers_are_the_providers_own() {
    let sim = Sim::start("builtin:providers", &[]);
    for (system, header) in [
        ("volcengine-ark", "x-client-request-id"),
        ("siliconflow", "x-siliconcloud-trace-id"),
        ("bailian", "x-dashscope-call-gateway"),
        ("groq", "x-ratelimit-reset-tokens"),
        ("cerebras", "x-ratelimit-remaining-tokens-minute"),
        ("openai", "openai-processing-ms"),
        ("azure-openai", "x-ms-region"),
        ("openrouter", "x-generation-id"),
    ] {
        let answer = sim.ask(system, ASK);
        let value = answer.header(header).unwrap_or_else(|| panic!("{system} has no {header}"));
        assert!(!value.is_empty() && !value.contains('$'), "{system}: {header}: {value}");
    }
}
