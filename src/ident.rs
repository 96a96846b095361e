//! Names of things. Each is a checked string of its own type, so that no bare `String` crosses a room's door.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {text:?}: {why}")]
pub struct BadName {
    /// What the text should have named, such as `target`.
    pub what: &'static str,
    /// The text as given.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

fn check(what: &'static str, text: &str) -> Result<(), BadName> {
    let bad = |why| Err(BadName { what, text: text.to_owned(), why });
    if text.trim().is_empty() {
        return bad("a name cannot be empty");
    }
    if text.len() > 200 {
        return bad("a name has at most 200 bytes");
    }
    if text.chars().any(char::is_control) {
        return bad("a name holds no control characters");
    }
    Ok(())
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks and takes a name: not empty, at most 200 bytes, no control characters.
            pub fn new(text: impl Into<String>) -> Result<Self, BadName> {
                let text = text.into();
                check($what, &text)?;
                Ok($name(text))
            }
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl TryFrom<String> for $name {
            type Error = BadName;
            fn try_from(text: String) -> Result<Self, BadName> {
                $name::new(text)
            }
        }
        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

name!(
    /// A provider file's id, such as `deepseek` or `volcengine-ark`.
    ProviderId, "provider"
);
name!(
    /// What is compared: provider × model × parameters, such as `deepseek/deepseek-v4-pro`. Unique in a run.
    TargetId, "target"
);
name!(
    /// A prompt of a dataset, such as `short-zh-07`.
    PromptId, "prompt"
);
name!(
    /// One request to make; a function of plan digest, the run's salt, round, prompt, target and attempt.
    TrialId, "trial"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_not_empty_and_holds_no_control_characters() {
        assert!(TargetId::new("deepseek/v4").is_ok());
        assert!(TargetId::new(" ").is_err());
        assert!(TargetId::new("a\u{1b}[31m").is_err());
        assert!(serde_json::from_str::<TargetId>("\"a\\nb\"").is_err());
    }
}
