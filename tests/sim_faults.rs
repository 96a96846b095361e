//! Every fault does what docs/sim.md says of it.

mod simulator;

use simulator::{ASK, Answer, End, Sim, post, writes};
use std::io::{Read, Write};
use std::path::Path;

fn docs() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/sim.md")).unwrap()
}

/// The names of all faults, from the complaint about one that does not exist.
fn all_faults() -> Vec<String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "systems: {a: {faults: {no_such_fault: 1}}}").unwrap();
    let output = simulator::command().args(["sim", "--port", "0", "--behaviour"]).arg(file.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    let listed = said.split("expected one of").nth(1).unwrap_or_else(|| panic!("{said}"));
    listed.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_fault_has_a_system_and_a_line_in_the_document() {
    let sim = Sim::start("builtin:faults", &[]);
    let systems: Vec<&str> = sim.ready["systems"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let (faults, docs) = (all_faults(), docs());
    assert!(70 < faults.len(), "{faults:?}");
    for fault in faults {
        assert!(systems.contains(&fault.replace('_', "-").as_str()), "no system shows {fault}");
        assert!(docs.contains(&format!("| `{fault}` |")), "docs/sim.md does not tell of {fault}");
    }
}

#[test]
fn a_stream_that_ends_early_has_a_clean_body_and_no_end_mark() {
    let sim = Sim::start("builtin:faults", &[]);
    let healthy = sim.stream("healthy");
    assert_eq!((healthy.end, healthy.done(), healthy.finish().as_deref()), (End::Clean, true, Some("stop")));
    for (system, end) in [
        ("ends-early", End::Clean),
        ("ends-inside-event", End::Clean),
        ("ends-inside-utf8", End::Clean),
        ("body-cut", End::Cut),
        ("reset-midstream", End::Reset),
    ] {
        let answer = sim.stream(system);
        assert_eq!((answer.status, answer.end, answer.done(), answer.finish()), (200, end, false, None), "{system}");
        assert!(!answer.reasoning().is_empty(), "{system}: something came before");
        assert!(answer.chunks.len() < healthy.chunks.len(), "{system}");
    }
    let inside = sim.stream("ends-inside-utf8").chunks.concat();
    assert!(std::str::from_utf8(&inside).is_err_and(|error| error.error_len().is_none()), "cut inside a character");
    assert!(!sim.stream("ends-inside-event").body().ends_with("\n\n"));
}

#[test]
fn errors_come_inside_a_200_in_every_form() {
    let sim = Sim::start("builtin:faults", &[]);
    for (system, mark, done) in [
        ("error-event", "data: {\"error\":{\"message\":", false),
        ("error-event-then-done", "data: {\"error\":{\"message\":", true),
        ("error-named-event", "event: error\ndata: {\"error\":", false),
        ("error-field", "error: {\"code\":500,", false),
    ] {
        let answer = sim.stream(system);
        assert!(answer.body().contains(mark), "{system}: {}", answer.body());
        assert_eq!((answer.status, answer.end, answer.done(), answer.finish()), (200, End::Clean, done, None), "{system}");
    }
    let odd = sim.stream("odd-error").json().last().unwrap()["error"]["message"].as_str().unwrap().to_owned();
    assert!(odd.contains("\u{1b}]0;owned\u{7}") && odd.contains('\u{202e}') && odd.contains("=cmd|"), "{odd:?}");
}

#[test]
fn answers_that_are_no_stream_have_their_status_and_type() {
    let sim = Sim::start("builtin:faults", &[]);
    for (system, status, kind, words) in [
        ("unauthorized", 401, "application/json", "API key"),
        ("billing", 402, "application/json", "balance"),
        ("forbidden", 403, "application/json", "access"),
        ("not-found", 404, "application/json", "does not exist"),
        ("bad-request", 400, "application/json", "temperature"),
        ("context-length", 400, "application/json", "context length"),
        ("rate-limited", 429, "application/json", "Rate limit"),
        ("quota-exceeded", 429, "application/json", "quota"),
        ("overloaded", 503, "application/json", "overloaded"),
        ("capacity", 498, "application/json", "Capacity"),
        ("server-error", 500, "application/json", "Internal"),
        ("unavailable", 503, "application/json", "unavailable"),
        ("overloaded-529", 529, "application/json", "Overloaded"),
        ("html-200", 200, "text/html", "<html>"),
        ("html-502", 502, "text/html", "<html>"),
        ("json-error-200", 200, "application/json", "stream not supported"),
        ("json-reply", 200, "application/json", "\"chat.completion\""),
        ("redirect-307", 307, "application/json", "chat.completion"),
        ("empty-200", 200, "text/event-stream", ""),
    ] {
        let answer = sim.stream(system);
        assert_eq!((answer.status, answer.header("content-type"), answer.end), (status, Some(kind), End::Clean), "{system}");
        assert!(answer.body().contains(words), "{system}: {}", answer.body());
    }
    assert_eq!(sim.stream("rate-limited").header("retry-after"), Some("2"));
    assert_eq!(sim.stream("redirect-307").header("location"), Some("/redirect-307/chat/completions/elsewhere"));
}

#[test]
fn silence_lasts_until_the_client_goes() {
    let sim = Sim::start("builtin:faults", &[]);
    for (system, comes) in [("hang-before-headers", ""), ("hang-after-headers", "\r\n\r\n"), ("hang-midstream", "reasoning_content\":\" ")]
    {
        let mut stream = sim.connect();
        stream.write_all(&post(system, ASK, "")).unwrap();
        let mut all = Vec::new();
        let mut buffer = [0; 4096];
        while !String::from_utf8_lossy(&all).contains(comes) {
            let n = stream.read(&mut buffer).unwrap();
            assert!(0 < n, "{system} ended");
            all.extend_from_slice(&buffer[..n]);
        }
        assert_eq!(all.starts_with(b"HTTP/1.1 200"), !comes.is_empty(), "{system}");
        // What is on its way still comes; then there is silence, and no end of the stream.
        stream.set_read_timeout(Some(std::time::Duration::from_millis(300))).unwrap();
        let ended = stream.read_to_end(&mut all).unwrap_err();
        assert!(matches!(ended.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut), "{system}: {ended}");
    }
    assert_eq!(sim.stream("close-before-headers").end, End::Cut);
    assert_eq!(sim.stream("reset-before-headers").end, End::Reset);
    // The deaf port takes a connection and never answers.
    let deaf = sim.ready["deaf_base"].as_str().unwrap().strip_prefix("http://").unwrap();
    let mut stream = std::net::TcpStream::connect(deaf).unwrap();
    stream.write_all(&post("healthy", ASK, "")).unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_millis(100))).unwrap();
    assert!(stream.read(&mut [0; 10]).is_err());
}

#[test]
fn the_reply_itself_can_be_strange() {
    let sim = Sim::start("builtin:faults", &[]);
    let no_content = sim.stream("no-content");
    assert_eq!((no_content.content().as_str(), no_content.finish().as_deref()), ("", Some("length")));
    assert!(!no_content.reasoning().is_empty());
    let empty = sim.stream("empty-reply");
    assert_eq!((empty.content() + &empty.reasoning(), empty.finish().as_deref(), empty.done()), (String::new(), Some("stop"), true));
    let texts = |answer: &Answer| {
        answer.json().iter().filter(|event| event["choices"][0]["delta"]["content"].as_str().is_some_and(|text| !text.is_empty())).count()
    };
    assert_eq!(texts(&sim.stream("whole-answer-at-once")), 1);
    assert_eq!(texts(&sim.stream("bundled")), 3);
    assert_eq!(texts(&sim.stream("healthy")), 24);
    let both = sim.stream("both-names");
    assert_eq!(both.text(&["reasoning"]), both.text(&["reasoning_content"]));
    let one = sim.stream("both-in-one-chunk").json();
    assert!(
        one.iter()
            .any(|event| event["choices"][0]["delta"]["content"].is_string()
                && event["choices"][0]["delta"]["reasoning_content"].is_string())
    );
    assert_eq!(sim.stream("odd-finish").finish().as_deref(), Some("insufficient_system_resource"));
    assert_eq!(sim.stream("finish-missing").finish(), None);
    assert!(sim.stream("odd-model").json()[0]["model"].as_str().unwrap().contains('\u{1b}'));
    assert!(sim.stream("odd-text").content().contains("=HYPERLINK"));
    let tool = sim.stream("tool-call");
    let arguments: String = tool
        .json()
        .iter()
        .filter_map(|event| event["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"].as_str().map(str::to_owned))
        .collect();
    assert_eq!((arguments.as_str(), tool.finish().as_deref()), (r#"{"city": "Shenzhen"}"#, Some("tool_calls")));
}

#[test]
fn think_tags_stand_in_the_content_whole_split_unopened_or_unclosed() {
    let sim = Sim::start("builtin:faults", &[]);
    for (system, opened, closed) in [
        ("inline-think", true, true),
        ("inline-think-split", true, true),
        ("inline-think-unopened", false, true),
        ("inline-think-unclosed", true, false),
    ] {
        let answer = sim.stream(system);
        let text = answer.content();
        assert_eq!((text.starts_with("<think>\n"), text.contains("</think>\n\n")), (opened, closed), "{system}: {text}");
        assert_eq!(answer.reasoning(), "", "{system}");
        assert_eq!(answer.finish().as_deref(), Some(if closed { "stop" } else { "length" }), "{system}");
    }
    assert!(!sim.stream("inline-think-split").body().contains("<think>"), "no chunk holds the whole tag");
    assert!(sim.stream("inline-think").body().contains("\"<think>\""));
}

#[test]
fn usage_can_lie_in_the_known_ways() {
    let sim = Sim::start("builtin:faults", &[]);
    let usage = |system: &str| sim.stream(system).usage();
    let truth = usage("healthy").unwrap();
    assert_eq!(
        (truth["completion_tokens"].as_u64(), truth["completion_tokens_details"]["reasoning_tokens"].as_u64()),
        (Some(48), Some(24))
    );
    assert_eq!(usage("usage-missing"), None);
    assert_eq!(usage("usage-null"), None);
    assert!(sim.stream("usage-null").body().contains("\"choices\":[],\"usage\":null"));
    let zero = usage("usage-reasoning-zero").unwrap();
    assert_eq!((zero["completion_tokens"].as_u64(), zero["completion_tokens_details"]["reasoning_tokens"].as_u64()), (Some(48), Some(0)));
    let without = usage("usage-excludes-reasoning").unwrap();
    assert_eq!(without["completion_tokens"], 24);
    assert_eq!(without["total_tokens"], truth["total_tokens"]);
    assert_eq!(usage("usage-wrong").unwrap()["completion_tokens"], 96);
    let beside = sim.stream("usage-beside-choices").json();
    assert!(beside.iter().any(|event| event["usage"].is_object() && event["choices"][0]["delta"]["content"] == ""));
}

#[test]
fn what_stands_between_chunks_leaves_the_text_whole() {
    let sim = Sim::start("builtin:faults", &[]);
    let junk = sim.stream("junk-events");
    assert!(junk.events().iter().any(|data| data == "not json") && junk.done());
    assert!(sim.stream("empty-choices").json().iter().any(|event| event["choices"] == serde_json::json!([])));
    assert!(sim.stream("null-choices").json().iter().any(|event| event["choices"].is_null() && event["id"].is_string()));
    assert!(sim.stream("nul-text").content().contains('\0'));
    assert!(sim.stream("lone-surrogate").body().contains(r#""content":"\ud83c""#));
    let first = sim.stream("keep-alives-first").body();
    assert!(first.starts_with(": keep-alive\n\n: keep-alive\n\n: keep-alive\n\ndata: "), "{first}");
    assert!(3 < sim.stream("stall").body().matches(": keep-alive").count());
    assert_eq!(sim.stream("silent-stall").body().matches(": keep-alive").count(), 0);
}

#[test]
fn the_key_is_echoed_wherever_a_filter_must_look() {
    const KEY: &str = "sk-Finish/Line+2026";
    let sim = Sim::start("builtin:faults", &[]);
    let ask = |system: &str| {
        let mut stream = sim.connect();
        stream.write_all(&post(system, ASK, &format!("authorization: Bearer {KEY}\r\n"))).unwrap();
        Answer::read(&mut stream)
    };
    let error = ask("echo-key-error");
    assert_eq!(error.status, 401);
    assert_eq!(error.body().matches(KEY).count(), 2, "{}", error.body());
    assert_eq!(ask("echo-key-header").header("x-request-id").unwrap(), format!("for-{KEY}"));
    assert!(ask("echo-key-text").content().contains(KEY));
    let split = ask("echo-key-text-split");
    assert!(split.content().contains(KEY), "{}", split.content());
    assert!(!split.body().contains(KEY), "no chunk holds the whole key");
    assert!(ask("echo-key-urlencoded").content().contains("sk%2DFinish%2FLine%2B2026"));
    assert!(ask("echo-key-base64").content().contains("c2stRmluaXNoL0xpbmUrMjAyNg=="));
}

#[test]
fn the_wire_form_can_vary() {
    let sim = Sim::start("builtin:faults", &[]);
    let healthy = sim.stream("healthy");
    let texts = |answer: &Answer| (answer.reasoning().split_whitespace().count(), answer.content().split_whitespace().count());
    for system in [
        "crlf",
        "cr-only",
        "no-space",
        "multiline-data",
        "bom",
        "http10",
        "slow-drip",
        "chunks-in-one-write",
        "no-done",
        "no-final-blank",
        "after-done",
    ] {
        let answer = sim.stream(system);
        let after = if system == "after-done" { 3 } else { 0 };
        assert_eq!(texts(&answer), (24, 24 + after), "{system}");
    }
    assert!(sim.stream("crlf").body().contains("\r\n\r\n") && sim.stream("cr-only").body().contains("}\r\rdata"));
    assert!(sim.stream("no-space").body().starts_with("data:{"));
    assert!(sim.stream("bom").chunks.concat().starts_with(b"\xef\xbb\xbf"));
    assert!(!sim.stream("no-done").done());
    assert!(sim.stream("no-final-blank").body().ends_with("data: [DONE]"));
    assert!(sim.stream("multiline-data").body().contains(",\ndata: \""));
    assert_eq!(sim.stream("http10").header("transfer-encoding"), None);
    let gzip = sim.stream("gzip");
    assert_eq!(gzip.header("content-encoding"), Some("gzip"));
    assert!(gzip.chunks.concat().starts_with(&[0x1f, 0x8b, 8]));
    assert_eq!(healthy.chunks.len(), sim.stream("chunks-in-one-write").chunks.len());
    let truth = sim.truth();
    let of = |system: &str| truth.iter().find(|line| line["system"] == system).unwrap();
    assert_eq!(writes(of("chunks-in-one-write"), "c").iter().map(|(_, tokens)| *tokens).collect::<Vec<_>>(), [4; 6]);
    let spread = |line: &serde_json::Value| {
        let list = |key: &str| line[key].as_array().unwrap().iter().map(|ns| ns.as_u64().unwrap()).collect::<Vec<_>>();
        let (before, after) = (list("before_ns"), list("after_ns"));
        before.iter().zip(after).filter(|(before, after)| 6_000_000 <= after - **before).count()
    };
    assert_eq!(spread(of("slow-drip")), 48, "each chunk with text took three pauses of 2 ms");
}

#[test]
fn endless_answers_end_with_their_client() {
    let sim = Sim::start("builtin:faults", &[]);
    for (system, mark) in [("endless-line", "xxxxxxxxxxxxxxxxxxxxxxxx"), ("endless-stream", " and")] {
        let mut stream = sim.connect();
        stream.write_all(&post(system, ASK, "")).unwrap();
        let mut all = Vec::new();
        let mut buffer = [0; 4096];
        while all.len() < 60_000 {
            let n = stream.read(&mut buffer).unwrap();
            assert!(0 < n, "{system} ended");
            all.extend_from_slice(&buffer[..n]);
        }
        assert!(String::from_utf8_lossy(&all[50_000..]).contains(mark), "{system}");
    }
    assert_eq!(sim.stream("healthy").end, End::Clean, "others are served meanwhile and after");
}
