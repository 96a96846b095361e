//! Every provider file against the simulator, which shares no code with the reader: a whole exchange over a socket, the texts, counts,
//! ends and times that its words promise, and each refusal told for what it is.

mod simulator;

use photofinish::clock::Clock;
use photofinish::exchange::exchange;
use photofinish::metric::{Outcome, judge};
use photofinish::plan::TargetEntry;
use photofinish::provider::profile::UsagePlace;
use photofinish::provider::{Call, Catalog};
use photofinish::record::{Answer, Limits, Sampling, Thinking};
use photofinish::timeline::{ErrorKind, Finish, Usage};
use photofinish::tokens::Reference;
use photofinish::wire::{KernelTransport, Roots, Transport};
use serde_json::Value;
use simulator::Sim;

/// Name, provider file and model of every system.
fn systems(sim: &Sim) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let systems = sim.ready["details"].as_array().unwrap();
    systems.iter().map(|s| (text(&s["name"]), provider_of(&text(&s["dialect"])), text(&s["model"]))).collect()
}

fn entry(sim: &Sim, system: &str, provider: &str, model: &str) -> TargetEntry {
    let base_url = Some(format!("http://{}/{system}", sim.address()));
    TargetEntry { target: format!("{provider}/{model}"), base_url, simulated: true, ..TargetEntry::default() }
}

/// The file that reads a dialect of the simulator. Some files read several wordings.
fn provider_of(dialect: &str) -> String {
    match dialect {
        "iflytek-v1" | "iflytek-v2" => "iflytek",
        "vllm-old" => "vllm",
        "bailian-native-cumulative" => "bailian-native",
        "llamacpp-old" => "llamacpp",
        same => same,
    }
    .to_owned()
}

async fn ask(catalog: &Catalog, entry: &TargetEntry) -> Answer {
    let target = catalog.target(entry).unwrap_or_else(|error| panic!("{error}"));
    let provider = catalog.provider(&target).unwrap();
    let call = Call {
        target: &target,
        prompt: "Tell me of the lighthouse.",
        max_tokens: None,
        key: None,
        request_id: "r-1",
        wall_now: jiff::Timestamp::UNIX_EPOCH,
    };
    let request = provider.request(&call).unwrap();
    let limits = Limits {
        connect_ms: 10_000,
        first_token_ms: 60_000,
        idle_ms: 60_000,
        total_ms: 120_000,
        largest_line: request.largest_line,
        largest_body: request.largest_body,
    };
    let transport = KernelTransport::new(Roots::system());
    let mut connection = transport.connect(&catalog.endpoint(&target, limits.connect_ms)).await.unwrap();
    exchange(connection.as_mut(), &request, provider.decoder(&target), &limits, &Clock::System).await
}

#[tokio::test]
async fn every_provider_file_reads_its_provider() {
    let sim = Sim::start("builtin:providers", &[]);
    let catalog = Catalog::builtin();
    let systems = systems(&sim);
    let untested: Vec<&str> = catalog.ids().filter(|id| systems.iter().all(|(_, provider, _)| provider != id)).collect();
    assert!(untested.is_empty(), "no simulated system speaks as {untested:?}");
    let mut answers = Vec::new();
    for (system, provider, model) in &systems {
        let think_tags = (system == "vllm-prefilled").then(|| "assume_open".to_owned());
        let mut entry = TargetEntry { think_tags, ..entry(&sim, system, provider, model) };
        if system == "bailian-native-cumulative" {
            let parameters = serde_json::json!({ "incremental_output": false });
            entry.extra_body.insert("parameters".to_owned(), parameters);
        }
        answers.push((system.clone(), provider.clone(), ask(&catalog, &entry).await));
    }
    let truths = sim.truth();
    let o200k = Reference::o200k();
    for (system, provider, answer) in answers {
        let truth = truths.iter().find(|truth| truth["system"] == system.as_str()).unwrap();
        let truth = |name: &str| truth[name].as_u64().unwrap();
        assert_eq!(judge(&answer, true), Outcome::Ok, "{system}: {answer:?}");
        let text = answer.text.as_ref().unwrap();
        // Inline reasoning ends with white space before its closing tag, which no provider counts alike.
        let counted = (o200k.count(text.reasoning.trim_end()) as u64, o200k.count(&text.content) as u64);
        assert_eq!(counted, (truth("reasoning_tokens"), truth("content_tokens")), "{system}: {text:?}");
        assert_eq!(answer.finish.as_ref().map(|finish| finish.normal), Some(Finish::Stop), "{system}");
        assert_eq!((answer.unreadable, answer.error.as_ref()), (0, None), "{system}");
        let place = catalog.profile(&provider).unwrap().reply.usage;
        assert_eq!(place == UsagePlace::Unknown, answer.usage.is_none(), "{system}: {:?}", answer.usage);
        let written = truth("reasoning_tokens") + truth("content_tokens") + truth("hidden_tokens");
        // Tags and what ends a reply are counted by some.
        let counted = |usage: &Usage| (written..=written + 8).contains(&usage.completion.unwrap());
        assert!(answer.usage.as_ref().is_none_or(counted), "{system}: {:?} for {written}", answer.usage);
        let times = answer.timeline.usage.len();
        assert_eq!(place == UsagePlace::EveryChunk, 3 < times, "{system}: counts came {times} times");
        assert!(
            answer.model.is_some() || ["iflytek", "bailian-native", "meta-llama-native"].contains(&provider.as_str()),
            "{system}: no model named"
        );
    }
}

#[tokio::test]
async fn caps_and_switches_reach_the_provider_under_the_names_it_takes() {
    let catalog = Catalog::builtin();
    let ids: Vec<&str> = catalog.ids().filter(|id| catalog.profile(id).unwrap().request.thinking.is_some()).collect();
    assert!(8 <= ids.len());
    let system = |id: &&str| {
        let reply = "reasoning: {tokens: 12, speed: 2000}, content: {tokens: 12, speed: 2000}";
        format!("  {id}: {{dialect: {id}, heed_thinking: true, {reply}}}\n")
    };
    let sim = Sim::start(&format!("seed: 1\nsystems:\n{}", ids.iter().map(system).collect::<String>()), &[]);
    for id in ids {
        let sampling = Some(Sampling { max_tokens: Some(5), ..Sampling::default() });
        let off = TargetEntry { thinking: Some(Thinking::Off), sampling, ..entry(&sim, id, id, "m") };
        if catalog.profile(id).unwrap().thinking_fields(Thinking::Off).is_none() {
            continue;
        }
        let answer = ask(&catalog, &off).await;
        let text = answer.text.as_ref().unwrap();
        let o200k = Reference::o200k();
        // The simulator does not heed these two switches; the cap is heeded all the same.
        let heeded = !["cerebras", "openrouter"].contains(&id);
        assert!(!heeded || text.reasoning.is_empty(), "{id}: thinking was switched off");
        assert_eq!(o200k.count(&text.reasoning) + o200k.count(&text.content), 5, "{id}: the cap");
        assert_eq!(answer.finish.as_ref().map(|finish| finish.normal), Some(Finish::Length), "{id}");
    }
}

#[tokio::test]
async fn a_refusal_is_told_for_what_it_is_in_every_wording() {
    const REFUSALS: &[(&str, ErrorKind)] = &[
        ("unauthorized", ErrorKind::Auth),
        ("billing", ErrorKind::Billing),
        ("not_found", ErrorKind::NotFound),
        ("bad_request", ErrorKind::BadRequest),
        ("rate_limited", ErrorKind::RateLimit),
        ("overloaded", ErrorKind::Overloaded),
        ("unavailable", ErrorKind::Overloaded),
        ("server_error", ErrorKind::Server),
        ("html_502", ErrorKind::Server),
        ("html_200", ErrorKind::Protocol),
    ];
    // What a provider's own words do not tell apart.
    const ALIKE: &[(&str, &str, ErrorKind)] = &[
        ("iflytek-v2", "billing", ErrorKind::RateLimit),
        ("iflytek-v2", "not_found", ErrorKind::BadRequest),
        ("iflytek-v2", "overloaded", ErrorKind::RateLimit),
        ("iflytek-maas", "billing", ErrorKind::RateLimit),
        ("iflytek-maas", "not_found", ErrorKind::BadRequest),
        ("iflytek-maas", "overloaded", ErrorKind::RateLimit),
        ("tgi", "rate_limited", ErrorKind::Overloaded),
        ("xinference", "not_found", ErrorKind::BadRequest),
    ];
    let catalog = Catalog::builtin();
    let mut file = "seed: 1\nsystems:\n".to_owned();
    let dialects: Vec<&str> = catalog.ids().map(|id| if id == "iflytek" { "iflytek-v2" } else { id }).collect();
    for dialect in &dialects {
        for (fault, _) in REFUSALS {
            file += &format!("  {dialect}.{fault}: {{dialect: {dialect}, content: {{tokens: 4, speed: 2000}}, faults: {{{fault}: 1}}}}\n");
        }
    }
    let sim = Sim::start(&file, &[]);
    let mut wrong = Vec::new();
    for dialect in dialects {
        for (fault, kind) in REFUSALS {
            let answer = ask(&catalog, &entry(&sim, &format!("{dialect}.{fault}"), &provider_of(dialect), "m")).await;
            let found = answer.error.as_ref().map(|error| error.kind);
            let alike = ALIKE.iter().find(|(of, alike, _)| (*of, *alike) == (dialect, *fault)).map(|(_, _, kind)| kind);
            if found.as_ref() != Some(alike.unwrap_or(kind)) {
                wrong.push(format!("{dialect}: {fault} is told as {found:?}: {:?}", answer.error));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
