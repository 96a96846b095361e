//! Which token basis a table takes when none is asked for.

use super::joined::{Joined, Standing};
use super::table::Options;
use crate::ident::TargetId;
use crate::record::TargetFacts;
use crate::tokens::{Basis, NoCounts};
use serde::Serialize;
use std::collections::BTreeSet;

/// Whether the models of a comparison are of one family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Families {
    /// One family, or one target.
    One,
    /// Several families.
    Several,
    /// One family, as far as it is known: of some models it is not.
    Unknown,
}

impl Families {
    /// The families of the targets of a plan.
    pub fn of(targets: &[TargetFacts]) -> Families {
        let known: BTreeSet<&str> = targets.iter().filter_map(|target| target.family.as_deref()).collect();
        let unknown = targets.iter().any(|target| target.family.is_none());
        match (known.len(), unknown) {
            _ if targets.len() < 2 => Families::One,
            (0 | 1, true) => Families::Unknown,
            (0 | 1, false) => Families::One,
            _ => Families::Several,
        }
    }
}

/// Why tokens are counted on a basis. The words are in `report/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BasisBecause {
    /// It was asked for.
    Asked,
    /// The only target's reported usage can be believed.
    Believed,
    /// All report usage that can be believed, and all models are of one family.
    AllBelieved,
    /// Reported counts cannot serve.
    NotReported {
        /// Why not.
        why: NotReported,
        /// Nor can the reference tokenizer: the text was not kept.
        without_text: bool,
    },
}

/// Why reported counts are no basis for a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NotReported {
    /// There is no good reply to count.
    NoGoodReply,
    /// The models are of different families.
    SeveralFamilies,
    /// Not every model's family is known.
    UnknownFamilies,
    /// These report no usage that can be believed throughout.
    Doubtful(Vec<TargetId>),
}

/// The basis of a reading, and why: as asked, or by the rule for the whole table.
pub fn basis(joined: &Joined<'_>, options: &Options) -> (Basis, BasisBecause) {
    match options.basis {
        Some(basis) => (basis, BasisBecause::Asked),
        None => default_basis(joined),
    }
}

/// Reported counts where every target reports believable usage and all models are of one family; else the reference tokenizer; else,
/// where the text it needs was not kept, characters.
fn default_basis(joined: &Joined<'_>) -> (Basis, BasisBecause) {
    let targets = &joined.manifest().targets;
    let (mut good, mut believed) = (vec![0usize; targets.len()], vec![0usize; targets.len()]);
    let mut without_text = false;
    for placed in joined.trials.iter().filter(|placed| placed.standing == Standing::Sent) {
        let row = joined.row(placed);
        if row.is_ok() {
            good[placed.target] += 1;
            believed[placed.target] += usize::from(row.uncounted(Basis::Reported).is_none());
            without_text |= row.uncounted(Basis::Reference) == Some(NoCounts::NoText);
        }
    }
    by_rule(targets, &good, &believed, without_text)
}

/// The rule, from the good replies of each target, those among them whose usage is believed, and whether any lacks its text.
pub(super) fn by_rule(targets: &[TargetFacts], good: &[usize], believed: &[usize], without_text: bool) -> (Basis, BasisBecause) {
    let any = good.iter().any(|n| 0 < *n);
    let doubtful: Vec<TargetId> =
        targets.iter().enumerate().filter(|(i, _)| believed[*i] * 20 < good[*i] * 19).map(|(_, target)| target.id.clone()).collect();
    let why = match (Families::of(targets), doubtful.as_slice()) {
        (_, []) if !any => NotReported::NoGoodReply,
        (Families::One, []) if targets.len() < 2 => return (Basis::Reported, BasisBecause::Believed),
        (Families::One, []) => return (Basis::Reported, BasisBecause::AllBelieved),
        (Families::Several, []) => NotReported::SeveralFamilies,
        (Families::Unknown, []) => NotReported::UnknownFamilies,
        _ => NotReported::Doubtful(doubtful),
    };
    (if without_text { Basis::Chars } else { Basis::Reference }, BasisBecause::NotReported { why, without_text })
}
