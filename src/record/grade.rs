//! Whether a reply gave the exact answer that its prompt has.

use serde::{Deserialize, Serialize};

/// A reply's answer, held against the exact one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Graded {
    /// It is the exact answer.
    Correct,
    /// It was read, and is another one.
    Wrong,
    /// It could not be read: not correct, and counted apart from what is wrong.
    Unread(Unread),
}

/// Why an answer could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unread {
    /// No content came.
    NoContent,
    /// No line of the content has the form that was asked for.
    NoLine,
    /// The only such lines stand in a fenced block of code.
    InCode,
    /// The last such line holds nothing behind its colon.
    Nothing,
    /// A number was asked for, and the line holds something else, or a number with something beside it.
    NoNumber,
    /// The line holds the exact answer and more.
    More,
    /// Neither the text nor a grade was kept.
    NotKept,
}

impl Graded {
    /// Whether it is the exact answer.
    pub const fn is_correct(self) -> bool {
        matches!(self, Graded::Correct)
    }
    /// Whether it could not be read.
    pub const fn is_unread(self) -> bool {
        matches!(self, Graded::Unread(_))
    }
}

impl Unread {
    /// The reason in words.
    pub const fn words(self) -> &'static str {
        match self {
            Unread::NoContent => "no content came",
            Unread::NoLine => "no line of the form \"Answer: X\"",
            Unread::InCode => "the answer's line stands in a block of code only",
            Unread::Nothing => "nothing stands behind the colon",
            Unread::NoNumber => "a number was asked for, and the line does not hold just a number",
            Unread::More => "the line holds the answer and more",
            Unread::NotKept => "neither the text nor a grade was kept",
        }
    }
}
