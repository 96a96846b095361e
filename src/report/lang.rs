//! The language in which people are spoken to. Names in files (columns, keys, flags, outcomes) and units are the same in both.

use std::str::FromStr;

/// A language.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Chinese, simplified.
    Zh,
}

/// A word that names no language.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no language of this tool: give en or zh")]
pub struct NoLang(String);

impl FromStr for Lang {
    type Err = NoLang;
    fn from_str(word: &str) -> Result<Lang, NoLang> {
        match word {
            "en" => Ok(Lang::En),
            "zh" | "zh-CN" => Ok(Lang::Zh),
            other => Err(NoLang(other.to_owned())),
        }
    }
}

impl Lang {
    /// Every language.
    pub const ALL: [Lang; 2] = [Lang::En, Lang::Zh];

    /// One of two texts that say the same. What holds figures is written as a `match` instead, so that neither form can be forgotten.
    pub const fn say(self, en: &'static str, zh: &'static str) -> &'static str {
        match self {
            Lang::En => en,
            Lang::Zh => zh,
        }
    }

    /// Names in a row: `a, b` or `a、b`.
    pub fn list<S: AsRef<str>>(self, names: impl IntoIterator<Item = S>) -> String {
        let names: Vec<String> = names.into_iter().map(|name| name.as_ref().to_owned()).collect();
        names.join(self.say(", ", "、"))
    }
}
