//! Which token basis a table takes when none is asked for.

use super::joined::Joined;
use crate::metric::{Outcome, Rules, Tally, judge};
use crate::tokens::{Basis, NoCounts};
use std::collections::BTreeSet;

/// Reported counts where every target reports believable usage and all models are of one family; else the reference tokenizer; else,
/// where the text it needs was not kept, characters.
pub(super) fn default_basis(joined: &Joined<'_>, tallies: &[Option<Tally>], rules: Rules) -> (Basis, String) {
    let targets = &joined.manifest().targets;
    let mut doubtful: Vec<&str> = Vec::new();
    let (mut without_text, mut any) = (false, false);
    for (i, target) in targets.iter().enumerate() {
        let of_target = joined.trials.iter().zip(tallies).filter(|(placed, _)| placed.target == i);
        let good = of_target.filter_map(|(placed, tally)| {
            let answer = placed.trial.answer.as_deref()?;
            let tally = tally.as_ref()?;
            (judge(answer, rules.capped_is_ok) == Outcome::Ok).then_some(tally)
        });
        let (mut all, mut believed) = (0usize, 0usize);
        for tally in good {
            all += 1;
            believed += usize::from(tally.reported.is_ok());
            without_text |= tally.reference == Err(NoCounts::NoText);
        }
        any |= 0 < all;
        if believed * 20 < all * 19 {
            doubtful.push(target.id.as_str());
        }
    }
    let families: BTreeSet<Option<&str>> = targets.iter().map(|target| target.family.as_deref()).collect();
    let one_family = families.len() == 1 && !families.contains(&None);
    let why = match (one_family, doubtful.as_slice()) {
        (true, []) if any => {
            return (Basis::Reported, "every target reports believable usage, and all models are of one family".into());
        }
        (_, []) if !any => "no reply to count".to_owned(),
        (false, []) => "the models are of several families, or of unknown ones".to_owned(),
        (_, doubtful) => format!("{} reports no usage that can be believed throughout", doubtful.join(", ")),
    };
    if without_text { (Basis::Chars, format!("{why}; and the text was not kept")) } else { (Basis::Reference, why) }
}
