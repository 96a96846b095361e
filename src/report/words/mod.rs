//! What analysis and metrics say, in words: each fact is a value there and a sentence here, once in each language.

mod grades;
pub(super) mod hours;
mod metrics;
mod readings;
mod replies;
mod verdicts;

use super::Lang;
pub use grades::model_differs;
pub(super) use grades::{claims_not_comparable, same_model, unread};
pub(super) use metrics::told;
pub use verdicts::{Told, sentence};
pub(super) use verdicts::{figures, lasting, order_hangs, other_rounds, percent, rate};

/// A fact that can be said.
pub trait Worded {
    /// In words: a sentence without its full stop, or a part of one.
    fn words(&self, lang: Lang) -> String;
}
