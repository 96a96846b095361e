//! What a plan will cost at most, told before anything is sent.

use super::Plan;
use crate::dataset::Dataset;
use crate::ident::TargetId;
use crate::record::TargetFacts;

/// The worst case of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Estimate {
    /// The target.
    pub target: TargetId,
    /// Requests, warm-ups included.
    pub requests: u64,
    /// Prompt tokens, estimated upwards: one a character outside ASCII, one in three inside.
    pub prompt_tokens: u64,
    /// Reply tokens if every reply runs into its cap.
    pub reply_tokens: u64,
}

impl Estimate {
    /// Prompt and reply together.
    pub fn tokens(&self) -> u64 {
        self.prompt_tokens + self.reply_tokens
    }
}

/// Tokens that a nonce, a chat template and the like add to a prompt at most.
const AROUND: u64 = 40;

/// Prompt tokens of a text, estimated upwards.
pub fn tokens_at_most(text: &str) -> u64 {
    let ascii = text.chars().filter(char::is_ascii).count() as u64;
    ascii.div_ceil(3) + text.chars().count() as u64 - ascii + AROUND
}

/// The worst case of each target.
pub fn estimate(plan: &Plan, targets: &[TargetFacts], dataset: &Dataset) -> Vec<Estimate> {
    let a_round: u64 = plan.prompts.iter().filter_map(|id| dataset.prompt(id)).map(|prompt| tokens_at_most(&prompt.text)).sum();
    let (rounds, prompts, warm_ups) = (plan.rounds as u64, plan.prompts.len() as u64, u64::from(plan.warm_up));
    let of = |target: &TargetFacts| Estimate {
        target: target.id.clone(),
        requests: rounds * (prompts + warm_ups),
        prompt_tokens: rounds * (a_round + warm_ups * AROUND),
        reply_tokens: rounds * (prompts * target.sampling.max_tokens.unwrap_or(0) + warm_ups),
    };
    targets.iter().map(of).collect()
}

/// Targets whose slowest published speed cannot write `max_tokens` within the time limit: their replies would be cut by our clock.
pub fn slow_warnings(plan: &Plan, targets: &[TargetFacts]) -> Vec<String> {
    let mut warnings = Vec::new();
    for target in targets {
        let speeds = target.claims.iter().filter(|claim| SPEEDS.contains(&claim.metric.as_str()) && 0.0 < claim.value);
        let Some(slowest) = speeds.min_by(|a, b| a.value.total_cmp(&b.value)) else { continue };
        let Some(max_tokens) = target.sampling.max_tokens else { continue };
        let (needed, limit) = (max_tokens as f64 / slowest.value, plan.limits.total_ms as f64 / 1000.0);
        if limit < needed {
            warnings.push(format!(
                "{}: {max_tokens} tokens at the {:.1} tok/s that {} published take {needed:.0} s, over the limit of {limit:.0} s; \
                 raise limits.total_s or lower sampling.max_tokens",
                target.id, slowest.value, slowest.source
            ));
        }
    }
    warnings
}

/// Names of the metrics that are speeds in tokens a second.
pub const SPEEDS: &[&str] = &["content_speed", "reasoning_speed", "overall_speed", "decode"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::ProviderId;
    use crate::plan::{Patch, PlanFile, TargetEntry, resolve};
    use crate::record::{Claim, Sampling};

    fn target(max_tokens: u64, speed: f64) -> TargetFacts {
        let claim = Claim { metric: "content_speed".into(), value: speed, source: "an article".into(), date: "2025-06".into() };
        TargetFacts {
            id: TargetId::new("a/b").unwrap(),
            provider: ProviderId::new("a").unwrap(),
            title: "A".into(),
            model: "b".into(),
            family: None,
            base_url: "http://127.0.0.1:1/v1".into(),
            key_env: None,
            sampling: Sampling { max_tokens: Some(max_tokens), ..Sampling::default() },
            thinking: Default::default(),
            extra_body: Default::default(),
            think_tags: "off".into(),
            reasoning_model: None,
            transport: Default::default(),
            http2: false,
            proxy: None,
            ca_file: None,
            pace: Default::default(),
            claims: vec![claim],
            simulated: false,
        }
    }

    fn plan() -> (Plan, Dataset) {
        let dataset = Dataset::builtin("short-en").unwrap();
        let file = PlanFile { targets: vec![TargetEntry::named("a/b")], rounds: Some(4), ..PlanFile::default() };
        let patch = Patch { prompts: Some(2), ..Patch::default() };
        (resolve(file, &patch, None, &dataset).unwrap(), dataset)
    }

    #[test]
    fn the_worst_case_counts_warm_ups_and_full_replies() {
        let (plan, dataset) = plan();
        let worst = &estimate(&plan, &[target(100, 50.0)], &dataset)[0];
        assert_eq!(worst.requests, 4 * 3);
        assert_eq!(worst.reply_tokens, 4 * (2 * 100 + 1));
        assert!(4 * 3 * AROUND < worst.prompt_tokens);
    }

    #[test]
    fn a_speed_that_cannot_reach_the_cap_in_time_is_warned_of() {
        let (plan, _) = plan();
        assert_eq!(slow_warnings(&plan, &[target(4096, 50.0)]), Vec::<String>::new());
        let warning = &slow_warnings(&plan, &[target(4096, 1.2)])[0];
        assert!(warning.contains("take 3413 s, over the limit of 300 s"), "{warning}");
    }
}
