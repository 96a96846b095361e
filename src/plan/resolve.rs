//! From what was written and typed to a plan that is valid by construction.

use super::source::{PlanError, Source};
use super::{Cache, Concurrency, Patch, PlanFile, Prompts, Scheduled, TargetEntry};
use crate::dataset::Dataset;
use crate::ident::PromptId;
use crate::record::{Budget, Limits, Pace, Sampling, Thinking, Windows};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// Rounds and prompts by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// 3 rounds of 5 prompts: a first look, no verdicts.
    Look,
    /// 10 rounds of 5 prompts: preliminary.
    Quick,
    /// 24 rounds of 10 prompts, one an hour.
    Day,
    /// 72 rounds of 10 prompts, one an hour over three days.
    Publish,
}

impl Preset {
    /// Rounds, prompts a round, and seconds between rounds (0: one after another).
    pub const fn size(self) -> (u32, u32, u64) {
        match self {
            Preset::Look => (3, 5, 0),
            Preset::Quick => (10, 5, 0),
            Preset::Day => (24, 10, 3600),
            Preset::Publish => (72, 10, 3600),
        }
    }
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Preset::Look => "look",
            Preset::Quick => "quick",
            Preset::Day => "day",
            Preset::Publish => "publish",
        }
    }
}

/// A resolved plan: every default filled in, every value checked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// Its name.
    pub name: String,
    /// What is compared; sampling and thinking are filled in.
    pub targets: Vec<TargetEntry>,
    /// The data set's name or path.
    pub dataset: String,
    /// SHA-256 of its prompt file.
    pub dataset_digest: String,
    /// The prompts that every round asks, in the data set's order.
    pub prompts: Vec<PromptId>,
    /// Rounds; of a schedule with an end 0, until [`Plan::beginning`] counts them.
    pub rounds: u32,
    /// One round in every so many seconds; 0 is one after another.
    pub every_s: u64,
    /// When rounds are due, where a calendar says so; `every_s` is 0 then. Not part of the digest where absent, so that a run keeps its
    /// plan's digest from before there were any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Scheduled>,
    /// The preset it came from, where rounds and prompts are still that preset's.
    pub preset: Option<Preset>,
    /// The seed.
    pub seed: u64,
    /// All targets of a block at once.
    pub at_once: bool,
    /// One unscored request a target opens each round.
    pub warm_up: bool,
    /// A nonce stands at the front of each prompt.
    pub cache_defeat: bool,
    /// Limits of a request.
    pub limits: Limits,
    /// What stops the run between blocks.
    pub budget: Budget,
    /// Where it is measured from.
    pub vantage: Option<String>,
    /// A gap longer than this is a stall, milliseconds.
    pub stall_ms: f64,
    /// Replies with fewer tokens stay out of the speed tables.
    pub min_tokens: u64,
    /// A reply cut at `max_tokens` is a success.
    pub capped_is_ok: bool,
    /// Keep the replies' text.
    pub keep_text: bool,
    /// A `tokenizer.json` for counting where the text is not kept.
    pub tokenizer: Option<PathBuf>,
    /// The times of the day whose difference is tested. Other ones than the default are part of the digest: runs whose windows were
    /// fixed otherwise are not of one plan. The default ones are not, so that a run keeps its plan's digest from before there were any.
    #[serde(skip_serializing_if = "Windows::is_default")]
    pub windows: Windows,
}

/// Limits that no plan sets: the longest line and the largest body of a response, bytes.
const LARGEST: (u64, u64) = (16 << 20, 256 << 20);

impl PlanFile {
    /// The data set that the plan asks for.
    pub fn dataset_name<'a>(&'a self, patch: &'a Patch) -> &'a str {
        patch.dataset.as_deref().or(self.dataset.as_deref()).unwrap_or("short-en")
    }
}

impl Plan {
    /// SHA-256 of the plan's canonical JSON, hexadecimal. Files count by their names alone: from where a plan is named is not part of what
    /// is planned, and what a data set asks has a digest of its own.
    pub fn digest(&self) -> String {
        let named = |path: &Path| path.file_name().map_or_else(|| path.to_owned(), PathBuf::from);
        let mut plan = self.clone();
        plan.dataset = named(Path::new(&plan.dataset)).display().to_string();
        plan.tokenizer = plan.tokenizer.as_deref().map(named);
        for target in &mut plan.targets {
            target.ca_file = target.ca_file.as_deref().map(named);
        }
        if plan.schedule.as_ref().is_some_and(|schedule| schedule.ends.is_some()) {
            // How many rounds lie before an end depends on when the run begins. The end is what was planned.
            plan.rounds = 0;
        }
        let json = serde_json::to_vec(&plan).unwrap_or_default();
        Sha256::digest(json).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Checks a plan and fills in its defaults. Flags are stronger than the file, the file stronger than its preset.
pub fn resolve(file: PlanFile, patch: &Patch, source: Option<Source<'_>>, dataset: &Dataset) -> Result<Plan, PlanError> {
    let blame = Blame { source };
    let schedule = super::calendar::resolve(file.schedule.as_ref(), patch.rounds.is_some(), source)?;
    let (rounds, prompts, every_s, preset) = size(&file, patch, &blame, dataset, schedule.as_ref())?;
    let sampling = sampling(&file, patch, &blame, dataset)?;
    let thinking = patch.thinking.or(file.thinking).unwrap_or_default();
    let seed = patch.seed.or(file.seed).unwrap_or(1);
    let stall_ms = file.stall_ms.unwrap_or(500.0);
    if !(stall_ms.is_finite() && 0.0 < stall_ms) {
        return Err(blame.key("stall_ms", "a stall is a gap above zero; 500 is usual"));
    }
    Ok(Plan {
        name: name(&file, patch, &blame)?,
        targets: targets(&file, patch, &blame, &sampling, thinking)?,
        dataset: dataset.name.clone(),
        dataset_digest: dataset.digest.clone(),
        prompts: super::design::choose(dataset, &prompts, seed),
        rounds,
        every_s,
        schedule,
        preset,
        seed,
        at_once: !patch.sequential && file.concurrency != Some(Concurrency::Sequential),
        warm_up: file.warm_up.unwrap_or(true),
        cache_defeat: file.cache != Some(Cache::Allow),
        limits: limits(&file, &blame, dataset)?,
        windows: super::windows::resolve(file.windows.as_ref(), source)?,
        budget: budget(&file, patch, &blame)?,
        vantage: patch.vantage.clone().or(file.vantage),
        stall_ms,
        min_tokens: file.min_tokens.unwrap_or(16),
        capped_is_ok: file.capped_is_ok.unwrap_or(dataset.capped_is_ok),
        keep_text: !patch.no_text && file.keep_text.unwrap_or(true),
        tokenizer: patch.tokenizer.clone().or(file.tokenizer),
    })
}

/// Names the flag or the line that a fault came from.
pub(super) struct Blame<'s> {
    source: Option<Source<'s>>,
}

impl Blame<'_> {
    pub(super) fn key(&self, key: &str, message: impl Into<String>) -> PlanError {
        PlanError::at(self.source, key, message)
    }
    pub(super) fn flag_or(&self, by_flag: bool, flag: &str, key: &str, message: impl Into<String>) -> PlanError {
        match by_flag {
            true => PlanError::at(None, flag, message),
            false => self.key(key, message),
        }
    }
}

type Size = (u32, Prompts, u64, Option<Preset>);

fn size(file: &PlanFile, patch: &Patch, blame: &Blame<'_>, dataset: &Dataset, schedule: Option<&Scheduled>) -> Result<Size, PlanError> {
    let preset = patch.preset.or(file.preset).unwrap_or(Preset::Look);
    let (preset_rounds, preset_prompts, preset_every) = preset.size();
    // A preset on the command line is stronger than the file's own figures; the file's preset is weaker than they.
    let (file_rounds, file_prompts, file_every) = match patch.preset {
        Some(_) => (None, None, None),
        None => (file.rounds, file.prompts.clone(), file.every_s),
    };
    let rounds = patch.rounds.or(file_rounds).unwrap_or(preset_rounds);
    if rounds == 0 {
        return Err(blame.flag_or(patch.rounds.is_some(), "--rounds", "rounds", "0 rounds measure nothing; give at least 1"));
    }
    let available = dataset.prompts.len() as u32;
    let prompts = match patch.prompts.map(Prompts::Count).or(file_prompts) {
        Some(prompts) => prompts,
        None => Prompts::Count(preset_prompts.min(available)),
    };
    let fault = |message: String| blame.flag_or(patch.prompts.is_some(), "--prompts", "prompts", message);
    match &prompts {
        Prompts::Count(0) => return Err(fault("0 prompts ask nothing; give at least 1".into())),
        Prompts::Count(n) if available < *n => {
            return Err(fault(format!("{n} prompts, but `{}` has {available}; give at most {available}", dataset.name)));
        }
        Prompts::Count(_) => {}
        Prompts::Ids(ids) => known(ids, dataset).map_err(fault)?,
    }
    let count = match &prompts {
        Prompts::Count(n) => *n,
        Prompts::Ids(ids) => ids.len() as u32,
    };
    if let Some(schedule) = schedule {
        let rounds = super::calendar::rounds(schedule, rounds, file, patch, blame)?;
        return Ok((rounds, prompts, 0, None));
    }
    let still = rounds == preset_rounds && count == preset_prompts && (patch.preset.is_some() || file.preset.is_some());
    Ok((rounds, prompts, file_every.unwrap_or(preset_every), still.then_some(preset)))
}

fn known(ids: &[PromptId], dataset: &Dataset) -> Result<(), String> {
    if ids.is_empty() {
        return Err("an empty list asks nothing; name at least one prompt".into());
    }
    for (at, id) in ids.iter().enumerate() {
        if dataset.prompt(id).is_none() {
            let near = dataset.prompts.iter().min_by_key(|prompt| strsim::damerau_levenshtein(prompt.id.as_str(), id.as_str()));
            let near = near.map(|prompt| format!("; did you mean `{}`?", prompt.id)).unwrap_or_default();
            return Err(format!("`{}` has no prompt `{id}`{near}", dataset.name));
        }
        if ids[..at].contains(id) {
            return Err(format!("`{id}` stands twice; a round asks each prompt once"));
        }
    }
    Ok(())
}

fn sampling(file: &PlanFile, patch: &Patch, blame: &Blame<'_>, dataset: &Dataset) -> Result<Sampling, PlanError> {
    let mut sampling = file.sampling.clone().unwrap_or_default();
    sampling.max_tokens = patch.max_tokens.or(sampling.max_tokens).or(Some(dataset.limits.max_tokens));
    if sampling.max_tokens == Some(0) {
        return Err(blame.flag_or(patch.max_tokens.is_some(), "--max-tokens", "sampling.max_tokens", "give at least 1"));
    }
    check_sampling(&sampling).map_err(|(key, message)| blame.key(&format!("sampling.{key}"), message))?;
    Ok(sampling)
}

fn check_sampling(sampling: &Sampling) -> Result<(), (&'static str, &'static str)> {
    if sampling.temperature.is_some_and(|t| !(t.is_finite() && 0.0 <= t)) {
        return Err(("temperature", "a temperature is zero or above"));
    }
    if sampling.top_p.is_some_and(|p| !(0.0 < p && p <= 1.0)) {
        return Err(("top_p", "top_p lies above 0 and is at most 1"));
    }
    Ok(())
}

fn targets(
    file: &PlanFile,
    patch: &Patch,
    blame: &Blame<'_>,
    sampling: &Sampling,
    thinking: Thinking,
) -> Result<Vec<TargetEntry>, PlanError> {
    let in_file = |wanted: &TargetEntry| {
        let same = |entry: &&TargetEntry| entry.target == wanted.target || entry.name.as_deref() == Some(wanted.target.as_str());
        file.targets.iter().find(same).cloned().unwrap_or_else(|| wanted.clone())
    };
    let by_flag = !patch.targets.is_empty();
    let chosen: Vec<TargetEntry> = if by_flag { patch.targets.iter().map(in_file).collect() } else { file.targets.clone() };
    if chosen.is_empty() {
        let remedy = "no targets, so there is nothing to race; list some under `targets:` or give --target provider/model";
        return Err(blame.key("targets", remedy));
    }
    let shown = |entry: &TargetEntry| entry.name.clone().unwrap_or_else(|| entry.target.clone());
    for (at, entry) in chosen.iter().enumerate() {
        let fault = |key: &str, message: String| blame.flag_or(by_flag, "--target", &format!("targets[{at}]{key}"), message);
        if entry.target.trim().is_empty() {
            return Err(fault("", "a target is `provider/model` or `http://host:port/v1=model`".into()));
        }
        if chosen[..at].iter().any(|other| shown(other) == shown(entry)) {
            return Err(fault("", format!("`{}` stands twice; give one of them a `name:` of its own", shown(entry))));
        }
        if let Some(own) = &entry.sampling {
            check_sampling(own).map_err(|(key, message)| fault(&format!(".sampling.{key}"), message.into()))?;
        }
        if let Some(key) = entry.pace.as_ref().and_then(Pace::zero) {
            return Err(fault(&format!(".pace.{key}"), NO_PACE.into()));
        }
    }
    if let Some(key) = file.pace.as_ref().and_then(Pace::zero) {
        return Err(blame.key(&format!("pace.{key}"), NO_PACE));
    }
    let filled = |entry: TargetEntry| TargetEntry {
        pace: match (entry.pace, file.pace) {
            (None, None) => None,
            (own, plan) => Some(own.unwrap_or_default().or(plan.unwrap_or_default())),
        },
        sampling: Some(merged(entry.sampling.as_ref(), sampling)),
        thinking: entry.thinking.or(Some(thinking)),
        transport: patch.transport.or(entry.transport),
        ..entry
    };
    Ok(chosen.into_iter().map(filled).collect())
}

const NO_PACE: &str = "0 allows no request at all; give at least 1, or leave it out where nothing is to be limited";

/// A target's own parameters before the plan's.
fn merged(own: Option<&Sampling>, plan: &Sampling) -> Sampling {
    let Some(own) = own else { return plan.clone() };
    Sampling {
        max_tokens: own.max_tokens.or(plan.max_tokens),
        temperature: own.temperature.or(plan.temperature),
        top_p: own.top_p.or(plan.top_p),
        seed: own.seed.or(plan.seed),
    }
}

fn limits(file: &PlanFile, blame: &Blame<'_>, dataset: &Dataset) -> Result<Limits, PlanError> {
    let ms = |key: &str, own: Option<f64>, default: f64| {
        let seconds = own.unwrap_or(default);
        match (0.001..=86_400.0).contains(&seconds) {
            true => Ok((seconds * 1000.0).round() as u64),
            false => Err(blame.key(&format!("limits.{key}"), "a limit lies between 0.001 and 86400 seconds")),
        }
    };
    let total_ms = ms("total_s", file.limits.total_s, dataset.limits.total_s)?;
    let first_token_ms = ms("first_token_s", file.limits.first_token_s, dataset.limits.first_token_s)?;
    let idle_ms = ms("idle_s", file.limits.idle_s, dataset.limits.idle_s)?;
    Ok(Limits {
        connect_ms: ms("connect_s", file.limits.connect_s, 10.0)?,
        // The data set's defaults give way to a shorter total; a figure of the user's own that cannot be reached is not meant.
        first_token_ms: first_token_ms.min(total_ms),
        idle_ms: idle_ms.min(total_ms),
        total_ms,
        largest_line: LARGEST.0,
        largest_body: LARGEST.1,
    })
}

fn budget(file: &PlanFile, patch: &Patch, blame: &Blame<'_>) -> Result<Budget, PlanError> {
    let budget = Budget {
        max_requests: patch.max_requests.or(file.budget.max_requests),
        max_total_tokens: patch.max_total_tokens.or(file.budget.max_total_tokens),
    };
    if budget.max_requests == Some(0) {
        return Err(blame.flag_or(patch.max_requests.is_some(), "--max-requests", "budget.max_requests", "give at least 1"));
    }
    if budget.max_total_tokens == Some(0) {
        return Err(blame.flag_or(patch.max_total_tokens.is_some(), "--max-total-tokens", "budget.max_total_tokens", "give at least 1"));
    }
    Ok(budget)
}

fn name(file: &PlanFile, patch: &Patch, blame: &Blame<'_>) -> Result<String, PlanError> {
    let name = patch.name.clone().or_else(|| file.name.clone()).unwrap_or_else(|| "race".into());
    match name.trim().is_empty() || 80 < name.chars().count() || name.chars().any(char::is_control) {
        true => {
            Err(blame.flag_or(patch.name.is_some(), "--name", "name", "a name has 1 to 80 characters, none of them a control character"))
        }
        false => Ok(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan_of(text: &str, patch: &Patch) -> Result<Plan, String> {
        let source = Source { file: "plan.yaml", text };
        let file = PlanFile::parse(source).map_err(|error| error.to_string())?;
        let dataset = Dataset::builtin("reasoning-en").unwrap();
        resolve(file, patch, Some(source), &dataset).map_err(|error| error.to_string())
    }

    #[test]
    fn every_default_is_filled_in_from_the_data_set() {
        let plan = plan_of("targets: [a/b]\nprompts: 2\n", &Patch::default()).unwrap();
        assert_eq!((plan.rounds, plan.prompts.len(), plan.every_s), (3, 2, 0));
        assert_eq!((plan.limits.total_ms, plan.limits.connect_ms), (900_000, 10_000));
        assert_eq!(plan.targets[0].sampling.as_ref().unwrap().max_tokens, Some(16_384));
        assert!(plan.at_once && plan.warm_up && plan.cache_defeat && !plan.capped_is_ok);
    }

    #[test]
    fn flags_are_stronger_than_the_file_and_the_file_than_its_preset() {
        let text = "targets: [a/b, {target: c/d, name: second}]\npreset: publish\nprompts: 2\nrounds: 9\n";
        let plan = plan_of(text, &Patch::default()).unwrap();
        assert_eq!((plan.rounds, plan.prompts.len(), plan.every_s, plan.preset), (9, 2, 3600, None));
        let patch = Patch { preset: Some(Preset::Look), prompts: Some(1), targets: vec![TargetEntry::named("second")], ..Patch::default() };
        let plan = plan_of(text, &patch).unwrap();
        assert_eq!((plan.rounds, plan.prompts.len(), plan.every_s), (3, 1, 0));
        assert_eq!((plan.targets.len(), plan.targets[0].target.as_str()), (1, "c/d"));
    }

    #[test]
    fn faults_name_the_line_or_the_flag_and_the_remedy() {
        let error = |text: &str| plan_of(text, &Patch::default()).unwrap_err();
        assert!(error("targets: [a/b]\nrounds: 0\n").starts_with("plan.yaml:2: rounds: 0 rounds measure nothing; give at least 1"));
        assert!(error("name: x\n").contains("no targets, so there is nothing to race"));
        assert!(error("targets:\n- a/b\n- a/b\n").starts_with("plan.yaml:3: targets[1]: `a/b` stands twice"));
        assert!(error("targets: [a/b]\nlimits:\n  idle_s: -1\n").starts_with("plan.yaml:3: limits.idle_s: a limit lies between"));
        assert!(error("targets: [a/b]\nprompts: [reasoning-en-1]\n").contains("did you mean `reasoning-en-01`?"));
        assert!(error("targets: [a/b]\nprompts: 4000\n").contains("give at most"));
        let patch = Patch { rounds: Some(0), ..Patch::default() };
        assert_eq!(plan_of("targets: [a/b]\n", &patch).unwrap_err(), "--rounds: 0 rounds measure nothing; give at least 1");
    }

    #[test]
    fn windows_are_part_of_the_digest_unless_they_are_the_default_ones() {
        let plan = |text: &str| plan_of(&format!("targets: [a/b]\nprompts: 2\n{text}"), &Patch::default()).unwrap().digest();
        assert_eq!(plan("windows:\n  zone: Asia/Shanghai\n  off_peak: [\"0:00-7:00\"]\n"), plan(""));
        assert_ne!(plan("windows:\n  off_peak: [\"0:00-6:00\"]\n"), plan(""));
    }

    #[test]
    fn a_plan_without_a_schedule_keeps_its_digest() {
        // As the release before schedules had it.
        let plan = plan_of("targets: [a/b]\nprompts: 2\n", &Patch::default()).unwrap();
        assert_eq!(plan.digest(), "175522fdbd320ceb822bdc89ef2a9746bea950c04ae4913736fa45883640044e");
        let scheduled = plan_of("targets: [a/b]\nprompts: 2\nschedule:\n  cron: \"@hourly\"\n", &Patch::default()).unwrap();
        assert_ne!(scheduled.digest(), plan.digest());
    }

    #[test]
    fn a_target_s_pace_comes_before_the_plan_s_figure_by_figure_and_both_are_part_of_the_digest() {
        let plan = |text: &str| plan_of(text, &Patch::default()).unwrap();
        let of = "pace:\n  requests_per_minute: 20\n  requests_per_day: 500\ntargets:\n  - a/b\n  - target: c/d\n    pace: {requests_per_minute: 5}\n";
        let paces: Vec<Pace> = plan(of).targets.iter().map(|entry| entry.pace.unwrap()).collect();
        assert_eq!(paces.iter().map(|pace| pace.requests_per_minute).collect::<Vec<_>>(), [Some(20), Some(5)]);
        assert_eq!(paces.iter().map(|pace| pace.requests_per_day).collect::<Vec<_>>(), [Some(500); 2]);
        assert_ne!(plan(of).digest(), plan(&of.replace("500", "400")).digest());
        // A plan without a pace keeps the digest that it had before there were any.
        assert!(!serde_json::to_string(&plan("targets: [a/b]\n")).unwrap().contains("pace"));
    }

    #[test]
    fn the_digest_changes_with_the_plan_only() {
        let plan = |text: &str| plan_of(text, &Patch::default()).unwrap().digest();
        assert_eq!(plan("targets: [a/b]\nprompts: 2\n"), plan("prompts: 2\ntargets:\n  - a/b # the same\n"));
        assert_ne!(plan("targets: [a/b]\nprompts: 2\n"), plan("targets: [a/b]\nprompts: 2\nseed: 2\n"));
    }
}
