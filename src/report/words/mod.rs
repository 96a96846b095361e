//! What analysis and metrics say, in words: each fact is a value there and a sentence here, once in each language.

pub(super) mod hours;
mod readings;
mod replies;
mod verdicts;

use super::Lang;

pub use verdicts::{Told, sentence};
pub(super) use verdicts::{lasting, order_hangs, other_rounds, percent, rate};

/// A fact that can be said.
pub trait Worded {
    /// In words: a sentence without its full stop, or a part of one.
    fn words(&self, lang: Lang) -> String;
}
