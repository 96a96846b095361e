//! Differences between the targets' requests that could not be avoided. They are facts; the words are in `report/`.

use crate::ident::TargetId;
use serde::{Deserialize, Serialize};

/// A difference, as the manifest holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Difference {
    /// One that this version knows.
    Known(Unequal),
    /// A sentence, as the first runs stored them.
    Sentence(String),
}

/// In what a target's requests differ from the others'.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unequal {
    /// Whose.
    pub target: TargetId,
    /// In what.
    #[serde(flatten)]
    pub by: UnequalBy,
}

/// What differs. Parameters bear the names under which they are sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum UnequalBy {
    /// The plan has a sampling seed, and the provider takes none.
    NoSeed,
    /// The parameter is sent, and the provider ignores it while the model thinks.
    Ignored {
        /// The parameter.
        parameter: String,
    },
    /// The cap on tokens counts the answer alone, not the reasoning.
    CapCountsAnswer {
        /// The parameter.
        parameter: String,
    },
    /// The plan gives this target another value than the first one.
    Setting {
        /// `sampling`, `thinking`, `transport` or `proxy`.
        setting: String,
        /// This target's value.
        own: String,
        /// The first target.
        first: TargetId,
        /// The first target's value.
        firsts: String,
    },
    /// Further fields of the request's body.
    FurtherFields {
        /// Their names.
        names: Vec<String>,
    },
}

impl Difference {
    /// A difference of a target.
    pub fn of(target: &TargetId, by: UnequalBy) -> Difference {
        Difference::Known(Unequal { target: target.clone(), by })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_read_back_and_a_sentence_of_an_early_run_too() {
        let target = TargetId::new("vllm/m").unwrap();
        for by in
            [UnequalBy::NoSeed, UnequalBy::Ignored { parameter: "top_p".into() }, UnequalBy::FurtherFields { names: vec!["a".into()] }]
        {
            let stored = serde_json::to_string(&Difference::of(&target, by.clone())).unwrap();
            assert_eq!(serde_json::from_str::<Difference>(&stored).unwrap(), Difference::of(&target, by), "{stored}");
        }
        let early: Vec<Difference> = serde_json::from_str(r#"["a: top_p differs"]"#).unwrap();
        assert_eq!(early, [Difference::Sentence("a: top_p differs".into())]);
    }
}
