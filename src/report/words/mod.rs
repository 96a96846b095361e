//! What analysis and metrics say, in words: each fact is a value there and a sentence here, once in each language.

pub(super) mod hours;
mod metrics;
mod readings;
mod replies;
mod verdicts;

pub(super) use metrics::told;

use super::Lang;

pub use verdicts::{Told, sentence};
pub(super) use verdicts::{figures, lasting, order_hangs, percent, rate};

/// A fact that can be said.
pub trait Worded {
    /// In words: a sentence without its full stop, or a part of one.
    fn words(&self, lang: Lang) -> String;
}
