//! Records made by hand, for tests of the reading wing: runs, trials and replies with literal times.
#![allow(dead_code)]

use photofinish::analysis::{Cell, Joined, Options, TargetTable, target_table};
use photofinish::ident::{PromptId, ProviderId, TargetId, TrialId};
use photofinish::measured::Sheet;
use photofinish::record::*;
use photofinish::report::{Format, Lang, targets};
use photofinish::store::Run;
use photofinish::timeline::*;
use photofinish::tokens::{Basis, Reference};
use photofinish::units::{Offset, Stamp};

/// When every hand-made request was written.
pub const T0: Stamp = Stamp(1_000_000_000);

/// A reply of status 200 that came to its end with `stop` and `[DONE]`, without a text yet.
pub fn empty_reply() -> Answer {
    Answer {
        stamps: Stamps { first_write: Some(T0), last_write: Some(T0.plus(20_000)), ..Stamps::default() },
        connect: Connect { id: 1, reused: true, ..Connect::default() },
        status: Some(200),
        text: Some(TextOfPhases::default()),
        finish: Some(FinishSeen { raw: "stop".into(), normal: Finish::Stop }),
        end_marks: vec![EndMark::Done],
        frames: 1,
        ..Answer::empty(Ended::Complete)
    }
}

/// Adds `tokens` words of one o200k token each, at `ms`, in a write and a read of their own unless the last text came at the same time.
pub fn say(answer: &mut Answer, ms: f64, phase: Phase, tokens: usize) {
    let at = Offset((ms * 1e6).round() as u64);
    let last = answer.timeline.last();
    let number = last.map_or(0, |text| text.chunk) + u32::from(last.is_none_or(|text| text.at != at));
    let words = " word".repeat(tokens);
    answer.timeline.push(Point { at, width_ns: 0, phase, bytes: words.len() as u32, chunk: number, read: number });
    answer.text.as_mut().unwrap().of_mut(phase).push_str(&words);
    answer.stamps.closed = Some(T0.plus(at.0 + 1_000_000));
}

/// A reply of `reasoning` and `content` tokens, one a write, the first at `ttft` ms and each next one `step` ms later.
pub fn reply(ttft: f64, step: f64, reasoning: usize, content: usize) -> Answer {
    let mut answer = empty_reply();
    for i in 0..reasoning + content {
        let phase = if i < reasoning { Phase::Reasoning } else { Phase::Content };
        say(&mut answer, ttft + step * i as f64, phase, 1);
    }
    answer.usage = Some(Usage {
        prompt: Some(12),
        completion: Some((reasoning + content) as u64),
        reasoning: (0 < reasoning).then_some(reasoning as u64),
        ..Usage::default()
    });
    answer
}

/// A reply that never got further than an error.
pub fn failed(status: u16, kind: ErrorKind, message: &str) -> Answer {
    let error = ProviderError {
        kind,
        code: None,
        kind_raw: None,
        message: message.into(),
        http_status: Some(status),
        retry_after_s: None,
        in_stream: false,
    };
    Answer { status: Some(status), error: Some(error), finish: None, end_marks: Vec::new(), ..empty_reply() }
}

/// A request that found no connection.
pub fn unreachable() -> Answer {
    let ended = Ended::ConnectFailed { stage: Stage::Tcp, message: "connection refused".into(), local: false };
    let stamps = Stamps::default();
    Answer { ended, status: None, finish: None, end_marks: Vec::new(), stamps, frames: 0, ..empty_reply() }
}

/// A target of a family that reports its usage, on a remote host.
pub fn target(id: &str) -> TargetFacts {
    TargetFacts {
        pace: Default::default(),
        id: TargetId::new(id).unwrap(),
        provider: ProviderId::new(id.split('/').next().unwrap()).unwrap(),
        title: id.to_owned(),
        model: "r1".into(),
        family: Some("r1".into()),
        base_url: "https://api.example.com/v1".into(),
        key_env: None,
        sampling: Sampling::default(),
        thinking: Thinking::Default,
        extra_body: Default::default(),
        think_tags: "off".into(),
        reasoning_model: None,
        transport: TransportKind::Kernel,
        http2: false,
        proxy: None,
        ca_file: None,
        claims: Vec::new(),
        simulated: false,
    }
}

/// A run of `rounds` rounds of `prompts` prompts on the targets, with no trial yet.
pub fn run(targets: Vec<TargetFacts>, rounds: u32, prompts: u32) -> Run {
    let prompt = |i| PromptFacts { id: prompt_id(i), digest: "00".into(), chars: 40, answer: None };
    let manifest = Manifest {
        schema: SCHEMA,
        tool: Tool { name: "photofinish".into(), version: "0.1.0".into() },
        run: "a1b2c3".into(),
        name: "by-hand".into(),
        created: "2026-11-24T08:00:00Z".parse().unwrap(),
        zone: "Asia/Shanghai".into(),
        vantage: Some("Shenzhen".into()),
        seed: 7,
        salt: "5a".into(),
        plan_digest: "d1".into(),
        simulated: None,
        load: None,
        design: Design {
            calendar: None,
            rounds,
            prompts,
            every_s: 0,
            preset: None,
            at_once: true,
            warm_up: true,
            cache_defeat: true,
            capped_is_ok: true,
            stall_ms: 500.0,
            min_tokens: 16,
            windows: Default::default(),
        },
        limits: Limits {
            connect_ms: 10_000,
            first_token_ms: 60_000,
            idle_ms: 60_000,
            total_ms: 300_000,
            largest_line: 16 << 20,
            largest_body: 16 << 20,
        },
        budget: Budget::default(),
        targets,
        dataset: DatasetFacts {
            name: "short-en".into(),
            digest: "dd".into(),
            language: "en".into(),
            purpose: "speed".into(),
            prompts: (1..=prompts).map(prompt).collect(),
        },
        differences: Vec::new(),
        text: TextKept::Full,
        host: HostFacts::default(),
        calibration: None,
    };
    Run {
        folder: "20261124T080000Z-by-hand-a1b2c3".into(),
        manifest,
        trials: Vec::new(),
        rounds: Vec::new(),
        stages: Vec::new(),
        notes: Vec::new(),
        torn: 0,
    }
}

fn prompt_id(number: u32) -> PromptId {
    PromptId::new(format!("short-en-{number:02}")).unwrap()
}

/// Puts a trial on record: round and block from 1, the target by its place in the manifest.
pub fn put(run: &mut Run, round: u32, block: u32, target: usize, answer: Answer) -> &mut Trial {
    trial(run, round, block, target, Some(answer), None)
}

/// Puts a trial on record that was not sent.
pub fn put_not_sent(run: &mut Run, round: u32, block: u32, target: usize, why: NotSent) -> &mut Trial {
    trial(run, round, block, target, None, Some(why))
}

fn trial(run: &mut Run, round: u32, block: u32, target: usize, answer: Option<Answer>, not_sent: Option<NotSent>) -> &mut Trial {
    let facts = &run.manifest.targets[target];
    let wall = run.manifest.created + jiff::SignedDuration::from_secs(i64::from(round - 1) * 3600 + i64::from(block) * 20);
    run.trials.push(Trial {
        id: TrialId::new(format!("{round}-{block}-{target}-{}", run.trials.len())).unwrap(),
        target: facts.id.clone(),
        provider: facts.provider.clone(),
        model: facts.model.clone(),
        round,
        block,
        prompt: prompt_id(block),
        place: target as u32 + 1,
        attempt: 1,
        role: Role::Scored,
        wall,
        scheduled: T0,
        held_since: None,
        load: None,
        not_sent,
        answer: answer.map(Box::new),
    });
    run.trials.last_mut().unwrap()
}

/// Every target answers every prompt of every round with what `answer` gives for (round, block, target).
pub fn fill(run: &mut Run, answer: impl Fn(u32, u32, usize) -> Answer) {
    let (rounds, prompts, targets) = (run.manifest.design.rounds, run.manifest.design.prompts, run.manifest.targets.len());
    for round in 1..=rounds {
        for block in 1..=prompts {
            for target in 0..targets {
                put(run, round, block, target, answer(round, block, target));
            }
        }
    }
}

/// Makes a run simulated, at a scale: targets included.
pub fn simulate(run: &mut Run, scale: f64) {
    run.manifest.simulated = Some(Simulated { scale });
    run.manifest.targets.iter_mut().for_each(|target| target.simulated = true);
}

/// Runs reduced to what analysis asks of them.
pub fn sheets(runs: &[Run]) -> Vec<Sheet> {
    runs.iter().map(|run| Sheet::of(run, &Reference::o200k())).collect()
}

/// Runs read together on a basis, or by the rule.
pub fn table(runs: &[Run], basis: Option<Basis>) -> TargetTable {
    let sheets = sheets(runs);
    let joined = Joined::new(&sheets).unwrap();
    target_table(&joined, &Options { basis, ..Options::default() })
}

/// The table of one run as it is written. Without the terminal's colours.
pub fn written(run: &Run, format: Format, width: usize) -> String {
    written_in(run, format, width, Lang::En)
}

/// The same in a language.
pub fn written_in(run: &Run, format: Format, width: usize, lang: Lang) -> String {
    let runs = std::slice::from_ref(run);
    let text = targets(&table(runs, None), &Joined::new(&sheets(runs)).unwrap(), lang).write(format, width);
    anstream::adapter::strip_str(&text).to_string()
}

/// The brief of one run as it is written.
#[allow(dead_code)]
pub fn brief_of(run: &Run, format: Format, lang: Lang) -> String {
    use photofinish::analysis::{Comparing, Quantity, basis, brief, league, panel};
    let sheets = sheets(std::slice::from_ref(run));
    let joined = Joined::new(&sheets).unwrap();
    let (basis, because) = basis(&joined, &Options::default());
    let one = |quantity| league(&panel(&joined, quantity, basis), &Comparing::default());
    let leagues = [Quantity::E2e, Quantity::Ttft, Quantity::ContentSpeed].map(one);
    let table = target_table(&joined, &Options::default());
    let reading = photofinish::report::Reading { joined: &joined, basis, because: &because, tokenizer: joined.tokenizer(), lang };
    photofinish::report::page(&reading, &brief(&joined, &table, &leagues), &table, &leagues).write(format)
}

/// The numbers of a row, by column; nothing where there is none.
pub fn numbers(table: &TargetTable, row: usize) -> Vec<Option<f64>> {
    let number = |cell: &Cell| if let Cell::Value(value) = cell { Some(value.value) } else { None };
    table.rows[row].cells.iter().map(number).collect()
}

/// Writes a run into a folder as the journal would.
pub fn save(run: &Run, folder: &std::path::Path) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("manifest.json"), serde_json::to_string_pretty(&run.manifest).unwrap()).unwrap();
    let rounds = run.rounds.iter().cloned().map(Line::Round);
    let trials = run.trials.iter().cloned().map(|trial| Line::Trial(Box::new(trial)));
    let lines: Vec<String> = rounds.chain(trials).map(|line| serde_json::to_string(&line).unwrap() + "\n").collect();
    std::fs::write(folder.join("records.jsonl"), lines.concat()).unwrap();
}
