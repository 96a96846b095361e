//! Token counts of all replies, made once a reading: tokenising is what costs time, so the processors share it.

use super::joined::{Joined, Standing};
use crate::metric::Tally;
use crate::tokens::Reference;

/// The counts of each trial's answer, by the trial's place in [`Joined::trials`]; nothing where there is no sample.
pub(super) fn tallies(joined: &Joined<'_>, tokenizer: &Reference) -> Vec<Option<Tally>> {
    let targets = &joined.manifest().targets;
    let one = |placed: &super::Placed<'_>| {
        let answer = placed.trial.answer.as_deref().filter(|_| placed.standing == Standing::Sent)?;
        Some(Tally::of(answer, &targets[placed.target], tokenizer))
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = joined.trials.len().div_ceil(threads).max(64);
    let parts: Vec<_> = joined.trials.chunks(share).collect();
    if parts.len() < 2 {
        return joined.trials.iter().map(one).collect();
    }
    std::thread::scope(|scope| {
        let working: Vec<_> = parts.into_iter().map(|part| scope.spawn(move || part.iter().map(one).collect::<Vec<_>>())).collect();
        working.into_iter().flat_map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}
