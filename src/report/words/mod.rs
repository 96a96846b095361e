//! What analysis and metrics say, in words: each fact is a value there and a sentence here, once in each language.

mod metrics;
mod readings;
mod replies;

pub(super) use metrics::told;

use super::Lang;

/// A fact that can be said.
pub trait Worded {
    /// In words: a sentence without its full stop, or a part of one.
    fn words(&self, lang: Lang) -> String;
}
