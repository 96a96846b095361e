//! Every provider file against the simulator, which shares no code with the reader: a whole exchange over a socket, the texts, counts,
//! ends and times that its words promise, and each refusal told for what it is.

use photofinish::clock::Clock;
use photofinish::exchange::exchange;
use photofinish::metric::{Outcome, judge};
use photofinish::plan::TargetEntry;
use photofinish::provider::{Call, Catalog};
use photofinish::record::{Answer, Limits, Sampling, Thinking};
use photofinish::timeline::{ErrorKind, Finish};
use photofinish::tokens::Reference;
use photofinish::wire::{KernelTransport, Roots, Transport};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A running simulator; it ends with this value.
struct Sim {
    child: Child,
    ready: Value,
    folder: tempfile::TempDir,
}

impl Sim {
    /// Starts with `builtin:…`, or with the text of a behaviour file.
    fn start(behaviour: &str) -> Sim {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("behaviour.yaml");
        let named = match behaviour.starts_with("builtin:") {
            true => behaviour.to_owned(),
            false => {
                std::fs::write(&file, behaviour).unwrap();
                file.display().to_string()
            }
        };
        let parent = std::process::id().to_string();
        let mut child = Command::new(env!("CARGO_BIN_EXE_photofinish"))
            .args(["sim", "--port", "0", "--parent", &parent, "--behaviour", &named, "--log"])
            .arg(folder.path().join("truth.jsonl"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready = serde_json::from_str(line.strip_prefix("READY ").unwrap_or_else(|| panic!("not ready: {line}"))).unwrap();
        Sim { child, ready, folder }
    }

    /// Name, provider file and model of every system.
    fn systems(&self) -> Vec<(String, String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let systems = self.ready["details"].as_array().unwrap();
        systems.iter().map(|s| (text(&s["name"]), provider_of(&text(&s["dialect"])), text(&s["model"]))).collect()
    }

    fn entry(&self, system: &str, provider: &str, model: &str) -> TargetEntry {
        let base = self.ready["base"].as_str().unwrap();
        let target = format!("{provider}/{model}");
        TargetEntry { target, base_url: Some(format!("{base}/{system}")), simulated: true, ..TargetEntry::default() }
    }

    /// Ends the simulator politely; gives the truth of each system's first response.
    fn truth(mut self) -> BTreeMap<String, Value> {
        Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        self.child.wait().unwrap();
        let log = std::fs::read_to_string(self.folder.path().join("truth.jsonl")).unwrap();
        let mut truths = BTreeMap::new();
        for truth in log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
            truths.entry(truth["system"].as_str().unwrap().to_owned()).or_insert(truth);
        }
        truths
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The file that reads a dialect of the simulator. Some files read several wordings.
fn provider_of(dialect: &str) -> String {
    match dialect {
        "iflytek-v1" | "iflytek-v2" => "iflytek",
        "vllm-old" => "vllm",
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
    let sim = Sim::start("builtin:providers");
    let catalog = Catalog::builtin();
    let systems = sim.systems();
    let untested: Vec<&str> = catalog.ids().filter(|id| systems.iter().all(|(_, provider, _)| provider != id)).collect();
    assert!(untested.is_empty(), "no simulated system speaks as {untested:?}");
    let mut answers = Vec::new();
    for (system, provider, model) in &systems {
        let think_tags = (system == "vllm-prefilled").then(|| "assume_open".to_owned());
        let entry = TargetEntry { think_tags, ..sim.entry(system, provider, model) };
        answers.push((system.clone(), provider.clone(), ask(&catalog, &entry).await));
    }
    let truths = sim.truth();
    let o200k = Reference::o200k();
    for (system, provider, answer) in answers {
        let truth = |name: &str| truths[&system][name].as_u64().unwrap();
        assert_eq!(judge(&answer, true), Outcome::Ok, "{system}: {answer:?}");
        let text = answer.text.as_ref().unwrap();
        let counted = (o200k.count(&text.reasoning) as u64, o200k.count(&text.content) as u64);
        assert_eq!(counted, (truth("reasoning_tokens"), truth("content_tokens")), "{system}: {text:?}");
        assert_eq!(answer.finish.as_ref().map(|finish| finish.normal), Some(Finish::Stop), "{system}");
        assert_eq!((answer.unreadable, answer.error.as_ref()), (0, None), "{system}");
        let usage = answer.usage.as_ref().unwrap_or_else(|| panic!("{system}: no counts"));
        let written = truth("reasoning_tokens") + truth("content_tokens") + truth("hidden_tokens");
        assert!((written..=written + 8).contains(&usage.completion.unwrap()), "{system}: {usage:?} for {written}");
        let place = catalog.profile(&provider).unwrap().reply.usage;
        let every = place == photofinish::provider::profile::UsagePlace::EveryChunk;
        assert_eq!(every, 3 < answer.timeline.usage.len(), "{system}: counts came {} times", answer.timeline.usage.len());
        assert!(answer.model.is_some() || provider == "iflytek", "{system}: no model named");
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
    let sim = Sim::start(&format!("seed: 1\nsystems:\n{}", ids.iter().map(system).collect::<String>()));
    for id in ids {
        let sampling = Some(Sampling { max_tokens: Some(5), ..Sampling::default() });
        let off = TargetEntry { thinking: Some(Thinking::Off), sampling, ..sim.entry(id, id, "m") };
        if catalog.profile(id).unwrap().thinking_fields(Thinking::Off).is_none() {
            continue;
        }
        let answer = ask(&catalog, &off).await;
        let text = answer.text.as_ref().unwrap();
        assert_eq!(text.reasoning, "", "{id}: thinking was switched off");
        assert_eq!(Reference::o200k().count(&text.content), 5, "{id}: the cap");
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
    let catalog = Catalog::builtin();
    let mut file = "seed: 1\nsystems:\n".to_owned();
    let dialects: Vec<&str> = catalog.ids().map(|id| if id == "iflytek" { "iflytek-v2" } else { id }).collect();
    for dialect in &dialects {
        for (fault, _) in REFUSALS {
            file += &format!("  {dialect}.{fault}: {{dialect: {dialect}, content: {{tokens: 4, speed: 2000}}, faults: {{{fault}: 1}}}}\n");
        }
    }
    let sim = Sim::start(&file);
    let mut wrong = Vec::new();
    for dialect in dialects {
        for (fault, kind) in REFUSALS {
            let answer = ask(&catalog, &sim.entry(&format!("{dialect}.{fault}"), &provider_of(dialect), "m")).await;
            let found = answer.error.as_ref().map(|error| error.kind);
            if found != Some(*kind) {
                wrong.push(format!("{dialect}: {fault} is told as {found:?}: {:?}", answer.error));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
