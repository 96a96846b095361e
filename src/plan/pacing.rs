//! What the paces of a plan's targets cost in time, and which of its requests they leave out: told before anything is sent.

use super::{Plan, tokens_at_most};
use crate::dataset::Dataset;
use crate::record::{Pace, TargetFacts};
use std::collections::BTreeMap;

/// What paces cost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pacing {
    /// Each target's pace, and the longest time that a round takes under them. Empty where no target has one.
    pub lines: Vec<String>,
    /// Rounds that do not fit into their time, and budgets of a day that do not suffice.
    pub warnings: Vec<String>,
}

/// Why a target can never be asked: its place among the targets, and what is wrong.
pub type Never = (usize, String);

/// A target whose longest request may need more tokens than its pace allows at all.
pub fn never(plan: &Plan, targets: &[TargetFacts], dataset: &Dataset) -> Option<Never> {
    targets.iter().enumerate().find_map(|(at, target)| {
        let tokens = longest(plan, target, dataset);
        let figures = [("tokens_per_minute", target.pace.tokens_per_minute), ("tokens_per_day", target.pace.tokens_per_day)];
        let (key, most) = figures.into_iter().find_map(|(key, most)| most.filter(|most| *most < tokens).map(|most| (key, most)))?;
        let message = format!(
            "{}: one request may take {tokens} tokens, and its pace has `{key}: {most}`; give it at least {tokens}, or lower sampling.max_tokens",
            target.id
        );
        Some((at, message))
    })
}

/// The costs; `moments` are the rounds' times, where they have any.
pub fn pacing(plan: &Plan, targets: &[TargetFacts], dataset: &Dataset, moments: &[jiff::Timestamp]) -> Pacing {
    let mut told = Pacing::default();
    let paced: Vec<&TargetFacts> = targets.iter().filter(|target| !target.pace.is_free()).collect();
    if paced.is_empty() {
        return told;
    }
    told.lines.extend(paced.iter().map(|target| format!("  {}: at most {}", target.id, pace_words(&target.pace))));
    let requests = plan.prompts.len() as u64 + u64::from(plan.warm_up);
    let a_minute = |target: &&TargetFacts| a_minute(&target.pace, longest(plan, target, dataset));
    // A block waits for the slowest of its targets, whereupon the others' minutes are over too.
    let slowest = paced.iter().filter_map(a_minute).min();
    let full = slowest.map_or(0, |slowest| requests.div_ceil(slowest));
    // Where rounds follow one another, the last minute of the round before counts as well.
    let minutes = if moments.is_empty() { full } else { full.saturating_sub(1) };
    let replies_s = if plan.at_once { requests } else { requests * targets.len() as u64 } * plan.limits.total_ms / 1000;
    if slowest.is_some() {
        told.lines.push(format!(
            "a round waits up to {minutes} min for these paces; with every reply at its limit of time it takes {} min at most",
            minutes + replies_s.div_ceil(60)
        ));
    }
    let slot_s = moments.windows(2).map(|two| two[1].as_second() - two[0].as_second()).min();
    if let Some(slot_s) = slot_s.filter(|slot_s| *slot_s < (minutes * 60) as i64) {
        told.warnings.push(format!(
            "a round may have to wait {minutes} min for the pace of its targets, and the next one comes after {} min: requests that do not fit \
             are left out; raise the pace, ask fewer prompts, or set the rounds farther apart",
            slot_s / 60
        ));
    }
    told.warnings.extend(paced.iter().filter_map(|target| day(plan, target, dataset, moments)));
    told
}

/// A pace in words: `20 requests a minute, 4 at once`.
pub fn pace_words(pace: &Pace) -> String {
    let figures = [
        (pace.requests_per_minute, "requests a minute"),
        (pace.tokens_per_minute, "tokens a minute"),
        (pace.concurrency.map(u64::from), "at once"),
        (pace.requests_per_day, "requests a day (UTC)"),
        (pace.tokens_per_day, "tokens a day (UTC)"),
    ];
    figures.into_iter().filter_map(|(figure, what)| Some(format!("{} {what}", figure?))).collect::<Vec<_>>().join(", ")
}

/// The tokens of the request of a target that may take the most.
fn longest(plan: &Plan, target: &TargetFacts, dataset: &Dataset) -> u64 {
    let prompts = plan.prompts.iter().filter_map(|id| dataset.prompt(id)).map(|prompt| with_nonce(&prompt.text));
    prompts.max().unwrap_or(0) + target.sampling.max_tokens.unwrap_or(0)
}

/// Prompt tokens as the runner counts them, nonce included.
fn with_nonce(text: &str) -> u64 {
    // The nonce is ASCII of a fixed length; a third of it, rounded up, is what it adds at most.
    const NONCE: u64 = 9;
    tokens_at_most(text) + NONCE
}

/// How many requests of so many tokens a minute holds in the worst case; none where nothing limits it.
fn a_minute(pace: &Pace, tokens: u64) -> Option<u64> {
    let by_tokens = pace.tokens_per_minute.map(|most| (most / tokens.max(1)).max(1));
    pace.requests_per_minute.into_iter().chain(by_tokens).min()
}

/// Whether a day's budget suffices for the rounds of a day.
fn day(plan: &Plan, target: &TargetFacts, dataset: &Dataset, moments: &[jiff::Timestamp]) -> Option<String> {
    let (prompts, warm_ups) = (plan.prompts.len() as u64, u64::from(plan.warm_up));
    let reply = target.sampling.max_tokens.unwrap_or(0);
    let asked: u64 = plan.prompts.iter().filter_map(|id| dataset.prompt(id)).map(|prompt| with_nonce(&prompt.text) + reply).sum();
    let a_round = (prompts + warm_ups, asked + warm_ups * (tokens_at_most("") + 1));
    let budgets = [
        (target.pace.requests_per_day, a_round.0, "requests", ["need", "needs"]),
        (target.pace.tokens_per_day, a_round.1, "tokens", ["may need"; 2]),
    ];
    let mut days: BTreeMap<i64, u64> = BTreeMap::new();
    for moment in moments {
        *days.entry(moment.as_second().div_euclid(86_400)).or_default() += 1;
    }
    budgets.into_iter().find_map(|(most, each, what, [need, needs])| {
        let (most, each) = (most?, each.max(1));
        let target = &target.id;
        if moments.is_empty() {
            let (rounds, whole) = (u64::from(plan.rounds), most / each);
            let goes_on = "rounds go on without it, and without any target left the run stops until it is resumed on another day";
            return (whole < rounds).then(|| {
                format!("{target}: its {most} {what} a day suffice for {whole} of {rounds} rounds, which {need} {each} each; then {goes_on}")
            });
        }
        let over = days.values().filter(|rounds| most < **rounds * each).count();
        let busiest = days.values().max().copied().unwrap_or(0);
        (0 < over).then(|| {
            format!(
                "{target}: its {most} {what} a day do not suffice on {over} of {} days (UTC), the busiest of which {needs} {} for {busiest} \
                 rounds; it is left out of the rest of such a day",
                days.len(),
                busiest * each
            )
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Patch, PlanFile, TargetEntry, resolve};

    /// A plan of four rounds of five prompts and a warm-up, replies of 100 tokens at most.
    fn plan() -> (Plan, Dataset) {
        let dataset = Dataset::builtin("short-en").unwrap();
        let file = PlanFile { targets: vec![TargetEntry::named("a/b")], rounds: Some(4), ..PlanFile::default() };
        (resolve(file, &Patch { prompts: Some(5), ..Patch::default() }, None, &dataset).unwrap(), dataset)
    }

    fn target(id: &str, pace: Pace) -> TargetFacts {
        let facts = format!(
            r#"{{"id":"{id}","provider":"p","title":"P","model":"m","base_url":"http://x","think_tags":"off","sampling":{{"max_tokens":100}}}}"#
        );
        TargetFacts { pace, ..serde_json::from_str(&facts).unwrap() }
    }

    fn told(pace: Pace, moments: &[jiff::Timestamp]) -> Pacing {
        let (plan, dataset) = plan();
        pacing(&plan, &[target("free", Pace::default()), target("slow", pace)], &dataset, moments)
    }

    /// Rounds every `minutes` from midnight on.
    fn every(minutes: i64, rounds: i64) -> Vec<jiff::Timestamp> {
        (0..rounds).map(|round| jiff::Timestamp::from_second(1_800_000_000 / 86_400 * 86_400 + round * minutes * 60).unwrap()).collect()
    }

    #[test]
    fn a_round_of_six_requests_at_two_a_minute_waits_two_minutes_and_three_where_another_went_before() {
        let pace = Pace { requests_per_minute: Some(2), ..Pace::default() };
        let apart = told(pace, &every(60, 4));
        assert_eq!(
            apart.lines,
            [
                "  slow: at most 2 requests a minute",
                "a round waits up to 2 min for these paces; with every reply at its limit of time it takes 32 min at most",
            ]
        );
        assert_eq!(apart.warnings, Vec::<String>::new());
        assert!(told(pace, &[]).lines[1].starts_with("a round waits up to 3 min"));
        assert_eq!(told(Pace::default(), &[]), Pacing::default());
    }

    #[test]
    fn a_round_that_cannot_fit_before_the_next_is_warned_of() {
        let pace = Pace { requests_per_minute: Some(1), ..Pace::default() };
        let warning = &told(pace, &every(4, 4)).warnings[0];
        assert!(
            warning.starts_with("a round may have to wait 5 min for the pace of its targets, and the next one comes after 4 min"),
            "{warning}"
        );
        assert_eq!(told(pace, &every(6, 4)).warnings.len(), 0);
    }

    #[test]
    fn tokens_are_reckoned_in_their_worst_case_and_a_request_that_never_fits_is_named() {
        let (plan, dataset) = plan();
        let of = |tokens| target("slow", Pace { tokens_per_minute: Some(tokens), ..Pace::default() });
        let longest = longest(&plan, &of(1), &dataset);
        assert!(100 < longest && longest < 400, "{longest}");
        assert_eq!(pacing(&plan, &[of(2 * longest)], &dataset, &every(60, 4)).lines[1][..27], *"a round waits up to 2 min f");
        assert_eq!(never(&plan, &[of(longest)], &dataset), None);
        let (at, message) = never(&plan, &[target("free", Pace::default()), of(longest - 1)], &dataset).unwrap();
        assert_eq!(at, 1);
        assert!(message.contains(&format!("`tokens_per_minute: {}`; give it at least {longest}", longest - 1)), "{message}");
    }

    #[test]
    fn a_day_s_budget_is_held_against_the_rounds_of_its_day() {
        let pace = Pace { requests_per_day: Some(20), ..Pace::default() };
        // Six rounds on the first day, two on the second.
        let warnings = told(pace, &every(240, 8)).warnings;
        assert_eq!(
            warnings,
            [
                "slow: its 20 requests a day do not suffice on 1 of 2 days (UTC), the busiest of which needs 36 for 6 rounds; it is left out of the \
                 rest of such a day"
            ]
        );
        let one_after_another = &told(pace, &[]).warnings[0];
        assert!(
            one_after_another.starts_with("slow: its 20 requests a day suffice for 3 of 4 rounds, which need 6 each"),
            "{one_after_another}"
        );
        assert_eq!(told(Pace { requests_per_day: Some(36), ..Pace::default() }, &every(240, 8)).warnings.len(), 0);
    }
}
