//! The manifest: everything that was decided, before the first request.

use super::super::this_machine;
use super::Race;
use crate::clock::Clock;
use crate::plan::{BudgetFile, Cache, Concurrency, LimitsFile, Plan, PlanFile, Prompts, ScheduleFile, WindowsFile};
use crate::provider::Catalog;
use crate::record::{
    CitedCalibration, DatasetFacts, Design, Difference, HostFacts, Limits, Manifest, PromptFacts, SCHEMA, Sampling, TargetFacts, TextKept,
    Tool, TransportKind, UnequalBy,
};
use crate::store;
use anyhow::Context;

/// The manifest of a new run.
pub fn manifest(race: &Race, catalog: &Catalog, text: TextKept) -> anyhow::Result<Manifest> {
    let Race { plan, dataset, targets, simulated, .. } = race;
    let created = Clock::System.wall();
    let (calendar, rounds) = match &plan.schedule {
        Some(schedule) => {
            let rounds = if schedule.ends.is_some() { schedule.count(created).map_err(anyhow::Error::msg)? } else { plan.rounds };
            (Some(schedule.calendar(created)), rounds)
        }
        None => (None, plan.rounds),
    };
    let chosen = plan.prompts.iter().filter_map(|id| dataset.prompt(id));
    let facts = chosen.map(|prompt| PromptFacts {
        id: prompt.id.clone(),
        digest: prompt.digest(),
        chars: prompt.text.chars().count() as u64,
        answer: prompt.answer.clone(),
    });
    Ok(Manifest {
        schema: SCHEMA,
        tool: Tool { name: env!("CARGO_PKG_NAME").into(), version: env!("CARGO_PKG_VERSION").into() },
        run: format!("{:06x}", rand::random::<u32>() & 0xff_ffff),
        name: plan.name.clone(),
        created,
        zone: jiff::tz::TimeZone::system().iana_name().unwrap_or("UTC").into(),
        vantage: plan.vantage.clone(),
        seed: plan.seed,
        salt: format!("{:016x}", rand::random::<u64>()),
        plan_digest: plan.digest(),
        simulated: simulated.clone(),
        design: Design {
            rounds,
            prompts: plan.prompts.len() as u32,
            every_s: plan.every_s,
            calendar,
            preset: plan.preset.map(|preset| preset.name().into()),
            at_once: plan.at_once,
            warm_up: plan.warm_up,
            cache_defeat: plan.cache_defeat,
            capped_is_ok: plan.capped_is_ok,
            stall_ms: plan.stall_ms,
            min_tokens: plan.min_tokens,
            windows: plan.windows.clone(),
        },
        load: None,
        limits: scaled(&plan.limits, simulated.as_ref().map_or(1.0, |simulated| simulated.scale)),
        budget: race.budget.clone(),
        targets: targets.clone(),
        dataset: DatasetFacts {
            name: dataset.name.clone(),
            digest: dataset.digest.clone(),
            language: dataset.language.clone(),
            purpose: dataset.purpose.clone(),
            prompts: facts.collect(),
        },
        differences: differences(targets, catalog)?,
        text,
        host: host(),
        calibration: cited(race),
    })
}

/// The calibration that this run cites. Times that pass faster than life are no measure of a client, nor is it of them.
fn cited(race: &Race) -> Option<CitedCalibration> {
    if race.simulated.as_ref().is_some_and(|simulated| simulated.scale != 1.0) {
        return None;
    }
    store::cited_calibration(&race.results, &this_machine::machine().digest, env!("CARGO_PKG_VERSION"))
}

/// Limits of a run in which time passes `scale` times as fast.
fn scaled(limits: &Limits, scale: f64) -> Limits {
    let faster = |ms: u64| ((ms as f64 / scale).ceil() as u64).max(1);
    Limits {
        connect_ms: limits.connect_ms,
        first_token_ms: faster(limits.first_token_ms),
        idle_ms: faster(limits.idle_ms),
        total_ms: faster(limits.total_ms),
        ..limits.clone()
    }
}

/// What differs between the targets' requests beyond model and place.
fn differences(targets: &[TargetFacts], catalog: &Catalog) -> anyhow::Result<Vec<Difference>> {
    let mut told = Vec::new();
    let Some(first) = targets.first() else { return Ok(told) };
    for target in targets {
        told.extend(catalog.differences(target)?);
        for (setting, differs) in [
            ("sampling", target.sampling != first.sampling),
            ("thinking", target.thinking != first.thinking),
            ("transport", target.transport != first.transport),
            ("proxy", target.proxy != first.proxy),
        ] {
            if differs {
                let (own, firsts) = (shown(target, setting), shown(first, setting));
                let by = UnequalBy::Setting { setting: setting.to_owned(), own, first: first.id.clone(), firsts };
                told.push(Difference::of(&target.id, by));
            }
        }
        if !target.extra_body.is_empty() {
            let names = target.extra_body.keys().cloned().collect();
            told.push(Difference::of(&target.id, UnequalBy::FurtherFields { names }));
        }
    }
    Ok(told)
}

fn shown(target: &TargetFacts, what: &str) -> String {
    match what {
        "sampling" => {
            let Sampling { max_tokens, temperature, top_p, seed } = &target.sampling;
            let parts = [
                max_tokens.map(|n| format!("max_tokens {n}")),
                temperature.map(|t| format!("temperature {t}")),
                top_p.map(|p| format!("top_p {p}")),
                seed.map(|s| format!("seed {s}")),
            ];
            let parts: Vec<String> = parts.into_iter().flatten().collect();
            if parts.is_empty() { "default".into() } else { parts.join(" ") }
        }
        "thinking" => format!("{:?}", target.thinking).to_lowercase(),
        "transport" => if target.transport == TransportKind::Kernel { "kernel" } else { "reqwest" }.into(),
        _ => target.proxy.clone().unwrap_or_else(|| "none".into()),
    }
}

fn host() -> HostFacts {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let proxies = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];
    HostFacts {
        os: format!("{} {}", std::env::consts::OS, kernel.trim()).trim().into(),
        arch: std::env::consts::ARCH.into(),
        cpus: std::thread::available_parallelism().map_or(1, |n| n.get() as u32),
        proxy_env: proxies.iter().filter(|name| std::env::var_os(name).is_some()).map(|name| (*name).to_owned()).collect(),
    }
}

/// A plan file for a run that was made from flags alone: `run` on it does the same again.
pub fn plan_text(plan: &Plan) -> anyhow::Result<String> {
    let seconds = |ms: u64| Some(ms as f64 / 1000.0);
    let file = PlanFile {
        name: Some(plan.name.clone()),
        targets: plan.targets.clone(),
        dataset: Some(plan.dataset.clone()),
        prompts: Some(Prompts::Ids(plan.prompts.clone())),
        rounds: plan.schedule.as_ref().is_none_or(|schedule| schedule.ends.is_none()).then_some(plan.rounds),
        every_s: plan.schedule.is_none().then_some(plan.every_s),
        schedule: plan.schedule.as_ref().map(ScheduleFile::of),
        preset: None,
        seed: Some(plan.seed),
        concurrency: Some(if plan.at_once { Concurrency::AtOnce } else { Concurrency::Sequential }),
        warm_up: Some(plan.warm_up),
        cache: Some(if plan.cache_defeat { Cache::Defeat } else { Cache::Allow }),
        sampling: None,
        thinking: None,
        limits: LimitsFile {
            connect_s: seconds(plan.limits.connect_ms),
            first_token_s: seconds(plan.limits.first_token_ms),
            idle_s: seconds(plan.limits.idle_ms),
            total_s: seconds(plan.limits.total_ms),
        },
        budget: BudgetFile { max_requests: plan.budget.max_requests, max_total_tokens: plan.budget.max_total_tokens },
        // What the plan says of all targets stands in each of them by now.
        pace: None,
        vantage: plan.vantage.clone(),
        stall_ms: Some(plan.stall_ms),
        min_tokens: Some(plan.min_tokens),
        capped_is_ok: Some(plan.capped_is_ok),
        keep_text: Some(plan.keep_text),
        tokenizer: plan.tokenizer.clone(),
        windows: (!plan.windows.is_default()).then(|| WindowsFile::of(&plan.windows)),
    };
    let yaml = serde_yaml::to_string(&file).context("the plan cannot be written as YAML")?;
    Ok(format!("# Written by photofinish from the command line; `photofinish run` on it does the same again.\n{yaml}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Dataset;
    use crate::plan::{Patch, Source, TargetEntry, resolve};

    #[test]
    fn a_plan_made_from_flags_is_written_out_as_a_file_that_gives_the_same_plan() {
        let dataset = Dataset::builtin("short-en").unwrap();
        let target = TargetEntry { target: "http://127.0.0.1:8000/v1=m".into(), ..TargetEntry::default() };
        let patch = Patch { targets: vec![target], rounds: Some(2), prompts: Some(3), seed: Some(9), ..Patch::default() };
        let windows = WindowsFile {
            zone: Some("Europe/Berlin".into()),
            peak: Some(vec!["22:00-02:00".into()]),
            off_peak: Some(vec!["04:00-07:30".into()]),
        };
        let (windows, plain) = (Some(windows), resolve(PlanFile::default(), &patch, None, &dataset).unwrap());
        written_and_read(plain, &dataset);
        written_and_read(resolve(PlanFile { windows, ..PlanFile::default() }, &patch, None, &dataset).unwrap(), &dataset);
    }

    #[test]
    fn a_schedule_is_written_out_with_its_end_and_the_rounds_that_it_counts() {
        let dataset = Dataset::builtin("short-en").unwrap();
        let created: jiff::Timestamp = "2026-11-24T10:16:30Z".parse().unwrap();
        for (end, rounds) in [("  for: 2 d\n", 48), ("  until: 2026-11-25T00:00\n", 6), ("", 3)] {
            let text = format!(
                "targets: [\"http://127.0.0.1:8000/v1=m\"]\nschedule:\n  cron: \"17 * * * *\"\n  zone: Asia/Shanghai\n  jitter_s: 600\n  \
                 quiet: [\"01:00-01:05\"]\n{end}"
            );
            let source = Source { file: "plan.yaml", text: &text };
            let plan = resolve(PlanFile::parse(source).unwrap(), &Patch::default(), Some(source), &dataset).unwrap();
            let digest = plan.digest();
            let plan = plan.beginning(created, Some(source)).unwrap();
            assert_eq!((plan.rounds, plan.every_s, plan.preset), (rounds, 0, None), "{end}");
            assert_eq!(plan.digest(), digest, "when it begins is not part of a plan");
            written_and_read(plan, &dataset);
        }
    }

    fn written_and_read(plan: Plan, dataset: &Dataset) {
        let text = plan_text(&plan).unwrap();
        let source = Source { file: "plan.yaml", text: &text };
        let again = resolve(PlanFile::parse(source).unwrap(), &Patch::default(), Some(source), dataset).unwrap();
        assert_eq!(Plan { rounds: plan.rounds, ..again.clone() }, plan, "an end counts the rounds when a run is made");
        assert_eq!(again.digest(), plan.digest());
    }

    #[test]
    fn limits_shrink_with_the_time_scale_but_connecting_does_not() {
        let limits =
            Limits { connect_ms: 10_000, first_token_ms: 60_000, idle_ms: 30_000, total_ms: 300_000, largest_line: 1, largest_body: 1 };
        let fast = scaled(&limits, 20.0);
        assert_eq!((fast.connect_ms, fast.first_token_ms, fast.idle_ms, fast.total_ms), (10_000, 3_000, 1_500, 15_000));
        assert_eq!(scaled(&limits, 1.0), limits);
    }
}
